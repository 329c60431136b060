//! `newswire feeds` and `sections`: what needs care comes first, and says so.

use crate::support;

use support::desk::{Desk, rss};
use support::origin::{Origin, Reply};

fn dated(number: usize) -> String {
    let item = format!("<item><guid isPermaLink=\"false\">{number}</guid><title>Story {number}</title><pubDate>");
    format!("{item}{:02} Jan 2020 10:00:00 GMT</pubDate></item>", number + 1)
}

#[test]
fn whoever_has_no_feed_yet_is_told_how_to_take_one() {
    let desk = Desk::new("");
    for command in ["feeds", "poll"] {
        assert_eq!(desk.run(&[command]).out, "there is no feed yet; `newswire add URL` takes one\n", "{command}");
    }
    assert!(desk.run(&["sections"]).out.contains("[[section]]"));
    desk.write("a.xml", &rss(&[("1", "One", "x")]));
    let config = desk.read("newswire.toml");
    desk.write("newswire.toml", &format!("{config}[[feed]]\nurl = \"file:a.xml\"\n"));
    assert!(desk.run(&["poll"]).out.contains("1 feed: 1 changed, 1 new"));
    assert!(desk.run(&["poll"]).out.starts_with("no feed is due; "));
}

#[test]
fn who_polls_by_hand_is_told_why_a_feed_is_left_alone_and_what_to_do() {
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
    assert!(told.contains("busy  held by Retry-After; may be asked in 2 h\n"), "{told}");
    assert!(told.contains("fine  held after its last poll; may be asked in 10 min\n"), "{told}");
    let told = desk.run(&["feeds"]).out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(told.contains("(410); `newswire remove gone`, or ask again: `newswire poll --force gone`"), "{told}");
}

#[test]
fn feed_that_is_asked_for_is_shown_alone_with_its_schedule() {
    let feed = |id: &str| format!("[[feed]]\nid = \"{id}\"\nurl = \"file:{id}.xml\"\nschedule = \"every 2 hours\"\n");
    let desk = Desk::new(&["one", "two"].map(feed).concat());
    let told = desk.run(&["feeds", "two"]).out;
    assert!(!told.contains("one") && told.ends_with("\ntwo: its schedule: every 2 hours\n"), "{told}");
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
    assert!(sections.out.contains("none: no story fits it"), "{}", sections.out);
    assert!(!sections.out.contains('\u{1b}'), "nobody watches a pipe");
}
