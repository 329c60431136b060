//! Publishing: which sections changed → their editions in memory, and the same bytes as files in a folder.
//!
//! The policy held here: an edition changes only when its content does; one that cannot be rendered leaves the last good
//! one in place; a failing feed never becomes an entry; private sections are in no index, no OPML and no folder.

mod dynamic;
mod folder;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::Write;
use std::sync::{Arc, Mutex, RwLock};
use std::time::Duration;

use bytes::Bytes;
use sha2::{Digest, Sha256};

use crate::config::{Config, Section};
use crate::feed::SectionId;
use crate::render::{self, FeedRow, Format, Pages, RenderError, SectionSummary, SectionView};
use crate::section::ShownFeed;
use crate::status;
use crate::store::{SectionContent, Store, StoreError};
use crate::time::Timestamp;

pub use folder::{FolderError, Written};

/// How long readers and caches may keep an edition; `Cache-Control`, `ttl` and `sy:*` say the same.
pub const MAX_AGE: Duration = Duration::from_secs(15 * 60);

const HTML_TYPE: &str = "text/html; charset=utf-8";
const CSS_TYPE: &str = "text/css; charset=utf-8";
/// Where static hosts look for what they show in place of a page that is not there.
pub const NOT_FOUND: &str = "404.html";

const SVG_TYPE: &str = "image/svg+xml";

/// How many stories of each section the index page shows.
const INDEX_STORIES: usize = 5;

/// The rendered bytes of one path, with their validators and their codings.
#[derive(Clone, Debug)]
pub struct Edition {
    pub media_type: &'static str,
    pub identity: Bytes,
    pub gzip: Option<Bytes>,
    pub brotli: Option<Bytes>,
    pub zstd: Option<Bytes>,
    /// Of the identity coding, without quotes.
    pub etag: String,
    /// When the bytes last changed; never goes back.
    pub last_modified: Timestamp,
    /// The private section that it belongs to, whose key a reader must have.
    pub private: Option<SectionId>,
    /// Whether it is a feed, which scripts of other sites may read.
    pub is_feed: bool,
}

/// Everything that is served, by path without the leading slash (`international.atom`, `international/`, `` for the index).
#[derive(Debug, Default)]
pub struct Editions {
    pub by_path: HashMap<String, Arc<Edition>>,
    /// Old section ids and the ones that they have now.
    pub formerly: HashMap<String, String>,
    /// Ids of sections that were here once.
    pub gone: BTreeSet<String>,
    /// By id; whoever reads a private one must have its key.
    pub sections: HashMap<SectionId, Arc<Section>>,
    /// The slugs of the stories that each public section shows.
    pub shown: BTreeMap<SectionId, Vec<String>>,
    /// Pages of stories that were asked for since this was published.
    story_pages: Mutex<HashMap<String, Arc<Edition>>>,
}

/// What can go wrong in publishing.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("section {section} could not be rendered: {source}")]
    Render { section: String, source: RenderError },
    #[error(transparent)]
    Folder(#[from] FolderError),
}

/// Makes editions of one store and keeps the newest for whoever serves them. Cheap to clone.
#[derive(Clone)]
pub struct Publisher {
    store: Store,
    pages: Arc<Pages>,
    current: Arc<RwLock<Arc<Editions>>>,
}

/// A document before it is known when it last changed.
struct Rendered {
    path: String,
    media_type: &'static str,
    body: Vec<u8>,
    private: Option<SectionId>,
    is_feed: bool,
}

impl Publisher {
    pub fn new(store: Store, pages: Pages) -> Publisher {
        Publisher { store, pages: Arc::new(pages.with_search()), current: Arc::default() }
    }

    /// What is published now. Never waits for rendering.
    pub fn current(&self) -> Arc<Editions> {
        self.current.read().expect("nobody panics while holding the lock").clone()
    }

    /// Makes the editions of the given sections anew, and what names them all; keeps the others as they are.
    ///
    /// A section that cannot be rendered keeps its last good editions, and is among the returned errors.
    ///
    /// # Errors
    ///
    /// As of the store; then nothing changes.
    pub async fn publish(
        &self,
        config: &Arc<Config>,
        sections: &BTreeSet<SectionId>,
        now: Timestamp,
    ) -> Result<Vec<PublishError>, StoreError> {
        let before = self.current();
        let mut errors = Vec::new();
        let mut editions = Editions {
            by_path: HashMap::new(),
            formerly: config.sections.iter().flat_map(|section| formerly(section)).collect(),
            gone: self.store.read(|reader| reader.gone_sections()).await?.iter().map(SectionId::to_string).collect(),
            sections: config.sections.iter().map(|section| (section.id.clone(), section.clone())).collect(),
            ..Editions::default()
        };
        for section in &config.sections {
            let is_kept = !sections.contains(&section.id) && before.sections.contains_key(&section.id);
            let rendered = if is_kept { None } else { Some(self.render_section(config, section).await?) };
            match rendered {
                Some(Ok((rendered, slugs))) => {
                    if section.access.is_none() {
                        editions.shown.insert(section.id.clone(), slugs);
                    }
                    for rendered in rendered {
                        let (path, edition) = self.finish(rendered, &before, now).await?;
                        editions.by_path.insert(path, edition);
                    }
                }
                kept => {
                    errors.extend(kept.and_then(Result::err));
                    keep(section, &before, &mut editions);
                    let slugs = before.shown.get(&section.id).filter(|_| section.access.is_none());
                    editions.shown.extend(slugs.map(|slugs| (section.id.clone(), slugs.clone())));
                }
            }
        }
        match self.render_site(config, now).await? {
            Ok(rendered) => {
                for rendered in rendered {
                    let (path, edition) = self.finish(rendered, &before, now).await?;
                    editions.by_path.insert(path, edition);
                }
            }
            Err(error) => errors.push(error),
        }
        *self.current.write().expect("nobody panics while holding the lock") = Arc::new(editions);
        Ok(errors)
    }

