//! Which entries may tell the same story as those of a run: how they are found, and which of them are compared.
//!
//! Pure. The policy of candidates: an entry is compared with a bounded number of others, however large the archive is.
//! A link or a text key that very many entries share is specific to none of them, and no feed can hide the entries of
//! another.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::ops::RangeInclusive;
use std::time::Duration;

use super::known::{Linked, OtherEntry};
use super::polled::{sort_at, wording};
use super::{Cleaned, Known, MAX_REVISIONS, Plan, PolledEntry, Terms};
use crate::config::Dedup;
use crate::entry::Entry;
use crate::number::{EntryNumber, FeedNumber};
use crate::rows::{LinkRow, OtherRow, SignatureKey, SignatureRow};
use crate::story::Wording;
use crate::time::Timestamp;

/// The most entries with the same link that are compared with a new one; a link that more entries share is a page of
/// its own.
pub const LINKED_AT_MOST: usize = 16;

/// The most bytes of candidates that are read for one run.
pub const OTHERS_BYTES: usize = 8 * 1024 * 1024;

/// The length of a span of time: with the usual window of three days, three spans cover it.
const SPAN: Duration = Duration::from_secs(4 * 24 * 3600);

/// The most spans that are searched: a window of a year would take minutes.
const SPANS: usize = 16;

/// The most entries that a useful key finds: a key that more entries share comes from a column or a footer, and
/// identifies no story.
pub const FOUND_AT_MOST: usize = 64;

/// The most candidates that are compared, those with the most keys in common first.
const COMPARED: usize = 8;

/// The most compared candidates from one feed: two show that the feed repeats the text.
const OF_ONE_FEED: usize = 2;

/// What to look for.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Link keys.
    pub links: BTreeSet<String>,
    /// Ids that stories may publish, or have without publishing them.
    pub ids: BTreeSet<String>,
    /// Keys of texts.
    pub signatures: BTreeSet<SignatureKey>,
}

/// What was found.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// For each link, entries to which it is specific (no entry of another story of their feed has it), at most
    /// [`LINKED_AT_MOST`].
    pub links: HashMap<String, Vec<LinkRow>>,
    /// For each id, the entries of the story that has it.
    pub ids: HashMap<String, Vec<EntryNumber>>,
    /// For each key, entries whose text has it, at most [`FOUND_AT_MOST`].
    pub signatures: HashMap<SignatureKey, Vec<SignatureRow>>,
}

/// Combines a key of a text with a span of days: entries of the same time are stored together, so that a window takes
/// only a few lookups.
fn in_span(span: i64, key: u32) -> SignatureKey {
    SignatureKey((span << 32) | i64::from(key))
}

fn span(time: Timestamp) -> i64 {
    time.millis().div_euclid(SPAN.as_millis() as i64)
}

/// Returns the keys by which an entry of this time is found by its text.
pub(super) fn signatures(wording: &Wording, sort_at: Timestamp) -> Vec<SignatureKey> {
    wording.keys().iter().map(|key| in_span(span(sort_at), *key)).collect()
}

/// Returns the keys by which the text of a stored entry is found.
pub fn signature_keys(entry: &Entry, first_seen: Timestamp) -> Vec<SignatureKey> {
    signatures(&wording(entry), sort_at(entry, first_seen))
}

/// An entry of a run that is compared with others.
struct Compared<'r> {
    polled: &'r PolledEntry,
    cleaned: &'r Cleaned,
    /// The entry's number, if the store knows the entry.
    own: Option<EntryNumber>,
}

/// Returns the entries of a run that are new or whose text has changed.
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

    /// Returns the keys of the entry's text in every span of the window, none later than now.
    fn signatures(&self, terms: &Terms) -> impl Iterator<Item = SignatureKey> {
        let sort_at = sort_at(&self.cleaned.entry, terms.now);
        let spans = span(sort_at - terms.window)..=span((sort_at + terms.window).min(terms.now));
        let keys = if terms.by_text { self.cleaned.wording.keys() } else { &[] };
        let in_spans = |spans: RangeInclusive<i64>, key: u32| spans.take(SPANS).map(move |span| in_span(span, key));
        keys.iter().flat_map(move |key| in_spans(spans.clone(), *key))
    }
}

/// Returns what to look for to decide a run.
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

/// Returns the entries to read, each once, the most likely first. Also returns, for each entry of the run by its guid,
/// the entries that may have its text.
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

/// Returns the entries that share keys with the entry, those that share most keys first. If there are few, all are
/// compared; otherwise each feed gets its share, so that none hides the others.
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
    /// Replaces the candidates of the previous run by those of this run.
    pub fn begin_run(&mut self) {
        self.others.clear();
        self.links.clear();
        self.alike.clear();
        self.published.clear();
        self.own_stories.clear();
    }

    /// Stores what was found for a run, and those of the found entries that could be read.
    pub fn take_found(&mut self, found: Found, alike: HashMap<String, Vec<EntryNumber>>, rows: Vec<(OtherRow, Dedup)>) {
        let places: HashMap<EntryNumber, usize> =
            rows.iter().enumerate().map(|(at, (row, _))| (row.number, at)).collect();
        self.others = rows.into_iter().map(|(row, dedup)| OtherEntry::of(row, dedup)).collect();
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
    fn of(row: OtherRow, dedup: Dedup) -> OtherEntry {
        OtherEntry {
            number: row.number,
            story: row.story,
            feed: row.feed,
            by_text: dedup == Dedup::Text,
            fingerprint: row.fingerprint,
            sort_at: sort_at(&row.entry, row.first_seen),
            wording: wording(&row.entry),
            link: row.entry.link,
            language: row.entry.language,
        }
    }
}
