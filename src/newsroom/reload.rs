//! What a change of the config changes for feeds, and the permanent ids of sections.
//!
//! Pure. The policy of reloads: a feed keeps its next poll unless its schedule changes; validators and other data of
//! one address are never sent to another; an address on this machine does not identify a site, so no permanent id is made
//! from it.

use std::collections::HashMap;

use sha2::{Digest, Sha256};
use url::Host;
use xxhash_rust::xxh3::xxh3_64;

use crate::config::{Config, Edits, Feed, Section};
use crate::entry::Category;
use crate::feed::{FeedId, SectionId};
use crate::rows::{ConfiguredFeed, DefinitionParts, DefinitionRow, FeedSet, KnownFeed};
use crate::rule::{CanonicalForm, Rule};
use crate::schedule;
use crate::time::Timestamp;

/// If more feeds of a section change than this, all its stories are judged.
const MAX_CHANGED_FEEDS: usize = 100;

/// What changes for a feed.
#[derive(Clone, Debug)]
pub enum FeedChange {
    /// A new feed.
    Added {
        /// The feed's values.
        row: ConfiguredFeed,
    },
    /// A feed that the store has, of which anything changes.
    Known {
        /// The feed's configured values.
        row: ConfiguredFeed,
        /// Whether the feed was not configured before.
        is_back: bool,
        /// Whether the address changed. If so, the feed is polled like a new one, even if it was gone.
        has_moved: bool,
        /// Whether settings that judging reads changed.
        has_other_terms: bool,
        /// When the feed is polled next, if that changes.
        next_poll: Option<Timestamp>,
    },
    /// A feed that is no longer configured.
    Removed {
        /// The feed.
        id: FeedId,
    },
}

/// Returns what changes for the feeds of a config, in its order; then the feeds that are no longer configured. Feeds of which
/// nothing changes are left out.
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
    // Shows whether the address changed, and cannot be read back if the address contains a secret.
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

/// Returns a hash of those settings of a feed that judging reads: for rules, categories and the choice of the lead. Its address
/// is one too, but has a hash of its own.
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

/// Returns a hash of everything but its feeds that decides how a section judges a story.
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
    xxh3_64(form.bytes())
}

/// The stories of a section that are judged again after a change of the config.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rejudged {
    /// None. Holds the feeds whose settings changed since the section was judged.
    None(FeedSet),
    /// None: the definition is the same, only the form that is hashed has changed.
    SameDefinition,
    /// The stories with entries of these feeds.
    Of(FeedSet),
    /// All.
    All,
}

/// Decides which stories of a section are judged again. `before` is what the section was last judged by; `None` for a new
/// section. `changed` are the feeds with changed settings.
///
/// A changed setting of a feed alone does not cause it, unless it is part of the definition; it is kept for the next time. So the
/// result is the same as if all stories were judged whenever the definition changes.
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
