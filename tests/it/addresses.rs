//! Further addresses of the site: aliases of feeds, sitemaps, robots.txt, and what AI services are asked not to do.

use crate::support;

use std::path::PathBuf;

use newswire::config::{self, SourceFile};
use support::daemon::*;

/// Returns a feed with one story that has a link, and one that has none.
fn feed(words: &str) -> String {
    format!(
        "<rss version=\"2.0\"><channel><title>A</title><link>https://a.example/</link><description>d</description>\
         <item><guid isPermaLink=\"false\">1</guid><title>{words} elsewhere</title><link>https://a.example/1</link></item>\
         <item><guid isPermaLink=\"false\">2</guid><title>{words} here</title><description>Only here.</description>\
         <pubDate>Wed, 20 Dec 2017 06:18:00 +0000</pubDate></item></channel></rss>"
    )
}

const FEED: &str = "[[feed]]\nid = \"a\"\nurl = \"file:a.xml\"\nschedule = \"every 1 second\"\n";

/// Returns a running site of one section, whose table has these further lines.
fn site(of_site: &str, of_section: &str) -> (Workspace, Daemon) {
    let config = format!(
        "[site]\nurl = \"https://news.example.org/\"\n{of_site}\n[server]\nlisten = \"127.0.0.1:0\"\n\
         admin = \"127.0.0.1:0\"\n{FEED}[[section]]\nid = \"all\"\nfeeds = [\"*\"]\n{of_section}\n"
    );
    let workspace = Workspace::whole(&config);
    workspace.write("a.xml", &feed("War"));
    let daemon = Daemon::start(&workspace);
    (workspace, daemon)
}

#[test]
fn alias_answers_like_the_document_itself() {
    let aliases = "aliases = { \"/rss20.xml\" = \"rss\", \"/old/feed/\" = \"atom\", \"/list.opml\" = \"opml\" }";
    let (workspace, daemon) = site("", aliases);
    daemon.get_until("/all.rss", "War here");
    for (alias, own) in [("/rss20.xml", "/all.rss"), ("/old/feed/", "/all.atom"), ("/list.opml", "/all.opml")] {
        let [answer, expected] = [alias, own].map(|path| daemon.get(path));
        assert_eq!((answer.status, &answer.body), (200, &expected.body), "{alias}");
        for name in ["content-type", "etag", "last-modified", "cache-control", "access-control-allow-origin"] {
            assert_eq!(answer.header(name), expected.header(name), "{alias}: {name}");
        }
        if let Some(etag) = expected.header("etag") {
            assert_eq!(request(&daemon.site, "GET", alias, &[("If-None-Match", etag)]).status, 304, "{alias}");
        }
    }
    let rss = text(&daemon.get("/rss20.xml").body);
    assert!(rss.contains("href=\"https://news.example.org/all.rss\" rel=\"self\""), "readers learn its address: {rss}");
    let moved = daemon.get("/old/feed");
    assert_eq!((moved.status, moved.header("location")), (308, Some("/old/feed/")));
    assert_eq!(daemon.get("/rss20").status, 404);

    let done = workspace.run(&["publish", "--out", "site"]);
    assert_eq!(done.code, 0, "{}", done.err);
    for (alias, own) in [("rss20.xml", "all.rss"), ("old/feed/index.html", "all.atom"), ("list.opml", "all.opml")] {
        assert_eq!(workspace.read(&format!("site/{alias}")), workspace.read(&format!("site/{own}")), "{alias}");
    }
}

#[test]
fn alias_of_a_private_section_asks_for_its_token() {
    let lines = "aliases = { \"/rss20.xml\" = \"rss\" }\ntoken = \"canary-canary-canary\"";
    let (workspace, daemon) = site("", lines);
    daemon.get_until("/all.rss?token=canary-canary-canary", "War here");
    assert_eq!(daemon.get("/rss20.xml").status, 401);
    let answer = daemon.get("/rss20.xml?token=canary-canary-canary");
    assert!(answer.status == 200 && text(&answer.body).contains("War here"));
    assert_eq!(workspace.run(&["publish", "--out", "site"]).code, 0);
    assert!(!workspace.path("site/rss20.xml").exists());
}

fn problems(text: &str) -> Vec<String> {
    let file = SourceFile { path: PathBuf::from("/srv/newswire.toml"), text: text.to_owned() };
    config::check(&[file], &|_| Err(String::new())).1.iter().map(ToString::to_string).collect()
}

