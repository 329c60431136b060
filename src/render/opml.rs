//! OPML 2.0 subscription lists.

use std::io;

use quick_xml::Writer;
use quick_xml::events::{BytesText, Event};

use crate::config::Site;
use crate::render::{RenderError, address, text};
use crate::section::ShownFeed;
use crate::time::Timestamp;

/// A list of feeds as an OPML 2.0 document in UTF-8, in the order given.
///
/// # Errors
/// If the writer fails, which no content makes it do.
pub fn opml(site: &Site, title: &str, feeds: &[ShownFeed], created: Timestamp) -> Result<Vec<u8>, RenderError> {
    document(site, title, created, |writer| feeds.iter().try_for_each(|feed| outline(writer, feed)))
}

/// Feeds in folders, those of no folder beside them, as an OPML 2.0 document in UTF-8, in the order given.
///
/// # Errors
/// As [`opml`].
pub fn opml_folders(
    site: &Site,
    title: &str,
    folders: &[(Option<String>, Vec<ShownFeed>)],
    created: Timestamp,
) -> Result<Vec<u8>, RenderError> {
    document(site, title, created, |writer| folders.iter().try_for_each(|(name, feeds)| folder(writer, name, feeds)))
}

fn document(
    site: &Site,
    title: &str,
    created: Timestamp,
    body: impl FnOnce(&mut Writer<Vec<u8>>) -> io::Result<()>,
) -> Result<Vec<u8>, RenderError> {
    let owner = site.owner.as_ref().and_then(|owner| text::line(&owner.name));
    let created = created.rfc822();
    let mut writer = Writer::new_with_indent(Vec::new(), b' ', 2);
    writer.create_element("opml").with_attribute(("version", "2.0")).write_inner_content(|writer| {
        writer.create_element("head").write_inner_content(|writer| {
            text_element(writer, "title", &words(&text::line(title).unwrap_or_else(|| site.title.clone())))?;
            text_element(writer, "dateCreated", &created)?;
            owner.iter().try_for_each(|owner| text_element(writer, "ownerName", &words(owner)))
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

fn folder(writer: &mut Writer<Vec<u8>>, name: &Option<String>, feeds: &[ShownFeed]) -> io::Result<()> {
    let outlines = |writer: &mut Writer<Vec<u8>>| feeds.iter().try_for_each(|feed| outline(writer, feed));
    let Some(name) = name.as_deref().and_then(text::line) else { return outlines(writer) };
    writer.create_element("outline").with_attribute(("text", &*words(&name))).write_inner_content(outlines)?;
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
    ];
    let attributes = attributes.iter().filter_map(|(name, value)| Some((*name, value.as_deref()?)));
    writer.write_event(Event::Empty(quick_xml::events::BytesStart::new("outline").with_attributes(attributes)))
}

/// OPML lets titles hold HTML: what could be taken for it is escaped.
fn words(text: &str) -> String {
    if text.contains('<') || text::reads_as_html(text) {
        html_escape::encode_text(text).into_owned()
    } else {
        text.to_owned()
    }
}
