//! Atom 1.0 (RFC 4287) with RFC 5005 archives, Media RSS, iTunes and Podcasting 2.0.

use std::collections::BTreeMap;

use atom_syndication::{Category, Content, Entry, Feed, Generator, Link, Person, Source, Text, TextType, WriteConfig};
use chrono::FixedOffset;

use crate::config::Site;
use crate::render::address::{self, Format};
use crate::render::entry::{self, EditionEntry, PreparedSection};
use crate::render::{RenderError, SectionView, extension, text, xml_head};
use crate::time::Timestamp;

/// Renders a section as an Atom document in UTF-8.
///
/// An entry without an author is never attributed to the site: its source becomes the author (RFC 4287 §4.2.1).
///
/// # Errors
///
/// If the writer fails; no content causes that.
pub fn atom(section: &PreparedSection) -> Result<Vec<u8>, RenderError> {
    let (view, entries) = (section.view, section.entries_with_source());
    let languages: Vec<_> = entries.iter().map(|entry| entry.language.clone()).collect();
    let config = WriteConfig { write_document_declaration: false, indent_size: Some(2) };
    let written = feed(view, entries).write_with_config(Vec::new(), config)?;
    let mut document = with_languages(&String::from_utf8_lossy(&written), &languages);
    if view.archive.is_some() {
        mark_as_archive(&mut document);
    }
    Ok(format!("{}{document}\n", xml_head(view.site)).into_bytes())
}

/// Adds `xml:lang` to each entry, for which the crate has no field. All text is escaped, so `<entry>` is always the tag.
fn with_languages(document: &str, languages: &[Option<String>]) -> String {
    let mut parts = document.split("<entry>");
    let mut result = parts.next().unwrap_or_default().to_owned();
    for (part, language) in parts.zip(languages) {
        match language {
            Some(language) => result.push_str(&format!("<entry xml:lang=\"{language}\">")),
            None => result.push_str("<entry>"),
        }
        result.push_str(part);
    }
    result
}

/// Marks the document as an archive (RFC 5005 §4), before the first entry: the crate writes extensions of a feed after its
/// entries, where RFC 4287 does not allow them.
fn mark_as_archive(document: &mut String) {
    if let Some(at) = document.find("<entry").or_else(|| document.rfind("</feed>")) {
        document.insert_str(at, "<fh:archive/>\n  ");
    }
}

fn feed(view: &SectionView, entries: Vec<EditionEntry>) -> Feed {
    let site = view.site;
    let owner = site.owner.as_ref().map_or(&site.title, |owner| &owner.name);
    let namespaces = used_namespaces(view, &entries);
    Feed {
        title: plain(text::line(&view.section.title).unwrap_or_else(|| view.section.id.to_string())),
        id: text::legal(view.id),
        updated: date(view.updated.whole_second()),
        authors: text::name(owner).map(|name| Person { name, ..Person::default() }).into_iter().collect(),
        generator: Some(Generator {
            value: env!("CARGO_PKG_NAME").to_owned(),
            uri: None,
            version: Some(env!("CARGO_PKG_VERSION").to_owned()),
        }),
        links: feed_links(view),
        icon: Some(view.section.image.as_ref().map_or_else(|| address::icon(site), address::uri)),
        logo: address::logo(site, view.section),
        rights: site.rights.as_deref().and_then(text::line).map(plain),
        subtitle: view.section.description.as_deref().and_then(text::line).map(plain),
        entries: distinct_dates(entries.into_iter().map(|entry| atom_entry(view, entry)).collect()),
        namespaces,
        lang: text::language(&site.language),
        ..Feed::default()
    }
}

/// Writes equal `updated` times in different time zones: readers that sort by `updated` expect it to differ from entry to
/// entry. The moments stay the same.
fn distinct_dates(mut entries: Vec<Entry>) -> Vec<Entry> {
    let mut seen: BTreeMap<_, i32> = BTreeMap::new();
    for entry in &mut entries {
        let minutes = seen.entry(entry.updated).and_modify(|minutes| *minutes += 1).or_default();
        let zone = FixedOffset::east_opt(*minutes % (12 * 60) * 60).expect("half a day is a zone");
        entry.updated = entry.updated.with_timezone(&zone);
    }
    entries
}

fn used_namespaces(view: &SectionView, entries: &[EditionEntry]) -> BTreeMap<String, String> {
    let any_media = entries.iter().any(|entry| entry.image.is_some() || entry.added.is_some());
    let any_podcast = entries.iter().any(extension::is_episode);
    let used =
        [(view.archive.is_some(), extension::HISTORY), (any_media, extension::MEDIA), (any_podcast, extension::ITUNES)];
    let used = used.into_iter().chain(extension::of_entries(entries)).filter(|(used, _)| *used);
    used.map(|(_, (prefix, namespace))| (prefix.to_owned(), namespace.to_owned())).collect()
}

