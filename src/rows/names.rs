//! Rows for checking and replacing the names (public ids and slugs) that an older version of newswire gave to stories.

use crate::feed::{FeedId, SectionId};
use crate::number::{FeedNumber, SectionNumber, StoryNumber};
use crate::reason::JoinReason;
use crate::time::Timestamp;

/// The names of a story. The story may have been merged into another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamesRow {
    /// The number of the story.
    pub number: StoryNumber,
    /// The public id of the story.
    pub id: String,
    /// The slug of the story's page.
    pub slug: String,
    /// The active story: this story, or the one that this story was merged into.
    pub standing: StoryNumber,
}

/// A section that shows or showed a story.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnteredRow {
    /// The section.
    pub section: SectionId,
    /// The number of the section.
    pub number: SectionNumber,
    /// The feed whose copy of the story the section shows.
    pub lead_feed: FeedNumber,
    /// When the story entered the section.
    pub entered: Timestamp,
}

/// The parts of an entry that names are made from. The entry is a copy of the story, or was a copy until an editor
/// split it from the story.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedCopyRow {
    /// The number of the feed.
    pub feed: FeedNumber,
    /// The feed.
    pub feed_id: FeedId,
    /// Whether the entry is a copy of the active story; otherwise an editor split it from the story.
    pub is_own: bool,
    /// Why the entry belongs to its story.
    pub reason: JoinReason,
    /// The current guid of the entry, and its former guids.
    pub guids: Vec<String>,
    /// The title of the entry; `None` if the configured retention deleted the content.
    pub title: Option<String>,
}

/// A new id for a story.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplacedId {
    /// The number of the story.
    pub story: StoryNumber,
    /// The active story: this story, or the one that this story was merged into.
    pub standing: StoryNumber,
    /// The id that is replaced.
    pub before: String,
    /// The new id.
    pub id: String,
    /// The public sections that show the story. Their documents get the new id.
    pub public: Vec<SectionNumber>,
}
