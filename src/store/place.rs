//! Placements: loads the copies and the placements of a story, and writes what [`newsroom`] decides about them.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::{Deserialize, Serialize};

use crate::config::{Config, Section};
use crate::entry::Entry;
use crate::feed::SectionId;
use crate::newsroom::{self, Effect, Merging, Occasion, Placement, Placing};
use crate::section::{self, SeenCopy, Verdict};
use crate::time::Timestamp;

use super::copies::{Viewer, copies_of};
use super::{StoreError, names};

/// How many stories came into a section and left it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moves {
    pub entered: usize,
    pub left: usize,
}

/// Judges stories and writes their placements, within one transaction.
pub struct Placer<'a> {
    connection: &'a Connection,
    pub(super) config: &'a Config,
    pub(super) now: Timestamp,
    section_numbers: HashMap<SectionId, i64>,
    /// Whether any section judges by the text of copies.
    reads_text: bool,
    /// The sections whose shown content changed, if only in words.
    pub changed: BTreeMap<SectionId, Moves>,
}

/// What the sections say of a story: for each, in the config's order, its verdict; `None` where it sees no copy.
pub struct Judged<'a> {
    sort_at: Timestamp,
    verdicts: Vec<(&'a Section, Option<Verdict>)>,
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
        let judged = self.verdicts.iter().filter_map(|(section, verdict)| Some((*section, verdict.as_ref()?)));
        judged.filter(|(section, verdict)| section.is_public() && verdict.is_in)
    }
}

impl<'a> Placer<'a> {
    pub fn new(connection: &'a Connection, config: &'a Config, now: Timestamp) -> Result<Self, StoreError> {
        let mut statement = connection.prepare_cached("SELECT id, number FROM section")?;
        let numbers =
            statement.query_map([], |row| Ok((SectionId::from(row.get::<_, String>(0)?.as_str()), row.get(1)?)))?;
        let section_numbers = numbers.collect::<Result<_, _>>()?;
        let reads_text = config.sections.iter().any(|section| section::reads_text(section));
        Ok(Placer { connection, config, now, section_numbers, reads_text, changed: BTreeMap::new() })
    }

    /// Judges a story for all sections. `revised` is the entry whose words have just changed, if any.
    pub fn place(&mut self, story: i64, sort_at: Timestamp, revised: Option<i64>) -> Result<(), StoreError> {
        let copies = self.copies(story)?;
        self.place_copies(story, sort_at, &copies, revised)
    }

