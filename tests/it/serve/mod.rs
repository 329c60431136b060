//! What the web server answers to readers, over real sockets.

use crate::support;
use crate::support::sql;

mod keeper;

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use serde_json::Value;
use support::daemon::*;

/// Returns a feed of two entries. The title of the first is `words`.
fn feed(words: &str) -> String {
    format!(
        "<rss version=\"2.0\"><channel><title>A</title><link>https://a.example/</link><description>d</description>\
         <item><guid isPermaLink=\"false\">1</guid><title>{words}</title><link>https://a.example/1</link>\
         <pubDate>Wed, 20 Dec 2017 06:18:00 +0000</pubDate><description>{}</description></item>\
         <item><guid isPermaLink=\"false\">2</guid><title>Other</title><link>https://a.example/2</link>\
         <pubDate>Thu, 20 Dec 2035 06:18:00 +0000</pubDate></item></channel></rss>",
        "Many words. ".repeat(200)
    )
}

const FEED: &str = "[[feed]]\nid = \"a\"\nurl = \"file:a.xml\"\nschedule = \"every 1 second\"\n";
const ALL: &str = "[[section]]\nid = \"all\"\ntitle = \"All\"\nfeeds = [\"*\"]\n";

const FORMATS: [(&str, &str); 4] = [
    ("/all.atom", "application/atom+xml; charset=utf-8"),
    ("/all.rss", "application/rss+xml; charset=utf-8"),
    ("/all.json", "application/feed+json"),
    ("/all.opml", "text/x-opml; charset=utf-8"),
];

/// Starts a site with one section of two stories.
fn site() -> (Workspace, Daemon) {
    let workspace = Workspace::new(&format!("{FEED}{ALL}"));
    workspace.write("a.xml", &feed("War"));
    let daemon = Daemon::start(&workspace);
    daemon.get_until("/all.json", "War");
    (workspace, daemon)
}

fn get(daemon: &Daemon, path: &str, headers: &[(&str, &str)]) -> Answer {
    request(&daemon.site, "GET", path, headers)
}

#[test]
fn edition_has_date_length_and_type_headers() {
    let (_desk, daemon) = site();
    for (path, media_type) in FORMATS {
        let answer = daemon.get(path);
        let header = |name| answer.header(name).unwrap_or_else(|| panic!("{path} has no {name}"));
        assert_eq!((answer.status, header("content-type")), (200, media_type));
        assert!(header("etag").starts_with('"'), "a strong tag: {}", header("etag"));
        assert_eq!(header("cache-control"), "public, max-age=900, stale-if-error=86400");
        assert!(header("vary").starts_with("Accept-Encoding"));
        assert_eq!(header("x-content-type-options"), "nosniff");
        assert_eq!(header("access-control-allow-origin"), "*");
        let modified = httpdate::parse_http_date(header("last-modified")).unwrap();
        assert!(modified <= std::time::SystemTime::now(), "never in the future");
        assert_eq!(answer.header("server"), None);
    }
    let rss = text(&daemon.get("/all.rss").body);
    assert!(rss.contains("<ttl>15</ttl>") && rss.contains("<sy:updateFrequency>4</sy:updateFrequency>"), "{rss}");
    for path in ["/", "/all/", "/style.css"] {
        assert_eq!(daemon.get(path).header("access-control-allow-origin"), None, "{path}: only for feeds");
    }
    let status = request(&daemon.admin, "GET", "/status.json", &[]);
    assert_eq!(status.header("access-control-allow-origin"), None);
    assert_eq!(status.header("x-content-type-options"), Some("nosniff"));
}

#[test]
fn page_and_style_are_revalidated_each_time_with_304() {
    let (_desk, daemon) = site();
    let index = text(&daemon.get("/").body);
    let story = index.split("href=\"").filter_map(|part| part.split('"').next()).find(|link| link.contains("/story/"));
    for path in ["/", "/all/", "/feeds/", "/about/", "/style.css", "/search?q=x", story.unwrap()] {
        let page = daemon.get(path);
        assert_eq!((page.status, page.header("cache-control")), (200, Some("public, no-cache")), "{path}");
        let again = get(&daemon, path, &[("If-None-Match", page.header("etag").unwrap())]);
        assert_eq!((again.status, again.header("cache-control")), (304, Some("public, no-cache")), "{path}");
    }
}

