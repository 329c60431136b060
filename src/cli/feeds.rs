//! `newswire feeds` and `newswire sections`: how they are doing, at a glance.

use std::path::Path;
use std::process::ExitCode;

use super::output::{lines, print, relative, safe, table};
use super::{Done, load_with_reader};
use crate::poll;
use crate::status::{self, FeedRow};
use crate::time::Timestamp;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// An array of objects
    #[arg(long)]
    json: bool,
}

pub fn feeds(config: Option<&Path>, args: &Args) -> Done {
    let (config, reader) = load_with_reader(config)?;
    let now = poll::now();
    let mut rows = status::feeds(&config, reader.as_ref(), now)?;
    if args.json {
        print(&format!("{}\n", serde_json::to_string_pretty(&rows)?))?;
        return Ok(ExitCode::SUCCESS);
    }
    // What needs care comes first.
    rows.sort_by_key(|row| row.state);
    let mut overview = table(&["feed", "state", "last poll", "next poll", "failures", "entries"]);
    for row in &rows {
        let time = |time: Option<Timestamp>| time.map_or_else(|| "–".to_owned(), |time| relative(time, now));
        overview.add_row([
            row.id.to_string(),
            row.state.as_str().to_owned(),
            time(row.last_poll),
            time(row.next_poll),
            row.failures.to_string(),
            row.entries.to_string(),
        ]);
    }
    let mut text = lines(&overview);
    for row in &rows {
        for remark in remarks(row) {
            text.push_str(&format!("\n{}: {remark}", row.id));
        }
    }
    print(&format!("{}\n", text.trim_end()))?;
    Ok(ExitCode::SUCCESS)
}

fn remarks(row: &FeedRow) -> Vec<String> {
    let error = row.last_error.as_ref().map(|error| safe(error));
    let held = row.held.as_ref().map(|held| format!("held {}", safe(held)));
    let moved = row.moved_to.as_ref().map(|to| format!("has moved for good; write url = {:?}", safe(to)));
    error.into_iter().chain(held).chain(moved).chain(row.rhythm.clone()).collect()
}

pub fn sections(config: Option<&Path>, args: &Args) -> Done {
    let (config, reader) = load_with_reader(config)?;
    let rows = status::sections(&config, reader.as_ref())?;
    if args.json {
        print(&format!("{}\n", serde_json::to_string_pretty(&rows)?))?;
        return Ok(ExitCode::SUCCESS);
    }
    let now = poll::now();
    let mut overview = table(&["section", "title", "stories", "newest", "feeds", ""]);
    for row in &rows {
        overview.add_row([
            row.id.to_string(),
            safe(&row.title),
            row.stories.to_string(),
            row.newest.map_or_else(|| "–".to_owned(), |time| relative(time, now)),
            row.feeds.len().to_string(),
            if row.private { "private" } else { "" }.to_owned(),
        ]);
    }
    print(&lines(&overview))?;
    Ok(ExitCode::SUCCESS)
}
