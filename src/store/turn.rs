//! A turn at the store: what may be loaded and written within one transaction of the writer.
//!
//! Loads rows and writes rows, and never decides. What one turn writes, its own loads see, and the next turn's.

use std::cell::OnceCell;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::ops::Deref;

use rusqlite::params;

use super::sql::{reason, text};
use super::{Store, StoreError, View};
use crate::feed::SectionId;
use crate::number::{FeedNumber, SectionNumber, StoryNumber};
use crate::rows::{Member, NextNumbers};
use crate::time::Timestamp;

/// See the module.
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
    /// Takes a turn: `work` loads, decides and writes in a transaction that it may share with others; returns when all is safe
    /// on disk.
    ///
    /// # Errors
    ///
    /// What `work` returns, and then nothing of it is written; or that the transaction failed.
    pub async fn turn<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Turn) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.write(move |view| work(&Turn::new(view))).await
    }

    /// Takes a turn and takes back all that it wrote.
    ///
    /// # Errors
    ///
    /// What `work` returns.
    pub async fn rehearse<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Turn) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.write(move |view| {
            view.connection.execute_batch("SAVEPOINT rehearsal")?;
            let result = work(&Turn::new(view));
            view.connection.execute_batch("ROLLBACK TO rehearsal; RELEASE rehearsal")?;
            result
        })
        .await
    }
}

impl<'c> Turn<'c> {
    pub(super) fn new(view: &'c View) -> Turn<'c> {
        Turn { view, key: OnceCell::new() }
    }

    /// Returns the key that this store's private ids are made with.
    ///
    /// # Errors
    ///
    /// As of SQLite; so it is with all that follows here.
    pub fn key(&self) -> Result<&[u8], StoreError> {
        if self.key.get().is_none() {
            let _ = self.key.set(self.view.key()?);
        }
        Ok(self.key.get().map_or(&[][..], Vec::as_slice))
    }

    /// The numbers of all sections, also of those that are gone.
    ///
    /// # Errors
    ///
    /// As of SQLite.
    pub fn sections(&self) -> Result<HashMap<SectionId, SectionNumber>, StoreError> {
        let mut statement = self.connection.prepare_cached("SELECT id, number FROM section")?;
        let numbers = statement.query_map([], |row| Ok((SectionId::from(text(row, 0)?), row.get(1)?)))?;
        Ok(numbers.collect::<Result<_, _>>()?)
    }

    /// The numbers that the next new story and entry get.
    ///
    /// # Errors
    ///
    /// As of SQLite.
    pub fn next(&self) -> Result<NextNumbers, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT coalesce((SELECT max(number) FROM story), 0) + 1, coalesce((SELECT max(number) FROM entry), 0) + 1",
        )?;
        Ok(statement.query_row([], |row| Ok(NextNumbers { story: row.get(0)?, entry: row.get(1)? }))?)
    }

    /// The story that stands for this one: itself, or the older one that it joined.
    ///
    /// # Errors
    ///
    /// As of SQLite.
    pub fn standing_of(&self, story: StoryNumber) -> Result<StoryNumber, StoreError> {
        let mut statement =
            self.connection.prepare_cached("SELECT coalesce(joined_into, number) FROM story WHERE number = ?1")?;
        Ok(statement.query_row([story], |row| row.get(0))?)
    }

    /// The entries of a story, whether their words are kept or not, in the order in which they joined.
    ///
    /// # Errors
    ///
    /// As of SQLite.
    pub fn members(&self, story: StoryNumber) -> Result<Vec<Member>, StoreError> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT number, feed, reason FROM entry WHERE story = ?1 ORDER BY number")?;
        let members = statement
            .query_map([story], |row| Ok(Member { number: row.get(0)?, feed: row.get(1)?, reason: reason(row, 2)? }))?;
        Ok(members.collect::<Result<_, _>>()?)
    }

    /// Whether an editor split two stories.
    ///
    /// # Errors
    ///
    /// As of SQLite.
    pub fn are_apart(&self, one: StoryNumber, other: StoryNumber) -> Result<bool, StoreError> {
        let mut statement =
            self.connection.prepare_cached("SELECT 1 FROM verdict WHERE a = ?1 AND b = ?2 AND kind = 'split'")?;
        Ok(statement.exists([one.min(other), one.max(other)])?)
    }

    /// The pairs of stories that an editor split, of which one is this.
    ///
    /// # Errors
    ///
    /// As of SQLite.
    pub fn held_apart(&self, story: StoryNumber) -> Result<Vec<(StoryNumber, StoryNumber)>, StoreError> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT a, b FROM verdict WHERE kind = 'split' AND (a = ?1 OR b = ?1) ORDER BY a, b")?;
        let pairs = statement.query_map([story], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(pairs.collect::<Result<_, _>>()?)
    }

    /// Those of these stories that have an entry of the feed.
    ///
    /// # Errors
    ///
    /// As of SQLite.
    pub fn stories_with(
        &self,
        feed: FeedNumber,
        stories: impl IntoIterator<Item = StoryNumber>,
    ) -> Result<HashSet<StoryNumber>, StoreError> {
        // The plus keeps SQLite from searching among all entries of the feed.
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

    /// The stories of which time alone calls for a new judgement at `now`.
    ///
    /// # Errors
    ///
    /// As of SQLite.
    pub fn due_stories(&self, now: Timestamp) -> Result<Vec<StoryNumber>, StoreError> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT DISTINCT story FROM placement WHERE next_change <= ?1 ORDER BY story")?;
        let stories = statement.query_map([now.millis()], |row| row.get(0))?;
        Ok(stories.collect::<Result<_, _>>()?)
    }
}
