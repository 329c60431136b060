//! Editions are valid by their specifications, and other programs read them as intended.
//!
//! The tests use `xmllint`, `jing` and Python's `feedparser`. A program that is not installed is skipped. If
//! `NEWSWIRE_VALIDATORS` is set, the tests fail without `xmllint`, `jing` or `feedparser`.

use crate::samples;
use crate::samples::hostile;
use crate::samples::outside;
use crate::samples::rules;
use crate::samples::schema;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use newswire::config::{Section, Site};
use newswire::render::{self, Pages, SectionView};
use newswire::section::ShownStory;
use outside::outside;
use quick_xml::events::Event;
use samples::*;
use serde_json::Value;

/// Returns the samples, and about a thousand stories with hostile text in every field.
fn sections() -> Vec<(Section, Vec<ShownStory>)> {
    let mut sections = vec![
        (
            section("international", "International"),
            vec![hostile_title_story(), war_story(), markup_title_story(), bare_story()],
        ),
        (podcast_section(), vec![episode()]),
        (section("mixed", "Mixed"), vec![episode(), war_story()]),
        (section("empty", "Empty"), Vec::new()),
    ];
    for batch in 0..10 {
        let title = hostile::text(batch);
        sections.push((section(&format!("hostile-{batch}"), &title), hostile::stories(batch, 100)));
    }
    sections
}

fn with_views(check: impl Fn(&SectionView)) {
    let (site, feeds) = (site(), feeds());
    for (section, stories) in sections() {
        check(&view(&site, &section, &stories, &feeds));
    }
}

/// Writes every XML document as a file in a folder.
fn xml_files(folder: &Path) -> Vec<PathBuf> {
    let (site, feeds) = (site(), feeds());
    let mut files = Vec::new();
    for (section, stories) in sections() {
        let view = view(&site, &section, &stories, &feeds);
        let archive = SectionView { archive: Some(2), prev_archive: Some(1), ..view.clone() };
        for (ending, document) in
            [("atom", render::atom(&archive.prepare()).unwrap()), ("rss", render::rss(&archive.prepare()).unwrap())]
        {
            let file = folder.join(format!("{}-archive.{ending}", section.id));
            std::fs::write(&file, document).unwrap();
            files.push(file);
        }
        let opml = render::opml(&site, &section.title, &feeds, view.updated).unwrap();
        let documents = [
            ("atom", render::atom(&view.prepare()).unwrap()),
            ("rss", render::rss(&view.prepare()).unwrap()),
            ("opml", opml),
        ];
        for (ending, document) in documents {
            let file = folder.join(format!("{}.{ending}", section.id));
            std::fs::write(&file, document).unwrap();
            files.push(file);
        }
    }
    files
}

#[test]
fn every_xml_document_is_well_formed_for_xmllint() {
    let folder = tempfile::tempdir().unwrap();
    outside("xmllint", &["--noout", "--nonet"], &xml_files(folder.path()));
}

#[test]
fn every_atom_document_is_valid_by_the_schema_of_rfc_4287() {
    let folder = tempfile::tempdir().unwrap();
    let mut files = xml_files(folder.path());
    files.retain(|file| file.extension().is_some_and(|ending| ending == "atom"));
    let schema = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/atom.rnc");
    outside("jing", &["-c", schema], &files);
}

#[test]
fn every_json_document_is_valid_by_the_schema_of_json_feed_1_1() {
    let schema: Value = serde_json::from_str(include_str!("../fixtures/json_feed.schema.json")).unwrap();
    with_views(|view| {
        let document: Value = serde_json::from_slice(&render::json(&view.prepare()).unwrap()).unwrap();
        assert_eq!(schema::faults(&schema, &schema, &document, "feed"), Vec::<String>::new());
    });
}

#[test]
fn no_document_breaks_a_rule_of_the_feed_validator() {
    with_views(|view| {
        for document in [render::atom(&view.prepare()).unwrap(), render::rss(&view.prepare()).unwrap()] {
            assert_eq!(rules::faults(&document), Vec::<String>::new());
        }
    });
}

