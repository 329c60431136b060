//! What a poll came to, in numbers and notes.

use super::SectionMoves;
use crate::feed::Note;
use crate::foreign;

/// How many of the entries that change at every poll are named.
const RESTLESS_NAMED: usize = 3;

/// What a poll changed.
#[derive(Clone, Debug, Default)]
pub struct Applied {
    pub new: usize,
    pub revised: usize,
    /// New entries that joined the story of another copy.
    pub joined: usize,
    /// How many entries of the archive were compared with those of the document, to see whether they tell the same.
    pub compared: usize,
    /// How many entries the document has.
    pub listed: usize,
    /// Known entries that came under new guids.
    pub rekeyed: usize,
    /// Stories that turned out to be others, and joined them.
    pub united: usize,
    /// The titles, or guids, of entries that change at every poll and are not applied any more; empty for those of private
    /// feeds.
    pub restless: Vec<String>,
    /// Where the feed has moved for good, which is believed from this poll on.
    pub moved_to: Option<String>,
    /// The sections whose editions must be rendered again, and how many stories came and went.
    pub sections: SectionMoves,
}

impl Applied {
    /// What an editor should know of it.
    pub fn notes(&self) -> Vec<Note> {
        let rekeyed = (self.rekeyed > 0).then_some(Note::Rekeyed { rekeyed: self.rekeyed, listed: self.listed });
        let restless = self.restless.iter().take(RESTLESS_NAMED);
        let restless = restless.map(|name| Note::Restless { name: foreign::part(name) });
        let count = self.restless.len().saturating_sub(RESTLESS_NAMED);
        let more = (count > 0).then_some(Note::MoreRestless { count });
        rekeyed.into_iter().chain(restless).chain(more).collect()
    }
}
