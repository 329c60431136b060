//! How stories stand: their names, their copies, and their places in sections.

use std::collections::HashMap;

use crate::entry::Entry;
use crate::feed::FeedId;
use crate::number::{EntryNumber, FeedNumber, SectionNumber, StoryNumber};
use crate::reason::{JoinReason, Why};
use crate::time::Timestamp;

/// What a step of deciding knows.
#[derive(Clone, Debug)]
pub struct Standing {
    pub next: NextNumbers,
    pub stories: Vec<StandingStory>,
    /// Link keys of entries that are written, as far as the feed has them already: up to two of its stories with entries that
    /// have the link.
    pub linked: HashMap<String, Vec<StoryNumber>>,
}

/// The numbers that the next new rows get.
#[derive(Clone, Copy, Debug)]
pub struct NextNumbers {
    pub story: StoryNumber,
    pub entry: EntryNumber,
}

/// A story and how it stands, without its copies.
#[derive(Clone, Debug)]
pub struct StandingStory {
    pub row: StoryRow,
    /// Ids that it keeps to itself, and whether another story publishes them; loaded only until a public section has shown it.
    pub kept: Vec<(String, bool)>,
    /// Its places, also in sections that are gone.
    pub placements: Vec<(SectionNumber, PlacementRow)>,
}

/// A row of a story that joined no other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoryRow {
    pub number: StoryNumber,
    pub public_id: String,
    pub slug: String,
    pub sort_at: Timestamp,
    /// Since when a public section shows it; `None` if none did.
    pub shown: Option<Timestamp>,
    /// Whether its names come from an older version and are still to be checked.
    pub is_unchecked: bool,
}

/// How much of a story's copies is read.
#[derive(Clone, Copy, Debug)]
pub struct CopyLimits {
    pub copies: usize,
    pub bytes: usize,
}

/// The copies of a story whose words are kept, in the order in which they joined.
#[derive(Clone, Debug)]
pub enum Copies {
    All(Vec<CopyRow>),
    /// They are too many or too large to be read all.
    Many(Vec<CopyHead>),
}

/// An entry as a copy of its story.
#[derive(Clone, Debug)]
pub struct CopyRow {
    pub number: EntryNumber,
    pub feed: FeedId,
    pub first_seen: Timestamp,
    /// When its lasting content last changed.
    pub revised: Option<Timestamp>,
    pub reason: JoinReason,
    pub entry: Entry,
    /// What the entry takes on disk.
    pub bytes: usize,
}

/// A copy without its words.
#[derive(Clone, Debug)]
pub struct CopyHead {
    pub number: EntryNumber,
    pub feed: FeedId,
    pub first_seen: Timestamp,
    pub reason: JoinReason,
    /// What the entry takes on disk.
    pub bytes: usize,
    /// Its link keys.
    pub links: Vec<String>,
}

/// An entry of a story, whether its words are kept or not.
#[derive(Clone, Copy, Debug)]
pub struct Member {
    pub number: EntryNumber,
    pub feed: FeedNumber,
    pub reason: JoinReason,
}

/// How a story stands in a section.
#[derive(Clone, Debug, PartialEq)]
pub struct PlacementRow {
    /// The entry whose words are shown.
    pub lead: EntryNumber,
    pub sort_at: Timestamp,
    /// When it entered last; `None` if it was never in the section.
    pub entered: Option<Timestamp>,
    /// Since when it is not in the section; `None` if it is.
    pub left: Option<Timestamp>,
    pub why: Why,
    /// When time alone calls for another judgement.
    pub next_change: Option<Timestamp>,
    /// When the shown words last changed.
    pub changed: Option<Timestamp>,
    /// The id that it has here, if it came by joining: that of the joined story.
    pub published_as: Option<String>,
}

impl PlacementRow {
    pub fn is_in(&self) -> bool {
        self.left.is_none()
    }
}
