//! Titles, and what sites add to them.
//!
//! Two titles are those of a series if they are similar except for a number: "Week 512 in trams" and "Week 513 in
//! trams", or under a label, "Day 5: Oslo votes" and "Day 6: the count". Two headlines that merely both have a number
//! are no series: of two headlines on one storm, one may say how many it killed, and the other how the death toll
//! rises.

use foldhash::HashSet;

use super::genre::{Genre, genres};
use super::words::{Word, Words, mixed};

/// Titles with fewer words are the names of columns: "Weather", "Morning briefing".
pub(super) const LEAST_TITLE: usize = 3;

/// Titles with fewer words may be those of a column too, "Resolved: problems with the service"; longer titles say what
/// the text below says.
const TELLING_TITLE: usize = 7;

/// A headline with fewer words in common with a text does not match the text.
const LEAST_TOLD: usize = 3;

/// A title with this many letters counts as one of [`TELLING_TITLE`] words, for languages with long words.
const TELLING_LETTERS: usize = 38;

/// The most words of a site's name.
const SITE_NAME: usize = 4;

/// Separators between a title and the name of a site, before or after it.
const MARKS: [&str; 14] = [" - ", " – ", " — ", " | ", " :: ", " » ", " « ", " · ", " • ", "｜", "|", "－", "_", " / "];

/// Brackets around the name of a site, before or after a title.
const BRACKETS: [(char, char); 5] = [('[', ']'), ('(', ')'), ('（', '）'), ('【', '】'), ('［', '］')];

/// A title, whole and without what may be the name of a site before or after it.
#[derive(Clone, Debug)]
pub(super) struct Title {
    /// All words of the title.
    pub whole: Words,
    shorter: Vec<Words>,
    /// Short parts before or after a separator that have a number, as in "Part 5: …" and "… (Part 5)".
    labels: Vec<Words>,
    /// The forms that it names: "In pictures: …", "… (video)".
    pub genres: HashSet<Genre>,
    /// How many letters the title has, without spaces and signs.
    letters: usize,
}

/// The result of comparing two titles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Titles {
    /// The titles are the same, and long enough to say what the text below says.
    EqualTelling,
    /// The titles are the same, and longer than the name of a column.
    Equal,
    /// The titles are the same, but so short that many entries may have this title.
    EqualShort,
    /// The titles have mostly the same words, and no name replaces another.
    Edited,
    /// The titles have mostly the same words.
    Alike,
    Other,
}

impl Titles {
    /// Returns whether the titles are the same, and longer than the name of a column.
    pub(super) fn are_same(self) -> bool {
        matches!(self, Titles::EqualTelling | Titles::Equal)
    }
}

impl Title {
    /// Splits a title.
    pub(super) fn of(title: &str) -> Title {
        let (mut shorter, mut labels, mut names) = (Vec::new(), Vec::new(), Vec::new());
        for (name, rest) in
            MARKS.iter().flat_map(|mark| around(title, mark)).chain(labelled(title)).chain(bracketed(title))
        {
            let (name, rest) = (Words::of(name), Words::of(rest));
            if name.extent() > SITE_NAME {
                continue;
            }
            if name.words.iter().any(|word| word.is_number) {
                labels.push(name);
                continue;
            }
            names.push(name);
            if rest.extent() >= LEAST_TITLE {
                shorter.push(rest);
            }
        }
        let whole = Words::of(title);
        Title {
            genres: genres(&whole, &names),
            whole,
            shorter,
            labels,
            letters: title.chars().filter(|c| c.is_alphanumeric()).count(),
        }
    }

    /// Returns the title in all its forms (whole, and without what may be the name of a site), the shortest first.
    pub(super) fn forms(&self) -> Vec<&Words> {
        let mut forms: Vec<_> = self.shorter.iter().chain([&self.whole]).collect();
        forms.sort_by_key(|form| form.words.len());
        forms
    }

    /// Returns a key of the title without names of sites; `None` if there is no title.
    pub(super) fn key(&self) -> Option<u64> {
        let shortest = self.forms().into_iter().find(|form| !form.is_empty())?;
        Some(shortest.words.iter().fold(1, |hash, word| mixed(hash, word.hash)))
    }

