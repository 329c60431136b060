//! Whether the texts of two entries contradict the link that they share.
//!
//! They do only if both have much that the other lacks, or if the titles are those of two in a series.

use foldhash::HashSet;

use super::likeness::Wording;
use super::parting::{LEAST_TEXT, OWN_WORDS, Vocabulary};
use super::title::Titles;
use super::words::Words;

/// A text of this many words says what its entry is about.
const SAYING_TEXT: usize = 12;

/// At most one in this many significant words of a headline occurs in an unrelated entry by chance.
const STRAY_WORDS: usize = 4;

/// The most words of a short form, such as a report of a stock market, with what its site adds.
const SHORT_FORM: usize = 50;

/// The fewest numbers of such a form.
const LEAST_NUMBERS: usize = 3;

/// An edit leaves at least one in this many shingles of the shorter text; different texts have fewer in common.
const EDITED_SHARE: usize = 5;

impl Wording {
    /// Returns whether the texts contradict a shared link: both have much that the other lacks, as in a link blog's
    /// comment, or they are two of a series at one address. Different recordings under different titles contradict the
    /// link too.
    pub fn contradicts(&self, other: &Wording) -> bool {
        let (own, others) = (self.vocabulary(), other.vocabulary());
        let own_texts = own.extent_without(&[&others]).min(others.extent_without(&[&own]));
        let is_series = self.title.is_series_with(&other.title) && own_texts >= LEAST_TEXT / 2;
        let are_episodes = self.media.contradicts(&other.media) && !self.title.is(&other.title);
        own_texts >= OWN_WORDS || is_series || are_episodes || self.is_unrelated(other)
    }

    /// Returns whether two entries with one guid, which others cannot have by chance, may be copies: the titles or the
    /// texts are similar, and nothing contradicts.
    pub fn may_share_guid_with(&self, other: &Wording) -> bool {
        let is_like = self.has_title_like(other) || self.shares_text_with(other);
        is_like && !self.media.contradicts(&other.media) && !self.contradicts(other)
    }

    /// Returns whether the two entries are about different subjects: hardly a significant word of a headline is in the
    /// other entry, and the texts have little in common. Many such stories link to the page of a section, `/live` or `/?p=1`.
    fn is_unrelated(&self, other: &Wording) -> bool {
        let names_nothing_of = |one: &Wording, other: &Wording| {
            let words = other.vocabulary();
            let telling = Vocabulary::of(&one.title.whole.words).telling();
            let found = telling.iter().filter(|hash| words.words.contains_key(hash)).count();
            !telling.is_empty() && found * STRAY_WORDS < telling.len()
        };
        self.tells_another_text(other, SAYING_TEXT * 5 / 3)
            && names_nothing_of(self, other)
            && names_nothing_of(other, self)
    }

    /// Returns whether neither headlines nor texts are similar, though both are long enough to tell: then the address
    /// of a page that may be a section's does not make them one story.
    pub fn has_nothing_of(&self, other: &Wording) -> bool {
        self.tells_another_text(other, SAYING_TEXT) && !self.has_title_like(other)
    }

    /// Returns whether each entry has a text of at least `least` words and as many words that the other entry lacks, and
    /// the texts have little in common.
    fn tells_another_text(&self, other: &Wording, least: usize) -> bool {
        let says_enough = |one: &Wording, other: &Wording| {
            let own = one.vocabulary().extent_without(&[&other.vocabulary()]);
            one.texts.first().is_some_and(|text| text.extent() >= least) && own >= least
        };
        says_enough(self, other) && says_enough(other, self) && !self.shares_text_with(other)
    }

    /// Returns whether the shorter text is in the other, sentence by sentence, from its opening on. If an entry has no
    /// text, returns whether the titles may be one.
    pub fn has_text_of(&self, other: &Wording) -> bool {
        self.coverage(other).map_or_else(|| self.shares_text_with(other), |coverage| coverage.is_one_text())
    }

    /// Returns whether the texts have sentences in common, but with other numbers, or the first with other names.
    pub fn has_other_facts(&self, other: &Wording) -> bool {
        self.coverage(other).is_some_and(|coverage| coverage.has_other_facts())
    }

