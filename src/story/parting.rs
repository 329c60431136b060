//! Where two texts differ, which words are there, and which of them do not belong to the texts.
//!
//! What two sites put around one text is on separate lines: bylines before it; links, invitations and credits after it.
//! Under a headline with a name these lines are left out of the comparison if they are short.

use foldhash::{HashMap, HashSet};

use super::anchors::{anchors, walk_back, walk_on};
use super::sentences::denies;
use super::synonyms::are_synonyms;
use super::title::{Title, Titles};
use super::words::{BYLINE, SHINGLE, SHORT_LINE, Word, Words, extent, has_own, has_own_number, mixed, shingles};

/// This many own words on both sides, before and after the common part, are comments on it; attributions are shorter.
const OWN_WORDS_AROUND: usize = 12;

/// The longest template with one or two blanks: weather, recalls, notices.
const LONGEST_FORM: usize = 150;

/// The longest template under a headline with the name of a person or place; a text that continues after a summary is
/// not a template.
const LONGEST_NAMED_FORM: usize = 100;

/// The most words in a row that count as reworded; more words say something else.
const REWORDED: usize = 8;

/// The most words at a summary's end, without those of the title, that may be a "continue reading" or "the post …
/// appeared first on …".
const MORE_WORDS: usize = 12;

/// A copy has a text of its own if it has this many words that the other copy lacks, such as a link blog's comment on
/// an article.
pub(super) const OWN_WORDS: usize = 40;

/// The fewest words of a text that can be recognised.
pub(super) const LEAST_TEXT: usize = 8;

/// The headlines of two entries.
pub(super) struct Headlines {
    /// How the headlines compare.
    pub titles: Titles,
    /// The words of both headlines.
    pub words: Vocabulary,
    /// Whether the headlines are the same, long, and name a person, a place or a number: templates that are filled
    /// again have headlines that are filled too.
    pub are_specific: bool,
    /// Whether the headlines are the same, and both texts repeat their words. Then the texts are
    /// about one subject.
    pub are_told: bool,
}

impl Headlines {
    /// Compares two headlines. `are_told` is whether both texts repeat what their headlines say.
    pub(super) fn of(one: &Title, other: &Title, titles: Titles, are_told: bool) -> Headlines {
        let mut words = Vocabulary::default();
        [one, other].into_iter().for_each(|title| words.add(&title.whole.words));
        let are_specific = titles == Titles::EqualTelling && one.is_specific() && other.is_specific();
        Headlines { titles, words, are_specific, are_told }
    }
}

/// The distinct words of a text. If every character is a word, pairs of characters are taken: single characters occur
/// everywhere.
#[derive(Default)]
pub(super) struct Vocabulary {
    /// The words by hash.
    pub words: HashMap<u64, Word>,
}

impl Vocabulary {
    /// Collects the distinct words.
    pub(super) fn of(words: &[Word]) -> Vocabulary {
        let mut vocabulary = Vocabulary::default();
        vocabulary.add(words);
        vocabulary
    }

    /// Adds words.
    pub(super) fn add(&mut self, words: &[Word]) {
        let mut before = None;
        for word in words {
            let pair = before.filter(|_| word.is_half).map(|before| mixed(before, word.hash));
            if !word.is_half || pair.is_some() {
                self.words.insert(pair.unwrap_or(word.hash), *word);
            }
            before = word.is_half.then_some(word.hash);
        }
    }

    /// Returns the significant words: numbers, names, and words that are not among the short ones of every sentence.
    pub(super) fn telling(&self) -> Vec<u64> {
        let telling = self.words.iter().filter(|(_, word)| word.is_telling());
        telling.map(|(hash, _)| *hash).collect()
    }

    /// Returns how many words this vocabulary has that the others lack.
    pub(super) fn extent_without(&self, others: &[&Vocabulary]) -> usize {
        let is_own = |hash: &u64| others.iter().all(|other| !other.words.contains_key(hash));
        extent(self.words.iter().filter(|(hash, _)| is_own(hash)).map(|(_, word)| word))
    }
}

/// Returns the number of words at the beginning of a text from which this summary can have been made.
pub(super) fn reach(summary: &Words) -> usize {
    summary.extent() * 5 / 4 + 30
}

/// Returns whether each text has at least `least` words that the other lacks.
pub(super) fn has_own_words(one: &Words, other: &Words, least: usize) -> bool {
    let (one, other) = (Vocabulary::of(&one.words), Vocabulary::of(&other.words));
    one.extent_without(&[&other]) >= least && other.extent_without(&[&one]) >= least
}

