//! Checks what the W3C feed validator requires of Atom and RSS documents beyond their schemas: its errors and its
//! warnings.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use quick_xml::XmlVersion;
use quick_xml::events::{BytesStart, Event};
use regex::Regex;

/// An element with its text and its children.
#[derive(Default)]
struct Element {
    name: String,
    attributes: Vec<(String, String)>,
    text: String,
    children: Vec<Element>,
}

static RFC_822: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} (\d{4}) \d\d:\d\d:\d\d [+-]\d{4}$").unwrap()
});
static RFC_3339: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"^(\d{4})-\d\d-\d\dT\d\d:\d\d:\d\d(?:Z|[+-]\d\d:\d\d)$").unwrap());
static URI: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^(?:https?://[^/?#]+|mailto:|tag:|urn:)(?:[\w.~:/?#\[\]@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})*$").unwrap()
});
static TAG_URI: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"^tag:[^,:]+,\d{4}(-\d\d(-\d\d)?)?:").unwrap());
static MEDIA_TYPE: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"^[\w!#$&^.+-]+/[\w!#$&^.+-]+$").unwrap());
static LANGUAGE: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*$").unwrap());
static RELATIVE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r##"<[a-z][^<>]*\s(?:href|src|poster|cite)="(?:[^":]+|[^":]*[/?#][^"]*)""##).unwrap());
static RUNS: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?i)<(script|style|iframe|object|embed|meta|base|form|svg|math)[\s>/]").unwrap());
static END_TAG: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"</\w+>").unwrap());

/// Returns what the validator would report; empty if the document is valid.
pub fn faults(document: &[u8]) -> Vec<String> {
    let root = read(document);
    let mut faults = Faults(Vec::new());
    match root.name.as_str() {
        "feed" => atom(&root, &mut faults),
        "rss" => rss(&root.children[0], &mut faults),
        other => faults.add(&root, &format!("{other} is no feed")),
    }
    everywhere(&root, &mut faults);
    faults.0
}

struct Faults(Vec<String>);

impl Faults {
    fn add(&mut self, element: &Element, what: &str) {
        let text: String = element.text.chars().take(120).collect();
        self.0.push(format!("{}: {what}: {text} {:?}", element.name, element.attributes));
    }

    fn unless(&mut self, holds: bool, element: &Element, what: &str) {
        if !holds {
            self.add(element, what);
        }
    }
}

impl Element {
    fn all<'e>(&'e self, name: &'e str) -> impl Iterator<Item = &'e Element> {
        self.children.iter().filter(move |child| child.name == name)
    }

    fn text_of<'e>(&'e self, name: &'e str) -> &'e str {
        self.all(name).next().map_or("", |child| &child.text)
    }

    fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    fn links<'e>(&'e self, name: &'e str, rel: &'e str) -> impl Iterator<Item = &'e Element> {
        self.all(name).filter(move |link| link.attribute("rel") == Some(rel))
    }
}

fn read(document: &[u8]) -> Element {
    let mut reader = quick_xml::Reader::from_reader(document);
    reader.config_mut().expand_empty_elements = true;
    let mut open = vec![Element::default()];
    loop {
        match reader.read_event_into(&mut Vec::new()).expect("documents are well-formed") {
            Event::Start(tag) => open.push(element(&tag)),
            Event::End(_) => {
                let closed = open.pop().unwrap();
                open.last_mut().unwrap().children.push(closed);
            }
            Event::Text(text) => open.last_mut().unwrap().text.push_str(&text),
            Event::CData(text) => open.last_mut().unwrap().text.push_str(&text),
            Event::GeneralRef(reference) => {
                let escaped = format!("&{};", &*reference);
                open.last_mut().unwrap().text.push_str(&quick_xml::escape::unescape(&escaped).unwrap());
            }
            Event::Eof => return open.pop().unwrap().children.pop().unwrap(),
            _ => {}
        }
    }
}

fn element(tag: &BytesStart) -> Element {
    let attributes = tag.attributes().map(|attribute| {
        let attribute = attribute.unwrap();
        let value = attribute.normalized_value(XmlVersion::Implicit1_0).unwrap();
        (attribute.key.0.to_owned(), value.into_owned())
    });
    Element { name: tag.name().0.to_owned(), attributes: attributes.collect(), ..Element::default() }
}

