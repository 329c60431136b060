//! newswire: a newswire that you run yourself.
#![forbid(unsafe_code)]

pub mod cli;
pub mod config;
pub mod duration;
pub mod entry;
pub mod feed;
pub mod fetch;
pub mod files;
pub mod render;
pub mod normalize;
pub mod parse;
pub mod rule;
pub mod schedule;
pub mod section;
pub mod story;
pub mod time;
