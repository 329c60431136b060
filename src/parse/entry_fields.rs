//! The fields of an entry: where each goes in the canonical document, and what is set aside.

use std::borrow::Cow;
use std::sync::Arc;

use url::Url;

use super::atom::AtomWriter;
use super::constructs::{self, Unsaid};
use super::dates;
use super::feed_fields::{atom_or_rss_link, attribute_field};
use super::media;
use super::model::{ParsedEnclosure, ParsedEntry, ParsedPerson, ParsedSource, ParsedText};
use super::namespaces::Namespace;
use super::person;
use super::repairs::{Repair, Repairs};
use super::tree::Element;
use crate::entry::Category;
use crate::time::Timestamp;

/// What of an entry has no place in the canonical document, or must be decided when all is read.
pub(super) struct EntryAside {
    /// Half of the entry; the other half comes through the canonical document.
    pub entry: ParsedEntry,
    /// Its guid is an address too, unless it says no.
    pub permalink: bool,
    pub guid: Option<String>,
    pub summary_base: Option<Arc<Url>>,
    pub content_base: Option<Arc<Url>>,
    /// What stands in where the entry has no title, or no summary: media and itunes elements.
    pub other_title: Option<ParsedText>,
    pub other_summary: Option<ParsedText>,
    /// What stands beside an RSS description, which then is the content.
    pub short_summary: Option<ParsedText>,
    about: Option<String>,
    /// With how sure each is; the lower the surer.
    originals: Vec<(u8, String)>,
    seen: Seen,
    published: Option<(u8, Timestamp)>,
    updated: Option<(u8, Timestamp)>,
}

#[derive(Default)]
struct Seen {
    title: bool,
    summary: bool,
    content: bool,
    rights: bool,
}

impl EntryAside {
    pub(super) fn new(element: &Element) -> Self {
        let about = element.prefixed_attribute("about").or(element.attribute("about"));
        let language = element.language.as_deref().map(str::to_owned);
        EntryAside {
            entry: ParsedEntry { language, ..ParsedEntry::default() },
            permalink: true,
            guid: None,
            summary_base: None,
            content_base: None,
            other_title: None,
            other_summary: None,
            short_summary: None,
            about: about.map(str::to_owned),
            originals: Vec::new(),
            seen: Seen::default(),
            published: None,
            updated: None,
        }
    }

    /// Decides what had to wait for the last field.
    pub(super) fn finish(&mut self, out: &mut AtomWriter) {
        if let Some((_, published)) = self.published {
            out.date("published", published);
        }
        if let Some((_, updated)) = self.updated {
            out.date("updated", updated);
        }
        if self.guid.is_none() {
            self.guid = self.about.take();
        }
        self.originals.sort_by_key(|&(rank, _)| rank);
        self.entry.originals = self.originals.drain(..).map(|(_, original)| original).collect();
    }
}

/// The attributes of a CDF item, as the elements that they stand for.
pub(super) fn of_attributes<'a>(item: &Element<'a>) -> Vec<Element<'a>> {
    let fields = item.attributes.iter().filter_map(|attribute| match attribute.name.to_ascii_lowercase().as_str() {
        "href" => Some(attribute_field(item, "link", attribute)),
        "lastmod" => Some(attribute_field(item, "pubdate", attribute)),
        _ => None,
    });
    fields.collect()
}

/// Whether an element of that name is a field of an entry.
pub(super) fn is_field(namespace: Namespace, name: &str) -> bool {
    match namespace {
        Namespace::Core => matches!(
            name,
            "title"
                | "link"
                | "guid"
                | "id"
                | "pubdate"
                | "published"
                | "issued"
                | "updated"
                | "modified"
                | "description"
                | "summary"
                | "content"
                | "author"
                | "contributor"
                | "category"
                | "comments"
                | "enclosure"
                | "source"
                | "rights"
        ),
        Namespace::Unknown | Namespace::Xhtml => false,
        _ => true,
    }
}

