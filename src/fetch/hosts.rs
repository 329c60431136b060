//! Turns at hosts: one request in flight per host, and a second between the starts of two.
//!
//! Hosts that the editor opened by `allow`, and files, are their own: for them there is only one request in flight per
//! origin, at once after the last. A host that asks to be left alone (429, or 503 with `Retry-After`) tells it to all who
//! wait for a turn. A redirect to another host gives up the turn at the first before it waits for one
//! at the second, so that no two polls wait for each other.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::OwnedMutexGuard;
use tokio::time::{Instant, sleep_until};

use super::progress::Progress;

/// The time between the starts of two requests to one host; openrss.org blocks readers that are quicker.
pub const SPACING: Duration = Duration::from_secs(1);

/// Below this many hosts the table is never swept.
const FEW_HOSTS: usize = 1024;

/// For how long a refusal is remembered here: long enough for everybody who waits to hear of it, and for the store to know of
/// the hold.
pub const REFUSAL_KEPT: Duration = Duration::from_secs(60);

/// What is known of a host by the one whose turn it is.
type HostTurn = Arc<tokio::sync::Mutex<Last>>;

#[derive(Default)]
struct Last {
    /// When the last request was sent.
    start: Option<Instant>,
    /// When the host last asked to be left alone.
    refusal: Option<Instant>,
}

/// The right to send the next request to one host; others wait until it is dropped.
pub struct HostPermit {
    queue: Queue,
    last: OwnedMutexGuard<Last>,
    progress: Progress,
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
    by_name: HashMap<String, HostTurn>,
    /// The size at which idle hosts are forgotten next.
    sweep_at: usize,
}

impl Hosts {
    /// Waits for a turn; those who wait are served in the order in which they came.
    pub fn turn(&self, queue: Queue) -> impl Future<Output = HostPermit> + use<> {
        let turn = self.turns.lock().unwrap_or_else(PoisonError::into_inner).of(&queue.name);
        async move {
            let permit = HostPermit { last: turn.lock_owned().await, queue, progress: Progress::default() };
            permit.space().await;
            permit
        }
    }

    /// The turn for the next hop: the same one where the queue is the same.
    pub async fn move_on(&self, permit: HostPermit, queue: Queue) -> HostPermit {
        if permit.queue == queue {
            permit.space().await;
            return permit;
        }
        let progress = permit.progress();
        drop(permit);
        HostPermit { progress, ..self.turn(queue).await }
    }
}

impl HostPermit {
    /// Whether the host has just asked everybody to leave it alone, perhaps while this turn was waited for: then it
    /// is better not used.
    pub fn is_refused(&self) -> bool {
        self.last.refusal.is_some_and(|refusal| refusal.elapsed() < REFUSAL_KEPT)
    }

    /// The clock of the poll that has the turn.
    pub fn progress(&self) -> Progress {
        self.progress.clone()
    }

    /// Whether nobody else waits for a turn at the host: then its connection is of no further use.
    pub(super) fn is_last(&self) -> bool {
        // One owner is the table, one this permit; each who waits is one more.
        Arc::strong_count(OwnedMutexGuard::mutex(&self.last)) <= 2
    }

    /// Notes that a request starts now.
    pub(super) fn start(&mut self) {
        self.last.start = Some(Instant::now());
    }

    /// Notes that the host asks to be left alone. One's own hosts speak for single feeds only.
    pub(super) fn refuse(&mut self) {
        if self.queue.spaced {
            self.last.refusal = Some(Instant::now());
        }
    }

    async fn space(&self) {
        if let (true, Some(start)) = (self.queue.spaced, self.last.start) {
            sleep_until(start + SPACING).await;
        }
    }
}

impl Turns {
    fn of(&mut self, name: &str) -> HostTurn {
        if self.by_name.len() >= self.sweep_at.max(FEW_HOSTS) {
            self.by_name.retain(|_, turn| !is_idle(turn));
            self.sweep_at = self.by_name.len() * 2;
        }
        self.by_name.entry(name.to_owned()).or_default().clone()
    }
}

/// Whether nobody holds or awaits the turn, and what it knows no longer matters.
fn is_idle(turn: &HostTurn) -> bool {
    let is_past = |at: Option<Instant>| at.is_none_or(|at| at.elapsed() > REFUSAL_KEPT.max(SPACING));
    Arc::strong_count(turn) == 1 && turn.try_lock().is_ok_and(|last| is_past(last.start) && is_past(last.refusal))
}
