//! Renders documents on request: the pages of stories, archive documents, the search page, the lists of feeds
//! and the sitemaps.
//! [`shown`](crate::shown) decides what readers may see.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::edition::{Edition, FEED_FORMATS, PageSet, made_now};
use super::listings;
use super::lists::{self, ListRequest};
use super::queue::{RequestTurn, read_limits};
use super::sitemap::sitemap_number;
use super::{PublishError, Publisher};
use crate::config::Config;
use crate::feed::SectionId;
use crate::query::Query;
use crate::render::{self, Format, Search, SearchedStory, StoryView};
use crate::shown::{self, Infos, PublicStories, PublicStory};
use crate::store::{ReadLimits, StoreError};

/// How many stories a page of the search shows.
const HITS: usize = 30;

/// How long a search may use the index. After this time, the page shows what was found so far.
const FIND_TIME: Duration = Duration::from_secs(1);

/// How long a search page may read the store, including the search itself.
const SEARCH_TIME: Duration = Duration::from_secs(2);

/// How many characters of the search words are used.
const MAX_WORDS: usize = 200;

/// How many pages and documents are cached until the next publication.
const KEPT: usize = 256;

/// The document at a path that has no edition.
#[derive(Debug, PartialEq, Eq)]
enum WantedPage<'p> {
    /// A story's page, by its slug.
    Story(&'p str),
    Search,
    /// An archive document of a section, by its number and format; without a format, the page with the same stories.
    Archive(SectionId, u32, Option<Format>),
    /// The page of a source, tag or term of a facet; with a format, its feed.
    Listing(String, Option<Format>),
    /// A page of the list of feeds, by its number.
    Feeds(usize),
    /// A sitemap, by its number; 0 for the first or only one.
    Sitemap(usize),
    /// The feeds of a section as OPML; `None` for all feeds.
    Opml(Option<SectionId>),
}

impl<'p> WantedPage<'p> {
    /// Parses a path without the leading slash.
    fn parse(path: &'p str) -> Option<WantedPage<'p>> {
        if path == "search" {
            return Some(WantedPage::Search);
        }
        if let Some(number) = sitemap_number(path) {
            return Some(WantedPage::Sitemap(number));
        }
        if let Some(slug) = path.strip_prefix("story/") {
            let slug = slug.strip_suffix('/').unwrap_or(slug);
            return (!slug.contains('/')).then_some(WantedPage::Story(slug));
        }
        if let Some(number) = lists::list_number(path) {
            return Some(WantedPage::Feeds(number));
        }
        if path == lists::ALL_FEEDS {
            return Some(WantedPage::Opml(None));
        }
        if let Some(section) = path.strip_suffix(".opml").filter(|section| !section.contains('/')) {
            return Some(WantedPage::Opml(Some(SectionId::from(section))));
        }
        if let Some((path, format)) = listings::listing_of(path) {
            return Some(WantedPage::Listing(path, format));
        }
        let (section, name) = path.split_once("/archive/")?;
        let (number, format) = match name.split_once('.') {
            Some((number, extension)) => {
                (number, Some(FEED_FORMATS.into_iter().find(|format| format.extension() == extension)?))
            }
            None => (name.strip_suffix('/')?, None),
        };
        // A number has only one spelling, so `007` is not valid.
        let number = number.parse().ok().filter(|parsed: &u32| parsed.to_string() == number)?;
        Some(WantedPage::Archive(SectionId::from(section), number, format))
    }
}

impl Publisher {
    /// Renders the document at a path that has no edition; `None` if the path has no document. `parameter` returns the
    /// value of a query parameter.
    ///
    /// # Errors
    ///
    /// Fails if too many requests are waiting, if the store cannot be read in time, or if rendering fails. See
    /// [`PublishError::is_for_now`].
    pub async fn make(
        &self,
        config: &Arc<Config>,
        path: &str,
        parameter: impl Fn(&str) -> Option<String>,
    ) -> Result<Option<Arc<Edition>>, PublishError> {
        let Some(wanted) = WantedPage::parse(path) else { return Ok(None) };
        let current = self.current();
        if let Some(made) = current.made.lock().expect("no code panics while it holds the lock").get(path) {
            return Ok(Some(made.clone()));
        }
        let made = match wanted {
            WantedPage::Search => {
                let turn = self.searching.enter().await.ok_or(PublishError::Busy)?;
                let words: String = parameter("q").unwrap_or_default().chars().take(MAX_WORDS).collect();
                return self.search_page(config, words, turn).await.map(|page| Some(Arc::new(page)));
            }
            WantedPage::Feeds(number) => {
                return self.requested_list(config, ListRequest::new(config, number, parameter)).await;
            }
            WantedPage::Opml(None) => return self.requested_opml(config, None).await.map(Some),
            WantedPage::Opml(Some(section)) => {
                let Some(section) = config.section(&section) else { return Ok(None) };
                return self.requested_opml(config, Some(section)).await.map(Some);
            }
            WantedPage::Sitemap(number) => {
                let turn = self.making.enter().await.ok_or(PublishError::Busy)?;
                self.sitemap(config, number, Some(turn)).await?
            }
            WantedPage::Story(slug) => {
                let turn = self.making.enter().await.ok_or(PublishError::Busy)?;
                self.story_page(config, slug, Some(turn)).await?
            }
            WantedPage::Archive(section, number, format) => {
                let Some(section) = config.section(&section) else { return Ok(None) };
                let turn = self.making.enter().await.ok_or(PublishError::Busy)?;
                match format {
                    Some(format) => self.archive(config, section, number, format, Some(turn)).await?,
                    None => self.older_page(config, section, number, Some(turn)).await?,
                }
            }
            WantedPage::Listing(listing, format) => {
                let turn = self.making.enter().await.ok_or(PublishError::Busy)?;
                self.requested_listing(config, &current, &listing, format, turn).await?
            }
        };
        let Some(made) = made.map(Arc::new) else { return Ok(None) };
        let mut kept = current.made.lock().expect("no code panics while it holds the lock");
        // Do not cache redirects: a story may have many old addresses, and they must not push pages out of the cache.
        if kept.len() < KEPT && made.moved_to.is_none() {
            kept.insert(path.to_owned(), made.clone());
        }
        Ok(Some(made))
    }

