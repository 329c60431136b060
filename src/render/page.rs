//! The HTML pages, from templates that users may replace.
//!
//! Pages have no scripts or inline styles, so that the strictest Content-Security-Policy works. Links within the site are
//! paths, so that pages work under any host name; addresses that readers and robots store are absolute.

use std::collections::{BTreeSet, HashMap};
use std::error::Error;
use std::ops::Range;
use std::sync::Arc;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Serde, Value};
use minijinja::{AutoEscape, Environment, UndefinedBehavior, context};
use serde::Serialize;

use crate::config::{Front, Section, Site};
use crate::feed::FeedId;
use crate::query::{Excerpt, Query};
use crate::reason::JoinReason;
use crate::render::address::{self, Format};
use crate::render::card::{Card, CardPlace, Date, LEAST_TAGGED};
use crate::render::front::SectionSummary;
use crate::render::{RenderError, STYLE_CSS, accent, front, shown, text};
use crate::section::{ShownFeed, ShownStory};
use crate::text::PlainText;

/// The built-in templates, by the names under which users may replace them. `base.html` is the frame of all pages,
/// `days.html` a list of stories by day, `story_card.html` a story in a list.
const TEMPLATES: [(&str, &str); 18] = [
    ("base.html", include_str!("templates/base.html")),
    ("days.html", include_str!("templates/days.html")),
    ("story_card.html", include_str!("templates/story_card.html")),
    ("subscribe.html", include_str!("templates/subscribe.html")),
    ("index.html", include_str!("templates/index.html")),
    ("section.html", include_str!("templates/section.html")),
    ("archive.html", include_str!("templates/archive.html")),
    ("top.html", include_str!("templates/top.html")),
    ("digests.html", include_str!("templates/digests.html")),
    ("listing.html", include_str!("templates/listing.html")),
    ("story.html", include_str!("templates/story.html")),
    ("feeds.html", include_str!("templates/feeds.html")),
    ("about.html", include_str!("templates/about.html")),
    ("search.html", include_str!("templates/search.html")),
    ("not_found.html", include_str!("templates/not_found.html")),
    ("gone.html", include_str!("templates/gone.html")),
    ("ways.html", include_str!("templates/ways.html")),
    ("private.html", include_str!("templates/private.html")),
];

/// The name of the style sheet among the overrides.
const STYLE_NAME: &str = "style.css";

/// The most instructions of minijinja per page: enough for 10,000 stories, but a bound for endless loops.
const FUEL: u64 = 20_000_000;

/// How many sections the bar at the top of each page names.
const BAR_SECTIONS: usize = 50;

/// The checked templates of the site.
#[derive(Clone, Debug)]
pub struct Pages {
    environment: Environment<'static>,
    style: String,
    /// Whether there is a server, which answers searches, filters lists, and has pages of tags.
    has_server: bool,
    /// The sections that the bar at the top names.
    bar: Arc<Bar>,
}

/// The bar at the top of each page.
#[derive(Debug, Default)]
struct Bar {
    sections: Vec<BarLink>,
    /// Whether there are more public sections.
    has_more: bool,
    /// Whether a section has the path of the pages of tags, so that there are none.
    hides_tags: bool,
}

#[derive(Debug, Serialize)]
struct BarLink {
    title: String,
    href: String,
}

/// A story for its own page.
#[derive(Clone, Copy, Debug)]
pub struct StoryView<'a> {
    /// The story.
    pub shown: &'a ShownStory,
    /// Why each copy belongs to it, by feed.
    pub reasons: &'a [(FeedId, JoinReason)],
    /// The paths of its tags that have pages.
    pub tags: &'a BTreeSet<String>,
}

/// A reader's search.
#[derive(Clone, Copy, Debug)]
pub struct Search<'a> {
    /// The words as typed.
    pub words: &'a str,
    /// The parsed query.
    pub query: &'a Query,
    /// The parts of the query that could not be parsed, as sentences.
    pub faults: &'a [String],
    /// Whether there are more results than shown.
    pub has_more: bool,
    /// Whether only the newest stories were searched, because searching all would take too long.
    pub is_cut: bool,
}

/// A search result.
#[derive(Clone, Debug)]
pub struct SearchedStory<'a> {
    /// The story.
    pub story: ShownStory,
    /// The plain text of the story's entry.
    pub text: PlainText,
    /// The public sections that show it.
    pub sections: Vec<&'a Section>,
}

