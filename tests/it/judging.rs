//! Judging (deciding which stories are in a section) after a section's definition changed. It runs in batches while
//! polls go on. A section is published when all stories that it shows are judged.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use newswire::commit::{self, ActiveConfig};
use newswire::config::Config;
use newswire::entry::{Category, Entry};
use newswire::publish::{Published, Publisher};
use newswire::render::Pages;
use newswire::store::{Reader, Store};
use newswire::time::Timestamp;
use newswire::trial;

use crate::histories::world::Random;
use crate::support::bed::{Bed, HOUR, config, entry, polled, start};
use crate::support::sql;

const FEEDS: [&str; 4] = ["one", "two", "three", "four"];

/// The number of entries of each feed. All feeds together have more entries than a batch.
const ENTRIES: usize = 130;

/// The tables whose rows are compared.
const TABLES: [&str; 9] =
    ["placement", "story", "kept_id", "section", "feed", "entry", "public_waiting", "judging", "judging_feed"];

/// Returns entries of a feed. Some of them are copies of entries of the previous feed.
fn entries(feed: usize) -> Vec<Entry> {
    let item = |at: usize| {
        let name = FEEDS[feed];
        let mut item = entry(&format!("https://{name}.example/{at}"), &format!("Item {at} of {name}"), "text");
        item.published = Some(start() - HOUR * ((at * 7 + feed * 3) % 700) as u32);
        let term = ["region:north", "region:south", "topic:town"][at % 3];
        item.categories = vec![Category { term: term.to_owned(), ..Category::default() }];
        if feed > 0 && at.is_multiple_of(10) {
            item.original = format!("https://{}.example/{at}", FEEDS[feed - 1]).parse().ok();
        }
        item
    };
    (0..ENTRIES).map(item).collect()
}

/// Returns a config with these feeds and sections.
fn with(feeds: &str, sections: &str) -> Arc<Config> {
    config(&format!("[site]\ntitle = \"Test\"\nfacets = [\"region\", \"topic\"]\n{feeds}{sections}"))
}

fn feed(name: &str, keys: &str) -> String {
    format!("[[feed]]\nid = \"{name}\"\nurl = \"https://{name}.example/feed\"\n{keys}\n")
}

fn all_feeds() -> String {
    FEEDS.iter().map(|name| feed(name, "")).collect()
}

fn section(keys: &str) -> String {
    format!("[[section]]\nid = \"all\"\nfeeds = [\"*\"]\n{keys}\n")
}

/// Returns a random config.
fn random_config(random: &mut Random) -> Arc<Config> {
    let without = random.is_one_in(3).then(|| *random.pick(&FEEDS[1..]));
    let mut feeds = String::new();
    for name in FEEDS.into_iter().filter(|name| without != Some(name)) {
        let priority = random.below(3);
        let tags = if random.is_one_in(3) { "tags = [\"near\"]\n" } else { "" };
        feeds += &feed(name, &format!("priority = {priority}\n{tags}"));
    }
    let rules = [
        "",
        "keep = [ { category = \"region:north\" } ]\n",
        "drop = [ { title = \"7\" } ]\n",
        "keep = [ { age = \"<20 days\" } ]\nedits = \"ignore\"\n",
        "max_age = \"15 days\"\nedits = \"bump\"\n",
        "keep = [ { tag = \"near\" } ]\n",
    ];
    let mut sections = String::new();
    for name in ["a", "b", "c"] {
        if random.is_one_in(8) {
            continue;
        }
        let rule = if name == "a" && !random.is_one_in(3) { "" } else { random.pick(&rules) };
        let token = if name == "c" && random.is_one_in(2) { "token = \"only for this test\"\n" } else { "" };
        sections += &format!("[[section]]\nid = \"{name}\"\nfeeds = [\"*\"]\n{rule}{token}");
    }
    with(&feeds, &sections)
}

