//! The site as files: the same bytes as are served, each written beside its place and renamed into it, only if it changed.
//!
//! Never follows a symbolic link and never writes outside its folder. What it wrote once and is published no more it
//! removes; files of others it leaves alone, for it keeps a list of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;

use super::{PublishError, Publisher};
use crate::config::Config;
use crate::store::StoreError;

/// The list of what newswire wrote into the folder, one path a line.
const LIST: &str = ".newswire-files";

/// What can go wrong with the folder.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    #[error("{path}: {source}")]
    File { path: PathBuf, source: std::io::Error },
    #[error("{0} is a symbolic link; newswire writes only into folders of its own")]
    Link(PathBuf),
    #[error("{0} does not stay inside the folder")]
    Outside(String),
}

/// How many files were written, left as they were, and removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    pub written: usize,
    pub unchanged: usize,
    pub removed: usize,
}

impl Publisher {
    /// Writes all that is public below `folder`, which is made if need be.
    ///
    /// # Errors
    ///
    /// At the first page that cannot be made or file that cannot be written; those before it are whole.
    pub async fn write_folder(&self, config: &Arc<Config>, folder: &Path) -> Result<Written, PublishError> {
        let current = self.current();
        let mut files: BTreeMap<String, Bytes> = BTreeMap::new();
        for (path, edition) in current.by_path.iter().filter(|(_, edition)| edition.private.is_none()) {
            files.insert(file_name(path), edition.identity.clone());
        }
        for slug in current.shown.values().flatten() {
            if let Some(page) = self.story_page(config, slug).await? {
                files.insert(format!("story/{slug}/index.html"), page.identity.clone());
            }
        }
        let folder = folder.to_owned();
        let writing = tokio::task::spawn_blocking(move || write_files(&folder, &files));
        Ok(writing.await.map_err(|_| StoreError::Closed)??)
    }
}

fn write_files(folder: &Path, files: &BTreeMap<String, Bytes>) -> Result<Written, FolderError> {
    std::fs::create_dir_all(folder).map_err(|source| FolderError::File { path: folder.to_owned(), source })?;
    let before = listed(folder)?;
    let mut written = Written::default();
    for (file, body) in files {
        if write_file(folder, file, body)? {
            written.written += 1;
        } else {
            written.unchanged += 1;
        }
    }
    for file in before.iter().filter(|file| !files.contains_key(*file)) {
        let path = inside(folder, file)?;
        if std::fs::remove_file(&path).is_ok() {
            written.removed += 1;
        }
        // A folder that others use too stays.
        let _ = path.parent().filter(|parent| *parent != folder).map(std::fs::remove_dir);
    }
    let list = files.keys().map(|file| format!("{file}\n")).collect::<String>();
    write_file(folder, LIST, list.as_bytes())?;
    Ok(written)
}

/// `international/` is `international/index.html`, as web servers have it.
fn file_name(path: &str) -> String {
    if path.is_empty() || path.ends_with('/') { format!("{path}index.html") } else { path.to_owned() }
}

fn listed(folder: &Path) -> Result<BTreeSet<String>, FolderError> {
    let path = folder.join(LIST);
    match std::fs::read_to_string(&path) {
        Ok(list) => Ok(list.lines().map(str::to_owned).collect()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(BTreeSet::new()),
        Err(source) => Err(FolderError::File { path, source }),
    }
}

/// The place of a file, every folder on the way to it checked.
fn inside(folder: &Path, file: &str) -> Result<PathBuf, FolderError> {
    let mut path = folder.to_owned();
    for component in Path::new(file).components() {
        let Component::Normal(name) = component else { return Err(FolderError::Outside(file.to_owned())) };
        path.push(name);
        if std::fs::symlink_metadata(&path).is_ok_and(|metadata| metadata.is_symlink()) {
            return Err(FolderError::Link(path));
        }
    }
    Ok(path)
}

/// Returns whether the file had to be written.
fn write_file(folder: &Path, file: &str, body: &[u8]) -> Result<bool, FolderError> {
    let path = inside(folder, file)?;
    if std::fs::read(&path).is_ok_and(|before| before == body) {
        return Ok(false);
    }
    let failed = |source| FolderError::File { path: path.clone(), source };
    let parent = path.parent().unwrap_or(folder);
    std::fs::create_dir_all(parent).map_err(failed)?;
    let mut temporary = tempfile::NamedTempFile::new_in(parent).map_err(failed)?;
    temporary.write_all(body).map_err(failed)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        temporary.as_file().set_permissions(std::fs::Permissions::from_mode(0o644)).map_err(failed)?;
    }
    temporary.as_file().sync_all().map_err(failed)?;
    temporary.persist(&path).map_err(|error| failed(error.error))?;
    Ok(true)
}
