//! A story as a section shows it and as archive documents contain it.

use serde::{Deserialize, Serialize};
use url::Url;

use crate::entry::{Category, Entry, Person, Source};
use crate::feed::FeedId;
use crate::time::Timestamp;

/// A story as one section shows it. Every format and page is made from this value.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ShownStory {
    /// The published id: an absolute IRI that never changes.
    pub id: String,
    /// The slug of the story's page.
    pub slug: String,
    /// The time by which the section sorts the story.
    pub sort_at: Timestamp,
    /// The date that the lead (the copy whose content is shown) gives, but never later than when the lead was first
    /// seen.
    pub published: Timestamp,
    /// When the lasting content (a change of it is a revision) last changed; never before `published`.
    pub updated: Timestamp,
    /// The content of the lead. Before it is published, it is reduced to what the feed's `republish` setting permits.
    pub entry: Entry,
    /// The categories of all copies that the section sees, without duplicates. A category with a facet, such as
    /// `region:international`, has the facet in its scheme.
    pub categories: Vec<Category>,
    /// The contributors of the lead. If the lead has none, they are those of another copy.
    pub via: Vec<Person>,
    /// The byline, such as `by A via B - S`, as plain text; empty if nothing is known.
    pub byline: String,
    /// The source that the lead names. If the lead names none, this is the lead's feed, and title, url and id are set.
    pub source: Source,
    /// The copies that the section sees, the lead first. Their number is limited.
    pub copies: Vec<ShownCopy>,
}

/// A copy of a shown story.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ShownCopy {
    /// The feed of the copy.
    pub feed: FeedId,
    /// The feed's title.
    pub title: String,
    /// The link of the copy.
    pub url: Option<Url>,
    /// When the copy was published.
    pub published: Timestamp,
    /// Whether this copy is the lead.
    pub lead: bool,
}
