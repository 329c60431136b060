//! The stories that a decision may change, in memory.
//!
//! This module does no I/O: [`Board::new`] gets rows, decisions change them in memory, and [`Board::finish`] returns
//! the writes. Each decision sees the changes of earlier decisions, as if they had been written.
//!
//! To judge a story for a section is to decide whether the section has the story. To place a story is to judge it and
//! to change its placements accordingly. The policy of publishing: each story is judged for every configured section. A
//! story gets its public names when a public section first shows it, and never loses them.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::copies::{MAX_BYTES, SeenStory};
use super::hooks::{ListeningHooks, StoryChange, story_messages};
use super::placing::{Effect, Occasion, Placing, place};
use crate::config::{Config, Hook, Section};
use crate::entry::Entry;
use crate::feed::SectionId;
use crate::number::{EntryNumber, SectionNumber, StoryNumber};
use crate::rows::{Key, NamesWrite, NextNumbers, PlacementRow, Put, Standing, StandingStory, StoryRow, Writes};
use crate::rule::Rule;
use crate::section::{self, MAX_COPIES, SeenCopy, Verdict};
use crate::story;
use crate::time::Timestamp;

/// How many stories entered a section and left it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moves {
    /// How many stories entered.
    pub entered: usize,
    /// How many stories left.
    pub left: usize,
}

/// The sections whose content changed, each with its moves. The moves are 0 if only the text of a story changed.
pub type SectionMoves = BTreeMap<SectionId, Moves>;

/// The values that every decision needs.
#[derive(Clone, Copy, Debug)]
pub struct Setting<'a> {
    /// The active config.
    pub config: &'a Config,
    /// The time of the decision.
    pub now: Timestamp,
    /// The numbers of all sections of the store, including removed ones.
    pub sections: &'a HashMap<SectionId, SectionNumber>,
    /// The secret key with which the ids of private stories are made.
    pub key: &'a [u8],
    /// The hooks that are notified of what the decision changes.
    pub listeners: ListeningHooks<'a>,
}

impl<'a> Setting<'a> {
    /// Returns the configured sections that the store knows, in the order of the config.
    fn judging(self) -> impl Iterator<Item = (&'a Section, SectionNumber)> {
        let known = |section: &'a Arc<Section>| Some((&**section, *self.sections.get(&section.id)?));
        self.config.sections.iter().filter_map(known)
    }

    /// Returns whether any section or hook has rules on the text of copies.
    pub fn reads_text(self) -> bool {
        let of_hooks = || self.listeners.hooks.iter().flat_map(|listener| &listener.hook.keep).any(Rule::reads_text);
        self.config.sections.iter().any(|section| section::reads_text(section)) || of_hooks()
    }
}

/// The stories that a decision may change, and the writes so far.
#[derive(Debug)]
pub struct Board<'a> {
    pub(super) setting: Setting<'a>,
    pub(super) next: NextNumbers,
    pub(super) stories: BTreeMap<StoryNumber, Story<'a>>,
    pub(super) linked: HashMap<String, Vec<StoryNumber>>,
    pub(super) writes: Writes,
    changed: SectionMoves,
    unplaced: Vec<Unplaced>,
}

/// A story that must be placed after the decision is written, because it has so many copies that they must be loaded
/// and selected again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unplaced {
    /// The number of the story.
    pub story: StoryNumber,
    /// The entry of the story whose content has just changed, if any.
    pub revised: Option<EntryNumber>,
}

/// The result of a decision.
#[derive(Debug)]
pub struct Decided {
    /// What to write.
    pub writes: Writes,
    /// The sections that changed.
    pub changed: SectionMoves,
    /// The stories that must be placed after `writes` are written.
    pub unplaced: Vec<Unplaced>,
}

#[derive(Debug)]
pub(super) struct Story<'a> {
    pub row: StoryRow,
    pub kept: Vec<(String, bool)>,
    pub copies: Vec<SeenCopy<'a>>,
    pub bytes: usize,
    /// Whether `copies` contains all copies of the story.
    pub is_whole: bool,
    pub placements: BTreeMap<SectionNumber, Placed>,
}

