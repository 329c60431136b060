//! `newswire split`: a copy that was wrongly joined becomes a story of its own again, and stays one.

use std::path::Path;
use std::process::ExitCode;

use super::output::{print, safe};
use super::{Done, edit, print_sections};
use crate::control::Edit;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// A link of the story in any spelling, its published id, its slug, or words of its title
    story: String,
    /// The copy to take out: its link in any spelling, its guid, or the id of its feed
    copy: String,
}

pub fn run(config: Option<&Path>, args: &Args) -> Done {
    let edited = edit(config, "split", Edit::Split { story: args.story.clone(), copy: args.copy.clone() })?;
    let copy = edited.copy.unwrap_or_default();
    print(&format!("{} is a story of its own now: {}\n", safe(&copy), safe(&edited.id)))?;
    print_sections(&edited.sections)?;
    Ok(ExitCode::SUCCESS)
}
