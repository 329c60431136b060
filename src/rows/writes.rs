//! The result of a decision: the rows and operations that the store writes in one transaction.

use std::sync::Arc;

use crate::entry::{Entry, GuidKind};
use crate::number::{EntryNumber, FeedNumber, SectionNumber, StoryNumber};
use crate::reason::JoinReason;
use crate::time::Timestamp;

use super::hook::NewMessage;
use super::known::SignatureKey;
use super::standing::{PlacementRow, StoryRow};

/// The key of a placement.
pub type Key = (SectionNumber, StoryNumber);

/// Rows and operations. The store applies them in the order of the fields.
#[derive(Clone, Debug, Default)]
pub struct Writes {
    /// New stories.
    pub stories: Vec<NewStory>,
    /// Ids that stories have but do not publish. If another story already has such an id unpublished, the id stays with
    /// that story.
    pub kept_ids: Vec<(String, StoryNumber)>,
    /// New public names.
    pub names: Vec<NamesWrite>,
    /// Changes of entries.
    pub entries: Vec<EntryWrite>,
    /// Single entries that are moved to another story.
    pub transfers: Vec<(EntryNumber, StoryNumber, JoinReason)>,
    /// Merges of stories.
    pub merges: Vec<MergeWrite>,
    /// Stories that had been merged into another and become active again.
    pub revived: Vec<StoryNumber>,
    /// Pairs of stories that an editor split, so that they are never merged.
    pub apart: Vec<(StoryNumber, StoryNumber)>,
    /// Pairs of stories that an editor joined.
    pub joined: Vec<(StoryNumber, StoryNumber)>,
    /// Placements to delete.
    pub drops: Vec<Key>,
    /// Placements whose key changes, each as its current and its new key.
    pub moves: Vec<(Key, Key)>,
    /// Placements to write.
    pub puts: Vec<Put>,
    /// Messages to hooks. They are written before the placements, because a merged story's messages follow its
    /// placements.
    pub messages: Vec<NewMessage>,
}

/// A new story.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewStory {
    /// The row of the story.
    pub row: StoryRow,
    /// Further ids, for the case that another story publishes the id of `row`. The first id that is free is used.
    pub other_ids: Vec<String>,
}

/// New names for a story that a public section is about to show for the first time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamesWrite {
    /// The number of the story.
    pub story: StoryNumber,
    /// The slug of the story's page.
    pub slug: String,
    /// When a public section first shows the story.
    pub shown: Timestamp,
    /// The current public id of the story, and the new one. The new one is an id that the story had but did not
    /// publish. `None` if the id stays.
    pub published: Option<(String, String)>,
}

/// The change of an entry's row.
#[derive(Clone, Debug)]
pub enum EntryWrite {
    /// A new entry.
    New(Box<NewEntry>),
    /// The feed wrote the entry differently, but its lasting content (a change of it is a revision) is the same.
    Touched {
        /// The number of the entry.
        number: EntryNumber,
        /// The new hash of everything that the feed wrote for the entry.
        raw_hash: u64,
    },
    /// The entry's lasting content changed.
    Revised {
        /// The number of the entry.
        number: EntryNumber,
        /// The new hash of everything that the feed wrote for the entry.
        raw_hash: u64,
        /// The new hash of the entry's lasting content.
        fingerprint: u64,
    },
    /// The feed gave the entry another guid. The former guid becomes an alias for ever.
    Rekeyed {
        /// The number of the entry.
        number: EntryNumber,
        /// The feed of the entry.
        feed: FeedNumber,
        /// The new guid of the entry.
        guid: String,
        /// Where the guid comes from: the feed's guid, the link or the content.
        kind: GuidKind,
        /// The new hash of everything that the feed wrote for the entry.
        raw_hash: u64,
        /// The new hash of the entry's lasting content.
        fingerprint: u64,
    },
    /// A further guid leads to an entry.
    Alias {
        /// The number of the feed.
        feed: FeedNumber,
        /// The guid.
        guid: String,
        /// The number of the entry.
        entry: EntryNumber,
    },
    /// The entry was revised; the number of its revisions rises by one.
    Counted {
        /// The number of the entry.
        number: EntryNumber,
        /// When the entry was revised.
        at: Timestamp,
    },
    /// The entry has new content.
    Words(Box<WordsWrite>),
    /// The reason why the entry belongs to its story changed.
    Reason {
        /// The number of the entry.
        number: EntryNumber,
        /// The new reason.
        reason: JoinReason,
    },
    /// The entry left the feed's document, or came back to it.
    Listed {
        /// The number of the entry.
        number: EntryNumber,
        /// Since when the document does not list the entry; `None` if it lists the entry.
        unlisted: Option<Timestamp>,
    },
    /// The content of the entry is deleted.
    Forgotten(Forget),
}

