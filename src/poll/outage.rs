//! Distinguishes an outage of our own network from unreachable feeds. An outage counts against no feed.
//!
//! This module is pure: its functions get events with their times. The verdict on a failure to reach a server is not
//! given at once. It waits until another poll reaches a server, or until the end of the pass. In the daemon, it waits
//! at most until the end of the [`WINDOW`]. The rule is cautious, because a feed that is really gone must back off:
//!
//! - It is an outage only if at least five feeds on three hosts failed.
//! - If no server was reached during that time, at least one of these feeds must not have failed at its previous poll.
//! - If a server was reached, five of them on three hosts must have been answered at their previous poll. They must
//!   also have failed after the last response, and before the next answered poll began.
//!
//! An outage lasts until a server is reached. Polls that began before its end belong to it.

use std::collections::HashSet;
use std::time::Duration;

use crate::feed::FeedId;
use crate::time::Timestamp;

/// The fewest feeds that must fail in an outage.
const FEEDS: usize = 5;

/// The fewest hosts that these feeds must be on.
const HOSTS: usize = 3;

/// How long the daemon waits before it gives the verdict on failures. A response within this time before the first of
/// them shows that the network worked.
const WINDOW: Duration = Duration::from_secs(5 * 60);

/// A poll that reached no server.
#[derive(Clone, Debug)]
pub(super) struct ReachFailure {
    pub feed: FeedId,
    pub host: String,
    pub began: Timestamp,
    pub ended: Timestamp,
    pub before: PollsBefore,
}

/// The result of a feed's previous poll.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PollsBefore {
    /// The feed was never polled.
    Never,
    /// A server answered.
    Answered,
    /// The poll failed.
    Failed,
}

/// A poll that a server answered, with any status.
#[derive(Clone, Copy, Debug)]
pub(super) struct AnsweredPoll {
    pub began: Timestamp,
    pub ended: Timestamp,
}

/// Who is at fault if servers could not be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OutageVerdict {
    /// Our own network was down.
    OwnOutage,
    /// The feeds are at fault.
    FeedsFault,
}

/// What is known of our own network.
#[derive(Debug, Default)]
pub(super) struct Outage {
    /// When a server last answered.
    reached: Option<Timestamp>,
    is_down: bool,
    /// When the last outage ended.
    ended: Option<Timestamp>,
}

impl Outage {
    /// Returns whether a poll that reached no server, and began at this time, belongs to a known outage.
    pub(super) fn covers(&self, began: Timestamp) -> bool {
        self.is_down || self.ended.is_some_and(|ended| began < ended && is_recent(began, ended))
    }

    /// Records a response. Returns the verdict on the `waiting` failures, which all began before the response ended.
    pub(super) fn reached(&mut self, reach: AnsweredPoll, waiting: &[&ReachFailure]) -> OutageVerdict {
        let is_in_gap = |failure: &&&ReachFailure| {
            failure.before == PollsBefore::Answered
                && failure.ended <= reach.began
                && self.reached.is_none_or(|last| failure.began >= last)
        };
        let is_outage = self.is_down || are_many(waiting.iter().filter(is_in_gap).copied());
        if is_outage {
            self.ended = Some(reach.ended);
        }
        self.is_down = false;
        self.reached =
            Some(self.reached.filter(|last| is_recent(*last, reach.ended)).unwrap_or(reach.ended).max(reach.ended));
        if is_outage { OutageVerdict::OwnOutage } else { OutageVerdict::FeedsFault }
    }

    /// Returns the verdict on the `waiting` failures if no server is reached until `now`.
    pub(super) fn lapsed(&mut self, now: Timestamp, waiting: &[&ReachFailure]) -> OutageVerdict {
        let is_news = |failure: &&ReachFailure| failure.before != PollsBefore::Failed;
        let first = waiting.iter().map(|failure| failure.began).min().unwrap_or(now);
        let is_outage = match self.reached.filter(|last| is_recent(*last, first)) {
            None => are_many(waiting.iter().copied()) && waiting.iter().any(is_news),
            Some(last) => {
                let is_in_gap =
                    |failure: &&&ReachFailure| failure.before == PollsBefore::Answered && failure.began >= last;
                are_many(waiting.iter().filter(is_in_gap).copied())
            }
        };
        self.is_down |= is_outage;
        if is_outage { OutageVerdict::OwnOutage } else { OutageVerdict::FeedsFault }
    }
}

impl ReachFailure {
    /// Returns whether the failure has waited long enough for its verdict. If the clock was set back by more than
    /// [`WINDOW`], the wait ends too.
    pub(super) fn has_lapsed(&self, now: Timestamp) -> bool {
        !is_recent(self.ended, now)
    }
}

fn are_many<'f>(failures: impl Iterator<Item = &'f ReachFailure> + Clone) -> bool {
    let hosts: HashSet<_> = failures.clone().map(|failure| &failure.host).collect();
    let feeds: HashSet<_> = failures.map(|failure| &failure.feed).collect();
    feeds.len() >= FEEDS && hosts.len() >= HOSTS
}

