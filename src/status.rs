//! The state of feeds and sections, as commands, the status pages and the metrics show it.

mod hooks;
mod stuck;

use std::collections::HashMap;
use std::time::Duration;

use serde::Serialize;

use crate::config::{Config, Feed};
use crate::duration;
use crate::feed::{Failure, FailureKind, FeedId, FeedState, HoldReason, Note, RepairKind, SectionId};
use crate::foreign;
use crate::newsroom;
use crate::schedule::{self, Schedule};
use crate::section;
use crate::store::{FeedStanding, FeedStatus, Reader, Rhythm, StoreError};
use crate::time::Timestamp;

pub use hooks::{HookCondition, HookOverview, hooks};
pub use stuck::{StuckPoll, Watch, Watched};

/// How long newswire waits between polls of a feed whose server sends no `ETag` or `Last-Modified`, unless the config
/// sets a schedule for the feed.
const DAY: Duration = Duration::from_secs(86_400);

/// How many gaps between stories are needed to compute the usual gap.
const GAPS_FOR_RHYTHM: u32 = 4;

/// A time without new stories is unusual if it is at least this many usual gaps long, and at least [`LEAST_SILENCE`].
const SILENT_GAPS: u32 = 5;

/// The shortest time without new stories that counts as unusual. It is longer than a weekend.
const LEAST_SILENCE: Duration = Duration::from_secs(3 * 86_400);

/// How many new entries in one poll are a flood.
const FLOOD: u64 = 50;

/// For how long a flood is reported.
const FRESH: Duration = Duration::from_secs(2 * 86_400);

/// How many entries a document must have, so that it is unusual if all of them are new.
const LISTED_FOR_GAPS: u64 = 5;

/// The state of a feed as `newswire feeds` shows it.
#[derive(Clone, Debug, Serialize)]
pub struct FeedOverview {
    /// The id of the feed.
    pub id: FeedId,
    /// The address of the feed, with secrets masked.
    pub url: String,
    /// The title of the feed, as plain text: from the config, otherwise from its document, otherwise its id.
    pub title: String,
    /// The current state of the feed.
    pub state: FeedCondition,
    /// When the feed was last polled; `None` if never.
    pub last_poll: Option<Timestamp>,
    /// When the next poll is due; `None` if the feed is disabled or gone.
    pub next_poll: Option<Timestamp>,
    /// How many polls have failed since the last successful one.
    pub failures: u32,
    /// Why the last poll failed, as a sentence; `None` if it did not fail.
    pub last_error: Option<String>,
    /// The kind of this failure, in words.
    pub error_kind: Option<&'static str>,
    /// The kind of this failure, as a code.
    pub error_code: Option<FailureKind>,
    /// How many entries the feed has had in total.
    pub entries: u64,
    /// The date of the feed's newest entry.
    pub newest: Option<Timestamp>,
    /// Until when the feed is not polled, and the reason, such as `until 2026-01-01T14:05:00Z by Retry-After`.
    pub held: Option<String>,
    /// The reason of `held`, as a code.
    pub held_code: Option<HoldReason>,
    /// The time of `held`.
    #[serde(skip)]
    pub held_until: Option<Timestamp>,
    /// Why the feed is polled as often as it is, such as
    /// `polled every 4 hours, because the feed publishes 3.1 entries a day`. `None` if the schedule in the TOML says
    /// it.
    pub rhythm: Option<String>,
    /// The repairs that were needed to read the feed's last document, and other faults that an editor should know, as
    /// sentences.
    pub repairs: Vec<String>,
    /// The kinds of `repairs`, in the same order.
    pub repairs_code: Vec<RepairKind>,
    /// The latest note about the feed's entries, such as that they got new guids or change at every poll, as a
    /// sentence.
    pub note: Option<String>,
    /// The codes of `note`.
    pub note_code: Vec<&'static str>,
    /// The time of `note`.
    pub noted: Option<Timestamp>,
    /// The address that permanent redirects have led to for long enough, with secrets masked. It should replace the
    /// address in the TOML.
    pub moved_to: Option<String>,
}

