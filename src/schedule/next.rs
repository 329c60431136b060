//! Decides when to poll a feed next: by its own schedule, the requests of servers and documents, and backoff.
//!
//! The next poll is at the latest of these times:
//!
//! - The schedule from the config. If the config has none, a feed that never sent a validator (ETag or Last-Modified)
//!   is polled once a day, because each poll costs the publisher the whole document.
//! - `Retry-After` with any answer, up to 31 days; `max-age` and `Expires` with 200, 304, 429 and 503, up to 7 days;
//!   RSS `ttl` and `sy:*`, up to 7 days.
//! - The end of `skipHours` and `skipDays`, in GMT.
//! - After failures: one hour, doubled each time up to a day, and a week from the thirtieth failure on. After a 429 it
//!   begins with four hours. To this wait, each feed adds its own fixed share, at most a tenth, so that feeds that
//!   failed together do not retry together. A success resets the backoff; no number of failures ends the polling.
//!
//! What servers and documents ask for is the *hold* of the feed, which only `poll --force` overrides.
//!
//! A 429, or a 503 with `Retry-After`, puts the whole host on hold. There are two exceptions. The editor's own hosts
//! are never put on hold, because a program there may make feeds for many other sites. A host is not put on hold either
//! if another server redirected the poll to it. A 410 ends the polling until the editor forces a poll. After an outage
//! of our own network, the feed is retried soon, and the poll does not count as a failure.
//!
//! An interval counts from the answer of one poll to the next poll, so it is never cut short. The interval after a
//! feed's first poll is longer: by less than an hour, and by less than the interval itself. Nothing is random: the same
//! state gives the same time, before and after a restart.
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

/// The longest accepted `Retry-After`. A wait of a year is a mistake of the server.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(31 * 24 * 3600);

/// The longest accepted `max-age`, `Expires`, `ttl` or `sy:updatePeriod`. Some servers set ten years for every file.
const LONGEST_LIFETIME: Duration = WEEK;

/// The longest hold, skipped days included. A poll that is planned for later than its schedule plus this time was
/// planned by a wrong clock.
pub const LONGEST_HOLD: Duration = Duration::from_secs((31 + 7 + 1) * 24 * 3600);

/// After this many failures in a row, a feed is polled once a week.
const FAILURES_UNTIL_WEEKLY: u32 = 30;

/// How soon to retry after an outage of our own network. The retries of the feeds are spread over as much time again.
const OUTAGE_RETRY: Duration = Duration::from_secs(600);

/// The time over which polls are spread after the hours that feeds skip, in seconds.
const SKIP_SPREAD_SECONDS: u64 = 600;

/// The longest time over which the second polls of feeds that were added together are spread.
const LONGEST_FIRST_DELAY: Duration = HOUR;

/// The longest time over which feeds that became overdue together are spread.
pub const LONGEST_SPREAD: Duration = Duration::from_secs(600);

/// If the clock is set back by less than this, no poll is delayed noticeably.
const CLOCK_SLACK: Duration = Duration::from_secs(60);

/// If no more feeds than this are overdue, all of them are polled at once.
const FEW_OVERDUE: usize = 10;

/// Everything that influences when a feed is polled next.
#[derive(Clone, Debug)]
pub struct Outlook<'a> {
    /// When the answer arrived. The time to the next poll counts from here, so that neither a hold nor an interval is
    /// cut short.
    pub now: Timestamp,
    /// The schedule of the feed.
    pub schedule: &'a Schedule,
    /// Whether the schedule is the built-in default. Then a feed without validators is polled once a day.
    pub schedule_is_default: bool,
    /// The [`phase`] of the feed.
    pub phase: u64,
    /// Whether this is the feed's first poll. After it, feeds that were added together are spread, by their phases.
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
    /// Whether the answer applies to its whole host: the host is public, that is, not permitted by `allow`, and no
    /// other server redirected to it.
    pub host_is_public: bool,
}

/// The result of a poll, as far as the next poll depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PollOutcome {
    /// A document was read.
    Success,
    /// The server answered 304, or sent the same document again.
    Unchanged,
    /// No document arrived, or it could not be read.
    Failed {
        /// The status of the answer, if one arrived.
        status: Option<u16>,
    },
    /// The server answered 410.
    Gone,
    /// Our own network is down; the feed is not at fault.
    OwnOutage,
}

