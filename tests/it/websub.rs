//! Publishing with WebSub: headers and feeds name the hub, and the hub is notified once of each real change.

use crate::support;
use crate::support::sql;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use support::daemon::*;

/// A status of a hub that does not answer a request.
const NO_ANSWER: u16 = 0;

/// A hub that records the fields of each posted form.
struct Hub {
    address: SocketAddr,
    forms: Receiver<Vec<(String, String)>>,
}

impl Hub {
    /// Starts a hub that answers with these statuses in order, and then always with the last one.
    fn start(statuses: &'static [u16]) -> Hub {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, forms) = channel();
        std::thread::spawn(move || {
            let mut unanswered = Vec::new();
            for (number, stream) in listener.incoming().enumerate() {
                let mut reader = BufReader::new(stream.unwrap());
                let mut length = 0;
                let mut line = String::new();
                while reader.read_line(&mut line).unwrap_or(0) > 2 {
                    if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
                        length = value.trim().parse().unwrap();
                    }
                    line.clear();
                }
                let mut body = vec![0; length];
                reader.read_exact(&mut body).unwrap();
                let status = statuses[number.min(statuses.len() - 1)];
                if status == NO_ANSWER {
                    // Keep the connection open.
                    unanswered.push(reader);
                    let fields = url::form_urlencoded::parse(&body).into_owned().collect();
                    let _ = sender.send(fields);
                    continue;
                }
                let _ = write!(
                    reader.get_mut(),
                    "HTTP/1.1 {status} Word\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
                );
                let fields = url::form_urlencoded::parse(&body).into_owned().collect();
                if sender.send(fields).is_err() {
                    return;
                }
            }
        });
        Hub { address, forms }
    }

    fn notifications(&self) -> Vec<(String, String)> {
        self.forms.recv_timeout(PATIENCE).expect("the hub is notified")
    }

    fn assert_not_notified(&self) {
        assert_eq!(self.forms.recv_timeout(Duration::from_secs(4)), Err(RecvTimeoutError::Timeout));
    }
}

fn feed(words: &str) -> String {
    format!(
        "<rss version=\"2.0\"><channel><title>A</title><link>https://a.example/</link><description>d</description>\
         <item><guid isPermaLink=\"false\">1</guid><title>{words}</title></item></channel></rss>"
    )
}

fn config(hub: &str, allow: &str) -> String {
    config_of(&format!("\"{hub}\""), allow)
}

/// Returns a config whose hubs are a TOML string or list.
fn config_of(hubs: &str, allow: &str) -> String {
    format!(
        "[site]\nurl = \"https://news.example.org/\"\n[server]\nlisten = \"127.0.0.1:0\"\nadmin = \"127.0.0.1:0\"\n\
         [publish]\nhub = {hubs}\n[poll]\n{allow}\n\
         [[feed]]\nid = \"a\"\nurl = \"file:a.xml\"\nschedule = \"every 1 second\"\n\
         [[section]]\nid = \"all\"\nfeeds = [\"*\"]\n\
         [[section]]\nid = \"inner\"\nfeeds = [\"*\"]\ntoken = \"canary\"\n"
    )
}

#[test]
fn hub_is_named_in_header_and_feed_and_notified_once_of_each_real_change() {
    let hub = Hub::start(&[204]);
    let url = format!("http://{}/", hub.address);
    let workspace = Workspace::whole(&config(&url, &format!("allow = [\"{}\"]", hub.address)));
    workspace.write("a.xml", &feed("War"));
    let mut daemon = Daemon::start(&workspace);
    daemon.get_until("/all.json", "War");
    let topics = ["atom", "rss", "json"].map(|format| format!("https://news.example.org/all.{format}"));
    let expected: Vec<_> = std::iter::once(("hub.mode".to_owned(), "publish".to_owned()))
        .chain(topics.iter().map(|topic| ("hub.url".to_owned(), topic.clone())))
        .collect();
    // The first notification is for the section while it is empty, and the second for the section with its story.
    assert_eq!(hub.notifications(), expected);
    assert_eq!(hub.notifications(), expected);
    hub.assert_not_notified();

    workspace.write("a.xml", &feed("Peace"));
    daemon.get_until("/all.json", "Peace");
    assert_eq!(hub.notifications(), expected);
    hub.assert_not_notified();

    for format in ["atom", "rss", "json"] {
        let answer = daemon.get(&format!("/all.{format}"));
        let links = format!("<https://news.example.org/all.{format}>; rel=\"self\", <{url}>; rel=\"hub\"");
        assert_eq!(answer.header("link"), Some(links.as_str()));
        assert!(text(&answer.body).contains(&url), "{format}");
        let private = daemon.get(&format!("/inner.{format}?token=canary"));
        assert_eq!((private.status, private.header("link")), (200, None));
        assert!(!text(&private.body).contains(&url), "a private section is not announced");
    }
    assert_eq!(daemon.end(), Some(0));
    let mut daemon = Daemon::start(&workspace);
    daemon.get_until("/all.json", "Peace");
    hub.assert_not_notified();
    assert_eq!(daemon.end(), Some(0));
}

#[test]
fn hub_at_a_private_address_is_refused_unless_the_editor_allows_it() {
    let hub = Hub::start(&[204]);
    let workspace = Workspace::whole(&config(&format!("http://{}/", hub.address), ""));
    workspace.write("a.xml", &feed("War"));
    let mut daemon = Daemon::start(&workspace);
    let line = daemon.wait_for("cannot notify the WebSub hub");
    assert!(line.contains("is not a web port"), "{line}");
    hub.assert_not_notified();
}