/// Checks what applies to every element.
fn everywhere(element: &Element, faults: &mut Faults) {
    let is_lost = |character: char| matches!(character, '\u{80}'..='\u{9f}' | '\u{fffd}');
    let values = element.attributes.iter().map(|(_, value)| value);
    faults.unless(!values.chain([&element.text]).any(|text| text.contains(is_lost)), element, "bad characters");
    for (name, value) in &element.attributes {
        let is_right = match name.as_str() {
            "href" | "url" => URI.is_match(value),
            // In a text construct of Atom, `type` says how the text is written.
            "type" => matches!(value.as_str(), "text" | "html") || MEDIA_TYPE.is_match(value),
            "length" | "fileSize" | "duration" => value.bytes().all(|byte| byte.is_ascii_digit()),
            "xml:lang" | "language" => LANGUAGE.is_match(value),
            _ => true,
        };
        faults.unless(is_right && !value.trim().is_empty(), element, name);
    }
    let has_text = !element.text.trim().is_empty();
    match element.name.as_str() {
        "updated" | "published" | "atom:updated" => date(&RFC_3339, element, faults),
        "pubDate" | "lastBuildDate" => date(&RFC_822, element, faults),
        "id" | "guid" if element.attribute("isPermaLink") != Some("false") => {
            let is_tag = !element.text.starts_with("tag:") || TAG_URI.is_match(&element.text);
            faults.unless(is_tag && URI.is_match(&ascii(&element.text)), element, "no absolute IRI");
        }
        "uri" | "comments" => faults.unless(URI.is_match(&element.text), element, "no address"),
        "language" | "dc:language" => faults.unless(LANGUAGE.is_match(&element.text), element, "no language"),
        "email" | "itunes:email" => faults.unless(element.text.contains('@'), element, "no address"),
        "content" | "content:encoded" | "description" | "summary" => {
            faults.unless(has_text, element, "empty");
            faults.unless(!RELATIVE.is_match(&element.text), element, "relative address");
            let is_html = element.name != "summary" || element.attribute("type") == Some("html");
            faults.unless(!is_html || !RUNS.is_match(&element.text), element, "could run");
        }
        "link" if element.attributes.is_empty() => faults.unless(URI.is_match(&element.text), element, "no address"),
        "title" | "name" | "rights" | "dc:rights" | "dc:creator" | "dc:contributor" | "category" | "copyright" => {
            let is_empty = !has_text && element.attribute("term").is_none();
            faults.unless(!is_empty, element, "empty");
            let is_html = element.attribute("type") == Some("html");
            faults.unless(is_html || !END_TAG.is_match(&element.text), element, "text that reads as HTML");
        }
        _ => {}
    }
    element.children.iter().for_each(|child| everywhere(child, faults));
}

/// Replaces the characters of an IRI that are not ASCII, because a URI cannot contain them.
fn ascii(iri: &str) -> String {
    iri.chars().map(|character| if character.is_ascii() { character } else { '_' }).collect()
}

fn date(shape: &Regex, element: &Element, faults: &mut Faults) {
    let year =
        shape.captures(&element.text).and_then(|parts| parts.iter().flatten().last()?.as_str().parse::<u32>().ok());
    faults.unless(year.is_some_and(|year| (1990..2100).contains(&year)), element, "implausible date");
}

fn only_one(parent: &Element, names: &[&str], at_least: usize, faults: &mut Faults) {
    for name in names {
        let count = parent.all(name).count();
        faults.unless((at_least..=1).contains(&count), parent, &format!("{count} of {name}"));
    }
}

fn distinct<'e>(parent: &Element, values: impl Iterator<Item = &'e str>, what: &str, faults: &mut Faults) {
    let mut seen = BTreeSet::new();
    values.for_each(|value| faults.unless(seen.insert(value.to_owned()), parent, &format!("{what} twice, {value}")));
}

fn atom(feed: &Element, faults: &mut Faults) {
    only_one(feed, &["id", "title", "updated"], 1, faults);
    only_one(feed, &["subtitle", "rights", "generator"], 0, faults);
    faults.unless(feed.links("link", "self").count() == 1, feed, "no link to itself");
    let entries = || feed.all("entry");
    distinct(feed, entries().map(|entry| entry.text_of("id")), "id", faults);
    distinct(feed, entries().map(|entry| entry.text_of("updated")), "updated", faults);
    let has_author = feed.all("author").count() > 0;
    for entry in entries() {
        only_one(entry, &["id", "title", "updated", "summary"], 1, faults);
        only_one(entry, &["published", "content", "rights", "source"], 0, faults);
        distinct(
            entry,
            entry.links("link", "alternate").filter_map(|link| link.attribute("type")),
            "alternate",
            faults,
        );
        let sources = entry.all("source");
        sources.for_each(|source| only_one(source, &["id", "title", "updated"], 1, faults));
        let is_by = entry.all("author").count() + entry.all("source").flat_map(|source| source.all("author")).count();
        faults.unless(has_author || is_by > 0, entry, "no author");
    }
}

