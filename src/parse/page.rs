//! What an HTML page offers in place of a feed: its autodiscovery links.

use super::repairs::Repairs;
use super::token::{Token, Tokens};

/// Links that are looked at: a page has a few, and they stand in its head.
const MAX_LINKS: usize = 500;

/// The feeds that a page names by `<link rel="alternate" type="application/rss+xml" href="…">`, in the page's order, as written.
pub(super) fn offered_feeds(text: &str) -> Vec<String> {
    let mut tokens = Tokens::new(text);
    let mut repairs = Repairs::default();
    let mut feeds = Vec::new();
    let mut links = 0;
    while let Some(token) = tokens.next(None, &mut repairs) {
        let Token::Start(tag) = token else { continue };
        if tag.name.eq_ignore_ascii_case("body") || links == MAX_LINKS {
            break;
        }
        if !tag.name.eq_ignore_ascii_case("link") {
            continue;
        }
        links += 1;
        let attribute = |name: &str| {
            let attribute = tag.attributes.iter().find(|attribute| attribute.name.eq_ignore_ascii_case(name));
            attribute.map(|attribute| attribute.value.trim().to_owned()).unwrap_or_default()
        };
        let is_alternate =
            attribute("rel").to_ascii_lowercase().split_whitespace().any(|rel| rel == "alternate" || rel == "feed");
        let href = attribute("href");
        if is_alternate && is_feed_type(&attribute("type")) && !href.is_empty() && !feeds.contains(&href) {
            feeds.push(href);
        }
    }
    feeds
}

fn is_feed_type(media_type: &str) -> bool {
    let essence = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    matches!(
        essence.as_str(),
        "application/rss+xml"
            | "application/atom+xml"
            | "application/rdf+xml"
            | "application/feed+json"
            | "application/json"
            | "application/x.atom+xml"
    )
}
