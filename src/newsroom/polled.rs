//! What a poll brought: how the attempt ended, and the document with its entries.
//!
//! Nothing here decides. What is computed of an entry is computed once, before the writer's turn.

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

/// One attempt at one feed, failed ones too: everything that the store has to write for it.
#[derive(Debug)]
pub struct Polled {
    pub feed: FeedId,
    /// When the attempt began.
    pub at: Timestamp,
    pub duration_ms: u64,
    /// The HTTP status, if a server answered.
    pub status: Option<u16>,
    pub outcome: Outcome,
    pub next: NextPoll,
    /// Failed attempts in a row, this one counted.
    pub failures: u32,
    /// Entries a day that the feed publishes, as far as is known.
    pub per_day: Option<f64>,
    /// Where it began instead of the feed's own address, which had moved for good.
    pub start: Option<Url>,
    /// Where a chain of only permanent redirects led.
    pub permanent: Option<Url>,
    /// Scheme, host and port for which the answer speaks: what a hold of the whole host is kept by. Absent for the editor's own
    /// hosts, and after a redirect to another server.
    pub public_origin: Option<String>,
}

/// How an attempt ended.
#[derive(Debug)]
pub enum Outcome {
    /// 304, or a file that did not change.
    NotModified {
        validators: Validators,
    },
    Document(Box<PolledDocument>),
    /// Nothing could be read; what was known stays.
    Failed(Failure),
    /// 410: polling stops until it is forced.
    Gone,
}

impl Outcome {
    /// Returns what the attempt failed with; `None` if it did not fail.
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
    /// `None` where the document was cut off: those of the last whole one stay, so that the next poll reads it whole.
    pub validators: Option<Validators>,
    pub info: FeedInfo,
    /// In the document's order; guids are unique.
    pub entries: Vec<PolledEntry>,
    /// How often it asks to be polled; holds until the next document.
    pub hints: PollHints,
    /// What had to be mended to read it, and what else an editor should know.
    pub repairs: Vec<Repair>,
    /// How many of its entries the last one did not list, by their guids.
    pub fresh: usize,
    /// Whether nothing of it was known before though the feed was: entries may have been missed.
    pub has_gap: bool,
    /// What its entries have in common, so that more was added to their guids; stays with the feed.
    pub guids_repaired: SharedKeys,
}

/// An entry of a document.
#[derive(Debug)]
pub struct PolledEntry {
    pub guid: String,
    pub other_guids: OtherGuids,
    /// Over all that the feed wrote for it.
    pub raw_hash: u64,
    /// Cleaned; `None` where the store knew this very `raw_hash` and nothing can have changed.
    pub cleaned: Option<Box<Cleaned>>,
}

/// An entry with what is computed from it once, off the writer's thread.
#[derive(Debug)]
pub struct Cleaned {
    pub entry: Entry,
    pub text: PlainText,
    pub wording: Wording,
    pub fingerprint: u64,
    pub link_keys: Vec<LinkKey>,
    /// The entry as the store keeps it.
    pub json: Arc<str>,
    encode: Encode,
}

/// Writes an entry as the store keeps it.
pub type Encode = fn(&Entry) -> Arc<str>;

impl Cleaned {
    pub fn new(entry: Entry, encode: Encode) -> Self {
        let text = PlainText::of(&entry);
        let json = encode(&entry);
        let fingerprint = fingerprint(&entry, &text);
        let link_keys = story::link_keys(&entry);
        let wording = Wording::of(&entry.title, &text).with_media(&entry.enclosures);
        Cleaned { entry, text, wording, fingerprint, link_keys, json, encode }
    }

    /// Gives the entry another guid.
    pub fn rename(&mut self, guid: &str) {
        guid.clone_into(&mut self.entry.guid.value);
        self.json = (self.encode)(&self.entry);
    }
}

/// When an entry was published, as far as that is believed: never in the future. What sorts stories and bounds joining.
pub fn sort_at(entry: &Entry, first_seen: Timestamp) -> Timestamp {
    entry.claimed().map_or(first_seen, |published| published.min(first_seen))
}

/// By guid, the dates of the neighbours of entries without one: of the nearest entry before it that has a date, else of the
/// nearest after it. So an entry of a feed's first document stands where the document has it, and not above all sections.
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

/// The words of an entry, as they are compared.
pub fn wording(entry: &Entry) -> Wording {
    Wording::of(&entry.title, &PlainText::of(entry)).with_media(&entry.enclosures)
}
