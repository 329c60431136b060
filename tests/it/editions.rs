//! What a feed says is in every published format too: ids, sources, dates, titles and links.

use crate::support;

use std::collections::BTreeSet;

use serde_json::Value;
use support::daemon::*;

/// Creates a workspace with one section of these feeds, which are files next to the config.
fn workspace(feeds: &[(&str, &str)]) -> Workspace {
    let mut config = "[site]\nurl = \"https://news.example.org/\"\n".to_owned();
    config += "[[section]]\nid = \"all\"\ntitle = \"All\"\nfeeds = [\"*\"]\n";
    for (id, _) in feeds {
        config += &format!("[[feed]]\nid = \"{id}\"\nurl = \"file:{id}.xml\"\n");
    }
    let workspace = Workspace::whole(&config);
    feeds.iter().for_each(|(id, document)| workspace.write(&format!("{id}.xml"), document));
    workspace
}

/// Polls the feeds and publishes the section. Returns the section as Atom, RSS and JSON.
fn editions(workspace: &Workspace) -> [String; 3] {
    let site = workspace.folder.path().join("site");
    for arguments in [&["poll", "--force"] as &[&str], &["publish", "--out", site.to_str().unwrap()]] {
        let done = output(&workspace.config(), arguments);
        assert!(done.status.success(), "{}", text(&done.stderr));
    }
    ["all.atom", "all.rss", "all.json"].map(|file| std::fs::read_to_string(site.join(file)).unwrap())
}

fn items(json: &str) -> Vec<Value> {
    serde_json::from_str::<Value>(json).unwrap()["items"].as_array().unwrap().clone()
}

/// Returns an Atom feed of these entries. `head` holds attributes of its root element.
fn atom(head: &str, entries: &str) -> String {
    format!(
        "<feed xmlns=\"http://www.w3.org/2005/Atom\" {head}><id>https://x.example/feed</id><title>X</title>\
         <updated>2017-12-20T06:18:00Z</updated><link href=\"https://x.example/\"/>{entries}</feed>"
    )
}

fn entry(id: &str, title: &str, rest: &str) -> String {
    format!(
        "<entry><id>{id}</id>{title}<updated>2017-12-20T06:18:00Z</updated>\
         <published>2017-12-20T06:18:00Z</published>{rest}</entry>"
    )
}

fn story(number: u32, id: &str) -> String {
    let link = format!("<link href=\"https://x.example/{number}\"/>");
    entry(id, &format!("<title>Story {number}</title>"), &format!("{link}<content>Words of {number}.</content>"))
}

#[test]
fn ids_that_differ_in_one_letter_stay_distinct_and_none_is_used_twice() {
    let spelled = [story(1, "http://x.example/A"), story(2, "http://x.example/a"), story(3, "http://x.example/%7Ea")];
    let first = atom("", &(spelled.concat() + &story(4, "http://x.example/~a") + &story(5, "post 5")));
    let second = atom("", &story(6, "http://x.example/A")).replace("https://x.example/6", "https://y.example/6");
    let ids = |workspace: &Workspace| -> Vec<BTreeSet<String>> {
        editions(workspace)
            .map(|edition| {
                let read = feed_rs::parser::parse(edition.as_bytes()).unwrap();
                let ids: BTreeSet<String> = read.entries.iter().map(|entry| entry.id.clone()).collect();
                assert_eq!(ids.len(), 6, "{edition}");
                ids
            })
            .into()
    };
    let feeds = [("first", &*first), ("second", &*second)];
    let seen = ids(&workspace(&feeds));
    for id in ["http://x.example/A", "http://x.example/a", "http://x.example/~a"] {
        assert!(seen[0].contains(id), "{id}: {seen:?}");
    }
    // Three stories do not keep their guid as their id. Validators warn about `%7E`, because it is another spelling of
    // `~`; `post 5` is not a URI; and the guid of the sixth story is used already.
    assert_eq!(seen[0].iter().filter(|id| id.starts_with("urn:uuid:")).count(), 3, "{seen:?}");
    assert!(seen.iter().all(|ids| *ids == seen[0]), "all formats give the same ids");
    let kept =
        |seen: &[BTreeSet<String>]| seen[0].iter().filter(|id| id.starts_with("http")).cloned().collect::<Vec<_>>();
    assert_eq!(kept(&ids(&workspace(&feeds))), kept(&seen), "another store gives the same ids");
}

