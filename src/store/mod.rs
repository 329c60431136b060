//! The store: SQLite, with one writer, many readers, and one transaction per poll.
//!
//! Loads and writes rows, defined in [`rows`](crate::rows). Contains no policy, and no SQL leaves this module: each
//! load and each write is a method here. The policy of storage: everything that a poll brings is written together or
//! not at all; a store of another program or of a newer version is refused and stays untouched; one process writes at a
//! time, and its name is on record.
//!
//! A [`View`] loads. A [`Reader`] is a view that only reads; a [`Turn`] is a view within a transaction of the writer,
//! and also writes.

mod archive;
mod backup;
mod conversions;
mod copies;
mod editions;
mod events;
mod failure_form;
mod feed_words;
mod feeds;
mod file;
mod forms;
mod holder;
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

/// How long a connection waits for another process's write before it fails.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// The page cache of the writing connection: enough for the inner pages of a large archive, and little of 100 MiB.
const WRITER_CACHE_KIB: i64 = 16 * 1024;

/// The pages (16 MiB) after which the log is written to the file: pages that many polls change are then written to the
/// file once, and the writing seldom delays a waiting poll.
const CHECKPOINT_PAGES: i64 = 4096;

/// Up to this size, every command checks the store before it writes to it; that takes about 0.2 s.
const SMALL_BYTES: u64 = 64 << 20;

/// Up to this size, the daemon checks the store before it starts; that takes a few seconds. A larger store is checked
/// in the background, so that a restart is not an outage of minutes.
const LARGE_BYTES: u64 = 1 << 30;

/// The most idle read connections that are kept open; each has its own cache.
const IDLE_READERS: usize = 4;

/// The steps of SQLite's virtual machine between two checks of a read's limits: about 50 µs.
const STEPS: i32 = 1000;

const MIB: u64 = 1 << 20;

/// The progress of upgrading a store of an older version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UpgradeStep {
    /// `done` of `total` pages are copied; nothing has been changed yet.
    Copying {
        /// Copied pages.
        done: u64,
        /// All pages.
        total: u64,
    },
    /// The store as it was, of version `from`, is copied to this file.
    Copied {
        /// The version before the upgrade.
        from: usize,
        /// The copy.
        file: PathBuf,
    },
    /// `done` of `total` rows are converted for version `to`.
    Converting {
        /// The version that is being written.
        to: usize,
        /// Converted rows.
        done: u64,
        /// All rows.
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
    #[error("the store was written by a newer newswire (version {found}, this one knows {known}); update newswire")]
    Newer {
        /// The store's version.
        found: usize,
        /// The newest version that this newswire knows.
        known: usize,
    },
    /// The store must be upgraded before it is read.
    #[error(
        "the store has version {found}, this newswire reads version {known}; run `newswire run` or `newswire poll` once to upgrade it"
    )]
    Older {
        /// The store's version.
        found: usize,
        /// The version that this newswire reads.
        known: usize,
    },
    /// The upgrade would leave a row that refers to a missing row; the store keeps its version.
    #[error(
        "the store was not upgraded: a row of {table} refers to a row of {parent} that is missing; keep using the older newswire and report this"
    )]
    Orphan {
        /// The table of the row.
        table: String,
        /// The table of the missing row.
        parent: String,
    },
    /// The disk lacks the room for an upgrade; sizes in bytes.
    #[error(
        "upgrading {} needs {} MiB in {} for a copy of the current store, but {} MiB are free; free some space and start again",
        path.display(), needed.div_ceil(MIB), folder.display(), free / MIB
    )]
    NoRoom {
        /// The store.
        path: PathBuf,
        /// The folder of the copy.
        folder: PathBuf,
        /// Needed bytes.
        needed: u64,
        /// Free bytes.
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
        /// Its owner, for people.
        owner: String,
    },
    /// The file is damaged, and newswire no longer writes to it.
    #[error("{} is damaged and is not written to: {found}; move it away with its -wal and -shm files and put a backup in its place", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The first fault found.
        found: String,
    },
    /// The file is no longer the one at its path.
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
        /// How many names it has.
        names: u64,
    },
    /// The system reported an error on a file.
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
    /// The transaction of the work could not be committed.
    #[error("the store could not commit: {0}")]
    Commit(String),
    /// A feed with copies that should move is no longer configured.
    #[error("feed {0} is no longer configured, so its copies cannot be moved")]
    Unconfigured(String),
    /// The store is closed, because the program is stopping.
    #[error("the store is closed")]
    Closed,
    /// The read was stopped: its time limit was reached or its client has gone.
    #[error("the read took too long and was stopped")]
    Interrupted,
    /// A panic in newswire.
    #[error("internal error in newswire")]
    Fault,
    /// Stored JSON cannot be read.
    #[error("the store contains unreadable data: {0}")]
    Unreadable(#[from] serde_json::Error),
    /// The compressor reported an error.
    #[error("an archive document could not be compressed or decompressed: {0}")]
    Packing(#[from] std::io::Error),
}

/// Adds to an error of SQLite what to do if the store is damaged.
fn sqlite_message(error: &rusqlite::Error) -> String {
    match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::DatabaseCorrupt | rusqlite::ErrorCode::NotADatabase) => format!(
            "the store is damaged ({error}); move it away with its -wal and -shm files and put a backup in its place"
        ),
        _ => format!("store error: {error}"),
    }
}

