//! Fills both indexes of the full-text search, in the background, so that polls need not wait.
//!
//! The index for visitors contains only what public sections show. A story whose text or placements change is marked
//! when they are written, and is then indexed again. An edit of the config marks the stories of the feeds that it
//! affects.

use std::sync::mpsc::sync_channel;

use super::ActiveConfig;
use crate::config::Config;
use crate::query;
use crate::rows::{IndexedWords, UnindexedRow};
use crate::section::ShownStory;
use crate::shown::{self, Infos};
use crate::store::{self, Store, StoreError, Turn};
use crate::text::PlainText;

/// How many entries one transaction indexes. This takes about 50 ms of the writer's time.
pub const INDEX_BATCH: usize = 1500;

/// A batch gets no further entry once its contents exceed this number of bytes.
const BATCH_BYTES: usize = 8 << 20;

/// How many entries may wait to be written after their words were extracted.
const AHEAD: usize = 64;

/// How many stories one transaction updates in the public index. This takes about 50 ms of the writer's time.
const PUBLIC_BATCH: usize = 250;

/// How many stories one transaction marks. This takes some milliseconds of the writer's time.
const MARKED: usize = 2000;

/// A batch of the public index gets no further story once its texts exceed this number of bytes.
const PUBLIC_BYTES: usize = 4 << 20;

/// Adds the next batch of entries to the index of all entries. Returns the number of entries in the batch.
///
/// # Errors
///
/// Returns the errors of the store; the next call then tries the batch again.
pub async fn index_batch(store: &Store) -> Result<usize, StoreError> {
    store.turn(index_entries).await
}

/// Indexes a batch. A second thread extracts the words while this one writes.
fn index_entries(turn: &Turn) -> Result<usize, StoreError> {
    let waiting = turn.unindexed(INDEX_BATCH, BATCH_BYTES)?;
    std::thread::scope(|scope| {
        let (send, found) = sync_channel(AHEAD);
        let all = &waiting;
        scope.spawn(move || {
            let words = all.iter().map(|row| words_of(row).map(|words| (row.entry, words)));
            // If writing failed, the receiver no longer exists.
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

/// Updates the next batch of marked stories in the public index, according to the active config. Also marks further
/// stories if a change of the config affects them. Returns 0 if there was nothing to do.
///
/// # Errors
///
/// Returns the errors of the store; the next call then tries the batch again.
pub async fn index_public_batch(store: &Store, active: impl Into<ActiveConfig>) -> Result<usize, StoreError> {
    let active = active.into();
    // The config is read within the turn. With an older config, the batch could add stories again that are not public
    // under the active config.
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
