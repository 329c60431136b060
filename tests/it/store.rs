//! The store on real SQLite: what polls add, what sections show, and what never changes.

use crate::support::bed;
use crate::support::sql;

use std::path::Path;

use bed::{ALL, Bed, DAY, HOUR, config, entry, own_words, polled, start, three_feeds};
use newswire::commit;
use newswire::commit::Difference;
use newswire::entry::{Category, Entry, Guid, GuidKind, Person};
use newswire::feed::{Failure, FeedId, SectionId};
use newswire::newsroom::Applied;
use newswire::newsroom::{MAX_REVISIONS, Outcome};
use newswire::query::Query;
use newswire::section::ShownStory;
use newswire::shown::{self, SearchHit};
use newswire::store::{Store, StoreError};
use url::Url;

#[tokio::test]
async fn entry_is_new_once_and_then_unchanged() {
    let mut bed = Bed::new(three_feeds(ALL)).await;
    let entries = [entry("https://origin.example/1", "One", "text"), entry("https://origin.example/2", "Two", "text")];
    assert_eq!(bed.poll("origin", &entries).await.new, 2);
    let again = bed.poll("origin", &entries).await;
    assert_eq!((again.new, again.revised), (0, 0));
    assert!(again.sections.is_empty(), "no section is rendered, because nothing changed");
    assert_eq!(bed.titles("all").await, ["One", "Two"], "undated entries keep their document's order");
}

#[tokio::test]
async fn only_lasting_content_makes_an_entry_revised() {
    let mut bed = Bed::new(three_feeds(ALL)).await;
    let mut changed = entry("https://origin.example/1", "One", "said once, 12 comments");
    bed.poll("origin", &[changed.clone()]).await;
    changed.updated = Some(start() + DAY);
    changed.content_html = Some("<div>said   once, 13 comments</div>".to_owned());
    assert_eq!(
        bed.poll("origin", &[changed.clone()]).await.revised,
        0,
        "a counter, white space and markup are not lasting"
    );
    changed.content_html = Some("<p>said twice, 13 comments</p>".to_owned());
    assert_eq!(bed.poll("origin", &[changed.clone()]).await.revised, 1);
    let shown = bed.shown("all").await;
    assert_eq!(shown[0].entry.content_html.as_deref(), Some("<p>said twice, 13 comments</p>"));
    assert_eq!(shown[0].updated, bed.now);
}

#[tokio::test]
async fn entry_that_changes_at_every_poll_is_revised_only_up_to_a_limit() {
    let mut bed = Bed::new(three_feeds(ALL)).await;
    let mut applied = Applied::default();
    for minute in 0..=MAX_REVISIONS + 1 {
        let clock = entry("https://origin.example/clock", "Clock", &format!("it is {minute} past"));
        applied = bed.poll("origin", &[clock]).await;
    }
    assert_eq!((applied.revised, applied.restless), (0, vec!["Clock".to_owned()]));
}

fn taken_over() -> Entry {
    let mut copy = entry("https://wire.example/story-1", "Taken over", "the same text");
    copy.original = Some(Url::parse("https://www.origin.example/1/?utm_source=wire").unwrap());
    copy.contributors = vec![Person::named("gail")];
    copy
}

#[tokio::test]
async fn story_is_published_once_and_led_by_the_original_whichever_comes_first() {
    for order in [["origin", "wire"], ["wire", "origin"]] {
        let mut bed = Bed::new(three_feeds(ALL)).await;
        let original = entry("http://origin.example/1", "The original", "the same text");
        for feed in order {
            let copy = if feed == "origin" { original.clone() } else { taken_over() };
            bed.poll(feed, &[copy]).await;
        }
        let shown = bed.shown("all").await;
        assert_eq!(shown.len(), 1, "{order:?}");
        assert_eq!(shown[0].entry.title, "The original");
        assert_eq!(shown[0].copies.len(), 2);
        assert_eq!(shown[0].via, [Person::named("gail")]);
        let first = if order[0] == "origin" { "http://origin.example/1" } else { "https://wire.example/story-1" };
        assert_eq!(shown[0].id, first, "the id was made when the story was first seen");
    }
}

