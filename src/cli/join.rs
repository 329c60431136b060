//! `newswire join`: two stories that newswire did not recognise as one.

use std::path::Path;
use std::process::ExitCode;

use super::output::{print, safe};
use super::{Done, edit, print_sections};
use crate::control::Edit;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// A link of the one story in any spelling, its published id, its slug, or words of its title
    one: String,
    /// The same of the other story; the older of the two stays
    other: String,
}

pub fn run(config: Option<&Path>, args: &Args) -> Done {
    let edited = edit(config, "join", Edit::Join { one: args.one.clone(), other: args.other.clone() })?;
    print(&format!("They are one story now: {}\n", safe(&edited.id)))?;
    print_sections(&edited.sections)?;
    Ok(ExitCode::SUCCESS)
}
