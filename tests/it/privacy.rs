//! Nothing of a private feed becomes public: no text, title, address, guid, link or name. The copies of a story may
//! arrive in any order, and the store may be of an older version.

use crate::support::bed;
use crate::support::sql;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bed::{Bed, HOUR, config, entry, own_words, start};
use newswire::commit::{self, Mode};
use newswire::config::Config;
use newswire::entry::{Category, Entry, Guid, GuidKind, Person};
use newswire::feed::{Note, SectionId};
use newswire::publish::Publisher;
use newswire::render::Pages;
use newswire::store::{Reader, Store, StoreError};
use newswire::story;
use url::Url;

const FEEDS: &str = r#"
[site]
title = "Test"
url = "https://news.example.org/"
[[feed]]
id = "origin"
url = "https://origin.example/feed"
[[feed]]
id = "wire"
url = "https://wire.example/feed"
[[feed]]
id = "canary-feed"
url = "https://canary-host.example/feed"
"#;

const PUBLIC: &str = "[[section]]\nid = \"all\"\nfeeds = [\"origin\", \"wire\"]\nlimit = 2\n";
const PRIVATE: &str =
    "[[section]]\nid = \"canary-section\"\nfeeds = [\"canary-feed\", \"origin\"]\ntoken = \"canary-token-1234\"\n";

fn both() -> Arc<Config> {
    config(&format!("{FEEDS}{PUBLIC}{PRIVATE}"))
}

fn with_guid(guid: &str, mut entry: Entry) -> Entry {
    entry.guid = Guid { value: guid.to_owned(), kind: GuidKind::Guid };
    entry
}

/// Returns the private feed's copy of a story that a public feed has too.
fn private_copy() -> Entry {
    let copy = entry("https://canary-host.example/canary-link", "Canary headline", "The ferry sails. canary-text");
    Entry {
        original: Some(Url::parse("https://origin.example/1").unwrap()),
        authors: vec![Person::named("Canary Author")],
        contributors: vec![Person::named("Canary Contributor")],
        categories: vec![Category { term: "canary-category".to_owned(), ..Category::default() }],
        rights: Some("canary-rights".to_owned()),
        ..with_guid("tag:canary-host.example,2018:canary-guid?token=canary", copy)
    }
}

fn public_copy() -> Entry {
    with_guid("tag:origin.example,2018:1", entry("https://origin.example/1", "Ferry sails", "The ferry sails."))
}

/// Returns the private copy with another title.
fn edited(copy: Entry) -> Entry {
    Entry { title: "Canary headline again".to_owned(), ..copy }
}

/// Returns all public documents by path: editions, pages of all stories, archives, a search, and the files of the
/// folder.
async fn public_documents(bed: &Bed) -> BTreeMap<String, String> {
    let publisher = Publisher::new(bed.store.clone(), Pages::new(&[]).unwrap().with_search());
    publish(bed, &publisher).await;
    let editions = publisher.current();
    let mut documents = BTreeMap::new();
    let mut add = |path: String, edition: &newswire::publish::Edition| {
        let head = format!("{:?} {:?}", edition.links, edition.moved_to);
        documents.insert(path, format!("{head}\n{}", String::from_utf8_lossy(&edition.identity)));
    };
    for (path, edition) in editions.all().filter(|(_, edition)| edition.private.is_none()) {
        add(path, edition);
    }
    let mut paths: Vec<String> = (1..20).map(|number| format!("story/{number}/")).collect();
    paths.extend(editions.shown().map(|slug| format!("story/{slug}/")));
    for section in ["all", "quiet"] {
        paths.extend((1..4).map(|number| format!("{section}/archive/{number}.json")));
    }
    paths.extend(["feeds/", "feeds.opml", "all.opml", "quiet.opml"].map(str::to_owned));
    for path in paths {
        if let Some(edition) = publisher.make(&bed.config, &path, |_| None).await.unwrap() {
            add(path, &edition);
        }
    }
    let filtered = |name: &str| (name == "section").then(|| "canary-section".to_owned());
    add("feeds/ filtered".to_owned(), &publisher.make(&bed.config, "feeds/", filtered).await.unwrap().unwrap());
    let found = publisher.make(&bed.config, "search", |_| Some("ferry".to_owned())).await.unwrap().unwrap();
    add("search".to_owned(), &found);
    let folder = tempfile::tempdir().unwrap();
    publisher.write_folder(&bed.config, folder.path()).await.unwrap();
    for file in files(folder.path()) {
        let name = file.strip_prefix(folder.path()).unwrap().display().to_string();
        documents
            .insert(format!("folder {name}"), String::from_utf8_lossy(&std::fs::read(&file).unwrap()).into_owned());
    }
    documents
}

