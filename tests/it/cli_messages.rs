//! The exact messages of the commands at 80 columns, most of them about mistakes, and the exit codes.

use crate::support;

use support::workspace::{Workspace, rss};

const FEED: &str = "[[feed]]\nid = \"beta\"\nurl = \"file:beta.xml\"\n";
const ALL: &str = "[[section]]\nid = \"all\"\nfeeds = [\"*\"]\n";

/// Asserts the exact output and exit code of a command, and that no line is longer than 80 characters.
fn check(workspace: &Workspace, arguments: &[&str], code: i32, expected: &str) {
    let result = workspace.run(arguments);
    let shown = result.out + &result.err;
    assert_eq!((shown.as_str(), result.code), (expected, code), "{arguments:?}\n{shown}");
    assert!(shown.lines().all(|line| line.chars().count() <= 80), "{shown}");
}

/// Creates a workspace with one feed, and polls its only story.
fn polled() -> Workspace {
    let workspace = Workspace::whole(&format!("{FEED}{ALL}"));
    workspace.write("beta.xml", &rss(&[("1", "One", "x")]));
    assert_eq!(workspace.run(&["poll"]).code, 0);
    workspace
}

#[test]
fn unclosed_list_is_one_error_and_causes_no_further_ones() {
    let section = "[[section]]\nid = \"a\"\nfeeds = [\"x\",\n  \"y\"\nlimit = 5\n\n";
    let rest = "[[section]]\nid = \"b\"\nlimt = 3\nfeeds = [\"nowhere\"]\n";
    let expected = "\
error: this list is not closed
 --> newswire.toml:3:9
  |
3 | feeds = [\"*\",
  |         ^
  |
  = help: write ] after its last value

error: unknown key `limt` in [[section]]
 --> newswire.toml:9:1
  |
9 | limt = *
  | ^^^^
  |
  = help: did you mean `limit`?

newswire: the config has 2 errors
";
    check(&Workspace::whole(&format!("{section}{rest}")), &["check"], 78, expected);
    let many = format!("{section}{}", "[[feed]]\nurl = \"https://a.example/\"\n".repeat(200));
    let problems = Workspace::whole(&many).json(&["check"]);
    let errors = problems.as_array().unwrap().iter().filter(|problem| problem["level"] == "error").count();
    assert_eq!(errors, 1, "{problems}");
}

#[test]
fn duplicate_key_says_where_the_first_one_is() {
    let expected = "\
error: the key `title` is used twice
 --> newswire.toml:4:1
  |
4 | title = \"Y\"
  | ^^^^^
  |
  = help: first used in line 2
";
    check(&Workspace::whole("[site]\ntitle = \"X\"\nlanguage = \"en\"\ntitle = \"Y\"\n"), &["check"], 78, expected);
    let expected = "\
error: the table [site] is used twice
 --> newswire.toml:4:2
  |
4 | [site]
  |  ^^^^
  |
  = help: first used in line 1
";
    let twice = "[site]\ntitle = \"X\"\n[server]\n[site]\nlanguage = \"en\"\n";
    check(&Workspace::whole(twice), &["check"], 78, expected);
}

