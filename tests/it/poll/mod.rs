//! Polls over real sockets, with a clock that the test sets: single passes, and the poll loop.

use crate::support;

mod clock;
mod cost;
mod edited;
mod faults;
mod foreign;
mod outages;
mod politeness;
mod stuck;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use newswire::commit;
use newswire::config::{self, Config, SourceFile};
use newswire::feed::FeedId;
use newswire::fetch::{Fetcher, Lookup};
use newswire::poll::{Pass, PollReport, Poller, ReportedOutcome};
use newswire::shown::{self, Infos};
use newswire::status;
use newswire::store::{FeedStatus, Store};
use newswire::time::Timestamp;
use support::origin::{Origin, Reply};
use tempfile::TempDir;
use url::Url;

const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);
const MINUTE: Duration = Duration::from_secs(60);

const FEED: &str = r#"<rss version="2.0"><channel><title>A</title><link>https://a.example/</link><description>d</description>
<item><guid isPermaLink="false">1</guid><title>One</title><description>Words.</description></item></channel></rss>"#;

fn start() -> Timestamp {
    Timestamp::from_millis(1_514_764_800_000)
}

fn fetcher(lookup: &Option<Lookup>) -> Fetcher {
    let contact = Url::parse("https://contact.example/").unwrap();
    lookup.clone().map_or_else(|| Fetcher::new(&contact), |lookup| Fetcher::with_lookup(&contact, lookup))
}

/// Returns a lookup that resolves all names to this machine.
fn local_names() -> Lookup {
    Arc::new(|_: &str| Ok(vec![[127, 0, 0, 1].into()]))
}

/// Returns the TOML of a feed under a public name of this origin.
fn feed_at(id: &str, host: &str, origin: &Origin, path: &str) -> String {
    let url = origin.url_as(host, path);
    format!("[[feed]]\nid = \"{id}\"\nurl = \"{url}\"\nallow = [\"{}\"]\n", origin.address)
}

/// A store with a config, and a poller for its feeds.
struct Bed {
    folder: TempDir,
    store: Store,
    poller: Poller,
    config: Arc<Config>,
    lookup: Option<Lookup>,
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
        commit::sync(&store, config.clone(), start()).await.unwrap();
        let poller = Poller::new(store.clone(), fetcher(&lookup), 16);
        Bed { folder, store, poller, config, lookup }
    }

    async fn of(origin: &Origin, rest: &str) -> Bed {
        let url = origin.url("/feed");
        let feed = format!("[[feed]]\nid = \"a\"\nurl = \"{url}\"\nallow = [\"{}\"]\n{rest}", origin.address);
        Bed::new(&feed, None).await
    }

    /// Creates a bed with `hosts` feeds. Each feed has its own public host, and one origin serves all of them.
    async fn of_hosts(origin: &Origin, hosts: usize) -> Bed {
        let feeds = (0..hosts).map(|host| feed_at(&format!("f{host}"), &format!("{host}.test"), origin, "/feed"));
        Bed::new(&feeds.collect::<String>(), Some(local_names())).await
    }

    /// Opens the store again with a new poller, as a restart of the program does.
    async fn restart(self) -> Bed {
        let Bed { folder, store, poller, config, lookup } = self;
        drop((poller, store));
        let store = Store::open(&folder.path().join("newswire.db"), "a test").unwrap();
        let poller = Poller::new(store.clone(), fetcher(&lookup), 16);
        Bed { folder, store, poller, config, lookup }
    }

    async fn poll_due(&self, now: Timestamp) -> Vec<PollReport> {
        self.poller.poll_due(&self.config, now).await.unwrap()
    }

    /// Returns how many stories the section shows.
    async fn stories(&self) -> usize {
        let config = self.config.clone();
        let read = self
            .store
            .read(move |reader| shown::section_content(reader, &config, &config.sections[0], &Infos::of(reader)))
            .await;
        read.unwrap().stories.len()
    }

    async fn moved_to(&self, feed: &str) -> Option<String> {
        newswire::newsroom::moved_to(self.status(feed).await.moved.as_ref()).map(str::to_owned)
    }

    async fn status(&self, feed: &str) -> FeedStatus {
        self.store.read(|reader| reader.feed_statuses()).await.unwrap().remove(&FeedId::from(feed)).unwrap()
    }
}

