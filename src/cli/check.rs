//! `newswire check`: every problem of the config.

use std::path::Path;
use std::process::ExitCode;

use super::output::{count, print};
use super::{Done, EXIT_CONFIG, load};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// An array of objects, empty when all is well
    #[arg(long)]
    json: bool,
}

pub fn run(config: Option<&Path>, args: &Args) -> Done {
    match load(config) {
        Ok(loaded) => {
            if args.json {
                print(&format!("{}\n", serde_json::to_string_pretty(&loaded.warnings)?))?;
            } else {
                print(&crate::config::render_problems(&loaded.warnings, &loaded.sources, true))?;
                let (feeds, sections) = (loaded.config.feeds.len(), loaded.config.sections.len());
                let (feeds, sections) = (count(feeds, "feed", "feeds"), count(sections, "section", "sections"));
                print(&format!("the config is good: {feeds}, {sections}\n"))?;
            }
            Ok(ExitCode::SUCCESS)
        }
        Err(error) if args.json => {
            print(&format!("{}\n", serde_json::to_string_pretty(&error.problems)?))?;
            Ok(ExitCode::from(EXIT_CONFIG))
        }
        Err(error) => Err(error.into()),
    }
}
