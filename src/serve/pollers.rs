//! How often each peer asks for whole feeds: whoever does so more often than is of any use is asked to wait.
//!
//! A reader that asks under conditions is never limited: its answers cost nothing. Nor is loopback, where a reverse proxy
//! speaks for everybody.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::peers::network;

/// Over which time feeds are counted.
const WINDOW: Duration = Duration::from_secs(60);

/// How many whole feeds a peer gets in a [`WINDOW`]: each lasts for fifteen minutes, so that this is enough for a house full
/// of readers.
const WHOLE_FEEDS: u32 = 60;

/// How many peers are counted at once: more than ask in a minute, and few enough for the memory.
const PEERS: usize = 16_384;

/// What each peer had of late.
#[derive(Debug)]
pub struct Pollers(Mutex<Counts>);

#[derive(Debug)]
struct Counts {
    since: Instant,
    feeds: HashMap<IpAddr, u32>,
}

impl Pollers {
    pub fn new(now: Instant) -> Pollers {
        Pollers(Mutex::new(Counts { since: now, feeds: HashMap::new() }))
    }

    /// Counts a whole feed that `peer` is about to get; if it had too many, how long it has to wait.
    pub fn count(&self, peer: IpAddr, now: Instant) -> Option<Duration> {
        if peer.is_loopback() {
            return None;
        }
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if now.duration_since(counts.since) >= WINDOW {
            *counts = Counts { since: now, feeds: HashMap::new() };
        }
        let until = WINDOW.saturating_sub(now.duration_since(counts.since));
        let network = network(peer);
        if counts.feeds.len() >= PEERS && !counts.feeds.contains_key(&network) {
            return None;
        }
        let feeds = counts.feeds.entry(network).or_default();
        *feeds += 1;
        (*feeds > WHOLE_FEEDS).then_some(until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn e13_peer_that_takes_a_hundred_whole_feeds_a_minute_is_asked_to_wait() {
        let start = Instant::now();
        let pollers = Pollers::new(start);
        let second = |number: u64| start + Duration::from_secs(number);
        let refused = |peer: &str, from: u64| -> usize {
            let peer = peer.parse().unwrap();
            (0..100).filter(|_| pollers.count(peer, second(from)).is_some()).count()
        };
        assert_eq!(refused("203.0.113.7", 0), 40);
        assert_eq!(refused("203.0.113.8", 0), 40, "each peer has its own");
        assert_eq!(refused("127.0.0.1", 0), 0);
        let wait = pollers.count("203.0.113.7".parse().unwrap(), second(50));
        assert_eq!(wait, Some(Duration::from_secs(10)));
        assert_eq!(refused("203.0.113.7", 60), 40, "a minute later it begins anew");
        assert_eq!(refused("2001:db8::1", 60), 40);
        assert_eq!(refused("2001:db8::2", 60), 100, "a network is one peer");
    }
}
