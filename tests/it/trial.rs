//! `newswire try`: what it reports about a changed config, and that it changes nothing.

use crate::support;

use serde_json::Value;
use support::workspace::{Workspace, rss};

const FEEDS: &str =
    "[[feed]]\nid = \"a\"\nurl = \"file:a.xml\"\ntags = [\"sea\"]\n[[feed]]\nid = \"b\"\nurl = \"file:b.xml\"\n";
const ALL: &str = "[[section]]\nid = \"all\"\nfeeds = [\"*\"]\n";

/// Creates a workspace with two polled feeds and these sections.
fn workspace(sections: &str) -> Workspace {
    let workspace = Workspace::new(&format!("{FEEDS}{sections}"));
    workspace.write(
        "a.xml",
        &rss(&[("1", "Ferries are late", "x"), ("2", "Sponsored: new shoes", "y"), ("3", "Nets", "tar")]),
    );
    workspace.write("b.xml", &rss(&[("4", "Sponsored by nobody", "z")]));
    assert_eq!(workspace.run(&["poll"]).code, 0);
    workspace
}

fn titles(trial: &Value, section: &str, direction: &str) -> Vec<String> {
    let sections = trial["sections"].as_array().unwrap();
    let section = sections.iter().find(|part| part["section"] == section).unwrap();
    let mut titles: Vec<String> = section[direction]
        .as_array()
        .unwrap()
        .iter()
        .map(|story| story["title"].as_str().unwrap().to_owned())
        .collect();
    titles.sort();
    titles
}

#[test]
fn rule_on_the_command_line_shows_what_would_leave_and_why() {
    let workspace = workspace(ALL);
    let before = workspace.read("newswire.toml");
    let trial = workspace.json(&["try", "--section", "all", "--drop", "title=/sponsored/"]);
    assert_eq!(titles(&trial, "all", "leave"), ["Sponsored by nobody", "Sponsored: new shoes"]);
    assert_eq!(titles(&trial, "all", "enter"), Vec::<String>::new());
    let leaving = trial["sections"][0]["leave"].as_array().unwrap();
    let story = leaving.iter().find(|story| story["title"] == "Sponsored by nobody").unwrap();
    assert_eq!((story["rule"].as_str(), story["matched"].as_str()), (Some("drop[0]"), Some("title Sponsored from b")));
    assert!(story["id"].is_string() && story["link"].is_string());
    assert_eq!(trial["rules"][0]["rule"], "drop[0]");
    assert_eq!((trial["rules"][0]["stories"].as_u64(), trial["rules"][0]["last_week"].as_u64()), (Some(2), Some(2)));
    assert_eq!(workspace.read("newswire.toml"), before);
    let sections = workspace.json(&["sections"]);
    assert_eq!(sections[0]["stories"], 4, "nothing was changed");
    let result = workspace.run(&["try", "--section", "all", "--drop", "title=/sponsored/"]);
    assert!(result.out.contains("drop[0]: 2 stories, 2 of them in the last week"), "{}", result.out);
    assert!(result.out.lines().all(|line| line.chars().count() <= 80), "{}", result.out);
}

#[test]
fn changed_config_is_compared_with_what_readers_see() {
    let workspace = workspace(&format!("{ALL}[[section]]\nid = \"old\"\nfeeds = [\"b\"]\n"));
    let new = "[[section]]\nid = \"all\"\nfeeds = [\"a\"]\nkeep = [{ tag = \"sea\" }]\n[[section]]\nid = \"nets\"\nfeeds = [\"*\"]\nkeep = [{ title = \"nets\" }]\n";
    workspace.write("new.toml", &format!("{FEEDS}{new}"));
    let trial = workspace.json(&["try", "--config", "new.toml"]);
    assert_eq!(titles(&trial, "all", "leave"), ["Sponsored by nobody"]);
    assert_eq!(titles(&trial, "nets", "enter"), ["Nets"]);
    assert_eq!(titles(&trial, "old", "leave"), ["Sponsored by nobody"], "a removed section loses all its stories");
    let only = workspace.json(&["try", "--config", "new.toml", "--section", "nets"]);
    assert_eq!(only["sections"].as_array().unwrap().len(), 1);
}

#[test]
fn config_in_another_folder_is_tried_on_the_store_in_use() {
    let workspace = workspace(ALL);
    workspace.write("drafts/new.toml", &format!("{}{ALL}", FEEDS.replace("file:", "file:../")));
    let result = workspace.run(&["try", "--config", "drafts/new.toml"]);
    assert!(
        result.out.contains("all: 4 stories now, 4 then") && result.out.contains("nothing would change"),
        "{}{}",
        result.out,
        result.err
    );
}

#[test]
fn probable_mistakes_are_warnings() {
    let workspace = workspace(ALL);
    let check = |rules: &[&str], expected: &str| {
        let arguments: Vec<&str> = ["try", "--section", "all"].iter().chain(rules).copied().collect();
        let warnings = workspace.json(&arguments)["warnings"].to_string();
        assert!(warnings.contains(expected), "{rules:?}: {warnings}");
    };
    check(&["--drop", "title=nowhere"], "all: drop[0] never matches: { title = \\\"nowhere\\\" }");
    check(&["--drop", "title=/./"], "all would become empty: all its stories would leave");
    check(
        &["--keep", "title=/s/", "--keep", "title=sponsored"],
        "keep[1] is redundant: keep[0] matches each of its stories too",
    );
    check(
        &["--drop", "title=sponsored", "--drop", "title=/sponsored/"],
        "drop[1] is redundant: drop[0] matches each of its stories too",
    );
}

#[test]
fn exit_code_says_whether_anything_would_change() {
    let workspace = workspace(ALL);
    let code = |arguments: &[&str]| workspace.run(&[&["try", "--exit-code"], arguments].concat()).code;
    assert_eq!(code(&[]), 0);
    assert_eq!(code(&["--section", "all", "--drop", "title=nets"]), 1);
    assert_eq!(code(&["--section", "all", "--drop", "title=nowhere"]), 0);
    assert_eq!(code(&["--section", "none", "--drop", "title=nowhere"]), 1, "a failure");
    assert_eq!(code(&["--drop", "title=nowhere"]), 2, "a rule needs its section");
}

#[test]
fn bad_rule_gets_the_same_error_as_in_the_toml() {
    let workspace = workspace(ALL);
    let check = |rule: &str, expected: &str| {
        let result = workspace.run(&["try", "--section", "all", "--drop", rule]);
        assert!(result.code == 2 && result.err.contains(expected), "{rule}: {}", result.err);
    };
    check("titel=x", "unknown key `titel` in a rule (did you mean `title`?)");
    check("title=/(/", "bad regular expression");
    check("feed=c", "there is no feed `c`");
    check("{ title = ", "the rule");
    check("sponsored", "expected KEY=VALUE (write title=/ferr(y|ies)/");
    check("words=50", "expected a number of words such as \"<50\"");
}
