//! Import of feed lists from other programs: what is imported, merged and left out. Importing a list twice adds
//! nothing, and an export can be imported.

use crate::support;

use std::path::{Path, PathBuf};

use newswire::config::import::{self, ImportError, ImportPlan, Imported};
use newswire::config::{self, Config, SourceFile};
use newswire::parse;
use support::workspace::Workspace;

fn fixture(name: &str) -> String {
    parse::text(&std::fs::read(Path::new("tests/fixtures/lists").join(name)).unwrap())
}

fn read(name: &str) -> Imported {
    import::read(&fixture(name)).unwrap()
}

fn config(text: &str) -> Config {
    let file = SourceFile { path: PathBuf::from("/srv/wire/newswire.toml"), text: text.to_owned() };
    let (config, problems) = config::check(&[file], &|_| Err(String::new()));
    config.unwrap_or_else(|| panic!("{problems:#?}\n{text}"))
}

fn planned(name: &str) -> ImportPlan {
    import::plan(read(name), &config(""), None)
}

/// Returns each feed as url, title, sections and tags.
fn feeds(config: &Config) -> Vec<(String, String, Vec<String>, Vec<String>)> {
    let feed = |feed: &std::sync::Arc<config::Feed>| {
        let sections = config.sections.iter().filter(|section| section.takes(&feed.id));
        let sections = sections.map(|section| section.id.to_string()).collect();
        (feed.url.secret.to_string(), feed.title.clone().unwrap_or_default(), sections, feed.tags.clone())
    };
    config.feeds.iter().map(feed).collect()
}

fn check(name: &str, format: &str, expected: &[(&str, &str, &[&str], &[&str])], left_out: &[&str]) -> Config {
    assert_eq!(read(name).format, format);
    let plan = planned(name);
    let text = format!("{}\n{}", plan.feeds, plan.sections);
    let config = config(&text);
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    let expected: Vec<_> = expected
        .iter()
        .map(|(url, title, sections, tags)| ((*url).to_owned(), (*title).to_owned(), words(sections), words(tags)))
        .collect();
    assert_eq!(feeds(&config), expected, "{text}");
    let result: Vec<String> = plan.skipped.iter().map(|left| format!("{}: {}", left.what, left.why)).collect();
    assert_eq!(result.len(), left_out.len(), "{result:#?}");
    for part in left_out {
        assert!(result.iter().any(|result| result.starts_with(part)), "{part}: {result:#?}");
    }
    let again = import::plan(read(name), &config, None);
    assert_eq!(
        (again.feeds, again.sections, again.taken),
        (String::new(), String::new(), 0),
        "importing again adds nothing"
    );
    config
}

#[test]
fn broken_opml_is_repaired_and_its_folders_become_sections() {
    let config = check(
        "opml1_broken.opml",
        "OPML",
        &[
            ("https://council.example/feed?a=1&b=2", "Council News", &["town-sea", "world"], &[]),
            ("https://ferries.example/rss", "Ferries", &["town-sea"], &["boats/timetables", "boats"]),
            ("https://cafe.example/feed.xml", "Café", &["town-sea"], &["Deep"]),
            ("https://loose.example/", "Loose", &[], &[]),
        ],
        &[
            "No address: this outline has no feed address",
            "Others: newswire does not fetch included lists",
            "Bad: not a usable feed address",
        ],
    );
    assert_eq!(config.sections[0].title, "Town & Sea");
    assert_eq!(config.feeds[0].site.as_ref().unwrap().as_str(), "https://council.example/");
    let merged = &planned("opml1_broken.opml").merged[..];
    let [same] = merged else { panic!("{merged:?}") };
    assert_eq!(same.url, "http://www.council.example/feed/?a=1&b=2");
    assert_eq!(
        same.rule().unwrap(),
        "the only differences are the scheme (http or https) and www. and a slash at the end"
    );
}

