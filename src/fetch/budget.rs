//! The memory that all bodies in flight may fill together: 96 MiB, whatever the number and size of the feeds. Read buffers
//! of connections and the windows of decoders come to as much again at the worst: 200 feeds of the largest size stay below
//! 256 MiB.
//!
//! A ladder: every body starts on the lowest rung and climbs as it grows, and higher rungs have room for fewer. Who
//! waits for a place on a rung holds one on the rung below, and those on the top rung never wait; so bodies cannot wait
//! for each other. A place is kept until the body itself is dropped, after it was parsed.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

const KIB: u64 = 1024;

/// For each rung but the last: the size of a body there, in KiB, and the number of such bodies. Most feeds are below 128 KiB,
/// nearly all below 1 MiB.
const LOWER_RUNGS: [(u64, usize); 2] = [(128, 128), (1024, 16)];

/// The size of all bodies on the last rung together, in KiB; one that may be larger than that takes all of it.
const TOP_KIB: u32 = 64 * 1024;

/// What is asked for at once for a body on the last rung. A block of this size is mapped by itself, and given back to the
/// system when it is freed; smaller ones allocators keep for later, each thread its own, which came to more than all bodies.
const OWN_MAPPING_BYTES: usize = 33 * 1024 * 1024;

/// So many bodies are decoded at a time: beside the two forms of its body, a decoder holds a window of up to 16 MiB.
const DECODERS: usize = 2;

/// Cheap to clone; all clones share the places.
#[derive(Clone)]
pub(super) struct Budget {
    decoders: Arc<Semaphore>,
    lower: Arc<[(u64, Arc<Semaphore>)]>,
    top: Arc<Semaphore>,
}

/// The right to hold a body of up to `room` bytes.
pub(super) struct MemoryPlace {
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
        let decoders = Arc::new(Semaphore::new(DECODERS));
        Budget { decoders, lower: Arc::new(lower), top: Arc::new(Semaphore::new(TOP_KIB as usize)) }
    }

    /// The right to decode a body, which takes no other place while it is held.
    pub async fn decoder(&self) -> OwnedSemaphorePermit {
        self.decoders.clone().acquire_owned().await.expect("the budget is never closed")
    }

    /// A place on the lowest rung for a body of at most `limit` bytes; waits where all are taken.
    pub async fn place(&self, limit: u64) -> MemoryPlace {
        self.place_on(0, limit).await
    }

    async fn place_on(&self, rung: usize, limit: u64) -> MemoryPlace {
        let (room, semaphore, permits) = match self.lower.get(rung) {
            Some((room, semaphore)) => ((*room).min(limit), semaphore, 1),
            None => (limit, &self.top, u32::try_from(limit.div_ceil(KIB)).unwrap_or(TOP_KIB).clamp(1, TOP_KIB)),
        };
        let permit = semaphore.clone().acquire_many_owned(permits).await.expect("the budget is never closed");
        MemoryPlace { limit, room, rung, budget: self.clone(), _permit: permit }
    }
}

impl MemoryPlace {
    /// Whether a body of so many bytes fits without climbing.
    pub fn holds(&self, bytes: u64) -> bool {
        bytes <= self.room
    }

    pub fn room(&self) -> u64 {
        self.room
    }

    /// An empty buffer that can take all of the room; memory is used only as it is filled.
    pub fn buffer(&self) -> Vec<u8> {
        let bytes = match self.budget.lower.get(self.rung) {
            Some(_) => usize::try_from(self.room).unwrap_or(usize::MAX),
            None => OWN_MAPPING_BYTES,
        };
        Vec::with_capacity(bytes)
    }

    /// No body in this place may become larger.
    pub fn limit(&self) -> u64 {
        self.limit
    }

    /// A place one rung higher; this one is kept until that one is there.
    pub async fn climb(self) -> MemoryPlace {
        self.budget.place_on(self.rung + 1, self.limit).await
    }
}
