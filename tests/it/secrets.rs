//! No secret is shown, even if its key is misspelt or misplaced in the TOML, or a publisher's server repeats it.

use std::path::Path;
use std::process::Stdio;

use newswire::config::{self, SourceFile};
use newswire::entry::{Entry, GuidKind};

use bed::{Bed, entry};
use support::daemon::{Daemon, newswire, request, text};
use support::origin::{Origin, Reply};
use support::workspace::Workspace;

use crate::support;
use crate::support::bed;

/// The secret in the tables below.
const CANARY: &str = "c4n4ry-5ecret";

/// A secret that is a number.
const NUMBER: &str = "481516234242";

/// Lines of a `[[feed]]`. Each has a secret under a misspelt key or in a wrong place, and is an error.
const IN_A_FEED: [&str; 54] = [
    "pasword = \"c4n4ry-5ecret\"",
    "pass = \"c4n4ry-5ecret\"",
    "pw = \"c4n4ry-5ecret\" # before: c4n4ry-5ecret-1",
    "passwd = [\"c4n4ry-5ecret\"]",
    "tokn = \"c4n4ry-5ecret\"",
    "token = \"c4n4ry-5ecret\"",
    "token = 481516234242",
    "secret = 'c4n4ry-5ecret'",
    "secret = 481516234242",
    "api-key = \"c4n4ry-5ecret\"",
    "apikey = \"\"\"\nc4n4ry-5ecret\n\"\"\"",
    "cookies = \"session=c4n4ry-5ecret\"",
    "auth = { user = \"me\", pass = \"c4n4ry-5ecret\" }",
    "basic_auth = \"me:c4n4ry-5ecret\"",
    "basic_auth = [\"me\", \"c4n4ry-5ecret\"]",
    "basic_auth = { user = \"me\", pasword = \"c4n4ry-5ecret\" }",
    "basic_auth = { user = \"me\", password = [\"c4n4ry-5ecret\"] }",
    "basic_auth = { user = \"me\", password = 481516234242 }",
    "basic_auth = { user = \"c4n4ry-5ecret:x\", password = \"y\" }",
    "basic_auth = { user = 481516234242, password = \"y\" }",
    "basic_auth = [{ user = \"me\", password = \"c4n4ry-5ecret\" }]",
    "basic_auth.pass = \"c4n4ry-5ecret\"",
    "basic_auth.password.value = \"c4n4ry-5ecret\"",
    "[feed.basic_auth]\nuser = \"me\"\npw = \"c4n4ry-5ecret\"",
    "[feed.basic_auth]\npasword = \"c4n4ry-5ecret\"\nuser = \"me\"",
    "[feed.auth]\nbearer = \"c4n4ry-5ecret\"",
    "headers = [\"Authorization: Bearer c4n4ry-5ecret\"]",
    "headers = [\n  [\"Authorization\", \"c4n4ry-5ecret\"],\n]",
    "headers = \"Authorization: Bearer c4n4ry-5ecret\"",
    "headers = { Authorization = [\"Bearer c4n4ry-5ecret\"] }",
    "headers = { Authorization = { value = \"c4n4ry-5ecret\" } }",
    "headers = { \"Authorization: Bearer c4n4ry-5ecret\" = \"\" }",
    "header = { X-Key = \"c4n4ry-5ecret\" }",
    "[feed.header]\nAuthorization = \"Bearer c4n4ry-5ecret\"",
    "[[feed.headers]]\nname = \"Authorization\"\nvalue = \"c4n4ry-5ecret\"",
    "[feed.headers]\nAuthorization: Bearer c4n4ry-5ecret",
    "proxy = \"me:c4n4ry-5ecret@proxy:3128\"",
    "proxy = { url = \"http://me:c4n4ry-5ecret@proxy:3128\" }",
    "proxi = \"http://me:c4n4ry-5ecret@proxy:3128\"",
    "password = c4n4ry-5ecret",
    "password = \"c4n4ry-5ecret",
    "password = \"\"\"\nc4n4ry-5ecret\n\"\" x",
    "password: \"c4n4ry-5ecret\"",
    "password \"c4n4ry-5ecret\"",
    "password = \"c4n4ry-5ecret\" \"x\"",
    "password = 'c4n4ry-5ecret''",
    "password = \"x # c4n4ry-5ecret",
    "url = \"https://me:c4n4ry-5ecret@a.example/\"",
    "url = { value = \"https://a.example/c4n4ry-5ecret\" }",
    "title = \"A\" c4n4ry-5ecret",
    "id = \"https://a.example/?token=c4n4ry-5ecret\"",
    "site = \"https://a.example/?key=c4n4ry-5ecret\"",
    "image = \"https://me:c4n4ry-5ecret@a.example/a.png\"",
    "sections = [\"https://me:c4n4ry-5ecret@a.example/\"]",
];

