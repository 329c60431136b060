//! Titles, and what sites put around them.

use super::words::{Words, mixed};

/// Shorter titles are the names of columns: "Weather", "Morning briefing".
pub const LEAST_TITLE: usize = 3;

/// Shorter titles may be those of a column too, "Resolved: problems with the service"; longer ones tell what is told below.
const TELLING_TITLE: usize = 7;

/// As many letters are as telling, in languages of long words.
const TELLING_LETTERS: usize = 38;

/// The name of a site is not longer.
const SITE_NAME: usize = 4;

/// What stands between a title and the name of a site, before it or behind it.
const MARKS: [&str; 14] = [" - ", " – ", " — ", " | ", " :: ", " » ", " « ", " · ", " • ", "｜", "|", "－", "_", " / "];

/// What the name of a site stands in, before a title or behind it.
const BRACKETS: [(char, char); 5] = [('[', ']'), ('(', ')'), ('（', '）'), ('【', '】'), ('［', '］')];

/// A title, whole and without what may be the name of a site in front of it or behind.
#[derive(Clone, Debug)]
pub struct Title {
    pub whole: Words,
    shorter: Vec<Words>,
    /// Without spaces and signs.
    letters: usize,
}

/// How two titles compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Titles {
    /// The same, and so long that they tell what is told below.
    EqualTelling,
    /// The same, and longer than the name of a column.
    Equal,
    /// The same, but so short that many entries may bear it.
    EqualShort,
    /// Mostly of the same words, and no name stands in the place of another.
    Edited,
    /// Mostly of the same words.
    Alike,
    Other,
}

impl Title {
    pub fn of(title: &str) -> Title {
        let mut shorter = Vec::new();
        for (name, rest) in
            MARKS.iter().flat_map(|mark| around(title, mark)).chain(labelled(title)).chain(bracketed(title))
        {
            let (name, rest) = (Words::of(name), Words::of(rest));
            let may_be_site = name.extent() <= SITE_NAME && !name.words.iter().any(|word| word.is_number);
            if may_be_site && rest.extent() >= LEAST_TITLE {
                shorter.push(rest);
            }
        }
        Title { whole: Words::of(title), shorter, letters: title.chars().filter(|c| c.is_alphanumeric()).count() }
    }

    /// The title in all its forms, the shortest first.
    pub fn forms(&self) -> Vec<&Words> {
        let mut forms: Vec<_> = self.shorter.iter().chain([&self.whole]).collect();
        forms.sort_by_key(|form| form.words.len());
        forms
    }

    /// A key of the title without names of sites; `None` where there is none.
    pub fn key(&self) -> Option<u64> {
        let shortest = self.forms().into_iter().find(|form| !form.is_empty())?;
        Some(shortest.words.iter().fold(1, |hash, word| mixed(hash, word.hash)))
    }

    pub fn compare(&self, other: &Title) -> Titles {
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

    /// Whether the two are the same but for the names of sites.
    pub fn is(&self, other: &Title) -> bool {
        let hashes = |title: &Title| {
            let forms = title.forms().into_iter();
            forms.map(|form| form.words.iter().map(|word| word.hash).collect()).collect::<Vec<Vec<u64>>>()
        };
        let others = hashes(other);
        hashes(self).iter().any(|form| others.contains(form))
    }
}

/// Names and the rest: behind the last mark, behind the first, before the first.
fn around<'t>(title: &'t str, mark: &str) -> impl Iterator<Item = (&'t str, &'t str)> {
    let first = title.split_once(mark);
    let last = first.and_then(|_| title.rsplit_once(mark));
    let behind = [last, first].into_iter().flatten().map(|(rest, name)| (name, rest));
    behind.chain(first)
}

/// As in `The Post: what happened`.
fn labelled(title: &str) -> Option<(&str, &str)> {
    title.split_once(": ").or_else(|| title.split_once('：'))
}

/// As in `[The Post] what happened` and `what happened (The Post)`.
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
}
