//! Text that was encoded twice: UTF-8 taken for windows-1252 and encoded again, so that `é` stands there as `Ã©`.
//!
//! A document is mended only where nearly all of its characters beyond ASCII show the fault: what stands there by chance (`CAFÉ®`) stays.

use std::borrow::Cow;

use super::repairs::Repairs;
use crate::feed::RepairKind;

/// A document without so many runs of doubly encoded characters is not mended.
const MIN_RUNS: usize = 2;
/// Nor one with more than one sound run among so many.
const RUNS_FOR_ONE_SOUND: usize = 5;
/// When so many sound runs were met, and too few others, the search ends.
const SOUND_RUNS_UNTIL_SURE: usize = 100;

/// Undoes the second encoding where there was one.
pub(super) fn undo<'a>(text: Cow<'a, str>, repairs: &mut Repairs) -> Cow<'a, str> {
    if !is_encoded_twice(&text) {
        return text;
    }
    repairs.note(RepairKind::EncodedTwice);
    let mut mended = String::with_capacity(text.len());
    let mut end = 0;
    for (start, run) in runs(&text) {
        mended.push_str(&text[end..start]);
        mended.push_str(decoded_again(run).as_deref().unwrap_or(run));
        end = start + run.len();
    }
    mended.push_str(&text[end..]);
    Cow::Owned(mended)
}

fn is_encoded_twice(text: &str) -> bool {
    let (mut doubled, mut sound) = (0, 0);
    for (_, run) in runs(text) {
        match decoded_again(run) {
            Some(_) => doubled += 1,
            None => sound += 1,
        }
        if sound >= SOUND_RUNS_UNTIL_SURE && sound * RUNS_FOR_ONE_SOUND > doubled {
            return false;
        }
    }
    doubled >= MIN_RUNS && sound * RUNS_FOR_ONE_SOUND <= doubled
}

/// The runs of characters beyond ASCII, each with where it starts.
fn runs(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let bytes = text.as_bytes();
    let mut from = 0;
    std::iter::from_fn(move || {
        let start = from + bytes[from..].iter().position(|byte| !byte.is_ascii())?;
        let length = bytes[start..].iter().position(u8::is_ascii).unwrap_or(bytes.len() - start);
        from = start + length;
        Some((start, &text[start..from]))
    })
}

/// The run, its characters taken for the bytes of windows-1252 that they stand for; `None` where those are not UTF-8.
fn decoded_again(run: &str) -> Option<String> {
    let bytes: Option<Vec<u8>> = run.chars().map(windows_1252_byte).collect();
    String::from_utf8(bytes?).ok()
}

fn windows_1252_byte(character: char) -> Option<u8> {
    /// What windows-1252 has from 0x80 on where Latin-1 has control characters; those that it leaves out stand for themselves.
    const SPECIAL: [char; 32] = [
        '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8D}', 'Ž', '\u{8F}', '\u{90}', '‘',
        '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9D}', 'ž', 'Ÿ',
    ];
    match u8::try_from(u32::from(character)) {
        Ok(byte) => Some(byte),
        Err(_) => SPECIAL.iter().position(|&special| special == character).and_then(|at| u8::try_from(0x80 + at).ok()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(undo(Cow::Borrowed(text), &mut Repairs::default()), expected);
    }

    #[test]
    fn text_that_was_encoded_twice_is_decoded_again() {
        check("Neige et pluie verglaÃ§ante : alerte Ã©tendue", "Neige et pluie verglaçante : alerte étendue");
        check("itâ€™s Ã\u{a0} la carte", "it’s à la carte");
    }

    #[test]
    fn sound_text_stays_as_it_is() {
        for text in ["CAFÉ® and BEYONCÉ by chance, but also naïve, déjà vu, São", "Привет", "日本語", "Ã©", "NÃO, SÃO"]
        {
            check(text, text);
        }
    }
}
