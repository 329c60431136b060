//! Pages that are made when somebody asks: a story's own page, and the search.
//!
//! Only what a public section shows is ever told: a story's page exists only if a public section holds the story, and
//! shows it as the first of those does.

use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::{Edition, HTML_TYPE, PublishError, Publisher};
use crate::config::{Config, Section};
use crate::entry::Person;
use crate::feed::{FeedId, SectionId};
use crate::query::{Query, Searched};
use crate::render;
use crate::section::ShownStory;
use crate::store::{Reader, StoreError, StoredStory};
use crate::text::PlainText;
use crate::time::Timestamp;

/// How many stories a page of the search shows.
const HITS: usize = 30;

/// Of how many stories the pages are kept, until the next publication.
const KEPT_PAGES: usize = 256;

impl Publisher {
    /// The page of the story with this slug; `None` if no public section holds it.
    ///
    /// # Errors
    ///
    /// As of the store, or if the page cannot be rendered.
    pub async fn story_page(&self, config: &Arc<Config>, slug: &str) -> Result<Option<Arc<Edition>>, PublishError> {
        let current = self.current();
        if let Some(page) = current.story_pages.lock().expect("nobody panics while holding the lock").get(slug) {
            return Ok(Some(page.clone()));
        }
        let (config, pages, wanted) = (config.clone(), self.pages.clone(), slug.to_owned());
        let reading = self.store.read(move |reader| {
            let Some(stored) = reader.story_by_slug(&wanted)? else { return Ok(None) };
            let Some(story) = public_story(reader, &config, &stored)? else { return Ok(None) };
            Ok(Some((story.shown.updated, pages.story(&config.site, &story.shown, &story.sections))))
        });
        let Some((updated, page)) = reading.await? else { return Ok(None) };
        let page = page.map_err(|source| PublishError::Render { section: format!("story {slug}"), source })?;
        let page = Arc::new(made_now(page, updated));
        let mut kept = current.story_pages.lock().expect("nobody panics while holding the lock");
        if kept.len() < KEPT_PAGES {
            kept.insert(slug.to_owned(), page.clone());
        }
        Ok(Some(page))
    }

    /// The search page, with what was found for `words`; the form alone where they are empty.
    ///
    /// # Errors
    ///
    /// As of the store, or if the page cannot be rendered.
    pub async fn search_page(&self, config: &Arc<Config>, words: &str) -> Result<Edition, PublishError> {
        let (config, pages, words) = (config.clone(), self.pages.clone(), words.to_owned());
        let reading = self.store.read(move |reader| {
            let hits = public_hits(reader, &config, &words)?;
            Ok(pages.search(&config.site, &words, &hits))
        });
        let page = reading.await?.map_err(|source| PublishError::Render { section: "search".to_owned(), source })?;
        Ok(made_now(page, Timestamp::from_millis(0)))
    }
}

/// A story as the first public section that holds it shows it.
struct PublicStory<'c> {
    shown: ShownStory,
    /// All the public sections that hold it.
    sections: Vec<&'c Section>,
}

/// `None` if no public section holds the story.
fn public_story<'c>(
    reader: &Reader,
    config: &'c Config,
    stored: &StoredStory,
) -> Result<Option<PublicStory<'c>>, StoreError> {
    let mut first = None;
    let mut sections = Vec::new();
    for section in config.sections.iter().filter(|section| section.access.is_none()) {
        if let Some(shown) = reader.story_in(config, section, stored)? {
            first.get_or_insert(shown);
            sections.push(&**section);
        }
    }
    Ok(first.map(|shown| PublicStory { shown, sections }))
}

fn public_hits(reader: &Reader, config: &Config, words: &str) -> Result<Vec<render::SearchHit>, StoreError> {
    let (query, _) = Query::parse(words);
    let mut hits = Vec::new();
    for found in reader.find(&query, HITS)? {
        let Some(stored) = reader.story_by_id(&found.id)? else { continue };
        let Some(PublicStory { shown: story, sections }) = public_story(reader, config, &stored)? else { continue };
        if !is_found_in_public(&query, &story, &sections) {
            continue;
        }
        hits.push(render::SearchHit {
            excerpt: query.excerpt(PlainText::of(&story.entry).all()).text,
            title: story.entry.title,
            slug: story.slug,
            published: story.published,
            sections: sections.iter().map(|section| section.id.to_string()).collect(),
        });
    }
    Ok(hits)
}

/// What only a private copy says, or only a private section holds, must not be found.
fn is_found_in_public(query: &Query, story: &ShownStory, sections: &[&Section]) -> bool {
    let text = PlainText::of(&story.entry);
    let persons = story.entry.authors.iter().chain(&story.via);
    let author = persons.map(Person::display).collect::<Vec<_>>().join(", ");
    let in_section = |id: &SectionId| sections.iter().any(|section| section.id == *id);
    let of_feed = |id: &FeedId| story.copies.iter().any(|copy| copy.feed == *id);
    (query.sections.is_empty() || query.sections.iter().any(in_section))
        && (query.feeds.is_empty() || query.feeds.iter().any(of_feed))
        && query.suits(Searched { title: &story.entry.title, text: text.all(), author: &author })
}

/// A page that is not kept in codings: it is asked for too seldom.
fn made_now(page: String, updated: Timestamp) -> Edition {
    let etag = Sha256::digest(&page)[..16].iter().map(|byte| format!("{byte:02x}")).collect();
    Edition {
        media_type: HTML_TYPE,
        identity: page.into(),
        gzip: None,
        brotli: None,
        zstd: None,
        etag,
        last_modified: updated,
        private: None,
        is_feed: false,
    }
}
