//! Events: what a keeper should know of feeds, noted in the poll that brought it, and kept for a while.

use rusqlite::{Connection, params};
use serde::Serialize;

use crate::feed::FeedId;
use crate::newsroom::{self, FeedEvent, FeedStanding, News, Polled};
use crate::time::Timestamp;

use super::apply::Applied;
use super::feeds::believed_move;
use super::place::time;
use super::{Reader, StoreError};

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

/// A feed before its poll is written.
pub(super) struct Before {
    feed: i64,
    standing: FeedStanding,
}

impl Before {
    pub fn of(connection: &Connection, feed: i64) -> Result<Before, StoreError> {
        Ok(Before { feed, standing: standing(connection, feed)?.0 })
    }

    /// Notes what the poll, now written, made of the feed, in `applied` too.
    pub fn note(&self, connection: &Connection, polled: &Polled, applied: &mut Applied) -> Result<(), StoreError> {
        let (after, error) = standing(connection, self.feed)?;
        let news = News { new: applied.new, rekeyed: applied.rekeyed };
        let events = newsroom::events(&self.standing, &after, news);
        let mut insert =
            connection.prepare_cached("INSERT INTO event (feed, at, kind, text) VALUES (?1, ?2, ?3, ?4)")?;
        for event in events {
            let text = sentence(&event, &error, applied);
            insert.execute(params![self.feed, polled.at.millis(), event.as_str(), text])?;
            if let FeedEvent::Moved { to } = event {
                applied.moved_to = Some(to);
            }
        }
        Ok(())
    }
}

/// How a feed stands, and its last error.
fn standing(connection: &Connection, feed: i64) -> Result<(FeedStanding, String), StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT failures, state = 'gone', moved_to, moved_polls, last_poll - moved_since, last_poll IS NOT NULL, last_error
         FROM feed WHERE number = ?1",
    )?;
    Ok(statement.query_row([feed], |row| {
        let standing = FeedStanding {
            failures: row.get(0)?,
            is_gone: row.get(1)?,
            moved_to: believed_move(row, 2)?,
            was_polled: row.get(5)?,
        };
        Ok((standing, row.get::<_, Option<String>>(6)?.unwrap_or_default()))
    })?)
}

/// The event as it is kept, without the feed's name.
fn sentence(event: &FeedEvent, error: &str, applied: &Applied) -> String {
    match event {
        FeedEvent::Gone => error.to_owned(),
        FeedEvent::Died { failures } => format!("failed {failures} times in a row: {error}"),
        FeedEvent::Recovered { failures } => format!("answers again after {failures} failures"),
        FeedEvent::Moved { to } => format!("moved for good to {to}"),
        FeedEvent::Flooded { new } => format!("brought {new} new entries at once"),
        FeedEvent::Rekeyed => applied.rekeyed_note().unwrap_or_default(),
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