async fn publish(bed: &Bed, publisher: &Publisher) {
    while commit::index_batch(&bed.store).await.unwrap() > 0 {}
    let mut sections: BTreeSet<SectionId> = bed.config.sections.iter().map(|section| section.id.clone()).collect();
    while !sections.is_empty() {
        let published = publisher.publish(&bed.config, &sections, bed.now).await.unwrap();
        assert!(published.errors.is_empty(), "{:?}", published.errors);
        sections = published.unfinished;
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

async fn assert_no_canary(bed: &Bed, order: &str) {
    for (path, document) in public_documents(bed).await {
        let text = format!("{path}\n{document}").to_lowercase();
        let at = text.find("canary");
        assert!(at.is_none(), "{order}: {path}: …{}", &text[at.unwrap().saturating_sub(80)..][..160.min(text.len())]);
    }
}

#[tokio::test]
async fn no_public_document_reveals_a_private_feed_in_any_order_of_copies() {
    for order in
        ["private public", "public private", "private edited public", "private public edited", "public private edited"]
    {
        let mut bed = Bed::new(both()).await;
        for step in order.split(' ') {
            match step {
                "private" => bed.poll("canary-feed", &[private_copy()]).await,
                "edited" => bed.poll("canary-feed", &[edited(private_copy())]).await,
                _ => bed.poll("origin", &[public_copy()]).await,
            };
        }
        // These are enough stories for an archive document.
        for number in 2..9 {
            let link = format!("https://origin.example/{number}");
            bed.poll("origin", &[entry(&link, &format!("Ferry {number}"), &own_words(&format!("tide{number}x")))])
                .await;
        }
        let result = bed.find("https://origin.example/1").await;
        assert_eq!(bed.copies("https://origin.example/1").await.len(), 2, "{order}: they are one story");
        assert!(result.slug.starts_with("ferry-sails-"), "{order}: {}", result.slug);
        assert_no_canary(&bed, order).await;
        let documents = public_documents(&bed).await;
        assert!(documents["all/archive/1.json"].contains("Ferry sails"), "{order}: {:?}", documents.keys());
        assert!(documents.contains_key(&format!("folder story/{}/index.html", result.slug)), "{order}");
    }
}

#[tokio::test]
async fn story_of_a_private_feed_has_a_generated_id_and_its_number_as_address() {
    let mut bed = Bed::new(both()).await;
    bed.poll("canary-feed", &[private_copy()]).await;
    let alone = bed.find("https://canary-host.example/canary-link").await;
    assert!(alone.id.starts_with("urn:uuid:"), "{}", alone.id);
    assert_eq!(alone.slug, alone.number.to_string());
    let feed = Url::parse("https://canary-host.example/feed").unwrap();
    assert_ne!(alone.id, story::minted_id(&feed, &private_copy().guid), "the guid cannot be found by guessing");
    assert_eq!(bed.ids("canary-section").await, [alone.id.as_str()]);

    bed.poll("origin", &[public_copy()]).await;
    assert_eq!(bed.ids("all").await, [alone.id.as_str()], "the id stays when the story becomes public");
    assert_eq!(bed.ids("canary-section").await, [alone.id.as_str()]);
    let result = bed.find(&alone.id).await;
    assert_eq!(result.slug, format!("ferry-sails-{}", result.number));

    let mut revised = public_copy();
    revised.title = "Ferry sails at noon".to_owned();
    bed.poll("origin", &[revised]).await;
    let later = bed.find(&alone.id).await;
    assert_eq!((later.id, later.slug), (result.id, result.slug), "the id and the slug never change");
    let by_guid = bed.find("tag:canary-host.example,2018:canary-guid?token=canary").await;
    assert_eq!(by_guid.number, result.number, "editors find the story by its guid");
}

#[tokio::test]
async fn guid_that_a_public_copy_also_has_is_the_public_id() {
    let shared = "tag:shared.example,2018:1";
    let mut bed = Bed::new(both()).await;
    bed.poll("canary-feed", &[with_guid(shared, private_copy())]).await;
    let before = bed.ids("canary-section").await;
    assert!(before[0].starts_with("urn:uuid:"), "{before:?}");
    bed.poll("wire", &[with_guid(shared, public_copy())]).await;
    assert_eq!(bed.ids("all").await, [shared]);
    assert_eq!(bed.ids("canary-section").await, before, "the readers of the private section still see the former id");
    for id in [shared, &before[0]] {
        assert_eq!(bed.find(id).await.id, shared);
    }
}

#[tokio::test]
async fn section_that_becomes_public_gives_its_stories_slugs_and_keeps_their_ids() {
    let mut bed = Bed::new(both()).await;
    bed.poll("canary-feed", &[private_copy()]).await;
    bed.poll("origin", &[public_copy()]).await;
    let alone = entry("https://canary-host.example/2", "Only here", &own_words("alone"));
    bed.poll("canary-feed", &[alone]).await;
    let before = bed.ids("canary-section").await;
    let open = config(&format!("{FEEDS}{PUBLIC}{}", PRIVATE.replace("token = \"canary-token-1234\"", "")));
    bed.follow(open.clone()).await;
    assert_eq!(bed.ids("canary-section").await, before);
    let named = bed.find("https://canary-host.example/2").await;
    assert_eq!(named.slug, format!("only-here-{}", named.number));
    bed.follow(both()).await;
    bed.follow(open).await;
    assert_eq!(bed.find("https://canary-host.example/2").await.slug, named.slug, "a slug is made once");
    assert_eq!(bed.ids("canary-section").await, before);
}

#[tokio::test]
async fn story_gets_its_public_id_and_slug_when_a_public_section_takes_its_feed() {
    let mut bed = Bed::new(config(&format!("{FEEDS}{PRIVATE}"))).await;
    bed.poll("origin", &[public_copy()]).await;
    let before = bed.ids("canary-section").await;
    bed.follow(both()).await;
    assert_eq!(bed.ids("all").await, ["tag:origin.example,2018:1"]);
    assert_eq!(bed.ids("canary-section").await, before);
    assert!(bed.find("https://origin.example/1").await.slug.starts_with("ferry-sails-"));
}

#[tokio::test]
async fn public_story_that_joins_an_older_private_one_keeps_its_id_and_redirects_its_old_address() {
    let mut bed = Bed::new(both()).await;
    let memo = with_guid(
        "tag:canary-host.example,2018:canary-7",
        entry("https://canary-host.example/7", "Canary memo", &own_words("canary")),
    );
    bed.poll("canary-feed", &[memo]).await;
    bed.poll("origin", &[public_copy()]).await;
    let (private, public) =
        (bed.find("https://canary-host.example/7").await, bed.find("https://origin.example/1").await);
    assert!(private.number < public.number);
    commit::join(&bed.store, bed.config.clone(), (private.number, public.number), Mode::Perform, bed.now)
        .await
        .unwrap();
    assert_eq!(bed.ids("all").await, [public.id.as_str()], "readers know it by this id");
    let one = bed.find(&public.id).await;
    assert_eq!(one.slug, format!("ferry-sails-{}", private.number));
    let publisher = Publisher::new(bed.store.clone(), Pages::new(&[]).unwrap());
    publish(&bed, &publisher).await;
    for old in [format!("story/{}/", public.slug), format!("story/any-words-{}/", private.number)] {
        let edition = publisher.make(&bed.config, &old, |_| None).await.unwrap().unwrap();
        assert_eq!(edition.moved_to, Some(format!("story/{}/", one.slug)), "{old}");
    }
    assert_no_canary(&bed, "joined").await;

    let copies = bed.copies(&public.id).await;
    let own = copies.iter().find(|copy| copy.feed.as_str() == "origin").unwrap().number;
    let again = commit::split(&bed.store, bed.config.clone(), (one.number, own), Mode::Perform, bed.now)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (&again.story.id, &again.story.slug),
        (&public.id, &public.slug),
        "the public story has its former id and slug again"
    );
    assert_eq!(bed.ids("all").await, [public.id.as_str()]);
    assert_no_canary(&bed, "split").await;
}

#[tokio::test]
async fn private_copy_that_is_split_off_gets_names_that_reveal_nothing() {
    let mut bed = Bed::new(both()).await;
    bed.poll("origin", &[public_copy()]).await;
    bed.poll("canary-feed", &[private_copy()]).await;
    let (story, copies) = (bed.find("https://origin.example/1").await, bed.copies("https://origin.example/1").await);
    let split = commit::split(&bed.store, bed.config.clone(), (story.number, copies[1].number), Mode::Perform, bed.now)
        .await
        .unwrap()
        .unwrap();
    assert!(split.story.id.starts_with("urn:uuid:"), "{:?}", split.story);
    assert_eq!(split.story.slug, split.story.number.to_string());
    assert_no_canary(&bed, "split").await;
}

#[tokio::test]
async fn section_that_ignores_edits_shows_no_text_of_a_feed_that_left_it() {
    let quiet = |feeds: &str| {
        config(&format!("{FEEDS}{PRIVATE}[[section]]\nid = \"quiet\"\nfeeds = [{feeds}]\nedits = \"ignore\"\n"))
    };
    let mut bed = Bed::new(quiet("\"canary-feed\", \"origin\"")).await;
    bed.poll("canary-feed", &[private_copy()]).await;
    bed.poll("origin", &[public_copy()]).await;
    assert_eq!(bed.titles("quiet").await, ["Canary headline"], "the section shows the story as it was when it entered");
    bed.follow(quiet("\"origin\"")).await;
    assert_eq!(bed.titles("quiet").await, ["Ferry sails"]);
}

#[tokio::test]
async fn log_does_not_name_the_entries_of_a_private_feed() {
    let mut bed = Bed::new(both()).await;
    let at = |minute: u32| Entry { content_html: Some(format!("<p>It is {minute} past.</p>")), ..private_copy() };
    let mut notes = Vec::new();
    for minute in 0..=newswire::newsroom::MAX_REVISIONS + 1 {
        notes = bed.poll("canary-feed", &[at(minute)]).await.notes();
    }
    assert_eq!(Note::line(&notes), "an entry changes at every poll; its changes are no longer applied");
}

#[tokio::test]
async fn restored_backup_keeps_the_id_of_a_private_story() {
    let mut bed = Bed::new(both()).await;
    let path = bed.folder.path().join("backup.db");
    Reader::open(bed.store.path()).unwrap().backup(bed.store.path(), &path).unwrap();
    bed.poll("canary-feed", &[private_copy()]).await;
    let id = bed.ids("canary-section").await;
    bed.store = Store::open(&path, "a test").unwrap();
    bed.poll("canary-feed", &[private_copy()]).await;
    assert_eq!(bed.ids("canary-section").await, id);
}

/// Opens the store of version 1 with its config. `README.md` in `tests/fixtures/stores` describes it.
async fn version_1() -> Bed {
    let text = std::fs::read_to_string("tests/fixtures/stores/version_1.toml").unwrap();
    let (bed, _) = opened_version_1(config(&text)).await;
    bed
}

async fn opened_version_1(config: Arc<Config>) -> (Bed, usize) {
    let folder = tempfile::tempdir().unwrap();
    let path = unpacked(folder.path());
    let store = Store::open(&path, "a test").unwrap();
    let now = start() + HOUR * 200;
    let renamed = commit::sync(&store, config.clone(), now).await.unwrap().renamed;
    (Bed { folder, store, config, now }, renamed)
}

fn unpacked(folder: &Path) -> PathBuf {
    let packed = std::fs::read("tests/fixtures/stores/version_1.db.zst").unwrap();
    let path = folder.join("newswire.db");
    std::fs::write(&path, zstd::decode_all(&packed[..]).unwrap()).unwrap();
    path
}

/// Returns ids and slugs of all stories, by number.
fn names(folder: &Path) -> BTreeMap<i64, (String, String)> {
    let store = sql::open(folder.join("newswire.db"));
    let mut statement = store.prepare("SELECT number, public_id, slug FROM story").unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, (row.get(1)?, row.get(2)?)))).unwrap();
    rows.map(Result::unwrap).collect()
}