    async fn render_section(
        &self,
        config: &Arc<Config>,
        section: &Arc<Section>,
    ) -> Result<Result<(Vec<Rendered>, Vec<String>), PublishError>, StoreError> {
        let (config, section, pages) = (config.clone(), section.clone(), self.pages.clone());
        let reading = self.store.read(move |reader| {
            let content = reader.section_content(&config, &section)?;
            let slugs = content.stories.iter().map(|story| story.slug.clone()).collect();
            let rendered = render_section(&config, &section, &content, &pages).map(|rendered| (rendered, slugs));
            Ok(rendered.map_err(|source| PublishError::Render { section: section.id.to_string(), source }))
        });
        reading.await
    }

    async fn render_site(
        &self,
        config: &Arc<Config>,
        now: Timestamp,
    ) -> Result<Result<Vec<Rendered>, PublishError>, StoreError> {
        let (config, pages) = (config.clone(), self.pages.clone());
        let reading = self.store.read(move |reader| {
            let public: Vec<_> = config.sections.iter().filter(|section| section.access.is_none()).collect();
            let counts = reader.section_statuses()?;
            let mut contents = Vec::new();
            for section in &public {
                let first = Section { limit: INDEX_STORIES, ..(***section).clone() };
                contents.push(reader.section_content(&config, &first)?);
            }
            let summaries: Vec<_> = public
                .iter()
                .zip(&contents)
                .map(|(section, content)| SectionSummary {
                    section,
                    stories: &content.stories,
                    updated: content.updated,
                    count: counts
                        .get(&section.id)
                        .map_or(0, |status| usize::try_from(status.stories).unwrap_or(usize::MAX)),
                })
                .collect();
            let feeds = public_feeds(&config, &contents);
            let states = status::feeds(&config, Some(reader), now)?;
            let rows = states.iter().filter_map(|row| {
                let feed = feeds.iter().find(|feed| feed.id == row.id)?.clone();
                Some(FeedRow { feed, state: row.state.as_str().to_owned(), newest: row.newest })
            });
            let rendered = render_site(&config, &summaries, &feeds, &rows.collect::<Vec<_>>(), &pages);
            Ok(rendered.map_err(|source| PublishError::Render { section: "index".to_owned(), source }))
        });
        reading.await
    }

    /// Gives a document its validators and codings, or the edition that has the same bytes already.
    async fn finish(
        &self,
        rendered: Rendered,
        before: &Editions,
        now: Timestamp,
    ) -> Result<(String, Arc<Edition>), StoreError> {
        let hash = Sha256::digest(&rendered.body).to_vec();
        let etag: String = hash[..16].iter().map(|byte| format!("{byte:02x}")).collect();
        if let Some(same) = before.by_path.get(&rendered.path).filter(|edition| edition.etag == etag) {
            let same = Edition { private: rendered.private, ..(**same).clone() };
            return Ok((rendered.path, Arc::new(same)));
        }
        let last_modified = self.store.note_edition(rendered.path.clone(), hash, now).await?;
        let path = rendered.path.clone();
        let coding = tokio::task::spawn_blocking(move || Edition {
            media_type: rendered.media_type,
            gzip: smaller(gzip(&rendered.body), &rendered.body),
            brotli: smaller(brotli(&rendered.body), &rendered.body),
            zstd: smaller(zstd::encode_all(rendered.body.as_slice(), ZSTD_LEVEL).ok(), &rendered.body),
            identity: rendered.body.into(),
            etag,
            last_modified,
            private: rendered.private,
            is_feed: rendered.is_feed,
        });
        Ok((path, Arc::new(coding.await.map_err(|_| StoreError::Closed)?)))
    }
}

/// Keeps a section's editions as they were.
fn keep(section: &Section, before: &Editions, editions: &mut Editions) {
    for path in section_paths(section) {
        if let Some(edition) = before.by_path.get(&path) {
            editions.by_path.insert(path, edition.clone());
        }
    }
}

