//! Recovers from syntax errors in TOML: reports the first error, and keeps the part of the text whose meaning is
//! certain.
//!
//! After an unclosed list, a parser reports every later line as an error. So newswire replaces the statement that
//! contains the first error by spaces, and parses the text again. A text with one syntax error thus gets one message,
//! and other mistakes in it are found too. Something that seems to be missing may be in the replaced part, so the
//! caller must not report it as missing.

use std::collections::HashMap;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, Error};

use super::keys::SHAPES;
use super::lexer::{self, TokenKind, TomlToken};

/// How many statements newswire replaces before it gives up on the rest of the text.
const MAX_ROUNDS: usize = 20;

/// The first syntax error of a text.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct SyntaxFault {
    /// The position in bytes.
    pub span: Range<usize>,
    pub message: String,
    pub hint: Option<&'static str>,
    /// The first position of a key or table that is used twice, in bytes.
    pub first: Option<usize>,
}

/// The part of a text with syntax errors whose meaning is certain.
#[derive(Debug)]
pub(super) struct RecoveredToml {
    pub fault: SyntaxFault,
    /// The text with spaces in place of the broken statements: valid TOML of the same length.
    pub text: String,
    /// The positions of the replaced parts.
    pub blanked: Vec<Range<usize>>,
}

/// One `key = value`, or the header of a table.
struct Statement {
    span: Range<usize>,
    is_header: bool,
    /// The bracket that the statement leaves open.
    unclosed: Option<Range<usize>>,
}

/// Parses a text. If it has syntax errors, also returns the recovered part.
pub(super) fn parse(text: &str) -> (Spanned<DeTable<'_>>, Option<RecoveredToml>) {
    let (document, errors) = DeTable::parse_recoverable(text);
    let recovered = (!errors.is_empty()).then(|| recover(text, first_fault(text, &errors), first_error(&errors)));
    (document, recovered)
}

/// Replaces the broken statements by spaces.
fn recover(text: &str, fault: SyntaxFault, at: Range<usize>) -> RecoveredToml {
    let mut recovered = RecoveredToml { fault, text: text.to_owned(), blanked: Vec::new() };
    for _ in 0..MAX_ROUNDS {
        let (_, errors) = DeTable::parse_recoverable(&recovered.text);
        if errors.is_empty() {
            return recovered;
        }
        let span = statement_to_blank(&recovered.text, &first_error(&errors));
        recovered.blank(span);
    }
    // So many errors are not a typo: only the text before the first one is certain.
    let start = statement_to_blank(text, &at).start;
    recovered.text = text.to_owned();
    recovered.blank(start..text.len());
    if !DeTable::parse_recoverable(&recovered.text).1.is_empty() {
        recovered.blank(0..text.len());
    }
    recovered
}

impl RecoveredToml {
    /// Replaces a part by spaces, so that all positions stay valid.
    fn blank(&mut self, span: Range<usize>) {
        let blanks = self.text[span.clone()].bytes().map(|byte| if byte == b'\n' { '\n' } else { ' ' });
        let blanks: String = blanks.collect();
        self.text.replace_range(span.clone(), &blanks);
        self.blanked.push(span);
    }

    /// Whether a part of the table was replaced, so that keys that seem to be missing may be there. `table` is the
    /// position of the table's header or braces.
    pub(super) fn has_touched(&self, table: &Range<usize>) -> bool {
        let after = self.text.get(table.end..).unwrap_or_default();
        let is_header = |line: &&str| line.trim_start().starts_with('[');
        let lines = after.split_inclusive('\n');
        let length: usize =
            lines.enumerate().take_while(|(at, line)| *at == 0 || !is_header(line)).map(|(_, line)| line.len()).sum();
        self.blanked.iter().any(|blanked| blanked.start < table.end + length && blanked.end > table.start)
    }
}

