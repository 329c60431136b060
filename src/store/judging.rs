//! Loads and writes the progress of passes, and loads the next stories of a pass. A pass goes through stories and
//! judges each of them for one section: it decides whether the story is in the section.

use rusqlite::{Row, params};

use super::sql::{optional_text, text, time};
use super::{StoreError, Turn, View};
use crate::feed::{FeedId, SectionId};
use crate::number::{FeedNumber, SectionNumber, StoryNumber};
use crate::rows::{FeedSet, JudgingRow, PassBatch, StoryPosition};
use crate::time::Timestamp;

const JUDGING: &str =
    "SELECT section.id, section.number, is_new, judges, names, is_whole, sort_at, story, entered, left_it
 FROM judging JOIN section ON section.number = judging.section";

/// The limits of one batch of a pass.
#[derive(Clone, Copy, Debug)]
pub struct PassLimits {
    /// The most stories in the batch. Only stories that concern the section are in a batch.
    pub stories: usize,
    /// The most stories that are examined to find the stories of the batch.
    pub examined: usize,
}

impl View {
    /// Loads the passes that are not finished yet, one per section.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn judging(&self) -> Result<Vec<JudgingRow>, StoreError> {
        let mut statement = self.connection.prepare_cached(JUDGING)?;
        let rows = statement.query_map([], judging_row)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Returns whether a section contains a story that its pass has not judged yet. Examines only the newest stories of
    /// the section, down to `last`. A story is not judged yet if it is older than `cursor`, the position of the pass.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn has_unjudged(
        &self,
        section: SectionNumber,
        last: StoryPosition,
        cursor: StoryPosition,
    ) -> Result<bool, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT 1 FROM placement JOIN story ON story.number = placement.story
             WHERE placement.section = ?1 AND placement.left_at IS NULL AND (placement.sort_at, placement.story) >= (?2, ?3)
               AND (story.sort_at, story.number) < (?4, ?5) LIMIT 1",
        )?;
        let (last, cursor) = ((last.0.millis(), last.1), (cursor.0.millis(), cursor.1));
        Ok(statement.exists(params![section, last.0, last.1, cursor.0, cursor.1])?)
    }

    /// Loads the next stories of a pass over all stories, newest first: stories older than `after` that are in the
    /// section, or that have an entry of a feed for which `takes` returns `true`.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn next_stories(
        &self,
        section: SectionNumber,
        after: StoryPosition,
        limits: PassLimits,
        takes: &dyn Fn(&FeedId) -> bool,
    ) -> Result<PassBatch<StoryPosition>, StoreError> {
        // `INDEXED BY` makes SQLite read the rows in the order of the index, so that it need not sort them.
        let mut statement = self.connection.prepare_cached(
            "SELECT story.number, story.sort_at, feed.id FROM story INDEXED BY story_sort_at
               LEFT JOIN entry ON entry.story = story.number LEFT JOIN feed ON feed.number = entry.feed
             WHERE (story.sort_at, story.number) < (?1, ?2) ORDER BY story.sort_at DESC, story.number DESC",
        )?;
        let mut contains = self
            .connection
            .prepare_cached("SELECT 1 FROM placement WHERE section = ?1 AND story = ?2 AND left_at IS NULL")?;
        let mut rows = statement.query(params![after.0.millis(), after.1])?;
        let mut batch = PassBatch { stories: Vec::new(), examined: None };
        let (mut last, mut examined, mut is_taken) = (None::<StoryPosition>, 0, false);
        while let Some(row) = rows.next()? {
            let at: StoryPosition = (time(row, 1)?, row.get(0)?);
            if last != Some(at) {
                if batch.stories.len() == limits.stories || examined == limits.examined {
                    batch.examined = last;
                    return Ok(batch);
                }
                examined += 1;
                is_taken = contains.exists(params![section, at.1])?;
                batch.stories.extend(is_taken.then_some((at.1, at)));
                last = Some(at);
            }
            if !is_taken && optional_text(row, 2)?.is_some_and(|feed| takes(&FeedId::from(feed))) {
                is_taken = true;
                batch.stories.push((at.1, at));
            }
        }
        Ok(batch)
    }

    /// For a pass that judges only the stories of some feeds, loads the next feed, and the guid of its last entry that
    /// the pass has dealt with. The guid is empty at the start of the feed. Returns `None` if no feed is left.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn judging_feed(&self, section: SectionNumber) -> Result<Option<(FeedNumber, String)>, StoreError> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT feed, guid FROM judging_feed WHERE section = ?1 ORDER BY feed LIMIT 1")?;
        let mut rows = statement.query([section])?;
        Ok(rows.next()?.map(|row| Ok::<_, rusqlite::Error>((row.get(0)?, row.get(1)?))).transpose()?)
    }

    /// Loads the stories of a feed's next entries, in the order of the guids: the first `limit` entries whose guid is
    /// greater than `after`.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn next_stories_of(
        &self,
        feed: FeedNumber,
        after: &str,
        limit: usize,
    ) -> Result<PassBatch<String>, StoreError> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT story, guid FROM entry WHERE feed = ?1 AND guid > ?2 ORDER BY guid LIMIT ?3")?;
        let rows =
            statement.query_map(params![feed, after, limit.cast_signed()], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let stories = rows.collect::<Result<Vec<(StoryNumber, String)>, _>>()?;
        let examined = stories.last().filter(|_| stories.len() == limit).map(|(_, guid)| guid.clone());
        Ok(PassBatch { stories, examined })
    }
}

