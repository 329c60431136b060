//! Replaces a config file with an edited text. It does this atomically, and never overwrites another program's edit.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::short;
use super::whole::{READABLE, WholeFile};

/// Why a file was not replaced. The file has not changed.
#[derive(Debug, thiserror::Error)]
pub enum ReplaceError {
    /// Another program has changed the file since its text was read.
    #[error("{} was edited in the meantime, so nothing was written; run the command again", short(path).display())]
    Edited {
        /// The file.
        path: PathBuf,
    },
    /// The path is a symbolic link. Replacing it would detach it from its target.
    #[error("{} is a symbolic link to {}, so nothing was written; edit that file by hand", short(path).display(), target.display())]
    Link {
        /// The link.
        path: PathBuf,
        /// The target, as written in the link.
        target: PathBuf,
    },
    /// The path is a folder, pipe or device.
    #[error("{} is not a regular file, so nothing was written; give a TOML file", short(path).display())]
    Irregular {
        /// The path.
        path: PathBuf,
    },
    /// The file is read-only.
    #[error("{} is read-only, so nothing was written; make it writable with chmod u+w", short(path).display())]
    ReadOnly {
        /// The file.
        path: PathBuf,
    },
    /// The system refused to read or write.
    #[error("cannot write {}: {source}", short(path).display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
}

/// Replaces the file's text with `after` if it is still `before`. Other programs see either the old or the new text.
/// The permissions stay the same. If `before` is empty, a missing file is created.
///
/// # Errors
///
/// Fails if the file was edited, is not a writable regular file, or cannot be written. The file has not changed then.
pub fn replace(path: &Path, before: &str, after: &str) -> Result<(), ReplaceError> {
    let failed = |source| ReplaceError::Io { path: path.to_owned(), source };
    let metadata = match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_symlink() => {
            let target = fs::read_link(path).map_err(failed)?;
            return Err(ReplaceError::Link { path: path.to_owned(), target });
        }
        Ok(metadata) if !metadata.is_file() => return Err(ReplaceError::Irregular { path: path.to_owned() }),
        Ok(metadata) if metadata.permissions().readonly() => {
            return Err(ReplaceError::ReadOnly { path: path.to_owned() });
        }
        Ok(metadata) => Some(metadata),
        Err(error) if error.kind() == io::ErrorKind::NotFound && before.is_empty() => None,
        Err(error) => return Err(failed(error)),
    };
    let keep = |file: &fs::File| keep_rights(file, metadata.as_ref());
    let edited = WholeFile::next_to(path, after.as_bytes(), keep).map_err(failed)?;
    let is_unchanged = match fs::read(path) {
        Ok(bytes) => bytes == before.as_bytes(),
        Err(_) => metadata.is_none(),
    };
    if !is_unchanged {
        return Err(ReplaceError::Edited { path: path.to_owned() });
    }
    edited.put().map_err(failed)
}

/// Gives the new file the owner and mode of the old one. If there is no old file, sets the default mode.
fn keep_rights(file: &fs::File, metadata: Option<&fs::Metadata>) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
    if let Some(metadata) = metadata {
        // Only root may change the owner. Other users usually own the file already, so a failure is ignored.
        let _ = fchown(file, Some(metadata.uid()), Some(metadata.gid()));
    }
    file.set_permissions(metadata.map_or_else(|| fs::Permissions::from_mode(READABLE), fs::Metadata::permissions))
}
