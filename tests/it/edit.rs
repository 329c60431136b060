//! Edits of the TOML: what changes, what stays byte for byte, and what is refused.

use std::path::PathBuf;

use newswire::config::edit::{self, EditError, FeedPlace};
use newswire::config::{self, SourceFile};
use newswire::feed::FeedId;

/// A config with comments, odd spacing, and a feed with its own subtable.
const WIRE: &str = r#"# The wire of the harbour.

[site]
title   = "Harbour"   # as on the door

# --- the town ---

# The council speaks here.
[[feed]]
id = "council"
url = "https://council.example/feed"  # moved twice already
tags = ["town"]

[[feed]]
  id = "ferries"
  url = 'https://ferries.example/rss'
  [feed.headers]
  Accept = "*/*" # they insist

# What we publish.
[[section]]
id = "all"
feeds = ["council", "ferries"] # both
"#;

/// Returns a config of 300 lines with two comments for each feed.
fn long_config() -> String {
    let feeds = (0..73).map(|number| {
        format!("# Feed number {number}, since spring.\n[[feed]]\nurl   =   \"https://site-{number}.example/feed\" # keep\n\n")
    });
    format!(
        "# A wire.\n\n[site]\ntitle = \"Long\"\n\n{}[[section]]\nid = \"all\"\nfeeds = [\"*\"]\n",
        feeds.collect::<String>()
    )
}

fn lines_changed(before: &str, after: &str) -> (usize, usize) {
    let difference = edit::difference("x", before, after);
    let count = |sign: char| difference.lines().skip(3).filter(|line| line.starts_with(sign)).count();
    (count('-'), count('+'))
}

#[test]
fn added_feed_comes_after_the_last_one_and_nothing_else_changes() {
    let block = "[[feed]]\nurl = \"https://new.example/\"\n";
    let edited = edit::add(WIRE, "feed", block).unwrap();
    let expected = WIRE.replace("# they insist\n", &format!("# they insist\n\n{block}"));
    assert_eq!(edited, expected);
    let long = long_config();
    assert_eq!(long.lines().count(), 300);
    let edited = edit::add(&long, "feed", block).unwrap();
    assert_eq!(lines_changed(&long, &edited), (0, 3));
    assert_eq!(edit::remove(&edited, 73).unwrap(), long, "an added feed is removed without a trace");
}

#[test]
fn diff_of_two_distant_changes_omits_the_lines_between_them() {
    let before = long_config();
    let after = before.replace("site-2.example/feed\"", "site-2.example/new\"").replace("[\"*\"]", "[\"site-2\"]");
    assert_eq!(
        edit::difference("wire.toml", &before, &after),
        "--- wire.toml\n\
         +++ wire.toml\n\
         @@ -13,7 +13,7 @@\n \n # Feed number 2, since spring.\n [[feed]]\n\
         -url   =   \"https://site-2.example/feed\" # keep\n\
         +url   =   \"https://site-2.example/new\" # keep\n \n # Feed number 3, since spring.\n [[feed]]\n\
         @@ -297,4 +297,4 @@\n \n [[section]]\n id = \"all\"\n\
         -feeds = [\"*\"]\n\
         +feeds = [\"site-2\"]\n"
    );
    assert_eq!(edit::difference("wire.toml", &before, &before), "");
}

#[test]
fn diff_shows_that_a_secret_changed_but_neither_the_old_nor_the_new_one() {
    let config =
        |token: &str| format!("[server]\nlisten = \"[::1]:8080\"\n\n[[section]]\nid = \"a\"\ntoken = {token}\n");
    let check = |old: &str, new: &str, expected: &str| {
        let difference = edit::difference("x", &config(old), &config(new));
        assert!(difference.ends_with(expected), "{difference}");
    };
    check("\"canary\"", "\"falcon\"", " id = \"a\"\n-token = \"******\"\n+token = \"******\"\n");
    check("\"\"\"can\nary\"\"\"", "\"\"\"can\nvas\"\"\"", " token = \"\"\"***\n-***\"\"\"\n+***\"\"\"\n");
}

