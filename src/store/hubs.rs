//! Loads and writes the notices that wait to be sent to WebSub hubs.
//!
//! A notice is written in the same transaction as the changed edition, so no crash loses one. It becomes due when the
//! edition is served, because a hub fetches the section as soon as it is notified.

use rusqlite::{Connection, Row, params};
use url::Url;

use super::sql::text;
use super::{StoreError, Turn, View};
use crate::feed::SectionId;
use crate::rows::NoticeRow;
use crate::time::Timestamp;

/// Adds a notice about a section for each of these hubs. Replaces notices about former changes.
///
/// # Errors
///
/// Returns the errors of SQLite.
pub(super) fn add_notices(connection: &Connection, section: &SectionId, hubs: &[Url]) -> Result<(), StoreError> {
    let mut insert = connection.prepare_cached(
        "INSERT INTO hub_queue (hub, section) VALUES (?1, ?2)
         ON CONFLICT DO UPDATE SET due = NULL, failures = 0",
    )?;
    for hub in hubs {
        insert.execute(params![hub.as_str(), section.as_str()])?;
    }
    Ok(())
}

impl View {
    /// Loads the notices that are due or will be, those that are due first before the others.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn notices(&self) -> Result<Vec<NoticeRow>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT hub, section, due, failures FROM hub_queue WHERE due IS NOT NULL ORDER BY due, section, hub",
        )?;
        let rows = statement.query_map([], notice)?;
        // An address that cannot be read is not that of a configured hub.
        Ok(rows.filter_map(Result::transpose).collect::<Result<_, _>>()?)
    }
}

fn notice(row: &Row) -> rusqlite::Result<Option<NoticeRow>> {
    let Ok(hub) = Url::parse(text(row, 0)?) else { return Ok(None) };
    let due = Timestamp::from_millis(row.get(2)?);
    Ok(Some(NoticeRow { hub, section: SectionId::from(text(row, 1)?), due, failures: row.get(3)? }))
}

impl Turn<'_> {
    /// Makes all notices due at `now` whose sections were not served yet.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn release_notices(&self, now: Timestamp) -> Result<(), StoreError> {
        let mut update = self.connection.prepare_cached("UPDATE hub_queue SET due = ?1 WHERE due IS NULL")?;
        update.execute([now.millis()])?;
        Ok(())
    }

    /// Deletes a notice, unless the section has changed again.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn forget_notice(&self, notice: &NoticeRow) -> Result<(), StoreError> {
        let NoticeRow { hub, section, due, .. } = notice;
        let mut delete =
            self.connection.prepare_cached("DELETE FROM hub_queue WHERE hub = ?1 AND section = ?2 AND due = ?3")?;
        delete.execute(params![hub.as_str(), section.as_str(), due.millis()])?;
        Ok(())
    }

    /// Records that an attempt failed, and when to try next, unless the section has changed again.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn postpone_notice(&self, notice: &NoticeRow, next: Timestamp) -> Result<(), StoreError> {
        let NoticeRow { hub, section, due, .. } = notice;
        let mut update = self.connection.prepare_cached(
            "UPDATE hub_queue SET due = ?4, failures = failures + 1 WHERE hub = ?1 AND section = ?2 AND due = ?3",
        )?;
        update.execute(params![hub.as_str(), section.as_str(), due.millis(), next.millis()])?;
        Ok(())
    }
}
