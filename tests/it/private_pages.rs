//! Private sections over real sockets: their links and forms work for readers with access, and no public page reveals
//! them.

use crate::support;

use std::collections::BTreeSet;

use support::daemon::*;

const TOKEN: &str = "canary-token & more/1";
const FEEDS: &str = "[[feed]]\nid = \"a\"\nurl = \"file:a.xml\"\n[[feed]]\nid = \"b\"\nurl = \"file:b.xml\"\n";
const ALL: &str = "[[section]]\nid = \"all\"\nfeeds = [\"a\"]\nlimit = 2\n";

fn inner() -> String {
    format!("[[section]]\nid = \"inner\"\nfeeds = [\"b\"]\nlimit = 2\ntoken = \"{TOKEN}\"\n")
}

fn document(title: &str, items: &str) -> String {
    format!(
        "<rss version=\"2.0\"><channel><title>{title}</title><link>https://{title}.example/</link>\
         <description>d</description>{items}</channel></rss>"
    )
}

fn item(guid: &str, title: &str, link: &str, text: &str) -> String {
    format!(
        "<item><guid isPermaLink=\"false\">{guid}</guid><title>{title}</title><link>{link}</link>\
         <description>{text}</description></item>"
    )
}

/// Starts a site with a private and a public feed, which have one story in common. The private feed was polled first.
fn site(sections: &str) -> (Workspace, Daemon) {
    let workspace = Workspace::new(&format!("{FEEDS}{sections}"));
    let shared =
        item("tag:canary.example,2018:canary-guid", "Canary headline", "https://a.example/1", "The ferry sails.");
    let own: String = (2..6)
        .map(|n| {
            item(
                &format!("canary-{n}"),
                &format!("Canary {n}"),
                &format!("https://canary.example/{n}"),
                &format!("Canary words {n}."),
            )
        })
        .collect();
    workspace.write("b.xml", &document("canary-name", &format!("{shared}{own}")));
    let shown: String = (2..6)
        .map(|n| {
            item(
                &format!("a-{n}"),
                &format!("Tide {n}"),
                &format!("https://a.example/{n}"),
                &format!("High water {n}."),
            )
        })
        .collect();
    let copy = item("tag:a.example,2018:1", "Ferry sails", "https://a.example/1", "The ferry sails.");
    workspace.write("a.xml", &document("a", &format!("{copy}{shown}")));
    for feed in ["b", "a"] {
        let polled = output(&workspace.config(), &["poll", feed]);
        assert!(polled.status.success(), "{}", text(&polled.stderr));
    }
    let daemon = Daemon::start(&workspace);
    daemon.get_until("/all.json", "Tide");
    (workspace, daemon)
}

fn encoded() -> String {
    url::form_urlencoded::byte_serialize(TOKEN.as_bytes()).collect()
}

fn cookie(answer: &Answer) -> String {
    answer.header("set-cookie").expect("a session begins").split(';').next().unwrap().to_owned()
}

/// Returns the addresses of this site that a document links to, as paths.
fn links(daemon: &Daemon, body: &str) -> BTreeSet<String> {
    let own = format!("http://{}", daemon.site);
    let quoted =
        ["href=\"", "src=\"", "<loc>", "url\":\"", "action=\""].iter().flat_map(|mark| body.split(mark).skip(1));
    let links = quoted.filter_map(|rest| rest.split(['"', '<']).next());
    let links = links.map(|link| link.strip_prefix(&own).unwrap_or(link).replace("&amp;", "&"));
    links.filter(|link| link.starts_with('/') && !link.starts_with("//")).collect()
}

fn post(daemon: &Daemon, path: &str, body: &str) -> Answer {
    use std::io::{Read, Write};
    let mut stream = std::net::TcpStream::connect(&daemon.site).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    write!(
        stream,
        "POST {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
        daemon.site,
        body.len()
    )
    .unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    let shown = text(&bytes);
    let (head, body) = shown.split_once("\r\n\r\n").unwrap();
    let headers = head.lines().skip(1).filter_map(|line| line.split_once(": "));
    Answer {
        status: head.split(' ').nth(1).unwrap().parse().unwrap(),
        headers: headers.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
        body: body.as_bytes().to_vec(),
    }
}

