//! A section's stories → Atom 1.0, RSS 2.0, JSON Feed 1.1, OPML 2.0 and HTML pages.
//!
//! Pure and deterministic: the same view gives the same bytes; there is no clock, and maps are written in a fixed order.
//! Every address comes from the site's configured URL. Nothing that a feed said reaches a document unless it is legal XML,
//! and no element is empty. `entry` makes each story ready once, so that all formats say the same; what is written
//! beside the crates' own fields (RFC 4287, RSS 2.0, Media RSS, iTunes, Podcasting 2.0) is in `extension`.

mod address;
mod atom;
mod card;
mod entry;
mod extension;
mod json;
mod moved;
mod opml;
mod page;
mod rehearsal;
mod rss;
mod shown;
mod sitemap;
mod status;
mod text;

use std::time::Duration;

use url::Url;

use crate::config::{Section, Site};
use crate::section::{ShownFeed, ShownStory};
use crate::time::Timestamp;

pub use address::{Format, under};
pub use atom::atom;
pub use entry::PreparedSection;
pub use json::json;
pub use moved::moved;
pub use opml::{OpmlFolder, opml, opml_folders};
pub use page::{ListedFeed, Pages, Search, SearchedStory, SectionSummary};
pub use rss::rss;
pub use sitemap::sitemap;
pub use status::{StatusEvent, status_feed, status_page};

/// The style sheet of the pages, served as `style.css`.
pub const STYLE_CSS: &str = include_str!("templates/style.css");
/// What a browser shows of a feed document: served as `feed.css`, named by an `xml-stylesheet` instruction.
pub const FEED_CSS: &str = include_str!("templates/feed.css");
/// Served as `favicon.svg`.
pub const FAVICON_SVG: &str = include_str!("templates/favicon.svg");

/// Everything that a section's editions are written from.
#[derive(Clone, Debug)]
pub struct SectionView<'a> {
    pub site: &'a Site,
    pub section: &'a Section,
    /// The section's permanent id, an absolute IRI: the same in all its documents, under whatever address it is served.
    pub id: &'a str,
    /// The WebSub hub that is told of changes.
    pub hub: Option<&'a Url>,
    /// In the order in which they are shown; ids are unique.
    pub stories: &'a [ShownStory],
    pub feeds: &'a [ShownFeed],
    /// The newest change among the stories; of an empty section, when it was first seen.
    pub updated: Timestamp,
    /// How long a reader may keep an edition: what `Cache-Control`, `ttl` and `sy:*` say. They agree to the second where
    /// it is whole minutes and divides an hour.
    pub max_age: Duration,
    /// Which archive document of the section this is, counted from 1 (RFC 5005 §4); `None` for the section document.
    pub archive: Option<u32>,
    /// The newest archive document that is older than this one.
    pub prev_archive: Option<u32>,
}

impl SectionView<'_> {
    /// The address of the document itself.
    fn itself(&self, format: Format) -> String {
        match self.archive {
            Some(number) => address::archive(self.site, &self.section.id, number, format),
            None => address::uri(&address::edition(self.site, &self.section.id, format)),
        }
    }

    /// Of an archive document, the section document: where the newest stories are.
    fn current(&self, format: Format) -> Option<String> {
        self.archive.map(|_| address::uri(&address::edition(self.site, &self.section.id, format)))
    }

    fn prev_archive(&self, format: Format) -> Option<String> {
        self.prev_archive.map(|number| address::archive(self.site, &self.section.id, number, format))
    }
}

/// Why a document could not be written; never caused by what a feed said.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    #[error("cannot write an Atom document")]
    Atom(#[from] atom_syndication::Error),
    #[error("cannot write an RSS document")]
    Rss(#[from] ::rss::Error),
    #[error("cannot write a JSON Feed document")]
    Json(#[from] serde_json::Error),
    #[error("cannot write an OPML document")]
    Opml(#[from] std::io::Error),
    /// A template that does not parse, or asks for what is not there: the editor has to correct it.
    #[error("template {name}, line {line}: {message}")]
    Template { name: String, line: usize, message: String },
    /// A template that no page is made from.
    #[error("template {0}: no such page; there are {1}")]
    UnknownTemplate(String, String),
}

/// The first lines of every XML document: in a browser, the style sheet shows what a feed is and where its page is.
fn xml_head(site: &Site) -> String {
    let style = text::escape(&address::path(site, "feed.css"));
    format!("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<?xml-stylesheet type=\"text/css\" href=\"{style}\"?>\n")
}
