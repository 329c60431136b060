//! The paths of the files next to a store, such as the write-ahead log and the lock.

use std::path::{Path, PathBuf};

/// Returns the path of a file next to the store, as in `newswire.db.lock`.
pub(super) fn sibling(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}