    /// The copies of a story, as far as they are judged by.
    pub fn copies(&self, story: i64) -> Result<Vec<SeenCopy<'a>>, StoreError> {
        copies_of(self.connection, self.config, story, Viewer::All, self.reads_text)
    }

    /// As [`Placer::place`], for whoever has the copies at hand: all of them, in the order in which they joined.
    pub fn place_copies(
        &mut self,
        story: i64,
        sort_at: Timestamp,
        copies: &[SeenCopy],
        revised: Option<i64>,
    ) -> Result<(), StoreError> {
        let judged = self.judge(sort_at, copies);
        self.name(story, copies, &judged)?;
        self.place_judged(story, copies, &judged, revised)
    }

    /// Judges copies of one story for all sections; writes nothing.
    pub fn judge(&self, sort_at: Timestamp, copies: &[SeenCopy]) -> Judged<'a> {
        let config: &'a Config = self.config;
        let sections = config.sections.iter().filter(|section| self.section_numbers.contains_key(&section.id));
        let verdict = |section: &'a Arc<Section>| {
            let verdict = section::judge(section, &section::visible(section, copies), sort_at, self.now);
            (&**section, verdict)
        };
        Judged { sort_at, verdicts: sections.map(verdict).collect() }
    }

    /// Writes the placements of a story that was judged by these copies. It must have its names already.
    pub fn place_judged(
        &mut self,
        story: i64,
        copies: &[SeenCopy],
        judged: &Judged,
        revised: Option<i64>,
    ) -> Result<(), StoreError> {
        for (section, verdict) in &judged.verdicts {
            let Some(&number) = self.section_numbers.get(&section.id) else { continue };
            let before = self.before(number, story)?;
            self.settle(section, (number, story, judged.sort_at), copies, verdict.as_ref(), before, revised)?;
        }
        Ok(())
    }

    /// As [`Placer::place_judged`], for a story that stands in no section yet.
    pub fn place_new(&mut self, story: i64, copies: &[SeenCopy], judged: &Judged) -> Result<(), StoreError> {
        for (section, verdict) in &judged.verdicts {
            let Some(&number) = self.section_numbers.get(&section.id) else { continue };
            self.settle(section, (number, story, judged.sort_at), copies, verdict.as_ref(), None, None)?;
        }
        Ok(())
    }

    /// Judges a story for one section alone.
    pub fn place_in_section(
        &mut self,
        section: &'a Section,
        story: i64,
        sort_at: Timestamp,
        copies: &[SeenCopy],
    ) -> Result<(), StoreError> {
        let verdict = section::judge(section, &section::visible(section, copies), sort_at, self.now);
        let judged = Judged { sort_at, verdicts: vec![(section, verdict)] };
        self.name(story, copies, &judged)?;
        self.place_judged(story, copies, &judged, None)
    }

    /// Mints the names of a story that a public section is about to show for the first time.
    fn name(&self, story: i64, copies: &[SeenCopy], judged: &Judged) -> Result<(), StoreError> {
        match judged.public_lead(copies) {
            Some(lead) if names::waits(self.connection, story)? => {
                let public: Vec<&Entry> = judged.public(copies).map(|copy| &*copy.entry).collect();
                names::mint(self.connection, story, &lead.entry.title, &public, self.now)
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Writes what a section says of a story, if that is not what was `before`.
    fn settle(
        &mut self,
        section: &Section,
        (number, story, sort_at): (i64, i64, Timestamp),
        copies: &[SeenCopy],
        verdict: Option<&Verdict>,
        before: Option<Placement>,
        revised: Option<i64>,
    ) -> Result<(), StoreError> {
        let visible = section::visible(section, copies);
        let occasion = Occasion { now: self.now, revised };
        let placing = newsroom::place(section, &visible, sort_at, verdict, before.as_ref(), occasion);
        self.write((number, story), before.is_some(), &placing)?;
        self.count(&section.id, placing.effect);
        Ok(())
    }

    /// Marks the sections that hold a story, as words of it changed that neither move it nor make it newer.
    pub fn touch(&mut self, story: i64) -> Result<(), StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT section.id FROM placement JOIN section ON section.number = placement.section
             WHERE placement.story = ?1 AND placement.left IS NULL AND section.gone IS NULL",
        )?;
        let mut rows = statement.query([story])?;
        while let Some(row) = rows.next()? {
            let section = SectionId::from(row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?);
            self.changed.entry(section).or_default();
        }
        Ok(())
    }

    /// Takes a story that joined another out of the sections that have shown the other; in the rest the other one takes its
    /// place, under the id by which the section's readers know it.
    pub fn move_placements(&mut self, leaves: i64, stays: i64) -> Result<(), StoreError> {
        let numbers: Vec<(SectionId, i64)> =
            self.section_numbers.iter().map(|(section, number)| (section.clone(), *number)).collect();
        for (section, number) in numbers {
            let Some(before) = self.before(number, leaves)? else { continue };
            match newsroom::merge(&before, self.has_entered(number, stays)?) {
                Merging::Nothing => {}
                Merging::Leave => {
                    let placing = newsroom::leave(&before, newsroom::UNITED, self.now);
                    self.write((number, leaves), true, &placing)?;
                    self.count(&section, placing.effect);
                }
                Merging::TakeOver => {
                    self.take_over(number, leaves, stays)?;
                    if before.is_in() {
                        self.count(&section, Effect::Shows);
                    }
                }
            }
        }
        Ok(())
    }

    /// Gives a story the placement of the one that joined it, under the id by which the section's readers know that one.
    fn take_over(&self, section: i64, leaves: i64, stays: i64) -> Result<(), StoreError> {
        let mut statement =
            self.connection.prepare_cached("DELETE FROM placement WHERE section = ?1 AND story = ?2")?;
        statement.execute([section, stays])?;
        let mut statement = self.connection.prepare_cached(
            "UPDATE placement SET story = ?3, next_change = NULL,
               published_as = coalesce(published_as, (SELECT public_id FROM story WHERE number = ?2))
             WHERE section = ?1 AND story = ?2",
        )?;
        statement.execute([section, leaves, stays])?;
        Ok(())
    }

    /// Notes what readers of a section will notice.
    fn count(&mut self, section: &SectionId, effect: Effect) {
        if effect != Effect::None {
            let moves = self.changed.entry(section.clone()).or_default();
            moves.entered += usize::from(effect == Effect::Enters);
            moves.left += usize::from(effect == Effect::Leaves);
        }
    }

    fn has_entered(&self, section: i64, story: i64) -> Result<bool, StoreError> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT 1 FROM placement WHERE section = ?1 AND story = ?2 AND entered IS NOT NULL")?;
        Ok(statement.exists([section, story])?)
    }

    fn before(&self, section: i64, story: i64) -> Result<Option<Placement>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT lead, sort_at, entered, left, rule, why, next_change, changed FROM placement WHERE section = ?1 AND story = ?2",
        )?;
        let before = statement.query_row(params![section, story], |row| {
            Ok(Placement {
                lead: row.get(0)?,
                sort_at: time(row, 1)?,
                entered: optional_time(row, 2)?,
                left: optional_time(row, 3)?,
                rule: row.get(4)?,
                why: row.get(5)?,
                next_change: optional_time(row, 6)?,
                changed: optional_time(row, 7)?,
            })
        });
        Ok(before.optional()?)
    }

    /// Writes what is decided, over the row that is there, if there is one.
    fn write(&self, (section, story): (i64, i64), is_known: bool, placing: &Placing) -> Result<(), StoreError> {
        let Some(placement) = &placing.write else { return Ok(()) };
        let sql = if is_known {
            "UPDATE placement SET lead = ?3, lead_feed = (SELECT feed FROM entry WHERE number = ?3), sort_at = ?4, entered = ?5,
               left = ?6, rule = ?7, why = ?8, next_change = ?9, changed = ?10, frozen = coalesce(?11, frozen)
             WHERE section = ?1 AND story = ?2"
        } else {
            "INSERT INTO placement
               (section, story, lead, lead_feed, sort_at, entered, left, rule, why, next_change, changed, frozen)
             VALUES (?1, ?2, ?3, (SELECT feed FROM entry WHERE number = ?3), ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)"
        };
        self.connection.prepare_cached(sql)?.execute(params![
            section,
            story,
            placement.lead,
            placement.sort_at.millis(),
            placement.entered.map(Timestamp::millis),
            placement.left.map(Timestamp::millis),
            placement.rule,
            placement.why,
            placement.next_change.map(Timestamp::millis),
            placement.changed.map(Timestamp::millis),
            placing.frozen.as_ref().map(serde_json::to_string).transpose()?,
        ])?;
        Ok(())
    }
}

/// A time in a column that always has one.
pub fn time(row: &Row, column: usize) -> rusqlite::Result<Timestamp> {
    row.get(column).map(Timestamp::from_millis)
}

/// A time in a column that may be null.
pub fn optional_time(row: &Row, column: usize) -> rusqlite::Result<Option<Timestamp>> {
    row.get::<_, Option<i64>>(column).map(|millis| millis.map(Timestamp::from_millis))
}
