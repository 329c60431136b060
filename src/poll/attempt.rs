//! One attempt at one feed: fetches it, reads it, decides when to poll next, and writes the result.

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use tokio::sync::{AcquireError, SemaphorePermit};
use url::Url;

use super::outage::{AnsweredPoll, Outage, OutageVerdict, PollsBefore, ReachFailure};
use super::{
    Hold, LEAST_UNWRITTEN_KIB, PACKED_GROWTH, PollReport, Poller, READ_GROWTH, ReportedOutcome, UNWRITTEN_KIB,
    held_report, moved_start, read,
};
use crate::commit;
use crate::config::{Config, Feed};
use crate::feed::{Failure, FailureKind, FeedState, HoldReason, Lifetimes, OwnFault};
use crate::fetch::{self, Attempt, Fetched, FetchedDocument, Holds, HostPermit, Progress, REFUSAL_KEPT};
use crate::newsroom::{Outcome, Polled, PolledDocument};
use crate::schedule::next::{self, LONGEST_HOLD, Outlook, PollOutcome};
use crate::schedule::{Schedule, adaptive};
use crate::store::{PollState, StoreError, Urgency};
use crate::time::Timestamp;

/// How long to wait with the next poll of a feed if not even the failure of its last poll could be written.
const AFTER_FAULT: Duration = Duration::from_secs(24 * 3600);

/// The end of one attempt at one feed.
pub(super) enum AttemptEnd {
    /// The result is written.
    Written {
        report: Box<PollReport>,
        /// When the poll began and ended; `None` unless a server outside our own network answered it.
        reach: Option<AnsweredPoll>,
    },
    /// No server was reached, and nothing is written yet: it is not known whether the feed or our own network is at
    /// fault.
    Unreached(Box<UnreachedPoll>),
    /// There is no result: the feed is no longer configured, its host has just been put on hold, or not even a failed
    /// poll could be written.
    Skipped,
}

/// An attempt that reached no server. It waits for the verdict whether the feed or our own network is at fault.
pub(super) struct UnreachedPoll {
    pub failure: ReachFailure,
    feed: Arc<Feed>,
    due: PollState,
    outcome: Outcome,
    answer: PollAnswer,
    /// How long the attempt took.
    took: Duration,
}

impl Poller {
    /// Makes one attempt at one feed. The call takes a place in the host's queue at once, before the future is awaited.
    /// `holds` are the hosts on hold; `None` forces the poll.
    ///
    /// # Errors
    ///
    /// Returns an error only if the store cannot write any poll. Any other fault becomes a failure of this feed.
    pub(super) fn poll(
        &self,
        config: &Arc<Config>,
        due: PollState,
        now: Timestamp,
        holds: Option<Arc<Holds>>,
    ) -> impl Future<Output = Result<AttemptEnd, StoreError>> + Send + use<> {
        let (poller, config, chosen) = (self.clone(), config.clone(), Instant::now());
        let feed = config.feed(&due.feed).cloned();
        let permit = feed.as_ref().map(|feed| self.fetcher.host_permit(feed, moved_start(&due).as_ref()));
        async move {
            let (Some(feed), Some(permit)) = (feed, permit) else { return Ok(AttemptEnd::Skipped) };
            let permit = permit.await;
            if permit.is_refused() && holds.is_some() {
                return Ok(AttemptEnd::Skipped);
            }
            let progress = permit.progress();
            let _watched = poller.watch.begin(&feed.id, feed.timeout, progress.clone());
            progress.resume(Instant::now());
            // The states of `attempt` and `fail` have about 15 kB. In boxes, they take no memory while the poll waits, and
            // tokio does not copy them.
            let attempt =
                Box::pin(poller.attempt(&config, &feed, due.clone(), permit, holds.as_deref(), (now, chosen)));
            match within(attempt).await {
                Ok(done) => Ok(done),
                Err(error) if error.affects_all() => Err(error),
                Err(error) => Box::pin(poller.fail(&config, &feed, due, &error, &progress, (now, chosen))).await,
            }
        }
    }

