//! newswire: polls feeds, recognises the stories in them, and republishes them by section.
//!
//! The modules form four floors. A module imports only from its own floor and from the floors below it, which
//! `tests/architecture.rs` checks. The core decides and returns values; the edges do input and output.
//!
//! | floor | modules | what they may do |
//! |---|---|---|
//! | 3, the program | [`cli`], [`daemon`], [`poll`], [`commit`], [`delivery`], [`publish`], [`serve`], [`shown`], [`status`], [`trial`], [`discover`], [`clock`], [`listen`] | connect the other floors, and pass the time to them |
//! | 2, the edges | [`fetch`], [`store`], [`files`] | I/O, each outside crate in one place; they do not import each other |
//! | 1, the core | [`config`], [`parse`], [`normalize`], [`text`], [`link`], [`query`], [`story`], [`newsroom`], [`rule`], [`section`], [`schedule`], [`render`] | values in, values out |
//! | 0, the words | [`entry`], [`feed`], [`number`], [`reason`], [`rows`], [`size`], [`time`], [`duration`], [`foreign`], [`hook`], [`latin`] | define types and small functions that the other floors share |
//!
//! An entry takes this path. [`fetch`] gets a document. [`parse`] and [`normalize`] read it on the blocking pool. On
//! the writer thread, [`commit`] opens a transaction of the [`store`], loads the [`rows`] that matter and lets the
//! [`newsroom`] decide. Then [`commit`] writes the decisions together with the feed's validators and next poll.
//! [`publish`] renders the sections that changed, from the stories that [`shown`] reads. [`serve`] answers requests
//! from memory.
#![forbid(unsafe_code)]
// Only the library has this lint: in tests and benchmarks, code that several files share must be `pub`.
#![warn(unreachable_pub)]

#[cfg(feature = "cli")]
pub mod cli;
pub mod clock;
pub mod commit;
pub mod config;
pub mod daemon;
pub mod delivery;
pub mod discover;
pub mod duration;
pub mod entry;
pub mod feed;
pub mod fetch;
pub mod files;
pub mod foreign;
pub mod hook;
pub mod latin;
pub mod link;
pub mod listen;
pub mod newsroom;
pub mod normalize;
pub mod number;
pub mod parse;
pub mod poll;
pub mod publish;
pub mod query;
pub mod reason;
pub mod render;
pub mod rows;
pub mod rule;
pub mod schedule;
pub mod section;
pub mod serve;
pub mod shown;
pub mod size;
pub mod status;
pub mod store;
pub mod story;
pub mod text;
pub mod time;
pub mod trial;
