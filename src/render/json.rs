//! JSON Feed 1.1 (jsonfeed.org/version/1.1). Values without a field go into the extension `_newswire`.

use serde::Serialize;

use crate::entry::{Category, Podcast, SourcePlace};
use crate::render::address::{self, Format};
use crate::render::entry::{self, EditionCopy, EditionEntry, PreparedSection};
use crate::render::{RenderError, text};
use crate::section::ShownCopy;
use crate::time::Timestamp;

const VERSION: &str = "https://jsonfeed.org/version/1.1";

/// Renders a section as a JSON Feed document in UTF-8, without members that have no value.
///
/// ```
/// use std::time::Duration;
///
/// use newswire::config::{SourceFile, check};
/// use newswire::render::{SectionView, json};
/// use newswire::time::Timestamp;
///
/// let text = r#"
///     [site]
///     title = "Harbour wire"
///     [[feed]]
///     url = "https://harbour.example/feed.xml"
///     [[section]]
///     id = "all"
///     title = "All news"
///     feeds = ["*"]
/// "#;
/// let file = SourceFile { path: "newswire.toml".into(), text: text.to_owned() };
/// let (config, _) = check(&[file], &|_| Err("no secrets here".to_owned()));
/// let config = config.expect("the config has no errors");
/// let view = SectionView {
///     site: &config.site,
///     section: &config.sections[0],
///     id: "urn:example:all",
///     hubs: &[],
///     stories: &[],
///     feeds: &[],
///     updated: Timestamp::from_millis(0),
///     max_age: Duration::from_secs(900),
///     archive: None,
///     prev_archive: None,
///     podcast_guid: None,
/// };
/// let document = String::from_utf8(json(&view.prepare())?)?;
/// assert!(document.contains("\"title\": \"All news\""));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// If the writer fails; no content causes that.
pub fn json(prepared: &PreparedSection) -> Result<Vec<u8>, RenderError> {
    let view = prepared.view;
    let (site, section) = (view.site, view.section);
    let owner = site.owner.as_ref().map_or(&site.title, |owner| &owner.name);
    let feed = JsonFeed {
        version: VERSION,
        title: text::line(&section.title).unwrap_or_else(|| section.id.to_string()),
        home_page_url: address::uri(&address::section_page(site, &section.id)),
        feed_url: view.self_url(Format::Json),
        description: section.description.as_deref().and_then(text::line),
        icon: address::logo(site, section),
        favicon: address::icon(site),
        next_url: view.prev_archive(Format::Json),
        authors: text::line(owner).map(|name| JsonAuthor { name, url: None }).into_iter().collect(),
        language: text::language(&site.language),
        hubs: view.hubs.iter().map(|hub| JsonHub { kind: "WebSub", url: address::uri(hub) }).collect(),
        newswire: FeedExtension {
            about: address::about_extensions(site),
            id: text::legal(view.id),
            updated: view.updated.whole_second(),
            current: view.current(Format::Json),
            rights: site.rights.as_deref().and_then(text::line),
        },
        items: items(prepared),
    };
    let mut document = serde_json::to_vec_pretty(&feed)?;
    document.push(b'\n');
    Ok(document)
}

/// Returns the items of a section, as in its JSON Feed document.
pub fn json_items(prepared: &PreparedSection) -> Vec<serde_json::Value> {
    items(prepared).iter().filter_map(|item| serde_json::to_value(item).ok()).collect()
}

fn items(prepared: &PreparedSection) -> Vec<JsonItem> {
    prepared.entries_with_source().into_iter().map(item).collect()
}

#[derive(Serialize)]
struct JsonFeed {
    version: &'static str,
    title: String,
    home_page_url: String,
    feed_url: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    icon: Option<String>,
    favicon: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_url: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    authors: Vec<JsonAuthor>,
    #[serde(skip_serializing_if = "Option::is_none")]
    language: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    hubs: Vec<JsonHub>,
    #[serde(rename = "_newswire")]
    newswire: FeedExtension,
    items: Vec<JsonItem>,
}

#[derive(Serialize)]
struct FeedExtension {
    /// The address of the page that explains the extension, as JSON Feed 1.1 recommends.
    about: String,
    id: String,
    updated: Timestamp,
    /// The address of the section document; only in archive documents.
    #[serde(skip_serializing_if = "Option::is_none")]
    current: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rights: Option<String>,
}

#[derive(Serialize)]
struct JsonHub {
    #[serde(rename = "type")]
    kind: &'static str,
    url: String,
}

#[derive(Serialize)]
struct JsonAuthor {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
}

/// A person with an e-mail address. In `authors`, JSON Feed has no field for the address.
#[derive(Serialize)]
struct JsonPerson {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
}

#[derive(Serialize)]
struct JsonItem {
    id: String,
    url: String,
    title: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    content_html: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content_text: Option<String>,
    summary: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    image: Option<String>,
    date_published: Timestamp,
    date_modified: Timestamp,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    authors: Vec<JsonAuthor>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    language: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    attachments: Vec<JsonAttachment>,
    #[serde(rename = "_newswire")]
    newswire: ItemExtension,
}

