//! Writes new archive documents, and removes stories from archive documents after retention (the deletion of old
//! content) deleted their text.

use std::collections::BTreeSet;

use crate::feed::SectionId;
use crate::number::StoryNumber;
use crate::section::ShownStory;
use crate::shown::PushedOut;
use crate::store::{Packed, Store, StoreError, Turn};
use crate::story;
use crate::time::Timestamp;

/// Writes the archive documents in `pushed_out` for a section. Returns the number of the section's newest document;
/// `None` if it has none.
///
/// # Errors
///
/// Returns the errors of the store; nothing is then written.
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

/// Removes stories from archive documents and digests after retention deleted entries. A story in `stories` is removed
/// if the store no longer has its text from the feed whose copy leads there.
///
/// # Errors
///
/// Returns the errors of the store, and an error if stored text is unreadable.
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
    turn.filter_digests(stories, |story| {
        let number = story::slug_number(&story.slug);
        let is_touched = number.is_some_and(|number| stories.contains(&number));
        Ok(!is_touched || has_words(turn, number, story)?)
    })
}

/// Returns whether the store still has text of the story from the feed whose copy leads in the archive document.
fn has_words(turn: &Turn, number: Option<StoryNumber>, story: &ShownStory) -> Result<bool, StoreError> {
    let lead = story.copies.iter().find(|copy| copy.lead);
    number.zip(lead).map_or(Ok(false), |(number, lead)| turn.has_words(number, &lead.feed))
}
