//! What is made when somebody asks: a story's own page, an archive document, and the search. What anyone may see of stories,
//! [`shown`](crate::shown) says.

use std::sync::Arc;
use std::time::Duration;

use super::edition::{Edition, HTML_TYPE, PageSet, Rendered};
use super::lane::{VisitorTurn, patience};
use super::{PublishError, Publisher};
use crate::config::Config;
use crate::feed::SectionId;
use crate::query::Query;
use crate::render::{self, Format, Search, SearchedStory};
use crate::shown::{self, Infos, PublicStories, PublicStory};
use crate::store::{Patience, StoreError};

/// How many stories a page of the search shows.
const HITS: usize = 30;

/// How long the index is searched for a page. What was found until then is shown.
const FIND_TIME: Duration = Duration::from_secs(1);

/// How long reading the store for a page of the search takes at most, the search included.
const SEARCH_TIME: Duration = Duration::from_secs(2);

/// How many characters of what is searched for are looked at.
const MAX_WORDS: usize = 200;

/// How many of the pages and documents are kept, until the next publication.
const KEPT: usize = 256;

/// What a path means that no edition has.
#[derive(Debug, PartialEq, Eq)]
enum WantedPage<'p> {
    /// A story's page, by its slug.
    Story(&'p str),
    Search,
    Archive(SectionId, u32, Format),
}

impl<'p> WantedPage<'p> {
    /// The path is without the leading slash.
    fn parse(path: &'p str) -> Option<WantedPage<'p>> {
        if path == "search" {
            return Some(WantedPage::Search);
        }
        if let Some(slug) = path.strip_prefix("story/") {
            let slug = slug.strip_suffix('/').unwrap_or(slug);
            return (!slug.contains('/')).then_some(WantedPage::Story(slug));
        }
        let (section, name) = path.split_once("/archive/")?;
        let (number, extension) = name.split_once('.')?;
        let format = super::section::FEED_FORMATS.into_iter().find(|format| format.extension() == extension)?;
        // A number has one address: `007` is none.
        let number = number.parse().ok().filter(|parsed: &u32| parsed.to_string() == number)?;
        Some(WantedPage::Archive(SectionId::from(section), number, format))
    }
}

impl Publisher {
    /// What is served at a path where no edition is; `None` if nothing is there. `words` are those of a search.
    ///
    /// # Errors
    ///
    /// As of the store, or if it cannot be rendered.
    pub async fn make(
        &self,
        config: &Arc<Config>,
        path: &str,
        words: impl FnOnce() -> String,
    ) -> Result<Option<Arc<Edition>>, PublishError> {
        let Some(wanted) = WantedPage::parse(path) else { return Ok(None) };
        let current = self.current();
        if let Some(made) = current.made.lock().expect("nobody panics while holding the lock").get(path) {
            return Ok(Some(made.clone()));
        }
        let made = match wanted {
            WantedPage::Search => {
                let turn = self.searching.enter().await.ok_or(PublishError::Busy)?;
                let words: String = words().chars().take(MAX_WORDS).collect();
                return self.search_page(config, words, turn).await.map(|page| Some(Arc::new(page)));
            }
            WantedPage::Story(slug) => {
                let turn = self.making.enter().await.ok_or(PublishError::Busy)?;
                self.story_page(config, slug, Some(turn)).await?
            }
            WantedPage::Archive(section, number, format) => {
                let Some(section) = config.section(&section) else { return Ok(None) };
                let turn = self.making.enter().await.ok_or(PublishError::Busy)?;
                self.archive(config, section, number, format, Some(turn)).await?
            }
        };
        let Some(made) = made.map(Arc::new) else { return Ok(None) };
        let mut kept = current.made.lock().expect("nobody panics while holding the lock");
        // One story has any number of addresses that lead to it: they must not crowd out what is asked for.
        if kept.len() < KEPT && made.moved_to.is_none() {
            kept.insert(path.to_owned(), made.clone());
        }
        Ok(Some(made))
    }

    /// The page of the story with this slug. What leads to it, if the slug is an old one or that of a story which joined it.
    /// `None` if no public section holds it. With a `turn` it is made to be served, without one for a folder.
    ///
    /// # Errors
    ///
    /// As of the store, or if the page cannot be rendered.
    pub(super) async fn story_page(
        &self,
        config: &Arc<Config>,
        slug: &str,
        turn: Option<VisitorTurn>,
    ) -> Result<Option<Edition>, PublishError> {
        let (of_config, wanted) = (config.clone(), slug.to_owned());
        let patience = patience(turn.as_ref());
        let reading = self.store.read_for(&patience, turn.clone(), move |reader| {
            let Some(stored) = shown::story_at(reader, &wanted)? else { return Ok(None) };
            let story = shown::public_story(reader, &of_config, stored.number, &Infos::of(reader))?;
            Ok(story.map(|story| (stored.slug, story)))
        });
        let Some((current_slug, story)) = reading.await? else { return Ok(None) };
        if current_slug != slug {
            return Ok(Some(joined(config, &current_slug)));
        }
        let PageSet { served, for_folder } = self.pages();
        let pages = if turn.is_some() { served } else { for_folder.unwrap_or(served) };
        let config = config.clone();
        let rendering = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            pages.story(&config.site, &story.shown, &story.sections_in(&config)).map(made_now)
        });
        let page = rendering.await.map_err(StoreError::from)?;
        page.map(Some).map_err(|source| PublishError::Render { section: format!("story {slug}"), source })
    }

    /// The search page, with what was found for `words`; the form alone where they are empty.
    async fn search_page(
        &self,
        config: &Arc<Config>,
        words: String,
        turn: VisitorTurn,
    ) -> Result<Edition, PublishError> {
        let (query, faults) = Query::parse(&words);
        let (of_config, wanted) = (config.clone(), query.clone());
        let patience = Patience::new(FIND_TIME);
        let limits = patience.clone();
        let reading = self.store.read_for(&patience, turn.clone(), move |reader| {
            // One more than a page shows, if there are so many.
            shown::search_public(reader, &of_config, &wanted, HITS + 1, (&limits, SEARCH_TIME))
        });
        let PublicStories { mut stories, is_cut } = reading.await?;
        let has_more = stories.len() > HITS;
        stories.truncate(HITS);
        let (config, pages) = (config.clone(), self.pages().served);
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

/// What leads to the story with this slug.
fn joined(config: &Config, slug: &str) -> Edition {
    let to = format!("story/{slug}/");
    Edition { moved_to: Some(to.clone()), ..made_now(render::moved(&config.site, &to)) }
}

/// A page that is asked for too seldom to be kept in codings; nobody knows when it last changed.
fn made_now(page: String) -> Edition {
    Rendered::public("", HTML_TYPE, page.into_bytes()).plain(None)
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
        check("all/archive/12.rss", Some(WantedPage::Archive("all".into(), 12, Format::Rss)));
        check("all/archive/012.rss", None);
        check("all/archive/+1.rss", None);
        check("all/archive/1.opml", None);
        check("all/archive/1", None);
    }
}
