//! Three hundred random histories of a newswire, with polls, edits and retention. Their ends must stay the same when
//! the code that decides is restructured.
//!
//! A history depends on its seed alone: the same seed gives the same polls, edits of the config, splits and joins. Its
//! end is everything that a reader or an editor can see, except the sentences of explanations: the editions, the
//! archives, and for each story its copies and its state in each section. `golden/histories.txt` has one line per
//! history, with a hash of each part.
//!
//! To see what a change of the code changes, run the test before and after it with `NEWSWIRE_HISTORIES` set to a
//! folder, and compare the two folders. The ignored test with `NEWSWIRE_ACCEPT=1` rewrites the golden file. Use it
//! only for a change that users are meant to see.

mod ending;
mod play;
pub mod world;

use std::fmt::Write as _;
use std::ops::Range;
use std::path::Path;

use ending::Ending;
use play::play;

/// The number of histories. `.ci/deep` plays them all.
const HISTORIES: u64 = 300;
/// How many of the histories each of the two tests of `cargo test` plays.
const PER_TEST: u64 = 30;

const GOLDEN: &str = "tests/golden/histories.txt";

/// Returns the line of the golden file for a history.
fn line(seed: u64, ending: &Ending) -> String {
    let [editions, archives, stories] = ending.hashes();
    format!("{seed:03} editions {editions} archives {archives} stories {stories}")
}

/// Plays the histories of these seeds, and compares their ends with those of the golden file.
fn check(seeds: Range<u64>) {
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
fn first_histories_end_as_recorded() {
    check(0..PER_TEST);
}

#[test]
fn second_part_of_the_histories_ends_as_recorded() {
    check(PER_TEST..2 * PER_TEST);
}

#[test]
#[ignore = "takes minutes"]
fn all_histories_end_as_recorded() {
    check(0..HISTORIES);
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