#[test]
fn added_table_comes_after_commented_out_keys_of_the_table_above() {
    let check = |before: &str, kind: &str, block: &str, expected: &str| {
        assert_eq!(edit::add(before, kind, block).unwrap(), expected, "{before}");
    };
    let section = "[[section]]\nid = \"b\"\n";
    check(
        "[[section]]\nid = \"a\"\n# keep = []\n # drop = []\n\n# The feeds.\n",
        "section",
        section,
        "[[section]]\nid = \"a\"\n# keep = []\n # drop = []\n\n[[section]]\nid = \"b\"\n\n# The feeds.\n",
    );
    check(
        "[[section]]\nid = \"a\"\n# keep = []",
        "section",
        section,
        "[[section]]\nid = \"a\"\n# keep = []\n\n[[section]]\nid = \"b\"\n",
    );
    check(
        "[[section]]\nid = \"a\"\n# Of the feed.\n[[feed]]\nurl = \"https://a.example/\"\n",
        "section",
        section,
        "[[section]]\nid = \"a\"\n[[section]]\nid = \"b\"\n# Of the feed.\n[[feed]]\nurl = \"https://a.example/\"\n",
    );
}

#[test]
fn file_without_feeds_gets_its_first_feed_at_the_end() {
    let block = "[[feed]]\nurl = \"https://new.example/\"\n";
    let check = |before: &str, expected: &str| assert_eq!(edit::add(before, "feed", block).unwrap(), expected);
    check("", block);
    check("# Mine.\n", &format!("# Mine.\n\n{block}"));
    check("# Mine.", &format!("# Mine.\n\n{block}"));
    check("[site]\r\ntitle = \"x\"\r\n", &format!("[site]\r\ntitle = \"x\"\r\n\r\n{}", block.replace('\n', "\r\n")));
}

#[test]
fn removing_a_feed_removes_its_own_comment_and_tables() {
    let without_council = edit::remove(WIRE, 0).unwrap();
    let cut = "# The council speaks here.\n[[feed]]\nid = \"council\"\nurl = \"https://council.example/feed\"  # moved twice already\ntags = [\"town\"]\n\n";
    assert_eq!(without_council.len(), WIRE.len() - cut.len());
    assert!(without_council.contains("# --- the town ---\n\n[[feed]]\n  id = \"ferries\""), "{without_council}");
    let without_ferries = edit::remove(WIRE, 1).unwrap();
    assert!(!without_ferries.contains("they insist") && without_ferries.contains("# What we publish.\n[[section]]"));
    assert_eq!(edit::remove(WIRE, 2), Err(EditError::NoFeed));
}

#[test]
fn byte_order_mark_and_line_endings_stay() {
    let windows = format!("\u{feff}{}", WIRE.replace('\n', "\r\n"));
    let edited = edit::add(&windows, "feed", "[[feed]]\nurl = \"https://new.example/\"\n").unwrap();
    assert!(edited.starts_with('\u{feff}') && !edited.replace("\r\n", "").contains('\n'));
    assert_eq!(edit::remove(&edited, 2).unwrap(), windows);
    let edited = edit::set(&windows, 0, "title", Some("\"Council\"")).unwrap();
    assert_eq!(edit::set(&edited, 0, "title", None).unwrap(), windows);
}

#[test]
fn key_is_set_in_place_and_removed_again() {
    let check = |index, key, value, from: &str, to: &str| {
        let edited = edit::set(WIRE, index, key, value).unwrap();
        assert_eq!(edited, WIRE.replacen(from, to, 1), "{key}");
    };
    check(0, "url", Some("\"https://c.example/\""), "\"https://council.example/feed\"", "\"https://c.example/\"");
    check(0, "enabled", Some("false"), "tags = [\"town\"]\n", "tags = [\"town\"]\nenabled = false\n");
    check(1, "title", Some("\"F\""), "ferries.example/rss'\n", "ferries.example/rss'\n  title = \"F\"\n");
    check(0, "tags", None, "tags = [\"town\"]\n", "");
    check(0, "priority", None, "", "");
    assert_eq!(edit::set(WIRE, 1, "headers", None), Err(EditError::OwnTable("headers".to_owned())));
    assert!(matches!(edit::set(WIRE, 0, "title", Some("un\"closed")), Err(EditError::Value(_))));
}

#[test]
fn feed_is_removed_from_the_lists_of_sections() {
    let check = |feeds: &str, expected: &str| {
        let text = |feeds: &str| format!("[[section]]\nid = \"all\"\nfeeds = {feeds} # mine\n");
        assert_eq!(edit::unlist(&text(feeds), &FeedId::from("a")).unwrap(), text(expected));
    };
    check("[\"a\", \"b\"]", "[\"b\"]");
    check("[\"b\", \"a\"]", "[\"b\"]");
    check("[\"b\", \"a\", \"c\"]", "[\"b\", \"c\"]");
    check("[\"a\"]", "[]");
    check("[\"tag:a\"]", "[\"tag:a\"]");
    check("[\n  \"b\",\n  \"a\", # x\n]", "[\n  \"b\", # x\n]");
}

