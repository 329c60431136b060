//! Whole configs: the feeds of each section, definition hashes, and odd, damaged or very large texts.

use super::*;

#[test]
fn section_has_each_feed_once_that_it_names_or_that_names_it() {
    let feed = |id: &str, line: &str| format!("[[feed]]\nid = \"{id}\"\nurl = \"https://{id}.example/\"\n{line}\n");
    let text = [
        feed("a", "tags = [\"world\"]"),
        feed("b", "sections = [\"news\"]"),
        feed("c", "tags = [\"world\"]\nsections = [\"news\"]"),
        feed("d", "enabled = false"),
        feed("e", ""),
        "[[section]]\nid = \"news\"\nfeeds = [\"d\", \"tag:world\", \"c\"]\n".to_owned(),
        "[[section]]\nid = \"all\"\nfeeds = [\"*\"]\n".to_owned(),
    ];
    let config = good(&text.concat());
    let ids = |section: &str| {
        let section = config.section(&SectionId::from(section)).unwrap();
        section.feeds.iter().map(FeedId::as_str).collect::<Vec<_>>()
    };
    assert_eq!(ids("news"), ["a", "b", "c", "d"]);
    assert_eq!(ids("all"), ["a", "b", "c", "d", "e"]);
}

#[test]
fn definition_hash_depends_only_on_keys_that_choose_stories() {
    let hash = |feed: &str, section: &str| {
        let text = format!("{FEED}{feed}\n[[feed]]\nurl = \"https://b.example/\"\n{SECTION}{section}\n");
        good(&text).sections[0].definition_hash
    };
    let base = hash("", "keep = [ { title = \"war\" } ]");
    for (feed, section) in [
        ("", "keep = [ { title = [\"war\"] } ] # as before"),
        ("schedule = \"every 2 hours\"\ntitle = \"A\"", "limit = 7\ntitle = \"x\"\nkeep = [ { title = \"war\" } ]"),
    ] {
        assert_eq!(hash(feed, section), base);
    }
    for (feed, section) in [
        ("", ""),
        ("", "drop = [ { title = \"war\" } ]"),
        ("", "keep = [ { title = \"wars\" } ]"),
        ("", "max_age = \"1 day\"\nkeep = [ { title = \"war\" } ]"),
        ("tags = [\"x\"]", "keep = [ { title = \"war\" } ]"),
        ("categories = [\"x\"]", "keep = [ { title = \"war\" } ]"),
    ] {
        assert_ne!(hash(feed, section), base, "{feed} {section}");
    }
}

#[test]
fn sections_that_take_all_feeds_share_one_list() {
    let section = |id: &str, feeds: &str| format!("[[section]]\nid = \"{id}\"\nfeeds = [{feeds}]\n");
    let config = good(&format!(
        "{FEED}[[feed]]\nid = \"b\"\nurl = \"https://b.example/\"\n{}{}{}",
        section("one", "\"*\""),
        section("two", "\"a\", \"b\""),
        section("three", "\"a\"")
    ));
    let [one, two, three] = [0, 1, 2].map(|at| &config.sections[at].feeds);
    assert!(one.is_shared_with(two) && !one.is_shared_with(three));
    assert_eq!(FeedList::distinct([one, two, three].into_iter()).len(), 2);
}

#[test]
fn definition_hash_is_the_same_at_every_start_and_in_every_version() {
    let text = format!(
        "[site]\nfacets = [\"region\"]\n{FEED}tags = [\"b\", \"a\"]\ncategories = [\"region:north\", \"x\"]\n{SECTION}{}",
        "max_age = \"36 hours\"\nkeep = [ { title = [\"war\", \"/pe+ace/\"], words = \">50\" }, { has = \"image\" } ]\n\
         drop = [ { not = { age = \"<2 days\" }, feed = \"a\" } ]\n"
    );
    let section = good(&text).sections[0].clone();
    assert_eq!((section.definition_hash, section.former_hash), (9_787_850_679_614_064_600, 7_200_755_810_164_668_654));
    // Neither the order of tags, keys and values nor their spelling matters.
    let other = text
        .replace("[\"b\", \"a\"]", "[\"a\", \"b\"]")
        .replace("[\"war\", \"/pe+ace/\"], words = \">50\"", "[\"/pe+ace/\", \"war\"], words = \"> 50\"")
        .replace("36 hours", "1 day 12 hours");
    assert_eq!(good(&other).sections[0].definition_hash, section.definition_hash);
}

#[test]
fn byte_order_mark_and_windows_line_breaks_do_no_harm() {
    let text = format!("\u{feff}[site]\r\ntitle = \"x\"\r\n{}", format!("{FEED}{SECTION}").replace('\n', "\r\n"));
    assert_eq!(good(&text).feeds.len(), 1);
    let files = [source("/n.toml", "\u{feff}titel = \"x\"\r\n\r\n[[feed]]\r\nurl = 3\r\n")];
    let (_, problems) = config::check(&files, &secret);
    let places: Vec<(usize, usize)> = problems.iter().map(|problem| (problem.line, problem.column)).collect();
    assert_eq!(places, [(1, 1), (4, 7)]);
    let shown = config::render_problems(&problems, &files, false);
    assert!(!shown.contains(['\r', '\u{feff}']), "{shown:?}");
}

#[test]
fn odd_texts_neither_panic_nor_hang() {
    let deep = format!("x = {}", "[".repeat(100_000));
    let long_key = format!("{} = 1", "k".repeat(1_000_000));
    let texts = [
        "\0",
        "=",
        "[",
        "[[",
        "[[feed]]\nurl",
        "\u{feff}",
        "a.b.c.d = 1",
        "feed = [1, \"x\", {}]",
        "[[feed.x]]",
        &deep,
        &long_key,
    ];
    for text in texts {
        let files = [source("/n.toml", text)];
        let (config, problems) = config::check(&files, &secret);
        assert_eq!(config.is_none(), problems.iter().any(|problem| problem.level == Level::Error));
        config::render_problems(&problems, &files, true);
    }
    assert!(config::check(&[], &secret).0.is_none());
}

#[test]
fn ten_thousand_feeds_and_as_many_mistakes_are_read_in_time() {
    let feeds: String = (0..10_000)
        .map(|n| {
            format!(
                "[[feed]]\nurl = \"https://example.org/blog/{n}/feed\"\ntags = [\"t{}\"]\nsections = [\"s{}\"]\n",
                n % 100,
                n % 50
            )
        })
        .collect();
    let sections: String =
        (0..50).map(|n| format!("[[section]]\nid = \"s{n}\"\nfeeds = [\"tag:t{n}\", \"*\"]\n")).collect();
    let start = Instant::now();
    let config = good(&format!("{feeds}{sections}"));
    assert_eq!(config.feeds.len(), 10_000);
    assert_eq!(config.sections[49].feeds.iter().count(), 10_000);
    println!("10,000 feeds: {:?}", start.elapsed());
    let mistakes = feeds.replace("sections = [\"s", "sections = [\"x");
    let start = Instant::now();
    let found = problems(&format!("{mistakes}{sections}")).len();
    println!("{found} mistakes: {:?}", start.elapsed());
    assert_eq!(found, 10_000);
    assert!(start.elapsed() < Duration::from_secs(20));
}
