//! How the TOML config is read: its values, the defaults, and the message for each mistake.

mod whole;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use newswire::config::{
    self, Access, Allow, Config, Dedup, Edits, FeedList, Level, Problem, Republish, SecretRef, SourceFile,
};
use newswire::feed::{FeedId, SectionId};
use secrecy::{ExposeSecret, SecretString};

fn source(path: &str, text: &str) -> SourceFile {
    SourceFile { path: PathBuf::from(path), text: text.to_owned() }
}

/// Makes up secrets: `secret-X` for the environment variable X, and a text with the path for a file. Names that begin
/// with MISSING do not exist. A name that begins with http is the secret itself, so that a test can have a URL as a
/// secret.
fn secret(reference: &SecretRef) -> Result<SecretString, String> {
    match reference {
        SecretRef::Env(name) if name.starts_with("MISSING") => {
            Err(format!("the environment variable `{name}` is not set"))
        }
        SecretRef::Env(name) if name.starts_with("http") => Ok(SecretString::from(name.clone())),
        SecretRef::Env(name) => Ok(SecretString::from(format!("secret-{name}"))),
        SecretRef::File(path) => Ok(SecretString::from(format!("secret of {}", path.display()))),
    }
}

fn problems(text: &str) -> Vec<Problem> {
    config::check(&[source("/srv/wire/newswire.toml", text)], &secret).1
}

fn good(text: &str) -> Config {
    let (config, problems) = config::check(&[source("/srv/wire/newswire.toml", text)], &secret);
    config.unwrap_or_else(|| panic!("{problems:#?}"))
}

const FEED: &str = "[[feed]]\nid = \"a\"\nurl = \"https://a.example/feed\"\n";
const SECTION: &str = "[[section]]\nid = \"news\"\nfeeds = [\"*\"]\n";

/// Asserts that a config has exactly one problem, with this line, column and message.
fn check_mistake(text: &str, expected: &str) {
    let problems = problems(text);
    let shown: Vec<String> = problems.iter().map(Problem::to_string).collect();
    assert_eq!(shown, [format!("/srv/wire/newswire.toml:{expected}")], "{text}");
}

#[test]
fn proxy_may_have_every_supported_scheme() {
    for scheme in config::PROXY_SCHEMES {
        good(&format!("{FEED}proxy = \"{scheme}://127.0.0.1:9050\"\n{SECTION}"));
    }
}

#[test]
fn empty_config_has_every_default() {
    let config = good("");
    assert_eq!(config.site.title, "Newswire");
    assert_eq!(config.site.url.as_str(), "http://127.0.0.1:8080/");
    assert_eq!(config.site.timezone, chrono_tz::Tz::UTC);
    assert_eq!(config.server.admin.to_string(), "127.0.0.1:8081");
    assert_eq!(config.store.path, PathBuf::from("/srv/wire/newswire.db"));
    assert_eq!(config.store.keep, Duration::from_secs(365 * 86_400));
    assert_eq!(config.stories.dedup, Dedup::Text);
    assert_eq!(config.stories.window, Duration::from_secs(72 * 3600));
    assert_eq!(config.poll.concurrency, 256);
    assert_eq!(config.poll.contact, None);
    assert!(config.feeds.is_empty() && config.sections.is_empty());
}

#[test]
fn store_of_an_installed_config_is_where_the_system_keeps_state() {
    let installed = config::check(&[source("/etc/newswire/newswire.toml", "")], &secret).0.unwrap();
    assert_eq!(installed.store.path, PathBuf::from("/var/lib/newswire/newswire.db"));
}

