//! The hash of a section's definition, that is, of everything that decides which stories are in the section.
//!
//! The store keeps the hash. If the hash changes, newswire applies the rules of the section to all stories again, which
//! takes long for a large store. So the same definition must have the same hash in every version of newswire. The hash
//! is the XXH3 (64 bits) of these bytes:
//!
//! - A text is its length in bytes (64 bits, little endian) and its bytes. A number has 64 bits, little endian. A duration is
//!   two numbers: whole seconds, and the nanoseconds of the rest. An optional value is the byte 0 if absent, else the byte 1 and
//!   the value.
//! - A list is its length as a number, and its items. A set is a list whose items are sorted by their bytes.
//! - The definition is the text `newswire section 2`; the set of the feeds (id, set of tags, set of categories); `max_age` or its
//!   absence; the list of the facets; the lists of `keep` and `drop`; and the text `podcast` if the section is one, because it
//!   takes only recordings then. Rules keep their order, because the first match decides.
//! - A category is its term, its scheme or the scheme's absence, and its label or the label's absence.
//!   [`Rule::canonical`] describes the bytes of a rule.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use xxhash_rust::xxh3::xxh3_64;

use super::model::Feed;
use crate::entry::Category;
use crate::rule::{CanonicalForm, Rule};

/// The settings that decide which stories are in a section.
#[derive(Clone, Copy)]
pub(super) struct Definition<'a> {
    pub feeds: &'a DefinedFeeds,
    pub keep: &'a [Rule],
    pub drop: &'a [Rule],
    pub max_age: Option<Duration>,
    pub facets: &'a [String],
    pub is_podcast: bool,
}

/// The part of a definition that lists the feeds of the section. Sections with the same feeds share one value, because
/// making it takes time in proportion to the number of feeds.
pub(super) struct DefinedFeeds {
    form: CanonicalForm,
    former_text: String,
}

impl DefinedFeeds {
    pub(super) fn of(feeds: &[&Arc<Feed>]) -> DefinedFeeds {
        let mut form = CanonicalForm::default();
        form.set(feeds.iter().map(|feed| {
            let mut item = CanonicalForm::default();
            item.text(feed.id.as_str());
            item.set(feed.tags.iter().map(|tag| CanonicalForm::of_text(tag)));
            item.set(feed.categories.iter().map(category));
            item
        }));
        let former_category = |Category { term, scheme, label }: &Category| {
            format!("Category {{ term: {term:?}, scheme: {scheme:?}, label: {label:?} }}")
        };
        let former = |feed: &&Arc<Feed>| {
            let categories: Vec<_> = feed.categories.iter().map(former_category).collect();
            format!("{} {:?} [{}]", feed.id, feed.tags, categories.join(", "))
        };
        let mut former: Vec<String> = feeds.iter().map(former).collect();
        former.sort_unstable();
        DefinedFeeds { form, former_text: format!("{former:?}") }
    }
}

impl Definition<'_> {
    /// Returns the hash of the canonical form that the module docs describe.
    pub(super) fn hash(&self) -> u64 {
        let mut form = CanonicalForm::default();
        form.text("newswire section 2");
        form.append(&self.feeds.form);
        form.optional(self.max_age, CanonicalForm::duration);
        form.list(self.facets.iter().map(|facet| CanonicalForm::of_text(facet)));
        for rules in [self.keep, self.drop] {
            form.list(rules.iter().map(Rule::canonical));
        }
        if self.is_podcast {
            form.text("podcast");
        }
        xxh3_64(form.bytes())
    }

    /// Returns the hash that stores up to schema version 4 contain. It was computed from another form of the same
    /// definition.
    pub(super) fn former_hash(&self) -> u64 {
        let mut text = format!("{} {:?} {:?}", self.feeds.former_text, self.max_age, self.facets);
        for (word, rules) in [("keep", self.keep), ("drop", self.drop)] {
            for rule in rules {
                write!(text, " {word} {rule}").expect("writing to a String does not fail");
            }
        }
        if self.is_podcast {
            text.push_str(" podcast");
        }
        xxh3_64(text.as_bytes())
    }
}

fn category(category: &Category) -> CanonicalForm {
    let mut form = CanonicalForm::of_text(&category.term);
    form.optional(category.scheme.as_deref(), CanonicalForm::text);
    form.optional(category.label.as_deref(), CanonicalForm::text);
    form
}