/// Returns the first error: an unclosed bracket if that explains the error, else what the parser reports.
fn first_fault(text: &str, errors: &[Error]) -> SyntaxFault {
    let statements = statements(text);
    let at = first_error(errors);
    let faulty = statements.iter().find(|statement| statement.unclosed.is_some() || statement.span.end > at.start);
    match faulty.and_then(|statement| statement.unclosed.clone()).filter(|open| is_unclosed(text, open, &at)) {
        Some(span) if text[span.clone()].starts_with('{') => SyntaxFault {
            span,
            message: "this table is not closed".to_owned(),
            hint: Some("write } after its last value"),
            first: None,
        },
        Some(span) => SyntaxFault {
            span,
            message: "this list is not closed".to_owned(),
            hint: Some("write ] after its last value"),
            first: None,
        },
        None => of_parser(text, errors, at),
    }
}

fn first_error(errors: &[Error]) -> Range<usize> {
    errors.iter().filter_map(Error::span).min_by_key(|span| span.start).unwrap_or(0..0)
}

/// Whether the open bracket explains the error. If both are on one line, the parser's reason, such as a missing quote,
/// is better.
fn is_unclosed(text: &str, open: &Range<usize>, error: &Range<usize>) -> bool {
    text.get(open.start..error.start).is_none_or(|between| between.contains('\n'))
}

fn of_parser(text: &str, errors: &[Error], span: Range<usize>) -> SyntaxFault {
    if let Some(opening) = unclosed_text(text, span.start) {
        let message = "this text is not closed".to_owned();
        return SyntaxFault {
            span: opening,
            message,
            hint: Some("write three quotes after its last line"),
            first: None,
        };
    }
    let error = errors.iter().find(|error| error.span().is_none_or(|other| other == span));
    let message = error.map_or("this is not TOML", |error| error.message().trim()).replace('\n', ", ");
    let first = (message == "duplicate key").then(|| first_of(text, span.start)).flatten();
    let message = if message == "duplicate key" { given_twice(text, &span) } else { message };
    SyntaxFault { span, message, hint: None, first }
}

/// Returns a message such as `the key title is used twice`. Shows only known names: any other may be a secret.
fn given_twice(text: &str, span: &Range<usize>) -> String {
    let name = text.get(span.clone()).unwrap_or_default();
    let is_known = SHAPES.iter().any(|shape| shape.keys.contains(&name));
    let line = text[..span.start].rfind('\n').map_or(0, |newline| newline + 1);
    match (is_known, text[line..].trim_start().starts_with('[')) {
        (false, _) => "this is used twice".to_owned(),
        (true, false) => format!("the key `{name}` is used twice"),
        (true, true) => format!("the table [{name}] is used twice"),
    }
}

/// Returns the opening quotes of a multi-line string that is not closed before the end of the file. The parser reports
/// that error at the end.
fn unclosed_text(text: &str, error: usize) -> Option<Range<usize>> {
    let last = lexer::tokens(text).pop().filter(|token| token.kind == TokenKind::Quoted && error >= text.len())?;
    let written = &text[last.span.clone()];
    let is_multi_line = written.starts_with("\"\"\"") || written.starts_with("'''");
    is_multi_line.then(|| last.span.start..last.span.start + 3)
}

/// Returns the first position of the key or header at `second`, in bytes.
fn first_of(text: &str, second: usize) -> Option<usize> {
    let tokens = lexer::tokens(text);
    let mut headers: HashMap<String, usize> = HashMap::new();
    // The keys of the table, and of the open inline tables and lists.
    let mut scopes: Vec<HashMap<&str, usize>> = vec![HashMap::new()];
    let mut at = 0;
    while at < tokens.len() {
        let token = &tokens[at];
        let written = &text[token.span.clone()];
        let is_line_start = at == 0 || tokens[at - 1].kind == TokenKind::Newline;
        if scopes.len() == 1 && is_line_start && written == "[" {
            let line =
                tokens[at..].iter().take_while(|token| !matches!(token.kind, TokenKind::Newline | TokenKind::Comment));
            let (count, end) = line.fold((0, token.span.end), |(count, _), token| (count + 1, token.span.end));
            let header: String = text[token.span.start..end].split_whitespace().collect();
            if (token.span.start..end).contains(&second) {
                return headers.get(&header).copied();
            }
            headers.entry(header).or_insert(token.span.start);
            scopes = vec![HashMap::new()];
            at += count;
            continue;
        }
        match written {
            "{" | "[" => scopes.push(HashMap::new()),
            "}" | "]" if scopes.len() > 1 => drop(scopes.pop()),
            _ if is_key(text, &tokens[at..]) => {
                let keys = scopes.last_mut()?;
                let key = written.trim_matches(['"', '\'']);
                if token.span.contains(&second) {
                    return keys.get(key).copied();
                }
                keys.entry(key).or_insert(token.span.start);
            }
            _ => {}
        }
        at += 1;
    }
    None
}

