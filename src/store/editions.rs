//! Records the hash of each published document's content, and when the content last changed. Because this time is
//! stored, the `Last-Modified` of a document never goes back, even after a restart.

use rusqlite::params;

use super::{Store, StoreError};
use crate::time::Timestamp;

impl Store {
    /// Records the hash of the content that is now published at a path. Returns when the content last changed.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub async fn note_edition(&self, path: String, hash: Vec<u8>, now: Timestamp) -> Result<Timestamp, StoreError> {
        self.write(move |view| {
            let mut statement = view.connection.prepare_cached(
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
