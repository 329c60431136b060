//! Decides what a poll changes: which entries are new, revised or re-keyed (known, but under a new guid), and which
//! stories they belong to.
//!
//! [`Plan`] gets the entries of a document and the stored entries in [`Known`]. It never accesses the store, the
//! network or the clock. The caller applies the plan in the transaction that loaded [`Known`], so that two polls with
//! the same story cannot both create it.
//!
//! Large documents are decided in [`runs`], groups of entries of limited size. Only the stored entries that are
//! compared with the entries of one run are in memory together.
//!
//! The policy of polls:
//!
//! - An entry is revised only if its lasting content changes. At most [`MAX_REVISIONS`] revisions of an entry are
//!   applied, because some entries change at every poll.
//! - An entry joins a story by a link only if the link is specific to the entry: no entry of another story of the feed
//!   has the link.
//! - An entry joins a story by its text only if no feed has the text in several stories.
//! - A known entry under a new guid is not a new entry. An earlier version of an entry that the document also lists is
//!   not one either.
//! - A feed has at most one copy of a story, so that no feed can fill another feed's story with its own entries.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use super::known::Shared;
use super::polled::neighbour_dates;
use super::versions::Versions;
use super::{Cleaned, FormerEntry, Join, Known, MAX_REVISIONS, PolledEntry, Terms, joins, rekey};
use crate::number::{EntryNumber, StoryNumber};
use crate::rows::KnownEntry;
use crate::time::Timestamp;

/// The most entries of one run, and the most bytes of their texts. The writer handles such a run in a quarter of a
/// second.
const RUN_ENTRIES: usize = 100;
const RUN_BYTES: usize = 8 * 1024 * 1024;

/// The most words that are compared in one run. This is enough to compare a hundred articles of 800 words with six
/// others each.
const RUN_WORDS: usize = 1_000_000;

/// The most merges of stories that one document may cause. More merges are unlikely to be correct, and each merged
/// story must be read completely.
const MAX_MERGES: usize = 100;

/// The change for one entry.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// Nothing changes.
    Unchanged {
        /// The number of the entry.
        number: EntryNumber,
    },
    /// The feed wrote the entry differently, but its lasting content (a change of it is a revision) is the same. Only
    /// the hash is written, so that the entry need not be cleaned again.
    Touched {
        /// The number of the entry.
        number: EntryNumber,
    },
    /// A known entry has new content. The content may show that the entry's story is the same as another.
    Revised {
        /// The number of the entry.
        number: EntryNumber,
        /// The story of the entry.
        story: StoryNumber,
        /// Stories that may be the same as the entry's own.
        merges: Vec<Join>,
    },
    /// The entry has changed too often, so its new content is ignored. Its hash is written, so that the entry need not
    /// be cleaned again.
    Restless {
        /// The number of the entry.
        number: EntryNumber,
    },
    /// A known entry is in the document under a new guid.
    Rekeyed {
        /// The number of the entry.
        number: EntryNumber,
        /// The story of the entry.
        story: StoryNumber,
        /// The change of the entry's content.
        rewording: Rewording,
    },
    /// A new guid leads to a known entry that the document also lists under its own guid. The feed lists one page
    /// twice.
    Aliased {
        /// The number of the entry.
        number: EntryNumber,
    },
    /// An earlier version of another entry that the document lists. The guid of the earlier version will lead to that
    /// entry.
    Earlier,
    /// A new entry.
    New {
        /// The story that the entry joins; `None` if it gets a story of its own.
        join: Option<Join>,
        /// Further stories that the entry seems to belong to.
        merges: Vec<Join>,
    },
}

impl Change {
    /// Returns the number of the known entry that the change is about; `None` for a new entry and an unknown earlier
    /// version.
    pub fn number(&self) -> Option<EntryNumber> {
        match self {
            Change::Unchanged { number }
            | Change::Touched { number }
            | Change::Revised { number, .. }
            | Change::Restless { number }
            | Change::Rekeyed { number, .. }
            | Change::Aliased { number } => Some(*number),
            Change::Earlier | Change::New { .. } => None,
        }
    }
}

impl Change {
    /// Returns whether the change writes anything.
    pub fn is_written(&self) -> bool {
        !matches!(self, Change::Unchanged { .. } | Change::Earlier)
    }

    /// Returns whether the change may show that two stories are the same.
    pub fn may_merge_stories(&self) -> bool {
        matches!(self, Change::Revised { merges, .. } | Change::New { merges, .. } if !merges.is_empty())
    }
}

