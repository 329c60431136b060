//! Archives of a section (RFC 5005): no story is lost or archived twice. An archive document changes only if a story
//! must leave it or must lose its text.

use crate::samples;
use crate::support::sql;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use newswire::commit;
use newswire::config::{self, Config, SourceFile};
use newswire::fetch::Fetcher;
use newswire::poll::Poller;
use newswire::publish::{Edition, Publisher};
use newswire::render::Pages;
use newswire::store::Store;
use newswire::time::Timestamp;
use serde_json::Value;
use tempfile::TempDir;

const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);

/// Two file feeds, a section of both, and a clock that the test moves.
struct Workspace {
    folder: TempDir,
    store: Store,
    poller: Poller,
    publisher: Publisher,
    config: Arc<Config>,
    now: Timestamp,
}

impl Workspace {
    /// Creates a workspace. `feed` is TOML with more keys of the feed `a`, and `section` is TOML with more keys of the
    /// section.
    async fn new(feed: &str, section: &str) -> Workspace {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("newswire.db"), "a test").unwrap();
        let publisher = Publisher::new(store.clone(), Pages::new(&[]).unwrap());
        let poller = Poller::new(store.clone(), Fetcher::new(&samples::url("https://contact.example/")), 16);
        let config = config(folder.path(), feed, section);
        let mut workspace =
            Workspace { folder, store, poller, publisher, config, now: samples::time("2026-01-01T00:00:00Z") };
        workspace.put("b", &[]);
        workspace.put("a", &[]);
        workspace.follow(feed, section).await;
        workspace
    }

    async fn follow(&mut self, feed: &str, section: &str) {
        self.config = config(self.folder.path(), feed, section);
        commit::sync(&self.store, self.config.clone(), self.now).await.unwrap();
    }

    fn put(&self, feed: &str, stories: &[(u32, &str)]) {
        let item = |(number, words): &(u32, &str)| {
            format!(
                "<item><guid isPermaLink=\"false\">{feed}-{number}</guid><title>{words} {number}</title>\
                 <link>https://{feed}.example/{number}</link><description>{words}. Of {number}.</description>\
                 <content:encoded>&lt;p&gt;{words}, whole, of {number}.&lt;/p&gt;</content:encoded></item>"
            )
        };
        let items: String = stories.iter().map(item).collect();
        let document = format!(
            "<rss version=\"2.0\" xmlns:content=\"http://purl.org/rss/1.0/modules/content/\"><channel><title>{feed}</title>\
             <link>https://{feed}.example/</link><description>d</description>{items}</channel></rss>"
        );
        std::fs::write(self.folder.path().join(format!("{feed}.xml")), document).unwrap();
    }

    /// Moves the clock by two hours and a minute, so that both feeds are due, whatever minutes their polls are spread
    /// to. Then polls the feeds and publishes the section.
    async fn pass(&mut self) {
        self.now = self.now + HOUR * 2 + HOUR / 60;
        self.poller.poll_due(&self.config, self.now).await.unwrap();
        self.publish().await;
    }

    async fn publish(&self) {
        let mut sections = self.config.sections.iter().map(|section| section.id.clone()).collect::<BTreeSet<_>>();
        while !sections.is_empty() {
            let published = self.publisher.publish(&self.config, &sections, self.now).await.unwrap();
            assert!(published.errors.is_empty(), "{:?}", published.errors);
            sections = published.unfinished;
        }
    }

    async fn get(&self, path: &str) -> Option<Arc<Edition>> {
        let edition = self.publisher.current().edition(path).cloned();
        match edition {
            Some(edition) => Some(edition),
            None => self.publisher.make(&self.config, path, |_| None).await.unwrap(),
        }
    }

    async fn json(&self, path: &str) -> Value {
        serde_json::from_slice(&self.get(path).await.unwrap().identity).unwrap()
    }

    /// Returns the titles of the section document, and of each archive document along the chain, newest first.
    async fn chain(&self) -> Vec<Vec<String>> {
        let mut documents = Vec::new();
        let mut path = Some("all.json".to_owned());
        while let Some(here) = path {
            let document = self.json(&here).await;
            let url = document["feed_url"].as_str().unwrap();
            assert_eq!(url, format!("https://news.example.org/{here}"));
            let titles = document["items"].as_array().unwrap().iter();
            documents.push(titles.map(|item| item["title"].as_str().unwrap().to_owned()).collect());
            let next = document["next_url"].as_str();
            assert_ne!(next, Some(url));
            path = next.map(|next| next.strip_prefix("https://news.example.org/").unwrap().to_owned());
        }
        documents
    }

    /// Returns the ETag and the date of every archive document, in every format.
    async fn archives(&self) -> BTreeMap<String, (String, Timestamp)> {
        let mut found = BTreeMap::new();
        for number in 1.. {
            for extension in ["atom", "rss", "json"] {
                let path = format!("all/archive/{number}.{extension}");
                let Some(document) = self.get(&path).await else { return found };
                found.insert(path, (document.etag.clone(), document.last_modified.unwrap()));
            }
        }
        unreachable!("numbers end")
    }
}

