//! A story as pages show it: its texts, its dates in the site's time zone, and where its links lead.

use std::collections::HashSet;

use serde::Serialize;

use crate::config::Site;
use crate::render::entry::{self, EditionEntry};
use crate::render::{address, shown, text};
use crate::section::ShownStory;
use crate::time::Timestamp;

/// Where a story is shown: lists cut its summary and leave out its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CardPlace {
    List,
    /// A list whose stories need not have pages: that of a private section.
    PrivateList,
    OwnPage,
}

/// A story as pages show it. All texts are plain but `content_html`.
#[derive(Clone, Debug, Serialize)]
pub struct Card {
    pub title: String,
    /// The original, absolute.
    pub link: String,
    /// Where the original is; `None` where it is nowhere else.
    host: Option<String>,
    /// Its own page, a path.
    page: Option<String>,
    /// Whether its headline is all that is shown.
    is_brief: bool,
    language: Option<String>,
    /// `rtl` or `ltr`, where its text does not run as the site's does.
    direction: Option<&'static str>,
    byline: Option<String>,
    source: SourceLink,
    /// Whether the byline names the source, so that it need not be named again.
    byline_has_source: bool,
    pub published: Date,
    /// Where the words changed after they were published.
    revised: Option<Date>,
    pub summary: String,
    /// Sanitized, as pages show it; only on its own page.
    content_html: Option<String>,
    /// Only over `https`: pages load no other images.
    pub image: Option<String>,
    categories: Vec<CategoryName>,
    rights: Option<String>,
    copies: Vec<CopyLink>,
    comments: Option<String>,
    enclosures: Vec<EnclosureLink>,
}

#[derive(Clone, Debug, Serialize)]
struct SourceLink {
    title: String,
    href: Option<String>,
}

#[derive(Clone, Debug, Serialize)]
struct CategoryName {
    name: String,
    /// The facet that it belongs to.
    facet: Option<String>,
}

/// Another copy of the story.
#[derive(Clone, Debug, Serialize)]
struct CopyLink {
    title: String,
    href: Option<String>,
}

#[derive(Clone, Debug, Serialize)]
struct EnclosureLink {
    href: String,
    name: String,
    /// `audio` or `video`, if the page may play it: pages load no media but over `https`.
    player: Option<&'static str>,
    /// Where a player finds it.
    media: Option<String>,
    /// As in `audio, 34:56, 12 MB`.
    details: String,
}

impl Card {
    pub fn new(site: &Site, story: &ShownStory, place: CardPlace) -> Card {
        Card::of(site, entry::edition_entry(site, story, &[], place != CardPlace::PrivateList), place)
    }

    /// The card of a story that is made ready; how new its source is does not matter.
    fn of(site: &Site, entry: EditionEntry, place: CardPlace) -> Card {
        let has_page = place != CardPlace::PrivateList;
        let story = entry.story;
        let byline = text::line(&story.byline);
        Card {
            byline_has_source: byline.as_ref().is_some_and(|byline| byline.contains(&entry.source.title)),
            byline,
            page: has_page.then(|| address::story_page(site, &story.slug).path().to_owned()),
            published: Date::new(site, entry.published),
            revised: (entry.updated > entry.published).then(|| Date::new(site, entry.updated)),
            image: entry.image.as_deref().and_then(shown::over_https),
            host: story.entry.link.as_ref().and_then(text::host),
            is_brief: false,
            direction: direction(site, &entry),
            categories: category_names(site, &entry.categories),
            copies: copies(story, &entry),
            enclosures: entry.enclosures.iter().map(|enclosure| enclosure_link(enclosure, &entry)).collect(),
            content_html: (place == CardPlace::OwnPage)
                .then(|| entry.content_html.or(entry.summary_html))
                .flatten()
                .map(|html| shown::html(&html)),
            summary: text::excerpt(&entry.summary),
            source: SourceLink { title: entry.source.title, href: entry.source.site.or(entry.source.url) },
            title: entry.title,
            link: entry.link,
            language: entry.language,
            rights: entry.rights,
            comments: entry.comments,
        }
    }

    /// The same story, by its headline alone if so wished.
    pub fn brief(self, is_brief: bool) -> Card {
        Card { is_brief, ..self }
    }
}

/// How the story's text runs, if not as the site's.
fn direction(site: &Site, entry: &EditionEntry) -> Option<&'static str> {
    let has_text = entry.summary_html.is_some() || entry.content_html.is_some();
    let words =
        if has_text { format!("{} {}", entry.title, text::excerpt(&entry.summary)) } else { entry.title.clone() };
    text::direction(&words).filter(|direction| *direction != text::direction_of_language(&site.language))
}

/// The names of the categories, each once; one that is a facet's is not said again outside of it.
fn category_names(site: &Site, categories: &[crate::entry::Category]) -> Vec<CategoryName> {
    let mut names: Vec<CategoryName> = categories.iter().map(|category| category_name(site, category)).collect();
    let facets: HashSet<String> =
        names.iter().filter(|name| name.facet.is_some()).map(|name| name.name.to_lowercase()).collect();
    let mut seen = HashSet::new();
    names.retain(|name| {
        let folded = name.name.to_lowercase();
        let is_said = name.facet.is_none() && facets.contains(&folded);
        !is_said && seen.insert((folded, name.facet.clone()))
    });
    names
}

