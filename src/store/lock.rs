//! A lock file next to the store that names its holder: only one process writes to a store.
//!
//! Only the owner can open the file: anyone who can open it can lock it, and block newswire.

use std::fs::{File, Metadata, TryLockError};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::{MetadataExt, fchown};
use std::path::Path;

use super::file::{failed, open_private};
use super::sibling::sibling;
use super::{StoreError, holder};

/// The most bytes of a holder's name that are read.
const MAX_WORDS_BYTES: u64 = 200;

/// The held lock. Dropping it releases the lock; the operating system does so if the process dies.
pub(super) struct Lock {
    _file: File,
}

/// Takes the lock of the store at `path`.
///
/// # Errors
///
/// Returns [`StoreError::Held`] if another process has the lock, with what that process wrote about itself, otherwise
/// with its name and number. Returns an error if the lock file is not a private file of ours.
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

/// Returns the holder's own words only if the system does not contradict them: another program may hold the lock.
fn who(metadata: &Metadata, words: &str) -> String {
    match holder::of_file(metadata) {
        Some(process) if !words.ends_with(&format!("(process {process})")) => holder::named(process),
        _ if words.is_empty() => "another process".to_owned(),
        _ => words.chars().filter(|c| !c.is_control()).collect(),
    }
}

/// Gives the lock file to the owner of the store, if root created it; otherwise the owner could not open it.
fn give_to_owner_of(path: &Path, lock: &File) {
    if let Ok(store) = path.metadata()
        && rustix::process::geteuid().is_root()
    {
        // If this fails, the owner gets a message that names the file.
        let _ = fchown(lock, Some(store.uid()), Some(store.gid()));
    }
}
