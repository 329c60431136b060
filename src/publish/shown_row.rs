//! Reduces the stories that a section shows to the facts that show whether a page must be written again.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::hash::{DefaultHasher, Hasher};

use crate::config::Site;
use crate::render;
use crate::section::ShownStory;
use crate::time::Timestamp;

/// A story that a section shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ShownRow {
    pub slug: String,
    pub sort_at: Timestamp,
    /// The hash of what the section shows of the story.
    hash: u64,
    /// The paths of the listings that contain the story.
    pub listings: Box<[Box<str>]>,
}

impl ShownRow {
    pub(super) fn of(site: &Site, story: &ShownStory) -> ShownRow {
        let mut hasher = DefaultHasher::new();
        hasher.write(&serde_json::to_vec(story).unwrap_or_default());
        ShownRow {
            slug: story.slug.clone(),
            sort_at: story.sort_at,
            hash: hasher.finish(),
            listings: render::listings_of(site, story).into_iter().map(String::into_boxed_str).collect(),
        }
    }
}

/// What changed between two publications.
#[derive(Debug, Default)]
pub(super) struct Changed<'e> {
    /// The slugs of the stories.
    pub slugs: BTreeSet<&'e str>,
    /// The paths of the listings.
    pub listings: BTreeSet<&'e str>,
}

impl<'e> Changed<'e> {
    /// Adds the stories that differ between `before` and `now`, or that only one of the two has. Adds their listings
    /// too.
    pub(super) fn add(&mut self, before: &'e [ShownRow], now: &'e [ShownRow]) {
        let known: HashMap<&str, &ShownRow> = before.iter().map(|row| (&*row.slug, row)).collect();
        let current: HashSet<&str> = now.iter().map(|row| &*row.slug).collect();
        let gone = before.iter().filter(|row| !current.contains(&*row.slug));
        let differing = now.iter().filter(|row| known.get(&*row.slug) != Some(row));
        for row in gone.chain(differing) {
            self.slugs.insert(&row.slug);
            let earlier = known.get(&*row.slug).into_iter().flat_map(|row| &row.listings);
            self.listings.extend(row.listings.iter().chain(earlier).map(|path| &**path));
        }
    }
}
