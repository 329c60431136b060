//! How much of a text another text has, sentence by sentence, in any order.
//!
//! A copy may cut, add and move sentences, and an editor may reword some. A follow-up repeats sentences of the first
//! report, but begins with what is new. A form that is filled again has the same sentences with other facts.

use std::ops::Range;

use foldhash::HashSet;

use super::dates;
use super::evidence::{EDITS, EVIDENCE, EXACT, InCommon, LEAST_FACTS, LONG_TEXT, MANY_FACTS, TEXT, WHOLE};
use super::parting::Vocabulary;
use super::related;
use super::sentences::{Had, Index, SentenceDifference, hash, sentences, weight, without_marks};
use super::title::Titles;
use super::words::{BYLINE, Word, Words, extent};

/// The most words of a line before a text that the other lacks and that is no part of it.
const HEADER: usize = 10;

/// The most words of all these lines before a text. Several sentences before a text are the news of a follow-up.
const HEADERS: usize = 16;

/// The most words of a line after a text that the other lacks and that is no part of it.
const FOOTER: usize = 13;

/// The most words of all these lines after a text.
const FOOTERS: usize = 40;

/// Longer sentences are not compared word by word.
const LONGEST_SENTENCE: usize = 150;

/// A text that was cut ends with at least this many words of a sentence.
const LEAST_CUT: usize = 4;

/// This many own words at the ends of both texts are comments on what they have in common.
const COMMENT: usize = 12;

/// The same for texts under one headline, or with much else in common.
const LONG_COMMENT: usize = 25;

/// The longest form with one or two blanks: traffic, recalls, notices.
const LONGEST_FORM: usize = 150;

/// The most places in which such a form is filled.
const FEW_HOLES: usize = 2;

/// An opening says the same as another that has this share of its numbers, names and longer words. Openings of different
/// articles under one headline, such as two columns, have hardly any in common.
const RETOLD: f64 = 0.3;

/// The share under different headlines.
const RETOLD_UNDER_ANY_HEADLINE: f64 = 0.5;

/// The share of the longer opening's words under different headlines. A follow-up repeats some names, but its opening
/// says more than that.
const RETOLD_OF_LONGER: f64 = 0.4;

/// The fewest words that two texts with such openings have in common after them.
const LEAST_KEPT: usize = 8;

/// The fewest words that two texts have in common if one names the other as its source.
const LEAST_CREDITED: usize = 8;

/// How much of each of two texts the other has.
#[derive(Clone, Debug, Default)]
pub(super) struct Coverage {
    /// The shorter text and the longer one.
    pub sides: [Covered; 2],
    /// The words of the shorter one's sentences that the other has with other numbers.
    pub contradicted: usize,
    /// The words of those that the other has with other words with a capital.
    pub renamed: usize,
    /// Whether every noun has a capital, as in German.
    pub is_noun_cased: bool,
    /// How many sentences are the same in both.
    pub same: usize,
    /// In how many places words replace words in sentences that both have, and how many words.
    pub reworded: (usize, usize),
    /// Whether one word replaces another in two places, or the words that replace each other are in the titles: a form
    /// was filled twice.
    pub is_form: bool,
    /// How many different numbers and names are in the words that both have.
    pub facts: usize,
    /// Whether the script has no capitals, so that names are not seen.
    pub is_caseless: bool,
    /// Which share of the telling words of the shorter of two different openings the other opening has, 0 to 1; 0 if both
    /// have numbers that the other text lacks.
    pub retold: f64,
    /// Which share of the telling words of the longer opening the shorter one has, 0 to 1.
    pub retold_of_longer: f64,
}

/// How much of a text another has. Lines before and after the text that only it has do not count.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Covered {
    /// How much the text says, and how much of this the other has.
    pub weight: (usize, usize),
    /// How many words it has, and how many of these the other has.
    pub words: (usize, usize),
    /// How many words its opening has, if the other says the same in another opening.
    pub retold: usize,
    /// How the other has its first sentence.
    pub opening: Option<Had>,
    /// How many words are after the last sentence that the other has.
    pub tail: usize,
}