#[test]
fn freshrss_attributes_are_imported_or_reported_and_no_cookie_is_copied() {
    let config = check(
        "freshrss.opml",
        "OPML",
        &[("https://blog.example/feed", "A blog", &["blogs"], &[])],
        &[
            "Blogs: the list at https://elsewhere.example/blogs.opml is not fetched",
            "cssfullcontent of A blog",
            "filtersactionread of A blog: write it as a `drop` rule of a section",
            "curlopt_cookie of A blog: may be a secret",
            "A page: this source is scraped from web pages",
        ],
    );
    assert_eq!(config.feeds[0].user_agent.as_deref(), Some("agent/1.0"));
    assert!(!format!("{:?}", planned("freshrss.opml")).contains("canary"));
}

#[test]
fn miniflux_attributes_are_imported_or_reported() {
    let config = check(
        "miniflux.opml",
        "OPML",
        &[("https://one.example/feed", "One", &["all"], &[]), ("https://two.example/feed", "Two", &["all"], &[])],
        &["blocklistrules of One", "crawler of One", "proxyurl of Two"],
    );
    assert_eq!((config.feeds[0].enabled, config.feeds[1].enabled), (true, false));
    assert!(!format!("{:?}", planned("miniflux.opml")).contains("canary"));
}

#[test]
fn planet_becomes_a_section_with_its_filters_as_rules() {
    let config = check(
        "planet.ini",
        "Planet's ini",
        &[
            ("https://council.example/feed", "Council", &["planet-harbour"], &[]),
            ("http://ferries.example/rss", "Ferries: all of them", &["planet-harbour"], &[]),
            ("https://nets.example/atom", "Nets", &["planet-harbour"], &[]),
        ],
        &[
            "name of [Planet]: write title = \"Planet Harbour\" under [site]",
            "link of [Planet]",
            "owner_name of [Planet]",
            "these settings have no counterpart in newswire and were skipped: facewidth of [DEFAULT], ",
            "exclude = (?!not)nets of https://nets.example/atom: bad regular expression",
            "https://lists.example/friends.opml: the list is not fetched",
        ],
    );
    let section = &config.sections[0];
    assert_eq!((section.title.as_str(), section.limit), ("Planet Harbour", 40));
    let rules: Vec<String> = section.drop.iter().map(ToString::to_string).collect();
    let expected = [
        r#"{ text = "/lottery/" }"#,
        r#"{ feed = "council-example", not = { text = '/\bharbour\b/' } }"#,
        r#"{ text = "/(sponsored|advert)/", feed = "ferries-example" }"#,
    ];
    assert_eq!(rules, expected);
    assert_eq!(config.feeds[0].image.as_ref().unwrap().as_str(), "https://planet.example/images/council.png");
    assert_eq!(config.feeds[1].site.as_ref().unwrap().as_str(), "https://ferries.example/");
}

#[test]
fn newsboat_urls_keep_tags_and_titles() {
    check(
        "urls",
        "newsboat's urls",
        &[
            ("https://council.example/feed", "The Council", &[], &["town", "two words"]),
            ("https://ferries.example/rss", "", &[], &["sea"]),
            ("https://nets.example/atom", "", &[], &[]),
        ],
        &["query:Unread", "exec:~/bin", "filter:~/bin"],
    );
}

#[test]
fn sfeedrc_is_read_but_not_executed() {
    check(
        "sfeedrc",
        "sfeedrc",
        &[
            ("https://council.example/feed", "Council", &[], &[]),
            ("https://ferries.example/rss", "The ferries' news", &[], &[]),
            ("https://nets.example/atom", "Nets \"n\" ropes", &[], &[]),
        ],
        &["feed \"Computed\""],
    );
}

#[test]
fn plain_addresses_are_repaired_and_merged() {
    check(
        "plain.txt",
        "a list of addresses",
        &[
            ("https://council.example/feed", "", &[], &[]),
            ("https://ferries.example/rss", "", &[], &[]),
            ("https://www.nets.example/atom", "", &[], &[]),
        ],
        &["not an address: line 7 has no usable feed address"],
    );
}

/// Returns the addresses that are imported from an OPML list with these addresses.
fn taken(list: &str) -> Vec<String> {
    let opml: String = list.lines().map(|url| format!("<outline text=\"T\" xmlUrl=\"{url}\"/>")).collect();
    import::read(&format!("<opml><body>{opml}</body></opml>")).unwrap().feeds.into_iter().map(|feed| feed.url).collect()
}