impl StoreError {
    /// Returns whether a read was stopped before its end.
    pub(super) fn is_interruption(&self) -> bool {
        match self {
            StoreError::Interrupted => true,
            StoreError::Sqlite(error) => error.sqlite_error_code() == Some(rusqlite::ErrorCode::OperationInterrupted),
            _ => false,
        }
    }

    /// Returns whether the error affects all reads or writes, as with a full disk; otherwise it is a fault of this work
    /// only, and other work can continue.
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

    /// Returns the same error again, for each job of a failed transaction.
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

/// Converts the end of a task: a panic is a bug in newswire; a cancelled task means that the program is stopping.
impl From<tokio::task::JoinError> for StoreError {
    fn from(error: tokio::task::JoinError) -> StoreError {
        if error.is_panic() { StoreError::Fault } else { StoreError::Closed }
    }
}

/// An open store. Cheap to clone; dropping the last clone closes it.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    path: PathBuf,
    writer: Writer,
    file: Arc<StoreFile>,
    /// Whether all its pages were checked when it was opened.
    is_checked: bool,
    readers: Mutex<Vec<Reader>>,
    _lock: lock::Lock,
}

impl Store {
    /// Opens the store for writing; creates or migrates it if needed. `holder` names this process for others.
    ///
    /// # Errors
    ///
    /// Returns [`StoreError::Held`] if another process has the store open for writing, and other variants as they say.
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

    /// Opens the store as [`Store::open_showing`] does, for a long-running process: also checks a larger store, see
    /// [`Store::check`].
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
            // Checked before anything is changed: setting the journal mode writes to the file, even if it belongs to
            // another program.
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

    /// Checks a store that was too large to be checked when it was opened, while others read and write it. If it is
    /// damaged, all writing stops.
    ///
    /// # Errors
    ///
    /// Returns [`StoreError::Damaged`] with the first fault found.
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

    /// Reads on a thread of the blocking pool, over a connection that sees one state of the store.
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

    /// Reads for a client, as [`Store::read`] does, but at most as long as `read_limits` allows. Dropping the future stops
    /// the read. `turn` is dropped when the thread is free again.
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
                // If a reader finds damage, nothing is written any more.
                result => result.map_err(|error| inner.file.explain(error)),
            }
        });
        reading.await.map_err(|error| if error.is_panic() { StoreError::Fault } else { StoreError::Closed })?
    }

    /// Writes on the writer's thread; returns when the data is safe on disk.
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
        // Another file at this path would be read together with the log of the open one.
        let open = || self.file.in_place().and_then(|()| Reader::open(&self.path));
        idle.map_or_else(open, Ok)
    }

    /// Keeps a connection for the next read, unless there are enough, or it is still in a transaction.
    fn keep(&self, reader: Reader) {
        let mut readers = self.readers.lock().expect("no reader panics while it holds the lock");
        if readers.len() < IDLE_READERS && reader.connection.is_autocommit() {
            readers.push(reader);
        }
    }
}

/// Copies a store of an older version to a second file, before anything in it is changed.
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
    // Each poll has a savepoint: the data for a rollback is kept in memory, not in a file.
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

/// Sets what applies to writing and reading. A statement's plan depends on the statement alone, never on the bound
/// values: otherwise SQLite would prepare some statements again each time they run.
fn configure(connection: &Connection) -> Result<(), StoreError> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(())
}
