//! The fields of a feed: where each goes in the canonical document, and what is set aside.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use url::Url;

use super::atom::AtomWriter;
use super::constructs::{self, Unsaid};
use super::dates;
use super::entry_fields::{category, push_category, resolved, text_or_person};
use super::media::itunes_category;
use super::model::ParsedLink;
use super::namespaces::Namespace;
use super::repairs::{Repair, Repairs};
use super::token::Attribute;
use super::tree::{Element, Node};
use crate::feed::PollHints;
use crate::time::Timestamp;

/// What of a feed has no place in the canonical document, or must be decided when all is read.
#[derive(Default)]
pub(super) struct FeedAside {
    pub base: Option<Arc<Url>>,
    pub language: Option<String>,
    pub image: Option<String>,
    pub hints: PollHints,
    seen: Seen,
    updated: Option<(u8, Timestamp)>,
    period: Option<Duration>,
    frequency: Option<u32>,
}

#[derive(Default)]
struct Seen {
    title: bool,
    description: bool,
    rights: bool,
    id: bool,
}

impl FeedAside {
    pub(super) fn finish(&mut self, out: &mut AtomWriter) {
        if let Some((_, updated)) = self.updated {
            out.date("updated", updated);
        }
        self.hints.period = self.period.map(|period| period / self.frequency.unwrap_or(1).max(1));
        if self.hints.skip_hours.len() == 24 {
            self.hints.skip_hours.clear();
        }
        if self.hints.skip_days.len() == 7 {
            self.hints.skip_days.clear();
        }
    }
}

/// What the attributes of a root or channel say of all that is in it.
pub(super) fn root(element: &Element, feed: &mut FeedAside) {
    feed.base = element.base.clone().or(feed.base.take());
    if let Some(language) = &element.language {
        feed.language.get_or_insert_with(|| language.to_string());
    }
}

/// The attributes of a CDF channel, as the elements that they stand for.
pub(super) fn of_attributes<'a>(channel: &Element<'a>) -> Vec<Element<'a>> {
    let link = channel.attributes.iter().find(|attribute| attribute.name.eq_ignore_ascii_case("href"));
    link.map(|attribute| attribute_field(channel, "link", attribute)).into_iter().collect()
}

/// An element that holds what an attribute holds.
pub(super) fn attribute_field<'a>(parent: &Element<'a>, name: &'static str, attribute: &Attribute<'a>) -> Element<'a> {
    Element {
        namespace: Namespace::Core,
        qualified: name,
        name: Cow::Borrowed(name),
        attributes: Vec::new(),
        children: vec![Node::Text(attribute.value.clone())],
        base: parent.base.clone(),
        language: None,
    }
}

/// Whether an element of that name is a field of a feed.
pub(super) fn is_field(namespace: Namespace, name: &str) -> bool {
    namespace == Namespace::Core
        && matches!(
            name,
            "language"
                | "lastbuilddate"
                | "managingeditor"
                | "webmaster"
                | "generator"
                | "image"
                | "ttl"
                | "cloud"
                | "textinput"
        )
}

/// Takes in one field of the feed.
pub(super) fn field(element: &Element, atom: bool, feed: &mut FeedAside, out: &mut AtomWriter, repairs: &mut Repairs) {
    let unsaid = if atom { Unsaid::Plain } else { Unsaid::Guess };
    match (element.namespace, &*element.name) {
        (Namespace::Core | Namespace::DublinCore, "title") => {
            once(&mut feed.seen.title, "title", element, unsaid, out, repairs)
        }
        (Namespace::Core, "description" | "abstract") => {
            once(&mut feed.seen.description, "subtitle", element, Unsaid::Html, out, repairs)
        }
        (Namespace::Core, "subtitle" | "tagline") | (Namespace::DublinCore, "description") => {
            once(&mut feed.seen.description, "subtitle", element, unsaid, out, repairs);
        }
        (Namespace::Core, "copyright" | "rights") | (Namespace::DublinCore, "rights") => {
            once(&mut feed.seen.rights, "rights", element, unsaid, out, repairs);
        }
        (Namespace::Core, "id" | "guid") if !feed.seen.id => {
            let id = element.text();
            feed.seen.id = !id.is_empty();
            out.element("id", &id);
        }
        (Namespace::Core, "link") => link(element, out),
        (Namespace::Core, "updated" | "modified" | "lastbuilddate") => date(element, 0, feed, repairs),
        (Namespace::Core, "pubdate" | "published") => date(element, 1, feed, repairs),
        (Namespace::DublinCore | Namespace::Terms, "date" | "modified" | "issued" | "created") => {
            date(element, 2, feed, repairs)
        }
        (Namespace::Core, "author" | "managingeditor") | (Namespace::DublinCore, "creator" | "author") => {
            author(element, out)
        }
        (Namespace::Itunes, "author") => author(element, out),
        (Namespace::Core, "contributor") | (Namespace::DublinCore, "contributor") => {
            if let Some(person) = text_or_person(element) {
                out.person("contributor", &person);
            }
        }
        (Namespace::Core, "category") | (Namespace::DublinCore, "subject") => push_category(category(element), out),
        (Namespace::Itunes, "category") => itunes_category(element, out),
        (Namespace::Core | Namespace::DublinCore, "language") => {
            let language = element.text();
            if !language.is_empty() {
                feed.language = Some(language.into_owned());
            }
        }
        (Namespace::Core, "image") => {
            let url = element.elements().find(|child| child.name == "url").map(|url| url.text());
            image(
                url.filter(|url| !url.is_empty()).or_else(|| element.prefixed_attribute("resource").map(Cow::Borrowed)),
                element,
                feed,
            );
        }
        (Namespace::Core, "logo" | "icon") => image(Some(element.text()), element, feed),
        (Namespace::Itunes, "image") => image(element.attribute("href").map(Cow::Borrowed), element, feed),
        _ => hint(element, feed),
    }
}

