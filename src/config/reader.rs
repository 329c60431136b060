//! A small typed reader of TOML. It knows the position of every value and continues after an error, so that one run
//! finds all problems. (serde stops at the first.)

use std::cell::{Cell, OnceCell, RefCell};
use std::ops::RangeInclusive;
use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::keys::{self, Shape};
use super::mask::masked_urls;
use super::problem::{Level, Place, Problem};
use super::syntax::{self, RecoveredToml};
use super::{SecretRef, SecretString, SourceFile};

/// How many problems get a suggestion of an id. Comparing thousands of unknown ids with thousands of known ones would take
/// minutes.
const MAX_SUGGESTIONS: u32 = 100;

/// A problem of a value, without its position.
#[derive(Debug)]
pub(super) struct Fault {
    pub message: String,
    pub hint: Option<String>,
}

impl Fault {
    pub(super) fn new(message: impl Into<String>, hint: impl Into<String>) -> Fault {
        Fault { message: message.into(), hint: Some(hint.into()) }
    }
}

impl From<String> for Fault {
    fn from(message: String) -> Fault {
        Fault { message, hint: None }
    }
}

/// The state of reading one configuration: its texts, and the problems found so far.
pub(super) struct Reading<'a> {
    pub files: &'a [SourceFile],
    pub secret: &'a dyn Fn(&SecretRef) -> Result<SecretString, String>,
    line_starts: Vec<OnceCell<Vec<usize>>>,
    problems: RefCell<Vec<Problem>>,
    suggestions: Cell<u32>,
    /// For each text with syntax errors, the part that could be recovered; `None` for a text without errors.
    recovered: OnceCell<Vec<Option<RecoveredToml>>>,
}

impl<'a> Reading<'a> {
    pub(super) fn new(files: &'a [SourceFile], secret: &'a dyn Fn(&SecretRef) -> Result<SecretString, String>) -> Self {
        Reading {
            files,
            secret,
            line_starts: vec![OnceCell::new(); files.len()],
            problems: RefCell::default(),
            suggestions: Cell::new(MAX_SUGGESTIONS),
            recovered: OnceCell::new(),
        }
    }

    /// Parses all texts and passes them to `read`. For a text with syntax errors, reports the first one and reads the
    /// part that could be recovered.
    pub(super) fn read<T>(&self, read: impl for<'d> FnOnce(&[&'d Spanned<DeTable<'d>>]) -> T) -> T {
        let parsed: Vec<_> = self.files.iter().map(|source| syntax::parse(&source.text)).collect();
        for (file, (_, recovered)) in parsed.iter().enumerate() {
            if let Some(RecoveredToml { fault, .. }) = recovered {
                let place = Place { file, span: fault.span.clone() };
                let first = fault.first.map(|first| Place { file, span: first..first });
                let first = first.map(|first| format!("first used in {}", self.location(&first, &place)));
                let hint = first.or(fault.hint.map(str::to_owned));
                self.report(Level::Error, &place, fault.message.clone(), hint);
            }
        }
        let (whole, recovered): (Vec<_>, Vec<_>) = parsed.into_iter().unzip();
        // `get_or_init` always sets the value here, because each reading parses its texts once.
        let recovered: &[Option<RecoveredToml>] = self.recovered.get_or_init(|| recovered);
        let again =
            recovered.iter().map(|recovered| recovered.as_ref().map(|recovered| syntax::parse(&recovered.text).0));
        let again: Vec<_> = again.collect();
        let documents: Vec<_> =
            whole.iter().zip(&again).map(|(whole, again)| again.as_ref().unwrap_or(whole)).collect();
        read(&documents)
    }

    /// Whether any text has syntax errors. The part that cannot be read may define what other texts refer to.
    pub(super) fn is_broken(&self) -> bool {
        self.recovered.get().is_some_and(|recovered| recovered.iter().any(Option::is_some))
    }

    /// Whether a table has syntax errors, so that a key that seems to be missing may only be unreadable.
    fn is_damaged(&self, table: &Place) -> bool {
        let recovered = self.recovered.get().and_then(|recovered| recovered.get(table.file)?.as_ref());
        recovered.is_some_and(|recovered| recovered.has_touched(&table.span))
    }

