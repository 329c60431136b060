//! Bringing the store in line with a configuration: feeds that came, went or changed, and sections defined anew.
//!
//! Editing the TOML polls nothing again that was polled: a feed keeps its next poll unless its schedule became another.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use rusqlite::{Connection, params};
use sha2::{Digest, Sha256};
use url::Host;

use crate::config::{Config, Feed, Section};
use crate::feed::{FeedId, SectionId};
use crate::schedule;
use crate::schedule::next::PollPlan;
use crate::section;
use crate::time::Timestamp;

use super::copies::{Viewer, copies_of};
use super::place::{Moves, Placer, optional_time};
use super::{Store, StoreError, names, public};

/// As much as some polls with news bring.
const PROBE_BYTES: i64 = 256 * 1024;

/// What a configuration changed in the store.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    pub feeds_added: Vec<FeedId>,
    pub feeds_removed: Vec<FeedId>,
    /// Whose address changed.
    pub feeds_moved: Vec<FeedId>,
    pub sections: Vec<SectionChange>,
    /// How many public stories of an older store got another id or address, as theirs told what a private feed says.
    pub renamed: usize,
}

/// A section that was added, removed or judged anew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SectionChange {
    pub section: SectionId,
    pub kind: SectionChangeKind,
    pub moves: Moves,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SectionChangeKind {
    Added,
    Removed,
    Redefined,
}

impl SectionChangeKind {
    pub fn as_str(self) -> &'static str {
        match self {
            SectionChangeKind::Added => "added",
            SectionChangeKind::Removed => "removed",
            SectionChangeKind::Redefined => "redefined",
        }
    }
}

impl Store {
    /// Brings feeds, sections and placements in line with the configuration, in one transaction. Then checks the names that
    /// an older store minted, in small ones.
    ///
    /// # Errors
    ///
    /// Nothing is changed then, or the rest of the names waits for the next call.
    pub async fn sync(&self, config: Arc<Config>, now: Timestamp) -> Result<Difference, StoreError> {
        let of_sync = config.clone();
        let syncing = self.write(move |connection| {
            let mut difference = Difference::default();
            sync_feeds(connection, &of_sync, now, &mut difference)?;
            sync_sections(connection, &of_sync, now, &mut difference)?;
            public::follow(connection, &of_sync)?;
            Ok(difference)
        });
        let mut difference = syncing.await?;
        loop {
            let config = config.clone();
            let (done, renamed) = self.write(move |connection| names::check_batch(connection, &config, now)).await?;
            difference.renamed += renamed;
            if done == 0 {
                return Ok(difference);
            }
        }
    }

    /// Tries whether the store takes what a poll brings, on a disk that was full.
    ///
    /// # Errors
    ///
    /// As a poll would have.
    pub async fn probe(&self) -> Result<(), StoreError> {
        self.write(|connection| Ok(connection.execute("INSERT INTO probe VALUES (zeroblob(?1))", [PROBE_BYTES])?))
            .await?;
        self.write(|connection| Ok(connection.execute("DELETE FROM probe", [])?)).await?;
        Ok(())
    }

    /// Sets when feeds are polled next.
    ///
    /// # Errors
    ///
    /// Nothing is changed then.
    pub async fn reschedule(&self, feeds: Vec<(FeedId, Timestamp)>) -> Result<(), StoreError> {
        if feeds.is_empty() {
            return Ok(());
        }
        self.write(move |connection| {
            let mut statement = connection.prepare_cached("UPDATE feed SET next_poll = ?2 WHERE id = ?1")?;
            for (feed, at) in feeds {
                statement.execute(params![feed.as_str(), at.millis()])?;
            }
            Ok(())
        })
        .await
    }

