//! Which stories a section's document shows: its newest, within its limits.
//!
//! Pure. The policy held here: a document has at most `limit` stories, at most `per_feed` led by one feed, and as many as some
//! 1 MiB holds. When it is three quarters full, further stories are shortened, and those of feeds that have a quarter of it
//! are left to the archives: no feed ends the list with a few large stories.

use std::collections::HashMap;

use super::{DOCUMENT_BYTES, LONG_STORY_BYTES, ShownStory, fitting, shortened, weight};
use crate::config::Section;
use crate::number::FeedNumber;

/// How much of a document stories may take in full if several feeds share it; the rest is for shortened ones, some fifty.
const FULL_BYTES: usize = DOCUMENT_BYTES / 4 * 3;

/// A feed whose stories take so much of a document gets no more of it when it is full.
const SHARE_BYTES: usize = DOCUMENT_BYTES / 4;

/// No story takes less: the list ends when less is left.
const LEAST_BYTES: usize = 2 * 1024;

/// How many stories a full document passes over, so that a feed with a million of them does not slow it down.
const MAX_PASSED: usize = 10_000;

/// The stories of a section's document, as they are chosen.
pub struct Window<'s> {
    section: &'s Section,
    stories: Vec<ShownStory>,
    bytes: usize,
    of_feed: HashMap<FeedNumber, OfFeed>,
    /// Whether a story came that did not fit in full: from then on all are shortened.
    is_full: bool,
    passed: usize,
}

/// What the document has of a feed.
#[derive(Default)]
struct OfFeed {
    stories: usize,
    bytes: usize,
}

impl<'s> Window<'s> {
    pub fn new(section: &'s Section) -> Self {
        Window { section, stories: Vec::new(), bytes: 0, of_feed: HashMap::new(), is_full: false, passed: 0 }
    }

    /// Whether no further story is shown.
    pub fn has_ended(&self) -> bool {
        let has_room = self.stories.is_empty() || self.bytes + LEAST_BYTES <= DOCUMENT_BYTES;
        self.stories.len() >= self.section.limit || !has_room || self.passed >= MAX_PASSED
    }

    /// How many further stories may be shown at most.
    pub fn places(&self) -> usize {
        self.section.limit.saturating_sub(self.stories.len())
    }

    /// Whether the next story may be shown, if it fits, that this feed leads.
    pub fn has_place_for(&mut self, feed: FeedNumber) -> bool {
        let of_feed = self.of_feed.entry(feed).or_default();
        if self.section.per_feed.is_some_and(|per_feed| of_feed.stories >= per_feed) {
            return false;
        }
        let has_place = !self.is_full || of_feed.bytes < SHARE_BYTES;
        self.passed += usize::from(!has_place);
        has_place
    }

    /// Adds a story of a feed, or leaves it out if it does not fit.
    pub fn add(&mut self, feed: FeedNumber, story: ShownStory) {
        let is_shared = self.section.feeds.iter().nth(1).is_some();
        let full_bytes = if is_shared { FULL_BYTES } else { DOCUMENT_BYTES };
        let (room, rest) = (full_bytes.saturating_sub(self.bytes), DOCUMENT_BYTES - self.bytes);
        let is_long = weight(&story) > LONG_STORY_BYTES;
        self.is_full |= !is_long && weight(&story) > room;
        let of_feed = self.of_feed.entry(feed).or_default();
        let fitting = match self.is_full {
            false => fitting(story, LONG_STORY_BYTES.min(rest)),
            true if of_feed.bytes < SHARE_BYTES => shortened(story, rest),
            true => None,
        };
        if let Some(story) = fitting {
            let bytes = weight(&story);
            self.bytes += bytes;
            of_feed.bytes += bytes;
            of_feed.stories += 1;
            self.stories.push(story);
        }
    }

    /// Returns the stories that are shown, in the order in which they were added.
    pub fn into_stories(self) -> Vec<ShownStory> {
        self.stories
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    const KIB: usize = 1024;

    /// Adds stories of feeds, each with so much text, until the window ends; returns how many of each feed are shown.
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
    fn section_shows_so_many_stories_and_of_one_feed_so_many() {
        let stories = |feeds: &'static [i64]| feeds.iter().map(|feed| (*feed, KIB));
        assert_eq!(shown("limit = 2", stories(&[1, 1, 2])), [(1, 2)]);
        assert_eq!(shown("limit = 9\nper_feed = 1", stories(&[1, 1, 1, 2, 1])), [(1, 1), (2, 1)]);
        assert_eq!(shown("", stories(&[])), []);
    }

    #[test]
    fn document_that_is_full_gives_other_feeds_a_place_for_shortened_stories() {
        let large = std::iter::repeat_n((1, 200 * KIB), 20);
        let small = std::iter::repeat_n((2, KIB), 5);
        assert_eq!(shown("limit = 100", large.chain(small)), [(1, 3), (2, 5)]);
    }

    #[test]
    fn window_ends_where_a_feed_floods_a_full_document() {
        let flood = std::iter::repeat_n((1, 200 * KIB), MAX_PASSED + 4);
        assert_eq!(shown("limit = 100", flood.chain([(2, KIB)])), [(1, 3)]);
    }
}