#[test]
fn links_of_a_private_page_work_with_its_session() {
    let (_desk, daemon) = site(&format!("{ALL}{}", inner()));
    let opened = daemon.get(&format!("/inner/?token={}&x=1", encoded()));
    assert_eq!(
        (opened.status, opened.header("location")),
        (303, Some("/inner/?x=1")),
        "the token is removed from the address"
    );
    let set = opened.header("set-cookie").unwrap();
    assert!(set.ends_with("; Path=/inner/; HttpOnly; SameSite=Lax"), "{set}");
    assert!(!set.contains("canary"), "{set}");
    assert_eq!(opened.header("referrer-policy"), Some("no-referrer"));
    assert_eq!(opened.header("cache-control"), Some("no-store"));
    let session = cookie(&opened);

    let get = |path: &str| request(&daemon.site, "GET", path, &[("Cookie", &session)]);
    let page = get("/inner/");
    assert_eq!((page.status, page.header("referrer-policy")), (200, Some("no-referrer")));
    let body = text(&page.body);
    assert!(body.contains("Canary 2") && !body.contains("/story/"), "{body}");
    let mut found = links(&daemon, &body);
    for format in ["atom", "rss", "json", "opml"] {
        assert!(found.contains(&format!("/inner.{format}?token={}", encoded())), "{format}: {found:?}");
    }
    found.extend(["/inner/archive/1.atom".to_owned(), "/inner/archive/1.json".to_owned()]);
    for link in found {
        let answer = get(&link);
        assert!(matches!(answer.status, 200 | 304 | 308), "{link}: {}", answer.status);
    }
    for format in ["atom", "rss", "json", "opml"] {
        let answer = daemon.get(&format!("/inner.{format}?token={}", encoded()));
        assert_eq!((answer.status, answer.header("set-cookie")), (200, None), "readers need no cookie");
    }
}

#[test]
fn form_on_the_page_of_a_private_section_opens_it() {
    let (_desk, daemon) = site(&format!("{ALL}{}", inner()));
    let asked = daemon.get("/inner/");
    assert_eq!((asked.status, asked.header("cache-control")), (401, Some("no-store")));
    assert!(asked.header("www-authenticate").unwrap().starts_with("Bearer"));
    let body = text(&asked.body);
    assert!(body.contains("This section is private. Enter its token."), "{body}");
    assert!(body.contains("<form") && body.contains("method=\"post\"") && body.contains("name=\"token\""), "{body}");
    assert!(!body.to_lowercase().contains("inner") && !body.to_lowercase().contains("canary"), "{body}");

    for path in ["/inner/", "/inner/?token=wrong", "/inner.atom", "/inner"] {
        let entered = post(&daemon, path, &format!("token={}", encoded()));
        assert_eq!((entered.status, entered.header("location")), (303, Some("/inner/")), "{path}");
        let page = request(&daemon.site, "GET", "/inner/", &[("Cookie", &cookie(&entered))]);
        assert_eq!(page.status, 200, "{path}");
    }
    let wrong = post(&daemon, "/inner/", "token=wrong");
    assert_eq!((wrong.status, wrong.header("set-cookie")), (401, None));
    assert!(text(&wrong.body).contains("Wrong token."), "{}", text(&wrong.body));
    assert_eq!(post(&daemon, "/inner/", "").status, 401);
    assert_eq!(post(&daemon, "/inner/", &format!("token={}", "x".repeat(5000))).status, 413);
    for path in ["/", "/all/", "/all.atom", "/nothing/", "/story/1/"] {
        let refused = post(&daemon, path, &format!("token={}", encoded()));
        assert_eq!((refused.status, refused.header("allow")), (405, Some("GET, HEAD")), "{path}");
    }
    let feed = daemon.get("/inner.atom");
    assert_eq!(
        (feed.status, text(&feed.body)),
        (401, "this section is private\n".to_owned()),
        "feed readers get one line of text"
    );
    let opened = request(&daemon.site, "GET", "/inner.atom", &[("Accept", "text/html,*/*")]);
    assert!(text(&opened.body).contains("<form"), "a browser gets the form");
    let head = request(&daemon.site, "HEAD", "/inner/", &[]);
    assert_eq!((head.status, head.body.len()), (401, 0));
}

