//! Upgrades of stores of older versions: the copy that is made first, what is migrated, and that published documents
//! stay the same.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use newswire::commit::{self, Difference};
use newswire::config::Config;
use newswire::feed::{Failure, FailureKind, FeedState, HoldReason, Note};
use newswire::publish::Publisher;
use newswire::render::{self, Pages, SectionView};
use newswire::shown::{self, Infos};
use newswire::status;
use newswire::store::{FeedStatus, Reader, Store, UpgradeStep};
use newswire::time::Timestamp;
use sha2::{Digest, Sha256};

use crate::support::bed::{HOUR, config, section_view, start};
use crate::support::sql;

/// Returns the config of the store of version 3.
/// Returns the config of the store of version 3. That version named the publication of a story only in the fields for it.
fn version_3() -> Arc<Config> {
    let text = std::fs::read_to_string("tests/fixtures/stores/version_3.toml").unwrap();
    config(&text.replace("[[section]]\n", "[[section]]\nsource_in = \"none\"\n"))
}

/// Returns a hash of each document that readers can get: every section as Atom, RSS, JSON Feed and OPML, and its
/// archives as Atom.
fn documents(reader: &Reader, config: &Config) -> BTreeMap<String, String> {
    let mut documents = BTreeMap::new();
    let mut add = |path: String, document: Vec<u8>| {
        let hash: String = Sha256::digest(&document).iter().map(|byte| format!("{byte:02x}")).collect();
        documents.insert(path, hash);
    };
    for section in &config.sections {
        let infos = Infos::of(reader);
        let content = shown::section_content(reader, config, section, &infos).unwrap();
        let shown = SectionView {
            feeds: &content.feeds,
            updated: content.updated,
            prev_archive: reader.newest_archive(&section.id).unwrap(),
            ..section_view(config, section, &content.atom_id, &content.stories)
        };
        let opml = render::opml(&config.site, &section.title, &content.feeds, content.updated).unwrap();
        add(format!("{}.atom", section.id), render::atom(&shown.prepare()).unwrap());
        add(format!("{}.rss", section.id), render::rss(&shown.prepare()).unwrap());
        add(format!("{}.json", section.id), render::json(&shown.prepare()).unwrap());
        add(format!("{}.opml", section.id), opml);
        for number in 1.. {
            let Some(archive) = shown::archive(reader, config, section, number, &infos).unwrap() else { break };
            let shown = SectionView {
                updated: archive.changed,
                archive: Some(number),
                ..section_view(config, section, &content.atom_id, &archive.stories)
            };
            add(format!("{}/archive/{number}.atom", section.id), render::atom(&shown.prepare()).unwrap());
        }
    }
    documents
}

/// Returns one line per document, as in `version_3.documents.txt`.
fn lines(documents: &BTreeMap<String, String>) -> String {
    documents.iter().map(|(path, hash)| format!("{hash} {path}\n")).collect()
}

/// Unpacks the store of an older version into a folder.
fn unpacked(version: u32, folder: &Path) -> PathBuf {
    let packed = std::fs::read(format!("tests/fixtures/stores/version_{version}.db.zst")).unwrap();
    let path = folder.join("newswire.db");
    std::fs::write(&path, zstd::decode_all(&packed[..]).unwrap()).unwrap();
    path
}

#[tokio::test]
async fn documents_of_an_older_store_stay_unchanged_and_no_section_is_judged_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = unpacked(3, folder.path());
    let expected = std::fs::read_to_string("tests/fixtures/stores/version_3.documents.txt").unwrap();
    let config = version_3();
    let store = Store::open(&path, "a test").unwrap();
    assert_eq!(lines(&documents(&Reader::open(&path).unwrap(), &config)), expected);
    let difference = commit::sync(&store, config.clone(), start() + HOUR * 208).await.unwrap();
    assert_eq!(difference, Difference::default());
    assert_eq!(lines(&documents(&Reader::open(&path).unwrap(), &config)), expected);
    assert!(Reader::open(&path).unwrap().verify().unwrap().is_empty());
}

