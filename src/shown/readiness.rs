//! Says how many stories a section has judged by its current definition. To judge a story is to decide whether it is in
//! the section. When the definition of a section changes, the stories that the change can affect are judged again, the
//! newest first.

use crate::config::{Edits, Section};
use crate::rows::JudgingRow;
use crate::store::{StoreError, View};
use crate::story;
use crate::time::Timestamp;

use super::SectionContent;

/// Which stories of a section are judged by its current definition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readiness {
    /// Something that the section shows may still change.
    NotYet,
    /// All stories that the section shows are judged. Older stories are not.
    Shown,
    /// All stories are judged.
    All,
}

/// Returns which stories of a section with this content are judged. The content must come from the same read of the
/// store as `view`.
///
/// # Errors
///
/// Returns the errors of the store.
pub fn readiness(
    view: &View,
    section: &Section,
    content: &SectionContent,
    now: Timestamp,
) -> Result<Readiness, StoreError> {
    let Some(row) = view.judging()?.into_iter().find(|row| row.section == section.id) else {
        return Ok(Readiness::All);
    };
    // In a section that moves revised stories to the top, an old story may still be shown there.
    if !row.is_whole || row.cursor == JudgingRow::START || section.edits == Edits::Bump {
        return Ok(Readiness::NotYet);
    }
    let last = content.stories.last();
    let last = last.and_then(|story| Some((story.sort_at, story::slug_number(&story.slug)?)));
    let is_too_old = |at: Timestamp| section.max_age.is_some_and(|max_age| at + max_age <= now);
    let down_to = match last {
        // The document is full, so a story that is older than its last one cannot be shown.
        Some(last) if content.is_full && last > row.cursor => last,
        // All stories that are not judged yet are too old for the section.
        _ if is_too_old(row.cursor.0) => (Timestamp::MIN, JudgingRow::START.1),
        _ => return Ok(Readiness::NotYet),
    };
    let has_unjudged = view.has_unjudged(row.number, down_to, row.cursor)?;
    Ok(if has_unjudged { Readiness::NotYet } else { Readiness::Shown })
}
