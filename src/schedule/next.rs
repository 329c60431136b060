//! When to poll a feed next: its own schedule, the wishes of servers and documents, and backoff.
//!
//! The next poll is at the latest of these times:
//!
//! - the schedule from the config. If the config has none, a feed that never sent a validator is polled once a day,
//!   because each poll costs the publisher the whole document;
//! - `Retry-After` with any answer, up to 31 days; `max-age` and `Expires` on 200, 304, 429 and 503, up to 7 days; RSS
//!   `ttl` and `sy:*`, up to 7 days. Together they are the *hold*: only `poll --force` overrides it;
//! - `skipHours` and `skipDays`, in GMT;
//! - after failures: one hour, doubled each time up to a day, and a week from the thirtieth failure on; after 429 it
//!   begins with four hours. Each feed adds a fixed share of its own, at most a tenth, so that feeds that failed
//!   together do not retry together. A success resets the backoff; no number of failures ends the polling.
//!
//! 429, and 503 with `Retry-After`, apply to the whole host, unless the host is the editor's own (a bridge there serves
//! many sites) or a redirect led there from another server. 410 ends the polling until the editor forces a poll. An
//! outage of our own network is retried soon and does not count as a failure.
//!
//! An interval counts from poll to poll. It is never cut short. It is longer once, after a feed's first poll: by at
//! most the interval again or an hour. Nothing is random: the same state gives the same time, before and after a
//! restart.
//!
//! The specifications are RFC 9110 §10.2.3, RFC 9111 §4.2, RSS 2.0 `<ttl>`, `<skipHours>`, `<skipDays>`, RSS 1.0
//! `mod_syndication`.

use std::time::Duration;

use chrono::{Datelike, Days, NaiveTime, Timelike};
use xxhash_rust::xxh3::xxh3_64;

use super::Schedule;
use crate::feed::{FeedId, HoldReason, Lifetimes, PollHints};
use crate::time::Timestamp;

const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);
const WEEK: Duration = Duration::from_secs(7 * 24 * 3600);

/// The longest accepted `Retry-After`; one of a year is a mistake.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(31 * 24 * 3600);

/// The longest accepted `max-age`, `Expires`, `ttl` or `sy:updatePeriod`: servers set ten years for everything static.
const LONGEST_LIFETIME: Duration = WEEK;

/// No hold lasts longer, skipped days included. A poll planned later than this, compared with its schedule, was planned
/// with a wrong clock.
pub const LONGEST_HOLD: Duration = Duration::from_secs((31 + 7 + 1) * 24 * 3600);

/// From this many failures in a row on, a feed is polled once a week.
const FAILURES_UNTIL_WEEKLY: u32 = 30;

/// How soon to retry after an outage of our own; feeds are spread over the same time again.
const OUTAGE_RETRY: Duration = Duration::from_secs(600);

/// After the hours that a feed skips, polls are spread over this many seconds.
const SKIP_SPREAD_SECONDS: u64 = 600;

/// Feeds that were new together are spread over up to an interval, but no more than this.
const LONGEST_FIRST_DELAY: Duration = HOUR;

/// The longest time over which feeds that became overdue together are spread.
pub const LONGEST_SPREAD: Duration = Duration::from_secs(600);

/// A clock that is set back by less than this delays no poll noticeably.
const CLOCK_SLACK: Duration = Duration::from_secs(60);

/// This many overdue feeds need no spreading.
const FEW_OVERDUE: usize = 10;

/// Everything that influences when a feed is polled next.
#[derive(Clone, Debug)]
pub struct Outlook<'a> {
    /// When the answer arrived. Counting from here never cuts the server's time or the schedule's short.
    pub now: Timestamp,
    /// The schedule of the feed.
    pub schedule: &'a Schedule,
    /// Whether the schedule is the built-in default: then it becomes a day for a feed without validators.
    pub schedule_is_default: bool,
    /// The [`phase`] of the feed.
    pub phase: u64,
    /// Whether the feed was never polled before: feeds that were new together are spread once, by their phases.
    pub is_first_poll: bool,
    /// How this poll ended.
    pub outcome: PollOutcome,
    /// The number of failures in a row, this one included.
    pub failures: u32,
    /// The lifetimes in this poll's answer.
    pub lifetimes: Lifetimes,
    /// The hints of the last document that could be read.
    pub hints: &'a PollHints,
    /// Whether any of the feed's documents ever came with an ETag or Last-Modified.
    pub has_validators_ever: bool,
    /// Whether the answer applies to its whole host: the host is public (not opened by the editor with `allow`), and no
    /// redirect from another server led there.
    pub host_is_public: bool,
}

