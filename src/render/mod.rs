//! Renders a section's stories as Atom 1.0, RSS 2.0, JSON Feed 1.1, OPML 2.0 and HTML pages.
//!
//! Pure and deterministic: the same view gives the same bytes; there is no clock, and maps have a fixed order. Every address
//! comes from the site's configured URL. All text from feeds loses the characters that XML forbids, and no element is empty.
//! `entry` prepares each story once, so that all formats agree; `extension` has the elements that the crates have no fields
//! for (RFC 5005, Media RSS, iTunes, Podcasting 2.0).

mod accent;
mod address;
mod atom;
mod card;
mod digest;
mod entry;
mod extension;
mod feed_list;
mod front;
mod json;
mod listing;
mod media_type;
mod moved;
mod opml;
mod page;
mod picture;
mod rss;
mod section_page;
mod selected;
mod shown;
mod sitemap;
mod source_in;
mod status;
mod template_check;
mod text;

use std::time::Duration;

use url::Url;

use crate::config::{Section, Site};
use crate::section::{ShownFeed, ShownStory};
use crate::time::Timestamp;

pub use address::{Format, TAGS, feed_list_path, older_path, under};
pub use atom::atom;
pub use card::LEAST_TAGGED;
pub use digest::digest_entries;
pub use entry::PreparedSection;
pub use feed_list::{FeedPage, ListedFeed};
pub use front::{SectionSummary, beginning};
pub use json::{json, json_items};
pub use listing::{ListingKind, listing_section, listings_of, tag_name};
pub use moved::moved;
pub use opml::{OpmlFolder, opml, opml_folders};
pub use page::{Pages, Search, SearchedStory, StoryView};
pub use rss::rss;
pub use section_page::SectionPages;
pub use selected::{Selection, selection_section};
pub use sitemap::{sitemap, sitemap_index};
pub use status::{StatusEvent, status_feed, status_page};

/// The style sheet of the pages, served as `style.css`.
pub const STYLE_CSS: &str = include_str!("templates/style.css");
/// The style sheet of feed documents in browsers: served as `feed.css`, named by an `xml-stylesheet` instruction.
pub const FEED_CSS: &str = include_str!("templates/feed.css");
/// The icon of the site, served as `favicon.svg`.
pub const FAVICON_SVG: &str = include_str!("templates/favicon.svg");

/// The content of a section's document.
#[derive(Clone, Debug)]
pub struct SectionView<'a> {
    /// The site.
    pub site: &'a Site,
    /// The section.
    pub section: &'a Section,
    /// The section's permanent id, an absolute IRI: the same in all its documents, regardless of their addresses.
    pub id: &'a str,
    /// The WebSub hubs that are notified of changes.
    pub hubs: &'a [Url],
    /// The stories in the order in which they are shown; ids are unique.
    pub stories: &'a [ShownStory],
    /// The feeds that the section takes, for the page; if there are very many, the first.
    pub feeds: &'a [ShownFeed],
    /// The newest change among the stories; for an empty section, when it was first seen.
    pub updated: Timestamp,
    /// How long a reader may keep an edition, as `Cache-Control`, `ttl` and `sy:*` say. The three agree exactly if the time
    /// is a whole number of minutes that divides an hour.
    pub max_age: Duration,
    /// The number of this archive document, from 1 (RFC 5005 §4); `None` for the section document.
    pub archive: Option<u32>,
    /// The number of the newest archive document that is older than this document.
    pub prev_archive: Option<u32>,
    /// The `podcast:guid` of the section, if it is a podcast.
    pub podcast_guid: Option<&'a str>,
}

impl SectionView<'_> {
    /// Returns the address of the document itself.
    fn self_url(&self, format: Format) -> String {
        match self.archive {
            Some(number) => address::archive(self.site, &self.section.id, number, format),
            None => address::uri(&address::edition(self.site, &self.section.id, format)),
        }
    }

    /// Returns the address of the section document, which has the newest stories; only for an archive document.
    fn current(&self, format: Format) -> Option<String> {
        self.archive.map(|_| address::uri(&address::edition(self.site, &self.section.id, format)))
    }

    fn prev_archive(&self, format: Format) -> Option<String> {
        self.prev_archive.map(|number| address::archive(self.site, &self.section.id, number, format))
    }
}

/// Why a document could not be rendered; never caused by the content of a feed.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// The Atom writer failed.
    #[error("cannot write an Atom document")]
    Atom(#[from] atom_syndication::Error),
    /// The RSS writer failed.
    #[error("cannot write an RSS document")]
    Rss(#[from] ::rss::Error),
    /// The JSON writer failed.
    #[error("cannot write a JSON Feed document")]
    Json(#[from] serde_json::Error),
    /// The XML writer of OPML documents and sitemaps failed.
    #[error("cannot write an OPML document")]
    Opml(#[from] std::io::Error),
    /// A template does not parse, or uses a value that does not exist. The user has to correct it.
    #[error("template {name}, line {line}: {message}")]
    Template {
        /// The file name of the template.
        name: String,
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        message: String,
    },
    /// No page uses a template of this name (the first value). The second value lists the names that exist.
    #[error("template {0}: no such template; use one of {1}")]
    UnknownTemplate(String, String),
}

/// Returns the first lines of every XML document. In a browser, the style sheet explains what a feed is and links to its page.
fn xml_head(site: &Site) -> String {
    let style = text::escape(&address::path(site, "feed.css"));
    format!("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<?xml-stylesheet type=\"text/css\" href=\"{style}\"?>\n")
}
