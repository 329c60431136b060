//! Reads lists with one address per line, alone or with tags as in newsboat's `urls`.
//!
//! `"~A title"` is a title; `!` hides a feed in newsboat and is ignored here. newsboat can also run a program in place
//! of an address; newswire never does.

use super::{Imported, ImportedFeed};

const NEWSBOAT: &str = "newsboat's urls";

pub(super) fn read(text: &str) -> Imported {
    let mut imported = Imported { format: "a list of addresses", ..Imported::default() };
    let lines = text.lines().map(str::trim).zip(1..).filter(|(line, _)| !line.is_empty() && !line.starts_with('#'));
    for (line, number) in lines {
        let mut words = words(line).into_iter();
        let url = words.next().unwrap_or_default();
        let program = url.split_once(':').map(|(kind, _)| kind.to_owned());
        if let Some(kind) = program.filter(|kind| matches!(kind.as_str(), "exec" | "filter" | "query")) {
            imported.format = NEWSBOAT;
            let why = match kind.as_str() {
                "exec" => "newswire runs no programs; let the program write a file, and add that file with file:",
                "filter" => "newswire runs no programs; add the feed's own address, which is at the end of the line",
                _ => "write the query as a [[section]] with `keep`",
            };
            imported.skip(url, format!("line {number}: {why}"));
            continue;
        }
        let mut feed = ImportedFeed { url, ..ImportedFeed::default() };
        if super::repaired(&feed.url).is_none() {
            imported.skip(super::shown(line), format!("line {number} has no usable feed address"));
            continue;
        }
        for word in words {
            imported.format = NEWSBOAT;
            match word.strip_prefix('~') {
                Some(title) => feed.title = Some(title.to_owned()).filter(|title| !title.is_empty()),
                None if word == "!" || word.is_empty() => {}
                None => feed.tags.push(word.trim_start_matches('!').to_owned()),
            }
        }
        imported.take(feed);
    }
    imported
}

/// Whether any line begins with something like an address.
pub(super) fn names_anything(text: &str) -> bool {
    text.lines().any(|line| line.split_whitespace().next().is_some_and(|word| word.contains("://")))
}

/// Splits a line into words. Text in double quotes is one word, with `\"` for a quote.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut is_quoted = false;
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => {
                is_quoted = !is_quoted;
                word.get_or_insert_default();
            }
            '\\' if is_quoted => word.get_or_insert_default().extend(chars.next()),
            c if c.is_whitespace() && !is_quoted => words.extend(word.take()),
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}
