//! Gives each entry its guid, by which the next poll recognises the entry.
//!
//! The guid is made of the entry's key. The key is the first of these that the entry has: the guid or id that the
//! document gives (in RDF `rdf:about`), the link, a hash of title and date, a hash of title and text. If different
//! entries have the same key, their keys are extended: the link is added to a guid, title and date are added to a link,
//! and the text is added to title and date. Entries that agree in all of these are one entry. The store remembers for
//! each feed how its keys are extended. So the key of an entry depends only on the entry and its feed, and not on the
//! other entries of a document. The kind of a key is stored with the key.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::hash::{Hash, Hasher};

use sha2::{Digest, Sha256};
use url::Url;
use xxhash_rust::xxh3::{Xxh3Default, xxh3_64};

use super::model::{ParsedEntry, ParsedFeed, ParsedText};
use crate::entry::{Guid, GuidKind, OtherGuids, SharedKeys};
use crate::feed::{Repair, RepairKind};

/// Trims a guid or id that the document gives. Returns `None` if nothing is left.
pub(super) fn own_guid(written: Option<String>) -> Option<String> {
    written.map(|guid| guid.trim().to_owned()).filter(|guid| !guid.is_empty())
}

/// Adds to the raw hash of each entry what the entry inherits from the feed. If the feed's authors, language, rights,
/// licence, credits or base URL change, the raw hashes change too, so that the entries are normalized again.
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

/// Returns what to add to the raw hash of an entry whose address depends on the feed's page. If the page moves, the raw
/// hash changes, so that the entry is normalized again.
pub(super) fn hash_of_site(site: &Url) -> u64 {
    xxh3_64(site.as_str().as_bytes())
}

/// If at least one entry in this many has the same key as a different entry, the keys of all entries of the feed are
/// extended. If fewer have, these count as mistakes, and only their keys are extended.
pub const SLIPS: usize = 4;

/// Gives every entry of a document its guid, and marks repeated entries. Guids are unique in the document, except those
/// of repeated entries.
///
/// `known` names the kinds of keys (guid, link, title) that different entries had in common in earlier documents of the
/// feed. Keys of these kinds are extended even if the entries of this document do not share them, so that guids stay
/// the same. [`parse`](super::parse) calls this function with an empty `known`. A second call with the same `known`
/// changes nothing.
pub fn reidentify(feed: &mut ParsedFeed, known: SharedKeys) {
    let noted = feed.guids_repaired;
    let mut shared = noted.with(known);
    let mut needed = vec![shared; feed.entries.len()];
    while distinguish(&feed.entries, &mut needed) {}
    let extended = needed.iter().filter(|needed| **needed != shared);
    let all = extended.clone().fold(shared, |all, needed| all.with(*needed));
    if extended.count() * SLIPS >= feed.entries.len() {
        shared = all;
        needed.fill(shared);
    } else {
        shared.some |= all != shared;
    }
    for (entry, needed) in feed.entries.iter_mut().zip(needed) {
        let (value, kind) = key(entry, needed);
        entry.guid = Guid { value: value.into_owned(), kind };
        entry.other_guids = other_guids(entry, SharedKeys { some: shared.some, ..needed });
    }
    mark_repeats(&mut feed.entries);
    feed.guids_repaired = shared;
    let repairs = [
        (all.guids && !noted.guids, RepairKind::SharedGuids),
        (all.links && !noted.links, RepairKind::SharedLinks),
        (all.titles && !noted.titles, RepairKind::SharedTitles),
    ];
    for (_, repair) in repairs.into_iter().filter(|(is_new, _)| *is_new) {
        if !feed.repairs.iter().any(|known| known.kind == repair) {
            feed.repairs.push(Repair::once(repair));
        }
    }
}

fn mark_repeats(entries: &mut [ParsedEntry]) {
    let mut seen = HashSet::with_capacity(entries.len());
    let repeats: Vec<bool> = entries.iter().map(|entry| !seen.insert(&entry.guid.value)).collect();
    for (entry, is_repeat) in entries.iter_mut().zip(repeats) {
        entry.is_repeat = is_repeat;
    }
}

/// Finds different entries with the same key, and records in `needed` how to extend their keys. Returns whether it
/// extended any key.
fn distinguish(entries: &[ParsedEntry], needed: &mut [SharedKeys]) -> bool {
    let mut first_with = HashMap::with_capacity(entries.len());
    // The groups of entries with the same key. The map finds a group by the index of its first entry. Most keys belong
    // to one entry and need no group.
    let mut alike = HashMap::<usize, Vec<usize>>::new();
    for (at, entry) in entries.iter().enumerate() {
        let first = *first_with.entry(key(entry, needed[at]).0).or_insert(at);
        if first != at {
            alike.entry(first).or_insert_with(|| vec![first]).push(at);
        }
    }
    let mut has_changed = false;
    for group in alike.into_values() {
        let wholes: HashSet<String> = group.iter().map(|at| whole_hash(&entries[*at])).collect();
        if wholes.len() > 1 {
            for at in group {
                let more = lacking(&entries[at], needed[at]);
                has_changed |= more != needed[at];
                needed[at] = more;
            }
        }
    }
    has_changed
}

