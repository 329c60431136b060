//! Collects what was wrong with a document and was repaired or left out: each kind once, with the number of cases.

use std::collections::BTreeMap;

use crate::feed::{Repair, RepairKind};

/// The repairs of one document, in a fixed order.
#[derive(Clone, Debug, Default)]
pub(super) struct Repairs {
    counts: BTreeMap<RepairKind, usize>,
    /// The first unreadable value of each kind, shortened, as an example.
    examples: BTreeMap<RepairKind, String>,
}

impl Repairs {
    pub(super) fn note(&mut self, repair: RepairKind) {
        *self.counts.entry(repair).or_default() += 1;
    }

    /// Notes a repair and the value that needed it.
    pub(super) fn note_value(&mut self, repair: RepairKind, value: &str) {
        self.note(repair);
        self.examples.entry(repair).or_insert_with(|| value.trim().chars().take(40).collect());
    }

    /// Returns one repair per kind.
    pub(super) fn list(mut self) -> Vec<Repair> {
        let of_kind = |(kind, count)| Repair { kind, count, example: self.examples.remove(&kind) };
        self.counts.into_iter().map(of_kind).collect()
    }
}