/// Returns whether two times are less than [`WINDOW`] apart, in either order: the clock may have been set back between
/// them.
fn is_recent(at: Timestamp, now: Timestamp) -> bool {
    now.since(at).max(at.since(now)) < WINDOW
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn at(seconds: u32) -> Timestamp {
        Timestamp::from_millis(1_000_000_000) + SECOND * seconds
    }

    /// Returns failures of this many feeds on this many hosts. One fails each second, from `first` on.
    fn failures(feeds: u32, hosts: u32, first: u32, before: PollsBefore) -> Vec<ReachFailure> {
        let failure = |n: u32| ReachFailure {
            feed: FeedId::from(n.to_string().as_str()),
            host: (n % hosts).to_string(),
            began: at(first + n),
            ended: at(first + n) + SECOND / 2,
            before,
        };
        (0..feeds).map(failure).collect()
    }

    fn reach(began: u32, ended: u32) -> AnsweredPoll {
        AnsweredPoll { began: at(began), ended: at(ended) }
    }

    fn verdict_at_end(outage: &mut Outage, now: u32, failures: &[ReachFailure]) -> OutageVerdict {
        outage.lapsed(at(now), &failures.iter().collect::<Vec<_>>())
    }

    fn verdict_at_reach(outage: &mut Outage, reach: AnsweredPoll, failures: &[ReachFailure]) -> OutageVerdict {
        outage.reached(reach, &failures.iter().collect::<Vec<_>>())
    }

    #[test]
    fn outage_is_our_own_if_many_feeds_on_several_hosts_fail_and_nothing_is_reached() {
        let check = |feeds, hosts, before, expected| {
            let failures = failures(feeds, hosts, 0, before);
            assert_eq!(
                verdict_at_end(&mut Outage::default(), 20, &failures),
                expected,
                "{feeds} on {hosts} {before:?}"
            );
        };
        check(4, 4, PollsBefore::Answered, OutageVerdict::FeedsFault);
        check(5, 2, PollsBefore::Answered, OutageVerdict::FeedsFault);
        check(5, 3, PollsBefore::Answered, OutageVerdict::OwnOutage);
        check(5, 3, PollsBefore::Never, OutageVerdict::OwnOutage);
        check(50, 50, PollsBefore::Failed, OutageVerdict::FeedsFault);
    }

    #[test]
    fn dead_feeds_among_many_others_do_not_show_that_the_network_works() {
        let mut failures = failures(8, 8, 0, PollsBefore::Failed);
        failures[3].before = PollsBefore::Answered;
        assert_eq!(verdict_at_end(&mut Outage::default(), 20, &failures), OutageVerdict::OwnOutage);
    }

    #[test]
    fn dead_feeds_next_to_a_living_one_are_at_fault_in_any_order() {
        for before in [PollsBefore::Never, PollsBefore::Failed] {
            let failures = failures(9, 9, 10, before);
            assert_eq!(verdict_at_reach(&mut Outage::default(), reach(30, 31), &failures), OutageVerdict::FeedsFault);
            let mut outage = Outage::default();
            verdict_at_reach(&mut outage, reach(0, 1), &[]);
            assert_eq!(verdict_at_end(&mut outage, 30, &failures), OutageVerdict::FeedsFault);
        }
        // These feeds answered before, but the answered poll ran at the same time.
        let failures = failures(9, 9, 10, PollsBefore::Answered);
        assert_eq!(verdict_at_reach(&mut Outage::default(), reach(9, 31), &failures), OutageVerdict::FeedsFault);
    }

    #[test]
    fn dead_feeds_that_fail_right_after_a_response_are_at_fault_even_if_nothing_else_is_polled() {
        let mut outage = Outage::default();
        verdict_at_reach(&mut outage, reach(0, 1), &[]);
        let failures = failures(7, 7, 2, PollsBefore::Never);
        assert_eq!(verdict_at_end(&mut outage, 2 + 6 * 60, &failures), OutageVerdict::FeedsFault);
    }

    #[test]
    fn short_outage_between_two_responses_counts_against_no_feed() {
        let mut outage = Outage::default();
        verdict_at_reach(&mut outage, reach(0, 1), &[]);
        let failures = failures(9, 9, 10, PollsBefore::Answered);
        assert_eq!(verdict_at_reach(&mut outage, reach(30, 31), &failures), OutageVerdict::OwnOutage);
        assert!(outage.covers(at(25)), "a poll that began during the outage");
        assert!(!outage.covers(at(32)));
    }

    #[test]
    fn network_lost_during_a_pass_counts_against_no_later_feed() {
        let mut outage = Outage::default();
        verdict_at_reach(&mut outage, reach(0, 5), &[]);
        assert_eq!(
            verdict_at_end(&mut outage, 30, &failures(9, 9, 6, PollsBefore::Answered)),
            OutageVerdict::OwnOutage
        );
        let mut outage = Outage::default();
        verdict_at_reach(&mut outage, reach(0, 20), &[]);
        assert_eq!(
            verdict_at_end(&mut outage, 30, &failures(9, 9, 6, PollsBefore::Answered)),
            OutageVerdict::FeedsFault
        );
    }

    #[test]
    fn outage_lasts_until_something_is_reached() {
        let mut outage = Outage::default();
        verdict_at_end(&mut outage, 20, &failures(5, 5, 0, PollsBefore::Answered));
        assert!(outage.covers(at(9_000)));
        verdict_at_reach(&mut outage, reach(9_005, 9_006), &[]);
        assert!(outage.covers(at(9_003)));
        assert!(!outage.covers(at(9_007)));
    }

    #[test]
    fn response_before_the_clock_was_set_back_is_ignored() {
        let mut outage = Outage::default();
        verdict_at_reach(&mut outage, reach(4_000, 4_001), &[]);
        assert_eq!(verdict_at_end(&mut outage, 20, &failures(5, 5, 0, PollsBefore::Never)), OutageVerdict::OwnOutage);
        verdict_at_reach(&mut outage, reach(30, 31), &[]);
        assert!(!outage.covers(at(40)));
    }
}
