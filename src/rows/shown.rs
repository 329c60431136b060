//! What is loaded to show stories: names, places, and archive documents.

use url::Url;

use super::standing::CopyRow;
use super::story::ShownStory;
use crate::feed::{FeedId, SectionId};
use crate::number::{EntryNumber, FeedNumber, SectionNumber, StoryNumber};
use crate::reason::{JoinReason, Why};
use crate::time::Timestamp;

/// Names and time of a story that stands for itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredStory {
    pub number: StoryNumber,
    pub id: String,
    pub slug: String,
    pub sort_at: Timestamp,
}

/// An entry of a story whose feed may have left the config.
#[derive(Clone, Debug)]
pub struct StoredCopy {
    /// The entry's number.
    pub number: EntryNumber,
    pub feed: FeedId,
    pub guid: String,
    pub reason: JoinReason,
    pub score: Option<f64>,
    /// Empty if retention removed the words.
    pub title: String,
    pub link: Option<Url>,
}

/// A section as the store has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownSection {
    pub number: SectionNumber,
    pub first_seen: Timestamp,
    /// Its permanent id; `None` until one is minted.
    pub permanent_id: Option<String>,
}

/// A story in one section, with the names that it has there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlacedRow {
    pub section: SectionNumber,
    pub story: StoryNumber,
    /// The id under which this section publishes it.
    pub id: String,
    pub slug: String,
    pub sort_at: Timestamp,
    /// The entry whose words are shown, and its feed.
    pub lead: EntryNumber,
    pub lead_feed: FeedNumber,
    /// When the shown words last changed since it was placed.
    pub changed: Option<Timestamp>,
    /// Whether the section holds it now.
    pub is_in: bool,
    /// Whether the section keeps words of its own for it.
    pub has_frozen: bool,
}

/// An archive document as it was written.
#[derive(Clone, Debug)]
pub struct ArchiveRow {
    pub section: SectionNumber,
    pub made: Timestamp,
    pub stories: Vec<ShownStory>,
}

/// How a story of an archive document stands in its section now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArchivedRow {
    pub story: StoryNumber,
    /// The names that it has now: those of an older store may have been replaced since it was archived.
    pub id: String,
    pub slug: String,
    pub entered: Option<Timestamp>,
    pub left: Option<Timestamp>,
    pub why: Why,
}

/// A story with its copies and the sections that hold it, for a pass over all stories.
#[derive(Clone, Debug)]
pub struct PassedRow {
    pub story: StoredStory,
    /// The copies whose words are kept, in the order in which they joined; `None` if they are too many or too large.
    pub copies: Option<Vec<CopyRow>>,
    /// Title and link of the first copy whose words are kept.
    pub first: Option<(String, Option<Url>)>,
    pub sections: Vec<SectionId>,
}
