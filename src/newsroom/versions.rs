//! Finds versions of one entry: some feeds give an entry a new guid, with a higher number, after every edit.
//!
//! The policy of versions: the guids of two versions of an entry differ only in a counter, fragment or version at the
//! end. The versions have the same specific link, and they do not have different authors. From one poll to the next,
//! the date or much of the text must also be the same.
//!
//! Within one document more must be the same, because a page may have parts that are separate entries, such as forum
//! replies and comments. The date, all authors, the anchor of the link and much of the text must be the same. Two parts
//! of a series, and two recordings, are never versions. Only the latest of the versions that a document lists is used,
//! and the guids of the others lead to it. This module does no I/O.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use url::Url;

use super::joins::anchor;
use super::{Cleaned, FormerEntry, Known, PolledEntry};
use crate::link;
use crate::number::EntryNumber;
use crate::rows::KnownEntry;
use crate::story::Wording;
use crate::time::Timestamp;

/// The most versions with one link. A feed that lists old versions lists only the last few, so more entries with one
/// link are parts of a page.
const MOST_LISTED: usize = 8;

/// Returns the values that versions of one entry have in common: the guid without its version, together with each link.
pub(super) fn signs(guid: &str, links: Vec<String>) -> Vec<String> {
    let stems = without_version(guid);
    stems.iter().flat_map(|stem| links.iter().map(move |link| format!("{stem} {link}"))).collect()
}

/// Returns a guid without its fragment. For a guid that has no fragment, returns the guid itself and, if it ends with a
/// counter or version, the guid without that. A counter does not begin in the middle of a word.
fn without_version(guid: &str) -> Vec<&str> {
    let trimmed = |stem: &str| stem.trim_end_matches(|c: char| !c.is_alphanumeric()).len();
    if let Some((stem, _)) = guid.split_once('#') {
        return vec![&stem[..trimmed(stem)]];
    }
    let stem = guid.trim_end_matches(is_of_version);
    let stem = stem.strip_suffix(['v', 'V', 'r']).filter(|stem| !stem.ends_with(char::is_alphanumeric)).unwrap_or(stem);
    let is_counted = stem.len() < guid.len() && !stem.ends_with(char::is_alphanumeric);
    let counted = is_counted.then(|| &stem[..trimmed(stem)]);
    [&guid[..trimmed(guid)]].into_iter().chain(counted).collect()
}

fn is_of_version(character: char) -> bool {
    character.is_ascii_digit() || character == '.'
}

/// Returns the numbers at the end of a guid, such as 1 and 10 of `v1.10`; empty if there are none.
fn version(guid: &str) -> Vec<u64> {
    let end = &guid[guid.trim_end_matches(is_of_version).len()..];
    end.split('.').filter_map(|number| number.parse().ok()).collect()
}

/// Returns whether an entry whose guid differs only in its version is an edit of the former entry: it has the same
/// date, or the same anchor and much of the same text. An entry by other authors is an answer on the same page.
pub(super) fn is_version(cleaned: &Cleaned, former: &FormerEntry) -> bool {
    let own: Vec<_> = cleaned.entry.authors.iter().map(|author| author.display()).collect();
    let has_authors = !own.is_empty() && !former.authors.is_empty();
    let has_other_authors = has_authors && !own.iter().any(|own| former.authors.iter().any(|author| author == own));
    let is_same_part = part(cleaned.entry.link.as_ref()) == part(former.link.as_ref());
    let shares_text = || former.wording.as_ref().is_none_or(|wording| cleaned.wording().shares_text_with(wording));
    !has_other_authors && (keeps_date(cleaned, former) || is_same_part && shares_text())
}

/// Returns whether both entries have the same date of publishing.
pub(super) fn keeps_date(cleaned: &Cleaned, former: &FormerEntry) -> bool {
    former.published.is_some() && cleaned.entry.published == former.published
}

fn part(link: Option<&Url>) -> Option<&str> {
    link.and_then(anchor)
}

/// The versions of entries that a document lists.
#[derive(Debug, Default)]
pub(super) struct Versions<'k> {
    /// For the guid of each earlier version, the guid of the latest version.
    pub(super) latest: HashMap<String, String>,
    /// For the guid of the latest version, the known entry that has the guid of an earlier version.
    pub(super) known: HashMap<String, &'k FormerEntry>,
}

