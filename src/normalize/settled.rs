//! Recognises settled markup: markup so plain that a parser would return it byte for byte. It needs no parser.
//!
//! This is a second check of what `well_formed` wrote. It has rules of its own and relies on nothing that `well_formed`
//! does. Settled markup contains only text without special characters, allowed elements with allowed, quoted
//! attributes, and URLs of harmless schemes. The elements are nested so that no rule of HTML's tree construction (*in
//! body*) closes, opens or moves anything. Anything else is not settled, and tables never are. The check takes one
//! linear pass.

use memchr::{memchr, memchr2, memchr3};

use super::attributes::is_allowed;
use super::elements::{is_block, is_heading, is_kept, is_part_of_table};
use crate::parse::html_names::is_void;

/// The references that are allowed in values. A parser would write other references differently.
const REFERENCES: [&str; 5] = ["&amp;", "&lt;", "&gt;", "&quot;", "&nbsp;"];

/// Returns whether browsers read the markup exactly as written, and everything in it is allowed.
pub(super) fn is_settled(html: &str) -> bool {
    let mut open = Vec::new();
    let mut rest = html;
    while let Some(at) = memchr3(b'<', b'>', b'&', rest.as_bytes()) {
        let after = rest[at..].strip_prefix('<').and_then(|tag| match tag.strip_prefix('/') {
            Some(tag) => after_end(tag, &mut open),
            None => after_start(tag, &mut open),
        });
        let Some(after) = after else { return false };
        rest = after;
    }
    open.is_empty()
}

/// Returns what comes after an end tag. Returns `None` if the tag does not close the innermost element.
fn after_end<'a>(tag: &'a str, open: &mut Vec<&'a str>) -> Option<&'a str> {
    tag.strip_prefix(open.pop()?)?.strip_prefix('>')
}

/// Returns what comes after a start tag. Returns `None` if the tag is not allowed there.
fn after_start<'a>(tag: &'a str, open: &mut Vec<&'a str>) -> Option<&'a str> {
    let (name, mut rest) = tag.split_at(memchr2(b' ', b'>', tag.as_bytes())?);
    if !is_kept(name) || !may_begin(name, open) {
        return None;
    }
    let mut names: Vec<&str> = Vec::new();
    while let Some(attribute) = rest.strip_prefix(' ') {
        let (attribute, written) = split_at_byte(attribute, b'=')?;
        let (value, after) = split_at_byte(written.strip_prefix('"')?, b'"')?;
        if !is_allowed(name, attribute) || !is_value(attribute, value) || names.contains(&attribute) {
            return None;
        }
        names.push(attribute);
        rest = after;
    }
    let after = rest.strip_prefix('>')?;
    if !is_void(name) {
        open.push(name);
    }
    // A parser ignores a line break right after `<pre>`.
    (name != "pre" || !after.starts_with('\n')).then_some(after)
}

/// Splits a text around the first occurrence of an ASCII character.
fn split_at_byte(text: &str, byte: u8) -> Option<(&str, &str)> {
    let at = memchr(byte, text.as_bytes())?;
    Some((&text[..at], &text[at + 1..]))
}

/// Returns whether an element of this name may begin without closing or moving any open element.
fn may_begin(name: &str, open: &[&str]) -> bool {
    let innermost = open.last().copied().unwrap_or_default();
    let is_open = |wanted: &str| open.contains(&wanted);
    // Returns the innermost open element that is one of `wanted`.
    let nearest = |wanted: &[&str]| open.iter().rev().find(|open| wanted.contains(open)).copied().unwrap_or_default();
    if name == "table" || is_part_of_table(name) || is_block(name) && is_open("p") {
        return false;
    }
    match name {
        "a" => !is_open("a"),
        "li" => nearest(&["li", "ul", "ol"]) != "li",
        "dt" | "dd" => matches!(nearest(&["dt", "dd", "dl"]), "dl" | ""),
        "rt" | "rp" => !matches!(innermost, "p" | "li" | "dt" | "dd" | "rt" | "rp"),
        _ => !(is_heading(name) && is_heading(innermost)),
    }
}

/// Returns whether an attribute may have this value, and a parser would write the value in the same way.
fn is_value(attribute: &str, value: &str) -> bool {
    let is_web = |url: &str| url.starts_with("https://") || url.starts_with("http://");
    let is_harmless = match attribute {
        "href" => is_web(value) || value.starts_with("mailto:"),
        "src" | "cite" | "poster" => is_web(value),
        "srcset" => value.split(", ").all(is_web),
        _ => true,
    };
    is_harmless && is_escaped(value)
}

fn is_escaped(value: &str) -> bool {
    let mut rest = value;
    while let Some(at) = memchr3(b'<', b'>', b'&', rest.as_bytes()) {
        let reference = &rest[at..];
        let Some(known) = REFERENCES.iter().find(|known| reference.starts_with(**known)) else { return false };
        rest = &reference[known.len()..];
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(html: &str, expected: bool) {
        assert_eq!(is_settled(html), expected, "{html}");
    }

    #[test]
    fn plain_markup_is_settled() {
        for html in [
            "",
            "words",
            "<p>One <b>two <i>three</i></b> <a href=\"https://a.example/?a=1&amp;b=2\" title=\"&quot;x&quot;\">four</a></p><hr><p>five</p>",
            "<div><h2>A</h2><blockquote><p>b</p></blockquote><pre>c\nd</pre></div>",
            "<ul><li>a<ol><li>b</li></ol></li><li><p>c</p></li></ul><dl><dt>d</dt><dd>e<dl><dd>f</dd></dl></dd></dl>",
            "<p><img src=\"https://a.example/1\" srcset=\"https://a.example/1 1x, http://a.example/2 2x\" alt=\"\"><br></p>",
            "<ruby>a<rp>(</rp><rt>b</rt></ruby><a href=\"mailto:a@b.example\">c</a>",
        ] {
            check(html, true);
        }
    }

    #[test]
    fn markup_that_a_parser_would_change_is_not_settled() {
        for html in [
            "a & b",
            "a > b",
            "<p>a",
            "a</p>",
            "<b><i>a</b></i>",
            "<p><div>a</div></p>",
            "<b><p>a<ul></ul></p></b>",
            "<a href=\"https://a.example/\">b<i><a>c</a></i></a>",
            "<ul><li><div><li>a</li></div></li></ul>",
            "<dl><dt><dd>a</dd></dt></dl>",
            "<h1><h2>a</h2></h1>",
            "<ruby><rt>a<rp>b</rp></rt></ruby>",
            "<pre>\na</pre>",
            "<table><tr><td>a</td></tr></table>",
            "<p lang=\"a\" lang=\"b\">c</p>",
            "<p title=\"a & b\">c</p>",
            "<p title=\"&eacute;\">c</p>",
            "<br/>",
            "<B>a</B>",
            "<b >a</b>",
            "<!-- a -->",
        ] {
            check(html, false);
        }
    }

    #[test]
    fn forbidden_markup_is_not_settled() {
        for html in [
            "<script>a</script>",
            "<svg></svg>",
            "<p onclick=\"a\">b</p>",
            "<p style=\"a\">b</p>",
            "<p src=\"https://a.example/\">b</p>",
            "<a href=\"javascript:a\">b</a>",
            "<a href=\"/a\">b</a>",
            "<a href=\" https://a.example/\">b</a>",
            "<a href='https://a.example/'>b</a>",
            "<a href=https://a.example/>b</a>",
            "<img src=\"data:a\">",
            "<img srcset=\"https://a.example/1 1x, data:a 2x\">",
        ] {
            check(html, false);
        }
    }
}
