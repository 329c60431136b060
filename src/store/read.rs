//! Read connections, and the check of the whole store.

use std::ops::Deref;
use std::path::Path;

use rusqlite::ErrorCode;

use super::{StoreError, View, file, schema};

/// A connection that reads while others write.
pub struct Reader {
    pub(super) view: View,
}

impl Deref for Reader {
    type Target = View;

    fn deref(&self) -> &View {
        &self.view
    }
}

impl Reader {
    /// Opens the store at `path` for reading only.
    ///
    /// # Errors
    ///
    /// Returns [`StoreError::Missing`] if there is no store yet, and [`StoreError::Older`] if the store has not been
    /// migrated. Returns [`StoreError::Newer`] if a newer newswire wrote it, and [`StoreError::Foreign`] if another
    /// program did.
    pub fn open(path: &Path) -> Result<Reader, StoreError> {
        let reader = Reader::open_any_version(path)?;
        match super::version_of(path, &reader.connection)? {
            schema::NEWEST => Ok(reader),
            found => Err(StoreError::Older { found, known: schema::NEWEST }),
        }
    }

    /// Opens a store of any version for reading, to copy or check it. Other reads need the newest version; for them use
    /// [`Reader::open`].
    ///
    /// # Errors
    ///
    /// Returns the errors of [`Reader::open`] except [`StoreError::Older`].
    pub fn open_any_version(path: &Path) -> Result<Reader, StoreError> {
        file::require_regular(path)?;
        let connection = super::open_readonly(path)?;
        if super::version_of(path, &connection)? == 0 {
            return Err(StoreError::Missing(path.to_owned()));
        }
        connection.pragma_update(None, "query_only", "on")?;
        Ok(Reader { view: View { connection } })
    }

    /// Runs `work` so that all its reads see the same state of the store.
    ///
    /// # Errors
    ///
    /// Returns the error of `work` or the errors of SQLite.
    pub fn in_one_state<T>(&self, work: impl FnOnce(&Reader) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let _transaction = self.connection.unchecked_transaction()?;
        work(self)
    }

    /// Checks the whole store. Returns each fault as text; the list is empty if there is none.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite that prevent the check.
    pub fn verify(&self) -> Result<Vec<String>, StoreError> {
        match self.findings() {
            // The damage is so bad that SQLite cannot complete the check.
            Err(StoreError::Sqlite(error)) if error.sqlite_error_code() == Some(ErrorCode::DatabaseCorrupt) => {
                Ok(vec![error.to_string()])
            }
            found => found,
        }
    }

    fn findings(&self) -> Result<Vec<String>, StoreError> {
        let mut statement = self.connection.prepare("PRAGMA integrity_check")?;
        let found = statement.query_map([], |row| row.get::<_, String>(0))?.collect::<Result<Vec<_>, _>>()?;
        let mut found: Vec<_> = found.into_iter().filter(|line| line != "ok").collect();
        let mut statement = self.connection.prepare("PRAGMA foreign_key_check")?;
        let orphans = statement.query_map([], |row| row.get::<_, String>(0))?.collect::<Result<Vec<_>, _>>()?;
        found.extend(orphans.into_iter().map(|table| format!("a row of {table} refers to a missing row")));
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{ReadLimits, Store};
    use std::sync::Arc;
    use std::time::Duration;

    /// Runs a query that never ends.
    fn count_for_ever(reader: &Reader) -> Result<i64, StoreError> {
        let endless = "WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n";
        Ok(reader.connection.query_row(endless, [], |row| row.get(0))?)
    }

    fn store() -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("newswire.db"), "a test").unwrap();
        (folder, store)
    }

    #[tokio::test]
    async fn read_stops_at_its_time_limit_and_the_next_read_is_unaffected() {
        let (_folder, store) = store();
        for _ in 0..3 {
            let read_limits = ReadLimits::new(Duration::from_millis(20));
            let stopped = store.read_for(&read_limits, (), count_for_ever).await;
            assert!(matches!(stopped, Err(StoreError::Interrupted)));
            let count = "WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 100000) SELECT count(*) FROM n";
            let read =
                store.read(move |reader| Ok(reader.connection.query_row(count, [], |row| row.get::<_, i64>(0))?));
            assert_eq!(read.await.unwrap(), 100_000);
        }
    }

    #[tokio::test]
    async fn read_of_a_client_that_has_gone_frees_its_thread() {
        let (_folder, store) = store();
        let turn = Arc::new(());
        let read_limits = ReadLimits::new(Duration::MAX);
        let reading = store.read_for(&read_limits, turn.clone(), count_for_ever);
        assert!(tokio::time::timeout(Duration::from_millis(50), reading).await.is_err(), "it never ends by itself");
        while Arc::strong_count(&turn) > 1 {
            tokio::task::yield_now().await;
        }
    }
}
