//! A month of polls of one feed with a simulated clock: fetching and scheduling together.

use std::time::Duration;

use newswire::config::Feed;
use newswire::feed::{FeedId, PollHints, Validators};
use newswire::fetch::{Fetched, Fetcher};
use newswire::schedule::next::{Outlook, PollOutcome, next_poll, phase};
use newswire::time::Timestamp;

use crate::fetch::{fetcher, poll};
use crate::support::feeds::feed;
use crate::support::origin::{Origin, Reply, Request};

const DAYS: u64 = 30;

/// Polls a feed for a simulated month, and returns the times of the polls. Every fifteenth poll gets a new fetcher, as
/// after a restart.
async fn month(feed: &Feed) -> Vec<Timestamp> {
    let start = Timestamp::from_millis(1_767_781_800_000);
    let (mut now, mut times, mut known, mut failures) = (start, Vec::new(), Validators::default(), 0);
    let mut had_validators = false;
    let mut fetcher: Fetcher = fetcher();
    while now.since(start) < Duration::from_secs(DAYS * 24 * 3600) {
        if times.len() % 15 == 14 {
            fetcher = crate::fetch::fetcher();
        }
        let attempt = poll(&fetcher, feed, &known).await;
        let (outcome, validators) = match attempt.result {
            Ok(Fetched::NotModified { validators }) => (PollOutcome::Unchanged, validators),
            Ok(Fetched::Document(document)) => (PollOutcome::Success, document.validators),
            Err(newswire::feed::Failure::Gone) => (PollOutcome::Gone, known),
            Err(_) => (PollOutcome::Failed { status: attempt.status }, known),
        };
        known = validators;
        had_validators |= !known.is_empty();
        failures = if matches!(outcome, PollOutcome::Failed { .. }) { failures + 1 } else { 0 };
        let next = next_poll(&Outlook {
            now,
            schedule: &feed.schedule,
            schedule_is_default: true,
            phase: phase(&FeedId::from("feed")),
            is_first_poll: times.is_empty(),
            outcome,
            failures,
            lifetimes: attempt.lifetimes,
            hints: &PollHints::default(),
            has_validators_ever: had_validators,
            host_is_public: false,
        });
        times.push(now);
        now = next.at;
    }
    times
}

fn least_gap(times: &[Timestamp]) -> Duration {
    times.windows(2).map(|pair| pair[1].since(pair[0])).min().unwrap_or(Duration::MAX)
}

#[tokio::test]
async fn a_month_with_restarts_costs_one_unconditional_request_and_keeps_an_hour_between_polls() {
    let origin = Origin::start(|request| {
        // The document and its tag change after twelve requests, which is twice a day. The dates are not valid HTTP
        // dates.
        let version = request.number / 12;
        let (tag, date) = (format!("W/\"{version}\""), format!("{version} Jan 2026"));
        let is_known = request.header("If-None-Match").is_some_and(|known| known == tag.as_bytes());
        Reply::new(if is_known { 304 } else { 200 }, &[("ETag", &tag), ("Last-Modified", &date)], "<rss/>")
    });
    let times = month(&feed(&origin.url("/feed"), &[origin.allow()])).await;
    let requests = origin.requests();
    let unconditional = requests.iter().filter(|request| !request.is_conditional()).count();
    let given = |number: usize| format!("W/\"{}\"", number.saturating_sub(1) / 12).into_bytes();
    let invented =
        |request: &&Request| request.number > 0 && request.header("If-None-Match") != Some(given(request.number));
    let invented = requests.iter().filter(invented).count();
    println!("{} requests in {DAYS} days: {unconditional} unconditional, {invented} invented", requests.len());
    assert_eq!((unconditional, invented), (1, 0));
    assert!((700..=720).contains(&times.len()));
    assert!(least_gap(&times) >= Duration::from_secs(3600));
}

#[tokio::test]
async fn a_month_without_validators_costs_one_request_per_day() {
    let origin = Origin::replies([Reply::new(200, &[], "<rss/>")]);
    let times = month(&feed(&origin.url("/feed"), &[origin.allow()])).await;
    assert!((29..=30).contains(&times.len()));
    assert!(least_gap(&times) >= Duration::from_secs(24 * 3600));
}

#[tokio::test]
async fn a_month_after_410_costs_one_request() {
    let origin = Origin::replies([Reply::new(410, &[], "")]);
    month(&feed(&origin.url("/feed"), &[origin.allow()])).await;
    assert_eq!(origin.requests().len(), 1);
}

#[tokio::test]
async fn a_feed_whose_304s_set_max_age_to_half_a_day_is_polled_twice_a_day() {
    let asked = [("ETag", "\"1\""), ("Cache-Control", "max-age=43200")];
    let origin =
        Origin::start(move |request| Reply::new(if request.is_conditional() { 304 } else { 200 }, &asked, "<rss/>"));
    let times = month(&feed(&origin.url("/feed"), &[origin.allow()])).await;
    assert_eq!(times.len() as u64, 2 * DAYS);
}
