//! The result of a poll, in numbers and notes.

use super::SectionMoves;
use crate::feed::Note;
use crate::foreign;

/// How many entries that change at every poll are named.
const RESTLESS_NAMED: usize = 3;

/// What a poll changed.
#[derive(Clone, Debug, Default)]
pub struct Applied {
    /// New entries.
    pub new: usize,
    /// Revised entries.
    pub revised: usize,
    /// New entries that joined the story of another copy.
    pub joined: usize,
    /// How many entries of the archive were compared with those of the document.
    pub compared: usize,
    /// How many entries the document has.
    pub listed: usize,
    /// Known entries that came under new guids.
    pub rekeyed: usize,
    /// Stories that were merged into others.
    pub merged: usize,
    /// The titles, or guids, of entries that change at every poll and whose changes are no longer applied; empty texts
    /// for entries of private feeds.
    pub restless: Vec<String>,
    /// Where the feed has moved for good, if newswire follows it from this poll on.
    pub moved_to: Option<String>,
    /// Whether the feed's document says something else about the feed than the one before.
    pub has_new_info: bool,
    /// The sections whose editions must be rendered again, and how many stories entered and left.
    pub sections: SectionMoves,
}

impl Applied {
    /// Returns what an editor should know of the poll.
    pub fn notes(&self) -> Vec<Note> {
        let rekeyed = (self.rekeyed > 0).then_some(Note::Rekeyed { rekeyed: self.rekeyed, listed: self.listed });
        let restless = self.restless.iter().take(RESTLESS_NAMED);
        let restless = restless.map(|name| Note::Restless { name: foreign::part(name) });
        let count = self.restless.len().saturating_sub(RESTLESS_NAMED);
        let more = (count > 0).then_some(Note::MoreRestless { count });
        rekeyed.into_iter().chain(restless).chain(more).collect()
    }
}
