//! How alike two entries are in title and text, and when that makes them one story.
//!
//! What copies of one text do is add, cut and re-template: an attribution, a "read more", a summary that is the article's
//! beginning. What neighbours do is fill one form anew: numbers, names and dates stand in each other's place. So two texts
//! are compared twice: by the share of shingles that they have in common, and by what stands where they part.
//!
//! Where a link says that two are one, the words speak against it only if both say much that the other does not, or if the
//! titles name two of a series. What two texts share begins and ends where they part: the words that find the place
//! need to be there only once, the words before and after them need not. An article may repeat how it begins.

use foldhash::{HashMap, HashSet};

use super::anchors::{anchors, walk_back, walk_on};
use super::media::Media;
use super::title::{LEAST_TITLE, Title, Titles};
use super::words::{SHINGLE, Word, Words, extent, has_own, has_own_number, mixed, shingles};
use crate::entry::Enclosure;
use crate::text::PlainText;

/// How many words that the other lacks make a copy's text its own: a link blog's comment on an article is such a text.
const OWN_WORDS: usize = 40;

/// As many own words on both sides part two texts of which nothing but the words says that they are one; in long texts a
/// tenth of their words, for a copy editor works all over a text.
const OWN_WORDS_OF_TEXTS: usize = 20;

/// As many own words on both sides before and after what two texts share are comments on it; attributions are shorter.
const OWN_WORDS_AROUND: usize = 12;

/// A text with as many words says what its entry is about.
const SAYING_TEXT: usize = 12;

/// Of the telling words of a headline fewer than one in so many are in an entry about something else: by chance.
const STRAY_WORDS: usize = 4;

/// How much of a summary must stand in the article's beginning.
const SUMMARY_SHARE: f64 = 0.9;

/// Shorter texts say too little to be recognised by.
const LEAST_TEXT: usize = 8;

/// In shorter texts a word or a number that was replaced is what the text is about.
const LONG_TEXT: usize = 50;

/// In shorter texts even numbers before and after what they share tell them apart; longer ones have datelines.
const VERY_LONG_TEXT: usize = 80;

/// Forms with a hole or two are not longer: weather, recalls, notices.
const LONGEST_FORM: usize = 150;

/// More words in a row were not reworded, they say something else.
const REWORDED: usize = 8;

/// As many words at a summary's end, those of the title left out, may be a "continue reading" or "the post … appeared
/// first on …".
const MORE_WORDS: usize = 12;

/// How many words a text's beginning has for finding others that begin so.
const HEAD: usize = 24;

/// An edit leaves at least one in so many shingles of the shorter text; other texts have fewer in common.
const EDITED_SHARE: usize = 5;

/// An entry's words, ready to be compared.
#[derive(Clone, Debug)]
pub struct Wording {
    title: Title,
    /// Summary and content, those that are not empty, the longer first; without the title where they repeat it.
    texts: Vec<Words>,
    keys: Vec<u32>,
    /// The words of the title that a text repeated.
    repeated: HashSet<u64>,
    media: Media,
}

impl Wording {
    pub fn of(title: &str, text: &PlainText) -> Wording {
        let title = Title::of(title);
        // Above the text and in footers ("The post … appeared first on …") it says nothing more.
        let mut texts = vec![Words::of(text.content()), Words::of(text.summary())];
        let mut repeated = HashSet::default();
        for form in title.forms().into_iter().rev().filter(|form| form.extent() >= LEAST_TITLE) {
            for words in &mut texts {
                if words.take_out(form) {
                    repeated.extend(form.hashes());
                }
            }
        }
        texts.retain(|words| !words.is_empty());
        texts.sort_by_key(|words| std::cmp::Reverse(words.words.len()));
        let keys = texts.first().map_or_else(Vec::new, |text| keys(&title, text));
        Wording { title, texts, keys, repeated, media: Media::default() }
    }

    /// The wording of an entry with these enclosures.
    pub fn with_media(self, enclosures: &[Enclosure]) -> Wording {
        Wording { media: Media::of(enclosures), ..self }
    }

