//! Repairs text that was encoded twice: UTF-8 taken for windows-1252 and encoded again, so that `é` became `Ã©`.
//!
//! A run is a sequence of characters outside ASCII. A document is repaired only if nearly all its runs show the fault.
//! A run that looks faulty by chance (`CAFÉ®`) stays as it is.

use std::borrow::Cow;

use super::repairs::Repairs;
use crate::feed::RepairKind;

/// A document with fewer doubly encoded runs than this is not repaired.
const MIN_RUNS: usize = 2;
/// A document is repaired only if it has at least this many doubly encoded runs for each sound run.
const RUNS_FOR_ONE_SOUND: usize = 5;
/// After this many sound runs, the search ends if too few doubly encoded ones were found.
const SOUND_RUNS_UNTIL_SURE: usize = 100;

/// How many bytes are checked at once for characters outside ASCII.
const ASCII_BYTES: usize = 64;

/// Undoes the second encoding if there was one.
pub(super) fn undo<'a>(text: Cow<'a, str>, repairs: &mut Repairs) -> Cow<'a, str> {
    if !is_encoded_twice(&text) {
        return text;
    }
    repairs.note(RepairKind::EncodedTwice);
    let mut repaired = String::with_capacity(text.len());
    let mut end = 0;
    for (start, run) in runs(&text) {
        repaired.push_str(&text[end..start]);
        repaired.push_str(decoded_again(run).as_deref().unwrap_or(run));
        end = start + run.len();
    }
    repaired.push_str(&text[end..]);
    Cow::Owned(repaired)
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

/// Returns the runs of characters outside ASCII, each with its position.
fn runs(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let bytes = text.as_bytes();
    let mut from = 0;
    std::iter::from_fn(move || {
        // Most text is ASCII, and checking many bytes at once is faster than checking each.
        let ascii = bytes[from..].chunks(ASCII_BYTES).take_while(|chunk| chunk.is_ascii()).map(<[u8]>::len);
        let near = from + ascii.sum::<usize>();
        let start = near + bytes[near..].iter().position(|byte| !byte.is_ascii())?;
        let length = bytes[start..].iter().position(u8::is_ascii).unwrap_or(bytes.len() - start);
        from = start + length;
        Some((start, &text[start..from]))
    })
}

/// Decodes a run a second time: takes its characters as bytes of windows-1252, and these bytes as UTF-8. Returns `None`
/// if that is impossible.
fn decoded_again(run: &str) -> Option<String> {
    let bytes: Option<Vec<u8>> = run.chars().map(windows_1252_byte).collect();
    String::from_utf8(bytes?).ok()
}

fn windows_1252_byte(character: char) -> Option<u8> {
    /// The characters of windows-1252 from 0x80 on, where Latin-1 has control characters. Unassigned bytes map to
    /// themselves.
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
    fn runs_are_found_wherever_they_are() {
        for length in [1, ASCII_BYTES - 1, ASCII_BYTES, 2 * ASCII_BYTES + 1] {
            let ascii = "x".repeat(length);
            let text = format!("{ascii}é{ascii}日本{ascii}");
            let found: Vec<_> = runs(&text).collect();
            assert_eq!(found, [(length, "é"), (2 * length + 2, "日本")], "{length}");
        }
    }

    #[test]
    fn sound_text_stays_unchanged() {
        for text in ["CAFÉ® and BEYONCÉ by chance, but also naïve, déjà vu, São", "Привет", "日本語", "Ã©", "NÃO, SÃO"]
        {
            check(text, text);
        }
    }
}
