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
    /// The link keys of the entry in alphabetical order, and for each whether it is specific to the entry: no other
    /// story of the feed has the link.
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

/// An entry to which a link is specific: no entry of another story of its feed has the link.
#[derive(Clone, Copy, Debug)]
pub struct LinkRow {
    /// The entry.
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
    /// The entry.
    pub entry: EntryNumber,
    /// Its feed.
    pub feed: FeedNumber,
}