impl Covered {
    /// Returns which share of the text the other has, 0 to 1.
    pub(super) fn share(&self) -> f64 {
        self.weight.1 as f64 / self.weight.0.max(1) as f64
    }
}

/// A text, and how another has its sentences.
struct Side<'w> {
    sentences: Vec<&'w [Word]>,
    had: Vec<Had>,
}

impl<'w> Side<'w> {
    fn of(words: &'w Words) -> Side<'w> {
        let sentences = sentences(&words.words);
        Side { had: vec![Had::Not; sentences.len()], sentences }
    }

    /// Returns whether nothing of the text is after a sentence, so that it may have been cut there.
    fn is_last(&self, at: usize) -> bool {
        let behind = &self.sentences[at + 1..];
        behind.len() <= FOOTERS / LEAST_CUT && behind.iter().all(|sentence| extent(*sentence) <= FOOTER)
    }

    /// Returns the sentences that belong to the text: without lines before and after it that the other lacks.
    fn content(&self, others: &HashSet<u64>) -> Range<usize> {
        let is_own = |at: &usize| self.had[*at] == Had::Not;
        let has_own_number =
            |at: usize| self.sentences[at].iter().any(|word| word.is_number && !others.contains(&word.hash));
        let ends_line = |at: usize| self.sentences.get(at + 1).is_none_or(|next| next[0].begins_line);
        let is_header = |at: &usize| {
            let words = extent(self.sentences[*at]);
            words <= BYLINE || words <= HEADER && ends_line(*at) && !has_own_number(*at)
        };
        let mut before = 0;
        let is_before = |at: &usize| {
            before += extent(self.sentences[*at]);
            before <= HEADERS && is_own(at) && is_header(at)
        };
        let start = (0..self.had.len()).take_while(is_before).count();
        let start = self.without_sentences(start);
        let (mut end, mut line, mut words) = (self.had.len(), 0, 0);
        for at in (start..self.had.len()).rev().take_while(is_own) {
            line += extent(self.sentences[at]);
            words += extent(self.sentences[at]);
            if line > FOOTER || words > FOOTERS || has_own_number(at) {
                break;
            }
            if self.sentences[at][0].begins_line {
                (end, line) = (at, 0);
            }
        }
        start..end
    }

    /// Returns the first sentences of the text, as far as the other lacks them.
    fn own_opening(&self, others: &HashSet<u64>) -> Range<usize> {
        let content = self.content(others);
        let own = content.clone().take_while(|at| self.had[*at] == Had::Not).count();
        content.start..content.start + own
    }

    fn words_of(&self, sentences: &Range<usize>) -> Vec<Word> {
        self.sentences[sentences.clone()].iter().copied().flatten().copied().collect()
    }

    /// Returns how many of the first `headers` sentences are before the text. Two sentences on one line that are longer
    /// than a byline are no header: a follow-up begins with them.
    fn without_sentences(&self, headers: usize) -> usize {
        let line_of = |at: usize| (0..=at).rev().find(|at| self.sentences[*at][0].begins_line).unwrap_or(0);
        let is_text = |at: &usize| {
            let line = line_of(*at);
            let words = extent(self.sentences[line..=*at].iter().copied().flatten());
            *at > line && words > BYLINE
        };
        (0..headers).find(is_text).map_or(headers, line_of)
    }

    fn covered(&self, others: &HashSet<u64>) -> Covered {
        let content = self.content(others);
        let opening = self.had.get(content.start).copied();
        let mut covered = Covered { opening, ..Covered::default() };
        for at in content {
            let (weight, words) = (weight(self.sentences[at]), extent(self.sentences[at]));
            covered.weight.0 += weight;
            covered.words.0 += words;
            if self.had[at] <= Had::Retold {
                covered.weight.1 += weight;
                if self.had[at] == Had::Retold {
                    covered.retold += words;
                } else {
                    covered.words.1 += words;
                }
                covered.tail = 0;
            } else {
                covered.tail += words;
            }
        }
        covered
    }
}

/// Compares two texts; `titles` are the words of their titles.
pub(super) fn coverage(short: &Words, long: &Words, titles: [&Words; 2]) -> Coverage {
    let (short, long) = dates::unified(short, long);
    let (short, long) = (&related::without_list(short), &related::without_list(long));
    let names = NameWords::of([short, long, titles[0], titles[1]]);
    let (mut one, mut other) = (Side::of(short), Side::of(long));
    let index = Index::of(&other.sentences);
    let (mut coverage, mut facts) = (Coverage::default(), HashSet::default());
    let mut replaced = Replaced::of(titles);
    for at in 0..one.sentences.len() {
        let sentence = one.sentences[at];
        let same = index.same(sentence);
        if !same.is_empty() {
            one.had[at] = Had::Same;
            // All of them, once: a text may repeat a sentence very often.
            if other.had[same[0]] != Had::Same {
                same.iter().for_each(|at| other.had[*at] = Had::Same);
            }
            coverage.same += 1;
            facts.extend(sentence.iter().filter(|word| names.is_fact(word)).map(|word| word.hash));
            continue;
        }
        let like = index.like(sentence).into_iter();
        let differences = like.map(|place| (place, difference((&one, at), (&other, place), &names.all)));
        let Some((place, found)) = differences.min_by_key(|(_, found)| (found.had, std::cmp::Reverse(found.common)))
        else {
            continue;
        };
        let had = found.had;
        one.had[at] = had;
        other.had[place] = other.had[place].min(had);
        if had == Had::Edited {
            coverage.reworded.0 += found.reworded.0;
            coverage.reworded.1 += found.reworded.1;
            coverage.is_form |= found.replaced.iter().any(|(one, other)| replaced.fills_form(one, other));
            let others: HashSet<u64> = other.sentences[place].iter().map(|word| word.hash).collect();
            let shared = sentence.iter().filter(|word| others.contains(&word.hash) && names.is_fact(word));
            facts.extend(shared.map(|word| word.hash));
        } else if had == Had::Contradicted {
            let words = if found.has_other_facts { &mut coverage.contradicted } else { &mut coverage.renamed };
            *words += extent(sentence);
        }
    }
    coverage.is_noun_cased = names.is_noun_cased;
    coverage.is_caseless = long.words.iter().filter(|word| word.is_cased).count() * 2 < long.words.len();
    let hashes = [short.hashes(), long.hashes()];
    (coverage.retold, coverage.retold_of_longer) =
        mark_retold((&mut one, &hashes[0]), (&mut other, &hashes[1]), &names, &mut facts);
    coverage.facts = facts.len();
    coverage.sides = [one.covered(&hashes[1]), other.covered(&hashes[0])];
    coverage
}

/// Marks the openings of two texts as retold if both texts lack the opening of the other, but say the same in it, and
/// collects the facts that both openings have. Returns what [`retold`] returns.
fn mark_retold(
    (one, own): (&mut Side, &HashSet<u64>),
    (other, others): (&mut Side, &HashSet<u64>),
    names: &NameWords,
    facts: &mut HashSet<u64>,
) -> (f64, f64) {
    let openings = [one.own_opening(others), other.own_opening(own)];
    let words = [one.words_of(&openings[0]), other.words_of(&openings[1])];
    let shares = retold((&words[0], own), (&words[1], others));
    if shares.0 >= RETOLD {
        let in_other: HashSet<u64> = words[1].iter().map(|word| word.hash).collect();
        let shared = words[0].iter().filter(|word| in_other.contains(&word.hash) && names.is_fact(word));
        facts.extend(shared.map(|word| word.hash));
        one.had[openings[0].clone()].fill(Had::Retold);
        other.had[openings[1].clone()].fill(Had::Retold);
    }
    shares
}

/// Returns which share of the telling words of two openings is in both: of those of the shorter opening, and of those
/// of the longer one. Both are 0 if each opening has a number that the other text lacks. An editor who writes a new first
/// sentence says the same in it.
fn retold((one, own): (&[Word], &HashSet<u64>), (other, others): (&[Word], &HashSet<u64>)) -> (f64, f64) {
    let swapped = dates::replaced_by_weekday(one, other);
    let kept = |words: &[Word]| words.iter().filter(|word| !swapped.contains(&word.hash)).copied().collect::<Vec<_>>();
    let (one, other) = (kept(one), kept(other));
    let is_own_number = |word: &Word, others: &HashSet<u64>| word.is_number && !others.contains(&word.hash);
    if one.iter().any(|word| is_own_number(word, others)) && other.iter().any(|word| is_own_number(word, own)) {
        return (0.0, 0.0);
    }
    let telling = |words: &[Word]| -> HashSet<u64> { Vocabulary::of(words).telling().into_iter().collect() };
    let (one, other) = (telling(&one), telling(&other));
    let share_of = |words: usize| one.intersection(&other).count() as f64 / words.max(1) as f64;
    (share_of(one.len().min(other.len())), share_of(one.len().max(other.len())))
}

/// The words that replace each other in two texts.
struct Replaced {
    seen: HashSet<(u64, u64)>,
    /// The words of the titles that the other title lacks.
    own: [HashSet<u64>; 2],
}

impl Replaced {
    fn of(titles: [&Words; 2]) -> Replaced {
        let [one, other] = titles.map(Words::hashes);
        let without = |words: &HashSet<u64>, others: &HashSet<u64>| words.difference(others).copied().collect();
        Replaced { seen: HashSet::default(), own: [without(&one, &other), without(&other, &one)] }
    }

