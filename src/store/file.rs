//! The store's file and the files next to it: private from the first moment, and the same file as long as the store is
//! open.
//!
//! The policy for files: only the owner can read, write or lock the store, whatever the umask. newswire opens only
//! regular files. It does not write to a store that is damaged, or that another file has replaced while newswire runs.

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

/// The tables with pages of their own; virtual tables consist of some of these.
const REAL_TABLES: &str = "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type IN ('table', 'shadow')";

/// The file of an open store: its identity, and whether it may still be written to.
pub(super) struct StoreFile {
    path: PathBuf,
    identity: Identity,
    damage: OnceLock<String>,
}

/// The device and inode of a file: the same under each of its names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Identity {
    /// The device number.
    pub device: u64,
    /// The inode number on that device.
    pub inode: u64,
}

impl Identity {
    /// Returns the identity of the file with this metadata.
    pub(super) fn of(metadata: &Metadata) -> Identity {
        Identity { device: metadata.dev(), inode: metadata.ino() }
    }
}

impl StoreFile {
    /// Remembers which file is at `path` now.
    ///
    /// # Errors
    ///
    /// Returns an error if there is no file.
    pub(super) fn at(path: &Path) -> Result<StoreFile, StoreError> {
        let metadata = fs::metadata(path).map_err(failed(path))?;
        Ok(StoreFile { path: path.to_owned(), identity: Identity::of(&metadata), damage: OnceLock::new() })
    }

    /// Checks that the store may be written to. Costs one `stat`.
    ///
    /// # Errors
    ///
    /// Returns [`StoreError::Damaged`] once damage was found, and [`StoreError::Replaced`] if another file or none is
    /// at its path.
    pub(super) fn writable(&self) -> Result<(), StoreError> {
        if let Some(found) = self.damage.get() {
            return Err(StoreError::Damaged { path: self.path.clone(), found: found.clone() });
        }
        self.in_place()
    }

    /// Checks that the file is still the one at its path.
    ///
    /// # Errors
    ///
    /// Returns [`StoreError::Replaced`] if another file or none is there.
    pub(super) fn in_place(&self) -> Result<(), StoreError> {
        match fs::metadata(&self.path) {
            Ok(metadata) if Identity::of(&metadata) == self.identity => Ok(()),
            Ok(_) => Err(StoreError::Replaced(self.path.clone())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(StoreError::Replaced(self.path.clone())),
            // The file system does not answer now: if that matters, the write itself fails.
            Err(_) => Ok(()),
        }
    }

    /// Replaces an error by its cause, see [`explain`]. After damage, nothing is written any more.
    pub(super) fn explain(&self, error: StoreError) -> StoreError {
        let error = explain(&self.path, error);
        if let StoreError::Damaged { found, .. } = &error {
            // Only the first fault counts.
            let _ = self.damage.set(found.clone());
        }
        error
    }

    /// Returns whether damage was found.
    pub(super) fn is_damaged(&self) -> bool {
        self.damage.get().is_some()
    }
}

/// Replaces an error of SQLite by what happened to the store at `path`: another program has locked it, it is damaged,
/// or it belongs to another user.
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

/// Reads the pages of every table and index of the store at `path` and checks how they are linked. Writes nothing, not
/// even pages from the log.
///
/// Of the full-text index, only the tables that contain it are checked, not each word: SQLite's check of the words
/// would read the whole index again at every start, and would find wrong search results, not damage of the file.
///
/// # Errors
///
/// Returns [`StoreError::Damaged`] with the first fault found.
pub(super) fn check(path: &Path) -> Result<(), StoreError> {
    let connection = open_readonly(path)?;
    let failed = |error: rusqlite::Error| explain(path, error.into());
    let mut tables = connection.prepare(REAL_TABLES).map_err(failed)?;
    let tables = tables.query_map((), |row| row.get(0)).map_err(failed)?;
    for table in tables.collect::<Result<Vec<String>, _>>().map_err(failed)? {
        let found = connection.query_row("SELECT quick_check FROM pragma_quick_check(?1)", [&table], |row| row.get(0));
        let found: String = found.map_err(failed)?;
        if found != "ok" {
            // SQLite writes a header line before some faults.
            return Err(StoreError::Damaged { path: path.to_owned(), found: found.replace('\n', ": ") });
        }
    }
    Ok(())
}

/// Creates the folder of the store, readable only by its owner. An existing folder stays unchanged.
///
/// # Errors
///
/// Returns the errors of the system.
pub(super) fn create_folder_of(path: &Path) -> Result<(), StoreError> {
    let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) else { return Ok(()) };
    DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed(folder))
}

/// Creates an empty store file that only the owner can read, before SQLite opens it; SQLite gives its log the same
/// mode.
///
/// # Errors
///
/// Returns the errors of the system.
pub(super) fn create(path: &Path) -> Result<(), StoreError> {
    match OpenOptions::new().write(true).create_new(true).mode(OWNER_ONLY).open(path) {
        // The umask may remove too many bits.
        Ok(file) => file.set_permissions(Permissions::from_mode(OWNER_ONLY)).map_err(failed(path)),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => require_regular(path),
        Err(error) => Err(failed(path)(error)),
    }
}

/// Removes the permissions of other users from the store and its log; a copy made by hand may have them.
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

/// Rejects anything but a regular file or a link to one. A missing file is fine.
///
/// # Errors
///
/// Returns [`StoreError::Irregular`].
pub(super) fn require_regular(path: &Path) -> Result<(), StoreError> {
    match fs::metadata(path) {
        Ok(metadata) if !metadata.is_file() => Err(StoreError::Irregular(path.to_owned())),
        Err(error) if fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_symlink()) => {
            Err(failed(path)(error))
        }
        _ => Ok(()),
    }
}

/// Returns the path of the file itself if `path` is a symbolic link to it; each name would otherwise have its own lock.
pub(super) fn resolved(path: &Path) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

/// Rejects a file with several hard links: SQLite would keep a separate log under each name, and the logs would
/// overwrite each other's changes (sqlite.org/howtocorrupt.html 2.3). A missing file is fine.
///
/// # Errors
///
/// Returns [`StoreError::ManyNames`].
pub(super) fn require_one_name(path: &Path) -> Result<(), StoreError> {
    match fs::metadata(path) {
        Ok(metadata) if metadata.nlink() > 1 => {
            Err(StoreError::ManyNames { path: path.to_owned(), names: metadata.nlink() })
        }
        _ => Ok(()),
    }
}

/// Opens one of newswire's own private files next to the store, and creates it if needed. Never follows a link and
/// never changes the file's content.
///
/// # Errors
///
/// Returns [`StoreError::Irregular`] for a link, a pipe or anything else but a regular file, and
/// [`StoreError::NotOurs`] if the file belongs to another user.
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

/// Returns an error if the file belongs to another user.
pub(super) fn not_ours(path: &Path) -> Option<StoreError> {
    let owner = fs::symlink_metadata(path).ok()?.uid();
    let is_ours = owner == rustix::process::geteuid().as_raw();
    let owner = if owner == 0 { "root".to_owned() } else { format!("user {owner}") };
    (!is_ours).then(|| StoreError::NotOurs { path: path.to_owned(), owner })
}

/// Returns a function that adds the path to an error of the system.
pub(super) fn failed(path: &Path) -> impl FnOnce(io::Error) -> StoreError {
    |source| StoreError::File { path: path.to_owned(), source }
}
