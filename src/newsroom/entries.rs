//! Applies the changes of a document's entries to the [`Board`]: new entries, revised entries, and known entries under
//! new guids.
//!
//! The policy of entries: a new story is judged (it is decided which sections have it) before it gets its names. So the
//! names of a story that no public section shows reveal nothing about the story. A link that several entries of a feed
//! share is specific to none of them, unless they belong to one story. This module does no I/O.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use url::Url;

use super::board::{Board, Story};
use super::candidates::signatures;
use super::plan::Rewording;
use super::polled::sort_at;
use super::{Change, Cleaned, Join, PolledEntry, signature_keys};
use crate::config::{Config, Dedup, Feed};
use crate::entry::Entry;
use crate::number::{EntryNumber, FeedNumber, StoryNumber};
use crate::reason::JoinReason;
use crate::rows::{EntryWrite, FormerRow, LinkWrite, NewEntry, NewStory, SignatureKey, StoryRow, WordsWrite};
use crate::section::{self, SeenCopy};
use crate::story;
use crate::time::Timestamp;

/// The polled feed, with the values that the decisions about its document need.
#[derive(Clone, Copy, Debug)]
pub struct Polling<'a> {
    /// The feed.
    pub feed: &'a Feed,
    /// The feed's number.
    pub number: FeedNumber,
    /// What is known of the entries whose content is replaced, by number.
    pub former: &'a HashMap<EntryNumber, Former>,
    /// The link keys that several entries of the document share.
    pub shared: &'a HashSet<String>,
    /// The dates that are estimated for entries without a date. The keys are the guids of the entries.
    pub neighbour_dates: &'a HashMap<String, Timestamp>,
}

/// What is known of an entry whose content is replaced.
#[derive(Clone, Debug)]
pub struct Former {
    /// When the entry was first seen.
    pub first_seen: Timestamp,
    /// The signature keys of the entry's stored text; empty if the configured retention deleted the content.
    pub signatures: Vec<SignatureKey>,
}

impl Former {
    /// Builds the value from a row of the store.
    pub fn of(row: &FormerRow) -> Former {
        let signatures = row.entry.as_ref().map(|entry| signature_keys(entry, row.first_seen));
        Former { first_seen: row.first_seen, signatures: signatures.unwrap_or_default() }
    }
}

/// The numbers of changes that a run (a group of a document's entries) made.
#[derive(Clone, Debug, Default)]
pub struct Tally<'a> {
    /// New entries.
    pub new: usize,
    /// Revised entries.
    pub revised: usize,
    /// New entries that joined the story of another copy.
    pub joined: usize,
    /// Known entries that got new guids.
    pub rekeyed: usize,
    /// Entries that change so often that newswire ignores the change.
    pub restless: Vec<&'a PolledEntry>,
    /// New and revised entries: each entry, its story, and the further stories that it may belong to.
    pub merges: Vec<(EntryNumber, StoryNumber, Vec<Join>)>,
}

/// Returns the existing story that must be judged again because of a change; `None` if no story must.
pub fn touched(change: &Change) -> Option<StoryNumber> {
    match change {
        Change::Rekeyed { story, rewording, .. } if *rewording != Rewording::Kept => Some(*story),
        Change::Revised { story, .. } => Some(*story),
        Change::New { join: Some(join), .. } => Some(join.story),
        _ => None,
    }
}

impl<'a> Board<'a> {
    /// Applies one change. `story` is the story from [`touched`]. If that story was merged, it is the story that it was
    /// merged into.
    pub fn apply(
        &mut self,
        polling: Polling<'a>,
        polled: &'a PolledEntry,
        change: &Change,
        story: Option<StoryNumber>,
        tally: &mut Tally<'a>,
    ) {
        let (raw_hash, Some(cleaned)) = (polled.raw_hash, polled.cleaned.as_deref()) else { return };
        match change {
            Change::Unchanged { .. } | Change::Earlier => {}
            Change::Touched { number } => self.write(EntryWrite::Touched { number: *number, raw_hash }),
            Change::Aliased { number } => {
                self.write(EntryWrite::Alias { feed: polling.number, guid: polled.guid.clone(), entry: *number });
            }
            Change::Restless { number } => {
                self.write(EntryWrite::Touched { number: *number, raw_hash });
                tally.restless.push(polled);
            }
            Change::Rekeyed { number, rewording, .. } => {
                self.rekey(polling, polled, cleaned, *number);
                tally.rekeyed += 1;
                tally.revised += usize::from(*rewording == Rewording::Edited);
                if let Some(story) = story.filter(|_| *rewording != Rewording::Kept) {
                    let is_edited = *rewording == Rewording::Edited;
                    self.reword(polling, cleaned, *number, story, is_edited);
                    self.place(story, is_edited.then_some(*number));
                    self.touch(story);
                }
            }
            Change::Revised { number, merges, .. } => {
                let Some(story) = story else { return };
                let fingerprint = cleaned.fingerprint;
                self.write(EntryWrite::Revised { number: *number, raw_hash, fingerprint });
                self.reword(polling, cleaned, *number, story, true);
                self.place(story, Some(*number));
                tally.revised += 1;
                tally.note_merges(*number, story, merges);
            }
            Change::New { join: None, .. } => {
                self.add_story(polling, polled, cleaned);
                tally.new += 1;
            }
            Change::New { join: Some(join), merges } => {
                let Some(story) = story else { return };
                let number = self.add_copy(polling, polled, cleaned, &Join { story, ..*join });
                tally.new += 1;
                tally.joined += 1;
                tally.note_merges(number, story, merges);
            }
        }
    }