    /// Takes into account words that replace others. Returns whether they fill a form: they did so before, or both are
    /// what their titles are about.
    fn fills_form(&mut self, one: &[Word], other: &[Word]) -> bool {
        let is_titles = |words: &[Word], own: &HashSet<u64>| words.iter().any(|word| own.contains(&word.hash));
        let is_repeated = !self.seen.insert((hash(one), hash(other)));
        is_repeated || is_titles(one, &self.own[0]) && is_titles(other, &self.own[1])
    }
}

/// The words that have a capital within a sentence somewhere in two entries.
struct NameWords {
    /// The words that another name replaces if the event is another one. Where every noun has a capital, as in German,
    /// these are only the words behind another noun: "Frau Hill", "Verein Hafen". Other nouns may be replaced by an editor.
    all: HashSet<u64>,
    /// Those that say who or where: not articles, and none where every noun has a capital.
    telling: HashSet<u64>,
    is_noun_cased: bool,
}

impl NameWords {
    fn of(texts: [&Words; 4]) -> NameWords {
        let names = || texts.iter().flat_map(|words| &words.words).filter(|word| word.is_name);
        let words = texts[..2].iter().map(|words| words.words.len()).sum::<usize>();
        let is_noun_cased =
            texts[..2].iter().flat_map(|words| &words.words).filter(|word| word.is_name).count() * 5 > words;
        let telling = names().filter(|word| word.is_long() && !is_noun_cased).map(|word| word.hash).collect();
        let pairs = texts.iter().flat_map(|words| words.words.windows(2));
        let behind = pairs.filter(|pair| pair[0].is_name && pair[1].is_name).map(|pair| pair[1].hash);
        let all = if is_noun_cased { behind.collect() } else { names().map(|word| word.hash).collect() };
        NameWords { all, telling, is_noun_cased }
    }

