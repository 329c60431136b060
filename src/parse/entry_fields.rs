//! Reads the fields of an entry. Some are written to the canonical document, the others are set aside in `EntryAside`.

use url::Url;

use super::constructs::{self, DefaultKind};
use super::dates;
use super::entry_aside::{EntryAside, set_text};
use super::media;
use super::model::{ParsedCopy, ParsedEnclosure, ParsedInReplyTo, ParsedSource};
use super::namespaces::Namespace;
use super::parts::{self, Target, number, resolved};
use super::repairs::Repairs;
use super::tree::Element;
use crate::entry::COPY_RELATION_END;

/// Returns whether an element of this name is a field of an entry.
#[rustfmt::skip]
pub(super) fn is_field(namespace: Namespace, name: &str) -> bool {
    match namespace {
        Namespace::Core => matches!(
            name,
            "title" | "link" | "guid" | "id" | "pubdate" | "published" | "issued" | "updated" | "modified" | "description" | "summary"
                | "content" | "author" | "contributor" | "category" | "comments" | "enclosure" | "source" | "rights"
        ),
        Namespace::Unknown | Namespace::Xhtml => false,
        _ => true,
    }
}

/// Reads one field of an entry.
#[rustfmt::skip]
pub(super) fn field(element: &Element, aside: &mut EntryAside, target: &mut Target) {
    use Namespace::{Content, Core, CreativeCommons, DublinCore, Feedburner, Itunes, Media, Podcast, Terms, Thread, Xhtml};

    let is_atom = target.default_kind == DefaultKind::Plain;
    match (element.namespace, &*element.name) {
        (Core | DublinCore, "title") => target.once(&mut aside.seen.title, "title", element, target.default_kind),
        (Core, "description" | "abstract") => summary(element, DefaultKind::Html, aside, target),
        (Core, "summary") if is_atom => summary(element, DefaultKind::Plain, aside, target),
        (Core, "summary") => set_text(&mut aside.short_summary, element, target),
        (DublinCore, "description") => set_text(&mut aside.other_summary, element, target),
        (Core, "content") => content(element, target.default_kind, aside, target),
        (Content, "encoded") | (Core, "encoded" | "fullitem" | "body") => content(element, DefaultKind::Html, aside, target),
        (Xhtml, "body" | "div") => content(element, DefaultKind::Html, aside, target),
        (Core, "rights" | "copyright") | (DublinCore, "rights") => target.once(&mut aside.seen.rights, "rights", element, target.default_kind),
        (CreativeCommons | Media | Terms, "license") => aside.set_license(parts::license(element)),

        (Core, "link") => link(element, aside, target),
        (Core, "guid" | "id") => guid(element, aside),
        (Thread, "in-reply-to") => in_reply_to(element, aside),
        (Core, "comments") if is_address(&element.text()) => set_url(&mut aside.entry.comments, element),
        (Core, "enclosure") => enclosure(element, aside),
        (Core, "source") => aside.entry.source = source(element, aside, target.repairs).map(Box::new).or(aside.entry.source.take()),
        (DublinCore, "source") => original(3, element, aside),
        (Feedburner, "origlink") => original(0, element, aside),
        (Feedburner, "origenclosurelink") if is_web(&element.text()) => aside.rare.get_or_insert_default().original_enclosure = Some(element.text().into_owned()),

        (Core, "pubdate" | "published") => aside.published.offer(0, element, target.repairs),
        (Core | Terms, "issued") => aside.published.offer(1, element, target.repairs),
        (DublinCore | Terms, "date") => aside.published.offer(2, element, target.repairs),
        (Core | Terms, "created") => aside.published.offer(3, element, target.repairs),
        (Core, "updated") => aside.updated.offer(0, element, target.repairs),
        (Core | Terms, "modified") | (Core, "lastbuilddate") => aside.updated.offer(1, element, target.repairs),

        (Core | DublinCore | Itunes, "author") | (DublinCore, "creator") => target.person("author", element),
        (Core | DublinCore, "contributor") => target.person("contributor", element),
        (Core, "category") | (DublinCore, "subject") => target.category(element),
        (Core, "categories") => element.elements().for_each(|child| target.category(child)),
        (Core, "tags" | "keywords") => target.keywords(element),
        (DublinCore, "language") => aside.entry.language = Some(element.text().into_owned()).filter(|text| !text.is_empty()),
        (Core, "logo") => set_url(&mut aside.entry.image, element),
        (Core, "image") => element.elements().filter(|child| child.name == "url").for_each(|url| set_url(&mut aside.entry.image, url)),

        (Media, _) => media::media(element, aside, target),
        (Itunes, _) => media::itunes(element, aside, target),
        (Podcast, _) => media::podcast(element, aside),
        _ => {}
    }
}

fn summary(element: &Element, default_kind: DefaultKind, aside: &mut EntryAside, target: &mut Target) {
    if let Some(text) = target.first(&mut aside.seen.summary, "summary", element, default_kind) {
        aside.summary = text;
        if let Some(language) = element.own_language() {
            aside.rare.get_or_insert_default().summary_language = Some(language.to_owned());
        }
    }
}