/// Whether the tokens begin with a key and `=`.
fn is_key(text: &str, tokens: &[TomlToken]) -> bool {
    let [key, equals, ..] = tokens else { return false };
    matches!(key.kind, TokenKind::Word | TokenKind::Quoted) && &text[equals.span.clone()] == "="
}

/// Whether the tokens begin with a table header, and not with a list in a list.
fn is_header(text: &str, tokens: &[TomlToken]) -> bool {
    let written = |token: Option<&TomlToken>| token.map(|token| &text[token.span.clone()]);
    let brackets = tokens.iter().take_while(|token| &text[token.span.clone()] == "[").count();
    let name = written(tokens.get(brackets)).unwrap_or_default();
    let is_value = matches!(name, "true" | "false" | "inf" | "nan");
    (1..=2).contains(&brackets)
        && name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && !is_value
        && written(tokens.get(brackets + 1)) == Some("]")
}

/// Splits the text into statements. A statement with an unclosed bracket ends where the next statement certainly
/// begins.
fn statements(text: &str) -> Vec<Statement> {
    let tokens = lexer::tokens(text);
    let mut statements = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        if matches!(tokens[at].kind, TokenKind::Newline | TokenKind::Comment) {
            at += 1;
            continue;
        }
        let start = tokens[at].span.start;
        let is_header = &text[tokens[at].span.clone()] == "[";
        let mut open: Vec<Range<usize>> = Vec::new();
        let mut unclosed = None;
        let mut end = tokens[at].span.end;
        while at < tokens.len() {
            let token = &tokens[at];
            let is_line_end = token.kind == TokenKind::Newline;
            if is_line_end && (is_header || open.is_empty()) {
                break;
            }
            match &text[token.span.clone()] {
                "[" | "{" if !is_header => open.push(token.span.clone()),
                "]" | "}" => drop(open.pop()),
                _ => {}
            }
            if !is_line_end {
                end = token.span.end;
            }
            at += 1;
            if is_line_end && begins_statement(text, &tokens, at, open.last()) {
                unclosed = open.first().cloned();
                break;
            }
        }
        statements.push(Statement { span: start..end, is_header, unclosed });
    }
    statements
}

/// Whether a statement begins at a line, although a bracket before it is open.
fn begins_statement(text: &str, tokens: &[TomlToken], at: usize, open: Option<&Range<usize>>) -> bool {
    let rest = &tokens[at..];
    let is_in_table = open.is_some_and(|open| text[open.clone()].starts_with('{'));
    let before = tokens[..at].iter().rev().find(|token| !matches!(token.kind, TokenKind::Newline | TokenKind::Comment));
    let is_listed = before.is_some_and(|token| matches!(&text[token.span.clone()], "," | "{"));
    is_header(text, rest) || (is_key(text, rest) && !(is_in_table && is_listed))
}