    /// Writes an attempt that reached no server, once the verdict is known.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`Poller::poll`].
    pub(super) fn settle(
        &self,
        config: &Arc<Config>,
        unreached: UnreachedPoll,
        verdict: OutageVerdict,
    ) -> impl Future<Output = Result<AttemptEnd, StoreError>> + Send + use<> {
        let (poller, config) = (self.clone(), config.clone());
        async move {
            let UnreachedPoll { failure, feed, due, outcome, mut answer, took } = unreached;
            answer.is_own_outage = verdict == OutageVerdict::OwnOutage;
            let begun = Instant::now().checked_sub(took).unwrap_or_else(Instant::now);
            let times = Times { at: failure.began, answered: failure.ended, begun };
            let writing = async {
                let memory = poller.unwritten.acquire_many(LEAST_UNWRITTEN_KIB);
                let _unwritten = memory.await.map_err(|_| StoreError::Closed)?;
                poller.write(&config, conclude(&feed, due.clone(), outcome, answer, &times)).await
            };
            match within(writing).await {
                Ok(report) => Ok(AttemptEnd::written(report)),
                Err(error) if error.affects_all() => Err(error),
                Err(error) => {
                    let progress = Progress::default();
                    poller.fail(&config, &feed, due, &error, &progress, (failure.ended, Instant::now())).await
                }
            }
        }
    }

    /// Makes the attempt. The feed was `chosen` when the clock of the pass showed `now`.
    async fn attempt(
        &self,
        config: &Arc<Config>,
        feed: &Arc<Feed>,
        due: PollState,
        permit: HostPermit,
        holds: Option<&Holds>,
        (now, chosen): (Timestamp, Instant),
    ) -> Result<AttemptEnd, StoreError> {
        let progress = permit.progress();
        let flight = progress.waiting(self.flights.acquire()).await.map_err(|_| StoreError::Closed)?;
        let begun = Instant::now();
        let attempt = self.fetcher.get(feed, moved_start(&due).as_ref(), &due.validators, permit, holds).await;
        let times = Times { at: now + (begun - chosen), answered: now + chosen.elapsed(), begun };
        if let Err(Failure::Held { until, .. }) = attempt.result {
            let until = until.unwrap_or(times.answered + REFUSAL_KEPT);
            let hold = Hold { until, why: HoldReason::RedirectHost };
            progress.waiting(self.store.hold(vec![(due.feed.clone(), until)], hold.why)).await?;
            return Ok(AttemptEnd::written(held_report(&due, hold)));
        }
        let is_public = attempt.public_origin.is_some();
        let is_unreached = is_public && attempt.result.as_ref().is_err_and(fetch::is_unreachable);
        let is_reached = is_public && attempt.result.as_ref().err().is_none_or(fetch::is_answer);
        let is_own_outage = is_unreached && self.outage().covers(times.at);
        let memory = progress.waiting(self.memory(&attempt.result)).await.map_err(|_| StoreError::Closed)?;
        let Attempt { result, status, lifetimes, permanent, public_origin, stayed_home } = attempt;
        let outcome = self.outcome(config, feed, &due, result, &progress).await?;
        let public_origin = public_origin.filter(|_| stayed_home);
        let answer = PollAnswer { status, lifetimes, permanent, public_origin, is_own_outage };
        drop(flight);
        if is_unreached && !is_own_outage {
            let failure = failure(feed, &due, &times);
            let (feed, took) = (feed.clone(), begun.elapsed());
            return Ok(AttemptEnd::Unreached(Box::new(UnreachedPoll { failure, feed, due, outcome, answer, took })));
        }
        let polled = conclude(feed, due, outcome, answer, &times);
        let report = progress.waiting(self.write(config, polled)).await?;
        drop(memory);
        let reach = is_reached.then_some(AnsweredPoll { began: times.at, ended: times.answered });
        Ok(AttemptEnd::Written { report: Box::new(report), reach })
    }

    /// Waits for the memory to read and write a response. The memory is occupied until the returned permits are dropped.
    async fn memory(
        &self,
        result: &Result<Fetched, Failure>,
    ) -> Result<[Option<SemaphorePermit<'_>>; 2], AcquireError> {
        let kib = memory_kib(result);
        // Two documents of this size never fit. If the second one waited in the queue for memory, all smaller ones would
        // wait behind it.
        let alone = if kib > UNWRITTEN_KIB / 2 { Some(self.largest.acquire().await?) } else { None };
        Ok([alone, Some(self.unwritten.acquire_many(kib).await?)])
    }

