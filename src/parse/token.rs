//! Splits anything that resembles XML into tags and character data.
//!
//! Splitting never fails and never goes back. Anything that is not markup is text, and markup without an end is ended
//! at a likely place. Splitting takes time linear in the size: the end of each construct is searched for once, and all
//! searching counts against a limit of steps. A document type declaration is skipped, except for the short texts that
//! it declares (see `entities`).

use std::borrow::Cow;

use memchr::{memchr, memmem};

use super::entities::Entities;
use super::references;
use super::repairs::Repairs;
use super::steps::Steps;
use crate::feed::RepairKind;

/// The most attributes of a tag. Further ones are dropped, because each attribute is compared with all others. Without
/// a limit, that takes quadratic time, as it did in quick-xml (RUSTSEC-2026-0194).
const MAX_ATTRIBUTES: usize = 256;
/// The most bytes of one attribute value. An attribute with a longer one is dropped.
const MAX_ATTRIBUTE_BYTES: usize = 64 << 10;
/// A declaration that does not end within this many bytes counts as unclosed. Some feeds contain the whole DTD of RSS
/// 0.91, which has 10 KiB.
const MAX_DECLARATION_BYTES: usize = 64 << 10;
/// If the name of an element is longer, its end tag does not end a CDATA section.
const MAX_NAME_BYTES: usize = 256;

pub(super) enum Token<'a> {
    Start(Tag<'a>),
    /// The name as written, with its prefix.
    End(&'a str),
    /// Character data with its references resolved, or the content of a CDATA section.
    Text(Cow<'a, str>),
}

pub(super) struct Tag<'a> {
    /// The name as written, with its prefix.
    pub name: &'a str,
    /// The byte position of the tag in the text.
    pub at: usize,
    pub attributes: Vec<RawAttribute<'a>>,
    pub self_closing: bool,
}

#[derive(Clone)]
pub(super) struct RawAttribute<'a> {
    /// The name as written, with its prefix.
    pub name: &'a str,
    pub value: Cow<'a, str>,
}

/// A reader of tokens.
pub(super) struct Tokens<'a> {
    text: &'a str,
    /// The position of the next token.
    at: usize,
    comment_end: Next,
    section_start: Next,
    section_end: Next,
    instruction_end: Next,
    entities: Entities,
    /// Whether a declaration had no end. The end of later declarations is not searched for; they end at the first `>`.
    has_unclosed_declaration: bool,
    /// Whether the text ended inside a tag or a CDATA section.
    pub broken_off: bool,
    /// The steps that reading may still take. When they are used up, no more tokens come.
    pub steps: Steps,
}

/// A forward search that remembers its result, so that no part of a text is searched twice.
#[derive(Default)]
struct Next {
    /// The end of the part of the text that was searched.
    searched_to: usize,
    /// The last occurrence found. `None` if there is none in the part that was searched.
    found: Option<usize>,
}

impl Next {
    /// Returns the first position of `wanted` at or after `from`. The caller must always pass the same `wanted`, and a
    /// `from` that never decreases.
    fn find(&mut self, text: &str, wanted: &str, from: usize, steps: &mut Steps) -> Option<usize> {
        if self.found.is_some_and(|at| at >= from) || self.found.is_none() && self.searched_to == text.len() {
            return self.found;
        }
        self.found = memmem::find(&text.as_bytes()[from..], wanted.as_bytes()).map(|offset| from + offset);
        self.searched_to = self.found.unwrap_or(text.len());
        steps.take(self.searched_to - from);
        self.found
    }
}

