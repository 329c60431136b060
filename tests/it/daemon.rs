//! The program as users run it: real processes and sockets, with the example config or with feeds from scripted
//! servers.

use crate::support;

use std::time::{Duration, Instant};

use serde_json::Value;
use support::daemon::*;
use support::origin::{Origin, Reply, Request};

#[test]
fn example_is_published_in_every_format_with_validators() {
    let workspace = Workspace::example();
    let mut daemon = Daemon::start(&workspace);
    daemon.get_until("/international.json", "US War on ISIS");
    daemon.get_until("/prose.json", "US War on ISIS");
    daemon.get_until("/all.json", "low-water");
    for section in ["international", "prose", "all"] {
        for (ending, media_type) in [
            (".atom", "application/atom+xml; charset=utf-8"),
            (".rss", "application/rss+xml; charset=utf-8"),
            (".json", "application/feed+json"),
            (".opml", "text/x-opml; charset=utf-8"),
            ("/", "text/html; charset=utf-8"),
        ] {
            let path = format!("/{section}{ending}");
            let answer = daemon.get(&path);
            assert_eq!((answer.status, answer.header("content-type")), (200, Some(media_type)), "{path}");
            let (etag, modified) = (answer.header("etag").unwrap(), answer.header("last-modified").unwrap());
            for condition in [("If-None-Match", etag), ("If-Modified-Since", modified)] {
                let again = request(&daemon.site, "GET", &path, &[condition]);
                assert_eq!((again.status, again.body.len()), (304, 0), "{path} {condition:?}");
                assert_eq!(again.header("etag"), Some(etag));
            }
            let head = request(&daemon.site, "HEAD", &path, &[]);
            assert_eq!((head.status, head.header("content-length")), (200, answer.header("content-length")), "{path}");
            assert!(head.body.is_empty());
            let coded = request(&daemon.site, "GET", &path, &[("Accept-Encoding", "gzip")]);
            assert_eq!(coded.header("content-encoding"), Some("gzip"), "{path}");
            assert_ne!(coded.header("etag"), Some(etag), "each coding has a tag of its own");
        }
    }
    let feed: Value = serde_json::from_slice(&daemon.get("/all.json").body).unwrap();
    assert_eq!(
        feed["feed_url"],
        format!("http://{}/all.json", daemon.site),
        "links name the port that the system chose"
    );
    let index = text(&daemon.get("/").body);
    for section in ["international", "prose", "all"] {
        assert!(index.contains(&format!("/{section}.atom")), "the index links to {section}");
    }
    assert_eq!(daemon.get("/nothing-here").status, 404);
    assert_eq!(request(&daemon.site, "POST", "/all.atom", &[]).status, 405);
    assert_eq!(daemon.end(), Some(0));
}