#[test]
fn example_with_many_keys_is_read() {
    let config = good(
        r#"
        include = ["feeds/*.toml"]
        [site]
        title = "Jungle Drum"
        url = "https://news.example.org/wire"
        language = "en"
        timezone = "Pacific/Auckland"
        owner = { name = "Gail", email = "gail@example.org" }
        facets = ["region", "topic", "type"]
        [publish]
        directory = "public"
        [poll]
        timeout = "10 seconds"
        allow = ["192.168.1.0/24", "127.0.0.1:8081", "10.1.2.3", "intranet.example", "Intranet.example:8080"]
        republish = "summary"
        [[feed]]
        url = "https://user:pass@theantimedia.example/feed/?format=full&token=t0k3n"
        id = "anti-media"
        title = "Anti-Media"
        tags = ["world"]
        categories = ["region:international", "news"]
        sections = ["international"]
        schedule = "15 */2 * * *"
        priority = 10
        max_size = "1.5 MiB"
        headers = { Authorization = { env = "ANTI_MEDIA_TOKEN" }, X-From = "newswire" }
        basic_auth = { user = "wire", password = { file = "secrets/anti-media" } }
        republish = "link"
        ca_file = "ca.pem"
        http2 = false
        [[section]]
        id = "international"
        keep = [ { category = ["region:international", "world"] }, { title = "/\\bsyria\\b/" } ]
        drop = [ { title = "sponsored" }, { feed = "anti-media", words = "<50" } ]
        limit = 20
        max_age = "30 days"
        per_feed = 10
        edits = "bump"
        formerly = ["world"]
        podcast = { category = "News", explicit = true }
        token = { env = "WIRE_TOKEN" }
        "#,
    );
    assert_eq!(config.site.url.as_str(), "https://news.example.org/wire/");
    assert_eq!(config.poll.contact.as_ref().unwrap().as_str(), "https://news.example.org/wire/about/");
    assert_eq!(config.publish.directory, Some(PathBuf::from("/srv/wire/public")));
    let feed = config.feed(&FeedId::from("anti-media")).unwrap();
    assert_eq!(feed.url.shown.as_str(), "https://theantimedia.example/feed/?format=full&token=***");
    assert_eq!(feed.url.secret.password(), Some("pass"));
    assert_eq!(feed.schedule.to_string(), "15 */2 * * *");
    assert_eq!((feed.timeout, feed.max_body_bytes), (Duration::from_secs(10), 3 * 512 * 1024));
    assert_eq!((feed.republish, feed.priority, feed.http2), (Republish::Link, 10, false));
    assert_eq!(feed.allow.len(), 5);
    assert_eq!(feed.allow[2], Allow::Network("10.1.2.3/32".parse().unwrap()));
    assert_eq!(feed.allow[4], Allow::Host("intranet.example".to_owned(), Some(8080)));
    assert_eq!(feed.headers[0].1.expose_secret(), "secret-ANTI_MEDIA_TOKEN");
    let password = feed.basic_auth.as_ref().unwrap().password.expose_secret();
    assert_eq!(password, "secret of /srv/wire/secrets/anti-media");
    assert_eq!(feed.categories[0].scheme.as_deref(), Some("https://news.example.org/wire/region"));
    assert_eq!((feed.categories[0].term.as_str(), feed.categories[1].term.as_str()), ("international", "news"));
    let section = config.section(&SectionId::from("international")).unwrap();
    assert!(section.feeds.iter().eq(&[FeedId::from("anti-media")]));
    assert_eq!((section.title.as_str(), section.limit, section.per_feed), ("International", 20, Some(10)));
    assert_eq!((section.edits, section.keep.len(), section.drop.len()), (Edits::Bump, 2, 2));
    assert!(matches!(&section.access, Some(Access::Token(token)) if token.expose_secret() == "secret-WIRE_TOKEN"));
}

