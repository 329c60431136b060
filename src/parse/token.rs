//! Text → tags and character data, of anything that resembles XML.
//!
//! Never fails and never looks back: what is not a tag is text, what is not closed is closed. Linear in the size; a search for an end
//! that is not there is made once. A document type declaration is skipped, its entities are neither expanded nor fetched.

use std::borrow::Cow;

use memchr::{memchr, memmem};

use super::references;
use super::repairs::{Repair, Repairs};

/// A tag may have so many attributes; more are dropped (quick-xml's RUSTSEC-2026-0194 was quadratic in them).
const MAX_ATTRIBUTES: usize = 256;
/// And so many bytes in one attribute; one that is longer is dropped.
const MAX_ATTRIBUTE_BYTES: usize = 64 << 10;

pub(super) enum Token<'a> {
    Start(Tag<'a>),
    /// The name as written, with its prefix.
    End(&'a str),
    /// Character data with its references resolved, or the inside of a CDATA section.
    Text(Cow<'a, str>),
}

pub(super) struct Tag<'a> {
    /// As written, with its prefix.
    pub name: &'a str,
    /// Where the tag begins in the text.
    pub at: usize,
    pub attributes: Vec<Attribute<'a>>,
    pub self_closing: bool,
}

#[derive(Clone)]
pub(super) struct Attribute<'a> {
    /// As written, with its prefix.
    pub name: &'a str,
    pub value: Cow<'a, str>,
}

/// A reader of tokens.
pub(super) struct Tokens<'a> {
    text: &'a str,
    /// Where the next token begins.
    at: usize,
    /// What was searched for to the end of the text and is not there.
    absent: Absent,
    /// The text ended inside of a tag.
    pub broken_off: bool,
}

#[derive(Default)]
struct Absent {
    comment_end: bool,
    section_end: bool,
    instruction_end: bool,
}