#[test]
fn story_of_two_sites_is_published_once_with_full_attribution() {
    let workspace = Workspace::example();
    assert!(output(&workspace.config(), &["poll"]).status.success());
    let explained = json(
        &workspace.config(),
        &["explain", "http://www.theantimedia.org/war-on-isis-biggest-lie-since-2003", "--json"],
    );
    let copies = explained["story"]["copies"].as_array().unwrap();
    assert_eq!(copies.len(), 2);
    let lead: Vec<_> =
        copies.iter().filter(|copy| copy["lead"] == true).map(|copy| copy["feed"].as_str().unwrap()).collect();
    assert_eq!(lead, ["anti-media"], "the copy at the original's host is the lead");
    let codes = |key: &str| copies.iter().find(|copy| copy["lead"] == true).unwrap()[key].clone();
    assert_eq!(codes("why_code"), "original_host");
    let standing = |section: &str| {
        let part =
            explained["sections"].as_array().unwrap().iter().find(|part| part["section"] == section).unwrap().clone();
        (part["in"].as_bool().unwrap(), part["why"].as_str().unwrap().to_owned(), part["rule"].clone())
    };
    let (is_in, why, rule) = standing("international");
    assert_eq!(explained["sections"][0]["why_code"], "rule");
    assert!(is_in && rule == "keep[0]" && why.contains("region:international") && why.contains("jungle-drum"), "{why}");
    assert!(standing("prose").0);

    let site = workspace.folder.path().join("site");
    assert!(output(&workspace.config(), &["publish", "--out", site.to_str().unwrap()]).status.success());
    let feed: Value = serde_json::from_slice(&std::fs::read(site.join("international.json")).unwrap()).unwrap();
    let items = feed["items"].as_array().unwrap();
    let printed: Vec<_> =
        items.iter().filter(|item| item["title"].as_str().unwrap().contains("US War on ISIS")).collect();
    assert_eq!(printed.len(), 1);
    let item = printed[0];
    assert_eq!(item["url"], "http://theantimedia.org/war-on-isis-biggest-lie-since-2003/");
    assert_eq!(item["authors"][0]["name"], "Darius Shahtahmasebi, Anti-Media");
    assert_eq!(item["_newswire"]["authors"][0]["name"], "Darius Shahtahmasebi");
    assert_eq!(item["_newswire"]["via"][0]["name"], "gail");
    assert_eq!(item["_newswire"]["source"]["title"], "Anti-Media");
    assert_eq!(item["_newswire"]["rights"], "Copyright applies.");
    let copies = item["_newswire"]["copies"].as_array().unwrap();
    assert!(copies.iter().any(|copy| copy["url"] == "http://jungledrum.lingama.net/news/story-3061.html"));
    let categories = item["_newswire"]["categories"].as_array().unwrap();
    for (facet, term) in [("region", "international"), ("topic", "prose"), ("type", "post")] {
        let is_there =
            |c: &Value| c["term"] == term && c["scheme"].as_str().is_some_and(|scheme| scheme.ends_with(facet));
        assert!(categories.iter().any(is_there), "{facet}: {categories:?}");
    }
    let page = std::fs::read_to_string(site.join("international/index.html")).unwrap();
    assert!(page.contains("by Darius Shahtahmasebi via gail - Anti-Media"), "the byline reads as configured");
}

#[test]
fn document_is_requested_unconditionally_only_once() {
    let origin = Origin::start(|request| {
        if request.header("if-none-match").as_deref() == Some(b"\"v1\"") {
            Reply::new(304, &[("ETag", "\"v1\"")], "")
        } else {
            Reply::new(200, &[("ETag", "\"v1\""), ("Content-Type", "application/rss+xml")], headlines(&[("1", "One")]))
        }
    });
    let workspace = Workspace::new(&one_feed(&origin));
    let mut daemon = Daemon::start(&workspace);
    daemon.get_until("/all.json", "One");
    assert_eq!(daemon.end(), Some(0));
    let mut daemon = Daemon::start(&workspace);
    daemon.get_until("/all.json", "One");
    assert_eq!(daemon.end(), Some(0));
    assert_eq!(origin.requests().len(), 1, "no feed is polled again after a restart");
    let report = text(&output(&workspace.config(), &["poll", "--force", "--json"]).stdout);
    let line: Value = serde_json::from_str(report.lines().next().unwrap()).unwrap();
    assert_eq!((line["outcome"].as_str(), line["status"].as_u64()), (Some("not_modified"), Some(304)));
    let unconditional = origin.requests().iter().filter(|request| !request.is_conditional()).count();
    assert_eq!(unconditional, 1);
    let held = text(&output(&workspace.config(), &["poll", "--all"]).stdout);
    assert!(held.contains("it was polled recently: a; it may be polled in 10"), "{held}");
    assert_eq!(origin.requests().len(), 2);
}

