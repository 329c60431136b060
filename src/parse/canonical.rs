//! The canonicalising pass: any feed in XML → one Atom 1.0 document that feed-rs reads without a fault.
//!
//! Atom 0.3, RSS of every version, RDF and CDF become the same document, so that there is one way to read them. What Atom or feed-rs has
//! no place for is set aside, entry by entry; each entry's id in the canonical document is its number, by which `read` joins the two
//! again. One pass, linear in the size; repairs are noted on the way.

use url::Url;
use xxhash_rust::xxh3::xxh3_64;

use super::ParseError;
use super::atom::AtomWriter;
use super::constructs::Unsaid;
use super::entry_aside::EntryAside;
use super::entry_fields;
use super::feed_fields::{self, FeedAside};
use super::model::{DocumentFormat, Family};
use super::namespaces::Namespace;
use super::page;
use super::parts::{self, Target};
use super::repairs::{Repair, Repairs};
use super::tree::{Element, Opening, TreeEvent, TreeReader};

/// Entries of a document that are read; what comes after them is left out, and said.
const MAX_ENTRIES: usize = 5_000;
/// Fields of one entry, or of the feed itself, that are read.
const MAX_FIELDS: usize = 2_000;
/// Channels and the like may nest as deeply; deeper ones are passed over.
const MAX_CONTAINERS: usize = 32;
/// The canonical document is at most so many times as long as the document itself: escaped characters take six bytes at most, and relative
/// addresses are written out.
const MAX_GROWTH: usize = 8;
/// And so many bytes longer, for small documents.
const LEAST_GROWTH_BYTES: usize = 1 << 20;
/// So much of an element's name is told in an error.
const MAX_NAME_CHARS: usize = 40;

/// What the pass makes of a document.
pub(super) struct Canonical {
    /// The canonical document.
    pub atom: String,
    pub format: DocumentFormat,
    pub feed: FeedAside,
    /// By number.
    pub entries: Vec<EntryAside>,
    pub truncated: bool,
    pub repairs: Repairs,
}

/// Brings a document to the canonical form; relative URLs in it are relative to `base`.
///
/// # Errors
/// If it holds no feed: it is an HTML page, or something else. If reading it takes too much work.
pub(super) fn canonicalise(text: &str, base: Option<&Url>, repairs: Repairs) -> Result<Canonical, ParseError> {
    let mut pass = CanonicalPass {
        text,
        reader: TreeReader::new(text, base, repairs),
        out: AtomWriter::new(text.len() + text.len() / 8),
        containers: Vec::new(),
        format: None,
        first_name: None,
        text_before_root: false,
        feed: FeedAside::default(),
        feed_fields: 0,
        open: None,
        entries: Vec::new(),
    };
    while let Some(event) = pass.reader.next() {
        match event {
            TreeEvent::Start(element, opening) => pass.start(element, &opening)?,
            TreeEvent::End(count) => pass.end(count),
            TreeEvent::Text(text) => pass.stray_text(&text),
        }
        if pass.out.length() > text.len().saturating_mul(MAX_GROWTH).saturating_add(LEAST_GROWTH_BYTES) {
            return Err(ParseError::TooMuchWork);
        }
    }
    if pass.reader.is_worn_out() {
        return Err(ParseError::TooMuchWork);
    }
    pass.finish()
}

struct CanonicalPass<'a> {
    text: &'a str,
    reader: TreeReader<'a>,
    out: AtomWriter,
    /// What the reader has entered.
    containers: Vec<Container>,
    format: Option<DocumentFormat>,
    /// The first element that was no feed, for the error.
    first_name: Option<String>,
    text_before_root: bool,
    feed: FeedAside,
    feed_fields: usize,
    open: Option<OpenEntry>,
    entries: Vec<EntryAside>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Container {
    /// `rss`, `rdf:RDF`, the `items` of RSS 1.1.
    Outer,
    /// `feed` and `channel`.
    Feed,
    Entry,
}

