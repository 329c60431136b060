//! Makes a copy of the store before an upgrade, so that the user can go back to the older version of newswire.
//!
//! The policy for these copies: the copy is next to the store, as in `newswire.db.v3`. It is complete, checked and safe
//! on disk before the store is changed. It replaces no other file, and only its owner can read it. If the disk has too
//! little free space, nothing is changed.

use std::fs::File;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};

use super::backup::finish;
use super::file::{self, failed};
use super::sibling::sibling;
use super::{StoreError, UpgradeStep, open_readonly};

/// How many pages (16 MiB) are copied between two reports of progress.
const STEP_PAGES: std::ffi::c_int = 4096;

/// The most names that are tried for a copy. If files with all these names exist, the user gets an error, because so
/// many copies are probably a mistake.
const NAMES: u32 = 100;

/// Copies the store at `path`, and returns the path of the copy. `version` is the version of the store. The caller
/// holds the store's lock.
///
/// # Errors
///
/// Returns [`StoreError::NoRoom`] if the disk has too little free space for the copy and the upgrade, and the errors of
/// SQLite and the operating system. An error leaves no copy.
pub(super) fn make(path: &Path, version: usize, show: &mut dyn FnMut(UpgradeStep)) -> Result<PathBuf, StoreError> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let bytes = [path.to_owned(), sibling(path, "-wal")].into_iter().filter_map(|path| path.metadata().ok());
    let bytes: u64 = bytes.map(|metadata| metadata.len()).sum();
    // The upgrade rewrites less than half of a store, because it does not change entries and full-text indexes.
    require_room(path, folder, bytes + bytes / 2)?;
    // `tempfile` creates the file with `O_EXCL` and makes it readable only by its owner.
    let temporary = tempfile::Builder::new().prefix(".newswire-copy-").tempfile_in(folder).map_err(failed(folder))?;
    copy(path, temporary.path(), show)?;
    finish(temporary.path())?;
    temporary.as_file().sync_all().map_err(failed(temporary.path()))?;
    let copied = keep(temporary, path, version)?;
    // A sync of the folder makes the file's name safe on disk. Some file systems do not support it, so an error is
    // ignored.
    let _ = File::open(folder).and_then(|folder| folder.sync_all());
    Ok(copied)
}

fn require_room(path: &Path, folder: &Path, needed: u64) -> Result<(), StoreError> {
    // If the file system does not report its free space, try to copy anyway: with too little space, the copy fails.
    let Ok(free) = rustix::fs::statvfs(folder) else { return Ok(()) };
    let free = free.f_bavail.saturating_mul(free.f_frsize);
    if free < needed {
        return Err(StoreError::NoRoom { path: path.to_owned(), folder: folder.to_owned(), needed, free });
    }
    Ok(())
}

fn copy(path: &Path, to: &Path, show: &mut dyn FnMut(UpgradeStep)) -> Result<(), StoreError> {
    let explain = |error: rusqlite::Error| file::explain(path, error.into());
    let (from, mut to) = (open_readonly(path)?, Connection::open(to)?);
    let backup = Backup::new(&from, &mut to).map_err(explain)?;
    loop {
        let step = backup.step(STEP_PAGES).map_err(explain)?;
        let progress = backup.progress();
        let (all, left) = (progress.pagecount.unsigned_abs(), progress.remaining.unsigned_abs());
        show(UpgradeStep::Copying { done: u64::from(all - left.min(all)), total: u64::from(all) });
        match step {
            StepResult::Done => return Ok(()),
            StepResult::More => {}
            // Another newswire cannot write, because we hold the lock; so another program has locked the database.
            _ => return Err(StoreError::Locked("another program".to_owned())),
        }
    }
}

/// Renames the temporary copy to the first free name.
fn keep(mut copy: tempfile::NamedTempFile, path: &Path, version: usize) -> Result<PathBuf, StoreError> {
    let first = sibling(path, &format!(".v{version}"));
    let others = (2..=NAMES).map(|number| sibling(path, &format!(".v{version}-{number}")));
    for name in std::iter::once(first.clone()).chain(others) {
        match copy.persist_noclobber(&name) {
            Ok(_) => return Ok(name),
            Err(error) if error.error.kind() == std::io::ErrorKind::AlreadyExists => copy = error.file,
            Err(error) => return Err(failed(&name)(error.error)),
        }
    }
    Err(failed(&first)(std::io::ErrorKind::AlreadyExists.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn store_is_not_upgraded_without_room_for_its_copy() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("newswire.db");
        require_room(&path, folder.path(), 1).unwrap();
        let error = require_room(&path, folder.path(), u64::MAX).unwrap_err().to_string();
        assert!(error.contains("free some space"), "{error}");
    }
}
