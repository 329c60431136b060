//! The site as files: the same bytes as are served, each written beside its place and renamed into it, only if it changed.
//!
//! Never follows a symbolic link and never writes outside its folder. What it wrote once and is published no more it
//! removes; files of others it leaves alone, for it keeps a list of its own.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::Write;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;

use super::section::{FEED_FORMATS, archive_path};
use super::{PublishError, Publisher, dynamic};
use crate::config::Config;
use crate::store::StoreError;
use crate::time::Timestamp;

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

/// What of the folder need not be made again: it holds only as long as the daemon runs.
#[derive(Debug, Default)]
pub(super) struct FolderMemory {
    folder: PathBuf,
    config: Option<Arc<Config>>,
    /// The archive documents that were written, as of their last change.
    archives: HashMap<String, Timestamp>,
}

/// The files of a folder: what to write, `None` for those to be left as they are.
type Files = BTreeMap<String, Option<Bytes>>;

impl Publisher {
    /// Writes all that is public below `folder`, which is made if need be: editions, pages, archive documents, and the pages
    /// of stories that public sections show, or showed once and still hold.
    ///
    /// # Errors
    ///
    /// At the first page that cannot be made or file that cannot be written; those before it are whole.
    pub async fn write_folder(&self, config: &Arc<Config>, folder: &Path) -> Result<Written, PublishError> {
        let mut memory = self.folder.lock().await;
        let is_same = memory.folder == folder && memory.config.as_ref().is_some_and(|known| Arc::ptr_eq(known, config));
        if !is_same {
            *memory = FolderMemory { folder: folder.to_owned(), config: None, archives: HashMap::new() };
        }
        let current = self.current();
        let mut files = Files::new();
        for (path, edition) in current.by_path.iter().filter(|(_, edition)| edition.private.is_none()) {
            files.insert(file_name(path), Some(edition.identity.clone()));
        }
        self.add_story_pages(config, folder, is_same, &mut files).await?;
        let archives = self.add_archives(config, &memory.archives, &mut files).await?;
        let to = folder.to_owned();
        let writing = tokio::task::spawn_blocking(move || write_files(&to, &files));
        let written = writing.await.map_err(|_| StoreError::Closed)??;
        (memory.config, memory.archives) = (Some(config.clone()), archives);
        Ok(written)
    }

    async fn add_story_pages(
        &self,
        config: &Arc<Config>,
        folder: &Path,
        is_same: bool,
        files: &mut Files,
    ) -> Result<(), PublishError> {
        let shown: BTreeSet<String> = self.current().shown.values().flatten().cloned().collect();
        for slug in &shown {
            let page = self.story_page(config, slug).await?;
            files.extend(page.map(|page| (story_file(slug), Some(page.identity))));
        }
        let (of_config, folder) = (config.clone(), folder.to_owned());
        let written = tokio::task::spawn_blocking(move || listed(&folder));
        let written = written.await.map_err(|_| StoreError::Closed)??;
        let earlier = written.iter().filter_map(|file| story_slug(file)).filter(|slug| !shown.contains(*slug));
        let earlier: Vec<String> = earlier.map(str::to_owned).collect();
        let kept = self.store.read(move |reader| {
            let mut kept = Vec::new();
            for slug in earlier {
                if dynamic::is_public(reader, &of_config, &slug)? {
                    kept.push(slug);
                }
            }
            Ok(kept)
        });
        for slug in kept.await? {
            // What rights allow may be another thing under another config.
            let page = if is_same { None } else { self.story_page(config, &slug).await?.map(|page| page.identity) };
            files.insert(story_file(&slug), page);
        }
        Ok(())
    }

    /// Returns when each archive document last changed.
    async fn add_archives(
        &self,
        config: &Arc<Config>,
        before: &HashMap<String, Timestamp>,
        files: &mut Files,
    ) -> Result<HashMap<String, Timestamp>, PublishError> {
        let mut archives = HashMap::new();
        for section in config.sections.iter().filter(|section| section.access.is_none()) {
            let id = section.id.clone();
            for (number, changed) in self.store.read(move |reader| reader.archives(&id)).await? {
                for format in FEED_FORMATS {
                    let path = archive_path(&section.id, number, format);
                    let document = match before.get(&path) {
                        Some(written) if *written == changed => None,
                        _ => self.archive(config, section, number, format).await?.map(|document| document.identity),
                    };
                    files.insert(path.clone(), document);
                    archives.insert(path, changed);
                }
            }
        }
        Ok(archives)
    }
}

fn story_file(slug: &str) -> String {
    format!("story/{slug}/index.html")
}

/// The slug of a story whose page is in this file.
fn story_slug(file: &str) -> Option<&str> {
    file.strip_prefix("story/")?.strip_suffix("/index.html")
}

fn write_files(folder: &Path, files: &Files) -> Result<Written, FolderError> {
    std::fs::create_dir_all(folder).map_err(|source| FolderError::File { path: folder.to_owned(), source })?;
    let before = listed(folder)?;
    let mut written = Written::default();
    for (file, body) in files {
        let is_new = match body {
            Some(body) => write_file(folder, file, body)?,
            None => false,
        };
        if is_new {
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
