//! Applies a polled document to the store. It handles the document's entries in *runs*: groups of limited size,
//! beginning with the oldest. For each run it loads entries that may be about the same stories, decides what changes,
//! and writes that.

use std::cell::OnceCell;
use std::collections::{HashMap, HashSet};
use std::ops::RangeInclusive;

use super::stories::{self, load};
use crate::config::{Config, Feed, Secrets};
use crate::feed::{FeedId, SectionId};
use crate::newsroom::{
    self, Applied, Board, Change, Former, FormerEntry, Found, Join, Known, LINKED_AT_MOST, ListeningHooks, Pair, Plan,
    PolledDocument, PolledEntry, Polling, SectionMoves, Setting, Tally, Terms, Viewer,
};
use crate::number::{EntryNumber, FeedNumber, SectionNumber, StoryNumber};
use crate::rows::{EntryWrite, Standing, Writes};
use crate::store::{StoreError, Turn};
use crate::time::Timestamp;

/// The bounds for how many of a feed's newest entries are compared if the feed seems to have changed all its guids.
/// Within these bounds, the number is twice the number of entries that the document lists.
const FORMER: RangeInclusive<usize> = 1_000..=5_000;

/// The most bytes of the feed's entries that are read for this comparison. About a thousand articles have this size.
const FORMER_BYTES: usize = 8 * 1024 * 1024;

/// Writes the changes that a polled document makes to the entries and stories of the store.
///
/// # Errors
///
/// Returns the errors of the store. The whole transaction is then undone.
pub(super) fn apply(
    turn: &Turn,
    config: &Config,
    now: Timestamp,
    (feed, number): (&Feed, FeedNumber),
    document: &mut PolledDocument,
    listeners: ListeningHooks,
) -> Result<Applied, StoreError> {
    let sections = OnceCell::new();
    let reading = DocumentTurn { turn, config, now, sections: &sections, feed, number, listeners };
    reading.scrub_guids(&document.entries)?;
    let listed = turn.listed(number)?;
    reading.keep_specific_guids(document)?;
    let mut known = reading.known(&document.entries, &listed)?;
    if reading.separate_reused_guids(document, &known)? {
        known = reading.known(&document.entries, &listed)?;
    }
    let mut plan = Plan::new(&document.entries, &known);
    known.forget_matched();
    turn.mark_unspecific(number, plan.shared_keys().iter())?;
    let mut applied = Applied { listed: document.entries.len(), ..Applied::default() };
    let mut here = HashSet::new();
    // Documents list the newest entry first. So if the decisions begin at the end of the document, entries without a
    // date are numbered in the order in which they were published.
    for places in newsroom::runs(&document.entries) {
        let run = &mut document.entries[places];
        reading.load_others(run, &plan, &mut known)?;
        applied.compared += known.others.len();
        plan.begin_run();
        reading.decide_run(run, &mut plan, &known, &mut here, &mut applied)?;
        run.iter_mut().filter_map(|entry| entry.cleaned.as_mut()).for_each(|cleaned| cleaned.forget_content());
    }
    let mut entries = reading.aliases_of_versions(&plan, &known)?;
    entries.extend(newsroom::listing(&here, &listed, now));
    turn.write(&Writes { entries, ..Writes::default() })?;
    let before = turn.feed_document(number)?;
    let after = newsroom::document_row(&before, document);
    if after != before {
        turn.write_feed_document(number, &after)?;
    }
    // The feed's title or address may have changed, which its stories show: all sections of the feed must be rendered
    // again.
    if after.info != before.info {
        applied.has_new_info = true;
        for section in config.sections.iter().filter(|section| section.takes(&feed.id)) {
            applied.sections.entry(section.id.clone()).or_default();
        }
    }
    Ok(applied)
}

struct DocumentTurn<'a> {
    turn: &'a Turn<'a>,
    config: &'a Config,
    now: Timestamp,
    /// The numbers of all sections. They are loaded only when something must be decided, because most documents change
    /// nothing.
    sections: &'a OnceCell<HashMap<SectionId, SectionNumber>>,
    feed: &'a Feed,
    number: FeedNumber,
    /// The hooks that are notified of the changes.
    listeners: ListeningHooks<'a>,
}

impl<'a> DocumentTurn<'a> {
    fn terms(&self) -> Terms {
        newsroom::terms(self.config, self.feed, self.now)
    }

