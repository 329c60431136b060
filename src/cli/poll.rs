//! `newswire poll`: makes one pass over the feeds, then exits.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::io::IsTerminal;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{anyhow, bail};
use futures_util::future::join_all;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use tokio::sync::mpsc;

use super::output::{columns, count, labelled, print, relative, safe, wrap};
use super::{CommandError, Done, ask, load, no_feed, runtime, upgrade};
use crate::clock;
use crate::commit;
use crate::config::{Config, Feed};
use crate::daemon::control::{Answer, Request};
use crate::delivery::Delivery;
use crate::feed::{Failure, FailureKind, FeedId, HoldReason, Note, RepairKind};
use crate::fetch::Fetcher;
use crate::foreign;
use crate::poll::{Hold, Pass, PollReport, Poller, ReportedOutcome};
use crate::store::{Store, StoreError};
use crate::time::Timestamp;

/// A message about feeds that were not polled names at most this many of them.
const HELD_NAMED: usize = 5;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The ids of the feeds to poll [default: those that are due]
    feeds: Vec<String>,
    /// Poll every feed, except those whose server asked to wait or that were polled in the last ten minutes
    #[arg(long, conflicts_with = "feeds")]
    all: bool,
    /// Poll every feed, or those named, even if the server asked to wait; a feed on a public host at most once in ten
    /// minutes
    #[arg(long, conflicts_with = "all")]
    force: bool,
    /// Print one JSON object per feed, then a summary
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Summary {
    feeds: usize,
    changed: usize,
    new: usize,
    revised: usize,
    failed: usize,
    duration_ms: u64,
}

/// A line of `--json`: the outcome of one feed.
#[derive(Serialize)]
struct PollLine<'r> {
    feed: &'r FeedId,
    outcome: ReportedOutcome,
    status: Option<u16>,
    new: usize,
    revised: usize,
    held: Option<HeldPart>,
    problems: Vec<String>,
    problems_code: Vec<RepairKind>,
    notes: Vec<String>,
    notes_code: Vec<&'static str>,
    moved_to: Option<&'r str>,
    error: Option<String>,
    error_kind: Option<&'static str>,
    error_code: Option<FailureKind>,
    duration_ms: u64,
    next_poll: Timestamp,
}

/// The time until which a feed is not polled, and why, such as `by Retry-After`.
#[derive(Serialize)]
struct HeldPart {
    until: Timestamp,
    why: String,
    why_code: HoldReason,
}

impl PollLine<'_> {
    fn of(report: &PollReport) -> PollLine<'_> {
        PollLine {
            feed: &report.feed,
            outcome: report.outcome,
            status: report.status,
            new: report.new,
            revised: report.revised,
            held: report.held.map(|Hold { until, why }| {
                let preposition = if why == HoldReason::LastPoll { "after" } else { "by" };
                HeldPart { until, why: format!("{preposition} {why}"), why_code: why }
            }),
            problems: report.problems.iter().map(|repair| foreign::sentence(&repair.to_string())).collect(),
            problems_code: report.problems.iter().map(|repair| repair.kind).collect(),
            notes: report.notes.iter().map(Note::to_string).collect(),
            notes_code: report.notes.iter().map(Note::code).collect(),
            moved_to: report.moved_to.as_deref(),
            error: report.failure.as_ref().map(Failure::to_string),
            error_kind: report.failure.as_ref().map(|failure| failure.kind().words()),
            error_code: report.failure.as_ref().map(Failure::kind),
            duration_ms: report.duration_ms,
            next_poll: report.next_poll,
        }
    }
}

