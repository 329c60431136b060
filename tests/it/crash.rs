//! A daemon that is killed at any moment with `kill -9` loses nothing that was published, and publishes nothing twice.

use crate::support;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use serde_json::Value;
use support::daemon::*;
use support::origin::{Origin, Reply, Request};

const ROUNDS: usize = 6;

/// Starts an origin that answers every request with another document. Each document has its own ETag, a story that all
/// documents contain, and a story that no other document contains.
fn news() -> Origin {
    Origin::start(|request| {
        let number = request.number.to_string();
        let document = headlines(&[("always", "Ferries are late"), (&number, &format!("Tide {number}"))]);
        // The document is sent in two parts, so that some kills happen when only half of it has arrived.
        let (first, rest) = document.split_at(document.len() / 2);
        let head = format!("HTTP/1.1 200 OK\r\nETag: \"{number}\"\r\nContent-Length: {}\r\n\r\n", document.len());
        Reply::raw(head + first).pause(Duration::from_millis(20)).then(rest)
    })
}

fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let started = Instant::now();
    while !is_so() {
        assert!(started.elapsed() < PATIENCE, "{what}");
        std::thread::yield_now();
    }
}

/// Returns the guid and id of every published story.
fn published(daemon: &Daemon) -> Vec<(String, String)> {
    let edition: Value = serde_json::from_slice(&daemon.get("/all.json").body).unwrap();
    let story = |item: &Value| {
        let guid = item["url"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
        (guid, item["id"].as_str().unwrap().to_owned())
    };
    edition["items"].as_array().unwrap().iter().map(story).collect()
}

/// Returns the number of the document that the request's `If-None-Match` names, if the header is there.
fn known(request: &Request) -> Option<String> {
    let etag = String::from_utf8(request.header("if-none-match")?).unwrap();
    Some(etag.trim_matches('"').to_owned())
}

#[test]
fn killed_daemon_continues_where_it_was_and_publishes_nothing_twice() {
    let origin = news();
    let config = one_feed(&origin).replace("[[section]]", "schedule = \"every 1 second\"\n[[section]]");
    let workspace = Workspace::new(&format!("{config}\nlimit = 500"));
    let mut daemon = Daemon::start(&workspace);
    daemon.get_until("/all.json", "Ferries");
    let first = published(&daemon);
    daemon.process.kill().unwrap();
    daemon.process.wait().unwrap();
    let before = origin.requests().len();

    for round in 0..ROUNDS {
        let asked = origin.requests().len();
        let mut daemon = Daemon::start(&workspace);
        wait_until("the daemon goes on polling", || origin.requests().len() > asked);
        // The daemon is killed before the answer, during the answer, or during or after its commit.
        std::thread::sleep(Duration::from_millis(8 * round as u64));
        daemon.process.kill().unwrap();
        daemon.process.wait().unwrap();
        assert_eq!(workspace.run(&["verify"]).code, 0, "round {round}: {}", workspace.run(&["verify"]).err);
    }

    let mut daemon = Daemon::start(&workspace);
    let asked = origin.requests().len();
    assert_eq!(workspace.run(&["poll", "--force"]).code, 0, "commands reach the daemon after a crash too");
    wait_until("the daemon goes on polling", || origin.requests().len() > asked + 1);
    let echoed: Vec<_> = origin.requests()[before..].iter().map(known).collect();
    assert!(echoed.iter().all(Option::is_some), "requests for a known document are conditional: {echoed:?}");
    for number in echoed.into_iter().flatten() {
        daemon.get_until("/all.json", &format!("Tide {number}"));
    }
    let last = published(&daemon);
    assert!(first.iter().all(|story| last.contains(story)), "ids stay: {first:?} {last:?}");
    let guids: BTreeSet<_> = last.iter().map(|(guid, _)| guid).collect();
    assert_eq!(guids.len(), last.len(), "published twice: {last:?}");
    assert_eq!(daemon.end(), Some(0));
}
