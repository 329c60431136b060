//! Marks stories that must be indexed again in the public search index. After a change of the config that may affect
//! many stories, they are marked in batches.

use rusqlite::{OptionalExtension, params};

use super::{StoreError, Turn};
use crate::number::{FeedNumber, StoryNumber};

impl Turn<'_> {
    /// Begins to mark the stories that have entries of these feeds.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn begin_marking_of<'f>(&self, feeds: impl IntoIterator<Item = &'f String>) -> Result<(), StoreError> {
        let mut insert = self.connection.prepare_cached(
            "INSERT INTO marking_feed (feed, guid) SELECT number, '' FROM feed WHERE id = ?1
             ON CONFLICT (feed) DO UPDATE SET guid = ''",
        )?;
        for feed in feeds {
            insert.execute([feed])?;
        }
        Ok(())
    }

    /// Begins to mark all stories that are in a section or in the public index.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn begin_marking_all(&self) -> Result<(), StoreError> {
        self.connection.prepare_cached("DELETE FROM marking_feed")?.execute([])?;
        self.connection.prepare_cached("DELETE FROM marking")?.execute([])?;
        self.connection.prepare_cached("INSERT INTO marking (below) VALUES (?1)")?.execute([i64::MAX])?;
        Ok(())
    }

    /// Returns whether there is nothing left to mark.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn is_marked(&self) -> Result<bool, StoreError> {
        let mut left =
            self.connection.prepare_cached("SELECT 1 FROM marking_feed UNION ALL SELECT 1 FROM marking LIMIT 1")?;
        Ok(!left.exists([])?)
    }

    /// Marks the next stories. Examines at most `limit` entries and story numbers in total.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn mark_next(&self, limit: usize) -> Result<(), StoreError> {
        let mut left = limit;
        while left > 0 {
            let mut next =
                self.connection.prepare_cached("SELECT feed, guid FROM marking_feed ORDER BY feed LIMIT 1")?;
            let found = next.query_row([], |row| Ok((row.get(0)?, row.get::<_, String>(1)?))).optional()?;
            match found {
                // A feed without entries counts as one entry, because its queries take time too.
                Some((feed, guid)) => left = left.saturating_sub(self.mark_entries(feed, &guid, left)?.max(1)),
                None => return self.mark_numbers(left),
            }
        }
        Ok(())
    }

    /// Marks the stories of the next entries of a feed: at most `limit` entries whose guid is greater than `after`.
    /// Returns the number of these entries.
    fn mark_entries(&self, feed: FeedNumber, after: &str, limit: usize) -> Result<usize, StoreError> {
        let batch = self.next_stories_of(feed, after, limit)?;
        let mut mark = self.connection.prepare_cached("INSERT OR IGNORE INTO public_waiting (story) VALUES (?1)")?;
        for (story, _) in &batch.stories {
            mark.execute([story])?;
        }
        match batch.examined {
            Some(guid) => {
                let mut update = self.connection.prepare_cached("UPDATE marking_feed SET guid = ?2 WHERE feed = ?1")?;
                update.execute(params![feed, guid])?;
            }
            None => {
                self.connection.prepare_cached("DELETE FROM marking_feed WHERE feed = ?1")?.execute([feed])?;
            }
        }
        Ok(batch.stories.len())
    }

    /// If a pass over all stories is unfinished, marks its next stories, by descending number. Examines at most `limit`
    /// numbers.
    fn mark_numbers(&self, limit: usize) -> Result<(), StoreError> {
        let mut pass = self.connection.prepare_cached("SELECT below FROM marking")?;
        let Some(below) = pass.query_row([], |row| row.get::<_, StoryNumber>(0)).optional()? else { return Ok(()) };
        let mut first = self.connection.prepare_cached(
            "SELECT min(number), count(*) FROM (SELECT number FROM story WHERE number < ?1 ORDER BY number DESC LIMIT ?2)",
        )?;
        let (first, count): (Option<StoryNumber>, i64) =
            first.query_row(params![below, limit.cast_signed()], |row| Ok((row.get(0)?, row.get(1)?)))?;
        if let Some(first) = first {
            let mut mark = self.connection.prepare_cached(
                "INSERT OR IGNORE INTO public_waiting
                 SELECT story FROM placement INDEXED BY placement_story WHERE story >= ?1 AND story < ?2 AND left_at IS NULL
                 UNION SELECT story FROM public_story WHERE story >= ?1 AND story < ?2",
            )?;
            mark.execute(params![first, below])?;
        }
        match first.filter(|_| count == limit.cast_signed() as i64) {
            Some(first) => self.connection.prepare_cached("UPDATE marking SET below = ?1")?.execute([first])?,
            None => self.connection.prepare_cached("DELETE FROM marking")?.execute([])?,
        };
        Ok(())
    }
}