fn feed_links(view: &SectionView) -> Vec<Link> {
    let atom = Some(Format::Atom.media_type());
    let page = address::uri(&address::section_page(view.site, &view.section.id));
    let mut links = vec![link("self", view.self_url(Format::Atom), atom), link("alternate", page, Some("text/html"))];
    links.extend(view.current(Format::Atom).map(|current| link("current", current, atom)));
    links.extend(view.prev_archive(Format::Atom).map(|archive| link("prev-archive", archive, atom)));
    links.extend(view.hubs.iter().map(|hub| link("hub", address::uri(hub), None)));
    links
}

fn atom_entry(view: &SectionView, entry: EditionEntry) -> Entry {
    let extensions = entry_extensions(view.site, &entry);
    let has_no_author = entry.authors.is_empty();
    Entry {
        links: entry_links(view.site, &entry),
        id: entry.id,
        title: plain(entry.title),
        updated: date(entry.updated),
        published: Some(date(entry.published)),
        authors: people(entry.authors),
        contributors: people(entry.contributors),
        categories: entry.categories.into_iter().map(category).collect(),
        rights: entry.rights.map(plain),
        source: Some(source(view, entry.source, has_no_author)),
        summary: Some(match (entry.summary_html, &entry.content_html) {
            (Some(markup), None) if markup.contains('<') => html(markup),
            _ => plain(entry.summary),
        }),
        content: entry.content_html.map(|html| Content {
            value: Some(html),
            content_type: Some("html".to_owned()),
            ..Content::default()
        }),
        extensions: extension::for_atom(extensions),
        ..Entry::default()
    }
}

/// Returns the links of an entry: the original, its sources, the other copies, its own page, the files, the discussion, the
/// licence.
fn entry_links(site: &Site, entry: &EditionEntry) -> Vec<Link> {
    let (copy_relation, page_type) = (address::copy_relation(site), Some("text/html"));
    let mut links = vec![link("alternate", entry.link.clone(), page_type)];
    links.extend(entry.sources.iter().map(|source| link("via", source.clone(), page_type)));
    links.extend(entry.copies.iter().map(|copy| link(&copy_relation, copy.clone(), page_type)));
    let page = entry.page.clone().filter(|page| *page != entry.link);
    links.extend(page.map(|page| link("related", page, Some("text/html"))));
    links.extend(entry.enclosures.iter().map(|enclosure| Link {
        length: enclosure.bytes.map(|bytes| bytes.to_string()),
        title: enclosure.title.clone(),
        ..link("enclosure", enclosure.url.clone(), Some(&enclosure.media_type))
    }));
    links.extend(entry.comments.iter().map(|comments| link("replies", comments.clone(), Some("text/html"))));
    links.extend(entry.license.iter().map(|license| link("license", license.clone(), None)));
    links
}

fn entry_extensions(site: &Site, entry: &EditionEntry) -> Vec<extension::Extension> {
    let mut extensions = extension::itunes(entry);
    extensions.extend(extension::thumbnail(entry));
    extensions.extend(entry.podcast.iter().flat_map(extension::podcast_texts));
    extensions.extend(extension::credits(entry));
    extensions.extend(extension::in_reply_to(entry));
    extensions.extend(extension::marks_of_source(site, entry));
    extensions
}

fn source(view: &SectionView, source: entry::EditionSource, is_author: bool) -> Source {
    let mut authors = people(source.authors);
    if authors.is_empty() && is_author {
        authors.extend(text::name(&source.title).map(|name| Person { name, ..Person::default() }));
    }
    let own = view.current(Format::Atom).unwrap_or_else(|| view.self_url(Format::Atom));
    let self_link = source.url.filter(|url| *url != own).map(|url| link("self", url, None));
    Source {
        title: plain(source.title),
        id: source.id,
        updated: date(source.updated),
        authors,
        links: self_link
            .into_iter()
            .chain(source.site.map(|site| link("alternate", site, Some("text/html"))))
            .collect(),
        rights: source.rights.map(plain),
        ..Source::default()
    }
}

fn people(people: Vec<entry::EditionPerson>) -> Vec<Person> {
    let person = |person: entry::EditionPerson| Person {
        name: person.name,
        email: person.email,
        uri: person.url,
        ..Person::default()
    };
    people.into_iter().map(person).collect()
}

/// Converts a category. Omits a scheme that is a plain word, because Atom's `scheme` is an IRI.
fn category(category: crate::entry::Category) -> Category {
    Category {
        term: category.term,
        scheme: category.scheme.filter(|scheme| scheme.contains(':')),
        label: category.label,
    }
}

/// Returns a plain text. Text that readers would take for HTML is written as HTML, so that it is unambiguous.
fn plain(value: String) -> Text {
    if text::reads_as_html(&value) { html(html_escape::encode_text(&value).into_owned()) } else { value.into() }
}

fn html(value: String) -> Text {
    Text { value, r#type: TextType::Html, ..Text::default() }
}

fn link(rel: &str, href: String, media_type: Option<&str>) -> Link {
    Link { rel: rel.to_owned(), href, mime_type: media_type.map(str::to_owned), ..Link::default() }
}

fn date(timestamp: Timestamp) -> chrono::DateTime<FixedOffset> {
    timestamp.datetime().fixed_offset()
}
