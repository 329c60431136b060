//! Loads stories onto a board, and places them.

use std::collections::{BTreeMap, HashMap};

use super::active::ActiveConfig;
use crate::feed::FeedId;
use crate::newsroom::{self, Board, Decided, SectionMoves, SeenStory, Setting, Unplaced, Viewer};
use crate::number::StoryNumber;
use crate::rows::{Copies, Standing, StandingStory};
use crate::section::MAX_COPIES;
use crate::store::{CopyLimits, Store, StoreError, Turn};
use crate::time::Timestamp;

/// How much of a story is read.
pub const LIMITS: CopyLimits = CopyLimits { copies: MAX_COPIES, bytes: newsroom::MAX_BYTES };

/// How many stories one step places, and how many bytes of copies it may hold in memory.
const STEP_STORIES: usize = 500;
const STEP_BYTES: usize = 8 * 1024 * 1024;

/// Judges the stories for which time alone calls for it; returns the sections whose content changed.
///
/// # Errors
///
/// Nothing is changed then.
pub async fn sweep(store: &Store, active: impl Into<ActiveConfig>, now: Timestamp) -> Result<SectionMoves, StoreError> {
    let active = active.into();
    let sweeping = store.turn(move |turn| {
        let due = turn.due_stories(now)?;
        if due.is_empty() {
            return Ok(SectionMoves::new());
        }
        let sections = turn.sections()?;
        let setting = Setting { config: &active.current(), now, sections: &sections, key: turn.key()? };
        place_all(turn, setting, &due)
    });
    sweeping.await
}

/// Places stories, a step at a time; returns the sections that changed.
pub fn place_all(turn: &Turn, setting: Setting, stories: &[StoryNumber]) -> Result<SectionMoves, StoreError> {
    let mut changed = SectionMoves::new();
    let mut rest = stories;
    while !rest.is_empty() {
        let (loaded, count) = load(turn, setting, rest, Viewer::All, setting.reads_text())?;
        let mut board = loaded.board(turn, setting)?;
        for story in &rest[..count] {
            board.place_seen(*story, None);
        }
        rest = &rest[count..];
        write(turn, board.finish(), &mut changed)?;
    }
    Ok(changed)
}

/// Writes what was decided, and adds the sections that changed to `changed`.
pub fn write(turn: &Turn, decided: Decided, changed: &mut SectionMoves) -> Result<Vec<Unplaced>, StoreError> {
    turn.write(&decided.writes)?;
    for (section, moves) in decided.changed {
        let sum = changed.entry(section).or_default();
        sum.entered += moves.entered;
        sum.left += moves.left;
    }
    Ok(decided.unplaced)
}

/// Places the stories that had to wait until what was decided was written.
pub fn place_rest(
    turn: &Turn,
    setting: Setting,
    unplaced: Vec<Unplaced>,
    changed: &mut SectionMoves,
) -> Result<(), StoreError> {
    for Unplaced { story, revised } in unplaced {
        let (loaded, _) = load(turn, setting, &[story], Viewer::All, setting.reads_text())?;
        let mut board = loaded.board(turn, setting)?;
        board.place_seen(story, revised);
        write(turn, board.finish(), changed)?;
    }
    Ok(())
}

/// Stories with their copies.
#[derive(Default)]
pub struct LoadedStories<'a> {
    pub stories: Vec<StandingStory>,
    pub seen: BTreeMap<StoryNumber, SeenStory<'a>>,
}

impl<'a> LoadedStories<'a> {
    /// A board with these stories.
    ///
    /// # Errors
    ///
    /// As of the store.
    pub fn board(self, turn: &Turn, setting: Setting<'a>) -> Result<Board<'a>, StoreError> {
        let standing = Standing { next: turn.next()?, stories: self.stories, linked: HashMap::new() };
        Ok(Board::new(setting, standing, self.seen))
    }
}

/// Loads the first of these stories, one at least, until they take too much memory; returns how many of them.
pub fn load<'a>(
    turn: &Turn,
    setting: Setting<'a>,
    stories: &[StoryNumber],
    viewer: Viewer,
    with_text: bool,
) -> Result<(LoadedStories<'a>, usize), StoreError> {
    let (mut loaded, mut bytes, mut count) = (LoadedStories::default(), 0, 0);
    for number in stories.iter().take(STEP_STORIES) {
        if bytes > STEP_BYTES {
            break;
        }
        count += 1;
        if loaded.seen.contains_key(number) {
            continue;
        }
        let sees = |feed: &FeedId| viewer.sees(setting.config, feed);
        let Some(mut story) = turn.story(*number, LIMITS, &sees)? else { continue };
        let copies = std::mem::replace(&mut story.copies, Copies::All(Vec::new()));
        let seen = match copies {
            Copies::All(rows) => SeenStory::of(setting.config, rows, true, with_text),
            Copies::Many(heads) => {
                let rows = turn.copies(&newsroom::choose(setting.config, &heads, viewer))?;
                SeenStory::of(setting.config, rows, false, with_text)
            }
        };
        bytes += seen.bytes;
        loaded.seen.insert(*number, seen);
        loaded.stories.push(story);
    }
    Ok((loaded, count))
}
