//! Searches all entries for the owner of the site, private ones included.

use std::collections::HashSet;

use serde::Serialize;
use url::Url;

use crate::config::Config;
use crate::entry::Entry;
use crate::feed::SectionId;
use crate::newsroom::Viewer;
use crate::number::EntryNumber;
use crate::query::{Excerpt, Query};
use crate::rows::StoredStory;
use crate::section::{self, SeenCopy};
use crate::store::{StoreError, View};
use crate::text::PlainText;
use crate::time::Timestamp;

use super::Infos;
use super::copies::copies_of;
use super::stories::first_shown;

/// The result of a search.
#[derive(Clone, Debug, Default)]
pub struct SearchHits {
    /// The stories.
    pub hits: Vec<SearchHit>,
    /// Whether only the newest entries with the words were searched.
    pub is_cut: bool,
}

/// A story that a search found.
#[derive(Clone, Debug, Serialize)]
pub struct SearchHit {
    /// The public id.
    pub id: String,
    /// The title.
    pub title: String,
    /// The link.
    pub link: Option<Url>,
    /// When the story was published.
    pub published: Timestamp,
    /// The sections that contain the story.
    pub sections: Vec<SectionId>,
    /// A few words of the story's text around the first match, as plain text; empty if the story has only a title.
    pub excerpt: String,
    /// The start and end of each match in the excerpt, in characters.
    pub marks: Vec<(usize, usize)>,
}

impl SearchHit {
    fn excerpt_from(&mut self, excerpt: Excerpt) {
        let chars = |byte: usize| excerpt.text[..byte].chars().count();
        self.marks = excerpt.marks.iter().map(|mark| (chars(mark.start), chars(mark.end))).collect();
        self.excerpt = excerpt.text;
    }
}

/// Returns the matching stories, private ones included, each once. The best matches come first, or the newest stories
/// if no words are searched for. Each story has the title and link of its lead, as on pages and in editions, even if
/// another copy has the words.
///
/// # Errors
///
/// Returns the errors of the store.
pub fn find(view: &View, config: &Config, query: &Query, limit: usize) -> Result<SearchHits, StoreError> {
    let (stories, is_cut) = stories_found(view, query, limit)?;
    let infos = Infos::of(view);
    let hits = stories.into_iter().map(|(story, entry)| hit(view, config, query, (story, entry), &infos));
    Ok(SearchHits { hits: hits.collect::<Result<_, _>>()?, is_cut })
}

/// Returns the matching stories, each with its entry that matches best, and whether only the newest entries were
/// searched.
pub(super) fn stories_found(
    view: &View,
    query: &Query,
    limit: usize,
) -> Result<(Vec<(StoredStory, EntryNumber)>, bool), StoreError> {
    if query.is_empty() {
        return Ok((Vec::new(), false));
    }
    let hits = view.search_entries(&query.search(), limit)?;
    let (mut found, mut seen) = (Vec::new(), HashSet::new());
    for entry in hits.numbers {
        if found.len() == limit {
            break;
        }
        let story = view.story_of_entry(entry)?.filter(|story| seen.insert(story.number));
        found.extend(story.map(|story| (story, entry)));
    }
    Ok((found, hits.is_cut))
}

fn hit(
    view: &View,
    config: &Config,
    query: &Query,
    (story, entry): (StoredStory, EntryNumber),
    infos: &Infos,
) -> Result<SearchHit, StoreError> {
    let entry = view.words(entry)?;
    let mut hit = SearchHit {
        id: story.id.clone(),
        sections: view.sections_holding(story.number)?,
        published: entry.published.unwrap_or(story.sort_at),
        marks: Vec::new(),
        excerpt: String::new(),
        title: entry.title.clone(),
        link: entry.link.clone(),
    };
    hit.excerpt_from(query.excerpt_of(&PlainText::of(&entry)));
    if let Some((lead, published)) = lead(view, config, &story, infos)? {
        let excerpt = query.excerpt_of(&PlainText::of(&lead));
        if !excerpt.marks.is_empty() {
            hit.excerpt_from(excerpt);
        }
        (hit.title, hit.link, hit.published) = (lead.title, lead.link, published);
    }
    Ok(hit)
}

/// Returns the entry that readers see as the story, and when it was published. If no section shows the story, returns
/// the copy that would lead. Returns `None` if all feeds of the story left the config.
fn lead(
    view: &View,
    config: &Config,
    story: &StoredStory,
    infos: &Infos,
) -> Result<Option<(Entry, Timestamp)>, StoreError> {
    if let Some((_, shown)) = first_shown(view, config, story.number, infos)? {
        return Ok(Some((shown.entry, shown.published)));
    }
    let seen = copies_of(view, config, story.number, Viewer::All, false)?;
    let copies: Vec<&SeenCopy> = seen.copies.iter().collect();
    if copies.is_empty() {
        return Ok(None);
    }
    let lead = copies[section::lead(&copies).0];
    Ok(Some((lead.entry.clone().into_owned(), section::published_of(&lead.entry, lead.first_seen))))
}