    /// Writes a poll that could not be finished as a failed poll, with the usual backoff. If even this cannot be
    /// written, postpones the feed's next poll.
    async fn fail(
        &self,
        config: &Arc<Config>,
        feed: &Feed,
        due: PollState,
        error: &StoreError,
        progress: &Progress,
        (now, chosen): (Timestamp, Instant),
    ) -> Result<AttemptEnd, StoreError> {
        progress.resume(Instant::now());
        let at = now + chosen.elapsed();
        let times = Times { at, answered: at, begun: Instant::now() };
        let outcome = fault(match error {
            StoreError::Fault => OwnFault::Panic,
            error => OwnFault::Unwritten { why: error.to_string().into() },
        });
        let failing = async {
            let polled = conclude(feed, due, outcome, PollAnswer::default(), &times);
            progress.waiting(self.write(config, polled)).await
        };
        match within(failing).await {
            Ok(report) => Ok(AttemptEnd::written(report)),
            Err(error) if error.affects_all() => Err(error),
            Err(error) => {
                tracing::error!(
                    feed = %feed.id,
                    %error,
                    "could not store the result of a failed poll; this is a bug in newswire: please report it with the log lines of this feed"
                );
                let put_off = self.store.reschedule(vec![(feed.id.clone(), at + AFTER_FAULT)]);
                progress.waiting(put_off).await.map(|()| AttemptEnd::Skipped)
            }
        }
    }

    /// Returns the outcome of a fetch; reads the document if there is one.
    async fn outcome(
        &self,
        config: &Arc<Config>,
        feed: &Arc<Feed>,
        due: &PollState,
        result: Result<Fetched, Failure>,
        progress: &Progress,
    ) -> Result<Outcome, StoreError> {
        Ok(match result {
            Ok(Fetched::NotModified { validators }) => Outcome::NotModified { validators },
            Ok(Fetched::Document(document)) => self.read_document(config, feed, due, document, progress).await?,
            Err(Failure::Gone) => Outcome::Gone,
            Err(failure) => Outcome::Failed(failure),
        })
    }

    /// Returns what is known of our own network. This poller and its clones share it.
    pub(super) fn outage(&self) -> MutexGuard<'_, Outage> {
        self.outage.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn read_document(
        &self,
        config: &Arc<Config>,
        feed: &Arc<Feed>,
        due: &PollState,
        document: FetchedDocument,
        progress: &Progress,
    ) -> Result<Outcome, StoreError> {
        let _core = progress.waiting(self.parsing.acquire()).await.map_err(|_| StoreError::Closed)?;
        let id = due.feed.clone();
        let known = progress.waiting(self.store.read(move |reader| reader.raw_hashes(&id))).await?;
        let (config, feed, guids_repaired) = (config.clone(), feed.clone(), due.guids_repaired);
        let reading = tokio::task::spawn_blocking(move || {
            read::read_document(&feed, &config.stories.tracking, document, &known, guids_repaired)
        });
        // A panic while reading one document is a failure of that feed only.
        Ok(reading.await.unwrap_or_else(|_| fault(OwnFault::ReadingPanic)))
    }

    async fn write(&self, config: &Arc<Config>, polled: Polled) -> Result<PollReport, StoreError> {
        let mut report = PollReport {
            status: polled.status,
            duration_ms: polled.duration_ms,
            next_poll: polled.next.at,
            ..PollReport::new(polled.feed.clone(), ReportedOutcome::Unchanged)
        };
        match &polled.outcome {
            Outcome::NotModified { .. } => report.outcome = ReportedOutcome::NotModified,
            Outcome::Document(document) => report.problems.clone_from(&document.repairs),
            Outcome::Failed(_) => report.outcome = ReportedOutcome::Failed,
            Outcome::Gone => report.outcome = ReportedOutcome::Gone,
        }
        report.failure = polled.outcome.failure().cloned();
        let active = self.active.clone().unwrap_or_else(|| config.clone().into());
        // A scheduled poll that brought nothing may be written later, because no user waits for it.
        let has_news = !matches!(polled.outcome, Outcome::NotModified { .. });
        let urgency = if self.is_scheduled && !has_news { Urgency::Later } else { Urgency::Now };
        let applied = commit::apply_when(&self.store, active, polled, urgency).await?;
        if applied.new + applied.revised > 0 {
            report.outcome = ReportedOutcome::Changed;
        }
        (report.notes, report.moved_to) = (applied.notes(), applied.moved_to.clone());
        (report.new, report.revised, report.applied) = (applied.new, applied.revised, applied);
        log(&report);
        Ok(report)
    }
}

