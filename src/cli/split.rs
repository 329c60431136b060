//! `newswire split`: a copy that was wrongly joined becomes a story of its own again, and stays one.

use std::path::Path;
use std::process::ExitCode;

use anyhow::{anyhow, bail};

use super::output::{print, safe};
use super::{Done, load_with_store, named_story, print_sections, runtime};
use crate::link;
use crate::poll;
use crate::store::{Store, StoredCopy, StoredStory};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// A link of the story in any spelling, its published id, its slug, or words of its title
    story: String,
    /// The copy to take out: its link in any spelling, its guid, or the id of its feed
    copy: String,
}

pub fn run(config: Option<&Path>, args: &Args) -> Done {
    let (config, store) = load_with_store(config, "split")?;
    runtime()?.block_on(async {
        store.sync(config.clone(), poll::now()).await?;
        let story = named_story(&store, &args.story).await?;
        let copy = copy(&store, config.clone(), &story, &args.copy).await?;
        let edited = store.split(config, story.number, copy.number, poll::now()).await?;
        let edited =
            edited.ok_or_else(|| anyhow!("the story has no other copy with words; there is nothing to split"))?;
        print(&format!("{} is a story of its own now: {}\n", safe(&copy.title), safe(&edited.story.id)))?;
        print_sections(&edited.sections)?;
        Ok(ExitCode::SUCCESS)
    })
}

/// The one copy that somebody names.
async fn copy(
    store: &Store,
    config: std::sync::Arc<crate::config::Config>,
    story: &StoredStory,
    wanted: &str,
) -> anyhow::Result<StoredCopy> {
    let asked = story.clone();
    let copies = store.read(move |reader| Ok(reader.explain(&config, asked)?.all)).await?;
    let key = url::Url::parse(wanted).ok().as_ref().and_then(link::key);
    let is_wanted = |copy: &&StoredCopy| {
        let has_link = key.is_some() && copy.link.as_ref().and_then(link::key) == key;
        has_link || copy.guid == wanted || copy.feed.as_str() == wanted
    };
    let mut wanted_copies = copies.iter().filter(is_wanted);
    match (wanted_copies.next(), wanted_copies.next()) {
        (Some(copy), None) => Ok(copy.clone()),
        (Some(_), Some(_)) => {
            bail!("several copies fit {wanted:?}; name it by its guid, which `newswire explain` shows")
        }
        (None, _) => bail!("the story has no copy {wanted:?}; `newswire explain` lists its copies"),
    }
}
