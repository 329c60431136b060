//! The names of stories that an older version minted.

use crate::feed::{FeedId, SectionId};
use crate::number::{FeedNumber, SectionNumber, StoryNumber};
use crate::reason::JoinReason;
use crate::time::Timestamp;

/// The names of a story, active or merged into another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamesRow {
    /// The story.
    pub number: StoryNumber,
    /// Its public id.
    pub id: String,
    /// Its slug.
    pub slug: String,
    /// The active story that the names lead to: this story, or the one that it was merged into.
    pub standing: StoryNumber,
}

/// A section that shows or showed a story.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnteredRow {
    /// The section.
    pub section: SectionId,
    /// The number of the section.
    pub number: SectionNumber,
    /// The feed whose copy leads there.
    pub lead_feed: FeedNumber,
    /// When the story entered.
    pub entered: Timestamp,
}

/// A copy of a story, or one that an editor split from it: the parts that names are made from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedCopyRow {
    /// The number of the feed.
    pub feed: FeedNumber,
    /// The feed.
    pub feed_id: FeedId,
    /// Whether it is a copy of the active story.
    pub is_own: bool,
    /// Why it belongs to its story.
    pub reason: JoinReason,
    /// Its current guid, and its former ones.
    pub guids: Vec<String>,
    /// The title; `None` if retention deleted the content.
    pub title: Option<String>,
}

/// A new id for a story.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplacedId {
    /// The story.
    pub story: StoryNumber,
    /// The active story that the names lead to.
    pub standing: StoryNumber,
    /// The former id.
    pub before: String,
    /// The new id.
    pub id: String,
    /// The public sections that show the story: their readers get the new id.
    pub public: Vec<SectionNumber>,
}
