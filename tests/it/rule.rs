//! Rules of sections: what they match, the reason that they give, and when the result changes with time.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use newswire::config::{self, SourceFile};
use newswire::entry::{Category, Enclosure, Entry, Guid, GuidKind, Person};
use newswire::feed::FeedId;
use newswire::reason::Matched;
use newswire::rule::{Rule, RuleCopy, Subject};
use newswire::text::PlainText;
use newswire::time::Timestamp;
use url::Url;

const HOUR: Duration = Duration::from_secs(3600);

/// Parses a rule as part of a config.
fn rule(text: &str) -> Rule {
    let text = format!(
        "[site]\nfacets = [\"region\", \"topic\", \"type\"]\n\
         [[feed]]\nid = \"anti-media\"\nurl = \"https://anti.example/feed\"\ntags = [\"world\"]\n\
         [[feed]]\nid = \"jungle-drum\"\nurl = \"https://drum.example/feed\"\ntags = [\"pacific\"]\n\
         [[section]]\nid = \"all\"\nfeeds = [\"*\"]\nkeep = [ {text} ]\n"
    );
    let file = SourceFile { path: PathBuf::from("/newswire.toml"), text };
    let (config, problems) = config::check(&[file], &|_| Err("no secrets".to_owned()));
    config.unwrap_or_else(|| panic!("{problems:?}")).sections[0].keep[0].clone()
}

fn entry() -> Entry {
    Entry {
        guid: Guid { value: "1".to_owned(), kind: GuidKind::Guid },
        link: Some(Url::parse("https://www.anti.example/war-on-isis/").unwrap()),
        original: None,
        title: "US War on ISIS Is the Biggest Lie".to_owned(),
        summary_html: None,
        content_html: Some("<p>…</p>".to_owned()),
        published: Some(Timestamp::from_millis(0)),
        updated: None,
        authors: vec![Person::named("Darius Shahtahmasebi")],
        contributors: Vec::new(),
        categories: Vec::new(),
        enclosures: Vec::new(),
        image: None,
        comments: None,
        language: Some("en-NZ".to_owned()),
        rights: None,
        license: None,
        in_reply_to: Vec::new(),
        credits: Vec::new(),
        source: None,
        podcast: None,
        copies: Vec::new(),
    }
}

fn category(term: &str, scheme: &str) -> Category {
    Category { term: term.to_owned(), scheme: Some(scheme.to_owned()), label: None }
}

/// A story with two copies: the copy of `anti-media` is the lead, and the other copy is from `jungle-drum`.
struct Story {
    entries: [Entry; 2],
    feeds: [FeedId; 2],
    tags: [Vec<String>; 2],
    categories: [Vec<Category>; 2],
    text: PlainText,
}

impl Story {
    fn new() -> Story {
        let mut copy = entry();
        copy.title = "Copied".to_owned();
        copy.link = Some(Url::parse("http://drum.example/news/3061.html").unwrap());
        Story {
            entries: [entry(), copy],
            feeds: [FeedId::from("anti-media"), FeedId::from("jungle-drum")],
            tags: [vec!["world".to_owned()], vec!["pacific".to_owned()]],
            categories: [
                vec![Category { term: "Politics".to_owned(), ..Category::default() }],
                vec![
                    category("international", "https://news.example/region"),
                    category("prose", "https://news.example/topic"),
                ],
            ],
            text: PlainText::of(&Entry {
                summary_html: Some("In Syria, the state’s army …".to_owned()),
                content_html: Some("word ".repeat(1100)),
                ..entry()
            }),
        }
    }

    fn with_text(text: &str) -> Story {
        let mut story = Story::new();
        story.entries[0].title = text.to_owned();
        story
    }

    fn judge<T>(&self, age: Duration, judge: impl Fn(&Subject) -> T) -> T {
        let candidate = |index: usize| RuleCopy {
            entry: &self.entries[index],
            feed: &self.feeds[index],
            tags: &self.tags[index],
            categories: &self.categories[index],
            text: &self.text,
        };
        let copies = [candidate(0), candidate(1)];
        let sort_at = Timestamp::from_millis(1_513_750_680_000);
        judge(&Subject { copies: &copies, lead: 0, sort_at, now: sort_at + age })
    }

    fn keeps(&self, text: &str) -> bool {
        self.judge(HOUR, |subject| rule(text).keep_matches(subject).is_some())
    }

    fn drops(&self, text: &str) -> bool {
        self.judge(HOUR, |subject| rule(text).drop_matches(subject).is_some())
    }
}

