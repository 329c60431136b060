//! Reads sfeed's `sfeedrc`: a shell script whose function `feeds` calls `feed NAME ADDRESS [SITE] [ENCODING]`.
//!
//! The script is read and never run, so a call with variables in it is skipped.

use super::{Imported, ImportedFeed, web_address};

/// Stands for a backslash and line break, which continue a line.
const CONTINUED: &str = "\u{0}";

pub(super) fn is_sfeedrc(text: &str) -> bool {
    text.lines().any(|line| {
        let line = line.trim_start();
        line.starts_with("feeds()")
            || line.starts_with("feeds ()")
            || line.starts_with("feed \"")
            || line.starts_with("feed '")
    })
}

pub(super) fn read(text: &str) -> Imported {
    let mut imported = Imported { format: "sfeedrc", ..Imported::default() };
    // A continued line has the number of its first line.
    let mut number = 1;
    for line in text.replace("\\\n", CONTINUED).lines() {
        let of_line = number;
        number += 1 + line.matches(CONTINUED).count();
        let line = line.replace(CONTINUED, " ");
        let Some(call) = line.trim_start().strip_prefix("feed").filter(|rest| rest.starts_with([' ', '\t'])) else {
            continue;
        };
        let words = words(call);
        let Some(url) = words.get(1) else {
            imported.skip(super::shown(line.trim()), format!("line {of_line}: the call has no address"));
            continue;
        };
        if words.iter().any(|word| word.contains(['$', '`'])) {
            let why = "the call contains a variable, and newswire does not run scripts";
            imported.skip(super::shown(line.trim()), format!("line {of_line}: {why}"));
            continue;
        }
        imported.take(ImportedFeed {
            url: url.clone(),
            title: words.first().filter(|name| !name.is_empty()).cloned(),
            site: words.get(2).and_then(|site| web_address(site)),
            ..ImportedFeed::default()
        });
    }
    imported
}

/// Splits a shell command into words, up to a comment or the end of the command.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote: Option<char> = None;
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (Some('"') | None, '\\') => word.get_or_insert_default().extend(chars.next()),
            (None, '"' | '\'') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, ';' | '&' | '|') => break,
            (None, '#') if word.is_none() => break,
            (None, c) if c.is_whitespace() => words.extend(word.take()),
            (_, c) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}
