//! Commands that a running daemon carries out (`poll`, `publish`, `join`, `split`), and who may use its control socket.

use crate::support;

use std::os::unix::fs::PermissionsExt;

use support::daemon::*;

/// Creates a workspace with two file feeds of different sites, each with one story.
fn two_sites() -> Workspace {
    let site = |name: &str| {
        format!(
            "[[feed]]\nid = \"{name}\"\nurl = \"file:{name}.xml\"\nsite = \"https://{name}.example/\"\nschedule = \"every 1 day\"\n"
        )
    };
    let workspace = Workspace::new(&format!(
        "{}{}[[section]]\nid = \"all\"\ntitle = \"All\"\nfeeds = [\"*\"]",
        site("one"),
        site("two")
    ));
    publish_items(&workspace, "one", &[("1", "Harbour news")]);
    publish_items(&workspace, "two", &[("2", "Quay news")]);
    workspace
}

fn publish_items(workspace: &Workspace, site: &str, items: &[(&str, &str)]) {
    workspace.write(&format!("{site}.xml"), &headlines(items).replace("a.example", &format!("{site}.example")));
}

fn is_published(daemon: &Daemon, words: &[&str]) -> bool {
    let edition = text(&daemon.get("/all.json").body);
    words.iter().all(|words| edition.contains(words))
}

#[test]
fn stories_are_joined_and_split_while_the_daemon_runs() {
    let workspace = two_sites();
    let mut daemon = Daemon::start(&workspace);
    daemon.get_until("/all.json", "Harbour news");
    daemon.get_until("/all.json", "Quay news");
    assert!(!is_published(&daemon, &["\"feed\":\"two\"", "\"feed\":\"one\",\"title\":\"Quay news\""]));

    let joined = output(&workspace.config(), &["join", "https://one.example/1", "https://two.example/2"]);
    assert_eq!(joined.status.code(), Some(0), "{}", text(&joined.stderr));
    assert!(text(&joined.stdout).contains("merged into one story"), "{}", text(&joined.stdout));
    let explained = json(&workspace.config(), &["explain", "https://two.example/2", "--json"]);
    assert_eq!(explained["story"]["copies"].as_array().unwrap().len(), 2);
    daemon.wait_for("join requested");

    let again = output(&workspace.config(), &["join", "https://one.example/1", "https://two.example/2"]);
    assert_eq!(again.status.code(), Some(1));
    assert!(text(&again.stderr).contains("name the same story"), "{}", text(&again.stderr));

    let split = output(&workspace.config(), &["split", "https://one.example/1", "two"]);
    assert_eq!(split.status.code(), Some(0), "{}", text(&split.stderr));
    assert!(text(&split.stdout).contains("Quay news is now a separate story"), "{}", text(&split.stdout));
    daemon.get_until("/all.json", "Quay news");
    let nobody = output(&workspace.config(), &["split", "no such story", "two"]);
    assert!(text(&nobody.stderr).contains("no story has \"no such story\""), "{}", text(&nobody.stderr));
    assert_eq!(daemon.end(), Some(0));
}

#[test]
fn daemon_polls_feeds_when_a_command_requests_it() {
    let workspace = two_sites();
    let mut daemon = Daemon::start(&workspace);
    daemon.get_until("/all.json", "Harbour news");
    publish_items(&workspace, "one", &[("3", "Ferry news"), ("1", "Harbour news")]);
    let polled = output(&workspace.config(), &["poll", "--force", "one", "--json"]);
    assert_eq!(polled.status.code(), Some(0), "{}", text(&polled.stderr));
    let report: serde_json::Value = serde_json::from_str(text(&polled.stdout).lines().next().unwrap()).unwrap();
    assert_eq!((report["feed"].as_str(), report["new"].as_u64()), (Some("one"), Some(1)), "{report}");
    daemon.get_until("/all.json", "Ferry news");
    assert_eq!(daemon.end(), Some(0));
}

/// Returns a feed of twenty stories whose guids begin with the prefix.
fn rekeyed(prefix: &str) -> String {
    let items: Vec<(String, String)> = (0..20).map(|n| (n.to_string(), format!("Ferry {n} is late"))).collect();
    let items: Vec<(&str, &str)> = items.iter().map(|(guid, title)| (guid.as_str(), title.as_str())).collect();
    headlines(&items).replace("isPermaLink=\"false\">", &format!("isPermaLink=\"false\">{prefix}"))
}

