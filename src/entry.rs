//! The words for what feeds carry: an entry and its parts, in the one form that newswire keeps.
//!
//! An [`Entry`] is always clean: titles and names are plain text, HTML is sanitized, URLs are absolute with the scheme
//! `http`, `https`, (links in HTML only) `mailto` or (enclosures only) that of a stream. `normalize` makes it, the store keeps it, rules judge it, `render` writes it.
//! Nothing here reads, writes or decides.

use serde::{Deserialize, Serialize};
use url::Url;

use crate::time::Timestamp;

/// What makes an entry the same entry at the next poll, within its feed only.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Guid {
    /// Byte for byte what the document gave (white space around it taken off), or what was made in its place.
    pub value: String,
    pub kind: GuidKind,
}

/// Where a [`Guid`] was taken from; kept, so that a better key found later can be told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum GuidKind {
    /// The document's own: Atom `id`, RSS `guid`, RDF `rdf:about`, JSON Feed `id`.
    Guid,
    /// The entry's link, as the document had no guid for it.
    Link,
    /// A hash of title and content, as it had neither.
    Fingerprint,
}

impl GuidKind {
    pub fn as_str(self) -> &'static str {
        match self {
            GuidKind::Guid => "guid",
            GuidKind::Link => "link",
            GuidKind::Fingerprint => "fingerprint",
        }
    }

    /// Reads what [`GuidKind::as_str`] returned; anything else is a fingerprint.
    pub fn from_name(name: &str) -> GuidKind {
        match name {
            "guid" => GuidKind::Guid,
            "link" => GuidKind::Link,
            _ => GuidKind::Fingerprint,
        }
    }
}

/// What different entries of one feed have in common, so that it does not identify them. A feed that showed it once keeps it,
/// so that its keys stay the same whatever its next document holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SharedKeys {
    /// Guids: the link, else the title, is added to them.
    pub guids: bool,
    /// Links: title and date are added to them.
    pub links: bool,
    /// Titles and dates: the text is added to them.
    pub titles: bool,
    /// Only a few entries have something in common: more is added to their keys alone.
    pub some: bool,
}

impl SharedKeys {
    /// As a number with one bit for each kind, for the store. The first bit is the guids.
    pub fn bits(self) -> u8 {
        u8::from(self.guids) | u8::from(self.links) << 1 | u8::from(self.titles) << 2 | u8::from(self.some) << 3
    }

    /// Reads what [`SharedKeys::bits`] returned.
    pub fn from_bits(bits: u8) -> SharedKeys {
        SharedKeys { guids: bits & 1 != 0, links: bits & 2 != 0, titles: bits & 4 != 0, some: bits & 8 != 0 }
    }

    /// Combines two: shared is what either shares.
    pub fn with(self, other: SharedKeys) -> SharedKeys {
        SharedKeys::from_bits(self.bits() | other.bits())
    }
}

/// Further keys of an entry beside its guid, made of the same document.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OtherGuids {
    /// The keys that it would have if less were shared in its feed, the most specific first. The store may know it under one.
    pub plainer: Vec<String>,
    /// The keys that it would have if more were shared, the most specific first; only the next one where nothing is shared.
    pub specific: Vec<String>,
}

/// One Atom entry, RSS item or JSON Feed item of one feed, cleaned.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    pub guid: Guid,
    /// The entry's own page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<Url>,
    /// Where the entry says that it was first published, if that is elsewhere: `feedburner:origLink`, `rel="via"` or
    /// `"canonical"`, `dc:source`, RSS `source` with a link. A claim, believed only for recognising the story.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub original: Option<Url>,
    /// Plain text; may be empty.
    pub title: String,
    /// Sanitized HTML.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary_html: Option<String>,
    /// Sanitized HTML.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_html: Option<String>,
    /// What the feed claims; it may lie in the future.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published: Option<Timestamp>,
    /// What the feed claims.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated: Option<Timestamp>,
    /// In the document's order; the feed's own authors where the entry names none and the format lets it inherit.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub authors: Vec<Person>,
    /// Who brought it: Atom `contributor`, `dc:contributor`, the "via" of a byline.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub contributors: Vec<Person>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub categories: Vec<Category>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub enclosures: Vec<Enclosure>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<Url>,
    /// The page of its discussion.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comments: Option<Url>,
    /// BCP 47, as declared by the entry or its feed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// Plain text; the feed's own where the entry has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rights: Option<String>,
    /// The licence that it may be used under (RFC 4946, Creative Commons); the feed's own where the entry has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub license: Option<Url>,
    /// What it answers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub in_reply_to: Vec<InReplyTo>,
    /// Who else had a part in it, beside authors and contributors.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub credits: Vec<Credit>,
    /// The feed that it says it was taken from, if it came through an aggregator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub podcast: Option<Podcast>,
    /// Where else it says that it is: Atom `rel="via"`, the `_newswire.copies` of a newswire.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub copies: Vec<NamedCopy>,
}

