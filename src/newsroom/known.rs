//! What the store knows that bears on a poll, as it is compared with what the poll brought.
//!
//! Nothing here decides.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use url::Url;

use super::polled::wording;
use crate::config::{Config, Dedup, Feed};
use crate::entry::GuidKind;
use crate::link;
use crate::number::{EntryNumber, FeedNumber, StoryNumber};
use crate::reason::JoinReason;
use crate::rows::{FormerRow, KnownEntry};
use crate::story::Wording;
use crate::time::Timestamp;

/// How often an entry's changes are applied. Whoever changes a text more often than daily for three weeks has put a clock
/// into it.
pub const MAX_REVISIONS: u32 = 24;

/// How the feed that was polled takes part in recognising stories.
#[derive(Clone, Copy, Debug)]
pub struct Terms {
    pub by_links: bool,
    pub by_text: bool,
    /// How far apart copies of one text may be.
    pub window: Duration,
    /// The share of shingles that copies of a long text have in common, 0 to 1.
    pub likeness: f64,
    pub now: Timestamp,
}

/// How a feed takes part in recognising stories, as it is configured.
pub fn terms(config: &Config, feed: &Feed, now: Timestamp) -> Terms {
    Terms {
        by_links: feed.dedup != Dedup::Off,
        by_text: feed.dedup == Dedup::Text,
        window: config.stories.window,
        likeness: config.stories.likeness,
        now,
    }
}

/// What the store knows that bears on a poll. `others` and the fields after it are loaded run by run.
#[derive(Debug)]
pub struct Known {
    /// The number of the feed that was polled.
    pub feed: FeedNumber,
    /// Whether the feed ever had an entry.
    pub has_entries: bool,
    /// Of this feed, by guid.
    pub entries: HashMap<String, KnownEntry>,
    /// Of this feed, those that the document does not list and that may come again under other guids, and those that it lists
    /// under a guid that they had before, or that have the link of one with an unknown guid.
    pub former: Vec<FormerEntry>,
    /// Of any feed that takes part: those that may tell the same as one of the document.
    pub others: Vec<OtherEntry>,
    /// Which of `others` have a link key as a specific one.
    pub links: HashMap<String, Vec<Linked>>,
    /// Which of `others` may have the text of the entry with this guid.
    pub alike: HashMap<String, Vec<usize>>,
    /// Which of `others` belong to the story that is published under this guid.
    pub published: HashMap<String, Vec<usize>>,
    /// The stories of `others` that have a copy of this feed already.
    pub own_stories: HashSet<StoryNumber>,
}

impl Known {
    /// What is known before anything is loaded.
    pub fn of(feed: FeedNumber) -> Known {
        Known {
            feed,
            has_entries: false,
            entries: HashMap::new(),
            former: Vec::new(),
            others: Vec::new(),
            links: HashMap::new(),
            alike: HashMap::new(),
            published: HashMap::new(),
            own_stories: HashSet::new(),
        }
    }

    /// Forgets the former entries that a plan has looked at; their words take much memory. Those that the document lists under
    /// a guid that they had are needed to the end.
    pub fn forget_matched(&mut self) {
        let aliases: HashSet<EntryNumber> =
            self.entries.values().filter(|entry| entry.is_alias).map(|entry| entry.number).collect();
        self.former.retain(|former| aliases.contains(&former.number));
    }
}

/// An entry of the feed that the document does not list.
#[derive(Clone, Debug)]
pub struct FormerEntry {
    pub number: EntryNumber,
    pub story: StoryNumber,
    pub guid: String,
    pub guid_kind: GuidKind,
    pub fingerprint: u64,
    pub revisions: u32,
    pub link: Option<Url>,
    pub link_keys: Vec<String>,
    /// Those of `link_keys` that no other entry of the feed has.
    pub specific_keys: Vec<String>,
    pub published: Option<Timestamp>,
    pub authors: Vec<String>,
    /// `None` where retention took the words.
    pub wording: Option<Wording>,
}

impl FormerEntry {
    pub fn of(row: FormerRow) -> FormerEntry {
        let FormerRow { links, entry, .. } = row;
        let entry = entry.as_ref();
        let specific_keys = links.iter().filter(|(_, is_specific)| *is_specific).map(|(key, _)| key.clone()).collect();
        let mut link_keys: Vec<String> = links.into_iter().map(|(key, _)| key).collect();
        // A link that very many entries share has no row.
        let own = entry.and_then(|entry| entry.link.as_ref()).and_then(link::key);
        link_keys.extend(own.filter(|own| !link_keys.contains(own)));
        FormerEntry {
            number: row.number,
            story: row.story,
            guid: row.guid,
            guid_kind: row.guid_kind,
            fingerprint: row.fingerprint,
            revisions: row.revisions,
            link: entry.and_then(|entry| entry.link.clone()),
            link_keys,
            specific_keys,
            published: entry.and_then(|entry| entry.published),
            authors: entry
                .into_iter()
                .flat_map(|entry| &entry.authors)
                .map(|author| author.display().to_owned())
                .collect(),
            wording: entry.map(wording),
        }
    }
}

/// An entry of any feed.
#[derive(Clone, Debug)]
pub struct OtherEntry {
    pub number: EntryNumber,
    pub story: StoryNumber,
    pub feed: FeedNumber,
    /// Whether its feed takes part in recognising stories by their text.
    pub by_text: bool,
    pub fingerprint: u64,
    pub sort_at: Timestamp,
    pub link: Option<Url>,
    /// BCP 47, as declared.
    pub language: Option<String>,
    pub wording: Wording,
}

/// One of [`Known::others`] that has a certain link.
#[derive(Clone, Copy, Debug)]
pub struct Linked {
    pub at: usize,
    /// Whether it is its declared original, not its own.
    pub original: bool,
}

/// A story that an entry belongs to, and why.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Join {
    pub story: StoryNumber,
    pub reason: JoinReason,
    /// How alike they are, 0 to 1; only where text decided.
    pub score: Option<f64>,
}

/// What several entries of a document have: it points to none of them.
#[derive(Debug)]
pub(super) struct Shared {
    /// Link keys.
    pub(super) keys: HashSet<String>,
    /// Keys of texts that stand under different titles.
    pub(super) texts: HashSet<u64>,
}
