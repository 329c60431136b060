//! Publishing: renders the changed sections into editions in memory, and writes the same bytes as files into a folder.
//!
//! The policy:
//!
//! - An edition changes only when its content does.
//! - The last good edition stays if the new one cannot be rendered, or does not parse to the stories it was rendered
//!   from. It also stays while a changed definition of the section has not been applied yet to all stories that the
//!   section shows.
//! - A failing feed never becomes an entry.
//! - Private sections are in no index, OPML, sitemap or folder.

mod coding;
mod dynamic;
mod edition;
mod editions;
mod folder;
mod hub;
mod listings;
mod lists;
mod queue;
mod section;
mod selected;
mod shown_row;
mod site;
mod sitemap;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, OnceLock, RwLock};
use std::time::{Duration, Instant};

use url::Url;

use crate::config::{Config, Section};
use crate::feed::SectionId;
use crate::render::{Pages, RenderError};
use crate::shown::InfoCache;
use crate::store::{Store, StoreError};
use crate::time::Timestamp;

use edition::{PageSet, Rendered};

pub use coding::ContentCoding;
pub use edition::{Edition, HTML_TYPE, XML_TYPE};
use editions::SectionEditions;
pub use editions::{Editions, PrivatePages, SiteSetting};
use folder::FolderMemory;
pub use folder::{FolderError, Written};
pub use hub::HubTask;
use lists::Lists;
pub use lists::list_number;
use queue::RequestQueue;

/// How long readers and caches may keep an edition: the value of `Cache-Control`, of `ttl` in RSS, and of `sy:*`.
pub const MAX_AGE: Duration = Duration::from_secs(15 * 60);

/// The path of the "page not found" page, where static hosts expect it.
pub const NOT_FOUND: &str = "404.html";

/// The path of the page that is served instead of a section that was removed.
pub const GONE: &str = "410.html";

/// How many requested pages are rendered at the same time: each reads the store, which polls need too.
const MAKING: usize = 4;

/// How many searches run at the same time: each uses a processor for up to a second.
const SEARCHING: usize = 2;

/// How many lists of feeds are rendered at the same time: one may need tens of megabytes.
const LISTING: usize = 1;

/// How many requests may wait in each queue. Further requests are refused at once, because they would wait too long.
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
        /// The section, or another document: `index`, `search`, `story war-7`.
        section: String,
        /// The reason.
        source: RenderError,
    },
    /// A rendered document does not parse to the stories it was rendered from.
    #[error(
        "{path} was not published, because it does not parse to the stories it was rendered from; please report this"
    )]
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
    /// Returns whether a request failed only because newswire is busy. If so, it may succeed later.
    pub fn is_for_now(&self) -> bool {
        matches!(self, PublishError::Busy | PublishError::Store(StoreError::Interrupted))
    }
}

/// The result of a publication.
#[derive(Debug, Default)]
pub struct Published {
    /// The errors. The sections that they concern keep their last good editions.
    pub errors: Vec<PublishError>,
    /// The public sections whose content changed for readers.
    pub changed: BTreeSet<SectionId>,
    /// The sections to publish again. Either one publication could not archive everything, or a changed definition has
    /// not been applied yet to all stories that the section shows.
    pub unfinished: BTreeSet<SectionId>,
}

/// The templates, and the templates with the sections of a config in their bar.
struct KeptPages {
    pages: Pages,
    made_for: Option<(Arc<Config>, PageSet)>,
}

/// Renders the editions of a store, and holds the newest ones for the server. Cheap to clone.
#[derive(Clone)]
pub struct Publisher {
    store: Store,
    pages: Arc<RwLock<KeptPages>>,
    current: Arc<RwLock<Arc<Editions>>>,
    making: RequestQueue,
    searching: RequestQueue,
    listing: RequestQueue,
    lists: Arc<Lists>,
    folder: Arc<tokio::sync::Mutex<FolderMemory>>,
    /// What documents say about the feeds of recently read stories.
    infos: InfoCache,
}

impl Publisher {
    /// Creates a publisher. Served pages link to the search if `pages` do; pages in a folder never do.
    pub fn new(store: Store, pages: Pages) -> Publisher {
        let making = RequestQueue::new(MAKING, WAITING);
        let searching = RequestQueue::new(SEARCHING, WAITING);
        let pages = Arc::new(RwLock::new(KeptPages { pages, made_for: None }));
        let (current, folder, infos) = (Arc::default(), Arc::default(), InfoCache::default());
        let (listing, lists) = (RequestQueue::new(LISTING, WAITING), Arc::default());
        Publisher { store, pages, current, making, searching, listing, lists, folder, infos }
    }

    /// Returns how many requests are being processed: pages, archive documents, searches and lists.
    pub fn busy(&self) -> usize {
        self.making.busy() + self.searching.busy() + self.listing.busy()
    }

    /// Returns what is published now. Does not wait for a publication that is under way.
    pub fn current(&self) -> Arc<Editions> {
        self.current.read().expect("no code panics while it holds the lock").clone()
    }

    /// Returns the sections to publish at `now`, because a selection such as a ranking changes merely because time passes.
    pub fn aged(&self, now: Timestamp) -> BTreeSet<SectionId> {
        self.current().aged(now).collect()
    }

    /// Replaces the templates for everything that is rendered from now on.
    pub fn set_pages(&self, pages: Pages) {
        *self.pages.write().expect("no code panics while it holds the lock") = KeptPages { pages, made_for: None };
    }

