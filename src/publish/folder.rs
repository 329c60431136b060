//! Writes the site as files, with the same bytes that are served. Writes only changed files, each atomically.
//!
//! Never follows a symbolic link and never writes outside the folder. Keeps a list of the files that it wrote. Removes
//! those that are no longer published, and never touches other files.

use std::collections::{BTreeSet, HashMap};
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::edition::{Edition, FEED_FORMATS, PageSet, path};
use super::editions::{Editions, SectionEditions};
use super::lists::{ALL_FEEDS, ListRequest};
use super::section::archive_path;
use super::shown_row::Changed;
use super::site::aliases;
use super::sitemap::sitemap_number;
use super::{PublishError, Publisher};
use crate::config::{Config, Section};
use crate::feed::SectionId;
use crate::files;
use crate::render::{self, Format, TAGS};
use crate::store::StoreError;
use crate::time::Timestamp;

/// The file with the list of files that newswire wrote, one path per line.
const LIST: &str = ".newswire-files";

/// The largest list: about ten million files.
const MAX_LIST_BYTES: u64 = 1 << 30;

/// Why newswire could not write the site to the folder.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// The system refused to read or write a file or folder.
    #[error("cannot write {path}: {}", reason(source))]
    File {
        /// The file or folder.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// A part of a file's path is a symbolic link.
    #[error("{0} is a symbolic link, which newswire does not follow; replace it by a real file or folder")]
    Link(PathBuf),
    /// The path of a file leads out of the folder.
    #[error("{0} was not written, because its path is outside the folder; please report this")]
    Outside(String),
}

/// Returns why a file cannot be written, in words.
fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotADirectory | io::ErrorKind::AlreadyExists => "not a folder".to_owned(),
        _ => files::reason(error),
    }
}

/// The result of writing the site to a folder, in files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Written {
    /// Files that were new or changed.
    pub written: usize,
    /// Files that already had the right content.
    pub unchanged: usize,
    /// Files that are no longer published.
    pub removed: usize,
}

/// What is known about the folder from the last pass, so that unchanged files can be skipped. This is lost when the
/// daemon stops.
#[derive(Debug, Default)]
pub(super) struct FolderMemory {
    folder: PathBuf,
    config: Option<Arc<Config>>,
    /// The written archive documents, by path, with the time of their last change.
    archives: HashMap<String, Timestamp>,
    /// The editions of the sections at the last pass.
    sections: Vec<Option<Arc<SectionEditions>>>,
    /// The editions that were written, by path.
    editions: HashMap<String, Arc<Edition>>,
    /// When the list of feeds was written.
    listed: Option<Instant>,
    /// When the sitemaps were written.
    mapped: Option<Instant>,
}

/// How often the list of feeds is written, unless a command requests the folder. It is not written at every change,
/// because every poll may change the state of a feed.
const LIST_INTERVAL: Duration = Duration::from_secs(60);

/// How often the sitemaps are written, unless a command requests the folder. They need all stories of the archive: three
/// seconds for a million.
const SITEMAP_INTERVAL: Duration = Duration::from_secs(3600);

/// How many bytes are collected before they are written, so that a site with a million stories does not use too much
/// memory.
const BATCH_BYTES: usize = 4 * 1024 * 1024;

impl FolderMemory {
    /// Returns the stories and listings of public sections that changed since the last pass.
    fn changed<'e>(&'e self, current: &'e Editions) -> Changed<'e> {
        let mut changed = Changed::default();
        for position in 0..self.sections.len().max(current.sections.len()) {
            let [before, now] = [&self.sections, &current.sections]
                .map(|all| all.get(position).and_then(Option::as_ref).filter(|section| section.is_public()));
            if !before.zip(now).is_some_and(|(before, now)| Arc::ptr_eq(before, now)) {
                let rows = |section: Option<&'e Arc<SectionEditions>>| section.map_or(&[][..], |section| &section.rows);
                changed.add(rows(before), rows(now));
            }
        }
        changed
    }
}

impl Publisher {
    /// Writes everything public into `folder`, and creates the folder if it is missing. Writes first the pages of all
    /// stories in public sections, then the archive documents, and last the editions and pages that link to them. The
    /// existing page of a story that is no longer shown is only updated when the config changes or the daemon restarts.
    ///
    /// # Errors
    ///
    /// Stops at the first page that cannot be rendered or file that cannot be written. Files written before that are
    /// complete.
    pub async fn write_folder(&self, config: &Arc<Config>, folder: &Path) -> Result<Written, PublishError> {
        let mut memory = self.folder.lock().await;
        // Forget what was written, because someone may have changed or removed a file. Then the editions, and the pages
        // of the stories that they show, are compared with the files.
        (memory.listed, memory.mapped) = (None, None);
        (memory.sections, memory.editions) = (Vec::new(), HashMap::new());
        self.write_changed(config, folder, &mut memory).await
    }