impl AttemptEnd {
    fn written(report: PollReport) -> AttemptEnd {
        AttemptEnd::Written { report: Box::new(report), reach: None }
    }
}

/// Returns how much memory reading and writing a response may take, in KiB.
fn memory_kib(result: &Result<Fetched, Failure>) -> u32 {
    let bytes = match result {
        Ok(Fetched::Document(document)) => document.body.len(),
        _ => 0,
    };
    let growth = if bytes > read::LARGE_BYTES { PACKED_GROWTH } else { READ_GROWTH };
    let kib = u32::try_from(bytes.div_ceil(1024)).unwrap_or(u32::MAX);
    kib.saturating_mul(growth).clamp(LEAST_UNWRITTEN_KIB, UNWRITTEN_KIB)
}

/// Returns the facts about an attempt that reached no server. They serve to decide whether the feed or our own network
/// is at fault.
fn failure(feed: &Feed, due: &PollState, times: &Times) -> ReachFailure {
    let moved = moved_start(due);
    let start = moved.as_ref().unwrap_or(&feed.url.secret);
    ReachFailure {
        feed: feed.id.clone(),
        host: start.host_str().unwrap_or_default().to_owned(),
        began: times.at,
        ended: times.answered,
        before: match due.state {
            FeedState::Ok => PollsBefore::Answered,
            FeedState::New => PollsBefore::Never,
            FeedState::Failing | FeedState::Gone => PollsBefore::Failed,
        },
    }
}

/// Awaits `work`. Turns a panic in it into [`StoreError::Fault`], so that other polls continue.
async fn within<T>(work: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
    AssertUnwindSafe(work).catch_unwind().await.unwrap_or(Err(StoreError::Fault))
}

/// Returns the outcome for a fault of newswire. The feed did nothing wrong, but the poll counts as failed.
fn fault(fault: OwnFault) -> Outcome {
    Outcome::Failed(Failure::Own { fault })
}

/// What is known of an attempt apart from its outcome.
#[derive(Default)]
struct PollAnswer {
    status: Option<u16>,
    lifetimes: Lifetimes,
    permanent: Option<Url>,
    /// The origin of the answer, if the answer may put the whole host on hold. `None` for the editor's own hosts, and
    /// after a redirect to another server.
    public_origin: Option<String>,
    is_own_outage: bool,
}