#[derive(Serialize)]
struct JsonAttachment {
    url: String,
    mime_type: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    size_in_bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    duration_in_seconds: Option<u64>,
}

#[derive(Serialize)]
struct ItemExtension {
    #[serde(skip_serializing_if = "Option::is_none")]
    page: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    byline: Option<String>,
    /// The authors with e-mail addresses and without an added publication; only if one has an address, or the publication was
    /// added to them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    authors: Vec<JsonPerson>,
    /// Where the publication was added.
    #[serde(skip_serializing_if = "Option::is_none")]
    source_in: Option<JsonAddition>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    via: Vec<JsonPerson>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    categories: Vec<Category>,
    #[serde(skip_serializing_if = "Option::is_none")]
    comments: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rights: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    license: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    in_reply_to: Vec<entry::Reply>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    credits: Vec<entry::EditionCredit>,
    source: JsonSource,
    copies: Vec<JsonCopy>,
    #[serde(skip_serializing_if = "Option::is_none")]
    podcast: Option<Podcast>,
}

#[derive(Serialize)]
struct JsonAddition {
    place: SourcePlace,
    publication: String,
}

#[derive(Serialize)]
struct JsonSource {
    id: String,
    title: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    site: Option<String>,
    updated: Timestamp,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    authors: Vec<JsonPerson>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rights: Option<String>,
}

#[derive(Serialize)]
struct JsonCopy {
    feed: String,
    title: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    published: Timestamp,
    lead: bool,
    /// Whether the entry names the page as its source.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    source: bool,
}

fn item(entry: EditionEntry) -> JsonItem {
    let content_html = entry.content_html.or(entry.summary_html);
    let plain_authors = entry.added.as_ref().map_or(&entry.authors, |added| &added.authors);
    let is_added_to_authors = entry.added.as_ref().is_some_and(|added| added.place == SourcePlace::Author);
    let has_more = is_added_to_authors || plain_authors.iter().any(|author| author.email.is_some());
    let plain_authors = if has_more { persons(plain_authors.clone()) } else { Vec::new() };
    let content_text = content_html.is_none().then(|| entry.summary.clone());
    JsonItem {
        id: entry.id,
        url: entry.link,
        title: entry.title,
        content_html,
        content_text,
        summary: entry.summary,
        image: entry.image,
        date_published: entry.published,
        date_modified: entry.updated,
        authors: authors(entry.authors),
        tags: tags(&entry.categories),
        language: entry.language,
        attachments: entry.enclosures.into_iter().map(attachment).collect(),
        newswire: ItemExtension {
            page: entry.page,
            byline: text::line(&entry.story.byline),
            authors: plain_authors,
            source_in: entry.added.map(|added| JsonAddition { place: added.place, publication: added.publication }),
            via: persons(entry.contributors),
            categories: entry.categories,
            comments: entry.comments,
            rights: entry.rights,
            license: entry.license,
            in_reply_to: entry.in_reply_to,
            credits: entry.credits,
            source: source(entry.source),
            copies: entry.story.copies.iter().map(copy).chain(entry.named_copies.into_iter().map(named_copy)).collect(),
            podcast: entry.podcast,
        },
    }
}

fn authors(people: Vec<entry::EditionPerson>) -> Vec<JsonAuthor> {
    people.into_iter().map(|person| JsonAuthor { name: person.name, url: person.url }).collect()
}

fn persons(people: Vec<entry::EditionPerson>) -> Vec<JsonPerson> {
    let person = |person: entry::EditionPerson| JsonPerson { name: person.name, email: person.email, url: person.url };
    people.into_iter().map(person).collect()
}

/// Returns the terms of the categories without repeats.
fn tags(categories: &[Category]) -> Vec<String> {
    let mut tags: Vec<String> = Vec::new();
    for category in categories {
        if !tags.contains(&category.term) {
            tags.push(category.term.clone());
        }
    }
    tags
}

fn attachment(enclosure: entry::EditionEnclosure) -> JsonAttachment {
    JsonAttachment {
        url: enclosure.url,
        mime_type: enclosure.media_type,
        title: enclosure.title,
        size_in_bytes: enclosure.bytes,
        duration_in_seconds: enclosure.duration_seconds,
    }
}

fn source(source: entry::EditionSource) -> JsonSource {
    JsonSource {
        id: source.id,
        title: source.title,
        url: source.url,
        site: source.site,
        updated: source.updated,
        authors: persons(source.authors),
        rights: source.rights,
    }
}

fn copy(copy: &ShownCopy) -> JsonCopy {
    JsonCopy {
        feed: copy.feed.to_string(),
        title: text::line(&copy.title).unwrap_or_else(|| copy.feed.to_string()),
        url: address::public(copy.url.as_ref()),
        published: copy.published.whole_second(),
        lead: copy.lead,
        source: false,
    }
}

fn named_copy(copy: EditionCopy) -> JsonCopy {
    let EditionCopy { url, feed, title, published, is_source } = copy;
    JsonCopy { feed, title, url: Some(url), published, lead: false, source: is_source }
}
