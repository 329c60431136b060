//! A story as a section shows it, and as archives keep it.

use serde::{Deserialize, Serialize};
use url::Url;

use crate::entry::{Category, Entry, Person, Source};
use crate::feed::FeedId;
use crate::time::Timestamp;

/// A story as one section shows it: what every format and page is written from.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ShownStory {
    /// The published id: an absolute IRI, the same for ever.
    pub id: String,
    pub slug: String,
    pub sort_at: Timestamp,
    /// The lead's claim, but never later than when it was first seen.
    pub published: Timestamp,
    /// The newest change of lasting content; never before `published`.
    pub updated: Timestamp,
    /// The lead's words, cut to what its feed's `republish` allows.
    pub entry: Entry,
    /// Of all the copies that the section sees, facets with their scheme, without repeats.
    pub categories: Vec<Category>,
    /// Who brought it: the lead's contributors, else those of another copy.
    pub via: Vec<Person>,
    /// As in `by A via B - S`, plain text; empty where nothing is known.
    pub byline: String,
    /// The source that the lead names, as far as it says, else its feed. Of its feed, title, url and id are always there.
    pub source: Source,
    /// The copies that the section sees, the lead first, a bounded number.
    pub copies: Vec<ShownCopy>,
}

/// One copy of a shown story.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ShownCopy {
    pub feed: FeedId,
    /// The feed's title.
    pub title: String,
    pub url: Option<Url>,
    pub published: Timestamp,
    pub lead: bool,
}
