//! The poll loop with a simulated clock that jumps while the machine's own clock runs normally.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use newswire::config::Config;
use newswire::time::Timestamp;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::poll::{Bed, DAY, FEED, HOUR, MINUTE, start};
use crate::support::origin::{Origin, Reply};

const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);
const TEN_MINUTES: Duration = Duration::from_secs(600);

/// How long to wait at most: longer than anything here takes on a busy machine, so it is reached only if something is
/// wrong.
const PATIENCE: Duration = Duration::from_secs(60);

/// Starts an origin that serves a document with another entry at every request.
pub fn news() -> Origin {
    Origin::start(|request| {
        let document = FEED.replace(">1<", &format!(">{}<", request.number));
        Reply::new(200, &[("ETag", "\"1\"")], document)
    })
}

/// A running poll loop, whose clock the test sets. Its feeds have different hosts, and one origin serves all of them.
pub struct Ticking {
    pub bed: Bed,
    pub origin: Origin,
    wall: Arc<AtomicI64>,
    /// How often the loop has read the clock.
    looks: Arc<AtomicUsize>,
    edits: watch::Sender<Arc<Config>>,
    shutdown: CancellationToken,
    polling: JoinHandle<()>,
}

impl Ticking {
    /// Starts a loop, and waits until each feed has been polled once.
    async fn new(feeds: usize) -> Ticking {
        let origin = news();
        let bed = Bed::of_hosts(&origin, feeds).await;
        let ticking = Ticking::start(bed, origin);
        ticking.until_settled().await;
        assert_eq!(ticking.polls(), feeds);
        ticking
    }

    pub fn start(bed: Bed, origin: Origin) -> Ticking {
        let wall = Arc::new(AtomicI64::new(start().millis()));
        let looks = Arc::new(AtomicUsize::new(0));
        let (shown, looked) = (wall.clone(), looks.clone());
        let clock = Arc::new(move || {
            looked.fetch_add(1, Ordering::SeqCst);
            Timestamp::from_millis(shown.load(Ordering::SeqCst))
        });
        let (edits, configs) = watch::channel(bed.config.clone());
        let (shutdown, reports) = (CancellationToken::new(), mpsc::unbounded_channel().0);
        let poller = bed.poller.clone().with_clock(clock);
        let polling = tokio::spawn(poller.run(configs, reports, shutdown.clone()));
        Ticking { bed, origin, wall, looks, edits, shutdown, polling }
    }

