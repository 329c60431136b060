//! How similar two entries are in title and text, and when that makes them one story.
//!
//! Copies of one text add, cut and reformat: an attribution, a "read more", a summary that is the article's beginning.
//! Separate entries of one kind fill the same template: numbers, names and dates replace each other. So two texts are
//! compared twice: by the share of shingles that they have in common, and by the words in the places where they differ.
//!
//! Under one headline whose words occur in both texts, as in news and not in names of columns, the texts are about one
//! subject: a shorter text suffices, and bylines on separate lines do not count.
//!
//! Under completely different headlines, the texts must be the same word for word, and both headlines must match the
//! text.
//!
//! If these comparisons, which go from the beginning to the end, find nothing, the texts are compared sentence by
//! sentence: see `coverage`.
//!
//! The common part of two texts begins and ends where they differ: the words that locate these places must occur only
//! once, the words before and after them need not. An article may repeat its beginning.

use foldhash::HashSet;

use super::coverage::{Coverage, coverage};
use super::episode;
use super::media::Media;
use super::parting::{Headlines, LEAST_TEXT, OWN_WORDS, Parting, Vocabulary, has_own_words, reach};
use super::title::{LEAST_TITLE, Title, Titles};
use super::words::{Stood, Word, Words, has_own, mixed, shingles};
use crate::entry::Enclosure;
use crate::text::PlainText;

/// If there is no other evidence that two texts are one, they are separate if each has this many words that the other
/// lacks. In long texts it takes a tenth of their words, because a copy editor changes words everywhere.
const OWN_WORDS_OF_TEXTS: usize = 20;

/// The number of words at a text's beginning in which the text repeats what its headline says.
const TELLING_BEGINNING: usize = 150;

/// A text with fewer words is recognised only under a longer headline, even if the text repeats the headline.
const TOLD_TEXT: usize = 16;

/// The share of a summary that must occur in the article's beginning.
const SUMMARY_SHARE: f64 = 0.9;

/// The share of shingles that suffices under one headline with a name: one replaced word breaks three shingles.
const REWORDED_SHARE: f64 = 0.75;

/// In shorter texts, a replaced word or number is the subject of the text.
const LONG_TEXT: usize = 50;

/// In shorter texts, even different numbers before and after the common part separate them; longer ones have datelines.
const VERY_LONG_TEXT: usize = 80;

/// Shorter texts are not recognised under another headline.
const REWRITTEN_TEXT: usize = 30;

/// The number of words at a text's beginning that are used to find other texts with the same beginning.
const HEAD: usize = 24;

/// The text of an entry, prepared for comparing.
#[derive(Clone, Debug)]
pub struct Wording {
    pub(super) title: Title,
    /// The summary and the content, unless they are empty, the longer first. If they repeat the title, it is removed
    /// from them.
    pub(super) texts: Vec<Words>,
    keys: Vec<u32>,
    /// The words of the title that a text repeats.
    repeated: HashSet<u64>,
    /// Whether a text has the title in its middle.
    repeats_title: bool,
    pub(super) media: Media,
}

impl Wording {
    /// Prepares the title and the plain text of an entry.
    pub fn of(title: &str, text: &PlainText) -> Wording {
        let title = Title::of(title);
        // Above the text and in footers ("The post … appeared first on …") the title adds nothing.
        let mut texts = vec![Words::of(text.content()), Words::of(text.summary())];
        let (mut repeated, mut repeats_title) = (HashSet::default(), false);
        for form in title.forms().into_iter().rev().filter(|form| form.extent() >= LEAST_TITLE) {
            for words in &mut texts {
                let stood = words.take_out(form);
                repeats_title |= stood == Stood::InText;
                if stood != Stood::Nowhere {
                    repeated.extend(form.hashes());
                }
            }
        }
        texts.retain(|words| !words.is_empty());
        texts.sort_by_key(|words| std::cmp::Reverse(words.words.len()));
        let keys = texts.first().map_or_else(Vec::new, |text| keys(&title, text));
        Wording { title, texts, keys, repeated, repeats_title, media: Media::default() }
    }

