//! `newswire add`, `remove`, `enable`, `disable` and `set` on real files: what they find, write and refuse.

use crate::support;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};

use support::origin::{Origin, Reply};
use support::workspace::{Workspace, rss};

const SECTION: &str =
    "# Our own.\n[[section]]\nid = \"all\"\nfeeds = [\"*\"]\n[[section]]\nid = \"sea\"\nfeeds = [\"tag:sea\"]\n";

/// Creates a workspace with one feed. Its config permits fetches from this origin.
fn workspace(origin: &Origin) -> Workspace {
    Workspace::new(&format!(
        "[poll]\nallow = [\"{}\"]\n\n# The first.\n[[feed]]\nid = \"first\"\nurl = \"file:first.xml\"  # ours\ntags = [\"sea\"]\n\n{SECTION}",
        origin.address
    ))
}

fn site() -> Origin {
    Origin::start(|request| match request.target().split('?').next().unwrap_or_default() {
        "/moved" => Reply::redirect(301, "/feed"),
        "/feed" | "/other" => Reply::new(200, &[], rss(&[("1", "One", "x"), ("2", "Two", "y")])),
        "/page" => Reply::new(
            200,
            &[("Content-Type", "text/html")],
            "<!doctype html><html><head><link rel=alternate type=application/rss+xml href=/feed>",
        ),
        "/two" => Reply::new(
            200,
            &[("Content-Type", "text/html")],
            "<!doctype html><html><head><link rel=alternate type=application/rss+xml href=/feed><link rel=alternate type=application/rss+xml href=/other>",
        ),
        "/bare" => Reply::new(200, &[("Content-Type", "text/html")], "<!doctype html><html><body><p>Nothing here."),
        "/feed.xml" => Reply::new(200, &[], rss(&[("1", "Hidden", "x")])),
        _ => Reply::new(404, &[], "not here"),
    })
}

#[test]
fn feed_of_a_page_is_found_shown_and_added() {
    let origin = site();
    let workspace = workspace(&origin);
    let before = workspace.read("newswire.toml");
    let result =
        workspace.run(&["add", origin.url("/page").as_str(), "--section", "all", "--tag", "sea", "--tag", "town"]);
    assert_eq!(result.code, 0, "{}", result.err);
    for part in ["The harbour", "RSS 2.0, 2 entries", "One", "added 127-0-0-1"] {
        assert!(result.out.contains(part), "{part}: {}", result.out);
    }
    let block = format!(
        "\n[[feed]]\nurl = \"{}\"  # The harbour\nsections = [\"all\"]\ntags = [\"sea\", \"town\"]\n",
        origin.url("/feed")
    );
    let expected = before.replace("tags = [\"sea\"]\n", &format!("tags = [\"sea\"]\n{block}"));
    assert_eq!(workspace.read("newswire.toml"), expected);
    assert_eq!(workspace.run(&["check"]).code, 0);
    assert_eq!(
        workspace.run(&["remove", origin.url("/feed/").as_str()]).code,
        0,
        "the feed is found by another spelling of its address"
    );
    assert_eq!(workspace.read("newswire.toml"), before);
}

#[test]
fn page_with_several_feeds_lists_them_and_page_without_links_is_tried_at_common_paths() {
    let origin = site();
    let workspace = workspace(&origin);
    let before = workspace.read("newswire.toml");
    let result = workspace.run(&["add", origin.url("/two").as_str()]);
    assert_eq!(result.code, 1);
    assert!(result.err.contains("--choose N") && result.err.contains("/other"), "{}", result.err);
    assert_eq!(workspace.read("newswire.toml"), before);
    assert_eq!(workspace.run(&["add", origin.url("/two").as_str(), "--choose", "2"]).code, 0);
    assert!(workspace.read("newswire.toml").contains("/other\""));
    let result = workspace.run(&["add", origin.url("/bare").as_str(), "--dry-run"]);
    assert!(result.out.contains("+url = \"") && result.out.contains("/feed.xml\""), "{}{}", result.out, result.err);
    assert!(!workspace.read("newswire.toml").contains("/feed.xml"));
}

