//! Placements: which stories are in which sections, written when a story changes, when a definition changes, and when time
//! alone decides.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::{Deserialize, Serialize};

use crate::config::{Config, Edits, Section};
use crate::entry::Entry;
use crate::feed::SectionId;
use crate::section::{self, SeenCopy, Verdict};
use crate::time::Timestamp;

use super::copies::{Viewer, copies_of};
use super::{StoreError, names};

/// The first polls bring the copies of a story within seconds of each other: until then, other words are not a change that
/// readers must be told of.
const SETTLING: Duration = Duration::from_secs(60);

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

/// A placement as it stands.
struct Before {
    is_in: bool,
    entered: Option<Timestamp>,
    lead: i64,
    sort_at: Timestamp,
    rule: Option<String>,
    why: String,
    next_change: Option<Timestamp>,
    changed: Option<Timestamp>,
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
        before: Option<Before>,
        revised: Option<i64>,
    ) -> Result<(), StoreError> {
        let visible = section::visible(section, copies);
        match (verdict, before) {
            (Some(verdict), None) if verdict.is_in || verdict.next_change.is_some() => {
                let lead = visible[verdict.lead];
                self.insert(section, (number, story), sort_at, lead, verdict)?;
                if verdict.is_in {
                    self.changed.entry(section.id.clone()).or_default().entered += 1;
                }
            }
            (Some(verdict), Some(before)) => {
                // Words that do not follow edits stay with their copy, as long as the section sees it.
                let kept = visible.iter().find(|copy| section.edits == Edits::Ignore && copy.number == before.lead);
                let lead = kept.unwrap_or(&visible[verdict.lead]);
                self.update(section, (number, story), lead, verdict, &before, revised)?;
            }
            (None, Some(before)) if before.is_in => {
                self.leave((number, story), "no feed of the section has it any more")?;
                self.changed.entry(section.id.clone()).or_default().left += 1;
            }
            (Some(_) | None, _) => {}
        }
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
            if self.has_entered(number, stays)? {
                if before.is_in {
                    self.leave((number, leaves), "it is one story with another")?;
                    self.changed.entry(section).or_default().left += 1;
                }
                continue;
            }
            let mut statement =
                self.connection.prepare_cached("DELETE FROM placement WHERE section = ?1 AND story = ?2")?;
            statement.execute([number, stays])?;
            let mut statement = self.connection.prepare_cached(
                "UPDATE placement SET story = ?3, next_change = NULL,
                   published_as = coalesce(published_as, (SELECT public_id FROM story WHERE number = ?2))
                 WHERE section = ?1 AND story = ?2",
            )?;
            statement.execute([number, leaves, stays])?;
            if before.is_in {
                self.changed.entry(section).or_default();
            }
        }
        Ok(())
    }

    fn has_entered(&self, section: i64, story: i64) -> Result<bool, StoreError> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT 1 FROM placement WHERE section = ?1 AND story = ?2 AND entered IS NOT NULL")?;
        Ok(statement.exists([section, story])?)
    }

    fn before(&self, section: i64, story: i64) -> Result<Option<Before>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT left IS NULL, lead, sort_at, rule, why, next_change, changed, entered FROM placement WHERE section = ?1 AND story = ?2",
        )?;
        let before = statement.query_row(params![section, story], |row| {
            Ok(Before {
                is_in: row.get(0)?,
                lead: row.get(1)?,
                sort_at: time(row, 2)?,
                rule: row.get(3)?,
                why: row.get(4)?,
                next_change: optional_time(row, 5)?,
                changed: optional_time(row, 6)?,
                entered: optional_time(row, 7)?,
            })
        });
        Ok(before.optional()?)
    }

    fn insert(
        &self,
        section: &Section,
        (number, story): (i64, i64),
        sort_at: Timestamp,
        lead: &SeenCopy,
        verdict: &Verdict,
    ) -> Result<(), StoreError> {
        let now = self.now.millis();
        let frozen = (section.edits == Edits::Ignore).then(|| serde_json::to_string(&lead.entry)).transpose()?;
        let mut statement = self.connection.prepare_cached(
            "INSERT INTO placement (section, story, lead, lead_feed, sort_at, entered, left, rule, why, next_change, frozen)
             VALUES (?1, ?2, ?3, (SELECT feed FROM entry WHERE number = ?3), ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        )?;
        statement.execute(params![
            number,
            story,
            lead.number,
            sort_at.millis(),
            verdict.is_in.then_some(now),
            (!verdict.is_in).then_some(now),
            verdict.rule,
            verdict.why,
            verdict.next_change.map(Timestamp::millis),
            frozen,
        ])?;
        Ok(())
    }

    fn update(
        &mut self,
        section: &Section,
        (number, story): (i64, i64),
        lead: &SeenCopy,
        verdict: &Verdict,
        before: &Before,
        revised: Option<i64>,
    ) -> Result<(), StoreError> {
        let enters = verdict.is_in && !before.is_in;
        let leaves = !verdict.is_in && before.is_in;
        let stays = verdict.is_in && before.is_in;
        let follows = section.edits != Edits::Ignore;
        let new_lead = before.lead != lead.number;
        let new_words = stays && (new_lead || follows && revised == Some(lead.number));
        // The section does not see the copy any more whose words it kept.
        let frozen = (!follows && new_lead).then(|| serde_json::to_string(&lead.entry)).transpose()?;
        let is_same = before.lead == lead.number
            && before.rule == verdict.rule
            && before.why == verdict.why
            && before.next_change == verdict.next_change;
        // Whatever copy changed, it may show in the story's categories, its "via" or its list of copies.
        if stays && revised.is_some() {
            self.changed.entry(section.id.clone()).or_default();
        }
        if is_same && !enters && !leaves && !new_words {
            return Ok(());
        }
        let is_settled = before.entered.is_none_or(|entered| self.now.since(entered) >= SETTLING);
        let changed = if new_words && is_settled { Some(self.now) } else { before.changed };
        let sort_at = if new_words && section.edits == Edits::Bump { self.now } else { before.sort_at };
        let mut statement = self.connection.prepare_cached(
            "UPDATE placement SET lead = ?3, lead_feed = (SELECT feed FROM entry WHERE number = ?3), sort_at = ?4, rule = ?5, why = ?6,
               next_change = ?7, changed = ?8, frozen = coalesce(?12, frozen),
               entered = CASE WHEN ?9 THEN ?11 ELSE entered END,
               left = CASE WHEN ?9 THEN NULL WHEN ?10 THEN ?11 ELSE left END
             WHERE section = ?1 AND story = ?2",
        )?;
        statement.execute(params![
            number,
            story,
            lead.number,
            sort_at.millis(),
            verdict.rule,
            verdict.why,
            verdict.next_change.map(Timestamp::millis),
            changed.map(Timestamp::millis),
            enters,
            leaves,
            self.now.millis(),
            frozen,
        ])?;
        if enters || stays || leaves {
            let moves = self.changed.entry(section.id.clone()).or_default();
            moves.entered += usize::from(enters);
            moves.left += usize::from(leaves);
        }
        Ok(())
    }

    fn leave(&self, (section, story): (i64, i64), why: &str) -> Result<(), StoreError> {
        let mut statement = self.connection.prepare_cached(
            "UPDATE placement SET left = ?3, rule = NULL, why = ?4, next_change = NULL WHERE section = ?1 AND story = ?2",
        )?;
        statement.execute(params![section, story, self.now.millis(), why])?;
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
