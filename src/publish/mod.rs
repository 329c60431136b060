//! Publishing: renders the changed sections into editions in memory, and writes the same bytes as files into a folder.
//!
//! The policy held here: an edition changes only when its content does; an edition that cannot be rendered, or cannot be read
//! back to the stories it was rendered from, does not replace the last good one; a failing feed never becomes an entry; private
//! sections are in no index, OPML, sitemap or folder.

mod coding;
mod dynamic;
mod edition;
mod folder;
pub mod hub;
mod lists;
mod queue;
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
use crate::shown::{self, InfoCache, Infos};
use crate::store::{Store, StoreError};
use crate::time::Timestamp;

use edition::{ArchiveSetting, PageSet, PrivatePages, Rendered};

pub use coding::Coding;
pub use edition::{Edition, Editions, HTML_TYPE, XML_TYPE};
use folder::FolderMemory;
pub use folder::{FolderError, Written};
use lists::Lists;
pub use lists::list_number;
use queue::RequestQueue;

/// How long readers and caches may keep an edition; goes into `Cache-Control`, `ttl` and `sy:*`.
pub const MAX_AGE: Duration = Duration::from_secs(15 * 60);

/// The path of the "page not found" page, where static hosts expect it.
pub const NOT_FOUND: &str = "404.html";

/// How many requested pages are rendered at the same time: each reads the store, which polls need too.
const MAKING: usize = 4;

/// How many searches run at the same time: each uses a processor for up to a second.
const SEARCHING: usize = 2;

/// How many lists of feeds are rendered at the same time: one may need tens of megabytes.
const LISTING: usize = 1;

/// How many requests may wait in each queue. Further requests are refused at once: they would wait longer than people do.
const WAITING: usize = 32;

/// Why something was not published.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// The store could not be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A document could not be rendered.
    #[error("cannot render {section}: {source}")]
    Render {
        /// The section, or what else was rendered: `index`, `search`, `story war-7`.
        section: String,
        /// The reason.
        source: RenderError,
    },
    /// A rendered document does not parse to the stories it was rendered from.
    #[error("{path} was not published: it does not parse to the stories it was rendered from; please report this")]
    Unfaithful {
        /// The path of the document.
        path: String,
    },
    /// The site could not be written to a folder.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// Too many requests are waiting; try again later.
    #[error("too many requests are waiting for the store")]
    Busy,
}

impl PublishError {
    /// Whether a request failed only because newswire is busy, so that it may succeed later.
    pub fn is_for_now(&self) -> bool {
        matches!(self, PublishError::Busy | PublishError::Store(StoreError::Interrupted))
    }
}

/// The result of a publication.
#[derive(Debug, Default)]
pub struct Published {
    /// The errors; the sections concerned keep their last good editions.
    pub errors: Vec<PublishError>,
    /// The public sections whose content changed for readers.
    pub changed: BTreeSet<SectionId>,
    /// The sections to publish again, because they have more to archive than one publication does.
    pub unfinished: BTreeSet<SectionId>,
}

/// Renders the editions of a store, and holds the newest ones for the server. Cheap to clone.
#[derive(Clone)]
pub struct Publisher {
    store: Store,
    pages: Arc<RwLock<PageSet>>,
    current: Arc<RwLock<Arc<Editions>>>,
    making: RequestQueue,
    searching: RequestQueue,
    listing: RequestQueue,
    lists: Arc<Lists>,
    folder: Arc<tokio::sync::Mutex<FolderMemory>>,
    /// What documents say about the feeds of the stories that were read lately.
    infos: InfoCache,
}

/// The rendered documents of a section.
struct RenderedSection {
    documents: Vec<Rendered>,
    /// The slugs of the stories that it shows.
    slugs: Vec<String>,
    archive_setting: ArchiveSetting,
    is_finished: bool,
}

