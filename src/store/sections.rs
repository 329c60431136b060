//! Loads sections, and the placements of stories in them.

use std::collections::HashMap;

use rusqlite::{OptionalExtension, Row, params};
use serde::Serialize;

use super::forms::decode_entry;
use super::sql::{optional_time, text, time};
use super::{StoreError, View};
use crate::entry::Entry;
use crate::feed::SectionId;
use crate::number::{SectionNumber, StoryNumber};
use crate::rows::{KnownSection, PlacedRow, PlacementRow, RecentRow, StoryPageRow};
use crate::time::Timestamp;

/// The figures of a section, for reports.
#[derive(Clone, Debug, Serialize)]
pub struct SectionStatus {
    /// The section.
    pub section: SectionId,
    /// How many stories are in the section, including those beyond its configured limit.
    pub stories: u64,
    /// The time by which the section sorts its newest story; `None` if it has none.
    pub newest: Option<Timestamp>,
}

const PLACED: &str = "SELECT placement.section, placement.story, coalesce(placement.published_as, story.public_id), story.slug,
   placement.sort_at, placement.lead, placement.lead_feed, placement.changed, placement.left_at IS NULL, placement.frozen IS NOT NULL
 FROM placement JOIN story ON story.number = placement.story";

impl View {
    /// Loads the figures of each configured section.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn section_statuses(&self) -> Result<HashMap<SectionId, SectionStatus>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT section.id, count(placement.story), max(placement.sort_at)
             FROM section LEFT JOIN placement ON placement.section = section.number AND placement.left_at IS NULL
             WHERE section.gone IS NULL GROUP BY section.number",
        )?;
        let statuses = statement.query_map([], |row| {
            let section = SectionId::from(text(row, 0)?);
            let stories = row.get::<_, i64>(1)?.cast_unsigned();
            Ok((section.clone(), SectionStatus { section, stories, newest: optional_time(row, 2)? }))
        })?;
        Ok(statuses.collect::<Result<_, _>>()?)
    }

    /// Loads a section.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite, and an error if the store has no such section.
    pub fn section(&self, id: &SectionId) -> Result<KnownSection, StoreError> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT number, first_seen, atom_id, podcast_guid FROM section WHERE id = ?1")?;
        Ok(statement.query_row([id.as_str()], |row| {
            let (number, first_seen, permanent_id) = (row.get(0)?, time(row, 1)?, row.get(2)?);
            Ok(KnownSection { number, first_seen, permanent_id, podcast_guid: row.get(3)? })
        })?)
    }

    /// Loads at most `limit` stories of a section, newest first. With `after`, loads those that follow the story with
    /// this time and number.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn placed_in(
        &self,
        section: SectionNumber,
        after: Option<(Timestamp, StoryNumber)>,
        limit: usize,
    ) -> Result<Vec<PlacedRow>, StoreError> {
        let mut statement = self.connection.prepare_cached(&format!(
            "{PLACED} WHERE placement.section = ?1 AND placement.left_at IS NULL AND (placement.sort_at, placement.story) < (?2, ?3)
             ORDER BY placement.sort_at DESC, placement.story DESC LIMIT ?4"
        ))?;
        let (sort_at, story) = after.unwrap_or((Timestamp::MAX, StoryNumber(i64::MAX)));
        let rows = statement.query_map(params![section, sort_at.millis(), story, limit.cast_signed()], placed_row)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Loads at most `limit` stories of a section that are sorted by a time after `since`, newest first, each with that
    /// time and the number of its entries. Reads only indexes, because there may be very many.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn sorted_after(
        &self,
        section: SectionNumber,
        since: Timestamp,
        limit: usize,
    ) -> Result<Vec<RecentRow>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT story, sort_at, (SELECT count(*) FROM entry WHERE entry.story = placement.story) FROM placement
             WHERE section = ?1 AND left_at IS NULL AND sort_at > ?2 ORDER BY sort_at DESC, story DESC LIMIT ?3",
        )?;
        let rows = statement.query_map(params![section, since.millis(), limit.cast_signed()], |row| {
            Ok(RecentRow { story: row.get(0)?, sort_at: time(row, 1)?, entries: row.get::<_, u32>(2)? as usize })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Loads the placement of a story in a section; `None` if the store has none.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn placed(&self, section: &SectionId, story: StoryNumber) -> Result<Option<PlacedRow>, StoreError> {
        let mut statement = self.connection.prepare_cached(&format!(
            "{PLACED} WHERE placement.section = (SELECT number FROM section WHERE id = ?1) AND placement.story = ?2"
        ))?;
        Ok(statement.query_row(params![section.as_str(), story], placed_row).optional()?)
    }

    /// Loads the frozen content of a story in a section with `edits = "ignore"`. The section shows this content even if
    /// the feed changes the entry later. Returns `None` if there is none.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite, and an error if a stored entry cannot be read.
    pub fn frozen(&self, section: SectionNumber, story: StoryNumber) -> Result<Option<Entry>, StoreError> {
        let mut statement =
            self.connection.prepare_cached("SELECT frozen FROM placement WHERE section = ?1 AND story = ?2")?;
        let frozen: Option<Option<String>> =
            statement.query_row(params![section, story], |row| row.get(0)).optional()?;
        Ok(frozen.flatten().as_deref().map(decode_entry).transpose()?)
    }

    /// Loads the placements of a story in all sections, including removed ones.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn placements_of(&self, story: StoryNumber) -> Result<HashMap<SectionId, PlacementRow>, StoreError> {
        let mut statement = self.connection.prepare_cached("SELECT id FROM section WHERE number = ?1")?;
        let mut by_id = HashMap::new();
        for (section, row) in self.placements(story)? {
            by_id.insert(statement.query_row([section], |row| Ok(SectionId::from(text(row, 0)?)))?, row);
        }
        Ok(by_id)
    }

    /// Loads the configured sections that a story is in, in alphabetical order.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn sections_holding(&self, story: StoryNumber) -> Result<Vec<SectionId>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT section.id FROM placement JOIN section ON section.number = placement.section
             WHERE placement.story = ?1 AND placement.left_at IS NULL AND section.gone IS NULL ORDER BY section.id",
        )?;
        let sections = statement.query_map([story], |row| Ok(SectionId::from(text(row, 0)?)))?;
        Ok(sections.collect::<Result<_, _>>()?)
    }

    /// Loads the sections that were removed from the config, in alphabetical order.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn gone_sections(&self) -> Result<Vec<SectionId>, StoreError> {
        let mut statement =
            self.connection.prepare_cached("SELECT id FROM section WHERE gone IS NOT NULL ORDER BY id")?;
        let ids = statement.query_map([], |row| Ok(SectionId::from(text(row, 0)?)))?;
        Ok(ids.collect::<Result<_, _>>()?)
    }

    /// Loads the sections that were removed from the config at `since` or later, in alphabetical order.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn sections_gone_since(&self, since: Timestamp) -> Result<Vec<SectionId>, StoreError> {
        let mut statement = self.connection.prepare_cached("SELECT id FROM section WHERE gone >= ?1 ORDER BY id")?;
        let ids = statement.query_map([since.millis()], |row| Ok(SectionId::from(text(row, 0)?)))?;
        Ok(ids.collect::<Result<_, _>>()?)
    }

    /// Loads the pages of the stories in a section whose number is greater than `after`, at most `limit`, in the order of their
    /// numbers.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn story_pages(
        &self,
        section: &SectionId,
        after: StoryNumber,
        limit: usize,
    ) -> Result<Vec<StoryPageRow>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT story.number, slug, coalesce(changed, entered, placement.sort_at),
               EXISTS (SELECT 1 FROM entry JOIN link ON link.entry = entry.number WHERE entry.story = story.number)
             FROM placement JOIN story ON story.number = placement.story
             WHERE section = (SELECT number FROM section WHERE id = ?1) AND left_at IS NULL AND story > ?2
             ORDER BY placement.story LIMIT ?3",
        )?;
        let page = |row: &Row| {
            let (story, slug, changed) = (row.get(0)?, row.get(1)?, time(row, 2)?);
            Ok(StoryPageRow { story, slug, changed, has_link: row.get(3)? })
        };
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let pages = statement.query_map(params![section.as_str(), after, limit], page)?;
        Ok(pages.collect::<Result<_, _>>()?)
    }

    /// Loads the slugs of all stories in a section, including those beyond its configured limit. Also loads the slug of
    /// a story that was merged into one of these, if a public section had shown the merged story.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn page_slugs(&self, section: &SectionId) -> Result<Vec<String>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "WITH placed AS (SELECT story FROM placement
               WHERE section = (SELECT number FROM section WHERE id = ?1) AND left_at IS NULL)
             SELECT slug FROM placed JOIN story ON story.number = placed.story
             UNION ALL SELECT slug FROM placed JOIN story ON story.joined_into = placed.story
               WHERE story.shown IS NOT NULL",
        )?;
        let slugs = statement.query_map([section.as_str()], |row| row.get(0))?;
        Ok(slugs.collect::<Result<_, _>>()?)
    }
}

fn placed_row(row: &Row) -> rusqlite::Result<PlacedRow> {
    Ok(PlacedRow {
        section: row.get(0)?,
        story: row.get(1)?,
        id: row.get(2)?,
        slug: row.get(3)?,
        sort_at: time(row, 4)?,
        lead: row.get(5)?,
        lead_feed: row.get(6)?,
        changed: optional_time(row, 7)?,
        is_in: row.get(8)?,
        has_frozen: row.get(9)?,
    })
}
