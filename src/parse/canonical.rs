//! Converts any XML feed to the canonical document: one Atom 1.0 document that feed-rs reads without errors.
//!
//! Atom 0.3, every version of RSS (also those in RDF) and CDF (Channel Definition Format) become Atom 1.0, so that one
//! reader can read them all. What Atom or feed-rs cannot represent is set aside, entry by entry (`EntryAside`). Each
//! entry's id in the canonical document is its number, so that `read` can join the two parts. The conversion takes time
//! linear in the document's size, and records the repairs that it makes.
//!
//! A pass over the document makes two assumptions: an entry inside an entry is part of the outer entry's content, and
//! the feed's link comes before the feed's entries. If the document proves one of the assumptions wrong, another pass
//! runs without it. There are at most three passes.

use std::cell::Cell;
use std::sync::Arc;

use url::Url;
use xxhash_rust::xxh3::xxh3_64;

use super::ParseError;
use super::atom::AtomWriter;
use super::constructs::DefaultKind;
use super::entry_aside::EntryAside;
use super::entry_fields;
use super::feed_fields::{self, FeedAside};
use super::model::{DocumentFormat, Family};
use super::namespaces::{self, Namespace};
use super::page;
use super::parts::{self, Target};
use super::repairs::Repairs;
use super::tree::{Element, MAX_BASE_BYTES, Opening, TreeEvent, TreeReader};
use crate::feed::RepairKind;

/// The most entries of a document that are read. Later ones are dropped and reported as a repair.
const MAX_ENTRIES: usize = 5_000;
/// The most fields of one entry, or of the feed itself, that are read.
const MAX_FIELDS: usize = 2_000;
/// How deep feed containers (`rss`, `channel`, `feed` and the like) may nest. Deeper ones are skipped.
const MAX_CONTAINERS: usize = 32;
/// The canonical document may be at most this many times as long as the original. If it becomes longer, reading fails.
/// Real documents stay below the limit, although an escaped character can take six bytes and relative URLs become
/// absolute.
const MAX_GROWTH: usize = 8;
/// The canonical document may have this many bytes in addition, so that small documents do not reach the limit.
const LEAST_GROWTH_BYTES: usize = 1 << 20;
/// How many characters of an element's name an error shows.
const MAX_NAME_CHARS: usize = 40;

/// The canonical document, and the parts of the original that it cannot hold.
pub(super) struct Canonical {
    /// The canonical document.
    pub atom: String,
    pub format: DocumentFormat,
    pub feed: FeedAside,
    /// What was set aside for each entry. The index is the entry's number.
    pub entries: Vec<EntryAside>,
    pub truncated: bool,
    pub repairs: Repairs,
}

/// Converts a document to the canonical form. `base` is the base of the document's relative URLs.
///
/// # Errors
/// Fails if the document is not a feed (an HTML page, or something else), or if reading it takes too much work.
pub(super) fn canonicalise(text: &str, base: Option<&Url>, repairs: Repairs) -> Result<Canonical, ParseError> {
    let base = base.cloned().map(Arc::new);
    let mut assumed = Assumed::default();
    loop {
        match pass(text, base.clone(), repairs.clone(), assumed)? {
            Passed::Done(canonical) => return Ok(*canonical),
            Passed::Again(corrected) => assumed = corrected,
        }
    }
}

/// What a pass assumes about the document. Each assumption is corrected at most once.
#[derive(Clone, Default)]
struct Assumed {
    /// Whether entries lack their end tags. If so, the start of an entry inside another entry ends the outer entry.
    entries_end_entries: bool,
    /// The address of the feed's page, if an earlier pass found it only after entries.
    site: Option<Arc<Url>>,
}

enum Passed {
    Done(Box<Canonical>),
    /// An assumption was wrong. The document must be read again with these assumptions.
    Again(Assumed),
}

fn pass(text: &str, base: Option<Arc<Url>>, repairs: Repairs, assumed: Assumed) -> Result<Passed, ParseError> {
    let mut pass = CanonicalPass {
        text,
        reader: TreeReader::new(text, base.clone(), repairs),
        document_base: base,
        site: None,
        has_entries_before_site: false,
        holds_entries: false,
        passed_over_entries: false,
        is_soup: false,
        assumed,
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
        if pass.is_soup {
            return Ok(Passed::Again(Assumed { entries_end_entries: true, ..pass.assumed }));
        }
        if pass.out.length() > text.len().saturating_mul(MAX_GROWTH).saturating_add(LEAST_GROWTH_BYTES) {
            return Err(ParseError::TooMuchWork);
        }
    }
    if pass.reader.is_out_of_steps() {
        return Err(ParseError::TooMuchWork);
    }
    pass.finish()
}

