//! Attribution: the authors, source, rights and address of a story, on every page and in every edition.

use crate::support;

use serde_json::Value;
use support::daemon::*;

/// Creates a workspace with one section of these feeds. Each feed is a file and has its own site.
fn workspace(feeds: &[(&str, &str)]) -> Workspace {
    let mut config = "[site]\nurl = \"https://news.example.org/\"\ntimezone = \"Pacific/Auckland\"\n".to_owned();
    config += "[[section]]\nid = \"all\"\ntitle = \"All\"\nfeeds = [\"*\"]\n";
    for (id, document) in feeds {
        config += &format!("[[feed]]\nid = \"{id}\"\nurl = \"file:{id}.xml\"\nsite = \"https://{id}.example/\"\n");
        assert!(!document.is_empty());
    }
    let workspace = Workspace::whole(&config);
    feeds.iter().for_each(|(id, document)| workspace.write(&format!("{id}.xml"), document));
    workspace
}

/// Polls and publishes; returns the items of the JSON edition.
fn items(workspace: &Workspace) -> Vec<Value> {
    for arguments in [&["poll", "--force"] as &[&str], &["publish", "--out", "site"]] {
        let done = workspace.run(arguments);
        assert_eq!(done.code, 0, "{}", done.err);
    }
    let json: Value = serde_json::from_str(&workspace.read("site/all.json")).unwrap();
    json["items"].as_array().unwrap().clone()
}

fn atom(entries: &str) -> String {
    format!(
        "<feed xmlns=\"http://www.w3.org/2005/Atom\"><id>https://planet.example/feed</id><title>Planet</title>\
         <rights>(c) Planet</rights><author><name>Planet keeper</name></author><updated>2018-01-02T00:00:00Z</updated>\
         <link rel=\"self\" href=\"https://planet.example/feed\"/><link href=\"https://planet.example/\"/>{entries}</feed>"
    )
}

fn entry(number: u32, rest: &str) -> String {
    format!(
        "<entry><id>https://blog.example/{number}</id><title>Story {number}</title><updated>2018-01-0{number}T00:00:00Z\
         </updated><link href=\"https://blog.example/{number}\"/><content>Words of {number}.</content>{rest}</entry>"
    )
}

fn rss(items: &str) -> String {
    format!(
        "<rss version=\"2.0\" xmlns:feedburner=\"http://rssnamespace.org/feedburner/ext/1.0\"><channel><title>Blog</title>\
         <link>https://blog.example/</link><description>d</description>{items}</channel></rss>"
    )
}

#[test]
fn source_of_an_entry_says_nothing_about_the_relaying_feed() {
    let sources = [
        "<source><id>tag:blog.example,2018:feed</id><title>A blog</title></source>",
        "<source><title>Another</title><rights>(c) Another</rights></source>",
        "<source><link rel=\"alternate\" href=\"https://third.example/\"/></source>",
    ];
    let entries: String = (1..).zip(sources).map(|(number, source)| entry(number, source)).collect();
    let items = items(&workspace(&[("planet", &atom(&entries))]));
    let source = |number: usize| {
        let item = items.iter().find(|item| item["title"] == format!("Story {number}")).unwrap();
        let newswire = &item["_newswire"];
        assert!(
            !item.to_string().contains("(c) Planet") && !newswire["source"].to_string().contains("planet"),
            "{item:#}"
        );
        newswire["source"].clone()
    };
    let (first, second, third) = (source(1), source(2), source(3));
    assert_eq!((&first["id"], &first["title"]), (&"tag:blog.example,2018:feed".into(), &"A blog".into()));
    assert_eq!((&first["url"], &first["site"], &first["rights"]), (&Value::Null, &Value::Null, &Value::Null));
    assert_eq!((&second["title"], &second["rights"]), (&"Another".into(), &"(c) Another".into()));
    assert!(second["id"].as_str().unwrap().starts_with("urn:uuid:"), "{second}");
    assert_eq!((&third["title"], &third["site"]), (&"third.example".into(), &"https://third.example/".into()));
}

