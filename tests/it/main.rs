//! The tests that can run in one process, with one file per subject. Shared code is in `support` and `samples`.
#![allow(
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::too_many_lines,
    clippy::unwrap_used,
    reason = "a test fails by a panic, may be a long table, and may say what it measured"
)]

mod addresses;
mod archive;
mod attribution;
mod browser;
mod cli_daemon;
mod cli_edit;
mod cli_feeds;
mod cli_messages;
mod cli_search;
mod cli_setup;
mod cli_terminal;
mod clients;
mod config;
mod control;
mod crash;
mod daemon;
mod digests;
mod edit;
mod editions;
mod evaluation;
mod fetch;
mod files;
mod folder;
mod growth;
mod growth_store;
mod hijack;
mod histories;
mod hooks;
mod identity;
mod import;
mod inspect;
mod judging;
mod lists;
mod migration;
mod mutations;
mod normalize;
mod pages;
mod parse;
mod podcast;
mod poll;
mod privacy;
mod private_pages;
mod publication;
mod read_back;
mod reading;
mod reference;
mod refusals;
mod render;
mod replays;
mod republished;
mod round_trip;
mod rule;
mod safe_files;
mod samples;
mod schedule;
mod schedule_changes;
mod schedule_next;
mod secrets;
mod serve;
mod store;
mod stories;
mod support;
mod templates;
mod top;
mod trial;
mod validity;
mod visitors;
mod websub;
