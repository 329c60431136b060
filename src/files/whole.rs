//! Writes files atomically: writes a temporary file in the same folder, and then renames it.
//!
//! A reader sees the old or the new text, even after a power cut, because the text is synced to disk before the rename.
//! The caller chooses whether the rename is synced too. A folder of many pages does not need that, because a page whose
//! rename was lost is written again.

use std::fs::{File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

/// The mode of a new file. Everyone may read it, as with a file from a text editor.
pub(super) const READABLE: u32 = 0o644;

/// A text that is synced to disk under a temporary name. Dropping it removes the temporary file.
pub(super) struct WholeFile {
    temporary: NamedTempFile,
    path: PathBuf,
}

impl WholeFile {
    /// Writes a text to a temporary file next to `path`. `set_rights` sets the file's owner and mode before the rename.
    ///
    /// # Errors
    ///
    /// Fails if the folder or the file cannot be written. `path` has not changed then.
    pub(super) fn next_to(
        path: &Path,
        text: &[u8],
        set_rights: impl FnOnce(&File) -> io::Result<()>,
    ) -> io::Result<WholeFile> {
        // The temporary file is created with O_EXCL, so it replaces no file, and only its owner may read it.
        let mut temporary = tempfile::Builder::new().prefix(".newswire-new-").tempfile_in(folder_of(path))?;
        temporary.write_all(text)?;
        set_rights(temporary.as_file())?;
        temporary.as_file().sync_all()?;
        Ok(WholeFile { temporary, path: path.to_owned() })
    }

    /// Replaces the file at the path, and syncs the rename to disk.
    ///
    /// # Errors
    ///
    /// Fails if the rename fails. The path has not changed then.
    pub(super) fn put(self) -> io::Result<()> {
        let path = self.path.clone();
        self.rename()?;
        // Syncing the folder syncs the rename. Some file systems cannot do that, so a failure is ignored.
        let _ = File::open(folder_of(&path)).and_then(|folder| folder.sync_all());
        Ok(())
    }

    fn rename(self) -> io::Result<()> {
        self.temporary.persist(&self.path).map(drop).map_err(|error| error.error)
    }
}

/// Replaces or creates a file that everyone may read. After a power cut the file may have its old text, but never a
/// part of a text.
///
/// # Errors
///
/// Fails if the file cannot be written. The path has not changed then.
pub fn write_whole(path: &Path, text: &[u8]) -> io::Result<()> {
    WholeFile::next_to(path, text, |file| file.set_permissions(Permissions::from_mode(READABLE)))?.rename()
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn file_is_replaced_whole_with_rights_for_readers_and_nothing_stays_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("page.html");
        for text in ["first", "second, longer"] {
            write_whole(&path, text.as_bytes()).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, READABLE);
        }
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
    }

    #[test]
    fn file_without_its_new_name_leaves_the_former_text_and_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("page.html");
        write_whole(&path, b"first").unwrap();
        drop(WholeFile::next_to(&path, b"second", |_| Ok(())).unwrap());
        assert!(WholeFile::next_to(&path, b"third", |_| Err(io::Error::other("no rights"))).is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), "first");
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
    }
}
