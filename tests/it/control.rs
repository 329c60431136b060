//! Commands next to a running daemon: what they request is done and published, and who may not use the socket.

use crate::support;

use std::os::unix::fs::PermissionsExt;

use support::daemon::*;

/// Two sites with a story each, in files.
fn two_sites() -> Desk {
    let site = |name: &str| {
        format!(
            "[[feed]]\nid = \"{name}\"\nurl = \"file:{name}.xml\"\nsite = \"https://{name}.example/\"\nschedule = \"every 1 day\"\n"
        )
    };
    let desk = Desk::new(&format!(
        "{}{}[[section]]\nid = \"all\"\ntitle = \"All\"\nfeeds = [\"*\"]",
        site("one"),
        site("two")
    ));
    tell(&desk, "one", &[("1", "Harbour news")]);
    tell(&desk, "two", &[("2", "Quay news")]);
    desk
}

fn tell(desk: &Desk, site: &str, items: &[(&str, &str)]) {
    desk.write(&format!("{site}.xml"), &headlines(items).replace("a.example", &format!("{site}.example")));
}

fn told(daemon: &Daemon, words: &[&str]) -> bool {
    let edition = text(&daemon.get("/all.json").body);
    words.iter().all(|words| edition.contains(words))
}

#[test]
fn stories_are_joined_and_split_while_the_daemon_runs() {
    let desk = two_sites();
    let mut daemon = Daemon::start(&desk);
    daemon.get_until("/all.json", "Harbour news");
    daemon.get_until("/all.json", "Quay news");
    assert!(!told(&daemon, &["\"feed\":\"two\"", "\"feed\":\"one\",\"title\":\"Quay news\""]));

    let joined = output(&desk.config(), &["join", "https://one.example/1", "https://two.example/2"]);
    assert_eq!(joined.status.code(), Some(0), "{}", text(&joined.stderr));
    assert!(text(&joined.stdout).contains("merged into one story"), "{}", text(&joined.stdout));
    let explained = json(&desk.config(), &["explain", "https://two.example/2", "--json"]);
    assert_eq!(explained["story"]["copies"].as_array().unwrap().len(), 2);
    daemon.wait_for("join requested");

    let again = output(&desk.config(), &["join", "https://one.example/1", "https://two.example/2"]);
    assert_eq!(again.status.code(), Some(1));
    assert!(text(&again.stderr).contains("already the same story"), "{}", text(&again.stderr));

    let split = output(&desk.config(), &["split", "https://one.example/1", "two"]);
    assert_eq!(split.status.code(), Some(0), "{}", text(&split.stderr));
    assert!(text(&split.stdout).contains("Quay news is now a separate story"), "{}", text(&split.stdout));
    daemon.get_until("/all.json", "Quay news");
    let nobody = output(&desk.config(), &["split", "no such story", "two"]);
    assert!(text(&nobody.stderr).contains("no story has \"no such story\""), "{}", text(&nobody.stderr));
    assert_eq!(daemon.end(), Some(0));
}

#[test]
fn daemon_polls_feeds_when_a_command_requests_it() {
    let desk = two_sites();
    let mut daemon = Daemon::start(&desk);
    daemon.get_until("/all.json", "Harbour news");
    tell(&desk, "one", &[("3", "Ferry news"), ("1", "Harbour news")]);
    let polled = output(&desk.config(), &["poll", "--force", "one", "--json"]);
    assert_eq!(polled.status.code(), Some(0), "{}", text(&polled.stderr));
    let report: serde_json::Value = serde_json::from_str(text(&polled.stdout).lines().next().unwrap()).unwrap();
    assert_eq!((report["feed"].as_str(), report["new"].as_u64()), (Some("one"), Some(1)), "{report}");
    daemon.get_until("/all.json", "Ferry news");
    assert_eq!(daemon.end(), Some(0));
}

/// Returns twenty stories whose guids begin with the prefix.
fn rekeyed(prefix: &str) -> String {
    let items: Vec<(String, String)> = (0..20).map(|n| (n.to_string(), format!("Ferry {n} is late"))).collect();
    let items: Vec<(&str, &str)> = items.iter().map(|(guid, title)| (guid.as_str(), title.as_str())).collect();
    headlines(&items).replace("isPermaLink=\"false\">", &format!("isPermaLink=\"false\">{prefix}"))
}

#[test]
fn poll_reports_a_rekeyed_feed_with_and_without_the_daemon() {
    let desk = two_sites();
    let poll = |prefix| {
        desk.write("one.xml", &rekeyed(prefix));
        text(&output(&desk.config(), &["poll", "--force", "one"]).stdout)
    };
    poll("a");
    let note = "20 of 20 entries have new guids, matched to known ones";
    assert!(poll("b").contains(note));
    let mut daemon = Daemon::start(&desk);
    assert!(poll("c").contains(note));
    let shown = text(&output(&desk.config(), &["poll", "--force", "one"]).stdout);
    assert!(!shown.contains(note), "nothing happened since then: {shown}");
    assert_eq!(daemon.end(), Some(0));
}

