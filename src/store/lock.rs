//! One writing process a store: a lock file beside it that names its holder.
//!
//! The file is the owner's alone: whoever can open a file can lock it, and would keep newswire from its store.

use std::fs::{File, Metadata, TryLockError};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::{MetadataExt, fchown};
use std::path::Path;

use super::beside::beside;
use super::file::{failed, open_private};
use super::{StoreError, holder};

/// The longest name of a holder that is read back.
const MAX_WORDS_BYTES: u64 = 200;

/// Held for as long as it lives; the operating system lets go of it whatever happens to the process.
pub struct Lock {
    _file: File,
}

/// Takes the lock of the store at `path`.
///
/// # Errors
///
/// [`StoreError::Held`] if another process has it, with what that process wrote of itself, else with its name and number.
/// Also if the lock file is no file of our own.
pub fn acquire(path: &Path, holder: &str) -> Result<Lock, StoreError> {
    let lock_path = beside(path, ".lock");
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

/// The words in the file are believed only as far as the system does not know better: another program may hold the lock.
fn who(metadata: &Metadata, words: &str) -> String {
    match holder::of_file(metadata) {
        Some(process) if !words.ends_with(&format!("(process {process})")) => holder::named(process),
        _ if words.is_empty() => "another process".to_owned(),
        _ => words.chars().filter(|c| !c.is_control()).collect(),
    }
}

/// A lock file that root leaves must not bar the user to whom the store belongs.
fn give_to_owner_of(path: &Path, lock: &File) {
    if let Ok(store) = path.metadata()
        && rustix::process::geteuid().is_root()
    {
        // If it fails, the owner gets a message that names the file.
        let _ = fchown(lock, Some(store.uid()), Some(store.gid()));
    }
}
