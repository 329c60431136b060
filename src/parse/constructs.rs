//! Reads text constructs: the text of a title, summary or content element, and whether it is plain text or HTML.
//!
//! Follows RFC 4287 §3.1 and §4.1.3, and the `mode` of Atom 0.3. RSS does not say which kind a text is: a title is read
//! as plain text unless it looks like HTML, and a description as HTML. Child elements (markup that was not escaped) are
//! written out as HTML.

use std::borrow::Cow;
use std::sync::Arc;

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use url::Url;

use super::atom::push_escaped;
use super::html_names;
use super::model::ParsedText;
use super::repairs::Repairs;
use super::tree::{Element, XmlNode};
use crate::feed::RepairKind;

/// The base64 decoder. It expects no padding, and ignores stray bits after the last whole byte.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::RequireNone)
        .with_decode_allow_trailing_bits(true),
);

/// The start and end of a CDATA section.
const SECTION: (&str, &str) = ("<![CDATA[", "]]>");
/// The start and end of a CDATA section, escaped in HTML.
const ESCAPED_SECTION: (&str, &str) = ("&lt;![CDATA[", "]]&gt;");

/// If a text is valid base64 but its bytes are not text, it counts as a file only if it has at least this many bytes. A
/// shorter text is more likely a few words that are valid base64 by chance, such as a title with a strange type.
const LEAST_FILE_BYTES: usize = 64;

/// How to read a text whose element does not declare its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DefaultKind {
    Plain,
    Html,
    /// HTML if the text looks like HTML, otherwise plain.
    Guess,
}

/// Reads the text of a construct. Returns `None` if the text is blank.
pub(super) fn read(element: &Element, default_kind: DefaultKind, repairs: &mut Repairs) -> Option<ParsedText> {
    let (value, html) = value_and_kind(element, default_kind, repairs);
    let value = match value.trim() {
        trimmed if trimmed.len() == value.len() => value.into_owned(),
        trimmed => trimmed.to_owned(),
    };
    let (value, html) = match unwrapped(&value, html) {
        Some(inside) => {
            repairs.note(RepairKind::EscapedSections);
            let html = if html && default_kind == DefaultKind::Guess && declares_nothing(element) {
                looks_like_html(&inside)
            } else {
                html
            };
            (inside, html)
        }
        None => (value, html),
    };
    let has_lines = html && declares_nothing(element) && value.contains(['\n', '\r']) && !has_markup(&value);
    (!value.is_empty()).then(|| ParsedText { value, html, has_lines, base: element.base.clone() })
}

/// Returns whether an element neither declares the kind of its text nor contains markup.
fn declares_nothing(element: &Element) -> bool {
    element.attribute("type").is_none() && element.elements().next().is_none()
}

/// Removes the start and end marks of a CDATA section, if the publisher escaped them and they became part of the text.
/// Nested marks are removed too. Returns `None` if the text is not exactly one section.
pub(super) fn unwrapped(text: &str, html: bool) -> Option<String> {
    let (start, end) = match text.starts_with(SECTION.0) {
        true => SECTION,
        false if html => ESCAPED_SECTION,
        false => return None,
    };
    let mut inside = text.strip_prefix(start)?.strip_suffix(end)?.trim();
    while let Some(more) = inside.strip_prefix(start).and_then(|inside| inside.strip_suffix(end)) {
        inside = more.trim();
    }
    // A text that contains an end mark must be written as two sections; join them.
    Some(inside.replace(&format!("{end}{start}"), ""))
}