/// The placement of a story in a section, in its state on the board.
#[derive(Clone, Debug)]
pub(super) struct Placed {
    pub row: PlacementRow,
    /// The key of the placement in the store; `None` if the placement is new.
    under: Option<Key>,
    is_changed: bool,
    frozen: Option<Box<Entry>>,
}

/// The verdicts of the sections on a story, in the order of the config. A verdict is `None` if the section sees no copy
/// of the story.
pub(super) struct Judged<'a> {
    verdicts: Vec<(&'a Section, SectionNumber, Option<Verdict>)>,
}

impl Judged<'_> {
    /// Returns the copy whose content is shown by the first public section with the story; `None` if no public section
    /// has the story.
    pub(super) fn public_lead<'c, 'e>(&self, copies: &'c [SeenCopy<'e>]) -> Option<&'c SeenCopy<'e>> {
        let (section, verdict) = self.takers().next()?;
        section::visible(section, copies).get(verdict.lead).copied()
    }

    /// Returns the copies whose feed is in a public section that has the story. Readers see these copies.
    fn public<'c, 'e>(&self, copies: &'c [SeenCopy<'e>]) -> impl Iterator<Item = &'c SeenCopy<'e>> {
        copies.iter().filter(|copy| self.takers().any(|(section, _)| section.takes(&copy.feed.id)))
    }

    fn takers(&self) -> impl Iterator<Item = (&Section, &Verdict)> {
        let judged = self.verdicts.iter().filter_map(|(section, _, verdict)| Some((*section, verdict.as_ref()?)));
        judged.filter(|(section, verdict)| section.is_public() && verdict.is_in)
    }
}

