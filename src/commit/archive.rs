//! Changes of archive documents: new ones, and text that retention removes.

use std::collections::BTreeSet;

use crate::feed::SectionId;
use crate::number::StoryNumber;
use crate::section::ShownStory;
use crate::shown::PushedOut;
use crate::store::{Packed, Store, StoreError, Turn};
use crate::story;
use crate::time::Timestamp;

/// Writes archive documents of a section; returns the number of the newest.
///
/// # Errors
///
/// Returns the errors of the store; in that case nothing is written.
pub async fn archive(
    store: &Store,
    section: SectionId,
    pushed_out: PushedOut,
    now: Timestamp,
) -> Result<Option<u32>, StoreError> {
    let archiving = store.turn(move |turn| {
        for document in &pushed_out.documents {
            turn.write_archive(&section, &document.stories, &document.packed, now)?;
        }
        turn.newest_archive(&section)
    });
    archiving.await
}

/// Removes from the archives those of `stories` whose archived text came from a feed of which the store has no text of
/// that story left, because retention deleted it.
///
/// # Errors
///
/// Fails if the store does, or if stored text is unreadable.
pub(super) fn forget(turn: &Turn, stories: &BTreeSet<StoryNumber>) -> Result<(), StoreError> {
    for (section, number) in turn.archives_of(stories)? {
        let mut kept = Vec::new();
        for story in turn.archived(section, number)? {
            let number = story::slug_number(&story.slug);
            let is_touched = number.is_some_and(|number| stories.contains(&number));
            if !is_touched || has_words(turn, number, &story)? {
                kept.push(story);
            }
        }
        turn.rewrite_archive(section, number, &Packed::of(&kept)?)?;
    }
    Ok(())
}

/// Returns whether the store still has text of the feed that leads the story.
fn has_words(turn: &Turn, number: Option<StoryNumber>, story: &ShownStory) -> Result<bool, StoreError> {
    let lead = story.copies.iter().find(|copy| copy.lead);
    number.zip(lead).map_or(Ok(false), |(number, lead)| turn.has_words(number, &lead.feed))
}