/// The state of a feed. It depends on the feed's last poll, on whether the feed may be polled, and on the config.
/// Ordered by urgency, the most urgent first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum FeedCondition {
    /// The server answered 410 (Gone), so the feed is not polled any more.
    Gone,
    /// The last poll failed.
    Failing,
    /// The feed must not be polled until a time later than its schedule says, for example because its server asked for
    /// that.
    Held,
    /// The feed was never polled.
    New,
    /// The last poll succeeded.
    Ok,
    /// The config disables the feed.
    Disabled,
}

impl FeedCondition {
    /// All states, the most urgent first.
    pub const ALL: [FeedCondition; 6] = [
        FeedCondition::Gone,
        FeedCondition::Failing,
        FeedCondition::Held,
        FeedCondition::New,
        FeedCondition::Ok,
        FeedCondition::Disabled,
    ];

    /// Returns the name of the state, in lower case.
    pub fn as_str(self) -> &'static str {
        match self {
            FeedCondition::Ok => "ok",
            FeedCondition::Failing => "failing",
            FeedCondition::Held => "held",
            FeedCondition::Gone => "gone",
            FeedCondition::Disabled => "disabled",
            FeedCondition::New => "new",
        }
    }
}

/// The state of a section as `newswire sections` shows it.
#[derive(Clone, Debug, Serialize)]
pub struct SectionRow {
    /// The id of the section.
    pub id: SectionId,
    /// The title of the section, as plain text.
    pub title: String,
    /// How many stories are in the section.
    pub stories: u64,
    /// The time by which the section sorts its newest story.
    pub newest: Option<Timestamp>,
    /// Whether the section is private.
    pub private: bool,
    /// The feeds of the section, in the order of the config.
    pub feeds: Vec<FeedId>,
}

/// Returns the state of every configured feed, in the order of the config. Includes feeds that the store does not know
/// yet.
///
/// # Errors
///
/// Returns the errors of the store.
pub fn feeds(config: &Config, reader: Option<&Reader>, now: Timestamp) -> Result<Vec<FeedOverview>, StoreError> {
    let mut statuses = reader.map(|reader| reader.feed_statuses()).transpose()?.unwrap_or_default();
    Ok(config.feeds.iter().map(|feed| feed_row(feed, statuses.remove(&feed.id), now)).collect())
}

/// Returns the current state of a feed. Also returns the time before which it must not be polled, if that is later than
/// its next scheduled poll.
pub fn condition(feed: &Feed, standing: FeedStanding, now: Timestamp) -> (FeedCondition, Option<Timestamp>) {
    let FeedStanding { state, last_poll, hold_until, .. } = standing;
    // A time before the next scheduled poll has no effect.
    let hold = hold_until.filter(|until| *until > now).filter(|until| {
        let scheduled = last_poll.map(|last| feed.schedule.next(last, schedule::next::phase(&feed.id)));
        scheduled.is_none_or(|scheduled| *until > scheduled)
    });
    let condition = match state {
        _ if !feed.enabled => FeedCondition::Disabled,
        FeedState::Gone => FeedCondition::Gone,
        FeedState::Failing => FeedCondition::Failing,
        _ if hold.is_some() => FeedCondition::Held,
        FeedState::New => FeedCondition::New,
        FeedState::Ok => FeedCondition::Ok,
    };
    (condition, hold)
}

/// Returns the state of a feed that the store does not know yet.
pub fn unknown_condition(feed: &Feed) -> FeedCondition {
    if feed.enabled { FeedCondition::New } else { FeedCondition::Disabled }
}

