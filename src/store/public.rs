//! Search for anonymous readers: an index of its own with what public sections show, and nothing else.
//!
//! A search of all texts whose private hits are dropped afterwards tells by its time whether a word stands in a private
//! text, and by its order how often. So private words are never in this index. Triggers mark each story whose placement,
//! copies or words change (see the migration); a change of the config marks the stories of the feeds that it concerns; the
//! marked stories are brought in line in the background. Until then, the caller drops what is no longer public.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, params};
use serde::{Deserialize, Serialize};

use crate::config::{Config, Republish, Section};
use crate::entry::Person;
use crate::feed::{FeedId, SectionId};
use crate::number::StoryNumber;
use crate::query::{Query, spaced};
use crate::section::{self, ShownStory};
use crate::text::PlainText;
use crate::time::Timestamp;

use super::feeds::Infos;
use super::search::{LOOKED_AT, RANKED, WEIGHTS, scan};
use super::stories::tell;
use super::turn::Turn;
use super::{Patience, Reader, Store, StoreError};

/// How many stories one transaction brings in line: some 50 ms of the writer's time.
const BATCH: i64 = 250;

/// With so much text a batch is full, however few its stories are.
const BATCH_BYTES: usize = 4 << 20;

/// The stories that a search of what is public found.
#[derive(Clone, Debug, Default)]
pub struct PublicHits {
    /// Their numbers: the best first, or the newest if the search has no words.
    pub stories: Vec<StoryNumber>,
    /// Whether only the newest part of the archive was searched, as the whole took too long.
    pub is_cut: bool,
}

/// What of the config decides what is public.
#[derive(Default, PartialEq, Eq, Serialize, Deserialize)]
struct Terms {
    /// The public sections in their order, each with its feeds.
    sections: Vec<(String, BTreeSet<String>)>,
    /// How much of their feeds' words may be published.
    republish: BTreeMap<String, String>,
}

impl Terms {
    fn of(config: &Config) -> Terms {
        let mut terms = Terms::default();
        for section in public_sections(config) {
            let feeds: Vec<_> = section.feeds.iter().filter_map(|id| config.feed(id)).collect();
            for feed in &feeds {
                let republish = match feed.republish {
                    Republish::Link => "link",
                    Republish::Summary => "summary",
                    Republish::Full => "full",
                };
                terms.republish.insert(feed.id.to_string(), republish.to_owned());
            }
            terms.sections.push((section.id.to_string(), feeds.iter().map(|feed| feed.id.to_string()).collect()));
        }
        terms
    }

    /// The feeds whose stories may be public in other words than before; `None` if those of all feeds may.
    fn changed_since(&self, before: &Terms) -> Option<BTreeSet<String>> {
        let of_both = |terms: &Terms, others: &Terms| -> Vec<String> {
            let names = terms.sections.iter().map(|(id, _)| id);
            names.filter(|id| others.sections.iter().any(|(other, _)| other == *id)).cloned().collect()
        };
        if of_both(self, before) != of_both(before, self) {
            return None;
        }
        let feeds_in = |terms: &Terms, id: &str| -> BTreeSet<String> {
            let found = terms.sections.iter().find(|(section, _)| section == id);
            found.map(|(_, feeds)| feeds.clone()).unwrap_or_default()
        };
        let mut changed = BTreeSet::new();
        for (id, _) in self.sections.iter().chain(&before.sections) {
            changed.extend(feeds_in(self, id).symmetric_difference(&feeds_in(before, id)).cloned());
        }
        let rights = self.republish.iter().filter(|(feed, republish)| before.republish.get(*feed) != Some(*republish));
        changed.extend(rights.map(|(feed, _)| feed.clone()));
        Some(changed)
    }
}

fn public_sections(config: &Config) -> impl Iterator<Item = &Arc<Section>> {
    config.sections.iter().filter(|section| section.access.is_none())
}

/// Marks the stories that a changed config may make public or private, or may show in other words.
///
/// # Errors
///
/// As of SQLite.
fn follow(connection: &Connection, config: &Config) -> Result<(), StoreError> {
    let terms = Terms::of(config);
    let before = stored_terms(connection)?;
    if before.as_ref() == Some(&terms) {
        return Ok(());
    }
    match before.and_then(|before| terms.changed_since(&before)) {
        Some(feeds) => {
            let mut mark = connection.prepare_cached(
                "INSERT OR IGNORE INTO public_waiting SELECT entry.story FROM entry
                 WHERE entry.feed IN (SELECT number FROM feed WHERE id IN (SELECT value FROM json_each(?1)))",
            )?;
            mark.execute([serde_json::to_string(&feeds)?])?;
        }
        None => {
            connection.execute(
                "INSERT OR IGNORE INTO public_waiting
                 SELECT story FROM placement WHERE left_at IS NULL UNION SELECT story FROM public_story",
                [],
            )?;
        }
    }
    connection.execute("DELETE FROM public_terms", [])?;
    connection.execute("INSERT INTO public_terms VALUES (?1)", [serde_json::to_string(&terms)?])?;
    Ok(())
}

