//! The state of a feed, and the records of its polls.

use std::time::Duration;

use url::Url;

use crate::entry::SharedKeys;
use crate::feed::{Failure, FeedEvent, FeedId, FeedInfo, FeedState, HoldReason, Note, PollHints, Repair, Validators};
use crate::number::FeedNumber;
use crate::time::Timestamp;

/// A feed after its last poll.
#[derive(Clone, Debug, PartialEq)]
pub struct FeedRow {
    /// The feed.
    pub number: FeedNumber,
    /// What every poll changes.
    pub poll: PollRow,
    /// What only news, failures and moves change.
    pub record: FeedRecord,
}

/// What every poll of a feed changes.
#[derive(Clone, Debug, PartialEq)]
pub struct PollRow {
    /// The state of the feed.
    pub state: FeedState,
    /// When to poll next.
    pub next_poll: Timestamp,
    /// When it was last polled; `None` if never.
    pub last_poll: Option<Timestamp>,
    /// The time before which it must not be polled.
    pub hold_until: Option<Timestamp>,
    /// The reason for the hold.
    pub hold_why: Option<HoldReason>,
    /// How many polls in a row failed.
    pub failures: u32,
    /// How many entries the feed publishes per day, if known.
    pub per_day: Option<f64>,
    /// The validators of the last document, for a conditional request.
    pub validators: Validators,
}

/// What only news, failures and moves of a feed change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedRecord {
    /// Whether it ever sent a validator.
    pub had_validators: bool,
    /// How many entries it ever had.
    pub entries: u64,
    /// The date of its newest entry.
    pub newest: Option<Timestamp>,
    /// When a poll last brought new entries, and how many.
    pub news: Option<(Timestamp, u64)>,
    /// Why the last poll failed; `None` if it did not fail.
    pub failure: Option<Failure>,
    /// Where permanent redirects lead.
    pub moved_to: Option<String>,
    /// When they first led there.
    pub moved_since: Option<Timestamp>,
    /// For how many polls in a row they have led there.
    pub moved_polls: u32,
    /// The last notes for the editor on the feed, and their time.
    pub note: Option<(Vec<Note>, Timestamp)>,
}

/// Where permanent redirects of a feed lead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MovedRow {
    /// The address.
    pub to: String,
    /// For how many polls in a row they have led there.
    pub polls: u32,
    /// The time between the first and the last of these polls.
    pub lasted: Duration,
}

/// A new plan for a feed's polls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanRow {
    /// The feed.
    pub feed: FeedId,
    /// When to poll next.
    pub next_poll: Timestamp,
    /// The corrected time of its last poll.
    pub last_poll: Option<Timestamp>,
    /// The corrected end of its hold.
    pub hold_until: Option<Timestamp>,
}

/// What a feed's documents say about it.
#[derive(Clone, Debug, PartialEq)]
pub struct DocumentRow {
    /// What the last document says about the feed.
    pub info: FeedInfo,
    /// The repairs needed to read it.
    pub repairs: Vec<Repair>,
    /// The polling hints.
    pub hints: PollHints,
    /// Which keys entries of any of its documents share.
    pub guids_repaired: SharedKeys,
}

/// A line of the poll log.
#[derive(Clone, Debug, PartialEq)]
pub struct LogRow {
    /// The feed.
    pub feed: FeedNumber,
    /// When the poll began.
    pub at: Timestamp,
    /// How long it took.
    pub duration_ms: u64,
    /// The code of the outcome.
    pub outcome: &'static str,
    /// The HTTP status, if a server answered.
    pub status: Option<u16>,
    /// How many entries were new.
    pub new: usize,
    /// How many entries were revised.
    pub revised: usize,
    /// Why the poll failed; `None` if it did not fail.
    pub failure: Option<Failure>,
}

/// An event of a feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventRow {
    /// The feed.
    pub feed: FeedNumber,
    /// When it happened.
    pub at: Timestamp,
    /// What happened.
    pub event: FeedEvent,
}

/// The stored values of a feed that a change of the config may affect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownFeed {
    /// The feed.
    pub id: FeedId,
    /// The number of the feed.
    pub number: FeedNumber,
    /// SHA-256 of its address.
    pub url_hash: Vec<u8>,
    /// The hash of those settings that judging reads; `None` if unknown.
    pub terms: Option<u64>,
    /// The schedule as configured.
    pub schedule: String,
    /// Whether it is no longer configured.
    pub is_removed: bool,
    /// When it was last polled; `None` if never.
    pub last_poll: Option<Timestamp>,
    /// The time before which it must not be polled.
    pub hold_until: Option<Timestamp>,
}

/// A feed as configured now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfiguredFeed {
    /// The feed.
    pub id: FeedId,
    /// The address for people, with secrets masked.
    pub url: Url,
    /// SHA-256 of the real address.
    pub url_hash: Vec<u8>,
    /// The schedule as configured.
    pub schedule: String,
    /// The hash of those settings that judging reads.
    pub terms: u64,
}
