//! Reads all stories one by one, so that rules can be tried on them without changing anything.
//!
//! Only one batch of stories is in memory at a time. So a rule can be tried on a million stories, even while a daemon
//! writes to the store. The rules get the same copies of a story as in the daemon. If there are very many,
//! [`newsroom::choose`](crate::newsroom::choose) selects some of them.

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
    /// The copies whose feeds are configured and whose text is stored, in the order in which they joined the story.
    pub copies: Vec<SeenCopy<'c>>,
    /// The title and link of the first copy whose text is stored, whether or not its feed is configured; `None` if no
    /// text is stored.
    pub first: Option<(String, Option<Url>)>,
    /// The sections where the store has placed the story.
    pub sections: Vec<SectionId>,
}

/// Passes every story to `visit`, from the one that was stored last to the first. All stories come from one state of
/// the store.
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
