//! One feed cannot block the store's writer or push all other feeds out of a section. The cost of a poll depends on the
//! size of its document, and the cost of a story on what a page can show. It does not matter how many entries share a
//! text, a link or a story.

use crate::support::bed;
use crate::support::sql;

use std::sync::Arc;
use std::time::Duration;

use bed::{ALL, Bed, DAY, HOUR, config, entry, own_words, polled, start, three_feeds};
use newswire::commit::{self, Mode};
use newswire::config::Config;
use newswire::entry::{Category, Entry};
use newswire::newsroom::Outcome;
use newswire::section::{self, MAX_COPIES};
use rustix::time::{ClockId, clock_gettime};
use url::Url;

const TITLE: &str = "Harbour board votes to reopen the old quay";

const TEXT: &str = "The harbour board voted on Tuesday evening to reopen the old quay, which has been closed to the public \
since a crane fell into the water. Fishermen who had argued for the step filled the hall and applauded. Repairs will begin in \
spring, the chairwoman announced, provided that the divers find no further damage beneath the northern wall.";

const ORIGINAL: &str = "https://origin.example/0";

/// Returns entries with the same text, each with its own guid and link. They are dated a day before the test starts.
fn copies(poll: usize, number: usize) -> Vec<Entry> {
    let copy = |at: usize| {
        let mut copy = entry(&format!("https://other.example/{poll}/{at}"), TITLE, TEXT);
        copy.published = Some(start() - DAY);
        copy
    };
    (0..number).map(copy).collect()
}

/// Returns entries with different texts and guids, all with the same link.
fn under_one_link(poll: usize, number: usize) -> Vec<Entry> {
    let item = |at: usize| {
        let mut item =
            entry("https://other.example/live", &format!("Item {at} of {poll}"), &own_words(&format!("w{poll}x{at}y")));
        item.guid.value = format!("{poll}-{at}");
        item
    };
    (0..number).map(item).collect()
}

/// Returns an entry with [`TEXT`], and forty entries with other titles and another text.
fn origins() -> Vec<Entry> {
    let other = |at: usize| entry(&format!("https://origin.example/{at}"), &format!("Story {at}"), &own_words("s"));
    std::iter::once(entry(ORIGINAL, TITLE, TEXT)).chain((1..41).map(other)).collect()
}

/// Returns a config whose section shows up to a hundred stories.
fn long_section() -> Arc<Config> {
    three_feeds(&format!("{ALL}\nlimit = 100"))
}

/// Returns how many stories of the feed `origin` the section shows.
async fn shown_of_origin(bed: &Bed) -> usize {
    bed.shown("all").await.iter().filter(|story| story.id.starts_with("https://origin.example/")).count()
}

#[tokio::test]
async fn feed_that_repeats_a_text_adds_one_copy_and_pushes_no_story_out() {
    let mut bed = Bed::new(long_section()).await;
    bed.poll("origin", &origins()).await;
    assert_eq!(bed.poll("other", &copies(0, 150)).await.joined, 1);
    assert_eq!(bed.poll("other", &copies(1, 150)).await.joined, 0);
    let feeds: Vec<_> = bed.copies(ORIGINAL).await.iter().map(|copy| copy.feed.to_string()).collect();
    assert_eq!(feeds, ["origin", "other"]);
    assert_eq!(shown_of_origin(&bed).await, 41);
    let late = entry("https://wire.example/1", TITLE, TEXT);
    assert_eq!(bed.poll("wire", &[late]).await.joined, 1, "a repeated text is still recognised");
    assert_eq!(bed.copies(ORIGINAL).await.len(), 3);
}

#[tokio::test]
async fn undated_entries_of_a_large_document_keep_its_order() {
    let mut bed = Bed::new(three_feeds(&format!("{ALL}\nlimit = 250"))).await;
    let item = |at: usize| entry(&format!("https://other.example/{at}"), &format!("Item {at}"), "text");
    let entries: Vec<Entry> = (0..250).map(item).collect();
    assert_eq!(bed.poll("other", &entries).await.new, 250);
    assert!(bed.titles("all").await.into_iter().eq(entries.into_iter().map(|entry| entry.title)));
}

