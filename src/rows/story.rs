//! A story as a section shows it, and as archives store it.

use serde::{Deserialize, Serialize};
use url::Url;

use crate::entry::{Category, Entry, Person, Source};
use crate::feed::FeedId;
use crate::time::Timestamp;

/// A story as one section shows it: the source of every format and page.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ShownStory {
    /// The published id: an absolute IRI that never changes.
    pub id: String,
    /// The slug of its page.
    pub slug: String,
    /// The time by which the section sorts it.
    pub sort_at: Timestamp,
    /// The date that the lead claims, but never later than when it was first seen.
    pub published: Timestamp,
    /// The latest change of lasting content; never before `published`.
    pub updated: Timestamp,
    /// The lead's content, as far as its feed's `republish` allows.
    pub entry: Entry,
    /// The categories of all copies that the section sees, facets with their scheme, without duplicates.
    pub categories: Vec<Category>,
    /// The contributors of the lead, otherwise the contributors of another copy.
    pub via: Vec<Person>,
    /// The byline, such as `by A via B - S`, as plain text; empty if nothing is known.
    pub byline: String,
    /// The source that the lead names, otherwise the lead's feed. If it is the feed, title, url and id are always set.
    pub source: Source,
    /// The copies that the section sees, the lead first; their number is bounded.
    pub copies: Vec<ShownCopy>,
}

/// A copy of a shown story.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ShownCopy {
    /// Its feed.
    pub feed: FeedId,
    /// The feed's title.
    pub title: String,
    /// The link of the copy.
    pub url: Option<Url>,
    /// When the copy was published.
    pub published: Timestamp,
    /// Whether this copy leads.
    pub lead: bool,
}