    /// Returns the templates with the sections of the config in their bar.
    fn pages(&self, config: &Arc<Config>) -> PageSet {
        let mut kept = self.pages.write().expect("no code panics while it holds the lock");
        if let Some((_, set)) = kept.made_for.as_ref().filter(|(of, _)| Arc::ptr_eq(of, config)) {
            return set.clone();
        }
        let sections = config.sections.iter().map(|section| &**section);
        let set = PageSet::new(kept.pages.with_sections(&config.site, sections));
        kept.made_for = Some((config.clone(), set.clone()));
        set
    }

    /// Renders the editions of these sections, and the documents of the site that show their stories. Everything else
    /// stays.
    ///
    /// A section that cannot be read or rendered keeps its last good editions. The errors in the result include the
    /// reason.
    ///
    /// # Errors
    ///
    /// Fails if the store cannot be read or written. Then nothing changes.
    pub async fn publish(
        &self,
        config: &Arc<Config>,
        sections: &BTreeSet<SectionId>,
        now: Timestamp,
    ) -> Result<Published, StoreError> {
        let started = Instant::now();
        let before = self.current();
        let mut published = Published::default();
        let setting = self.setting(config, &before, now, &mut published.errors).await?;
        let is_new_setting = !Arc::ptr_eq(&setting, &before.setting);
        let (mut kept, mut positions) = (before.sections.clone(), BTreeSet::new());
        if is_new_setting {
            kept = config.sections.iter().map(|section| before.kept(section)).collect();
            let is_new = |section: &Section| !before.setting.sections.contains_key(&section.id);
            positions.extend((0..config.sections.len()).filter(|position| is_new(&config.sections[*position])));
        }
        positions.extend(sections.iter().filter_map(|id| setting.positions.get(id.as_str())));
        let index = before.index.clone();
        let mut editions = Editions { setting, sections: kept, index, made: Mutex::default(), tags: OnceLock::new() };
        let mut has_new_content = is_new_setting;
        for position in positions.iter().copied() {
            let section = &config.sections[position];
            let known = editions.sections[position].as_deref();
            match self.render_section(config, position, known.filter(|_| !is_new_setting), now).await {
                Ok(Some(rendered)) => {
                    let has_more = !rendered.is_finished;
                    let announced = section.is_public().then(|| (section.id.clone(), config.publish.hubs.clone()));
                    let (added, change) = self.finish_section(rendered, known, announced, now).await?;
                    has_new_content |= change.is_visible && section.is_public();
                    published.changed.extend((change.is_new && section.is_public()).then(|| section.id.clone()));
                    published.unfinished.extend(has_more.then(|| section.id.clone()));
                    editions.sections[position] = Some(Arc::new(added));
                }
                // A changed definition has not been applied yet to all stories that the section shows.
                Ok(None) => {
                    published.unfinished.insert(section.id.clone());
                    if is_new_setting {
                        editions.sections[position] = known.map(SectionEditions::of_former_config);
                    }
                }
                Err(error) => published.errors.push(error),
            }
        }
        if has_new_content && let Err(error) = self.publish_index(config, &mut editions, now).await? {
            published.errors.push(error);
        }
        *self.current.write().expect("no code panics while it holds the lock") = Arc::new(editions);
        let duration_ms = started.elapsed().as_millis();
        tracing::debug!(sections = positions.len(), duration_ms, "published");
        Ok(published)
    }

    /// Adds validators to documents, each with its former edition. Keeps the former edition of a document that has the
    /// same content. Each second value says whether the content was never published before, even by an earlier run of
    /// the daemon. If that of the first document is new, the hubs of `announced` have to be notified of the section.
    async fn finish(
        &self,
        documents: Vec<(Rendered, Option<Arc<Edition>>)>,
        announced: Option<(SectionId, Vec<Url>)>,
        now: Timestamp,
    ) -> Result<Vec<(Arc<Edition>, bool)>, StoreError> {
        let documents: Vec<Comparison> =
            documents.into_iter().map(|(rendered, before)| Comparison::new(rendered, before)).collect();
        let changed: Vec<_> = documents.iter().filter_map(Comparison::to_note).collect();
        let announced = announced.filter(|_| matches!(documents.first(), Some(Comparison::Changed(..))));
        let notes =
            if changed.is_empty() { Vec::new() } else { self.store.note_editions(changed, announced, now).await? };
        let mut notes = notes.into_iter();
        let finish = |document| match document {
            Comparison::Same(edition) => (edition, false),
            Comparison::Changed(rendered, _) => {
                let note = notes.next().expect("the store returns a note for each document");
                (Arc::new(rendered.coded(Some(note.changed))), note.is_new)
            }
        };
        Ok(documents.into_iter().map(finish).collect())
    }
}

/// A document that is rendered again.
enum Comparison {
    /// The content is that of the former edition.
    Same(Arc<Edition>),
    /// The content is another one, with this hash.
    Changed(Box<Rendered>, Vec<u8>),
}

impl Comparison {
    /// Compares a document with its former edition. If the content is the same, the edition gets the access and the
    /// links of the document.
    fn new(rendered: Rendered, before: Option<Arc<Edition>>) -> Comparison {
        let hash = rendered.hash();
        let etag = edition::etag(&hash);
        let Some(same) = before.filter(|edition| edition.etag == etag) else {
            return Comparison::Changed(Box::new(rendered), hash);
        };
        let Rendered { private, links, in_folder, .. } = rendered;
        let is_same = (&same.private, &same.links, &same.in_folder) == (&private, &links, &in_folder);
        Comparison::Same(if is_same {
            same
        } else {
            Arc::new(Edition { private, links, in_folder, ..(*same).clone() })
        })
    }

    /// Returns the path and the hash of a changed content.
    fn to_note(&self) -> Option<(String, Vec<u8>)> {
        match self {
            Comparison::Same(_) => None,
            Comparison::Changed(rendered, hash) => Some((rendered.path.clone(), hash.clone())),
        }
    }
}