#[test]
fn good_edit_is_applied_completely_and_a_bad_one_changes_nothing() {
    let origin = Origin::start(|_| Reply::new(200, &[], headlines(&[("1", "Ferries"), ("2", "Nets")])));
    let workspace = Workspace::new(&one_feed(&origin));
    let mut daemon = Daemon::start(&workspace);
    daemon.get_until("/all.json", "Nets");
    let etag = daemon.get("/all.atom").header("etag").unwrap().to_owned();

    workspace.edit(&format!("{}\nlimt = 5", one_feed(&origin)));
    daemon.wait_for("config not reloaded (1 error below); still using the previous one");
    daemon.wait_for("limt");
    assert_eq!(request(&daemon.admin, "GET", "/readyz", &[]).status, 200, "the daemon stays ready after a bad edit");
    let status: Value = serde_json::from_slice(&request(&daemon.admin, "GET", "/status.json", &[]).body).unwrap();
    assert_eq!(status["config"]["state"], "refused");
    assert_eq!(daemon.get("/all.atom").header("etag"), Some(etag.as_str()));

    workspace.edit(&format!(
        "{}\nkeep = [{{ title = \"ferries\" }}]\n[[section]]\nid = \"new\"\ntitle = \"New\"\nfeeds = [\"a\"]",
        one_feed(&origin)
    ));
    daemon.wait_for("section redefined: 0 stories in, 1 out");
    daemon.get_until("/new.json", "Nets");
    let all = text(&daemon.get("/all.json").body);
    assert!(all.contains("Ferries") && !all.contains("Nets"), "{all}");

    workspace.edit(&one_feed(&origin).replace("id = \"all\"", "id = \"every\"\nformerly = [\"all\"]"));
    daemon.get_until("/every.json", "Nets");
    let moved = daemon.get("/all.atom");
    assert_eq!((moved.status, moved.header("location")), (308, Some("/every.atom")));
    assert_eq!(daemon.get("/new.atom").status, 410);
    assert_eq!(origin.requests().len(), 1, "an edit causes no poll");
    assert_eq!(daemon.end(), Some(0));
}

#[test]
fn unreadable_feed_does_not_affect_other_feeds() {
    let origin = Origin::start(|request| match request.target().as_str() {
        "/good" => Reply::new(200, &[], headlines(&[("1", "Good")])),
        "/empty" => Reply::new(200, &[], ""),
        "/html" => {
            Reply::new(200, &[("Content-Type", "text/html")], "<!doctype html><title>Log in</title><p>Please log in.")
        }
        "/broken" => Reply::new(200, &[], "<<<>>> \u{0} nothing"),
        "/huge" => Reply::new(200, &[], vec![b' '; 2 * 1024 * 1024]),
        "/slow" => Reply::silence(),
        _ => Reply::new(404, &[], "gone fishing"),
    });
    let names = ["good", "empty", "html", "broken", "huge", "slow", "missing"];
    let feeds: String = names
        .iter()
        .map(|name| format!("[[feed]]\nid = \"{name}\"\nurl = \"{}\"\n", origin.url(&format!("/{name}"))))
        .collect();
    let poll = format!("[poll]\nallow = [\"{}\"]\nmax_size = \"1 MiB\"\ntimeout = \"1 second\"\n", origin.address);
    let section = "[[section]]\nid = \"all\"\ntitle = \"All\"\nfeeds = [\"*\"]";
    let workspace = Workspace::new(&format!("{poll}{feeds}{section}"));
    let polled = output(&workspace.config(), &["poll", "--json"]);
    assert!(polled.status.success(), "one readable feed is enough");
    let feeds = json(&workspace.config(), &["feeds", "--json"]);
    for feed in feeds.as_array().unwrap() {
        let (id, state) = (feed["id"].as_str().unwrap(), feed["state"].as_str().unwrap());
        if id == "good" {
            assert_eq!((state, feed["entries"].as_u64()), ("ok", Some(1)));
        } else {
            assert_eq!((state, feed["failures"].as_u64()), ("failing", Some(1)), "{id}");
            assert!(feed["last_error"].as_str().is_some_and(|error| !error.is_empty()), "{id}");
            // The error code is the error kind with underscores for spaces.
            let kind = feed["error_kind"].as_str().unwrap().replace(' ', "_");
            assert_eq!(feed["error_code"].as_str(), Some(kind.as_str()), "{id}");
            assert!(feed["next_poll"].as_str() > feed["last_poll"].as_str(), "{id} backs off");
        }
    }
    let mut daemon = Daemon::start(&workspace);
    daemon.get_until("/all.json", "Good");
    assert_eq!(daemon.end(), Some(0));
}

