//! What the store knows of sections.

use crate::feed::SectionId;
use crate::number::{SectionNumber, StoryNumber};
use crate::time::Timestamp;

use super::FeedSet;

/// The definition of a section by which its stories were last judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DefinitionRow {
    /// The hash of the definition.
    pub hash: u64,
    /// Whether an older version made the hash, from another form of the definition.
    pub has_former_hash: bool,
    /// Whether the section is no longer configured.
    pub is_gone: bool,
    /// The parts of the definition; `None` if an older version judged the section.
    pub parts: Option<DefinitionParts>,
    /// The feeds of the section whose settings changed since.
    pub stale: FeedSet,
    /// Whether the section is still being judged over all stories.
    pub is_judged_whole: bool,
}

/// The parts of a section's definition, which show what a change of it can affect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DefinitionParts {
    /// The hash of everything but the feeds.
    pub rules_hash: u64,
    /// The feeds.
    pub feeds: FeedSet,
}

/// The position of a story in a pass over all stories, newest first: its time and its number.
pub type StoryPosition = (Timestamp, StoryNumber);

/// A section whose stories are being judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JudgingRow {
    /// The section.
    pub section: SectionId,
    /// The number of the section.
    pub number: SectionNumber,
    /// Whether the section is new; otherwise its definition changed.
    pub is_new: bool,
    /// Whether its stories are judged.
    pub judges: bool,
    /// Whether its stories get names, because it became public.
    pub names: bool,
    /// Whether all stories are judged; otherwise those of some feeds.
    pub is_whole: bool,
    /// The story that was judged last, in a pass over all stories.
    pub cursor: StoryPosition,
    /// How many stories entered the section so far.
    pub entered: usize,
    /// How many stories left the section so far.
    pub left: usize,
}

impl JudgingRow {
    /// The position before the newest story.
    pub const START: StoryPosition = (Timestamp::MAX, StoryNumber(i64::MAX));
}

/// The next stories of a pass, in its order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PassBatch<Position> {
    /// The stories that concern the section, each with its position.
    pub stories: Vec<(StoryNumber, Position)>,
    /// The last position that was examined; `None` if the pass is done with this batch.
    pub examined: Option<Position>,
}
