//! A small typed reader over TOML that knows the place of everything and goes on after a fault, so that all problems of a
//! table are found in one run. (serde stops at the first.)

use std::cell::{Cell, OnceCell, RefCell};
use std::ops::RangeInclusive;
use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::keys::{self, Shape};
use super::mask::masked_urls;
use super::problem::{Level, Place, Problem};
use super::syntax::{self, MendedToml};
use super::{SecretRef, SecretString, SourceFile};

/// How many problems get a suggestion from among ids: comparing thousands of unknown ids with thousands of known ones
/// would take minutes.
const MAX_SUGGESTIONS: u32 = 100;

/// What is wrong with a value, before its place is known.
#[derive(Debug)]
pub(super) struct Fault {
    pub message: String,
    pub hint: Option<String>,
}

impl Fault {
    pub fn new(message: impl Into<String>, hint: impl Into<String>) -> Fault {
        Fault { message: message.into(), hint: Some(hint.into()) }
    }
}

impl From<String> for Fault {
    fn from(message: String) -> Fault {
        Fault { message, hint: None }
    }
}

/// The reading of all texts of one configuration, and the problems found so far.
pub(super) struct Reading<'a> {
    pub files: &'a [SourceFile],
    pub secret: &'a dyn Fn(&SecretRef) -> Result<SecretString, String>,
    line_starts: Vec<OnceCell<Vec<usize>>>,
    problems: RefCell<Vec<Problem>>,
    suggestions: Cell<u32>,
    /// For each text that has faults of syntax, what of it is sure.
    mended: OnceCell<Vec<Option<MendedToml>>>,
}

impl<'a> Reading<'a> {
    pub fn new(files: &'a [SourceFile], secret: &'a dyn Fn(&SecretRef) -> Result<SecretString, String>) -> Self {
        Reading {
            files,
            secret,
            line_starts: vec![OnceCell::new(); files.len()],
            problems: RefCell::default(),
            suggestions: Cell::new(MAX_SUGGESTIONS),
            mended: OnceCell::new(),
        }
    }

    /// Parses every text and reads what they say. Of a text that is not TOML the first fault becomes a problem, and what
    /// surely means what it says is read.
    pub fn read<T>(&self, read: impl for<'d> FnOnce(&[&'d Spanned<DeTable<'d>>]) -> T) -> T {
        let parsed: Vec<_> = self.files.iter().map(|source| syntax::parse(&source.text)).collect();
        for (file, (_, mended)) in parsed.iter().enumerate() {
            if let Some(MendedToml { fault, .. }) = mended {
                let place = Place { file, span: fault.span.clone() };
                let first = fault.first.map(|first| Place { file, span: first..first });
                let first = first.map(|first| format!("it is given first in {}", self.elsewhere(&first, &place)));
                let hint = first.or(fault.hint.map(str::to_owned));
                self.report(Level::Error, &place, fault.message.clone(), hint);
            }
        }
        let (whole, mended): (Vec<_>, Vec<_>) = parsed.into_iter().unzip();
        // Nothing is read twice: each reading reads its texts once.
        let mended: &[Option<MendedToml>] = self.mended.get_or_init(|| mended);
        let again = mended.iter().map(|mended| mended.as_ref().map(|mended| syntax::parse(&mended.text).0));
        let again: Vec<_> = again.collect();
        let documents: Vec<_> =
            whole.iter().zip(&again).map(|(whole, again)| again.as_ref().unwrap_or(whole)).collect();
        read(&documents)
    }

    /// Whether a text has faults of syntax: what other texts name may stand in the part that cannot be read.
    pub fn is_broken(&self) -> bool {
        self.mended.get().is_some_and(|mended| mended.iter().any(Option::is_some))
    }

    /// Whether a table has faults of syntax, so that what it seems to lack may only be unreadable.
    fn is_damaged(&self, table: &Place) -> bool {
        let mended = self.mended.get().and_then(|mended| mended.get(table.file)?.as_ref());
        mended.is_some_and(|mended| mended.has_touched(&table.span))
    }

    pub fn fail(&self, place: &Place, fault: Fault) {
        self.report(Level::Error, place, fault.message, fault.hint);
    }

    pub fn warn(&self, place: &Place, fault: Fault) {
        self.report(Level::Warning, place, fault.message, fault.hint);
    }