#[test]
fn no_rss_document_breaks_a_rule_of_the_best_practices_profile() {
    with_views(|view| {
        let archive = SectionView { archive: Some(2), prev_archive: Some(1), ..view.clone() };
        for view in [view, &archive] {
            assert_eq!(rules::profile_faults(&render::rss(&view.prepare()).unwrap()), Vec::<String>::new());
        }
    });
}

#[test]
fn no_podcast_breaks_a_rule_of_psp_1_or_of_apple() {
    let (site, feeds) = (site(), feeds());
    let section = Section { image: Some(url("https://news.example.org/cover.png")), ..podcast_section() };
    let recording = episode().entry.enclosures[0].clone();
    assert!(recording.is_playable());
    for (_, mut stories) in sections() {
        // A podcast takes only stories with a recording.
        stories.iter_mut().for_each(|story| story.entry.enclosures.push(recording.clone()));
        let guid = Some("917393e3-1b1e-5cef-ace4-edaa54e1f810");
        let view = SectionView { podcast_guid: guid, ..view(&site, &section, &stories, &feeds) };
        let document = render::rss(&view.prepare()).unwrap();
        assert_eq!(rules::podcast_faults(&document), Vec::<String>::new());
        assert_eq!(rules::faults(&document), Vec::<String>::new());
    }
}

#[test]
fn section_rendered_twice_has_the_same_bytes() {
    with_views(|view| {
        assert_eq!(render::atom(&view.prepare()).unwrap(), render::atom(&view.prepare()).unwrap());
        assert_eq!(render::rss(&view.prepare()).unwrap(), render::rss(&view.prepare()).unwrap());
        assert_eq!(render::json(&view.prepare()).unwrap(), render::json(&view.prepare()).unwrap());
        let pages = Pages::new(&[]).unwrap();
        assert_eq!(pages.section(&view.prepare()).unwrap(), Pages::new(&[]).unwrap().section(&view.prepare()).unwrap());
    });
}

fn assert_well_formed(document: &[u8]) {
    let mut reader = quick_xml::Reader::from_reader(document);
    while !matches!(reader.read_event_into(&mut Vec::new()).expect("documents are well-formed"), Event::Eof) {}
}

#[test]
fn no_document_contains_a_character_that_xml_forbids() {
    let is_illegal = |character: char| character.is_control() && !matches!(character, '\t' | '\n');
    with_views(|view| {
        for document in [render::atom(&view.prepare()).unwrap(), render::rss(&view.prepare()).unwrap()] {
            let text = String::from_utf8(document.clone()).expect("documents are UTF-8");
            assert_eq!(text.find(is_illegal), None);
            assert_eq!(text.find(['\u{fffe}', '\u{ffff}', '\u{fffd}']), None);
            assert_well_formed(&document);
        }
    });
}

/// Decodes all character references of a title, also nested ones, because documents escape text that looks like HTML.
fn shown(title: &str) -> String {
    let decoded = html_escape::decode_html_entities(title);
    if decoded == title { decoded.into_owned() } else { shown(&decoded) }
}

#[test]
fn feed_rs_reads_the_same_from_atom_and_rss_as_is_in_json() {
    with_views(|view| {
        let json: Value = serde_json::from_slice(&render::json(&view.prepare()).unwrap()).unwrap();
        for document in [render::atom(&view.prepare()).unwrap(), render::rss(&view.prepare()).unwrap()] {
            let feed = feed_rs::parser::parse(&document[..]).expect("documents can be read");
            let items = json["items"].as_array().unwrap();
            assert_eq!(feed.entries.len(), items.len());
            for (entry, item) in feed.entries.iter().zip(items) {
                assert_eq!(entry.id, item["id"]);
                assert!(entry.links.iter().any(|link| link.href == item["url"].as_str().unwrap()), "{item:#}");
                assert_eq!(shown(&entry.title.as_ref().unwrap().content), shown(item["title"].as_str().unwrap()));
                let published = entry.published.unwrap().to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
                assert_eq!(published, item["date_published"]);
                let names = |people: &Value| -> Vec<String> {
                    let people = people.as_array().into_iter().flatten();
                    people.map(|person| person["name"].as_str().unwrap().to_owned()).collect()
                };
                let authors: Vec<String> = entry.authors.iter().filter_map(|author| author.name.clone()).collect();
                assert_eq!(authors, names(&item["authors"]));
            }
        }
    });
}

