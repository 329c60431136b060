//! The files beside a store: its log, its lock.

use std::path::{Path, PathBuf};

/// The path of a file beside the store, as in `newswire.db.lock`.
pub fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}
