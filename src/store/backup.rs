//! Copies of the store, made while it is in use.
//!
//! The policy for backups: a backup is written to a new file or replaces an older backup, but never replaces the store,
//! a file that belongs to it, or a file that newswire did not write. The copy is checked before it replaces anything,
//! so that a damaged store never replaces its last good backup. Only its owner can read it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use rusqlite::backup::Progress;
use rustix::fs::OFlags;

use super::file::{self, Identity};
use super::sibling::sibling;
use super::{Reader, StoreError, schema};

/// The suffixes of files that SQLite reads together with a database.
const OF_SQLITE: [&str; 3] = ["-wal", "-shm", "-journal"];

/// The suffixes of newswire's own files next to a store.
const OF_NEWSWIRE: [&str; 2] = [".lock", ".sock"];

/// Why a file cannot become a backup. The file is unchanged.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The file is the store itself.
    #[error("{} is the store itself; name another file", .0.display())]
    Store(PathBuf),
    /// The file's name is one that a store uses for its own files.
    #[error("{} has the name of a file that belongs to a store; name another file", .0.display())]
    Reserved(PathBuf),
    /// The path is a folder, a link or a device.
    #[error("{} is a {what}; name a new file or an older backup", path.display())]
    NoFile {
        /// The path.
        path: PathBuf,
        /// What is there, for people.
        what: &'static str,
    },
    /// newswire did not write the file.
    #[error("{} is not a backup that newswire wrote; name a new file or an older backup", .0.display())]
    Foreign(PathBuf),
    /// The file is a store in use, as the file `sign` shows.
    #[error("{} is a store in use, or was not closed ({} exists); name another file", path.display(), sign.display())]
    InUse {
        /// The file.
        path: PathBuf,
        /// The file next to it that shows this.
        sign: PathBuf,
    },
    /// The file was changed while the copy was made.
    #[error("another program changed {} meanwhile, so it was not replaced; run the command again", .0.display())]
    Changed(PathBuf),
    /// The copy failed.
    #[error(transparent)]
    Failed(#[from] StoreError),
}

impl Reader {
    /// Copies the store at `store`, which this reader has open, into `file`; writers continue meanwhile. Renames the
    /// copy to `file` when it is complete, checked and safe on disk.
    ///
    /// # Errors
    ///
    /// Returns an error if `file` exists and is not an older backup, or if the copy cannot be made; `file` is unchanged
    /// then.
    pub fn backup(&self, store: &Path, file: &Path) -> Result<(), BackupError> {
        let before = replaceable(store, file)?;
        let failed = |source| StoreError::File { path: file.to_owned(), source };
        let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        // Created with O_EXCL, readable only by the owner.
        let temporary = tempfile::Builder::new().prefix(".newswire-backup-").tempfile_in(folder).map_err(failed)?;
        let copied = self.connection.backup("main", temporary.path(), None::<fn(Progress)>);
        copied.map_err(|error| file::explain(store, error.into()))?;
        finish(temporary.path()).map_err(|error| match error {
            StoreError::Damaged { found, .. } => StoreError::Damaged { path: store.to_owned(), found },
            error => error,
        })?;
        temporary.as_file().sync_all().map_err(failed)?;
        if identity(file) != before {
            return Err(BackupError::Changed(file.to_owned()));
        }
        match before {
            Some(_) => temporary.persist(file).map_err(|error| failed(error.error))?,
            // If another program creates the file at this moment, it stays.
            None => temporary.persist_noclobber(file).map_err(|error| failed(error.error))?,
        };
        // The name is safe on disk once the folder is synced; some file systems do not support that.
        let _ = File::open(folder).and_then(|folder| folder.sync_all());
        Ok(())
    }
}

/// Makes the copy readable without further files, and checks it.
pub(super) fn finish(copy: &Path) -> Result<(), StoreError> {
    let connection = Connection::open(copy)?;
    connection.pragma_update(None, "journal_mode", "delete")?;
    drop(connection);
    file::check(copy)
}

fn identity(file: &Path) -> Option<Identity> {
    fs::symlink_metadata(file).ok().map(|metadata| Identity::of(&metadata))
}

/// Checks that a backup of `store` may be written to `file`; returns the identity of the file that it replaces, if any.
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
    // A link to the store would reach it too.
    if fs::metadata(file).is_ok_and(|reached| Identity::of(&reached) == Identity::of(&store_metadata)) {
        return Err(BackupError::Store(file.to_owned()));
    }
    if !found.is_file() {
        return Err(BackupError::NoFile { path: file.to_owned(), what: kind(&found) });
    }
    if !is_backup(file).map_err(file::failed(file))? {
        return Err(BackupError::Foreign(file.to_owned()));
    }
    // A backup is a single file. If one of these files exists, it would be read together with the copy.
    let signs = OF_SQLITE.iter().chain(&OF_NEWSWIRE).map(|suffix| sibling(file, suffix));
    match signs.into_iter().find(|sign| fs::symlink_metadata(sign).is_ok()) {
        Some(sign) => Err(BackupError::InUse { path: file.to_owned(), sign }),
        None => Ok(Some(Identity::of(&found))),
    }
}

/// Returns whether two paths name the same place, whether or not it exists.
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
