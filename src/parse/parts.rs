//! Reads the kinds of fields that entries and feeds have in common: texts, links, persons, categories and dates. Writes
//! them to the canonical document.

use std::borrow::Cow;
use std::sync::Arc;

use url::Url;

use super::atom::AtomWriter;
use super::constructs::{self, DefaultKind};
use super::dates;
use super::model::{ParsedCredit, ParsedLink, ParsedPerson};
use super::namespaces::Namespace;
use super::person;
use super::repairs::Repairs;
use super::token::RawAttribute;
use super::tree::{Element, XmlNode};
use crate::entry::Category;
use crate::feed::RepairKind;
use crate::time::Timestamp;

/// The most keywords that are read from one list.
const MAX_KEYWORDS: usize = 500;

/// The properties of a text that the canonical document cannot hold.
#[derive(Default)]
pub(super) struct TextAside {
    pub base: Option<Arc<Url>>,
    /// Whether line breaks separate lines: see [`ParsedText`](super::model::ParsedText).
    pub has_lines: bool,
}

/// Where fields are written: the canonical document, and the list of repairs.
pub(super) struct Target<'t> {
    pub out: &'t mut AtomWriter,
    pub repairs: &'t mut Repairs,
    /// How to read a text of undeclared kind. It depends on whether the document is Atom.
    pub default_kind: DefaultKind,
    /// The base URL of the whole document.
    pub document_base: &'t Option<Arc<Url>>,
}

impl Target<'_> {
    /// Writes a text, unless one of the same kind was written already (`seen`).
    pub(super) fn once(&mut self, seen: &mut bool, name: &str, element: &Element, default_kind: DefaultKind) {
        self.first(seen, name, element, default_kind);
    }

    /// Writes a text, unless one of the same kind was written already (`seen`). Returns the properties of the text that
    /// the canonical document cannot hold.
    pub(super) fn first(
        &mut self,
        seen: &mut bool,
        name: &str,
        element: &Element,
        default_kind: DefaultKind,
    ) -> Option<TextAside> {
        if *seen {
            return None;
        }
        let text = constructs::read(element, default_kind, self.repairs)?;
        *seen = true;
        self.out.text(name, &text);
        Some(TextAside { base: text.base, has_lines: text.has_lines })
    }

    pub(super) fn person(&mut self, role: &str, element: &Element) {
        if let Some(person) = person(element) {
            self.out.person(role, &person);
        }
    }

    pub(super) fn category(&mut self, element: &Element) {
        if let Some(category) = category(element) {
            self.out.category(&category);
        }
        let inner = element.elements().filter(|child| child.name == element.name);
        inner.filter_map(category).for_each(|category| self.out.category(&category));
    }

    /// Writes `itunes:category`, and the categories inside it.
    pub(super) fn itunes_category(&mut self, element: &Element) {
        let subcategories = element.elements().filter(|child| child.name == "category");
        let terms = std::iter::once(element).chain(subcategories).filter_map(|category| category.attribute("text"));
        terms.for_each(|term| self.term(term));
    }

    /// Writes the categories that one comma-separated text lists.
    pub(super) fn keywords(&mut self, element: &Element) {
        let text = element.text();
        let terms = text.split(',').map(str::trim).filter(|term| !term.is_empty());
        terms.take(MAX_KEYWORDS).for_each(|term| self.term(term));
    }

    fn term(&mut self, term: &str) {
        self.out.category(&Category { term: term.to_owned(), ..Category::default() });
    }
}

/// The most reliable of several dates of one kind.
#[derive(Clone, Copy, Default)]
pub(super) struct Dated {
    kept: Option<(u8, Timestamp)>,
}

impl Dated {
    /// Takes a date. The readable date of the lowest rank is kept. If several have that rank, the first is kept.
    pub(super) fn offer(&mut self, rank: u8, element: &Element, repairs: &mut Repairs) {
        let date = dates::noted(&element.text(), repairs);
        if let Some(timestamp) = date.filter(|_| self.kept.is_none_or(|(kept, _)| rank < kept)) {
            self.kept = Some((rank, timestamp));
        }
    }

