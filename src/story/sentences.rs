//! The sentences of a text, and how one sentence differs from another.
//!
//! A copy editor replaces words, and adds or cuts some. Another event in the same words has other numbers, names or
//! weekdays, or a "not".

use std::sync::LazyLock;

use foldhash::{HashMap, HashSet};

use super::dates;
use super::spelling::hash_of;
use super::synonyms::are_synonyms;
use super::words::{Word, extent, has_own, mixed};

/// Shorter pieces between two points are not sentences: what is left of an abbreviation, or before a "read more".
const LEAST_SENTENCE: usize = 4;

/// The most words of an agency's mark and a dateline.
const MARK: usize = 9;

/// The most words that deny a sentence when they are added to it. An editor may leave out a longer part of a sentence,
/// even one with a "not".
const LONGEST_DENIAL: usize = 4;

/// More words in a row that replace others make another sentence.
const REWORDED: usize = 8;

/// Words that deny what a sentence says. Not those of languages that put them into every second sentence.
const NEGATIONS: &str = "not no never cannot nicht kein keine keinen nie pas jamais aucun aucune no nunca ningún ninguna \
                         non mai nessun nessuna não nem niet geen nie nigdy żaden не нет никогда لم لن ليس ليست 不 没 未";

static NEGATION_HASHES: LazyLock<HashSet<u64>> = LazyLock::new(|| NEGATIONS.split_whitespace().map(hash_of).collect());

/// The second character of a Japanese weekday.
static WEEKDAY: LazyLock<u64> = LazyLock::new(|| hash_of("曜"));

/// How a text has a sentence of another text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Had {
    /// Word for word.
    Same,
    /// In other words.
    Edited,
    /// As an opening that an editor rewrote: it says the same in other sentences.
    Retold,
    /// With other facts.
    Contradicted,
    /// Not at all.
    #[default]
    Not,
}

/// Returns whether one of the words denies what a sentence says.
pub(super) fn denies(words: &[Word]) -> bool {
    words.iter().any(|word| NEGATION_HASHES.contains(&word.hash))
}

/// Returns whether `one` denies what `other` says: it has a "not", and the other has no words in this place, or a form of
/// the same word, as in "did not approve" and "approved". An editor may replace "did not stand" by "lay".
fn is_denied(one: &[Word], other: &[Word]) -> bool {
    let are_forms = |one: &Word, other: &Word| one.is_telling() && (one.may_begin(*other) || other.may_begin(*one));
    let is_kin = |word: &Word| other.iter().any(|other| other.is_telling() && are_forms(word, other));
    denies(one) && !denies(other) && (other.is_empty() && extent(one) <= LONGEST_DENIAL || one.iter().any(is_kin))
}

/// Splits words into sentences.
pub(super) fn sentences(words: &[Word]) -> Vec<&[Word]> {
    let mut ranges: Vec<(usize, usize)> = Vec::new();
    let pieces = words.chunk_by(|_, next| !next.begins_sentence && !next.begins_line);
    for piece in pieces {
        let start = ranges.last().map_or(0, |last| last.1);
        let is_rest = !piece[0].begins_line && extent(piece) < LEAST_SENTENCE;
        match ranges.last_mut() {
            Some(last) if is_rest => last.1 += piece.len(),
            _ => ranges.push((start, start + piece.len())),
        }
    }
    ranges.into_iter().map(|(start, end)| &words[start..end]).collect()
}

/// Returns how much words say, in quarters of a word: names, numbers and long words say twice as much as others.
pub(super) fn weight<'w>(words: impl IntoIterator<Item = &'w Word>) -> usize {
    let weight = |word: &Word| if word.is_half { 1 } else { 2 } * if word.is_telling() { 2 } else { 1 };
    words.into_iter().map(weight).sum()
}

/// Returns a hash of the words in their order.
pub(super) fn hash(words: &[Word]) -> u64 {
    words.iter().fold(7, |hash, word| mixed(hash, word.hash))
}

