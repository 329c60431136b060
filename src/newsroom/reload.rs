//! Decides what a new config changes for feeds, and which stories must be judged again. To judge a story is to decide
//! whether a section has it.
//!
//! The policy of reloads: a feed keeps the time of its next poll unless its schedule or address changes. `ETag`s and
//! other data from one address are never sent to another. An address on this machine does not identify a site, so no
//! permanent id is made from it. This module does no I/O.

use std::collections::HashMap;

use sha2::{Digest, Sha256};
use url::Host;
use xxhash_rust::xxh3::xxh3_64;

use crate::config::{Config, Edits, Feed, Section, Site};
use crate::entry::Category;
use crate::feed::{FeedId, SectionId};
use crate::rows::{ConfiguredFeed, DefinitionParts, DefinitionRow, FeedSet, KnownFeed};
use crate::rule::{CanonicalForm, Rule};
use crate::schedule;
use crate::story;
use crate::time::Timestamp;

/// If more than this many feeds of a section changed, all stories are judged again for the section.
const MAX_CHANGED_FEEDS: usize = 100;

/// What changes for a feed.
#[derive(Clone, Debug)]
pub enum FeedChange {
    /// A new feed.
    Added {
        /// The feed's values.
        row: ConfiguredFeed,
    },
    /// A feed that the store knows and in which something changes.
    Known {
        /// The feed's configured values.
        row: ConfiguredFeed,
        /// Whether the feed had been removed from the config.
        is_back: bool,
        /// Whether the address changed. If so, the feed is polled like a new feed, even if the server had answered 410
        /// (Gone).
        has_moved: bool,
        /// Whether a setting changed that decides in which sections the feed's stories are.
        has_other_terms: bool,
        /// The new time of the next poll; `None` if the time does not change.
        next_poll: Option<Timestamp>,
    },
    /// A feed that was removed from the config.
    Removed {
        /// The feed.
        id: FeedId,
    },
}

/// Returns what changes for the feeds of a config, in the order of the config, and then the feeds that were removed.
/// Leaves out feeds in which nothing changes.
pub fn feed_changes(before: &HashMap<FeedId, KnownFeed>, config: &Config) -> Vec<FeedChange> {
    let mut changes: Vec<FeedChange> =
        config.feeds.iter().filter_map(|feed| feed_change(before.get(&feed.id), feed)).collect();
    let gone = before.values().filter(|feed| !feed.is_removed && config.feed(&feed.id).is_none());
    let mut gone: Vec<&KnownFeed> = gone.collect();
    gone.sort_unstable_by_key(|feed| feed.number);
    changes.extend(gone.into_iter().map(|feed| FeedChange::Removed { id: feed.id.clone() }));
    changes
}

fn feed_change(before: Option<&KnownFeed>, feed: &Feed) -> Option<FeedChange> {
    // The store has only the hash of the address, because the address may contain a secret.
    let url_hash = Sha256::digest(feed.url.secret.as_str());
    let (schedule, terms) = (feed.schedule.to_string(), feed_terms(feed));
    let has_moved = before.is_some_and(|before| before.url_hash != url_hash[..]);
    let has_other_schedule = before.is_some_and(|before| before.schedule != schedule);
    let has_other_terms = before.is_some_and(|before| before.terms != Some(terms));
    let is_back = before.is_some_and(|before| before.is_removed);
    if before.is_some() && !(has_moved || has_other_schedule || has_other_terms || is_back) {
        return None;
    }
    let (id, url, url_hash) = (feed.id.clone(), feed.url.shown.clone(), url_hash.to_vec());
    let row = ConfiguredFeed { id, url, url_hash, schedule, terms };
    let Some(before) = before else { return Some(FeedChange::Added { row }) };
    let next_poll = before.last_poll.filter(|_| has_other_schedule && !has_moved).map(|last_poll| {
        let next = feed.schedule.next(last_poll, schedule::next::phase(&feed.id));
        before.hold_until.map_or(next, |hold| next.max(hold))
    });
    Some(FeedChange::Known { row, is_back, has_moved, has_other_terms, next_poll })
}

/// Returns a hash of a feed's settings that decide in which sections its stories are: those for rules, categories and
/// the choice of the lead. The address decides too, but has a hash of its own.
fn feed_terms(feed: &Feed) -> u64 {
    let mut form = CanonicalForm::of_text("newswire feed 1");
    form.set(feed.tags.iter().map(|tag| CanonicalForm::of_text(tag)));
    form.list(feed.categories.iter().map(category));
    form.number(feed.priority.cast_unsigned());
    form.optional(feed.title.as_deref(), CanonicalForm::text);
    form.optional(feed.site.as_ref(), |form, site| form.text(site.as_str()));
    xxh3_64(form.bytes())
}

