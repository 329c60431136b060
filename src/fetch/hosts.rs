//! Turns at hosts: one request in flight per host, and a second between the starts of two.
//!
//! Hosts that the editor opened by `allow`, and files, are their own: for them there is only one request in flight per
//! origin, at once after the last. A redirect to another host gives up the turn at the first before it waits for one
//! at the second, so that no two polls wait for each other.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::OwnedMutexGuard;
use tokio::time::{Instant, sleep_until};

/// The time between the starts of two requests to one host; openrss.org blocks readers that are quicker.
const SPACING: Duration = Duration::from_secs(1);

/// Below this many hosts the table is never swept.
const FEW_HOSTS: usize = 1024;

/// The start of the last request to a host.
type Turn = Arc<tokio::sync::Mutex<Option<Instant>>>;

/// The right to send the next request to one host; others wait until it is dropped.
pub struct HostPermit {
    queue: Queue,
    last_start: OwnedMutexGuard<Option<Instant>>,
}

/// A line in which requests wait for each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Queue {
    /// A host or, for those that need no spacing, an origin.
    pub name: String,
    pub spaced: bool,
}

/// All hosts that were asked of late.
#[derive(Default)]
pub(super) struct Hosts {
    turns: Mutex<Turns>,
}

#[derive(Default)]
struct Turns {
    by_name: HashMap<String, Turn>,
    /// The size at which idle hosts are forgotten next.
    sweep_at: usize,
}

impl Hosts {
    /// Waits for a turn; those who wait are served in the order in which they came.
    pub async fn turn(&self, queue: Queue) -> HostPermit {
        let turn = self.turns.lock().unwrap_or_else(PoisonError::into_inner).of(&queue.name);
        let permit = HostPermit { last_start: turn.lock_owned().await, queue };
        permit.space().await;
        permit
    }

    /// The turn for the next hop: the same one where the queue is the same.
    pub async fn move_on(&self, permit: HostPermit, queue: Queue) -> HostPermit {
        if permit.queue == queue {
            permit.space().await;
            return permit;
        }
        drop(permit);
        self.turn(queue).await
    }
}

impl HostPermit {
    /// Notes that a request starts now.
    pub(super) fn start(&mut self) {
        *self.last_start = Some(Instant::now());
    }

    async fn space(&self) {
        if let (true, Some(last_start)) = (self.queue.spaced, *self.last_start) {
            sleep_until(last_start + SPACING).await;
        }
    }
}

impl Turns {
    fn of(&mut self, name: &str) -> Turn {
        if self.by_name.len() >= self.sweep_at.max(FEW_HOSTS) {
            self.by_name.retain(|_, turn| !is_idle(turn));
            self.sweep_at = self.by_name.len() * 2;
        }
        self.by_name.entry(name.to_owned()).or_default().clone()
    }
}

/// Whether nobody holds or awaits the turn, and its last start no longer matters.
fn is_idle(turn: &Turn) -> bool {
    let unused = Arc::strong_count(turn) == 1;
    unused && turn.try_lock().is_ok_and(|last_start| last_start.is_none_or(|start| start.elapsed() > SPACING))
}
