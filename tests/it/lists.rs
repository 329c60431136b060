//! The lists of feeds: pages of a limited size, and OPML documents that are rendered when they are requested.

use crate::support;
use crate::support::bed;

use std::collections::BTreeSet;
use std::sync::Arc;

use bed::{Bed, HOUR, config, entry, own_words, polled};
use newswire::commit;
use newswire::config::Config;
use newswire::feed::SectionId;
use newswire::newsroom::Outcome;
use newswire::publish::{Edition, Publisher};
use newswire::render::Pages;
use support::daemon::*;

/// Returns a config with this many feeds `f0`, `f1` and so on in the section "all". The last of them is disabled. The
/// config also has a section of two feeds, and a private section with a feed of its own.
fn site(feeds: usize) -> Arc<Config> {
    let feed = |number: usize| {
        let enabled = number + 1 < feeds;
        format!(
            "[[feed]]\nid = \"f{number}\"\nurl = \"https://f{number}.example/feed\"\nenabled = {enabled}\ntags = [\"open\"]\n"
        )
    };
    let feeds: String = (0..feeds).map(feed).collect();
    config(&format!(
        "[site]\ntitle = \"Test\"\nurl = \"https://news.example.org/wire/\"\n{feeds}\
         [[feed]]\nid = \"canary-feed\"\nurl = \"https://canary.example/feed\"\n\
         [[section]]\nid = \"all\"\ntitle = \"All\"\nfeeds = [\"tag:open\"]\n\
         [[section]]\nid = \"few\"\ntitle = \"A few\"\nfeeds = [\"f1\", \"f0\"]\n\
         [[section]]\nid = \"inner\"\nfeeds = [\"canary-feed\", \"f0\"]\ntoken = \"a-long-enough-token\"\n"
    ))
}

async fn published(bed: &Bed) -> Publisher {
    let publisher = Publisher::new(bed.store.clone(), Pages::new(&[]).unwrap().with_search());
    publish(bed, &publisher).await;
    publisher
}

async fn publish(bed: &Bed, publisher: &Publisher) {
    let sections: BTreeSet<SectionId> = bed.config.sections.iter().map(|section| section.id.clone()).collect();
    let published = publisher.publish(&bed.config, &sections, bed.now).await.unwrap();
    assert!(published.errors.is_empty(), "{:?}", published.errors);
}

async fn made(bed: &Bed, publisher: &Publisher, path: &str) -> Option<Arc<Edition>> {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let parameter =
        |name: &str| query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('=')).map(str::to_owned);
    publisher.make(&bed.config, path, parameter).await.unwrap()
}

async fn page(bed: &Bed, publisher: &Publisher, path: &str) -> String {
    let page = made(bed, publisher, path).await.unwrap_or_else(|| panic!("{path} does not exist"));
    String::from_utf8(page.identity.to_vec()).unwrap()
}

fn rows(page: &str) -> usize {
    page.matches("<th scope=\"row\">").count()
}

#[tokio::test]
async fn page_of_the_list_names_at_most_120_feeds_and_links_to_the_next() {
    let bed = Bed::new(site(290)).await;
    let publisher = published(&bed).await;
    let check = |page: &str, expected: usize, parts: &[&str], absent: &[&str]| {
        assert_eq!(rows(page), expected);
        for part in parts {
            assert!(page.contains(part), "{part}\n{page}");
        }
        for part in absent {
            assert!(!page.contains(part), "{part}\n{page}");
        }
    };
    let next = "<link rel=\"next\" href=\"/wire/feeds/2/\">";
    let totals = ["290 feeds", ">289 new<", ">1 disabled<"];
    let first = page(&bed, &publisher, "feeds/").await;
    check(
        &first,
        120,
        &[&totals[..], &[next, "Page 1 of 3", ">f119<"]].concat(),
        &["rel=\"prev\"", ">f120<", "canary"],
    );
    let second = page(&bed, &publisher, "feeds/2/").await;
    let links =
        ["<link rel=\"prev\" href=\"/wire/feeds/\">", "<a href=\"/wire/feeds/3/\" rel=\"next\">", "Page 2 of 3"];
    check(&second, 120, &[&totals[..], &links, &[">f120<"]].concat(), &[">f119<"]);
    assert!(first.len() < 60_000, "{}", first.len());
    check(&page(&bed, &publisher, "feeds/3/").await, 50, &["Page 3 of 3", ">f289<"], &["rel=\"next\""]);
    for path in ["feeds/4/", "feeds/1/", "feeds/02/", "feeds/0/", "feeds/99999999999999999999/"] {
        assert!(made(&bed, &publisher, path).await.is_none(), "{path}");
    }
}

