//! Searches, and the rows of the search indexes.

use std::collections::BTreeMap;

use xxhash_rust::xxh3::Xxh3Default;

use crate::feed::{FeedId, SectionId};
use crate::number::EntryNumber;
use crate::time::Timestamp;

/// A search. It finds stories that have all of the wanted terms and none of the unwanted terms. If it names feeds, it
/// finds only stories with an entry of one of these feeds. If it names sections, it finds only stories that are in one
/// of these sections.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SearchTerms {
    /// The terms that must occur.
    pub wanted: Vec<SearchTerm>,
    /// The terms that must not occur.
    pub unwanted: Vec<SearchTerm>,
    /// The feeds to search; empty for all.
    pub feeds: Vec<FeedId>,
    /// The sections to search; empty for all.
    pub sections: Vec<SectionId>,
    /// If set, the search finds only stories of this time or later.
    pub after: Option<Timestamp>,
    /// If set, the search finds only stories from before this time.
    pub before: Option<Timestamp>,
}

/// A word or a phrase.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SearchTerm {
    /// The field in which the term must occur; `None` for any field.
    pub field: Option<SearchField>,
    /// The words of the term, at least one: letters and digits in lower case, without accents. Several words are a
    /// phrase.
    pub words: Vec<String>,
    /// Whether the last word also finds longer words that begin with it.
    pub is_prefix: bool,
}

/// A field to which a term may be restricted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SearchField {
    /// The title.
    Title,
    /// The names of the authors.
    Author,
}

/// The text under which the index finds an entry or a story. It is plain text, in which each character of a script
/// without spaces (such as Chinese) is a separate word.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IndexedWords {
    /// The title.
    pub title: String,
    /// The text.
    pub text: String,
    /// The names of the authors.
    pub author: String,
}

/// An entry that is not in the index yet.
#[derive(Clone, Debug)]
pub struct UnindexedRow {
    /// The number of the entry.
    pub entry: EntryNumber,
    /// The entry as JSON; `None` if the configured retention deleted the content.
    pub json: Option<String>,
}

/// The part of a config that decides what is public. It is small even if many sections have many feeds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PublicTerms {
    /// The ids of the public sections, in the order of the config.
    pub sections: Vec<String>,
    /// The feeds of the public sections, each with the hash from [`feed_terms_hash`].
    pub feeds: BTreeMap<String, u64>,
}

/// Returns a hash of two settings of a feed: how much of its content may be published (`link`, `summary` or `full`),
/// and the public sections that take the feed. The sections are in the order of the config.
pub fn feed_terms_hash<'s>(republish: &str, sections: impl IntoIterator<Item = &'s str>) -> u64 {
    let mut hash = Xxh3Default::new();
    let mut add = |part: &str| {
        hash.update(part.as_bytes());
        hash.update(b"\n");
    };
    add(republish);
    sections.into_iter().for_each(add);
    hash.digest()
}