    /// Keys of which entries with one text have at least one in common nearly always, and others hardly ever: one of the
    /// title, one of the text's beginning, one of the whole text. Empty where the text says too little.
    ///
    /// The last two are the least of their shingles' hashes: two texts have it in common as often as their shingles overlap.
    pub fn keys(&self) -> &[u32] {
        &self.keys
    }

    /// How many words the texts have: what comparing costs.
    pub fn words(&self) -> usize {
        self.texts.iter().map(|text| text.words.len()).sum()
    }

    /// A key of the title without names of sites; `None` where there is none.
    pub fn title_key(&self) -> Option<u64> {
        self.title.key()
    }

    /// How alike the two are, 0 to 1, if they are one text; `None` if they are not, or if too little is there to tell.
    ///
    /// `least` is the share of shingles that long texts under one title must have in common; shorter ones need more. Two
    /// episodes may have one title, "Trailer", and a text that is the same under all of them: other recordings are other stories.
    pub fn same_text(&self, other: &Wording, least: f64) -> Option<f64> {
        if self.media.contradicts(&other.media) {
            return None;
        }
        self.same_words(other, least)
    }

    fn same_words(&self, other: &Wording, least: f64) -> Option<f64> {
        let titles = self.title.compare(&other.title);
        if titles == Titles::Other {
            return None;
        }
        let mut titles_words = Vocabulary::default();
        [&self.title, &other.title].into_iter().for_each(|title| titles_words.add(&title.whole.words));
        let pairs = self.texts.iter().flat_map(|own| other.texts.iter().map(move |others| (own, others)));
        let scores = pairs
            .filter(|(own, others)| !self.title_tells(other, own, others) && !other.title_tells(self, others, own))
            .filter_map(|(own, others)| score(own, others, (titles, &titles_words), least));
        scores.max_by(f64::total_cmp)
    }

    /// Whether the words speak against what a shared link says: both say something that the other does not, as a link
    /// blog's comment does, or they are two of a series that live at one address. Other recordings under another title speak
    /// against it too.
    pub fn contradicts(&self, other: &Wording) -> bool {
        let (own, others) = (self.vocabulary(), other.vocabulary());
        let own_texts = own.extent_without(&[&others]).min(others.extent_without(&[&own]));
        let is_series = self.title.is_series_with(&other.title) && own_texts >= LEAST_TEXT / 2;
        let are_episodes = self.media.contradicts(&other.media) && !self.title.is(&other.title);
        own_texts >= OWN_WORDS || is_series || are_episodes || self.is_unrelated(other)
    }

    /// Whether the two are about different things: hardly a word of a headline that says something is in the other entry,
    /// and the texts have little in common. A section's page, `/live` or `/?p=1`, is the link of many such stories.
    fn is_unrelated(&self, other: &Wording) -> bool {
        let names_nothing_of = |one: &Wording, other: &Wording| {
            let words = other.vocabulary();
            let telling = Vocabulary::of(&one.title.whole.words).telling();
            let told = telling.iter().filter(|hash| words.words.contains_key(hash)).count();
            !telling.is_empty() && told * STRAY_WORDS < telling.len()
        };
        self.tells_another_text(other, SAYING_TEXT * 5 / 3)
            && names_nothing_of(self, other)
            && names_nothing_of(other, self)
    }

    /// Whether neither the headlines nor the texts are alike, of two that both have something to say: then the address of
    /// a page that may be a section's makes them no story.
    pub fn has_nothing_of(&self, other: &Wording) -> bool {
        self.tells_another_text(other, SAYING_TEXT) && !self.has_title_like(other)
    }

    /// Whether both have a text with as many words of their own, and little of one is in the other.
    fn tells_another_text(&self, other: &Wording, least: usize) -> bool {
        let says_enough = |one: &Wording, other: &Wording| {
            let own = one.vocabulary().extent_without(&[&other.vocabulary()]);
            one.texts.first().is_some_and(|text| text.extent() >= least) && own >= least
        };
        says_enough(self, other) && says_enough(other, self) && !self.shares_text_with(other)
    }

