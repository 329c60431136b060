//! Edits of the TOML that leave all else as it is, to the byte.
//!
//! Where a table or a value stands comes from `toml_edit`; the text itself is cut and joined, never printed anew, so comments,
//! order, layout, line ends and byte-order mark stay. Every edit is proved before it is given back: the new text, read by
//! the TOML parser, is the old one with just that change. What cannot be edited so is refused with a reason.

use std::ops::Range;

use toml_edit::{Document, Item, Table};

use super::SourceFile;
use super::keys::{FEED, Kind, Shape};
use super::mask;
use super::model::Config;
use crate::feed::FeedId;

/// How many unchanged lines a difference shows around what changed.
const CONTEXT: usize = 3;

/// Why a text cannot be edited by a program.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    #[error("the file has faults: {0}")]
    Syntax(String),
    #[error("the feeds of this file are written as one list; write each as [[feed]], then it can be edited")]
    InlineFeeds,
    #[error("there is no such [[feed]] in the file")]
    NoFeed,
    #[error("`{0}` is written as a table of its own; edit it by hand")]
    OwnTable(String),
    #[error("the layout of this file cannot be kept; edit it by hand")]
    Entangled,
    #[error("{0}")]
    Value(String),
}

/// Where a feed's table stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FeedPlace {
    /// The number of the file.
    pub file: usize,
    /// Which `[[feed]]` of that file.
    pub index: usize,
}

/// Where a feed of a good configuration stands in the texts that it was read from.
pub fn place_of(config: &Config, files: &[SourceFile], id: &FeedId) -> Option<FeedPlace> {
    places(files).get(*config.feed_index.get(id)?).copied()
}

/// Where each feed of a good configuration stands, in the configuration's order.
pub fn places(files: &[SourceFile]) -> Vec<FeedPlace> {
    let of_file = |(file, source): (usize, &SourceFile)| {
        (0..count_feeds(&source.text)).map(move |index| FeedPlace { file, index }).collect::<Vec<_>>()
    };
    files.iter().enumerate().flat_map(of_file).collect()
}

/// How many feeds a text has; none if it cannot be read.
fn count_feeds(text: &str) -> usize {
    let count = |document: Document<&str>| match document.get("feed") {
        Some(Item::ArrayOfTables(tables)) => tables.len(),
        Some(Item::Value(value)) => value.as_array().map_or(0, toml_edit::Array::len),
        _ => 0,
    };
    Document::parse(text).map_or(0, count)
}

/// The place of the header of a feed's table, or of its `key` where it has one: in bytes.
pub fn span_of(text: &str, index: usize, key: &str) -> Option<Range<usize>> {
    let document = Document::parse(text).ok()?;
    let table = feed_table(&document, index).ok()?;
    table.get(key).and_then(Item::span).or(table.span())
}

/// Returns the text with `block`, which holds whole tables of one kind, `feed` or `section`, after the last of them; at its
/// end if it has none. A blank line comes before the block, unless the tables there follow each other without one: so
/// [`remove`] brings the old text back.
///
/// # Errors
///
/// If the file cannot be edited.
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
    proved(text, edited, |expected| {
        for (key, value) in added {
            let list = expected.entry(key).or_insert_with(|| toml::Value::Array(Vec::new()));
            list.as_array_mut()?.extend(value.as_array()?.iter().cloned());
        }
        Some(())
    })
}

/// The text without a feed's table, and without the comment that stands directly above it.
///
/// # Errors
///
/// If the file cannot be edited.
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
    proved(text, edited, |expected| {
        let feeds = expected.get_mut("feed")?.as_array_mut()?;
        feeds.remove(index);
        if feeds.is_empty() {
            expected.remove("feed");
        }
        Some(())
    })
}

/// The text with another value for a feed's key, written as TOML; `None` takes the key out.
///
/// # Errors
///
/// If the value is no TOML, or the file cannot be edited.
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
    proved(text, edited, |expected| {
        let feed = expected.get_mut("feed")?.as_array_mut()?.get_mut(index)?.as_table_mut()?;
        match new {
            Some(value) => feed.insert(key.to_owned(), value),
            None => feed.remove(key),
        };
        Some(())
    })
}

