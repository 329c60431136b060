//! newswire reads what it publishes: random entries are the same after they were published and read again, in every
//! format.

use crate::samples;

use newswire::entry::{Credit, Entry, InReplyTo};
use newswire::normalize;
use newswire::parse::{Hints, parse};
use newswire::render::{self, PreparedSection, RenderError};
use newswire::section::ShownStory;
use proptest::prelude::*;
use samples::*;
use serde_json::{Value, json};

/// Returns random text as publishers write it into any field: words, markup, character references, and characters that
/// end the syntax around the text, such as `]]>`.
fn text() -> impl Strategy<Value = String> {
    let parts = [
        "word",
        "two words",
        "<b>",
        "</b>",
        "<script>alert(1)</script>",
        "<p title=\"a\">",
        "<br>",
        "<!--",
        "-->",
        "]]>",
        "<![CDATA[",
        "&",
        "&amp;",
        "&lt;i&gt;",
        "&#39;",
        "&nbsp;",
        "<",
        ">",
        "\"",
        "'",
        "</item>",
        "</entry>",
        "</content>",
        "<?php",
        "\\u0041",
        "é",
        "שלום",
        "日本語",
        "👩🏽‍🚒",
        " \u{a0} ",
        "\n\n",
        "\t",
        "a@example.org",
        "javascript:",
        "1 < 2 & 3 > 2",
    ];
    prop::collection::vec(prop::sample::select(parts.to_vec()), 1..8).prop_map(|parts| parts.concat())
}

/// Returns random names and terms. None looks like HTML, because newswire does not publish such names.
fn name() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "Ann Hoy",
        "O'Brien & Söhne",
        "Jo \"J\" Ng",
        "שלום",
        "日本 太郎",
        "A, B; C",
        "ann@example.org",
    ])
    .prop_map(str::to_owned)
}

/// Returns random paths of addresses.
fn path() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["a", "a?b=1&c=2", "a%20b", "ü", "a;b", "a#b", "a'b", "a\"b", "x/../y"])
        .prop_map(str::to_owned)
}

fn address(path: &str) -> String {
    format!("https://source.example/{path}")
}

prop_compose! {
        /// Returns a random JSON Feed item. JSON Feed can hold any text.
    fn item()(
        title in text(), content in text(), summary in prop::option::of(text()), author in name(), tags in prop::collection::vec(name(), 0..3),
        paths in prop::collection::vec(path(), 4), millis in 1_000_000_000_000..2_000_000_000_000u64, language in prop::option::of("[a-z]{2}-[A-Z]{2}"),
        has_enclosure in any::<bool>(), is_html in any::<bool>(),
    ) -> Value {
        let attachment = json!({"url": address(&paths[1]), "mime_type": "audio/mpeg", "size_in_bytes": millis});
        json!({
            "id": format!("urn:{}", paths[0]), "url": address(&paths[2]), "image": address(&paths[3]), "title": title, "summary": summary, "language": language,
            (if is_html { "content_html" } else { "content_text" }): content, "authors": [{"name": author, "url": address(&paths[3])}], "tags": tags,
            "date_published": millis.to_string(), "attachments": if has_enclosure { vec![attachment] } else { Vec::new() },
        })
    }
}

/// Returns the cleaned entries of a document.
fn read(document: &[u8]) -> Vec<Entry> {
    let feed = parse(document, &Hints::default()).unwrap();
    feed.entries.iter().map(|entry| normalize::entry(entry, &feed)).collect()
}

/// Publishes these entries in a format, and returns the entries that newswire reads from the document.
fn published(entries: &[Entry], write: fn(&PreparedSection) -> Result<Vec<u8>, RenderError>) -> Vec<Entry> {
    let stories: Vec<ShownStory> = entries
        .iter()
        .enumerate()
        .map(|(number, entry)| ShownStory {
            published: entry.published.unwrap(),
            ..story(&format!("story-{number}"), "2017-12-20T06:18:00Z", entry.clone())
        })
        .collect();
    let (site, section, feeds) = (site(), section("international", "International"), feeds());
    read(&write(&view(&site, &section, &stories, &feeds).prepare()).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn entries_come_back_from_every_format(items in prop::collection::vec(item(), 1..4)) {
        let document = json!({"version": "https://jsonfeed.org/version/1.1", "title": "t", "items": items}).to_string();
        let mut entries: Vec<Entry> = read(document.as_bytes());
        for entry in &mut entries {
                        // JSON Feed has no members for these fields.
            entry.license = Some(url("https://creativecommons.org/licenses/by/4.0/"));
            entry.in_reply_to = vec![InReplyTo { id: format!("urn:{} \"id\"", entry.title), url: entry.link.clone() }];
            entry.credits = entry.authors.iter().map(|author| Credit { name: author.display().to_owned(), role: Some("guest".to_owned()), url: None }).collect();
        }
        for (format, write) in [("Atom", render::atom as fn(&PreparedSection) -> _), ("RSS", render::rss), ("JSON", render::json)] {
            let again = published(&entries, write);
            prop_assert_eq!(entries.len(), again.len(), "{}", format);
            for (before, after) in entries.iter().zip(&again) {
                prop_assert_eq!(&before.guid, &after.guid, "{}", format);
                prop_assert_eq!(&before.link, &after.link, "{}", format);
                if !before.title.is_empty() {
                    prop_assert_eq!(&before.title, &after.title, "{}", format);
                }
                prop_assert_eq!(before.published.unwrap().whole_second(), after.published.unwrap(), "{}", format);
                if before.content_html.is_some() {
                    prop_assert_eq!(&before.content_html, &after.content_html, "{}", format);
                }
                let names = |entry: &Entry| entry.authors.iter().map(|author| author.display().to_owned()).collect::<Vec<_>>();
                prop_assert_eq!(names(before), names(after), "{}", format);
                prop_assert_eq!(&before.categories, &after.categories, "{}", format);
                prop_assert_eq!(&before.enclosures, &after.enclosures, "{}", format);
                prop_assert_eq!(&before.image, &after.image, "{}", format);
                if format != "JSON" {
                    prop_assert_eq!(&before.license, &after.license, "{}", format);
                    prop_assert_eq!(&before.in_reply_to, &after.in_reply_to, "{}", format);
                    prop_assert_eq!(&before.credits, &after.credits, "{}", format);
                }
            }
        }
    }
}