    pub(super) fn fail(&self, place: &Place, fault: Fault) {
        self.report(Level::Error, place, fault.message, fault.hint);
    }

    pub(super) fn warn(&self, place: &Place, fault: Fault) {
        self.report(Level::Warning, place, fault.message, fault.hint);
    }

    /// Reports as an error that something is missing, unless a text has syntax errors that may be the reason.
    pub(super) fn fail_missing(&self, place: &Place, fault: Fault) {
        if !self.is_broken() {
            self.fail(place, fault);
        }
    }

    /// Returns "did you mean …?" if a candidate is similar to `word`.
    pub(super) fn suggest<'c>(&self, word: &str, candidates: impl Iterator<Item = &'c str>) -> Option<String> {
        let left = self.suggestions.get().checked_sub(1)?;
        self.suggestions.set(left);
        keys::nearest(word, candidates).map(|nearest| format!("did you mean `{nearest}`?"))
    }

    /// Returns all problems in the order of files and lines, and whether one of them is an error.
    pub(super) fn finish(self) -> (Vec<Problem>, bool) {
        let mut problems = self.problems.into_inner();
        problems.sort_by_key(|problem| problem.place.as_ref().map(|place| (place.file, place.span.start)));
        problems.dedup();
        let failed = problems.iter().any(|problem| problem.level == Level::Error);
        (problems, failed)
    }

    pub(super) fn has_errors(&self) -> bool {
        self.problems.borrow().iter().any(|problem| problem.level == Level::Error)
    }

    pub(super) fn problem(&self, level: Level, place: &Place, message: String, hint: Option<String>) -> Problem {
        let (line, column) = self.line_and_column(place);
        let file = self.files[place.file].path.clone();
        let (message, hint) = (masked_urls(&message), hint.map(|hint| masked_urls(&hint)));
        Problem { level, file, line, column, message, hint, place: Some(place.clone()) }
    }

    /// Returns a position in words: `line 7`, or `feeds/a.toml:7` if it is not in the file of `here`.
    pub(super) fn location(&self, place: &Place, here: &Place) -> String {
        let (line, _) = self.line_and_column(place);
        if place.file == here.file {
            return format!("line {line}");
        }
        let path = &self.files[place.file].path;
        let folder = self.files[0].path.parent().unwrap_or(Path::new(""));
        format!("{}:{line}", path.strip_prefix(folder).unwrap_or(path).display())
    }

    fn report(&self, level: Level, place: &Place, message: String, hint: Option<String>) {
        self.problems.borrow_mut().push(self.problem(level, place, message, hint));
    }

    fn line_and_column(&self, place: &Place) -> (usize, usize) {
        let text = &self.files[place.file].text;
        let starts = self.line_starts[place.file].get_or_init(|| {
            std::iter::once(0).chain(text.match_indices('\n').map(|(newline, _)| newline + 1)).collect()
        });
        let offset = place.span.start.min(text.len());
        let line = starts.partition_point(|start| *start <= offset);
        let before = text.get(starts[line - 1]..offset).unwrap_or_default();
        (line, before.trim_start_matches('\u{feff}').chars().count() + 1)
    }
}

/// A value with its position.
#[derive(Clone, Copy)]
pub(super) struct Node<'a> {
    value: &'a Spanned<DeValue<'a>>,
    pub file: usize,
    pub reading: &'a Reading<'a>,
}

impl<'a> Node<'a> {
    pub(super) fn place(self) -> Place {
        Place { file: self.file, span: self.value.span() }
    }

