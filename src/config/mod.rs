//! The configuration: turns TOML texts into a checked [`Config`], or reports every problem.
//!
//! Never touches a file, the environment or the clock: the caller passes the texts, and a function that looks up secrets
//! (`files` does both). The result is checked as a whole, so no other module checks it again. No message quotes a secret, and
//! no problem hides another: one run finds them all.

mod alias;
mod definition;
pub mod edit;
pub mod effective;
mod facets;
mod feed;
mod feed_url;
mod hook;
mod id;
pub mod import;
mod keys;
mod lexer;
mod mask;
mod model;
mod podcast;
mod problem;
mod reader;
mod rule;
mod schema;
mod secrets;
mod section;
mod settings;
mod shown_url;
mod syntax;
mod value;

use std::path::{Path, PathBuf};

use secrecy::SecretString;

pub use self::facets::classify;
pub use self::feed::PROXY_SCHEMES;
pub use self::hook::key_bytes;
pub use self::keys::{Kind, SHAPES, Shape, is_variable, nearest};
pub use self::mask::masked_urls;
pub use self::model::*;
pub use self::problem::{Level, Place, Problem, render_problems};
use self::reader::{Node, Reading, Table};
pub use self::schema::schema;
pub use self::secrets::Secrets;
pub use self::shown_url::{shown, spelling, without_feed_scheme};
use crate::rule::Rule;

/// A TOML text and the file it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceFile {
    /// The absolute path, which resolves relative paths in the text.
    pub path: PathBuf,
    /// The content of the file.
    pub text: String,
}

/// The place of a secret outside the TOML.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretRef {
    /// An environment variable.
    Env(String),
    /// A file; a relative path is already joined to the folder of the TOML file.
    File(PathBuf),
}

/// Checks the texts in `files`; the first is the main file. Returns the configuration unless there is an error, and
/// every problem in the order of files and lines. `secret` looks up a secret, or says why that failed.
pub fn check(
    files: &[SourceFile],
    secret: &dyn Fn(&SecretRef) -> Result<SecretString, String>,
) -> (Option<Config>, Vec<Problem>) {
    let reading = Reading::new(files, secret);
    let config = reading.read(|documents| {
        let shape = |file| if file == 0 { &keys::MAIN } else { &keys::INCLUDED };
        let files = documents.iter().enumerate();
        let tables: Vec<Table> =
            files.map(|(file, document)| Table::of_document(shape(file), file, document, &reading)).collect();
        tables.first().map(|main| read(main, &tables))
    });
    let (problems, failed) = reading.finish();
    (config.filter(|_| !failed), problems)
}

/// Returns the patterns of the main file's `include`, in order; empty if they cannot be read.
pub fn includes(main: &SourceFile) -> Vec<String> {
    read_includes(main).into_iter().map(|(pattern, _)| pattern).collect()
}

/// Returns a problem of one pattern of `include`, such as a pattern that matches no file.
pub fn include_problem(main: &SourceFile, pattern: &str, level: Level, message: &str, hint: &str) -> Problem {
    let place = read_includes(main).into_iter().find(|(other, _)| other == pattern).map(|(_, place)| place);
    let place = place.unwrap_or(Place { file: 0, span: 0..0 });
    let reading = Reading::new(std::slice::from_ref(main), &no_secret);
    reading.problem(level, &place, message.to_owned(), Some(hint.to_owned()))
}

/// Returns a warning for each file with a secret in plain text. If the file is world-readable, by `is_exposed`, the
/// warning says this too.
pub fn plain_secrets(files: &[SourceFile], is_exposed: &dyn Fn(&Path) -> bool) -> Vec<Problem> {
    let reading = Reading::new(files, &no_secret);
    let warning = |(file, source): (usize, &SourceFile)| {
        let span = mask::plain_secret(&source.text)?;
        let (message, hint) = if is_exposed(&source.path) {
            let hint = "run chmod o-r on it, or keep the secret in { env = \"NAME\" } or { file = \"/path\" }";
            ("this file contains a secret and is readable by all users", hint)
        } else {
            ("secret in plain text", "keep it in { env = \"NAME\" } or { file = \"/path\" }")
        };
        Some(reading.problem(Level::Warning, &Place { file, span }, message.to_owned(), Some(hint.to_owned())))
    };
    files.iter().enumerate().filter_map(warning).collect()
}

/// Returns a warning about a feed, placed at its `url`.
pub fn feed_warning(files: &[SourceFile], place: edit::FeedPlace, message: String, hint: Option<String>) -> Problem {
    let span = edit::span_of(&files[place.file].text, place.index, "url").unwrap_or(0..0);
    let reading = Reading::new(files, &no_secret);
    reading.problem(Level::Warning, &Place { file: place.file, span }, message, hint)
}

