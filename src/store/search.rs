//! Full-text search: loads the content to index, writes index entries, and searches both indexes.
//!
//! One index has the text of all entries, the other the text that public sections show. The caller prepares the text:
//! in scripts without spaces (such as Chinese), each character is a separate word.

use rusqlite::{OptionalExtension, Statement, ToSql, params};

use super::forms::{decode_entry, decode_terms, encode_terms};
use super::stories::stored_story;
use super::{ReadLimits, StoreError, Turn, View};
use crate::entry::Entry;
use crate::feed::{FeedId, SectionId};
use crate::number::{EntryNumber, StoryNumber};
use crate::rows::{IndexedWords, PublicTerms, SearchField, SearchTerm, SearchTerms, StoredStory, UnindexedRow};
use crate::time::Timestamp;

/// The weights of a match in title, text and author. A word in a title says more about a story than one in a long text.
const WEIGHTS: &str = "bm25(8.0, 1.0, 4.0)";

/// The most matches that are ranked; these are the newest ones. Words with more matches say little about what the
/// reader looks for. Ranking all matches would take longer and longer as the archive grows.
const RANKED: usize = 20_000;

/// The most entries or stories that one search examines. It examines those with the searched words, newest first, to
/// find those of the searched days, feeds and sections.
const EXAMINED: usize = 200_000;

/// The result of a search.
#[derive(Clone, Debug)]
pub struct Hits<Number> {
    /// The numbers of the entries or stories found. The best matches come first. If the search has no words, the newest
    /// come first.
    pub numbers: Vec<Number>,
    /// Whether only the newest part of the archive was searched, because a search of the whole would take too long.
    pub is_cut: bool,
}

impl<Number> Default for Hits<Number> {
    fn default() -> Self {
        Hits { numbers: Vec::new(), is_cut: false }
    }
}

