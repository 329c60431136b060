//! The store: SQLite, with one writer, many readers, and one transaction a poll.
//!
//! Never fetches, parses or renders, and never lets SQL out: whoever needs something asks by a method here. The policy held
//! here: everything that a poll brings stands or falls together; a store of another program or of a newer version is
//! refused untouched; one process writes at a time, and says who it is.

mod apply;
mod archive;
mod document;
mod events;
mod feeds;
mod join;
mod judge;
mod known;
mod lock;
mod place;
mod read;
mod retention;
mod rhythm;
mod schema;
mod search;
mod sections;
mod signature;
mod stories;
mod sync;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

pub use apply::Applied;
pub use archive::{Archive, PushedOut};
pub use events::Event;
pub use feeds::{DueFeed, FeedStatus};
pub use join::Edited;
pub use judge::Passing;
pub use place::Moves;
pub use read::Reader;
pub use rhythm::Rhythm;
pub use search::SearchHit;
pub use sections::{SectionContent, SectionStatus};
pub use stories::{Explained, PlacementRow, StoredCopy, StoredStory};
pub use sync::{Difference, SectionChange};

use writer::Writer;

/// How long a connection waits for another process's write before it gives up.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Page cache of the writing connection: enough for the inner pages of a large archive, little beside 100 MiB.
const WRITER_CACHE_KIB: i64 = 16 * 1024;

/// After so many pages (16 MiB) the log is brought into the file: pages that many polls change are then written there once,
/// and a waiting poll is seldom held up by it.
const CHECKPOINT_PAGES: i64 = 4096;

/// How many idle read connections are kept open; each has a cache of its own.
const IDLE_READERS: usize = 4;

/// What can go wrong with the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("the file is the database of another program; name another path under [store]")]
    Foreign,
    #[error("the store was written by a newer newswire (version {found}, this one knows {known}); update newswire")]
    Newer { found: usize, known: usize },
    #[error("there is no store at {0} yet; run `newswire poll` or `newswire run` first")]
    Missing(PathBuf),
    #[error("the store is in use by {0}; stop it first")]
    Held(String),
    #[error("{path}: {source}")]
    File { path: PathBuf, source: std::io::Error },
    #[error("the store: {0}")]
    Sqlite(#[from] rusqlite::Error),
    #[error("the store could not commit: {0}")]
    Commit(String),
    #[error("the feed {0} is not in the config any more; its copies cannot be moved")]
    Unconfigured(String),
    #[error("the store is closed")]
    Closed,
    #[error("newswire met a fault of its own")]
    Fault,
    #[error("the store holds something unreadable: {0}")]
    Unreadable(#[from] serde_json::Error),
    #[error("an archive document could not be packed or unpacked: {0}")]
    Packing(#[from] std::io::Error),
}

impl StoreError {
    /// Whether nobody's work can be written or read now, as on a full disk; else it is the fault of the work at hand, and
    /// others' may go on.
    pub fn concerns_all(&self) -> bool {
        use rusqlite::ErrorCode as Code;
        match self {
            StoreError::Sqlite(error) => matches!(
                error.sqlite_error_code(),
                Some(
                    Code::DiskFull
                        | Code::SystemIoFailure
                        | Code::ReadOnly
                        | Code::CannotOpen
                        | Code::PermissionDenied
                        | Code::DatabaseBusy
                        | Code::DatabaseLocked
                        | Code::FileLockingProtocolFailed
                        | Code::DatabaseCorrupt
                        | Code::NotADatabase
                        | Code::OutOfMemory
                )
            ),
            StoreError::Unconfigured(_) | StoreError::Fault | StoreError::Unreadable(_) | StoreError::Packing(_) => {
                false
            }
            _ => true,
        }
    }
}

/// An open store. Cheap to clone; the last clone to go closes it.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    path: PathBuf,
    writer: Writer,
    readers: Mutex<Vec<Reader>>,
    _lock: lock::Lock,
}

impl Store {
    /// Opens the store for writing, makes or migrates it if need be. `holder` says who holds it, for others to read.
    ///
    /// # Errors
    ///
    /// [`StoreError::Held`] if another process has it; otherwise as the variants of [`StoreError`] say.
    pub fn open(path: &Path, holder: &str) -> Result<Store, StoreError> {
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder).map_err(|source| StoreError::File { path: folder.to_owned(), source })?;
        }
        if path.exists() {
            // Looked at before anything is changed: setting the journal mode writes to a file, whoever it belongs to.
            schema::version(&open_readonly(path)?)?;
        }
        let lock = lock::acquire(path, holder)?;
        let mut connection = Connection::open(path)?;
        restrict_permissions(path)?;
        configure(&connection)?;
        connection.pragma_update(None, "journal_mode", "wal")?;
        connection.pragma_update(None, "synchronous", "full")?;
        connection.pragma_update(None, "foreign_keys", "on")?;
        connection.pragma_update(None, "cache_size", -WRITER_CACHE_KIB)?;
        connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
        // Each poll has a savepoint: what it would take back is kept in memory, not in a file.
        connection.pragma_update(None, "temp_store", "memory")?;
        connection.set_prepared_statement_cache_capacity(128);
        schema::migrate(&mut connection)?;
        let inner =
            Inner { path: path.to_owned(), writer: Writer::start(connection), readers: Mutex::default(), _lock: lock };
        Ok(Store { inner: Arc::new(inner) })
    }

    pub fn path(&self) -> &Path {
        &self.inner.path
    }

    /// Reads on a thread of the blocking pool, from a connection that sees one state of the store.
    ///
    /// # Errors
    ///
    /// What `work` gives, or that the store could not be opened for reading.
    pub async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Reader) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let inner = self.inner.clone();
        let reading = tokio::task::spawn_blocking(move || {
            let idle = inner.readers.lock().expect("no reader panics while it holds the lock").pop();
            let reader = idle.map_or_else(|| Reader::open(&inner.path), Ok)?;
            let result = reader.in_one_state(work);
            let mut readers = inner.readers.lock().expect("no reader panics while it holds the lock");
            if readers.len() < IDLE_READERS {
                readers.push(reader);
            }
            result
        });
        reading.await.map_err(|error| if error.is_panic() { StoreError::Fault } else { StoreError::Closed })?
    }

    /// Writes on the writer's thread; returns when it is safe on disk.
    async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.inner.writer.write(work).await
    }
}

/// Only the owner may read what private feeds said.
fn restrict_permissions(path: &Path) -> Result<(), StoreError> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let owner_only = std::fs::Permissions::from_mode(0o600);
        std::fs::set_permissions(path, owner_only)
            .map_err(|source| StoreError::File { path: path.to_owned(), source })?;
    }
    Ok(())
}

fn open_readonly(path: &Path) -> Result<Connection, StoreError> {
    if !path.exists() {
        return Err(StoreError::Missing(path.to_owned()));
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    configure(&connection)?;
    Ok(connection)
}

/// What holds for writing and reading. A statement's plan depends on the statement alone, never on the values bound to it:
/// SQLite would else prepare some statements again each time that they are run.
fn configure(connection: &Connection) -> Result<(), StoreError> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(())
}