fn config(folder: &std::path::Path, feed: &str, section: &str) -> Arc<Config> {
    let text = format!(
        "[site]\nurl = \"https://news.example.org/\"\n[stories]\ndedup = \"links\"\n\
         [[feed]]\nid = \"a\"\nurl = \"file:a.xml\"\n{feed}\n[[feed]]\nid = \"b\"\nurl = \"file:b.xml\"\n\
         [[section]]\nid = \"all\"\nfeeds = [\"*\"]\nlimit = 10\n{section}\n"
    );
    let file = SourceFile { path: folder.join("newswire.toml"), text };
    let (config, problems) = config::check(&[file], &|_| Err("there are no secrets here".to_owned()));
    Arc::new(config.unwrap_or_else(|| panic!("{problems:?}")))
}

fn words(numbers: std::ops::Range<u32>) -> Vec<(u32, &'static str)> {
    numbers.rev().map(|number| (number, "Words")).collect()
}

/// Asserts that the documents of the chain contain exactly these stories, and that no story is in two archive
/// documents.
fn assert_whole(chain: &[Vec<String>], numbers: std::ops::Range<u32>) {
    let archived: Vec<_> = chain[1..].iter().flatten().collect();
    assert_eq!(archived.len(), archived.iter().collect::<BTreeSet<_>>().len(), "none twice: {chain:?}");
    let published_titles: BTreeSet<_> = chain.iter().flatten().cloned().collect();
    let expected: BTreeSet<_> = numbers.map(|number| format!("Words {number}")).collect();
    assert_eq!(published_titles, expected, "{chain:?}");
}

/// After five hundred more entries the first archive documents are still the same, byte for byte.
#[tokio::test]
async fn archives_stay_unchanged_while_stories_appear_and_nothing_is_lost() {
    let mut workspace = Workspace::new("", "").await;
    workspace.put("a", &words(0..35));
    workspace.pass().await;
    let first = workspace.archives().await;
    assert!(!first.is_empty());
    assert_whole(&workspace.chain().await, 0..35);
    for end in (40..=535_u32).step_by(45) {
        workspace.put("a", &words(end.saturating_sub(45)..end));
        workspace.pass().await;
        let chain = workspace.chain().await;
        assert_eq!(chain[0].len(), 10, "the section document shows as many stories as its limit says");
        assert!(chain[1..].iter().all(|document| (1..=100).contains(&document.len())), "at most 100 stories each");
        assert_whole(&chain, 0..end);
        let now = workspace.archives().await;
        for (path, before) in &first {
            assert_eq!(&now[path], before, "{path}");
        }
    }
    let atom = String::from_utf8(workspace.get("all/archive/2.atom").await.unwrap().identity.to_vec()).unwrap();
    for part in [
        "<fh:archive/>",
        "href=\"https://news.example.org/all/archive/2.atom\" rel=\"self\"",
        "href=\"https://news.example.org/all.atom\" rel=\"current\"",
        "href=\"https://news.example.org/all/archive/1.atom\" rel=\"prev-archive\"",
        "<id>https://news.example.org/all</id>",
    ] {
        assert!(atom.contains(part), "{part}: {atom}");
    }
}

#[tokio::test]
async fn stories_that_appear_one_by_one_are_archived_several_to_a_document() {
    let mut workspace = Workspace::new("", "").await;
    for end in 1..=60 {
        workspace.put("a", &words(end.max(10) - 10..end));
        workspace.pass().await;
        assert_whole(&workspace.chain().await, 0..end);
    }
    let archives = workspace.chain().await.len() - 1;
    assert!((8..=11).contains(&archives), "{archives} documents for 50 stories");
}

