//! How feeds and sections are doing, in one form for the commands, the status pages and the metrics.

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
use crate::store::{FeedStatus, Reader, Rhythm, StoreError};
use crate::time::Timestamp;

pub use stuck::{StuckPoll, Watch, Watched};

/// A feed without validators is polled so often, where nobody wrote a schedule for it.
const DAY: Duration = Duration::from_secs(86_400);

/// Fewer gaps between stories make no rhythm.
const GAPS_FOR_RHYTHM: u32 = 4;

/// A silence of so many usual gaps is out of the rhythm, if it is not shorter than [`LEAST_SILENCE`].
const SILENT_GAPS: u32 = 5;

/// Everybody has a weekend.
const LEAST_SILENCE: Duration = Duration::from_secs(3 * 86_400);

/// So many new entries at once are a flood.
const FLOOD: u64 = 50;

/// For how long a flood is told.
const FRESH: Duration = Duration::from_secs(2 * 86_400);

/// A document that lists fewer entries may well be all new.
const LISTED_FOR_GAPS: u64 = 5;

/// A feed as `newswire feeds` shows it.
#[derive(Clone, Debug, Serialize)]
pub struct FeedOverview {
    pub id: FeedId,
    /// Secrets taken off.
    pub url: String,
    pub title: String,
    pub state: FeedCondition,
    pub last_poll: Option<Timestamp>,
    pub next_poll: Option<Timestamp>,
    pub failures: u32,
    pub last_error: Option<String>,
    pub error_kind: Option<&'static str>,
    pub error_code: Option<FailureKind>,
    pub entries: u64,
    /// The date of its newest entry.
    pub newest: Option<Timestamp>,
    /// Until when it is left alone and who asked for it, as in `until 2026-01-01T14:05:00Z by Retry-After`.
    pub held: Option<String>,
    pub held_code: Option<HoldReason>,
    /// Why it is polled as often as it is, where the TOML does not say: `3.1 entries a day: every 4 hours`.
    pub rhythm: Option<String>,
    /// What had to be mended to read its document, and what else an editor should know.
    pub repairs: Vec<String>,
    pub repairs_code: Vec<RepairKind>,
    /// The last thing that its entries did which an editor should know, and when: re-keyed, or revised for ever.
    pub note: Option<String>,
    pub note_code: Vec<&'static str>,
    pub noted: Option<Timestamp>,
    /// Where permanent redirects lead: what to write into the TOML.
    pub moved_to: Option<String>,
}

/// How a feed is doing now, by its last poll, the holds and the config.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum FeedCondition {
    Gone,
    Failing,
    Held,
    New,
    Ok,
    Disabled,
}

