//! Guids that do not identify an entry by themselves, settled before anything else is decided.
//!
//! Pure. The policy held here: an entry keeps the guid under which it is known; a guid that a feed gives to another entry
//! gets more added to it; no guid holds a secret of its feed.

use std::collections::{HashMap, HashSet};

use super::rekey::is_reused;
use super::{FormerEntry, Known, PolledDocument, PolledEntry};
use crate::config::Secrets;
use crate::entry::{GuidKind, SharedKeys};
use crate::number::EntryNumber;
use crate::parse::SLIPS;

/// Returns the guids of a feed that hold a secret of it, each with what it is without: those that its last document listed,
/// and those of entries that this one lists again. An older newswire kept them as the document gave them; such an entry
/// stays the same entry. No alias is left, since that would hold the secret.
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

/// Gives entries the more specific guid under which they are known. They were told apart from others of an earlier document
/// that this one does not list.
pub fn keep_specific(document: &mut PolledDocument, known: &HashSet<String>) {
    for entry in document.entries.iter_mut().filter(|entry| entry.cleaned.is_some()) {
        if let Some(guid) = entry.other_guids.specific.iter().find(|guid| known.contains(*guid)).cloned() {
            give(entry, guid);
        }
    }
}

/// Returns the known entries that may be others than those which the document lists under their guids.
pub fn to_compare(document: &PolledDocument, known: &Known) -> Vec<EntryNumber> {
    document.entries.iter().filter_map(|entry| changed(entry, known)).collect()
}

/// The known entry under the guid of one that says something else and could get another guid.
fn changed(entry: &PolledEntry, known: &Known) -> Option<EntryNumber> {
    let (before, cleaned) = (known.entries.get(&entry.guid)?, entry.cleaned.as_ref()?);
    let may_be_other = !before.is_purged && before.fingerprint != cleaned.fingerprint;
    (may_be_other && !entry.other_guids.specific.is_empty()).then_some(before.number)
}

/// Gives entries that are others than those known under their guids a guid of their own; returns whether there are any. If
/// they are many, more is added to all guids of the feed from then on.
pub fn tell_reused_apart(
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

/// Gives an entry another guid; the one that it had is a plainer one.
fn give(entry: &mut PolledEntry, guid: String) {
    if let Some(cleaned) = &mut entry.cleaned {
        cleaned.rename(&guid);
    }
    entry.other_guids.plainer.insert(0, std::mem::replace(&mut entry.guid, guid));
}