#[tokio::test]
async fn edited_titles_and_texts_do_not_change_an_archive() {
    let mut workspace = Workspace::new("", "").await;
    workspace.put("a", &words(0..20));
    workspace.pass().await;
    let before = workspace.archives().await;
    let mut edited = words(0..20);
    edited.iter_mut().for_each(|(_, words)| *words = "Edited words");
    workspace.put("a", &edited);
    workspace.put("b", &[]);
    workspace.pass().await;
    assert_eq!(workspace.archives().await, before);
    assert!(workspace.chain().await[0].iter().all(|title| title.starts_with("Edited")));
}

#[tokio::test]
async fn changed_rights_apply_to_archives_and_update_their_date() {
    let mut workspace = Workspace::new("", "").await;
    workspace.put("a", &words(0..20));
    workspace.pass().await;
    let content = |workspace: &Value| workspace["items"][0]["content_html"].as_str().unwrap().to_owned();
    assert_eq!(content(&workspace.json("all/archive/1.json").await), "<p>Words, whole, of 14.</p>");
    let before = workspace.archives().await;
    for (republish, expected) in [("summary", "Words. Of 14."), ("link", "Read it at a.example.")] {
        workspace.now = workspace.now + HOUR;
        workspace.follow(&format!("republish = \"{republish}\""), "").await;
        workspace.publish().await;
        for (path, (_, modified)) in workspace.archives().await {
            assert!(modified > before[&path].1, "{path}");
            let text = String::from_utf8(workspace.get(&path).await.unwrap().identity.to_vec()).unwrap();
            assert!(!text.contains("whole, of"), "{path}: {text}");
        }
        assert_eq!(content(&workspace.json("all/archive/1.json").await), expected);
        let page = workspace.get(&format!("story/words-1-{}/", 2)).await.unwrap();
        assert!(
            !String::from_utf8_lossy(&page.identity).contains("whole, of"),
            "the story's own page does not show the text either"
        );
    }
    workspace.follow("", "").await;
    workspace.publish().await;
    assert_eq!(
        content(&workspace.json("all/archive/1.json").await),
        "<p>Words, whole, of 14.</p>",
        "the store still has the whole text"
    );
}

#[tokio::test]
async fn story_that_leaves_a_section_leaves_its_archives_unless_it_only_grew_old() {
    let mut workspace = Workspace::new("", "max_age = \"10 days\"").await;
    workspace.put("a", &words(0..20));
    workspace.pass().await;
    workspace.now = workspace.now + DAY * 11;
    commit::sweep(&workspace.store, workspace.config.clone(), workspace.now).await.unwrap();
    workspace.publish().await;
    let chain = workspace.chain().await;
    assert!(chain[0].is_empty(), "{chain:?}");
    assert_whole(&chain, 0..20);

    let mut workspace = Workspace::new("", "").await;
    workspace.put("a", &words(0..20));
    workspace.pass().await;
    let before = workspace.archives().await;
    workspace.now = workspace.now + HOUR;
    workspace.follow("", "drop = [{ title = \"3\" }]").await;
    workspace.publish().await;
    let published_titles: BTreeSet<_> = workspace.chain().await.into_iter().flatten().collect();
    assert!(!published_titles.contains("Words 3") && published_titles.len() == 19, "{published_titles:?}");
    let now = workspace.archives().await;
    assert!(now["all/archive/1.atom"].1 > before["all/archive/1.atom"].1, "the date says that it changed");
}

#[tokio::test]
async fn retention_removes_text_from_the_archives() {
    let mut workspace = Workspace::new("", "").await;
    workspace.put("a", &words(0..20));
    workspace.pass().await;
    workspace.put("a", &words(15..20));
    workspace.pass().await;
    workspace.now = workspace.now + DAY * 400;
    while commit::retain_batch(&workspace.store, workspace.config.clone(), workspace.now).await.unwrap().0 > 0 {}
    workspace.publish().await;
    assert_whole(&workspace.chain().await, 15..20);
    let path = workspace.folder.path().join("newswire.db");
    let store = sql::open(path);
    let documents = store.prepare("SELECT stories FROM archive").unwrap();
    let mut documents = documents;
    let documents: Vec<Vec<u8>> = documents.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    for document in documents {
        let text = String::from_utf8(zstd::decode_all(&document[..]).unwrap()).unwrap();
        assert!(!text.contains("of 7."), "{text}");
    }
}

