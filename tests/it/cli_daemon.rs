//! What a running daemon does when commands, signals and edits of its config reach it.

use crate::support;

use support::daemon::*;
use support::origin::{Origin, Reply};

const FEED: &str = "[[feed]]\nid = \"a\"\nurl = \"file:a.xml\"\n";

/// Starts a daemon whose only section has one file feed with two stories.
fn running(section: &str) -> (Workspace, Daemon) {
    let workspace = Workspace::new(&format!("{FEED}[[section]]\nid = \"all\"\nfeeds = [\"*\"]\n{section}"));
    workspace.write("a.xml", &headlines(&[("1", "Ferries are late"), ("2", "Nets")]));
    let daemon = Daemon::start(&workspace);
    (workspace, daemon)
}

#[test]
fn try_shows_the_effect_of_a_rule_while_the_daemon_runs_and_changes_nothing() {
    let (workspace, mut daemon) = running("");
    daemon.get_until("/all.json", "Ferries");
    let trial = json(&workspace.config(), &["try", "--section", "all", "--drop", "title=ferries", "--json"]);
    assert_eq!(trial["sections"][0]["leave"][0]["title"], "Ferries are late", "{trial}");
    assert_eq!(trial["sections"][0]["leave"][0]["matched"], "title Ferries from a", "{trial}");
    assert_eq!(trial["sections"][0]["leave"][0]["why_code"], "rule", "{trial}");
    let result = output(&workspace.config(), &["try", "--section", "all", "--drop", "title=ferries"]);
    let result = text(&result.stdout);
    assert!(result.contains("all: 2 stories now, 1 then: 0 enter, 1 leaves"), "{result}");
    assert!(result.contains("drop[0]: 1 story, in the last week"), "{result}");
    assert!(text(&daemon.get("/all.json").body).contains("Ferries"));
    assert_eq!(daemon.end(), Some(0));
}

#[test]
fn feed_added_by_a_command_is_used_by_the_running_daemon() {
    let (workspace, mut daemon) = running("");
    workspace.write("b.xml", &headlines(&[("3", "Ropes")]));
    assert!(output(&workspace.config(), &["add", "file:b.xml"]).status.success());
    daemon.get_until("/all.json", "Ropes");
    let result = text(&output(&workspace.config(), &["remove", "b"]).stdout);
    assert!(result.starts_with("removed b;"), "{result}");
    daemon.wait_for("feed removed");
    assert_eq!(daemon.end(), Some(0));
}

#[cfg(unix)]
#[test]
fn hangup_reloads_the_config_and_its_secrets() {
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("token");
    std::fs::write(&secret, "the-first-of-two-tokens").unwrap();
    let (_desk, mut daemon) = running(&format!("token = {{ file = {secret:?} }}"));
    daemon.get_until("/all.json?token=the-first-of-two-tokens", "Ferries");
    std::fs::write(&secret, "the-second-of-two-tokens").unwrap();
    assert_eq!(
        daemon.get("/all.json?token=the-first-of-two-tokens").status,
        200,
        "a changed secret file alone causes no reload"
    );
    daemon.signal("HUP");
    daemon.wait_for("config reloaded");
    daemon.get_until("/all.json?token=the-second-of-two-tokens", "Ferries");
    assert_ne!(daemon.get("/all.json?token=the-first-of-two-tokens").status, 200);
    assert_eq!(daemon.end(), Some(0));
}

#[cfg(unix)]
#[test]
fn hangup_reloads_the_templates_unless_they_are_invalid() {
    let workspace =
        Workspace::new(&format!("[publish]\ntemplates = \"own\"\n{FEED}[[section]]\nid = \"all\"\nfeeds = [\"*\"]\n"));
    workspace.write("a.xml", &headlines(&[("1", "Ferries are late"), ("2", "Nets")]));
    let about = |words: &str| workspace.write("own/about.html", &format!("<p>{words}</p>"));
    about("The first");
    let mut daemon = Daemon::start(&workspace);
    daemon.get_until("/about/", "The first");
    about("The {{ second");
    daemon.signal("HUP");
    daemon.wait_for("config not reloaded");
    assert!(text(&daemon.get("/about/").body).contains("The first"));
    about("The second");
    daemon.signal("HUP");
    daemon.get_until("/about/", "The second");
    assert_eq!(daemon.end(), Some(0));
}

#[cfg(unix)]
#[test]
fn second_interrupt_stops_at_once() {
    let origin = Origin::start(|_| Reply::silence());
    let workspace = Workspace::new(&one_feed(&origin));
    let mut daemon = Daemon::start(&workspace);
    while origin.connections() == 0 {
        std::thread::yield_now();
    }
    daemon.signal("INT");
    daemon.wait_for("stopping; waiting for running polls");
    daemon.signal("INT");
    assert_eq!(daemon.process.wait().unwrap().code(), Some(130), "the daemon does not wait for the running poll");
}

#[test]
fn reload_is_logged_after_it_is_served_and_repeats_no_unchanged_warning() {
    let (workspace, mut daemon) = running("drop = [{ tag = \"nowhere\" }]");
    daemon.get_until("/all.json", "Ferries");
    let config = workspace.read("newswire.toml");
    let mut save = |text: &str| {
        workspace.write("newswire.toml", text);
        daemon.wait_for("config reloaded");
        let title = text.split("title = \"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
        let page = support::daemon::text(&daemon.get("/").body);
        assert!(page.contains(title), "{title} is logged before it is served: {page}");
    };
    save(&format!("# one more line\n{}", config.replace("\"Test\"", "\"Second\"")));
    save(&format!("# two\n# more lines\n{}", config.replace("\"Test\"", "\"Third\"")));
    let elsewhere = config.replace("tag = \"nowhere\"", "tag = \"elsewhere\"");
    save(&elsewhere);
    workspace.write("newswire.toml", &format!("{elsewhere}limt = 3\n"));
    daemon.wait_for("config not reloaded (1 error below); still using the previous one");
    assert_eq!(daemon.end(), Some(0));
    let log = daemon.seen.join("\n");
    for tag in ["nowhere", "elsewhere"] {
        assert_eq!(log.matches(&format!("no feed has the tag `{tag}`")).count(), 1, "{log}");
    }
}

#[test]
fn removed_section_is_logged_with_the_key_that_redirects_to_its_new_id() {
    let (workspace, mut daemon) = running("");
    daemon.get_until("/all.json", "Ferries");
    let config = workspace.read("newswire.toml");
    workspace.write("newswire.toml", &config.replace("id = \"all\"", "id = \"every\""));
    let line = daemon.wait_for("section removed");
    assert!(line.contains("its addresses now return 410; if you renamed it, add formerly = [\"all\"]"), "{line}");
    workspace
        .write("newswire.toml", &config.replace("id = \"all\"", "id = \"whole\"\nformerly = [\"all\", \"every\"]"));
    daemon.wait_for("section renamed to whole: its addresses redirect there");
    daemon.wait_for("config reloaded");
    assert_eq!(daemon.get("/all.atom").header("location"), Some("/whole.atom"));
    assert_eq!(daemon.end(), Some(0));
}

#[test]
fn removing_the_last_section_removes_it_from_the_index() {
    let (workspace, mut daemon) = running("");
    daemon.get_until("/", "/all.atom");
    let config = workspace.read("newswire.toml");
    workspace.write("newswire.toml", config.split("[[section]]").next().unwrap());
    daemon.wait_for("config reloaded");
    assert!(!text(&daemon.get("/").body).contains("/all.atom"));
    assert_eq!(daemon.end(), Some(0));
}