/// Returns the names of the copies of the store in a folder, in order.
fn copies(folder: &Path) -> Vec<String> {
    let names = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names.filter(|name| name.contains(".v") || name.contains("copy")).collect();
    names.sort();
    names
}

#[test]
fn older_store_is_copied_before_it_is_changed() {
    use std::os::unix::fs::PermissionsExt;
    for version in [1, 3, 6, 9, 10] {
        let folder = tempfile::tempdir().unwrap();
        let path = unpacked(version, folder.path());
        let before = std::fs::read(&path).unwrap();
        let mut steps = Vec::new();
        drop(Store::open_showing(&path, "a test", &mut |step| steps.push(step)).unwrap());
        let name = format!("newswire.db.v{version}");
        assert_eq!(copies(folder.path()), [name.as_str()]);
        let copy = folder.path().join(name);
        assert_eq!(copy.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        // Everything is equal except the header, in which SQLite counts changes.
        assert_eq!(std::fs::read(&copy).unwrap()[100..], before[100..]);
        assert!(matches!(steps.first(), Some(UpgradeStep::Copying { .. })), "{steps:?}");
        assert!(steps.contains(&UpgradeStep::Copied { from: version as usize, file: copy.clone() }), "{steps:?}");
        let converted =
            steps.iter().any(|step| matches!(step, UpgradeStep::Converting { done, total, .. } if done == total));
        assert_eq!(converted, version < 6, "{steps:?}");
        assert_eq!(steps.last(), Some(&UpgradeStep::Done));
        // The copy can be opened as a store. A store of the newest version is not copied again.
        drop(Store::open(&copy, "a test").unwrap());
        assert!(Reader::open(&copy).unwrap().verify().unwrap().is_empty());
        drop(Store::open(&path, "a test").unwrap());
        assert!(!copies(folder.path()).iter().any(|name| name.ends_with("-2")));
    }
}

#[test]
fn copy_of_an_older_store_replaces_no_other_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = unpacked(3, folder.path());
    let mine = folder.path().join("newswire.db.v3");
    std::fs::write(&mine, "mine").unwrap();
    drop(Store::open(&path, "a test").unwrap());
    assert_eq!(std::fs::read_to_string(&mine).unwrap(), "mine");
    assert_eq!(copies(folder.path()), ["newswire.db.v3", "newswire.db.v3-2"]);
}

/// Returns a sentence about a reason in the words of today, from those of version 3.
fn in_words_of_today(sentence: &str) -> String {
    match sentence {
        "it is older than the section's max_age" => "the story is older than the section's max_age".to_owned(),
        _ => match sentence.strip_prefix("the section takes all of ") {
            Some(feed) => {
                format!("the section has no keep rules, and no drop rule matched this story from the feed {feed}")
            }
            None => sentence.to_owned(),
        },
    }
}

#[tokio::test]
async fn reasons_of_an_older_store_are_read_with_all_their_details() {
    let folder = tempfile::tempdir().unwrap();
    let path = unpacked(3, folder.path());
    let reasons = |path: &Path, sql: &str| {
        let store = sql::open(path);
        let mut statement = store.prepare(sql).unwrap();
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))).unwrap();
        rows.map(Result::unwrap).collect::<Vec<(String, String, Option<String>, String)>>()
    };
    let sentences = reasons(
        &path,
        "SELECT section.id, story.public_id, placement.rule, placement.why FROM placement
           JOIN section ON section.number = placement.section JOIN story ON story.number = placement.story
         WHERE story.joined_into IS NULL ORDER BY 1, 2",
    );
    assert!(sentences.len() > 100);
    let store = Store::open(&path, "a test").unwrap();
    let sentences_read = store.read(move |reader| {
        let mut sentences_read = Vec::new();
        for (section, id, ..) in &sentences {
            let story = reader.story_by_id(id)?.unwrap();
            let placements = reader.placements_of(story.number)?;
            let why = &placements[&section.as_str().into()].why;
            sentences_read.push((
                section.clone(),
                id.clone(),
                why.rule().map(|rule| rule.to_string()),
                why.to_string(),
            ));
        }
        let expected: Vec<_> = sentences
            .into_iter()
            .map(|(section, id, rule, why)| (section, id, rule, in_words_of_today(&why)))
            .collect();
        assert_eq!(sentences_read, expected);
        Ok(())
    });
    sentences_read.await.unwrap();
}

