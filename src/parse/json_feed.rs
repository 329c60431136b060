//! Reads JSON Feed 1.0 and 1.1 leniently. Invalid JSON is repaired as far as possible. A value of the wrong type counts
//! as absent, and an item of the wrong type is left out.
//!
//! The specification is <https://www.jsonfeed.org/version/1.1/>. Of its extensions (members whose name begins with
//! `_`), only `_newswire` is read: see `newswire`.

mod newswire;

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use memchr::memmem;
use url::Url;
use xxhash_rust::xxh3::Xxh3Default;

use super::ParseError;
use super::lenient::{List, OfText, Rare, Tags, Text, object};
use super::model::{
    DocumentFormat, Family, ParsedEnclosure, ParsedEntry, ParsedFeed, ParsedInfo, ParsedLink, ParsedPerson, ParsedText,
};
use super::read::is_address;
use super::repairs::Repairs;
use super::tree::MAX_BASE_BYTES;
use super::{constructs, dates, identity, json_text, person};
use crate::entry::{Category, SharedKeys};
use crate::feed::PollHints;
use crate::feed::RepairKind;
use crate::time::Timestamp;

/// The most items that are read. Further ones are left out.
const MAX_ITEMS: usize = 5_000;
/// The most authors, attachments or the like that are read from one list.
const MAX_PARTS: usize = 500;
/// A part of the version URL of every JSON Feed.
const VERSION: &str = "jsonfeed.org/version";
/// If an API sends a message instead of a feed, the error shows at most this many characters of it.
const MAX_MESSAGE_CHARS: usize = 200;

object! {
    struct JsonDocument {
        version: Text,
        title: Text,
        home_page_url: Text,
        feed_url: Text,
        description: Text,
        next_url: Text,
        icon: Text,
        favicon: Text,
        author: List<Author, MAX_PARTS>,
        authors: List<Author, MAX_PARTS>,
        language: Text,
        hubs: List<Hub, MAX_PARTS>,
        // `None` if the document has no `items`.
        items: Option<List<Item, MAX_ITEMS>>,
        _newswire: Rare<newswire::OurDocument>,
        // An API that sends no feed may say why in these members.
        error: Text,
        message: Text,
    }
}

object! {
    #[derive(Hash)]
    struct Item {
        id: Text,
        url: Text,
        external_url: Text,
        title: Text,
        content_html: Text,
        content_text: Text,
        summary: Text,
        image: Text,
        banner_image: Text,
        date_published: Text,
        date_modified: Text,
        author: List<Author, MAX_PARTS>,
        authors: List<Author, MAX_PARTS>,
        tags: Tags,
        language: Text,
        attachments: List<Attachment, MAX_PARTS>,
        _newswire: Rare<newswire::OurItem>,
    }
}

object! {
    #[derive(Hash)]
    struct Author {
        name: Text,
        url: Text,
        email: Rare<newswire::Email>,
    }
}

object! {
    struct Hub {
        url: Text,
    }
}

object! {
    #[derive(Hash)]
    struct Attachment {
        url: Text,
        mime_type: Text,
        title: Text,
        size_in_bytes: Text,
        duration_in_seconds: Text,
    }
}

impl OfText for Item {
    fn of_text(_: Text) -> Option<Self> {
        None
    }
}

impl OfText for Author {
    fn of_text(name: Text) -> Option<Self> {
        Some(Author { name, ..Author::default() })
    }
}

impl OfText for Hub {
    fn of_text(url: Text) -> Option<Self> {
        Some(Hub { url })
    }
}

impl OfText for Attachment {
    fn of_text(url: Text) -> Option<Self> {
        Some(Attachment { url, ..Attachment::default() })
    }
}

/// Returns whether a document is JSON and not XML.
pub(super) fn looks_like_json(text: &str) -> bool {
    text.trim_start().starts_with(['{', '['])
}

