//! `newswire feeds` and `newswire sections`: how they are doing, at a glance; what needs care comes first.

use std::io::IsTerminal;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use serde::Serialize;

use super::output::{columns, lines, print, relative, safe, table, wrap};
use super::{CommandError, Done, load_with_reader, no_feed};
use crate::clock;
use crate::config::Config;
use crate::feed::FeedId;
use crate::newsroom::MAX_REVISIONS;
use crate::status::{self, FeedCondition, FeedOverview, SectionRow};
use crate::time::Timestamp;

/// How often `--watch` looks again.
const WATCH: Duration = Duration::from_secs(2);

/// What empties a terminal and begins above.
const CLEAR: &str = "\u{1b}[2J\u{1b}[H";

/// The head of the column that is coloured.
const STATE: &str = "state";

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Look again every two seconds, on a terminal
    #[arg(long, conflicts_with = "json")]
    watch: bool,
    /// An array of objects
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
pub struct FeedsArgs {
    /// The ids of the feeds to show, with address, title, sections and schedule [default: all, without]
    feeds: Vec<String>,
    #[command(flatten)]
    shown: Args,
}

/// A row with what of it needs care.
#[derive(Serialize)]
struct Cared<Row> {
    #[serde(flatten)]
    row: Row,
    /// Sentences; empty where all is well.
    care: Vec<String>,
}

pub fn feeds(config: Option<&Path>, args: &FeedsArgs) -> Done {
    show(&args.shown, || {
        let (config, reader) = load_with_reader(config)?;
        if let Some(id) = args.feeds.iter().find(|id| config.feed(&FeedId::from(id.as_str())).is_none()) {
            return Err(no_feed(&config, id).into());
        }
        let now = clock::now();
        let mut rhythms =
            reader.as_ref().map(|reader| reader.feed_rhythms(MAX_REVISIONS)).transpose()?.unwrap_or_default();
        let rows = status::feeds(&config, reader.as_ref(), now)?.into_iter().map(|row| {
            let rhythm = rhythms.remove(&row.id).filter(|_| row.state != status::FeedCondition::Disabled);
            Cared { care: rhythm.map(|rhythm| status::cares(&rhythm, now)).unwrap_or_default(), row }
        });
        let is_shown = |id: &FeedId| args.feeds.is_empty() || args.feeds.iter().any(|shown| shown == id.as_str());
        let mut rows: Vec<Cared<FeedOverview>> = rows.filter(|cared| is_shown(&cared.row.id)).collect();
        if args.shown.json {
            return Ok(serde_json::to_string_pretty(&rows)? + "\n");
        }
        rows.sort_by_key(|cared| status::need(&cared.row, !cared.care.is_empty()));
        let more = |row: &FeedOverview| if args.feeds.is_empty() { Vec::new() } else { details(row, &config) };
        Ok(feeds_as_text(&rows, more, now))
    })
}

/// What is shown of a feed that was asked for by its id.
fn details(row: &FeedOverview, config: &Config) -> Vec<String> {
    let sections = config.sections.iter().filter(|section| section.takes(&row.id));
    let sections: Vec<&str> = sections.map(|section| section.id.as_str()).collect();
    let sections = match sections.is_empty() {
        true => "it is in no section".to_owned(),
        false => format!("its sections: {}", sections.join(", ")),
    };
    let schedule = config.feed(&row.id).map(|feed| format!("its schedule: {}", feed.schedule));
    let details = [format!("its title: {}", safe(&row.title)), format!("its address: {}", safe(&row.url)), sections];
    details.into_iter().chain(schedule).collect()
}

/// The table, then what there is to say of each feed; `details` come last.
fn feeds_as_text(
    rows: &[Cared<FeedOverview>],
    details: impl Fn(&FeedOverview) -> Vec<String>,
    now: Timestamp,
) -> String {
    if rows.is_empty() {
        return "there is no feed yet; `newswire add URL` takes one\n".to_owned();
    }
    let mut overview = table(&["feed", STATE, "last poll", "next poll", "failures", "entries"]);
    for Cared { row, .. } in rows {
        let time = |time: Option<Timestamp>| time.map_or_else(|| "–".to_owned(), |time| relative(time, now));
        overview.add_row([
            row.id.to_string(),
            state(row),
            time(row.last_poll),
            time(row.next_poll),
            row.failures.to_string(),
            row.entries.to_string(),
        ]);
    }
    let mut text = coloured(&lines(&overview));
    let remarks = rows.iter().flat_map(|cared| {
        remarks(cared, now).into_iter().chain(details(&cared.row)).map(|remark| (&cared.row.id, remark))
    });
    for (at, (id, remark)) in remarks.enumerate() {
        text.push_str(if at == 0 { "\n" } else { "" });
        text.push_str(&wrap(&format!("{id}: {remark}"), columns(), "  "));
    }
    text
}