#[test]
fn conditional_cross_origin_requests_work_also_at_former_addresses() {
    let workspace =
        Workspace::new(&format!("{FEED}{}", ALL.replace("id = \"all\"", "id = \"all\"\nformerly = [\"old\"]")));
    workspace.write("a.xml", &headlines(&[("1", "One")]));
    let daemon = Daemon::start(&workspace);
    daemon.get_until("/all.json", "One");
    for path in ["/all.atom", "/all.rss", "/all.json", "/all.opml", "/feeds.opml", "/all/archive/1.atom", "/old.atom"] {
        let asked = request(&daemon.site, "OPTIONS", path, &[("Origin", "https://reader.example")]);
        assert_eq!(asked.status, 204, "{path}");
        assert_eq!(asked.header("access-control-allow-headers"), Some("If-None-Match, If-Modified-Since"), "{path}");
        assert_eq!(asked.header("access-control-allow-origin"), Some("*"), "{path}");
    }
    let moved = daemon.get("/old.atom");
    assert_eq!((moved.status, moved.header("access-control-allow-origin")), (308, Some("*")));
    for path in ["/", "/all/", "/nowhere.atom"] {
        assert_eq!(request(&daemon.site, "OPTIONS", path, &[]).status, 405, "{path}");
    }
}

#[test]
fn bytes_are_the_same_over_a_hundred_polls_and_three_restarts() {
    // Without a configured public address, links contain the port, which the system chooses at every start.
    let site =
        "[site]\nurl = \"https://news.example.org/\"\n[server]\nlisten = \"127.0.0.1:0\"\nadmin = \"127.0.0.1:0\"\n";
    let workspace = Workspace::whole(&format!("{site}{FEED}{ALL}limit = 1\n"));
    workspace.write("a.xml", &feed("War"));
    let mut seen: BTreeMap<&str, (Vec<u8>, String, String)> = BTreeMap::new();
    for run in 0..4 {
        for _ in 0..25 {
            assert!(output(&workspace.config(), &["poll", "--force"]).status.success());
        }
        let mut daemon = Daemon::start(&workspace);
        let others = ["/all/", "/", "/sitemap.xml", "/all/archive/1.atom", "/all/archive/1.rss", "/all/archive/1.json"];
        for path in FORMATS.into_iter().map(|(path, _)| path).chain(others) {
            let answer = daemon.get(path);
            let header = |name| answer.header(name).unwrap().to_owned();
            // The sitemap is made on request, so the time of its last change is not known.
            let modified = if path == "/sitemap.xml" { String::new() } else { header("last-modified") };
            let now = (answer.body.clone(), header("etag"), modified);
            assert_eq!(seen.entry(path).or_insert_with(|| now.clone()), &now, "{path}, run {run}");
        }
        assert_eq!(daemon.end(), Some(0));
    }
}

#[test]
fn conditional_requests_are_answered_as_in_rfc_9110() {
    let (_desk, daemon) = site();
    let whole = daemon.get("/all.atom");
    let (etag, modified) = (whole.header("etag").unwrap(), whole.header("last-modified").unwrap());
    let weak = format!("W/{etag}");
    let list = format!("\"x\", {etag}");
    let earlier = "Mon, 01 Jan 2001 00:00:00 GMT";
    let later = "Fri, 01 Jan 2100 00:00:00 GMT";
    let check = |headers: &[(&str, &str)], expected: u16| {
        let answer = get(&daemon, "/all.atom", headers);
        assert_eq!(answer.status, expected, "{headers:?}");
        if expected == 304 {
            assert!(answer.body.is_empty());
            for name in ["etag", "last-modified", "cache-control", "vary"] {
                assert_eq!(answer.header(name), whole.header(name), "{headers:?} {name}");
            }
            assert_eq!((answer.header("content-type"), answer.header("content-length")), (None, None));
        }
    };
    check(&[("If-None-Match", etag)], 304);
    check(&[("If-None-Match", &weak)], 304);
    check(&[("If-None-Match", &list)], 304);
    check(&[("If-None-Match", "\"x\""), ("If-None-Match", etag)], 304);
    check(&[("If-None-Match", "*")], 304);
    check(&[("If-None-Match", "\"x\"")], 200);
    check(&[("If-None-Match", "\"x\""), ("If-Modified-Since", modified)], 200);
    check(&[("If-None-Match", etag), ("If-Modified-Since", earlier)], 304);
    check(&[("If-None-Match", etag.trim_matches('"'))], 200);
    check(&[("If-Modified-Since", modified)], 304);
    check(&[("If-Modified-Since", later)], 304);
    check(&[("If-Modified-Since", earlier)], 200);
    check(&[("If-Modified-Since", "yesterday, or so")], 200);
    check(&[("Range", "bytes=0-9")], 200);
    check(&[("If-None-Match", etag), ("Range", "bytes=0-9")], 304);
    let whole_again = get(&daemon, "/all.atom", &[("Range", "bytes=0-9")]);
    assert_eq!(whole_again.body, whole.body, "ranges are not supported");
}