#[tokio::test]
async fn feed_that_edits_all_its_entries_into_one_text_adds_one_copy() {
    let mut bed = Bed::new(long_section()).await;
    bed.poll("origin", &origins()).await;
    let harmless = |at: usize| {
        entry(&format!("https://other.example/0/{at}"), &format!("Soup {at}"), &own_words(&format!("soup{at}x")))
    };
    bed.poll("other", &(0..40).map(harmless).collect::<Vec<_>>()).await;
    let applied = bed.poll("other", &copies(0, 40)).await;
    assert_eq!((applied.revised, applied.merged), (40, 1));
    assert_eq!(bed.copies(ORIGINAL).await.len(), 2);
}

#[tokio::test]
async fn two_stories_with_a_copy_of_one_feed_stay_apart_until_an_editor_joins_them() {
    let mut bed = Bed::new(long_section()).await;
    let twice = [entry("https://wire.example/1", TITLE, TEXT), entry("https://wire.example/2", TITLE, TEXT)];
    bed.poll("wire", &twice).await;
    let mut both = entry("https://other.example/a", TITLE, TEXT);
    both.link = Url::parse("https://wire.example/1").ok();
    both.original = Url::parse("https://wire.example/2").ok();
    let applied = bed.poll("other", &[both]).await;
    assert_eq!((applied.joined, applied.merged), (1, 0));
    let (a, b) = (bed.find("https://wire.example/1").await.number, bed.find("https://wire.example/2").await.number);
    commit::join(&bed.store, bed.config.clone(), (a, b), Mode::Perform, bed.now).await.unwrap();
    assert_eq!(bed.copies("https://wire.example/1").await.len(), 3);
}

/// Returns a config of many feeds, all of which publish one text. The last feed is on the site of the original. The
/// feed before it has its own section.
fn crowd(number: usize) -> Arc<Config> {
    let feeds = (0..number).map(|at| {
        format!("[[feed]]\nid = \"f{at}\"\nurl = \"https://f{at}.example/feed\"\npriority = {}\n", usize::from(at < 5))
    });
    let feeds: String = feeds.collect();
    let own = format!("[[section]]\nid = \"own\"\ntitle = \"Own\"\nfeeds = [\"f{}\"]", number - 2);
    config(&format!("[site]\ntitle = \"T\"\n{feeds}\n{ALL}\n{own}"))
}

#[tokio::test]
async fn story_of_very_many_feeds_keeps_its_lead_and_the_copies_of_all_sections() {
    let number = MAX_COPIES + 20;
    let mut bed = Bed::new(crowd(number)).await;
    let page = format!("https://f{}.example/page", number - 1);
    for at in 0..number {
        let mut copy = entry(&format!("https://f{at}.example/{at}"), TITLE, TEXT);
        copy.link = Url::parse(&page).ok();
        bed.poll(&format!("f{at}"), &[copy]).await;
    }
    let shown = bed.shown("all").await;
    assert_eq!(shown.len(), 1);
    assert_eq!(shown[0].copies.len(), MAX_COPIES);
    assert_eq!(
        shown[0].copies[0].feed.to_string(),
        format!("f{}", number - 1),
        "the copy at the original's host leads"
    );
    let own = bed.shown("own").await;
    assert_eq!(own.len(), 1, "a section shows the copy of its feed, whatever other copies there are");
    assert_eq!(own[0].copies.len(), 1);
    assert_eq!(bed.copies(&page).await.len(), number, "the store keeps all copies");
}

#[tokio::test]
async fn story_with_very_many_copies_of_one_feed_is_read_with_few_of_them() {
    let mut bed = Bed::new(long_section()).await;
    bed.poll("origin", &origins()).await;
    bed.poll("other", &copies(0, 100)).await;
    let Bed { folder, store, config, now } = bed;
    drop(store);
    let path = folder.path().join("newswire.db");
    let connection = sql::open(&path);
    let filled = "UPDATE entry SET story = (SELECT story FROM entry WHERE guid = ?1), reason = 'text'
                  WHERE feed = (SELECT number FROM feed WHERE id = 'other')";
    assert_eq!(connection.execute(filled, [ORIGINAL]).unwrap(), 100);
    drop(connection);
    let store = newswire::store::Store::open(&path, "a test").unwrap();
    let mut bed = Bed { folder, store, config, now };
    let shown = bed.shown("all").await;
    let story = shown.iter().find(|story| story.id == ORIGINAL).unwrap();
    assert_eq!(story.copies.len(), 5, "the original, and four copies of the other feed");
    assert!(story.copies[0].lead && story.copies[0].feed.to_string() == "origin");
    assert_eq!(bed.copies(ORIGINAL).await.len(), 101, "no copy is removed from the store");
    assert_eq!(bed.poll("wire", &[entry("https://wire.example/1", TITLE, TEXT)]).await.joined, 1);
}

