//! What a poll changes: which entries are new, revised or re-keyed, and which stories they belong to.
//!
//! [`Plan`] gets what a document brought and what the store knows, and says for each entry whether it is new, revised or
//! unchanged, and which story a new one belongs to. It never touches the store, the network or the clock; whoever applies
//! the plan does so in the same transaction that gave [`Known`], so that two polls with one story cannot both make it.
//!
//! Large documents are decided in [`runs`]: only the entries of one run and what may tell the same are in memory together.
//!
//! The policy held here: only a change of lasting content makes an entry revised; an entry that revises itself for ever is
//! applied at most [`MAX_REVISIONS`] times; a link joins only if it is specific to its entry, a text only if it is specific
//! to its story; a known entry under a new guid is no new entry; a feed has one copy of a story at most, so that no feed can
//! fill another's story with entries of its own.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use url::Url;

use super::{fingerprint, joins, rekey};
use crate::entry::{Entry, GuidKind, OtherGuids, SharedKeys};
use crate::feed::{FeedId, FeedInfo, PollHints, Validators};
use crate::schedule::next::NextPoll;
use crate::story::{self, JoinReason, LinkKey, Wording};
use crate::text::PlainText;
use crate::time::Timestamp;

/// How often an entry's changes are applied. Whoever changes a text more often than daily for three weeks has put a clock
/// into it.
pub const MAX_REVISIONS: u32 = 24;

/// How many entries are decided in one run, and how many bytes they may have: what the writer does in a quarter of a second.
const RUN_ENTRIES: usize = 100;
const RUN_BYTES: usize = 8 * 1024 * 1024;

/// How many words are compared in one run: those of a hundred articles of 800 words, each with six others.
const RUN_WORDS: usize = 1_000_000;

/// How many stories one document may unite with others. More would be no coincidence, and each one is read whole.
const MAX_UNITED: usize = 100;

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
    Failed {
        kind: &'static str,
        error: String,
    },
    /// 410: polling stops until it is forced.
    Gone {
        error: String,
    },
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
    pub repairs: Vec<String>,
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
    /// The entry as JSON, as it is kept.
    pub json: String,
}

impl Cleaned {
    pub fn new(entry: Entry) -> Self {
        let text = PlainText::of(&entry);
        let json = serde_json::to_string(&entry).expect("an entry has nothing that JSON could not say");
        let fingerprint = fingerprint(&entry, &text);
        let link_keys = story::link_keys(&entry);
        let wording = Wording::of(&entry.title, &text).with_media(&entry.enclosures);
        Cleaned { entry, text, wording, fingerprint, link_keys, json }
    }
}

/// When an entry was published, as far as that is believed: never in the future. What sorts stories and bounds joining.
pub fn sort_at(entry: &Entry, first_seen: Timestamp) -> Timestamp {
    entry.claimed().map_or(first_seen, |published| published.min(first_seen))
}

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

/// What the store knows that bears on a poll. `others` and the fields after it are loaded run by run.
#[derive(Debug, Default)]
pub struct Known {
    /// The number of the feed that was polled.
    pub feed: i64,
    /// Of this feed, by guid.
    pub entries: HashMap<String, KnownEntry>,
    /// Of this feed, those that the document does not list and that may come again under other guids, and those that it lists
    /// under a guid that they had before.
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
    pub own_stories: HashSet<i64>,
}

impl Known {
    /// Forgets the former entries that a plan has looked at; their words take much memory. Those that the document lists under
    /// a guid that they had are needed to the end.
    pub fn forget_matched(&mut self) {
        let aliases: HashSet<i64> =
            self.entries.values().filter(|entry| entry.is_alias).map(|entry| entry.number).collect();
        self.former.retain(|former| aliases.contains(&former.number));
    }
}

/// An entry of the feed that the store has.
#[derive(Clone, Copy, Debug)]
pub struct KnownEntry {
    pub number: i64,
    pub story: i64,
    pub raw_hash: u64,
    pub fingerprint: u64,
    pub revisions: u32,
    /// Whether it had this guid before, and has another now.
    pub is_alias: bool,
    /// Whether retention took its words: they do not come back.
    pub is_purged: bool,
}