/// Returns a [`Bed`], whose feeds have been polled.
async fn filled(config: Arc<Config>) -> Bed {
    let mut bed = Bed::new(config).await;
    for (at, name) in FEEDS.iter().enumerate() {
        bed.poll(name, &entries(at)).await;
    }
    bed
}

/// Returns all rows of [`TABLES`] as text.
fn rows(folder: &Path) -> Vec<String> {
    let store = sql::open(folder.join("newswire.db"));
    let mut rows = Vec::new();
    for table in TABLES {
        let mut statement = store
            .prepare(&format!("SELECT * FROM {table} ORDER BY 1, 2"))
            .unwrap_or_else(|_| store.prepare(&format!("SELECT * FROM {table} ORDER BY 1")).unwrap());
        let count = statement.column_count();
        let found =
            statement.query_map([], |row| (0..count).map(|at| row.get(at)).collect::<Result<Vec<sql::Value>, _>>());
        rows.extend(found.unwrap().map(|row| format!("{table} {:?}", row.unwrap())));
    }
    rows
}

fn assert_same(one: &[String], other: &[String], what: &str) {
    let different = one.iter().zip(other).find(|(one, other)| one != other);
    assert!(one == other, "{what}: {} and {} rows; {different:#?}", one.len(), other.len());
}

/// Copies a store into a folder of its own.
fn copy_of(folder: &Path) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    std::fs::copy(folder.join("newswire.db"), copy.path().join("newswire.db")).unwrap();
    copy
}

fn open(folder: &Path) -> Store {
    Store::open(&folder.join("newswire.db"), "a test").unwrap()
}

/// Creates a store with all entries and closes it. Returns its folder and the time.
async fn base() -> (tempfile::TempDir, Timestamp) {
    let Bed { folder, store, now, .. } = filled(with(&all_feeds(), &section(""))).await;
    drop(store);
    (folder, now)
}

#[tokio::test]
async fn judging_that_is_killed_between_batches_has_the_same_result() {
    let (base, mut now) = base().await;
    let (whole, killed) = (copy_of(base.path()), copy_of(base.path()));
    let mut random = Random(11);
    for edit in 0..12 {
        let config = random_config(&mut random);
        now = now + HOUR * random.below(80) as u32;
        let late = vec![entry(&format!("https://one.example/late-{edit}"), &format!("Late {edit}"), "text")];

        let store = open(whole.path());
        commit::sync(&store, config.clone(), now).await.unwrap();
        commit::apply(&store, config.clone(), polled("one", now, &late)).await.unwrap();
        drop(store);

        let mut store = open(killed.path());
        let active = ActiveConfig::new(config.clone());
        active.follow(&store, config.clone(), now).await.unwrap();
        let mut batches = 0;
        while commit::judge_batch(&store, active.clone(), now).await.unwrap().is_some() {
            batches += 1;
            if batches == 2 {
                commit::apply(&store, active.clone(), polled("one", now, &late)).await.unwrap();
            }
            if random.is_one_in(2) {
                drop(store);
                store = open(killed.path());
                active.follow(&store, config.clone(), now).await.unwrap();
            }
        }
        if batches < 2 {
            commit::apply(&store, active.clone(), polled("one", now, &late)).await.unwrap();
        }
        commit::sync(&store, config.clone(), now).await.unwrap();
        commit::sweep(&store, config.clone(), now).await.unwrap();
        drop(store);
        let store = open(whole.path());
        commit::sweep(&store, config.clone(), now).await.unwrap();
        drop(store);
        assert_same(&rows(whole.path()), &rows(killed.path()), &format!("edit {edit}"));
    }
}

