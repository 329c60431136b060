//! At most one request at a time is sent to a host, and requests to a public host start at least a second apart.

use std::sync::Arc;
use std::time::{Duration, Instant};

use newswire::config::{Allow, Feed};
use newswire::feed::Validators;
use newswire::fetch::{Fetcher, Holds};

use crate::fetch::{contact, document, error};
use crate::support::feeds::feed;
use crate::support::origin::{Origin, Reply};

fn local_names() -> Fetcher {
    Fetcher::with_lookup(&contact(), Arc::new(|_| Ok(vec![[127, 0, 0, 1].into()])))
}

/// Polls all these feeds at once.
async fn poll_all(fetcher: &Fetcher, feeds: Vec<Feed>) {
    let polls = feeds.into_iter().map(|feed| {
        let (fetcher, permit) = (fetcher.clone(), fetcher.host_permit(&feed, None));
        tokio::spawn(
            async move { document(fetcher.get(&feed, None, &Validators::default(), permit.await, None).await) },
        )
    });
    for poll in polls.collect::<Vec<_>>() {
        poll.await.unwrap();
    }
}

#[tokio::test]
async fn feeds_of_one_host_are_polled_one_by_one_with_a_second_between() {
    let origin = Origin::start(|_| Reply::new(200, &[], "<rss/>").after(Duration::from_millis(50)));
    let feeds = (0..4).map(|number| feed(&origin.url_as("one.test", &format!("/{number}")), &[origin.allow()]));
    poll_all(&local_names(), feeds.collect()).await;
    assert_eq!(origin.most_in_flight(), 1);
    let starts = origin.requests().iter().map(|request| request.at).collect::<Vec<_>>();
    // The origin sees a request a moment after it starts, so a gap may look a little shorter than a second.
    assert!(starts.windows(2).all(|pair| pair[1] - pair[0] > Duration::from_millis(900)), "{starts:?}");
}

#[tokio::test]
async fn a_redirect_within_a_host_also_waits_for_a_second() {
    let origin = Origin::start(|request| match request.number {
        0 => Reply::redirect(302, "/next"),
        _ => Reply::new(200, &[], "<rss/>"),
    });
    poll_all(&local_names(), vec![feed(&origin.url_as("one.test", "/feed"), &[origin.allow()])]).await;
    let starts = origin.requests().iter().map(|request| request.at).collect::<Vec<_>>();
    assert!(starts[1] - starts[0] > Duration::from_millis(900));
}

#[tokio::test]
async fn different_hosts_do_not_wait_for_each_other() {
    let origin = Origin::start(|_| Reply::new(200, &[], "<rss/>").after(Duration::from_millis(200)));
    let host = |number| feed(&origin.url_as(&format!("{number}.test"), "/feed"), &[origin.allow()]);
    let started = Instant::now();
    poll_all(&local_names(), (0..20).map(host).collect()).await;
    assert!(started.elapsed() < Duration::from_secs(1));
    assert!(origin.most_in_flight() > 5);
}

#[tokio::test]
async fn allowed_private_hosts_are_polled_one_by_one_without_a_pause() {
    let origin = Origin::start(|_| Reply::new(200, &[], "<rss/>"));
    let by_name = Allow::Host("own.test".to_owned(), None);
    let address = (0..20).map(|number| feed(&origin.url(&format!("/{number}")), &[origin.allow()]));
    let name =
        (0..20).map(|number| feed(&origin.url_as("own.test", &format!("/{number}")), std::slice::from_ref(&by_name)));
    let started = Instant::now();
    let fetcher = local_names();
    poll_all(&fetcher, address.collect()).await;
    poll_all(&fetcher, name.collect()).await;
    assert!(started.elapsed() < Duration::from_secs(1));
    assert_eq!(origin.most_in_flight(), 1);
}

/// Polls five feeds of one host at once, and answers the first request with `first`. Returns how many requests were
/// sent.
async fn asked_after(first: Reply, allow: fn(&Origin) -> Allow) -> usize {
    let origin = Origin::replies([first, Reply::new(200, &[], "<rss/>")]);
    let fetcher = local_names();
    let polls = (0..5).map(|number| {
        let feed = feed(&origin.url_as("one.test", &format!("/{number}")), &[allow(&origin)]);
        let fetcher = fetcher.clone();
        tokio::spawn(async move {
            let permit = fetcher.host_permit(&feed, None).await;
            if !permit.is_refused() {
                let _ = fetcher.get(&feed, None, &Validators::default(), permit, None).await;
            }
        })
    });
    for poll in polls.collect::<Vec<_>>() {
        poll.await.unwrap();
    }
    origin.requests().len()
}

#[tokio::test]
async fn a_refusal_by_a_public_host_stops_all_polls_that_wait_for_the_host() {
    let refused = |status| Reply::new(status, &[("Retry-After", "60")], "");
    let own = |_: &Origin| Allow::Host("one.test".to_owned(), None);
    assert_eq!(asked_after(refused(429), Origin::allow).await, 1);
    assert_eq!(asked_after(refused(503), Origin::allow).await, 1);
    assert_eq!(asked_after(Reply::new(500, &[], ""), Origin::allow).await, 5);
    assert_eq!(asked_after(refused(429), own).await, 5);
}

#[tokio::test]
async fn a_redirect_to_a_host_that_just_refused_is_followed_only_if_forced() {
    let origin = Origin::start(|request| match request.target().as_str() {
        "/feed" => {
            let host = String::from_utf8(request.header("host").unwrap()).unwrap();
            Reply::redirect(302, &format!("http://{}/busy", host.replace("led", "busy")))
        }
        _ => Reply::new(429, &[], ""),
    });
    let at = |host, path| feed(&origin.url_as(host, path), &[origin.allow()]);
    let (fetcher, busy, led) = (local_names(), at("busy.test", "/busy"), at("led.test", "/feed"));
    let mut asked = Vec::new();
    for (feed, holds) in [(&busy, None), (&led, Some(&Holds::new())), (&led, None)] {
        let permit = fetcher.host_permit(feed, None).await;
        let attempt = fetcher.get(feed, None, &Validators::default(), permit, holds).await;
        asked.push((error(attempt).kind().words(), origin.requests().len()));
    }
    assert_eq!(asked, [("status", 1), ("held", 2), ("status", 4)]);
}