/// Browsers show feeds as source text unless the type says XML.
#[test]
fn feed_opened_in_a_browser_is_shown_with_its_style_sheet() {
    let (_desk, daemon) = site();
    for (path, media_type) in FORMATS {
        let opened = get(&daemon, path, &[("Sec-Fetch-Dest", "document")]);
        let is_styled = text(&opened.body).contains("<?xml-stylesheet type=\"text/css\"") && !path.ends_with(".opml");
        let expected = if is_styled { "application/xml; charset=utf-8" } else { media_type };
        assert_eq!(opened.header("content-type"), Some(expected), "{path}");
        assert_eq!(opened.header("vary").unwrap().contains("Sec-Fetch-Dest"), is_styled, "{path}");
        assert_eq!(opened.body, daemon.get(path).body, "{path}");
    }
}

#[test]
fn each_coding_has_its_own_etag_and_all_are_recognised() {
    let (_desk, daemon) = site();
    let plain = daemon.get("/all.atom");
    let mut tags = vec![plain.header("etag").unwrap().to_owned()];
    for coding in ["gzip", "br", "zstd"] {
        let answer = get(&daemon, "/all.atom", &[("Accept-Encoding", coding)]);
        assert_eq!((answer.status, answer.header("content-encoding")), (200, Some(coding)));
        assert!(answer.header("vary").unwrap().starts_with("Accept-Encoding"));
        assert!(answer.body.len() < plain.body.len());
        tags.push(answer.header("etag").unwrap().to_owned());
    }
    assert_eq!(tags.iter().collect::<std::collections::BTreeSet<_>>().len(), 4);
    for tag in &tags {
        for coding in ["identity", "gzip", "br, gzip", "zstd;q=0, gzip;q=0.5, *;q=0"] {
            let answer = get(&daemon, "/all.atom", &[("If-None-Match", tag), ("Accept-Encoding", coding)]);
            assert_eq!((answer.status, answer.header("content-encoding")), (304, None), "{tag} {coding}");
        }
    }
    let check = |accepted: &str, expected: Option<&str>| {
        let answer = get(&daemon, "/all.atom", &[("Accept-Encoding", accepted)]);
        assert_eq!(answer.header("content-encoding"), expected, "{accepted}");
    };
    check("identity", None);
    check("gzip;q=0", None);
    check("GZIP;q=0.1", Some("gzip"));
    check("*;q=0, gzip", Some("gzip"));
    check("deflate", None);
}

/// RFC 9110 §12.5.3 defines these weights in `Accept-Encoding`.
#[test]
fn reader_gets_the_coding_with_its_highest_weight() {
    let (_desk, daemon) = site();
    let check = |accepted: &str, expected: Option<&str>| {
        let answer = get(&daemon, "/all.atom", &[("Accept-Encoding", accepted)]);
        assert_eq!(answer.header("content-encoding"), expected, "{accepted}");
        let head = request(&daemon.site, "HEAD", "/all.atom", &[("Accept-Encoding", accepted)]);
        let length = answer.body.len().to_string();
        for whole in [&answer, &head] {
            assert_eq!(whole.header("content-length"), Some(&*length), "{accepted}");
            assert_eq!(whole.header("etag"), answer.header("etag"), "{accepted}");
        }
    };
    check("gzip, deflate, br, zstd", Some("br"));
    check("gzip, zstd", Some("zstd"));
    check("*", Some("br"));
    check("br;q=0.5, gzip;q=0.8", Some("gzip"));
    check("br; Q=0.5, zstd; q=0.5, gzip;q=0.4", Some("br"));
    check("br;q=0, *;q=0.1", Some("zstd"));
    check("identity;q=0.9, gzip;q=0.8", None);
    check("identity;q=0.5, gzip;q=0.5", Some("gzip"));
    check("identity, *;q=0", None);
}