impl<'a> Tokens<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Tokens {
            text,
            at: 0,
            comment_end: Next::default(),
            section_start: Next::default(),
            section_end: Next::default(),
            instruction_end: Next::default(),
            entities: Entities::for_document(text.len()),
            has_unclosed_declaration: false,
            broken_off: false,
            steps: Steps::for_document(text.len()),
        }
    }

    /// Returns the byte position of the next token in the text.
    pub(super) fn position(&self) -> usize {
        self.at
    }

    /// Returns the next token. `inside` is the name of the innermost open element. Its end tag ends an unclosed CDATA
    /// section. Returns `None` at the end of the text, or if the steps are used up.
    pub(super) fn next(&mut self, inside: Option<&str>, repairs: &mut Repairs) -> Option<Token<'a>> {
        while self.at < self.text.len() && !self.steps.are_used_up() {
            let start = self.at;
            let token = self.token(inside, repairs);
            self.steps.take(self.at - start);
            if token.is_some() {
                return token;
            }
        }
        None
    }

    /// Reads what begins at the current position. Returns `None` if that gives no token, such as a comment.
    fn token(&mut self, inside: Option<&str>, repairs: &mut Repairs) -> Option<Token<'a>> {
        let rest = &self.text[self.at..];
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
            let tag = self.start_tag(repairs);
            if tag.is_none() {
                self.broken_off = true;
                self.at = self.text.len();
            }
            return tag.map(Token::Start);
        }
        None
    }

    /// Reads text up to the next `<` that opens markup.
    fn character_data(&mut self, repairs: &mut Repairs) -> Token<'a> {
        let start = self.at;
        let mut end = start;
        while let Some(offset) = memchr(b'<', &self.text.as_bytes()[end..]) {
            end += offset;
            if opens_markup(&self.text[end..]) {
                break;
            }
            repairs.note(RepairKind::BareMarkup);
            end += 1;
        }
        if !self.text[end..].starts_with('<') {
            end = self.text.len();
        }
        self.at = end;
        Token::Text(references::resolve(&self.text[start..end], |name, out| self.entities.expand(name, out), repairs))
    }

    fn skip_comment(&mut self, repairs: &mut Repairs) {
        let inside = self.at + "<!--".len();
        match self.comment_end.find(self.text, "-->", inside, &mut self.steps) {
            Some(end) => self.at = end + "-->".len(),
            None => {
                repairs.note(RepairKind::UnclosedSection);
                self.at = self.after_next('>', inside);
            }
        }
    }

    fn section(&mut self, inside: Option<&str>, repairs: &mut Repairs) -> &'a str {
        const START: &str = "<![CDATA[";
        const END: &str = "]]>";

        let start = self.at + START.len();
        let end = self.section_end.find(self.text, END, start, &mut self.steps);
        let nested = self.section_start.find(self.text, START, start, &mut self.steps);
        if let Some(end) = end
            && nested.is_none_or(|nested| nested >= end)
        {
            self.at = end + END.len();
            return &self.text[start..end];
        }
        // If the element's end tag comes before `]]>`, the section has no end. Otherwise a nested section start is
        // text.
        let most = end.unwrap_or(self.text.len());
        let own_end = inside.and_then(|name| self.end_tag_within(name, start, most));
        self.broken_off |= own_end.is_none() && end.is_none();
        if own_end.is_some() || end.is_none() {
            repairs.note(RepairKind::UnclosedSection);
        }
        let section_end = own_end.unwrap_or(most);
        let is_closed = self.text[section_end..].starts_with(END);
        self.at = section_end + if is_closed { END.len() } else { 0 };
        &self.text[start..section_end]
    }

    /// Returns where the end tag of an element begins in a part of the text, if it is there. The bytes searched count
    /// as steps.
    fn end_tag_within(&mut self, name: &str, from: usize, to: usize) -> Option<usize> {
        if name.len() > MAX_NAME_BYTES {
            return None;
        }
        let found = memmem::find(&self.text.as_bytes()[from..to], format!("</{name}>").as_bytes());
        self.steps.take(found.unwrap_or(to - from));
        found.map(|offset| from + offset)
    }

    /// Skips `<!DOCTYPE … [ … ]>`, but keeps the short texts that it declares.
    fn skip_declaration(&mut self, repairs: &mut Repairs) {
        if !self.has_unclosed_declaration {
            let rest = &self.text.as_bytes()[self.at..];
            let end = declaration_length(&rest[..rest.len().min(MAX_DECLARATION_BYTES)]);
            self.steps.take(end.unwrap_or(MAX_DECLARATION_BYTES));
            if let Some(length) = end {
                if !self.entities.declare(&self.text[self.at..self.at + length], repairs) {
                    repairs.note(RepairKind::Doctype);
                }
                self.at += length;
                return;
            }
            self.has_unclosed_declaration = true;
        }
        repairs.note(RepairKind::Doctype);
        self.at = self.after_next('>', self.at);
    }

    fn skip_instruction(&mut self) {
        let inside = self.at + "<?".len();
        match self.instruction_end.find(self.text, "?>", inside, &mut self.steps) {
            Some(end) => self.at = end + "?>".len(),
            None => self.at = self.after_next('>', inside),
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

    /// Reads a start tag. Returns `None` if the text ends inside the tag.
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
                    // The tag lacks its `>`. The next tag begins here.
                    repairs.note(RepairKind::UnclosedTags);
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

    /// Reads one attribute and returns where it ends. Returns `None` if the text ends inside the attribute.
    fn attribute(&mut self, start: usize, tag: &mut Tag<'a>, repairs: &mut Repairs) -> Option<usize> {
        let name_bytes = self.text[start..].find(|c: char| c.is_whitespace() || "=></".contains(c))?;
        let name = &self.text[start..start + name_bytes];
        let mut cursor = start + name_bytes;
        let after_name = self.text[cursor..].trim_start();
        let mut value = "";
        if let Some(rest) = after_name.strip_prefix('=') {
            let rest = rest.trim_start();
            cursor = self.text.len() - rest.len();
            let (written, length) = attribute_value(rest, &mut self.steps, repairs)?;
            value = written;
            cursor += length;
        } else if name.is_empty() {
            // This is a stray character that begins no attribute.
            cursor += after_name.chars().next()?.len_utf8();
        }
        if name.is_empty() {
            return Some(cursor);
        }
        if tag.attributes.len() == MAX_ATTRIBUTES {
            repairs.note(RepairKind::TooManyAttributes);
        } else if value.len() > MAX_ATTRIBUTE_BYTES {
            repairs.note(RepairKind::TooLong);
        } else if tag.attributes.iter().all(|known| known.name != name) {
            tag.attributes.push(RawAttribute {
                name,
                value: references::resolve(value, |name, out| self.entities.expand(name, out), repairs),
            });
        }
        Some(cursor)
    }
}

/// Returns the length in bytes of the declaration at the start of the text. Returns `None` if the declaration does not
/// end.
fn declaration_length(text: &[u8]) -> Option<usize> {
    let mut in_subset = false;
    let mut quote = None;
    let mut comment_ends = 0;
    for (offset, &byte) in text.iter().enumerate().skip("<!".len()) {
        match (byte, quote) {
            _ if offset < comment_ends => {}
            (b'<', None) if in_subset && text[offset..].starts_with(b"<!--") => {
                comment_ends = offset + memmem::find(&text[offset..], b"-->")?;
            }
            (_, Some(open)) if byte == open => quote = None,
            (_, Some(_)) => {}
            (b'"' | b'\'', None) => quote = Some(byte),
            (b'[', None) => in_subset = true,
            (b']', None) => in_subset = false,
            (b'>', None) if !in_subset => return Some(offset + 1),
            _ => {}
        }
    }
    None
}

/// Returns the value of an attribute as written, without its quotes, and its length in bytes with the quotes. Returns
/// `None` if the text ends inside the value.
fn attribute_value<'a>(rest: &'a str, steps: &mut Steps, repairs: &mut Repairs) -> Option<(&'a str, usize)> {
    let quote = rest.chars().next()?;
    if quote != '"' && quote != '\'' {
        repairs.note(RepairKind::UnclosedQuotes);
        let length = rest.find(|c: char| c.is_whitespace() || c == '>')?;
        let unslashed =
            if rest[length..].starts_with('>') { rest[..length].trim_end_matches('/') } else { &rest[..length] };
        return Some((unslashed, unslashed.len()));
    }
    let quoted = &rest[1..];
    let end = quoted.find(quote);
    let value = &quoted[..end.unwrap_or(quoted.len())];
    steps.take(value.len());
    // If the value has no end, or contains a `>` before a `<`, its closing quote is missing. The tag then ends at the
    // `>`.
    let tag_end =
        value.find('>').filter(|&greater| end.is_none() || value.find('<').is_some_and(|less| greater < less));
    if let Some(tag_end) = tag_end {
        repairs.note(RepairKind::UnclosedQuotes);
        let value = value[..tag_end].trim_end_matches('/');
        return Some((value, 1 + value.len()));
    }
    end.map(|end| (value, end + 2))
}

