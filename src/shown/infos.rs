//! What documents say of feeds.

use std::cell::RefCell;
use std::collections::HashMap;

use crate::feed::{FeedId, FeedInfo};
use crate::store::{StoreError, View};

/// What documents say of feeds, loaded as it is asked for: for work that needs few of them.
pub struct Infos<'v> {
    view: &'v View,
    known: RefCell<HashMap<FeedId, FeedInfo>>,
}

impl<'v> Infos<'v> {
    pub fn of(view: &'v View) -> Infos<'v> {
        Infos { view, known: RefCell::default() }
    }

    /// Loads what the documents of these feeds say, unless it was loaded before.
    pub(super) fn load<'f>(&self, feeds: impl Iterator<Item = &'f FeedId>) -> Result<(), StoreError> {
        for feed in feeds {
            if !self.known.borrow().contains_key(feed) {
                let info = self.view.feed_info(feed)?;
                self.known.borrow_mut().insert(feed.clone(), info);
            }
        }
        Ok(())
    }

    /// Returns what was loaded; nothing of a feed that was not.
    pub(super) fn get(&self, feed: &FeedId) -> FeedInfo {
        self.known.borrow().get(feed).cloned().unwrap_or_default()
    }
}
