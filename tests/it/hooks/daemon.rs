//! Hooks of a running daemon, and of commands.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::daemon::*;
use crate::support::origin::{Origin, Reply};
use crate::support::receiver::{Answer, Receiver};

/// Starts an origin whose every document has another story, after a first one without.
fn news() -> Origin {
    Origin::start(|request| {
        let number = request.number;
        let entries: Vec<(String, String)> =
            (number.saturating_sub(4)..=number).map(|number| (number.to_string(), format!("Tide {number}"))).collect();
        let entries: Vec<(&str, &str)> = entries.iter().map(|(guid, title)| (&**guid, &**title)).collect();
        Reply::new(200, &[], headlines(&entries))
    })
}

fn wire(origin: &Origin, hooks: &str) -> Workspace {
    let feed = one_feed(origin).replace("[[section]]", "schedule = \"every 1 second\"\n[[section]]");
    Workspace::new(&format!("{feed}\nlimit = 500\n{hooks}"))
}

fn hook(id: &str, receiver: &Receiver, keys: &str) -> String {
    let (url, allow) = (receiver.url(), receiver.address);
    format!("[[hook]]\nid = \"{id}\"\nurl = \"{url}\"\nallow = [\"{allow}\"]\n{keys}\n")
}

fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let until = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < until, "{what}");
        std::thread::yield_now();
    }
}

#[test]
fn hook_that_hangs_delays_neither_polls_nor_publication_nor_other_hooks_nor_shutdown() {
    let (origin, good) = (news(), Receiver::statuses(&[200]));
    let bad = Receiver::start(|_, _| Answer::Hang);
    let workspace = wire(&origin, &format!("{}{}", hook("bad", &bad, ""), hook("good", &good, "")));
    let mut daemon = Daemon::start(&workspace);
    good.wait_until("the other hook gets each story", |posted| posted.len() >= 4);
    daemon.get_until("/all.json", &good.titles()[3]);
    assert_eq!(bad.posted().len(), 1, "one message at a time");
    assert_eq!(daemon.end(), Some(0));
}

#[test]
fn failing_hook_is_shown_by_the_status_the_metrics_and_check() {
    let (origin, receiver) = (news(), Receiver::statuses(&[503]));
    let workspace = wire(&origin, &hook("chat", &receiver, ""));
    let mut daemon = Daemon::start(&workspace);
    daemon.wait_for("cannot deliver to a hook");
    let get = |path: &str| text(&request(&daemon.admin, "GET", path, &[]).body);
    let status: Value = serde_json::from_str(&get("/status.json")).unwrap();
    let hook = &status["hooks"][0];
    assert_eq!(
        (&hook["id"], &hook["state"], &hook["error_code"]),
        (&"chat".into(), &"failing".into(), &"status".into())
    );
    assert_eq!(hook["last_error"], "server error (503)");
    assert!(hook["waiting"].as_u64().unwrap() >= 1, "{hook}");
    assert!(get("/metrics").contains("newswire_hook_messages_waiting{hook=\"chat\"}"));
    assert!(get("/status.atom").contains("Hook chat failing"));
    let page = get("/status");
    assert!(page.contains("<td class=\"state failing\">failing</td>") && page.contains("<bdi>chat</bdi>"), "{page}");
    assert_eq!(daemon.end(), Some(0));
    let warnings = workspace.json(&["check"]).to_string();
    assert!(warnings.contains("the hook `chat` fails since"), "{warnings}");
}

