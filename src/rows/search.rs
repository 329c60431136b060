//! What is searched for, and what the indexes hold.

use std::collections::{BTreeMap, BTreeSet};

use crate::feed::{FeedId, SectionId};
use crate::number::EntryNumber;
use crate::time::Timestamp;

/// What is searched for: all the wanted terms and none of the unwanted ones, in one of the feeds and one of the sections, if
/// any are named.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SearchTerms {
    pub wanted: Vec<SearchTerm>,
    pub unwanted: Vec<SearchTerm>,
    pub feeds: Vec<FeedId>,
    pub sections: Vec<SectionId>,
    /// Stories of this time or later.
    pub after: Option<Timestamp>,
    /// Stories from before this time.
    pub before: Option<Timestamp>,
}

/// A word or a phrase.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SearchTerm {
    /// Where it must be; anywhere if `None`.
    pub field: Option<SearchField>,
    /// Letters and digits in lower case, without accents; at least one word. Several are a phrase.
    pub words: Vec<String>,
    /// Whether the last word may go on.
    pub is_prefix: bool,
}

/// A part of a text that a term may be restricted to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SearchField {
    Title,
    Author,
}

/// What an index holds of an entry or a story: plain text, characters of scripts without spaces stand alone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IndexedWords {
    pub title: String,
    pub text: String,
    pub author: String,
}

/// An entry whose words the index does not hold yet.
#[derive(Clone, Debug)]
pub struct UnindexedRow {
    pub entry: EntryNumber,
    /// The entry as JSON; `None` if retention removed the words.
    pub json: Option<String>,
}

/// What of a config decides what is public.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PublicTerms {
    /// The public sections in their order, each with its feeds.
    pub sections: Vec<(String, BTreeSet<String>)>,
    /// How much of their feeds' words may be published.
    pub republish: BTreeMap<String, String>,
}
