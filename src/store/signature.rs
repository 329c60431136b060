//! The keys by which entries with one text are found, wherever in the archive they are, at a cost that does not grow with it.
//!
//! A key is kept beside the days that its entry is of: entries of one time lie together, and a window is some few lookups.

use std::collections::HashMap;
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

/// The numbers of entries that may have the same text and are, within days, not farther away than the window; none is of a
/// time after `now`.
pub fn candidates(
    connection: &Connection,
    (sort_at, now): (Timestamp, Timestamp),
    window: Duration,
    wording: &Wording,
) -> Result<Vec<i64>, StoreError> {
    let spans = span(sort_at - window)..=span((sort_at + window).min(now));
    let mut statement = connection.prepare_cached("SELECT entry FROM signature WHERE key = ?1 LIMIT ?2")?;
    let mut found = HashMap::<i64, usize>::new();
    for key in wording.keys() {
        for span in spans.clone().take(SPANS as usize) {
            let mut rows = statement.query(params![in_span(span, *key), FOUND_AT_MOST])?;
            while let Some(row) = rows.next()? {
                *found.entry(row.get(0)?).or_default() += 1;
            }
        }
    }
    let mut found: Vec<_> = found.into_iter().collect();
    found.sort_by_key(|(entry, keys)| (std::cmp::Reverse(*keys), *entry));
    Ok(found.into_iter().map(|(entry, _)| entry).take(COMPARED).collect())
}

fn span(time: Timestamp) -> i64 {
    time.millis().div_euclid(SPAN.as_millis() as i64)
}

fn in_span(span: i64, key: u32) -> i64 {
    (span << 32) | i64::from(key)
}
