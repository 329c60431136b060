//! The rows for showing stories: names, placements and archive documents.

use url::Url;

use super::standing::CopyRow;
use super::story::ShownStory;
use crate::feed::{FeedId, SectionId};
use crate::number::{EntryNumber, FeedNumber, SectionNumber, StoryNumber};
use crate::reason::{JoinReason, Why};
use crate::time::Timestamp;

/// The names and the time of an active story.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredStory {
    /// The story.
    pub number: StoryNumber,
    /// Its public id.
    pub id: String,
    /// Its slug.
    pub slug: String,
    /// The time by which it is sorted.
    pub sort_at: Timestamp,
}

/// An entry of a story. Its feed may no longer be configured.
#[derive(Clone, Debug)]
pub struct StoredCopy {
    /// The entry.
    pub number: EntryNumber,
    /// Its feed.
    pub feed: FeedId,
    /// Its guid.
    pub guid: String,
    /// Why it belongs to its story.
    pub reason: JoinReason,
    /// How similar its text was, 0 to 1; only if text decided.
    pub score: Option<f64>,
    /// The title; empty if retention deleted the content.
    pub title: String,
    /// Its link.
    pub link: Option<Url>,
}

/// A stored section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownSection {
    /// The section.
    pub number: SectionNumber,
    /// When it was first configured.
    pub first_seen: Timestamp,
    /// Its permanent id; `None` until one is minted.
    pub permanent_id: Option<String>,
}

/// A story in one section, with its names there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlacedRow {
    /// The section.
    pub section: SectionNumber,
    /// The story.
    pub story: StoryNumber,
    /// The id under which this section publishes it.
    pub id: String,
    /// Its slug.
    pub slug: String,
    /// The time by which the section sorts it.
    pub sort_at: Timestamp,
    /// The entry whose content is shown.
    pub lead: EntryNumber,
    /// The feed of that entry.
    pub lead_feed: FeedNumber,
    /// When the shown content last changed since the story was placed.
    pub changed: Option<Timestamp>,
    /// Whether the story is in the section now.
    pub is_in: bool,
    /// Whether the section has frozen content for it.
    pub has_frozen: bool,
}

/// An archive document as written.
#[derive(Clone, Debug)]
pub struct ArchiveRow {
    /// The section.
    pub section: SectionNumber,
    /// When the document was made.
    pub made: Timestamp,
    /// Its stories.
    pub stories: Vec<ShownStory>,
}

/// The current placement of a story of an archive document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArchivedRow {
    /// The story.
    pub story: StoryNumber,
    /// Its current id: an id from an older store may have been replaced since the story was archived.
    pub id: String,
    /// Its current slug.
    pub slug: String,
    /// When it last entered; `None` if it was never in the section.
    pub entered: Option<Timestamp>,
    /// When it left; `None` if it is in the section.
    pub left: Option<Timestamp>,
    /// Why it is in the section or not.
    pub why: Why,
}

/// A story with its copies and sections, for a pass over all stories.
#[derive(Clone, Debug)]
pub struct PassedRow {
    /// The story.
    pub story: StoredStory,
    /// The copies with content, in the order in which they joined; `None` if they are too many or too large.
    pub copies: Option<Vec<CopyRow>>,
    /// Title and link of the first copy with content.
    pub first: Option<(String, Option<Url>)>,
    /// The sections that have the story.
    pub sections: Vec<SectionId>,
}