/// The change of a known entry's content when it gets a new guid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rewording {
    /// The stored content stays.
    Kept,
    /// The text is the same, but the link or other parts differ. The new content is written, but does not count as a
    /// revision.
    Rewritten,
    /// The text differs. The new content is written, and counts as a revision.
    Edited,
}

/// Splits the entries of a document into runs. Returns the range in `entries` of each run. The last run comes first,
/// because the oldest entries, which are usually at the end, are decided first. The entries of each run are in the
/// order of the document.
pub fn runs(entries: &[PolledEntry]) -> Vec<Range<usize>> {
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
        let start = rest.len() - length;
        runs.push(start..rest.len());
        rest = &rest[..start];
    }
    runs
}

/// The decisions about a document as a whole, and the state of the decisions about its entries.
#[derive(Debug)]
pub struct Plan {
    shared: Shared,
    /// The known entries that the document lists, under their own or other guids.
    listed: HashSet<EntryNumber>,
    /// The changes of known entries that the document has under new guids. The keys are the new guids.
    rekeyed: HashMap<String, Change>,
    /// For the guid of each earlier version of an entry, the guid of the latest version in the document.
    latest: HashMap<String, String>,
    /// The stories that entries of the document have joined so far.
    joined: HashSet<StoryNumber>,
    merges_left: usize,
    words_left: usize,
    neighbour_dates: HashMap<String, Timestamp>,
}

impl Plan {
    /// Decides what concerns the whole document. Reads only the parts of `known` that are loaded before the first run.
    ///
    /// ```
    /// use newswire::newsroom::{Known, Plan, runs};
    /// use newswire::number::FeedNumber;
    ///
    /// // A document without entries leaves nothing to decide.
    /// let plan = Plan::new(&[], &Known::of(FeedNumber(1)));
    /// assert!(runs(&[]).is_empty() && plan.shared_keys().is_empty());
    /// ```
    pub fn new(entries: &[PolledEntry], known: &Known) -> Plan {
        let by_guid = entries.iter().filter_map(|entry| known.entries.get(&entry.guid));
        let listed = by_guid.filter(|entry| !entry.is_alias).map(|entry| entry.number);
        let versions = Versions::of(entries, known);
        let mut former = rekey::matched(entries, known, &versions);
        former.extend(versions.known);
        let latest = versions.latest;
        let listed = listed.chain(former.values().map(|former| former.number)).collect();
        let rekeyed = entries.iter().filter_map(|entry| {
            let former = former.get(entry.guid.as_str())?;
            Some((entry.guid.clone(), rekeyed(entry, former)))
        });
        Plan {
            shared: Shared { keys: shared_keys(entries, &latest), texts: shared_texts(entries, &latest) },
            listed,
            rekeyed: rekeyed.collect(),
            latest,
            joined: HashSet::new(),
            merges_left: MAX_MERGES,
            words_left: RUN_WORDS,
            neighbour_dates: if known.has_entries { HashMap::new() } else { neighbour_dates(entries) },
        }
    }

    /// Returns estimated dates for entries without a date. The keys are the guids of the entries. Empty unless this is
    /// the first document of the feed.
    pub fn neighbour_dates(&self) -> &HashMap<String, Timestamp> {
        &self.neighbour_dates
    }

    /// Returns the link keys that several entries of the document share, so that they are specific to none of these.
    pub fn shared_keys(&self) -> &HashSet<String> {
        &self.shared.keys
    }

    /// Returns whether the entry with this guid is known under another guid or is an earlier version. Such an entry
    /// need not be compared with others.
    pub fn is_settled(&self, guid: &str) -> bool {
        self.rekeyed.contains_key(guid) || self.latest.contains_key(guid)
    }

