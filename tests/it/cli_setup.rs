//! `newswire check --online`, `init`, `config`, `schema`, `completions` and `man`.

use crate::samples::schema as json_schema;
use crate::support;

use newswire::config::{self, SHAPES};
use serde_json::Value;
use support::origin::{Origin, Reply};
use support::workspace::{Workspace, command_output, rss};

const REFERENCE: &str = include_str!("../../config/reference.toml");

fn toml_as_json(text: &str) -> Value {
    serde_json::to_value(toml::from_str::<toml::Table>(text).unwrap()).unwrap()
}

fn faults(text: &str) -> Vec<String> {
    let schema = plain(config::schema());
    json_schema::faults(&schema, &schema, &toml_as_json(text), "")
}

/// Removes the keywords that the schema checker of the tests does not know, and writes `enum` as `anyOf`, which it
/// knows.
fn plain(schema: Value) -> Value {
    let Value::Object(keywords) = schema else { return schema };
    let members = |members: Value| match members {
        Value::Object(members) => members.into_iter().map(|(name, schema)| (name, plain(schema))).collect(),
        other => other,
    };
    let keyword = |(keyword, rule): (String, Value)| match keyword.as_str() {
        "description" | "default" | "title" | "maximum" => None,
        "properties" | "$defs" => Some((keyword, members(rule))),
        "enum" => {
            let words = rule.as_array().unwrap().iter().map(|word| serde_json::json!({ "const": word })).collect();
            Some(("anyOf".to_owned(), Value::Array(words)))
        }
        "anyOf" => Some((keyword, rule.as_array().unwrap().iter().cloned().map(plain).collect())),
        _ => Some((keyword, plain(rule))),
    };
    Value::Object(keywords.into_iter().filter_map(keyword).collect())
}

#[test]
fn schema_has_every_key_with_the_description_from_the_reference() {
    let schema = config::schema();
    for shape in SHAPES {
        let table = if shape.name == "the main file" {
            &schema
        } else {
            let definitions = schema["$defs"].as_object().unwrap();
            let name = definitions.keys().find(|name| {
                let keys: Vec<&String> = definitions[*name]["properties"].as_object().unwrap().keys().collect();
                keys.len() == shape.keys.len() && shape.keys.iter().all(|key| keys.iter().any(|other| other == key))
            });
            &definitions[name.unwrap_or_else(|| panic!("{} is not in the schema", shape.name))]
        };
        let mut keys: Vec<&str> = table["properties"].as_object().unwrap().keys().map(String::as_str).collect();
        let mut expected = shape.keys.to_vec();
        keys.sort_unstable();
        expected.sort_unstable();
        assert_eq!(keys, expected, "{}", shape.name);
    }
    let feed = &schema["$defs"]["feed"]["properties"];
    assert_eq!(feed["enabled"]["description"], "A disabled feed is not polled; its stories stay.");
    assert_eq!(feed["enabled"]["default"], true);
    assert_eq!(schema["$defs"]["poll"]["properties"]["timeout"]["default"], "30 seconds");
    assert_eq!(schema["$defs"]["section"]["required"][0], "id");
}

#[test]
fn schema_accepts_the_reference_and_marks_mistakes() {
    assert_eq!(faults(REFERENCE), Vec::<String>::new());
    let check = |text: &str| assert!(!faults(text).is_empty(), "{text}");
    check("[sit]\n");
    check("[site]\ntitel = \"x\"\n");
    check("[site]\ntitle = 3\n");
    check("[[feed]]\nid = \"a\"\n");
    check("[[section]]\nid = \"a\"\nkeep = [{ titel = \"x\" }]\n");
    check("[stories]\ndedup = \"link\"\n");
}

#[test]
fn online_check_reports_feeds_that_moved_or_are_not_feeds_and_stores_nothing() {
    let origin = Origin::start(|request| match request.target().as_str() {
        "/good" | "/new" => Reply::new(200, &[], rss(&[("1", "One", "x")])),
        "/moved" => Reply::redirect(301, "/new"),
        "/page" => Reply::new(200, &[("Content-Type", "text/html")], "<!doctype html><html><body>Hello</body></html>"),
        _ => Reply::new(404, &[], "no"),
    });
    let feed = |name: &str| format!("[[feed]]\nid = \"{name}\"\nurl = \"{}\"\n", origin.url(&format!("/{name}")));
    let feeds: String = ["good", "moved", "page", "gone"].map(feed).concat();
    let workspace = Workspace::new(&format!(
        "[poll]\nallow = [\"{}\"]\n{feeds}[[section]]\nid = \"all\"\nfeeds = [\"*\"]",
        origin.address
    ));
    let problems = workspace.json(&["check", "--online"]);
    let found: Vec<(u64, &str)> = problems
        .as_array()
        .unwrap()
        .iter()
        .map(|problem| (problem["line"].as_u64().unwrap(), problem["message"].as_str().unwrap()))
        .collect();
    assert_eq!(found.len(), 3, "{found:?}");
    assert_eq!(found[0], (13, "moved has moved permanently"));
    assert!(found[1].0 == 16 && found[1].1.starts_with("page cannot be read: this is an HTML page"), "{found:?}");
    assert_eq!(problems[1]["file"], "newswire.toml", "the path as a user types it here");
    assert!(found[2].0 == 19 && found[2].1.starts_with("gone cannot be fetched"), "{found:?}");
    assert_eq!(problems[0]["hint"], format!("set url = \"{}\"", origin.url("/new")));
    assert!(!workspace.path("newswire.db").exists());
    let result = workspace.run(&["check", "--online"]);
    assert!(result.code == 0 && result.out.contains("checked 4 feeds: 1 ok, 3 need attention\n"), "{}", result.out);
}