fn stored_terms(connection: &Connection) -> Result<Option<Terms>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT value FROM public_terms")?;
    let terms: Option<String> = statement.query_row([], |row| row.get(0)).optional()?;
    // What cannot be read counts as nothing: then every story is marked.
    Ok(terms.and_then(|terms| serde_json::from_str(&terms).ok()))
}

impl Turn<'_> {
    /// Marks the stories that a changed config may make public or private, or may show in other words.
    ///
    /// # Errors
    ///
    /// As of SQLite.
    pub fn follow_public(&self, config: &Config) -> Result<(), StoreError> {
        follow(self.connection, config)
    }
}

impl Store {
    /// Brings the next batch of marked stories into the public index, or out of it; returns how many.
    ///
    /// # Errors
    ///
    /// As of SQLite; the batch waits for the next call then.
    pub async fn index_public_batch(&self, config: Arc<Config>) -> Result<usize, StoreError> {
        self.write(move |connection| index_batch(connection, &config)).await
    }
}

fn index_batch(connection: &Connection, config: &Config) -> Result<usize, StoreError> {
    // The stories were marked for another config than this one, which would put back what that one took out.
    if stored_terms(connection)? != Some(Terms::of(config)) {
        return Ok(0);
    }
    let mut statement = connection.prepare_cached("SELECT story FROM public_waiting ORDER BY story DESC LIMIT ?1")?;
    let waiting = statement.query_map([BATCH], |row| row.get(0))?.collect::<Result<Vec<StoryNumber>, _>>()?;
    let (mut done, mut bytes) = (0, 0);
    for story in waiting {
        if bytes > BATCH_BYTES {
            break;
        }
        bytes += index(connection, config, story)?;
        done += 1;
    }
    Ok(done)
}

/// Returns how many bytes of text it wrote.
fn index(connection: &Connection, config: &Config, story: StoryNumber) -> Result<usize, StoreError> {
    connection.prepare_cached("DELETE FROM public_search WHERE rowid = ?1")?.execute([story])?;
    connection.prepare_cached("DELETE FROM public_story WHERE story = ?1")?.execute([story])?;
    connection.prepare_cached("DELETE FROM public_waiting WHERE story = ?1")?.execute([story])?;
    let Some(shown) = first_shown(connection, config, story)? else { return Ok(0) };
    let [title, text, author] = columns(&shown);
    let mut insert =
        connection.prepare_cached("INSERT INTO public_search (rowid, title, text, author) VALUES (?1, ?2, ?3, ?4)")?;
    insert.execute(params![story, title, text, author])?;
    let mut insert = connection.prepare_cached(
        "INSERT INTO public_story (story, sort_at) SELECT number, sort_at FROM story WHERE number = ?1",
    )?;
    insert.execute([story])?;
    Ok(title.len() + text.len() + author.len())
}

/// The story as the first public section that holds it shows it.
fn first_shown(connection: &Connection, config: &Config, story: StoryNumber) -> Result<Option<ShownStory>, StoreError> {
    let infos = Infos::new(connection);
    for section in holding(connection, config, story)? {
        if let Some(mut shown) = tell(connection, config, section, story, &infos)? {
            section::restrict(&mut shown, config);
            return Ok(Some(shown));
        }
    }
    Ok(None)
}

/// The public sections that hold a story, in the config's order.
fn holding<'c>(
    connection: &Connection,
    config: &'c Config,
    story: StoryNumber,
) -> Result<Vec<&'c Section>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT section.id FROM placement JOIN section ON section.number = placement.section
         WHERE placement.story = ?1 AND placement.left_at IS NULL",
    )?;
    let ids = statement.query_map([story], |row| Ok(SectionId::from(row.get_ref(0)?.as_str()?)))?;
    let ids = ids.collect::<Result<BTreeSet<_>, _>>()?;
    Ok(public_sections(config).map(|section| &**section).filter(|section| ids.contains(&section.id)).collect())
}

/// Title, text and author of what is shown, as the index takes them.
fn columns(shown: &ShownStory) -> [String; 3] {
    let text = PlainText::of(&shown.entry);
    let words = format!("{}\n{}", text.summary(), text.content());
    let authors = shown.entry.authors.iter().chain(&shown.via).map(Person::display).collect::<Vec<_>>().join(", ");
    [&shown.entry.title, &words, &authors].map(|text| spaced(text).into_owned())
}