    fn setting(&self) -> Result<Setting<'a>, StoreError> {
        if self.sections.get().is_none() {
            let _ = self.sections.set(self.turn.sections()?);
        }
        let sections = self.sections.get_or_init(HashMap::new);
        let (key, listeners) = (self.turn.key()?, self.listeners);
        Ok(Setting { config: self.config, now: self.now, sections, key, listeners })
    }

    fn scrub_guids(&self, entries: &[PolledEntry]) -> Result<(), StoreError> {
        let secrets = Secrets::of(self.feed);
        if secrets.is_empty() {
            return Ok(());
        }
        let listed = self.turn.listed_guids(self.number)?;
        self.turn.rename_guids(self.number, &newsroom::renames(&secrets, listed, entries))
    }

    fn keep_specific_guids(&self, document: &mut PolledDocument) -> Result<(), StoreError> {
        let guids = newsroom::specific_guids(document);
        if !guids.is_empty() {
            let known = self.turn.entries_by_guid(self.number, guids.into_iter())?.into_keys().collect();
            newsroom::keep_specific(document, &known);
        }
        Ok(())
    }

    fn separate_reused_guids(&self, document: &mut PolledDocument, known: &Known) -> Result<bool, StoreError> {
        let mut former = HashMap::new();
        for number in newsroom::to_compare(document, known) {
            former.insert(number, FormerEntry::of(self.turn.former(number)?.0));
        }
        Ok(newsroom::separate_reused(document, known, &former))
    }

    /// Loads what the store knows about the feed's own entries.
    fn known(&self, entries: &[PolledEntry], listed: &HashSet<EntryNumber>) -> Result<Known, StoreError> {
        let mut known = Known::of(self.number);
        known.publication = newsroom::publication(self.feed);
        if !listed.is_empty() || self.turn.has_entries(self.number)? {
            known.entries = self.turn.known(self.number, entries.iter().map(|entry| entry.guid.as_str()))?;
            known.former = self.former(entries, &known, listed)?;
            known.has_entries = true;
        }
        Ok(known)
    }

    /// Loads the feed's entries that may be the same as a document's entry with an unknown guid. These are the entries
    /// that have just left the document or, if the feed seems to have changed its guids, the feed's newest entries.
    /// Also loads entries whose guid is the plain form of an unknown guid, and entries with the link of an entry whose
    /// guid is unknown. Also loads entries that the document lists under an alias. If all these exceed
    /// [`FORMER_BYTES`], loads only the newest of them.
    fn former(
        &self,
        entries: &[PolledEntry],
        known: &Known,
        listed: &HashSet<EntryNumber>,
    ) -> Result<Vec<FormerEntry>, StoreError> {
        let aliases = known.entries.values().filter(|entry| entry.is_alias).map(|entry| entry.number);
        let unknown = || entries.iter().filter(|entry| !known.entries.contains_key(&entry.guid));
        let mut numbers: Vec<EntryNumber> = Vec::new();
        if unknown().next().is_some() {
            if newsroom::is_flood(unknown().count(), entries.len()) {
                let most = (2 * entries.len()).clamp(*FORMER.start(), *FORMER.end());
                numbers = self.turn.newest_entries(self.number, most)?;
            } else {
                numbers.extend(listed);
            }
            let guids = unknown().flat_map(|entry| &entry.other_guids.plainer).map(String::as_str);
            numbers.extend(self.turn.entries_by_guid(self.number, guids)?.into_values().flatten());
            let keys = unknown().filter_map(|entry| entry.cleaned.as_ref()).flat_map(|cleaned| &cleaned.link_keys);
            let keys: HashSet<&str> = keys.map(|key| key.key.as_str()).collect();
            let linked = self.turn.entries_by_link(self.number, keys.into_iter(), LINKED_AT_MOST)?;
            let here: HashSet<EntryNumber> = known.entries.values().map(|entry| entry.number).collect();
            numbers.retain(|number| !here.contains(number));
            // Entries with such a link are candidates even if the document lists them: an entry with an unknown guid
            // may be another version of one.
            numbers.extend(linked);
        }
        numbers.extend(aliases);
        numbers.sort_unstable_by_key(|number| std::cmp::Reverse(*number));
        numbers.dedup();
        let (mut former, mut bytes) = (Vec::new(), 0);
        for number in numbers {
            let (row, size) = self.turn.former(number)?;
            bytes += size;
            if bytes > FORMER_BYTES {
                break;
            }
            former.push(FormerEntry::of(row));
        }
        former.reverse();
        Ok(former)
    }

    /// Returns aliases that make the guid of an earlier version lead to the entry with the latest version.
    fn aliases_of_versions(&self, plan: &Plan, known: &Known) -> Result<Vec<EntryWrite>, StoreError> {
        let mut aliases = Vec::new();
        for (earlier, latest) in plan.earlier(known) {
            let entries = self.turn.entries_by_guid(self.number, std::iter::once(latest))?;
            if let Some(entry) = entries.get(latest).and_then(|entries| entries.first()) {
                aliases.push(EntryWrite::Alias { feed: self.number, guid: earlier.to_owned(), entry: *entry });
            }
        }
        Ok(aliases)
    }

    /// Loads into `known` the entries that may be about the same story as an entry of this run. They replace those of
    /// the previous run.
    fn load_others(&self, run: &[PolledEntry], plan: &Plan, known: &mut Known) -> Result<(), StoreError> {
        let terms = self.terms();
        known.begin_run();
        let wanted = newsroom::wanted(run, plan, known, &terms);
        let found = Found {
            links: self.turn.linked(wanted.links.iter(), LINKED_AT_MOST)?,
            ids: self.turn.with_ids(wanted.ids.iter(), LINKED_AT_MOST)?,
            signatures: self.turn.with_signatures(wanted.signatures.iter(), newsroom::FOUND_AT_MOST)?,
        };
        let (numbers, alike) = newsroom::to_read(run, plan, known, &terms, &found);
        let takes = |feed: &FeedId| newsroom::other_feed(self.config, feed);
        let others = self.turn.others(&numbers, newsroom::OTHERS_BYTES, takes)?;
        known.own_stories = self.turn.stories_with(self.number, others.iter().map(|(row, _)| row.story))?;
        known.take_found(found, alike, others);
        Ok(())
    }

    /// Decides about the entries of a run and writes the decisions, in several steps. A step ends with an entry that
    /// may merge two stories, because the decisions about later entries depend on the merge.
    fn decide_run(
        &self,
        run: &[PolledEntry],
        plan: &mut Plan,
        known: &Known,
        here: &mut HashSet<EntryNumber>,
        applied: &mut Applied,
    ) -> Result<(), StoreError> {
        let mut entries = run.iter().rev().peekable();
        while entries.peek().is_some() {
            let mut step = Vec::new();
            for entry in entries.by_ref() {
                let change = plan.change(entry, known, &self.terms());
                here.extend(change.number());
                let is_last = change.may_merge_stories();
                if change.is_written() {
                    step.push((entry, change));
                }
                if is_last {
                    break;
                }
            }
            self.decide_step(&step, plan, known, applied)?;
        }
        Ok(())
    }

    fn decide_step(
        &self,
        step: &[(&'a PolledEntry, Change)],
        plan: &mut Plan,
        known: &Known,
        applied: &mut Applied,
    ) -> Result<(), StoreError> {
        let mut rest = step;
        while !rest.is_empty() {
            let setting = self.setting()?;
            let standing = self.standing_of(rest)?;
            let touched: Vec<StoryNumber> = standing.iter().copied().flatten().collect();
            let (loaded, count) = load(self.turn, setting, &touched, Viewer::All, setting.reads_text())?;
            // Decide only about the changes whose stories are in memory. The next rounds of the loop decide about the
            // rest.
            let mut left = count;
            let fits = |story: &&Option<StoryNumber>| {
                story.is_none()
                    || left > 0 && {
                        left -= 1;
                        true
                    }
            };
            let length = standing.iter().take_while(fits).count();
            let (now, later) = rest.split_at(length);
            let former = self.former_words(now)?;
            let polling = Polling {
                feed: self.feed,
                number: self.number,
                former: &former,
                shared: plan.shared_keys(),
                neighbour_dates: plan.neighbour_dates(),
            };
            let linked = self.linked(now, plan, known)?;
            let next = self.turn.next()?;
            let mut board = Board::new(setting, Standing { next, stories: loaded.stories, linked }, loaded.seen);
            let mut tally = Tally::default();
            for ((entry, change), story) in now.iter().zip(standing) {
                board.apply(polling, entry, change, story, &mut tally);
            }
            self.write(board, &mut applied.sections)?;
            let merges = std::mem::take(&mut tally.merges);
            self.count(tally, applied);
            for (entry, story, joins) in merges {
                applied.merged += self.join_related(entry, story, &joins, plan, &mut applied.sections)?;
            }
            rest = later;
        }
        Ok(())
    }

    /// Returns for each change the active story of the entry that it concerns; `None` for a new entry.
    fn standing_of(&self, step: &[(&PolledEntry, Change)]) -> Result<Vec<Option<StoryNumber>>, StoreError> {
        let touched = step.iter().map(|(_, change)| newsroom::touched(change));
        touched.map(|story| story.map(|story| self.turn.active_story(story)).transpose()).collect()
    }

    fn write(&self, board: Board, changed: &mut SectionMoves) -> Result<(), StoreError> {
        let unplaced = stories::write(self.turn, board.finish(), changed)?;
        stories::place_rest(self.turn, self.setting()?, unplaced, changed)
    }

    fn count(&self, tally: Tally, applied: &mut Applied) {
        applied.new += tally.new;
        applied.revised += tally.revised;
        applied.joined += tally.joined;
        applied.rekeyed += tally.rekeyed;
        let names = tally.restless.into_iter().map(|entry| newsroom::shown_name(self.config, self.feed, entry));
        applied.restless.extend(names);
    }

    /// Loads the stored content of the entries whose content the changes replace.
    fn former_words(&self, step: &[(&PolledEntry, Change)]) -> Result<HashMap<EntryNumber, Former>, StoreError> {
        let mut former = HashMap::new();
        for number in step.iter().filter_map(|(_, change)| newsroom::rewords(change)) {
            former.insert(number, Former::of(&self.turn.former(number)?.0));
        }
        Ok(former)
    }

    /// Returns stories of the feed by link. The links are those of the entries to be written. A link that no stored
    /// entry of the feed has is left out.
    fn linked(
        &self,
        step: &[(&PolledEntry, Change)],
        plan: &Plan,
        known: &Known,
    ) -> Result<HashMap<String, Vec<StoryNumber>>, StoreError> {
        if !known.has_entries {
            return Ok(HashMap::new());
        }
        let written = step.iter().filter(|(_, change)| newsroom::writes_words(change));
        let keys = written.filter_map(|(entry, _)| entry.cleaned.as_ref()).flat_map(|cleaned| &cleaned.link_keys);
        let keys = keys.map(|key| &key.key).filter(|key| !plan.shared_keys().contains(*key));
        self.turn.stories_linked(self.number, keys)
    }

    /// Merges the story of an entry with the other stories that the entry seems to belong to. Returns the number of
    /// merges.
    fn join_related(
        &self,
        entry: EntryNumber,
        story: StoryNumber,
        joins: &[Join],
        plan: &mut Plan,
        changed: &mut SectionMoves,
    ) -> Result<usize, StoreError> {
        let mut merged = 0;
        for join in joins {
            let (own, other) = (self.turn.active_story(story)?, self.turn.active_story(join.story)?);
            if own == other {
                continue;
            }
            let pair = pair(self.turn, own, other)?;
            let setting = self.setting()?;
            let (loaded, _) = load(self.turn, setting, &[own], Viewer::All, true)?;
            let (mut both, _) = load(self.turn, setting, &[other], Viewer::All, true)?;
            both.stories.extend(loaded.stories);
            both.seen.extend(loaded.seen);
            let mut board = both.board(self.turn, setting)?;
            if board.merge_if_same(entry, own, &Join { story: other, ..*join }, &pair) {
                plan.note_merged(join.story);
                merged += 1;
                self.write(board, changed)?;
            }
        }
        Ok(merged)
    }
}

/// Returns the entries of two stories, and the pairs that an editor split and that include one of the two stories.
///
/// # Errors
///
/// Returns the errors of the store.
pub(super) fn pair(turn: &Turn, own: StoryNumber, other: StoryNumber) -> Result<Pair, StoreError> {
    let mut apart = turn.splits_of(own)?;
    apart.extend(turn.splits_of(other)?);
    Ok(Pair { own: turn.members(own)?, other: turn.members(other)?, are_split: turn.are_split(own, other)?, apart })
}
