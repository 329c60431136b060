//! Cleans what a feed wrote and makes an [`Entry`] of it: cleans URLs, HTML, text and names.
//!
//! Everything that a publisher writes is untrusted. HTML goes through `html`, which keeps only allowed elements and
//! absolute `http`, `https` and `mailto` URLs, and removes tracking pixels. Titles, names and rights become plain text.
//! URLs of other schemes are dropped, and the entry is kept. Relative URLs are resolved against the innermost
//! `xml:base`, or else as `Page` says. Cleaning a clean value changes nothing. Cleaning never fails: a field that
//! cannot be cleaned is absent.

mod added;
mod attributes;
mod byline;
mod content;
mod drawings;
mod elements;
mod escape;
mod formulas;
mod frames;
mod html;
mod images;
mod links;
mod markup;
mod settled;
mod srcset;
mod text;
mod title;
mod tracking;
mod well_formed;

use url::Url;

use crate::entry::{
    Category, Credit, Enclosure, Entry, InReplyTo, NamedCopy, Person, Podcast, Source, Transcript, UNKNOWN_SOURCE,
};
use crate::feed::FeedInfo;
use crate::parse::references::resolve_html;
use crate::parse::{
    Family, ParsedCopy, ParsedCredit, ParsedEnclosure, ParsedEntry, ParsedFeed, ParsedInReplyTo, ParsedInfo,
    ParsedPerson, ParsedPodcast, ParsedSource, ParsedText, ParsedTranscript, is_words,
};

use links::Bases;

pub use byline::{Byline, split as split_byline};
pub use html::sanitize;
pub use links::clean as clean_url;
pub use text::{cut_summary, cut_text, plain_text, says_nothing, word_count};
pub use tracking::strip_own_tracking;

/// Longer titles, names and terms are cut: they are unreadable, and every page and feed that newswire publishes would
/// repeat them.
const MAX_LINE_CHARS: usize = 1_000;

/// The most persons or categories kept per entry.
const MAX_PARTS: usize = 500;

/// The most bytes of authors or credits that an entry inherits from its feed. Without a limit, every entry could repeat
/// the 500 authors of its feed.
const MAX_INHERITED_BYTES: usize = 2 << 10;

/// The most other copies (the same news in other feeds) that an entry may name. Real entries name fewer.
const MAX_COPIES: usize = 64;

/// The most bytes of the URLs, feed ids and titles of an entry's other copies together.
const MAX_COPIES_BYTES: usize = 16 << 10;

/// A longer language tag is dropped: programs need not support more characters (RFC 5646 §4.4.1).
const MAX_LANGUAGE_BYTES: usize = 35;

/// The most times that markup in a name is unescaped. Programs that escape a name too often by mistake stay below this
/// number.
const MAX_ESCAPES: usize = 8;

