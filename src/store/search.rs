//! Full text: filled in the background, so that a poll does not wait for it; asked by `search`.

use std::collections::HashSet;
use std::sync::mpsc::sync_channel;

use rusqlite::{Connection, OptionalExtension, Statement, ToSql, params};
use serde::Serialize;
use url::Url;

use crate::entry::{Entry, Person};
use crate::feed::SectionId;
use crate::number::{EntryNumber, StoryNumber};
use crate::query::{Excerpt, Query, spaced};
use crate::text::PlainText;
use crate::time::Timestamp;

use super::sql::time;
use super::stories::CANDIDATES;
use super::{Patience, Reader, Store, StoreError, StoredStory};

/// How many entries one transaction indexes: some 50 ms of the writer's time.
const BATCH: i64 = 1500;

/// With so much of bodies a batch is full, however few they are.
const BATCH_BYTES: usize = 8 << 20;

/// How many entries' words may wait for being written.
const AHEAD: usize = 64;

/// What a match in title, text and author is worth: a word in a title tells more than one in a long text.
pub(super) const WEIGHTS: &str = "bm25(8.0, 1.0, 4.0)";

/// How many of the newest entries with the words are weighed against each other: words that more have tell little, and to
/// rank all of them would take longer the larger the archive is.
pub(super) const RANKED: usize = 20_000;

/// How many of the newest entries with the words are looked at, whether they fit the days, feeds and sections or not.
pub(super) const LOOKED_AT: usize = 200_000;

/// What a search found.
#[derive(Clone, Debug, Default)]
pub struct Found {
    pub hits: Vec<SearchHit>,
    /// Whether only the newest entries with the words were searched.
    pub is_cut: bool,
}

/// A story that a search found.
#[derive(Clone, Debug, Serialize)]
pub struct SearchHit {
    /// Its public id.
    pub id: String,
    pub title: String,
    pub link: Option<Url>,
    pub published: Timestamp,
    /// The sections that it is in.
    pub sections: Vec<SectionId>,
    /// Some words of its text around the first that matched, plain text; empty where it has none but a title.
    pub excerpt: String,
    /// Where in it the words stand that were searched for: from and to, in characters.
    pub marks: Vec<(usize, usize)>,
}

impl SearchHit {
    /// Shows these words of the story.
    pub fn excerpt_from(&mut self, excerpt: Excerpt) {
        let chars = |byte: usize| excerpt.text[..byte].chars().count();
        self.marks = excerpt.marks.iter().map(|mark| (chars(mark.start), chars(mark.end))).collect();
        self.excerpt = excerpt.text;
    }
}

impl Store {
    /// Brings the next batch of new words into the index; returns how many entries are done.
    ///
    /// # Errors
    ///
    /// As of SQLite; the batch waits for the next call then.
    pub async fn index_batch(&self) -> Result<usize, StoreError> {
        self.write(index_batch).await
    }
}

/// What the index holds of one entry; of one that is no longer there, nothing.
struct Indexed {
    number: EntryNumber,
    /// Title, text and author.
    columns: Option<[String; 3]>,
}

impl Indexed {
    fn of(number: EntryNumber, body: Option<&str>) -> Result<Indexed, StoreError> {
        let columns = body.map(|body| Ok::<_, StoreError>(columns(&serde_json::from_str(body)?))).transpose()?;
        Ok(Indexed { number, columns })
    }
}

fn columns(entry: &Entry) -> [String; 3] {
    let text = PlainText::of(entry);
    let words = format!("{}\n{}", text.summary(), text.content());
    let authors = entry.authors.iter().chain(&entry.contributors).map(Person::display).collect::<Vec<_>>().join(", ");
    [&entry.title, &words, &authors].map(|text| spaced(text).into_owned())
}

/// Finding the words of one entry goes on beside the writing of another's.
fn index_batch(connection: &Connection) -> Result<usize, StoreError> {
    let waiting = waiting(connection)?;
    std::thread::scope(|scope| {
        let (send, found) = sync_channel(AHEAD);
        let all = &waiting;
        scope.spawn(move || {
            let words = all.iter().map(|(number, body)| Indexed::of(*number, body.as_deref()));
            // Nobody takes them any more after an error.
            words.map(|words| send.send(words)).take_while(Result::is_ok).for_each(drop);
        });
        found.into_iter().try_for_each(|words| write_index(connection, &words?))
    })?;
    Ok(waiting.len())
}

