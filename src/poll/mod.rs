//! Polls feeds: chooses those that are due, fetches, parses and cleans them, and writes the result. The loop in `run`
//! does that on schedule.
//!
//! Only two stages are concurrent: fetching and parsing. Parsing runs on the blocking pool, on as many threads as there
//! are cores. The policy of polling:
//!
//! - A bad entry never fails its feed, and a bad feed never fails the pass.
//! - A bug that affects one feed is a failure of that feed and backs off like any other.
//! - Every attempt is written, failed ones too.
//! - No wait is longer than a second, so that a machine that was suspended catches up.
//!
//! Users and timers may ask for polls as often as they like. A feed that is not due is never requested twice within ten
//! minutes, not even by force. Only forced polls of the editor's own hosts and files are exempt from this. Every
//! request is conditional.

mod attempt;
mod outage;
mod read;
mod replan;
mod run;
mod waiting;

use std::collections::HashSet;
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

/// The memory for everything that was read but is not written yet, in KiB. Reading is faster than writing, so without
/// this limit the documents that wait would fill memory.
const UNWRITTEN_KIB: u32 = 64 * 1024;

/// The least memory that a poll counts for, in KiB. So at most 128 polls wait to be written, twice as many as the writer
/// writes in one transaction.
const LEAST_UNWRITTEN_KIB: u32 = UNWRITTEN_KIB / 128;

/// The memory that a document takes from reading until it is written, as a multiple of its body's size. The memory
/// holds the entries, their text, and the data by which entries are compared, which takes the most.
const READ_GROWTH: u32 = 16;

/// The same for a large document, whose entries are packed; see [`read`].
const PACKED_GROWTH: u32 = 6;

/// How long after a poll a feed is not polled again, even on request, unless it is due.
const MANUAL_GAP: Duration = Duration::from_secs(10 * 60);

/// The result of one attempt at one feed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PollReport {
    /// The feed.
    pub feed: FeedId,
    /// How the attempt ended.
    pub outcome: ReportedOutcome,
    /// The HTTP status, if a server answered.
    pub status: Option<u16>,
    /// How many entries were new.
    pub new: usize,
    /// How many entries were revised.
    pub revised: usize,
    /// Why the feed was not polled, and when it may be polled; `None` if it was polled.
    pub held: Option<Hold>,
    /// The repairs needed to read the document.
    pub problems: Vec<Repair>,
    /// What else an editor should know.
    pub notes: Vec<Note>,
    /// The address to which the feed has moved permanently, if newswire uses it from this poll on.
    pub moved_to: Option<String>,
    /// Why the poll failed; `None` if it did not fail.
    pub failure: Option<Failure>,
    /// How long the attempt took.
    pub duration_ms: u64,
    /// When to poll next.
    pub next_poll: Timestamp,
    /// What the poll changed. Publishing needs this.
    #[serde(skip)]
    pub applied: Applied,
}

/// A time before which a feed must not be polled, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// The end of the hold.
    pub until: Timestamp,
    /// The reason.
    pub why: HoldReason,
}

/// How an attempt ended, for reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReportedOutcome {
    /// The document has new or revised entries.
    Changed,
    /// The document has neither new nor revised entries.
    Unchanged,
    /// The server answered 304, or the file is unchanged.
    NotModified,
    /// The feed was not requested: it is on hold, or was polled minutes ago.
    Held,
    /// The poll failed.
    Failed,
    /// The server answered 410: polling stops until an editor forces a poll.
    Gone,
}

impl ReportedOutcome {
    /// Returns the outcome as words.
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

/// Which feeds a pass polls. A pass is one round of polls.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Pass {
    /// The feeds that are due, except feeds on hold.
    Due,
    /// Every feed that is not gone, except feeds on hold and, unless they are due, feeds polled within the last ten
    /// minutes.
    All,
    /// The named feeds, or every feed if none is named, even if they are on hold. Feeds polled within the last ten
    /// minutes are skipped, unless they are due or on the editor's own hosts.
    Force(Vec<FeedId>),
    /// The named feeds, except feeds on hold and, unless they are due, feeds polled within the last ten minutes.
    Named(Vec<FeedId>),
}

/// Polls feeds of one store. Cheap to clone.
#[derive(Clone)]
pub struct Poller {
    store: Store,
    fetcher: Fetcher,
    flights: Arc<Semaphore>,
    parsing: Arc<Semaphore>,
    /// Memory in KiB; see [`UNWRITTEN_KIB`].
    unwritten: Arc<Semaphore>,
    /// The permit for a document that takes more than half of this memory. Only one document has it at a time.
    largest: Arc<Semaphore>,
    outage: Arc<Mutex<Outage>>,
    watch: Watch,
    clock: Clock,
    active: Option<ActiveConfig>,
    /// Whether the poller polls on schedule, so that no user waits for a result.
    is_scheduled: bool,
}

impl Poller {
    /// Creates a poller. `concurrency` is the number of feeds that may be fetched at once.
    pub fn new(store: Store, fetcher: Fetcher, concurrency: usize) -> Poller {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Poller {
            store,
            fetcher,
            flights: Arc::new(Semaphore::new(concurrency.max(1))),
            parsing: Arc::new(Semaphore::new(cores)),
            unwritten: Arc::new(Semaphore::new(UNWRITTEN_KIB as usize)),
            largest: Arc::new(Semaphore::new(1)),
            outage: Arc::default(),
            watch: Watch::default(),
            clock: Arc::new(clock::now),
            active: None,
            is_scheduled: false,
        }
    }