#[tokio::test]
async fn feed_on_another_site_cannot_take_the_lead_by_what_it_claims() {
    let mut bed = Bed::new(three_feeds(ALL)).await;
    bed.poll("origin", &[entry("https://origin.example/1", "The original", "the text")]).await;
    let mut forged = entry("https://origin.example/1", "Forged", "the text");
    forged.guid = Guid { value: "https://origin.example/1".to_owned(), kind: GuidKind::Guid };
    bed.poll("other", &[forged]).await;
    let shown = bed.shown("all").await;
    assert_eq!(shown.len(), 1);
    assert_eq!(shown[0].entry.title, "The original");
}

#[tokio::test]
async fn comment_with_a_text_of_its_own_stays_a_separate_story() {
    let mut bed = Bed::new(three_feeds(ALL)).await;
    bed.poll("origin", &[entry("https://origin.example/1", "Article", &own_words("article"))]).await;
    let mut comment = entry("https://other.example/comment", "On an article", &own_words("comment"));
    comment.link = Some(Url::parse("https://origin.example/1").unwrap());
    bed.poll("other", &[comment]).await;
    assert_eq!(bed.titles("all").await.len(), 2);
    let remark = entry("https://origin.example/1", "Worth reading", "indeed");
    let applied = bed.poll("wire", &[remark]).await;
    assert_eq!(applied.joined, 1, "a remark of one line is not a story of its own");
}

#[tokio::test]
async fn link_that_several_entries_of_a_document_share_joins_no_stories() {
    let mut bed = Bed::new(three_feeds(ALL)).await;
    let mut first = entry("https://other.example/a", "A", "a");
    let mut second = entry("https://other.example/b", "B", "b");
    for entry in [&mut first, &mut second] {
        entry.link = Some(Url::parse("https://origin.example/live").unwrap());
    }
    bed.poll("other", &[first, second]).await;
    bed.poll("origin", &[entry("https://origin.example/live", "Live", "c")]).await;
    assert_eq!(bed.titles("all").await.len(), 3);
}

#[tokio::test]
async fn id_that_another_story_owns_is_replaced_with_a_generated_one() {
    let mut bed = Bed::new(three_feeds(ALL)).await;
    let mut first = entry("https://origin.example/1", "One", "one");
    let mut second = entry("https://other.example/2", "Two", "two");
    for entry in [&mut first, &mut second] {
        entry.guid.value = "tag:example.org,2018:same".to_owned();
    }
    bed.poll("origin", &[first]).await;
    bed.poll("other", &[second]).await;
    let ids = |shown: Vec<ShownStory>| shown.into_iter().map(|story| story.id).collect::<Vec<_>>();
    let before = ids(bed.shown("all").await);
    assert!(before[0].starts_with("urn:uuid:"), "{before:?}");
    assert_eq!(before[1], "tag:example.org,2018:same");
    let bed = bed.reopen().await;
    assert_eq!(ids(bed.shown("all").await), before);
}

#[tokio::test]
async fn redefined_section_is_judged_over_all_stored_stories() {
    let mut bed = Bed::new(three_feeds(ALL)).await;
    let mut near = entry("https://origin.example/1", "Near", "text");
    near.categories = vec![Category { term: "region:local".to_owned(), ..Category::default() }];
    bed.poll("origin", &[near, entry("https://origin.example/2", "Far", "text")]).await;
    let narrow = format!("{ALL}\nkeep = [{{ category = \"region:local\" }}]");
    let difference = bed.follow(three_feeds(&narrow)).await;
    assert_eq!((difference.sections[0].moves.entered, difference.sections[0].moves.left), (0, 1));
    assert_eq!(bed.titles("all").await, ["Near"]);
    assert!(bed.follow(three_feeds(&narrow)).await == Difference::default(), "the same config changes nothing");
    bed.follow(three_feeds(ALL)).await;
    assert_eq!(bed.titles("all").await.len(), 2);
}