/// Returns two openings from where both are the same, without the agency's mark, the dateline or the "from The Post:"
/// before it.
pub(super) fn without_marks<'w>(one: &'w [Word], other: &'w [Word]) -> (&'w [Word], &'w [Word]) {
    let starts = |words: &'w [Word]| {
        let starts = (0..words.len()).filter(|at| *at == 0 || words[*at].is_behind_mark || words[*at].is_behind_comma);
        starts.take_while(|at| extent(&words[..*at]) <= MARK).collect::<Vec<_>>()
    };
    // A comma ends a mark only if the other has none.
    let is_mark = |words: &[Word], start: usize| start == 0 || words[start].is_behind_mark;
    let may_be = |(i, j): &(usize, usize)| *i == 0 || *j == 0 || is_mark(one, *i) && is_mark(other, *j);
    let is_same = |(i, j): &(usize, usize)| {
        let first = one[*i..].iter().zip(&other[*j..]).take(4);
        first.filter(|(one, other)| one.hash == other.hash).count() >= 3
    };
    let others = starts(other);
    let pairs = starts(one).into_iter().flat_map(|i| others.iter().map(move |j| (i, *j)));
    let start = pairs.filter(may_be).filter(is_same).min_by_key(|(i, j)| i + j).unwrap_or((0, 0));
    (&one[start.0..], &other[start.1..])
}

/// How two sentences differ.
#[derive(Clone, Debug, Default)]
pub(super) struct SentenceDifference {
    /// How the one has the other.
    pub had: Had,
    /// The weight of the words that they have in common, in one order.
    pub common: usize,
    /// In how many places words replace words, and how many words.
    pub reworded: (usize, usize),
    /// The words that replace each other, even if they are one word in two spellings, or synonyms.
    pub replaced: Vec<(Vec<Word>, Vec<Word>)>,
    longest: usize,
    /// Whether the two have different numbers or weekdays, or one has a "not".
    pub has_other_facts: bool,
    /// Whether words with a capital replace such words.
    pub has_other_names: bool,
}

impl SentenceDifference {
    /// Compares two sentences. `names` are the words that have a capital within a sentence somewhere.
    pub(super) fn of(one: &[Word], other: &[Word], names: &HashSet<u64>) -> SentenceDifference {
        let mut difference = SentenceDifference::default();
        let own = |own: &[Word], others: &[Word]| {
            let others: HashSet<u64> = others.iter().map(|word| word.hash).collect();
            own.iter().filter(|word| !others.contains(&word.hash)).copied().collect::<Vec<_>>()
        };
        let (ones, others) = (own(one, other), own(other, one));
        let mut swapped = dates::replaced_by_weekday(&ones, &others);
        if swapped.is_empty() && one.iter().any(|word| word.is_half) {
            // Characters such as 日 and 一 are in dates, and also in other words that both sentences have.
            swapped = dates::replaced_by_weekday(one, other);
        }
        let kept =
            |words: Vec<Word>| words.into_iter().filter(|word| !swapped.contains(&word.hash)).collect::<Vec<_>>();
        let (ones, others) = (kept(ones), kept(others));
        let has_number = |words: &[Word]| words.iter().any(|word| word.is_number);
        difference.has_other_facts = has_number(&ones) && has_number(&others);
        let pairs = in_common(one, other);
        difference.common = weight(pairs.iter().map(|(i, _)| &one[*i]));
        let mut at = (0, 0);
        for (i, j) in pairs.into_iter().chain([(one.len(), other.len())]) {
            let is_weekday = one.get(i).is_some_and(|word| word.hash == *WEEKDAY);
            let gap = |words: &[Word]| kept(words.to_vec());
            difference.see_gap(&gap(&one[at.0..i]), &gap(&other[at.1..j]), (&ones, &others), names, is_weekday);
            at = (i + 1, j + 1);
        }
        difference.had = difference.judged(weight(one), weight(other));
        difference
    }

    /// Takes into account words that replace others.
    fn see_gap(
        &mut self,
        one: &[Word],
        other: &[Word],
        (ones, others): (&[Word], &[Word]),
        names: &HashSet<u64>,
        is_weekday: bool,
    ) {
        self.has_other_facts |= is_denied(one, other) || is_denied(other, one);
        if one.is_empty() || other.is_empty() {
            return;
        }
        self.replaced.push((one.to_vec(), other.to_vec()));
        let is_respelt = matches!((one, other), ([one], [other]) if one.is_spelt_as(*other));
        if is_respelt || are_synonyms(one, other) {
            return;
        }
        let has_name = |words: &[Word], own: &[Word]| {
            let is_name = |word: &Word| names.contains(&word.hash) && own.iter().any(|own| own.hash == word.hash);
            words.iter().any(is_name)
        };
        let has_number = |words: &[Word], others: &[Word]| has_own(words.iter().filter(|word| word.is_number), others);
        self.has_other_facts |= is_weekday || has_number(one, other) && has_number(other, one);
        self.has_other_names |= has_name(one, ones) && has_name(other, others);
        let words = extent(one).max(extent(other));
        self.reworded.0 += 1;
        self.reworded.1 += words;
        self.longest = self.longest.max(words);
    }

