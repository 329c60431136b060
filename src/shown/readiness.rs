//! Says to which stories the current definition of a section was applied, that is, for which stories newswire has
//! decided whether they are in the section. When a definition changes, it is applied again to the stories that the
//! change can affect, the newest first.

use crate::config::{Edits, Section};
use crate::rows::JudgingRow;
use crate::store::{StoreError, View};
use crate::story;
use crate::time::Timestamp;

use super::SectionContent;

/// To which stories the current definition of a section was applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readiness {
    /// Something that the section shows may still change.
    NotYet,
    /// The definition was applied to all stories that the section shows, but not to all older ones.
    Shown,
    /// The definition was applied to all stories.
    All,
}

/// Returns to which stories the current definition of a section was applied. `content` is the content of the section.
/// It must come from the same read of the store as `view`.
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
        // All stories to which the definition was not applied yet are too old for the section.
        _ if is_too_old(row.cursor.0) => (Timestamp::MIN, JudgingRow::START.1),
        _ => return Ok(Readiness::NotYet),
    };
    let has_unjudged = view.has_unjudged(row.number, down_to, row.cursor)?;
    Ok(if has_unjudged { Readiness::NotYet } else { Readiness::Shown })
}
