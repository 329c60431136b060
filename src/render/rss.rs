//! RSS 2.0 according to the RSS Advisory Board's profile, with Dublin Core, `content:encoded`, Atom links, Media RSS and
//! syndication hints. `itunes:` occurs only in a section that is a podcast, because one element of it makes readers expect all.

use std::collections::BTreeMap;

use rss::{Category, Channel, Enclosure, Guid, Image, Item, Source};

use crate::config::Site;
use crate::entry::SourcePlace;
use crate::render::address::{self, Format};
use crate::render::entry::{self, EditionEntry, PreparedSection};
use crate::render::extension::{self, Extension};
use crate::render::{RenderError, SectionView, text, xml_head};

/// Placeholders for `<` and `&` in plain text until the document is written. XML forbids both characters, so no text
/// contains them.
const LESS_THAN: &str = "\u{1}";
const AMPERSAND: &str = "\u{2}";

/// Renders a section as an RSS document in UTF-8.
///
/// # Errors
///
/// If the writer fails; no content causes that.
pub fn rss(section: &PreparedSection) -> Result<Vec<u8>, RenderError> {
    let view = section.view;
    let written = channel(view, section.entries_with_source()).pretty_write_to(Vec::new(), b' ', 2)?;
    let document = String::from_utf8_lossy(&written);
    let root = document.find("<rss").map_or(&*document, |start| &document[start..]);
    let root = root.replace(LESS_THAN, "&#x3C;").replace(AMPERSAND, "&#x26;");
    Ok(format!("{}{root}\n", xml_head(view.site)).into_bytes())
}

