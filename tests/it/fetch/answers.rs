//! What a poll returns for each kind of answer, and the messages of failures.

use std::time::Duration;

use newswire::feed::Failure;
use newswire::feed::Lifetimes;
use newswire::fetch::is_unreachable;

use crate::fetch::{document, error, first_poll, poll};
use crate::support::feeds::feed;
use crate::support::origin::{Origin, Reply};

#[tokio::test]
async fn lifetimes_are_read_from_answers_of_every_status() {
    for status in [200, 304, 403, 404, 410, 429, 500, 503] {
        let asked = [("Retry-After", "7200"), ("Cache-Control", "max-age=172800"), ("Age", "800")];
        let origin = Origin::replies([Reply::new(status, &asked, "")]);
        let attempt = first_poll(&feed(&origin.url("/feed"), &[origin.allow()])).await;
        let (retry_after, max_age) = (Some(Duration::from_secs(7200)), Some(Duration::from_secs(172_000)));
        assert_eq!(attempt.lifetimes, Lifetimes { retry_after, max_age, expires: None }, "{status}");
        assert_eq!(attempt.status, Some(status));
    }
}

#[tokio::test]
async fn the_lifetime_of_a_redirect_is_not_that_of_the_feed() {
    let origin = Origin::start(|request| match request.number {
        0 => Reply::new(301, &[("Location", "/next"), ("Cache-Control", "max-age=31536000")], ""),
        _ => Reply::new(500, &[], ""),
    });
    let attempt = first_poll(&feed(&origin.url("/feed"), &[origin.allow()])).await;
    assert_eq!((attempt.lifetimes, attempt.status), (Lifetimes::default(), Some(500)));
}

#[tokio::test]
async fn an_attempt_names_its_host_if_the_host_is_public() {
    let origin = Origin::replies([Reply::new(429, &[], "")]);
    let own = first_poll(&feed(&origin.url("/feed"), &[origin.allow()])).await;
    assert_eq!(own.public_origin, None);
    let lookup = std::sync::Arc::new(|_: &str| Ok(vec![[127, 0, 0, 1].into()]));
    let fetcher = newswire::fetch::Fetcher::with_lookup(&crate::fetch::contact(), lookup);
    let public = feed(&origin.url_as("feeds.test", "/feed"), &[origin.allow()]);
    let attempt = poll(&fetcher, &public, &Default::default()).await;
    assert_eq!(attempt.public_origin, Some(format!("http://feeds.test:{}", origin.address.port())));
}

async fn check(reply: Reply, kind: &str, message: &str) {
    let origin = Origin::replies([reply]);
    let error = error(first_poll(&feed(&origin.url("/feed"), &[origin.allow()])).await);
    assert_eq!((error.kind().words(), error.to_string().as_str()), (kind, message));
}

#[tokio::test]
async fn every_failure_has_its_kind_and_one_sentence() {
    let status = |status| Reply::new(status, &[], "<html>no</html>");
    check(status(401), "status", "the server requires credentials (401); set headers or basic_auth of the feed").await;
    check(status(404), "status", "not found (404); check whether the feed has moved").await;
    check(
        status(226),
        "status",
        "the server sent only changes of the document, though newswire requested all of it (226)",
    )
    .await;
    check(status(500), "status", "server error (500)").await;
    check(status(410), "gone", "the publisher says that the feed is gone for good (410)").await;
    let wall = "127.0.0.1 blocks programs with a challenge for browsers; ask the publisher to let newswire in";
    check(Reply::new(403, &[("cf-mitigated", "challenge")], "<html/>"), "bot wall", wall).await;
    check(Reply::new(202, &[("x-amzn-waf-action", "challenge")], ""), "bot wall", wall).await;
    let cut = Reply::raw("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n<rss").close();
    check(
        cut,
        "http",
        "could not read the response of 127.0.0.1: the connection was closed before the document was complete",
    )
    .await;
    let foreign = Reply::raw("SSH-2.0-OpenSSH\r\n\r\n").close();
    check(foreign, "http", "could not read the response of 127.0.0.1: it does not begin with HTTP/1.0 or HTTP/1.1")
        .await;
}

#[tokio::test]
async fn a_missing_server_is_a_failure_to_connect() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = format!("http://{nobody}/feed").parse().unwrap();
    let error = error(first_poll(&feed(&url, &[newswire::config::Allow::Address(nobody)])).await);
    assert_eq!(error.kind().words(), "connect");
    assert!(is_unreachable(&error));
}

#[tokio::test]
async fn a_name_that_does_not_resolve_is_a_dns_failure() {
    let lookup = std::sync::Arc::new(|_: &str| Err(std::io::Error::other("server failure")));
    let fetcher = newswire::fetch::Fetcher::with_lookup(&crate::fetch::contact(), lookup);
    let feed = feed(&"http://feeds.example/".parse().unwrap(), &[]);
    let error = error(poll(&fetcher, &feed, &Default::default()).await);
    assert_eq!(error, Failure::Dns { host: "feeds.example".into(), proxied: false, why: "server failure".into() });
    assert!(is_unreachable(&error));
}

#[tokio::test]
async fn content_location_is_a_base_only_within_its_own_origin() {
    for (location, expected) in [("/real/feed.xml", Some("/real/feed.xml")), ("http://evil.example/", None)] {
        let origin = Origin::replies([Reply::new(200, &[("Content-Location", location)], "<rss/>")]);
        let document = document(first_poll(&feed(&origin.url("/feed"), &[origin.allow()])).await);
        assert_eq!(document.content_location, expected.map(|path| origin.url(path)));
    }
}

#[tokio::test]
async fn non_ascii_bytes_of_a_content_location_stay_unchanged() {
    let origin = Origin::replies([Reply::with_bytes(200, &[("Content-Location", b"/caf\xE9/")], "<rss/>")]);
    let document = document(first_poll(&feed(&origin.url("/feed"), &[origin.allow()])).await);
    assert_eq!(document.content_location, Some(origin.url("/caf%E9/")));
}

/// The host has two addresses. The first one never answers, because its connection queue is full.
#[tokio::test]
async fn a_dead_address_next_to_a_good_one_costs_less_than_a_second() {
    let origin = Origin::replies([Reply::new(200, &[], "<rss/>")]);
    let dead = tokio::net::TcpSocket::new_v6().unwrap();
    dead.bind(std::net::SocketAddr::new(std::net::Ipv6Addr::LOCALHOST.into(), origin.address.port())).unwrap();
    let dead = dead.listen(0).unwrap();
    let filler = tokio::net::TcpStream::connect(dead.local_addr().unwrap()).await.unwrap();
    let addresses = vec![std::net::Ipv6Addr::LOCALHOST.into(), origin.address.ip()];
    let lookup = std::sync::Arc::new(move |_: &str| Ok(addresses.clone()));
    let fetcher = newswire::fetch::Fetcher::with_lookup(&crate::fetch::contact(), lookup);
    let allow = newswire::config::Allow::Host("dual.test".to_owned(), None);
    let started = std::time::Instant::now();
    document(poll(&fetcher, &feed(&origin.url_as("dual.test", "/feed"), &[allow]), &Default::default()).await);
    assert!(started.elapsed() < Duration::from_secs(1));
    drop((filler, dead));
}