/// Like [`IN_A_FEED`], but whole tables: sections, and feeds with a secret in `url`.
const OTHERS: [&str; 13] = [
    "[[section]]\nid = \"s\"\nfeeds = [\"*\"]\ntokens = [\"c4n4ry-5ecret\"]",
    "[[section]]\nid = \"s\"\nfeeds = [\"*\"]\ntoken = { evn = \"c4n4ry-5ecret\" }",
    "[[section]]\nid = \"s\"\nfeeds = [\"*\"]\ntoken = { env = \"c4n4ry-5ecret and more\" }",
    "[[section]]\nid = \"s\"\nfeeds = [\"*\"]\ntoken = { c4n4ry-5ecret = \"\" }",
    "[[section]]\nid = \"s\"\nfeeds = [\"*\"]\ntoken = { env = [\"c4n4ry-5ecret\"] }",
    "[[section]]\nid = \"s\"\nfeeds = [\"*\"]\ntoken = 481516234242",
    "[[section]]\nid = \"s\"\nfeeds = [\"*\"]\nbasic_auth = { user = \"me\", passwrd = \"c4n4ry-5ecret\" }",
    "[[section]]\nid = \"s\"\nfeeds = [\"https://a.example/?api_key=c4n4ry-5ecret\"]",
    "[[feed]]\nurl = \"ftp://me:c4n4ry-5ecret@a.example/\"",
    "[[feed]]\nurl = \"me:c4n4ry-5ecret@a.example/feed\"",
    "[[feed]]\nurl = \"https://me:c4n4ry/5ecret@a.example/\"",
    "[[feed]]\nurl = [\"https://a.example/?token=c4n4ry-5ecret\"]",
    "[[feed]]\nurl = 481516234242",
];

fn cases() -> Vec<String> {
    let of_feed = |line: &&str| format!("[[feed]]\nid = \"a\"\nurl = \"https://a.example/\"\n{line}\n");
    IN_A_FEED.iter().map(of_feed).chain(OTHERS.iter().map(|text| format!("{text}\n"))).collect()
}

#[track_caller]
fn assert_hidden(place: &str, case: &str, shown: &str) {
    for canary in [CANARY, NUMBER, "5ecret"] {
        assert!(!shown.contains(canary), "{place} shows the secret of\n{case}\n{shown}");
    }
}

/// Creates a workspace whose config is valid, and includes all files that are put into `cases`.
fn workspace_with_cases() -> Workspace {
    let workspace = Workspace::new("include = [\"cases/*.toml\"]\n");
    let main = format!("include = [\"cases/*.toml\"]\n{}", workspace.read("newswire.toml").replace("include", "#"));
    workspace.write("newswire.toml", &main);
    workspace
}

#[test]
fn misspelt_or_misplaced_secret_is_not_shown_by_check_nor_at_the_start_of_the_daemon() {
    let workspace = workspace_with_cases();
    for case in cases() {
        workspace.write("cases/1.toml", &case);
        for arguments in [&["check"] as &[&str], &["check", "--json"], &["run"]] {
            let result = workspace.run(arguments);
            assert_eq!(result.code, 78, "{arguments:?} {case}\n{}{}", result.out, result.err);
            assert_hidden(&format!("{arguments:?}"), &case, &(result.out + &result.err));
        }
    }
}

