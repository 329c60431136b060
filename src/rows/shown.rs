//! The rows for showing stories: names, placements and archive documents.

use url::Url;

use super::standing::CopyRow;
use super::story::ShownStory;
use crate::feed::{FeedId, SectionId};
use crate::number::{EntryNumber, FeedNumber, SectionNumber, StoryNumber};
use crate::reason::{JoinReason, Why};
use crate::time::Timestamp;

/// The names and the time of an active story: one that was not merged into another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredStory {
    /// The number of the story.
    pub number: StoryNumber,
    /// The public id of the story.
    pub id: String,
    /// The slug of the story's page.
    pub slug: String,
    /// The time by which the story is sorted.
    pub sort_at: Timestamp,
}

/// An entry as a copy of its story. The feed of the entry may have been removed from the config.
#[derive(Clone, Debug)]
pub struct StoredCopy {
    /// The number of the entry.
    pub number: EntryNumber,
    /// The feed of the entry.
    pub feed: FeedId,
    /// The guid of the entry.
    pub guid: String,
    /// Why the entry belongs to its story.
    pub reason: JoinReason,
    /// How similar the entry's text was to that of another copy, from 0 to 1; `None` if the entry did not join the
    /// story because of its text.
    pub score: Option<f64>,
    /// The title of the entry; empty if the configured retention deleted the content.
    pub title: String,
    /// The link of the entry.
    pub link: Option<Url>,
}

/// A stored section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownSection {
    /// The number of the section.
    pub number: SectionNumber,
    /// When the section was first configured.
    pub first_seen: Timestamp,
    /// The permanent id of the section; `None` until it gets one.
    pub permanent_id: Option<String>,
    /// The `podcast:guid` of the section; `None` until it gets one.
    pub podcast_guid: Option<String>,
}

/// A story in one section, with its names in that section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlacedRow {
    /// The number of the section.
    pub section: SectionNumber,
    /// The number of the story.
    pub story: StoryNumber,
    /// The id under which this section publishes the story.
    pub id: String,
    /// The slug of the story's page.
    pub slug: String,
    /// The time by which the section sorts the story.
    pub sort_at: Timestamp,
    /// The entry whose content is shown.
    pub lead: EntryNumber,
    /// The feed of that entry.
    pub lead_feed: FeedNumber,
    /// When the shown content last changed after the story was placed; `None` if never.
    pub changed: Option<Timestamp>,
    /// Whether the story is in the section now.
    pub is_in: bool,
    /// Whether the section shows stored content that the feed's later edits do not change (`edits = "ignore"`).
    pub has_frozen: bool,
}

/// A story of a section's ranking, before its copies are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecentRow {
    /// The number of the story.
    pub story: StoryNumber,
    /// The time by which the section sorts the story.
    pub sort_at: Timestamp,
    /// How many entries the story has, including those that the section does not see.
    pub entries: usize,
}

/// An archive document as it was written.
#[derive(Clone, Debug)]
pub struct ArchiveRow {
    /// The number of the section.
    pub section: SectionNumber,
    /// When the document was made.
    pub made: Timestamp,
    /// The stories in the document.
    pub stories: Vec<ShownStory>,
}

/// The current placement of a story that is in an archive document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArchivedRow {
    /// The number of the story.
    pub story: StoryNumber,
    /// The current id of the story. It may differ from the archived id if an older version of newswire made the
    /// archived id.
    pub id: String,
    /// The current slug of the story's page.
    pub slug: String,
    /// When the story last entered the section; `None` if it was never in the section.
    pub entered: Option<Timestamp>,
    /// When the story left the section; `None` if it is in the section.
    pub left: Option<Timestamp>,
    /// Why the story is in the section or not.
    pub why: Why,
}

/// A story with its copies and sections, for a pass over all stories.
#[derive(Clone, Debug)]
pub struct PassedRow {
    /// The story.
    pub story: StoredStory,
    /// The copies that have content, in the order of their numbers; `None` if they are too many or too large.
    pub copies: Option<Vec<CopyRow>>,
    /// The title and link of the first copy that has content; `None` if no copy has content.
    pub first: Option<(String, Option<Url>)>,
    /// The sections that the story is in.
    pub sections: Vec<SectionId>,
}