fn category_name(site: &Site, category: &crate::entry::Category) -> CategoryName {
    let base = address::uri(&site.url);
    let facet = category.scheme.as_deref().and_then(|scheme| scheme.strip_prefix(&base)).map(str::to_owned);
    CategoryName { name: category.label.clone().unwrap_or_else(|| category.term.clone()), facet }
}

fn copies(story: &ShownStory, entry: &EditionEntry) -> Vec<CopyLink> {
    let others = story.copies.iter().filter(|copy| !copy.lead);
    let link = |copy: &crate::section::ShownCopy| CopyLink {
        title: text::line(&copy.title).unwrap_or_else(|| copy.feed.to_string()),
        href: address::public(copy.url.as_ref()).filter(|href| *href != entry.link),
    };
    let named = entry.named_copies.iter();
    let named = named.map(|copy| CopyLink { title: copy.title.clone(), href: Some(copy.url.clone()) });
    others.map(link).chain(named).collect()
}

fn enclosure_link(enclosure: &entry::EditionEnclosure, entry: &EditionEntry) -> EnclosureLink {
    let kind = ["audio", "video"].into_iter().find(|kind| enclosure.media_type.starts_with(kind));
    let details = [
        Some(kind_of_file(&enclosure.media_type).to_owned()),
        enclosure.duration_seconds.map(duration),
        enclosure.bytes.map(size),
    ];
    let media = shown::over_https(&enclosure.url);
    EnclosureLink {
        player: kind.filter(|_| media.is_some()),
        media,
        href: enclosure.url.clone(),
        name: enclosure.title.clone().or_else(|| file_name(&enclosure.url)).unwrap_or_else(|| entry.title.clone()),
        details: details.into_iter().flatten().collect::<Vec<_>>().join(", "),
    }
}

/// What people call a file of a media type.
fn kind_of_file(media_type: &str) -> &str {
    let subtype = media_type.split_once('/').map_or("", |(_, subtype)| subtype);
    match media_type.split('/').next().unwrap_or_default() {
        kind @ ("audio" | "video" | "image" | "text") => kind,
        _ => match subtype {
            "pdf" => "PDF",
            "epub+zip" => "EPUB",
            "zip" => "ZIP",
            "x-bittorrent" => "torrent",
            "x-shockwave-flash" => "Flash",
            _ => "file",
        },
    }
}

/// The name of the file at an address, if people can read it: it has an ending, and is no mere number in hexadecimal.
fn file_name(address: &str) -> Option<String> {
    /// Names of so many digits are made by programs.
    const OPAQUE_DIGITS: usize = 16;

    let encoded = address.split(['?', '#']).next()?.rsplit('/').next()?;
    // A path is decoded as a query is, but for its `+` and `&`.
    let query = format!("name={}", encoded.replace('+', "%2B").replace('&', "%26"));
    let (_, decoded) = url::form_urlencoded::parse(query.as_bytes()).next()?;
    let name = text::line(&decoded)?;
    let (stem, ending) = name.rsplit_once('.')?;
    let has_ending = (1..=5).contains(&ending.len()) && ending.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let digits = stem.bytes().filter(u8::is_ascii_hexdigit).count();
    let is_opaque =
        digits >= OPAQUE_DIGITS && stem.bytes().all(|byte| byte.is_ascii_hexdigit() || b"-_".contains(&byte));
    (has_ending && !stem.is_empty() && !is_opaque).then_some(name)
}

fn size(bytes: u64) -> String {
    match bytes {
        0..1_000_000 => format!("{} KB", bytes.div_ceil(1000)),
        _ => format!("{} MB", bytes / 1_000_000),
    }
}

fn duration(seconds: u64) -> String {
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match hours {
        0 => format!("{minutes}:{seconds:02}"),
        _ => format!("{hours}:{minutes:02}:{seconds:02}"),
    }
}

/// A moment, for machines and in the site's time zone for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Date {
    /// RFC 3339.
    pub iso: String,
    /// As in `Wednesday, 20 December 2017`.
    day: String,
    /// As in `19:18`.
    time: String,
    /// As in `20 December 2017, 19:18`.
    full: String,
    /// As in `20 Dec 2017`.
    short: String,
}

impl Date {
    pub fn new(site: &Site, timestamp: Timestamp) -> Date {
        let local = timestamp.datetime().with_timezone(&site.timezone);
        let write = |pattern: &str| local.format(pattern).to_string();
        Date {
            iso: timestamp.rfc3339(),
            day: write("%A, %-d %B %Y"),
            time: write("%H:%M"),
            full: write("%-d %B %Y, %H:%M"),
            short: write("%-d %b %Y"),
        }
    }
}

/// Stories that follow each other on one day.
#[derive(Debug, Serialize)]
pub struct Day {
    name: String,
    stories: Vec<Card>,
}

/// The cards of stories that are made ready, in their order.
pub fn cards(site: &Site, entries: &[EditionEntry], place: CardPlace) -> Vec<Card> {
    entries.iter().map(|entry| Card::of(site, entry.clone(), place)).collect()
}

/// The cards in their order, under the days on which the stories were published; the first `whole` with their summaries.
pub fn days(cards: &[Card], whole: usize) -> Vec<Day> {
    let mut days: Vec<Day> = Vec::new();
    for (index, card) in cards.iter().enumerate() {
        let card = card.clone().brief(index >= whole);
        match days.last_mut().filter(|day| day.name == card.published.day) {
            Some(day) => day.stories.push(card),
            None => days.push(Day { name: card.published.day.clone(), stories: vec![card] }),
        }
    }
    days
}