#[tokio::test]
async fn repairs_notes_and_events_of_an_older_store_keep_their_sentences() {
    let folder = tempfile::tempdir().unwrap();
    let path = unpacked(3, folder.path());
    let store = Store::open(&path, "a test").unwrap();
    let read = store.read(|reader| Ok((reader.feed_statuses()?, reader.events(10)?)));
    let (feeds, events) = read.await.unwrap();
    let inner = &feeds[&"inner".into()];
    assert_eq!((inner.state, inner.hold_why), (FeedState::Ok, Some(HoldReason::RetryAfter)));
    let repairs: Vec<String> = inner.repairs.iter().map(ToString::to_string).collect();
    let expected = [
        "a date could not be read: \"next (tuesday): \\\"noon\\\"\" (3 times)",
        "HTML entities were resolved (2 times)",
        "bare & or < was read as text",
        "a repair that no version knows",
        "every entry of this document is new: some may have been missed since the last poll",
    ];
    assert_eq!(repairs, expected);
    let kinds: Vec<_> = inner.repairs.iter().map(|repair| repair.kind.code()).collect();
    assert_eq!(kinds, ["unread_dates", "named_entities", "bare_markup", "old", "gap"]);
    let wire = feeds[&"wire".into()].note.as_ref().unwrap();
    assert_eq!(Note::line(&wire.0), "60 of 60 entries re-keyed, matched");
    let (dead, gone) = (&feeds[&"dead".into()], &feeds[&"gone".into()]);
    let kind = |feed: &FeedStatus| feed.failure.as_ref().map(Failure::kind);
    assert_eq!((dead.state, kind(dead)), (FeedState::Failing, Some(FailureKind::RefusedAddress)));
    assert_eq!((gone.state, kind(gone)), (FeedState::Gone, Some(FailureKind::Gone)));
    let events: Vec<_> = events.iter().map(|event| (event.what.code(), event.what.to_string())).collect();
    let expected = [
        ("moved", "moved for good to https://moved.example/feed"),
        ("gone", "the publisher says that the feed is gone for good (410)"),
        ("died", "failed 3 times in a row: the server answered 500 (trouble of its own)"),
        ("rekeyed", "60 of 60 entries re-keyed, matched"),
        ("flooded", "brought 60 new entries at once"),
    ];
    assert_eq!(events, expected.map(|(code, text)| (code, text.to_owned())));
}

/// The failures of the feeds in the store of version 6: feed, code of the failure, and sentence.
const FAILURES: [(&str, &str, &str); 6] = [
    ("far", "redirect", "redirects to xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"),
    ("fault", "fault", "newswire met a fault of its own; please report it, with what the log says of this feed"),
    ("gone", "gone", "the publisher says that the feed is gone for good (410)"),
    (
        "inside",
        "refused_address",
        "refused to connect to inside.example at 10.0.0.7 (private); if that is meant, add allow = [\"10.0.0.7:80\"] to the feed",
    ),
    (
        "page",
        "page",
        "this is an HTML page, not a feed; the page offers https://page.example/rss, https://page.example/\"j\"",
    ),
    ("slow", "timeout", "slow.example did not answer within 30 seconds"),
];