    fn write(&mut self, write: EntryWrite) {
        self.writes.entries.push(write);
    }

    /// Creates a story for an entry that belongs to none. The names of the story depend on whether a public section
    /// shows it, so the story is judged first.
    fn add_story(&mut self, polling: Polling<'a>, polled: &'a PolledEntry, cleaned: &'a Cleaned) {
        let now = self.setting.now;
        let neighbour = polling.neighbour_dates.get(&polled.guid);
        let sort_at = neighbour.map_or_else(|| sort_at(&cleaned.entry, now), |date| (*date).min(now));
        let number = self.next_entry();
        let first = Join { story: self.next.story, reason: JoinReason::First, score: None };
        let copies = vec![self.seen(polling.feed, number, cleaned, &first)];
        let judged = self.judge(sort_at, &copies);
        let shown = judged.public_lead(&copies).map(|_| now);
        let row = self.new_story(&polling.feed.url.shown, &cleaned.entry, sort_at, shown);
        let mut story = Story { copies, bytes: cleaned.json.len(), ..Story::alone(row) };
        self.insert(polling, polled, cleaned, number, &first);
        self.settle(&mut story, &judged, None);
        self.stories.insert(story.row.number, story);
    }

    /// Adds a new entry to the story that it joins. Returns the number of the entry.
    fn add_copy(
        &mut self,
        polling: Polling<'a>,
        polled: &'a PolledEntry,
        cleaned: &'a Cleaned,
        join: &Join,
    ) -> EntryNumber {
        let number = self.next_entry();
        self.insert(polling, polled, cleaned, number, join);
        let copy = self.seen(polling.feed, number, cleaned, join);
        if let Some(story) = self.stories.get_mut(&join.story) {
            story.put(copy, cleaned.json.len());
        }
        self.place(join.story, Some(number));
        number
    }

    fn next_entry(&mut self) -> EntryNumber {
        let next = self.next.entry.next();
        std::mem::replace(&mut self.next.entry, next)
    }

    /// Returns the row of a new story for an entry. `shown` is the time when a public section first shows the story;
    /// `None` if none does.
    ///
    /// A public story gets the entry's own id if no other story has this id, and a slug made from the entry's title.
    pub(super) fn new_story(
        &mut self,
        feed_url: &Url,
        entry: &Entry,
        sort_at: Timestamp,
        shown: Option<Timestamp>,
    ) -> StoryRow {
        let number = self.next.story;
        self.next.story = number.next();
        let own = story::own_id(&entry.guid);
        let (own_id, minted, slug) = match shown {
            Some(_) => (own, story::minted_id(feed_url, &entry.guid), story::slug(&entry.title, number)),
            None => (None, story::private_id(self.setting.key, feed_url, &entry.guid), story::unnamed(number)),
        };
        if let (None, Some(id)) = (shown, own) {
            self.writes.kept_ids.push((id.to_owned(), number));
        }
        // If another story has the id that is made from address and guid, the feed was configured under another feed id
        // before. Then the number makes the id unique.
        let numbered = format!("{minted}#{number}");
        let mut ids = own_id.map(str::to_owned).into_iter().chain([minted, numbered]);
        let public_id = ids.next().unwrap_or_default();
        let row = StoryRow { number, public_id, slug, sort_at, shown, is_unchecked: false };
        self.writes.stories.push(NewStory { row: row.clone(), other_ids: ids.collect() });
        row
    }