    /// Renders the page of the story with this slug. Renders a redirect instead if the slug is an old one, or belongs
    /// to a story that was merged. `None` if no public section has the story. `turn` is the reader's permission to run;
    /// without one, the page is for a folder.
    ///
    /// # Errors
    ///
    /// Fails if the store cannot be read in time, or if rendering fails.
    pub(super) async fn story_page(
        &self,
        config: &Arc<Config>,
        slug: &str,
        turn: Option<RequestTurn>,
    ) -> Result<Option<Edition>, PublishError> {
        let (of_config, infos, wanted) = (config.clone(), self.infos.clone(), slug.to_owned());
        let read_limits = read_limits(turn.as_ref());
        let reading = self.store.read_for(&read_limits, turn.clone(), move |reader| {
            let Some(stored) = shown::story_at(reader, &wanted)? else { return Ok(None) };
            let story = shown::explained_story(reader, &of_config, stored.number, &Infos::sharing(reader, &infos))?;
            Ok(story.map(|story| (stored.slug, story)))
        });
        let Some((current_slug, (story, reasons))) = reading.await? else { return Ok(None) };
        if current_slug != slug {
            return Ok(Some(joined(config, &current_slug)));
        }
        let PageSet { served, for_folder } = self.pages(config);
        let is_served = turn.is_some();
        let pages = if is_served { served } else { for_folder.unwrap_or(served) };
        let (config, current) = (config.clone(), self.current());
        let rendering = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            let none = BTreeSet::new();
            let tags = if is_served { current.tags() } else { &none };
            let view = StoryView { shown: &story.shown, reasons: &reasons, tags };
            pages.story(&config.site, &view, &story.sections_in(&config)).map(made_now)
        });
        let page = rendering.await.map_err(StoreError::from)?;
        page.map(Some).map_err(|source| PublishError::Render { section: format!("story {slug}"), source })
    }

    /// Renders the search page with the results for `words`. If `words` is empty, the page has only the form.
    async fn search_page(
        &self,
        config: &Arc<Config>,
        words: String,
        turn: RequestTurn,
    ) -> Result<Edition, PublishError> {
        let (query, faults) = Query::parse(&words);
        let (of_config, infos, wanted) = (config.clone(), self.infos.clone(), query.clone());
        let read_limits = ReadLimits::new(FIND_TIME);
        let limits = read_limits.clone();
        let reading = self.store.read_for(&read_limits, turn.clone(), move |reader| {
            // Search for one story more than the page shows, to know whether there are more.
            let infos = Infos::sharing(reader, &infos);
            shown::search_public(reader, &of_config, &wanted, HITS + 1, (&limits, SEARCH_TIME), &infos)
        });
        let PublicStories { mut stories, is_cut } = reading.await?;
        let has_more = stories.len() > HITS;
        stories.truncate(HITS);
        let (config, pages) = (config.clone(), self.pages(config).served);
        let rendering = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            let search = Search { words: &words, query: &query, faults: &faults, has_more, is_cut };
            let found = |(story, text): (PublicStory, _)| SearchedStory {
                sections: story.sections_in(&config),
                story: story.shown,
                text,
            };
            let found: Vec<_> = stories.into_iter().map(found).collect();
            pages.search(&config.site, search, &found)
        });
        let page = rendering.await.map_err(StoreError::from)?;
        page.map(made_now).map_err(|source| PublishError::Render { section: "search".to_owned(), source })
    }
}

/// Returns a redirect to the story with this slug.
fn joined(config: &Config, slug: &str) -> Edition {
    let to = format!("story/{slug}/");
    Edition { moved_to: Some(to.clone()), ..made_now(render::moved(&config.site, &to)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_of_one_shape_mean_something() {
        let check = |path: &str, expected: Option<WantedPage>| assert_eq!(WantedPage::parse(path), expected, "{path}");
        check("search", Some(WantedPage::Search));
        check("story/war-7/", Some(WantedPage::Story("war-7")));
        check("story/war-7", Some(WantedPage::Story("war-7")));
        check("story/../7/", None);
        check("all/archive/12.rss", Some(WantedPage::Archive("all".into(), 12, Some(Format::Rss))));
        check("all/archive/12/", Some(WantedPage::Archive("all".into(), 12, None)));
        check("feeds/press.atom", Some(WantedPage::Listing("feeds/press".to_owned(), Some(Format::Atom))));
        check("tags/ships/", Some(WantedPage::Listing("tags/ships".to_owned(), None)));
        check("all/archive/012.rss", None);
        check("all/archive/+1.rss", None);
        check("all/archive/1.opml", None);
        check("feeds/2/", Some(WantedPage::Feeds(2)));
        check("feeds.opml", Some(WantedPage::Opml(None)));
        check("all.opml", Some(WantedPage::Opml(Some("all".into()))));
        check("all/archive/1", None);
    }
}