#[test]
fn unsafe_edit_is_refused() {
    let check = |text: &str, expected: &EditError| assert_eq!(edit::remove(text, 0).unwrap_err(), *expected, "{text}");
    check("feed = [{ url = \"https://a.example/\" }]\n", &EditError::InlineFeeds);
    check(
        "[[feed]]\nurl = \"https://a.example/\"\n[site]\ntitle = \"x\"\n[feed.headers]\nA = \"b\"\n",
        &EditError::Entangled,
    );
    assert!(matches!(edit::remove("[[feed]\n", 0), Err(EditError::Syntax(_))));
}

#[test]
fn command_line_value_gets_the_type_of_the_key() {
    let check = |key, text, expected: &str| assert_eq!(edit::feed_value(key, text).unwrap(), expected, "{key}");
    check("title", "3", "\"3\"");
    check("title", "a \"quoted\" one", "'a \"quoted\" one'");
    check("priority", "10", "10");
    check("enabled", "false", "false");
    check("tags", "world, sea", "[\"world\", \"sea\"]");
    check("tags", "[\"a, b\"]", "[\"a, b\"]");
    check("proxy", "{ env = \"PROXY\" }", "{ env = \"PROXY\" }");
    check("schedule", "every 2 hours", "\"every 2 hours\"");
    let unknown = edit::feed_value("titel", "x").unwrap_err().to_string();
    assert!(unknown.contains("did you mean `title`?"), "{unknown}");
}

#[test]
fn feed_is_found_by_its_file_and_its_position_in_the_file() {
    let file = |path: &str, text: &str| SourceFile { path: PathBuf::from(path), text: text.to_owned() };
    let feed = |id: &str| format!("[[feed]]\nid = \"{id}\"\nurl = \"https://{id}.example/\"\n");
    let files = [file("/w/newswire.toml", &feed("a")), file("/w/b.toml", &(feed("b") + &feed("c")))];
    let config = config::check(&files, &|_| Err(String::new())).0.unwrap();
    let place = |id: &str| edit::place_of(&config, &files, &FeedId::from(id));
    assert_eq!(place("a"), Some(FeedPlace { file: 0, index: 0 }));
    assert_eq!(place("c"), Some(FeedPlace { file: 1, index: 1 }));
    assert_eq!(place("d"), None);
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(200))]

    #[test]
    fn edit_of_a_damaged_file_loses_nothing_and_does_not_panic(start in 0usize..700, length in 0usize..60, inserted in "[\\[\\]{}=\"'\n#.a-z é/*-]{0,6}") {
        let mut text = WIRE.to_owned();
        let start = text.floor_char_boundary(start);
        let end = text.floor_char_boundary(start + length);
        text.replace_range(start..end, &inserted);
        let block = "[[feed]]\nurl = \"https://new.example/\"\n";
        if let Ok(edited) = edit::add(&text, "feed", block) {
            proptest::prop_assert!(edited.len() >= text.len() + block.len());
        }
        let _ = edit::remove(&text, 0);
        let _ = edit::set(&text, 0, "title", Some("\"x\""));
    }

    #[test]
    fn removing_an_added_feed_restores_the_file_in_any_layout(
        parts in proptest::collection::vec(proptest::sample::select(LAYOUT.to_vec()), 0..12),
        ends in proptest::sample::select(vec!["\n", "\r\n"]),
    ) {
        let text = parts.concat().replace('\n', ends);
        let feeds = toml::from_str::<toml::Table>(&text).unwrap();
        let count = feeds.get("feed").map_or(0, |feeds| feeds.as_array().unwrap().len());
        let edited = edit::add(&text, "feed", "[[feed]]\nurl = \"https://new.example/\"\n").unwrap();
        proptest::prop_assert_eq!(edit::remove(&edited, count).unwrap(), text);
    }
}

/// Parts from which random config files are put together, in the layouts that people use.
const LAYOUT: [&str; 9] = [
    "\n",
    "\n",
    "# a remark\n",
    "[[feed]]\nurl = \"https://a.example/\"\n",
    "[[feed]]\nurl = \"https://b.example/\"\n  [feed.headers]\n  Accept = \"x\"\n",
    "[[section]]\nid = \"s\"\n",
    "  [[feed]]\n  url = \"https://c.example/\" # last\n\n",
    "[[section]]\nid = \"t\"\nfeeds = [\n  \"*\",\n]\n\n",
    "   \n",
];