    pub fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.wall.load(Ordering::SeqCst))
    }

    pub fn polls(&self) -> usize {
        self.origin.requests().len()
    }

    /// Sets the clock, and waits until the loop has read it twice. By the second reading, the loop has begun the work
    /// that is due since the first.
    pub async fn turn(&self, now: Timestamp) {
        self.wall.store(now.millis(), Ordering::SeqCst);
        for _ in 0..2 {
            self.look().await;
        }
    }

    /// Sets the clock, and waits until the loop has polled all feeds that are due.
    pub async fn set(&self, now: Timestamp) {
        self.turn(now).await;
        self.until_settled().await;
    }

    pub async fn look(&self) {
        let before = self.looks.load(Ordering::SeqCst);
        self.edits.send_replace(self.bed.config.clone());
        while self.looks.load(Ordering::SeqCst) == before {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    pub async fn until_settled(&self) {
        let started = Instant::now();
        while self.next_polls().await.iter().any(|at| *at <= self.now()) {
            assert!(started.elapsed() < PATIENCE, "what was due was never polled");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Returns whether the loop has polled all feeds that are due, within a fifth of a second.
    pub async fn is_settled_soon(&self) -> bool {
        for _ in 0..20 {
            if self.next_polls().await.iter().all(|at| *at > self.now()) {
                return true;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        false
    }

    async fn next_polls(&self) -> Vec<Timestamp> {
        let statuses = self.bed.store.read(|reader| reader.feed_statuses()).await.unwrap();
        statuses.into_values().map(|status| status.next_poll).collect()
    }

    pub async fn end(self) -> Bed {
        self.shutdown.cancel();
        self.polling.await.unwrap();
        self.bed
    }
}

#[tokio::test]
async fn overdue_feeds_are_polled_within_half_a_minute_after_a_suspend() {
    let ticking = Ticking::new(3).await;
    let resumed = Instant::now();
    ticking.wall.store((start() + HOUR * 8).millis(), Ordering::SeqCst);
    ticking.until_settled().await;
    assert!(resumed.elapsed() < Duration::from_secs(30), "{:?}", resumed.elapsed());
    assert_eq!(ticking.polls(), 6, "each feed was polled once");
    ticking.end().await;
}

#[tokio::test]
async fn after_a_day_of_suspend_each_feed_is_polled_once_over_ten_minutes() {
    let feeds = 60;
    let ticking = Ticking::new(feeds).await;
    let awake = start() + DAY;
    let mut before = ticking.polls();
    for minute in 0..10 {
        ticking.set(awake + MINUTE * minute).await;
        let polls = ticking.polls() - before;
        before += polls;
        assert!(polls <= 3 * feeds / 10, "{polls} in minute {minute}");
    }
    ticking.set(awake + TEN_MINUTES).await;
    assert_eq!(ticking.polls(), 2 * feeds, "each feed missed 24 polls and is polled once");
    ticking.end().await;
}

#[tokio::test]
async fn many_feeds_of_one_host_do_not_delay_other_feeds() {
    let origin = news();
    let feed = |id: usize, host: &str| crate::poll::feed_at(&format!("f{id}"), host, &origin, &format!("/{host}"));
    let feeds = (0..60).map(|id| feed(id, "many.test")).chain((60..65).map(|id| feed(id, &format!("{id}.test"))));
    let feeds = format!("[poll]\nconcurrency = 4\n{}", feeds.collect::<String>());
    let bed = Bed::new(&feeds, Some(crate::poll::local_names())).await;
    let ticking = Ticking::start(bed, origin);
    let asked = |of_many: bool| {
        let requests = ticking.origin.requests();
        requests.iter().filter(|request| (request.target() == "/many.test") == of_many).count()
    };
    let started = Instant::now();
    while asked(false) < 5 {
        assert!(started.elapsed() < PATIENCE);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(asked(true) < 30, "the other feeds were polled before half of the sixty feeds of one host");
    ticking.end().await;
}

/// Asserts that a jump of the clock delays no feed for long, and that no feed is polled too often in the hours after
/// it. The clock jumps five minutes after the first polls. New feeds wait for up to two hours after their first poll.
async fn check_jump(jump: impl Fn(Timestamp) -> Timestamp) {
    let feeds = 12;
    let ticking = Ticking::new(feeds).await;
    let jumped = jump(start() + TEN_MINUTES / 2);
    let mut steps = Vec::new();
    for step in 0..=20 {
        let before = ticking.polls();
        ticking.set(jumped + TEN_MINUTES * step).await;
        steps.push(ticking.polls() - before);
    }
    let polls: usize = steps.iter().sum();
    assert!(polls >= feeds, "no feed is delayed for long: {steps:?}");
    assert!(polls <= 4 * feeds, "no feed is polled more often than hourly: {steps:?}");
    let now = ticking.now();
    let bed = ticking.end().await;
    let statuses = bed.store.read(|reader| reader.feed_statuses()).await.unwrap();
    for status in statuses.into_values() {
        assert!(status.last_poll.unwrap() < now + MINUTE);
        assert!(status.next_poll > now && status.next_poll <= now + HOUR * 2, "{}", status.next_poll);
        assert!(status.newest.unwrap() < now.max(start()) + MINUTE, "an entry was seen first in the future");
    }
}

#[tokio::test]
async fn a_clock_set_back_by_an_hour_stalls_no_feed() {
    check_jump(|now| now - HOUR).await;
}

#[tokio::test]
async fn clock_set_back_by_twenty_days_stalls_no_feed() {
    check_jump(|now| now - DAY * 20).await;
}

#[tokio::test]
async fn clock_set_back_by_four_hundred_days_stalls_no_feed() {
    check_jump(|now| now - DAY * 400).await;
}

#[tokio::test]
async fn a_clock_set_back_by_ten_years_stalls_no_feed() {
    check_jump(|now| now - YEAR * 10).await;
}

#[tokio::test]
async fn a_clock_set_forward_by_a_day_makes_one_poll_of_each_feed() {
    check_jump(|now| now + DAY).await;
}

#[tokio::test]
async fn a_clock_set_forward_by_ten_years_and_back_again_stalls_no_feed() {
    check_jump(|now| now + YEAR * 10).await;
    // The polls of ten feeds are too few to be spread over time.
    let ticking = Ticking::new(10).await;
    ticking.set(start() + YEAR * 10).await;
    assert_eq!(ticking.polls(), 20);
    ticking.set(start() + HOUR).await;
    assert_eq!(ticking.polls(), 20, "the last poll may have been a moment ago");
    ticking.set(start() + HOUR * 3).await;
    assert_eq!(ticking.polls(), 30);
    ticking.end().await;
}
