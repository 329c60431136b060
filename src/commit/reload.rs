//! Synchronises the store with a config: feeds that were added, removed or changed, and sections with a new definition.
//!
//! An edit of the TOML does not cause a poll: a feed keeps the time of its next poll unless its schedule or address
//! changed. A new definition of a section takes effect later, when [`judge_batch`](super::judge_batch) judges the
//! section's stories in small transactions. To judge a story is to decide whether it is in the section.

use std::collections::HashMap;
use std::sync::Arc;

use super::{hooks, names, public};
use crate::config::{Config, FeedList, Section};
use crate::feed::{FeedId, SectionId};
use crate::newsroom::{self, FeedChange, Moves, Rejudged};
use crate::number::FeedNumber;
use crate::rows::{DefinitionParts, DefinitionRow, FeedSet, KnownFeed};
use crate::store::{Store, StoreError, Turn};
use crate::time::Timestamp;

/// What a new config changed in the store.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// The new feeds.
    pub feeds_added: Vec<FeedId>,
    /// The feeds that were removed.
    pub feeds_removed: Vec<FeedId>,
    /// The feeds whose address changed.
    pub feeds_moved: Vec<FeedId>,
    /// The sections that changed.
    pub sections: Vec<SectionChange>,
    /// The sections for which only the stories of some feeds are judged again.
    pub(super) partly: Vec<SectionId>,
    /// How many public stories got a new id or address, because an older version of newswire had given them one that
    /// revealed text from a private feed.
    pub renamed: usize,
}

/// A section that was added, removed or judged again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SectionChange {
    /// The id of the section.
    pub section: SectionId,
    /// What happened to the section.
    pub kind: SectionChangeKind,
    /// How many stories entered and left the section. The numbers are 0 until the section's stories are judged.
    pub moves: Moves,
}

/// What happened to a section.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SectionChangeKind {
    /// The section is new.
    Added,
    /// The section was removed from the config.
    Removed,
    /// The definition of the section changed.
    Redefined,
}

impl SectionChangeKind {
    /// Returns the name of the change, for logs.
    pub fn as_str(self) -> &'static str {
        match self {
            SectionChangeKind::Added => "added",
            SectionChangeKind::Removed => "removed",
            SectionChangeKind::Redefined => "redefined",
        }
    }
}

/// Synchronises feeds and sections with the config, and calls `within` at the end of the same turn.
///
/// # Errors
///
/// Returns the errors of the store; nothing is then changed.
pub(super) async fn sync_config(
    store: &Store,
    config: Arc<Config>,
    now: Timestamp,
    within: impl FnOnce() + Send + 'static,
) -> Result<Difference, StoreError> {
    let syncing = store.turn(move |turn| {
        let mut difference = Difference::default();
        let feeds = sync_feeds(turn, &config, now, &mut difference)?;
        sync_sections(turn, &config, &feeds, now, &mut difference)?;
        public::follow_public(turn, &config)?;
        hooks::sync_hooks(turn, &config, now)?;
        within();
        Ok(difference)
    });
    syncing.await
}

/// Checks the ids and slugs that an older version of newswire gave to stories, in small transactions. Returns how many
/// public stories got a new id or slug.
///
/// # Errors
///
/// Returns the errors of the store; the next call then checks the remaining names.
pub(super) async fn check_all_names(store: &Store, config: Arc<Config>, now: Timestamp) -> Result<usize, StoreError> {
    let mut all_renamed = 0;
    loop {
        let config = config.clone();
        let (done, renamed) = store.turn(move |turn| names::check_names(turn, &config, now)).await?;
        all_renamed += renamed;
        if done == 0 {
            return Ok(all_renamed);
        }
    }
}

/// The feeds of the store, after they were synchronised with the config.
struct SyncedFeeds {
    known: HashMap<FeedId, KnownFeed>,
    added: HashMap<FeedId, FeedNumber>,
    /// The feeds with a new address, or with a change in the settings that decide in which sections their stories are.
    changed: FeedSet,
}

impl SyncedFeeds {
    fn number(&self, id: &FeedId) -> Option<FeedNumber> {
        self.known.get(id).map(|feed| feed.number).or_else(|| self.added.get(id).copied())
    }
}

