//! `newswire check --online`, `init`, `config`, `schema`, `completions` and `man`.

use crate::samples::schema as json_schema;
use crate::support;

use newswire::config::{self, SHAPES};
use serde_json::Value;
use support::desk::{Desk, rss, told};
use support::origin::{Origin, Reply};

const REFERENCE: &str = include_str!("../../config/reference.toml");

fn toml_as_json(text: &str) -> Value {
    serde_json::to_value(toml::from_str::<toml::Table>(text).unwrap()).unwrap()
}

fn faults(text: &str) -> Vec<String> {
    let schema = plain(config::schema());
    json_schema::faults(&schema, &schema, &toml_as_json(text), "")
}

/// Removes the texts for people, and writes `enum` as the schema checker knows it.
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
    let desk = Desk::new(&format!(
        "[poll]\nallow = [\"{}\"]\n{feeds}[[section]]\nid = \"all\"\nfeeds = [\"*\"]",
        origin.address
    ));
    let problems = desk.json(&["check", "--online"]);
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
    assert!(!desk.path("newswire.db").exists());
    let told = desk.run(&["check", "--online"]);
    assert!(told.code == 0 && told.out.contains("checked 4 feeds: 1 ok, 3 need attention\n"), "{}", told.out);
}

#[test]
fn section_with_a_new_id_gets_a_hint_about_its_former_one() {
    let desk = Desk::new("[[feed]]\nid = \"a\"\nurl = \"file:a.xml\"\n[[section]]\nid = \"old\"\nfeeds = [\"*\"]\n");
    desk.write("a.xml", &rss(&[("1", "One", "x")]));
    assert_eq!(desk.run(&["poll"]).code, 0);
    let config = desk.read("newswire.toml");
    desk.write("newswire.toml", &config.replace("\"old\"", "\"new\""));
    let problems = desk.json(&["check"]);
    assert!(problems[0]["hint"].as_str().unwrap().contains("formerly = [\"old\"]"), "{problems}");
    desk.write("newswire.toml", &config.replace("\"old\"", "\"new\"\nformerly = [\"old\"]"));
    assert_eq!(desk.json(&["check"]), Value::Array(Vec::new()));
}

#[test]
fn first_config_works_and_overwrites_no_file() {
    let desk = Desk::new("");
    std::fs::remove_file(desk.path("newswire.toml")).unwrap();
    let without = desk.command(&["feeds"]).env("HOME", desk.folder.path()).env_remove("XDG_CONFIG_HOME").output();
    let without = told(&without.unwrap());
    assert!(without.code == 78 && without.err.contains("create one with `newswire init`"), "{}", without.err);
    let told = desk.run(&[
        "init",
        "--title",
        "The \"Drum\"",
        "--url",
        "https://news.example.org",
        "--feed",
        "https://a.example/f",
    ]);
    assert_eq!(told.code, 0, "{}", told.err);
    let config = desk.read("newswire.toml");
    assert!(config.contains("title = 'The \"Drum\"'") && config.contains("# contact = "), "{config}");
    assert_eq!(desk.json(&["check"]), Value::Array(Vec::new()), "{config}");
    assert_eq!(desk.json(&["feeds"])[0]["url"], "https://a.example/f");
    let again = desk.run(&["init", "--title", "x"]);
    assert!(again.code == 1 && again.err.contains("already exists"), "{}", again.err);
    assert_eq!(desk.read("newswire.toml"), config);
    let bad = desk.run(&["init", "--url", "news", "--config", "other.toml"]);
    assert!(bad.code == 78 && !desk.path("other.toml").exists(), "{}", bad.err);
    assert_eq!(desk.run(&["init", "--config", "bare.toml"]).code, 0);
    assert_eq!(desk.run(&["check", "--config", "bare.toml"]).code, 0);
}

#[test]
fn effective_config_names_every_origin_and_masks_secrets() {
    let desk = Desk::new("include = [\"x.toml\"]\n");
    let head = "include = [\"x.toml\"]\n[site]\ntitle = \"T\"\n[poll]\ntimeout = \"9 seconds\"\n";
    desk.write(
        "newswire.toml",
        &format!("{head}[[section]]\nid = \"all\"\nfeeds = [\n  \"*\",  # all\n]\ntoken = \"canary\"\n"),
    );
    desk.write("x.toml", "[[feed]]\nurl = \"https://u:canary@a.example/f?token=canary\"\npriority = 3\n");
    let told = desk.run(&["config"]);
    let has = |line: &str| told.out.lines().any(|other| other.split_whitespace().collect::<Vec<_>>().join(" ") == line);
    for line in [
        "title = \"T\" # newswire.toml:3",
        "language = \"en\" # default",
        "url = \"http://127.0.0.1:8080/\" # derived",
        "priority = 3 # x.toml:3",
        "timeout = \"9 seconds\" # newswire.toml:5",
        "id = \"a-example-f\" # derived",
        "feeds = [ \"*\", ] # newswire.toml:8",
    ] {
        assert!(has(line), "{line}\n{}", told.out);
    }
    assert!(!told.out.contains("canary"), "{}", told.out);
    let rows = desk.json(&["config"]);
    assert!(
        rows.as_array()
            .unwrap()
            .iter()
            .any(|row| row["key"] == "priority" && row["origin"] == "file" && row["line"] == 3)
    );
    assert!(!rows.to_string().contains("canary"));
    assert!(desk.run(&["config", "--all"]).out.contains("http2 = true"));
}

#[test]
fn completions_and_manual_pages_come_from_the_commands() {
    let desk = Desk::new("");
    for shell in ["bash", "zsh", "fish"] {
        assert!(desk.run(&["completions", shell]).out.contains("explain"), "{shell}");
    }
    assert!(desk.run(&["man"]).out.contains(".TH newswire"));
    let told = desk.run(&["man", "--out", "pages"]);
    let pages = std::fs::read_dir(desk.path("pages")).unwrap().count();
    assert_eq!(told.out, format!("{pages} pages written to pages\n"));
    assert!(desk.read("pages/newswire-try.1").contains("exit"));
}

#[test]
fn nothing_panics_if_the_reader_closes_the_pipe() {
    let desk = Desk::example();
    assert_eq!(desk.run(&["poll"]).code, 0);
    for command in ["schema", "config --all", "feeds", "completions bash", "check", "export", "search story"] {
        let line = format!("{} {command} | head -n 1", env!("CARGO_BIN_EXE_newswire"));
        let output =
            std::process::Command::new("sh").args(["-c", &line]).current_dir(desk.folder.path()).output().unwrap();
        let err = String::from_utf8_lossy(&output.stderr);
        assert!(!err.contains("panic"), "{command}: {err}");
    }
}
