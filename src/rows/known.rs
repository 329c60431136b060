//! What the store knows of entries: those of the feed that was polled, and those of any feed that may tell the same.

use crate::entry::{Entry, GuidKind};
use crate::number::{EntryNumber, FeedNumber, StoryNumber};
use crate::time::Timestamp;

/// An entry of the feed that the store has.
#[derive(Clone, Copy, Debug)]
pub struct KnownEntry {
    pub number: EntryNumber,
    pub story: StoryNumber,
    pub raw_hash: u64,
    pub fingerprint: u64,
    pub revisions: u32,
    /// Whether it had this guid before, and has another now.
    pub is_alias: bool,
    /// Whether retention removed its words: they do not come back.
    pub is_purged: bool,
}

/// An entry of the feed, with its words.
#[derive(Clone, Debug)]
pub struct FormerRow {
    pub number: EntryNumber,
    pub story: StoryNumber,
    pub guid: String,
    pub guid_kind: GuidKind,
    pub fingerprint: u64,
    pub revisions: u32,
    pub first_seen: Timestamp,
    /// Link keys in alphabetical order, each with whether it is specific to the entry.
    pub links: Vec<(String, bool)>,
    /// `None` if retention removed the words.
    pub entry: Option<Entry>,
}

/// An entry of any feed, with its words.
#[derive(Clone, Debug)]
pub struct OtherRow {
    pub number: EntryNumber,
    pub story: StoryNumber,
    pub feed: FeedNumber,
    pub fingerprint: u64,
    pub first_seen: Timestamp,
    pub entry: Entry,
}

/// An entry that has a link as a specific one.
#[derive(Clone, Copy, Debug)]
pub struct LinkRow {
    pub entry: EntryNumber,
    /// Whether the link is its declared original, not its own.
    pub original: bool,
}

/// A key of a text: what it is about, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SignatureKey(pub i64);

/// An entry that has a key of a text.
#[derive(Clone, Copy, Debug)]
pub struct SignatureRow {
    pub entry: EntryNumber,
    pub feed: FeedNumber,
}
