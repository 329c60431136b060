//! `newswire import` and `newswire export`: lists of feeds from other programs, and for them.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, anyhow};

use super::add::file_for;
use super::edit::commit;
use super::output::{count, print, safe};
use super::{Done, load, load_with_reader};
use crate::config::import::{self, MAX_BYTES, Plan};
use crate::config::{self, Config, edit};
use crate::feed::SectionId;
use crate::parse;
use crate::poll;
use crate::render;
use crate::section::{self, ShownFeed};
use crate::store::Reader;

#[derive(Debug, clap::Args)]
pub struct ImportArgs {
    /// OPML, Planet's ini, newsboat's urls, sfeedrc, or addresses one a line; - is the standard input
    list: PathBuf,
    /// The section that takes the feeds which are in no folder
    #[arg(long, value_name = "ID")]
    section: Option<String>,
    /// The file of the config that takes the feeds [default: where feeds are]
    #[arg(long)]
    file: Option<PathBuf>,
    /// Print the difference and write nothing
    #[arg(long)]
    dry_run: bool,
}

#[derive(Debug, clap::Args)]
pub struct ExportArgs {
    /// Only the feeds of this section
    #[arg(long, value_name = "ID")]
    section: Option<String>,
}

pub fn import(path: Option<&Path>, args: &ImportArgs) -> Done {
    let loaded = load(path)?;
    let bytes = read_list(&args.list).with_context(|| format!("cannot read {}", args.list.display()))?;
    let named = |error| anyhow!("{}: {error}", args.list.display());
    let imported = import::read(&parse::text(&bytes)).map_err(named)?;
    let format = imported.format;
    let section = args.section.as_deref().map(SectionId::from);
    let plan = import::plan(imported, &loaded.config, section.as_ref());
    if !plan.feeds.is_empty() {
        let file = file_for(&loaded, args.file.as_deref(), &[])?;
        let source = &loaded.sources[file];
        let mut text = source.text.clone();
        for (kind, tables) in [("feed", &plan.feeds), ("section", &plan.sections)] {
            if !tables.is_empty() {
                text = edit::add(&text, kind, tables).map_err(|error| anyhow!("{}: {error}", source.path.display()))?;
            }
        }
        commit(&loaded, vec![(file, text)], args.dry_run)?;
    }
    print(&told(&plan, format))?;
    Ok(ExitCode::SUCCESS)
}

fn read_list(list: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let limit = u64::try_from(MAX_BYTES).unwrap_or(u64::MAX) + 1;
    if list == Path::new("-") {
        std::io::stdin().take(limit).read_to_end(&mut bytes)?;
    } else {
        std::fs::File::open(list)?.take(limit).read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

fn told(plan: &Plan, format: &str) -> String {
    let (taken, known) = (count(plan.taken, "feed", "feeds"), plan.known);
    let mut text = format!("{format}: {taken} taken, {known} there already");
    if !plan.merged.is_empty() {
        text.push_str(&format!(", {} named more than once and merged", plan.merged.len()));
    }
    text.push('\n');
    for url in &plan.merged {
        text.push_str(&format!("  merged    {}\n", safe(url)));
    }
    for left_out in &plan.left_out {
        text.push_str(&format!("  left out  {}: {}\n", safe(&left_out.what), safe(&left_out.why)));
    }
    text
}

pub fn export(path: Option<&Path>, args: &ExportArgs) -> Done {
    let (config, reader) = load_with_reader(path)?;
    let wanted = args.section.as_deref().map(SectionId::from);
    if let Some(id) = wanted.as_ref().filter(|id| config.section(id).is_none()) {
        return Err(anyhow!("there is no section {:?}; `newswire sections` lists them", id.as_str()).into());
    }
    let folders = folders(&config, reader.as_ref(), wanted.as_ref())?;
    let title = wanted.and_then(|id| config.section(&id).map(|section| section.title.clone()));
    let title = title.unwrap_or_else(|| config.site.title.clone());
    let document = render::opml_folders(&config.site, &title, &folders, poll::now()).map_err(anyhow::Error::from)?;
    print(&String::from_utf8_lossy(&document))?;
    Ok(ExitCode::SUCCESS)
}

/// The feeds by section, those in none last under no title. What cannot be told without a secret is left out, and said.
fn folders(
    config: &Config,
    reader: Option<&Reader>,
    only: Option<&SectionId>,
) -> anyhow::Result<Vec<(Option<String>, Vec<ShownFeed>)>> {
    let infos = reader.map(Reader::feed_infos).transpose()?.unwrap_or_default();
    let shown = |feed: &config::Feed| {
        let info = infos.get(&feed.id).cloned().unwrap_or_default();
        section::show_feed(feed, &info)
    };
    for feed in config.feeds.iter().filter(|feed| !is_public(feed)) {
        anstream::eprintln!("newswire: left out {}: its address is secret, or a file of this machine", feed.id);
    }
    let public = || config.feeds.iter().filter(|feed| is_public(feed));
    let sections = config.sections.iter().filter(|section| only.is_none_or(|only| *only == section.id));
    let mut folders: Vec<(Option<String>, Vec<ShownFeed>)> = sections
        .map(|section| {
            let feeds = public().filter(|feed| section.takes(&feed.id)).map(|feed| shown(feed)).collect();
            (Some(section.title.clone()), feeds)
        })
        .collect();
    let is_loose = |feed: &config::Feed| config.sections.iter().all(|section| !section.takes(&feed.id));
    if only.is_none() {
        folders.push((None, public().filter(|feed| is_loose(feed)).map(|feed| shown(feed)).collect()));
    }
    Ok(folders)
}

/// Whether who knows the shown address can poll it.
fn is_public(feed: &config::Feed) -> bool {
    !feed.url.is_file()
        && feed.url.shown.path() == feed.url.secret.path()
        && feed.url.shown.query() == feed.url.secret.query()
}
