//! The files of the config. This module finds them, reads them with their includes and secrets, and watches them for
//! edits. It also writes files atomically.
//!
//! No other module reads the config's files. `config` decides what they mean.

mod pages;
mod regular;
mod replace;
mod watch;
mod whole;

use std::cell::RefCell;
use std::collections::{BTreeSet, HashSet};
use std::env;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use secrecy::SecretString;

pub use self::pages::pages;
pub use self::regular::{read_named, read_regular};
pub use self::replace::{ReplaceError, replace};
pub use self::watch::{FileWatch, WatchError, watch};
pub use self::whole::write_whole;
use crate::config::{self, Config, Level, Place, Problem, SecretRef, SourceFile};

/// The most bytes of a config file. A config with a hundred thousand feeds has about 20 MB.
const MAX_FILE_BYTES: u64 = 64 * 1024 * 1024;

/// The most bytes of a file with a secret. No token or private key is larger.
const MAX_SECRET_BYTES: u64 = 64 * 1024;

const NO_VARIABLE: &str = "expected the name of an environment variable: letters, digits and underscores";

/// A valid configuration and its source files.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The checked configuration.
    pub config: Config,
    /// Problems that are not errors: something is allowed but probably wrong.
    pub warnings: Vec<Problem>,
    /// The text of the main file, followed by those of the included files.
    pub sources: Vec<SourceFile>,
}

/// The problems of a configuration that cannot be used. At least one is an error, and all warnings are included.
#[derive(Clone, Debug)]
pub struct LoadError {
    /// The problems in the order of files and lines.
    pub problems: Vec<Problem>,
    /// The texts that could be read. The problems point into them.
    pub sources: Vec<SourceFile>,
}

impl LoadError {
    fn of(problem: Problem) -> LoadError {
        LoadError { problems: vec![problem], sources: Vec::new() }
    }

    /// Renders every problem with its line, as `newswire check` shows it. `styled` adds colours.
    pub fn render(&self, styled: bool) -> String {
        config::render_problems(&self.problems, &self.sources, styled)
    }
}

/// Formats every problem on one line, for the log.
impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<String> = self.problems.iter().map(Problem::to_string).collect();
        f.write_str(&lines.join("\n"))
    }
}

impl std::error::Error for LoadError {}

/// Returns the path of the main file. This is `explicit` if it is set. Otherwise it is the first existing file of
/// `./newswire.toml`, `./config/newswire.toml`, `$XDG_CONFIG_HOME/newswire/newswire.toml` (by default in `~/.config`)
/// and `/etc/newswire/newswire.toml`.
///
/// # Errors
///
/// Fails if none of these files exists.
pub fn find(explicit: Option<&Path>) -> Result<PathBuf, LoadError> {
    if let Some(path) = explicit {
        return Ok(path.to_owned());
    }
    let home = || env::var_os("HOME").map(|home| Path::new(&home).join(".config"));
    let user_folder =
        env::var_os("XDG_CONFIG_HOME").filter(|folder| !folder.is_empty()).map(PathBuf::from).or_else(home);
    let mut candidates = vec![PathBuf::from("newswire.toml"), PathBuf::from("config/newswire.toml")];
    candidates.extend(user_folder.map(|folder| folder.join("newswire/newswire.toml")));
    candidates.push(PathBuf::from("/etc/newswire/newswire.toml"));
    candidates.iter().find(|path| path.is_file()).cloned().ok_or_else(|| {
        let looked_at: Vec<String> = candidates.iter().map(|path| path.display().to_string()).collect();
        let hint =
            format!("create one with `newswire init`, or name one with --config; looked in: {}", looked_at.join(", "));
        LoadError::of(Problem::of_file(candidates[0].clone(), "no config found", hint))
    })
}

/// Reads the main file, its includes and all secrets, and checks the whole configuration.
///
/// # Errors
///
/// Fails if a file cannot be read or the configuration has errors. The error contains every problem of all files.
pub fn load(path: &Path) -> Result<Loaded, LoadError> {
    let (main, not_utf8) = read_source(path)?;
    let mut problems = Vec::from_iter(not_utf8);
    let mut sources = vec![main];
    problems.extend(read_included(&mut sources));
    judge(sources, problems)
}

