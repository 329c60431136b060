//! `newswire join`: two stories that newswire did not recognise as one.

use std::path::Path;
use std::process::ExitCode;

use anyhow::anyhow;

use super::output::{print, safe};
use super::{Done, load_with_store, named_story, print_sections, runtime};
use crate::poll;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// A link of the one story in any spelling, its published id, its slug, or words of its title
    one: String,
    /// The same of the other story; the older of the two stays
    other: String,
}

pub fn run(config: Option<&Path>, args: &Args) -> Done {
    let (config, store) = load_with_store(config, "join")?;
    runtime()?.block_on(async {
        store.sync(config.clone(), poll::now()).await?;
        let (one, other) = (named_story(&store, &args.one).await?, named_story(&store, &args.other).await?);
        if one.number == other.number {
            return Err(anyhow!("the two are one story already: {}", safe(&one.id)).into());
        }
        let edited = store.join(config, one.number, other.number, poll::now()).await?;
        print(&format!("They are one story now: {}\n", safe(&edited.story.id)))?;
        print_sections(&edited.sections)?;
        Ok(ExitCode::SUCCESS)
    })
}
