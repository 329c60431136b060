//! The site as files: the same bytes as are served, each written beside its place and renamed into it, only if it changed.
//!
//! Never follows a symbolic link and never writes outside its folder. What it wrote once and is published no more it
//! removes; files of others it leaves alone, for it keeps a list of its own.

use std::collections::{BTreeSet, HashMap};
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::edition::Editions;
use super::section::{FEED_FORMATS, archive_path, path};
use super::{PublishError, Publisher};
use crate::config::Config;
use crate::feed::SectionId;
use crate::files;
use crate::render::{self, Format};
use crate::store::StoreError;
use crate::time::Timestamp;

/// The list of what newswire wrote into the folder, one path a line.
const LIST: &str = ".newswire-files";

/// A list of ten million files.
const MAX_LIST_BYTES: u64 = 1 << 30;

/// What can go wrong with the folder.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    #[error("cannot write {path}: {}", reason(source))]
    File { path: PathBuf, source: io::Error },
    #[error("{0} is a symbolic link; newswire writes only into folders of its own")]
    Link(PathBuf),
    #[error("{0} does not stay inside the folder")]
    Outside(String),
}

/// Why a file cannot be written, in words.
fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotADirectory | io::ErrorKind::AlreadyExists => "not a folder".to_owned(),
        _ => files::reason(error),
    }
}

/// How many files were written, left as they were, and removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
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

/// How much is gathered before it is written: a site of a million stories is not held in memory.
const BATCH_BYTES: usize = 4 * 1024 * 1024;

impl Publisher {
    /// Writes all that is public below `folder`, which is made if need be: the pages of all stories that public sections
    /// hold, archive documents, and last the editions and pages that lead to them. Of stories that are not shown any more, a
    /// page that is there already is left as it is until the config changes or the daemon starts again.
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
        let mut files = FolderWriter::open(folder.to_owned()).await?;
        let shown: BTreeSet<&String> = current.shown.values().flatten().collect();
        for section in config.sections.iter().filter(|section| section.access.is_none()) {
            let id = section.id.clone();
            for slug in self.store.read(move |reader| reader.page_slugs(&id)).await? {
                let file = format!("story/{slug}/index.html");
                // What rights allow may be another thing under another config.
                if is_same && !shown.contains(&slug) && files.before.contains(&file) {
                    files.keep(file);
                } else if let Some(page) = self.story_page(config, &slug, None).await? {
                    files.put(file, page.identity).await?;
                }
            }
        }
        let archives = self.write_archives(config, &memory.archives, &mut files).await?;
        for (path, edition) in current.by_path.iter().filter(|(_, edition)| edition.private.is_none()) {
            let body = edition.in_folder.as_ref().unwrap_or(&edition.identity);
            files.put(file_name(path), body.clone()).await?;
        }
        for section in config.sections.iter().filter(|section| section.access.is_none()) {
            for old in &section.formerly {
                write_stubs(config, &current, old, &section.id, &mut files).await?;
            }
        }
        let written = files.finish().await?;
        (memory.config, memory.archives) = (Some(config.clone()), archives);
        Ok(written)
    }

    /// Returns when each archive document last changed.
    async fn write_archives(
        &self,
        config: &Arc<Config>,
        before: &HashMap<String, Timestamp>,
        files: &mut FolderWriter,
    ) -> Result<HashMap<String, Timestamp>, PublishError> {
        let mut archives = HashMap::new();
        for section in config.sections.iter().filter(|section| section.access.is_none()) {
            let id = section.id.clone();
            for (number, changed) in self.store.read(move |reader| reader.archives(&id)).await? {
                for format in FEED_FORMATS {
                    let path = archive_path(&section.id, number, format);
                    if before.get(&path) == Some(&changed) {
                        files.keep(path.clone());
                    } else if let Some(document) = self.archive(config, section, number, format, None).await? {
                        files.put(path.clone(), document.identity).await?;
                    }
                    archives.insert(path, changed);
                }
            }
        }
        Ok(archives)
    }
}

/// Writes what readers of a renamed section find under its old id: a page that leads on, and its feeds themselves.
async fn write_stubs(
    config: &Config,
    current: &Editions,
    old: &SectionId,
    id: &SectionId,
    files: &mut FolderWriter,
) -> Result<(), PublishError> {
    for format in Format::ALL {
        if let Some(edition) = current.by_path.get(&path(id, format)) {
            files.put(path(old, format), edition.identity.clone()).await?;
        }
    }
    let page = render::moved(&config.site, &format!("{id}/"));
    files.put(format!("{old}/index.html"), page.into()).await
}