    /// Returns whether the headlines are different or those of a series, and neither text has the other's opening,
    /// though both are long enough to tell.
    pub fn begins_elsewhere(&self, other: &Wording) -> bool {
        let has_opening = || self.coverage(other).is_none_or(|coverage| coverage.has_opening());
        let is_like = matches!(self.title.compare(&other.title), Titles::EqualTelling | Titles::Edited);
        self.says_enough() && other.says_enough() && !is_like && !has_opening()
    }

    /// Returns whether the text is long enough to say what its entry is about.
    fn says_enough(&self) -> bool {
        self.texts.first().is_some_and(|text| text.extent() >= SAYING_TEXT)
    }

    /// Returns whether the headlines are the same, as those of a column are, and the texts are not: they have the same
    /// sentences with other numbers, or neither has the other's opening, though both are long enough to tell.
    pub fn is_next_issue_of(&self, other: &Wording) -> bool {
        let is_same =
            matches!(self.title.compare(&other.title), Titles::EqualTelling | Titles::Equal | Titles::EqualShort);
        is_same
            && self.coverage(other).is_some_and(|coverage| {
                coverage.has_other_facts() || self.says_enough() && other.says_enough() && !coverage.has_opening()
            })
    }

    /// Returns whether a form was filled again, and not an article updated: both texts begin with the same sentence with
    /// other numbers or names, and have little else in common; or both are short and have a phrase in common, but not
    /// their numbers. A report of a stock market says "rose" on one day and "fell" on the next.
    pub fn is_filled_again_in(&self, other: &Wording) -> bool {
        self.coverage(other).is_some_and(|coverage| coverage.is_filled_again())
            || self.has_phrase_with_other_numbers(other)
    }

    fn has_phrase_with_other_numbers(&self, other: &Wording) -> bool {
        let (Some(own), Some(others)) = (self.texts.first(), other.texts.first()) else { return false };
        let numbers = |text: &Words| -> HashSet<u64> {
            text.words.iter().filter(|word| word.is_number).map(|word| word.hash).collect()
        };
        let (one, two) = (numbers(own), numbers(others));
        let (shared, least) = (one.intersection(&two).count(), one.len().min(two.len()));
        let phrases: HashSet<u64> = own.shingles().collect();
        own.extent().max(others.extent()) <= SHORT_FORM
            && least >= LEAST_NUMBERS
            && shared * 3 <= least
            && others.shingles().any(|shingle| phrases.contains(&shingle))
    }