/// Kills the daemon `rounds` times at different moments, and asserts that every story reached the receiver.
fn kill_and_deliver(rounds: usize) {
    let (origin, receiver) = (news(), Receiver::statuses(&[200]));
    let workspace = wire(&origin, &hook("chat", &receiver, ""));
    let mut daemon = Daemon::start(&workspace);
    daemon.get_until("/all.json", "Tide 0");
    for round in 0..rounds {
        let asked = origin.requests().len();
        wait_until("the daemon goes on polling", || origin.requests().len() > asked);
        // The daemon is killed before the commit of the poll, between the commit and the message, or after the message.
        std::thread::sleep(Duration::from_micros(1_500 * (round as u64 % 40)));
        daemon.process.kill().unwrap();
        daemon.process.wait().unwrap();
        daemon = Daemon::start(&workspace);
    }
    let asked = origin.requests().len();
    wait_until("the daemon goes on polling", || origin.requests().len() > asked + 1);
    assert_eq!(daemon.end(), Some(0));
    // What is in the store is published by commands too, and its messages are sent.
    let out = workspace.path("out");
    assert_eq!(workspace.run(&["publish", "--out", out.to_str().unwrap()]).code, 0);
    let edition: Value = serde_json::from_str(&std::fs::read_to_string(out.join("all.json")).unwrap()).unwrap();
    let published: BTreeSet<String> =
        edition["items"].as_array().unwrap().iter().map(|item| item["title"].as_str().unwrap().to_owned()).collect();
    let mut daemon = Daemon::start(&workspace);
    let is_delivered = |titles: &BTreeSet<String>| {
        published.iter().filter(|title| *title != "Tide 0").all(|title| titles.contains(title))
    };
    wait_until("every published story is delivered", || is_delivered(&receiver.titles().into_iter().collect()));
    assert_eq!(daemon.end(), Some(0));
    let posted = receiver.posted();
    let ids: BTreeSet<_> = posted.iter().map(|posted| posted.header("webhook-id").to_owned()).collect();
    let titles: BTreeSet<_> = receiver.titles().into_iter().collect();
    assert_eq!(ids.len(), titles.len(), "a message that is sent again keeps its id");
    println!(
        "{rounds} kills: {} stories published, {} delivered, {} of them again after a kill",
        published.len(),
        titles.len(),
        posted.len() - titles.len()
    );
    assert!(published.len() > 2 && posted.len() <= titles.len() + rounds, "{} {}", posted.len(), titles.len());
}

#[test]
fn killed_daemon_delivers_every_story() {
    kill_and_deliver(5);
}

/// Takes minutes; `.ci/deep` runs it.
#[test]
#[ignore = "takes minutes"]
fn daemon_that_is_killed_five_hundred_times_delivers_every_story() {
    kill_and_deliver(500);
}

#[test]
fn one_shot_poll_delivers_too() {
    let (origin, receiver) = (news(), Receiver::statuses(&[200]));
    let workspace = wire(&origin, &hook("chat", &receiver, ""));
    for _ in 0..2 {
        assert_eq!(workspace.run(&["poll", "--force"]).code, 0);
    }
    assert_eq!(receiver.titles(), ["Tide 1"]);
}

#[test]
fn hook_is_followed_when_the_config_is_edited() {
    let (origin, receiver) = (news(), Receiver::statuses(&[200]));
    let workspace = wire(&origin, "");
    let mut daemon = Daemon::start(&workspace);
    daemon.get_until("/all.json", "Tide 1");
    let before = workspace.read("newswire.toml");
    workspace.write("newswire.toml", &format!("{before}\n{}", hook("chat", &receiver, "")));
    daemon.wait_for("config reloaded");
    receiver.wait_until("the new hook is notified", |posted| !posted.is_empty());
    assert!(!receiver.titles().contains(&"Tide 1".to_owned()), "only of later stories");
    assert_eq!(daemon.end(), Some(0));
}

#[test]
fn secrets_of_hooks_are_printed_nowhere() {
    let (origin, receiver) = (news(), Receiver::statuses(&[500, 302, 410]));
    let secret = "whsec_Y2FuYXJ5Y2FuYXJ5Y2FuYXJ5Y2FuYXJ5";
    let url = format!("http://{}/canary?key=canary", receiver.address);
    let allow = receiver.address;
    let hooks = format!(
        "[[hook]]\nid = \"chat\"\nurl = \"{url}\"\nallow = [\"{allow}\"]\nsecret = \"{secret}\"\n\
         [[hook]]\nid = \"far\"\nurl = \"https://name.invalid/canary\"\nsecret = {{ env = \"FAR_SECRET\" }}\n"
    );
    let workspace = wire(&origin, &hooks);
    let with_secret = |arguments: &[&str]| {
        let mut command = newswire(&workspace.config(), arguments);
        command.env("FAR_SECRET", secret).env("RUST_LOG", "debug,hyper=info,reqwest=info,hyper_util=info");
        command
    };
    let mut daemon = Daemon::start_with(&mut with_secret(&["run"]));
    daemon.wait_for("cannot deliver to a hook");
    daemon.wait_for("cannot deliver to a hook");
    let mut shown = String::new();
    for path in ["/status.json", "/status", "/status.atom", "/metrics"] {
        shown.push_str(&text(&request(&daemon.admin, "GET", path, &[]).body));
    }
    assert_eq!(daemon.end(), Some(0));
    shown.push_str(&daemon.seen.join("\n"));
    for arguments in [&["check"][..], &["check", "--json"], &["config"], &["config", "--all"], &["feeds"]] {
        let output = with_secret(arguments).output().unwrap();
        shown.push_str(&(text(&output.stdout) + &text(&output.stderr)));
    }
    assert!(shown.contains("chat"), "{shown}");
    for canary in ["canary", "Y2FuYXJ5"] {
        let line = shown.lines().find(|line| line.contains(canary));
        assert_eq!(line, None, "{canary}");
    }
    let store = String::from_utf8_lossy(&std::fs::read(workspace.path("newswire.db")).unwrap()).into_owned();
    assert!(!store.contains("canary") && !store.contains("Y2FuYXJ5"), "the store has no secret either");
}

