//! Stories that turn out to be one, and those that an editor takes apart.
//!
//! The older story stays, with its id and its place; the younger leaves every section, its id leads to the older one, and
//! in a section that only had the younger, the older takes its place under the younger's id: nothing is published twice.
//! But where an entry alone in its story has changed its words into what another story tells, it joins the other, however
//! old it is: whoever waits with a harmless entry cannot bring another's story under its own id and date.
//! What an editor split stays apart, whatever the feeds say. Two stories that have a copy of the same feed stay apart too,
//! unless an editor joins them: a feed has one copy of a story at most.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, params};
use url::Url;

use super::copies::{Viewer, copies_of, share_a_feed};
use super::place::{Moves, Placer};
use super::stories::StoredStory;
use super::{Store, StoreError, names};
use crate::config::Config;
use crate::entry::Entry;
use crate::feed::SectionId;
use crate::newsroom::{self, Join, Merge, Telling};
use crate::section::SeenCopy;
use crate::story::{self, JoinReason, Wording};
use crate::time::Timestamp;

impl Store {
    /// Takes a copy out of its story and holds the two apart for ever; returns the copy's own story, under the id that it
    /// had before if it had one, and the sections that changed. `None` if the story has no such copy with words, or only that.
    ///
    /// # Errors
    ///
    /// Nothing is changed then.
    pub async fn split(
        &self,
        config: Arc<Config>,
        story: i64,
        entry: i64,
        now: Timestamp,
    ) -> Result<Option<Edited>, StoreError> {
        self.write(move |connection| edit_split(connection, &config, story, entry, now)).await
    }

    /// What [`Store::split`] would come to; changes nothing.
    ///
    /// # Errors
    ///
    /// As of [`Store::split`].
    pub async fn rehearse_split(
        &self,
        config: Arc<Config>,
        story: i64,
        entry: i64,
        now: Timestamp,
    ) -> Result<Option<Edited>, StoreError> {
        self.write(move |connection| rehearse(connection, || edit_split(connection, &config, story, entry, now))).await
    }

    /// Joins two stories because an editor says so; returns the older one, which stays, and the sections that changed.
    ///
    /// # Errors
    ///
    /// Nothing is changed then.
    pub async fn join(&self, config: Arc<Config>, a: i64, b: i64, now: Timestamp) -> Result<Edited, StoreError> {
        self.write(move |connection| edit_join(connection, &config, a, b, now)).await
    }

    /// What [`Store::join`] would come to; changes nothing.
    ///
    /// # Errors
    ///
    /// As of [`Store::join`].
    pub async fn rehearse_join(
        &self,
        config: Arc<Config>,
        a: i64,
        b: i64,
        now: Timestamp,
    ) -> Result<Edited, StoreError> {
        self.write(move |connection| rehearse(connection, || edit_join(connection, &config, a, b, now))).await
    }
}

/// Does the work and takes back all that it wrote.
fn rehearse<T>(connection: &Connection, work: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
    connection.execute_batch("SAVEPOINT rehearsal")?;
    let result = work();
    connection.execute_batch("ROLLBACK TO rehearsal; RELEASE rehearsal")?;
    result
}

fn edit_split(
    connection: &Connection,
    config: &Config,
    story: i64,
    entry: i64,
    now: Timestamp,
) -> Result<Option<Edited>, StoreError> {
    if !may_split(connection, story, entry)? {
        return Ok(None);
    }
    let mut placer = Placer::new(connection, config, now)?;
    let own = split(connection, &placer, story, entry)?;
    for story in [story, own] {
        placer.place(story, sort_at(connection, story)?, None)?;
    }
    Ok(Some(Edited { story: stored(connection, own)?, sections: placer.changed.into_iter().collect() }))
}

fn edit_join(connection: &Connection, config: &Config, a: i64, b: i64, now: Timestamp) -> Result<Edited, StoreError> {
    let mut placer = Placer::new(connection, config, now)?;
    let (a, b) = (standing(connection, a)?, standing(connection, b)?);
    if a != b {
        write_verdict(connection, a, b, "join")?;
        let join = Join { story: b, reason: JoinReason::Editor, score: None };
        unite(connection, newsroom::older(a, b), &join, &mut placer)?;
    }
    Ok(Edited { story: stored(connection, a.min(b))?, sections: placer.changed.into_iter().collect() })
}

