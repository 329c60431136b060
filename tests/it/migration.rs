//! Stores of earlier versions: what is copied, what is migrated, and that readers notice nothing of it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use newswire::commit::{self, Difference};
use newswire::config::{Config, Section};
use newswire::render::{self, SectionView};
use newswire::section::ShownStory;
use newswire::store::{Reader, Store};
use sha2::{Digest, Sha256};

use crate::support::bed::{HOUR, config, start};

/// The config of the store of version 3.
fn version_3() -> Arc<Config> {
    config(&std::fs::read_to_string("tests/fixtures/stores/version_3.toml").unwrap())
}

/// A hash of each document that a reader gets: every section in every format, and its archives.
fn documents(reader: &Reader, config: &Config) -> BTreeMap<String, String> {
    let mut documents = BTreeMap::new();
    let mut add = |path: String, document: Vec<u8>| {
        let hash: String = Sha256::digest(&document).iter().map(|byte| format!("{byte:02x}")).collect();
        documents.insert(path, hash);
    };
    for section in &config.sections {
        let content = reader.section_content(config, section).unwrap();
        let shown = SectionView {
            feeds: &content.feeds,
            updated: content.updated,
            prev_archive: reader.newest_archive(&section.id).unwrap(),
            ..view(config, section, &content.atom_id, &content.stories)
        };
        let opml = render::opml(&config.site, &section.title, &content.feeds, content.updated).unwrap();
        add(format!("{}.atom", section.id), render::atom(&shown.prepare()).unwrap());
        add(format!("{}.rss", section.id), render::rss(&shown.prepare()).unwrap());
        add(format!("{}.json", section.id), render::json(&shown.prepare()).unwrap());
        add(format!("{}.opml", section.id), opml);
        for number in 1.. {
            let Some(archive) = reader.archive(config, section, number).unwrap() else { break };
            let shown = SectionView {
                updated: archive.changed,
                archive: Some(number),
                ..view(config, section, &content.atom_id, &archive.stories)
            };
            add(format!("{}/archive/{number}.atom", section.id), render::atom(&shown.prepare()).unwrap());
        }
    }
    documents
}

fn view<'a>(config: &'a Config, section: &'a Section, id: &'a str, stories: &'a [ShownStory]) -> SectionView<'a> {
    SectionView {
        site: &config.site,
        section,
        id,
        hub: None,
        stories,
        feeds: &[],
        updated: start(),
        max_age: Duration::from_secs(900),
        archive: None,
        prev_archive: None,
    }
}

/// One line for each document, as in the golden file.
fn lines(documents: &BTreeMap<String, String>) -> String {
    documents.iter().map(|(path, hash)| format!("{hash} {path}\n")).collect()
}

/// Unpacks the store of an earlier version into a folder.
fn unpacked(version: u32, folder: &Path) -> PathBuf {
    let packed = std::fs::read(format!("tests/fixtures/stores/version_{version}.db.zst")).unwrap();
    let path = folder.join("newswire.db");
    std::fs::write(&path, zstd::decode_all(&packed[..]).unwrap()).unwrap();
    path
}

#[tokio::test]
async fn documents_of_an_older_store_stay_as_they_are_and_no_section_is_judged_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = unpacked(3, folder.path());
    let expected = std::fs::read_to_string("tests/fixtures/stores/version_3.documents.txt").unwrap();
    let config = version_3();
    let store = Store::open(&path, "a test").unwrap();
    assert_eq!(lines(&documents(&Reader::open(&path).unwrap(), &config)), expected);
    let difference = commit::sync(&store, config.clone(), start() + HOUR * 208).await.unwrap();
    assert_eq!(difference, Difference::default());
    assert_eq!(lines(&documents(&Reader::open(&path).unwrap(), &config)), expected);
    assert!(Reader::open(&path).unwrap().verify().unwrap().is_empty());
}
