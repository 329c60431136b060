//! Configured feeds for tests, without a TOML file.

use std::time::Duration;

use newswire::config::{Allow, Dedup, Feed, FeedUrl, Republish, shown};
use newswire::feed::FeedId;
use newswire::schedule::Schedule;
use url::Url;

/// Returns a feed with the defaults of the TOML, which may fetch these private addresses.
pub fn feed(url: &Url, allow: &[Allow]) -> Feed {
    Feed {
        id: FeedId::from("feed"),
        url: FeedUrl { secret: url.clone(), shown: shown(url) },
        title: None,
        tags: Vec::new(),
        categories: Vec::new(),
        schedule: Schedule::Every(Duration::from_secs(3600)),
        schedule_is_default: true,
        priority: 0,
        enabled: true,
        headers: Vec::new(),
        basic_auth: None,
        image: None,
        timeout: Duration::from_secs(30),
        max_body_bytes: 10 * 1024 * 1024,
        allow: allow.to_vec(),
        republish: Republish::Full,
        dedup: Dedup::Text,
        user_agent: None,
        accept_language: None,
        proxy: None,
        ca_file: None,
        http2: true,
        site: None,
    }
}