#[tokio::test]
async fn judging_only_the_changed_feeds_has_the_same_result_as_judging_all() {
    let (base, mut now) = base().await;
    let (whole, partly) = (copy_of(base.path()), copy_of(base.path()));
    let mut random = Random(5);
    for edit in 0..16 {
        let config = random_config(&mut random);
        now = now + HOUR * random.below(80) as u32;
        for (folder, is_whole) in [(&whole, true), (&partly, false)] {
            if is_whole {
                // Removes values that stores of older versions lack. Without them, all stories are judged.
                let store = sql::open(folder.path().join("newswire.db"));
                store.execute("UPDATE section SET feeds = NULL, stale = NULL", []).unwrap();
            }
            let store = open(folder.path());
            commit::sync(&store, config.clone(), now).await.unwrap();
            drop(store);
        }
        let no_parts = |rows: Vec<String>| rows.into_iter().filter(|row| !row.starts_with("section ")).collect();
        let (whole, partly): (Vec<_>, Vec<_>) = (no_parts(rows(whole.path())), no_parts(rows(partly.path())));
        assert_same(&whole, &partly, &format!("edit {edit}"));
    }
}

/// Asserts that judging all stories by this config would change no section.
fn assert_judged(folder: &Path, config: &Config, now: Timestamp) {
    let trial = trial::run(config, &Reader::open(&folder.join("newswire.db")).unwrap(), None, now).unwrap();
    for section in trial.sections {
        assert!(section.enter.is_empty() && section.leave.is_empty(), "{section:?}");
    }
}

#[tokio::test]
async fn edit_while_a_section_is_judged_restarts_judging_with_the_newest_definition() {
    let rules =
        ["keep = [ { category = \"region:north\" } ]", "drop = [ { title = \"7\" } ]", "", "max_age = \"9 days\""];
    for (first, second) in [(0, 1), (0, 2), (1, 0), (3, 0)] {
        let bed = filled(with(&all_feeds(), &section(""))).await;
        let active = ActiveConfig::new(bed.config.clone());
        let [first, second] = [first, second].map(|rule| with(&all_feeds(), &section(rules[rule])));
        active.follow(&bed.store, first.clone(), bed.now).await.unwrap();
        commit::judge_batch(&bed.store, active.clone(), bed.now).await.unwrap().unwrap();
        active.follow(&bed.store, second.clone(), bed.now).await.unwrap();
        let rows = bed.store.read(|reader| reader.judging()).await.unwrap();
        assert_eq!((rows.len(), rows[0].cursor.0), (1, Timestamp::MAX));
        commit::judge_all(&bed.store, active, bed.now).await.unwrap();
        assert_judged(bed.folder.path(), &second, bed.now);
    }
}

#[tokio::test]
async fn one_batch_judges_a_few_hundred_of_the_newest_stories() {
    let bed = filled(with(&all_feeds(), &section(""))).await;
    let active = ActiveConfig::new(bed.config.clone());
    let none = with(&all_feeds(), &section("keep = [ { title = \"nothing\" } ]"));
    active.follow(&bed.store, none, bed.now).await.unwrap();
    let left = |bed: &Bed| {
        let store = sql::open(bed.folder.path().join("newswire.db"));
        let sql = "SELECT count(left_at), min(sort_at) FILTER (WHERE left_at IS NOT NULL),
                     max(sort_at) FILTER (WHERE left_at IS NULL) FROM placement";
        let read = |row: &sql::Row| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
        store.query_row(sql, [], read).unwrap()
    };
    let before: (i64, Option<i64>, Option<i64>) = left(&bed);
    assert_eq!(before.0, 0, "the reload itself judges nothing");
    commit::judge_batch(&bed.store, active.clone(), bed.now).await.unwrap().unwrap();
    let (count, oldest_judged, newest_left) = left(&bed);
    assert!((100..=500).contains(&count), "{count}");
    assert!(oldest_judged >= newest_left, "{oldest_judged:?} {newest_left:?}");
}

fn publisher(bed: &Bed) -> Publisher {
    Publisher::new(bed.store.clone(), Pages::new(&[]).unwrap())
}