#[tokio::test]
async fn failures_of_an_older_store_keep_their_words_and_kinds() {
    let folder = tempfile::tempdir().unwrap();
    let path = unpacked(6, folder.path());
    let store = Store::open(&path, "a test").unwrap();
    let config = config(&std::fs::read_to_string("tests/fixtures/stores/version_6.toml").unwrap());
    let read = store.read(move |reader| {
        Ok((status::feeds(&config, Some(reader), start())?, reader.feed_statuses()?, reader.events(20)?))
    });
    let (shown, feeds, events) = read.await.unwrap();
    let mut sentences_read: Vec<_> = shown
        .iter()
        .filter_map(|row| Some((row.id.as_str(), row.error_code?.code(), row.last_error.as_deref()?)))
        .collect();
    sentences_read.sort_unstable();
    assert_eq!(sentences_read, FAILURES);
    let words = "slow.example did not answer within 30 seconds".into();
    assert_eq!(feeds[&"slow".into()].failure, Some(Failure::Old { kind: FailureKind::Timeout, words }));
    assert_eq!(feeds[&"back".into()].failure, None, "it answers again");
    let events: Vec<_> = events.iter().map(|event| (event.feed.as_str(), event.what.to_string())).collect();
    let (of_page, of_slow) = (FAILURES[4].2, FAILURES[5].2);
    let expected = [
        ("back", "answers again after 3 failures".to_owned()),
        ("gone", FAILURES[2].2.to_owned()),
        ("page", format!("failed 3 times in a row: {of_page}")),
        ("slow", format!("failed 3 times in a row: {of_slow}")),
        ("back", "failed 3 times in a row: the server answered 503 (trouble of its own)".to_owned()),
    ];
    assert_eq!(events, expected);
}

#[test]
fn log_of_polls_of_an_older_store_keeps_its_failures() {
    let folder = tempfile::tempdir().unwrap();
    let path = unpacked(6, folder.path());
    let rows = |path: &Path, sql: &str| {
        let store = sql::open(path);
        let mut statement = store.prepare(sql).unwrap();
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap();
        rows.map(Result::unwrap).collect::<Vec<(i64, Option<String>, Option<String>)>>()
    };
    let before = rows(&path, "SELECT number, error_kind, error FROM poll_log WHERE error IS NOT NULL ORDER BY number");
    assert_eq!(before.len(), 13);
    drop(Store::open(&path, "a test").unwrap());
    let after =
        "SELECT number, failure, failure_detail ->> 'words' FROM poll_log WHERE failure IS NOT NULL ORDER BY number";
    let after = rows(&path, after);
    assert_eq!(after, before);
    // The event `died` has the kind of the feed's last failure.
    let kinds = rows(
        &path,
        "SELECT number, detail -> 'failure' ->> 'kind', kind FROM event WHERE kind = 'died' ORDER BY number",
    );
    let kinds: Vec<_> = kinds.iter().map(|(_, kind, _)| kind.as_deref().unwrap()).collect();
    assert_eq!(kinds, ["status", "timeout", "page"]);
}

#[test]
fn poll_states_of_an_older_store_stay_and_its_log_keeps_changes_and_failures() {
    let folder = tempfile::tempdir().unwrap();
    let path = unpacked(7, folder.path());
    let rows = |sql: &str| {
        let store = sql::open(&path);
        let mut statement = store.prepare(sql).unwrap();
        let rows = statement.query_map([], |row| row.get(0)).unwrap();
        rows.map(Result::unwrap).collect::<Vec<String>>()
    };
    let state = "json_array(feed.id, state, next_poll, last_poll, hold_until, hold_why, failures, per_day, hex(etag),
      last_modified, validators_url)";
    let before = rows(&format!("SELECT {state} FROM feed ORDER BY number"));
    assert_eq!(before.len(), 7);
    drop(Store::open(&path, "a test").unwrap());
    let after = rows(&format!("SELECT {state} FROM feed JOIN poll ON poll.feed = feed.number ORDER BY number"));
    assert_eq!(after, before);
    let removed = "SELECT id FROM feed JOIN poll ON poll.feed = number WHERE is_removed AND removed IS NOT NULL";
    assert_eq!(rows(removed), ["left"]);
    let news = "SELECT id || ' ' || news FROM feed WHERE news_at = (SELECT min(at) FROM poll_log WHERE poll_log.feed = feed.number)";
    assert_eq!(rows(news), ["well 3", "moved 3", "left 3"]);
    let log = "SELECT outcome || ' ' || count(*) FROM poll_log GROUP BY outcome ORDER BY outcome";
    assert_eq!(rows(log), ["changed 3", "failed 6", "gone 3"]);
}

