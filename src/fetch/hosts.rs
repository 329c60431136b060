//! Turns at hosts: one request in flight per host, and a second between the starts of two.
//!
//! Files, and hosts that the editor permitted with `allow`, are the editor's own. For them the limit is one request in
//! flight per origin, without a pause. If a host asks for a pause (429, or 503 with `Retry-After`), everyone waiting
//! for a turn is informed. A redirect to another host gives up the turn at the first host before it waits for one at
//! the second, so that two polls never wait for each other.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::OwnedMutexGuard;
use tokio::time::{Instant, sleep_until};

use super::progress::Progress;

/// The time between the starts of two requests to one host; openrss.org blocks readers that are faster.
pub const SPACING: Duration = Duration::from_secs(1);

/// The table is never swept below this number of hosts.
const FEW_HOSTS: usize = 1024;

/// How long a refusal is remembered here: long enough for all waiting polls to see it, and for the store to save the
/// hold.
pub const REFUSAL_KEPT: Duration = Duration::from_secs(60);

/// What the holder of a turn knows about the host.
type HostTurn = Arc<tokio::sync::Mutex<Last>>;

#[derive(Default)]
struct Last {
    /// When the last request was sent.
    start: Option<Instant>,
    /// When the host last asked for a pause.
    refusal: Option<Instant>,
}

/// Permission to send the next request to one host; others wait until it is dropped.
pub struct HostPermit {
    queue: Queue,
    last: OwnedMutexGuard<Last>,
    progress: Progress,
}

/// A queue in which requests wait for each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Queue {
    /// A host or, if no pause is needed, an origin.
    pub name: String,
    /// Whether requests need a pause between them.
    pub spaced: bool,
}

/// All hosts that received requests recently.
#[derive(Default)]
pub(super) struct Hosts {
    turns: Mutex<Turns>,
}

#[derive(Default)]
struct Turns {
    by_name: HashMap<String, HostTurn>,
    /// The size at which idle hosts are removed next.
    sweep_at: usize,
}

impl Hosts {
    /// Waits for a turn; waiting requests are served in the order of their arrival.
    pub(super) fn turn(&self, queue: Queue) -> impl Future<Output = HostPermit> + use<> {
        let turn = self.turns.lock().unwrap_or_else(PoisonError::into_inner).of(&queue.name);
        async move {
            let permit = HostPermit { last: turn.lock_owned().await, queue, progress: Progress::default() };
            permit.space().await;
            permit
        }
    }

    /// Returns the turn for the next hop: the same one if the queue is the same.
    pub(super) async fn move_on(&self, permit: HostPermit, queue: Queue) -> HostPermit {
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
    /// Returns whether the host just asked for a pause, perhaps while this request waited for its turn. If so, the turn
    /// should not be used.
    pub fn is_refused(&self) -> bool {
        self.last.refusal.is_some_and(|refusal| refusal.elapsed() < REFUSAL_KEPT)
    }

    /// Returns the clock of the poll that has the turn.
    pub fn progress(&self) -> Progress {
        self.progress.clone()
    }

    /// Returns whether no other request waits for the host. If so, its connection is no longer needed.
    pub(super) fn is_last(&self) -> bool {
        // One owner is the table and one is this permit; each waiting request is one more.
        Arc::strong_count(OwnedMutexGuard::mutex(&self.last)) <= 2
    }

    /// Records that a request starts now.
    pub(super) fn start(&mut self) {
        self.last.start = Some(Instant::now());
    }

    /// Records that the host asks for a pause. The editor's own hosts answer for single feeds only.
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

/// Returns whether the turn has no holder and no waiting request, and its history no longer matters.
fn is_idle(turn: &HostTurn) -> bool {
    let is_past = |at: Option<Instant>| at.is_none_or(|at| at.elapsed() > REFUSAL_KEPT.max(SPACING));
    Arc::strong_count(turn) == 1 && turn.try_lock().is_ok_and(|last| is_past(last.start) && is_past(last.refusal))
}
