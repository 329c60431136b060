//! How often a feed can be polled by hand, and what a refusal (429 or 503) means for the other feeds of its host.

use newswire::feed::FeedId;
use newswire::poll::{Pass, PollReport, ReportedOutcome};
use newswire::time::Timestamp;

use crate::poll::{Bed, FEED, HOUR, MINUTE, start};
use crate::support::origin::{Origin, Reply, Request};

fn unchanging() -> Origin {
    Origin::start(|request| Reply::new(if request.is_conditional() { 304 } else { 200 }, &[("ETag", "\"1\"")], FEED))
}

async fn force(bed: &Bed, now: Timestamp) -> ReportedOutcome {
    let mut reports = bed.poller.pass(&bed.config, &Pass::Force(Vec::new()), now, |_, _| {}).await.unwrap();
    reports.pop().unwrap().outcome
}

#[tokio::test]
async fn forced_poll_runs_once_in_ten_minutes_and_is_always_conditional() {
    let origin = unchanging();
    let bed = Bed::of_hosts(&origin, 1).await;
    bed.poll_due(start()).await;
    for (minute, expected) in [
        (3, ReportedOutcome::Held),
        (11, ReportedOutcome::NotModified),
        (12, ReportedOutcome::Held),
        (20, ReportedOutcome::Held),
        (22, ReportedOutcome::NotModified),
    ] {
        assert_eq!(force(&bed, start() + MINUTE * minute).await, expected, "minute {minute}");
    }
    let requests = origin.requests();
    assert_eq!(requests.len(), 3);
    assert!(requests[1..].iter().all(Request::is_conditional));
}

#[tokio::test]
async fn an_allowed_private_host_can_be_polled_at_any_time() {
    let origin = unchanging();
    let bed = Bed::of(&origin, "").await;
    bed.poll_due(start()).await;
    for second in 1..5 {
        assert_eq!(force(&bed, start() + MINUTE / 60 * second).await, ReportedOutcome::NotModified);
    }
    assert_eq!(origin.requests().iter().filter(|request| !request.is_conditional()).count(), 1);
}

#[tokio::test]
async fn forced_poll_overrides_a_hold_but_not_immediately() {
    let origin = Origin::start(|request| match request.number {
        0 => Reply::new(503, &[("Retry-After", "86400")], ""),
        _ => Reply::new(200, &[], FEED),
    });
    let bed = Bed::of_hosts(&origin, 1).await;
    bed.poll_due(start()).await;
    assert_eq!(force(&bed, start() + MINUTE).await, ReportedOutcome::Held);
    assert_eq!(force(&bed, start() + HOUR).await, ReportedOutcome::Changed);
}

/// Creates five feeds of one public host. The first request gets this answer, and all others get a document.
async fn five_feeds(first: Reply) -> (Origin, Bed) {
    let origin = Origin::replies([first, Reply::new(200, &[("ETag", "\"1\"")], FEED)]);
    let feeds =
        (0..5).map(|number| crate::poll::feed_at(&format!("f{number}"), "one.test", &origin, &format!("/{number}")));
    let bed = Bed::new(&feeds.collect::<String>(), Some(crate::poll::local_names())).await;
    (origin, bed)
}

fn held(reports: &[PollReport]) -> usize {
    reports.iter().filter(|report| report.outcome == ReportedOutcome::Held).count()
}

fn why_held(report: &PollReport) -> &str {
    report.held.map_or("", |hold| hold.why.words())
}

#[tokio::test]
async fn a_429_of_one_feed_holds_all_feeds_of_its_host() {
    let (origin, bed) = five_feeds(Reply::new(429, &[("Retry-After", "18000")], "")).await;
    bed.poll_due(start()).await;
    assert_eq!(origin.requests().len(), 1, "the polls that waited for the host were stopped");
    let reports = bed.poll_due(start() + HOUR * 4).await;
    assert_eq!((origin.requests().len(), held(&reports)), (1, 4));
    assert!(reports.iter().any(|report| why_held(report) == "its host"), "{reports:?}");
    bed.restart().await.poll_due(start() + HOUR * 6).await;
    assert_eq!(origin.requests().len(), 6);
}

