//! Loads the hooks that a poll tells of its changes, and synchronises the hooks of the store with the config.

use crate::config::Config;
use crate::newsroom::{self, HookChange, ListeningHook, ListeningHooks};
use crate::number::SectionNumber;
use crate::store::{StoreError, Turn};
use crate::time::Timestamp;

/// The hooks that a poll tells of its changes.
#[derive(Default)]
pub(super) struct Listening<'a> {
    hooks: Vec<ListeningHook<'a>>,
    judging: Vec<SectionNumber>,
}

impl<'a> Listening<'a> {
    /// Loads what is needed of the hooks of the config.
    ///
    /// # Errors
    ///
    /// Returns the errors of the store.
    pub(super) fn load(turn: &Turn, config: &'a Config) -> Result<Listening<'a>, StoreError> {
        if config.hooks.is_empty() {
            return Ok(Listening::default());
        }
        let hooks = newsroom::listeners(config, &turn.hooks()?);
        let judging = turn.judging()?.into_iter().map(|row| row.number).collect();
        Ok(Listening { hooks, judging })
    }

    pub(super) fn listeners(&self) -> ListeningHooks<'_> {
        ListeningHooks { hooks: &self.hooks, judging: &self.judging }
    }
}

/// Brings the hooks of the store in line with the config. The messages of a removed hook are deleted.
///
/// # Errors
///
/// Returns the errors of the store.
pub(super) fn sync_hooks(turn: &Turn, config: &Config, now: Timestamp) -> Result<(), StoreError> {
    for change in newsroom::hook_changes(&turn.hooks()?, config) {
        match change {
            HookChange::Added(id, target_hash) => turn.insert_hook(&id, &target_hash, now)?,
            HookChange::Retargeted(hook, target_hash) => turn.retarget_hook(hook, &target_hash, now)?,
            HookChange::Removed(hook) => turn.remove_hook(hook)?,
        }
    }
    Ok(())
}
