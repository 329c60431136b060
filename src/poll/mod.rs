//! Polling: due feeds → fetch → parse → clean → plan and apply, and the loop that does it on schedule.
//!
//! Fetching is the only concurrent stage beside parsing, which runs on the blocking pool, as many at once as there are
//! cores. The policy held here: a bad entry never fails its feed, a bad feed never fails the pass, a fault in reading one
//! document is that feed's failure; every attempt is written, failed ones too; no wait is longer than a second, so that a
//! machine that was suspended catches up.

mod outage;
mod read;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde::Serialize;
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::config::{Config, Feed};
use crate::feed::FeedId;
use crate::fetch::{Attempt, Document, FetchError, Fetched, Fetcher};
use crate::schedule::next::{self, Outlook, PollOutcome};
use crate::schedule::{Schedule, adaptive};
use crate::store::{Applied, DueFeed, Store, StoreError};
use crate::time::Timestamp;
use crate::update::{Outcome, Polled, PolledDocument};
use outage::Outage;

/// How often the loop looks which feeds are due: one indexed query, and the bound of every wait.
const TICK: Duration = Duration::from_secs(1);

/// A tick that comes so late comes after a suspend, or the clock was set.
const GAP: Duration = Duration::from_secs(30);

/// No hold lasts longer: whatever is to be polled later than this was planned by a clock that was wrong.
const FARTHEST_POLL: Duration = Duration::from_secs(32 * 24 * 3600);

/// How many polls may be on their way for each that may fetch: those of one host wait for each other.
const WAITING_PER_FLIGHT: usize = 4;

/// How long a feed is left alone after a poll that somebody asked for, unless it is forced.
pub const MANUAL_GAP: Duration = Duration::from_secs(10 * 60);

/// How long polls on their way may go on after the daemon was told to end; then they are given up, unwritten.
const FINISHING: Duration = Duration::from_secs(10);

/// What one attempt at one feed came to: a line of `poll --json`.
#[derive(Clone, Debug, Serialize)]
pub struct PollReport {
    pub feed: FeedId,
    pub outcome: ReportedOutcome,
    pub status: Option<u16>,
    pub new: usize,
    pub revised: usize,
    /// What had to be mended to read the document, and what else an editor should know.
    pub problems: Vec<String>,
    pub error: Option<String>,
    pub duration_ms: u64,
    pub next_poll: Timestamp,
    /// What the poll changed, for whoever publishes.
    #[serde(skip)]
    pub applied: Applied,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ReportedOutcome {
    Changed,
    Unchanged,
    NotModified,
    /// Not asked at all: the server wants to be left alone, or it was asked minutes ago.
    Held,
    Failed,
    Gone,
}

impl ReportedOutcome {
    pub fn as_str(self) -> &'static str {
        match self {
            ReportedOutcome::Changed => "changed",
            ReportedOutcome::Unchanged => "unchanged",
            ReportedOutcome::NotModified => "not modified",
            ReportedOutcome::Held => "held",
            ReportedOutcome::Failed => "failed",
            ReportedOutcome::Gone => "gone",
        }
    }
}

/// Which feeds a pass polls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pass {
    /// Those whose time has come.
    Due,
    /// Every feed, but holds are kept, and so is [`MANUAL_GAP`].
    All,
    /// Every feed or those named, now; requests stay conditional.
    Force(Vec<FeedId>),
    /// Those named, holds kept.
    Named(Vec<FeedId>),
}

/// Polls feeds of one store. Cheap to clone.
#[derive(Clone)]
pub struct Poller {
    store: Store,
    fetcher: Fetcher,
    flights: Arc<Semaphore>,
    parsing: Arc<Semaphore>,
    outage: Arc<Mutex<Outage>>,
}

impl Poller {
    /// `concurrency` is the number of feeds that may be fetched at once.
    pub fn new(store: Store, fetcher: Fetcher, concurrency: usize) -> Poller {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Poller {
            store,
            fetcher,
            flights: Arc::new(Semaphore::new(concurrency.max(1))),
            parsing: Arc::new(Semaphore::new(cores)),
            outage: Arc::default(),
        }
    }