    pub(super) fn timestamp(self) -> Option<Timestamp> {
        self.kept.map(|(_, timestamp)| timestamp)
    }
}

/// Reads a link in the form of Atom or of RSS. `default_base` is the link's base URL if there is no `xml:base`.
pub(super) fn link(element: &Element, default_base: &Option<Arc<Url>>) -> Option<ParsedLink> {
    let text = element.text();
    let written = element.attribute("href").or(Some(&*text).filter(|text| !text.is_empty()));
    let href = match written {
        // Words in the place of a URL stay as they are. They can identify an entry, but they are not an address.
        Some(words) if is_words(words) => words.to_owned(),
        Some(href) => resolved(href, element),
        // RFC 3986 §5.2: an empty reference means the base URL. A base URL from an `xml:base` can be the entry's page.
        // The address of the document cannot.
        None if element.attributes.iter().any(|attribute| attribute.name.eq_ignore_ascii_case("href")) => {
            given_base(&element.base, default_base)?.to_string()
        }
        None => return None,
    };
    Some(ParsedLink { href, rel: relation(element), media_type: element.attribute("type").map(str::to_owned) })
}

/// Returns a base URL if an `xml:base` has set it. Returns `None` if it is the default.
pub(super) fn given_base<'b>(base: &'b Option<Arc<Url>>, default_base: &Option<Arc<Url>>) -> Option<&'b Arc<Url>> {
    base.as_ref().filter(|base| !default_base.as_ref().is_some_and(|default| Arc::ptr_eq(base, default)))
}

/// Returns the relation of a link, in lower case. A registered relation may be written as its IRI (RFC 4287 §4.2.7.2);
/// its name is returned.
fn relation(element: &Element) -> String {
    const REGISTRIES: [&str; 3] =
        ["assignments/relation/", "assignments/link-relations/", "assignments/link-relations#"];
    let written = element.attribute("rel").unwrap_or("alternate").to_ascii_lowercase();
    let Some((_, rest)) = written.split_once("://") else { return written };
    let path = rest.trim_start_matches("www.").strip_prefix("iana.org/");
    let registered = path.and_then(|path| REGISTRIES.iter().find_map(|known| path.strip_prefix(known)));
    registered.map(str::to_owned).unwrap_or(written)
}

/// Removes the marks of escaped CDATA sections from a field and from its parts.
pub(super) fn unwrap_sections(field: &mut Element, repairs: &mut Repairs) {
    for node in &mut field.children {
        match node {
            XmlNode::Text(text) => unwrap_section(text, repairs),
            XmlNode::Element(part) => {
                if let [XmlNode::Text(text)] = part.children.as_mut_slice() {
                    unwrap_section(text, repairs);
                }
            }
        }
    }
}

fn unwrap_section(text: &mut Cow<str>, repairs: &mut Repairs) {
    if let Some(inside) = constructs::unwrapped(text.trim(), false) {
        repairs.note(RepairKind::EscapedSections);
        *text = Cow::Owned(inside);
    }
}

/// Reads a person in the form of Atom, or as one string.
pub(super) fn person(element: &Element) -> Option<ParsedPerson> {
    // RDF puts the parts into one more element.
    let inner = element.elements().find(|child| matches!(&*child.name, "person" | "agent" | "description"));
    let inner = inner.unwrap_or(element);
    let part = |names: &[&str]| {
        let child = inner.elements().find(|child| names.contains(&&*child.name))?;
        let text = Some(child.text()).filter(|text| !text.is_empty());
        text.or_else(|| child.prefixed_attribute("resource").map(Cow::Borrowed))
    };
    let (name, email, url) = (part(&["name"]), part(&["email", "mbox"]), part(&["uri", "url", "homepage"]));
    if name.is_none() && email.is_none() && url.is_none() {
        return person::parse(&element.text());
    }
    let address = url.as_deref().and_then(person::email);
    let url = url.filter(|_| address.is_none());
    Some(ParsedPerson {
        name: name.map(Cow::into_owned),
        email: email.map(|email| person::email(&email).unwrap_or_else(|| email.into_owned())).or(address),
        url: url.map(|url| resolved(&url, element)),
    })
}

