//! A file written whole or not at all: into a temporary file of the same folder, then renamed.
//!
//! A reader sees the former text or the new one, also after a power cut: the text is safe on disk before the file has its name.
//! Whether its name is, too, is the caller's choice: a folder of many pages is written again if names are lost.

use std::fs::{File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

/// Everybody may read it, as of a file that an editor makes.
pub(super) const READABLE: u32 = 0o644;

/// A text that is safe on disk, but not yet under its name. Dropping it removes it.
pub(super) struct WholeFile {
    temporary: NamedTempFile,
    path: PathBuf,
}

impl WholeFile {
    /// Writes a text beside `path`. `set_rights` gives the file its owner and mode before it has its name.
    ///
    /// # Errors
    ///
    /// If the folder or the file cannot be written; `path` is as it was.
    pub fn beside(path: &Path, text: &[u8], set_rights: impl FnOnce(&File) -> io::Result<()>) -> io::Result<WholeFile> {
        // Created with O_EXCL for the owner alone.
        let mut temporary = tempfile::Builder::new().prefix(".newswire-new-").tempfile_in(folder_of(path))?;
        temporary.write_all(text)?;
        set_rights(temporary.as_file())?;
        temporary.as_file().sync_all()?;
        Ok(WholeFile { temporary, path: path.to_owned() })
    }

    /// Replaces what is at the path, and makes sure that its name is safe on disk.
    ///
    /// # Errors
    ///
    /// If it cannot be renamed; the path is as it was.
    pub fn put(self) -> io::Result<()> {
        let path = self.path.clone();
        self.rename()?;
        // The name is safe on disk with its folder; some file systems cannot do that.
        let _ = File::open(folder_of(&path)).and_then(|folder| folder.sync_all());
        Ok(())
    }

    fn rename(self) -> io::Result<()> {
        self.temporary.persist(&self.path).map(drop).map_err(|error| error.error)
    }
}

/// Replaces the file, or creates it; everybody may read it. After a power cut it may have its former text, never a part of one.
///
/// # Errors
///
/// If it cannot be written; the path is as it was.
pub fn write_whole(path: &Path, text: &[u8]) -> io::Result<()> {
    WholeFile::beside(path, text, |file| file.set_permissions(Permissions::from_mode(READABLE)))?.rename()
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
        drop(WholeFile::beside(&path, b"second", |_| Ok(())).unwrap());
        assert!(WholeFile::beside(&path, b"third", |_| Err(io::Error::other("no rights"))).is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), "first");
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
    }
}
