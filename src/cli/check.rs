//! `newswire check`: prints every problem of the config; with `--online`, also the problems of its feeds.

use std::collections::HashSet;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use futures_util::StreamExt;

use super::output::{count, print};
use super::{CommandError, Done, EXIT_CONFIG, load, runtime};
use crate::clock;
use crate::config::{self, Config, Feed, Level, Problem, edit};
use crate::discover::{self, Looked};
use crate::feed::SectionId;
use crate::fetch::Fetcher;
use crate::files::{Loaded, short};
use crate::parse::{Hints, ParseError};
use crate::status::{self, HookCondition, HookOverview};
use crate::store::{Reader, StoreError};

/// How many feeds are fetched at the same time.
const LOOKS: usize = 32;

/// For how long `check` warns about a section that was removed from the config.
const MISSED: Duration = Duration::from_secs(7 * 24 * 3600);

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Fetch every feed, and report those that fail, have moved or are not feeds; stores nothing
    #[arg(long)]
    online: bool,
    /// Print an array of objects, empty if there are no problems
    #[arg(long)]
    json: bool,
}

/// Runs `newswire check`. Only errors exit with 78; warnings exit with 0.
pub(super) fn run(config: Option<&Path>, args: &Args) -> Done {
    match load(config) {
        Ok(mut loaded) => {
            let mut looks = String::new();
            loaded.warnings.extend(renamed_sections(&loaded));
            loaded.warnings.extend(failing_hooks(&loaded));
            if args.online {
                let found = look_at_all(&loaded)?;
                looks = looked_at(&loaded.config, found.len());
                loaded.warnings.extend(found);
            }
            loaded.warnings.iter_mut().for_each(|problem| problem.file = short(&problem.file));
            if args.json {
                print(&format!("{}\n", serde_json::to_string_pretty(&loaded.warnings)?))?;
            } else {
                print(&config::render_problems(&loaded.warnings, &loaded.sources, true))?;
                let (feeds, sections) = (loaded.config.feeds.len(), loaded.config.sections.len());
                let (feeds, sections) = (count(feeds, "feed", "feeds"), count(sections, "section", "sections"));
                print(&format!("{looks}the config is valid: {feeds}, {sections}\n"))?;
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

/// Returns a warning for each section that the config lacks, but that the store has, or had at most [`MISSED`] ago. The
/// user may have renamed the section, and then readers of the old addresses find nothing.
fn renamed_sections(loaded: &Loaded) -> Vec<Problem> {
    let Ok(missing) = missing_sections(&loaded.config) else { return Vec::new() };
    let problem = |id: SectionId| {
        let message = format!("the section `{id}` was removed; its addresses now return 410");
        let hint = format!("if you renamed it, add formerly = [\"{id}\"] to the new section");
        Problem { level: Level::Warning, ..Problem::of_file(loaded.sources[0].path.clone(), message, hint) }
    };
    missing.into_iter().map(problem).collect()
}

/// Warns of hooks that fail, or whose receivers want no more messages.
fn failing_hooks(loaded: &Loaded) -> Vec<Problem> {
    let config = &loaded.config;
    let hooks = Reader::open(&config.store.path).and_then(|reader| status::hooks(config, &reader)).unwrap_or_default();
    let problem = |hook: HookOverview| {
        let hint = match hook.state {
            HookCondition::Gone => "give it another address, or remove it",
            _ => "see the log; newswire tries again",
        };
        let problem = Problem::of_file(loaded.sources[0].path.clone(), hook.trouble()?, hint);
        Some(Problem { level: Level::Warning, ..problem })
    };
    hooks.into_iter().filter_map(problem).collect()
}

fn missing_sections(config: &Config) -> Result<Vec<SectionId>, StoreError> {
    let reader = Reader::open(&config.store.path)?;
    let mut known: Vec<SectionId> = reader.section_statuses()?.into_keys().collect();
    known.extend(reader.sections_gone_since(clock::now() - MISSED)?);
    known.sort();
    let former: HashSet<&SectionId> = config.sections.iter().flat_map(|section| &section.formerly).collect();
    known.retain(|id| config.section(id).is_none() && !former.contains(id));
    Ok(known)
}

/// Returns a summary such as `checked 8 feeds: 3 ok, 5 need attention`.
fn looked_at(config: &Config, failing: usize) -> String {
    let seen = config.feeds.iter().filter(|feed| feed.enabled).count();
    let ok = seen - failing;
    let need_attention = count(failing, "needs attention", "need attention");
    format!("checked {}: {ok} ok, {need_attention}\n", count(seen, "feed", "feeds"))
}

/// Fetches every enabled feed. Returns a warning for each that needs attention, in the order of the config.
fn look_at_all(loaded: &Loaded) -> Result<Vec<Problem>, CommandError> {
    let fetcher = Fetcher::new(&loaded.config.poll.contact);
    let places = edit::places(&loaded.sources);
    let feeds = loaded.config.feeds.iter().zip(places).filter(|(feed, _)| feed.enabled);
    let looks = feeds.map(|(feed, place)| {
        let fetcher = fetcher.clone();
        async move { (place, remark(feed, discover::look(&fetcher, feed, &Hints::default()).await)) }
    });
    let found = runtime()?.block_on(futures_util::stream::iter(looks).buffered(LOOKS).collect::<Vec<_>>());
    let problem = |(place, remark): (_, Option<(String, Option<String>)>)| {
        remark.map(|(message, hint)| config::feed_warning(&loaded.sources, place, message, hint))
    };
    Ok(found.into_iter().filter_map(problem).collect())
}

fn remark(feed: &Feed, looked: Looked) -> Option<(String, Option<String>)> {
    let id = &feed.id;
    match looked {
        Looked::Feed(seen) => {
            let moved = config::shown(seen.moved.as_ref()?);
            Some((format!("{id} has moved permanently"), Some(format!("set url = \"{moved}\""))))
        }
        Looked::Refused { error: ParseError::Page { feeds }, .. } if !feeds.is_empty() => {
            let hint = format!("the page links to a feed: set url = \"{}\"", feeds[0]);
            Some((format!("{id} is a web page, not a feed"), Some(hint)))
        }
        Looked::Refused { error, .. } => Some((format!("{id} cannot be read: {error}"), None)),
        Looked::Failed(why) => Some((format!("{id} cannot be fetched: {why}"), None)),
    }
}