impl Pages {
    /// Parses the built-in templates and the `overrides` (name and text), which replace those of the same name.
    ///
    /// # Errors
    ///
    /// If an override has an unknown name, or does not parse.
    pub(super) fn parse(overrides: &[(String, String)]) -> Result<Pages, RenderError> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        let mut syntax = SyntaxConfig::builder();
        syntax.trim_blocks(true).lstrip_blocks(true).keep_trailing_newline(true);
        environment.set_syntax(syntax.build().expect("the delimiters are the usual ones"));
        environment.set_fuel(Some(FUEL));
        environment.set_formatter(write_escaped);
        for (name, source) in TEMPLATES {
            environment.add_template(name, source).map_err(template_error)?;
        }
        let mut style = STYLE_CSS.to_owned();
        for (name, source) in overrides {
            if name == STYLE_NAME {
                style.clone_from(source);
            } else if TEMPLATES.iter().any(|(known, _)| known == name) {
                environment.add_template_owned(name.clone(), source.clone()).map_err(template_error)?;
            } else {
                let known: Vec<&str> = TEMPLATES.iter().map(|(name, _)| *name).chain([STYLE_NAME]).collect();
                return Err(RenderError::UnknownTemplate(name.clone(), known.join(", ")));
            }
        }
        Ok(Pages { environment, style, has_server: false, bar: Arc::default() })
    }

    /// Returns a copy of these pages for a folder of files, without the links that only a server can answer; `None` if these
    /// pages have no such links.
    pub fn for_folder(&self) -> Option<Pages> {
        self.has_server.then(|| Pages { has_server: false, ..self.clone() })
    }

    /// Adds the links that only a server can answer: to `search`, and to the feeds of a state or section.
    pub fn with_search(self) -> Pages {
        Pages { has_server: true, ..self }
    }

    /// Returns a copy of these pages whose bar names the public ones of these sections.
    pub fn with_sections<'s>(&self, site: &Site, sections: impl Iterator<Item = &'s Section>) -> Pages {
        let mut bar = Bar::default();
        for section in sections {
            bar.hides_tags |= section.id.as_str() == address::TAGS;
            if section.is_public() && bar.sections.len() < BAR_SECTIONS {
                let SectionLink { title, href, .. } = SectionLink::new(site, section);
                bar.sections.push(BarLink { title, href });
            } else {
                bar.has_more |= section.is_public();
            }
        }
        Pages { bar: Arc::new(bar), ..self.clone() }
    }

    /// Makes links of the tags that have pages: terms of facets, and on a server the tags of several of these stories.
    pub(super) fn link_tags(&self, site: &Site, cards: &mut [Card]) {
        if self.bar.hides_tags {
            return;
        }
        let mut counts: HashMap<String, usize> = HashMap::new();
        cards.iter().flat_map(Card::tag_paths).for_each(|path| *counts.entry(path.to_owned()).or_default() += 1);
        let is_linked = |path: &str| self.has_server && counts.get(path).is_some_and(|count| *count >= LEAST_TAGGED);
        cards.iter_mut().for_each(|card| card.link_tags(site, is_linked));
    }

    pub(super) fn has_server(&self) -> bool {
        self.has_server
    }

    /// Returns the style sheet, served as `style.css`, in the site's own colour.
    pub fn style(&self, site: &Site) -> String {
        site.accent.map_or_else(|| self.style.clone(), |accent| self.style.clone() + &accent::rules(accent))
    }

    /// Returns the built-in templates and the style sheet, by their names.
    pub fn built_in() -> impl Iterator<Item = (&'static str, &'static str)> {
        TEMPLATES.into_iter().chain([(STYLE_NAME, STYLE_CSS)])
    }

    /// Renders `/`: a band for each section, or the newest posts of all.
    ///
    /// # Errors
    ///
    /// If a user's template fails.
    pub fn index(&self, site: &Site, sections: &[SectionSummary]) -> Result<String, RenderError> {
        let is_river = site.front == Front::River;
        let (bands, others) = if is_river { (Vec::new(), sections.to_vec()) } else { front::bands(site, sections) };
        let bands: Vec<SectionBlock> =
            bands.iter().map(|band| SectionBlock::new(site, &band.summary, &band.stories)).collect();
        let others: Vec<SectionBlock> = others.iter().map(|other| SectionBlock::new(site, other, &[])).collect();
        let posts = if is_river { posts(site, sections) } else { Vec::new() };
        let alternates: Vec<Alternate> =
            sections.iter().take(BAR_SECTIONS).flat_map(|summary| alternates(site, summary.section)).collect();
        let updated = sections.iter().map(|summary| summary.updated).max().map(|updated| Date::new(site, updated));
        let page = PageHead { alternates, ..PageHead::new(site, None, "") };
        // Templates of earlier versions show all sections alike.
        let all: Vec<&SectionBlock> = bands.iter().chain(&others).collect();
        let rest = context! {
            is_river,
            posts,
            sections => value(&all),
            bands => value(&bands),
            others => value(&others),
            updated => value(updated),
        };
        self.render("index.html", site, &page, rest)
    }

    /// Renders `/story/{slug}/`: the whole story, and the sections that show it.
    ///
    /// # Errors
    ///
    /// If a user's template fails.
    pub fn story(&self, site: &Site, story: &StoryView, sections: &[&Section]) -> Result<String, RenderError> {
        let mut card = Card::new(site, story.shown, CardPlace::OwnPage);
        card.explain_copies(story.reasons);
        if !self.bar.hides_tags {
            card.link_tags(site, |path| self.has_server && story.tags.contains(path));
        }
        let story = story.shown;
        let page = PageHead {
            // The text belongs to the source, so search engines should index the original.
            canonical: card.link.clone(),
            kind: "article",
            published: Some(card.published.iso.clone()),
            description: Some(text::excerpt(&card.summary)),
            image: card.image.clone(),
            alternates: sections.iter().flat_map(|section| alternates(site, section)).collect(),
            ..PageHead::new(site, Some(&card.title), &format!("story/{}/", story.slug))
        };
        let sections: Vec<SectionLink> = sections.iter().map(|section| SectionLink::new(site, section)).collect();
        let page = PageHead { section: sections.first().map(|section| section.href.clone()), ..page };
        self.render("story.html", site, &page, context! { story => value(card), sections => value(sections) })
    }

    /// Renders `/about/`: what this site is, and how to subscribe.
    ///
    /// # Errors
    ///
    /// If a user's template fails.
    pub fn about(&self, site: &Site, sections: &[&Section]) -> Result<String, RenderError> {
        let page = PageHead {
            alternates: sections.iter().flat_map(|section| alternates(site, section)).collect(),
            ..PageHead::new(site, Some("About"), "about/")
        };
        let links: Vec<SectionLink> = sections.iter().map(|section| SectionLink::new(site, section)).collect();
        self.render("about.html", site, &page, context! { sections => value(links) })
    }

    /// Renders `/search`: the form and the results; only the form if the words are empty.
    ///
    /// # Errors
    ///
    /// If a user's template fails.
    pub fn search(&self, site: &Site, search: Search, hits: &[SearchedStory]) -> Result<String, RenderError> {
        let page = PageHead { robots: Some("noindex"), ..PageHead::new(site, Some("Search"), "search") };
        let hits: Vec<Value> = hits.iter().map(|hit| search_hit(site, search.query, hit)).collect();
        let words = text::legal(search.words);
        self.render(
            "search.html",
            site,
            &page,
            context! { words, faults => value(search.faults), hits, has_more => search.has_more, is_cut => search.is_cut },
        )
    }

    /// Renders the "page not found" page.
    ///
    /// # Errors
    ///
    /// If a user's template fails.
    pub fn not_found(&self, site: &Site) -> Result<String, RenderError> {
        let page = PageHead { robots: Some("noindex"), ..PageHead::new(site, Some("Page not found"), "404.html") };
        self.render("not_found.html", site, &page, context! {})
    }

    /// Renders the page in the place of a section that was removed.
    ///
    /// # Errors
    ///
    /// If a user's template fails.
    pub fn gone(&self, site: &Site) -> Result<String, RenderError> {
        let page = PageHead { robots: Some("noindex"), ..PageHead::new(site, Some("Section closed"), "410.html") };
        self.render("gone.html", site, &page, context! {})
    }

    /// Renders the page that asks for the token or password of a private section. It reveals nothing about the section.
    /// `is_wrong` means that the reader entered a wrong token.
    ///
    /// # Errors
    ///
    /// If a user's template fails.
    pub fn private(&self, site: &Site, asks_for_token: bool, is_wrong: bool) -> Result<String, RenderError> {
        let page = PageHead { robots: Some("noindex"), ..PageHead::new(site, Some("Private section"), "401.html") };
        self.render("private.html", site, &page, context! { asks_for_token, is_wrong })
    }

    pub(super) fn render(&self, name: &str, site: &Site, page: &PageHead, rest: Value) -> Result<String, RenderError> {
        let site = self.site_context(site);
        let template = self.environment.get_template(name).map_err(template_error)?;
        template.render(context! { site, page => value(page), ..rest }).map_err(template_error)
    }
}