#[test]
fn shutdown_does_not_wait_for_servers_that_never_answer() {
    let origin = Origin::start_on(([0, 0, 0, 0], 0).into(), |_| Reply::silence());
    let port = origin.address.port();
    let feeds: String =
        (1..=50).map(|host| format!("[[feed]]\nid = \"f{host}\"\nurl = \"http://127.0.0.{host}:{port}/\"\n")).collect();
    let section = "[[section]]\nid = \"all\"\ntitle = \"All\"\nfeeds = [\"*\"]";
    let workspace = Workspace::new(&format!("[poll]\nallow = [\"127.0.0.0/8\"]\n{feeds}{section}"));
    let start = || {
        let (daemon, before) = (Daemon::start(&workspace), origin.requests().len());
        while origin.requests().len() < before + 50 {
            std::thread::yield_now();
        }
        daemon
    };
    let mut daemon = start();
    let printed = Instant::now();
    assert_eq!(daemon.end(), Some(0));
    assert!(printed.elapsed() < Duration::from_secs(15), "{:?}", printed.elapsed());
    assert!(daemon.seen.iter().any(|line| line.contains("running polls were cancelled")), "{:?}", daemon.seen);
    let feeds = json(&workspace.config(), &["feeds", "--json"]);
    for feed in feeds.as_array().unwrap() {
        assert_eq!((feed["state"].as_str(), feed["failures"].as_u64()), (Some("new"), Some(0)), "it never happened");
    }
    let mut daemon = start();
    daemon.signal("TERM");
    daemon.wait_for("stopping");
    daemon.signal("TERM");
    assert_eq!(daemon.process.wait().unwrap().code(), Some(130), "a second signal stops it at once");
}

/// Returns how many threads, open files and watched folders the daemon has.
fn footprint(daemon: &Daemon) -> [usize; 3] {
    let process = std::path::PathBuf::from(format!("/proc/{}", daemon.process.id()));
    let count = |folder| std::fs::read_dir(process.join(folder)).unwrap().count();
    let infos = std::fs::read_dir(process.join("fdinfo")).unwrap();
    let infos = infos.filter_map(|info| std::fs::read_to_string(info.unwrap().path()).ok());
    let watches = infos.map(|info| info.lines().filter(|line| line.starts_with("inotify")).count()).sum();
    [count("task"), count("fd"), watches]
}

#[test]
fn twenty_reloads_repeat_no_poll_and_leak_no_threads_files_or_watches() {
    let origin = Origin::start(|request| {
        let status = if request.is_conditional() { 304 } else { 200 };
        Reply::new(status, &[("ETag", "\"1\"")], headlines(&[("1", "One")]))
    });
    let feed = |number: usize, rest: &str| {
        let (url, allow) = (origin.url(&format!("/{number}")), origin.address);
        format!("[[feed]]\nid = \"f{number}\"\nurl = \"{url}\"\nallow = [\"{allow}\"]\n{rest}\n")
    };
    let config = |rest: [&str; 3], more: &str| {
        let feeds: String = (0..8).map(|number| feed(number, rest.get(number).unwrap_or(&""))).collect();
        format!("{feeds}[[section]]\nid = \"all\"\ntitle = \"All\"\nfeeds = [\"*\"]\n{more}")
    };
    let whole = config([""; 3], "");
    let workspace = Workspace::new(&whole);
    let mut daemon = Daemon::start(&workspace);
    let status = |daemon: &Daemon| text(&request(&daemon.admin, "GET", "/status.json", &[]).body);
    let until = Instant::now() + PATIENCE;
    while status(&daemon).contains("\"state\":\"new\"") {
        assert!(Instant::now() < until, "{}", status(&daemon));
    }
    let before = footprint(&daemon);
    for _ in 0..5 {
        workspace.edit(&config(["enabled = false", "priority = 3", ""], "limit = 10"));
        daemon.wait_for("config reloaded");
        workspace.edit(&whole.replace(&feed(5, ""), ""));
        daemon.wait_for("feed removed");
        workspace.edit(&format!("{whole}limt = 3"));
        daemon.wait_for("newswire.toml:");
        workspace.edit(&whole);
        daemon.signal("HUP");
        daemon.wait_for("feed added");
    }
    let after = footprint(&daemon);
    assert_eq!(after[2], before[2], "as many folders are watched as before");
    assert!(after[0] < before[0] + 10 && after[1] < before[1] + 10, "{before:?} became {after:?}");
    assert!(!status(&daemon).contains("\"state\":\"new\""), "the daemon still knows the feeds that came back");
    let metrics = text(&request(&daemon.admin, "GET", "/metrics", &[]).body);
    assert!(metrics.contains("newswire_lateness_seconds 0"), "no poll is late: {metrics}");
    assert_eq!(daemon.end(), Some(0));
    assert_eq!(origin.requests().len(), 8, "no feed was polled again");
    assert!(output(&workspace.config(), &["poll", "--force"]).status.success());
    assert!(
        origin.requests()[8..].iter().all(Request::is_conditional),
        "feeds that came back are polled conditionally too"
    );
}