    /// Whether title and text say the same but for their form: of an entry that only got another guid.
    pub fn is_kept_by(&self, other: &Wording) -> bool {
        let same_title = self.title.is(&other.title);
        match (self.texts.first(), other.texts.first()) {
            (None, None) => same_title,
            (Some(own), Some(others)) if own.extent().min(others.extent()) < LEAST_TEXT => {
                same_title && own.words.iter().map(|word| word.hash).eq(others.words.iter().map(|word| word.hash))
            }
            (Some(_), Some(_)) => self.same_words(other, 0.6).is_some(),
            (Some(_), None) | (None, Some(_)) => false,
        }
    }

    /// Whether the text is the same under another title, as an advert, or what a site says of itself below everything.
    pub fn is_text_under_another_title(&self, other: &Wording) -> bool {
        let (Some(own), Some(others)) = (self.texts.first(), other.texts.first()) else { return false };
        let is_same = self.text_key() == other.text_key() || jaccard(own, others) >= 0.9;
        is_same && self.title.compare(&other.title) == Titles::Other
    }

    /// Whether the titles are mostly of the same words, and no number stands in the place of another.
    pub fn has_title_like(&self, other: &Wording) -> bool {
        self.title.compare(&other.title) != Titles::Other
    }

    /// Whether the text is so short that it may be an advert, or what a site says of itself.
    pub fn is_short(&self) -> bool {
        self.texts.first().is_none_or(|text| text.extent() < VERY_LONG_TEXT)
    }

    /// Whether title and texts are the same, word for word.
    pub fn says_the_same(&self, other: &Wording) -> bool {
        let hashes = |words: &Words| words.words.iter().map(|word| word.hash).collect::<Vec<_>>();
        let all = |wording: &Wording| {
            let texts = wording.texts.iter().chain([&wording.title.whole]);
            texts.map(hashes).collect::<Vec<_>>()
        };
        self.repeated == other.repeated && all(self) == all(other)
    }

    /// A key of the longest text, word for word; `None` where there is none.
    pub fn text_key(&self) -> Option<u64> {
        self.texts.first().map(|text| text.words.iter().fold(4, |hash, word| mixed(hash, word.hash)))
    }

    /// Whether so much of the shorter text stands in the other one that it may be an edit of it; of titles where one has no
    /// text.
    pub fn shares_text_with(&self, other: &Wording) -> bool {
        let (own, others) = match (self.texts.first(), other.texts.first()) {
            (Some(own), Some(others)) => (own, others),
            _ => (&self.title.whole, &other.title.whole),
        };
        let (own, others): (HashSet<u64>, HashSet<u64>) = (own.shingles().collect(), others.shingles().collect());
        let shared = own.intersection(&others).count();
        shared > 0 && shared * EDITED_SHARE >= own.len().min(others.len())
    }

    /// Whether the titles are those of two of a series.
    pub fn is_series_with(&self, other: &Wording) -> bool {
        self.title.is_series_with(&other.title)
    }

    /// Whether the two are episodes with different recordings.
    pub fn has_other_media(&self, other: &Wording) -> bool {
        self.media.contradicts(&other.media)
    }

    /// Whether the titles are the same, and longer than the name of a column.
    pub fn has_title_of(&self, other: &Wording) -> bool {
        matches!(self.title.compare(&other.title), Titles::EqualTelling | Titles::Equal)
    }

    /// Whether a word of this title that the other lacks is told by its own text, and not by the other's: "Weather in
    /// Leeds" over a form that is filled for York too.
    fn title_tells(&self, other: &Wording, own: &Words, others: &Words) -> bool {
        let other_title = other.title.whole.hashes();
        let mut telling = self.title.whole.words.iter().filter(|word| !other_title.contains(&word.hash)).peekable();
        if telling.peek().is_none() {
            return false;
        }
        let beginning: HashSet<u64> = own.beginning(reach(others)).iter().map(|word| word.hash).collect();
        let is_told = |word: &&Word| self.repeated.contains(&word.hash) || beginning.contains(&word.hash);
        has_own(telling.filter(is_told), &others.words)
    }

