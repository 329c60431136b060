//! The cost of publishing: only documents that a change affects are read and rendered again.

use crate::support::bed;
use crate::support::sql;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bed::{ALL, Bed, HOUR, config, entry, own_words, polled, three_feeds};
use newswire::commit;
use newswire::config::Config;
use newswire::feed::{FeedId, SectionId};
use newswire::newsroom::Outcome;
use newswire::publish::{ContentCoding, Edition, Publisher};
use newswire::render::Pages;
use newswire::store::KnownInfo;

/// Polls a document that has one story and gives the feed this title.
async fn poll_with_title(bed: &mut Bed, feed: &str, title: &str) {
    bed.now = bed.now + HOUR;
    let story = entry(&format!("https://{feed}.example/1"), &format!("Story of {feed}"), &own_words(feed));
    let mut polled = polled(feed, bed.now, &[story]);
    if let Outcome::Document(document) = &mut polled.outcome {
        document.info.title = Some(title.to_owned());
    }
    commit::apply(&bed.store, bed.config.clone(), polled).await.unwrap();
}

async fn info(bed: &Bed, feed: &str, before: Option<KnownInfo>) -> KnownInfo {
    let feed = FeedId::from(feed);
    bed.store.read(move |reader| reader.feed_info(&feed, before.as_ref())).await.unwrap()
}

#[tokio::test]
async fn information_about_a_feed_is_parsed_again_only_after_it_changed() {
    let mut bed = Bed::new(three_feeds(ALL)).await;
    poll_with_title(&mut bed, "origin", "Before").await;
    let first = info(&bed, "origin", None).await;
    poll_with_title(&mut bed, "origin", "Before").await;
    poll_with_title(&mut bed, "wire", "Other").await;
    let second = info(&bed, "origin", Some(first.clone())).await;
    assert!(Arc::ptr_eq(&first.info, &second.info));
    poll_with_title(&mut bed, "origin", "After").await;
    let third = info(&bed, "origin", Some(second)).await;
    assert_eq!(third.info.title.as_deref(), Some("After"));
    assert_eq!(info(&bed, "wire", Some(third)).await.info.title.as_deref(), Some("Other"), "each feed has its own");
}

/// Returns a config with this site title and twenty sections, each with a feed of its own.
fn twenty_sections(title: &str) -> Arc<Config> {
    let section = |number: usize| {
        format!(
            "[[feed]]\nid = \"f{number}\"\nurl = \"https://f{number}.example/feed\"\n\
             [[section]]\nid = \"s{number}\"\nfeeds = [\"f{number}\"]\n"
        )
    };
    let sections: String = (0..20).map(section).collect();
    config(&format!("[site]\ntitle = \"{title}\"\nurl = \"https://news.example.org/\"\n{sections}"))
}

async fn publish(bed: &Bed, publisher: &Publisher, sections: impl IntoIterator<Item = SectionId>) {
    let published = publisher.publish(&bed.config, &sections.into_iter().collect(), bed.now).await.unwrap();
    assert!(published.errors.is_empty(), "{:?}", published.errors);
}

/// Returns a site of twenty published sections with a story each.
async fn site() -> (Bed, Publisher) {
    let mut bed = Bed::new(twenty_sections("Twenty")).await;
    for number in 0..20 {
        poll_with_title(&mut bed, &format!("f{number}"), "A feed").await;
    }
    let publisher = Publisher::new(bed.store.clone(), Pages::new(&[]).unwrap().with_search());
    let all: Vec<_> = bed.config.sections.iter().map(|section| section.id.clone()).collect();
    publish(&bed, &publisher, all).await;
    (bed, publisher)
}

/// Polls a feed with one more story. Returns the sections to publish.
async fn add_story(bed: &mut Bed, feed: &str, title: &str) -> BTreeSet<SectionId> {
    let stories = [
        entry(&format!("https://{feed}.example/2"), title, &own_words("second")),
        entry(&format!("https://{feed}.example/1"), &format!("Story of {feed}"), &own_words(feed)),
    ];
    bed.now = bed.now + HOUR;
    let mut polled = polled(feed, bed.now, &stories);
    if let Outcome::Document(document) = &mut polled.outcome {
        document.info.title = Some("A feed".to_owned());
    }
    commit::apply(&bed.store, bed.config.clone(), polled).await.unwrap().sections.into_keys().collect()
}

fn editions(publisher: &Publisher) -> BTreeMap<String, Arc<Edition>> {
    publisher.current().all().map(|(path, edition)| (path, edition.clone())).collect()
}