#[tokio::test]
async fn public_names_of_an_older_store_stay_unless_they_reveal_private_feeds() {
    let folder = tempfile::tempdir().unwrap();
    unpacked(folder.path());
    let before = names(folder.path());
    let bed = version_1().await;
    let after = names(bed.folder.path());
    assert_eq!(after.len(), before.len());
    let stay = [3, 5, 8, 9].into_iter().chain(13..=28).chain([35]);
    for number in stay {
        assert_eq!(after[&number], before[&number], "public from the start");
    }
    let slug = |number: i64| after[&number].1.as_str();
    assert_eq!(
        [1, 4, 6, 7, 11].map(slug),
        [
            "kestrel-is-announced-1",
            "plover-count-rises-4",
            "dunlin-flocks-arrive-6",
            "godwit-reserve-grows-7",
            "snipe-drum-at-dusk-11",
        ]
    );
    assert_eq!(after[&4].0, before[&4].0, "a public copy has the same guid");
    assert_eq!(after[&6].0, before[&6].0, "a generated id reveals nothing");
    for number in [2, 10, 12].into_iter().chain(29..=34) {
        assert_eq!(slug(number), number.to_string(), "no public section shows it");
    }
    for number in [1, 2, 7, 10, 11].into_iter().chain(29..=34) {
        assert!(after[&number].0.starts_with("urn:uuid:"), "{number}: {}", after[&number].0);
    }
    assert_eq!(bed.ids("all").await.first().unwrap(), "tag:wire.example,2018:60");
    let again = commit::sync(&bed.store, bed.config.clone(), bed.now).await.unwrap();
    assert_eq!((again.renamed, names(bed.folder.path())), (0, after), "names are checked once");
}

