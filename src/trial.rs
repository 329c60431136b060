//! Finds the stories that a config would put into its sections and take out of them, before the config is used.
//!
//! This module reads all stories and changes nothing. It applies the rules of the sections to each story with the
//! function that the daemon uses, [`section::judge`]. It compares the results with the placements in the store, which
//! readers see now.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use url::Url;

use crate::config::{Config, Section};
use crate::feed::SectionId;
use crate::reason::{Matched, RuleList, RulePlace, Why};
use crate::rule::Subject;
use crate::section::{self, SeenCopy};
use crate::shown::{self, Passing};
use crate::store::{Reader, StoreError};
use crate::time::Timestamp;

const WEEK: Duration = Duration::from_secs(7 * 24 * 3600);

/// What a config would change. Serialized as `newswire try --json` prints it.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Trial {
    /// The sections in the order of the config, then the sections that the store has but the config does not.
    pub sections: Vec<SectionTrial>,
    /// The rules of these sections, in the same order.
    pub rules: Vec<RuleTrial>,
    /// Results that are probably unintended, as sentences.
    pub warnings: Vec<String>,
}

/// What would enter and leave one section.
#[derive(Clone, Debug, Serialize)]
pub struct SectionTrial {
    /// The id of the section.
    pub section: SectionId,
    /// The stories that would enter, newest first.
    pub enter: Vec<Move>,
    /// The stories that would leave, newest first.
    pub leave: Vec<Move>,
    /// How many stories the section has now.
    pub before: usize,
    /// How many stories the section would have.
    pub after: usize,
}

/// A story that would enter a section or leave it.
#[derive(Clone, Debug, Serialize)]
pub struct Move {
    /// The public id of the story.
    pub id: String,
    /// The title of the story.
    pub title: String,
    /// The link of the story.
    pub link: Option<Url>,
    /// The rule that decides; `None` if no rule does.
    pub rule: Option<RulePlace>,
    /// The keys that match, each with the matched text, such as `title sponsored`; `None` if no rule decides.
    pub matched: Option<String>,
    /// The reason, as the end of a sentence.
    pub why: String,
    /// The code of the reason.
    pub why_code: &'static str,
    /// The time by which the story is sorted.
    pub sort_at: Timestamp,
}

/// How many of all stories one rule matches.
#[derive(Clone, Debug, Serialize)]
pub struct RuleTrial {
    /// The section of the rule.
    pub section: SectionId,
    /// The position of the rule, such as `drop[1]`.
    pub rule: RulePlace,
    /// How many stories the rule decides about.
    pub stories: usize,
    /// How many of `stories` are from the last seven days.
    pub last_week: usize,
    /// How many stories the rule matches, even if another rule decides.
    pub matches: usize,
}

impl Trial {
    /// Returns whether any story would enter or leave.
    pub fn changes_anything(&self) -> bool {
        self.sections.iter().any(|section| !section.enter.is_empty() || !section.leave.is_empty())
    }
}

/// Applies the rules of all sections of the config to all stories. If `only` is given, applies only the rules of that
/// section.
///
/// # Errors
///
/// Returns the errors of the store.
pub fn run(config: &Config, reader: &Reader, only: Option<&SectionId>, now: Timestamp) -> Result<Trial, StoreError> {
    let is_wanted = |id: &SectionId| only.is_none_or(|only| only == id);
    let mut judges: Vec<Judge> = config
        .sections
        .iter()
        .filter(|section| is_wanted(&section.id))
        .map(|section| Judge::new(section, now))
        .collect();
    let mut gone: BTreeMap<SectionId, Vec<Move>> = BTreeMap::new();
    let with_text = judges.iter().any(|judge| section::reads_text(judge.section));
    shown::each_story(reader, config, with_text, |passing| {
        for judge in &mut judges {
            judge.judge(passing);
        }
        for section in passing.sections.iter().filter(|id| is_wanted(id) && config.section(id).is_none()) {
            gone.entry(section.clone()).or_default().push(to_move(passing, None, &Why::NoSection));
        }
    })?;
    let mut trial = Trial::default();
    for judge in judges {
        judge.conclude(&mut trial);
    }
    trial.sections.extend(gone.into_iter().map(|(section, leave)| {
        let leave = newest_first(leave);
        SectionTrial { section, enter: Vec::new(), before: leave.len(), leave, after: 0 }
    }));
    Ok(trial)
}

/// A section and the results for it so far.
struct Judge<'c> {
    section: &'c Arc<Section>,
    rules: Vec<RuleTally<'c>>,
    enter: Vec<Move>,
    leave: Vec<Move>,
    before: usize,
    after: usize,
    now: Timestamp,
}

/// A rule and how often it matched so far.
struct RuleTally<'c> {
    rule: &'c crate::rule::Rule,
    place: RulePlace,
    decides: usize,
    last_week: usize,
    matches: usize,
    /// For each other rule of the same list: how many stories both rules match.
    shared: HashMap<usize, usize>,
}