/// What an editor's word came to.
#[derive(Clone, Debug)]
pub struct Edited {
    pub story: StoredStory,
    pub sections: Vec<(SectionId, Moves)>,
}

/// The story that stands for this one: itself, or the older one that it joined.
pub fn standing(connection: &Connection, story: i64) -> Result<i64, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT coalesce(joined_into, number) FROM story WHERE number = ?1")?;
    Ok(statement.query_row([story], |row| row.get(0))?)
}

/// Joining because of what an entry says.
pub struct Uniting<'a> {
    pub connection: &'a Connection,
    pub config: &'a Config,
    pub entry: i64,
}

impl Uniting<'_> {
    /// Joins the entry's story with another; returns whether it did.
    pub fn unite(&self, story: i64, join: &Join, placer: &mut Placer) -> Result<bool, StoreError> {
        let other = standing(self.connection, join.story)?;
        let story = standing(self.connection, story)?;
        if story == other || are_apart(self.connection, story, other)? || share_a_feed(self.connection, story, other)? {
            return Ok(false);
        }
        let (own, other) = (self.telling(story)?, self.telling(other)?);
        let merge = newsroom::one_of(self.entry, own, other, join, self.config.stories.likeness);
        let Some(merge) = merge else { return Ok(false) };
        unite(self.connection, merge, join, placer)?;
        Ok(true)
    }

    fn telling(&self, story: i64) -> Result<Telling, StoreError> {
        let copies = copies_of(self.connection, self.config, story, Viewer::All, true)?;
        let wording = |copy: &SeenCopy| Wording::of(&copy.entry.title, &copy.text).with_media(&copy.entry.enclosures);
        Ok(Telling { story, wordings: copies.iter().map(|copy| (copy.number, wording(copy))).collect() })
    }
}

fn are_apart(connection: &Connection, one: i64, other: i64) -> Result<bool, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT 1 FROM verdict WHERE a = ?1 AND b = ?2 AND kind = 'split'")?;
    Ok(statement.exists([one.min(other), one.max(other)])?)
}

fn write_verdict(connection: &Connection, one: i64, other: i64, kind: &str) -> Result<(), StoreError> {
    let mut statement = connection.prepare_cached(
        "INSERT INTO verdict (a, b, kind) VALUES (?1, ?2, ?3) ON CONFLICT (a, b) DO UPDATE SET kind = excluded.kind",
    )?;
    statement.execute(params![one.min(other), one.max(other), kind])?;
    Ok(())
}

/// Makes a story part of another.
fn unite(connection: &Connection, merge: Merge, join: &Join, placer: &mut Placer) -> Result<(), StoreError> {
    let Merge { stays, leaves } = merge;
    let (reason, score) = (join.reason.as_str(), join.score);
    let mut statement =
        connection.prepare_cached("UPDATE entry SET reason = ?2, score = ?3 WHERE story = ?1 AND reason = 'first'")?;
    statement.execute(params![leaves, reason, score])?;
    connection.prepare_cached("UPDATE entry SET story = ?2 WHERE story = ?1")?.execute([leaves, stays])?;
    let mut statement =
        connection.prepare_cached("UPDATE story SET joined_into = ?2 WHERE number = ?1 OR joined_into = ?1")?;
    statement.execute([leaves, stays])?;
    move_verdicts(connection, leaves, stays)?;
    placer.move_placements(leaves, stays)?;
    placer.place(stays, sort_at(connection, stays)?, None)
}

/// What an editor held apart from the story that leaves is held apart from the one that stays.
fn move_verdicts(connection: &Connection, leaves: i64, stays: i64) -> Result<(), StoreError> {
    let mut statement = connection.prepare_cached(
        "INSERT INTO verdict (a, b, kind)
         SELECT min(?2, a + b - ?1), max(?2, a + b - ?1), kind FROM verdict
         WHERE kind = 'split' AND (a = ?1 OR b = ?1) AND a + b - ?1 <> ?2
         ON CONFLICT (a, b) DO UPDATE SET kind = excluded.kind",
    )?;
    statement.execute([leaves, stays])?;
    Ok(())
}

