//! The keys by which entries with one text are found, wherever in the archive they are, at a cost that does not grow with it.
//!
//! A key is kept beside the days that its entry is of: entries of one time lie together, and a window is some few lookups.

use std::collections::HashMap;
use std::ops::RangeInclusive;
use std::time::Duration;

use rusqlite::{Connection, params};

use super::StoreError;
use crate::story::Wording;
use crate::time::Timestamp;

/// How many days lie together: with the usual window of three, three such spans cover it.
const SPAN: Duration = Duration::from_secs(4 * 24 * 3600);

/// More spans are not looked through: a window of a year would be looked through for minutes.
const SPANS: i64 = 16;

/// A key that more entries have is that of a column or of a footer, and points to nobody.
const FOUND_AT_MOST: i64 = 64;

/// How many candidates are compared, those with the most keys in common first.
const COMPARED: usize = 8;

/// How many of these may be of one feed: two show that the feed repeats the text.
const OF_ONE_FEED: usize = 2;

pub fn write(connection: &Connection, entry: i64, sort_at: Timestamp, wording: &Wording) -> Result<(), StoreError> {
    let mut statement =
        connection.prepare_cached("INSERT INTO signature (key, entry) VALUES (?1, ?2) ON CONFLICT DO NOTHING")?;
    for key in wording.keys() {
        statement.execute(params![in_span(span(sort_at), *key), entry])?;
    }
    Ok(())
}

/// Forgets the keys of an entry whose words are let go.
pub fn forget(connection: &Connection, entry: i64, sort_at: Timestamp, wording: &Wording) -> Result<(), StoreError> {
    let mut statement = connection.prepare_cached("DELETE FROM signature WHERE key = ?1 AND entry = ?2")?;
    for key in wording.keys() {
        statement.execute(params![in_span(span(sort_at), *key), entry])?;
    }
    Ok(())
}

/// Finds entries by their keys; what has the keys of one before is not looked for again. Holds while nothing is written.
pub struct Finder<'a> {
    connection: &'a Connection,
    /// The feed whose own entries are no candidates.
    feed: i64,
    found: HashMap<(Vec<u32>, RangeInclusive<i64>), Vec<i64>>,
    feeds: HashMap<i64, i64>,
}

impl<'a> Finder<'a> {
    pub fn new(connection: &'a Connection, feed: i64) -> Self {
        Finder { connection, feed, found: HashMap::new(), feeds: HashMap::new() }
    }

    /// The numbers of entries that may have the same text and are, within days, not farther away than the window; none is of
    /// a time after `now`.
    pub fn candidates(
        &mut self,
        (sort_at, now): (Timestamp, Timestamp),
        window: Duration,
        wording: &Wording,
    ) -> Result<Vec<i64>, StoreError> {
        if wording.keys().is_empty() {
            return Ok(Vec::new());
        }
        let spans = span(sort_at - window)..=span((sort_at + window).min(now));
        let asked = (wording.keys().to_vec(), spans);
        if let Some(found) = self.found.get(&asked) {
            return Ok(found.clone());
        }
        let ranked = self.ranked(&asked.0, asked.1.clone())?;
        // Few are compared as they are; of more each feed has its part, so that none hides the others.
        let found = if ranked.len() > COMPARED { self.fair(ranked)? } else { ranked };
        self.found.insert(asked, found.clone());
        Ok(found)
    }

    /// The entries that have one of the keys, those with most of them first.
    fn ranked(&self, keys: &[u32], spans: RangeInclusive<i64>) -> Result<Vec<i64>, StoreError> {
        let mut statement = self.connection.prepare_cached("SELECT entry FROM signature WHERE key = ?1 LIMIT ?2")?;
        let mut found = HashMap::<i64, usize>::new();
        for key in keys {
            for span in spans.clone().take(SPANS as usize) {
                let mut rows = statement.query(params![in_span(span, *key), FOUND_AT_MOST])?;
                while let Some(row) = rows.next()? {
                    *found.entry(row.get(0)?).or_default() += 1;
                }
            }
        }
        let mut found: Vec<_> = found.into_iter().collect();
        found.sort_by_key(|(entry, keys)| (std::cmp::Reverse(*keys), *entry));
        Ok(found.into_iter().map(|(entry, _)| entry).collect())
    }

    /// The first of them, at most two of one feed.
    fn fair(&mut self, ranked: Vec<i64>) -> Result<Vec<i64>, StoreError> {
        let mut of_feed = HashMap::<i64, usize>::from([(self.feed, OF_ONE_FEED)]);
        let mut chosen = Vec::new();
        for entry in ranked {
            let of_feed = of_feed.entry(self.feed_of(entry)?).or_default();
            if *of_feed < OF_ONE_FEED {
                *of_feed += 1;
                chosen.push(entry);
            }
            if chosen.len() == COMPARED {
                break;
            }
        }
        Ok(chosen)
    }

    fn feed_of(&mut self, entry: i64) -> Result<i64, StoreError> {
        if let Some(feed) = self.feeds.get(&entry) {
            return Ok(*feed);
        }
        let mut statement = self.connection.prepare_cached("SELECT feed FROM entry WHERE number = ?1")?;
        let feed = statement.query_row([entry], |row| row.get(0))?;
        self.feeds.insert(entry, feed);
        Ok(feed)
    }
}

fn span(time: Timestamp) -> i64 {
    time.millis().div_euclid(SPAN.as_millis() as i64)
}

fn in_span(span: i64, key: u32) -> i64 {
    (span << 32) | i64::from(key)
}