    /// Plans feeds anew whose plans a clock made that was `ahead`: next poll, last poll and hold. Holds of hosts end as much
    /// earlier.
    ///
    /// # Errors
    ///
    /// Nothing is changed then.
    pub async fn replan(
        &self,
        feeds: Vec<(FeedId, PollPlan)>,
        now: Timestamp,
        ahead: Duration,
    ) -> Result<(), StoreError> {
        if feeds.is_empty() {
            return Ok(());
        }
        self.write(move |connection| {
            let mut statement = connection
                .prepare_cached("UPDATE feed SET next_poll = ?2, last_poll = ?3, hold_until = ?4 WHERE id = ?1")?;
            for (feed, plan) in feeds {
                let (last_poll, hold_until) =
                    (plan.last_poll.map(Timestamp::millis), plan.hold_until.map(Timestamp::millis));
                statement.execute(params![feed.as_str(), plan.at.millis(), last_poll, hold_until])?;
            }
            let ahead_ms = i64::try_from(ahead.as_millis()).unwrap_or(i64::MAX);
            connection
                .prepare_cached("UPDATE host SET hold_until = hold_until - ?2 WHERE hold_until > ?1")?
                .execute([now.millis(), ahead_ms])?;
            Ok(())
        })
        .await
    }

    /// Leaves feeds alone until then, by the word of somebody else than their own answers.
    ///
    /// # Errors
    ///
    /// Nothing is changed then.
    pub async fn hold(&self, feeds: Vec<(FeedId, Timestamp)>, why: &'static str) -> Result<(), StoreError> {
        if feeds.is_empty() {
            return Ok(());
        }
        self.write(move |connection| {
            let mut statement = connection.prepare_cached(
                "UPDATE feed SET next_poll = ?2, hold_until = ?2, hold_why = ?3 WHERE id = ?1 AND next_poll < ?2",
            )?;
            for (feed, until) in feeds {
                statement.execute(params![feed.as_str(), until.millis(), why])?;
            }
            Ok(())
        })
        .await
    }

    /// Judges the stories for which time alone calls for it; returns the sections whose content changed.
    ///
    /// # Errors
    ///
    /// Nothing is changed then.
    pub async fn sweep(&self, config: Arc<Config>, now: Timestamp) -> Result<BTreeMap<SectionId, Moves>, StoreError> {
        self.write(move |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT DISTINCT story.number, story.sort_at FROM placement JOIN story ON story.number = placement.story
                 WHERE next_change <= ?1",
            )?;
            let due =
                statement.query_map([now.millis()], |row| Ok((row.get(0)?, Timestamp::from_millis(row.get(1)?))))?;
            let due = due.collect::<Result<Vec<(i64, Timestamp)>, _>>()?;
            let mut placer = Placer::new(connection, &config, now)?;
            for (story, sort_at) in due {
                placer.place(story, sort_at, None)?;
            }
            Ok(placer.changed)
        })
        .await
    }
}

/// A feed as the store has it.
struct Before {
    url_hash: Vec<u8>,
    schedule: String,
    removed: bool,
    last_poll: Option<Timestamp>,
    hold_until: Option<Timestamp>,
}

fn sync_feeds(
    connection: &Connection,
    config: &Config,
    now: Timestamp,
    difference: &mut Difference,
) -> Result<(), StoreError> {
    let mut before = feeds_before(connection)?;
    for feed in &config.feeds {
        match before.remove(feed.id.as_str()) {
            None => {
                insert_feed(connection, feed, now)?;
                difference.feeds_added.push(feed.id.clone());
            }
            Some(before) => {
                if before.removed {
                    difference.feeds_added.push(feed.id.clone());
                }
                if update_feed(connection, feed, &before)? {
                    difference.feeds_moved.push(feed.id.clone());
                }
            }
        }
    }
    for (id, _) in before.into_iter().filter(|(_, before)| !before.removed) {
        connection.prepare_cached("UPDATE feed SET removed = ?2 WHERE id = ?1")?.execute(params![id, now.millis()])?;
        difference.feeds_removed.push(FeedId::from(id.as_str()));
    }
    difference.feeds_removed.sort();
    Ok(())
}