    /// Returns the wording of an entry with these enclosures.
    pub fn with_media(mut self, enclosures: &[Enclosure]) -> Wording {
        self.media = Media::of(enclosures);
        self.keys.extend(self.media.key().map(|recording| (mixed(5, recording) >> 32) as u32));
        self
    }

    /// Returns keys by which entries with the same text are found: such entries nearly always have a key in common, and
    /// others hardly ever. There is one key of the title, one of the text's beginning, one of the whole text, if it is
    /// long enough, and one of the recording.
    ///
    /// The keys of the text are the lowest hashes of its shingles: two texts share them as often as their shingles
    /// overlap.
    pub fn keys(&self) -> &[u32] {
        &self.keys
    }

    /// Returns how many words the texts have: the cost of comparing.
    pub fn words(&self) -> usize {
        self.texts.iter().map(|text| text.words.len()).sum()
    }

    /// Returns whether the text repeats the title near its beginning.
    fn tells_title(&self) -> bool {
        let is_told = |text: &Words| self.title.is_told_in(text.beginning(TELLING_BEGINNING));
        self.repeats_title || self.texts.first().is_some_and(is_told)
    }

    /// Returns a key of the title without names of sites; `None` if there is no title.
    pub fn title_key(&self) -> Option<u64> {
        self.title.key()
    }

    /// Returns how similar the two entries are, 0 to 1, if they are one text; `None` if they are not, or if they are
    /// too short to decide.
    ///
    /// `least` is the share of shingles that long texts under one title must have in common; shorter ones need more.
    /// Two episodes may have one title, "Trailer", and the same standard text, so different recordings make different
    /// stories. Two parts of a series may begin with the same sentences.
    pub fn same_text(&self, other: &Wording, least: f64) -> Option<f64> {
        if self.media.contradicts(&other.media) || self.title.is_other_part_than(&other.title) {
            return None;
        }
        // An article and its gallery have the first sentence in common.
        if self.title.genres != other.title.genres {
            let is_whole = || self.coverage(other).is_some_and(|coverage| coverage.is_whole());
            return self.same_episode(other).or_else(|| self.same_sentences(other).filter(|_| is_whole()));
        }
        self.same_words(other, least).or_else(|| self.same_episode(other)).or_else(|| self.same_sentences(other))
    }

    /// Returns how much of the shorter text the other has, sentence by sentence, if they are one text.
    fn same_sentences(&self, other: &Wording) -> Option<f64> {
        let titles = self.title.compare(&other.title);
        if self.has_number_against(other) && other.has_number_against(self) {
            return None;
        }
        self.coverage(other)?.score(titles, [self.tells_title(), other.tells_title()])
    }

    /// Returns how similar the two texts are, 0 to 1, if they are one text of which one entry names the publication of
    /// the other as its source; `None` if they are not. The caller knows that it does.
    pub fn credited_text(&self, other: &Wording) -> Option<f64> {
        let has_other_number = self.has_number_against(other) && other.has_number_against(self);
        let is_apart = has_other_number
            || self.media.contradicts(&other.media)
            || self.title.genres != other.title.genres
            || self.title.is_series_with(&other.title);
        self.coverage(other).filter(|_| !is_apart)?.credited_score()
    }

    /// Returns how much of the texts is in both; `None` if one is missing or too short.
    pub(super) fn coverage(&self, other: &Wording) -> Option<Coverage> {
        let (short, long) = by_length(self.texts.first()?, other.texts.first()?);
        (short.extent() >= LEAST_TEXT).then(|| coverage(short, long, [&self.title.whole, &other.title.whole]))
    }

    /// Returns whether the title has a number that the other entry lacks.
    fn has_number_against(&self, other: &Wording) -> bool {
        let numbers = self.title.whole.words.iter().filter(|word| word.is_number);
        let is_told = |hash: u64| {
            let mut words = other.texts.iter().chain([&other.title.whole]).flat_map(|text| &text.words);
            other.repeated.contains(&hash) || words.any(|word| word.hash == hash)
        };
        numbers.clone().any(|word| !is_told(word.hash))
    }

