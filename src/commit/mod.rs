//! Changes the store after polls and edits of the config, by commands of editors, and because time passes.
//!
//! Each change is a [`Turn`](crate::store::Turn) of the store: it loads rows, lets [`newsroom`](crate::newsroom)
//! decide, and writes the decision, all in one transaction. [`shown`](crate::shown) loads stories in the form in which
//! sections show them. This module has no policy and no SQL; it only says in which order rows are loaded and written.

mod active;
mod archive;
mod digests;
mod document;
mod editor;
mod hooks;
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
pub use digests::make_digests;
pub use editor::{Edited, Mode, join, split};
pub use index::{INDEX_BATCH, index_batch, index_public_batch};
pub use judging::{JudgedBatch, judge_all, judge_batch};
pub use poll::{apply, apply_when};
pub use reload::{Difference, SectionChange, SectionChangeKind};
pub use retention::retain_batch;
pub use sweep::sweep;
pub use sync::sync;