    fn judged(&self, one: usize, other: usize) -> Had {
        if self.common * 2 < one.max(other) || self.common * 5 < one.min(other) * 3 || self.longest > REWORDED {
            Had::Not
        } else if self.has_other_facts || self.has_other_names {
            Had::Contradicted
        } else {
            Had::Edited
        }
    }
}

/// Returns the places of a longest common subsequence of words.
fn in_common(one: &[Word], other: &[Word]) -> Vec<(usize, usize)> {
    let is_same = |(one, other): &(&Word, &Word)| one.hash == other.hash;
    let front = one.iter().zip(other).take_while(is_same).count();
    let back = one[front..].iter().rev().zip(other[front..].iter().rev()).take_while(is_same).count();
    let (short, long) = (&one[front..one.len() - back], &other[front..other.len() - back]);
    let width = long.len() + 1;
    let mut lengths = vec![0u16; (short.len() + 1) * width];
    for i in (0..short.len()).rev() {
        for j in (0..long.len()).rev() {
            lengths[i * width + j] = if short[i].hash == long[j].hash {
                lengths[(i + 1) * width + j + 1] + 1
            } else {
                lengths[(i + 1) * width + j].max(lengths[i * width + j + 1])
            };
        }
    }
    let mut pairs: Vec<_> = (0..front).map(|at| (at, at)).collect();
    let (mut i, mut j) = (0, 0);
    while i < short.len() && j < long.len() {
        if short[i].hash == long[j].hash {
            pairs.push((front + i, front + j));
            (i, j) = (i + 1, j + 1);
        } else if lengths[(i + 1) * width + j] >= lengths[i * width + j + 1] {
            i += 1;
        } else {
            j += 1;
        }
    }
    pairs.extend((0..back).map(|at| (one.len() - back + at, other.len() - back + at)));
    pairs
}

/// Where the pairs of adjacent words of some sentences are, to find the sentence that is most like another.
pub(super) struct Index {
    whole: HashMap<u64, Vec<usize>>,
    pairs: HashMap<u64, Vec<usize>>,
}

impl Index {
    /// The most sentences that are found by a pair: more have a phrase in common that everyone uses.
    const MOST: usize = 8;

    /// Indexes sentences.
    pub(super) fn of(sentences: &[&[Word]]) -> Index {
        let mut index = Index { whole: HashMap::default(), pairs: HashMap::default() };
        for (at, sentence) in sentences.iter().enumerate() {
            index.whole.entry(hash(sentence)).or_default().push(at);
            for pair in pairs(sentence) {
                let places = index.pairs.entry(pair).or_default();
                if places.len() < Index::MOST && places.last() != Some(&at) {
                    places.push(at);
                }
            }
        }
        index
    }

    /// Returns the sentences that are the same as this one.
    pub(super) fn same(&self, sentence: &[Word]) -> &[usize] {
        self.whole.get(&hash(sentence)).map_or(&[], Vec::as_slice)
    }

    /// Returns the few sentences that have most pairs of words in common with this one.
    pub(super) fn like(&self, sentence: &[Word]) -> Vec<usize> {
        let mut votes = HashMap::<usize, usize>::default();
        for place in pairs(sentence).filter_map(|pair| self.pairs.get(&pair)).flatten() {
            *votes.entry(*place).or_default() += 1;
        }
        let mut votes: Vec<_> = votes.into_iter().collect();
        votes.sort_unstable_by_key(|(place, votes)| (std::cmp::Reverse(*votes), *place));
        votes.into_iter().take(3).map(|(place, _)| place).collect()
    }
}

fn pairs(words: &[Word]) -> impl Iterator<Item = u64> {
    words.windows(2).map(|pair| mixed(pair[0].hash, pair[1].hash))
}
