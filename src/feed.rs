//! Types for feeds: their ids, what their documents say about them, and the validators of conditional requests.
//!
//! This module defines values only; it has no I/O and no policy.

mod document_fault;
mod event;
mod failure;
mod fault;
mod repair;
mod state;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use url::Url;

use crate::entry::Person;
use crate::time::Timestamp;

pub use document_fault::DocumentFault;
pub use event::FeedEvent;
pub use failure::Failure;
pub use fault::{
    AddressRange, FeedKey, FileFault, HttpFault, OwnFault, PollPhase, RedirectFault, SettingFault, TlsFault, WireFault,
};
pub use repair::{Repair, RepairKind};
pub use state::{FailureKind, FeedState, HoldReason, Note};

/// The id of a configured feed (`[[feed]] id`). It is unique in the config, and does not change while the feed exists.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct FeedId(pub Arc<str>);

/// The id of a section (`[[section]] id`). It has the form `[a-z0-9][a-z0-9-]*`, and is part of the section's URLs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SectionId(pub Arc<str>);

macro_rules! text_id {
    ($id:ident) => {
        impl $id {
            /// Returns the id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl From<&str> for $id {
            fn from(text: &str) -> Self {
                $id(text.into())
            }
        }

        impl fmt::Display for $id {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

text_id!(FeedId);
text_id!(SectionId);

/// What a feed document says about the feed itself. It is cleaned like an [`Entry`](crate::entry::Entry).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FeedInfo {
    /// The title as plain text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The URL of the feed's page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<Url>,
    /// The id that the document gives itself (Atom `id`), as written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The description as plain text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The language (BCP 47), as declared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// The rights as plain text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rights: Option<String>,
    /// The licence of the feed's entries.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub license: Option<Url>,
    /// When the feed claims that it last changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated: Option<Timestamp>,
    /// The authors of the feed, in the document's order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub authors: Vec<Person>,
    /// The picture of the feed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<Url>,
    /// The URL that the document gives for itself (`rel="self"`, `feed_url`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub self_link: Option<Url>,
    /// WebSub hubs, in the document's order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hubs: Vec<Url>,
    /// The URL at which to subscribe to changes with rssCloud: RSS `<cloud>` as one URL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cloud: Option<Url>,
    /// The URL of the next page of the feed, which continues after the last entry of this document (`rel="next"`,
    /// `next_url`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<Url>,
    /// The URL of the archive document with the entries before those of this document (RFC 5005 §4).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prev_archive: Option<Url>,
}

/// How often a feed asks, in its document, to be polled: RSS `ttl`, `skipHours`, `skipDays`, RSS 1.0 `sy:*`.
///
/// Hints lengthen an interval and never shorten it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PollHints {
    /// RSS `ttl`.
    pub ttl: Option<Duration>,
    /// `sy:updatePeriod` divided by `sy:updateFrequency`.
    pub period: Option<Duration>,
    /// The hours of the day in GMT, 0 to 23, in which not to poll. The list is empty if the document lists all 24.
    pub skip_hours: Vec<u8>,
    /// The days of the week, 0 = Monday, on which not to poll. The list is empty if the document lists all seven.
    pub skip_days: Vec<u8>,
}

/// The times that a server gave in a response: how long to wait before the next request, and how long the response
/// stays fresh. The values are as received, and are not limited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lifetimes {
    /// `Retry-After` (RFC 9110 §10.2.3). A date is converted to the time since the response's own `Date`.
    pub retry_after: Option<Duration>,
    /// `Cache-Control: max-age` minus `Age` (RFC 9111 §4.2); `None` if `no-cache` or `no-store` cancels it.
    pub max_age: Option<Duration>,
    /// `Expires` minus `Date`; `None` if `no-cache` or `no-store` cancels it.
    pub expires: Option<Duration>,
}

/// The validators that a server sent with a document. The next conditional request repeats them byte by byte (RFC 9110
/// §8.8).
///
/// They are bytes and not text, because servers send unquoted, weak and non-ASCII tags, and dates in odd forms.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Validators {
    /// `ETag`.
    pub etag: Option<Vec<u8>>,
    /// `Last-Modified`.
    pub last_modified: Option<Vec<u8>>,
    /// The URL whose response contained them. They are never sent to another URL.
    pub url: Option<Url>,
}

impl Validators {
    /// Returns whether there is neither an `ETag` nor a `Last-Modified`.
    pub fn is_empty(&self) -> bool {
        self.etag.is_none() && self.last_modified.is_none()
    }
}
