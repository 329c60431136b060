//! All that explains a story.

use std::collections::HashMap;

use crate::config::Config;
use crate::feed::SectionId;
use crate::newsroom::Viewer;
use crate::rows::{PlacementRow, StoredCopy, StoredStory};
use crate::section::SeenCopy;
use crate::store::{StoreError, View};

use super::copies::copies_of;

/// A story, its copies, and how it stands in every section.
pub struct Explained<'c> {
    pub story: StoredStory,
    /// The copies whose feeds are configured.
    pub copies: Vec<SeenCopy<'c>>,
    /// All the copies, also those of feeds that left the config.
    pub all: Vec<StoredCopy>,
    pub placements: HashMap<SectionId, PlacementRow>,
}

/// Returns a story's copies and how it stands in every section.
///
/// # Errors
///
/// As of the store.
pub fn explain<'c>(view: &View, config: &'c Config, story: StoredStory) -> Result<Explained<'c>, StoreError> {
    let placements = view.placements_of(story.number)?;
    let copies = copies_of(view, config, story.number, Viewer::All, true)?.copies;
    let all = view.stored_copies(story.number)?;
    Ok(Explained { story, copies, all, placements })
}