#[test]
fn existing_feed_is_not_added_again() {
    let origin = site();
    let workspace = workspace(&origin);
    assert_eq!(workspace.run(&["add", origin.url("/feed").as_str()]).code, 0);
    let before = workspace.read("newswire.toml");
    let check = |arguments: &[&str], code: i32, expected: &str| {
        let result = workspace.run(arguments);
        assert!(result.code == code && result.err.contains(expected), "{arguments:?} {}: {}", result.code, result.err);
        assert_eq!(workspace.read("newswire.toml"), before);
    };
    check(&["add", origin.url("/feed").as_str()], 0, "warning: the config already has this feed as 127-0-0-1;");
    check(
        &["add", origin.url("/page").as_str()],
        0,
        "nothing was written\n  change it with `newswire set 127-0-0-1 KEY=VALUE`",
    );
    check(&["add", origin.url("/feed#top").as_str()], 0, "as 127-0-0-1 under another spelling");
    check(&["add", origin.url("/moved").as_str()], 0, "as 127-0-0-1 under another spelling");
    check(&["add", origin.url("/gone.xml").as_str()], 1, "/gone.xml");
    check(&["add", "file:nowhere.xml"], 1, "--unseen");
    check(&["add", "no address"], 1, "https://no address cannot be added: expected a URL");
    let forced = workspace.run(&["add", origin.url("/moved").as_str(), "--force"]);
    assert!(forced.code == 0 && workspace.read("newswire.toml").contains("/moved\""), "{}", forced.err);
}

/// Starts a server without TLS, which answers TLS clients in plain text.
fn plain_server() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, mut request) = (stream.unwrap(), [0; 4096]);
            let length = stream.read(&mut request).unwrap();
            let feed = rss(&[("1", "One", "x")]);
            let answer = match request[..length].starts_with(b"GET") {
                true => format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{feed}", feed.len()),
                false => "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n".to_owned(),
            };
            // A TLS client may have hung up already.
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    address
}

#[test]
fn address_without_a_scheme_is_tried_with_https_and_http() {
    let address = plain_server();
    let workspace = Workspace::new(&format!("[poll]\nallow = [\"{address}\"]\n{SECTION}"));
    let result = workspace.run(&["add", &format!("{address}/feed")]);
    assert_eq!(result.code, 0, "{}", result.err);
    assert!(workspace.read("newswire.toml").contains(&format!("url = \"http://{address}/feed\"")));
}

#[test]
fn feed_scheme_is_removed_from_typed_and_found_addresses() {
    let address = plain_server();
    let pages = Origin::start(move |request| {
        let href = if request.target() == "/short" {
            format!("feed://{address}/f")
        } else {
            format!("feed:http://{address}/f")
        };
        let link = |href: &str| format!("<link rel=alternate type=application/rss+xml href=\"{href}\">");
        let page = format!("<!doctype html><html><head>{}{}", link("javascript:feed()"), link(&href));
        Reply::new(200, &[("Content-Type", "text/html")], page)
    });
    let typed = [format!("feed://{address}/f"), format!("feed:http://{address}/f"), format!("FEED://{address}/f")];
    for url in typed.into_iter().chain([pages.url("/short").to_string(), pages.url("/long").to_string()]) {
        let workspace = Workspace::new(&format!("[poll]\nallow = [\"{address}\", \"{}\"]\n{SECTION}", pages.address));
        let result = workspace.run(&["add", &url]);
        assert_eq!(result.code, 0, "{url}: {}", result.err);
        assert!(workspace.read("newswire.toml").contains(&format!("url = \"http://{address}/f\"")), "{url}");
    }
    let workspace = Workspace::new(SECTION);
    assert_eq!(workspace.run(&["add", "--unseen", "feed://a.example/f"]).code, 0);
    assert!(workspace.read("newswire.toml").contains("url = \"https://a.example/f\""));
}