    /// One hand-driven pass at `now`; returns what every feed came to, in the order in which they were done. `done` hears
    /// of each as it happens.
    ///
    /// # Errors
    ///
    /// As of the store. A feed's failure is no error: it is in its report.
    pub async fn pass(
        &self,
        config: &Arc<Config>,
        pass: &Pass,
        now: Timestamp,
        mut done: impl FnMut(&PollReport, usize),
    ) -> Result<Vec<PollReport>, StoreError> {
        let (feeds, held) = self.choose(config, pass, now).await?;
        let total = feeds.len() + held.len();
        let mut reports = Vec::with_capacity(total);
        for report in held {
            done(&report, total);
            reports.push(report);
        }
        let mut polls = JoinSet::new();
        for due in feeds {
            let (poller, config) = (self.clone(), config.clone());
            polls.spawn(async move { poller.poll(&config, due, now).await });
        }
        while let Some(report) = polls.join_next().await {
            let Some(report) = report.map_err(|_| StoreError::Closed)?? else { continue };
            done(&report, total);
            reports.push(report);
        }
        Ok(reports)
    }

    /// Polls what is due at `now`.
    ///
    /// # Errors
    ///
    /// As [`Poller::pass`].
    pub async fn poll_due(&self, config: &Arc<Config>, now: Timestamp) -> Result<Vec<PollReport>, StoreError> {
        self.pass(config, &Pass::Due, now, |_, _| {}).await
    }

    /// The feeds that a pass asks, and reports of those that it leaves alone.
    async fn choose(
        &self,
        config: &Arc<Config>,
        pass: &Pass,
        now: Timestamp,
    ) -> Result<(Vec<DueFeed>, Vec<PollReport>), StoreError> {
        let ids: Vec<FeedId> = config.feeds.iter().filter(|feed| feed.enabled).map(|feed| feed.id.clone()).collect();
        let (states, host_holds) = self
            .store
            .read(move |reader| {
                let states = ids.iter().map(|id| reader.poll_state(id)).collect::<Result<Vec<_>, _>>()?;
                Ok((states.into_iter().flatten().collect::<Vec<_>>(), reader.host_holds(now)?))
            })
            .await?;
        let (mut feeds, mut held) = (Vec::new(), Vec::new());
        for due in states {
            let is_asked = match pass {
                Pass::Due => due.next_poll <= now && due.state != "gone",
                Pass::All => due.state != "gone",
                Pass::Force(named) => named.is_empty() || named.contains(&due.feed),
                Pass::Named(named) => named.contains(&due.feed),
            };
            let Some(feed) = config.feed(&due.feed).filter(|_| is_asked) else { continue };
            match hold(feed, &due, &host_holds, now) {
                Some((until, why)) if !matches!(pass, Pass::Force(_)) => held.push(held_report(&due, until, &why, now)),
                _ => feeds.push(due),
            }
        }
        feeds.sort_by_key(|due| due.next_poll);
        Ok((feeds, held))
    }

    /// One attempt at one feed, written; `None` if the feed has left the config.
    async fn poll(&self, config: &Arc<Config>, due: DueFeed, now: Timestamp) -> Result<Option<PollReport>, StoreError> {
        let Some(feed) = config.feed(&due.feed).cloned() else { return Ok(None) };
        let chosen = Instant::now();
        let permit = self.fetcher.host_permit(&feed, due.start.as_ref()).await;
        let flight = self.flights.acquire().await.map_err(|_| StoreError::Closed)?;
        let begun = Instant::now();
        let attempt = self.fetcher.get(&feed, due.start.as_ref(), &due.validators, permit).await;
        let times = Times { at: now + (begun - chosen), answered: now + chosen.elapsed(), begun };
        let polled = self.read(&feed, due, attempt, times).await?;
        drop(flight);
        self.write(config, polled).await.map(Some)
    }

