//! Limits the work of reading one document. The limit counts steps and not time, so that a document gives the same
//! result on every machine.
//!
//! Reading is linear, and a real document takes a few steps per byte. The limit protects against documents that take
//! more: newswire refuses such a document, so that no other feed waits for it.

/// The steps allowed per byte of a document. The fixtures and the worst documents of the tests take at most 8.
const STEPS_PER_BYTE: usize = 64;

/// The steps allowed in addition, so that small documents do not reach the limit.
const LEAST_STEPS: usize = 1 << 20;

/// The work that reading a document may still take. A step is one byte that is read, or equivalent work.
#[derive(Clone, Copy, Debug)]
pub(super) struct Steps {
    left: usize,
}

impl Steps {
    /// Returns the steps for a document of `bytes` bytes.
    pub(super) fn for_document(bytes: usize) -> Steps {
        Steps { left: bytes.saturating_mul(STEPS_PER_BYTE).saturating_add(LEAST_STEPS) }
    }

    pub(super) fn take(&mut self, steps: usize) {
        self.left = self.left.saturating_sub(steps);
    }

    #[cfg(test)]
    pub(super) fn taken_for(self, bytes: usize) -> usize {
        Steps::for_document(bytes).left - self.left
    }

    pub(super) fn are_used_up(self) -> bool {
        self.left == 0
    }
}
