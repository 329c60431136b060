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

/// Returns one character for those that writers use interchangeably: letters that lose a mark in capitals or in haste.
pub(super) fn plain(character: char) -> char {
    match character {
        'ı' | 'İ' => 'i',
        'ё' | 'Ё' => 'е',
        'أ' | 'إ' | 'آ' => 'ا',
        _ => character,
    }
}

/// Returns whether a character only shows where a line may break, how a letter is lengthened, or how it is spoken. The
/// dots below letters of Indic scripts are often left out.
pub(super) fn is_invisible(character: char) -> bool {
    let is_nukta = matches!(character, '\u{93C}' | '\u{9BC}' | '\u{A3C}' | '\u{ABC}' | '\u{B3C}' | '\u{CBC}');
    is_nukta
        || matches!(character, '\u{AD}' | '\u{200B}'..='\u{200F}' | '\u{2060}' | '\u{FEFF}' | '\u{640}' | '\u{64B}'..='\u{652}')
}