struct CanonicalPass<'a> {
    text: &'a str,
    reader: TreeReader<'a>,
    assumed: Assumed,
    /// The document's own URL. It is the base of relative URLs wherever no `xml:base` is set.
    document_base: Option<Arc<Url>>,
    /// The address of the feed's page. It is always `None` for Atom.
    site: Option<Arc<Url>>,
    /// Whether an entry that needs the address of the feed's page came before that address.
    has_entries_before_site: bool,
    /// Whether the current entry contains another entry.
    holds_entries: bool,
    /// Whether entries inside an extension element of the feed were skipped.
    passed_over_entries: bool,
    /// Whether an entry or a field that contains an entry has no end tag. The inner entry is then really the next entry
    /// of the feed.
    is_soup: bool,
    out: AtomWriter,
    /// The open containers, outermost first.
    containers: Vec<Container>,
    format: Option<DocumentFormat>,
    /// The name of the first element outside a feed, for the error message.
    first_name: Option<String>,
    text_before_root: bool,
    feed: FeedAside,
    feed_fields: usize,
    open: Option<OpenEntry>,
    entries: Vec<EntryAside>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Container {
    /// `rss`, `rdf:RDF`, or the `items` of RSS 1.1.
    Outer,
    /// `feed` or `channel`.
    Feed,
    Entry,
}

struct OpenEntry {
    aside: EntryAside,
    /// The byte position of the entry's start tag in the document, where the text for `raw_hash` begins.
    at: usize,
    /// The length of the canonical document before this entry. If the entry turns out to be cut off, everything after
    /// it is removed.
    out_length: usize,
    fields: usize,
}

impl<'a> CanonicalPass<'a> {
    fn start(&mut self, mut element: Element<'a>, opening: &Opening) -> Result<(), ParseError> {
        if self.format.is_none() && element.namespace == Namespace::Unknown && matches!(&*element.name, "rss" | "rdf") {
            self.reader.adopt(&mut element);
        }
        match container(&element) {
            Some(Container::Entry) if self.in_entry() && !self.assumed.entries_end_entries => {
                self.holds_entries = true;
                self.start_field(element, opening);
            }
            Some(Container::Entry) => self.start_container(Container::Entry, element, opening),
            Some(container) if !self.in_entry() && self.reader.depth() < MAX_CONTAINERS => {
                self.start_container(container, element, opening);
            }
            _ if self.format.is_none() => return self.before_the_root(&element),
            _ => self.start_field(element, opening),
        }
        Ok(())
    }

    fn start_container(&mut self, container: Container, mut element: Element<'a>, opening: &Opening) {
        if self.format.is_none() {
            self.format = Some(format_of(&element));
            if self.first_name.is_some() || self.text_before_root {
                self.reader.repairs.note(RepairKind::JunkBeforeRoot);
            }
        }
        if self.in_entry() {
            self.reader.repairs.note(RepairKind::UnclosedTags);
            while self.in_entry() {
                self.leave(opening.at, false);
            }
        }
        let default_base = (container == Container::Entry).then(|| self.entry_base(&element)).flatten();
        element.base = default_base.clone().or(element.base);
        self.reader.enter(&element, opening);
        self.containers.push(container);
        match container {
            Container::Outer | Container::Feed => self.feed.root(&element),
            Container::Entry => self.start_entry(&element, default_base, opening.at),
        }
        if container != Container::Outer {
            parts::of_attributes(&element).into_iter().for_each(|field| self.field(field));
        }
    }

    /// Returns the base URL of an entry without `xml:base`. In Atom it is the document's URL. In other formats it is
    /// the address of the feed's page, or the document's URL if that address is unknown. Returns `None` if the entry
    /// has an `xml:base`.
    fn entry_base(&mut self, element: &Element) -> Option<Arc<Url>> {
        if !self.is_default_base(&element.base) {
            return None;
        }
        if default_kind(&self.format) == DefaultKind::Plain {
            return self.document_base.clone();
        }
        self.has_entries_before_site |= self.site.is_none();
        self.assumed.site.clone().or(self.site.clone()).or(self.document_base.clone())
    }

    /// Returns whether a base URL is the document's own URL, that is, whether no `xml:base` has set it.
    fn is_default_base(&self, base: &Option<Arc<Url>>) -> bool {
        parts::given_base(base, &self.document_base).is_none()
    }

