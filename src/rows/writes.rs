//! What was decided: every row and every operation of one transaction, in the order in which the store applies them.

use std::sync::Arc;

use crate::entry::{Entry, GuidKind};
use crate::number::{EntryNumber, FeedNumber, SectionNumber, StoryNumber};
use crate::reason::JoinReason;
use crate::time::Timestamp;

use super::known::SignatureKey;
use super::standing::{PlacementRow, StoryRow};

/// Where a placement lies.
pub type Key = (SectionNumber, StoryNumber);

/// Rows and operations, applied in the order of the fields.
#[derive(Clone, Debug, Default)]
pub struct Writes {
    pub stories: Vec<NewStory>,
    /// Ids that stories keep to themselves. The first story that has an id keeps it.
    pub kept_ids: Vec<(String, StoryNumber)>,
    pub names: Vec<NamesWrite>,
    pub entries: Vec<EntryWrite>,
    /// Entries that become part of another story, one by one.
    pub transfers: Vec<(EntryNumber, StoryNumber, JoinReason)>,
    pub merges: Vec<MergeWrite>,
    /// Stories that had joined another and stand for themselves again.
    pub revived: Vec<StoryNumber>,
    /// Pairs of stories that are held apart.
    pub apart: Vec<(StoryNumber, StoryNumber)>,
    /// Pairs of stories that an editor joined.
    pub joined: Vec<(StoryNumber, StoryNumber)>,
    pub drops: Vec<Key>,
    pub moves: Vec<(Key, Key)>,
    pub puts: Vec<Put>,
}

/// A new story.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewStory {
    pub row: StoryRow,
    /// The ids that it publishes if another story publishes the one of its row: the first that is free.
    pub other_ids: Vec<String>,
}

/// The names of a story that a public section shows from now on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamesWrite {
    pub story: StoryNumber,
    pub slug: String,
    pub shown: Timestamp,
    /// The id that it published until now, and the one that it kept to itself, which it publishes now.
    pub published: Option<(String, String)>,
}

/// What happens to the row of an entry.
#[derive(Clone, Debug)]
pub enum EntryWrite {
    New(Box<NewEntry>),
    /// Other bytes, the same content.
    Touched {
        number: EntryNumber,
        raw_hash: u64,
    },
    Revised {
        number: EntryNumber,
        raw_hash: u64,
        fingerprint: u64,
    },
    /// Another guid; the former one leads to the entry for ever.
    Rekeyed {
        number: EntryNumber,
        feed: FeedNumber,
        guid: String,
        kind: GuidKind,
        raw_hash: u64,
        fingerprint: u64,
    },
    /// A further guid.
    Alias {
        feed: FeedNumber,
        guid: String,
        entry: EntryNumber,
    },
    /// Counts a revision.
    Counted {
        number: EntryNumber,
        at: Timestamp,
    },
    Words(Box<WordsWrite>),
    /// Why it is a copy of its story.
    Reason {
        number: EntryNumber,
        reason: JoinReason,
    },
    /// Since when the document lacks it; `None` if it lists it.
    Listed {
        number: EntryNumber,
        unlisted: Option<Timestamp>,
    },
    Forgotten(Forget),
}

/// A new entry, without its words.
#[derive(Clone, Debug)]
pub struct NewEntry {
    pub number: EntryNumber,
    pub feed: FeedNumber,
    pub guid: String,
    pub guid_kind: GuidKind,
    pub raw_hash: u64,
    pub fingerprint: u64,
    pub first_seen: Timestamp,
    pub story: StoryNumber,
    pub reason: JoinReason,
    pub score: Option<f64>,
}

/// The words of an entry, and all by which it is found.
#[derive(Clone, Debug)]
pub struct WordsWrite {
    pub number: EntryNumber,
    pub feed: FeedNumber,
    pub story: StoryNumber,
    /// The entry as JSON.
    pub json: Arc<str>,
    /// Whether it had words before.
    pub replaces: bool,
    pub links: Vec<LinkWrite>,
    pub signatures: Vec<SignatureKey>,
    /// Those of the words that it had before.
    pub former_signatures: Vec<SignatureKey>,
}

/// An address by which an entry is recognised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkWrite {
    pub key: String,
    pub original: bool,
    /// Whether no other entry of the feed that tells another story has it.
    pub specific: bool,
    /// Whether entries of the feed that tell another story may have it as a specific one: it is none any more.
    pub marks_others: bool,
}

/// An entry whose words are removed; its row stays, so that it does not come back as new.
#[derive(Clone, Debug)]
pub struct Forget {
    pub number: EntryNumber,
    pub story: StoryNumber,
    pub signatures: Vec<SignatureKey>,
}

/// A story that becomes part of another.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MergeWrite {
    pub stays: StoryNumber,
    pub leaves: StoryNumber,
    /// Why the first copies of the one that leaves are copies of the one that stays.
    pub reason: JoinReason,
    pub score: Option<f64>,
}

/// A placement to write.
#[derive(Clone, Debug, PartialEq)]
pub struct Put {
    pub key: Key,
    /// Whether there is a row already.
    pub is_known: bool,
    pub row: PlacementRow,
    /// The words to keep from now on, in a section that ignores edits; `None` if those that it keeps stay.
    pub frozen: Option<Box<Entry>>,
}
