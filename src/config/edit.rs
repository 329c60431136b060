//! Edits of the TOML that leave the rest of the file as it is, byte for byte.
//!
//! `toml_edit` gives the position of a table or value. The text is cut and joined at these positions and never printed
//! again, so comments, order, layout, line endings and byte-order mark stay. Every edit is verified before it is
//! returned: parsed as TOML, the new text must equal the old one with just that change. An edit that cannot be made
//! this way is refused with a reason.

use std::ops::Range;

use similar::udiff::UnifiedHunkHeader;
use similar::{Algorithm, capture_diff_slices_by_key, group_diff_ops};
use toml_edit::{Document, Item, Table};

use super::SourceFile;
use super::keys::{FEED, Kind, Shape};
use super::mask;
use super::model::Config;
use crate::feed::FeedId;

/// How many unchanged lines a difference shows around the changed ones.
const CONTEXT: usize = 3;

/// Why newswire cannot edit a text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// The text is not TOML. Contains the parser's message.
    #[error("the file has a syntax error: {0}")]
    Syntax(String),
    /// The feeds are written as one inline list, `feed = [{ … }]`.
    #[error("the feeds in this file are one inline list; write each as [[feed]], so that newswire can edit it")]
    InlineFeeds,
    /// The text has no feed of this index.
    #[error("there is no such [[feed]] in the file")]
    NoFeed,
    /// The key is a table with its own header, or has dotted keys.
    #[error("`{0}` is a separate table; edit it by hand")]
    OwnTable(String),
    /// The edit cannot be made without changing the meaning of other parts of the text.
    #[error("newswire cannot make this edit without a change to other parts of the file; make it by hand")]
    Entangled,
    /// The new key or value is not valid; the message says why, without the value.
    #[error("{0}")]
    Value(String),
}

/// The position of a feed's table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FeedPlace {
    /// The index of the file; the main file is 0.
    pub file: usize,
    /// The index of the `[[feed]]` in that file.
    pub index: usize,
}

/// Returns the position of a feed in the texts that the configuration was read from; `None` if it has no such feed.
pub fn place_of(config: &Config, files: &[SourceFile], id: &FeedId) -> Option<FeedPlace> {
    places(files).get(*config.feed_index.get(id)?).copied()
}

/// Returns the position of every feed of a valid configuration, in the configuration's order.
pub fn places(files: &[SourceFile]) -> Vec<FeedPlace> {
    let of_file = |(file, source): (usize, &SourceFile)| {
        (0..count_feeds(&source.text)).map(move |index| FeedPlace { file, index }).collect::<Vec<_>>()
    };
    files.iter().enumerate().flat_map(of_file).collect()
}

/// Returns how many feeds a text has; 0 if it cannot be parsed.
fn count_feeds(text: &str) -> usize {
    let count = |document: Document<&str>| match document.get("feed") {
        Some(Item::ArrayOfTables(tables)) => tables.len(),
        Some(Item::Value(value)) => value.as_array().map_or(0, toml_edit::Array::len),
        _ => 0,
    };
    Document::parse(text).map_or(0, count)
}

/// Returns the position, in bytes, of the `key` in a feed's table, or of the table's header if the table has no such key.
/// `None` if there is no such feed.
pub fn span_of(text: &str, index: usize, key: &str) -> Option<Range<usize>> {
    let document = Document::parse(text).ok()?;
    let table = feed_table(&document, index).ok()?;
    table.get(key).and_then(Item::span).or(table.span())
}

/// Returns the text with `block` added after the last table of its kind, or at the end if there is none. `block`
/// consists of whole tables of one kind, `feed` or `section`. A blank line separates the block from the text before it,
/// unless the text after it begins without a blank line. Therefore [`remove`] can restore the old text.
///
/// # Errors
///
/// If the text is not TOML, or its layout does not allow the edit.
pub fn add(text: &str, kind: &str, block: &str) -> Result<String, EditError> {
    let document = parse(text)?;
    let at = match document.get(kind) {
        None => text.len(),
        Some(Item::ArrayOfTables(tables)) => {
            let last = tables.iter().last().map_or(text.len(), end_of_table);
            below_comments(text, line_end(text, last))
        }
        Some(_) => return Err(EditError::InlineFeeds),
    };
    let newline = newline_of(text);
    let (before, after) = text.split_at(at);
    let mut edited = before.to_owned();
    if !before.trim_start_matches('\u{feff}').is_empty() && !before.ends_with('\n') {
        edited.push_str(newline);
    }
    let is_tight = !after.is_empty() && !starts_with_blank_line(after);
    if !edited.trim_start_matches('\u{feff}').is_empty() && !is_tight {
        edited.push_str(newline);
    }
    edited.push_str(&block.replace('\n', newline));
    edited.push_str(after);
    let added = read(block)?;
    verified(text, edited, |expected| {
        for (key, value) in added {
            let list = expected.entry(key).or_insert_with(|| toml::Value::Array(Vec::new()));
            list.as_array_mut()?.extend(value.as_array()?.iter().cloned());
        }
        Some(())
    })
}