fn value_and_kind<'e>(element: &'e Element, default_kind: DefaultKind, repairs: &mut Repairs) -> (Cow<'e, str>, bool) {
    let media_type =
        element.attribute("type").map(|value| value.split(';').next().unwrap_or("").trim().to_ascii_lowercase());
    let mode = element.attribute("mode").map(str::to_ascii_lowercase);
    let has_markup = element.elements().next().is_some();
    if mode.as_deref() == Some("base64") && !has_markup {
        return base64_text(element, media_type.as_deref(), repairs);
    }
    match media_type.as_deref() {
        Some("xhtml" | "application/xhtml+xml" | "application/xhtml") => (Cow::Owned(xhtml(element)), true),
        Some("html" | "text/html") if mode.as_deref() == Some("xml") => (Cow::Owned(xhtml(element)), true),
        Some("html" | "text/html") => (html(element), true),
        Some("text" | "text/plain" | "plain") if has_markup => (Cow::Owned(xhtml(element)), true),
        Some("text" | "text/plain" | "plain") => (element.text(), false),
        None | Some("") if has_markup => (html(element), true),
        None | Some("") => by_default_kind(element, default_kind),
        Some(other) if other.ends_with("/xml") || other.ends_with("+xml") => (Cow::Owned(xhtml(element)), true),
        Some(other) if has_markup || other.starts_with("text/") || !other.contains('/') => {
            repairs.note_value(RepairKind::UnknownContentType, other);
            if has_markup { (html(element), true) } else { by_default_kind(element, DefaultKind::Guess) }
        }
        other => base64_text(element, other, repairs),
    }
}

fn by_default_kind<'e>(element: &'e Element, default_kind: DefaultKind) -> (Cow<'e, str>, bool) {
    let text = element.text();
    let html = match default_kind {
        DefaultKind::Plain => false,
        DefaultKind::Html => true,
        DefaultKind::Guess => looks_like_html(&text),
    };
    (text, html)
}

/// Decodes base64 content that is text. If the content is a file, returns empty text. If it is not base64, returns it
/// as written, and notes a repair.
fn base64_text<'e>(element: &'e Element, media_type: Option<&str>, repairs: &mut Repairs) -> (Cow<'e, str>, bool) {
    let html = media_type.is_none_or(|media_type| media_type.contains("html"));
    let is_media = media_type.is_some_and(|media_type| {
        ["audio/", "font/", "image/", "model/", "video/"].iter().any(|kind| media_type.starts_with(kind))
    });
    match base64_bytes(&element.text()).map(String::from_utf8) {
        // RFC 4287 §4.1.3.3: content of a type such as `image/png` is a file, even if its bytes look like text.
        Some(_) if is_media && is_whole_base64(&element.text()) => (Cow::Borrowed(""), false),
        Some(Ok(text)) => (Cow::Owned(text), html),
        Some(Err(_)) if element.text().len() >= LEAST_FILE_BYTES => (Cow::Borrowed(""), false),
        _ => {
            repairs.note_value(RepairKind::UnknownContentType, media_type.unwrap_or("base64"));
            by_default_kind(element, DefaultKind::Guess)
        }
    }
}

/// Returns whether the length of a text is a multiple of four, as in base64. Words that look like base64 seldom have
/// such a length.
fn is_whole_base64(text: &str) -> bool {
    text.bytes().filter(|byte| !byte.is_ascii_whitespace()).count().is_multiple_of(4)
}

/// Decodes base64 (RFC 4648 §4), ignoring white space and padding. Returns `None` if the text is not base64. If the
/// text is cut off, returns the bytes that are complete.
fn base64_bytes(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace() && *byte != b'=').collect();
    // A single digit after the last group of four does not make a byte.
    let end = digits.len() - usize::from(digits.len() % 4 == 1);
    BASE64.decode(&digits[..end]).ok()
}

/// Returns an element's content as HTML. Its own text is HTML already, and child elements are written out.
pub(super) fn html<'e>(element: &'e Element) -> Cow<'e, str> {
    match element.children.as_slice() {
        [XmlNode::Text(text)] => Cow::Borrowed(text),
        nodes => {
            let mut out = String::new();
            for node in nodes {
                match node {
                    XmlNode::Text(text) => out.push_str(text),
                    XmlNode::Element(child) => push_element(&mut out, child, &element.base),
                }
            }
            Cow::Owned(out)
        }
    }
}

