//! Defines editions: the rendered bytes of each path, with their validators and their compressed forms.

use std::sync::Arc;

use bytes::Bytes;
use sha2::{Digest, Sha256};

use super::coding::{Codings, ContentCoding};
use crate::feed::SectionId;
use crate::render::{Format, Pages, RenderError};
use crate::time::Timestamp;

/// The media type of pages.
pub const HTML_TYPE: &str = "text/html; charset=utf-8";
pub(super) const CSS_TYPE: &str = "text/css; charset=utf-8";
pub(super) const SVG_TYPE: &str = "image/svg+xml";
pub(super) const TEXT_TYPE: &str = "text/plain; charset=utf-8";
/// The media type of XML documents that are not feeds, and of feeds that a browser opens.
pub const XML_TYPE: &str = "application/xml; charset=utf-8";

/// The formats that contain stories.
pub(super) const FEED_FORMATS: [Format; 3] = [Format::Atom, Format::Rss, Format::Json];

/// The rendered bytes of one path, with their validators and content codings.
#[derive(Clone, Debug)]
pub struct Edition {
    /// The Content-Type.
    pub media_type: &'static str,
    /// The bytes without compression.
    pub identity: Bytes,
    /// The ETag of the uncompressed bytes, without quotes.
    pub etag: String,
    /// When the bytes last changed; never earlier than in the previous edition. `None` for pages that are rendered on
    /// request.
    pub last_modified: Option<Timestamp>,
    /// The private section that the edition belongs to; its readers need credentials.
    pub private: Option<SectionId>,
    /// Whether the edition is a feed, which scripts of other sites may read.
    pub is_feed: bool,
    /// The `Link` header: the document's own address, and its WebSub hubs.
    pub links: Option<String>,
    /// The path to redirect to, without the leading slash. The bytes are then a page with a link, for readers of the
    /// folder. `None` if this is not a redirect.
    pub moved_to: Option<String>,
    /// The page as written to a folder, without links that only a server can answer; `None` if it does not differ.
    pub in_folder: Option<Bytes>,
    /// The compressed bytes in each content coding; `None` if the document is requested too rarely to be compressed.
    pub(super) codings: Option<Arc<Codings>>,
}

impl Edition {
    /// Returns the compressed bytes in a content coding, which are made at the first request. Returns `None` if they
    /// are not smaller, or if the edition is never compressed.
    pub async fn coded(&self, coding: ContentCoding) -> Option<Bytes> {
        match &self.codings {
            Some(codings) => codings.coded(coding, &self.identity).await,
            None => None,
        }
    }

    /// Returns whether the edition has compressed bytes in this coding. Returns `None` if that is unknown, because the
    /// coding was not requested yet.
    pub fn has_coding(&self, coding: ContentCoding) -> Option<bool> {
        match &self.codings {
            Some(codings) => codings.made(coding).map(Option::is_some),
            None => Some(false),
        }
    }
}

/// A rendered document, before its modification time is known.
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
    /// Creates a public document.
    pub(super) fn public(path: impl Into<String>, media_type: &'static str, body: Vec<u8>) -> Rendered {
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

    /// Renders a public page, for the server and for a folder.
    pub(super) fn page(
        path: impl Into<String>,
        pages: &PageSet,
        make: impl Fn(&Pages) -> Result<String, RenderError>,
    ) -> Result<Rendered, RenderError> {
        let in_folder = pages.for_folder.as_deref().map(&make).transpose()?.map(Bytes::from);
        Ok(Rendered { in_folder, ..Rendered::public(path, HTML_TYPE, make(&pages.served)?.into_bytes()) })
    }

    pub(super) fn hash(&self) -> Vec<u8> {
        Sha256::digest(&self.body).to_vec()
    }

    /// Creates an edition that is compressed when a reader accepts that.
    pub(super) fn coded(self, last_modified: Option<Timestamp>) -> Edition {
        Edition { codings: Some(Arc::default()), ..self.plain(last_modified) }
    }

    /// Creates an edition that is never compressed, for documents that are requested rarely.
    pub(super) fn plain(self, last_modified: Option<Timestamp>) -> Edition {
        Edition {
            media_type: self.media_type,
            etag: etag(&self.hash()),
            identity: self.body.into(),
            codings: None,
            last_modified,
            private: self.private,
            is_feed: self.is_feed,
            links: self.links,
            moved_to: self.moved_to,
            in_folder: self.in_folder,
        }
    }
}

/// The rendered documents of a section's selections.
#[derive(Default)]
pub(super) struct SelectedDocuments {
    pub documents: Vec<Rendered>,
    /// When one of them changes merely because time passes; `None` if none does.
    pub next_change: Option<Timestamp>,
}

/// The templates of a site, for the server and for a folder.
#[derive(Clone, Debug)]
pub(super) struct PageSet {
    pub served: Arc<Pages>,
    /// The templates for a folder; `None` if they are the same as `served`.
    pub for_folder: Option<Arc<Pages>>,
}

impl PageSet {
    pub(super) fn new(pages: Pages) -> PageSet {
        let for_folder = pages.for_folder().map(Arc::new);
        PageSet { served: Arc::new(pages), for_folder }
    }
}

/// Returns the ETag for a hash, without quotes.
pub(super) fn etag(hash: &[u8]) -> String {
    base16ct::lower::encode_string(&hash[..16])
}

/// Returns the media type of a feed, with a charset if the type allows one.
pub(super) fn feed_type(format: Format) -> &'static str {
    match format {
        Format::Atom => "application/atom+xml; charset=utf-8",
        Format::Rss => "application/rss+xml; charset=utf-8",
        Format::Json => "application/feed+json",
        Format::Opml => "text/x-opml; charset=utf-8",
    }
}

/// Returns the path of a section's document in a format.
pub(super) fn path(id: &SectionId, format: Format) -> String {
    format!("{id}.{}", format.extension())
}

/// Returns an edition of a page that was rendered for one request. It is not compressed, because it is requested too
/// rarely, and has no modification time, because none is known.
pub(super) fn made_now(page: String) -> Edition {
    Rendered::public("", HTML_TYPE, page.into_bytes()).plain(None)
}
