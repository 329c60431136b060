//! The current state of stories, called *standing*: names, copies and placements.

use std::collections::HashMap;

use crate::entry::Entry;
use crate::feed::FeedId;
use crate::number::{EntryNumber, FeedNumber, SectionNumber, StoryNumber};
use crate::reason::{JoinReason, Why};
use crate::time::Timestamp;

/// The stored state of the stories that one decision is about.
#[derive(Clone, Debug)]
pub struct Standing {
    /// The numbers for new rows.
    pub next: NextNumbers,
    /// The stories that the decision is about.
    pub stories: Vec<StandingStory>,
    /// Stories by link key. The links are those of the entries to be written. The stories, at most two per link, are
    /// stories with stored entries of the same feed that have the link. Links that no stored entry has are left out.
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

/// The stored state of a story, without its copies.
#[derive(Clone, Debug)]
pub struct StandingStory {
    /// The row of the story.
    pub row: StoryRow,
    /// Ids that the story has but does not publish. The `bool` says whether another story publishes the id. May be left
    /// empty once a public section has shown the story, because the story then keeps its public id.
    pub kept: Vec<(String, bool)>,
    /// The placements of the story, including those in removed sections.
    pub placements: Vec<(SectionNumber, PlacementRow)>,
}

/// The row of a story.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoryRow {
    /// The number of the story.
    pub number: StoryNumber,
    /// The id under which the story is published.
    pub public_id: String,
    /// The slug of the story's page.
    pub slug: String,
    /// The time by which the story is sorted.
    pub sort_at: Timestamp,
    /// When a public section first showed the story; `None` if none did.
    pub shown: Option<Timestamp>,
    /// Whether the names of the story come from an older version of newswire and have not been checked yet.
    pub is_unchecked: bool,
}

/// Limits for reading the copies of a story.
#[derive(Clone, Copy, Debug)]
pub struct CopyLimits {
    /// The most copies to read.
    pub copies: usize,
    /// The most bytes of content to read.
    pub bytes: usize,
}

/// The copies of a story that have content, in the order of their numbers.
#[derive(Clone, Debug)]
pub enum Copies {
    /// All copies.
    All(Vec<CopyRow>),
    /// The copies without their content, because they are too many or too large to read.
    Many(Vec<CopyHead>),
}

/// An entry as a copy of its story.
#[derive(Clone, Debug)]
pub struct CopyRow {
    /// The number of the entry.
    pub number: EntryNumber,
    /// The feed of the entry.
    pub feed: FeedId,
    /// When the entry was first seen.
    pub first_seen: Timestamp,
    /// When the entry's lasting content (a change of it is a revision) last changed; `None` if never.
    pub revised: Option<Timestamp>,
    /// Why the entry belongs to its story.
    pub reason: JoinReason,
    /// The content of the entry.
    pub entry: Entry,
    /// The size of the stored entry, in bytes.
    pub bytes: usize,
}

/// A copy without its content.
#[derive(Clone, Debug)]
pub struct CopyHead {
    /// The number of the entry.
    pub number: EntryNumber,
    /// The feed of the entry.
    pub feed: FeedId,
    /// When the entry was first seen.
    pub first_seen: Timestamp,
    /// Why the entry belongs to its story.
    pub reason: JoinReason,
    /// The size of the stored entry, in bytes.
    pub bytes: usize,
    /// The link keys of the entry.
    pub links: Vec<String>,
}

/// An entry of a story, with or without content.
#[derive(Clone, Copy, Debug)]
pub struct Member {
    /// The number of the entry.
    pub number: EntryNumber,
    /// The feed of the entry.
    pub feed: FeedNumber,
    /// Why the entry belongs to the story.
    pub reason: JoinReason,
}

/// The placement of a story in a section.
#[derive(Clone, Debug, PartialEq)]
pub struct PlacementRow {
    /// The entry whose content is shown.
    pub lead: EntryNumber,
    /// The time by which the section sorts the story.
    pub sort_at: Timestamp,
    /// When the story last entered the section; `None` if it was never in the section.
    pub entered: Option<Timestamp>,
    /// When the story left the section; `None` if it is in the section.
    pub left: Option<Timestamp>,
    /// Why the story is in the section or not.
    pub why: Why,
    /// When the story may enter or leave the section merely because time passes; `None` if that cannot happen.
    pub next_change: Option<Timestamp>,
    /// When the shown content last changed after the story was placed; `None` if never.
    pub changed: Option<Timestamp>,
    /// The id under which this section publishes the story, if it is not the story's public id. It is the id of a
    /// merged story whose place in the section this story took, or a former id of the story.
    pub published_as: Option<String>,
}

impl PlacementRow {
    /// Returns whether the story is in the section.
    pub fn is_in(&self) -> bool {
        self.left.is_none()
    }
}