#[test]
fn entries_of_one_moment_get_different_dates() {
    with_views(|view| {
        let feed = String::from_utf8(render::atom(&view.prepare()).unwrap()).unwrap();
        let updated = feed.match_indices("\n    <updated>").map(|(at, _)| &feed[at..at + 40]);
        assert_eq!(updated.collect::<BTreeSet<_>>().len(), view.stories.len());
    });
}

/// A Python script that prints what feedparser reads: a line of JSON per file.
const FEEDPARSER: &str = r#"
import os, sys, json
try:
    import feedparser
except ImportError:
    sys.exit("feedparser is not installed" if "NEWSWIRE_VALIDATORS" in os.environ else 0)
for name in sys.argv[1:]:
    feed = feedparser.parse(name)
    print(json.dumps({
        "bozo": bool(feed.bozo),
        "version": feed.version,
        "title": feed.feed.title,
        "items": [{
            "id": entry.id,
            "url": entry.link,
            "title": entry.title,
            "published": list(entry.published_parsed[:6]),
            "updated": list(entry.updated_parsed[:6]),
            "authors": [author.name for author in entry.get("authors", []) if author.get("name")],
            "tags": [tag.term for tag in entry.get("tags", [])],
            "enclosures": sorted(enclosure.href for enclosure in entry.get("enclosures", [])),
        } for entry in feed.entries],
    }))
"#;

#[test]
fn feedparser_reads_the_same_from_atom_and_rss() {
    let folder = tempfile::tempdir().unwrap();
    let files = xml_files(folder.path());
    let read = |ending: &str| -> Vec<Value> {
        let mut files = files.clone();
        files.retain(|file| {
            let name = file.file_name().unwrap().to_string_lossy();
            !name.starts_with("hostile") && name.ends_with(ending)
        });
        let lines = outside("python3", &["-c", FEEDPARSER], &files).unwrap_or_default();
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let (atom, rss) = (read(".atom"), read(".rss"));
    for (atom, rss) in atom.iter().zip(&rss) {
        assert_eq!((&atom["bozo"], &atom["version"]), (&false.into(), &"atom10".into()));
        assert_eq!((&rss["bozo"], &rss["version"]), (&false.into(), &"rss20".into()));
        for (atom, rss) in atom["items"].as_array().unwrap().iter().zip(rss["items"].as_array().unwrap()) {
            for field in ["id", "url", "title", "published", "updated", "authors", "tags"] {
                assert_eq!(atom[field], rss[field], "{field} of {}", atom["id"]);
            }
        }
    }
}

#[test]
fn hostile_text_stays_text_on_every_page() {
    let site = Site { title: hostile::text(7), description: Some(hostile::text(8)), ..site() };
    let pages = Pages::new(&[]).unwrap();
    for (section, stories) in sections() {
        let feeds = feeds();
        let mut documents = vec![pages.section(&view(&site, &section, &stories, &feeds).prepare()).unwrap()];
        documents
            .extend(stories.iter().take(20).map(|story| pages.story(&site, &of_story(story), &[&section]).unwrap()));
        for document in documents {
            assert_eq!(document.find("<script"), None);
            assert!(!document.contains("href=\"javascript:") && !document.contains("src=\"javascript:"));
            assert!(!document.contains("60481729"), "templates inside a text are not run");
        }
    }
}