/// The entries of the next batch, with their bodies.
fn waiting(connection: &Connection) -> Result<Vec<(EntryNumber, Option<String>)>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT unindexed.entry, body.value FROM unindexed LEFT JOIN body ON body.entry = unindexed.entry ORDER BY 1 LIMIT ?1",
    )?;
    let mut rows = statement.query([BATCH])?;
    let (mut waiting, mut bytes) = (Vec::new(), 0);
    while let Some(row) = rows.next()?
        && bytes < BATCH_BYTES
    {
        let body: Option<String> = row.get(1)?;
        bytes += body.as_ref().map_or(0, String::len);
        waiting.push((row.get(0)?, body));
    }
    Ok(waiting)
}

fn write_index(connection: &Connection, Indexed { number, columns }: &Indexed) -> Result<(), StoreError> {
    connection.prepare_cached("DELETE FROM search WHERE rowid = ?1")?.execute([number])?;
    if let Some([title, text, author]) = columns {
        let mut insert =
            connection.prepare_cached("INSERT INTO search (rowid, title, text, author) VALUES (?1, ?2, ?3, ?4)")?;
        insert.execute(params![number, title, text, author])?;
    }
    connection.prepare_cached("DELETE FROM unindexed WHERE entry = ?1")?.execute([number])?;
    Ok(())
}

impl Reader {
    /// What [`Reader::find`] finds for what somebody typed, passing over what of it cannot be understood.
    ///
    /// # Errors
    ///
    /// As of [`Reader::find`].
    pub fn search(&self, words: &str, limit: usize) -> Result<Vec<SearchHit>, StoreError> {
        Ok(self.find(&Query::parse(words).0, limit)?.hits)
    }

    /// The stories that fit, private ones among them, each once: the best first, or the newest where no words are searched
    /// for.
    ///
    /// # Errors
    ///
    /// As of SQLite, or that stored words cannot be read.
    pub fn find(&self, query: &Query, limit: usize) -> Result<Found, StoreError> {
        let (stories, is_cut) = self.found(query, limit)?;
        let hits = stories.into_iter().map(|story| self.hit(story, query)).collect::<Result<_, _>>()?;
        Ok(Found { hits, is_cut })
    }

    /// The stories whose titles have all these words, the best first; at most [`CANDIDATES`] + 1.
    ///
    /// # Errors
    ///
    /// As of SQLite.
    pub(super) fn stories_titled(&self, words: &str) -> Result<Vec<StoredStory>, StoreError> {
        let (found, _) = self.found(&Query::of_title(words), CANDIDATES + 1)?;
        found.into_iter().filter_map(|found| self.story_by_id(&found.id).transpose()).collect()
    }

    /// Returns whether only the newest entries were searched, too.
    fn found(&self, query: &Query, limit: usize) -> Result<(Vec<FoundStory>, bool), StoreError> {
        if query.is_empty() {
            return Ok((Vec::new(), false));
        }
        let scan = self.scan_entries(query, limit)?;
        let mut of_entry = self.connection.prepare_cached(
            "SELECT story.public_id, story.number, story.sort_at FROM entry JOIN story ON story.number = entry.story
             WHERE entry.number = ?1 AND EXISTS (SELECT 1 FROM body WHERE body.entry = entry.number)",
        )?;
        let (mut found, mut seen) = (Vec::new(), HashSet::new());
        for (_, entry) in scan.best.into_iter().map(|(rank, number)| (rank, EntryNumber(number))) {
            if found.len() == limit {
                break;
            }
            let story = of_entry.query_row([entry], |row| {
                Ok(FoundStory { id: row.get(0)?, story: row.get(1)?, sort_at: time(row, 2)?, entry })
            });
            found.extend(story.optional()?.filter(|story| seen.insert(story.story)));
        }
        Ok((found, scan.is_cut))
    }