impl View {
    /// Searches the text of all entries, including those of private feeds. Several of the entries found may belong to
    /// one story.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn search_entries(&self, search: &SearchTerms, limit: usize) -> Result<Hits<EntryNumber>, StoreError> {
        let fits = "(?2 IS NULL OR entry.feed IN (SELECT number FROM feed WHERE id IN (SELECT value FROM json_each(?2))))
               AND (?3 IS NULL OR EXISTS (SELECT 1 FROM placement JOIN section ON section.number = placement.section
                 WHERE placement.story = story.number AND placement.left_at IS NULL AND section.id IN (SELECT value FROM json_each(?3))))
               AND story.sort_at >= ?4 AND story.sort_at < ?5";
        let expression = expression(search);
        let sql = if expression.is_none() {
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
                EXAMINED + 1
            )
        };
        let ids = |ids: Vec<&str>| if ids.is_empty() { Ok(None) } else { serde_json::to_string(&ids).map(Some) };
        let mut statement = self.connection.prepare_cached(&sql)?;
        let (after, before) = days(search);
        let values = params![
            expression,
            ids(search.feeds.iter().map(FeedId::as_str).collect())?,
            ids(search.sections.iter().map(SectionId::as_str).collect())?,
            after,
            before,
            limit.cast_signed(),
        ];
        let scan = scan(&mut statement, values, RANKED.max(limit), None)?;
        let numbers = scan.best.into_iter().map(|(_, number)| EntryNumber(number)).collect();
        Ok(Hits { numbers, is_cut: scan.is_cut })
    }

    /// Searches the text that public sections show. Returns at most `limit` stories, within the time that `read_limits`
    /// allows. A story that was found may have stopped being public a moment ago, because the index is updated later.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite, among them an interruption if the client closed the connection.
    pub fn search_public(
        &self,
        search: &SearchTerms,
        limit: usize,
        read_limits: &ReadLimits,
    ) -> Result<Hits<StoryNumber>, StoreError> {
        let expression = expression(search);
        let (sql, most) = match expression {
            Some(_) => (
                format!(
                    "SELECT rowid, CASE WHEN {} THEN rank END FROM public_search
                     WHERE public_search MATCH ?1 AND rank MATCH '{WEIGHTS}' ORDER BY rowid DESC LIMIT {}",
                    FITS.replace("{story}", "public_search.rowid"),
                    EXAMINED + 1,
                ),
                RANKED,
            ),
            None => (
                format!(
                    "SELECT story, CASE WHEN {} THEN -sort_at END FROM public_story
                     WHERE ?1 IS NULL AND sort_at >= ?2 AND sort_at < ?3 ORDER BY sort_at DESC, story DESC LIMIT {}",
                    FITS.replace("{story}", "public_story.story"),
                    EXAMINED + 1,
                ),
                limit,
            ),
        };
        let feeds = search.feeds.iter().map(FeedId::as_str).collect::<Vec<_>>();
        let feeds = self.numbers("SELECT json_group_array(number) FROM feed", &feeds)?;
        let sections = search.sections.iter().map(SectionId::as_str).collect::<Vec<_>>();
        let sections = self.numbers("SELECT json_group_array(number) FROM section", &sections)?;
        let mut statement = self.connection.prepare_cached(&sql)?;
        let (after, before) = days(search);
        let scan = scan(&mut statement, params![expression, after, before, feeds, sections], most, Some(read_limits))?;
        // Without words, the matches are already in the right order, so `limit` matches complete the search.
        let is_cut = scan.is_cut && (expression.is_some() || scan.best.len() < limit);
        let numbers = scan.best.into_iter().take(limit).map(|(_, number)| StoryNumber(number)).collect();
        Ok(Hits { numbers, is_cut })
    }

    /// Returns as JSON the numbers of the feeds or sections with these ids; `None` if `ids` is empty.
    fn numbers(&self, select: &str, ids: &[&str]) -> Result<Option<String>, StoreError> {
        if ids.is_empty() {
            return Ok(None);
        }
        let mut statement =
            self.connection.prepare_cached(&format!("{select} WHERE id IN (SELECT value FROM json_each(?1))"))?;
        Ok(Some(statement.query_row([serde_json::to_string(ids)?], |row| row.get(0))?))
    }

    /// Loads the story of an entry; `None` if the entry has no content.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn story_of_entry(&self, entry: EntryNumber) -> Result<Option<StoredStory>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT story.number, story.public_id, story.slug, story.sort_at FROM entry JOIN story ON story.number = entry.story
             WHERE entry.number = ?1 AND EXISTS (SELECT 1 FROM body WHERE body.entry = entry.number)",
        )?;
        Ok(statement.query_row([entry], stored_story).optional()?)
    }

    /// Loads the content of an entry.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite, and an error if the entry has no content or its content cannot be read.
    pub fn words(&self, entry: EntryNumber) -> Result<Entry, StoreError> {
        let mut statement = self.connection.prepare_cached("SELECT value FROM body WHERE entry = ?1")?;
        let body: String = statement.query_row([entry], |row| row.get(0))?;
        Ok(decode_entry(&body)?)
    }

    /// Loads at most `limit` entries that are not in the index yet, lowest number first. Stops once the contents exceed
    /// `bytes` in total.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn unindexed(&self, limit: usize, bytes: usize) -> Result<Vec<UnindexedRow>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT unindexed.entry, body.value FROM unindexed LEFT JOIN body ON body.entry = unindexed.entry ORDER BY 1 LIMIT ?1",
        )?;
        let mut rows = statement.query([limit.cast_signed()])?;
        let (mut waiting, mut left) = (Vec::new(), Some(bytes));
        while let Some(free) = left
            && let Some(row) = rows.next()?
        {
            let row = UnindexedRow { entry: row.get(0)?, json: row.get(1)? };
            left = free.checked_sub(row.json.as_ref().map_or(0, String::len));
            waiting.push(row);
        }
        Ok(waiting)
    }

    /// Loads the part of the config that decides what is public, as it was when the public index was last adapted to
    /// it; `None` if the store has no readable value.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn public_terms(&self) -> Result<Option<PublicTerms>, StoreError> {
        let mut statement = self.connection.prepare_cached("SELECT value FROM public_terms")?;
        let terms: Option<String> = statement.query_row([], |row| row.get(0)).optional()?;
        Ok(terms.as_deref().and_then(decode_terms))
    }

    /// Loads at most `limit` stories that the public index may have in an outdated form, highest number first.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn public_waiting(&self, limit: usize) -> Result<Vec<StoryNumber>, StoreError> {
        let mut statement =
            self.connection.prepare_cached("SELECT story FROM public_waiting ORDER BY story DESC LIMIT ?1")?;
        let stories = statement.query_map([limit.cast_signed()], |row| row.get(0))?;
        Ok(stories.collect::<Result<_, _>>()?)
    }
}

