//! Corrects guids that do not identify an entry, before anything else is decided.
//!
//! The policy of guids: an entry keeps the guid under which it is known. If a feed gives the guid of one entry to
//! another, the guid of the other is extended, for example by the link. No guid contains a secret of its feed. This
//! module does no I/O.

use std::collections::{HashMap, HashSet};

use super::rekey::is_reused;
use super::{FormerEntry, Known, PolledDocument, PolledEntry};
use crate::config::Secrets;
use crate::entry::{GuidKind, SharedKeys};
use crate::number::EntryNumber;
use crate::parse::SLIPS;

/// Returns those stored guids of a feed that contain one of its secrets, each with the guid without the secret.
/// Examines the guids that the feed's last document listed, and the guids of this document's entries. An older version
/// of newswire stored them with the secret. The entries stay the same, and the old guids do not become aliases, because
/// these would contain the secret.
pub fn renames(secrets: &Secrets, listed: Vec<String>, entries: &[PolledEntry]) -> Vec<(String, String)> {
    let again = entries.iter().flat_map(|entry| secrets.unscrubbed(&entry.guid));
    let scrubbed = listed.into_iter().chain(again).map(|former| (secrets.scrub(&former).into_owned(), former));
    scrubbed.filter(|(guid, former)| guid != former).map(|(guid, former)| (former, guid)).collect()
}

/// Returns the more specific (extended) guids under which entries of the document may be known.
pub fn specific_guids(document: &PolledDocument) -> Vec<&str> {
    let is_possible = document.guids_repaired.some;
    let entries = document.entries.iter().filter(|entry| is_possible && entry.cleaned.is_some());
    entries.flat_map(|entry| &entry.other_guids.specific).map(String::as_str).collect()
}

/// If an entry is known under a more specific guid, gives it that guid. It got that guid because an earlier document,
/// unlike this one, had another entry with the same plain guid.
pub fn keep_specific(document: &mut PolledDocument, known: &HashSet<String>) {
    for entry in document.entries.iter_mut().filter(|entry| entry.cleaned.is_some()) {
        if let Some(guid) = entry.other_guids.specific.iter().find(|guid| known.contains(*guid)).cloned() {
            give(entry, guid);
        }
    }
}

/// Returns the known entries whose guids the document may have given to other entries.
pub fn to_compare(document: &PolledDocument, known: &Known) -> Vec<EntryNumber> {
    document.entries.iter().filter_map(|entry| changed(entry, known)).collect()
}

/// Returns the known entry with the guid of `entry`, if its lasting content differs and `entry` could get another guid.
fn changed(entry: &PolledEntry, known: &Known) -> Option<EntryNumber> {
    let (before, cleaned) = (known.entries.get(&entry.guid)?, entry.cleaned.as_ref()?);
    let may_be_other = !before.is_purged && before.fingerprint != cleaned.fingerprint;
    (may_be_other && !entry.other_guids.specific.is_empty()).then_some(before.number)
}

/// Gives an entry another guid if a different entry is known under its guid. Returns whether there was such an entry.
/// If there were many, all guids of the feed are extended from then on.
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

/// Gives an entry another guid. The previous guid becomes the first of its plainer guids.
fn give(entry: &mut PolledEntry, guid: String) {
    if let Some(cleaned) = &mut entry.cleaned {
        cleaned.rename(&guid);
    }
    entry.other_guids.plainer.insert(0, std::mem::replace(&mut entry.guid, guid));
}
