//! What was wrong with a document and was mended or left out: each kind named once, with how often it was met.

use std::collections::BTreeMap;

use crate::feed::{Repair, RepairKind};

/// The repairs of one document, in a fixed order.
#[derive(Clone, Debug, Default)]
pub(super) struct Repairs {
    counts: BTreeMap<RepairKind, usize>,
    /// The first unreadable value of a kind, shortened, to show what was met.
    examples: BTreeMap<RepairKind, String>,
}

impl Repairs {
    pub(super) fn note(&mut self, repair: RepairKind) {
        *self.counts.entry(repair).or_default() += 1;
    }

    /// Notes a repair together with the value that needed it.
    pub(super) fn note_value(&mut self, repair: RepairKind, value: &str) {
        self.note(repair);
        self.examples.entry(repair).or_insert_with(|| value.trim().chars().take(40).collect());
    }

    /// One for each kind.
    pub(super) fn list(mut self) -> Vec<Repair> {
        let of_kind = |(kind, count)| Repair { kind, count, example: self.examples.remove(&kind) };
        self.counts.into_iter().map(of_kind).collect()
    }
}