/// Where two texts differ, and which words are there.
#[derive(Debug, Default)]
pub(super) struct Parting {
    /// The length of the longer text, in words.
    longest: usize,
    /// The most words of a template that may have been filled under these headlines.
    longest_form: usize,
    /// The longest run of words that replaces another, inside the common part.
    longest_replaced: usize,
    /// How many runs of words replace another, inside the common part.
    pub replaced: usize,
    /// Whether words were added, cut, spelt differently or replaced by synonyms, which does not happen in a template.
    is_edited: bool,
    /// Whether only one has a word such as "not".
    pub has_denial: bool,
    /// Whether several words replace several.
    has_phrases_replaced: bool,
    /// Whether numbers replace numbers.
    pub has_numbers_replaced: bool,
    /// Whether names replace names.
    pub has_names_replaced: bool,
    /// The pairs of words that replace each other, to see whether a pair occurs twice: then a template was filled.
    replacements: HashSet<(u64, u64)>,
    is_form: bool,
    /// Whether the headlines name what they are about.
    is_specific: bool,
    /// Whether both texts begin with words that the other lacks.
    has_heads: bool,
    /// Whether both texts have numbers that the other lacks before or after the common part.
    pub has_numbers_around: bool,
    /// Where the common part begins in the shorter and in the longer text.
    pub start: (usize, usize),
    /// Where the common part ends.
    pub end: (usize, usize),
}

impl Parting {
    /// Compares two texts; `None` if they have nothing in common. Under a title whose words are in both texts, separate
    /// lines before and after the common part are bylines and dates of publishing: numbers in them do not count.
    pub(super) fn of(short: &Words, long: &Words, headlines: &Headlines) -> Option<Parting> {
        let is_telling = headlines.titles == Titles::EqualTelling;
        let anchors = without_footers(anchors(short, long), short, long);
        let (first, last) = (*anchors.first()?, *anchors.last()?);
        let (start, end) = (walk_back(short, long, first), walk_on(short, long, (last.0 + SHINGLE, last.1 + SHINGLE)));
        let (longest, is_specific) = (long.extent(), headlines.are_specific);
        let longest_form = if is_specific { LONGEST_NAMED_FORM } else { LONGEST_FORM };
        let is_told = headlines.are_told;
        let mut parting = Parting { start, end, longest, longest_form, is_specific, ..Parting::default() };
        let mut at = parting.line_starts(short, long);
        let bylines = if is_told { (short.start_behind_bylines(), long.start_behind_bylines()) } else { (0, 0) };
        let is_behind_bylines = start.0 > bylines.0 && start.1 > bylines.1;
        if is_specific && start.0 - at.0 <= BYLINE && start.1 - at.1 <= BYLINE || is_told && !is_behind_bylines {
            at = start;
        }
        for (i, j) in anchors {
            let gap = (&short.words[at.0.min(i)..i], &long.words[at.1.min(j)..j]);
            parting.see_replaced(gap);
            at = (i + SHINGLE, j + SHINGLE);
        }
        parting.see_end(&short.words[end.0..], &long.words[end.1..]);
        let (around_short, around_long) =
            if is_telling { parting.around_in_line(short, long) } else { parting.around(short, long) };
        parting.has_heads = is_behind_bylines;
        parting.has_numbers_around = has_own_number(&around_short, long) && has_own_number(&around_long, short);
        Some(parting)
    }

    /// Returns where the lines begin in which the common part begins.
    pub(super) fn line_starts(&self, short: &Words, long: &Words) -> (usize, usize) {
        (short.line_start(self.start.0), long.line_start(self.start.1))
    }

    /// Returns the words of both texts before and after the common part.
    pub(super) fn around(&self, short: &Words, long: &Words) -> (Vec<Word>, Vec<Word>) {
        let around = |words: &Words, start, end| [&words.words[..start], &words.words[end..]].concat();
        (around(short, self.start.0, self.end.0), around(long, self.start.1, self.end.1))
    }

    /// Returns the words of [`Parting::around`] that are on the same lines as the common part.
    pub(super) fn around_in_line(&self, short: &Words, long: &Words) -> (Vec<Word>, Vec<Word>) {
        let around = |words: &Words, start: usize, end: usize| {
            let (before, after) = (&words.words[..start], &words.words[end..]);
            let begins = words.line_start(start);
            let ends = after.iter().position(|word| word.begins_line).unwrap_or(after.len());
            [&before[begins..], &after[..ends]].concat()
        };
        (around(short, self.start.0, self.end.0), around(long, self.start.1, self.end.1))
    }

    /// Returns whether both have words of their own around the common part, without the words of their titles.
    pub(super) fn has_words_around(&self, short: &Words, long: &Words, titles: &Vocabulary) -> bool {
        let (mut short, mut long) = self.around(short, long);
        if self.is_specific {
            (short, long) = (without_short_lines(&short), without_short_lines(&long));
        }
        let (short, long) = (Vocabulary::of(&short), Vocabulary::of(&long));
        let has_own = |own: &Vocabulary, other| own.extent_without(&[titles, other]) >= OWN_WORDS_AROUND;
        has_own(&short, &long) && has_own(&long, &short)
    }

