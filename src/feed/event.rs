//! Events of feeds, which are shown to the editor (who writes the config).

use std::fmt;

use super::failure::Failure;

/// An event of a feed. It is displayed as a sentence without the feed's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FeedEvent {
    /// The server answered 410: the feed is gone for good.
    Gone,
    /// The feed failed several times in a row.
    Died {
        /// How many polls failed.
        failures: u32,
        /// Why the last of these polls failed.
        failure: Failure,
    },
    /// The feed answers again after several failures in a row.
    Recovered {
        /// How many polls had failed.
        failures: u32,
    },
    /// The feed has moved for good.
    Moved {
        /// The new URL.
        to: String,
    },
    /// The feed published many new entries at once.
    Flooded {
        /// How many entries were new.
        new: usize,
    },
    /// Many known entries of the feed got new guids, and were recognised.
    Rekeyed {
        /// How many known entries got new guids.
        rekeyed: usize,
        /// How many entries the document lists.
        listed: usize,
    },
    /// An event that an older version wrote as a sentence.
    Old {
        /// The code of the event.
        code: String,
        /// The sentence.
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
            FeedEvent::Rekeyed { rekeyed, listed } => {
                write!(f, "{rekeyed} of {listed} entries are known entries with new guids")
            }
            FeedEvent::Old { words, .. } => f.write_str(words),
        }
    }
}
