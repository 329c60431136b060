//! Measures how long one poll has been working: fetching or reading, and not waiting for a host, for memory, or for
//! other polls.
//!
//! A fetch has its own limits and always ends. This module is for a poll that does not end because of a bug in
//! newswire. The code that watches the polls compares the working time with the feed's `timeout`.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// A clock that runs while a poll works. It starts paused. It is cheap to clone, and all clones are one clock.
#[derive(Clone, Debug, Default)]
pub struct Progress {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    /// The working time up to the last pause.
    worked: Duration,
    /// Since when the poll has been working; `None` while it waits.
    since: Option<Instant>,
}

impl Progress {
    /// Returns how long the poll has worked up to `now`.
    pub fn worked(&self, now: Instant) -> Duration {
        self.state().worked(now)
    }

    /// Starts the clock at `now`, unless it is running.
    pub fn resume(&self, now: Instant) {
        self.state().since.get_or_insert(now);
    }

    /// Stops the clock at `now`.
    pub fn pause(&self, now: Instant) {
        let mut state = self.state();
        state.worked = state.worked(now);
        state.since = None;
    }

    /// Waits for something that is not work, with the clock stopped. If the clock ran before, it runs again afterwards.
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