/// Parses a rule from the command line: `title=/sponsored/`, or a table as in the TOML.
///
/// # Errors
///
/// Every problem of the rule. A warning alone is not an error.
pub fn parse_rule(text: &str, config: &Config) -> Result<Rule, Vec<Problem>> {
    let text = match text.trim().split_once('=') {
        Some((key, value)) if !key.starts_with('{') => format!("{{ {} = {} }}", key.trim(), edit::value_of(value)),
        None if !text.trim().starts_with('{') => {
            let hint = "write title=/ferr(y|ies)/, or a table as in the TOML";
            return Err(vec![Problem::of_file(PathBuf::from("the rule"), "expected KEY=VALUE", hint)]);
        }
        _ => text.trim().to_owned(),
    };
    let file = SourceFile { path: PathBuf::from("the rule"), text: format!("rule = {text}") };
    let reading = Reading::new(std::slice::from_ref(&file), &no_secret);
    let rule = reading.read(|documents| {
        let feeds = feed::Feeds::of(config);
        let table = documents.first().map(|document| Table::of_document(&keys::RULE_LINE, 0, document, &reading));
        table.and_then(|table| table.need("rule", |node| rule::read(node, &feeds)))
    });
    let (problems, failed) = reading.finish();
    rule.filter(|_| !failed).ok_or(problems)
}

fn read(main: &Table, tables: &[Table]) -> Config {
    main.get("include", |node| node.list(include));
    let settings = settings::read(main);
    let of_all = |key, shape| -> Vec<Table> { tables.iter().flat_map(|table| table.tables(key, shape)).collect() };
    let (section_heads, section_ids) = section::heads(&of_all("section", &keys::SECTION));
    let feed_tables = of_all("feed", &keys::FEED);
    let feeds = feed::read_all(&feed_tables, &settings, &section_ids);
    let sections = section::read_all(&section_heads, &section_ids, &feeds, &settings);
    feed::warn_of_unused_feeds(&feed_tables, &feeds, &sections);
    let hooks = hook::read_all(&main.tables("hook", &keys::HOOK), &settings.commands, &section_ids, &feeds);
    Config {
        feed_index: feeds.good.iter().enumerate().map(|(index, feed)| (feed.id.clone(), index)).collect(),
        feeds: feeds.good,
        sections,
        site: settings.site,
        server: settings.server,
        store: settings.store,
        publish: settings.publish,
        stories: settings.stories,
        poll: settings.poll,
        commands: settings.commands,
        hooks,
    }
}

fn read_includes(main: &SourceFile) -> Vec<(String, Place)> {
    let head = SourceFile { path: main.path.clone(), text: before_tables(&main.text).to_owned() };
    // If the line that looks like a header is inside a value, the text before that line does not parse. Then parse the
    // whole text.
    let has_all = syntax::parse(&head.text).1.is_none();
    let files = std::slice::from_ref(if has_all { &head } else { main });
    let reading = Reading::new(files, &no_secret);
    reading.read(|documents| {
        let Some(document) = documents.first() else { return Vec::new() };
        let table = Table::of_document(&keys::MAIN, 0, document, &reading);
        table.get("include", |node| node.list(include)).unwrap_or_default()
    })
}

/// Returns the text before the first line that looks like the header of a table. The rest may hold a hundred thousand
/// feeds, so it is not parsed.
fn before_tables(text: &str) -> &str {
    let mut end = 0;
    for line in text.split_inclusive('\n') {
        if line.trim_start().starts_with('[') {
            break;
        }
        end += line.len();
    }
    &text[..end]
}

fn include(node: Node) -> Result<(String, Place), reader::Fault> {
    Ok((value::words(node)?, node.place()))
}

fn no_secret(_: &SecretRef) -> Result<SecretString, String> {
    Err("this step does not look up secrets".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn includes_are_found_wherever_lines_begin_with_brackets() {
        let check = |text: &str, expected: &[&str]| {
            let main = SourceFile { path: "/test/newswire.toml".into(), text: text.to_owned() };
            assert_eq!(includes(&main), expected, "{text}");
        };
        check("include = [\"a.toml\"]\n[site]\ntitle = \"x\"\n", &["a.toml"]);
        check("include = [\n\"a.toml\",\n# [b]\n\"c.toml\"\n]\n[site]\n", &["a.toml", "c.toml"]);
        check("include =\\\n[\"a.toml\"]\n", &[]);
        check("other = \"\"\"\n[site]\n\"\"\"\ninclude = [\"a.toml\"]\n", &["a.toml"]);
        check("include = [\n[\"a\"], \"b.toml\"]\n[site]\n", &["b.toml"]);
        check("[site]\ninclude = [\"a.toml\"]\n", &[]);
        check("include = [\"a.toml\"]\n[site]\ntitle = broken\n", &["a.toml"]);
        check("", &[]);
    }
}