pub(super) fn value(serializable: impl Serialize) -> Value {
    Value::from(Serde(serializable))
}

/// Escapes a value for text and quoted attributes. Does not escape `/`, so that addresses stay readable.
fn write_escaped(
    output: &mut minijinja::Output,
    state: &mut minijinja::State,
    value: &Value,
) -> Result<(), minijinja::Error> {
    match value.as_str().filter(|_| !value.is_safe() && matches!(state.auto_escape(), AutoEscape::Html)) {
        Some(text) => Ok(output.write_str(&text::escape(text))?),
        None => minijinja::escape_formatter(output, state, value),
    }
}

/// Converts an error. The innermost error names the template with the mistake; the other errors only say who includes
/// it.
fn template_error(error: minijinja::Error) -> RenderError {
    let mut innermost = &error;
    while let Some(inner) = innermost.source().and_then(|source| source.downcast_ref()) {
        innermost = inner;
    }
    let detail = innermost.detail().map(|detail| format!(": {detail}")).unwrap_or_default();
    RenderError::Template {
        name: innermost.name().unwrap_or("template").to_owned(),
        line: innermost.line().unwrap_or(1),
        message: format!("{}{detail}", innermost.kind()),
    }
}

/// The metadata of a page for its `head`.
#[derive(Serialize)]
pub(super) struct PageHead {
    /// `None` on the index, which has the site's title.
    pub title: Option<String>,
    /// The page's own absolute address.
    pub url: String,
    /// The page's own path.
    pub path: String,
    /// The address that search engines should index.
    pub canonical: String,
    /// The Open Graph type.
    pub kind: &'static str,
    /// When an article was published.
    pub published: Option<String>,
    pub description: Option<String>,
    pub image: Option<String>,
    pub alternates: Vec<Alternate>,
    pub robots: Option<&'static str>,
    /// The path of the section that the page belongs to.
    pub section: Option<String>,
    /// The paths of the pages before and after this one, if it is one of several.
    pub previous: Option<String>,
    pub next: Option<String>,
}

