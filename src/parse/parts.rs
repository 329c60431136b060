//! What the fields of entries and of feeds have in common: texts, links, persons, categories, dates, and where they are written.

use std::borrow::Cow;

use super::atom::AtomWriter;
use super::constructs::{self, Unsaid};
use super::dates;
use super::model::{ParsedCredit, ParsedLink, ParsedPerson};
use super::namespaces::Namespace;
use super::person;
use super::repairs::Repairs;
use super::token::RawAttribute;
use super::tree::{Element, XmlNode};
use crate::entry::Category;
use crate::time::Timestamp;

/// Terms that are read of one list of keywords.
const MAX_KEYWORDS: usize = 500;

/// Where fields go: the canonical document, and the list of what was mended.
pub(super) struct Target<'t> {
    pub out: &'t mut AtomWriter,
    pub repairs: &'t mut Repairs,
    /// How a text is read whose element does not say: the document is Atom, or it is not.
    pub unsaid: Unsaid,
}

impl Target<'_> {
    /// Writes a text the first time that it is there.
    pub(super) fn once(&mut self, seen: &mut bool, name: &str, element: &Element, unsaid: Unsaid) {
        if !*seen && let Some(text) = constructs::read(element, unsaid, self.repairs) {
            *seen = true;
            self.out.text(name, &text);
        }
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
    }

    /// `itunes:category`, and the ones within it.
    pub(super) fn itunes_category(&mut self, element: &Element) {
        let subcategories = element.elements().filter(|child| child.name == "category");
        let terms = std::iter::once(element).chain(subcategories).filter_map(|category| category.attribute("text"));
        terms.for_each(|term| self.term(term));
    }

    /// Categories in one text, between commas.
    pub(super) fn keywords(&mut self, element: &Element) {
        let text = element.text();
        let terms = text.split(',').map(str::trim).filter(|term| !term.is_empty());
        terms.take(MAX_KEYWORDS).for_each(|term| self.term(term));
    }

    fn term(&mut self, term: &str) {
        self.out.category(&Category { term: term.to_owned(), ..Category::default() });
    }
}

/// The best of several dates of one kind.
#[derive(Clone, Copy, Default)]
pub(super) struct Dated {
    kept: Option<(u8, Timestamp)>,
}

impl Dated {
    /// Takes in a date; of those that can be read, the first one of the lowest rank is kept.
    pub(super) fn take_in(&mut self, rank: u8, element: &Element, repairs: &mut Repairs) {
        let date = dates::noted(&element.text(), repairs);
        if let Some(timestamp) = date.filter(|_| self.kept.is_none_or(|(kept, _)| rank < kept)) {
            self.kept = Some((rank, timestamp));
        }
    }

    pub(super) fn timestamp(self) -> Option<Timestamp> {
        self.kept.map(|(_, timestamp)| timestamp)
    }
}

/// A link in Atom's form or in that of RSS.
pub(super) fn link(element: &Element) -> Option<ParsedLink> {
    let text = element.text();
    let href = element.attribute("href").or(Some(&*text).filter(|text| !text.is_empty()))?;
    Some(ParsedLink {
        href: resolved(href, element),
        rel: element.attribute("rel").unwrap_or("alternate").to_ascii_lowercase(),
        media_type: element.attribute("type").map(str::to_owned),
    })
}

/// A person in Atom's form, or as one string.
pub(super) fn person(element: &Element) -> Option<ParsedPerson> {
    // RDF wraps the parts once more.
    let inner = element.elements().find(|child| matches!(&*child.name, "person" | "agent" | "description"));
    let inner = inner.unwrap_or(element);
    let part = |names: &[&str]| {
        let child = inner.elements().find(|child| names.contains(&&*child.name));
        child.map(Element::text).filter(|text| !text.is_empty())
    };
    let (name, email, url) = (part(&["name"]), part(&["email", "mbox"]), part(&["uri", "url", "homepage"]));
    if name.is_none() && email.is_none() && url.is_none() {
        return person::parse(&element.text());
    }
    Some(ParsedPerson {
        name: name.map(Cow::into_owned),
        email: email.map(|email| email.trim_start_matches("mailto:").to_owned()),
        url: url.map(|url| resolved(&url, element)),
    })
}

/// Somebody's part in an entry or in all of a feed: `podcast:person`, `media:credit`.
pub(super) fn credit(element: &Element) -> Option<ParsedCredit> {
    let name = Some(element.text().into_owned()).filter(|name| !name.is_empty())?;
    let url = element.attribute("href").map(|url| resolved(url, element));
    Some(ParsedCredit { name, role: element.attribute("role").map(str::to_owned), url })
}

/// The address of a licence, as the element's text or in its attribute.
pub(super) fn license(element: &Element) -> Option<String> {
    let text = element.text();
    let attribute = element.prefixed_attribute("resource").or(element.attribute("href"));
    attribute.or(Some(&*text)).filter(|url| !url.is_empty()).map(|url| resolved(url, element))
}

/// A category in Atom's form or in that of RSS; its term is kept whole.
fn category(element: &Element) -> Option<Category> {
    let text = element.own_text();
    let attribute = |name| element.attribute(name).map(str::to_owned);
    let written = Some(text.into_owned()).filter(|text| !text.is_empty());
    let term = attribute("term").or(written).or_else(|| attribute("label"))?;
    Some(Category { term, scheme: attribute("scheme").or_else(|| attribute("domain")), label: attribute("label") })
}

/// A URL as far as it can be resolved where it stands.
pub(super) fn resolved(url: &str, element: &Element) -> String {
    let url = url.trim();
    let is_absolute = url.starts_with("http://") || url.starts_with("https://");
    let joined = element.base.as_ref().filter(|_| !is_absolute).and_then(|base| base.join(url).ok());
    joined.map_or_else(|| url.to_owned(), String::from)
}

/// A count that a publisher wrote, digit grouping allowed; zero says nothing.
pub(super) fn number(text: Option<&str>) -> Option<u64> {
    let digits: String = text?.chars().filter(|&character| character != ',' && character != ' ').collect();
    digits.parse().ok().filter(|&number| number > 0)
}

/// The fields that CDF writes as attributes, as the elements that they stand for.
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
