//! A page that redirects, for hosts of plain files, which cannot answer with an HTTP redirect.

use crate::config::Site;
use crate::render::{address, text};

/// Returns a document that redirects browsers and robots to the page at `path`, which is relative to the site's base.
pub fn moved(site: &Site, path: &str) -> String {
    let there = text::escape(&address::path(site, path));
    let canonical = text::escape(&address::uri(&address::under(site, path)));
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>Moved</title>\n\
         <link rel=\"canonical\" href=\"{canonical}\">\n<meta name=\"robots\" content=\"noindex\">\n\
         <meta http-equiv=\"refresh\" content=\"0; url={there}\">\n\
         <p>This page has <a href=\"{there}\">moved</a>.</p>\n</html>\n"
    )
}