#[test]
fn every_typical_mistake_gets_its_position_a_reason_and_a_hint() {
    let site = |line: &str| format!("[site]\n{line}\n");
    let poll = |line: &str| format!("[poll]\n{line}\n");
    let feed = |line: &str| format!("{FEED}{line}\n{SECTION}");
    let section = |line: &str| format!("{FEED}{SECTION}{line}\n");
    let cases = [
        ("[sit]\n".to_owned(), "1:2: unknown key `sit` in the main file (did you mean `site`?)"),
        (site("titel = \"x\""), "2:1: unknown key `titel` in [site] (did you mean `title`?)"),
        (site("name = \"x\""), "2:1: unknown key `name` in [site] (it is called `title` here)"),
        (site("timeout = \"1 s\""), "2:1: unknown key `timeout` in [site] (`timeout` belongs in [poll] or [[feed]])"),
        (site("title = 3"), "2:9: expected a string, found a number (put it in quotes: \"3\")"),
        (site("title = \"\""), "2:9: expected a string that is not empty"),
        (
            site("url = \"news.example\""),
            "2:7: expected a URL that begins with http:// or https:// (write \"https://news.example\")",
        ),
        (site("url = \"https://x.example/?a=b\""), "2:7: expected a URL without query and fragment"),
        (site("url = \"https://u:p@x.example/\""), "2:7: expected a URL without user and password"),
        (site("language = \"english, please\""), "2:12: expected a language tag such as \"en\" or \"pt-BR\""),
        (
            site("timezone = \"Europe/Berlim\""),
            "2:12: expected a time zone such as \"Europe/Berlin\" or \"UTC\" (did you mean `Europe/Berlin`?)",
        ),
        (site("owner = \"Gail\""), "2:9: expected owner = { … }, found a string"),
        (site("owner = { name = \"Gail\", email = \"gail\" }"), "2:34: expected an e-mail address"),
        (site("facets = \"region\""), "2:10: expected a list, found a string (put it in brackets: [\"region\"])"),
        (site("byline = \"by {autor}\""), "2:10: a byline may have the fields {author}, {via} and {source}"),
        ("[server]\nlisten = \":80\"\n".to_owned(), "2:10: expected an IP address and a port (write \"0.0.0.0:80\")"),
        (
            "[server]\nlisten = \"localhost:9000\"\n".to_owned(),
            "2:10: expected an IP address and a port (write \"127.0.0.1:9000\")",
        ),
        (
            "[server]\nadmin = \"127.0.0.1:8080\"\n".to_owned(),
            "2:9: `listen` and `admin` are the same address (give one of them another port)",
        ),
        ("[store]\nkeep = \"1 hour\"\n".to_owned(), "2:8: expected at least 1 day"),
        (
            "[stories]\ndedup = \"link\"\n".to_owned(),
            "2:9: expected one of \"text\", \"links\", \"off\" (did you mean \"links\"?)",
        ),
        (
            poll("timeout = 30"),
            "2:11: expected a string, found a number (write the unit too, such as \"30 seconds\" or \"7 days\")",
        ),
        (
            poll("timeout = \"30\""),
            "2:11: expected a duration such as \"30 seconds\", \"90 minutes\" or \"7 days\" (write the unit too, such as \"30 seconds\")",
        ),
        (poll("timeout = \"1 day\""), "2:11: expected at most 10 minutes"),
        (poll("max_size = \"10 miles\""), "2:12: expected a size such as \"500 KiB\" or \"10 MiB\""),
        (poll("max_size = \"10 bytes\""), "2:12: expected a size from 1 KiB to 1 GiB"),
        (poll("concurrency = 0"), "2:15: expected a whole number from 1 to 10000"),
        (
            poll("allow = [\"10.0.0.0/33\"]"),
            "2:10: expected a network, an address or a host (such as \"192.168.1.0/24\", \"127.0.0.1:8081\" or \"intranet.example\")",
        ),
        (poll("schedule = \"1 hour\""), "2:12: an interval begins with \"every\": write \"every 1 hour\""),
        (poll("schedule = \"0 0 31 2 *\""), "2:12: the schedule never polls: no year has such a day"),
        (
            "[feed]\nurl = \"https://a.example/\"\n".to_owned(),
            "1:1: `feed` is a list of tables (write [[feed]] with two brackets)",
        ),
        (format!("[[feed]]\nid = \"a\"\n{SECTION}"), "1:1: [[feed]] in line 1 needs `url`"),
        (
            format!("[[feed]]\nurl = \"feed://a.example/\"\n{SECTION}"),
            "2:7: expected a URL that begins with http:// or https:// (write \"https://a.example/\")",
        ),
        (
            format!("[[feed]]\nurl = \"feed:http://a.example/\"\n{SECTION}"),
            "2:7: expected a URL that begins with http:// or https:// (write \"http://a.example/\")",
        ),
        (format!("[[feed]]\nurl = \"|curl x\"\n{SECTION}"), "2:7: expected a URL that begins with http:// or https://"),
        (
            format!("[[feed]]\nurl = \"file:\"\n{SECTION}"),
            "2:7: expected the path of a file (such as \"file:samples/news.xml\", relative to this file)",
        ),
        (feed("sections = [\"newz\"]"), "4:13: there is no section `newz` (did you mean `news`?)"),
        (feed("enabled = \"yes\""), "4:11: expected true or false, found a string (write true, without quotes)"),
        (feed("priority = \"10\""), "4:12: expected a whole number, found a string (write 10, without quotes)"),
        (feed("headers = { Host = \"x\" }"), "4:13: newswire sets the header `Host` itself"),
        (feed("headers = { X = { env = \"MISSING\" } }"), "4:17: the environment variable `MISSING` is not set"),
        (feed("headers = { X = {} }"), "4:17: expected a secret (write { env = \"NAME\" } or { file = \"/path\" })"),
        (feed("basic_auth = { user = \"a\" }"), "4:14: basic_auth = { … } needs `password`"),
        (
            feed("proxy = \"myproxy\""),
            "4:9: expected the URL of a proxy (such as \"http://proxy:3128\" or \"socks5h://127.0.0.1:9050\")",
        ),
        (
            format!("{FEED}[[feed]]\nid = \"a\"\nurl = \"https://b.example/\"\n{SECTION}"),
            "5:6: the id `a` is used twice (first used in line 2)",
        ),
        (
            format!("{FEED}[[section]]\nid = \"news\"\n"),
            "4:1: section `news` has no feeds (write feeds = [\"*\"] to take all feeds, or list some)",
        ),
        (format!("{FEED}[[section]]\nfeeds = [\"*\"]\n"), "4:1: [[section]] in line 4 needs `id`"),
        (
            format!("{FEED}[[section]]\nid = \"Top News\"\nfeeds = [\"*\"]\n"),
            "5:6: an id has at most 64 characters of a-z, 0-9 and -, and begins with a letter or digit (write \"top-news\")",
        ),
        (
            format!("{FEED}[[section]]\nid = \"search\"\nfeeds = [\"*\"]\n"),
            "5:6: the id `search` is reserved for a path of the site (write \"search-news\")",
        ),
        (format!("{FEED}{SECTION}{SECTION}"), "8:6: the id `news` is used twice (first used in line 5)"),
        (
            format!("{FEED}[[section]]\nid = \"news\"\nfeeds = [\"b\"]\n"),
            "6:10: there is no feed `b` (did you mean `a`?)",
        ),
        (
            section("source_in = \"titel\""),
            "7:13: expected one of \"author\", \"title\", \"content\", \"none\" (did you mean \"title\"?)",
        ),
        (section("top = \"0 seconds\""), "7:7: expected a time from 1 hour to 31 days (write top = \"24 hours\")"),
        (section("top = \"60 days\""), "7:7: expected a time from 1 hour to 31 days (write top = \"24 hours\")"),
        (
            section("top = 24"),
            "7:7: expected a string, found a number (write the unit too, such as \"30 seconds\" or \"7 days\")",
        ),
        (section("digest = [\"hourly\"]"), "7:11: expected one of \"daily\", \"weekly\""),
        (section("digest = \"daily\""), "7:10: expected a list, found a string (put it in brackets: [\"daily\"])"),
        (section("limit = 501"), "7:9: expected a whole number from 1 to 500"),
        (section("keep = { title = \"x\" }"), "7:8: expected a list, found a table (put it in brackets: [{ … }])"),
        (section("keep = [ {} ]"), "7:10: an empty rule would match every story (remove it)"),
        (section("keep = [ { title = [] } ]"), "7:20: expected at least one value in the list"),
        (section("keep = [ { title = \"/(/\" } ]"), "7:20: bad regular expression: unclosed group"),
        (
            section("keep = [ { title = '/(\\w{1000}){1000}/' } ]"),
            "7:20: the regular expression is too big: use fewer or smaller repetitions",
        ),
        (section("drop = [ { words = 50 } ]"), "7:20: expected a string, found a number (put it in quotes: \"50\")"),
        (section("drop = [ { words = \"50\" } ]"), "7:20: expected a number of words such as \"<50\" or \">300\""),
        (section("drop = [ { age = \"7 days\" } ]"), "7:18: expected an age such as \"<2 hours\" or \">7 days\""),
        (
            section("drop = [ { has = \"picture\" } ]"),
            "7:18: expected one of \"enclosure\", \"image\", \"content\", \"author\", \"date\"",
        ),
        (section("formerly = [\"news\"]"), "7:12: there is a section `news`, so this id cannot be a former id too"),
        (
            section("token = \"a-token-of-our-own\"\nbasic_auth = { user = \"a\", password = \"b-b-b-b-b-b-b-b-b\" }"),
            "8:14: a section cannot have both `token` and `basic_auth` (remove one of them)",
        ),
    ];
    for (text, expected) in &cases {
        check_mistake(text, expected);
    }
    assert!(cases.len() >= 40);
}