#[test]
fn second_daemon_on_the_same_store_says_which_process_uses_it() {
    let workspace = Workspace::example();
    let mut daemon = Daemon::start(&workspace);
    let second = output(&workspace.config(), &["run"]);
    assert_eq!(second.status.code(), Some(1));
    let printed = text(&second.stderr);
    assert!(printed.contains("newswire run") && printed.contains(&daemon.process.id().to_string()), "{printed}");
    let feeds = json(&workspace.config(), &["feeds", "--json"]);
    assert_eq!(feeds.as_array().unwrap().len(), 6, "read-only commands work next to it");
    assert_eq!(daemon.end(), Some(0));
}

#[test]
fn invalid_config_is_reported_completely_with_exit_78() {
    let workspace = Workspace::new(
        "[[feed]]\nurll = \"https://a.example/\"\n[[section]]\nid = \"Not good\"\ntitle = \"x\"\nlimit = 0",
    );
    for command in ["check", "run", "poll"] {
        let output = output(&workspace.config(), &[command]);
        assert_eq!(output.status.code(), Some(78), "{command}");
        let printed = text(&output.stderr);
        for part in ["newswire.toml:7", "urll", "url", "Not good", "limit"] {
            assert!(printed.contains(part), "{command} does not say {part:?}: {printed}");
        }
        assert!(!workspace.folder.path().join("newswire.db").exists(), "nothing was started");
    }
    let problems = json(&workspace.config(), &["check", "--json"]);
    assert!(problems.as_array().unwrap().len() >= 3, "{problems}");
    assert_eq!(problems[0]["level"], "error");
}

