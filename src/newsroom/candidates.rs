//! Chooses *candidates*: the stored entries that may be about the same story as a polled entry. They are chosen for one
//! *run* at a time, a group of entries of one document.
//!
//! The policy of candidates: an entry is compared with a limited number of others, however large the archive is. A link
//! that very many entries share identifies no story. The same holds for a text key (made from a part of a text). No
//! feed can have so many similar entries that those of other feeds are not compared. This module does no I/O.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::ops::RangeInclusive;
use std::time::Duration;

use super::known::{Linked, OtherEntry, OtherFeed};
use super::polled::{sort_at, wording};
use super::{Cleaned, Known, MAX_REVISIONS, Plan, PolledEntry, Terms};
use crate::config::Dedup;
use crate::entry::Entry;
use crate::number::{EntryNumber, FeedNumber};
use crate::rows::{LinkRow, OtherRow, SignatureKey, SignatureRow};
use crate::time::Timestamp;

/// The most entries with the same link that are compared with a new entry. A link that more entries share leads to a
/// page that many stories link to, not to one story.
pub const LINKED_AT_MOST: usize = 16;

/// The most bytes of candidates (entries to compare with) that are read for one run.
pub const OTHERS_BYTES: usize = 8 * 1024 * 1024;

/// The length of the spans of time for which text keys are stored. Three spans cover the usual window: three days
/// before and after an entry's date.
const SPAN: Duration = Duration::from_secs(4 * 24 * 3600);

/// The most spans that are searched for an entry. If the window is a year, a search of all its spans would take
/// minutes.
const SPANS: usize = 16;

/// The most entries that are loaded for a text key. A key that more entries share comes from a column's title or a
/// footer, and identifies no story.
pub const FOUND_AT_MOST: usize = 64;

/// The most candidates that are compared with an entry because of their text keys. These are the candidates that share
/// the most keys with it.
const COMPARED: usize = 8;

/// The most candidates from one feed that are compared with an entry. The limit holds only if there are more than
/// [`COMPARED`] candidates in all. Two are enough to see whether the feed repeats the text.
const OF_ONE_FEED: usize = 2;

/// The keys to look up in the store for a run.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// The link keys to look up.
    pub links: BTreeSet<String>,
    /// The ids of stories to look up.
    pub ids: BTreeSet<String>,
    /// The text keys to look up.
    pub signatures: BTreeSet<SignatureKey>,
}

/// The rows that the store found for [`Wanted`].
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// For each link, at most [`LINKED_AT_MOST`] entries that have it as a specific link: in the entry's feed, no entry
    /// of another story has the link.
    pub links: HashMap<String, Vec<LinkRow>>,
    /// For each id, entries of the story that has the id.
    pub ids: HashMap<String, Vec<EntryNumber>>,
    /// For each key, at most [`FOUND_AT_MOST`] entries whose text has the key.
    pub signatures: HashMap<SignatureKey, Vec<SignatureRow>>,
}

/// Combines a key of a text with the number of a span of time. Because the span comes first, the keys of the same time
/// are close together in the store, and a window takes only a few lookups.
fn in_span(span: i64, key: u32) -> SignatureKey {
    SignatureKey((span << 32) | i64::from(key))
}

fn span(time: Timestamp) -> i64 {
    time.millis().div_euclid(SPAN.as_millis() as i64)
}

/// Returns the keys under which the store finds the text of an entry with this time.
pub(super) fn signatures(keys: &[u32], sort_at: Timestamp) -> Vec<SignatureKey> {
    keys.iter().map(|key| in_span(span(sort_at), *key)).collect()
}

/// Returns the keys under which the store finds the text of a stored entry.
pub fn signature_keys(entry: &Entry, first_seen: Timestamp) -> Vec<SignatureKey> {
    signatures(wording(entry).keys(), sort_at(entry, first_seen))
}

/// An entry of a run that is compared with stored entries.
struct Compared<'r> {
    polled: &'r PolledEntry,
    cleaned: &'r Cleaned,
    /// The number of the entry, if the store knows the entry.
    own: Option<EntryNumber>,
}

/// Returns the entries of a run that are new or whose lasting content has changed, if the feed's `dedup` setting allows
/// comparing.
fn compared<'r>(
    run: &'r [PolledEntry],
    plan: &'r Plan,
    known: &'r Known,
    terms: &Terms,
) -> impl Iterator<Item = Compared<'r>> {
    let run = if terms.by_links { run } else { &[] };
    run.iter().filter_map(|polled| {
        let cleaned = polled.cleaned.as_deref().filter(|_| !plan.is_settled(&polled.guid))?;
        let before = known.entries.get(&polled.guid);
        let is_settled =
            before.is_some_and(|before| before.fingerprint == cleaned.fingerprint || before.revisions >= MAX_REVISIONS);
        (!is_settled).then_some(Compared { polled, cleaned, own: before.map(|before| before.number) })
    })
}

