//! A lock file next to the store, so that only one process writes to the store. The file contains the name of the
//! process that holds the lock.
//!
//! Only its owner can open the file. Anyone who could open it could lock it and so block newswire.

use std::fs::{File, Metadata, TryLockError};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::{MetadataExt, fchown};
use std::path::Path;

use super::file::{failed, open_private};
use super::sibling::sibling;
use super::{StoreError, holder};

/// The most bytes that are read from the lock file, which contains the holder's name.
const MAX_WORDS_BYTES: u64 = 200;

/// A lock that this process holds. Dropping the value releases the lock. If the process dies, the operating system
/// releases the lock.
pub(super) struct Lock {
    _file: File,
}

/// Locks the store at `path`, and writes `holder`, the name of this process, into the lock file.
///
/// # Errors
///
/// Returns [`StoreError::Held`] with the name of the holder if another process has the lock. Returns an error if the
/// lock file is not a regular file of our own, or cannot be written.
pub(super) fn acquire(path: &Path, holder: &str) -> Result<Lock, StoreError> {
    let lock_path = sibling(path, ".lock");
    let mut file = open_private(&lock_path)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let metadata = file.metadata().map_err(failed(&lock_path))?;
            let mut words = Vec::new();
            file.take(MAX_WORDS_BYTES).read_to_end(&mut words).map_err(failed(&lock_path))?;
            return Err(StoreError::Held(who(&metadata, &String::from_utf8_lossy(&words))));
        }
        Err(TryLockError::Error(source)) => return Err(failed(&lock_path)(source)),
    }
    give_to_owner_of(path, &file);
    file.set_len(0).and_then(|()| file.rewind()).map_err(failed(&lock_path))?;
    write!(file, "{holder} (process {})", std::process::id()).map_err(failed(&lock_path))?;
    Ok(Lock { _file: file })
}

/// Returns the name of the process that holds the lock. This is `words`, the content of the lock file, unless
/// `/proc/locks` shows another process.
fn who(metadata: &Metadata, words: &str) -> String {
    match holder::of_file(metadata) {
        Some(process) if !words.ends_with(&format!("(process {process})")) => holder::named(process),
        _ if words.is_empty() => "another process".to_owned(),
        _ => words.chars().filter(|c| !c.is_control()).collect(),
    }
}

/// Gives the lock file to the owner of the store if newswire runs as root. Otherwise the owner could not open it later.
fn give_to_owner_of(path: &Path, lock: &File) {
    if let Ok(store) = path.metadata()
        && rustix::process::geteuid().is_root()
    {
        // If this fails, the owner later gets an error message that names the lock file.
        let _ = fchown(lock, Some(store.uid()), Some(store.gid()));
    }
}