/// Checks texts as if they had been read from their files. An edit is checked in this way before it is written.
///
/// # Errors
///
/// Fails if the texts or secrets have errors. The error contains every problem.
pub fn check(sources: Vec<SourceFile>) -> Result<Loaded, LoadError> {
    judge(sources, Vec::new())
}

fn judge(mut sources: Vec<SourceFile>, mut problems: Vec<Problem>) -> Result<Loaded, LoadError> {
    let exposed = RefCell::new(BTreeSet::new());
    let secret = |secret: &SecretRef| {
        if let SecretRef::File(path) = secret
            && is_readable_by_all(path)
        {
            exposed.borrow_mut().insert(path.clone());
        }
        read_secret(secret)
    };
    let (config, found) = config::check(&sources, &secret);
    problems.extend(found);
    problems.extend(config::plain_secrets(&sources, &is_readable_by_all));
    problems.sort_by_key(|problem| problem.place.as_ref().map(|place| (place.file, place.span.start)));
    problems.extend(exposed.into_inner().into_iter().map(exposed_secret));
    if let Some(Err(error)) = config.as_ref().map(pages) {
        problems.extend(error.problems.into_iter().map(|problem| behind(problem, sources.len())));
        sources.extend(error.sources);
    }
    let failed = problems.iter().any(|problem| problem.level == Level::Error);
    problems.iter_mut().for_each(|problem| problem.file = short(&problem.file));
    match config.filter(|_| !failed) {
        Some(config) => Ok(Loaded { config, warnings: problems, sources }),
        None => Err(LoadError { problems, sources }),
    }
}

/// Adjusts the position of a problem whose text comes after `count` other texts.
fn behind(mut problem: Problem, count: usize) -> Problem {
    problem.place = problem.place.map(|place| Place { file: place.file + count, ..place });
    problem
}

fn exposed_secret(path: PathBuf) -> Problem {
    let message = "this file contains a secret and is readable by all users";
    Problem { level: Level::Warning, ..Problem::of_file(path, message, "run chmod o-r on it") }
}

/// Reads the files that the first source includes, sorted by path, and each file only once. Returns the problems of the
/// patterns and of the files.
fn read_included(sources: &mut Vec<SourceFile>) -> Vec<Problem> {
    let (paths, mut problems) = included_paths(&sources[0]);
    for path in paths {
        match read_source(&path) {
            Ok((source, not_utf8)) => {
                problems.extend(not_utf8.map(|problem| behind(problem, sources.len())));
                sources.push(source);
            }
            Err(error) => problems.extend(error.problems),
        }
    }
    problems
}

fn included_paths(main: &SourceFile) -> (Vec<PathBuf>, Vec<Problem>) {
    let mut seen: HashSet<PathBuf> = main.path.canonicalize().into_iter().collect();
    let (mut paths, mut problems) = (Vec::new(), Vec::new());
    let main_file = main.path.canonicalize().ok();
    for pattern in config::includes(main) {
        let problem = |level, message: &str, hint: &str| config::include_problem(main, &pattern, level, message, hint);
        let matched = match matching(main, &pattern) {
            Ok(matched) => matched,
            Err(error) => {
                problems.push(problem(Level::Error, &error, "write a path such as \"feeds/*.toml\""));
                continue;
            }
        };
        if matched.is_empty() {
            problems.push(problem(Level::Warning, "no file matches", "the path is relative to this file"));
        }
        for path in matched {
            let real = path.canonicalize().unwrap_or_else(|_| path.clone());
            if Some(&real) == main_file.as_ref() {
                let hint = "write a pattern that does not match this file";
                problems.push(problem(Level::Error, "the file includes itself", hint));
            } else if seen.insert(real) {
                paths.push(path);
            }
        }
    }
    paths.sort();
    (paths, problems)
}

/// Returns the files that match the pattern. A hidden file matches only if the pattern contains its dot.
fn matching(main: &SourceFile, pattern: &str) -> Result<Vec<PathBuf>, String> {
    let folder = main.path.parent().unwrap_or(Path::new(""));
    let folder = folder.to_str().ok_or("the path of the config's folder is not UTF-8")?;
    let absolute = if Path::new(pattern).is_absolute() {
        pattern.to_owned()
    } else {
        format!("{}/{pattern}", glob::Pattern::escape(folder).trim_end_matches('/'))
    };
    let options = glob::MatchOptions { require_literal_leading_dot: true, ..glob::MatchOptions::new() };
    let matches = glob::glob_with(&absolute, options).map_err(|error| error.msg.to_lowercase())?;
    let matches: Vec<PathBuf> = matches
        .collect::<Result<_, _>>()
        .map_err(|error| format!("cannot read {}: {}", error.path().display(), reason(error.error())))?;
    Ok(matches.into_iter().filter(|path| !path.is_dir()).collect())
}

