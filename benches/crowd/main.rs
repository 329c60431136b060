//! Measures what the daemon costs with 1,000, 20,000 and 100,000 feeds: the start with an empty store, the daemon at
//! rest, edits of the config, and an hour of polls.
//!
//! `cargo bench --bench crowd` starts its own server for the feeds on loopback. It prints times, processor time, memory
//! and bytes, and asserts nothing. The times depend on the machine: compare them with another build, `-- program=PATH`,
//! in the same hour. `-- 20000x3` measures one size only (feeds × entries), and `-- cold 20000x3` measures only the
//! start from an empty store. `-- sections=20` sets the number of sections. `-- large` measures feeds of 9.3 MiB.
//! `-- hostile` measures how long healthy feeds wait for their first poll while a third of all feeds fail, hang or send
//! 9.3 MiB. Linux only.
#![allow(
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a benchmark prints its figures, and ends where something is wrong"
)]

mod daemon;
#[path = "../wire/feeds.rs"]
mod feeds;
#[path = "../wire/origin.rs"]
mod origin;
#[allow(dead_code, reason = "every benchmark uses a part of it")]
#[path = "../wire/program.rs"]
mod program;
mod site;

use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::Context;
use daemon::Daemon;
use origin::Origin;
use site::Site;

/// The measured sizes: the number of feeds, and of entries in each feed.
const SIZES: [(usize, usize); 3] = [(1_000, 25), (20_000, 3), (100_000, 1)];

const SECTIONS: usize = 20;

/// How long the daemon is measured at rest.
const REST: Duration = Duration::from_secs(60);

/// How much of the simulated hour is measured.
const STEADY: Duration = Duration::from_secs(120);

/// The time from the start of the daemon to the start of the simulated hour.
const LEAD: Duration = Duration::from_secs(20);

/// One feed in this many has news in the simulated hour.
const NEWS: usize = 20;

/// The numbers of the feeds that get a new entry. Multiples of three are left out, because `hostile` makes these feeds
/// unhealthy.
const NEWS_FEEDS: [usize; 3] = [7, 77, 775];

/// The feeds of `large`: their number, and the bytes of each document.
const LARGE: (usize, usize) = (64, 9_500 << 10);

/// The number of feeds of `hostile`, and the bytes of each large document. A ninth of the feeds are large and a ninth
/// hang. Together, these are more feeds than newswire fetches at once.
const HOSTILE: (usize, usize) = (1_350, 9_500 << 10);

/// The number of entries in each healthy feed of `hostile`.
const HEALTHY_ENTRIES: usize = 3;

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    let named = |name: &str| arguments.iter().find_map(|argument| argument.strip_prefix(name));
    let program = named("program=").unwrap_or(env!("CARGO_BIN_EXE_newswire"));
    let sections = named("sections=").map_or(Ok(SECTIONS), str::parse)?;
    let is_named = |name: &str| arguments.iter().any(|argument| argument == name);
    let sizes: Vec<(usize, usize)> = arguments
        .iter()
        .filter_map(|argument| argument.split_once('x'))
        .filter_map(|(feeds, entries)| Some((feeds.parse().ok()?, entries.parse().ok()?)))
        .collect();
    let is_all = sizes.is_empty() && !is_named("large") && !is_named("hostile");
    for (feeds, entries) in if is_all { SIZES.to_vec() } else { sizes } {
        println!("{feeds} feeds × {entries} entries, {sections} sections");
        let origin = Origin::start(feeds, Box::new(move |number, news| feeds::document(entries, number, news)))?;
        if is_named("cold") {
            cold_only(program, origin, sections)?;
        } else {
            crowd(program, origin, sections)?;
        }
    }
    if is_all || is_named("large") {
        let (count, bytes) = LARGE;
        println!("{count} feeds of {:.1} MiB", bytes as f64 / f64::from(1 << 20));
        cold_only(program, Origin::start(count, Box::new(move |number, _| sized(number, bytes)))?, SECTIONS)?;
    }
    if is_all || is_named("hostile") {
        let (count, bytes) = HOSTILE;
        let mib = bytes as f64 / f64::from(1 << 20);
        println!("{count} feeds, a ninth each of which fail, hang, or send {mib:.1} MiB");
        beside_hostile(program, &Origin::start(count, Box::new(move |number, news| hostile(number, bytes, news)))?)?;
    }
    Ok(())
}

