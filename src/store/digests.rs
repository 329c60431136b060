//! Loads and writes digests, the stories that entered a section in a period.

use std::collections::{BTreeSet, HashSet};

use rusqlite::{OptionalExtension, Row, params};

use super::archive::{Packed, unpack};
use super::sql::{optional_time, text, time};
use super::{StoreError, Turn, View};
use crate::number::{SectionNumber, StoryNumber};
use crate::reason::Why;
use crate::rows::{Digest, DigestKind, DigestProgress, ShownStory};
use crate::time::Timestamp;

/// A condition for placements of the section ?1 that entered from ?2 to before ?3, and whose story is in no digest of
/// the kind ?4, neither itself nor as one that was merged into it.
const NEWLY_ENTERED: &str = "section = ?1 AND left_at IS NULL AND entered IS NOT NULL AND entered >= ?2 AND entered < ?3
   AND NOT EXISTS (SELECT 1 FROM digested WHERE digested.story = placement.story AND digested.section = ?1 AND kind = ?4)
   AND NOT EXISTS (SELECT 1 FROM story JOIN digested ON digested.story = story.number
     WHERE story.joined_into = placement.story AND digested.section = ?1 AND kind = ?4)";

impl View {
    /// Loads how far the digests of a section have come, for each kind that is switched on.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn digest_progress(&self, section: SectionNumber) -> Result<Vec<(DigestKind, DigestProgress)>, StoreError> {
        let mut statement =
            self.connection.prepare_cached("SELECT kind, first, day, since FROM digesting WHERE section = ?1")?;
        let rows = statement.query_map([section], |row| {
            let progress = DigestProgress { first: day(row, 1)?, day: day(row, 2)?, since: time(row, 3)? };
            Ok(kind(row, 0)?.map(|kind| (kind, progress)))
        })?;
        Ok(rows.collect::<rusqlite::Result<Vec<_>>>()?.into_iter().flatten().collect())
    }

    /// Returns when the first story since `since` entered a section, of those that are still in it.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn first_entered(&self, section: SectionNumber, since: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT min(entered) FROM placement
             WHERE section = ?1 AND left_at IS NULL AND entered IS NOT NULL AND entered >= ?2",
        )?;
        Ok(statement.query_row(params![section, since.millis()], |row| optional_time(row, 0))?)
    }

    /// Loads the stories for a digest: those that entered the section from `since` to before `end`, are still in it, and
    /// are in no digest of this kind yet. Returns the newest `limit`, and how many there are in total.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn entered_between(
        &self,
        (section, kind): (SectionNumber, DigestKind),
        (since, end): (Timestamp, Timestamp),
        limit: usize,
    ) -> Result<(Vec<StoryNumber>, usize), StoreError> {
        let mut statement = self.connection.prepare_cached(&format!(
            "SELECT story, count(*) OVER () FROM placement WHERE {NEWLY_ENTERED}
             ORDER BY sort_at DESC, story DESC LIMIT ?5"
        ))?;
        let range = params![section, since.millis(), end.millis(), kind.name(), limit.cast_signed()];
        let rows = statement.query_map(range, |row| Ok((row.get(0)?, row.get::<_, u32>(1)?)))?;
        let rows: Vec<(StoryNumber, u32)> = rows.collect::<Result<_, _>>()?;
        let total = rows.first().map_or(0, |(_, total)| *total as usize);
        Ok((rows.into_iter().map(|(story, _)| story).collect(), total))
    }

    /// Loads the digests of a kind in a section as they were made, newest first.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn digests(&self, section: SectionNumber, kind: DigestKind) -> Result<Vec<Digest>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT day, ends, more, stories FROM digest WHERE section = ?1 AND kind = ?2 ORDER BY day DESC",
        )?;
        let rows = statement.query_map(params![section, kind.name()], |row| {
            Ok((day(row, 0)?, time(row, 1)?, row.get::<_, u32>(2)? as usize, row.get::<_, Vec<u8>>(3)?))
        })?;
        let mut digests = Vec::new();
        for row in rows {
            let (day, ends, more, packed) = row?;
            digests.push(Digest { kind, day, ends, more, stories: unpack(&packed)? });
        }
        Ok(digests)
    }

    /// Returns the stories of a section's digests that the section still has, or that left it only because of their age.
    /// A story that was merged into another one counts as that one.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn digested_now(&self, section: SectionNumber, kind: DigestKind) -> Result<HashSet<StoryNumber>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT digested.story FROM digested JOIN story ON story.number = digested.story
             JOIN placement ON placement.section = ?1 AND placement.story = coalesce(story.joined_into, story.number)
             WHERE digested.section = ?1 AND kind = ?2
               AND day >= (SELECT min(day) FROM digest WHERE digest.section = ?1 AND digest.kind = ?2)
               AND (left_at IS NULL OR rule IS NULL AND why = ?3)",
        )?;
        let rows = statement.query_map(params![section, kind.name(), Why::TooOld.code()], |row| row.get(0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

impl Turn<'_> {
    /// Writes how far the digests of a kind have come in a section.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn note_digests(
        &self,
        section: SectionNumber,
        kind: DigestKind,
        progress: &DigestProgress,
    ) -> Result<(), StoreError> {
        let mut write = self.connection.prepare_cached(
            "INSERT OR REPLACE INTO digesting (section, kind, first, day, since) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?;
        let DigestProgress { first, day, since } = progress;
        write.execute(params![section, kind.name(), first.to_string(), day.to_string(), since.millis()])?;
        Ok(())
    }

    /// Forgets how far the digests of a kind have come in a section, because they were switched off.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn end_digests(&self, section: SectionNumber, kind: DigestKind) -> Result<(), StoreError> {
        let mut delete = self.connection.prepare_cached("DELETE FROM digesting WHERE section = ?1 AND kind = ?2")?;
        delete.execute(params![section, kind.name()])?;
        Ok(())
    }

    /// Writes a digest that does not exist yet, and deletes all but the newest `keep` of its kind. `stories` are its
    /// stories, by number.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn write_digest(
        &self,
        section: SectionNumber,
        digest: &Digest,
        stories: &[StoryNumber],
        keep: usize,
    ) -> Result<(), StoreError> {
        let (kind, day) = (digest.kind.name(), digest.day.to_string());
        let mut insert = self.connection.prepare_cached(
            "INSERT INTO digest (section, kind, day, ends, more, stories) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?;
        let packed = Packed::of(&digest.stories)?;
        let more = i64::try_from(digest.more).unwrap_or(i64::MAX);
        insert.execute(params![section, kind, day, digest.ends.millis(), more, packed.bytes()])?;
        let mut mark = self
            .connection
            .prepare_cached("INSERT OR IGNORE INTO digested (story, section, kind, day) VALUES (?1, ?2, ?3, ?4)")?;
        for story in stories {
            mark.execute(params![story, section, kind, day])?;
        }
        let mut prune = self.connection.prepare_cached(
            "DELETE FROM digest WHERE section = ?1 AND kind = ?2
             AND day NOT IN (SELECT day FROM digest WHERE section = ?1 AND kind = ?2 ORDER BY day DESC LIMIT ?3)",
        )?;
        prune.execute(params![section, kind, keep.cast_signed()])?;
        Ok(())
    }

    /// Deletes the digests of a kind in a section from a day on. Their stories may then be in other digests.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn remove_digests(
        &self,
        section: SectionNumber,
        kind: DigestKind,
        from: chrono::NaiveDate,
    ) -> Result<(), StoreError> {
        for table in ["digest", "digested"] {
            let mut delete = self
                .connection
                .prepare_cached(&format!("DELETE FROM {table} WHERE section = ?1 AND kind = ?2 AND day >= ?3"))?;
            delete.execute(params![section, kind.name(), from.to_string()])?;
        }
        Ok(())
    }

    /// Removes from the digests those of `stories` for which `keeps` returns false.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite and of `keeps`.
    pub fn filter_digests(
        &self,
        stories: &BTreeSet<StoryNumber>,
        keeps: impl Fn(&ShownStory) -> Result<bool, StoreError>,
    ) -> Result<(), StoreError> {
        let mut find = self.connection.prepare_cached("SELECT section, kind, day FROM digested WHERE story = ?1")?;
        let mut found = BTreeSet::new();
        for story in stories {
            let rows = find.query_map([story], |row| {
                Ok((row.get::<_, SectionNumber>(0)?, row.get::<_, String>(1)?, row.get::<_, String>(2)?))
            })?;
            found.extend(rows.collect::<Result<Vec<_>, _>>()?);
        }
        let mut read = self
            .connection
            .prepare_cached("SELECT stories FROM digest WHERE section = ?1 AND kind = ?2 AND day = ?3")?;
        let mut write = self
            .connection
            .prepare_cached("UPDATE digest SET stories = ?4 WHERE section = ?1 AND kind = ?2 AND day = ?3")?;
        for (section, kind, day) in found {
            let packed: Option<Vec<u8>> = read.query_row(params![section, kind, day], |row| row.get(0)).optional()?;
            let Some(packed) = packed else { continue };
            let before = unpack(&packed)?;
            let mut kept = Vec::new();
            for story in &before {
                if keeps(story)? {
                    kept.push(story);
                }
            }
            if kept.len() < before.len() {
                write.execute(params![section, kind, day, Packed::of(kept)?.bytes()])?;
            }
        }
        Ok(())
    }
}

/// Reads a kind; `None` if a newer version of newswire wrote it.
fn kind(row: &Row, column: usize) -> rusqlite::Result<Option<DigestKind>> {
    let name = text(row, column)?;
    Ok(DigestKind::ALL.into_iter().find(|kind| kind.name() == name))
}

fn day(row: &Row, column: usize) -> rusqlite::Result<chrono::NaiveDate> {
    let failed =
        |error| rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, Box::new(error));
    text(row, column)?.parse().map_err(failed)
}
