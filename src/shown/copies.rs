//! Reads the copies of a story, within limits.

use crate::config::Config;
use crate::feed::FeedId;
use crate::newsroom::{self, SeenStory, Viewer};
use crate::number::StoryNumber;
use crate::rows::{Copies, CopyLimits};
use crate::section::MAX_COPIES;
use crate::store::{StoreError, View};

/// The most copies of a story that are read, and the most bytes of them.
pub(super) const LIMITS: CopyLimits = CopyLimits { copies: MAX_COPIES, bytes: newsroom::MAX_BYTES };

/// Returns the copies of a story that `viewer` sees. Copies whose feed is not configured, or whose text was deleted,
/// are left out. If there are more copies than the limits permit, returns those that [`newsroom::choose`] selects.
/// Without `with_text`, the plain text of the copies stays empty, which is faster.
///
/// # Errors
///
/// Returns the errors of the store.
pub fn copies_of<'c>(
    view: &View,
    config: &'c Config,
    story: StoryNumber,
    viewer: Viewer,
    with_text: bool,
) -> Result<SeenStory<'c>, StoreError> {
    let sees = |feed: &FeedId| viewer.sees(config, feed);
    Ok(match view.copies_of(story, LIMITS, &sees)? {
        Copies::All(rows) => SeenStory::of(config, rows, true, with_text),
        Copies::Many(heads) => {
            let rows = view.copies(&newsroom::choose(config, &heads, viewer))?;
            SeenStory::of(config, rows, false, with_text)
        }
    })
}
