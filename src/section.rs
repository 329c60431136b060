//! Which stories a section shows, in what order, and in what words.
//!
//! Pure: values in, values out. A section sees of a story only the copies of the feeds that it takes; its lead, rules and
//! categories come from those.

use url::Url;

use crate::entry::{Category, Entry, Person, Source};
use crate::feed::FeedId;
use crate::time::Timestamp;

/// A story as one section shows it: what every format and page is written from.
#[derive(Clone, Debug)]
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
    /// The source that the lead names, else its feed. Title, url and id are always there.
    pub source: Source,
    /// Every copy that the section sees, the lead first.
    pub copies: Vec<ShownCopy>,
}

/// One copy of a shown story.
#[derive(Clone, Debug)]
pub struct ShownCopy {
    pub feed: FeedId,
    /// The feed's title.
    pub title: String,
    pub url: Option<Url>,
    pub published: Timestamp,
    pub lead: bool,
}

/// A feed as pages and OPML name it.
#[derive(Clone, Debug)]
pub struct ShownFeed {
    pub id: FeedId,
    pub title: String,
    /// Where it is polled, secrets taken off.
    pub url: Url,
    pub site: Option<Url>,
    pub image: Option<Url>,
    pub description: Option<String>,
    pub tags: Vec<String>,
}
