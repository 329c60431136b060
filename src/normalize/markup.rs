//! Reads HTML piece by piece, as a browser's tokenizer does. Modules that must not trust the HTML use this one.
//!
//! Reading takes linear time, and accepts any input. Comments, declarations and the contents of scripts and styles are
//! skipped.

use std::borrow::Cow;

use memchr::memchr;

/// A piece of HTML.
pub(super) enum Piece<'a> {
    /// Text as written, with its references. A `<` in it begins no tag.
    Text(&'a str),
    /// A start tag. Its name is in lower case.
    Open {
        name: Cow<'a, str>,
        attributes: Vec<(&'a str, &'a str)>,
        /// Whether the tag ends with `/>`, which has a meaning only in foreign content (SVG and MathML).
        is_closed: bool,
    },
    Close {
        name: Cow<'a, str>,
    },
}

/// The most attributes of a tag that are read. Further ones are skipped.
const MAX_ATTRIBUTES: usize = 64;

/// An iterator over the pieces of a text.
pub(super) struct Pieces<'a> {
    rest: &'a str,
    /// Whether the rest is known to contain no end of a comment.
    no_comment_end: bool,
}

impl Pieces<'_> {
    /// Returns how many bytes are left.
    pub(super) fn bytes_left(&self) -> usize {
        self.rest.len()
    }
}

pub(super) fn pieces(html: &str) -> Pieces<'_> {
    Pieces { rest: html, no_comment_end: false }
}

impl<'a> Iterator for Pieces<'a> {
    type Item = Piece<'a>;

    fn next(&mut self) -> Option<Piece<'a>> {
        loop {
            if self.rest.is_empty() {
                return None;
            }
            if !opens_markup(self.rest) {
                return Some(Piece::Text(self.text()));
            }
            let after = &self.rest[1..];
            if let Some(comment) = after.strip_prefix("!--") {
                self.skip_comment(comment);
            } else if after.starts_with(['!', '?']) {
                self.skip_past(b'>');
            } else if let Some(close) = after.strip_prefix('/') {
                let name = name_of(close);
                self.skip_past(b'>');
                return Some(Piece::Close { name });
            } else if let Some(piece) = self.open(after) {
                return Some(piece);
            }
        }
    }
}

impl<'a> Pieces<'a> {
    fn text(&mut self) -> &'a str {
        let mut end = 0;
        while let Some(offset) = memchr(b'<', &self.rest.as_bytes()[end..]) {
            end += offset;
            if opens_markup(&self.rest[end..]) {
                let (text, rest) = self.rest.split_at(end);
                self.rest = rest;
                return text;
            }
            end += 1;
        }
        std::mem::take(&mut self.rest)
    }

    fn skip_comment(&mut self, inside: &'a str) {
        let end = (!self.no_comment_end).then(|| inside.find("-->")).flatten();
        match end {
            Some(end) => self.rest = &inside[end + "-->".len()..],
            None => {
                self.no_comment_end = true;
                self.skip_past(b'>');
            }
        }
    }

    fn skip_past(&mut self, wanted: u8) {
        self.rest = memchr(wanted, self.rest.as_bytes()).map_or("", |at| &self.rest[at + 1..]);
    }

    /// Reads a start tag. Returns `None` if the tag is skipped, because it does not end, or is a script or a style.
    fn open(&mut self, after: &'a str) -> Option<Piece<'a>> {
        let name = name_of(after);
        let mut attributes = Vec::new();
        let mut rest = &after[name.len()..];
        let is_closed = loop {
            let before = rest;
            let gap = rest.bytes().position(|byte| !(byte.is_ascii_whitespace() || byte == b'/'));
            rest = &rest[gap.unwrap_or(rest.len())..];
            if let Some(inside) = rest.strip_prefix('>') {
                self.rest = inside;
                break before[..before.len() - rest.len()].ends_with('/');
            }
            if rest.is_empty() {
                // The text ends inside the tag. Browsers drop such a tag, and so does newswire.
                self.rest = "";
                return None;
            }
            let (attribute, after_attribute) = attribute(rest);
            rest = after_attribute;
            if attributes.len() < MAX_ATTRIBUTES {
                attributes.push(attribute);
            }
        };
        if matches!(&*name, "script" | "style") {
            self.skip_raw(&name);
            return None;
        }
        Some(Piece::Open { name, attributes, is_closed })
    }

    /// Skips past the end tag of a script or style. If there is none, skips the whole rest, so that nothing is searched
    /// twice.
    fn skip_raw(&mut self, name: &str) {
        let mut from = 0;
        while let Some(offset) = self.rest[from..].find("</") {
            from += offset + "</".len();
            let candidate = self.rest[from..].get(..name.len());
            if candidate.is_some_and(|candidate| candidate.eq_ignore_ascii_case(name)) {
                self.rest = &self.rest[from..];
                self.skip_past(b'>');
                return;
            }
        }
        self.rest = "";
    }
}

/// Reads the name and value of the attribute with which the text begins. Also returns the rest of the text.
fn attribute(text: &str) -> ((&str, &str), &str) {
    let is_end = |byte: u8| byte.is_ascii_whitespace() || matches!(byte, b'=' | b'/' | b'>');
    // A name may begin with `=`.
    let end = text.bytes().skip(1).position(is_end).map_or(text.len(), |at| at + 1);
    let (name, rest) = text.split_at(end);
    let Some(value) = rest.trim_ascii_start().strip_prefix('=') else { return ((name, ""), rest) };
    let value = value.trim_ascii_start();
    let Some(&quote) = value.as_bytes().first().filter(|quote| matches!(quote, b'"' | b'\'')) else {
        let end = value.bytes().position(|byte| byte.is_ascii_whitespace() || byte == b'>').unwrap_or(value.len());
        let (value, rest) = value.split_at(end);
        return ((name, value), rest);
    };
    let value = &value[1..];
    match memchr(quote, value.as_bytes()) {
        Some(end) => ((name, &value[..end]), &value[end + 1..]),
        None => ((name, value), ""),
    }
}

fn name_of(text: &str) -> Cow<'_, str> {
    let is_end = |byte: u8| byte.is_ascii_whitespace() || matches!(byte, b'/' | b'>');
    in_lower_case(&text[..text.bytes().position(is_end).unwrap_or(text.len())])
}

/// Returns a name in lower case. Most names are in lower case already, and are not copied.
pub(super) fn in_lower_case(name: &str) -> Cow<'_, str> {
    if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(name.to_ascii_lowercase())
    } else {
        Cow::Borrowed(name)
    }
}

fn opens_markup(rest: &str) -> bool {
    match rest.as_bytes() {
        [b'<', b'!' | b'?', ..] => true,
        [b'<', b'/', first, ..] | [b'<', first, ..] => first.is_ascii_alphabetic(),
        _ => false,
    }
}