/// Returns the clean form of one entry of a feed. Never fails: what cannot be cleaned is absent.
///
/// ```
/// use newswire::parse::{Hints, parse};
///
/// let rss = br#"<rss version="2.0"><channel><title>Harbour News</title><link>https://harbour.example/</link>
///   <item><title>Ferry</title><link>/ferry?utm_source=rss</link>
///   <description>&lt;p onclick="x()"&gt;It sails.&lt;/p&gt;</description></item></channel></rss>"#;
/// let feed = parse(rss, &Hints::default())?;
/// let entry = newswire::normalize::entry(&feed.entries[0], &feed);
/// assert!(entry.link.unwrap().as_str().starts_with("https://harbour.example/ferry"));
/// assert_eq!(entry.summary_html.as_deref(), Some("<p>It sails.</p>"));
/// # Ok::<(), newswire::parse::ParseError>(())
/// ```
pub fn entry(parsed: &ParsedEntry, feed: &ParsedFeed) -> Entry {
    let base = feed.info.entry_base();
    let url = |raw: &Option<String>| raw.as_deref().and_then(|raw| links::clean(raw, base));
    let link = parsed.link.as_deref().filter(|raw| !is_words(raw)).and_then(|raw| links::clean(raw, base));
    let page = Page { link: link.as_ref(), base: if is_atom(feed) { base } else { link.as_ref().or(base) } };
    let (authors, contributors, byline_source) = people(parsed, feed, base);
    let mut original = parsed.originals.iter().filter_map(|raw| links::clean(raw, base));
    // Feeds often give the same text as summary and as content. It is then cleaned only once.
    let says_it_twice = parsed.summary == parsed.content;
    // An entry that was taken from elsewhere has neither the licence nor the credits of this feed.
    let own_feed = (parsed.source.is_none() && byline_source.is_none()).then_some(&feed.info);
    let license = parsed.license.as_deref().or(own_feed.and_then(ParsedInfo::license));
    let inherited_credits = own_feed.map_or(&[][..], |info| inherited(&info.credits, credit_bytes));
    let mut entry = Entry {
        guid: parsed.guid.clone(),
        original: original.find(|original| Some(original) != link.as_ref()),
        title: added::title(parsed.title.as_ref().map(line).unwrap_or_default(), parsed),
        summary_html: parsed
            .summary
            .as_ref()
            .filter(|_| !says_it_twice)
            .and_then(|text| clean_html(text, page))
            .and_then(|html| added::html(html, parsed)),
        content_html: parsed
            .content
            .as_ref()
            .and_then(|text| clean_html(text, page))
            .and_then(|html| added::html(html, parsed)),
        published: parsed.published,
        updated: parsed.updated,
        authors,
        contributors,
        categories: categories(&parsed.categories),
        enclosures: parsed.enclosures.iter().filter_map(|raw| enclosure(raw, base)).collect(),
        image: url(&parsed.image).or_else(|| parsed.podcast.as_ref().and_then(|podcast| url(&podcast.image))).or_else(
            || parsed.enclosures.iter().find(|file| is_picture(file)).and_then(|file| links::clean(&file.url, base)),
        ),
        comments: url(&parsed.comments).filter(|comments| Some(comments) != link.as_ref()),
        language: language(parsed.language.as_deref().or(feed.info.language.as_deref())),
        rights: rights(parsed, own_feed),
        license: license.and_then(|raw| links::clean(raw, base)),
        in_reply_to: in_reply_to(&parsed.in_reply_to, base),
        credits: credits(if parsed.credits.is_empty() { inherited_credits } else { &parsed.credits }, base),
        source: source(parsed.source.as_deref(), byline_source, (link.as_ref(), base)),
        podcast: parsed.podcast.as_ref().and_then(|parsed| podcast(parsed, base)),
        copies: copies(&parsed.copies, link.as_ref(), base),
        link,
    };
    if entry.summary_html == entry.content_html {
        entry.summary_html = None;
    }
    if let ([enclosure], Some(podcast)) = (entry.enclosures.as_mut_slice(), &entry.podcast) {
        enclosure.duration_seconds = enclosure.duration_seconds.or(podcast.duration_seconds);
    }
    entry
}

/// Returns the clean form of what a document says about its feed.
pub fn info(feed: &ParsedFeed) -> FeedInfo {
    let base = feed.info.base.as_deref();
    let parsed = &feed.info;
    let links = |rel: &'static str| parsed.links(rel).filter_map(move |href| links::clean(href, base));
    FeedInfo {
        title: parsed.title.as_ref().map(line).filter(|title| !title.is_empty()),
        site: links("alternate").next(),
        id: parsed.id.clone(),
        description: parsed.description.as_ref().map(line).filter(|description| !description.is_empty()),
        language: language(parsed.language.as_deref()),
        rights: parsed.rights.as_ref().map(line).filter(|rights| !rights.is_empty()),
        license: parsed.license().and_then(|license| links::clean(license, base)),
        updated: parsed.updated,
        authors: persons(&parsed.authors, base),
        image: parsed.image.as_deref().and_then(|image| links::clean(image, base)),
        self_link: links("self").next(),
        hubs: links("hub").collect(),
        cloud: parsed.cloud.as_deref().and_then(|cloud| links::clean(cloud, base)),
        next: links("next").next(),
        prev_archive: links("prev-archive").next(),
    }
}

/// Returns a text as one line of plain text: no markup, single spaces, limited length.
fn line(text: &ParsedText) -> String {
    let plain = if text.html { title::line(&text.value) } else { text::single_spaced(&text.value) };
    text::cut_line(plain, MAX_LINE_CHARS)
}

fn plain_line(text: &str) -> String {
    text::cut_line(text::single_spaced(text), MAX_LINE_CHARS)
}