#[tokio::test]
async fn removing_a_feed_removes_its_copies_and_disabling_keeps_them() {
    let two = |origin: &str| {
        config(&format!(
            "[site]\ntitle = \"T\"\n{origin}\n[[feed]]\nid = \"wire\"\nurl = \"https://wire.example/\"\n{ALL}"
        ))
    };
    let enabled = "[[feed]]\nid = \"origin\"\nurl = \"https://origin.example/\"";
    let mut bed = Bed::new(two(enabled)).await;
    bed.poll("origin", &[entry("https://origin.example/1", "One", "text")]).await;
    bed.follow(two(&format!("{enabled}\nenabled = false"))).await;
    assert_eq!(bed.titles("all").await, ["One"]);
    let difference = bed.follow(two("")).await;
    assert_eq!(difference.feeds_removed, [FeedId::from("origin")]);
    assert!(bed.titles("all").await.is_empty());
    bed.follow(two(enabled)).await;
    assert_eq!(bed.titles("all").await, ["One"], "a feed that returns brings its entries");
    assert_eq!(bed.poll("origin", &[entry("https://origin.example/1", "One", "text")]).await.new, 0);
}

#[tokio::test]
async fn section_sees_only_the_copies_of_its_own_feeds() {
    let sections = "[[section]]\nid = \"public\"\ntitle = \"P\"\nfeeds = [\"wire\"]\n[[section]]\nid = \"inner\"\ntitle = \"I\"\nfeeds = [\"*\"]";
    let mut bed = Bed::new(three_feeds(sections)).await;
    bed.poll("origin", &[entry("https://origin.example/1", "Confidential title", "the same text")]).await;
    bed.poll("wire", &[taken_over()]).await;
    let public = bed.shown("public").await;
    assert_eq!(public.len(), 1);
    assert_eq!(public[0].entry.title, "Taken over");
    assert_eq!(public[0].copies.len(), 1);
    assert_eq!(bed.titles("inner").await, ["Confidential title"]);
}

#[tokio::test]
async fn story_that_becomes_too_old_leaves_its_section_without_a_poll() {
    let mut bed = Bed::new(three_feeds(&format!("{ALL}\nmax_age = \"2 days\""))).await;
    bed.poll("origin", &[entry("https://origin.example/1", "One", "text")]).await;
    assert!(commit::sweep(&bed.store, bed.config.clone(), bed.now + DAY).await.unwrap().is_empty());
    let moves = commit::sweep(&bed.store, bed.config.clone(), bed.now + DAY * 2).await.unwrap();
    assert_eq!(moves[&SectionId::from("all")].left, 1);
    assert!(bed.titles("all").await.is_empty());
}

#[tokio::test]
async fn edits_are_applied_ignored_or_move_the_story_up_as_the_section_says() {
    let section =
        |edits: &str| format!("[[section]]\nid = \"{edits}\"\ntitle = \"E\"\nfeeds = [\"*\"]\nedits = \"{edits}\"\n");
    let mut bed = Bed::new(three_feeds(&["apply", "ignore", "bump"].map(section).concat())).await;
    bed.poll("origin", &[entry("https://origin.example/1", "Old words", "text")]).await;
    bed.poll("other", &[entry("https://other.example/2", "Newer", "text")]).await;
    bed.poll("origin", &[entry("https://origin.example/1", "New words", "text")]).await;
    assert_eq!(bed.titles("apply").await, ["Newer", "New words"]);
    assert_eq!(bed.titles("ignore").await, ["Newer", "Old words"]);
    assert_eq!(bed.titles("bump").await, ["New words", "Newer"]);
}

#[tokio::test]
async fn date_in_the_future_is_not_published() {
    let mut bed = Bed::new(three_feeds(ALL)).await;
    let mut early = entry("https://origin.example/1", "From tomorrow", "text");
    early.published = Some(start() + DAY * 365);
    bed.poll("origin", &[early]).await;
    let first_seen = bed.now;
    let shown = bed.shown("all").await;
    assert_eq!((shown[0].published, shown[0].sort_at), (first_seen, first_seen));
}

#[tokio::test]
async fn limits_apply_only_to_what_is_shown() {
    let mut bed = Bed::new(three_feeds(&format!("{ALL}\nlimit = 3\nper_feed = 2"))).await;
    let entries: Vec<_> =
        (0..5).map(|n| entry(&format!("https://origin.example/{n}"), &format!("O{n}"), "text")).collect();
    bed.poll("origin", &entries).await;
    bed.poll("other", &[entry("https://other.example/1", "X", "text")]).await;
    assert_eq!(bed.titles("all").await, ["X", "O0", "O1"]);
}