#[test]
fn link_through_a_feed_proxy_becomes_the_original_link() {
    let item = "<item><guid isPermaLink=\"false\">1</guid><title>Tides</title><description>Words.</description>\
                <link>http://feedproxy.google.com/~r/blog/~3/x/</link>\
                <feedburner:origLink>https://www.blog.example/tides</feedburner:origLink></item>\
                <item><guid isPermaLink=\"false\">2</guid><title>Ebb</title><description>Words of ebb.</description>\
                <link>https://www.google.com/url?sa=t&amp;url=https%3A%2F%2Fwww.ebb.example%2F1</link></item>";
    let workspace = workspace(&[("blog", &rss(item))]);
    let items = items(&workspace);
    let tides = items.iter().find(|item| item["title"] == "Tides").unwrap();
    assert_eq!(tides["url"], "https://www.blog.example/tides");
    let page = |item: &Value| {
        let address = item["_newswire"]["page"].as_str().unwrap().trim_start_matches("https://news.example.org/");
        workspace.read(&format!("site/{address}index.html"))
    };
    let of_tides = page(tides);
    assert!(of_tides.contains("<bdi>blog.example</bdi>") && !of_tides.contains("feedproxy"), "{of_tides}");
    let of_ebb = page(items.iter().find(|item| item["title"] == "Ebb").unwrap());
    assert!(of_ebb.contains("<bdi>ebb.example</bdi>"), "{of_ebb}");
}

#[test]
fn link_to_the_comments_is_not_used_as_the_summary() {
    let item = "<item><guid isPermaLink=\"false\">1</guid><title>Tides</title><link>https://a.example/tides</link>\
                <description>&lt;a href=\"https://a.example/c\"&gt;Comments&lt;/a&gt;</description></item>";
    let workspace = workspace(&[("blog", &rss(item))]);
    assert_eq!(items(&workspace)[0]["summary"], "Read it at a.example.");
    assert!(!workspace.read("site/all/index.html").contains("Comments"));
}

/// The relaying site is polled first, and its copy has the earlier date. Still, the original is the lead (the copy that
/// is shown).
#[test]
fn search_and_explain_show_the_lead_in_the_time_zone_of_the_site() {
    let text = "The harbour board voted on Tuesday evening to reopen the old quay, which has been closed to the public since a \
                crane fell into the water. Fishermen who had argued for the step filled the hall and applauded.";
    let item = |link: &str, title: &str, hour: u32| {
        rss(&format!(
            "<item><guid>{link}</guid><link>{link}</link><title>{title}</title><description>{text}</description>\
             <pubDate>Tue, 02 Jan 2018 {hour:02}:02:00 +0000</pubDate></item>"
        ))
    };
    let origin = "https://origin.example/quay";
    let relayed = item("https://relay.example/7", "Relayed: board reopens the old quay", 6).replace(
        "</item>",
        &format!("<source url=\"https://origin.example/feed\">Origin</source><dc:source xmlns:dc=\"http://purl.org/dc/elements/1.1/\">{origin}</dc:source></item>"),
    );
    let workspace = workspace(&[("relay", &relayed), ("origin", &item(origin, "Board reopens the old quay", 19))]);
    assert_eq!(workspace.run(&["poll", "relay", "--force"]).code, 0);
    let items = items(&workspace);
    assert_eq!(items.len(), 1, "{items:#?}");
    assert_eq!(items[0]["title"], "Board reopens the old quay");
    for words in ["quay", "relayed"] {
        let hits = workspace.json(&["search", words]);
        let hit = (&hits[0]["title"], &hits[0]["link"], &hits[0]["published"]);
        assert_eq!(hit, (&items[0]["title"], &items[0]["url"], &items[0]["date_published"]), "{words}");
    }
    let explained = workspace.run(&["explain", origin]).out;
    assert!(explained.starts_with("Board reopens the old quay\n"), "{explained}");
    assert!(explained.contains("\nPublished 3 January 2018, 08:02.\n"), "{explained}");
    let several = workspace.json(&["explain", origin]);
    assert_eq!(several["story"]["published"], items[0]["date_published"]);
}
