//! Loads the copies of stories.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::Row;

use super::forms::decode_entry;
use super::sql::{optional_time, reason, text, time};
use super::{StoreError, View};
use crate::feed::FeedId;
use crate::number::{EntryNumber, StoryNumber};
use crate::rows::{Copies, CopyHead, CopyLimits, CopyRow};

impl View {
    /// Loads the copies with these numbers, ordered by number. They may belong to different stories. Skips copies
    /// without content.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite, and an error if a stored entry cannot be read.
    pub fn copies(&self, numbers: &BTreeSet<EntryNumber>) -> Result<Vec<CopyRow>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT entry.number, feed.id, entry.first_seen, entry.revised, entry.reason, body.value
             FROM entry JOIN feed ON feed.number = entry.feed JOIN body ON body.entry = entry.number
             WHERE entry.number = ?1",
        )?;
        let mut copies = Vec::new();
        for number in numbers {
            let mut rows = statement.query([number])?;
            if let Some(row) = rows.next()? {
                copies.push(copy_row(row, FeedId::from(text(row, 1)?))?);
            }
        }
        Ok(copies)
    }

    /// Loads those copies of a story for whose feed `sees` returns `true`. Skips copies without content. If the copies
    /// exceed `limits`, loads them all, but without their content.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite, and an error if a stored entry cannot be read.
    pub fn copies_of(
        &self,
        story: StoryNumber,
        limits: CopyLimits,
        sees: &dyn Fn(&FeedId) -> bool,
    ) -> Result<Copies, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT entry.number, feed.id, entry.first_seen, entry.revised, entry.reason, body.value
             FROM entry JOIN feed ON feed.number = entry.feed JOIN body ON body.entry = entry.number
             WHERE entry.story = ?1 ORDER BY entry.number",
        )?;
        let mut rows = statement.query([story])?;
        let (mut copies, mut bytes) = (Vec::new(), 0);
        while let Some(row) = rows.next()? {
            let feed = FeedId::from(text(row, 1)?);
            if !sees(&feed) {
                continue;
            }
            bytes += text(row, 5)?.len();
            if copies.len() == limits.copies || bytes > limits.bytes && !copies.is_empty() {
                return self.heads(story, sees).map(Copies::Many);
            }
            copies.push(copy_row(row, feed)?);
        }
        Ok(Copies::All(copies))
    }

    fn heads(&self, story: StoryNumber, sees: &dyn Fn(&FeedId) -> bool) -> Result<Vec<CopyHead>, StoreError> {
        let mut links = BTreeMap::<EntryNumber, Vec<String>>::new();
        let mut statement = self.connection.prepare_cached(
            "SELECT link.entry, link.key FROM entry CROSS JOIN link ON link.entry = entry.number WHERE entry.story = ?1",
        )?;
        let mut rows = statement.query([story])?;
        while let Some(row) = rows.next()? {
            links.entry(row.get(0)?).or_default().push(row.get(1)?);
        }
        let mut statement = self.connection.prepare_cached(
            "SELECT entry.number, feed.id, entry.first_seen, entry.reason, octet_length(body.value)
             FROM entry JOIN feed ON feed.number = entry.feed JOIN body ON body.entry = entry.number
             WHERE entry.story = ?1 ORDER BY entry.number",
        )?;
        let mut rows = statement.query([story])?;
        let mut heads = Vec::new();
        while let Some(row) = rows.next()? {
            let feed = FeedId::from(text(row, 1)?);
            if sees(&feed) {
                let number = row.get(0)?;
                let bytes = row.get::<_, i64>(4)?.unsigned_abs() as usize;
                let links = links.remove(&number).unwrap_or_default();
                heads.push(CopyHead { number, feed, first_seen: time(row, 2)?, reason: reason(row, 3)?, bytes, links });
            }
        }
        Ok(heads)
    }
}

pub(super) fn copy_row(row: &Row, feed: FeedId) -> Result<CopyRow, StoreError> {
    let body = text(row, 5)?;
    let entry = decode_entry(body)?;
    Ok(CopyRow {
        number: row.get(0)?,
        feed,
        first_seen: time(row, 2)?,
        revised: optional_time(row, 3)?,
        reason: reason(row, 4)?,
        entry,
        bytes: body.len(),
    })
}