#[test]
fn section_with_a_new_id_gets_a_hint_about_its_former_id() {
    let workspace =
        Workspace::new("[[feed]]\nid = \"a\"\nurl = \"file:a.xml\"\n[[section]]\nid = \"old\"\nfeeds = [\"*\"]\n");
    workspace.write("a.xml", &rss(&[("1", "One", "x")]));
    assert_eq!(workspace.run(&["poll"]).code, 0);
    let config = workspace.read("newswire.toml");
    workspace.write("newswire.toml", &config.replace("\"old\"", "\"new\""));
    let problems = workspace.json(&["check"]);
    assert!(problems[0]["hint"].as_str().unwrap().contains("formerly = [\"old\"]"), "{problems}");
    workspace.write("newswire.toml", &config.replace("\"old\"", "\"new\"\nformerly = [\"old\"]"));
    assert_eq!(workspace.json(&["check"]), Value::Array(Vec::new()));
}

#[test]
fn init_writes_a_working_config_and_overwrites_no_file() {
    let workspace = Workspace::new("");
    std::fs::remove_file(workspace.path("newswire.toml")).unwrap();
    let without =
        workspace.command(&["feeds"]).env("HOME", workspace.folder.path()).env_remove("XDG_CONFIG_HOME").output();
    let without = command_output(&without.unwrap());
    assert!(without.code == 78 && without.err.contains("create one with `newswire init`"), "{}", without.err);
    let result = workspace.run(&[
        "init",
        "--title",
        "The \"Drum\"",
        "--url",
        "https://news.example.org",
        "--feed",
        "https://a.example/f",
    ]);
    assert_eq!(result.code, 0, "{}", result.err);
    let config = workspace.read("newswire.toml");
    assert!(config.contains("title = 'The \"Drum\"'") && config.contains("# contact = "), "{config}");
    assert_eq!(workspace.json(&["check"]), Value::Array(Vec::new()), "{config}");
    assert_eq!(workspace.json(&["feeds"])[0]["url"], "https://a.example/f");
    let again = workspace.run(&["init", "--title", "x"]);
    assert!(again.code == 1 && again.err.contains("already exists"), "{}", again.err);
    assert_eq!(workspace.read("newswire.toml"), config);
    let bad = workspace.run(&["init", "--url", "news", "--config", "other.toml"]);
    assert!(bad.code == 78 && !workspace.path("other.toml").exists(), "{}", bad.err);
    assert_eq!(workspace.run(&["init", "--config", "bare.toml"]).code, 0);
    assert_eq!(workspace.run(&["check", "--config", "bare.toml"]).code, 0);
}

#[test]
fn config_command_shows_where_each_value_comes_from_and_masks_secrets() {
    let workspace = Workspace::new("include = [\"x.toml\"]\n");
    let head = "include = [\"x.toml\"]\n[site]\ntitle = \"T\"\n[poll]\ntimeout = \"9 seconds\"\n";
    workspace.write(
        "newswire.toml",
        &format!("{head}[[section]]\nid = \"all\"\nfeeds = [\n  \"*\",  # all\n]\ntoken = \"canary\"\n"),
    );
    workspace.write("x.toml", "[[feed]]\nurl = \"https://u:canary@a.example/f?token=canary\"\npriority = 3\n");
    let result = workspace.run(&["config"]);
    let has =
        |line: &str| result.out.lines().any(|other| other.split_whitespace().collect::<Vec<_>>().join(" ") == line);
    for line in [
        "title = \"T\" # newswire.toml:3",
        "language = \"en\" # default",
        "url = \"http://127.0.0.1:8080/\" # derived",
        "priority = 3 # x.toml:3",
        "timeout = \"9 seconds\" # newswire.toml:5",
        "id = \"a-example-f\" # derived",
        "feeds = [ \"*\", ] # newswire.toml:8",
    ] {
        assert!(has(line), "{line}\n{}", result.out);
    }
    assert!(!result.out.contains("canary"), "{}", result.out);
    let rows = workspace.json(&["config"]);
    assert!(
        rows.as_array()
            .unwrap()
            .iter()
            .any(|row| row["key"] == "priority" && row["origin"] == "file" && row["line"] == 3)
    );
    assert!(!rows.to_string().contains("canary"));
    assert!(workspace.run(&["config", "--all"]).out.contains("http2 = true"));
}

#[test]
fn completions_and_manual_pages_come_from_the_commands() {
    let workspace = Workspace::new("");
    for shell in ["bash", "zsh", "fish"] {
        assert!(workspace.run(&["completions", shell]).out.contains("explain"), "{shell}");
    }
    assert!(workspace.run(&["man"]).out.contains(".TH newswire"));
    let result = workspace.run(&["man", "--out", "pages"]);
    let pages = std::fs::read_dir(workspace.path("pages")).unwrap().count();
    assert_eq!(result.out, format!("{pages} pages written to pages\n"));
    assert!(workspace.read("pages/newswire-try.1").contains("exit"));
}

#[test]
fn nothing_panics_if_the_reader_closes_the_pipe() {
    let workspace = Workspace::example();
    assert_eq!(workspace.run(&["poll"]).code, 0);
    for command in ["schema", "config --all", "feeds", "completions bash", "check", "export", "search story"] {
        let line = format!("{} {command} | head -n 1", env!("CARGO_BIN_EXE_newswire"));
        let output =
            std::process::Command::new("sh").args(["-c", &line]).current_dir(workspace.folder.path()).output().unwrap();
        let err = String::from_utf8_lossy(&output.stderr);
        assert!(!err.contains("panic"), "{command}: {err}");
    }
}