impl Turn<'_> {
    /// Replaces the text under which the index finds an entry. `None` removes the entry from the index.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn write_index(&self, entry: EntryNumber, words: Option<&IndexedWords>) -> Result<(), StoreError> {
        self.connection.prepare_cached("DELETE FROM search WHERE rowid = ?1")?.execute([entry])?;
        if let Some(IndexedWords { title, text, author }) = words {
            let mut insert = self
                .connection
                .prepare_cached("INSERT INTO search (rowid, title, text, author) VALUES (?1, ?2, ?3, ?4)")?;
            insert.execute(params![entry, title, text, author])?;
        }
        Ok(())
    }

    /// Marks the entries up to number `last` as indexed. `last` is the last entry that [`View::unindexed`] returned.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn finish_index(&self, last: EntryNumber) -> Result<(), StoreError> {
        self.connection.prepare_cached("DELETE FROM unindexed WHERE entry <= ?1")?.execute([last])?;
        Ok(())
    }

    /// Replaces the text under which the public index finds a story. `None` removes the story from the public index,
    /// because no public section shows it.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn write_public_index(&self, story: StoryNumber, words: Option<&IndexedWords>) -> Result<(), StoreError> {
        self.connection.prepare_cached("DELETE FROM public_search WHERE rowid = ?1")?.execute([story])?;
        self.connection.prepare_cached("DELETE FROM public_story WHERE story = ?1")?.execute([story])?;
        self.connection.prepare_cached("DELETE FROM public_waiting WHERE story = ?1")?.execute([story])?;
        let Some(IndexedWords { title, text, author }) = words else { return Ok(()) };
        let mut insert = self
            .connection
            .prepare_cached("INSERT INTO public_search (rowid, title, text, author) VALUES (?1, ?2, ?3, ?4)")?;
        insert.execute(params![story, title, text, author])?;
        let mut insert = self.connection.prepare_cached(
            "INSERT INTO public_story (story, sort_at) SELECT number, sort_at FROM story WHERE number = ?1",
        )?;
        insert.execute([story])?;
        Ok(())
    }

    /// Writes the part of the config that decides what is public.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn write_public_terms(&self, terms: &PublicTerms) -> Result<(), StoreError> {
        self.connection.prepare_cached("DELETE FROM public_terms")?.execute([])?;
        let mut insert = self.connection.prepare_cached("INSERT INTO public_terms VALUES (?1)")?;
        insert.execute([encode_terms(terms)])?;
        Ok(())
    }
}

/// The SQL condition that a story of the public index is of the days, feeds and sections of a search.
const FITS: &str =
    "EXISTS (SELECT 1 FROM public_story AS indexed WHERE indexed.story = {story} AND indexed.sort_at >= ?2 AND indexed.sort_at < ?3
  AND (?4 IS NULL OR EXISTS (SELECT 1 FROM entry INDEXED BY entry_story
    WHERE entry.story = indexed.story AND entry.feed IN (SELECT value FROM json_each(?4))))
  AND (?5 IS NULL OR EXISTS (SELECT 1 FROM placement WHERE placement.story = indexed.story AND placement.left_at IS NULL
    AND placement.section IN (SELECT value FROM json_each(?5)))))";

/// Returns the times of a search: from the first time, inclusive, to the second, exclusive.
fn days(search: &SearchTerms) -> (i64, i64) {
    (search.after.unwrap_or(Timestamp::MIN).millis(), search.before.unwrap_or(Timestamp::MAX).millis())
}