/// 1990-01-01T00:00:00Z: there was no web before, so that an earlier date comes from a clock that was never set.
const FIRST_MILLIS: i64 = 631_152_000_000;

impl Entry {
    /// When it was published, as far as the feed claims a date that can be.
    pub fn claimed(&self) -> Option<Timestamp> {
        [self.published, self.updated].into_iter().flatten().find(|date| date.millis() >= FIRST_MILLIS)
    }

    /// The files that come with it, without those that only repeat a picture.
    pub fn files(&self) -> impl Iterator<Item = &Enclosure> {
        self.enclosures.iter().filter(|enclosure| !enclosure.repeats_picture)
    }
}

/// A person as named in a feed; at least one of the three is there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// Plain text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<Url>,
}

impl Person {
    pub fn named(name: impl Into<String>) -> Self {
        Person { name: Some(name.into()), ..Person::default() }
    }

    /// The name, else the address, else the page: what a byline shows.
    pub fn display(&self) -> &str {
        self.name.as_deref().or(self.email.as_deref()).or(self.url.as_ref().map(Url::as_str)).unwrap_or_default()
    }
}

/// Atom `category`, RSS `category` with its `domain` as scheme, a JSON Feed tag.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Category {
    /// Plain text, never empty.
    pub term: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scheme: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
}

impl Category {
    /// What its scheme ends in: `region` of `https://example.org/region`, `tag:example.org,2020:region` and `region`.
    pub fn scheme_name(&self) -> Option<&str> {
        let scheme = self.scheme.as_deref()?.trim_end_matches(['/', '#']);
        scheme.rsplit(['/', '#', ':', '?', '=']).next().filter(|name| !name.is_empty())
    }
}

/// A file that comes with an entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enclosure {
    pub url: Url,
    /// A media type such as `audio/mpeg`.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    /// The size that the feed claims; absent where it says 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_seconds: Option<u64>,
    /// Plain text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// It is the entry's image, or another size of a picture that is there. It is kept, and not shown as a file.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub repeats_picture: bool,
}

/// What an entry answers: `thr:in-reply-to` (RFC 4685 §3). How many answers an entry has is not kept: it changes all the time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InReplyTo {
    /// The id of the other entry, never empty.
    pub id: String,
    /// The page of the other entry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<Url>,
}

/// A person or an organisation with a part in an entry: `podcast:person`, `media:credit`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credit {
    /// Plain text, never empty.
    pub name: String,
    /// As in `guest` or `producer`; plain text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<Url>,
}

/// Stands as the title of a source that has neither title nor address; read back, it is none.
pub const UNKNOWN_SOURCE: &str = "Unknown source";

/// The feed that an entry names as its source: Atom `source`, RSS `source`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Source {
    /// Plain text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The source's feed document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<Url>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The source's page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<Url>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub authors: Vec<Person>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rights: Option<String>,
}

/// Another copy of an entry, as the entry names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedCopy {
    pub url: Url,
    /// The id of the feed that has it, at the newswire that names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub feed: Option<String>,
    /// The title of that feed; plain text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published: Option<Timestamp>,
}

/// What a podcast client needs beside the enclosure (itunes and podcast namespaces).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Podcast {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_seconds: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<Url>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub episode: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub season: Option<u64>,
    /// `itunes:explicit`, where it says either.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub explicit: Option<bool>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub transcripts: Vec<Transcript>,
    /// The address and media type of `podcast:chapters`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chapters: Option<Transcript>,
}

/// A text that goes with an episode: `podcast:transcript` (and `podcast:chapters`, which has the same shape).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transcript {
    pub url: Url,
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
}