#[cfg(unix)]
#[test]
fn misspelt_or_misplaced_secret_is_not_shown_when_the_daemon_reads_the_edited_config() {
    let workspace = workspace_with_cases();
    let mut daemon = Daemon::start(&workspace);
    // When the daemon serves pages, it also handles signals.
    daemon.get_until("/", "Test");
    for (number, case) in cases().iter().enumerate() {
        if number > 0 {
            std::fs::remove_file(workspace.path(&format!("cases/{}.toml", number - 1))).unwrap();
        }
        let name = format!("cases/{number}.toml");
        workspace.write(&name, case);
        daemon.signal("HUP");
        daemon.wait_for(&name);
        for path in ["/status", "/status.json", "/status.atom", "/metrics", "/healthz"] {
            assert_hidden(path, case, &text(&request(&daemon.admin, "GET", path, &[]).body));
        }
    }
    assert_eq!(daemon.end(), Some(0));
    assert_hidden("the log", "all", &daemon.seen.join("\n"));
}

#[test]
fn secret_on_the_command_line_is_not_repeated() {
    let workspace = Workspace::new(
        "[[feed]]\nid = \"a\"\nurl = \"https://a.example/\"\n[[section]]\nid = \"all\"\nfeeds = [\"*\"]\n",
    );
    workspace.write(
        "list",
        &format!("https://me:{CANARY}@b.example/?token={CANARY}\nhttps://b.example/?token={CANARY} x\n"),
    );
    for arguments in [
        &["set", "a", "headers={ X-Key = \"c4n4ry-5ecret\""] as &[&str],
        &["set", "a", "token c4n4ry-5ecret"],
        &["set", "a", "pasword=c4n4ry-5ecret"],
        &["set", "a", "basic_auth=me:c4n4ry-5ecret"],
        &["remove", "https://me:c4n4ry-5ecret@b.example/"],
        &["add", "--unseen", "--dry-run", "https://me:c4n4ry-5ecret@b.example/?token=c4n4ry-5ecret"],
        &["import", "list", "--dry-run"],
        &["import", "list"],
        &["config"],
        &["config", "--json"],
    ] {
        let result = workspace.run(arguments);
        assert_hidden(&format!("{arguments:?}"), "", &(result.out + &result.err));
    }
}

/// Returns the problems of a config, each on one line.
fn problems(text: &str) -> Vec<String> {
    let file = SourceFile { path: "/n.toml".into(), text: text.to_owned() };
    let (_, problems) = config::check(&[file], &|_| Ok("abc".into()));
    problems.iter().map(|problem| format!("{:?} {problem}", problem.level)).collect()
}

const FEED: &str = "[[feed]]\nid = \"a\"\nurl = \"https://a.example/\"\n[[section]]\nid = \"s\"\nfeeds = [\"*\"]\n";

#[test]
fn guessable_secret_of_a_section_is_refused() {
    let check = |line: &str, expected: &str| {
        assert_eq!(problems(&format!("{FEED}{line}\n")), [expected], "{line}");
    };
    let hint = "make one with `openssl rand -hex 16`";
    let guessed = "a secret of fewer than 6 characters is easy to guess";
    check("token = \"x\"", &format!("Error /n.toml:7:9: {guessed} ({hint})"));
    check("token = { env = \"TOKEN\" }", &format!("Error /n.toml:7:9: {guessed} ({hint})"));
    check("basic_auth = { user = \"a\", password = \"12345\" }", &format!("Error /n.toml:7:39: {guessed} ({hint})"));
    check(
        "token = \"twelve-chars\"",
        &format!("Warning /n.toml:7:9: this secret has fewer than 16 characters ({hint})"),
    );
    assert!(problems(&format!("{FEED}token = \"0123456789abcdef\"\n")).is_empty());
}

