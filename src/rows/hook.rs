//! The hooks of the store, and the messages that wait to be sent to them.

use crate::feed::{FailureKind, FeedEvent, FeedId, SectionId};
use crate::hook::{HookEvent, HookId};
use crate::number::{FeedNumber, HookNumber, MessageNumber, SectionNumber, StoryNumber};
use crate::time::Timestamp;

/// A hook and how its receiver answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HookRow {
    /// The number of the hook.
    pub number: HookNumber,
    /// The hook.
    pub id: HookId,
    /// The SHA-256 of the address or command of the hook.
    pub target_hash: Vec<u8>,
    /// When the config first had the hook.
    pub first_seen: Timestamp,
    /// How the attempts to send messages ended.
    pub record: HookRecord,
}

/// How the attempts to send messages to a hook ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HookRecord {
    /// When the receiver said that it wants no more messages; `None` if it did not.
    pub gone: Option<Timestamp>,
    /// When the last message was sent, successfully or not.
    pub tried: Option<Timestamp>,
    /// How many attempts failed since the last one that succeeded.
    pub failures: u32,
    /// When the first of these attempts failed.
    pub failing_since: Option<Timestamp>,
    /// The kind of the last failure.
    pub failure: Option<FailureKind>,
    /// The HTTP status or exit code of the last failure.
    pub failure_status: Option<i64>,
    /// How many messages were given up because they were never accepted.
    pub given_up: u64,
}

/// A hook with the number of messages that wait.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HookStanding {
    /// The hook.
    pub hook: HookId,
    /// How the attempts ended.
    pub record: HookRecord,
    /// How many messages wait.
    pub waiting: u64,
    /// The time of the oldest of these messages.
    pub oldest: Option<Timestamp>,
}

/// A message to be sent to a hook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewMessage {
    /// The hook.
    pub hook: HookNumber,
    /// What happened.
    pub event: HookEvent,
    /// When it happened.
    pub at: Timestamp,
    /// To what it happened.
    pub subject: NewSubject,
}

/// What a new message is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NewSubject {
    /// A story in a section.
    Story(SectionNumber, StoryNumber),
    /// A feed, and what happened to it.
    Feed(FeedNumber, FeedEvent),
}

/// A message that waits to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageRow {
    /// The number of the message.
    pub number: MessageNumber,
    /// What happened.
    pub event: HookEvent,
    /// When it happened.
    pub at: Timestamp,
    /// How many attempts failed.
    pub attempts: u32,
    /// What the message is about.
    pub subject: MessageSubject,
}

/// What a waiting message is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MessageSubject {
    /// A story in a section.
    Story(SectionId, StoryNumber),
    /// A feed, and what happened to it.
    Feed(FeedId, FeedEvent),
}