fn section_paths(section: &Section) -> [String; 5] {
    let id = &section.id;
    [format!("{id}.atom"), format!("{id}.rss"), format!("{id}.json"), format!("{id}.opml"), format!("{id}/")]
}

fn formerly(section: &Section) -> Vec<(String, String)> {
    section.formerly.iter().map(|old| (old.to_string(), section.id.to_string())).collect()
}

fn render_section(
    config: &Config,
    section: &Section,
    content: &SectionContent,
    pages: &Pages,
) -> Result<Vec<Rendered>, RenderError> {
    let view = SectionView {
        site: &config.site,
        section,
        hub: config.publish.hub.as_ref(),
        stories: &content.stories,
        feeds: &content.feeds,
        updated: content.updated,
        max_age: MAX_AGE,
        prev_archive: None,
    };
    let [atom, rss, json, opml, page] = section_paths(section);
    let private = section.access.is_some().then(|| section.id.clone());
    let feed = |path, media_type, body| Rendered { path, media_type, body, private: private.clone(), is_feed: true };
    Ok(vec![
        feed(atom, feed_type(Format::Atom), render::atom(&view)?),
        feed(rss, feed_type(Format::Rss), render::rss(&view)?),
        feed(json, feed_type(Format::Json), render::json(&view)?),
        feed(
            opml,
            feed_type(Format::Opml),
            render::opml(&config.site, &section.title, &content.feeds, content.updated)?,
        ),
        Rendered {
            path: page,
            media_type: HTML_TYPE,
            body: pages.section(&view)?.into_bytes(),
            private: private.clone(),
            is_feed: false,
        },
    ])
}

/// The feeds that a public section takes, in the config's order.
fn public_feeds(config: &Config, contents: &[SectionContent]) -> Vec<ShownFeed> {
    let feeds: HashMap<_, _> =
        contents.iter().flat_map(|content| &content.feeds).map(|feed| (&feed.id, feed)).collect();
    config.feeds.iter().filter_map(|feed| feeds.get(&feed.id).map(|feed| (*feed).clone())).collect()
}

/// What names all the public sections: the index, the lists of feeds, what this site is, and how it looks.
fn render_site(
    config: &Config,
    summaries: &[SectionSummary],
    feeds: &[ShownFeed],
    rows: &[FeedRow],
    pages: &Pages,
) -> Result<Vec<Rendered>, RenderError> {
    let site = &config.site;
    let sections: Vec<&Section> = summaries.iter().map(|summary| summary.section).collect();
    let updated = summaries.iter().map(|summary| summary.updated).max().unwrap_or(Timestamp::from_millis(0));
    let public = |path: &str, media_type, body, is_feed| Rendered {
        path: path.to_owned(),
        media_type,
        body,
        private: None,
        is_feed,
    };
    let page = |path: &str, page: String| public(path, HTML_TYPE, page.into_bytes(), false);
    Ok(vec![
        page("", pages.index(site, summaries)?),
        page("feeds/", pages.feeds(site, rows)?),
        page("about/", pages.about(site, &sections)?),
        page(NOT_FOUND, pages.not_found(site)?),
        public("feeds.opml", feed_type(Format::Opml), render::opml(site, &site.title, feeds, updated)?, true),
        public("style.css", CSS_TYPE, pages.style().as_bytes().to_vec(), false),
        public("feed.css", CSS_TYPE, render::FEED_CSS.as_bytes().to_vec(), false),
        public("favicon.svg", SVG_TYPE, render::FAVICON_SVG.as_bytes().to_vec(), false),
    ])
}

/// The media type of a feed, with its charset where it may have one.
fn feed_type(format: Format) -> &'static str {
    match format {
        Format::Atom => "application/atom+xml; charset=utf-8",
        Format::Rss => "application/rss+xml; charset=utf-8",
        Format::Json => "application/feed+json",
        Format::Opml => "text/x-opml; charset=utf-8",
    }
}

/// Levels at which an edition of 250 KB takes some milliseconds: each is compressed once and sent a thousand times.
const GZIP_LEVEL: u32 = 6;
const BROTLI_LEVEL: u32 = 5;
const ZSTD_LEVEL: i32 = 6;

/// Brotli's window, as a power of two: larger than any edition.
const BROTLI_WINDOW: u32 = 22;

fn gzip(body: &[u8]) -> Option<Vec<u8>> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(GZIP_LEVEL));
    encoder.write_all(body).and_then(|()| encoder.finish()).ok()
}

fn brotli(body: &[u8]) -> Option<Vec<u8>> {
    let mut encoder = brotli::CompressorWriter::new(Vec::new(), 4096, BROTLI_LEVEL, BROTLI_WINDOW);
    encoder.write_all(body).ok()?;
    Some(encoder.into_inner())
}

/// A coding that saves nothing is not offered.
fn smaller(coded: Option<Vec<u8>>, body: &[u8]) -> Option<Bytes> {
    coded.filter(|coded| coded.len() < body.len()).map(Bytes::from)
}