struct OpenEntry {
    aside: EntryAside,
    /// Where its start tag is in the text, for its hash.
    at: usize,
    /// How long the canonical document was before it, should it have to be taken back.
    out_length: usize,
    fields: usize,
}

impl<'a> CanonicalPass<'a> {
    fn start(&mut self, element: Element<'a>, opening: &Opening) -> Result<(), ParseError> {
        match container(&element) {
            Some(Container::Entry) => self.start_container(Container::Entry, element, opening),
            Some(container) if !self.in_entry() && self.reader.depth() < MAX_CONTAINERS => {
                self.start_container(container, element, opening);
            }
            _ if self.format.is_none() => return self.before_the_root(&element),
            _ => self.start_field(element, opening),
        }
        Ok(())
    }

    fn start_container(&mut self, container: Container, element: Element<'a>, opening: &Opening) {
        if self.format.is_none() {
            self.format = Some(format_of(&element));
            if self.first_name.is_some() || self.text_before_root {
                self.reader.repairs.note(Repair::JunkBeforeRoot);
            }
        }
        // An entry cannot hold another: the one before it was not closed.
        if self.in_entry() {
            self.reader.repairs.note(Repair::UnclosedTags);
            while self.in_entry() {
                self.leave(opening.at);
            }
        }
        self.reader.enter(&element, opening);
        self.containers.push(container);
        match container {
            Container::Outer | Container::Feed => self.feed.root(&element),
            Container::Entry => self.start_entry(&element, opening.at),
        }
        if container != Container::Outer {
            parts::of_attributes(&element).into_iter().for_each(|field| self.field(field));
        }
    }

    fn start_entry(&mut self, element: &Element<'a>, at: usize) {
        if self.entries.len() >= MAX_ENTRIES {
            self.reader.repairs.note(Repair::TooManyEntries);
            return;
        }
        if self.containers.len() > 1 && !self.containers.contains(&Container::Feed) && self.is_plain_rss() {
            self.reader.repairs.note(Repair::MisplacedEntries);
        }
        let out_length = self.out.length();
        self.out.begin_entry(self.entries.len());
        self.open = Some(OpenEntry { aside: EntryAside::new(element), at, out_length, fields: 0 });
    }

    /// RSS 1.0 has its items beside its channel; other RSS has them inside.
    fn is_plain_rss(&self) -> bool {
        self.format.as_ref().is_some_and(|format| {
            format.family == Family::Rss && !matches!(format.version.as_str(), "0.90" | "1.0" | "1.1")
        })
    }

    fn start_field(&mut self, element: Element<'a>, opening: &Opening) {
        let is_source = element.namespace == Namespace::Core && element.name == "source";
        let field = self.reader.field(element, opening, |namespace, name| !is_source && is_entry(namespace, name));
        let mut element = field.element;
        let swallowed = if field.closed { Vec::new() } else { element.split_off_swallowed(is_field) };
        self.field(element);
        swallowed.into_iter().for_each(|field| self.field(field));
    }

    fn field(&mut self, element: Element) {
        let in_entry = self.in_entry();
        let mut target = Target { out: &mut self.out, repairs: &mut self.reader.repairs, unsaid: unsaid(&self.format) };
        match &mut self.open {
            Some(open) if open.fields < MAX_FIELDS => {
                open.fields += 1;
                entry_fields::field(&element, &mut open.aside, &mut target);
            }
            None if !in_entry && self.feed_fields < MAX_FIELDS => {
                self.feed_fields += 1;
                feed_fields::field(&element, &mut self.feed, &mut target);
            }
            Some(_) => target.repairs.note(Repair::TooManyFields),
            // The entry is beyond the limit, and left out.
            None => {}
        }
    }

    fn in_entry(&self) -> bool {
        self.containers.contains(&Container::Entry)
    }

    fn end(&mut self, count: usize) {
        for _ in 0..count {
            self.leave(self.reader.position());
        }
    }

