//! Keeps the store's file and the files next to it private, and notices if the store is damaged or another file
//! replaces it.
//!
//! The policy for files: only the owner can read, write or lock the store, with any umask. newswire opens only regular
//! files. It does not write to a store that is damaged, or whose file was replaced while newswire was running.

use std::fs::{self, DirBuilder, File, Metadata, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use rusqlite::ErrorCode;
use rustix::fs::OFlags;

use super::sibling::sibling;
use super::{StoreError, holder, open_readonly};

/// The mode of every file that may contain entries of private feeds.
const OWNER_ONLY: u32 = 0o600;

/// Selects the tables that have pages in the file. A virtual table has none; it stores its data in `shadow` tables.
const REAL_TABLES: &str = "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type IN ('table', 'shadow')";

/// The file of an open store: which file it is, and whether damage was found in it.
pub(super) struct StoreFile {
    path: PathBuf,
    identity: Identity,
    damage: OnceLock<String>,
}

/// The device and inode of a file. They are the same under each of the file's names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Identity {
    /// The device number.
    pub device: u64,
    /// The inode number on the device.
    pub inode: u64,
}

impl Identity {
    /// Returns the identity of the file with this metadata.
    pub(super) fn of(metadata: &Metadata) -> Identity {
        Identity { device: metadata.dev(), inode: metadata.ino() }
    }
}

impl StoreFile {
    /// Records which file is at `path` now.
    ///
    /// # Errors
    ///
    /// Returns an error if no file is at `path`.
    pub(super) fn at(path: &Path) -> Result<StoreFile, StoreError> {
        let metadata = fs::metadata(path).map_err(failed(path))?;
        Ok(StoreFile { path: path.to_owned(), identity: Identity::of(&metadata), damage: OnceLock::new() })
    }

    /// Checks that the store may be written to, with one `stat` call.
    ///
    /// # Errors
    ///
    /// Returns [`StoreError::Damaged`] if damage was found earlier, and [`StoreError::Replaced`] if the store's path
    /// has another file or none.
    pub(super) fn writable(&self) -> Result<(), StoreError> {
        if let Some(found) = self.damage.get() {
            return Err(StoreError::Damaged { path: self.path.clone(), found: found.clone() });
        }
        self.in_place()
    }

    /// Checks that the store's path still has the file that was opened.
    ///
    /// # Errors
    ///
    /// Returns [`StoreError::Replaced`] if the path has another file or none.
    pub(super) fn in_place(&self) -> Result<(), StoreError> {
        match fs::metadata(&self.path) {
            Ok(metadata) if Identity::of(&metadata) == self.identity => Ok(()),
            Ok(_) => Err(StoreError::Replaced(self.path.clone())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(StoreError::Replaced(self.path.clone())),
            // The file system gives no answer at the moment. If that lasts, the write itself fails.
            Err(_) => Ok(()),
        }
    }

    /// Replaces an error of SQLite by its cause, as [`explain`] does. If the cause is damage, remembers it, so that
    /// nothing more is written.
    pub(super) fn explain(&self, error: StoreError) -> StoreError {
        let error = explain(&self.path, error);
        if let StoreError::Damaged { found, .. } = &error {
            // If a fault was found earlier, `set` changes nothing.
            let _ = self.damage.set(found.clone());
        }
        error
    }

    /// Returns whether damage was found.
    pub(super) fn is_damaged(&self) -> bool {
        self.damage.get().is_some()
    }
}

/// Replaces an error of SQLite by its cause: another program has locked the store at `path`, the store is damaged, or
/// it belongs to another user. Returns other errors unchanged.
pub(super) fn explain(path: &Path, error: StoreError) -> StoreError {
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

/// Checks the pages of every table and index of the store at `path`, and the links between these pages. Writes nothing,
/// not even pages from the write-ahead log.
///
/// Does not check each word of the full-text index, only the tables that contain the index. SQLite's check of the words
/// would read the whole index again at every start. That check would find wrong search results, but no further damage
/// to the file.
///
/// # Errors
///
/// Returns [`StoreError::Damaged`] with the first fault that was found, and the errors of SQLite.
pub(super) fn check(path: &Path) -> Result<(), StoreError> {
    let connection = open_readonly(path)?;
    let failed = |error: rusqlite::Error| explain(path, error.into());
    let mut tables = connection.prepare(REAL_TABLES).map_err(failed)?;
    let tables = tables.query_map((), |row| row.get(0)).map_err(failed)?;
    for table in tables.collect::<Result<Vec<String>, _>>().map_err(failed)? {
        let found = connection.query_row("SELECT quick_check FROM pragma_quick_check(?1)", [&table], |row| row.get(0));
        let found: String = found.map_err(failed)?;
        if found != "ok" {
            // SQLite writes a header line before some faults; this makes one line of both.
            return Err(StoreError::Damaged { path: path.to_owned(), found: found.replace('\n', ": ") });
        }
    }
    Ok(())
}

/// Creates the folder of the store, readable only by its owner. Does not change an existing folder.
///
/// # Errors
///
/// Returns the errors of the operating system.
pub(super) fn create_folder_of(path: &Path) -> Result<(), StoreError> {
    let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) else { return Ok(()) };
    DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed(folder))
}