#[test]
fn poll_reports_that_a_feed_changed_all_guids_with_and_without_the_daemon() {
    let workspace = two_sites();
    let poll = |prefix| {
        workspace.write("one.xml", &rekeyed(prefix));
        text(&output(&workspace.config(), &["poll", "--force", "one"]).stdout)
    };
    poll("a");
    let note = "20 of 20 entries are known entries with new guids";
    assert!(poll("b").contains(note));
    let mut daemon = Daemon::start(&workspace);
    assert!(poll("c").contains(note));
    let shown = text(&output(&workspace.config(), &["poll", "--force", "one"]).stdout);
    assert!(!shown.contains(note), "the note is not repeated: {shown}");
    assert_eq!(daemon.end(), Some(0));
}

#[test]
fn daemon_writes_the_site_when_a_command_requests_it() {
    let workspace = two_sites();
    let mut daemon = Daemon::start(&workspace);
    daemon.get_until("/all.json", "Harbour news");
    let folder = workspace.path("public");
    let publish = || workspace.run(&["publish", "--out", "public"]);
    let printed = publish();
    assert!(printed.code == 0 && printed.out.starts_with("public: "), "{}{}", printed.out, printed.err);
    let edition = std::fs::read(folder.join("all.json")).unwrap();
    assert_eq!(text(&edition), text(&daemon.get("/all.json").body));
    assert!(publish().out.starts_with("public: 0 files written, "), "nothing changed");
    workspace.write("taken", "a file");
    let failed = workspace.run(&["publish", "--out", "taken"]);
    assert!(failed.code == 1 && failed.err.ends_with("/taken: not a folder\n"), "{}", failed.err);
    assert!(failed.err.starts_with("newswire: the daemon cannot write /"), "{}", failed.err);
    assert_eq!(daemon.end(), Some(0));
}

#[test]
fn site_written_right_after_a_poll_contains_everything_from_the_poll() {
    let workspace = two_sites();
    let mut daemon = Daemon::start(&workspace);
    daemon.get_until("/all.json", "Quay news");
    for number in 10..14 {
        let title = format!("Ferry {number} is late");
        publish_items(&workspace, "one", &[(&number.to_string(), &title)]);
        assert_eq!(workspace.run(&["poll", "--force", "one"]).code, 0);
        let printed = workspace.run(&["publish", "--out", "public"]);
        assert_eq!(printed.code, 0, "{}", printed.err);
        for file in ["all/index.html", "all.json", "all.atom", "index.html"] {
            assert!(workspace.read(&format!("public/{file}")).contains(&title), "{file} lacks {title}");
        }
    }
    assert_eq!(daemon.end(), Some(0));
}

