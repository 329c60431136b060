//! Three hundred random histories of a newswire, with polls, edits and retention. Their ends must stay the same when
//! the code that decides is restructured.
//!
//! A history depends on its seed alone: the same seed gives the same polls, edits of the config, splits and joins. Its
//! end is everything that a reader or an editor can see, except the sentences of explanations: the editions, the
//! archives, and for each story its copies and its state in each section. `golden/histories.txt` has one line per
//! history, with a hash of each part.
//!
//! To see what a change of the code changes, run the test before and after it with `NEWSWIRE_HISTORIES` set to a
//! folder, and compare the two folders. `NEWSWIRE_ACCEPT=1` rewrites the golden file. Use it only for a change that
//! users are meant to see.

mod ending;
mod play;
pub mod world;

use std::fmt::Write as _;
use std::path::Path;

use ending::Ending;
use play::play;

/// The number of histories, and how many of them one test plays.
const HISTORIES: u64 = 300;
const PER_TEST: u64 = 75;

const GOLDEN: &str = "tests/golden/histories.txt";

/// Returns the line of the golden file for a history.
fn line(seed: u64, ending: &Ending) -> String {
    let [editions, archives, stories] = ending.hashes();
    format!("{seed:03} editions {editions} archives {archives} stories {stories}")
}

/// Plays the histories of one quarter, and compares their ends with those of the golden file.
fn check(quarter: u64) {
    let seeds = quarter * PER_TEST..(quarter + 1) * PER_TEST;
    assert!(seeds.end <= HISTORIES);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let golden = std::fs::read_to_string(GOLDEN).unwrap_or_default();
    let mut lines = String::new();
    let mut different = Vec::new();
    for seed in seeds {
        let ending = runtime.block_on(play(seed));
        if let Ok(folder) = std::env::var("NEWSWIRE_HISTORIES") {
            ending.write(&Path::new(&folder).join(format!("{seed:03}")));
        }
        let line = line(seed, &ending);
        if !golden.lines().any(|known| known == line) {
            different.push(seed);
        }
        writeln!(lines, "{line}").unwrap();
    }
    if std::env::var_os("NEWSWIRE_ACCEPT").is_some() {
        accept(&lines);
        return;
    }
    assert!(different.is_empty(), "these histories end otherwise than {GOLDEN} says: {different:?}");
}

/// Writes these lines into the golden file, replacing those of the same seeds.
fn accept(lines: &str) {
    let known = std::fs::read_to_string(GOLDEN).unwrap_or_default();
    let seed = |line: &str| line.split(' ').next().unwrap_or_default().to_owned();
    let mut all: Vec<&str> = known.lines().filter(|old| !lines.lines().any(|new| seed(new) == seed(old))).collect();
    all.extend(lines.lines());
    all.sort_unstable();
    std::fs::write(GOLDEN, all.join("\n") + "\n").unwrap();
}

#[test]
fn first_quarter_of_the_histories_ends_as_recorded() {
    check(0);
}

#[test]
fn second_quarter_of_the_histories_ends_as_recorded() {
    check(1);
}

#[test]
fn third_quarter_of_the_histories_ends_as_recorded() {
    check(2);
}

#[test]
fn last_quarter_of_the_histories_ends_as_recorded() {
    check(3);
}

#[test]
fn histories_differ_enough_to_notice_a_change() {
    let golden = std::fs::read_to_string(GOLDEN).unwrap();
    assert_eq!(golden.lines().count() as u64, HISTORIES);
    for part in [2, 4, 6] {
        let hashes: std::collections::BTreeSet<_> =
            golden.lines().map(|line| line.split(' ').nth(part).unwrap()).collect();
        assert!(hashes.len() > 250, "column {part}: only {} different ends", hashes.len());
    }
}