/// Creates an empty store file that only the owner can read, before SQLite opens it. SQLite gives its write-ahead log
/// the mode of this file.
///
/// # Errors
///
/// Returns the errors of the operating system.
pub(super) fn create(path: &Path) -> Result<(), StoreError> {
    match OpenOptions::new().write(true).create_new(true).mode(OWNER_ONLY).open(path) {
        // The umask may have removed a permission of the owner too.
        Ok(file) => file.set_permissions(Permissions::from_mode(OWNER_ONLY)).map_err(failed(path)),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => require_regular(path),
        Err(error) => Err(failed(path)(error)),
    }
}

/// Removes the permissions of other users from the store and its log. A store that was copied by hand may have them.
///
/// # Errors
///
/// Returns an error if the files belong to another user.
pub(super) fn restrict(path: &Path) -> Result<(), StoreError> {
    for path in [path.to_owned(), sibling(path, "-wal"), sibling(path, "-shm"), sibling(path, "-journal")] {
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

/// Checks that `path` is a regular file, a link to one, or missing.
///
/// # Errors
///
/// Returns [`StoreError::Irregular`] if something else is there, and an error if a link cannot be followed.
pub(super) fn require_regular(path: &Path) -> Result<(), StoreError> {
    match fs::metadata(path) {
        Ok(metadata) if !metadata.is_file() => Err(StoreError::Irregular(path.to_owned())),
        Err(error) if fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_symlink()) => {
            Err(failed(path)(error))
        }
        _ => Ok(()),
    }
}

/// Returns `path` with symbolic links resolved, so that a store has one lock even if it has several names.
pub(super) fn resolved(path: &Path) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

/// Checks that a file, if it exists, has only one hard link. Otherwise SQLite would keep a separate log under each
/// name, and the logs would overwrite each other's changes (sqlite.org/howtocorrupt.html §2.3).
///
/// # Errors
///
/// Returns [`StoreError::ManyNames`] if the file has several hard links.
pub(super) fn require_one_name(path: &Path) -> Result<(), StoreError> {
    match fs::metadata(path) {
        Ok(metadata) if metadata.nlink() > 1 => {
            Err(StoreError::ManyNames { path: path.to_owned(), names: metadata.nlink() })
        }
        _ => Ok(()),
    }
}

/// Opens one of newswire's own private files next to the store, such as the lock; creates it if it is missing. Never
/// follows a symbolic link and never changes the file's content.
///
/// # Errors
///
/// Returns [`StoreError::Irregular`] for anything except a regular file, and [`StoreError::NotOurs`] if the file
/// belongs to another user and newswire does not run as root.
pub(super) fn open_private(path: &Path) -> Result<File, StoreError> {
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

/// Returns [`StoreError::NotOurs`] if the file belongs to another user; `None` otherwise, or if the file cannot be
/// examined.
pub(super) fn not_ours(path: &Path) -> Option<StoreError> {
    let owner = fs::symlink_metadata(path).ok()?.uid();
    let is_ours = owner == rustix::process::geteuid().as_raw();
    let owner = if owner == 0 { "root".to_owned() } else { format!("user {owner}") };
    (!is_ours).then(|| StoreError::NotOurs { path: path.to_owned(), owner })
}

/// Returns a function that adds `path` to an error of the operating system.
pub(super) fn failed(path: &Path) -> impl FnOnce(io::Error) -> StoreError {
    |source| StoreError::File { path: path.to_owned(), source }
}
