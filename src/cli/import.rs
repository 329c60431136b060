//! `newswire import` and `newswire export`: read lists of feeds from other programs, and write one for them.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, anyhow};

use super::add::file_for;
use super::edit::{commit, in_file};
use super::output::{columns, count, labelled, print, safe, wrap};
use super::{Done, load, load_with_reader, no_section};
use crate::clock;
use crate::config::import::{self, ImportPlan, MAX_BYTES, SameAddress, Skipped};
use crate::config::{self, Config, edit};
use crate::feed::SectionId;
use crate::files::{self, short};
use crate::parse;
use crate::render::{self, OpmlFolder};
use crate::section;
use crate::store::Reader;

/// The width of the labels in front of the feeds that were merged or skipped.
const LABELS: usize = "  section".len();

#[derive(Debug, clap::Args)]
pub(super) struct ImportArgs {
    /// OPML, Planet's ini, newsboat's urls, sfeedrc, or one address per line; - is standard input
    list: PathBuf,
    /// The section for feeds that are in no folder
    #[arg(long, value_name = "ID")]
    section: Option<String>,
    /// The config file to add the feeds to [default: the file with most feeds]
    #[arg(long)]
    file: Option<PathBuf>,
    /// Also import feeds that are local files
    #[arg(long)]
    allow_files: bool,
    /// Print the difference and write nothing
    #[arg(long)]
    dry_run: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct ExportArgs {
    /// Only the feeds of this section
    #[arg(long, value_name = "ID")]
    section: Option<String>,
}

/// Runs `newswire import`.
pub(super) fn import(path: Option<&Path>, args: &ImportArgs) -> Done {
    let loaded = load(path)?;
    let limit = u64::try_from(MAX_BYTES).unwrap_or(u64::MAX);
    let bytes = files::read_named(&args.list, limit).with_context(|| format!("cannot read {}", args.list.display()))?;
    let name = if args.list == Path::new("-") { "standard input".into() } else { args.list.to_string_lossy() };
    let named = |error| anyhow!("{name}: {error}");
    let mut imported = import::read(&parse::text(&bytes)).map_err(named)?;
    if !args.allow_files {
        imported.refuse_files();
    }
    let format = imported.format;
    let section = args.section.as_deref().map(SectionId::from);
    let mut plan = import::plan(imported, &loaded.config, section.as_ref());
    let has_made_section = section.is_none() && plan.ensure_section(&loaded.config);
    let mut into = String::new();
    if !plan.feeds.is_empty() {
        let file = file_for(&loaded, args.file.as_deref(), &[])?;
        let source = &loaded.sources[file];
        let mut text = source.text.clone();
        for (kind, tables) in [("feed", &plan.feeds), ("section", &plan.sections)] {
            if !tables.is_empty() {
                text = edit::add(&text, kind, tables).map_err(in_file(source))?;
            }
        }
        commit(&loaded, vec![(file, text)], args.dry_run)?;
        into = format!(" to {}", short(&source.path).display());
    }
    print(&as_text(&plan, has_made_section, format, &into))?;
    Ok(ExitCode::SUCCESS)
}

/// Returns the summary of the import, then why each feed was merged or skipped. `into` names the file with the new feeds.
fn as_text(plan: &ImportPlan, has_made_section: bool, format: &str, into: &str) -> String {
    let (added, known) = (count(plan.taken, "feed", "feeds"), plan.known);
    let mut first = format!("{format}: {added} added{into}, {known} already known");
    if !plan.merged.is_empty() {
        first.push_str(&format!(", {} listed more than once and merged", plan.merged.len()));
    }
    let mut text = wrap(&first, columns(), "  ");
    if has_made_section {
        let made = "added `all`, which shows every feed, because the config had no section";
        text.push_str(&labelled("  section", LABELS, made));
    }
    for same in &plan.merged {
        text.push_str(&labelled("  merged", LABELS, &spelled(same, "replaced by")));
    }
    for same in &plan.known_as {
        text.push_str(&labelled("  known", LABELS, &spelled(same, "the config has")));
    }
    for Skipped { what, why } in &plan.skipped {
        text.push_str(&labelled("  skipped", LABELS, &safe(&config::masked_urls(&format!("{what}: {why}")))));
    }
    text
}

/// Names an address and the other spelling that stays, and says how the two differ. `kept` is the phrase before the
/// other spelling, such as `replaced by`.
fn spelled(same: &SameAddress, kept: &str) -> String {
    let rule = same.rule().map(|rule| format!(": {kept} {}; {rule}", same.kept));
    safe(&config::masked_urls(&format!("{}{}", same.url, rule.unwrap_or_default())))
}

/// Runs `newswire export`.
pub(super) fn export(path: Option<&Path>, args: &ExportArgs) -> Done {
    let (config, reader) = load_with_reader(path)?;
    let wanted = args.section.as_deref().map(SectionId::from);
    if let Some(id) = wanted.as_ref().filter(|id| config.section(id).is_none()) {
        return Err(no_section(&config, id.as_str()).into());
    }
    let folders = folders(&config, reader.as_ref(), wanted.as_ref())?;
    let title = wanted.and_then(|id| Some(config.section(&id)?.title.clone()));
    let title = title.unwrap_or_else(|| config.site.title.clone());
    let document = render::opml_folders(&config.site, &title, &folders, clock::now()).map_err(anyhow::Error::from)?;
    print(&String::from_utf8_lossy(&document))?;
    Ok(ExitCode::SUCCESS)
}

/// Groups the feeds by section; feeds that are in no section come last. Skips feeds whose address contains a secret or
/// is a local file, with a note on stderr.
fn folders(config: &Config, reader: Option<&Reader>, only: Option<&SectionId>) -> anyhow::Result<Vec<OpmlFolder>> {
    let infos = reader.map(|reader| reader.feed_infos()).transpose()?.unwrap_or_default();
    let shown = |feed: &config::Feed| {
        let info = infos.get(&feed.id).cloned().unwrap_or_default();
        section::show_feed(feed, &info)
    };
    for feed in config.feeds.iter().filter(|feed| !is_public(feed)) {
        anstream::eprintln!("newswire: skipped {}: its address is secret or a local file", feed.id);
    }
    let public = || config.feeds.iter().filter(|feed| is_public(feed));
    let sections = config.sections.iter().filter(|section| only.is_none_or(|only| *only == section.id));
    for section in sections.clone().filter(|section| section.access.is_some()) {
        anstream::eprintln!(
            "newswire: the section {} is private here, but will not be private where this list is imported",
            section.id
        );
    }
    let mut folders: Vec<OpmlFolder> = sections
        .map(|section| OpmlFolder {
            section: Some((section.id.clone(), section.title.clone())),
            feeds: public().filter(|feed| section.takes(&feed.id)).map(|feed| shown(feed)).collect(),
        })
        .collect();
    let is_loose = |feed: &config::Feed| config.sections.iter().all(|section| !section.takes(&feed.id));
    if only.is_none() {
        let feeds = public().filter(|feed| is_loose(feed)).map(|feed| shown(feed)).collect();
        folders.push(OpmlFolder { section: None, feeds });
    }
    Ok(folders)
}

/// Whether the shown address, which has its secrets masked, is enough to poll the feed.
fn is_public(feed: &config::Feed) -> bool {
    !feed.url.is_file()
        && feed.url.shown.path() == feed.url.secret.path()
        && feed.url.shown.query() == feed.url.secret.query()
}
