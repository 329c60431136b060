//! A text as a sequence of words, for comparing. In scripts without spaces every character is a word, with half the
//! weight.
//!
//! Two spellings of one word are one word: text is compared in normalization form KC (UAX #15) with full case folding
//! (The Unicode Standard, section 3.13). So `STRASSE` is `Straße`, `CO₂` is `CO2`, and a letter with its accent is the
//! same in one character or two.

use foldhash::HashSet;
use unicode_normalization::char::canonical_combining_class;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfkc_quick};
use xxhash_rust::xxh3::xxh3_64;

use super::numerals;
use super::spelling::{folded, is_invisible, plain};
use crate::text::scripts::is_half_word;

/// The most words of a text that are compared: texts that agree so far are the same.
const MAX_WORDS: usize = 10_000;

/// The number of words of a shingle: fewer words are phrases that everyone uses, and more words change at every small
/// edit.
pub(super) const SHINGLE: usize = 3;

/// The fewest letters of a word that may be misspelt: in a shorter word, another letter makes another word.
const LEAST_SPELT: u8 = 5;

/// The most words of a byline.
pub(super) const BYLINE: usize = 6;

/// The most words of a line around a text that is a byline, a link or an invitation.
pub(super) const SHORT_LINE: usize = 10;

/// A word with its case folded, identified by its hash.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Word {
    /// The hash.
    pub hash: u64,
    /// Whether the word has a digit, or is a number or a date in words.
    pub is_number: bool,
    /// Whether the word is the first on its line.
    pub begins_line: bool,
    /// Whether it is the first of a sentence, or of what looks like one: a point after an abbreviation ends one too.
    pub begins_sentence: bool,
    /// Whether a sign that ends an agency's mark or a dateline is before it, such as a bracket or a dash.
    pub is_behind_mark: bool,
    /// Whether a comma is before it.
    pub is_behind_comma: bool,
    /// Whether the word has a capital and does not begin a sentence.
    pub is_name: bool,
    /// Whether the word is a character of a script without spaces.
    pub is_half: bool,
    /// Whether it has letters of a script with capitals.
    pub is_cased: bool,
    /// How many letters the word has, 255 at most, and which, as far as 64 bits can say.
    length: u8,
    letters: u64,
}

/// Where a phrase *stood* in a text before it was removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stood {
    Nowhere,
    /// On a line of its own, or on a line with few other words.
    InShortLine,
    InText,
}

/// The words of a plain text, in order.
#[derive(Clone, Debug, Default)]
pub(super) struct Words {
    /// The words.
    pub words: Vec<Word>,
}

impl Words {
    /// Splits a text into words.
    pub(super) fn of(text: &str) -> Words {
        // An English text has about one word for every six bytes, spaces included.
        let words = Vec::with_capacity((text.len() / 6).min(MAX_WORDS));
        let mut reading =
            WordReading { words, begins: true, begins_line: true, begins_sentence: true, ..WordReading::default() };
        let mut rest = text;
        while let Some(first) = rest.chars().next().filter(|_| reading.words.len() < MAX_WORDS) {
            let run = ascii_run(rest);
            let length = if run > 0 {
                reading.read_run(&rest[..run]);
                run
            } else if first.is_ascii() && !first.is_ascii_alphanumeric() {
                reading.read(first);
                first.len_utf8()
            } else {
                let length = first.len_utf8();
                let length = length + rest[length..].bytes().take_while(|byte| !byte.is_ascii()).count();
                reading.read_beyond_ascii(&rest[..length]);
                length
            };
            rest = &rest[length..];
        }
        reading.end_word();
        Words { words: reading.words }
    }

    /// Returns whether there are no words.
    pub(super) fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// Returns how long the text is, in words; a character of a script without spaces counts as half a word.
    pub(super) fn extent(&self) -> usize {
        extent(&self.words)
    }

