//! Backups of the store, made while the store is in use.
//!
//! The policy for backups: a backup is a new file or replaces an older backup. It never replaces the store, a file that
//! belongs to the store, or a file that newswire did not write. The backup is checked before it replaces a file, so
//! that a damaged store never replaces its last good backup. Only its owner can read a backup.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use rusqlite::backup::Progress;
use rustix::fs::OFlags;

use super::file::{self, Identity};
use super::sibling::sibling;
use super::{Reader, StoreError, hooks, schema};

/// The suffixes of files that SQLite reads together with a database.
const OF_SQLITE: [&str; 3] = ["-wal", "-shm", "-journal"];

/// The suffixes of the files that newswire itself creates next to a store.
const OF_NEWSWIRE: [&str; 2] = [".lock", ".sock"];

/// Why a file cannot become a backup. The file is unchanged.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The file is the store itself.
    #[error("{} is the store itself; name another file", .0.display())]
    Store(PathBuf),
    /// A store uses a file of this name for itself.
    #[error("{} has the name of a file that belongs to a store; name another file", .0.display())]
    Reserved(PathBuf),
    /// The path is a folder, a link or a device.
    #[error("{} is a {what}; name a new file or an older backup", path.display())]
    NoFile {
        /// The path.
        path: PathBuf,
        /// What is at the path, for people.
        what: &'static str,
    },
    /// newswire did not write the file.
    #[error("{} is not a backup that newswire wrote; name a new file or an older backup", .0.display())]
    Foreign(PathBuf),
    /// The file is a store in use: the file `sign` next to it shows that.
    #[error("{} is a store in use, or was not closed ({} exists); name another file", path.display(), sign.display())]
    InUse {
        /// The file.
        path: PathBuf,
        /// The file next to `path` that shows that the store is in use.
        sign: PathBuf,
    },
    /// Another program changed the file while the backup was made.
    #[error("another program changed {} meanwhile, so it was not replaced; run the command again", .0.display())]
    Changed(PathBuf),
    /// The backup could not be made.
    #[error(transparent)]
    Failed(#[from] StoreError),
}

impl Reader {
    /// Copies the store at `store`, which this reader has open, to `file`, while writers continue. First writes a
    /// temporary file; renames it to `file` when it is complete, checked and safe on disk.
    ///
    /// # Errors
    ///
    /// Returns an error if `file` exists and is not an older backup, or if the store cannot be copied. `file` is then
    /// unchanged.
    pub fn backup(&self, store: &Path, file: &Path) -> Result<(), BackupError> {
        let before = replaceable(store, file)?;
        let failed = |source| StoreError::File { path: file.to_owned(), source };
        let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        // `tempfile` creates the file with `O_EXCL` and makes it readable only by its owner.
        let temporary = tempfile::Builder::new().prefix(".newswire-backup-").tempfile_in(folder).map_err(failed)?;
        let copied = self.connection.backup("main", temporary.path(), None::<fn(Progress)>);
        copied.map_err(|error| file::explain(store, error.into()))?;
        finish(temporary.path()).map_err(|error| match error {
            StoreError::Damaged { found, .. } => StoreError::Damaged { path: store.to_owned(), found },
            error => error,
        })?;
        silence(temporary.path())?;
        temporary.as_file().sync_all().map_err(failed)?;
        if identity(file) != before {
            return Err(BackupError::Changed(file.to_owned()));
        }
        match before {
            Some(_) => temporary.persist(file).map_err(|error| failed(error.error))?,
            // If another program creates `file` at this moment, its file is not replaced.
            None => temporary.persist_noclobber(file).map_err(|error| failed(error.error))?,
        };
        // A sync of the folder makes the file's name safe on disk. Some file systems do not support it, so an error is
        // ignored.
        let _ = File::open(folder).and_then(|folder| folder.sync_all());
        Ok(())
    }
}

/// Makes the copy of a store silent; see [`hooks::silence`].
fn silence(copy: &Path) -> Result<(), StoreError> {
    hooks::silence(&Connection::open(copy)?)
}

/// Changes the copy of a store so that it needs no other files, such as a write-ahead log, and checks the copy.
pub(super) fn finish(copy: &Path) -> Result<(), StoreError> {
    let connection = Connection::open(copy)?;
    connection.pragma_update(None, "journal_mode", "delete")?;
    drop(connection);
    file::check(copy)
}

fn identity(file: &Path) -> Option<Identity> {
    fs::symlink_metadata(file).ok().map(|metadata| Identity::of(&metadata))
}

/// Checks that a backup of `store` may be written to `file`. Returns the identity of `file` if it exists.
fn replaceable(store: &Path, file: &Path) -> Result<Option<Identity>, BackupError> {
    let name = file.to_string_lossy();
    let is_of_store = OF_NEWSWIRE.iter().any(|suffix| is_same(file, &sibling(store, suffix)));
    if is_of_store || OF_SQLITE.iter().any(|suffix| name.ends_with(suffix)) {
        return Err(BackupError::Reserved(file.to_owned()));
    }
    let found = match fs::symlink_metadata(file) {
        Ok(found) => found,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(file::failed(file)(error).into()),
    };
    let store_metadata = fs::metadata(store).map_err(file::failed(store))?;
    // `file` may also be a link to the store.
    if fs::metadata(file).is_ok_and(|reached| Identity::of(&reached) == Identity::of(&store_metadata)) {
        return Err(BackupError::Store(file.to_owned()));
    }
    if !found.is_file() {
        return Err(BackupError::NoFile { path: file.to_owned(), what: kind(&found) });
    }
    if !is_backup(file).map_err(file::failed(file))? {
        return Err(BackupError::Foreign(file.to_owned()));
    }
    // A backup is a single file. If one of these files exists, `file` is a store in use, and SQLite would read its log
    // together with the new backup.
    let signs = OF_SQLITE.iter().chain(&OF_NEWSWIRE).map(|suffix| sibling(file, suffix));
    match signs.into_iter().find(|sign| fs::symlink_metadata(sign).is_ok()) {
        Some(sign) => Err(BackupError::InUse { path: file.to_owned(), sign }),
        None => Ok(Some(Identity::of(&found))),
    }
}

/// Returns whether two paths name the same place, even if no file exists there.
fn is_same(one: &Path, other: &Path) -> bool {
    let place = |path: &Path| {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        folder.canonicalize().ok().map(|folder| (folder, path.file_name().map(ToOwned::to_owned)))
    };
    place(one).is_some_and(|one| Some(one) == place(other))
}

fn kind(metadata: &fs::Metadata) -> &'static str {
    match metadata.file_type() {
        kind if kind.is_dir() => "folder",
        kind if kind.is_symlink() => "symbolic link",
        _ => "device, pipe or socket",
    }
}

/// Returns whether the file has the header of a database that newswire wrote.
fn is_backup(file: &Path) -> io::Result<bool> {
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
    let mut head = Vec::new();
    OpenOptions::new().read(true).custom_flags(flags).open(file)?.take(schema::HEAD_BYTES).read_to_end(&mut head)?;
    Ok(schema::is_head(&head))
}
