//! Events: what a keeper should know of feeds, noted in the poll that brought it, and kept for a while.

use serde::Serialize;

use crate::feed::FeedId;
use crate::time::Timestamp;

use super::sql::time;
use super::{StoreError, View};

/// Something that happened to a feed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Event {
    /// Unique in the store, rising.
    pub number: u64,
    pub feed: FeedId,
    pub at: Timestamp,
    /// `died`, `gone`, `recovered`, `moved`, `flooded` or `rekeyed`.
    pub kind: String,
    /// A sentence, without the feed's name.
    pub text: String,
}

impl View {
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
                number: row.get::<_, i64>(0)?.cast_unsigned(),
                feed: FeedId::from(row.get_ref(1)?.as_str()?),
                at: time(row, 2)?,
                kind: row.get(3)?,
                text: row.get(4)?,
            })
        })?;
        Ok(events.collect::<Result<_, _>>()?)
    }
}