    /// Returns the first words, up to this extent.
    pub(super) fn beginning(&self, words: usize) -> &[Word] {
        let mut halves = 0;
        let end = self.words.iter().position(|word| {
            halves += word.halves();
            halves > words * 2
        });
        &self.words[..end.unwrap_or(self.words.len())]
    }

    /// Returns the shingles, in the order of the words; none for a text of two words or fewer.
    pub(super) fn shingles(&self) -> impl Iterator<Item = u64> {
        shingles(&self.words)
    }

    /// Returns where the line of a word begins.
    pub(super) fn line_start(&self, at: usize) -> usize {
        self.words[..=at].iter().rposition(|word| word.begins_line).unwrap_or(0)
    }

    /// Returns the hashes of the words.
    pub(super) fn hashes(&self) -> HashSet<u64> {
        self.words.iter().map(|word| word.hash).collect()
    }

    /// Returns where the text begins after its bylines: after the first lines that are no longer than a byline.
    pub(super) fn start_behind_bylines(&self) -> usize {
        let mut start = 0;
        for line in self.lines() {
            if extent(line) > BYLINE {
                return start;
            }
            start += line.len();
        }
        0
    }

    /// Returns where the text ends before its footers: before the last lines that are short. A text that has only short
    /// lines has no footers.
    pub(super) fn end_before_footers(&self) -> usize {
        let mut end = self.words.len();
        while end > 0 {
            let start = self.line_start(end - 1);
            if extent(&self.words[start..end]) > SHORT_LINE {
                return end;
            }
            end = start;
        }
        self.words.len()
    }

    fn lines(&self) -> impl Iterator<Item = &[Word]> {
        self.words.chunk_by(|_, next| !next.begins_line)
    }

    /// Removes a phrase wherever it occurs; returns where it was found. Linear in the text, whatever the phrase.
    pub(super) fn take_out(&mut self, phrase: &Words) -> Stood {
        let (phrase, before) = (&phrase.words, self.words.len());
        let borders = borders(phrase);
        let mut stood = Stood::Nowhere;
        let mut matched = 0;
        let mut kept = 0;
        // Whether the previous word, which was removed, began a line or a sentence: then the next one does.
        let (mut begins_line, mut begins_sentence) = (false, false);
        for at in 0..before {
            let mut word = self.words[at];
            word.begins_line |= std::mem::take(&mut begins_line);
            word.begins_sentence |= std::mem::take(&mut begins_sentence);
            self.words[kept] = word;
            kept += 1;
            while matched > 0 && phrase[matched].hash != word.hash {
                matched = borders[matched - 1];
            }
            matched += usize::from(phrase.get(matched).is_some_and(|next| next.hash == word.hash));
            if !phrase.is_empty() && matched == phrase.len() {
                kept -= matched;
                matched = 0;
                begins_line = self.words[kept].begins_line;
                begins_sentence = self.words[kept].begins_sentence;
                let before = if begins_line { 0 } else { self.line_before(kept) };
                let rest = before + line_behind(&self.words[at + 1..]);
                stood = stood.max(if rest > SHORT_LINE { Stood::InText } else { Stood::InShortLine });
            }
        }
        self.words.truncate(kept);
        stood
    }

    /// Returns how many words are on a line before this one; for a long line, only that it is long.
    fn line_before(&self, at: usize) -> usize {
        let near = &self.words[at.saturating_sub(2 * SHORT_LINE + 2)..at];
        let line = near.iter().rposition(|word| word.begins_line).map_or(near, |start| &near[start..]);
        extent(line)
    }

    /// Returns whether each text has numbers that the other lacks.
    pub(super) fn numbers_against(&self, other: &Words) -> bool {
        has_own_number(&self.words, other) && has_own_number(&other.words, self)
    }

    /// Returns whether each text has names that the other lacks; without capitals that mark names, any word may be one.
    pub(super) fn names_against(&self, other: &Words) -> bool {
        let has_own_name = |own: &Words, other: &Words| {
            let is_cased = own.is_cased();
            has_own(own.words.iter().filter(|word| word.is_name || !is_cased), &other.words)
        };
        has_own_name(self, other) && has_own_name(other, self)
    }