#[tokio::test]
async fn retention_removes_text_but_removed_entries_do_not_return_as_new() {
    let mut bed = Bed::new(three_feeds(&format!("{ALL}\n[store]\nkeep = \"10 days\""))).await;
    let (old, listed) =
        (entry("https://origin.example/1", "Old", "text"), entry("https://origin.example/2", "Listed", "text"));
    bed.poll("origin", &[old.clone(), listed.clone()]).await;
    bed.poll("origin", std::slice::from_ref(&listed)).await;
    let later = bed.now + DAY * 11;
    let (done, changed) = commit::retain_batch(&bed.store, bed.config.clone(), later).await.unwrap();
    assert_eq!((done, changed[&SectionId::from("all")].left), (1, 1));
    assert_eq!(commit::retain_batch(&bed.store, bed.config.clone(), later).await.unwrap().0, 0);
    assert_eq!(bed.titles("all").await, ["Listed"]);
    let again = bed.poll("origin", &[old, listed]).await;
    assert_eq!(again.new, 0, "what was removed does not come back as new");
    assert_eq!(bed.titles("all").await, ["Listed"]);
}

#[tokio::test]
async fn text_keys_of_an_entry_are_replaced_when_its_text_changes() {
    let mut bed = Bed::new(three_feeds(ALL)).await;
    let entry_with = |story: &str| {
        let text = (0..60).map(|n| format!("{story}{n}")).collect::<Vec<_>>().join(" ");
        let mut changed = entry("https://origin.example/1", &format!("{story} of the day"), &text);
        changed.published = None;
        changed
    };
    let keys = |bed: &Bed| -> i64 {
        let store = sql::open(bed.folder.path().join("newswire.db"));
        store.query_row("SELECT count(*) FROM signature", [], |row| row.get(0)).unwrap()
    };
    bed.poll("origin", &[entry_with("Tide")]).await;
    let of_one_text = keys(&bed);
    assert!(of_one_text > 0);
    for story in ["Ferry", "Quay", "Net"] {
        bed.now = bed.now + DAY * 5;
        bed.poll("origin", &[entry_with(story)]).await;
        assert_eq!(keys(&bed), of_one_text, "{story}");
    }
}

#[tokio::test]
async fn failed_poll_is_stored_and_changes_nothing_else() {
    let mut bed = Bed::new(three_feeds(ALL)).await;
    bed.poll("origin", &[entry("https://origin.example/1", "One", "text")]).await;
    let mut failed = polled("origin", bed.now, &[]);
    failed.outcome = Outcome::Failed(Failure::Status { status: 503 });
    failed.failures = 1;
    commit::apply(&bed.store, bed.config.clone(), failed).await.unwrap();
    let status =
        bed.store.read(|reader| reader.feed_statuses()).await.unwrap().remove(&FeedId::from("origin")).unwrap();
    assert_eq!((status.state.code(), status.failures), ("failing", 1));
    assert_eq!(status.failure, Some(Failure::Status { status: 503 }));
    let state = bed.store.read(|reader| reader.poll_state(&FeedId::from("origin"))).await.unwrap().unwrap();
    assert_eq!(
        state.validators.etag.as_deref(),
        Some(b"\"1\"".as_slice()),
        "validators of the last good document stay"
    );
    assert_eq!(bed.titles("all").await, ["One"]);
}

#[tokio::test]
async fn poll_times_survive_a_restart() {
    let mut bed = Bed::new(three_feeds(ALL)).await;
    bed.poll("origin", &[]).await;
    let bed = bed.reopen().await;
    assert!(bed.follow_again().await == Difference::default());
    let now = bed.now;
    let due = bed.store.read(move |reader| reader.due(now, 10)).await.unwrap();
    let due: Vec<_> = due.iter().map(|due| due.feed.as_str()).collect();
    assert_eq!(due, ["origin", "wire", "other"].into_iter().filter(|feed| *feed != "origin").collect::<Vec<_>>());
}

impl Bed {
    async fn follow_again(&self) -> Difference {
        commit::sync(&self.store, self.config.clone(), self.now).await.unwrap()
    }
}