#[tokio::test]
async fn after_a_gap_each_feed_is_polled_once() {
    let origin = Origin::start(|_| Reply::new(200, &[("ETag", "\"1\"")], FEED));
    let bed = Bed::of(&origin, "").await;
    assert_eq!(bed.poll_due(start()).await.len(), 1, "a feed that was never polled is due at once");
    assert!(bed.poll_due(start() + HOUR / 2).await.is_empty());
    assert_eq!(bed.poll_due(start() + DAY).await.len(), 1);
    assert!(bed.poll_due(start() + DAY).await.is_empty(), "the feed missed several polls and is polled once");
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
    assert_eq!((status.state.code(), status.failures, status.failure), ("ok", 0, None));
}

#[tokio::test]
async fn gone_feed_is_shown_and_polled_again_only_if_forced() {
    let origin = Origin::start(|request| match request.number {
        0 => Reply::new(410, &[], ""),
        _ => Reply::new(200, &[], FEED),
    });
    let bed = Bed::of(&origin, "").await;
    assert_eq!(bed.poll_due(start()).await[0].outcome, ReportedOutcome::Gone);
    assert_eq!(bed.status("a").await.state.code(), "gone");
    assert!(bed.poll_due(start() + DAY * 365).await.is_empty());
    let forced = bed.poller.pass(&bed.config, &Pass::Force(Vec::new()), start() + DAY, |_, _| {}).await.unwrap();
    assert_eq!(forced[0].outcome, ReportedOutcome::Changed);
    assert_eq!(bed.status("a").await.state.code(), "ok");
}

#[tokio::test]
async fn permanent_redirect_is_trusted_after_three_polls_in_two_days() {
    let origin = Origin::start(|request| match request.target().as_str() {
        "/feed" => Reply::redirect(301, "/new"),
        _ => Reply::new(200, &[("ETag", "\"1\"")], FEED),
    });
    let bed = Bed::of(&origin, "").await;
    for (day, is_told) in [(0, false), (1, false), (2, true)] {
        let reports = bed.poll_due(start() + DAY * day).await;
        assert_eq!(reports[0].moved_to.is_some(), is_told, "day {day}");
        assert_eq!(bed.moved_to("a").await.is_some(), is_told, "day {day}");
    }
    let before = origin.requests().len();
    bed.poll_due(start() + DAY * 3).await;
    let targets: Vec<_> = origin.requests()[before..].iter().map(|request| request.target()).collect();
    assert_eq!(targets, ["/new"], "the fourth goes there directly");
    bed.poll_due(start() + DAY * 4).await;
    assert_eq!(origin.requests().last().unwrap().target(), "/new");
    assert_eq!(bed.moved_to("a").await.as_deref(), Some(origin.url("/new").as_str()));
}

#[tokio::test]
async fn temporary_redirect_is_never_trusted() {
    let origin = Origin::start(|request| match request.target().as_str() {
        "/feed" => Reply::redirect(302, "/new"),
        _ => Reply::new(200, &[("ETag", "\"1\"")], FEED),
    });
    let bed = Bed::of(&origin, "").await;
    for day in 0..6 {
        bed.poll_due(start() + DAY * day).await;
    }
    assert_eq!(origin.requests().iter().filter(|request| request.target() == "/feed").count(), 6);
    assert_eq!(bed.moved_to("a").await, None);
}

#[tokio::test]
async fn rate_limit_of_an_allowed_private_host_holds_only_the_feed_that_got_it() {
    let origin = Origin::start(|_| Reply::new(429, &[("Retry-After", "7200")], ""));
    let bed = Bed::of(&origin, "").await;
    let report = &bed.poll_due(start()).await[0];
    assert!(report.next_poll >= start() + HOUR * 2, "{report:?}");
    let status = bed.status("a").await;
    assert_eq!(status.hold_why.map(|why| why.words()), Some("Retry-After"));
    let holds = bed.store.read(|reader| reader.host_holds(start(), start() + DAY * 40)).await.unwrap();
    assert!(holds.is_empty(), "a host that the editor permitted holds up no other feed: {holds:?}");
    let all = bed.poller.pass(&bed.config, &Pass::All, start() + HOUR, |_, _| {}).await.unwrap();
    assert_eq!(all[0].outcome, ReportedOutcome::Held);
    assert_eq!(origin.requests().len(), 1);
}