/// Reads a credit, which names a person with a part in an entry or in a whole feed: `podcast:person`, `media:credit`.
pub(super) fn credit(element: &Element) -> Option<ParsedCredit> {
    let name = Some(element.text().into_owned()).filter(|name| !name.is_empty())?;
    let url = element.attribute("href").map(|url| resolved(url, element));
    Some(ParsedCredit { name, role: element.attribute("role").map(str::to_owned), url })
}

/// Returns the URL of a licence, from an attribute of the element or from its text.
pub(super) fn license(element: &Element) -> Option<String> {
    let text = element.text();
    let attribute = element.prefixed_attribute("resource").or(element.attribute("href"));
    attribute.or(Some(&*text)).filter(|url| !url.is_empty()).map(|url| resolved(url, element))
}

/// Reads a category in the form of Atom or of RSS. The term is not split, even if it contains commas.
fn category(element: &Element) -> Option<Category> {
    let holds_categories = element.elements().any(|child| child.name == element.name);
    let text = if holds_categories { element.own_text() } else { element.text() };
    let attribute = |name| element.attribute(name).map(str::to_owned);
    let written = Some(text.into_owned()).filter(|text| !text.is_empty());
    let term = attribute("term").or(written).or_else(|| attribute("label"))?;
    Some(Category { term, scheme: attribute("scheme").or_else(|| attribute("domain")), label: attribute("label") })
}

/// Returns whether a text in the place of a URL is words and not a URL. An absolute URL may contain spaces, though it
/// should not.
pub fn is_words(text: &str) -> bool {
    let is_absolute = text.starts_with("http://") || text.starts_with("https://");
    let is_none = ["n/a", "none", "null"].iter().any(|none| text.eq_ignore_ascii_case(none));
    is_none || !is_absolute && text.contains(char::is_whitespace)
}

/// Resolves a URL against the base URL of its element. Without a base URL, returns the URL as it is.
pub(super) fn resolved(url: &str, element: &Element) -> String {
    let url = url.trim();
    let is_absolute = url.starts_with("http://") || url.starts_with("https://");
    let joined = element.base.as_ref().filter(|_| !is_absolute).and_then(|base| base.join(url).ok());
    joined.map_or_else(|| url.to_owned(), String::from)
}

/// Parses a count that a publisher writes, perhaps with digit grouping. Returns `None` for zero, which only means that
/// the count is unknown.
pub(super) fn number(text: Option<&str>) -> Option<u64> {
    let digits: String = text?.chars().filter(|&character| character != ',' && character != ' ').collect();
    digits.parse().ok().filter(|&number| number > 0)
}

/// Returns the attributes of an element that are fields in CDF, as elements.
pub(super) fn of_attributes<'a>(element: &Element<'a>) -> Vec<Element<'a>> {
    let field = |name: &'static str, attribute: &RawAttribute<'a>| Element {
        namespace: Namespace::Core,
        qualified: name,
        name: Cow::Borrowed(name),
        attributes: Vec::new(),
        children: vec![XmlNode::Text(attribute.value.clone())],
        base: element.base.clone(),
        language: None,
    };
    let fields = element.attributes.iter().filter_map(|attribute| match attribute.name {
        "HREF" | "Href" | "href" => Some(field("link", attribute)),
        "LASTMOD" | "LastMod" | "lastmod" => Some(field("pubdate", attribute)),
        _ => None,
    });
    fields.collect()
}