/// The result of a poll, as far as it matters for the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PollOutcome {
    /// A document was read.
    Success,
    /// 304, or the same document again.
    Unchanged,
    /// No document arrived, or it could not be read.
    Failed {
        /// The status of the answer, if one arrived.
        status: Option<u16>,
    },
    /// 410.
    Gone,
    /// Our own network is down; the feed is not at fault.
    OwnOutage,
}

/// When a feed, and its host, may be polled again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NextPoll {
    /// When to poll; [`Timestamp::MAX`] if there is no next poll.
    pub at: Timestamp,
    /// Until when the server or the document asks for no polls; the schedule may be slower still.
    pub hold_until: Option<Timestamp>,
    /// Which of their statements set the hold.
    pub hold_why: Option<HoldReason>,
    /// Until when other feeds of the host must not be polled either.
    pub host_hold: Option<Timestamp>,
}

/// Returns when to poll next.
pub fn next_poll(outlook: &Outlook) -> NextPoll {
    match outlook.outcome {
        PollOutcome::Gone => without_hold(Timestamp::MAX),
        PollOutcome::OwnOutage => without_hold(outlook.now + OUTAGE_RETRY + share(OUTAGE_RETRY, outlook.phase)),
        PollOutcome::Success | PollOutcome::Unchanged | PollOutcome::Failed { .. } => latest(outlook),
    }
}

/// Returns a number that is fixed for each feed, also across restarts. It shifts the feed's polls against those of
/// others.
pub fn phase(id: &FeedId) -> u64 {
    xxh3_64(id.as_str().as_bytes())
}

/// The plan for a feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PollPlan {
    /// When to poll; [`Timestamp::MAX`] if there is no next poll.
    pub at: Timestamp,
    /// When the last poll was.
    pub last_poll: Option<Timestamp>,
    /// Until when servers or documents ask for no polls.
    pub hold_until: Option<Timestamp>,
    /// Whether the last poll failed, which makes the wait longer than the schedule says.
    pub is_failing: bool,
}

/// Returns by how much the clock was ahead when it made these plans: a poll in the future proves it. Zero if it was
/// right, or wrong by less than a minute.
pub fn clock_was_ahead<'p>(now: Timestamp, plans: impl Iterator<Item = &'p PollPlan>) -> Duration {
    let polls = plans.filter(|plan| plan.at < Timestamp::MAX).filter_map(|plan| plan.last_poll);
    polls.max().map(|newest| newest.since(now)).filter(|ahead| *ahead > CLOCK_SLACK).unwrap_or_default()
}

/// Returns a new plan if a wrong clock made this one; `None` if the plan stays. `ahead` is by how much the clock is
/// known to have been ahead.
///
/// In that case the time since the last poll is unknown. So the whole wait is kept: the schedule's interval, a backoff,
/// and the server's hold.
pub fn replan(plan: &PollPlan, now: Timestamp, ahead: Duration, schedule: &Schedule, phase: u64) -> Option<PollPlan> {
    let regular = schedule.next(now, phase);
    if plan.at == Timestamp::MAX {
        return None;
    }
    if let Some(last) = plan.last_poll.filter(|last| last.since(now) > CLOCK_SLACK) {
        let hold_until = plan.hold_until.filter(|until| *until > last).map(|until| now + until.since(last));
        let has_times_of_day = matches!(schedule, Schedule::Cron(_)) && !plan.is_failing;
        let wanted = if has_times_of_day { regular } else { now + plan.at.since(last) };
        let at = hold_until.map_or(wanted, |until| wanted.max(until)).min(regular + LONGEST_HOLD);
        return Some(PollPlan { at, last_poll: Some(now), hold_until, ..*plan });
    }
    let from = plan.last_poll.unwrap_or(now);
    let is_beyond_reason = plan.at > now.max(schedule.next(from, phase)) + LONGEST_HOLD;
    let is_new_and_late = plan.last_poll.is_none() && plan.hold_until.is_none() && plan.at > now + DAY;
    if is_beyond_reason || is_new_and_late {
        return Some(PollPlan { at: regular + share(LONGEST_SPREAD, phase), hold_until: None, ..*plan });
    }
    // The wrong clock put the poll off without making one, as happens to feeds that were overdue together.
    let is_of_wrong_clock = !ahead.is_zero() && plan.at + LONGEST_SPREAD >= now + ahead;
    (is_of_wrong_clock && plan.at > regular).then(|| {
        let hold_until = plan.hold_until.map(|until| if until >= now + ahead { until - ahead } else { until });
        let at = (plan.at - ahead).max(regular);
        PollPlan { at: hold_until.map_or(at, |until| at.max(until)), hold_until, ..*plan }
    })
}

