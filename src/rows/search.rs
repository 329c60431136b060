//! Searches, and the contents of the indexes.

use std::collections::BTreeMap;

use xxhash_rust::xxh3::Xxh3Default;

use crate::feed::{FeedId, SectionId};
use crate::number::EntryNumber;
use crate::time::Timestamp;

/// A search: all of the wanted terms and none of the unwanted ones, in one of the feeds and one of the sections, if any
/// are named.
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
    /// Only stories of this time or later.
    pub after: Option<Timestamp>,
    /// Only stories from before this time.
    pub before: Option<Timestamp>,
}

/// A word or a phrase.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SearchTerm {
    /// The field in which it must occur; `None` for any.
    pub field: Option<SearchField>,
    /// Letters and digits in lower case, without accents; at least one word. Several words are a phrase.
    pub words: Vec<String>,
    /// Whether the last word is a prefix.
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

/// The index entry of an entry or a story: plain text, in which characters of scripts without spaces are separate
/// words.
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
    /// The entry.
    pub entry: EntryNumber,
    /// The entry as JSON; `None` if retention deleted the content.
    pub json: Option<String>,
}

/// The part of a config that decides what is public. Small even for many feeds in many sections.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PublicTerms {
    /// The public sections in their order.
    pub sections: Vec<String>,
    /// For each feed that they take, a hash of its terms: see [`feed_terms_hash`].
    pub feeds: BTreeMap<String, u64>,
}

/// Returns the hash of how much of a feed's content may be published (`link`, `summary` or `full`) and of the public
/// sections that take it, in their order.
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