fn channel(view: &SectionView, entries: Vec<EditionEntry>) -> Channel {
    let (site, section) = (view.site, view.section);
    let title = text::line(&section.title).unwrap_or_else(|| section.id.to_string());
    let description = section.description.as_deref().or(site.description.as_deref()).and_then(text::line);
    let mut extensions = channel_extensions(view);
    extensions.extend(podcast_channel(view));
    let mut channel = Channel::default();
    channel.set_namespaces(namespaces(view, &entries));
    channel.set_link(address::uri(&address::section_page(site, &section.id)));
    channel.set_description(plain_text(description.as_ref().unwrap_or(&title)));
    channel.set_title(plain_text(&title));
    channel.set_language(text::language(&site.language));
    channel.set_copyright(site.rights.as_deref().and_then(text::line).map(|rights| plain_text(&rights)));
    channel.set_last_build_date(view.updated.rfc822());
    channel.set_generator(format!("{} {}", env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION")));
    channel.set_ttl((view.max_age.as_secs() / 60).max(1).to_string());
    let contact = contact(site);
    // newsboat shows the managing editor as the author of an item that has none.
    let every_item_has_an_author = section.source_in == Some(SourcePlace::Author);
    channel.set_managing_editor(contact.clone().filter(|_| every_item_has_an_author));
    channel.set_webmaster(contact);
    channel.set_image(address::logo(site, section).filter(|url| is_raster(url)).map(|url| Image {
        url,
        title: channel.title.clone(),
        link: channel.link.clone(),
        ..Image::default()
    }));
    channel.set_extensions(extension::for_rss(extensions));
    channel.set_items(entries.into_iter().map(|entry| item(view, entry)).collect::<Vec<_>>());
    channel
}

/// Returns the e-mail address and name of the site's owner as RSS wants them; `None` without an address.
fn contact(site: &Site) -> Option<String> {
    let owner = site.owner.as_ref()?;
    let email = owner.email.as_deref().and_then(text::line).filter(|email| entry::is_email(email))?;
    // Parentheses delimit the name.
    let name = text::line(&owner.name.replace(['(', ')'], " "))?;
    Some(format!("{email} ({})", plain_text(&name)))
}

/// Whether the picture may be one of an RSS channel: RSS allows GIF, JPEG and PNG. Only the end of an address can show that it
/// is none of them.
fn is_raster(url: &str) -> bool {
    let path = url.split(['?', '#']).next().unwrap_or_default().to_ascii_lowercase();
    ![".svg", ".svgz", ".webp", ".avif", ".ico"].iter().any(|ending| path.ends_with(ending))
}

fn namespaces(view: &SectionView, entries: &[EditionEntry]) -> BTreeMap<String, String> {
    let any_media =
        entries.iter().any(|entry| entry.image.is_some() || !entry.enclosures.is_empty() || entry.added.is_some());
    let any_content = entries.iter().any(|entry| entry.content_html.is_some());
    let any_dublin_core = !entries.is_empty();
    let declared = [
        (true, extension::ATOM),
        (true, extension::SY),
        (any_content, extension::CONTENT),
        (any_dublin_core, extension::DC),
        (view.archive.is_some(), extension::HISTORY),
        (view.section.podcast.is_some(), extension::ITUNES),
        (any_media, extension::MEDIA),
    ];
    let podcast = (view.section.podcast.is_some(), extension::PODCAST);
    let declared = declared.into_iter().chain(extension::of_entries(entries)).chain([podcast]);
    let declared = declared.filter(|(used, _)| *used);
    declared.map(|(_, (prefix, namespace))| (prefix.to_owned(), namespace.to_owned())).collect()
}

fn channel_extensions(view: &SectionView) -> Vec<Extension> {
    let rss = Some(Format::Rss.media_type());
    let mut extensions = vec![atom_link("self", view.self_url(Format::Rss), rss)];
    extensions.extend(view.current(Format::Rss).map(|current| atom_link("current", current, rss)));
    extensions.extend(view.prev_archive(Format::Rss).map(|archive| atom_link("prev-archive", archive, rss)));
    extensions.extend(extension::archive(view));
    extensions.extend(view.hubs.iter().map(|hub| atom_link("hub", address::uri(hub), None)));
    let times_an_hour = (3600 / view.max_age.as_secs().max(1)).max(1);
    extensions.push(Extension::text(extension::SY.0, "updatePeriod", "hourly"));
    extensions.push(Extension::text(extension::SY.0, "updateFrequency", times_an_hour));
    extensions
}

/// Returns the elements that podcast directories require in the channel, or that say how they may use it.
fn podcast_channel(view: &SectionView) -> Vec<Extension> {
    let Some(podcast) = &view.section.podcast else { return Vec::new() };
    let itunes = extension::ITUNES.0;
    let owner = view.site.owner.as_ref();
    let name = owner.map_or(&view.site.title, |owner| &owner.name);
    let email = owner.and_then(|owner| owner.email.as_deref());
    let details = [("name", text::line(name)), ("email", email.and_then(text::line))];
    let details = details.into_iter().filter_map(|(name, value)| Some(Extension::text(itunes, name, value?)));
    let image = view.section.image.as_ref().map(address::uri);
    let image = image.map(|image| Extension::with(itunes, "image", [("href", Some(image))]));
    let yes_or_no = |is_so| if is_so { "yes" } else { "no" };
    let owner_email = email.and_then(text::line).filter(|email| entry::is_email(email));
    let locked = Extension {
        text: Some(yes_or_no(podcast.locked).to_owned()),
        ..Extension::with(extension::PODCAST.0, "locked", [("owner", owner_email)])
    };
    let required = vec![
        locked,
        Extension::text(itunes, "author", text::line(name).unwrap_or_default()),
        Extension::with(itunes, "category", [("text", text::line(&podcast.category))]),
        Extension::text(itunes, "explicit", podcast.explicit),
        Extension { children: details.collect(), ..Extension::with(itunes, "owner", []) },
    ];
    let block = podcast.block.then(|| Extension::text(itunes, "block", "Yes"));
    let guid = view.podcast_guid.map(|guid| Extension::text(extension::PODCAST.0, "guid", guid));
    required.into_iter().chain(block).chain(guid).chain(image).collect()
}

fn item(view: &SectionView, entry: EditionEntry) -> Item {
    let mut item = Item::default();
    item.set_extensions(extension::for_rss(item_extensions(view, &entry)));
    item.set_title(plain_text(&entry.title));
    item.set_guid(Guid { permalink: entry.id == entry.link, value: entry.id });
    item.set_pub_date(entry.published.rfc822());
    item.set_categories(entry.categories.into_iter().map(category).collect::<Vec<_>>());
    item.set_comments(entry.comments);
    item.set_enclosure(main_enclosure(view, entry.enclosures).map(enclosure));
    item.set_source(source(entry.source, &entry.link));
    item.set_description(entry.summary_html.unwrap_or_else(|| html_escape::encode_text(&entry.summary).into_owned()));
    item.set_content(entry.content_html);
    item.set_link(entry.link);
    item
}

fn item_extensions(view: &SectionView, entry: &EditionEntry) -> Vec<Extension> {
    let dc = |name: &'static str, text: &str| Extension::text(extension::DC.0, name, text);
    let copy_relation = address::copy_relation(view.site);
    let mut extensions: Vec<Extension> =
        entry.sources.iter().map(|source| atom_link("via", source.clone(), None)).collect();
    extensions.extend(entry.copies.iter().map(|copy| atom_link(&copy_relation, copy.clone(), None)));
    let page = entry.page.clone().filter(|page| *page != entry.link);
    extensions.extend(page.map(|page| atom_link("related", page, None)));
    extensions.extend(entry.license.iter().map(|license| atom_link("license", license.clone(), None)));
    extensions.push(Extension::text(extension::ATOM.0, "updated", entry.updated));
    extensions.extend(creators(entry).iter().map(|creator| dc("creator", creator)));
    extensions.extend(entry.contributors.iter().map(|contributor| dc("contributor", &contributor.name)));
    extensions.extend(entry.rights.iter().map(|rights| dc("rights", &plain_text(rights))));
    extensions.extend(entry.language.iter().map(|language| dc("language", language)));
    extensions.extend(media_contents(entry));
    extensions.extend(extension::thumbnail(entry));
    if view.section.podcast.is_some() {
        extensions.extend(extension::itunes(entry));
        let recordings = entry.enclosures.iter().filter(|enclosure| enclosure.is_playable);
        extensions.extend(recordings.skip(1).map(extension::alternate_enclosure));
    }
    extensions.extend(entry.podcast.iter().flat_map(extension::podcast_texts));
    extensions.extend(extension::credits(entry));
    extensions.extend(extension::in_reply_to(entry));
    extensions.extend(extension::marks_of_source(view.site, entry));
    extensions
}

/// Returns the enclosures as `media:content`, with their titles as plain text.
fn media_contents(entry: &EditionEntry) -> impl Iterator<Item = Extension> {
    extension::media_contents(&entry.enclosures).map(|mut content| {
        content.children.iter_mut().for_each(|title| title.text = title.text.as_deref().map(numeric));
        content
    })
}

/// Returns the authors. With an added publication they are one line: of several elements, newsboat shows the last and sfeed the
/// first, so one of them would not show the publication.
fn creators(entry: &EditionEntry) -> Vec<String> {
    let names = entry.authors.iter().map(|author| author.name.clone()).collect::<Vec<_>>();
    let is_added = entry.added.as_ref().is_some_and(|added| added.place == SourcePlace::Author);
    if is_added { vec![names.join(", ")] } else { names }
}

fn atom_link(rel: &str, href: String, media_type: Option<&str>) -> Extension {
    let attributes = [("rel", Some(rel.to_owned())), ("type", media_type.map(str::to_owned)), ("href", Some(href))];
    Extension::with(extension::ATOM.0, "link", attributes)
}

fn category(category: crate::entry::Category) -> Category {
    Category { name: plain_text(&category.term), domain: category.scheme }
}

/// Returns the enclosure of an item, which has at most one: in a podcast the first recording, else the first file.
fn main_enclosure(view: &SectionView, enclosures: Vec<entry::EditionEnclosure>) -> Option<entry::EditionEnclosure> {
    let is_podcast = view.section.podcast.is_some();
    enclosures.into_iter().find(|enclosure| enclosure.is_playable || !is_podcast)
}

/// Converts an enclosure. RSS requires a length, and 0 if it is unknown.
fn enclosure(enclosure: entry::EditionEnclosure) -> Enclosure {
    Enclosure { url: enclosure.url, length: enclosure.bytes.unwrap_or(0).to_string(), mime_type: enclosure.media_type }
}

/// Converts the source. RSS requires the feed's address; for a feed that is a file, uses its site or the story's link.
fn source(source: entry::EditionSource, link: &str) -> Source {
    Source {
        url: source.url.or(source.site).unwrap_or_else(|| link.to_owned()),
        title: Some(plain_text(&source.title)),
    }
}

/// Escapes titles and other plain text for readers that take it for HTML, with numeric references as the RSS profile
/// recommends. A text that contains tags or references would lose them in
/// such readers, so it is written as HTML.
fn plain_text(title: &str) -> String {
    let is_html_to_many = text::has_tag(title) || text::reads_as_html(title);
    numeric(&if is_html_to_many { html_escape::encode_text(title) } else { title.into() })
}

/// Writes each `<`, and each `&` that could begin a reference, as a placeholder of a numeric reference.
fn numeric(title: &str) -> String {
    let mut written = String::with_capacity(title.len());
    let mut characters = title.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '<' => written.push_str(LESS_THAN),
            '&' if characters.peek().is_some_and(|next| *next == '#' || next.is_alphanumeric()) => {
                written.push_str(AMPERSAND)
            }
            _ => written.push(character),
        }
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_are_escaped_so_that_readers_of_html_see_the_same_words() {
        let check = |title: &str, expected: &str| {
            assert_eq!(plain_text(title).replace(LESS_THAN, "&#x3C;").replace(AMPERSAND, "&#x26;"), expected);
        };
        check("War & peace", "War & peace");
        check("AT&T: 5 < 6", "AT&#x26;T: 5 &#x3C; 6");
        check("write &amp; so", "write &#x26;amp;amp; so");
        check("what <br> does", "what &#x26;lt;br&#x26;gt; does");
        check("a <b>bold</b> claim", "a &#x26;lt;b&#x26;gt;bold&#x26;lt;/b&#x26;gt; claim");
    }
}