/// Reads a text file. Replaces bytes that are not UTF-8, so that other problems in the text are found too. Also returns
/// a problem at the first such byte.
fn read_source(path: &Path) -> Result<(SourceFile, Option<Problem>), LoadError> {
    let problem = |message: String, hint: &str| LoadError::of(Problem::of_file(path.to_owned(), message, hint));
    let absolute = std::path::absolute(path).map_err(|error| problem(reason(&error), "give another path"))?;
    let bytes = read_regular(&absolute, MAX_FILE_BYTES).map_err(|error| {
        let hint = match error.kind() {
            io::ErrorKind::NotFound => "check the path given with --config or in `include`",
            io::ErrorKind::PermissionDenied => "make it readable for the user that runs newswire",
            _ => "give a TOML file",
        };
        problem(format!("cannot read the file: {}", reason(&error)), hint)
    })?;
    Ok(decoded(absolute, bytes))
}

/// Decodes the text of a file. Also returns a problem at the first byte that is not UTF-8.
fn decoded(path: PathBuf, bytes: Vec<u8>) -> (SourceFile, Option<Problem>) {
    let error = match String::from_utf8(bytes) {
        Ok(text) => return (SourceFile { path, text }, None),
        Err(error) => error,
    };
    let at = error.utf8_error().valid_up_to();
    let text = String::from_utf8_lossy(error.as_bytes()).into_owned();
    let before = &text[..at];
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let problem = Problem {
        line: before.matches('\n').count() + 1,
        column: before[line_start..].chars().count() + 1,
        place: Some(Place { file: 0, span: at..at + char::REPLACEMENT_CHARACTER.len_utf8() }),
        ..Problem::of_file(path.clone(), "this is not UTF-8", "save the file as UTF-8")
    };
    (SourceFile { path, text }, Some(problem))
}

/// Reads a secret. Removes the line break that text editors add at the end of a file.
fn read_secret(secret: &SecretRef) -> Result<SecretString, String> {
    let value = match secret {
        // The user may have written the secret itself in place of the variable's name, so the message must not quote
        // it.
        SecretRef::Env(name) if !config::is_variable(name) => return Err(NO_VARIABLE.to_owned()),
        SecretRef::Env(name) => match env::var(name) {
            Ok(value) => value,
            Err(env::VarError::NotPresent) => return Err(format!("the environment variable `{name}` is not set")),
            Err(env::VarError::NotUnicode(_)) => return Err(format!("the environment variable `{name}` is not UTF-8")),
        },
        SecretRef::File(path) => {
            let bytes = read_regular(path, MAX_SECRET_BYTES);
            let bytes = bytes.map_err(|error| format!("cannot read {}: {}", path.display(), reason(&error)))?;
            let text = String::from_utf8(bytes).map_err(|_| format!("{} is not UTF-8", path.display()))?;
            let without_newline = text.strip_suffix('\n').unwrap_or(&text);
            without_newline.strip_suffix('\r').unwrap_or(without_newline).to_owned()
        }
    };
    if value.is_empty() { Err("the secret is empty".to_owned()) } else { Ok(SecretString::from(value)) }
}

#[cfg(unix)]
fn is_readable_by_all(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().is_ok_and(|metadata| metadata.permissions().mode() & 0o004 != 0)
}

#[cfg(not(unix))]
fn is_readable_by_all(_: &Path) -> bool {
    false
}

/// Returns the system's reason for an error in lower case, without the error's number, as in `no such file or
/// directory`.
pub fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_lowercase()
}

/// Returns a path relative to the working directory if it is inside that directory; otherwise returns the path itself.
pub fn short(path: &Path) -> PathBuf {
    let here = env::current_dir().ok().filter(|here| here.parent().is_some());
    let short = here.and_then(|here| path.strip_prefix(here).ok().map(Path::to_owned));
    short.unwrap_or_else(|| path.to_owned())
}