#[tokio::test]
async fn feed_with_very_long_stories_leaves_room_for_other_feeds() {
    let mut bed = Bed::new(long_section()).await;
    bed.poll("origin", &origins()).await;
    let long = "word ".repeat(40_000);
    let stories: Vec<Entry> = (0..30)
        .map(|at| entry(&format!("https://other.example/{at}"), &format!("Long {at}"), &format!("{at} {long}")))
        .collect();
    bed.poll("other", &stories).await;
    let shown = bed.shown("all").await;
    assert!(shown[0].id.starts_with("https://other.example/"), "the very long stories are the newest");
    assert_eq!(shown_of_origin(&bed).await, 41);
    assert!(shown.iter().map(section::weight).sum::<usize>() <= 1024 * 1024);
}

#[tokio::test]
async fn copy_with_very_long_fields_does_not_shorten_another_copy() {
    let mut bed = Bed::new(long_section()).await;
    bed.poll("origin", &origins()).await;
    let mut copy = entry("https://other.example/a", TITLE, TEXT);
    copy.link = Url::parse(&format!("https://other.example/{}", "a".repeat(300_000))).ok();
    copy.rights = Some("mine ".repeat(100_000));
    copy.categories = (0..500)
        .map(|at| Category { term: format!("term {at} {}", "x".repeat(900)), scheme: None, label: None })
        .collect();
    copy.contributors = vec![newswire::entry::Person::named("y".repeat(300_000))];
    assert_eq!(bed.poll("other", &[copy]).await.joined, 1);
    let shown = bed.shown("all").await;
    let story = shown.iter().find(|story| story.id == ORIGINAL).unwrap();
    assert_eq!(story.entry.content_html.as_deref(), Some(&*format!("<p>{TEXT}</p>")));
    assert!(section::weight(story) < 256 * 1024, "{}", section::weight(story));
    assert_eq!(shown.len(), 41);
}

#[tokio::test]
async fn page_that_returns_under_a_new_guid_is_the_same_entry() {
    let mut bed = Bed::new(long_section()).await;
    let page = entry("https://other.example/page", TITLE, TEXT);
    let others: Vec<Entry> = (0..5)
        .map(|at| entry(&format!("https://other.example/{at}"), &format!("Soup {at}"), &own_words(&format!("s{at}x"))))
        .collect();
    let with_page = |page: &Entry| [std::slice::from_ref(page), &others[..]].concat();
    bed.poll("other", &with_page(&page)).await;
    bed.poll("other", &others).await;
    bed.poll("other", &others).await;
    let mut again = page.clone();
    again.guid.value = "again".to_owned();
    let applied = bed.poll("other", &with_page(&again)).await;
    assert_eq!((applied.new, applied.rekeyed), (0, 1));
    // The document lists the page under two guids. The entry with the known guid is not cleaned again, because it has
    // not changed.
    let mut twice = again.clone();
    twice.guid.value = "twice".to_owned();
    bed.now = bed.now + HOUR;
    let mut polled = polled("other", bed.now, &[&[twice.clone()], &with_page(&again)[..]].concat());
    let Outcome::Document(document) = &mut polled.outcome else { unreachable!() };
    document.entries[1].cleaned = None;
    assert_eq!(commit::apply(&bed.store, bed.config.clone(), polled).await.unwrap().new, 0);
    assert_eq!(bed.titles("all").await.iter().filter(|title| *title == TITLE).count(), 1);
    assert_eq!(bed.poll("other", &with_page(&twice)).await.new, 0, "the other guid belongs to the same entry");
}

