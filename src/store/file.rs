//! The store's file and the files beside it: private from the first moment, and the same file for as long as it is open.
//!
//! The policy held here: only the owner can read, write or lock the store, whatever the umask. newswire opens only regular
//! files. A store that is damaged, or that another file has replaced while newswire runs, is not written to.

use std::fs::{self, DirBuilder, File, Metadata, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use rusqlite::ErrorCode;
use rustix::fs::OFlags;

use super::beside::beside;
use super::{StoreError, holder, open_readonly};

/// The mode of everything that may hold what private feeds say.
const OWNER_ONLY: u32 = 0o600;

/// The tables that have pages of their own; the virtual ones are made of some of these.
const REAL_TABLES: &str = "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type IN ('table', 'shadow')";

/// An open store's file: which one it is, and whether it may still be written to.
pub struct StoreFile {
    path: PathBuf,
    identity: Identity,
    damage: OnceLock<String>,
}

/// What makes a file the same file under any name: its device and inode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    pub device: u64,
    pub inode: u64,
}

impl Identity {
    pub fn of(metadata: &Metadata) -> Identity {
        Identity { device: metadata.dev(), inode: metadata.ino() }
    }
}

impl StoreFile {
    /// Remembers which file is at `path` now.
    ///
    /// # Errors
    ///
    /// If there is none.
    pub fn at(path: &Path) -> Result<StoreFile, StoreError> {
        let metadata = fs::metadata(path).map_err(failed(path))?;
        Ok(StoreFile { path: path.to_owned(), identity: Identity::of(&metadata), damage: OnceLock::new() })
    }

    /// Checks that the store may be written to. Costs one `stat`.
    ///
    /// # Errors
    ///
    /// [`StoreError::Damaged`] after damage was found, [`StoreError::Replaced`] if another file or none is at its path.
    pub fn writable(&self) -> Result<(), StoreError> {
        if let Some(found) = self.damage.get() {
            return Err(StoreError::Damaged { path: self.path.clone(), found: found.clone() });
        }
        self.in_place()
    }

    /// Checks that the file is still the one at its path.
    ///
    /// # Errors
    ///
    /// [`StoreError::Replaced`] if another file or none is there.
    pub fn in_place(&self) -> Result<(), StoreError> {
        match fs::metadata(&self.path) {
            Ok(metadata) if Identity::of(&metadata) == self.identity => Ok(()),
            Ok(_) => Err(StoreError::Replaced(self.path.clone())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(StoreError::Replaced(self.path.clone())),
            // A file system that does not answer for the moment: the write itself fails, if it must.
            Err(_) => Ok(()),
        }
    }

    /// Gives an error its cause, see [`explain`]. Damage stops all writing.
    pub fn explain(&self, error: StoreError) -> StoreError {
        let error = explain(&self.path, error);
        if let StoreError::Damaged { found, .. } = &error {
            // Only the first finding counts.
            let _ = self.damage.set(found.clone());
        }
        error
    }

    pub fn is_damaged(&self) -> bool {
        self.damage.get().is_some()
    }
}

/// Turns an error of SQLite into what happened to the store at `path`: another program locks it, it is damaged, or it
/// belongs to another user.
pub fn explain(path: &Path, error: StoreError) -> StoreError {
    let StoreError::Sqlite(error) = error else { return error };
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            StoreError::Locked(holder::of_store(path).unwrap_or_else(|| "another program".to_owned()))
        }
        Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
            not_ours(path).unwrap_or(StoreError::Sqlite(error))
        }
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            StoreError::Damaged { path: path.to_owned(), found: error.to_string() }
        }
        _ => StoreError::Sqlite(error),
    }
}

/// Reads the pages of every table and index of the store at `path` and checks how they are linked; writes nothing, not even
/// from the log.
///
/// The text index is checked as the tables that hold it, not word by word: SQLite's check of the words reads the whole index
/// again at every start, and finds wrong entries of a search, not damage of the file.
///
/// # Errors
///
/// [`StoreError::Damaged`] with the first finding.
pub fn check(path: &Path) -> Result<(), StoreError> {
    let connection = open_readonly(path)?;
    let failed = |error: rusqlite::Error| explain(path, error.into());
    let mut tables = connection.prepare(REAL_TABLES).map_err(failed)?;
    let tables = tables.query_map((), |row| row.get(0)).map_err(failed)?;
    for table in tables.collect::<Result<Vec<String>, _>>().map_err(failed)? {
        let found = connection.query_row("SELECT quick_check FROM pragma_quick_check(?1)", [&table], |row| row.get(0));
        let found: String = found.map_err(failed)?;
        if found != "ok" {
            // SQLite writes a head line before some findings.
            return Err(StoreError::Damaged { path: path.to_owned(), found: found.replace('\n', ": ") });
        }
    }
    Ok(())
}