    /// Returns whether the text is in a script with capitals, so that names can be recognised.
    pub(super) fn is_cased(&self) -> bool {
        self.words.iter().any(|word| word.is_cased)
    }
}

impl Word {
    /// Returns whether the two are one word, misspelt or spelt differently: one of them lacks a letter, has two letters
    /// in the other order, or, if it is not a name, has another letter in one place.
    pub(super) fn is_spelt_as(self, other: Word) -> bool {
        let differing = (self.letters ^ other.letters).count_ones();
        let is_near = match self.length.abs_diff(other.length) {
            0 => differing == 0 || differing == 2 && !self.is_name && !other.is_name,
            1 => differing <= 1,
            _ => false,
        };
        let may_be_misspelt = |word: Word| !word.is_number && word.length >= LEAST_SPELT;
        self.hash == other.hash || is_near && may_be_misspelt(self) && may_be_misspelt(other)
    }

    /// Returns whether the word is significant by itself: a number, a name, or a word that is not among the short ones
    /// of every sentence.
    pub(super) fn is_telling(self) -> bool {
        self.is_number || self.is_name || self.is_half || self.length >= LEAST_SPELT
    }

    /// Returns whether it is longer than most articles and prepositions.
    pub(super) fn is_long(self) -> bool {
        self.length >= LEAST_SPELT - 1
    }

    /// Returns whether it may be the beginning of another word: a text may be cut within a word.
    pub(super) fn may_begin(self, other: Word) -> bool {
        !self.is_number && self.length <= other.length && self.letters & !other.letters == 0
    }

    fn halves(self) -> usize {
        if self.is_half { 1 } else { 2 }
    }
}

/// Returns whether one of the words is a number that the other text lacks.
pub(super) fn has_own_number(words: &[Word], other: &Words) -> bool {
    has_own(words.iter().filter(|word| word.is_number), &other.words)
}

/// Returns whether one of the words is not among the others.
pub(super) fn has_own<'w>(words: impl Iterator<Item = &'w Word>, others: &[Word]) -> bool {
    let mut words = words.peekable();
    // Most texts have none of these words.
    if words.peek().is_none() {
        return false;
    }
    let others: HashSet<u64> = others.iter().map(|word| word.hash).collect();
    words.any(|word| !others.contains(&word.hash))
}

/// Returns, for each prefix of a phrase, how many of its last words also begin the phrase: where to continue if the
/// next word differs (Knuth, Morris and Pratt).
fn borders(phrase: &[Word]) -> Vec<usize> {
    let mut borders = vec![0; phrase.len()];
    let mut matched = 0;
    for at in 1..phrase.len() {
        while matched > 0 && phrase[matched].hash != phrase[at].hash {
            matched = borders[matched - 1];
        }
        matched += usize::from(phrase[matched].hash == phrase[at].hash);
        borders[at] = matched;
    }
    borders
}

/// Returns how many words are on the line from here on; for a long line, only that it is long.
fn line_behind(words: &[Word]) -> usize {
    let near = &words[..words.len().min(2 * SHORT_LINE + 2)];
    extent(near.iter().take_while(|word| !word.begins_line))
}

/// Returns the extent of these words; see [`Words::extent`].
pub(super) fn extent<'w>(words: impl IntoIterator<Item = &'w Word>) -> usize {
    words.into_iter().map(|word| word.halves()).sum::<usize>().div_ceil(2)
}

/// Returns the shingles of these words; see [`Words::shingles`].
pub(super) fn shingles(words: &[Word]) -> impl Iterator<Item = u64> {
    words.windows(SHINGLE).map(|shingle| shingle.iter().fold(0, |hash, word| mixed(hash, word.hash)))
}