impl FeedCondition {
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

/// A section as `newswire sections` shows it.
#[derive(Clone, Debug, Serialize)]
pub struct SectionRow {
    pub id: SectionId,
    pub title: String,
    pub stories: u64,
    /// When its newest story was told.
    pub newest: Option<Timestamp>,
    pub private: bool,
    pub feeds: Vec<FeedId>,
}

/// Every configured feed, in the config's order; those that the store does not know yet too.
///
/// # Errors
///
/// As of the store.
pub fn feeds(config: &Config, reader: Option<&Reader>, now: Timestamp) -> Result<Vec<FeedOverview>, StoreError> {
    let mut statuses = reader.map(|reader| reader.feed_statuses()).transpose()?.unwrap_or_default();
    Ok(config.feeds.iter().map(|feed| feed_row(feed, statuses.remove(&feed.id), now)).collect())
}

fn feed_row(feed: &Feed, status: Option<FeedStatus>, now: Timestamp) -> FeedOverview {
    let info = status.as_ref().map(|status| status.info.clone()).unwrap_or_default();
    let mut row = FeedOverview {
        id: feed.id.clone(),
        url: feed.url.shown.to_string(),
        title: foreign::part(&section::title_of(feed, &info)),
        state: if feed.enabled { FeedCondition::New } else { FeedCondition::Disabled },
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
        rhythm: None,
        repairs: Vec::new(),
        repairs_code: Vec::new(),
        note: None,
        note_code: Vec::new(),
        noted: None,
        moved_to: None,
    };
    let Some(status) = status else { return row };
    // A server that asks for no more than the schedule gives anyway holds nobody.
    let scheduled = status.last_poll.map(|last| feed.schedule.next(last, schedule::next::phase(&feed.id)));
    let hold = status.hold_until.filter(|until| *until > now && scheduled.is_none_or(|scheduled| *until > scheduled));
    row.state = match status.state {
        _ if !feed.enabled => FeedCondition::Disabled,
        FeedState::Gone => FeedCondition::Gone,
        FeedState::Failing => FeedCondition::Failing,
        _ if hold.is_some() => FeedCondition::Held,
        FeedState::New => FeedCondition::New,
        FeedState::Ok => FeedCondition::Ok,
    };
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

/// Why the next poll is planned for when it is, where that is not the schedule's doing.
fn rhythm(feed: &Feed, status: &FeedStatus) -> Option<String> {
    let planned = status.last_poll.map(|last| status.next_poll.since(last));
    match (&feed.schedule, status.per_day) {
        (Schedule::Adaptive, Some(per_day)) => {
            let has_gap = status.repairs.iter().any(|repair| repair.kind == RepairKind::Gap);
            Some(schedule::adaptive::why(per_day, planned.filter(|_| has_gap)))
        }
        (Schedule::Every(interval), _) if feed.schedule_is_default && *interval <= DAY / 2 && planned? >= DAY => Some(
            "its server sends no ETag or Last-Modified, so it is polled once a day; a `schedule` of its own ends that"
                .to_owned(),
        ),
        _ => None,
    }
}

/// Every configured section, in the config's order.
///
/// # Errors
///
/// As of the store.
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

/// How many feeds are in each state.
pub fn count_states(feeds: &[FeedOverview]) -> HashMap<FeedCondition, usize> {
    let mut counts = HashMap::new();
    for feed in feeds {
        *counts.entry(feed.state).or_default() += 1;
    }
    counts
}

/// How long the feed that is longest overdue has waited for its poll.
pub fn lateness(feeds: &[FeedOverview], now: Timestamp) -> Duration {
    let due = feeds.iter().filter_map(|feed| feed.next_poll).min();
    due.map(|due| now.since(due)).unwrap_or_default()
}

/// What of a feed's or a section's rhythm needs care, as sentences; empty where nothing does.
pub fn cares(rhythm: &Rhythm, now: Timestamp) -> Vec<String> {
    let mut cares: Vec<String> = silence(&rhythm.times, now).into_iter().collect();
    let Rhythm { listed, entries, restless, last_news, .. } = *rhythm;
    if restless > 0 {
        cares.push(format!("{restless} of its entries revise themselves at every poll"));
    }
    if let Some((at, new)) = last_news.filter(|(_, new)| *new < entries) {
        let ago = duration::words(whole_days(now.since(at)));
        if new >= listed && listed >= LISTED_FOR_GAPS {
            cares.push(format!(
                "{ago} ago all {listed} entries that it lists were new: some may be missed, poll it more often"
            ));
        } else if new >= FLOOD && now.since(at) < FRESH {
            cares.push(format!("flooded: {new} new entries at once {ago} ago"));
        }
    }
    cares
}

/// A silence that is out of its rhythm, as in `usually about 3 a day, nothing for 9 days`.
fn silence(times: &[Timestamp], now: Timestamp) -> Option<String> {
    let (newest, oldest) = (times.first()?, times.last()?);
    let gaps = u32::try_from(times.len() - 1).ok().filter(|gaps| *gaps >= GAPS_FOR_RHYTHM)?;
    let gap = newest.since(*oldest) / gaps;
    let silent = now.since(*newest);
    if silent < LEAST_SILENCE || silent < gap * SILENT_GAPS || gap.is_zero() {
        return None;
    }
    let usual = frequency(86_400.0 / gap.as_secs_f64());
    Some(format!("usually {usual}, nothing for {}", duration::words(whole_days(silent))))
}

fn whole_days(duration: Duration) -> Duration {
    let day = 86_400;
    Duration::from_secs((duration.as_secs() / day).max(1) * day)
}

/// How much care a feed needs: the lower, the more.
pub fn need(row: &FeedOverview, has_cares: bool) -> u8 {
    match row.state {
        FeedCondition::Gone => 0,
        FeedCondition::Failing => 1,
        FeedCondition::Disabled => 6,
        _ if has_cares || row.moved_to.is_some() => 2,
        FeedCondition::Held => 3,
        FeedCondition::New => 4,
        FeedCondition::Ok => 5,
    }
}

/// How often something comes, as in `about 3 a day`.
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

    /// Twenty stories, one each `gap`, the newest so long ago.
    fn rhythm(gap: Duration, silent: Duration) -> Rhythm {
        Rhythm { times: (0..20).map(|number| now() - silent - gap * number).collect(), ..Rhythm::default() }
    }

    #[test]
    fn silence_is_measured_by_the_feeds_own_rate() {
        let check = |gap, silent, expected: &[&str]| assert_eq!(cares(&rhythm(gap, silent), now()), expected);
        check(DAY / 3, DAY * 9, &["usually about 3 a day, nothing for 9 days"]);
        check(DAY / 3, DAY * 2, &[]);
        check(DAY * 7, DAY * 30, &[]);
        check(DAY * 7, DAY * 40, &["usually about 1 a week, nothing for 40 days"]);
        check(Duration::ZERO, DAY * 400, &[]);
    }

    #[test]
    fn floods_gaps_and_ever_changing_entries_are_reported() {
        let check = |rhythm: Rhythm, expected: &str| assert_eq!(cares(&rhythm, now()), [expected]);
        let polled =
            |new, listed, entries| Rhythm { last_news: Some((now() - DAY, new)), listed, entries, ..Rhythm::default() };
        check(polled(60, 100, 500), "flooded: 60 new entries at once 1 day ago");
        check(
            polled(10, 10, 500),
            "1 day ago all 10 entries that it lists were new: some may be missed, poll it more often",
        );
        check(Rhythm { restless: 2, ..Rhythm::default() }, "2 of its entries revise themselves at every poll");
        assert!(cares(&polled(100, 100, 100), now()).is_empty(), "the first poll is no flood");
    }

    #[test]
    fn frequencies_are_shown_in_a_suitable_unit() {
        assert_eq!(frequency(3.2), "about 3 a day");
        assert_eq!(frequency(0.29), "about 2 a week");
        assert_eq!(frequency(0.04), "about 1 a month");
        assert_eq!(frequency(0.001), "about 1 a year");
    }
}
