//! Makes the archives of sections (archived feeds, RFC 5005 §4): documents with the older stories for which a section's
//! own document has no room.
//!
//! The policy of archives: the archive documents and the section's document together contain every story that the
//! section ever showed. No story is in two archive documents. A story is archived when it does not fit into the
//! section's document any more. Later edits, copies and leads do not change the archived story. This module does no
//! I/O.
//!
//! An archive document changes only for four reasons: the config permits more or less content to be published; a story
//! leaves the section for a reason other than its age; a feed leaves the section; retention deletes content.
//!
//! An archive document has the stories that do not fit into the section's document any more, and the older half of
//! those that still do. So it has enough stories to be worth a request. A feed reader recognises a story that is in
//! both documents by its id.

use std::collections::BTreeSet;

use super::{ShownStory, restrict, shorten, weight};
use crate::config::{Config, Section};
use crate::number::StoryNumber;
use crate::reason::Why;
use crate::rows::ArchivedRow;

/// The most stories in an archive document.
const DOCUMENT_STORIES: usize = 100;

/// The most bytes of an archive document, approximately: 1 MiB without its head.
pub const DOCUMENT_BYTES: usize = 1020 * 1024;

/// A document shows only the summary of a story that takes more bytes than this.
pub const LONG_STORY_BYTES: usize = 256 * 1024;

/// A story that is about to be archived.
#[derive(Clone, Debug)]
pub struct Leaving {
    /// The number of the story.
    pub number: StoryNumber,
    /// The story as the section shows it; `None` if its content was deleted.
    pub shown: Option<ShownStory>,
}

/// Returns the stories that must be archived now, in the given order. `waiting` are stories in no archive document yet,
/// oldest first. `shown` are the stories in the section's document. `is_all` says whether `waiting` are all such
/// stories. Returns an empty list if all of `waiting` are still in the section's document.
pub fn pushed_out(waiting: Vec<StoryNumber>, shown: &BTreeSet<StoryNumber>, is_all: bool) -> Vec<StoryNumber> {
    let still_shown: Vec<_> = waiting.iter().copied().filter(|number| shown.contains(number)).collect();
    if still_shown.len() == waiting.len() {
        return Vec::new();
    }
    let company = if is_all { still_shown.len() / 2 } else { 0 };
    let company: BTreeSet<_> = still_shown.into_iter().take(company).collect();
    waiting.into_iter().filter(|number| company.contains(number) || !shown.contains(number)).collect()
}

/// Splits stories, oldest first, into documents that are within the limits.
pub fn documents(leaving: Vec<Leaving>) -> Vec<Vec<Leaving>> {
    let mut documents: Vec<Vec<Leaving>> = Vec::new();
    let mut bytes = 0;
    for story in leaving {
        let weight = story.shown.as_ref().map_or(0, weight);
        match documents.last_mut() {
            Some(document) if document.len() < DOCUMENT_STORIES && bytes + weight <= DOCUMENT_BYTES => {
                bytes += weight;
                document.push(story);
            }
            _ => {
                bytes = weight;
                documents.push(vec![story]);
            }
        }
    }
    documents
}

/// Returns whether an archive document still shows a story: the story is in the section, or left it only because of its
/// age.
pub fn is_archived(row: &ArchivedRow) -> bool {
    row.left.is_none() || row.why == Why::TooOld
}

/// Returns whether the section still has the feed that leads an archived story.
pub fn is_led_by_a_feed_of(section: &Section, story: &ShownStory) -> bool {
    story.copies.iter().any(|copy| copy.lead && section.takes(&copy.feed))
}

/// Returns a story of an archive document in the form in which it is served. It has its current id and slug, has no
/// copies of feeds that left the section, and is reduced to the part that may be published.
pub fn as_archived(config: &Config, section: &Section, row: ArchivedRow, mut story: ShownStory) -> ShownStory {
    story.copies.retain(|copy| section.takes(&copy.feed));
    (story.id, story.slug) = (row.id, row.slug);
    restrict(&mut story, config);
    story
}

/// Returns the story, shortened if it takes more than `room` bytes; `None` if even the shortened story takes more.
pub fn fitting(story: ShownStory, room: usize) -> Option<ShownStory> {
    if weight(&story) <= room { Some(story) } else { shortened(story, room) }
}

/// Returns the shortened story; `None` if it still takes more than `room` bytes.
pub fn shortened(mut story: ShownStory, room: usize) -> Option<ShownStory> {
    shorten(&mut story);
    (weight(&story) <= room).then_some(story)
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;
    use crate::time::Timestamp;

    fn numbers(numbers: &[i64]) -> Vec<StoryNumber> {
        numbers.iter().copied().map(StoryNumber).collect()
    }

    #[test]
    fn pushed_out_stories_are_archived_with_the_older_half_of_the_shown_ones() {
        let check = |waiting: &[i64], shown: &[i64], is_all: bool, expected: &[i64]| {
            let shown: BTreeSet<_> = numbers(shown).into_iter().collect();
            assert_eq!(pushed_out(numbers(waiting), &shown, is_all), numbers(expected), "{waiting:?} {shown:?}");
        };
        check(&[], &[], true, &[]);
        check(&[1, 2, 3], &[1, 2, 3], true, &[]);
        check(&[1, 2, 3, 4, 5], &[2, 3, 4, 5], true, &[1, 2, 3]);
        check(&[2, 1, 3, 4], &[2, 3, 4], true, &[2, 1]);
        check(&[1, 2, 3], &[9], true, &[1, 2, 3]);
        // More stories must be archived, so none of the stories in the section's document is archived yet.
        check(&[1, 2, 3, 4, 5], &[2, 3, 4, 5], false, &[1]);
    }

    #[test]
    fn documents_are_neither_too_long_nor_too_large() {
        let config = sample::config("");
        let check = |stories: usize, bytes: usize, expected: &[usize]| {
            let story = Leaving { number: StoryNumber(1), shown: Some(sample::story(&config, "7", bytes)) };
            let documents = documents(vec![story; stories]);
            assert_eq!(documents.iter().map(Vec::len).collect::<Vec<_>>(), expected, "{stories} {bytes}");
        };
        check(0, 0, &[]);
        check(100, 1, &[100]);
        check(201, 1, &[100, 100, 1]);
        check(5, 400 * 1024, &[2, 2, 1]);
        let empty = vec![Leaving { number: StoryNumber(1), shown: None }; 3];
        assert_eq!(documents(empty).len(), 1);
    }

    #[test]
    fn archive_shows_stories_that_left_only_by_age() {
        let check = |left: bool, why: Why, expected: bool| {
            let row = ArchivedRow {
                story: StoryNumber(1),
                id: String::new(),
                slug: String::new(),
                entered: None,
                left: left.then(|| Timestamp::from_millis(0)),
                why,
            };
            assert_eq!(is_archived(&row), expected, "{row:?}");
        };
        check(false, Why::TakesAll { lead: "wire".into() }, true);
        check(true, Why::TooOld, true);
        check(true, Why::NoFeed, false);
        check(true, Why::NoKeep, false);
    }
}
