//! What a poll makes of the state of its feed.
//!
//! Pure. The policy held here: a failure is counted and leaves what was known as it was; permanent redirects are counted for
//! as long as they lead to one place, and a poll that began at the new place says nothing of the old one; one that failed
//! there goes back to the address of the config, which stays the owner.

use std::time::Duration;

use url::Url;

use super::events::{FeedStanding, News, events};
use super::moves::has_moved;
use super::{Applied, Outcome, Polled, PolledDocument};
use crate::feed::{Failure, FeedEvent, FeedInfo, FeedState, Validators};
use crate::rows::{DocumentRow, EventRow, FeedRow, LogRow};
use crate::time::Timestamp;

/// A feed after a poll, and what is noted of it.
#[derive(Debug)]
pub struct PolledFeed {
    pub row: FeedRow,
    pub log: LogRow,
    pub events: Vec<EventRow>,
}

/// What is kept of what a document says of its feed: not the time, which changes without anything being said.
pub fn stable_info(document: &PolledDocument) -> FeedInfo {
    FeedInfo { updated: None, ..document.info.clone() }
}

/// Returns what a feed's documents say of it after this one.
pub fn document_row(before: &DocumentRow, document: &PolledDocument) -> DocumentRow {
    DocumentRow {
        info: stable_info(document),
        repairs: document.repairs.clone(),
        hints: document.hints.clone(),
        guids_repaired: before.guids_repaired.with(document.guids_repaired),
    }
}

/// Decides what a poll makes of its feed. Notes in `applied` where it has moved.
pub fn after(before: &FeedRow, polled: &Polled, applied: &mut Applied) -> PolledFeed {
    let mut row = before.clone();
    match &polled.outcome {
        Outcome::Document(document) => {
            if applied.new > 0 {
                row.entries += applied.new as u64;
                let is_first = before.entries == 0;
                row.newest = row.newest.max(Some(newest_entry(document, polled.at, is_first)));
            }
            if let Some(validators) = &document.validators {
                take_validators(&mut row, validators);
            }
            succeed(&mut row, polled);
            let notes = applied.notes();
            if !notes.is_empty() {
                row.note = Some((notes, polled.at));
            }
        }
        Outcome::NotModified { validators } => {
            take_validators(&mut row, validators);
            succeed(&mut row, polled);
        }
        Outcome::Failed(failure) => fail(&mut row, polled, FeedState::Failing, failure),
        Outcome::Gone => fail(&mut row, polled, FeedState::Gone, &Failure::Gone),
    }
    row.last_poll = Some(polled.at);
    row.next_poll = polled.next.at;
    row.hold_until = polled.next.hold_until;
    row.hold_why = polled.next.hold_why;
    row.per_day = polled.per_day;
    let events = noted(before, &row, polled, applied);
    PolledFeed { log: log(&row, polled, applied), row, events }
}

/// The date of the newest entry among those that were cleaned; one that is dated in the future is of `now`, and so is one
/// without a date. In the first document of a feed that says nothing, if others have a date.
fn newest_entry(document: &PolledDocument, now: Timestamp, is_first: bool) -> Timestamp {
    let dates = document.entries.iter().filter_map(|polled| Some(polled.cleaned.as_ref()?.entry.claimed()));
    let dates = dates.filter_map(|date| if is_first { date } else { Some(date.unwrap_or(now)) });
    dates.map(|date| date.min(now)).max().unwrap_or(now)
}

fn take_validators(row: &mut FeedRow, validators: &Validators) {
    row.validators = validators.clone();
    row.had_validators |= !validators.is_empty();
}

fn succeed(row: &mut FeedRow, polled: &Polled) {
    row.state = FeedState::Ok;
    (row.failures, row.failure) = (0, None);
    follow_move(row, polled);
}

/// Where no failure counts, as our own network was down, the state stays.
fn fail(row: &mut FeedRow, polled: &Polled, state: FeedState, failure: &Failure) {
    if polled.failures > 0 {
        row.state = state;
    }
    row.failures = polled.failures;
    row.failure = Some(failure.clone());
    if polled.start.is_some() {
        follow_move(row, polled);
    }
}

/// Counts for how long permanent redirects have led to one place.
fn follow_move(row: &mut FeedRow, polled: &Polled) {
    let has_failed = polled.outcome.failure().is_some();
    let has_entries = match &polled.outcome {
        Outcome::Document(document) => !document.entries.is_empty(),
        _ => true,
    };
    if polled.start.is_some() && !has_failed && polled.permanent.is_none() {
        return;
    }
    let moved = polled.permanent.as_ref().filter(|_| has_entries && !has_failed).map(Url::as_str);
    match moved {
        None => (row.moved_to, row.moved_since, row.moved_polls) = (None, None, 0),
        Some(to) if row.moved_to.as_deref() == Some(to) => row.moved_polls += 1,
        Some(to) => (row.moved_to, row.moved_since, row.moved_polls) = (Some(to.to_owned()), Some(polled.at), 1),
    }
}

/// Where a feed has moved for good.
fn believed_move(row: &FeedRow) -> Option<String> {
    let lasted = row.last_poll.zip(row.moved_since).map(|(last, since)| last.since(since));
    let is_believed = has_moved(row.moved_polls, lasted.unwrap_or(Duration::ZERO));
    row.moved_to.clone().filter(|_| is_believed)
}

fn standing(row: &FeedRow) -> FeedStanding {
    FeedStanding {
        failures: row.failures,
        is_gone: row.state == FeedState::Gone,
        moved_to: believed_move(row),
        was_polled: row.last_poll.is_some(),
        failure: row.failure.clone(),
    }
}

fn noted(before: &FeedRow, after: &FeedRow, polled: &Polled, applied: &mut Applied) -> Vec<EventRow> {
    let news = News { new: applied.new, rekeyed: applied.rekeyed, listed: applied.listed };
    let events = events(&standing(before), &standing(after), news);
    for event in &events {
        if let FeedEvent::Moved { to } = event {
            applied.moved_to = Some(to.clone());
        }
    }
    let row = |event: FeedEvent| EventRow { feed: after.number, at: polled.at, event };
    events.into_iter().map(row).collect()
}

fn log(row: &FeedRow, polled: &Polled, applied: &Applied) -> LogRow {
    let outcome = match &polled.outcome {
        Outcome::NotModified { .. } => "not_modified",
        Outcome::Document(_) if applied.new + applied.revised > 0 => "changed",
        Outcome::Document(_) => "unchanged",
        Outcome::Failed(_) => "failed",
        Outcome::Gone => "gone",
    };
    LogRow {
        feed: row.number,
        at: polled.at,
        duration_ms: polled.duration_ms,
        outcome,
        status: polled.status,
        new: applied.new,
        revised: applied.revised,
        failure: polled.outcome.failure().cloned(),
    }
}
