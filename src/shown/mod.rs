//! Turns rows of the store into what pages, editions, archives, searches and commands show.
//!
//! Loads rows through a [`View`](crate::store::View), and lets the core decide what is shown of them. Never writes to
//! the store, and never renders: a read ends before pages are made of it. The policies are those of
//! [`section`](crate::section) (what a section shows and archives), [`newsroom`](crate::newsroom) (which copies are
//! read, what is public) and [`query`](crate::query).

mod archives;
mod copies;
mod digests;
mod explained;
mod infos;
mod lists;
mod named;
mod passing;
mod public;
mod readiness;
mod searched;
mod sections;
mod stories;
mod top;

pub use archives::{Archive, NewArchive, PushedOut, archive, pushed_out};
pub use copies::copies_of;
pub use digests::{digest_stories, digests};
pub use explained::{Explained, explain};
pub use infos::{InfoCache, Infos};
pub use lists::{ListedState, OpmlContent, opml_content, public_feed_states, shown_feeds};
pub use named::{CANDIDATES, Candidate, candidate, meant, named, story_at};
pub use passing::{Passing, each_story};
pub use public::{ExplainedStory, PublicStories, PublicStory, explained_story, public_story, search_public};
pub use readiness::{Readiness, readiness};
pub use searched::{SearchHit, SearchHits, find};
pub use sections::{SECTION_FEEDS, SectionContent, known_since, permanent_id, podcast_guid, section_content};
pub use stories::{first_public, first_shown, story_in, title_in};
pub use top::{TopContent, top_content};
