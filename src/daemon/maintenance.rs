//! What time demands: stories age out of sections, old words are deleted, and the text indexes follow.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::clock;
use crate::commit::{self, ActiveConfig};
use crate::feed::SectionId;
use crate::store::{Store, StoreError};

/// How often to re-judge stories whose placement depends on their age.
const SWEEP: Duration = Duration::from_secs(60);

/// How often to delete words that are older than `[store] keep`.
const RETENTION: Duration = Duration::from_secs(24 * 3600);

/// How often to bring new entries into the text indexes.
const INDEX: Duration = Duration::from_secs(2);

/// Does what time demands, in small steps between polls, until `shutdown`. `swept` takes the sections that changed.
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
    // A lasting failure is logged once, not every other second.
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
            // The publish loop ends before this one only when everything ends.
            Ok(sections) => drop(swept.send(sections)),
            Err(_) if error == failing => {}
            Err(error) => tracing::error!(%error, "maintenance failed; it is retried"),
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
    // The index that readers search goes first.
    while commit::index_public_batch(store, active.current()).await? > 0 {}
    while commit::index_batch(store).await? > 0 {}
    Ok(BTreeSet::new())
}

/// Looks for damage in a large store while it is in use.
pub async fn check_store(store: Store, shutdown: CancellationToken) {
    tokio::select! {
        () = shutdown.cancelled() => {}
        checked = store.check() => if let Err(error) = checked {
            tracing::error!(%error, "the store is not written to any more");
        }
    }
}
