//! The names of stories that an older version minted.

use crate::feed::{FeedId, SectionId};
use crate::number::{FeedNumber, SectionNumber, StoryNumber};
use crate::reason::JoinReason;
use crate::time::Timestamp;

/// The names of a story, standing or joined.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamesRow {
    pub number: StoryNumber,
    pub id: String,
    pub slug: String,
    /// The story that stands for it: itself, or the one that it joined.
    pub standing: StoryNumber,
}

/// A section that shows a story, or did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnteredRow {
    pub section: SectionId,
    pub number: SectionNumber,
    pub lead_feed: FeedNumber,
    pub entered: Timestamp,
}

/// A copy of a story, or one that an editor split from it, as far as names are made from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedCopyRow {
    pub feed: FeedNumber,
    pub feed_id: FeedId,
    /// Whether it is a copy of the standing story.
    pub is_own: bool,
    pub reason: JoinReason,
    /// The guid that it has, and those that it had.
    pub guids: Vec<String>,
    /// `None` if retention removed the words.
    pub title: Option<String>,
}

/// The id that a story gets in place of another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplacedId {
    pub story: StoryNumber,
    /// The story that stands for it.
    pub standing: StoryNumber,
    pub before: String,
    pub id: String,
    /// The public sections that show it: their readers see the new id.
    pub public: Vec<SectionNumber>,
}
