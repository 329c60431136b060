//! Hand-driven passes over real sockets, with a clock that the test sets.

mod support;

use std::sync::Arc;
use std::time::Duration;

use newswire::config::{self, Config, SourceFile};
use newswire::feed::FeedId;
use newswire::fetch::{Fetcher, Lookup};
use newswire::poll::{Pass, PollReport, Poller, ReportedOutcome};
use newswire::store::{FeedStatus, Store};
use newswire::time::Timestamp;
use support::origin::{Origin, Reply};
use tempfile::TempDir;
use url::Url;

const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);

const FEED: &str = r#"<rss version="2.0"><channel><title>A</title><link>https://a.example/</link><description>d</description>
<item><guid isPermaLink="false">1</guid><title>One</title><description>Words.</description></item></channel></rss>"#;

fn start() -> Timestamp {
    Timestamp::from_millis(1_514_764_800_000)
}

struct Bed {
    folder: TempDir,
    store: Store,
    poller: Poller,
    config: Arc<Config>,
}

impl Bed {
    async fn new(feeds: &str, lookup: Option<Lookup>) -> Bed {
        let text =
            format!("[site]\ntitle = \"Test\"\n{feeds}\n[[section]]\nid = \"all\"\ntitle = \"All\"\nfeeds = [\"*\"]");
        let file = SourceFile { path: "/test/newswire.toml".into(), text };
        let (config, problems) = config::check(&[file], &|_| Err("there are no secrets here".to_owned()));
        let config = Arc::new(config.unwrap_or_else(|| panic!("{problems:?}")));
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("newswire.db"), "a test").unwrap();
        store.sync(config.clone(), start()).await.unwrap();
        let contact = Url::parse("https://contact.example/").unwrap();
        let fetcher = lookup.map_or_else(|| Fetcher::new(&contact), |lookup| Fetcher::with_lookup(&contact, lookup));
        let poller = Poller::new(store.clone(), fetcher, 16);
        Bed { folder, store, poller, config }
    }

    async fn of(origin: &Origin, rest: &str) -> Bed {
        let url = origin.url("/feed");
        let feed = format!("[[feed]]\nid = \"a\"\nurl = \"{url}\"\nallow = [\"{}\"]\n{rest}", origin.address);
        Bed::new(&feed, None).await
    }

    /// As after a restart of the program.
    async fn restart(self) -> Bed {
        let Bed { folder, store, poller, config } = self;
        drop((poller, store));
        let store = Store::open(&folder.path().join("newswire.db"), "a test").unwrap();
        let poller = Poller::new(store.clone(), Fetcher::new(&Url::parse("https://contact.example/").unwrap()), 16);
        Bed { folder, store, poller, config }
    }

    async fn poll_due(&self, now: Timestamp) -> Vec<PollReport> {
        self.poller.poll_due(&self.config, now).await.unwrap()
    }

    async fn status(&self, feed: &str) -> FeedStatus {
        self.store.read(|reader| reader.feed_statuses()).await.unwrap().remove(&FeedId::from(feed)).unwrap()
    }
}

#[tokio::test]
async fn after_a_gap_each_feed_is_polled_once() {
    let origin = Origin::start(|_| Reply::new(200, &[("ETag", "\"1\"")], FEED));
    let bed = Bed::of(&origin, "").await;
    assert_eq!(bed.poll_due(start()).await.len(), 1, "what was never polled is due at once");
    assert!(bed.poll_due(start() + HOUR / 2).await.is_empty());
    assert_eq!(bed.poll_due(start() + DAY).await.len(), 1);
    assert!(bed.poll_due(start() + DAY).await.is_empty(), "23 polls were missed, one is made");
    assert_eq!(origin.requests().len(), 2);
}

#[tokio::test]
async fn failures_back_off_and_a_success_resets_them() {
    let origin = Origin::start(|request| match request.number {
        0..6 => Reply::new(500, &[], "out of order"),
        _ => Reply::new(200, &[("ETag", "\"1\"")], FEED),
    });
    let bed = Bed::of(&origin, "").await;
    let mut now = start();
    let mut waits = Vec::new();
    for failures in 1..=6 {
        let report = &bed.poll_due(now).await[0];
        assert_eq!(report.outcome, ReportedOutcome::Failed);
        assert_eq!(bed.status("a").await.failures, failures);
        waits.push(report.next_poll.since(now));
        now = report.next_poll;
    }
    assert!(waits.is_sorted() && waits[5] > HOUR * 12 && waits[5] <= HOUR * 27, "{waits:?}");
    assert_eq!(bed.poll_due(now).await[0].outcome, ReportedOutcome::Changed);
    let status = bed.status("a").await;
    assert_eq!((status.state.as_str(), status.failures, status.last_error), ("ok", 0, None));
}