#[test]
fn legal_but_probably_unintended_settings_are_warnings() {
    fn check(text: &str, expected: &str) {
        let (config, problems) = config::check(&[source("/n.toml", text)], &secret);
        assert!(config.is_some(), "{problems:?}");
        let shown: Vec<String> = problems.iter().map(Problem::to_string).collect();
        assert_eq!(shown, [format!("/n.toml:{expected}")]);
        assert_eq!(problems[0].level, Level::Warning);
    }
    let tagged = format!("{FEED}tags = [\"world\"]\n");
    check(
        &format!(
            "{tagged}[[section]]\nid = \"news\"\nfeeds = [\"tag:worlds\"]\n[[section]]\nid = \"all\"\nfeeds = [\"*\"]\n"
        ),
        "7:10: no feed has the tag `worlds` (did you mean `world`?)",
    );
    check(&format!("{tagged}{SECTION}drop = [ {{ tag = \"sport\" }} ]\n"), "8:18: no feed has the tag `sport`");
    check(
        &format!("{FEED}[[feed]]\nurl = \"https://a.example/feed\"\nid = \"b\"\n{SECTION}"),
        "5:7: another feed has the same URL, which is polled twice; remove one of the two feeds (see line 3)",
    );
    check(
        &format!("{FEED}[[feed]]\nurl = \"http://www.a.example/feed/\"\nid = \"b\"\n{SECTION}"),
        "5:7: another feed has the same URL in another spelling, which is polled twice; remove one of the two feeds (see line 3)",
    );
    check(
        &format!(
            "{FEED}[[feed]]\nurl = \"https://b.example/\"\nid = \"b\"\n[[section]]\nid = \"news\"\nfeeds = [\"a\"]\n"
        ),
        "4:1: no section takes the feed `b` (add it to the `feeds` of a section, or write sections = [\"…\"] here)",
    );
    check(
        &format!("{FEED}{SECTION}keep = [{{ title = \"/.*/\" }}]\n"),
        "7:19: this matches everything (remove it, or write what it should match)",
    );
    check(
        &format!("{FEED}[[section]]\nid = \"tags\"\nfeeds = [\"*\"]\n"),
        "5:6: newswire has pages of its own under /tags/, and a section with this id can hide them (write id = \"tags-news\" and \
         formerly = [\"tags\"])",
    );
    let too_often = "(few feeds change so often, and publishers may block you; write \"every 15 minutes\" or more)";
    for (schedule, gap) in [("every 2 minutes", "2 minutes"), ("*/5 * * * *", "5 minutes"), ("0,1 8 * * *", "1 minute")]
    {
        let expected = format!("4:12: this polls every {gap} {too_often}");
        check(&format!("{FEED}schedule = \"{schedule}\"\n{SECTION}"), &expected);
    }
}

