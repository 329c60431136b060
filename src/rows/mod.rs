//! The rows that the store loads and writes, as values.
//!
//! Nothing here decides, and nothing here knows of SQL. What is loaded is what [`newsroom`](crate::newsroom) decides by;
//! [`Writes`] is what it decided, and one transaction writes it.

mod feed;
mod known;
mod section;
mod standing;
mod writes;

pub use feed::{ConfiguredFeed, DocumentRow, EventRow, FeedRow, KnownFeed, LogRow};
pub use known::{FormerRow, KnownEntry, LinkRow, OtherRow, SignatureRow};
pub use section::DefinitionRow;
pub use standing::{Copies, CopyHead, CopyRow, Member, NextNumbers, PlacementRow, Standing, StandingStory, StoryRow};
pub use writes::{
    EntryWrite, Forget, Key, LinkWrite, MergeWrite, NamesWrite, NewEntry, NewStory, Put, WordsWrite, Writes,
};
