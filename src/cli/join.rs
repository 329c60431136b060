//! `newswire join`: merges two stories that newswire did not recognise as the same.

use std::path::Path;
use std::process::ExitCode;

use super::output::{print, safe};
use super::{Done, edit, print_sections};
use crate::daemon::control::Edit;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The published id, slug, number or page of one story, or a link in any spelling; other words only list the stories
    /// that match, and exit with 2
    one: String,
    /// The same for the other story; the older of the two stays
    other: String,
    /// Show what would happen and change nothing
    #[arg(long)]
    dry_run: bool,
}

/// Runs `newswire join`.
pub(super) fn run(config: Option<&Path>, args: &Args) -> Done {
    let edited = edit(config, "join", Edit::Join { one: args.one.clone(), other: args.other.clone() }, args.dry_run)?;
    let what = if args.dry_run { "would merge into one story" } else { "merged into one story" };
    print(&format!("{what}: {}\n", safe(&edited.id)))?;
    print_sections(&edited.sections)?;
    Ok(ExitCode::SUCCESS)
}