#[test]
fn document_that_compression_does_not_make_smaller_is_sent_uncompressed() {
    let (_desk, daemon) = site();
    let plain = daemon.get("/robots.txt");
    assert!(plain.body.len() < 100, "{}", text(&plain.body));
    for coding in ["br", "zstd", "gzip"] {
        let answer = get(&daemon, "/robots.txt", &[("Accept-Encoding", coding)]);
        let is_coded = answer.header("content-encoding").is_some();
        assert_eq!(answer.header("etag") != plain.header("etag"), is_coded, "{coding}");
        assert!(answer.body.len() < plain.body.len() || answer.body == plain.body, "{coding}");
        let again = get(
            &daemon,
            "/robots.txt",
            &[("If-None-Match", plain.header("etag").unwrap()), ("Accept-Encoding", coding)],
        );
        assert_eq!((again.status, again.header("etag")), (304, answer.header("etag")), "{coding}");
    }
}

#[test]
fn only_read_requests_are_answered_and_removed_addresses_say_so() {
    let (workspace, daemon) = site();
    for path in ["/all.atom", "/all/", "/search?q=war", "/story/war-2/", "/nothing", "/all"] {
        let (whole, head) = (daemon.get(path), request(&daemon.site, "HEAD", path, &[]));
        let of_time = |headers: &[(String, String)]| -> Vec<_> {
            headers.iter().filter(|(name, _)| name != "date").cloned().collect()
        };
        assert_eq!(head.status, whole.status, "{path}");
        assert_eq!(of_time(&head.headers), of_time(&whole.headers), "{path}");
        assert!(head.body.is_empty());
    }
    for method in ["POST", "PUT", "DELETE", "PATCH", "TRACE"] {
        let answer = request(&daemon.site, method, "/all.atom", &[]);
        assert_eq!((answer.status, answer.header("allow")), (405, Some("GET, HEAD")), "{method}");
    }
    let etag = daemon.get("/all.atom").header("etag").unwrap().to_owned();
    assert_eq!(daemon.get("/all.atom?utm_source=x&t=1").header("etag"), Some(etag.as_str()), "queries change nothing");
    for path in
        ["/nothing", "/all.xml", "/all.atom/", "/all/archive/1.atom", "/ALL.atom", "/story/war/", "/story/war-999/"]
    {
        let answer = daemon.get(path);
        assert_eq!((answer.status, answer.header("etag")), (404, None), "{path}");
    }
    assert_eq!(daemon.get("/all").header("location"), Some("/all/"));

    let id = |daemon: &Daemon, path: &str| -> Value {
        serde_json::from_slice::<Value>(&daemon.get(path).body).unwrap()["_newswire"]["id"].clone()
    };
    let before = id(&daemon, "/all.json");
    let renamed = ALL.replace("id = \"all\"", "id = \"every\"\nformerly = [\"all\"]");
    workspace.edit(&format!("{FEED}{renamed}"));
    daemon.get_until("/every.json", "War");
    for (from, to) in
        [("/all.atom", "/every.atom"), ("/all/", "/every/"), ("/all/archive/1.rss?x", "/every/archive/1.rss?x")]
    {
        let answer = daemon.get(from);
        assert_eq!((answer.status, answer.header("location")), (308, Some(to)));
    }
    assert_ne!(
        id(&daemon, "/every.json"),
        before,
        "the id depends on the address, because the site has no public address"
    );
    workspace.edit(&format!("{FEED}{}", ALL.replace("\"all\"", "\"third\"")));
    daemon.get_until("/third.json", "War");
    for path in ["/every.atom", "/every/", "/every.opml", "/every/archive/1.json"] {
        let answer = daemon.get(path);
        assert_eq!(answer.status, 410, "{path}");
        assert!(text(&answer.body).contains("<h1>"), "the answer is a page for people");
    }
}

