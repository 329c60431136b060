//! Loads figures on how often feeds and sections publish, called their *rhythm*.
//!
//! These loads read the whole archive, which takes long. So they are for commands, not for requests to the web server.

use std::collections::HashMap;
use std::hash::Hash;

use rusqlite::{Connection, Row, params};

use crate::feed::{FeedId, SectionId};
use crate::time::Timestamp;

use super::sql::time;
use super::{StoreError, View};

/// How many of the newest stories of each feed or section are loaded.
const SHOWN: i64 = 20;

/// Figures on how often a feed or section publishes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rhythm {
    /// The times of the newest stories of the feed or section, newest first.
    pub times: Vec<Timestamp>,
    /// How many entries the feed's last document lists.
    pub listed: u64,
    /// How many entries the feed has had in total.
    pub entries: u64,
    /// How many of these entries were revised so often that newswire ignores further changes of them.
    pub restless: u64,
    /// When a poll last brought new entries, and how many; `None` if never.
    pub last_news: Option<(Timestamp, u64)>,
}

impl View {
    /// Loads the rhythm of each configured feed. An entry with `max_revisions` revisions or more counts as `restless`.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn feed_rhythms(&self, max_revisions: u32) -> Result<HashMap<FeedId, Rhythm>, StoreError> {
        let times = "SELECT id, sort_at FROM (
               SELECT feed.id, story.sort_at, row_number() OVER (PARTITION BY feed.number ORDER BY story.sort_at DESC) AS place
               FROM entry JOIN feed ON feed.number = entry.feed JOIN story ON story.number = entry.story
               WHERE feed.removed IS NULL)
             WHERE place <= ?1 ORDER BY sort_at DESC";
        let mut rhythms = times_of(&self.connection, times, |id| FeedId::from(id))?;
        let mut counts = self.connection.prepare_cached(
            "SELECT feed.id, count(*), count(*) FILTER (WHERE unlisted IS NULL), count(*) FILTER (WHERE revisions >= ?1)
             FROM entry JOIN feed ON feed.number = entry.feed WHERE feed.removed IS NULL GROUP BY feed.number",
        )?;
        let mut rows = counts.query([max_revisions])?;
        while let Some(row) = rows.next()? {
            let rhythm = rhythms.entry(feed_id(row)?).or_default();
            (rhythm.entries, rhythm.listed, rhythm.restless) = (count(row, 1)?, count(row, 2)?, count(row, 3)?);
        }
        let mut news = self
            .connection
            .prepare_cached("SELECT id, news_at, news FROM feed WHERE removed IS NULL AND news_at IS NOT NULL")?;
        let mut rows = news.query([])?;
        while let Some(row) = rows.next()? {
            rhythms.entry(feed_id(row)?).or_default().last_news = Some((time(row, 1)?, count(row, 2)?));
        }
        Ok(rhythms)
    }

    /// Loads the rhythm of each configured section. Only the field `times` is set.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn section_rhythms(&self) -> Result<HashMap<SectionId, Rhythm>, StoreError> {
        let times = "SELECT id, sort_at FROM (
               SELECT section.id, placement.sort_at,
                 row_number() OVER (PARTITION BY section.number ORDER BY placement.sort_at DESC) AS place
               FROM placement JOIN section ON section.number = placement.section
               WHERE placement.left_at IS NULL AND section.gone IS NULL)
             WHERE place <= ?1 ORDER BY sort_at DESC";
        times_of(&self.connection, times, |id| SectionId::from(id))
    }
}

fn times_of<Id: Eq + Hash>(
    connection: &Connection,
    sql: &str,
    id: impl Fn(&str) -> Id,
) -> Result<HashMap<Id, Rhythm>, StoreError> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(params![SHOWN])?;
    let mut rhythms: HashMap<Id, Rhythm> = HashMap::new();
    while let Some(row) = rows.next()? {
        let id = id(row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?);
        rhythms.entry(id).or_default().times.push(time(row, 1)?);
    }
    Ok(rhythms)
}

fn feed_id(row: &Row) -> rusqlite::Result<FeedId> {
    Ok(FeedId::from(row.get_ref(0)?.as_str()?))
}

fn count(row: &Row, column: usize) -> rusqlite::Result<u64> {
    row.get::<_, i64>(column).map(i64::cast_unsigned)
}
