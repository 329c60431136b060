//! What the store knows of sections: what they show, how they are doing, and what was last published of them.

use std::collections::HashMap;

use rusqlite::OptionalExtension;
use serde::Serialize;

use crate::config::{Config, Section};
use crate::feed::{FeedId, SectionId};
use crate::number::{FeedNumber, SectionNumber};
use crate::render;
use crate::section::{self, ShownFeed, ShownStory};
use crate::time::Timestamp;

use super::archive::{DOCUMENT_BYTES, LONG_STORY_BYTES, fitting, short};
use super::copies::{Viewer, copies_of};
use super::sql::{optional_time, time};
use super::stories::{standing, stored_story};
use super::{Reader, StoreError};

/// How a section is doing.
#[derive(Clone, Debug, Serialize)]
pub struct SectionStatus {
    pub section: SectionId,
    /// All the stories in it, shown or beyond its limit.
    pub stories: u64,
    /// `sort_at` of the newest.
    pub newest: Option<Timestamp>,
}

/// How much of a document stories may take in full where several feeds share it; the rest is for shortened ones, some fifty.
const FULL_BYTES: usize = DOCUMENT_BYTES / 4 * 3;

/// A feed whose stories take so much of a document gets no more of it when it is full.
const SHARE_BYTES: usize = DOCUMENT_BYTES / 4;

/// No story takes less: the list ends when less is left.
const LEAST_BYTES: usize = 2 * 1024;

/// How many stories a full document passes over, so that a feed with a million of them does not slow it down.
const MAX_PASSED: usize = 10_000;

/// The stories of a section's document, as they are chosen.
struct List<'s> {
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

impl<'s> List<'s> {
    fn new(section: &'s Section) -> Self {
        List { section, stories: Vec::new(), bytes: 0, of_feed: HashMap::new(), is_full: false, passed: 0 }
    }

    fn has_ended(&self) -> bool {
        let has_room = self.stories.is_empty() || self.bytes + LEAST_BYTES <= DOCUMENT_BYTES;
        self.stories.len() >= self.section.limit || !has_room || self.passed >= MAX_PASSED
    }

    /// Whether the next story may be shown, if it fits, that this feed leads.
    fn has_place_for(&mut self, feed: FeedNumber) -> bool {
        let of_feed = self.of_feed.entry(feed).or_default();
        if self.section.per_feed.is_some_and(|per_feed| of_feed.stories >= per_feed) {
            return false;
        }
        let has_place = !self.is_full || of_feed.bytes < SHARE_BYTES;
        self.passed += usize::from(!has_place);
        has_place
    }

    /// Adds a story of a feed, or leaves it out if it does not fit.
    fn add(&mut self, feed: FeedNumber, story: ShownStory) {
        let is_shared = self.section.feeds.iter().nth(1).is_some();
        let full_bytes = if is_shared { FULL_BYTES } else { DOCUMENT_BYTES };
        let (room, rest) = (full_bytes.saturating_sub(self.bytes), DOCUMENT_BYTES - self.bytes);
        let is_long = render::weight(&story) > LONG_STORY_BYTES;
        self.is_full |= !is_long && render::weight(&story) > room;
        let of_feed = self.of_feed.entry(feed).or_default();
        let fitting = match self.is_full {
            false => fitting(story, LONG_STORY_BYTES.min(rest)),
            true if of_feed.bytes < SHARE_BYTES => short(story, rest),
            true => None,
        };
        if let Some(story) = fitting {
            let bytes = render::weight(&story);
            self.bytes += bytes;
            of_feed.bytes += bytes;
            of_feed.stories += 1;
            self.stories.push(story);
        }
    }
}

/// What a section shows.
#[derive(Clone, Debug)]
pub struct SectionContent {
    /// Newest first, at most the section's `limit`.
    pub stories: Vec<ShownStory>,
    pub feeds: Vec<ShownFeed>,
    /// The newest change among the stories; of an empty section, when the store first saw it.
    pub updated: Timestamp,
    /// The section's permanent id.
    pub atom_id: String,
}