/// Measures everything for one size, from the empty store to the hourly polls.
fn crowd(program: &str, origin: Origin, sections: usize) -> anyhow::Result<()> {
    let mut site = Site::new(&origin.urls(), sections)?;
    let check = Instant::now();
    let checked = Command::new(program).args(["check", "--config"]).arg(&site.config).output()?;
    anyhow::ensure!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
    line("check", &format!("{:.2} s", check.elapsed().as_secs_f64()));

    let mut daemon = Daemon::start(program, &site)?;
    cold(&mut daemon, &origin)?;
    let before = daemon.cpu()?;
    std::thread::sleep(REST);
    let share = (daemon.cpu()? - before) / REST.as_secs_f64();
    line("at rest over a minute", &format!("{:.2} % of a core, {:.0} MiB", share * 100.0, daemon.resident_mib()));
    largest_page(&site)?;
    one_entry(program, &daemon, &origin, &site, ("all", ""))?;

    let (before, started) = (daemon.cpu()?, Instant::now());
    site.add_feed(&origin.urls()[0])?;
    let polled = origin.asked()[0];
    // The status page would show the added feed too, but a request for that page takes seconds of processor time.
    wait_until(&mut daemon, "the added feed is active", || site.has_added_feed())?;
    line("an edit that adds one feed, active", &spent(&daemon, before, started)?);
    wait_until(&mut daemon, "the added feed is polled", || Ok(origin.asked()[0] > polled))?;
    line("  until that feed is polled", &spent(&daemon, before, started)?);
    daemon.wait_idle()?;
    let (before, started) = (daemon.cpu()?, Instant::now());
    site.change_rule()?;
    daemon.wait_for("/s2.atom", "Another title", site.port)?;
    line("an edit that changes a rule, served", &spent(&daemon, before, started)?);
    daemon.wait_idle()?;
    line("  until all is judged", &spent(&daemon, before, started)?);
    daemon.stop()?;

    let started = Instant::now();
    let mut daemon = Daemon::start(program, &site)?;
    line("a start on the full store, ready", &spent(&daemon, 0.0, started)?);
    daemon.wait_idle()?;
    line("  until it rests", &format!("{}, {:.0} MiB", spent(&daemon, 0.0, started)?, daemon.resident_mib()));
    daemon.stop()?;
    steady(program, &origin, &site)
}

/// Measures a start from an empty store, until all feeds are polled and published.
fn cold_only(program: &str, origin: Origin, sections: usize) -> anyhow::Result<()> {
    let site = Site::new(&origin.urls(), sections)?;
    let mut daemon = Daemon::start(program, &site)?;
    cold(&mut daemon, &origin)?;
    daemon.stop()
}

