//! Turns titles and names that may contain HTML into one line of plain text.
//!
//! Titles are often about markup, so anything that is not certainly markup is text. Comments are markup, and so are
//! HTML tags with well-formed attributes. A start tag is markup only if its end tag follows, so that `The <script>
//! element explained` stays as it is. Reading takes one linear pass.

use std::collections::HashMap;

use memchr::{memchr, memmem};

use super::text::single_spaced;
use crate::parse::html_names;
use crate::parse::references::resolve_html;

/// Returns a title in HTML as one line without markup. Start tags without end tags are text.
pub(super) fn line(html: &str) -> String {
    plain(html, true)
}

/// Returns a name in HTML as one line without markup. All tags are removed, because names are not about tags.
pub(super) fn without_tags(html: &str) -> String {
    plain(html, false)
}

fn plain(html: &str, keeps_lone_tags: bool) -> String {
    if !html.contains(['<', '&']) {
        return single_spaced(html);
    }
    let mut marks = marks(html);
    pair(html, &mut marks, keeps_lone_tags);
    let mut text = String::with_capacity(html.len());
    let mut from = 0;
    for mark in marks {
        if mark.start < from {
            continue;
        }
        text.push_str(&html[from..mark.start]);
        from = mark.end;
    }
    text.push_str(&html[from..]);
    single_spaced(&resolve_html(&text))
}

/// A piece of markup and its byte range.
struct Mark<'a> {
    start: usize,
    end: usize,
    kind: MarkKind<'a>,
}

enum MarkKind<'a> {
    Comment,
    Start(&'a str),
    End(&'a str),
}

/// Returns all markup in a text, including tags without partners.
fn marks(html: &str) -> Vec<Mark<'_>> {
    let mut scan = MarkScan { html, no_comment_end: false, no_quote: [false; 2] };
    let mut marks = Vec::new();
    let mut from = 0;
    while let Some(offset) = memchr(b'<', &html.as_bytes()[from..]) {
        let start = from + offset;
        from = match scan.mark(start) {
            Ok((end, kind)) => {
                marks.push(Mark { start, end, kind });
                end
            }
            Err(resume) => resume,
        };
    }
    marks
}

/// What is known about the rest of a text, so that no part of it is searched twice.
struct MarkScan<'a> {
    html: &'a str,
    no_comment_end: bool,
    /// Whether no double quote follows, and whether no single quote follows.
    no_quote: [bool; 2],
}

impl<'a> MarkScan<'a> {
    /// Reads the markup that begins at a `<`. Returns where it ends, or where to continue if it is text.
    fn mark(&mut self, start: usize) -> Result<(usize, MarkKind<'a>), usize> {
        let html = self.html;
        if html[start..].starts_with("<!--") {
            return self.comment(start);
        }
        let name_start = start + 1 + usize::from(html[start + 1..].starts_with('/'));
        let name = &html[name_start..];
        let name = &name[..name.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(name.len())];
        let ends_name = |c: char| c.is_ascii_whitespace() || matches!(c, '/' | '>');
        if !html_names::is_tag(name) || !html[name_start + name.len()..].starts_with(ends_name) {
            return Err(start + 1);
        }
        let end = self.tag_end(start, name_start + name.len())?;
        let is_end = name_start > start + 1;
        Ok((end, if is_end { MarkKind::End(name) } else { MarkKind::Start(name) }))
    }

    fn comment(&mut self, start: usize) -> Result<(usize, MarkKind<'a>), usize> {
        let inside = start + "<!--".len();
        let end = (!self.no_comment_end).then(|| memmem::find(&self.html.as_bytes()[inside..], b"-->")).flatten();
        self.no_comment_end = end.is_none();
        end.map(|end| (inside + end + "-->".len(), MarkKind::Comment)).ok_or(inside)
    }