async fn publish(publisher: &Publisher, bed: &Bed, config: &Arc<Config>) -> Published {
    let sections = config.sections.iter().map(|section| section.id.clone()).collect::<BTreeSet<_>>();
    let published = publisher.publish(config, &sections, bed.now).await.unwrap();
    assert!(published.errors.is_empty(), "{:?}", published.errors);
    published
}

fn edition(publisher: &Publisher, path: &str) -> Option<String> {
    let current = publisher.current();
    current.edition(path).map(|edition| String::from_utf8(edition.identity.to_vec()).unwrap())
}

fn stories(edition: &str) -> serde_json::Value {
    serde_json::from_str::<serde_json::Value>(edition).unwrap()["items"].clone()
}

/// Returns the number of the newest archive document of the section `new`, if it has one.
async fn archives(bed: &Bed) -> Option<u32> {
    bed.store.read(|reader| reader.newest_archive(&"new".into())).await.unwrap()
}

#[tokio::test]
async fn section_is_published_when_its_shown_stories_are_judged_and_archived_when_all_are() {
    let mut bed = filled(with(&all_feeds(), &section("limit = 10"))).await;
    let publisher = publisher(&bed);
    let before = bed.config.clone();
    publish(&publisher, &bed, &before).await;
    let first = edition(&publisher, "all.json").unwrap();

    let new = "[[section]]\nid = \"new\"\nfeeds = [\"*\"]\nlimit = 10\n";
    let after =
        with(&all_feeds(), &format!("{}{new}", section("limit = 10\ndrop = [ { category = \"topic:town\" } ]")));
    let active = ActiveConfig::new(before);
    active.follow(&bed.store, after.clone(), bed.now).await.unwrap();
    bed.config = after.clone();
    let published = publish(&publisher, &bed, &after).await;
    assert_eq!(published.unfinished.len(), 2);
    assert_eq!(edition(&publisher, "all.json").as_ref(), Some(&first), "the last edition stays");
    assert_eq!(edition(&publisher, "new.json"), None);

    for _ in 0..2 {
        commit::judge_batch(&bed.store, active.clone(), bed.now).await.unwrap().unwrap();
    }
    assert_eq!(bed.store.read(|reader| reader.judging()).await.unwrap().len(), 2, "older stories are not judged yet");
    let published = publish(&publisher, &bed, &after).await;
    assert!(published.unfinished.is_empty());
    let (all, new) = (edition(&publisher, "all.json").unwrap(), edition(&publisher, "new.json").unwrap());
    assert_eq!(archives(&bed).await, None, "nothing is archived while older stories may still enter");
    commit::judge_all(&bed.store, active, bed.now).await.unwrap();
    publish(&publisher, &bed, &after).await;
    let last = (edition(&publisher, "all.json").unwrap(), edition(&publisher, "new.json").unwrap());
    assert_eq!((stories(&all), stories(&new)), (stories(&last.0), stories(&last.1)), "older stories change nothing");
    assert_ne!(stories(&first), stories(&all));
    assert!(archives(&bed).await.is_some());
}

#[tokio::test]
async fn section_that_shows_few_stories_waits_until_all_are_judged() {
    let bed = filled(with(&all_feeds(), &section(""))).await;
    let publisher = publisher(&bed);
    let active = ActiveConfig::new(bed.config.clone());
    let rare = with(&all_feeds(), &section("keep = [ { title = \"Item 129\" } ]"));
    active.follow(&bed.store, rare.clone(), bed.now).await.unwrap();
    let mut passes = 0;
    while commit::judge_batch(&bed.store, active.clone(), bed.now).await.unwrap().is_some_and(|batch| !batch.is_done) {
        passes += 1;
        assert_eq!(publish(&publisher, &bed, &rare).await.unfinished.len(), 1);
        assert_eq!(edition(&publisher, "all.json"), None);
    }
    assert!(passes >= 1);
    assert!(publish(&publisher, &bed, &rare).await.unfinished.is_empty());
    assert_eq!(stories(&edition(&publisher, "all.json").unwrap()).as_array().unwrap().len(), 4);
}

