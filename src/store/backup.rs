//! Copies of the store, made while it is in use.
//!
//! The policy held here: a backup goes to a new file, or replaces an older backup; never the store or a file that belongs to
//! it, nor any file that newswire did not write. A copy is checked before it takes its place, so that a damaged store never
//! replaces its last good backup. Nobody but its owner can read it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use rusqlite::backup::Progress;
use rustix::fs::OFlags;

use super::beside::beside;
use super::file::{self, Identity};
use super::{Reader, StoreError, schema};

/// The endings of the names of files that SQLite reads beside a database.
const OF_SQLITE: [&str; 3] = ["-wal", "-shm", "-journal"];

/// The endings of the names of files that newswire has beside a store.
const OF_NEWSWIRE: [&str; 2] = [".lock", ".sock"];

/// Why a file cannot become a backup; it is as it was.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    #[error("{} is the store itself; name another file", .0.display())]
    Store(PathBuf),
    #[error("{} has the name of a file that belongs to a store; name another file", .0.display())]
    Reserved(PathBuf),
    #[error("{} is a {what}; name a new file or an older backup", path.display())]
    NoFile { path: PathBuf, what: &'static str },
    #[error("{} is not a backup that newswire wrote; name a new file or an older backup", .0.display())]
    Foreign(PathBuf),
    #[error("{} is a store in use, or was not closed (there is {}); name another file", path.display(), sign.display())]
    InUse { path: PathBuf, sign: PathBuf },
    #[error("{} was changed by another program meanwhile and stays as it is; run the command again", .0.display())]
    Changed(PathBuf),
    #[error(transparent)]
    Failed(#[from] StoreError),
}

impl Reader {
    /// Copies the store at `store`, which this reader has open, into `file`; writers go on meanwhile. The copy takes its place
    /// when it is whole, sound and safe on disk.
    ///
    /// # Errors
    ///
    /// If `file` is neither new nor an older backup, or the copy cannot be made; `file` is as it was.
    pub fn backup(&self, store: &Path, file: &Path) -> Result<(), BackupError> {
        let before = replaceable(store, file)?;
        let failed = |source| StoreError::File { path: file.to_owned(), source };
        let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        // Created with O_EXCL for the owner alone.
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
            // Should a file have come there in this moment, it stays.
            None => temporary.persist_noclobber(file).map_err(|error| failed(error.error))?,
        };
        // The name is safe on disk with its folder; some file systems cannot be asked for that.
        let _ = File::open(folder).and_then(|folder| folder.sync_all());
        Ok(())
    }
}

/// Makes the copy a file that is read without any other beside it, and checks it.
pub(super) fn finish(copy: &Path) -> Result<(), StoreError> {
    let connection = Connection::open(copy)?;
    connection.pragma_update(None, "journal_mode", "delete")?;
    drop(connection);
    file::check(copy)
}

fn identity(file: &Path) -> Option<Identity> {
    fs::symlink_metadata(file).ok().map(|metadata| Identity::of(&metadata))
}

/// Checks that a backup of `store` may go to `file`; returns which file it replaces, if there is one.
fn replaceable(store: &Path, file: &Path) -> Result<Option<Identity>, BackupError> {
    let name = file.to_string_lossy();
    let is_of_store = OF_NEWSWIRE.iter().any(|suffix| is_same(file, &beside(store, suffix)));
    if is_of_store || OF_SQLITE.iter().any(|suffix| name.ends_with(suffix)) {
        return Err(BackupError::Reserved(file.to_owned()));
    }
    let found = match fs::symlink_metadata(file) {
        Ok(found) => found,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(file::failed(file)(error).into()),
    };
    let store_metadata = fs::metadata(store).map_err(file::failed(store))?;
    // A link to the store reaches it too.
    if fs::metadata(file).is_ok_and(|reached| Identity::of(&reached) == Identity::of(&store_metadata)) {
        return Err(BackupError::Store(file.to_owned()));
    }
    if !found.is_file() {
        return Err(BackupError::NoFile { path: file.to_owned(), what: kind(&found) });
    }
    if !is_backup(file).map_err(file::failed(file))? {
        return Err(BackupError::Foreign(file.to_owned()));
    }
    // A backup lies alone; a store has these beside it, and they would be read together with the copy.
    let signs = OF_SQLITE.iter().chain(&OF_NEWSWIRE).map(|suffix| beside(file, suffix));
    match signs.into_iter().find(|sign| fs::symlink_metadata(sign).is_ok()) {
        Some(sign) => Err(BackupError::InUse { path: file.to_owned(), sign }),
        None => Ok(Some(Identity::of(&found))),
    }
}

/// Whether two paths name one place, existing or not.
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

/// Whether the file has the head of a database that newswire wrote.
fn is_backup(file: &Path) -> io::Result<bool> {
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
    let mut head = Vec::new();
    OpenOptions::new().read(true).custom_flags(flags).open(file)?.take(schema::HEAD_BYTES).read_to_end(&mut head)?;
    Ok(schema::is_head(&head))
}