/// Takes in one field of an entry. `atom` says whether the document is Atom, whose texts are plain where they do not say.
pub(super) fn field(
    element: &Element,
    atom: bool,
    aside: &mut EntryAside,
    out: &mut AtomWriter,
    repairs: &mut Repairs,
) {
    let unsaid = if atom { Unsaid::Plain } else { Unsaid::Guess };
    match (element.namespace, &*element.name) {
        (Namespace::Core | Namespace::DublinCore, "title") => {
            once(&mut aside.seen.title, "title", element, unsaid, out, repairs)
        }
        (Namespace::Core, "description" | "abstract") => summary(element, Unsaid::Html, aside, out, repairs),
        (Namespace::Core, "summary") if atom => summary(element, unsaid, aside, out, repairs),
        (Namespace::Core, "summary") => set_other(&mut aside.short_summary, constructs::read(element, unsaid, repairs)),
        (Namespace::DublinCore, "description") => {
            set_other(&mut aside.other_summary, constructs::read(element, unsaid, repairs))
        }
        (Namespace::Core, "content") => content(element, unsaid, aside, out, repairs),
        (Namespace::Content, "encoded") | (Namespace::Core, "encoded" | "fullitem") => {
            content(element, Unsaid::Html, aside, out, repairs)
        }
        (Namespace::Xhtml, "body" | "div") | (Namespace::Core, "body") => {
            content(element, Unsaid::Html, aside, out, repairs)
        }
        (Namespace::Core, "rights" | "copyright") | (Namespace::DublinCore, "rights") => {
            once(&mut aside.seen.rights, "rights", element, unsaid, out, repairs);
        }
        (Namespace::Core, "link") => link(element, aside, out),
        (Namespace::Core, "guid" | "id") => guid(element, aside),
        (Namespace::Core, "pubdate" | "published") => date(element, 0, &mut aside.published, repairs),
        (Namespace::Core | Namespace::Terms, "issued") => date(element, 1, &mut aside.published, repairs),
        (Namespace::DublinCore | Namespace::Terms, "date") => date(element, 2, &mut aside.published, repairs),
        (Namespace::Core | Namespace::Terms, "created") => date(element, 3, &mut aside.published, repairs),
        (Namespace::Core, "updated") => date(element, 0, &mut aside.updated, repairs),
        (Namespace::Core | Namespace::Terms, "modified" | "lastbuilddate") => {
            date(element, 1, &mut aside.updated, repairs)
        }
        (Namespace::Core | Namespace::DublinCore, "author")
        | (Namespace::DublinCore, "creator")
        | (Namespace::Itunes, "author") => {
            person(element, "author", out);
        }
        (Namespace::Core | Namespace::DublinCore, "contributor") => person(element, "contributor", out),
        (Namespace::Core, "category") | (Namespace::DublinCore, "subject") => push_category(category(element), out),
        (Namespace::Core, "categories") => element.elements().for_each(|child| push_category(category(child), out)),
        (Namespace::Core, "tags" | "keywords") => media::keywords(element, out),
        (Namespace::Core, "comments") => set_text(&mut aside.entry.comments, element),
        (Namespace::Core, "enclosure") => enclosure(element, aside),
        (Namespace::Core, "source") => {
            aside.entry.source = source(element, repairs).map(Box::new).or(aside.entry.source.take())
        }
        (Namespace::DublinCore, "source") => original(element, 3, aside),
        (Namespace::Feedburner, "origlink") => original(element, 0, aside),
        (Namespace::DublinCore, "language") => {
            aside.entry.language = Some(element.text().into_owned()).filter(|text| !text.is_empty())
        }
        (Namespace::Core, "logo") => set_text(&mut aside.entry.image, element),
        (Namespace::Core, "image") => {
            if let Some(url) = element.elements().find(|child| child.name == "url") {
                set_text(&mut aside.entry.image, url);
            }
        }
        (Namespace::Media, _) => media::media(element, aside, out, repairs),
        (Namespace::Itunes, _) => media::itunes(element, aside, out, repairs),
        (Namespace::Podcast, _) => media::podcast(element, aside),
        _ => {}
    }
}

/// Writes a text the first time that it is there.
fn once(seen: &mut bool, name: &str, element: &Element, unsaid: Unsaid, out: &mut AtomWriter, repairs: &mut Repairs) {
    if !*seen && let Some(text) = constructs::read(element, unsaid, repairs) {
        *seen = true;
        out.text(name, &text);
    }
}

