//! Reads the copies of a story for those who show it.

use rusqlite::Connection;

use super::StoreError;
use super::loads::{self, CopyLimits};
use crate::config::Config;
use crate::feed::FeedId;
use crate::newsroom::{self, SeenStory};
use crate::number::StoryNumber;
use crate::rows::Copies;
use crate::section::{MAX_COPIES, SeenCopy};

pub use crate::newsroom::Viewer;

/// The copies of a story that `viewer` sees, whose feeds are configured and whose words are kept, in the order in which they
/// joined; of very many copies the best. Without `with_text` their plain text is left empty, which is faster.
pub fn copies_of<'c>(
    connection: &Connection,
    config: &'c Config,
    story: StoryNumber,
    viewer: Viewer,
    with_text: bool,
) -> Result<Vec<SeenCopy<'c>>, StoreError> {
    let limits = CopyLimits { copies: MAX_COPIES, bytes: newsroom::MAX_BYTES };
    let sees = |feed: &FeedId| viewer.sees(config, feed);
    let rows = match loads::copies(connection, story, limits, &sees)? {
        Copies::All(rows) => rows,
        Copies::Many(heads) => loads::copies_by_number(connection, &newsroom::choose(config, &heads, viewer))?,
    };
    Ok(SeenStory::of(config, rows, true, with_text).copies)
}