fn feeds_before(connection: &Connection) -> Result<HashMap<String, Before>, StoreError> {
    let mut statement = connection
        .prepare_cached("SELECT id, url_hash, schedule, removed IS NOT NULL, last_poll, hold_until FROM feed")?;
    let feeds = statement.query_map([], |row| {
        let before = Before {
            url_hash: row.get(1)?,
            schedule: row.get(2)?,
            removed: row.get(3)?,
            last_poll: optional_time(row, 4)?,
            hold_until: optional_time(row, 5)?,
        };
        Ok((row.get(0)?, before))
    })?;
    Ok(feeds.collect::<Result<_, _>>()?)
}

fn insert_feed(connection: &Connection, feed: &Feed, now: Timestamp) -> Result<(), StoreError> {
    let mut statement = connection.prepare_cached(
        "INSERT INTO feed (id, url, url_hash, schedule, added, next_poll) VALUES (?1, ?2, ?3, ?4, ?5, ?5)",
    )?;
    let url_hash = url_hash(feed);
    statement.execute(params![
        feed.id.as_str(),
        feed.url.shown.as_str(),
        url_hash,
        feed.schedule.to_string(),
        now.millis()
    ])?;
    Ok(())
}

/// Returns whether the feed's address changed: then nothing that the old one gave is sent to the new one, and a feed that
/// was gone is tried again.
fn update_feed(connection: &Connection, feed: &Feed, before: &Before) -> Result<bool, StoreError> {
    let url_hash = url_hash(feed);
    let has_moved = before.url_hash != url_hash;
    let schedule = feed.schedule.to_string();
    if has_moved {
        let mut statement = connection.prepare_cached(
            "UPDATE feed SET url = ?2, url_hash = ?3, etag = NULL, last_modified = NULL, validators_url = NULL, had_validators = 0,
               hold_until = NULL, hold_why = NULL, failures = 0, state = 'new', moved_to = NULL, moved_since = NULL, moved_polls = 0,
               next_poll = added
             WHERE id = ?1",
        )?;
        statement.execute(params![feed.id.as_str(), feed.url.shown.as_str(), url_hash])?;
    } else if let Some(last_poll) = before.last_poll
        && before.schedule != schedule
    {
        let next = feed.schedule.next(last_poll, schedule::next::phase(&feed.id));
        let next = before.hold_until.map_or(next, |hold| next.max(hold));
        let mut statement = connection.prepare_cached("UPDATE feed SET next_poll = ?2 WHERE id = ?1")?;
        statement.execute(params![feed.id.as_str(), next.millis()])?;
    }
    let mut statement = connection.prepare_cached(
        "UPDATE feed SET schedule = ?2, removed = NULL WHERE id = ?1 AND (schedule <> ?2 OR removed IS NOT NULL)",
    )?;
    statement.execute(params![feed.id.as_str(), schedule])?;
    Ok(has_moved)
}

/// Tells whether the address changed, and cannot be read back where it holds a secret.
fn url_hash(feed: &Feed) -> Vec<u8> {
    Sha256::digest(feed.url.secret.as_str()).to_vec()
}

fn sync_sections(
    connection: &Connection,
    config: &Config,
    now: Timestamp,
    difference: &mut Difference,
) -> Result<(), StoreError> {
    rename_sections(connection, config)?;
    let mut statement = connection.prepare_cached("SELECT id, definition_hash, gone IS NOT NULL FROM section")?;
    let before = statement.query_map([], |row| {
        let hash: i64 = row.get(1)?;
        Ok((row.get::<_, String>(0)?, (hash.cast_unsigned(), row.get::<_, bool>(2)?)))
    })?;
    let mut before = before.collect::<Result<HashMap<_, _>, _>>()?;
    for section in &config.sections {
        let known = before.remove(section.id.as_str());
        let kind = match known {
            None | Some((_, true)) => SectionChangeKind::Added,
            Some((hash, false)) if hash == section.definition_hash => continue,
            Some(_) => SectionChangeKind::Redefined,
        };
        let mut statement = connection.prepare_cached(
            "INSERT INTO section (id, definition_hash, first_seen) VALUES (?1, ?2, ?3)
             ON CONFLICT (id) DO UPDATE SET definition_hash = excluded.definition_hash, gone = NULL",
        )?;
        statement.execute(params![section.id.as_str(), section.definition_hash.cast_signed(), now.millis()])?;
        let moves = judge_archive(connection, config, section, now)?;
        difference.sections.push(SectionChange { section: section.id.clone(), kind, moves });
    }
    mint_ids(connection, config)?;
    name_stories(connection, config, now)?;
    for (id, _) in before.into_iter().filter(|(_, (_, gone))| !gone) {
        connection.prepare_cached("UPDATE section SET gone = ?2 WHERE id = ?1")?.execute(params![id, now.millis()])?;
        let section = SectionId::from(id.as_str());
        difference.sections.push(SectionChange { section, kind: SectionChangeKind::Removed, moves: Moves::default() });
    }
    Ok(())
}