/// When a feed, and its host, may be polled again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NextPoll {
    /// When to poll; [`Timestamp::MAX`] if there is no next poll.
    pub at: Timestamp,
    /// The time until which the server or the document asks for no polls; `None` if neither asks. Because of the
    /// schedule, the next poll may be later still.
    pub hold_until: Option<Timestamp>,
    /// The request of the server or document that set the hold; `None` without a hold.
    pub hold_why: Option<HoldReason>,
    /// The time until which other feeds of the host must not be polled either; `None` if they may be polled.
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

/// Returns a number that is fixed for each feed, also across restarts. It shifts the feed's polls, so that feeds with
/// the same schedule are not polled at the same moment.
pub fn phase(id: &FeedId) -> u64 {
    xxh3_64(id.as_str().as_bytes())
}

/// When a feed is planned to be polled, and the facts that show whether a wrong clock made this plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PollPlan {
    /// When to poll; [`Timestamp::MAX`] if there is no next poll.
    pub at: Timestamp,
    /// When the last poll was.
    pub last_poll: Option<Timestamp>,
    /// The time until which servers or documents ask for no polls.
    pub hold_until: Option<Timestamp>,
    /// Whether the last poll failed, which makes the wait longer than the schedule says.
    pub is_failing: bool,
}

/// Returns by how much the clock was ahead when it made these plans; a last poll in the future shows that. Zero if the
/// clock was right, or wrong by less than a minute.
pub fn clock_was_ahead<'p>(now: Timestamp, plans: impl Iterator<Item = &'p PollPlan>) -> Duration {
    let polls = plans.filter(|plan| plan.at < Timestamp::MAX).filter_map(|plan| plan.last_poll);
    polls.max().map(|newest| newest.since(now)).filter(|ahead| *ahead > CLOCK_SLACK).unwrap_or_default()
}

/// Returns a new plan if a wrong clock made this one; `None` if the plan stays. `ahead` is how far the clock is known
/// to have been ahead.
///
/// If the clock was ahead at the last poll, the time since then is unknown. So the whole wait begins again: the
/// schedule's interval, a backoff, and the hold.
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
    // While the clock was wrong, the poll was only postponed. That happens when feeds that became overdue together are
    // spread.
    let is_of_wrong_clock = !ahead.is_zero() && plan.at + LONGEST_SPREAD >= now + ahead;
    (is_of_wrong_clock && plan.at > regular).then(|| {
        let hold_until = plan.hold_until.map(|until| if until >= now + ahead { until - ahead } else { until });
        let at = (plan.at - ahead).max(regular);
        PollPlan { at: hold_until.map_or(at, |until| at.max(until)), hold_until, ..*plan }
    })
}

/// Returns when to poll each of the feeds that became overdue together, in the given order. They are spread over a
/// sixth of their interval, at most ten minutes. If there are only a few, all are polled at once.
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

/// Returns the latest of the times that the module docs list.
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

/// Returns how much longer the interval is after a feed's first poll. Cron schedules need no delay, because their polls
/// are spread by phase.
fn first_delay(outlook: &Outlook) -> Duration {
    match outlook.schedule {
        Schedule::Every(interval) if outlook.is_first_poll => {
            share((*interval).min(LONGEST_FIRST_DELAY), outlook.phase)
        }
        _ => Duration::ZERO,
    }
}

/// Returns the longest wait that the server or the document asked for, and which request it was.
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

/// Returns whether the next poll waits for the answer's `max-age` and `Expires` to end. On a 404 or a 500 they only
/// matter to caches, and with a document that cannot be read they would delay the next attempt.
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

/// Returns the wait after the first failure. It is longer after a 429, because the server asks for fewer requests.
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

/// The number of different shares: enough to give 100,000 feeds different times.
const SHARES: u64 = 1_000_000;

/// Returns a part of `whole`, less than all of it, that is always the same for a feed.
fn share(whole: Duration, phase: u64) -> Duration {
    whole.mul_f64((phase % SHARES) as f64 / SHARES as f64)
}

/// If the feed's `skipHours` or `skipDays` exclude `at`, returns the first time after it that they do not exclude, and
/// which of the two ends there. Returns `None` if they do not exclude `at`, or if they exclude every hour.
fn after_skipped(at: Timestamp, hints: &PollHints) -> Option<(Timestamp, HoldReason)> {
    let mut moved = None;
    // If any hour of the week is not skipped, the loop ends after at most this many steps.
    for _ in 0..7 * 24 {
        let here = moved.map_or(at, |(moved, _)| moved);
        match skipped(here, hints) {
            Some(next) => moved = Some(next),
            None => return moved,
        }
    }
    None
}

/// Returns the start of the next hour or day, if the hour or day of `at` is skipped.
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
