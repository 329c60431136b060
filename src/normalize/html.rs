//! Untrusted HTML → HTML that may stand on anybody's page.
//!
//! Two steps. A linear pass of our own writes well-formed markup of allowed elements only, nested at most [`MAX_DEPTH`] deep (HTML5
//! parsers are quadratic in depth), with absolute URLs, without tracking pixels. Then ammonia, which parses as browsers do, lets through
//! only what is on its allow-list. No script, style, frame, form, svg or math; no `id`, `class`, `name`, `style` or `on…`; no URL but `http`,
//! `https` and `mailto`. Sanitizing again changes nothing.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use ammonia::Builder;
use url::Url;

use super::links;
use super::markup::{Piece, pieces};
use crate::parse::html_names::is_void;
use crate::parse::references::resolve_html;

/// Elements nested more deeply are flattened.
const MAX_DEPTH: usize = 100;

/// A text has no more elements; the text of more is kept, their tags are not. A parser needs a quarter of a kilobyte for each.
const MAX_ELEMENTS: usize = 20_000;

/// Elements that are kept; the inside of others is kept without them.
const ELEMENTS: [&str; 74] = [
    "a",
    "abbr",
    "address",
    "article",
    "aside",
    "audio",
    "b",
    "bdi",
    "bdo",
    "big",
    "blockquote",
    "br",
    "caption",
    "center",
    "cite",
    "code",
    "col",
    "colgroup",
    "dd",
    "del",
    "details",
    "dfn",
    "div",
    "dl",
    "dt",
    "em",
    "figcaption",
    "figure",
    "footer",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "header",
    "hr",
    "i",
    "img",
    "ins",
    "kbd",
    "li",
    "main",
    "mark",
    "ol",
    "p",
    "picture",
    "pre",
    "q",
    "rp",
    "rt",
    "ruby",
    "s",
    "samp",
    "section",
    "small",
    "source",
    "span",
    "strike",
    "strong",
    "sub",
    "summary",
    "sup",
    "table",
    "tbody",
    "td",
    "tfoot",
    "th",
    "thead",
    "time",
    "tr",
    "tt",
    "u",
    "ul",
];

/// Further elements of the kind, kept apart only since the list above is as long as it may be read.
const MORE_ELEMENTS: [&str; 3] = ["var", "video", "wbr"];

/// Attributes that are kept, of the elements named; `*` is any element.
const ATTRIBUTES: [(&str, &[&str]); 18] = [
    ("*", &["lang", "title", "dir"]),
    ("a", &["href", "hreflang"]),
    ("audio", &["src", "controls"]),
    ("blockquote", &["cite"]),
    ("col", &["span"]),
    ("colgroup", &["span"]),
    ("del", &["cite", "datetime"]),
    ("details", &["open"]),
    ("img", &["src", "srcset", "sizes", "alt", "width", "height"]),
    ("ins", &["cite", "datetime"]),
    ("li", &["value"]),
    ("ol", &["start", "reversed", "type"]),
    ("q", &["cite"]),
    ("source", &["src", "srcset", "sizes", "type", "media"]),
    ("td", &["colspan", "rowspan", "headers"]),
    ("th", &["colspan", "rowspan", "headers", "scope"]),
    ("time", &["datetime"]),
    ("video", &["src", "poster", "controls", "width", "height"]),
];

static CLEANER: LazyLock<Builder<'static>> = LazyLock::new(|| {
    let mut builder = Builder::empty();
    let tag_attributes: HashMap<&str, HashSet<&str>> = ATTRIBUTES
        .iter()
        .filter(|(name, _)| *name != "*")
        .map(|(name, attributes)| (*name, attributes.iter().copied().collect()))
        .collect();
    builder
        .tags(ELEMENTS.into_iter().chain(MORE_ELEMENTS).collect())
        .clean_content_tags(HashSet::from(["script", "style"]))
        .generic_attributes(ATTRIBUTES[0].1.iter().copied().collect())
        .tag_attributes(tag_attributes)
        .url_schemes(HashSet::from(["http", "https", "mailto"]))
        .url_relative(ammonia::UrlRelative::Deny)
        .link_rel(None);
    builder
});

/// Sanitizes HTML; relative URLs in it are relative to `base`, and are dropped where there is none.
pub fn sanitize(html: &str, base: Option<&Url>) -> String {
    if is_plain(html) {
        return html.trim().to_owned();
    }
    let well_formed = WellFormed::of(html, base);
    let clean = CLEANER.clean(&well_formed).to_string();
    // A parser drops the first line end of a `pre`: one that is meant must be written twice.
    clean.replace("<pre>\n", "<pre>\n\n").trim().to_owned()
}

