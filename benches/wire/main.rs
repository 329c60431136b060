//! Measures the cost of polling: the program itself on a thousand feeds, each stage alone, and lemon24/reader on the
//! same work.
//!
//! `cargo bench --bench wire` starts its own server for the feeds on loopback. It polls the feeds cold (for the first
//! time), then with only 304s, then with one new entry in one feed of ten. It prints times, memory and ratios. Use the
//! ratios, because the times depend on the machine. Cross-posts are merged, text is indexed, and everything is written
//! to disk. `cargo bench --bench wire -- --quick` does a tenth of the work, `-- sections=20` sets the number of
//! sections, and `-- program=PATH` measures only another build of newswire. lemon24/reader is measured if `python3` has
//! it (`pip install reader sgmllib3k`); its start is not counted. Linux only.
#![allow(
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a benchmark prints its figures, and ends where something is wrong"
)]

mod feeds;
mod origin;
mod program;
mod stages;

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;
use origin::Origin;
use program::Cost;
use stages::{Part, Stage};
use tempfile::TempDir;

const FEEDS: usize = 1_000;
const QUICK_FEEDS: usize = 100;

/// The least number of sections: one that takes every story, and one with rules.
const SECTIONS: usize = 2;

/// The syllables that words of titles consist of.
const SYLLABLES: [&str; 4] = ["ba", "ka", "mi", "ti"];

/// How many times the program is measured on each workload. The figures are medians.
const RUNS: usize = 3;

/// The workloads: the first poll of all feeds; a poll where every server answers 304; a poll where 1 feed in 10 has
/// news.
const WORKLOADS: [&str; 3] = ["cold", "all 304", "1 feed in 10 has news"];

fn main() -> anyhow::Result<()> {
    let named = |name: &str| std::env::args().find_map(|argument| argument.strip_prefix(name).map(str::to_owned));
    let count = if std::env::args().any(|argument| argument == "--quick") { QUICK_FEEDS } else { FEEDS };
    let sections = named("sections=").map_or(Ok(SECTIONS), |sections| sections.parse())?;
    let other = named("program=");
    let origin = Origin::start(count, Box::new(|number, news| feeds::document(feeds::ENTRIES, number, news)))?;
    let megabytes = origin.bodies().iter().map(|body| body.len()).sum::<usize>() as f64 / 1e6;
    let cores = std::thread::available_parallelism()?;
    println!("{count} feeds × {} entries, {megabytes:.1} MB; {cores} cores; medians of {RUNS}\n", feeds::ENTRIES);

    let bed = Bed::new(&origin, sections)?;
    let newswire = bed.newswire(&origin, other.as_deref().unwrap_or(env!("CARGO_BIN_EXE_newswire")))?;
    if other.is_some() {
        println!("{}", programs(&newswire, None));
        return Ok(());
    }
    let reader = bed.reader(&origin).inspect_err(|error| println!("reader cannot be measured: {error}")).ok().flatten();
    println!("{}", programs(&newswire, reader.as_ref()));
    let stages = stages::measure(&origin, &bed.config, bed.folder.path())?;
    println!("{}", alone(&stages, count, cores.get(), &newswire));
    Ok(())
}

/// A folder with the config of all feeds.
struct Bed {
    folder: TempDir,
    config: PathBuf,
    /// The addresses of the feeds, one per line.
    urls: PathBuf,
}

impl Bed {
    fn new(origin: &Origin, sections: usize) -> anyhow::Result<Bed> {
        let folder = tempfile::tempdir()?;
        let mut toml = "[site]\ntitle = \"A benchmark\"\n[poll]\nallow = [\"127.0.0.0/8\"]\n\
             [[section]]\nid = \"all\"\ntitle = \"All\"\nfeeds = [\"*\"]\nlimit = 100\n\
             [[section]]\nid = \"some\"\ntitle = \"Some\"\nfeeds = [\"*\"]\nkeep = [{ title = \"baba\" }, { title = \"kaba\" }]\n"
            .to_owned();
        for number in SECTIONS..sections {
            let (first, second) =
                (SYLLABLES[number % SYLLABLES.len()], SYLLABLES[number / SYLLABLES.len() % SYLLABLES.len()]);
            writeln!(
                toml,
                "[[section]]\nid = \"s{number}\"\ntitle = \"S\"\nfeeds = [\"*\"]\nkeep = [{{ title = \"{first}{second}\" }}]"
            )?;
        }
        for (number, url) in origin.urls().iter().enumerate() {
            writeln!(toml, "[[feed]]\nid = \"feed{number}\"\nurl = \"{url}\"")?;
        }
        let (config, urls) = (folder.path().join("newswire.toml"), folder.path().join("urls"));
        std::fs::write(&config, toml)?;
        std::fs::write(&urls, origin.urls().join("\n"))?;
        Ok(Bed { folder, config, urls })
    }

