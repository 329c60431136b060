//! The sitemap: the list of a site's pages for search engines (sitemaps.org).

use std::io;

use quick_xml::Writer;
use quick_xml::events::BytesText;

use crate::config::Site;
use crate::render::{RenderError, address};
use crate::time::Timestamp;

const NAMESPACE: &str = "http://www.sitemaps.org/schemas/sitemap/0.9";

/// The most addresses that a sitemap may contain.
const MAX_PAGES: usize = 50_000;

/// Renders a sitemap in UTF-8. `pages` are paths under the site's URL, each with the time of its last change.
///
/// # Errors
///
/// If the writer fails; no content causes that.
pub fn sitemap<'p>(
    site: &Site,
    pages: impl Iterator<Item = (&'p str, Option<Timestamp>)>,
) -> Result<Vec<u8>, RenderError> {
    let mut writer = Writer::new_with_indent(Vec::new(), b' ', 2);
    writer.create_element("urlset").with_attribute(("xmlns", NAMESPACE)).write_inner_content(|writer| {
        pages.take(MAX_PAGES).try_for_each(|(path, changed)| page(writer, site, path, changed))
    })?;
    let mut document = b"<?xml version=\"1.0\" encoding=\"utf-8\"?>\n".to_vec();
    document.append(&mut writer.into_inner());
    document.push(b'\n');
    Ok(document)
}

fn page(writer: &mut Writer<Vec<u8>>, site: &Site, path: &str, changed: Option<Timestamp>) -> io::Result<()> {
    writer.create_element("url").write_inner_content(|writer| {
        let location = address::uri(&address::under(site, path));
        writer.create_element("loc").write_text_content(BytesText::new(&location))?;
        if let Some(changed) = changed {
            writer.create_element("lastmod").write_text_content(BytesText::new(&changed.rfc3339()))?;
        }
        Ok(())
    })?;
    Ok(())
}
