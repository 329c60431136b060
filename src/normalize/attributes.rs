//! Decides which attributes of untrusted elements are kept, and cleans their values.

use std::borrow::Cow;

use memchr::memchr;
use url::Url;

use super::escape::{MEANINGLESS, push_escaped};
use super::links::{self, Bases};
use super::markup::in_lower_case;
use super::srcset;
use crate::parse::references::resolve_html;

/// The attributes that are kept on any element except `pre`.
pub(super) const OF_ANY: [&str; 3] = ["lang", "title", "dir"];

/// Returns the attributes that are kept on an element in addition to [`OF_ANY`].
pub(super) fn of(element: &str) -> &'static [&'static str] {
    match element {
        "a" => &["href", "hreflang"],
        "audio" => &["src", "controls"],
        "blockquote" | "q" => &["cite"],
        "col" | "colgroup" => &["span"],
        "del" | "ins" => &["cite", "datetime"],
        "details" => &["open"],
        "img" => &["src", "srcset", "sizes", "alt", "width", "height"],
        "li" => &["value"],
        "ol" => &["start", "reversed", "type"],
        "source" => &["src", "srcset", "sizes", "type", "media"],
        "td" => &["colspan", "rowspan"],
        "th" => &["colspan", "rowspan", "scope"],
        "time" => &["datetime"],
        "video" => &["src", "poster", "controls", "width", "height"],
        _ => &[],
    }
}

/// An attribute with a longer value is dropped. Such a value describes nothing, and is slow to write (see `escape`).
const MAX_VALUE_BYTES: usize = 16 << 10;

/// A kept attribute. Its name is in lower case, and the references in its value are resolved.
pub(super) struct Attribute<'a> {
    name: Cow<'a, str>,
    value: Cow<'a, str>,
}

impl Attribute<'_> {
    /// Creates an attribute. The value is text; for `href` and `src` it is an absolute URL.
    pub(super) fn new(name: &'static str, value: String) -> Self {
        Attribute { name: Cow::Borrowed(name), value: Cow::Owned(value) }
    }
}

/// Returns the value of the first attribute of this name, with its references resolved.
pub(super) fn written<'a>(attributes: &[(&'a str, &'a str)], wanted: &str) -> Option<Cow<'a, str>> {
    let found = attributes.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted));
    found.map(|(_, value)| resolve_html(value))
}

/// Returns the value of a cleaned attribute.
pub(super) fn value<'a>(attributes: &'a [Attribute], wanted: &str) -> Option<&'a str> {
    attributes.iter().find(|attribute| attribute.name == wanted).map(|attribute| &*attribute.value)
}

/// Returns whether an element may have an attribute. Both names are in lower case.
pub(super) fn is_allowed(element: &str, attribute: &str) -> bool {
    // A parser drops a line break right after the tag `<pre>`, so `html` writes the line break twice. `html` finds the
    // place only if the tag has no attributes.
    element != "pre" && matches!(attribute, "lang" | "title" | "dir") || of(element).contains(&attribute)
}

/// Returns the attributes that an element keeps. Their URLs are absolute. A URL of a forbidden scheme is dropped.
pub(super) fn clean<'a>(element: &str, written: &[(&'a str, &'a str)], bases: Bases) -> Vec<Attribute<'a>> {
    let kept = written.iter().filter_map(|(name, value)| {
        let name = in_lower_case(name);
        if !is_allowed(element, &name) || value.len() > MAX_VALUE_BYTES {
            return None;
        }
        let value = resolve_html(value);
        let value = match &*name {
            "href" => Cow::Owned(mail(&value).or_else(|| bases.href(&value).map(String::from))?),
            "src" | "cite" | "poster" => Cow::Owned(link(&value, bases.base)?),
            "srcset" => Cow::Owned(srcset::clean(&value, bases.base)?),
            _ if value.contains(MEANINGLESS) => Cow::Owned(value.replace(MEANINGLESS, "")),
            _ => value,
        };
        Some(Attribute { name, value })
    });
    kept.collect()
}

/// Returns how many bytes cleaning added to the values of attributes.
pub(super) fn growth(written: &[(&str, &str)], cleaned: &[Attribute]) -> usize {
    let before: usize = written.iter().map(|(_, value)| value.len()).sum();
    let after: usize = cleaned.iter().map(|attribute| attribute.value.len()).sum();
    after.saturating_sub(before)
}

/// Appends attributes to a start tag.
pub(super) fn push(out: &mut String, attributes: &[Attribute]) {
    for Attribute { name, value } in attributes {
        out.extend([" ", name, "=\""]);
        let mut rest = &**value;
        while let Some(at) = memchr(b'"', rest.as_bytes()) {
            push_escaped(out, &rest[..at]);
            out.push_str("&quot;");
            rest = &rest[at + 1..];
        }
        push_escaped(out, rest);
        out.push('"');
    }
}

/// Returns whether an `img` is an invisible picture: at most one pixel in both directions.
pub(super) fn is_tracking_pixel(attributes: &[Attribute]) -> bool {
    let pixels = |wanted: &str| value(attributes, wanted)?.trim().trim_end_matches("px").parse::<u32>().ok();
    matches!((pixels("width"), pixels("height")), (Some(0..=1), Some(0..=1)))
}

fn mail(value: &str) -> Option<String> {
    let value = value.trim_matches(|character: char| character.is_whitespace() || character.is_control());
    let scheme = value.get(.."mailto:".len())?;
    scheme.eq_ignore_ascii_case("mailto:").then(|| Url::parse(value).ok().map(String::from)).flatten()
}

fn link(value: &str, base: Option<&Url>) -> Option<String> {
    links::clean(value, base).map(String::from)
}
