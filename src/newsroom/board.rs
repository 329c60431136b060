//! The stories that one step touches, as they are and as they come to be.
//!
//! Pure: [`Board::new`] gets rows, deciding changes them in memory, and [`Board::finish`] returns what is to be written. What
//! one decision changes, the next one sees, as if it had been written.
//!
//! The policy held here: each story is judged for every section that exists; a story gets its public names when a public
//! section first shows it, and never loses them.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::copies::{MAX_BYTES, SeenStory};
use super::placing::{Effect, Occasion, Placing, place};
use crate::config::{Config, Section};
use crate::entry::Entry;
use crate::feed::SectionId;
use crate::number::{EntryNumber, SectionNumber, StoryNumber};
use crate::rows::{Key, NamesWrite, NextNumbers, PlacementRow, Put, Standing, StandingStory, StoryRow, Writes};
use crate::section::{self, MAX_COPIES, SeenCopy, Verdict};
use crate::story;
use crate::time::Timestamp;

/// How many stories came into a section and left it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moves {
    pub entered: usize,
    pub left: usize,
}

/// The sections whose shown content changed, if only in words.
pub type SectionMoves = BTreeMap<SectionId, Moves>;

/// What a store, a config and a time give to every decision.
#[derive(Clone, Copy, Debug)]
pub struct Setting<'a> {
    pub config: &'a Config,
    pub now: Timestamp,
    /// The numbers of all sections that the store has, also of those that are gone.
    pub sections: &'a HashMap<SectionId, SectionNumber>,
    /// What the ids of private stories are made with.
    pub key: &'a [u8],
}

impl<'a> Setting<'a> {
    /// The configured sections that the store has, in the config's order.
    fn judging(self) -> impl Iterator<Item = (&'a Section, SectionNumber)> {
        let known = |section: &'a Arc<Section>| Some((&**section, *self.sections.get(&section.id)?));
        self.config.sections.iter().filter_map(known)
    }

    /// Whether any section judges by the text of copies.
    pub fn reads_text(self) -> bool {
        self.config.sections.iter().any(|section| section::reads_text(section))
    }
}

/// See the module.
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

/// A story that is to be placed once what was decided so far is written: it has so many copies that they must be chosen again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unplaced {
    pub story: StoryNumber,
    /// The entry whose words have just changed, if any.
    pub revised: Option<EntryNumber>,
}

/// What a step came to.
#[derive(Debug)]
pub struct Decided {
    pub writes: Writes,
    pub changed: SectionMoves,
    pub unplaced: Vec<Unplaced>,
}

#[derive(Debug)]
pub(super) struct Story<'a> {
    pub row: StoryRow,
    pub kept: Vec<(String, bool)>,
    pub copies: Vec<SeenCopy<'a>>,
    pub bytes: usize,
    /// Whether `copies` are all that there are.
    pub is_whole: bool,
    pub placements: BTreeMap<SectionNumber, Placed>,
}

/// A placement on the board.
#[derive(Clone, Debug)]
pub(super) struct Placed {
    pub row: PlacementRow,
    /// Where it lies on disk; `None` if it is new.
    under: Option<Key>,
    is_changed: bool,
    frozen: Option<Box<Entry>>,
}

/// What the sections say of a story: for each, in the config's order, its verdict; `None` if it sees no copy.
pub(super) struct Judged<'a> {
    verdicts: Vec<(&'a Section, SectionNumber, Option<Verdict>)>,
}

impl Judged<'_> {
    /// Returns the copy whose words the first public section shows that takes the story; `None` if none takes it.
    pub fn public_lead<'c, 'e>(&self, copies: &'c [SeenCopy<'e>]) -> Option<&'c SeenCopy<'e>> {
        let (section, verdict) = self.takers().next()?;
        section::visible(section, copies).get(verdict.lead).copied()
    }

    /// Returns the copies that readers of any public section see, which takes the story.
    fn public<'c, 'e>(&self, copies: &'c [SeenCopy<'e>]) -> impl Iterator<Item = &'c SeenCopy<'e>> {
        copies.iter().filter(|copy| self.takers().any(|(section, _)| section.takes(&copy.feed.id)))
    }

    fn takers(&self) -> impl Iterator<Item = (&Section, &Verdict)> {
        let judged = self.verdicts.iter().filter_map(|(section, _, verdict)| Some((*section, verdict.as_ref()?)));
        judged.filter(|(section, verdict)| section.is_public() && verdict.is_in)
    }
}

impl<'a> Board<'a> {
    /// A board with nothing on it yet. `stories` are those that will be decided about, with their chosen copies.
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

    /// Returns all that was decided.
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

    /// Judges a story for all sections. `revised` is the entry whose words have just changed, if any.
    pub fn place(&mut self, number: StoryNumber, revised: Option<EntryNumber>) {
        let Some(story) = self.stories.get(&number) else { return };
        if !story.is_whole_still() {
            self.unplaced.push(Unplaced { story: number, revised });
            return;
        }
        self.place_seen(number, revised);
    }

