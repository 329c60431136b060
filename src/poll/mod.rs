//! Polling: due feeds → fetch → parse → clean → plan and apply, and the loop that does it on schedule.
//!
//! Fetching is the only concurrent stage beside parsing, which runs on the blocking pool, as many at once as there are
//! cores. The policy held here: a bad entry never fails its feed, a bad feed never fails the pass, a fault of our own over
//! one feed is that feed's failure and backs off like any other; every attempt is written, failed ones too; no wait is
//! longer than a second, so that a machine that was suspended catches up.
//!
//! Who asks by hand may ask again and again, or let a timer do it: no publisher is asked for the same feed twice in ten
//! minutes, not even by force, unless the feed is due; the editor's own hosts and files may be. Every request stays conditional.

mod attempt;
mod outage;
mod read;
mod replan;
mod run;
mod waiting;

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use url::Url;

use crate::clock::{self, Clock};
use crate::commit::ActiveConfig;
use crate::config::{Config, Feed};
use crate::feed::{Failure, FeedId, FeedState, HoldReason, Note, Repair};
use crate::fetch::{self, Fetcher, Holds};
use crate::newsroom::{self, Applied};
use crate::schedule;
use crate::schedule::next::LONGEST_HOLD;
use crate::status::Watch;
use crate::store::{PollState, Store, StoreError};
use crate::time::Timestamp;
use attempt::AttemptEnd;
use outage::Outage;
use waiting::WaitingPolls;

pub use read::{scrub_guids, without_secrets};

/// How many polls may be read and not yet written: as many as the writer takes at once. Reading is quicker than writing, and
/// what was read would else pile up in memory.
const UNWRITTEN: usize = 64;

/// How long a feed that is not due is left alone after a poll, whoever asks for another.
const MANUAL_GAP: Duration = Duration::from_secs(10 * 60);

/// What one attempt at one feed came to.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PollReport {
    pub feed: FeedId,
    pub outcome: ReportedOutcome,
    pub status: Option<u16>,
    pub new: usize,
    pub revised: usize,
    /// Why the feed was not asked, and when it may be.
    pub held: Option<Hold>,
    /// What had to be mended to read the document.
    pub problems: Vec<Repair>,
    /// What else an editor should know.
    pub notes: Vec<Note>,
    /// Where the feed has moved for good, which is believed from this poll on.
    pub moved_to: Option<String>,
    pub failure: Option<Failure>,
    pub duration_ms: u64,
    pub next_poll: Timestamp,
    /// What the poll changed, for whoever publishes.
    #[serde(skip)]
    pub applied: Applied,
}

