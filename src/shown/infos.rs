//! What documents say about their feeds.

use std::cell::RefCell;
use std::collections::HashMap;

use crate::feed::{FeedId, FeedInfo};
use crate::store::{StoreError, View};

/// What documents say about their feeds, loaded on demand: for work that needs few of them.
pub struct Infos<'v> {
    view: &'v View,
    known: RefCell<HashMap<FeedId, FeedInfo>>,
}

impl<'v> Infos<'v> {
    /// Creates an empty cache on a view.
    pub fn of(view: &'v View) -> Infos<'v> {
        Infos { view, known: RefCell::default() }
    }

    /// Loads what the documents of these feeds say, unless it is already loaded.
    pub(super) fn load<'f>(&self, feeds: impl Iterator<Item = &'f FeedId>) -> Result<(), StoreError> {
        for feed in feeds {
            if !self.known.borrow().contains_key(feed) {
                let info = self.view.feed_info(feed)?;
                self.known.borrow_mut().insert(feed.clone(), info);
            }
        }
        Ok(())
    }

    /// Returns what was loaded; empty for a feed that was not.
    pub(super) fn get(&self, feed: &FeedId) -> FeedInfo {
        self.known.borrow().get(feed).cloned().unwrap_or_default()
    }
}