/// An entry of the feed that the document does not list.
#[derive(Clone, Debug)]
pub struct FormerEntry {
    pub number: i64,
    pub story: i64,
    pub guid: String,
    pub guid_kind: GuidKind,
    pub fingerprint: u64,
    pub revisions: u32,
    pub link_keys: Vec<String>,
    /// Those of `link_keys` that no other entry of the feed has.
    pub specific_keys: Vec<String>,
    pub published: Option<Timestamp>,
    pub authors: Vec<String>,
    /// `None` where retention took the words.
    pub wording: Option<Wording>,
}

/// An entry of any feed.
#[derive(Clone, Debug)]
pub struct OtherEntry {
    pub number: i64,
    pub story: i64,
    pub feed: i64,
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

/// What is to be done for one entry.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// Nothing at all.
    Unchanged { number: i64 },
    /// Other bytes, the same lasting content: only the hash is written, so that it is not cleaned again.
    Touched { number: i64 },
    /// New words for a known entry, which may show that its story is another's.
    Revised { number: i64, story: i64, unites: Vec<Join> },
    /// It has changed too often: written, so that it is not cleaned again, but not applied.
    Restless { number: i64 },
    /// A known entry under a new guid.
    Rekeyed { number: i64, story: i64, rewording: Rewording },
    /// A further guid of a known entry that is still listed under its own: the feed lists one page twice.
    Aliased { number: i64 },
    /// `unites` are further stories that it seems to belong to.
    New { join: Option<Join>, unites: Vec<Join> },
}

impl Change {
    /// The known entry that it is about; `None` of a new one.
    pub fn number(&self) -> Option<i64> {
        match self {
            Change::Unchanged { number }
            | Change::Touched { number }
            | Change::Revised { number, .. }
            | Change::Restless { number }
            | Change::Rekeyed { number, .. }
            | Change::Aliased { number } => Some(*number),
            Change::New { .. } => None,
        }
    }
}

/// What became of an entry's words when it came under a new guid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rewording {
    /// They stay as they are kept.
    Kept,
    /// The same words, but another link or other furniture: written, but no edit.
    Rewritten,
    /// Other words: an edit, which counts as a revision.
    Edited,
}

/// A story that an entry belongs to, and why.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Join {
    pub story: i64,
    pub reason: JoinReason,
    /// How alike they are, 0 to 1; only where text decided.
    pub score: Option<f64>,
}

/// Cuts a document into runs, each in the document's order and the last of them first: entries are decided from the end of
/// their document, so that the oldest come first.
pub fn runs(entries: &[PolledEntry]) -> Vec<&[PolledEntry]> {
    let (mut runs, mut rest) = (Vec::new(), entries);
    while !rest.is_empty() {
        let (mut count, mut bytes) = (0, 0);
        let fits = |entry: &&PolledEntry| {
            let Some(cleaned) = &entry.cleaned else { return true };
            count += 1;
            bytes += cleaned.json.len();
            count == 1 || count <= RUN_ENTRIES && bytes <= RUN_BYTES
        };
        let length = rest.iter().rev().take_while(fits).count();
        let (before, run) = rest.split_at(rest.len() - length);
        runs.push(run);
        rest = before;
    }
    runs
}

/// What is decided for a document as a whole, and what its entries have come to so far.
#[derive(Debug)]
pub struct Plan {
    shared: Shared,
    /// The known entries that it lists, and those that were found in it under other guids.
    listed: HashSet<i64>,
    /// By guid, the known entries that had others before.
    rekeyed: HashMap<String, Change>,
    /// The stories that entries of the document have joined.
    joined: HashSet<i64>,
    unites_left: usize,
    words_left: usize,
}

