//! The whole archive, story by story, for those who judge it without changing it.
//!
//! One batch of stories is in memory at a time: what a rule would do to a million stories is asked while a daemon writes
//! them. A story's copies come as the sections see them when they judge; of a story with very many, the best.

use url::Url;

use crate::config::Config;
use crate::feed::SectionId;
use crate::newsroom::{SeenStory, Viewer};
use crate::rows::StoredStory;
use crate::section::SeenCopy;
use crate::store::{Reader, StoreError};

use super::copies::{LIMITS, copies_of};

/// A story with its copies and the sections that hold it.
pub struct Passing<'c> {
    pub story: StoredStory,
    /// The copies whose feeds are configured and whose words are kept, in the order in which they joined.
    pub copies: Vec<SeenCopy<'c>>,
    /// Title and link of the first copy whose words are kept, whether its feed is configured or not.
    pub first: Option<(String, Option<Url>)>,
    /// As placed in the store.
    pub sections: Vec<SectionId>,
}

/// Shows every story to `visit`, from the one that was stored last to the first, in one state of the store.
///
/// Without `with_text` the copies' plain text is left empty, which is faster if no rule reads it.
///
/// # Errors
///
/// As of the store.
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
