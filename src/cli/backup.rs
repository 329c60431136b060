//! `newswire backup` and `newswire verify`: a copy of the store, and whether it is sound.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{anyhow, bail};

use super::output::print;
use super::{Done, load};
use crate::config::Config;
use crate::store::Reader;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The copy: a new file, or an older backup, which is replaced when the copy is whole and sound
    file: PathBuf,
}

pub fn run(config: Option<&Path>, args: &Args) -> Done {
    let config = load(config)?.config;
    let reader = Reader::open_any_version(&config.store.path)?;
    refuse_served(&config, &args.file)?;
    reader.backup(&config.store.path, &args.file).map_err(anyhow::Error::from)?;
    let size = std::fs::metadata(&args.file)?.len();
    print(&format!("{}: {} KiB\n", args.file.display(), size.div_ceil(1024)))?;
    Ok(ExitCode::SUCCESS)
}

/// A backup holds what private feeds say, so it must not lie in the published folder; what lies in the folder of the
/// templates is read as a template, and a TOML perhaps as an include.
fn refuse_served(config: &Config, file: &Path) -> anyhow::Result<()> {
    if file.extension().is_some_and(|extension| extension == "toml") {
        bail!("{} has the name of a config file; name another file", file.display());
    }
    let absolute = std::path::absolute(file)?;
    let folder = absolute.parent().and_then(|folder| folder.canonicalize().ok());
    for (key, served) in [("directory", &config.publish.directory), ("templates", &config.publish.templates)] {
        let served = served.as_ref().and_then(|served| served.canonicalize().ok());
        if let (Some(folder), Some(served)) = (&folder, &served)
            && folder.starts_with(served)
        {
            bail!("{} is in the folder of `{key}` under [publish]; name a file elsewhere", file.display());
        }
    }
    Ok(())
}

pub fn verify(config: Option<&Path>) -> Done {
    let config = load(config)?.config;
    let reader = Reader::open_any_version(&config.store.path)?;
    let found = reader.verify()?;
    if found.is_empty() {
        print(&format!("{} is sound\n", config.store.path.display()))?;
        return Ok(ExitCode::SUCCESS);
    }
    let path = config.store.path.display();
    let advice = "move it away with its -wal and -shm files and put a backup in its place";
    Err(anyhow!("{path} is damaged; {advice}\n{}", found.join("\n")).into())
}
