//! Publishing: which sections changed → their editions in memory, and the same bytes as files in a folder.
//!
//! The policy held here: an edition changes only when its content does; one that cannot be rendered, or from which a reader
//! would not read what it was written from, leaves the last good one in place; a failing feed never becomes an entry;
//! private sections are in no index, no OPML, no sitemap and no folder.

mod dynamic;
mod edition;
mod folder;
pub mod hub;
mod lane;
mod section;
mod site;

use std::collections::BTreeSet;
use std::sync::{Arc, RwLock};
use std::time::Duration;

use bytes::Bytes;

use crate::commit;
use crate::config::{Config, Section};
use crate::feed::SectionId;
use crate::render::{Format, Pages, RenderError};
use crate::shown;
use crate::store::{Store, StoreError};
use crate::time::Timestamp;

use edition::{ArchiveSetting, PageSet, PrivatePages, Rendered};

pub use edition::{Edition, Editions, HTML_TYPE, XML_TYPE};
use folder::FolderMemory;
pub use folder::{FolderError, Written};
use lane::Lane;

/// How long readers and caches may keep an edition; `Cache-Control`, `ttl` and `sy:*` say the same.
pub const MAX_AGE: Duration = Duration::from_secs(15 * 60);

/// Where static hosts look for what they show in place of a page that is not there.
pub const NOT_FOUND: &str = "404.html";

/// How many pages are made at once for those who ask: making one reads the store, which polls need too.
const MAKING: usize = 4;

/// How many searches run at once: one fills a processor for up to a second.
const SEARCHING: usize = 2;

/// How many requests wait for their turn in each lane. Those who come later are turned away at once: they would wait longer
/// than people do.
const WAITING: usize = 32;

/// What can go wrong in publishing.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("section {section} could not be rendered: {source}")]
    Render { section: String, source: RenderError },
    #[error("{path} does not read as what it was written from")]
    Unfaithful { path: String },
    #[error(transparent)]
    Folder(#[from] FolderError),
    #[error("too many requests wait for the store")]
    Busy,
}

impl PublishError {
    /// Whether a request came at a bad time and may succeed later, with nothing wrong in the store.
    pub fn is_for_now(&self) -> bool {
        matches!(self, PublishError::Busy | PublishError::Store(StoreError::Interrupted))
    }
}

/// What a publication came to.
#[derive(Debug, Default)]
pub struct Published {
    /// Why sections kept their last good editions.
    pub errors: Vec<PublishError>,
    /// The public sections of which readers get something else than before.
    pub changed: BTreeSet<SectionId>,
    /// The sections that have more to archive than one publication does: to be published again.
    pub unfinished: BTreeSet<SectionId>,
}

/// Makes editions of one store and keeps the newest for whoever serves them. Cheap to clone.
#[derive(Clone)]
pub struct Publisher {
    store: Store,
    pages: Arc<RwLock<PageSet>>,
    current: Arc<RwLock<Arc<Editions>>>,
    making: Lane,
    searching: Lane,
    folder: Arc<tokio::sync::Mutex<FolderMemory>>,
}

/// The documents of one section, and what has to be known beside them.
struct RenderedSection {
    documents: Vec<Rendered>,
    /// Of the stories that it shows.
    slugs: Vec<String>,
    archive_setting: ArchiveSetting,
    is_finished: bool,
}

impl Publisher {
    /// Creates a publisher. Pages link to the search if `pages` do, but never in a folder.
    pub fn new(store: Store, pages: Pages) -> Publisher {
        let making = Lane::new(MAKING, WAITING);
        let searching = Lane::new(SEARCHING, WAITING);
        let pages = Arc::new(RwLock::new(PageSet::new(pages)));
        Publisher { store, pages, current: Arc::default(), making, searching, folder: Arc::default() }
    }

    /// How many threads work for those who ask: on pages, archive documents and searches.
    pub fn busy(&self) -> usize {
        self.making.busy() + self.searching.busy()
    }

    /// What is published now. Never waits for rendering.
    pub fn current(&self) -> Arc<Editions> {
        self.current.read().expect("nobody panics while holding the lock").clone()
    }