/// Returns the position of the statement at an error; for a table header, including everything in the table.
fn statement_to_blank(text: &str, error: &Range<usize>) -> Range<usize> {
    let statements = statements(text);
    let unclosed = statements.iter().position(|statement| statement.unclosed.is_some());
    let at = statements.iter().rposition(|statement| statement.span.start <= error.start);
    let Some(at) = at.into_iter().chain(unclosed).min() else { return 0..text.len() };
    let start = statements[at].span.start;
    let next = |statement: &&Statement| !statements[at].is_header || statement.is_header;
    let next = statements[at + 1..].iter().find(next).map_or(text.len(), |statement| statement.span.start);
    start..next
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, line: usize, message: &str, sure: &str) {
        let (_, recovered) = parse(text);
        let RecoveredToml { fault, text: recovered, .. } = recovered.expect("the text has a fault");
        assert_eq!(text[..fault.span.start].matches('\n').count() + 1, line, "{text}: {fault:?}");
        assert!(fault.message.contains(message), "{text}: {fault:?}");
        let kept: Vec<&str> = recovered.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        assert_eq!(kept.join("; "), sure, "{text}");
    }

    #[test]
    fn unclosed_list_is_one_fault_and_the_rest_is_sure() {
        check(
            "[[section]]\nid = \"a\"\nfeeds = [\"x\",\n  \"y\"\nlimit = 5\n[[section]]\nid = \"b\"\n",
            3,
            "this list is not closed",
            "[[section]]; id = \"a\"; limit = 5; [[section]]; id = \"b\"",
        );
        check("a = [1,\n[[feed]]\nb = 1\n", 1, "this list is not closed", "[[feed]]; b = 1");
        check("a = [[1, 2],\n[true], [x]]\nb = 1\n", 2, "", "b = 1");
        check("a = { b = 1\n[c]\nd = 1\n", 1, "this table is not closed", "[c]; d = 1");
    }

    #[test]
    fn faulty_line_is_left_out_and_a_faulty_header_with_its_table() {
        check("a = \"x\nb = 1\n", 1, "", "b = 1");
        check("a = [\"x, \"y\"]\nb = 1\n", 1, "", "b = 1");
        check("[[feed]\nid = 1\n[c]\nd = 1\n", 1, "", "[c]; d = 1");
        check("a\nb = 1\n[c]\nd =\n", 1, "", "b = 1; [c]");
        check("z = 1\na = \"\"\"x\nb = 1\n", 2, "this text is not closed", "z = 1");
    }

    #[test]
    fn what_is_given_twice_is_found_where_it_stands_first() {
        let check = |text: &str, first: &str| {
            let fault = parse(text).1.expect("the text has a fault").fault;
            assert_eq!(fault.first, text.find(first), "{text}: {fault:?}");
        };
        check("[a]\ntitle = 1\nx = { title = 2 }\ntitle = 3\n", "title = 1");
        check("title = 0\n[a]\ntitle = 1\n\"title\" = 3\n", "title = 1");
        check("x = [{ a = 1, b = 2, a = 3 }]\n", "a = 1");
        check("[site]\na = 1\n[b]\n[site]\nc = 1\n", "[site]");
    }

    proptest! {
        /// The text consists of pieces of TOML syntax in random order.
        #[test]
        fn mended_text_is_toml_of_the_same_length(parts in prop::collection::vec(prop::sample::select(PARTS.to_vec()), 0..40)) {
            let text = parts.concat();
            if let (_, Some(RecoveredToml { fault, text: recovered, .. })) = parse(&text) {
                prop_assert_eq!(recovered.len(), text.len());
                prop_assert!(DeTable::parse_recoverable(&recovered).1.is_empty(), "{}", recovered);
                prop_assert!(fault.span.end <= text.len() && text.is_char_boundary(fault.span.start));
            }
        }
    }

    const PARTS: [&str; 22] = [
        "\n",
        "\n",
        "\r\n",
        " ",
        "#",
        "=",
        " = ",
        "\"",
        "\"\"\"",
        "'",
        "[",
        "]",
        "{",
        "}",
        ",",
        ".",
        "a",
        "b = 1\n",
        "[[feed]]\n",
        "\u{e9}",
        "\nfeeds = [\"x\"\n",
        "[site]\n",
    ];
}
