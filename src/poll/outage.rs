//! Telling an outage of our own network from feeds that cannot be reached: it counts against nobody.
//!
//! Pure: what happened comes in with its time. The rule is cautious, for a feed that is really gone must back off: at least
//! five feeds on three hosts, and nothing that was reached. An outage lasts until something is.

use std::collections::{HashSet, VecDeque};
use std::time::Duration;

use crate::feed::FeedId;
use crate::time::Timestamp;

const FEEDS: usize = 5;
const HOSTS: usize = 3;

/// How far back it is looked.
const WINDOW: Duration = Duration::from_secs(5 * 60);

/// So many failures are remembered at most: enough to tell, however many feeds there are.
const REMEMBERED: usize = 256;

/// What was reached and what was not, of late.
#[derive(Debug, Default)]
pub struct Outage {
    unreached: VecDeque<(Timestamp, FeedId, String)>,
    reached: Option<Timestamp>,
    is_down: bool,
}

impl Outage {
    /// A server answered, with whatever status.
    pub fn reached(&mut self, now: Timestamp) {
        self.reached = Some(now);
        self.is_down = false;
    }

    /// No server could be resolved or connected to; returns whether that is our own network's doing.
    pub fn unreached(&mut self, now: Timestamp, feed: &FeedId, host: &str) -> bool {
        if self.unreached.len() == REMEMBERED {
            self.unreached.pop_front();
        }
        self.unreached.push_back((now, feed.clone(), host.to_owned()));
        self.unreached.retain(|(at, ..)| is_recent(*at, now));
        let feeds: HashSet<_> = self.unreached.iter().map(|(_, feed, _)| feed).collect();
        let hosts: HashSet<_> = self.unreached.iter().map(|(.., host)| host).collect();
        let was_reached = self.reached.is_some_and(|at| is_recent(at, now));
        self.is_down |= !was_reached && feeds.len() >= FEEDS && hosts.len() >= HOSTS;
        self.is_down
    }
}

/// Whether it lies within the window, by a clock that may have been set back meanwhile.
fn is_recent(at: Timestamp, now: Timestamp) -> bool {
    now.since(at).max(at.since(now)) < WINDOW
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        Timestamp::from_millis(1_000_000_000)
    }

    /// The last of so many feeds on so many hosts fails: is it us?
    fn check(feeds: usize, hosts: usize, expected: bool) {
        let mut outage = Outage::default();
        let results = (0..feeds)
            .map(|n| outage.unreached(now(), &FeedId::from(n.to_string().as_str()), &(n % hosts).to_string()));
        assert_eq!(results.last(), Some(expected), "{feeds} feeds on {hosts} hosts");
    }

    #[test]
    fn outage_is_our_own_if_many_feeds_on_several_hosts_fail() {
        check(4, 4, false);
        check(5, 2, false);
        check(5, 3, true);
    }

    #[test]
    fn s09_outage_lasts_until_something_is_reached() {
        let mut outage = Outage::default();
        for n in 0..5 {
            outage.unreached(now(), &FeedId::from(n.to_string().as_str()), &n.to_string());
        }
        assert!(outage.unreached(now() + WINDOW * 9, &FeedId::from("1"), "1"));
        outage.reached(now() + WINDOW * 10);
        assert!(!outage.unreached(now() + WINDOW * 20, &FeedId::from("1"), "1"));
    }

    #[test]
    fn one_answer_shows_that_the_network_works() {
        let mut outage = Outage::default();
        outage.reached(now());
        for n in 0..9 {
            assert!(!outage.unreached(now(), &FeedId::from(n.to_string().as_str()), &n.to_string()));
        }
    }

    #[test]
    fn s03_what_was_reached_before_the_clock_was_set_back_is_forgotten() {
        let mut outage = Outage::default();
        outage.reached(now() + WINDOW * 2);
        let results = (0..9).map(|n| outage.unreached(now(), &FeedId::from(n.to_string().as_str()), &n.to_string()));
        assert_eq!(results.last(), Some(true));
    }

    #[test]
    fn failures_of_long_ago_are_forgotten() {
        let mut outage = Outage::default();
        for n in 0..9 {
            let at = now() + WINDOW * n;
            assert!(!outage.unreached(at, &FeedId::from(n.to_string().as_str()), &n.to_string()));
        }
    }
}
