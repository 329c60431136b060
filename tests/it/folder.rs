//! The site as a folder of files: which files are in it, that nothing outside it is written, and that nginx can serve
//! it.

use crate::support;

use std::collections::BTreeSet;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use support::daemon::*;

/// Returns a feed of the stories with these numbers, the highest number first.
fn feed(numbers: std::ops::Range<u32>) -> String {
    let item = |number: u32| {
        format!(
            "<item><guid isPermaLink=\"false\">{number}</guid><title>Story {number}</title><link>https://a.example/{number}</link></item>"
        )
    };
    let items: String = numbers.rev().map(item).collect();
    format!(
        "<rss version=\"2.0\"><channel><title>A</title><link>https://a.example/</link><description>d</description>{items}</channel></rss>"
    )
}

fn config(url: &str) -> String {
    format!(
        "[site]\nurl = \"{url}\"\n[server]\nlisten = \"127.0.0.1:0\"\nadmin = \"127.0.0.1:0\"\n\
         [[feed]]\nid = \"a\"\nurl = \"file:a.xml\"\n[[section]]\nid = \"all\"\nfeeds = [\"*\"]\nlimit = 5\n\
         [[section]]\nid = \"inner\"\nfeeds = [\"*\"]\ntoken = \"canary\"\nlimit = 5\n"
    )
}

fn published(workspace: &Workspace) -> (PathBuf, String) {
    let site = workspace.folder.path().join("site");
    let done = output(&workspace.config(), &["publish", "--out", site.to_str().unwrap()]);
    (site, format!("{}{}", text(&done.stdout), text(&done.stderr)))
}

fn files(folder: &Path, under: &Path, found: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, under, found);
        } else {
            found.insert(path.strip_prefix(under).unwrap().to_str().unwrap().to_owned());
        }
    }
}

#[test]
fn folder_contains_archives_and_their_stories_and_loses_pages_of_dropped_stories() {
    let workspace = Workspace::whole(&config("https://news.example.org/"));
    workspace.write("a.xml", &feed(0..5));
    output(&workspace.config(), &["poll", "--force"]);
    published(&workspace);
    workspace.write("a.xml", &feed(0..20));
    output(&workspace.config(), &["poll", "--force"]);
    let (site, _) = published(&workspace);
    let mut found = BTreeSet::new();
    files(&site, &site, &mut found);
    for file in ["all/archive/1.atom", "all/archive/1.json", "all/index.html", "sitemap.xml", "feed.css", "404.html"] {
        assert!(found.contains(file), "{file}: {found:?}");
    }
    assert!(found.iter().any(|file| file.starts_with("story/story-0-")), "a page stays as long as its story");
    assert!(!found.iter().any(|file| file.contains("inner")), "{found:?}");
    let (_, printed) = published(&workspace);
    assert!(printed.contains(": 0 files written"), "{printed}");

    let dropping =
        config("https://news.example.org/").replace("id = \"all\"", "id = \"all\"\ndrop = [{ title = \"Story 0\" }]");
    std::fs::write(workspace.config(), dropping).unwrap();
    published(&workspace);
    let mut found = BTreeSet::new();
    files(&site, &site, &mut found);
    assert!(!found.iter().any(|file| file.starts_with("story/story-0-")), "{found:?}");
}

#[test]
fn pages_are_served_while_the_folder_is_still_written() {
    let open = config("http://127.0.0.1/");
    let workspace = Workspace::whole(&open);
    workspace.write("a.xml", &feed(0..3000));
    output(&workspace.config(), &["poll", "--force"]);
    workspace.write("newswire.toml", &format!("{open}[publish]\ndirectory = \"site\"\n"));
    let mut daemon = Daemon::start(&workspace);
    assert_eq!(daemon.get("/all.json").status, 200);
    assert_eq!(request(&daemon.admin, "GET", "/healthz", &[]).status, 200);
    // The list `.newswire-files` is written last.
    assert!(!workspace.path("site/.newswire-files").exists(), "serving pages must not wait for 3000 files");
    assert_eq!(daemon.end(), Some(0));
    let list = workspace.read("site/.newswire-files");
    assert!(
        list.lines().filter(|file| file.starts_with("story/")).count() == 3000,
        "the folder is complete at the end"
    );
}

