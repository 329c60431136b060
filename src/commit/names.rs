//! Makes the names of stories (ids and slugs) when a section becomes public, and checks names that an older version of
//! newswire made.

use crate::config::{Config, Section};
use crate::newsroom;
use crate::number::StoryNumber;
use crate::rows::{NamesWrite, ReplacedId, Writes};
use crate::shown;
use crate::store::{StoreError, Turn};
use crate::story;
use crate::time::Timestamp;

/// How many stories one transaction checks, if an older version of newswire wrote the store. This takes some tenths of
/// a second.
const BATCH: usize = 2000;

/// Makes slugs for those of `stories` that are in a section that has just become public. The ids stay, because readers
/// of the private section know them.
///
/// # Errors
///
/// Returns the errors of the store.
pub(super) fn name_stories_of(
    turn: &Turn,
    config: &Config,
    section: &Section,
    stories: &[StoryNumber],
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut names = Vec::new();
    for number in turn.unnamed_among(&section.id, stories)? {
        if let Some(title) = shown::title_in(turn, config, section, number)? {
            let slug = story::slug(&title, number);
            names.push(NamesWrite { story: number, slug, shown: now, published: None });
        }
    }
    turn.write(&Writes { names, ..Writes::default() })
}

/// Checks the names of the next stories whose names come from an older version of newswire. Returns how many stories it
/// checked (0 if none is left), and how many public stories it renamed.
///
/// # Errors
///
/// Returns the errors of the store.
pub(super) fn check_names(turn: &Turn, config: &Config, now: Timestamp) -> Result<(usize, usize), StoreError> {
    let before = turn.unchecked(BATCH)?;
    if let Some(last) = before.last() {
        // A story keeps its names if a public section shows it with all its copies. This holds for most stories, so
        // their text need not be read.
        for section in newsroom::public_sections(config) {
            turn.note_shown(&section.id, section.feeds.iter(), *last)?;
        }
        turn.mark_shown_checked(*last)?;
    }
    let mut renamed = 0;
    for story in turn.unchecked(BATCH)?.into_iter().filter(|story| before.contains(story)) {
        renamed += usize::from(check(turn, config, story, now)?);
        turn.mark_checked(story)?;
    }
    Ok((before.len(), renamed))
}

/// Checks the names of one story. Returns whether it got a new name in place of one that readers of public sections
/// know.
fn check(turn: &Turn, config: &Config, number: StoryNumber, now: Timestamp) -> Result<bool, StoreError> {
    let names = turn.names(number)?;
    let entered = turn.entered(names.standing)?;
    let places = newsroom::public_places(config, &entered);
    let verdict = newsroom::check_names(config, &names, &places, turn.named_copies(&names)?);
    if verdict.has_new_id {
        turn.replace_id(&ReplacedId {
            story: number,
            standing: names.standing,
            id: story::replaced_id(turn.key()?, &names.id),
            before: names.id,
            public: places.iter().map(|(_, place)| place.number).collect(),
        })?;
    }
    if verdict.has_new_slug {
        // The new slug has the words of the title that the first public section shows. If no public section shows the
        // story, the slug is only the number. The old address still works, because it has the same number.
        let first = places.first().filter(|_| number == names.standing);
        let title = first.map(|(section, _)| shown::title_in(turn, config, section, number)).transpose()?.flatten();
        let slug = title.as_ref().map_or_else(|| story::unnamed(number), |title| story::slug(title, number));
        turn.rename(number, &slug, title.map(|_| now))?;
    } else {
        let shown = places.iter().map(|(_, place)| place.entered).min().unwrap_or(now);
        turn.rename(number, &names.slug, Some(shown))?;
    }
    Ok(verdict.is_renamed)
}