#[test]
fn pages_in_a_folder_do_not_link_to_the_search_which_needs_a_daemon() {
    let workspace = two_sites();
    let config = workspace.read("newswire.toml");
    workspace.write("newswire.toml", &format!("{config}\n[publish]\ndirectory = \"site\"\n"));
    let mut daemon = Daemon::start(&workspace);
    daemon.get_until("/all.json", "Quay news");
    assert!(text(&daemon.get("/all/").body).contains("href=\"/search\""), "the served page links to the search");
    assert_eq!(workspace.run(&["publish", "--out", "public"]).code, 0);
    assert_eq!(daemon.end(), Some(0));
    for folder in ["site", "public"] {
        let mut waiting = vec![workspace.path(folder)];
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
    let workspace = two_sites();
    let mut daemon = Daemon::start(&workspace);
    let socket = workspace.folder.path().join("newswire.db.sock");
    assert_eq!(std::fs::metadata(&socket).unwrap().permissions().mode() & 0o777, 0o600);
    daemon.get_until("/all.json", "Harbour news");
    assert_eq!(daemon.end(), Some(0));
    assert!(!socket.exists());
    let here = output(&workspace.config(), &["join", "https://one.example/1", "https://two.example/2"]);
    assert_eq!(
        here.status.code(),
        Some(0),
        "without a daemon, the command itself joins the stories: {}",
        text(&here.stderr)
    );
}

/// Returns a story's id and number of copies, as `explain` prints them.
fn story(workspace: &Workspace, name: &str) -> (String, usize) {
    let explained = json(&workspace.config(), &["explain", name, "--json"]);
    let id = explained["story"]["id"].as_str().unwrap().to_owned();
    (id, explained["story"]["copies"].as_array().unwrap().len())
}

#[test]
fn ambiguous_words_list_the_matching_stories_and_change_nothing() {
    let workspace = two_sites();
    assert_eq!(workspace.run(&["poll"]).code, 0);
    let check = |arguments: &[&str]| {
        let printed = workspace.run(arguments);
        assert_eq!(printed.code, 2, "{arguments:?}: {}{}", printed.out, printed.err);
        assert!(printed.err.contains("may mean"), "{arguments:?}: {}", printed.err);
        printed.err
    };
    let unchanged = || {
        assert_eq!((story(&workspace, "https://one.example/1").1, story(&workspace, "https://two.example/2").1), (1, 1))
    };
    let (harbour, _) = story(&workspace, "https://one.example/1");
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
    let mut daemon = Daemon::start(&workspace);
    check(&["join", "Harbour news", "Quay news"]);
    check(&["join", "--dry-run", "Harbour news", "Quay news"]);
    unchanged();
    assert_eq!(workspace.run(&["explain", "harbour"]).code, 0, "explain shows the only match");
    assert_eq!(workspace.run(&["join", "nowhere", "Quay news"]).code, 1);
    assert_eq!(daemon.end(), Some(0));
}

#[test]
fn list_of_matching_stories_is_short_and_a_whole_title_is_unambiguous() {
    let workspace = two_sites();
    let titles: Vec<String> = (0..15).map(|n| format!("Tide table {n}")).collect();
    let items: Vec<(String, &str)> = titles.iter().enumerate().map(|(n, title)| (n.to_string(), &**title)).collect();
    publish_items(&workspace, "one", &items.iter().map(|(guid, title)| (&**guid, *title)).collect::<Vec<_>>());
    assert_eq!(workspace.run(&["poll"]).code, 0);
    let printed = workspace.run(&["explain", "tide"]);
    assert_eq!((printed.code, printed.err.matches("Tide table").count()), (2, 10), "{}", printed.err);
    assert!(printed.err.contains("and more"), "{}", printed.err);
    let printed = workspace.run(&["explain", "tide table 1"]);
    assert!(printed.code == 0 && printed.out.starts_with("Tide table 1\n"), "{}{}", printed.out, printed.err);
}

#[test]
fn story_is_named_by_its_id_slug_number_page_or_link() {
    let workspace = two_sites();
    assert_eq!(workspace.run(&["poll"]).code, 0);
    let (id, _) = story(&workspace, "https://one.example/1");
    let printed = workspace.run(&["publish", "--out", "site"]);
    assert_eq!(printed.code, 0, "{}", printed.err);
    let mut pages = std::fs::read_dir(workspace.path("site/story")).unwrap().map(|page| page.unwrap().file_name());
    let slug = pages.find_map(|page| page.into_string().ok().filter(|page| page.starts_with("harbour"))).unwrap();
    let number = slug.rsplit('-').next().unwrap().to_owned();
    let edition: serde_json::Value = serde_json::from_str(&workspace.read("site/all.json")).unwrap();
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
        assert_eq!(story(&workspace, &name).0, id, "{name}");
    }
    let foreign = workspace.run(&["explain", &format!("https://elsewhere.example/story/{number}/")]);
    assert_eq!(foreign.code, 1, "a number is a story of this site only: {}", foreign.out);
}

#[test]
fn dry_run_of_join_and_split_says_what_would_happen_and_changes_nothing() {
    let workspace = two_sites();
    assert_eq!(workspace.run(&["poll"]).code, 0);
    let (one, two) = ("https://one.example/1", "https://two.example/2");
    let rehearse = || {
        let printed = workspace.run(&["join", "--dry-run", one, two]).out;
        assert!(printed.contains("  all: 0 in, 1 out\n"), "{printed}");
        printed.lines().next().unwrap().strip_prefix("would merge into one story: ").unwrap().to_owned()
    };
    let copies = || (story(&workspace, one).1, story(&workspace, two).1);
    let stays = rehearse();
    assert_eq!(copies(), (1, 1));
    let mut daemon = Daemon::start(&workspace);
    daemon.get_until("/all.json", "Quay news");
    assert_eq!(rehearse(), stays);
    assert_eq!(copies(), (1, 1));
    assert_eq!(workspace.run(&["join", one, two]).code, 0);
    assert_eq!((copies(), story(&workspace, one).0), ((2, 2), stays));
    let printed = workspace.run(&["split", "--dry-run", one, "two"]);
    assert!(printed.out.contains("Quay news would become a separate story: "), "{}{}", printed.out, printed.err);
    assert_eq!(copies(), (2, 2));
    assert_eq!(daemon.end(), Some(0));
}
