//! Loads stories with their copies, and places them: writes for each section whether it has the story.

use std::collections::{BTreeMap, HashMap};

use crate::newsroom::{Board, Decided, SectionMoves, SeenStory, Setting, Unplaced, Viewer};
use crate::number::StoryNumber;
use crate::rows::{Standing, StandingStory};
use crate::shown;
use crate::store::{StoreError, Turn};

/// The most stories that are loaded at once. No further story is loaded once the loaded copies exceed `STEP_BYTES`.
const STEP_STORIES: usize = 500;
const STEP_BYTES: usize = 8 * 1024 * 1024;

/// Places stories, in steps of limited size. Returns the sections that changed.
pub(super) fn place_all(turn: &Turn, setting: Setting, stories: &[StoryNumber]) -> Result<SectionMoves, StoreError> {
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

/// Writes a decision, and adds the sections that changed to `changed`. Returns the stories that must still be placed.
pub(super) fn write(turn: &Turn, decided: Decided, changed: &mut SectionMoves) -> Result<Vec<Unplaced>, StoreError> {
    turn.write(&decided.writes)?;
    for (section, moves) in decided.changed {
        let sum = changed.entry(section).or_default();
        sum.entered += moves.entered;
        sum.left += moves.left;
    }
    Ok(decided.unplaced)
}

/// Places the stories that could not be placed before the decision was written.
pub(super) fn place_rest(
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
pub(super) struct LoadedStories<'a> {
    /// The stories.
    pub stories: Vec<StandingStory>,
    /// The copies of the stories.
    pub seen: BTreeMap<StoryNumber, SeenStory<'a>>,
}

impl<'a> LoadedStories<'a> {
    /// Returns a [`Board`] with these stories. Decisions change the stories on the board.
    ///
    /// # Errors
    ///
    /// Returns the errors of the store.
    pub(super) fn board(self, turn: &Turn, setting: Setting<'a>) -> Result<Board<'a>, StoreError> {
        let standing = Standing { next: turn.next()?, stories: self.stories, linked: HashMap::new() };
        Ok(Board::new(setting, standing, self.seen))
    }
}

/// Loads the first of these stories, as many as fit into the memory for a step, and at least one. Returns how many of
/// `stories` it dealt with.
pub(super) fn load<'a>(
    turn: &Turn,
    setting: Setting<'a>,
    stories: &[StoryNumber],
    viewer: Viewer,
    with_text: bool,
) -> Result<(LoadedStories<'a>, usize), StoreError> {
    load_within(turn, setting, stories, (viewer, with_text), STEP_BYTES)
}

/// Loads stories as [`load`] does, but stops once their copies exceed `max_bytes`.
pub(super) fn load_within<'a>(
    turn: &Turn,
    setting: Setting<'a>,
    stories: &[StoryNumber],
    (viewer, with_text): (Viewer, bool),
    max_bytes: usize,
) -> Result<(LoadedStories<'a>, usize), StoreError> {
    let (mut loaded, mut bytes, mut count) = (LoadedStories::default(), 0, 0);
    for number in stories.iter().take(STEP_STORIES) {
        if bytes > max_bytes {
            break;
        }
        count += 1;
        if loaded.seen.contains_key(number) {
            continue;
        }
        let Some(story) = turn.story(*number)? else { continue };
        let seen = shown::copies_of(turn, setting.config, *number, viewer, with_text)?;
        bytes += seen.bytes;
        loaded.seen.insert(*number, seen);
        loaded.stories.push(story);
    }
    Ok((loaded, count))
}
