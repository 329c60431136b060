//! `newswire inspect`: how a document is read, for programs and for people.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};

use crate::support;

use support::origin::{Origin, Reply};
use support::workspace::{Workspace, command_output, rss};

fn inspect(document: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_newswire"));
    command.arg("inspect").args(arguments).arg(document).env_remove("RUST_LOG").output().unwrap()
}

fn as_json(name: &str) -> Value {
    let output = inspect(&Path::new("tests/fixtures/parse").join(name), &["--json"]);
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Inspects a document of these bytes; returns the output and the exit code.
fn inspect_bytes(bytes: &[u8]) -> (Value, Option<i32>) {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), bytes).unwrap();
    let output = inspect(file.path(), &["--json"]);
    (serde_json::from_slice(&output.stdout).unwrap(), output.status.code())
}

#[test]
fn json_has_the_keys_that_programs_rely_on() {
    let value = as_json("rdf_newswire.xml");
    assert_eq!(
        (&value["status"], &value["error"], &value["format"], &value["encoding"]),
        (&json!("ok"), &json!(null), &json!("RSS 1.0"), &json!("UTF-8"))
    );
    assert_eq!(value["repairs"], json!([]));
    for key in [
        "title",
        "site",
        "id",
        "description",
        "language",
        "rights",
        "license",
        "updated",
        "authors",
        "image",
        "self_link",
        "hubs",
        "cloud",
        "next",
        "prev_archive",
        "hints",
    ] {
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
        "comments",
        "license",
        "in_reply_to",
        "credits",
        "podcast",
    ] {
        assert!(entry.get(key).is_some(), "{key}");
    }
    assert_eq!(entry["guid_kind"], "guid");
    assert_eq!(entry["published"], "2017-12-20T06:18:00Z");
    assert_eq!(entry["authors"], json!([{"name": "Darius Shahtahmasebi", "email": null, "url": null}]));
    assert_eq!(entry["categories"], json!([{"term": "international / prose / post", "scheme": null, "label": null}]));
    assert_eq!(
        entry["source"],
        json!({"title": "Anti-Media", "url": null, "id": null, "site": null, "updated": null, "authors": [], "rights": null})
    );
    assert_eq!(entry["original"], "http://theantimedia.example/war-on-isis/");
    assert_eq!(
        as_json("rss_story.xml")["entries"][0]["enclosures"],
        json!([{"url": "http://theantimedia.example/a.mp3", "type": "audio/mpeg", "bytes": 1234, "duration_seconds": null, "title": null}])
    );
}

#[test]
fn json_shows_what_republishing_needs() {
    let feed = as_json("rss_story.xml")["feed"].clone();
    assert_eq!(
        feed["hints"],
        json!({"ttl_seconds": 3600, "period_seconds": 21600, "skip_hours": [0, 3], "skip_days": [6]})
    );
    assert_eq!(
        (&feed["self_link"], &feed["hubs"]),
        (&json!("http://theantimedia.example/feed/"), &json!(["https://hub.example.org/"]))
    );
    let credits = as_json("rss_credits.xml");
    assert_eq!(credits["feed"]["cloud"], "http://rpc.cast.example:5337/pleaseNotify");
    assert_eq!(
        credits["entries"][1]["credits"],
        json!([{"name": "Bo & Cy", "role": "guest"}, {"name": "Di", "role": "producer"}, {"name": "Ed", "role": "author"}])
    );
    let thread = &as_json("atom_thread.xml")["entries"][0];
    assert_eq!(thread["in_reply_to"], json!([{"id": "urn:questions:1", "url": "https://questions.example/1"}]));
    assert_eq!(thread["license"], "https://creativecommons.org/publicdomain/zero/1.0/");
    assert_eq!(as_json("rss_podcast.xml")["entries"][0]["podcast"]["chapters"]["url"], "http://pod.example/1.json");
}

#[test]
fn refused_document_says_why() {
    let (value, code) = inspect_bytes(b"<html><body>hello</body></html>");
    assert_eq!((&value["status"], &value["error"]), (&json!("refused"), &json!("this is an HTML page, not a feed")));
    assert_eq!((&value["entries"], code), (&json!([]), Some(1)));
}

#[test]
fn link_without_a_base_is_shown_as_written() {
    let document = b"<rss><channel><item><title>t</title><link>/1</link></item><item><link>javascript:x</link></item></channel></rss>";
    let (value, code) = inspect_bytes(document);
    assert_eq!(
        (&value["entries"][0]["link"], &value["entries"][1]["link"], code),
        (&json!("/1"), &json!(null), Some(0))
    );
}

#[test]
fn links_are_relative_to_the_address_that_the_document_gives_itself() {
    let entry = |document: &str| inspect_bytes(document.as_bytes()).0["entries"][0].clone();
    let enclosure = |document: &str| entry(document)["enclosures"][0]["url"].clone();
    let atom = "<feed xmlns='http://www.w3.org/2005/Atom'><link href='https://a.example/'/><link rel='self' href='https://a.example/dir/feed'/>
        <entry><id>1</id><link href='1.html'/><link rel='enclosure' href='1.mp3'/><content type='html'>&lt;img src='1.png'></content></entry></feed>";
    assert_eq!(enclosure(atom), "https://a.example/dir/1.mp3");
    assert_eq!(entry(atom)["content_html"], "<img src=\"https://a.example/dir/1.png\">");
    assert_eq!(entry(atom)["link"], "1.html", "as written");
    let rss = "<rss><channel><link>https://a.example/b/</link><item><link>1</link><enclosure url='1.mp3'/></item></channel></rss>";
    assert_eq!(
        (enclosure(rss), entry(rss)["link"].clone()),
        (json!("https://a.example/b/1.mp3"), json!("https://a.example/b/1"))
    );
    let json = r#"{"version":"https://jsonfeed.org/version/1","feed_url":"https://a.example/c/feed.json","items":[{"id":1,"attachments":[{"url":"1.mp3"}]}]}"#;
    assert_eq!(enclosure(json), "https://a.example/c/1.mp3");
}

#[test]
fn output_for_people_shows_format_repairs_and_entries() {
    let output = inspect(Path::new("tests/fixtures/parse/rss_truncated.xml"), &[]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.starts_with("tests/fixtures/parse/rss_truncated.xml: RSS 2.0, UTF-8\n"), "{text}");
    for line in [
        "  repair   the document ends in mid-air",
        "  entries  1",
        "  no date               Whole",
        "    http://cut.example/1",
    ] {
        assert!(text.contains(line), "{line:?} is not in {text}");
    }
}

#[test]
fn unconfigured_address_is_fetched_like_a_configured_feed() {
    let origin = Origin::start(|_| Reply::new(200, &[], rss(&[("1", "One", "x")])));
    let url = origin.url("/feed");
    let workspace = Workspace::new(&format!("[poll]\nallow = [\"{}\"]\n", origin.address));
    assert_eq!(workspace.json(&["inspect", url.as_str()])["entries"][0]["title"], "One");
    let result = workspace.run(&["inspect", url.as_str()]);
    assert!(result.code == 0 && result.out.starts_with(&format!("{url}: RSS 2.0, ")), "{}{}", result.out, result.err);
    std::fs::remove_file(workspace.path("newswire.toml")).unwrap();
    let mut command = workspace.command(&["inspect", url.as_str()]);
    command.env("HOME", workspace.folder.path()).env_remove("XDG_CONFIG_HOME");
    let result = command_output(&command.output().unwrap());
    assert!(
        result.code == 1 && result.out.contains("private address") || result.out.contains("allow"),
        "{}",
        result.out
    );
}
