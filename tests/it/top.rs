//! The ranking of a section (`top`): its order, its documents, who may read them, and when they change.

use crate::samples::outside;
use crate::samples::rules;
use crate::samples::schema;
use crate::support;
use crate::support::bed;

use std::collections::BTreeSet;
use std::sync::Arc;

use bed::{Bed, HOUR, entry, own_words, start, three_feeds};
use newswire::config::Config;
use newswire::feed::SectionId;
use newswire::publish::{Edition, Publisher};
use newswire::render::Pages;
use outside::outside;
use serde_json::Value;
use support::daemon::*;

fn site(keys: &str) -> Arc<Config> {
    three_feeds(&format!("[[section]]\nid = \"all\"\ntitle = \"All\"\nfeeds = [\"*\"]\ntop = \"24 hours\"\n{keys}"))
}

fn publisher(bed: &Bed) -> Publisher {
    Publisher::new(bed.store.clone(), Pages::new(&[]).unwrap())
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

fn titles(publisher: &Publisher) -> Vec<String> {
    let items = json(publisher, "all/top.json")["items"].as_array().unwrap().clone();
    items.iter().map(|item| item["title"].as_str().unwrap().to_owned()).collect()
}

/// Returns a bed with three stories, an hour apart. Two feeds have the first one.
async fn three_stories(config: Arc<Config>) -> Bed {
    let mut bed = Bed::new(config).await;
    let bridge = own_words("bridge");
    let by_origin = entry("https://origin.example/bridge", "Bridge opens to traffic", &bridge);
    let by_wire = entry("https://wire.example/7", "Bridge opens to traffic", &bridge);
    let ferry = entry("https://other.example/ferry", "Ferry sinks", &own_words("ferry"));
    let tide = entry("https://other.example/tide", "Tide is late", &own_words("tide"));
    bed.poll("origin", &[by_origin]).await;
    bed.poll("wire", &[by_wire]).await;
    bed.poll("other", std::slice::from_ref(&ferry)).await;
    bed.poll("other", &[tide, ferry]).await;
    bed
}

#[tokio::test]
async fn story_that_more_sites_report_ranks_above_newer_ones() {
    let bed = three_stories(site("")).await;
    let publisher = publisher(&bed);
    publish(&bed, &publisher).await;
    assert_eq!(bed.titles("all").await, ["Tide is late", "Ferry sinks", "Bridge opens to traffic"]);
    assert_eq!(titles(&publisher), ["Bridge opens to traffic", "Tide is late", "Ferry sinks"]);
    let page = document(&publisher, "all/top/");
    let at = |words: &str| page.find(words).unwrap_or_else(|| panic!("{words}\n{page}"));
    assert!(at("The last day") < at("Bridge opens") && at("Bridge opens") < at("Tide is late"), "{page}");
}

#[tokio::test]
async fn documents_of_a_ranking_are_valid_and_have_their_own_id_and_address() {
    let bed = three_stories(site("")).await;
    let publisher = publisher(&bed);
    publish(&bed, &publisher).await;
    let section = json(&publisher, "all.json");
    let top = json(&publisher, "all/top.json");
    let base = bed.config.site.url.as_str();
    assert_eq!(top["feed_url"], format!("{base}all/top.json"));
    assert_eq!(top["home_page_url"], format!("{base}all/top/"));
    assert_eq!(top["title"], "All: top stories");
    assert_eq!(top["_newswire"]["id"], format!("{}/top", section["_newswire"]["id"].as_str().unwrap()));
    assert_eq!(top["items"][0]["id"], section["items"][2]["id"], "a story has one id everywhere");
    let known: Value = serde_json::from_str(include_str!("../fixtures/json_feed.schema.json")).unwrap();
    assert_eq!(schema::faults(&known, &known, &top, "feed"), Vec::<String>::new());

    let folder = tempfile::tempdir().unwrap();
    let mut files = Vec::new();
    for format in ["atom", "rss"] {
        let written = document(&publisher, &format!("all/top.{format}"));
        assert!(written.contains(&format!("{base}all/top.{format}\"")), "{written}");
        assert_eq!(rules::faults(written.as_bytes()), Vec::<String>::new());
        files.push(folder.path().join(format!("top.{format}")));
        std::fs::write(files.last().unwrap(), written).unwrap();
    }
    outside("xmllint", &["--noout", "--nonet"], &files);
    files.truncate(1);
    outside("jing", &["-c", concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/atom.rnc")], &files);
}

#[tokio::test]
async fn ranking_changes_only_when_its_stories_do() {
    let mut bed = three_stories(site("")).await;
    let publisher = publisher(&bed);
    publish(&bed, &publisher).await;
    let first = edition(&publisher, "all/top.atom");
    // The first story is from the first hour. A day later, it is too old.
    let end = start() + HOUR * 25;
    assert_eq!(publisher.aged(end - HOUR), BTreeSet::new());
    assert_eq!(publisher.aged(end), BTreeSet::from([SectionId::from("all")]));
    bed.now = end - HOUR;
    publish(&bed, &publisher).await;
    assert!(Arc::ptr_eq(&first, &edition(&publisher, "all/top.atom")), "time alone changes no byte");
    bed.now = end;
    publish(&bed, &publisher).await;
    assert_eq!(titles(&publisher), ["Tide is late", "Ferry sinks"]);
    assert_eq!(bed.titles("all").await.len(), 3, "the section keeps it");
    bed.now = start() + HOUR * 240;
    publish(&bed, &publisher).await;
    assert_eq!(titles(&publisher), Vec::<String>::new());
    assert_eq!(publisher.aged(bed.now + HOUR * 1000), BTreeSet::new());
    assert!(document(&publisher, "all/top/").contains("No story is that new."));
    bed.now = start();
    publish(&bed, &publisher).await;
    assert_eq!(titles(&publisher).len(), 3, "a clock that was set back shows them again");
}

#[tokio::test]
async fn ranking_obeys_the_limits_of_its_section_and_of_republish() {
    let text = "[[feed]]\nid = \"secretive\"\nurl = \"https://secretive.example/feed\"\nrepublish = \"link\"\n";
    let mut bed = three_stories(three_feeds(&format!(
        "{text}[[section]]\nid = \"all\"\nfeeds = [\"*\"]\ntop = \"2 days\"\nlimit = 2\nper_feed = 1"
    )))
    .await;
    let secret = entry("https://secretive.example/1", "Only a headline", &own_words("canary"));
    bed.poll("secretive", &[secret]).await;
    let publisher = publisher(&bed);
    publish(&bed, &publisher).await;
    assert_eq!(titles(&publisher), ["Bridge opens to traffic", "Only a headline"]);
    for path in ["all/top.atom", "all/top.rss", "all/top.json", "all/top/"] {
        assert!(!document(&publisher, path).contains("canary"), "{path}");
    }
}

#[tokio::test]
async fn section_links_to_its_ranking_and_a_section_without_one_has_none() {
    let bed = three_stories(three_feeds(
        "[[section]]\nid = \"all\"\nfeeds = [\"*\"]\ntop = \"24 hours\"\n[[section]]\nid = \"plain\"\nfeeds = [\"*\"]",
    ))
    .await;
    let publisher = publisher(&bed);
    publish(&bed, &publisher).await;
    let page = document(&publisher, "all/");
    for link in ["<a href=\"/all/top/\">Top stories</a>", "all/top.atom\" title=\"All: top stories (Atom)\""] {
        assert!(page.contains(link), "{link}\n{page}");
    }
    assert!(document(&publisher, "all/top/").contains("<link rel=\"alternate\" type=\"application/rss+xml\""));
    assert!(!document(&publisher, "plain/").contains("/top"));
    assert!(publisher.current().edition("plain/top.atom").is_none());
}

const SECTIONS: &str = "[[feed]]\nid = \"a\"\nurl = \"file:a.xml\"\n\
    [[section]]\nid = \"all\"\nfeeds = [\"*\"]\ntop = \"24 hours\"\nformerly = [\"old\"]\n\
    [[section]]\nid = \"inner\"\nfeeds = [\"*\"]\ntop = \"24 hours\"\ntoken = \"a-long-enough-token\"\n\
    [[section]]\nid = \"plain\"\nfeeds = [\"*\"]\n";

fn workspace() -> Workspace {
    let workspace = Workspace::new(SECTIONS);
    workspace.write("a.xml", &rss(&[("1", "Ferries are late", "Words.")]));
    workspace
}

#[test]
fn ranking_is_served_with_validators_and_the_privacy_of_its_section() {
    let workspace = workspace();
    let daemon = Daemon::start(&workspace);
    daemon.get_until("/all/top.atom", "Ferries");
    for path in ["/all/top.rss", "/all/top.json", "/all/top/"] {
        let answer = daemon.get(path);
        assert_eq!(answer.status, 200, "{path}");
        let tag = answer.header("etag").unwrap().to_owned();
        assert!(answer.header("last-modified").is_some(), "{path}");
        assert_eq!(request(&daemon.site, "GET", path, &[("If-None-Match", &tag)]).status, 304, "{path}");
    }
    assert_eq!(daemon.get("/all/top").header("location"), Some("/all/top/"));
    assert_eq!(daemon.get("/old/top.atom").header("location"), Some("/all/top.atom"));
    for path in ["/inner/top.atom", "/inner/top/", "/inner/top", "/inner/top.json"] {
        assert_eq!(daemon.get(path).status, 401, "{path}");
    }
    let opened = daemon.get("/inner/top.atom?token=a-long-enough-token");
    assert_eq!(opened.status, 200);
    assert!(opened.header("cache-control").unwrap().starts_with("private"), "{:?}", opened.headers);
    for path in ["/plain/top.atom", "/plain/top/", "/all/top.opml", "/all/tops/", "/top/"] {
        assert_eq!(daemon.get(path).status, 404, "{path}");
    }
}

#[test]
fn folder_has_the_rankings_of_public_sections() {
    let workspace = workspace();
    workspace.run(&["poll", "--force"]);
    let done = workspace.run(&["publish", "--out", "site"]);
    assert_eq!(done.code, 0, "{}", done.err);
    for file in ["all/top.atom", "all/top.rss", "all/top.json", "all/top/index.html", "old/top.atom"] {
        assert!(workspace.read(&format!("site/{file}")).contains("top"), "{file}");
    }
    assert!(workspace.read("site/old/top/index.html").contains("all/top/"));
    assert!(!workspace.path("site/inner").exists());
    workspace.edit(&SECTIONS.replace("top = \"24 hours\"\n", ""));
    workspace.run(&["publish", "--out", "site"]);
    assert!(!workspace.path("site/all/top.atom").exists(), "a ranking that was switched off is removed");
}