#[test]
fn session_ends_with_the_token_and_opens_no_other_section() {
    let other = "[[section]]\nid = \"other\"\nfeeds = [\"b\"]\ntoken = \"canary-token & more/1\"\n";
    let (workspace, daemon) = site(&format!("{ALL}{}{other}", inner()));
    let session = cookie(&daemon.get(&format!("/inner/?token={}", encoded())));
    let get = |path: &str| request(&daemon.site, "GET", path, &[("Cookie", &session)]).status;
    assert_eq!((get("/inner/"), get("/other/")), (200, 401));
    for wrong in ["newswire=", "newswire=0", "newswire=canary-token & more/1", "other=1"] {
        assert_eq!(request(&daemon.site, "GET", "/inner/", &[("Cookie", wrong)]).status, 401, "{wrong}");
    }
    workspace.edit(&format!("{FEEDS}{ALL}{}", inner().replace("canary-token", "other-token")));
    let other = encoded().replace("canary", "other");
    daemon.get_until(&format!("/inner.json?token={other}"), "Canary");
    assert_eq!(get("/inner/"), 401);
}

#[test]
fn section_with_a_password_asks_for_it_and_needs_no_cookie() {
    let basic =
        "[[section]]\nid = \"board\"\nfeeds = [\"b\"]\nbasic_auth = { user = \"gail\", password = \"canary\" }\n";
    let (_desk, daemon) = site(&format!("{ALL}{basic}"));
    let asked = daemon.get("/board/");
    assert_eq!(asked.status, 401);
    assert!(asked.header("www-authenticate").unwrap().starts_with("Basic"));
    assert!(!text(&asked.body).contains("method=\"post\""), "{}", text(&asked.body));
    assert_eq!(post(&daemon, "/board/", "token=canary").status, 405);
    let authorization = ("Authorization", "Basic Z2FpbDpjYW5hcnk=");
    let page = request(&daemon.site, "GET", "/board/", &[authorization]);
    assert_eq!((page.status, page.header("set-cookie")), (200, None));
    for link in links(&daemon, &text(&page.body)) {
        assert!(!link.contains("token="), "{link}");
        let status = request(&daemon.site, "GET", &link, &[authorization]).status;
        assert!(matches!(status, 200 | 304 | 308), "{link}: {status}");
    }
}

/// Requests the index, addresses that no page links to, and every link that it finds. Then reads the log.
#[test]
fn nothing_public_reveals_a_private_feed() {
    let (_desk, mut daemon) = site(&format!("{ALL}{}", inner()));
    daemon.get_until(&format!("/inner.json?token={}", encoded()), "Canary");
    let mut waiting: Vec<String> =
        ["/", "/sitemap.xml", "/robots.txt", "/feeds.opml", "/search?q=ferry", "/nothing", "/inner/", "/inner.atom"]
            .map(str::to_owned)
            .into();
    waiting.extend((1..12).map(|number| format!("/story/{number}/")));
    waiting.extend((1..12).map(|number| format!("/story/canary-headline-{number}/").replace("canary-headline", "x")));
    waiting.extend((1..4).flat_map(|n| ["atom", "rss", "json"].map(|format| format!("/all/archive/{n}.{format}"))));
    let mut seen = BTreeSet::new();
    while let Some(path) = waiting.pop() {
        if !seen.insert(path.clone()) {
            continue;
        }
        let answer = daemon.get(&path);
        let head: String = answer.headers.iter().map(|(name, value)| format!("{name}: {value}\n")).collect();
        let shown = format!("{head}\n{}", text(&answer.body));
        assert!(!shown.to_lowercase().contains("canary"), "{path}: {shown}");
        waiting.extend(links(&daemon, &shown));
        waiting.extend(answer.header("location").map(str::to_owned));
    }
    assert!(seen.iter().any(|path| path.starts_with("/story/ferry-sails-")), "{seen:?}");
    assert!(seen.contains("/all.json") && seen.len() > 30, "{seen:?}");
    assert_eq!(daemon.end(), Some(0));
    let log = daemon.seen.join("\n").to_lowercase();
    assert!(!log.contains("canary"), "{log}");
}