    /// Reads attributes up to the end of the tag. A `<` among them means that this is not a tag.
    fn tag_end(&mut self, start: usize, mut at: usize) -> Result<usize, usize> {
        let bytes = self.html.as_bytes();
        loop {
            let Some(&byte) = bytes.get(at) else { return Err(bytes.len()) };
            match byte {
                b'>' => return Ok(at + 1),
                b'<' => return Err(at),
                b'=' => {
                    at += 1;
                    at += bytes[at..].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
                    if let Some(&quote @ (b'"' | b'\'')) = bytes.get(at) {
                        at = self.after_quote(quote, at + 1).ok_or(start + 1)?;
                    }
                }
                _ => at += 1,
            }
        }
    }

    /// Returns the end of the quoted value that begins at `start`.
    fn after_quote(&mut self, quote: u8, start: usize) -> Option<usize> {
        let no_quote = &mut self.no_quote[usize::from(quote == b'\'')];
        let length = (!*no_quote).then(|| memchr(quote, &self.html.as_bytes()[start..])).flatten();
        *no_quote = length.is_none();
        length.map(|length| start + length + 1)
    }
}

/// Merges a script or style and its content into one mark. If lone tags are kept, removes start tags without an end tag
/// from the marks, so that they stay in the text.
///
/// Some elements need no end tag: `br`, `wbr`, `hr`, and `img` with attributes. They are always markup.
fn pair(html: &str, marks: &mut Vec<Mark>, keeps_lone_tags: bool) {
    let mut ends: HashMap<String, Vec<usize>> = HashMap::new();
    for mark in marks.iter_mut().rev() {
        match mark.kind {
            MarkKind::Comment => {}
            MarkKind::End(name) => ends.entry(name.to_ascii_lowercase()).or_default().push(mark.end),
            MarkKind::Start(name) => {
                let name = name.to_ascii_lowercase();
                let own_end = ends.get_mut(&name).and_then(Vec::pop);
                let is_markup = match &*name {
                    "br" | "wbr" | "hr" => true,
                    "img" => html[mark.start..mark.end].contains('='),
                    _ => own_end.is_some(),
                };
                match own_end {
                    Some(end) if matches!(&*name, "script" | "style") => mark.end = end,
                    _ if keeps_lone_tags && !is_markup => mark.end = mark.start,
                    _ => {}
                }
            }
        }
    }
    marks.retain(|mark| mark.end > mark.start);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(html: &str, expected: &str) {
        assert_eq!(line(html), expected, "{html}");
    }

    #[test]
    fn a_tag_that_is_the_subject_of_a_title_stays() {
        for title in [
            "A free guide to <head> elements",
            "The <script> element explained",
            "<style> or <link>?",
            "Goodbye <marquee>, hello CSS",
            "How <input type=\"date\"> works",
            "<img> without a source",
            "Using <!-- in HTML",
            "The <!DOCTYPE> declaration",
            "a<b and c>d",
            "Vec<u8> and Option<String>",
            "<foo>bar</foo>",
            "me <a@example.org> wrote",
            "1 < 2 > 0",
            "<b",
            "<",
            "<a href=\"x",
            "<a title='it>",
        ] {
            check(title, title);
        }
    }

    #[test]
    fn markup_of_a_title_goes() {
        check("<em>Moby Dick</em> reviewed", "Moby Dick reviewed");
        check("<p>A <b>b</b></p>", "A b");
        check("<B>a</b>", "a");
        check("a<br>b<br/>c", "abc");
        check("a<!-- b -->c", "ac");
        check("a<script>alert(\"<b>\")</script>b", "ab");
        check("<a title=\"a > b\" href=x>c</a>", "c");
        check("<img alt=\"a <br> b\" src=\"c\">d", "d");
        check("<i>The <head> tag</i>", "The <head> tag");
        check("<b>a</b> and <b>", "a and <b>");
        check("Cats &amp; dogs &lt;3", "Cats & dogs <3");
    }

    #[test]
    fn no_tag_stays_in_a_name() {
        let check = |html: &str, expected: &str| assert_eq!(without_tags(html), expected, "{html}");
        check("Ada <img src=x onerror=y>", "Ada");
        check("<b>Ada", "Ada");
        check("Ada <script>", "Ada");
        check("Ada <script>x</script>", "Ada");
        check("Vec<u8>", "Vec<u8>");
    }
}