    fn vocabulary(&self) -> Vocabulary {
        let mut vocabulary = Vocabulary::default();
        self.texts.iter().chain([&self.title.whole]).for_each(|text| vocabulary.add(&text.words));
        vocabulary
    }
}

/// As [`Wording::keys`], of the title and the longest text.
fn keys(title: &Title, text: &Words) -> Vec<u32> {
    if text.extent() < LEAST_TEXT {
        return Vec::new();
    }
    let head = shingles(text.beginning(HEAD)).map(|shingle| mixed(2, shingle)).min();
    let whole = text.shingles().map(|shingle| mixed(3, shingle)).min();
    [title.key(), head, whole].into_iter().flatten().map(|key| (key >> 32) as u32).collect()
}

/// How many of the first words of a text can stand for the beginning that a summary of it has.
fn reach(summary: &Words) -> usize {
    summary.extent() * 5 / 4 + 30
}

/// How alike two texts are, if they are one.
fn score(one: &Words, other: &Words, (titles, titles_words): (Titles, &Vocabulary), least: f64) -> Option<f64> {
    let (short, long) = if one.words.len() <= other.words.len() { (one, other) } else { (other, one) };
    let extent = short.extent();
    let (needed, may_be_reworded) = match titles {
        Titles::EqualTelling if extent >= LONG_TEXT * 2 / 3 => (least, true),
        Titles::Equal if extent >= VERY_LONG_TEXT => (least, true),
        Titles::EqualTelling | Titles::Equal if extent >= LONG_TEXT / 2 => (least.max(0.7), false),
        Titles::EqualTelling if extent >= LEAST_TEXT => (0.9, false),
        Titles::EqualShort if extent >= LONG_TEXT / 2 => (0.9, false),
        Titles::Edited | Titles::Alike if extent >= VERY_LONG_TEXT => (least, true),
        Titles::Edited | Titles::Alike if extent >= LONG_TEXT => (0.9, false),
        Titles::Edited if extent >= LONG_TEXT / 2 => (0.9, false),
        _ => return None,
    };
    let is_telling = titles == Titles::EqualTelling;
    let parting = Parting::of(short, long, is_telling)?;
    // Where no capital tells a name, more places may be a form's.
    let places = match (short.is_cased(), is_telling) {
        (true, _) => usize::MAX,
        (false, true) => (extent / 25).max(3),
        (false, false) => (extent / 50).max(1),
    };
    let (jaccard, share) = (jaccard(short, long), parting.share_of_beginning(short, long, titles_words));
    let is_apart = parting.has_numbers_replaced
        || parting.has_names_replaced
        || !parting.is_reworded(may_be_reworded, places)
        || parting.has_numbers_around && extent < VERY_LONG_TEXT
        || parting.has_words_around(short, long, titles_words)
        || has_own_words(short, long, (extent / 10).clamp(OWN_WORDS_OF_TEXTS, OWN_WORDS));
    let is_alike = jaccard >= needed || share >= SUMMARY_SHARE;
    (is_alike && !is_apart).then_some(jaccard.max(share))
}

/// Whether both have as many words as that which the other lacks.
fn has_own_words(one: &Words, other: &Words, least: usize) -> bool {
    let (one, other) = (Vocabulary::of(&one.words), Vocabulary::of(&other.words));
    one.extent_without(&[&other]) >= least && other.extent_without(&[&one]) >= least
}

/// The different words of a text. Where every character is a word, two in a row are taken: single ones occur everywhere.
#[derive(Default)]
struct Vocabulary {
    words: HashMap<u64, Word>,
}

impl Vocabulary {
    fn of(words: &[Word]) -> Vocabulary {
        let mut vocabulary = Vocabulary::default();
        vocabulary.add(words);
        vocabulary
    }

