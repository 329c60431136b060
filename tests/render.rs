//! Editions compared whole with golden files; `UPDATE_GOLDEN=1` writes these anew.

mod samples;

use std::path::Path;

use newswire::config::Section;
use newswire::render::{self, Pages, SectionView};
use newswire::section::ShownStory;
use samples::*;

fn check_golden(name: &str, document: &[u8]) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, document).unwrap();
    }
    let golden = std::fs::read(&path).unwrap_or_default();
    assert_eq!(String::from_utf8_lossy(document), String::from_utf8_lossy(&golden), "{name}");
}

/// Every edition and page of a view, with the ending of its file.
fn documents(view: &SectionView) -> [(&'static str, Vec<u8>); 5] {
    let opml = render::opml(view.site, &view.section.title, view.feeds, view.updated);
    [
        ("atom", render::atom(view).unwrap()),
        ("rss", render::rss(view).unwrap()),
        ("json", render::json(view).unwrap()),
        ("opml", opml.unwrap()),
        ("html", Pages::new(&[]).unwrap().section(view).unwrap().into_bytes()),
    ]
}

fn check_section(section: &Section, stories: &[ShownStory]) {
    let (site, feeds) = (site(), feeds());
    let view = SectionView {
        hub: Some(&url("https://hub.example.org/")),
        prev_archive: Some(url("https://news.example.org/archive/3.atom")),
        ..view(&site, section, stories, &feeds)
    };
    for (ending, document) in documents(&view) {
        check_golden(&format!("{}.{ending}", section.id), &document);
    }
}

#[test]
fn section_of_a_newswire_is_written_whole() {
    check_section(&section("international", "International"), &[hostile_title_story(), war_story(), bare_story()]);
}

#[test]
fn podcast_section_is_written_whole() {
    check_section(&podcast_section(), &[episode()]);
}

#[test]
fn episode_in_another_section_needs_no_itunes() {
    check_section(&section("mixed", "Mixed"), &[episode()]);
}

#[test]
fn empty_section_is_written_whole() {
    check_section(&section("empty", "Empty"), &[]);
}