    /// The entries that fit.
    fn scan_entries(&self, query: &Query, limit: usize) -> Result<Scan, StoreError> {
        let fits = "(?2 IS NULL OR entry.feed IN (SELECT number FROM feed WHERE id IN (SELECT value FROM json_each(?2))))
               AND (?3 IS NULL OR EXISTS (SELECT 1 FROM placement JOIN section ON section.number = placement.section
                 WHERE placement.story = story.number AND placement.left_at IS NULL AND section.id IN (SELECT value FROM json_each(?3))))
               AND story.sort_at >= ?4 AND story.sort_at < ?5";
        let sql = if query.expression().is_none() {
            format!(
                "SELECT min(entry.number), -story.sort_at FROM story JOIN entry ON entry.story = story.number
                   JOIN body ON body.entry = entry.number
                 WHERE ?1 IS NULL AND {fits} GROUP BY story.number ORDER BY story.sort_at DESC LIMIT ?6"
            )
        } else {
            format!(
                "SELECT search.rowid, CASE WHEN EXISTS (SELECT 1 FROM entry JOIN story ON story.number = entry.story
                   WHERE entry.number = search.rowid AND {fits}) THEN search.rank END
                 FROM search WHERE search MATCH ?1 AND rank MATCH '{WEIGHTS}' ORDER BY search.rowid DESC LIMIT max(?6, {})",
                LOOKED_AT + 1
            )
        };
        let ids = |ids: Vec<&str>| if ids.is_empty() { Ok(None) } else { serde_json::to_string(&ids).map(Some) };
        let mut statement = self.connection.prepare_cached(&sql)?;
        let values = params![
            query.expression(),
            ids(query.feeds.iter().map(|id| id.as_str()).collect())?,
            ids(query.sections.iter().map(|id| id.as_str()).collect())?,
            query.after.unwrap_or(Timestamp::MIN).millis(),
            query.before.unwrap_or(Timestamp::MAX).millis(),
            limit.cast_signed(),
        ];
        scan(&mut statement, values, RANKED.max(limit), None)
    }

    fn hit(&self, found: FoundStory, query: &Query) -> Result<SearchHit, StoreError> {
        let mut statement = self.connection.prepare_cached("SELECT value FROM body WHERE entry = ?1")?;
        let body: String = statement.query_row([found.entry], |row| row.get(0))?;
        let entry: Entry = serde_json::from_str(&body)?;
        let excerpt = query.excerpt_of(&PlainText::of(&entry));
        let mut hit = SearchHit {
            id: found.id,
            sections: self.sections_of(found.story)?,
            published: entry.published.unwrap_or(found.sort_at),
            marks: Vec::new(),
            excerpt: String::new(),
            title: entry.title,
            link: entry.link,
        };
        hit.excerpt_from(excerpt);
        Ok(hit)
    }

    fn sections_of(&self, story: StoryNumber) -> Result<Vec<SectionId>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT section.id FROM placement JOIN section ON section.number = placement.section
             WHERE placement.story = ?1 AND placement.left_at IS NULL AND section.gone IS NULL ORDER BY section.id",
        )?;
        let sections = statement.query_map([story], |row| Ok(SectionId::from(row.get_ref(0)?.as_str()?)))?;
        Ok(sections.collect::<Result<_, _>>()?)
    }
}

/// What a look through an index came to.
pub(super) struct Scan {
    /// Rank and number: the best first, the newest first among equals.
    pub best: Vec<(f64, i64)>,
    /// Whether the look ended early: there were too many, or the time was up.
    pub is_cut: bool,
}

/// Takes at most `most` rows of a number and a rank, the newest first. A row without a rank does not fit, but counts as looked
/// at. What was found until the time is up is kept.
pub(super) fn scan(
    statement: &mut Statement,
    values: &[&dyn ToSql],
    most: usize,
    patience: Option<&Patience>,
) -> Result<Scan, StoreError> {
    let mut scan = Scan { best: Vec::new(), is_cut: false };
    let mut rows = statement.query(values)?;
    let mut looked_at = 0;
    loop {
        let row = match rows.next().map_err(StoreError::from) {
            Ok(Some(row)) => row,
            Ok(None) => break,
            Err(error) if error.is_interruption() && patience.is_some_and(|patience| !patience.is_alone()) => {
                scan.is_cut = true;
                break;
            }
            Err(error) => return Err(error),
        };
        if looked_at == LOOKED_AT || scan.best.len() == most {
            scan.is_cut = true;
            break;
        }
        looked_at += 1;
        if let Some(rank) = row.get(1)? {
            scan.best.push((rank, row.get(0)?));
        }
    }
    scan.best.sort_by(|(rank, number), (other, than)| rank.total_cmp(other).then(than.cmp(number)));
    Ok(scan)
}

/// A story that a search found, and its entry that fits best.
struct FoundStory {
    id: String,
    story: StoryNumber,
    sort_at: Timestamp,
    entry: EntryNumber,
}
