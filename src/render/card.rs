//! A story as pages show it: its texts, its dates in the site's time zone, and its links.

use std::collections::HashSet;

use serde::Serialize;

use crate::config::Site;
use crate::feed::FeedId;
use crate::reason::JoinReason;
use crate::render::entry::{self, EditionEntry, EditionPerson};
use crate::render::shown::Look;
use crate::render::{address, shown, text};
use crate::section::{ShownCopy, ShownStory};
use crate::size;
use crate::time::Timestamp;

/// Where a story is shown. Lists shorten the summary and omit the content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CardPlace {
    /// The list of a public section.
    List,
    /// The list of a private section, whose stories may have no pages.
    PrivateList,
    /// The story's own page.
    OwnPage,
    /// A post with its full text, among others.
    Post,
}

impl CardPlace {
    /// Returns how the content is shown; `None` in lists, which show none.
    fn look(self, site: &Site) -> Option<Look> {
        let level = match self {
            CardPlace::List | CardPlace::PrivateList => return None,
            CardPlace::OwnPage => 1,
            CardPlace::Post => 2,
        };
        Some(Look { level, pictures: site.pictures })
    }
}

/// How many stories of a section must have a tag for the tag to be a link. So many make a page of their own.
pub const LEAST_TAGGED: usize = 3;

/// The most categories of a story that a page shows.
const MAX_CATEGORIES: usize = 30;

/// A story as pages show it. All texts are plain, except `content_html`.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Card {
    pub title: String,
    /// The absolute address of the original.
    pub link: String,
    /// The host of the original; `None` if the story has no link.
    host: Option<String>,
    /// The path of its own page.
    page: Option<String>,
    /// Whether to show only the headline.
    is_brief: bool,
    language: Option<String>,
    /// The direction of the story's text, `rtl` or `ltr`, if it differs from the site's.
    direction: Option<&'static str>,
    byline: Option<String>,
    /// The authors, unless they are the source.
    author: Option<String>,
    /// The names in "via": who passed the story on.
    via: Option<String>,
    source: SourceLink,
    /// Whether the byline names the source, so that the page need not repeat it.
    byline_has_source: bool,
    pub published: Date,
    /// When the text last changed; `None` if it never did.
    revised: Option<Date>,
    pub summary: String,
    /// The content as sanitized HTML; only on the story's own page.
    content_html: Option<String>,
    /// An address over `https`; pages load no other images.
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
    /// The source's own site.
    href: Option<String>,
    /// The path of the page with the stories of the feed; `None` in a private section.
    page: Option<String>,
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct CategoryName {
    pub name: String,
    /// The facet of the category.
    facet: Option<String>,
    /// The path of the page with the stories of the category, if there is one.
    pub href: Option<String>,
    /// The path of its listing, whether or not it has a page.
    #[serde(skip)]
    path: Option<String>,
}

/// Another copy of the story.
#[derive(Clone, Debug, Serialize)]
struct CopyLink {
    title: String,
    href: Option<String>,
    /// Why it is a copy of the story; only on the story's page.
    reason: Option<&'static str>,
    #[serde(skip)]
    feed: Option<FeedId>,
}

#[derive(Clone, Debug, Serialize)]
struct EnclosureLink {
    href: String,
    name: String,
    /// `audio` or `video`, if the page can play the file: pages load media only over `https`.
    player: Option<&'static str>,
    /// The address for the player, over `https`.
    media: Option<String>,
    /// Details such as `audio, 34:56, 12 MB`.
    details: String,
}

impl Card {
    /// Creates the card of a story.
    pub(super) fn new(site: &Site, story: &ShownStory, place: CardPlace) -> Card {
        Card::of(site, entry::edition_entry(site, story, &[], place != CardPlace::PrivateList), place)
    }