#[test]
fn alias_that_conflicts_with_another_address_is_an_error() {
    let check = |alias: &str, other: &str, expected: Option<&str>| {
        let section = |id: &str, alias: &str| {
            format!("[[section]]\nid = \"{id}\"\nfeeds = [\"*\"]\naliases = {{ \"{alias}\" = \"rss\" }}\n")
        };
        let text = format!("{FEED}{}{}formerly = [\"world\"]\n", section("all", alias), section("other", other));
        let found = problems(&text).join("\n");
        assert_eq!(found.is_empty(), expected.is_none(), "{alias}: {found}");
        assert!(found.contains(expected.unwrap_or_default()), "{alias}: {found}");
    };
    let own = Some("is an address of the site itself, so it cannot be an alias");
    for alias in [
        "/all.rss",
        "/other.opml",
        "/world.atom",
        "/all/",
        "/all",
        "/all/archive/1.rss",
        "/all/top/",
        "/all/daily.atom",
        "/feeds/a/",
        "/story/x/",
        "/about/",
        "/search",
        "/robots.txt",
        "/sitemap.xml",
        "/sitemap-2.xml",
        "/feeds.opml",
        "/style.css/x",
        "/all.rss/x",
        "/tags/x.atom",
    ] {
        check(alias, "/free.xml", own);
    }
    for alias in ["/rss.xml", "/feed/", "/feed", "/all.xml", "/all/feed/", "/index.xml", "/atom.xml", "/c/news/rss2.0"]
    {
        check(alias, "/free.xml", None);
    }
    check("/free.xml", "/free.xml", Some("the alias `/free.xml` is used twice"));
    check("/feed", "/feed/", Some("`/feed/` cannot be an alias beside `/feed`"));
    for alias in ["rss.xml", "/", "/../x", "/a//b", "/.hidden", "/x?format=rss", "/a b", "https://a.example/rss"] {
        check(alias, "/free.xml", Some("an alias is a path"));
    }
    let wrong = format!("{FEED}[[section]]\nid = \"all\"\nfeeds = [\"*\"]\naliases = {{ \"/x\" = \"rdf\" }}\n");
    assert!(problems(&wrong)[0].contains("expected one of \"atom\", \"rss\", \"json\", \"opml\""), "{wrong}");
}

/// The page of a story that has an original elsewhere names that original as canonical, so no sitemap lists it.
#[test]
fn sitemap_lists_stories_that_have_no_other_address() {
    let (workspace, daemon) = site("", "");
    daemon.get_until("/all.json", "War here");
    let sitemap = text(&daemon.get("/sitemap.xml").body);
    assert_eq!(sitemap.matches("/story/").count(), 1, "{sitemap}");
    let address = |slug: &str| format!("<loc>https://news.example.org/story/{slug}");
    assert!(sitemap.contains(&address("war-here-")) && !sitemap.contains(&address("war-elsewhere-")), "{sitemap}");
    let story = sitemap.split(&address("war-here-")).nth(1).unwrap().split("</url>").next().unwrap();
    assert!(story.contains("<lastmod>20"), "{sitemap}");
    assert_eq!(daemon.get("/sitemap-1.xml").status, 404, "one sitemap has room for all");
    workspace.write(
        "a.xml",
        &feed("War").replace(
            "<item><guid isPermaLink=\"false\">1<",
            "<item><title>New here</title></item>\
        <item><guid isPermaLink=\"false\">1<",
        ),
    );
    daemon.get_until("/sitemap.xml", "/story/new-here-");
    assert_eq!(workspace.run(&["publish", "--out", "site"]).code, 0);
    let in_folder = workspace.read("site/sitemap.xml");
    assert!(in_folder.contains(&address("new-here-")) && in_folder.contains(&address("war-here-")), "{in_folder}");
}

#[test]
fn ai_services_are_asked_for_nothing_unless_the_site_says_so() {
    let robots = |of_site: &str| {
        let (_workspace, daemon) = site(of_site, "");
        daemon.get_until("/all.json", "War here");
        for path in ["/", "/all.atom", "/robots.txt", "/nothing"] {
            let reserves = (!of_site.is_empty()).then_some("1");
            assert_eq!(daemon.get(path).header("tdm-reservation"), reserves, "{of_site}: {path}");
        }
        let page = text(&daemon.get("/all/").body);
        assert_eq!(page.contains("<meta name=\"tdm-reservation\" content=\"1\">"), !of_site.is_empty(), "{page}");
        text(&daemon.get("/robots.txt").body)
    };
    let anyone = "User-agent: *\nDisallow:\nSitemap: https://news.example.org/sitemap.xml\n";
    assert_eq!(robots(""), anyone);
    let (training, everything) = (robots("ai = \"no-training\""), robots("ai = \"none\""));
    for robots in [&training, &everything] {
        assert!(
            robots.ends_with(&format!("Disallow: /\n\n{anyone}")) && robots.contains("User-agent: GPTBot\n"),
            "{robots}"
        );
    }
    assert!(!training.contains("OAI-SearchBot") && everything.contains("User-agent: OAI-SearchBot\n"), "{training}");
}

#[test]
fn check_warns_when_crawlers_cannot_find_what_robots_txt_refuses() {
    let warnings = |url: &str| problems(&format!("[site]\nurl = \"{url}\"\nai = \"none\"\n"));
    assert_eq!(warnings("https://news.example.org/"), Vec::<String>::new());
    let found = warnings("https://example.org/wire/");
    assert!(found[0].contains("at the root of example.org, and newswire serves it under /wire/"), "{found:?}");
}
