//! What the store knows that matters for a poll, in the form in which it is compared with the polled entries.
//!
//! Contains no policy.

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

/// How often changes of an entry are applied. A text that changes more often than daily for three weeks contains a
/// clock.
pub const MAX_REVISIONS: u32 = 24;

/// How the polled feed takes part in recognising stories.
#[derive(Clone, Copy, Debug)]
pub struct Terms {
    /// Whether links join its entries to stories.
    pub by_links: bool,
    /// Whether texts join its entries to stories.
    pub by_text: bool,
    /// The longest time between copies of one text.
    pub window: Duration,
    /// The share of shingles that copies of a long text must have in common, 0 to 1.
    pub likeness: f64,
    /// The time of the poll.
    pub now: Timestamp,
}

/// Returns how a feed takes part in recognising stories, as configured.
pub fn terms(config: &Config, feed: &Feed, now: Timestamp) -> Terms {
    Terms {
        by_links: feed.dedup != Dedup::Off,
        by_text: feed.dedup == Dedup::Text,
        window: config.stories.window,
        likeness: config.stories.likeness,
        now,
    }
}

/// What the store knows that matters for a poll. `others` and the fields after it are loaded run by run.
#[derive(Debug)]
pub struct Known {
    /// The number of the polled feed.
    pub feed: FeedNumber,
    /// Whether the feed ever had an entry.
    pub has_entries: bool,
    /// Known entries of this feed, by guid.
    pub entries: HashMap<String, KnownEntry>,
    /// Entries of this feed that the document does not list and that may come again under other guids; and entries that
    /// it lists under a guid that they had before, or that have the link of an entry with an unknown guid.
    pub former: Vec<FormerEntry>,
    /// Entries of any participating feed that may tell the same story as an entry of the document.
    pub others: Vec<OtherEntry>,
    /// For each link key, those of `others` to which that link is specific: no entry of another story of their feed has
    /// it.
    pub links: HashMap<String, Vec<Linked>>,
    /// For each entry, by guid, those of `others` that may have its text.
    pub alike: HashMap<String, Vec<usize>>,
    /// For each guid, those of `others` that belong to the story that is published under it.
    pub published: HashMap<String, Vec<usize>>,
    /// The stories of `others` that already have a copy of this feed.
    pub own_stories: HashSet<StoryNumber>,
}

impl Known {
    /// Returns what is known before anything is loaded.
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

    /// Drops the former entries that a plan has examined, because their content takes much memory. Keeps those that the
    /// document lists under a guid that they had before: they are needed to the end.
    pub fn forget_matched(&mut self) {
        let aliases: HashSet<EntryNumber> =
            self.entries.values().filter(|entry| entry.is_alias).map(|entry| entry.number).collect();
        self.former.retain(|former| aliases.contains(&former.number));
    }
}

/// An entry of the feed that the document does not list.
#[derive(Clone, Debug)]
pub struct FormerEntry {
    /// The entry.
    pub number: EntryNumber,
    /// Its story.
    pub story: StoryNumber,
    /// Its guid.
    pub guid: String,
    /// Where the guid comes from.
    pub guid_kind: GuidKind,
    /// The hash of its lasting content.
    pub fingerprint: u64,
    /// How often it was revised.
    pub revisions: u32,
    /// Its link.
    pub link: Option<Url>,
    /// The keys of its links.
    pub link_keys: Vec<String>,
    /// The keys in `link_keys` that are specific to the entry: no entry of another story of the feed has them.
    pub specific_keys: Vec<String>,
    /// The date that the feed claims.
    pub published: Option<Timestamp>,
    /// The names of its authors.
    pub authors: Vec<String>,
    /// `None` if retention deleted the content.
    pub wording: Option<Wording>,
}

impl FormerEntry {
    /// Builds the value from a row of the store.
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
    /// The entry.
    pub number: EntryNumber,
    /// Its story.
    pub story: StoryNumber,
    /// Its feed.
    pub feed: FeedNumber,
    /// Whether its feed takes part in recognising stories by their text.
    pub by_text: bool,
    /// The hash of its lasting content.
    pub fingerprint: u64,
    /// The time by which it is sorted.
    pub sort_at: Timestamp,
    /// Its link.
    pub link: Option<Url>,
    /// BCP 47, as declared.
    pub language: Option<String>,
    /// Its text, prepared for comparing.
    pub wording: Wording,
}

/// One of [`Known::others`] with a certain link.
#[derive(Clone, Copy, Debug)]
pub struct Linked {
    /// Its index in [`Known::others`].
    pub at: usize,
    /// Whether the link is the entry's declared original, and not the entry's own link.
    pub original: bool,
}

/// A story that an entry belongs to, and why.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Join {
    /// The story.
    pub story: StoryNumber,
    /// Why the entry belongs to the story.
    pub reason: JoinReason,
    /// How similar the texts are, 0 to 1; only if text decided.
    pub score: Option<f64>,
}

/// The keys that several entries of a document share, and which are therefore specific to none of them.
#[derive(Debug)]
pub(super) struct Shared {
    /// Link keys.
    pub(super) keys: HashSet<String>,
    /// Keys of texts that occur under different titles.
    pub(super) texts: HashSet<u64>,
}