impl PageHead {
    pub(super) fn new(site: &Site, title: Option<&str>, path: &str) -> PageHead {
        let url = address::uri(&address::under(site, path));
        PageHead {
            title: title.and_then(text::line),
            canonical: url.clone(),
            url,
            path: address::path(site, path),
            kind: "website",
            published: None,
            description: site.description.as_deref().and_then(text::line),
            image: None,
            alternates: Vec::new(),
            robots: None,
            section: None,
            previous: None,
            next: None,
        }
    }
}

/// An autodiscovery link.
#[derive(Serialize)]
pub(super) struct Alternate {
    #[serde(rename = "type")]
    pub media_type: &'static str,
    pub href: String,
    pub title: String,
}

pub(super) fn alternates(site: &Site, section: &Section) -> Vec<Alternate> {
    let formats = [Format::Atom, Format::Rss, Format::Json];
    let alternate = |format: Format| Alternate {
        media_type: format.media_type(),
        href: address::uri(&address::subscription(site, section, format)),
        title: format!("{} ({})", section.title, format.name()),
    };
    formats.map(alternate).into()
}

/// The links to a section's page and editions.
#[derive(Serialize)]
pub(super) struct SectionLink {
    title: String,
    description: Option<String>,
    pub href: String,
    pub formats: Vec<FormatLink>,
}

#[derive(Serialize)]
pub(super) struct FormatLink {
    name: &'static str,
    href: String,
    #[serde(rename = "type")]
    media_type: &'static str,
}

impl SectionLink {
    pub(super) fn new(site: &Site, section: &Section) -> SectionLink {
        let link = |format: Format| FormatLink {
            name: format.name(),
            href: address::without_host(&address::subscription(site, section, format)),
            media_type: format.media_type(),
        };
        SectionLink {
            title: text::line(&section.title).unwrap_or_else(|| section.id.to_string()),
            description: section.description.as_deref().and_then(text::line),
            href: address::section_page(site, &section.id).path().to_owned(),
            formats: Format::ALL.map(link).into(),
        }
    }
}

