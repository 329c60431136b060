//! A store in its own folder, with feeds whose polls the tests make up.

#![allow(dead_code, reason = "every test program uses a part of it")]

use std::sync::Arc;
use std::time::Duration;

use newswire::commit;
use newswire::commit::Difference;
use newswire::config::{self, Config, Section, SourceFile};
use newswire::entry::{Entry, OtherGuids, SharedKeys};
use newswire::feed::{FeedId, FeedInfo, PollHints, SectionId, Validators};
use newswire::newsroom::Applied;
use newswire::newsroom::{Cleaned, Outcome, Polled, PolledDocument, PolledEntry};
use newswire::render::SectionView;
use newswire::rows::{StoredCopy, StoredStory};
use newswire::schedule::next::NextPoll;
use newswire::section::ShownStory;
use newswire::shown::{self, Infos};
use newswire::store::Store;
use newswire::time::Timestamp;

pub const HOUR: Duration = Duration::from_secs(3600);
pub const DAY: Duration = Duration::from_secs(24 * 3600);

pub fn config(text: &str) -> Arc<Config> {
    let file = SourceFile { path: "/test/newswire.toml".into(), text: text.to_owned() };
    let (config, problems) = config::check(&[file], &|_| Err("there are no secrets here".to_owned()));
    Arc::new(config.unwrap_or_else(|| panic!("{problems:?}")))
}

/// Returns a config with the feeds of two sites, and of a newswire that carries their stories.
pub fn three_feeds(sections: &str) -> Arc<Config> {
    config(&format!(
        r#"
        [site]
        title = "Test"
        facets = ["region", "topic"]
        [[feed]]
        id = "origin"
        url = "https://origin.example/feed"
        [[feed]]
        id = "wire"
        url = "https://wire.example/feed"
        [[feed]]
        id = "other"
        url = "https://other.example/feed"
        {sections}
        "#
    ))
}

pub const ALL: &str = "[[section]]\nid = \"all\"\ntitle = \"All\"\nfeeds = [\"*\"]";

pub fn start() -> Timestamp {
    Timestamp::from_millis(1_514_764_800_000)
}

pub struct Bed {
    pub folder: tempfile::TempDir,
    pub store: Store,
    pub config: Arc<Config>,
    pub now: Timestamp,
}

impl Bed {
    pub async fn new(config: Arc<Config>) -> Bed {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("newswire.db"), "a test").unwrap();
        commit::sync(&store, config.clone(), start()).await.unwrap();
        Bed { folder, store, config, now: start() }
    }

    pub async fn poll(&mut self, feed: &str, entries: &[Entry]) -> Applied {
        self.now = self.now + HOUR;
        let polled = polled(feed, self.now, entries);
        commit::apply(&self.store, self.config.clone(), polled).await.unwrap()
    }

    pub async fn ids(&self, section: &str) -> Vec<String> {
        self.shown(section).await.into_iter().map(|story| story.id).collect()
    }

    pub async fn find(&self, wanted: &str) -> StoredStory {
        let wanted = wanted.to_owned();
        self.store.read(move |reader| shown::named(reader, None, &wanted)).await.unwrap().remove(0)
    }

    /// Returns whether an id, a slug or a link leads to a story.
    pub async fn is_known(&self, wanted: &str) -> bool {
        let wanted = wanted.to_owned();
        !self.store.read(move |reader| shown::named(reader, None, &wanted)).await.unwrap().is_empty()
    }

    pub async fn copies(&self, wanted: &str) -> Vec<StoredCopy> {
        let (story, config) = (self.find(wanted).await, self.config.clone());
        self.store.read(move |reader| Ok(shown::explain(reader, &config, story)?.all)).await.unwrap()
    }

    pub async fn poll_at(&mut self, now: Timestamp, feed: &str, entries: &[Entry]) -> Applied {
        self.now = now;
        commit::apply(&self.store, self.config.clone(), polled(feed, now, entries)).await.unwrap()
    }

    pub async fn follow(&mut self, config: Arc<Config>) -> Difference {
        self.config = config;
        commit::sync(&self.store, self.config.clone(), self.now).await.unwrap()
    }

    pub async fn shown(&self, section: &str) -> Vec<ShownStory> {
        let config = self.config.clone();
        let id = SectionId::from(section);
        let read = self.store.read(move |reader| {
            shown::section_content(reader, &config, config.section(&id).unwrap(), &Infos::of(reader))
        });
        read.await.unwrap().stories
    }

    pub async fn titles(&self, section: &str) -> Vec<String> {
        self.shown(section).await.into_iter().map(|story| story.entry.title).collect()
    }

    pub async fn reopen(self) -> Bed {
        let Bed { folder, store, config, now } = self;
        drop(store);
        let store = Store::open(&folder.path().join("newswire.db"), "a test").unwrap();
        Bed { folder, store, config, now }
    }
}

pub fn polled(feed: &str, now: Timestamp, entries: &[Entry]) -> Polled {
    let entries = entries.iter().map(|entry| {
        let raw = serde_json::to_string(entry).unwrap();
        PolledEntry {
            guid: entry.guid.value.clone(),
            other_guids: OtherGuids::default(),
            raw_hash: raw.bytes().fold(7, |hash: u64, byte| hash.wrapping_mul(31).wrapping_add(u64::from(byte))),
            cleaned: Some(Box::new(Cleaned::new(entry.clone(), newswire::store::encode_entry))),
        }
    });
    let document = PolledDocument {
        validators: Some(Validators { etag: Some(b"\"1\"".to_vec()), ..Validators::default() }),
        info: FeedInfo { title: Some(format!("The {feed}")), ..FeedInfo::default() },
        entries: entries.collect(),
        hints: PollHints::default(),
        repairs: Vec::new(),
        fresh: 0,
        has_gap: false,
        guids_repaired: SharedKeys::default(),
    };
    Polled {
        feed: FeedId::from(feed),
        at: now,
        duration_ms: 1,
        status: Some(200),
        outcome: Outcome::Document(Box::new(document)),
        next: next(now),
        failures: 0,
        per_day: None,
        start: None,
        permanent: None,
        public_origin: None,
    }
}

/// Returns the view from which a section is rendered, without its feeds and archives.
pub fn section_view<'a>(
    config: &'a Config,
    section: &'a Section,
    id: &'a str,
    stories: &'a [ShownStory],
) -> SectionView<'a> {
    SectionView {
        site: &config.site,
        section,
        id,
        hubs: &[],
        stories,
        feeds: &[],
        updated: start(),
        max_age: Duration::from_secs(900),
        archive: None,
        prev_archive: None,
        podcast_guid: None,
    }
}

pub fn next(now: Timestamp) -> NextPoll {
    NextPoll { at: now + HOUR, hold_until: None, hold_why: None, host_hold: None }
}

pub fn entry(link: &str, title: &str, text: &str) -> Entry {
    let json = serde_json::json!({ "guid": { "value": link, "kind": "guid" }, "link": link, "title": title });
    let mut entry: Entry = serde_json::from_value(json).unwrap();
    entry.content_html = Some(format!("<p>{text}</p>"));
    entry
}

/// Returns sixty words that no text with another `stem` has.
pub fn own_words(stem: &str) -> String {
    (0..60).map(|number| format!("{stem}{number} ")).collect()
}
