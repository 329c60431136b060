//! newswire follows redirects itself, one by one. A move is permanent only if every redirect of the chain is.

use std::sync::Arc;

use newswire::config::Allow;
use newswire::feed::Failure;
use newswire::feed::Validators;
use newswire::fetch::Fetcher;

use crate::fetch::{contact, document, error, fetcher, first_poll, poll};
use crate::support::feeds::feed;
use crate::support::origin::{Origin, Reply};
use crate::support::tls;

/// Starts an origin that redirects by path: `/302/301/feed` redirects with status 302 to `/301/feed`, and `/feed` is a
/// document.
fn chain() -> Origin {
    Origin::start(|request| match request.target().split_once('/').map(|(_, path)| path.split_once('/')) {
        Some(Some((status, rest))) => Reply::redirect(status.parse().unwrap(), &format!("/{rest}")),
        _ => Reply::new(200, &[], "<rss/>"),
    })
}

async fn check_permanence(path: &str, is_permanent: bool) {
    let origin = chain();
    let attempt = first_poll(&feed(&origin.url(path), &[origin.allow()])).await;
    assert_eq!(attempt.permanent, is_permanent.then(|| origin.url("/feed")), "{path}");
    assert_eq!(document(attempt).final_url, origin.url("/feed"));
}

#[tokio::test]
async fn only_a_chain_of_301_and_308_is_a_permanent_move() {
    check_permanence("/feed", false).await;
    check_permanence("/301/feed", true).await;
    check_permanence("/308/301/feed", true).await;
    check_permanence("/301/302/feed", false).await;
    check_permanence("/307/301/feed", false).await;
    for status in [302, 303, 307] {
        check_permanence(&format!("/{status}/feed"), false).await;
    }
}

#[tokio::test]
async fn non_ascii_bytes_of_a_redirect_are_requested_unchanged() {
    let check = async |location: &'static [u8], expected: &str| {
        let origin = Origin::start(move |request| match request.number {
            0 => Reply::with_bytes(302, &[("Location", location)], ""),
            _ => Reply::new(200, &[], "<rss/>"),
        });
        document(first_poll(&feed(&origin.url("/feed"), &[origin.allow()])).await);
        assert_eq!(origin.requests()[1].target(), expected);
    };
    check(b"/caf\xE9/flux.xml", "/caf%E9/flux.xml").await;
    check(b"/flux?nom=caf\xE9&x=%20y", "/flux?nom=caf%E9&x=%20y").await;
    check("/café/flux.xml".as_bytes(), "/caf%C3%A9/flux.xml").await;
    check(b"/\xC3\xA9\xE9", "/%C3%A9%E9").await;
}

#[tokio::test]
async fn a_stored_move_is_polled_directly() {
    let origin = chain();
    let (feed, fetcher) = (feed(&origin.url("/301/feed"), &[origin.allow()]), fetcher());
    let start = origin.url("/feed");
    let permit = fetcher.host_permit(&feed, Some(&start)).await;
    let attempt = fetcher.get(&feed, Some(&start), &Validators::default(), permit, None).await;
    assert_eq!(attempt.permanent, None);
    document(attempt);
    assert_eq!(origin.requests().len(), 1);
}

#[tokio::test]
async fn a_move_to_an_address_with_a_secret_is_not_stored() {
    let origin = Origin::start(|request| match request.target().as_str() {
        "/feed" => Reply::redirect(301, "/new?token=canary"),
        _ => Reply::new(200, &[("ETag", "\"1\"")], "<rss/>"),
    });
    let attempt = first_poll(&feed(&origin.url("/feed"), &[origin.allow()])).await;
    assert_eq!(attempt.permanent, None);
    let validators = document(attempt).validators;
    assert!(!format!("{validators:?}").contains("canary"));
}

#[tokio::test]
async fn a_temporary_redirect_does_not_change_where_polls_start() {
    let origin = chain();
    let (feed, fetcher) = (feed(&origin.url("/302/feed"), &[origin.allow()]), fetcher());
    for _ in 0..20 {
        document(poll(&fetcher, &feed, &Validators::default()).await);
    }
    let old = origin.requests().iter().filter(|request| request.target() == "/302/feed").count();
    assert_eq!(old, 20);
}

async fn check_refused(script: fn(usize) -> Option<&'static str>, requests: usize, message: &str) {
    let origin = Origin::start(move |request| match script(request.number) {
        Some(location) => Reply::redirect(302, location),
        None => Reply::new(302, &[], ""),
    });
    let error = error(first_poll(&feed(&origin.url("/feed"), &[origin.allow()])).await);
    assert_eq!((error.kind().words(), error.to_string().as_str()), ("redirect", message));
    assert_eq!(origin.requests().len(), requests, "{message}");
}

