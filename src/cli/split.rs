//! `newswire split`: makes a wrongly joined copy a separate story again, permanently.

use std::path::Path;
use std::process::ExitCode;

use super::output::{print, safe};
use super::{Done, edit, print_sections};
use crate::daemon::control::Edit;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The published id, slug, number or page of the story, or a link in any spelling; other words only list the stories
    /// that match, and exit with 2
    story: String,
    /// The copy to take out: its link in any spelling, its guid, or the id of its feed
    copy: String,
    /// Show what would happen and change nothing
    #[arg(long)]
    dry_run: bool,
}

/// Runs `newswire split`.
pub(super) fn run(config: Option<&Path>, args: &Args) -> Done {
    let edited =
        edit(config, "split", Edit::Split { story: args.story.clone(), copy: args.copy.clone() }, args.dry_run)?;
    let copy = edited.copy.unwrap_or_default();
    let what = if args.dry_run { "would become a separate story" } else { "is now a separate story" };
    print(&format!("{} {what}: {}\n", safe(&copy), safe(&edited.id)))?;
    print_sections(&edited.sections)?;
    Ok(ExitCode::SUCCESS)
}