/// Combines two hashes into one; the order counts.
pub(super) fn mixed(one: u64, other: u64) -> u64 {
    let mixed = (one.rotate_left(23) ^ other).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    mixed ^ (mixed >> 32)
}

#[derive(Default)]
struct WordReading {
    words: Vec<Word>,
    /// The word being read, with its case folded, and what is known of it except its hash.
    text: String,
    word: Word,
    /// Whether a sentence begins here.
    begins: bool,
    begins_line: bool,
    begins_sentence: bool,
    is_behind_mark: bool,
    is_behind_comma: bool,
    /// Whether a point follows a digit: if another digit follows, they are one number.
    has_point: bool,
    /// The digits of the last word, if a group of three digits may continue them; otherwise empty.
    group: String,
    /// How many characters that may separate groups of digits are behind the last word.
    separators: u8,
}

impl WordReading {
    /// Reads ASCII letters and digits at once: most texts are mostly these.
    fn read_run(&mut self, run: &str) {
        let first = char::from(run.as_bytes()[0]);
        self.read_point(first);
        self.begin_word(first.is_ascii_uppercase());
        self.word.is_number |= run.bytes().any(|byte| byte.is_ascii_digit());
        self.word.is_cased |= run.bytes().any(|byte| byte.is_ascii_alphabetic());
        self.word.length = self.word.length.saturating_add(u8::try_from(run.len()).unwrap_or(u8::MAX));
        let start = self.text.len();
        self.text.push_str(run);
        self.text[start..].make_ascii_lowercase();
        self.word.letters |= self.text[start..].bytes().fold(0, |letters, byte| letters | 1 << (byte % 64));
    }

    /// Reads characters, all but the first not ASCII, in their normalization form KC.
    fn read_beyond_ascii(&mut self, run: &str) {
        match is_nfkc_quick(run.chars()) {
            IsNormalized::Yes => self.read_normal(run.chars()),
            IsNormalized::No | IsNormalized::Maybe => self.read_normal(run.nfkc()),
        }
    }

    fn read_normal(&mut self, characters: impl Iterator<Item = char>) {
        for character in characters.filter(|character| !is_invisible(*character)) {
            if self.words.len() >= MAX_WORDS {
                return;
            }
            self.read(plain(character));
        }
    }

    fn read(&mut self, character: char) {
        self.read_point(character);
        if character == '.' && self.text.ends_with(char::is_numeric) {
            self.has_point = true;
            return;
        }
        if !character.is_alphanumeric() {
            self.end_word();
            if is_group_separator(character) {
                self.separators = self.separators.saturating_add(1);
            } else {
                self.group.clear();
            }
            self.begins_line |= character == '\n';
            self.begins |= matches!(character, '.' | '!' | '?' | ':' | '\n' | '"' | '“' | '«' | '…');
            self.begins_sentence |= ends_sentence(character);
            self.is_behind_mark |= ends_mark(character);
            self.is_behind_comma |= matches!(character, ',' | '，' | '、' | '،');
            return;
        }
        if is_half_word(character) {
            self.read_spaceless(character);
            return;
        }
        self.begin_word(character.is_uppercase());
        self.word.is_number |= character.is_numeric();
        self.word.is_cased |= character.is_uppercase() || character.is_lowercase();
        for folded in folded(character) {
            self.push(folded);
        }
    }

    /// Reads a character of a script without spaces: each is a word, but a number is one word, however long.
    fn read_spaceless(&mut self, character: char) {
        let is_number = character.is_numeric() || is_chinese_number(character);
        if !(is_number && self.word.is_half) {
            self.end_word();
        }
        self.push(character);
        (self.word.is_half, self.word.is_number) = (true, is_number);
        if !is_number {
            self.end_word();
        }
    }

    /// Reads a point: between digits it is part of the number; any other ends the number, and a sentence.
    fn read_point(&mut self, next: char) {
        if std::mem::take(&mut self.has_point) {
            if next.is_numeric() {
                self.push('.');
            } else {
                self.end_word();
                (self.begins, self.begins_sentence) = (true, true);
            }
        }
    }