fn content(element: &Element, default_kind: DefaultKind, aside: &mut EntryAside, target: &mut Target) {
    if let Some(src) = element.attribute("src") {
        let media_type = element.attribute("type").map(str::to_owned);
        let url = resolved(src, element);
        if media_type.as_deref().is_none_or(|media_type| media_type.contains("html")) {
            target.out.link("content", &url, media_type.as_deref());
        } else {
            aside.push_enclosure(ParsedEnclosure { url, media_type, ..ParsedEnclosure::default() });
        }
    }
    if let Some(text) = target.first(&mut aside.seen.content, "content", element, default_kind) {
        aside.content = text;
        if let Some(language) = element.own_language() {
            aside.entry.language = Some(language.to_owned());
        }
    }
}

fn link(element: &Element, aside: &mut EntryAside, target: &mut Target) {
    let Some(link) = parts::link(element, &aside.default_base) else { return };
    match link.rel.as_str() {
        "enclosure" => aside.push_enclosure(ParsedEnclosure {
            url: link.href,
            media_type: link.media_type,
            bytes: number(element.attribute("length")),
            title: element.attribute("title").map(str::to_owned),
            ..ParsedEnclosure::default()
        }),
        "canonical" => aside.originals.push((1, link.href)),
        "via" => {
            let title = element.attribute("title").map(str::to_owned);
            aside.entry.copies.push(ParsedCopy { url: link.href.clone(), title, ..ParsedCopy::default() });
            aside.originals.push((2, link.href));
        }
        rel if rel.ends_with(COPY_RELATION_END) => {
            let feed = Url::parse(&link.href).ok().and_then(|url| url.host_str().map(str::to_owned));
            aside.entry.copies.push(ParsedCopy { url: link.href.clone(), feed, ..ParsedCopy::default() });
            aside.originals.push((2, link.href));
        }
        "license" => aside.set_license(Some(link.href)),
        // RFC 4685 §4: a `replies` link without a type leads to a feed of replies, not to a page.
        "replies" if link.media_type.as_deref().is_some_and(|media_type| media_type.contains("html")) => {
            aside.entry.comments.get_or_insert(link.href);
        }
        rel => {
            aside.depends_on_site &=
                !(rel == "alternate" && element.attribute("href").map_or_else(|| is_web(&element.text()), is_web));
            target.out.link(rel, &link.href, link.media_type.as_deref());
        }
    }
}

fn guid(element: &Element, aside: &mut EntryAside) {
    let text = element.text();
    if text.is_empty() || aside.guid.is_some() {
        return;
    }
    aside.guid = Some(text.into_owned());
    aside.permalink = element.attribute("ispermalink").is_none_or(|value| !value.eq_ignore_ascii_case("false"));
}

fn in_reply_to(element: &Element, aside: &mut EntryAside) {
    let url = element.attribute("href").map(|url| resolved(url, element));
    let Some(id) = element.attribute("ref").map(str::to_owned).or(url.clone()) else { return };
    aside.entry.in_reply_to.push(ParsedInReplyTo { id, url });
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

/// Reads a `source` of Atom (a whole feed) or of RSS (a title and the address of the feed).
fn source(element: &Element, aside: &EntryAside, repairs: &mut Repairs) -> Option<ParsedSource> {
    let url = element.attribute("url").map(|url| resolved(url, element));
    let mut source = ParsedSource { url, ..ParsedSource::default() };
    if element.elements().next().is_none() {
        source.title = constructs::read(element, DefaultKind::Guess, repairs);
    }
    for child in element.elements() {
        match &*child.name {
            "title" => source.title = constructs::read(child, DefaultKind::Plain, repairs),
            "id" => source.id = Some(child.text().into_owned()).filter(|id| !id.is_empty()),
            "rights" => source.rights = constructs::read(child, DefaultKind::Plain, repairs),
            "updated" => source.updated = dates::parse(&child.text()),
            "author" => source.authors.extend(parts::person(child)),
            "link" => source_link(child, aside, &mut source),
            _ => {}
        }
    }
    (source != ParsedSource::default()).then_some(source)
}

fn source_link(element: &Element, aside: &EntryAside, source: &mut ParsedSource) {
    match parts::link(element, &aside.default_base) {
        Some(link) if link.rel == "self" => source.url.get_or_insert(link.href),
        Some(link) if link.rel == "alternate" => source.site.get_or_insert(link.href),
        _ => return,
    };
}

/// Records an address where the entry was first published; a lower `rank` is more reliable.
fn original(rank: u8, element: &Element, aside: &mut EntryAside) {
    let text = element.text();
    if is_web(&text) {
        aside.originals.push((rank, text.into_owned()));
    }
}

fn is_web(text: &str) -> bool {
    text.starts_with("http://") || text.starts_with("https://")
}

/// Returns whether a text is an absolute or relative URL, and not words such as "Comments are closed".
fn is_address(text: &str) -> bool {
    (text.contains('/') || text.starts_with(['#', '?'])) && !parts::is_words(text)
}

fn set_url(place: &mut Option<String>, element: &Element) {
    let text = element.text();
    if !text.is_empty() {
        place.get_or_insert_with(|| resolved(&text, element));
    }
}
