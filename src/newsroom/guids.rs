//! Guids that do not identify an entry by themselves, resolved before anything else is decided.
//!
//! Pure. The policy of guids: an entry keeps the guid under which it is known; a guid that a feed gives to another
//! entry is extended; no guid contains a secret of its feed.

use std::collections::{HashMap, HashSet};

use super::rekey::is_reused;
use super::{FormerEntry, Known, PolledDocument, PolledEntry};
use crate::config::Secrets;
use crate::entry::{GuidKind, SharedKeys};
use crate::number::EntryNumber;
use crate::parse::SLIPS;

/// Returns the guids of a feed that contain one of its secrets, and for each its form without the secret: guids that
/// its last document listed, and guids of entries that this document lists again. An older newswire stored them as the
/// document gave them; such an entry stays the same entry. No alias is left, because it would contain the secret.
pub fn renames(secrets: &Secrets, listed: Vec<String>, entries: &[PolledEntry]) -> Vec<(String, String)> {
    let again = entries.iter().flat_map(|entry| secrets.unscrubbed(&entry.guid));
    let scrubbed = listed.into_iter().chain(again).map(|former| (secrets.scrub(&former).into_owned(), former));
    scrubbed.filter(|(guid, former)| guid != former).map(|(guid, former)| (former, guid)).collect()
}

/// Returns the more specific guids under which entries of the document may be known.
pub fn specific_guids(document: &PolledDocument) -> Vec<&str> {
    let is_possible = document.guids_repaired.some;
    let entries = document.entries.iter().filter(|entry| is_possible && entry.cleaned.is_some());
    entries.flat_map(|entry| &entry.other_guids.specific).map(String::as_str).collect()
}

/// Gives entries the more specific guid under which they are known. An earlier document had other entries with the same
/// guid, which this document does not list.
pub fn keep_specific(document: &mut PolledDocument, known: &HashSet<String>) {
    for entry in document.entries.iter_mut().filter(|entry| entry.cleaned.is_some()) {
        if let Some(guid) = entry.other_guids.specific.iter().find(|guid| known.contains(*guid)).cloned() {
            give(entry, guid);
        }
    }
}

/// Returns the known entries that may differ from those that the document lists under their guids.
pub fn to_compare(document: &PolledDocument, known: &Known) -> Vec<EntryNumber> {
    document.entries.iter().filter_map(|entry| changed(entry, known)).collect()
}

/// Returns the known entry under the guid of an entry whose content differs and that could get another guid.
fn changed(entry: &PolledEntry, known: &Known) -> Option<EntryNumber> {
    let (before, cleaned) = (known.entries.get(&entry.guid)?, entry.cleaned.as_ref()?);
    let may_be_other = !before.is_purged && before.fingerprint != cleaned.fingerprint;
    (may_be_other && !entry.other_guids.specific.is_empty()).then_some(before.number)
}

/// Gives entries a guid of their own if another entry is known under theirs; returns whether there are such entries. If
/// there are many, all guids of the feed are extended from then on.
pub fn separate_reused(
    document: &mut PolledDocument,
    known: &Known,
    former: &HashMap<EntryNumber, FormerEntry>,
) -> bool {
    let (mut reused, mut shared) = (0, SharedKeys { some: true, ..SharedKeys::default() });
    for entry in &mut document.entries {
        let Some(former) = changed(entry, known).and_then(|number| former.get(&number)) else { continue };
        if !entry.cleaned.as_ref().is_some_and(|cleaned| is_reused(cleaned, former)) {
            continue;
        }
        let Some(apart) = entry.other_guids.specific.last().cloned() else { continue };
        shared.guids |= former.guid_kind == GuidKind::Guid;
        shared.links |= former.guid_kind == GuidKind::Link || document.guids_repaired.guids;
        give(entry, apart);
        reused += 1;
    }
    if reused == 0 {
        return false;
    }
    let are_many = reused * SLIPS >= document.entries.len();
    let shared = if are_many { shared } else { SharedKeys { some: true, ..SharedKeys::default() } };
    document.guids_repaired = document.guids_repaired.with(shared);
    true
}

/// Gives an entry another guid; its previous guid becomes a plainer one.
fn give(entry: &mut PolledEntry, guid: String) {
    if let Some(cleaned) = &mut entry.cleaned {
        cleaned.rename(&guid);
    }
    entry.other_guids.plainer.insert(0, std::mem::replace(&mut entry.guid, guid));
}