    /// Returns how similar the texts of one episode are: the same recording, under titles that may name the same
    /// episode. A feed may have only a few words for each episode, after a byline and before an invitation. But a text
    /// that has nothing in common with the other is about something else: a live stream has one address, whatever is on
    /// air.
    fn same_episode(&self, other: &Wording) -> Option<f64> {
        if !self.media.shares(&other.media) {
            return None;
        }
        if episode::labels(&self.title.whole, &other.title.whole).is_none() {
            // The number may be that of the show: "Half Past Nine: the quay", "Episode 8: the quay".
            let is_one = !self.title.has_label_like(&other.title);
            return self.coverage(other).filter(|_| is_one)?.score(Titles::EqualShort, [false; 2]);
        }
        let (own, others) = (self.texts.first()?, other.texts.first()?);
        self.shares_text_with(other).then(|| jaccard(own, others))
    }

    fn same_words(&self, other: &Wording, least: f64) -> Option<f64> {
        let titles = self.title.compare(&other.title);
        if titles == Titles::Other && self.title.whole.numbers_against(&other.title.whole) {
            return None;
        }
        let are_same = matches!(titles, Titles::EqualTelling | Titles::Equal);
        let are_told = are_same && self.tells_title() && other.tells_title();
        let headlines = Headlines::of(&self.title, &other.title, titles, are_told);
        let pairs = self.texts.iter().flat_map(|own| other.texts.iter().map(move |others| (own, others)));
        let scores = pairs
            .filter(|(own, others)| !self.title_tells(other, own, others) && !other.title_tells(self, others, own))
            .filter_map(|(own, others)| match titles {
                Titles::Other => self.score_under_rewritten_title(other, own, others, &headlines),
                _ => score(own, others, &headlines, least),
            });
        scores.max_by(f64::total_cmp)
    }

    /// Returns how similar two texts are under different headlines: the text must be long enough to be unique, and the
    /// same word for word as far as both have it. Both headlines must match the text: an advertisement or a show's
    /// standard text is published under many headlines that do not.
    fn score_under_rewritten_title(
        &self,
        other: &Wording,
        own: &Words,
        others: &Words,
        headlines: &Headlines,
    ) -> Option<f64> {
        let (short, long) = by_length(own, others);
        if short.extent() < REWRITTEN_TEXT {
            return None;
        }
        let parting = Parting::of(short, long, headlines)?;
        // A title that a text repeats was removed from it; the other text still has these words.
        let shared =
            [&short.words[parting.start.0..parting.end.0], &long.words[parting.start.1..parting.end.1]].concat();
        let share = parting.share_of_beginning(short, long, &headlines.words).max(jaccard(short, long));
        let is_same = share >= SUMMARY_SHARE
            && parting.replaced == 0
            && !parting.has_numbers_around
            && !parting.has_words_around(short, long, &headlines.words)
            && !has_own_words(short, long, OWN_WORDS_OF_TEXTS);
        (is_same && self.title.is_told_in(&shared) && other.title.is_told_in(&shared)).then_some(share)
    }

    /// Returns whether title and text are the same except for their form: an entry that only got another guid.
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

    /// Returns whether both entries have the same text under different titles, like an advertisement or a site's
    /// standard footer.
    pub fn is_text_under_another_title(&self, other: &Wording) -> bool {
        let (Some(own), Some(others)) = (self.texts.first(), other.texts.first()) else { return false };
        let is_same = self.text_key() == other.text_key() || jaccard(own, others) >= 0.9;
        is_same && self.title.compare(&other.title) == Titles::Other
    }

    /// Returns whether the titles have mostly the same words, and no number replaces another.
    pub fn has_title_like(&self, other: &Wording) -> bool {
        self.title.compare(&other.title) != Titles::Other
    }

    /// Returns whether the text is so short that it may be an advertisement or a site's standard footer.
    pub fn is_short(&self) -> bool {
        self.texts.first().is_none_or(|text| text.extent() < VERY_LONG_TEXT)
    }

