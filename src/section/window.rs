//! Which stories a section's document shows: its newest, within its limits.
//!
//! Pure. Policy: a document has at most `limit` stories, at most `per_feed` led by one feed, and as many as fit into
//! about 1 MiB. Once it is three quarters full, further stories are shortened, and stories of feeds that already take a
//! quarter of it are left to the archives: no feed can fill the list with a few large stories.

use std::collections::HashMap;

use super::{DOCUMENT_BYTES, LONG_STORY_BYTES, ShownStory, fitting, shortened, weight};
use crate::config::Section;
use crate::number::FeedNumber;

/// How much of a document stories may take in full if several feeds share it; the rest is for about fifty shortened
/// ones.
const FULL_BYTES: usize = DOCUMENT_BYTES / 4 * 3;

/// A feed whose stories take this much of a full document gets no more of it.
const SHARE_BYTES: usize = DOCUMENT_BYTES / 4;

/// The least bytes of a story: the list ends when less is left.
const LEAST_BYTES: usize = 2 * 1024;

/// The most stories that a full document skips, so that a feed with a million of them does not slow it down.
const MAX_PASSED: usize = 10_000;

/// The stories of a section's document while they are selected.
pub struct Window<'s> {
    section: &'s Section,
    stories: Vec<ShownStory>,
    bytes: usize,
    shares: HashMap<FeedNumber, FeedShare>,
    /// Whether a story did not fit in full: from then on all are shortened.
    is_full: bool,
    passed: usize,
}

/// What the document has of one feed.
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

    /// Returns whether no further story will be shown.
    pub fn has_ended(&self) -> bool {
        let has_room = self.stories.is_empty() || self.bytes + LEAST_BYTES <= DOCUMENT_BYTES;
        self.stories.len() >= self.section.limit || !has_room || self.passed >= MAX_PASSED
    }

    /// Returns the most further stories that may be shown.
    pub fn places(&self) -> usize {
        self.section.limit.saturating_sub(self.stories.len())
    }

    /// Returns whether the next story led by this feed may be shown, if it fits.
    pub fn has_place_for(&mut self, feed: FeedNumber) -> bool {
        let share = self.shares.entry(feed).or_default();
        if self.section.per_feed.is_some_and(|per_feed| share.stories >= per_feed) {
            return false;
        }
        let has_place = !self.is_full || share.bytes < SHARE_BYTES;
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

    /// Returns the shown stories, in the order in which they were added.
    pub fn into_stories(self) -> Vec<ShownStory> {
        self.stories
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    const KIB: usize = 1024;

    /// Adds stories of feeds, each with this much text, until the window ends; returns how many of each feed are shown.
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
