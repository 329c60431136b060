//! Lets feed-rs read the canonical document, and joins the result with what was set aside (`EntryAside`).
//!
//! Each document gets a new feed-rs parser, because a parser that met an error panics on the next document. The parser
//! runs inside `catch_unwind`. It is set up so that it makes up no ids. A canonical document should cause neither
//! errors nor panics.

use std::panic::{AssertUnwindSafe, catch_unwind};

use feed_rs::model;
use feed_rs::parser::Builder;
use url::Url;

use super::ParseError;
use super::canonical::Canonical;
use super::entry_aside::EntryAside;
use super::identity;
use super::model::{ParsedEntry, ParsedFeed, ParsedInfo, ParsedLink, ParsedPerson, ParsedText};
use super::parts::{self, TextAside};
use crate::entry::{Category, SharedKeys};
use crate::time::Timestamp;

/// The rights of a feed are cut at this length, because each entry without its own rights inherits them.
const MAX_RIGHTS_BYTES: usize = 2 << 10;

/// Reads a canonical document.
///
/// # Errors
/// Fails if feed-rs refuses the document or panics. That is a fault of newswire, not of the publisher.
pub(super) fn read(canonical: Canonical, encoding: String) -> Result<ParsedFeed, ParseError> {
    let Canonical { atom, format, feed: aside, entries: asides, truncated, repairs } = canonical;
    let feed = catch_unwind(AssertUnwindSafe(|| feed_rs(&atom))).map_err(|_| ParseError::ReaderPanic)??;
    drop(atom);
    let mut asides: Vec<Option<EntryAside>> = asides.into_iter().map(Some).collect();
    let mut entries = Vec::with_capacity(asides.len());
    entries.extend(feed.entries.into_iter().filter_map(|entry| {
        let number: usize = entry.id.parse().ok()?;
        Some(join(entry, asides.get_mut(number)?.take()?, aside.site.as_deref()))
    }));
    let info = ParsedInfo {
        title: feed.title.and_then(text),
        description: feed.description.and_then(text),
        id: Some(feed.id).filter(|id| !id.is_empty()),
        links: feed.links.into_iter().map(link).collect(),
        authors: feed.authors.into_iter().map(person).collect(),
        language: aside.language,
        rights: feed.rights.and_then(text).map(cut_rights),
        license: aside.license,
        credits: aside.credits,
        updated: feed.updated.map(Timestamp::from_datetime),
        image: aside.image,
        cloud: aside.cloud,
        base: aside.base,
        entry_base: aside.site,
    };
    let repairs = repairs.list();
    Ok(ParsedFeed {
        format,
        encoding,
        repairs,
        info,
        hints: aside.hints,
        entries,
        truncated,
        guids_repaired: SharedKeys::default(),
    })
}

fn feed_rs(atom: &str) -> Result<model::Feed, ParseError> {
    let parser = Builder::new()
        .id_generator(|_, _, _| String::new())
        .sanitize_content(false)
        .timestamp_parser(|millis| millis.parse().ok().map(|millis| Timestamp::from_millis(millis).datetime()))
        .build();
    parser.parse(atom.as_bytes()).map_err(|error| ParseError::Reader(error.to_string()))
}

/// Joins the two parts of an entry. `site` is the URL of the feed's page, if relative URLs are relative to it.
fn join(entry: model::Entry, aside: EntryAside, site: Option<&Url>) -> ParsedEntry {
    let EntryAside { entry: mut half, permalink, guid, default_base, .. } = aside;
    if let Some(site) = site.filter(|_| aside.depends_on_site) {
        half.raw_hash ^= identity::hash_of_site(site);
    }
    let with_own_base =
        |text: ParsedText| ParsedText { base: parts::given_base(&text.base, &default_base).cloned(), ..text };
    let with_aside =
        |text: ParsedText, aside: TextAside| ParsedText { base: aside.base, has_lines: aside.has_lines, ..text };
    let links: Vec<ParsedLink> = entry.links.into_iter().map(link).collect();
    let content = entry.content.and_then(|content| {
        let html = content.content_type.subty() != "plain";
        content.body.map(|value| with_aside(ParsedText { value, html, ..ParsedText::default() }, aside.content))
    });
    let summary = entry.summary.and_then(text).map(|summary| with_aside(summary, aside.summary));
    let (summary, content) = match (aside.short_summary, summary, content) {
        (Some(short), description, None) => (Some(short), description),
        (short, summary, content) => (summary.or(short), content),
    };
    let summary = summary.or(aside.other_summary);
    ParsedEntry {
        link: page_link(&links).or_else(|| guid.clone().filter(|guid| permalink && is_address(guid))),
        title: entry.title.and_then(text).or(aside.other_title),
        summary: summary.map(with_own_base),
        content: content.map(with_own_base),
        published: entry.published.map(Timestamp::from_datetime),
        updated: entry.updated.map(Timestamp::from_datetime),
        authors: entry.authors.into_iter().map(person).collect(),
        contributors: entry.contributors.into_iter().map(person).collect(),
        categories: entry.categories.into_iter().map(category).collect(),
        rights: entry.rights.and_then(text),
        own_guid: identity::own_guid(guid),
        ..half
    }
}

/// Returns the URL of the entry's own page: the first alternate link to HTML, else the first alternate link, else the
/// link to the content.
fn page_link(links: &[ParsedLink]) -> Option<String> {
    let is_html = |link: &&ParsedLink| link.media_type.as_deref().is_none_or(|media_type| media_type.contains("html"));
    let alternates = || links.iter().filter(|link| link.rel == "alternate");
    let found = alternates()
        .find(is_html)
        .or_else(|| alternates().next())
        .or_else(|| links.iter().find(|link| link.rel == "content"));
    found.map(|link| link.href.clone())
}

pub(super) fn is_address(text: &str) -> bool {
    let scheme = text.split(':').next().unwrap_or_default();
    scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https")
}

fn text(text: model::Text) -> Option<ParsedText> {
    let html = text.content_type.subty() != "plain";
    (!text.content.is_empty()).then_some(ParsedText { value: text.content, html, ..ParsedText::default() })
}

fn cut_rights(mut rights: ParsedText) -> ParsedText {
    rights.value.truncate(rights.value.floor_char_boundary(MAX_RIGHTS_BYTES));
    rights
}

fn link(link: model::Link) -> ParsedLink {
    ParsedLink { href: link.href, rel: link.rel.unwrap_or_default(), media_type: link.media_type }
}

fn person(person: model::Person) -> ParsedPerson {
    ParsedPerson { name: person.name, email: person.email, url: person.uri }
}

fn category(category: model::Category) -> Category {
    Category { term: category.term, scheme: category.scheme, label: category.label }
}
