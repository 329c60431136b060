//! What the commands do only at a terminal: questions, choices, a progress bar, colours, `--watch`.

#![cfg(unix)]

use crate::support;

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::mpsc::channel;
use std::time::Instant;

use support::daemon::PATIENCE;
use support::origin::{Origin, Reply};
use support::terminal::Terminal;
use support::workspace::{Workspace, rss};

const ALL: &str = "[[section]]\nid = \"all\"\nfeeds = [\"*\"]\n";

#[test]
fn init_asks_four_questions_and_repeats_those_with_invalid_answers() {
    let workspace = Workspace::new("");
    std::fs::remove_file(workspace.path("newswire.toml")).unwrap();
    let mut terminal = Terminal::start(workspace.command(&["init"]));
    for (question, answer) in [
        ("Title of the site? [Newswire] ", "The Drum"),
        ("Public address of the site", "news.example.org"),
        ("expected a URL that begins with http:// or https://", ""),
        ("who polls them? ", "https://news.example.org/about"),
        ("First feed, or a page that links to one? ", "https://a.example/feed"),
    ] {
        terminal.wait_for(question);
        terminal.answer(answer);
    }
    assert_eq!(terminal.end(), 0, "{}", terminal.shown);
    assert!(terminal.shown.contains("wrote newswire.toml"), "{}", terminal.shown);
    let config = workspace.read("newswire.toml");
    for line in [
        "title = \"The Drum\"",
        "# url = ",
        "contact = \"https://news.example.org/about\"",
        "url = \"https://a.example/feed\"",
    ] {
        assert!(config.contains(line), "{line}\n{config}");
    }
    assert_eq!(workspace.run(&["check"]).code, 0);
}

/// Starts a server with two feeds and a page that links to both.
fn two_feeds() -> Origin {
    Origin::start(|request| match request.target().as_str() {
        "/page" => Reply::new(
            200,
            &[("Content-Type", "text/html")],
            "<!doctype html><html><head><link rel=alternate type=application/rss+xml href=/one><link rel=alternate type=application/rss+xml href=/two>",
        ),
        _ => Reply::new(200, &[], rss(&[("1", "One", "x")])),
    })
}

#[test]
fn one_of_several_feeds_is_chosen_by_its_number() {
    let origin = two_feeds();
    let workspace = Workspace::new(&format!("[poll]\nallow = [\"{}\"]\n{ALL}", origin.address));
    let mut terminal = Terminal::start(workspace.command(&["add", origin.url("/page").as_str()]));
    terminal.wait_for("which one? ");
    terminal.answer("2");
    assert_eq!(terminal.end(), 0, "{}", terminal.shown);
    let config = workspace.read("newswire.toml");
    assert!(config.contains("/two\"") && !config.contains("/one\""), "{config}");
}

#[test]
fn edit_by_hand_while_a_command_waits_is_not_overwritten() {
    let origin = two_feeds();
    let workspace = Workspace::new(&format!("[poll]\nallow = [\"{}\"]\n{ALL}", origin.address));
    let mut terminal = Terminal::start(workspace.command(&["add", origin.url("/page").as_str()]));
    terminal.wait_for("which one? ");
    let by_hand = format!("{}# by hand\n", workspace.read("newswire.toml"));
    workspace.write("newswire.toml", &by_hand);
    terminal.answer("1");
    assert_eq!(terminal.end(), 1, "{}", terminal.shown);
    assert!(
        terminal.shown.contains("newswire.toml was edited in the meantime, so nothing was written"),
        "{}",
        terminal.shown
    );
    assert_eq!(workspace.read("newswire.toml"), by_hand);
}

#[test]
fn poll_shows_its_progress_and_then_its_outcome() {
    let (release, released) = channel();
    let released = Mutex::new(released);
    let origin = Origin::start(move |_| {
        released.lock().unwrap().recv().unwrap();
        Reply::new(200, &[], rss(&[("1", "One", "x")]))
    });
    let feed = |id: &str, url: &str| format!("[[feed]]\nid = \"{id}\"\nurl = \"{url}\"\n");
    let feeds = feed("near", "file:near.xml") + &feed("far", origin.url("/feed").as_str());
    let workspace = Workspace::new(&format!("[poll]\nallow = [\"{}\"]\n{feeds}{ALL}", origin.address));
    workspace.write("near.xml", &rss(&[("2", "Two", "x")]));
    let mut terminal = Terminal::start(workspace.command(&["poll"]));
    terminal.wait_for(" 1/2 near");
    release.send(()).unwrap();
    release.send(()).unwrap();
    assert_eq!(terminal.end(), 0, "{}", terminal.shown);
    let last = terminal.shown.rsplit('\r').find(|line| line.contains("feeds:")).unwrap();
    assert!(last.contains("2 feeds: 2 changed, 0 failed; 2 new entries"), "{}", terminal.shown);
    assert!(!workspace.run(&["poll", "--force"]).err.contains("2/2"), "without a terminal there is no bar");
}

