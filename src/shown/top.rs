//! The stories of a section's ranking (`top` in the config).

use std::time::Duration;

use crate::config::{Config, Section};
use crate::newsroom::Viewer;
use crate::section::{self, Ranking, ShownStory, Window};
use crate::store::{StoreError, View};
use crate::time::Timestamp;

use super::Infos;
use super::copies::copies_of;
use super::stories::read_placed;

/// The most stories that a ranking compares: the newest of its time.
const MAX_COMPARED: usize = 100_000;

/// The content of a ranking.
#[derive(Clone, Debug)]
pub struct TopContent {
    /// The stories by rank, as many as fit the section's [`Window`].
    pub stories: Vec<ShownStory>,
    /// When one of the stories last changed. Without stories, when the store first saw the section.
    pub updated: Timestamp,
    /// When the first of the stories is too old for the ranking; `None` if there is no story.
    pub next_change: Option<Timestamp>,
}

/// Returns the ranking of a section: the stories that are younger than `span`, by rank.
///
/// # Errors
///
/// Returns the errors of the store.
pub fn top_content(
    view: &View,
    config: &Config,
    section: &Section,
    span: Duration,
    infos: &Infos,
    now: Timestamp,
) -> Result<TopContent, StoreError> {
    let row = view.section(&section.id)?;
    let mut ranking = Ranking::new(view.sorted_after(row.number, now - span, MAX_COMPARED)?);
    let count = |story| {
        let copies = copies_of(view, config, story, Viewer::Section(section), false)?.copies;
        Ok::<_, StoreError>(section::domains(&section::visible(section, &copies)))
    };
    let mut window = Window::new(section);
    while !window.has_ended() {
        let Some(story) = ranking.next(count)? else { break };
        let Some(placed) = view.placed(&section.id, story)? else { continue };
        let feed = placed.lead_feed;
        if !window.has_place_for(feed) {
            continue;
        }
        if let Some(mut story) = read_placed(view, config, section, placed, infos)? {
            section::restrict(&mut story, config);
            window.add(feed, story);
        }
    }
    let stories = window.into_stories();
    let updated = stories.iter().map(|story| story.updated).max().unwrap_or(row.first_seen);
    let next_change = stories.iter().map(|story| story.sort_at + span).min();
    Ok(TopContent { stories, updated, next_change })
}