/// Returns when to poll each of the feeds that became overdue together, in the order given: over a sixth of their
/// interval, at most ten minutes. A few are polled at once.
///
/// `overdue` has the [`phase`] and schedule of each feed; all of them must have been polled before.
pub fn spread(now: Timestamp, overdue: &[(u64, &Schedule)]) -> Vec<Timestamp> {
    if overdue.len() <= FEW_OVERDUE {
        return vec![now; overdue.len()];
    }
    let count = overdue.len() as f64;
    let at = |(rank, (phase, schedule)): (usize, &(u64, &Schedule))| {
        let interval = schedule.next(now, *phase).since(now);
        now + (interval / 6).min(LONGEST_SPREAD).mul_f64(rank as f64 / count)
    };
    overdue.iter().enumerate().map(at).collect()
}

fn without_hold(at: Timestamp) -> NextPoll {
    NextPoll { at, hold_until: None, hold_why: None, host_hold: None }
}

/// Returns the latest of all times that count.
fn latest(outlook: &Outlook) -> NextPoll {
    let mut hold = hold(outlook).map(|(lasts, why)| (outlook.now + lasts, why));
    let wanted = regular(outlook).max(outlook.now + backoff(outlook));
    let unskipped = hold.map_or(wanted, |(until, _)| wanted.max(until));
    let mut at = unskipped;
    if let Some((moved, why)) = after_skipped(unskipped, outlook.hints) {
        at = moved + Duration::from_secs(outlook.phase % SKIP_SPREAD_SECONDS);
        hold = Some((moved, why));
    }
    NextPoll {
        at,
        hold_until: hold.map(|(until, _)| until),
        hold_why: hold.map(|(_, why)| why),
        host_hold: host_hold(outlook).map(|lasts| outlook.now + lasts),
    }
}

/// Returns the time that the schedule alone gives.
fn regular(outlook: &Outlook) -> Timestamp {
    let next = outlook.schedule.next(outlook.now, outlook.phase) + first_delay(outlook);
    let has_document = matches!(outlook.outcome, PollOutcome::Success | PollOutcome::Unchanged);
    if has_document && outlook.schedule_is_default && !outlook.has_validators_ever {
        return next.max(outlook.now + DAY);
    }
    next
}

/// Returns how much longer the interval is after a feed's first poll. Schedules with times of day spread by themselves.
fn first_delay(outlook: &Outlook) -> Duration {
    match outlook.schedule {
        Schedule::Every(interval) if outlook.is_first_poll => {
            share((*interval).min(LONGEST_FIRST_DELAY), outlook.phase)
        }
        _ => Duration::ZERO,
    }
}

