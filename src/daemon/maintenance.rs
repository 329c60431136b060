//! Periodic work: takes stories that are too old out of sections, deletes old text, and updates the text indexes.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::clock;
use crate::commit::{self, ActiveConfig};
use crate::feed::SectionId;
use crate::store::{Store, StoreError};

/// How often to apply the rules of sections again to stories whose placement depends on their age.
const SWEEP: Duration = Duration::from_secs(60);

/// How often to delete text that is older than `[store] keep`, or exceeds the limits of the store.
const RETENTION: Duration = Duration::from_secs(24 * 3600);

/// How often to add new entries to the text indexes.
const INDEX: Duration = Duration::from_secs(2);

/// Does the periodic work in small steps between polls, until `shutdown`. Sends the changed sections to `swept`.
pub(super) async fn run(
    store: Store,
    active: ActiveConfig,
    swept: mpsc::UnboundedSender<BTreeSet<SectionId>>,
    shutdown: CancellationToken,
) {
    let mut sweeps = tokio::time::interval(SWEEP);
    let mut retentions = tokio::time::interval(RETENTION);
    let mut indexing = tokio::time::interval(INDEX);
    for interval in [&mut sweeps, &mut retentions, &mut indexing] {
        interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    }
    // Log a lasting failure once, not every two seconds.
    let mut failing = None;
    loop {
        let result = tokio::select! {
            () = shutdown.cancelled() => return,
            _ = sweeps.tick() => commit::sweep(&store, active.clone(), clock::now()).await.map(|moves| moves.into_keys().collect()),
            _ = retentions.tick() => retain(&store, &active).await,
            _ = indexing.tick() => index(&store, &active).await,
        };
        let error = result.as_ref().err().map(StoreError::to_string);
        match result {
            Ok(sections) if sections.is_empty() => {}
            // Sending fails only at shutdown, if the publish loop has stopped already.
            Ok(sections) => drop(swept.send(sections)),
            Err(_) if error == failing => {}
            Err(error) => tracing::error!(%error, "maintenance failed; retrying"),
        }
        failing = error;
    }
}

async fn retain(store: &Store, active: &ActiveConfig) -> Result<BTreeSet<SectionId>, StoreError> {
    let mut changed = BTreeSet::new();
    loop {
        let (done, moves) = commit::retain_batch(store, active.clone(), clock::now()).await?;
        changed.extend(moves.into_keys());
        if done == 0 {
            return Ok(changed);
        }
    }
}

async fn index(store: &Store, active: &ActiveConfig) -> Result<BTreeSet<SectionId>, StoreError> {
    // First update the index that readers search.
    while commit::index_public_batch(store, active.clone()).await? > 0 {}
    while commit::index_batch(store).await? > 0 {}
    Ok(BTreeSet::new())
}

/// Checks the integrity of a large store while the daemon runs, until the check is done or `shutdown`. Logs damage.
pub async fn check_store(store: Store, shutdown: CancellationToken) {
    tokio::select! {
        () = shutdown.cancelled() => {}
        checked = store.check() => if let Err(error) = checked {
            tracing::error!(%error, "newswire no longer writes to the store");
        }
    }
}