/// Returns a name or term without markup, even if the markup was escaped several times. If it was escaped too often,
/// its special characters are removed.
fn name_line(text: &str) -> String {
    let mut name = plain_line(text);
    for _ in 0..MAX_ESCAPES {
        let plainer = plain_line(&title::without_tags(&name));
        if plainer == name {
            return name;
        }
        name = plainer;
    }
    plain_line(&name.replace(['&', '<', '>'], " "))
}

/// The bases of relative URLs in those texts of an entry that have no `xml:base`.
#[derive(Clone, Copy)]
struct Page<'a> {
    /// The entry's page. A fragment alone, such as `#notes`, is a place on this page, whatever the base URL is.
    link: Option<&'a Url>,
    /// The base of all other relative URLs. In Atom it is the document's own address (RFC 3986 §5.1). Otherwise it is
    /// the entry's page: RSS and JSON Feed define no base, and publishers write URLs that work in a browser on that
    /// page.
    base: Option<&'a Url>,
}

fn is_atom(feed: &ParsedFeed) -> bool {
    feed.format.family == Family::Atom
}

fn clean_html(text: &ParsedText, page: Page) -> Option<String> {
    let base = text.base.as_deref();
    let html = if text.has_lines {
        html::from_plain_text(&resolve_html(&text.value))
    } else if text.html {
        let bases = Bases {
            base: base.or(page.base),
            itself: base.or(page.link).or(page.base),
            fragment: page.link.or(base).or(page.base),
        };
        let html = html::sanitize_within(&text.value, bases);
        // Line breaks have no meaning in this HTML. But if it has no tags, a program that reads newswire's own feeds
        // would take it for plain text, in which line breaks count. So they become spaces.
        if html.contains(['<', '>']) { html } else { html.replace('\n', " ") }
    } else {
        html::from_plain_text(&text.value)
    };
    (!html.trim().is_empty()).then_some(html)
}

/// Returns the authors and contributors, with bylines split into their parts. Also returns the source that a byline
/// names.
fn people(parsed: &ParsedEntry, feed: &ParsedFeed, base: Option<&Url>) -> (Vec<Person>, Vec<Person>, Option<String>) {
    let named = added::authors(parsed);
    let mut authors = persons(&named, base);
    let mut contributors = persons(&parsed.contributors, base);
    let mut source = None;
    for author in &mut authors {
        let Some(byline) = author.name.as_deref().and_then(byline::split) else { continue };
        contributors.extend(byline.via.map(Person::named).filter(|via| !contributors.contains(via)));
        source = source.or(byline.source);
        author.name = byline.author;
    }
    authors.retain(|author| *author != Person::default());
    if authors.is_empty() && named.is_empty() {
        authors = inherited_authors(parsed, feed, base);
    }
    (authors, contributors, source)
}

/// Returns the authors that an entry inherits. RFC 4287 §4.2.1: an entry without author has those of its source, else
/// those of its feed. The same holds for JSON Feed and podcasts. In other RSS, the editor of the feed is not the author
/// of its items.
fn inherited_authors(parsed: &ParsedEntry, feed: &ParsedFeed, base: Option<&Url>) -> Vec<Person> {
    match &parsed.source {
        // This feed's authors did not write an entry that was taken from elsewhere.
        Some(source) => source_authors(source, base),
        None if feed.format.family == Family::Rss && parsed.podcast.is_none() => Vec::new(),
        None => persons(inherited(&feed.info.authors, person_bytes), base),
    }
}

/// Returns the entry's own rights, else those of the source that it names, else those of its feed. An entry that was
/// taken from elsewhere does not have those of its feed.
fn rights(parsed: &ParsedEntry, own_feed: Option<&ParsedInfo>) -> Option<String> {
    let of_source = parsed.source.as_ref().and_then(|source| source.rights.as_ref());
    let of_feed = own_feed.and_then(|info| info.rights.as_ref());
    parsed.rights.as_ref().or(of_source).or(of_feed).map(line).filter(|rights| !rights.is_empty())
}

/// Returns as many of the first items as fit into [`MAX_INHERITED_BYTES`].
fn inherited<T>(all: &[T], bytes: impl Fn(&T) -> usize) -> &[T] {
    let mut total = 0;
    let end = all.iter().position(|one| {
        total += bytes(one);
        total > MAX_INHERITED_BYTES
    });
    &all[..end.unwrap_or(all.len())]
}

