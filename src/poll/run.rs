//! Polls on schedule, in a loop.
//!
//! No wait is longer than a second, so that a machine that was suspended catches up. The wall clock decides what is
//! due, and it may jump. A jump forward causes one poll of each feed, spread over time if there are many; a jump back
//! delays no feed forever. While the store cannot be written, nothing is polled, because the result would be lost.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::attempt::AttemptEnd;
use super::replan::clock_was_ahead;
use super::waiting::{JudgedPoll, WaitingPolls};
use super::{PollReport, Poller, host_hold};
use crate::config::{Config, Feed};
use crate::feed::{FeedId, HoldReason};
use crate::fetch;
use crate::schedule;
use crate::schedule::next::{self, LONGEST_HOLD, LONGEST_SPREAD};
use crate::store::{PollState, StoreError};
use crate::time::Timestamp;

/// How often the loop checks which feeds are due, with one indexed query. This is also the longest wait of the loop.
const TICK: Duration = Duration::from_secs(1);

/// A tick that is this late means that the machine was suspended or the clock was set.
const GAP: Duration = Duration::from_secs(30);

/// How long polling pauses after the store could not write, before the store is tried again.
const STALL: Duration = Duration::from_secs(30);

/// How many polls may be in progress, as a multiple of those that may fetch at the same time. It is more than one,
/// because polls of one host wait for each other and do not fetch meanwhile.
const WAITING_PER_FLIGHT: usize = 4;

/// The most polls in progress for one host. A host gets one request per second, so starting more of them would not
/// help.
const LONGEST_QUEUE: u32 = 64;

/// How long running polls may continue after the daemon received the signal to stop. After that, they are cancelled and
/// not written.
const FINISHING: Duration = Duration::from_secs(10);

impl Poller {
    /// Polls on schedule until `shutdown`; sends the report of every poll.
    pub async fn run(
        self,
        mut configs: watch::Receiver<Arc<Config>>,
        reports: mpsc::UnboundedSender<PollReport>,
        shutdown: CancellationToken,
    ) {
        let poller = Poller { is_scheduled: true, ..self };
        let mut polls = JoinSet::new();
        let mut in_flight = HashSet::new();
        let mut waiting = WaitingPolls::default();
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut clock = ClockWatch::default();
        let mut disabled = DisabledFeeds::default();
        let mut stalled = None::<Instant>;
        // Whether the due feeds could not be read. A lasting failure is logged once.
        let mut read_failed = false;
        loop {
            tokio::select! {
                () = shutdown.cancelled() => break,
                _ = ticks.tick() => {}
                Ok(()) = configs.changed() => {}
                Some(done) = polls.join_next() => {
                    match poller.finish(done, &mut in_flight, &mut waiting, &reports) {
                        Ok(judged) => poller.settle_all(&configs.borrow().clone(), judged, &mut polls),
                        Err(error) => {
                            if stalled.is_none() {
                                tracing::error!(%error, "polls cannot be saved; polling pauses, but serving continues");
                            }
                            stalled = Some(Instant::now());
                        }
                    }
                    continue;
                }
            }
            for poll in poller.watch.newly_stuck(std::time::Instant::now()) {
                tracing::error!(feed = %poll.feed, "the poll is {poll}; restart newswire and report it");
            }
            let config = configs.borrow_and_update().clone();
            let disabled = disabled.of(&config);
            let now = (poller.clock)();
            if !poller.has_recovered(&mut stalled).await {
                continue;
            }
            let judged = waiting.lapsed(now, &mut poller.outage());
            poller.settle_all(&config, judged, &mut polls);
            let has_gap = clock.has_gap(now, &in_flight);
            let caught_up = if has_gap { poller.catch_up(&config, now).await } else { Ok(()) };
            let started = poller.start_due((&config, disabled), now, &mut in_flight, waiting.len(), &mut polls).await;
            let read = caught_up.and(started);
            if let Err(error) = &read
                && !read_failed
            {
                tracing::error!(%error, "could not read which feeds are due; trying again every second");
            }
            read_failed = read.is_err();
        }
        let config = configs.borrow().clone();
        let finishing = poller.finish_all(&config, &mut polls, &mut in_flight, waiting, &reports);
        if tokio::time::timeout(FINISHING, finishing).await.is_err() {
            tracing::warn!(
                feeds = in_flight.len(),
                "running polls were cancelled; they will be repeated at the next start"
            );
        }
    }