/// A folder on its way to hold these files and, of ours, no others.
struct FolderWriter {
    folder: PathBuf,
    /// What newswire wrote there earlier.
    before: BTreeSet<String>,
    files: BTreeSet<String>,
    waiting: Vec<(String, Bytes)>,
    waiting_bytes: usize,
    written: usize,
}

impl FolderWriter {
    async fn open(folder: PathBuf) -> Result<FolderWriter, PublishError> {
        let of = folder.clone();
        let before = blocking(move || {
            std::fs::create_dir_all(&of).map_err(|source| FolderError::File { path: of.clone(), source })?;
            listed(&of)
        });
        let before = before.await?;
        let (files, waiting) = (BTreeSet::new(), Vec::new());
        Ok(FolderWriter { folder, before, files, waiting, waiting_bytes: 0, written: 0 })
    }

    /// Leaves a file as it is.
    fn keep(&mut self, file: String) {
        self.files.insert(file);
    }

    /// Writes a file, now or with others.
    async fn put(&mut self, file: String, body: Bytes) -> Result<(), PublishError> {
        if self.files.insert(file.clone()) {
            self.waiting_bytes += body.len();
            self.waiting.push((file, body));
        }
        if self.waiting_bytes >= BATCH_BYTES { self.flush().await } else { Ok(()) }
    }

    async fn flush(&mut self) -> Result<(), PublishError> {
        let (folder, waiting) = (self.folder.clone(), std::mem::take(&mut self.waiting));
        let writing = blocking(move || {
            let mut written = 0;
            for (file, body) in waiting {
                written += usize::from(write_file(&folder, &file, &body)?);
            }
            Ok(written)
        });
        self.written += writing.await?;
        self.waiting_bytes = 0;
        Ok(())
    }

    /// Writes what waits and the list, and removes what is published no more.
    async fn finish(mut self) -> Result<Written, PublishError> {
        self.flush().await?;
        let FolderWriter { folder, before, files, written, .. } = self;
        let finishing = blocking(move || {
            let mut removed = 0;
            for file in before.difference(&files) {
                removed += usize::from(remove_file(&folder, file)?);
            }
            let list = files.iter().map(|file| format!("{file}\n")).collect::<String>();
            write_file(&folder, LIST, list.as_bytes())?;
            Ok(Written { written, unchanged: files.len() - written, removed })
        });
        finishing.await
    }
}

/// Does on a thread of its own what waits for the disk.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, FolderError> + Send + 'static,
) -> Result<T, PublishError> {
    Ok(tokio::task::spawn_blocking(work).await.map_err(StoreError::from)??)
}

/// `international/` is `international/index.html`, as web servers have it.
fn file_name(path: &str) -> String {
    if path.is_empty() || path.ends_with('/') { format!("{path}index.html") } else { path.to_owned() }
}

fn listed(folder: &Path) -> Result<BTreeSet<String>, FolderError> {
    let path = folder.join(LIST);
    match read_own(&path, MAX_LIST_BYTES).and_then(|list| String::from_utf8(list).map_err(io::Error::other)) {
        Ok(list) => Ok(list.lines().map(str::to_owned).collect()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(BTreeSet::new()),
        Err(source) => Err(FolderError::File { path, source }),
    }
}

/// Reads a regular file that is no link. Never opens a pipe or a device, which could block for ever.
fn read_own(path: &Path, max_bytes: u64) -> io::Result<Vec<u8>> {
    if std::fs::symlink_metadata(path)?.is_symlink() {
        return Err(io::Error::other("it is a symbolic link"));
    }
    files::read_regular(path, max_bytes)
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

/// Returns whether the file was there.
fn remove_file(folder: &Path, file: &str) -> Result<bool, FolderError> {
    let path = inside(folder, file)?;
    let was_there = std::fs::remove_file(&path).is_ok();
    // A folder that others use too stays.
    let _ = path.parent().filter(|parent| *parent != folder).map(std::fs::remove_dir);
    Ok(was_there)
}

/// Returns whether the file had to be written.
fn write_file(folder: &Path, file: &str, body: &[u8]) -> Result<bool, FolderError> {
    let path = inside(folder, file)?;
    // What is larger, or no file at all, is replaced: a rename does not open it.
    if read_own(&path, body.len() as u64).is_ok_and(|before| before == body) {
        return Ok(false);
    }
    let failed = |source| FolderError::File { path: path.clone(), source };
    let parent = path.parent().unwrap_or(folder);
    std::fs::create_dir_all(parent).map_err(failed)?;
    files::write_whole(&path, body).map_err(failed)?;
    Ok(true)
}
