//! Finds stories by what people call them: an id, a slug, a number, an address, or words of a title.

use serde::{Deserialize, Serialize};
use url::Url;

use crate::config::Config;
use crate::link;
use crate::number::StoryNumber;
use crate::query::Query;
use crate::rows::StoredStory;
use crate::store::{StoreError, View};
use crate::story;
use crate::time::Timestamp;

use super::Infos;
use super::searched::stories_found;
use super::stories::first_shown;

/// If words may mean several stories, at most this many are listed.
pub const CANDIDATES: usize = 10;

/// A story that the words of a command may mean.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candidate {
    /// The public id.
    pub id: String,
    /// The title as readers see it. If no section shows the story, the first title that a copy has. Empty if there is
    /// none.
    pub title: String,
    /// The time by which the story is sorted.
    pub sort_at: Timestamp,
    /// When the story was published, as readers see it; `None` if no section contains the story.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published: Option<Timestamp>,
}

/// Returns the stories that `wanted` identifies. It is a public id, a number, a slug, the address of a page below
/// `site`, or a link of one of their copies in any spelling. Returns several stories only if they have the same link,
/// and then at most [`CANDIDATES`] + 1.
///
/// # Errors
///
/// Returns the errors of the store.
pub fn named(view: &View, site: Option<&Url>, wanted: &str) -> Result<Vec<StoredStory>, StoreError> {
    let wanted = wanted.trim();
    if let Some(story) = view.story_by_id(wanted)? {
        return Ok(vec![story]);
    }
    let of_site = site.and_then(|site| wanted.strip_prefix(site.as_str().trim_end_matches('/')));
    if let Some(page) = of_site.and_then(|path| path.trim_start_matches('/').strip_prefix("story/")) {
        return Ok(story_of_page(view, page)?.into_iter().collect());
    }
    let Some(key) = Url::parse(wanted).ok().as_ref().and_then(link::key) else {
        let page = wanted.trim_start_matches('/');
        return Ok(story_of_page(view, page.strip_prefix("story/").unwrap_or(page))?.into_iter().collect());
    };
    // First search among the links of the copies, then among the links that copies name as their original.
    for original in [false, true] {
        let stories = view.stories_with_link(&key, original, CANDIDATES + 1)?;
        if !stories.is_empty() {
            return Ok(stories);
        }
    }
    // The page may have been read at another address of this site. Only a slug counts here, because a bare number would
    // also match pages of other sites.
    let page = wanted.rsplit_once("/story/").map(|(_, page)| page.trim_end_matches('/'));
    let story = page.filter(|page| !is_number(page)).map(|slug| story_by_slug(view, slug)).transpose()?;
    Ok(story.flatten().into_iter().collect())
}

/// Returns the story of a page such as `harbour-news-12` or `12`.
fn story_of_page(view: &View, page: &str) -> Result<Option<StoredStory>, StoreError> {
    let page = page.trim_end_matches('/');
    match page.parse().ok().filter(|_| is_number(page)) {
        Some(number) => view.story_by_number(StoryNumber(number)),
        None => story_by_slug(view, page),
    }
}

/// Returns the story whose own page has this slug, or the older story into which it was merged.
fn story_by_slug(view: &View, slug: &str) -> Result<Option<StoredStory>, StoreError> {
    story::slug_number(slug).map_or(Ok(None), |number| view.story_with_slug(number, slug))
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Returns the story at the address `/story/{slug}/`: the one with the slug's number, or the older story into which
/// that one was merged. The words before the number are ignored. Otherwise, strangers could find out by guessing which
/// words a story once had.
///
/// # Errors
///
/// Returns the errors of the store.
pub fn story_at(view: &View, slug: &str) -> Result<Option<StoredStory>, StoreError> {
    story::slug_number(slug).map_or(Ok(None), |number| view.story_by_number(number))
}

/// Returns the stories that these words may mean: the stories with a copy of this guid, or else the stories with the
/// words in a title. The best matches come first. Returns at most [`CANDIDATES`] + 1.
///
/// # Errors
///
/// Returns the errors of the store.
pub fn meant(view: &View, config: &Config, words: &str) -> Result<Vec<Candidate>, StoreError> {
    let words = words.trim();
    if words.is_empty() {
        return Ok(Vec::new());
    }
    let mut stories = view.stories_with_guid(words, CANDIDATES + 1)?;
    if stories.is_empty() {
        let (found, _) = stories_found(view, &Query::of_title(words), CANDIDATES + 1)?;
        stories = found.into_iter().map(|(story, _)| story).collect();
    }
    if stories.is_empty() {
        // Search the titles too, because the index is filled in the background, and contains only whole words.
        stories = view.stories_with_in_title(words, CANDIDATES + 1)?;
    }
    stories.into_iter().map(|story| candidate(view, config, story)).collect()
}

/// Returns a story as a list of candidates shows it.
///
/// # Errors
///
/// Returns the errors of the store.
pub fn candidate(view: &View, config: &Config, story: StoredStory) -> Result<Candidate, StoreError> {
    let shown = first_shown(view, config, story.number, &Infos::of(view))?.map(|(_, shown)| shown);
    let published = shown.as_ref().map(|shown| shown.published);
    let copies = view.stored_copies(story.number)?.into_iter().map(|copy| copy.title);
    let mut titles = shown.map(|shown| shown.entry.title).into_iter().chain(copies);
    let title = titles.find(|title| !title.is_empty()).unwrap_or_default();
    Ok(Candidate { title, id: story.id, sort_at: story.sort_at, published })
}
