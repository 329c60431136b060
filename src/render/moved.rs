//! A page that is somewhere else now, for hosts of plain files, which cannot answer with a redirect.

use crate::config::Site;
use crate::render::{address, text};

/// A document that leads browsers and robots on to the page at `path`, which is relative to the site's base.
pub fn moved(site: &Site, path: &str) -> String {
    let there = text::escape(&address::path(site, path));
    let canonical = text::escape(&address::uri(&address::under(site, path)));
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>Told elsewhere</title>\n\
         <link rel=\"canonical\" href=\"{canonical}\">\n<meta name=\"robots\" content=\"noindex\">\n\
         <meta http-equiv=\"refresh\" content=\"0; url={there}\">\n\
         <p>This story is told <a href=\"{there}\">together with another</a> now.</p>\n</html>\n"
    )
}
