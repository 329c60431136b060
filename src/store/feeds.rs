//! What the store knows of feeds: which are due and what polling them needs, how they are doing, what they say of themselves.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use rusqlite::{OptionalExtension, Row, params};
use url::Url;

use crate::entry::SharedKeys;
use crate::feed::{Failure, FeedId, FeedInfo, FeedState, HoldReason, Note, PollHints, Repair, Validators};
use crate::rows::MovedRow;
use crate::time::Timestamp;

use super::failure_form::failure;
use super::feed_words::{notes, repairs};
use super::forms::{decode_info, hints, info};
use super::sql::{optional_text, optional_time, text, time};
use super::{StoreError, View};

/// A feed whose time has come, with all that polling it needs.
#[derive(Clone, Debug)]
pub struct PollState {
    pub feed: FeedId,
    pub validators: Validators,
    pub failures: u32,
    pub state: FeedState,
    pub next_poll: Timestamp,
    pub last_poll: Option<Timestamp>,
    pub hold_until: Option<Timestamp>,
    pub hold_why: Option<HoldReason>,
    /// What entries of its documents have in common.
    pub guids_repaired: SharedKeys,
    /// Whether it ever gave a validator.
    pub had_validators: bool,
    /// Where its permanent redirects lead.
    pub moved: Option<MovedRow>,
    /// Of the last document that could be read.
    pub hints: PollHints,
    /// Entries a day that it publishes, as far as is known.
    pub per_day: Option<f64>,
}

/// How a feed is doing.
#[derive(Clone, Debug)]
pub struct FeedStatus {
    pub feed: FeedId,
    pub info: FeedInfo,
    pub state: FeedState,
    pub last_poll: Option<Timestamp>,
    pub next_poll: Timestamp,
    pub hold_until: Option<Timestamp>,
    pub hold_why: Option<HoldReason>,
    pub failures: u32,
    /// What its last poll failed with; `None` if it did not fail.
    pub failure: Option<Failure>,
    pub repairs: Vec<Repair>,
    pub entries: u64,
    /// The date of its newest entry.
    pub newest: Option<Timestamp>,
    /// Where its permanent redirects lead.
    pub moved: Option<MovedRow>,
    /// Entries a day that it publishes, as far as is known.
    pub per_day: Option<f64>,
    /// The last things that an editor should know of what it did, and when.
    pub note: Option<(Vec<Note>, Timestamp)>,
}

impl View {
    /// The feeds to be polled at `now`, the longest overdue first, at most `limit`. Feeds that are gone or whose host asked
    /// to be left alone are not among them; disabled ones are the caller's to leave out.
    ///
    /// # Errors
    ///
    /// As of SQLite.
    pub fn due(&self, now: Timestamp, limit: usize) -> Result<Vec<PollState>, StoreError> {
        let mut statement = self.connection.prepare_cached(&format!(
            "{DUE_COLUMNS} WHERE removed IS NULL AND next_poll <= ?1 AND state <> 'gone' ORDER BY next_poll LIMIT ?2"
        ))?;
        let feeds = statement.query_map(params![now.millis(), limit.cast_signed()], due_feed)?;
        Ok(feeds.collect::<Result<_, _>>()?)
    }

    /// The feeds that were polled before and are overdue at `now`, the longest first, and all whose next poll lies after
    /// `farthest`, or whose last poll lies after `now`.
    ///
    /// # Errors
    ///
    /// As of SQLite.
    pub fn unpunctual(&self, now: Timestamp, farthest: Timestamp) -> Result<Vec<PollState>, StoreError> {
        let mut statement = self.connection.prepare_cached(&format!(
            "{DUE_COLUMNS} WHERE removed IS NULL AND state <> 'gone' AND (next_poll < ?1 AND last_poll IS NOT NULL OR next_poll > ?2 OR last_poll > ?1)
             ORDER BY next_poll"
        ))?;
        let feeds = statement.query_map(params![now.millis(), farthest.millis()], due_feed)?;
        Ok(feeds.collect::<Result<_, _>>()?)
    }

    /// What polling a feed needs, due or not; `None` if the store does not know it.
    ///
    /// # Errors
    ///
    /// As of SQLite.
    pub fn poll_state(&self, feed: &FeedId) -> Result<Option<PollState>, StoreError> {
        let mut statement = self.connection.prepare_cached(&format!("{DUE_COLUMNS} WHERE id = ?1"))?;
        Ok(statement.query_row([feed.as_str()], due_feed).optional()?)
    }