impl Reader {
    /// How the configured sections are doing, by id.
    ///
    /// # Errors
    ///
    /// As of SQLite.
    pub fn section_statuses(&self) -> Result<HashMap<SectionId, SectionStatus>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT section.id, count(placement.story), max(placement.sort_at)
             FROM section LEFT JOIN placement ON placement.section = section.number AND placement.left_at IS NULL
             WHERE section.gone IS NULL GROUP BY section.number",
        )?;
        let statuses = statement.query_map([], |row| {
            let section = SectionId::from(row.get::<_, String>(0)?.as_str());
            let stories = row.get::<_, i64>(1)?.cast_unsigned();
            Ok((section.clone(), SectionStatus { section, stories, newest: optional_time(row, 2)? }))
        })?;
        Ok(statuses.collect::<Result<_, _>>()?)
    }

    /// What a section shows: its newest stories, at most `limit` of them, at most `per_feed` led by one feed, and as many as
    /// a document of 1 MiB holds. When the document is three quarters full, further stories are shortened, and those of feeds
    /// that have a quarter of it are left to the archives: no feed ends the list with a few large stories.
    ///
    /// # Errors
    ///
    /// As of SQLite, or that stored words cannot be read.
    pub fn section_content(&self, config: &Config, section: &Section) -> Result<SectionContent, StoreError> {
        let infos = self.feed_infos()?;
        let info = |feed: &FeedId| infos.get(feed).cloned().unwrap_or_default();
        let (number, first_seen, atom_id) = self.section_row(config, &section.id)?;
        let mut statement = self.connection.prepare_cached(
            "SELECT story.number, coalesce(placement.published_as, story.public_id), story.slug, story.sort_at, placement.lead, placement.sort_at, placement.changed,
               placement.frozen, placement.lead_feed
             FROM placement JOIN story ON story.number = placement.story
             WHERE placement.section = ?1 AND placement.left_at IS NULL ORDER BY placement.sort_at DESC, placement.story DESC",
        )?;
        let mut rows = statement.query([number])?;
        let mut list = List::new(section);
        while !list.has_ended()
            && let Some(row) = rows.next()?
        {
            let feed = row.get(8)?;
            if !list.has_place_for(feed) {
                continue;
            }
            let (story, standing) = (stored_story(row)?, standing(row)?);
            let viewer = Viewer::Section(section);
            let copies = copies_of(&self.connection, config, story.number, viewer, false)?;
            let visible = section::visible(section, &copies);
            if !visible.is_empty() {
                let named = (&*story.id, &*story.slug, story.sort_at);
                list.add(feed, section::show(config, named, &standing, &visible, &info));
            }
        }
        let stories = list.stories;
        let updated = stories.iter().map(|story| story.updated).max().unwrap_or(first_seen);
        let feeds = section.feeds.iter().filter_map(|id| config.feed(id));
        let feeds = feeds.map(|feed| section::show_feed(feed, &info(&feed.id))).collect();
        Ok(SectionContent { stories, feeds, updated, atom_id })
    }

    /// The section's number, when it was first seen, and its permanent id: until one is minted, its present address.
    fn section_row(&self, config: &Config, id: &SectionId) -> Result<(SectionNumber, Timestamp, String), StoreError> {
        let mut statement =
            self.connection.prepare_cached("SELECT number, first_seen, atom_id FROM section WHERE id = ?1")?;
        let (number, first_seen, atom_id) = statement
            .query_row([id.as_str()], |row| Ok((row.get(0)?, time(row, 1)?, row.get::<_, Option<String>>(2)?)))?;
        Ok((number, first_seen, atom_id.unwrap_or_else(|| format!("{}{id}", config.site.url))))
    }

    /// The permanent id of a section.
    ///
    /// # Errors
    ///
    /// As of SQLite.
    pub fn atom_id(&self, config: &Config, id: &SectionId) -> Result<String, StoreError> {
        self.section_row(config, id).map(|(.., atom_id)| atom_id)
    }

    /// The sections that were here once and are not now.
    ///
    /// # Errors
    ///
    /// As of SQLite.
    pub fn gone_sections(&self) -> Result<Vec<SectionId>, StoreError> {
        let mut statement =
            self.connection.prepare_cached("SELECT id FROM section WHERE gone IS NOT NULL ORDER BY id")?;
        let ids = statement.query_map([], |row| Ok(SectionId::from(row.get::<_, String>(0)?.as_str())))?;
        Ok(ids.collect::<Result<_, _>>()?)
    }

    /// What was last published at a path: its hash and the time of its last change.
    ///
    /// # Errors
    ///
    /// As of SQLite.
    pub fn edition(&self, path: &str) -> Result<Option<(Vec<u8>, Timestamp)>, StoreError> {
        let mut statement = self.connection.prepare_cached("SELECT hash, changed FROM edition WHERE path = ?1")?;
        Ok(statement.query_row([path], |row| Ok((row.get(0)?, time(row, 1)?))).optional()?)
    }
}
