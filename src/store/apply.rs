//! Applying what a poll brought: entries, stories, placements, validators and the next poll time, together or not at all.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, params};
use url::Url;

use crate::config::{Config, Dedup, Feed};
use crate::entry::Entry;
use crate::feed::{SectionId, Validators};
use crate::section::{self, SeenCopy};
use crate::story::{self, JoinReason};
use crate::text::PlainText;
use crate::time::Timestamp;
use crate::update::{
    self, Change, Cleaned, Join, Known, KnownEntry, LinkedEntry, Outcome, Plan, Polled, PolledDocument, PolledEntry,
};

use super::place::{Moves, Placer};
use super::{Store, StoreError};

/// How many entries with the same link are compared with a new one at most; a link that more have is a page of its own.
const LINKED_AT_MOST: usize = 16;

/// What a poll changed.
#[derive(Clone, Debug, Default)]
pub struct Applied {
    pub new: usize,
    pub revised: usize,
    /// New entries that joined a story which another copy had told.
    pub joined: usize,
    /// Entries that change at every poll and are not applied any more.
    pub restless: usize,
    /// The sections whose editions must be made anew, and how many stories came and went.
    pub sections: BTreeMap<SectionId, Moves>,
}

impl Store {
    /// Writes all that a poll brought, in one transaction; returns when it is safe on disk.
    ///
    /// # Errors
    ///
    /// Nothing is written then: the poll never happened.
    pub async fn apply(&self, config: Arc<Config>, polled: Polled) -> Result<Applied, StoreError> {
        self.write(move |connection| apply(connection, &config, &polled)).await
    }
}

fn apply(connection: &Connection, config: &Config, polled: &Polled) -> Result<Applied, StoreError> {
    let mut statement = connection.prepare_cached("SELECT number FROM feed WHERE id = ?1")?;
    let Some(number) = statement.query_row([polled.feed.as_str()], |row| row.get(0)).optional()? else {
        return Ok(Applied::default());
    };
    let mut applied = Applied::default();
    match (&polled.outcome, config.feed(&polled.feed)) {
        (Outcome::Document(document), Some(feed)) => {
            applied = Document { connection, config, feed, number, now: polled.at }.apply(document)?;
            write_document(connection, number, document)?;
            write_validators(connection, number, document.validators.as_ref())?;
            write_success(connection, number, polled)?;
        }
        (Outcome::NotModified { validators }, _) => {
            write_validators(connection, number, Some(validators))?;
            write_success(connection, number, polled)?;
        }
        (Outcome::Failed { kind, error }, _) => write_failure(connection, number, polled, "failing", kind, error)?,
        (Outcome::Gone { error }, _) => write_failure(connection, number, polled, "gone", "gone", error)?,
        // The feed left the config while it was polled: what it brought has no place any more.
        (Outcome::Document(_), None) => return Ok(applied),
    }
    write_schedule(connection, number, polled)?;
    if let (Some(until), Some(origin)) = (polled.next.host_hold, &polled.public_origin) {
        write_host_hold(connection, origin, until)?;
    }
    write_log(connection, number, polled, &applied)?;
    Ok(applied)
}

/// A document on its way into the store.
struct Document<'a> {
    connection: &'a Connection,
    config: &'a Config,
    feed: &'a Feed,
    number: i64,
    now: Timestamp,
}