/// Returns how to extend the key of an entry next: `needed` with one addition.
fn lacking(entry: &ParsedEntry, needed: SharedKeys) -> SharedKeys {
    if entry.own_guid.is_some() && !needed.guids {
        SharedKeys { guids: true, ..needed }
    } else if (entry.own_guid.is_some() || entry.link.is_some()) && !needed.links {
        SharedKeys { links: true, ..needed }
    } else {
        SharedKeys { titles: true, ..needed }
    }
}

/// Returns the guid of an entry and its kind. `shared` names the kinds of keys that different entries of the feed have
/// in common. Keys of these kinds are extended.
fn key(entry: &ParsedEntry, shared: SharedKeys) -> (Cow<'_, str>, GuidKind) {
    let (value, kind, is_enough) = match (&entry.own_guid, &entry.link) {
        (Some(own), Some(link)) if shared.guids => (format!("{own} {link}").into(), GuidKind::Guid, !shared.links),
        (Some(own), None) if shared.guids && !shared.links => {
            (guid_with_title(own, entry).into(), GuidKind::Guid, true)
        }
        (Some(own), _) => (Cow::from(own), GuidKind::Guid, !shared.guids),
        (None, Some(link)) => (Cow::from(link), GuidKind::Link, !shared.links),
        (None, None) => (Cow::from(""), GuidKind::Fingerprint, false),
    };
    if is_enough {
        return (value, kind);
    }
    let has_both = entry.title.is_some() && date(entry).is_some();
    let hash = match kind {
        _ if shared.titles => whole_hash(entry),
        GuidKind::Fingerprint if !has_both => fingerprint(entry),
        _ => title_and_date(entry),
    };
    let value = if value.is_empty() { hash } else { format!("{value} {hash}") };
    (value.into(), kind)
}

fn guid_with_title(own: &str, entry: &ParsedEntry) -> String {
    entry.title.as_ref().map_or_else(|| own.to_owned(), |title| format!("{own} {}", title.value))
}

/// Returns the keys that the entry would have if different entries had fewer kinds of keys in common (`plainer`), or
/// more (`specific`).
fn other_guids(entry: &ParsedEntry, shared: SharedKeys) -> OtherGuids {
    let key_of = |bits: u8| key(entry, SharedKeys::from_bits(bits)).0.into_owned();
    let needed = SharedKeys { some: false, ..shared }.bits();
    let mut plainer: Vec<String> = Vec::new();
    let mut add = |key: String| {
        if key != entry.guid.value && !plainer.contains(&key) {
            plainer.push(key);
        }
    };
    (0..needed).rev().filter(|bits| bits & !needed == 0).for_each(|bits| add(key_of(bits)));
    if entry.guid.kind == GuidKind::Fingerprint {
        // Earlier versions stored an entry without guid and link under this key, so the entry must be found by it.
        add(fingerprint(entry));
    }
    let more = [1, 3, 7].into_iter().map(|bits| key_of(needed | bits)).filter(|key| *key != entry.guid.value);
    let mut specific: Vec<String> = more.take(if shared.some { 3 } else { 1 }).collect();
    specific.dedup();
    specific.reverse();
    OtherGuids { plainer, specific }
}

fn date(entry: &ParsedEntry) -> Option<i64> {
    entry.published.or(entry.updated).map(|date| date.millis())
}

/// Hashes the title and the text. The text is the content, or the summary if there is no content.
fn fingerprint(entry: &ParsedEntry) -> String {
    let text = entry.content.as_ref().map_or(&entry.summary, |_| &entry.content);
    hash([value(&entry.title), value(text)].into_iter())
}

fn title_and_date(entry: &ParsedEntry) -> String {
    let date = date(entry).map_or_else(String::new, |date| date.to_string());
    let title = value(&entry.title).split_whitespace().collect::<Vec<_>>().join(" ");
    hash([title.as_str(), &date].into_iter())
}

/// Hashes everything that identifies an entry.
fn whole_hash(entry: &ParsedEntry) -> String {
    let date = date(entry).map_or_else(String::new, |date| date.to_string());
    let own = [entry.own_guid.as_deref(), entry.link.as_deref(), Some(&date)].map(Option::unwrap_or_default);
    let texts = [&entry.title, &entry.summary, &entry.content].map(value);
    hash(own.into_iter().chain(texts).chain(entry.enclosures.iter().map(|enclosure| enclosure.url.as_str())))
}

fn value(text: &Option<ParsedText>) -> &str {
    text.as_ref().map_or("", |text| &text.value)
}

/// Returns 128 bits of SHA-256, in hexadecimal. A feed may try to make hashes collide, so the hash must resist that.
fn hash<'t>(parts: impl Iterator<Item = &'t str>) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part.len().to_le_bytes());
        hasher.update(part);
    }
    base16ct::lower::encode_string(&hasher.finalize()[..16])
}
