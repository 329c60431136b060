//! Synchronises the store with a config: feeds that were added, removed or changed, and sections with a new definition.
//!
//! Editing the TOML does not cause a poll: a feed keeps its next poll time unless its schedule changed.

use std::sync::Arc;

use super::stories::{self, load};
use super::{index, names};
use crate::config::{Config, Section};
use crate::feed::{FeedId, SectionId};
use crate::newsroom::{self, FeedChange, Moves, SectionMoves, Setting, Viewer};
use crate::section;
use crate::store::{Store, StoreError, Turn};
use crate::time::Timestamp;

/// What a config changed in the store.
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
    /// How many public stories of an older store got another id or address, because their old ones revealed text from a
    /// private feed.
    pub renamed: usize,
}

/// A section that was added, removed or judged again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SectionChange {
    /// The id of the section.
    pub section: SectionId,
    /// What happened to it.
    pub kind: SectionChangeKind,
    /// The stories that entered and left.
    pub moves: Moves,
}

/// What happened to a section.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SectionChangeKind {
    /// It is new.
    Added,
    /// It left the config.
    Removed,
    /// Its definition changed.
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

/// Synchronises feeds, sections and placements with the config, in one transaction. Then checks the names that an older
/// store made, in small ones.
///
/// # Errors
///
/// Returns the errors of the store. In that case nothing is changed, or the remaining names wait for the next call.
pub async fn sync(store: &Store, config: Arc<Config>, now: Timestamp) -> Result<Difference, StoreError> {
    let difference = sync_config(store, config.clone(), now, || {}).await?;
    let renamed = check_all_names(store, config, now).await?;
    Ok(Difference { renamed, ..difference })
}

/// Synchronises feeds, sections and placements with the config, in one transaction, and calls `within` inside its turn.
///
/// # Errors
///
/// Returns the errors of the store; in that case nothing is changed.
pub(super) async fn sync_config(
    store: &Store,
    config: Arc<Config>,
    now: Timestamp,
    within: impl FnOnce() + Send + 'static,
) -> Result<Difference, StoreError> {
    let syncing = store.turn(move |turn| {
        let mut difference = Difference::default();
        sync_feeds(turn, &config, now, &mut difference)?;
        sync_sections(turn, &config, now, &mut difference)?;
        index::follow_public(turn, &config)?;
        within();
        Ok(difference)
    });
    syncing.await
}

/// Checks the ids and slugs that an older version gave to stories, in small transactions. Returns how many public stories got
/// new ones.
///
/// # Errors
///
/// Returns the errors of the store; in that case the remaining names wait for the next call.
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

fn sync_feeds(turn: &Turn, config: &Config, now: Timestamp, difference: &mut Difference) -> Result<(), StoreError> {
    for change in newsroom::feed_changes(&turn.known_feeds()?, config) {
        match &change {
            FeedChange::Added { row } => difference.feeds_added.push(row.id.clone()),
            FeedChange::Known { id, is_back, has_moved, .. } => {
                difference.feeds_added.extend(is_back.then(|| id.clone()));
                difference.feeds_moved.extend(has_moved.then(|| id.clone()));
            }
            FeedChange::Removed { id } => difference.feeds_removed.push(id.clone()),
        }
        match change {
            FeedChange::Added { row } => turn.insert_feed(&row, now)?,
            FeedChange::Known { id, has_moved, row, next_poll, .. } => {
                if has_moved {
                    turn.reset_feed(&row)?;
                }
                if let Some(next_poll) = next_poll {
                    turn.reschedule(&id, next_poll)?;
                }
                turn.follow_schedule(&row)?;
            }
            FeedChange::Removed { id } => turn.remove_feed(&id, now)?,
        }
    }
    difference.feeds_removed.sort();
    Ok(())
}

fn sync_sections(turn: &Turn, config: &Config, now: Timestamp, difference: &mut Difference) -> Result<(), StoreError> {
    // A section with a new id is still the same section: its stories, its archives and its permanent id stay.
    for section in &config.sections {
        for former in &section.formerly {
            turn.rename_section(former, &section.id)?;
        }
    }
    let mut before = turn.section_definitions()?;
    for section in &config.sections {
        let kind = match before.remove(&section.id) {
            None => SectionChangeKind::Added,
            Some(row) if row.is_gone => SectionChangeKind::Added,
            Some(row) if !row.has_former_hash && row.hash == section.definition_hash => continue,
            Some(row) if row.has_former_hash && row.hash == section.former_hash => {
                // The definition is the same: only the form that is hashed has changed.
                turn.define_section(&section.id, section.definition_hash, now)?;
                continue;
            }
            Some(_) => SectionChangeKind::Redefined,
        };
        turn.define_section(&section.id, section.definition_hash, now)?;
        let moves = judge_archive(turn, config, section, now)?;
        difference.sections.push(SectionChange { section: section.id.clone(), kind, moves });
    }
    for (section, id) in newsroom::permanent_ids(config) {
        turn.mint_section_id(section, &id)?;
    }
    for section in &config.sections {
        if turn.note_public(&section.id, section.is_public())? && section.is_public() {
            names::name_stories_of(turn, config, section, now)?;
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

/// Judges every story that a section may contain, and every one that it contains.
fn judge_archive(turn: &Turn, config: &Config, section: &Section, now: Timestamp) -> Result<Moves, StoreError> {
    let all = turn.stories_for(&section.id, section.feeds.iter())?;
    let sections = turn.sections()?;
    let setting = Setting { config, now, sections: &sections, key: turn.key()? };
    let with_text = section::reads_text(section);
    let mut changed = SectionMoves::new();
    let mut rest = &all[..];
    while !rest.is_empty() {
        let (loaded, count) = load(turn, setting, rest, Viewer::Section(section), with_text)?;
        let mut board = loaded.board(turn, setting)?;
        for story in &rest[..count] {
            board.place_in_section(section, *story);
        }
        rest = &rest[count..];
        stories::write(turn, board.finish(), &mut changed)?;
    }
    Ok(changed.remove(&section.id).unwrap_or_default())
}