    /// Returns whether a word is a number or says who or where.
    fn is_fact(&self, word: &Word) -> bool {
        word.is_number || self.telling.contains(&word.hash)
    }
}

/// Compares two sentences. The opening is compared without its marks, and a sentence that was cut with the beginning of
/// the whole one.
fn difference((one, at): (&Side, usize), (other, place): (&Side, usize), names: &HashSet<u64>) -> SentenceDifference {
    let (mut own, mut others) = (one.sentences[at], other.sentences[place]);
    if own.len() > LONGEST_SENTENCE || others.len() > LONGEST_SENTENCE {
        return SentenceDifference::default();
    }
    if at <= 3 && place <= 3 && one.had[..at].iter().all(|had| *had == Had::Not) {
        (own, others) = without_marks(own, others);
    }
    let shared = own.iter().zip(others).take_while(|(own, other)| own.hash == other.hash).count();
    // A "read more" may follow on the same line.
    let is_more = |rest: &[Word]| rest.first().is_none_or(|word| word.begins_sentence) && extent(rest) < LEAST_CUT;
    let is_cut = |cut: &[Word], whole: &[Word]| {
        let rest = &cut[shared..];
        let may_be_cut = || whole.get(shared).is_some_and(|word| rest[0].may_begin(*word));
        is_more(rest) || may_be_cut() && is_more(&rest[1..])
    };
    if extent(&own[..shared]) >= LEAST_CUT
        && (one.is_last(at) && is_cut(own, others) || other.is_last(place) && is_cut(others, own))
    {
        (own, others) = (&own[..shared], &others[..shared]);
    }
    SentenceDifference::of(own, others, names)
}

impl Coverage {
    /// Returns what the texts have in common, under headlines that compare like this.
    fn in_common(&self, titles: Titles, are_told: [bool; 2]) -> InCommon {
        let short = self.sides[0];
        InCommon {
            titles,
            told: are_told.into_iter().filter(|is_told| *is_told).count(),
            share: short.share(),
            // A rewritten opening counts by the share of its words that the other opening has.
            words: short.words.1 + (short.retold as f64 * self.retold) as usize,
            missing: short.words.0 - short.words.1 - short.retold,
            facts: self.facts,
            // In a script without capitals, only numbers are seen. A report has as many names as numbers.
            likely_facts: if self.is_caseless { 2 * self.facts } else { self.facts },
            is_kept: self.reworded.0 == 0,
            is_whole: self.is_whole(),
            is_exact: self.sides.iter().all(|side| side.share() >= EXACT && side.retold == 0),
        }
    }