    /// Returns the poller with another clock.
    pub fn with_clock(self, clock: Clock) -> Poller {
        Poller { clock, ..self }
    }

    /// Returns the poller with a config that may be replaced during a poll. Without this, a poll uses the config that
    /// it began with.
    pub fn following(self, active: ActiveConfig) -> Poller {
        Poller { active: Some(active), ..self }
    }

    /// Returns a view of the running polls of this poller and its clones, which shows polls that are stuck.
    pub fn watch(&self) -> Watch {
        self.watch.clone()
    }

    /// Runs one manual pass at `now`. Returns the report of every feed, in the order in which the polls ended. Calls
    /// `done` with each report and the total number of reports.
    ///
    /// # Errors
    ///
    /// Returns the errors of the store. A failed poll is not an error; its report says why it failed.
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

    /// Polls the feeds that are due at `now`.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`Poller::pass`].
    pub async fn poll_due(&self, config: &Arc<Config>, now: Timestamp) -> Result<Vec<PollReport>, StoreError> {
        self.pass(config, &Pass::Due, now, |_, _| {}).await
    }

    async fn states(&self, ids: Vec<FeedId>) -> Result<Vec<PollState>, StoreError> {
        let reading = self.store.read(move |reader| {
            let states = ids.iter().map(|id| reader.poll_state(id)).collect::<Result<Vec<_>, _>>()?;
            Ok(states.into_iter().flatten().collect())
        });
        reading.await
    }

    /// Returns the feeds that a pass polls, the reports of those that it skips, and the hosts on hold.
    async fn choose(
        &self,
        config: &Arc<Config>,
        pass: &Pass,
        now: Timestamp,
    ) -> Result<(Vec<PollState>, Vec<PollReport>, Holds), StoreError> {
        let mut states = self.states(wanted(config, pass)).await?;
        if !replan::clock_was_ahead(config, &states, now).is_zero() {
            // The plans of all feeds may be wrong.
            states = self.states(wanted(config, &Pass::All)).await?;
        }
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

/// Returns the enabled feeds that a pass may poll. If the pass names feeds, returns only these, because reading the
/// states of very many others would take long.
fn wanted(config: &Config, pass: &Pass) -> Vec<FeedId> {
    let is_enabled = |id: &&FeedId| config.feed(id).is_some_and(|feed| feed.enabled);
    let named = match pass {
        Pass::Named(named) => Some(named),
        Pass::Force(named) => Some(named).filter(|named| !named.is_empty()),
        Pass::Due | Pass::All => None,
    };
    let Some(named) = named else {
        return config.feeds.iter().map(|feed| &feed.id).filter(is_enabled).cloned().collect();
    };
    let mut seen = HashSet::new();
    named.iter().filter(is_enabled).filter(|id| seen.insert(*id)).cloned().collect()
}

/// Returns the hold that applies to a feed at `now`, either its own or that of its host.
fn hold(feed: &Feed, due: &PollState, host_holds: &Holds, now: Timestamp) -> Option<Hold> {
    if feed.url.is_file() {
        return None;
    }
    if let Some(until) = due.hold_until.filter(|until| *until > now && *until <= now + LONGEST_HOLD) {
        return Some(Hold { until, why: due.hold_why.unwrap_or(HoldReason::Server) });
    }
    Some(Hold { until: host_hold(feed, due, host_holds)?, why: HoldReason::ItsHost })
}

/// Returns the address that is polled instead of the feed's own, if the feed has moved permanently.
fn moved_start(due: &PollState) -> Option<Url> {
    newsroom::moved_to(due.moved.as_ref()).and_then(|to| Url::parse(to).ok())
}

/// Returns the end of the hold on the host where a poll would begin.
fn host_hold(feed: &Feed, due: &PollState, host_holds: &Holds) -> Option<Timestamp> {
    let moved = moved_start(due);
    let start = moved.as_ref().unwrap_or(&feed.url.secret);
    host_holds.get(&start.origin().ascii_serialization()).copied()
}

/// Returns the hold that the last poll causes, if the feed was polled recently and is not due.
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
    /// Creates the report of a poll that found nothing new.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{self, SourceFile};

    #[test]
    fn pass_of_named_feeds_reads_no_others() {
        let feeds = ["a", "b", "c"].map(|id| format!("[[feed]]\nid = \"{id}\"\nurl = \"https://{id}.example/\"\n"));
        let text = format!(
            "[site]\ntitle = \"Test\"\n{}enabled = false\n[[section]]\nid = \"all\"\nfeeds = [\"*\"]\n",
            feeds.concat()
        );
        let file = SourceFile { path: "/test/newswire.toml".into(), text };
        let (config, problems) = config::check(&[file], &|_| Err("no secrets".to_owned()));
        let config = config.unwrap_or_else(|| panic!("{problems:?}"));
        let ids = |ids: &[&str]| ids.iter().map(|id| FeedId::from(*id)).collect::<Vec<_>>();
        let check = |pass: Pass, expected: &[&str]| assert_eq!(wanted(&config, &pass), ids(expected), "{pass:?}");
        check(Pass::Due, &["a", "b"]);
        check(Pass::All, &["a", "b"]);
        check(Pass::Force(Vec::new()), &["a", "b"]);
        check(Pass::Force(ids(&["b", "b", "c", "unknown"])), &["b"]);
        check(Pass::Named(ids(&["b"])), &["b"]);
        check(Pass::Named(Vec::new()), &[]);
    }
}
