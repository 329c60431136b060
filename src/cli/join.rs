//! `newswire join`: two stories that newswire did not recognise as one.

use std::path::Path;
use std::process::ExitCode;

use super::output::{print, safe};
use super::{Done, edit, print_sections};
use crate::daemon::control::Edit;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The published id of the one story, its slug, number or page, or a link in any spelling; other words only list the
    /// stories that may be meant, and exit with 2
    one: String,
    /// The same of the other story; the older of the two stays
    other: String,
    /// Say what would happen and change nothing
    #[arg(long)]
    dry_run: bool,
}

pub fn run(config: Option<&Path>, args: &Args) -> Done {
    let edited = edit(config, "join", Edit::Join { one: args.one.clone(), other: args.other.clone() }, args.dry_run)?;
    let what = if args.dry_run { "They would be one story" } else { "They are one story now" };
    print(&format!("{what}: {}\n", safe(&edited.id)))?;
    print_sections(&edited.sections)?;
    Ok(ExitCode::SUCCESS)
}