fn sync_feeds(
    turn: &Turn,
    config: &Config,
    now: Timestamp,
    difference: &mut Difference,
) -> Result<SyncedFeeds, StoreError> {
    let known = turn.known_feeds()?;
    let changes = newsroom::feed_changes(&known, config);
    let mut feeds = SyncedFeeds { known, added: HashMap::new(), changed: FeedSet::default() };
    for change in changes {
        match change {
            FeedChange::Added { row } => {
                feeds.added.insert(row.id.clone(), turn.insert_feed(&row, now)?);
                difference.feeds_added.push(row.id);
            }
            FeedChange::Known { row, is_back, has_moved, has_other_terms, next_poll } => {
                if has_moved {
                    turn.reset_feed(&row)?;
                }
                if let Some(next_poll) = next_poll {
                    turn.reschedule(&row.id, next_poll)?;
                }
                turn.follow_settings(&row)?;
                let number = feeds.number(&row.id).filter(|_| has_moved || has_other_terms);
                number.into_iter().for_each(|number| feeds.changed.insert(number));
                difference.feeds_added.extend(is_back.then(|| row.id.clone()));
                difference.feeds_moved.extend(has_moved.then_some(row.id));
            }
            FeedChange::Removed { id } => {
                turn.remove_feed(&id, now)?;
                difference.feeds_removed.push(id);
            }
        }
    }
    difference.feeds_removed.sort();
    Ok(feeds)
}

fn sync_sections(
    turn: &Turn,
    config: &Config,
    feeds: &SyncedFeeds,
    now: Timestamp,
    difference: &mut Difference,
) -> Result<(), StoreError> {
    // A section whose id was changed (`formerly`) keeps its stories, its archives and its permanent id.
    for section in &config.sections {
        for former in &section.formerly {
            turn.rename_section(former, &section.id)?;
        }
    }
    let mut before = turn.section_definitions()?;
    // The feeds of the section before this one. In a large config, most sections have the same feeds, so the set is
    // made only once for them.
    let mut taken = None::<(&FeedList, FeedSet)>;
    for section in &config.sections {
        let row = before.remove(&section.id);
        let numbers = match taken.take().filter(|(list, _)| list.is_shared_with(&section.feeds)) {
            Some((_, numbers)) => numbers,
            None => section.feeds.iter().filter_map(|id| feeds.number(id)).collect(),
        };
        let parts = DefinitionParts { rules_hash: newsroom::rules_hash(config, section), feeds: numbers.clone() };
        taken = Some((&section.feeds, numbers));
        let kind = match &row {
            None => SectionChangeKind::Added,
            Some(row) if row.is_gone => SectionChangeKind::Added,
            Some(_) => SectionChangeKind::Redefined,
        };
        if define(turn, section, row.as_ref(), (&parts, &feeds.changed), (kind, now), difference)? {
            let change = SectionChange { section: section.id.clone(), kind, moves: Moves::default() };
            difference.sections.push(change);
        }
    }
    for (section, id) in newsroom::permanent_ids(config) {
        turn.mint_section_id(section, &id)?;
    }
    for (section, guid) in newsroom::podcast_guids(config) {
        turn.mint_podcast_guid(section, &guid)?;
    }
    for section in &config.sections {
        if turn.note_public(&section.id, section.is_public())? && section.is_public() {
            turn.begin_naming(&section.id)?;
        }
    }
    for (id, _) in before.into_iter().filter(|(_, row)| !row.is_gone) {
        turn.remove_section(&id, now)?;
        difference.sections.push(SectionChange {
            section: id,
            kind: SectionChangeKind::Removed,
            moves: Moves::default(),
        });
    }
    Ok(())
}

/// Writes the definition of a section if it changed, and begins to judge the stories that the change can affect. If
/// only settings of its feeds changed, records these feeds. Returns whether stories must be judged.
fn define(
    turn: &Turn,
    section: &Section,
    before: Option<&DefinitionRow>,
    (parts, changed): (&DefinitionParts, &FeedSet),
    (kind, now): (SectionChangeKind, Timestamp),
    difference: &mut Difference,
) -> Result<bool, StoreError> {
    let feeds = match newsroom::rejudged(before, section, parts, changed) {
        Rejudged::SameDefinition => {
            turn.define_same(&section.id, section.definition_hash, now)?;
            return Ok(false);
        }
        Rejudged::None(stale) => {
            if before.is_some_and(|before| before.stale != stale) {
                turn.note_stale(&section.id, &stale)?;
            }
            return Ok(false);
        }
        Rejudged::Of(feeds) => Some(feeds),
        Rejudged::All => None,
    };
    turn.define_section(&section.id, section.definition_hash, parts, now)?;
    turn.begin_judging(&section.id, kind == SectionChangeKind::Added, feeds.as_ref())?;
    difference.partly.extend(feeds.map(|_| section.id.clone()));
    Ok(true)
}
