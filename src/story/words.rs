//! A text as a sequence of words, for comparing. In scripts without spaces every character is a word, of half the weight.

use xxhash_rust::xxh3::xxh3_64;

/// More words of a text are not compared: what agrees in so many agrees.
const MAX_WORDS: usize = 10_000;

/// How many words in a row make a shingle: fewer are phrases that everybody uses, more break at every small edit.
pub const SHINGLE: usize = 3;

/// A word in lower case, known by its hash.
#[derive(Clone, Copy, Debug, Default)]
pub struct Word {
    pub hash: u64,
    /// Whether it has a digit.
    pub is_number: bool,
    /// Whether it is written with a capital though no sentence begins with it.
    pub is_name: bool,
    /// Whether it is a character of a script without spaces.
    pub is_half: bool,
    is_cased: bool,
}

/// The words of a plain text, in their order.
#[derive(Clone, Debug, Default)]
pub struct Words {
    pub words: Vec<Word>,
}

impl Words {
    pub fn of(text: &str) -> Words {
        // English has a word to six letters.
        let words = Vec::with_capacity((text.len() / 6).min(MAX_WORDS));
        let mut reading = Reading { words, text: String::new(), word: Word::default(), begins: true };
        for character in text.chars().map(plain).filter(|c| !is_invisible(*c)) {
            reading.read(character);
            if reading.words.len() >= MAX_WORDS {
                break;
            }
        }
        reading.end_word();
        Words { words: reading.words }
    }

    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// How long the text is, in words; a character of a script without spaces counts as half a word.
    pub fn extent(&self) -> usize {
        extent(&self.words)
    }

    /// The first words, as many as make that extent.
    pub fn beginning(&self, words: usize) -> &[Word] {
        let mut halves = 0;
        let end = self.words.iter().position(|word| {
            halves += word.halves();
            halves > words * 2
        });
        &self.words[..end.unwrap_or(self.words.len())]
    }

    /// The shingles, in the order of the words; of a text of two words or fewer none.
    pub fn shingles(&self) -> impl Iterator<Item = u64> {
        shingles(&self.words)
    }

    pub fn has(&self, word: Word) -> bool {
        self.words.iter().any(|own| own.hash == word.hash)
    }

    /// Whether the text is of a script that has capitals, so that names can be told.
    pub fn is_cased(&self) -> bool {
        self.words.iter().any(|word| word.is_cased)
    }
}

impl Word {
    fn halves(self) -> usize {
        if self.is_half { 1 } else { 2 }
    }
}

/// As [`Words::extent`].
pub fn extent<'w>(words: impl IntoIterator<Item = &'w Word>) -> usize {
    words.into_iter().map(|word| word.halves()).sum::<usize>().div_ceil(2)
}

/// As [`Words::shingles`].
pub fn shingles(words: &[Word]) -> impl Iterator<Item = u64> {
    words.windows(SHINGLE).map(|shingle| shingle.iter().fold(0, |hash, word| mixed(hash, word.hash)))
}

/// One hash of two; the order counts.
pub fn mixed(one: u64, other: u64) -> u64 {
    let mixed = (one.rotate_left(23) ^ other).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    mixed ^ (mixed >> 32)
}

struct Reading {
    words: Vec<Word>,
    /// The word that is being read, in lower case, and what is known of it; its hash is not.
    text: String,
    word: Word,
    /// Whether a sentence begins here.
    begins: bool,
}

impl Reading {
    fn read(&mut self, character: char) {
        // Most texts are mostly of these.
        if character.is_ascii_alphanumeric() {
            self.begin_word(character.is_ascii_uppercase());
            self.word.is_number |= character.is_ascii_digit();
            self.word.is_cased |= character.is_ascii_alphabetic();
            self.text.push(character.to_ascii_lowercase());
            return;
        }
        if !character.is_alphanumeric() {
            self.end_word();
            self.begins |= matches!(character, '.' | '!' | '?' | ':' | '\n' | '"' | '“' | '«' | '…');
            return;
        }
        if is_spaceless(character) {
            self.end_word();
            self.text.push(character);
            self.word.is_half = true;
            self.word.is_number = character.is_numeric() || is_chinese_number(character);
            self.end_word();
            return;
        }
        self.begin_word(character.is_uppercase());
        self.word.is_number |= character.is_numeric();
        for lower in character.to_lowercase() {
            self.text.push(lower);
            self.word.is_cased |= lower.is_lowercase();
        }
    }

    fn begin_word(&mut self, is_upper: bool) {
        if self.text.is_empty() {
            self.word.is_name = is_upper && !self.begins;
        }
    }

    fn end_word(&mut self) {
        if self.text.is_empty() {
            return;
        }
        self.words.push(Word { hash: xxh3_64(self.text.as_bytes()), ..self.word });
        self.text.clear();
        (self.word, self.begins) = (Word::default(), false);
    }
}

/// Full-width forms, which East Asian sites mix with the usual ones, as the usual ones.
fn plain(character: char) -> char {
    match character {
        '\u{FF01}'..='\u{FF5E}' => char::from_u32(u32::from(character) - 0xFEE0).unwrap_or(character),
        _ => character,
    }
}

/// Characters that only tell where a line may break.
fn is_invisible(character: char) -> bool {
    matches!(character, '\u{AD}' | '\u{200B}'..='\u{200F}' | '\u{2060}' | '\u{FEFF}')
}

/// Whether a character belongs to a script that is written without spaces between words.
fn is_spaceless(c: char) -> bool {
    matches!(c, '\u{0E00}'..='\u{0EFF}' | '\u{1000}'..='\u{109F}' | '\u{1780}'..='\u{17FF}' | '\u{3040}'..='\u{30FF}'
        | '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{3FFFF}')
}

fn is_chinese_number(c: char) -> bool {
    "零〇一二三四五六七八九十百千".contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, words: usize, extent: usize) {
        let read = Words::of(text);
        assert_eq!((read.words.len(), read.extent()), (words, extent), "{text}");
    }

    #[test]
    fn words_are_counted_in_every_script() {
        check("", 0, 0);
        check("The quay, at night.", 4, 4);
        check("夜の港 2017年", 5, 3);
        check("co\u{AD}operation", 1, 1);
    }

    #[test]
    fn spelling_does_not_count_and_order_does() {
        let hashes = |text: &str| Words::of(text).shingles().collect::<Vec<_>>();
        assert_eq!(hashes("The QUAY — at night"), hashes("the quay at “night”"));
        assert_eq!(hashes("第１２期の話"), hashes("第12期の話"));
        assert_ne!(hashes("man bites dog"), hashes("dog bites man"));
    }

    #[test]
    fn capitals_within_a_sentence_mark_names() {
        let names = |text: &str| Words::of(text).words.iter().filter(|word| word.is_name).count();
        assert_eq!(names("Yesterday Mary met John. They talked."), 2);
    }
}
