//! Keeps the polls that reached no server, until a verdict says whether the feeds or our own network is at fault.

use super::attempt::UnreachedPoll;
use super::outage::{AnsweredPoll, Outage, OutageVerdict, ReachFailure};
use crate::time::Timestamp;

/// The most polls that wait. So many are enough for a verdict, however many feeds there are. Each poll takes some
/// hundred bytes.
const MOST_WAITING: usize = 1024;

/// The waiting polls of one pass, or of the daemon.
#[derive(Default)]
pub(super) struct WaitingPolls(Vec<UnreachedPoll>);

/// A poll and its verdict.
pub(super) type JudgedPoll = (UnreachedPoll, OutageVerdict);

impl WaitingPolls {
    /// Adds a poll. If [`MOST_WAITING`] polls wait then, gives the verdict on all of them. Returns the polls that got
    /// their verdict.
    pub(super) fn push(&mut self, unreached: UnreachedPoll, outage: &mut Outage) -> Vec<JudgedPoll> {
        let now = unreached.failure.ended;
        self.0.push(unreached);
        if self.0.len() < MOST_WAITING { Vec::new() } else { self.judge_all(now, outage) }
    }

    /// Gives the verdict on the polls that began before this response was complete, and returns them.
    pub(super) fn reached(&mut self, reach: AnsweredPoll, outage: &mut Outage) -> Vec<JudgedPoll> {
        let (judged, waiting) = std::mem::take(&mut self.0).into_iter().partition(|it| it.failure.began < reach.ended);
        self.0 = waiting;
        let verdict = outage.reached(reach, &failures(&judged));
        with(verdict, judged)
    }

    /// Gives the verdict on all polls that wait, at the end of a pass or when the daemon stops. Returns them.
    pub(super) fn judge_all(&mut self, now: Timestamp, outage: &mut Outage) -> Vec<JudgedPoll> {
        let judged = std::mem::take(&mut self.0);
        let verdict = outage.lapsed(now, &failures(&judged));
        with(verdict, judged)
    }

    /// Gives the verdict on the polls that have waited long enough, or on all polls if it is an outage. Returns the
    /// polls that got their verdict.
    pub(super) fn lapsed(&mut self, now: Timestamp, outage: &mut Outage) -> Vec<JudgedPoll> {
        if !self.0.iter().any(|it| it.failure.has_lapsed(now)) {
            return Vec::new();
        }
        match outage.lapsed(now, &failures(&self.0)) {
            OutageVerdict::OwnOutage => with(OutageVerdict::OwnOutage, std::mem::take(&mut self.0)),
            OutageVerdict::FeedsFault => {
                let (judged, waiting) =
                    std::mem::take(&mut self.0).into_iter().partition(|it| it.failure.has_lapsed(now));
                self.0 = waiting;
                with(OutageVerdict::FeedsFault, judged)
            }
        }
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

fn failures(waiting: &[UnreachedPoll]) -> Vec<&ReachFailure> {
    waiting.iter().map(|it| &it.failure).collect()
}

fn with(verdict: OutageVerdict, judged: Vec<UnreachedPoll>) -> Vec<JudgedPoll> {
    if verdict == OutageVerdict::OwnOutage && !judged.is_empty() {
        tracing::warn!(
            feeds = judged.len(),
            "no server could be reached; these polls do not count as failures of the feeds"
        );
    }
    judged.into_iter().map(|it| (it, verdict)).collect()
}