/// Combines the facts of an attempt into everything that the store has to write.
fn conclude(feed: &Feed, due: PollState, outcome: Outcome, answer: PollAnswer, times: &Times) -> Polled {
    let PollAnswer { status, lifetimes, permanent, public_origin, is_own_outage } = answer;
    let failures = match &outcome {
        Outcome::Failed(_) if is_own_outage => due.failures,
        Outcome::Failed(_) | Outcome::Gone => due.failures + 1,
        Outcome::NotModified { .. } | Outcome::Document(_) => 0,
    };
    let document = match &outcome {
        Outcome::Document(document) => Some(&**document),
        _ => None,
    };
    let (per_day, start) = (per_day(&due, &outcome, times.at), moved_start(&due));
    let has_validators = document.and_then(|document| document.validators.as_ref()).is_some_and(|v| !v.is_empty());
    let mut next = next::next_poll(&Outlook {
        now: times.answered,
        schedule: &schedule(feed, per_day, document),
        schedule_is_default: feed.schedule_is_default,
        phase: next::phase(&feed.id),
        is_first_poll: due.last_poll.is_none(),
        outcome: match &outcome {
            Outcome::NotModified { .. } => PollOutcome::Unchanged,
            Outcome::Document(_) => PollOutcome::Success,
            Outcome::Failed(_) if is_own_outage => PollOutcome::OwnOutage,
            Outcome::Failed(_) => PollOutcome::Failed { status },
            Outcome::Gone => PollOutcome::Gone,
        },
        failures,
        lifetimes,
        hints: document.map_or(&due.hints, |document| &document.hints),
        has_validators_ever: due.had_validators || has_validators || feed.url.is_file(),
        host_is_public: public_origin.is_some(),
    });
    let still_held = due.hold_until.filter(|until| *until <= times.answered + LONGEST_HOLD);
    if failures > 0 && still_held > next.hold_until {
        // Only a forced poll can run during a hold. If it fails, the hold continues.
        (next.hold_until, next.hold_why) = (still_held, due.hold_why);
        next.at = next.hold_until.map_or(next.at, |until| next.at.max(until));
    }
    let duration_ms = u64::try_from(times.begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    let (feed, at) = (due.feed, times.at);
    Polled { feed, at, duration_ms, status, outcome, next, failures, per_day, start, permanent, public_origin }
}

/// The times of an attempt, by the clock of its pass.
struct Times {
    /// When the attempt began, after waiting in queues.
    at: Timestamp,
    /// When the response was complete. The time to the next poll counts from here, so that it is never too short.
    answered: Timestamp,
    begun: Instant,
}

/// Returns how many entries the feed publishes per day, with this attempt taken into account.
fn per_day(due: &PollState, outcome: &Outcome, now: Timestamp) -> Option<f64> {
    let elapsed = due.last_poll.map(|last| now.since(last)).unwrap_or_default();
    match (outcome, due.per_day) {
        (Outcome::Document(document), Some(before)) => Some(adaptive::observe(before, document.fresh, elapsed)),
        (Outcome::Document(document), None) => {
            let entries = document.entries.iter().filter_map(|entry| entry.cleaned.as_ref());
            Some(adaptive::first(entries.filter_map(|cleaned| cleaned.entry.published), now))
        }
        (Outcome::NotModified { .. }, Some(before)) => Some(adaptive::observe(before, 0, elapsed)),
        (_, before) => before,
    }
}

/// Returns the feed's schedule. An adaptive schedule becomes the interval that fits how often the feed publishes.
fn schedule(feed: &Feed, per_day: Option<f64>, document: Option<&PolledDocument>) -> Schedule {
    match (&feed.schedule, per_day) {
        (Schedule::Adaptive, Some(per_day)) => {
            Schedule::Every(adaptive::interval(per_day, document.is_some_and(|document| document.has_gap)))
        }
        (schedule, _) => schedule.clone(),
    }
}

/// Writes one log line per poll.
fn log(report: &PollReport) {
    let PollReport { feed, status, duration_ms, next_poll, new, revised, .. } = report;
    match &report.failure {
        Some(failure @ Failure::Gone) => {
            tracing::warn!(%feed, kind = "gone", status, duration_ms, "{failure}; only `newswire poll --force` polls the feed again");
        }
        Some(failure) if failure.kind() == FailureKind::Fault => {
            let kind = "fault";
            tracing::error!(%feed, kind, status, duration_ms, %next_poll, "poll failed: {failure}");
        }
        Some(failure) => {
            let kind = failure.kind().words();
            tracing::warn!(%feed, kind, status, duration_ms, %next_poll, "poll failed: {failure}");
        }
        None => {
            let (repairs, outcome) = (report.problems.len(), report.outcome.as_str());
            tracing::info!(%feed, status, new, revised, repairs, duration_ms, %next_poll, "polled: {outcome}");
            report.notes.iter().for_each(|note| tracing::warn!(%feed, "{note}"));
        }
    }
    if let Some(to) = &report.moved_to {
        tracing::warn!(%feed, "the feed has moved permanently; set url = {to:?} in its [[feed]]");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feed::Validators;
    use crate::fetch::Fetcher;
    use crate::store::Store;

    fn document(bytes: usize) -> Result<Fetched, Failure> {
        Ok(Fetched::Document(FetchedDocument {
            body: vec![b'x'; bytes].into(),
            final_url: "https://a.example/".parse().unwrap(),
            hops: Vec::new(),
            content_type: None,
            content_location: None,
            validators: Validators::default(),
        }))
    }

    #[tokio::test]
    async fn small_document_does_not_wait_behind_large_ones() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("newswire.db"), "a test").unwrap();
        let fetcher = Fetcher::new(&"https://contact.example/".parse::<Url>().unwrap());
        let poller = Poller::new(store, fetcher, 1);
        let (large, small) = (document(9 << 20), document(9 << 10));
        let _first = poller.memory(&large).await.unwrap();
        let second = poller.memory(&large);
        tokio::pin!(second);
        assert!(futures_util::poll!(second.as_mut()).is_pending());
        let _small = poller.memory(&small).now_or_never().expect("there is memory left").unwrap();
        assert!(futures_util::poll!(second).is_pending());
    }
}