fn category(Category { term, scheme, label }: &Category) -> CanonicalForm {
    let mut form = CanonicalForm::of_text(term);
    form.optional(scheme.as_deref(), CanonicalForm::text);
    form.optional(label.as_deref(), CanonicalForm::text);
    form
}

/// Returns a hash of everything that decides how a section judges stories, except the feeds of the section.
pub fn rules_hash(config: &Config, section: &Section) -> u64 {
    let mut form = CanonicalForm::of_text("newswire rules 1");
    form.optional(section.max_age, CanonicalForm::duration);
    for rules in [&section.keep, &section.drop] {
        form.list(rules.iter().map(Rule::canonical));
    }
    form.list(config.site.facets.iter().map(|facet| CanonicalForm::of_text(facet)));
    form.text(config.site.url.as_str());
    form.text(match section.edits {
        Edits::Apply => "apply",
        Edits::Ignore => "ignore",
        Edits::Bump => "bump",
    });
    // A section that is no podcast has the same hash as before podcasts took only recordings.
    if section.podcast.is_some() {
        form.text("podcast");
    }
    xxh3_64(form.bytes())
}

/// The stories that must be judged again for a section after a change of the config.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rejudged {
    /// No stories. The set has the feeds of the section whose settings changed after its stories were judged.
    None(FeedSet),
    /// No stories, because the definition is the same. Its hash differs only because an older version of newswire made
    /// the hash from another form of the definition.
    SameDefinition,
    /// The stories with entries of these feeds.
    Of(FeedSet),
    /// All stories.
    All,
}

/// Decides which stories must be judged again for a section. `before` is the definition with which its stories were
/// last judged; `None` for a new section. `changed` are the feeds whose settings changed.
///
/// If only settings of feeds changed, no stories are judged, but the feeds are recorded. When the definition changes
/// later, the stories of these feeds are judged too. So the result is the same as if all stories were judged whenever
/// the definition changes.
pub fn rejudged(
    before: Option<&DefinitionRow>,
    section: &Section,
    now: &DefinitionParts,
    changed: &FeedSet,
) -> Rejudged {
    let Some(before) = before.filter(|before| !before.is_gone) else { return Rejudged::All };
    let stale = before.stale.union(&changed.intersection(&now.feeds));
    if before.has_former_hash && before.hash == section.former_hash {
        return Rejudged::SameDefinition;
    }
    if !before.has_former_hash && before.hash == section.definition_hash {
        return Rejudged::None(stale);
    }
    match &before.parts {
        Some(parts) if parts.rules_hash == now.rules_hash && !before.is_judged_whole => {
            let stale = stale.intersection(&now.feeds);
            let feeds = parts.feeds.symmetric_difference(&now.feeds).union(&stale);
            if feeds.len() > MAX_CHANGED_FEEDS { Rejudged::All } else { Rejudged::Of(feeds) }
        }
        _ => Rejudged::All,
    }
}

/// Returns the `podcast:guid` of a section at its current address.
pub fn podcast_guid(site: &Site, section: &SectionId) -> String {
    story::podcast_guid(&format!("{}{section}.rss", site.url))
}

/// Returns the `podcast:guid` that each podcast gets, unless it has one; none if the site's address is on this machine.
pub fn podcast_guids(config: &Config) -> Vec<(&SectionId, String)> {
    let podcasts = config.sections.iter().filter(|section| section.podcast.is_some() && is_at_a_public_address(config));
    podcasts.map(|section| (&section.id, podcast_guid(&config.site, &section.id))).collect()
}

/// Returns the permanent ids that the sections get; none if the site's address is on this machine.
pub fn permanent_ids(config: &Config) -> Vec<(&SectionId, String)> {
    let sections = config.sections.iter().filter(|_| is_at_a_public_address(config));
    sections.map(|section| (&section.id, format!("{}{}", config.site.url, section.id))).collect()
}

fn is_at_a_public_address(config: &Config) -> bool {
    match config.site.url.host() {
        Some(Host::Domain(name)) => name != "localhost",
        Some(Host::Ipv4(address)) => !address.is_loopback() && !address.is_unspecified(),
        Some(Host::Ipv6(address)) => !address.is_loopback() && !address.is_unspecified(),
        None => false,
    }
}
