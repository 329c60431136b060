//! Loads the state of feeds: which feeds are due, what a poll of them needs, their health, and what they say about
//! themselves.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
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

/// A feed with the stored values that a poll needs.
#[derive(Clone, Debug)]
pub struct PollState {
    /// The feed.
    pub feed: FeedId,
    /// The `ETag` and `Last-Modified` of the last document, for a conditional request.
    pub validators: Validators,
    /// How many polls have failed since the last successful one.
    pub failures: u32,
    /// The state of the feed.
    pub state: FeedState,
    /// When to poll the feed next.
    pub next_poll: Timestamp,
    /// When the feed was last polled; `None` if never.
    pub last_poll: Option<Timestamp>,
    /// The feed must not be polled before this time; `None` if there is no such limit.
    pub hold_until: Option<Timestamp>,
    /// Why the feed must not be polled before `hold_until`.
    pub hold_why: Option<HoldReason>,
    /// The kinds of keys (guid, link, title) that several entries of one document of the feed had in common.
    pub guids_repaired: SharedKeys,
    /// Whether the feed ever sent an `ETag` or a `Last-Modified`.
    pub had_validators: bool,
    /// The address that permanent redirects of the feed lead to; `None` if there are none.
    pub moved: Option<MovedRow>,
    /// How often the feed asks, in its last readable document, to be polled.
    pub hints: PollHints,
    /// How many entries the feed publishes per day; `None` if unknown.
    pub per_day: Option<f64>,
}

/// The health of a feed.
#[derive(Clone, Debug)]
pub struct FeedStatus {
    /// The feed.
    pub feed: FeedId,
    /// What the feed's documents say about the feed.
    pub info: FeedInfo,
    /// The state of the feed.
    pub state: FeedState,
    /// When the feed was last polled; `None` if never.
    pub last_poll: Option<Timestamp>,
    /// When to poll the feed next.
    pub next_poll: Timestamp,
    /// The feed must not be polled before this time; `None` if there is no such limit.
    pub hold_until: Option<Timestamp>,
    /// Why the feed must not be polled before `hold_until`.
    pub hold_why: Option<HoldReason>,
    /// How many polls have failed since the last successful one.
    pub failures: u32,
    /// Why the last poll failed; `None` if it succeeded.
    pub failure: Option<Failure>,
    /// The repairs that were needed to read the feed's last document.
    pub repairs: Vec<Repair>,
    /// How many entries the feed has had in total.
    pub entries: u64,
    /// The date of the feed's newest entry; `None` if the feed never had an entry.
    pub newest: Option<Timestamp>,
    /// The address that permanent redirects of the feed lead to; `None` if there are none.
    pub moved: Option<MovedRow>,
    /// How many entries the feed publishes per day; `None` if unknown.
    pub per_day: Option<f64>,
    /// The latest notes about the feed for the editor, and the time of these notes; `None` if there were never notes.
    pub note: Option<(Vec<Note>, Timestamp)>,
}

/// The part of a feed's health that a list of feeds shows: its state, the times that decide the state, and its newest
/// entry.
#[derive(Clone, Copy, Debug)]
pub struct FeedStanding {
    /// The state after the last poll.
    pub state: FeedState,
    /// When the feed was last polled; `None` if never.
    pub last_poll: Option<Timestamp>,
    /// The feed must not be polled before this time; `None` if there is no such limit.
    pub hold_until: Option<Timestamp>,
    /// The date of the feed's newest entry; `None` if the feed never had an entry.
    pub newest: Option<Timestamp>,
}

/// What a feed's documents say about the feed, as loaded at some time. A clone copies only pointers.
#[derive(Clone, Debug, Default)]
pub struct KnownInfo {
    /// What the documents say.
    pub info: Arc<FeedInfo>,
    /// The stored JSON of `info`. If the store has other JSON, `info` is outdated.
    stored: Arc<str>,
}