/// Plain text as HTML: escaped, a blank line begins a paragraph, a line end is a line end.
pub(super) fn from_plain_text(text: &str) -> String {
    let escaped = escape(text.trim());
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

/// Text that is the same as HTML, and needs no parser.
fn is_plain(html: &str) -> bool {
    !html.contains(['<', '>', '&', '\u{a0}', '\0', '\r'])
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    push_escaped(&mut escaped, text);
    escaped
}

/// Appends text in the one way in which HTML is written here; characters that mean nothing in it are left out.
fn push_escaped(out: &mut String, text: &str) {
    let mut rest = text;
    while let Some(at) = rest.find(['&', '<', '>', '\u{a0}', '\r', '\0']) {
        out.push_str(&rest[..at]);
        let character = rest[at..].chars().next().expect("it was found there");
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\u{a0}' => out.push_str("&nbsp;"),
            _ => {}
        }
        rest = &rest[at + character.len_utf8()..];
    }
    out.push_str(rest);
}

/// A value between double quotes.
fn attribute_value(text: &str) -> String {
    escape(text).replace('"', "&quot;")
}

/// Well-formed markup in the making.
struct WellFormed<'b> {
    out: String,
    /// The elements that are open; at most [`MAX_DEPTH`].
    open: Vec<String>,
    elements: usize,
    base: Option<&'b Url>,
}

impl<'b> WellFormed<'b> {
    fn of(html: &str, base: Option<&'b Url>) -> String {
        let mut markup =
            WellFormed { out: String::with_capacity(html.len() + html.len() / 8), open: Vec::new(), elements: 0, base };
        for piece in pieces(html) {
            match piece {
                Piece::Text(text) => markup.text(text),
                Piece::Open { name, attributes } => markup.open(name, &attributes),
                Piece::Close { name } => markup.close(&name),
            }
        }
        markup.close_to(0);
        markup.out
    }

    fn text(&mut self, text: &str) {
        if !text.trim().is_empty() {
            self.enter_cell();
        }
        push_escaped(&mut self.out, &resolve_html(text));
    }

    fn open(&mut self, name: String, attributes: &[(&str, &str)]) {
        if !is_kept(&name) || name == "img" && is_tracking_pixel(attributes) {
            return;
        }
        if self.elements == MAX_ELEMENTS || self.open.len() >= MAX_DEPTH && !is_void(&name) {
            return;
        }
        if is_part_of_table(&name) && !self.open.iter().any(|open| open == "table") {
            return;
        }
        self.elements += 1;
        self.close_implied(&name);
        self.open_implied(&name);
        self.out.push('<');
        self.out.push_str(&name);
        for (attribute, value) in attributes {
            self.attribute(&name, &attribute.to_ascii_lowercase(), value);
        }
        self.out.push('>');
        if !is_void(&name) {
            self.open.push(name);
        }
    }

    /// Opens what must stand around an element in a table though nothing says so.
    fn open_implied(&mut self, name: &str) {
        match name {
            "td" | "th" => self.enter_row(),
            "col" if self.innermost() == "table" => self.open_bare("colgroup"),
            _ if !is_part_of_table(name) => self.enter_cell(),
            _ => {}
        }
    }

    /// What stands in a table outside of its cells is put into one; a parser would move it before the table.
    fn enter_cell(&mut self) {
        if matches!(self.innermost(), "table" | "thead" | "tbody" | "tfoot" | "tr" | "colgroup") {
            self.enter_row();
            self.open_bare("td");
        }
    }

    fn enter_row(&mut self) {
        if self.innermost() == "colgroup" {
            self.close("colgroup");
        }
        if self.innermost() != "tr" {
            self.open_bare("tr");
        }
    }

    fn open_bare(&mut self, name: &str) {
        self.out.extend(["<", name, ">"]);
        self.open.push(name.to_owned());
    }

    fn innermost(&self) -> &str {
        self.open.last().map_or("", String::as_str)
    }

    fn attribute(&mut self, element: &str, attribute: &str, value: &str) {
        let kept =
            |of: &str| ATTRIBUTES.iter().any(|(name, attributes)| *name == of && attributes.contains(&attribute));
        if !kept("*") && !kept(element) || element == "pre" {
            return;
        }
        let value = match attribute {
            "href" => self.url(value, true),
            "src" | "cite" | "poster" => self.url(value, false),
            "srcset" => self.srcset(value),
            _ => Some(attribute_value(&resolve_html(value))),
        };
        if let Some(value) = value {
            self.out.extend([" ", attribute, "=\"", &value, "\""]);
        }
    }

    /// An absolute URL, escaped; `None` where it has another scheme than those allowed.
    fn url(&self, value: &str, mail: bool) -> Option<String> {
        let value = resolve_html(value);
        let trimmed = value.trim_matches(|c: char| c.is_whitespace() || c.is_control());
        let is_mail = mail && trimmed.get(..7).is_some_and(|scheme| scheme.eq_ignore_ascii_case("mailto:"));
        let url =
            if is_mail { Url::parse(trimmed).ok()?.into() } else { String::from(links::clean(trimmed, self.base)?) };
        Some(attribute_value(&url))
    }

