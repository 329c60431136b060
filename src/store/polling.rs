//! Writes the times of the next polls of feeds, and tests whether the disk has room for the data of a poll.

use std::time::Duration;

use rusqlite::params;

use super::{Store, StoreError};
use crate::feed::{FeedId, HoldReason};
use crate::rows::PlanRow;
use crate::time::Timestamp;

/// How many bytes [`Store::probe`] writes: about as many as a few polls with new entries.
const PROBE_BYTES: i64 = 256 * 1024;

impl Store {
    /// Tests whether the store can write again after the disk was full: writes as much as a few polls do, and then
    /// deletes that.
    ///
    /// # Errors
    ///
    /// Returns the error that a poll would get if it wrote now.
    pub async fn probe(&self) -> Result<(), StoreError> {
        self.write(|view| Ok(view.connection.execute("INSERT INTO probe VALUES (zeroblob(?1))", [PROBE_BYTES])?))
            .await?;
        self.write(|view| Ok(view.connection.execute("DELETE FROM probe", [])?)).await?;
        Ok(())
    }

    /// Sets when feeds are polled next.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite; nothing is then changed.
    pub async fn reschedule(&self, feeds: Vec<(FeedId, Timestamp)>) -> Result<(), StoreError> {
        if feeds.is_empty() {
            return Ok(());
        }
        self.write(move |view| {
            let mut statement = view.connection.prepare_cached(
                "UPDATE poll SET next_poll = ?2 WHERE feed = (SELECT number FROM feed WHERE id = ?1)",
            )?;
            for (feed, at) in feeds {
                statement.execute(params![feed.as_str(), at.millis()])?;
            }
            Ok(())
        })
        .await
    }

    /// Corrects times that were written while the clock was fast. Writes new times for the polls of feeds. Subtracts
    /// `ahead`, the error of the clock, from the times before which hosts must not be polled.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite; nothing is then changed.
    pub async fn replan(&self, plans: Vec<PlanRow>, now: Timestamp, ahead: Duration) -> Result<(), StoreError> {
        if plans.is_empty() {
            return Ok(());
        }
        self.write(move |view| {
            let mut statement = view
                .connection
                .prepare_cached("UPDATE poll SET next_poll = ?2, last_poll = ?3, hold_until = ?4 WHERE feed = (SELECT number FROM feed WHERE id = ?1)")?;
            for PlanRow { feed, next_poll, last_poll, hold_until } in plans {
                let (last_poll, hold_until) = (last_poll.map(Timestamp::millis), hold_until.map(Timestamp::millis));
                statement.execute(params![feed.as_str(), next_poll.millis(), last_poll, hold_until])?;
            }
            let ahead_ms = i64::try_from(ahead.as_millis()).unwrap_or(i64::MAX);
            view.connection
                .prepare_cached("UPDATE host SET hold_until = hold_until - ?2 WHERE hold_until > ?1")?
                .execute([now.millis(), ahead_ms])?;
            Ok(())
        })
        .await
    }

    /// Forbids polls of these feeds before the given times, for a reason other than the feeds' own responses. Skips a
    /// feed whose next poll is not before its time.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite; nothing is then changed.
    pub async fn hold(&self, feeds: Vec<(FeedId, Timestamp)>, why: HoldReason) -> Result<(), StoreError> {
        if feeds.is_empty() {
            return Ok(());
        }
        self.write(move |view| {
            let mut statement = view.connection.prepare_cached(
                "UPDATE poll SET next_poll = ?2, hold_until = ?2, hold_why = ?3
                 WHERE feed = (SELECT number FROM feed WHERE id = ?1) AND next_poll < ?2",
            )?;
            for (feed, until) in feeds {
                statement.execute(params![feed.as_str(), until.millis(), why.code()])?;
            }
            Ok(())
        })
        .await
    }
}