#[test]
fn id_of_a_section_survives_a_new_name_and_host() {
    let config = |url: &str, section: &str| {
        format!(
            "[site]\nurl = \"{url}\"\n[server]\nlisten = \"127.0.0.1:0\"\nadmin = \"127.0.0.1:0\"\n{FEED}[[section]]\n{section}\nfeeds = [\"*\"]\n"
        )
    };
    let workspace = Workspace::whole(&config("https://one.example/", "id = \"all\""));
    workspace.write("a.xml", &feed("War"));
    let check = |config: &str, file: &str| {
        std::fs::write(workspace.config(), config).unwrap();
        let site = workspace.folder.path().join("site");
        assert!(output(&workspace.config(), &["publish", "--out", site.to_str().unwrap()]).status.success());
        let feed = std::fs::read_to_string(site.join(file)).unwrap();
        assert!(feed.contains("<id>https://one.example/all</id>"), "{feed}");
    };
    output(&workspace.config(), &["poll"]);
    check(&config("https://one.example/", "id = \"all\""), "all.atom");
    check(&config("https://two.example/wire/", "id = \"all\""), "all.atom");
    check(&config("https://two.example/", "id = \"every\"\nformerly = [\"all\"]"), "every.atom");
}

#[test]
fn last_good_edition_stays_if_a_new_one_cannot_be_made() {
    let other = "[[feed]]\nid = \"b\"\nurl = \"file:b.xml\"\n[[section]]\nid = \"a\"\nfeeds = [\"a\"]\n";
    let workspace = Workspace::new(&format!("{FEED}{ALL}{other}"));
    workspace.write("a.xml", &feed("War"));
    workspace.write("b.xml", &feed("Peace").replace("a.example", "b.example"));
    let mut daemon = Daemon::start(&workspace);
    daemon.get_until("/all.json", "War");
    daemon.get_until("/all.json", "Peace");
    let good = daemon.get("/all.atom");
    let store = sql::open(workspace.folder.path().join("newswire.db"));
    store.busy_timeout(PATIENCE).unwrap();
    let corrupt = "UPDATE body SET value = '{broken' WHERE entry IN
                   (SELECT entry.number FROM entry JOIN feed ON feed.number = entry.feed WHERE feed.id = 'b')";
    assert!(store.execute(corrupt, []).unwrap() > 0);
    drop(store);
    workspace.write("a.xml", &feed("War").replace("Other", "Another"));
    daemon.wait_for("cannot publish; the last edition stays");
    let still = daemon.get("/all.atom");
    assert_eq!((still.status, still.body), (200, good.body));
    daemon.get_until("/a.json", "Another");
    assert_eq!(daemon.end(), Some(0));

    let daemon = Daemon::start(&workspace);
    daemon.get_until("/a.json", "Another");
    for path in ["/all.atom", "/all/", "/all.json"] {
        let answer = daemon.get(path);
        assert_eq!(
            (answer.status, answer.header("retry-after")),
            (503, Some("60")),
            "{path}: never made, so not there"
        );
    }
}

#[test]
fn forged_headers_change_no_byte_and_give_no_access() {
    let (_desk, daemon) = site();
    let forged = [
        ("X-Forwarded-Host", "evil.test"),
        ("X-Forwarded-For", "127.0.0.1"),
        ("X-Forwarded-Proto", "https"),
        ("X-Forwarded-Prefix", "/evil"),
        ("Forwarded", "for=127.0.0.1;host=evil.test"),
        ("X-Original-URL", "/status"),
    ];
    for path in ["/all.atom", "/all.rss", "/all.json", "/all.opml", "/all/", "/", "/sitemap.xml", "/feeds/"] {
        let (plain, other) = (daemon.get(path), get(&daemon, path, &forged));
        assert_eq!((plain.header("etag"), &plain.body), (other.header("etag"), &other.body), "{path}");
        let mut stream = TcpStream::connect(&daemon.site).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: evil.test\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        assert!(answer.ends_with(&plain.body) && !text(&answer).contains("evil.test"), "{path}");
    }
    for path in ["/status", "/status.json", "/status.atom", "/metrics", "/healthz", "/readyz"] {
        assert_eq!(get(&daemon, path, &forged).status, 404, "{path} is only on the admin address");
        assert_eq!(request(&daemon.admin, "GET", path, &[]).status, 200, "{path}");
        assert_ne!(request(&daemon.admin, "POST", path, &[]).status, 200, "{path} is read only");
    }
    for path in ["//evil.test/", "//evil.test", "/\\evil.test/", "/all//evil.test", "/?url=http://evil.test/"] {
        let answer = daemon.get(path);
        assert_eq!(answer.header("location"), None, "{path}");
    }
}