#[tokio::test]
async fn change_of_one_section_of_twenty_reads_and_replaces_no_other() {
    let (mut bed, publisher) = site().await;
    let before = editions(&publisher);
    let changed = add_story(&mut bed, "f3", "Second story").await;
    assert_eq!(changed, BTreeSet::from([SectionId::from("s3")]));
    // Damages the stories of all other sections, so that reading one of them fails.
    let store = sql::open(bed.store.path());
    let corrupt = "UPDATE body SET value = '{broken' WHERE entry IN
                   (SELECT entry.number FROM entry JOIN feed ON feed.number = entry.feed WHERE feed.id <> 'f3')";
    assert_eq!(store.execute(corrupt, []).unwrap(), 19);
    publish(&bed, &publisher, changed).await;
    let after = editions(&publisher);
    assert_eq!(after.len(), before.len());
    let replaced: Vec<&str> =
        after.iter().filter(|(path, edition)| !Arc::ptr_eq(&before[*path], edition)).map(|(path, _)| &**path).collect();
    assert_eq!(replaced, ["", "s3.atom", "s3.json", "s3.rss", "s3/"]);
    for path in replaced {
        let body = String::from_utf8_lossy(&after[path].identity).to_lowercase();
        assert!(body.contains("second story") || body.contains("second-story"), "{path}: {body}");
    }
    let index = String::from_utf8_lossy(&after[""].identity);
    // The index shows stories of the first eight sections, and only links to the others.
    assert!((0..8).all(|number| index.contains(&format!("Story of f{number}<"))), "{index}");
    assert!((8..20).all(|number| index.contains(&format!("<li><a href=\"/s{number}/\" dir=\"auto\">"))), "{index}");
}

#[tokio::test]
async fn documents_without_stories_change_only_with_the_config_or_the_templates() {
    let (mut bed, publisher) = site().await;
    let before = editions(&publisher);
    let all: Vec<_> = bed.config.sections.iter().map(|section| section.id.clone()).collect();
    publish(&bed, &publisher, all.clone()).await;
    assert!(editions(&publisher).iter().all(|(path, edition)| Arc::ptr_eq(&before[path], edition)));
    bed.follow(twenty_sections("Score")).await;
    publish(&bed, &publisher, []).await;
    let after = editions(&publisher);
    for path in ["", "about/", "404.html"] {
        assert!(String::from_utf8_lossy(&after[path].identity).contains("Score"), "{path}");
    }
    assert!(Arc::ptr_eq(&before["style.css"], &after["style.css"]));
    let style = ("style.css".to_owned(), "body { color: red }".to_owned());
    publisher.set_pages(Pages::new(&[style]).unwrap());
    publish(&bed, &publisher, []).await;
    assert_eq!(editions(&publisher)["style.css"].identity, "body { color: red }");
}

#[tokio::test]
async fn edition_is_compressed_only_in_the_codings_that_readers_asked_for() {
    let (mut bed, publisher) = site().await;
    let made = |edition: &Edition| ContentCoding::ALL.map(|coding| edition.has_coding(coding));
    let first = editions(&publisher)["s3.atom"].clone();
    assert_eq!(made(&first), [None; 3]);
    assert!(first.coded(ContentCoding::Gzip).await.is_some());
    assert_eq!(made(&first), [None, None, Some(true)]);
    let changed = add_story(&mut bed, "f3", "Second story").await;
    publish(&bed, &publisher, changed.clone()).await;
    let second = editions(&publisher)["s3.atom"].clone();
    assert_eq!(made(&second), [None; 3]);
    let coded = second.coded(ContentCoding::Brotli).await.unwrap();
    publish(&bed, &publisher, changed).await;
    let third = editions(&publisher)["s3.atom"].coded(ContentCoding::Brotli).await.unwrap();
    assert_eq!(coded.as_ptr(), third.as_ptr(), "the same bytes keep their codings");
}

#[tokio::test]
async fn folder_update_after_one_change_does_not_write_other_files() {
    let (mut bed, publisher) = site().await;
    let folder = tempfile::tempdir().unwrap();
    publisher.update_folder(&bed.config, folder.path()).await.unwrap();
    let slug = |publisher: &Publisher, at: usize| publisher.current().shown().nth(at).unwrap().clone();
    let pages = [0, 3].map(|at| folder.path().join(format!("story/{}/index.html", slug(&publisher, at))));
    for file in ["s0.atom", "s3.atom", "feeds/index.html"].map(|file| folder.path().join(file)).iter().chain(&pages) {
        std::fs::write(file, "touched").unwrap();
    }
    let changed = add_story(&mut bed, "f3", "Second story").await;
    publish(&bed, &publisher, changed).await;
    publisher.update_folder(&bed.config, folder.path()).await.unwrap();
    let is_written = |file: &std::path::Path| std::fs::read_to_string(file).unwrap() != "touched";
    assert_eq!([is_written(&folder.path().join("s0.atom")), is_written(&folder.path().join("s3.atom"))], [false, true]);
    assert_eq!(pages.each_ref().map(|page| is_written(page)), [false, false], "no story that was there has changed");
    let stories = std::fs::read_dir(folder.path().join("story")).unwrap();
    assert_eq!(stories.count(), 21, "the new story has a page");
    assert!(!is_written(&folder.path().join("feeds/index.html")), "the list of feeds is written once a minute");
    publisher.write_folder(&bed.config, folder.path()).await.unwrap();
    assert!(is_written(&folder.path().join("feeds/index.html")), "and whenever an editor asks for the folder");
}
