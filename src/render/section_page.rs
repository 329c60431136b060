//! The pages of a section: its newest stories, and the older ones page by page.
//!
//! An older page has the stories of one archive document, whose number it shares, so that a new story changes none of them.
//! If a section shows more stories than fit on its page, the rest is on pages with the numbers after the newest archive
//! document.

use std::collections::HashMap;

use minijinja::context;
use minijinja::value::Value;
use serde::Serialize;

use crate::feed::FeedId;
use crate::render::address::{self, Format};
use crate::render::card::{Card, CardPlace, Date, cards, days};
use crate::render::entry::PreparedSection;
use crate::render::page::{FeedLink, PageHead, Pages, SectionLink, alternates, value};
use crate::render::{RenderError, SectionView, selected, shown, text};

/// The target size of a page: what a phone loads at once. A longer page shows fewer stories and summaries.
const PAGE_BYTES: usize = 56_000;

/// How many stories a section's page shows with summaries, and in total. The first pair that fits into [`PAGE_BYTES`] is used.
const DEPTHS: [(usize, usize); 8] =
    [(usize::MAX, usize::MAX), (50, usize::MAX), (25, usize::MAX), (25, 100), (25, 50), (15, 30), (5, 20), (1, 5)];

/// How many stories a page has that continues the section's page.
const CONTINUED: usize = 50;

/// How many sources, and terms of a facet, the side of a page names.
const NAMED: usize = 20;

/// The pages of a section.
#[derive(Debug)]
pub struct SectionPages {
    /// The page at `/{section}/`.
    pub newest: String,
    /// The pages that continue it, by number.
    pub continued: Vec<(u32, String)>,
}

/// A source or term at the side of a page.
#[derive(Serialize)]
struct SideCount {
    title: String,
    name: String,
    href: Option<String>,
    count: usize,
}

impl Pages {
    /// Renders `/{section}/`: the section's stories by day.
    ///
    /// # Errors
    ///
    /// If a user's template fails.
    pub fn section(&self, section: &PreparedSection) -> Result<String, RenderError> {
        Ok(self.section_pages(section)?.newest)
    }

    /// Renders `/{section}/`, and the pages with the stories that it has no room for.
    ///
    /// # Errors
    ///
    /// If a user's template fails.
    pub fn section_pages(&self, section: &PreparedSection) -> Result<SectionPages, RenderError> {
        let view = section.view;
        let cards = self.cards_of(section);
        let newest_archive = view.prev_archive.unwrap_or_default();
        let (mut newest, mut shown) = (String::new(), 0);
        for (whole, all) in DEPTHS {
            shown = all.min(cards.len());
            let continued = u32::try_from((cards.len() - shown).div_ceil(CONTINUED)).unwrap_or(u32::MAX);
            newest = self.section_to(view, &cards, (whole, shown), newest_archive.saturating_add(continued))?;
            if newest.len() <= PAGE_BYTES {
                break;
            }
        }
        // The oldest stories have the lowest number.
        let parts = cards[shown..].rchunks(CONTINUED).zip(newest_archive.saturating_add(1)..);
        let continued = parts.map(|(cards, number)| Ok((number, self.older_page(view, cards, number)?)));
        Ok(SectionPages { newest, continued: continued.collect::<Result<_, RenderError>>()? })
    }

    /// Renders `/{section}/archive/{n}/`: the stories of an archive document.
    ///
    /// # Errors
    ///
    /// If a user's template fails.
    pub fn archive(&self, section: &PreparedSection) -> Result<String, RenderError> {
        self.older_page(section.view, &self.cards_of(section), section.view.archive.unwrap_or(1))
    }

    fn cards_of(&self, section: &PreparedSection) -> Vec<Card> {
        let view = section.view;
        let place = if view.section.access.is_none() { CardPlace::List } else { CardPlace::PrivateList };
        let mut cards = cards(view.site, &section.entries, place);
        self.link_tags(view.site, &mut cards);
        cards
    }

    /// Renders a section's page with the first `shown` stories, the first `whole` of them with summaries.
    fn section_to(
        &self,
        view: &SectionView,
        cards: &[Card],
        (whole, shown): (usize, usize),
        newest_older: u32,
    ) -> Result<String, RenderError> {
        let (site, section) = (view.site, view.section);
        let page = PageHead {
            alternates: selected::alternates_with_selections(site, section),
            description: section.description.as_deref().and_then(text::line),
            robots: (!section.is_public()).then_some("noindex"),
            ..PageHead::new(site, Some(&section.title), &format!("{}/", section.id))
        };
        let block = context! {
            section => value(SectionLink::new(site, section)),
            days => value(days(&cards[..shown], whole)),
            count => view.stories.len(),
            older => view.stories.len() - shown,
            older_page => older_href(view, newest_older),
            updated => value(Date::new(site, view.updated)),
            feeds => value(view.feeds.iter().map(FeedLink::new).collect::<Vec<_>>()),
            all_feeds => self.all_feeds(view),
            sources => value(sources(view)),
            facets => self.facets(view, cards),
            selections => value(selected::links(site, section)),
            face => section.image.as_ref().filter(|_| site.pictures).and_then(|image| shown::over_https(image.as_str())),
            feed_url => address::uri(&address::subscription(site, section, Format::Atom)),
        };
        self.render("section.html", site, &page, block)
    }

