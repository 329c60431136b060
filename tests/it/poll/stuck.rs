//! Detection of stuck polls. Time in which a poll only waits for its host or for the store does not count.

use std::time::{Duration, Instant};

use newswire::config::Listen;
use newswire::feed::FeedId;
use newswire::fetch::Progress;
use newswire::listen::{Listener, SocketReach};
use newswire::poll::{Pass, PollReport};
use newswire::serve::{self, Health};
use newswire::status::Watch;
use newswire::store::StoreError;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::poll::{Bed, FEED, HOUR, feed_at, local_names, start};
use crate::support::origin::{Origin, Reply};
use crate::support::sql;

const TIMEOUT: Duration = Duration::from_secs(30);

fn stuck(watch: &Watch, now: Instant) -> Vec<String> {
    watch.stuck(now).iter().map(|poll| poll.feed.to_string()).collect()
}

#[test]
fn poll_is_stuck_after_working_for_more_than_twice_its_timeout() {
    let (watch, progress, now) = (Watch::default(), Progress::default(), Instant::now());
    let watched = watch.begin(&FeedId::from("a"), TIMEOUT, progress.clone());
    assert!(stuck(&watch, now + HOUR).is_empty(), "a poll that has not begun to work is not stuck");
    progress.resume(now);
    assert!(stuck(&watch, now + TIMEOUT * 2).is_empty());
    let found = watch.stuck(now + TIMEOUT * 2 + Duration::from_secs(5));
    assert_eq!(found[0].to_string(), "stuck for 65 seconds while fetching or reading (timeout 30 seconds)");
    drop(watched);
    assert!(stuck(&watch, now + HOUR).is_empty(), "a poll that has ended is not stuck");
}

#[test]
fn time_that_a_poll_waits_does_not_count() {
    let (watch, progress, now) = (Watch::default(), Progress::default(), Instant::now());
    let _watched = watch.begin(&FeedId::from("a"), TIMEOUT, progress.clone());
    progress.resume(now);
    progress.pause(now + TIMEOUT);
    assert!(stuck(&watch, now + HOUR).is_empty());
    progress.resume(now + HOUR);
    assert!(stuck(&watch, now + HOUR + TIMEOUT).is_empty());
    assert_eq!(stuck(&watch, now + HOUR + TIMEOUT + Duration::from_millis(1)), ["a"]);
}

/// Starts a pass over all feeds that are due.
fn poll_all(bed: &Bed) -> JoinHandle<Result<Vec<PollReport>, StoreError>> {
    let (poller, config) = (bed.poller.clone(), bed.config.clone());
    tokio::spawn(async move { poller.pass(&config, &Pass::Due, start(), |_, _| {}).await })
}

/// Waits until `is_so` returns true, while other tasks run.
async fn until(is_so: impl Fn() -> bool) {
    while !is_so() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn poll_that_waits_for_a_host_is_not_stuck() {
    let origin = Origin::start(|request| match request.target().as_str() {
        "/led" => {
            let host = String::from_utf8(request.header("host").unwrap()).unwrap();
            Reply::redirect(302, &format!("http://{}/elsewhere", host.replace("led", "busy")))
        }
        _ => Reply::silence(),
    });
    let feeds = [("a", "busy"), ("b", "busy"), ("led", "led")];
    let feeds = feeds.map(|(id, host)| feed_at(id, &format!("{host}.test"), &origin, &format!("/{id}")));
    let bed = Bed::new(&feeds.concat(), Some(local_names())).await;
    let polls = poll_all(&bed);
    let watch = bed.poller.watch();
    // One of the two feeds at the busy host is being polled. The other one and the redirected feed wait for it.
    until(|| origin.requests().len() == 2).await;
    let far = || Instant::now() + HOUR;
    until(|| stuck(&watch, far()).len() == 1).await;
    assert_ne!(stuck(&watch, far()), ["led"]);
    assert!(stuck(&watch, Instant::now()).is_empty());
    polls.abort();
    until(|| stuck(&watch, far()).is_empty()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn poll_that_waits_for_the_store_is_not_stuck() {
    let origin = Origin::start(|_| Reply::new(200, &[("ETag", "\"1\"")], FEED));
    let bed = Bed::of_hosts(&origin, 1).await;
    let writer = sql::open(bed.store.path());
    writer.execute_batch("BEGIN IMMEDIATE").unwrap();
    let (polls, watch) = (poll_all(&bed), bed.poller.watch());
    until(|| origin.requests().len() == 1).await;
    until(|| stuck(&watch, Instant::now() + HOUR).is_empty()).await;
    assert!(!polls.is_finished(), "the poll waits for the store");
    writer.execute_batch("ROLLBACK").unwrap();
    assert_eq!(polls.await.unwrap().unwrap()[0].new, 1);
}

/// Requests a path from the admin address, and returns the whole answer.
async fn ask(address: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn health_check_fails_and_names_the_feed_while_its_poll_is_stuck() {
    let origin = Origin::start(|_| Reply::silence());
    let bed = Bed::of_hosts(&origin, 1).await;
    let (_edits, configs) = tokio::sync::watch::channel(bed.config.clone());
    let watch = bed.poller.watch();
    let health = Health::new(configs).watching(watch.clone());
    let listener = Listener::bind(&Listen::Address("127.0.0.1:0".parse().unwrap()), SocketReach::Owner).await.unwrap();
    let address = listener.name().unwrap().trim_start_matches("http://").to_owned();
    let shutdown = CancellationToken::new();
    let serving = tokio::spawn(serve::admin(listener, bed.store.clone(), health, shutdown.clone()));

    let good = ask(&address, "/healthz").await;
    assert!(good.starts_with("HTTP/1.1 200") && good.ends_with("ok\n"), "{good}");
    assert!(ask(&address, "/metrics").await.contains("newswire_polls_stuck 0\n"));

    // Simulates a poll that does not end, of a feed with a timeout of zero.
    let reading = Progress::default();
    let stuck = watch.begin(&FeedId::from("endless"), Duration::ZERO, reading.clone());
    reading.resume(Instant::now());
    let bad = ask(&address, "/healthz").await;
    assert!(bad.starts_with("HTTP/1.1 503") && bad.contains("the poll of endless is stuck"), "{bad}");
    let status = ask(&address, "/status.json").await;
    assert!(status.contains(r#""stuck":[{"feed":"endless","working_seconds":0,"timeout_seconds":0}]"#), "{status}");
    assert!(ask(&address, "/status").await.contains("<b>endless</b> has been fetching or reading for 0 seconds"));
    assert!(ask(&address, "/metrics").await.contains("newswire_polls_stuck 1\n"));

    drop(stuck);
    assert!(ask(&address, "/healthz").await.starts_with("HTTP/1.1 200"));
    shutdown.cancel();
    serving.await.unwrap();
}
