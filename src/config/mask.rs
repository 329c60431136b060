//! Secrets taken out of TOML before a line of it is shown.
//!
//! Goes by lines and not by the parsed document, since what is shown is often what cannot be parsed.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::feed_url::SECRET_PARAMETERS;

/// A key and the string that is its value, even where its closing quote is missing.
static ASSIGNMENT: LazyLock<Regex> = LazyLock::new(|| {
    let strings = r#""{3}.*|'{3}.*|"(?:[^"\\]|\\.)*"?|'[^']*'?"#;
    Regex::new(&format!(r#"([\w-]+)["']?\s*=\s*({strings})"#)).expect("the constant is an expression")
});

static USERINFO: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r#"://([^/\s"'@]*)@"#).expect("the constant is an expression"));

static PARAMETER: LazyLock<Regex> = LazyLock::new(|| {
    let names = SECRET_PARAMETERS.join("|");
    Regex::new(&format!(r#"(?i)[?&](?:{names})=([^&#"'\s]*)"#)).expect("the names hold no special characters")
});

/// Parts of the names of keys and headers whose values are secret.
const SECRET_WORDS: [&str; 8] = ["password", "passwd", "token", "secret", "auth", "cookie", "proxy", "key"];

/// The text with an asterisk for every byte of a secret, so that places in it stay where they are.
pub(super) fn masked(text: &str) -> String {
    let mut bytes = text.as_bytes().to_vec();
    let mut in_headers = false;
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        if line.trim_start().starts_with('[') {
            in_headers = line.contains("headers");
        }
        for span in secrets_of(line, in_headers || line.contains("headers")) {
            let span = span.start + start..span.end + start;
            bytes[span].iter_mut().filter(|byte| !byte.is_ascii_control()).for_each(|byte| *byte = b'*');
        }
        start += line.len();
    }
    String::from_utf8(bytes).unwrap_or_default()
}

/// The first secret that stands in the text itself, though it might be kept elsewhere; headers that sound harmless are
/// none.
pub(super) fn plain_secret(text: &str) -> Option<Range<usize>> {
    let mut start = 0;
    text.split_inclusive('\n').find_map(|line| {
        let line_start = start;
        start += line.len();
        let code = line.trim_start();
        let secrets = if code.starts_with('#') { Vec::new() } else { secrets_of(line, false) };
        secrets.into_iter().find(|span| !span.is_empty()).map(|span| span.start + line_start..span.end + line_start)
    })
}

fn secrets_of(line: &str, has_headers: bool) -> Vec<Range<usize>> {
    let is_reference = |key: &str| matches!(key, "env" | "file");
    let is_secret = |key: &str| {
        let key = key.to_lowercase();
        !is_reference(&key) && (has_headers || SECRET_WORDS.iter().any(|word| key.contains(word)))
    };
    let assignments = ASSIGNMENT.captures_iter(line).filter(|captures| is_secret(&captures[1]));
    let values = assignments.filter_map(|captures| captures.get(2));
    let values = values.map(|value| value.start() + 1..value.end() - usize::from(is_closed(value.as_str())));
    let in_urls = USERINFO.captures_iter(line).chain(PARAMETER.captures_iter(line));
    values.chain(in_urls.filter_map(|captures| captures.get(1)).map(|found| found.range())).collect()
}

fn is_closed(string: &str) -> bool {
    string.len() > 1 && string.as_bytes().first() == string.as_bytes().last()
}
