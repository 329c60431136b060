//! What happens to feeds.

use std::fmt;

use super::failure::Failure;

/// Something that happened to a feed. Displayed as a sentence without the feed's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FeedEvent {
    /// It answered 410.
    Gone,
    /// It failed so often in a row.
    Died {
        failures: u32,
        failure: Failure,
    },
    Recovered {
        failures: u32,
    },
    /// It has moved for good.
    Moved {
        to: String,
    },
    /// It brought so many new entries at once.
    Flooded {
        new: usize,
    },
    /// So many of its entries came under new guids, and were recognised.
    Rekeyed {
        rekeyed: usize,
        listed: usize,
    },
    /// What an older version wrote, in its words.
    Old {
        code: String,
        words: String,
    },
}

impl FeedEvent {
    /// Returns the event's code, which never changes.
    pub fn code(&self) -> &str {
        match self {
            FeedEvent::Gone => "gone",
            FeedEvent::Died { .. } => "died",
            FeedEvent::Recovered { .. } => "recovered",
            FeedEvent::Moved { .. } => "moved",
            FeedEvent::Flooded { .. } => "flooded",
            FeedEvent::Rekeyed { .. } => "rekeyed",
            FeedEvent::Old { code, .. } => code,
        }
    }
}

impl fmt::Display for FeedEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FeedEvent::Gone => Failure::Gone.fmt(f),
            FeedEvent::Died { failures, failure } => write!(f, "failed {failures} times in a row: {failure}"),
            FeedEvent::Recovered { failures } => write!(f, "answers again after {failures} failures"),
            FeedEvent::Moved { to } => write!(f, "moved for good to {to}"),
            FeedEvent::Flooded { new } => write!(f, "brought {new} new entries at once"),
            FeedEvent::Rekeyed { rekeyed, listed } => write!(f, "{rekeyed} of {listed} entries re-keyed, matched"),
            FeedEvent::Old { words, .. } => f.write_str(words),
        }
    }
}