#[tokio::test]
async fn outage_of_our_own_network_counts_against_no_feed() {
    let feeds: String =
        (0..8).map(|n| format!("[[feed]]\nid = \"f{n}\"\nurl = \"https://host{n}.example/feed\"\n")).collect();
    let bed = Bed::new(&feeds, Some(Arc::new(|_: &str| Ok(Vec::new())))).await;
    let reports = bed.poll_due(start()).await;
    assert_eq!(reports.len(), 8);
    let mut counted = 0;
    for n in 0..8 {
        counted += bed.status(&format!("f{n}")).await.failures;
    }
    assert_eq!(counted, 0);
    assert!(reports.iter().all(|report| report.next_poll <= start() + HOUR * 2), "no feed is delayed for long");
}

#[tokio::test]
async fn permanent_redirect_to_a_page_that_is_not_a_feed_is_never_trusted() {
    let origin = Origin::start(|request| match request.target().as_str() {
        "/feed" => Reply::redirect(301, "/login"),
        _ => Reply::new(200, &[("ETag", "\"1\"")], "<!doctype html><title>Log in</title>"),
    });
    let bed = Bed::of(&origin, "").await;
    for week in 0..5 {
        assert_eq!(bed.poll_due(start() + DAY * 7 * week).await[0].outcome, ReportedOutcome::Failed);
    }
    assert_eq!(bed.moved_to("a").await, None);
    assert_eq!(origin.requests().iter().filter(|request| request.target() == "/feed").count(), 5);
}

#[tokio::test]
async fn neither_a_host_of_our_own_nor_a_refused_address_shows_that_the_network_works() {
    let origin = Origin::start(|_| Reply::new(200, &[("ETag", "\"1\"")], FEED));
    let own = format!("[[feed]]\nid = \"own\"\nurl = \"{}\"\nallow = [\"{}\"]\n", origin.url("/"), origin.address);
    let refused = "[[feed]]\nid = \"refused\"\nurl = \"http://10.0.0.1/feed\"\n";
    let outside = (0..8).map(|n| format!("[[feed]]\nid = \"f{n}\"\nurl = \"https://host{n}.example/feed\"\n"));
    let bed =
        Bed::new(&format!("{own}{refused}{}", outside.collect::<String>()), Some(Arc::new(|_: &str| Ok(Vec::new()))))
            .await;
    let reports = bed.poll_due(start()).await;
    let put_off =
        reports.iter().filter(|report| report.next_poll >= start() + HOUR && report.feed.as_str().starts_with('f'));
    assert_eq!(put_off.count(), 0);
}

#[tokio::test]
async fn after_two_hours_without_a_network_every_feed_is_polled_within_the_hour() {
    let origin = Origin::start(|_| Reply::new(200, &[("ETag", "\"1\"")], FEED));
    let is_up = Arc::new(AtomicBool::new(false));
    let seen = is_up.clone();
    let lookup: Lookup = Arc::new(move |_: &str| match seen.load(Ordering::SeqCst) {
        true => Ok(vec![[127, 0, 0, 1].into()]),
        false => Err(std::io::Error::other("server failure")),
    });
    let feeds: String = (0..8).map(|n| feed_at(&format!("f{n}"), &format!("{n}.test"), &origin, "/feed")).collect();
    let bed = Bed::new(&feeds, Some(lookup)).await;
    let recovery = start() + HOUR * 2;
    for step in 0..=18 {
        let now = start() + MINUTE * 10 * step;
        is_up.store(now >= recovery, Ordering::SeqCst);
        bed.poll_due(now).await;
    }
    for n in 0..8 {
        let status = bed.status(&format!("f{n}")).await;
        assert_eq!((status.state.code(), status.failures), ("ok", 0), "{n}");
    }
}

/// Polls three times. The first reply has the ETag `"1"`, and `second` answers the later requests. Returns the ETag
/// that the third request sends.
async fn third_condition(second: Reply) -> Option<Vec<u8>> {
    let origin = Origin::replies([Reply::new(200, &[("ETag", "\"1\"")], FEED), second]);
    let bed = Bed::of(&origin, "").await;
    for day in 0..3 {
        bed.poll_due(start() + DAY * 10 * day).await;
    }
    origin.requests()[2].header("if-none-match")
}

