//! The content of a section.

use crate::config::{Config, Section};
use crate::feed::{FeedId, SectionId};
use crate::newsroom::{self, Viewer};
use crate::rows::KnownSection;
use crate::section::{self, ShownFeed, ShownStory, Window};
use crate::store::{StoreError, View};
use crate::time::Timestamp;

use super::Infos;
use super::copies::copies_of;
use super::lists::shown_feeds;

/// The most placements (stories in a section) that are loaded at once.
const STEP: usize = 100;

/// The most feeds that the page of a section names.
pub const SECTION_FEEDS: usize = 50;

/// The content of a section.
#[derive(Clone, Debug)]
pub struct SectionContent {
    /// The stories, newest first, at most the section's `limit`.
    pub stories: Vec<ShownStory>,
    /// Whether the section's document has no room for further stories.
    pub is_full: bool,
    /// The first feeds of the section, at most [`SECTION_FEEDS`].
    pub feeds: Vec<ShownFeed>,
    /// When one of the stories last changed. For a section without stories, when the store first saw the section.
    pub updated: Timestamp,
    /// The section's permanent id.
    pub atom_id: String,
    /// The `podcast:guid` of the section, if it is a podcast.
    pub podcast_guid: Option<String>,
}

/// Returns when the store first saw the first public section that takes a feed. While no section shows a story of the
/// feed, this is the date of the feed's own page and Atom document. Returns `None` if no public section takes the feed.
///
/// # Errors
///
/// Returns the errors of the store.
pub fn known_since(view: &View, config: &Config, feed: &FeedId) -> Result<Option<Timestamp>, StoreError> {
    let section = config.sections.iter().find(|section| section.is_public() && section.takes(feed));
    section.map(|section| Ok(view.section(&section.id)?.first_seen)).transpose()
}

/// Returns the content of a section: its newest stories, as many as fit its [`Window`].
///
/// # Errors
///
/// Returns the errors of the store.
pub fn section_content(
    view: &View,
    config: &Config,
    section: &Section,
    infos: &Infos,
) -> Result<SectionContent, StoreError> {
    let info = |feed: &FeedId| infos.get(feed);
    let row = view.section(&section.id)?;
    let mut window = Window::new(section);
    let mut after = None;
    while !window.has_ended() {
        let placed = view.placed_in(row.number, after, window.places().clamp(1, STEP))?;
        let Some(last) = placed.last() else { break };
        after = Some((last.sort_at, last.story));
        for placed in placed {
            if window.has_ended() {
                break;
            }
            let feed = placed.lead_feed;
            if !window.has_place_for(feed) {
                continue;
            }
            let copies = copies_of(view, config, placed.story, Viewer::Section(section), false)?.copies;
            let visible = section::visible(section, &copies);
            if !visible.is_empty() {
                infos.load(visible.iter().map(|copy| &copy.feed.id))?;
                let frozen = if placed.has_frozen { view.frozen(placed.section, placed.story)? } else { None };
                let mut story = section::show(config, placed, frozen.as_ref(), &visible, &info);
                section::restrict(&mut story, config);
                window.add(feed, story);
            }
        }
    }
    let is_full = window.has_ended();
    let stories = window.into_stories();
    let updated = stories.iter().map(|story| story.updated).max().unwrap_or(row.first_seen);
    let feeds = shown_feeds(config, section.feeds.iter().take(SECTION_FEEDS), infos)?;
    let podcast_guid = guid_of(config, section, &row);
    Ok(SectionContent { stories, is_full, feeds, updated, atom_id: id_of(config, &section.id, row), podcast_guid })
}

/// Returns the permanent id of a section. Until an id is stored, that is the section's current address.
///
/// # Errors
///
/// Returns the errors of the store.
pub fn permanent_id(view: &View, config: &Config, section: &SectionId) -> Result<String, StoreError> {
    Ok(id_of(config, section, view.section(section)?))
}

/// Returns the `podcast:guid` of a section; `None` if it is no podcast. Until a guid is stored, it is that of the section's
/// current address.
///
/// # Errors
///
/// Returns the errors of the store.
pub fn podcast_guid(view: &View, config: &Config, section: &Section) -> Result<Option<String>, StoreError> {
    Ok(guid_of(config, section, &view.section(&section.id)?))
}

fn guid_of(config: &Config, section: &Section, row: &KnownSection) -> Option<String> {
    section.podcast.as_ref()?;
    Some(row.podcast_guid.clone().unwrap_or_else(|| newsroom::podcast_guid(&config.site, &section.id)))
}

fn id_of(config: &Config, section: &SectionId, row: KnownSection) -> String {
    row.permanent_id.unwrap_or_else(|| format!("{}{section}", config.site.url))
}