    /// Returns what each of the [`WORKLOADS`] costs newswire.
    fn newswire(&self, origin: &Origin, program: &str) -> anyhow::Result<[Cost; 3]> {
        let mut poll = Command::new(program);
        poll.args(["poll", "--force", "--json", "--config"]).arg(&self.config);
        let mut run = || -> anyhow::Result<Cost> {
            let (cost, printed) = program::run(&mut poll)?;
            let summary = printed.lines().last().unwrap_or_default();
            anyhow::ensure!(summary.contains("\"failed\":0,"), "feeds could not be polled: {summary}");
            Ok(cost)
        };
        let cold = median(RUNS, || {
            self.remove("newswire.db")?;
            run()
        })?;
        let known = median(RUNS, &mut run)?;
        let news = median(RUNS, || {
            origin.add_news();
            run()
        })?;
        Ok([cold, known, news])
    }

    /// Returns what each of the [`WORKLOADS`] costs lemon24/reader, and its version; `None` if it is not installed. The
    /// cold poll is measured only once.
    fn reader(&self, origin: &Origin) -> anyhow::Result<Option<([Cost; 3], String)>> {
        let has_reader = Command::new("python3").args(["-c", "import reader"]).output();
        if !has_reader.is_ok_and(|output| output.status.success()) {
            return Ok(None);
        }
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/wire/peer.py");
        let mut update = Command::new("python3");
        update.arg(script).arg(self.folder.path().join("reader.db")).arg(&self.urls);
        let mut version = String::new();
        let mut run = || -> anyhow::Result<Cost> {
            let (cost, printed) = program::run(&mut update)?;
            let (seconds, of) = printed.trim().split_once(' ').context("the script prints seconds and a version")?;
            version = of.to_owned();
            Ok(Cost { wall: seconds.parse()?, ..cost })
        };
        let cold = run()?;
        let known = median(RUNS, &mut run)?;
        let news = median(RUNS, || {
            origin.add_news();
            run()
        })?;
        Ok(Some(([cold, known, news], version)))
    }

    /// Removes a database and the files that SQLite creates next to it.
    fn remove(&self, database: &str) -> std::io::Result<()> {
        for file in std::fs::read_dir(self.folder.path())? {
            let file = file?;
            if file.file_name().to_string_lossy().starts_with(database) {
                std::fs::remove_file(file.path())?;
            }
        }
        Ok(())
    }
}

/// Returns the median of each figure separately.
fn median(runs: usize, mut run: impl FnMut() -> anyhow::Result<Cost>) -> anyhow::Result<Cost> {
    let costs = (0..runs).map(|_| run()).collect::<Result<Vec<_>, _>>()?;
    let middle = |figure: fn(&Cost) -> f64| {
        let mut figures: Vec<f64> = costs.iter().map(figure).collect();
        figures.sort_by(f64::total_cmp);
        figures[figures.len() / 2]
    };
    Ok(Cost { wall: middle(|cost| cost.wall), cpu: middle(|cost| cost.cpu), peak_mib: middle(|cost| cost.peak_mib) })
}

/// Formats the costs of the programs as a table, side by side.
fn programs(newswire: &[Cost; 3], reader: Option<&([Cost; 3], String)>) -> String {
    let head = format!("{:>7} {:>7} {:>7}", "wall s", "CPU s", "MiB");
    let (peer, peer_head) = match reader {
        Some((_, version)) => (format!("reader {version}"), format!("{head}   faster")),
        None => (String::new(), "(python3 has no reader)".to_owned()),
    };
    let mut table = format!("{:22} {:>23}   {peer:>23}\n{:22} {head}   {peer_head}\n", "", "newswire", "");
    for (index, (workload, cost)) in WORKLOADS.iter().zip(newswire).enumerate() {
        table += &format!("{workload:22} {}", figures(cost));
        if let Some((costs, _)) = reader {
            let times = costs[index].wall / cost.wall;
            table += &format!("   {} {times:6.1} ×", figures(&costs[index]));
        }
        table.push('\n');
    }
    table
}

fn figures(Cost { wall, cpu, peak_mib }: &Cost) -> String {
    format!("{wall:7.2} {cpu:7.2} {peak_mib:7.0}")
}

/// Formats the costs of the stages as a table, and compares them with the cold poll and the poll that gets only 304s.
fn alone(stages: &[Stage], count: usize, cores: usize, [cold, known, _]: &[Cost; 3]) -> String {
    let sum = |part: Part| stages.iter().filter(|stage| stage.part == part).map(|stage| stage.cpu).sum::<f64>();
    let mut table = format!("{:34} {:>8} {:>8} {:>12}\n", "stage alone", "CPU ms", "of cold", "µs a feed");
    for Stage { name, cpu, part } in stages {
        let name = if *part == Part::Crate { format!("  {name}") } else { (*name).to_owned() };
        table += &format!("{name:34} {:8.0}", cpu * 1e3);
        if *part != Part::Edition {
            let share =
                if *part == Part::Cold { format!("{:6.0} %", cpu / sum(Part::Cold) * 100.0) } else { String::new() };
            table += &format!(" {share:>8} {:12.0}", cpu * 1e6 / count as f64);
        }
        table.push('\n');
    }
    for (what, part, cost) in [("cold", Part::Cold, cold), ("all 304", Part::Known, known)] {
        let bound = sum(part) / cores as f64;
        table += &format!(
            "\n{what}: its stages need {:.2} s, {bound:.2} s on {cores} cores; the poll took {:.1} × that\n",
            sum(part),
            cost.wall / bound
        );
    }
    table
}