fn summary(element: &Element, unsaid: Unsaid, aside: &mut EntryAside, out: &mut AtomWriter, repairs: &mut Repairs) {
    aside.summary_base = element.base.clone().filter(|_| !aside.seen.summary).or(aside.summary_base.take());
    once(&mut aside.seen.summary, "summary", element, unsaid, out, repairs);
}

fn content(element: &Element, unsaid: Unsaid, aside: &mut EntryAside, out: &mut AtomWriter, repairs: &mut Repairs) {
    if let Some(src) = element.attribute("src") {
        let media_type = element.attribute("type").map(str::to_owned);
        if media_type.as_deref().is_none_or(|media_type| media_type.contains("html")) {
            out.link("content", &resolved(src, element), media_type.as_deref());
        } else {
            aside.push_enclosure(ParsedEnclosure {
                url: resolved(src, element),
                media_type,
                ..ParsedEnclosure::default()
            });
        }
    }
    aside.content_base = element.base.clone().filter(|_| !aside.seen.content).or(aside.content_base.take());
    once(&mut aside.seen.content, "content", element, unsaid, out, repairs);
}

fn link(element: &Element, aside: &mut EntryAside, out: &mut AtomWriter) {
    let Some(link) = atom_or_rss_link(element) else { return };
    match link.rel.as_str() {
        "enclosure" => aside.push_enclosure(ParsedEnclosure {
            url: link.href,
            media_type: link.media_type,
            bytes: number(element.attribute("length")),
            duration_seconds: None,
            title: element.attribute("title").map(str::to_owned),
        }),
        "canonical" => aside.push_original(1, link.href),
        "via" => aside.push_original(2, link.href),
        "replies" if link.media_type.as_deref().is_none_or(|media_type| media_type.contains("html")) => {
            aside.entry.comments.get_or_insert(link.href);
        }
        rel => out.link(rel, &link.href, link.media_type.as_deref()),
    }
}

fn guid(element: &Element, aside: &mut EntryAside) {
    let text = element.text();
    if text.is_empty() || aside.guid.is_some() {
        return;
    }
    aside.guid = Some(text.into_owned());
    let denies = element.attribute("ispermalink").is_some_and(|value| value.eq_ignore_ascii_case("false"));
    aside.permalink = !denies;
}

/// Keeps the date of the lowest rank that can be read.
fn date(element: &Element, rank: u8, kept: &mut Option<(u8, Timestamp)>, repairs: &mut Repairs) {
    let text = element.text();
    match dates::parse(&text) {
        Some(timestamp) if kept.is_none_or(|(known, _)| rank < known) => *kept = Some((rank, timestamp)),
        None if !text.is_empty() => repairs.note_value(Repair::UnreadDates, &text),
        _ => {}
    }
}

fn person(element: &Element, role: &str, out: &mut AtomWriter) {
    if let Some(person) = text_or_person(element) {
        out.person(role, &person);
    }
}

/// A person in Atom's form, or as one string.
pub(super) fn text_or_person(element: &Element) -> Option<ParsedPerson> {
    let inner =
        element.elements().find(|child| matches!(&*child.name, "person" | "agent" | "description")).unwrap_or(element);
    let child = |names: &[&str]| {
        inner.elements().find(|child| names.contains(&&*child.name)).map(Element::text).filter(|text| !text.is_empty())
    };
    let (name, email, url) = (child(&["name"]), child(&["email", "mbox"]), child(&["uri", "url", "homepage"]));
    if name.is_none() && email.is_none() && url.is_none() {
        return person::parse(&element.text());
    }
    Some(ParsedPerson {
        name: name.map(Cow::into_owned),
        email: email.map(|email| email.trim_start_matches("mailto:").to_owned()),
        url: url.map(|url| resolved(&url, element)),
    })
}

