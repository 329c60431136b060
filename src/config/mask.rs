//! Masks secrets in TOML before a message shows a line of it.
//!
//! Shows only what is known to be harmless and masks the rest, so that no misspelling reveals a secret. A value is
//! shown if it belongs to a known key that is not for secrets. These are masked: everything under `headers`,
//! `basic_auth`, `token` and `proxy`, except the names in `{ env = "…" }` and `{ file = "…" }`; the value of every
//! unknown key; a value of the wrong type; userinfo and secret parameters in addresses; and the part of a comment that
//! looks like a secret. A text with syntax errors is masked line by line. If a line cannot be parsed alone, only the
//! names of known keys in it are shown.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::keys::{self, BASIC_AUTH, HOOK, Kind, MAIN, SECRET, SHAPES, Shape};
use super::lexer::{self, TomlToken};
use super::shown_url::SECRET_PARAMETERS;

/// Matches a key and its string value, even if the closing quote is missing.
static ASSIGNMENT: LazyLock<Regex> = LazyLock::new(|| {
    let strings = r#""{3}.*|'{3}.*|"(?:[^"\\]|\\.)*"?|'[^']*'?"#;
    Regex::new(&format!(r#"([\w-]+)["']?\s*=\s*({strings})"#)).expect("the constant is an expression")
});

/// Matches the userinfo of an address. If the userinfo contains a slash, the address is not valid, but the text may still
/// be a password.
static USERINFO: LazyLock<Regex> = LazyLock::new(|| {
    let (plain, with_slash) = (r#"[^/\s"'?#<>]*"#, r#"[^/\s"'?#<>:]*:[^/\s"'?#<>]*[^0-9/\s"'?#<>][^\s"'?#<>]*"#);
    Regex::new(&format!("://({plain}|{with_slash})@")).expect("the constant is an expression")
});

/// Matches the userinfo of an address without a scheme.
static BARE_USERINFO: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r#"^["']*([^/\s"'?#:]*:[^/\s"'?#]+)@"#).expect("the constant is an expression"));

static PARAMETER: LazyLock<Regex> = LazyLock::new(|| {
    let names = SECRET_PARAMETERS.join("|");
    Regex::new(&format!(r#"(?i)[?&;](?:{names})=([^&#"'\s<>]*)"#)).expect("the names hold no special characters")
});

/// Matches what looks like a key and its value in a comment.
static REMARK: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r#"([\w-]+)["']?\s*(=|:\s)\s*"#).expect("the constant is an expression"));

static CREDENTIALS: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?i)\b(?:bearer|basic)\s+(\S{6,})").expect("the constant is an expression"));

/// Parts of the names of keys and headers whose values are secret.
const SECRET_WORDS: [&str; 10] =
    ["password", "passwd", "passphrase", "pwd", "token", "secret", "auth", "cookie", "proxy", "key"];

/// Matches each of these words.
static SECRET_WORD: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(&format!("(?i){}", SECRET_WORDS.join("|"))).expect("the words hold no special characters")
});

/// Returns the text with an asterisk for every byte of a secret, so that positions in it stay valid.
pub(super) fn masked(text: &str) -> String {
    let mut masking = Masking::new(text);
    let (document, faults) = DeTable::parse_recoverable(text);
    if faults.is_empty() {
        let tokens = lexer::tokens(text);
        masking.hide_all_but(&Harmless::of(document.get_ref(), &MAIN, 0), &tokens);
        masking.hide_in_comments(&tokens);
    } else {
        masking.hide_by_lines();
    }
    masking.hide_in_urls();
    masking.into_text()
}

/// Masks the secrets in the addresses of a text: userinfo and the values of secret parameters. The length in bytes stays the
/// same.
pub fn masked_urls(text: &str) -> String {
    let mut masking = Masking::new(text);
    masking.hide_in_urls();
    masking.into_text()
}

/// Returns the position, in bytes, of the first secret in plain text, which should be in the environment or a file.
/// Headers with harmless names do not count.
pub(super) fn plain_secret(text: &str) -> Option<Range<usize>> {
    let mut start = 0;
    text.split_inclusive('\n').find_map(|line| {
        let line_start = start;
        start += line.len();
        let code = line.trim_start();
        let secrets = if code.starts_with('#') { Vec::new() } else { secrets_of(line) };
        secrets.into_iter().find(|span| !span.is_empty()).map(|span| span.start + line_start..span.end + line_start)
    })
}

/// Whether a key or header with this name probably holds a secret.
pub(super) fn sounds_secret(name: &str) -> bool {
    let name = name.to_lowercase();
    SECRET_WORDS.iter().any(|word| name.contains(word))
}

fn secrets_of(line: &str) -> Vec<Range<usize>> {
    let is_secret = |key: &str| !matches!(key.to_lowercase().as_str(), "env" | "file") && sounds_secret(key);
    // A line with no such word has no such key. Most lines have none, and searching for keys takes longer.
    let line_with_keys = if SECRET_WORD.is_match(line) { line } else { "" };
    let assignments = ASSIGNMENT.captures_iter(line_with_keys).filter(|captures| is_secret(&captures[1]));
    let values = assignments.filter_map(|captures| captures.get(2));
    let values = values.map(|value| value.start() + 1..value.end() - usize::from(is_closed(value.as_str())));
    values.chain(in_urls(line)).collect()
}

fn is_closed(string: &str) -> bool {
    string.len() > 1 && string.as_bytes().first() == string.as_bytes().last()
}

fn in_urls(text: &str) -> Vec<Range<usize>> {
    // Most texts have none of these characters, and searching for the whole expression takes longer.
    let with = |signs: &[char]| if text.contains(signs) { text } else { "" };
    let found = USERINFO.captures_iter(with(&['@'])).chain(PARAMETER.captures_iter(with(&['?', '&', ';'])));
    found.filter_map(|captures| captures.get(1)).map(|found| found.range()).collect()
}

/// The values that may be shown, and the keys that may not.
#[derive(Default)]
struct Harmless {
    values: Vec<Range<usize>>,
    secret_keys: Vec<Range<usize>>,
}

impl Harmless {
    /// Returns what may be shown of a text that has no syntax errors, and whose keys are those of `shape`. Adds `start`
    /// to all positions.
    fn of(document: &DeTable, shape: &Shape, start: usize) -> Harmless {
        let mut harmless = Harmless::default();
        harmless.add_table(document, shape);
        for span in harmless.values.iter_mut().chain(&mut harmless.secret_keys) {
            *span = span.start + start..span.end + start;
        }
        harmless.values.sort_unstable_by_key(|value| value.start);
        harmless
    }

    fn add_table(&mut self, table: &DeTable, shape: &Shape) {
        for (key, value) in table {
            let name: &str = key.get_ref();
            // Hide the user name too: people mix up user name and password.
            let is_hidden = shape.name == BASIC_AUTH.name && !value.get_ref().is_table()
                // Whoever knows the address of a hook can post to it, so most services make it a secret.
                || shape.name == HOOK.name && name == "url" && !value.get_ref().is_table();
            if let Some(kind) = shape.kind(name).filter(|_| !is_hidden) {
                self.add_value(name, value, kind);
            }
            if !keys::may_be_named(name, shape) {
                self.secret_keys.push(key.span());
            }
        }
    }

    /// Adds the parts of a key's value that may be shown; none if the value has the wrong type.
    fn add_value(&mut self, key: &str, value: &Spanned<DeValue>, kind: Kind) {
        match (kind, value.get_ref()) {
            (Kind::Table(shape) | Kind::Tables(shape), DeValue::Table(table)) => self.add_table(table, shape),
            (Kind::Table(shape) | Kind::Tables(shape), DeValue::Array(items)) => {
                items
                    .iter()
                    .filter_map(|item| item.get_ref().as_table())
                    .for_each(|table| self.add_table(table, shape));
            }
            (Kind::Secret, DeValue::Table(table)) => self.add_table(table, &SECRET),
            (Kind::Secret, DeValue::String(_)) if key == "url" => self.values.push(value.span()),
            (Kind::Secrets, DeValue::Table(table)) => {
                let references = table.values().filter_map(|secret| secret.get_ref().as_table());
                references.for_each(|table| self.add_table(table, &SECRET));
            }
            (Kind::TableOf(words), DeValue::Table(table)) => {
                let is_known =
                    |value: &&Spanned<DeValue>| value.get_ref().as_str().is_some_and(|word| words.contains(&word));
                self.values.extend(table.values().filter(is_known).map(Spanned::span));
            }
            (Kind::TableOf(_) | Kind::Table(_) | Kind::Tables(_) | Kind::Secret | Kind::Secrets, _)
            | (_, DeValue::Table(_)) => {}
            // These keys take one name; a list may hold the secret itself.
            (_, DeValue::Array(_)) if matches!(key, "env" | "file") => {}
            (_, DeValue::Array(items)) => items.iter().for_each(|item| self.add_value(key, item, kind)),
            (_, DeValue::String(name)) if key == "env" && !keys::is_variable(name) => {}
            _ => self.values.push(value.span()),
        }
    }

    fn shows_value(&self, span: &Range<usize>) -> bool {
        let before = self.values.partition_point(|value| value.start <= span.start);
        before.checked_sub(1).is_some_and(|at| span.end <= self.values[at].end)
    }

    fn shows_key(&self, name: &str, span: &Range<usize>) -> bool {
        keys::is_name(name) && !self.secret_keys.contains(span)
    }
}

/// A text and its partly masked copy.
struct Masking<'t> {
    text: &'t str,
    masked: Vec<u8>,
}

impl<'t> Masking<'t> {
    fn new(text: &'t str) -> Self {
        Masking { text, masked: text.as_bytes().to_vec() }
    }

    fn into_text(self) -> String {
        String::from_utf8(self.masked).unwrap_or_default()
    }

    fn hide(&mut self, span: Range<usize>) {
        self.masked[span].iter_mut().filter(|byte| !byte.is_ascii_control()).for_each(|byte| *byte = b'*');
    }

    fn hide_in_urls(&mut self) {
        in_urls(self.text).into_iter().for_each(|span| self.hide(span));
    }

    /// Hides the inside of a string or comment, or any other token as a whole.
    fn hide_token(&mut self, token: &TomlToken) {
        let Range { start, end } = token.span;
        let text = &self.text[start..end];
        let quotes = match token.kind {
            lexer::TokenKind::Quoted if text.starts_with("\"\"\"") || text.starts_with("'''") => 3,
            lexer::TokenKind::Quoted => 1,
            lexer::TokenKind::Comment => 1,
            _ => 0,
        };
        let bytes = text.as_bytes();
        let is_closed = bytes.len() >= 2 * quotes && bytes[bytes.len() - quotes..] == bytes[..quotes];
        self.hide(start + quotes..if is_closed { end - quotes } else { end });
    }

    /// Hides all values except the harmless ones, and keys that do not look like names.
    fn hide_all_but(&mut self, harmless: &Harmless, tokens: &[TomlToken]) {
        let mut hides_in_line = false;
        for (token, is_key) in tokens.iter().zip(are_keys(self.text, tokens)) {
            let text = &self.text[token.span.clone()];
            hides_in_line &= token.kind != lexer::TokenKind::Newline;
            let is_shown = match token.kind {
                // A comment about a secret may repeat the secret.
                lexer::TokenKind::Comment => !hides_in_line,
                lexer::TokenKind::Mark | lexer::TokenKind::Newline => true,
                _ if is_key => harmless.shows_key(text.trim_matches(['"', '\'']), &token.span),
                _ => harmless.shows_value(&token.span),
            };
            if !is_shown {
                hides_in_line = true;
                self.hide_token(token);
            } else if token.kind == lexer::TokenKind::Quoted
                && let Some(userinfo) = bare_userinfo(text)
            {
                self.hide(token.span.start + userinfo.start..token.span.start + userinfo.end);
            }
        }
    }

    /// Hides everything except marks and the names of known keys, including misspelt ones.
    fn hide_all_but_known_keys(&mut self, tokens: &[TomlToken]) {
        for (token, is_key) in tokens.iter().zip(are_keys(self.text, tokens)) {
            let text = &self.text[token.span.clone()];
            let is_shown = match token.kind {
                lexer::TokenKind::Mark | lexer::TokenKind::Newline => true,
                lexer::TokenKind::Word => is_key && text.split('.').all(keys::is_like_a_key),
                lexer::TokenKind::Comment | lexer::TokenKind::Quoted => false,
            };
            if !is_shown {
                self.hide_token(token);
            }
        }
    }

    /// Hides the rest of a comment after what looks like a key that is not harmless, or after `bearer` or `basic`.
    fn hide_in_comments(&mut self, tokens: &[TomlToken]) {
        for token in tokens.iter().filter(|token| token.kind == lexer::TokenKind::Comment) {
            let comment = &self.text[token.span.clone()];
            let remark = REMARK.captures_iter(comment).find(|captures| is_secret_remark(&captures[1], &captures[2]));
            let value = remark.and_then(|captures| Some(captures.get(0)?.end()));
            let credentials = || Some(CREDENTIALS.captures(comment)?.get(1)?.start());
            if let Some(start) = value.or_else(credentials) {
                self.hide(token.span.start + start..token.span.end);
            }
        }
    }

    /// Masks a text with syntax errors line by line, because an error can shift where strings and tables end.
    fn hide_by_lines(&mut self) {
        let mut shape = Some(&MAIN);
        let mut start = 0;
        for line in self.text.split_inclusive('\n') {
            let mut tokens = lexer::tokens(line);
            tokens.iter_mut().for_each(|token| token.span = token.span.start + start..token.span.end + start);
            let (document, faults) = DeTable::parse_recoverable(line);
            if tokens.first().is_some_and(|token| self.text[token.span.clone()] == *"[") {
                shape = shape_of(self.text, &tokens);
                self.hide_all_but_known_keys(&tokens);
            } else if let Some(shape) = shape.filter(|_| faults.is_empty()) {
                self.hide_all_but(&Harmless::of(document.get_ref(), shape, start), &tokens);
                tokens
                    .iter()
                    .filter(|token| token.kind == lexer::TokenKind::Comment)
                    .for_each(|token| self.hide_token(token));
            } else {
                self.hide_all_but_known_keys(&tokens);
            }
            start += line.len();
        }
    }
}

/// Returns for each token whether it is a key, or part of a key in a table's header.
fn are_keys(text: &str, tokens: &[TomlToken]) -> Vec<bool> {
    let (mut depth, mut is_line_start, mut is_header) = (0_usize, true, false);
    let mut are_keys = Vec::with_capacity(tokens.len());
    for (at, token) in tokens.iter().enumerate() {
        let is_assigned = || tokens.get(at + 1).is_some_and(|next| text[next.span.clone()] == *"=");
        let is_string = matches!(token.kind, lexer::TokenKind::Word | lexer::TokenKind::Quoted);
        are_keys.push(is_string && (is_header || is_assigned()));
        match &text[token.span.clone()] {
            "\n" => (is_line_start, is_header) = (true, false),
            "[" if is_line_start && depth == 0 => (is_line_start, is_header) = (false, true),
            "[" | "{" if !is_header => depth += 1,
            "]" | "}" if !is_header => depth = depth.saturating_sub(1),
            _ => is_line_start = false,
        }
    }
    are_keys
}

/// Returns the table that a header opens; `None` for an unknown table, and for `headers`, which may have any keys.
fn shape_of(text: &str, header: &[TomlToken]) -> Option<&'static Shape> {
    let parts = header.iter().filter(|token| matches!(token.kind, lexer::TokenKind::Word | lexer::TokenKind::Quoted));
    let names = parts.flat_map(|token| text[token.span.clone()].split('.')).map(|name| name.trim_matches(['"', '\'']));
    let mut shape: &'static Shape = &MAIN;
    for name in names.filter(|name| !name.is_empty()) {
        shape = match shape.kind(name)? {
            Kind::Table(inner) | Kind::Tables(inner) => inner,
            Kind::Secret => &SECRET,
            _ => return None,
        };
    }
    Some(shape)
}