/// Somebody's wish that a feed be left alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    pub until: Timestamp,
    pub why: HoldReason,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Pass {
    /// Those whose time has come.
    Due,
    /// Every feed, but holds are kept, and so are ten minutes since its last poll.
    All,
    /// Every feed or those named, whatever their servers asked for; only the ten minutes are kept, at hosts that are not the
    /// editor's own.
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
    unwritten: Arc<Semaphore>,
    outage: Arc<Mutex<Outage>>,
    watch: Watch,
    clock: Clock,
    active: Option<ActiveConfig>,
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
            unwritten: Arc::new(Semaphore::new(UNWRITTEN)),
            outage: Arc::default(),
            watch: Watch::default(),
            clock: Arc::new(clock::now),
            active: None,
        }
    }

    /// The same one, by another clock.
    pub fn with_clock(self, clock: Clock) -> Poller {
        Poller { clock, ..self }
    }

    /// The same one, by which another config may become active while it polls; else the one that a poll began with decides.
    pub fn following(self, active: ActiveConfig) -> Poller {
        Poller { active: Some(active), ..self }
    }

    /// The polls of this poller and its clones, to see whether one is stuck.
    pub fn watch(&self) -> Watch {
        self.watch.clone()
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
        let (feeds, held, host_holds) = self.choose(config, pass, now).await?;
        let total = feeds.len() + held.len();
        let mut reports = Vec::with_capacity(total);
        for report in held {
            done(&report, total);
            reports.push(report);
        }
        let holds = (!matches!(pass, Pass::Force(_))).then(|| Arc::new(host_holds));
        let (mut polls, mut waiting, started) = (JoinSet::new(), WaitingPolls::default(), Instant::now());
        for due in feeds {
            polls.spawn(self.poll(config, due, now, holds.clone()));
        }
        while let Some(polled) = polls.join_next().await {
            let mut judged = match polled.map_err(StoreError::from)?? {
                AttemptEnd::Written { report, reach } => {
                    done(&report, total);
                    reports.push(*report);
                    reach.map(|reach| waiting.reached(reach, &mut self.outage())).unwrap_or_default()
                }
                AttemptEnd::Unreached(unreached) => waiting.push(*unreached, &mut self.outage()),
                AttemptEnd::Skipped => Vec::new(),
            };
            if polls.is_empty() && judged.is_empty() {
                judged = waiting.judge_all(now + started.elapsed(), &mut self.outage());
            }
            for (unreached, verdict) in judged {
                polls.spawn(self.settle(config, unreached, verdict));
            }
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

    /// The feeds that a pass asks, reports of those that it leaves alone, and the hosts that asked to be left alone.
    async fn choose(
        &self,
        config: &Arc<Config>,
        pass: &Pass,
        now: Timestamp,
    ) -> Result<(Vec<PollState>, Vec<PollReport>, Holds), StoreError> {
        let ids: Vec<FeedId> = config.feeds.iter().filter(|feed| feed.enabled).map(|feed| feed.id.clone()).collect();
        let reading = self.store.read(move |reader| {
            let states = ids.iter().map(|id| reader.poll_state(id)).collect::<Result<Vec<_>, _>>()?;
            Ok(states.into_iter().flatten().collect::<Vec<_>>())
        });
        let mut states = reading.await?;
        self.replan(config, &mut states, now).await?;
        let host_holds = self.store.read(move |reader| reader.host_holds(now, now + LONGEST_HOLD)).await?;
        let (mut feeds, mut held) = (Vec::new(), Vec::new());
        for due in states {
            let is_asked = match pass {
                Pass::Due => schedule::is_due(due.next_poll, now) && due.state != FeedState::Gone,
                Pass::All => due.state != FeedState::Gone,
                Pass::Force(named) => named.is_empty() || named.contains(&due.feed),
                Pass::Named(named) => named.contains(&due.feed),
            };
            let Some(feed) = config.feed(&due.feed).filter(|_| is_asked) else { continue };
            let hold = match pass {
                Pass::Force(_) if fetch::is_editors_own(feed) => None,
                Pass::Force(_) => gap(&due, now),
                _ => hold(feed, &due, &host_holds, now).or_else(|| gap(&due, now)),
            };
            match hold {
                Some(hold) => held.push(held_report(&due, hold)),
                None => feeds.push(due),
            }
        }
        feeds.sort_by_key(|due| due.next_poll);
        Ok((feeds, held, host_holds))
    }
}

/// Whether somebody asked that the feed not be polled at `now`.
fn hold(feed: &Feed, due: &PollState, host_holds: &Holds, now: Timestamp) -> Option<Hold> {
    if feed.url.is_file() {
        return None;
    }
    if let Some(until) = due.hold_until.filter(|until| *until > now && *until <= now + LONGEST_HOLD) {
        return Some(Hold { until, why: due.hold_why.unwrap_or(HoldReason::Server) });
    }
    Some(Hold { until: host_hold(feed, due, host_holds)?, why: HoldReason::ItsHost })
}

/// Returns where a feed is polled instead of its own address, if it has moved for good.
fn moved_start(due: &PollState) -> Option<Url> {
    newsroom::moved_to(due.moved.as_ref()).and_then(|to| Url::parse(to).ok())
}

/// Until when the host at which a poll would begin is left alone.
fn host_hold(feed: &Feed, due: &PollState, host_holds: &Holds) -> Option<Timestamp> {
    let moved = moved_start(due);
    let start = moved.as_ref().unwrap_or(&feed.url.secret);
    host_holds.get(&start.origin().ascii_serialization()).copied()
}

/// Whether it was polled so lately that nobody would gain by asking again, and is not due.
fn gap(due: &PollState, now: Timestamp) -> Option<Hold> {
    let until = due.last_poll.filter(|last| *last <= now)? + MANUAL_GAP;
    (until > now && !schedule::is_due(due.next_poll, now)).then_some(Hold { until, why: HoldReason::LastPoll })
}

fn held_report(due: &PollState, hold: Hold) -> PollReport {
    PollReport {
        next_poll: due.next_poll.max(hold.until),
        held: Some(hold),
        ..PollReport::new(due.feed.clone(), ReportedOutcome::Held)
    }
}

impl PollReport {
    /// Of a poll that brought nothing.
    fn new(feed: FeedId, outcome: ReportedOutcome) -> PollReport {
        PollReport {
            feed,
            outcome,
            status: None,
            new: 0,
            revised: 0,
            held: None,
            problems: Vec::new(),
            notes: Vec::new(),
            moved_to: None,
            failure: None,
            duration_ms: 0,
            next_poll: Timestamp::MAX,
            applied: Applied::default(),
        }
    }
}