fn name_at(text: &str, start: usize) -> &str {
    let rest = &text[start..];
    &rest[..rest.find(|c: char| c.is_whitespace() || "/><=\"'".contains(c)).unwrap_or(rest.len())]
}

/// Returns whether the text begins with a tag, comment, CDATA section, declaration or instruction, and not with a bare
/// `<`.
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Pieces of text that begin or end markup, or seem to.
    const UNITS: [&str; 40] = [
        "<",
        ">",
        "<!",
        "<!-",
        "<!--",
        "<!-->",
        "-->",
        "<![",
        "<![CDATA[",
        "<![CDATA[]]>",
        "]]>",
        "]]",
        "<!D",
        "<!D[>",
        "<!D'>",
        "<!D\">",
        "<!D[]>",
        "<!ENTITY",
        "<?",
        "<?x",
        "?>",
        "</",
        "</title",
        "</title>",
        "<a",
        "<a ",
        "<a>",
        "<a/>",
        "<a b",
        "<a b=",
        "<a b=\"",
        "<a b='",
        "<a b='>",
        "<a b=c/",
        "/",
        "=",
        "\"",
        "'",
        "&",
        "x ",
    ];

    /// Reads all tokens, and returns how many steps per byte that takes.
    fn steps_per_byte(text: &str, inside: Option<&str>) -> usize {
        let mut repairs = Repairs::default();
        let mut tokens = Tokens::new(text);
        while tokens.next(inside, &mut repairs).is_some() {}
        tokens.steps.taken_for(text.len()) / text.len()
    }

    #[track_caller]
    fn check(unit: &str) {
        const MOST: usize = 8;
        let text = unit.repeat(2 * MAX_DECLARATION_BYTES / unit.len());
        for inside in [None, Some("title")] {
            let steps = steps_per_byte(&text, inside);
            assert!(steps <= MOST, "{unit:?} takes {steps} steps per byte inside {inside:?}");
        }
    }

    #[test]
    fn nothing_is_searched_twice_however_markup_is_left_open() {
        UNITS.into_iter().for_each(check);
        check("<![CDATA[<![CDATA[]]>");
        check("<![CDATA[</title><![CDATA[");
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn nothing_is_searched_twice_in_any_mix_of_open_markup(units in prop::collection::vec(prop::sample::select(&UNITS), 2..6)) {
            check(&units.concat());
        }
    }

    #[test]
    fn nested_section_start_does_not_move_the_end() {
        let texts = |text: &str| {
            let mut repairs = Repairs::default();
            let mut tokens = Tokens::new(text);
            let mut texts = Vec::new();
            while let Some(token) = tokens.next(Some("title"), &mut repairs) {
                texts.push(match token {
                    Token::Text(text) => text.into_owned(),
                    Token::Start(tag) => format!("<{}>", tag.name),
                    Token::End(name) => format!("</{name}>"),
                });
            }
            texts
        };
        assert_eq!(texts("<![CDATA[a]]>b"), ["a", "b"]);
        assert_eq!(texts("<![CDATA[a<![CDATA[b]]>c"), ["a<![CDATA[b", "c"]);
        assert_eq!(texts("<![CDATA[a</title><![CDATA[b]]>"), ["a", "</title>", "b"]);
        assert_eq!(texts("<![CDATA[a</title>b"), ["a", "</title>", "b"]);
        assert_eq!(texts("<![CDATA[a"), ["a"]);
        assert_eq!(texts("<!DOCTYPE a [<!ENTITY b \">\">]>c<!D[>d<!E>e"), ["c", "d", "e"]);
    }
}