    fn add(&mut self, words: &[Word]) {
        let mut before = None;
        for word in words {
            let pair = before.filter(|_| word.is_half).map(|before| mixed(before, word.hash));
            if !word.is_half || pair.is_some() {
                self.words.insert(pair.unwrap_or(word.hash), *word);
            }
            before = word.is_half.then_some(word.hash);
        }
    }

    /// The words that say something: numbers, names, and words that are not among the short ones of every sentence.
    fn telling(&self) -> Vec<u64> {
        let telling = self.words.iter().filter(|(_, word)| word.is_telling());
        telling.map(|(hash, _)| *hash).collect()
    }

    /// How many words it has that the others lack.
    fn extent_without(&self, others: &[&Vocabulary]) -> usize {
        let is_own = |hash: &u64| others.iter().all(|other| !other.words.contains_key(hash));
        extent(self.words.iter().filter(|(hash, _)| is_own(hash)).map(|(_, word)| word))
    }
}

fn jaccard(one: &Words, other: &Words) -> f64 {
    let (one, other): (HashSet<u64>, HashSet<u64>) = (one.shingles().collect(), other.shingles().collect());
    let shared = one.intersection(&other).count();
    shared as f64 / (one.len() + other.len() - shared).max(1) as f64
}

/// Where two texts part, and what stands there.
#[derive(Debug, Default)]
struct Parting {
    /// How long the shorter one is, in words.
    extent: usize,
    /// The longest run of words that stands in the place of another, inside of what they share.
    longest_replaced: usize,
    /// How many such runs there are.
    replaced: usize,
    /// Whether words were added, cut or spelt in another way, as no form is filled.
    is_edited: bool,
    /// Whether several words stand in the place of several.
    has_phrases_replaced: bool,
    has_numbers_replaced: bool,
    has_names_replaced: bool,
    /// What stands in the place of what, and whether that is so twice: then a form was filled.
    replacements: HashSet<(u64, u64)>,
    is_form: bool,
    /// Whether both begin with words of their own.
    has_heads: bool,
    /// Whether both have numbers of their own before or after what they share.
    has_numbers_around: bool,
    /// Where in the shorter and in the longer text what they share begins.
    start: (usize, usize),
    /// Where it ends.
    end: (usize, usize),
}

impl Parting {
    /// `None` if the texts share nothing. Under a telling title lines of their own before and after what they share are
    /// bylines and dates of publishing: numbers in them do not count.
    fn of(short: &Words, long: &Words, is_telling: bool) -> Option<Parting> {
        let anchors = anchors(short, long);
        let (first, last) = (*anchors.first()?, *anchors.last()?);
        let (start, end) = (walk_back(short, long, first), walk_on(short, long, (last.0 + SHINGLE, last.1 + SHINGLE)));
        let mut parting = Parting { start, end, extent: short.extent(), ..Parting::default() };
        let mut at = parting.line_starts(short, long);
        for (i, j) in anchors {
            let gap = (&short.words[at.0.min(i)..i], &long.words[at.1.min(j)..j]);
            parting.see_replaced(gap);
            at = (i + SHINGLE, j + SHINGLE);
        }
        parting.see_end(&short.words[end.0..], &long.words[end.1..]);
        let (around_short, around_long) =
            if is_telling { parting.around_in_line(short, long) } else { parting.around(short, long) };
        parting.has_heads = parting.start.0 > 0 && parting.start.1 > 0;
        parting.has_numbers_around = has_own_number(&around_short, long) && has_own_number(&around_long, short);
        Some(parting)
    }

    /// Where the lines begin in which what they share does.
    fn line_starts(&self, short: &Words, long: &Words) -> (usize, usize) {
        (short.line_start(self.start.0), long.line_start(self.start.1))
    }

    /// The words of both before and after what they share.
    fn around(&self, short: &Words, long: &Words) -> (Vec<Word>, Vec<Word>) {
        let around = |words: &Words, start, end| [&words.words[..start], &words.words[end..]].concat();
        (around(short, self.start.0, self.end.0), around(long, self.start.1, self.end.1))
    }

