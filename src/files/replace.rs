//! One file of the config replaced by an edited text: whole or not at all, and never over somebody else's edit.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::short;
use super::whole::{READABLE, WholeFile};

/// Why a file was not replaced; it is as it was.
#[derive(Debug, thiserror::Error)]
pub enum ReplaceError {
    #[error("{} was edited meanwhile; nothing was written, run the command again", short(path).display())]
    Edited { path: PathBuf },
    #[error("{} is a symbolic link to {}; nothing was written, edit that file by hand", short(path).display(), target.display())]
    Link { path: PathBuf, target: PathBuf },
    #[error("{} is not a regular file; nothing was written, name a TOML file", short(path).display())]
    Irregular { path: PathBuf },
    #[error("{} is read-only; nothing was written, allow it with chmod u+w", short(path).display())]
    ReadOnly { path: PathBuf },
    #[error("{} cannot be written: {source}", short(path).display())]
    Io { path: PathBuf, source: io::Error },
}

/// Replaces the file's text, if it still is `before`, by `after`. Whoever reads it meanwhile sees the one or the other; its
/// permissions stay. A file that is not there is made, if `before` is empty.
///
/// # Errors
///
/// The file is as it was then.
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
    let edited = WholeFile::beside(path, after.as_bytes(), keep).map_err(failed)?;
    let is_as_it_was = match fs::read(path) {
        Ok(bytes) => bytes == before.as_bytes(),
        Err(_) => metadata.is_none(),
    };
    if !is_as_it_was {
        return Err(ReplaceError::Edited { path: path.to_owned() });
    }
    edited.put().map_err(failed)
}

/// Those of the file that is replaced; of a new one, as an editor would make it.
fn keep_rights(file: &fs::File, metadata: Option<&fs::Metadata>) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
    if let Some(metadata) = metadata {
        // Only root may give files away; for others the owner is themselves or stays out of reach.
        let _ = fchown(file, Some(metadata.uid()), Some(metadata.gid()));
    }
    file.set_permissions(metadata.map_or_else(|| fs::Permissions::from_mode(READABLE), fs::Metadata::permissions))
}
