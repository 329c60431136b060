//! Records the hash of each published document's content, and when the content last changed. Because this time is
//! stored, the `Last-Modified` of a document never goes back, even after a restart.

use rusqlite::{Connection, OptionalExtension, params};
use url::Url;

use super::hubs::add_notices;
use super::{Store, StoreError};
use crate::feed::SectionId;
use crate::time::Timestamp;

/// A change of published content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EditionNote {
    /// When the content last changed.
    pub changed: Timestamp,
    /// Whether the content at this path was another one until now, or none.
    pub is_new: bool,
}

impl Store {
    /// Records the hash of the content that is now published at each path. Returns a note for each, in the same order.
    /// If the first content is new, each of the hubs of `announced` has to be notified of the section.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub async fn note_editions(
        &self,
        editions: Vec<(String, Vec<u8>)>,
        announced: Option<(SectionId, Vec<Url>)>,
        now: Timestamp,
    ) -> Result<Vec<EditionNote>, StoreError> {
        self.write(move |view| {
            let notes = editions.iter().map(|(path, hash)| note(&view.connection, path, hash, now));
            let notes: Vec<EditionNote> = notes.collect::<Result<_, _>>()?;
            if let Some((section, hubs)) = announced.filter(|_| notes.first().is_some_and(|note| note.is_new)) {
                add_notices(&view.connection, &section, &hubs)?;
            }
            Ok(notes)
        })
        .await
    }
}

fn note(connection: &Connection, path: &str, hash: &[u8], now: Timestamp) -> Result<EditionNote, StoreError> {
    let mut known = connection.prepare_cached("SELECT hash, changed FROM edition WHERE path = ?1")?;
    let known: Option<(Vec<u8>, i64)> = known.query_row([path], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    let before = known.as_ref().map(|(_, changed)| Timestamp::from_millis(*changed));
    if let Some(changed) = before.filter(|_| known.is_some_and(|(of_known, _)| of_known == hash)) {
        return Ok(EditionNote { changed, is_new: false });
    }
    let changed = before.map_or(now, |before| before.max(now));
    let mut write = connection.prepare_cached(
        "INSERT INTO edition (path, hash, changed) VALUES (?1, ?2, ?3)
         ON CONFLICT DO UPDATE SET hash = excluded.hash, changed = excluded.changed",
    )?;
    write.execute(params![path, hash, changed.millis()])?;
    Ok(EditionNote { changed, is_new: true })
}
