//! `newswire feeds` and `newswire sections`: show the state of feeds or sections in a table. Rows that need attention
//! come first.

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

/// How often `--watch` refreshes.
const WATCH: Duration = Duration::from_secs(2);

/// The escape sequences that clear a terminal and move the cursor to the top.
const CLEAR: &str = "\u{1b}[2J\u{1b}[H";

/// The heading of the coloured column.
const STATE: &str = "state";

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Refresh every two seconds, on a terminal
    #[arg(long, conflicts_with = "json")]
    watch: bool,
    /// Print an array of objects
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct FeedsArgs {
    /// The ids of the feeds to show with title, address, sections and schedule [default: all, without these details]
    feeds: Vec<String>,
    #[command(flatten)]
    shown: Args,
}

/// A row of the table, and what in it needs attention.
#[derive(Serialize)]
struct WithCare<Row> {
    #[serde(flatten)]
    row: Row,
    /// Sentences; empty if all is well.
    care: Vec<String>,
}

/// Runs `newswire feeds`.
pub(super) fn feeds(config: Option<&Path>, args: &FeedsArgs) -> Done {
    show(&args.shown, || {
        let (config, reader) = load_with_reader(config)?;
        if let Some(id) = args.feeds.iter().find(|id| config.feed(&FeedId::from(id.as_str())).is_none()) {
            return Err(no_feed(&config, id).into());
        }
        let now = clock::now();
        let mut rhythms =
            reader.as_ref().map(|reader| reader.feed_rhythms(MAX_REVISIONS)).transpose()?.unwrap_or_default();
        let rows = status::feeds(&config, reader.as_ref(), now)?.into_iter().map(|row| {
            let rhythm = rhythms.remove(&row.id).filter(|_| row.state != FeedCondition::Disabled);
            WithCare { care: rhythm.map(|rhythm| status::anomalies(&rhythm, now)).unwrap_or_default(), row }
        });
        let is_shown = |id: &FeedId| args.feeds.is_empty() || args.feeds.iter().any(|shown| shown == id.as_str());
        let mut rows: Vec<WithCare<FeedOverview>> = rows.filter(|shown| is_shown(&shown.row.id)).collect();
        if args.shown.json {
            return Ok(serde_json::to_string_pretty(&rows)? + "\n");
        }
        rows.sort_by_key(|shown| status::urgency(&shown.row, !shown.care.is_empty()));
        let more = |row: &FeedOverview| if args.feeds.is_empty() { Vec::new() } else { details(row, &config) };
        Ok(feeds_as_text(&rows, more, now))
    })
}

/// Returns the details of a feed that was named on the command line.
fn details(row: &FeedOverview, config: &Config) -> Vec<String> {
    let sections = config.sections.iter().filter(|section| section.takes(&row.id));
    let sections: Vec<&str> = sections.map(|section| section.id.as_str()).collect();
    let sections = match sections.is_empty() {
        true => "not in any section".to_owned(),
        false => format!("sections: {}", sections.join(", ")),
    };
    let schedule = config.feed(&row.id).map(|feed| format!("schedule: {}", feed.schedule));
    let details = [format!("title: {}", safe(&row.title)), format!("address: {}", safe(&row.url)), sections];
    details.into_iter().chain(schedule).collect()
}

/// Returns the table, then the remarks on each feed, then its `details`.
fn feeds_as_text(
    rows: &[WithCare<FeedOverview>],
    details: impl Fn(&FeedOverview) -> Vec<String>,
    now: Timestamp,
) -> String {
    if rows.is_empty() {
        return "no feeds yet; add one with `newswire add URL`\n".to_owned();
    }
    let mut overview = table(&["feed", STATE, "last poll", "next poll", "failures", "entries"]);
    for WithCare { row, .. } in rows {
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
    let remarks = rows.iter().flat_map(|shown| {
        remarks(shown, now).into_iter().chain(details(&shown.row)).map(|remark| (&shown.row.id, remark))
    });
    for (at, (id, remark)) in remarks.enumerate() {
        text.push_str(if at == 0 { "\n" } else { "" });
        text.push_str(&wrap(&format!("{id}: {remark}"), columns(), "  "));
    }
    text
}

/// Colours the states in the table. [`print`] removes the colours if stdout is not a terminal.
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

/// Returns the state, with the kind of failure if the feed is failing.
fn state(row: &FeedOverview) -> String {
    match (row.state, row.error_kind) {
        (FeedCondition::Failing, Some(kind)) => format!("failing: {kind}"),
        (state, _) => state.as_str().to_owned(),
    }
}

fn remarks(WithCare { row, care }: &WithCare<FeedOverview>, now: Timestamp) -> Vec<String> {
    let error = row.last_error.as_ref().map(|error| match row.state {
        FeedCondition::Gone => {
            let id = &row.id;
            format!(
                "{}; `newswire remove {id}` removes the feed, and `newswire poll --force {id}` tries again",
                safe(error)
            )
        }
        _ => safe(error),
    });
    let held = row.held_until.zip(row.held_code);
    let held = held.map(|(until, why)| format!("put on hold by {why}; next poll allowed {}", relative(until, now)));
    let moved = row.moved_to.as_ref();
    let moved = moved.map(|to| format!("moved permanently; run: newswire set {} url={}", row.id, safe(to)));
    let noted = row.note.as_ref().zip(row.noted).map(|(note, at)| format!("{} ({})", safe(note), relative(at, now)));
    let more = row.rhythm.iter().chain(care).cloned();
    error.into_iter().chain(held).chain(moved).chain(noted).chain(more).collect()
}

/// Runs `newswire sections`.
pub(super) fn sections(config: Option<&Path>, args: &Args) -> Done {
    show(args, || {
        let (config, reader) = load_with_reader(config)?;
        let now = clock::now();
        let rhythms = reader.as_ref().map(|reader| reader.section_rhythms()).transpose()?.unwrap_or_default();
        let rows = status::sections(&config, reader.as_ref())?.into_iter().map(|row| {
            let mut care = rhythms.get(&row.id).map(|rhythm| status::anomalies(rhythm, now)).unwrap_or_default();
            if row.stories == 0 && reader.is_some() {
                care.push("no story matches".to_owned());
            }
            WithCare { care, row }
        });
        let mut rows: Vec<WithCare<SectionRow>> = rows.collect();
        if args.json {
            return Ok(serde_json::to_string_pretty(&rows)? + "\n");
        }
        rows.sort_by_key(|shown| shown.care.is_empty());
        Ok(sections_as_text(&rows, now))
    })
}

fn sections_as_text(rows: &[WithCare<SectionRow>], now: Timestamp) -> String {
    if rows.is_empty() {
        return "no sections yet; add a [[section]] to the TOML\n".to_owned();
    }
    let mut overview = table(&["section", "title", "stories", "newest", "feeds", ""]);
    for WithCare { row, .. } in rows {
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
    let remarks = rows.iter().flat_map(|shown| shown.care.iter().map(|care| (&shown.row.id, care)));
    for (at, (id, remark)) in remarks.enumerate() {
        text.push_str(if at == 0 { "\n" } else { "" });
        text.push_str(&wrap(&format!("{id}: {remark}"), columns(), "  "));
    }
    text
}

/// Prints the text once, or repeatedly with `--watch` on a terminal.
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