#[test]
fn spaces_in_an_address_are_encoded_and_never_removed() {
    let check = |url: &str, expected: &str| assert_eq!(taken(url), [expected], "{url}");
    check("http://a.example/our news.xml?q=low tide", "http://a.example/our%20news.xml?q=low%20tide");
    check("  http://a.example/feed  ", "http://a.example/feed");
    check("http://a.example?q=low tide", "http://a.example?q=low%20tide");
    check("http:// a.example/feed", "http://a.example/feed");
    check("a.example/our news.xml", "https://a.example/our%20news.xml");
}

#[test]
fn feed_scheme_is_removed() {
    let check = |url: &str, expected: &str| assert_eq!(taken(url), [expected], "{url}");
    check("feed://a.example:8080/feed", "https://a.example:8080/feed");
    check("feed:http://a.example/feed", "http://a.example/feed");
    check("FEED:https://a.example/feed", "https://a.example/feed");
}

#[test]
fn https_is_preferred_to_http_and_the_merge_rule_is_reported() {
    let workspace =
        Workspace::new("[[section]]\nid = \"all\"\nfeeds = [\"*\"]\n[[feed]]\nurl = \"https://known.example/feed\"\n");
    workspace.write(
        "list.txt",
        "http://a.example/feed\nhttps://a.example/feed\nhttps://b.example/feed\nhttp://www.b.example/feed/\nhttp://c.example/feed\nhttp://c.example/feed\nhttp://known.example/feed\n",
    );
    let result = workspace.run(&["import", "list.txt"]);
    let out = result.out.split_whitespace().collect::<Vec<_>>().join(" ");
    for part in [
        "merged http://a.example/feed: replaced by https://a.example/feed; the only difference is the scheme (http or https)",
        "merged http://www.b.example/feed/: replaced by https://b.example/feed; the only differences are the scheme (http or https) and www. and a slash at the end",
        "merged http://c.example/feed known http://known.example/feed: the config has https://known.example/feed; the only difference is the scheme (http or https)",
    ] {
        assert!(out.contains(part), "{part}: {out}");
    }
    let config = workspace.read("newswire.toml");
    let urls: Vec<_> = config.lines().filter_map(|line| line.strip_prefix("url = ")).collect();
    assert_eq!(
        urls,
        [
            "\"https://known.example/feed\"",
            "\"https://a.example/feed\"",
            "\"https://b.example/feed\"",
            "\"http://c.example/feed\""
        ]
    );
}

#[test]
fn oversized_list_is_refused() {
    let check = |text: &str, expected: ImportError| assert_eq!(import::read(text).unwrap_err(), expected);
    let outline = "<outline text=\"x\" xmlUrl=\"https://x.example/\"/>";
    check(&format!("<opml><body>{}</body></opml>", outline.repeat(10_001)), ImportError::TooMany);
    check(&format!("<opml><body>{}", "<outline text=\"x\">".repeat(33)), ImportError::TooDeep);
    check(&" ".repeat(import::MAX_BYTES + 1), ImportError::TooLong);
    check("<html><body>Log in</body></html>", ImportError::Unknown);
    check("{\"json\": true}", ImportError::Unknown);
    check("", ImportError::Unknown);
    check(&"https://x.example/\n".repeat(10_001), ImportError::TooMany);
}

#[test]
fn entities_of_a_document_type_are_not_expanded() {
    let bomb = "<!DOCTYPE opml [<!ENTITY a \"aaaa\"><!ENTITY x SYSTEM \"file:///etc/passwd\">]><opml><body><outline text=\"&a;&x;\" xmlUrl=\"https://x.example/\"/></body></opml>";
    let imported = import::read(bomb).unwrap();
    assert_eq!(imported.feeds[0].title.as_deref(), Some("&a;&x;"));
}

