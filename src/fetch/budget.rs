//! Limits the memory for all bodies in flight to 64 MiB together, unless a feed's `max_size` permits a larger body. In
//! the worst case, the read buffers of connections and the windows of decoders take as much again. Even with 200 feeds
//! of 10 MiB each, the whole process stays below 256 MiB.
//!
//! The memory is divided into places of three sizes, called the rungs of a ladder. Every body starts on the rung for
//! the size that its server claims, and climbs to the next rung if it turns out to be larger. Higher rungs have fewer
//! places. A body that waits for a place keeps at most a place on the rung below. Bodies on the top rung never wait, so
//! bodies cannot deadlock. A body keeps its place until it is dropped, after parsing.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

const KIB: u64 = 1024;

/// The rungs except the last one, each with the largest size of a body in KiB and the number of places. Most feeds are
/// below 128 KiB, nearly all below 1 MiB.
const LOWER_RUNGS: [(u64, usize); 2] = [(128, 128), (1024, 16)];

/// The size of all bodies on the last rung together, in KiB. A body that may be larger takes the whole rung.
const TOP_KIB: u32 = 32 * 1024;

/// The capacity of a buffer on the last rung. The allocator maps a block of this size separately, and returns it to the
/// system when it is freed. It does not return smaller blocks, but keeps them for later, separately for each thread.
/// Such blocks took more memory than all bodies together.
const OWN_MAPPING_BYTES: usize = 33 * 1024 * 1024;

/// The most bodies that are decoded at a time. A decoder has a window of up to 16 MiB, in addition to the encoded and
/// the decoded body.
const DECODERS: usize = 2;

/// The memory budget. It is cheap to clone, and all clones share the places.
#[derive(Clone)]
pub(super) struct Budget {
    decoders: Arc<Semaphore>,
    lower: Arc<[(u64, Arc<Semaphore>)]>,
    top: Arc<Semaphore>,
}

/// Permission to keep a body of up to `room` bytes in memory.
pub(super) struct MemoryPlace {
    /// The most bytes that the body may have, on any rung.
    limit: u64,
    room: u64,
    rung: usize,
    budget: Budget,
    _permit: OwnedSemaphorePermit,
}

impl Budget {
    pub(super) fn new() -> Budget {
        let lower = LOWER_RUNGS.map(|(kib, places)| (kib * KIB, Arc::new(Semaphore::new(places))));
        let decoders = Arc::new(Semaphore::new(DECODERS));
        Budget { decoders, lower: Arc::new(lower), top: Arc::new(Semaphore::new(TOP_KIB as usize)) }
    }

    /// Returns permission to decode a body, as soon as fewer than [`DECODERS`] bodies are being decoded. Until the
    /// caller drops the permission, it must not wait for a place in memory.
    pub(super) async fn decoder(&self) -> OwnedSemaphorePermit {
        self.decoders.clone().acquire_owned().await.expect("the budget is never closed")
    }

    /// Returns a place for a body of at most `limit` bytes that claims to have `claimed` bytes. Waits until a place is
    /// free.
    ///
    /// A body that waits here has not been read, so it takes no memory. A body that waits later, in
    /// [`MemoryPlace::climb`], takes up to a megabyte, including the buffers of its connection.
    pub(super) async fn place(&self, claimed: u64, limit: u64) -> MemoryPlace {
        let claimed = claimed.min(limit);
        let rung = self.lower.iter().position(|(room, _)| claimed <= *room);
        self.place_on(rung.unwrap_or(self.lower.len()), limit).await
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
    /// Returns whether a body of `bytes` bytes fits into this place.
    pub(super) fn holds(&self, bytes: u64) -> bool {
        bytes <= self.room
    }

    pub(super) fn room(&self) -> u64 {
        self.room
    }

    /// Returns an empty buffer with capacity for the whole place. The system provides memory only as the buffer is
    /// filled.
    pub(super) fn buffer(&self) -> Vec<u8> {
        let bytes = match self.budget.lower.get(self.rung) {
            Some(_) => usize::try_from(self.room).unwrap_or(usize::MAX),
            None => OWN_MAPPING_BYTES,
        };
        Vec::with_capacity(bytes)
    }

    /// Returns the most bytes that the body may have, on any rung.
    pub(super) fn limit(&self) -> u64 {
        self.limit
    }

    /// Returns a place one rung higher. Keeps this place until the higher one is free.
    pub(super) async fn climb(self) -> MemoryPlace {
        self.budget.place_on(self.rung + 1, self.limit).await
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    const LARGEST: u64 = 10 << 20;

    #[test]
    fn large_body_waits_before_it_is_read_and_delays_no_small_one() {
        let budget = Budget::new();
        let place = |claimed| budget.place(claimed, LARGEST).now_or_never();
        let places: Vec<_> = std::iter::from_fn(|| place(LARGEST)).collect();
        assert!(!places.is_empty() && places.iter().all(|place| place.holds(LARGEST)));
        assert!(place(u64::MAX).is_none());
        for bytes in [0, 100 * KIB, 1024 * KIB] {
            assert!(place(bytes).expect("smaller bodies have places of their own").holds(bytes));
        }
    }

    #[test]
    fn body_that_is_larger_than_it_claims_climbs() {
        let climbed = async {
            let mut place = Budget::new().place(1, LARGEST).await;
            while !place.holds(LARGEST) {
                place = place.climb().await;
            }
        };
        assert!(climbed.now_or_never().is_some());
    }
}