/// Notes which sections are public, and names the stories of those that were private until now.
fn name_stories(connection: &Connection, config: &Config, now: Timestamp) -> Result<(), StoreError> {
    let mut note = connection.prepare_cached(
        "UPDATE section SET is_public = ?2 WHERE id = ?1 AND is_public IS NOT ?2 RETURNING is_public",
    )?;
    for section in &config.sections {
        let has_changed = note.exists(params![section.id.as_str(), section.is_public()])?;
        if has_changed && section.is_public() {
            names::name_stories_of(connection, config, section, now)?;
        }
    }
    Ok(())
}

/// A section that has another id now is the same section: its stories, its archives and its permanent id stay with it.
fn rename_sections(connection: &Connection, config: &Config) -> Result<(), StoreError> {
    let mut rename = connection.prepare_cached(
        "UPDATE section SET id = ?1 WHERE id = ?2 AND NOT EXISTS (SELECT 1 FROM section WHERE id = ?1)",
    )?;
    for section in &config.sections {
        for former in &section.formerly {
            rename.execute(params![section.id.as_str(), former.as_str()])?;
        }
    }
    Ok(())
}

/// Gives the permanent ids. An address on this machine names nobody, so that no id is made of it for ever.
fn mint_ids(connection: &Connection, config: &Config) -> Result<(), StoreError> {
    let is_public = match config.site.url.host() {
        Some(Host::Domain(name)) => name != "localhost",
        Some(Host::Ipv4(address)) => !address.is_loopback() && !address.is_unspecified(),
        Some(Host::Ipv6(address)) => !address.is_loopback() && !address.is_unspecified(),
        None => false,
    };
    let mut mint = connection.prepare_cached("UPDATE section SET atom_id = ?2 WHERE id = ?1 AND atom_id IS NULL")?;
    for section in config.sections.iter().filter(|_| is_public) {
        mint.execute(params![section.id.as_str(), format!("{}{}", config.site.url, section.id)])?;
    }
    Ok(())
}

/// Judges every story that a section may hold, and every one that it holds.
fn judge_archive(
    connection: &Connection,
    config: &Config,
    section: &Section,
    now: Timestamp,
) -> Result<Moves, StoreError> {
    let feeds = section.feeds.iter().map(FeedId::as_str).collect::<Vec<_>>();
    let mut statement = connection.prepare(
        "SELECT story.number, story.sort_at FROM story WHERE number IN (
           SELECT entry.story FROM entry JOIN feed ON feed.number = entry.feed WHERE feed.id IN (SELECT value FROM json_each(?1))
           UNION SELECT story FROM placement WHERE section = (SELECT number FROM section WHERE id = ?2) AND left IS NULL)",
    )?;
    let mut rows = statement.query(params![serde_json::to_string(&feeds)?, section.id.as_str()])?;
    let mut placer = Placer::new(connection, config, now)?;
    let with_text = section::reads_text(section);
    while let Some(row) = rows.next()? {
        let story = row.get(0)?;
        let copies = copies_of(connection, config, story, Viewer::Section(section), with_text)?;
        placer.place_in_section(section, story, Timestamp::from_millis(row.get(1)?), &copies)?;
    }
    Ok(placer.changed.remove(&section.id).unwrap_or_default())
}
