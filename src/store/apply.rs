//! Applying what a poll brought: entries, stories, placements, validators and the next poll time, together or not at all.

use std::collections::BTreeMap;
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, params};
use url::Url;

use crate::config::Config;
use crate::feed::{FeedInfo, SectionId, Validators};
use crate::foreign;
use crate::newsroom::{Outcome, Polled, PolledDocument};
use crate::time::Timestamp;

use super::document::Document;
use super::place::Moves;
use super::{Store, StoreError, events};

/// How many of the entries that change at every poll are named.
const RESTLESS_NAMED: usize = 3;

/// What a poll changed.
#[derive(Clone, Debug, Default)]
pub struct Applied {
    pub new: usize,
    pub revised: usize,
    /// New entries that joined a story which another copy had told.
    pub joined: usize,
    /// How many entries of the archive were compared with those of the document, to see whether they tell the same.
    pub compared: usize,
    /// How many entries the document has.
    pub listed: usize,
    /// Known entries that came under new guids.
    pub rekeyed: usize,
    /// Stories that turned out to be others, and joined them.
    pub united: usize,
    /// The titles, or guids, of entries that change at every poll and are not applied any more; empty for those of private
    /// feeds.
    pub restless: Vec<String>,
    /// Where the feed has moved for good, which is believed from this poll on.
    pub moved_to: Option<String>,
    /// The sections whose editions must be made anew, and how many stories came and went.
    pub sections: BTreeMap<SectionId, Moves>,
}

impl Applied {
    /// What an editor should know of it, a sentence each.
    pub fn notes(&self) -> Vec<String> {
        let restless = self.restless.iter().take(RESTLESS_NAMED).map(|name| {
            let name = if name.is_empty() { "an entry".to_owned() } else { format!("\"{}\"", foreign::part(name)) };
            format!("{name} changes at every poll; its changes are not applied any more")
        });
        let more = self.restless.len().saturating_sub(RESTLESS_NAMED);
        let more = (more > 0).then(|| format!("{more} more entries change at every poll"));
        self.rekeyed_note().into_iter().chain(restless).chain(more).collect()
    }

    pub(super) fn rekeyed_note(&self) -> Option<String> {
        (self.rekeyed > 0).then(|| format!("{} of {} entries re-keyed, matched", self.rekeyed, self.listed))
    }
}

impl Store {
    /// Writes all that a poll brought, in one transaction; returns when it is safe on disk.
    ///
    /// # Errors
    ///
    /// Nothing is written then: the poll never happened.
    pub async fn apply(&self, config: Arc<Config>, mut polled: Polled) -> Result<Applied, StoreError> {
        self.write(move |connection| apply(connection, &config, &mut polled)).await
    }
}

fn apply(connection: &Connection, config: &Config, polled: &mut Polled) -> Result<Applied, StoreError> {
    let mut statement = connection.prepare_cached("SELECT number FROM feed WHERE id = ?1")?;
    let Some(number) = statement.query_row([polled.feed.as_str()], |row| row.get(0)).optional()? else {
        return Ok(Applied::default());
    };
    let before = events::Before::of(connection, number)?;
    let mut applied = Applied::default();
    if let (Outcome::Document(document), Some(feed)) = (&mut polled.outcome, config.feed(&polled.feed)) {
        applied = Document { connection, config, feed, number, now: polled.at }.apply(document)?;
    }
    let polled = &*polled;
    match (&polled.outcome, config.feed(&polled.feed)) {
        (Outcome::Document(document), Some(_)) => {
            write_document(connection, number, document)?;
            write_counts(connection, number, newest_entry(document, polled.at), applied.new)?;
            if let Some(validators) = &document.validators {
                write_validators(connection, number, validators)?;
            }
            write_success(connection, number, polled)?;
            write_notes(connection, number, polled.at, &applied)?;
        }
        (Outcome::NotModified { validators }, _) => {
            write_validators(connection, number, validators)?;
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
    before.note(connection, polled, &mut applied)?;
    Ok(applied)
}

/// What is kept of what a document says of its feed: not the time, which changes without anything being said.
pub fn stable_info(document: &PolledDocument) -> FeedInfo {
    FeedInfo { updated: None, ..document.info.clone() }
}

fn write_document(connection: &Connection, number: i64, document: &PolledDocument) -> Result<(), StoreError> {
    let mut statement = connection.prepare_cached(
        "UPDATE feed SET info = ?2, repairs = ?3, guids_repaired = guids_repaired | ?4, hints = ?5 WHERE number = ?1",
    )?;
    let info = serde_json::to_string(&stable_info(document))?;
    let repairs = serde_json::to_string(&document.repairs)?;
    statement.execute(params![
        number,
        info,
        repairs,
        document.guids_repaired.bits(),
        serde_json::to_string(&document.hints)?
    ])?;
    Ok(())
}

/// The date of the newest entry among those that were cleaned; one without a date, or dated in the future, is of `now`.
fn newest_entry(document: &PolledDocument, now: Timestamp) -> Timestamp {
    let entries = document.entries.iter().filter_map(|polled| Some(&polled.cleaned.as_ref()?.entry));
    entries.map(|entry| entry.published.or(entry.updated).map_or(now, |date| date.min(now))).max().unwrap_or(now)
}

/// Counts as entries come, so that reading their number and the date of the newest needs no count.
fn write_counts(connection: &Connection, number: i64, newest: Timestamp, new: usize) -> Result<(), StoreError> {
    if new > 0 {
        let mut statement = connection.prepare_cached(
            "UPDATE feed SET entries = entries + ?2, newest = max(coalesce(newest, ?3), ?3) WHERE number = ?1",
        )?;
        statement.execute(params![number, new as i64, newest.millis()])?;
    }
    Ok(())
}

/// The feed keeps the last that was noted of it.
fn write_notes(connection: &Connection, number: i64, at: Timestamp, applied: &Applied) -> Result<(), StoreError> {
    let notes = applied.notes();
    if !notes.is_empty() {
        let mut statement = connection.prepare_cached("UPDATE feed SET note = ?2, noted = ?3 WHERE number = ?1")?;
        statement.execute(params![number, notes.join("; "), at.millis()])?;
    }
    Ok(())
}

fn write_validators(connection: &Connection, number: i64, validators: &Validators) -> Result<(), StoreError> {
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
