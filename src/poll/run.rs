//! The loop that polls on schedule.
//!
//! No wait is longer than a second, so that a machine that was suspended catches up. While the store cannot be written,
//! nobody is polled in vain.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::{PollReport, Poller, now};
use crate::config::Config;
use crate::feed::FeedId;
use crate::schedule::next;
use crate::store::StoreError;
use crate::time::Timestamp;

/// How often the loop looks which feeds are due: one indexed query, and the bound of every wait.
const TICK: Duration = Duration::from_secs(1);

/// A tick that comes so late comes after a suspend, or the clock was set.
const GAP: Duration = Duration::from_secs(30);

/// How long polling pauses after the store could not write, until it is tried again.
const STALL: Duration = Duration::from_secs(30);

/// No hold lasts longer: whatever is to be polled later than this was planned by a clock that was wrong.
const FARTHEST_POLL: Duration = Duration::from_secs(32 * 24 * 3600);

/// How many polls may be on their way for each that may fetch: those of one host wait for each other.
const WAITING_PER_FLIGHT: usize = 4;

/// How long polls on their way may go on after the daemon was told to end; then they are given up, unwritten.
const FINISHING: Duration = Duration::from_secs(10);

impl Poller {
    /// Polls on schedule until `shutdown`; sends what every poll came to.
    pub async fn run(
        self,
        mut configs: watch::Receiver<Arc<Config>>,
        reports: mpsc::UnboundedSender<PollReport>,
        shutdown: CancellationToken,
    ) {
        let mut polls = JoinSet::new();
        let mut in_flight = HashSet::new();
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut looked = None::<Timestamp>;
        let mut stalled = None::<Timestamp>;
        loop {
            tokio::select! {
                () = shutdown.cancelled() => break,
                _ = ticks.tick() => {}
                Ok(()) = configs.changed() => {}
                Some(done) = polls.join_next() => {
                    if let Err(error) = finish(done, &mut in_flight, &reports) {
                        if stalled.is_none() {
                            tracing::error!(%error, "what polls bring cannot be written; polling pauses, serving goes on");
                        }
                        stalled = Some(now());
                    }
                    continue;
                }
            }
            let config = configs.borrow_and_update().clone();
            let now = now();
            if !self.has_recovered(&mut stalled, now).await {
                continue;
            }
            // At the start, after a suspend, and when the clock was set.
            let has_gap = looked.is_none_or(|looked| now < looked || now.since(looked) > GAP);
            looked = Some(now);
            let caught_up = if has_gap { self.catch_up(&config, now).await } else { Ok(()) };
            let started = self.start_due(&config, now, &mut in_flight, &mut polls).await;
            if let Err(error) = caught_up.and(started) {
                tracing::error!(%error, "the due feeds could not be read");
            }
        }
        let finishing = async {
            while let Some(done) = polls.join_next().await {
                // What could not be written has been logged.
                let _ = finish(done, &mut in_flight, &reports);
            }
        };
        if tokio::time::timeout(FINISHING, finishing).await.is_err() {
            tracing::warn!(
                feeds = in_flight.len(),
                "polls on their way were given up; they will be done at the next start"
            );
        }
    }

    /// Whether the store takes what polls bring. While it does not, as on a full disk, nobody is polled in vain; it is tried
    /// anew every [`STALL`]. The log says when it begins and when it ends.
    async fn has_recovered(&self, stalled: &mut Option<Timestamp>, now: Timestamp) -> bool {
        let Some(since) = *stalled else { return true };
        if now.since(since) < STALL {
            return false;
        }
        match self.store.probe().await {
            Ok(()) => {
                tracing::warn!("the store takes what polls bring again; polling goes on");
                *stalled = None;
                true
            }
            Err(_) => {
                *stalled = Some(now);
                false
            }
        }
    }

    /// Spreads known feeds that are overdue in numbers, so that nobody's server is rushed; brings back polls that a clock set
    /// back would put off for ever. Feeds that were never polled and files need neither.
    async fn catch_up(&self, config: &Arc<Config>, now: Timestamp) -> Result<(), StoreError> {
        let states = self.store.read(move |reader| reader.unpunctual(now, now + FARTHEST_POLL)).await?;
        let feeds: Vec<_> = states
            .iter()
            .filter_map(|due| config.feed(&due.feed).filter(|feed| feed.enabled && !feed.url.is_file()))
            .map(|feed| (feed.id.clone(), next::phase(&feed.id), &feed.schedule))
            .collect();
        let phases: Vec<_> = feeds.iter().map(|(_, phase, schedule)| (*phase, *schedule)).collect();
        let times = next::spread(now, &phases);
        let moves = feeds.into_iter().map(|(feed, ..)| feed).zip(times).collect();
        self.store.reschedule(moves).await
    }

    async fn start_due(
        &self,
        config: &Arc<Config>,
        now: Timestamp,
        in_flight: &mut HashSet<FeedId>,
        polls: &mut JoinSet<(FeedId, Result<Option<PollReport>, StoreError>)>,
    ) -> Result<(), StoreError> {
        let room = (config.poll.concurrency * WAITING_PER_FLIGHT).saturating_sub(in_flight.len());
        if room == 0 {
            return Ok(());
        }
        let limit = in_flight.len() + room + config.feeds.iter().filter(|feed| !feed.enabled).count();
        let (due, host_holds) =
            self.store.read(move |reader| Ok((reader.due(now, limit)?, reader.host_holds(now)?))).await?;
        for due in due {
            let Some(feed) = config.feed(&due.feed).filter(|feed| feed.enabled) else { continue };
            let is_held = host_holds.contains_key(&feed.url.secret.origin().ascii_serialization());
            if is_held || !in_flight.insert(due.feed.clone()) {
                continue;
            }
            let (feed, poll) = (due.feed.clone(), self.poll(config, due, now, false));
            polls.spawn(async move { (feed, poll.await) });
        }
        Ok(())
    }
}

type PollDone = Result<(FeedId, Result<Option<PollReport>, StoreError>), tokio::task::JoinError>;

/// Passes on what a poll came to.
///
/// # Errors
///
/// If it could not be written: whatever is polled now would be lost as well.
fn finish(
    done: PollDone,
    in_flight: &mut HashSet<FeedId>,
    reports: &mpsc::UnboundedSender<PollReport>,
) -> Result<(), StoreError> {
    let (feed, result) = match done {
        Ok(done) => done,
        Err(error) => {
            tracing::error!(%error, "a poll met a fault");
            return Ok(());
        }
    };
    in_flight.remove(&feed);
    let report = result
        .inspect_err(|error| tracing::debug!(%feed, %error, "a poll could not be written; it will be done again"))?;
    if let Some(report) = report {
        // Whoever publishes ends before the poller does only when all ends.
        let _ = reports.send(report);
    }
    Ok(())
}
