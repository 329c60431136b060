//! What polls, edits of the config, editors and days change in the store.
//!
//! Each takes a turn at the store: loads rows, lets [`newsroom`](crate::newsroom) decide, and writes what was decided, in one
//! transaction. What must be read as readers see it, [`shown`](crate::shown) reads. Nothing here decides and nothing here knows
//! of SQL; the order of loading and writing is all that it holds.

mod active;
mod archive;
mod document;
mod editor;
mod index;
mod names;
mod poll;
mod reload;
mod retention;
mod stories;
mod sweep;

pub use active::ActiveConfig;
pub use archive::archive;
pub use editor::{Edited, Mode, join, split};
pub use index::{index_batch, index_public_batch};
pub use poll::apply;
pub use reload::{Difference, SectionChange, SectionChangeKind, sync};
pub use retention::retain_batch;
pub use sweep::sweep;
