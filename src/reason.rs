//! The words for why things are as they are.
//!
//! Nothing here reads, writes or decides.

use serde::{Deserialize, Serialize};

/// Why a copy belongs to its story.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum JoinReason {
    /// It is the entry that the story was made for.
    First,
    /// Its link is the link of a copy.
    Link,
    /// The original that it declares is the link of a copy, or the other way round.
    Original,
    /// It bears the published id of the story: another newswire took it over, and this one takes it back.
    Id,
    /// Its title and text are those of a copy.
    Text,
    /// An editor said so.
    Editor,
}

impl JoinReason {
    const ALL: [JoinReason; 6] = [
        JoinReason::First,
        JoinReason::Link,
        JoinReason::Original,
        JoinReason::Id,
        JoinReason::Text,
        JoinReason::Editor,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            JoinReason::First => "first",
            JoinReason::Link => "link",
            JoinReason::Original => "original",
            JoinReason::Id => "id",
            JoinReason::Text => "text",
            JoinReason::Editor => "editor",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == name)
    }
}
