//! Decides what changes in entries, stories and sections: after a poll or a change of the config, by an editor's
//! command, or because time passes.
//!
//! Takes values and returns values. Never loads or writes a row, and never reads a clock. The caller passes the stored
//! rows and `now`, and writes the decision in the transaction in which it loaded the rows.

mod applied;
mod board;
mod candidates;
mod copies;
mod entries;
mod events;
mod feed_state;
mod guids;
mod hooks;
mod joins;
mod known;
mod lasting;
mod merge_split;
mod merging;
mod moves;
mod names;
mod placing;
mod plan;
mod polled;
mod public;
mod rekey;
mod reload;
mod versions;

pub use applied::Applied;
pub use board::{Board, Decided, Moves, SectionMoves, Setting, Unplaced};
pub use candidates::{FOUND_AT_MOST, Found, LINKED_AT_MOST, OTHERS_BYTES, Wanted, signature_keys, to_read, wanted};
pub use copies::{MAX_BYTES, SeenStory, Viewer, choose};
pub use entries::{Former, Polling, Tally, listing, rewords, shown_name, touched, writes_words};
pub use feed_state::{PolledFeed, after, document_row};
pub use guids::{keep_specific, renames, separate_reused, specific_guids, to_compare};
pub use hooks::{HookChange, ListeningHook, ListeningHooks, feed_messages, hook_changes, listeners};
pub use known::{FormerEntry, Join, Known, MAX_REVISIONS, OtherFeed, Terms, other_feed, publication, terms};
pub use lasting::fingerprint;
pub use merge_split::Pair;
pub use merging::older;
pub use moves::moved_to;
pub use names::{NamesVerdict, check_names, public_places};
pub use plan::{Change, Plan, runs};
pub use polled::{Cleaned, Encode, Outcome, Polled, PolledDocument, PolledEntry, TextKeys};
pub use public::{Reindexed, public_among, public_search, public_sections, public_terms, reindexed};
pub use rekey::is_flood;
pub use reload::{
    FeedChange, Rejudged, feed_changes, permanent_ids, podcast_guid, podcast_guids, rejudged, rules_hash,
};