fn rss(channel: &Element, faults: &mut Faults) {
    only_one(channel, &["title", "link", "description"], 1, faults);
    only_one(channel, &["language", "copyright", "lastBuildDate", "generator", "ttl"], 0, faults);
    faults.unless(channel.links("atom:link", "self").count() == 1, channel, "no link to itself");
    faults.unless(channel.text_of("ttl").parse::<u32>().is_ok_and(|ttl| ttl > 0), channel, "ttl");
    distinct(channel, channel.all("item").map(|item| item.text_of("guid")), "guid", faults);
    for item in channel.all("item") {
        only_one(item, &["title", "link", "guid", "pubDate", "description", "source"], 1, faults);
        only_one(item, &["enclosure", "comments", "content:encoded", "author"], 0, faults);
        for enclosure in item.all("enclosure") {
            let is_whole = ["url", "length", "type"].iter().all(|name| enclosure.attribute(name).is_some());
            faults.unless(is_whole, enclosure, "url, length and type");
        }
        item.all("source").for_each(|source| faults.unless(source.attribute("url").is_some(), source, "no url"));
    }
    let is_podcast = channel.children.iter().any(|child| child.name.starts_with("itunes:"));
    let uses_itunes =
        channel.all("item").flat_map(|item| &item.children).any(|child| child.name.starts_with("itunes:"));
    faults.unless(is_podcast || !uses_itunes, channel, "itunes elements without those of the channel");
}

static CONTACT: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"^[^\s@()]+@[^\s@()]+\.[^\s@()]+ \([^()]+\)$").unwrap());
static UUID: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$").unwrap());

/// Returns what the RSS Best Practices Profile (rssboard.org/rss-profile) would not allow in an RSS document.
pub fn profile_faults(document: &[u8]) -> Vec<String> {
    let root = read(document);
    let (channel, mut faults) = (&root.children[0], Faults(Vec::new()));
    only_one(channel, &["title", "link", "description"], 1, &mut faults);
    let once = [
        "cloud",
        "copyright",
        "docs",
        "generator",
        "image",
        "language",
        "lastBuildDate",
        "managingEditor",
        "pubDate",
        "rating",
        "skipDays",
        "skipHours",
        "textInput",
        "ttl",
        "webMaster",
    ];
    only_one(channel, &once, 0, &mut faults);
    let is_self = |link: &&Element| link.attribute("type") == Some("application/rss+xml");
    faults.unless(channel.links("atom:link", "self").filter(is_self).count() == 1, channel, "no address of its own");
    for contact in channel.all("managingEditor").chain(channel.all("webMaster")) {
        faults.unless(CONTACT.is_match(&contact.text), contact, "no address with a name in parentheses");
    }
    for image in channel.all("image") {
        only_one(image, &["url", "title", "link"], 1, &mut faults);
        let is_same = |name| image.text_of(name) == channel.text_of(name);
        faults.unless(is_same("title") && is_same("link"), image, "not the title and link of the channel");
    }
    for item in channel.all("item") {
        let once = ["author", "comments", "description", "enclosure", "guid", "link", "pubDate", "source", "title"];
        only_one(item, &once, 0, &mut faults);
        let has_words = item.all("title").chain(item.all("description")).any(|words| !words.text.trim().is_empty());
        faults.unless(has_words, item, "neither title nor description");
        profile_item(item, &mut faults);
    }
    faults.0
}

fn profile_item(item: &Element, faults: &mut Faults) {
    let position = |name: &str| item.children.iter().position(|child| child.name == name);
    if let Some(content) = position("content:encoded") {
        let is_before = position("description").is_some_and(|description| description < content);
        faults.unless(is_before, item, "content:encoded without a description before it");
    }
    for guid in item.all("guid").filter(|guid| guid.attribute("isPermaLink") != Some("false")) {
        faults.unless(guid.text.starts_with("http"), guid, "a permalink that is no address of the web");
    }
    for link in item.all("link").chain(item.all("comments")) {
        faults.unless(URI.is_match(&link.text), link, "no whole address");
    }
    // `author` needs an e-mail address, so names stand in dc:creator.
    item.all("author").for_each(|author| faults.unless(author.text.contains('@'), author, "no e-mail address"));
    for enclosure in item.all("enclosure") {
        let attribute = |name| enclosure.attribute(name).unwrap_or_default();
        faults.unless(attribute("url").starts_with("http"), enclosure, "no address of the web");
        faults.unless(attribute("length").parse::<u64>().is_ok(), enclosure, "no length");
        faults.unless(MEDIA_TYPE.is_match(attribute("type")), enclosure, "no type");
    }
    item.all("category").for_each(|category| faults.unless(!category.text.trim().is_empty(), category, "empty"));
    let is_source = |source: &Element| source.attribute("url").is_some() && !source.text.trim().is_empty();
    item.all("source").for_each(|source| faults.unless(is_source(source), source, "no title or address"));
}