impl Reader {
    /// The public sections that hold a story, in the config's order.
    ///
    /// # Errors
    ///
    /// As of SQLite.
    pub fn public_sections_of<'c>(
        &self,
        config: &'c Config,
        story: StoryNumber,
    ) -> Result<Vec<&'c Section>, StoreError> {
        holding(&self.connection, config, story)
    }

    /// Searches what public sections show: at most `limit` stories, within the time that `patience` leaves. A story may
    /// have ceased to be public since it was indexed; the caller checks that.
    ///
    /// # Errors
    ///
    /// As of SQLite; [`StoreError::Interrupted`] if the reader has gone.
    pub fn find_public(
        &self,
        config: &Config,
        query: &Query,
        limit: usize,
        patience: &Patience,
    ) -> Result<PublicHits, StoreError> {
        let Some(places) = self.public_places(config, query)? else { return Ok(PublicHits::default()) };
        let expression = query.expression();
        let (sql, most) = match expression {
            Some(_) => (
                format!(
                    "SELECT rowid, CASE WHEN {} THEN rank END FROM public_search
                     WHERE public_search MATCH ?1 AND rank MATCH '{WEIGHTS}' ORDER BY rowid DESC LIMIT {}",
                    FITS.replace("{story}", "public_search.rowid"),
                    LOOKED_AT + 1,
                ),
                RANKED,
            ),
            None => (
                format!(
                    "SELECT story, CASE WHEN {} THEN -sort_at END FROM public_story
                     WHERE ?1 IS NULL AND sort_at >= ?2 AND sort_at < ?3 ORDER BY sort_at DESC, story DESC LIMIT {}",
                    FITS.replace("{story}", "public_story.story"),
                    LOOKED_AT + 1,
                ),
                limit,
            ),
        };
        let after = query.after.unwrap_or(Timestamp::MIN).millis();
        let before = query.before.unwrap_or(Timestamp::MAX).millis();
        let mut statement = self.connection.prepare_cached(&sql)?;
        let values = params![expression, after, before, places.feeds, places.sections];
        let scan = scan(&mut statement, values, most, Some(patience))?;
        // Without words, the newest that fit are all that is wanted.
        let is_cut = scan.is_cut && (expression.is_some() || scan.best.len() < limit);
        Ok(PublicHits {
            stories: scan.best.into_iter().take(limit).map(|(_, story)| StoryNumber(story)).collect(),
            is_cut,
        })
    }

    /// The numbers of the public feeds and sections that a search names, as JSON; `None` if it names only others. So those
    /// that are private are as unknown as those that are not there.
    fn public_places(&self, config: &Config, query: &Query) -> Result<Option<Places>, StoreError> {
        if query.is_empty() {
            return Ok(None);
        }
        let is_public = |feed: &&FeedId| public_sections(config).any(|section| section.takes(feed));
        let feeds: Vec<&str> = query.feeds.iter().filter(is_public).map(FeedId::as_str).collect();
        let sections = public_sections(config).map(|section| &section.id).filter(|id| query.sections.contains(id));
        let sections: Vec<&str> = sections.map(SectionId::as_str).collect();
        if feeds.is_empty() != query.feeds.is_empty() || sections.is_empty() != query.sections.is_empty() {
            return Ok(None);
        }
        let feeds = self.numbers("SELECT json_group_array(number) FROM feed", &feeds)?;
        let sections = self.numbers("SELECT json_group_array(number) FROM section", &sections)?;
        Ok(Some(Places { feeds, sections }))
    }

    fn numbers(&self, select: &str, ids: &[&str]) -> Result<Option<String>, StoreError> {
        if ids.is_empty() {
            return Ok(None);
        }
        let mut statement =
            self.connection.prepare_cached(&format!("{select} WHERE id IN (SELECT value FROM json_each(?1))"))?;
        Ok(Some(statement.query_row([serde_json::to_string(ids)?], |row| row.get(0))?))
    }
}

/// Whether a story of the public index is of the days, feeds and sections that a search names.
const FITS: &str =
    "EXISTS (SELECT 1 FROM public_story AS told WHERE told.story = {story} AND told.sort_at >= ?2 AND told.sort_at < ?3
  AND (?4 IS NULL OR EXISTS (SELECT 1 FROM entry INDEXED BY entry_story
    WHERE entry.story = told.story AND entry.feed IN (SELECT value FROM json_each(?4))))
  AND (?5 IS NULL OR EXISTS (SELECT 1 FROM placement WHERE placement.story = told.story AND placement.left_at IS NULL
    AND placement.section IN (SELECT value FROM json_each(?5)))))";

/// Where a search looks: JSON arrays of numbers, or `None` for everywhere.
struct Places {
    feeds: Option<String>,
    sections: Option<String>,
}