fn feed_row(feed: &Feed, status: Option<FeedStatus>, now: Timestamp) -> FeedOverview {
    let info = status.as_ref().map(|status| status.info.clone()).unwrap_or_default();
    let mut row = FeedOverview {
        id: feed.id.clone(),
        url: feed.url.shown.to_string(),
        title: foreign::part(&section::title_of(feed, &info)),
        state: unknown_condition(feed),
        last_poll: None,
        next_poll: None,
        failures: 0,
        last_error: None,
        error_kind: None,
        error_code: None,
        entries: 0,
        newest: None,
        held: None,
        held_code: None,
        held_until: None,
        rhythm: None,
        repairs: Vec::new(),
        repairs_code: Vec::new(),
        note: None,
        note_code: Vec::new(),
        noted: None,
        moved_to: None,
    };
    let Some(status) = status else { return row };
    let FeedStatus { state, last_poll, hold_until, newest, .. } = status;
    let (state, hold) = condition(feed, FeedStanding { state, last_poll, hold_until, newest }, now);
    row.state = state;
    row.held_until = hold;
    row.held_code = hold.map(|_| status.hold_why.unwrap_or(HoldReason::Server));
    row.held = hold.zip(row.held_code).map(|(until, why)| format!("until {until} by {why}"));
    row.rhythm = rhythm(feed, &status).filter(|_| hold.is_none() && status.failures == 0);
    row.next_poll = (feed.enabled && row.state != FeedCondition::Gone).then_some(status.next_poll);
    row.last_poll = status.last_poll;
    row.failures = status.failures;
    row.last_error = status.failure.as_ref().map(Failure::to_string);
    row.error_code = status.failure.as_ref().map(Failure::kind);
    row.error_kind = row.error_code.map(FailureKind::words);
    row.entries = status.entries;
    row.newest = status.newest;
    row.repairs_code = status.repairs.iter().map(|repair| repair.kind).collect();
    row.repairs = status.repairs.iter().map(|repair| foreign::sentence(&repair.to_string())).collect();
    row.moved_to = newsroom::moved_to(status.moved.as_ref()).map(str::to_owned);
    if let Some((notes, noted)) = status.note {
        row.note_code = notes.iter().map(Note::code).collect();
        (row.note, row.noted) = (Some(Note::line(&notes)), Some(noted));
    }
    row
}

/// Returns why newswire polls the feed at its current interval; `None` if the schedule in the config already says it.
fn rhythm(feed: &Feed, status: &FeedStatus) -> Option<String> {
    let planned = status.last_poll.map(|last| status.next_poll.since(last));
    match (&feed.schedule, status.per_day) {
        (Schedule::Adaptive, Some(per_day)) => {
            let has_gap = status.repairs.iter().any(|repair| repair.kind == RepairKind::Gap);
            Some(schedule::adaptive::why(per_day, planned.filter(|_| has_gap)))
        }
        (Schedule::Every(interval), _) if feed.schedule_is_default && *interval <= DAY / 2 && planned? >= DAY => Some(
            "polled once a day, because its server sends no ETag or Last-Modified; set a `schedule` to change that"
                .to_owned(),
        ),
        _ => None,
    }
}

/// Returns the state of every configured section, in the order of the config.
///
/// # Errors
///
/// Returns the errors of the store.
pub fn sections(config: &Config, reader: Option<&Reader>) -> Result<Vec<SectionRow>, StoreError> {
    let statuses = reader.map(|reader| reader.section_statuses()).transpose()?.unwrap_or_default();
    let rows = config.sections.iter().map(|section| {
        let status = statuses.get(&section.id);
        SectionRow {
            id: section.id.clone(),
            title: section.title.clone(),
            stories: status.map_or(0, |status| status.stories),
            newest: status.and_then(|status| status.newest),
            private: section.access.is_some(),
            feeds: section.feeds.iter().cloned().collect(),
        }
    });
    Ok(rows.collect())
}

/// Returns how many feeds are in each state. Leaves out states without feeds.
pub fn count_states(feeds: &[FeedOverview]) -> HashMap<FeedCondition, usize> {
    let mut counts = HashMap::new();
    for feed in feeds {
        *counts.entry(feed.state).or_default() += 1;
    }
    counts
}

/// Returns how late newswire is with its polls: for how long the oldest of the due polls has been due. Returns zero if
/// no poll is due.
pub fn lateness(feeds: &[FeedOverview], now: Timestamp) -> Duration {
    let due = feeds.iter().filter_map(|feed| feed.next_poll).min();
    due.map(|due| now.since(due)).unwrap_or_default()
}

/// Describes what is unusual in how often a feed or section publishes, in one sentence each; empty if nothing is
/// unusual.
pub fn anomalies(rhythm: &Rhythm, now: Timestamp) -> Vec<String> {
    let mut anomalies: Vec<String> = silence(&rhythm.times, now).into_iter().collect();
    let Rhythm { listed, entries, restless, last_news, .. } = *rhythm;
    if restless > 0 {
        let entries = if restless == 1 { "1 entry changes".to_owned() } else { format!("{restless} entries change") };
        anomalies.push(format!("{entries} at every poll"));
    }
    if let Some((at, new)) = last_news.filter(|(_, new)| *new < entries) {
        let ago = duration::words(whole_days(now.since(at)));
        if new >= listed && listed >= LISTED_FOR_GAPS {
            anomalies.push(format!(
                "{ago} ago all {listed} entries of the document were new, so some may have been missed; poll the feed more often"
            ));
        } else if new >= FLOOD && now.since(at) < FRESH {
            anomalies.push(format!("flood: {new} new entries at once {ago} ago"));
        }
    }
    anomalies
}