/// Returns the text without a feed's table and the comment directly above it.
///
/// # Errors
///
/// If there is no such feed, the text is not TOML, or its layout does not allow the edit.
pub fn remove(text: &str, index: usize) -> Result<String, EditError> {
    let document = parse(text)?;
    let table = feed_table(&document, index)?;
    let header = table.span().ok_or(EditError::Entangled)?.start;
    let mut start = above_comments(text, line_start(text, header));
    let mut end = line_end(text, end_of_table(table));
    let rest = &text[end..];
    let is_last = rest.trim().is_empty() || starts_with_blank_line(rest);
    if is_last && let Some(blank) = blank_line_before(text, start) {
        start = blank;
    } else if start == 0 && starts_with_blank_line(rest) {
        end += rest.find('\n').map_or(0, |newline| newline + 1);
    }
    let edited = format!("{}{}", &text[..start], &text[end..]);
    verified(text, edited, |expected| {
        let feeds = expected.get_mut("feed")?.as_array_mut()?;
        feeds.remove(index);
        if feeds.is_empty() {
            expected.remove("feed");
        }
        Some(())
    })
}

/// Returns the text with a new value for a feed's key. The value is TOML; `None` removes the key.
///
/// # Errors
///
/// If the value is not TOML, there is no such feed, or the layout of the text does not allow the edit.
pub fn set(text: &str, index: usize, key: &str, value: Option<&str>) -> Result<String, EditError> {
    let document = parse(text)?;
    let table = feed_table(&document, index)?;
    let new = value.map(|value| read(&format!("value = {value}"))).transpose()?;
    let new = new.and_then(|mut table| table.remove("value"));
    let edited = match (table.get(key), value) {
        (Some(Item::Value(old)), _) if !old.is_inline_table() || !is_dotted(table, key) => {
            let old = old.span().ok_or(EditError::Entangled)?;
            match value {
                Some(value) => format!("{}{value}{}", &text[..old.start], &text[old.end..]),
                None => {
                    let start = table.key(key).and_then(toml_edit::Key::span).ok_or(EditError::Entangled)?.start;
                    format!("{}{}", &text[..line_start(text, start)], &text[line_end(text, old.end)..])
                }
            }
        }
        (Some(_), _) => return Err(EditError::OwnTable(key.to_owned())),
        (None, None) => return Ok(text.to_owned()),
        (None, Some(value)) => with_new_key(text, table, key, value)?,
    };
    verified(text, edited, |expected| {
        let feed = expected.get_mut("feed")?.as_array_mut()?.get_mut(index)?.as_table_mut()?;
        match new {
            Some(value) => feed.insert(key.to_owned(), value),
            None => feed.remove(key),
        };
        Some(())
    })
}

/// Returns the text with a feed's id removed from the `feeds` of all sections.
///
/// # Errors
///
/// If the text is not TOML, or its layout does not allow the edit.
pub fn unlist(text: &str, id: &FeedId) -> Result<String, EditError> {
    let document = parse(text)?;
    let Some(sections) = document.get("section").and_then(Item::as_array_of_tables) else { return Ok(text.to_owned()) };
    let mut cuts = Vec::new();
    for feeds in sections.iter().filter_map(|section| section.get("feeds")?.as_array()) {
        let spans: Vec<Range<usize>> = feeds.iter().filter_map(toml_edit::Value::span).collect();
        for (at, value) in feeds.iter().enumerate().filter(|(_, value)| value.as_str() == Some(id.as_str())) {
            let own = value.span().ok_or(EditError::Entangled)?;
            cuts.push(match (spans.get(at + 1), at.checked_sub(1).and_then(|before| spans.get(before))) {
                (Some(next), _) => own.start..next.start,
                (None, Some(before)) => before.end..own.end,
                (None, None) => own,
            });
        }
    }
    let mut edited = text.to_owned();
    for cut in cuts.into_iter().rev() {
        edited.replace_range(cut, "");
    }
    verified(text, edited, |expected| {
        for section in expected.get_mut("section")?.as_array_mut()? {
            if let Some(feeds) = section.get_mut("feeds").and_then(toml::Value::as_array_mut) {
                feeds.retain(|feed| feed.as_str() != Some(id.as_str()));
            }
        }
        Some(())
    })
}