#[test]
fn edit_that_would_break_the_config_is_refused() {
    let origin = site();
    let workspace = workspace(&origin);
    let before = workspace.read("newswire.toml");
    let check = |arguments: &[&str], code: i32, expected: &str| {
        let result = workspace.run(arguments);
        assert!(result.code == code && result.err.contains(expected), "{arguments:?} {}: {}", result.code, result.err);
        assert_eq!(workspace.read("newswire.toml"), before);
    };
    check(&["add", origin.url("/feed").as_str(), "--section", "alll"], 78, "did you mean `all`?");
    check(&["set", "first", "timeout=soon"], 78, "nothing was written");
    check(&["set", "first", "priority=ten"], 78, "expected a whole number");
    check(&["set", "first", "enabled=no"], 78, "expected true or false, found a string");
    check(&["set", "first", "titel=x"], 1, "did you mean `title`?");
    check(&["set", "first", "title"], 1, "KEY=VALUE");
    check(&["remove", "second"], 1, "there is no feed \"second\"");
}

#[test]
fn disabling_and_enabling_a_feed_restores_the_config() {
    let origin = site();
    let workspace = workspace(&origin);
    let before = workspace.read("newswire.toml");
    assert_eq!(workspace.run(&["disable", "first"]).code, 0);
    assert_eq!(workspace.read("newswire.toml"), before.replace("[\"sea\"]\n\n", "[\"sea\"]\nenabled = false\n\n"));
    assert_eq!(workspace.json(&["feeds"])[0]["state"], "disabled");
    assert_eq!(workspace.run(&["enable", "first"]).code, 0);
    assert_eq!(workspace.read("newswire.toml"), before);
    assert!(workspace.run(&["enable", "first"]).out.contains("already"));
}

#[test]
fn keys_are_set_and_removed_and_a_dry_run_shows_the_difference() {
    let origin = site();
    let workspace = workspace(&origin);
    let before = workspace.read("newswire.toml");
    let dry = workspace.run(&["set", "first", "title=First of all", "tags=sea,town", "--dry-run"]);
    assert!(
        dry.out.contains("-tags = [\"sea\"]\n+tags = [\"sea\", \"town\"]\n+title = \"First of all\"\n"),
        "{}",
        dry.out
    );
    assert_eq!(workspace.read("newswire.toml"), before);
    assert_eq!(workspace.run(&["set", "first", "title=First of all"]).code, 0);
    assert_eq!(workspace.json(&["feeds"])[0]["title"], "First of all");
    assert_eq!(workspace.run(&["set", "first", "title="]).code, 0);
    assert_eq!(workspace.read("newswire.toml"), before);
}

#[test]
fn secrets_of_added_or_edited_feeds_are_not_shown() {
    let origin = site();
    let workspace = workspace(&origin);
    let secret = |path: &str| origin.url(path).as_str().replace("//", "//user:canary@") + "?token=canary";
    for arguments in [
        &["add", &secret("/feed"), "--dry-run"] as &[&str],
        &["add", &secret("/gone.xml")],
        &["add", &secret("/bare")],
        &["add", &secret("/feed")],
        &["set", "127-0-0-1", "headers={ Authorization = \"canary\" }", "--dry-run"],
        &["set", "127-0-0-1", "title=x", "--dry-run"],
    ] {
        let result = workspace.run(arguments);
        assert!(
            !result.out.contains("canary") && !result.err.contains("canary"),
            "{arguments:?} {}{}",
            result.out,
            result.err
        );
    }
    assert!(workspace.read("newswire.toml").contains("token=canary"));
}

