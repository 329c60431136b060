//! Measures how long an editor waits: for `newswire try` and `search` over an archive of 100,000 stories, and for edits
//! of a TOML with 5,000 feeds. Each command is a separate process.
//!
//!     cargo bench --bench desk
//!
//! Prints one line per command. The stories consist of invented words. Their feeds are files that are polled once.
#![allow(
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a benchmark prints its figures, and ends where something is wrong"
)]

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

const FEEDS: usize = 100;
const ENTRIES: usize = 1000;
/// The number of words in an entry, about as many as in a short article.
const WORDS: usize = 150;
const RUNS: usize = 3;
/// The number of feeds in the imported list.
const LISTED: usize = 5000;

fn main() {
    search_archive();
    edit_config();
}

fn search_archive() {
    let folder = tempfile::tempdir().expect("a folder for the archive can be made");
    let mut config = "[stories]\ndedup = \"off\"\n[poll]\ntimeout = \"10 minutes\"\n".to_owned();
    for feed in 0..FEEDS {
        let name = format!("{feed}.xml");
        std::fs::write(folder.path().join(&name), document(feed)).expect("the folder can be written to");
        writeln!(config, "[[feed]]\nid = \"f{feed}\"\nurl = \"file:{name}\"\ntags = [\"t{}\"]", feed % 10)
            .expect("a text");
    }
    for section in 0..10 {
        let rules =
            "keep = [{ title = \"harbour\" }, { text = \"/\\\\bw4[0-9]\\\\b/\" }]\ndrop = [{ words = \"<20\" }]";
        writeln!(config, "[[section]]\nid = \"s{section}\"\nfeeds = [\"tag:t{section}\"]\n{rules}").expect("a text");
    }
    std::fs::write(folder.path().join("newswire.toml"), config).expect("the folder can be written to");
    let (output, time) = run(folder.path(), &["poll"]);
    assert!(output.contains(&format!(" {} new", FEEDS * ENTRIES)), "{output}");
    println!("poll of {} stories: {:.1} s", FEEDS * ENTRIES, time.as_secs_f64());
    for command in [
        &["try"] as &[&str],
        &["try", "--section", "s3", "--drop", "title=/w7+/"],
        &["try", "--section", "s3", "--drop", "text=/\\bw7[0-9]\\b/"],
        &["search", "harbour"],
        &["search", "\"w12 w34\""],
        &["search", "w1"],
        &["search", "w12"],
        &["search", "town"],
        &["search", "title:harbour section:s3"],
        &["explain", "harbour 17 of 42"],
        &["feeds"],
    ] {
        let best = (0..RUNS).map(|_| run(folder.path(), command).1).min().unwrap_or_default();
        print_time(command, best);
    }
}

fn edit_config() {
    let folder = tempfile::tempdir().expect("a folder for the config can be made");
    let mut list = "<opml version=\"2.0\"><body>".to_owned();
    for feed in 0..LISTED {
        write!(
            list,
            "<outline text=\"Feed {feed}\" xmlUrl=\"https://site-{feed}.example/feed\" category=\"t{}\"/>",
            feed % 50
        )
        .expect("writing to a text cannot fail");
    }
    let section = "[[section]]\nid = \"all\"\nfeeds = [\"*\"]\n";
    std::fs::write(folder.path().join("list.opml"), list + "</body></opml>").expect("the folder can be written to");
    std::fs::write(folder.path().join("newswire.toml"), section).expect("the folder can be written to");
    for command in [
        &["import", "list.opml"] as &[&str],
        &["import", "list.opml"],
        &["add", "https://new.example/feed", "--unseen"],
        &["remove", "new-example"],
        &["check"],
        &["export"],
    ] {
        print_time(command, run(folder.path(), command).1);
    }
}

fn print_time(command: &[&str], time: Duration) {
    println!("newswire {}: {:.0} ms", command.join(" "), time.as_secs_f64() * 1000.0);
}

/// Runs a command; returns what it prints, and how long it takes.
fn run(folder: &Path, arguments: &[&str]) -> (String, Duration) {
    let started = Instant::now();
    let output = Command::new(env!("CARGO_BIN_EXE_newswire")).args(arguments).current_dir(folder).output();
    let output = output.expect("the program can be run");
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    (String::from_utf8_lossy(&output.stdout).into_owned(), started.elapsed())
}

fn document(feed: usize) -> String {
    let mut random = 0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(feed as u64 + 1);
    let mut word = || {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        format!("w{}", (random >> 33) % 5000)
    };
    let mut text = "<rss version=\"2.0\"><channel><title>Invented</title>".to_owned();
    for entry in 0..ENTRIES {
        let words: Vec<String> = (0..WORDS).map(|_| word()).collect();
        let place = if entry % 50 == 17 { "harbour" } else { "town" };
        let (title, words) = (format!("{place} {entry} of {feed} {}", word()), words.join(" "));
        let link = format!("https://site-{feed}.example/{entry}");
        write!(text, "<item><guid>{link}</guid><link>{link}</link><title>{title}</title><description>{words}</description></item>")
            .expect("writing to a text cannot fail");
    }
    text.push_str("</channel></rss>");
    text
}