/// Reads a JSON Feed that comes after something else, such as a warning of the server. Returns `None` if there is none.
pub(super) fn parse_behind_junk(
    text: &str,
    base: Option<&Url>,
    encoding: String,
    mut repairs: Repairs,
) -> Option<ParsedFeed> {
    memmem::find(text.as_bytes(), VERSION.as_bytes())?;
    let mut objects = text.match_indices('{').map(|(at, _)| at);
    let start = objects.find(|at| text[at + 1..].trim_start().starts_with('"'))?;
    repairs.note(RepairKind::JunkBeforeRoot);
    parse(&text[start..], base, encoding, repairs).ok()
}

/// Reads a JSON Feed.
///
/// # Errors
/// Fails if the text is not JSON even after repairs, or has neither `items` nor the version of a JSON Feed.
pub(super) fn parse(
    text: &str,
    base: Option<&Url>,
    encoding: String,
    mut repairs: Repairs,
) -> Result<ParsedFeed, ParseError> {
    let (document, truncated) = read_document(text.trim(), &mut repairs)?;
    let version = document.version.0.clone().unwrap_or_default();
    let items = match document.items {
        Some(items) => items,
        None if version.contains(VERSION) => List::default(),
        None => return Err(without_items(document.message.0.or(document.error.0))),
    };
    if truncated {
        repairs.note(RepairKind::Truncated);
    }
    (0..items.wrong).for_each(|_| repairs.note(RepairKind::BadItems));
    (0..items.beyond).for_each(|_| repairs.note(RepairKind::TooManyEntries));
    let ours = document._newswire.0.map(|ours| *ours).unwrap_or_default();
    let base = base.cloned().map(Arc::new);
    let site = document
        .home_page_url
        .0
        .as_deref()
        .and_then(|site| base.as_deref().map_or_else(|| Url::parse(site), |base| base.join(site)).ok());
    let site = site.filter(|site| matches!(site.scheme(), "http" | "https") && site.as_str().len() <= MAX_BASE_BYTES);
    let entries = items.kept.into_iter().map(|item| entry(item, site.as_ref(), &mut repairs)).collect();
    let links = [("alternate", document.home_page_url), ("self", document.feed_url), ("next", document.next_url)];
    let links = links.into_iter().filter_map(|(rel, href)| link(rel, href));
    let hubs = document.hubs.kept.into_iter().filter_map(|hub| link("hub", hub.url));
    let info = ParsedInfo {
        title: plain(document.title),
        description: plain(document.description),
        links: links.chain(hubs).collect(),
        authors: authors(document.authors, document.author),
        language: document.language.0,
        image: document.icon.0.or(document.favicon.0),
        base,
        entry_base: site.map(Arc::new),
        ..newswire::info(ours)
    };
    let format = DocumentFormat { family: Family::JsonFeed, version: version_number(&version) };
    let (hints, repairs) = (PollHints::default(), repairs.list());
    Ok(ParsedFeed { format, encoding, repairs, info, hints, entries, truncated, guids_repaired: SharedKeys::default() })
}

/// Returns the document, and whether it is cut off. If so, only its complete items are returned.
fn read_document(text: &str, repairs: &mut Repairs) -> Result<(JsonDocument, bool), ParseError> {
    let error = match serde_json::from_str(text) {
        Ok(document) => return Ok((document, false)),
        Err(error) => error,
    };
    let (json, repair_count) = json_text::repaired(text);
    (0..repair_count).for_each(|_| repairs.note(RepairKind::BadJson));
    let document = match serde_json::from_str(&json) {
        Ok(document) => Some((document, false)),
        Err(error) => {
            let whole = Some(&json).filter(|_| error.is_eof()).and_then(|json| whole_items(json));
            whole.and_then(|head| serde_json::from_str(&format!("{head}]}}")).ok()).map(|document| (document, true))
        }
    };
    document.ok_or_else(|| ParseError::Json(error.to_string()))
}

fn without_items(message: Option<String>) -> ParseError {
    ParseError::NoItems { says: message.map(|message| message.chars().take(MAX_MESSAGE_CHARS).collect()) }
}

/// Returns the text up to the end of the last complete item. An item is an object or list in a list that is a member of
/// the outermost object. Returns `None` if no item is complete.
fn whole_items(text: &str) -> Option<&str> {
    let mut open = Vec::new();
    let (mut in_string, mut escaped, mut end) = (false, false, None);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'{' | b'[' => open.push(byte),
            b'}' | b']' => {
                open.pop();
                if open == b"{[" {
                    end = Some(at + 1);
                }
            }
            _ => {}
        }
    }
    end.map(|end| &text[..end])
}