/// A category in Atom's form or in that of RSS.
pub(super) fn category(element: &Element) -> Option<Category> {
    let text = element.own_text();
    let attribute = |name| element.attribute(name).map(str::to_owned);
    let term = attribute("term")
        .or_else(|| Some(text.into_owned()).filter(|text| !text.is_empty()))
        .or_else(|| attribute("label"))?;
    Some(Category { term, scheme: attribute("scheme").or_else(|| attribute("domain")), label: attribute("label") })
}

pub(super) fn push_category(category: Option<Category>, out: &mut AtomWriter) {
    if let Some(category) = category {
        out.category(&category);
    }
}

fn enclosure(element: &Element, aside: &mut EntryAside) {
    let Some(url) = element.attribute("url").or(element.attribute("href")) else { return };
    aside.push_enclosure(ParsedEnclosure {
        url: resolved(url, element),
        media_type: element.attribute("type").map(str::to_owned),
        bytes: number(element.attribute("length")),
        ..ParsedEnclosure::default()
    });
}

impl EntryAside {
    fn push_original(&mut self, rank: u8, url: String) {
        self.originals.push((rank, url));
    }

    /// One file is told once, whether as enclosure or as media; what the later one knows more is taken over.
    pub(super) fn push_enclosure(&mut self, enclosure: ParsedEnclosure) {
        let known = self.entry.enclosures.iter_mut().find(|known| known.url == enclosure.url);
        let Some(known) = known else { return self.entry.enclosures.push(enclosure) };
        known.media_type = known.media_type.take().or(enclosure.media_type);
        known.bytes = known.bytes.or(enclosure.bytes);
        known.duration_seconds = known.duration_seconds.or(enclosure.duration_seconds);
        known.title = known.title.take().or(enclosure.title);
    }
}

/// `source` of Atom (whole) or of RSS (a title and the address of the feed).
fn source(element: &Element, repairs: &mut Repairs) -> Option<ParsedSource> {
    let mut source =
        ParsedSource { url: element.attribute("url").map(|url| resolved(url, element)), ..ParsedSource::default() };
    if element.elements().next().is_none() {
        source.title = constructs::read(element, Unsaid::Guess, repairs);
    }
    for child in element.elements() {
        match &*child.name {
            "title" => source.title = constructs::read(child, Unsaid::Plain, repairs),
            "id" => source.id = Some(child.text().into_owned()).filter(|id| !id.is_empty()),
            "rights" => source.rights = constructs::read(child, Unsaid::Plain, repairs),
            "updated" => source.updated = dates::parse(&child.text()),
            "author" => source.authors.extend(text_or_person(child)),
            "link" => {
                if let Some(link) = atom_or_rss_link(child) {
                    let place = if link.rel == "self" { &mut source.url } else { &mut source.site };
                    if matches!(link.rel.as_str(), "self" | "alternate") {
                        place.get_or_insert(link.href);
                    }
                }
            }
            _ => {}
        }
    }
    (source.title.is_some() || source.url.is_some() || source.id.is_some() || source.site.is_some()).then_some(source)
}

fn original(element: &Element, rank: u8, aside: &mut EntryAside) {
    let text = element.text();
    if text.starts_with("http://") || text.starts_with("https://") {
        aside.push_original(rank, text.into_owned());
    }
}

fn set_text(place: &mut Option<String>, element: &Element) {
    let text = element.text();
    if !text.is_empty() {
        place.get_or_insert_with(|| resolved(&text, element));
    }
}

pub(super) fn set_other(place: &mut Option<ParsedText>, text: Option<ParsedText>) {
    if place.is_none() {
        *place = text;
    }
}

/// A URL as far as it can be resolved where it stands.
pub(super) fn resolved(url: &str, element: &Element) -> String {
    let url = url.trim();
    let joined = element.base.as_ref().filter(|_| !has_scheme(url)).and_then(|base| base.join(url).ok());
    joined.map_or_else(|| url.to_owned(), String::from)
}

fn has_scheme(url: &str) -> bool {
    url.starts_with("http://") || url.starts_with("https://")
}

/// A count that a publisher wrote, digit grouping allowed; zero says nothing.
pub(super) fn number(text: Option<&str>) -> Option<u64> {
    let digits: String = text?.chars().filter(|&character| character != ',' && character != ' ').collect();
    digits.parse().ok().filter(|&number| number > 0)
}
