//! What counts as a failure of a feed when our own network is down or the clock is set back, in single passes and in
//! the poll loop.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use newswire::fetch::Lookup;
use newswire::poll::{Pass, PollReport, Poller, ReportedOutcome};
use newswire::time::Timestamp;

use crate::poll::clock::{Ticking, news};
use crate::poll::{Bed, DAY, FEED, HOUR, MINUTE, feed_at, fetcher, start};
use crate::support::origin::{Origin, Reply};

/// A simulated network. While it is up, names resolve to this machine, except those that begin with `dead`.
#[derive(Clone, Default)]
struct Network {
    is_down: Arc<AtomicBool>,
    /// How many look-ups failed.
    misses: Arc<AtomicUsize>,
    /// After this many failed look-ups, the network is up again; `None` if it stays down.
    patience: Option<usize>,
}

impl Network {
    fn set(&self, is_up: bool) {
        self.is_down.store(!is_up, Ordering::SeqCst);
    }

    fn misses(&self) -> usize {
        self.misses.load(Ordering::SeqCst)
    }

    fn lookup(&self) -> Lookup {
        let network = self.clone();
        Arc::new(move |name: &str| {
            if !network.is_down.load(Ordering::SeqCst) && !name.starts_with("dead") {
                return Ok(vec![[127, 0, 0, 1].into()]);
            }
            let misses = network.misses.fetch_add(1, Ordering::SeqCst) + 1;
            if network.patience == Some(misses) {
                network.set(true);
            }
            Err(std::io::Error::other("server failure"))
        })
    }

    /// Creates a bed with one feed per host, named after the host.
    async fn bed(&self, origin: &Origin, hosts: &[String]) -> Bed {
        let feeds = hosts.iter().map(|host| feed_at(host, &format!("{host}.test"), origin, "/feed"));
        Bed::new(&feeds.collect::<String>(), Some(self.lookup())).await
    }
}

fn hosts(stem: &str, count: usize) -> Vec<String> {
    (0..count).map(|n| format!("{stem}{n}")).collect()
}

fn steady() -> Origin {
    Origin::start(|_| Reply::new(200, &[("ETag", "\"1\"")], FEED))
}

/// Returns the bed with a poller that polls one feed after another, in the order of the config.
fn one_by_one(bed: Bed) -> Bed {
    let poller = Poller::new(bed.store.clone(), fetcher(&bed.lookup), 1);
    Bed { poller, ..bed }
}

/// Asserts the state and the number of failures of these feeds, and how long they wait for the next poll.
async fn check(
    bed: &Bed,
    feeds: &[String],
    now: Timestamp,
    state: &str,
    failures: u32,
    wait: std::ops::Range<Duration>,
) {
    for feed in feeds {
        let status = bed.status(feed).await;
        assert_eq!((status.state.code(), status.failures), (state, failures), "{feed}");
        // The test itself takes some seconds, so the upper bound is a minute later.
        let waits = status.next_poll.since(now);
        assert!((wait.start..wait.end + MINUTE).contains(&waits), "{feed} waits for {waits:?}");
    }
}

const SOON: std::ops::Range<Duration> = Duration::from_secs(600)..Duration::from_secs(1200);
const HOURLY: std::ops::Range<Duration> = Duration::from_secs(3600)..Duration::from_secs(7200);

fn failed(reports: &[PollReport]) -> usize {
    reports.iter().filter(|report| report.outcome == ReportedOutcome::Failed).count()
}

#[tokio::test]
async fn pass_without_a_network_counts_against_no_feed_and_is_retried_soon() {
    let (origin, network, hosts) = (steady(), Network::default(), hosts("host", 8));
    let bed = network.bed(&origin, &hosts).await;
    network.set(false);
    assert_eq!(failed(&bed.poll_due(start()).await), 8);
    check(&bed, &hosts, start(), "new", 0, SOON).await;
    network.set(true);
    let back = start() + HOUR;
    assert_eq!(failed(&bed.poll_due(back).await), 0);
    check(&bed, &hosts, back, "ok", 0, HOURLY).await;
    network.set(false);
    let away = back + HOUR * 3;
    let bed = bed.restart().await;
    assert_eq!(failed(&bed.poll_due(away).await), 8);
    check(&bed, &hosts, away, "ok", 0, SOON).await;
}

#[tokio::test]
async fn dead_feeds_among_working_ones_back_off_in_any_order() {
    let (living, dead) = (hosts("living", 3), hosts("dead", 7));
    for order in [[&dead[..], &living[..]].concat(), [&living[..], &dead[..]].concat()] {
        let (origin, network) = (steady(), Network::default());
        let bed = one_by_one(network.bed(&origin, &order).await);
        let mut now = start();
        for failures in 1..=3 {
            assert_eq!(failed(&bed.poll_due(now).await), 7);
            let wait = HOUR * (1 << (failures - 1));
            check(&bed, &dead, now, "failing", failures, wait..wait * 2).await;
            check(&bed, &living, now, "ok", 0, HOURLY).await;
            now = now + HOUR * 9;
        }
    }
}

