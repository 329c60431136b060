//! Decides which hooks are notified of what.
//!
//! The policy of hooks: a hook is notified of what happens while newswire runs, never of what a new rule, an editor or a
//! restored store changes. So only polls tell hooks, and the first document of a feed tells them nothing. A story is
//! reported once, in the first of the hook's sections that it enters, if it is not older than the hook's `max_age`. This
//! module does no I/O.

use std::collections::HashMap;

use sha2::{Digest, Sha256};

use super::placing::{Effect, Placing};
use crate::config::{Config, Hook, HookTarget, Section};
use crate::feed::{FeedEvent, FeedId};
use crate::hook::{HookEvent, HookId};
use crate::number::{HookNumber, SectionNumber, StoryNumber};
use crate::rows::{EventRow, HookRow, NewMessage, NewSubject, PlacementRow};
use crate::section::{self, SeenCopy, Verdict};
use crate::time::Timestamp;

/// A hook that is notified of changes.
#[derive(Clone, Copy, Debug)]
pub struct ListeningHook<'a> {
    /// The hook.
    pub hook: &'a Hook,
    /// The number of the hook.
    pub number: HookNumber,
    /// When the config first had the hook.
    pub first_seen: Timestamp,
}

/// The hooks that are notified of the changes that a decision makes; none by default.
#[derive(Clone, Copy, Debug, Default)]
pub struct ListeningHooks<'a> {
    /// The hooks.
    pub hooks: &'a [ListeningHook<'a>],
    /// The sections whose definition changed and whose stories are not all judged yet. Only new stories are notified of
    /// them, because others may enter by the new definition.
    pub judging: &'a [SectionNumber],
}

/// Returns the configured hooks that the store knows, except those whose receivers want no more messages.
pub fn listeners<'a>(config: &'a Config, known: &[HookRow]) -> Vec<ListeningHook<'a>> {
    let listener = |hook: &'a std::sync::Arc<Hook>| {
        let row = known.iter().find(|row| row.id == hook.id && row.record.gone.is_none())?;
        Some(ListeningHook { hook, number: row.number, first_seen: row.first_seen })
    };
    config.hooks.iter().filter_map(listener).collect()
}

/// What a decision changed for a story in one section.
pub(super) struct StoryChange<'c, 'e> {
    /// The time of the decision.
    pub now: Timestamp,
    pub section: &'c Section,
    pub number: SectionNumber,
    pub story: StoryNumber,
    pub sort_at: Timestamp,
    /// The copies that the section sees.
    pub visible: &'c [&'c SeenCopy<'e>],
    pub verdict: Option<&'c Verdict>,
    pub before: Option<&'c PlacementRow>,
    pub placing: &'c Placing,
}

/// Returns the messages about a story that one section places differently. `has_entered` says whether the story was in
/// a section of a hook before this decision. Leaves out hooks in `notified`, which were notified of the story in this
/// decision already, and adds those that are notified now.
pub(super) fn story_messages(
    change: &StoryChange,
    listeners: ListeningHooks,
    has_entered: impl Fn(&Hook) -> bool,
    notified: &mut Vec<HookNumber>,
) -> Vec<NewMessage> {
    let now = change.now;
    let Some((event, verdict)) = event(change, now).zip(change.verdict) else { return Vec::new() };
    let is_new = change.visible.iter().all(|copy| copy.first_seen >= now);
    if !is_new && listeners.judging.contains(&change.number) {
        return Vec::new();
    }
    let is_notified = |listener: &&ListeningHook| {
        let ListeningHook { hook, number, first_seen } = **listener;
        let is_news = match event {
            HookEvent::Published => !has_entered(hook),
            _ => change.before.and_then(|before| before.entered).is_some_and(|entered| entered > first_seen),
        };
        !notified.contains(&number)
            && hook.events.contains(&event)
            && hook.hears_of(change.section)
            && change.sort_at + hook.max_age > now
            && is_news
            && section::is_kept(&hook.keep, change.visible, verdict.lead, change.sort_at, now)
    };
    let hooks: Vec<HookNumber> = listeners.hooks.iter().filter(is_notified).map(|listener| listener.number).collect();
    notified.extend(&hooks);
    let subject = NewSubject::Story(change.number, change.story);
    hooks.into_iter().map(|hook| NewMessage { hook, event, at: now, subject: subject.clone() }).collect()
}