#[test]
fn import_changes_the_config_once_and_says_what_it_did() {
    let workspace = Workspace::new("# Mine.\n[[section]]\nid = \"world\"\nfeeds = [\"*\"]\n");
    std::fs::copy("tests/fixtures/lists/opml1_broken.opml", workspace.path("list.opml")).unwrap();
    let before = workspace.read("newswire.toml");
    let dry = workspace.run(&["import", "list.opml", "--dry-run"]);
    assert!(dry.out.contains("+[[feed]]") && workspace.read("newswire.toml") == before, "{}{}", dry.out, dry.err);
    let result = workspace.run(&["import", "list.opml"]);
    assert_eq!(result.code, 0, "{}", result.err);
    for part in ["OPML: 4 feeds added to newswire.toml, 0 already known, 1 listed more than", "skipped  Bad"] {
        assert!(result.out.contains(part), "{part}: {}", result.out);
    }
    let after = workspace.read("newswire.toml");
    assert!(after.starts_with(&before) && after.contains("id = \"town-sea\""), "{after}");
    assert_eq!(workspace.run(&["check"]).code, 0);
    let again = workspace.run(&["import", "list.opml"]);
    assert!(again.out.contains("0 feeds added, 4 already known"), "{}", again.out);
    assert_eq!(workspace.read("newswire.toml"), after);
    let missing = workspace.run(&["import", "nowhere.opml"]);
    assert!(missing.code == 1 && missing.err.contains("nowhere.opml"), "{}", missing.err);
}

#[test]
fn exported_feeds_are_imported_unchanged() {
    let workspace = Workspace::new(
        r#"
        [[feed]]
        url = "https://a.example/feed?x=1&y=2"
        title = "A & <b>B</b>"
        tags = ["sea", "far away"]
        sections = ["harbour-news"]
        site = "https://a.example/"
        [[feed]]
        url = "https://b.example/feed"
        title = "B"
        sections = ["harbour-news", "zwei"]
        [[feed]]
        url = "https://c.example/feed"
        id = "third"
        title = "C"
        enabled = false
        [[feed]]
        url = "https://d.example/feed?token=canary"
        [[section]]
        id = "harbour-news"
        title = "Harbour News"
        [[section]]
        id = "zwei"
        title = "Harbour News"
        token = "canary"
        "#,
    );
    let result = workspace.run(&["export"]);
    assert_eq!(result.code, 0, "{}", result.err);
    assert!(!result.out.contains("canary") && result.err.contains("skipped d-example"), "{}{}", result.out, result.err);
    assert!(
        result.err.contains("the section zwei is private here, but will not be private where this list is imported"),
        "{}",
        result.err
    );
    let other = Workspace::new("");
    other.write("list.opml", &result.out);
    assert_eq!(other.run(&["import", "list.opml"]).code, 0);
    let of = |workspace: &Workspace| newswire::files::load(&workspace.path("newswire.toml")).unwrap().config;
    let (imported, exported) = (of(&other), of(&workspace));
    assert_eq!(feeds(&imported), feeds(&exported)[..3]);
    let named = |config: &Config| {
        let feed = |feed: &std::sync::Arc<config::Feed>| (feed.id.to_string(), feed.enabled);
        config.feeds.iter().take(3).map(feed).collect::<Vec<_>>()
    };
    assert_eq!(named(&imported), named(&exported));
    assert_eq!(named(&imported)[2], ("third".to_owned(), false));
    assert_eq!(
        other.run(&["export"]).out.lines().skip(5).collect::<Vec<_>>(),
        result.out.lines().skip(5).collect::<Vec<_>>()
    );
    let section = workspace.run(&["export", "--section", "zwei"]).out;
    assert!(section.contains("b.example") && !section.contains("a.example"), "{section}");
    assert_eq!(workspace.run(&["export", "--section", "drei"]).code, 1);
}

