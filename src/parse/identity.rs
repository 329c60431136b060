//! What makes an entry the same entry at the next poll.
//!
//! The document's own guid or id (RDF: `rdf:about`); else the link; else a hash of title and content. A document that uses one
//! guid for several different entries gets its guids repaired: guid and link together. The kind of key is kept with it.

use std::collections::HashMap;
use std::fmt::Write;
use std::hash::{Hash, Hasher};

use sha2::{Digest, Sha256};
use xxhash_rust::xxh3::Xxh3Default;

use super::model::{ParsedEntry, ParsedFeed};
use super::repairs::Repair;
use crate::entry::{Guid, GuidKind};

/// The guid of an entry, by what its document gave.
pub(super) fn guid(own: Option<String>, entry: &ParsedEntry) -> Guid {
    let own = own.map(|guid| guid.trim().to_owned()).filter(|guid| !guid.is_empty());
    match (own, &entry.link) {
        (Some(value), _) => Guid { value, kind: GuidKind::Guid },
        (None, Some(link)) => Guid { value: link.clone(), kind: GuidKind::Link },
        (None, None) => Guid { value: fingerprint(entry), kind: GuidKind::Fingerprint },
    }
}

/// Of title and content (or summary). Feeds are adversarial: collision-resistant, 128 bits of SHA-256 in hexadecimal.
fn fingerprint(entry: &ParsedEntry) -> String {
    let mut hasher = Sha256::new();
    for text in [&entry.title, entry.content.as_ref().map_or(&entry.summary, |_| &entry.content)] {
        let value = text.as_ref().map_or("", |text| &text.value);
        hasher.update(value.len().to_le_bytes());
        hasher.update(value);
    }
    hasher.finalize().iter().take(16).fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").expect("a String takes all that is written to it");
        hex
    })
}

/// Lets the raw hashes depend on what the entries inherit: when the feed's authors, language, rights, credits or address change, clean forms do.
pub(super) fn hash_in_inherited(feed: &mut ParsedFeed) {
    let info = &feed.info;
    let mut hasher = Xxh3Default::new();
    info.base.hash(&mut hasher);
    info.language.hash(&mut hasher);
    info.rights.as_ref().map(|rights| &rights.value).hash(&mut hasher);
    info.license().hash(&mut hasher);
    info.credits.hash(&mut hasher);
    for author in &info.authors {
        (&author.name, &author.email, &author.url).hash(&mut hasher);
    }
    let inherited = hasher.finish();
    feed.entries.iter_mut().for_each(|entry| entry.raw_hash ^= inherited);
}

/// Whether a document uses one guid for several different entries: their links differ, or without links their titles.
pub(super) fn shares_guids(entries: &[ParsedEntry]) -> bool {
    let mut first_with: HashMap<&str, &ParsedEntry> = HashMap::with_capacity(entries.len());
    let given = entries.iter().filter(|entry| entry.guid.kind == GuidKind::Guid);
    given.into_iter().any(|entry| {
        let first = first_with.entry(&entry.guid.value).or_insert(entry);
        match (&first.link, &entry.link) {
            (Some(first), Some(link)) => first != link,
            _ => first.title != entry.title,
        }
    })
}

/// Repairs a feed that uses one guid for several different entries: each guid becomes guid and link.
///
/// [`parse`](super::parse) does this where a document shows the fault. Do it for a feed that showed it before, so that
/// its guids stay the same when its document happens not to. Doing it twice changes nothing.
pub fn reidentify(feed: &mut ParsedFeed) {
    if std::mem::replace(&mut feed.guids_repaired, true) {
        return;
    }
    for entry in feed.entries.iter_mut().filter(|entry| entry.guid.kind == GuidKind::Guid) {
        let addition = entry.link.as_deref().or(entry.title.as_ref().map(|title| title.value.as_str()));
        if let Some(addition) = addition {
            entry.guid.value = format!("{} {addition}", entry.guid.value);
        }
    }
    feed.repairs.push(Repair::SharedGuids.text().to_owned());
}
