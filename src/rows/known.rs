//! The stored entries that a poll needs: entries of the polled feed, and entries of any feed that may be about the same
//! story as a polled entry.

use crate::entry::{Entry, GuidKind};
use crate::number::{EntryNumber, FeedNumber, StoryNumber};
use crate::time::Timestamp;

/// A stored entry of the polled feed.
#[derive(Clone, Copy, Debug)]
pub struct KnownEntry {
    /// The number of the entry.
    pub number: EntryNumber,
    /// The story of the entry.
    pub story: StoryNumber,
    /// The hash of everything that the feed wrote for the entry.
    pub raw_hash: u64,
    /// The hash of the entry's lasting content. If this content changes, the entry is revised.
    pub fingerprint: u64,
    /// How often the entry was revised.
    pub revisions: u32,
    /// Whether the guid under which the entry was found is an alias, such as a former guid, and not the entry's current
    /// guid.
    pub is_alias: bool,
    /// Whether the configured retention deleted the entry's content. Deleted content is never stored again.
    pub is_purged: bool,
}

/// An entry of the polled feed, with its content.
#[derive(Clone, Debug)]
pub struct FormerRow {
    /// The number of the entry.
    pub number: EntryNumber,
    /// The story of the entry.
    pub story: StoryNumber,
    /// The guid of the entry.
    pub guid: String,
    /// Where the guid comes from: the feed's guid, the link or the content.
    pub guid_kind: GuidKind,
    /// The hash of the entry's lasting content. If this content changes, the entry is revised.
    pub fingerprint: u64,
    /// How often the entry was revised.
    pub revisions: u32,
    /// When the entry was first seen.
    pub first_seen: Timestamp,
    /// The link keys of the entry in alphabetical order. The `bool` says whether the link is specific to the entry: no
    /// entry of another story of the feed has the link.
    pub links: Vec<(String, bool)>,
    /// The content; `None` if the configured retention deleted it.
    pub entry: Option<Entry>,
}

/// An entry of any feed, with its content.
#[derive(Clone, Debug)]
pub struct OtherRow {
    /// The number of the entry.
    pub number: EntryNumber,
    /// The story of the entry.
    pub story: StoryNumber,
    /// The feed of the entry.
    pub feed: FeedNumber,
    /// The hash of the entry's lasting content. If this content changes, the entry is revised.
    pub fingerprint: u64,
    /// When the entry was first seen.
    pub first_seen: Timestamp,
    /// The content of the entry.
    pub entry: Entry,
}

/// An entry that has a link as a specific link: in the entry's feed, no entry of another story has the link.
#[derive(Clone, Copy, Debug)]
pub struct LinkRow {
    /// The number of the entry.
    pub entry: EntryNumber,
    /// Whether the link is the entry's declared original, and not the entry's own link.
    pub original: bool,
}

/// A key of an entry's text, made from a part of the text and a span of days around the entry's date. Texts are
/// compared only if they share a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SignatureKey(pub i64);

/// An entry whose text has a signature key.
#[derive(Clone, Copy, Debug)]
pub struct SignatureRow {
    /// The number of the entry.
    pub entry: EntryNumber,
    /// The feed of the entry.
    pub feed: FeedNumber,
}
