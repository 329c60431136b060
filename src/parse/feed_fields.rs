//! Reads the fields of a feed. Some are written to the canonical document, the others are set aside in `FeedAside`.

use std::sync::Arc;
use std::time::Duration;

use url::Url;

use super::atom::AtomWriter;
use super::constructs::{self, DefaultKind};
use super::model::{ParsedCredit, ParsedText};
use super::namespaces::Namespace;
use super::parts::{self, Dated, Target, resolved};
use super::tree::Element;
use crate::feed::PollHints;

/// The parts of a feed that the canonical document cannot hold, or that depend on all of the feed's fields.
#[derive(Default)]
pub(super) struct FeedAside {
    pub base: Option<Arc<Url>>,
    pub language: Option<String>,
    pub image: Option<String>,
    pub license: Option<String>,
    pub credits: Vec<ParsedCredit>,
    pub cloud: Option<String>,
    /// The base URL of the feed's entries, if it differs from `base`.
    pub site: Option<Arc<Url>>,
    pub hints: PollHints,
    seen: SeenFeedFields,
    /// A substitute for a missing description, with its rank; a lower rank is better.
    other_description: Option<(u8, ParsedText)>,
    updated: Dated,
    period: Option<Duration>,
    frequency: Option<u32>,
}

#[derive(Default)]
struct SeenFeedFields {
    title: bool,
    description: bool,
    rights: bool,
    id: bool,
}

impl FeedAside {
    /// Reads the base URL and the language, which a root element or a channel sets for everything inside it.
    pub(super) fn root(&mut self, element: &Element) {
        self.base = element.base.clone().or(self.base.take());
        if let Some(language) = &element.language {
            self.language.get_or_insert_with(|| language.to_string());
        }
    }

    /// Finishes the feed: sets what depends on several of its fields.
    pub(super) fn finish(&mut self, out: &mut AtomWriter) {
        if let Some(updated) = self.updated.timestamp() {
            out.date("updated", updated);
        }
        if let (false, Some((_, description))) = (self.seen.description, &self.other_description) {
            out.text("subtitle", description);
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

/// Returns whether an element of this name is a field that feeds have. Fields that entries have too are in
/// `entry_fields`.
#[rustfmt::skip]
pub(super) fn is_field(namespace: Namespace, name: &str) -> bool {
    namespace == Namespace::Core
        && matches!(
            name,
            "language" | "lastbuilddate" | "managingeditor" | "webmaster" | "generator" | "image" | "ttl" | "cloud" | "textinput"
        )
}

/// Reads one field of the feed.
#[rustfmt::skip]
pub(super) fn field(element: &Element, feed: &mut FeedAside, target: &mut Target) {
    use Namespace::{Core, CreativeCommons, DublinCore, Itunes, Podcast, Terms};

    let (default_kind, seen) = (target.default_kind, &mut feed.seen);
    match (element.namespace, &*element.name) {
        (Core | DublinCore, "title") => target.once(&mut seen.title, "title", element, default_kind),
        (Core, "description" | "abstract") => target.once(&mut seen.description, "subtitle", element, DefaultKind::Html),
        (Core, "subtitle" | "tagline") | (DublinCore, "description") => target.once(&mut seen.description, "subtitle", element, default_kind),
        (Core, "copyright" | "rights") | (DublinCore, "rights") => target.once(&mut seen.rights, "rights", element, default_kind),
        (Core, "id" | "guid") if !seen.id => {
            let id = element.text();
            seen.id = !id.is_empty();
            target.out.element("id", &id);
        }
        (Core, "link") => {
            if let Some(link) = parts::link(element, target.document_base) {
                target.out.link(&link.rel, &link.href, link.media_type.as_deref());
            }
        }
        (CreativeCommons | Terms, "license") => feed.license = feed.license.take().or(parts::license(element)),
        (Podcast, "person") => feed.credits.extend(parts::credit(element)),
        (Core, "cloud") => feed.cloud = cloud(element),
        (Core, "updated" | "modified" | "lastbuilddate") => feed.updated.offer(0, element, target.repairs),
        (Core, "pubdate" | "published") => feed.updated.offer(1, element, target.repairs),
        (DublinCore | Terms, "date" | "modified" | "issued" | "created") => feed.updated.offer(2, element, target.repairs),
        (Core | DublinCore | Itunes, "author") | (Core, "managingeditor") | (DublinCore, "creator") => target.person("author", element),
        (Core | DublinCore, "contributor") => target.person("contributor", element),
        (Core, "category") | (DublinCore, "subject") => target.category(element),
        (Itunes, "category") => target.itunes_category(element),
        (Itunes, "summary") => other_description(0, element, feed, target),
        (Itunes, "subtitle") => other_description(1, element, feed, target),
        (Core | DublinCore, "language") => {
            let language = element.text();
            if !language.is_empty() {
                feed.language = Some(language.into_owned());
            }
        }
        (Core, "image" | "logo" | "icon") | (Itunes, "image") => image(element, feed),
        _ => hint(element, feed),
    }
}

fn other_description(rank: u8, element: &Element, feed: &mut FeedAside, target: &mut Target) {
    if feed.other_description.as_ref().is_none_or(|(known, _)| rank < *known)
        && let Some(text) = constructs::read(element, DefaultKind::Guess, target.repairs)
    {
        feed.other_description = Some((rank, text));
    }
}

/// Sets the address of the feed's image. RSS has it in a child, RDF and itunes in an attribute, Atom as text.
fn image(element: &Element, feed: &mut FeedAside) {
    let child = element.elements().find(|child| child.name == "url").map(Element::text);
    let attribute = element.attribute("href").or(element.attribute("url")).or(element.prefixed_attribute("resource"));
    let text = element.own_text();
    let url = child.as_deref().or(attribute).unwrap_or(&text);
    if !url.is_empty() {
        feed.image.get_or_insert_with(|| resolved(url, element));
    }
}

/// Returns the URL that the attributes of an RSS `cloud` describe, whatever its `protocol` is.
fn cloud(element: &Element) -> Option<String> {
    let domain = element.attribute("domain")?;
    let port = element.attribute("port").map(|port| format!(":{port}")).unwrap_or_default();
    let path = element.attribute("path").unwrap_or_default().trim_start_matches('/');
    Some(format!("http://{domain}{port}/{path}"))
}

/// Reads what an element says about when to poll the feed. Does nothing for other elements.
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
    let children = element.elements().filter(|child| child.name == name);
    let mut values: Vec<u8> = children.filter_map(|child| value(&child.text())).collect();
    values.sort_unstable();
    values.dedup();
    values
}

/// Parses an hour of `skipHours`. RSS 2.0 counts from 0 to 23, RSS 0.91 from 1 to 24.
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
