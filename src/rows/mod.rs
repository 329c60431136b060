//! The rows that the store loads and writes, as values.
//!
//! This module has no policy and no SQL. [`newsroom`](crate::newsroom) decides from the loaded rows. Its decision is a
//! value of [`Writes`], which the store writes in one transaction.

mod digest;
mod feed;
mod feed_set;
mod hook;
mod hub;
mod known;
mod names;
mod search;
mod section;
mod shown;
mod standing;
mod story;
mod writes;

pub use digest::{Digest, DigestKind, DigestProgress};
pub use feed::{
    ConfiguredFeed, DocumentRow, EventRow, FeedRecord, FeedRow, KnownFeed, LogRow, MovedRow, PlanRow, PollRow,
};
pub use feed_set::FeedSet;
pub use hook::{HookRecord, HookRow, HookStanding, MessageRow, MessageSubject, NewMessage, NewSubject};
pub use hub::NoticeRow;
pub use known::{FormerRow, KnownEntry, LinkRow, OtherRow, SignatureKey, SignatureRow};
pub use names::{EnteredRow, NamedCopyRow, NamesRow, ReplacedId};
pub use search::{IndexedWords, PublicTerms, SearchField, SearchTerm, SearchTerms, UnindexedRow, feed_terms_hash};
pub use section::{DefinitionParts, DefinitionRow, JudgingRow, PassBatch, StoryPageRow, StoryPosition};
pub use shown::{ArchiveRow, ArchivedRow, KnownSection, PassedRow, PlacedRow, RecentRow, StoredCopy, StoredStory};
pub use standing::{
    Copies, CopyHead, CopyLimits, CopyRow, Member, NextNumbers, PlacementRow, Standing, StandingStory, StoryRow,
};
pub use story::{ShownCopy, ShownStory};
pub use writes::{
    EntryWrite, Forget, Key, LinkWrite, MergeWrite, NamesWrite, NewEntry, NewStory, Put, WordsWrite, Writes,
};