#[tokio::test]
async fn store_that_is_in_use_foreign_or_newer_is_refused_unchanged() {
    let bed = Bed::new(three_feeds(ALL)).await;
    let path = bed.folder.path().join("newswire.db");
    let second = Store::open(&path, "another");
    assert!(matches!(&second, Err(StoreError::Held(holder)) if holder.starts_with("a test")), "{:?}", second.err());

    let foreign = bed.folder.path().join("foreign.db");
    sqlite(&foreign, "CREATE TABLE theirs (x)");
    check_refused(&foreign, |error| matches!(error, StoreError::Foreign));
    let text = bed.folder.path().join("notes.txt");
    std::fs::write(&text, "not a database at all, but somebody's notes").unwrap();
    check_refused(&text, |error| matches!(error, StoreError::Foreign));

    let newer = bed.folder.path().join("newer.db");
    drop(Store::open(&newer, "a test").unwrap());
    sqlite(&newer, "PRAGMA user_version = 999");
    check_refused(&newer, |error| matches!(error, StoreError::Newer { found: 999, .. }));
}

fn check_refused(path: &Path, is_expected: impl Fn(&StoreError) -> bool) {
    let before = std::fs::read(path).unwrap();
    let error = Store::open(path, "a test").err().unwrap();
    assert!(is_expected(&error), "{error:?}");
    assert_eq!(std::fs::read(path).unwrap(), before);
}

fn sqlite(path: &Path, sql: &str) {
    sql::open(path).execute_batch(sql).unwrap();
}

async fn search(bed: &Bed, words: &str) -> Vec<SearchHit> {
    let (config, query) = (bed.config.clone(), Query::parse(words).0);
    bed.store.read(move |reader| shown::find(reader, &config, &query, 10)).await.unwrap().hits
}

#[tokio::test]
async fn search_finds_words_of_stories_once_they_are_indexed() {
    let mut bed = Bed::new(three_feeds(ALL)).await;
    bed.poll("origin", &[entry("https://origin.example/1", "Ferries", "the quay at night")]).await;
    while commit::index_batch(&bed.store).await.unwrap() > 0 {}
    let hits = search(&bed, "quay nigh").await;
    assert_eq!(hits.len(), 1);
    assert_eq!((hits[0].title.as_str(), hits[0].sections.as_slice()), ("Ferries", [SectionId::from("all")].as_slice()));
    bed.poll("origin", &[entry("https://origin.example/1", "Ferries", "the dock at dawn")]).await;
    while commit::index_batch(&bed.store).await.unwrap() > 0 {}
    assert!(search(&bed, "quay").await.is_empty());
    assert!(search(&bed, "\"dock* OR").await.is_empty(), "operators in the search words are read as words");
}

#[tokio::test]
async fn edition_that_did_not_change_keeps_its_time() {
    let bed = Bed::new(three_feeds(ALL)).await;
    let note = async |hash: u8, at| {
        let notes = bed.store.note_editions(vec![("all.atom".to_owned(), vec![hash])], None, at).await.unwrap();
        (notes[0].changed, notes[0].is_new)
    };
    assert_eq!(note(1, start()).await, (start(), true));
    assert_eq!(note(1, start() + HOUR).await, (start(), false));
    assert_eq!(note(2, start() + HOUR).await, (start() + HOUR, true));
    assert_eq!(note(3, start()).await, (start() + HOUR, true), "the clock went back, Last-Modified does not");
}

#[tokio::test]
async fn all_waiting_for_a_locked_store_get_an_error_and_later_work_continues() {
    let mut bed = Bed::new(three_feeds(ALL)).await;
    let other = sql::open(bed.folder.path().join("newswire.db"));
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let note = |hash: u8| bed.store.note_editions(vec![(format!("{hash}.atom"), vec![hash])], None, start());
    let (one, two, three) = tokio::join!(note(1), note(2), note(3));
    for result in [one, two, three] {
        let changed = result.unwrap_err().to_string();
        assert!(changed.starts_with("the store is locked by "), "{changed}");
    }
    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(bed.poll("origin", &[entry("https://origin.example/1", "One", "text")]).await.new, 1);
}
