//! Events of feeds that an administrator should know. A poll that causes an event records it; old events are deleted.

use crate::feed::{FeedEvent, FeedId};
use crate::time::Timestamp;

use super::feed_words::event;
use super::sql::{text, time};
use super::{StoreError, View};

/// A stored event of a feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The number of the event. Later events have higher numbers.
    pub number: u64,
    /// The feed.
    pub feed: FeedId,
    /// When the event happened.
    pub at: Timestamp,
    /// What happened.
    pub what: FeedEvent,
}

impl View {
    /// Loads the newest events, newest first.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn events(&self, limit: usize) -> Result<Vec<Event>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT event.number, feed.id, event.at, event.kind, event.detail
             FROM event JOIN feed ON feed.number = event.feed ORDER BY event.number DESC LIMIT ?1",
        )?;
        let events = statement.query_map([limit.cast_signed()], |row| {
            Ok(Event {
                number: row.get::<_, i64>(0)?.cast_unsigned(),
                feed: FeedId::from(row.get_ref(1)?.as_str()?),
                at: time(row, 2)?,
                what: event(text(row, 3)?, text(row, 4)?),
            })
        })?;
        Ok(events.collect::<Result<_, _>>()?)
    }
}