    /// Reads what was fetched, into everything that the store has to write.
    async fn read(&self, feed: &Arc<Feed>, due: DueFeed, attempt: Attempt, times: Times) -> Result<Polled, StoreError> {
        let Attempt { result, status, lifetimes, permanent, public_origin } = attempt;
        let is_own_outage = self.is_own_outage(feed, &result, times.answered);
        let outcome = match result {
            Ok(Fetched::NotModified { validators }) => Outcome::NotModified { validators },
            Ok(Fetched::Document(document)) => self.read_document(feed, &due, document).await?,
            Err(error @ FetchError::Gone) => Outcome::Gone { error: error.to_string() },
            Err(error) => Outcome::Failed { kind: error.kind(), error: error.to_string() },
        };
        let failures = match &outcome {
            Outcome::Failed { .. } if is_own_outage => due.failures,
            Outcome::Failed { .. } | Outcome::Gone { .. } => due.failures + 1,
            Outcome::NotModified { .. } | Outcome::Document(_) => 0,
        };
        let document = match &outcome {
            Outcome::Document(document) => Some(&**document),
            _ => None,
        };
        let per_day = per_day(&due, &outcome, times.at);
        let has_validators = document.and_then(|document| document.validators.as_ref()).is_some_and(|v| !v.is_empty());
        let next = next::next_poll(&Outlook {
            now: times.answered,
            schedule: &schedule(feed, per_day, document),
            schedule_is_default: feed.schedule_is_default,
            phase: next::phase(&feed.id),
            is_first_poll: due.last_poll.is_none(),
            outcome: match &outcome {
                Outcome::NotModified { .. } => PollOutcome::Unchanged,
                Outcome::Document(_) => PollOutcome::Success,
                Outcome::Failed { .. } if is_own_outage => PollOutcome::OwnOutage,
                Outcome::Failed { .. } => PollOutcome::Failed { status },
                Outcome::Gone { .. } => PollOutcome::Gone,
            },
            failures,
            lifetimes,
            hints: document.map_or(&due.hints, |document| &document.hints),
            has_validators_ever: due.had_validators || has_validators || feed.url.is_file(),
            host_is_public: public_origin.is_some(),
        });
        let duration_ms = u64::try_from(times.begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        let (feed, at, start) = (due.feed, times.at, due.start);
        Ok(Polled { feed, at, duration_ms, status, outcome, next, failures, per_day, start, permanent, public_origin })
    }

    /// Whether the feed could not be reached because nobody can be.
    fn is_own_outage(&self, feed: &Feed, result: &Result<Fetched, FetchError>, now: Timestamp) -> bool {
        if feed.url.is_file() {
            return false;
        }
        let mut outage = self.outage.lock().expect("nobody panics while holding the lock");
        match result {
            Err(error) if error.is_unreachable() => {
                outage.unreached(now, &feed.id, feed.url.secret.host_str().unwrap_or_default())
            }
            _ => {
                outage.reached(now);
                false
            }
        }
    }

    async fn read_document(&self, feed: &Arc<Feed>, due: &DueFeed, document: Document) -> Result<Outcome, StoreError> {
        let _core = self.parsing.acquire().await.map_err(|_| StoreError::Closed)?;
        let id = due.feed.clone();
        let known = self.store.read(move |reader| reader.raw_hashes(&id)).await?;
        let (feed, guids_repaired) = (feed.clone(), due.guids_repaired);
        let reading =
            tokio::task::spawn_blocking(move || read::read_document(&feed, &document, &known, guids_repaired));
        // A fault in reading one document is that feed's failure, and nobody else's.
        Ok(reading.await.unwrap_or_else(|_| {
            let error = "newswire met a fault of its own while it read the document".to_owned();
            Outcome::Failed { kind: "fault", error }
        }))
    }

    async fn write(&self, config: &Arc<Config>, polled: Polled) -> Result<PollReport, StoreError> {
        let mut report = PollReport {
            feed: polled.feed.clone(),
            outcome: ReportedOutcome::Unchanged,
            status: polled.status,
            new: 0,
            revised: 0,
            problems: Vec::new(),
            error: None,
            duration_ms: polled.duration_ms,
            next_poll: polled.next.at,
            applied: Applied::default(),
        };
        match &polled.outcome {
            Outcome::NotModified { .. } => report.outcome = ReportedOutcome::NotModified,
            Outcome::Document(document) => report.problems.clone_from(&document.repairs),
            Outcome::Failed { error, .. } => {
                (report.outcome, report.error) = (ReportedOutcome::Failed, Some(error.clone()));
            }
            Outcome::Gone { error } => (report.outcome, report.error) = (ReportedOutcome::Gone, Some(error.clone())),
        }
        let applied = self.store.apply(config.clone(), polled).await?;
        if applied.new + applied.revised > 0 {
            report.outcome = ReportedOutcome::Changed;
        }
        if applied.restless > 0 {
            let count = applied.restless;
            report
                .problems
                .push(format!("{count} entries change at every poll; their changes are not applied any more"));
        }
        (report.new, report.revised, report.applied) = (applied.new, applied.revised, applied);
        log(&report);
        Ok(report)
    }

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
        loop {
            tokio::select! {
                () = shutdown.cancelled() => break,
                _ = ticks.tick() => {}
                Ok(()) = configs.changed() => {}
                Some(done) = polls.join_next() => {
                    finish(done, &mut in_flight, &reports);
                    continue;
                }
            }
            let config = configs.borrow_and_update().clone();
            let now = now();
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
                finish(done, &mut in_flight, &reports);
            }
        };
        if tokio::time::timeout(FINISHING, finishing).await.is_err() {
            tracing::warn!(
                feeds = in_flight.len(),
                "polls on their way were given up; they will be done at the next start"
            );
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
            let (poller, config) = (self.clone(), config.clone());
            polls.spawn(async move { (due.feed.clone(), poller.poll(&config, due, now).await) });
        }
        Ok(())
    }
}