    fn start_entry(&mut self, element: &Element<'a>, default_base: Option<Arc<Url>>, at: usize) {
        self.holds_entries = false;
        if self.entries.len() >= MAX_ENTRIES {
            self.reader.repairs.note(RepairKind::TooManyEntries);
            return;
        }
        if self.containers.len() > 1 && !self.containers.contains(&Container::Feed) && self.is_plain_rss() {
            self.reader.repairs.note(RepairKind::MisplacedEntries);
        }
        let out_length = self.out.length();
        self.out.begin_entry(self.entries.len());
        self.open = Some(OpenEntry { aside: EntryAside::new(element, default_base), at, out_length, fields: 0 });
    }

    /// Returns whether the feed is of an RSS version whose items are inside the channel: any except 0.90, 1.0 and 1.1.
    fn is_plain_rss(&self) -> bool {
        self.format.as_ref().is_some_and(|format| {
            format.family == Family::Rss && !matches!(format.version.as_str(), "0.90" | "1.0" | "1.1")
        })
    }

    fn start_field(&mut self, element: Element<'a>, opening: &Opening) {
        let is_own = element.namespace == Namespace::Core && !declares_another_vocabulary(&element);
        let is_source = is_own && element.name == "source";
        let ends_at_entry = !is_source && (self.assumed.entries_end_entries || is_own && !self.in_entry());
        let holds_entries = Cell::new(false);
        let field = self.reader.field(element, opening, |namespace, name| {
            let is_entry = is_entry(namespace, name);
            holds_entries.set(holds_entries.get() || is_entry);
            is_entry && ends_at_entry
        });
        let mut element = field.element;
        if holds_entries.get() && !ends_at_entry && !is_source {
            self.passed_over_entries |= !self.in_entry();
            // If the document was cut off inside the content, a missing end tag proves nothing.
            let is_cut_content = self.reader.is_at_end() && (!is_own || element.name == "content");
            self.is_soup |= !field.closed && !is_cut_content;
        }
        let swallowed = if field.closed { Vec::new() } else { element.split_off_swallowed(is_field) };
        self.field(element);
        swallowed.into_iter().for_each(|field| self.field(field));
    }

    fn field(&mut self, mut element: Element) {
        let in_entry = self.in_entry();
        parts::unwrap_sections(&mut element, &mut self.reader.repairs);
        if !in_entry {
            self.at_site(&mut element);
        }
        let mut target = Target {
            out: &mut self.out,
            repairs: &mut self.reader.repairs,
            default_kind: default_kind(&self.format),
            document_base: &self.document_base,
        };
        match &mut self.open {
            Some(open) if open.fields < MAX_FIELDS => {
                open.fields += 1;
                entry_fields::field(&element, &mut open.aside, &mut target);
            }
            None if !in_entry && self.feed_fields < MAX_FIELDS => {
                self.feed_fields += 1;
                feed_fields::field(&element, &mut self.feed, &mut target);
            }
            Some(_) => target.repairs.note(RepairKind::TooManyFields),
            None if !in_entry => target.repairs.note(RepairKind::TooManyFields),
            // The entry is beyond `MAX_ENTRIES`.
            None => {}
        }
    }

    /// Takes the address of the feed's page from the feed's link, and makes it the base URL of the feed's later fields.
    /// Does nothing for Atom.
    fn at_site(&mut self, element: &mut Element) {
        if default_kind(&self.format) == DefaultKind::Plain || !self.is_default_base(&element.base) {
            return;
        }
        if element.namespace != Namespace::Core || element.name != "link" {
            element.base = self.site.clone().or(element.base.take());
        } else if self.site.is_none()
            && let Some(link) = parts::link(element, &self.document_base).filter(|link| link.rel == "alternate")
        {
            let url = Url::parse(&link.href).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
            self.site = url.filter(|url| url.as_str().len() <= MAX_BASE_BYTES).map(Arc::new);
        }
    }

    fn in_entry(&self) -> bool {
        self.containers.contains(&Container::Entry)
    }

    fn end(&mut self, count: usize) {
        for inner in (0..count).rev() {
            self.leave(self.reader.position(), inner == 0);
        }
    }

    /// Leaves the innermost container. The text of the container ends at the byte position `end`. `is_closed` says
    /// whether the container has its own end tag.
    fn leave(&mut self, end: usize, is_closed: bool) {
        self.reader.leave();
        let is_entry = self.containers.pop() == Some(Container::Entry);
        self.is_soup |= is_entry && self.holds_entries && !is_closed && !self.assumed.entries_end_entries;
        if is_entry && let Some(mut open) = self.open.take() {
            open.aside.entry.raw_hash = xxh3_64(&self.text.as_bytes()[open.at..end.max(open.at)]);
            open.aside.finish(&mut self.out);
            self.out.end_entry();
            self.entries.push(open.aside);
        }
    }

