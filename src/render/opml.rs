//! OPML 2.0 subscription lists. The ids of feeds and sections, and whether a feed is disabled, have no attribute in OPML; they
//! are written in a namespace of our own, as OPML 2.0 allows, so that an import can read them back.

use std::io;

use quick_xml::Writer;
use quick_xml::events::{BytesText, Event};

use crate::config::Site;
use crate::feed::SectionId;
use crate::render::entry::is_email;
use crate::render::{RenderError, address, text};
use crate::section::ShownFeed;
use crate::time::Timestamp;

/// The namespace of our own attributes, a UUID of version 4. newswire has no public address, and an invented one could
/// belong to somebody else one day. An import goes by the prefix, because earlier versions wrote another namespace.
const NEWSWIRE: &str = "urn:uuid:27fbc6ba-eae7-4f0c-b0e9-2ba84fdafbac";

/// A section as an outline with its feeds.
pub struct OpmlFolder {
    /// The id and title of the section; `None` for the feeds that no section takes, which are written outside the folders.
    pub section: Option<(SectionId, String)>,
    /// The feeds in the folder, in order.
    pub feeds: Vec<ShownFeed>,
}

/// Renders a list of feeds as an OPML 2.0 document in UTF-8, in the given order.
///
/// # Errors
///
/// If the writer fails; no content causes that.
pub fn opml(site: &Site, title: &str, feeds: &[ShownFeed], created: Timestamp) -> Result<Vec<u8>, RenderError> {
    document(site, title, created, |writer| feeds.iter().try_for_each(|feed| outline(writer, feed)))
}

/// Renders feeds in folders as an OPML 2.0 document in UTF-8, in the given order.
///
/// # Errors
///
/// The same as [`opml`].
pub fn opml_folders(
    site: &Site,
    title: &str,
    folders: &[OpmlFolder],
    created: Timestamp,
) -> Result<Vec<u8>, RenderError> {
    document(site, title, created, |writer| folders.iter().try_for_each(|each| folder(writer, each)))
}

fn document(
    site: &Site,
    title: &str,
    created: Timestamp,
    body: impl FnOnce(&mut Writer<Vec<u8>>) -> io::Result<()>,
) -> Result<Vec<u8>, RenderError> {
    let owner = site.owner.as_ref();
    let name = owner.and_then(|owner| text::line(&owner.name));
    let email = owner.and_then(|owner| owner.email.as_deref()).and_then(text::line).filter(|email| is_email(email));
    let head = [("ownerName", name), ("ownerEmail", email), ("ownerId", owner.map(|_| address::about(site)))];
    let created = created.rfc822();
    let mut writer = Writer::new_with_indent(Vec::new(), b' ', 2);
    let version = [("version", "2.0"), ("xmlns:newswire", NEWSWIRE)];
    writer.create_element("opml").with_attributes(version).write_inner_content(|writer| {
        writer.create_element("head").write_inner_content(|writer| {
            text_element(writer, "title", &words(&text::line(title).unwrap_or_else(|| site.title.clone())))?;
            text_element(writer, "dateCreated", &created)?;
            let known = head.iter().filter_map(|(element, value)| Some((element, value.as_deref()?)));
            known.into_iter().try_for_each(|(element, value)| text_element(writer, element, &words(value)))
        })?;
        writer.create_element("body").write_inner_content(body)?;
        Ok(())
    })?;
    let mut document = b"<?xml version=\"1.0\" encoding=\"utf-8\"?>\n".to_vec();
    document.append(&mut writer.into_inner());
    document.push(b'\n');
    Ok(document)
}

fn text_element(writer: &mut Writer<Vec<u8>>, name: &str, text: &str) -> io::Result<()> {
    writer.create_element(name).write_text_content(BytesText::new(text))?;
    Ok(())
}

fn folder(writer: &mut Writer<Vec<u8>>, OpmlFolder { section, feeds }: &OpmlFolder) -> io::Result<()> {
    let outlines = |writer: &mut Writer<Vec<u8>>| feeds.iter().try_for_each(|feed| outline(writer, feed));
    let Some((id, title)) = section else { return outlines(writer) };
    let title = words(&text::line(title).unwrap_or_else(|| id.to_string()));
    let attributes = [("text", title.as_str()), ("newswire:id", id.as_str())];
    writer.create_element("outline").with_attributes(attributes).write_inner_content(outlines)?;
    Ok(())
}

fn outline(writer: &mut Writer<Vec<u8>>, feed: &ShownFeed) -> io::Result<()> {
    let title = text::line(&feed.title).unwrap_or_else(|| feed.id.to_string());
    let tags: Vec<String> = feed.tags.iter().filter_map(|tag| text::line(&tag.replace(',', " "))).collect();
    let attributes = [
        ("type", Some("rss".to_owned())),
        ("text", Some(words(&title))),
        ("title", Some(words(&title))),
        ("xmlUrl", Some(address::uri(&feed.url))),
        ("htmlUrl", address::public(feed.site.as_ref())),
        ("description", feed.description.as_deref().and_then(text::line).map(|text| words(&text))),
        ("category", (!tags.is_empty()).then(|| tags.join(","))),
        ("newswire:id", Some(feed.id.to_string())),
        ("newswire:enabled", (!feed.enabled).then(|| "false".to_owned())),
    ];
    let attributes = attributes.iter().filter_map(|(name, value)| Some((*name, value.as_deref()?)));
    writer.write_event(Event::Empty(quick_xml::events::BytesStart::new("outline").with_attributes(attributes)))
}

/// Escapes text that readers could take for HTML, because OPML allows HTML in titles.
fn words(text: &str) -> String {
    if text.contains('<') || text::reads_as_html(text) {
        html_escape::encode_text(text).into_owned()
    } else {
        text.to_owned()
    }
}
