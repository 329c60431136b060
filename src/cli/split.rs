//! `newswire split`: a copy that was wrongly joined becomes a story of its own again, and stays one.

use std::path::Path;
use std::process::ExitCode;

use super::output::{print, safe};
use super::{Done, edit, print_sections};
use crate::daemon::control::Edit;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The published id of the story, its slug, number or page, or a link in any spelling; other words only list the stories
    /// that may be meant, and exit with 2
    story: String,
    /// The copy to take out: its link in any spelling, its guid, or the id of its feed
    copy: String,
    /// Say what would happen and change nothing
    #[arg(long)]
    dry_run: bool,
}

pub fn run(config: Option<&Path>, args: &Args) -> Done {
    let edited =
        edit(config, "split", Edit::Split { story: args.story.clone(), copy: args.copy.clone() }, args.dry_run)?;
    let copy = edited.copy.unwrap_or_default();
    let what = if args.dry_run { "would be a story of its own" } else { "is a story of its own now" };
    print(&format!("{} {what}: {}\n", safe(&copy), safe(&edited.id)))?;
    print_sections(&edited.sections)?;
    Ok(ExitCode::SUCCESS)
}
