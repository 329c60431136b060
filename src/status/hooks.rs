//! The state of hooks: what waits, and how their receivers answer.

use serde::Serialize;

use crate::config::Config;
use crate::delivery::DeliveryFault;
use crate::feed::FailureKind;
use crate::hook::HookId;
use crate::rows::HookRecord;
use crate::store::{StoreError, View};
use crate::time::Timestamp;

/// The state of a hook, without its address.
#[derive(Clone, Debug, Serialize)]
pub struct HookOverview {
    /// The id of the hook.
    pub id: HookId,
    /// The state.
    pub state: HookCondition,
    /// How many messages wait to be sent.
    pub waiting: u64,
    /// The time of the oldest of them.
    pub oldest: Option<Timestamp>,
    /// How many attempts failed since the last one that succeeded.
    pub failures: u32,
    /// When the first of them failed.
    pub failing_since: Option<Timestamp>,
    /// Why the last one failed, as a sentence.
    pub last_error: Option<String>,
    /// The kind of this failure, as a code.
    pub error_code: Option<FailureKind>,
    /// How many messages were given up in all.
    pub given_up: u64,
}

/// The state of a hook.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum HookCondition {
    /// The last message was accepted, or none was sent yet.
    Ok,
    /// The last attempt failed.
    Failing,
    /// The receiver wants no more messages (410).
    Gone,
}

impl HookOverview {
    /// Returns what an editor should know of the hook, as a sentence; `None` if all is well.
    pub fn trouble(&self) -> Option<String> {
        let why = self.last_error.as_deref().unwrap_or_default();
        let HookOverview { id, waiting, given_up, .. } = self;
        match self.state {
            HookCondition::Ok => None,
            HookCondition::Gone => Some(format!("the hook `{id}` gets no more messages: {why}")),
            HookCondition::Failing => {
                let since = self.failing_since.map(|since| format!(" since {since}")).unwrap_or_default();
                Some(format!("the hook `{id}` fails{since}: {why}; {waiting} messages wait, {given_up} were given up"))
            }
        }
    }
}

/// Returns the state of every configured hook, in the order of the config.
///
/// # Errors
///
/// Returns the errors of the store.
pub fn hooks(config: &Config, view: &View) -> Result<Vec<HookOverview>, StoreError> {
    if config.hooks.is_empty() {
        return Ok(Vec::new());
    }
    let standings = view.hook_standings()?;
    let overview = |id: &HookId| {
        let standing = standings.iter().find(|standing| standing.hook == *id);
        let record = standing.map(|standing| standing.record.clone()).unwrap_or_default();
        HookOverview {
            id: id.clone(),
            state: condition(&record),
            waiting: standing.map_or(0, |standing| standing.waiting),
            oldest: standing.and_then(|standing| standing.oldest),
            last_error: DeliveryFault::words(&record),
            failures: record.failures,
            failing_since: record.failing_since,
            error_code: record.failure,
            given_up: record.given_up,
        }
    };
    Ok(config.hooks.iter().map(|hook| overview(&hook.id)).collect())
}

fn condition(record: &HookRecord) -> HookCondition {
    match (record.gone, record.failures) {
        (Some(_), _) => HookCondition::Gone,
        (None, 0) => HookCondition::Ok,
        (None, _) => HookCondition::Failing,
    }
}
