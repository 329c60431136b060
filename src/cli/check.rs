//! `newswire check`: every problem of the config, and with `--online` of its feeds.

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
use crate::store::{Reader, StoreError};

/// How many feeds are looked at side by side.
const LOOKS: usize = 32;

/// For how long a section is missed that left the config.
const MISSED: Duration = Duration::from_secs(7 * 24 * 3600);

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Look at every feed: which answer, which moved, which are none; nothing is stored
    #[arg(long)]
    online: bool,
    /// An array of objects, empty when all is well
    #[arg(long)]
    json: bool,
}

pub fn run(config: Option<&Path>, args: &Args) -> Done {
    match load(config) {
        Ok(mut loaded) => {
            let mut looks = String::new();
            loaded.warnings.extend(renamed_sections(&loaded));
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
                print(&format!("{looks}the config is good: {feeds}, {sections}\n"))?;
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

/// A section that the store has and the config lacks may only have another id now: readers would find nothing there.
fn renamed_sections(loaded: &Loaded) -> Vec<Problem> {
    let Ok(missing) = missing_sections(&loaded.config) else { return Vec::new() };
    let problem = |id: SectionId| {
        let message = format!("the section `{id}` was here, and its addresses answer 410 now");
        let hint = format!("if it has another id, write formerly = [\"{id}\"] there, and they lead to it");
        Problem { level: Level::Warning, ..Problem::of_file(loaded.sources[0].path.clone(), message, hint) }
    };
    missing.into_iter().map(problem).collect()
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

/// As in `looked at 8 feeds: 3 are fine, 5 need care`.
fn looked_at(config: &Config, amiss: usize) -> String {
    let seen = config.feeds.iter().filter(|feed| feed.enabled).count();
    let fine = count(seen - amiss, "is fine", "are fine");
    let need_care = count(amiss, "needs care", "need care");
    format!("looked at {}: {fine}, {need_care}\n", count(seen, "feed", "feeds"))
}

/// What is amiss with the feeds that are polled, in their order.
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
            Some((format!("{id} has moved for good"), Some(format!("write url = \"{moved}\""))))
        }
        Looked::Refused { error: ParseError::Page { feeds }, .. } if !feeds.is_empty() => {
            let hint = format!("the page offers one: write url = \"{}\"", feeds[0]);
            Some((format!("{id} gives a page, and no feed"), Some(hint)))
        }
        Looked::Refused { error, .. } => Some((format!("{id} gives no feed: {error}"), None)),
        Looked::Failed(why) => Some((format!("{id} does not answer: {why}"), None)),
    }
}