#[tokio::test]
async fn gone_feed_is_shown_and_asked_again_only_by_force() {
    let origin = Origin::start(|request| match request.number {
        0 => Reply::new(410, &[], ""),
        _ => Reply::new(200, &[], FEED),
    });
    let bed = Bed::of(&origin, "").await;
    assert_eq!(bed.poll_due(start()).await[0].outcome, ReportedOutcome::Gone);
    assert_eq!(bed.status("a").await.state, "gone");
    assert!(bed.poll_due(start() + DAY * 365).await.is_empty());
    let forced = bed.poller.pass(&bed.config, &Pass::Force(Vec::new()), start() + DAY, |_, _| {}).await.unwrap();
    assert_eq!(forced[0].outcome, ReportedOutcome::Changed);
    assert_eq!(bed.status("a").await.state, "ok");
}

#[tokio::test]
async fn permanent_redirect_is_believed_after_three_polls_in_two_days() {
    let origin = Origin::start(|request| match request.target().as_str() {
        "/feed" => Reply::redirect(301, "/new"),
        _ => Reply::new(200, &[("ETag", "\"1\"")], FEED),
    });
    let bed = Bed::of(&origin, "").await;
    for day in 0..3 {
        assert_eq!(bed.poll_due(start() + DAY * day).await.len(), 1);
    }
    let before = origin.requests().len();
    bed.poll_due(start() + DAY * 3).await;
    let targets: Vec<_> = origin.requests()[before..].iter().map(|request| request.target()).collect();
    assert_eq!(targets, ["/new"], "the fourth goes there directly");
    bed.poll_due(start() + DAY * 4).await;
    assert_eq!(origin.requests().last().unwrap().target(), "/new");
    assert_eq!(bed.status("a").await.moved.unwrap().0, origin.url("/new").as_str());
}

#[tokio::test]
async fn temporary_redirect_is_never_believed() {
    let origin = Origin::start(|request| match request.target().as_str() {
        "/feed" => Reply::redirect(302, "/new"),
        _ => Reply::new(200, &[("ETag", "\"1\"")], FEED),
    });
    let bed = Bed::of(&origin, "").await;
    for day in 0..6 {
        bed.poll_due(start() + DAY * day).await;
    }
    assert_eq!(origin.requests().iter().filter(|request| request.target() == "/feed").count(), 6);
    assert_eq!(bed.status("a").await.moved, None);
}

#[tokio::test]
async fn whole_origin_waits_where_the_server_speaks_for_it_and_only_the_url_where_allow_opened_it() {
    let origin = Origin::start(|_| Reply::new(429, &[("Retry-After", "7200")], ""));
    let bed = Bed::of(&origin, "").await;
    let report = &bed.poll_due(start()).await[0];
    assert!(report.next_poll >= start() + HOUR * 2, "{report:?}");
    let status = bed.status("a").await;
    assert_eq!(status.hold_why.as_deref(), Some("Retry-After"));
    let holds = bed.store.read(|reader| reader.host_holds(start())).await.unwrap();
    assert!(holds.is_empty(), "a host that the editor opened holds nobody else up: {holds:?}");
    let all = bed.poller.pass(&bed.config, &Pass::All, start() + HOUR, |_, _| {}).await.unwrap();
    assert_eq!(all[0].outcome, ReportedOutcome::Held);
    assert_eq!(origin.requests().len(), 1);
}

#[tokio::test]
async fn outage_of_our_own_network_counts_against_nobody() {
    let feeds: String =
        (0..8).map(|n| format!("[[feed]]\nid = \"f{n}\"\nurl = \"https://host{n}.example/feed\"\n")).collect();
    let bed = Bed::new(&feeds, Some(Arc::new(|_: &str| Ok(Vec::new())))).await;
    let reports = bed.poll_due(start()).await;
    assert_eq!(reports.len(), 8);
    let mut counted = 0;
    for n in 0..8 {
        counted += bed.status(&format!("f{n}")).await.failures;
    }
    assert_eq!(counted, 4, "the first four cannot know; from the fifth on it is our own network");
    assert!(reports.iter().all(|report| report.next_poll <= start() + HOUR * 2), "nobody is put off for long");
}

