//! The public index after a change of the config: which stories are to be indexed again.

use crate::config::Config;
use crate::newsroom::{self, Reindexed};
use crate::store::{StoreError, Turn};

/// Begins to mark the stories that a changed config may make public or private, or may show differently. The batches of
/// [`index_public_batch`](super::index_public_batch) mark them.
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
