//! Loads and writes the names of stories (public ids and slugs) for checking and replacing the names that an older
//! version of newswire made.

use std::collections::BTreeSet;

use rusqlite::params;

use super::forms::decode_entry;
use super::sql::{reason, text, time};
use super::{StoreError, Turn, View};
use crate::entry::Entry;
use crate::feed::{FeedId, SectionId};
use crate::number::{EntryNumber, StoryNumber};
use crate::reason::Why;
use crate::rows::{EnteredRow, NamedCopyRow, NamesRow, ReplacedId};
use crate::time::Timestamp;

impl View {
    /// Loads at most `limit` stories whose names are not checked yet, lowest number first. An older version of newswire
    /// made these names.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn unchecked(&self, limit: usize) -> Result<BTreeSet<StoryNumber>, StoreError> {
        let mut statement = self.connection.prepare_cached("SELECT story FROM unchecked ORDER BY story LIMIT ?1")?;
        Ok(statement.query_map([limit.cast_signed()], |row| row.get(0))?.collect::<Result<_, _>>()?)
    }

    /// Loads the names of a story.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn names(&self, number: StoryNumber) -> Result<NamesRow, StoreError> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT public_id, slug, coalesce(joined_into, number) FROM story WHERE number = ?1")?;
        Ok(statement.query_row([number], |row| {
            Ok(NamesRow { number, id: row.get(0)?, slug: row.get(1)?, standing: row.get(2)? })
        })?)
    }

    /// Loads the sections that a story is or was in.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn entered(&self, story: StoryNumber) -> Result<Vec<EnteredRow>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT section.id, section.number, placement.lead_feed, placement.entered
             FROM placement JOIN section ON section.number = placement.section
             WHERE placement.story = ?1 AND placement.entered IS NOT NULL",
        )?;
        let rows = statement.query_map([story], |row| {
            let section = SectionId::from(text(row, 0)?);
            Ok(EnteredRow { section, number: row.get(1)?, lead_feed: row.get(2)?, entered: time(row, 3)? })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Loads the copies of the active story: this story, or the one that it was merged into. Also loads the copies of
    /// stories that an editor split from this one. All are ordered by entry number.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite, and an error if a stored entry cannot be read.
    pub fn named_copies(&self, names: &NamesRow) -> Result<Vec<NamedCopyRow>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT entry.number, entry.feed, feed.id, entry.guid, entry.story = ?2, entry.reason, body.value
             FROM entry JOIN feed ON feed.number = entry.feed LEFT JOIN body ON body.entry = entry.number
             WHERE entry.story = ?2
               OR entry.story IN (SELECT a + b - ?1 FROM verdict WHERE kind = 'split' AND (a = ?1 OR b = ?1))
             ORDER BY entry.number",
        )?;
        let mut aliases = self.connection.prepare_cached("SELECT guid FROM entry_alias WHERE entry = ?1")?;
        let mut rows = statement.query([names.number, names.standing])?;
        let mut copies = Vec::new();
        while let Some(row) = rows.next()? {
            let entry: EntryNumber = row.get(0)?;
            let mut guids = vec![row.get(3)?];
            guids.extend(aliases.query_map([entry], |row| row.get(0))?.collect::<Result<Vec<String>, _>>()?);
            let body: Option<String> = row.get(6)?;
            let words: Option<Entry> = body.as_deref().map(decode_entry).transpose()?;
            copies.push(NamedCopyRow {
                feed: row.get(1)?,
                feed_id: FeedId::from(text(row, 2)?),
                is_own: row.get(4)?,
                reason: reason(row, 5)?,
                guids,
                title: words.map(|words| words.title),
            });
        }
        Ok(copies)
    }

    /// Returns those of `stories` that no public section has shown yet, and that are in the section or left it only
    /// because of their age. Skips stories whose names are not checked yet.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn unnamed_among(
        &self,
        section: &SectionId,
        stories: &[StoryNumber],
    ) -> Result<BTreeSet<StoryNumber>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT 1 FROM placement JOIN story ON story.number = placement.story
             WHERE placement.section = (SELECT number FROM section WHERE id = ?1) AND placement.story = ?2
               AND placement.entered IS NOT NULL AND (placement.left_at IS NULL OR placement.why = ?3) AND story.shown IS NULL
               AND NOT EXISTS (SELECT 1 FROM unchecked WHERE unchecked.story = story.number)",
        )?;
        let mut unnamed = BTreeSet::new();
        for story in stories {
            if statement.exists(params![section.as_str(), story, Why::TooOld.code()])? {
                unnamed.insert(*story);
            }
        }
        Ok(unnamed)
    }
}

