//! Loads and writes what a change of the config, an editor and retention change.

use std::collections::HashMap;

use rusqlite::{OptionalExtension, params};

use super::sql::{optional_time, text};
use super::stories::stored_story;
use super::{StoreError, Turn};
use crate::feed::{FeedId, SectionId};
use crate::number::{EntryNumber, FeedNumber, StoryNumber};
use crate::rows::{ConfiguredFeed, DefinitionRow, KnownFeed, StoredStory};
use crate::time::Timestamp;

/// The format of definition hashes: the current one hashes the canonical form.
const DEFINITION_FORMAT: u32 = 2;

impl Turn<'_> {
    /// Loads all feeds of the store, including those that are no longer configured.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn known_feeds(&self) -> Result<Vec<KnownFeed>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT id, url_hash, schedule, removed IS NOT NULL, last_poll, hold_until
             FROM feed JOIN poll ON poll.feed = feed.number ORDER BY number",
        )?;
        let feeds = statement.query_map([], |row| {
            Ok(KnownFeed {
                id: FeedId::from(text(row, 0)?),
                url_hash: row.get(1)?,
                schedule: row.get(2)?,
                is_removed: row.get(3)?,
                last_poll: optional_time(row, 4)?,
                hold_until: optional_time(row, 5)?,
            })
        })?;
        Ok(feeds.collect::<Result<_, _>>()?)
    }

    /// Adds a feed; it is due at once.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn insert_feed(&self, row: &ConfiguredFeed, now: Timestamp) -> Result<(), StoreError> {
        let mut insert = self
            .connection
            .prepare_cached("INSERT INTO feed (id, url, url_hash, schedule, added) VALUES (?1, ?2, ?3, ?4, ?5)")?;
        insert.execute(params![row.id.as_str(), row.url.as_str(), row.url_hash, row.schedule, now.millis()])?;
        let mut plan =
            self.connection.prepare_cached("INSERT INTO poll (feed, next_poll) VALUES (last_insert_rowid(), ?1)")?;
        plan.execute([now.millis()])?;
        Ok(())
    }

    /// Deletes the state that belongs to a feed's old address: the feed is polled like a new one.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn reset_feed(&self, row: &ConfiguredFeed) -> Result<(), StoreError> {
        let mut update = self.connection.prepare_cached(
            "UPDATE feed SET url = ?2, url_hash = ?3, had_validators = 0, moved_to = NULL, moved_since = NULL, moved_polls = 0
             WHERE id = ?1 RETURNING number, added",
        )?;
        let feed: Option<(FeedNumber, i64)> = update
            .query_row(params![row.id.as_str(), row.url.as_str(), row.url_hash], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        let Some((feed, added)) = feed else { return Ok(()) };
        let mut reset = self.connection.prepare_cached(
            "UPDATE poll SET etag = NULL, last_modified = NULL, validators_url = NULL, hold_until = NULL, hold_why = NULL,
               failures = 0, state = 'new', next_poll = ?2
             WHERE feed = ?1",
        )?;
        reset.execute(params![feed, added])?;
        Ok(())
    }

    /// Sets when a feed is polled next.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn reschedule(&self, id: &FeedId, next_poll: Timestamp) -> Result<(), StoreError> {
        let mut update = self
            .connection
            .prepare_cached("UPDATE poll SET next_poll = ?2 WHERE feed = (SELECT number FROM feed WHERE id = ?1)")?;
        update.execute(params![id.as_str(), next_poll.millis()])?;
        Ok(())
    }

    /// Writes the schedule of a configured feed.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn follow_schedule(&self, row: &ConfiguredFeed) -> Result<(), StoreError> {
        let mut update = self.connection.prepare_cached(
            "UPDATE feed SET schedule = ?2, removed = NULL WHERE id = ?1 AND (schedule <> ?2 OR removed IS NOT NULL)",
        )?;
        if update.execute(params![row.id.as_str(), row.schedule])? > 0 {
            self.mark_removed(&row.id, false)?;
        }
        Ok(())
    }

    /// Records that a feed is no longer configured.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn remove_feed(&self, id: &FeedId, now: Timestamp) -> Result<(), StoreError> {
        let mut update = self.connection.prepare_cached("UPDATE feed SET removed = ?2 WHERE id = ?1")?;
        update.execute(params![id.as_str(), now.millis()])?;
        self.mark_removed(id, true)
    }

    fn mark_removed(&self, id: &FeedId, is_removed: bool) -> Result<(), StoreError> {
        let mut update = self
            .connection
            .prepare_cached("UPDATE poll SET is_removed = ?2 WHERE feed = (SELECT number FROM feed WHERE id = ?1)")?;
        update.execute(params![id.as_str(), is_removed])?;
        Ok(())
    }

    /// Changes the id of a section, unless another section has that id.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn rename_section(&self, former: &SectionId, id: &SectionId) -> Result<(), StoreError> {
        let mut rename = self.connection.prepare_cached(
            "UPDATE section SET id = ?1 WHERE id = ?2 AND NOT EXISTS (SELECT 1 FROM section WHERE id = ?1)",
        )?;
        rename.execute(params![id.as_str(), former.as_str()])?;
        Ok(())
    }

    /// Loads all sections of the store.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn section_definitions(&self) -> Result<HashMap<SectionId, DefinitionRow>, StoreError> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT id, definition_hash, definition_format < ?1, gone IS NOT NULL FROM section")?;
        let sections = statement.query_map([DEFINITION_FORMAT], |row| {
            let (hash, has_former_hash, is_gone) = (row.get::<_, i64>(1)?.cast_unsigned(), row.get(2)?, row.get(3)?);
            Ok((SectionId::from(text(row, 0)?), DefinitionRow { hash, has_former_hash, is_gone }))
        })?;
        Ok(sections.collect::<Result<_, _>>()?)
    }

    /// Adds a section, or writes its new definition.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn define_section(&self, id: &SectionId, definition_hash: u64, now: Timestamp) -> Result<(), StoreError> {
        let mut insert = self.connection.prepare_cached(
            "INSERT INTO section (id, definition_hash, definition_format, first_seen) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (id) DO UPDATE SET definition_hash = excluded.definition_hash,
               definition_format = excluded.definition_format, gone = NULL",
        )?;
        insert.execute(params![id.as_str(), definition_hash.cast_signed(), DEFINITION_FORMAT, now.millis()])?;
        Ok(())
    }

    /// Gives a section its permanent id, unless it has one.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn mint_section_id(&self, section: &SectionId, id: &str) -> Result<(), StoreError> {
        let mut mint =
            self.connection.prepare_cached("UPDATE section SET atom_id = ?2 WHERE id = ?1 AND atom_id IS NULL")?;
        mint.execute(params![section.as_str(), id])?;
        Ok(())
    }

    /// Records whether a section is public; returns whether that changed.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn note_public(&self, section: &SectionId, is_public: bool) -> Result<bool, StoreError> {
        let mut note = self.connection.prepare_cached(
            "UPDATE section SET is_public = ?2 WHERE id = ?1 AND is_public IS NOT ?2 RETURNING is_public",
        )?;
        Ok(note.exists(params![section.as_str(), is_public])?)
    }

    /// Records that a section is no longer configured.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn remove_section(&self, id: &SectionId, now: Timestamp) -> Result<(), StoreError> {
        let mut update = self.connection.prepare_cached("UPDATE section SET gone = ?2 WHERE id = ?1")?;
        update.execute(params![id.as_str(), now.millis()])?;
        Ok(())
    }

    /// Loads the stories with entries of these feeds and the stories in the section, ordered by number.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn stories_for<'f>(
        &self,
        section: &SectionId,
        feeds: impl IntoIterator<Item = &'f FeedId>,
    ) -> Result<Vec<StoryNumber>, StoreError> {
        let feeds: Vec<&str> = feeds.into_iter().map(FeedId::as_str).collect();
        let mut statement = self.connection.prepare_cached(
            "SELECT entry.story FROM entry JOIN feed ON feed.number = entry.feed WHERE feed.id IN (SELECT value FROM json_each(?1))
             UNION SELECT story FROM placement WHERE section = (SELECT number FROM section WHERE id = ?2) AND left_at IS NULL
             ORDER BY 1",
        )?;
        let stories =
            statement.query_map(params![serde_json::to_string(&feeds)?, section.as_str()], |row| row.get(0))?;
        Ok(stories.collect::<Result<_, _>>()?)
    }

    /// Loads the names and the time of a story.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn stored(&self, story: StoryNumber) -> Result<StoredStory, StoreError> {
        let mut statement =
            self.connection.prepare_cached("SELECT number, public_id, slug, sort_at FROM story WHERE number = ?1")?;
        Ok(statement.query_row([story], stored_story)?)
    }

    /// Deletes log lines and events older than `at`; at most `limit` log lines.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn forget_log(&self, at: Timestamp, limit: usize) -> Result<(), StoreError> {
        let mut delete = self.connection.prepare_cached(
            "DELETE FROM poll_log WHERE number IN (SELECT number FROM poll_log WHERE at < ?1 LIMIT ?2)",
        )?;
        delete.execute(params![at.millis(), limit.cast_signed()])?;
        self.connection.prepare_cached("DELETE FROM event WHERE at < ?1")?.execute([at.millis()])?;
        Ok(())
    }

    /// Loads entries with content that left their documents before `before`, earliest first; at most `limit`.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn unlisted(&self, before: Option<Timestamp>, limit: usize) -> Result<Vec<EntryNumber>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT entry.number FROM entry JOIN body ON body.entry = entry.number
             WHERE entry.unlisted IS NOT NULL AND entry.unlisted < ?1 ORDER BY entry.unlisted LIMIT ?2",
        )?;
        let before = before.unwrap_or(Timestamp::MAX).millis();
        let numbers = statement.query_map(params![before, limit.cast_signed()], |row| row.get(0))?;
        Ok(numbers.collect::<Result<_, _>>()?)
    }

    /// Returns how many entries have content.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn bodies(&self) -> Result<u64, StoreError> {
        let count: i64 = self.connection.query_row("SELECT count(*) FROM body", [], |row| row.get(0))?;
        Ok(count.unsigned_abs())
    }

    /// Returns how many bytes of the file are in use. Freed pages are reused before the file grows.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn used_bytes(&self) -> Result<u64, StoreError> {
        let used: i64 = self.connection.query_row(
            "SELECT (page_count - freelist_count) * page_size FROM pragma_page_count, pragma_freelist_count, pragma_page_size",
            [],
            |row| row.get(0),
        )?;
        Ok(used.unsigned_abs())
    }

    /// Returns whether a story has content from this feed.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn has_words(&self, story: StoryNumber, feed: &FeedId) -> Result<bool, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT 1 FROM entry JOIN body ON body.entry = entry.number JOIN feed ON feed.number = entry.feed
             WHERE entry.story = ?1 AND feed.id = ?2",
        )?;
        Ok(statement.exists(params![story, feed.as_str()])?)
    }
}
