//! The whole archive, story by story, for judging it without changing it.
//!
//! Only one batch of stories is in memory at a time, so a rule can be tried on a million stories while a daemon writes
//! them. A story's copies are as sections see them when they judge; if there are very many, only the best are returned.

use url::Url;

use crate::config::Config;
use crate::feed::SectionId;
use crate::newsroom::{SeenStory, Viewer};
use crate::rows::StoredStory;
use crate::section::SeenCopy;
use crate::store::{Reader, StoreError};

use super::copies::{LIMITS, copies_of};

/// A story with its copies and the sections that contain it.
pub struct Passing<'c> {
    /// The story.
    pub story: StoredStory,
    /// The copies whose feeds are configured and whose text is kept, in the order in which they joined.
    pub copies: Vec<SeenCopy<'c>>,
    /// Title and link of the first copy whose text is kept, whether or not its feed is configured.
    pub first: Option<(String, Option<Url>)>,
    /// The sections where the store has placed the story.
    pub sections: Vec<SectionId>,
}

/// Passes every story to `visit`, from the one stored last to the first, in one state of the store.
///
/// Without `with_text` the copies' plain text stays empty, which is faster if no rule reads it.
///
/// # Errors
///
/// Returns the errors of the store.
pub fn each_story<'c>(
    reader: &Reader,
    config: &'c Config,
    with_text: bool,
    mut visit: impl FnMut(&Passing<'c>),
) -> Result<(), StoreError> {
    reader.in_one_state(|reader| {
        let mut below = None;
        loop {
            let batch = reader.pass_over(below, LIMITS)?;
            let Some(last) = batch.last() else { return Ok(()) };
            below = Some(last.story.number);
            for row in batch {
                let seen = match row.copies {
                    Some(rows) => SeenStory::of(config, rows, true, with_text),
                    None => copies_of(reader, config, row.story.number, Viewer::All, with_text)?,
                };
                let (copies, first, sections) = (seen.copies, row.first, row.sections);
                visit(&Passing { story: row.story, copies, first, sections });
            }
        }
    })
}