#[test]
fn page_of_a_joined_story_redirects_to_the_remaining_one() {
    let workspace = Workspace::whole(&config("https://news.example.org/wire/"));
    workspace.write("a.xml", &feed(0..3));
    output(&workspace.config(), &["poll", "--force"]);
    let joined = output(&workspace.config(), &["join", "https://a.example/1", "https://a.example/2"]);
    assert!(joined.status.success(), "{}", text(&joined.stderr));
    let (site, _) = published(&workspace);
    let page = |slug: &str| std::fs::read_to_string(site.join("story").join(slug).join("index.html")).unwrap();
    let pages = std::fs::read_dir(site.join("story")).unwrap();
    let slugs: Vec<String> = pages.map(|page| page.unwrap().file_name().into_string().unwrap()).collect();
    let (moved, whole): (Vec<_>, Vec<_>) = slugs.into_iter().partition(|slug| page(slug).contains("http-equiv"));
    assert_eq!((moved.len(), whole.len()), (1, 2), "{moved:?} {whole:?}");
    let there = page(&moved[0]).split("url=/wire/").nth(1).unwrap().split('"').next().unwrap().to_owned();
    assert!(whole.iter().any(|slug| there == format!("story/{slug}/")), "{there}");

    let daemon = Daemon::start(&workspace);
    daemon.get_until("/all.json", "Story 0");
    let answer = daemon.get(&format!("/wire/story/{}/", moved[0]));
    assert_eq!((answer.status, answer.header("location")), (308, Some(&*format!("/wire/{there}"))));
    assert_eq!(daemon.get(&format!("/{there}")).status, 200);
}

#[test]
fn renamed_section_keeps_feeds_and_a_redirect_page_under_its_old_id() {
    let renamed = |access: &str| {
        config("https://news.example.org/wire/")
            .replace("id = \"all\"", &format!("id = \"every\"\nformerly = [\"all\", \"older\"]{access}"))
    };
    let workspace = Workspace::whole(&config("https://news.example.org/wire/"));
    workspace.write("a.xml", &feed(0..3));
    output(&workspace.config(), &["poll", "--force"]);
    published(&workspace);
    workspace.write("newswire.toml", &renamed(""));
    let (site, _) = published(&workspace);
    let read = |file: &str| std::fs::read_to_string(site.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
    for old in ["all", "older"] {
        for format in ["atom", "rss", "json", "opml"] {
            assert_eq!(read(&format!("{old}.{format}")), read(&format!("every.{format}")));
        }
        let page = read(&format!("{old}/index.html"));
        assert!(page.contains("<meta http-equiv=\"refresh\" content=\"0; url=/wire/every/\">"), "{page}");
    }
    workspace.write("newswire.toml", &renamed("\ntoken = \"canary-of-sixteen\""));
    let (site, _) = published(&workspace);
    assert!(
        !site.join("all.atom").exists() && !site.join("all/index.html").exists(),
        "a section that became private is gone"
    );
}

#[test]
fn publishing_never_writes_outside_the_folder_through_a_link_or_a_list() {
    let workspace = Workspace::whole(&config("https://news.example.org/"));
    workspace.write("a.xml", &feed(0..3));
    output(&workspace.config(), &["poll", "--force"]);
    let outside = workspace.folder.path().join("outside");
    std::fs::create_dir(&outside).unwrap();
    std::fs::write(outside.join("index.html"), "mine").unwrap();
    let site = workspace.folder.path().join("site");
    std::fs::create_dir(&site).unwrap();
    std::os::unix::fs::symlink(&outside, site.join("all")).unwrap();
    let (_, printed) = published(&workspace);
    assert!(printed.contains("is a symbolic link"), "{printed}");
    std::fs::remove_file(site.join("all")).unwrap();
    std::fs::write(site.join(".newswire-files"), "../outside/index.html\n").unwrap();
    let (_, printed) = published(&workspace);
    assert!(printed.contains("is outside the folder"), "{printed}");
    assert_eq!(std::fs::read_to_string(outside.join("index.html")).unwrap(), "mine");
}

/// An nginx process that stops with the test.
struct Nginx(Child);

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts nginx. Returns `None` if it is not installed.
fn nginx(folder: &Path, site: &Path, port: u16) -> Option<Nginx> {
    let here = folder.display();
    let paths =
        ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(|path| format!("{path}_temp_path {here}/{path};"));
    let config = format!(
        "daemon off; master_process off; pid {here}/nginx.pid; error_log {here}/error.log;\nevents {{}}\n\
         http {{ access_log off; {} types {{ text/html html; text/css css; }} default_type application/octet-stream;\n\
         server {{ listen 127.0.0.1:{port}; location /wire/ {{ alias {}/; index index.html; error_page 404 /wire/404.html; }} }} }}\n",
        paths.join(" "),
        site.display()
    );
    std::fs::write(folder.join("nginx.conf"), config).unwrap();
    let conf = folder.join("nginx.conf");
    match Command::new("nginx").arg("-c").arg(conf).stderr(Stdio::null()).spawn() {
        Ok(process) => Some(Nginx(process)),
        Err(error) => {
            assert!(std::env::var_os("NEWSWIRE_VALIDATORS").is_none(), "nginx: {error}");
            eprintln!("nginx is not installed: not tried ({error})");
            None
        }
    }
}

#[test]
fn folder_is_a_complete_site_under_nginx_at_a_sub_path() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let base = format!("http://127.0.0.1:{port}/wire/");
    let workspace = Workspace::whole(&config(&base));
    workspace.write("a.xml", &feed(0..12));
    output(&workspace.config(), &["poll", "--force"]);
    let (site, _) = published(&workspace);
    let Some(_nginx) = nginx(workspace.folder.path(), &site, port) else { return };
    let address = format!("127.0.0.1:{port}");
    let until = Instant::now() + PATIENCE;
    while std::net::TcpStream::connect(&address).is_err() {
        assert!(Instant::now() < until, "nginx does not listen");
    }
    let mut waiting = vec!["/wire/".to_owned()];
    let mut seen = BTreeSet::new();
    while let Some(path) = waiting.pop() {
        if !seen.insert(path.clone()) {
            continue;
        }
        let answer = request(&address, "GET", &path, &[]);
        assert_eq!(answer.status, 200, "{path}");
        let body = text(&answer.body);
        // The parts between quotes and brackets include all links of pages and feed documents.
        let links = body.split(['"', '<', '>']).filter_map(|part| part.strip_prefix("http://").or(Some(part)));
        let links = links.filter_map(|part| part.strip_prefix(&*address).or(Some(part)));
        // `/wire/all` is the section's id in Atom, and not an address.
        waiting.extend(links.filter(|link| link.starts_with("/wire/") && *link != "/wire/all").map(str::to_owned));
    }
    for path in ["/wire/all.atom", "/wire/all/", "/wire/feeds.opml", "/wire/all/archive/1.json", "/wire/style.css"] {
        assert!(seen.contains(path), "{path}: {seen:?}");
    }
    assert!(seen.iter().any(|path| path.starts_with("/wire/story/")));
}

