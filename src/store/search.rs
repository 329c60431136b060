//! Full text: filled in the background, so that a poll does not wait for it; asked by `search`.

use std::sync::mpsc::sync_channel;

use rusqlite::{Connection, params};
use serde::Serialize;
use url::Url;

use crate::entry::{Entry, Person};
use crate::feed::SectionId;
use crate::query::{Query, spaced};
use crate::text::PlainText;
use crate::time::Timestamp;

use super::place::time;
use super::stories::CANDIDATES;
use super::{Reader, Store, StoreError, StoredStory};

/// How many entries one transaction indexes: some 50 ms of the writer's time.
const BATCH: i64 = 1500;

/// With so much of bodies a batch is full, however few they are.
const BATCH_BYTES: usize = 8 << 20;

/// How many entries' words may wait for being written.
const AHEAD: usize = 64;

/// What a match in title, text and author is worth: a word in a title tells more than one in a long text.
const WEIGHTS: &str = "bm25(8.0, 1.0, 4.0)";

/// How many of the newest entries with the words are weighed against each other: words that more have tell little, and to
/// rank all of them would take longer the larger the archive is.
const RANKED: usize = 20_000;

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
    number: i64,
    /// Title, text and author.
    columns: Option<[String; 3]>,
}

impl Indexed {
    fn of(number: i64, body: Option<&str>) -> Result<Indexed, StoreError> {
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
fn waiting(connection: &Connection) -> Result<Vec<(i64, Option<String>)>, StoreError> {
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
        self.find(&Query::parse(words).0, limit)
    }

    /// The stories that fit, each once: the best first, or the newest where no words are searched for.
    ///
    /// # Errors
    ///
    /// As of SQLite, or that stored words cannot be read.
    pub fn find(&self, query: &Query, limit: usize) -> Result<Vec<SearchHit>, StoreError> {
        if query.is_empty() {
            return Ok(Vec::new());
        }
        let found = self.found(query, limit)?;
        found.into_iter().map(|found| self.hit(found, query)).collect()
    }

    /// The stories whose titles have all these words, the best first; at most [`CANDIDATES`] + 1.
    ///
    /// # Errors
    ///
    /// As of SQLite.
    pub(super) fn stories_titled(&self, words: &str) -> Result<Vec<StoredStory>, StoreError> {
        let query = Query::of_title(words);
        if query.is_empty() {
            return Ok(Vec::new());
        }
        let found = self.found(&query, CANDIDATES + 1)?.into_iter();
        found.filter_map(|found| self.story_by_id(&found.id).transpose()).collect()
    }

    fn found(&self, query: &Query, limit: usize) -> Result<Vec<Found>, StoreError> {
        let expression = query.expression();
        let matches = format!("search MATCH ?1 AND rank MATCH '{WEIGHTS}'");
        let (source, words) = match (&expression, query.is_narrowed()) {
            (None, _) => ("(SELECT NULL AS rank) AS search JOIN entry".to_owned(), "?1 IS NULL".to_owned()),
            (Some(_), true) => ("search JOIN entry ON entry.number = search.rowid".to_owned(), matches),
            (Some(_), false) => {
                let newest =
                    format!("SELECT rowid, rank FROM search WHERE {matches} ORDER BY rowid DESC LIMIT {RANKED}");
                (format!("({newest}) AS search JOIN entry ON entry.number = search.rowid"), "TRUE".to_owned())
            }
        };
        let order = if expression.is_some() { "min(search.rank)" } else { "story.sort_at DESC" };
        let sql = format!(
            "SELECT story.public_id, story.number, story.sort_at, entry.number, min(search.rank)
             FROM {source} JOIN story ON story.number = entry.story
             WHERE {words} AND EXISTS (SELECT 1 FROM body WHERE body.entry = entry.number)
               AND (?2 IS NULL OR entry.feed IN (SELECT number FROM feed WHERE id IN (SELECT value FROM json_each(?2))))
               AND (?3 IS NULL OR EXISTS (SELECT 1 FROM placement JOIN section ON section.number = placement.section
                 WHERE placement.story = story.number AND placement.left IS NULL AND section.id IN (SELECT value FROM json_each(?3))))
               AND story.sort_at >= ?4 AND story.sort_at < ?5
             GROUP BY story.number ORDER BY {order} LIMIT ?6"
        );
        let ids = |ids: Vec<&str>| if ids.is_empty() { Ok(None) } else { serde_json::to_string(&ids).map(Some) };
        let mut statement = self.connection.prepare_cached(&sql)?;
        let found = statement.query_map(
            params![
                expression,
                ids(query.feeds.iter().map(|id| id.as_str()).collect())?,
                ids(query.sections.iter().map(|id| id.as_str()).collect())?,
                query.after.unwrap_or(Timestamp::MIN).millis(),
                query.before.unwrap_or(Timestamp::MAX).millis(),
                limit.cast_signed(),
            ],
            |row| Ok(Found { id: row.get(0)?, story: row.get(1)?, sort_at: time(row, 2)?, entry: row.get(3)? }),
        )?;
        Ok(found.collect::<Result<_, _>>()?)
    }

    fn hit(&self, found: Found, query: &Query) -> Result<SearchHit, StoreError> {
        let mut statement = self.connection.prepare_cached("SELECT value FROM body WHERE entry = ?1")?;
        let body: String = statement.query_row([found.entry], |row| row.get(0))?;
        let entry: Entry = serde_json::from_str(&body)?;
        let excerpt = query.excerpt_of(&PlainText::of(&entry));
        let chars = |byte: usize| excerpt.text[..byte].chars().count();
        Ok(SearchHit {
            id: found.id,
            sections: self.sections_of(found.story)?,
            published: entry.published.unwrap_or(found.sort_at),
            marks: excerpt.marks.iter().map(|mark| (chars(mark.start), chars(mark.end))).collect(),
            excerpt: excerpt.text,
            title: entry.title,
            link: entry.link,
        })
    }

    fn sections_of(&self, story: i64) -> Result<Vec<SectionId>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT section.id FROM placement JOIN section ON section.number = placement.section
             WHERE placement.story = ?1 AND placement.left IS NULL AND section.gone IS NULL ORDER BY section.id",
        )?;
        let sections = statement.query_map([story], |row| Ok(SectionId::from(row.get_ref(0)?.as_str()?)))?;
        Ok(sections.collect::<Result<_, _>>()?)
    }
}

/// A story that a search found, and its entry that fits best.
struct Found {
    id: String,
    story: i64,
    sort_at: Timestamp,
    entry: i64,
}
