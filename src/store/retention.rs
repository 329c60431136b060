//! Retention: words that no document lists any more are let go after a time, or earlier where there are too many; keys stay for ever, so that nothing comes
//! back as new. Nothing that a feed still lists is ever touched.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use rusqlite::{Connection, params};

use crate::config::Config;
use crate::entry::Entry;
use crate::feed::SectionId;
use crate::newsroom::sort_at;
use crate::time::Timestamp;

use super::known::wording;
use super::place::{Moves, Placer, time};
use super::{Store, StoreError, archive, signature};

/// How many rows one transaction deletes, so that polls need not wait long.
const BATCH: i64 = 500;

/// How long the log of polls goes back, and what happened to feeds.
const KEEP_LOG: Duration = Duration::from_secs(30 * 24 * 3600);

impl Store {
    /// Lets go of the next batch of what is older than `[store] keep`, or more than it may hold; returns how many entries, 0 when all is done, and
    /// adds the sections that changed to `changed`.
    ///
    /// # Errors
    ///
    /// As of SQLite; nothing of the batch is changed then.
    pub async fn retain_batch(
        &self,
        config: Arc<Config>,
        now: Timestamp,
    ) -> Result<(usize, BTreeMap<SectionId, Moves>), StoreError> {
        self.write(move |connection| retain_batch(connection, &config, now)).await
    }

    /// Notes what was published at a path; returns when it last changed.
    ///
    /// # Errors
    ///
    /// As of SQLite.
    pub async fn note_edition(&self, path: String, hash: Vec<u8>, now: Timestamp) -> Result<Timestamp, StoreError> {
        self.write(move |connection| {
            let mut statement = connection.prepare_cached(
                "INSERT INTO edition (path, hash, changed) VALUES (?1, ?2, ?3)
                 ON CONFLICT (path) DO UPDATE SET changed = CASE WHEN hash = excluded.hash THEN changed ELSE max(changed, excluded.changed) END,
                   hash = excluded.hash
                 RETURNING changed",
            )?;
            Ok(statement.query_row(params![path, hash, now.millis()], |row| row.get(0)).map(Timestamp::from_millis)?)
        })
        .await
    }
}

fn retain_batch(
    connection: &Connection,
    config: &Config,
    now: Timestamp,
) -> Result<(usize, BTreeMap<SectionId, Moves>), StoreError> {
    let mut statement = connection
        .prepare_cached("DELETE FROM poll_log WHERE number IN (SELECT number FROM poll_log WHERE at < ?1 LIMIT ?2)")?;
    statement.execute(params![(now - KEEP_LOG).millis(), BATCH])?;
    connection.prepare_cached("DELETE FROM event WHERE at < ?1")?.execute([(now - KEEP_LOG).millis()])?;
    let mut old = unlisted(connection, Some(now - config.store.keep), BATCH)?;
    if old.is_empty() {
        old = unlisted(connection, None, excess(connection, config)?)?;
    }
    let mut placer = Placer::new(connection, config, now)?;
    for entry in &old {
        entry.let_go(connection)?;
        placer.place(entry.story, entry.sort_at, None)?;
    }
    archive::forget(connection, &old.iter().map(|entry| entry.story).collect::<BTreeSet<_>>())?;
    Ok((old.len(), placer.changed))
}

/// How many entries are to be let go though they are not too old, at most [`BATCH`].
fn excess(connection: &Connection, config: &Config) -> Result<i64, StoreError> {
    let mut excess = 0;
    if let Some(most) = config.store.max_entries {
        let kept: i64 = connection.query_row("SELECT count(*) FROM body", [], |row| row.get(0))?;
        excess = kept.saturating_sub_unsigned(most).max(0);
    }
    if let Some(most) = config.store.max_bytes {
        // Pages that were freed are filled again before the file grows.
        let used: i64 = connection.query_row(
            "SELECT (page_count - freelist_count) * page_size FROM pragma_page_count, pragma_freelist_count, pragma_page_size",
            [],
            |row| row.get(0),
        )?;
        excess = if used.unsigned_abs() > most { BATCH } else { excess };
    }
    Ok(excess.min(BATCH))
}

/// An entry that no document lists.
struct Unlisted {
    number: i64,
    story: i64,
    sort_at: Timestamp,
    first_seen: Timestamp,
    body: String,
}

/// Those that left their documents before `before`, the first of them first; at most `limit`.
fn unlisted(connection: &Connection, before: Option<Timestamp>, limit: i64) -> Result<Vec<Unlisted>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT entry.number, entry.story, story.sort_at, entry.first_seen, body.value
         FROM entry JOIN body ON body.entry = entry.number JOIN story ON story.number = entry.story
         WHERE entry.unlisted IS NOT NULL AND entry.unlisted < ?1 ORDER BY entry.unlisted LIMIT ?2",
    )?;
    let before = before.unwrap_or(Timestamp::MAX).millis();
    let entries = statement.query_map(params![before, limit], |row| {
        Ok(Unlisted {
            number: row.get(0)?,
            story: row.get(1)?,
            sort_at: time(row, 2)?,
            first_seen: time(row, 3)?,
            body: row.get(4)?,
        })
    })?;
    Ok(entries.collect::<Result<_, _>>()?)
}

impl Unlisted {
    /// Its keys stay: guid, links, and the mark that its words were here.
    fn let_go(&self, connection: &Connection) -> Result<(), StoreError> {
        let entry: Entry = serde_json::from_str(&self.body)?;
        signature::forget(connection, self.number, sort_at(&entry, self.first_seen), &wording(&entry))?;
        connection.prepare_cached("DELETE FROM body WHERE entry = ?1")?.execute([self.number])?;
        connection.prepare_cached("DELETE FROM search WHERE rowid = ?1")?.execute([self.number])?;
        connection.prepare_cached("UPDATE entry SET purged = 1 WHERE number = ?1")?.execute([self.number])?;
        Ok(())
    }
}