/// Returns how many of the sockets the other side has closed.
fn closed(sockets: &mut [TcpStream]) -> usize {
    let mut byte = [0; 64];
    let is_closed = |socket: &mut TcpStream| {
        loop {
            match socket.read(&mut byte) {
                Ok(0) => return true,
                // There may be data that was not read before.
                Ok(_) => {}
                Err(error) => return error.kind() != std::io::ErrorKind::WouldBlock,
            }
        }
    };
    sockets.iter_mut().map(is_closed).filter(|closed| *closed).count()
}

#[test]
fn slow_and_silent_connections_are_closed_and_affect_no_other() {
    let (_desk, daemon) = site();
    let connect = |first: &[u8]| {
        let mut socket = TcpStream::connect(&daemon.site).unwrap();
        socket.write_all(first).unwrap();
        socket.set_nonblocking(true).unwrap();
        socket
    };
    const HTTP2: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
    let mut dripping: Vec<_> = (0..300).map(|_| connect(b"GET / HTTP/1.1\r\nHost: a\r\nX-Slow: ")).collect();
    let mut silent: Vec<_> = (0..100).map(|_| connect(b"")).collect();
    let mut http2: Vec<_> = (0..100).map(|_| connect(HTTP2)).collect();
    let started = Instant::now();
    let mut slowest = Duration::ZERO;
    while started.elapsed() < Duration::from_secs(16) {
        for socket in &mut dripping {
            // A write to a closed connection fails.
            let _ = socket.write(b"x");
        }
        let asked = Instant::now();
        assert_eq!(daemon.get("/all.atom").status, 200);
        slowest = slowest.max(asked.elapsed());
        std::thread::sleep(Duration::from_secs(1));
    }
    assert_eq!(closed(&mut dripping), 300, "connections that send one byte of a header per second");
    assert_eq!(closed(&mut silent), 100, "connections that send nothing");
    assert_eq!(closed(&mut http2), 100, "HTTP/2 connections that send no request");
    assert!(slowest < Duration::from_millis(500), "another reader waited {slowest:?}");
}

#[test]
fn overlong_addresses_and_headers_are_refused() {
    let (_desk, daemon) = site();
    let long = format!("/all.atom?{}", "x".repeat(8 * 1024));
    assert_eq!(daemon.get(&long).status, 414);
    let fitting = format!("/all.atom?{}", "x".repeat(8 * 1024 - 11));
    assert_eq!(daemon.get(&fitting).status, 200);
    let mut stream = TcpStream::connect(&daemon.site).unwrap();
    let header = "y".repeat(40 * 1024);
    // The server may hang up before it has read everything.
    let _ = write!(stream, "GET / HTTP/1.1\r\nHost: a\r\nX-Long: {header}\r\n\r\n");
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    assert!(!answer.starts_with(b"HTTP/1.1 200"), "{}", text(&answer));
}

#[test]
fn body_of_a_request_is_not_read() {
    let (_desk, daemon) = site();
    let mut stream = TcpStream::connect(&daemon.site).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    write!(stream, "POST /all.atom HTTP/1.1\r\nHost: a\r\nContent-Length: 1073741824\r\n\r\n").unwrap();
    let mut start = [0; 12];
    stream.read_exact(&mut start).unwrap();
    assert_eq!(&start, b"HTTP/1.1 405");
}