    /// Leaves the innermost container, whose text ends at `end`.
    fn leave(&mut self, end: usize) {
        self.reader.leave();
        if self.containers.pop() == Some(Container::Entry)
            && let Some(mut open) = self.open.take()
        {
            open.aside.entry.raw_hash = xxh3_64(&self.text.as_bytes()[open.at..end.max(open.at)]);
            let unsaid = unsaid(&self.format);
            open.aside.finish(&mut Target { out: &mut self.out, repairs: &mut self.reader.repairs, unsaid });
            self.out.end_entry();
            self.entries.push(open.aside);
        }
    }

    fn before_the_root(&mut self, element: &Element<'a>) -> Result<(), ParseError> {
        self.reader.pass_over();
        let name = element.name.chars().take(MAX_NAME_CHARS).collect();
        // What comes in a page is part of the page, whatever it is called.
        if element.name == "html" {
            return Err(page::refusal(self.text, Some(name)));
        }
        self.first_name.get_or_insert(name);
        Ok(())
    }

    fn stray_text(&mut self, text: &str) {
        self.text_before_root |= self.format.is_none() && !text.trim().is_empty();
    }

    fn finish(mut self) -> Result<Canonical, ParseError> {
        let Some(format) = self.format else {
            return Err(page::refusal(self.text, self.first_name));
        };
        let truncated = self.reader.depth() > 0 || self.reader.broken_off();
        if let Some(open) = self.open.take() {
            self.out.take_back(open.out_length);
        }
        if truncated {
            self.reader.repairs.note(Repair::Truncated);
        }
        self.feed.finish(&mut Target { out: &mut self.out, repairs: &mut self.reader.repairs, unsaid: Unsaid::Plain });
        Ok(Canonical {
            atom: self.out.finish(),
            format,
            feed: self.feed,
            entries: self.entries,
            truncated,
            repairs: self.reader.repairs,
        })
    }
}

/// A text in Atom is plain where it does not say (RFC 4287 §3.1.1); in RSS nobody knows.
fn unsaid(format: &Option<DocumentFormat>) -> Unsaid {
    let is_atom = format.as_ref().is_some_and(|format| format.family == Family::Atom);
    if is_atom { Unsaid::Plain } else { Unsaid::Guess }
}

fn container(element: &Element) -> Option<Container> {
    match (element.namespace, &*element.name) {
        (Namespace::Core | Namespace::Rdf, "rdf") | (Namespace::Core, "rss" | "items") => Some(Container::Outer),
        (Namespace::Core, "feed" | "channel") => Some(Container::Feed),
        (namespace, name) if is_entry(namespace, name) => Some(Container::Entry),
        _ => None,
    }
}

fn is_entry(namespace: Namespace, name: &str) -> bool {
    namespace == Namespace::Core && matches!(name, "item" | "entry")
}

fn is_field(element: &Element) -> bool {
    entry_fields::is_field(element.namespace, &element.name) || feed_fields::is_field(element.namespace, &element.name)
}

/// The format by the root element, and by the namespace that it declares.
fn format_of(root: &Element) -> DocumentFormat {
    let namespaces = || root.attributes.iter().filter(|attribute| attribute.name.starts_with("xmlns"));
    let declares = |uri: &str| namespaces().any(|attribute| attribute.value.contains(uri));
    let (family, version) = match &*root.name {
        "feed" | "entry" if declares("purl.org/atom") || root.attribute("version").is_some() => {
            (Family::Atom, "0.3".to_owned())
        }
        "feed" | "entry" => (Family::Atom, "1.0".to_owned()),
        "rdf" if declares("netscape.com") => (Family::Rss, "0.90".to_owned()),
        "rdf" => (Family::Rss, "1.0".to_owned()),
        "channel" if declares("rss1.1") => (Family::Rss, "1.1".to_owned()),
        "channel" => (Family::Cdf, String::new()),
        _ => (Family::Rss, root.attribute("version").unwrap_or_default().to_owned()),
    };
    let version =
        version.chars().filter(|character| character.is_ascii_alphanumeric() || *character == '.').take(8).collect();
    DocumentFormat { family, version }
}
