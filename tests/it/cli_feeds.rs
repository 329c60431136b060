//! `newswire feeds`, `newswire sections` and `newswire poll`: what needs attention comes first, with the reason.

use crate::support;

use support::origin::{Origin, Reply};
use support::workspace::{Workspace, rss};

fn dated(number: usize) -> String {
    let item = format!("<item><guid isPermaLink=\"false\">{number}</guid><title>Story {number}</title><pubDate>");
    format!("{item}{:02} Jan 2020 10:00:00 GMT</pubDate></item>", number + 1)
}

#[test]
fn config_without_feeds_gets_a_hint_how_to_add_one() {
    let workspace = Workspace::new("");
    for command in ["feeds", "poll"] {
        assert_eq!(workspace.run(&[command]).out, "no feeds yet; add one with `newswire add URL`\n", "{command}");
    }
    assert!(workspace.run(&["sections"]).out.contains("[[section]]"));
    workspace.write("a.xml", &rss(&[("1", "One", "x")]));
    let config = workspace.read("newswire.toml");
    workspace.write("newswire.toml", &format!("{config}[[feed]]\nurl = \"file:a.xml\"\n"));
    assert!(workspace.run(&["poll"]).out.contains("1 feed: 1 changed, 0 failed; 1 new entry"));
    assert!(workspace.run(&["poll"]).out.starts_with("no feed is due; "));
}

#[test]
fn manual_poll_says_why_a_feed_is_not_polled_and_what_to_do() {
    let origin = Origin::start(|request| match request.target().as_str() {
        "/gone" => Reply::new(410, &[], ""),
        "/busy" => Reply::new(429, &[("Retry-After", "7200")], ""),
        _ => Reply::new(200, &[], rss(&[("1", "One", "x")])),
    });
    let feed = |id: &str| format!("[[feed]]\nid = \"{id}\"\nurl = \"{}\"\n", origin.url(&format!("/{id}")));
    let feeds = ["gone", "busy", "fine"].map(feed).concat();
    let workspace = Workspace::new(&format!("[poll]\nallow = [\"{}\"]\n{feeds}", origin.address));
    workspace.run(&["poll"]);
    let result = workspace.run(&["poll", "--all"]).out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        result.contains(
            "1 feed was not polled, because it was put on hold by Retry-After: busy; it may be polled in 2 h"
        ),
        "{result}"
    );
    assert!(
        result.contains("1 feed was not polled, because it was polled recently: fine; it may be polled in 10 min"),
        "{result}"
    );
    let result = workspace.run(&["poll", "busy"]).out;
    assert!(result.starts_with("busy  put on hold by Retry-After; next poll allowed in 2 h\n"), "{result}");
    let result = workspace.run(&["feeds"]).out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        result.contains("(410); `newswire remove gone` removes the feed, and `newswire poll --force gone` tries again"),
        "{result}"
    );
}

#[test]
fn named_feed_is_shown_alone_with_its_schedule() {
    let feed = |id: &str| format!("[[feed]]\nid = \"{id}\"\nurl = \"file:{id}.xml\"\nschedule = \"every 2 hours\"\n");
    let workspace = Workspace::new(&["one", "two"].map(feed).concat());
    let result = workspace.run(&["feeds", "two"]).out;
    assert!(!result.contains("one") && result.ends_with("\ntwo: schedule: every 2 hours\n"), "{result}");
    assert!(!workspace.run(&["feeds"]).out.contains("schedule"));
    assert_eq!(workspace.json(&["feeds", "two"]).as_array().unwrap().len(), 1);
    assert!(workspace.run(&["feeds", "three"]).err.contains("there is no feed \"three\""));
}

#[test]
fn silent_and_failing_feeds_come_first_with_a_reason() {
    let feed = |id: &str| format!("[[feed]]\nid = \"{id}\"\nurl = \"file:{id}.xml\"\n");
    let workspace = Workspace::new(&format!(
        "{}{}{}{}[[section]]\nid = \"all\"\nfeeds = [\"*\"]\n[[section]]\nid = \"none\"\nfeeds = [\"*\"]\nkeep = [{{ title = \"nowhere\" }}]\n",
        feed("fine"),
        feed("silent"),
        feed("broken"),
        feed("off") + "enabled = false\n"
    ));
    workspace.write("fine.xml", &rss(&[("1", "One", "x")]));
    let items: String = (0..20).map(dated).collect();
    workspace.write("silent.xml", &format!("<rss version=\"2.0\"><channel><title>S</title>{items}</channel></rss>"));
    workspace.write("broken.xml", "not a feed");
    assert_eq!(workspace.run(&["poll"]).code, 0);
    let result = workspace.run(&["feeds"]);
    let ids: Vec<&str> = result.out.lines().skip(1).take(4).filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(ids, ["broken", "silent", "fine", "off"], "{}", result.out);
    assert!(result.out.contains("silent: no new story for "), "{}", result.out);
    assert!(result.out.lines().all(|line| line.chars().count() <= 80), "{}", result.out);
    let rows = workspace.json(&["feeds"]);
    assert_eq!(rows[0]["id"], "fine", "the JSON has the order of the config");
    assert!(rows[0]["care"].as_array().unwrap().is_empty() && rows[1]["care"].as_array().unwrap().len() == 1, "{rows}");
    let sections = workspace.run(&["sections", "--watch"]);
    assert!(sections.out.contains("none: no story matches"), "{}", sections.out);
    assert!(!sections.out.contains('\u{1b}'), "a pipe gets no colours");
}

#[test]
fn newest_of_a_feed_is_the_date_of_its_newest_entry_not_of_the_poll() {
    let workspace =
        Workspace::new("[[feed]]\nid = \"a\"\nurl = \"file:a.xml\"\n[[section]]\nid = \"all\"\nfeeds = [\"*\"]\n");
    let items = |numbers: std::ops::Range<usize>| {
        let items: String = numbers.map(dated).collect();
        format!("<rss version=\"2.0\"><channel><title>A</title>{items}</channel></rss>")
    };
    workspace.write("a.xml", &items(3..9));
    assert_eq!(workspace.run(&["poll"]).code, 0);
    assert_eq!(workspace.json(&["feeds"])[0]["newest"], "2020-01-09T10:00:00Z");
    workspace.write("a.xml", &items(0..9));
    assert_eq!(workspace.run(&["poll", "--force"]).code, 0);
    assert_eq!(
        workspace.json(&["feeds"])[0]["newest"],
        "2020-01-09T10:00:00Z",
        "older entries that come later change nothing"
    );
    assert_eq!(workspace.run(&["publish", "--out", "site"]).code, 0);
    let page = workspace.read("site/feeds/index.html");
    assert!(page.contains("2020-01-09T10:00:00"), "{page}");
}