    /// Returns whether title and texts are the same, word for word.
    pub fn says_the_same(&self, other: &Wording) -> bool {
        let hashes = |words: &Words| words.words.iter().map(|word| word.hash).collect::<Vec<_>>();
        let all = |wording: &Wording| {
            let texts = wording.texts.iter().chain([&wording.title.whole]);
            texts.map(hashes).collect::<Vec<_>>()
        };
        self.repeated == other.repeated && all(self) == all(other)
    }

    /// Returns a key of the longest text, word for word; `None` if there is no text.
    pub fn text_key(&self) -> Option<u64> {
        self.texts.first().map(|text| text.words.iter().fold(4, |hash, word| mixed(hash, word.hash)))
    }

    /// Returns whether the titles are those of two in a series.
    pub fn is_series_with(&self, other: &Wording) -> bool {
        self.title.is_series_with(&other.title)
    }

    /// Returns whether the two are episodes with different recordings.
    pub fn has_other_media(&self, other: &Wording) -> bool {
        self.media.contradicts(&other.media)
    }

    /// Returns whether the titles are the same, and longer than the name of a column.
    pub fn has_title_of(&self, other: &Wording) -> bool {
        matches!(self.title.compare(&other.title), Titles::EqualTelling | Titles::Equal)
    }

    /// Returns whether a word of this title that the other lacks is in its own text, and not in the other's: "Weather
    /// in Leeds" over a template that is also filled for York.
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

    pub(super) fn vocabulary(&self) -> Vocabulary {
        let mut vocabulary = Vocabulary::default();
        self.texts.iter().chain([&self.title.whole]).for_each(|text| vocabulary.add(&text.words));
        vocabulary
    }
}

/// Returns the keys of the title and the longest text; see [`Wording::keys`].
fn keys(title: &Title, text: &Words) -> Vec<u32> {
    if text.extent() < LEAST_TEXT {
        return Vec::new();
    }
    let head = shingles(text.beginning(HEAD)).map(|shingle| mixed(2, shingle)).min();
    let whole = text.shingles().map(|shingle| mixed(3, shingle)).min();
    [title.key(), head, whole].into_iter().flatten().map(|key| (key >> 32) as u32).collect()
}

/// Returns two texts, the shorter one first.
pub(super) fn by_length<'w>(one: &'w Words, other: &'w Words) -> (&'w Words, &'w Words) {
    if one.words.len() <= other.words.len() { (one, other) } else { (other, one) }
}

/// Returns how similar two texts are, 0 to 1, if they are one; `None` if they are not.
fn score(one: &Words, other: &Words, headlines: &Headlines, least: f64) -> Option<f64> {
    let (short, long) = by_length(one, other);
    let (extent, titles) = (short.extent(), headlines.titles);
    let (needed, may_be_reworded) = match titles {
        Titles::EqualTelling if extent >= LONG_TEXT * 2 / 3 => (least, true),
        Titles::Equal if extent >= VERY_LONG_TEXT => (least, true),
        Titles::EqualTelling if headlines.are_specific && extent >= LONG_TEXT / 2 => (least.max(0.7), true),
        Titles::EqualTelling | Titles::Equal if extent >= LONG_TEXT / 2 => (least.max(0.7), false),
        _ if headlines.are_told && extent >= TOLD_TEXT => (0.9, false),
        Titles::EqualTelling if extent >= LEAST_TEXT => (0.9, false),
        Titles::EqualShort if extent >= LONG_TEXT / 2 => (0.9, false),
        Titles::Edited | Titles::Alike if extent >= VERY_LONG_TEXT => (least, true),
        Titles::Edited | Titles::Alike if extent >= LONG_TEXT => (0.9, false),
        Titles::Edited if extent >= LONG_TEXT / 2 => (0.9, false),
        _ => return None,
    };
    let is_telling = titles == Titles::EqualTelling || headlines.are_told;
    let titles_words = &headlines.words;
    let parting = Parting::of(short, long, headlines)?;
    // Without capitals that mark names, more places may be those of a template.
    let places = match (short.is_cased(), is_telling) {
        (true, _) => usize::MAX,
        (false, true) => (extent / 25).max(3),
        (false, false) => (extent / 50).max(1),
    };
    let (jaccard, share) = (jaccard(short, long), parting.share_of_beginning(short, long, titles_words));
    let is_apart = parting.has_numbers_replaced
        || parting.has_names_replaced
        || parting.has_denial
        || !parting.is_reworded(may_be_reworded, places)
        || parting.has_numbers_around && extent < VERY_LONG_TEXT
        || parting.has_words_around(short, long, titles_words)
        || has_own_words(short, long, (extent / 10).clamp(OWN_WORDS_OF_TEXTS, OWN_WORDS));
    let needed_share = if headlines.are_specific || headlines.are_told { REWORDED_SHARE } else { SUMMARY_SHARE };
    let is_alike = jaccard >= needed || share >= needed_share;
    (is_alike && !is_apart).then_some(jaccard.max(share))
}