#[test]
fn watched_feeds_are_updated_as_they_change() {
    let workspace = Workspace::new(&format!("[[feed]]\nid = \"a\"\nurl = \"file:a.xml\"\n{ALL}"));
    workspace.write("a.xml", &rss(&[("1", "One", "x")]));
    let mut terminal = Terminal::start(workspace.command(&["feeds", "--watch"]));
    terminal.wait_for("new\u{1b}[0m");
    assert_eq!(workspace.run(&["poll"]).code, 0);
    terminal.wait_for("\u{1b}[H");
    terminal.wait_for("ok\u{1b}[0m");
}

#[test]
fn problems_are_coloured_on_a_terminal_unless_colours_are_off() {
    let workspace = Workspace::new("colour = \"blue\"");
    let shown = |no_color: &str| {
        let mut command = workspace.command(&["check"]);
        command.env("NO_COLOR", no_color);
        let mut terminal = Terminal::start(command);
        assert_eq!(terminal.end(), 78);
        terminal.shown.clone()
    };
    assert!(shown("").contains('\u{1b}'));
    assert!(!shown("1").contains('\u{1b}'));
}

#[test]
fn states_of_feeds_are_coloured_on_a_terminal_unless_colours_are_off() {
    let workspace = Workspace::new(&format!("[[feed]]\nid = \"a\"\nurl = \"file:a.xml\"\n{ALL}"));
    workspace.write("a.xml", &rss(&[("1", "One", "x")]));
    assert_eq!(workspace.run(&["poll"]).code, 0);
    let shown = |no_color: &str| {
        let mut command = workspace.command(&["feeds"]);
        command.env("NO_COLOR", no_color);
        let mut terminal = Terminal::start(command);
        assert_eq!(terminal.end(), 0);
        terminal.shown.clone()
    };
    assert!(shown("").contains("a     \u{1b}[32mok\u{1b}[0m     just now"), "{}", shown(""));
    assert!(!shown("1").contains('\u{1b}'));
    assert!(!workspace.run(&["feeds"]).out.contains('\u{1b}'), "a pipe gets no colours");
}

#[test]
fn init_uses_the_feed_that_a_page_offers_and_asks_if_there_are_several() {
    let origin = two_feeds();
    let workspace = Workspace::new("");
    std::fs::remove_file(workspace.path("newswire.toml")).unwrap();
    let address = origin.url("/page");
    let result = workspace.run(&["init", "--feed", address.as_str()]);
    assert_eq!(result.code, 1, "{}", result.out);
    assert!(result.err.contains("the page has several feeds; choose one with --feed URL\n  1  "), "{}", result.err);
    assert!(result.err.contains("/two") && !workspace.path("newswire.toml").exists(), "{}", result.err);
    let mut terminal = Terminal::start(workspace.command(&["init", "--title", "x", "--url", "https://x.example/"]));
    for (question, answer) in [
        ("who polls them? ", ""),
        ("or a page that links to one? (optional) ", address.as_str()),
        ("which one? ", "2"),
        ("The harbour", ""),
    ] {
        terminal.wait_for(question);
        if !answer.is_empty() || question.ends_with("them? ") {
            terminal.answer(answer);
        }
    }
    assert_eq!(terminal.end(), 0, "{}", terminal.shown);
    let config = workspace.read("newswire.toml");
    assert!(config.contains(&format!("url = \"{}\"  # The harbour\n", origin.url("/two"))), "{config}");
    assert!(config.contains(&format!("allow = [\"{}\"]\n", origin.address)), "{config}");
    assert_eq!(workspace.run(&["check"]).out, "the config is valid: 1 feed, 1 section\n");
    assert!(workspace.run(&["poll"]).out.contains("1 new entry, "), "the config that init writes can be polled");
}

#[test]
fn hangup_at_a_terminal_stops_the_daemon() {
    let workspace = Workspace::new(ALL);
    let mut terminal = Terminal::start(workspace.command(&["run"]));
    terminal.wait_for("status on ");
    terminal.hang_up();
    assert_eq!(terminal.end(), 0, "{}", terminal.shown);
    assert!(terminal.shown.contains("stopping; waiting for running polls"), "{}", terminal.shown);
}

#[test]
fn daemon_stops_cleanly_when_its_terminal_is_closed() {
    let workspace = Workspace::new(ALL);
    let run = format!("exec {} run", env!("CARGO_BIN_EXE_newswire"));
    let mut script = Command::new("script");
    script.args(["-q", "-c", &run, "/dev/null"]).current_dir(workspace.folder.path()).env_remove("NEWSWIRE_CONFIG");
    let Ok(mut script) = script.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn() else {
        eprintln!("script is not installed: not tried");
        return;
    };
    let shown = BufReader::new(script.stdout.take().unwrap());
    assert!(shown.lines().map_while(Result::ok).any(|line| line.contains("status on ")));
    let socket = workspace.path("newswire.db.sock");
    assert!(socket.exists());
    // This closes the terminal of the daemon.
    script.kill().unwrap();
    script.wait().unwrap();
    let until = Instant::now() + PATIENCE;
    while socket.exists() {
        assert!(Instant::now() < until, "the daemon keeps running without its terminal");
        std::thread::yield_now();
    }
}