    /// As [`Parting::around`], as far as it stands in the same lines as what they share.
    fn around_in_line(&self, short: &Words, long: &Words) -> (Vec<Word>, Vec<Word>) {
        let around = |words: &Words, start: usize, end: usize| {
            let (before, after) = (&words.words[..start], &words.words[end..]);
            let begins = words.line_start(start);
            let ends = after.iter().position(|word| word.begins_line).unwrap_or(after.len());
            [&before[begins..], &after[..ends]].concat()
        };
        (around(short, self.start.0, self.end.0), around(long, self.start.1, self.end.1))
    }

    /// Whether both say something of their own around what they share, the words of their titles left out.
    fn has_words_around(&self, short: &Words, long: &Words, titles: &Vocabulary) -> bool {
        let (short, long) = self.around(short, long);
        let (short, long) = (Vocabulary::of(&short), Vocabulary::of(&long));
        let has_own = |own: &Vocabulary, other| own.extent_without(&[titles, other]) >= OWN_WORDS_AROUND;
        has_own(&short, &long) && has_own(&long, &short)
    }

    /// Whether what was replaced, in at most so many places, may be a copy editor's work.
    fn is_reworded(&self, may_be_reworded: bool, places: usize) -> bool {
        let most = if may_be_reworded { REWORDED } else { 0 };
        self.longest_replaced <= most
            && self.replaced <= places
            && !self.has_few_holes()
            && !self.is_form
            && (may_be_reworded || !self.has_heads)
    }

    /// Whether so little stands in each other's place that a form may have been filled with it: words in one place, or
    /// phrases in one of two. A copy editor who goes over a text works in more places, word by word.
    fn has_few_holes(&self) -> bool {
        let most = if self.has_phrases_replaced { 2 } else { 1 };
        (1..=most).contains(&self.replaced) && !self.is_edited && self.extent < LONGEST_FORM
    }

    /// Takes account of the ends behind the last shared shingle, if they end in the same word.
    fn see_end(&mut self, short: &[Word], long: &[Word]) {
        if let (Some(one), Some(other)) = (short.last(), long.last())
            && one.is_spelt_as(*other)
        {
            self.see_replaced((short, long));
        }
    }

