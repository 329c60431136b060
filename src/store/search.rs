//! Full text: filled in the background, so that a poll does not wait for it; asked by `search`.

use rusqlite::{Connection, params};
use serde::Serialize;
use url::Url;

use crate::entry::{Entry, Person};
use crate::feed::SectionId;
use crate::text::PlainText;
use crate::time::Timestamp;

use super::{Reader, Store, StoreError};

/// How many entries one transaction indexes: some 50 ms of the writer's time.
const BATCH: i64 = 1500;

/// How many words an excerpt has.
const EXCERPT_WORDS: usize = 24;

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
    /// Some words around the first that matched, plain text.
    pub excerpt: String,
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

fn index_batch(connection: &Connection) -> Result<usize, StoreError> {
    let mut waiting = connection.prepare_cached(
        "SELECT unindexed.entry, body.value FROM unindexed LEFT JOIN body ON body.entry = unindexed.entry ORDER BY 1 LIMIT ?1",
    )?;
    let waiting = waiting.query_map([BATCH], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let waiting = waiting.collect::<Result<Vec<(i64, Option<String>)>, _>>()?;
    let mut forget = connection.prepare_cached("DELETE FROM search WHERE rowid = ?1")?;
    let mut insert =
        connection.prepare_cached("INSERT INTO search (rowid, title, text, author) VALUES (?1, ?2, ?3, ?4)")?;
    let mut done = connection.prepare_cached("DELETE FROM unindexed WHERE entry = ?1")?;
    for (number, body) in &waiting {
        forget.execute([number])?;
        if let Some(body) = body {
            let entry: Entry = serde_json::from_str(body)?;
            let text = PlainText::of(&entry);
            let authors =
                entry.authors.iter().chain(&entry.contributors).map(Person::display).collect::<Vec<_>>().join(", ");
            insert.execute(params![number, entry.title, format!("{}\n{}", text.summary(), text.content()), authors])?;
        }
        done.execute([number])?;
    }
    Ok(waiting.len())
}

impl Reader {
    /// The stories whose words match, the best first, each once.
    ///
    /// `words` are plain: each must occur, as a word's beginning.
    ///
    /// # Errors
    ///
    /// As of SQLite.
    pub fn search(&self, words: &str, limit: usize) -> Result<Vec<SearchHit>, StoreError> {
        let quoted = words.split_whitespace().map(|word| format!("\"{}\"*", word.replace('"', "\"\"")));
        let query = quoted.collect::<Vec<_>>().join(" ");
        if query.is_empty() {
            return Ok(Vec::new());
        }
        let mut statement = self.connection.prepare_cached(
            "SELECT story.public_id, story.number, story.sort_at, body.value, min(search.rank)
             FROM search JOIN entry ON entry.number = search.rowid JOIN body ON body.entry = entry.number
               JOIN story ON story.number = entry.story
             WHERE search MATCH ?1 GROUP BY story.number ORDER BY min(search.rank) LIMIT ?2",
        )?;
        let mut rows = statement.query(params![query, limit.cast_signed()])?;
        let mut hits = Vec::new();
        while let Some(row) = rows.next()? {
            let entry: Entry = serde_json::from_str(row.get_ref(3)?.as_str().map_err(rusqlite::Error::from)?)?;
            let published = Timestamp::from_millis(row.get(2)?);
            hits.push(SearchHit {
                id: row.get(0)?,
                sections: self.sections_of(row.get(1)?)?,
                published: entry.published.unwrap_or(published),
                excerpt: excerpt(PlainText::of(&entry).all(), words),
                title: entry.title,
                link: entry.link,
            });
        }
        Ok(hits)
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

/// Some words around the first that holds one of those wanted; plain text in and out.
pub fn excerpt(text: &str, wanted: &str) -> String {
    let wanted: Vec<_> = wanted.split_whitespace().map(str::to_lowercase).collect();
    let words: Vec<_> = text.split_whitespace().collect();
    let is_wanted = |word: &&str| wanted.iter().any(|wanted| word.to_lowercase().contains(wanted.as_str()));
    let at = words.iter().position(is_wanted).unwrap_or(0);
    let start = at.saturating_sub(EXCERPT_WORDS / 3);
    words[start..].iter().take(EXCERPT_WORDS).copied().collect::<Vec<_>>().join(" ")
}
