//! Types for what feeds contain: an entry and its parts, in the one form that newswire stores.
//!
//! An [`Entry`] is always clean: titles and names are plain text, and HTML is sanitized. URLs are absolute with the
//! scheme `http`, `https`, `mailto` (links in HTML only), or that of a stream (enclosures only). `normalize` makes an
//! entry, the store saves it, rules select it, and `render` writes it. This module does not read, write or decide
//! anything.

use serde::{Deserialize, Serialize};
use url::Url;

use crate::time::Timestamp;

/// What identifies an entry at the next poll. It is unique only within the entry's feed.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Guid {
    /// The guid that the document gives the entry, without white space around it, or a substitute. If different entries
    /// share it, other parts of the entry are added (see [`SharedKeys`]).
    pub value: String,
    /// Where the value comes from.
    pub kind: GuidKind,
}

/// The origin of a [`Guid`]. The store keeps it, so that newswire notices if a later document has a better guid for the
/// entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum GuidKind {
    /// The document's own guid: Atom `id`, RSS `guid`, RDF `rdf:about`, JSON Feed `id`.
    Guid,
    /// The entry's link, because the document gave the entry no guid.
    Link,
    /// A hash of title and date, or of title and text, because the document gave the entry neither a guid nor a link.
    Fingerprint,
}

impl GuidKind {
    /// Returns the name of the kind: `guid`, `link` or `fingerprint`.
    pub fn as_str(self) -> &'static str {
        match self {
            GuidKind::Guid => "guid",
            GuidKind::Link => "link",
            GuidKind::Fingerprint => "fingerprint",
        }
    }

    /// Parses a name that [`GuidKind::as_str`] returns. Any other text is a fingerprint.
    pub fn from_name(name: &str) -> GuidKind {
        match name {
            "guid" => GuidKind::Guid,
            "link" => GuidKind::Link,
            _ => GuidKind::Fingerprint,
        }
    }
}

/// The kinds of keys (guid, link, title with date) that different entries of one document of a feed had in common. Such
/// a key alone does not identify an entry, so other parts of the entry are added to it. A field that was set once stays
/// set for the feed, so that guids stay the same whatever the next document contains.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SharedKeys {
    /// Different entries have the same guid. The entry's link is added to each guid, or its title if it has no link.
    pub guids: bool,
    /// Different entries have the same link. The title and date are added to each link.
    pub links: bool,
    /// Different entries have the same title and date. The text is added to the title and date.
    pub titles: bool,
    /// Only a few entries of a document share a key. Only the keys of these entries are extended, not those of all
    /// entries.
    pub some: bool,
}

impl SharedKeys {
    /// Returns a number with one bit per field, for the store. The lowest bit is `guids`.
    pub fn bits(self) -> u8 {
        u8::from(self.guids) | u8::from(self.links) << 1 | u8::from(self.titles) << 2 | u8::from(self.some) << 3
    }

    /// Parses a number that [`SharedKeys::bits`] returns.
    pub fn from_bits(bits: u8) -> SharedKeys {
        SharedKeys { guids: bits & 1 != 0, links: bits & 2 != 0, titles: bits & 4 != 0, some: bits & 8 != 0 }
    }

    /// Returns the union: a field is set if it is set in one of the two.
    pub fn with(self, other: SharedKeys) -> SharedKeys {
        SharedKeys::from_bits(self.bits() | other.bits())
    }
}

/// Other guids that the same entry could have. Which guid it gets depends on the [`SharedKeys`] of its feed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OtherGuids {
    /// The guids that the entry would have if fewer fields of [`SharedKeys`] were set, the most specific first. The
    /// store may know the entry by one of these.
    pub plainer: Vec<String>,
    /// The guids that the entry would have if more fields of [`SharedKeys`] were set, the most specific first. If
    /// [`SharedKeys::some`] is not set, this is at most one guid: the least specific of them.
    pub specific: Vec<String>,
}

/// Where an edition names the publication of a story, besides the fields for it, because most readers show only the title
/// of the merged feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SourcePlace {
    /// After the last author: "Jane Doe, The Gazette".
    Author,
    /// Before the title: "The Gazette: Ferry sails".
    Title,
    /// In a line of its own before the text.
    Content,
}

impl SourcePlace {
    /// The places with their names in the TOML and in editions.
    pub const ALL: [(&str, SourcePlace); 3] =
        [("author", SourcePlace::Author), ("title", SourcePlace::Title), ("content", SourcePlace::Content)];

    /// Returns the name of the place.
    pub fn name(self) -> &'static str {
        SourcePlace::ALL.into_iter().find(|(_, place)| *place == self).map_or("", |(name, _)| name)
    }

    /// Finds a place by its name.
    pub fn named(name: &str) -> Option<SourcePlace> {
        SourcePlace::ALL.into_iter().find(|(known, _)| *known == name).map(|(_, place)| place)
    }
}

