//! What a feed document says: read and repaired, but neither cleaned nor trusted.
//!
//! Strings come from the publisher and are untrusted: `normalize` makes an [`Entry`](crate::entry::Entry) of them. URLs
//! are resolved against `xml:base` and the address of the document as far as those are known, and may still be
//! relative.

use std::fmt;
use std::sync::Arc;

use url::Url;

use crate::entry::{Category, EpisodeType, Guid, GuidKind, OtherGuids, SharedKeys, SourcePlace};
use crate::feed::{PollHints, Repair};
use crate::time::Timestamp;

/// A feed document after reading.
#[derive(Clone, Debug)]
pub struct ParsedFeed {
    /// The format and version of the document.
    pub format: DocumentFormat,
    /// The encoding in which the document was read, such as `windows-1252`.
    pub encoding: String,
    /// What was wrong with the document and was repaired or left out. Each kind occurs once.
    pub repairs: Vec<Repair>,
    /// The feed itself.
    pub info: ParsedInfo,
    /// What the feed says about when to poll it.
    pub hints: PollHints,
    /// The entries in document order.
    pub entries: Vec<ParsedEntry>,
    /// Whether the document is cut off. If so, its validators (`ETag`, `Last-Modified`) must not be stored, so that the
    /// next poll fetches the whole document.
    pub truncated: bool,
    /// The kinds of keys (guid, link, title) that different entries of the feed have in common. Guids made of such keys
    /// are extended; see [`reidentify`](super::reidentify).
    pub guids_repaired: SharedKeys,
}

/// The format of a document, displayed as `RSS 2.0` or `JSON Feed 1.1`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentFormat {
    /// The family of formats.
    pub family: Family,
    /// The version, such as `2.0`; empty if the document names none.
    pub version: String,
}

/// The families of formats that newswire distinguishes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// RSS of any version, RDF included.
    Rss,
    /// Atom 0.3 or 1.0.
    Atom,
    /// JSON Feed.
    JsonFeed,
    /// Microsoft's Channel Definition Format.
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

/// What a document says about its feed.
#[derive(Clone, Debug, Default)]
pub struct ParsedInfo {
    /// The title of the feed.
    pub title: Option<ParsedText>,
    /// The description, or Atom's subtitle.
    pub description: Option<ParsedText>,
    /// The id of the feed as written, such as Atom `<id>`.
    pub id: Option<String>,
    /// All links except those of the feed's image, each with its relation: `alternate`, `self`, `hub`, `next`,
    /// `prev-archive` …
    pub links: Vec<ParsedLink>,
    /// The authors of every entry that names no author.
    pub authors: Vec<ParsedPerson>,
    /// The language tag as written.
    pub language: Option<String>,
    /// The copyright notice of every entry that has none of its own.
    pub rights: Option<ParsedText>,
    /// The URL of the licence, from an element and not from a link; see [`ParsedInfo::license`].
    pub license: Option<String>,
    /// The credits of every entry that names none.
    pub credits: Vec<ParsedCredit>,
    /// When the feed says that it last changed.
    pub updated: Option<Timestamp>,
    /// The URL of the feed's image.
    pub image: Option<String>,
    /// RSS `<cloud>`, as one URL.
    pub cloud: Option<String>,
    /// The base of relative URLs.
    pub base: Option<Arc<Url>>,
    /// The URL of the feed's page, if relative URLs of entries are relative to it and not to `base`. Always `None` in
    /// Atom.
    pub entry_base: Option<Arc<Url>>,
}

impl ParsedInfo {
    /// Returns the base of relative URLs of entries.
    pub fn entry_base(&self) -> Option<&Url> {
        self.entry_base.as_deref().or(self.base.as_deref())
    }

    /// Returns the addresses of the links with one relation, in document order.
    pub fn links(&self, rel: &'static str) -> impl Iterator<Item = &str> {
        self.links.iter().filter(move |link| link.rel == rel).map(|link| link.href.as_str())
    }

    /// Returns the URL of the licence of the entries, from its own element or from a link.
    pub fn license(&self) -> Option<&str> {
        self.license.as_deref().or_else(|| self.links("license").next())
    }
}

/// An entry of a document.
#[derive(Clone, Debug)]
pub struct ParsedEntry {
    /// The guid, unique in the document apart from repeats.
    pub guid: Guid,
    /// Whether an earlier entry of the document is the same: it has the same guid, link, title, date and text. Only the
    /// first is kept.
    pub is_repeat: bool,
    /// The guid or id that the document gives, trimmed; never empty.
    pub own_guid: Option<String>,
    /// The guids that the entry would have if different entries had fewer or more kinds of keys in common.
    pub other_guids: OtherGuids,
    /// The XXH3 hash of everything that the document says about this entry, and of what the entry inherits from its
    /// feed. Equal bytes give equal hashes, so an entry with a known hash need not be normalized again.
    pub raw_hash: u64,
    /// The URL of the entry's own page.
    pub link: Option<String>,
    /// The URLs where the entry says that it was first published, most reliable first: `feedburner:origLink`,
    /// `rel="canonical"`, `rel="via"`, `dc:source`.
    pub originals: Vec<String>,
    /// The title.
    pub title: Option<ParsedText>,
    /// The summary, or the RSS description.
    pub summary: Option<ParsedText>,
    /// The full content.
    pub content: Option<ParsedText>,
    /// When the entry says that it was published.
    pub published: Option<Timestamp>,
    /// When the entry says that it last changed.
    pub updated: Option<Timestamp>,
    /// The authors that the entry names itself.
    pub authors: Vec<ParsedPerson>,
    /// The contributors.
    pub contributors: Vec<ParsedPerson>,
    /// The categories in document order.
    pub categories: Vec<Category>,
    /// The files that come with the entry.
    pub enclosures: Vec<ParsedEnclosure>,
    /// The URL of the picture that represents the entry.
    pub image: Option<String>,
    /// The URL of the page with comments.
    pub comments: Option<String>,
    /// The language tag as written.
    pub language: Option<String>,
    /// The copyright notice.
    pub rights: Option<ParsedText>,
    /// The address of the licence.
    pub license: Option<String>,
    /// The entries that this one answers (RFC 4685).
    pub in_reply_to: Vec<ParsedInReplyTo>,
    /// The people with a part in the entry, and their roles.
    pub credits: Vec<ParsedCredit>,
    /// The feed that the entry names as its source.
    pub source: Option<Box<ParsedSource>>,
    /// What podcast elements say about the entry.
    pub podcast: Option<Box<ParsedPodcast>>,
    /// Other copies of the same story, which are entries of other feeds. `via` links and newswire's own output name
    /// them.
    pub copies: Vec<ParsedCopy>,
    /// What the newswire that published the entry added to it.
    pub added: Option<Box<ParsedAddition>>,
}

