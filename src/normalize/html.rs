//! Untrusted HTML → HTML that may stand on anybody's page.
//!
//! Two steps. `well_formed` writes markup anew: allowed elements only, not deep, with absolute URLs, without tracking pixels. Then
//! ammonia, which parses as browsers do, lets through only what is on the allow-list. No script, style, frame, form, svg or math;
//! no `id`, `class`, `name`, `style` or `on…`; no URL but `http`, `https` and `mailto`. Sanitizing again changes nothing.

use std::collections::HashSet;
use std::sync::LazyLock;

use ammonia::{Builder, UrlRelative};
use url::Url;

use super::attributes::ATTRIBUTES;
use super::elements::ELEMENTS;
use super::escape;
use super::well_formed::well_formed;

static CLEANER: LazyLock<Builder<'static>> = LazyLock::new(|| {
    let attributes_of =
        |(name, attributes): (&'static str, &[&'static str])| (name, attributes.iter().copied().collect());
    let [(_, of_any), of_some @ ..] = ATTRIBUTES;
    let mut builder = Builder::empty();
    builder
        .tags(ELEMENTS.into())
        .clean_content_tags(HashSet::from(["script", "style"]))
        .generic_attributes(of_any.iter().copied().collect())
        .tag_attributes(of_some.into_iter().map(attributes_of).collect())
        .url_schemes(HashSet::from(["http", "https", "mailto"]))
        .url_relative(UrlRelative::Deny)
        .link_rel(None);
    builder
});

/// Sanitizes HTML; relative URLs in it are relative to `base`, and are dropped where there is none.
pub fn sanitize(html: &str, base: Option<&Url>) -> String {
    if escape::is_plain(html) {
        return html.trim().to_owned();
    }
    let mut written = Vec::with_capacity(html.len());
    CLEANER.clean(&well_formed(html, base)).write_to(&mut written).expect("a Vec takes all that is written to it");
    let mut clean = escape::reveal(String::from_utf8(written).expect("what was text is text"));
    // A parser drops the first line end of a `pre`: one that is meant must be written twice.
    if clean.contains("<pre>\n") {
        clean = clean.replace("<pre>\n", "<pre>\n\n");
    }
    let trimmed = clean.trim();
    if trimmed.len() == clean.len() { clean } else { trimmed.to_owned() }
}

/// Plain text as HTML: escaped, a blank line begins a paragraph, a line end is a line end.
pub(super) fn from_plain_text(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    escape::push_escaped(&mut escaped, text.trim());
    let paragraphs: Vec<String> = escaped
        .split("\n\n")
        .map(str::trim)
        .filter(|paragraph| !paragraph.is_empty())
        .map(|paragraph| paragraph.replace('\n', "<br>"))
        .collect();
    match paragraphs.as_slice() {
        [only] => only.clone(),
        many => many.iter().map(|paragraph| format!("<p>{paragraph}</p>")).collect(),
    }
}
