//! A second newswire reads what the first publishes, and a third reads from the second. No story loses anything, and
//! none is attributed to a newswire that only passed it on.

use crate::support;

use serde_json::{Value, json};
use support::daemon::*;

/// The feed of an aggregator. Its entries name their sources, some with all details and some with few.
const PLANET: &str = r#"<feed xmlns="http://www.w3.org/2005/Atom" xmlns:thr="http://purl.org/syndication/thread/1.0">
<id>https://planet.example/feed</id><title>Planet</title><updated>2018-01-09T00:00:00Z</updated><rights>(c) Planet</rights>
<author><name>Planet keeper</name></author><link rel="self" href="https://planet.example/feed"/>
<entry><id>tag:ada.example,2018:1</id><title>Whole &amp; signed</title><link href="https://ada.example/1"/>
<published>2018-01-01T08:00:00Z</published><updated>2018-01-01T09:00:00Z</updated><content type="html">&lt;p&gt;Words of one.&lt;/p&gt;</content>
<author><name>Ada</name><email>ada@ada.example</email><uri>https://ada.example/</uri></author><author><name>Bo</name></author>
<contributor><name>gail</name><uri>https://gail.example/</uri></contributor>
<category term="north" scheme="https://ada.example/region" label="The North"/><category term="plain"/>
<link rel="via" href="https://found.example/7" title="Found"/><link rel="license" href="https://creativecommons.org/licenses/by/4.0/"/>
<link rel="enclosure" href="https://ada.example/1.ogg" type="audio/ogg" length="1234" title="The talk"/>
<link rel="enclosure" href="https://ada.example/1.pdf" type="application/pdf"/>
<link rel="replies" type="text/html" href="https://ada.example/1#replies"/><rights>(c) Ada</rights>
<thr:in-reply-to ref="urn:question:1" href="https://questions.example/1"/>
<source><id>tag:ada.example,2018:feed</id><title>Ada's notes</title><updated>2018-01-01T09:00:00Z</updated>
<link rel="self" href="https://ada.example/feed"/><link rel="alternate" href="https://ada.example/"/>
<author><name>The Adas</name><email>all@ada.example</email></author><rights>(c) The Adas</rights></source></entry>
<entry><id>https://bea.example/2</id><title>Source without an address</title><link href="https://bea.example/2"/>
<updated>2018-01-02T08:00:00Z</updated><summary>Words of two.</summary><source><id>tag:bea.example,2018:feed</id><title>Bea</title></source></entry>
<entry><id>https://cy.example/3</id><title>Source with a title</title><link href="https://cy.example/3"/>
<updated>2018-01-03T08:00:00Z</updated><summary>Words of three.</summary><source><title>Cy</title></source></entry>
<entry><id>https://di.example/4</id><title>Source with an author</title><link href="https://di.example/4"/>
<updated>2018-01-04T08:00:00Z</updated><summary>Words of four.</summary><source><author><name>Di</name></author></source></entry>
</feed>"#;

/// The feed of a site. [`RELAY`] republishes one of its stories, which has credits that are not authors.
const PRESS: &str = r#"<rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:media="http://search.yahoo.com/mrss/"
 xmlns:cc="http://backend.userland.com/creativeCommonsRssModule" xmlns:atom="http://www.w3.org/2005/Atom"><channel><title>Press</title>
<link>https://press.example/</link><description>d</description><copyright>(c) Press</copyright>
<atom:link rel="self" href="https://press.example/feed"/>
<item><guid isPermaLink="false">press 5</guid><link>https://press.example/5</link><title>Harbour reopens</title><dc:creator>Jane Doe</dc:creator>
<dc:creator>Joe Bloggs</dc:creator><dc:contributor>desk</dc:contributor><media:credit>Photograph: Alex Wong</media:credit>
<category domain="https://press.example/topics">ships</category><category>sea</category><description>The harbour reopens on Monday.</description>
<pubDate>Fri, 05 Jan 2018 08:00:00 +0000</pubDate><cc:license>https://creativecommons.org/licenses/by-nc/4.0/</cc:license>
<comments>https://press.example/5#c</comments><media:content url="https://press.example/5.mp4" type="video/mp4" fileSize="99" duration="60"><media:title>The film</media:title></media:content></item>
<item><guid isPermaLink="false">press 6</guid><link>https://press.example/6</link><title>Unsigned</title><description>Nobody signed this one.</description>
<pubDate>Sat, 06 Jan 2018 08:00:00 +0000</pubDate></item></channel></rss>"#;

