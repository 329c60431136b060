//! Reads the feeds that the public may see, for lists and OPML documents.

use std::collections::HashSet;

use crate::config::{Config, FeedList, Section};
use crate::feed::FeedId;
use crate::section::{self, ShownFeed};
use crate::status::{self, FeedCondition};
use crate::store::{StoreError, View};
use crate::time::Timestamp;

use super::Infos;

/// A feed in a list. It does not contain what the feed's document says, because a site may have very many feeds.
#[derive(Clone, Copy, Debug)]
pub struct ListedState {
    /// The position of the feed in the config.
    pub position: usize,
    /// The state of the feed.
    pub state: FeedCondition,
    /// The date of the feed's newest entry; `None` if the feed has no entry.
    pub newest: Option<Timestamp>,
}

/// Returns the state of each feed that a public section takes, in the config's order.
///
/// # Errors
///
/// Returns the errors of the store.
pub fn public_feed_states(view: &View, config: &Config, now: Timestamp) -> Result<Vec<ListedState>, StoreError> {
    let standings = view.feed_standings()?;
    let public = taken(public(config));
    let listed = config.feeds.iter().enumerate().filter(|(_, feed)| public.contains(&feed.id));
    let listed = listed.map(|(position, feed)| match standings.get(&feed.id) {
        Some(standing) => {
            let (state, _) = status::condition(feed, *standing, now);
            ListedState { position, state, newest: standing.newest }
        }
        None => ListedState { position, state: status::unknown_condition(feed), newest: None },
    });
    Ok(listed.collect())
}

/// Returns these feeds with what their documents say about them.
///
/// # Errors
///
/// Returns the errors of the store.
pub fn shown_feeds<'f>(
    config: &Config,
    feeds: impl Iterator<Item = &'f FeedId>,
    infos: &Infos,
) -> Result<Vec<ShownFeed>, StoreError> {
    let feeds: Vec<_> = feeds.filter_map(|id| config.feed(id)).collect();
    infos.load(feeds.iter().map(|feed| &feed.id))?;
    Ok(feeds.into_iter().map(|feed| section::show_feed(feed, &infos.get(&feed.id))).collect())
}

/// The feeds of an OPML document.
#[derive(Clone, Debug)]
pub struct OpmlContent {
    /// The feeds, in the config's order.
    pub feeds: Vec<ShownFeed>,
    /// When the store first saw the section. For the list of all feeds, when the store saw the first public section.
    pub created: Timestamp,
}

/// Returns the feeds of a section. If `section` is `None`, returns the feeds of all public sections.
///
/// # Errors
///
/// Returns the errors of the store.
pub fn opml_content(view: &View, config: &Config, section: Option<&Section>) -> Result<OpmlContent, StoreError> {
    let sections: Vec<&Section> = section.map_or_else(|| public(config).collect(), |section| vec![section]);
    let mut created = None;
    for section in &sections {
        let first_seen = view.section(&section.id)?.first_seen;
        created = Some(created.map_or(first_seen, |created: Timestamp| created.min(first_seen)));
    }
    let taken = taken(sections.into_iter());
    let mut feeds = Vec::new();
    // Reads the data of one feed at a time, because the data of all feeds may take more memory than the list.
    for feed in config.feeds.iter().filter(|feed| taken.contains(&feed.id)) {
        feeds.push(section::show_feed(feed, &view.feed_info(&feed.id, None)?.info));
    }
    Ok(OpmlContent { feeds, created: created.unwrap_or(Timestamp::from_millis(0)) })
}

/// Returns the feeds that any of these sections takes.
fn taken<'c>(sections: impl Iterator<Item = &'c Section>) -> HashSet<&'c FeedId> {
    FeedList::distinct(sections.map(|section| &section.feeds)).into_iter().flat_map(FeedList::iter).collect()
}

fn public(config: &Config) -> impl Iterator<Item = &Section> {
    config.sections.iter().map(|section| &**section).filter(|section| section.is_public())
}
