//! The current state of stories, called *standing*: their names, copies and placements.

use std::collections::HashMap;

use crate::entry::Entry;
use crate::feed::FeedId;
use crate::number::{EntryNumber, FeedNumber, SectionNumber, StoryNumber};
use crate::reason::{JoinReason, Why};
use crate::time::Timestamp;

/// What the store knows about the stories of one decision.
#[derive(Clone, Debug)]
pub struct Standing {
    /// The numbers for new rows.
    pub next: NextNumbers,
    /// The stories that the decision is about.
    pub stories: Vec<StandingStory>,
    /// For each link key of the entries to be written that the feed already has: up to two of the feed's stories with
    /// entries that have the link.
    pub linked: HashMap<String, Vec<StoryNumber>>,
}

/// The numbers for the next new rows.
#[derive(Clone, Copy, Debug)]
pub struct NextNumbers {
    /// The number for the next story.
    pub story: StoryNumber,
    /// The number for the next entry.
    pub entry: EntryNumber,
}

/// The state of a story, without its copies.
#[derive(Clone, Debug)]
pub struct StandingStory {
    /// Its row.
    pub row: StoryRow,
    /// Ids that the story has but does not publish, and for each whether another story publishes it. They are loaded
    /// only until a public section has shown the story.
    pub kept: Vec<(String, bool)>,
    /// Its placements, including those in removed sections.
    pub placements: Vec<(SectionNumber, PlacementRow)>,
}

/// The row of a story.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoryRow {
    /// The story.
    pub number: StoryNumber,
    /// The id under which it is published.
    pub public_id: String,
    /// The slug of its page.
    pub slug: String,
    /// The time by which it is sorted.
    pub sort_at: Timestamp,
    /// When a public section first showed it; `None` if none did.
    pub shown: Option<Timestamp>,
    /// Whether its names come from an older version and are still to be checked.
    pub is_unchecked: bool,
}

/// The most that is read of a story's copies.
#[derive(Clone, Copy, Debug)]
pub struct CopyLimits {
    /// How many copies.
    pub copies: usize,
    /// How many bytes of content.
    pub bytes: usize,
}

/// The copies of a story with content, in the order in which they joined.
#[derive(Clone, Debug)]
pub enum Copies {
    /// All copies.
    All(Vec<CopyRow>),
    /// There are too many, or they are too large, to read all.
    Many(Vec<CopyHead>),
}

/// An entry as a copy of its story.
#[derive(Clone, Debug)]
pub struct CopyRow {
    /// The entry.
    pub number: EntryNumber,
    /// Its feed.
    pub feed: FeedId,
    /// When it was first seen.
    pub first_seen: Timestamp,
    /// When its lasting content last changed.
    pub revised: Option<Timestamp>,
    /// Why it belongs to its story.
    pub reason: JoinReason,
    /// The content.
    pub entry: Entry,
    /// The size of the entry on disk.
    pub bytes: usize,
}

/// A copy without its content.
#[derive(Clone, Debug)]
pub struct CopyHead {
    /// The entry.
    pub number: EntryNumber,
    /// Its feed.
    pub feed: FeedId,
    /// When it was first seen.
    pub first_seen: Timestamp,
    /// Why it belongs to its story.
    pub reason: JoinReason,
    /// The size of the entry on disk.
    pub bytes: usize,
    /// Its link keys.
    pub links: Vec<String>,
}

/// An entry of a story, with or without content.
#[derive(Clone, Copy, Debug)]
pub struct Member {
    /// The entry.
    pub number: EntryNumber,
    /// Its feed.
    pub feed: FeedNumber,
    /// Why it belongs to the story.
    pub reason: JoinReason,
}

/// The placement of a story in a section.
#[derive(Clone, Debug, PartialEq)]
pub struct PlacementRow {
    /// The entry whose content is shown.
    pub lead: EntryNumber,
    /// The time by which the section sorts it.
    pub sort_at: Timestamp,
    /// When it last entered; `None` if it was never in the section.
    pub entered: Option<Timestamp>,
    /// When it left; `None` if it is in the section.
    pub left: Option<Timestamp>,
    /// Why it is in the section or not.
    pub why: Why,
    /// When time alone may change the verdict.
    pub next_change: Option<Timestamp>,
    /// When the shown content last changed.
    pub changed: Option<Timestamp>,
    /// The id of the story in this section, if it took the place of a merged story: the id of that story.
    pub published_as: Option<String>,
}

impl PlacementRow {
    /// Returns whether the story is in the section.
    pub fn is_in(&self) -> bool {
        self.left.is_none()
    }
}
