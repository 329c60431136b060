//! Splits TOML into tokens, for code that needs the kind of a piece of text and not its value. Never fails: a string
//! without closing quotes ends with its line, and a multi-line string with the text.

use std::ops::Range;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TokenKind {
    Comment,
    /// A string with its quotes.
    Quoted,
    /// A bare or dotted key, a number, a date or a boolean.
    Word,
    /// `=`, a comma, a bracket or a brace.
    Mark,
    Newline,
}

#[derive(Clone, Debug)]
pub(super) struct TomlToken {
    pub kind: TokenKind,
    /// The position in bytes.
    pub span: Range<usize>,
}

/// Returns the tokens in order, without the white space between them.
pub(super) fn tokens(text: &str) -> Vec<TomlToken> {
    let mut tokens = Vec::new();
    let mut start = 0;
    while let Some(first) = text[start..].chars().next() {
        let rest = &text[start..];
        let (kind, length) = match first {
            '\n' => (Some(TokenKind::Newline), 1),
            '#' => (Some(TokenKind::Comment), line_length(rest)),
            '"' | '\'' => (Some(TokenKind::Quoted), quoted_length(rest, first)),
            '=' | ',' | '[' | ']' | '{' | '}' => (Some(TokenKind::Mark), 1),
            _ if first.is_whitespace() || first == '\u{feff}' => (None, first.len_utf8()),
            _ => (Some(TokenKind::Word), word_length(rest)),
        };
        tokens.extend(kind.map(|kind| TomlToken { kind, span: start..start + length }));
        start += length;
    }
    tokens
}

fn line_length(text: &str) -> usize {
    text.find(['\r', '\n']).unwrap_or(text.len())
}

fn word_length(text: &str) -> usize {
    text.find(|c: char| c.is_whitespace() || "=,[]{}\"'#".contains(c)).unwrap_or(text.len())
}

fn quoted_length(text: &str, quote: char) -> usize {
    let triple = [quote; 3].iter().collect::<String>();
    if text.starts_with(&triple) {
        let end = closing(&text[3..], &triple, quote == '"').map_or(text.len(), |end| 3 + end + 3);
        // Up to two quotes of the text may come directly before the three closing quotes.
        end + text[end..].bytes().take(2).take_while(|byte| *byte == quote as u8).count()
    } else {
        let line = &text[..line_length(text)];
        closing(&line[1..], &triple[..1], quote == '"').map_or(line.len(), |end| end + 2)
    }
}

/// Returns the start of the closing quotes.
fn closing(text: &str, quotes: &str, has_escapes: bool) -> Option<usize> {
    let mut is_escaped = false;
    text.char_indices().find_map(|(at, c)| {
        if is_escaped {
            is_escaped = false;
            return None;
        }
        is_escaped = has_escapes && c == '\\';
        text[at..].starts_with(quotes).then_some(at)
    })
}