impl<'k> Versions<'k> {
    /// Finds the versions among the entries of a document. Two entries that the store knows as different entries are
    /// not versions of one entry.
    pub(super) fn of(entries: &[PolledEntry], known: &'k Known) -> Versions<'k> {
        let mut versions = Versions::default();
        if entries.iter().all(|entry| known.entries.get(&entry.guid).is_some_and(|known| !known.is_alias)) {
            return versions;
        }
        let listing = Listing::of(entries, known);
        let mut used: HashSet<usize> = HashSet::new();
        for ((_, key), group) in &listing.groups {
            let is_specific = listing.bearers.get(key) == Some(&group.len());
            let is_group = (2..=MOST_LISTED).contains(&group.len()) && is_specific;
            if is_group && !group.iter().any(|at| used.contains(at)) && versions.take(group, &listing.listed, known) {
                used.extend(group);
            }
        }
        versions
    }

    /// Records the entries of a group as versions, if they are versions of one entry. Returns whether they are.
    fn take(&mut self, group: &[usize], listed: &[Listed], known: &'k Known) -> bool {
        let group: Vec<&Listed> = group.iter().map(|at| &listed[*at]).collect();
        // If several entries have the latest version, take the first of them, because documents list the newest entry
        // first.
        let latest = group.iter().rev().max_by_key(|entry| version(entry.guid));
        let Some(latest) = latest else { return false };
        let mut numbers: Vec<EntryNumber> =
            group.iter().filter_map(|entry| entry.known).map(|entry| entry.number).collect();
        numbers.sort_unstable();
        numbers.dedup();
        let is_of_known = |entry: &Listed| entry.known.is_some_and(|known| known.is_alias);
        let are_versions = group
            .iter()
            .filter(|entry| entry.guid != latest.guid)
            .all(|entry| entry.is_of_same_place(latest) && (is_of_known(entry) || entry.has_words_like(latest)));
        if numbers.len() > 1 || !are_versions {
            return false;
        }
        if let Some(number) = numbers.first().filter(|_| latest.known.is_none_or(|known| known.is_alias)) {
            let former = known.former.iter().find(|former| former.number == *number);
            let Some(former) = former else { return false };
            self.known.insert(latest.guid.to_owned(), former);
        }
        let earlier = group.iter().filter(|entry| entry.guid != latest.guid);
        self.latest.extend(earlier.map(|entry| (entry.guid.to_owned(), latest.guid.to_owned())));
        true
    }

    /// Returns whether the document lists a later version of this entry.
    pub(super) fn is_earlier(&self, guid: &str) -> bool {
        self.latest.contains_key(guid)
    }
}

/// The entries of a document that share a link with others, in groups.
struct Listing<'a> {
    listed: Vec<Listed<'a>>,
    /// The groups of entries with the same guid without its version and the same link key. A group has indexes into
    /// `listed`, in the order of the document.
    groups: BTreeMap<(&'a str, &'a str), Vec<usize>>,
    /// How many entries of the document have each link key.
    bearers: HashMap<&'a str, usize>,
}

impl<'a> Listing<'a> {
    fn of(entries: &'a [PolledEntry], known: &'a Known) -> Listing<'a> {
        let former: HashMap<EntryNumber, &FormerEntry> =
            known.former.iter().map(|former| (former.number, former)).collect();
        let words = |entry: &'a PolledEntry| ListedWords::of(entry, known, &former);
        let mut listing = Listing { listed: Vec::new(), groups: BTreeMap::new(), bearers: HashMap::new() };
        for key in entries.iter().filter_map(words).flat_map(|words| words.keys()) {
            *listing.bearers.entry(key).or_default() += 1;
        }
        // Only entries that share a link are added. Usually these are few.
        for entry in entries {
            let Some(words) = words(entry) else { continue };
            if words.keys().any(|key| listing.bearers[key] > 1) {
                listing.add(&entry.guid, words, known.entries.get(&entry.guid));
            }
        }
        listing
    }

    fn add(&mut self, guid: &'a str, words: ListedWords<'a>, known: Option<&'a KnownEntry>) {
        let own = words.link().and_then(link::key);
        let Some(key) = words.keys().find(|key| own.as_deref() == Some(*key)) else { return };
        let stems: BTreeSet<&str> = without_version(guid).into_iter().filter(|stem| !stem.is_empty()).collect();
        for stem in stems {
            self.groups.entry((stem, key)).or_default().push(self.listed.len());
        }
        self.listed.push(Listed::of(guid, words, known));
    }
}

