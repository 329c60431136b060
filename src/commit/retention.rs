//! Retention: deletes the content of entries that their feeds' documents no longer list. It deletes the content of
//! entries that left their document long ago. If the store has too much content, it deletes that of the entries that
//! left first. The keys of such an entry stay for ever, so that the entry is never taken for a new one. The content of
//! an entry that the document still lists is never deleted.

use std::collections::BTreeMap;
use std::time::Duration;

use super::active::ActiveConfig;
use super::archive;
use super::stories::{self, load};
use crate::config::Config;
use crate::newsroom::{self, ListeningHooks, SectionMoves, Setting, Viewer};
use crate::number::StoryNumber;
use crate::rows::Forget;
use crate::store::{Store, StoreError, Turn};
use crate::time::Timestamp;

/// How many rows one transaction deletes, so that polls need not wait long.
const BATCH: usize = 500;

/// How long the poll log and the events of feeds are kept.
const KEEP_LOG: Duration = Duration::from_secs(30 * 24 * 3600);

/// Deletes the content of the next batch of entries. These entries left their document longer than `[store] keep` ago,
/// or the content in the store exceeds its limits. Returns the number of entries (0 if nothing is left), and the
/// sections that changed.
///
/// # Errors
///
/// Returns the errors of the store; nothing of the batch is then changed.
pub async fn retain_batch(
    store: &Store,
    active: impl Into<ActiveConfig>,
    now: Timestamp,
) -> Result<(usize, SectionMoves), StoreError> {
    let active = active.into();
    store.turn(move |turn| commit(turn, &active.current(), now)).await
}

fn commit(turn: &Turn, config: &Config, now: Timestamp) -> Result<(usize, SectionMoves), StoreError> {
    turn.forget_log(now - KEEP_LOG, BATCH)?;
    let mut old = turn.unlisted(Some(now - config.store.keep), BATCH)?;
    if old.is_empty() {
        old = turn.unlisted(None, excess(turn, config)?)?;
    }
    let mut by_story = BTreeMap::<StoryNumber, Vec<Forget>>::new();
    for number in &old {
        let (row, _) = turn.former(*number)?;
        let signatures = row.entry.as_ref().map(|entry| newsroom::signature_keys(entry, row.first_seen));
        let forget = Forget { number: *number, story: row.story, signatures: signatures.unwrap_or_default() };
        by_story.entry(row.story).or_default().push(forget);
    }
    let stories: Vec<StoryNumber> = by_story.keys().copied().collect();
    let sections = turn.sections()?;
    let setting = Setting { config, now, sections: &sections, key: turn.key()?, listeners: ListeningHooks::default() };
    let mut changed = SectionMoves::new();
    let mut rest = &stories[..];
    while !rest.is_empty() {
        let (loaded, count) = load(turn, setting, rest, Viewer::All, setting.reads_text())?;
        let mut board = loaded.board(turn, setting)?;
        for story in &rest[..count] {
            by_story.remove(story).into_iter().flatten().for_each(|forget| board.forget(forget));
        }
        rest = &rest[count..];
        let unplaced = stories::write(turn, board.finish(), &mut changed)?;
        stories::place_rest(turn, setting, unplaced, &mut changed)?;
    }
    archive::forget(turn, &stories.into_iter().collect())?;
    Ok((old.len(), changed))
}

/// Returns how many entries must lose their content because of the limits of the store, at most [`BATCH`].
fn excess(turn: &Turn, config: &Config) -> Result<usize, StoreError> {
    let mut excess = 0;
    if let Some(most) = config.store.max_entries {
        excess = turn.bodies()?.saturating_sub(most);
    }
    if let Some(most) = config.store.max_bytes
        && turn.used_bytes()? > most
    {
        return Ok(BATCH);
    }
    Ok(BATCH.min(usize::try_from(excess).unwrap_or(BATCH)))
}
