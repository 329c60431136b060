//! A turn: access to the store within a transaction of the writer. Turns run one after another.
//!
//! A turn only loads and writes rows, and contains no policy. Loads see what was written earlier, in the same turn and
//! in the turns before it.

use std::cell::OnceCell;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::ops::Deref;

use rusqlite::params;

use super::sql::{reason, text, time};
use super::{Store, StoreError, Urgency, View};
use crate::feed::SectionId;
use crate::number::{FeedNumber, SectionNumber, StoryNumber};
use crate::rows::{Member, NextNumbers};
use crate::time::Timestamp;

/// A placement that must be judged again at some time, because the age of its story changes. To judge a placement is to
/// decide whether the story is in the section. The values are the time, the section and the story.
pub type DuePlacement = (Timestamp, SectionNumber, StoryNumber);

/// A handle for loads and writes within one transaction.
pub struct Turn<'c> {
    view: &'c View,
    key: OnceCell<Vec<u8>>,
}

impl Deref for Turn<'_> {
    type Target = View;

    fn deref(&self) -> &View {
        self.view
    }
}

impl Store {
    /// Runs `work`, which loads, decides and writes. The transaction may include other work, but no other work runs at
    /// the same time as `work`. Returns when all data is safe on disk.
    ///
    /// # Errors
    ///
    /// Returns the error of `work`, whose writes are then rolled back, or an error if the transaction failed.
    pub async fn turn<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Turn) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.turn_when(Urgency::Now, work).await
    }

    /// Runs `work` as [`Store::turn`] does, with the given urgency.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`Store::turn`].
    pub async fn turn_when<T: Send + 'static>(
        &self,
        urgency: Urgency,
        work: impl FnOnce(&Turn) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.inner.writer.write(urgency, move |view| work(&Turn::new(view))).await
    }

    /// Runs `work` as [`Store::turn`] does, and then rolls back everything that it wrote.
    ///
    /// # Errors
    ///
    /// Returns the error of `work`, or an error if the transaction failed.
    pub async fn dry_run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Turn) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.write(move |view| {
            view.connection.execute_batch("SAVEPOINT dry_run")?;
            let result = work(&Turn::new(view));
            view.connection.execute_batch("ROLLBACK TO dry_run; RELEASE dry_run")?;
            result
        })
        .await
    }
}

impl<'c> Turn<'c> {
    pub(super) fn new(view: &'c View) -> Turn<'c> {
        Turn { view, key: OnceCell::new() }
    }

    /// Returns the store's secret key, with which private ids are made.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn key(&self) -> Result<&[u8], StoreError> {
        if self.key.get().is_none() {
            let _ = self.key.set(self.view.key()?);
        }
        Ok(self.key.get().map_or(&[][..], Vec::as_slice))
    }

    /// Loads the numbers of all sections, including removed ones.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn sections(&self) -> Result<HashMap<SectionId, SectionNumber>, StoreError> {
        let mut statement = self.connection.prepare_cached("SELECT id, number FROM section")?;
        let numbers = statement.query_map([], |row| Ok((SectionId::from(text(row, 0)?), row.get(1)?)))?;
        Ok(numbers.collect::<Result<_, _>>()?)
    }

    /// Returns the numbers for the next new story and entry.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn next(&self) -> Result<NextNumbers, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT coalesce((SELECT max(number) FROM story), 0) + 1, coalesce((SELECT max(number) FROM entry), 0) + 1",
        )?;
        Ok(statement.query_row([], |row| Ok(NextNumbers { story: row.get(0)?, entry: row.get(1)? }))?)
    }

    /// Returns this story, or the older story that it was merged into.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn active_story(&self, story: StoryNumber) -> Result<StoryNumber, StoreError> {
        let mut statement =
            self.connection.prepare_cached("SELECT coalesce(joined_into, number) FROM story WHERE number = ?1")?;
        Ok(statement.query_row([story], |row| row.get(0))?)
    }

    /// Loads the entries of a story, with or without content, ordered by number.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn members(&self, story: StoryNumber) -> Result<Vec<Member>, StoreError> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT number, feed, reason FROM entry WHERE story = ?1 ORDER BY number")?;
        let members = statement
            .query_map([story], |row| Ok(Member { number: row.get(0)?, feed: row.get(1)?, reason: reason(row, 2)? }))?;
        Ok(members.collect::<Result<_, _>>()?)
    }

    /// Returns whether an editor split these two stories, so that they are never merged.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn are_split(&self, one: StoryNumber, other: StoryNumber) -> Result<bool, StoreError> {
        let mut statement =
            self.connection.prepare_cached("SELECT 1 FROM verdict WHERE a = ?1 AND b = ?2 AND kind = 'split'")?;
        Ok(statement.exists([one.min(other), one.max(other)])?)
    }

    /// Loads those pairs of stories that an editor split and that include this story.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn splits_of(&self, story: StoryNumber) -> Result<Vec<(StoryNumber, StoryNumber)>, StoreError> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT a, b FROM verdict WHERE kind = 'split' AND (a = ?1 OR b = ?1) ORDER BY a, b")?;
        let pairs = statement.query_map([story], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(pairs.collect::<Result<_, _>>()?)
    }

    /// Returns those of `stories` that have an entry of the feed.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn stories_with(
        &self,
        feed: FeedNumber,
        stories: impl IntoIterator<Item = StoryNumber>,
    ) -> Result<HashSet<StoryNumber>, StoreError> {
        // Because of the plus, SQLite does not use the index of `feed`. With that index, it would search all entries of
        // the feed.
        let mut statement =
            self.connection.prepare_cached("SELECT 1 FROM entry WHERE story = ?1 AND +feed = ?2 LIMIT 1")?;
        let mut found = HashSet::new();
        for story in stories.into_iter().collect::<BTreeSet<_>>() {
            if statement.exists(params![story, feed])? {
                found.insert(story);
            }
        }
        Ok(found)
    }

    /// Loads at most `limit` placements that must be judged again at `now` because time has passed, the longest overdue
    /// first. Begins after `after`, the last placement of an earlier call; `None` begins with the first.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn due_placements(
        &self,
        now: Timestamp,
        after: Option<DuePlacement>,
        limit: usize,
    ) -> Result<Vec<DuePlacement>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT next_change, section, story FROM placement INDEXED BY placement_change
             WHERE next_change IS NOT NULL AND next_change <= ?1 AND (next_change, section, story) > (?2, ?3, ?4)
             ORDER BY next_change, section, story LIMIT ?5",
        )?;
        let (due, section, story) = after.unwrap_or((Timestamp::MIN, SectionNumber(i64::MIN), StoryNumber(i64::MIN)));
        let values = params![now.millis(), due.millis(), section, story, limit.cast_signed()];
        let due = statement.query_map(values, |row| Ok((time(row, 0)?, row.get(1)?, row.get(2)?)))?;
        Ok(due.collect::<Result<_, _>>()?)
    }
}