impl Publisher {
    /// Creates a publisher. Pages link to the search if `pages` do, but never in a folder.
    pub fn new(store: Store, pages: Pages) -> Publisher {
        let making = RequestQueue::new(MAKING, WAITING);
        let searching = RequestQueue::new(SEARCHING, WAITING);
        let pages = Arc::new(RwLock::new(PageSet::new(pages)));
        let (current, folder, infos) = (Arc::default(), Arc::default(), InfoCache::default());
        let (listing, lists) = (RequestQueue::new(LISTING, WAITING), Arc::default());
        Publisher { store, pages, current, making, searching, listing, lists, folder, infos }
    }

    /// Returns how many requests are being worked on: pages, archive documents, searches and lists.
    pub fn busy(&self) -> usize {
        self.making.busy() + self.searching.busy() + self.listing.busy()
    }

    /// Returns what is published now. Never waits for rendering.
    pub fn current(&self) -> Arc<Editions> {
        self.current.read().expect("no code panics while it holds the lock").clone()
    }

    /// Replaces the templates for everything that is rendered from now on.
    pub fn set_pages(&self, pages: Pages) {
        *self.pages.write().expect("no code panics while it holds the lock") = PageSet::new(pages);
    }

    fn pages(&self) -> PageSet {
        self.pages.read().expect("no code panics while it holds the lock").clone()
    }

    /// Renders the editions of the given sections, and of the site as a whole; keeps the other sections' editions.
    ///
    /// A section that cannot be read or rendered keeps its last good editions; the returned errors include the reason.
    ///
    /// # Errors
    ///
    /// If the store cannot be read or written; nothing changes then.
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
                    if self.add(section, rendered, &before, &mut editions, now).await? && section.access.is_none() {
                        published.changed.insert(section.id.clone());
                    }
                }
                kept => {
                    published.errors.extend(kept.and_then(Result::err));
                    keep(section, &before, &mut editions);
                }
            }
        }
        match self.render_site(config, &editions).await {
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
        *self.current.write().expect("no code panics while it holds the lock") = Arc::new(editions);
        Ok(published)
    }

    /// Archives the stories that a section no longer shows, then renders the section.
    async fn render_section(
        &self,
        config: &Arc<Config>,
        section: &Arc<Section>,
        now: Timestamp,
    ) -> Result<RenderedSection, PublishError> {
        let (of_config, of_section, infos) = (config.clone(), section.clone(), self.infos.clone());
        let reading = self.store.read(move |reader| {
            let infos = Infos::sharing(reader, &infos);
            let content = shown::section_content(reader, &of_config, &of_section, &infos)?;
            let pushed_out = shown::pushed_out(reader, &of_config, &of_section, &content.stories, &infos)?;
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

    /// Adds a rendered section to the editions. Returns whether its stories changed.
    async fn add(
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

    async fn render_site(&self, config: &Arc<Config>, editions: &Editions) -> Result<Vec<Rendered>, PublishError> {
        let (of_config, infos) = (config.clone(), self.infos.clone());
        let content =
            self.store.read(move |reader| site::read(reader, &of_config, &Infos::sharing(reader, &infos))).await?;
        let (config, pages, shown) = (config.clone(), self.pages(), editions.shown.clone());
        let rendering = tokio::task::spawn_blocking(move || site::render(&config, &content, &shown, &pages));
        let rendered = rendering.await.map_err(StoreError::from)?;
        rendered.map_err(|source| PublishError::Render { section: "index".to_owned(), source })
    }

    /// Adds validators and codings to a document, or reuses the edition with the same bytes. Also returns whether these bytes
    /// were never published before, even by an earlier run of the daemon.
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
        Ok((path, Arc::new(rendered.coded(Some(changed))), changed == now))
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

/// Keeps the previous editions of a section.
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

/// Keeps the previous documents of the site as a whole.
fn keep_site(before: &Editions, editions: &mut Editions) {
    let of_sections: BTreeSet<String> = before.sections.keys().flat_map(section::paths).collect();
    let of_site = before.by_path.iter().filter(|(path, _)| !of_sections.contains(*path));
    editions.by_path.extend(of_site.map(|(path, edition)| (path.clone(), edition.clone())));
}

fn formerly(section: &Section) -> Vec<(String, SectionId)> {
    section.formerly.iter().map(|old| (old.to_string(), section.id.clone())).collect()
}
