//! Real documents, republished through a section: every edition and every archive document is valid.
//!
//! The documents are read from the folder that `NEWSWIRE_DOCUMENTS` names. If it is not set, the test does nothing.

use crate::samples::outside;
use crate::samples::rules;
use crate::samples::schema;
use crate::support;

use std::path::{Path, PathBuf};

use outside::outside;
use serde_json::Value;
use support::daemon::*;

/// Returns a config with one feed per document, and sections with all of them.
fn config(documents: &Path) -> Option<String> {
    let mut config = "[site]\nurl = \"https://news.example.org/\"\ntitle = \"Republished\"\n\
        owner = { name = \"The Drummers\", email = \"drum@news.example.org\" }\n"
        .to_owned();
    let mut files: Vec<PathBuf> = std::fs::read_dir(documents).ok()?.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    for (number, file) in files.iter().filter(|file| file.is_file()).enumerate() {
        config +=
            &format!("[[feed]]\nid = \"feed-{number}\"\nurl = \"file:{}\"\n", file.canonicalize().ok()?.display());
    }
    config += "[[section]]\nid = \"all\"\ntitle = \"All\"\nfeeds = [\"*\"]\nlimit = 100\n";
    config += "[[section]]\nid = \"listen\"\ntitle = \"Listen\"\nfeeds = [\"*\"]\nlimit = 100\n\
               keep = [{ has = \"enclosure\" }]\npodcast = { category = \"News\", explicit = false }\n";
    Some(config)
}

/// Returns the files below `folder` with these extensions.
fn files(folder: &Path, endings: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path, endings));
        } else if path.extension().is_some_and(|ending| endings.iter().any(|wanted| ending == *wanted)) {
            found.push(path);
        }
    }
    found
}

#[test]
fn republished_documents_are_valid() {
    let documents = std::env::var_os("NEWSWIRE_DOCUMENTS").map(PathBuf::from);
    let Some(config) = documents.as_deref().and_then(config) else {
        eprintln!("NEWSWIRE_DOCUMENTS names no folder of feed documents: nothing is republished");
        return;
    };
    let workspace = Workspace::whole(&config);
    let polled = output(&workspace.config(), &["poll", "--force"]);
    assert!(polled.status.success(), "{}", text(&polled.stderr));
    let site = workspace.folder.path().join("site");
    let published = output(&workspace.config(), &["publish", "--out", site.to_str().unwrap()]);
    assert!(published.status.success(), "{}", text(&published.stderr));

    outside("xmllint", &["--noout", "--nonet"], &files(&site, &["atom", "rss", "opml", "xml"]));
    let schema = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/atom.rnc");
    outside("jing", &["-c", schema], &files(&site, &["atom"]));
    let feeds = files(&site, &["atom", "rss"]);
    for file in &feeds {
        let faults = rules::faults(&std::fs::read(file).unwrap());
        assert!(faults.is_empty(), "{}: {}", file.display(), faults.join("\n"));
    }
    let schema: Value = serde_json::from_str(include_str!("../fixtures/json_feed.schema.json")).unwrap();
    for file in files(&site, &["json"]) {
        let document: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
        assert_eq!(schema::faults(&schema, &schema, &document, "feed"), Vec::<String>::new(), "{}", file.display());
    }
    assert!(feeds.len() > 4, "archives too: {feeds:?}");
}