#[tokio::test]
async fn a_500_of_one_feed_does_not_affect_other_feeds() {
    let (origin, bed) = five_feeds(Reply::new(500, &[("Retry-After", "18000")], "")).await;
    assert_eq!(bed.poll_due(start()).await.len(), 5);
    assert_eq!(origin.requests().len(), 5);
}

#[tokio::test]
async fn a_temporary_redirect_to_a_held_host_waits_as_long_as_the_hold_says() {
    let origin = Origin::start(|request| match (request.target().as_str(), request.number) {
        ("/busy", 0) => Reply::new(429, &[("Retry-After", "18000")], ""),
        ("/busy", _) => Reply::new(200, &[("ETag", "\"1\"")], FEED),
        _ => {
            let host = String::from_utf8(request.header("host").unwrap()).unwrap();
            Reply::redirect(302, &format!("http://{}/busy", host.replace("led", "busy")))
        }
    });
    let feeds = ["busy", "led"].map(|id| crate::poll::feed_at(id, &format!("{id}.test"), &origin, &format!("/{id}")));
    let bed = Bed::new(&feeds.concat(), Some(crate::poll::local_names())).await;
    let asked = || origin.requests().iter().filter(|request| request.target() == "/busy").count();
    let busy = Pass::Named(vec![FeedId::from("busy")]);
    bed.poller.pass(&bed.config, &busy, start(), |_, _| {}).await.unwrap();

    let bed = bed.restart().await;
    let reports = bed.poll_due(start() + HOUR).await;
    assert_eq!((reports.len(), reports[0].outcome, asked()), (1, ReportedOutcome::Held, 1), "{reports:?}");
    assert_eq!(why_held(&reports[0]), "the host that it redirects to");
    assert!(bed.poll_due(start() + HOUR * 4).await.is_empty(), "not even the redirecting host is polled");
    assert_eq!(bed.status("led").await.failures, 0, "the wait does not count as a failure");
    bed.poll_due(start() + HOUR * 6).await;
    assert_eq!(asked(), 3);
}

#[tokio::test]
async fn refusal_after_a_redirect_to_another_server_holds_only_the_redirected_feed() {
    let origin = Origin::start(|request| match request.target().as_str() {
        "/trap" => Reply::new(429, &[("Retry-After", "2678400")], ""),
        "/led" => {
            let host = String::from_utf8(request.header("host").unwrap()).unwrap();
            Reply::redirect(302, &format!("http://{}/trap", host.replace("led", "victim")))
        }
        _ => Reply::new(200, &[("ETag", "\"1\"")], FEED),
    });
    let feeds = ["led", "victim"].map(|id| crate::poll::feed_at(id, &format!("{id}.test"), &origin, &format!("/{id}")));
    let bed = Bed::new(&feeds.concat(), Some(crate::poll::local_names())).await;
    let poll = async |feed: &str, now| {
        let named = Pass::Named(vec![FeedId::from(feed)]);
        bed.poller.pass(&bed.config, &named, now, |_, _| {}).await.unwrap().remove(0)
    };
    let led = poll("led", start()).await;
    assert_eq!((led.outcome, led.status), (ReportedOutcome::Failed, Some(429)));
    assert!(led.next_poll >= start() + HOUR * 24 * 31, "the feed follows what the server asked for: {led:?}");
    assert_eq!(poll("led", start() + HOUR).await.outcome, ReportedOutcome::Held);
    assert_eq!(
        poll("victim", start()).await.outcome,
        ReportedOutcome::Changed,
        "the other feed is polled even at the same moment"
    );
    let holds = bed.store.read(|reader| reader.host_holds(start(), start() + HOUR * 24 * 40)).await.unwrap();
    assert!(holds.is_empty(), "{holds:?}");
}