const RELAY: &str = r#"<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/"
 xmlns:dc="http://purl.org/dc/elements/1.1/"><channel rdf:about="https://relay.example/rdf"><title>Relay</title><link>https://relay.example/</link></channel>
<item rdf:about="https://relay.example/5"><title>Harbour reopens</title><link>https://relay.example/5</link>
<description>The harbour reopens on Monday.</description><dc:creator>by Jane Doe via gail - Press</dc:creator>
<dc:date>2018-01-05T09:00:00Z</dc:date><dc:source>https://press.example/5</dc:source><dc:rights>Copyright applies.</dc:rights></item>
<item rdf:about="https://relay.example/8"><title>Only relayed</title><link>https://relay.example/8</link><description>Nobody else has it.</description>
<dc:creator>by Kim via gail - The Gazette</dc:creator><dc:date>2018-01-08T09:00:00Z</dc:date></item></rdf:RDF>"#;

/// Creates a newswire with these feeds, polls them and publishes. Returns its workspace.
fn newswire(name: &str, feeds: &[(&str, &str)]) -> Workspace {
    newswire_with(name, feeds, "author")
}

/// Creates the same newswire with this value of the section's `source_in`.
fn newswire_with(name: &str, feeds: &[(&str, &str)], source_in: &str) -> Workspace {
    let mut config =
        format!("[site]\nurl = \"https://{name}.example/\"\ntitle = \"{name}\"\nrights = \"(c) {name}\"\n");
    config += "[[section]]\nid = \"all\"\ntitle = \"All\"\nfeeds = [\"*\"]\n";
    config += &format!("source_in = \"{source_in}\"\n");
    for (file, _) in feeds {
        let id = file.split('.').next().unwrap();
        config += &format!("[[feed]]\nid = \"{id}\"\nurl = \"file:{file}\"\nsite = \"https://{id}.example/\"\n");
    }
    let workspace = Workspace::whole(&config);
    feeds.iter().for_each(|(file, document)| workspace.write(file, document));
    for arguments in [&["poll", "--force"] as &[&str], &["publish", "--out", "site"]] {
        let done = workspace.run(arguments);
        assert_eq!(done.code, 0, "{}", done.err);
    }
    workspace
}

/// Returns only these members of an object, or of every object in a list.
fn only(value: &Value, members: &[&str]) -> Value {
    let object = |value: &Value| -> Value {
        members.iter().filter_map(|member| Some(((*member).to_owned(), value.get(*member)?.clone()))).collect()
    };
    match value.as_array() {
        Some(list) => list.iter().map(object).collect(),
        None if value.is_null() => Value::Null,
        None => object(value),
    }
}

/// Returns the stories of a newswire, as far as the format can express them.
fn stories(workspace: &Workspace, format: &str) -> Vec<Value> {
    let edition: Value = serde_json::from_str(&workspace.read("site/all.json")).unwrap();
    let is_rss = format == "rss";
    let story = |item: &Value| {
        let ours = &item["_newswire"];
        let people: &[&str] = if is_rss { &["name"] } else { &["name", "url", "email"] };
        let authors = ours.get("authors").unwrap_or(&item["authors"]);
        let mut source = if is_rss { only(&ours["source"], &["title", "url"]) } else { ours["source"].clone() };
        if let Some(authors) = source.get("authors") {
            source["authors"] = only(authors, people);
        }
        let others: Value =
            ours["copies"].as_array().unwrap().iter().filter(|copy| copy["lead"] == false).cloned().collect();
        let copy: &[&str] = if format == "json" { &["feed", "title", "url", "published"] } else { &["url"] };
        json!({
            "id": item["id"], "link": item["url"], "title": item["title"], "published": item["date_published"],
            "updated": item["date_modified"], "authors": only(authors, people), "via": only(&ours["via"], people),
            "categories": only(&ours["categories"], if is_rss { &["term", "scheme"] } else { &["term", "scheme", "label"] }),
            "enclosures": item["attachments"], "rights": ours["rights"], "licence": ours["license"], "source": source,
            "copies": only(&others, copy), "comments": ours["comments"], "in_reply_to": ours["in_reply_to"],
            "credits": ours["credits"], "byline": ours["byline"],
        })
    };
    edition["items"].as_array().unwrap().iter().map(story).collect()
}

