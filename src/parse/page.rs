//! Says what a document is if it is not a feed. If it is an HTML page, also says to which feeds the page links
//! (autodiscovery).

use super::ParseError;
use super::html_names;
use super::repairs::Repairs;
use super::token::{Token, Tokens};

/// The most `<link>` elements that are read. A page has a few, in its head.
const MAX_LINKS: usize = 500;

/// Returns the error for a document that is not a feed. The document is all or part of an HTML page, begins with
/// another element, or has no element.
pub(super) fn refusal(text: &str, first_name: Option<String>) -> ParseError {
    let text = text.trim_start();
    let found = first_name.unwrap_or_default();
    let is_page = starts_with_ignoring_case(text, "<!doctype html") || found == "html";
    let is_part_of_page = html_names::is_tag(&found) && !text.starts_with("<?xml");
    if is_page || is_part_of_page {
        ParseError::Page { feeds: offered_feeds(text) }
    } else {
        ParseError::NotAFeed { found }
    }
}

fn starts_with_ignoring_case(text: &str, beginning: &str) -> bool {
    text.get(..beginning.len()).is_some_and(|start| start.eq_ignore_ascii_case(beginning))
}

/// Returns the feeds that a page names with `<link rel="alternate" type="application/rss+xml" href="…">` or the like,
/// in page order, as written.
fn offered_feeds(text: &str) -> Vec<String> {
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