#[test]
fn problems_of_all_files_are_reported_at_once_in_order() {
    let main = source("/n/newswire.toml", "include = [\"feeds/*.toml\"]\n[site]\ntitel = \"x\"\nlanguage = 3\n");
    let broken =
        source("/n/feeds/a.toml", "[[feed]]\nurl = \"https://a.example/\nschedule = \"hourly\"\n[[feed]]\nurl = 3\n");
    let more = source("/n/feeds/b.toml", "[poll]\ntimeout = \"1 s\"\n[[section]]\nid = \"about\"\nlimit = 0\n");
    let (config, problems) = config::check(&[main, broken, more], &secret);
    assert!(config.is_none());
    let places: Vec<String> =
        problems.iter().map(|problem| format!("{}:{}", problem.file.display(), problem.line)).collect();
    let expected = ["/n/newswire.toml:3", "/n/newswire.toml:4", "/n/feeds/a.toml:2", "/n/feeds/a.toml:3"];
    assert_eq!(places[..4], expected);
    let expected = ["/n/feeds/a.toml:5", "/n/feeds/b.toml:1", "/n/feeds/b.toml:4", "/n/feeds/b.toml:5"];
    assert_eq!(places[places.len() - 4..], expected, "{problems:#?}");
    assert!(problems.iter().any(|problem| problem.message == "unknown key `poll` in an included file"));
}

