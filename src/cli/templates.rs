//! `newswire templates`: writes the built-in templates, to be changed.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::anyhow;

use super::Done;
use super::output::print;
use crate::files;
use crate::render::Pages;

/// The arguments of `newswire templates`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The folder; created if it is missing
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// Overwrites templates that were changed
    #[arg(long)]
    force: bool,
}

/// Runs `newswire templates`. Writes nothing if it would overwrite a changed file.
pub(super) fn run(args: &Args) -> Done {
    let folder = &args.folder;
    let cannot = |what: String, source: std::io::Error| anyhow!("cannot {what}: {}", files::reason(&source));
    std::fs::create_dir_all(folder).map_err(|error| cannot(format!("create {}", folder.display()), error))?;
    let mut new = Vec::new();
    for (name, text) in Pages::built_in() {
        let path = folder.join(name);
        match std::fs::read(&path) {
            Ok(known) if known == text.as_bytes() => {}
            Ok(_) if !args.force => {
                let path = path.display();
                return Err(anyhow!("{path} was changed; nothing was written. Use --force to overwrite it").into());
            }
            _ => new.push((path, text)),
        }
    }
    for (path, text) in &new {
        let written = files::write_whole(path, text.as_bytes());
        written.map_err(|error| cannot(format!("write {}", path.display()), error))?;
    }
    let count = new.len();
    let files = if count == 1 { "file" } else { "files" };
    print(&format!(
        "{}: {count} {files} written; set templates = \"…\" under [publish] to use them\n",
        folder.display()
    ))?;
    Ok(ExitCode::SUCCESS)
}
