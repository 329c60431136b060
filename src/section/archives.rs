//! Archives of sections (RFC 5005 §4): stories that no longer fit into a section's document, in documents that stay
//! stable.
//!
//! Pure. Policy: archive documents and the section document together contain every story that the section ever showed,
//! and no story is in two archive documents. A story is written when it is pushed out, as it was then; later edits,
//! copies and leads do not change it. A document changes only for four reasons: rights, which are applied when it is
//! read; a story that left the section for another reason than its age; a feed that left the section; and retention.
//!
//! A document consists of the stories that were pushed out and of the older half of those that the section document
//! still shows, so that it is worth a request: readers recognise a story by its id wherever it occurs.

use std::collections::BTreeSet;

use super::{ShownStory, restrict, shorten, weight};
use crate::config::{Config, Section};
use crate::number::StoryNumber;
use crate::reason::Why;
use crate::rows::ArchivedRow;

/// The most stories in a document.
const DOCUMENT_STORIES: usize = 100;

/// The approximate most bytes of a document: 1 MiB less its head.
pub const DOCUMENT_BYTES: usize = 1020 * 1024;

/// A story that alone takes more of a document than this is shown there by its summary.
pub const LONG_STORY_BYTES: usize = 256 * 1024;

/// A story on its way into an archive.
#[derive(Clone, Debug)]
pub struct Leaving {
    /// The number of the story.
    pub number: StoryNumber,
    /// The story; `None` if its text is no longer kept.
    pub shown: Option<ShownStory>,
}

/// Returns the stories that go into the archives, in the given order. `waiting` are the stories in no archive yet,
/// oldest first; `shown` are those in the section's document; `is_all` means that no others wait. Returns nothing
/// unless at least one story is pushed out.
pub fn pushed_out(waiting: Vec<StoryNumber>, shown: &BTreeSet<StoryNumber>, is_all: bool) -> Vec<StoryNumber> {
    let still_shown: Vec<_> = waiting.iter().copied().filter(|number| shown.contains(number)).collect();
    if still_shown.len() == waiting.len() {
        return Vec::new();
    }
    let company = if is_all { still_shown.len() / 2 } else { 0 };
    let company: BTreeSet<_> = still_shown.into_iter().take(company).collect();
    waiting.into_iter().filter(|number| company.contains(number) || !shown.contains(number)).collect()
}

/// Splits stories, oldest first, into documents within the limits.
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

/// Returns whether an archive document still shows a story: it is in the section, or left it only because of its age.
pub fn is_archived(row: &ArchivedRow) -> bool {
    row.left.is_none() || row.why == Why::TooOld
}

/// Returns whether the section still has the feed that leads an archived story.
pub fn is_led_by_a_feed_of(section: &Section, story: &ShownStory) -> bool {
    story.copies.iter().any(|copy| copy.lead && section.takes(&copy.feed))
}

/// Returns a story of an archive document as it is shown now: with its current names, without the copies of feeds that
/// left the section, and reduced to what rights allow.
pub fn as_archived(config: &Config, section: &Section, row: ArchivedRow, mut story: ShownStory) -> ShownStory {
    story.copies.retain(|copy| section.takes(&copy.feed));
    (story.id, story.slug) = (row.id, row.slug);
    restrict(&mut story, config);
    story
}

/// Returns the story, shortened if it takes more than `room` bytes; `None` if it still does not fit.
pub fn fitting(story: ShownStory, room: usize) -> Option<ShownStory> {
    if weight(&story) <= room { Some(story) } else { shortened(story, room) }
}

/// Returns the story, shortened; `None` if it still takes more than `room` bytes.
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
        // More stories wait, so none of the shown stories goes into an archive yet.
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