#[test]
fn problem_is_shown_with_its_line_marked_at_80_columns() {
    let text = format!("{FEED}schedule = \"*/30 8-20 * * Mon-Fry\"\n{SECTION}langage = \"en\" # {}\n", "x".repeat(100));
    let files = [source("/n.toml", &text)];
    let (_, problems) = config::check(&files, &secret);
    let shown = config::render_problems(&problems, &files, false);
    let expected = "\
error: day of week: expected a number from 0 to 7 or a name such as mon
 --> /n.toml:4:12
  |
4 | schedule = \"*/30 8-20 * * Mon-Fry\"
  |            ^^^^^^^^^^^^^^^^^^^^^^^

error: unknown key `langage` in [[section]]
 --> /n.toml:8:1
  |
8 | langage = \"**\" #*********************************************************...
  | ^^^^^^^
  |
  = help: `langage` belongs …
";
    let lines = shown.lines().zip(expected.lines()).filter(|(_, expected)| !expected.contains('…'));
    for (shown, expected) in lines {
        assert_eq!(shown, expected, "{shown}");
    }
    assert!(shown.lines().all(|line| line.chars().count() <= 80), "{shown}");
    assert!(config::render_problems(&problems, &files, true).contains('\u{1b}'));
}

#[test]
fn problem_is_serialized_as_check_prints_it() {
    let problems = problems("[site]\ntitel = \"é\"\n");
    assert_eq!(
        serde_json::to_value(&problems).unwrap(),
        serde_json::json!([{
            "level": "error",
            "file": "/srv/wire/newswire.toml",
            "line": 2,
            "column": 1,
            "message": "unknown key `titel` in [site]",
            "hint": "did you mean `title`?"
        }])
    );
}

#[test]
fn no_problem_shows_a_secret() {
    let canary = "c4n4ry";
    let lines = [
        "token = \"c4n4ry\" ?",
        "token = \"c4n4ry",
        "basic_auth = { user = \"x\", password = \"c4n4ry\", x = 1 }",
        "headers = { X-Whatever = \"c4n4ry\", \"bad name\" = 'c4n4ry' }",
        "url = \"https://user:c4n4ry@a.example/\" = 3",
        "url = \"https://a.example/?x=1&api_key=c4n4ry&y=2\"\nurl = \"https://c4n4ry@b.example/\"",
        "url = \"ftp://a.example/?TOKEN=c4n4ry\"",
        "proxy = \"c4n4ry\"",
        "password = \"\"\"c4n4ry\"\"\"",
        "'token' = 'c4n4ry' x",
    ];
    for line in lines {
        for table in ["[[feed]]", "[[section]]", "[feed.headers]"] {
            let files = [source("/n.toml", &format!("{table}\n{line}\n"))];
            let (_, problems) = config::check(&files, &secret);
            assert!(!problems.is_empty(), "{line}");
            let shown = config::render_problems(&problems, &files, false);
            let in_line = format!("{shown}{}", serde_json::to_string(&problems).unwrap());
            assert!(!in_line.contains(canary), "{table} {line}\n{shown}");
        }
    }
}