/// The modes of the program, its folder and the config that may run the program.
const SAFE: [u32; 3] = [0o755, 0o755, 0o600];

/// Writes the program `tell`.
fn write_program(workspace: &Workspace, script: &str, modes: [u32; 3]) {
    workspace.write("programs/tell", &format!("#!/bin/sh\n{script}\n"));
    let folder = workspace.path("programs");
    for (path, mode) in [folder.join("tell"), folder, workspace.config()].iter().zip(modes) {
        std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
    }
}

/// Returns a workspace with a hook that runs this program, after two polls, and the log of the second one, which sends
/// a message.
fn with_program(origin: &Origin, script: &str, modes: [u32; 3]) -> (Workspace, String) {
    let hooks =
        "[commands]\nallow = [\"programs\"]\n[[hook]]\nid = \"local\"\ncommand = [\"tell\", \"$HOME; exit 9\"]\n";
    let workspace = wire(origin, hooks);
    write_program(&workspace, script, modes);
    assert_eq!(workspace.run(&["poll", "--force"]).code, 0);
    let mut poll = workspace.command(&["poll", "--force"]);
    let output = poll.env("RUST_LOG", "warn").env("WIRE_TOKEN", "canary").output().unwrap();
    (workspace, text(&output.stderr))
}

#[test]
fn program_gets_the_message_on_its_standard_input_without_a_shell_or_secrets() {
    let origin = news();
    let script = "cat > message; printf '%s|' \"$@\" > arguments; env > environment; ulimit -v > memory";
    let (workspace, log) = with_program(&origin, script, SAFE);
    let read = |name: &str| workspace.read(&format!("programs/{name}"));
    let message: Value = serde_json::from_str(&read("message")).unwrap_or_else(|_| panic!("{log}"));
    assert_eq!((&message["type"], &message["data"]["story"]["title"]), (&"published".into(), &"Tide 1".into()));
    assert_eq!(read("arguments"), "$HOME; exit 9|");
    assert!(!read("environment").contains("canary") && read("environment").contains("WEBHOOK_ID=msg_"));
    assert_eq!(read("memory").trim(), (512 * 1024).to_string(), "in KiB");
    assert!(workspace.run(&["check"]).out.contains("the config is valid"));
}

#[test]
fn program_that_fails_is_tried_again_and_its_words_are_logged() {
    let origin = news();
    let (workspace, log) = with_program(&origin, "cat > /dev/null; echo no route to mail >&2; exit 7", SAFE);
    assert!(log.contains("the program ended with exit code 7: no route to mail"), "{log}");
    let warnings = workspace.json(&["check"]).to_string();
    assert!(warnings.contains("the program ended with exit code 7"), "{warnings}");
}

#[test]
fn program_that_others_can_change_is_not_run() {
    let origin = news();
    for modes in [[0o757, 0o755, 0o600], [0o755, 0o777, 0o600], [0o755, 0o755, 0o666]] {
        let (workspace, log) = with_program(&origin, "touch ran", modes);
        assert!(log.contains("can be changed by other users, so the program is not run"), "{modes:?} {log}");
        assert!(!workspace.path("programs/ran").exists(), "{modes:?}");
    }
}

#[test]
fn program_and_what_it_started_end_with_the_daemon() {
    let origin = news();
    let hooks = "[commands]\nallow = [\"programs\"]\n[[hook]]\nid = \"local\"\ncommand = [\"tell\"]\n";
    let workspace = wire(&origin, hooks);
    write_program(&workspace, "sleep 1000 & echo $! > child; wait", SAFE);
    let mut daemon = Daemon::start(&workspace);
    let child = workspace.path("programs/child");
    wait_until("the program runs", || std::fs::read_to_string(&child).is_ok_and(|text| text.ends_with('\n')));
    assert_eq!(daemon.end(), Some(0));
    let process = Path::new("/proc").join(std::fs::read_to_string(&child).unwrap().trim());
    wait_until("the process that it started ends", || {
        std::fs::read_to_string(process.join("stat")).map_or(true, |stat| stat.contains(") Z "))
    });
}