fn person_bytes(person: &ParsedPerson) -> usize {
    [&person.name, &person.email, &person.url].into_iter().flatten().map(String::len).sum()
}

fn credit_bytes(credit: &ParsedCredit) -> usize {
    credit.name.len() + [&credit.role, &credit.url].into_iter().flatten().map(String::len).sum::<usize>()
}

fn persons(parsed: &[ParsedPerson], base: Option<&Url>) -> Vec<Person> {
    let mut persons: Vec<Person> = Vec::new();
    for raw in parsed.iter().take(MAX_PARTS) {
        let person = Person {
            name: raw.name.as_deref().map(name_line).filter(|name| !name.is_empty()),
            email: raw
                .email
                .as_deref()
                .map(plain_line)
                .filter(|email| email.contains('@') && !email.contains([' ', '<', '>', '"'])),
            url: raw.url.as_deref().and_then(|url| links::clean(url, base)),
        };
        let known = persons.iter_mut().find(|known| known.name == person.name && person.name.is_some());
        match known {
            // Another element of the entry names the same person.
            Some(known) => {
                known.email = known.email.take().or(person.email);
                known.url = known.url.take().or(person.url);
            }
            None if person != Person::default() => persons.push(person),
            None => {}
        }
    }
    persons
}

fn categories(parsed: &[Category]) -> Vec<Category> {
    let mut categories: Vec<Category> = Vec::new();
    for raw in parsed.iter().take(MAX_PARTS) {
        let category = Category {
            term: name_line(&raw.term),
            scheme: raw.scheme.as_deref().map(str::trim).filter(|scheme| is_harmless_scheme(scheme)).map(str::to_owned),
            label: raw.label.as_deref().map(plain_line).filter(|label| !label.is_empty()),
        };
        if !category.term.is_empty() && !categories.contains(&category) {
            categories.push(category);
        }
    }
    categories
}

fn in_reply_to(parsed: &[ParsedInReplyTo], base: Option<&Url>) -> Vec<InReplyTo> {
    let clean = parsed.iter().take(MAX_PARTS).map(|raw| InReplyTo {
        id: plain_line(&raw.id),
        url: raw.url.as_deref().and_then(|url| links::clean(url, base)),
    });
    clean.filter(|reply| !reply.id.is_empty()).collect()
}

fn credits(parsed: &[ParsedCredit], base: Option<&Url>) -> Vec<Credit> {
    let mut credits: Vec<Credit> = Vec::new();
    for raw in parsed.iter().take(MAX_PARTS) {
        let credit = Credit {
            name: name_line(&raw.name),
            role: raw.role.as_deref().map(plain_line).filter(|role| !role.is_empty()),
            url: raw.url.as_deref().and_then(|url| links::clean(url, base)),
        };
        if !credit.name.is_empty() && !credits.contains(&credit) {
            credits.push(credit);
        }
    }
    credits
}

/// Returns the other copies that an entry names. Each URL occurs once, and the entry's own URL does not occur.
fn copies(parsed: &[ParsedCopy], link: Option<&Url>, base: Option<&Url>) -> Vec<NamedCopy> {
    let mut copies: Vec<NamedCopy> = Vec::new();
    let mut bytes = 0;
    for raw in parsed.iter().take(MAX_COPIES) {
        let Some(url) = links::clean(&raw.url, base).filter(|url| Some(url) != link) else { continue };
        let text = |raw: &Option<String>| raw.as_deref().map(plain_line).filter(|text| !text.is_empty());
        let copy = NamedCopy { feed: text(&raw.feed), title: text(&raw.title), published: raw.published, url };
        let size = |text: &Option<String>| text.as_ref().map_or(0, String::len);
        let more = copy.url.as_str().len() + size(&copy.feed) + size(&copy.title);
        if bytes + more <= MAX_COPIES_BYTES && copies.iter().all(|known| known.url != copy.url) {
            bytes += more;
            copies.push(copy);
        }
    }
    copies
}

/// Returns whether a category's scheme is an IRI or a word, and not something that a browser would run.
fn is_harmless_scheme(scheme: &str) -> bool {
    let lower: String =
        scheme.chars().filter(|character| !character.is_control()).collect::<String>().to_ascii_lowercase();
    !scheme.is_empty() && !["javascript:", "data:", "vbscript:"].iter().any(|bad| lower.trim_start().starts_with(bad))
}