#[tokio::test]
async fn list_is_filtered_by_state_and_public_section_and_unknown_values_change_nothing() {
    let bed = Bed::new(site(250)).await;
    let publisher = published(&bed).await;
    let whole = page(&bed, &publisher, "feeds/").await;
    assert!(whole.contains("href=\"/wire/feeds/?state=disabled\""), "{whole}");
    let disabled = page(&bed, &publisher, "feeds/?state=disabled").await;
    assert!(rows(&disabled) == 1 && disabled.contains(">f249<"), "{disabled}");
    assert!(
        disabled.contains("<a href=\"/wire/feeds/?state=disabled\" aria-current=\"true\">1 disabled</a>"),
        "{disabled}"
    );
    assert!(disabled.contains("<a href=\"/wire/feeds/\">250 feeds</a>"), "{disabled}");
    let new = page(&bed, &publisher, "feeds/3/?state=new").await;
    assert!(rows(&new) == 9 && new.contains("<link rel=\"prev\" href=\"/wire/feeds/2/?state=new\">"), "{new}");
    let few = page(&bed, &publisher, "feeds/?section=few").await;
    assert!(rows(&few) == 2 && few.contains("Feeds of <bdi>A few</bdi>") && few.contains("/wire/few.opml"), "{few}");
    assert_eq!(rows(&page(&bed, &publisher, "feeds/?section=few&state=failing").await), 0);
    for unknown in ["feeds/?state=odd", "feeds/?section=nothing", "feeds/?section=inner", "feeds/?state=&x=y"] {
        assert!(page(&bed, &publisher, unknown).await == whole, "{unknown}");
    }
}

#[tokio::test]
async fn section_page_names_its_first_twenty_feeds_and_links_to_all() {
    let bed = Bed::new(site(1234)).await;
    let publisher = published(&bed).await;
    let folder = tempfile::tempdir().unwrap();
    publisher.write_folder(&bed.config, folder.path()).await.unwrap();
    let read = |file: &str| std::fs::read_to_string(folder.path().join(file)).unwrap();
    let served = String::from_utf8(publisher.current().edition("all/").unwrap().identity.to_vec()).unwrap();
    for (page, link) in [(served, "/wire/feeds/?section=all"), (read("all/index.html"), "/wire/all.opml")] {
        assert!(page.contains("<bdi>f19</bdi>") && !page.contains("<bdi>f20</bdi>"), "{page}");
        assert!(page.contains(&format!("<a href=\"{link}\">All 1,234 feeds</a>")), "{page}");
    }
    assert!(!read("few/index.html").contains("All 2 feeds"), "a short list shows all feeds");
    // Pages in a folder have no filters, because there is no server to apply them.
    assert_eq!([rows(&read("feeds/index.html")), rows(&read("feeds/11/index.html"))], [120, 34]);
    assert!(!folder.path().join("feeds/12").exists());
    for file in ["feeds/index.html", "feeds/2/index.html", "all/index.html"] {
        assert!(!read(file).contains("feeds/?"), "{file}");
    }
    assert_eq!(read("all.opml").matches("<outline ").count(), 1234);
    assert_eq!(read("feeds.opml").matches("<outline ").count(), 1234);
}

/// Polls a document with a new story, which gives the feed this title. Then informs the publisher and publishes, as the
/// daemon does.
async fn poll(bed: &mut Bed, publisher: &Publisher, feed: &str, title: &str) {
    bed.now = bed.now + HOUR;
    let link = format!("https://{feed}.example/{}", bed.now.millis());
    let mut polled = polled(feed, bed.now, &[entry(&link, "A story", &own_words(&bed.now.millis().to_string()))]);
    if let Outcome::Document(document) = &mut polled.outcome {
        document.info.title = Some(title.to_owned());
    }
    let applied = commit::apply(&bed.store, bed.config.clone(), polled).await.unwrap();
    if applied.has_new_info {
        publisher.note_new_info(applied.sections.keys());
    }
    publish(bed, publisher).await;
}

#[tokio::test]
async fn opml_is_rendered_again_only_after_the_title_of_a_feed_changed() {
    let mut bed = Bed::new(site(3)).await;
    let publisher = published(&bed).await;
    poll(&mut bed, &publisher, "f0", "First title").await;
    poll(&mut bed, &publisher, "f2", "Other").await;
    let all = |path: &'static str| made(&bed, &publisher, path);
    let before = [all("all.opml").await, all("few.opml").await, all("feeds.opml").await].map(Option::unwrap);
    poll(&mut bed, &publisher, "f0", "First title").await;
    for (path, before) in ["all.opml", "few.opml", "feeds.opml"].into_iter().zip(&before) {
        let after = made(&bed, &publisher, path).await.unwrap();
        assert!(Arc::ptr_eq(before, &after), "{path}: a new story changes no list");
    }
    poll(&mut bed, &publisher, "f2", "Another").await;
    let few = made(&bed, &publisher, "few.opml").await.unwrap();
    assert!(Arc::ptr_eq(&before[1], &few), "this section does not have the feed");
    for (path, before) in [("all.opml", &before[0]), ("feeds.opml", &before[2])] {
        let after = made(&bed, &publisher, path).await.unwrap();
        assert!(String::from_utf8_lossy(&after.identity).contains("text=\"Another\""), "{path}");
        assert!(after.etag != before.etag && after.last_modified >= before.last_modified, "{path}");
    }
    // A new publisher has rendered nothing yet, as after a restart.
    let again = published(&bed).await;
    let (one, other) = (made(&bed, &again, "few.opml").await.unwrap(), &before[1]);
    assert_eq!((&one.etag, one.last_modified), (&other.etag, other.last_modified));
}