    /// Returns the guids of unknown earlier versions, each with the guid of the latest version.
    pub fn earlier<'p>(&'p self, known: &'p Known) -> impl Iterator<Item = (&'p str, &'p str)> {
        let latest = self.latest.iter().map(|(earlier, latest)| (earlier.as_str(), latest.as_str()));
        latest.filter(|(earlier, _)| !known.entries.contains_key(*earlier))
    }

    /// Begins a run. Call this after [`Known::others`] of the run were loaded.
    pub fn begin_run(&mut self) {
        self.words_left = RUN_WORDS;
    }

    /// Decides the change for the next entry of the run.
    pub fn change(&mut self, entry: &PolledEntry, known: &Known, terms: &Terms) -> Change {
        if let Some(rekeyed) = self.rekeyed.remove(&entry.guid) {
            return rekeyed;
        }
        let before = known.entries.get(&entry.guid);
        if self.latest.contains_key(&entry.guid) {
            return before.map_or(Change::Earlier, |before| Change::Unchanged { number: before.number });
        }
        match before {
            Some(before) => self.known(entry, before, known, terms),
            None => self.new_entry(entry, known, terms),
        }
    }

    /// Records that this story has a copy of the feed, because the story of an entry was merged with it.
    pub fn note_merged(&mut self, story: StoryNumber) {
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
            let merges = self.allow_merges(joins.into_iter().filter(|join| join.story != before.story));
            Change::Revised { number, story: before.story, merges }
        }
    }

    /// Decides the change for an entry whose guid is an alias of a known entry.
    fn under_former_guid(
        &mut self,
        entry: &PolledEntry,
        cleaned: &Cleaned,
        number: EntryNumber,
        known: &Known,
        terms: &Terms,
    ) -> Change {
        let former = known.former.iter().find(|former| former.number == number);
        let Some(former) = former else { return Change::Unchanged { number } };
        if self.listed.insert(number) {
            // The feed went back to a guid that the entry had before.
            return rekeyed(entry, former);
        }
        match &former.wording {
            // The feed gave the guid to another entry.
            Some(wording) if !cleaned.wording().is_kept_by(wording) => self.new_entry(entry, known, terms),
            Some(_) | None => Change::Unchanged { number },
        }
    }

    fn new_entry(&mut self, entry: &PolledEntry, known: &Known, terms: &Terms) -> Change {
        let Some(cleaned) = &entry.cleaned else { return Change::New { join: None, merges: Vec::new() } };
        if let Some(same) = joins::same_entry(cleaned, known, terms, &self.shared.keys) {
            // The feed lists the same page under a new guid, with almost the same text. This may be an edit, but not a
            // second copy.
            return if self.listed.insert(same.number) {
                let rewording = if same.fingerprint == cleaned.fingerprint {
                    Rewording::Kept
                } else if cleaned.wording().says_the_same(&same.wording) {
                    Rewording::Rewritten
                } else {
                    Rewording::Edited
                };
                Change::Rekeyed { number: same.number, story: same.story, rewording }
            } else {
                Change::Aliased { number: same.number }
            };
        }
        let mut joins = self.joins(cleaned, &entry.guid, known, terms).into_iter();
        let join = joins.next();
        self.joined.extend(join.map(|join| join.story));
        Change::New { join, merges: self.allow_merges(joins) }
    }

    /// Returns the stories that an entry belongs to and that have no copy of this feed yet.
    fn joins(&mut self, cleaned: &Cleaned, guid: &str, known: &Known, terms: &Terms) -> Vec<Join> {
        let has_copy = |story: StoryNumber| known.own_stories.contains(&story) || self.joined.contains(&story);
        joins::of(cleaned, guid, known, terms, (&self.shared, &has_copy), &mut self.words_left)
    }

    /// Returns the first of these joins, as many as the limit of merges for the document still allows.
    fn allow_merges(&mut self, joins: impl Iterator<Item = Join>) -> Vec<Join> {
        let merges: Vec<Join> = joins.take(self.merges_left).collect();
        self.merges_left -= merges.len();
        merges
    }
}

/// Returns the change of a former entry that is in the document as `entry`.
fn rekeyed(entry: &PolledEntry, former: &FormerEntry) -> Change {
    let changed = entry.cleaned.as_ref().filter(|cleaned| cleaned.fingerprint != former.fingerprint);
    let rewording = match (changed, &former.wording) {
        (Some(cleaned), Some(wording)) if !cleaned.wording().says_the_same(wording) => Rewording::Edited,
        (Some(_), Some(_)) => Rewording::Rewritten,
        _ => Rewording::Kept,
    };
    let is_restless = rewording == Rewording::Edited && former.revisions >= MAX_REVISIONS;
    let rewording = if is_restless { Rewording::Kept } else { rewording };
    Change::Rekeyed { number: former.number, story: former.story, rewording }
}