/// The end of the scheme of the `media:credit` elements by which a newswire marks the publication that it added to an entry,
/// and the authors without it. The beginning is the address of the site, so that each scheme is an address of its publisher,
/// and the page there says what the elements mean.
pub const CREDIT_SCHEME_END: &str = "/about/#newswire";

/// The end of the relation of links to other copies of a story, an extension relation (RFC 4287 §4.2.7.2). The beginning is
/// the address of the site, whose page says what the relation means. `via` would name a source, which a copy need not be.
pub const COPY_RELATION_END: &str = "/about/#copy";

/// The beginning of the `role` of the element that names the publication; the name of its [`SourcePlace`] follows. The
/// elements with the authors' plain names have the role `author`.
pub const CREDIT_ROLE_OF_PLACE: &str = "publication-in-";

/// One cleaned entry of one feed: an Atom entry, RSS item or JSON Feed item.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// The identity within its feed.
    pub guid: Guid,
    /// The URL of the entry's own page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<Url>,
    /// The URL at which the entry was first published, if the entry names one: `feedburner:origLink`, `rel="canonical"`
    /// or `"via"`, `dc:source`, JSON Feed `external_url`. This is only a claim, so it is used only to recognise the
    /// story.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub original: Option<Url>,
    /// The title as plain text; may be empty.
    pub title: String,
    /// The summary as sanitized HTML.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary_html: Option<String>,
    /// The content as sanitized HTML.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_html: Option<String>,
    /// When the feed claims that the entry was published. It may be in the future.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published: Option<Timestamp>,
    /// When the feed claims that the entry last changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated: Option<Timestamp>,
    /// The authors in document order. If the entry names none and the format allows it, these are the feed's authors.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub authors: Vec<Person>,
    /// The people who passed the entry on: Atom `contributor`, `dc:contributor`, the "via" of a byline.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub contributors: Vec<Person>,
    /// The categories, in document order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub categories: Vec<Category>,
    /// The files that come with the entry, in document order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub enclosures: Vec<Enclosure>,
    /// The URL of the picture that represents the entry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<Url>,
    /// The URL of the page where readers discuss the entry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comments: Option<Url>,
    /// The BCP 47 language tag that the entry or its feed declares.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// The copyright notice as plain text. If the entry has none, this is the feed's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rights: Option<String>,
    /// The licence (RFC 4946, Creative Commons). If the entry has none, this is the feed's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub license: Option<Url>,
    /// The entries to which this entry is a reply.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub in_reply_to: Vec<InReplyTo>,
    /// Other people with a part in the entry, in addition to authors and contributors.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub credits: Vec<Credit>,
    /// The feed that the entry names as its source, if it came through an aggregator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
    /// The data for podcast clients, such as the episode's number and transcripts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub podcast: Option<Podcast>,
    /// Other pages with the same story: Atom `rel="via"`, and the copies that a feed from newswire names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub copies: Vec<NamedCopy>,
}

/// 1990-01-01T00:00:00Z. There was no web before, so an earlier date comes from a clock that was never set.
const FIRST_MILLIS: i64 = 631_152_000_000;

impl Entry {
    /// Returns the date on which the entry was published, as the feed claims; otherwise the date of its last change.
    /// Skips dates before 1990, which are impossible. Returns `None` if no date is left.
    pub fn claimed(&self) -> Option<Timestamp> {
        [self.published, self.updated].into_iter().flatten().find(|date| date.millis() >= FIRST_MILLIS)
    }

    /// Returns the files that come with the entry, except those that only repeat a picture.
    pub fn files(&self) -> impl Iterator<Item = &Enclosure> {
        self.enclosures.iter().filter(|enclosure| !enclosure.repeats_picture)
    }
}

/// A person named in a feed. At least one field is present.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// The name as plain text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The e-mail address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// The URL of the person's page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<Url>,
}

impl Person {
    /// Creates a person with only a name.
    pub fn named(name: impl Into<String>) -> Self {
        Person { name: Some(name.into()), ..Person::default() }
    }

    /// Returns the text for the person in a byline: the name, otherwise the e-mail address, otherwise the URL of the
    /// page.
    pub fn display(&self) -> &str {
        self.name.as_deref().or(self.email.as_deref()).or(self.url.as_ref().map(Url::as_str)).unwrap_or_default()
    }
}

/// A category: Atom `category`, RSS `category` with its `domain` as scheme, or a JSON Feed tag.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Category {
    /// The term as plain text; never empty.
    pub term: String,
    /// The scheme: an IRI or a word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scheme: Option<String>,
    /// A label for people, as plain text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
}

impl Category {
    /// Returns the last part of the category's scheme. It is `region` for `https://example.org/region`,
    /// `tag:example.org,2020:region` and `region`. Returns `None` if there is no scheme, or if this part is empty.
    pub fn scheme_name(&self) -> Option<&str> {
        let scheme = self.scheme.as_deref()?.trim_end_matches(['/', '#']);
        scheme.rsplit(['/', '#', ':', '?', '=']).next().filter(|name| !name.is_empty())
    }
}

