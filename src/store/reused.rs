//! Guids that do not identify an entry by themselves, settled before anything is decided.

use rusqlite::params;

use super::StoreError;
use super::document::Document;
use crate::entry::{GuidKind, SharedKeys};
use crate::newsroom::{Known, PolledDocument, PolledEntry, is_reused};
use crate::parse::SLIPS;

impl Document<'_> {
    /// Gives entries the more specific guid under which they are known. They were told apart from others of an earlier
    /// document that this one does not list.
    pub(super) fn keep_specific_guids(&self, document: &mut PolledDocument) -> Result<(), StoreError> {
        if !document.guids_repaired.some {
            return Ok(());
        }
        let mut statement = self.connection.prepare_cached(
            "SELECT 1 FROM entry WHERE feed = ?1 AND guid = ?2 UNION ALL SELECT 1 FROM entry_alias WHERE feed = ?1 AND guid = ?2",
        )?;
        for entry in document.entries.iter_mut().filter(|entry| entry.cleaned.is_some()) {
            for at in 0..entry.other_guids.specific.len() {
                if statement.exists(params![self.number, entry.other_guids.specific[at]])? {
                    let guid = entry.other_guids.specific[at].clone();
                    give(entry, guid)?;
                    break;
                }
            }
        }
        Ok(())
    }

    /// Gives entries that are others than those known under their guids a guid of their own; returns whether there are any. If
    /// they are many, more is added to all guids of the feed from then on.
    pub(super) fn tell_reused_apart(&self, document: &mut PolledDocument, known: &Known) -> Result<bool, StoreError> {
        let (mut reused, mut shared) = (0, SharedKeys { some: true, ..SharedKeys::default() });
        for entry in &mut document.entries {
            let (Some(before), Some(cleaned)) = (known.entries.get(&entry.guid), &entry.cleaned) else { continue };
            if before.is_purged || before.fingerprint == cleaned.fingerprint {
                continue;
            }
            let Some(apart) = entry.other_guids.specific.last().cloned() else { continue };
            let (former, _) = self.former_entry(before.number)?;
            if is_reused(cleaned, &former) {
                shared.guids |= former.guid_kind == GuidKind::Guid;
                shared.links |= former.guid_kind == GuidKind::Link || document.guids_repaired.guids;
                give(entry, apart)?;
                reused += 1;
            }
        }
        if reused == 0 {
            return Ok(false);
        }
        let are_many = reused * SLIPS >= document.entries.len();
        let shared = if are_many { shared } else { SharedKeys { some: true, ..SharedKeys::default() } };
        document.guids_repaired = document.guids_repaired.with(shared);
        Ok(true)
    }
}

/// Gives an entry another guid; the one that it had is a plainer one.
fn give(entry: &mut PolledEntry, guid: String) -> Result<(), StoreError> {
    if let Some(cleaned) = &mut entry.cleaned {
        cleaned.entry.guid.value.clone_from(&guid);
        cleaned.json = serde_json::to_string(&cleaned.entry)?;
    }
    entry.other_guids.plainer.insert(0, std::mem::replace(&mut entry.guid, guid));
    Ok(())
}