/// A01, A02, B01, B02: thirty days, looked at every ten minutes, with fifty restarts.
#[tokio::test]
async fn thirty_days_with_fifty_restarts_are_full_marks() {
    let origin = Origin::start(|request| match request.header("if-none-match").as_deref() {
        Some(b"\"v1\"") => Reply::new(304, &[("ETag", "\"v1\"")], ""),
        _ => Reply::new(200, &[("ETag", "\"v1\""), ("Last-Modified", "Fri, 9 Jan 2026 12:25:46 GMT")], FEED),
    });
    let mut bed = Bed::of(&origin, "").await;
    let look = Duration::from_secs(600);
    let mut polled_at = Vec::new();
    for number in 0..30 * 24 * 6 {
        let now = start() + look * number;
        if number % 86 == 85 {
            bed = bed.restart().await;
            bed.store.sync(bed.config.clone(), now).await.unwrap();
        }
        polled_at.extend(bed.poll_due(now).await.iter().map(|_| now));
    }
    let requests = origin.requests();
    assert_eq!(requests.len(), polled_at.len());
    assert_eq!(requests.iter().filter(|request| !request.is_conditional()).count(), 1);
    let is_echo = |request: &support::origin::Request| {
        request.header("if-none-match").as_deref() == Some(b"\"v1\"")
            && request.header("if-modified-since").as_deref() == Some(b"Fri, 9 Jan 2026 12:25:46 GMT")
    };
    assert_eq!(requests[1..].iter().filter(|request| !is_echo(request)).count(), 0, "nothing is invented");
    let too_soon = polled_at.windows(2).filter(|pair| pair[1].since(pair[0]) < HOUR).count();
    assert_eq!(too_soon, 0);
    assert!(polled_at.len() > 600, "it was polled all the time: {}", polled_at.len());
}

/// B03, B10: what a document asks for holds on the 304s that follow it.
#[tokio::test]
async fn ttl_of_the_last_document_holds_on_304s_too() {
    let feed = FEED.replace("<item>", "<ttl>180</ttl><item>");
    let origin = Origin::start(move |request| match request.number {
        0 => Reply::new(200, &[("ETag", "\"1\"")], &feed),
        _ => Reply::new(304, &[("ETag", "\"1\"")], ""),
    });
    let bed = Bed::of(&origin, "").await;
    let mut now = start();
    for _ in 0..3 {
        let report = &bed.poll_due(now).await[0];
        assert!(report.next_poll >= now + HOUR * 3, "{report:?}");
        now = report.next_poll;
    }
    assert_eq!(bed.status("a").await.hold_why.as_deref(), Some("ttl"));
}

#[tokio::test]
async fn adaptive_feed_is_polled_by_its_own_rhythm() {
    // One entry a day, dated, then nothing new.
    let items: String = (0..10)
        .map(|day| {
            let date = (start() - DAY * day).rfc822();
            format!("<item><guid isPermaLink=\"false\">{day}</guid><title>T</title><pubDate>{date}</pubDate></item>")
        })
        .collect();
    let document =
        format!("<rss version=\"2.0\"><channel><title>A</title><link>https://a.example/</link>{items}</channel></rss>");
    let origin = Origin::start(move |_| Reply::new(200, &[("ETag", "\"1\"")], &document));
    let bed = Bed::of(&origin, "schedule = \"adaptive\"").await;
    let wait = bed.poll_due(start()).await[0].next_poll.since(start());
    assert!((HOUR * 9..HOUR * 13).contains(&wait), "{wait:?}");
    let mut now = start();
    for _ in 0..40 {
        now = now + DAY + HOUR;
        bed.poll_due(now).await;
    }
    let slower = bed.status("a").await.next_poll.since(now);
    assert!(slower > HOUR * 20, "it fell silent, and is asked less often: {slower:?}");
}

#[tokio::test]
async fn document_of_which_nothing_was_known_may_have_been_missed() {
    let origin = Origin::start(|request| Reply::new(200, &[], FEED.replace(">1<", &format!(">{}<", request.number))));
    let bed = Bed::of(&origin, "").await;
    assert!(bed.poll_due(start()).await[0].problems.is_empty(), "a first document is all new");
    let report = &bed.poll_due(start() + DAY * 2).await[0];
    assert!(report.problems.iter().any(|problem| problem.contains("missed")), "{report:?}");
    assert!(bed.status("a").await.repairs.iter().any(|problem| problem.contains("missed")), "the feed's state says so");
}