    /// Returns whether so much of the shorter text is in the longer one that one may be an edit of the other. Compares
    /// the titles if an entry has no text.
    pub fn shares_text_with(&self, other: &Wording) -> bool {
        let (own, others) = match (self.texts.first(), other.texts.first()) {
            (Some(own), Some(others)) => (own, others),
            _ => (&self.title.whole, &other.title.whole),
        };
        let (own, others): (HashSet<u64>, HashSet<u64>) = (own.shingles().collect(), others.shingles().collect());
        let shared = own.intersection(&others).count();
        shared > 0 && shared * EDITED_SHARE >= own.len().min(others.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::Entry;
    use crate::text::PlainText;

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
    fn next_issue_of_a_page_has_the_headline_and_another_text() {
        let check = |one: &str, other: &str, expected: bool| {
            let (one, other) = (wording("Weather for today", one), wording("Weather for today", other));
            assert_eq!(one.is_next_issue_of(&other), expected, "{one:?} {other:?}");
            assert_eq!(other.is_next_issue_of(&one), expected, "{other:?} {one:?}");
        };
        let wet = "It will be wet with strong winds from the north-east. Highest temperature 20 degrees, lowest 2.";
        check(wet, &wet.replace("20", "12"), true);
        check(
            wet,
            "Mist lies over the valleys until noon, and nobody expects the sun before Sunday, says the office.",
            true,
        );
        check(wet, wet, false);
        check(wet, "It will be wet with strong winds from the north-east.", false);
        check(wet, "From the Post.", false);
    }

    #[test]
    fn text_that_names_its_source_needs_only_the_opening() {
        let check = |title: &str, one: &str, other: &str, expected: bool| {
            let (one, other) = (wording("Old quay opens to walkers", one), wording(title, other));
            assert_eq!(one.credited_text(&other).is_some(), expected, "{title} {other:?}");
            assert_eq!(other.credited_text(&one).is_some(), expected, "{title} {other:?}");
        };
        let text = "The board opens the old quay to walkers in April, said its chairwoman. Repairs cost 4 million. \
                    Nobody spoke against it.";
        let short = "The board opens the old quay to walkers in April, said its chairwoman.";
        check("Boats and walkers return", text, &format!("{short} Source: Harbour Post"), true);
        check("Boats and walkers return", text, &short.replace("opens", "reopens"), true);
        check("Boats and walkers return", text, &text.replace("4 million", "5 million"), false);
        check("Boats and walkers return", text, &format!("A crane fell into the water this morning. {text}"), false);
        check("In pictures: the old quay", text, short, false);
        check("Boats and walkers return", text, "The board said nothing.", false);
    }

    #[test]
    fn entries_with_one_guid_are_apart_if_title_and_text_differ() {
        let check = |title: &str, text: &str, expected: bool| {
            let (one, other) = (wording("The roof", "A roofer left with the money."), wording(title, text));
            assert_eq!(one.may_share_guid_with(&other), expected, "{title}");
            assert_eq!(other.may_share_guid_with(&one), expected, "{title}");
        };
        check("The roof", "Where did the money go?", true);
        check("Harbour Hours: The roof", "A roofer left with the money. Write to us!", true);
        check("#7 Das Dach", "A roofer left with the money.", true);
        check("The eclipse", "Two hundred strangers waited on a hill.", false);
    }

    #[test]
    fn form_is_filled_again_if_little_of_it_stays() {
        let check = |one: &str, other: &str, expected: bool| {
            let (one, other) = (wording("Shares close higher", one), wording("Shares close mixed", other));
            assert_eq!(one.is_filled_again_in(&other), expected, "{one:?} {other:?}");
        };
        let report =
            "The main index closed up 0.5 per cent at 7960 points. Banks led, while the pound stood at 1.35 dollars.";
        check(report, &report.replace("0.5", "1.8").replace("7960", "8120").replace("1.35", "1.27"), true);
        check(report, report, false);
        let fell =
            "The main index lost 2.1 per cent to 8045 points. Energy fell, while the pound stood at 1.29 dollars.";
        check(report, fell, true);
        check(
            "L'indice a gagné 3,9 % à 7940 points lundi. L'acier a pesé. La livre valait 1,34 dollar.",
            "L'indice a cédé 1,2 % à 7615 points mardi. Les mines ont tenu. La livre valait 1,28 dollar.",
            true,
        );
        // An update keeps most numbers, and a summary has those of the article.
        check(report, "Shares rose by 0.5 per cent to 7960 points. Nobody had expected it.", false);
        let storm = "The storm killed 12 people on the coast, the governor said. It tore the roofs off whole streets, and boats \
                     lie in gardens. Rescuers search the harbour with dogs, and schools stay closed until Monday.";
        check(storm, &storm.replace("12", "19"), false);
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
        // Another report of the same news names it too.
        let again = (
            "Walkers return to the old quay",
            "It took a winter of repairs, but now the harbour has its promenade back.",
        );
        check(quay, again, (false, false));
        // A short note is too short to be about something else.
        check(quay, ("Worth a read", "My favourite of the week."), (false, false));
        check(quay, ("Choir sings in the depot", ""), (false, false));
    }

    #[test]
    fn two_posts_of_one_page_begin_with_their_own_event() {
        let check = |one: &str, other: &str, expected: (bool, bool, bool)| {
            let (one, other) = (wording("Live: the quay", one), wording("At noon: news from the coast", other));
            for (one, other) in [(&one, &other), (&other, &one)] {
                let found = (one.has_text_of(other), one.has_other_facts(other), one.begins_elsewhere(other));
                assert_eq!(found, expected, "{one:?} {other:?}");
            }
        };
        let fire = "A fire broke out at a paper mill near Ashport at 6 and 44 people were led from their homes.";
        let rest = "Nobody was hurt, said the fire chief. Trains were stopped while engineers walked the line.";
        let post = format!("{fire} {rest}");
        check(&post, &format!("<p>{fire}</p><p>{rest}</p><p>Read more</p>"), (true, false, false));
        check(&post, &format!("{} {rest}", fire.replace("44", "58")), (false, true, true));
        let strike = "Bus drivers stay away from work for two days from Monday, their union told the city's paper.";
        check(&post, &format!("{strike} {rest}"), (false, false, true));
    }
}
