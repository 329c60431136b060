//! What a change of the config changes for feeds, and the permanent ids of sections.
//!
//! Pure. The policy of reloads: a feed keeps its next poll unless its schedule changes; validators and other data of
//! one address are never sent to another; an address on this machine does not identify a site, so no permanent id is made
//! from it.

use std::collections::HashMap;

use sha2::{Digest, Sha256};
use url::Host;

use crate::config::{Config, Feed};
use crate::feed::{FeedId, SectionId};
use crate::rows::{ConfiguredFeed, KnownFeed};
use crate::schedule;
use crate::time::Timestamp;

/// What changes for a feed.
#[derive(Clone, Debug)]
pub enum FeedChange {
    /// A new feed.
    Added {
        /// Its values.
        row: ConfiguredFeed,
    },
    /// A feed that the store has.
    Known {
        /// The feed.
        id: FeedId,
        /// Its configured values.
        row: ConfiguredFeed,
        /// Whether it was not configured before.
        is_back: bool,
        /// Whether its address changed: it is polled like a new feed, and one that was gone is tried again.
        has_moved: bool,
        /// When it is polled next, if that changes.
        next_poll: Option<Timestamp>,
    },
    /// A feed that is no longer configured.
    Removed {
        /// The feed.
        id: FeedId,
    },
}

/// Returns what changes for the feeds of a config, in its order; then the feeds that are no longer configured.
pub fn feed_changes(before: &[KnownFeed], config: &Config) -> Vec<FeedChange> {
    let mut known: HashMap<&FeedId, &KnownFeed> = before.iter().map(|feed| (&feed.id, feed)).collect();
    let mut changes = Vec::new();
    for feed in &config.feeds {
        let row = configured(feed);
        changes.push(match known.remove(&feed.id) {
            None => FeedChange::Added { row },
            Some(before) => {
                let has_moved = before.url_hash != row.url_hash;
                let has_other_schedule = before.schedule != row.schedule && !has_moved;
                let next_poll = before.last_poll.filter(|_| has_other_schedule).map(|last_poll| {
                    let next = feed.schedule.next(last_poll, schedule::next::phase(&feed.id));
                    before.hold_until.map_or(next, |hold| next.max(hold))
                });
                FeedChange::Known { id: feed.id.clone(), row, is_back: before.is_removed, has_moved, next_poll }
            }
        });
    }
    let gone = before.iter().filter(|feed| !feed.is_removed && known.contains_key(&feed.id));
    changes.extend(gone.map(|feed| FeedChange::Removed { id: feed.id.clone() }));
    changes
}

fn configured(feed: &Feed) -> ConfiguredFeed {
    ConfiguredFeed {
        id: feed.id.clone(),
        url: feed.url.shown.clone(),
        // Shows whether the address changed, and cannot be read back if the address contains a secret.
        url_hash: Sha256::digest(feed.url.secret.as_str()).to_vec(),
        schedule: feed.schedule.to_string(),
    }
}

/// Returns the permanent ids that the sections of a config get, if the site has a public address.
pub fn permanent_ids(config: &Config) -> Vec<(&SectionId, String)> {
    let is_public = match config.site.url.host() {
        Some(Host::Domain(name)) => name != "localhost",
        Some(Host::Ipv4(address)) => !address.is_loopback() && !address.is_unspecified(),
        Some(Host::Ipv6(address)) => !address.is_loopback() && !address.is_unspecified(),
        None => false,
    };
    let sections = config.sections.iter().filter(|_| is_public);
    sections.map(|section| (&section.id, format!("{}{}", config.site.url, section.id))).collect()
}