fn enclosure(raw: &ParsedEnclosure, base: Option<&Url>) -> Option<Enclosure> {
    Some(Enclosure {
        url: links::media(&raw.url, base)?,
        media_type: media_type(raw.media_type.as_deref()),
        bytes: raw.bytes.filter(|&bytes| bytes > 0),
        duration_seconds: raw.duration_seconds,
        title: raw.title.as_deref().map(plain_line).filter(|title| !title.is_empty()),
        repeats_picture: raw.repeats_picture,
    })
}

fn is_picture(file: &ParsedEnclosure) -> bool {
    file.media_type
        .as_deref()
        .and_then(|media_type| media_type.split('/').next())
        .is_some_and(|kind| kind.trim().eq_ignore_ascii_case("image"))
}

/// Returns a media type in lower case without parameters. Returns `None` if it is invalid.
fn media_type(raw: Option<&str>) -> Option<String> {
    let essence = raw?.split(';').next()?.trim().to_ascii_lowercase();
    let is_token = |part: &str| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&byte))
    };
    let (kind, name) = essence.split_once('/')?;
    (is_token(kind) && is_token(name)).then_some(essence)
}

/// Returns a language tag if its characters are valid in BCP 47. Whether the language exists is not checked.
fn language(raw: Option<&str>) -> Option<String> {
    let language = raw.map(str::trim).filter(|language| language.len() <= MAX_LANGUAGE_BYTES)?.replace('_', "-");
    let is_tag = |tag: &str| (1..=8).contains(&tag.len()) && tag.bytes().all(|byte| byte.is_ascii_alphanumeric());
    language.split('-').all(is_tag).then_some(language)
}

/// Returns the source of an entry. `link` is the URL of the entry's own page. If the source has the same URL, that URL
/// is dropped: RSS requires a URL in `source`, but an entry's page is not a feed.
fn source(
    parsed: Option<&ParsedSource>,
    byline_source: Option<String>,
    (link, base): (Option<&Url>, Option<&Url>),
) -> Option<Source> {
    let url = |raw: &Option<String>| raw.as_deref().and_then(|raw| links::clean(raw, base));
    let mut source = parsed.map_or_else(Source::default, |parsed| Source {
        title: parsed.title.as_ref().map(line).filter(|title| !title.is_empty() && title != UNKNOWN_SOURCE),
        url: url(&parsed.url).filter(|url| Some(url) != link),
        id: parsed.id.clone(),
        site: url(&parsed.site),
        updated: parsed.updated,
        authors: source_authors(parsed, base),
        rights: parsed.rights.as_ref().map(line).filter(|rights| !rights.is_empty()),
    });
    source.title = source.title.or(byline_source);
    // A named source says that the entry is from elsewhere, even if nothing else is known about the source.
    let is_named = parsed.is_some_and(|parsed| parsed.title.is_some());
    (is_named || source != Source::default()).then_some(source)
}

/// Returns the authors of a source. An author that only repeats the source's title is left out: it is a placeholder,
/// because RFC 4287 §4.2.1 requires an author.
fn source_authors(parsed: &ParsedSource, base: Option<&Url>) -> Vec<Person> {
    let title = parsed.title.as_ref().map(line);
    let mut authors = persons(&parsed.authors, base);
    authors.retain(|author| author.name != title || author.email.is_some() || author.url.is_some());
    authors
}

fn podcast(parsed: &ParsedPodcast, base: Option<&Url>) -> Option<Podcast> {
    let transcript = |raw: &ParsedTranscript| {
        Some(Transcript {
            url: links::file(&raw.url, base)?,
            media_type: media_type(raw.media_type.as_deref()),
            language: language(raw.language.as_deref()),
        })
    };
    let podcast = Podcast {
        duration_seconds: parsed.duration_seconds,
        image: parsed.image.as_deref().and_then(|image| links::clean(image, base)),
        episode: parsed.episode,
        season: parsed.season,
        explicit: parsed.explicit,
        episode_type: parsed.episode_type,
        transcripts: parsed.transcripts.iter().filter_map(transcript).collect(),
        chapters: parsed.chapters.as_ref().and_then(transcript),
    };
    (podcast != Podcast::default()).then_some(podcast)
}
