//! The pages and feeds of a source, a tag, and a term of a facet: what public sections show of it.

use minijinja::context;

use crate::config::{Edits, Section, Site};
use crate::entry::SourcePlace;
use crate::render::address::{self, Format};
use crate::render::card::{CardPlace, cards, days};
use crate::render::entry::{self, PreparedSection};
use crate::render::page::{PageHead, Pages, SectionLink, alternates, value};
use crate::render::{RenderError, card, shown, text};
use crate::section::{ShownFeed, ShownStory};

/// How many stories have a summary on such a page.
const WHOLE: usize = 25;

/// What the stories of a listing have in common.
#[derive(Clone, Copy, Debug)]
pub enum ListingKind<'a> {
    /// The feed that leads them.
    Source(&'a ShownFeed),
    /// A tag, or a term of the named facet.
    Tag(Option<&'a str>),
}

/// Returns the paths of the listings that have the story, without slash or extension: `feeds/press`, `tags/ships`,
/// `tags/region/north`.
pub fn listings_of(site: &Site, story: &ShownStory) -> Vec<String> {
    let lead = story.copies.iter().find(|copy| copy.lead).map(|copy| address::source_path(&copy.feed));
    let lead = lead.map(|path| path.trim_end_matches('/').to_owned());
    lead.into_iter().chain(card::category_paths(site, &entry::categories(story))).collect()
}

/// Returns the name of the tag at this path, as the story writes it.
pub fn tag_name(site: &Site, story: &ShownStory, path: &str) -> Option<String> {
    card::category_named(site, &entry::categories(story), path)
}

/// Returns a section with the stories of a listing. Its id is the path of the listing, so that its documents have the right
/// addresses.
pub fn listing_section(path: &str, title: String) -> Section {
    Section {
        id: path.into(),
        title,
        description: None,
        feeds: Default::default(),
        keep: Vec::new(),
        drop: Vec::new(),
        limit: usize::MAX,
        max_age: None,
        per_feed: None,
        edits: Edits::Apply,
        source_in: Some(SourcePlace::Author),
        top: None,
        digest: Vec::new(),
        image: None,
        formerly: Vec::new(),
        aliases: Vec::new(),
        podcast: None,
        access: None,
        definition_hash: 0,
        former_hash: 0,
    }
}

impl Pages {
    /// Renders the page of a source or tag.
    ///
    /// # Errors
    ///
    /// If a user's template fails.
    pub fn listing(&self, prepared: &PreparedSection, listed: ListingKind) -> Result<String, RenderError> {
        let view = prepared.view;
        let (site, section) = (view.site, view.section);
        let mut cards = cards(site, &prepared.entries, CardPlace::List);
        self.link_tags(site, &mut cards);
        let source = if let ListingKind::Source(feed) = listed { Some(feed) } else { None };
        let kind = match listed {
            ListingKind::Source(_) => "Source".to_owned(),
            ListingKind::Tag(None) => "Tag".to_owned(),
            ListingKind::Tag(Some(facet)) => capitalized(facet),
        };
        let feed = address::edition(site, &section.id, Format::Atom);
        let description = source.and_then(|feed| feed.description.as_deref()).and_then(text::line);
        let page = PageHead {
            alternates: alternates(site, section),
            description: description.clone(),
            ..PageHead::new(site, Some(&section.title), &format!("{}/", section.id))
        };
        let face = source.and_then(|feed| feed.image.as_ref()).filter(|_| site.pictures);
        let rest = context! {
            kind,
            title => text::line(&section.title),
            description => description.map(|description| text::excerpt(&description)),
            face => face.and_then(|face| shown::over_https(face.as_str())),
            website => source.and_then(|feed| address::public(feed.site.as_ref())),
            original => source.and_then(|feed| address::public(Some(&feed.url))),
            days => value(days(&cards, WHOLE)),
            feed_url => address::uri(&feed),
            feed_path => address::without_host(&feed),
            formats => value(SectionLink::new(site, section).formats.into_iter().take(3).collect::<Vec<_>>()),
        };
        self.render("listing.html", site, &page, rest)
    }
}

fn capitalized(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}
