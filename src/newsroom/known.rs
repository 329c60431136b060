//! The stored entries that a poll needs, in the form in which they are compared with the polled entries.
//!
//! This module contains no policy.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use url::Url;

use super::polled::wording;
use crate::config::{Config, Dedup, Feed};
use crate::entry::{Entry, GuidKind};
use crate::feed::FeedId;
use crate::link;
use crate::number::{EntryNumber, FeedNumber, StoryNumber};
use crate::reason::JoinReason;
use crate::rows::{FormerRow, KnownEntry};
use crate::story::{Publication, Wording};
use crate::time::Timestamp;

/// How many revisions of an entry newswire applies; it ignores later changes. A text that changes more often than daily
/// for three weeks contains something like a clock.
pub const MAX_REVISIONS: u32 = 24;

/// The settings for comparing the entries of the polled feed with others, to recognise stories.
#[derive(Clone, Copy, Debug)]
pub struct Terms {
    /// Whether entries join stories because of a link or an id.
    pub by_links: bool,
    /// Whether entries join stories because of their text.
    pub by_text: bool,
    /// The longest time between two copies of one text.
    pub window: Duration,
    /// The share of their shingles (short sequences of words) that two copies of a long text must have in common, from
    /// 0 to 1.
    pub likeness: f64,
    /// The time of the poll.
    pub now: Timestamp,
}

/// Returns the settings of the config for comparing a feed's entries with others.
pub fn terms(config: &Config, feed: &Feed, now: Timestamp) -> Terms {
    Terms {
        by_links: feed.dedup != Dedup::Off,
        by_text: feed.dedup == Dedup::Text,
        window: config.stories.window,
        likeness: config.stories.likeness,
        now,
    }
}

/// What the config says about the feed of a stored entry, to compare the entry with others.
#[derive(Clone, Debug)]
pub struct OtherFeed {
    /// The tests that may join the feed's entries to stories.
    pub dedup: Dedup,
    /// The publication of the feed, which entries of other feeds may name as their source.
    pub publication: Publication,
}

/// Returns what the config says about a feed; `None` if its entries are not compared.
pub fn other_feed(config: &Config, feed: &FeedId) -> Option<OtherFeed> {
    let feed = config.feed(feed).filter(|feed| feed.dedup != Dedup::Off)?;
    Some(OtherFeed { dedup: feed.dedup, publication: publication(feed) })
}

/// Returns the publication of a feed.
pub fn publication(feed: &Feed) -> Publication {
    Publication::of(feed.speaks_for(), feed.title.as_deref())
}

/// The stored entries that a poll needs. `others` and the fields after it are loaded for one run (a group of the
/// document's entries) at a time.
#[derive(Debug)]
pub struct Known {
    /// The number of the polled feed.
    pub feed: FeedNumber,
    /// The publication of the polled feed.
    pub publication: Publication,
    /// Whether the feed ever had an entry.
    pub has_entries: bool,
    /// The known entries of this feed that have a guid of the document, as their guid or as an alias. The keys are the
    /// guids of the document.
    pub entries: HashMap<String, KnownEntry>,
    /// Entries of this feed that the document may have under unknown guids: entries that it does not list, and entries
    /// with a link of an entry whose guid is unknown. Also entries that the document lists under an alias.
    pub former: Vec<FormerEntry>,
    /// Entries of any feed that may be about the same story as an entry of the run.
    pub others: Vec<OtherEntry>,
    /// For each link key, those of `others` that have the link as a specific link: in their feed, no entry of another
    /// story has it.
    pub links: HashMap<String, Vec<Linked>>,
    /// For the guid of each entry of the run, the indexes of those of `others` that may have the entry's text.
    pub alike: HashMap<String, Vec<usize>>,
    /// For each guid, the indexes of those of `others` that belong to the story that has the guid as its id.
    pub published: HashMap<String, Vec<usize>>,
    /// The stories of `others` that already have a copy of this feed.
    pub own_stories: HashSet<StoryNumber>,
}