#[tokio::test]
async fn opml_lists_the_feeds_of_the_config_and_private_feeds_only_in_their_section() {
    let mut bed = Bed::new(site(3)).await;
    let publisher = published(&bed).await;
    let outlines = |edition: Arc<Edition>| String::from_utf8_lossy(&edition.identity).matches("<outline ").count();
    let inner = made(&bed, &publisher, "inner.opml").await.unwrap();
    assert_eq!(inner.private, Some(SectionId::from("inner")));
    assert_eq!(outlines(inner), 2);
    let all = made(&bed, &publisher, "feeds.opml").await.unwrap();
    assert!(!String::from_utf8_lossy(&all.identity).contains("canary"));
    assert_eq!(outlines(all), 3);
    bed.follow(site(4)).await;
    publish(&bed, &publisher).await;
    assert_eq!(outlines(made(&bed, &publisher, "feeds.opml").await.unwrap()), 4);
    assert!(made(&bed, &publisher, "nothing.opml").await.is_none());
}

#[test]
fn lists_are_served_with_validators_and_change_with_the_polls() {
    let document = |title: &str| {
        headlines(&[("1", "One")]).replace("<title>The harbour</title>", &format!("<title>{title}</title>"))
    };
    let workspace = Workspace::new(
        "[[feed]]\nid = \"a\"\nurl = \"file:a.xml\"\nschedule = \"every 1 second\"\n[[section]]\nid = \"all\"\nfeeds = [\"*\"]\n",
    );
    workspace.write("a.xml", &document("The first title"));
    let daemon = Daemon::start(&workspace);
    for path in ["/all.opml", "/feeds.opml"] {
        let whole = daemon.get_until(path, "The first title");
        for (condition, validator) in [("If-None-Match", "etag"), ("If-Modified-Since", "last-modified")] {
            let answer = request(&daemon.site, "GET", path, &[(condition, whole.header(validator).unwrap())]);
            assert_eq!(answer.status, 304, "{path} {condition}");
        }
        let coded = request(&daemon.site, "GET", path, &[("Accept-Encoding", "gzip")]);
        assert_eq!(coded.header("content-encoding"), Some("gzip"), "{path}");
    }
    daemon.get_until("/feeds/", "The first title");
    for (from, to) in [("/feeds", "/feeds/"), ("/feeds/2?state=ok", "/feeds/2/?state=ok")] {
        let answer = daemon.get(from);
        assert_eq!((answer.status, answer.header("location")), (308, Some(to)));
    }
    assert_eq!(daemon.get("/feeds/2/").status, 404);
    workspace.write("a.xml", &document("The second title"));
    for path in ["/all.opml", "/feeds.opml", "/feeds/", "/all/"] {
        daemon.get_until(path, "The second title");
    }
}

#[tokio::test]
async fn source_has_a_feed_in_each_format_that_its_page_names() {
    let mut bed = Bed::new(site(3)).await;
    bed.poll("f0", &[entry("https://f0.example/1", "Ferry sinks", &own_words("ferry"))]).await;
    bed.poll("canary-feed", &[entry("https://canary.example/1", "Canary sings", &own_words("canary"))]).await;
    let publisher = published(&bed).await;
    let listing = page(&bed, &publisher, "feeds/f0/").await;
    for format in ["atom", "rss", "json"] {
        let document = made(&bed, &publisher, &format!("feeds/f0.{format}")).await.unwrap();
        let text = String::from_utf8(document.identity.to_vec()).unwrap();
        let own = format!("https://news.example.org/wire/feeds/f0.{format}");
        assert!(document.is_feed && text.contains("Ferry sinks") && text.contains(&own), "{text}");
        assert!(listing.contains(&format!("href=\"{own}\" title=")), "{listing}");
        assert!(
            made(&bed, &publisher, &format!("feeds/canary-feed.{format}")).await.is_none(),
            "only a private section"
        );
    }
    assert!(made(&bed, &publisher, "feeds/f0.opml").await.is_none());
    let folder = tempfile::tempdir().unwrap();
    publisher.write_folder(&bed.config, folder.path()).await.unwrap();
    assert!(folder.path().join("feeds/f0.rss").exists() && folder.path().join("feeds/f0.json").exists());
}