/// A new entry, without its content.
#[derive(Clone, Debug)]
pub struct NewEntry {
    /// The number of the entry.
    pub number: EntryNumber,
    /// The feed of the entry.
    pub feed: FeedNumber,
    /// The guid of the entry.
    pub guid: String,
    /// Where the guid comes from: the feed's guid, the link or the content.
    pub guid_kind: GuidKind,
    /// The hash of everything that the feed wrote for the entry.
    pub raw_hash: u64,
    /// The hash of the entry's lasting content. If this content changes, the entry is revised.
    pub fingerprint: u64,
    /// When the entry was first seen.
    pub first_seen: Timestamp,
    /// The story of the entry.
    pub story: StoryNumber,
    /// Why the entry belongs to its story.
    pub reason: JoinReason,
    /// How similar the entry's text was to that of another copy, from 0 to 1; `None` if the entry did not join the
    /// story because of its text.
    pub score: Option<f64>,
}

/// The content of an entry, and the keys under which the entry is found.
#[derive(Clone, Debug)]
pub struct WordsWrite {
    /// The number of the entry.
    pub number: EntryNumber,
    /// The feed of the entry.
    pub feed: FeedNumber,
    /// The story of the entry.
    pub story: StoryNumber,
    /// The entry as JSON.
    pub json: Arc<str>,
    /// Whether the new content replaces earlier content.
    pub replaces: bool,
    /// The links of the entry.
    pub links: Vec<LinkWrite>,
    /// The signature keys of the entry's text.
    pub signatures: Vec<SignatureKey>,
    /// The signature keys of the entry's previous text.
    pub former_signatures: Vec<SignatureKey>,
}

/// A link by which an entry is recognised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkWrite {
    /// The key of the link.
    pub key: String,
    /// Whether the link is the entry's declared original, and not the entry's own link.
    pub original: bool,
    /// Whether the link is specific to the entry: no entry of the feed that belongs to another story has the link.
    pub specific: bool,
    /// Whether the link may be stored as specific to an entry of the feed that belongs to another story. If so, the
    /// store removes that mark.
    pub marks_others: bool,
}

/// An entry whose content is deleted. Its row stays, so that the entry is not taken for a new one later.
#[derive(Clone, Debug)]
pub struct Forget {
    /// The number of the entry.
    pub number: EntryNumber,
    /// The story of the entry.
    pub story: StoryNumber,
    /// The signature keys of the entry's text.
    pub signatures: Vec<SignatureKey>,
}

/// A story that is merged into another.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MergeWrite {
    /// The story that stays.
    pub stays: StoryNumber,
    /// The story that is merged into it.
    pub leaves: StoryNumber,
    /// The new reason of those copies of the merged story whose reason was [`JoinReason::First`]: why they belong to
    /// the story that stays.
    pub reason: JoinReason,
    /// How similar the texts were, from 0 to 1; `None` if the stories were not merged because of their texts.
    pub score: Option<f64>,
}

/// A placement to write.
#[derive(Clone, Debug, PartialEq)]
pub struct Put {
    /// The key of the placement.
    pub key: Key,
    /// Whether the store has a row with this key.
    pub is_known: bool,
    /// The placement.
    pub row: PlacementRow,
    /// The content that a section with `edits = "ignore"` shows from now on, even if the feed changes the entry. If it
    /// is `None`, the stored frozen content does not change.
    pub frozen: Option<Box<Entry>>,
}