impl Document<'_> {
    fn apply(&self, document: &PolledDocument) -> Result<Applied, StoreError> {
        let listed = self.listed()?;
        let known = Known { entries: self.known(&document.entries, &listed)?, links: self.links(&document.entries)? };
        let plan = update::plan(&document.entries, &known, self.feed.dedup != Dedup::Off);
        let mut placer = Placer::new(self.connection, self.config, self.now)?;
        let mut applied = Applied::default();
        // Documents list the newest first: told from the end, entries without a date come to stand in their order.
        for (entry, change) in document.entries.iter().zip(&plan.changes).rev() {
            self.change(entry, change, &plan, &mut placer, &mut applied)?;
        }
        self.mark_listed(&document.entries, &known, &listed)?;
        applied.sections = placer.changed;
        if self.title_changes(document)? {
            for section in self.config.sections.iter().filter(|section| section.takes(&self.feed.id)) {
                applied.sections.entry(section.id.clone()).or_default();
            }
        }
        Ok(applied)
    }

    fn change(
        &self,
        entry: &PolledEntry,
        change: &Change,
        plan: &Plan,
        placer: &mut Placer,
        applied: &mut Applied,
    ) -> Result<(), StoreError> {
        match (change, &entry.cleaned) {
            (Change::Unchanged { .. }, _) | (_, None) => {}
            (Change::Touched { number }, _) => self.touch(*number, entry.raw_hash)?,
            (Change::Restless { number }, _) => {
                self.touch(*number, entry.raw_hash)?;
                applied.restless += 1;
            }
            (Change::Revised { number, story }, Some(cleaned)) => {
                self.revise(*number, entry.raw_hash, cleaned, plan)?;
                let sort_at = self.sort_at(*story)?;
                placer.place(*story, sort_at, Some(*number))?;
                applied.revised += 1;
            }
            (Change::New { join: Join::NewStory }, Some(cleaned)) => {
                let (story, sort_at) = self.insert_story(cleaned)?;
                let number = self.insert_entry(entry, cleaned, plan, story, JoinReason::First)?;
                let copy = self.seen(number, cleaned);
                placer.place_copies(story, sort_at, &[copy], None)?;
                applied.new += 1;
            }
            (Change::New { join: Join::Story { story, reason } }, Some(cleaned)) => {
                let number = self.insert_entry(entry, cleaned, plan, *story, *reason)?;
                placer.place(*story, self.sort_at(*story)?, Some(number))?;
                applied.new += 1;
                applied.joined += 1;
            }
        }
        Ok(())
    }

    /// The new entry of a new story, as sections see it.
    fn seen<'c>(&'c self, number: i64, cleaned: &'c Cleaned) -> SeenCopy<'c> {
        SeenCopy {
            number,
            feed: self.feed,
            entry: Cow::Borrowed(&cleaned.entry),
            text: Cow::Borrowed(&cleaned.text),
            categories: section::categories_of(&cleaned.entry, self.feed, &self.config.site),
            first_seen: self.now,
            revised: None,
            reason: JoinReason::First,
            score: None,
        }
    }

    /// The numbers of the entries that the feed's last document listed.
    fn listed(&self) -> Result<HashSet<i64>, StoreError> {
        let mut statement =
            self.connection.prepare_cached("SELECT number FROM entry WHERE feed = ?1 AND unlisted IS NULL")?;
        let numbers = statement.query_map([self.number], |row| row.get(0))?;
        Ok(numbers.collect::<Result<_, _>>()?)
    }

    fn known(&self, entries: &[PolledEntry], listed: &HashSet<i64>) -> Result<HashMap<String, KnownEntry>, StoreError> {
        if listed.is_empty() && self.has_no_entries()? {
            return Ok(HashMap::new());
        }
        let mut statement = self.connection.prepare_cached(
            "SELECT number, story, raw_hash, fingerprint, revisions FROM entry WHERE feed = ?1 AND guid = ?2",
        )?;
        let mut known = HashMap::new();
        for entry in entries {
            let row = statement.query_row(params![self.number, entry.guid], |row| {
                Ok(KnownEntry {
                    number: row.get(0)?,
                    story: row.get(1)?,
                    raw_hash: row.get::<_, i64>(2)?.cast_unsigned(),
                    fingerprint: row.get::<_, i64>(3)?.cast_unsigned(),
                    revisions: row.get(4)?,
                })
            });
            if let Some(row) = row.optional()? {
                known.insert(entry.guid.clone(), row);
            }
        }
        Ok(known)
    }

    fn has_no_entries(&self) -> Result<bool, StoreError> {
        let mut statement = self.connection.prepare_cached("SELECT 1 FROM entry WHERE feed = ?1 LIMIT 1")?;
        Ok(!statement.exists([self.number])?)
    }

    /// The entries of any feed that have a specific link in common with an entry of the document.
    fn links(&self, entries: &[PolledEntry]) -> Result<HashMap<String, Vec<LinkedEntry>>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT entry.number, entry.story, entry.feed = ?2, link.original, body.value
             FROM link JOIN entry ON entry.number = link.entry JOIN feed ON feed.number = entry.feed JOIN body ON body.entry = entry.number
             WHERE link.key = ?1 AND link.specific AND feed.removed IS NULL ORDER BY entry.number LIMIT ?3",
        )?;
        let mut links = HashMap::new();
        for key in entries.iter().filter_map(|entry| entry.cleaned.as_ref()).flat_map(|cleaned| &cleaned.link_keys) {
            let mut linked = Vec::new();
            let mut rows = statement.query(params![key.key, self.number, LINKED_AT_MOST as i64])?;
            while let Some(row) = rows.next()? {
                let entry: Entry = serde_json::from_str(row.get_ref(4)?.as_str().map_err(rusqlite::Error::from)?)?;
                linked.push(LinkedEntry {
                    number: row.get(0)?,
                    story: row.get(1)?,
                    same_feed: row.get(2)?,
                    original: row.get(3)?,
                    text: PlainText::of(&entry).all().to_owned(),
                });
            }
            if !linked.is_empty() {
                links.insert(key.key.clone(), linked);
            }
        }
        Ok(links)
    }

    fn insert_story(&self, cleaned: &Cleaned) -> Result<(i64, Timestamp), StoreError> {
        let entry = &cleaned.entry;
        let sort_at = entry.published.or(entry.updated).map_or(self.now, |published| published.min(self.now));
        let number: i64 = self
            .connection
            .prepare_cached("SELECT coalesce(max(number), 0) + 1 FROM story")?
            .query_row([], |row| row.get(0))?;
        let slug = story::slug(&entry.title, number);
        let mut statement = self.connection.prepare_cached(
            "INSERT INTO story (number, public_id, slug, sort_at) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
        )?;
        let mut insert = |id: &str| statement.execute(params![number, id, slug, sort_at.millis()]);
        let minted = story::minted_id(&self.feed.url.shown, &entry.guid);
        let is_taken = match story::own_id(&entry.guid) {
            Some(id) => insert(id)? == 0,
            None => true,
        };
        if is_taken && insert(&minted)? == 0 {
            // Only a feed that was here before under another id can have minted it: the number makes it unique.
            insert(&format!("{minted}#{number}"))?;
        }
        Ok((number, sort_at))
    }

    fn insert_entry(
        &self,
        polled: &PolledEntry,
        cleaned: &Cleaned,
        plan: &Plan,
        story: i64,
        reason: JoinReason,
    ) -> Result<i64, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "INSERT INTO entry (feed, guid, guid_kind, raw_hash, fingerprint, first_seen, story, reason)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?;
        let number = statement.insert(params![
            self.number,
            polled.guid,
            cleaned.entry.guid.kind.as_str(),
            polled.raw_hash.cast_signed(),
            cleaned.fingerprint.cast_signed(),
            self.now.millis(),
            story,
            reason.as_str(),
        ])?;
        let mut statement = self.connection.prepare_cached("INSERT INTO body (entry, value) VALUES (?1, ?2)")?;
        statement.execute(params![number, serde_json::to_string(&cleaned.entry)?])?;
        self.write_links(number, cleaned, plan)?;
        self.mark_unindexed(number)?;
        Ok(number)
    }

    fn revise(&self, number: i64, raw_hash: u64, cleaned: &Cleaned, plan: &Plan) -> Result<(), StoreError> {
        let mut statement = self.connection.prepare_cached(
            "UPDATE entry SET raw_hash = ?2, fingerprint = ?3, revised = ?4, revisions = revisions + 1 WHERE number = ?1",
        )?;
        let (raw_hash, fingerprint) = (raw_hash.cast_signed(), cleaned.fingerprint.cast_signed());
        statement.execute(params![number, raw_hash, fingerprint, self.now.millis()])?;
        let mut statement = self.connection.prepare_cached(
            "INSERT INTO body (entry, value) VALUES (?1, ?2) ON CONFLICT (entry) DO UPDATE SET value = excluded.value",
        )?;
        statement.execute(params![number, serde_json::to_string(&cleaned.entry)?])?;
        self.connection.prepare_cached("DELETE FROM link WHERE entry = ?1")?.execute([number])?;
        self.write_links(number, cleaned, plan)?;
        self.mark_unindexed(number)
    }

    /// A key that an earlier entry of this feed has too is specific to neither, unless both are one story. The `+` has SQLite look
    /// for the key first: most keys are new, and then there is nothing to compare.
    fn write_links(&self, number: i64, cleaned: &Cleaned, plan: &Plan) -> Result<(), StoreError> {
        let mut shared_before = self.connection.prepare_cached(
            "UPDATE link SET specific = 0 WHERE key = ?1 AND +entry IN (SELECT other.number FROM entry AS other, entry AS own
               WHERE own.number = ?2 AND other.feed = own.feed AND other.story <> own.story
                 AND other.number IN (SELECT entry FROM link WHERE key = ?1))",
        )?;
        let mut insert = self.connection.prepare_cached(
            "INSERT INTO link (key, entry, original, specific) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
        )?;
        for key in &cleaned.link_keys {
            let is_shared = shared_before.execute(params![key.key, number])? > 0 || plan.shared.contains(&key.key);
            insert.execute(params![key.key, number, key.original, !is_shared])?;
        }
        Ok(())
    }

    fn touch(&self, number: i64, raw_hash: u64) -> Result<(), StoreError> {
        let mut statement = self.connection.prepare_cached("UPDATE entry SET raw_hash = ?2 WHERE number = ?1")?;
        statement.execute(params![number, raw_hash.cast_signed()])?;
        Ok(())
    }

    fn mark_unindexed(&self, number: i64) -> Result<(), StoreError> {
        let mut statement =
            self.connection.prepare_cached("INSERT INTO unindexed (entry) VALUES (?1) ON CONFLICT DO NOTHING")?;
        statement.execute([number])?;
        Ok(())
    }

    fn sort_at(&self, story: i64) -> Result<Timestamp, StoreError> {
        let mut statement = self.connection.prepare_cached("SELECT sort_at FROM story WHERE number = ?1")?;
        Ok(statement.query_row([story], |row| row.get(0)).map(Timestamp::from_millis)?)
    }

    /// Notes which entries left the document and which came back, for retention; writes nothing where neither happened.
    fn mark_listed(&self, entries: &[PolledEntry], known: &Known, listed: &HashSet<i64>) -> Result<(), StoreError> {
        let here: HashSet<i64> =
            entries.iter().filter_map(|entry| known.entries.get(&entry.guid)).map(|e| e.number).collect();
        let mut unlist = self.connection.prepare_cached("UPDATE entry SET unlisted = ?2 WHERE number = ?1")?;
        for number in listed.difference(&here) {
            unlist.execute(params![number, self.now.millis()])?;
        }
        for number in here.difference(listed) {
            unlist.execute(params![number, None::<i64>])?;
        }
        Ok(())
    }

    /// Whether the feed's title or address, which its stories bear, are others than before.
    fn title_changes(&self, document: &PolledDocument) -> Result<bool, StoreError> {
        let mut statement = self.connection.prepare_cached("SELECT info <> ?2 FROM feed WHERE number = ?1")?;
        let info = serde_json::to_string(&stable_info(document))?;
        Ok(statement.query_row(params![self.number, info], |row| row.get(0))?)
    }
}

