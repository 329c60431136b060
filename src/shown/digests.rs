//! Reads the stories for digests, and the digests of a section as they are published now.

use crate::config::{Config, Section};
use crate::number::StoryNumber;
use crate::rows::{Digest, DigestKind};
use crate::section::{self, ShownStory};
use crate::store::{StoreError, View};
use crate::story;

use super::Infos;
use super::stories::written;

/// Returns stories as a digest keeps them, shortened. Leaves out a story of which the store has no text.
///
/// # Errors
///
/// Returns the errors of the store.
pub fn digest_stories(
    view: &View,
    config: &Config,
    section: &Section,
    stories: &[StoryNumber],
) -> Result<Vec<ShownStory>, StoreError> {
    let infos = Infos::of(view);
    let mut found = Vec::new();
    for number in stories {
        if let Some(mut story) = written(view, config, section, *number, &infos)? {
            section::shorten(&mut story);
            found.push(story);
        }
    }
    Ok(found)
}

/// Returns the digests of a section as they are published now, newest first: without stories that left the section for a
/// reason other than their age, and reduced to what may be published. A digest without stories is left out.
///
/// # Errors
///
/// Returns the errors of the store.
pub fn digests(view: &View, config: &Config, section: &Section, kind: DigestKind) -> Result<Vec<Digest>, StoreError> {
    let number = view.section(&section.id)?.number;
    let present = view.digested_now(number, kind)?;
    let mut digests = view.digests(number, kind)?;
    for digest in &mut digests {
        digest.stories.retain(|story| {
            let number = story::slug_number(&story.slug);
            number.is_some_and(|number| present.contains(&number)) && section::is_led_by_a_feed_of(section, story)
        });
        for story in &mut digest.stories {
            story.copies.retain(|copy| section.takes(&copy.feed));
            section::restrict(story, config);
        }
    }
    digests.retain(|digest| !digest.stories.is_empty());
    Ok(digests)
}