    /// Returns whether each has nearly all of the other.
    pub(super) fn is_whole(&self) -> bool {
        self.sides.iter().all(|side| side.share() >= WHOLE)
    }

    /// Returns whether the shorter text is in the other, whatever the headlines are.
    pub(super) fn is_one_text(&self) -> bool {
        self.is_open() && self.sides[0].share() >= TEXT && self.is_consistent()
    }

    /// Returns whether one of the texts has sentences of the other, but with other numbers, or its opening with other
    /// names.
    pub(super) fn has_other_facts(&self) -> bool {
        self.contradicted > 0 || self.sides.iter().any(|side| side.opening == Some(Had::Contradicted))
    }

    /// Returns whether both have the same opening with other facts, and little else in common.
    pub(super) fn is_filled_again(&self) -> bool {
        self.sides.iter().all(|side| side.opening == Some(Had::Contradicted) && side.share() < 0.5)
    }

    /// Returns whether one of the texts has the opening of the other.
    pub(super) fn has_opening(&self) -> bool {
        self.sides.iter().any(|side| side.opening.is_some_and(|had| had <= Had::Edited))
    }

    /// Returns whether each text has the opening of the other. A follow-up begins with what is new.
    fn is_open(&self) -> bool {
        self.sides.iter().all(|side| side.opening.is_some_and(|had| had <= Had::Edited))
    }

