//! How long one poll has been at work: fetching or reading, and not waiting for a host, for memory, or for other polls.
//!
//! A fetch has limits of its own and always ends. This is for the case that one does not, because of a fault of ours: whoever
//! watches the polls compares the time at work with the feed's `timeout`.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// A clock that runs while a poll works. It starts paused. Cheap to clone; all clones are one clock.
#[derive(Clone, Debug, Default)]
pub struct Progress {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    /// The time at work up to the last pause.
    worked: Duration,
    /// Since when it has been at work; `None` while it waits.
    since: Option<Instant>,
}

impl Progress {
    /// Returns how long the poll has worked up to `now`.
    pub fn worked(&self, now: Instant) -> Duration {
        self.state().worked(now)
    }

    /// Runs the clock from `now` on.
    pub fn resume(&self, now: Instant) {
        self.state().since.get_or_insert(now);
    }

    /// Stops the clock at `now`.
    pub fn pause(&self, now: Instant) {
        let mut state = self.state();
        state.worked = state.worked(now);
        state.since = None;
    }

    /// Awaits something that is no work, with the clock stopped. It runs again afterwards if it ran before.
    pub async fn waiting<T>(&self, wait: impl Future<Output = T>) -> T {
        let was_running = self.state().since.is_some();
        self.pause(Instant::now());
        let result = wait.await;
        if was_running {
            self.resume(Instant::now());
        }
        result
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn worked(&self, now: Instant) -> Duration {
        self.worked + self.since.map(|since| now.saturating_duration_since(since)).unwrap_or_default()
    }
}