    /// Creates the card of a prepared story. Does not use the source's `updated`.
    fn of(site: &Site, entry: EditionEntry, place: CardPlace) -> Card {
        let has_page = place != CardPlace::PrivateList;
        let story = entry.story;
        let byline = text::line(&story.byline);
        let lead = story.copies.iter().find(|copy| copy.lead).filter(|_| has_page);
        let source_page = lead.map(|copy| address::path(site, &address::source_path(&copy.feed)));
        Card {
            author: names(&entry.authors, &entry.source.title),
            via: names(&entry.contributors, &entry.source.title),
            byline_has_source: byline.as_ref().is_some_and(|byline| byline.contains(&entry.source.title)),
            byline,
            page: has_page.then(|| address::story_page(site, &story.slug).path().to_owned()),
            published: Date::new(site, entry.published),
            revised: (entry.updated > entry.published).then(|| Date::new(site, entry.updated)),
            image: entry.image.as_deref().filter(|_| site.pictures).and_then(shown::over_https),
            host: story.entry.link.as_ref().and_then(text::host),
            is_brief: false,
            direction: direction(site, &entry),
            categories: category_names(site, &entry.categories),
            copies: copies(story, &entry),
            enclosures: entry.enclosures.iter().map(|enclosure| enclosure_link(enclosure, &entry)).collect(),
            content_html: place
                .look(site)
                .zip(entry.content_html.or(entry.summary_html))
                .map(|(look, html)| shown::html(&html, look)),
            summary: text::excerpt(&entry.summary),
            source: SourceLink {
                title: entry.source.title,
                href: entry.source.site.or(entry.source.url),
                page: source_page,
            },
            title: entry.title,
            link: entry.link,
            language: entry.language,
            rights: entry.rights,
            comments: entry.comments,
        }
    }

    /// Adds why each copy belongs to the story.
    pub(super) fn explain_copies(&mut self, reasons: &[(FeedId, JoinReason)]) {
        for copy in &mut self.copies {
            let reason = reasons.iter().find(|(feed, _)| copy.feed.as_ref() == Some(feed));
            copy.reason = reason.map(|(_, reason)| because(*reason));
        }
    }

    /// Returns the paths of the listings of the tags, without the terms of facets.
    pub(super) fn tag_paths(&self) -> impl Iterator<Item = &str> {
        self.categories
            .iter()
            .filter(|category| category.facet.is_none())
            .filter_map(|category| category.path.as_deref())
    }

    /// Returns the terms of a facet.
    pub(super) fn terms_of(&self, facet: &str) -> impl Iterator<Item = &CategoryName> {
        self.categories.iter().filter(move |category| category.facet.as_deref() == Some(facet))
    }

    /// Makes links of the terms of facets, and of the tags for whose path `has_page` is true. A private section has none.
    pub(super) fn link_tags(&mut self, site: &Site, has_page: impl Fn(&str) -> bool) {
        let is_public = self.page.is_some();
        for category in self.categories.iter_mut().filter(|_| is_public) {
            let path = category.path.as_ref().filter(|path| category.facet.is_some() || has_page(path));
            category.href = path.map(|path| address::path(site, &format!("{path}/")));
        }
    }

    /// Returns the card, reduced to the headline if `is_brief`.
    pub(super) fn brief(self, is_brief: bool) -> Card {
        Card { is_brief, ..self }
    }
}

/// Returns the direction of the story's text if it differs from the site's.
fn direction(site: &Site, entry: &EditionEntry) -> Option<&'static str> {
    let has_text = entry.summary_html.is_some() || entry.content_html.is_some();
    let words =
        if has_text { format!("{} {}", entry.title, text::excerpt(&entry.summary)) } else { entry.title.clone() };
    text::direction(&words).filter(|direction| *direction != text::direction_of_language(&site.language))
}

/// Returns why a copy belongs to its story, for readers.
fn because(reason: JoinReason) -> &'static str {
    match reason {
        JoinReason::First => "had it first",
        JoinReason::Link => "has the same link",
        JoinReason::Original => "names the original",
        JoinReason::Id => "has the same id",
        JoinReason::Text => "has the same text",
        JoinReason::Editor => "joined by an editor",
    }
}