    /// As [`Board::place`], by the copies that are on the board, whether they are all or the best.
    pub fn place_seen(&mut self, number: StoryNumber, revised: Option<EntryNumber>) {
        let Some(mut story) = self.stories.remove(&number) else { return };
        let judged = self.judge(story.row.sort_at, &story.copies);
        self.name(&mut story, &judged);
        self.settle(&mut story, &judged, revised);
        self.stories.insert(number, story);
    }

    /// Judges a story for one section alone.
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

    /// Judges copies of one story for all sections.
    pub(super) fn judge(&self, sort_at: Timestamp, copies: &[SeenCopy]) -> Judged<'a> {
        let verdict = |(section, number): (&'a Section, SectionNumber)| {
            let verdict = section::judge(section, &section::visible(section, copies), sort_at, self.setting.now);
            (section, number, verdict)
        };
        Judged { verdicts: self.setting.judging().map(verdict).collect() }
    }

    /// Places a story as it was judged.
    pub(super) fn settle(&mut self, story: &mut Story, judged: &Judged, revised: Option<EntryNumber>) {
        let occasion = Occasion { now: self.setting.now, revised };
        for (section, number, verdict) in &judged.verdicts {
            let visible = section::visible(section, &story.copies);
            let before = story.placements.get(number).map(|placed| &placed.row);
            let placing = place(section, &visible, story.row.sort_at, verdict.as_ref(), before, occasion);
            self.note(&section.id, placing.effect);
            story.write(*number, placing);
        }
    }

    /// Mints the names of a story that a public section is about to show for the first time.
    fn name(&mut self, story: &mut Story, judged: &Judged) {
        if story.row.shown.is_some() || story.row.is_unchecked {
            return;
        }
        let Some(lead) = judged.public_lead(&story.copies) else { return };
        let slug = story::slug(&lead.entry.title, story.row.number);
        let public: Vec<&str> =
            judged.public(&story.copies).filter_map(|copy| story::own_id(&copy.entry.guid)).collect();
        // The id that the story kept to itself becomes its public one if a copy that readers see bears it.
        let borne = story.kept.iter().find(|(id, _)| public.contains(&id.as_str()));
        let published = borne.filter(|(_, is_taken)| !is_taken).map(|(id, _)| id.clone());
        let published = published.map(|id| story.publish(id));
        let names = NamesWrite { story: story.row.number, slug: slug.clone(), shown: self.setting.now, published };
        (story.row.slug, story.row.shown) = (slug, Some(self.setting.now));
        self.writes.names.push(names);
    }

    /// Marks the sections that hold a story, as words of it changed that neither move it nor make it newer.
    pub fn touch(&mut self, number: StoryNumber) {
        let Some(story) = self.stories.get(&number) else { return };
        for (section, at) in self.setting.judging() {
            if story.placements.get(&at).is_some_and(|placed| placed.row.is_in()) {
                self.changed.entry(section.id.clone()).or_default();
            }
        }
    }

    /// Notes what readers of a section will notice.
    pub(super) fn note(&mut self, section: &SectionId, effect: Effect) {
        if effect != Effect::None {
            let moves = self.changed.entry(section.clone()).or_default();
            moves.entered += usize::from(effect == Effect::Enters);
            moves.left += usize::from(effect == Effect::Leaves);
        }
    }

    /// The section with this number.
    pub(super) fn section(&self, number: SectionNumber) -> Option<&'a SectionId> {
        self.setting.sections.iter().find(|(_, at)| **at == number).map(|(id, _)| id)
    }
}

impl<'a> Story<'a> {
    pub fn of(StandingStory { row, kept, placements }: StandingStory, seen: SeenStory<'a>) -> Story<'a> {
        let number = row.number;
        let placements = placements.into_iter().map(|(section, row)| (section, Placed::known((section, number), row)));
        let SeenStory { copies, bytes, is_whole } = seen;
        Story { row, kept, copies, bytes, is_whole, placements: placements.collect() }
    }

    /// A new story, without copies yet.
    pub fn alone(row: StoryRow) -> Story<'a> {
        Story { row, kept: Vec::new(), copies: Vec::new(), bytes: 0, is_whole: true, placements: BTreeMap::new() }
    }

    /// Whether all copies are here, and few and small enough to be judged by as they are.
    fn is_whole_still(&self) -> bool {
        self.is_whole && self.copies.len() <= MAX_COPIES && (self.bytes <= MAX_BYTES || self.copies.len() <= 1)
    }

    /// Adds a copy, or replaces the words of one, keeping the order in which they joined.
    pub fn put(&mut self, copy: SeenCopy<'a>, bytes: usize) {
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

    /// Publishes an id that the story kept to itself. Readers who know it by the one before keep that one. Returns both.
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

    pub fn put(&mut self, row: PlacementRow, frozen: Option<Box<Entry>>) {
        let published_as = self.row.published_as.take();
        self.row = PlacementRow { published_as, ..row };
        self.is_changed = true;
        self.frozen = frozen.or(self.frozen.take());
    }

    /// Marks the row as changed.
    pub fn change(&mut self) -> &mut PlacementRow {
        self.is_changed = true;
        &mut self.row
    }

    /// Where it lies on disk; `None` if it is new.
    pub fn under(&self) -> Option<Key> {
        self.under
    }
}
