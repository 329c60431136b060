//! Reads single stories as sections show them.

use crate::config::{Config, Section};
use crate::newsroom::{self, SeenStory, Viewer};
use crate::number::StoryNumber;
use crate::rows::PlacedRow;
use crate::section::{self, ShownStory};
use crate::store::{StoreError, View};

use super::Infos;
use super::copies::copies_of;

/// Returns a story as a section shows it, with all content that the store has. The section may also have contained the
/// story only in the past. Returns `None` if it never contained the story, or if the store has no text of it.
pub(super) fn written(
    view: &View,
    config: &Config,
    section: &Section,
    story: StoryNumber,
    infos: &Infos,
) -> Result<Option<ShownStory>, StoreError> {
    match view.placed(&section.id, story)? {
        Some(placed) => read_placed(view, config, section, placed, infos),
        None => Ok(None),
    }
}

/// Reads a placed story as its section shows it; `None` if the store has no text of it.
pub(super) fn read_placed(
    view: &View,
    config: &Config,
    section: &Section,
    placed: PlacedRow,
    infos: &Infos,
) -> Result<Option<ShownStory>, StoreError> {
    let SeenStory { copies, .. } = copies_of(view, config, placed.story, Viewer::Section(section), false)?;
    let visible = section::visible(section, &copies);
    if visible.is_empty() {
        return Ok(None);
    }
    infos.load(visible.iter().map(|copy| &copy.feed.id))?;
    let frozen = if placed.has_frozen { view.frozen(placed.section, placed.story)? } else { None };
    Ok(Some(section::show(config, placed, frozen.as_ref(), &visible, &|feed| infos.get(feed))))
}

/// Returns a story as a section shows it, whether or not the section's document has room for it. Returns `None` if the
/// story is not in that section.
///
/// # Errors
///
/// Returns the errors of the store.
pub fn story_in(
    view: &View,
    config: &Config,
    section: &Section,
    story: StoryNumber,
    infos: &Infos,
) -> Result<Option<ShownStory>, StoreError> {
    let Some(placed) = view.placed(&section.id, story)?.filter(|placed| placed.is_in) else { return Ok(None) };
    let mut shown = read_placed(view, config, section, placed, infos)?;
    if let Some(shown) = &mut shown {
        section::restrict(shown, config);
    }
    Ok(shown)
}

/// Returns a story as readers see it, and the section that shows it. That is the first section that contains the story;
/// public sections come before private ones. Returns `None` if no section contains the story.
///
/// # Errors
///
/// Returns the errors of the store.
pub fn first_shown<'c>(
    view: &View,
    config: &'c Config,
    story: StoryNumber,
    infos: &Infos,
) -> Result<Option<(&'c Section, ShownStory)>, StoreError> {
    let (public, private): (Vec<_>, Vec<_>) = config.sections.iter().partition(|section| section.is_public());
    for section in public.into_iter().chain(private) {
        if let Some(shown) = story_in(view, config, section, story, infos)? {
            return Ok(Some((section, shown)));
        }
    }
    Ok(None)
}

/// Returns a story as the first public section that contains it shows it; `None` if no public section contains it.
///
/// # Errors
///
/// Returns the errors of the store.
pub fn first_public(
    view: &View,
    config: &Config,
    story: StoryNumber,
    infos: &Infos,
) -> Result<Option<ShownStory>, StoreError> {
    for section in newsroom::public_among(config, &view.sections_holding(story)?) {
        if let Some(shown) = story_in(view, config, section, story, infos)? {
            return Ok(Some(shown));
        }
    }
    Ok(None)
}

/// Returns the title under which a section shows a story that it contains now or contained before; `None` if the store
/// has no text of the story.
///
/// # Errors
///
/// Returns the errors of the store.
pub fn title_in(
    view: &View,
    config: &Config,
    section: &Section,
    story: StoryNumber,
) -> Result<Option<String>, StoreError> {
    let copies = copies_of(view, config, story, Viewer::Section(section), false)?.copies;
    let visible = section::visible(section, &copies);
    let Some(placed) = view.placed(&section.id, story)?.filter(|_| !visible.is_empty()) else { return Ok(None) };
    let frozen = if placed.has_frozen { view.frozen(placed.section, story)? } else { None };
    let lead = || visible[section::leading(placed.lead, &visible)].entry.title.clone();
    Ok(Some(frozen.map_or_else(lead, |frozen| frozen.title)))
}