#[test]
fn title_matches_words_and_phrases_and_not_parts_of_words() {
    fn check(title: &str, pattern: &str, expected: bool) {
        let rule = format!("{{ title = {pattern:?} }}");
        assert_eq!(Story::with_text(title).keeps(&rule), expected, "{pattern} in {title}");
    }
    check("US War on ISIS", "war", true);
    check("A warning", "war", false);
    check("The postwar years", "war", false);
    check("War", "war", true);
    check("Cold-war tales", "war", true);
    check("the WAR on  \u{a0}isis", "war on isis", true);
    check("war, on isis", "war on isis", false);
    check("New in C++ and Rust", "c++", true);
    check("(war)", "war", true);
    check("The state’s army", "state's", true);
    check("The state's army", "state’s army", true);
    check("ÜBER uns", "über", true);
    check("Übergang", "über", false);
    check("Война и мир", "мир", true);
    check("Мировая война", "мир", false);
    check("日本語の記事", "記事", true);
    check("生成AI技術", "AI", true);
    check("ประเทศไทย", "ไทย", true);
    check("aa aaa", "aaa", true);
    check("a.b", "a.b", true);
    check("axb", "a.b", false);
    check("", "war", false);
}

#[test]
fn slashes_make_a_case_insensitive_regular_expression() {
    fn check(title: &str, pattern: &str, expected: bool) {
        let rule = format!("{{ title = {pattern:?} }}");
        assert_eq!(Story::with_text(title).keeps(&rule), expected, "{pattern} in {title}");
    }
    check("In Syria today", r"/\bsyria\b/", true);
    check("Assyrian", r"/\bsyria\b/", false);
    check("Assyrian", "/syria/", true);
    check("Syria", "/(?-i)syria/", false);
    check("and/or", "and/or", true);
    check("//", "//", true);
}

