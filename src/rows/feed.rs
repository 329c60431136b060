//! The state of a feed, and the records of its polls.

use std::time::Duration;

use url::Url;

use crate::entry::SharedKeys;
use crate::feed::{Failure, FeedEvent, FeedId, FeedInfo, FeedState, HoldReason, Note, PollHints, Repair, Validators};
use crate::number::FeedNumber;
use crate::time::Timestamp;

/// The state of a feed after its last poll.
#[derive(Clone, Debug, PartialEq)]
pub struct FeedRow {
    /// The number of the feed.
    pub number: FeedNumber,
    /// The part of the state that every poll changes.
    pub poll: PollRow,
    /// The part of the state that most polls do not change, such as the last failure.
    pub record: FeedRecord,
}

/// The part of a feed's state that every poll changes.
#[derive(Clone, Debug, PartialEq)]
pub struct PollRow {
    /// The state of the feed.
    pub state: FeedState,
    /// When to poll the feed next.
    pub next_poll: Timestamp,
    /// When the feed was last polled; `None` if never.
    pub last_poll: Option<Timestamp>,
    /// The feed must not be polled before this time; `None` if there is no such limit.
    pub hold_until: Option<Timestamp>,
    /// Why the feed must not be polled before `hold_until`.
    pub hold_why: Option<HoldReason>,
    /// How many polls have failed since the last successful one.
    pub failures: u32,
    /// How many entries the feed publishes per day; `None` if unknown.
    pub per_day: Option<f64>,
    /// The `ETag` and `Last-Modified` of the last document, for a conditional request.
    pub validators: Validators,
}

/// The part of a feed's state that most polls do not change, such as the last failure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedRecord {
    /// Whether the feed ever sent an `ETag` or a `Last-Modified`.
    pub had_validators: bool,
    /// How many entries the feed has had in total.
    pub entries: u64,
    /// The date of the feed's newest entry; `None` if the feed never had an entry.
    pub newest: Option<Timestamp>,
    /// When a poll last brought new entries, and how many; `None` if never.
    pub news: Option<(Timestamp, u64)>,
    /// Why the last poll failed; `None` if it did not fail.
    pub failure: Option<Failure>,
    /// The address that permanent redirects lead to; `None` if there are none.
    pub moved_to: Option<String>,
    /// When redirects first led to `moved_to`; `None` if `moved_to` is `None`.
    pub moved_since: Option<Timestamp>,
    /// How many polls in a row were redirected to `moved_to`.
    pub moved_polls: u32,
    /// The latest notes about the feed for the editor, and the time of these notes; `None` if there were never notes.
    pub note: Option<(Vec<Note>, Timestamp)>,
}

/// The address that permanent redirects of a feed lead to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MovedRow {
    /// The address.
    pub to: String,
    /// How many polls in a row were redirected to the address.
    pub polls: u32,
    /// The time between the first and the last of these polls.
    pub lasted: Duration,
}

/// New times for the polls of a feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanRow {
    /// The feed.
    pub feed: FeedId,
    /// When to poll the feed next.
    pub next_poll: Timestamp,
    /// The corrected time of the feed's last poll; `None` if it was never polled.
    pub last_poll: Option<Timestamp>,
    /// The corrected time before which the feed must not be polled; `None` if there is no such limit.
    pub hold_until: Option<Timestamp>,
}

/// The parts of a feed's documents that concern the feed as a whole.
#[derive(Clone, Debug, PartialEq)]
pub struct DocumentRow {
    /// What the last document says about the feed.
    pub info: FeedInfo,
    /// The repairs that were needed to read the last document.
    pub repairs: Vec<Repair>,
    /// How often the feed asks, in its last document, to be polled.
    pub hints: PollHints,
    /// The kinds of keys (guid, link, title) that several entries of one document of the feed had in common.
    pub guids_repaired: SharedKeys,
}

/// The record of one poll in the poll log.
#[derive(Clone, Debug, PartialEq)]
pub struct LogRow {
    /// The number of the feed.
    pub feed: FeedNumber,
    /// When the poll began.
    pub at: Timestamp,
    /// How long the poll took.
    pub duration_ms: u64,
    /// The code of the poll's outcome.
    pub outcome: &'static str,
    /// The HTTP status; `None` if no server answered.
    pub status: Option<u16>,
    /// How many entries were new.
    pub new: usize,
    /// How many entries were revised.
    pub revised: usize,
    /// Why the poll failed; `None` if it did not fail.
    pub failure: Option<Failure>,
}

/// An event of a feed that the administrator should know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventRow {
    /// The number of the feed.
    pub feed: FeedNumber,
    /// When the event happened.
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
    /// The SHA-256 of the feed's address.
    pub url_hash: Vec<u8>,
    /// The hash of the feed's settings that decide in which sections its stories are; `None` if unknown.
    pub terms: Option<u64>,
    /// The feed's schedule, as it was configured.
    pub schedule: String,
    /// Whether the feed was removed from the config.
    pub is_removed: bool,
    /// When the feed was last polled; `None` if never.
    pub last_poll: Option<Timestamp>,
    /// The feed must not be polled before this time; `None` if there is no such limit.
    pub hold_until: Option<Timestamp>,
}

/// A feed as the current config has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfiguredFeed {
    /// The feed.
    pub id: FeedId,
    /// The address to show to people, with secrets masked.
    pub url: Url,
    /// The SHA-256 of the real address.
    pub url_hash: Vec<u8>,
    /// The feed's schedule.
    pub schedule: String,
    /// The hash of the feed's settings that decide in which sections its stories are.
    pub terms: u64,
}