/// What is kept of what a document says of its feed: not the time, which changes without anything being said.
fn stable_info(document: &PolledDocument) -> crate::feed::FeedInfo {
    crate::feed::FeedInfo { updated: None, ..document.info.clone() }
}

fn write_document(connection: &Connection, number: i64, document: &PolledDocument) -> Result<(), StoreError> {
    let mut statement = connection.prepare_cached(
        "UPDATE feed SET info = ?2, repairs = ?3, guids_repaired = guids_repaired OR ?4, hints = ?5 WHERE number = ?1",
    )?;
    let info = serde_json::to_string(&stable_info(document))?;
    let repairs = serde_json::to_string(&document.repairs)?;
    statement.execute(params![
        number,
        info,
        repairs,
        document.guids_repaired,
        serde_json::to_string(&document.hints)?
    ])?;
    Ok(())
}

/// `None` where the document was cut off: then the next request must not be conditional.
fn write_validators(connection: &Connection, number: i64, validators: Option<&Validators>) -> Result<(), StoreError> {
    let none = Validators::default();
    let validators = validators.unwrap_or(&none);
    let mut statement = connection.prepare_cached(
        "UPDATE feed SET etag = ?2, last_modified = ?3, validators_url = ?4, had_validators = had_validators OR ?5 WHERE number = ?1",
    )?;
    let url = validators.url.as_ref().map(Url::as_str);
    statement.execute(params![number, validators.etag, validators.last_modified, url, !validators.is_empty()])?;
    Ok(())
}