#[test]
fn private_section_needs_its_token_and_is_not_mentioned_on_public_pages() {
    let origin = Origin::start(|_| Reply::new(200, &[], headlines(&[("1", "Confidential")])));
    let open = "[[section]]\nid = \"open\"\ntitle = \"Open\"\nfeeds = [\"*\"]\nkeep = [{ title = \"nothing\" }]";
    let config = one_feed(&origin).replace("id = \"all\"", "id = \"inner\"\ntoken = { env = \"INNER_TOKEN\" }");
    let workspace = Workspace::new(&format!("{config}\n{open}"));
    // The token comes from the environment, which the daemon inherits.
    let token = "canary-7d1f";
    let mut daemon = Daemon::start_with(newswire(&workspace.config(), &["run"]).env("INNER_TOKEN", token));
    daemon.get_until(&format!("/inner.json?token={token}"), "Confidential");
    for path in ["/inner.json", "/inner/", "/inner.atom?token=wrong", "/inner.opml"] {
        let answer = daemon.get(path);
        assert_eq!(answer.status, 401, "{path}");
        assert!(!text(&answer.body).contains("Confidential"));
    }
    let answer = request(&daemon.site, "GET", "/inner.atom", &[("Authorization", &format!("Bearer {token}"))]);
    assert_eq!(answer.status, 200);
    assert!(answer.header("cache-control").unwrap().starts_with("private"));
    let opened = daemon.get(&format!("/inner/?token={token}"));
    let cookie = opened.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
    for path in ["/inner.json", "/inner.atom", "/inner.rss", "/inner/"] {
        let key = if path.ends_with('/') { String::new() } else { format!("?token={token}") };
        let answer = request(&daemon.site, "GET", &format!("{path}{key}"), &[("Cookie", &cookie)]);
        let body = text(&answer.body);
        assert!(
            body.contains("Confidential") && !body.contains("/story/"),
            "{path} links to no page of a story: {body}"
        );
    }
    assert_eq!(daemon.get("/story/confidential-1/").status, 404, "a story in no public section has no page");
    for path in
        ["/", "/feeds.opml", "/feeds/", "/about/", "/sitemap.xml", "/search?q=confidential", "/story/confidential-1/"]
    {
        let body = text(&daemon.get(path).body);
        assert!(!body.contains("inner") && !body.contains("Confidential") && !body.contains(token), "{path}: {body}");
    }
    assert_eq!(daemon.end(), Some(0));
}

#[test]
fn publish_writes_only_changed_files_and_keeps_the_users_own_files() {
    let workspace = Workspace::example();
    // Without a configured address, documents contain the address of the server that is running.
    let config = workspace.read("newswire.toml").replace("[site]\n", "[site]\nurl = \"https://news.example.org/\"\n");
    workspace.write("newswire.toml", &config);
    output(&workspace.config(), &["poll"]);
    let site = workspace.folder.path().join("site");
    let publish = || text(&output(&workspace.config(), &["publish", "--out", site.to_str().unwrap()]).stdout);
    assert!(publish().contains(" 0 unchanged"));
    assert!(publish().contains(": 0 files written"), "no file is written again, because nothing changed");
    std::fs::write(site.join("mine.txt"), "somebody's own file").unwrap();
    workspace.write("newswire.toml", &config.replace("title = \"Jungle Drum\"", "title = \"Another title\""));
    let printed = publish();
    assert!(!printed.contains(": 0 files written") && !printed.contains(" 0 unchanged"), "{printed}");
    assert_eq!(std::fs::read_to_string(site.join("mine.txt")).unwrap(), "somebody's own file");

    let mut daemon = Daemon::start(&workspace);
    for path in ["all.atom", "all.rss", "all.json", "all.opml", "feeds.opml", "style.css"] {
        let served = daemon.get(&format!("/{path}"));
        assert_eq!(served.status, 200, "{path}");
        let written = std::fs::read(site.join(path)).unwrap();
        assert!(served.body == written, "{path}: served {}\nwritten {}", text(&served.body), text(&written));
    }
    assert_eq!(daemon.end(), Some(0));
}