/// The content of an entry of the document.
#[derive(Clone, Copy)]
enum ListedWords<'a> {
    Read(&'a Cleaned),
    /// The stored content of an entry that has not changed: such an entry is not cleaned again.
    Kept(&'a FormerEntry),
}

impl<'a> ListedWords<'a> {
    fn of(
        entry: &'a PolledEntry,
        known: &Known,
        former: &HashMap<EntryNumber, &'a FormerEntry>,
    ) -> Option<ListedWords<'a>> {
        if let Some(cleaned) = &entry.cleaned {
            return Some(ListedWords::Read(cleaned));
        }
        let known = known.entries.get(&entry.guid).filter(|known| !known.is_alias)?;
        former.get(&known.number).copied().map(ListedWords::Kept)
    }

    fn keys(self) -> impl Iterator<Item = &'a str> {
        let (read, kept): (&[_], &[_]) = match self {
            ListedWords::Read(cleaned) => (&cleaned.link_keys, &[]),
            ListedWords::Kept(former) => (&[], &former.specific_keys),
        };
        read.iter().map(|key| key.key.as_str()).chain(kept.iter().map(String::as_str))
    }

    fn wording(self) -> Option<&'a Wording> {
        match self {
            ListedWords::Read(cleaned) => Some(cleaned.wording()),
            ListedWords::Kept(former) => former.wording.as_ref(),
        }
    }

    fn link(self) -> Option<&'a Url> {
        match self {
            ListedWords::Read(cleaned) => cleaned.entry.link.as_ref(),
            ListedWords::Kept(former) => former.link.as_ref(),
        }
    }
}

/// An entry of the document, prepared for comparing with other entries of the document.
struct Listed<'a> {
    guid: &'a str,
    link: Option<&'a Url>,
    published: Option<Timestamp>,
    /// The authors in alphabetical order.
    authors: Vec<&'a str>,
    words: ListedWords<'a>,
    known: Option<&'a KnownEntry>,
}

impl<'a> Listed<'a> {
    fn of(guid: &'a str, words: ListedWords<'a>, known: Option<&'a KnownEntry>) -> Listed<'a> {
        let link = words.link();
        let (published, mut authors): (_, Vec<&str>) = match words {
            ListedWords::Read(cleaned) => {
                let authors = cleaned.entry.authors.iter().map(|author| author.display());
                (cleaned.entry.published, authors.collect())
            }
            ListedWords::Kept(former) => (former.published, former.authors.iter().map(String::as_str).collect()),
        };
        authors.sort_unstable();
        Listed { guid, link, published, authors, words, known }
    }

    /// Returns whether both entries have the same date, the same authors and the same anchor of the link.
    fn is_of_same_place(&self, other: &Listed) -> bool {
        self.published.is_some()
            && self.published == other.published
            && self.authors == other.authors
            && part(self.link) == part(other.link)
    }

    fn has_words_like(&self, other: &Listed) -> bool {
        let (Some(own), Some(others)) = (self.words.wording(), other.words.wording()) else { return false };
        own.shares_text_with(others)
            && !own.contradicts(others)
            && !own.is_series_with(others)
            && !own.has_other_media(others)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counter_fragment_and_version_at_the_end_of_a_guid_are_removed() {
        let check = |guid: &str, expected: &[&str]| assert_eq!(without_version(guid), expected, "{guid}");
        check("https://a.example/c1#0", &["https://a.example/c1"]);
        check("https://a.example/c1", &["https://a.example/c1"]);
        check("post:7:v3", &["post:7:v3", "post:7"]);
        check("tag:a.example,2026:storm-12", &["tag:a.example,2026:storm-12", "tag:a.example,2026:storm"]);
        check("https://a.example/storm?rev=3", &["https://a.example/storm?rev=3", "https://a.example/storm?rev"]);
        check("storm", &["storm"]);
        check("12", &["12", ""]);
    }

    #[test]
    fn later_versions_have_greater_numbers() {
        let check = |earlier: &str, later: &str| assert!(version(earlier) < version(later), "{earlier} {later}");
        check("https://a.example/c1#9", "https://a.example/c1#10");
        check("https://a.example/c1#", "https://a.example/c1#0");
        check("post:7:v1.9", "post:7:v1.10");
        check("storm", "storm-2");
    }
}
