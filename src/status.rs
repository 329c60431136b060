//! How feeds and sections are doing, in one form for the commands, the status pages and the metrics.

use std::collections::HashMap;

use serde::Serialize;

use crate::config::Config;
use crate::feed::{FeedId, SectionId};
use crate::schedule::{self, Schedule};
use crate::section;
use crate::store::{FeedStatus, Reader, StoreError};
use crate::time::Timestamp;

/// A feed as `newswire feeds` shows it.
#[derive(Clone, Debug, Serialize)]
pub struct FeedRow {
    pub id: FeedId,
    /// Secrets taken off.
    pub url: String,
    pub title: String,
    pub state: FeedState,
    pub last_poll: Option<Timestamp>,
    pub next_poll: Option<Timestamp>,
    pub failures: u32,
    pub last_error: Option<String>,
    pub error_kind: Option<String>,
    pub entries: u64,
    /// When its newest entry was first seen.
    pub newest: Option<Timestamp>,
    /// Until when it is left alone and who asked for it, as in `until 2026-01-01T14:05:00Z by Retry-After`.
    pub held: Option<String>,
    /// Why it is polled as often as it is, where its own rhythm decides: `3.1 entries a day: every 4 hours`.
    pub rhythm: Option<String>,
    /// What had to be mended to read its document, and what else an editor should know.
    pub repairs: Vec<String>,
    /// Where permanent redirects lead: what to write into the TOML.
    pub moved_to: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum FeedState {
    Gone,
    Failing,
    Held,
    New,
    Ok,
    Disabled,
}

impl FeedState {
    pub fn as_str(self) -> &'static str {
        match self {
            FeedState::Ok => "ok",
            FeedState::Failing => "failing",
            FeedState::Held => "held",
            FeedState::Gone => "gone",
            FeedState::Disabled => "disabled",
            FeedState::New => "new",
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
pub fn feeds(config: &Config, reader: Option<&Reader>, now: Timestamp) -> Result<Vec<FeedRow>, StoreError> {
    let mut statuses = reader.map(Reader::feed_statuses).transpose()?.unwrap_or_default();
    Ok(config.feeds.iter().map(|feed| feed_row(feed, statuses.remove(&feed.id), now)).collect())
}

fn feed_row(feed: &crate::config::Feed, status: Option<FeedStatus>, now: Timestamp) -> FeedRow {
    let info = status.as_ref().map(|status| status.info.clone()).unwrap_or_default();
    let mut row = FeedRow {
        id: feed.id.clone(),
        url: feed.url.shown.to_string(),
        title: section::title_of(feed, &info),
        state: if feed.enabled { FeedState::New } else { FeedState::Disabled },
        last_poll: None,
        next_poll: None,
        failures: 0,
        last_error: None,
        error_kind: None,
        entries: 0,
        newest: None,
        held: None,
        rhythm: None,
        repairs: Vec::new(),
        moved_to: None,
    };
    let Some(status) = status else { return row };
    // A server that asks for no more than the schedule gives anyway holds nobody.
    let scheduled = status.last_poll.map(|last| feed.schedule.next(last, schedule::next::phase(&feed.id)));
    let hold = status.hold_until.filter(|until| *until > now && scheduled.is_none_or(|scheduled| *until > scheduled));
    row.state = match status.state.as_str() {
        _ if !feed.enabled => FeedState::Disabled,
        "gone" => FeedState::Gone,
        "failing" => FeedState::Failing,
        _ if hold.is_some() => FeedState::Held,
        "new" => FeedState::New,
        _ => FeedState::Ok,
    };
    row.held = hold.map(|until| format!("until {until} by {}", status.hold_why.as_deref().unwrap_or("the server")));
    let per_day = status.per_day.filter(|_| matches!(feed.schedule, Schedule::Adaptive));
    row.rhythm = per_day.map(schedule::adaptive::why);
    row.next_poll = (feed.enabled && row.state != FeedState::Gone).then_some(status.next_poll);
    row.last_poll = status.last_poll;
    row.failures = status.failures;
    row.last_error = status.last_error;
    row.error_kind = status.error_kind;
    row.entries = status.entries;
    row.newest = status.newest;
    row.repairs = status.repairs;
    row.moved_to = status.moved.map(|(to, ..)| to);
    row
}

/// Every configured section, in the config's order.
///
/// # Errors
///
/// As of the store.
pub fn sections(config: &Config, reader: Option<&Reader>) -> Result<Vec<SectionRow>, StoreError> {
    let statuses = reader.map(Reader::section_statuses).transpose()?.unwrap_or_default();
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
pub fn count_states(feeds: &[FeedRow]) -> HashMap<FeedState, usize> {
    let mut counts = HashMap::new();
    for feed in feeds {
        *counts.entry(feed.state).or_default() += 1;
    }
    counts
}

/// How often something comes, as in `about 3 a day`.
pub fn frequency(per_day: f64) -> String {
    let units = [("day", 1.0), ("week", 7.0), ("month", 30.0), ("year", 365.0)];
    let (unit, days) = units.into_iter().find(|(_, days)| per_day * days >= 0.95).unwrap_or(("year", 365.0));
    format!("about {:.0} a {unit}", (per_day * days).max(1.0))
}
