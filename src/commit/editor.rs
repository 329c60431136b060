//! Performs the commands with which an editor splits and joins stories.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::document::pair;
use super::stories::{self, load};
use crate::config::Config;
use crate::feed::SectionId;
use crate::newsroom::{self, Board, ListeningHooks, Moves, SectionMoves, Setting, Viewer};
use crate::number::{EntryNumber, StoryNumber};
use crate::rows::StoredStory;
use crate::store::{Store, StoreError, Turn};
use crate::time::Timestamp;

/// The result of an editor's change.
#[derive(Clone, Debug)]
pub struct Edited {
    /// The resulting story.
    pub story: StoredStory,
    /// The sections that changed.
    pub sections: Vec<(SectionId, Moves)>,
}

/// Whether an edit is performed, or only tried to see its result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Perform the edit.
    Perform,
    /// Return the result of the edit, and roll the edit back.
    DryRun,
}

impl Mode {
    /// Runs `work` in a turn of the store. A dry run changes nothing.
    async fn turn<T: Send + 'static>(
        self,
        store: &Store,
        work: impl FnOnce(&Turn) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        match self {
            Mode::Perform => store.turn(work).await,
            Mode::DryRun => store.dry_run(work).await,
        }
    }
}

/// Moves a copy from its story to a story of its own, and records that the two stories are never merged. Returns the
/// copy's own story and the sections that changed. If the copy once had a story of its own that was merged, that story
/// becomes active again and has its former id. Returns `None` if the story has no such copy with text, or has no other
/// copy.
///
/// # Errors
///
/// Returns the errors of the store; nothing is then changed.
pub async fn split(
    store: &Store,
    config: Arc<Config>,
    (story, entry): (StoryNumber, EntryNumber),
    mode: Mode,
    now: Timestamp,
) -> Result<Option<Edited>, StoreError> {
    mode.turn(store, move |turn| commit_split(turn, &config, (story, entry), now)).await
}

/// Merges two stories on behalf of an editor. Returns the older story, which stays, and the sections that changed.
///
/// # Errors
///
/// Returns the errors of the store; nothing is then changed.
pub async fn join(
    store: &Store,
    config: Arc<Config>,
    stories: (StoryNumber, StoryNumber),
    mode: Mode,
    now: Timestamp,
) -> Result<Edited, StoreError> {
    mode.turn(store, move |turn| commit_join(turn, &config, stories, now)).await
}

fn commit_split(
    turn: &Turn,
    config: &Config,
    (story, entry): (StoryNumber, EntryNumber),
    now: Timestamp,
) -> Result<Option<Edited>, StoreError> {
    let members = turn.members(story)?;
    let copy = turn.copies(&BTreeSet::from([entry]))?.pop();
    let is_member = members.iter().any(|member| member.number == entry);
    let Some(copy) = copy.filter(|_| is_member && members.len() > 1) else { return Ok(None) };
    if config.feed(&copy.feed).is_none() {
        return Err(StoreError::Unconfigured(copy.feed.to_string()));
    }
    let sections = turn.sections()?;
    let setting = Setting { config, now, sections: &sections, key: turn.key()?, listeners: ListeningHooks::default() };
    let (loaded, _) = load(turn, setting, &[story], Viewer::All, setting.reads_text())?;
    let mut board = loaded.board(turn, setting)?;
    let own = board.split(story, copy, &members, turn.absorbed(story)?);
    let mut changed = SectionMoves::new();
    write(turn, setting, board, &mut changed)?;
    own.map(|own| Ok(Edited { story: turn.stored(own)?, sections: changed.into_iter().collect() })).transpose()
}

fn commit_join(
    turn: &Turn,
    config: &Config,
    (a, b): (StoryNumber, StoryNumber),
    now: Timestamp,
) -> Result<Edited, StoreError> {
    let (a, b) = (turn.active_story(a)?, turn.active_story(b)?);
    let mut changed = SectionMoves::new();
    if a != b {
        let sections = turn.sections()?;
        let setting =
            Setting { config, now, sections: &sections, key: turn.key()?, listeners: ListeningHooks::default() };
        let pair = pair(turn, a, b)?;
        let (mut loaded, _) = load(turn, setting, &[a], Viewer::All, setting.reads_text())?;
        let (other, _) = load(turn, setting, &[b], Viewer::All, setting.reads_text())?;
        loaded.stories.extend(other.stories);
        loaded.seen.extend(other.seen);
        let mut board = loaded.board(turn, setting)?;
        board.join(newsroom::older(a, b), &pair);
        write(turn, setting, board, &mut changed)?;
    }
    Ok(Edited { story: turn.stored(a.min(b))?, sections: changed.into_iter().collect() })
}

fn write(turn: &Turn, setting: Setting, board: Board, changed: &mut SectionMoves) -> Result<(), StoreError> {
    let unplaced = stories::write(turn, board.finish(), changed)?;
    stories::place_rest(turn, setting, unplaced, changed)
}