/// Returns the longest time that the server or the document asked for, and which of their statements it was.
fn hold(outlook: &Outlook) -> Option<(Duration, HoldReason)> {
    let Lifetimes { retry_after, max_age, expires } = outlook.lifetimes;
    let of_answer = |lifetime: Option<Duration>| lifetime.filter(|_| is_fresh_for_a_time(outlook.outcome));
    let requests = [
        (outlook.hints.period, LONGEST_LIFETIME, HoldReason::UpdatePeriod),
        (outlook.hints.ttl, LONGEST_LIFETIME, HoldReason::Ttl),
        (of_answer(expires), LONGEST_LIFETIME, HoldReason::Expires),
        (of_answer(max_age), LONGEST_LIFETIME, HoldReason::MaxAge),
        (retry_after, LONGEST_RETRY_AFTER, HoldReason::RetryAfter),
    ];
    let requests = requests.into_iter().filter_map(|(lasts, longest, why)| Some((lasts?.min(longest), why)));
    requests.filter(|(lasts, _)| !lasts.is_zero()).max_by_key(|(lasts, _)| *lasts)
}

/// Returns whether the answer's `max-age` says when the next one may differ. On a 404 or a 500 it only matters to
/// caches, and on an incomplete document it would delay the complete one.
fn is_fresh_for_a_time(outcome: PollOutcome) -> bool {
    match outcome {
        PollOutcome::Success | PollOutcome::Unchanged => true,
        PollOutcome::Failed { status } => matches!(status, Some(429 | 503)),
        PollOutcome::Gone | PollOutcome::OwnOutage => false,
    }
}

fn backoff(outlook: &Outlook) -> Duration {
    let PollOutcome::Failed { status } = outlook.outcome else { return Duration::ZERO };
    if outlook.failures >= FAILURES_UNTIL_WEEKLY {
        return WEEK + share(WEEK / 10, outlook.phase);
    }
    let doublings = outlook.failures.saturating_sub(1).min(FAILURES_UNTIL_WEEKLY);
    let wait = first_wait(status).saturating_mul(1 << doublings).min(DAY);
    wait + share(wait / 10, outlook.phase)
}

/// Returns the wait after the first failure. Many readers retry sooner after a 429, which is the last thing that the
/// server needs.
fn first_wait(status: Option<u16>) -> Duration {
    if status == Some(429) { 4 * HOUR } else { HOUR }
}

fn host_hold(outlook: &Outlook) -> Option<Duration> {
    let retry_after = outlook.lifetimes.retry_after.map(|lasts| lasts.min(LONGEST_RETRY_AFTER));
    match outlook.outcome {
        PollOutcome::Failed { status } if outlook.host_is_public => match status {
            Some(429) => Some(retry_after.unwrap_or(first_wait(status))),
            Some(503) => retry_after,
            _ => None,
        },
        _ => None,
    }
}

/// How many different shares there are: enough to give 100,000 feeds different times.
const SHARES: u64 = 1_000_000;

/// Returns a part of `whole`, less than all of it, that is always the same for a feed.
fn share(whole: Duration, phase: u64) -> Duration {
    whole.mul_f64((phase % SHARES) as f64 / SHARES as f64)
}

/// Returns the end of the skipped hours and days that contain `at`, and which of the two it was; `None` if `at` is not
/// skipped.
fn after_skipped(at: Timestamp, hints: &PollHints) -> Option<(Timestamp, HoldReason)> {
    let mut moved = None;
    // If any hour of the week is free, this ends after at most this many steps.
    for _ in 0..7 * 24 {
        let here = moved.map_or(at, |(moved, _)| moved);
        match skipped(here, hints) {
            Some(next) => moved = Some(next),
            None => return moved,
        }
    }
    None
}

/// Returns the start of the next hour or day, if the one of `at` is skipped.
fn skipped(at: Timestamp, hints: &PollHints) -> Option<(Timestamp, HoldReason)> {
    let time = at.datetime();
    if hints.skip_days.iter().any(|day| u32::from(*day) == time.weekday().num_days_from_monday()) {
        let midnight = time.date_naive().checked_add_days(Days::new(1))?.and_time(NaiveTime::MIN).and_utc();
        return Some((Timestamp::from_datetime(midnight), HoldReason::SkipDays));
    }
    if hints.skip_hours.iter().any(|hour| u32::from(*hour) == time.hour()) {
        let rest = HOUR.saturating_sub(Duration::from_secs((time.minute() * 60 + time.second()).into()));
        return Some((at.whole_second() + rest, HoldReason::SkipHours));
    }
    None
}
