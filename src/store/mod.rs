//! The store: SQLite, with one writer, many readers, and one transaction a poll.
//!
//! Loads rows and writes rows, as [`rows`](crate::rows) has them. Never decides, and never lets SQL out: each load and each
//! write is a method here. The policy held here: everything that a poll brings is written together or not at all; a store of
//! another program or of a newer version is refused untouched; one process writes at a time, and says who it is.
//!
//! A [`View`] loads. A [`Reader`] is a view that only reads; a [`Turn`] is a view within a transaction of the writer, and
//! writes too.

mod archive;
mod backup;
mod beside;
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
mod loads;
mod lock;
mod names;
mod old_copy;
mod passes;
mod patience;
mod polling;
mod read;
mod reload;
mod rhythm;
mod schema;
mod search;
mod sections;
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
pub use feeds::{FeedStatus, PollState};
pub use forms::{decode_entry, encode_entry};
pub use patience::Patience;
pub use read::Reader;
pub use rhythm::Rhythm;
pub use search::Hits;
pub use sections::SectionStatus;
pub use turn::Turn;
pub use view::View;

use file::StoreFile;
use writer::Writer;

/// How long a connection waits for another process's write before it gives up.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Page cache of the writing connection: enough for the inner pages of a large archive, little beside 100 MiB.
const WRITER_CACHE_KIB: i64 = 16 * 1024;

/// After so many pages (16 MiB) the log is brought into the file: pages that many polls change are then written there once,
/// and a waiting poll is seldom held up by it.
const CHECKPOINT_PAGES: i64 = 4096;

/// Up to this size every command checks the store before it writes to it: some 0.2 s.
const SMALL_BYTES: u64 = 64 << 20;

/// Up to this size the daemon checks the store before it starts: some seconds. A larger one is checked in the background, so
/// that a restart is not an outage of minutes.
const LARGE_BYTES: u64 = 1 << 30;

/// How many idle read connections are kept open; each has a cache of its own.
const IDLE_READERS: usize = 4;

/// How many steps of its virtual machine SQLite takes between two looks at the limits of a read: some 50 µs.
const STEPS: i32 = 1000;

const MIB: u64 = 1 << 20;

/// How far a store of an older version is on its way to the newest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UpgradeStep {
    /// So many pages are copied, before anything is changed.
    Copying { done: u64, total: u64 },
    /// The store as it was, of version `from`, lies in this file.
    Copied { from: usize, file: PathBuf },
    /// So many rows are converted for version `to`.
    Converting { to: usize, done: u64, total: u64 },
    /// The store has the newest version.
    Done,
}

/// What can go wrong with the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("the file is the database of another program; name another path under [store]")]
    Foreign,
    #[error("the store was written by a newer newswire (version {found}, this one knows {known}); update newswire")]
    Newer { found: usize, known: usize },
    #[error(
        "the store has version {found}, this newswire reads version {known}; run `newswire run` or `newswire poll` once to update it"
    )]
    Older { found: usize, known: usize },
    #[error(
        "the store was not updated: a row of {table} refers to a row of {parent} that is missing; go on with the older newswire and report it"
    )]
    Orphan { table: String, parent: String },
    #[error(
        "updating {} needs {} MiB in {}, for a copy of the store as it is now, but {} MiB are free; free some space and start again",
        path.display(), needed.div_ceil(MIB), folder.display(), free / MIB
    )]
    NoRoom { path: PathBuf, folder: PathBuf, needed: u64, free: u64 },
    #[error("there is no store at {0} yet; run `newswire poll` or `newswire run` first")]
    Missing(PathBuf),
    #[error("the store is in use by {0}; stop it first")]
    Held(String),
    #[error("the store is locked by {0}; stop it, or try again when it is done")]
    Locked(String),
    #[error("{} is not a regular file; remove it, or name another path under [store]", .0.display())]
    Irregular(PathBuf),
    #[error("{} belongs to {owner}; give it to the user that runs newswire with chown", path.display())]
    NotOurs { path: PathBuf, owner: String },
    #[error("{} is damaged and is not written to: {found}; move it away with its -wal and -shm files and put a backup in its place", path.display())]
    Damaged { path: PathBuf, found: String },
    #[error("{} was moved, deleted or replaced while newswire runs, so nothing is written any more; put it back and restart newswire", .0.display())]
    Replaced(PathBuf),
    #[error(
        "{} has {names} names (hard links), and programs that open it under different names destroy it; remove the others, or put a copy of it in its place",
        path.display()
    )]
    ManyNames { path: PathBuf, names: u64 },
    #[error("{path}: {source}")]
    File { path: PathBuf, source: std::io::Error },
    #[error("{}", in_words(.0))]
    Sqlite(#[from] rusqlite::Error),
    #[error("the store could not commit: {0}")]
    Commit(String),
    #[error("the feed {0} is not in the config any more; its copies cannot be moved")]
    Unconfigured(String),
    #[error("the store is closed")]
    Closed,
    #[error("the read took too long and was stopped")]
    Interrupted,
    #[error("newswire met a fault of its own")]
    Fault,
    #[error("the store holds something unreadable: {0}")]
    Unreadable(#[from] serde_json::Error),
    #[error("an archive document could not be packed or unpacked: {0}")]
    Packing(#[from] std::io::Error),
}

/// Says what to do if the store is damaged.
fn in_words(error: &rusqlite::Error) -> String {
    match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::DatabaseCorrupt | rusqlite::ErrorCode::NotADatabase) => format!(
            "the store is damaged ({error}); move it away with its -wal and -shm files and put a backup in its place"
        ),
        _ => format!("the store: {error}"),
    }
}