impl Compared<'_> {
    fn links(&self, plan: &Plan) -> impl Iterator<Item = &String> {
        let keys = self.cleaned.link_keys.iter().map(|key| &key.key);
        keys.filter(|key| !plan.shared_keys().contains(*key))
    }

    /// Returns the keys of the entry's text for each span of time in the window around its date, up to now.
    fn signatures(&self, terms: &Terms) -> impl Iterator<Item = SignatureKey> {
        let sort_at = sort_at(&self.cleaned.entry, terms.now);
        let spans = span(sort_at - terms.window)..=span((sort_at + terms.window).min(terms.now));
        let keys = if terms.by_text { &*self.cleaned.text_keys.found_by } else { &[] };
        let in_spans = |spans: RangeInclusive<i64>, key: u32| spans.take(SPANS).map(move |span| in_span(span, key));
        keys.iter().flat_map(move |key| in_spans(spans.clone(), *key))
    }
}

/// Returns the keys to look up in the store to decide about a run.
pub fn wanted(run: &[PolledEntry], plan: &Plan, known: &Known, terms: &Terms) -> Wanted {
    let mut wanted = Wanted::default();
    for entry in compared(run, plan, known, terms) {
        wanted.links.extend(entry.links(plan).cloned());
        if entry.own.is_none() {
            wanted.ids.insert(entry.polled.guid.clone());
        }
        wanted.signatures.extend(entry.signatures(terms));
    }
    wanted
}

/// Returns the numbers of the entries to read, without duplicates. Also returns, by the guid of each compared entry of
/// the run, the stored entries that may have the same text.
pub fn to_read(
    run: &[PolledEntry],
    plan: &Plan,
    known: &Known,
    terms: &Terms,
    found: &Found,
) -> (Vec<EntryNumber>, HashMap<String, Vec<EntryNumber>>) {
    let (mut numbers, mut seen, mut alike) = (Vec::new(), HashSet::new(), HashMap::new());
    for entry in compared(run, plan, known, terms) {
        let linked = entry.links(plan).filter_map(|key| found.links.get(key)).flatten().map(|link| link.entry);
        let published = found.ids.get(&entry.polled.guid).into_iter().flatten().copied();
        let published = published.filter(|_| entry.own.is_none());
        let like: Vec<EntryNumber> = alike_to(&entry, known.feed, terms, found);
        let others = linked.chain(published).chain(like.iter().copied()).filter(|number| Some(*number) != entry.own);
        numbers.extend(others.filter(|number| seen.insert(*number)));
        alike.insert(entry.polled.guid.clone(), like);
    }
    (numbers, alike)
}

/// Returns the stored entries that share text keys with the entry, those that share the most keys first. If they are
/// more than [`COMPARED`], takes none of the polled feed, and at most [`OF_ONE_FEED`] of each other feed, so that no
/// feed pushes out the others.
fn alike_to(entry: &Compared, feed: FeedNumber, terms: &Terms, found: &Found) -> Vec<EntryNumber> {
    let mut counts = HashMap::<EntryNumber, (usize, FeedNumber)>::new();
    for row in entry.signatures(terms).filter_map(|key| found.signatures.get(&key)).flatten() {
        counts.entry(row.entry).or_insert((0, row.feed)).0 += 1;
    }
    let mut ranked: Vec<_> = counts.into_iter().collect();
    ranked.sort_by_key(|(entry, (keys, _))| (std::cmp::Reverse(*keys), *entry));
    let mut of_feed = HashMap::<FeedNumber, usize>::from([(feed, OF_ONE_FEED)]);
    if ranked.len() > COMPARED {
        ranked.retain(|(_, (_, feed))| {
            let of_feed = of_feed.entry(*feed).or_default();
            *of_feed += 1;
            *of_feed <= OF_ONE_FEED
        });
        ranked.truncate(COMPARED);
    }
    ranked.into_iter().map(|(entry, _)| entry).filter(|number| Some(*number) != entry.own).collect()
}

impl Known {
    /// Removes the candidates of the previous run.
    pub fn begin_run(&mut self) {
        self.others.clear();
        self.links.clear();
        self.alike.clear();
        self.published.clear();
        self.own_stories.clear();
    }

    /// Stores the candidates of a run: what was found, and `rows`, the found entries that could be read.
    pub fn take_found(
        &mut self,
        found: Found,
        alike: HashMap<String, Vec<EntryNumber>>,
        rows: Vec<(OtherRow, OtherFeed)>,
    ) {
        let places: HashMap<EntryNumber, usize> =
            rows.iter().enumerate().map(|(at, (row, _))| (row.number, at)).collect();
        self.others = rows.into_iter().map(|(row, feed)| OtherEntry::of(row, feed)).collect();
        let place = |number: &EntryNumber| places.get(number).copied();
        for (key, rows) in found.links {
            let linked = rows.iter().filter_map(|row| Some(Linked { at: place(&row.entry)?, original: row.original }));
            self.links.insert(key, linked.collect());
        }
        for (id, numbers) in found.ids {
            self.published.insert(id, numbers.iter().filter_map(place).collect());
        }
        for (guid, numbers) in alike {
            self.alike.insert(guid, numbers.iter().filter_map(place).collect());
        }
    }
}

impl OtherEntry {
    fn of(row: OtherRow, feed: OtherFeed) -> OtherEntry {
        OtherEntry {
            number: row.number,
            story: row.story,
            feed: row.feed,
            by_text: feed.dedup == Dedup::Text,
            fingerprint: row.fingerprint,
            sort_at: sort_at(&row.entry, row.first_seen),
            publication: feed.publication,
            wording: wording(&row.entry),
            entry: row.entry,
        }
    }
}
