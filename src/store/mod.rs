//! The store: an SQLite database with one writer and many readers.
//!
//! Loads and writes the rows that [`rows`](crate::rows) defines. Decides nothing about feeds or stories, and no other
//! module has SQL: each load and each write is a method here. The policy of storage: everything that a poll brings is
//! written together or not at all. newswire does not open a database of another program or of a newer version. Only one
//! process writes at a time, and the lock file names it.
//!
//! A [`View`] has the methods that load. A [`Reader`] is a view over a connection that only reads. A [`Turn`] is a view
//! within a transaction of the writer, and also has the methods that write.

mod archive;
mod backup;
mod conversions;
mod copies;
mod digests;
mod editions;
mod events;
mod failure_form;
mod feed_words;
mod feeds;
mod file;
mod forms;
mod holder;
mod hooks;
mod hubs;
mod judging;
mod loads;
mod lock;
mod marking;
mod names;
mod old_copy;
mod passes;
mod polling;
mod read;
mod read_limits;
mod reload;
mod rhythm;
mod schema;
mod search;
mod sections;
mod sibling;
mod sql;
mod stories;
mod turn;
mod view;
mod why;
mod writer;
mod writes;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

pub use archive::Packed;
pub use backup::BackupError;
pub use events::Event;
pub use feeds::{FeedStanding, FeedStatus, KnownInfo, PollState};
pub use forms::{decode_entry, encode_entry};
pub use judging::PassLimits;
pub use read::Reader;
pub use read_limits::ReadLimits;
pub use rhythm::Rhythm;
pub use search::Hits;
pub use sections::SectionStatus;
pub use turn::{DuePlacement, Turn};
pub use view::View;

use file::StoreFile;
pub use writer::Urgency;
use writer::Writer;

/// How long a connection waits while another process has the database locked, before it fails.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// The page cache of the writing connection. It has room for the inner pages of a large archive's indexes, and is a
/// small part of newswire's memory of about 100 MiB.
const WRITER_CACHE_KIB: i64 = 16 * 1024;

/// The number of pages (16 MiB) in the write-ahead log after which SQLite copies them to the database file. With a
/// large log, a page that many polls change is copied once, and copying seldom delays a waiting poll.
const CHECKPOINT_PAGES: i64 = 4096;

/// If the store is not larger than this, every command that writes checks it for damage first. The check takes about
/// 0.2 s.
const SMALL_BYTES: u64 = 64 << 20;

/// If the store is not larger than this, the daemon checks it for damage before it starts, which takes a few seconds.
/// It checks a larger store in the background, because a restart would otherwise take minutes.
const LARGE_BYTES: u64 = 1 << 30;

/// The most read connections that stay open while they are not in use. The number is small because each has its own
/// page cache.
const IDLE_READERS: usize = 4;

/// The number of steps of SQLite's virtual machine between two checks of a read's limits. These steps take about 50 µs.
const STEPS: i32 = 1000;

const MIB: u64 = 1 << 20;

/// The progress of an upgrade of a store from an older version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UpgradeStep {
    /// The store is being copied before it is changed.
    Copying {
        /// The number of pages copied so far.
        done: u64,
        /// The number of all pages.
        total: u64,
    },
    /// The copy of the unchanged store is complete.
    Copied {
        /// The version of the store before the upgrade.
        from: usize,
        /// The path of the copy.
        file: PathBuf,
    },
    /// Rows are being converted.
    Converting {
        /// The version for which the rows are converted.
        to: usize,
        /// The number of rows converted so far.
        done: u64,
        /// The number of all rows to convert.
        total: u64,
    },
    /// The store has the newest version.
    Done,
}