fn may_split(connection: &Connection, story: i64, entry: i64) -> Result<bool, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT 1 FROM entry JOIN body ON body.entry = entry.number WHERE entry.number = ?2 AND entry.story = ?1
           AND EXISTS (SELECT 1 FROM entry WHERE story = ?1 AND number <> ?2)",
    )?;
    Ok(statement.exists([story, entry])?)
}

/// Returns the story that the entry has then.
fn split(connection: &Connection, placer: &Placer, story: i64, entry: i64) -> Result<i64, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT feed.id, entry.first_seen, body.value
         FROM entry JOIN feed ON feed.number = entry.feed JOIN body ON body.entry = entry.number WHERE entry.number = ?1",
    )?;
    let (feed, first_seen, body): (String, i64, String) =
        statement.query_row([entry], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    let words: Entry = serde_json::from_str(&body)?;
    let feed = placer.config.feed(&feed.as_str().into()).ok_or_else(|| StoreError::Unconfigured(feed.clone()))?;
    let own = match earlier_story(connection, story, &feed.url.shown, &words)? {
        Some(own) => revive(connection, story, own)?,
        None => {
            let sort_at = newsroom::sort_at(&words, Timestamp::from_millis(first_seen));
            let copies = copies_of(connection, placer.config, story, Viewer::All, true)?;
            let copies: Vec<_> = copies.into_iter().filter(|copy| copy.number == entry).collect();
            let shown = placer.judge(sort_at, &copies).public_lead(&copies).map(|_| placer.now);
            names::insert_story(connection, &feed.url.shown, &words, sort_at, shown)?
        }
    };
    let mut statement =
        connection.prepare_cached("UPDATE entry SET story = ?2, reason = 'first', score = NULL WHERE number = ?1")?;
    statement.execute([entry, own])?;
    // Whatever is left of the story has a first copy again.
    let mut statement = connection.prepare_cached(
        "UPDATE entry SET reason = 'first', score = NULL WHERE number = (SELECT min(number) FROM entry WHERE story = ?1)
           AND NOT EXISTS (SELECT 1 FROM entry WHERE story = ?1 AND reason = 'first')",
    )?;
    statement.execute([story])?;
    write_verdict(connection, story, own, "split")?;
    Ok(own)
}

/// The story that was made for the entry before it was joined into this one.
fn earlier_story(
    connection: &Connection,
    story: i64,
    feed_url: &Url,
    entry: &Entry,
) -> Result<Option<i64>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT number FROM story WHERE joined_into = ?1
           AND (public_id IN (?2, ?3, ?4) OR public_id GLOB ?3 || '#*' OR public_id GLOB ?4 || '#*'
             OR number IN (SELECT story FROM kept_id WHERE id IN (?2, ?3)))
         ORDER BY number LIMIT 1",
    )?;
    let minted = story::minted_id(feed_url, &entry.guid);
    let private = story::private_id(&names::key(connection)?, feed_url, &entry.guid);
    Ok(statement.query_row(params![story, entry.guid.value, minted, private], |row| row.get(0)).optional()?)
}

/// Gives a story that was joined its standing back, and its places where the other one took them.
fn revive(connection: &Connection, story: i64, own: i64) -> Result<i64, StoreError> {
    connection.prepare_cached("UPDATE story SET joined_into = NULL WHERE number = ?1")?.execute([own])?;
    let mut statement = connection.prepare_cached(
        "UPDATE placement SET story = ?2, published_as = NULL
         WHERE story = ?1 AND published_as = (SELECT public_id FROM story WHERE number = ?2)",
    )?;
    statement.execute([story, own])?;
    let mut statement = connection.prepare_cached(
        "UPDATE placement SET story = ?2 WHERE story = ?1 AND published_as IN (SELECT id FROM kept_id WHERE story = ?2)",
    )?;
    statement.execute([story, own])?;
    Ok(own)
}

fn sort_at(connection: &Connection, story: i64) -> Result<Timestamp, StoreError> {
    let mut statement = connection.prepare_cached("SELECT sort_at FROM story WHERE number = ?1")?;
    Ok(statement.query_row([story], |row| row.get(0)).map(Timestamp::from_millis)?)
}

fn stored(connection: &Connection, story: i64) -> Result<StoredStory, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT number, public_id, slug, sort_at FROM story WHERE number = ?1")?;
    Ok(statement.query_row([story], super::stories::stored_story)?)
}
