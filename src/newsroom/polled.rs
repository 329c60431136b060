//! The result of a poll: how the attempt ended, and the document with its entries.
//!
//! Contains no policy. What is computed from an entry is computed once, before the writer's turn.

use std::collections::HashMap;
use std::sync::Arc;

use url::Url;

use super::fingerprint;
use crate::entry::{Entry, OtherGuids, SharedKeys};
use crate::feed::{Failure, FeedId, FeedInfo, PollHints, Repair, Validators};
use crate::schedule::next::NextPoll;
use crate::story::{self, LinkKey, Wording};
use crate::text::PlainText;
use crate::time::Timestamp;

/// One attempt at one feed, failed ones included: everything that the store has to write for it.
#[derive(Debug)]
pub struct Polled {
    /// The feed.
    pub feed: FeedId,
    /// When the attempt began.
    pub at: Timestamp,
    /// How long the attempt took.
    pub duration_ms: u64,
    /// The HTTP status, if a server answered.
    pub status: Option<u16>,
    /// How the attempt ended.
    pub outcome: Outcome,
    /// When to poll next, and why.
    pub next: NextPoll,
    /// Failed attempts in a row, including this one.
    pub failures: u32,
    /// How many entries the feed publishes per day, if known.
    pub per_day: Option<f64>,
    /// Where the attempt began if the feed has moved for good; `None` for the feed's own address.
    pub start: Option<Url>,
    /// Where a chain of only permanent redirects led.
    pub permanent: Option<Url>,
    /// Scheme, host and port that the response applies to: the key of a hold of the whole host. `None` for the editor's
    /// own hosts, and after a redirect to another server.
    pub public_origin: Option<String>,
}

/// How an attempt ended.
#[derive(Debug)]
pub enum Outcome {
    /// 304, or an unchanged file.
    NotModified {
        /// The validators of this response.
        validators: Validators,
    },
    /// A document.
    Document(Box<PolledDocument>),
    /// Nothing could be read; what was known stays.
    Failed(Failure),
    /// The server answered 410: polling stops until an editor forces a poll.
    Gone,
}

impl Outcome {
    /// Returns why the attempt failed; `None` if it did not fail.
    pub fn failure(&self) -> Option<&Failure> {
        match self {
            Outcome::NotModified { .. } | Outcome::Document(_) => None,
            Outcome::Failed(failure) => Some(failure),
            Outcome::Gone => Some(&Failure::Gone),
        }
    }
}

/// A document that was read.
#[derive(Debug)]
pub struct PolledDocument {
    /// The validators; `None` if the document was cut off: those of the last complete document stay, so that the next
    /// poll reads it whole.
    pub validators: Option<Validators>,
    /// What the document says about the feed.
    pub info: FeedInfo,
    /// The entries in the document's order; guids are unique.
    pub entries: Vec<PolledEntry>,
    /// The polling hints; they apply until the next document.
    pub hints: PollHints,
    /// The repairs needed to read the document, and what else an editor should know.
    pub repairs: Vec<Repair>,
    /// How many of its entries the last document did not list, by guid.
    pub fresh: usize,
    /// Whether the document lists no known entry although the feed is known: entries may have been missed.
    pub has_gap: bool,
    /// Which keys its entries share, so that more was added to their guids; stays with the feed.
    pub guids_repaired: SharedKeys,
}

/// An entry of a document.
#[derive(Debug)]
pub struct PolledEntry {
    /// Its guid.
    pub guid: String,
    /// Further guids under which it may be known.
    pub other_guids: OtherGuids,
    /// A hash over all that the feed wrote for it.
    pub raw_hash: u64,
    /// The cleaned entry; `None` if the store knew this `raw_hash` and nothing can have changed.
    pub cleaned: Option<Box<Cleaned>>,
}

/// An entry with what is computed from it once, before the writer's turn.
#[derive(Debug)]
pub struct Cleaned {
    /// The entry.
    pub entry: Entry,
    /// Its plain text.
    pub text: PlainText,
    /// Its text, prepared for comparing.
    pub wording: Wording,
    /// The hash of its lasting content.
    pub fingerprint: u64,
    /// The keys of its links.
    pub link_keys: Vec<LinkKey>,
    /// The entry as JSON for the store.
    pub json: Arc<str>,
    encode: Encode,
}

/// Writes an entry as JSON for the store.
pub type Encode = fn(&Entry) -> Arc<str>;

impl Cleaned {
    /// Computes the values of an entry; `encode` writes it as JSON.
    pub fn new(entry: Entry, encode: Encode) -> Self {
        let text = PlainText::of(&entry);
        let json = encode(&entry);
        let fingerprint = fingerprint(&entry, &text);
        let link_keys = story::link_keys(&entry);
        let wording = Wording::of(&entry.title, &text).with_media(&entry.enclosures);
        Cleaned { entry, text, wording, fingerprint, link_keys, json, encode }
    }

    /// Changes the guid of the entry.
    pub fn rename(&mut self, guid: &str) {
        guid.clone_into(&mut self.entry.guid.value);
        self.json = (self.encode)(&self.entry);
    }
}

/// Returns the time that sorts stories and bounds joining: the entry's date of publishing, but never in the future.
pub(super) fn sort_at(entry: &Entry, first_seen: Timestamp) -> Timestamp {
    entry.claimed().map_or(first_seen, |published| published.min(first_seen))
}

/// Returns, by guid, dates for entries without one: the date of the nearest dated entry before them, otherwise the date
/// of the nearest dated entry after them. So an entry of a feed's first document is sorted where the document has it,
/// and not above all sections.
pub(super) fn neighbour_dates(entries: &[PolledEntry]) -> HashMap<String, Timestamp> {
    let claimed = |entry: &PolledEntry| entry.cleaned.as_ref().and_then(|cleaned| cleaned.entry.claimed());
    let mut before = entries.iter().find_map(claimed);
    let mut dates = HashMap::new();
    for entry in entries {
        match (claimed(entry), before) {
            (Some(date), _) => before = Some(date),
            (None, Some(date)) => drop(dates.insert(entry.guid.clone(), date)),
            (None, None) => {}
        }
    }
    dates
}

/// Returns the text of an entry, prepared for comparing.
pub(super) fn wording(entry: &Entry) -> Wording {
    Wording::of(&entry.title, &PlainText::of(entry)).with_media(&entry.enclosures)
}