pub(super) fn jaccard(one: &Words, other: &Words) -> f64 {
    let (one, other): (HashSet<u64>, HashSet<u64>) = (one.shingles().collect(), other.shingles().collect());
    let shared = one.intersection(&other).count();
    shared as f64 / (one.len() + other.len() - shared).max(1) as f64
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
        // Another summary does not match, whatever recurs.
        let other =
            "The harbour board has decided to sell the coal pier with its cranes to a firm from the north coast";
        let (summary, article) = (wording(title, other), wording(title, &article));
        assert_eq!(summary.same_text(&article, 0.6), None);
    }

    /// Returns a text of this many sentences, each with unique words, and with `middle` in the middle.
    fn report(sentences: usize, middle: &str) -> String {
        let sentence = |at: usize| format!("Then speaker{at} praised crane{at} beside the quay. ");
        let (half, all) = (sentences / 2, sentences);
        (0..half).map(sentence).collect::<String>() + middle + &(half..all).map(sentence).collect::<String>()
    }

    /// Returns such a text without numbers.
    fn form(sentences: usize, middle: &str) -> String {
        let letters = |digit: char| char::from(b'a' + digit as u8 - b'0');
        let report = report(sentences, "|");
        let report: String = report.chars().map(|c| if c.is_ascii_digit() { letters(c) } else { c }).collect();
        report.replace('|', middle)
    }

    fn check_same(title: [&str; 2], html: [&str; 2], expected: bool) {
        let (one, other) = (wording(title[0], html[0]), wording(title[1], html[1]));
        assert_eq!(one.same_text(&other, 0.6).is_some(), expected, "{title:?} {html:?}");
        assert_eq!(other.same_text(&one, 0.6).is_some(), expected, "{title:?} {html:?}");
    }

    #[test]
    fn bylines_and_footers_in_lines_of_their_own_are_no_part_of_a_text() {
        let title = ["Harbour board in Leeds votes to open the old quay again"; 2];
        let begins =
            "The board has voted to open the old quay to walkers and to small boats from April on after a winter";
        let whole = format!("<p>{begins} of repairs.</p><p>{}</p>", report(20, ""));
        let teaser = format!(
            "<p>Text: Mary Hill</p><p>{begins} […]</p><p>Full story</p><p>First published by Harbour Post.</p>"
        );
        check_same(title, [&whole, &teaser], true);
        let other = format!("<p>Mary Lake, reporter</p><p>{begins} of repairs.</p>");
        check_same(title, [&teaser, &other], true);
        // Footers that end in the same word do not replace each other.
        let footers = ["<p>Full story</p>", "<p>First in the Harbour Post.</p><p>Subscribe and never miss a story</p>"];
        let footed = footers.map(|footer| format!("<p>{begins} of repairs.</p>{footer}"));
        check_same(title, [&footed[0], &footed[1]], true);
    }

    #[test]
    fn editors_one_word_is_told_from_a_filled_form() {
        let check = |title: &str, sentences: usize, [one, other]: [&str; 2], expected: bool| {
            let texts = [one, other].map(|word| form(sentences, &format!("It was {word} six in the evening there. ")));
            check_same([title; 2], [&texts[0], &texts[1]], expected);
        };
        let named = "Harbour board in Leeds votes to open the old quay again";
        check(named, 14, ["about", "around"], true);
        check(named, 14, ["near 17", "near 18"], false);
        check(named, 14, ["Mary", "John"], false);
        // A short text with one word of its own may be a template, and so may a headline without names.
        check(named, 8, ["before", "after"], false);
        check("Health centre opens more hours for everyone this month", 14, ["before", "after"], false);
        // A synonym does not fill a template.
        check(named, 8, ["about", "around"], true);
    }

    #[test]
    fn synonym_is_a_copy_editors_and_another_word_may_be_a_forms() {
        let text = "The harbour board in Leeds opens the old quay to walkers due to the many letters that 9 fishermen wrote, and \
             it hopes for small boats from April on, its chairwoman explains.";
        let check = |others: &str, expected: bool| {
            check_same(["Harbour board opens old quay"; 2], [text, others], expected);
        };
        check(&text.replace("due to", "because of"), true);
        check(&text.replace("walkers", "riders"), false);
        check(&text.replace("Leeds", "York"), false);
        check(&text.replace("9 fishermen", "8 fishermen"), false);
        check(&text.replace("due to", "because of").replace("9 fishermen", "8 fishermen"), false);
        let text = "港口董事会周四宣布，老码头四月起对行人和小船开放，感谢所有写信的渔民，修缮工程历时一个冬天，耗资五百万元，不过码头北墙仍然封闭。";
        let check = |others: &str, expected: bool| check_same(["港口董事会开放老码头"; 2], [text, others], expected);
        check(&text.replace("宣布", "公布"), true);
        check(&text.replace("北墙", "南墙"), false);
    }

    #[test]
    fn short_text_is_recognised_if_it_tells_what_its_headline_says() {
        let short = "The harbour board opens the old quay to walkers from April on, its chairwoman says, and rejoices.";
        let credited = format!("<p>{short}</p><p>First in the Harbour Post.</p>");
        check_same(["Harbour board opens quay"; 2], [short, &credited], true);
        // Such a text may be published over any text of the site.
        check_same(["Good news from the north"; 2], [short, &credited], false);
    }

    #[test]
    fn bylines_and_footers_are_left_out_where_the_text_tells_what_its_headline_says() {
        let title = ["Harbour board opens old quay"; 2];
        let text = "<p>The harbour board opens the old quay to walkers and to small boats from April on, after a winter of \
             repairs for which nobody had hoped.</p>";
        let byline = |name: &str| format!("<p>{name}, staff reporter</p>{text}");
        check_same(title, [&byline("Mary Hill"), &byline("Jane Lake")], true);
        check_same(title, [&byline("Mary Hill"), text], true);
        let head = |name: &str| text.replace("The harbour board", &format!("In {name} the harbour board"));
        check_same(title, [&head("Leeds"), &head("York")], false);
        // Words common to footers do not show that the texts continue.
        let rest =
            "<p>The divers had found no damage beneath the wall, and so the fishermen filled the hall and cheered.</p>";
        let whole = format!("{text}{rest}<p>© The Harbour Post. All rights reserved.</p>");
        let teaser = format!("{text}<p>This article was first published by The Harbour Post.</p>");
        check_same(title, [&whole, &teaser], true);
    }

    #[test]
    fn text_that_is_the_same_is_recognised_under_a_headline_of_ones_own() {
        let text = "The harbour board in Leeds has voted to open the old quay to walkers and to small boats from April on, \
             after a winter of repairs. Fishermen filled the hall; the chairwoman thanked them for nine years of patience.";
        let check = |other_title: &str, other: &str, expected: bool| {
            check_same(["Fishermen cheer: Leeds board opens harbour", other_title], [text, other], expected);
        };
        let rewritten = "Leeds harbour: boats and walkers return";
        check(rewritten, text, true);
        check(rewritten, &format!("{text}<p>First in the Harbour Post.</p>"), true);
        // A headline that says something other than the text may be published over any text of the site.
        check("Win tickets for the summer festival", text, false);
        check(rewritten, &text.replace("nine", "ten"), false);
        check(rewritten, &text.replace("walkers", "riders"), false);
        check(rewritten, &text[..text.find(", after").unwrap()], true);
        check(rewritten, &text[..text.find(" and to small").unwrap()], false);
    }
}