#[test]
fn daemon_writes_the_site_when_a_command_requests_it() {
    let desk = two_sites();
    let mut daemon = Daemon::start(&desk);
    daemon.get_until("/all.json", "Harbour news");
    let folder = desk.path("public");
    let publish = || desk.run(&["publish", "--out", "public"]);
    let told = publish();
    assert!(told.code == 0 && told.out.starts_with("public: "), "{}{}", told.out, told.err);
    let edition = std::fs::read(folder.join("all.json")).unwrap();
    assert_eq!(text(&edition), text(&daemon.get("/all.json").body));
    assert!(publish().out.starts_with("public: 0 files written, "), "nothing changed");
    desk.write("taken", "a file");
    let failed = desk.run(&["publish", "--out", "taken"]);
    assert!(failed.code == 1 && failed.err.ends_with("/taken: not a folder\n"), "{}", failed.err);
    assert!(failed.err.starts_with("newswire: the daemon cannot write /"), "{}", failed.err);
    assert_eq!(daemon.end(), Some(0));
}

#[test]
fn site_written_right_after_a_poll_contains_everything_from_the_poll() {
    let desk = two_sites();
    let mut daemon = Daemon::start(&desk);
    daemon.get_until("/all.json", "Quay news");
    for number in 10..14 {
        let title = format!("Ferry {number} is late");
        tell(&desk, "one", &[(&number.to_string(), &title)]);
        assert_eq!(desk.run(&["poll", "--force", "one"]).code, 0);
        let told = desk.run(&["publish", "--out", "public"]);
        assert_eq!(told.code, 0, "{}", told.err);
        for file in ["all/index.html", "all.json", "all.atom", "index.html"] {
            assert!(desk.read(&format!("public/{file}")).contains(&title), "{file} lacks {title}");
        }
    }
    assert_eq!(daemon.end(), Some(0));
}

