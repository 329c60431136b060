//! The result of a poll: how the poll ended, and the document with its entries.
//!
//! This module contains no policy. The values of an entry that decisions need are computed once, before the writing
//! thread handles the poll.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use url::Url;

use super::fingerprint;
use crate::entry::{Entry, OtherGuids, SharedKeys};
use crate::feed::{Failure, FeedId, FeedInfo, PollHints, Repair, Validators};
use crate::schedule::next::NextPoll;
use crate::story::{self, LinkKey, Wording};
use crate::text::PlainText;
use crate::time::Timestamp;

/// One attempt to poll a feed, which may have failed. It has all values that decide what changes in the store.
#[derive(Debug)]
pub struct Polled {
    /// The feed.
    pub feed: FeedId,
    /// When the attempt began.
    pub at: Timestamp,
    /// How long the attempt took.
    pub duration_ms: u64,
    /// The HTTP status; `None` if no server answered.
    pub status: Option<u16>,
    /// How the attempt ended.
    pub outcome: Outcome,
    /// When to poll the feed next, and why.
    pub next: NextPoll,
    /// How many attempts have failed since the last successful one, including this one.
    pub failures: u32,
    /// How many entries the feed publishes per day; `None` if unknown.
    pub per_day: Option<f64>,
    /// The new address at which the attempt began, because permanent redirects had led there for long enough; `None` if
    /// it began at the configured address.
    pub start: Option<Url>,
    /// The address that the attempt was redirected to, if all redirects were permanent; otherwise `None`.
    pub permanent: Option<Url>,
    /// The origin (scheme, host and port) that is put on hold if the response is a refusal for the whole host (429, or
    /// 503 with `Retry-After`). `None` means that such a response concerns only this feed: the host is not public (such
    /// as one in the local network), or another server redirected to it.
    pub public_origin: Option<String>,
}

/// How an attempt ended.
#[derive(Debug)]
pub enum Outcome {
    /// The document has not changed: the server answered 304 (Not Modified), or the file is the same.
    NotModified {
        /// The `ETag` and `Last-Modified` of this response.
        validators: Validators,
    },
    /// The attempt got a document.
    Document(Box<PolledDocument>),
    /// The attempt got no readable document. What is known from earlier documents does not change.
    Failed(Failure),
    /// The server answered 410 (Gone). Polling stops until an editor forces a poll.
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
    /// The `ETag` and `Last-Modified` of the document; `None` if the document was cut off. The stored ones then stay,
    /// so that the next poll gets the whole document.
    pub validators: Option<Validators>,
    /// What the document says about the feed.
    pub info: FeedInfo,
    /// The entries, in the order of the document. Their guids are unique.
    pub entries: Vec<PolledEntry>,
    /// How often the feed asks to be polled. This applies until the next document.
    pub hints: PollHints,
    /// The repairs that were needed to read the document, and other faults that an editor should know.
    pub repairs: Vec<Repair>,
    /// How many entries have guids that the previous document did not list.
    pub fresh: usize,
    /// Whether the document lists none of the known entries of the feed, so that newswire may have missed entries.
    pub has_gap: bool,
    /// The kinds of keys (guid, link, title) that several entries have in common. The guids of these entries were
    /// extended. This applies to later documents of the feed too.
    pub guids_repaired: SharedKeys,
}

/// An entry of a document.
#[derive(Debug)]
pub struct PolledEntry {
    /// The guid of the entry.
    pub guid: String,
    /// Further guids under which the store may know the entry.
    pub other_guids: OtherGuids,
    /// A hash of everything that the feed wrote for the entry.
    pub raw_hash: u64,
    /// The cleaned entry; `None` if the store has an entry with this guid and `raw_hash`, so that nothing has changed.
    pub cleaned: Option<Box<Cleaned>>,
}

/// A cleaned entry, with the values that decisions need.
#[derive(Debug)]
pub struct Cleaned {
    /// The entry.
    pub entry: Entry,
    /// The plain text of the entry.
    pub text: PlainText,
    /// The keys of the text of the entry.
    pub text_keys: TextKeys,
    /// The hash of the entry's lasting content. If this content changes, the entry is revised.
    pub fingerprint: u64,
    /// The keys of the entry's links.
    pub link_keys: Vec<LinkKey>,
    /// The entry as JSON for the store.
    pub json: Arc<str>,
    /// See [`Cleaned::wording`].
    wording: OnceLock<Wording>,
    encode: Encode,
}

/// The keys by which a text is searched and compared with others; see [`Wording`].
#[derive(Clone, Debug)]
pub struct TextKeys {
    /// The keys of title, text and recording under which the text is searched; see [`Wording::keys`].
    pub found_by: Box<[u32]>,
    /// The key of the title; see [`Wording::title_key`].
    pub title: Option<u64>,
    /// The key of the whole text; see [`Wording::text_key`].
    pub text: Option<u64>,
}

impl TextKeys {
    /// Returns the keys of a text.
    pub fn of(wording: &Wording) -> TextKeys {
        TextKeys { found_by: wording.keys().into(), title: wording.title_key(), text: wording.text_key() }
    }
}

/// A function that returns an entry as JSON for the store.
pub type Encode = fn(&Entry) -> Arc<str>;

impl Cleaned {
    /// Computes the values of an entry. `encode` returns an entry as JSON.
    pub fn new(entry: Entry, encode: Encode) -> Self {
        let text = PlainText::of(&entry);
        let json = encode(&entry);
        let fingerprint = fingerprint(&entry, &text);
        let link_keys = story::link_keys(&entry);
        let wording = Wording::of(&entry.title, &text).with_media(&entry.enclosures);
        let text_keys = TextKeys::of(&wording);
        Cleaned { entry, text, text_keys, fingerprint, link_keys, json, wording: wording.into(), encode }
    }

    /// Returns the text of the entry, prepared for comparing.
    pub fn wording(&self) -> &Wording {
        self.wording.get_or_init(|| Wording::of(&self.entry.title, &self.text).with_media(&self.entry.enclosures))
    }

    /// Frees memory that the entry does not need for now. The text prepared for comparing takes many times the memory
    /// of the text. Most entries are not compared with others. For the few that are, the text is prepared again.
    pub fn pack(&mut self) {
        self.wording = OnceLock::new();
        self.text.shrink();
        for html in [&mut self.entry.summary_html, &mut self.entry.content_html].into_iter().flatten() {
            html.shrink_to_fit();
        }
    }

    /// Frees the content, after it was written. Keeps the date and other small values.
    pub fn forget_content(&mut self) {
        self.wording = OnceLock::new();
        self.text = PlainText::default();
        self.json = Arc::default();
        (self.entry.summary_html, self.entry.content_html) = (None, None);
    }

    /// Changes the guid of the entry.
    pub fn rename(&mut self, guid: &str) {
        guid.clone_into(&mut self.entry.guid.value);
        self.json = (self.encode)(&self.entry);
    }
}

/// Returns the time by which an entry is sorted, and compared with others: the date that the feed gives, but no later
/// than when it was first seen.
pub(super) fn sort_at(entry: &Entry, first_seen: Timestamp) -> Timestamp {
    entry.claimed().map_or(first_seen, |published| published.min(first_seen))
}

/// Returns a date for each entry without a date, by guid. It is the date of the nearest entry before it in the document
/// that has a date. If there is none, it is the date of the nearest entry after it. So in the first document of a feed,
/// such an entry is sorted at its place in the document, and not as the newest.
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
