//! Judges the stories of sections whose definition changed: decides again which of them are in the section. A pass
//! judges the stories of one section in batches. The store records the cursor of the pass: the position of the last
//! story that was judged.
//!
//! The policy: a change of the config never delays polls for long. A pass judges the newest stories first, in small
//! transactions, and polls write between these. A poll judges its own stories by the active config, so a later batch
//! with these stories changes nothing.
//!
//! The next batch is always for the section whose pass has made the least progress. So the newest stories of all
//! sections are judged first. The order depends only on the store and the config. A pass that was stopped resumes at
//! its cursor.

use super::active::ActiveConfig;
use super::names;
use super::reload::{SectionChange, SectionChangeKind};
use super::stories::{self, load_within};
use crate::config::{Config, Section};
use crate::feed::SectionId;
use crate::newsroom::{ListeningHooks, Moves, SectionMoves, Setting, Viewer};
use crate::number::StoryNumber;
use crate::rows::{JudgingRow, PassBatch};
use crate::section;
use crate::store::{PassLimits, Store, StoreError, Turn};
use crate::time::Timestamp;

/// How many stories one transaction judges and examines. Judging these takes about 50 ms of the writer's time;
/// examining a story that is not judged takes microseconds.
const BATCH: PassLimits = PassLimits { stories: 200, examined: 5000 };

/// A batch gets no further story once its copies exceed this number of bytes.
const BATCH_BYTES: usize = 4 << 20;

/// The result of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JudgedBatch {
    /// The section.
    pub section: SectionId,
    /// Whether the pass of the section is finished.
    pub is_done: bool,
    /// What the whole pass changed; `None` if the pass is not finished, or only gave slugs to stories.
    pub change: Option<SectionChange>,
}

/// Judges the next batch of stories for a section whose definition changed. Returns `None` if no pass is unfinished.
///
/// # Errors
///
/// Returns the errors of the store; the next call then tries the batch again.
pub async fn judge_batch(
    store: &Store,
    active: impl Into<ActiveConfig>,
    now: Timestamp,
) -> Result<Option<JudgedBatch>, StoreError> {
    let active = active.into();
    store.turn(move |turn| judge_next(turn, &active.current(), now)).await
}

/// Finishes the passes of all sections whose definition changed. Returns what the passes changed.
///
/// # Errors
///
/// Returns the errors of the store; the next call then continues.
pub async fn judge_all(
    store: &Store,
    active: impl Into<ActiveConfig>,
    now: Timestamp,
) -> Result<Vec<SectionChange>, StoreError> {
    let active = active.into();
    let mut changes = Vec::new();
    while let Some(batch) = judge_batch(store, active.clone(), now).await? {
        changes.extend(batch.change);
    }
    Ok(changes)
}

fn judge_next(turn: &Turn, config: &Config, now: Timestamp) -> Result<Option<JudgedBatch>, StoreError> {
    let rows = turn.judging()?;
    let row_of = |section: &SectionId| rows.iter().find(|row| row.section == *section);
    let waiting = config.sections.iter().filter_map(|section| Some((section, row_of(&section.id)?)));
    // The pass that has made the least progress has the greatest cursor. If several passes have the same cursor, the
    // section that comes first in the config is next.
    let Some((section, row)) = waiting.min_by_key(|(_, row)| std::cmp::Reverse(row.cursor)) else { return Ok(None) };
    let mut row = row.clone();
    let is_done = if row.is_whole {
        judge_newest(turn, config, section, &mut row, now)?
    } else {
        judge_feed(turn, config, section, &mut row, now)?
    };
    if is_done {
        turn.finish_judging(row.number)?;
    } else {
        turn.note_judged(&row)?;
    }
    let kind = if row.is_new { SectionChangeKind::Added } else { SectionChangeKind::Redefined };
    let moves = Moves { entered: row.entered, left: row.left };
    let change = SectionChange { section: row.section.clone(), kind, moves };
    Ok(Some(JudgedBatch { section: row.section, is_done, change: (is_done && row.judges).then_some(change) }))
}

/// Judges the next batch of a pass over all stories. Returns whether the pass is finished.
fn judge_newest(
    turn: &Turn,
    config: &Config,
    section: &Section,
    row: &mut JudgingRow,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let PassBatch { stories, examined } =
        turn.next_stories(row.number, row.cursor, BATCH, &|feed| section.takes(feed))?;
    let numbers: Vec<StoryNumber> = stories.iter().map(|(story, _)| *story).collect();
    let count = judge(turn, config, section, row, &numbers, now)?;
    let last = if count < numbers.len() { stories[..count].last().map(|(_, at)| *at) } else { examined };
    row.cursor = last.unwrap_or(row.cursor);
    Ok(last.is_none())
}

/// Judges the next batch of a pass over the stories of some feeds. Returns whether the pass is finished.
fn judge_feed(
    turn: &Turn,
    config: &Config,
    section: &Section,
    row: &mut JudgingRow,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let Some((feed, after)) = turn.judging_feed(row.number)? else { return Ok(true) };
    let PassBatch { stories, examined } = turn.next_stories_of(feed, &after, BATCH.stories)?;
    let numbers: Vec<StoryNumber> = stories.iter().map(|(story, _)| *story).collect();
    let count = judge(turn, config, section, row, &numbers, now)?;
    let last = if count < numbers.len() { stories[..count].last().map(|(_, guid)| guid.clone()) } else { examined };
    turn.note_judged_feed(row.number, feed, last.as_deref())?;
    Ok(last.is_none() && turn.judging_feed(row.number)?.is_none())
}

/// Judges the first of these stories, as many as fit into the memory for a batch. If the section became public, gives
/// slugs to those of them that have no slug. Returns how many stories it dealt with.
fn judge(
    turn: &Turn,
    config: &Config,
    section: &Section,
    row: &mut JudgingRow,
    stories: &[StoryNumber],
    now: Timestamp,
) -> Result<usize, StoreError> {
    let mut count = stories.len();
    if row.judges && !stories.is_empty() {
        let sections = turn.sections()?;
        let setting =
            Setting { config, now, sections: &sections, key: turn.key()?, listeners: ListeningHooks::default() };
        let mut changed = SectionMoves::new();
        count = judge_in(turn, setting, section, stories, &mut changed)?;
        let moves = changed.remove(&section.id).unwrap_or_default();
        row.entered += moves.entered;
        row.left += moves.left;
    }
    if row.names {
        names::name_stories_of(turn, config, section, &stories[..count], now)?;
    }
    Ok(count)
}

/// Judges the first of these stories for one section, as many as fit into the memory for a batch. Returns how many it
/// judged.
pub(super) fn judge_in(
    turn: &Turn,
    setting: Setting,
    section: &Section,
    stories: &[StoryNumber],
    changed: &mut SectionMoves,
) -> Result<usize, StoreError> {
    let with_text = section::reads_text(section);
    let (loaded, count) = load_within(turn, setting, stories, (Viewer::Section(section), with_text), BATCH_BYTES)?;
    let mut board = loaded.board(turn, setting)?;
    for story in &stories[..count] {
        board.place_in_section(section, *story);
    }
    stories::write(turn, board.finish(), changed)?;
    Ok(count)
}
