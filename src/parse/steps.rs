//! A bound on what reading one document may cost, counted and not timed, so that one document gives one result on every machine.
//!
//! Reading is linear, and a real document takes a few steps a byte. The bound holds should a document be found for which that is not so:
//! it is refused, and no other feed waits for it.

/// So many steps may be taken for each byte of a document. Fixtures and the worst of the tests take at most 8.
const STEPS_PER_BYTE: usize = 64;

/// And so many on top of that, for small documents.
const LEAST_STEPS: usize = 1 << 20;

/// What reading a document may still cost. A step is a byte that is looked at, or as much work.
#[derive(Clone, Copy, Debug)]
pub(super) struct Steps {
    left: usize,
}

impl Steps {
    /// The steps for a document of so many bytes.
    pub(super) fn of_document(bytes: usize) -> Steps {
        Steps { left: bytes.saturating_mul(STEPS_PER_BYTE).saturating_add(LEAST_STEPS) }
    }

    pub(super) fn take(&mut self, steps: usize) {
        self.left = self.left.saturating_sub(steps);
    }

    #[cfg(test)]
    pub(super) fn taken_of(self, bytes: usize) -> usize {
        Steps::of_document(bytes).left - self.left
    }

    pub(super) fn are_spent(self) -> bool {
        self.left == 0
    }
}