/// Puts a marker text wherever a feed can have a secret, and searches all output for it, including the log at the most
/// verbose level.
#[test]
fn secrets_of_feeds_appear_in_no_output() {
    let canary = "canary-c0ffee";
    let seen = std::sync::Arc::new(std::sync::Mutex::new(false));
    let saw = seen.clone();
    let origin = Origin::start(move |request| {
        *saw.lock().unwrap() |= request.header("x-key").as_deref() == Some(b"canary-c0ffee-header");
        match request.target().split('?').next().unwrap() {
            "/ok" => Reply::new(200, &[], headlines(&[("1", "One")])),
            "/moved" => Reply::redirect(301, "/ok?token=canary-c0ffee-redirect"),
            _ => Reply::new(500, &[], ""),
        }
    });
    let address = origin.address;
    let feed = |id: &str, url: &str, rest: &str| format!("[[feed]]\nid = \"{id}\"\nurl = \"{url}\"\n{rest}\n");
    let config = [
        format!("[poll]\nallow = [\"{address}\"]\n"),
        feed(
            "a",
            &format!("http://{address}/ok?api_key={canary}-query"),
            &format!("headers = {{ X-Key = \"{canary}-header\" }}"),
        ),
        feed("b", &format!("http://user:{canary}-userinfo@{address}/fail"), ""),
        feed(
            "c",
            &format!("http://{address}/moved"),
            &format!("basic_auth = {{ user = \"u\", password = \"{canary}-basic\" }}"),
        ),
        "[[section]]\nid = \"all\"\ntitle = \"All\"\nfeeds = [\"*\"]".to_owned(),
    ];
    let workspace = Workspace::new(&config.concat());
    let mut daemon = Daemon::start_with(newswire(&workspace.config(), &["run"]).env("RUST_LOG", "trace"));
    daemon.get_until("/all.json", "One");
    let until = Instant::now() + PATIENCE;
    let status = loop {
        let status = text(&request(&daemon.admin, "GET", "/status.json", &[]).body);
        if !status.contains("\"new\"") {
            break status;
        }
        assert!(Instant::now() < until, "{status}");
    };
    assert_eq!(daemon.end(), Some(0));
    let log = daemon.seen.join("\n");
    assert!(log.contains("TRACE") || log.contains("DEBUG"), "the log is as verbose as possible");
    let mut shown = vec![("log", log), ("status", status)];
    for path in ["/all.atom", "/all.rss", "/all.json", "/all.opml", "/feeds.opml", "/feeds/", "/all/", "/"] {
        let site = workspace.folder.path().join("site");
        output(&workspace.config(), &["publish", "--out", site.to_str().unwrap()]);
        let file = if path.ends_with('/') { format!("{path}index.html") } else { path.to_owned() };
        shown.push((path, std::fs::read_to_string(site.join(&file[1..])).unwrap()));
    }
    for arguments in [
        &["feeds"] as &[&str],
        &["feeds", "--json"],
        &["sections", "--json"],
        &["check"],
        &["explain", "One", "--json"],
    ] {
        let output = output(&workspace.config(), arguments);
        shown.push(("command", text(&output.stdout) + &text(&output.stderr)));
    }
    for name in ["newswire.db", "newswire.db-wal"] {
        let database = std::fs::read(workspace.folder.path().join(name)).unwrap_or_default();
        shown.push((name, text(&database)));
    }
    assert!(*seen.lock().unwrap(), "the secrets were really used");
    for (place, text) in shown {
        assert!(
            !text.contains(canary),
            "{place} shows a secret: {}",
            text.lines().find(|line| line.contains(canary)).unwrap()
        );
    }
}

#[test]
fn page_that_is_not_a_feed_cannot_forge_or_flood_the_log() {
    let link = |number: usize| {
        let filling = "x".repeat(20_000);
        format!(
            "<link rel=alternate type='application/rss+xml' href='http://[{number}\nERROR forged\r\u{2028}\u{1b}[2J{filling}'>"
        )
    };
    let page = format!("<!doctype html>{}", (0..500).map(link).collect::<String>());
    let origin = Origin::start(move |_| Reply::new(200, &[("Content-Type", "text/html")], &page));
    let workspace = Workspace::new(&one_feed(&origin).replace("[[section]]", "max_size = \"20 MiB\"\n[[section]]"));
    let mut daemon = Daemon::start(&workspace);
    let line = daemon.wait_for("poll failed");
    assert!(line.contains("the page offers http://[0\\nERROR forged\\r\\u{2028}[2Jxxx"), "{line}");
    assert!(line.contains("… and 497 more"), "{line}");
    assert!(line.chars().count() < 1500, "a line of {} characters", line.chars().count());
    let status = text(&request(&daemon.admin, "GET", "/status.json", &[]).body);
    assert!(status.contains("and 497 more") && status.len() < 10_000, "{} bytes", status.len());
    assert_eq!(daemon.end(), Some(0));
    assert!(!daemon.seen.iter().any(|line| line.starts_with("ERROR forged")), "{:?}", daemon.seen);
}