impl Turn<'_> {
    /// Records since when a section shows stories whose names are not checked yet, without reading their content.
    /// Considers only active stories (not merged into another) up to number `last`. Skips stories that have copies of
    /// feeds other than `feeds`, and stories that an editor split.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn note_shown<'f>(
        &self,
        section: &SectionId,
        feeds: impl IntoIterator<Item = &'f FeedId>,
        last: StoryNumber,
    ) -> Result<(), StoreError> {
        let mut note = self.connection.prepare_cached(
            "UPDATE story SET shown = placement.entered
             FROM unchecked JOIN placement ON placement.story = unchecked.story
             WHERE story.number = unchecked.story AND unchecked.story <= ?3 AND story.joined_into IS NULL
               AND placement.section = (SELECT number FROM section WHERE id = ?1) AND placement.entered IS NOT NULL
               AND NOT EXISTS (SELECT 1 FROM entry WHERE entry.story = unchecked.story AND entry.feed NOT IN
                 (SELECT number FROM feed WHERE id IN (SELECT value FROM json_each(?2))))
               AND NOT EXISTS (SELECT 1 FROM verdict WHERE kind = 'split' AND (a = unchecked.story OR b = unchecked.story))",
        )?;
        let feeds = feeds.into_iter().map(FeedId::as_str).collect::<Vec<_>>();
        note.execute(params![section.as_str(), serde_json::to_string(&feeds)?, last])?;
        Ok(())
    }

    /// Marks the names of those stories up to number `last` as checked that have a recorded time at which a public
    /// section first showed them.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn mark_shown_checked(&self, last: StoryNumber) -> Result<(), StoreError> {
        let mut pass = self.connection.prepare_cached(
            "DELETE FROM unchecked WHERE story <= ?1 AND (SELECT shown FROM story WHERE number = unchecked.story) IS NOT NULL",
        )?;
        pass.execute([last])?;
        Ok(())
    }

    /// Marks the names of a story as checked.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn mark_checked(&self, story: StoryNumber) -> Result<(), StoreError> {
        self.connection.prepare_cached("DELETE FROM unchecked WHERE story = ?1")?.execute([story])?;
        Ok(())
    }

    /// Replaces the public id of a story; the former id still leads to the story. Sections that are not public continue
    /// to publish the former id.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn replace_id(
        &self,
        ReplacedId { story, standing, before, id, public }: &ReplacedId,
    ) -> Result<(), StoreError> {
        self.keep_id(before, *story)?;
        self.connection
            .prepare_cached("UPDATE story SET public_id = ?2 WHERE number = ?1")?
            .execute(params![story, id])?;
        let public = serde_json::to_string(public)?;
        if story == standing {
            let mut update = self.connection.prepare_cached(
                "UPDATE placement SET published_as = ?2 WHERE story = ?1 AND published_as IS NULL AND entered IS NOT NULL
                   AND section NOT IN (SELECT value FROM json_each(?3))",
            )?;
            update.execute(params![story, before, public])?;
        } else {
            let mut update = self.connection.prepare_cached(
                "UPDATE placement SET published_as = ?3 WHERE story = ?1 AND published_as = ?2
                   AND section IN (SELECT value FROM json_each(?4))",
            )?;
            update.execute(params![standing, before, id, public])?;
        }
        Ok(())
    }

    /// Replaces the slug of a story, and records since when a public section shows the story.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn rename(&self, story: StoryNumber, slug: &str, shown: Option<Timestamp>) -> Result<(), StoreError> {
        let mut update = self.connection.prepare_cached("UPDATE story SET slug = ?2, shown = ?3 WHERE number = ?1")?;
        update.execute(params![story, slug, shown.map(Timestamp::millis)])?;
        Ok(())
    }
}