impl<'a> Tokens<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Tokens { text, at: 0, absent: Absent::default(), broken_off: false }
    }

    /// Where the next token begins in the text.
    pub(super) fn position(&self) -> usize {
        self.at
    }

    /// The next token; `inside` is the innermost open element, at whose end tag an unclosed CDATA section ends.
    pub(super) fn next(&mut self, inside: Option<&str>, repairs: &mut Repairs) -> Option<Token<'a>> {
        loop {
            let rest = &self.text[self.at..];
            if rest.is_empty() {
                return None;
            }
            if !opens_markup(rest) {
                return Some(self.character_data(repairs));
            }
            if rest.starts_with("<!--") {
                self.skip_comment(repairs);
            } else if rest.starts_with("<![CDATA[") {
                return Some(Token::Text(Cow::Borrowed(self.section(inside, repairs))));
            } else if rest.starts_with("<!") {
                self.skip_declaration(repairs);
            } else if rest.starts_with("<?") {
                self.skip_instruction();
            } else if rest.starts_with("</") {
                return Some(Token::End(self.end_tag()));
            } else {
                match self.start_tag(repairs) {
                    Some(tag) => return Some(Token::Start(tag)),
                    None => {
                        self.broken_off = true;
                        self.at = self.text.len();
                    }
                }
            }
        }
    }

    /// Text up to the next `<` that opens markup.
    fn character_data(&mut self, repairs: &mut Repairs) -> Token<'a> {
        let start = self.at;
        let mut end = start;
        while let Some(offset) = memchr(b'<', &self.text.as_bytes()[end..]) {
            end += offset;
            if opens_markup(&self.text[end..]) {
                break;
            }
            repairs.note(Repair::BareMarkup);
            end += 1;
        }
        if !self.text[end..].starts_with('<') {
            end = self.text.len();
        }
        self.at = end;
        Token::Text(references::resolve(&self.text[start..end], repairs))
    }

    fn skip_comment(&mut self, repairs: &mut Repairs) {
        let inside = self.at + "<!--".len();
        let end = (!self.absent.comment_end).then(|| self.text[inside..].find("-->")).flatten();
        match end {
            Some(length) => self.at = inside + length + "-->".len(),
            None => {
                self.absent.comment_end = true;
                repairs.note(Repair::UnclosedSection);
                self.at = self.after_next('>', inside);
            }
        }
    }

    fn section(&mut self, inside: Option<&str>, repairs: &mut Repairs) -> &'a str {
        let start = self.at + "<![CDATA[".len();
        let rest = &self.text[start..];
        let end = (!self.absent.section_end).then(|| memmem::find(rest.as_bytes(), b"]]>")).flatten();
        let closed = end.filter(|&length| memmem::find(&rest.as_bytes()[..length], b"<![CDATA[").is_none());
        if let Some(length) = closed {
            self.at = start + length + "]]>".len();
            return &rest[..length];
        }
        self.absent.section_end |= end.is_none();
        let end_tag = inside.map(|name| format!("</{name}>"));
        let own_end = end_tag.and_then(|tag| rest.find(&tag));
        // A nested section start is text where the element does not end before it.
        let length = match (own_end, end) {
            (Some(own), Some(end)) if own > end => end,
            (Some(own), _) => own,
            (None, Some(end)) => end,
            (None, None) => rest.len(),
        };
        if own_end.is_none() && end.is_none() {
            self.broken_off = true;
        }
        repairs.note(Repair::UnclosedSection);
        let section_end = if rest[length..].starts_with("]]>") { "]]>".len() } else { 0 };
        self.at = start + length + section_end;
        &rest[..length]
    }

    /// `<!DOCTYPE … [ … ]>`: inert.
    fn skip_declaration(&mut self, repairs: &mut Repairs) {
        repairs.note(Repair::Doctype);
        let rest = &self.text[self.at..];
        let mut in_subset = false;
        let mut quote = None;
        for (offset, byte) in rest.bytes().enumerate().skip(2) {
            match (byte, quote) {
                (_, Some(open)) if byte == open => quote = None,
                (_, Some(_)) => {}
                (b'"' | b'\'', None) => quote = Some(byte),
                (b'[', None) => in_subset = true,
                (b']', None) => in_subset = false,
                (b'>', None) if !in_subset => {
                    self.at += offset + 1;
                    return;
                }
                _ => {}
            }
        }
        self.at = self.after_next('>', self.at);
    }

    fn skip_instruction(&mut self) {
        let inside = self.at + "<?".len();
        let end = (!self.absent.instruction_end).then(|| self.text[inside..].find("?>")).flatten();
        match end {
            Some(length) => self.at = inside + length + "?>".len(),
            None => {
                self.absent.instruction_end = true;
                self.at = self.after_next('>', inside);
            }
        }
    }

    fn after_next(&self, wanted: char, from: usize) -> usize {
        self.text[from..].find(wanted).map_or(self.text.len(), |offset| from + offset + wanted.len_utf8())
    }

    fn end_tag(&mut self) -> &'a str {
        let start = self.at + "</".len();
        let name = name_at(self.text, start);
        let rest = &self.text[start + name.len()..];
        let length = rest.find(['>', '<']).unwrap_or(rest.len());
        let closed = usize::from(rest[length..].starts_with('>'));
        self.at = start + name.len() + length + closed;
        name
    }

    /// `None` where the text ends before the tag does.
    fn start_tag(&mut self, repairs: &mut Repairs) -> Option<Tag<'a>> {
        let at = self.at;
        let name = name_at(self.text, at + 1);
        let mut tag = Tag { name, at, attributes: Vec::new(), self_closing: false };
        let mut cursor = at + 1 + name.len();
        loop {
            let rest = &self.text[cursor..];
            cursor += rest.len() - rest.trim_start().len();
            match self.text[cursor..].chars().next()? {
                '>' => {
                    self.at = cursor + 1;
                    return Some(tag);
                }
                '<' => {
                    // The tag lacks its `>`: the next one begins here.
                    repairs.note(Repair::UnclosedTags);
                    self.at = cursor;
                    return Some(tag);
                }
                '/' => {
                    tag.self_closing = self.text[cursor + 1..].starts_with('>');
                    cursor += 1;
                }
                _ => cursor = self.attribute(cursor, &mut tag, repairs)?,
            }
        }
    }

    /// Reads one attribute and returns where it ends; `None` where the text ends before.
    fn attribute(&self, start: usize, tag: &mut Tag<'a>, repairs: &mut Repairs) -> Option<usize> {
        let name_bytes = self.text[start..].find(|c: char| c.is_whitespace() || "=></".contains(c))?;
        let name = &self.text[start..start + name_bytes];
        let mut cursor = start + name_bytes;
        let after_name = self.text[cursor..].trim_start();
        let mut value = "";
        if let Some(rest) = after_name.strip_prefix('=') {
            let rest = rest.trim_start();
            cursor = self.text.len() - rest.len();
            let (written, length) = attribute_value(rest, repairs)?;
            value = written;
            cursor += length;
        } else if name.is_empty() {
            // A lone sign that begins no attribute.
            cursor += after_name.chars().next()?.len_utf8();
        }
        if name.is_empty() {
            return Some(cursor);
        }
        if tag.attributes.len() == MAX_ATTRIBUTES {
            repairs.note(Repair::TooManyAttributes);
        } else if value.len() > MAX_ATTRIBUTE_BYTES {
            repairs.note(Repair::TooLong);
        } else if tag.attributes.iter().all(|known| known.name != name) {
            tag.attributes.push(Attribute { name, value: references::resolve(value, repairs) });
        }
        Some(cursor)
    }
}

