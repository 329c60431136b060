//! The pages of the list of feeds: `/feeds/`, `/feeds/2/` and so on.

use minijinja::context;
use minijinja::value::Value;

use crate::config::{Section, Site};
use crate::render::address::{self, Format};
use crate::render::card::Date;
use crate::render::page::{Alternate, FeedLink, PageHead, Pages, value};
use crate::render::{RenderError, shown, text};
use crate::section::ShownFeed;
use crate::time::Timestamp;

/// On a page with more feeds, their descriptions are left out.
const DESCRIBED: usize = 50;

/// A feed as the list of feeds shows it.
#[derive(Clone, Debug)]
pub struct ListedFeed {
    /// The feed.
    pub feed: ShownFeed,
    /// The state: "ok", "failing", "held", "gone", "disabled" or "new".
    pub state: String,
    /// The date of its newest entry.
    pub newest: Option<Timestamp>,
}

/// One page of the list of feeds.
#[derive(Clone, Copy, Debug)]
pub struct FeedPage<'a> {
    /// The feeds of the page.
    pub feeds: &'a [ListedFeed],
    /// The number of the page, from 1.
    pub number: usize,
    /// How many pages there are, at least 1.
    pub pages: usize,
    /// The states that feeds have, and how many feeds are in each. If the list is that of a section, only its feeds
    /// count.
    pub states: &'a [(&'a str, usize)],
    /// The state whose feeds are listed; `None` for all.
    pub state: Option<&'a str>,
    /// The section whose feeds are listed; `None` for all.
    pub section: Option<&'a Section>,
}

impl Pages {
    /// Renders a page of `/feeds/`: feeds, and their state.
    ///
    /// # Errors
    ///
    /// If a user's template fails.
    pub fn feeds(&self, site: &Site, page: FeedPage) -> Result<String, RenderError> {
        let opml_path = page.section.map_or("feeds.opml".to_owned(), |section| format!("{}.opml", section.id));
        let title = page.section.map_or("all feeds", |section| &section.title);
        let opml = Alternate {
            media_type: Format::Opml.media_type(),
            href: address::uri(&address::under(site, &opml_path)),
            title: format!("{}: {title} (OPML)", site.title),
        };
        let at = |number: usize| address::feed_list(site, number, page.state, page.section);
        let (previous, next) = (page.number.checked_sub(1).filter(|number| *number > 0), page.number + 1);
        let is_filtered = page.state.is_some() || page.section.is_some();
        let head = PageHead {
            alternates: vec![opml],
            robots: is_filtered.then_some("noindex"),
            previous: previous.map(at),
            next: (next <= page.pages).then(|| at(next)),
            ..PageHead::new(site, Some(&title_of(page)), &address::feed_list_path(page.number))
        };
        let is_described = page.feeds.len() <= DESCRIBED;
        let rows: Vec<Value> = page.feeds.iter().map(|row| feed_row(site, row, is_described)).collect();
        let states: Vec<Value> = page.states.iter().map(|state| self.state_link(site, page, state)).collect();
        let total: usize = page.states.iter().map(|(_, count)| count).sum();
        let rest = context! {
            feeds => rows,
            opml => address::path(site, &opml_path),
            total => text::grouped(total),
            total_is_one => total == 1,
            number => text::grouped(page.number),
            pages => text::grouped(page.pages),
            states,
            state => page.state,
            section => page.section.map(|section| section_link(site, section)),
            all_states => page.state.map(|_| address::feed_list(site, 1, None, page.section)),
        };
        self.render("feeds.html", site, &head, rest)
    }

    /// Returns a state with its number of feeds; with a server, a link to them.
    fn state_link(&self, site: &Site, page: FeedPage, (name, count): &(&str, usize)) -> Value {
        let href = self.has_server().then(|| address::feed_list(site, 1, Some(name), page.section));
        context! { name => *name, count => text::grouped(*count), href, is_current => page.state == Some(*name) }
    }
}

/// Returns the title of a page: each page of a list has its own.
fn title_of(page: FeedPage) -> String {
    let of_section = page.section.map(|section| format!("Feeds of {}", section.title));
    let title = of_section.unwrap_or_else(|| "Feeds".to_owned());
    if page.number == 1 { title } else { format!("{title}, page {}", page.number) }
}

fn section_link(site: &Site, section: &Section) -> Value {
    context! {
        title => text::line(&section.title).unwrap_or_else(|| section.id.to_string()),
        href => address::section_page(site, &section.id).path(),
    }
}

fn feed_row(site: &Site, row: &ListedFeed, is_described: bool) -> Value {
    let FeedLink { title, site: page } = FeedLink::new(&row.feed);
    context! {
        title,
        page => address::path(site, &address::source_path(&row.feed.id)),
        face => row.feed.image.as_ref().filter(|_| site.pictures).and_then(|face| shown::over_https(face.as_str())),
        site => page,
        url => address::public(Some(&row.feed.url)),
        description => row.feed.description.as_deref().filter(|_| is_described).and_then(text::line),
        state => row.state.as_str(),
        newest => value(row.newest.map(|newest| Date::new(site, newest))),
    }
}
