//! Decodes UTF-8 that contains errors, and repairs only what is wrong.
//!
//! Characters that were cut in half and stray bytes become U+FFFD. A character above U+FFFF that was encoded as two
//! surrogates (CESU-8, as written by MySQL's `utf8`, Java and Oracle) becomes that character.

/// Evidence for and against bytes being UTF-8.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Evidence {
    /// The number of characters outside ASCII, including cut or split ones. Texts in other encodings hardly have any.
    pub good: usize,
    /// The number of single invalid bytes.
    pub bad: usize,
}

/// A repaired text, and what was wrong with it.
pub(super) struct Repaired {
    pub text: String,
    pub has_replaced: bool,
    pub has_joined: bool,
}

/// Collects the evidence for bytes being UTF-8.
pub(super) fn evidence(bytes: &[u8]) -> Evidence {
    let mut evidence = Evidence::default();
    for part in parts(bytes) {
        match part {
            Utf8Part::Valid(text) => evidence.good += text.bytes().filter(|byte| *byte >= 0xC0).count(),
            Utf8Part::Split(_) => evidence.good += 1,
            // A single byte of a character may as well be a letter in another encoding.
            Utf8Part::Bad(bytes) if bytes.len() > 1 => evidence.good += 1,
            Utf8Part::Bad(_) => evidence.bad += 1,
        }
    }
    evidence
}

/// Decodes bytes as UTF-8, and repairs what is wrong.
pub(super) fn repaired(bytes: &[u8]) -> Repaired {
    let mut repaired = Repaired {
        text: String::with_capacity(bytes.len() + bytes.len() / 16),
        has_replaced: false,
        has_joined: false,
    };
    for part in parts(bytes) {
        match part {
            Utf8Part::Valid(text) => repaired.text.push_str(text),
            Utf8Part::Split(character) => {
                repaired.has_joined = true;
                repaired.text.push(character);
            }
            Utf8Part::Bad(_) => {
                repaired.has_replaced = true;
                repaired.text.push(char::REPLACEMENT_CHARACTER);
            }
        }
    }
    repaired
}

enum Utf8Part<'a> {
    Valid(&'a str),
    /// A character that was encoded as its two surrogates.
    Split(char),
    /// Invalid bytes: the start of a character without its end, half of a surrogate pair, or a byte that starts no
    /// character.
    Bad(&'a [u8]),
}

fn parts(bytes: &[u8]) -> impl Iterator<Item = Utf8Part<'_>> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let chunk = rest.utf8_chunks().next()?;
        if !chunk.valid().is_empty() {
            rest = &rest[chunk.valid().len()..];
            return Some(Utf8Part::Valid(chunk.valid()));
        }
        let (part, length) = match (surrogate(rest), rest.get(3..).and_then(surrogate)) {
            (Some(high @ 0xD800..=0xDBFF), Some(low @ 0xDC00..=0xDFFF)) => (Utf8Part::Split(joined(high, low)), 6),
            (Some(_), _) => (Utf8Part::Bad(&rest[..3]), 3),
            _ => (Utf8Part::Bad(chunk.invalid()), chunk.invalid().len()),
        };
        rest = &rest[length..];
        Some(part)
    })
}

/// Returns the surrogate at the start of the bytes, if one is encoded there as if it were a character.
fn surrogate(bytes: &[u8]) -> Option<u32> {
    match bytes {
        [0xED, second @ 0xA0..=0xBF, third @ 0x80..=0xBF, ..] => {
            Some(0xD000 | u32::from(second & 0x3F) << 6 | u32::from(third & 0x3F))
        }
        _ => None,
    }
}

/// Returns the character of a surrogate pair.
pub(super) fn joined(high: u32, low: u32) -> char {
    char::from_u32(0x1_0000 + ((high & 0x3FF) << 10) + (low & 0x3FF)).unwrap_or(char::REPLACEMENT_CHARACTER)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(bytes: &[u8], expected: &str) {
        assert_eq!(repaired(bytes).text, expected, "{bytes:x?}");
    }

    #[test]
    fn only_wrong_bytes_are_repaired() {
        check("Größe 😀".as_bytes(), "Größe 😀");
        check(b"caf\xC3\xA9 \xF0\x9F\x98...", "café \u{FFFD}...");
        check(b"\xED\xA0\xBD\xED\xB8\x80!", "😀!");
        check(b"\xED\xA0\xBDx\xED\xB8\x80", "\u{FFFD}x\u{FFFD}");
        check(b"a\xFFb\xE9", "a\u{FFFD}b\u{FFFD}");
        check(b"\xED\x9F\xBF\xED", "\u{D7FF}\u{FFFD}");
    }

    #[test]
    fn cut_and_split_characters_are_evidence_for_utf8() {
        assert_eq!(evidence("é 😀".as_bytes()), Evidence { good: 2, bad: 0 });
        assert_eq!(evidence(b"\xF0\x9F\x98. \xED\xA0\xBD\xED\xB8\x80"), Evidence { good: 2, bad: 0 });
        assert_eq!(evidence(b"S\xC3O caf\xE9"), Evidence { good: 0, bad: 2 });
    }
}