    /// Takes other pages, for what is made from now on.
    pub fn set_pages(&self, pages: Pages) {
        *self.pages.write().expect("nobody panics while holding the lock") = PageSet::new(pages);
    }

    fn pages(&self) -> PageSet {
        self.pages.read().expect("nobody panics while holding the lock").clone()
    }

    /// Makes the editions of the given sections anew, and what names them all; keeps the others as they are.
    ///
    /// A section that cannot be read or rendered keeps its last good editions, and is among the returned errors.
    ///
    /// # Errors
    ///
    /// As of the store; then nothing changes.
    pub async fn publish(
        &self,
        config: &Arc<Config>,
        sections: &BTreeSet<SectionId>,
        now: Timestamp,
    ) -> Result<Published, StoreError> {
        let before = self.current();
        let mut published = Published::default();
        let mut editions = Editions {
            formerly: config.sections.iter().flat_map(|section| formerly(section)).collect(),
            gone: self.store.read(|reader| reader.gone_sections()).await?.iter().map(SectionId::to_string).collect(),
            sections: config.sections.iter().map(|section| (section.id.clone(), section.clone())).collect(),
            session_key: self.store.read(|reader| reader.key()).await?,
            ..Editions::default()
        };
        match private_pages(config, &self.pages().served) {
            Ok(pages) => editions.private_pages = pages,
            Err(source) => {
                published.errors.push(PublishError::Render { section: "private".to_owned(), source });
                editions.private_pages = before.private_pages.clone();
            }
        }
        for section in &config.sections {
            let is_kept = !sections.contains(&section.id) && before.sections.contains_key(&section.id);
            let rendered = if is_kept { None } else { Some(self.render_section(config, section, now).await) };
            match rendered {
                Some(Ok(rendered)) => {
                    if !rendered.is_finished {
                        published.unfinished.insert(section.id.clone());
                    }
                    if self.take(section, rendered, &before, &mut editions, now).await? && section.access.is_none() {
                        published.changed.insert(section.id.clone());
                    }
                }
                kept => {
                    published.errors.extend(kept.and_then(Result::err));
                    keep(section, &before, &mut editions);
                }
            }
        }
        match self.render_site(config, &editions, now).await {
            Ok(rendered) => {
                for rendered in rendered {
                    let (path, edition, _) = self.finish(rendered, &before, now).await?;
                    editions.by_path.insert(path, edition);
                }
            }
            Err(error) => {
                published.errors.push(error);
                keep_site(&before, &mut editions);
            }
        }
        *self.current.write().expect("nobody panics while holding the lock") = Arc::new(editions);
        Ok(published)
    }

    /// Renders what a section shows, once what it shows no more is in its archives.
    async fn render_section(
        &self,
        config: &Arc<Config>,
        section: &Arc<Section>,
        now: Timestamp,
    ) -> Result<RenderedSection, PublishError> {
        let (of_config, of_section) = (config.clone(), section.clone());
        let reading = self.store.read(move |reader| {
            let content = shown::section_content(reader, &of_config, &of_section)?;
            let pushed_out = shown::pushed_out(reader, &of_config, &of_section, &content.stories)?;
            Ok((content, pushed_out, reader.newest_archive(&of_section.id)?))
        });
        let (content, pushed_out, mut newest_archive) = reading.await?;
        let is_finished = pushed_out.is_all;
        if !pushed_out.is_empty() {
            newest_archive = commit::archive(&self.store, section.id.clone(), pushed_out, now).await?;
        }
        let archive_setting = self.archive_setting(config, section, &content.atom_id, now).await?;
        let (config, section, pages) = (config.clone(), section.clone(), self.pages());
        let rendering = tokio::task::spawn_blocking(move || {
            let documents = section::render(&config, &section, &content, newest_archive, &pages)?;
            let slugs = content.stories.into_iter().map(|story| story.slug).collect();
            Ok(RenderedSection { documents, slugs, archive_setting, is_finished })
        });
        rendering.await.map_err(StoreError::from)?
    }