/// An error of the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file was not written by newswire.
    #[error("the store file was not written by newswire; set another path under [store]")]
    Foreign,
    /// A newer newswire wrote the store.
    #[error(
        "the store was written by a newer newswire (version {found}; this one reads versions up to {known}); update newswire"
    )]
    Newer {
        /// The store's version.
        found: usize,
        /// The newest version that this newswire knows.
        known: usize,
    },
    /// The store must be upgraded before it is read.
    #[error(
        "the store has version {found}, but this newswire reads version {known}; run `newswire run` or `newswire poll` once to upgrade it"
    )]
    Older {
        /// The store's version.
        found: usize,
        /// The version that this newswire reads.
        known: usize,
    },
    /// After the upgrade, a row would refer to a missing row. The store keeps its version.
    #[error(
        "the store was not upgraded: a row of {table} refers to a row of {parent} that is missing; keep using the older newswire and report this"
    )]
    Orphan {
        /// The table of the row that refers to the missing one.
        table: String,
        /// The table of the missing row.
        parent: String,
    },
    /// The disk has too little free space for an upgrade. Sizes are in bytes.
    #[error(
        "upgrading {} needs {} MiB in {} for a copy of the current store, but {} MiB are free; free some space and start again",
        path.display(), needed.div_ceil(MIB), folder.display(), free / MIB
    )]
    NoRoom {
        /// The store.
        path: PathBuf,
        /// The folder that the copy would be in.
        folder: PathBuf,
        /// The bytes that the upgrade needs.
        needed: u64,
        /// The bytes that are free.
        free: u64,
    },
    /// There is no store at this path.
    #[error("there is no store at {0} yet; run `newswire poll` or `newswire run` first")]
    Missing(PathBuf),
    /// Another process has the store open for writing.
    #[error("the store is in use by {0}; stop it first")]
    Held(String),
    /// Another program has locked the file.
    #[error("the store is locked by {0}; stop it, or try again when it is done")]
    Locked(String),
    /// The path is not a regular file.
    #[error("{} is not a regular file; remove it, or set another path under [store]", .0.display())]
    Irregular(PathBuf),
    /// The file belongs to another user.
    #[error("{} belongs to {owner}; use chown to give it to the user that runs newswire", path.display())]
    NotOurs {
        /// The file.
        path: PathBuf,
        /// The owner of the file, for people.
        owner: String,
    },
    /// The file is damaged, and newswire does not write to it.
    #[error("{} is damaged and is not written to: {found}; move it away with its -wal and -shm files and put a backup in its place", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The first fault that was found.
        found: String,
    },
    /// The file at the store's path is not the one that was opened, or there is no file.
    #[error("{} was moved, deleted or replaced while newswire was running, so nothing is saved any more; put it back and restart newswire", .0.display())]
    Replaced(PathBuf),
    /// The file has several hard links.
    #[error(
        "{} has {names} names (hard links), and opening it under different names would destroy it; remove all names but one, or replace it with a copy",
        path.display()
    )]
    ManyNames {
        /// The file.
        path: PathBuf,
        /// How many names the file has.
        names: u64,
    },
    /// The operating system reported an error about a file.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// The error.
        source: std::io::Error,
    },
    /// SQLite reported an error.
    #[error("{}", sqlite_message(.0))]
    Sqlite(#[from] rusqlite::Error),
    /// The transaction could not be committed.
    #[error("the transaction could not be committed: {0}")]
    Commit(String),
    /// An editor's command would move copies of a feed that is not configured.
    #[error("feed {0} is no longer configured, so its copies cannot be moved to another story")]
    Unconfigured(String),
    /// The store is closed, because the program is stopping.
    #[error("the store is closed")]
    Closed,
    /// The read was stopped, because it reached its time limit or its client closed the connection.
    #[error("the read took too long and was stopped")]
    Interrupted,
    /// newswire's own code panicked.
    #[error("internal error in newswire")]
    Fault,
    /// Stored JSON cannot be read.
    #[error("the store contains unreadable data: {0}")]
    Unreadable(#[from] serde_json::Error),
    /// The zstd compressor reported an error.
    #[error("an archive document could not be compressed or decompressed: {0}")]
    Packing(#[from] std::io::Error),
}

/// Returns the message for an error of SQLite. If the store is damaged, the message says what to do.
fn sqlite_message(error: &rusqlite::Error) -> String {
    match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::DatabaseCorrupt | rusqlite::ErrorCode::NotADatabase) => format!(
            "the store is damaged ({error}); move it away with its -wal and -shm files and put a backup in its place"
        ),
        _ => format!("store error: {error}"),
    }
}

impl StoreError {
    /// Returns whether this error means that a read was stopped before its end.
    pub(super) fn is_interruption(&self) -> bool {
        match self {
            StoreError::Interrupted => true,
            StoreError::Sqlite(error) => error.sqlite_error_code() == Some(rusqlite::ErrorCode::OperationInterrupted),
            _ => false,
        }
    }

    /// Returns whether other reads or writes would fail with this error too, as on a full disk.
    pub fn affects_all(&self) -> bool {
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
            StoreError::Unconfigured(_)
            | StoreError::Interrupted
            | StoreError::Fault
            | StoreError::Unreadable(_)
            | StoreError::Packing(_) => false,
            _ => true,
        }
    }

    /// Returns a copy of the error: if a transaction fails, each of its jobs gets a copy.
    fn again(&self) -> StoreError {
        match self {
            StoreError::Locked(holder) => StoreError::Locked(holder.clone()),
            StoreError::Damaged { path, found } => StoreError::Damaged { path: path.clone(), found: found.clone() },
            StoreError::Replaced(path) => StoreError::Replaced(path.clone()),
            StoreError::Sqlite(rusqlite::Error::SqliteFailure(code, text)) => {
                rusqlite::Error::SqliteFailure(*code, text.clone()).into()
            }
            StoreError::Commit(why) => StoreError::Commit(why.clone()),
            other => StoreError::Commit(other.to_string()),
        }
    }
}