impl Plan {
    /// Decides what concerns the whole document. Needs of `known` only what is not loaded run by run.
    pub fn new(entries: &[PolledEntry], known: &Known) -> Plan {
        let by_guid = entries.iter().filter_map(|entry| known.entries.get(&entry.guid));
        let listed = by_guid.filter(|entry| !entry.is_alias).map(|entry| entry.number);
        let former = rekey::matched(entries, known);
        let listed = listed.chain(former.values().map(|former| former.number)).collect();
        let rekeyed = entries.iter().filter_map(|entry| {
            let former = former.get(entry.guid.as_str())?;
            Some((entry.guid.clone(), rekeyed(entry, former)))
        });
        Plan {
            shared: Shared { keys: shared_keys(entries), texts: shared_texts(entries) },
            listed,
            rekeyed: rekeyed.collect(),
            joined: HashSet::new(),
            unites_left: MAX_UNITED,
            words_left: RUN_WORDS,
        }
    }

    /// Returns the link keys that several entries of the document have: they say nothing of any.
    pub fn shared_keys(&self) -> &HashSet<String> {
        &self.shared.keys
    }

    /// Whether the entry is known under another guid, and needs no comparing.
    pub fn is_rekeyed(&self, guid: &str) -> bool {
        self.rekeyed.contains_key(guid)
    }

    /// Begins a run, whose `others` are known now.
    pub fn begin_run(&mut self) {
        self.words_left = RUN_WORDS;
    }

    /// Decides for the next entry of the run.
    pub fn change(&mut self, entry: &PolledEntry, known: &Known, terms: &Terms) -> Change {
        if let Some(rekeyed) = self.rekeyed.remove(&entry.guid) {
            return rekeyed;
        }
        match known.entries.get(&entry.guid) {
            Some(before) => self.known(entry, before, known, terms),
            None => self.new_entry(entry, known, terms),
        }
    }

    /// Notes that the story of an entry was united with this one.
    pub fn note_united(&mut self, story: i64) {
        self.joined.insert(story);
    }

    fn known(&mut self, entry: &PolledEntry, before: &KnownEntry, known: &Known, terms: &Terms) -> Change {
        let number = before.number;
        let Some(cleaned) = &entry.cleaned else { return Change::Unchanged { number } };
        if before.is_alias {
            return self.under_former_guid(entry, cleaned, number, known, terms);
        }
        if before.raw_hash == entry.raw_hash {
            Change::Unchanged { number }
        } else if before.is_purged || before.fingerprint == cleaned.fingerprint {
            Change::Touched { number }
        } else if before.revisions >= MAX_REVISIONS {
            Change::Restless { number }
        } else {
            let joins = self.joins(cleaned, &entry.guid, known, terms);
            let unites = self.unites(joins.into_iter().filter(|join| join.story != before.story));
            Change::Revised { number, story: before.story, unites }
        }
    }

    /// Decides for an entry under a guid that a known one had before.
    fn under_former_guid(
        &mut self,
        entry: &PolledEntry,
        cleaned: &Cleaned,
        number: i64,
        known: &Known,
        terms: &Terms,
    ) -> Change {
        let former = known.former.iter().find(|former| former.number == number);
        let Some(former) = former else { return Change::Unchanged { number } };
        if self.listed.insert(number) {
            // The feed went back to the guid that it had before.
            return rekeyed(entry, former);
        }
        match &former.wording {
            // The feed gave the guid to another entry.
            Some(wording) if !cleaned.wording.is_kept_by(wording) => self.new_entry(entry, known, terms),
            Some(_) | None => Change::Unchanged { number },
        }
    }

    fn new_entry(&mut self, entry: &PolledEntry, known: &Known, terms: &Terms) -> Change {
        let Some(cleaned) = &entry.cleaned else { return Change::New { join: None, unites: Vec::new() } };
        if let Some(same) = joins::same_entry(cleaned, known, terms, &self.shared.keys) {
            // One page of the feed under a new guid, with the same words: no second copy, and nothing new.
            return if self.listed.insert(same.number) {
                let is_kept = same.fingerprint == cleaned.fingerprint;
                let rewording = if is_kept { Rewording::Kept } else { Rewording::Rewritten };
                Change::Rekeyed { number: same.number, story: same.story, rewording }
            } else {
                Change::Aliased { number: same.number }
            };
        }
        let mut joins = self.joins(cleaned, &entry.guid, known, terms).into_iter();
        let join = joins.next();
        self.joined.extend(join.map(|join| join.story));
        Change::New { join, unites: self.unites(joins) }
    }