#[tokio::test]
async fn redirect_loops_long_chains_and_redirects_without_an_address_are_refused() {
    let circle = |number: usize| Some(["/b", "/feed"][number % 2]);
    check_refused(circle, 2, "127.0.0.1 redirects in a loop").await;
    check_refused(|_| Some("/feed"), 1, "127.0.0.1 redirects in a loop").await;
    let long = |number: usize| Some(["/1", "/2", "/3", "/4", "/5", "/6", "/7"][number]);
    check_refused(long, 6, "127.0.0.1 redirects more than 5 times").await;
    check_refused(|_| None, 1, "127.0.0.1 redirects without an address").await;
    check_refused(|_| Some("http://["), 1, "127.0.0.1 redirects to an invalid address").await;
}

#[tokio::test]
async fn redirects_to_other_schemes_are_not_followed() {
    for scheme in ["file", "gopher", "ftp", "data", "javascript"] {
        let location = format!("{scheme}:///etc/passwd");
        let origin = Origin::start(move |_| Reply::redirect(302, &location));
        let error = error(first_poll(&feed(&origin.url("/feed"), &[origin.allow()])).await);
        let message = format!("127.0.0.1 redirects to the scheme {scheme}:, which newswire does not follow");
        assert_eq!(error.to_string(), message);
    }
}

#[tokio::test]
async fn an_https_feed_is_not_redirected_to_http() {
    let plain = Origin::replies([Reply::new(200, &[], "<rss/>")]);
    let to = plain.url("/feed").to_string();
    let secure = Origin::start_tls(tls::server(&[]), move |_| Reply::redirect(302, &to));
    let mut feed = feed(&secure.url("/feed"), &[secure.allow(), plain.allow()]);
    feed.ca_file = Some(tls::ca_file());
    let error = error(first_poll(&feed).await);
    assert_eq!(error.to_string(), "127.0.0.1 redirects from https: to http:, which newswire does not follow");
    assert_eq!(plain.connections(), 0);
}

#[tokio::test]
async fn the_timeout_applies_to_all_redirects_together() {
    let origin = Origin::start(|request| {
        Reply::redirect(302, &format!("/{}", request.number)).after(std::time::Duration::from_millis(300))
    });
    let mut feed = feed(&origin.url("/feed"), &[origin.allow()]);
    feed.timeout = std::time::Duration::from_millis(1000);
    assert_eq!(error(first_poll(&feed).await).kind().words(), "timeout");
    assert!(origin.requests().len() <= 4);
}

#[tokio::test]
async fn status_410_means_gone_unless_a_temporary_redirect_led_there() {
    let gone = |status: u16| {
        Origin::start(move |request| match request.target().as_str() {
            "/old" => Reply::redirect(status, "/gone"),
            _ => Reply::new(410, &[], ""),
        })
    };
    let origin = gone(301);
    assert_eq!(error(first_poll(&feed(&origin.url("/gone"), &[origin.allow()])).await), Failure::Gone);
    assert_eq!(error(first_poll(&feed(&origin.url("/old"), &[origin.allow()])).await), Failure::Gone);
    let origin = gone(302);
    let error = error(first_poll(&feed(&origin.url("/old"), &[origin.allow()])).await);
    assert_eq!(error, Failure::Status { status: 410 });
}

/// Two hosts redirect to each other and are polled at once. If each poll kept its own host reserved while it waits for
/// the other host, neither poll would end.
#[tokio::test]
async fn polls_that_cross_between_two_hosts_do_not_wait_for_each_other() {
    let origin = Origin::start(|request| {
        let host = String::from_utf8(request.header("Host").unwrap()).unwrap();
        let (name, port) = host.split_once(':').unwrap();
        let other = if name == "a.test" { "b.test" } else { "a.test" };
        match request.target().as_str() {
            "/feed" => Reply::redirect(302, &format!("http://{other}:{port}/end")),
            _ => Reply::new(200, &[], "<rss/>"),
        }
    });
    let fetcher = Fetcher::with_lookup(&contact(), Arc::new(|_| Ok(vec![[127, 0, 0, 1].into()])));
    let allow = [Allow::Network("127.0.0.0/8".parse().unwrap())];
    let (a, b) = (feed(&origin.url_as("a.test", "/feed"), &allow), feed(&origin.url_as("b.test", "/feed"), &allow));
    let known = Validators::default();
    let (a, b) = tokio::join!(poll(&fetcher, &a, &known), poll(&fetcher, &b, &known));
    document(a);
    document(b);
}