/// Returns the number at the end of a version URL, such as `https://jsonfeed.org/version/1.1`.
fn version_number(version: &str) -> String {
    let last = version.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    last.chars().filter(|character| character.is_ascii_digit() || *character == '.').take(8).collect()
}

/// Converts an item to an entry. `site` is the base of the item's relative URLs, if known.
fn entry(item: Item, site: Option<&Url>, repairs: &mut Repairs) -> ParsedEntry {
    let mut hasher = Xxh3Default::new();
    item.hash(&mut hasher);
    let depends_on_site = !item.url.0.as_deref().is_some_and(is_address);
    let hash_of_site = site.filter(|_| depends_on_site).map(identity::hash_of_site).unwrap_or_default();
    let content_text = plain(item.content_text);
    let content_html = item.content_html.0.map(|value| constructs::unwrapped(&value, true).unwrap_or(value));
    let content_html = content_html.map(|value| ParsedText { value, html: true, ..ParsedText::default() });
    let mut entry = ParsedEntry {
        raw_hash: hasher.finish() ^ hash_of_site,
        link: item.url.0.or_else(|| item.external_url.0.clone()),
        originals: item.external_url.0.into_iter().collect(),
        title: plain(item.title),
        summary: plain(item.summary),
        content: content_html.or(content_text),
        published: date(item.date_published, repairs),
        updated: date(item.date_modified, repairs),
        authors: authors(item.authors, item.author),
        categories: item.tags.0.into_iter().map(|term| Category { term, ..Category::default() }).collect(),
        enclosures: item.attachments.kept.into_iter().filter_map(enclosure).collect(),
        image: item.image.0.or(item.banner_image.0),
        language: item.language.0,
        own_guid: identity::own_guid(item.id.0),
        ..ParsedEntry::default()
    };
    if let Some(ours) = item._newswire.0 {
        newswire::add(*ours, &mut entry);
    }
    entry
}

fn plain(text: Text) -> Option<ParsedText> {
    text.0.map(|value| ParsedText { value, ..ParsedText::default() })
}

fn link(rel: &str, href: Text) -> Option<ParsedLink> {
    href.0.map(|href| ParsedLink { href, rel: rel.to_owned(), media_type: None })
}

fn date(text: Text, repairs: &mut Repairs) -> Option<Timestamp> {
    dates::noted(&text.0?, repairs)
}

/// Returns the `authors` of version 1.1. If there are none, returns the `author` of version 1.0.
fn authors(authors: List<Author, MAX_PARTS>, author: List<Author, MAX_PARTS>) -> Vec<ParsedPerson> {
    people(if authors.kept.is_empty() { author } else { authors })
}

fn people(list: List<Author, MAX_PARTS>) -> Vec<ParsedPerson> {
    list.kept.into_iter().map(person).filter(|person| *person != ParsedPerson::default()).collect()
}

/// Converts an author. The name may contain an e-mail address, as in RSS. The URL may be a `mailto:` URL.
fn person(author: Author) -> ParsedPerson {
    let named = author.name.0.as_deref().and_then(person::parse).unwrap_or_default();
    let address = author.url.0.as_deref().and_then(person::email);
    let url = author.url.0.filter(|_| address.is_none());
    let email = author.email.0.and_then(|email| newswire::email(*email));
    ParsedPerson { name: named.name, email: address.or(named.email).or(email), url }
}

fn number(text: Text) -> Option<u64> {
    let whole = text.0.and_then(|text| text.split('.').next().and_then(|whole| whole.parse().ok()));
    whole.filter(|&number| number > 0)
}

fn enclosure(attachment: Attachment) -> Option<ParsedEnclosure> {
    Some(ParsedEnclosure {
        url: attachment.url.0?,
        media_type: attachment.mime_type.0,
        bytes: number(attachment.size_in_bytes),
        duration_seconds: number(attachment.duration_in_seconds),
        title: attachment.title.0,
        repeats_picture: false,
    })
}