    /// Returns whether the store can write polls. While it cannot, as on a full disk, nothing is polled, and the store
    /// is tried again every [`STALL`]. The log says when this begins and ends.
    async fn has_recovered(&self, stalled: &mut Option<Instant>) -> bool {
        let Some(since) = *stalled else { return true };
        if since.elapsed() < STALL {
            return false;
        }
        match self.store.probe().await {
            Ok(()) => {
                tracing::warn!("polls can be saved again; polling continues");
                *stalled = None;
                true
            }
            Err(_) => {
                *stalled = Some(Instant::now());
                false
            }
        }
    }

    /// Spreads the polls of known feeds over time if many are overdue, so that no server is overloaded; files are not
    /// spread. Plans polls again that would be late because the clock was set back.
    async fn catch_up(&self, config: &Arc<Config>, now: Timestamp) -> Result<(), StoreError> {
        let mut states = self.store.read(move |reader| reader.overdue_or_misplanned(now, now + LONGEST_HOLD)).await?;
        let ahead = clock_was_ahead(config, &states, now);
        if !ahead.is_zero() {
            // Include feeds whose polls were only postponed while the clock was wrong.
            states =
                self.store.read(move |reader| reader.overdue_or_misplanned(now, now + ahead - LONGEST_SPREAD)).await?;
        }
        self.replan(config, &mut states, now).await?;
        let overdue = states.iter().filter(|due| schedule::is_due(due.next_poll, now) && due.last_poll.is_some());
        let overdue =
            overdue.filter_map(|due| config.feed(&due.feed).filter(|feed| feed.enabled && !feed.url.is_file()));
        let overdue: Vec<_> = overdue.collect();
        let phases: Vec<_> = overdue.iter().map(|feed| (next::phase(&feed.id), &feed.schedule)).collect();
        let moves = overdue.iter().map(|feed| feed.id.clone()).zip(next::spread(now, &phases)).collect();
        self.store.reschedule(moves).await
    }

    async fn start_due(
        &self,
        (config, disabled): (&Arc<Config>, usize),
        now: Timestamp,
        in_flight: &mut HashSet<FeedId>,
        waiting: usize,
        polls: &mut RunningPolls,
    ) -> Result<(), StoreError> {
        let room = (config.poll.concurrency * WAITING_PER_FLIGHT).saturating_sub(in_flight.len() - waiting);
        if room == 0 {
            return Ok(());
        }
        let limit = in_flight.len() + room + disabled;
        let (due, host_holds) = self
            .store
            .read(move |reader| Ok((reader.due(now, limit)?, reader.host_holds(now, now + LONGEST_HOLD)?)))
            .await?;
        let due = due.into_iter().filter(|due| !in_flight.contains(&due.feed));
        let due = due.filter_map(|due| Some((&**config.feed(&due.feed).filter(|feed| feed.enabled)?, due)));
        let mut due: Vec<(&Feed, PollState)> = due.collect();
        let held = take_waiting(&mut due, |feed, due| host_hold(feed, due, &host_holds));
        let (mut queues, longest) = (queues(config, in_flight), longest_queue(config));
        let put_off = take_waiting(&mut due, |feed, _| {
            let length = queues.entry(host_of(feed)?).or_default();
            *length += 1;
            (*length > longest).then(|| now + fetch::SPACING * *length)
        });
        let holds = Arc::new(host_holds);
        for (_, due) in due {
            in_flight.insert(due.feed.clone());
            let (feed, poll) = (due.feed.clone(), self.poll(config, due, now, Some(holds.clone())));
            polls.spawn(async move { (feed, poll.await) });
        }
        self.store.hold(held, HoldReason::ItsHost).await?;
        self.store.reschedule(put_off).await
    }
}

/// The number of feeds that a config disables, counted once per config. These feeds stay due in the store.
#[derive(Default)]
struct DisabledFeeds {
    config: Option<Arc<Config>>,
    count: usize,
}

impl DisabledFeeds {
    fn of(&mut self, config: &Arc<Config>) -> usize {
        if !self.config.as_ref().is_some_and(|counted| Arc::ptr_eq(counted, config)) {
            self.count = config.feeds.iter().filter(|feed| !feed.enabled).count();
            self.config = Some(config.clone());
        }
        self.count
    }
}

/// What the loop knows about the clock.
#[derive(Default)]
struct ClockWatch {
    looked: Option<Timestamp>,
    /// The polls that began before the clock was set back. They are written with the time that the clock showed when
    /// they began.
    begun_before: HashSet<FeedId>,
}

impl ClockWatch {
    /// Returns whether plans may be wrong: at the start, after a suspend, and when the clock was set. If it was set
    /// back, returns true once more when all polls that began before are written.
    fn has_gap(&mut self, now: Timestamp, in_flight: &HashSet<FeedId>) -> bool {
        let looked = self.looked.replace(now);
        let was_set_back = looked.is_some_and(|looked| now < looked);
        let are_written = !self.begun_before.is_empty() && self.begun_before.is_disjoint(in_flight);
        if was_set_back {
            self.begun_before.clone_from(in_flight);
        } else if are_written {
            self.begun_before.clear();
        }
        was_set_back || are_written || looked.is_none_or(|looked| now.since(looked) > GAP)
    }
}