/// Creates the folder of the store, readable by its owner alone. An existing folder stays as it is.
///
/// # Errors
///
/// As of the system.
pub fn create_folder_of(path: &Path) -> Result<(), StoreError> {
    let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) else { return Ok(()) };
    DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed(folder))
}

/// Creates an empty store file for the owner alone, before SQLite opens it; SQLite gives its log the same mode.
///
/// # Errors
///
/// As of the system.
pub fn create(path: &Path) -> Result<(), StoreError> {
    match OpenOptions::new().write(true).create_new(true).mode(OWNER_ONLY).open(path) {
        // A umask may take away too much.
        Ok(file) => file.set_permissions(Permissions::from_mode(OWNER_ONLY)).map_err(failed(path)),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => require_regular(path),
        Err(error) => Err(failed(path)(error)),
    }
}

/// Takes the rights of others from the store and its log, as a copy made by hand may have them.
///
/// # Errors
///
/// If the files belong to somebody else.
pub fn restrict(path: &Path) -> Result<(), StoreError> {
    for path in [path.to_owned(), beside(path, "-wal"), beside(path, "-shm"), beside(path, "-journal")] {
        match fs::metadata(&path) {
            Ok(metadata) if metadata.mode() & 0o077 != 0 => {
                fs::set_permissions(&path, Permissions::from_mode(OWNER_ONLY))
                    .map_err(|source| not_ours(&path).unwrap_or_else(|| failed(&path)(source)))?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// Refuses what is no regular file; a link to one is fine, nothing at all too.
///
/// # Errors
///
/// [`StoreError::Irregular`].
pub fn require_regular(path: &Path) -> Result<(), StoreError> {
    match fs::metadata(path) {
        Ok(metadata) if !metadata.is_file() => Err(StoreError::Irregular(path.to_owned())),
        Err(error) if fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_symlink()) => {
            Err(failed(path)(error))
        }
        _ => Ok(()),
    }
}

/// Returns the path of the file itself where `path` is a symbolic link to it: under each name there would be another lock.
pub fn resolved(path: &Path) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

/// Refuses a file with several hard links: SQLite would keep a log of its own under each name, and the logs overwrite each
/// other's changes (sqlite.org/howtocorrupt.html 2.3). A missing file is fine.
///
/// # Errors
///
/// [`StoreError::ManyNames`].
pub fn require_one_name(path: &Path) -> Result<(), StoreError> {
    match fs::metadata(path) {
        Ok(metadata) if metadata.nlink() > 1 => {
            Err(StoreError::ManyNames { path: path.to_owned(), names: metadata.nlink() })
        }
        _ => Ok(()),
    }
}

/// Opens a private file of our own beside the store, and creates it if need be. Never follows a link and never changes what
/// is in the file.
///
/// # Errors
///
/// [`StoreError::Irregular`] if it is a link, a pipe or anything else but a file; [`StoreError::NotOurs`] if it belongs to
/// another user.
pub fn open_private(path: &Path) -> Result<File, StoreError> {
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(OWNER_ONLY).custom_flags(flags);
    let file = options.open(path).map_err(|source| match fs::symlink_metadata(path) {
        Ok(metadata) if !metadata.is_file() => StoreError::Irregular(path.to_owned()),
        _ => not_ours(path).unwrap_or_else(|| failed(path)(source)),
    })?;
    let metadata = file.metadata().map_err(failed(path))?;
    if !metadata.is_file() {
        return Err(StoreError::Irregular(path.to_owned()));
    }
    let is_root = rustix::process::geteuid().is_root();
    if let Some(error) = not_ours(path).filter(|_| !is_root) {
        return Err(error);
    }
    if metadata.mode() & 0o777 != OWNER_ONLY {
        file.set_permissions(Permissions::from_mode(OWNER_ONLY)).map_err(failed(path))?;
    }
    Ok(file)
}

/// That the file belongs to another user, if it does.
pub fn not_ours(path: &Path) -> Option<StoreError> {
    let owner = fs::symlink_metadata(path).ok()?.uid();
    let is_ours = owner == rustix::process::geteuid().as_raw();
    let owner = if owner == 0 { "root".to_owned() } else { format!("user {owner}") };
    (!is_ours).then(|| StoreError::NotOurs { path: path.to_owned(), owner })
}

/// Says which file an error of the system is about.
pub fn failed(path: &Path) -> impl FnOnce(io::Error) -> StoreError {
    |source| StoreError::File { path: path.to_owned(), source }
}