#[tokio::test]
async fn link_that_very_many_entries_share_joins_no_stories() {
    let mut bed = Bed::new(long_section()).await;
    bed.poll("other", &under_one_link(0, 1)).await;
    for poll in 1..3 {
        assert_eq!(bed.poll("other", &under_one_link(poll, 150)).await.new, 150);
    }
    let remark = entry("https://other.example/live", "Worth reading", "indeed");
    assert_eq!(bed.poll("wire", &[remark]).await.joined, 0);
}

/// Returns the processor time that this process spends until the document is stored. The time of other programs and of
/// the disk does not count.
async fn time(bed: &mut Bed, entries: &[Entry]) -> Duration {
    let spent = || Duration::try_from(clock_gettime(ClockId::ProcessCPUTime)).unwrap();
    bed.now = bed.now + HOUR;
    let polled = polled("other", bed.now, entries);
    let began = spent();
    commit::apply(&bed.store, bed.config.clone(), polled).await.unwrap();
    spent() - began
}

/// The number of consecutive polls. At the last polls the section's archive has several documents.
const POLLS: usize = 5;

/// Polls documents of `number` entries, one after another. Returns the time of each poll.
async fn polls(document: fn(usize, usize) -> Vec<Entry>, number: usize) -> [Duration; POLLS] {
    let mut bed = Bed::new(three_feeds(ALL)).await;
    bed.poll("origin", &origins()).await;
    let mut times = [Duration::ZERO; POLLS];
    for (poll, took) in times.iter_mut().enumerate() {
        *took = time(&mut bed, &document(poll, number)).await;
    }
    if std::env::var_os("NEWSWIRE_TIMES").is_some() {
        eprintln!("{number}: {times:?}");
    }
    times
}

/// Asserts that twice the entries take at most three times as long. Also asserts that the last poll takes at most twice
/// as long as the one before it, although the archive is larger. Tests that run at the same time can only make a poll
/// slower, so each time is the shortest of several runs.
async fn check_growth(document: fn(usize, usize) -> Vec<Entry>) {
    const NUMBER: usize = 500;
    let (mut once, mut twice) = ([Duration::MAX; POLLS], [Duration::MAX; POLLS]);
    for _ in 0..6 {
        for (least, number) in [(&mut once, NUMBER), (&mut twice, 2 * NUMBER)] {
            let times = polls(document, number).await;
            least.iter_mut().zip(times).for_each(|(least, took)| *least = took.min(*least));
        }
        let is_linear = once.iter().zip(&twice).all(|(once, twice)| *twice <= *once * 3);
        if is_linear && [once, twice].iter().all(|times| times[POLLS - 1] <= times[POLLS - 2] * 2) {
            return;
        }
    }
    panic!("{NUMBER} entries: {once:?}, {} entries: {twice:?}", 2 * NUMBER);
}

#[tokio::test]
async fn cost_of_a_poll_depends_on_its_document_even_if_many_entries_share_a_text_or_link() {
    for document in [copies, under_one_link] {
        check_growth(document).await;
    }
}

/// Prints the times of larger documents. Run it with `NEWSWIRE_TIMES=1 cargo test --test it growth_store -- --ignored
/// --nocapture`.
#[tokio::test]
#[ignore = "prints times and checks nothing"]
async fn times_of_large_documents() {
    for number in [1250, 2500, 5000] {
        polls(copies, number).await;
        polls(under_one_link, number).await;
    }
    for (number, words) in [(1000, 300), (5000, 300), (100, 10_000), (400, 10_000)] {
        let of = |feed: &str| -> Vec<Entry> {
            let text =
                |at: usize| (0..words).map(|word| format!("Word{} ", (word * 7 + at) % 3000)).collect::<String>();
            let entry = |at: usize| {
                entry(&format!("https://{feed}.example/{at}"), &format!("Some title of the text of {at}"), &text(at))
            };
            (0..number).map(entry).collect()
        };
        let mut bed = Bed::new(three_feeds(ALL)).await;
        bed.poll("origin", &of("origin")).await;
        let took = time(&mut bed, &of("other")).await;
        eprintln!("{number} texts of {words} words that another feed has: {took:?}");
    }
}