impl Turn<'_> {
    /// Begins a pass that judges stories for a section: only the stories of `feeds`, or all stories, newest first, if
    /// `feeds` is `None`. An unfinished pass over all stories begins again. An unfinished pass over other feeds
    /// continues with `feeds` added; without `feeds`, it becomes a pass over all stories.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn begin_judging(&self, section: &SectionId, is_new: bool, feeds: Option<&FeedSet>) -> Result<(), StoreError> {
        let mut begin = self.connection.prepare_cached(
            "INSERT INTO judging (section, is_new, judges, names, is_whole, sort_at, story)
             SELECT number, ?2, 1, 0, ?3, ?4, ?5 FROM section WHERE id = ?1
             ON CONFLICT (section) DO UPDATE SET judges = 1, is_whole = max(is_whole, excluded.is_whole),
               sort_at = excluded.sort_at, story = excluded.story
             RETURNING section",
        )?;
        let (sort_at, story) = JudgingRow::START;
        let values = params![section.as_str(), is_new, feeds.is_none(), sort_at.millis(), story];
        let number: SectionNumber = begin.query_row(values, |row| row.get(0))?;
        let Some(feeds) = feeds else { return self.forget_judging_feeds(number) };
        let mut insert = self.connection.prepare_cached(
            "INSERT INTO judging_feed (section, feed, guid) VALUES (?1, ?2, '')
             ON CONFLICT (section, feed) DO UPDATE SET guid = ''",
        )?;
        for feed in feeds.iter() {
            insert.execute(params![number, feed])?;
        }
        Ok(())
    }

    /// Begins a pass that gives slugs to the stories of a section, because the section became public. If the section
    /// has an unfinished pass, that pass begins again with all stories, and also gives slugs.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn begin_naming(&self, section: &SectionId) -> Result<(), StoreError> {
        let mut begin = self.connection.prepare_cached(
            "INSERT INTO judging (section, is_new, judges, names, is_whole, sort_at, story)
             SELECT number, 0, 0, 1, 1, ?2, ?3 FROM section WHERE id = ?1
             ON CONFLICT (section) DO UPDATE SET names = 1, is_whole = 1, sort_at = excluded.sort_at, story = excluded.story
             RETURNING section",
        )?;
        let (sort_at, story) = JudgingRow::START;
        let number = begin.query_row(params![section.as_str(), sort_at.millis(), story], |row| row.get(0))?;
        self.forget_judging_feeds(number)
    }

    /// Records the progress of a pass over all stories: its position, and how many stories entered and left the
    /// section.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn note_judged(&self, row: &JudgingRow) -> Result<(), StoreError> {
        let mut update = self.connection.prepare_cached(
            "UPDATE judging SET sort_at = ?2, story = ?3, entered = ?4, left_it = ?5 WHERE section = ?1",
        )?;
        let (sort_at, story) = row.cursor;
        let moves = (row.entered.cast_signed(), row.left.cast_signed());
        update.execute(params![row.number, sort_at.millis(), story, moves.0, moves.1])?;
        Ok(())
    }

    /// Records the guid of a feed's last entry that a pass has dealt with. `None` records that the pass has dealt with
    /// all entries of the feed.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn note_judged_feed(
        &self,
        section: SectionNumber,
        feed: FeedNumber,
        guid: Option<&str>,
    ) -> Result<(), StoreError> {
        let sql = match guid {
            Some(_) => "UPDATE judging_feed SET guid = ?3 WHERE section = ?1 AND feed = ?2",
            None => "DELETE FROM judging_feed WHERE section = ?1 AND feed = ?2 AND ?3 IS NULL",
        };
        self.connection.prepare_cached(sql)?.execute(params![section, feed, guid])?;
        Ok(())
    }

    /// Records that the pass of a section is finished.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn finish_judging(&self, section: SectionNumber) -> Result<(), StoreError> {
        self.connection.prepare_cached("DELETE FROM judging WHERE section = ?1")?.execute([section])?;
        self.forget_judging_feeds(section)
    }

    fn forget_judging_feeds(&self, section: SectionNumber) -> Result<(), StoreError> {
        self.connection.prepare_cached("DELETE FROM judging_feed WHERE section = ?1")?.execute([section])?;
        Ok(())
    }
}

fn judging_row(row: &Row) -> rusqlite::Result<JudgingRow> {
    let cursor: (Timestamp, StoryNumber) = (time(row, 6)?, row.get(7)?);
    Ok(JudgingRow {
        section: SectionId::from(text(row, 0)?),
        number: row.get(1)?,
        is_new: row.get(2)?,
        judges: row.get(3)?,
        names: row.get(4)?,
        is_whole: row.get(5)?,
        cursor,
        entered: row.get::<_, i64>(8)?.cast_unsigned() as usize,
        left: row.get::<_, i64>(9)?.cast_unsigned() as usize,
    })
}