/// Returns the markup in an element, without the `div` that RFC 4287 wraps around it. If there is no markup but the
/// text looks like HTML, returns the text as HTML.
fn xhtml(element: &Element) -> String {
    let mut inner = element;
    if let [child] = element.elements().collect::<Vec<_>>().as_slice()
        && child.name == "div"
        && only_blank_text(element)
    {
        inner = child;
    }
    if element.elements().next().is_none() && looks_like_html(&element.text()) {
        return element.text().into_owned();
    }
    let mut out = String::new();
    push_nodes(&mut out, &inner.children, &element.base);
    out
}

fn only_blank_text(element: &Element) -> bool {
    element.children.iter().all(|node| !matches!(node, XmlNode::Text(text) if !text.trim().is_empty()))
}

fn push_nodes(out: &mut String, nodes: &[XmlNode], base: &Option<Arc<Url>>) {
    for node in nodes {
        match node {
            XmlNode::Text(text) => push_escaped(out, text),
            XmlNode::Element(element) => push_element(out, element, base),
        }
    }
}

/// Writes an element as HTML. `base` is the base URL of the whole text. The recursion is as deep as the tree of
/// elements, whose depth the reader limits.
fn push_element(out: &mut String, element: &Element, base: &Option<Arc<Url>>) {
    out.extend(["<", &element.name]);
    for attribute in &element.attributes {
        let name = match attribute.name {
            "xml:lang" => "lang",
            "xml:base" => continue,
            name if name.starts_with("xmlns") => continue,
            name => name,
        };
        out.extend([" ", name, "=\""]);
        push_escaped(out, &in_own_base(element, name, &attribute.value, base));
        out.push('"');
    }
    out.push('>');
    push_nodes(out, &element.children, base);
    if !html_names::is_void(&element.name) {
        out.extend(["</", &element.name, ">"]);
    }
}

/// Returns the value of an attribute. If the value is a URL, and an `xml:base` inside the text has changed the base
/// URL, returns the absolute URL.
fn in_own_base<'v>(element: &Element, name: &str, value: &'v str, base: &Option<Arc<Url>>) -> Cow<'v, str> {
    let same_base = match (&element.base, base) {
        (Some(own), Some(outer)) => Arc::ptr_eq(own, outer) || own == outer,
        (own, outer) => own.is_none() && outer.is_none(),
    };
    match &element.base {
        // A fragment alone, such as `#notes`, is a place on the entry's page, whatever the base URL is.
        Some(own) if !same_base && matches!(name, "href" | "src" | "cite") && !value.trim_start().starts_with('#') => {
            own.join(value.trim()).map_or(Cow::Borrowed(value), |url| Cow::Owned(url.into()))
        }
        _ => Cow::Borrowed(value),
    }
}

/// Returns whether a text contains an HTML tag or comment.
fn has_markup(text: &str) -> bool {
    has_tag(text) || text.contains("<!--")
}

/// Returns whether a text contains an HTML tag or reference.
pub(super) fn looks_like_html(text: &str) -> bool {
    has_tag(text) || has_reference(text)
}

fn has_tag(text: &str) -> bool {
    text.split('<').skip(1).any(|after| {
        let name = after.strip_prefix('/').unwrap_or(after);
        let end = name.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(name.len());
        html_names::is_tag(&name[..end]) && after.contains('>')
    })
}

fn has_reference(text: &str) -> bool {
    text.split('&').skip(1).any(|after| {
        let Some(end) = after.as_bytes().iter().take(12).position(|&byte| byte == b';') else { return false };
        let name = &after[..end];
        let digits = name.strip_prefix('#').map(|number| number.trim_start_matches(['x', 'X']));
        let is_number =
            digits.is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
        is_number || !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric())
    })
}
