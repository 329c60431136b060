//! Reads the user's own templates and style from their folder, and renders pages with them as a test. Reports a mistake
//! in them as a problem of the config.

use std::io;
use std::ops::Range;
use std::path::Path;

use super::{LoadError, MAX_FILE_BYTES, decoded, read_regular, reason};
use crate::config::{Config, Place, Problem, SourceFile};
use crate::render::{Pages, RenderError};

/// Returns the pages: the built-in templates, except those that a file in the folder `templates` under `[publish]`
/// replaces. Such a file has the name of the template. Renders every page once as a test.
///
/// # Errors
///
/// Fails if the folder cannot be read, if a file does not have the name of a template, or if a template has an error.
pub fn pages(config: &Config) -> Result<Pages, LoadError> {
    let Some(folder) = &config.publish.templates else {
        return Ok(Pages::new(&[]).expect("tests check the built-in templates"));
    };
    let own = templates(folder)?;
    Pages::new(&own).map_err(|error| wrong_template(folder, &own, error))
}

/// Reads the files of the folder, sorted by name. Ignores hidden files.
fn templates(folder: &Path) -> Result<Vec<(String, String)>, LoadError> {
    let failed = |path: &Path, error: &io::Error| {
        let message = format!("cannot read the template: {}", reason(error));
        LoadError::of(Problem::of_file(path.to_owned(), message, "see `templates` under [publish]"))
    };
    let mut templates = Vec::new();
    for file in std::fs::read_dir(folder).map_err(|error| failed(folder, &error))? {
        let path = file.map_err(|error| failed(folder, &error))?.path();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if name.starts_with('.') {
            continue;
        }
        let bytes = read_regular(&path, MAX_FILE_BYTES).map_err(|error| failed(&path, &error))?;
        let (source, not_utf8) = decoded(path, bytes);
        if let Some(problem) = not_utf8 {
            return Err(LoadError { problems: vec![problem], sources: vec![source] });
        }
        templates.push((name, source.text));
    }
    templates.sort();
    Ok(templates)
}

fn wrong_template(folder: &Path, own: &[(String, String)], error: RenderError) -> LoadError {
    let (name, line, message) = match error {
        RenderError::Template { name, line, message } => (name, line, message),
        RenderError::UnknownTemplate(name, known) => {
            let problem =
                Problem::of_file(folder.join(name), "no template has this name", format!("use one of {known}"));
            return LoadError::of(problem);
        }
        other => ("style.css".to_owned(), 1, other.to_string()),
    };
    let path = folder.join(&name);
    let problem =
        Problem::of_file(path.clone(), message, "the built-in templates show which values each page receives");
    let text = own.iter().find(|(own, _)| *own == name).map(|(_, text)| text.clone());
    let place = text.as_ref().map(|text| Place { file: 0, span: span_of(text, line) });
    LoadError {
        problems: vec![Problem { line, place, ..problem }],
        sources: text.into_iter().map(|text| SourceFile { path: path.clone(), text }).collect(),
    }
}

/// Returns the byte range of a line in the text. Lines are counted from 1.
fn span_of(text: &str, line: usize) -> Range<usize> {
    let mut lines = text.split_inclusive('\n');
    let start = lines.by_ref().take(line.saturating_sub(1)).map(str::len).sum();
    start..start + lines.next().map_or(0, |line| line.trim_end().len())
}