#[tokio::test]
async fn validators_are_stored_only_with_a_completely_read_document() {
    let second = |status, body: &str| Reply::new(status, &[("ETag", "\"2\"")], body);
    let known = Some(b"\"1\"".to_vec());
    assert_eq!(third_condition(second(200, FEED)).await, Some(b"\"2\"".to_vec()));
    assert_eq!(third_condition(second(200, &FEED[..FEED.len() - 40])).await, known, "cut off");
    assert_eq!(third_condition(second(200, "<!doctype html><title>Log in</title>")).await, known);
    assert_eq!(third_condition(second(200, "")).await, known);
    assert_eq!(third_condition(second(503, FEED)).await, known);
    assert_eq!(third_condition(second(226, FEED)).await, known);
}

#[tokio::test]
async fn a_document_without_entries_removes_none_and_226_is_an_error() {
    let item =
        |number: usize| format!("<item><guid isPermaLink=\"false\">{number}</guid><title>{number}</title></item>");
    let document = |items: String| format!("<rss version=\"2.0\"><channel><title>A</title>{items}</channel></rss>");
    let whole = document((0..20).map(item).collect());
    let delta = document(item(20));
    let origin = Origin::start(move |request| match request.number {
        0 => Reply::new(200, &[("ETag", "\"1\"")], &whole),
        1 => Reply::new(200, &[("ETag", "\"2\"")], document(String::new())),
        2 => Reply::new(226, &[("IM", "feed"), ("ETag", "\"3\"")], &delta),
        _ => Reply::new(226, &[("ETag", "\"3\"")], &delta),
    });
    let bed = Bed::of(&origin, "").await;
    for (day, expected) in [
        (0, ReportedOutcome::Changed),
        (1, ReportedOutcome::Unchanged),
        (2, ReportedOutcome::Failed),
        (3, ReportedOutcome::Failed),
    ] {
        assert_eq!(bed.poll_due(start() + DAY * 2 * day).await[0].outcome, expected);
        assert_eq!(bed.stories().await, 20);
    }
    assert!(origin.requests().iter().all(|request| request.header("a-im").is_none()), "226 was never asked for");
}

/// Polls for thirty days in steps of ten minutes, with fifty restarts.
#[tokio::test]
async fn thirty_days_with_fifty_restarts_send_conditional_polls_at_least_an_hour_apart() {
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
            commit::sync(&bed.store, bed.config.clone(), now).await.unwrap();
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
    assert_eq!(
        requests[1..].iter().filter(|request| !is_echo(request)).count(),
        0,
        "every request has the validators exactly as the server sent them"
    );
    let too_soon = polled_at.windows(2).filter(|pair| pair[1].since(pair[0]) < HOUR).count();
    assert_eq!(too_soon, 0);
    assert!(polled_at.len() > 600, "the feed was polled during the whole time: {}", polled_at.len());
}

/// A 304 has no document, so the `ttl` of the last document stays active.
#[tokio::test]
async fn ttl_of_the_last_document_also_applies_after_a_304() {
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
    assert_eq!(bed.status("a").await.hold_why.map(|why| why.words()), Some("ttl"));
}

#[tokio::test]
async fn adaptive_feed_is_polled_at_its_own_rate() {
    // The document has one dated entry for each day, and never changes.
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
    assert!(slower > HOUR * 20, "it fell silent, and is polled less often: {slower:?}");
}

/// Returns the explanation of how often the only feed is polled.
async fn rhythm(bed: &Bed, now: Timestamp) -> Option<String> {
    let config = bed.config.clone();
    let rows = bed.store.read(move |reader| status::feeds(&config, Some(reader), now)).await.unwrap();
    rows[0].rhythm.clone()
}