fn write_success(connection: &Connection, number: i64, polled: &Polled) -> Result<(), StoreError> {
    let mut statement = connection.prepare_cached(
        "UPDATE feed SET state = 'ok', failures = 0, error_kind = NULL, last_error = NULL WHERE number = ?1",
    )?;
    statement.execute([number])?;
    write_move(connection, number, polled)
}

/// Counts for how long permanent redirects have led to one place. A poll that began at the new place says nothing of the
/// old one; one that failed there goes back to the address of the config, which stays the owner.
fn write_move(connection: &Connection, number: i64, polled: &Polled) -> Result<(), StoreError> {
    let has_failed = matches!(polled.outcome, Outcome::Failed { .. } | Outcome::Gone { .. });
    let has_entries = match &polled.outcome {
        Outcome::Document(document) => !document.entries.is_empty(),
        _ => true,
    };
    if polled.start.is_some() && !has_failed && polled.permanent.is_none() {
        return Ok(());
    }
    let moved = polled.permanent.as_ref().filter(|_| has_entries && !has_failed).map(Url::as_str);
    let mut statement = connection.prepare_cached(
        "UPDATE feed SET
           moved_since = CASE WHEN ?2 IS NULL THEN NULL WHEN ?2 IS moved_to THEN moved_since ELSE ?3 END,
           moved_polls = CASE WHEN ?2 IS NULL THEN 0 WHEN ?2 IS moved_to THEN moved_polls + 1 ELSE 1 END,
           moved_to = ?2
         WHERE number = ?1 AND (moved_to IS NOT NULL OR ?2 IS NOT NULL)",
    )?;
    statement.execute(params![number, moved, polled.at.millis()])?;
    Ok(())
}

