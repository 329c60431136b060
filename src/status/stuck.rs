//! Watches polls. A poll that has been fetching or parsing for more than twice its feed's `timeout` is stuck, and makes
//! `/healthz` fail.
//!
//! Fetching and parsing have time limits, so a stuck poll is a bug in newswire. Time in which a poll only waits does
//! not count, whether for the host's rate limit, for memory, for other polls, or for the store (for example, when the
//! disk is full).

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::duration;
use crate::feed::FeedId;
use crate::fetch::Progress;

/// How many times as long as its `timeout` a poll may take. Fetching takes at most as long as the timeout, and parsing
/// takes much less.
const TIMEOUTS: u32 = 2;

/// The polls that are running. Clones watch the same polls.
#[derive(Clone, Default)]
pub struct Watch {
    polls: Arc<Mutex<Polls>>,
}

#[derive(Default)]
struct Polls {
    begun: u64,
    by_number: BTreeMap<u64, WatchedPoll>,
}

struct WatchedPoll {
    feed: FeedId,
    timeout: Duration,
    progress: Progress,
    was_logged: bool,
}

/// A guard for a running poll. The poll is watched until the guard is dropped.
pub struct Watched {
    watch: Watch,
    number: u64,
}

/// A poll that has been fetching or parsing for too long.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StuckPoll {
    /// The feed that is polled.
    pub feed: FeedId,
    /// How long the poll has been fetching and parsing, in seconds, without the time in which it waited.
    pub working_seconds: u64,
    /// The feed's `timeout` in seconds, rounded up.
    pub timeout_seconds: u64,
}

impl Watch {
    /// Starts to watch a poll, whose time `progress` measures.
    pub fn begin(&self, feed: &FeedId, timeout: Duration, progress: Progress) -> Watched {
        let mut polls = self.polls();
        polls.begun += 1;
        let number = polls.begun;
        polls.by_number.insert(number, WatchedPoll { feed: feed.clone(), timeout, progress, was_logged: false });
        Watched { watch: self.clone(), number }
    }

    /// Returns the polls that are stuck at `now`, oldest first.
    pub fn stuck(&self, now: Instant) -> Vec<StuckPoll> {
        self.polls().by_number.values().filter_map(|poll| poll.stuck(now)).collect()
    }

    /// Returns the polls that are stuck at `now` and that no earlier call returned.
    pub fn newly_stuck(&self, now: Instant) -> Vec<StuckPoll> {
        let mut polls = self.polls();
        let stuck = polls.by_number.values_mut().filter(|poll| !poll.was_logged).filter_map(|poll| {
            let stuck = poll.stuck(now)?;
            poll.was_logged = true;
            Some(stuck)
        });
        stuck.collect()
    }

    fn polls(&self) -> MutexGuard<'_, Polls> {
        self.polls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl WatchedPoll {
    fn stuck(&self, now: Instant) -> Option<StuckPoll> {
        let worked = self.progress.worked(now);
        (worked > self.timeout * TIMEOUTS).then(|| StuckPoll {
            feed: self.feed.clone(),
            working_seconds: worked.as_secs(),
            timeout_seconds: self.timeout.as_millis().div_ceil(1000).try_into().unwrap_or(u64::MAX),
        })
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.watch.polls().by_number.remove(&self.number);
    }
}

/// Formats a stuck poll, as in `stuck for 65 seconds while fetching or reading (timeout 30 seconds)`.
impl fmt::Display for StuckPoll {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = |seconds| duration::words(Duration::from_secs(seconds));
        let (working, timeout) = (words(self.working_seconds), words(self.timeout_seconds));
        write!(f, "stuck for {working} while fetching or reading (timeout {timeout})")
    }
}
