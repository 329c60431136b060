//! Limits the time of one poll, for all its hops together.

use std::time::Duration;

use tokio::time::{Instant, timeout};

use super::progress::Progress;
use crate::feed::{Failure, PollPhase};

/// A stopwatch that runs only while newswire waits for a server. It stands still while a poll waits for its turn at a
/// host or for memory.
pub(super) struct Stopwatch {
    total: Duration,
    left: Duration,
    progress: Progress,
}

impl Stopwatch {
    pub(super) fn new(total: Duration, progress: Progress) -> Stopwatch {
        Stopwatch { total, left: total, progress }
    }

    /// Returns the clock of the poll, which is stopped during waits that do not count.
    pub(super) fn progress(&self) -> &Progress {
        &self.progress
    }

    /// Returns the time limit of the whole poll.
    pub(super) fn total(&self) -> Duration {
        self.total
    }

    /// Waits for `future` for at most `limit`, and no longer than the time that is left.
    ///
    /// # Errors
    ///
    /// Returns [`Overrun`] if either limit was reached.
    pub(super) async fn run<T>(&mut self, limit: Duration, future: impl Future<Output = T>) -> Result<T, Overrun> {
        let started = Instant::now();
        let result = timeout(limit.min(self.left), future).await;
        self.left = self.left.saturating_sub(started.elapsed());
        let of_total = self.left.is_zero();
        result.map_err(|_| Overrun { of_total, limit: if of_total { self.total } else { limit } })
    }
}

/// A time limit that was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Overrun {
    /// Whether the limit was that of the whole poll.
    pub of_total: bool,
    pub limit: Duration,
}

impl Overrun {
    pub(super) fn into_failure(self, host: &str, phase: PollPhase) -> Failure {
        Failure::Timeout { host: host.into(), proxied: false, phase, after: self.limit }
    }
}