/// Converts the error of a task that panicked or was cancelled. A panic is a bug in newswire. A task is cancelled only
/// when the program stops.
impl From<tokio::task::JoinError> for StoreError {
    fn from(error: tokio::task::JoinError) -> StoreError {
        if error.is_panic() { StoreError::Fault } else { StoreError::Closed }
    }
}

/// An open store. Clones share it; dropping the last clone closes it.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    path: PathBuf,
    writer: Writer,
    file: Arc<StoreFile>,
    /// Whether the whole file was checked for damage when it was opened.
    is_checked: bool,
    readers: Mutex<Vec<Reader>>,
    _lock: lock::Lock,
}

impl Store {
    /// Opens the store for writing. Creates the store if there is none, and migrates it if its version is older.
    /// `holder` is the name of this process, for error messages of other processes.
    ///
    /// # Errors
    ///
    /// Returns [`StoreError::Held`] if another process has the store open for writing. Other variants of [`StoreError`]
    /// say what else prevents opening.
    pub fn open(path: &Path, holder: &str) -> Result<Store, StoreError> {
        Store::open_checking(path, holder, SMALL_BYTES, &mut |_| ())
    }

    /// Opens the store as [`Store::open`] does, and calls `show` with the progress of an upgrade.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`Store::open`].
    pub fn open_showing(path: &Path, holder: &str, show: &mut dyn FnMut(UpgradeStep)) -> Result<Store, StoreError> {
        Store::open_checking(path, holder, SMALL_BYTES, show)
    }

    /// Opens the store as [`Store::open_showing`] does, but checks larger stores for damage too. This is for a process
    /// that runs for long; it should then call [`Store::check`].
    ///
    /// # Errors
    ///
    /// Returns the errors of [`Store::open`].
    pub fn open_checked(path: &Path, holder: &str, show: &mut dyn FnMut(UpgradeStep)) -> Result<Store, StoreError> {
        Store::open_checking(path, holder, LARGE_BYTES, show)
    }

    fn open_checking(
        path: &Path,
        holder: &str,
        checked_bytes: u64,
        show: &mut dyn FnMut(UpgradeStep),
    ) -> Result<Store, StoreError> {
        file::create_folder_of(path)?;
        file::require_regular(path)?;
        let path = &file::resolved(path);
        if path.exists() {
            // Check the version before anything is changed. Setting the journal mode would write to the file even if it
            // belongs to another program.
            version_of(path, &open_readonly(path)?)?;
        }
        let lock = lock::acquire(path, holder)?;
        file::require_one_name(path)?;
        file::create(path)?;
        file::restrict(path)?;
        let is_checked = path.metadata().map_err(file::failed(path))?.len() <= checked_bytes;
        if is_checked {
            file::check(path)?;
        }
        upgrade_safely(path, show)?;
        let connection = open_writer(path, show).map_err(|error| file::explain(path, error))?;
        let file = Arc::new(StoreFile::at(path)?);
        let inner = Inner {
            path: path.to_owned(),
            writer: Writer::start(connection, file.clone()),
            file,
            is_checked,
            readers: Mutex::default(),
            _lock: lock,
        };
        Ok(Store { inner: Arc::new(inner) })
    }

    /// Checks the store for damage if it was too large to be checked when it was opened. Reads and writes continue
    /// meanwhile. If the store is damaged, nothing more is written to it.
    ///
    /// # Errors
    ///
    /// Returns [`StoreError::Damaged`] with the first fault that was found.
    pub async fn check(&self) -> Result<(), StoreError> {
        if self.inner.is_checked {
            return Ok(());
        }
        let path = self.inner.path.clone();
        let checked = tokio::task::spawn_blocking(move || file::check(&path)).await?;
        checked.map_err(|error| self.inner.file.explain(error))
    }

    /// Returns the path of the store's file.
    pub fn path(&self) -> &Path {
        &self.inner.path
    }

