//! Connections that read, and whether the whole store is sound.

use std::path::Path;

use rusqlite::{Connection, ErrorCode};

use super::{StoreError, file};

/// A connection that reads, beside whoever writes.
pub struct Reader {
    pub(super) connection: Connection,
}

impl Reader {
    /// Opens the store at `path` for reading only.
    ///
    /// # Errors
    ///
    /// [`StoreError::Missing`] if there is none yet; [`StoreError::Foreign`] and [`StoreError::Newer`] as for writing.
    pub fn open(path: &Path) -> Result<Reader, StoreError> {
        file::require_regular(path)?;
        let connection = super::open_readonly(path)?;
        if super::version_of(path, &connection)? == 0 {
            return Err(StoreError::Missing(path.to_owned()));
        }
        connection.pragma_update(None, "query_only", "on")?;
        Ok(Reader { connection })
    }

    /// Reads several things from one state of the store.
    pub(super) fn in_one_state<T>(&self, work: impl FnOnce(&Reader) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let _transaction = self.connection.unchecked_transaction()?;
        work(self)
    }

    /// Whether the store is sound.
    ///
    /// # Errors
    ///
    /// As of SQLite; what is wrong comes as text, empty if nothing is.
    pub fn verify(&self) -> Result<Vec<String>, StoreError> {
        match self.findings() {
            // Damage that keeps SQLite from looking any further.
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
        found.extend(orphans.into_iter().map(|table| format!("a row of {table} names one that is not there")));
        Ok(found)
    }
}