/// Returns the value of a rule from the command line as TOML: unchanged if it looks like TOML, else quoted.
pub fn value_of(text: &str) -> String {
    let text = text.trim();
    if text.starts_with(['[', '"', '\'', '{']) { text.to_owned() } else { quoted(text) }
}

/// Returns a value from the command line as TOML, of the kind that the feed's key takes. If the key takes no text (but
/// a number, for example) and the value is not TOML, returns the value as a string. The check of the config then
/// reports what the key takes.
///
/// # Errors
///
/// If feeds have no such key.
pub fn feed_value(key: &str, text: &str) -> Result<String, EditError> {
    let shape: &Shape = &FEED;
    let unknown =
        || EditError::Value(format!("there is no key `{key}` in {}: {}", FEED.name, super::keys::advice(key, &FEED)));
    let text = text.trim();
    Ok(match shape.kind(key).ok_or_else(unknown)? {
        Kind::Secret if text.starts_with('{') => text.to_owned(),
        Kind::Text | Kind::Secret | Kind::OneOf(_) if is_quoted(text) => text.to_owned(),
        Kind::Text | Kind::Secret | Kind::OneOf(_) => quoted(text),
        Kind::Texts | Kind::TextOrTexts if !text.starts_with('[') => list(text.split(',').map(str::trim)),
        _ if text.starts_with(['[', '{']) || read(&format!("value = {text}")).is_ok() => text.to_owned(),
        _ => quoted(text),
    })
}

/// Returns a text as a TOML string.
pub fn quoted(text: &str) -> String {
    toml_edit::Value::from(text).to_string()
}

/// Returns texts as a TOML list on one line, without empty ones.
pub fn list<'t>(texts: impl IntoIterator<Item = &'t str>) -> String {
    let texts: Vec<String> = texts.into_iter().filter(|text| !text.is_empty()).map(quoted).collect();
    format!("[{}]", texts.join(", "))
}

/// Returns what changed between two texts of a file, as a unified diff with secrets masked; empty if nothing changed.
pub fn difference(name: &str, before: &str, after: &str) -> String {
    let (old_masked, new_masked) = (mask::masked(before), mask::masked(after));
    // Pair each line with its masked form. The comparison uses the plain lines, so that a changed secret counts as a
    // change.
    let old: Vec<(&str, &str)> = before.lines().zip(old_masked.lines()).collect();
    let new: Vec<(&str, &str)> = after.lines().zip(new_masked.lines()).collect();
    let operations = capture_diff_slices_by_key(Algorithm::Myers, &old, &new, |(line, _)| *line);
    let mut text = String::new();
    for hunk in group_diff_ops(operations, CONTEXT) {
        text.push_str(&format!("{}\n", UnifiedHunkHeader::new(&hunk)));
        for change in hunk.iter().flat_map(|operation| operation.iter_changes(&old[..], &new[..])) {
            let (_, shown) = change.value();
            text.push_str(&format!("{}{shown}\n", change.tag()));
        }
    }
    if text.is_empty() { text } else { format!("--- {name}\n+++ {name}\n{text}") }
}

fn parse(text: &str) -> Result<Document<&str>, EditError> {
    Document::parse(text).map_err(|error| EditError::Syntax(error.message().to_owned()))
}

fn read(text: &str) -> Result<toml::Table, EditError> {
    // The text may hold a secret, so the message does not repeat it.
    toml::from_str(text).map_err(|error| EditError::Value(format!("the value is not TOML: {}", error.message())))
}

