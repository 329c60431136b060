//! Loads what the documents of feeds say about their feeds, such as the title.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use crate::feed::{FeedId, FeedInfo};
use crate::store::{KnownInfo, StoreError, View};

/// The most feeds that a cache remembers, with about 2 KiB each. On most sites, the stories that are shown come from
/// fewer feeds. A large site polls far more feeds.
const MAX_KNOWN: usize = 4096;

/// What documents said about their feeds at earlier reads. Cheap to clone; clones share the cache.
///
/// Each read compares the cached value with the stored one. So the cache never gives a value that a poll has replaced,
/// even if another process polled.
#[derive(Clone, Debug, Default)]
pub struct InfoCache(Arc<Mutex<HashMap<FeedId, KnownInfo>>>);

impl InfoCache {
    fn get(&self, feed: &FeedId) -> Option<KnownInfo> {
        self.0.lock().expect("no code panics while it holds the lock").get(feed).cloned()
    }

    fn insert(&self, feed: &FeedId, known: KnownInfo) {
        let mut all = self.0.lock().expect("no code panics while it holds the lock");
        if all.len() >= MAX_KNOWN && !all.contains_key(feed) {
            all.clear();
        }
        all.insert(feed.clone(), known);
    }
}

/// What documents say about their feeds, loaded on demand, for work that needs only a few feeds.
pub struct Infos<'v> {
    view: &'v View,
    cache: Option<&'v InfoCache>,
    known: RefCell<HashMap<FeedId, Arc<FeedInfo>>>,
}

impl<'v> Infos<'v> {
    /// Creates infos for one read.
    pub fn of(view: &'v View) -> Infos<'v> {
        Infos { view, cache: None, known: RefCell::default() }
    }

    /// Creates infos for one of many reads, which share a cache.
    pub fn sharing(view: &'v View, cache: &'v InfoCache) -> Infos<'v> {
        Infos { view, cache: Some(cache), known: RefCell::default() }
    }

    /// Loads what the documents of these feeds say, unless it is already loaded.
    pub(super) fn load<'f>(&self, feeds: impl Iterator<Item = &'f FeedId>) -> Result<(), StoreError> {
        for feed in feeds {
            if !self.known.borrow().contains_key(feed) {
                let before = self.cache.and_then(|cache| cache.get(feed));
                let known = self.view.feed_info(feed, before.as_ref())?;
                self.known.borrow_mut().insert(feed.clone(), known.info.clone());
                if let Some(cache) = self.cache {
                    cache.insert(feed, known);
                }
            }
        }
        Ok(())
    }

    /// Returns what was loaded; empty for a feed that was not loaded.
    pub(super) fn get(&self, feed: &FeedId) -> Arc<FeedInfo> {
        self.known.borrow().get(feed).cloned().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cache_remembers_a_limited_number_of_feeds() {
        let cache = InfoCache::default();
        for number in 0..MAX_KNOWN * 3 {
            cache.insert(&FeedId::from(&*number.to_string()), KnownInfo::default());
            assert!(cache.0.lock().unwrap().len() <= MAX_KNOWN);
        }
        assert!(cache.get(&FeedId::from(&*(MAX_KNOWN * 3 - 1).to_string())).is_some(), "the last one is there");
    }
}