    /// Returns the folder of the file with this value, which resolves relative paths.
    pub(super) fn folder(self) -> &'a Path {
        self.reading.files[self.file].path.parent().unwrap_or(Path::new(""))
    }

    pub(super) fn text(self) -> Result<&'a str, Fault> {
        let hint = || format!("put it in quotes: \"{}\"", scalar(self.value.get_ref()));
        match self.value.get_ref() {
            DeValue::String(text) => Ok(text),
            DeValue::Integer(_) | DeValue::Float(_) | DeValue::Boolean(_) | DeValue::Datetime(_) => {
                Err(Fault { message: self.expected("a string"), hint: Some(hint()) })
            }
            _ => Err(self.expected("a string").into()),
        }
    }

    /// Like [`Node::text`], for a value that may be secret: the hint does not repeat the value.
    pub(super) fn secret_text(self) -> Result<&'a str, Fault> {
        self.text().map_err(|fault| Fault { hint: fault.hint.map(|_| "put it in quotes".to_owned()), ..fault })
    }

    pub(super) fn boolean(self) -> Result<bool, Fault> {
        let hint = match self.value.get_ref().as_str().map(str::to_lowercase).as_deref() {
            Some("true" | "yes" | "on") => Some("write true, without quotes".to_owned()),
            Some("false" | "no" | "off") => Some("write false, without quotes".to_owned()),
            _ => None,
        };
        self.value.get_ref().as_bool().ok_or_else(|| Fault { message: self.expected("true or false"), hint })
    }

    pub(super) fn integer(self, range: RangeInclusive<i64>) -> Result<i64, Fault> {
        let number = self.value.get_ref().as_str().and_then(|text| text.trim().parse::<i64>().ok());
        let hint = number.map(|number| format!("write {number}, without quotes"));
        let fault = || Fault { message: self.expected("a whole number"), hint };
        let integer = self.value.get_ref().as_integer().ok_or_else(fault)?;
        i64::from_str_radix(integer.as_str(), integer.radix())
            .ok()
            .filter(|number| range.contains(number))
            .ok_or_else(|| format!("expected a whole number from {} to {}", range.start(), range.end()).into())
    }

    /// Reads a list. Reports each invalid value at its own position and returns the others.
    pub(super) fn list<T>(self, read: impl Fn(Node<'a>) -> Result<T, Fault>) -> Result<Vec<T>, Fault> {
        let Some(items) = self.value.get_ref().as_array() else {
            let fault = self.expected("a list");
            let in_brackets = match self.value.get_ref() {
                DeValue::String(text) => Some(format!("[\"{text}\"]")),
                DeValue::Table(_) => Some("[{ … }]".to_owned()),
                _ => None,
            };
            let hint = in_brackets.map(|written| format!("put it in brackets: {written}"));
            return Err(Fault { message: fault, hint });
        };
        let read_or_report = |value: &'a Spanned<DeValue<'a>>| {
            let node = Node { value, ..self };
            read(node).map_err(|fault| self.reading.fail(&node.place(), fault)).ok()
        };
        Ok(items.iter().filter_map(read_or_report).collect())
    }

    /// Reads a list, or a single value as a list of one.
    pub(super) fn one_or_more<T>(self, read: impl Fn(Node<'a>) -> Result<T, Fault>) -> Result<Vec<T>, Fault> {
        match self.value.get_ref().as_array() {
            Some(items) if items.is_empty() => Err("expected at least one value in the list".to_owned().into()),
            Some(_) => self.list(read),
            None => read(self).map(|one| vec![one]),
        }
    }

    pub(super) fn is_table(self) -> bool {
        self.value.get_ref().is_table()
    }

    /// Reads a table with known keys, and reports unknown ones.
    pub(super) fn table(self, shape: &'static Shape) -> Result<Table<'a>, Fault> {
        let entries = self.entries(shape.name)?;
        Ok(Table::new(shape, entries, self.place(), self.reading))
    }

    /// Reads a table with any keys, in alphabetical order.
    pub(super) fn pairs(self) -> Result<Vec<(&'a str, Place, Node<'a>)>, Fault> {
        let pair = |(key, value): (&'a Spanned<_>, &'a Spanned<DeValue<'a>>)| {
            let key: &'a Spanned<std::borrow::Cow<'a, str>> = key;
            (&**key.get_ref(), Place { file: self.file, span: key.span() }, Node { value, ..self })
        };
        Ok(self.entries("a table")?.iter().map(pair).collect())
    }

    fn entries(self, name: &str) -> Result<&'a DeTable<'a>, Fault> {
        self.value.get_ref().as_table().ok_or_else(|| self.expected(name).into())
    }

    fn expected(self, what: &str) -> String {
        format!("expected {what}, found {}", kind(self.value.get_ref()))
    }
}

/// A table with known keys.
#[derive(Clone)]
pub(super) struct Table<'a> {
    shape: &'static Shape,
    entries: &'a DeTable<'a>,
    pub place: Place,
    pub reading: &'a Reading<'a>,
}

impl<'a> Table<'a> {
    /// Returns the top-level table of a text.
    pub(super) fn of_document(
        shape: &'static Shape,
        file: usize,
        document: &'a Spanned<DeTable<'a>>,
        reading: &'a Reading<'a>,
    ) -> Self {
        Table::new(shape, document.get_ref(), Place { file, span: 0..0 }, reading)
    }

    fn new(shape: &'static Shape, entries: &'a DeTable<'a>, place: Place, reading: &'a Reading<'a>) -> Self {
        for key in entries.keys().filter(|key| !shape.keys.contains(&&**key.get_ref())) {
            let name: &str = key.get_ref();
            let named = if keys::may_be_named(name, shape) { format!(" `{name}`") } else { String::new() };
            let message = format!("unknown key{named} in {}", shape.name);
            let fault = Fault::new(message, keys::advice(name, shape));
            reading.fail(&Place { file: place.file, span: key.span() }, fault);
        }
        Table { shape, entries, place, reading }
    }

    /// Returns the value of `key`; `None` if it is missing or invalid. Reports an invalid value.
    pub(super) fn get<T>(&self, key: &str, read: impl FnOnce(Node<'a>) -> Result<T, Fault>) -> Option<T> {
        let node = self.node(key)?;
        read(node).map_err(|fault| self.reading.fail(&node.place(), fault)).ok()
    }

    /// Like [`Table::get`], but also reports a missing value.
    pub(super) fn need<T>(&self, key: &str, read: impl FnOnce(Node<'a>) -> Result<T, Fault>) -> Option<T> {
        if !self.has(key) {
            self.fail_lacking(&format!("needs `{key}`"));
        }
        self.get(key, read)
    }

    /// Reports what the table lacks, unless syntax errors in it may be the reason.
    fn fail_lacking(&self, what: &str) {
        if !self.reading.is_damaged(&self.place) {
            self.reading.fail(&self.place, Fault::from(format!("{} {what}", self.named())));
        }
    }

    /// Returns the name of the table, with its line if there may be several, such as `[[feed]] in line 7`.
    pub(super) fn named(&self) -> String {
        let name = self.shape.name;
        if name.starts_with("[[") {
            format!("{name} in {}", self.reading.location(&self.place, &self.place))
        } else {
            name.to_owned()
        }
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.node(key).is_some()
    }

    /// Whether `key` has a list with items, or a value that should have been a list.
    pub(super) fn has_items(&self, key: &str) -> bool {
        self.node(key).is_some_and(|node| node.value.get_ref().as_array().is_none_or(|items| !items.is_empty()))
    }

    /// Returns the position of the value of `key`, else that of the table.
    pub(super) fn place_of(&self, key: &str) -> Place {
        self.node(key).map_or_else(|| self.place.clone(), Node::place)
    }

    /// Returns the table under `key`; `None` if it is missing or invalid.
    pub(super) fn table(&self, key: &str, shape: &'static Shape) -> Option<Table<'a>> {
        self.get(key, |node| node.table(shape))
    }

    /// Returns the tables under `[[key]]`.
    pub(super) fn tables(&self, key: &str, shape: &'static Shape) -> Vec<Table<'a>> {
        let read = |node: Node<'a>| match node.value.get_ref() {
            DeValue::Table(_) => {
                Err(Fault::new(format!("`{key}` is a list of tables"), format!("write [[{key}]] with two brackets")))
            }
            _ => node.list(|node| node.table(shape)),
        };
        self.get(key, read).unwrap_or_default()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    fn node(&self, key: &str) -> Option<Node<'a>> {
        debug_assert!(self.shape.keys.contains(&key), "`{key}` is not among the keys of {}", self.shape.name);
        self.entries.get(key).map(|value| Node { value, file: self.place.file, reading: self.reading })
    }
}

fn kind(value: &DeValue) -> &'static str {
    match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) | DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "a boolean",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

fn scalar(value: &DeValue) -> String {
    match value {
        DeValue::Integer(number) => number.to_string(),
        DeValue::Float(number) => number.to_string(),
        DeValue::Boolean(boolean) => boolean.to_string(),
        DeValue::Datetime(datetime) => datetime.to_string(),
        DeValue::String(_) | DeValue::Array(_) | DeValue::Table(_) => "…".to_owned(),
    }
}
