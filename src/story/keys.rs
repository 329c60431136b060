//! The addresses by which an entry is recognised.

use crate::entry::Entry;
use crate::link;

/// One address by which an entry can be recognised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkKey {
    /// As [`link::key`] makes it.
    pub key: String,
    /// Whether it is the declared original and not the entry's own link.
    pub original: bool,
}

/// The keys of an entry's link and of its declared original, without repeats; empty where neither is specific.
pub fn link_keys(entry: &Entry) -> Vec<LinkKey> {
    let own = entry.link.as_ref().and_then(link::key);
    let original = entry.original.as_ref().and_then(link::key).filter(|key| Some(key) != own.as_ref());
    let own = own.map(|key| LinkKey { key, original: false });
    own.into_iter().chain(original.map(|key| LinkKey { key, original: true })).collect()
}