/// Returns what readers of the section notice, if hooks can be notified of it.
fn event(change: &StoryChange, now: Timestamp) -> Option<HookEvent> {
    let changed = |row: &PlacementRow| row.changed == Some(now);
    match change.placing.effect {
        Effect::Enters => Some(HookEvent::Published),
        Effect::Shows => {
            let is_revised = change.placing.write.as_ref().is_some_and(changed) && !change.before.is_some_and(changed);
            is_revised.then_some(HookEvent::Revised)
        }
        Effect::None | Effect::Leaves => None,
    }
}

/// Returns the messages about the events of a poll of a feed.
pub fn feed_messages(
    config: &Config,
    listeners: ListeningHooks,
    feed: &FeedId,
    events: &[EventRow],
) -> Vec<NewMessage> {
    let mut messages = Vec::new();
    for row in events {
        let Some(event) = feed_event(&row.event) else { continue };
        let is_notified = |listener: &&ListeningHook| {
            let hook = listener.hook;
            let mut sections = config.sections.iter().filter(|section| hook.sections.contains(&section.id));
            hook.events.contains(&event) && (hook.sections.is_empty() || sections.any(|section| section.takes(feed)))
        };
        let message = |hook: HookNumber| {
            let subject = NewSubject::Feed(row.feed, row.event.clone());
            NewMessage { hook, event, at: row.at, subject }
        };
        messages.extend(listeners.hooks.iter().filter(is_notified).map(|listener| message(listener.number)));
    }
    messages
}

/// Returns the event that hooks are notified of; `None` for one that concerns only the editor.
fn feed_event(event: &FeedEvent) -> Option<HookEvent> {
    match event {
        FeedEvent::Gone | FeedEvent::Died { .. } => Some(HookEvent::FeedFailed),
        FeedEvent::Recovered { .. } => Some(HookEvent::FeedRecovered),
        FeedEvent::Moved { .. } => Some(HookEvent::FeedMoved),
        FeedEvent::Flooded { .. } | FeedEvent::Rekeyed { .. } | FeedEvent::Old { .. } => None,
    }
}

/// What a new config changes for a hook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HookChange {
    /// A new hook, with the hash of its address or command.
    Added(HookId, Vec<u8>),
    /// A known hook with another address or command.
    Retargeted(HookNumber, Vec<u8>),
    /// A hook that the config does not have any more.
    Removed(HookNumber),
}

/// Returns what a config changes for hooks.
pub fn hook_changes(known: &[HookRow], config: &Config) -> Vec<HookChange> {
    let by_id: HashMap<&HookId, &HookRow> = known.iter().map(|row| (&row.id, row)).collect();
    let change = |hook: &std::sync::Arc<Hook>| {
        let hash = target_hash(&hook.target);
        match by_id.get(&hook.id) {
            None => Some(HookChange::Added(hook.id.clone(), hash)),
            Some(row) => (row.target_hash != hash).then_some(HookChange::Retargeted(row.number, hash)),
        }
    };
    let changes = config.hooks.iter().filter_map(change);
    let removed = known.iter().filter(|row| !config.hooks.iter().any(|hook| hook.id == row.id));
    changes.chain(removed.map(|row| HookChange::Removed(row.number))).collect()
}

/// Returns the SHA-256 of an address or command. The store has only the hash, because an address may be secret.
fn target_hash(target: &HookTarget) -> Vec<u8> {
    match target {
        HookTarget::Url { url, .. } => Sha256::digest(url.as_str()).to_vec(),
        HookTarget::Command(command) => {
            let mut hash = Sha256::new();
            for candidate in &command.candidates {
                hash.update(candidate.as_os_str().as_encoded_bytes());
                hash.update([0]);
            }
            for argument in &command.arguments {
                hash.update([1]);
                hash.update(argument);
                hash.update([0]);
            }
            hash.finalize().to_vec()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hooks_are_notified_only_of_events_that_need_care() {
        let check =
            |event: FeedEvent, expected: Option<HookEvent>| assert_eq!(feed_event(&event), expected, "{event:?}");
        check(FeedEvent::Gone, Some(HookEvent::FeedFailed));
        check(FeedEvent::Recovered { failures: 3 }, Some(HookEvent::FeedRecovered));
        check(FeedEvent::Moved { to: "https://a.example/".to_owned() }, Some(HookEvent::FeedMoved));
        check(FeedEvent::Flooded { new: 60 }, None);
    }
}