/// The table with its states in colours, which [`print`] takes off where no terminal shows them.
fn coloured(table: &str) -> String {
    let Some(column) = table.find(STATE) else { return table.to_owned() };
    let coloured = |(at, line): (usize, &str)| {
        let state = line.get(column..).filter(|_| at > 0).unwrap_or_default();
        let state = &state[..state.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(state.len())];
        let Some(style) = style(state) else { return format!("{line}\n") };
        let (before, after) = (&line[..column], &line[column + state.len()..]);
        format!("{before}{style}{state}{style:#}{after}\n")
    };
    table.lines().enumerate().map(coloured).collect()
}

fn style(state: &str) -> Option<Style> {
    let colour = match state {
        "ok" => AnsiColor::Green,
        "failing" | "gone" => AnsiColor::Red,
        "held" => AnsiColor::Yellow,
        "new" => AnsiColor::Cyan,
        "disabled" => return Some(Style::new().dimmed()),
        _ => return None,
    };
    Some(colour.on_default())
}

/// With the kind of its failure.
fn state(row: &FeedOverview) -> String {
    match (row.state, row.error_kind) {
        (FeedCondition::Failing, Some(kind)) => format!("failing: {kind}"),
        (state, _) => state.as_str().to_owned(),
    }
}

fn remarks(Cared { row, care }: &Cared<FeedOverview>, now: Timestamp) -> Vec<String> {
    let error = row.last_error.as_ref().map(|error| match row.state {
        FeedCondition::Gone => {
            let id = &row.id;
            format!("{}; `newswire remove {id}`, or ask again: `newswire poll --force {id}`", safe(error))
        }
        _ => safe(error),
    });
    let held = row.held.as_ref().map(|held| format!("held {}", safe(held)));
    let moved = row.moved_to.as_ref().map(|to| format!("has moved for good: newswire set {} url={}", row.id, safe(to)));
    let noted = row.note.as_ref().zip(row.noted).map(|(note, at)| format!("{} ({})", safe(note), relative(at, now)));
    let more = row.rhythm.iter().chain(care).cloned();
    error.into_iter().chain(held).chain(moved).chain(noted).chain(more).collect()
}

pub fn sections(config: Option<&Path>, args: &Args) -> Done {
    show(args, || {
        let (config, reader) = load_with_reader(config)?;
        let now = clock::now();
        let rhythms = reader.as_ref().map(|reader| reader.section_rhythms()).transpose()?.unwrap_or_default();
        let rows = status::sections(&config, reader.as_ref())?.into_iter().map(|row| {
            let mut care = rhythms.get(&row.id).map(|rhythm| status::cares(rhythm, now)).unwrap_or_default();
            if row.stories == 0 && reader.is_some() {
                care.push("no story fits it".to_owned());
            }
            Cared { care, row }
        });
        let mut rows: Vec<Cared<SectionRow>> = rows.collect();
        if args.json {
            return Ok(serde_json::to_string_pretty(&rows)? + "\n");
        }
        rows.sort_by_key(|cared| cared.care.is_empty());
        Ok(sections_as_text(&rows, now))
    })
}

fn sections_as_text(rows: &[Cared<SectionRow>], now: Timestamp) -> String {
    if rows.is_empty() {
        return "there is no section yet; write a [[section]] into the TOML\n".to_owned();
    }
    let mut overview = table(&["section", "title", "stories", "newest", "feeds", ""]);
    for Cared { row, .. } in rows {
        overview.add_row([
            row.id.to_string(),
            safe(&row.title),
            row.stories.to_string(),
            row.newest.map_or_else(|| "–".to_owned(), |time| relative(time, now)),
            row.feeds.len().to_string(),
            if row.private { "private" } else { "" }.to_owned(),
        ]);
    }
    let mut text = lines(&overview);
    let remarks = rows.iter().flat_map(|cared| cared.care.iter().map(|care| (&cared.row.id, care)));
    for (at, (id, remark)) in remarks.enumerate() {
        text.push_str(if at == 0 { "\n" } else { "" });
        text.push_str(&wrap(&format!("{id}: {remark}"), columns(), "  "));
    }
    text
}

/// Prints once, or again and again where somebody watches.
fn show(args: &Args, text: impl Fn() -> Result<String, CommandError>) -> Done {
    let is_watched = args.watch && std::io::stdout().is_terminal();
    loop {
        let text = text()?;
        print(&if is_watched { format!("{CLEAR}{text}") } else { text })?;
        if !is_watched {
            return Ok(ExitCode::SUCCESS);
        }
        std::thread::sleep(WATCH);
    }
}