    /// Returns whether the replacements, in at most `places` places, may be a copy editor's work.
    pub(super) fn is_reworded(&self, may_be_reworded: bool, places: usize) -> bool {
        let most = if may_be_reworded { REWORDED } else { 0 };
        self.longest_replaced <= most
            && self.replaced <= places
            && !self.has_few_holes()
            && !self.is_form
            && (may_be_reworded || !self.has_heads)
    }

    /// Returns whether so little was replaced that a template may have been filled: words in one place, or phrases in
    /// one of two places. A copy editor works in more places, word by word.
    pub(super) fn has_few_holes(&self) -> bool {
        let most = if self.has_phrases_replaced { 2 } else { 1 };
        (1..=most).contains(&self.replaced) && !self.is_edited && self.longest < self.longest_form
    }

    /// Takes into account the ends after the last shared shingle, if their lines end in the same word. The lines after
    /// these are footers, which differ between sites.
    pub(super) fn see_end(&mut self, short: &[Word], long: &[Word]) {
        let in_line = |words: &[Word]| words.iter().position(|word| word.begins_line).unwrap_or(words.len());
        let (short, long) = (&short[..in_line(short)], &long[..in_line(long)]);
        if let (Some(one), Some(other)) = (short.last(), long.last())
            && one.is_spelt_as(*other)
        {
            self.see_replaced((short, long));
        }
    }

    /// Takes into account a gap between two shared shingles. Words that only one text has there were added or cut; by
    /// an editor, if no line begins there.
    pub(super) fn see_replaced(&mut self, (short, long): (&[Word], &[Word])) {
        let mut same = |(one, other): &(&Word, &Word)| {
            let is_respelt = one.hash != other.hash && one.is_spelt_as(**other);
            self.is_edited |= is_respelt;
            is_respelt || one.hash == other.hash
        };
        let front = short.iter().zip(long).take_while(&mut same).count();
        let (short, long) = (&short[front..], &long[front..]);
        let back = short.iter().rev().zip(long.iter().rev()).take_while(&mut same).count();
        let (short, long) = (&short[..short.len() - back], &long[..long.len() - back]);
        if short.is_empty() || long.is_empty() {
            self.is_edited |= short.len() != long.len() && short.iter().chain(long).all(|word| !word.begins_line);
            // A sentence that was added may deny anything.
            self.has_denial |= short.len().max(long.len()) <= 2 && denies(short) != denies(long);
            return;
        }
        if are_synonyms(short, long) {
            self.is_edited = true;
            return;
        }
        let both = |is: fn(&Word) -> bool| {
            let own = |one: &[Word], other: &[Word]| has_own(one.iter().filter(|word| is(word)), other);
            own(short, long) && own(long, short)
        };
        self.replaced += 1;
        let hash = |words: &[Word]| words.iter().fold(0, |hash, word| mixed(hash, word.hash));
        self.is_form |= !self.replacements.insert((hash(short), hash(long)));
        self.longest_replaced = self.longest_replaced.max(extent(short)).max(extent(long));
        self.has_phrases_replaced |= extent(short).min(extent(long)) >= 2;
        self.has_numbers_replaced |= both(|word| word.is_number);
        self.has_names_replaced |= both(|word| word.is_name);
    }

    /// Returns how much of the shorter text is in the longer one's beginning, without its own "continue reading" and
    /// byline; 0 to 1.
    pub(super) fn share_of_beginning(&self, short: &Words, long: &Words, titles: &Vocabulary) -> f64 {
        let behind = &short.words[self.end.0..];
        let in_line = behind.iter().position(|word| word.begins_line).unwrap_or(behind.len());
        // The lines after the common part are a footer as far as they are short.
        let more = [&behind[..in_line], &without_short_lines(&behind[in_line..])].concat();
        let more = Vocabulary::of(&more).extent_without(&[titles]);
        let end = if more <= MORE_WORDS { self.end.0 } else { short.words.len() };
        let start = if self.start.0 <= BYLINE { self.start.0 } else { 0 };
        let kept = &short.words[start..end];
        let own: HashSet<u64> = shingles(kept).collect();
        let others: HashSet<u64> = shingles(long.beginning(reach(short))).collect();
        if extent(kept) < LEAST_TEXT || self.end.1 > long.beginning(reach(short)).len() {
            return 0.0;
        }
        own.intersection(&others).count() as f64 / own.len().max(1) as f64
    }
}

/// Returns the places without those in the footers of one of the texts, if there are others: two sites end in the same
/// phrases.
fn without_footers(mut places: Vec<(usize, usize)>, short: &Words, long: &Words) -> Vec<(usize, usize)> {
    let ends = (short.end_before_footers(), long.end_before_footers());
    let in_text = places.partition_point(|(i, j)| *i < ends.0 && *j < ends.1);
    if in_text > 0 {
        places.truncate(in_text);
    }
    places
}

/// Returns the words without short lines, which say nothing about the story.
pub(super) fn without_short_lines(words: &[Word]) -> Vec<Word> {
    let lines = words.chunk_by(|_, next| !next.begins_line);
    lines.filter(|line| extent(*line) > SHORT_LINE).flatten().copied().collect()
}