#[tokio::test]
async fn feed_that_left_a_section_is_removed_from_its_archives() {
    let mut workspace = Workspace::new("", "").await;
    workspace.put("a", &words(0..12));
    workspace.put("b", &words(12..20));
    workspace.pass().await;
    workspace.follow("", "").await;
    let text = "[site]\nurl = \"https://news.example.org/\"\n[[feed]]\nid = \"b\"\nurl = \"file:b.xml\"\n[[section]]\nid = \"all\"\nfeeds = [\"*\"]\nlimit = 10\n";
    let file = SourceFile { path: workspace.folder.path().join("newswire.toml"), text: text.to_owned() };
    workspace.config = Arc::new(config::check(&[file], &|_| Err(String::new())).0.unwrap());
    commit::sync(&workspace.store, workspace.config.clone(), workspace.now).await.unwrap();
    workspace.publish().await;
    assert_whole(&workspace.chain().await, 12..20);
}

#[tokio::test]
async fn documents_stay_below_a_mebibyte_and_long_stories_are_shortened_to_their_summary() {
    let mut workspace = Workspace::new("", "").await;
    let long = "So many words & <b>tags</b>. ".repeat(4_000);
    let stories: Vec<(u32, &str)> =
        (0..40).rev().map(|number| (number, if number == 20 { "x" } else { "y" })).collect();
    workspace.put("a", &stories);
    let path = workspace.folder.path().join("a.xml");
    let escaped = html_escape::encode_text(&long).into_owned();
    let huge = escaped.repeat(8);
    let document = std::fs::read_to_string(&path).unwrap();
    let document = document.replace("x, whole, of", &huge).replace("y, whole, of", &escaped[..100_000]);
    std::fs::write(&path, document).unwrap();
    workspace.pass().await;
    let mut count = workspace.json("all.json").await["items"].as_array().unwrap().len();
    assert!((4..10).contains(&count), "an archive document has as many stories as fit: {count}");
    for (path, _) in workspace.archives().await {
        assert!(workspace.get(&path).await.unwrap().identity.len() <= 1024 * 1024, "{path}");
    }
    for path in ["all.atom", "all.rss", "all.json"] {
        assert!(workspace.get(path).await.unwrap().identity.len() <= 1024 * 1024, "{path}");
    }
    let chain = workspace.chain().await;
    count = chain.iter().flatten().collect::<BTreeSet<_>>().len();
    assert_eq!(count, 40, "{chain:?}");
}

/// A newswire that reads its own Atom document as a feed publishes nothing twice. Each story keeps its id and its first
/// source.
#[tokio::test]
async fn own_atom_document_read_as_a_feed_publishes_nothing_twice() {
    let mut workspace = Workspace::new("", "").await;
    workspace.put("a", &words(0..5));
    workspace.pass().await;
    let first = workspace.json("all.json").await;
    for _ in 0..5 {
        let atom = workspace.get("all.atom").await.unwrap();
        std::fs::write(workspace.folder.path().join("b.xml"), &atom.identity).unwrap();
        workspace.pass().await;
    }
    let now = workspace.json("all.json").await;
    let ids = |document: &Value| -> Vec<String> {
        document["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(ids(&now), ids(&first));
    assert_eq!(now["items"][0]["_newswire"]["source"]["title"], "a");
}

/// A subscriber that polls while stories appear and change sees each story once, under one id, with its newest title.
#[tokio::test]
async fn subscriber_that_polls_through_two_hundred_changes_sees_each_story_once() {
    let mut workspace = Workspace::new("", "").await;
    let mut stories: Vec<(u32, &str)> = Vec::new();
    let mut subscriber: BTreeMap<String, String> = BTreeMap::new();
    for change in 0..200_u32 {
        match change % 3 {
            0 => stories.iter_mut().rev().take(1).for_each(|(_, words)| *words = "Edited words"),
            _ => stories.push((change, "Words")),
        }
        let newest: Vec<_> = stories.iter().rev().take(8).copied().collect();
        workspace.put("a", &newest);
        workspace.pass().await;
        let atom = workspace.get("all.atom").await.unwrap();
        for entry in feed_rs::parser::parse(&atom.identity[..]).unwrap().entries {
            subscriber.insert(entry.id, entry.title.unwrap().content);
        }
    }
    let seen: BTreeSet<String> = subscriber.values().cloned().collect();
    let published_titles: BTreeSet<String> =
        stories.iter().map(|(number, words)| format!("{words} {number}")).collect();
    assert_eq!((subscriber.len(), seen), (stories.len(), published_titles));
}
