//! Loads and writes the rows that a new config, an editor's command, and retention (the deletion of old content)
//! change.

use std::collections::HashMap;

use rusqlite::{OptionalExtension, params};

use super::sql::{optional_time, text};
use super::stories::stored_story;
use super::{StoreError, Turn};
use crate::feed::{FeedId, SectionId};
use crate::number::{EntryNumber, FeedNumber, SectionNumber, StoryNumber};
use crate::rows::{ConfiguredFeed, DefinitionParts, DefinitionRow, FeedSet, KnownFeed, StoredStory};
use crate::time::Timestamp;

/// The number of the current format of definition hashes. In this format, a hash is made from the canonical form of the
/// definition.
const DEFINITION_FORMAT: u32 = 2;

impl Turn<'_> {
    /// Loads all feeds of the store, including those that were removed from the config.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn known_feeds(&self) -> Result<HashMap<FeedId, KnownFeed>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT id, number, url_hash, terms, schedule, removed IS NOT NULL, last_poll, hold_until
             FROM feed JOIN poll ON poll.feed = feed.number",
        )?;
        let feeds = statement.query_map([], |row| {
            let id = FeedId::from(text(row, 0)?);
            let feed = KnownFeed {
                id: id.clone(),
                number: row.get(1)?,
                url_hash: row.get(2)?,
                terms: row.get::<_, Option<i64>>(3)?.map(i64::cast_unsigned),
                schedule: row.get(4)?,
                is_removed: row.get(5)?,
                last_poll: optional_time(row, 6)?,
                hold_until: optional_time(row, 7)?,
            };
            Ok((id, feed))
        })?;
        Ok(feeds.collect::<Result<_, _>>()?)
    }

    /// Adds a feed, and returns its number. The feed is due at once.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn insert_feed(&self, row: &ConfiguredFeed, now: Timestamp) -> Result<FeedNumber, StoreError> {
        let mut insert = self.connection.prepare_cached(
            "INSERT INTO feed (id, url, url_hash, schedule, terms, added) VALUES (?1, ?2, ?3, ?4, ?5, ?6) RETURNING number",
        )?;
        let terms = row.terms.cast_signed();
        let values = params![row.id.as_str(), row.url.as_str(), row.url_hash, row.schedule, terms, now.millis()];
        let number = insert.query_row(values, |row| row.get(0))?;
        let mut plan = self.connection.prepare_cached("INSERT INTO poll (feed, next_poll) VALUES (?1, ?2)")?;
        plan.execute(params![number, now.millis()])?;
        let mut unread = self.connection.prepare_cached("INSERT INTO unread_feed (feed) VALUES (?1)")?;
        unread.execute([number])?;
        Ok(number)
    }

    /// Writes a feed's new address, and deletes the state that belongs to the old one, so that the feed is polled like
    /// a new feed.
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

    /// Writes the settings of a feed, and records that it is configured.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn follow_settings(&self, row: &ConfiguredFeed) -> Result<(), StoreError> {
        let mut update = self
            .connection
            .prepare_cached("UPDATE feed SET schedule = ?2, terms = ?3, removed = NULL WHERE id = ?1")?;
        update.execute(params![row.id.as_str(), row.schedule, row.terms.cast_signed()])?;
        self.mark_removed(&row.id, false)
    }

    /// Records that a feed was removed from the config.
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

    /// Loads the definitions of all sections of the store, including those that were removed from the config.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn section_definitions(&self) -> Result<HashMap<SectionId, DefinitionRow>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT id, definition_hash, definition_format < ?1, gone IS NOT NULL, rules_hash, feeds, stale,
               EXISTS (SELECT 1 FROM judging WHERE section = section.number AND is_whole)
             FROM section",
        )?;
        let sections = statement.query_map([DEFINITION_FORMAT], |row| {
            let rules_hash = row.get::<_, Option<i64>>(4)?.map(i64::cast_unsigned);
            let feeds = row.get::<_, Option<Vec<u8>>>(5)?.map(FeedSet::from_bytes);
            let row_of_section = DefinitionRow {
                hash: row.get::<_, i64>(1)?.cast_unsigned(),
                has_former_hash: row.get(2)?,
                is_gone: row.get(3)?,
                parts: rules_hash.zip(feeds).map(|(rules_hash, feeds)| DefinitionParts { rules_hash, feeds }),
                stale: row.get::<_, Option<Vec<u8>>>(6)?.map(FeedSet::from_bytes).unwrap_or_default(),
                is_judged_whole: row.get(7)?,
            };
            Ok((SectionId::from(text(row, 0)?), row_of_section))
        })?;
        Ok(sections.collect::<Result<_, _>>()?)
    }

    /// Adds a section, or replaces its definition.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn define_section(
        &self,
        id: &SectionId,
        definition_hash: u64,
        parts: &DefinitionParts,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.define_same(id, definition_hash, now)?;
        let mut update = self
            .connection
            .prepare_cached("UPDATE section SET rules_hash = ?2, feeds = ?3, stale = NULL WHERE id = ?1")?;
        update.execute(params![id.as_str(), parts.rules_hash.cast_signed(), parts.feeds.bytes()])?;
        Ok(())
    }

    /// Adds a section, or writes the hash of its definition in the current format and marks the section as configured.
    /// Does not change the stored parts of the definition.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn define_same(&self, id: &SectionId, definition_hash: u64, now: Timestamp) -> Result<(), StoreError> {
        let mut insert = self.connection.prepare_cached(
            "INSERT INTO section (id, definition_hash, definition_format, first_seen) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (id) DO UPDATE SET definition_hash = excluded.definition_hash,
               definition_format = excluded.definition_format, gone = NULL",
        )?;
        insert.execute(params![id.as_str(), definition_hash.cast_signed(), DEFINITION_FORMAT, now.millis()])?;
        Ok(())
    }

    /// Records the feeds of a section whose settings changed after the section's rules were last applied to its
    /// stories.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn note_stale(&self, id: &SectionId, stale: &FeedSet) -> Result<(), StoreError> {
        let mut update = self.connection.prepare_cached("UPDATE section SET stale = ?2 WHERE id = ?1")?;
        update.execute(params![id.as_str(), stale.bytes()])?;
        Ok(())
    }

    /// Gives a section a permanent id, unless the section has one.
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

    /// Gives a section a `podcast:guid`, unless the section has one.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn mint_podcast_guid(&self, section: &SectionId, guid: &str) -> Result<(), StoreError> {
        let mut mint = self
            .connection
            .prepare_cached("UPDATE section SET podcast_guid = ?2 WHERE id = ?1 AND podcast_guid IS NULL")?;
        mint.execute(params![section.as_str(), guid])?;
        Ok(())
    }

    /// Records whether a section is public, and returns whether that changed.
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

    /// Records that a section was removed from the config. If a pass over its stories is unfinished, ends the pass.
    /// If the section comes back, its digests begin again.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn remove_section(&self, id: &SectionId, now: Timestamp) -> Result<(), StoreError> {
        let mut update =
            self.connection.prepare_cached("UPDATE section SET gone = ?2 WHERE id = ?1 RETURNING number")?;
        let number: SectionNumber = update.query_row(params![id.as_str(), now.millis()], |row| row.get(0))?;
        self.connection.prepare_cached("DELETE FROM digesting WHERE section = ?1")?.execute([number])?;
        self.finish_judging(number)
    }

    /// Loads a story's number, public id, slug and the time by which it is sorted.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn stored(&self, story: StoryNumber) -> Result<StoredStory, StoreError> {
        let mut statement =
            self.connection.prepare_cached("SELECT number, public_id, slug, sort_at FROM story WHERE number = ?1")?;
        Ok(statement.query_row([story], stored_story)?)
    }

    /// Deletes all events and at most `limit` records of the poll log that are older than `at`.
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

    /// Loads at most `limit` entries that have content and that left their feeds' documents before `before` (`None` for
    /// any time), the earliest first.
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

    /// Returns whether a story has an entry of this feed whose content is still stored.
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