    /// Compares two titles.
    pub(super) fn compare(&self, other: &Title) -> Titles {
        let extent = self.whole.extent().min(other.whole.extent());
        if self.is(other) {
            let is_telling = extent >= TELLING_TITLE || self.letters.min(other.letters) >= TELLING_LETTERS;
            return match extent {
                _ if is_telling => Titles::EqualTelling,
                LEAST_TITLE.. => Titles::Equal,
                _ => Titles::EqualShort,
            };
        }
        let (own, others) = (self.whole.hashes(), other.whole.hashes());
        let shared = own.intersection(&others).count();
        let is_alike = shared * 2 >= own.union(&others).count() && shared >= LEAST_TITLE;
        match is_alike && !self.whole.numbers_against(&other.whole) {
            true if !self.whole.names_against(&other.whole) => Titles::Edited,
            true => Titles::Alike,
            false => Titles::Other,
        }
    }

    /// Returns whether the title names a person, a place or a number; if every word has a capital, capitals mark no
    /// names.
    pub(super) fn is_specific(&self) -> bool {
        let words = &self.whole.words;
        let has_lower = words.iter().skip(1).any(|word| word.is_telling() && !word.is_name && !word.is_number);
        words.iter().any(|word| word.is_number || word.is_name && has_lower)
    }

    /// Returns whether a text with these words *tells* the title: at least half of the title's significant words are
    /// among these words, or are spelt like one of them.
    pub(super) fn is_told_in(&self, words: &[Word]) -> bool {
        let telling = || self.whole.words.iter().filter(|word| word.is_telling());
        let found = telling().filter(|own| words.iter().any(|word| own.is_spelt_as(*word))).count();
        found >= LEAST_TOLD && found * 2 >= telling().count()
    }

    /// Returns whether the two are titles of a series: similar, as a whole or in a label, except for a number.
    pub(super) fn is_series_with(&self, other: &Title) -> bool {
        self.whole.numbers_against(&other.whole)
            && (is_alike_but_for_numbers(&self.whole, &other.whole) || self.has_label_like(other))
    }

    /// Returns whether both have a label that is the same except for its number.
    pub(super) fn has_label_like(&self, other: &Title) -> bool {
        self.labels.iter().any(|own| other.labels.iter().any(|label| is_same_but_for_numbers(own, label)))
    }

    /// Returns whether the titles, or a label of each, are the same except for a number, as those of two parts are: "The
    /// quay (1/2)" and "The quay (2/2)".
    pub(super) fn is_other_part_than(&self, other: &Title) -> bool {
        let is_other = |own: &Words, others: &Words| {
            let is_same = own.words.iter().map(|word| word.hash).eq(others.words.iter().map(|word| word.hash));
            !is_same && is_same_but_for_numbers(own, others)
        };
        is_other(&self.whole, &other.whole)
            || self.labels.iter().any(|own| other.labels.iter().any(|label| is_other(own, label)))
    }

    /// Returns whether the two are the same except for the names of sites.
    pub(super) fn is(&self, other: &Title) -> bool {
        let hashes = |title: &Title| {
            let forms = title.forms().into_iter();
            forms.map(|form| form.words.iter().map(|word| word.hash).collect()).collect::<Vec<Vec<u64>>>()
        };
        let others = hashes(other);
        hashes(self).iter().any(|form| others.contains(form))
    }
}

/// Returns whether both titles have at least half of their words in common, numbers left out.
fn is_alike_but_for_numbers(one: &Words, other: &Words) -> bool {
    let others = |words: &Words| -> HashSet<u64> {
        words.words.iter().filter(|word| !word.is_number).map(|word| word.hash).collect()
    };
    let (one, other) = (others(one), others(other));
    one.intersection(&other).count() * 2 >= one.union(&other).count()
}

/// Returns whether the two are the same word for word, except for numbers in the same places.
fn is_same_but_for_numbers(one: &Words, other: &Words) -> bool {
    let is_like = |(one, other): (&Word, &Word)| one.hash == other.hash || one.is_number && other.is_number;
    one.words.len() == other.words.len() && one.words.iter().zip(&other.words).all(is_like)
}

/// Returns pairs of a name and the rest: after the last separator, after the first, before the first.
fn around<'t>(title: &'t str, mark: &str) -> impl Iterator<Item = (&'t str, &'t str)> {
    let first = title.split_once(mark);
    let last = first.and_then(|_| title.rsplit_once(mark));
    let behind = [last, first].into_iter().flatten().map(|(rest, name)| (name, rest));
    behind.chain(first)
}

/// Splits a title as in `The Post: what happened`.
fn labelled(title: &str) -> Option<(&str, &str)> {
    title.split_once(": ").or_else(|| title.split_once('：'))
}

