//! Changes to the store by polls, edits of the config, editors and the passing of time.
//!
//! Each change takes a turn at the store: it loads rows, lets [`newsroom`](crate::newsroom) decide, and writes the
//! decision, all in one transaction. [`shown`](crate::shown) reads whatever must be read as readers see it. Nothing
//! here decides, and nothing here contains SQL; it only fixes the order of loading and writing.

mod active;
mod archive;
mod document;
mod editor;
mod index;
mod judging;
mod names;
mod poll;
mod public;
mod reload;
mod retention;
mod stories;
mod sweep;
mod sync;

pub use active::ActiveConfig;
pub use archive::archive;
pub use editor::{Edited, Mode, join, split};
pub use index::{index_batch, index_public_batch};
pub use judging::{JudgedBatch, judge_all, judge_batch};
pub use poll::{apply, apply_when};
pub use reload::{Difference, SectionChange, SectionChangeKind};
pub use retention::retain_batch;
pub use sweep::sweep;
pub use sync::sync;
