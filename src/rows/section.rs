//! What the store knows about sections.

use crate::feed::SectionId;
use crate::number::{SectionNumber, StoryNumber};
use crate::time::Timestamp;

use super::FeedSet;

/// The definition of a section with which its stories were last judged. To judge a story is to decide whether it is in
/// the section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DefinitionRow {
    /// The hash of the definition.
    pub hash: u64,
    /// Whether an older version of newswire computed the hash, from another form of the definition.
    pub has_former_hash: bool,
    /// Whether the section was removed from the config.
    pub is_gone: bool,
    /// The parts of the definition; `None` if an older version of newswire last judged the stories.
    pub parts: Option<DefinitionParts>,
    /// The feeds of the section whose settings changed after the section's stories were last judged.
    pub stale: FeedSet,
    /// Whether a pass that judges all stories for this section is still unfinished.
    pub is_judged_whole: bool,
}

/// The parts of a section's definition. A comparison of the parts shows which stories a change of the definition can
/// affect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DefinitionParts {
    /// The hash of everything in the definition except the feeds.
    pub rules_hash: u64,
    /// The feeds of the section.
    pub feeds: FeedSet,
}

/// The page of a story that is in a section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoryPageRow {
    /// The story.
    pub story: StoryNumber,
    /// The slug, which is part of the page's address.
    pub slug: String,
    /// When the text that the section shows last changed, or when the story entered the section.
    pub changed: Timestamp,
    /// Whether a copy of the story has a link. Then the page is not the original of the story.
    pub has_link: bool,
}

/// The position of a story in a pass over all stories, newest first: the time and the number of the story.
pub type StoryPosition = (Timestamp, StoryNumber);

/// The progress of a pass that judges stories for a section, or gives slugs to the stories of a section, in batches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JudgingRow {
    /// The section.
    pub section: SectionId,
    /// The number of the section.
    pub number: SectionNumber,
    /// Whether the section is new; otherwise its definition changed or it became public.
    pub is_new: bool,
    /// Whether the pass judges stories.
    pub judges: bool,
    /// Whether the pass gives slugs to the section's stories, because the section became public.
    pub names: bool,
    /// Whether the pass judges all stories; otherwise only those of some feeds.
    pub is_whole: bool,
    /// The position of the last story that the pass has dealt with.
    pub cursor: StoryPosition,
    /// How many stories entered the section so far.
    pub entered: usize,
    /// How many stories left the section so far.
    pub left: usize,
}

impl JudgingRow {
    /// The position at the start of a pass, before the newest story.
    pub const START: StoryPosition = (Timestamp::MAX, StoryNumber(i64::MAX));
}

/// The next stories of a pass, in the order of the pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PassBatch<Position> {
    /// The stories that concern the section, each with its position.
    pub stories: Vec<(StoryNumber, Position)>,
    /// The last position that was examined; `None` if this batch is the last one of the pass.
    pub examined: Option<Position>,
}
