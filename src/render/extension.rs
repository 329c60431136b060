//! Elements of other namespaces that Atom and RSS share: archives, Media RSS, iTunes, Podcasting 2.0.
//!
//! Elements are written sorted by prefix and name, then in the given order, because the crates keep them in sorted maps.

use std::collections::BTreeMap;

use crate::config::Site;
use crate::entry::{CREDIT_ROLE_OF_PLACE, CREDIT_SCHEME_END, Podcast, SourcePlace, Transcript};
use crate::render::entry::{EditionEnclosure, EditionEntry};
use crate::render::media_type::type_of;
use crate::render::text;
use crate::render::{SectionView, address};

// Prefixes and namespaces, as both formats declare them.

/// Atom (RFC 4287).
pub(super) const ATOM: (&str, &str) = ("atom", "http://www.w3.org/2005/Atom");
/// RSS 1.0 content module.
pub(super) const CONTENT: (&str, &str) = ("content", "http://purl.org/rss/1.0/modules/content/");
/// Dublin Core.
pub(super) const DC: (&str, &str) = ("dc", "http://purl.org/dc/elements/1.1/");
/// Feed paging and archiving (RFC 5005).
pub(super) const HISTORY: (&str, &str) = ("fh", "http://purl.org/syndication/history/1.0");
/// iTunes podcasts.
pub(super) const ITUNES: (&str, &str) = ("itunes", "http://www.itunes.com/dtds/podcast-1.0.dtd");
/// Media RSS.
pub(super) const MEDIA: (&str, &str) = ("media", "http://search.yahoo.com/mrss/");
/// Podcasting 2.0.
pub(super) const PODCAST: (&str, &str) = ("podcast", "https://podcastindex.org/namespace/1.0");
/// RSS 1.0 syndication module.
pub(super) const SY: (&str, &str) = ("sy", "http://purl.org/rss/1.0/modules/syndication/");
/// Threading extensions (RFC 4685).
pub(super) const THREAD: (&str, &str) = ("thr", "http://purl.org/syndication/thread/1.0");

/// An element of another namespace.
#[derive(Debug)]
pub(super) struct Extension {
    pub prefix: &'static str,
    pub name: &'static str,
    pub text: Option<String>,
    pub attributes: Vec<(&'static str, String)>,
    pub children: Vec<Extension>,
}

impl Extension {
    /// Creates an element with a text.
    pub(super) fn text(prefix: &'static str, name: &'static str, text: impl ToString) -> Self {
        Extension { prefix, name, text: Some(text.to_string()), attributes: Vec::new(), children: Vec::new() }
    }

