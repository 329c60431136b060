//! What time alone changes: stories that have become too old, or old enough.

use super::active::ActiveConfig;
use super::stories::place_all;
use crate::newsroom::{SectionMoves, Setting};
use crate::store::{Store, StoreError};
use crate::time::Timestamp;

/// Judges the stories that are due for it because of time alone; returns the sections whose content changed.
///
/// # Errors
///
/// Returns the errors of the store; in that case nothing is changed.
pub async fn sweep(store: &Store, active: impl Into<ActiveConfig>, now: Timestamp) -> Result<SectionMoves, StoreError> {
    let active = active.into();
    let sweeping = store.turn(move |turn| {
        let due = turn.due_stories(now)?;
        if due.is_empty() {
            return Ok(SectionMoves::new());
        }
        let sections = turn.sections()?;
        let setting = Setting { config: &active.current(), now, sections: &sections, key: turn.key()? };
        place_all(turn, setting, &due)
    });
    sweeping.await
}