/// Returns the edited text if, parsed as TOML, it equals the old text with just this change; else an error.
fn verified(
    before: &str,
    after: String,
    change: impl FnOnce(&mut toml::Table) -> Option<()>,
) -> Result<String, EditError> {
    let mut expected = read(before).map_err(|_| EditError::Entangled)?;
    change(&mut expected).ok_or(EditError::Entangled)?;
    let found = toml::from_str::<toml::Table>(&after).map_err(|_| EditError::Entangled)?;
    if found == expected { Ok(after) } else { Err(EditError::Entangled) }
}

fn feed_table<'d>(document: &'d Document<&str>, index: usize) -> Result<&'d Table, EditError> {
    match document.get("feed") {
        Some(Item::ArrayOfTables(tables)) => tables.get(index).ok_or(EditError::NoFeed),
        Some(_) => Err(EditError::InlineFeeds),
        None => Err(EditError::NoFeed),
    }
}

fn is_dotted(table: &Table, key: &str) -> bool {
    table.get(key).and_then(Item::as_inline_table).is_some_and(toml_edit::InlineTable::is_dotted)
}

/// Inserts a key after the last of the feed's own values, before its tables.
fn with_new_key(text: &str, table: &Table, key: &str, value: &str) -> Result<String, EditError> {
    let own = table
        .iter()
        .filter(|(_, item)| item.is_value())
        .filter_map(|(key, item)| Some((table.key(key)?.span()?.start, item.span()?.end)));
    let header = table.span().ok_or(EditError::Entangled)?;
    let (start, end) = own.max_by_key(|(_, end)| *end).unwrap_or((header.start, header.end));
    let indent: String = text[line_start(text, start)..start].chars().take_while(|c| matches!(c, ' ' | '\t')).collect();
    let (at, newline) = (line_end(text, end), newline_of(text));
    let (before, after) = text.split_at(at);
    let first = if before.ends_with('\n') { "" } else { newline };
    Ok(format!("{before}{first}{indent}{key} = {value}{newline}{after}"))
}

/// Returns where the last value or header of a table and its subtables ends.
fn end_of_table(table: &Table) -> usize {
    let own = table.span().map_or(0, |span| span.end);
    table.iter().map(|(_, item)| end_of_item(item)).fold(own, usize::max)
}

fn end_of_item(item: &Item) -> usize {
    match item {
        Item::Table(table) => end_of_table(table),
        Item::ArrayOfTables(tables) => tables.iter().map(end_of_table).max().unwrap_or(0),
        item => item.span().map_or(0, |span| span.end),
    }
}

fn line_start(text: &str, at: usize) -> usize {
    text[..at].rfind('\n').map_or(0, |newline| newline + 1)
}

/// Returns the position after the line break of the line that contains `at`.
fn line_end(text: &str, at: usize) -> usize {
    text[at..].find('\n').map_or(text.len(), |newline| at + newline + 1)
}

/// Returns the start of the comment lines directly above a line. Returns the line itself if these comments reach the
/// start of the file, because then they describe the file.
fn above_comments(text: &str, line: usize) -> usize {
    let mut start = line;
    while start > 0 {
        let above = line_start(text, start - 1);
        if !text[above..start].trim_start().starts_with('#') {
            return start;
        }
        start = above;
    }
    line
}

/// Returns the end of the comment lines directly below a table, such as commented-out keys. Returns the end of the
/// table if the comments are directly above the next table, because then they describe the next table.
fn below_comments(text: &str, line: usize) -> usize {
    let mut end = line;
    while text[end..].trim_start_matches([' ', '\t']).starts_with('#') {
        end = line_end(text, end);
    }
    let rest = &text[end..];
    if rest.is_empty() || starts_with_blank_line(rest) { end } else { line }
}

fn starts_with_blank_line(text: &str) -> bool {
    text.split_once('\n').is_some_and(|(line, _)| line.trim().is_empty())
}

fn blank_line_before(text: &str, line: usize) -> Option<usize> {
    let above = line_start(text, line.checked_sub(1)?);
    text[above..line].trim().is_empty().then_some(above)
}

fn newline_of(text: &str) -> &'static str {
    if text.contains("\r\n") { "\r\n" } else { "\n" }
}

fn is_quoted(text: &str) -> bool {
    text.len() > 1 && ['"', '\''].iter().any(|quote| text.starts_with(*quote) && text.ends_with(*quote))
}