#[test]
fn each_entry_names_its_feed_and_keeps_the_source_that_it_named() {
    let named = "<source><id>https://origin.example/feed</id><title>The Origin</title>\
                 <updated>2017-12-19T00:00:00Z</updated><link rel=\"self\" href=\"https://origin.example/feed\"/></source>";
    let taken = entry("https://origin.example/1", "<title>Taken over</title>", named);
    let planet = atom("", &taken).replace("<title>X</title>", "<title>Planet</title>");
    let own = atom("", &story(2, "https://x.example/2"));
    let [atom, rss, json] = editions(&workspace(&[("planet", &planet), ("own", &own)]));
    let sources: BTreeSet<String> = items(&json)
        .iter()
        .map(|item| format!("{}: {}", item["title"], item["_newswire"]["source"]["title"]))
        .collect();
    assert_eq!(sources, ["\"Story 2\": \"X\"", "\"Taken over\": \"The Origin\""].map(str::to_owned).into());
    for part in ["<id>https://origin.example/feed</id>", "<updated>2017-12-19T00:00:00+00:00</updated>"] {
        assert!(atom.contains(part), "{part}: {atom}");
    }
    assert!(rss.contains("<source url=\"https://origin.example/feed\">The Origin</source>"), "{rss}");
}

#[test]
fn changes_of_dates_alone_change_no_edition_and_future_dates_are_not_trusted() {
    let document = |updated: &str| {
        let future = story(2, "https://x.example/2").replace("2017-12-20T06:18", "2099-01-01T00:00");
        let moving = story(1, "https://x.example/1").replace("<updated>2017-12-20T06:18:00Z", updated);
        atom("", &(moving + &future))
    };
    let workspace = workspace(&[("x", &document("<updated>2017-12-20T06:18:00Z"))]);
    let before = editions(&workspace);
    for item in items(&before[2]) {
        assert!(item["date_published"].as_str().unwrap() < "2099", "{item:#}");
    }
    for minute in 0..50 {
        workspace.write("x.xml", &document(&format!("<updated>2018-01-01T00:{minute:02}:00Z")));
        assert!(output(&workspace.config(), &["poll", "--force"]).status.success());
    }
    assert_eq!(editions(&workspace), before);
}

/// Atom `title` elements, and the plain text that each one means.
const TITLES: [(&str, &str); 12] = [
    ("<title>War &amp; peace</title>", "War & peace"),
    ("<title type=\"text\">AT&amp;T</title>", "AT&T"),
    ("<title type=\"text\">write &amp;amp; so</title>", "write &amp; so"),
    ("<title type=\"text\">a &lt;b&gt;bold&lt;/b&gt; claim</title>", "a <b>bold</b> claim"),
    ("<title type=\"text\">5 &lt; 6 &gt; 4</title>", "5 < 6 > 4"),
    ("<title type=\"html\">a &lt;b&gt;bold&lt;/b&gt; claim</title>", "a bold claim"),
    ("<title type=\"html\">AT&amp;amp;T</title>", "AT&T"),
    ("<title type=\"html\">&amp;lt;b&amp;gt; is a tag</title>", "<b> is a tag"),
    ("<title type=\"html\"><![CDATA[caf&eacute; &#8212; open]]></title>", "café — open"),
    (
        "<title type=\"xhtml\"><div xmlns=\"http://www.w3.org/1999/xhtml\">less <em>is</em> &lt; more</div></title>",
        "less is < more",
    ),
    ("<title>]]&gt; שלום 👩🏽‍🚒</title>", "]]> שלום 👩🏽‍🚒"),
    ("<title>\"quoted\" &amp; 'so'</title>", "\"quoted\" & 'so'"),
];

/// Returns the text that a reader shows if it takes a title for HTML.
fn shown(title: &str) -> String {
    html_escape::decode_html_entities(&ammonia::Builder::empty().clean(title).to_string()).into_owned()
}

#[test]
fn titles_are_shown_as_the_feed_means_them_in_every_format() {
    for (title, meant) in TITLES {
        let document = atom("", &entry("https://x.example/1", title, "<link href=\"https://x.example/1\"/>"));
        let [atom, rss, json] = editions(&workspace(&[("x", &document)]));
        assert_eq!(items(&json)[0]["title"], meant, "{title}");
        for edition in [&atom, &rss] {
            let read = feed_rs::parser::parse(edition.as_bytes()).unwrap();
            let title = read.entries[0].title.as_ref().unwrap();
            let is_html = title.content_type.subty() == "html" || (*edition == rss && title.content != meant);
            let seen = if is_html { shown(&title.content) } else { title.content.clone() };
            assert_eq!(seen, meant, "{edition}");
        }
    }
}