/// Starts with an empty store, and measures how long the healthy feeds wait for their first poll while others fail,
/// hang, or are very large.
fn beside_hostile(program: &str, origin: &Origin) -> anyhow::Result<()> {
    let site = Site::new(&origin.urls(), SECTIONS)?;
    // The other sections are full of entries of the large feeds, so new entries would not be seen there.
    site.add_section("healthy", &NEWS_FEEDS)?;
    let begun = u64::try_from(origin.started.elapsed().as_millis())?;
    let mut daemon = Daemon::start(program, &site)?;
    let started = Instant::now();
    let healthy: Vec<usize> = (0..origin.count()).filter(|number| number % 3 > 0).collect();
    while site.polled()?.iter().filter(|number| *number % 3 > 0).count() < healthy.len() {
        daemon.check_alive()?;
        std::thread::sleep(Duration::from_millis(500));
    }
    line("all healthy feeds polled", &spent(&daemon, 0.0, started)?);
    let asked = origin.asked();
    let mut late: Vec<u64> = healthy.iter().map(|number| asked[*number].saturating_sub(begun)).collect();
    late.sort_unstable();
    let (median, p99) = (late[late.len() / 2] as f64 / 1e3, late[late.len() * 99 / 100] as f64 / 1e3);
    line("  requested after", &format!("{median:.1} s in the median, {p99:.1} s at p99"));
    one_entry(program, &daemon, origin, &site, ("healthy", &format!("{HEALTHY_ENTRIES}/")))?;
    let large = site.polled()?.iter().filter(|number| *number % 9 == 6).count();
    let (peak, resident) = (daemon.peak_mib(), daemon.resident_mib());
    line("memory", &format!("{peak:.0} MiB at its peak, {resident:.0} MiB now, with {large} large feeds read"));
    daemon.stop()
}

fn cold(daemon: &mut Daemon, origin: &Origin) -> anyhow::Result<()> {
    let started = Instant::now();
    while origin.asked().contains(&0) {
        daemon.check_alive()?;
        std::thread::sleep(Duration::from_millis(200));
    }
    line("all requested", &spent(daemon, 0.0, started)?);
    let idle = daemon.wait_idle()?;
    let wall = started.elapsed().as_secs_f64() - idle.as_secs_f64();
    line("all polled and served", &format!("{wall:.1} s, {:.1} CPU s", daemon.cpu()?));
    let (peak, resident) = (daemon.peak_mib(), daemon.resident_mib());
    line("memory", &format!("{peak:.0} MiB at its peak, {resident:.0} MiB at rest"));
    Ok(())
}

fn largest_page(site: &Site) -> anyhow::Result<()> {
    let paths =
        ["/", "/feeds/", "/feeds.opml", "/sitemap.xml", "/all/", "/all.opml", "/all.atom", "/all.rss", "/all.json"];
    let mut sizes = Vec::new();
    for path in paths {
        let started = Instant::now();
        sizes.push((daemon::get(site.port, path)?.len(), path, started.elapsed().as_secs_f64() * 1e3));
    }
    let (bytes, path, _) = sizes.iter().max_by_key(|(bytes, ..)| *bytes).context("there are pages")?;
    line("largest document", &format!("{path}, {bytes} bytes"));
    let (_, path, ms) = sizes.iter().max_by(|(.., a), (.., b)| a.total_cmp(b)).context("there are pages")?;
    line("slowest document", &format!("{path}, {ms:.1} ms"));
    Ok(())
}

/// Adds an entry to each of the [`NEWS_FEEDS`] in turn, and polls that feed. Prints the median of the times until the
/// edition of the section contains the link of the entry. The path of this link begins with `path`.
fn one_entry(
    program: &str,
    daemon: &Daemon,
    origin: &Origin,
    site: &Site,
    (section, path): (&str, &str),
) -> anyhow::Result<()> {
    let (mut figures, edition) = (Vec::new(), format!("/{section}.json"));
    for number in NEWS_FEEDS {
        origin.add_entry(std::iter::once(number));
        let asked = origin.asked()[number];
        let before = daemon.cpu()?;
        let mut poll = Command::new(program);
        poll.args(["poll", "--force", "--config"]).arg(&site.config).arg(format!("feed{number}"));
        let (_, output) = (daemon::get(site.port, &edition)?, poll.output()?);
        anyhow::ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        while origin.asked()[number] == asked {
            std::thread::sleep(Duration::from_millis(1));
        }
        let link = format!("https://feed{number}.example/{path}");
        daemon.wait_for(&edition, &link, site.port)?;
        let after_ms = u64::try_from(origin.started.elapsed().as_millis())? - origin.asked()[number];
        std::thread::sleep(Duration::from_secs(2));
        figures.push((after_ms, daemon.cpu()? - before));
    }
    figures.sort_by_key(|(ms, _)| *ms);
    let (ms, _) = figures[1];
    figures.sort_by(|(_, a), (_, b)| a.total_cmp(b));
    line("one new entry, from its poll to the edition", &format!("{ms} ms, {:.2} CPU s", figures[1].1));
    Ok(())
}