impl<'c> Judge<'c> {
    fn new(section: &'c Arc<Section>, now: Timestamp) -> Self {
        let tally = |list: RuleList, (index, rule): (usize, &'c crate::rule::Rule)| {
            let place = RulePlace { list, index };
            RuleTally { rule, place, decides: 0, last_week: 0, matches: 0, shared: HashMap::new() }
        };
        let keep = section.keep.iter().enumerate().map(|rule| tally(RuleList::Keep, rule));
        let drop = section.drop.iter().enumerate().map(|rule| tally(RuleList::Drop, rule));
        let rules = keep.chain(drop).collect();
        Judge { section, rules, enter: Vec::new(), leave: Vec::new(), before: 0, after: 0, now }
    }

    fn judge(&mut self, passing: &Passing) {
        let visible = section::visible(self.section, &passing.copies);
        let is_in_now = passing.sections.contains(&self.section.id);
        self.before += usize::from(is_in_now);
        let Some(verdict) = section::judge(self.section, &visible, passing.story.sort_at, self.now) else {
            if is_in_now {
                self.leave.push(to_move(passing, None, &Why::TakesNone));
            }
            return;
        };
        self.after += usize::from(verdict.is_in);
        self.count(&visible, passing.story.sort_at, verdict.lead, verdict.why.rule());
        if verdict.is_in != is_in_now {
            let moves = if verdict.is_in { &mut self.enter } else { &mut self.leave };
            moves.push(to_move(passing, Some(visible[verdict.lead]), &verdict.why));
        }
    }

    fn count(&mut self, visible: &[&SeenCopy], sort_at: Timestamp, lead: usize, decides: Option<RulePlace>) {
        if self.rules.is_empty() {
            return;
        }
        let candidates: Vec<_> = visible.iter().map(|copy| section::candidate(copy)).collect();
        let subject = Subject { copies: &candidates, lead, sort_at, now: self.now };
        let matching: HashSet<usize> = (0..self.rules.len()).filter(|at| self.rules[*at].is_match(&subject)).collect();
        for &at in &matching {
            let others: Vec<usize> =
                matching.iter().copied().filter(|other| *other != at && self.is_same_list(*other, at)).collect();
            let tally = &mut self.rules[at];
            tally.matches += 1;
            others.into_iter().for_each(|other| *tally.shared.entry(other).or_default() += 1);
            if decides == Some(tally.place) {
                tally.decides += 1;
                tally.last_week += usize::from(sort_at + WEEK > self.now);
            }
        }
    }

    fn is_same_list(&self, one: usize, other: usize) -> bool {
        self.rules[one].place.list == self.rules[other].place.list
    }

    fn conclude(self, trial: &mut Trial) {
        let id = &self.section.id;
        if self.after == 0 && self.before > 0 {
            trial.warnings.push(format!("{id} would become empty: all its stories would leave"));
        } else if self.after == 0 {
            trial.warnings.push(format!("{id} would be empty: no stored story matches"));
        }
        for (at, tally) in self.rules.iter().enumerate() {
            trial.warnings.extend(self.warning(at, tally));
            let RuleTally { place, decides, last_week, matches, .. } = tally;
            let (rule, stories, last_week, matches) = (*place, *decides, *last_week, *matches);
            trial.rules.push(RuleTrial { section: id.clone(), rule, stories, last_week, matches });
        }
        trial.sections.push(SectionTrial {
            section: id.clone(),
            enter: newest_first(self.enter),
            leave: newest_first(self.leave),
            before: self.before,
            after: self.after,
        });
    }

    /// Returns a warning if a rule matches no story, or only stories that another rule of the list matches too.
    fn warning(&self, at: usize, tally: &RuleTally) -> Option<String> {
        let (id, name) = (&self.section.id, tally.place);
        if tally.matches == 0 {
            return Some(format!("{id}: {name} never matches: {}", tally.rule));
        }
        let covers = |other: &usize| {
            let is_whole = tally.shared.get(other).is_some_and(|shared| *shared == tally.matches);
            is_whole && (self.rules[*other].matches > tally.matches || *other < at)
        };
        let other = (0..self.rules.len()).find(covers)?;
        let other = self.rules[other].place;
        Some(format!("{id}: {name} is redundant: {other} matches each of its stories too"))
    }
}

impl RuleTally<'_> {
    fn is_match(&self, subject: &Subject) -> bool {
        let matched = match self.place.list {
            RuleList::Keep => self.rule.keep_matches(subject),
            RuleList::Drop => self.rule.drop_matches(subject),
        };
        matched.is_some()
    }
}

fn to_move(passing: &Passing, lead: Option<&SeenCopy>, why: &Why) -> Move {
    let named = lead.map(|lead| (lead.entry.title.clone(), lead.entry.link.clone())).or_else(|| passing.first.clone());
    let (title, link) = named.unwrap_or_default();
    let matched = match why {
        Why::Rule { matched, .. } => Some(Matched::list(matched)),
        _ => None,
    };
    Move {
        id: passing.story.id.clone(),
        title,
        link,
        rule: why.rule(),
        matched,
        why: why.to_string(),
        why_code: why.code(),
        sort_at: passing.story.sort_at,
    }
}

fn newest_first(mut moves: Vec<Move>) -> Vec<Move> {
    moves.sort_by_key(|story| std::cmp::Reverse(story.sort_at));
    moves
}