#[test]
fn section_without_id_is_named_by_its_line_even_if_the_file_has_a_syntax_error() {
    let expected = "\
error: [[section]] in line 1 needs `id`
 --> newswire.toml:1:1
  |
1 | [[section]]
  | ^^^^^^^^^^^

error: [[section]] in line 1 has no feeds
 --> newswire.toml:1:1
  |
1 | [[section]]
  | ^^^^^^^^^^^
  |
  = help: write feeds = [\"*\"] to take all feeds, or list some

newswire: the config has 2 errors
";
    check(&Workspace::whole("[[section]]\n"), &["check"], 78, expected);
    let beside = Workspace::whole("[site]\ntitle = \"X\ntitle = \"Y\"\n[[section]]\n").run(&["check"]);
    assert!(beside.err.contains("[[section]] in line 4 needs `id`"), "{}", beside.err);
    let within = Workspace::whole("[[section]]\nid = \"x\n").run(&["check"]);
    assert!(!within.err.contains("needs `id`"), "it may stand in the line that cannot be read: {}", within.err);
}

#[test]
fn file_that_is_not_utf8_shows_the_line_and_column() {
    let workspace = Workspace::whole("");
    std::fs::write(workspace.path("newswire.toml"), b"[site]\ntitle = \"caf\xe9\"\n").unwrap();
    let expected = "\
error: this is not UTF-8
 --> newswire.toml:2:13
  |
2 | title = \"caf\u{fffd}\"
  |             ^
  |
  = help: save the file as UTF-8
";
    check(&workspace, &["check"], 78, expected);
    workspace.write("newswire.toml", "include = [\"a.toml\"]\n");
    std::fs::write(workspace.path("a.toml"), b"[[feed]]\nurl = \"https://a.example/\"\ntitle = \"\xff\"\n").unwrap();
    let expected = "\
error: this is not UTF-8
 --> a.toml:3:10
  |
3 | title = \"\u{fffd}\"
  |          ^
  |
  = help: save the file as UTF-8
";
    check(&workspace, &["check"], 78, expected);
}

#[test]
fn misspelt_tables_units_schedules_and_addresses_get_a_suggestion() {
    let expected = "\
error: unknown key `storys` in the main file
 --> newswire.toml:1:2
  |
1 | [storys]
  |  ^^^^^^
  |
  = help: did you mean `stories`?

error: expected a duration such as \"30 seconds\", \"90 minutes\" or \"7 days\"
 --> newswire.toml:3:11
  |
3 | timeout = \"10 secnds\"
  |           ^^^^^^^^^^^
  |
  = help: did you mean \"seconds\"?

error: expected \"every 1 hour\", \"adaptive\", \"@hourly\" or the five fields
       of cron: minute, hour, day of month, month, day of week; found 3
       fields
 --> newswire.toml:4:12
  |
4 | schedule = \"evry 1 hour\"
  |            ^^^^^^^^^^^^^
  |
  = help: did you mean \"every 1 hour\"?

error: expected a URL that begins with http:// or https://
 --> newswire.toml:7:7
  |
7 | url = \"htps://a.example/f\"
  |       ^^^^^^^^^^^^^^^^^^^^
  |
  = help: write \"https://a.example/f\"

error: there is no feed `betta`
  --> newswire.toml:10:10
   |
10 | feeds = [\"betta\"]
   |          ^^^^^^^
   |
   = help: did you mean `beta`?

newswire: the config has 5 errors
";
    let config = "[storys]\n[poll]\ntimeout = \"10 secnds\"\nschedule = \"evry 1 hour\"\n[[feed]]\nid = \"beta\"\nurl = \"htps://a.example/f\"\n[[section]]\nid = \"all\"\nfeeds = [\"betta\"]\n";
    check(&Workspace::whole(config), &["check"], 78, expected);
}

#[test]
fn unknown_feeds_sections_keys_and_commands_get_a_suggestion() {
    let workspace = polled();
    let no_feed = "newswire: there is no feed \"betta\"; did you mean \"beta\"?\n";
    check(&workspace, &["set", "betta", "title=x"], 1, no_feed);
    check(&workspace, &["feeds", "betta"], 1, no_feed);
    check(&workspace, &["poll", "betta"], 1, no_feed);
    check(&workspace, &["remove", "betta"], 1, no_feed);
    check(&workspace, &["remove", "zzzzzz"], 1, "newswire: there is no feed \"zzzzzz\"; `newswire feeds` lists them\n");
    let no_section = "newswire: there is no section \"al\"; did you mean \"all\"?\n";
    check(&workspace, &["export", "--section", "al"], 1, no_section);
    check(&workspace, &["explain", "One", "--section", "al"], 1, no_section);
    check(&workspace, &["try", "--section", "al", "--drop", "title=x"], 1, no_section);
    let no_key = "newswire: there is no key `titel` in [[feed]]: did you mean `title`?\n";
    check(&workspace, &["set", "beta", "titel=x"], 1, no_key);
    let expected = "\
error: unrecognized subcommand 'fedes'

  tip: a similar subcommand exists: 'feeds'

Usage: newswire [OPTIONS] <COMMAND>

For more information, try '--help'.
";
    check(&workspace, &["fedes"], 2, expected);
    let expected = "\
newswire: nothing was written; the edited config would have errors:

error: expected one of \"full\", \"summary\", \"link\"
 --> newswire.toml:4:13
  |
4 | republish = \"ful\"
  |             ^^^^^
  |
  = help: did you mean \"full\"?
";
    check(&workspace, &["set", "beta", "republish=ful"], 78, expected);
}

#[test]
fn invalid_rule_on_the_command_line_is_a_usage_error() {
    let workspace = polled();
    let expected = "newswire: the rule \"titel=x\": unknown key `titel` in a rule (did you mean `title`?)\n";
    let result = workspace.run(&["try", "--section", "all", "--drop", "titel=x"]);
    assert_eq!((result.err.as_str(), result.code), (expected, 2));
    assert_eq!(workspace.run(&["try", "--section", "all", "--keep", "title=/(/"]).code, 2);
}

#[test]
fn poll_of_all_feeds_names_the_feeds_not_polled_in_one_message() {
    let feeds: String =
        (0..12).map(|number| format!("[[feed]]\nid = \"f{number:02}\"\nurl = \"file:f{number}.xml\"\n")).collect();
    let workspace = Workspace::whole(&format!("{feeds}{ALL}"));
    (0..12).for_each(|number| workspace.write(&format!("f{number}.xml"), &rss(&[("1", "One", "x")])));
    assert_eq!(workspace.run(&["poll"]).code, 0);
    let result = workspace.run(&["poll", "--all"]);
    let lines: Vec<&str> = result.out.lines().collect();
    let expected = [
        "12 feeds were not polled, because they were polled recently: f00, f01, f02, f03,",
        "  f04, …; the first may be polled in 10 min",
    ];
    assert_eq!(lines[..2], expected, "{}", result.out);
    assert!(
        lines.len() == 3 && lines[2].starts_with("0 feeds: 0 changed, 0 failed; 0 new entries, "),
        "{}",
        result.out
    );
    assert_eq!(workspace.json_lines(&["poll", "--all"]).len(), 13, "programs see each feed");
    assert!(workspace.run(&["poll", "f03"]).out.starts_with("f03  polled recently; next poll allowed in 10 min\n"));
}

#[test]
fn named_feed_is_shown_with_title_address_and_sections() {
    let workspace = polled();
    let expected = format!(
        "\
feed  state  last poll  next poll  failures  entries
beta  ok     just now   in 1 h     0         1

beta: title: The harbour
beta: address: file://{}
beta: sections: all
beta: schedule: every 1 hour
",
        workspace.path("beta.xml").canonicalize().unwrap().display()
    );
    check(&workspace, &["feeds", "beta"], 0, &expected);
}

#[test]
fn file_feed_is_added_by_its_path_and_removing_it_restores_the_config() {
    let workspace = polled();
    workspace.write("inner/other file.xml", &rss(&[("2", "Two", "y")]));
    let before = workspace.read("newswire.toml");
    let expected = "newswire: ./nowhere.xml is not a file; check the path\n";
    check(&workspace, &["add", "./nowhere.xml"], 1, expected);
    let path = workspace.path("inner/other file.xml");
    for path in [path.to_str().unwrap(), "inner/other file.xml", "./inner/other file.xml"] {
        let result = workspace.run(&["add", path]);
        assert_eq!(result.code, 0, "{path}: {}", result.err);
        assert!(result.out.contains("\n  file:inner/other%20file.xml\n"), "{}", result.out);
        assert!(workspace.read("newswire.toml").contains("url = \"file:inner/other%20file.xml\"  # The harbour\n"));
        assert_eq!(workspace.run(&["remove", "other-20file"]).code, 0);
        assert_eq!(workspace.read("newswire.toml"), before, "{path}");
    }
    let elsewhere = tempfile::tempdir().unwrap();
    let outside = elsewhere.path().canonicalize().unwrap().join("far.xml");
    std::fs::write(&outside, rss(&[("3", "Three", "z")])).unwrap();
    assert_eq!(workspace.run(&["add", outside.to_str().unwrap()]).code, 0);
    assert!(workspace.read("newswire.toml").contains(&format!("url = \"file:{}\"", outside.display())));
    assert_eq!(workspace.run(&["poll"]).code, 0);
}

#[test]
fn address_list_names_bad_lines_by_number_and_skips_files_by_default() {
    let workspace = Workspace::whole(&format!("{FEED}{ALL}"));
    workspace.write("list.txt", "# mine\nhttps://a.example/x\nthis is a note\nfile:///etc/hostname\n");
    let expected = "\
a list of addresses: 1 feed added to newswire.toml, 0 already known
  skipped  this is a note: line 3 has no usable feed address
  skipped  file:///etc/hostname: this is a local file; use --allow-files to
           import it
";
    check(&workspace, &["import", "list.txt"], 0, expected);
    let expected = "\
a list of addresses: 1 feed added to newswire.toml, 1 already known
  skipped  this is a note: line 3 has no usable feed address
";
    check(&workspace, &["import", "list.txt", "--allow-files"], 0, expected);
    assert!(workspace.read("newswire.toml").contains("url = \"file:///etc/hostname\""));
}

#[test]
fn import_without_folders_suggests_a_section_for_its_feeds() {
    let workspace = Workspace::whole("");
    workspace.write("urls", "https://council.example/feed \"~The Council\" town\n\"query:Unread:unread\"\n");
    let expected = "\
newsboat's urls: 1 feed added to newswire.toml, 0 already known
  section  added `all`, which shows every feed, because the config had no
           section
  skipped  query:Unread:unread: line 2: write the query as a [[section]] with
           `keep`
";
    check(&workspace, &["import", "urls"], 0, expected);
    check(&workspace, &["check"], 0, "the config is valid: 1 feed, 1 section\n");
    assert_eq!(workspace.json(&["sections"])[0]["feeds"][0], "council-example");
}

#[test]
fn planet_settings_without_a_counterpart_are_reported_once() {
    let workspace = Workspace::whole(&format!("{FEED}{ALL}"));
    let general: String = (1..=13).map(|number| format!("setting{number} = x\n")).collect();
    workspace
        .write("planet.ini", &format!("[Planet]\n{general}[https://a.example/feed]\nfilters = a.py\n[a.py]\nx = y\n"));
    let expected = "\
Planet's ini: 1 feed added to newswire.toml, 0 already known
  skipped  these settings have no counterpart in newswire and were skipped:
           setting1 of [Planet], setting10 of [Planet], setting11 of [Planet],
           setting12 of [Planet], setting13 of [Planet], setting2 of [Planet],
           setting3 of [Planet], setting4 of [Planet], setting5 of [Planet],
           setting6 of [Planet], setting7 of [Planet], setting8 of [Planet],
           setting9 of [Planet], [a.py], filters of https://a.example/feed
";
    check(&workspace, &["import", "planet.ini"], 0, expected);
}

#[test]
fn secret_in_a_header_over_plain_http_is_a_warning() {
    let header = "headers = { X-Api = { env = \"HOME\" } }\n";
    let workspace = Workspace::whole(&format!("[[feed]]\nurl = \"http://a.example/\"\n{header}{ALL}"));
    let expected = "\
warning: this is sent unencrypted over http
 --> newswire.toml:3:11
  |
3 | headers = { X-Api = { env = \"HOME\" } }
  |           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  |
  = help: use https:// in `url` if the server supports it

the config is valid: 1 feed, 1 section
";
    check(&workspace, &["check"], 0, expected);
}
