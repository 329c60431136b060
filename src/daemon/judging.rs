//! Judges sections whose definition changed: applies their rules to the stories again, to decide which stories are in
//! them. Works in batches, while polls, publishing and serving continue.
//!
//! The policy of this module: polls and batches alternate. If the store has few stories, all are judged before the new
//! config is published. If it has many, they are judged in the background, and a section is published as soon as all
//! stories that it shows are judged.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, mpsc};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::reload;
use crate::clock;
use crate::commit::{self, ActiveConfig};
use crate::feed::SectionId;
use crate::store::{Store, StoreError};

/// How long the publish loop waits for the judging after a change of the config. A few thousand stories can be judged
/// in this time.
const HEAD_START: Duration = Duration::from_secs(1);

/// How long to wait after a failure, such as a full disk.
const RETRY: Duration = Duration::from_secs(5);

/// The work of judging sections whose definition changed. Cheap to clone; clones share the work.
#[derive(Clone)]
pub(super) struct Judging {
    store: Store,
    active: ActiveConfig,
    /// Sends each section when all its stories are judged.
    judged: mpsc::UnboundedSender<BTreeSet<SectionId>>,
    more: Arc<Notify>,
}

impl Judging {
    /// Creates a handle of the work. The caller must also [`run`](Judging::run) one of its clones.
    pub(super) fn new(
        store: Store,
        active: ActiveConfig,
        judged: mpsc::UnboundedSender<BTreeSet<SectionId>>,
    ) -> Judging {
        Judging { store, active, judged, more: Arc::default() }
    }

    /// Judges for about a second at most, and leaves the rest to [`run`](Judging::run). Logs a failure; then `run`
    /// tries again.
    pub(super) async fn begin(&self) {
        let deadline = Instant::now() + HEAD_START;
        while Instant::now() < deadline {
            match self.judge_batch().await {
                Ok(true) => {}
                Ok(false) => return,
                Err(error) => {
                    log_failure(&error);
                    break;
                }
            }
        }
        self.more.notify_one();
    }

    /// Judges all stories that are left.
    ///
    /// # Errors
    ///
    /// Returns the errors of the store. After an error, [`run`](Judging::run) tries again.
    pub(super) async fn finish(&self) -> Result<(), StoreError> {
        while self.judge_batch().await? {}
        Ok(())
    }

    /// Judges in the background until `shutdown`: the stories that are left, and those that must be judged after later
    /// changes of the config.
    pub(super) async fn run(self, shutdown: CancellationToken) {
        // Log a lasting failure once.
        let mut failing = None;
        while !shutdown.is_cancelled() {
            let judged = self.judge_batch().await;
            let error = judged.as_ref().err().map(StoreError::to_string);
            let wait = match judged {
                Ok(true) => Duration::ZERO,
                Ok(false) => Duration::MAX,
                Err(error_of_store) => {
                    if error != failing {
                        log_failure(&error_of_store);
                    }
                    RETRY
                }
            };
            failing = error;
            if wait > Duration::ZERO {
                tokio::select! {
                    () = shutdown.cancelled() => {}
                    () = self.more.notified() => {}
                    () = tokio::time::sleep(wait) => {}
                }
            }
        }
    }

    /// Judges the next batch; returns whether there was one.
    async fn judge_batch(&self) -> Result<bool, StoreError> {
        let Some(batch) = commit::judge_batch(&self.store, self.active.clone(), clock::now()).await? else {
            return Ok(false);
        };
        if let Some(change) = &batch.change {
            reload::log_judged(change);
        }
        if batch.is_done {
            // Sending fails only at shutdown, if the publish loop has stopped already.
            let _ = self.judged.send(BTreeSet::from([batch.section]));
        }
        Ok(true)
    }
}

fn log_failure(error: &StoreError) {
    tracing::error!(%error, "cannot apply the changed rules of sections to the stories; retrying");
}
