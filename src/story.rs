//! Which story an entry belongs to, and which of a story's copies leads.
//!
//! Pure: values in, values out. The policy (one story is told once; a false merge is worse than a missed one; no feed can
//! take the lead from the copy at the original's own host) is held here.

use serde::{Deserialize, Serialize};

use crate::entry::Entry;
use crate::feed::FeedId;
use crate::time::Timestamp;

/// An entry that belongs to a story.
#[derive(Clone, Debug)]
pub struct Copy {
    pub feed: FeedId,
    pub entry: Entry,
    pub first_seen: Timestamp,
    /// When its lasting content last changed; `None` where it never did.
    pub revised: Option<Timestamp>,
    pub reason: JoinReason,
    /// How alike it was to the story when it joined, 0 to 1; only where text decided.
    pub score: Option<f64>,
}

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
    /// Its title and text are very alike.
    Text,
    /// An editor joined it.
    Editor,
}

/// One thing told, with all of its copies.
#[derive(Clone, Debug)]
pub struct Story {
    /// The published id: minted once, never changed.
    pub id: String,
    /// Its page is `/story/{slug}/`.
    pub slug: String,
    pub sort_at: Timestamp,
    /// In the order in which they joined; never empty.
    pub copies: Vec<Copy>,
}