/// Removes the feeds that have to wait from `due`, so that the feeds of one host do not block others. Returns them,
/// each with the end of its wait.
fn take_waiting<'c>(
    due: &mut Vec<(&'c Feed, PollState)>,
    mut until: impl FnMut(&'c Feed, &PollState) -> Option<Timestamp>,
) -> Vec<(FeedId, Timestamp)> {
    let mut waiting = Vec::new();
    due.retain(|(feed, due)| match until(feed, due) {
        Some(at) => {
            waiting.push((due.feed.clone(), at));
            false
        }
        None => true,
    });
    waiting
}

fn longest_queue(config: &Config) -> u32 {
    u32::try_from(config.poll.concurrency).unwrap_or(u32::MAX).min(LONGEST_QUEUE)
}

/// Returns how many polls are in progress for each host.
fn queues<'c>(config: &'c Config, in_flight: &HashSet<FeedId>) -> HashMap<&'c str, u32> {
    let mut queues = HashMap::new();
    for host in in_flight.iter().filter_map(|feed| host_of(config.feed(feed)?)) {
        *queues.entry(host).or_default() += 1;
    }
    queues
}

/// Returns the host in whose queue a feed waits; `None` if the host has no queue, such as the editor's own hosts.
fn host_of(feed: &Feed) -> Option<&str> {
    feed.url.secret.host_str().filter(|_| !fetch::is_editors_own(feed))
}

type RunningPolls = JoinSet<(FeedId, Result<AttemptEnd, StoreError>)>;

type PollDone = Result<(FeedId, Result<AttemptEnd, StoreError>), tokio::task::JoinError>;

impl Poller {
    /// Sends the report of a finished poll. Returns the waiting polls for which its result gives a verdict.
    ///
    /// # Errors
    ///
    /// Returns an error if the result could not be written, because then other results could not be written either.
    fn finish(
        &self,
        done: PollDone,
        in_flight: &mut HashSet<FeedId>,
        waiting: &mut WaitingPolls,
        reports: &mpsc::UnboundedSender<PollReport>,
    ) -> Result<Vec<JudgedPoll>, StoreError> {
        let (feed, result) = match done {
            Ok(done) => done,
            Err(error) => {
                tracing::error!(%error, "internal error in a poll; its feed is polled again after a restart");
                return Ok(Vec::new());
            }
        };
        // A feed that waits for its verdict is not polled again before that.
        if !matches!(result, Ok(AttemptEnd::Unreached(_))) {
            in_flight.remove(&feed);
        }
        let done = result
            .inspect_err(|error| tracing::debug!(%feed, %error, "a poll could not be saved; it will be repeated"))?;
        Ok(match done {
            AttemptEnd::Written { report, reach } => {
                // Sending fails only at shutdown, if the publish loop has stopped already.
                let _ = reports.send(*report);
                reach.map(|reach| waiting.reached(reach, &mut self.outage())).unwrap_or_default()
            }
            AttemptEnd::Unreached(unreached) => waiting.push(*unreached, &mut self.outage()),
            AttemptEnd::Skipped => Vec::new(),
        })
    }

    /// Gives the verdict on the polls that wait for it, writes them, and awaits the running polls.
    async fn finish_all(
        &self,
        config: &Arc<Config>,
        polls: &mut RunningPolls,
        in_flight: &mut HashSet<FeedId>,
        mut waiting: WaitingPolls,
        reports: &mpsc::UnboundedSender<PollReport>,
    ) {
        loop {
            // Give the verdict on the waiting polls now, without waiting for a server that answers.
            let judged = waiting.judge_all((self.clock)(), &mut self.outage());
            self.settle_all(config, judged, polls);
            if polls.is_empty() {
                return;
            }
            while let Some(done) = polls.join_next().await {
                // The failure to write has been logged already.
                let judged = self.finish(done, in_flight, &mut waiting, reports).unwrap_or_default();
                self.settle_all(config, judged, polls);
            }
        }
    }

    /// Writes polls whose verdict is known.
    fn settle_all(&self, config: &Arc<Config>, judged: Vec<JudgedPoll>, polls: &mut RunningPolls) {
        for (unreached, verdict) in judged {
            let (feed, settling) = (unreached.failure.feed.clone(), self.settle(config, unreached, verdict));
            polls.spawn(async move { (feed, settling.await) });
        }
    }
}
