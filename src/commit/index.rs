//! Full-text search: both indexes are filled in the background, so that a poll does not wait for it.
//!
//! The index for visitors contains what public sections show, and nothing else. Stories whose text or placements change
//! are marked when they are written; an edit of the config marks the stories of the feeds that it affects.

use std::sync::mpsc::sync_channel;

use super::ActiveConfig;
use crate::config::Config;
use crate::query;
use crate::rows::{IndexedWords, UnindexedRow};
use crate::section::ShownStory;
use crate::shown::{self, Infos};
use crate::store::{self, Store, StoreError, Turn};
use crate::text::PlainText;

/// How many entries one transaction indexes: about 50 ms of the writer's time.
const BATCH: usize = 1500;

/// The most bytes of bodies in a batch, however few they are.
const BATCH_BYTES: usize = 8 << 20;

/// How many entries' words may wait to be written.
const AHEAD: usize = 64;

/// How many stories one transaction updates: about 50 ms of the writer's time.
const PUBLIC_BATCH: usize = 250;

/// How many stories one transaction marks: some milliseconds of the writer's time.
const MARKED: usize = 2000;

/// The most bytes of text in such a batch, however few its stories are.
const PUBLIC_BYTES: usize = 4 << 20;

/// Adds the next batch of new text to the index; returns how many entries are done.
///
/// # Errors
///
/// Returns the errors of the store; in that case the batch waits for the next call.
pub async fn index_batch(store: &Store) -> Result<usize, StoreError> {
    store.turn(index_entries).await
}

/// Indexes a batch. One thread extracts words while the other writes.
fn index_entries(turn: &Turn) -> Result<usize, StoreError> {
    let waiting = turn.unindexed(BATCH, BATCH_BYTES)?;
    std::thread::scope(|scope| {
        let (send, found) = sync_channel(AHEAD);
        let all = &waiting;
        scope.spawn(move || {
            let words = all.iter().map(|row| words_of(row).map(|words| (row.entry, words)));
            // After an error there is no receiver.
            words.map(|words| send.send(words)).take_while(Result::is_ok).for_each(drop);
        });
        found.into_iter().try_for_each(|words| {
            let (entry, words) = words?;
            turn.write_index(entry, words.as_ref())
        })
    })?;
    waiting.last().map_or(Ok(()), |last| turn.finish_index(last.entry))?;
    Ok(waiting.len())
}

fn words_of(row: &UnindexedRow) -> Result<Option<IndexedWords>, StoreError> {
    let Some(json) = &row.json else { return Ok(None) };
    let entry = store::decode_entry(json)?;
    let people = entry.authors.iter().chain(&entry.contributors);
    Ok(Some(query::indexed(&entry.title, &PlainText::of(&entry), people)))
}

/// Updates the next batch of marked stories in the public index, as the active config decides, and marks more after a change of
/// the config. Returns 0 when nothing is left.
///
/// # Errors
///
/// Returns the errors of the store; in that case the batch waits for the next call.
pub async fn index_public_batch(store: &Store, active: impl Into<ActiveConfig>) -> Result<usize, StoreError> {
    let active = active.into();
    // The config is read within the turn: by an earlier one, a batch could add again what the active one removed.
    store.turn(move |turn| index_public(turn, &active.current())).await
}

fn index_public(turn: &Turn, config: &Config) -> Result<usize, StoreError> {
    let (is_marked, waiting) = (turn.is_marked()?, turn.public_waiting(PUBLIC_BATCH)?);
    if is_marked && waiting.is_empty() {
        return Ok(0);
    }
    turn.mark_next(MARKED)?;
    let infos = Infos::of(turn);
    let (mut done, mut bytes) = (0, 0);
    for story in waiting {
        if bytes > PUBLIC_BYTES {
            break;
        }
        let words = shown::first_public(turn, config, story, &infos)?.map(|shown| public_words(&shown));
        bytes += words.as_ref().map_or(0, |words| words.title.len() + words.text.len() + words.author.len());
        turn.write_public_index(story, words.as_ref())?;
        done += 1;
    }
    Ok(done.max(usize::from(!is_marked)))
}

fn public_words(shown: &ShownStory) -> IndexedWords {
    let people = shown.entry.authors.iter().chain(&shown.via);
    query::indexed(&shown.entry.title, &PlainText::of(&shown.entry), people)
}