    /// The origins that asked to be left alone, and until when; what is said to last beyond `farthest` a wrong clock wrote.
    ///
    /// # Errors
    ///
    /// As of SQLite.
    pub fn host_holds(&self, now: Timestamp, farthest: Timestamp) -> Result<HashMap<String, Timestamp>, StoreError> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT origin, hold_until FROM host WHERE hold_until > ?1 AND hold_until <= ?2")?;
        let holds = statement.query_map([now.millis(), farthest.millis()], |row| Ok((row.get(0)?, time(row, 1)?)))?;
        Ok(holds.collect::<Result<_, _>>()?)
    }

    /// The guids and raw hashes of a feed's listed entries: what need not be cleaned again.
    ///
    /// # Errors
    ///
    /// As of SQLite.
    pub fn raw_hashes(&self, feed: &FeedId) -> Result<HashSet<(String, u64)>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT guid, raw_hash FROM entry WHERE feed = (SELECT number FROM feed WHERE id = ?1) AND unlisted IS NULL",
        )?;
        let hashes =
            statement.query_map([feed.as_str()], |row| Ok((row.get(0)?, row.get::<_, i64>(1)?.cast_unsigned())))?;
        Ok(hashes.collect::<Result<_, _>>()?)
    }

    /// How the configured feeds are doing, by id.
    ///
    /// # Errors
    ///
    /// As of SQLite.
    pub fn feed_statuses(&self) -> Result<HashMap<FeedId, FeedStatus>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT id, info, state, last_poll, next_poll, hold_until, hold_why, failures, failure, failure_detail, repairs,
               entries, newest, moved_to, moved_polls, last_poll - moved_since, per_day, note, noted
             FROM feed WHERE removed IS NULL",
        )?;
        let statuses = statement.query_map([], |row| {
            let status = FeedStatus {
                feed: feed_id(row, 0)?,
                info: info(row, 1)?,
                state: FeedState::from_code(text(row, 2)?),
                last_poll: optional_time(row, 3)?,
                next_poll: time(row, 4)?,
                hold_until: optional_time(row, 5)?,
                hold_why: optional_text(row, 6)?.map(HoldReason::from_code),
                failures: row.get(7)?,
                failure: failure(row, 8)?,
                repairs: repairs(row, 10)?,
                entries: row.get::<_, i64>(11)?.cast_unsigned(),
                newest: optional_time(row, 12)?,
                moved: moved(row, 13)?,
                per_day: row.get(16)?,
                note: notes(row, 17)?.zip(optional_time(row, 18)?),
            };
            Ok((status.feed.clone(), status))
        })?;
        Ok(statuses.collect::<Result<_, _>>()?)
    }

    /// What the documents of a feed say of it; nothing if it left the config.
    ///
    /// # Errors
    ///
    /// As of SQLite.
    pub fn feed_info(&self, feed: &FeedId) -> Result<FeedInfo, StoreError> {
        let mut statement =
            self.connection.prepare_cached("SELECT info FROM feed WHERE id = ?1 AND removed IS NULL")?;
        let info: Option<String> = statement.query_row([feed.as_str()], |row| row.get(0)).optional()?;
        Ok(info.as_deref().map(decode_info).unwrap_or_default())
    }

    /// What the documents say of the configured feeds, by id.
    ///
    /// # Errors
    ///
    /// As of SQLite.
    pub fn feed_infos(&self) -> Result<HashMap<FeedId, FeedInfo>, StoreError> {
        let mut statement = self.connection.prepare_cached("SELECT id, info FROM feed WHERE removed IS NULL")?;
        let infos = statement.query_map([], |row| Ok((feed_id(row, 0)?, info(row, 1)?)))?;
        Ok(infos.collect::<Result<_, _>>()?)
    }
}

const DUE_COLUMNS: &str =
    "SELECT id, etag, last_modified, validators_url, failures, state, next_poll, last_poll, hold_until, hold_why,
  guids_repaired, had_validators, moved_to, moved_polls, last_poll - moved_since, hints, per_day FROM feed";

fn due_feed(row: &Row) -> rusqlite::Result<PollState> {
    let url = row.get::<_, Option<String>>(3)?.and_then(|url| Url::parse(&url).ok());
    Ok(PollState {
        feed: feed_id(row, 0)?,
        validators: Validators { etag: row.get(1)?, last_modified: row.get(2)?, url },
        failures: row.get(4)?,
        state: FeedState::from_code(text(row, 5)?),
        next_poll: time(row, 6)?,
        last_poll: optional_time(row, 7)?,
        hold_until: optional_time(row, 8)?,
        hold_why: optional_text(row, 9)?.map(HoldReason::from_code),
        guids_repaired: SharedKeys::from_bits(row.get(10)?),
        had_validators: row.get(11)?,
        moved: moved(row, 12)?,
        hints: hints(row, 15)?,
        per_day: row.get(16)?,
    })
}

/// The columns `moved_to`, `moved_polls` and `last_poll - moved_since`.
fn moved(row: &Row, column: usize) -> rusqlite::Result<Option<MovedRow>> {
    let Some(to) = row.get(column)? else { return Ok(None) };
    let lasted_ms = row.get::<_, Option<i64>>(column + 2)?.unwrap_or_default().max(0).unsigned_abs();
    Ok(Some(MovedRow { to, polls: row.get(column + 1)?, lasted: Duration::from_millis(lasted_ms) }))
}

fn feed_id(row: &Row, column: usize) -> rusqlite::Result<FeedId> {
    Ok(FeedId::from(row.get_ref(column)?.as_str()?))
}