#[tokio::test]
async fn failures_of_four_feeds_or_two_hosts_are_not_an_outage() {
    let (origin, network) = (steady(), Network::default());
    let few = network.bed(&origin, &hosts("host", 4)).await;
    let feeds: String = (0..8).map(|n| feed_at(&format!("f{n}"), &format!("h{}.test", n % 2), &origin, "/")).collect();
    let on_two = Bed::new(&feeds, Some(network.lookup())).await;
    network.set(false);
    for bed in [few, on_two] {
        for report in bed.poll_due(start()).await {
            assert_eq!(bed.status(report.feed.as_str()).await.failures, 1, "{}", report.feed);
        }
    }
}

#[tokio::test]
async fn network_that_fails_during_a_pass_counts_against_no_feed() {
    let (network, hosts) = (Network::default(), hosts("host", 12));
    let falls = network.clone();
    let origin = Origin::start(move |request| {
        // The fifth request of the second pass is the last that is answered.
        if request.number == 12 + 4 {
            falls.set(false);
        }
        Reply::new(200, &[("ETag", "\"1\"")], FEED).close()
    });
    let bed = one_by_one(network.bed(&origin, &hosts).await);
    bed.poll_due(start()).await;
    let away = start() + HOUR * 3;
    assert_eq!(failed(&bed.poll_due(away).await), 7);
    check(&bed, &hosts, away, "ok", 0, SOON.start..HOURLY.end).await;
    assert_eq!(failed(&bed.poll_due(away + MINUTE * 30).await), 7, "only the feeds that were missed are polled");
    network.set(true);
    assert_eq!(failed(&bed.poll_due(away + HOUR).await), 0);
    check(&bed, &hosts, away + HOUR, "ok", 0, Duration::ZERO..HOURLY.end).await;
}

#[tokio::test]
async fn network_that_returns_during_a_pass_counts_against_no_feed() {
    let (origin, hosts) = (steady(), hosts("host", 12));
    let network = Network { patience: Some(6), ..Network::default() };
    let bed = one_by_one(network.bed(&origin, &hosts).await);
    bed.poll_due(start()).await;
    network.set(false);
    let away = start() + HOUR * 3;
    assert_eq!(failed(&bed.poll_due(away).await), 6);
    check(&bed, &hosts, away, "ok", 0, SOON.start..HOURLY.end).await;
}

