//! One writing process a store: a lock file beside it that names its holder.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

use super::StoreError;

/// Held for as long as it lives; the operating system lets go of it whatever happens to the process.
pub struct Lock {
    _file: File,
}

/// Takes the lock of the store at `path`.
///
/// # Errors
///
/// [`StoreError::Held`] with the holder's own words, if another process has it.
pub fn acquire(path: &Path, holder: &str) -> Result<Lock, StoreError> {
    let lock_path = lock_path(path);
    let failed = |source| StoreError::File { path: lock_path.clone(), source };
    let options = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&lock_path);
    let mut file = options.map_err(failed)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut words = String::new();
            file.read_to_string(&mut words).map_err(failed)?;
            return Err(StoreError::Held(if words.is_empty() { "another process".to_owned() } else { words }));
        }
        Err(TryLockError::Error(source)) => return Err(failed(source)),
    }
    file.set_len(0).and_then(|()| file.rewind()).map_err(failed)?;
    write!(file, "{holder} (process {})", std::process::id()).map_err(failed)?;
    Ok(Lock { _file: file })
}

fn lock_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    PathBuf::from(name)
}