#[test]
fn stories_are_the_same_in_a_second_newswire_and_in_a_third() {
    let first = newswire("first", &[("planet.xml", PLANET), ("press.xml", PRESS), ("relay.xml", RELAY)]);
    let read = stories(&first, "json");
    assert_eq!(read.len(), 7, "{read:#?}");
    let of = |title: &str| read.iter().find(|story| story["title"] == title).unwrap();
    assert_eq!(of("Whole & signed")["source"]["authors"][0]["email"], "all@ada.example");
    assert_eq!(of("Whole & signed")["copies"][0]["url"], "https://found.example/7");
    assert_eq!(of("Harbour reopens")["copies"][0]["url"], "https://relay.example/5");
    assert_eq!(of("Harbour reopens")["byline"], "by Jane Doe, Joe Bloggs via desk - Press");
    assert_eq!(of("Source with an author")["source"]["title"], "Unknown source");
    for format in ["atom", "rss", "json"] {
        let edition = |workspace: &Workspace| workspace.read(&format!("site/all.{format}"));
        assert_relations(&first, "first");
        let file = format!("wire.{format}");
        let second = newswire("second", &[(file.as_str(), &edition(&first))]);
        let third = newswire("third", &[(file.as_str(), &edition(&second))]);
        let expected = stories(&first, format);
        for (workspace, name) in [(&second, "second"), (&third, "third")] {
            assert_relations(workspace, name);
            let found = stories(workspace, format);
            assert_eq!(found.len(), expected.len(), "{format}, {name}");
            for (found, expected) in found.iter().zip(&expected) {
                for (field, value) in expected.as_object().unwrap() {
                    assert_eq!(found[field], *value, "{format}, {name}: {field} of {}", expected["title"]);
                }
            }
        }
    }
}

/// Asserts that `via` leads to the page through which an author found a story, and to no other copy.
fn assert_relations(workspace: &Workspace, name: &str) {
    for (format, element) in [("atom", "link"), ("rss", "atom:link")] {
        let document = workspace.read(&format!("site/all.{format}"));
        let is_linked = |rel: &str, href: &str| {
            let [tag, rel, href] = [format!("<{element} "), format!("rel=\"{rel}\""), format!("href=\"{href}\"")];
            let mut links = document.split(&tag).skip(1).map(|rest| rest.split('>').next().unwrap());
            links.any(|link| link.contains(&rel) && link.contains(&href))
        };
        let copy = format!("https://{name}.example/about/#copy");
        assert!(
            is_linked("via", "https://found.example/7") && !is_linked(&copy, "https://found.example/7"),
            "{document}"
        );
        assert!(
            is_linked(&copy, "https://relay.example/5") && !is_linked("via", "https://relay.example/5"),
            "{document}"
        );
    }
}

/// Until now, `via` also led to other copies. What was published then is still read.
#[test]
fn copies_that_an_earlier_version_linked_as_via_are_read_as_other_copies() {
    let planet = PLANET.replace("https://found.example/7", "https://relay.example/5");
    let read = newswire("first", &[("planet.xml", &planet)]);
    let edition: Value = serde_json::from_str(&read.read("site/all.json")).unwrap();
    let item = edition["items"].as_array().unwrap().iter().find(|item| item["title"] == "Whole & signed").unwrap();
    assert!(item["_newswire"]["copies"].to_string().contains("https://relay.example/5"), "{item:#}");
}

/// What readers see of the publication is not what another newswire reads: it takes the story as its source wrote it.
#[test]
fn publication_that_a_newswire_adds_is_taken_off_when_it_is_read_back() {
    let feeds = [("planet.xml", PLANET), ("press.xml", PRESS), ("relay.xml", RELAY)];
    let seen = |workspace: &Workspace, format: &str| -> Vec<Value> {
        let edition: Value = serde_json::from_str(&workspace.read("site/all.json")).unwrap();
        let people: &[&str] = if format == "rss" { &["name"] } else { &["name", "url"] };
        let item = |item: &Value| {
            json!({ "url": item["url"], "title": item["title"], "authors": only(&item["authors"], people),
                "html": item["content_html"], "byline": item["_newswire"]["byline"] })
        };
        edition["items"].as_array().unwrap().iter().map(item).collect()
    };
    let plain = newswire_with("first", &feeds, "none");
    for place in ["author", "title", "content"] {
        let first = newswire_with("first", &feeds, place);
        assert_ne!(seen(&first, "json"), seen(&plain, "json"), "{place}");
        for format in ["atom", "rss", "json"] {
            let file = format!("wire.{format}");
            let second = newswire_with("second", &[(&file, &first.read(&format!("site/all.{format}")))], "none");
            assert_eq!(seen(&second, format), seen(&plain, format), "{place}, {format}");
        }
    }
}
