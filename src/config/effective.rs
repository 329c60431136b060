//! The configuration in force, value by value, each with where it comes from; secrets are masked.

use std::path::PathBuf;

use toml_edit::{Document, Item, Table};

use super::keys::{self, Shape};
use super::mask;
use super::model::Config;
use super::{SourceFile, edit, schema};

/// One value that is in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EffectiveSetting {
    /// As an editor writes it: `[site]`, `[[feed]]`.
    pub table: &'static str,
    /// Which of the feeds or sections.
    pub of: Option<String>,
    pub key: &'static str,
    /// As TOML, secrets masked.
    pub value: String,
    pub origin: Origin,
}

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    File {
        path: PathBuf,
        line: usize,
    },
    Default,
    /// Made from other values.
    Made,
}

/// Keys that a feed takes from another table where it says nothing.
const INHERITED: [(&str, &Shape); 6] = [
    ("schedule", &keys::POLL),
    ("timeout", &keys::POLL),
    ("max_size", &keys::POLL),
    ("allow", &keys::POLL),
    ("republish", &keys::POLL),
    ("dedup", &keys::STORIES),
];

/// Every value of a good configuration. Of feeds and sections the plain defaults are left out, unless `all` are wanted.
pub fn effective(config: &Config, files: &[SourceFile], all: bool) -> Vec<EffectiveSetting> {
    let texts: Vec<ConfigText> = files.iter().filter_map(ConfigText::of).collect();
    let Some(main) = texts.first() else { return Vec::new() };
    let mut settings = Vec::new();
    for shape in [&keys::SITE, &keys::SERVER, &keys::STORE, &keys::PUBLISH, &keys::STORIES, &keys::POLL] {
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
    settings
}

/// The values of one feed or section: as written, else as `otherwise` has them, else the defaults, if `all` are wanted.
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

/// What a feed takes from another table of the main file.
fn inherited(main: &ConfigText, key: &str) -> Option<(String, Origin)> {
    let (_, shape) = INHERITED.iter().find(|(name, _)| *name == key)?;
    main.written(main.document.get(table_name(shape))?.get(key)?)
}

/// What the defaults of a key that has none of its own are made of.
fn made(config: &Config, shape: &Shape, key: &str) -> Option<(String, Origin)> {
    let value = match (shape.name, key) {
        ("[site]", "url") => config.site.url.to_string(),
        ("[store]", "path") => config.store.path.display().to_string(),
        ("[poll]", "contact") => config.poll.contact.to_string(),
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

/// A text with its secrets masked, and its places.
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

    /// As it is written, on one line, and where.
    fn written(&self, item: &Item) -> Option<(String, Origin)> {
        let span = item.span()?;
        let line = self.source.text[..span.start].matches('\n').count() + 1;
        let value = match item {
            Item::Value(_) => self.masked.get(span)?.to_owned(),
            _ => "(a table of its own)".to_owned(),
        };
        let lines = value.lines().map(|line| line.split(" #").next().unwrap_or(line).trim());
        let value = if value.contains('\n') { lines.collect::<Vec<_>>().join(" ") } else { value };
        Some((value, Origin::File { path: self.source.path.clone(), line }))
    }
}