#[test]
fn published_address_contains_no_secret() {
    let check = |text: &str, place: &str| {
        let result = problems(text).concat();
        let expected = format!("Error /n.toml:{place}: expected a URL without a secret such as `token`");
        assert!(result.contains(&expected), "{result}");
    };
    let url = "\"https://hub.example/?x=1&token=c4n4ry-5ecret\"";
    check(&format!("[publish]\nhub = {url}\n"), "2:7");
    check(&format!("[poll]\ncontact = {url}\n"), "2:11");
    check(&format!("[[feed]]\nurl = \"https://a.example/\"\nimage = {url}\n"), "3:9");
    let with_user = problems("[publish]\nhub = \"https://me:c4n4ry-5ecret@hub.example/\"\n");
    assert_eq!(with_user, ["Error /n.toml:2:7: expected a URL without user and password"]);
    assert!(problems("[publish]\nhub = \"https://hub.example/?topic=1\"\n").is_empty());
}

#[test]
fn unencrypted_credentials_are_a_warning() {
    let check = |url: &str, line: &str, expected: Option<&str>| {
        let text = FEED.replace("https://a.example/\"\n", &format!("{url}\"\n{line}\n"));
        let result = "this is sent unencrypted over http (use https:// in `url` if the server supports it)";
        let expected: Vec<String> = expected.iter().map(|place| format!("Warning /n.toml:{place}: {result}")).collect();
        assert_eq!(problems(&text), expected, "{url} {line}");
    };
    let (headers, basic) = ("headers = { X-Key = \"k\" }", "basic_auth = { user = \"a\", password = \"b\" }");
    check("http://a.example/", headers, Some("4:11"));
    check("http://a.example/", basic, Some("4:14"));
    check("http://u:p@a.example/", "", Some("3:7"));
    check("http://a.example/", "headers = { X-From = \"newswire\" }", None);
    check("https://a.example/", headers, None);
    check("http://127.0.0.1:8080/", headers, None);
    check("http://a.example/", "headers = { X-From = { env = \"NAME\" } }", Some("4:11"));
    check("http://a.example/?token=c4n4ry", "", Some("3:7"));
}

/// Returns an RSS document with its own address in every possible place, and with many relative links.
fn document(name: &str, own: &str) -> String {
    let content = "&lt;p&gt;See &lt;a href=\"#note\"&gt;a note&lt;/a&gt;, &lt;a href=\"?page=2\"&gt;more&lt;/a&gt;, \
        &lt;a href=\"next\"&gt;next&lt;/a&gt;, &lt;a href=\"\"&gt;this&lt;/a&gt;, &lt;img src=\"i.png\" srcset=\"i2.png 2x\"&gt;, \
        &lt;a href=\"OWN\"&gt;itself&lt;/a&gt; and OWN. &lt;a href=\"https://elsewhere.example/?token=theirs\"&gt;theirs&lt;/a&gt;&lt;/p&gt;";
    let item = |number: usize, guid: &str, link: &str| {
        format!(
            "<item>{guid}<title>{name} {number} at OWN</title>{link}<description>{content}</description><author>OWN</author>
             <comments>#c{number}</comments><enclosure url=\"?file={number}\" type=\"audio/mpeg\" length=\"1\"/><category domain=\"OWN\">OWN</category>
             <source url=\"OWN\">OWN</source><atom:author><atom:name>A</atom:name><atom:uri>?author</atom:uri></atom:author></item>"
        )
    };
    let items = [
        item(1, "<guid>OWN</guid>", "<link>post</link>"),
        item(2, "<guid isPermaLink=\"false\">OWN#2</guid>", "<link>?id=2</link>"),
        item(3, "", "<link>OWN&amp;id=3</link>"),
        item(4, "", "<link>#4</link>"),
        item(5, "", ""),
    ];
    let rss = format!(
        "<rss version=\"2.0\" xmlns:atom=\"http://www.w3.org/2005/Atom\"><channel><title>{name} OWN</title><link>?site</link>
         <description>OWN</description><atom:link rel=\"self\" href=\"OWN\"/><atom:link rel=\"hub\" href=\"OWN\"/><copyright>OWN</copyright>
         <image><url>#logo</url><title>OWN</title><link>OWN</link></image>{}</channel></rss>",
        items.concat()
    );
    rss.replace("OWN", &own.replace('&', "&amp;"))
}