impl View {
    /// Loads at most `limit` feeds that are due at `now`, the longest overdue first. Excludes feeds that are gone
    /// (status 410). The caller must skip disabled feeds and feeds whose host must not be polled yet.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn due(&self, now: Timestamp, limit: usize) -> Result<Vec<PollState>, StoreError> {
        let mut statement = self.connection.prepare_cached(&format!(
            "{DUE_COLUMNS} WHERE is_removed = 0 AND state <> 'gone' AND next_poll <= ?1 ORDER BY next_poll LIMIT ?2"
        ))?;
        let feeds = statement.query_map(params![now.millis(), limit.cast_signed()], due_feed)?;
        Ok(feeds.collect::<Result<_, _>>()?)
    }

    /// Loads feeds that were polled before and are overdue at `now`. Also loads feeds whose next poll is after
    /// `farthest` or whose last poll is after `now`, because a wrong clock wrote these times. The earliest next poll
    /// comes first.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn overdue_or_misplanned(&self, now: Timestamp, farthest: Timestamp) -> Result<Vec<PollState>, StoreError> {
        let mut statement = self.connection.prepare_cached(&format!(
            "{DUE_COLUMNS} WHERE is_removed = 0 AND state <> 'gone' AND (next_poll < ?1 AND last_poll IS NOT NULL OR next_poll > ?2 OR last_poll > ?1)
             ORDER BY next_poll"
        ))?;
        let feeds = statement.query_map(params![now.millis(), farthest.millis()], due_feed)?;
        Ok(feeds.collect::<Result<_, _>>()?)
    }

    /// Loads the values that a poll of a feed needs, whether or not it is due; `None` if the store does not know the
    /// feed.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn poll_state(&self, feed: &FeedId) -> Result<Option<PollState>, StoreError> {
        let mut statement = self.connection.prepare_cached(&format!("{DUE_COLUMNS} WHERE id = ?1"))?;
        Ok(statement.query_row([feed.as_str()], due_feed).optional()?)
    }

    /// Loads the origins (scheme, host and port) that must not be polled before a time that is later than `now`, each
    /// with this time. Skips times after `farthest`, because a wrong clock wrote them.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn host_holds(&self, now: Timestamp, farthest: Timestamp) -> Result<HashMap<String, Timestamp>, StoreError> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT origin, hold_until FROM host WHERE hold_until > ?1 AND hold_until <= ?2")?;
        let holds = statement.query_map([now.millis(), farthest.millis()], |row| Ok((row.get(0)?, time(row, 1)?)))?;
        Ok(holds.collect::<Result<_, _>>()?)
    }

    /// Loads the guid and raw hash (the hash of everything that the feed wrote) of each entry that the feed's last
    /// document lists. If a new document has an entry with the same guid and raw hash, the entry has not changed and
    /// need not be cleaned again.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn raw_hashes(&self, feed: &FeedId) -> Result<HashSet<(String, u64)>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT guid, raw_hash FROM entry WHERE feed = (SELECT number FROM feed WHERE id = ?1) AND unlisted IS NULL",
        )?;
        let hashes =
            statement.query_map([feed.as_str()], |row| Ok((row.get(0)?, row.get::<_, i64>(1)?.cast_unsigned())))?;
        Ok(hashes.collect::<Result<_, _>>()?)
    }

    /// Loads the health of each configured feed.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn feed_statuses(&self) -> Result<HashMap<FeedId, FeedStatus>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT id, info, state, last_poll, next_poll, hold_until, hold_why, failures, failure, failure_detail, repairs,
               entries, newest, moved_to, moved_polls, last_poll - moved_since, per_day, note, noted
             FROM feed JOIN poll ON poll.feed = feed.number WHERE removed IS NULL",
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

    /// Loads for each configured feed the few values that a long list of feeds shows.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn feed_standings(&self) -> Result<HashMap<FeedId, FeedStanding>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT id, state, last_poll, hold_until, newest FROM feed JOIN poll ON poll.feed = feed.number
             WHERE removed IS NULL",
        )?;
        let standings = statement.query_map([], |row| {
            let standing = FeedStanding {
                state: FeedState::from_code(text(row, 1)?),
                last_poll: optional_time(row, 2)?,
                hold_until: optional_time(row, 3)?,
                newest: optional_time(row, 4)?,
            };
            Ok((feed_id(row, 0)?, standing))
        })?;
        Ok(standings.collect::<Result<_, _>>()?)
    }

    /// Loads what a feed's documents say about the feed; empty if the feed is not configured. `before` is an earlier
    /// result, which is returned if it is still current.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn feed_info(&self, feed: &FeedId, before: Option<&KnownInfo>) -> Result<KnownInfo, StoreError> {
        let mut statement =
            self.connection.prepare_cached("SELECT info FROM feed WHERE id = ?1 AND removed IS NULL")?;
        let info = statement.query_row([feed.as_str()], |row| {
            let stored = text(row, 0)?;
            Ok(match before.filter(|before| *before.stored == *stored) {
                Some(before) => before.clone(),
                None => KnownInfo { stored: stored.into(), info: Arc::new(decode_info(stored)) },
            })
        });
        Ok(info.optional()?.unwrap_or_default())
    }

    /// Loads for each configured feed what its documents say about it.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn feed_infos(&self) -> Result<HashMap<FeedId, FeedInfo>, StoreError> {
        let mut statement = self.connection.prepare_cached("SELECT id, info FROM feed WHERE removed IS NULL")?;
        let infos = statement.query_map([], |row| Ok((feed_id(row, 0)?, info(row, 1)?)))?;
        Ok(infos.collect::<Result<_, _>>()?)
    }
}

const DUE_COLUMNS: &str =
    "SELECT id, etag, last_modified, validators_url, failures, state, next_poll, last_poll, hold_until, hold_why,
  guids_repaired, had_validators, moved_to, moved_polls, last_poll - moved_since, hints, per_day
  FROM poll JOIN feed ON feed.number = poll.feed";

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

/// Reads the columns `moved_to`, `moved_polls` and `last_poll - moved_since`, the first of which has the index
/// `column`.
fn moved(row: &Row, column: usize) -> rusqlite::Result<Option<MovedRow>> {
    let Some(to) = row.get(column)? else { return Ok(None) };
    let lasted_ms = row.get::<_, Option<i64>>(column + 2)?.unwrap_or_default().max(0).unsigned_abs();
    Ok(Some(MovedRow { to, polls: row.get(column + 1)?, lasted: Duration::from_millis(lasted_ms) }))
}

fn feed_id(row: &Row, column: usize) -> rusqlite::Result<FeedId> {
    Ok(FeedId::from(row.get_ref(column)?.as_str()?))
}