/// Each source, tag and term of a facet has a page and feeds. Those of tags are only on the server and not in the
/// folder.
#[test]
fn new_story_among_many_changes_few_files() {
    let faceted = config("https://news.example.org/").replace("[server]", "facets = [\"region\"]\n[server]");
    let categories = "<category>region:north</category><category>Ships</category></item>";
    let feed = |numbers| feed(numbers).replace("</item>", categories);
    let workspace = Workspace::whole(&faceted);
    workspace.write("a.xml", &feed(0..300));
    output(&workspace.config(), &["poll", "--force"]);
    let (site, _) = published(&workspace);
    let mut found = BTreeSet::new();
    files(&site, &site, &mut found);
    for file in [
        "feeds/a/index.html",
        "feeds/a.atom",
        "tags/region/north/index.html",
        "tags/region/north.atom",
        "all/archive/1/index.html",
    ] {
        assert!(found.contains(file), "{file}: {found:?}");
    }
    assert!(!found.iter().any(|file| file.starts_with("tags/ships")), "{found:?}");

    workspace.write("a.xml", &feed(0..301));
    output(&workspace.config(), &["poll", "--force"]);
    let (_, printed) = published(&workspace);
    let written: usize = printed.split(": ").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap();
    // These are the page of the story; the page and the editions of its section; the pages and feeds of its source and
    // its region; the index, the sitemap and the list of feeds; and an archive document, because the new story pushes
    // an old one out of the section.
    assert!((8..=22).contains(&written), "{printed}");

    let daemon = Daemon::start(&workspace);
    daemon.get_until("/all.json", "Story 300");
    for path in
        ["/feeds/a/", "/feeds/a.atom", "/tags/region/north/", "/tags/ships/", "/tags/ships.atom", "/all/archive/1/"]
    {
        let answer = daemon.get(path);
        assert!(answer.status == 200 && text(&answer.body).contains("Story "), "{path}: {}", answer.status);
    }
    for path in ["/feeds/b/", "/tags/nothing/", "/tags/region/south/", "/tags/other/north/", "/all/archive/99/"] {
        assert_eq!(daemon.get(path).status, 404, "{path}");
    }
    assert!(text(&daemon.get("/all/").body).contains("<a class=\"tag\" href=\"/tags/ships/\">"));
    assert!(!std::fs::read_to_string(site.join("all/index.html")).unwrap().contains("/tags/ships/"));
}