    /// The stories that an entry belongs to, without those that have a copy of this feed.
    fn joins(&mut self, cleaned: &Cleaned, guid: &str, known: &Known, terms: &Terms) -> Vec<Join> {
        let has_copy = |story: i64| known.own_stories.contains(&story) || self.joined.contains(&story);
        joins::of(cleaned, guid, known, terms, (&self.shared, &has_copy), &mut self.words_left)
    }

    /// As many as the document may still unite.
    fn unites(&mut self, joins: impl Iterator<Item = Join>) -> Vec<Join> {
        let unites: Vec<Join> = joins.take(self.unites_left).collect();
        self.unites_left -= unites.len();
        unites
    }
}

/// A former entry under the guid of this one.
fn rekeyed(entry: &PolledEntry, former: &FormerEntry) -> Change {
    let changed = entry.cleaned.as_ref().filter(|cleaned| cleaned.fingerprint != former.fingerprint);
    let rewording = match (changed, &former.wording) {
        (Some(cleaned), Some(wording)) if !cleaned.wording.says_the_same(wording) => Rewording::Edited,
        (Some(_), Some(_)) => Rewording::Rewritten,
        _ => Rewording::Kept,
    };
    let is_restless = rewording == Rewording::Edited && former.revisions >= MAX_REVISIONS;
    let rewording = if is_restless { Rewording::Kept } else { rewording };
    Change::Rekeyed { number: former.number, story: former.story, rewording }
}

/// What several entries of a document have: it points to none of them.
#[derive(Debug)]
pub(super) struct Shared {
    /// Link keys.
    pub(super) keys: HashSet<String>,
    /// Keys of texts that stand under different titles.
    pub(super) texts: HashSet<u64>,
}

fn shared_texts(entries: &[PolledEntry]) -> HashSet<u64> {
    let mut titles = HashMap::new();
    let wordings = entries.iter().filter_map(|entry| entry.cleaned.as_ref()).map(|cleaned| &cleaned.wording);
    let texts = wordings.filter_map(|wording| Some((wording.text_key()?, wording.title_key())));
    texts.filter(|(text, title)| titles.entry(*text).or_insert(*title) != title).map(|(text, _)| text).collect()
}

fn shared_keys(entries: &[PolledEntry]) -> HashSet<String> {
    let mut seen = HashSet::new();
    let keys = entries.iter().filter_map(|entry| entry.cleaned.as_ref()).flat_map(|cleaned| &cleaned.link_keys);
    keys.filter(|key| !seen.insert(key.key.as_str())).map(|key| key.key.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lengths of the runs of entries with texts of so many bytes; of 0 bytes are those that are known.
    fn check(bytes: &[usize], expected: &[usize]) {
        let entry = |(at, bytes): (usize, &usize)| {
            let guid = serde_json::json!({ "value": at.to_string(), "kind": "guid" });
            let entry = serde_json::json!({ "guid": guid, "title": "", "content_html": "x".repeat(*bytes) });
            let cleaned =
                (*bytes > 0).then(|| Box::new(Cleaned::new(serde_json::from_value(entry).expect("it is an entry"))));
            PolledEntry { guid: at.to_string(), other_guids: OtherGuids::default(), raw_hash: 0, cleaned }
        };
        let entries: Vec<PolledEntry> = bytes.iter().enumerate().map(entry).collect();
        let runs = runs(&entries);
        assert_eq!(runs.iter().map(|run| run.len()).collect::<Vec<_>>(), expected);
        let in_order = runs.iter().rev().flat_map(|run| run.iter()).map(|entry| entry.guid.parse::<usize>().unwrap());
        assert!(in_order.eq(0..bytes.len()));
    }

    #[test]
    fn runs_are_bounded_in_entries_and_bytes() {
        check(&[], &[]);
        check(&[1; 250], &[100, 100, 50]);
        check(&[0; 250], &[250]);
        let large = 5 << 20;
        check(&[1, large, large, 1, 1], &[3, 2]);
        check(&[1, 9 << 20, 1], &[1, 1, 1]);
    }
}