/// Splits a title as in `[The Post] what happened` and `what happened (The Post)`.
fn bracketed(title: &str) -> impl Iterator<Item = (&str, &str)> {
    let title = title.trim();
    BRACKETS.iter().filter_map(move |(open, close)| {
        let before = title.strip_prefix(*open).and_then(|rest| rest.split_once(*close));
        let behind = || title.strip_suffix(*close)?.rsplit_once(*open).map(|(rest, name)| (name, rest));
        before.or_else(behind)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(one: &str, other: &str, expected: Titles) {
        assert_eq!(Title::of(one).compare(&Title::of(other)), expected, "{one} / {other}");
        assert_eq!(Title::of(other).compare(&Title::of(one)), expected, "{other} / {one}");
    }

    #[test]
    fn name_of_a_site_is_no_part_of_a_title() {
        let title = "Harbour board votes to reopen the quay";
        for named in [
            "Harbour board votes to reopen the quay | The Post",
            "The Post: Harbour board votes to reopen the quay",
            "[Post] Harbour board votes to reopen the quay",
            "HARBOUR BOARD VOTES TO REOPEN THE QUAY (The Post)",
            "Harbour board votes to reopen the quay « News « Post",
        ] {
            check(title, named, Titles::EqualTelling);
        }
        check("老茶馆改造成社区图书馆居民值班", "老茶馆改造成社区图书馆居民值班_新闻网", Titles::EqualTelling);
        check("Weather in Leeds today", "Weather in Leeds today - Post", Titles::Equal);
        check("Open thread", "Open thread", Titles::EqualShort);
    }

    #[test]
    fn members_of_a_series_have_other_titles() {
        check("This Week in Rust 512", "This Week in Rust 513", Titles::Other);
        check("La météo du lundi pour la côte", "La météo du mardi pour la côte", Titles::Other);
        check("Weather for Aldmouth on Thursday", "Weather for Hallerby on Thursday", Titles::Alike);
        check("Mayor resigns after vote", "Mayor resigns after long debate", Titles::Edited);
        check("老茶馆改造成社区图书馆居民值班", "老茶馆改造成社区图书馆邻居值班", Titles::Alike);
        check("老茶馆改造成社区图书馆居民值班", "老茶馆改造成图书馆居民值班", Titles::Edited);
    }

    #[test]
    fn titles_that_are_alike_but_for_a_number_are_of_a_series() {
        let check = |one: &str, other: &str, expected: bool| {
            let (one, other) = (Title::of(one), Title::of(other));
            assert_eq!(one.is_series_with(&other), expected, "{one:?} / {other:?}");
            assert_eq!(other.is_series_with(&one), expected, "{other:?} / {one:?}");
        };
        check("This Week in Rust 512", "This Week in Rust 513", true);
        check("iPhone 16 review", "iPhone 17 review: worth it", true);
        check("La météo du lundi pour la côte", "La météo du mardi pour la côte", true);
        check("Day 5: Oslo votes", "Day 6: the count begins in the north", true);
        check("The cat of the house (part two)", "Why dogs bark at night (part three)", true);
        check("Episode 12 | Bread at home", "Episode 13 | Cheese and how to age it", true);
        check("512: Bread at home", "513: Cheese and how to age it", true);
        check("台风第12号逼近海岸", "台风第13号逼近海岸", true);
        check("12", "13", true);

        check("Storm kills 12", "Death toll from the storm rises to 19", false);
        check("Earthquake in the north: 12 dead", "At least 19 killed as earthquake hits north", false);
        check("iPhone 17 review", "9 things that I learned from the new iPhone", false);
        check("Second bridge opens to traffic", "Mayor opens three lanes on the new bridge", false);
        check("Deux morts dans un incendie à Lyon", "Incendie mardi soir : le bilan s'alourdit", false);
        check("Grève : les bus à l'arrêt mardi", "Deux jours sans bus dans la métropole", false);
        check("This Week in Rust 512", "This Week in Rust 512", false);
        check("This Week in Rust 512", "This Week in Rust", false);
    }

    #[test]
    fn titles_that_differ_only_in_the_number_of_a_part_are_of_two_parts() {
        let check = |one: &str, other: &str, expected: bool| {
            let (one, other) = (Title::of(one), Title::of(other));
            assert_eq!(one.is_other_part_than(&other), expected, "{one:?} / {other:?}");
            assert_eq!(other.is_other_part_than(&one), expected, "{other:?} / {one:?}");
        };
        check("The old quay (1/2)", "The old quay (2/2)", true);
        check("The old quay, page 1", "The old quay, page 2", true);
        check("Part 1: the old quay", "Part 2: the boats return", true);
        check("The old quay (1/2)", "The old quay (1/2)", false);
        check("The old quay", "The old quay (part 2)", false);
        check("Quay closed for 12 days", "The quay was closed for 12 days", false);
    }
}