/// Returns the position of the userinfo in an address without a scheme, such as `url = "user:password@host/feed"`.
fn bare_userinfo(text: &str) -> Option<Range<usize>> {
    let found = BARE_USERINFO.captures(text).filter(|_| !text.contains("://"))?;
    Some(found.get(1)?.range())
}

fn is_secret_remark(key: &str, sign: &str) -> bool {
    let is_harmless = |shape: &&Shape| {
        let kind = shape.kind(key).filter(|_| shape.name != BASIC_AUTH.name && key != "basic_auth");
        kind.is_some_and(|kind| key == "url" || !matches!(kind, Kind::Secret | Kind::Secrets))
    };
    if sign == "=" {
        !SHAPES.iter().any(is_harmless)
    } else {
        sounds_secret(key) || key.to_lowercase().starts_with("pass")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::masked;

    #[test]
    fn harmless_values_and_names_of_variables_are_shown() {
        for text in [
            "[site]\ntitle = \"A\" # the site\n[[feed]]\nurl = \"https://a.example/f?page=2\"\npriority = -3\nenabled = true\n",
            "[[feed]]\ntags = [\n  \"a\", # one\n  'b',\n]\nheaders = { X-Key = { env = \"KEY\" }, Y = { file = \"/k\" } }\n",
            "[[section]]\nid = \"s\"\ntoken.env = \"WIRE\"\nkeep = [{ title = [\"a\", \"b\"], not = { tag = \"c\" } }]\n",
            "# schedule = \"every 1 hour\"\n# See https://news.example.org/ for more: it helps.\n",
        ] {
            assert_eq!(masked(text), text);
        }
    }

    #[test]
    fn secrets_are_masked_in_their_length() {
        let check = |text: &str, expected: &str| assert_eq!(masked(text), expected);
        check("[[feed]]\npw = \"a\u{e9}b\" # old: c\n", "[[feed]]\npw = \"****\" #*******\n");
        check("[[feed]]\nproxy = \"\"\"a\nb\"\"\"\n", "[[feed]]\nproxy = \"\"\"*\n*\"\"\"\n");
        check(
            "[[feed]]\nurl = \"https://u:p@a.example/?key=k&x=1\"\n",
            "[[feed]]\nurl = \"https://***@a.example/?key=*&x=1\"\n",
        );
        check("# token = \"t\"\n# password: p q\n", "# token = ***\n# password: ***\n");
        check(
            "title = \"A\"\ntoken = abc\n[site]\ntitle = \"B\"\n",
            "title = \"*\"\ntoken = ***\n[site]\ntitle = \"B\"\n",
        );
    }

    proptest! {
        /// The text consists of pieces of TOML syntax in random order.
        #[test]
        fn masking_keeps_every_place(parts in prop::collection::vec(prop::sample::select(PARTS.to_vec()), 0..40)) {
            let text = parts.concat();
            let masked = masked(&text);
            prop_assert_eq!(masked.len(), text.len());
            prop_assert!(masked.bytes().zip(text.bytes()).all(|(masked, byte)| masked == byte || masked == b'*'));
            prop_assert!(!masked.contains("5ecret"));
        }
    }

    const PARTS: [&str; 24] = [
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
        "'''",
        "\\",
        "[",
        "]",
        "{",
        "}",
        ",",
        ".",
        "token",
        "[[feed]]\n",
        "basic_auth",
        "\u{e9}",
        "\n[feed.headers]\nX-Y = \"5ecret\"\n",
        "\npasword = \"5ecret\"\n",
    ];
}