    /// Takes a rendered section among the editions; returns whether its stories changed.
    async fn take(
        &self,
        section: &Section,
        rendered: RenderedSection,
        before: &Editions,
        editions: &mut Editions,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut has_changed = false;
        for document in rendered.documents {
            let (path, edition, is_new) = self.finish(document, before, now).await?;
            has_changed |= is_new && path == section::path(&section.id, Format::Atom);
            editions.by_path.insert(path, edition);
        }
        editions.archives.insert(section.id.clone(), rendered.archive_setting);
        if section.access.is_none() {
            editions.shown.insert(section.id.clone(), rendered.slugs);
        }
        Ok(has_changed)
    }

    async fn render_site(
        &self,
        config: &Arc<Config>,
        editions: &Editions,
        now: Timestamp,
    ) -> Result<Vec<Rendered>, PublishError> {
        let of_config = config.clone();
        let content = self.store.read(move |reader| site::read(reader, &of_config, now)).await?;
        let (config, pages, shown) = (config.clone(), self.pages(), editions.shown.clone());
        let rendering = tokio::task::spawn_blocking(move || site::render(&config, &content, &shown, &pages));
        let rendered = rendering.await.map_err(StoreError::from)?;
        rendered.map_err(|source| PublishError::Render { section: "index".to_owned(), source })
    }

    /// Gives a document its validators and codings, or the edition that has the same bytes already; says whether it was
    /// never published like this before, by an earlier run of the daemon neither.
    async fn finish(
        &self,
        rendered: Rendered,
        before: &Editions,
        now: Timestamp,
    ) -> Result<(String, Arc<Edition>, bool), StoreError> {
        let (path, hash) = (rendered.path.clone(), rendered.hash());
        let etag = edition::etag(&hash);
        if let Some(same) = before.by_path.get(&path).filter(|edition| edition.etag == etag) {
            let Rendered { private, links, in_folder, .. } = rendered;
            let same = Edition { private, links, in_folder, ..(**same).clone() };
            return Ok((path, Arc::new(same), false));
        }
        let changed = self.store.note_edition(path.clone(), hash, now).await?;
        let encoding = tokio::task::spawn_blocking(move || rendered.encode(Some(changed)));
        Ok((path, Arc::new(encoding.await.map_err(StoreError::from)?), changed == now))
    }
}

fn private_pages(config: &Config, pages: &Pages) -> Result<PrivatePages, RenderError> {
    let page = |asks_for_token, is_wrong| pages.private(&config.site, asks_for_token, is_wrong).map(Bytes::from);
    Ok(PrivatePages {
        asks_for_token: page(true, false)?,
        token_is_wrong: page(true, true)?,
        asks_for_password: page(false, false)?,
    })
}

/// Keeps a section's editions as they were.
fn keep(section: &Section, before: &Editions, editions: &mut Editions) {
    for path in section::paths(&section.id) {
        if let Some(edition) = before.by_path.get(&path) {
            let private = section.access.is_some().then(|| section.id.clone());
            editions.by_path.insert(path, Arc::new(Edition { private, ..(**edition).clone() }));
        }
    }
    let slugs = before.shown.get(&section.id).filter(|_| section.access.is_none());
    editions.shown.extend(slugs.map(|slugs| (section.id.clone(), slugs.clone())));
    editions.archives.extend(before.archives.get(&section.id).map(|setting| (section.id.clone(), setting.clone())));
}

/// Keeps what belongs to no one section as it was.
fn keep_site(before: &Editions, editions: &mut Editions) {
    let of_sections: BTreeSet<String> = before.sections.keys().flat_map(section::paths).collect();
    let of_site = before.by_path.iter().filter(|(path, _)| !of_sections.contains(*path));
    editions.by_path.extend(of_site.map(|(path, edition)| (path.clone(), edition.clone())));
}

fn formerly(section: &Section) -> Vec<(String, SectionId)> {
    section.formerly.iter().map(|old| (old.to_string(), section.id.clone())).collect()
}