/// The value of an attribute as written, without its quotes, and how many bytes it takes with them.
fn attribute_value<'a>(rest: &'a str, repairs: &mut Repairs) -> Option<(&'a str, usize)> {
    let quote = rest.chars().next()?;
    if quote != '"' && quote != '\'' {
        repairs.note(Repair::UnclosedQuotes);
        let length = rest.find(|c: char| c.is_whitespace() || c == '>')?;
        let unslashed =
            if rest[length..].starts_with('>') { rest[..length].trim_end_matches('/') } else { &rest[..length] };
        return Some((unslashed, unslashed.len()));
    }
    let quoted = &rest[1..];
    let end = quoted.find(quote);
    let value = &quoted[..end.unwrap_or(quoted.len())];
    // A `>` that comes before a `<` says that the closing quote is missing.
    let tag_end =
        value.find('>').filter(|&greater| end.is_none() || value.find('<').is_some_and(|less| greater < less));
    if let Some(tag_end) = tag_end {
        repairs.note(Repair::UnclosedQuotes);
        let value = value[..tag_end].trim_end_matches('/');
        return Some((value, 1 + value.len()));
    }
    end.map(|end| (value, end + 2))
}

fn name_at(text: &str, start: usize) -> &str {
    let rest = &text[start..];
    &rest[..rest.find(|c: char| c.is_whitespace() || "/><=\"'".contains(c)).unwrap_or(rest.len())]
}

/// Whether a tag, comment, section, declaration or instruction begins here, and not a bare `<`.
fn opens_markup(rest: &str) -> bool {
    let Some(rest) = rest.strip_prefix('<') else { return false };
    match rest.chars().next() {
        Some('?') => true,
        Some('/') => rest[1..].starts_with(starts_name),
        Some('!') => {
            rest.starts_with("!--")
                || rest.starts_with("![CDATA[")
                || rest[1..].starts_with(|c: char| c.is_ascii_alphabetic())
        }
        Some(character) => starts_name(character),
        None => false,
    }
}

fn starts_name(character: char) -> bool {
    character.is_alphabetic() || character == '_' || character == ':'
}
