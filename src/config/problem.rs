//! What is wrong in a configuration, and how it is shown: the place, the reason, and what to do.
//!
//! No message quotes a value, and the lines that are shown have their secrets masked.

use std::collections::HashMap;
use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

use annotate_snippets::{AnnotationKind, Group, Renderer, Snippet};
use serde::{Serialize, Serializer};

use super::SourceFile;
use super::mask;

/// What every terminal has.
const WIDTH: usize = 80;

/// What stands before a text: `warning: `, or the line number's column and `= help: `.
const MARGIN: usize = 14;

/// One problem of a configuration. Serialized as `newswire check --json` prints it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    pub level: Level,
    #[serde(serialize_with = "as_text")]
    pub file: PathBuf,
    /// From 1; 1 also where the whole file is meant.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
    /// Lower case, no full stop.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// Where in which of the texts; `None` where a whole file is meant.
    #[serde(skip)]
    pub place: Option<Place>,
}

/// Errors keep a configuration from being used, warnings do not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    Error,
    Warning,
}

/// A stretch of one of the texts that were checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The text's number, the main file being 0.
    pub file: usize,
    /// In bytes.
    pub span: Range<usize>,
}

impl Problem {
    /// A problem of a file as a whole, such as that it cannot be read.
    pub fn of_file(file: PathBuf, message: impl Into<String>, hint: impl Into<String>) -> Problem {
        Problem {
            level: Level::Error,
            file,
            line: 1,
            column: 1,
            message: message.into(),
            hint: Some(hint.into()),
            place: None,
        }
    }
}

/// One line, as a log shows it: `newswire.toml:7:1: unknown key … (did you mean …?)`.
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: {}", self.file.display(), self.line, self.column, self.message)?;
        match &self.hint {
            Some(hint) => write!(f, " ({hint})"),
            None => Ok(()),
        }
    }
}

/// The problems as `newswire check` shows them, at 80 columns: each with its place, the line with the place marked, and what
/// to do. `files` are the texts that were checked; `styled` is for terminals with colours.
pub fn render_problems(problems: &[Problem], files: &[SourceFile], styled: bool) -> String {
    let renderer = if styled { Renderer::styled() } else { Renderer::plain() }.term_width(WIDTH);
    let mut masked: HashMap<usize, String> = HashMap::new();
    let mut text = String::new();
    for problem in problems {
        let source = problem.place.as_ref().and_then(|place| {
            let file = files.get(place.file)?;
            Some(&*masked.entry(place.file).or_insert_with(|| shown(file)))
        });
        text.push_str(&renderer.render(&[group(problem, source)]));
        text.push_str("\n\n");
    }
    text
}

/// The text of a file as it may be shown; the other texts that have problems are templates.
fn shown(file: &SourceFile) -> String {
    let is_template = file.path.extension().is_some_and(|extension| extension == "html" || extension == "css");
    if is_template { mask::masked_urls(&file.text) } else { mask::masked(&file.text) }
}

fn group<'a>(problem: &'a Problem, source: Option<&'a String>) -> Group<'a> {
    let level = match problem.level {
        Level::Error => annotate_snippets::Level::ERROR,
        Level::Warning => annotate_snippets::Level::WARNING,
    };
    let path = problem.file.to_string_lossy();
    let group = level.primary_title(wrapped(&problem.message));
    let group = match (&problem.place, source) {
        (Some(place), Some(source)) => {
            let (line, span) = marked_line(source, &place.span);
            let snippet = Snippet::source(line).line_start(problem.line).path(path);
            group.element(snippet.annotation(AnnotationKind::Primary.span(span)))
        }
        _ => group.element(annotate_snippets::Origin::path(path)),
    };
    match &problem.hint {
        Some(hint) => group.element(annotate_snippets::Level::HELP.message(wrapped(hint))),
        None => group,
    }
}

/// Broken between words, so that it fits beside the margin.
fn wrapped(text: &str) -> String {
    let mut wrapped = String::new();
    let mut column = 0;
    for word in text.split(' ') {
        let width = word.chars().count();
        if column > 0 && column + 1 + width > WIDTH - MARGIN {
            wrapped.push('\n');
            column = 0;
        } else if column > 0 {
            wrapped.push(' ');
            column += 1;
        }
        wrapped.push_str(word);
        column += width;
    }
    wrapped
}

/// What of a path is not UTF-8 is replaced: a report of problems must not fail for it.
fn as_text<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&path.display())
}

/// The line in which the span begins, and the part of the span that lies in it.
fn marked_line<'a>(text: &'a str, span: &Range<usize>) -> (&'a str, Range<usize>) {
    let start = text.floor_char_boundary(span.start);
    let byte_order_mark = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    let line_start = text[..start].rfind('\n').map_or(byte_order_mark.min(start), |newline| newline + 1);
    let line = text[line_start..].lines().next().unwrap_or_default();
    let end = text.floor_char_boundary(span.end.max(start)) - line_start;
    let start = (start - line_start).min(line.len());
    (line, start..end.clamp(start, line.len()))
}