    fn push(&mut self, character: char) {
        self.text.push(character);
        self.word.length = self.word.length.saturating_add(1);
        self.word.letters |= 1 << (u32::from(character) % 64);
    }

    fn begin_word(&mut self, is_upper: bool) {
        if self.word.is_half {
            self.end_word();
        }
        if self.text.is_empty() {
            self.word.is_name = is_upper && !self.begins;
        }
    }

    fn end_word(&mut self) {
        if self.text.is_empty() {
            return;
        }
        if self.join_groups() {
            return;
        }
        let hash = xxh3_64(self.text.as_bytes());
        let is_number = self.word.is_number || numerals::is_numeral(hash);
        let (begins_line, begins_sentence) = (self.begins_line, self.begins_sentence);
        let (is_behind_mark, is_behind_comma) = (self.is_behind_mark || begins_sentence, self.is_behind_comma);
        self.words.push(Word {
            hash,
            is_number,
            begins_line,
            begins_sentence,
            is_behind_mark,
            is_behind_comma,
            ..self.word
        });
        self.next_word();
    }

    fn next_word(&mut self) {
        self.text.clear();
        (self.begins, self.begins_line, self.begins_sentence) = (false, false, false);
        (self.is_behind_mark, self.is_behind_comma) = (false, false);
        self.word = Word::default();
    }

    /// Reads the digits of a number without the signs between its groups: 7.000, 7,000, 7 000 and 7000 are one number.
    /// Returns whether the word that was read continues the last one, and is part of it now.
    fn join_groups(&mut self) -> bool {
        let separators = std::mem::take(&mut self.separators);
        if !self.word.is_number || !self.text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
            self.group.clear();
            return false;
        }
        if separators == 1 && !self.group.is_empty() && is_group(&self.text) {
            self.group.push_str(&self.text);
            if let Some(last) = self.words.last_mut() {
                last.hash = xxh3_64(self.group.as_bytes());
                last.length = last.length.saturating_add(self.word.length);
                last.letters |= self.word.letters;
            }
            self.next_word();
            return true;
        }
        self.group.clear();
        let mut groups = self.text.split('.');
        let begins = groups.next().is_some_and(|first| (1..=3).contains(&first.len()) && first != "0");
        if begins && groups.all(is_group) {
            self.text.retain(|character| character != '.');
            self.group.push_str(&self.text);
        }
        false
    }
}

/// Returns whether a text is a group of three digits.
fn is_group(text: &str) -> bool {
    text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Returns whether a character may separate groups of digits, as in 7 000, 7,000 and 7’000.
fn is_group_separator(character: char) -> bool {
    matches!(character, ' ' | '\u{A0}' | '\u{2009}' | '\u{202F}' | ',' | '\'' | '’' | '٬')
}

/// Returns how many ASCII letters and digits a text begins with. Does not count a letter that a combining mark follows:
/// both may be one character.
fn ascii_run(text: &str) -> usize {
    let run = text.bytes().take_while(u8::is_ascii_alphanumeric).count();
    let is_mark = |next: char| !next.is_ascii() && canonical_combining_class(next) != 0;
    let is_marked = run > 0 && text[run..].chars().next().is_some_and(is_mark);
    run - usize::from(is_marked)
}

fn ends_sentence(c: char) -> bool {
    matches!(c, '\n' | '.' | '!' | '?' | '…' | '。' | '！' | '？' | '؟' | '۔' | '।')
}

fn ends_mark(c: char) -> bool {
    matches!(c, ')' | ']' | '】' | '）' | '］' | '〕' | '」' | ':' | '：' | '-' | '–' | '—' | '―' | '|' | '/' | '»')
}

fn is_chinese_number(c: char) -> bool {
    "零〇一二三四五六七八九十百千".contains(c)
}

#[cfg(test)]
mod tests;