/// Where no failure counts, as our own network was down, the state stays.
fn write_failure(
    connection: &Connection,
    number: i64,
    polled: &Polled,
    state: &str,
    kind: &str,
    error: &str,
) -> Result<(), StoreError> {
    let mut statement = connection.prepare_cached(
        "UPDATE feed SET state = CASE ?3 WHEN 0 THEN state ELSE ?2 END, failures = ?3, error_kind = ?4, last_error = ?5 WHERE number = ?1",
    )?;
    statement.execute(params![number, state, polled.failures, kind, error])?;
    if polled.start.is_some() { write_move(connection, number, polled) } else { Ok(()) }
}

fn write_schedule(connection: &Connection, number: i64, polled: &Polled) -> Result<(), StoreError> {
    let next = &polled.next;
    let mut statement = connection.prepare_cached(
        "UPDATE feed SET last_poll = ?2, next_poll = ?3, hold_until = ?4, hold_why = ?5, per_day = ?6 WHERE number = ?1",
    )?;
    let hold_until = next.hold_until.map(Timestamp::millis);
    statement.execute(params![
        number,
        polled.at.millis(),
        next.at.millis(),
        hold_until,
        next.hold_why,
        polled.per_day
    ])?;
    Ok(())
}

/// The whole origin asked to be left alone.
fn write_host_hold(connection: &Connection, origin: &str, until: Timestamp) -> Result<(), StoreError> {
    let mut statement = connection.prepare_cached(
        "INSERT INTO host (origin, hold_until) VALUES (?1, ?2)
         ON CONFLICT (origin) DO UPDATE SET hold_until = max(hold_until, excluded.hold_until)",
    )?;
    statement.execute(params![origin, until.millis()])?;
    Ok(())
}

fn write_log(connection: &Connection, number: i64, polled: &Polled, applied: &Applied) -> Result<(), StoreError> {
    let (outcome, kind, error) = match &polled.outcome {
        Outcome::NotModified { .. } => ("not_modified", None, None),
        Outcome::Document(_) if applied.new + applied.revised > 0 => ("changed", None, None),
        Outcome::Document(_) => ("unchanged", None, None),
        Outcome::Failed { kind, error } => ("failed", Some(*kind), Some(error)),
        Outcome::Gone { error } => ("gone", Some("gone"), Some(error)),
    };
    let mut statement = connection.prepare_cached(
        "INSERT INTO poll_log (feed, at, duration_ms, outcome, status, new, revised, error_kind, error)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?;
    statement.execute(params![
        number,
        polled.at.millis(),
        polled.duration_ms.cast_signed(),
        outcome,
        polled.status,
        applied.new as i64,
        applied.revised as i64,
        kind,
        error,
    ])?;
    Ok(())
}