#[test]
fn removed_feed_is_removed_from_the_sections_that_name_it() {
    let workspace = Workspace::new("include = [\"feeds/*.toml\"]\n");
    workspace.write(
        "newswire.toml",
        "include = [\"feeds/*.toml\"]\n[[section]]\nid = \"x\"\nfeeds = [\"a\", \"b\"] # two\n",
    );
    workspace.write(
        "feeds/f.toml",
        "[[feed]]\nid = \"a\"\nurl = \"https://a.example/\"\n\n[[feed]]\nid = \"b\"\nurl = \"https://b.example/\"\n",
    );
    assert_eq!(workspace.run(&["remove", "a"]).code, 0);
    assert_eq!(
        workspace.read("newswire.toml"),
        "include = [\"feeds/*.toml\"]\n[[section]]\nid = \"x\"\nfeeds = [\"b\"] # two\n"
    );
    assert_eq!(workspace.read("feeds/f.toml"), "[[feed]]\nid = \"b\"\nurl = \"https://b.example/\"\n");
    let result = workspace.run(&["remove", "b"]);
    assert!(result.code == 78 && result.err.contains("section `x` has no feeds"), "{}", result.err);
}

#[test]
fn empty_included_file_gets_the_first_feed() {
    let workspace = Workspace::example();
    assert_eq!(workspace.run(&["poll"]).code, 0);
    assert_eq!(workspace.run(&["add", "https://new.example/feed", "--unseen"]).code, 0);
    let mine = workspace.read("feeds/mine.toml");
    assert!(mine.ends_with("\n\n[[feed]]\nurl = \"https://new.example/feed\"\n"), "{mine}");
    let named = workspace.run(&["add", "https://more.example/feed", "--unseen", "--file", "feeds/samples.toml"]);
    assert_eq!(named.code, 0, "{}", named.err);
    assert!(workspace.read("feeds/samples.toml").contains("more.example"));
    let other = workspace.run(&["add", "https://third.example/feed", "--unseen", "--file", "other.toml"]);
    assert!(other.code == 1 && other.err.contains("`include` it first"), "{}", other.err);
}

#[cfg(unix)]
#[test]
fn symbolic_link_and_read_only_file_are_refused_with_a_reason() {
    use std::os::unix::fs::PermissionsExt;
    let workspace = Workspace::new(SECTION);
    std::fs::rename(workspace.path("newswire.toml"), workspace.path("real.toml")).unwrap();
    std::os::unix::fs::symlink("real.toml", workspace.path("newswire.toml")).unwrap();
    let check = |expected: &str| {
        let result = workspace.run(&["add", "https://a.example/feed", "--unseen"]);
        assert!(result.code == 1 && result.err.contains(expected), "{}", result.err);
        assert!(!workspace.read("real.toml").contains("a.example"));
    };
    check("is a symbolic link to real.toml");
    std::fs::remove_file(workspace.path("newswire.toml")).unwrap();
    std::fs::copy(workspace.path("real.toml"), workspace.path("newswire.toml")).unwrap();
    std::fs::set_permissions(workspace.path("newswire.toml"), std::fs::Permissions::from_mode(0o444)).unwrap();
    check("is read-only");
    std::fs::set_permissions(workspace.path("newswire.toml"), std::fs::Permissions::from_mode(0o640)).unwrap();
    assert_eq!(workspace.run(&["add", "https://a.example/feed", "--unseen"]).code, 0);
    let mode = std::fs::metadata(workspace.path("newswire.toml")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o640, "the permissions stay");
    std::fs::write(workspace.path("newswire.toml"), b"# caf\xe9\n").unwrap();
    let result = workspace.run(&["add", "https://a.example/feed", "--unseen"]);
    assert!(result.code == 78 && result.err.contains("not UTF-8"), "{}", result.err);
}

#[test]
fn concurrent_edit_by_hand_is_not_overwritten() {
    let workspace = Workspace::new(SECTION);
    let path = workspace.path("newswire.toml");
    let before = workspace.read("newswire.toml");
    workspace.write("newswire.toml", &format!("{before}# by hand\n"));
    let error = newswire::files::replace(&path, &before, "new").unwrap_err().to_string();
    assert!(error.contains("was edited in the meantime"), "{error}");
    assert!(workspace.read("newswire.toml").ends_with("# by hand\n"));
    let left: Vec<_> =
        std::fs::read_dir(workspace.folder.path()).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert_eq!(left.len(), 1, "no temporary files are left: {left:?}");
}