fn once(seen: &mut bool, name: &str, element: &Element, unsaid: Unsaid, out: &mut AtomWriter, repairs: &mut Repairs) {
    if !*seen && let Some(text) = constructs::read(element, unsaid, repairs) {
        *seen = true;
        out.text(name, &text);
    }
}

fn author(element: &Element, out: &mut AtomWriter) {
    if let Some(person) = text_or_person(element) {
        out.person("author", &person);
    }
}

/// Keeps the date of the lowest rank that can be read.
fn date(element: &Element, rank: u8, feed: &mut FeedAside, repairs: &mut Repairs) {
    let text = element.text();
    match dates::parse(&text) {
        Some(timestamp) if feed.updated.is_none_or(|(known, _)| rank < known) => feed.updated = Some((rank, timestamp)),
        None if !text.is_empty() => repairs.note_value(Repair::UnreadDates, &text),
        _ => {}
    }
}

fn link(element: &Element, out: &mut AtomWriter) {
    if let Some(ParsedLink { href, rel, media_type }) = atom_or_rss_link(element) {
        out.link(&rel, &href, media_type.as_deref());
    }
}

/// A link in Atom's form or in that of RSS.
pub(super) fn atom_or_rss_link(element: &Element) -> Option<ParsedLink> {
    let text = element.text();
    let href = element.attribute("href").or(Some(&*text).filter(|text| !text.is_empty()))?;
    Some(ParsedLink {
        href: resolved(href, element),
        rel: element.attribute("rel").unwrap_or("alternate").to_ascii_lowercase(),
        media_type: element.attribute("type").map(str::to_owned),
    })
}

fn image(url: Option<Cow<str>>, element: &Element, feed: &mut FeedAside) {
    if let Some(url) = url.filter(|url| !url.is_empty()) {
        feed.image.get_or_insert_with(|| resolved(&url, element));
    }
}

/// How often the feed asks to be polled.
fn hint(element: &Element, feed: &mut FeedAside) {
    let hints = &mut feed.hints;
    match (element.namespace, &*element.name) {
        (Namespace::Core, "ttl") => {
            let minutes = element.text().parse::<u32>().ok().filter(|&minutes| minutes > 0);
            hints.ttl = minutes.map(|minutes| Duration::from_secs(60 * u64::from(minutes))).or(hints.ttl);
        }
        (Namespace::Core, "skiphours") => hints.skip_hours = listed(element, "hour", hour),
        (Namespace::Core, "skipdays") => hints.skip_days = listed(element, "day", day_of_week),
        (Namespace::Syndication, "updateperiod") => feed.period = period(&element.text()),
        (Namespace::Syndication, "updatefrequency") => feed.frequency = element.text().parse().ok(),
        _ => {}
    }
}

fn listed(element: &Element, name: &str, value: impl Fn(&str) -> Option<u8>) -> Vec<u8> {
    let mut values: Vec<u8> =
        element.elements().filter(|child| child.name == name).filter_map(|child| value(&child.text())).collect();
    values.sort_unstable();
    values.dedup();
    values
}

/// RSS 2.0 counts from 0; RSS 0.91 counted from 1 to 24.
fn hour(text: &str) -> Option<u8> {
    let hour: u8 = text.parse().ok()?;
    (hour <= 24).then_some(hour % 24)
}

fn day_of_week(text: &str) -> Option<u8> {
    const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    let lower = text.to_ascii_lowercase();
    DAYS.iter().position(|day| lower.starts_with(day)).and_then(|day| u8::try_from(day).ok())
}

fn period(text: &str) -> Option<Duration> {
    const HOUR: Duration = Duration::from_secs(60 * 60);
    match text.to_ascii_lowercase().as_str() {
        "hourly" => Some(HOUR),
        "daily" => Some(24 * HOUR),
        "weekly" => Some(7 * 24 * HOUR),
        "monthly" => Some(30 * 24 * HOUR),
        "yearly" => Some(365 * 24 * HOUR),
        _ => None,
    }
}
