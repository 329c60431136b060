//! Editions: the rendered bytes of one path, with their validators and codings, and all of them together.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::Write;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use sha2::{Digest, Sha256};

use crate::config::Section;
use crate::feed::SectionId;
use crate::render::{Format, Pages, RenderError};
use crate::time::Timestamp;

pub const HTML_TYPE: &str = "text/html; charset=utf-8";
pub(super) const CSS_TYPE: &str = "text/css; charset=utf-8";
pub(super) const SVG_TYPE: &str = "image/svg+xml";
pub(super) const TEXT_TYPE: &str = "text/plain; charset=utf-8";
pub const XML_TYPE: &str = "application/xml; charset=utf-8";

/// Levels at which an edition of 250 KB takes some milliseconds: each is compressed once and sent a thousand times.
const GZIP_LEVEL: u32 = 6;
const BROTLI_LEVEL: u32 = 5;
const ZSTD_LEVEL: i32 = 6;

/// Brotli's window, as a power of two: larger than any edition.
const BROTLI_WINDOW: u32 = 22;

/// The rendered bytes of one path, with their validators and their codings.
#[derive(Clone, Debug)]
pub struct Edition {
    pub media_type: &'static str,
    pub identity: Bytes,
    pub gzip: Option<Bytes>,
    pub brotli: Option<Bytes>,
    pub zstd: Option<Bytes>,
    /// Of the identity coding, without quotes.
    pub etag: String,
    /// When the bytes last changed; never goes back. `None` for pages that are made anew for everybody who asks.
    pub last_modified: Option<Timestamp>,
    /// The private section that it belongs to, whose key a reader must have.
    pub private: Option<SectionId>,
    /// Whether it is a feed, which scripts of other sites may read.
    pub is_feed: bool,
    /// The header `Link`: where the document is and which hub tells of its changes.
    pub links: Option<String>,
    /// Where readers are sent on to, without the leading slash; the bytes say so to whoever gets them as a file.
    pub moved_to: Option<String>,
    /// The page as a file, if it differs: it leads to nothing that only a server answers.
    pub in_folder: Option<Bytes>,
}

/// Everything that is served, by path without the leading slash (`international.atom`, `international/`, `` for the index).
#[derive(Debug, Default)]
pub struct Editions {
    pub by_path: HashMap<String, Arc<Edition>>,
    /// Old section ids and the ones that they have now.
    pub formerly: HashMap<String, SectionId>,
    /// Ids of sections that were here once.
    pub gone: BTreeSet<String>,
    /// By id; whoever reads a private one must have its key.
    pub sections: HashMap<SectionId, Arc<Section>>,
    /// The key that sessions of readers are made with.
    pub session_key: Vec<u8>,
    /// What is shown in the place of private sections.
    pub private_pages: PrivatePages,
    /// The slugs of the stories that each public section shows.
    pub shown: BTreeMap<SectionId, Vec<String>>,
    pub(super) archives: HashMap<SectionId, ArchiveSetting>,
    /// Pages and archive documents that were asked for since this was published.
    pub(super) made: Mutex<HashMap<String, Arc<Edition>>>,
}

/// The pages that ask for the key of a private section; they say nothing of it.
#[derive(Clone, Debug, Default)]
pub struct PrivatePages {
    pub asks_for_token: Bytes,
    /// After a token that is not the section's.
    pub token_is_wrong: Bytes,
    pub asks_for_password: Bytes,
}

/// What the archive documents of a section are written from beside their stories: its title, the rights of its feeds.
#[derive(Clone, Debug)]
pub(super) struct ArchiveSetting {
    pub hash: Vec<u8>,
    pub changed: Timestamp,
}

/// A document before it is known when it last changed.
pub(super) struct Rendered {
    pub path: String,
    pub media_type: &'static str,
    pub body: Vec<u8>,
    pub private: Option<SectionId>,
    pub is_feed: bool,
    pub links: Option<String>,
    pub moved_to: Option<String>,
    pub in_folder: Option<Bytes>,
}

impl Rendered {
    /// A page or another file that everybody may read.
    pub fn public(path: impl Into<String>, media_type: &'static str, body: Vec<u8>) -> Rendered {
        Rendered {
            path: path.into(),
            media_type,
            body,
            private: None,
            is_feed: false,
            links: None,
            moved_to: None,
            in_folder: None,
        }
    }

    /// A page that everybody may read, as it is served and as it is written into a folder.
    pub fn page(
        path: impl Into<String>,
        pages: &PageSet,
        make: impl Fn(&Pages) -> Result<String, RenderError>,
    ) -> Result<Rendered, RenderError> {
        let in_folder = pages.for_folder.as_deref().map(&make).transpose()?.map(Bytes::from);
        Ok(Rendered { in_folder, ..Rendered::public(path, HTML_TYPE, make(&pages.served)?.into_bytes()) })
    }

    pub fn hash(&self) -> Vec<u8> {
        Sha256::digest(&self.body).to_vec()
    }

    /// As it is served, in all codings that save something.
    pub fn encode(self, last_modified: Option<Timestamp>) -> Edition {
        Edition {
            gzip: smaller(gzip(&self.body), &self.body),
            brotli: smaller(brotli(&self.body), &self.body),
            zstd: smaller(zstd::encode_all(self.body.as_slice(), ZSTD_LEVEL).ok(), &self.body),
            ..self.plain(last_modified)
        }
    }

    /// As it is served, in no other coding than itself: for what is asked for too seldom.
    pub fn plain(self, last_modified: Option<Timestamp>) -> Edition {
        Edition {
            media_type: self.media_type,
            etag: etag(&self.hash()),
            identity: self.body.into(),
            gzip: None,
            brotli: None,
            zstd: None,
            last_modified,
            private: self.private,
            is_feed: self.is_feed,
            links: self.links,
            moved_to: self.moved_to,
            in_folder: self.in_folder,
        }
    }
}

/// The pages of a site, as they are served and as they are written into a folder.
#[derive(Clone, Debug)]
pub(super) struct PageSet {
    pub served: Arc<Pages>,
    /// `None` if they are the same.
    pub for_folder: Option<Arc<Pages>>,
}

impl PageSet {
    pub fn new(pages: Pages) -> PageSet {
        let for_folder = pages.for_folder().map(Arc::new);
        PageSet { served: Arc::new(pages), for_folder }
    }
}

/// The tag of what has this hash.
pub(super) fn etag(hash: &[u8]) -> String {
    hash[..16].iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The media type of a feed, with its charset where it may have one.
pub(super) fn feed_type(format: Format) -> &'static str {
    match format {
        Format::Atom => "application/atom+xml; charset=utf-8",
        Format::Rss => "application/rss+xml; charset=utf-8",
        Format::Json => "application/feed+json",
        Format::Opml => "text/x-opml; charset=utf-8",
    }
}

fn gzip(body: &[u8]) -> Option<Vec<u8>> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(GZIP_LEVEL));
    encoder.write_all(body).and_then(|()| encoder.finish()).ok()
}

fn brotli(body: &[u8]) -> Option<Vec<u8>> {
    let mut encoder = brotli::CompressorWriter::new(Vec::new(), 4096, BROTLI_LEVEL, BROTLI_WINDOW);
    encoder.write_all(body).ok()?;
    Some(encoder.into_inner())
}

/// A coding that saves nothing is not offered.
fn smaller(coded: Option<Vec<u8>>, body: &[u8]) -> Option<Bytes> {
    coded.filter(|coded| coded.len() < body.len()).map(Bytes::from)
}
