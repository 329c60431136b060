//! `newswire publish`: writes the site as files.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::anyhow;

use super::output::print;
use super::{CommandError, Done, ask, load, runtime, upgrade};
use crate::clock;
use crate::commit;
use crate::config::Config;
use crate::daemon::control::{Answer, Request};
use crate::files;
use crate::publish::{Publisher, Written};
use crate::store::Store;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The folder to write to, created if missing [default: `directory` under [publish]]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// Runs `newswire publish`.
pub(super) fn run(config: Option<&Path>, args: &Args) -> Done {
    let config = Arc::new(load(config)?.config);
    let folder = args.out.clone().or_else(|| config.publish.directory.clone());
    let folder =
        folder.ok_or_else(|| anyhow!("no folder to publish to; use --out DIR, or set `directory` under [publish]"))?;
    let written = runtime()?.block_on(async {
        match upgrade::open(&config.store.path, "`newswire publish`") {
            Ok(store) => write_here(&config, store, &folder).await,
            Err(held) => match ask(&config, held, &Request::Publish(std::path::absolute(&folder)?)).await? {
                Answer::Written(written) => Ok(written),
                other => Err(anyhow!("unexpected answer from the daemon: {other:?}").into()),
            },
        }
    })?;
    let (folder, unchanged, removed) = (folder.display(), written.unchanged, written.removed);
    print(&format!("{folder}: {} files written, {unchanged} unchanged, {removed} removed\n", written.written))?;
    Ok(ExitCode::SUCCESS)
}

async fn write_here(config: &Arc<Config>, store: Store, folder: &Path) -> Result<Written, CommandError> {
    let publisher = Publisher::new(store.clone(), files::pages(config)?);
    let mut sections = config.sections.iter().map(|section| section.id.clone()).collect();
    commit::sync(&store, config.clone(), clock::now()).await?;
    loop {
        let published = publisher.publish(config, &sections, clock::now()).await?;
        if let Some(error) = published.errors.into_iter().next() {
            return Err(CommandError::Other(error.into()));
        }
        sections = published.unfinished;
        if sections.is_empty() {
            return Ok(publisher.write_folder(config, folder).await.map_err(anyhow::Error::from)?);
        }
    }
}