#[tokio::test]
async fn files_of_a_section_that_is_still_judged_stay_in_the_folder_after_a_restart() {
    let bed = filled(with(&all_feeds(), &section(""))).await;
    let folder = bed.folder.path().join("site");
    let before = publisher(&bed);
    publish(&before, &bed, &bed.config).await;
    before.write_folder(&bed.config, &folder).await.unwrap();
    let file = folder.join("all.atom");
    let first = std::fs::read(&file).unwrap();

    let active = ActiveConfig::new(bed.config.clone());
    let rare = with(&all_feeds(), &section("keep = [ { title = \"Item 129\" } ]"));
    active.follow(&bed.store, rare.clone(), bed.now).await.unwrap();
    let after = publisher(&bed);
    publish(&after, &bed, &rare).await;
    after.write_folder(&rare, &folder).await.unwrap();
    assert_eq!(std::fs::read(&file).unwrap(), first);
    commit::judge_all(&bed.store, active, bed.now).await.unwrap();
    publish(&after, &bed, &rare).await;
    after.write_folder(&rare, &folder).await.unwrap();
    assert_ne!(std::fs::read(&file).unwrap(), first);
}

/// Makes the store record each row of these tables that is inserted, updated or deleted.
fn count_writes(folder: &Path) {
    let store = sql::open(folder.join("newswire.db"));
    store.execute_batch("CREATE TABLE written (what TEXT NOT NULL)").unwrap();
    for table in ["feed", "section", "placement", "entry", "public_waiting", "judging", "judging_feed", "marking_feed"]
    {
        for verb in ["INSERT", "UPDATE", "DELETE"] {
            let sql = format!(
                "CREATE TRIGGER {table}_{verb} AFTER {verb} ON {table} BEGIN INSERT INTO written VALUES ('{verb} {table}'); END"
            );
            store.execute_batch(&sql).unwrap();
        }
    }
}

/// Returns the recorded writes since the last call, in order: the verb and the table.
fn written(folder: &Path) -> Vec<String> {
    let store = sql::open(folder.join("newswire.db"));
    let mut statement = store.prepare("DELETE FROM written RETURNING what").unwrap();
    statement.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
}

#[tokio::test]
async fn adding_a_feed_to_two_thousand_writes_a_few_rows_and_judges_no_other_feed() {
    let many: String = (0..2000).map(|at| feed(&format!("f{at}"), "")).collect();
    let sections = format!("{}[[section]]\nid = \"two\"\nfeeds = [\"two\"]\n", section("limit = 10"));
    let feeds = format!("{}{many}", all_feeds());
    let mut bed = filled(with(&feeds, &sections)).await;
    count_writes(bed.folder.path());
    bed.follow(with(&feeds, &sections)).await;
    assert_eq!(written(bed.folder.path()), [""; 0], "the same config writes nothing");

    let added = format!("{feeds}{}", feed("added", "tags = [\"near\"]"));
    let difference = bed.follow(with(&added, &sections)).await;
    assert_eq!(difference.feeds_added.len(), 1);
    let rows = written(bed.folder.path());
    assert!(rows.len() < 20, "{rows:?}");
    let touched = rows.iter().filter(|row| row.ends_with(" placement") || row.ends_with(" feed"));
    assert_eq!(touched.collect::<Vec<_>>(), ["INSERT feed"], "{rows:?}");

    // Only the stories of the removed feed are judged.
    let removed = added.replace(&feed("one", ""), "");
    bed.follow(with(&removed, &sections)).await;
    let rows = written(bed.folder.path());
    let placements = rows.iter().filter(|row| row.ends_with(" placement")).count();
    assert!((ENTRIES / 2..=ENTRIES).contains(&placements), "{placements}");
    assert_judged(bed.folder.path(), &bed.config, bed.now);
}
