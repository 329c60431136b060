//! Says why a document is not a feed, and what it is instead.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::state::FailureKind;
use crate::foreign::{self, Line, ShortLine};

/// The most feeds that a message lists if the document is a page that offers feeds.
const OFFERS: usize = 3;

/// What a document is instead of a feed. It is displayed as a sentence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fault", rename_all = "snake_case")]
pub enum DocumentFault {
    /// The document is empty.
    Empty,
    /// The document is an HTML page.
    Page {
        /// The first feeds that the page offers.
        offers: Vec<ShortLine>,
        /// How many more feeds the page offers.
        more: usize,
    },
    /// The document has another format.
    NotAFeed {
        /// The name of the document's first element; empty if there is none.
        found: ShortLine,
    },
    /// The document is JSON that cannot be read.
    Json {
        /// The parser's message.
        why: ShortLine,
    },
    /// The document is JSON, but not a JSON Feed.
    NoItems {
        /// The message that the document contains instead of items, in quotes; `None` if it contains none.
        says: Option<Line>,
    },
    /// The feed parser refused the document.
    Reader {
        /// The parser's message.
        why: ShortLine,
    },
    /// The feed parser panicked.
    ReaderPanic,
    /// Reading the document takes too much work and would delay the other feeds.
    TooMuchWork,
}

impl DocumentFault {
    /// Returns the fault of an HTML page that offers these feeds.
    pub fn page(feeds: &[String]) -> DocumentFault {
        let offers: Vec<ShortLine> = feeds.iter().take(OFFERS).map(|feed| ShortLine::new(feed)).collect();
        DocumentFault::Page { more: feeds.len() - offers.len(), offers }
    }

    /// Returns the kind of the failure.
    pub fn kind(&self) -> FailureKind {
        match self {
            DocumentFault::Empty => FailureKind::Empty,
            DocumentFault::Page { .. } => FailureKind::Page,
            DocumentFault::NotAFeed { .. } => FailureKind::NotAFeed,
            DocumentFault::Json { .. } | DocumentFault::NoItems { .. } => FailureKind::Json,
            DocumentFault::Reader { .. } | DocumentFault::ReaderPanic => FailureKind::Reader,
            DocumentFault::TooMuchWork => FailureKind::TooMuchWork,
        }
    }
}

impl fmt::Display for DocumentFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DocumentFault::Empty => f.write_str("the document is empty"),
            DocumentFault::Page { offers, more } => {
                write!(f, "this is an HTML page, not a feed{}", offered(offers, *more))
            }
            DocumentFault::NotAFeed { found } => write!(f, "this is not a feed{}", found_instead(found.as_str())),
            DocumentFault::Json { why } => write!(f, "this JSON is not a JSON Feed: {why}"),
            DocumentFault::NoItems { says: None } => f.write_str("this JSON is not a JSON Feed: it has no items"),
            DocumentFault::NoItems { says: Some(says) } => {
                let what = format!("it has no items, but the message {says}");
                write!(f, "this JSON is not a JSON Feed: {}", foreign::part(&what))
            }
            DocumentFault::Reader { why } => write!(f, "the feed could not be read: {why}"),
            DocumentFault::ReaderPanic => f.write_str("the feed could not be read: internal error in the parser"),
            DocumentFault::TooMuchWork => {
                f.write_str("reading this document takes too much work; ask the publisher to repair it")
            }
        }
    }
}

fn offered(offers: &[ShortLine], more: usize) -> String {
    let list = offers.iter().map(ShortLine::as_str).collect::<Vec<_>>().join(", ");
    match (offers, more) {
        ([], _) => String::new(),
        (_, 0) => format!("; the page offers {list}"),
        (_, more) => format!("; the page offers {list} and {more} more"),
    }
}

fn found_instead(found: &str) -> String {
    let is_no_name = |character: char| !(character.is_alphanumeric() || "-_.:".contains(character));
    match found {
        "" => ": it is plain text or an unknown format".to_owned(),
        "opml" => " but a list of feeds; use `newswire import` to add them".to_owned(),
        "urlset" | "sitemapindex" => " but a sitemap, which lists pages and not news".to_owned(),
        found if found.contains(is_no_name) => ": it is binary data".to_owned(),
        found => format!(": its first element is <{found}>"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn page_names_at_most_three_of_the_feeds_that_it_offers() {
        let check = |feeds: usize, expected: &str| {
            let feeds: Vec<_> = (0..feeds).map(|number| format!("https://a.example/{number}")).collect();
            let sentence = DocumentFault::page(&feeds).to_string();
            assert_eq!(sentence, format!("this is an HTML page, not a feed{expected}"));
        };
        check(0, "");
        check(1, "; the page offers https://a.example/0");
        check(3, "; the page offers https://a.example/0, https://a.example/1, https://a.example/2");
        check(500, "; the page offers https://a.example/0, https://a.example/1, https://a.example/2 and 497 more");
    }
}
