//! Which story an entry belongs to, which of its copies leads, and under which id it is published.
//!
//! Pure: values in, values out. The policy held here: one story is told once, but a false merge is worse than a missed one;
//! a link joins only copies of which at least one has no words of its own, a text only copies that are alike in title and
//! body and do not look like one form that was filled twice; no feed can take the lead from the copy at the
//! original's own host, whatever its document claims; a published id is minted once and from nothing that may change.

mod former;
mod id;
mod keys;
mod lead;
mod likeness;
mod media;
mod numerals;
mod permanent;
mod title;
mod words;

use serde::{Deserialize, Serialize};

pub use former::{FormerCopy, FormerNames};
pub use id::{minted_id, own_id, private_id, replaced_id, slug, slug_number, unnamed};
pub use keys::{LinkKey, link_keys};
pub use lead::{LeadCandidate, LeadRule, lead};
pub use likeness::Wording;
pub use permanent::is_id;

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