    /// Reports that something is nowhere, unless a text has faults of syntax that may be the reason.
    pub fn miss(&self, place: &Place, fault: Fault) {
        if !self.is_broken() {
            self.fail(place, fault);
        }
    }

    /// "did you mean …?", where a candidate is like `word`.
    pub fn suggest<'c>(&self, word: &str, candidates: impl Iterator<Item = &'c str>) -> Option<String> {
        let left = self.suggestions.get().checked_sub(1)?;
        self.suggestions.set(left);
        keys::nearest(word, candidates).map(|nearest| format!("did you mean `{nearest}`?"))
    }

    /// All problems in the order of the files and their lines, and whether one of them is an error.
    pub fn finish(self) -> (Vec<Problem>, bool) {
        let mut problems = self.problems.into_inner();
        problems.sort_by_key(|problem| problem.place.as_ref().map(|place| (place.file, place.span.start)));
        problems.dedup();
        let failed = problems.iter().any(|problem| problem.level == Level::Error);
        (problems, failed)
    }

    pub fn has_errors(&self) -> bool {
        self.problems.borrow().iter().any(|problem| problem.level == Level::Error)
    }

    pub fn problem(&self, level: Level, place: &Place, message: String, hint: Option<String>) -> Problem {
        let (line, column) = self.line_and_column(place);
        let file = self.files[place.file].path.clone();
        let (message, hint) = (masked_urls(&message), hint.map(|hint| masked_urls(&hint)));
        Problem { level, file, line, column, message, hint, place: Some(place.clone()) }
    }

    /// Where else something stands: `line 7`, or `feeds/a.toml:7` where that is not the file of `here`.
    pub fn elsewhere(&self, place: &Place, here: &Place) -> String {
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

/// One value, with its place.
#[derive(Clone, Copy)]
pub(super) struct Node<'a> {
    value: &'a Spanned<DeValue<'a>>,
    pub file: usize,
    pub reading: &'a Reading<'a>,
}

impl<'a> Node<'a> {
    pub fn place(self) -> Place {
        Place { file: self.file, span: self.value.span() }
    }

