//! What a poll changed, as numbers and notes.

use super::SectionMoves;
use crate::feed::Note;
use crate::foreign;

/// The most entries that notes name, among the entries that change at every poll.
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
    /// Stored entries that were compared with those of the document.
    pub compared: usize,
    /// Entries in the document.
    pub listed: usize,
    /// Known entries that the document has under new guids.
    pub rekeyed: usize,
    /// Stories that were merged into others.
    pub merged: usize,
    /// The title or guid of each entry whose changes newswire ignores, because the entry changes at every poll. The
    /// text is empty for an entry of a private feed.
    pub restless: Vec<String>,
    /// The new address of the feed, if newswire uses it from this poll on because of permanent redirects.
    pub moved_to: Option<String>,
    /// Whether the document says something about the feed that the previous document did not.
    pub has_new_info: bool,
    /// Whether hooks are notified of the poll.
    pub has_messages: bool,
    /// The sections that must be rendered again, each with the number of stories that entered and left.
    pub sections: SectionMoves,
}

impl Applied {
    /// Returns what an editor should know about the poll.
    pub fn notes(&self) -> Vec<Note> {
        let rekeyed = (self.rekeyed > 0).then_some(Note::Rekeyed { rekeyed: self.rekeyed, listed: self.listed });
        let restless = self.restless.iter().take(RESTLESS_NAMED);
        let restless = restless.map(|name| Note::Restless { name: foreign::part(name) });
        let count = self.restless.len().saturating_sub(RESTLESS_NAMED);
        let more = (count > 0).then_some(Note::MoreRestless { count });
        rekeyed.into_iter().chain(restless).chain(more).collect()
    }
}