#[test]
fn site_under_a_base_path_is_found_whether_the_proxy_strips_it_or_not() {
    let workspace = Workspace::whole(&format!(
        "[site]\nurl = \"https://news.example.org/wire\"\n[server]\nlisten = \"127.0.0.1:0\"\nadmin = \"127.0.0.1:0\"\n{FEED}{ALL}"
    ));
    workspace.write("a.xml", &feed("War"));
    let daemon = Daemon::start(&workspace);
    daemon.get_until("/all.json", "War");
    for path in ["all.atom", "all/", "", "search?q=war", "story/war-2/", "style.css"] {
        let (stripped, whole) = (daemon.get(&format!("/{path}")), daemon.get(&format!("/wire/{path}")));
        assert_eq!((stripped.status, &stripped.body), (200, &whole.body), "{path}");
    }
    assert_eq!(daemon.get("/wire").body, daemon.get("/").body);
    assert_eq!(daemon.get("/wire/all").header("location"), Some("/wire/all/"));
    let page = text(&daemon.get("/wire/all/").body);
    assert!(page.contains("href=\"/wire/style.css\""), "{page}");
    let atom = text(&daemon.get("/all.atom").body);
    assert!(atom.contains("href=\"https://news.example.org/wire/all.atom\""), "{atom}");
}