fn reply(target: &str, host: &str) -> Reply {
    let own = format!("http://{host}{target}");
    let rss = |name: &str| Reply::new(200, &[("Content-Type", "application/rss+xml")], document(name, &own));
    let path = target.split('?').next().unwrap_or_default();
    match path {
        "/q/feed" => rss("Query"),
        "/u/feed" => {
            let own = format!("http://me:{CANARY}-userinfo@{host}{target}");
            Reply::new(200, &[], document("Userinfo", &own))
        }
        "/h/feed" => Reply::new(200, &[], document("Header", &format!("{own}?key={CANARY}-header"))),
        "/r/feed" => Reply::redirect(302, &format!("/target/feed?x=1&sig={CANARY}-redirect")),
        "/m/feed" => Reply::redirect(301, &format!("/moved/{CANARY}-moved/feed")),
        "/target/feed" => rss("Redirect"),
        "/based/feed" => {
            let base = format!("<channel xml:base=\"{own}\">");
            Reply::new(200, &[], document("Based", &own).replacen("<channel>", &base, 1))
        }
        _ if path.ends_with("/page") => {
            let head = "<link rel=\"alternate\" type=\"application/rss+xml\" href=\"feed.xml\">";
            Reply::new(200, &[], format!("<!DOCTYPE html><html><head>{head}</head><body>{own}</body></html>"))
        }
        _ if path.contains("-moved") => Reply::new(200, &[], document("Moved", &own)),
        _ if path.contains("-json") => {
            let json = format!(
                "{{\"version\":\"https://jsonfeed.org/version/1.1\",\"title\":\"Json {own}\",\"home_page_url\":\"?home\",\"feed_url\":\"{own}\",
                 \"items\":[{{\"id\":\"{own}\",\"url\":\"post\",\"title\":\"Json 1\",\"content_html\":\"<a href='#x'>x</a> <a href='{own}'>y</a>\"}}]}}"
            );
            Reply::new(200, &[("Content-Type", "application/feed+json")], json)
        }
        _ => rss("Path"),
    }
}

/// Returns the files of a folder and its subfolders.
fn files_in(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(files_in(&path));
        } else if path.is_file() {
            files.push((path.display().to_string(), std::fs::read(&path).unwrap()));
        }
    }
    files
}

