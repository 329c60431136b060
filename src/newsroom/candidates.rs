//! Which entries may tell the same as those of a run: how they are looked for, and which of those found are compared.
//!
//! Pure. The policy held here: an entry is compared with a bounded number of others, whatever the archive holds. A link or a
//! key of a text that very many entries have points to none of them, and no feed can hide the entries of another.

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

/// How many entries with the same link are compared with a new one at most; a link that more have is a page of its own.
pub const LINKED_AT_MOST: usize = 16;

/// How many bytes are read of entries that may tell the same as those of one run.
pub const OTHERS_BYTES: usize = 8 * 1024 * 1024;

/// How many days lie together: with the usual window of three, three such spans cover it.
const SPAN: Duration = Duration::from_secs(4 * 24 * 3600);

/// More spans are not looked through: a window of a year would be looked through for minutes.
const SPANS: usize = 16;

/// A key that more entries have belongs to a column or a footer, and points to no story.
pub const FOUND_AT_MOST: usize = 64;

/// How many candidates are compared, those with the most keys in common first.
const COMPARED: usize = 8;

/// How many of these may be of one feed: two show that the feed repeats the text.
const OF_ONE_FEED: usize = 2;

/// What is looked for.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Link keys.
    pub links: BTreeSet<String>,
    /// Ids that stories may publish or keep to themselves.
    pub ids: BTreeSet<String>,
    /// Keys of texts.
    pub signatures: BTreeSet<SignatureKey>,
}

/// What was found.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// Entries that have a link as a specific one, at most [`LINKED_AT_MOST`] for each.
    pub links: HashMap<String, Vec<LinkRow>>,
    /// The entries of the story with an id.
    pub ids: HashMap<String, Vec<EntryNumber>>,
    /// Entries with a key, at most [`FOUND_AT_MOST`] for each.
    pub signatures: HashMap<SignatureKey, Vec<SignatureRow>>,
}

/// The key under which a text's key is kept, beside the days that its entry is of: entries of one time lie together, and a
/// window is some few lookups.
fn in_span(span: i64, key: u32) -> SignatureKey {
    SignatureKey((span << 32) | i64::from(key))
}

fn span(time: Timestamp) -> i64 {
    time.millis().div_euclid(SPAN.as_millis() as i64)
}

/// Returns the keys under which an entry of this time is found by its words.
pub fn signatures(wording: &Wording, sort_at: Timestamp) -> Vec<SignatureKey> {
    wording.keys().iter().map(|key| in_span(span(sort_at), *key)).collect()
}

/// The keys under which the words of an entry are found that the store has.
pub fn signature_keys(entry: &Entry, first_seen: Timestamp) -> Vec<SignatureKey> {
    signatures(&wording(entry), sort_at(entry, first_seen))
}

/// An entry of a run that is compared with others.
struct Compared<'r> {
    polled: &'r PolledEntry,
    cleaned: &'r Cleaned,
    /// Its own number, if it is known.
    own: Option<EntryNumber>,
}

/// The entries of a run that are new or say something else now.
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

    /// The keys of its text in every span of the window; none is of a time after now.
    fn signatures(&self, terms: &Terms) -> impl Iterator<Item = SignatureKey> {
        let sort_at = sort_at(&self.cleaned.entry, terms.now);
        let spans = span(sort_at - terms.window)..=span((sort_at + terms.window).min(terms.now));
        let keys = if terms.by_text { self.cleaned.wording.keys() } else { &[] };
        let in_spans = |spans: RangeInclusive<i64>, key: u32| spans.take(SPANS).map(move |span| in_span(span, key));
        keys.iter().flat_map(move |key| in_spans(spans.clone(), *key))
    }
}

/// Returns what is looked for to decide a run.
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

/// Returns the entries to read, each once, those that are most likely the same first; by guid those that may have the text
/// of an entry.
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

/// The entries that have some of the keys, those with most of them first. Few are compared as they are; of more each feed has
/// its part, so that none hides the others.
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
    /// Takes the entries that were read for a run in place of those of the run before.
    pub fn begin_run(&mut self) {
        self.others.clear();
        self.links.clear();
        self.alike.clear();
        self.published.clear();
        self.own_stories.clear();
    }

    /// Takes what was found for a run, and those of the entries found that could be read.
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