/// Returns what PSP-1 (the podcast RSS specification of the Podcast Standards Project) and Apple Podcasts would not allow in an
/// RSS document of a podcast.
pub fn podcast_faults(document: &[u8]) -> Vec<String> {
    let root = read(document);
    let (channel, mut faults) = (&root.children[0], Faults(Vec::new()));
    for (prefix, namespace) in [
        ("xmlns:itunes", "http://www.itunes.com/dtds/podcast-1.0.dtd"),
        ("xmlns:podcast", "https://podcastindex.org/namespace/1.0"),
        ("xmlns:atom", "http://www.w3.org/2005/Atom"),
    ] {
        faults.unless(root.attribute(prefix) == Some(namespace), &root, prefix);
    }
    faults.unless(root.attribute("version") == Some("2.0"), &root, "version");
    let needed = [
        "title",
        "description",
        "link",
        "language",
        "itunes:category",
        "itunes:explicit",
        "itunes:image",
        "itunes:author",
        "itunes:owner",
        "podcast:guid",
        "podcast:locked",
    ];
    only_one(channel, &needed, 1, &mut faults);
    only_one(channel, &["itunes:block", "itunes:type", "itunes:complete", "itunes:new-feed-url"], 0, &mut faults);
    faults.unless(channel.links("atom:link", "self").count() == 1, channel, "no address of its own");
    faults.unless(channel.text_of("description").len() <= 4000, channel, "a description of more than 4000 bytes");
    faults.unless(UUID.is_match(channel.text_of("podcast:guid")), channel, "podcast:guid is no UUID of version 5");
    faults.unless(matches!(channel.text_of("podcast:locked"), "yes" | "no"), channel, "podcast:locked");
    let owner = channel.all("itunes:owner").next();
    faults.unless(
        owner.is_some_and(|owner| owner.text_of("itunes:email").contains('@')),
        channel,
        "no address of the owner",
    );
    let is_picture = |image: &&Element| {
        let href = image.attribute("href").unwrap_or_default();
        href.starts_with("https://") && [".jpg", ".jpeg", ".png"].iter().any(|ending| href.ends_with(ending))
    };
    faults.unless(channel.all("itunes:image").filter(is_picture).count() == 1, channel, "no JPEG or PNG as a cover");
    let flags = channel.all("itunes:explicit").chain(channel.all("item").flat_map(|item| item.all("itunes:explicit")));
    flags.for_each(|flag| faults.unless(matches!(&*flag.text, "true" | "false"), flag, "neither true nor false"));
    for item in channel.all("item") {
        podcast_item(item, &mut faults);
    }
    faults.0
}

fn podcast_item(item: &Element, faults: &mut Faults) {
    only_one(item, &["title", "enclosure", "guid", "pubDate"], 1, faults);
    let once =
        ["itunes:duration", "itunes:image", "itunes:episode", "itunes:season", "itunes:episodeType", "itunes:block"];
    only_one(item, &once, 0, faults);
    let is_recording =
        |kind: Option<&str>| kind.is_some_and(|kind| kind.starts_with("audio/") || kind.starts_with("video/"));
    for enclosure in item.all("enclosure") {
        faults.unless(is_recording(enclosure.attribute("type")), enclosure, "neither audio nor video");
    }
    for number in item.all("itunes:episode").chain(item.all("itunes:season")).chain(item.all("itunes:duration")) {
        faults.unless(number.text.parse::<u64>().is_ok_and(|number| number > 0), number, "no positive number");
    }
    for kind in item.all("itunes:episodeType") {
        faults.unless(matches!(&*kind.text, "full" | "trailer" | "bonus"), kind, "unknown kind of episode");
    }
    for alternate in item.all("podcast:alternateEnclosure") {
        let source = alternate.all("podcast:source").next().and_then(|source| source.attribute("uri"));
        let is_whole = is_recording(alternate.attribute("type")) && source.is_some_and(|uri| URI.is_match(uri));
        faults.unless(is_whole, alternate, "no type or source");
    }
    for transcript in item.all("podcast:transcript").chain(item.all("podcast:chapters")) {
        let is_whole = transcript.attribute("url").is_some() && transcript.attribute("type").is_some();
        faults.unless(is_whole, transcript, "no address or type");
    }
}