impl StoreError {
    /// Whether a read was stopped before its end.
    pub(super) fn is_interruption(&self) -> bool {
        match self {
            StoreError::Interrupted => true,
            StoreError::Sqlite(error) => error.sqlite_error_code() == Some(rusqlite::ErrorCode::OperationInterrupted),
            _ => false,
        }
    }

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
            StoreError::Unconfigured(_)
            | StoreError::Interrupted
            | StoreError::Fault
            | StoreError::Unreadable(_)
            | StoreError::Packing(_) => false,
            _ => true,
        }
    }

    /// The same error again, for all whose work was in one transaction.
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

/// A panic is a fault of newswire; work that was given up was so because everything ends.
impl From<tokio::task::JoinError> for StoreError {
    fn from(error: tokio::task::JoinError) -> StoreError {
        if error.is_panic() { StoreError::Fault } else { StoreError::Closed }
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
    file: Arc<StoreFile>,
    /// Whether all its pages were checked when it was opened.
    is_checked: bool,
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
        Store::open_checking(path, holder, SMALL_BYTES, &mut |_| ())
    }

    /// As [`Store::open`]. `show` hears how far a store of an older version is on its way to the newest.
    ///
    /// # Errors
    ///
    /// As of [`Store::open`].
    pub fn open_showing(path: &Path, holder: &str, show: &mut dyn FnMut(UpgradeStep)) -> Result<Store, StoreError> {
        Store::open_checking(path, holder, SMALL_BYTES, show)
    }

    /// As [`Store::open_showing`], for a process that writes for long: checks a larger store too, see [`Store::check`].
    ///
    /// # Errors
    ///
    /// As of [`Store::open`].
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
            // Looked at before anything is changed: setting the journal mode writes to a file, whoever it belongs to.
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

    /// Checks a store that was too large to be checked when it was opened, while others read and write it; all writing
    /// stops if it is damaged.
    ///
    /// # Errors
    ///
    /// [`StoreError::Damaged`] with the first thing found.
    pub async fn check(&self) -> Result<(), StoreError> {
        if self.inner.is_checked {
            return Ok(());
        }
        let path = self.inner.path.clone();
        let checked = tokio::task::spawn_blocking(move || file::check(&path)).await?;
        checked.map_err(|error| self.inner.file.explain(error))
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
            let reader = inner.reader()?;
            let result = reader.in_one_state(work);
            inner.keep(reader);
            result
        });
        reading.await?
    }

    /// Reads for a visitor, as [`Store::read`] does, but no longer than `patience` lasts. Dropping the future ends the read.
    /// `turn` is dropped when the thread is free again.
    ///
    /// # Errors
    ///
    /// [`StoreError::Interrupted`] if the read was stopped; else as of [`Store::read`].
    pub async fn read_for<T: Send + 'static>(
        &self,
        patience: &Patience,
        turn: impl Send + 'static,
        work: impl FnOnce(&Reader) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (inner, limits) = (self.inner.clone(), patience.clone());
        let _gone = patience.guard();
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
                // What a reader finds damaged is not written to any more.
                result => result.map_err(|error| inner.file.explain(error)),
            }
        });
        reading.await.map_err(|error| if error.is_panic() { StoreError::Fault } else { StoreError::Closed })?
    }

    /// Writes on the writer's thread; returns when it is safe on disk.
    async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&View) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.inner.writer.write(work).await
    }
}

impl Inner {
    /// An idle connection that reads, or a new one.
    fn reader(&self) -> Result<Reader, StoreError> {
        let idle = self.readers.lock().expect("no reader panics while it holds the lock").pop();
        // Another file at this path would be read together with the log of the one that is open.
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

/// Copies a store of an older version beside itself, before anything in it is changed.
fn upgrade_safely(path: &Path, show: &mut dyn FnMut(UpgradeStep)) -> Result<(), StoreError> {
    let from = version_of(path, &open_readonly(path)?)?;
    if from > 0 && from < schema::NEWEST {
        let file = old_copy::make(path, from, show)?;
        show(UpgradeStep::Copied { from, file });
    }
    Ok(())
}

/// Opens a store for writing, and brings it to the newest version.
fn open_writer(path: &Path, show: &mut dyn FnMut(UpgradeStep)) -> Result<Connection, StoreError> {
    let mut connection = Connection::open(path)?;
    configure(&connection)?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", "full")?;
    connection.pragma_update(None, "foreign_keys", "on")?;
    connection.pragma_update(None, "cache_size", -WRITER_CACHE_KIB)?;
    connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
    // Each poll has a savepoint: what it would take back is kept in memory, not in a file.
    connection.pragma_update(None, "temp_store", "memory")?;
    connection.set_prepared_statement_cache_capacity(128);
    schema::migrate(&mut connection, show)?;
    Ok(connection)
}

/// The version of the store at `path`; see [`schema::version`].
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

/// What holds for writing and reading. A statement's plan depends on the statement alone, never on the values bound to it:
/// SQLite would else prepare some statements again each time that they are run.
fn configure(connection: &Connection) -> Result<(), StoreError> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(())
}
