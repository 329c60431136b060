//! What a feed document says, as it says it: read and repaired, but neither cleaned nor believed.
//!
//! Strings are the publisher's and untrusted: `normalize` makes an [`Entry`](crate::entry::Entry) of them. URLs are resolved against
//! `xml:base` and the document's own address as far as those are known, and may still be relative.

use std::fmt;
use std::sync::Arc;

use url::Url;

use crate::entry::{Category, Guid, GuidKind, OtherGuids, SharedKeys};
use crate::feed::{PollHints, Repair};
use crate::time::Timestamp;

/// A feed document, read.
#[derive(Clone, Debug)]
pub struct ParsedFeed {
    pub format: DocumentFormat,
    /// The encoding that it was read in, as in `windows-1252`.
    pub encoding: String,
    /// What was wrong with it and was mended or left out, each kind once.
    pub repairs: Vec<Repair>,
    pub info: ParsedInfo,
    pub hints: PollHints,
    /// In the document's order.
    pub entries: Vec<ParsedEntry>,
    /// It ended in mid-air: its validators must not be kept, so that the next poll reads it whole.
    pub truncated: bool,
    /// What its different entries have in common, so that more was added to their guids; see [`reidentify`](super::reidentify).
    pub guids_repaired: SharedKeys,
}

/// The format of a document, displayed as in `RSS 2.0` or `JSON Feed 1.1`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentFormat {
    pub family: Family,
    /// As in `2.0`; empty where the document says none.
    pub version: String,
}

/// The formats that are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    Rss,
    Atom,
    JsonFeed,
    Cdf,
}

impl fmt::Display for DocumentFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let family = match self.family {
            Family::Rss => "RSS",
            Family::Atom => "Atom",
            Family::JsonFeed => "JSON Feed",
            Family::Cdf => "CDF",
        };
        let space = if self.version.is_empty() { "" } else { " " };
        write!(f, "{family}{space}{}", self.version)
    }
}

/// What a document says of its feed.
#[derive(Clone, Debug, Default)]
pub struct ParsedInfo {
    pub title: Option<ParsedText>,
    pub description: Option<ParsedText>,
    pub id: Option<String>,
    /// All links but those of its image, each with its relation: `alternate`, `self`, `hub`, `next`, `prev-archive` …
    pub links: Vec<ParsedLink>,
    pub authors: Vec<ParsedPerson>,
    pub language: Option<String>,
    pub rights: Option<ParsedText>,
    pub license: Option<String>,
    /// Those of every entry that names none of its own.
    pub credits: Vec<ParsedCredit>,
    pub updated: Option<Timestamp>,
    pub image: Option<String>,
    /// RSS `<cloud>` as one address.
    pub cloud: Option<String>,
    /// What relative URLs are relative to.
    pub base: Option<Arc<Url>>,
    /// The feed's page, if the URLs of entries are relative to that and not to `base`: in every format but Atom.
    pub entry_base: Option<Arc<Url>>,
}

impl ParsedInfo {
    /// What relative URLs of entries are relative to.
    pub fn entry_base(&self) -> Option<&Url> {
        self.entry_base.as_deref().or(self.base.as_deref())
    }

    /// The links of one relation, in the document's order.
    pub fn links(&self, rel: &'static str) -> impl Iterator<Item = &str> {
        self.links.iter().filter(move |link| link.rel == rel).map(|link| link.href.as_str())
    }

    /// The licence that its entries may be used under, by an element of its own or by a link.
    pub fn license(&self) -> Option<&str> {
        self.license.as_deref().or_else(|| self.links("license").next())
    }
}