    /// Creates an element with the attributes that have a value.
    pub(super) fn with<const N: usize>(
        prefix: &'static str,
        name: &'static str,
        attributes: [(&'static str, Option<String>); N],
    ) -> Self {
        let attributes = attributes.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
        Extension { prefix, name, text: None, attributes, children: Vec::new() }
    }

    fn qualified_name(&self) -> String {
        format!("{}:{}", self.prefix, self.name)
    }

    /// Returns the text to write. An empty text keeps the writers from breaking the line inside an element with attributes only.
    fn written_text(&self) -> Option<String> {
        if self.children.is_empty() { Some(self.text.clone().unwrap_or_default()) } else { self.text.clone() }
    }
}

/// Returns the element that marks an archive document (RFC 5005 §4).
pub(super) fn archive(view: &SectionView) -> Option<Extension> {
    view.archive.map(|_| Extension::with(HISTORY.0, "archive", []))
}

/// Returns every enclosure as `media:content`, with its duration and title.
pub(super) fn media_contents(enclosures: &[EditionEnclosure]) -> impl Iterator<Item = Extension> {
    enclosures.iter().map(|enclosure| {
        let attributes = [
            ("url", Some(enclosure.url.clone())),
            ("type", Some(enclosure.media_type.clone())),
            ("fileSize", enclosure.bytes.map(|bytes| bytes.to_string())),
            ("duration", enclosure.duration_seconds.map(|seconds| seconds.to_string())),
        ];
        let titles = enclosure.title.iter().map(|title| Extension::text(MEDIA.0, "title", title));
        Extension { children: titles.collect(), ..Extension::with(MEDIA.0, "content", attributes) }
    })
}

/// Returns the image as `media:thumbnail`.
pub(super) fn thumbnail(entry: &EditionEntry) -> Option<Extension> {
    entry.image.clone().map(|image| Extension::with(MEDIA.0, "thumbnail", [("url", Some(image))]))
}

/// Returns the `itunes:` elements of an episode.
pub(super) fn itunes(entry: &EditionEntry) -> Vec<Extension> {
    let duration = duration(entry).map(|seconds| Extension::text(ITUNES.0, "duration", seconds));
    let Some(podcast) = &entry.podcast else { return duration.into_iter().collect() };
    let image = podcast.image.as_ref().map(address::uri);
    let extensions = [
        duration,
        image.map(|image| Extension::with(ITUNES.0, "image", [("href", Some(image))])),
        podcast.episode.map(|episode| Extension::text(ITUNES.0, "episode", episode)),
        podcast.season.map(|season| Extension::text(ITUNES.0, "season", season)),
        podcast.explicit.map(|explicit| Extension::text(ITUNES.0, "explicit", explicit)),
        podcast.episode_type.map(|kind| Extension::text(ITUNES.0, "episodeType", kind.name())),
    ];
    extensions.into_iter().flatten().collect()
}

/// Returns the duration of the episode in seconds, or of the first enclosure if the entry is not an episode.
fn duration(entry: &EditionEntry) -> Option<u64> {
    let of_podcast = entry.podcast.as_ref().and_then(|podcast| podcast.duration_seconds);
    of_podcast.or_else(|| entry.enclosures.first()?.duration_seconds)
}

/// Whether an entry has elements of the `itunes:` namespace.
pub(super) fn is_episode(entry: &EditionEntry) -> bool {
    entry.podcast.is_some() || duration(entry).is_some()
}

/// Returns what the entry replies to, as `thr:in-reply-to` (RFC 4685 §3).
pub(super) fn in_reply_to(entry: &EditionEntry) -> impl Iterator<Item = Extension> {
    entry.in_reply_to.iter().map(|reply| {
        Extension::with(THREAD.0, "in-reply-to", [("ref", Some(reply.id.clone())), ("href", reply.url.clone())])
    })
}

/// Returns the entry's contributors with roles, as `podcast:person`.
pub(super) fn credits(entry: &EditionEntry) -> impl Iterator<Item = Extension> {
    entry.credits.iter().map(|credit| Extension {
        text: Some(credit.name.clone()),
        ..Extension::with(PODCAST.0, "person", [("role", credit.role.clone()), ("href", credit.url.clone())])
    })
}

/// Returns the marks of what was added: the publication, and the plain names of the authors if it was added to them.
pub(super) fn marks_of_source(site: &Site, entry: &EditionEntry) -> Vec<Extension> {
    let Some(added) = &entry.added else { return Vec::new() };
    let scheme = site.url.as_str().trim_end_matches('/').to_owned() + CREDIT_SCHEME_END;
    let mark = |role: &str, text: &str| Extension {
        text: Some(text.to_owned()),
        ..Extension::with(MEDIA.0, "credit", [("role", Some(role.to_owned())), ("scheme", Some(scheme.clone()))])
    };
    let authors = added.authors.iter().filter(|_| added.place == SourcePlace::Author);
    let publication = mark(&format!("{CREDIT_ROLE_OF_PLACE}{}", added.place.name()), &added.publication);
    std::iter::once(publication).chain(authors.map(|author| mark("author", &author.name))).collect()
}

/// Returns an enclosure as `podcast:alternateEnclosure`: another form of the episode's file.
pub(super) fn alternate_enclosure(enclosure: &EditionEnclosure) -> Extension {
    let attributes = [
        ("type", Some(enclosure.media_type.clone())),
        ("length", enclosure.bytes.map(|bytes| bytes.to_string())),
        ("title", enclosure.title.clone()),
    ];
    let source = Extension::with(PODCAST.0, "source", [("uri", Some(enclosure.url.clone()))]);
    Extension { children: vec![source], ..Extension::with(PODCAST.0, "alternateEnclosure", attributes) }
}

/// Returns the namespaces for contributors, transcripts and chapters, and for replies, and for each whether the entries need
/// it.
pub(super) fn of_entries(entries: &[EditionEntry]) -> [(bool, (&'static str, &'static str)); 2] {
    let has_texts = |podcast: &Podcast| !podcast.transcripts.is_empty() || podcast.chapters.is_some();
    let any_text = entries.iter().filter_map(|entry| entry.podcast.as_ref()).any(has_texts);
    let any_credit = entries.iter().any(|entry| !entry.credits.is_empty());
    let any_reply = entries.iter().any(|entry| !entry.in_reply_to.is_empty());
    [(any_text || any_credit, PODCAST), (any_reply, THREAD)]
}

/// Returns the transcripts and chapters of an episode.
pub(super) fn podcast_texts(podcast: &Podcast) -> impl Iterator<Item = Extension> {
    let transcripts = podcast.transcripts.iter().map(|transcript| podcast_text("transcript", transcript));
    transcripts.chain(podcast.chapters.iter().map(|chapters| podcast_text("chapters", chapters)))
}

fn podcast_text(name: &'static str, transcript: &Transcript) -> Extension {
    let attributes = [
        ("url", Some(address::uri(&transcript.url))),
        ("type", Some(type_of(transcript.media_type.as_deref(), &transcript.url))),
        ("language", transcript.language.as_deref().and_then(text::language)),
    ];
    Extension::with(PODCAST.0, name, attributes)
}

/// Converts the elements to the rss crate's type.
pub(super) fn for_rss(extensions: Vec<Extension>) -> rss::extension::ExtensionMap {
    let mut map = rss::extension::ExtensionMap::new();
    for extension in extensions {
        let names = map.entry(extension.prefix.to_owned()).or_default();
        names.entry(extension.name.to_owned()).or_default().push(rss_extension(extension));
    }
    map
}

fn rss_extension(extension: Extension) -> rss::extension::Extension {
    let mut children: BTreeMap<_, Vec<_>> = BTreeMap::new();
    let name = extension.qualified_name();
    let value = extension.written_text();
    for child in extension.children {
        children.entry(child.name.to_owned()).or_default().push(rss_extension(child));
    }
    let attrs = extension.attributes.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    rss::extension::Extension { name, value, attrs, children }
}

/// Converts the elements to the atom_syndication crate's type. That crate does not escape attributes, so this function
/// does.
pub(super) fn for_atom(extensions: Vec<Extension>) -> atom_syndication::extension::ExtensionMap {
    let mut map = atom_syndication::extension::ExtensionMap::new();
    for extension in extensions {
        let name = extension.qualified_name();
        let value = extension.written_text();
        let attrs = extension.attributes.into_iter().map(|(name, value)| (name.to_owned(), text::escape(&value)));
        let names = map.entry(extension.prefix.to_owned()).or_default();
        names.entry(extension.name.to_owned()).or_default().push(atom_syndication::extension::Extension {
            name,
            value,
            attrs: attrs.collect(),
            children: BTreeMap::new(),
        });
    }
    map
}
