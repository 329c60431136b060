//! Decides what a poll changes in the state of its feed.
//!
//! The policy of feed states: a failed poll is counted, and changes nothing that is known from earlier documents.
//! Permanent redirects are counted as long as they lead to the same address. Once they have led to it for long enough,
//! polls begin at that address. Such a poll says nothing about the configured address. If such a poll fails, the next
//! poll begins at the configured address again. This module does no I/O.

use std::time::Duration;

use url::Url;

use super::events::{FeedHealth, News, events};
use super::moves::has_moved;
use super::{Applied, Outcome, Polled, PolledDocument};
use crate::feed::{Failure, FeedEvent, FeedInfo, FeedState, Validators};
use crate::rows::{DocumentRow, EventRow, FeedRow, LogRow};
use crate::time::Timestamp;

/// A feed after a poll, with the record and the events of the poll.
#[derive(Debug)]
pub struct PolledFeed {
    /// The new state of the feed.
    pub row: FeedRow,
    /// The record for the poll log; `None` if the poll brought no new or revised entries and did not fail.
    pub log: Option<LogRow>,
    /// The events that the poll caused.
    pub events: Vec<EventRow>,
}

/// Returns what is stored of a document's information about its feed: everything except the time `updated`, which often
/// changes when nothing else does.
pub(super) fn stable_info(document: &PolledDocument) -> FeedInfo {
    FeedInfo { updated: None, ..document.info.clone() }
}

/// Returns the row about a feed's documents after this document. The kinds of keys that entries of earlier documents
/// shared stay recorded.
pub fn document_row(before: &DocumentRow, document: &PolledDocument) -> DocumentRow {
    DocumentRow {
        info: stable_info(document),
        repairs: document.repairs.clone(),
        hints: document.hints.clone(),
        guids_repaired: before.guids_repaired.with(document.guids_repaired),
    }
}

/// Decides what a poll changes for its feed. Sets `moved_to` in `applied` if newswire uses a new address of the feed
/// from now on.
pub fn after(before: &FeedRow, polled: &Polled, applied: &mut Applied) -> PolledFeed {
    let mut row = before.clone();
    match &polled.outcome {
        Outcome::Document(document) => {
            if applied.new > 0 {
                row.record.entries += applied.new as u64;
                row.record.news = Some((polled.at, applied.new as u64));
                let is_first = before.record.entries == 0;
                row.record.newest = row.record.newest.max(Some(newest_entry(document, polled.at, is_first)));
            }
            if let Some(validators) = &document.validators {
                take_validators(&mut row, validators);
            }
            succeed(&mut row, polled);
            let notes = applied.notes();
            if !notes.is_empty() {
                row.record.note = Some((notes, polled.at));
            }
        }
        Outcome::NotModified { validators } => {
            take_validators(&mut row, validators);
            succeed(&mut row, polled);
        }
        Outcome::Failed(failure) => fail(&mut row, polled, FeedState::Failing, failure),
        Outcome::Gone => fail(&mut row, polled, FeedState::Gone, &Failure::Gone),
    }
    row.poll.last_poll = Some(polled.at);
    row.poll.next_poll = polled.next.at;
    row.poll.hold_until = polled.next.hold_until;
    row.poll.hold_why = polled.next.hold_why;
    row.poll.per_day = polled.per_day;
    let events = noted(before, &row, polled, applied);
    PolledFeed { log: log(&row, polled, applied), row, events }
}

/// Returns the date of the newest of the cleaned entries. A future or missing date counts as `now`. In the first
/// document of a feed, entries without a date count only if no entry has one.
fn newest_entry(document: &PolledDocument, now: Timestamp, is_first: bool) -> Timestamp {
    let dates = document.entries.iter().filter_map(|polled| Some(polled.cleaned.as_ref()?.entry.claimed()));
    let dates = dates.filter_map(|date| if is_first { date } else { Some(date.unwrap_or(now)) });
    dates.map(|date| date.min(now)).max().unwrap_or(now)
}

fn take_validators(row: &mut FeedRow, validators: &Validators) {
    row.poll.validators = validators.clone();
    row.record.had_validators |= !validators.is_empty();
}

fn succeed(row: &mut FeedRow, polled: &Polled) {
    row.poll.state = FeedState::Ok;
    (row.poll.failures, row.record.failure) = (0, None);
    follow_move(row, polled);
}

/// Records a failure. If the failure is not counted, because our own network was down, the state of the feed does not
/// change.
fn fail(row: &mut FeedRow, polled: &Polled, state: FeedState, failure: &Failure) {
    if polled.failures > 0 {
        row.poll.state = state;
    }
    row.poll.failures = polled.failures;
    row.record.failure = Some(failure.clone());
    if polled.start.is_some() {
        follow_move(row, polled);
    }
}

/// Records for how many polls in a row, and since when, permanent redirects have led to one address.
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
        None => (row.record.moved_to, row.record.moved_since, row.record.moved_polls) = (None, None, 0),
        Some(to) if row.record.moved_to.as_deref() == Some(to) => row.record.moved_polls += 1,
        Some(to) => {
            (row.record.moved_to, row.record.moved_since, row.record.moved_polls) =
                (Some(to.to_owned()), Some(polled.at), 1)
        }
    }
}

/// Returns the new address of a feed if permanent redirects have led to it for long enough.
fn believed_move(row: &FeedRow) -> Option<String> {
    let lasted = row.poll.last_poll.zip(row.record.moved_since).map(|(last, since)| last.since(since));
    let is_believed = has_moved(row.record.moved_polls, lasted.unwrap_or(Duration::ZERO));
    row.record.moved_to.clone().filter(|_| is_believed)
}

fn health(row: &FeedRow) -> FeedHealth {
    FeedHealth {
        failures: row.poll.failures,
        is_gone: row.poll.state == FeedState::Gone,
        moved_to: believed_move(row),
        was_polled: row.poll.last_poll.is_some(),
        failure: row.record.failure.clone(),
    }
}

fn noted(before: &FeedRow, after: &FeedRow, polled: &Polled, applied: &mut Applied) -> Vec<EventRow> {
    let news = News { new: applied.new, rekeyed: applied.rekeyed, listed: applied.listed };
    let events = events(&health(before), &health(after), news);
    for event in &events {
        if let FeedEvent::Moved { to } = event {
            applied.moved_to = Some(to.clone());
        }
    }
    let row = |event: FeedEvent| EventRow { feed: after.number, at: polled.at, event };
    events.into_iter().map(row).collect()
}

/// Returns the record for the poll log. Most polls bring no new or revised entries; they get no record, because the
/// feed's state has the time of the last poll.
fn log(row: &FeedRow, polled: &Polled, applied: &Applied) -> Option<LogRow> {
    let outcome = match &polled.outcome {
        Outcome::Document(_) if applied.new + applied.revised > 0 => "changed",
        Outcome::Failed(_) => "failed",
        Outcome::Gone => "gone",
        Outcome::NotModified { .. } | Outcome::Document(_) => return None,
    };
    Some(LogRow {
        feed: row.number,
        at: polled.at,
        duration_ms: polled.duration_ms,
        outcome,
        status: polled.status,
        new: applied.new,
        revised: applied.revised,
        failure: polled.outcome.failure().cloned(),
    })
}
