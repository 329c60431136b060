//! Limits for a read: it ends at its time limit, or when its client closes the connection.
//!
//! SQLite checks the limits in its progress handler while a query runs, so that the query ends within milliseconds.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio_util::sync::{CancellationToken, DropGuard};

/// The limits of one read. Clones share the limits.
#[derive(Clone, Debug)]
pub struct ReadLimits {
    started: Instant,
    /// The time limit, in milliseconds after `started`.
    limit: Arc<AtomicU64>,
    visitor: CancellationToken,
}

impl ReadLimits {
    /// Creates limits for a read that starts now and may take `limit`.
    pub fn new(limit: Duration) -> ReadLimits {
        let read_limits =
            ReadLimits { started: Instant::now(), limit: Arc::default(), visitor: CancellationToken::new() };
        read_limits.extend_to(limit);
        read_limits
    }

    /// Sets how long the read may take, counted from its start.
    pub fn extend_to(&self, limit: Duration) {
        let millis = u64::try_from(limit.as_millis()).unwrap_or(u64::MAX);
        self.limit.store(millis, Ordering::Relaxed);
    }

    /// Returns a guard that ends the read when the guard is dropped. The server drops it when the client closes the
    /// connection.
    pub fn guard(&self) -> DropGuard {
        self.visitor.clone().drop_guard()
    }

    /// Returns whether the client closed the connection.
    pub fn client_has_gone(&self) -> bool {
        self.visitor.is_cancelled()
    }

    /// Returns whether the read must end, because it reached its time limit or the client closed the connection.
    pub fn is_over(&self) -> bool {
        let limit = Duration::from_millis(self.limit.load(Ordering::Relaxed));
        self.started.elapsed() >= limit || self.client_has_gone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn read_ends_at_its_time_limit_or_when_its_client_has_gone() {
        let read_limits = ReadLimits::new(Duration::ZERO);
        assert!(read_limits.is_over() && !read_limits.client_has_gone());
        read_limits.extend_to(Duration::from_secs(3600));
        let guard = read_limits.guard();
        assert!(!read_limits.clone().is_over());
        drop(guard);
        assert!(read_limits.clone().is_over() && read_limits.client_has_gone());
    }
}