#[derive(Serialize)]
struct SectionBlock {
    section: SectionLink,
    stories: Vec<Card>,
    updated: Date,
    count: usize,
}

impl SectionBlock {
    /// Shows the first story with its summary, and the others as headlines.
    fn new(site: &Site, summary: &SectionSummary, stories: &[&ShownStory]) -> SectionBlock {
        let card = |(at, story): (usize, &&ShownStory)| Card::new(site, story, CardPlace::List).brief(at > 0);
        SectionBlock {
            section: SectionLink::new(site, summary.section),
            stories: stories.iter().enumerate().map(card).collect(),
            updated: Date::new(site, summary.updated),
            count: summary.count,
        }
    }
}

/// Returns the newest posts of all sections, each with the image of its feed.
fn posts(site: &Site, sections: &[SectionSummary]) -> Vec<Value> {
    let feeds: HashMap<&FeedId, &ShownFeed> =
        sections.iter().flat_map(|summary| summary.feeds).map(|feed| (&feed.id, feed)).collect();
    let post = |story: &ShownStory| {
        let lead = story.copies.iter().find(|copy| copy.lead).and_then(|copy| feeds.get(&copy.feed));
        let face = lead.and_then(|feed| feed.image.as_ref()).filter(|_| site.pictures);
        let face = face.and_then(|face| shown::over_https(face.as_str()));
        context! { story => value(Card::new(site, story, CardPlace::Post)), face }
    };
    front::river(sections).into_iter().map(post).collect()
}

/// A feed that a section takes.
#[derive(Serialize)]
pub(super) struct FeedLink {
    pub title: String,
    pub site: Option<String>,
}

impl FeedLink {
    pub(super) fn new(feed: &ShownFeed) -> FeedLink {
        FeedLink {
            title: text::line(&feed.title).unwrap_or_else(|| feed.id.to_string()),
            site: address::public(feed.site.as_ref()),
        }
    }
}

fn search_hit(site: &Site, query: &Query, hit: &SearchedStory) -> Value {
    let card = Card::new(site, &hit.story, CardPlace::List);
    let found = query.excerpt_of(&hit.text);
    let nothing = || Excerpt { text: card.summary.clone(), marks: Vec::new() };
    let excerpt = Some(found).filter(|found| !found.text.is_empty()).unwrap_or_else(nothing);
    context! {
        title => value(pieces(&query.marked(&card.title))),
        excerpt => value(pieces(&excerpt)),
        sections => value(hit.sections.iter().map(|section| SectionLink::new(site, section)).collect::<Vec<_>>()),
        story => value(card),
    }
}

/// A piece of a text, marked or not.
#[derive(Serialize)]
struct MarkedPiece {
    text: String,
    is_marked: bool,
}

fn pieces(excerpt: &Excerpt) -> Vec<MarkedPiece> {
    let piece = |range: Range<usize>, is_marked| MarkedPiece { text: text::legal(&excerpt.text[range]), is_marked };
    let mut pieces = Vec::new();
    let mut end = 0;
    for mark in &excerpt.marks {
        pieces.push(piece(end..mark.start, false));
        pieces.push(piece(mark.clone(), true));
        end = mark.end;
    }
    pieces.push(piece(end..excerpt.text.len(), false));
    pieces
}

impl Pages {
    fn site_context(&self, site: &Site) -> Value {
        context! {
            title => text::line(&site.title),
            description => site.description.as_deref().and_then(text::line),
            language => text::language(&site.language).unwrap_or_else(|| "en".to_owned()),
            direction => text::direction_of_language(&site.language),
            rights => site.rights.as_deref().and_then(text::line),
            owner => site.owner.as_ref().and_then(|owner| text::line(&owner.name)),
            logo => site.logo.as_ref().and_then(|logo| shown::over_https(logo.as_str())),
            reserves_mining => site.ai.is_some(),
            home => address::path(site, ""),
            style => address::path(site, STYLE_NAME),
            favicon => address::path(site, "favicon.svg"),
            feeds => address::path(site, "feeds/"),
            opml => address::path(site, "feeds.opml"),
            about => address::path(site, "about/"),
            search => self.has_server.then(|| address::path(site, "search")),
            sections => value(&self.bar.sections),
            more_sections => self.bar.has_more,
        }
    }
}
