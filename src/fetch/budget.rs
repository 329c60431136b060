//! The memory that all bodies in flight may fill together: 128 MiB, whatever the number and size of the feeds.
//!
//! A ladder: every body starts on the lowest rung and climbs as it grows, and higher rungs have room for fewer. Who
//! waits for a place on a rung holds one on the rung below, and those on the top rung never wait; so bodies cannot wait
//! for each other. A place is kept until the body itself is dropped, after it was parsed.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

const KIB: u64 = 1024;

/// For each rung but the last: the size of a body there, in KiB, and the number of such bodies. Most feeds are below 128 KiB,
/// nearly all below 1 MiB.
const LOWER_RUNGS: [(u64, usize); 2] = [(128, 256), (1024, 32)];

/// The size of all bodies on the last rung together, in KiB; one that may be larger than that takes all of it.
const TOP_KIB: u32 = 64 * 1024;

/// Cheap to clone; all clones share the places.
#[derive(Clone)]
pub(super) struct Budget {
    lower: Arc<[(u64, Arc<Semaphore>)]>,
    top: Arc<Semaphore>,
}

/// The right to hold a body of up to `room` bytes.
pub(super) struct Place {
    /// No body is larger than this, on whatever rung.
    limit: u64,
    room: u64,
    rung: usize,
    budget: Budget,
    _permit: OwnedSemaphorePermit,
}

impl Budget {
    pub fn new() -> Budget {
        let lower = LOWER_RUNGS.map(|(kib, places)| (kib * KIB, Arc::new(Semaphore::new(places))));
        Budget { lower: Arc::new(lower), top: Arc::new(Semaphore::new(TOP_KIB as usize)) }
    }

    /// A place on the lowest rung for a body of at most `limit` bytes; waits where all are taken.
    pub async fn place(&self, limit: u64) -> Place {
        self.place_on(0, limit).await
    }

    async fn place_on(&self, rung: usize, limit: u64) -> Place {
        let (room, semaphore, permits) = match self.lower.get(rung) {
            Some((room, semaphore)) => ((*room).min(limit), semaphore, 1),
            None => (limit, &self.top, u32::try_from(limit.div_ceil(KIB)).unwrap_or(TOP_KIB).clamp(1, TOP_KIB)),
        };
        let permit = semaphore.clone().acquire_many_owned(permits).await.expect("the budget is never closed");
        Place { limit, room, rung, budget: self.clone(), _permit: permit }
    }
}

impl Place {
    /// Whether a body of so many bytes fits without climbing.
    pub fn holds(&self, bytes: u64) -> bool {
        bytes <= self.room
    }

    /// No body in this place may become larger.
    pub fn limit(&self) -> u64 {
        self.limit
    }

    /// A place one rung higher; this one is kept until that one is there.
    pub async fn climb(self) -> Place {
        self.budget.place_on(self.rung + 1, self.limit).await
    }
}
