//! Full text: both indexes are filled in the background, so that a poll does not wait for it.
//!
//! The index that visitors search holds what public sections show, and nothing else. Stories whose words or places change are
//! marked as they are written; an edit of the config marks the stories of the feeds that it concerns.

use std::sync::Arc;
use std::sync::mpsc::sync_channel;

use crate::config::Config;
use crate::newsroom::{self, Reindexed};
use crate::query;
use crate::rows::{IndexedWords, UnindexedRow};
use crate::section::ShownStory;
use crate::shown::{self, Infos};
use crate::store::{self, Store, StoreError, Turn};
use crate::text::PlainText;

/// How many entries one transaction indexes: some 50 ms of the writer's time.
const BATCH: usize = 1500;

/// With so much of bodies a batch is full, however few they are.
const BATCH_BYTES: usize = 8 << 20;

/// How many entries' words may wait for being written.
const AHEAD: usize = 64;

/// How many stories one transaction brings in line: some 50 ms of the writer's time.
const PUBLIC_BATCH: usize = 250;

/// With so much text such a batch is full, however few its stories are.
const PUBLIC_BYTES: usize = 4 << 20;

/// Brings the next batch of new words into the index; returns how many entries are done.
///
/// # Errors
///
/// As of the store; the batch waits for the next call then.
pub async fn index_batch(store: &Store) -> Result<usize, StoreError> {
    store.turn(index_entries).await
}

/// Finding the words of one entry goes on while another's are written.
fn index_entries(turn: &Turn) -> Result<usize, StoreError> {
    let waiting = turn.unindexed(BATCH, BATCH_BYTES)?;
    std::thread::scope(|scope| {
        let (send, found) = sync_channel(AHEAD);
        let all = &waiting;
        scope.spawn(move || {
            let words = all.iter().map(|row| words_of(row).map(|words| (row.entry, words)));
            // Nobody takes them any more after an error.
            words.map(|words| send.send(words)).take_while(Result::is_ok).for_each(drop);
        });
        found.into_iter().try_for_each(|words| {
            let (entry, words) = words?;
            turn.write_index(entry, words.as_ref())
        })
    })?;
    Ok(waiting.len())
}

fn words_of(row: &UnindexedRow) -> Result<Option<IndexedWords>, StoreError> {
    let Some(json) = &row.json else { return Ok(None) };
    let entry = store::decode_entry(json)?;
    let people = entry.authors.iter().chain(&entry.contributors);
    Ok(Some(query::indexed(&entry.title, &PlainText::of(&entry), people)))
}

/// Brings the next batch of marked stories into the public index, or out of it; returns how many.
///
/// # Errors
///
/// As of the store; the batch waits for the next call then.
pub async fn index_public_batch(store: &Store, config: Arc<Config>) -> Result<usize, StoreError> {
    store.turn(move |turn| index_public(turn, &config)).await
}

fn index_public(turn: &Turn, config: &Config) -> Result<usize, StoreError> {
    // The stories were marked for another config than this one, which would put back what that one took out.
    if turn.public_terms()? != Some(newsroom::public_terms(config)) {
        return Ok(0);
    }
    let infos = Infos::of(turn);
    let (mut done, mut bytes) = (0, 0);
    for story in turn.public_waiting(PUBLIC_BATCH)? {
        if bytes > PUBLIC_BYTES {
            break;
        }
        let words = shown::first_public(turn, config, story, &infos)?.map(|shown| public_words(&shown));
        bytes += words.as_ref().map_or(0, |words| words.title.len() + words.text.len() + words.author.len());
        turn.write_public_index(story, words.as_ref())?;
        done += 1;
    }
    Ok(done)
}

fn public_words(shown: &ShownStory) -> IndexedWords {
    let people = shown.entry.authors.iter().chain(&shown.via);
    query::indexed(&shown.entry.title, &PlainText::of(&shown.entry), people)
}

/// Marks the stories that a changed config may make public or private, or may show in other words.
///
/// # Errors
///
/// As of the store.
pub fn follow_public(turn: &Turn, config: &Config) -> Result<(), StoreError> {
    let terms = newsroom::public_terms(config);
    match newsroom::reindexed(&terms, turn.public_terms()?.as_ref()) {
        Reindexed::None => return Ok(()),
        Reindexed::Of(feeds) => turn.mark_public_of(&feeds)?,
        Reindexed::All => turn.mark_all_public()?,
    }
    turn.write_public_terms(&terms)
}