#[test]
fn other_keys_match_the_whole_value_ignoring_case() {
    fn check(rule: &str, expected: bool) {
        assert_eq!(Story::new().keeps(rule), expected, "{rule}");
    }
    check(r#"{ author = "darius shahtahmasebi" }"#, true);
    check(r#"{ author = "darius" }"#, false);
    check(r#"{ author = "/darius/" }"#, true);
    check(r#"{ link = "HTTPS://www.anti.example/war-on-isis/" }"#, true);
    check(r#"{ link = "war-on-isis" }"#, false);
    check(r#"{ link = "/war-on/" }"#, true);
    check(r#"{ host = "anti.example" }"#, true);
    check(r#"{ host = "www.anti.example" }"#, true);
    check(r#"{ host = "example" }"#, false);
    check(r#"{ language = "en" }"#, true);
    check(r#"{ language = "en-nz" }"#, true);
    check(r#"{ language = "en-GB" }"#, false);
    check(r#"{ language = "e" }"#, false);
    check(r#"{ tag = "world" }"#, true);
    check(r#"{ feed = "anti-media" }"#, true);
    check(r#"{ text = "syria" }"#, true);
    check(r#"{ text = "the state's army" }"#, true);
    check(r#"{ category = "politics" }"#, true);
    check(r#"{ category = "region:international" }"#, true);
    check(r#"{ category = "REGION:International" }"#, true);
    check(r#"{ category = "international" }"#, true);
    check(r#"{ category = "topic:international" }"#, false);
    check(r#"{ category = "/^region:/" }"#, true);
}

#[test]
fn rule_needs_a_match_of_every_key_and_a_key_of_any_value_in_its_list() {
    fn check(rule: &str, expected: bool) {
        assert_eq!(Story::new().keeps(rule), expected, "{rule}");
    }
    check(r#"{ title = "war", author = "/darius/" }"#, true);
    check(r#"{ title = "war", author = "nobody" }"#, false);
    check(r#"{ title = ["peace", "war"] }"#, true);
    check(r#"{ title = ["peace", "love"] }"#, false);
    check(r#"{ not = { title = "peace" } }"#, true);
    check(r#"{ not = { title = "war" } }"#, false);
    check(r#"{ not = { title = "war", author = "nobody" } }"#, true);
    check(r#"{ title = "war", not = { not = { title = "isis" } } }"#, true);
}

#[test]
fn keep_looks_at_every_copy_for_four_keys_and_drop_only_at_the_lead() {
    fn check(rule: &str, keeps: bool, drops: bool) {
        assert_eq!(Story::new().keeps(rule), keeps, "keep {rule}");
        assert_eq!(Story::new().drops(rule), drops, "drop {rule}");
    }
    check(r#"{ category = "region:international" }"#, true, false);
    check(r#"{ feed = "jungle-drum" }"#, true, false);
    check(r#"{ tag = "pacific" }"#, true, false);
    check(r#"{ host = "drum.example" }"#, true, false);
    check(r#"{ title = "copied" }"#, false, false);
    check(r#"{ link = "/drum/" }"#, false, false);
    check(r#"{ feed = "anti-media" }"#, true, true);
    check(r#"{ not = { feed = "jungle-drum" } }"#, false, true);
}

#[test]
fn has_words_and_age_look_only_at_the_lead() {
    fn check(rule: &str, expected: bool) {
        let mut story = Story::new();
        let url = Url::parse("https://anti.example/a.mp3").unwrap();
        story.entries[1].enclosures.push(Enclosure {
            url,
            media_type: None,
            bytes: None,
            duration_seconds: None,
            title: None,
            repeats_picture: false,
        });
        assert_eq!(story.keeps(rule), expected, "{rule}");
    }
    check(r#"{ has = "enclosure" }"#, false);
    check(r#"{ has = ["enclosure", "author"] }"#, true);
    check(r#"{ has = "content" }"#, true);
    check(r#"{ has = "date" }"#, true);
    check(r#"{ has = "image" }"#, false);
    check(r#"{ words = "<50" }"#, false);
    check(r#"{ words = ">1099" }"#, true);
    check(r#"{ words = "< 1100" }"#, false);
    check(r#"{ words = ["<50", ">1000"] }"#, true);
    check(r#"{ age = "<2 hours" }"#, true);
    check(r#"{ age = ">1 hour" }"#, false);
    check(r#"{ age = "<60 minutes" }"#, false);
    check(r#"{ age = ">59 minutes" }"#, true);
}

#[test]
fn reason_names_the_key_the_words_and_the_feed_of_the_copy() {
    fn check(rule_text: &str, key: &str, words: &str, feed: Option<&str>) {
        let matched = Story::new().judge(HOUR, |subject| rule(rule_text).keep_matches(subject));
        let expected = Matched { key: key.to_owned(), words: words.to_owned(), feed: feed.map(FeedId::from) };
        assert_eq!(matched, Some(vec![expected]), "{rule_text}");
    }
    check(
        r#"{ category = ["world", "region:international"] }"#,
        "category",
        "region:international",
        Some("jungle-drum"),
    );
    check(r#"{ category = "politics" }"#, "category", "Politics", Some("anti-media"));
    check(r#"{ title = "war on isis" }"#, "title", "War on ISIS", Some("anti-media"));
    check(r#"{ text = "/s.ria/" }"#, "text", "Syria", Some("anti-media"));
    check(r#"{ has = "author" }"#, "has", "author", Some("anti-media"));
    check(r#"{ words = ">300" }"#, "words", "1100", Some("anti-media"));
    check(r#"{ age = "<48 hours" }"#, "age", "<2 days", None);
    check(r#"{ not = { title = "peace" } }"#, "not", r#"{ title = "peace" }"#, None);
}

#[test]
fn rule_with_an_age_says_when_its_result_changes() {
    fn check(text: &str, age: Duration, expected: Option<Duration>) {
        let turn =
            Story::new().judge(age, |subject| rule(text).next_change(subject).map(|turn| turn.since(subject.sort_at)));
        assert_eq!(turn, expected, "{text}");
        let Some(turn) = turn else { return };
        let holds = |age: Duration| Story::new().judge(age, |subject| rule(text).keep_matches(subject).is_some());
        assert_ne!(holds(turn - Duration::from_millis(1)), holds(turn), "{text}");
    }
    check(r#"{ age = "<2 hours" }"#, HOUR, Some(2 * HOUR));
    check(r#"{ age = ">2 hours" }"#, HOUR, Some(2 * HOUR + Duration::from_millis(1)));
    check(r#"{ age = "<2 hours" }"#, 2 * HOUR, None);
    check(r#"{ not = { age = ">1 day" } }"#, HOUR, Some(24 * HOUR + Duration::from_millis(1)));
    check(r#"{ age = ["<1 hour", ">3 hours"] }"#, Duration::ZERO, Some(HOUR));
    check(r#"{ title = "war" }"#, HOUR, None);
}

#[test]
fn rule_is_displayed_as_toml_that_means_the_same() {
    fn check(text: &str) {
        let shown = rule(text).to_string();
        assert_eq!(shown, text);
        assert_eq!(rule(&shown).to_string(), shown);
    }
    check(r#"{ title = "war" }"#);
    check(r#"{ title = '/\bsyria\b/', author = ["a", "b"] }"#);
    check(r#"{ title = '"quoted"' }"#);
    check(r#"{ title = "it's \\ \"both\"" }"#);
    check(r#"{ title = "日本語 ’ü" }"#);
    check(r#"{ has = "enclosure", words = "<50", age = ">7 days", not = { feed = "anti-media" } }"#);
}

#[test]
fn matching_takes_linear_time_and_reads_at_most_64_kib() {
    let story = Story::with_text(&format!("{}!", "a".repeat(1_000_000)));
    let rules = [rule(r#"{ title = "/(a+)+$/" }"#), rule(r#"{ title = "a a" }"#), rule(r#"{ title = "/(x+x+)+y/" }"#)];
    let start = Instant::now();
    for rule in &rules {
        story.judge(HOUR, |subject| rule.keep_matches(subject));
    }
    assert!(start.elapsed() < Duration::from_millis(500), "{:?}", start.elapsed());
    let matched = story.judge(HOUR, |subject| rule(r#"{ title = "/.*/" }"#).keep_matches(subject)).unwrap();
    assert_eq!(matched[0].words.chars().count(), 101);
    let cut = Story::with_text(&format!("{}é needle", "é".repeat(32 * 1024)));
    assert!(!cut.keeps(r#"{ title = "needle" }"#));
}
