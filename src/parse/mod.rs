//! Reads the bytes of a feed document into a [`ParsedFeed`], in every form that real sites publish.
//!
//! A document takes this path: `decode` turns the bytes into text. `canonical` repairs the text, converts every XML
//! format into one plain Atom document, and sets aside what Atom or feed-rs cannot hold. `read` lets feed-rs read that
//! document and joins the two parts. `identity` gives every entry its guid. `json_feed` reads JSON Feed without these
//! steps. This module does not sanitize what it reads: `normalize` does that.
//!
//! Policy: a bad entry never fails its feed, and a bad field never fails its entry. Each kind of repair is reported
//! once. No input makes the parser panic, recurse deeply, or take more than linear time. The parser reads only short
//! entities of a DTD (see `entities`), and never fetches anything. A document that is not a feed is an error, never an
//! empty feed.

mod atom;
mod canonical;
mod constructs;
mod dates;
mod decode;
mod entities;
mod entry_aside;
mod entry_fields;
mod feed_fields;
pub(crate) mod html_names;
mod identity;
mod json_feed;
mod json_text;
mod lenient;
mod media;
mod model;
mod mojibake;
mod namespaces;
mod page;
mod parts;
mod person;
mod pictures;
mod read;
pub(crate) mod references;
mod repairs;
mod steps;
mod token;
mod tree;
mod utf8;

use std::fmt;

use url::Url;

use crate::entry::SharedKeys;

pub use identity::{SLIPS, reidentify};
pub use model::*;
pub use parts::is_words;

use crate::feed::{DocumentFault, Failure, FailureKind};
use repairs::Repairs;

/// What is known about a document apart from its bytes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Hints<'a> {
    /// The HTTP header `Content-Type`, with its charset.
    pub content_type: Option<&'a str>,
    /// The base of relative URLs: the `Content-Location`, or else the URL of the last response after redirects.
    pub base: Option<&'a Url>,
}

/// Why a document is not read as a feed. Each message is one line, whatever the document contains.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ParseError {
    /// The document has no bytes, or only white space.
    Empty,
    /// The document is an HTML page.
    Page {
        /// The feeds that the page links to, in page order. The URLs are absolute if a base is known.
        feeds: Vec<String>,
    },
    /// The document is something else: binary data, plain text, or XML of another kind.
    NotAFeed {
        /// The name of the first element; empty if there is none.
        found: String,
    },
    /// The document is JSON that cannot be read. The text is the reason.
    Json(String),
    /// The document is JSON, but not a JSON Feed.
    NoItems {
        /// The message in the document, if there is one.
        says: Option<String>,
    },
    /// feed-rs refused the canonical document. That is a fault of newswire, not of the publisher.
    Reader(String),
    /// feed-rs panicked. That is a fault of newswire or feed-rs.
    ReaderPanic,
    /// Reading the document takes too much work and would delay the other feeds.
    TooMuchWork,
}

impl ParseError {
    /// Returns the kind of failure, for logs and metrics.
    pub fn kind(&self) -> FailureKind {
        DocumentFault::from(self).kind()
    }
}

impl From<&ParseError> for DocumentFault {
    fn from(error: &ParseError) -> DocumentFault {
        match error {
            ParseError::Empty => DocumentFault::Empty,
            ParseError::Page { feeds } => DocumentFault::page(feeds),
            ParseError::NotAFeed { found } => DocumentFault::NotAFeed { found: found.as_str().into() },
            ParseError::Json(why) => DocumentFault::Json { why: why.as_str().into() },
            ParseError::NoItems { says } => {
                DocumentFault::NoItems { says: says.as_ref().map(|says| format!("{says:?}").into()) }
            }
            ParseError::Reader(why) => DocumentFault::Reader { why: why.as_str().into() },
            ParseError::ReaderPanic => DocumentFault::ReaderPanic,
            ParseError::TooMuchWork => DocumentFault::TooMuchWork,
        }
    }
}

impl From<ParseError> for Failure {
    fn from(error: ParseError) -> Failure {
        Failure::Document { fault: DocumentFault::from(&error) }
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        DocumentFault::from(self).fmt(f)
    }
}

impl std::error::Error for ParseError {}

/// Reads a feed document of any format.
///
/// Never panics. Takes time linear in the size, and memory of a small multiple of it. The caller limits the size.
///
/// ```
/// use newswire::parse::{Hints, parse};
///
/// let rss = br#"<rss version="2.0"><channel><title>Harbour News</title><link>https://harbour.example/</link>
///   <item><title>Ferry & bridge closed</title><guid isPermaLink="false">7</guid></item></channel></rss>"#;
/// let feed = parse(rss, &Hints::default())?;
/// assert_eq!(feed.entries[0].guid.value, "7");
/// // What had to be repaired is listed: here an `&` that was not escaped.
/// assert!(!feed.repairs.is_empty());
/// # Ok::<(), newswire::parse::ParseError>(())
/// ```
///
/// # Errors
/// Fails if the document is not a feed, or if reading it takes too much work. The message says in one sentence what the
/// document is instead. The caller should poll again later, or show the message to the person who manages the feed.
pub fn parse(bytes: &[u8], hints: &Hints) -> Result<ParsedFeed, ParseError> {
    let mut repairs = Repairs::default();
    let decode::Decoded { text, encoding } = decode::decode(bytes, hints.content_type, &mut repairs);
    let text = mojibake::undo(text, &mut repairs);
    let text = references::without_control_characters(text, &mut repairs);
    if text.trim().is_empty() {
        return Err(ParseError::Empty);
    }
    let mut feed = if json_feed::looks_like_json(&text) {
        json_feed::parse(&text, hints.base, encoding, repairs)?
    } else {
        match canonical::canonicalise(&text, hints.base, repairs.clone()) {
            Ok(canonical) => {
                drop(text);
                read::read(canonical, encoding)?
            }
            Err(error) => json_feed::parse_behind_junk(&text, hints.base, encoding, repairs)
                .ok_or_else(|| with_absolute_links(error, hints.base))?,
        }
    };
    identity::hash_in_inherited(&mut feed);
    reidentify(&mut feed, SharedKeys::default());
    Ok(feed)
}

/// Returns the URL that a document gives for itself, or else the URL of its page. Returns `None` if it gives neither.
/// The URL is the base of relative URLs in a document that was not fetched from a URL.
pub fn own_address(feed: &ParsedFeed) -> Option<Url> {
    let mut written = feed.info.links("self").chain(feed.info.links("alternate"));
    written.find_map(|link| Url::parse(link).ok().filter(|url| matches!(url.scheme(), "http" | "https")))
}

/// Decodes a document of any encoding into text, for readers of formats other than feeds. Never fails.
pub fn text(bytes: &[u8]) -> String {
    decode::decode(bytes, None, &mut Repairs::default()).text.into_owned()
}

fn with_absolute_links(error: ParseError, base: Option<&Url>) -> ParseError {
    match (error, base) {
        (ParseError::Page { feeds }, Some(base)) => {
            let absolute = |feed: String| base.join(&feed).map_or(feed, String::from);
            ParseError::Page { feeds: feeds.into_iter().map(absolute).collect() }
        }
        (error, _) => error,
    }
}