    fn before_the_root(&mut self, element: &Element<'a>) -> Result<(), ParseError> {
        self.reader.pass_over();
        let name = element.name.chars().take(MAX_NAME_CHARS).collect();
        // An element inside an HTML page is part of the page, even if it has the name of a feed element, such as
        // `channel`.
        if element.name == "html" {
            return Err(page::refusal(self.text, Some(name)));
        }
        self.first_name.get_or_insert(name);
        Ok(())
    }

    fn stray_text(&mut self, text: &str) {
        self.text_before_root |= self.format.is_none() && !text.trim().is_empty();
    }

    fn finish(mut self) -> Result<Passed, ParseError> {
        let Some(format) = self.format else {
            return Err(page::refusal(self.text, self.first_name));
        };
        let has_nested_only = self.passed_over_entries && self.entries.is_empty();
        if (self.open.is_some() && self.holds_entries || has_nested_only) && !self.assumed.entries_end_entries {
            return Ok(Passed::Again(Assumed { entries_end_entries: true, ..self.assumed }));
        }
        if self.has_entries_before_site && self.site.is_some() && self.assumed.site.is_none() {
            return Ok(Passed::Again(Assumed { site: self.site, ..self.assumed }));
        }
        let truncated = self.reader.depth() > 0 || self.reader.broken_off();
        if let Some(open) = self.open.take() {
            self.out.truncate(open.out_length);
        }
        if truncated {
            self.reader.repairs.note(RepairKind::Truncated);
        }
        self.feed.finish(&mut self.out);
        self.feed.site = self.site;
        Ok(Passed::Done(Box::new(Canonical {
            atom: self.out.finish(),
            format,
            feed: self.feed,
            entries: self.entries,
            truncated,
            repairs: self.reader.repairs,
        })))
    }
}

/// Returns whether the `xmlns` attribute of an element declares a vocabulary that newswire does not read.
fn declares_another_vocabulary(element: &Element) -> bool {
    let own = element.attributes.iter().find(|attribute| attribute.name == "xmlns");
    own.is_some_and(|uri| namespaces::by_uri(&uri.value).is_none())
}

/// Returns how to read text of undeclared type. Atom says that it is plain (RFC 4287 §3.1.1). RSS does not say, so the
/// text itself decides.
fn default_kind(format: &Option<DocumentFormat>) -> DefaultKind {
    let is_atom = format.as_ref().is_some_and(|format| format.family == Family::Atom);
    if is_atom { DefaultKind::Plain } else { DefaultKind::Guess }
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

/// Returns the format that the root element and its namespaces show.
fn format_of(root: &Element) -> DocumentFormat {
    let declared = || root.attributes.iter().filter(|attribute| attribute.name.starts_with("xmlns"));
    let declares = |uri: &str| declared().any(|attribute| attribute.value.trim_end_matches('/').ends_with(uri));
    let prefix = root.qualified.split_once(':').map(|(prefix, _)| prefix);
    let is_own = |name: &str| name.strip_prefix("xmlns").is_some_and(|rest| rest.strip_prefix(':') == prefix);
    let own = declared().find(|attribute| is_own(attribute.name));
    let own = own.map(|attribute| attribute.value.to_ascii_lowercase()).unwrap_or_default();
    let version = root.attribute("version").unwrap_or_default();
    let (family, version) = match &*root.name {
        "feed" | "entry" if own.contains("purl.org/atom/ns") => (Family::Atom, "0.3"),
        "feed" | "entry" if own.contains("w3.org/2005/atom") || !version.starts_with("0.") => (Family::Atom, "1.0"),
        "feed" | "entry" => (Family::Atom, version),
        "rdf" if declares("netscape.com/rdf/simple/0.9") && !declares("purl.org/rss/1.0") => (Family::Rss, "0.90"),
        "rdf" => (Family::Rss, "1.0"),
        "channel" if own.contains("rss1.1") => (Family::Rss, "1.1"),
        "channel" if root.attribute("href").is_some() || root.qualified == "CHANNEL" => (Family::Cdf, ""),
        _ => (Family::Rss, version),
    };
    let version =
        version.chars().filter(|character| character.is_ascii_alphanumeric() || *character == '.').take(8).collect();
    DocumentFormat { family, version }
}