/// A file that comes with an entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enclosure {
    /// The URL of the file.
    pub url: Url,
    /// The media type, such as `audio/mpeg`.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    /// The size that the feed claims; absent if it claims 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// The playing time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_seconds: Option<u64>,
    /// The title as plain text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Whether the file is the entry's image, another size of a picture that the entry already has, or too small to be
    /// seen. Such a file is stored, but not shown.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub repeats_picture: bool,
}

impl Enclosure {
    /// Whether podcast clients can play the file: audio or video on a web server. If the feed declares neither, the extension of
    /// the URL decides.
    pub fn is_playable(&self) -> bool {
        let is_on_the_web = matches!(self.url.scheme(), "http" | "https") && self.url.host_str() != Some("localhost");
        let declared = self.media_type.as_deref().unwrap_or_default().trim().to_ascii_lowercase();
        let is_declared = ["audio/", "video/"].iter().any(|kind| declared.starts_with(kind));
        let extension = self.url.path().rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase());
        let is_named = || extension.is_some_and(|extension| PLAYABLE.contains(&&*extension));
        is_on_the_web && (is_declared || !declared.starts_with("image/") && is_named())
    }
}

/// The extensions of audio and video files.
const PLAYABLE: [&str; 8] = ["m4a", "m4v", "mp3", "mp4", "oga", "ogg", "opus", "webm"];

/// A reference from a reply to the entry that it answers: `thr:in-reply-to` (RFC 4685 §3). The number of replies is not
/// stored, because it changes all the time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InReplyTo {
    /// The id of the entry that is answered; never empty.
    pub id: String,
    /// The page of the entry that is answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<Url>,
}

/// A person or an organisation with a part in an entry: `podcast:person`, `media:credit`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credit {
    /// The name as plain text; never empty.
    pub name: String,
    /// The role as plain text, such as `guest` or `producer`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// The URL of the person's page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<Url>,
}

/// The title that newswire writes for a source that has neither title nor address. When newswire reads this title in a
/// feed, it treats the title as absent.
pub const UNKNOWN_SOURCE: &str = "Unknown source";

/// The feed that an entry names as its source: Atom `source`, RSS `source`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Source {
    /// The title as plain text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The URL of the source's feed document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<Url>,
    /// The id of the source feed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The URL of the source's page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<Url>,
    /// When the source last changed, as it claims.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated: Option<Timestamp>,
    /// The authors of the source.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub authors: Vec<Person>,
    /// The copyright notice of the source, as plain text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rights: Option<String>,
}

/// Another page with the same story, as the entry names it: a copy, or the page through which the entry's author found it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedCopy {
    /// The URL of the copy.
    pub url: Url,
    /// The id of the copy's feed, in the newswire installation whose entry names the copy; the host of the copy if only a
    /// link names it. `None` if the entry names the page with `rel="via"`, as its source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub feed: Option<String>,
    /// The title of the copy's feed as plain text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// When the copy was published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published: Option<Timestamp>,
}

/// What a podcast client needs in addition to the enclosure (itunes and podcast namespaces).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Podcast {
    /// The playing time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_seconds: Option<u64>,
    /// The URL of the episode's image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<Url>,
    /// The number of the episode.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub episode: Option<u64>,
    /// The number of the season.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub season: Option<u64>,
    /// Whether `itunes:explicit` is true; absent if it is not declared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub explicit: Option<bool>,
    /// The kind of the episode (`itunes:episodeType`); absent if it is not declared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub episode_type: Option<EpisodeType>,
    /// The transcripts, in document order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub transcripts: Vec<Transcript>,
    /// The address and media type of `podcast:chapters`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chapters: Option<Transcript>,
}

/// The kind of an episode (`itunes:episodeType`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EpisodeType {
    /// A whole episode.
    Full,
    /// A short advertisement of the podcast.
    Trailer,
    /// Additional material.
    Bonus,
}

impl EpisodeType {
    /// Returns the name in `itunes:episodeType`.
    pub fn name(self) -> &'static str {
        match self {
            EpisodeType::Full => "full",
            EpisodeType::Trailer => "trailer",
            EpisodeType::Bonus => "bonus",
        }
    }

    /// Finds a kind by its name, in any case.
    pub fn named(name: &str) -> Option<EpisodeType> {
        let kinds = [EpisodeType::Full, EpisodeType::Trailer, EpisodeType::Bonus];
        kinds.into_iter().find(|kind| name.trim().eq_ignore_ascii_case(kind.name()))
    }
}

/// A text of an episode: `podcast:transcript`, or `podcast:chapters`, which has the same form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transcript {
    /// The URL of the text.
    pub url: Url,
    /// The media type, such as `text/vtt`.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    /// The BCP 47 language tag.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
}