/// Describes an unusual time without new stories, such as `no new story for 9 days; usually about 3 a day`.
fn silence(times: &[Timestamp], now: Timestamp) -> Option<String> {
    let (newest, oldest) = (times.first()?, times.last()?);
    let gaps = u32::try_from(times.len() - 1).ok().filter(|gaps| *gaps >= GAPS_FOR_RHYTHM)?;
    let gap = newest.since(*oldest) / gaps;
    let silent = now.since(*newest);
    if silent < LEAST_SILENCE || silent < gap * SILENT_GAPS || gap.is_zero() {
        return None;
    }
    let usual = frequency(86_400.0 / gap.as_secs_f64());
    Some(format!("no new story for {}; usually {usual}", duration::words(whole_days(silent))))
}

fn whole_days(duration: Duration) -> Duration {
    let day = 86_400;
    Duration::from_secs((duration.as_secs() / day).max(1) * day)
}

/// Returns the urgency of a feed as a rank; 0 is the most urgent.
pub fn urgency(row: &FeedOverview, has_anomalies: bool) -> u8 {
    match row.state {
        FeedCondition::Gone => 0,
        FeedCondition::Failing => 1,
        FeedCondition::Disabled => 6,
        _ if has_anomalies || row.moved_to.is_some() => 2,
        FeedCondition::Held => 3,
        FeedCondition::New => 4,
        FeedCondition::Ok => 5,
    }
}

/// Returns a frequency in words, such as `about 3 a day`.
pub fn frequency(per_day: f64) -> String {
    let units = [("day", 1.0), ("week", 7.0), ("month", 30.0), ("year", 365.0)];
    let (unit, days) = units.into_iter().find(|(_, days)| per_day * days >= 0.95).unwrap_or(("year", 365.0));
    format!("about {:.0} a {unit}", (per_day * days).max(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        Timestamp::from_millis(1_767_225_600_000)
    }

    /// Returns the rhythm of twenty stories with `gap` between them. The newest story is `silent` old.
    fn rhythm(gap: Duration, silent: Duration) -> Rhythm {
        Rhythm { times: (0..20).map(|number| now() - silent - gap * number).collect(), ..Rhythm::default() }
    }

    #[test]
    fn silence_is_measured_by_the_feeds_own_rate() {
        let check = |gap, silent, expected: &[&str]| assert_eq!(anomalies(&rhythm(gap, silent), now()), expected);
        check(DAY / 3, DAY * 9, &["no new story for 9 days; usually about 3 a day"]);
        check(DAY / 3, DAY * 2, &[]);
        check(DAY * 7, DAY * 30, &[]);
        check(DAY * 7, DAY * 40, &["no new story for 40 days; usually about 1 a week"]);
        check(Duration::ZERO, DAY * 400, &[]);
    }

    #[test]
    fn floods_gaps_and_ever_changing_entries_are_reported() {
        let check = |rhythm: Rhythm, expected: &str| assert_eq!(anomalies(&rhythm, now()), [expected]);
        let polled =
            |new, listed, entries| Rhythm { last_news: Some((now() - DAY, new)), listed, entries, ..Rhythm::default() };
        check(polled(60, 100, 500), "flood: 60 new entries at once 1 day ago");
        check(
            polled(10, 10, 500),
            "1 day ago all 10 entries of the document were new, so some may have been missed; poll the feed more often",
        );
        check(Rhythm { restless: 2, ..Rhythm::default() }, "2 entries change at every poll");
        assert!(anomalies(&polled(100, 100, 100), now()).is_empty(), "the first poll is no flood");
    }

    #[test]
    fn frequencies_are_shown_in_a_suitable_unit() {
        assert_eq!(frequency(3.2), "about 3 a day");
        assert_eq!(frequency(0.29), "about 2 a week");
        assert_eq!(frequency(0.04), "about 1 a month");
        assert_eq!(frequency(0.001), "about 1 a year");
    }
}