/// Spreads the polls of all feeds evenly over an hour, and measures two minutes of that hour. A twentieth of the feeds
/// have new entries.
fn steady(program: &str, origin: &Origin, site: &Site) -> anyhow::Result<()> {
    origin.add_entry((0..origin.count()).step_by(NEWS));
    let begins = chrono::Utc::now().timestamp_millis() + i64::try_from(LEAD.as_millis())?;
    let (began, count) = (origin.started.elapsed() + LEAD, origin.count());
    site.plan_evenly(begins, count)?;
    let before = origin.asked();
    let mut daemon = Daemon::start(program, site)?;
    daemon.wait_idle()?;
    std::thread::sleep(began.saturating_sub(origin.started.elapsed()));
    let (cpu, written) = (daemon.cpu()?, daemon.written()?);
    std::thread::sleep(STEADY);
    let (share, written) = ((daemon.cpu()? - cpu) / STEADY.as_secs_f64(), daemon.written()? - written);
    let asked = origin.asked();
    let due = |number: usize| began.as_millis() as u64 + (3_600_000 * number / count) as u64;
    let end = began.as_millis() as u64 + STEADY.as_millis() as u64;
    let due_now: Vec<usize> = (0..count).filter(|number| due(*number) + 5_000 < end).collect();
    let mut late: Vec<u64> = due_now.iter().map(|number| asked[*number].saturating_sub(due(*number))).collect();
    late.sort_unstable();
    let missing = due_now.iter().filter(|number| asked[**number] == before[**number]).count();
    let polled = asked.iter().zip(&before).filter(|(after, before)| after != before).count().max(1);
    let p99 = late.get(late.len() * 99 / 100).copied().unwrap_or_default();
    let cores = std::thread::available_parallelism()?.get() as f64;
    line(
        "two minutes of an hour with 95 % 304",
        &format!(
            "{:.2} % of {cores:.0} cores, {polled} polls, {} bytes written a poll, {p99} ms late at p99, {missing} feeds not polled, {:.0} MiB",
            share / cores * 100.0,
            written / polled as u64,
            daemon.resident_mib()
        ),
    );
    daemon.stop()
}

fn wait_until(daemon: &mut Daemon, what: &str, is_done: impl Fn() -> anyhow::Result<bool>) -> anyhow::Result<()> {
    let started = Instant::now();
    while !is_done()? {
        daemon.check_alive()?;
        anyhow::ensure!(started.elapsed() < daemon::PATIENCE, "{what}: that does not happen");
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}

fn spent(daemon: &Daemon, before: f64, started: Instant) -> anyhow::Result<String> {
    Ok(format!("{:.2} s, {:.2} CPU s", started.elapsed().as_secs_f64(), daemon.cpu()? - before))
}

fn line(what: &str, figures: &str) {
    println!("  {what:46} {figures}");
}

/// Returns a document of at least this many bytes.
fn sized(number: usize, bytes: usize) -> String {
    let one = feeds::document(1, number, 0).len();
    feeds::document(bytes / one + 1, number, 0)
}

/// Returns a document, which may be very large, or the text that makes the server fail or hang.
fn hostile(number: usize, bytes: usize, news: usize) -> String {
    match number % 9 {
        0 => origin::FAILS.to_owned(),
        3 => origin::HANGS.to_owned(),
        6 => sized(number, bytes),
        _ => feeds::document(HEALTHY_ENTRIES, number, news),
    }
}
