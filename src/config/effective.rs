//! Lists the effective values of the configuration, each with its origin. Secrets are masked.

use std::path::PathBuf;

use toml_edit::{Document, Item, Table};

use super::keys::{self, Shape};
use super::mask;
use super::model::Config;
use super::{SourceFile, edit, schema};

/// One effective value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EffectiveSetting {
    /// The table as written in the TOML: `[site]`, `[[feed]]`.
    pub table: &'static str,
    /// The id of the feed or section; `None` for other tables.
    pub of: Option<String>,
    /// The name of the key.
    pub key: &'static str,
    /// The value as TOML on one line, with secrets masked.
    pub value: String,
    /// Where the value comes from.
    pub origin: Origin,
}

/// The origin of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The value is written in a file.
    File {
        /// The absolute path of the file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
    },
    /// The value is the key's default.
    Default,
    /// The value is derived from other values.
    Made,
}

/// Keys that a feed inherits from another table if it does not set them, each with that table.
const INHERITED: [(&str, &Shape); 6] = [
    ("schedule", &keys::POLL),
    ("timeout", &keys::POLL),
    ("max_size", &keys::POLL),
    ("allow", &keys::POLL),
    ("republish", &keys::POLL),
    ("dedup", &keys::STORIES),
];

/// Returns every value of a valid configuration, table by table. Leaves out the defaults of feeds and sections, unless `all`
/// is set. Empty if the main file cannot be parsed.
pub fn effective(config: &Config, files: &[SourceFile], all: bool) -> Vec<EffectiveSetting> {
    let texts: Vec<ConfigText> = files.iter().filter_map(ConfigText::of).collect();
    let Some(main) = texts.first() else { return Vec::new() };
    let mut settings = Vec::new();
    for shape in
        [&keys::SITE, &keys::SERVER, &keys::STORE, &keys::PUBLISH, &keys::STORIES, &keys::POLL, &keys::COMMANDS]
    {
        let table = main.document.get(table_name(shape)).and_then(Item::as_table_like);
        for key in shape.keys {
            let written = table.and_then(|table| table.get(key)).and_then(|item| main.written(item));
            let default = || made(config, shape, key).or_else(|| default(shape, key));
            let found = written.or_else(default);
            settings.extend(found.map(|(value, origin)| EffectiveSetting {
                table: shape.name,
                of: None,
                key,
                value,
                origin,
            }));
        }
    }
    let feeds = texts.iter().flat_map(|text| text.tables("feed").into_iter().map(move |table| (text, table)));
    for ((text, table), feed) in feeds.zip(&config.feeds) {
        let id = feed.id.to_string();
        settings.extend(of_table(&keys::FEED, text, table, &id, all, |key| {
            (key == "id").then(|| (edit::quoted(&id), Origin::Made)).or_else(|| inherited(main, key))
        }));
    }
    let sections = texts.iter().flat_map(|text| text.tables("section").into_iter().map(move |table| (text, table)));
    for ((text, table), section) in sections.zip(&config.sections) {
        settings.extend(of_table(&keys::SECTION, text, table, section.id.as_str(), all, |key| {
            (key == "title").then(|| (edit::quoted(&section.title), Origin::Made))
        }));
    }
    let hooks = main.tables("hook").into_iter().zip(&config.hooks);
    for (table, hook) in hooks {
        settings.extend(of_table(&keys::HOOK, main, table, hook.id.as_str(), all, |_| None));
    }
    settings
}

/// Returns the values of one feed, section or hook. A value comes from the table itself, else from `otherwise`, else from the
/// defaults if `all` is set.
fn of_table(
    shape: &'static Shape,
    text: &ConfigText,
    table: &Table,
    id: &str,
    all: bool,
    otherwise: impl Fn(&str) -> Option<(String, Origin)>,
) -> Vec<EffectiveSetting> {
    let setting = |key: &&'static str| {
        let written = table.get(key).and_then(|item| text.written(item));
        let found = written.or_else(|| otherwise(key)).or_else(|| default(shape, key).filter(|_| all));
        found.map(|(value, origin)| EffectiveSetting { table: shape.name, of: Some(id.to_owned()), key, value, origin })
    };
    shape.keys.iter().filter_map(setting).collect()
}

/// Returns the value that a feed inherits from another table of the main file.
fn inherited(main: &ConfigText, key: &str) -> Option<(String, Origin)> {
    let (_, shape) = INHERITED.iter().find(|(name, _)| *name == key)?;
    main.written(main.document.get(table_name(shape))?.get(key)?)
}

/// Returns the value of a key whose default is derived from other values; `None` for all other keys.
fn made(config: &Config, shape: &Shape, key: &str) -> Option<(String, Origin)> {
    let value = match (shape.name, key) {
        ("[site]", "url") => config.site.url.to_string(),
        ("[store]", "path") => config.store.path.display().to_string(),
        ("[poll]", "contact") => config.poll.contact.as_ref()?.to_string(),
        _ => return None,
    };
    Some((edit::quoted(&value), Origin::Made))
}

fn default(shape: &Shape, key: &str) -> Option<(String, Origin)> {
    schema::reference(shape, key).default.map(|value| (value, Origin::Default))
}

fn table_name(shape: &Shape) -> &'static str {
    shape.name.trim_matches(['[', ']'])
}

/// A text parsed with positions, and its form with masked secrets.
struct ConfigText<'a> {
    source: &'a SourceFile,
    masked: String,
    document: Document<&'a str>,
}

impl<'a> ConfigText<'a> {
    fn of(source: &'a SourceFile) -> Option<Self> {
        let document = Document::parse(source.text.as_str()).ok()?;
        Some(ConfigText { source, masked: mask::masked(&source.text), document })
    }

    fn tables(&self, key: &str) -> Vec<&Table> {
        let tables = self.document.get(key).and_then(Item::as_array_of_tables);
        tables.into_iter().flatten().collect()
    }

    /// Returns a value as written, on one line, and its position.
    fn written(&self, item: &Item) -> Option<(String, Origin)> {
        let span = item.span()?;
        let line = self.source.text[..span.start].matches('\n').count() + 1;
        let value = match item {
            Item::Value(_) => self.masked.get(span)?.to_owned(),
            _ => "(a separate table)".to_owned(),
        };
        let lines = value.lines().map(|line| line.split(" #").next().unwrap_or(line).trim());
        let value = if value.contains('\n') { lines.collect::<Vec<_>>().join(" ") } else { value };
        Some((value, Origin::File { path: self.source.path.clone(), line }))
    }
}
