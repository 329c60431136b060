//! Types for hooks: programs and addresses that are notified of what happens to stories and feeds.
//!
//! This module defines values only; it has no I/O and no policy.

use std::fmt;
use std::sync::Arc;

use serde::{Serialize, Serializer};

/// The id of a configured hook (`[[hook]] id`). It is unique in the config.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct HookId(pub Arc<str>);

impl HookId {
    /// Returns the id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for HookId {
    fn from(text: &str) -> Self {
        HookId(text.into())
    }
}

impl fmt::Display for HookId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a hook can be notified of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HookEvent {
    /// A story entered a section.
    Published,
    /// The content that a section shows of a story changed.
    Revised,
    /// A feed failed several times in a row, or is gone for good.
    FeedFailed,
    /// A feed answers again.
    FeedRecovered,
    /// A feed has moved for good.
    FeedMoved,
}

impl HookEvent {
    /// All events.
    pub const ALL: [HookEvent; 5] = [
        HookEvent::Published,
        HookEvent::Revised,
        HookEvent::FeedFailed,
        HookEvent::FeedRecovered,
        HookEvent::FeedMoved,
    ];

    /// Returns the name of the event, which never changes: `events` of the config, `type` of a message.
    pub fn name(self) -> &'static str {
        match self {
            HookEvent::Published => "published",
            HookEvent::Revised => "revised",
            HookEvent::FeedFailed => "feed.failed",
            HookEvent::FeedRecovered => "feed.recovered",
            HookEvent::FeedMoved => "feed.moved",
        }
    }

    /// Returns the event with this name.
    pub fn from_name(name: &str) -> Option<HookEvent> {
        HookEvent::ALL.into_iter().find(|event| event.name() == name)
    }

    /// Whether the event is about a story, not a feed.
    pub fn is_of_story(self) -> bool {
        matches!(self, HookEvent::Published | HookEvent::Revised)
    }
}

impl Serialize for HookEvent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}