    /// Renders a page of older stories. All have a place on it, as headlines if need be.
    fn older_page(&self, view: &SectionView, cards: &[Card], number: u32) -> Result<String, RenderError> {
        let (site, section) = (view.site, view.section);
        let link = SectionLink::new(site, section);
        let title = format!("{}: older stories, part {number}", section.title);
        let head = || PageHead {
            alternates: alternates(site, section),
            robots: (!section.is_public()).then_some("noindex"),
            section: Some(link.href.clone()),
            ..PageHead::new(site, Some(&title), &address::older_path(&section.id, number))
        };
        let mut page = String::new();
        for whole in [usize::MAX, 25, 0] {
            let block = context! {
                section => value(&link),
                number,
                days => value(days(cards, whole)),
                older_page => older_href(view, number - 1),
            };
            page = self.render("archive.html", site, &head(), block)?;
            if page.len() <= PAGE_BYTES {
                break;
            }
        }
        Ok(page)
    }

    /// Returns the link to all feeds of a section whose page does not name them all. A folder has no list of one section, and
    /// the list of feeds has none of a private section: there it leads to the OPML.
    fn all_feeds(&self, view: &SectionView) -> Option<Value> {
        let (site, section, count) = (view.site, view.section, view.section.feeds.len());
        let opml = || address::without_host(&address::subscription(site, section, Format::Opml));
        let href = if self.has_server() && section.is_public() { address::feeds_of(site, section) } else { opml() };
        (count > view.feeds.len().min(NAMED)).then(|| context! { href, count => text::grouped(count) })
    }

    /// Returns, for each facet, the terms that occur in these stories, each with the number of stories that have it.
    fn facets(&self, view: &SectionView, cards: &[Card]) -> Vec<Value> {
        let facet = |name: &String| {
            let mut terms: Vec<SideCount> = Vec::new();
            for term in cards.iter().flat_map(|card| card.terms_of(name)) {
                match terms.iter_mut().find(|known| known.name == term.name) {
                    Some(known) => known.count += 1,
                    None => {
                        let (title, href) = (term.name.clone(), term.href.clone());
                        terms.push(SideCount { name: title.clone(), title, href, count: 1 });
                    }
                }
            }
            most_first(&mut terms);
            (!terms.is_empty()).then(|| context! { name, terms => value(terms) })
        };
        view.site.facets.iter().filter_map(facet).collect()
    }
}

/// Returns the path of a page of older stories; `None` for number 0.
fn older_href(view: &SectionView, number: u32) -> Option<String> {
    (number > 0).then(|| address::path(view.site, &address::older_path(&view.section.id, number)))
}

/// Returns the feeds of a section with the numbers of its stories that they lead, then those that lead none.
fn sources(view: &SectionView) -> Vec<SideCount> {
    let mut counts: HashMap<&FeedId, usize> = HashMap::new();
    let leads = view.stories.iter().filter_map(|story| story.copies.iter().find(|copy| copy.lead));
    let leads: Vec<_> = leads.collect();
    leads.iter().for_each(|copy| *counts.entry(&copy.feed).or_default() += 1);
    let href = |feed: &FeedId| view.section.is_public().then(|| address::path(view.site, &address::source_path(feed)));
    let source = |feed: &FeedId, title: &str, counts: &mut HashMap<&FeedId, usize>| SideCount {
        name: feed.to_string(),
        title: text::line(title).unwrap_or_else(|| feed.to_string()),
        href: href(feed),
        count: counts.remove(feed).unwrap_or_default(),
    };
    let mut sources: Vec<SideCount> =
        view.feeds.iter().map(|feed| source(&feed.id, &feed.title, &mut counts)).collect();
    // Some feeds lead stories although they are not among the first that the view names.
    for copy in &leads {
        if counts.contains_key(&copy.feed) {
            sources.push(source(&copy.feed, &copy.title, &mut counts));
        }
    }
    most_first(&mut sources);
    sources
}

/// Sorts by number of stories and keeps the first.
fn most_first(counted: &mut Vec<SideCount>) {
    counted.sort_by_key(|one| std::cmp::Reverse(one.count));
    counted.truncate(NAMED);
}
