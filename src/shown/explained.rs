//! Reads everything that explains a story.

use std::collections::HashMap;

use crate::config::Config;
use crate::feed::SectionId;
use crate::newsroom::Viewer;
use crate::rows::{PlacementRow, StoredCopy, StoredStory};
use crate::section::SeenCopy;
use crate::store::{StoreError, View};

use super::copies::copies_of;

/// A story, its copies, and its state in every section.
pub struct Explained<'c> {
    /// The story.
    pub story: StoredStory,
    /// The copies whose feeds are configured.
    pub copies: Vec<SeenCopy<'c>>,
    /// All copies, including those of feeds that left the config.
    pub all: Vec<StoredCopy>,
    /// The placements of the story, by section.
    pub placements: HashMap<SectionId, PlacementRow>,
}

/// Returns a story's copies and its state in every section.
///
/// # Errors
///
/// Returns the errors of the store.
pub fn explain<'c>(view: &View, config: &'c Config, story: StoredStory) -> Result<Explained<'c>, StoreError> {
    let placements = view.placements_of(story.number)?;
    let copies = copies_of(view, config, story.number, Viewer::All, true)?.copies;
    let all = view.stored_copies(story.number)?;
    Ok(Explained { story, copies, all, placements })
}
