//! The whole archive, story by story, for whoever judges it without changing it.
//!
//! One pass, with one story in memory at a time: what a rule would do to a million stories is asked beside the daemon that
//! writes them. A story's copies come as the sections see them when they judge; of a story with very many, the best.

use std::borrow::Cow;
use std::collections::HashMap;

use rusqlite::{Row, Rows};
use url::Url;

use crate::config::Config;
use crate::entry::Entry;
use crate::feed::{FeedId, SectionId};
use crate::number::{SectionNumber, StoryNumber};
use crate::section::{self, MAX_COPIES, SeenCopy};
use crate::story::JoinReason;
use crate::text::PlainText;
use crate::time::Timestamp;

use super::copies::{Viewer, copies_of};
use super::sql::{optional_time, time};
use super::{Reader, StoreError, StoredStory};

/// A story with its copies and the sections that hold it.
pub struct Passing<'c> {
    pub story: StoredStory,
    /// The copies whose feeds are configured and whose words are kept, in the order in which they joined.
    pub copies: Vec<SeenCopy<'c>>,
    /// Title and link of the first copy whose words are kept, whether its feed is configured or not.
    pub told: Option<(String, Option<Url>)>,
    /// As placed in the store.
    pub sections: Vec<SectionId>,
}

impl Reader {
    /// Shows every story to `visit`, from the one that was stored last to the first, in one state of the store.
    ///
    /// Without `with_text` the copies' plain text is left empty, which is faster where no rule reads it.
    ///
    /// # Errors
    ///
    /// As of SQLite, or that stored words cannot be read.
    pub fn each_story<'c>(
        &self,
        config: &'c Config,
        with_text: bool,
        mut visit: impl FnMut(&Passing<'c>),
    ) -> Result<(), StoreError> {
        self.in_one_state(|reader| {
            let names = reader.section_names()?;
            let mut placed = reader.connection.prepare_cached(
                "SELECT story, section FROM placement INDEXED BY placement_story WHERE left_at IS NULL ORDER BY story DESC",
            )?;
            let mut placed = Placed { rows: placed.query([])?, next: None, names };
            placed.advance()?;
            // The order of the joins is forced, so that rows come by index and nothing is sorted.
            let mut entries = reader.connection.prepare_cached(
                "SELECT story.number, story.public_id, story.slug, story.sort_at, entry.number, feed.id, entry.first_seen,
                   entry.revised, entry.reason, entry.score, body.value
                 FROM entry CROSS JOIN story ON story.number = entry.story CROSS JOIN feed ON feed.number = entry.feed
                   LEFT JOIN body ON body.entry = entry.number
                 ORDER BY entry.story DESC, entry.number DESC",
            )?;
            let mut rows = entries.query([])?;
            let mut passing: Option<Passing> = None;
            while let Some(row) = rows.next()? {
                let number: StoryNumber = row.get(0)?;
                if passing.as_ref().is_none_or(|passing| passing.story.number != number) {
                    if let Some(passing) = passing.take() {
                        visit(&reader.whole(passing, config, with_text)?);
                    }
                    passing = Some(begin(row, placed.of(number)?)?);
                }
                passing.as_mut().map_or(Ok(()), |passing| add_copy(passing, row, config, with_text))?;
            }
            if let Some(passing) = passing {
                visit(&reader.whole(passing, config, with_text)?);
            }
            Ok(())
        })
    }

    /// The sections that left the config since `since`.
    ///
    /// # Errors
    ///
    /// As of SQLite.
    pub fn sections_gone_since(&self, since: Timestamp) -> Result<Vec<SectionId>, StoreError> {
        let mut statement = self.connection.prepare_cached("SELECT id FROM section WHERE gone >= ?1 ORDER BY id")?;
        let ids = statement.query_map([since.millis()], |row| Ok(SectionId::from(row.get_ref(0)?.as_str()?)))?;
        Ok(ids.collect::<Result<_, _>>()?)
    }

    /// All rows of the story were read: puts its copies into the order in which they joined, or chooses among very many.
    fn whole<'c>(
        &self,
        mut passing: Passing<'c>,
        config: &'c Config,
        with_text: bool,
    ) -> Result<Passing<'c>, StoreError> {
        if passing.copies.len() > MAX_COPIES {
            passing.copies = copies_of(&self.connection, config, passing.story.number, Viewer::All, with_text)?;
        } else {
            passing.copies.reverse();
        }
        Ok(passing)
    }

    fn section_names(&self) -> Result<HashMap<SectionNumber, SectionId>, StoreError> {
        let mut statement = self.connection.prepare_cached("SELECT number, id FROM section WHERE gone IS NULL")?;
        let names = statement.query_map([], |row| Ok((row.get(0)?, SectionId::from(row.get_ref(1)?.as_str()?))))?;
        Ok(names.collect::<Result<_, _>>()?)
    }
}

/// The placements in the order of the stories, read beside them.
struct Placed<'s> {
    rows: Rows<'s>,
    next: Option<(StoryNumber, SectionNumber)>,
    names: HashMap<SectionNumber, SectionId>,
}

impl Placed<'_> {
    fn advance(&mut self) -> Result<(), StoreError> {
        self.next = self.rows.next()?.map(|row| Ok::<_, StoreError>((row.get(0)?, row.get(1)?))).transpose()?;
        Ok(())
    }

    /// The sections that hold the story; stories are asked for in descending order.
    fn of(&mut self, story: StoryNumber) -> Result<Vec<SectionId>, StoreError> {
        let mut sections = Vec::new();
        while let Some((at, section)) = self.next.filter(|(at, _)| *at >= story) {
            if at == story {
                sections.extend(self.names.get(&section).cloned());
            }
            self.advance()?;
        }
        Ok(sections)
    }
}

fn begin<'c>(row: &Row, sections: Vec<SectionId>) -> Result<Passing<'c>, StoreError> {
    let story = StoredStory { number: row.get(0)?, id: row.get(1)?, slug: row.get(2)?, sort_at: time(row, 3)? };
    Ok(Passing { story, copies: Vec::new(), told: None, sections })
}

/// Rows come in the reverse order, so that the first copy is the last one that is told.
fn add_copy<'c>(passing: &mut Passing<'c>, row: &Row, config: &'c Config, with_text: bool) -> Result<(), StoreError> {
    let Some(body) = row.get_ref(10)?.as_str_or_null().map_err(rusqlite::Error::from)? else { return Ok(()) };
    let entry: Entry = serde_json::from_str(body)?;
    passing.told = Some((entry.title.clone(), entry.link.clone()));
    let feed = FeedId::from(row.get_ref(5)?.as_str().map_err(rusqlite::Error::from)?);
    let Some(feed) = config.feed(&feed).filter(|_| passing.copies.len() <= MAX_COPIES) else { return Ok(()) };
    let reason = JoinReason::from_name(row.get_ref(8)?.as_str().map_err(rusqlite::Error::from)?);
    passing.copies.push(SeenCopy {
        number: row.get(4)?,
        feed,
        text: Cow::Owned(if with_text { PlainText::of(&entry) } else { PlainText::default() }),
        categories: section::categories_of(&entry, feed, &config.site),
        entry: Cow::Owned(entry),
        first_seen: time(row, 6)?,
        revised: optional_time(row, 7)?,
        reason: reason.unwrap_or(JoinReason::First),
        score: row.get(9)?,
    });
    Ok(())
}