#[test]
fn feeds_of_an_older_store_whose_documents_were_read_are_known_to_hooks() {
    let folder = tempfile::tempdir().unwrap();
    let path = unpacked(9, folder.path());
    drop(Store::open(&path, "a test").unwrap());
    let store = sql::open(&path);
    let mut statement =
        store.prepare("SELECT id FROM unread_feed JOIN feed ON feed.number = feed ORDER BY id").unwrap();
    let unread: Vec<String> = statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    // The others were read: `well`, `left`, `empty` (without entries) and `was` (which fails since).
    assert_eq!(unread, ["fails", "new"]);
    let hooks: i64 = store.query_row("SELECT count(*) FROM hook", [], |row| row.get(0)).unwrap();
    assert_eq!(hooks, 0);
    assert!(Reader::open(&path).unwrap().verify().unwrap().is_empty());
}

#[tokio::test]
async fn sections_of_an_older_store_get_digests_only_from_the_next_day_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = unpacked(10, folder.path());
    let store = Store::open(&path, "a test").unwrap();
    let text = std::fs::read_to_string("tests/fixtures/stores/version_10.toml").unwrap();
    let config =
        config(&text.replace("[[section]]\n", "[[section]]\ndigest = [\"daily\", \"weekly\"]\ntop = \"31 days\"\n"));
    let sections = config.sections.iter().map(|section| section.id.clone()).collect();
    let publisher = Publisher::new(store.clone(), Pages::new(&[]).unwrap());
    // The stories entered the sections on 1 December 2026.
    let switched_on = Timestamp::from_datetime("2026-12-01T12:00:00Z".parse().unwrap());
    commit::sync(&store, config.clone(), switched_on).await.unwrap();
    for later in [0, 1, 2, 9] {
        let published = publisher.publish(&config, &sections, switched_on + HOUR * 24 * later).await.unwrap();
        assert!(published.errors.is_empty(), "{:?}", published.errors);
        let editions = publisher.current();
        let entries = |path: &str| text_of(&editions.edition(path).unwrap().identity).matches("<entry").count();
        for (path, expected) in [("all.atom", 3), ("all/top.atom", 3), ("inner/top.atom", 1), ("all/daily.atom", 0)] {
            assert_eq!(entries(path), expected, "{path} after {later} days");
        }
        assert_eq!(entries("inner/weekly.atom"), 0);
    }
    drop((publisher, store));
    assert!(Reader::open(&path).unwrap().verify().unwrap().is_empty());
}

fn text_of(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn older_store_owes_its_hubs_no_notification() {
    let folder = tempfile::tempdir().unwrap();
    let path = unpacked(12, folder.path());
    let editions = |path: &Path| -> Vec<(String, i64)> {
        let store = sql::open(path);
        let mut statement = store.prepare("SELECT path, changed FROM edition ORDER BY path").unwrap();
        statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap().map(Result::unwrap).collect()
    };
    let before = editions(&path);
    assert!(before.iter().any(|(path, _)| path == "all.atom"), "{before:?}");
    drop(Store::open(&path, "a test").unwrap());
    assert_eq!(editions(&path), before);
    let reader = Reader::open(&path).unwrap();
    assert!(reader.verify().unwrap().is_empty());
    let store = sql::open(&path);
    let count = |table: &str| -> i64 {
        store.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
    };
    assert_eq!((count("hub_queue"), count("hook_queue")), (0, 1));
}