/// The text with a feed taken out of the `feeds` of its sections.
///
/// # Errors
///
/// If the file cannot be edited.
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
    proved(text, edited, |expected| {
        for section in expected.get_mut("section")?.as_array_mut()? {
            if let Some(feeds) = section.get_mut("feeds").and_then(toml::Value::as_array_mut) {
                feeds.retain(|feed| feed.as_str() != Some(id.as_str()));
            }
        }
        Some(())
    })
}

/// A value of a rule as it is given on a command line: TOML where it looks like it, else a text.
pub fn value_of(text: &str) -> String {
    let text = text.trim();
    if text.starts_with(['[', '"', '\'', '{']) { text.to_owned() } else { quoted(text) }
}

/// A value for a feed's key as it is given on a command line, as TOML of the kind that the key takes; a bare word where the
/// key takes none is left a text, so that whoever checks the config says what it takes.
///
/// # Errors
///
/// If there is no such key.
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

/// A text as a string of TOML.
pub fn quoted(text: &str) -> String {
    toml_edit::Value::from(text).to_string()
}

/// Texts as a list of TOML, on one line.
pub fn list<'t>(texts: impl IntoIterator<Item = &'t str>) -> String {
    let texts: Vec<String> = texts.into_iter().filter(|text| !text.is_empty()).map(quoted).collect();
    format!("[{}]", texts.join(", "))
}

/// What changed between two texts of a file, as a unified difference with one hunk and its secrets masked; empty if nothing
/// did.
pub fn difference(name: &str, before: &str, after: &str) -> String {
    if before == after {
        return String::new();
    }
    let (same_start, same_end) = same_ends(before, after);
    let (old, new) = (mask::masked(before), mask::masked(after));
    let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    let from = same_start.saturating_sub(CONTEXT);
    let (old_end, new_end) = (old.len() - same_end, new.len() - same_end);
    let after_lines = &old[old_end..(old_end + CONTEXT).min(old.len())];
    let (old_count, new_count) = (old_end - from + after_lines.len(), new_end - from + after_lines.len());
    let range = |count: usize| format!("{},{count}", if count == 0 { from } else { from + 1 });
    let mut text = format!("--- {name}\n+++ {name}\n@@ -{} +{} @@\n", range(old_count), range(new_count));
    let marked = |sign: char, lines: &[&str]| lines.iter().map(|line| format!("{sign}{line}\n")).collect::<String>();
    text.push_str(&marked(' ', &old[from..same_start]));
    text.push_str(&marked('-', &old[same_start..old_end]));
    text.push_str(&marked('+', &new[same_start..new_end]));
    text.push_str(&marked(' ', after_lines));
    text
}

/// How many lines are the same at the start of two texts, and at their ends.
fn same_ends(before: &str, after: &str) -> (usize, usize) {
    let (old, new): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
    let same_start = old.iter().zip(&new).take_while(|(old, new)| old == new).count();
    let rest = old.len().min(new.len()) - same_start;
    let same_end = old.iter().rev().zip(new.iter().rev()).take(rest).take_while(|(old, new)| old == new).count();
    (same_start, same_end)
}

fn parse(text: &str) -> Result<Document<&str>, EditError> {
    Document::parse(text).map_err(|error| EditError::Syntax(error.message().to_owned()))
}

fn read(text: &str) -> Result<toml::Table, EditError> {
    // The text may hold a secret: it is not repeated.
    toml::from_str(text).map_err(|error| EditError::Value(format!("the value is not TOML: {}", error.message())))
}

/// The edited text, if it says what the old one says with just this change.
fn proved(
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

/// After the last of the feed's own values, before its tables.
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

/// Where the last value or header of a table and of its own tables ends.
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

/// Behind the line in which `at` lies.
fn line_end(text: &str, at: usize) -> usize {
    text[at..].find('\n').map_or(text.len(), |newline| at + newline + 1)
}

/// Where the comment lines begin that stand directly above a line; those at the head of the file speak for the file.
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

/// Where the comment lines end that stand directly below a table, such as keys that are commented out. Comments directly
/// above the next table are its own.
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