#[test]
fn links_within_a_site_become_absolute() {
    let content = "<content type=\"html\">&lt;img src=\"/a.png\" srcset=\"b.png 2x\"&gt; &lt;a href=\"../c\"&gt;c&lt;/a&gt;</content>\
                   <link href=\"1\"/><link rel=\"enclosure\" type=\"audio/mpeg\" href=\"/d.mp3\"/>";
    let document =
        atom("xml:base=\"https://x.example/dir/sub/\"", &entry("https://x.example/1", "<title>T</title>", content));
    let [atom, rss, json] = editions(&workspace(&[("x", &document)]));
    let item = &items(&json)[0];
    assert_eq!(item["url"], "https://x.example/dir/sub/1");
    assert_eq!(item["attachments"][0]["url"], "https://x.example/d.mp3");
    let candidate = "https://x.example/dir/sub/b.png 2x";
    for whole in ["https://x.example/a.png", candidate, "https://x.example/dir/c", "https://x.example/d.mp3"] {
        assert!(atom.contains(whole) && rss.contains(whole) && json.contains(whole), "{whole}: {json}");
    }
}

/// Each entry gives its picture in another element. Pages load the pictures over https. Editions have their addresses
/// as the feed wrote them.
#[test]
fn picture_of_an_entry_is_on_pages_and_in_every_format() {
    let avatar = "<media:content medium=\"image\" url=\"https://secure.gravatar.com/avatar/1\"/>";
    let pixel = "&lt;img src=\"http://x.example/p.gif\" width=\"1\" height=\"1\"&gt;";
    let pictures = [
        "<media:content medium=\"image\" url=\"http://x.example/content.jpg\"/>".to_owned(),
        "<media:group><media:content medium=\"image\" url=\"http://x.example/group.jpg\"/></media:group>".to_owned(),
        "<link rel=\"enclosure\" type=\"image/jpeg\" href=\"http://x.example/enclosure.jpg\"/>".to_owned(),
        format!(
            "{avatar}<content type=\"html\">{pixel}&lt;p&gt;&lt;img src=\"http://x.example/inline.jpg\"&gt;&lt;/p&gt;</content>"
        ),
    ];
    let names = ["content", "group", "enclosure", "inline"];
    let entries: String = pictures
        .iter()
        .zip(names)
        .map(|(picture, name)| entry(&format!("urn:x:{name}"), &format!("<title>{name}</title>"), picture))
        .collect();
    let none = entry("urn:x:none", "<title>None</title>", &format!("{avatar}<content type=\"html\">{pixel}</content>"));
    let document = atom("xmlns:media=\"http://search.yahoo.com/mrss/\"", &(entries + &none));
    let workspace = workspace(&[("x", &document)]);
    let [in_atom, in_rss, in_json] = editions(&workspace);
    let page = || std::fs::read_to_string(workspace.folder.path().join("site/all/index.html")).unwrap();
    let shown = page();
    for name in names {
        let address = format!("http://x.example/{name}.jpg");
        let thumbnail = format!("<media:thumbnail url=\"{address}\"");
        assert!(in_atom.contains(&thumbnail) && in_rss.contains(&thumbnail), "{name}: {in_atom}");
        assert!(items(&in_json).iter().any(|item| item["image"] == *address), "{name}: {in_json}");
        let img = shown.split("<img").find(|img| img.contains(&format!("src=\"https://x.example/{name}.jpg\"")));
        for attribute in ["loading=\"lazy\"", "width=\"", "height=\"", "referrerpolicy=\"no-referrer\""] {
            assert!(img.is_some_and(|img| img.contains(attribute)), "{name}, {attribute}: {shown}");
        }
    }
    assert_eq!(items(&in_json).iter().filter(|item| item["image"].is_string()).count(), names.len(), "{in_json}");
    assert!(!shown.contains("gravatar") && !shown.contains("p.gif"), "{shown}");

    let config = std::fs::read_to_string(workspace.config()).unwrap();
    std::fs::write(workspace.config(), config.replace("[site]\n", "[site]\npictures = false\n")).unwrap();
    assert!(
        editions(&workspace)[0].contains("<media:thumbnail"),
        "editions keep the pictures, because readers choose for themselves"
    );
    assert!(!page().contains("<img"), "{}", page());
}
