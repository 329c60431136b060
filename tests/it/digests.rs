//! The digests of a section (`digest`): what is in them, when they are made, and what changes them afterwards.

use crate::samples::outside;
use crate::samples::rules;
use crate::samples::schema;
use crate::support::bed;
use crate::support::sql;

use std::collections::BTreeSet;
use std::sync::Arc;

use bed::{Bed, DAY, HOUR, entry, own_words, start, three_feeds};
use newswire::commit;
use newswire::config::Config;
use newswire::feed::SectionId;
use newswire::publish::{Edition, Publisher};
use newswire::render::Pages;
use newswire::time::Timestamp;
use outside::outside;
use serde_json::Value;

const DAILY: &str = "[[section]]\nid = \"all\"\ntitle = \"All\"\nfeeds = [\"*\"]\ndigest = [\"daily\"]";

/// The last day of the week before the first digest; digests are switched on at noon.
const NOON: u32 = 12;

fn publisher(bed: &Bed) -> Publisher {
    Publisher::new(bed.store.clone(), Pages::new(&[]).unwrap())
}

/// Publishes as a program does that has just started.
async fn published(bed: &mut Bed, now: Timestamp) -> Publisher {
    let publisher = publisher(bed);
    bed.now = now;
    publish(bed, &publisher).await;
    publisher
}

async fn publish(bed: &Bed, publisher: &Publisher) {
    let sections: BTreeSet<SectionId> = bed.config.sections.iter().map(|section| section.id.clone()).collect();
    let published = publisher.publish(&bed.config, &sections, bed.now).await.unwrap();
    assert!(published.errors.is_empty(), "{:?}", published.errors);
}

fn edition(publisher: &Publisher, path: &str) -> Arc<Edition> {
    publisher.current().edition(path).unwrap_or_else(|| panic!("{path} does not exist")).clone()
}

fn document(publisher: &Publisher, path: &str) -> String {
    String::from_utf8(edition(publisher, path).identity.to_vec()).unwrap()
}

fn json(publisher: &Publisher, path: &str) -> Value {
    serde_json::from_str(&document(publisher, path)).unwrap()
}

