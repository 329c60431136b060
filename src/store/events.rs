//! Events: what a keeper should know of feeds, noted in the poll that brought it, and kept for a while.

use rusqlite::{Connection, params};
use serde::Serialize;

use crate::feed::FeedId;
use crate::newsroom::Polled;
use crate::time::Timestamp;

use super::apply::Applied;
use super::feeds::believed_move;
use super::place::time;
use super::{Reader, StoreError};

/// After how many failures in a row a feed is said to have died; less is everyday trouble.
const DEATH: u32 = 3;

/// How many new entries in one poll of a known feed are a flood.
const FLOOD: usize = 50;

/// Fewer entries under new guids are everyday corrections.
const REKEYED: usize = 3;

/// Something that happened to a feed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Event {
    /// Unique in the store, rising.
    pub number: i64,
    pub feed: FeedId,
    pub at: Timestamp,
    /// `died`, `gone`, `recovered`, `moved`, `flooded` or `rekeyed`.
    pub kind: String,
    /// A sentence, without the feed's name.
    pub text: String,
}

/// How a feed stood before a poll was written.
pub(super) struct Before {
    feed: i64,
    failures: u32,
    is_gone: bool,
    moved_to: Option<String>,
    was_polled: bool,
}

impl Before {
    pub fn of(connection: &Connection, feed: i64) -> Result<Before, StoreError> {
        let mut statement = connection.prepare_cached(
            "SELECT failures, state = 'gone', moved_to, moved_polls, last_poll - moved_since, last_poll IS NOT NULL
             FROM feed WHERE number = ?1",
        )?;
        Ok(statement.query_row([feed], |row| {
            Ok(Before {
                feed,
                failures: row.get(0)?,
                is_gone: row.get(1)?,
                moved_to: believed_move(row, 2)?,
                was_polled: row.get(5)?,
            })
        })?)
    }

    /// Notes what the poll, now written, made of the feed; `applied` hears of a move.
    pub fn note(&self, connection: &Connection, polled: &Polled, applied: &mut Applied) -> Result<(), StoreError> {
        let mut statement = connection.prepare_cached(
            "SELECT failures, state = 'gone', moved_to, moved_polls, last_poll - moved_since, last_error
             FROM feed WHERE number = ?1",
        )?;
        let (failures, is_gone, moved_to, error) = statement.query_row([self.feed], |row| {
            Ok((
                row.get::<_, u32>(0)?,
                row.get::<_, bool>(1)?,
                believed_move(row, 2)?,
                row.get::<_, Option<String>>(5)?.unwrap_or_default(),
            ))
        })?;
        applied.moved_to = moved_to.filter(|to| self.moved_to.as_ref() != Some(to));
        let died = failures >= DEATH && self.failures < DEATH && !is_gone;
        let recovered = failures == 0 && (self.failures >= DEATH || self.is_gone);
        let events = [
            (is_gone && !self.is_gone, "gone", error.clone()),
            (died, "died", format!("failed {failures} times in a row: {error}")),
            (recovered, "recovered", format!("answers again after {} failures", self.failures)),
            (
                applied.moved_to.is_some(),
                "moved",
                format!("moved for good to {}", applied.moved_to.as_deref().unwrap_or_default()),
            ),
            (
                self.was_polled && applied.new >= FLOOD,
                "flooded",
                format!("brought {} new entries at once", applied.new),
            ),
            (applied.rekeyed >= REKEYED, "rekeyed", applied.rekeyed_note().unwrap_or_default()),
        ];
        let mut insert =
            connection.prepare_cached("INSERT INTO event (feed, at, kind, text) VALUES (?1, ?2, ?3, ?4)")?;
        for (_, kind, text) in events.iter().filter(|(happened, ..)| *happened) {
            insert.execute(params![self.feed, polled.at.millis(), kind, text])?;
        }
        Ok(())
    }
}

impl Reader {
    /// The newest events, the last first.
    ///
    /// # Errors
    ///
    /// As of SQLite.
    pub fn events(&self, limit: usize) -> Result<Vec<Event>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT event.number, feed.id, event.at, event.kind, event.text
             FROM event JOIN feed ON feed.number = event.feed ORDER BY event.number DESC LIMIT ?1",
        )?;
        let events = statement.query_map([limit.cast_signed()], |row| {
            Ok(Event {
                number: row.get(0)?,
                feed: FeedId::from(row.get_ref(1)?.as_str()?),
                at: time(row, 2)?,
                kind: row.get(3)?,
                text: row.get(4)?,
            })
        })?;
        Ok(events.collect::<Result<_, _>>()?)
    }
}
