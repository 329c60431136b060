//! How one word may be spelt: which letters count as the same.

use caseless::Caseless;
use unicode_normalization::UnicodeNormalization;
use xxhash_rust::xxh3::xxh3_64;

/// Returns the hash of a word with this spelling, as in `Word::hash`.
pub(super) fn hash_of(word: &str) -> u64 {
    let letters = word.nfkc().filter(|letter| !is_invisible(*letter)).map(plain);
    xxh3_64(letters.default_case_fold().collect::<String>().as_bytes())
}

/// Returns a character with its case folded, which may be several: `ß` is `ss`.
pub(super) fn folded(character: char) -> impl Iterator<Item = char> {
    std::iter::once(character).default_case_fold()
}

/// The zeros of scripts that have digits of their own, in the order of Unicode; nine more digits follow each. Sites of one
/// language write these or the digits of ASCII, so both are the same number.
const ZEROS: [char; 14] = [
    '\u{660}', '\u{6F0}', '\u{966}', '\u{9E6}', '\u{A66}', '\u{AE6}', '\u{B66}', '\u{BE6}', '\u{C66}', '\u{CE6}',
    '\u{D66}', '\u{E50}', '\u{1040}', '\u{17E0}',
];

/// Returns the digit of ASCII with the same value, if the character is a digit of another script.
fn ascii_digit(character: char) -> Option<char> {
    let zero = ZEROS.into_iter().rev().find(|zero| *zero <= character)?;
    char::from_digit(u32::from(character) - u32::from(zero), 10)
}

/// Returns one character for those that writers use interchangeably: letters that lose a mark in capitals or in haste,
/// and digits of several scripts.
pub(super) fn plain(character: char) -> char {
    match character {
        'ı' | 'İ' => 'i',
        'ё' | 'Ё' => 'е',
        'أ' | 'إ' | 'آ' => 'ا',
        '٫' => '.',
        _ => ascii_digit(character).unwrap_or(character),
    }
}

/// Returns whether a character only shows where a line may break, how a letter is lengthened, or how it is spoken. The
/// dots below letters of Indic scripts are often left out.
pub(super) fn is_invisible(character: char) -> bool {
    let is_nukta = matches!(character, '\u{93C}' | '\u{9BC}' | '\u{A3C}' | '\u{ABC}' | '\u{B3C}' | '\u{CBC}');
    is_nukta
        || matches!(character, '\u{AD}' | '\u{200B}'..='\u{200F}' | '\u{2060}' | '\u{FEFF}' | '\u{640}' | '\u{64B}'..='\u{652}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_of_every_script_are_the_same_number() {
        for number in ["٢٠٢٦", "۲۰۲۶", "२०२६", "২০২৬", "๒๐๒๖", "２０２６"] {
            assert_eq!(hash_of(number), hash_of("2026"), "{number}");
        }
        assert_ne!(hash_of("٢٠٢٧"), hash_of("2026"));
        for letter in ['ا', 'ک', 'क', 'ก', 'a', '٪', '०', '9'] {
            let expected = if letter == '०' {
                '0'
            } else if letter == 'ا' {
                'ا'
            } else {
                letter
            };
            assert_eq!(plain(letter), expected);
        }
    }
}