/// One entry of a document.
#[derive(Clone, Debug)]
pub struct ParsedEntry {
    /// Unique in the document, but for repeats.
    pub guid: Guid,
    /// Whether the document has the same entry further up: same guid, link, title, date and text. It is kept once.
    pub is_repeat: bool,
    /// The guid or id as the document gave it, without white space around it; never empty.
    pub own_guid: Option<String>,
    pub other_guids: OtherGuids,
    /// XXH3 of all that the document wrote for this entry, and of what it inherits from its feed: equal bytes, equal hash. What has a known
    /// hash need not be cleaned again.
    pub raw_hash: u64,
    /// The entry's own page.
    pub link: Option<String>,
    /// Where it says that it was first published, the surest first: `feedburner:origLink`, `rel="canonical"`, `rel="via"`, `dc:source`.
    pub originals: Vec<String>,
    pub title: Option<ParsedText>,
    pub summary: Option<ParsedText>,
    pub content: Option<ParsedText>,
    pub published: Option<Timestamp>,
    pub updated: Option<Timestamp>,
    pub authors: Vec<ParsedPerson>,
    pub contributors: Vec<ParsedPerson>,
    pub categories: Vec<Category>,
    pub enclosures: Vec<ParsedEnclosure>,
    pub image: Option<String>,
    pub comments: Option<String>,
    pub language: Option<String>,
    pub rights: Option<ParsedText>,
    pub license: Option<String>,
    pub in_reply_to: Vec<ParsedInReplyTo>,
    pub credits: Vec<ParsedCredit>,
    pub source: Option<Box<ParsedSource>>,
    pub podcast: Option<Box<ParsedPodcast>>,
    pub copies: Vec<ParsedCopy>,
}

impl Default for ParsedEntry {
    fn default() -> Self {
        ParsedEntry {
            guid: Guid { value: String::new(), kind: GuidKind::Fingerprint },
            is_repeat: false,
            own_guid: None,
            other_guids: OtherGuids::default(),
            raw_hash: 0,
            link: None,
            originals: Vec::new(),
            title: None,
            summary: None,
            content: None,
            published: None,
            updated: None,
            authors: Vec::new(),
            contributors: Vec::new(),
            categories: Vec::new(),
            enclosures: Vec::new(),
            image: None,
            comments: None,
            language: None,
            rights: None,
            license: None,
            in_reply_to: Vec::new(),
            credits: Vec::new(),
            source: None,
            podcast: None,
            copies: Vec::new(),
        }
    }
}

/// A text with its kind; never empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ParsedText {
    pub value: String,
    /// It is HTML, unsanitized; else plain text.
    pub html: bool,
    /// It is HTML without any tag and does not say that it is HTML: its line ends are meant, as in plain text.
    pub has_lines: bool,
    /// The `xml:base` that relative URLs in it are relative to, if there is one.
    pub base: Option<Arc<Url>>,
}

/// A link with its relation (`alternate` where it says none) in lower case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ParsedLink {
    pub href: String,
    pub rel: String,
    pub media_type: Option<String>,
}

/// A person; at least one of the three is there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ParsedPerson {
    pub name: Option<String>,
    pub email: Option<String>,
    pub url: Option<String>,
}

/// A file that comes with an entry, whether as enclosure, link, media or attachment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ParsedEnclosure {
    pub url: String,
    pub media_type: Option<String>,
    pub bytes: Option<u64>,
    pub duration_seconds: Option<u64>,
    pub title: Option<String>,
    /// It is the entry's image, or another size of a picture that is there.
    pub repeats_picture: bool,
}

/// A `thr:in-reply-to`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ParsedInReplyTo {
    pub id: String,
    pub url: Option<String>,
}

/// A `podcast:person` or `media:credit`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct ParsedCredit {
    pub name: String,
    pub role: Option<String>,
    pub url: Option<String>,
}

/// The feed that an entry names as its source.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ParsedSource {
    pub title: Option<ParsedText>,
    /// Its feed document.
    pub url: Option<String>,
    pub id: Option<String>,
    /// Its page.
    pub site: Option<String>,
    pub updated: Option<Timestamp>,
    pub authors: Vec<ParsedPerson>,
    pub rights: Option<ParsedText>,
}

/// Another copy, as the entry names it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ParsedCopy {
    pub url: String,
    pub feed: Option<String>,
    pub title: Option<String>,
    pub published: Option<Timestamp>,
}

/// What itunes and podcast elements say of an entry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ParsedPodcast {
    pub duration_seconds: Option<u64>,
    pub image: Option<String>,
    pub episode: Option<u64>,
    pub season: Option<u64>,
    pub explicit: Option<bool>,
    pub transcripts: Vec<ParsedTranscript>,
    pub chapters: Option<ParsedTranscript>,
}

/// A `podcast:transcript`, or the `podcast:chapters`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ParsedTranscript {
    pub url: String,
    pub media_type: Option<String>,
    pub language: Option<String>,
}