    /// The candidates of a `srcset`, each made absolute.
    fn srcset(&self, value: &str) -> Option<String> {
        let candidates = value
            .split(", ")
            .flat_map(|part| part.split(",\n"))
            .map(str::trim)
            .filter(|candidate| !candidate.is_empty());
        let absolute = candidates.filter_map(|candidate| {
            let candidate = candidate.trim_end_matches(',');
            let (url, descriptor) = candidate.split_once(char::is_whitespace).unwrap_or((candidate, ""));
            let descriptor = descriptor.trim();
            let is_descriptor = descriptor.bytes().all(|byte| byte.is_ascii_digit() || b".wxh ".contains(&byte));
            let url = self.url(url, false).filter(|url| is_descriptor && !url.contains(','))?;
            Some(if descriptor.is_empty() { url } else { format!("{url} {descriptor}") })
        });
        let absolute: Vec<String> = absolute.collect();
        (!absolute.is_empty()).then(|| absolute.join(", "))
    }

    fn close(&mut self, name: &str) {
        if let Some(position) = self.open.iter().rposition(|open| open == name) {
            self.close_to(position);
        }
    }

    /// Closes elements until only so many are open.
    fn close_to(&mut self, length: usize) {
        while self.open.len() > length {
            let name = self.open.pop().expect("more than `length` are open");
            self.out.extend(["</", &name, ">"]);
        }
    }

    /// Closes what a start tag closes though nothing says so: a list item the one before it, a block the paragraph.
    fn close_implied(&mut self, name: &str) {
        let (closes, within): (&[&str], &[&str]) = match name {
            "li" => (&["li"], &["ul", "ol", "table"]),
            "dt" | "dd" => (&["dt", "dd"], &["dl", "table"]),
            "td" | "th" => (&["td", "th", "caption", "colgroup"], &["table"]),
            "tr" => (&["tr", "caption", "colgroup"], &["table"]),
            "tbody" | "thead" | "tfoot" | "caption" | "colgroup" => return self.close_within_table(),
            "col" if self.innermost() != "colgroup" => return self.close_within_table(),
            "rt" | "rp" => (&["rt", "rp"], &["ruby"]),
            "a" => (&["a"], &["table"]),
            _ if is_heading(name) => (&["p", "h1", "h2", "h3", "h4", "h5", "h6"], &["table"]),
            _ => (&[], &[]),
        };
        if is_block(name) {
            self.close_nearest(&["p"], &["table"]);
        }
        self.close_nearest(closes, within);
    }

    fn close_within_table(&mut self) {
        if let Some(table) = self.open.iter().rposition(|open| open == "table") {
            self.close_to(table + 1);
        }
    }

    fn close_nearest(&mut self, closes: &[&str], within: &[&str]) {
        for position in (0..self.open.len()).rev() {
            let open = self.open[position].as_str();
            if closes.contains(&open) {
                self.close_to(position);
                return;
            }
            if within.contains(&open) {
                return;
            }
        }
    }
}

fn is_kept(name: &str) -> bool {
    ELEMENTS.binary_search(&name).is_ok() || MORE_ELEMENTS.contains(&name)
}

/// Elements that mean something only in a table.
fn is_part_of_table(name: &str) -> bool {
    matches!(name, "caption" | "colgroup" | "col" | "thead" | "tbody" | "tfoot" | "tr" | "td" | "th")
}

fn is_heading(name: &str) -> bool {
    matches!(name, "h1" | "h2" | "h3" | "h4" | "h5" | "h6")
}

/// Elements whose start tag closes a paragraph (HTML, *in body*).
fn is_block(name: &str) -> bool {
    is_heading(name)
        || matches!(
            name,
            "address"
                | "article"
                | "aside"
                | "blockquote"
                | "center"
                | "dd"
                | "details"
                | "div"
                | "dl"
                | "dt"
                | "figcaption"
                | "figure"
                | "footer"
                | "header"
                | "hr"
                | "li"
                | "main"
                | "ol"
                | "p"
                | "pre"
                | "section"
                | "summary"
                | "table"
                | "ul"
        )
}

/// A picture that nobody can see: one pixel or none, in both directions.
fn is_tracking_pixel(attributes: &[(&str, &str)]) -> bool {
    let size = |wanted: &str| {
        let value =
            attributes.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| value.trim());
        value.and_then(|value| value.trim_end_matches("px").parse::<u32>().ok())
    };
    matches!((size("width"), size("height")), (Some(0..=1), Some(0..=1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_sorted_so_that_they_are_found() {
        assert!(ELEMENTS.is_sorted());
        assert!(MORE_ELEMENTS.is_sorted() && MORE_ELEMENTS[0] > ELEMENTS[73]);
    }
}
