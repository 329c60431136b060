//! `newswire backup` and `newswire verify`: copy the store, and check its integrity.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{anyhow, bail};

use super::output::print;
use super::{Done, load};
use crate::config::Config;
use crate::store::Reader;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The file to write. An older backup is replaced only after the new one is complete and intact
    file: PathBuf,
}

/// Runs `newswire backup`.
pub(super) fn run(config: Option<&Path>, args: &Args) -> Done {
    let config = load(config)?.config;
    let reader = Reader::open_any_version(&config.store.path)?;
    refuse_served(&config, &args.file)?;
    reader.backup(&config.store.path, &args.file).map_err(anyhow::Error::from)?;
    let size = std::fs::metadata(&args.file)?.len();
    print(&format!("{}: {} KiB\n", args.file.display(), size.div_ceil(1024)))?;
    Ok(ExitCode::SUCCESS)
}

/// Refuses a file that newswire would publish or read. A backup contains private feeds, so it must not be in the
/// published folder. A file in the templates folder would be read as a template, and a TOML file could be included in a
/// config.
fn refuse_served(config: &Config, file: &Path) -> anyhow::Result<()> {
    if file.extension().is_some_and(|extension| extension == "toml") {
        bail!("{} has the name of a config file (.toml); choose another name", file.display());
    }
    let absolute = std::path::absolute(file)?;
    let folder = absolute.parent().and_then(|folder| folder.canonicalize().ok());
    for (key, served) in [("directory", &config.publish.directory), ("templates", &config.publish.templates)] {
        let served = served.as_ref().and_then(|served| served.canonicalize().ok());
        if let (Some(folder), Some(served)) = (&folder, &served)
            && folder.starts_with(served)
        {
            bail!("{} is in the folder set as `{key}` under [publish]; choose a file elsewhere", file.display());
        }
    }
    Ok(())
}

/// Runs `newswire verify`.
pub(super) fn verify(config: Option<&Path>) -> Done {
    let config = load(config)?.config;
    let reader = Reader::open_any_version(&config.store.path)?;
    let found = reader.verify()?;
    if found.is_empty() {
        print(&format!("{} is intact\n", config.store.path.display()))?;
        return Ok(ExitCode::SUCCESS);
    }
    let path = config.store.path.display();
    let advice = "move it and its -wal and -shm files away, and put a backup in its place";
    Err(anyhow!("{path} is damaged; {advice}\n{}", found.join("\n")).into())
}
