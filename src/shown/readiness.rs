//! How far a section is judged by its present definition, seen from what it shows.

use crate::config::{Edits, Section};
use crate::rows::JudgingRow;
use crate::store::{StoreError, View};
use crate::story;
use crate::time::Timestamp;

use super::SectionContent;

/// How far a section is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readiness {
    /// Something that the section shows may still change.
    NotYet,
    /// All that the section shows is judged; older stories are not.
    Shown,
    /// All stories are judged.
    All,
}

/// Returns how far a section with this content is judged. The content must be from the same read.
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
    // In a section that moves revised stories up, an old story may come back at the top.
    if !row.is_whole || row.cursor == JudgingRow::START || section.edits == Edits::Bump {
        return Ok(Readiness::NotYet);
    }
    let last = content.stories.last();
    let last = last.and_then(|story| Some((story.sort_at, story::slug_number(&story.slug)?)));
    let is_too_old = |at: Timestamp| section.max_age.is_some_and(|max_age| at + max_age <= now);
    let down_to = match last {
        // An older story cannot be shown any more.
        Some(last) if content.is_full && last > row.cursor => last,
        // No older story may be in the section.
        _ if is_too_old(row.cursor.0) => (Timestamp::MIN, JudgingRow::START.1),
        _ => return Ok(Readiness::NotYet),
    };
    let has_unjudged = view.has_unjudged(row.number, down_to, row.cursor)?;
    Ok(if has_unjudged { Readiness::NotYet } else { Readiness::Shown })
}
