//! The tables of the store, defined by numbered migrations. Released migrations are never changed. The missing ones are
//! applied together, in one transaction.
//!
//! Times are integer milliseconds since 1970 in UTC. The store has no secrets of the config: `feed.url` is the address
//! with secrets masked, and `url_hash` shows whether the real address changed.

use rusqlite::{Connection, OptionalExtension, TransactionBehavior};

use super::conversions::{self, ShowRows};
use super::{StoreError, UpgradeStep};

/// Marks a file as newswire's (`newz`), so that newswire never changes another program's database.
const APPLICATION_ID: i32 = 0x6e65_777a;

/// The length in bytes of the header of an SQLite file.
pub(super) const HEAD_BYTES: u64 = 100;

/// The position of the application id in the header (SQLite, "Database File Format", §1.3).
const APPLICATION_ID_AT: usize = 68;

/// Returns whether a file that begins with `head` is a newswire database.
pub(super) fn is_head(head: &[u8]) -> bool {
    let id = head.get(APPLICATION_ID_AT..APPLICATION_ID_AT + 4);
    head.starts_with(b"SQLite format 3\0") && id == Some(&APPLICATION_ID.to_be_bytes())
}

/// The step from one version of the store to the next. The SQL runs first, then the conversion of existing rows, if
/// any.
struct Migration {
    sql: &'static str,
    convert: Option<Convert>,
}

/// A function that converts existing rows.
type Convert = fn(&Connection, ShowRows) -> Result<(), StoreError>;

impl Migration {
    const fn sql(sql: &'static str) -> Migration {
        Migration { sql, convert: None }
    }
}

/// The migration with index n brings a store from version n to n + 1. Never edit a released migration: append a new
/// one.
const MIGRATIONS: &[Migration] = &[
    Migration::sql(include_str!("migrations/001_first.sql")),
    Migration::sql(include_str!("migrations/002_names.sql")),
    Migration::sql(include_str!("migrations/003_public_search.sql")),
    Migration { sql: include_str!("migrations/004_reasons.sql"), convert: Some(conversions::reasons) },
    Migration::sql(include_str!("migrations/005_definitions.sql")),
    Migration { sql: include_str!("migrations/006_feeds.sql"), convert: Some(conversions::repairs) },
    Migration::sql(include_str!("migrations/007_failures.sql")),
    Migration::sql(include_str!("migrations/008_polls.sql")),
    Migration::sql(include_str!("migrations/009_judging.sql")),
    Migration::sql(include_str!("migrations/010_hooks.sql")),
    Migration::sql(include_str!("migrations/011_podcasts.sql")),
    Migration::sql(include_str!("migrations/012_digests.sql")),
    Migration::sql(include_str!("migrations/013_hubs.sql")),
];

/// The version that this newswire reads and writes.
pub(super) const NEWEST: usize = MIGRATIONS.len();

/// Migrates the store to the newest version, in one transaction. Calls `show` with the progress.
///
/// # Errors
///
/// Returns [`StoreError::Foreign`] if another program wrote the file, and [`StoreError::Newer`] if a newer newswire
/// did. Returns [`StoreError::Orphan`] if after the upgrade a row would refer to a missing row. An error leaves the
/// file unchanged.
pub(super) fn migrate(connection: &mut Connection, show: &mut dyn FnMut(UpgradeStep)) -> Result<(), StoreError> {
    let version = version(connection)?;
    if version == MIGRATIONS.len() {
        return Ok(());
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for (Migration { sql, convert }, to) in MIGRATIONS.iter().zip(1..).skip(version) {
        transaction.execute_batch(sql)?;
        if let Some(convert) = convert {
            convert(&transaction, &mut |done, total| show(UpgradeStep::Converting { to, done, total }))?;
        }
    }
    check_references(&transaction)?;
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(
        None,
        "user_version",
        i64::try_from(MIGRATIONS.len()).expect("there are few migrations"),
    )?;
    transaction.commit()?;
    if version > 0 {
        show(UpgradeStep::Done);
    }
    Ok(())
}

/// Checks that no row refers to a missing row. Without this check, a row lost in an upgrade would be noticed only much
/// later.
fn check_references(connection: &Connection) -> Result<(), StoreError> {
    let orphan = connection.query_row("PRAGMA foreign_key_check", [], |row| Ok((row.get(0)?, row.get(2)?)));
    match orphan.optional()? {
        Some((table, parent)) => Err(StoreError::Orphan { table, parent }),
        None => Ok(()),
    }
}

/// Returns the version of the store; 0 for an empty file.
///
/// # Errors
///
/// Returns [`StoreError::Foreign`] if another program wrote the file, and [`StoreError::Newer`] if a newer newswire
/// did.
pub(super) fn version(connection: &Connection) -> Result<usize, StoreError> {
    let pragma = |name: &str| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let tables: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).map_err(foreign)?;
    if tables > 0 && pragma("application_id")? != i64::from(APPLICATION_ID) {
        return Err(StoreError::Foreign);
    }
    let version = usize::try_from(pragma("user_version")?).unwrap_or(usize::MAX);
    if version > MIGRATIONS.len() {
        return Err(StoreError::Newer { found: version, known: MIGRATIONS.len() });
    }
    Ok(version)
}

/// Converts an error of SQLite. If the file is not a database, another program wrote it.
fn foreign(error: rusqlite::Error) -> StoreError {
    match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::NotADatabase) => StoreError::Foreign,
        _ => StoreError::Sqlite(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns an empty store with the version before the migration whose SQL contains this text.
    fn before(text: &str) -> Connection {
        let connection = Connection::open_in_memory().unwrap();
        let before = MIGRATIONS.iter().take_while(|migration| !migration.sql.contains(text));
        let mut version = 0;
        for migration in before {
            connection.execute_batch(migration.sql).unwrap();
            version += 1;
        }
        connection.pragma_update(None, "application_id", APPLICATION_ID).unwrap();
        connection.pragma_update(None, "user_version", version).unwrap();
        connection
    }

    #[test]
    fn store_without_a_public_index_gets_an_empty_one() {
        let mut connection = before("TABLE public_search");
        migrate(&mut connection, &mut |_| ()).unwrap();
        assert_eq!(version(&connection).unwrap(), MIGRATIONS.len());
        let waiting: i64 = connection.query_row("SELECT count(*) FROM public_waiting", [], |row| row.get(0)).unwrap();
        assert_eq!(waiting, 0, "the config says what is public: the next start marks all");
    }
    #[test]
    fn upgrade_that_would_leave_dangling_references_changes_nothing() {
        let mut connection = before("TO failure_detail");
        connection.pragma_update(None, "foreign_keys", "off").unwrap();
        let orphan = "INSERT INTO event (feed, at, kind, detail) VALUES (7, 0, 'recovered', '{}')";
        connection.execute_batch(orphan).unwrap();
        let before = version(&connection).unwrap();
        let error = migrate(&mut connection, &mut |_| ()).unwrap_err().to_string();
        assert!(error.contains("a row of event refers to a row of feed that is missing"), "{error}");
        assert_eq!(version(&connection).unwrap(), before);
        connection.prepare("SELECT last_error FROM feed").unwrap();
    }
}