    /// Runs `work` on a thread of the blocking pool, with a reader that sees one state of the store.
    ///
    /// # Errors
    ///
    /// Returns the error of `work`, or an error if the store cannot be opened for reading.
    pub async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Reader) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let inner = self.inner.clone();
        let reading = tokio::task::spawn_blocking(move || {
            let reader = inner.reader()?;
            let result = reader.in_one_state(work);
            inner.keep(reader);
            result
        });
        reading.await?
    }

    /// Runs `work` as [`Store::read`] does, for a client, but only as long as `read_limits` allows. Dropping the future
    /// stops the read. `turn` (such as a semaphore permit) is dropped when the thread is free again.
    ///
    /// # Errors
    ///
    /// Returns [`StoreError::Interrupted`] if the read was stopped, otherwise the errors of [`Store::read`].
    pub async fn read_for<T: Send + 'static>(
        &self,
        read_limits: &ReadLimits,
        turn: impl Send + 'static,
        work: impl FnOnce(&Reader) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (inner, limits) = (self.inner.clone(), read_limits.clone());
        let _gone = read_limits.guard();
        let reading = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            if limits.is_over() {
                return Err(StoreError::Interrupted);
            }
            let mut reader = inner.reader()?;
            reader.view.connection.progress_handler(STEPS, Some(move || limits.is_over()))?;
            let result = reader.in_one_state(work);
            reader.view.connection.progress_handler(0, None::<fn() -> bool>)?;
            inner.keep(reader);
            match result {
                Err(error) if error.is_interruption() => Err(StoreError::Interrupted),
                // If a reader finds damage, `explain` remembers it, and nothing more is written.
                result => result.map_err(|error| inner.file.explain(error)),
            }
        });
        reading.await.map_err(|error| if error.is_panic() { StoreError::Fault } else { StoreError::Closed })?
    }

    /// Runs `work` on the writer's thread. Returns when its changes are safe on disk.
    async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&View) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.inner.writer.write(Urgency::Now, work).await
    }
}

impl Inner {
    /// Returns an idle read connection, or opens a new one.
    fn reader(&self) -> Result<Reader, StoreError> {
        let idle = self.readers.lock().expect("no reader panics while it holds the lock").pop();
        // If the path has another file, SQLite would read it together with the write-ahead log of the open file.
        let open = || self.file.in_place().and_then(|()| Reader::open(&self.path));
        idle.map_or_else(open, Ok)
    }

    /// Keeps a connection open for the next read. Closes it if enough idle connections are open, or if it is still in a
    /// transaction.
    fn keep(&self, reader: Reader) {
        let mut readers = self.readers.lock().expect("no reader panics while it holds the lock");
        if readers.len() < IDLE_READERS && reader.connection.is_autocommit() {
            readers.push(reader);
        }
    }
}

/// Copies the store at `path` to a second file if its version is older, so that an upgrade cannot destroy it.
fn upgrade_safely(path: &Path, show: &mut dyn FnMut(UpgradeStep)) -> Result<(), StoreError> {
    let from = version_of(path, &open_readonly(path)?)?;
    if from > 0 && from < schema::NEWEST {
        let file = old_copy::make(path, from, show)?;
        show(UpgradeStep::Copied { from, file });
    }
    Ok(())
}

/// Opens a store for writing, and migrates it to the newest version.
fn open_writer(path: &Path, show: &mut dyn FnMut(UpgradeStep)) -> Result<Connection, StoreError> {
    let mut connection = Connection::open(path)?;
    configure(&connection)?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", "full")?;
    connection.pragma_update(None, "foreign_keys", "on")?;
    connection.pragma_update(None, "cache_size", -WRITER_CACHE_KIB)?;
    connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
    // Each poll has a savepoint. The data for its rollback stays in memory instead of a temporary file.
    connection.pragma_update(None, "temp_store", "memory")?;
    connection.set_prepared_statement_cache_capacity(128);
    schema::migrate(&mut connection, show)?;
    Ok(connection)
}

/// Returns the version of the store at `path`; see [`schema::version`].
fn version_of(path: &Path, connection: &Connection) -> Result<usize, StoreError> {
    schema::version(connection).map_err(|error| file::explain(path, error))
}

fn open_readonly(path: &Path) -> Result<Connection, StoreError> {
    if !path.exists() {
        return Err(StoreError::Missing(path.to_owned()));
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(|error| file::explain(path, error.into()))?;
    configure(&connection)?;
    Ok(connection)
}

/// Sets the options for both writing and reading. QPSG (query planner stability guarantee) makes the plan of a
/// statement independent of the bound values. Without it, SQLite would prepare some statements again each time they
/// run.
fn configure(connection: &Connection) -> Result<(), StoreError> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(())
}