/// Returns the days of the digests, each with its headlines.
fn digests(publisher: &Publisher, kind: &str) -> Vec<(String, Vec<String>)> {
    let digest = |item: &Value| {
        let day = item["id"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
        let titles = item["content_html"].as_str().unwrap().split("<strong>").skip(1);
        (day, titles.map(|rest| rest.split("</strong>").next().unwrap().to_owned()).collect())
    };
    json(publisher, &format!("all/{kind}.json"))["items"].as_array().unwrap().iter().map(digest).collect()
}

fn of(days: &[(&str, &[&str])]) -> Vec<(String, Vec<String>)> {
    days.iter()
        .map(|(day, titles)| ((*day).to_owned(), titles.iter().map(|title| (*title).to_owned()).collect()))
        .collect()
}

fn ferry() -> newswire::entry::Entry {
    entry("https://origin.example/ferry", "Ferry sinks", &own_words("ferry"))
}

fn bridge() -> newswire::entry::Entry {
    entry("https://wire.example/bridge", "Bridge opens", &own_words("bridge"))
}

fn tide() -> newswire::entry::Entry {
    entry("https://other.example/tide", "Tide is late", &own_words("tide"))
}

/// Returns a bed whose digests were switched on on Monday, 1 January 2018, at noon. A story entered before that, one an
/// hour later, and one on 2 January.
async fn begun(config: Arc<Config>) -> Bed {
    let mut bed = Bed::new(config).await;
    bed.poll_at(start() + HOUR * 3, "other", &[tide()]).await;
    published(&mut bed, start() + HOUR * NOON).await;
    bed.poll_at(start() + HOUR * 13, "wire", &[bridge()]).await;
    bed.poll_at(start() + DAY + HOUR * 5, "origin", &[ferry()]).await;
    bed
}

/// Returns the time a minute after the end of a day of January 2018, when its digest is made.
fn after(day: u32) -> Timestamp {
    start() + DAY * day + HOUR / 60
}

#[tokio::test]
async fn first_digest_is_that_of_the_first_whole_day() {
    let mut bed = begun(three_feeds(DAILY)).await;
    let publisher = published(&mut bed, after(1)).await;
    assert_eq!(digests(&publisher, "daily"), of(&[]), "the first of January was not whole");
    assert!(document(&publisher, "all/daily/").contains("No digest yet."));
    assert_eq!(publisher.aged(after(2) - HOUR / 60), BTreeSet::new());
    assert_eq!(publisher.aged(after(2)), BTreeSet::from([SectionId::from("all")]));
    let publisher = published(&mut bed, after(2)).await;
    assert_eq!(digests(&publisher, "daily"), of(&[("2018-01-02", &["Ferry sinks"])]));

    let digest = &json(&publisher, "all/daily.json")["items"][0];
    let id = json(&publisher, "all.json")["_newswire"]["id"].as_str().unwrap().to_owned();
    assert_eq!(digest["id"], format!("{id}/daily/2018-01-02"));
    assert_eq!(digest["date_published"], "2018-01-03T00:00:00Z");
    assert_eq!(digest["date_modified"], "2018-01-03T00:00:00Z");
    assert_eq!(digest["title"], "All: 2 January 2018");
    assert_eq!(digest["summary"], "1 story: Ferry sinks");
    let html = digest["content_html"].as_str().unwrap();
    assert!(html.contains("<a href=\"https://origin.example/ferry\"><strong>Ferry sinks</strong></a><br>"), "{html}");
    assert!(html.contains("The origin"), "the source is named: {html}");
    assert!(html.contains("<p>ferry0 ferry1 "), "{html}");
}

#[tokio::test]
async fn documents_of_digests_are_valid_and_have_their_own_id_and_address() {
    let mut bed = begun(three_feeds(DAILY)).await;
    let publisher = published(&mut bed, after(2)).await;
    let daily = json(&publisher, "all/daily.json");
    let base = bed.config.site.url.as_str();
    assert_eq!(daily["feed_url"], format!("{base}all/daily.json"));
    assert_eq!(daily["home_page_url"], format!("{base}all/daily/"));
    assert_eq!(daily["items"][0]["url"], format!("{base}all/daily/#day-2018-01-02"));
    assert_eq!(daily["items"][0]["_newswire"]["page"], daily["items"][0]["url"], "a digest has no page of a story");
    assert!(document(&publisher, "all/daily/").contains("id=\"day-2018-01-02\""));
    assert!(document(&publisher, "all/").contains("<a href=\"/all/daily/\">Daily digest</a>"));
    let known: Value = serde_json::from_str(include_str!("../fixtures/json_feed.schema.json")).unwrap();
    assert_eq!(schema::faults(&known, &known, &daily, "feed"), Vec::<String>::new());
    let folder = tempfile::tempdir().unwrap();
    let mut files = Vec::new();
    for format in ["atom", "rss"] {
        let written = document(&publisher, &format!("all/daily.{format}"));
        assert!(written.contains(&format!("{base}all/daily.{format}\"")), "{written}");
        assert_eq!(rules::faults(written.as_bytes()), Vec::<String>::new());
        files.push(folder.path().join(format!("daily.{format}")));
        std::fs::write(files.last().unwrap(), written).unwrap();
    }
    outside("xmllint", &["--noout", "--nonet"], &files);
    files.truncate(1);
    outside("jing", &["-c", concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/atom.rnc")], &files);
}

#[tokio::test]
async fn story_without_a_link_leads_to_its_page() {
    let mut bed = begun(three_feeds(DAILY)).await;
    let mut linkless = entry("https://wire.example/1", "Spoken", &own_words("spoken"));
    linkless.link = None;
    bed.poll_at(start() + DAY + HOUR * 8, "wire", &[linkless]).await;
    let publisher = published(&mut bed, after(2)).await;
    let digest = json(&publisher, "all/daily.json");
    let page = json(&publisher, "all.json")["items"][0]["url"].as_str().unwrap().to_owned();
    assert!(page.contains("/story/"), "{page}");
    let content = digest["items"][0]["content_html"].as_str().unwrap();
    assert!(content.contains(&format!("<a href=\"{page}\"><strong>Spoken</strong></a>")), "{content}");
}

#[tokio::test]
async fn weeks_run_from_monday_to_sunday() {
    let mut bed = begun(three_feeds(&DAILY.replace("daily", "weekly"))).await;
    bed.poll_at(after(10), "wire", &[bridge(), entry("https://wire.example/2", "Second week", &own_words("week"))])
        .await;
    let publisher = published(&mut bed, after(13)).await;
    assert_eq!(digests(&publisher, "weekly"), of(&[]));
    let publisher = published(&mut bed, after(14)).await;
    assert_eq!(digests(&publisher, "weekly"), of(&[("2018-01-08", &["Second week"])]));
    assert_eq!(json(&publisher, "all/weekly.json")["items"][0]["title"], "All: week of 8 January 2018");
    assert_eq!(json(&publisher, "all/weekly.json")["items"][0]["date_published"], "2018-01-15T00:00:00Z");
}

#[tokio::test]
async fn digest_is_frozen_and_made_once() {
    let mut bed = begun(three_feeds(DAILY)).await;
    let publisher = published(&mut bed, after(2)).await;
    let before = document(&publisher, "all/daily.atom");
    // The story changes at its source, and another one enters.
    bed.poll_at(
        after(2) + HOUR,
        "origin",
        &[entry("https://origin.example/ferry", "Ferry was raised", &own_words("ferry"))],
    )
    .await;
    bed.poll_at(
        after(2) + HOUR,
        "wire",
        &[bridge(), entry("https://wire.example/2", "Third day", &own_words("third"))],
    )
    .await;
    assert!(bed.titles("all").await.contains(&"Ferry was raised".to_owned()));
    publish(&bed, &publisher).await;
    assert_eq!(document(&publisher, "all/daily.atom"), before);
    let restarted = published(&mut bed, after(2) + HOUR * 2).await;
    assert_eq!(document(&restarted, "all/daily.atom"), before);
    let restarted = published(&mut bed, after(3)).await;
    let expected = of(&[("2018-01-03", &["Third day"]), ("2018-01-02", &["Ferry sinks"])]);
    assert_eq!(digests(&restarted, "daily"), expected);
}

#[tokio::test]
async fn story_that_left_and_came_back_is_in_one_digest() {
    let mut bed = begun(three_feeds(DAILY)).await;
    published(&mut bed, after(2)).await;
    bed.follow(three_feeds(&format!("{DAILY}\ndrop = [{{ title = \"ferry\" }}]"))).await;
    let without = published(&mut bed, after(2) + HOUR).await;
    assert_eq!(digests(&without, "daily"), of(&[]), "a digest without stories is not published");
    bed.now = after(2) + HOUR * 2;
    bed.follow(three_feeds(DAILY)).await;
    let publisher = published(&mut bed, after(3)).await;
    assert_eq!(digests(&publisher, "daily"), of(&[("2018-01-02", &["Ferry sinks"])]));
}

#[tokio::test]
async fn story_that_left_before_the_end_is_not_in_the_digest() {
    let mut bed = begun(three_feeds(DAILY)).await;
    bed.poll_at(
        start() + DAY + HOUR * 6,
        "other",
        &[tide(), entry("https://other.example/2", "Stays", &own_words("stays"))],
    )
    .await;
    bed.now = start() + DAY + HOUR * 7;
    bed.follow(three_feeds(&format!("{DAILY}\ndrop = [{{ title = \"ferry\" }}]"))).await;
    let publisher = published(&mut bed, after(2)).await;
    assert_eq!(digests(&publisher, "daily"), of(&[("2018-01-02", &["Stays"])]));
}

#[tokio::test]
async fn rights_and_removed_feeds_change_digests_that_are_published() {
    let mut bed = begun(three_feeds(DAILY)).await;
    bed.poll_at(
        start() + DAY + HOUR * 6,
        "other",
        &[tide(), entry("https://other.example/2", "Stays", &own_words("stays"))],
    )
    .await;
    let publisher = published(&mut bed, after(2)).await;
    assert_eq!(digests(&publisher, "daily"), of(&[("2018-01-02", &["Stays", "Ferry sinks"])]));
    assert!(document(&publisher, "all/daily.atom").contains("ferry0"));
    let restricted = |text: &str| {
        bed::config(&format!(
            "[site]\ntitle = \"Test\"\n{text}[[feed]]\nid = \"wire\"\nurl = \"https://wire.example/feed\"\n\
             [[feed]]\nid = \"other\"\nurl = \"https://other.example/feed\"\n{DAILY}"
        ))
    };
    let origin = "[[feed]]\nid = \"origin\"\nurl = \"https://origin.example/feed\"\nrepublish = \"link\"\n";
    bed.follow(restricted(origin)).await;
    let publisher = published(&mut bed, after(2) + HOUR).await;
    assert_eq!(digests(&publisher, "daily"), of(&[("2018-01-02", &["Stays", "Ferry sinks"])]));
    let text = document(&publisher, "all/daily.atom");
    assert!(!text.contains("ferry0") && text.contains("Read it at origin.example."), "{text}");
    bed.follow(restricted("")).await;
    let publisher = published(&mut bed, after(2) + HOUR * 2).await;
    assert_eq!(digests(&publisher, "daily"), of(&[("2018-01-02", &["Stays"])]));
}

#[tokio::test]
async fn after_downtime_there_is_one_digest_for_each_day_that_had_stories() {
    let mut bed = begun(three_feeds(DAILY)).await;
    bed.poll_at(
        start() + DAY * 4,
        "wire",
        &[bridge(), entry("https://wire.example/5", "Fifth day", &own_words("fifth"))],
    )
    .await;
    let publisher = published(&mut bed, start() + DAY * 400).await;
    let expected = of(&[("2018-01-05", &["Fifth day"]), ("2018-01-02", &["Ferry sinks"])]);
    assert_eq!(digests(&publisher, "daily"), expected);
    publish(&bed, &publisher).await;
    assert_eq!(digests(&publisher, "daily"), expected);
}

#[tokio::test]
async fn clock_that_was_ahead_leaves_no_early_digest_and_doubles_none() {
    let mut bed = begun(three_feeds(DAILY)).await;
    // On 2 January, the clock shows the next year for a moment.
    let ahead = published(&mut bed, start() + DAY * 365).await;
    assert_eq!(digests(&ahead, "daily"), of(&[("2018-01-02", &["Ferry sinks"])]));
    let back = start() + DAY + HOUR * 8;
    let publisher = published(&mut bed, back).await;
    assert_eq!(digests(&publisher, "daily"), of(&[]), "the day has not ended");
    bed.poll_at(back + HOUR, "wire", &[bridge(), entry("https://wire.example/2", "Evening", &own_words("evening"))])
        .await;
    let publisher = published(&mut bed, after(2)).await;
    assert_eq!(digests(&publisher, "daily"), of(&[("2018-01-02", &["Evening", "Ferry sinks"])]));
    // The clock is set back over the end, and reaches it again.
    let before = document(&publisher, "all/daily.atom");
    published(&mut bed, after(2) - HOUR).await;
    let publisher = published(&mut bed, after(2)).await;
    assert_eq!(document(&publisher, "all/daily.atom"), before);
    assert_eq!(digests(&published(&mut bed, after(5)).await, "daily").len(), 1);
}

#[tokio::test]
async fn section_that_becomes_private_takes_its_digests_along() {
    let mut bed = begun(three_feeds(DAILY)).await;
    let publisher = published(&mut bed, after(2)).await;
    assert_eq!(edition(&publisher, "all/daily.atom").private, None);
    bed.follow(three_feeds(&format!("{DAILY}\ntoken = \"a-long-enough-token\""))).await;
    publish(&bed, &publisher).await;
    for path in ["all/daily.atom", "all/daily.rss", "all/daily.json", "all/daily/"] {
        assert_eq!(edition(&publisher, path).private, Some("all".into()), "{path}");
    }
    assert_eq!(digests(&publisher, "daily"), of(&[("2018-01-02", &["Ferry sinks"])]));
    let folder = tempfile::tempdir().unwrap();
    publisher.write_folder(&bed.config, folder.path()).await.unwrap();
    assert!(!folder.path().join("all").exists());
}

#[tokio::test]
async fn section_that_comes_back_keeps_its_digests_and_gets_none_for_the_time_between() {
    let mut bed = begun(three_feeds(DAILY)).await;
    published(&mut bed, after(2)).await;
    bed.follow(three_feeds(bed::ALL.replace("all", "another").as_str())).await;
    let publisher = published(&mut bed, after(3)).await;
    assert!(publisher.current().edition("all/daily.atom").is_none());
    bed.poll_at(
        after(3) + HOUR,
        "wire",
        &[bridge(), entry("https://wire.example/2", "Between", &own_words("between"))],
    )
    .await;
    bed.now = after(6) + HOUR;
    bed.follow(three_feeds(DAILY)).await;
    let publisher = published(&mut bed, after(6) + HOUR).await;
    let expected = of(&[("2018-01-02", &["Ferry sinks"])]);
    assert_eq!(digests(&publisher, "daily"), expected);
    assert_eq!(digests(&published(&mut bed, after(7)).await, "daily"), expected, "the day of its return was not whole");
    bed.poll_at(
        after(7) + HOUR,
        "origin",
        &[ferry(), entry("https://origin.example/8", "Eighth", &own_words("eighth"))],
    )
    .await;
    let expected = of(&[("2018-01-08", &["Eighth"]), ("2018-01-02", &["Ferry sinks"])]);
    assert_eq!(digests(&published(&mut bed, after(8)).await, "daily"), expected);
}

#[tokio::test]
async fn digests_that_were_switched_off_and_on_begin_again_with_a_whole_day() {
    let mut bed = begun(three_feeds(DAILY)).await;
    published(&mut bed, after(2)).await;
    bed.follow(three_feeds(bed::ALL)).await;
    let publisher = published(&mut bed, after(2) + HOUR).await;
    assert!(publisher.current().edition("all/daily.atom").is_none());
    bed.poll_at(after(3), "wire", &[bridge(), entry("https://wire.example/2", "Off", &own_words("off"))]).await;
    bed.now = after(4);
    bed.follow(three_feeds(DAILY)).await;
    let publisher = published(&mut bed, after(4)).await;
    assert_eq!(digests(&publisher, "daily"), of(&[("2018-01-02", &["Ferry sinks"])]));
    assert_eq!(digests(&published(&mut bed, after(9)).await, "daily").len(), 1);
}

#[tokio::test]
async fn program_that_is_killed_after_a_digest_was_made_publishes_it_once() {
    let bed = begun(three_feeds(DAILY)).await;
    let (config, section) = (bed.config.clone(), bed.config.sections[0].clone());
    commit::make_digests(&bed.store, &config, &section, after(2)).await.unwrap();
    let mut bed = bed.reopen().await;
    let publisher = published(&mut bed, after(2) + HOUR).await;
    assert_eq!(digests(&publisher, "daily"), of(&[("2018-01-02", &["Ferry sinks"])]));
    commit::make_digests(&bed.store, &config, &section, after(2)).await.unwrap();
    publish(&bed, &publisher).await;
    assert_eq!(digests(&publisher, "daily"), of(&[("2018-01-02", &["Ferry sinks"])]));
}

#[tokio::test]
async fn large_digest_names_the_newest_stories_and_says_how_many_more_there_are() {
    let mut bed = begun(three_feeds(DAILY)).await;
    let entries: Vec<_> = (0..60)
        .map(|n| {
            entry(&format!("https://wire.example/{n}"), &format!("Report number {n}"), &own_words(&format!("w{n}x")))
        })
        .collect();
    for (at, batch) in entries.chunks(20).enumerate() {
        bed.poll_at(start() + DAY * 2 + HOUR * (at as u32 + 1), "wire", batch).await;
    }
    let publisher = published(&mut bed, after(3)).await;
    let made = digests(&publisher, "daily");
    assert_eq!((made[0].0.as_str(), made[0].1.len()), ("2018-01-03", 50));
    let listed =
        |range: std::ops::Range<u32>| range.filter(|n| made[0].1.contains(&format!("Report number {n}"))).count();
    assert_eq!((listed(20..60), listed(0..20)), (40, 10), "the newest: {made:?}");
    let html = document(&publisher, "all/daily.json");
    assert!(html.contains("And 10 stories more in <a href") && html.contains("60 stories: "), "{html}");
    assert!(edition(&publisher, "all/daily/").identity.len() < 60_000);
}

#[tokio::test]
async fn digests_of_huge_texts_stay_small() {
    let mut bed = begun(three_feeds(DAILY)).await;
    let title = |n: usize| format!("{n} {}", "<&> ".repeat(2000));
    for n in 0..40 {
        let mut large = entry(&format!("https://wire.example/{n}"), &title(n), &own_words(&format!("w{n}x")));
        large.summary_html = Some(format!("<p>{}</p>", "&lt;&amp;&gt; ".repeat(5000)));
        large.rights = Some("&".repeat(5000));
        bed.poll_at(start() + DAY * 2 + HOUR / 60 * (n as u32 + 1), "wire", &[large]).await;
    }
    let publisher = published(&mut bed, after(3)).await;
    let bytes = edition(&publisher, "all/daily.atom").identity.len();
    assert!(bytes < 200_000, "{bytes}");
    assert!(document(&publisher, "all/daily.json").contains("more in <a href"));
}

#[tokio::test]
async fn text_that_retention_deletes_leaves_the_digests_too() {
    let mut bed = begun(three_feeds(DAILY)).await;
    bed.follow(bed::config(&format!(
        "[site]\ntitle = \"Test\"\n[store]\nkeep = \"1 day\"\n[[feed]]\nid = \"origin\"\nurl = \"https://origin.example/feed\"\n{DAILY}"
    )))
    .await;
    let publisher = published(&mut bed, after(2)).await;
    assert_eq!(digests(&publisher, "daily"), of(&[("2018-01-02", &["Ferry sinks"])]));
    bed.poll_at(after(3), "origin", &[entry("https://origin.example/2", "Other", &own_words("other"))]).await;
    while commit::retain_batch(&bed.store, bed.config.clone(), after(5)).await.unwrap().0 > 0 {}
    let publisher = published(&mut bed, after(5)).await;
    assert_eq!(digests(&publisher, "daily"), of(&[("2018-01-04", &["Other"])]));
    let path = bed.folder.path().join("newswire.db");
    let made: i64 = sql::open(path)
        .query_row("SELECT count(*) FROM digest WHERE day = '2018-01-02'", [], |row| row.get(0))
        .unwrap();
    assert_eq!(made, 1, "the day stays known, so its digest is not made again");
}
