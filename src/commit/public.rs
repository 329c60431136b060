//! After a change of the config, marks the stories that must be indexed again in the public search index.

use crate::config::Config;
use crate::newsroom::{self, Reindexed};
use crate::store::{StoreError, Turn};

/// Begins to mark the stories that a changed config affects: it may change their public text, or make them public or
/// private. [`index_public_batch`](super::index_public_batch) then marks them in batches.
///
/// # Errors
///
/// Returns the errors of the store.
pub(super) fn follow_public(turn: &Turn, config: &Config) -> Result<(), StoreError> {
    let terms = newsroom::public_terms(config);
    match newsroom::reindexed(&terms, turn.public_terms()?.as_ref()) {
        Reindexed::None => return Ok(()),
        Reindexed::Of(feeds) => turn.begin_marking_of(&feeds)?,
        Reindexed::All => turn.begin_marking_all()?,
    }
    turn.write_public_terms(&terms)
}