/// Returns the terms of a search as an FTS5 expression over the columns `title`, `text` and `author`; `None` if there
/// are no wanted terms.
fn expression(search: &SearchTerms) -> Option<String> {
    let all = |terms: &[SearchTerm], glue: &str| terms.iter().map(term).collect::<Vec<_>>().join(glue);
    let wanted = Some(all(&search.wanted, " AND ")).filter(|wanted| !wanted.is_empty())?;
    let unwanted = Some(all(&search.unwanted, " OR ")).filter(|unwanted| !unwanted.is_empty());
    Some(match unwanted {
        Some(unwanted) => format!("({wanted}) NOT ({unwanted})"),
        None => wanted,
    })
}

fn term(term: &SearchTerm) -> String {
    let phrase = format!("\"{}\"", term.words.join(" "));
    // A whole word matches both alternatives, so it ranks above longer words that begin with it.
    let phrase = if term.is_prefix { format!("({phrase} OR {phrase}*)") } else { phrase };
    match term.field {
        Some(SearchField::Title) => format!("title : {phrase}"),
        Some(SearchField::Author) => format!("author : {phrase}"),
        None => phrase,
    }
}

struct Scan {
    /// The rank and the number of each match. The best rank comes first. Among equal ranks, the highest number comes
    /// first.
    best: Vec<(f64, i64)>,
    is_cut: bool,
}

/// Reads rows that have a number and a rank. Returns the rows whose rank is not null; the others do not match the
/// search. Stops after `most` matches or [`EXAMINED`] rows. If the time limit ends the read, returns the matches found
/// so far.
fn scan(
    statement: &mut Statement,
    values: &[&dyn ToSql],
    most: usize,
    read_limits: Option<&ReadLimits>,
) -> Result<Scan, StoreError> {
    let mut scan = Scan { best: Vec::new(), is_cut: false };
    let mut rows = statement.query(values)?;
    let mut examined = 0;
    loop {
        let row = match rows.next().map_err(StoreError::from) {
            Ok(Some(row)) => row,
            Ok(None) => break,
            Err(error)
                if error.is_interruption() && read_limits.is_some_and(|read_limits| !read_limits.client_has_gone()) =>
            {
                scan.is_cut = true;
                break;
            }
            Err(error) => return Err(error),
        };
        if examined == EXAMINED || scan.best.len() == most {
            scan.is_cut = true;
            break;
        }
        examined += 1;
        if let Some(rank) = row.get(1)? {
            scan.best.push((rank, row.get(0)?));
        }
    }
    scan.best.sort_by(|(rank, number), (other, than)| rank.total_cmp(other).then(than.cmp(number)));
    Ok(scan)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn term(field: Option<SearchField>, words: &[&str], is_prefix: bool) -> SearchTerm {
        SearchTerm { field, words: words.iter().map(|word| (*word).to_owned()).collect(), is_prefix }
    }

    #[test]
    fn terms_become_an_expression() {
        let check = |wanted: &[SearchTerm], unwanted: &[SearchTerm], expected: Option<&str>| {
            let search = SearchTerms { wanted: wanted.to_vec(), unwanted: unwanted.to_vec(), ..SearchTerms::default() };
            assert_eq!(expression(&search).as_deref(), expected);
        };
        check(&[], &[], None);
        check(&[], &[term(None, &["ads"], true)], None);
        check(&[term(None, &["ab"], false), term(None, &["abc"], true)], &[], Some("\"ab\" AND (\"abc\" OR \"abc\"*)"));
        check(
            &[term(None, &["new", "shoes"], false)],
            &[term(None, &["ads"], true)],
            Some("(\"new shoes\") NOT ((\"ads\" OR \"ads\"*))"),
        );
        check(&[term(None, &["new", "sho"], true)], &[], Some("(\"new sho\" OR \"new sho\"*)"));
        check(
            &[
                term(Some(SearchField::Title), &["cafe"], true),
                term(Some(SearchField::Author), &["jane", "doe"], false),
            ],
            &[],
            Some("title : (\"cafe\" OR \"cafe\"*) AND author : \"jane doe\""),
        );
    }
}