#[test]
fn feed_id_is_made_from_its_url_and_stays_when_feeds_are_added() {
    fn check(url: &str, expected: &str) {
        let config = good(&format!("[[feed]]\nurl = \"{url}\"\n"));
        assert_eq!(config.feeds[0].id.as_str(), expected, "{url}");
    }
    check("https://www.example.org/feed/", "example-org");
    check("https://example.org/feed.xml", "example-org");
    check("https://example.org/blog/feeds/rss2.php", "example-org-blog");
    check("https://www.theguardian.com/world/rss", "theguardian-com-world");
    check("https://example.org/?feed=rss2&cat=7", "example-org-7");
    check("https://example.org/?token=abc", "example-org");
    check("https://user:pass@example.org/rss", "example-org");
    check("https://[::1]:8080/feed", "1");
    check("https://bücher.example/", "xn-bcher-kva-example");
    check("file:samples/Anti Media.xml", "anti-20media");
    check("file:samples/drum.rdf", "drum");
    check("https://example.org/a/very/long/path/with/many/many/words/in/it", "example-org-a-very-long-path-with-many");

    let urls = ["https://example.org/feed?x=%31", "https://example.org/feed?x=1", "https://example.org/atom?x=1"];
    let text = |urls: &[&str]| urls.iter().map(|url| format!("[[feed]]\nurl = \"{url}\"\n")).collect::<String>();
    let ids = |urls: &[&str]| good(&text(urls)).feeds.iter().map(|feed| feed.id.clone()).collect::<Vec<_>>();
    let all = ids(&urls);
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), 3);
    assert_eq!(ids(&urls[..2]), all[..2]);
    assert_eq!(ids(&urls)[2], ids(&[urls[0], urls[2]])[1], "the second id does not depend on how many came before");
}

#[test]
fn feed_urls_are_shown_without_their_secrets() {
    fn check(url: &str, expected: &str) {
        let config = good(&format!("[[feed]]\nurl = {url}\n"));
        assert_eq!(config.feeds[0].url.shown.as_str(), expected);
        assert_eq!(format!("{:?}", config.feeds[0].url), expected);
    }
    check(
        "\"https://a.example/f?KEY=x&sig=y&page=2&signature\"",
        "https://a.example/f?KEY=***&sig=***&page=2&signature",
    );
    check("\"https://a.example/f?api%5Fkey=x\"", "https://a.example/f?api%5Fkey=***");
    check("\"https://u:p@a.example/f\"", "https://a.example/f");
    check("{ env = \"https://a.example/private/abc?x=y\" }", "https://a.example/");
    check("\"file:samples/a.xml\"", "file:///srv/wire/samples/a.xml");
    check("\"file:../a.xml\"", "file:///srv/a.xml");
    check("\"file:///srv/a b.xml\"", "file:///srv/a%20b.xml");
}

#[test]
fn facets_are_read_in_all_their_spellings() {
    use newswire::entry::Category;
    let facets = ["region", "topic", "type"].map(str::to_owned);
    let site = url::Url::parse("https://news.example/wire/").unwrap();
    let category = |term: &str, scheme: Option<&str>, label: Option<&str>| Category {
        term: term.to_owned(),
        scheme: scheme.map(str::to_owned),
        label: label.map(str::to_owned),
    };
    let check = |given: &[Category], expected: &[Category]| {
        assert_eq!(config::classify(given, &facets, &site), expected);
    };
    let international = category("international", Some("https://news.example/wire/region"), None);
    check(&[category("region:international", None, None)], std::slice::from_ref(&international));
    check(
        &[category("international", Some("http://x.example/terms/region/"), None)],
        std::slice::from_ref(&international),
    );
    check(&[category("international", Some("Region"), None)], std::slice::from_ref(&international));
    check(&[category("international", Some("tag:x.example,2020:region"), None)], std::slice::from_ref(&international));
    let prose = category("prose", Some("https://news.example/wire/topic"), None);
    let post = category("post", Some("https://news.example/wire/type"), None);
    check(&[category("international / prose / post", None, None)], &[international.clone(), prose, post]);
    let labelled = category("international", Some("https://news.example/wire/region"), Some("International"));
    check(&[category("Region: International", None, None)], &[labelled]);
    check(
        &[category("region:international", None, None), category("international", Some("region"), None)],
        &[international],
    );
    let others =
        [category("world", None, None), category("a / b", None, None), category("x", Some("http://x/subregion"), None)];
    check(&others, &others);
    assert_eq!(config::classify(&others, &[], &site), others);
}
