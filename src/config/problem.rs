//! Problems of a configuration, and how to show them: the place, the reason, and what to do.
//!
//! No message quotes a value, and secrets in the shown lines are masked.

use std::collections::HashMap;
use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

use annotate_snippets::{AnnotationKind, Group, Renderer, Snippet};
use serde::{Serialize, Serializer};

use super::SourceFile;
use super::mask;
use crate::text::columns::wrap;

/// The width of the messages, in columns; it fits into every terminal.
const WIDTH: usize = 80;

/// The columns that the renderer writes before a text: `warning: `, or the line number and `= help: `.
const MARGIN: usize = 14;

/// A problem of a configuration. Serializes to the form that `newswire check --json` prints.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// Whether the problem is an error or a warning.
    pub level: Level,
    /// The file with the problem.
    #[serde(serialize_with = "as_text")]
    pub file: PathBuf,
    /// The line, from 1; 1 for a problem of the whole file.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// What is wrong: lower case, no full stop.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
    /// The position in the checked texts; `None` for a problem of a whole file.
    #[serde(skip)]
    pub place: Option<Place>,
}

/// The severity of a problem.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// The configuration cannot be used.
    Error,
    /// The configuration can be used, but something in it is probably wrong.
    Warning,
}

/// A position in one of the checked texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The index of the text; the main file is 0.
    pub file: usize,
    /// The range in bytes.
    pub span: Range<usize>,
}

impl Problem {
    /// Returns an error about a whole file, such as a file that cannot be read.
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

/// Formats the problem on one line for the log: `newswire.toml:7:1: unknown key … (did you mean …?)`.
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: {}", self.file.display(), self.line, self.column, self.message)?;
        match &self.hint {
            Some(hint) => write!(f, " ({hint})"),
            None => Ok(()),
        }
    }
}

/// Renders the problems as `newswire check` shows them, 80 columns wide: each with its position, the marked line, and what to
/// do. `files` are the checked texts; `styled` adds colours.
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

/// Returns the text of a file with masked secrets. A file that is not TOML is a template.
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
    let group = level.primary_title(wrap(&problem.message, WIDTH - MARGIN, ""));
    let group = match (&problem.place, source) {
        (Some(place), Some(source)) => {
            let (line, span) = marked_line(source, &place.span);
            let snippet = Snippet::source(line).line_start(problem.line).path(path);
            group.element(snippet.annotation(AnnotationKind::Primary.span(span)))
        }
        _ => group.element(annotate_snippets::Origin::path(path)),
    };
    match &problem.hint {
        Some(hint) => group.element(annotate_snippets::Level::HELP.message(wrap(hint, WIDTH - MARGIN, ""))),
        None => group,
    }
}

/// Serializes a path and replaces bytes that are not UTF-8: a report of problems must not fail because of them.
fn as_text<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&path.display())
}

/// Returns the line in which the span begins, and the part of the span in that line.
fn marked_line<'a>(text: &'a str, span: &Range<usize>) -> (&'a str, Range<usize>) {
    let start = text.floor_char_boundary(span.start);
    let byte_order_mark = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    let line_start = text[..start].rfind('\n').map_or(byte_order_mark.min(start), |newline| newline + 1);
    let line = text[line_start..].lines().next().unwrap_or_default();
    let end = text.floor_char_boundary(span.end.max(start)) - line_start;
    let start = (start - line_start).min(line.len());
    (line, start..end.clamp(start, line.len()))
}
