//! Reads what the public may see of stories: their pages, and the results of a search.
//!
//! The public sees only what a public section shows. A story has a page only if a public section contains the story.
//! The page shows the story as the first of these sections does.

use std::time::Duration;

use crate::config::{Config, Section};
use crate::entry::Person;
use crate::feed::{FeedId, SectionId};
use crate::newsroom::{self, Viewer};
use crate::number::StoryNumber;
use crate::query::{Query, Searched};
use crate::reason::JoinReason;
use crate::section::ShownStory;
use crate::store::{ReadLimits, StoreError, View};
use crate::text::PlainText;

use super::Infos;
use super::copies::copies_of;
use super::stories::story_in;

/// How many matches are read for each wanted story. More than one is needed, because some stories may not be public any
/// more since they were indexed.
const LOOKED_AT: usize = 16;

/// A story as the first public section that contains it shows it.
#[derive(Clone, Debug)]
pub struct PublicStory {
    /// The story.
    pub shown: ShownStory,
    /// All public sections that contain the story.
    sections: Vec<SectionId>,
}

impl PublicStory {
    /// Returns the public sections that contain the story, in the order of the config.
    pub fn sections_in<'c>(&self, config: &'c Config) -> Vec<&'c Section> {
        self.sections.iter().filter_map(|id| config.section(id)).map(|section| &**section).collect()
    }
}

/// The result of a search in public stories.
#[derive(Clone, Debug)]
pub struct PublicStories {
    /// The stories with their text.
    pub stories: Vec<(PublicStory, PlainText)>,
    /// Whether only the newest stories were searched, because a search of all would take too long.
    pub is_cut: bool,
}

/// Returns a story as the public may see it; `None` if no public section contains it.
///
/// # Errors
///
/// Returns the errors of the store.
pub fn public_story(
    view: &View,
    config: &Config,
    story: StoryNumber,
    infos: &Infos,
) -> Result<Option<PublicStory>, StoreError> {
    let mut first = None;
    let mut sections = Vec::new();
    for section in newsroom::public_among(config, &view.sections_holding(story)?) {
        if first.is_none() {
            first = story_in(view, config, section, story, infos)?;
        }
        if first.is_some() {
            sections.push(section.id.clone());
        }
    }
    Ok(first.map(|shown| PublicStory { shown, sections }))
}

/// A story, and why each copy belongs to it, by feed.
pub type ExplainedStory = (PublicStory, Vec<(FeedId, JoinReason)>);

/// Returns a story as the public may see it, and why each copy belongs to it, by feed. If the story has only one copy,
/// there are no reasons. Returns `None` if no public section contains the story.
///
/// # Errors
///
/// Returns the errors of the store.
pub fn explained_story(
    view: &View,
    config: &Config,
    story: StoryNumber,
    infos: &Infos,
) -> Result<Option<ExplainedStory>, StoreError> {
    let Some(public) = public_story(view, config, story, infos)? else { return Ok(None) };
    let first = public.sections_in(config).into_iter().next();
    let reasons = match first.filter(|_| public.shown.copies.len() > 1) {
        Some(section) => {
            let copies = copies_of(view, config, story, Viewer::Section(section), false)?.copies;
            copies.iter().map(|copy| (copy.feed.id.clone(), copy.reason)).collect()
        }
        None => Vec::new(),
    };
    Ok(Some((public, reasons)))
}

/// Returns at most `limit` stories that match a query and that public sections show. The search of the index may take
/// as long as `read_limits` allows. The search and the reading of the stories together may take as long as `reading`.
///
/// # Errors
///
/// Returns the errors of the store; [`StoreError::Interrupted`] if the client has disconnected.
pub fn search_public(
    view: &View,
    config: &Config,
    query: &Query,
    limit: usize,
    (read_limits, reading): (&ReadLimits, Duration),
    infos: &Infos,
) -> Result<PublicStories, StoreError> {
    let search = if query.is_empty() { None } else { newsroom::public_search(config, query.search()) };
    let hits = search.map(|search| view.search_public(&search, LOOKED_AT * limit, read_limits)).transpose()?;
    let hits = hits.unwrap_or_default();
    read_limits.extend_to(reading);
    let mut stories = Vec::new();
    for number in hits.numbers {
        if stories.len() == limit {
            break;
        }
        // The story may have been merged into another one since it was indexed.
        let Some(stored) = view.story_by_number(number)? else { continue };
        let Some(story) = public_story(view, config, stored.number, infos)? else { continue };
        let text = PlainText::of(&story.shown.entry);
        if is_found_in_public(query, &story, &text) {
            stories.push((story, text));
        }
    }
    Ok(PublicStories { stories, is_cut: hits.is_cut })
}

/// Returns whether what matches is public. Text that only a private copy has must not be found, and the name of a
/// private section must not find its stories.
fn is_found_in_public(query: &Query, story: &PublicStory, text: &PlainText) -> bool {
    let PublicStory { shown: story, sections } = story;
    let persons = story.entry.authors.iter().chain(&story.via);
    let author = persons.map(Person::display).collect::<Vec<_>>().join(", ");
    let in_section = |id: &SectionId| sections.contains(id);
    let of_feed = |id: &FeedId| story.copies.iter().any(|copy| copy.feed == *id);
    (query.sections.is_empty() || query.sections.iter().any(in_section))
        && (query.feeds.is_empty() || query.feeds.iter().any(of_feed))
        && query.matches(Searched { title: &story.entry.title, text: text.all(), author: &author })
}