/// The publication that a newswire added to the author, title or text of an entry that it published.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ParsedAddition {
    /// Where it was added; `None` if the entry does not say so, and nothing is to be removed.
    pub place: Option<SourcePlace>,
    /// The title of the publication.
    pub publication: String,
    /// The names of the authors without it, in order; only if it was added to the authors.
    pub authors: Vec<String>,
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
            added: None,
        }
    }
}

/// A text, plain or HTML; never empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ParsedText {
    /// The text as written, with references resolved.
    pub value: String,
    /// Whether the text is unsanitized HTML; otherwise it is plain text.
    pub html: bool,
    /// Whether the line breaks in the text separate lines, although it is read as HTML. They do if the text has no tag
    /// and its type is not declared.
    pub has_lines: bool,
    /// The `xml:base` of relative URLs in the text, if there is one.
    pub base: Option<Arc<Url>>,
}

/// A link with its relation in lower case (`alternate` if it names none).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ParsedLink {
    /// The URL.
    pub href: String,
    /// The relation.
    pub rel: String,
    /// The media type as written.
    pub media_type: Option<String>,
}

/// A person; at least one field is present.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ParsedPerson {
    /// The name as written.
    pub name: Option<String>,
    /// The e-mail address.
    pub email: Option<String>,
    /// The URL of the person's page.
    pub url: Option<String>,
}

/// A file that comes with an entry: an enclosure, link, media element or attachment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ParsedEnclosure {
    /// The URL of the file.
    pub url: String,
    /// The media type as written.
    pub media_type: Option<String>,
    /// The size; never zero.
    pub bytes: Option<u64>,
    /// The playing time.
    pub duration_seconds: Option<u64>,
    /// The title of the file.
    pub title: Option<String>,
    /// Whether the file is the entry's image, another size of a picture that the entry already has, or too small to be
    /// seen.
    pub repeats_picture: bool,
}

/// A reference to the entry that is answered: `thr:in-reply-to`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ParsedInReplyTo {
    /// The id of the answered entry.
    pub id: String,
    /// The URL of the answered entry's page.
    pub url: Option<String>,
}

/// A person's part in an entry: `podcast:person` or `media:credit`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct ParsedCredit {
    /// The name of the person.
    pub name: String,
    /// The role as written.
    pub role: Option<String>,
    /// The URL of the person's page.
    pub url: Option<String>,
}

/// The feed that an entry names as its source.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ParsedSource {
    /// The title of the source.
    pub title: Option<ParsedText>,
    /// The URL of the source's feed document.
    pub url: Option<String>,
    /// The id of the source.
    pub id: Option<String>,
    /// The URL of the source's page.
    pub site: Option<String>,
    /// When the source last changed.
    pub updated: Option<Timestamp>,
    /// The authors of the source.
    pub authors: Vec<ParsedPerson>,
    /// The copyright notice of the source.
    pub rights: Option<ParsedText>,
}

/// Another copy of the story, which is an entry of another feed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ParsedCopy {
    /// The URL of the copy.
    pub url: String,
    /// The id of the feed that contains the copy, or the copy's host. `None` if the entry names the page as its source
    /// (`rel="via"`).
    pub feed: Option<String>,
    /// The title of the feed that contains the copy.
    pub title: Option<String>,
    /// When the copy was published.
    pub published: Option<Timestamp>,
}

/// What `itunes` and `podcast` elements say about an entry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ParsedPodcast {
    /// The playing time.
    pub duration_seconds: Option<u64>,
    /// The URL of the episode's image.
    pub image: Option<String>,
    /// The number of the episode.
    pub episode: Option<u64>,
    /// The number of the season.
    pub season: Option<u64>,
    /// Whether the episode is marked explicit; `None` if the entry does not say.
    pub explicit: Option<bool>,
    /// The kind of the episode; `None` if the entry names none that is known.
    pub episode_type: Option<EpisodeType>,
    /// The transcripts, in document order.
    pub transcripts: Vec<ParsedTranscript>,
    /// The file with the chapters.
    pub chapters: Option<ParsedTranscript>,
}

/// A file of a `podcast:transcript` or of `podcast:chapters`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ParsedTranscript {
    /// The URL of the file.
    pub url: String,
    /// The media type as written.
    pub media_type: Option<String>,
    /// The language tag as written.
    pub language: Option<String>,
}