#[tokio::test]
async fn shown_rate_explains_an_unusual_wait() {
    let item = |day: u32| {
        let date = (start() - DAY * day).rfc822();
        format!("<item><guid isPermaLink=\"false\">{day}</guid><title>T {day}</title><pubDate>{date}</pubDate></item>")
    };
    let document = move |days: std::ops::Range<u32>| {
        let items: String = days.map(item).collect();
        Reply::new(200, &[("ETag", "\"1\"")], format!("<rss version=\"2.0\"><channel>{items}</channel></rss>"))
    };
    let origin = Origin::start(move |request| if request.number == 0 { document(0..10) } else { document(10..20) });
    let bed = Bed::of(&origin, "schedule = \"adaptive\"").await;
    bed.poll_due(start()).await;
    let usual = rhythm(&bed, start()).await.unwrap();
    assert!(usual.starts_with("polled every 11 hours, because the feed publishes "), "{usual}");
    bed.poll_due(start() + DAY).await;
    let after_a_gap = rhythm(&bed, start() + DAY).await.unwrap();
    assert!(after_a_gap.ends_with(" hours already: entries may have been missed"), "{after_a_gap}");
    bed.poll_due(start() + DAY * 2).await;
    let usual = rhythm(&bed, start() + DAY * 2).await.unwrap();
    assert!(!usual.contains("missed"), "{usual}");
}

#[tokio::test]
async fn feed_made_adaptive_after_its_last_poll_reports_no_missed_entries() {
    let origin = Origin::start(|_| Reply::new(200, &[("ETag", "\"1\"")], FEED));
    let bed = Bed::of(&origin, "schedule = \"every 1 hour\"").await;
    bed.poll_due(start()).await;
    let adaptive = Bed::of(&origin, "schedule = \"adaptive\"").await.config;
    assert_eq!(
        rhythm(&Bed { config: adaptive, ..bed }, start()).await.unwrap(),
        "polled every 1 day, because the feed publishes 0.0 entries a day"
    );
}

#[tokio::test]
async fn feed_without_validators_says_why_it_is_polled_only_once_a_day() {
    let origin = Origin::start(|_| Reply::new(200, &[], FEED));
    let check = async |schedule: &str, expected: Option<&str>| {
        let bed = Bed::of(&origin, schedule).await;
        bed.poll_due(start()).await;
        let why = rhythm(&bed, start()).await;
        assert_eq!(why.as_deref().and_then(|why| why.split(';').next()), expected, "{schedule}");
    };
    check("", Some("polled once a day, because its server sends no ETag or Last-Modified")).await;
    check("schedule = \"every 1 hour\"", None).await;
    check("schedule = \"every 1 week\"", None).await;
}

#[tokio::test]
async fn feed_that_edits_all_entries_at_every_poll_publishes_nothing_new() {
    let origin = Origin::start(|request| {
        let item = |day: u32| {
            let date = (start() - DAY * day).rfc822();
            let (guid, text) =
                (format!("<guid isPermaLink=\"false\">{day}</guid>"), format!("Read {} times", request.number));
            format!("<item>{guid}<title>T</title><description>{text}</description><pubDate>{date}</pubDate></item>")
        };
        let items: String = (0..10).map(item).collect();
        Reply::new(
            200,
            &[("ETag", "\"1\"")],
            format!("<rss version=\"2.0\"><channel><title>A</title>{items}</channel></rss>"),
        )
    });
    let bed = Bed::of(&origin, "schedule = \"adaptive\"").await;
    for day in 0..5 {
        let reports = bed.poll_due(start() + DAY * day).await;
        assert!(reports[0].next_poll.since(start() + DAY * day) > HOUR * 9, "{reports:?}");
        assert!(!reports[0].problems.iter().any(|problem| problem.to_string().contains("missed")), "{reports:?}");
    }
}

#[tokio::test]
async fn document_with_only_unknown_entries_is_reported_as_a_possible_gap() {
    let origin = Origin::start(|request| Reply::new(200, &[], FEED.replace(">1<", &format!(">{}<", request.number))));
    let bed = Bed::of(&origin, "").await;
    assert!(bed.poll_due(start()).await[0].problems.is_empty(), "everything in a first document is new");
    let report = &bed.poll_due(start() + DAY * 2).await[0];
    assert!(report.problems.iter().any(|problem| problem.to_string().contains("missed")), "{report:?}");
    assert!(
        bed.status("a").await.repairs.iter().any(|problem| problem.to_string().contains("missed")),
        "the feed's state says so"
    );
}
