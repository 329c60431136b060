//! Sitemaps: lists of a site's pages for search engines, and the index of several such lists (sitemaps.org).

use std::io;

use quick_xml::Writer;
use quick_xml::events::BytesText;

use crate::config::Site;
use crate::render::{RenderError, address};
use crate::time::Timestamp;

const NAMESPACE: &str = "http://www.sitemaps.org/schemas/sitemap/0.9";

/// Renders a sitemap in UTF-8. `pages` are paths under the site's URL, each with the time of its last change.
///
/// # Errors
///
/// If the writer fails; no content causes that.
pub fn sitemap<'p>(
    site: &Site,
    pages: impl Iterator<Item = (&'p str, Option<Timestamp>)>,
) -> Result<Vec<u8>, RenderError> {
    let mut pages = pages;
    document("urlset", |writer| pages.try_for_each(|(path, changed)| address(writer, "url", site, path, changed)))
}

/// Renders an index of sitemaps in UTF-8. `sitemaps` are paths under the site's URL, each with the newest change of its pages.
///
/// # Errors
///
/// The same as [`sitemap`].
pub fn sitemap_index(
    site: &Site,
    sitemaps: impl Iterator<Item = (String, Option<Timestamp>)>,
) -> Result<Vec<u8>, RenderError> {
    let mut sitemaps = sitemaps;
    document("sitemapindex", |writer| {
        sitemaps.try_for_each(|(path, changed)| address(writer, "sitemap", site, &path, changed))
    })
}

fn document(root: &str, content: impl FnOnce(&mut Writer<Vec<u8>>) -> io::Result<()>) -> Result<Vec<u8>, RenderError> {
    let mut writer = Writer::new_with_indent(Vec::new(), b' ', 2);
    writer.create_element(root).with_attribute(("xmlns", NAMESPACE)).write_inner_content(content)?;
    let mut document = b"<?xml version=\"1.0\" encoding=\"utf-8\"?>\n".to_vec();
    document.append(&mut writer.into_inner());
    document.push(b'\n');
    Ok(document)
}

fn address(
    writer: &mut Writer<Vec<u8>>,
    element: &str,
    site: &Site,
    path: &str,
    changed: Option<Timestamp>,
) -> io::Result<()> {
    writer.create_element(element).write_inner_content(|writer| {
        let location = address::uri(&address::under(site, path));
        writer.create_element("loc").write_text_content(BytesText::new(&location))?;
        if let Some(changed) = changed {
            writer.create_element("lastmod").write_text_content(BytesText::new(&changed.rfc3339()))?;
        }
        Ok(())
    })?;
    Ok(())
}
