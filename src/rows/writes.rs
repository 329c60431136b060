//! A decision: every row and every operation of one transaction, in the order in which the store applies them.

use std::sync::Arc;

use crate::entry::{Entry, GuidKind};
use crate::number::{EntryNumber, FeedNumber, SectionNumber, StoryNumber};
use crate::reason::JoinReason;
use crate::time::Timestamp;

use super::known::SignatureKey;
use super::standing::{PlacementRow, StoryRow};

/// The key of a placement.
pub type Key = (SectionNumber, StoryNumber);

/// Rows and operations, applied in the order of the fields.
#[derive(Clone, Debug, Default)]
pub struct Writes {
    /// New stories.
    pub stories: Vec<NewStory>,
    /// Ids that stories have but do not publish. The first story with an id keeps it.
    pub kept_ids: Vec<(String, StoryNumber)>,
    /// New public names.
    pub names: Vec<NamesWrite>,
    /// Changes of entries.
    pub entries: Vec<EntryWrite>,
    /// Entries that are moved to another story, one by one.
    pub transfers: Vec<(EntryNumber, StoryNumber, JoinReason)>,
    /// Merges of stories.
    pub merges: Vec<MergeWrite>,
    /// Stories that had been merged into another and become active again.
    pub revived: Vec<StoryNumber>,
    /// Pairs of stories that are to stay apart.
    pub apart: Vec<(StoryNumber, StoryNumber)>,
    /// Pairs of stories that an editor joined.
    pub joined: Vec<(StoryNumber, StoryNumber)>,
    /// Placements to delete.
    pub drops: Vec<Key>,
    /// Placements to rename, each as its current and its new key.
    pub moves: Vec<(Key, Key)>,
    /// Placements to write.
    pub puts: Vec<Put>,
}

/// A new story.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewStory {
    /// Its row.
    pub row: StoryRow,
    /// Further ids to choose from if another story publishes the id of `row`: the first free one is used.
    pub other_ids: Vec<String>,
}

/// The names of a story that a public section shows from now on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamesWrite {
    /// The story.
    pub story: StoryNumber,
    /// Its slug.
    pub slug: String,
    /// When a public section first shows it.
    pub shown: Timestamp,
    /// The id that the story published until now, and the id that it publishes from now on, which it had but did not
    /// publish.
    pub published: Option<(String, String)>,
}

/// The change of an entry's row.
#[derive(Clone, Debug)]
pub enum EntryWrite {
    /// A new entry.
    New(Box<NewEntry>),
    /// The entry has other bytes, but the same content.
    Touched {
        /// The entry.
        number: EntryNumber,
        /// Its new raw hash.
        raw_hash: u64,
    },
    /// The entry has other lasting content.
    Revised {
        /// The entry.
        number: EntryNumber,
        /// Its new raw hash.
        raw_hash: u64,
        /// The new hash of its lasting content.
        fingerprint: u64,
    },
    /// The entry has another guid; the former guid becomes an alias for ever.
    Rekeyed {
        /// The entry.
        number: EntryNumber,
        /// Its feed.
        feed: FeedNumber,
        /// Its new guid.
        guid: String,
        /// Where the guid comes from.
        kind: GuidKind,
        /// Its new raw hash.
        raw_hash: u64,
        /// The new hash of its lasting content.
        fingerprint: u64,
    },
    /// An entry has a further guid.
    Alias {
        /// The feed.
        feed: FeedNumber,
        /// The guid.
        guid: String,
        /// The entry.
        entry: EntryNumber,
    },
    /// Counts a revision.
    Counted {
        /// The entry.
        number: EntryNumber,
        /// When it was revised.
        at: Timestamp,
    },
    /// The entry has new content.
    Words(Box<WordsWrite>),
    /// The entry belongs to its story for another reason.
    Reason {
        /// The entry.
        number: EntryNumber,
        /// The reason.
        reason: JoinReason,
    },
    /// Sets since when the document does not list it; `None` if the document lists it.
    Listed {
        /// The entry.
        number: EntryNumber,
        /// Since when.
        unlisted: Option<Timestamp>,
    },
    /// Deletes the content.
    Forgotten(Forget),
}

/// A new entry, without its content.
#[derive(Clone, Debug)]
pub struct NewEntry {
    /// The entry.
    pub number: EntryNumber,
    /// Its feed.
    pub feed: FeedNumber,
    /// Its guid.
    pub guid: String,
    /// Where the guid comes from.
    pub guid_kind: GuidKind,
    /// The hash over all that the feed wrote for it.
    pub raw_hash: u64,
    /// The hash of its lasting content.
    pub fingerprint: u64,
    /// When it was first seen.
    pub first_seen: Timestamp,
    /// Its story.
    pub story: StoryNumber,
    /// Why it belongs to its story.
    pub reason: JoinReason,
    /// How similar its text was, 0 to 1; only if text decided.
    pub score: Option<f64>,
}

/// The content of an entry, and everything by which the entry is found.
#[derive(Clone, Debug)]
pub struct WordsWrite {
    /// The entry.
    pub number: EntryNumber,
    /// Its feed.
    pub feed: FeedNumber,
    /// Its story.
    pub story: StoryNumber,
    /// The entry as JSON.
    pub json: Arc<str>,
    /// Whether it had content before.
    pub replaces: bool,
    /// Its links.
    pub links: Vec<LinkWrite>,
    /// The signature keys of its text.
    pub signatures: Vec<SignatureKey>,
    /// The signature keys of its previous text.
    pub former_signatures: Vec<SignatureKey>,
}

/// A link by which an entry is recognised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkWrite {
    /// The key of the link.
    pub key: String,
    /// Whether the link is the entry's declared original, and not the entry's own link.
    pub original: bool,
    /// Whether the link is specific to the entry: no entry of the feed that belongs to another story has it.
    pub specific: bool,
    /// Whether the link may have been specific to entries of the feed that belong to another story. If so, it no longer
    /// is.
    pub marks_others: bool,
}

/// An entry whose content is deleted; its row stays, so that it does not come back as new.
#[derive(Clone, Debug)]
pub struct Forget {
    /// The entry.
    pub number: EntryNumber,
    /// Its story.
    pub story: StoryNumber,
    /// The signature keys of its text.
    pub signatures: Vec<SignatureKey>,
}

/// A story that is merged into another.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MergeWrite {
    /// The story that stays.
    pub stays: StoryNumber,
    /// The story that is merged into it.
    pub leaves: StoryNumber,
    /// Why the first copies of the merged story belong to the one that stays.
    pub reason: JoinReason,
    /// How similar the texts were, 0 to 1; only if text decided.
    pub score: Option<f64>,
}

/// A placement to write.
#[derive(Clone, Debug, PartialEq)]
pub struct Put {
    /// Its key.
    pub key: Key,
    /// Whether there is a row already.
    pub is_known: bool,
    /// The placement.
    pub row: PlacementRow,
    /// The content to freeze from now on, in a section that ignores edits; `None` if the frozen content stays.
    pub frozen: Option<Box<Entry>>,
}
