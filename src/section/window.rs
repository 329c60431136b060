//! Selects the stories that a section's document shows: the newest, within limits.
//!
//! The policy: a document has as many stories as fit into about 1 MiB, but at most `limit`. At most `per_feed` of them
//! are led by the same feed. Once the document is three quarters full, further stories are shortened. Then it also gets
//! no more stories of feeds that already take a quarter of it; these are only in the archives. So no feed can fill the
//! document with a few large stories. This module does no I/O.

use std::collections::HashMap;

use super::{DOCUMENT_BYTES, LONG_STORY_BYTES, ShownStory, fitting, shortened, weight};
use crate::config::Section;
use crate::number::FeedNumber;

/// How many bytes of a document unshortened stories may take if the section has several feeds. The rest has room for
/// about fifty shortened stories.
const FULL_BYTES: usize = DOCUMENT_BYTES / 4 * 3;

/// How many bytes the stories of one feed may take of a full document before it gets no further story of this feed.
const SHARE_BYTES: usize = DOCUMENT_BYTES / 4;

/// The fewest bytes that a story takes. The document is complete when fewer are left.
const LEAST_BYTES: usize = 2 * 1024;

/// The most stories that are skipped for a full document. Without a limit, a feed with a million stories would make the
/// selection slow.
const MAX_PASSED: usize = 10_000;

/// The stories of a section's document while they are selected.
pub struct Window<'s> {
    section: &'s Section,
    stories: Vec<ShownStory>,
    bytes: usize,
    shares: HashMap<FeedNumber, FeedShare>,
    /// Whether a story did not fit without being shortened. From then on, all stories are shortened.
    is_full: bool,
    passed: usize,
}

/// The stories of one feed in the document: their number and size.
#[derive(Default)]
struct FeedShare {
    stories: usize,
    bytes: usize,
}

impl<'s> Window<'s> {
    /// Creates an empty window for a section.
    pub fn new(section: &'s Section) -> Self {
        Window { section, stories: Vec::new(), bytes: 0, shares: HashMap::new(), is_full: false, passed: 0 }
    }

    /// Returns whether the document can have no further story.
    pub fn has_ended(&self) -> bool {
        let has_room = self.stories.is_empty() || self.bytes + LEAST_BYTES <= DOCUMENT_BYTES;
        self.stories.len() >= self.section.limit || !has_room || self.passed >= MAX_PASSED
    }

    /// Returns how many further stories the document may have at most.
    pub fn places(&self) -> usize {
        self.section.limit.saturating_sub(self.stories.len())
    }

    /// Returns whether the document may have another story led by this feed, if the story fits.
    pub fn has_place_for(&mut self, feed: FeedNumber) -> bool {
        let share = self.shares.entry(feed).or_default();
        if self.section.per_feed.is_some_and(|per_feed| share.stories >= per_feed) {
            return false;
        }
        let has_place = !self.is_full || share.bytes < SHARE_BYTES;
        self.passed += usize::from(!has_place);
        has_place
    }

    /// Adds a story led by this feed, or leaves the story out if it does not fit.
    pub fn add(&mut self, feed: FeedNumber, story: ShownStory) {
        let is_shared = self.section.feeds.iter().nth(1).is_some();
        let full_bytes = if is_shared { FULL_BYTES } else { DOCUMENT_BYTES };
        let (room, rest) = (full_bytes.saturating_sub(self.bytes), DOCUMENT_BYTES - self.bytes);
        let is_long = weight(&story) > LONG_STORY_BYTES;
        self.is_full |= !is_long && weight(&story) > room;
        let share = self.shares.entry(feed).or_default();
        let fitting = match self.is_full {
            false => fitting(story, LONG_STORY_BYTES.min(rest)),
            true if share.bytes < SHARE_BYTES => shortened(story, rest),
            true => None,
        };
        if let Some(story) = fitting {
            let bytes = weight(&story);
            self.bytes += bytes;
            share.bytes += bytes;
            share.stories += 1;
            self.stories.push(story);
        }
    }

    /// Returns the stories of the document, in the order in which they were added.
    pub fn into_stories(self) -> Vec<ShownStory> {
        self.stories
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    const KIB: usize = 1024;

    /// Adds stories, each given by its feed and the bytes of its text, until the document is complete. Returns how many
    /// stories of each feed it has.
    fn shown(section: &str, stories: impl IntoIterator<Item = (i64, usize)>) -> Vec<(i64, usize)> {
        let config = sample::config(section);
        let mut window = Window::new(&config.sections[0]);
        let mut shown = Vec::<(i64, usize)>::new();
        for (feed, bytes) in stories {
            if window.has_ended() {
                break;
            }
            let before = window.stories.len();
            if window.has_place_for(FeedNumber(feed)) {
                window.add(FeedNumber(feed), sample::story(&config, "7", bytes));
            }
            if window.stories.len() > before {
                match shown.iter_mut().find(|(of, _)| *of == feed) {
                    Some((_, count)) => *count += 1,
                    None => shown.push((feed, 1)),
                }
            }
        }
        shown
    }

    #[test]
    fn section_has_a_limit_of_stories_and_one_per_feed() {
        let stories = |feeds: &'static [i64]| feeds.iter().map(|feed| (*feed, KIB));
        assert_eq!(shown("limit = 2", stories(&[1, 1, 2])), [(1, 2)]);
        assert_eq!(shown("limit = 9\nper_feed = 1", stories(&[1, 1, 1, 2, 1])), [(1, 1), (2, 1)]);
        assert_eq!(shown("", stories(&[])), []);
    }

    #[test]
    fn full_document_has_room_for_shortened_stories_of_other_feeds() {
        let large = std::iter::repeat_n((1, 200 * KIB), 20);
        let small = std::iter::repeat_n((2, KIB), 5);
        assert_eq!(shown("limit = 100", large.chain(small)), [(1, 3), (2, 5)]);
    }

    #[test]
    fn window_ends_if_a_feed_floods_a_full_document() {
        let flood = std::iter::repeat_n((1, 200 * KIB), MAX_PASSED + 4);
        assert_eq!(shown("limit = 100", flood.chain([(2, KIB)])), [(1, 3)]);
    }
}
