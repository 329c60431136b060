//! `newswire inspect`: how a document was read, for programs and for people.

use newswire::cli::inspect::{print, report};
use newswire::parse::Hints;
use serde_json::{Value, json};

fn as_json(name: &str) -> Value {
    let bytes = std::fs::read(format!("tests/fixtures/parse/{name}")).unwrap();
    serde_json::to_value(report(&bytes, &Hints::default())).unwrap()
}

#[test]
fn json_has_the_keys_that_programs_rely_on() {
    let value = as_json("rdf_newswire.xml");
    assert_eq!(
        (&value["status"], &value["error"], &value["format"], &value["encoding"]),
        (&json!("ok"), &json!(null), &json!("RSS 1.0"), &json!("UTF-8"))
    );
    assert_eq!(value["repairs"], json!([]));
    for key in ["title", "site", "id", "description", "language", "rights", "updated", "authors"] {
        assert!(value["feed"].get(key).is_some(), "{key}");
    }
    let entry = &value["entries"][0];
    for key in [
        "guid",
        "guid_kind",
        "link",
        "title",
        "published",
        "updated",
        "authors",
        "summary_html",
        "content_html",
        "categories",
        "enclosures",
        "language",
        "rights",
        "source",
        "original",
    ] {
        assert!(entry.get(key).is_some(), "{key}");
    }
    assert_eq!(entry["guid_kind"], "guid");
    assert_eq!(entry["published"], "2017-12-20T06:18:00Z");
    assert_eq!(entry["authors"], json!([{"name": "Darius Shahtahmasebi", "email": null, "url": null}]));
    assert_eq!(entry["categories"], json!([{"term": "international / prose / post", "scheme": null, "label": null}]));
    assert_eq!(entry["source"], json!({"title": "Anti-Media", "url": null, "id": null}));
    assert_eq!(entry["original"], "http://theantimedia.example/war-on-isis/");
    assert_eq!(
        as_json("rss_story.xml")["entries"][0]["enclosures"],
        json!([{"url": "http://theantimedia.example/a.mp3", "type": "audio/mpeg", "bytes": 1234}])
    );
}

#[test]
fn refused_document_says_why() {
    let value = serde_json::to_value(report(b"<html><body>hello</body></html>", &Hints::default())).unwrap();
    assert_eq!((&value["status"], &value["error"]), (&json!("refused"), &json!("this is an HTML page, not a feed")));
    assert_eq!(value["entries"], json!([]));
}

#[test]
fn link_without_a_base_is_shown_as_written() {
    let document = b"<rss><channel><item><title>t</title><link>/1</link></item><item><link>javascript:x</link></item></channel></rss>";
    let inspection = report(document, &Hints::default());
    assert_eq!((inspection.entries[0].link.as_deref(), inspection.entries[1].link.as_deref()), (Some("/1"), None));
}

#[test]
fn people_see_format_repairs_and_entries() {
    let bytes = std::fs::read("tests/fixtures/parse/rss_truncated.xml").unwrap();
    let mut out = Vec::new();
    print(&mut out, "cut.xml", &report(&bytes, &Hints::default()), false).unwrap();
    let text = String::from_utf8(out).unwrap();
    assert!(text.starts_with("cut.xml: RSS 2.0, UTF-8\n"), "{text}");
    for line in [
        "  repair   the document ends in mid-air",
        "  entries  1",
        "  no date               Whole",
        "    http://cut.example/1",
    ] {
        assert!(text.contains(line), "{line:?} is not in {text}");
    }
}