/// When an attempt was made, by the wall clock of its pass.
struct Times {
    /// When it began: after the turns that it waited for.
    at: Timestamp,
    /// When the answer had come: the next poll is counted from here, so that no gap is ever too short.
    answered: Timestamp,
    begun: Instant,
}

/// Entries a day that the feed publishes, with what this attempt brought.
fn per_day(due: &DueFeed, outcome: &Outcome, now: Timestamp) -> Option<f64> {
    let elapsed = due.last_poll.map(|last| now.since(last)).unwrap_or_default();
    match (outcome, due.per_day) {
        (Outcome::Document(document), Some(before)) => {
            let fresh = document.entries.iter().filter(|entry| entry.cleaned.is_some()).count();
            Some(adaptive::observe(before, fresh, elapsed))
        }
        (Outcome::Document(document), None) => {
            let entries = document.entries.iter().filter_map(|entry| entry.cleaned.as_ref());
            Some(adaptive::first(entries.filter_map(|cleaned| cleaned.entry.published), now))
        }
        (Outcome::NotModified { .. }, Some(before)) => Some(adaptive::observe(before, 0, elapsed)),
        (_, before) => before,
    }
}

/// The feed's schedule; an adaptive one as the interval that its rhythm gives.
fn schedule(feed: &Feed, per_day: Option<f64>, document: Option<&PolledDocument>) -> Schedule {
    match (&feed.schedule, per_day) {
        (Schedule::Adaptive, Some(per_day)) => {
            Schedule::Every(adaptive::interval(per_day, document.is_some_and(|document| document.has_gap)))
        }
        (schedule, _) => schedule.clone(),
    }
}

type PollDone = Result<(FeedId, Result<Option<PollReport>, StoreError>), tokio::task::JoinError>;

fn finish(done: PollDone, in_flight: &mut HashSet<FeedId>, reports: &mpsc::UnboundedSender<PollReport>) {
    match done {
        Ok((feed, result)) => {
            in_flight.remove(&feed);
            match result {
                // Whoever publishes ends before the poller does only when all ends.
                Ok(Some(report)) => drop(reports.send(report)),
                Ok(None) => {}
                Err(error) => tracing::error!(%feed, %error, "a poll could not be written; it will be done again"),
            }
        }
        Err(error) => tracing::error!(%error, "a poll met a fault"),
    }
}

/// Whether somebody asked not to be polled at `now`: until when, and in which words.
fn hold(
    feed: &Feed,
    due: &DueFeed,
    host_holds: &HashMap<String, Timestamp>,
    now: Timestamp,
) -> Option<(Timestamp, String)> {
    if feed.url.is_file() {
        return None;
    }
    if let Some(until) = due.hold_until.filter(|until| *until > now) {
        let why = due.hold_why.clone().unwrap_or_else(|| "the server".to_owned());
        return Some((until, format!("by {why}")));
    }
    if let Some(until) = host_holds.get(&feed.url.secret.origin().ascii_serialization()) {
        return Some((*until, "by its host".to_owned()));
    }
    let again = due.last_poll? + MANUAL_GAP;
    (again > now && due.next_poll > now).then(|| (again, "as it was polled less than ten minutes ago".to_owned()))
}

fn held_report(due: &DueFeed, until: Timestamp, why: &str, _now: Timestamp) -> PollReport {
    PollReport {
        feed: due.feed.clone(),
        outcome: ReportedOutcome::Held,
        status: None,
        new: 0,
        revised: 0,
        problems: vec![format!("held until {until} {why}")],
        error: None,
        duration_ms: 0,
        next_poll: due.next_poll.max(until),
        applied: Applied::default(),
    }
}

/// One line a poll.
fn log(report: &PollReport) {
    let (feed, duration_ms, status) = (&report.feed, report.duration_ms, report.status.unwrap_or_default());
    match (&report.error, report.outcome) {
        (Some(error), _) => {
            tracing::warn!(%feed, status, duration_ms, next_poll = %report.next_poll, "poll failed: {error}")
        }
        (None, outcome) => {
            let (new, revised, repairs) = (report.new, report.revised, report.problems.len());
            tracing::info!(%feed, status, new, revised, repairs, duration_ms, next_poll = %report.next_poll, "polled: {}", outcome.as_str());
        }
    }
}

/// The wall clock. The daemon's floor is the only one that may read it.
pub fn now() -> Timestamp {
    Timestamp::from_datetime(chrono::Utc::now())
}
