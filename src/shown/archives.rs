//! Reads the archive documents of sections, and makes new ones.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::config::{Config, Section};
use crate::number::StoryNumber;
use crate::section::{self, DOCUMENT_BYTES, LONG_STORY_BYTES, Leaving, ShownStory};
use crate::store::{Packed, StoreError, View};
use crate::story;
use crate::time::Timestamp;

use super::Infos;
use super::stories::written;

/// How many stories are read in one step, so that a million of them do not delay other work.
const STEP: usize = 1000;

/// An archive document in the form in which it is published now.
#[derive(Clone, Debug)]
pub struct Archive {
    /// The stories, newest first.
    pub stories: Vec<ShownStory>,
    /// When the document was written, or when one of its stories last left the section or came back to it, if that was
    /// later.
    pub changed: Timestamp,
}

/// The archive documents that must be written now.
#[derive(Clone, Debug, Default)]
pub struct PushedOut {
    /// The documents, oldest first.
    pub documents: Vec<NewArchive>,
    /// Whether no further stories have to be archived.
    pub is_all: bool,
}

/// An archive document that must be written.
#[derive(Clone, Debug)]
pub struct NewArchive {
    /// The numbers of all stories of the document, including those whose text was deleted.
    pub stories: Vec<StoryNumber>,
    /// The stories that have a text, compressed.
    pub packed: Packed,
}

impl PushedOut {
    /// Returns whether there is no document to write.
    pub fn is_empty(&self) -> bool {
        self.documents.is_empty()
    }
}

/// Returns new archive documents, with the stories that do not fit into the section's document any more. `shown` are
/// the stories that the section's document shows. One call handles only a limited number of stories.
///
/// # Errors
///
/// Returns the errors of the store.
pub fn pushed_out(
    view: &View,
    config: &Config,
    section: &Section,
    shown: &[ShownStory],
    infos: &Infos,
) -> Result<PushedOut, StoreError> {
    let shown: BTreeSet<StoryNumber> = shown.iter().filter_map(|story| story::slug_number(&story.slug)).collect();
    let waiting = view.not_archived(&section.id, STEP + shown.len())?;
    let is_all = waiting.len() < STEP + shown.len();
    let mut leaving = Vec::new();
    for number in section::pushed_out(waiting, &shown, is_all) {
        let shown = written(view, config, section, number, infos)?;
        leaving.push(Leaving { number, shown: shown.and_then(|story| section::fitting(story, LONG_STORY_BYTES)) });
    }
    let documents = section::documents(leaving);
    Ok(PushedOut { documents: documents.iter().map(|document| pack(document)).collect::<Result<_, _>>()?, is_all })
}

fn pack(document: &[Leaving]) -> Result<NewArchive, StoreError> {
    let packed = Packed::of(document.iter().filter_map(|story| story.shown.as_ref()))?;
    Ok(NewArchive { stories: document.iter().map(|story| story.number).collect(), packed })
}

/// Returns an archive document of a section; `None` if it does not exist.
///
/// # Errors
///
/// Returns the errors of the store.
pub fn archive(
    view: &View,
    config: &Config,
    section: &Section,
    number: u32,
    infos: &Infos,
) -> Result<Option<Archive>, StoreError> {
    let Some(row) = view.archive(&section.id, number)? else { return Ok(None) };
    let mut as_written: HashMap<StoryNumber, ShownStory> =
        row.stories.into_iter().filter_map(|story| Some((story::slug_number(&story.slug)?, story))).collect();
    let mut stories = BTreeMap::new();
    let (mut changed, mut bytes) = (row.made, 0);
    for standing in view.archived_in(row.section, number)? {
        changed = [standing.entered, standing.left].into_iter().flatten().fold(changed, Timestamp::max);
        if !section::is_archived(&standing) {
            continue;
        }
        let number = standing.story;
        let kept = as_written.remove(&number).filter(|story| section::is_led_by_a_feed_of(section, story));
        let story = match kept {
            Some(story) => Some(story),
            // The archive has no text of this story, or the feed of that text left the section. The text of another
            // copy may not fit.
            None => {
                let room = LONG_STORY_BYTES.min(DOCUMENT_BYTES.saturating_sub(bytes));
                written(view, config, section, number, infos)?.and_then(|story| section::fitting(story, room))
            }
        };
        if let Some(story) = story {
            let story = section::as_archived(config, section, standing, story);
            bytes += section::weight(&story);
            stories.insert((story.sort_at, number), story);
        }
    }
    Ok(Some(Archive { stories: stories.into_values().rev().collect(), changed }))
}