/// Runs `newswire poll`. Exits with 1 if none of the polled feeds could be read.
pub(super) fn run(config: Option<&Path>, args: &Args) -> Done {
    let config = Arc::new(load(config)?.config);
    let pass = pass(&config, args)?;
    let started = Instant::now();
    let reports = runtime()?.block_on(async {
        match upgrade::open(&config.store.path, "`newswire poll`") {
            Ok(store) => poll_here(&config, store, &pass, &progress_bar(args)).await,
            Err(held) => match ask(&config, held, &Request::Poll(pass.clone())).await? {
                Answer::Polled(reports) => Ok(reports),
                other => Err(anyhow!("unexpected answer from the daemon: {other:?}").into()),
            },
        }
    })?;
    let summary = summarize(&reports, started);
    let is_idle = reports.is_empty() && matches!(pass, Pass::Due);
    print(&match args.json {
        true => as_json(&reports, &summary)?,
        false if config.feeds.is_empty() => "no feeds yet; add one with `newswire add URL`\n".to_owned(),
        false if is_idle => {
            "no feed is due; `newswire feeds` shows the next polls, and --all or --force polls now\n".to_owned()
        }
        false => as_text(&reports, &summary, clock::now(), is_named(&pass)),
    })?;
    let polled = reports.iter().filter(|report| report.outcome != ReportedOutcome::Held).count();
    let has_failed = polled > 0 && summary.failed == polled;
    Ok(if has_failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

async fn poll_here(
    config: &Arc<Config>,
    store: Store,
    pass: &Pass,
    bar: &ProgressBar,
) -> Result<Vec<PollReport>, CommandError> {
    let now = clock::now();
    let fetcher = Fetcher::new(&config.poll.contact);
    let is_fetched = |feed: &&Arc<Feed>| feed.enabled && !feed.url.is_file();
    config.feeds.iter().find(is_fetched).into_iter().for_each(|feed| fetcher.prepare(feed));
    commit::sync(&store, config.clone(), now).await?;
    let poller = Poller::new(store.clone(), fetcher.clone(), config.poll.concurrency);
    let (news, written) = mpsc::unbounded_channel();
    let show = move |report: &PollReport, total: usize| {
        bar.set_length(total as u64);
        bar.set_message(report.feed.to_string());
        bar.inc(1);
        let _ = news.send(report.new + report.revised);
    };
    let (reports, indexed) = tokio::join!(poller.pass(config, pass, now, show), index(&store, written));
    let reports = reports?;
    indexed?;
    deliver(config, store.clone(), &fetcher).await?;
    bar.finish_and_clear();
    Ok(reports)
}

/// Completes the index that `newswire search` uses. Begins while polls are running, as soon as there are enough entries
/// for a batch. `written` tells after each poll how many entries it wrote, and closes after the last poll. Only the
/// daemon builds the index for readers of the site.
async fn index(store: &Store, mut written: mpsc::UnboundedReceiver<usize>) -> Result<(), StoreError> {
    let mut waiting = 0;
    while let Some(entries) = written.recv().await {
        waiting += entries;
        if waiting >= commit::INDEX_BATCH {
            waiting = waiting.saturating_sub(commit::index_batch(store).await?);
        }
    }
    while commit::index_batch(store).await? > 0 {}
    Ok(())
}

/// Sends the messages of hooks that are due. Without a daemon, nothing else sends them.
async fn deliver(config: &Arc<Config>, store: Store, fetcher: &Fetcher) -> Result<(), CommandError> {
    let delivery = Delivery::new(store, fetcher.clone(), config);
    let passes = config.hooks.iter().map(|hook| delivery.pass(config, &hook.id));
    for passed in join_all(passes).await {
        passed?;
    }
    Ok(())
}

fn pass(config: &Config, args: &Args) -> anyhow::Result<Pass> {
    let named: Vec<_> = args.feeds.iter().map(|id| FeedId::from(id.as_str())).collect();
    for id in &named {
        match config.feed(id) {
            None => return Err(no_feed(config, id.as_str())),
            Some(feed) if !feed.enabled => bail!("the feed {id} is disabled; to poll it, run `newswire enable {id}`"),
            Some(_) => {}
        }
    }
    Ok(match (args.force, args.all, named.is_empty()) {
        (true, _, _) => Pass::Force(named),
        (_, true, _) => Pass::All,
        (_, _, false) => Pass::Named(named),
        _ => Pass::Due,
    })
}

fn progress_bar(args: &Args) -> ProgressBar {
    if args.json || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} {wide_msg}").expect("the template is constant");
    ProgressBar::new(0).with_style(style)
}

fn summarize(reports: &[PollReport], started: Instant) -> Summary {
    let count = |outcome| reports.iter().filter(|report| report.outcome == outcome).count();
    Summary {
        feeds: reports.len(),
        changed: count(ReportedOutcome::Changed),
        new: reports.iter().map(|report| report.new).sum(),
        revised: reports.iter().map(|report| report.revised).sum(),
        failed: count(ReportedOutcome::Failed) + count(ReportedOutcome::Gone),
        duration_ms: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
    }
}

fn as_json(reports: &[PollReport], summary: &Summary) -> Result<String, serde_json::Error> {
    let mut text = String::new();
    for report in reports {
        text.push_str(&serde_json::to_string(&PollLine::of(report))?);
        text.push('\n');
    }
    text.push_str(&serde_json::to_string(&serde_json::json!({ "summary": summary }))?);
    text.push('\n');
    Ok(text)
}

/// Whether the user named the feeds of the pass. Each named feed gets a line.
fn is_named(pass: &Pass) -> bool {
    matches!(pass, Pass::Named(_)) || matches!(pass, Pass::Force(named) if !named.is_empty())
}

/// Returns one line per feed that was polled or named, and a summary.
fn as_text(reports: &[PollReport], summary: &Summary, now: Timestamp, is_named: bool) -> String {
    let mut text = String::new();
    let (held, listed): (Vec<_>, Vec<_>) = reports.iter().partition(|report| report.held.is_some() && !is_named);
    let width = listed.iter().map(|report| report.feed.as_str().len()).max().unwrap_or_default();
    for report in listed {
        text.push_str(&labelled(report.feed.as_str(), width, &what(report, now)));
    }
    text.push_str(&not_polled(&held, now));
    let seconds = summary.duration_ms as f64 / 1000.0;
    let Summary { changed, new, revised, failed, .. } = summary;
    let feeds = count(summary.feeds - held.len(), "feed", "feeds");
    let new = count(*new, "new entry", "new entries");
    writeln!(text, "{feeds}: {changed} changed, {failed} failed; {new}, {revised} revised in {seconds:.1} s")
        .expect("writing to a string cannot fail");
    text
}

/// Returns one line per reason why feeds were not polled, with the first few of these feeds.
fn not_polled(held: &[&PollReport], now: Timestamp) -> String {
    let mut reasons: BTreeMap<String, Vec<(Timestamp, &str)>> = BTreeMap::new();
    for report in held {
        if let Some(hold) = &report.held {
            reasons.entry(why(hold)).or_default().push((hold.until, report.feed.as_str()));
        }
    }
    let mut text = String::new();
    for (why, mut feeds) in reasons {
        feeds.sort_unstable_by_key(|(_, id)| *id);
        let soonest = feeds.iter().map(|(until, _)| *until).min().map_or_else(String::new, |at| relative(at, now));
        let mut names = feeds.iter().take(HELD_NAMED).map(|(_, id)| *id).collect::<Vec<_>>().join(", ");
        if feeds.len() > HELD_NAMED {
            names.push_str(", …");
        }
        let (they_were, first) = match feeds.len() {
            1 => ("was not polled, because it was", "it"),
            _ => ("were not polled, because they were", "the first"),
        };
        let feeds = count(feeds.len(), "feed", "feeds");
        let not_polled = format!("{feeds} {they_were} {why}: {names}; {first} may be polled {soonest}");
        text.push_str(&wrap(&not_polled, columns(), "  "));
    }
    text
}

/// Says why a feed is not polled, such as `polled recently` or `put on hold by Retry-After`.
fn why(hold: &Hold) -> String {
    match hold.why {
        HoldReason::LastPoll => "polled recently".to_owned(),
        why => format!("put on hold by {why}"),
    }
}

/// Describes the outcome of a feed.
fn what(report: &PollReport, now: Timestamp) -> String {
    if let Some(hold) = &report.held {
        return format!("{}; next poll allowed {}", why(hold), relative(hold.until, now));
    }
    let failed = report.failure.as_ref().map(|failure| format!("failed: {}", safe(&failure.to_string())));
    let what = match (failed, report.outcome) {
        (Some(failed), ReportedOutcome::Gone) => failed,
        (Some(failed), _) => format!("{failed}; next poll {}", relative(report.next_poll, now)),
        (None, ReportedOutcome::Changed) => {
            format!("{}, {} revised", count(report.new, "new entry", "new entries"), report.revised)
        }
        (None, outcome) => outcome.as_str().to_owned(),
    };
    let moved = report.moved_to.iter().map(|to| format!("moved permanently; set url = {:?}", safe(to)));
    let notes = report.notes.iter().map(|note| safe(&note.to_string()));
    std::iter::once(what).chain(notes).chain(moved).collect::<Vec<_>>().join("; ")
}