    /// Takes account of a gap between two shared shingles. What only one of them has was added or cut, by an editor if no
    /// line begins there.
    fn see_replaced(&mut self, (short, long): (&[Word], &[Word])) {
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

    /// How much of the shorter text stands in the longer one's beginning, its own "continue reading" left out; 0 to 1.
    fn share_of_beginning(&self, short: &Words, long: &Words, titles: &Vocabulary) -> f64 {
        let more = Vocabulary::of(&short.words[self.end.0..]).extent_without(&[titles]);
        let kept = if more <= MORE_WORDS { &short.words[..self.end.0] } else { &short.words[..] };
        let own: HashSet<u64> = shingles(kept).collect();
        let others: HashSet<u64> = shingles(long.beginning(reach(short))).collect();
        if extent(kept) < LEAST_TEXT || self.end.1 > long.beginning(reach(short)).len() {
            return 0.0;
        }
        own.intersection(&others).count() as f64 / own.len().max(1) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::Entry;

    fn wording(title: &str, html: &str) -> Wording {
        let json =
            serde_json::json!({ "guid": { "value": "1", "kind": "guid" }, "title": title, "content_html": html });
        let entry: Entry = serde_json::from_value(json).unwrap();
        Wording::of(&entry.title, &PlainText::of(&entry))
    }

    #[test]
    fn numbers_in_two_headlines_speak_against_a_shared_link_only_in_a_series() {
        let check = |(title, text): (&str, &str), (other_title, other_text): (&str, &str), expected: bool| {
            let (one, other) = (wording(title, text), wording(other_title, other_text));
            assert_eq!(one.contradicts(&other), expected, "{title} / {other_title}");
            assert_eq!(other.contradicts(&one), expected, "{other_title} / {title}");
        };
        let storm = "The storm reached the coast in the night and tore the roofs off whole streets.";
        let toll = "Rescuers found seven more bodies, the governor said at noon, and many people are missing.";
        check(("Storm kills 12 on the coast", storm), ("Death toll from floods rises to 19", toll), false);
        check(("iPhone 17 review", storm), ("9 things that nobody says about the new phone", toll), false);
        check(("Second storm in a week hits the coast", storm), ("Three dead after roofs come down", toll), false);
        check(("Deux morts sur la côte", storm), ("Tempête mardi : le bilan s'alourdit", toll), false);
        check(("Trial, day 5: the widow speaks", storm), ("Trial, day 6: the doctor is heard", toll), true);
        check(("Picture of the day, 5 March", storm), ("Picture of the day, 6 March", toll), true);
        check(("La météo de mardi", storm), ("La météo de jeudi", toll), true);
        check(
            ("Release 1.2", "It fixes how long tables are printed."),
            ("Release 1.3", "It fixes saving under Windows again."),
            true,
        );
        let long = |stem: &str| (0..60).map(|at| format!("{stem}{at} ")).collect::<String>();
        check(("Storm kills 12", &long("quay")), ("Death toll rises to 19", &long("roof")), true);
    }

    #[test]
    fn shared_link_of_two_unrelated_stories_joins_nothing() {
        let check = |(title, text): (&str, &str), (other_title, other_text): (&str, &str), expected: (bool, bool)| {
            let (one, other) = (wording(title, text), wording(other_title, other_text));
            for (one, other) in [(&one, &other), (&other, &one)] {
                let found = (one.contradicts(other), one.has_nothing_of(other));
                assert_eq!(found, expected, "{title} / {other_title}");
            }
        };
        let quay = (
            "Old quay opens to walkers",
            "The harbour board has voted to open the old quay to walkers and small boats from April on, after a long debate \
             about the cranes and the coal shed.",
        );
        let choir = (
            "Choir sings in the tram depot",
            "Forty singers stood between the carriages on Sunday night and gave a concert that nobody who came will soon \
             forget, neighbours say; tea was served by the drivers' club.",
        );
        check(quay, choir, (true, true));
        // Another wording of the same news names it too.
        let again = (
            "Walkers return to the old quay",
            "It took a winter of repairs, but now the harbour has its promenade back.",
        );
        check(quay, again, (false, false));
        // A short note says too little to be about another thing.
        check(quay, ("Worth a read", "My favourite of the week."), (false, false));
        check(quay, ("Choir sings in the depot", ""), (false, false));
    }

    #[test]
    fn summary_is_recognised_though_its_words_recur_in_the_article() {
        let title = "Old quay will open again to walkers and to boats";
        let begins = "The harbour board has voted to open the old quay to walkers and to small boats from April on";
        let article = format!(
            "{begins}. Fishermen who had argued for the step filled the hall. Repairs take a winter, says the chairwoman."
        );
        let check = |again: &str, expected: bool| {
            let (summary, article) =
                (wording(title, begins), wording(title, &format!("<p>{article}</p><p>{again}</p>")));
            assert_eq!(summary.same_text(&article, 0.6).is_some(), expected, "{again}");
            assert_eq!(article.same_text(&summary, 0.6).is_some(), expected, "{again}");
        };
        check("", true);
        check("The harbour board has nine members.", true);
        check("A step to small boats from April on is what the town had asked for.", true);
        check("Much was said of walkers and to small boats from April on. The harbour board has voted to close.", true);
        check(&format!("{begins}, it repeats."), true);
        // Another summary is none, whatever recurs.
        let other =
            "The harbour board has decided to sell the coal pier with its cranes to a firm from the north coast";
        let (summary, article) = (wording(title, other), wording(title, &article));
        assert_eq!(summary.same_text(&article, 0.6), None);
    }
}