    /// The folder of the file that holds it: what relative paths are relative to.
    pub fn folder(self) -> &'a Path {
        self.reading.files[self.file].path.parent().unwrap_or(Path::new(""))
    }

    pub fn text(self) -> Result<&'a str, Fault> {
        let hint = || format!("put it in quotes: \"{}\"", scalar(self.value.get_ref()));
        match self.value.get_ref() {
            DeValue::String(text) => Ok(text),
            DeValue::Integer(_) | DeValue::Float(_) | DeValue::Boolean(_) | DeValue::Datetime(_) => {
                Err(Fault { message: self.expected("a text"), hint: Some(hint()) })
            }
            _ => Err(self.expected("a text").into()),
        }
    }

    /// Like [`Node::text`], for a value that may be secret: no hint repeats it.
    pub fn secret_text(self) -> Result<&'a str, Fault> {
        self.text().map_err(|fault| Fault { hint: fault.hint.map(|_| "put it in quotes".to_owned()), ..fault })
    }

    pub fn boolean(self) -> Result<bool, Fault> {
        let hint = match self.value.get_ref().as_str().map(str::to_lowercase).as_deref() {
            Some("true" | "yes" | "on") => Some("write true, without quotes".to_owned()),
            Some("false" | "no" | "off") => Some("write false, without quotes".to_owned()),
            _ => None,
        };
        self.value.get_ref().as_bool().ok_or_else(|| Fault { message: self.expected("true or false"), hint })
    }

    pub fn integer(self, range: RangeInclusive<i64>) -> Result<i64, Fault> {
        let number = self.value.get_ref().as_str().and_then(|text| text.trim().parse::<i64>().ok());
        let hint = number.map(|number| format!("write {number}, without quotes"));
        let fault = || Fault { message: self.expected("a whole number"), hint };
        let integer = self.value.get_ref().as_integer().ok_or_else(fault)?;
        i64::from_str_radix(integer.as_str(), integer.radix())
            .ok()
            .filter(|number| range.contains(number))
            .ok_or_else(|| format!("expected a whole number from {} to {}", range.start(), range.end()).into())
    }

    /// A list, read as far as its values are good: the faults of the others are reported each at its own place.
    pub fn list<T>(self, read: impl Fn(Node<'a>) -> Result<T, Fault>) -> Result<Vec<T>, Fault> {
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

    /// A list, or one value that stands for a list of one.
    pub fn one_or_more<T>(self, read: impl Fn(Node<'a>) -> Result<T, Fault>) -> Result<Vec<T>, Fault> {
        match self.value.get_ref().as_array() {
            Some(items) if items.is_empty() => Err("expected at least one".to_owned().into()),
            Some(_) => self.list(read),
            None => read(self).map(|one| vec![one]),
        }
    }

    pub fn is_table(self) -> bool {
        self.value.get_ref().is_table()
    }

    /// A table whose keys are all known; those that are not are reported.
    pub fn table(self, shape: &'static Shape) -> Result<Table<'a>, Fault> {
        let entries = self.entries(shape.name)?;
        Ok(Table::new(shape, entries, self.place(), self.reading))
    }

    /// A table whose keys are the editor's own, in their alphabetical order.
    pub fn pairs(self) -> Result<Vec<(&'a str, Place, Node<'a>)>, Fault> {
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

/// One table with known keys.
#[derive(Clone)]
pub(super) struct Table<'a> {
    shape: &'static Shape,
    entries: &'a DeTable<'a>,
    pub place: Place,
    pub reading: &'a Reading<'a>,
}

impl<'a> Table<'a> {
    /// The table of a whole text.
    pub fn of_document(
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

    /// The value under `key`; `None` if there is none, or a bad one, which is reported.
    pub fn get<T>(&self, key: &str, read: impl FnOnce(Node<'a>) -> Result<T, Fault>) -> Option<T> {
        let node = self.node(key)?;
        read(node).map_err(|fault| self.reading.fail(&node.place(), fault)).ok()
    }

    /// Like [`Table::get`], and its being absent is a problem too.
    pub fn need<T>(&self, key: &str, read: impl FnOnce(Node<'a>) -> Result<T, Fault>) -> Option<T> {
        if !self.has(key) {
            self.lack(&format!("needs `{key}`"));
        }
        self.get(key, read)
    }

    /// Reports what the table lacks, unless faults of syntax in it may be the reason.
    fn lack(&self, what: &str) {
        if !self.reading.is_damaged(&self.place) {
            self.reading.fail(&self.place, Fault::from(format!("{} {what}", self.named())));
        }
    }

    /// What the table is, as in `[[feed]]`; one of several by its line, as in `[[feed]] in line 7`.
    pub fn named(&self) -> String {
        let name = self.shape.name;
        if name.starts_with("[[") {
            format!("{name} in {}", self.reading.elsewhere(&self.place, &self.place))
        } else {
            name.to_owned()
        }
    }

    pub fn has(&self, key: &str) -> bool {
        self.node(key).is_some()
    }

    /// There is a list with something in it, or a value that should have been a list.
    pub fn has_items(&self, key: &str) -> bool {
        self.node(key).is_some_and(|node| node.value.get_ref().as_array().is_none_or(|items| !items.is_empty()))
    }

    /// The place of the value under `key`, else that of the table.
    pub fn place_of(&self, key: &str) -> Place {
        self.node(key).map_or_else(|| self.place.clone(), Node::place)
    }

    /// The table under `key`; `None` if it is absent.
    pub fn table(&self, key: &str, shape: &'static Shape) -> Option<Table<'a>> {
        self.get(key, |node| node.table(shape))
    }

    /// The tables under `[[key]]`.
    pub fn tables(&self, key: &str, shape: &'static Shape) -> Vec<Table<'a>> {
        let read = |node: Node<'a>| match node.value.get_ref() {
            DeValue::Table(_) => {
                Err(Fault::new(format!("`{key}` is a list of tables"), format!("write [[{key}]] with two brackets")))
            }
            _ => node.list(|node| node.table(shape)),
        };
        self.get(key, read).unwrap_or_default()
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    fn node(&self, key: &str) -> Option<Node<'a>> {
        debug_assert!(self.shape.keys.contains(&key), "`{key}` is not among the keys of {}", self.shape.name);
        self.entries.get(key).map(|value| Node { value, file: self.place.file, reading: self.reading })
    }
}

fn kind(value: &DeValue) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) | DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
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
