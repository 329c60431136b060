//! Decisions: what a poll, an edit of the config, an editor or a day changes.
//!
//! Values in, values out. Never loads or writes a row, never reads a clock: the caller gives what the store knows and
//! `now`, and writes what is decided in the same transaction.

mod events;
mod joins;
mod lasting;
mod merging;
mod moves;
mod placing;
mod plan;
mod rekey;

pub use events::{FeedEvent, FeedStanding, News, events};
pub use lasting::fingerprint;
pub use merging::{Merge, Telling, Wordings, older, one_of};
pub use moves::has_moved;
pub use placing::{Effect, Merging, NO_FEED, Occasion, Placement, Placing, UNITED, leave, merge, place};
use plan::Shared;
pub use plan::{
    Change, Cleaned, FormerEntry, Join, Known, KnownEntry, Linked, MAX_REVISIONS, OtherEntry, Outcome, Plan, Polled,
    PolledDocument, PolledEntry, Rewording, Terms, runs, sort_at,
};
pub use rekey::{is_flood, is_reused};
