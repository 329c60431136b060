//! Private sections, and the admin address.

use super::*;

#[test]
fn token_of_a_private_section_is_kept_in_its_links_and_required_everywhere() {
    let section = |id: &str| format!("[[section]]\n{id}\nfeeds = [\"*\"]\nlimit = 1\ntoken = \"canary\"\n");
    let workspace = Workspace::new(&format!("{FEED}{}", section("id = \"inner\"")));
    workspace.write("a.xml", &feed("War"));
    let daemon = Daemon::start(&workspace);
    daemon.get_until("/inner/archive/1.json?token=canary", "War");
    for path in ["/inner.atom", "/inner/archive/1.atom", "/inner/archive/1.json?token=wrong"] {
        assert_eq!(daemon.get(path).status, 401, "{path}");
    }
    assert_eq!(get(&daemon, "/inner/archive/1.rss", &[("Authorization", "bearer canary")]).status, 200);
    workspace.edit(&format!("{FEED}{}", section("id = \"inmost\"\nformerly = [\"inner\"]")));
    daemon.get_until("/inmost.json?token=canary", "Other");
    let moved = daemon.get("/inner.json?token=canary");
    assert_eq!((moved.status, moved.header("location")), (308, Some("/inmost.json?token=canary")));
    let unknown = daemon.get("/inner.json");
    assert_eq!((unknown.status, unknown.header("location")), (401, None), "strangers do not learn its name");
}

#[test]
fn every_address_of_a_private_section_gives_strangers_the_same_answer() {
    let workspace =
        Workspace::new(&format!("{FEED}[[section]]\nid = \"vip\"\nfeeds = [\"*\"]\nlimit = 1\ntoken = \"canary\"\n"));
    workspace.write("a.xml", &feed("War"));
    let daemon = Daemon::start(&workspace);
    daemon.get_until("/vip/archive/1.json?token=canary", "War");
    let answer = |path: &str| {
        let answer = daemon.get(path);
        let headers: Vec<_> = answer.headers.iter().filter(|(name, _)| name != "date").cloned().collect();
        (answer.status, headers, answer.body)
    };
    let documents = ["/vip.atom", "/vip/archive/1.atom", "/vip/archive/99.atom", "/vip/archive/x", "/vip.rss?token=x"];
    for (first, others) in [("/vip/", &["/vip", "/vip?token=x"] as &[&str]), ("/vip.json", &documents)] {
        let expected = answer(first);
        assert_eq!(expected.0, 401);
        for path in others {
            assert_eq!(answer(path), expected, "{path}");
        }
    }
    assert_eq!(daemon.get("/vip?token=canary").header("location"), Some("/vip/?token=canary"));
    assert_eq!(daemon.get("/vip/archive/99.atom?token=canary").status, 404);
}

/// A web page can make a host name of its own resolve to this machine, so the admin address checks the host name.
#[test]
fn admin_address_answers_only_for_known_host_names() {
    let workspace = Workspace::whole(&format!(
        "[site]\nurl = \"https://news.example.org/\"\n[server]\nlisten = \"127.0.0.1:0\"\nadmin = \"127.0.0.1:0\"\n\
         admin_hosts = [\"Status.example.net\"]\n{FEED}{ALL}"
    ));
    workspace.write("a.xml", &feed("War"));
    let daemon = Daemon::start(&workspace);
    let check = |host: &str, expected: &str| {
        for path in ["/status", "/status.json", "/metrics", "/healthz", "/nothing"] {
            let mut stream = TcpStream::connect(&daemon.admin).unwrap();
            stream.set_read_timeout(Some(PATIENCE)).unwrap();
            write!(stream, "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").unwrap();
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer).unwrap();
            let answer = text(&answer);
            let is_refused = answer.starts_with("HTTP/1.1 421");
            assert_eq!(if is_refused { "refused" } else { "answered" }, expected, "{host}{path}: {answer}");
            assert!(!is_refused || answer.ends_with("add the name to admin_hosts under [server]\n"), "{answer}");
        }
    };
    check("evil.example", "refused");
    check("127.0.0.1.evil.example:8081", "refused");
    check("198.51.100.7", "refused");
    check(&daemon.admin, "answered");
    check("localhost:8081", "answered");
    check("status.example.net", "answered");
    check("news.example.org", "answered");
}

#[test]
fn private_section_says_which_credentials_it_needs() {
    let section = |id: &str, key: &str| format!("[[section]]\nid = \"{id}\"\nfeeds = [\"*\"]\n{key}\n");
    let workspace = Workspace::new(&format!(
        "{FEED}{}{}",
        section("token", "token = \"canary\""),
        section("basic", "basic_auth = { user = \"gail\", password = \"canary\" }")
    ));
    workspace.write("a.xml", &feed("War"));
    let daemon = Daemon::start(&workspace);
    daemon.get_until("/token.json?token=canary", "War");
    let check = |path: &str, authorization: Option<&str>, status: u16, challenge: Option<&str>| {
        let headers: Vec<_> = authorization.map(|value| ("Authorization", value)).into_iter().collect();
        let answer = get(&daemon, path, &headers);
        assert_eq!(answer.status, status, "{path} {authorization:?}");
        let asked = answer.header("www-authenticate").and_then(|value| value.split(' ').next());
        assert_eq!(asked, challenge, "{path} {authorization:?}");
        let cache = answer.header("cache-control").unwrap();
        assert!(cache == "no-store" || cache.starts_with("private, "), "{path}: {cache}");
    };
    check("/token.atom", None, 401, Some("Bearer"));
    check("/token/", Some("Basic Z2FpbDpjYW5hcnk="), 401, Some("Bearer"));
    check("/token/", Some("Bearer canary"), 200, None);
    check("/basic.atom", None, 401, Some("Basic"));
    check("/basic.rss?token=canary", None, 401, Some("Basic"));
    check("/basic.json", Some("basic Z2FpbDpjYW5hcnk="), 200, None);
    check("/basic/", Some("Basic Z2FpbDpjYW5hcnkx"), 401, Some("Basic"));
}

#[test]
fn status_page_and_status_feed_report_dead_feeds() {
    let workspace = Workspace::new(&format!("{FEED}{ALL}"));
    workspace.write("a.xml", "this is no feed");
    for _ in 0..3 {
        output(&workspace.config(), &["poll", "--force"]);
    }
    workspace.write("a.xml", &feed("War"));
    output(&workspace.config(), &["poll", "--force"]);
    let mut daemon = Daemon::start(&workspace);
    let events = |daemon: &Daemon| text(&request(&daemon.admin, "GET", "/status.atom", &[]).body);
    let result = events(&daemon);
    assert!(result.contains("<title>A died</title>") && result.contains("<title>A recovered</title>"), "{result}");
    assert!(result.contains("failed 3 times in a row"), "{result}");
    workspace.edit(&format!("{FEED}{ALL}limt = 4"));
    daemon.wait_for("config not reloaded");
    let until = Instant::now() + PATIENCE;
    while !events(&daemon).contains("Config not reloaded") {
        assert!(Instant::now() < until);
    }
    let page = text(&request(&daemon.admin, "GET", "/status", &[]).body);
    assert!(
        page.contains("limt") && page.contains("<th scope=\"row\"><bdi>A</bdi>") && page.contains("answers again"),
        "{page}"
    );
    let read = feed_rs::parser::parse(events(&daemon).as_bytes()).unwrap();
    assert_eq!(read.entries.len(), 3);
}
