//! `newswire search` with words, phrases, fields, and languages without spaces; `newswire explain` with words of a
//! title.

use crate::support;
use crate::support::sql;

use support::daemon::{Daemon, text};
use support::workspace::{Workspace, rss};

fn workspace() -> Workspace {
    let feeds = "[[feed]]\nid = \"a\"\nurl = \"file:a.xml\"\n[[feed]]\nid = \"b\"\nurl = \"file:b.xml\"\n";
    let sections = "[[section]]\nid = \"all\"\nfeeds = [\"*\"]\n[[section]]\nid = \"few\"\nfeeds = [\"b\"]\n";
    let workspace = Workspace::new(&format!("{feeds}{sections}"));
    let long = format!("{} the harbour bridge {}", "Words. ".repeat(60), "More. ".repeat(60));
    workspace.write(
        "a.xml",
        &rss(&[
            ("1", "Ferries are late", "They wait at the café of the quay."),
            ("2", "New shoes", &long),
            ("3", "東京都の天気", "今日は京都も晴れです。"),
            ("4", "ฝนตกในกรุงเทพ", "วันนี้ฝนตก"),
        ]),
    );
    workspace.write("b.xml", &rss(&[("5", "The ferry", "A new bridge, with shoes on it.")]));
    assert_eq!(workspace.run(&["poll"]).code, 0);
    workspace
}

#[test]
fn words_phrases_and_fields_find_their_matches() {
    let workspace = workspace();
    let check = |words: &str, expected: &[&str]| {
        let hits = workspace.json(&["search", words]);
        let titles: Vec<&str> = hits.as_array().unwrap().iter().map(|hit| hit["title"].as_str().unwrap()).collect();
        assert_eq!(titles, expected, "{words}");
    };
    check("ferry", &["The ferry"]);
    check("late ferr", &["Ferries are late"]);
    check("\"harbour bridge\"", &["New shoes"]);
    check("\"bridge harbour\"", &[]);
    check("title:shoes", &["New shoes"]);
    check("shoes", &["New shoes", "The ferry"]);
    check("CAFE", &["Ferries are late"]);
    check("bridge feed:b", &["The ferry"]);
    check("bridge section:few", &["The ferry"]);
    check("bridge before:2017", &[]);
    check("section:few", &["The ferry"]);
    check("東京", &["東京都の天気"]);
    check("京都", &["東京都の天気"]);
    check("ฝนตก", &["ฝนตกในกรุงเทพ"]);
    check("晴天", &[]);
    check("* ( NEAR \"", &[]);
}

#[test]
fn excerpt_shows_and_marks_the_search_words() {
    let workspace = workspace();
    let hits = workspace.json(&["search", "harbour"]);
    let excerpt = hits[0]["excerpt"].as_str().unwrap();
    assert!(excerpt.starts_with("… ") && excerpt.contains("the harbour bridge"), "{excerpt}");
    let (from, to) = (hits[0]["marks"][0][0].as_u64().unwrap(), hits[0]["marks"][0][1].as_u64().unwrap());
    let marked: String = excerpt.chars().skip(from as usize).take((to - from) as usize).collect();
    assert_eq!(marked, "harbour");
    let result = workspace.run(&["search", "harbour"]);
    assert!(
        !result.out.contains('\u{1b}') && result.out.lines().all(|line| line.chars().count() <= 80),
        "{}",
        result.out
    );
    let coloured = workspace.command(&["search", "harbour"]).env("CLICOLOR_FORCE", "1").output().unwrap();
    assert!(String::from_utf8(coloured.stdout).unwrap().contains("\u{1b}[1mharbour\u{1b}[0m"));
    let in_title = workspace.json(&["search", "ferries"]);
    assert_eq!(
        in_title[0]["excerpt"], "They wait at the café of the quay.",
        "the excerpt is from the text, because the title is shown anyway"
    );
    let check = |words: &str, code: i32, expected: &str| {
        let result = workspace.run(&["search", "--", words]);
        assert!(result.code == code && (result.out + &result.err).contains(expected), "{words}: {expected}");
    };
    check("nowhere", 0, "no stories found\n");
    check("feed:c harbour", 0, "no stories found: there is no feed c (`newswire feeds` lists them)");
    check("-shoes", 1, "no search words");
    let faulty = workspace.run(&["search", "after:yesterday", "x"]);
    assert!(faulty.code == 1 && faulty.err.contains("2017-12-20"), "{}", faulty.err);
}

