//! Gives requests their turns at hosts. A request waits for its turn, so that a host has only one request in flight,
//! and the starts of two requests are a second apart.
//!
//! Files, and hosts that `allow` permits, are the editor's own (the editor writes the config). For them the limit is
//! one request in flight per origin, without a pause. If a host asks for a pause (429, or 503 with `Retry-After`),
//! every request that waits for a turn there is informed. A redirect to another host gives up its turn at the first
//! host before it waits for one at the second. So two polls never wait for each other.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::OwnedMutexGuard;
use tokio::time::{Instant, sleep_until};

use super::progress::Progress;

/// The time between the starts of two requests to one host. The site openrss.org blocks readers that are faster.
pub const SPACING: Duration = Duration::from_secs(1);

/// Idle hosts are removed from the table only if it has at least this many hosts.
const FEW_HOSTS: usize = 1024;

/// How long a refusal (a host's request for a pause) is remembered here. This is long enough for all waiting polls to
/// see it, and for the store to save that the host is on hold.
pub const REFUSAL_KEPT: Duration = Duration::from_secs(60);

/// The turn at a host: a lock, and what is known about the host.
type HostTurn = Arc<tokio::sync::Mutex<Last>>;

#[derive(Default)]
struct Last {
    /// When the last request was sent.
    start: Option<Instant>,
    /// When the host last asked for a pause.
    refusal: Option<Instant>,
}

/// Permission to send the next request to one host. Other requests wait until it is dropped.
pub struct HostPermit {
    queue: Queue,
    last: OwnedMutexGuard<Last>,
    progress: Progress,
}

/// A queue in which requests wait for each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Queue {
    /// The name of a host, or of an origin or file if requests need no pause.
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
    /// Waits for a turn. Requests get their turns in the order of their arrival.
    pub(super) fn turn(&self, queue: Queue) -> impl Future<Output = HostPermit> + use<> {
        let turn = self.turns.lock().unwrap_or_else(PoisonError::into_inner).of(&queue.name);
        async move {
            let permit = HostPermit { last: turn.lock_owned().await, queue, progress: Progress::default() };
            permit.space().await;
            permit
        }
    }

    /// Waits for the turn for the next hop of a redirect. It is the same turn if the queue is the same.
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
    /// Returns whether the host just asked for a pause, perhaps while this request waited for its turn. If so, the
    /// request should not be sent.
    pub fn is_refused(&self) -> bool {
        self.last.refusal.is_some_and(|refusal| refusal.elapsed() < REFUSAL_KEPT)
    }

    /// Returns the clock of the poll that has the turn.
    pub fn progress(&self) -> Progress {
        self.progress.clone()
    }

    /// Returns whether no other request waits for the host. If so, the connection is not needed after this request.
    pub(super) fn is_last(&self) -> bool {
        // The table, this permit and each waiting request have one reference each.
        Arc::strong_count(OwnedMutexGuard::mutex(&self.last)) <= 2
    }

    /// Records that a request starts now.
    pub(super) fn start(&mut self) {
        self.last.start = Some(Instant::now());
    }

    /// Records that the host asks for a pause. A host of the editor's own is exempt, because its answers concern single
    /// feeds.
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

/// Returns whether no request holds the turn or waits for it, and what is known about the host is too old to matter.
fn is_idle(turn: &HostTurn) -> bool {
    let is_past = |at: Option<Instant>| at.is_none_or(|at| at.elapsed() > REFUSAL_KEPT.max(SPACING));
    Arc::strong_count(turn) == 1 && turn.try_lock().is_ok_and(|last| is_past(last.start) && is_past(last.refusal))
}
