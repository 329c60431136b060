//! The state of a feed, and what is noted of its polls.

use std::time::Duration;

use url::Url;

use crate::entry::SharedKeys;
use crate::feed::{Failure, FeedEvent, FeedId, FeedInfo, FeedState, HoldReason, Note, PollHints, Repair, Validators};
use crate::number::FeedNumber;
use crate::time::Timestamp;

/// A feed as its last poll left it.
#[derive(Clone, Debug, PartialEq)]
pub struct FeedRow {
    pub number: FeedNumber,
    pub validators: Validators,
    pub had_validators: bool,
    /// How many entries it ever had, and when the last of them came.
    pub entries: u64,
    pub newest: Option<Timestamp>,
    /// Entries a day that it publishes.
    pub per_day: Option<f64>,
    pub state: FeedState,
    pub failures: u32,
    /// What its last poll failed with; `None` if it did not fail.
    pub failure: Option<Failure>,
    pub last_poll: Option<Timestamp>,
    pub next_poll: Timestamp,
    pub hold_until: Option<Timestamp>,
    pub hold_why: Option<HoldReason>,
    /// Where permanent redirects lead, since when, and for how many polls in a row.
    pub moved_to: Option<String>,
    pub moved_since: Option<Timestamp>,
    pub moved_polls: u32,
    /// The last things that an editor should know of what it did, and when.
    pub note: Option<(Vec<Note>, Timestamp)>,
}

/// Where permanent redirects of a feed lead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MovedRow {
    pub to: String,
    /// For how many polls in a row, and how long before the last of them the first was.
    pub polls: u32,
    pub lasted: Duration,
}

/// When a feed is polled next, by another plan than before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanRow {
    pub feed: FeedId,
    pub next_poll: Timestamp,
    pub last_poll: Option<Timestamp>,
    pub hold_until: Option<Timestamp>,
}

/// What a feed's documents say of it.
#[derive(Clone, Debug, PartialEq)]
pub struct DocumentRow {
    /// What the last document says of the feed.
    pub info: FeedInfo,
    /// What had to be mended to read it.
    pub repairs: Vec<Repair>,
    /// How often it asks to be polled.
    pub hints: PollHints,
    /// What entries of any of its documents have in common.
    pub guids_repaired: SharedKeys,
}

/// What is logged of a poll.
#[derive(Clone, Debug, PartialEq)]
pub struct LogRow {
    pub feed: FeedNumber,
    pub at: Timestamp,
    pub duration_ms: u64,
    pub outcome: &'static str,
    pub status: Option<u16>,
    pub new: usize,
    pub revised: usize,
    pub failure: Option<Failure>,
}

/// Something that happened to a feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventRow {
    pub feed: FeedNumber,
    pub at: Timestamp,
    pub event: FeedEvent,
}

/// A feed as the store has it, as far as an edit of the config may change it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownFeed {
    pub id: FeedId,
    /// SHA-256 of its address.
    pub url_hash: Vec<u8>,
    /// As it was configured.
    pub schedule: String,
    pub is_removed: bool,
    pub last_poll: Option<Timestamp>,
    pub hold_until: Option<Timestamp>,
}

/// A feed as it is configured now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfiguredFeed {
    pub id: FeedId,
    /// For people: secrets are masked.
    pub url: Url,
    /// SHA-256 of the real address.
    pub url_hash: Vec<u8>,
    pub schedule: String,
}