    /// Makes from an entry of the document the copy by which sections judge its story.
    fn seen(&self, feed: &'a Feed, number: EntryNumber, cleaned: &'a Cleaned, join: &Join) -> SeenCopy<'a> {
        SeenCopy {
            number,
            feed,
            entry: Cow::Borrowed(&cleaned.entry),
            text: Cow::Borrowed(&cleaned.text),
            categories: section::categories_of(&cleaned.entry, feed, &self.setting.config.site),
            first_seen: self.setting.now,
            revised: None,
            reason: join.reason,
        }
    }

    fn insert(&mut self, polling: Polling, polled: &PolledEntry, cleaned: &Cleaned, number: EntryNumber, join: &Join) {
        let first_seen = self.setting.now;
        self.write(EntryWrite::New(Box::new(NewEntry {
            number,
            feed: polling.number,
            guid: polled.guid.clone(),
            guid_kind: cleaned.entry.guid.kind,
            raw_hash: polled.raw_hash,
            fingerprint: cleaned.fingerprint,
            first_seen,
            story: join.story,
            reason: join.reason,
            score: join.score,
        })));
        self.write_words(polling, cleaned, number, join.story, None);
    }

    /// Gives a known entry the guid under which the document has it.
    fn rekey(&mut self, polling: Polling, polled: &PolledEntry, cleaned: &Cleaned, number: EntryNumber) {
        self.write(EntryWrite::Rekeyed {
            number,
            feed: polling.number,
            guid: polled.guid.clone(),
            kind: cleaned.entry.guid.kind,
            raw_hash: polled.raw_hash,
            fingerprint: cleaned.fingerprint,
        });
    }

    /// Replaces the content of a known entry. `is_edit` says whether this counts as a revision.
    fn reword(
        &mut self,
        polling: Polling<'a>,
        cleaned: &'a Cleaned,
        number: EntryNumber,
        story: StoryNumber,
        is_edit: bool,
    ) {
        let now = self.setting.now;
        if is_edit {
            self.write(EntryWrite::Counted { number, at: now });
        }
        self.write_words(polling, cleaned, number, story, polling.former.get(&number));
        let site = &self.setting.config.site;
        let story = self.stories.get_mut(&story);
        let Some(story) = story else { return };
        story.bytes += cleaned.json.len();
        if let Some(copy) = story.copies.iter_mut().find(|copy| copy.number == number) {
            copy.categories = section::categories_of(&cleaned.entry, polling.feed, site);
            copy.entry = Cow::Borrowed(&cleaned.entry);
            copy.text = Cow::Borrowed(&cleaned.text);
            copy.revised = if is_edit { Some(now) } else { copy.revised };
        }
    }

    fn write_words(
        &mut self,
        polling: Polling,
        cleaned: &Cleaned,
        number: EntryNumber,
        story: StoryNumber,
        former: Option<&Former>,
    ) {
        let first_seen = former.map_or(self.setting.now, |former| former.first_seen);
        let is_found_by_text = polling.feed.dedup == Dedup::Text;
        let signatures =
            is_found_by_text.then(|| signatures(&cleaned.text_keys.found_by, sort_at(&cleaned.entry, first_seen)));
        let links = cleaned.link_keys.iter().map(|key| {
            let stories = self.linked.get(&key.key).map_or(&[][..], Vec::as_slice);
            let marks_others = stories.iter().any(|other| *other != story);
            let specific = !marks_others && !polling.shared.contains(&key.key);
            LinkWrite { key: key.key.clone(), original: key.original, specific, marks_others }
        });
        let links = links.collect();
        self.write(EntryWrite::Words(Box::new(WordsWrite {
            number,
            feed: polling.number,
            story,
            json: cleaned.json.clone(),
            replaces: former.is_some(),
            links,
            signatures: signatures.unwrap_or_default(),
            former_signatures: former.map(|former| former.signatures.clone()).unwrap_or_default(),
        })));
    }
}

impl Tally<'_> {
    fn note_merges(&mut self, entry: EntryNumber, story: StoryNumber, merges: &[Join]) {
        if !merges.is_empty() {
            self.merges.push((entry, story, merges.to_vec()));
        }
    }
}

/// Returns the known entry whose content a change replaces; `None` if the change replaces no content.
pub fn rewords(change: &Change) -> Option<EntryNumber> {
    match change {
        Change::Revised { number, .. } => Some(*number),
        Change::Rekeyed { number, rewording, .. } if *rewording != Rewording::Kept => Some(*number),
        _ => None,
    }
}

/// Returns whether a change writes content: that of a new entry, or new content of a known entry.
pub fn writes_words(change: &Change) -> bool {
    matches!(change, Change::New { .. }) || rewords(change).is_some()
}

/// Returns the writes that record which entries left the document and which came back. Retention needs the times.
pub fn listing(here: &HashSet<EntryNumber>, listed: &HashSet<EntryNumber>, now: Timestamp) -> Vec<EntryWrite> {
    let left = listed.difference(here).map(|number| EntryWrite::Listed { number: *number, unlisted: Some(now) });
    let back = here.difference(listed).map(|number| EntryWrite::Listed { number: *number, unlisted: None });
    left.chain(back).collect()
}

/// Returns the name of an entry for the log: its title, or its guid if it has no title. Empty if no public section has
/// the feed, because some readers of the log may not be allowed to read private sections.
pub fn shown_name(config: &Config, feed: &Feed, polled: &PolledEntry) -> String {
    let title = polled.cleaned.as_ref().map_or("", |cleaned| &cleaned.entry.title);
    let is_public = config.sections.iter().any(|section| section.is_public() && section.takes(&feed.id));
    match (is_public, title.is_empty()) {
        (false, _) => String::new(),
        (true, true) => polled.guid.clone(),
        (true, false) => title.to_owned(),
    }
}