#[tokio::test]
async fn private_readers_of_an_older_store_keep_the_ids_that_they_know() {
    let folder = tempfile::tempdir().unwrap();
    unpacked(folder.path());
    let before = names(folder.path());
    let bed = version_1().await;
    let ids = bed.ids("desk").await;
    for number in [1, 2].into_iter().chain(29..=34) {
        assert!(ids.contains(&before[&number].0), "{number} in {ids:?}");
        assert_eq!(bed.find(&before[&number].0).await.number.0, number, "editors find it by its former id");
    }
    assert!(!bed.ids("quiet").await.iter().any(|id| id.contains("canary")));
}

#[tokio::test]
async fn public_documents_of_an_older_store_show_nothing_of_private_feeds() {
    let bed = version_1().await;
    assert_no_canary(&bed, "version 1").await;
    let documents = public_documents(&bed).await;
    assert!(documents.contains_key("all/archive/1.json"), "{:?}", documents.keys());
    let archives: String =
        documents.iter().filter(|(path, _)| path.contains("archive")).map(|(_, text)| &**text).collect();
    assert!(archives.contains("Kestrel is announced"), "the story that was private first is in an archive");
}

#[tokio::test]
async fn old_address_of_an_older_store_redirects_to_the_new_one() {
    let bed = version_1().await;
    let publisher = Publisher::new(bed.store.clone(), Pages::new(&[]).unwrap());
    publish(&bed, &publisher).await;
    let old = "story/kestrel-leak-planned-by-the-canary-title-1-group-1/";
    let edition = publisher.make(&bed.config, old, |_| None).await.unwrap().unwrap();
    assert_eq!(edition.moved_to.as_deref(), Some("story/kestrel-is-announced-1/"));
    let private = publisher.make(&bed.config, "story/secret-of-canary-title-2-2/", |_| None).await.unwrap();
    assert!(private.is_none(), "a story in no public section has no page");
}

