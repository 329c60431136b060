//! What the store knows of sections: what they show, how they are doing, and what was last published of them.

use std::collections::{BTreeMap, HashMap};

use rusqlite::OptionalExtension;
use serde::Serialize;

use crate::config::{Config, Section};
use crate::feed::{FeedId, SectionId};
use crate::render;
use crate::section::{self, ShownFeed, ShownStory};
use crate::time::Timestamp;

use super::archive::{DOCUMENT_BYTES, LONG_STORY_BYTES};
use super::place::{copies_of, optional_time, time};
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
             FROM section LEFT JOIN placement ON placement.section = section.number AND placement.left IS NULL
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
    /// a document of 1 MiB holds.
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
             WHERE placement.section = ?1 AND placement.left IS NULL ORDER BY placement.sort_at DESC, placement.story DESC",
        )?;
        let mut rows = statement.query([number])?;
        let mut stories = Vec::new();
        let mut by_feed = BTreeMap::<i64, usize>::new();
        let mut bytes = 0;
        while stories.len() < section.limit {
            let Some(row) = rows.next()? else { break };
            let of_feed = by_feed.entry(row.get(8)?).or_default();
            if section.per_feed.is_some_and(|per_feed| *of_feed >= per_feed) {
                continue;
            }
            let (story, standing) = (stored_story(row)?, standing(row)?);
            let copies = copies_of(&self.connection, config, story.number, false)?;
            let visible = section::visible(section, &copies);
            if visible.is_empty() {
                continue;
            }
            let mut shown = section::show(config, (&story.id, &story.slug, story.sort_at), &standing, &visible, &info);
            if render::weight(&shown) > LONG_STORY_BYTES {
                section::shorten(&mut shown);
            }
            bytes += render::weight(&shown);
            if bytes > DOCUMENT_BYTES && !stories.is_empty() {
                break;
            }
            *of_feed += 1;
            stories.push(shown);
        }
        let updated = stories.iter().map(|story| story.updated).max().unwrap_or(first_seen);
        let feeds = section.feeds.iter().filter_map(|id| config.feed(id));
        let feeds = feeds.map(|feed| section::show_feed(feed, &info(&feed.id))).collect();
        Ok(SectionContent { stories, feeds, updated, atom_id })
    }

    /// The section's number, when it was first seen, and its permanent id: until one is minted, its present address.
    fn section_row(&self, config: &Config, id: &SectionId) -> Result<(i64, Timestamp, String), StoreError> {
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