    /// Writes what changed since the last pass over `folder`. Unlike [`Publisher::write_folder`], does not compare
    /// files that should be unchanged, and writes the list of feeds at most once a minute.
    ///
    /// # Errors
    ///
    /// Fails in the same cases as [`Publisher::write_folder`].
    pub async fn update_folder(&self, config: &Arc<Config>, folder: &Path) -> Result<Written, PublishError> {
        self.write_changed(config, folder, &mut *self.folder.lock().await).await
    }

    async fn write_changed(
        &self,
        config: &Arc<Config>,
        folder: &Path,
        memory: &mut FolderMemory,
    ) -> Result<Written, PublishError> {
        let is_same = memory.folder == folder && memory.config.as_ref().is_some_and(|known| Arc::ptr_eq(known, config));
        if !is_same {
            *memory = FolderMemory { folder: folder.to_owned(), ..FolderMemory::default() };
        }
        let current = self.current();
        let mut files = FolderWriter::open(folder.to_owned()).await?;
        let changed = memory.changed(&current);
        for section in config.sections.iter().filter(|section| section.access.is_none()) {
            let id = section.id.clone();
            for slug in self.store.read(move |reader| reader.page_slugs(&id)).await? {
                let file = format!("story/{slug}/index.html");
                // If the config changed, the page may have to change too, for example because of `republish`.
                if is_same && !changed.slugs.contains(&*slug) && files.before.contains(&file) {
                    files.keep(file);
                } else if let Some(page) = self.story_page(config, &slug, None).await? {
                    files.put(file, page.identity).await?;
                }
            }
        }
        let unchanged = is_same.then_some(&changed.listings);
        self.write_listings(config, &current, unchanged, &mut files).await?;
        let archives = self.write_archives(config, &memory.archives, &mut files).await?;
        let listed = self.write_list_if_due(config, memory.listed, &mut files).await?;
        let mapped = self.write_sitemaps_if_due(config, memory.mapped, &mut files).await?;
        let editions = self.write_editions(config, &current, &memory.editions, &mut files).await?;
        for section in config.sections.iter().filter(|section| section.access.is_none()) {
            // A section without an edition keeps its files. It may be a new section whose rules have not been applied
            // yet to the stories.
            if current.edition(&format!("{}/", section.id)).is_none() {
                files.keep_section(&section.id);
            }
            self.write_aliases(config, &current, section, &mut files).await?;
            for old in &section.formerly {
                self.write_stubs(config, &current, old, section, &mut files).await?;
            }
        }
        let written = files.finish().await?;
        let (folder, config, sections) = (folder.to_owned(), Some(config.clone()), current.sections.clone());
        *memory = FolderMemory { folder, config, archives, sections, editions, listed, mapped };
        Ok(written)
    }

    /// Writes the archive documents that changed since `before`. Returns the time of each document's last change, by
    /// path.
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
                let path = render::older_path(&section.id, number);
                if before.get(&path) == Some(&changed) {
                    files.keep(file_name(&path));
                } else if let Some(page) = self.older_page(config, section, number, None).await? {
                    files.put(file_name(&path), page.identity).await?;
                }
                archives.insert(path, changed);
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

    /// Writes the editions, including OPML, except those that `before` has too. Returns all editions, by path.
    async fn write_editions(
        &self,
        config: &Arc<Config>,
        current: &Editions,
        before: &HashMap<String, Arc<Edition>>,
        files: &mut FolderWriter,
    ) -> Result<HashMap<String, Arc<Edition>>, PublishError> {
        let public = current.all().filter(|(_, edition)| edition.private.is_none());
        let mut editions: HashMap<_, _> = public.map(|(path, edition)| (path, edition.clone())).collect();
        editions.insert(ALL_FEEDS.to_owned(), self.opml(config, None, None).await?);
        for section in config.sections.iter().filter(|section| section.access.is_none()) {
            editions.insert(path(&section.id, Format::Opml), self.opml(config, Some(section), None).await?);
        }
        for (path, edition) in &editions {
            let file = file_name(path);
            let is_written = before.get(path).is_some_and(|written| Arc::ptr_eq(written, edition));
            if is_written && files.before.contains(&file) {
                files.keep(file);
            } else {
                files.put(file, edition.in_folder.as_ref().unwrap_or(&edition.identity).clone()).await?;
            }
        }
        Ok(editions)
    }

