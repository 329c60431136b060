//! `newswire feeds` and `sections`: whatever needs attention comes first, with a reason.

use crate::support;

use support::desk::{Desk, rss};
use support::origin::{Origin, Reply};

fn dated(number: usize) -> String {
    let item = format!("<item><guid isPermaLink=\"false\">{number}</guid><title>Story {number}</title><pubDate>");
    format!("{item}{:02} Jan 2020 10:00:00 GMT</pubDate></item>", number + 1)
}

#[test]
fn config_without_feeds_gets_a_hint_how_to_add_one() {
    let desk = Desk::new("");
    for command in ["feeds", "poll"] {
        assert_eq!(desk.run(&[command]).out, "no feeds yet; add one with `newswire add URL`\n", "{command}");
    }
    assert!(desk.run(&["sections"]).out.contains("[[section]]"));
    desk.write("a.xml", &rss(&[("1", "One", "x")]));
    let config = desk.read("newswire.toml");
    desk.write("newswire.toml", &format!("{config}[[feed]]\nurl = \"file:a.xml\"\n"));
    assert!(desk.run(&["poll"]).out.contains("1 feed: 1 changed, 1 new"));
    assert!(desk.run(&["poll"]).out.starts_with("no feed is due; "));
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
    let desk = Desk::new(&format!("[poll]\nallow = [\"{}\"]\n{feeds}", origin.address));
    desk.run(&["poll"]);
    let told = desk.run(&["poll", "--all"]).out;
    assert!(told.contains("1 not polled: held by Retry-After; next poll allowed in 2 h: busy\n"), "{told}");
    assert!(told.contains("1 not polled: polled recently; next poll allowed in 10 min: fine\n"), "{told}");
    let told = desk.run(&["poll", "busy"]).out;
    assert!(told.starts_with("busy  held by Retry-After; next poll allowed in 2 h\n"), "{told}");
    let told = desk.run(&["feeds"]).out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(told.contains("(410); `newswire remove gone`, or try again: `newswire poll --force gone`"), "{told}");
}

#[test]
fn named_feed_is_shown_alone_with_its_schedule() {
    let feed = |id: &str| format!("[[feed]]\nid = \"{id}\"\nurl = \"file:{id}.xml\"\nschedule = \"every 2 hours\"\n");
    let desk = Desk::new(&["one", "two"].map(feed).concat());
    let told = desk.run(&["feeds", "two"]).out;
    assert!(!told.contains("one") && told.ends_with("\ntwo: schedule: every 2 hours\n"), "{told}");
    assert!(!desk.run(&["feeds"]).out.contains("schedule"));
    assert_eq!(desk.json(&["feeds", "two"]).as_array().unwrap().len(), 1);
    assert!(desk.run(&["feeds", "three"]).err.contains("there is no feed \"three\""));
}

#[test]
fn silent_and_failing_feeds_come_first_with_a_reason() {
    let feed = |id: &str| format!("[[feed]]\nid = \"{id}\"\nurl = \"file:{id}.xml\"\n");
    let desk = Desk::new(&format!(
        "{}{}{}{}[[section]]\nid = \"all\"\nfeeds = [\"*\"]\n[[section]]\nid = \"none\"\nfeeds = [\"*\"]\nkeep = [{{ title = \"nowhere\" }}]\n",
        feed("fine"),
        feed("silent"),
        feed("broken"),
        feed("off") + "enabled = false\n"
    ));
    desk.write("fine.xml", &rss(&[("1", "One", "x")]));
    let items: String = (0..20).map(dated).collect();
    desk.write("silent.xml", &format!("<rss version=\"2.0\"><channel><title>S</title>{items}</channel></rss>"));
    desk.write("broken.xml", "not a feed");
    assert_eq!(desk.run(&["poll"]).code, 0);
    let told = desk.run(&["feeds"]);
    let ids: Vec<&str> = told.out.lines().skip(1).take(4).filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(ids, ["broken", "silent", "fine", "off"], "{}", told.out);
    assert!(told.out.contains("silent: usually about 1 a day, nothing for "), "{}", told.out);
    assert!(told.out.lines().all(|line| line.chars().count() <= 80), "{}", told.out);
    let rows = desk.json(&["feeds"]);
    assert_eq!(rows[0]["id"], "fine", "the order of the config, for programs");
    assert!(rows[0]["care"].as_array().unwrap().is_empty() && rows[1]["care"].as_array().unwrap().len() == 1, "{rows}");
    let sections = desk.run(&["sections", "--watch"]);
    assert!(sections.out.contains("none: no story matches"), "{}", sections.out);
    assert!(!sections.out.contains('\u{1b}'), "a pipe gets no colours");
}

#[test]
fn newest_of_a_feed_is_the_date_of_an_entry_and_not_of_its_import() {
    let desk = Desk::new("[[feed]]\nid = \"a\"\nurl = \"file:a.xml\"\n[[section]]\nid = \"all\"\nfeeds = [\"*\"]\n");
    let items = |numbers: std::ops::Range<usize>| {
        let items: String = numbers.map(dated).collect();
        format!("<rss version=\"2.0\"><channel><title>A</title>{items}</channel></rss>")
    };
    desk.write("a.xml", &items(3..9));
    assert_eq!(desk.run(&["poll"]).code, 0);
    assert_eq!(desk.json(&["feeds"])[0]["newest"], "2020-01-09T10:00:00Z");
    desk.write("a.xml", &items(0..9));
    assert_eq!(desk.run(&["poll", "--force"]).code, 0);
    assert_eq!(
        desk.json(&["feeds"])[0]["newest"],
        "2020-01-09T10:00:00Z",
        "older entries that come later change nothing"
    );
    assert_eq!(desk.run(&["publish", "--out", "site"]).code, 0);
    let page = desk.read("site/feeds/index.html");
    assert!(page.contains("2020-01-09T10:00:00"), "{page}");
}