impl<'a> Board<'a> {
    /// Creates a board with the stories of `standing`. `seen` has the copies of these stories.
    pub fn new(setting: Setting<'a>, standing: Standing, mut seen: BTreeMap<StoryNumber, SeenStory<'a>>) -> Board<'a> {
        let stories = standing.stories.into_iter().map(|story| {
            let number = story.row.number;
            (number, Story::of(story, seen.remove(&number).unwrap_or_default()))
        });
        Board {
            setting,
            next: standing.next,
            stories: stories.collect(),
            linked: standing.linked,
            writes: Writes::default(),
            changed: SectionMoves::new(),
            unplaced: Vec::new(),
        }
    }

    /// Returns all writes, and what changed.
    pub fn finish(mut self) -> Decided {
        for (number, story) in self.stories {
            for (section, placed) in story.placements {
                let key = (section, number);
                if let Some(under) = placed.under.filter(|under| *under != key) {
                    self.writes.moves.push((under, key));
                }
                if placed.is_changed {
                    let Placed { row, under, frozen, .. } = placed;
                    self.writes.puts.push(Put { key, is_known: under.is_some(), row, frozen });
                }
            }
        }
        Decided { writes: self.writes, changed: self.changed, unplaced: self.unplaced }
    }

    /// Places a story in all sections. If the story has too many copies, only adds it to `unplaced`. `revised` is the
    /// entry whose content has just changed, if any.
    pub fn place(&mut self, number: StoryNumber, revised: Option<EntryNumber>) {
        let Some(story) = self.stories.get(&number) else { return };
        if !story.is_whole_still() {
            self.unplaced.push(Unplaced { story: number, revised });
            return;
        }
        self.place_seen(number, revised);
    }

    /// Places a story in all sections by the copies on the board, even if these are only selected copies.
    pub fn place_seen(&mut self, number: StoryNumber, revised: Option<EntryNumber>) {
        let Some(mut story) = self.stories.remove(&number) else { return };
        let judged = self.judge(story.row.sort_at, &story.copies);
        self.name(&mut story, &judged);
        self.settle(&mut story, &judged, revised);
        self.stories.insert(number, story);
    }

    /// Places a story in one section.
    pub fn place_in_section(&mut self, section: &'a Section, number: StoryNumber) {
        let Some(mut story) = self.stories.remove(&number) else { return };
        if let Some(&at) = self.setting.sections.get(&section.id) {
            let visible = section::visible(section, &story.copies);
            let verdict = section::judge(section, &visible, story.row.sort_at, self.setting.now);
            let judged = Judged { verdicts: vec![(section, at, verdict)] };
            self.name(&mut story, &judged);
            self.settle(&mut story, &judged, None);
        }
        self.stories.insert(number, story);
    }

    /// Returns the verdicts of all sections on a story with these copies.
    pub(super) fn judge(&self, sort_at: Timestamp, copies: &[SeenCopy]) -> Judged<'a> {
        let verdict = |(section, number): (&'a Section, SectionNumber)| {
            let verdict = section::judge(section, &section::visible(section, copies), sort_at, self.setting.now);
            (section, number, verdict)
        };
        Judged { verdicts: self.setting.judging().map(verdict).collect() }
    }

    /// Changes the placements of a story according to the verdicts.
    pub(super) fn settle(&mut self, story: &mut Story, judged: &Judged, revised: Option<EntryNumber>) {
        let occasion = Occasion { now: self.setting.now, revised };
        let (sort_at, mut notified) = (story.row.sort_at, Vec::new());
        for (section, number, verdict) in &judged.verdicts {
            let visible = section::visible(section, &story.copies);
            let before = story.placements.get(number).map(|placed| &placed.row);
            let placing = place(section, &visible, sort_at, verdict.as_ref(), before, occasion);
            self.note(&section.id, placing.effect);
            if !self.setting.listeners.hooks.is_empty() {
                let change = StoryChange {
                    now: occasion.now,
                    section,
                    number: *number,
                    story: story.row.number,
                    sort_at,
                    visible: &visible,
                    verdict: verdict.as_ref(),
                    before,
                    placing: &placing,
                };
                let has_entered = |hook: &Hook| {
                    let mut sections = self.setting.judging().filter(|(section, _)| hook.hears_of(section));
                    sections.any(|(_, section)| story.has_entered(section, occasion.now))
                };
                let messages = story_messages(&change, self.setting.listeners, has_entered, &mut notified);
                self.writes.messages.extend(messages);
            }
            story.write(*number, placing);
        }
    }

    /// Makes the names of a story if a public section is about to show the story for the first time.
    fn name(&mut self, story: &mut Story, judged: &Judged) {
        if story.row.shown.is_some() || story.row.is_unchecked {
            return;
        }
        let Some(lead) = judged.public_lead(&story.copies) else { return };
        let slug = story::slug(&lead.entry.title, story.row.number);
        let public: Vec<&str> =
            judged.public(&story.copies).filter_map(|copy| story::own_id(&copy.entry.guid)).collect();
        // If the story has an unpublished id, and a copy that readers see has this id as its guid, the id becomes the
        // story's public id.
        let visible = story.kept.iter().find(|(id, _)| public.contains(&id.as_str()));
        let published = visible.filter(|(_, is_taken)| !is_taken).map(|(id, _)| id.clone());
        let published = published.map(|id| story.publish(id));
        let names = NamesWrite { story: story.row.number, slug: slug.clone(), shown: self.setting.now, published };
        (story.row.slug, story.row.shown) = (slug, Some(self.setting.now));
        self.writes.names.push(names);
    }

    /// Records a change of the sections that have the story. This is for a story whose text changed, but not its
    /// placement.
    pub fn touch(&mut self, number: StoryNumber) {
        let Some(story) = self.stories.get(&number) else { return };
        for (section, at) in self.setting.judging() {
            if story.placements.get(&at).is_some_and(|placed| placed.row.is_in()) {
                self.changed.entry(section.id.clone()).or_default();
            }
        }
    }

    /// Records the effect of a placement on its section.
    pub(super) fn note(&mut self, section: &SectionId, effect: Effect) {
        if effect != Effect::None {
            let moves = self.changed.entry(section.clone()).or_default();
            moves.entered += usize::from(effect == Effect::Enters);
            moves.left += usize::from(effect == Effect::Leaves);
        }
    }

    /// Returns the id of the section with this number.
    pub(super) fn section(&self, number: SectionNumber) -> Option<&'a SectionId> {
        self.setting.sections.iter().find(|(_, at)| **at == number).map(|(id, _)| id)
    }
}