impl Known {
    /// Returns an empty value, for a feed of which nothing is loaded yet.
    pub fn of(feed: FeedNumber) -> Known {
        Known {
            feed,
            publication: Publication::default(),
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
    /// document lists under an alias, which are needed until the end.
    pub fn forget_matched(&mut self) {
        let aliases: HashSet<EntryNumber> =
            self.entries.values().filter(|entry| entry.is_alias).map(|entry| entry.number).collect();
        self.former.retain(|former| aliases.contains(&former.number));
    }
}

/// A stored entry of the polled feed that may be an entry of the document under another guid.
#[derive(Clone, Debug)]
pub struct FormerEntry {
    /// The number of the entry.
    pub number: EntryNumber,
    /// The story of the entry.
    pub story: StoryNumber,
    /// The guid of the entry.
    pub guid: String,
    /// Where the guid comes from.
    pub guid_kind: GuidKind,
    /// The hash of the entry's lasting content. If this content changes, the entry is revised.
    pub fingerprint: u64,
    /// How often the entry was revised.
    pub revisions: u32,
    /// The link of the entry.
    pub link: Option<Url>,
    /// The keys of the entry's links.
    pub link_keys: Vec<String>,
    /// Those of `link_keys` that are specific to the entry: no entry of another story of the feed has them.
    pub specific_keys: Vec<String>,
    /// The date that the feed gives.
    pub published: Option<Timestamp>,
    /// The names of the entry's authors.
    pub authors: Vec<String>,
    /// The text of the entry, prepared for comparing; `None` if the configured retention deleted the content.
    pub wording: Option<Wording>,
}

impl FormerEntry {
    /// Builds the value from a row of the store.
    pub fn of(row: FormerRow) -> FormerEntry {
        let FormerRow { links, entry, .. } = row;
        let entry = entry.as_ref();
        let specific_keys = links.iter().filter(|(_, is_specific)| *is_specific).map(|(key, _)| key.clone()).collect();
        let mut link_keys: Vec<String> = links.into_iter().map(|(key, _)| key).collect();
        // The store has no row for a link that very many entries share, so the entry's own link is added here.
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

/// A stored entry of any feed, to compare with an entry of the document.
#[derive(Clone, Debug)]
pub struct OtherEntry {
    /// The number of the entry.
    pub number: EntryNumber,
    /// The story of the entry.
    pub story: StoryNumber,
    /// The feed of the entry.
    pub feed: FeedNumber,
    /// Whether the entries of its feed may join stories because of their text.
    pub by_text: bool,
    /// The hash of the entry's lasting content. If this content changes, the entry is revised.
    pub fingerprint: u64,
    /// The time by which the entry is sorted.
    pub sort_at: Timestamp,
    /// The publication of the entry's feed.
    pub publication: Publication,
    /// The entry.
    pub entry: Entry,
    /// The text of the entry, prepared for comparing.
    pub wording: Wording,
}

/// One of [`Known::others`] that has a certain link.
#[derive(Clone, Copy, Debug)]
pub struct Linked {
    /// The index of the entry in [`Known::others`].
    pub at: usize,
    /// Whether the link is the entry's declared original, and not the entry's own link.
    pub original: bool,
}

/// A story that an entry belongs to, and why.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Join {
    /// The number of the story.
    pub story: StoryNumber,
    /// Why the entry belongs to the story.
    pub reason: JoinReason,
    /// How similar the texts are, from 0 to 1; `None` if the entry does not belong to the story because of its text.
    pub score: Option<f64>,
}

/// The keys that several entries of a document share. They are specific to none of these entries.
#[derive(Debug)]
pub(super) struct Shared {
    /// The link keys that several entries share.
    pub(super) keys: HashSet<String>,
    /// The keys of texts that occur under different titles.
    pub(super) texts: HashSet<u64>,
}
