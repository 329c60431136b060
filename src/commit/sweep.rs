//! Changes placements because time passes: a story becomes too old for a section, or old enough. Such a story is judged
//! again: newswire decides whether it is in the section.

use std::collections::BTreeSet;

use super::active::ActiveConfig;
use super::judging::judge_in;
use super::stories::place_all;
use crate::config::Config;
use crate::feed::SectionId;
use crate::newsroom::{ListeningHooks, Moves, SectionMoves, Setting};
use crate::number::StoryNumber;
use crate::store::{DuePlacement, Store, StoreError, Turn};
use crate::time::Timestamp;

/// How many placements one transaction judges. This takes about 50 ms of the writer's time, so that polls need not wait
/// long.
const BATCH: usize = 200;

/// Judges the stories that may enter or leave a section at `now` merely because time has passed, in small transactions.
/// Returns the sections whose content changed.
///
/// # Errors
///
/// Returns the errors of the store; the next call then judges the remaining stories.
pub async fn sweep(store: &Store, active: impl Into<ActiveConfig>, now: Timestamp) -> Result<SectionMoves, StoreError> {
    sweep_where(store, active.into(), None, now).await
}

/// Judges the stories that may enter or leave one section at `now` merely because time has passed. Returns how many
/// entered and left.
///
/// # Errors
///
/// Returns the errors of the store; the next call then judges the remaining stories.
pub(super) async fn sweep_section(
    store: &Store,
    active: ActiveConfig,
    section: SectionId,
    now: Timestamp,
) -> Result<Moves, StoreError> {
    let mut changed = sweep_where(store, active, Some(section.clone()), now).await?;
    Ok(changed.remove(&section).unwrap_or_default())
}

async fn sweep_where(
    store: &Store,
    active: ActiveConfig,
    only: Option<SectionId>,
    now: Timestamp,
) -> Result<SectionMoves, StoreError> {
    let mut all_changed = SectionMoves::new();
    let mut after = None;
    loop {
        let (active, only) = (active.clone(), only.clone());
        let swept = store.turn(move |turn| sweep_next(turn, &active.current(), only.as_ref(), after, now)).await?;
        let Some((changed, last)) = swept else { return Ok(all_changed) };
        for (section, moves) in changed {
            let sum = all_changed.entry(section).or_default();
            sum.entered += moves.entered;
            sum.left += moves.left;
        }
        after = Some(last);
    }
}

/// Judges the next batch of due placements, after the placement `after`. Returns the sections that changed and the last
/// placement of the batch; `None` if there is no due placement.
fn sweep_next(
    turn: &Turn,
    config: &Config,
    only: Option<&SectionId>,
    after: Option<DuePlacement>,
    now: Timestamp,
) -> Result<Option<(SectionMoves, DuePlacement)>, StoreError> {
    let due = turn.due_placements(now, after, BATCH)?;
    let Some(last) = due.last().copied() else { return Ok(None) };
    let sections = turn.sections()?;
    let setting = Setting { config, now, sections: &sections, key: turn.key()?, listeners: ListeningHooks::default() };
    let concerned = only.map(|id| (config.section(id), sections.get(id).copied()));
    let is_concerned = |due: &&DuePlacement| concerned.is_none_or(|(_, section)| section == Some(due.1));
    let stories: BTreeSet<StoryNumber> = due.iter().filter(is_concerned).map(|(_, _, story)| *story).collect();
    let stories: Vec<StoryNumber> = stories.into_iter().collect();
    let Some((section, _)) = concerned else { return Ok(Some((place_all(turn, setting, &stories)?, last))) };
    let mut changed = SectionMoves::new();
    let (mut rest, section) = (&stories[..], section.filter(|_| !stories.is_empty()));
    while let Some(section) = section.filter(|_| !rest.is_empty()) {
        let count = judge_in(turn, setting, section, rest, &mut changed)?;
        rest = &rest[count..];
    }
    Ok(Some((changed, last)))
}
