//! `newswire backup` and `newswire verify`: a copy of the store, and whether it is sound.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::anyhow;

use super::output::print;
use super::{Done, load_with_reader};
use crate::store::StoreError;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The copy; a file that exists is replaced when the copy is whole
    file: PathBuf,
}

pub fn run(config: Option<&Path>, args: &Args) -> Done {
    let (config, reader) = load_with_reader(config)?;
    let reader = reader.ok_or_else(|| StoreError::Missing(config.store.path.clone()))?;
    reader.backup(&args.file)?;
    let size = std::fs::metadata(&args.file)?.len();
    print(&format!("{}: {} KiB\n", args.file.display(), size.div_ceil(1024)))?;
    Ok(ExitCode::SUCCESS)
}

pub fn verify(config: Option<&Path>) -> Done {
    let (config, reader) = load_with_reader(config)?;
    let reader = reader.ok_or_else(|| StoreError::Missing(config.store.path.clone()))?;
    let found = reader.verify()?;
    if found.is_empty() {
        print(&format!("{} is sound\n", config.store.path.display()))?;
        return Ok(ExitCode::SUCCESS);
    }
    let path = config.store.path.display();
    let advice = "move it away with its -wal and -shm files and put a backup in its place";
    Err(anyhow!("{path} is damaged; {advice}\n{}", found.join("\n")).into())
}