/// Starts a daemon whose hub answers with these statuses, and waits until the section has its story. The hub has got
/// two notifications then: for the section while it was empty, and for the section with its story.
fn notified_twice(statuses: &'static [u16]) -> (Hub, Workspace, Daemon) {
    let hub = Hub::start(statuses);
    let workspace =
        Workspace::whole(&config(&format!("http://{}/", hub.address), &format!("allow = [\"{}\"]", hub.address)));
    workspace.write("a.xml", &feed("War"));
    let daemon = Daemon::start(&workspace);
    daemon.get_until("/all.json", "War");
    (0..2).for_each(|_| drop(hub.notifications()));
    (hub, workspace, daemon)
}

#[test]
fn failing_hub_is_logged_and_delays_neither_new_stories_nor_the_shutdown() {
    let (hub, workspace, mut daemon) = notified_twice(&[500]);
    let line = daemon.wait_for("cannot notify the WebSub hub");
    assert!(line.contains("500"), "{line}");
    workspace.write("a.xml", &feed("Peace"));
    daemon.get_until("/all.json", "Peace");
    assert!(hub.notifications().contains(&("hub.url".to_owned(), "https://news.example.org/all.atom".to_owned())));
    assert_eq!(daemon.end(), Some(0));
    assert!(hub.forms.try_recv().is_err(), "the daemon stopped without another attempt");
}

/// Waits until the store has one notice, whose attempt failed: the log says how an attempt ended before it is stored.
fn wait_for_one_failed_notice(workspace: &Workspace) {
    let store = sql::open(workspace.path("newswire.db"));
    let counts = || -> (i64, i64) {
        let sql = "SELECT count(*), coalesce(sum(failures), 0) FROM hub_queue";
        store.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap()
    };
    let until = std::time::Instant::now() + PATIENCE;
    while counts() != (1, 1) {
        assert!(std::time::Instant::now() < until, "{:?}", counts());
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Makes the notices that wait due now. The first wait between two attempts is 30 seconds.
fn end_waits(workspace: &Workspace) {
    let store = sql::open(workspace.path("newswire.db"));
    let changed = store.execute("UPDATE hub_queue SET due = 1 WHERE due > 1", []).unwrap();
    assert_eq!(changed, 1);
}

#[test]
fn notification_that_failed_is_sent_again_without_another_change_even_after_a_restart() {
    let (hub, workspace, mut daemon) = notified_twice(&[204, 500, 204]);
    daemon.wait_for("cannot notify the WebSub hub");
    wait_for_one_failed_notice(&workspace);
    assert_eq!(daemon.end(), Some(0));
    end_waits(&workspace);
    let mut daemon = Daemon::start(&workspace);
    let again = hub.notifications();
    assert!(again.contains(&("hub.url".to_owned(), "https://news.example.org/all.atom".to_owned())), "{again:?}");
    daemon.wait_for("WebSub hub notified");
    hub.assert_not_notified();
    assert_eq!(daemon.end(), Some(0));
}

#[test]
fn hub_is_notified_of_a_change_after_a_kill_between_the_commit_and_the_notification() {
    let hub = Hub::start(&[204, NO_ANSWER, 204]);
    let url = format!("http://{}/", hub.address);
    let workspace = Workspace::whole(&config(&url, &format!("allow = [\"{}\"]", hub.address)));
    workspace.write("a.xml", &feed("War"));
    let mut daemon = Daemon::start(&workspace);
    daemon.get_until("/all.json", "War");
    (0..2).for_each(|_| drop(hub.notifications()));
    daemon.signal("KILL");
    daemon.process.wait().unwrap();
    let mut daemon = Daemon::start(&workspace);
    let again = hub.notifications();
    assert!(again.contains(&("hub.url".to_owned(), "https://news.example.org/all.atom".to_owned())), "{again:?}");
    daemon.wait_for("WebSub hub notified");
    hub.assert_not_notified();
    assert_eq!(daemon.end(), Some(0));
}

#[test]
fn every_hub_is_announced_and_notified_and_a_failure_of_one_repeats_only_its_own_notification() {
    let (good, failing) = (Hub::start(&[204]), Hub::start(&[500, 500, 204]));
    let urls = [&good, &failing].map(|hub| format!("http://{}/", hub.address));
    let hubs = format!("[\"{}\", \"{}\"]", urls[0], urls[1]);
    let workspace = Workspace::whole(&config_of(&hubs, "allow = [\"127.0.0.1\"]"));
    workspace.write("a.xml", &feed("War"));
    let mut daemon = Daemon::start(&workspace);
    daemon.get_until("/all.json", "War");
    for format in ["atom", "rss", "json"] {
        let answer = daemon.get(&format!("/all.{format}"));
        let links = format!(
            "<https://news.example.org/all.{format}>; rel=\"self\", <{}>; rel=\"hub\", <{}>; rel=\"hub\"",
            urls[0], urls[1]
        );
        assert_eq!(answer.header("link"), Some(links.as_str()));
        urls.iter().for_each(|url| assert!(text(&answer.body).contains(url), "{format} names {url}"));
    }
    for hub in [&good, &failing] {
        (0..2).for_each(|_| assert_eq!(hub.notifications().len(), 4));
    }
    // The second notice replaced the first one, which had failed.
    (0..2).for_each(|_| drop(daemon.wait_for("failures=1")));
    wait_for_one_failed_notice(&workspace);
    assert_eq!(daemon.end(), Some(0));
    end_waits(&workspace);
    let mut daemon = Daemon::start(&workspace);
    let again = failing.notifications();
    assert!(again.contains(&("hub.url".to_owned(), "https://news.example.org/all.atom".to_owned())), "{again:?}");
    good.assert_not_notified();
    assert_eq!(daemon.end(), Some(0));
}