#[test]
fn story_is_explained_by_words_of_its_title_in_any_order() {
    let workspace = workspace();
    let result = workspace.run(&["explain", "late ferries"]);
    assert!(
        result.out.starts_with("Ferries are late\n") && result.out.contains("\nIn all since "),
        "{}{}",
        result.out,
        result.err
    );
    assert_eq!(workspace.run(&["explain", "nothing of that kind"]).code, 1);
}

#[test]
fn search_says_if_there_are_more_matches_than_it_shows() {
    let workspace = Workspace::new(
        "[[feed]]\nid = \"a\"\nurl = \"file:a.xml\"\n[[feed]]\nid = \"b\"\nurl = \"file:b.xml\"\n
         [[section]]\nid = \"all\"\nfeeds = [\"a\"]\n[[section]]\nid = \"own\"\nfeeds = [\"b\"]\ntoken = \"a-token-of-their-own\"\n",
    );
    let stories = |prefix: &str, count: usize| {
        let items: Vec<(String, String)> =
            (0..count).map(|n| (format!("{prefix}{n}"), format!("Ferry {prefix}{n}"))).collect();
        rss(&items.iter().map(|(guid, title)| (guid.as_str(), title.as_str(), title.as_str())).collect::<Vec<_>>())
    };
    workspace.write("a.xml", &stories("x", 31));
    workspace.write("b.xml", &stories("y", 40));
    assert_eq!(workspace.run(&["poll"]).code, 0);
    let output_of = |arguments: &[&str]| workspace.run(arguments).out;
    assert!(output_of(&["search", "ferry"]).ends_with("\nShowing the first 20; use --limit to see more.\n"));
    assert!(!output_of(&["search", "ferry", "--limit", "71"]).contains("Showing the first"));
    assert_eq!(workspace.json(&["search", "ferry", "--limit", "3"]).as_array().unwrap().len(), 3);
    let mut daemon = Daemon::start(&workspace);
    let page = |words: &str| text(&daemon.get(&format!("/search?q={words}")).body);
    // The daemon fills the index for readers in the background.
    daemon.get_until("/search?q=ferry+-x30", ">30 results for");
    assert!(page("ferry+-x30").contains(">30 results for"), "{}", page("ferry+-x30"));
    assert!(page("ferry").contains(">Showing the first 30 results for"), "{}", page("ferry"));
    assert!(page("ferry+title:y").contains(">No results for"), "private texts are not searched");
    assert_eq!(daemon.end(), Some(0));
}

#[test]
fn search_says_if_it_looked_only_at_the_newest_entries() {
    let workspace = workspace();
    assert_eq!(workspace.run(&["search", "ferry"]).err, "");
    let store = sql::open(workspace.path("newswire.db"));
    // Adds more entries with the word than a search ranks. They are newer than the others.
    store
        .execute_batch(
            "WITH RECURSIVE n (x) AS (SELECT 1000 UNION ALL SELECT x + 1 FROM n WHERE x < 21001)
             INSERT INTO search (rowid, title, text, author) SELECT x, 'Ferry', '', '' FROM n;
             PRAGMA foreign_keys = off;
             WITH RECURSIVE n (x) AS (SELECT 1000 UNION ALL SELECT x + 1 FROM n WHERE x < 21001)
             INSERT INTO entry (number, feed, guid, guid_kind, raw_hash, fingerprint, first_seen, story, reason)
               SELECT x, 1, 'guid' || x, 'guid', 0, 0, 0, 1, 'first' FROM n",
        )
        .unwrap();
    let result = workspace.run(&["search", "ferry", "--json"]);
    assert!(result.err.contains("searched only the newest entries; use more or rarer words"), "{}", result.err);
    assert_eq!((result.code, result.out.trim()), (0, "[]"), "the output stays an array");
}
