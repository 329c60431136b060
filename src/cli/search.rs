//! `newswire search`: searches the full text of the stories.

use std::path::Path;
use std::process::ExitCode;

use anstyle::Style;
use anyhow::anyhow;

use super::output::{columns, cut, print, safe, story_date, wrap};
use super::{Done, like, load_with_reader};
use crate::config::Config;
use crate::query::Query;
use crate::shown::{self, SearchHit, SearchHits};
use crate::store::StoreError;

/// The indent of the lines of a hit: as wide as its date.
const INDENT: &str = "            ";

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Words that must all occur, "a phrase", -without; title: author: feed: section: after:2017-12 before:2018
    #[arg(required = true)]
    words: Vec<String>,
    /// Show at most this many stories
    #[arg(long, default_value_t = 20)]
    limit: usize,
    /// Print an array of objects
    #[arg(long)]
    json: bool,
}

/// Runs `newswire search`.
pub(super) fn run(config: Option<&Path>, args: &Args) -> Done {
    let (config, reader) = load_with_reader(config)?;
    let reader = reader.ok_or_else(|| StoreError::Missing(config.store.path.clone()))?;
    let (query, faults) = Query::parse(&args.words.join(" "));
    if !faults.is_empty() {
        return Err(anyhow!("{}", faults.join("; ")).into());
    }
    if query.is_empty() {
        return Err(anyhow!("no search words; give words, \"a phrase\", or a field such as title:harbour").into());
    }
    let SearchHits { mut hits, is_cut } = shown::find(&reader, &config, &query, args.limit.saturating_add(1))?;
    if is_cut {
        anstream::eprintln!("newswire: searched only the newest entries; use more or rarer words to search all");
    }
    let has_more = hits.len() > args.limit;
    hits.truncate(args.limit);
    if args.json {
        print(&format!("{}\n", serde_json::to_string_pretty(&hits)?))?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut text = String::new();
    for hit in &hits {
        let sections = hit.sections.iter().map(|section| section.as_str()).collect::<Vec<_>>().join(", ");
        let published = story_date(hit.published, &config);
        let link = hit.link.as_ref().map_or("", |link| link.as_str());
        let title = cut(&safe(&hit.title), columns() - 12);
        text.push_str(&format!("{published}  {title}\n            {}\n", safe(link)));
        let excerpt = marked(hit);
        if !excerpt.is_empty() {
            text.push_str(&wrap(&format!("{INDENT}{excerpt}"), columns(), INDENT));
        }
        if !sections.is_empty() {
            text.push_str(&format!("            in {sections}\n"));
        }
    }
    if has_more {
        text.push_str(&format!("\nShowing the first {}; use --limit to see more.\n", args.limit));
    } else if hits.is_empty() {
        text.push_str(&nothing(&query, &config));
    }
    print(&text)?;
    Ok(ExitCode::SUCCESS)
}

/// Returns the message that nothing was found, with the feeds and sections in the query that do not exist.
fn nothing(query: &Query, config: &Config) -> String {
    let feeds = query.feeds.iter().filter(|id| config.feed(id).is_none());
    let feed_ids = || config.feeds.iter().map(|feed| feed.id.as_str());
    let feeds = feeds.map(|id| absent("feed", id.as_str(), like(id.as_str(), feed_ids())));
    let sections = query.sections.iter().filter(|id| config.section(id).is_none());
    let section_ids = || config.sections.iter().map(|section| section.id.as_str());
    let sections = sections.map(|id| absent("section", id.as_str(), like(id.as_str(), section_ids())));
    let unknown: Vec<String> = feeds.chain(sections).collect();
    let why = if unknown.is_empty() { String::new() } else { format!(": {}", unknown.join("; ")) };
    format!("no stories found{why}\n")
}

fn absent(what: &str, id: &str, like: Option<String>) -> String {
    let like = like.map(|like| format!("; {like}")).unwrap_or_default();
    format!("there is no {what} {id} (`newswire {what}s` lists them){like}")
}

/// Returns the excerpt on one line, with the search words in bold.
fn marked(hit: &SearchHit) -> String {
    let mut words: Vec<(String, bool)> = Vec::new();
    let mut is_new = true;
    for (at, c) in safe(&hit.excerpt).chars().enumerate() {
        let is_marked = hit.marks.iter().any(|(from, to)| (*from..*to).contains(&at));
        if c == ' ' {
            is_new = true;
            continue;
        }
        match words.last_mut().filter(|_| !is_new) {
            Some((word, was_marked)) => {
                word.push(c);
                *was_marked |= is_marked;
            }
            None => words.push((c.to_string(), is_marked)),
        }
        is_new = false;
    }
    let bold = Style::new().bold();
    let shown =
        words.into_iter().map(|(word, is_marked)| if is_marked { format!("{bold}{word}{bold:#}") } else { word });
    shown.collect::<Vec<_>>().join(" ")
}