#[test]
fn unix_socket_is_served_replaced_if_stale_and_removed_at_shutdown() {
    let config = format!(
        "[site]\nurl = \"https://news.example.org/\"\n[server]\nlisten = \"unix:site.sock\"\nadmin = \"unix:admin.sock\"\n{FEED}{ALL}"
    );
    let workspace = Workspace::whole(&config);
    workspace.write("a.xml", &feed("War"));
    let path = workspace.folder.path().join("site.sock");
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    assert!(path.exists(), "a stale socket");
    let mut daemon = Daemon::start(&workspace);
    let get = |path: &std::path::Path, target: &str| {
        let mut stream = UnixStream::connect(path).unwrap();
        write!(stream, "GET {target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    let until = Instant::now() + PATIENCE;
    while !get(&path, "/all.json").contains("War") {
        assert!(Instant::now() < until);
    }
    assert!(get(&workspace.folder.path().join("admin.sock"), "/readyz").starts_with("HTTP/1.1 200"));
    let second = output(&workspace.config(), &["run"]);
    assert_eq!(second.status.code(), Some(1));
    assert!(path.exists(), "a second daemon does not remove the socket of the running one");
    assert_eq!(daemon.end(), Some(0));
    assert!(!path.exists());
}

#[test]
fn index_links_to_every_edition() {
    let (_desk, daemon) = site();
    let page = text(&daemon.get("/").body);
    let links: Vec<_> = page.split("<link ").skip(1).map(|link| link.split('>').next().unwrap()).collect();
    let attribute = |link: &str, name: &str| -> Option<String> {
        Some(link.split(&format!("{name}=\"")).nth(1)?.split('"').next()?.to_owned())
    };
    let found: Vec<_> = links.iter().filter(|link| attribute(link, "rel").as_deref() == Some("alternate")).collect();
    assert_eq!(found.len(), 3);
    for link in found {
        let (href, media_type) = (attribute(link, "href").unwrap(), attribute(link, "type").unwrap());
        assert!(attribute(link, "title").is_some_and(|title| title.contains("All")), "{link}");
        let path = href.strip_prefix(&format!("http://{}", daemon.site)).expect("addresses are absolute");
        let answer = daemon.get(path);
        assert_eq!(answer.status, 200, "{path}");
        assert!(answer.header("content-type").unwrap().starts_with(&media_type), "{path}");
    }
}

#[test]
fn sitemap_names_the_pages_of_public_sections_and_no_others() {
    let private = "[[section]]\nid = \"inner\"\nfeeds = [\"b\"]\ntoken = \"canary\"\n[[feed]]\nid = \"b\"\nurl = \"file:b.xml\"\n";
    let workspace = Workspace::new(&format!("{FEED}{}{private}", ALL.replace("\"*\"", "\"a\"")));
    workspace.write("a.xml", &feed("War"));
    workspace.write("b.xml", &feed("Secret").replace("a.example", "b.example"));
    let daemon = Daemon::start(&workspace);
    daemon.get_until("/inner.json?token=canary", "Secret");
    daemon.get_until("/all.json", "War");
    let sitemap = text(&daemon.get("/sitemap.xml").body);
    for page in ["/</loc>", "/all/</loc>", "/about/</loc>", "/feeds/</loc>"] {
        assert!(sitemap.contains(page), "{page}: {sitemap}");
    }
    assert!(!sitemap.contains("inner") && !sitemap.contains("secret"), "{sitemap}");
    let robots = text(&daemon.get("/robots.txt").body);
    assert!(robots.ends_with(&format!("Sitemap: http://{}/sitemap.xml\n", daemon.site)), "{robots}");
}

#[test]
fn pages_allow_no_scripts_and_put_no_foreign_text_into_headers() {
    let workspace = Workspace::new(&format!("{FEED}{ALL}"));
    workspace.write("a.xml", &feed("War &#13;&#10;Set-Cookie: a=b &lt;script&gt;alert(1)&lt;/script&gt; ../../etc"));
    let daemon = Daemon::start(&workspace);
    let json: Value = serde_json::from_slice(&daemon.get_until("/all.json", "Set-Cookie").body).unwrap();
    let page = json["items"].as_array().unwrap().iter().find_map(|item| {
        let page = item["_newswire"]["page"].as_str()?;
        page.contains("war").then(|| page.strip_prefix(&format!("http://{}", daemon.site)).unwrap().to_owned())
    });
    let page = page.unwrap();
    assert!(page.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-/".contains(&byte)), "{page}");
    for path in ["/", "/all/", &page, "/feeds/", "/about/", "/search?q=%3Cscript%3E%0d%0aSet-Cookie:x", "/nothing"] {
        let answer = daemon.get(path);
        let policy = answer.header("content-security-policy").unwrap();
        for part in ["default-src 'none'", "style-src 'self'", "base-uri 'none'", "frame-ancestors 'none'"] {
            assert!(policy.contains(part), "{path}: {policy}");
        }
        assert!(!policy.contains("unsafe") && !policy.contains("script-src"), "{policy}");
        assert_eq!(answer.header("referrer-policy"), Some("no-referrer"), "{path}");
        assert_eq!(answer.header("set-cookie"), None, "{path}");
        let body = text(&answer.body);
        assert!(!body.contains("<script"), "{path}: {body}");
        for link in body.split("<a ").skip(1).map(|link| link.split('>').next().unwrap()) {
            let leaves = link.contains("href=\"http") && !link.contains(&format!("href=\"http://{}", daemon.site));
            assert!(!leaves || link.contains("noopener"), "{path}: {link}");
        }
    }
    for path in [
        "/%2e%2e/etc/passwd",
        "/..%5c..",
        "/../../etc/passwd",
        "/all/../all.atom",
        "/all.atom%00",
        "/proxy?url=http://a/",
    ] {
        assert_eq!(daemon.get(path).status, 404, "{path}");
    }
}

#[test]
fn script_of_another_site_may_request_public_feeds_conditionally() {
    let workspace =
        Workspace::new(&format!("{FEED}{ALL}[[section]]\nid = \"inner\"\nfeeds = [\"*\"]\ntoken = \"canary\"\n"));
    workspace.write("a.xml", &feed("War"));
    let daemon = Daemon::start(&workspace);
    daemon.get_until("/all.json", "War");
    for path in ["/all.atom", "/all.rss", "/all.json", "/all.opml", "/feeds.opml", "/all/archive/1.atom"] {
        let answer = request(&daemon.site, "OPTIONS", path, &[("Origin", "https://reader.example")]);
        let header = |name| answer.header(name).unwrap_or_default();
        assert_eq!((answer.status, header("access-control-allow-origin")), (204, "*"), "{path}");
        assert_eq!(header("access-control-allow-headers"), "If-None-Match, If-Modified-Since", "{path}");
        assert_eq!(header("access-control-allow-methods"), "GET, HEAD", "{path}");
        assert!(answer.body.is_empty(), "{path}");
    }
    assert_eq!(daemon.get("/all.atom").header("access-control-expose-headers"), Some("ETag"));
    for path in ["/", "/all/", "/search", "/nothing", "/inner.atom", "/inner/archive/1.atom", "/nothing/archive/1.atom"]
    {
        let answer = request(&daemon.site, "OPTIONS", path, &[]);
        assert_eq!((answer.status, answer.header("allow")), (405, Some("GET, HEAD")), "{path}");
        assert_eq!(answer.header("access-control-allow-origin"), None, "{path}");
    }
}