#[tokio::test]
async fn editor_can_split_stories_joined_in_an_older_store() {
    let bed = version_1().await;
    let one = bed.find("tag:wire.example,2018:8").await;
    assert_eq!(one.number.0, 7);
    let copies = bed.copies("tag:wire.example,2018:8").await;
    let private = copies.iter().find(|copy| copy.feed.as_str() == "inner").unwrap().number;
    let split = commit::split(&bed.store, bed.config.clone(), (one.number, private), Mode::Perform, bed.now)
        .await
        .unwrap()
        .unwrap();
    assert!(!split.story.id.contains("canary") && !split.story.slug.contains("canary"), "{:?}", split.story);
    assert_no_canary(&bed, "split").await;
    let minutes = bed.find("tag:board.example,2018:canary-guid-10").await;
    let copies = bed.copies("tag:board.example,2018:canary-guid-10").await;
    let private = copies.iter().find(|copy| copy.feed.as_str() == "board").unwrap().number;
    let revived = commit::split(&bed.store, bed.config.clone(), (minutes.number, private), Mode::Perform, bed.now)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(revived.story.number.0, 10, "the story that it was before");
    assert_eq!(bed.ids("board").await.iter().filter(|id| id.ends_with("canary-guid-10")).count(), 1);
}

#[tokio::test]
async fn polls_after_a_migration_publish_nothing_twice() {
    let mut bed = version_1().await;
    let mut known = entry("https://origin.example/1", "Kestrel is announced", "The public wording of it.");
    known.guid = Guid { value: "tag:origin.example,2018:1".to_owned(), kind: GuidKind::Guid };
    let before = bed.ids("all").await;
    assert_eq!(bed.poll("origin", &[known]).await.new, 0);
    assert_eq!(bed.ids("all").await, before);
}

#[test]
fn older_store_is_copied_but_not_read_until_it_is_migrated() {
    let folder = tempfile::tempdir().unwrap();
    let path = unpacked(folder.path());
    let error = Reader::open(&path).err().expect("it has an older version");
    assert!(matches!(error, StoreError::Older { found: 1, .. }), "{error}");
    assert!(error.to_string().contains("newswire run"), "{error}");
    let copy = folder.path().join("copy.db");
    Reader::open_any_version(&path).unwrap().backup(&path, &copy).unwrap();
    assert!(Reader::open_any_version(&copy).unwrap().verify().unwrap().is_empty());
    drop(Store::open(&path, "a test").unwrap());
    assert!(Reader::open(&path).unwrap().verify().unwrap().is_empty());
}
