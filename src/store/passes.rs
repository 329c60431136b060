//! Loads all stories of the store, batch by batch.

use std::collections::HashMap;

use rusqlite::{Row, params};
use url::Url;

use super::copies::copy_row;
use super::forms::decode_entry;
use super::sql::{text, time};
use super::{StoreError, View};
use crate::entry::Entry;
use crate::feed::{FeedId, SectionId};
use crate::number::StoryNumber;
use crate::rows::{CopyLimits, CopyRow, PassedRow, StoredStory};

/// The most stories in a batch.
const BATCH: usize = 500;

/// Once the stories of a batch have more bytes of content than this, no further story is added.
const BATCH_BYTES: usize = 4 << 20;

impl View {
    /// Loads the next batch of a pass over all stories that have entries, from the highest number to the lowest. The
    /// batch has stories whose number is less than `below`; `None` begins the pass. It is empty at the end of the pass.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite, and an error if a stored entry cannot be read.
    pub fn pass_over(&self, below: Option<StoryNumber>, limits: CopyLimits) -> Result<Vec<PassedRow>, StoreError> {
        // `CROSS JOIN` fixes the order of the joins, so that the rows come in the order of an index and SQLite need not
        // sort them.
        let mut statement = self.connection.prepare_cached(
            "SELECT entry.number, feed.id, entry.first_seen, entry.revised, entry.reason, body.value,
               story.number, story.public_id, story.slug, story.sort_at
             FROM entry CROSS JOIN story ON story.number = entry.story CROSS JOIN feed ON feed.number = entry.feed
               LEFT JOIN body ON body.entry = entry.number
             WHERE entry.story < ?1 ORDER BY entry.story DESC, entry.number DESC",
        )?;
        let below = below.unwrap_or(StoryNumber(i64::MAX));
        let mut rows = statement.query([below])?;
        let (mut batch, mut bytes) = (Vec::<StoryRows>::new(), 0);
        while let Some(row) = rows.next()? {
            let number: StoryNumber = row.get(6)?;
            if batch.last().is_none_or(|last| last.story.number != number) {
                if batch.len() == BATCH || bytes > BATCH_BYTES {
                    break;
                }
                batch.push(StoryRows::of(row)?);
            }
            if let Some(last) = batch.last_mut() {
                bytes += last.add(row, limits)?;
            }
        }
        let Some(last) = batch.last() else { return Ok(Vec::new()) };
        let mut sections = self.sections_between(last.story.number, below)?;
        let finish = |passing: StoryRows| {
            let sections = sections.remove(&passing.story.number).unwrap_or_default();
            passing.finish(sections)
        };
        batch.into_iter().map(finish).collect()
    }

    /// Loads, for each story from number `first` to just before `below`, the configured sections that the story is in.
    fn sections_between(
        &self,
        first: StoryNumber,
        below: StoryNumber,
    ) -> Result<HashMap<StoryNumber, Vec<SectionId>>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT placement.story, section.id
             FROM placement INDEXED BY placement_story CROSS JOIN section ON section.number = placement.section
             WHERE placement.story >= ?1 AND placement.story < ?2 AND placement.left_at IS NULL AND section.gone IS NULL",
        )?;
        let mut rows = statement.query(params![first, below])?;
        let mut sections = HashMap::<_, Vec<_>>::new();
        while let Some(row) = rows.next()? {
            sections.entry(row.get(0)?).or_default().push(SectionId::from(text(row, 1)?));
        }
        Ok(sections)
    }
}

/// A story while the rows of its copies are read, the last copy first.
struct StoryRows {
    story: StoredStory,
    /// The copies read so far; `None` once they are too many or too large.
    copies: Option<Vec<CopyRow>>,
    bytes: usize,
    /// If `copies` is `None`, the JSON of the copy that was read last. At the end this is the first copy.
    first: Option<String>,
}

impl StoryRows {
    fn of(row: &Row) -> Result<StoryRows, StoreError> {
        let (number, id, slug) = (row.get(6)?, row.get(7)?, row.get(8)?);
        let story = StoredStory { number, id, slug, sort_at: time(row, 9)? };
        Ok(StoryRows { story, copies: Some(Vec::new()), bytes: 0, first: None })
    }

    /// Adds a copy, and returns the size of its content in bytes.
    fn add(&mut self, row: &Row, limits: CopyLimits) -> Result<usize, StoreError> {
        let Some(body) = row.get_ref(5)?.as_str_or_null().map_err(rusqlite::Error::from)? else { return Ok(0) };
        self.bytes += body.len();
        let has_room =
            |copies: &Vec<CopyRow>| copies.len() < limits.copies && (self.bytes <= limits.bytes || copies.is_empty());
        match self.copies.as_mut().filter(|copies| has_room(copies)) {
            Some(copies) => copies.push(copy_row(row, FeedId::from(text(row, 1)?))?),
            None => {
                self.copies = None;
                body.clone_into(self.first.get_or_insert_default());
            }
        }
        Ok(body.len())
    }

    fn finish(self, sections: Vec<SectionId>) -> Result<PassedRow, StoreError> {
        let StoryRows { story, mut copies, first, .. } = self;
        let named = |entry: &Entry| (entry.title.clone(), entry.link.clone());
        let first: Option<(String, Option<Url>)> = match (&mut copies, first) {
            (Some(copies), _) => {
                copies.reverse();
                copies.first().map(|copy| named(&copy.entry))
            }
            (None, first) => first.as_deref().map(decode_entry).transpose()?.as_ref().map(named),
        };
        Ok(PassedRow { story, copies, first, sections })
    }
}