#[test]
fn pages_in_a_folder_do_not_link_to_the_search_which_needs_a_daemon() {
    let desk = two_sites();
    let config = desk.read("newswire.toml");
    desk.write("newswire.toml", &format!("{config}\n[publish]\ndirectory = \"site\"\n"));
    let mut daemon = Daemon::start(&desk);
    daemon.get_until("/all.json", "Quay news");
    assert!(text(&daemon.get("/all/").body).contains("href=\"/search\""), "the served page does");
    assert_eq!(desk.run(&["publish", "--out", "public"]).code, 0);
    assert_eq!(daemon.end(), Some(0));
    for folder in ["site", "public"] {
        let mut waiting = vec![desk.path(folder)];
        let mut pages = 0;
        while let Some(path) = waiting.pop() {
            if path.is_dir() {
                waiting.extend(std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
            } else if path.extension().is_some_and(|extension| extension == "html") {
                pages += 1;
                let page = std::fs::read_to_string(&path).unwrap();
                assert!(!page.contains("search"), "{}: {page}", path.display());
            }
        }
        assert!(pages >= 7, "{folder} has {pages} pages");
    }
}

#[test]
fn socket_is_private_to_its_owner_and_is_removed_with_the_daemon() {
    let desk = two_sites();
    let mut daemon = Daemon::start(&desk);
    let socket = desk.folder.path().join("newswire.db.sock");
    assert_eq!(std::fs::metadata(&socket).unwrap().permissions().mode() & 0o777, 0o600);
    daemon.get_until("/all.json", "Harbour news");
    assert_eq!(daemon.end(), Some(0));
    assert!(!socket.exists());
    let here = output(&desk.config(), &["join", "https://one.example/1", "https://two.example/2"]);
    assert_eq!(here.status.code(), Some(0), "without a daemon the command does it itself: {}", text(&here.stderr));
}

/// Returns what `explain` prints about a story: its id, and its number of copies.
fn story(desk: &Desk, name: &str) -> (String, usize) {
    let explained = json(&desk.config(), &["explain", name, "--json"]);
    let id = explained["story"]["id"].as_str().unwrap().to_owned();
    (id, explained["story"]["copies"].as_array().unwrap().len())
}

#[test]
fn ambiguous_words_list_the_matching_stories_and_change_nothing() {
    let desk = two_sites();
    assert_eq!(desk.run(&["poll"]).code, 0);
    let check = |arguments: &[&str]| {
        let told = desk.run(arguments);
        assert_eq!(told.code, 2, "{arguments:?}: {}{}", told.out, told.err);
        assert!(told.err.contains("does not name a single story"), "{arguments:?}: {}", told.err);
        told.err
    };
    let unchanged =
        || assert_eq!((story(&desk, "https://one.example/1").1, story(&desk, "https://two.example/2").1), (1, 1));
    let (harbour, _) = story(&desk, "https://one.example/1");
    let listed = check(&["join", "news", "https://two.example/2"]);
    for part in ["Harbour news", "Quay news", &harbour, "  20"] {
        assert!(listed.contains(part), "{part}: {listed}");
    }
    let one = check(&["join", "Harbour news", "Quay news"]);
    assert!(
        one.contains("Harbour news") && !one.contains("Quay"),
        "a title is not a name, even if it is the only one: {one}"
    );
    check(&["join", "https://one.example/1", "a"]);
    check(&["split", "news", "two"]);
    check(&["explain", "news"]);
    unchanged();
    let mut daemon = Daemon::start(&desk);
    check(&["join", "Harbour news", "Quay news"]);
    check(&["join", "--dry-run", "Harbour news", "Quay news"]);
    unchanged();
    assert_eq!(desk.run(&["explain", "harbour"]).code, 0, "explain shows the only match");
    assert_eq!(desk.run(&["join", "nowhere", "Quay news"]).code, 1);
    assert_eq!(daemon.end(), Some(0));
}

#[test]
fn list_of_matching_stories_is_short_and_a_whole_title_is_unambiguous() {
    let desk = two_sites();
    let titles: Vec<String> = (0..15).map(|n| format!("Tide table {n}")).collect();
    let items: Vec<(String, &str)> = titles.iter().enumerate().map(|(n, title)| (n.to_string(), &**title)).collect();
    tell(&desk, "one", &items.iter().map(|(guid, title)| (&**guid, *title)).collect::<Vec<_>>());
    assert_eq!(desk.run(&["poll"]).code, 0);
    let told = desk.run(&["explain", "tide"]);
    assert_eq!((told.code, told.err.matches("Tide table").count()), (2, 10), "{}", told.err);
    assert!(told.err.contains("and more"), "{}", told.err);
    let told = desk.run(&["explain", "tide table 1"]);
    assert!(told.code == 0 && told.out.starts_with("Tide table 1\n"), "{}{}", told.out, told.err);
}

#[test]
fn story_is_named_by_its_id_slug_number_page_or_link() {
    let desk = two_sites();
    assert_eq!(desk.run(&["poll"]).code, 0);
    let (id, _) = story(&desk, "https://one.example/1");
    let told = desk.run(&["publish", "--out", "site"]);
    assert_eq!(told.code, 0, "{}", told.err);
    let mut pages = std::fs::read_dir(desk.path("site/story")).unwrap().map(|page| page.unwrap().file_name());
    let slug = pages.find_map(|page| page.into_string().ok().filter(|page| page.starts_with("harbour"))).unwrap();
    let number = slug.rsplit('-').next().unwrap().to_owned();
    let edition: serde_json::Value = serde_json::from_str(&desk.read("site/all.json")).unwrap();
    let home = edition["home_page_url"].as_str().unwrap();
    let home = home.strip_suffix("all/").unwrap_or(home).trim_end_matches('/');
    for name in [
        id.clone(),
        slug.clone(),
        number.clone(),
        format!("/story/{slug}/"),
        format!("story/{number}"),
        format!("{home}/story/{slug}/"),
        format!("{home}/story/{number}/"),
        format!("https://www.elsewhere.example/story/{slug}/"),
        "http://www.one.example/1/?utm_source=x".to_owned(),
    ] {
        assert_eq!(story(&desk, &name).0, id, "{name}");
    }
    let foreign = desk.run(&["explain", &format!("https://elsewhere.example/story/{number}/")]);
    assert_eq!(foreign.code, 1, "a number is a story of this site only: {}", foreign.out);
}

#[test]
fn dry_run_of_join_and_split_says_what_would_happen_and_changes_nothing() {
    let desk = two_sites();
    assert_eq!(desk.run(&["poll"]).code, 0);
    let (one, two) = ("https://one.example/1", "https://two.example/2");
    let rehearse = || {
        let told = desk.run(&["join", "--dry-run", one, two]).out;
        assert!(told.contains("  all: 0 in, 1 out\n"), "{told}");
        told.lines().next().unwrap().strip_prefix("would merge into one story: ").unwrap().to_owned()
    };
    let copies = || (story(&desk, one).1, story(&desk, two).1);
    let stays = rehearse();
    assert_eq!(copies(), (1, 1));
    let mut daemon = Daemon::start(&desk);
    daemon.get_until("/all.json", "Quay news");
    assert_eq!(rehearse(), stays);
    assert_eq!(copies(), (1, 1));
    assert_eq!(desk.run(&["join", one, two]).code, 0);
    assert_eq!((copies(), story(&desk, one).0), ((2, 2), stays));
    let told = desk.run(&["split", "--dry-run", one, "two"]);
    assert!(told.out.contains("Quay news would become a separate story: "), "{}{}", told.out, told.err);
    assert_eq!(copies(), (2, 2));
    assert_eq!(daemon.end(), Some(0));
}
