//! Loads and writes archive documents.

use std::collections::BTreeSet;

use rusqlite::{OptionalExtension, params};

use super::forms::{decode_stories, encode_stories};
use super::sql::{optional_time, time};
use super::why::why;
use super::{StoreError, Turn, View};
use crate::feed::SectionId;
use crate::number::{SectionNumber, StoryNumber};
use crate::reason::Why;
use crate::rows::{ArchiveRow, ArchivedRow, ShownStory};
use crate::time::Timestamp;

/// The zstd compression level. A high level saves space, and costs time only when a document is written, which happens
/// seldom.
const ZSTD_LEVEL: i32 = 9;

/// The stories of an archive document, compressed as on disk. Compressing takes long, so do it outside of a [`Turn`]:
/// all other writers wait while a turn runs.
#[derive(Clone, Debug)]
pub struct Packed(Vec<u8>);

impl Packed {
    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Compresses stories.
    ///
    /// # Errors
    ///
    /// Returns the errors of the compressor.
    pub fn of<'s>(stories: impl IntoIterator<Item = &'s ShownStory>) -> Result<Packed, StoreError> {
        Ok(Packed(zstd::encode_all(encode_stories(stories).as_slice(), ZSTD_LEVEL)?))
    }
}

/// Decompresses the stories of an archive document, whichever version of newswire wrote it.
pub(super) fn unpack(packed: &[u8]) -> Result<Vec<ShownStory>, StoreError> {
    Ok(decode_stories(&zstd::decode_all(packed)?)?)
}

impl View {
    /// Returns the number of a section's newest archive document; `None` if the section has none.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn newest_archive(&self, section: &SectionId) -> Result<Option<u32>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT max(archive.number) FROM archive JOIN section ON section.number = archive.section WHERE section.id = ?1",
        )?;
        Ok(statement.query_row([section.as_str()], |row| row.get(0))?)
    }

    /// Loads at most `limit` stories, oldest first, that are in no archive document yet. They are in the section, or
    /// left it only because of their age.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn not_archived(&self, section: &SectionId, limit: usize) -> Result<Vec<StoryNumber>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT story FROM placement
             WHERE section = (SELECT number FROM section WHERE id = ?1)
               AND archive IS NULL AND entered IS NOT NULL AND (left_at IS NULL OR rule IS NULL)
               AND (left_at IS NULL OR why = ?2)
             ORDER BY sort_at, story LIMIT ?3",
        )?;
        let stories = statement
            .query_map(params![section.as_str(), Why::TooOld.code(), limit.cast_signed()], |row| row.get(0))?;
        Ok(stories.collect::<Result<_, _>>()?)
    }

    /// Loads an archive document; `None` if the section has none with this number.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn archive(&self, section: &SectionId, number: u32) -> Result<Option<ArchiveRow>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT archive.section, archive.made, archive.stories FROM archive JOIN section ON section.number = archive.section
             WHERE section.id = ?1 AND archive.number = ?2",
        )?;
        let row = statement.query_row(params![section.as_str(), number], |row| {
            Ok((row.get(0)?, time(row, 1)?, row.get::<_, Vec<u8>>(2)?))
        });
        let Some((section, made, packed)) = row.optional()? else { return Ok(None) };
        Ok(Some(ArchiveRow { section, made, stories: unpack(&packed)? }))
    }

    /// Loads the current placements of the stories of an archive document.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn archived_in(&self, section: SectionNumber, archive: u32) -> Result<Vec<ArchivedRow>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT story, coalesce(published_as, public_id), slug, entered, left_at, rule, why, detail
             FROM placement JOIN story ON story.number = placement.story
             WHERE section = ?1 AND archive = ?2 AND archive IS NOT NULL",
        )?;
        let rows = statement.query_map(params![section, archive], |row| {
            Ok(ArchivedRow {
                story: row.get(0)?,
                id: row.get(1)?,
                slug: row.get(2)?,
                entered: optional_time(row, 3)?,
                left: optional_time(row, 4)?,
                why: why(row, 5)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Loads the numbers of a section's archive documents, oldest first, each with the time of its last change.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn archives(&self, section: &SectionId) -> Result<Vec<(u32, Timestamp)>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT archive.number, max(archive.made, coalesce(max(entered), 0), coalesce(max(left_at), 0))
             FROM archive JOIN section ON section.number = archive.section
               LEFT JOIN placement ON placement.section = archive.section AND placement.archive = archive.number
             WHERE section.id = ?1 GROUP BY archive.number ORDER BY archive.number",
        )?;
        let archives = statement.query_map([section.as_str()], |row| Ok((row.get(0)?, time(row, 1)?)))?;
        Ok(archives.collect::<Result<_, _>>()?)
    }

    /// Returns the section and number of each archive document that has one of these stories.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn archives_of(&self, stories: &BTreeSet<StoryNumber>) -> Result<BTreeSet<(SectionNumber, u32)>, StoreError> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT section, archive FROM placement WHERE story = ?1 AND archive IS NOT NULL")?;
        let mut archives = BTreeSet::new();
        for story in stories {
            let rows = statement.query_map([story], |row| Ok((row.get(0)?, row.get(1)?)))?;
            archives.extend(rows.collect::<Result<Vec<_>, _>>()?);
        }
        Ok(archives)
    }

    /// Loads the stories of an archive document.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn archived(&self, section: SectionNumber, number: u32) -> Result<Vec<ShownStory>, StoreError> {
        let mut read =
            self.connection.prepare_cached("SELECT stories FROM archive WHERE section = ?1 AND number = ?2")?;
        let packed: Vec<u8> = read.query_row(params![section, number], |row| row.get(0))?;
        unpack(&packed)
    }
}

impl Turn<'_> {
    /// Writes a new archive document of a section, and records that these stories are in it.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn write_archive(
        &self,
        section: &SectionId,
        stories: &[StoryNumber],
        packed: &Packed,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut insert = self.connection.prepare_cached(
            "INSERT INTO archive (section, number, made, stories)
             SELECT section.number, 1 + coalesce((SELECT max(number) FROM archive WHERE section = section.number), 0), ?2, ?3
             FROM section WHERE id = ?1 RETURNING section, number",
        )?;
        let (section, number): (SectionNumber, u32) = insert
            .query_row(params![section.as_str(), now.millis(), packed.0], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let mut update = self.connection.prepare_cached(
            "UPDATE placement SET archive = ?3 WHERE section = ?1 AND story = ?2 AND archive IS NULL",
        )?;
        for story in stories {
            update.execute(params![section, story, number])?;
        }
        Ok(())
    }

    /// Replaces the stories of an archive document.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn rewrite_archive(&self, section: SectionNumber, number: u32, packed: &Packed) -> Result<(), StoreError> {
        let mut write =
            self.connection.prepare_cached("UPDATE archive SET stories = ?3 WHERE section = ?1 AND number = ?2")?;
        write.execute(params![section, number, packed.0])?;
        Ok(())
    }
}
