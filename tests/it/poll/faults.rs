//! Internal errors of newswire while it polls a feed. They count as a failure of that feed, and affect no other feed.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use newswire::fetch::Lookup;
use newswire::poll::{PollReport, ReportedOutcome};

use crate::poll::{Bed, DAY, FEED, HOUR, feed_at, local_names, start};
use crate::support::origin::{Origin, Reply};
use crate::support::sql;

/// Creates a [`Bed`] with two feeds: `well` is healthy, and `ill` causes an internal error.
async fn two_feeds(origin: &Origin, lookup: Lookup) -> Bed {
    let feeds = ["well", "ill"].map(|id| feed_at(id, &format!("{id}.test"), origin, &format!("/{id}")));
    Bed::new(&feeds.concat(), Some(lookup)).await
}

fn news() -> Origin {
    Origin::start(|_| Reply::new(200, &[("ETag", "\"1\"")], FEED))
}

fn change_store(bed: &Bed, sql: &str) {
    sql::open(bed.store.path()).execute_batch(sql).unwrap();
}

fn of<'r>(reports: &'r [PollReport], feed: &str) -> &'r PollReport {
    reports.iter().find(|report| report.feed.as_str() == feed).unwrap()
}

fn check_failed(report: &PollReport, words: &str) {
    let failure = report.failure.as_ref().unwrap();
    assert_eq!((report.outcome, failure.kind().words()), (ReportedOutcome::Failed, "fault"));
    let error = failure.to_string();
    assert!(error.contains(words) && error.contains("please report it"), "{error}");
    assert!(report.next_poll >= start() + HOUR, "the feed backs off as after any failure: {report:?}");
}

#[tokio::test]
async fn feed_that_causes_a_panic_is_failing_and_is_polled_again_on_schedule() {
    let is_broken = AtomicBool::new(true);
    let lookup: Lookup = Arc::new(move |host: &str| match host {
        "ill.test" if is_broken.swap(false, Ordering::SeqCst) => panic!("a fault on purpose"),
        _ => Ok(vec![[127, 0, 0, 1].into()]),
    });
    let bed = two_feeds(&news(), lookup).await;
    let reports = bed.poll_due(start()).await;
    assert_eq!(of(&reports, "well").outcome, ReportedOutcome::Changed);
    check_failed(of(&reports, "ill"), "internal error in newswire");
    assert_eq!(bed.status("ill").await.failures, 1);
    let again = bed.poll_due(of(&reports, "ill").next_poll).await;
    assert_eq!(of(&again, "ill").outcome, ReportedOutcome::Changed);
    assert_eq!(bed.status("ill").await.state.code(), "ok");
}

#[tokio::test]
async fn feed_whose_entries_cannot_be_stored_backs_off() {
    let bed = two_feeds(&news(), local_names()).await;
    change_store(
        &bed,
        "CREATE TRIGGER ill BEFORE INSERT ON entry WHEN NEW.feed = (SELECT number FROM feed WHERE id = 'ill')
         BEGIN SELECT RAISE(ABORT, 'an entry on purpose'); END",
    );
    let reports = bed.poll_due(start()).await;
    assert_eq!(of(&reports, "well").outcome, ReportedOutcome::Changed);
    check_failed(of(&reports, "ill"), "the poll could not be saved (store error: an entry on purpose)");
    change_store(&bed, "DROP TRIGGER ill");
    let again = bed.poll_due(of(&reports, "ill").next_poll).await;
    assert_eq!(of(&again, "ill").outcome, ReportedOutcome::Changed);
}

#[tokio::test]
async fn feed_whose_failure_cannot_be_stored_is_not_polled_for_a_day() {
    let origin = news();
    let bed = two_feeds(&origin, local_names()).await;
    change_store(
        &bed,
        "CREATE TRIGGER ill BEFORE INSERT ON poll_log WHEN NEW.feed = (SELECT number FROM feed WHERE id = 'ill')
         BEGIN SELECT RAISE(ABORT, 'a poll on purpose'); END",
    );
    let reports = bed.poll_due(start()).await;
    assert_eq!(reports.iter().map(|report| report.feed.as_str()).collect::<Vec<_>>(), ["well"]);
    assert!(bed.status("ill").await.next_poll >= start() + DAY);
    let asked = origin.requests().iter().filter(|request| request.target() == "/ill").count();
    assert_eq!(asked, 1);
}
