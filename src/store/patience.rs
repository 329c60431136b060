//! How long a read may go on: until its time is up, or until the visitor who asked for it has gone.
//!
//! SQLite asks while it works (its progress handler), so that a query ends within milliseconds.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio_util::sync::{CancellationToken, DropGuard};

/// The limits of one read. Clones share them.
#[derive(Clone, Debug)]
pub struct Patience {
    started: Instant,
    /// Milliseconds after `started`.
    limit: Arc<AtomicU64>,
    visitor: CancellationToken,
}

impl Patience {
    /// Lets a read take this long, counted from now.
    pub fn new(limit: Duration) -> Patience {
        let patience = Patience { started: Instant::now(), limit: Arc::default(), visitor: CancellationToken::new() };
        patience.extend_to(limit);
        patience
    }

    /// Sets how long the read may take, counted from its start.
    pub fn extend_to(&self, limit: Duration) {
        let millis = u64::try_from(limit.as_millis()).unwrap_or(u64::MAX);
        self.limit.store(millis, Ordering::Relaxed);
    }

    /// Ends the read when the guard is dropped: the visitor has gone.
    pub fn guard(&self) -> DropGuard {
        self.visitor.clone().drop_guard()
    }

    /// Whether the visitor has gone.
    pub fn is_alone(&self) -> bool {
        self.visitor.is_cancelled()
    }

    /// Whether the read has to end: its time is up, or nobody waits for it.
    pub fn is_over(&self) -> bool {
        let limit = Duration::from_millis(self.limit.load(Ordering::Relaxed));
        self.started.elapsed() >= limit || self.is_alone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn read_ends_when_its_time_is_up_or_its_visitor_has_gone() {
        let patience = Patience::new(Duration::ZERO);
        assert!(patience.is_over() && !patience.is_alone());
        patience.extend_to(Duration::from_secs(3600));
        let guard = patience.guard();
        assert!(!patience.clone().is_over());
        drop(guard);
        assert!(patience.clone().is_over() && patience.is_alone());
    }
}
