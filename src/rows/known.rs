//! What the store knows of entries: entries of the polled feed, and entries of any feed that may tell the same story.

use crate::entry::{Entry, GuidKind};
use crate::number::{EntryNumber, FeedNumber, StoryNumber};
use crate::time::Timestamp;

/// A stored entry of the polled feed.
#[derive(Clone, Copy, Debug)]
pub struct KnownEntry {
    /// The entry.
    pub number: EntryNumber,
    /// Its story.
    pub story: StoryNumber,
    /// The hash over all that the feed wrote for it.
    pub raw_hash: u64,
    /// The hash of its lasting content.
    pub fingerprint: u64,
    /// How often it was revised.
    pub revisions: u32,
    /// Whether it had this guid before, and has another now.
    pub is_alias: bool,
    /// Whether retention deleted its content: the content does not come back.
    pub is_purged: bool,
}

/// An entry of the polled feed, with its content.
#[derive(Clone, Debug)]
pub struct FormerRow {
    /// The entry.
    pub number: EntryNumber,
    /// Its story.
    pub story: StoryNumber,
    /// Its guid.
    pub guid: String,
    /// Where the guid comes from.
    pub guid_kind: GuidKind,
    /// The hash of its lasting content.
    pub fingerprint: u64,
    /// How often it was revised.
    pub revisions: u32,
    /// When it was first seen.
    pub first_seen: Timestamp,
    /// Link keys in alphabetical order, each with whether it is specific to the entry.
    pub links: Vec<(String, bool)>,
    /// The content; `None` if retention deleted it.
    pub entry: Option<Entry>,
}

/// An entry of any feed, with its content.
#[derive(Clone, Debug)]
pub struct OtherRow {
    /// The entry.
    pub number: EntryNumber,
    /// Its story.
    pub story: StoryNumber,
    /// Its feed.
    pub feed: FeedNumber,
    /// The hash of its lasting content.
    pub fingerprint: u64,
    /// When it was first seen.
    pub first_seen: Timestamp,
    /// The content.
    pub entry: Entry,
}

/// An entry that has a link as a specific one.
#[derive(Clone, Copy, Debug)]
pub struct LinkRow {
    /// The entry.
    pub entry: EntryNumber,
    /// Whether the link is its declared original, not its own link.
    pub original: bool,
}

/// A key of a text, made from what it is about and its date.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SignatureKey(pub i64);

/// An entry with a key of a text.
#[derive(Clone, Copy, Debug)]
pub struct SignatureRow {
    /// The entry.
    pub entry: EntryNumber,
    /// Its feed.
    pub feed: FeedNumber,
}
