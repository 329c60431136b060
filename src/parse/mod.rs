//! Feed documents: bytes → [`ParsedFeed`], whatever real sites publish.
//!
//! The way of a document: `decode` makes text of the bytes; `canonical` repairs it, brings every XML format to one plain Atom document and
//! sets aside what Atom or feed-rs has no place for; `read` has feed-rs read that document and joins the two; `identity` gives every entry its
//! guid. JSON Feed goes its own way in `json_feed`. Nothing is cleaned or believed here: that is `normalize`'s work.
//!
//! Policy: a bad entry never fails its feed, a bad field never fails its entry; each repair is said once. No input makes it panic, recurse
//! deeply, or take more than linear time; of a DTD only short texts are taken (see `entities`), nothing is ever fetched. What is no feed is an error, never an empty feed.

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

/// What is known of a document beside its bytes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Hints<'a> {
    /// The HTTP header `Content-Type`, with its charset.
    pub content_type: Option<&'a str>,
    /// What relative URLs are relative to: `Content-Location`, else the URL that the document came from at last.
    pub base: Option<&'a Url>,
}

/// Why a document gives no feed. Each message is one line, whatever the document holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ParseError {
    Empty,
    Page {
        /// The feeds that the page links to, in its order: absolute where a base is known.
        feeds: Vec<String>,
    },
    NotAFeed {
        /// The name of its first element; empty where it has none.
        found: String,
    },
    /// JSON that cannot be read, and why.
    Json(String),
    /// JSON that is no JSON Feed.
    NoItems {
        /// What it says instead, if anything.
        says: Option<String>,
    },
    /// What the reader of feeds says.
    Reader(String),
    /// The reader of feeds panicked.
    ReaderPanic,
    /// It would hold up the other feeds.
    TooMuchWork,
}

impl ParseError {
    /// Returns the kind, for logs and metrics.
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
/// Never panics. Time is linear in the size, and memory a small multiple of it; the caller bounds the size.
///
/// # Errors
/// If the document holds no feed; the message says in one sentence what it is instead. If reading it takes far too much work. Poll again
/// later, or ask the editor.
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

/// The address that a document gives for itself, else for its page: what it is relative to where it came from nowhere.
pub fn own_address(feed: &ParsedFeed) -> Option<Url> {
    let mut written = feed.info.links("self").chain(feed.info.links("alternate"));
    written.find_map(|link| Url::parse(link).ok().filter(|url| matches!(url.scheme(), "http" | "https")))
}

/// A document as text, whatever its encoding, for whoever reads other formats than feeds. Never fails.
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