impl<'a> Story<'a> {
    pub(super) fn of(StandingStory { row, kept, placements }: StandingStory, seen: SeenStory<'a>) -> Story<'a> {
        let number = row.number;
        let placements = placements.into_iter().map(|(section, row)| (section, Placed::known((section, number), row)));
        let SeenStory { copies, bytes, is_whole } = seen;
        Story { row, kept, copies, bytes, is_whole, placements: placements.collect() }
    }

    /// Creates a new story, without copies.
    pub(super) fn alone(row: StoryRow) -> Story<'a> {
        Story { row, kept: Vec::new(), copies: Vec::new(), bytes: 0, is_whole: true, placements: BTreeMap::new() }
    }

    /// Returns whether all copies are on the board, and few and small enough to judge the story by all of them.
    fn is_whole_still(&self) -> bool {
        self.is_whole && self.copies.len() <= MAX_COPIES && (self.bytes <= MAX_BYTES || self.copies.len() <= 1)
    }

    /// Returns whether the story entered a section at another time than `now`.
    fn has_entered(&self, section: SectionNumber, now: Timestamp) -> bool {
        let entered = self.placements.get(&section).and_then(|placed| placed.row.entered);
        entered.is_some_and(|entered| entered != now)
    }

    /// Adds a copy, or replaces it if the story has it already. The copies stay ordered by number.
    pub(super) fn put(&mut self, copy: SeenCopy<'a>, bytes: usize) {
        self.bytes += bytes;
        match self.copies.iter_mut().find(|known| known.number == copy.number) {
            Some(known) => *known = copy,
            None => {
                self.copies.push(copy);
                self.copies.sort_by_key(|copy| copy.number);
            }
        }
    }

    fn write(&mut self, section: SectionNumber, placing: Placing) {
        let Some(row) = placing.write else { return };
        let placed = self.placements.entry(section).or_insert_with(|| Placed::new(row.clone()));
        placed.put(row, placing.frozen);
    }

    /// Makes `id`, which the story had but did not publish, its public id. Sections that published the previous id
    /// continue to publish that. Returns the previous and the new id.
    fn publish(&mut self, id: String) -> (String, String) {
        let before = std::mem::replace(&mut self.row.public_id, id.clone());
        for placed in self.placements.values_mut() {
            if placed.row.published_as.is_none() && placed.row.entered.is_some() {
                placed.row.published_as = Some(before.clone());
                placed.is_changed = true;
            }
        }
        self.kept.retain(|(kept, _)| *kept != id);
        self.kept.push((before.clone(), true));
        (before, id)
    }
}

impl Placed {
    fn known(key: Key, row: PlacementRow) -> Placed {
        Placed { row, under: Some(key), is_changed: false, frozen: None }
    }

    fn new(row: PlacementRow) -> Placed {
        Placed { row, under: None, is_changed: true, frozen: None }
    }

    pub(super) fn put(&mut self, row: PlacementRow, frozen: Option<Box<Entry>>) {
        let published_as = self.row.published_as.take();
        self.row = PlacementRow { published_as, ..row };
        self.is_changed = true;
        self.frozen = frozen.or(self.frozen.take());
    }

    /// Marks the placement as changed, and returns its row for the change.
    pub(super) fn change(&mut self) -> &mut PlacementRow {
        self.is_changed = true;
        &mut self.row
    }

    /// Returns the key of the placement in the store; `None` if the placement is new.
    pub(super) fn under(&self) -> Option<Key> {
        self.under
    }
}