#[test]
fn ids_of_an_export_are_used_if_free_and_otherwise_reported() {
    let list = "<opml version=\"2.0\"><body><outline text=\"Sea\" newswire:id=\"at-sea\">\
        <outline xmlUrl=\"https://a.example/\" newswire:id=\"first\"/><outline xmlUrl=\"https://b.example/\" newswire:id=\"taken\"/>\
        <outline xmlUrl=\"https://c.example/\" newswire:id=\"Not One\"/></outline></body></opml>";
    let there = config("[[feed]]\nid = \"taken\"\nurl = \"https://z.example/\"\n");
    let plan = import::plan(import::read(list).unwrap(), &there, None);
    let imported = config(&format!("{}\n{}", plan.feeds, plan.sections));
    let ids: Vec<&str> = imported.feeds.iter().map(|feed| feed.id.as_str()).collect();
    assert_eq!((ids, imported.sections[0].id.as_str()), (vec!["first", "b-example", "c-example"], "at-sea"));
    let left_out: Vec<&str> = plan.skipped.iter().map(|left| left.what.as_str()).collect();
    assert_eq!(left_out, ["the id taken of https://b.example/", "the id Not One of https://c.example/"]);
}

#[test]
fn export_of_an_earlier_version_with_its_former_namespace_keeps_its_ids() {
    let list = "<opml version=\"2.0\" xmlns:newswire=\"https://newswire.example/opml\"><body>\
        <outline text=\"Sea\" newswire:id=\"at-sea\"><outline xmlUrl=\"https://a.example/\" newswire:id=\"first\" \
        newswire:enabled=\"false\"/></outline></body></opml>";
    let plan = import::plan(import::read(list).unwrap(), &config(""), None);
    let imported = config(&format!("{}\n{}", plan.feeds, plan.sections));
    let feed = &imported.feeds[0];
    assert_eq!((feed.id.as_str(), feed.enabled, imported.sections[0].id.as_str()), ("first", false, "at-sea"));
}

#[test]
fn filter_of_an_existing_feed_is_reported() {
    let there = config("[[feed]]\nurl = \"https://ferries.example/rss\"\n");
    let plan = import::plan(read("planet.ini"), &there, None);
    assert!(!plan.sections.contains("advert"), "{}", plan.sections);
    let filter = plan.skipped.iter().find(|left| left.what.contains("advert")).unwrap();
    assert!(
        filter.what.ends_with("of http://ferries.example/rss") && filter.why.contains("already has the feed"),
        "{filter:?}"
    );
}

#[test]
fn empty_name_of_a_planet_or_its_feed_counts_as_missing() {
    let imported = import::read("[Planet]\nname =\n[https://a.example/feed]\nname =\n").unwrap();
    let plan = import::plan(imported, &config(""), None);
    let taken = config(&format!("{}\n{}", plan.feeds, plan.sections));
    assert_eq!((taken.sections[0].title.as_str(), &taken.feeds[0].title), ("Planet", &None));
}

#[test]
fn line_break_in_an_attribute_becomes_a_space() {
    let outline = "<outline text='A' xmlUrl='https://a.example/feed' userAgent='an\nagent' category='a\nb'/>";
    let imported = import::read(&format!("<opml version='2.0'><body>{outline}</body></opml>")).unwrap();
    let taken = config(&import::plan(imported, &config(""), None).feeds);
    assert_eq!((taken.feeds[0].user_agent.as_deref(), taken.feeds[0].tags.len()), (Some("an agent"), 1));
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { cases: 300, failure_persistence: None, ..Default::default() })]

    #[test]
    fn damaged_list_never_causes_a_panic(which in 0usize..7, start in 0usize..1500, length in 0usize..80, inserted in "[<>\"'=&;\n#.a-z é/\\[\\]\\\\]{0,6}") {
        let names = ["opml1_broken.opml", "freshrss.opml", "miniflux.opml", "planet.ini", "urls", "sfeedrc", "plain.txt"];
        let mut text = fixture(names[which]);
        let start = text.floor_char_boundary(start);
        let end = text.floor_char_boundary(start + length);
        text.replace_range(start..end, &inserted);
        if let Ok(imported) = import::read(&text) {
            let plan = import::plan(imported, &config(""), None);
            let text = format!("{}\n{}", plan.feeds, plan.sections);
            proptest::prop_assert_eq!(config(&text).feeds.len(), plan.taken);
        }
    }
}