    /// Writes the pages and feeds of all sources and of the terms of facets. If `changed` is given, keeps the files of
    /// those that are not in it.
    async fn write_listings(
        &self,
        config: &Arc<Config>,
        current: &Editions,
        changed: Option<&BTreeSet<&str>>,
        files: &mut FolderWriter,
    ) -> Result<(), PublishError> {
        let terms: Vec<String> = config.site.facets.iter().map(|facet| format!("{TAGS}/{facet}/")).collect();
        let is_in_folder =
            |path: &str| path.starts_with("feeds/") || terms.iter().any(|facet| path.starts_with(&**facet));
        let listed = current.listed(is_in_folder);
        let public = config.sections.iter().filter(|section| section.is_public());
        let sources: BTreeSet<String> =
            public.flat_map(|section| section.feeds.iter()).map(|feed| format!("feeds/{feed}")).collect();
        let paths: BTreeSet<&str> = listed.keys().copied().chain(sources.iter().map(String::as_str)).collect();
        for path in paths {
            // The pages of the list of feeds have numbers.
            if super::list_number(&format!("{path}/")).is_some() {
                continue;
            }
            let page = file_name(&format!("{path}/"));
            let feeds = FEED_FORMATS.map(|format| format!("{path}.{}", format.extension()));
            let is_written = feeds.iter().chain([&page]).all(|file| files.before.contains(file));
            if is_written && changed.is_some_and(|changed| !changed.contains(path)) {
                feeds.into_iter().chain([page]).for_each(|file| files.keep(file));
            } else {
                let rows = listed.get(path).map(Vec::as_slice).unwrap_or_default();
                if let Some(documents) = self.listing(config, path, rows, None).await? {
                    files.put(page, documents.page.identity).await?;
                    for (file, document) in feeds.into_iter().zip(documents.feeds) {
                        files.put(file, document.identity).await?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Writes the sitemaps, unless `mapped` is less than [`SITEMAP_INTERVAL`] ago. Returns when they were written.
    async fn write_sitemaps_if_due(
        &self,
        config: &Arc<Config>,
        mapped: Option<Instant>,
        files: &mut FolderWriter,
    ) -> Result<Option<Instant>, PublishError> {
        if mapped.is_some_and(|mapped| mapped.elapsed() < SITEMAP_INTERVAL) {
            files.keep_sitemaps();
            return Ok(mapped);
        }
        for (path, sitemap) in self.sitemaps(config).await? {
            files.put(path, sitemap.identity).await?;
        }
        Ok(Some(Instant::now()))
    }

    /// Writes the list of feeds, unless `listed` is less than [`LIST_INTERVAL`] ago. Returns when it was written.
    async fn write_list_if_due(
        &self,
        config: &Arc<Config>,
        listed: Option<Instant>,
        files: &mut FolderWriter,
    ) -> Result<Option<Instant>, PublishError> {
        if listed.is_some_and(|listed| listed.elapsed() < LIST_INTERVAL) {
            files.keep_list();
            return Ok(listed);
        }
        self.write_list(config, files).await?;
        Ok(Some(Instant::now()))
    }

    /// Writes the pages of the list of feeds.
    async fn write_list(&self, config: &Arc<Config>, files: &mut FolderWriter) -> Result<(), PublishError> {
        let states: Arc<[_]> = self.feed_states(config, None).await?.into();
        let PageSet { served, for_folder } = self.pages(config);
        let pages = for_folder.unwrap_or(served);
        for number in 1.. {
            let request = ListRequest { number, state: None, section: None };
            let Some(page) = self.list_page(config, states.clone(), &request, pages.clone(), None).await? else {
                break;
            };
            files.put(file_name(&render::feed_list_path(number)), page.identity).await?;
        }
        Ok(())
    }

    /// Writes the documents of a section again at their aliases. An alias of a document that does not exist yet keeps its file.
    async fn write_aliases(
        &self,
        config: &Arc<Config>,
        current: &Editions,
        section: &Arc<Section>,
        files: &mut FolderWriter,
    ) -> Result<(), PublishError> {
        for (alias, document) in aliases(section) {
            let file = file_name(&alias);
            let edition = if document == path(&section.id, Format::Opml) {
                Some(self.opml(config, Some(section), None).await?)
            } else {
                current.edition(&document).cloned()
            };
            match edition {
                Some(edition) => files.put(file, edition.identity.clone()).await?,
                None if files.before.contains(&file) => files.keep(file),
                None => {}
            }
        }
        Ok(())
    }

    /// Writes the files under the old id of a renamed section: a page that redirects, and the section's feeds.
    async fn write_stubs(
        &self,
        config: &Arc<Config>,
        current: &Editions,
        old: &SectionId,
        section: &Arc<Section>,
        files: &mut FolderWriter,
    ) -> Result<(), PublishError> {
        for format in FEED_FORMATS {
            if let Some(edition) = current.edition(&path(&section.id, format)) {
                files.put(path(old, format), edition.identity.clone()).await?;
            }
        }
        let selected = current.section(&section.id).map(|known| known.selected.clone()).unwrap_or_default();
        for (new, edition) in selected {
            let file = file_name(&format!("{old}{}", &new[section.id.as_str().len()..]));
            let body =
                if edition.is_feed { edition.identity.clone() } else { render::moved(&config.site, &new).into() };
            files.put(file, body).await?;
        }
        let opml = self.opml(config, Some(section), None).await?;
        files.put(path(old, Format::Opml), opml.identity.clone()).await?;
        let page = render::moved(&config.site, &format!("{}/", section.id));
        files.put(format!("{old}/index.html"), page.into()).await
    }
}

/// One pass over the folder. It writes `files`, and removes the other files that newswire wrote earlier.
struct FolderWriter {
    folder: PathBuf,
    /// The files that newswire wrote in earlier passes.
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

    /// Keeps the editions and the pages of a section as they are.
    fn keep_section(&mut self, section: &SectionId) {
        let editions = Format::ALL.map(|format| path(section, format)).into_iter();
        let files = editions.filter(|file| self.before.contains(file));
        let inside = format!("{section}/");
        let inside = self.before.iter().filter(|file| file.starts_with(&inside)).cloned();
        let files: Vec<String> = files.chain(inside).collect();
        files.into_iter().for_each(|file| self.keep(file));
    }

    /// Keeps a file unchanged.
    fn keep(&mut self, file: String) {
        self.files.insert(file);
    }

    /// Keeps the sitemaps unchanged.
    fn keep_sitemaps(&mut self) {
        self.files.extend(self.before.iter().filter(|file| sitemap_number(file).is_some()).cloned());
    }

    /// Keeps the pages of the list of feeds unchanged.
    fn keep_list(&mut self) {
        let is_list =
            |file: &&String| file.strip_suffix("index.html").is_some_and(|path| super::list_number(path).is_some());
        self.files.extend(self.before.iter().filter(is_list).cloned());
    }

    /// Writes a file, now or in a later batch.
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

    /// Writes the last batch and the list of files, and removes files that are no longer published.
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

/// Runs disk work on the blocking pool.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, FolderError> + Send + 'static,
) -> Result<T, PublishError> {
    Ok(tokio::task::spawn_blocking(work).await.map_err(StoreError::from)??)
}

/// Returns the file for a path. Paths that end in a slash get `index.html`, as web servers expect.
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

/// Reads a regular file that is not a symbolic link. Never opens a pipe or device, which could block forever.
fn read_own(path: &Path, max_bytes: u64) -> io::Result<Vec<u8>> {
    if std::fs::symlink_metadata(path)?.is_symlink() {
        return Err(io::Error::other("is a symbolic link"));
    }
    files::read_regular(path, max_bytes)
}

/// Returns the full path of a file, after checking that no part of the path is a symbolic link or leaves the folder.
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

/// Removes a file, and its folder if that is empty. Returns whether the file existed.
fn remove_file(folder: &Path, file: &str) -> Result<bool, FolderError> {
    let path = inside(folder, file)?;
    let was_there = std::fs::remove_file(&path).is_ok();
    // Removing the folder fails if it has other files. Then it stays.
    let _ = path.parent().filter(|parent| *parent != folder).map(std::fs::remove_dir);
    Ok(was_there)
}

/// Writes a file if its content differs. Returns whether it was written.
fn write_file(folder: &Path, file: &str, body: &[u8]) -> Result<bool, FolderError> {
    let path = inside(folder, file)?;
    // If the existing file is larger, or is not a regular file, replace it without reading it; the rename does not open
    // it.
    if read_own(&path, body.len() as u64).is_ok_and(|before| before == body) {
        return Ok(false);
    }
    let failed = |source| FolderError::File { path: path.clone(), source };
    let parent = path.parent().unwrap_or(folder);
    std::fs::create_dir_all(parent).map_err(failed)?;
    files::write_whole(&path, body).map_err(failed)?;
    Ok(true)
}