    /// Returns whether an editor wrote a new opening that says the same, and kept the rest. A follow-up begins with what
    /// is new, and two comments on one press release say different things. Under different headlines, the openings must
    /// have more in common.
    fn is_retold(&self, common: &InCommon) -> bool {
        let is_retold = |side: &Covered| side.opening.is_some_and(|had| had <= Had::Retold);
        let is_about_one = common.titles.are_same()
            || self.retold >= RETOLD_UNDER_ANY_HEADLINE && self.retold_of_longer >= RETOLD_OF_LONGER;
        is_about_one && !self.is_form && self.sides[0].words.1 >= LEAST_KEPT && self.sides.iter().all(is_retold)
    }

    /// Returns which share of the shorter text the other has, if the two are one text, under headlines that compare
    /// like this. `are_told` is which of them say what the text says.
    pub(super) fn score(&self, titles: Titles, are_told: [bool; 2]) -> Option<f64> {
        let common = self.in_common(titles, are_told);
        let is_enough = EVIDENCE.iter().any(|needed| needed.is_met(&common));
        let is_one = (self.is_open() || self.is_retold(&common))
            && is_enough
            && self.is_reworded(&common)
            && self.is_consistent()
            && !self.has_comments(&common);
        is_one.then(|| self.sides[0].share())
    }

    /// Returns which share of the shorter text the other has, if the two are one text of which one entry names the
    /// publication of the other as its source. Then the opening and half of the shorter text suffice, whatever the
    /// headlines are. A form that names its source, such as a weather report, has other facts when it is filled again.
    pub(super) fn credited_score(&self) -> Option<f64> {
        let short = self.sides[0];
        let has_comments = self.sides.iter().all(|side| side.tail >= LONG_COMMENT);
        let is_one = self.is_open()
            && short.share() >= 0.5
            && short.words.1 >= LEAST_CREDITED
            && !self.is_form
            && self.is_consistent()
            && !has_comments;
        is_one.then(|| short.share())
    }

    /// Returns whether both end in words of their own, such as two blogs' comments on a press release. Under one
    /// headline, or headlines that say what the text says, an article may be cut and continued on each side.
    fn has_comments(&self, common: &InCommon) -> bool {
        let is_story = common.titles.are_same() || common.told == 2 || self.facts >= MANY_FACTS;
        let least = if is_story { LONG_COMMENT } else { COMMENT };
        self.sides.iter().all(|side| side.tail >= least)
    }

    /// Returns whether an editor may have replaced the words that differ. A form that is filled again has other words in
    /// one or two places, "northbound" and "southbound"; an editor works in more, or in a long text. Forms have few
    /// numbers and names that stay the same.
    fn is_reworded(&self, common: &InCommon) -> bool {
        let [short, _] = self.sides;
        let least_facts = match common.titles {
            Titles::EqualTelling if common.told == 2 => usize::from(common.is_whole),
            Titles::EqualTelling | Titles::Equal => 2,
            _ if common.told == 2 => 2,
            _ => LEAST_FACTS,
        };
        let is_editors = short.retold > 0
            || short.words.0 >= LONGEST_FORM
            || self.reworded.0 > FEW_HOLES && short.words.0 >= LONG_TEXT
            || !self.is_form && common.titles != Titles::EqualShort && EDITS.iter().any(|edit| edit.is_met(common));
        // A form is filled in few places. Where words differ in more places, an editor may have reworded a fifth.
        let most_reworded = if self.reworded.0 > FEW_HOLES { 5 } else { 8 };
        common.is_kept && !self.is_form
            || self.reworded.1 * most_reworded <= short.words.1 && self.facts >= least_facts && is_editors
    }

    /// Returns whether no sentence contradicts the other text. Where every noun has a capital, a noun that replaces
    /// another in one sentence of many may be an editor's.
    fn is_consistent(&self) -> bool {
        let is_edited = || {
            let is_long = self.renamed * 10 <= self.sides[0].words.0 && self.same >= 6;
            self.is_noun_cased && is_long && self.sides.iter().all(|side| side.share() >= 0.8)
        };
        self.contradicted == 0 && (self.renamed == 0 || is_edited())
    }
}

#[cfg(test)]
mod tests;
