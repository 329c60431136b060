//! A config and stories for the tests of `section`.

use super::{ShownCopy, ShownStory};
use crate::config::{self, Config, SourceFile};
use crate::entry::Source;
use crate::time::Timestamp;

/// Returns a config with two feeds, and with a section that has both feeds and the further keys `section`.
pub(super) fn config(section: &str) -> Config {
    let text = format!(
        "[site]\ntitle = \"Test\"\n[[feed]]\nid = \"origin\"\nurl = \"https://origin.example/\"\n\
         [[feed]]\nid = \"wire\"\nurl = \"https://wire.example/\"\n[[section]]\nid = \"all\"\nfeeds = [\"*\"]\n{section}\n"
    );
    let file = SourceFile { path: "/test/newswire.toml".into(), text };
    let (config, problems) = config::check(&[file], &|_| Err("no secrets".to_owned()));
    config.unwrap_or_else(|| panic!("{problems:?}"))
}

/// Returns a story led by the first feed, with about `bytes` of text.
pub(super) fn story(config: &Config, slug: &str, bytes: usize) -> ShownStory {
    let guid = serde_json::json!({ "value": slug, "kind": "guid" });
    let content = "word ".repeat(bytes / 5);
    let entry = serde_json::json!({ "guid": guid, "title": "Bridge opens", "content_html": content });
    let (feed, at) = (&config.feeds[0], Timestamp::from_millis(0));
    let copy = ShownCopy { feed: feed.id.clone(), title: String::new(), url: None, published: at, lead: true };
    ShownStory {
        id: format!("urn:{slug}"),
        slug: slug.to_owned(),
        sort_at: at,
        published: at,
        updated: at,
        entry: serde_json::from_value(entry).unwrap(),
        categories: Vec::new(),
        via: Vec::new(),
        byline: String::new(),
        source: Source::default(),
        copies: vec![copy],
    }
}