/// Returns the names of people on one line, without the source and without repeats; `None` if no other name is left.
fn names(people: &[EditionPerson], source: &str) -> Option<String> {
    let mut names: Vec<&str> = Vec::new();
    let source = source.to_lowercase();
    for name in people.iter().map(|person| &*person.name) {
        let folded = name.to_lowercase();
        if folded != source && !names.iter().any(|known| known.to_lowercase() == folded) {
            names.push(name);
        }
    }
    const NAMED: usize = 8;
    let more = names.len().saturating_sub(NAMED);
    names.truncate(NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    (!names.is_empty()).then(|| names.join(", ") + &more)
}

/// Returns the paths of the listings of these categories.
pub(super) fn category_paths(site: &Site, categories: &[crate::entry::Category]) -> Vec<String> {
    category_names(site, categories).into_iter().filter_map(|category| category.path).collect()
}

/// Returns the name of the category whose listing has this path.
pub(super) fn category_named(site: &Site, categories: &[crate::entry::Category], path: &str) -> Option<String> {
    let mut names = category_names(site, categories).into_iter();
    names.find(|category| category.path.as_deref() == Some(path)).map(|category| category.name)
}

/// Returns the names of the categories without repeats, those of facets first. A name that a facet has is not repeated outside of it.
fn category_names(site: &Site, categories: &[crate::entry::Category]) -> Vec<CategoryName> {
    let mut names: Vec<CategoryName> = categories.iter().map(|category| category_name(site, category)).collect();
    let facets: HashSet<String> =
        names.iter().filter(|name| name.facet.is_some()).map(|name| name.name.to_lowercase()).collect();
    let mut seen = HashSet::new();
    names.retain(|name| {
        let folded = name.name.to_lowercase();
        let is_repeated = name.facet.is_none() && facets.contains(&folded);
        !is_repeated && seen.insert((folded, name.facet.clone()))
    });
    names.sort_by_key(|name| name.facet.is_none());
    names.truncate(MAX_CATEGORIES);
    names
}

fn category_name(site: &Site, category: &crate::entry::Category) -> CategoryName {
    let base = address::uri(&site.url);
    let facet = category.scheme.as_deref().and_then(|scheme| scheme.strip_prefix(&base)).map(str::to_owned);
    let name = category.label.clone().unwrap_or_else(|| category.term.clone());
    let is_facet = facet.as_ref().is_some_and(|facet| site.facets.contains(facet));
    let path = address::tag_path(facet.as_deref(), &name).filter(|_| facet.is_none() || is_facet);
    CategoryName { name, facet, href: None, path }
}

fn copies(story: &ShownStory, entry: &EditionEntry) -> Vec<CopyLink> {
    let others = story.copies.iter().filter(|copy| !copy.lead);
    let link = |copy: &ShownCopy| CopyLink {
        title: text::line(&copy.title).unwrap_or_else(|| copy.feed.to_string()),
        href: address::public(copy.url.as_ref()).filter(|href| *href != entry.link),
        reason: None,
        feed: Some(copy.feed.clone()),
    };
    let named = entry.named_copies.iter();
    let named = named.map(|copy| CopyLink {
        title: copy.title.clone(),
        href: Some(copy.url.clone()),
        reason: None,
        feed: None,
    });
    others.map(link).chain(named).collect()
}

fn enclosure_link(enclosure: &entry::EditionEnclosure, entry: &EditionEntry) -> EnclosureLink {
    let kind = ["audio", "video"].into_iter().find(|kind| enclosure.media_type.starts_with(kind));
    let details = [
        Some(kind_of_file(&enclosure.media_type).to_owned()),
        enclosure.duration_seconds.map(duration),
        enclosure.bytes.map(size::rounded),
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

/// Returns what people call a file of a media type.
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

/// Returns the name of the file at an address if it is readable: it has an extension and is not just a hexadecimal number.
fn file_name(address: &str) -> Option<String> {
    /// Programs generate names with this many digits.
    const OPAQUE_DIGITS: usize = 16;

    let encoded = address.split(['?', '#']).next()?.rsplit('/').next()?;
    // A path decodes like a query, except for `+` and `&`.
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

fn duration(seconds: u64) -> String {
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match hours {
        0 => format!("{minutes}:{seconds:02}"),
        _ => format!("{hours}:{minutes:02}:{seconds:02}"),
    }
}

/// A time, for machines in UTC and for people in the site's time zone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Date {
    /// The time in UTC (RFC 3339).
    pub iso: String,
    /// The day, such as `Wednesday, 20 December 2017`.
    day: String,
    /// The time of day, such as `19:18`.
    time: String,
    /// Day and time, such as `20 December 2017, 19:18`.
    full: String,
    /// The day in short, such as `20 Dec 2017`.
    short: String,
}

impl Date {
    /// Formats a time in the site's time zone.
    pub(super) fn new(site: &Site, timestamp: Timestamp) -> Date {
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

/// Consecutive stories of one day.
#[derive(Debug, Serialize)]
pub(super) struct Day {
    name: String,
    stories: Vec<Card>,
}

/// Returns the cards of prepared stories, in the same order.
pub(super) fn cards(site: &Site, entries: &[EditionEntry], place: CardPlace) -> Vec<Card> {
    entries.iter().map(|entry| Card::of(site, entry.clone(), place)).collect()
}

/// Groups the cards by the day on which the stories were published, in the same order. Shows summaries for the first `whole`.
pub(super) fn days(cards: &[Card], whole: usize) -> Vec<Day> {
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
