//! Loads single stories by id, number, slug, link, guid or title.

use rusqlite::{OptionalExtension, Row, ToSql, params};

use super::forms::decode_entry;
use super::sql::{optional_text, reason, text, time};
use super::{StoreError, View};
use crate::feed::FeedId;
use crate::number::StoryNumber;
use crate::rows::{StoredCopy, StoredStory};

/// The start of a query for the story that a condition selects. If that story was merged, the query selects the story
/// that it was merged into. The caller appends the condition.
const STORY: &str = "SELECT number, public_id, slug, sort_at FROM story
  WHERE number = (SELECT coalesce(joined_into, number) FROM story";

impl View {
    /// Returns the store's secret key, with which private ids and readers' sessions are made.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn key(&self) -> Result<Vec<u8>, StoreError> {
        Ok(self.connection.prepare_cached("SELECT key FROM store_key")?.query_row([], |row| row.get(0))?)
    }

    /// Loads the story that has this id, whether or not it publishes the id. If the story was merged into an older one,
    /// loads the older one.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn story_by_id(&self, id: &str) -> Result<Option<StoredStory>, StoreError> {
        match self.story_where("public_id = ?1", &[&id])? {
            Some(story) => Ok(Some(story)),
            None => self.story_where("number = (SELECT story FROM kept_id WHERE id = ?1)", &[&id]),
        }
    }

    /// Loads the story with this number. If the story was merged into an older one, loads the older one.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn story_by_number(&self, number: StoryNumber) -> Result<Option<StoredStory>, StoreError> {
        self.story_where("number = ?1", &[&number])
    }

    /// Loads the story with this number and slug. If the story was merged into an older one, loads the older one.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn story_with_slug(&self, number: StoryNumber, slug: &str) -> Result<Option<StoredStory>, StoreError> {
        self.story_where("number = ?1 AND slug = ?2", &[&number, &slug])
    }

    /// Loads at most `limit` stories with an entry that has this link key, newest first. If `original` is set, the link
    /// must be the entry's declared original; otherwise it must be the entry's own link.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn stories_with_link(&self, key: &str, original: bool, limit: usize) -> Result<Vec<StoredStory>, StoreError> {
        self.stories_where(
            "number IN (SELECT story FROM entry JOIN link ON link.entry = entry.number
             WHERE link.key = ?1 AND link.original = ?2)",
            params![key, original],
            limit,
        )
    }

    /// Loads at most `limit` stories with an entry that has this guid, newest first.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn stories_with_guid(&self, guid: &str, limit: usize) -> Result<Vec<StoredStory>, StoreError> {
        self.stories_where("number IN (SELECT story FROM entry WHERE guid = ?1)", params![guid], limit)
    }

    /// Loads at most `limit` stories with an entry that has this text in its title, newest first. Reads all entries.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn stories_with_in_title(&self, text: &str, limit: usize) -> Result<Vec<StoredStory>, StoreError> {
        let in_title = "number IN (SELECT story FROM entry JOIN body ON body.entry = entry.number
                        WHERE instr(lower(json_extract(body.value, '$.title')), lower(?1)))";
        self.stories_where(in_title, params![text], limit)
    }

    fn story_where(&self, condition: &str, values: &[&dyn ToSql]) -> Result<Option<StoredStory>, StoreError> {
        let sql = format!("{STORY} WHERE {condition} ORDER BY sort_at DESC, number DESC LIMIT 1)");
        let mut statement = self.connection.prepare_cached(&sql)?;
        Ok(statement.query_row(values, stored_story).optional()?)
    }

    /// Loads the stories that `condition` selects, newest first. Instead of a merged story, loads the one that it was
    /// merged into.
    fn stories_where(
        &self,
        condition: &str,
        values: &[&dyn ToSql],
        limit: usize,
    ) -> Result<Vec<StoredStory>, StoreError> {
        let sql = format!(
            "SELECT number, public_id, slug, sort_at FROM story
             WHERE number IN (SELECT coalesce(joined_into, number) FROM story WHERE {condition})
             ORDER BY sort_at DESC, number DESC LIMIT {limit}"
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let stories = statement.query_map(values, stored_story)?;
        Ok(stories.collect::<Result<_, _>>()?)
    }

    /// Loads all copies of a story, ordered by entry number, including those of feeds that were removed from the
    /// config.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn stored_copies(&self, story: StoryNumber) -> Result<Vec<StoredCopy>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT feed.id, entry.guid, entry.reason, entry.score, body.value, entry.number
             FROM entry JOIN feed ON feed.number = entry.feed LEFT JOIN body ON body.entry = entry.number
             WHERE entry.story = ?1 ORDER BY entry.number",
        )?;
        let copies = statement.query_map([story], |row| {
            let entry = optional_text(row, 4)?.and_then(|body| decode_entry(body).ok());
            let (title, link) = entry.map(|entry| (entry.title, entry.link)).unwrap_or_default();
            Ok(StoredCopy {
                number: row.get(5)?,
                feed: FeedId::from(text(row, 0)?),
                guid: row.get(1)?,
                reason: reason(row, 2)?,
                score: row.get(3)?,
                title,
                link,
            })
        })?;
        Ok(copies.collect::<Result<_, _>>()?)
    }
}

pub(super) fn stored_story(row: &Row) -> rusqlite::Result<StoredStory> {
    Ok(StoredStory { number: row.get(0)?, id: row.get(1)?, slug: row.get(2)?, sort_at: time(row, 3)? })
}