/// Lets the loop poll the feeds that are due at `now`, and waits until `misses` look-ups have failed.
async fn fail(ticking: &Ticking, network: &Network, now: Timestamp, misses: usize) {
    let before = network.misses();
    ticking.turn(now).await;
    while network.misses() < before + misses {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

#[tokio::test]
async fn daemon_without_a_network_counts_against_no_feed_and_recovers_soon() {
    let (origin, network, hosts) = (news(), Network::default(), hosts("host", 8));
    let ticking = Ticking::start(network.bed(&origin, &hosts).await, origin);
    ticking.until_settled().await;
    network.set(false);
    let mut now = start() + HOUR * 3;
    fail(&ticking, &network, now, 8).await;
    check(&ticking.bed, &hosts, start(), "ok", 0, HOUR..HOUR * 3).await;
    // newswire collects failures for a while before it decides whether its own network is down. When the clock has
    // moved on by 20 minutes, that time is over. Then newswire decides about these failures, and from then on about
    // each later failure at once.
    for _ in 0..6 {
        now = now + MINUTE * 20;
        ticking.set(now).await;
        check(&ticking.bed, &hosts, now, "ok", 0, Duration::ZERO..SOON.end).await;
    }
    network.set(true);
    let before = ticking.polls();
    ticking.set(now + MINUTE * 20).await;
    assert_eq!(ticking.polls(), before + 8);
    check(&ticking.bed, &hosts, now + MINUTE * 20, "ok", 0, HOURLY).await;
    ticking.end().await;
}

/// Polls the feeds that are due at `now`. A failure that comes after the last response waits for its verdict until the
/// clock has moved on by six minutes.
async fn decide(ticking: &Ticking, network: &Network, now: Timestamp, misses: usize) {
    fail(ticking, network, now, misses).await;
    for step in 1..=5 {
        if ticking.is_settled_soon().await {
            return;
        }
        ticking.turn(now + MINUTE * 6 * step).await;
    }
    panic!("the failures never got their verdict");
}

#[tokio::test]
async fn dead_feeds_among_working_ones_back_off_in_the_daemon() {
    let (origin, network) = (news(), Network::default());
    let (living, dead) = (hosts("living", 2), hosts("dead", 7));
    let bed = network.bed(&origin, &[&dead[..], &living[..]].concat()).await;
    let ticking = Ticking::start(bed, origin);
    let mut now = start();
    for failures in 1..=3 {
        decide(&ticking, &network, now, 7).await;
        let wait = HOUR * (1 << (failures - 1));
        check(&ticking.bed, &dead, now, "failing", failures, wait..wait * 2).await;
        check(&ticking.bed, &living, now, "ok", 0, Duration::ZERO..HOURLY.end).await;
        now = now + HOUR * 9;
    }
    ticking.end().await;
}

#[tokio::test]
async fn dead_feeds_alone_back_off_in_the_daemon_at_the_end_of_the_window() {
    let (origin, network, dead) = (news(), Network::default(), hosts("dead", 7));
    let bed = network.bed(&origin, &[dead.clone(), hosts("living", 1)].concat()).await;
    let ticking = Ticking::start(bed, origin);
    decide(&ticking, &network, start(), 7).await;
    check(&ticking.bed, &dead, start(), "failing", 1, HOURLY).await;
    // All feeds are due again by then. Feeds that have failed before are no evidence of an outage.
    decide(&ticking, &network, start() + HOUR * 3, 7).await;
    for feed in &dead {
        assert!(ticking.bed.status(feed).await.failures >= 2, "{feed}");
    }
    ticking.end().await;
}

#[tokio::test]
async fn undecided_failures_are_stored_when_the_daemon_stops() {
    let (origin, network, hosts) = (news(), Network::default(), hosts("host", 8));
    let ticking = Ticking::start(network.bed(&origin, &hosts).await, origin);
    ticking.until_settled().await;
    network.set(false);
    let away = start() + HOUR * 3;
    fail(&ticking, &network, away, 8).await;
    let bed = ticking.end().await;
    check(&bed, &hosts, away, "ok", 0, SOON).await;
}

/// Polls the due feeds every ten minutes, as a timer does, after the clock was set back. Asserts that each feed is
/// polled once, when its interval of an hour has passed by the new clock.
async fn check_set_back(back: Duration) {
    let origin = steady();
    let bed = Bed::of_hosts(&origin, 12).await;
    bed.poll_due(start()).await;
    bed.poll_due(start() + HOUR * 3).await;
    let set_back = start() + HOUR * 3 + MINUTE - back;
    let mut polls = Vec::new();
    for step in 0..=12 {
        // Each pass reads its state from the store, as a run of the program does.
        polls.push(bed.poll_due(set_back + MINUTE * 10 * step).await.len());
    }
    assert_eq!(polls[..6].iter().sum::<usize>(), 0, "the last poll may have been a moment ago: {polls:?}");
    assert_eq!(polls[6..12].iter().sum::<usize>(), 12, "after an hour each is polled once: {polls:?}");
    for n in 0..12 {
        let status = bed.status(&format!("f{n}")).await;
        assert!(status.last_poll.unwrap() <= set_back + HOUR * 2 + MINUTE, "{n}");
        assert_eq!((status.state.code(), status.failures), ("ok", 0));
    }
}

#[tokio::test]
async fn clock_set_back_delays_no_feed_by_more_than_its_interval() {
    for back in [HOUR, DAY * 20, DAY * 400] {
        check_set_back(back).await;
    }
}

#[tokio::test]
async fn clock_set_back_ends_no_hold_and_makes_none_longer() {
    for back in [HOUR, DAY * 20, DAY * 400] {
        let origin = Origin::start(|request| match request.target().as_str() {
            "/limited" if request.number == 0 => Reply::new(429, &[("Retry-After", "21600")], ""),
            _ => Reply::new(200, &[("ETag", "\"1\"")], FEED),
        });
        let feeds = ["/limited", "/other"].map(|path| feed_at(&path[1..], "a.test", &origin, path));
        let mut bed = Bed::new(&feeds.concat(), Some(crate::poll::local_names())).await;
        let set_back = start() + MINUTE - back;
        let mut polls = vec![("limited", start(), ReportedOutcome::Failed)];
        let (held, free) = (ReportedOutcome::Held, ReportedOutcome::Changed);
        for (now, expected) in [(Duration::ZERO, held), (HOUR * 5, held), (HOUR * 6 + MINUTE * 2, free)] {
            polls.extend(["limited", "other"].map(|feed| (feed, set_back + now, expected)));
        }
        for (feed, now, expected) in polls {
            bed = bed.restart().await;
            let reports = bed.poller.pass(&bed.config, &Pass::Named(vec![feed.into()]), now, |_, _| {}).await.unwrap();
            assert_eq!(reports[0].outcome, expected, "{feed} at {now}, set back by {back:?}");
        }
    }
}
