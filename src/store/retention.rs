//! Retention: words that no document lists any more are let go after a time; keys stay for ever, so that nothing comes
//! back as new. Nothing that a feed still lists is ever touched.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::{Connection, params};

use crate::config::Config;
use crate::feed::SectionId;
use crate::time::Timestamp;

use super::place::{Moves, Placer};
use super::{Store, StoreError};

/// How many rows one transaction deletes, so that polls need not wait long.
const BATCH: i64 = 500;

/// How long the log of polls goes back.
const KEEP_LOG: Duration = Duration::from_secs(30 * 24 * 3600);

impl Store {
    /// Lets go of the next batch of what is older than `[store] keep`; returns how many entries, 0 when all is done, and
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
    let mut statement = connection.prepare_cached(
        "SELECT entry.number, entry.story, story.sort_at FROM entry JOIN body ON body.entry = entry.number
           JOIN story ON story.number = entry.story
         WHERE entry.unlisted IS NOT NULL AND entry.unlisted < ?1 LIMIT ?2",
    )?;
    let old = statement.query_map(params![(now - config.store.keep).millis(), BATCH], |row| {
        Ok((row.get(0)?, row.get(1)?, Timestamp::from_millis(row.get(2)?)))
    })?;
    let old = old.collect::<Result<Vec<(i64, i64, Timestamp)>, _>>()?;
    let mut placer = Placer::new(connection, config, now)?;
    for (entry, story, sort_at) in &old {
        connection.prepare_cached("DELETE FROM body WHERE entry = ?1")?.execute([entry])?;
        connection.prepare_cached("DELETE FROM search WHERE rowid = ?1")?.execute([entry])?;
        placer.place(*story, *sort_at, None)?;
    }
    Ok((old.len(), placer.changed))
}