#[test]
fn secret_repeated_by_the_server_is_neither_stored_nor_shown() {
    let origin = Origin::start(|request| {
        let host = text(&request.header("host").unwrap_or_default());
        reply(&request.target(), &host)
    });
    let address = origin.address;
    let feed = |id: &str, url: &str, rest: &str| format!("[[feed]]\nid = \"{id}\"\nurl = {url}\n{rest}\n");
    let plain = |path: &str| format!("\"http://{address}{path}\"");
    let workspace = Workspace::new(
        &[
            format!("[poll]\nallow = [\"{address}\"]\n"),
            feed("query", &plain(&format!("/q/feed?token={CANARY}-query&format=full")), ""),
            feed("userinfo", &format!("\"http://me:{CANARY}-userinfo@{address}/u/feed\""), ""),
            feed("header", &plain("/h/feed"), &format!("headers = {{ X-Key = \"{CANARY}-header\" }}")),
            feed("redirect", &plain("/r/feed"), ""),
            feed(
                "moved",
                &plain("/m/feed"),
                &format!("basic_auth = {{ user = \"me\", password = \"{CANARY}-moved\" }}"),
            ),
            feed("based", &plain(&format!("/based/feed?token={CANARY}-based")), ""),
            feed("path", "{ env = \"PATH_URL\" }", ""),
            feed("json", "{ env = \"JSON_URL\" }", ""),
            feed("page", "{ env = \"PAGE_URL\" }", ""),
            "[stories]\ndedup = \"off\"\n[[section]]\nid = \"all\"\ntitle = \"All\"\nfeeds = [\"*\"]\nlimit = 500"
                .to_owned(),
        ]
        .concat(),
    );
    let secret = |path: &str| format!("http://{address}{path}");
    let secrets = [
        ("PATH_URL", secret(&format!("/private/{CANARY}-path/feed"))),
        ("JSON_URL", secret(&format!("/private/{CANARY}-json"))),
        ("PAGE_URL", secret(&format!("/private/{CANARY}-page/page"))),
        ("RUST_LOG", "newswire=trace".to_owned()),
    ];
    let command = |arguments: &[&str]| {
        let mut command = newswire(&workspace.config(), arguments);
        command.envs(secrets.clone());
        command
    };
    let output_of = |arguments: &[&str]| {
        let output = command(arguments).stdin(Stdio::null()).output().unwrap();
        (format!("{arguments:?}"), [output.stdout, output.stderr].concat())
    };
    let mut shown = vec![output_of(&["poll"]), output_of(&["poll", "--force", "--json"])];
    let mut daemon = Daemon::start_with(&mut command(&["run"]));
    let json = text(&daemon.get_until("/all.json", "Json 1").body);
    for name in ["Query", "Userinfo", "Header", "Redirect", "Moved", "Based", "Path"] {
        assert!(json.contains(&format!("{name} 5 at")), "{name}\n{json}");
    }
    for link in ["/q/next", "/q/post#note", "/target/post#note", "/next", "?token=theirs"] {
        assert!(json.contains(link), "{link}\n{json}");
    }
    for path in
        ["/all.atom", "/all.rss", "/all.json", "/all.opml", "/feeds.opml", "/", "/all/", "/feeds/", "/search?q=itself"]
    {
        shown.push((path.to_owned(), daemon.get(path).body));
    }
    for path in ["/status", "/status.json", "/status.atom", "/metrics"] {
        shown.push((path.to_owned(), request(&daemon.admin, "GET", path, &[]).body));
    }
    assert_eq!(daemon.end(), Some(0));
    shown.push(("the log".to_owned(), daemon.seen.join("\n").into_bytes()));
    let site = workspace.path("site");
    for arguments in [
        &["publish", "--out", site.to_str().unwrap()] as &[&str],
        &["check"],
        &["check", "--online"],
        &["check", "--json"],
        &["feeds"],
        &["feeds", "--json"],
        &["explain", "Query 1", "--json"],
        &["export"],
        &["config"],
        &["inspect", &format!("http://{address}/q/feed?token={CANARY}-query&format=full"), "--json"],
    ] {
        shown.push(output_of(arguments));
    }
    shown.extend(files_in(workspace.folder.path()).into_iter().filter(|(name, _)| !name.ends_with("newswire.toml")));
    assert!(shown.iter().any(|(name, _)| name.ends_with("newswire.db")) && shown.len() > 50, "{}", shown.len());
    for (place, bytes) in shown {
        let found = bytes.windows(6).position(|window| window == b"c4n4ry");
        let around = found.map(|at| text(&bytes[at.saturating_sub(200)..bytes.len().min(at + 100)]));
        assert!(found.is_none(), "{place} shows a secret: {}", around.unwrap());
    }
}

fn with_guid(guid: &str, title: &str) -> Entry {
    let mut entry = entry(&format!("https://a.example/{title}"), title, "words of it");
    entry.guid.value = guid.to_owned();
    entry.guid.kind = GuidKind::Guid;
    entry
}

#[tokio::test]
async fn entry_that_was_stored_with_a_secret_in_its_guid_stays_the_same_entry() {
    let config = bed::config(
        "[[feed]]\nid = \"a\"\nurl = \"https://a.example/feed?token=c4n4ry-5ecret\"\n
         [[section]]\nid = \"all\"\nfeeds = [\"*\"]\n",
    );
    let mut bed = Bed::new(config).await;
    let guids = |token: &str| {
        [1, 2].map(|number| with_guid(&format!("https://a.example/?token={token}&id={number}"), &format!("T{number}")))
    };
    assert_eq!(bed.poll("a", &guids(CANARY)).await.new, 2);
    let applied = bed.poll("a", &guids("***")).await;
    assert_eq!((applied.new, applied.revised, applied.rekeyed), (0, 0, 0));
    let copies = bed.copies("1").await;
    assert_eq!(copies[0].guid, "https://a.example/?token=***&id=2");
}