/// Returns the cleaned entries that are not earlier versions of others.
fn cleaned<'e>(entries: &'e [PolledEntry], latest: &'e HashMap<String, String>) -> impl Iterator<Item = &'e Cleaned> {
    let entries = entries.iter().filter(|entry| !latest.contains_key(&entry.guid));
    entries.filter_map(|entry| entry.cleaned.as_deref())
}

fn shared_texts(entries: &[PolledEntry], latest: &HashMap<String, String>) -> HashSet<u64> {
    let mut titles = HashMap::new();
    let texts = cleaned(entries, latest).map(|cleaned| &cleaned.text_keys);
    let texts = texts.filter_map(|keys| Some((keys.text?, keys.title)));
    texts.filter(|(text, title)| titles.entry(*text).or_insert(*title) != title).map(|(text, _)| text).collect()
}

fn shared_keys(entries: &[PolledEntry], latest: &HashMap<String, String>) -> HashSet<String> {
    let mut seen = HashSet::new();
    let keys = cleaned(entries, latest).flat_map(|cleaned| &cleaned.link_keys);
    keys.filter(|key| !seen.insert(key.key.as_str())).map(|key| key.key.clone()).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::entry::OtherGuids;
    use crate::newsroom::known::{Linked, OtherEntry};
    use crate::number::FeedNumber;
    use crate::story::Publication;
    use crate::time::Timestamp;

    fn clean(entry: serde_json::Value) -> Cleaned {
        let entry = serde_json::from_value(entry).expect("it is an entry");
        Cleaned::new(entry, |entry| serde_json::to_string(entry).unwrap().into())
    }

    /// Checks the lengths of the runs of entries with texts of these sizes in bytes. A known entry has 0 bytes.
    fn check(bytes: &[usize], expected: &[usize]) {
        let entry = |(at, bytes): (usize, &usize)| {
            let guid = serde_json::json!({ "value": at.to_string(), "kind": "guid" });
            let entry = serde_json::json!({ "guid": guid, "title": "", "content_html": "x".repeat(*bytes) });
            let cleaned = (*bytes > 0).then(|| Box::new(clean(entry)));
            PolledEntry { guid: at.to_string(), other_guids: OtherGuids::default(), raw_hash: 0, cleaned }
        };
        let entries: Vec<PolledEntry> = bytes.iter().enumerate().map(entry).collect();
        let runs = runs(&entries);
        assert_eq!(runs.iter().map(|run| run.len()).collect::<Vec<_>>(), expected);
        assert!(runs.iter().rev().cloned().flatten().eq(0..bytes.len()));
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

    #[test]
    fn edit_of_a_page_under_a_new_guid_is_an_edit_however_the_page_was_found() {
        let cleaned = |guid: &str, title: &str, more: &str| {
            let text: String = (0..60).map(|at| format!("harbour{at} ")).collect();
            let entry = serde_json::json!({ "guid": { "value": guid, "kind": "guid" }, "title": title,
                "link": "https://a.example/1", "content_html": format!("<p>{text}{more}</p>") });
            clean(entry)
        };
        let check = |more: &str, title: &str, expected: Rewording| {
            let (before, after) = (cleaned("1", "The old quay opens", ""), cleaned("2", title, more));
            let mut known = Known::of(FeedNumber(1));
            known.has_entries = true;
            let key = before.link_keys[0].key.clone();
            known.others.push(OtherEntry {
                number: EntryNumber(7),
                story: StoryNumber(3),
                feed: known.feed,
                by_text: true,
                fingerprint: before.fingerprint,
                sort_at: Timestamp::from_millis(0),
                publication: Publication::default(),
                entry: before.entry.clone(),
                wording: before.wording().clone(),
            });
            known.links.insert(key, vec![Linked { at: 0, original: false }]);
            let entries = [PolledEntry {
                guid: "2".to_owned(),
                other_guids: OtherGuids::default(),
                raw_hash: 0,
                cleaned: Some(Box::new(after)),
            }];
            let now = Timestamp::from_millis(1_000);
            let terms = Terms { by_links: true, by_text: true, window: Duration::from_secs(60), likeness: 0.6, now };
            let change = Plan::new(&entries, &known).change(&entries[0], &known, &terms);
            let (number, story) = (EntryNumber(7), StoryNumber(3));
            assert_eq!(change, Change::Rekeyed { number, story, rewording: expected }, "{more}");
        };
        check("", "The old quay opens", Rewording::Kept);
        check("", "The old quay opens: board", Rewording::Edited);
        check("and more of it", "The old quay opens", Rewording::Edited);
    }
}
