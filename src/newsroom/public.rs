//! Decides what is public: the stories that public sections show, with the text that these show.
//!
//! The policy of public search: an anonymous search reads only public text. Suppose that it searched all texts and then
//! dropped private results. Then its duration would reveal whether a word is in a private text, and the order of its
//! results would reveal how often. So private text is never in the public index, and a search treats private feeds and
//! sections as if they did not exist. This module does no I/O.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use crate::config::{Config, FeedList, Republish, Section};
use crate::feed::{FeedId, SectionId};
use crate::rows::{PublicTerms, SearchTerms, feed_terms_hash};

/// The stories that must be indexed again in the public index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reindexed {
    /// No stories.
    None,
    /// The stories with entries of these feeds.
    Of(BTreeSet<String>),
    /// All stories.
    All,
}

/// Returns the public sections, in the order of the config.
pub fn public_sections(config: &Config) -> impl Iterator<Item = &Arc<Section>> {
    config.sections.iter().filter(|section| section.is_public())
}

/// Returns the public sections that are among `sections`, in the order of the config.
pub fn public_among<'c>(config: &'c Config, sections: &[SectionId]) -> Vec<&'c Section> {
    public_sections(config).map(|section| &**section).filter(|section| sections.contains(&section.id)).collect()
}

/// Returns the part of a config that decides what is public.
pub fn public_terms(config: &Config) -> PublicTerms {
    let sections: Vec<&Arc<Section>> = public_sections(config).collect();
    let lists = FeedList::distinct(sections.iter().map(|section| &section.feeds));
    let mut taking = HashMap::<&FeedId, Vec<usize>>::new();
    for (at, list) in lists.iter().enumerate() {
        list.iter().for_each(|feed| taking.entry(feed).or_default().push(at));
    }
    // In a large config, most feeds are in the same sections, so each hash is computed only once.
    let mut hashes = HashMap::new();
    let hash = |(id, taking): (&FeedId, Vec<usize>)| {
        let republish = match config.feed(id)?.republish {
            Republish::Link => "link",
            Republish::Summary => "summary",
            Republish::Full => "full",
        };
        let hash = hashes.entry((republish, taking)).or_insert_with_key(|(republish, taking)| {
            let is_taking =
                |section: &&&Arc<Section>| taking.iter().any(|at| lists[*at].is_shared_with(&section.feeds));
            feed_terms_hash(republish, sections.iter().filter(is_taking).map(|section| section.id.as_str()))
        });
        Some((id.to_string(), *hash))
    };
    let feeds = taking.into_iter().filter_map(hash).collect();
    PublicTerms { sections: sections.iter().map(|section| section.id.to_string()).collect(), feeds }
}

/// Returns the stories whose public text may change when `terms` replace `before`, which is `None` if it is unknown.
pub fn reindexed(terms: &PublicTerms, before: Option<&PublicTerms>) -> Reindexed {
    let Some(before) = before else { return Reindexed::All };
    if terms == before {
        return Reindexed::None;
    }
    let of_both = |terms: &PublicTerms, others: &PublicTerms| -> Vec<String> {
        terms.sections.iter().filter(|id| others.sections.contains(id)).cloned().collect()
    };
    // If the order of sections changed, another section may be the first that shows a story.
    if of_both(terms, before) != of_both(before, terms) {
        return Reindexed::All;
    }
    let feeds = terms.feeds.iter().chain(&before.feeds);
    let changed = feeds.filter(|(feed, _)| terms.feeds.get(*feed) != before.feeds.get(*feed));
    let changed = changed.map(|(feed, _)| feed.clone()).collect();
    Reindexed::Of(changed)
}

/// Removes the private feeds and sections from a search. Returns `None` if the search names only private feeds or only
/// private sections, so that it finds nothing.
pub fn public_search(config: &Config, mut search: SearchTerms) -> Option<SearchTerms> {
    let (named_feeds, named_sections) = (!search.feeds.is_empty(), !search.sections.is_empty());
    search.feeds.retain(|feed| is_public_feed(config, feed));
    let sections = public_sections(config).map(|section| &section.id);
    search.sections = sections.filter(|id| search.sections.contains(id)).cloned().collect();
    let is_known = search.feeds.is_empty() != named_feeds && search.sections.is_empty() != named_sections;
    is_known.then_some(search)
}

fn is_public_feed(config: &Config, feed: &FeedId) -> bool {
    public_sections(config).any(|section| section.takes(feed))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{self, SourceFile};

    /// Returns a config with the feeds `a` and `b`, and these sections.
    fn config(rest: &str) -> Config {
        let text = format!(
            "[site]\ntitle = \"Test\"\n[[feed]]\nid = \"a\"\nurl = \"https://a.example/\"\n\
             [[feed]]\nid = \"b\"\nurl = \"https://b.example/\"\n{rest}"
        );
        let file = SourceFile { path: "/test/newswire.toml".into(), text };
        let (config, problems) = config::check(&[file], &|_| Ok("a-token-of-some-length".into()));
        config.unwrap_or_else(|| panic!("{problems:?}"))
    }

    fn section(id: &str, feeds: &str, is_private: bool) -> String {
        let token = if is_private { "token = { env = \"T\" }\n" } else { "" };
        format!("[[section]]\nid = \"{id}\"\nfeeds = [{feeds}]\n{token}")
    }

    #[test]
    fn stories_that_a_new_config_may_make_public_or_private_are_indexed_again() {
        let of = |feeds: &[&str]| Reindexed::Of(feeds.iter().map(|feed| (*feed).to_owned()).collect());
        let check = |before: &str, after: &str, expected: Reindexed| {
            let (before, after) = (public_terms(&config(before)), public_terms(&config(after)));
            assert_eq!(reindexed(&after, Some(&before)), expected);
        };
        let (one, both) = (section("all", "\"a\"", false), section("all", "\"a\", \"b\"", false));
        let closed = section("all", "\"a\", \"b\"", true);
        let (other, closed_other) = (section("other", "\"b\"", false), section("other", "\"b\"", true));
        check(&one, &one, Reindexed::None);
        check(&one, &both, of(&["b"]));
        check(&both, &one, of(&["b"]));
        check(&one, &format!("{one}{other}"), of(&["b"]));
        check(&one, &format!("{one}{closed_other}"), Reindexed::None);
        check(&both, &closed, of(&["a", "b"]));
        check(&format!("{one}{other}"), &format!("{other}{one}"), Reindexed::All);
        let linked = "[poll]\nrepublish = \"link\"\n";
        check(&one, &format!("{linked}{one}"), of(&["a"]));
        assert_eq!(reindexed(&public_terms(&config(&one)), None), Reindexed::All);
    }

    #[test]
    fn private_feeds_and_sections_are_as_unknown_as_missing_ones() {
        let config = config(&format!("{}{}", section("all", "\"a\"", false), section("desk", "\"*\"", true)));
        let check = |feeds: &[&str], sections: &[&str], expected: Option<(&[&str], &[&str])>| {
            let search = SearchTerms {
                feeds: feeds.iter().map(|id| FeedId::from(*id)).collect(),
                sections: sections.iter().map(|id| SectionId::from(*id)).collect(),
                ..SearchTerms::default()
            };
            let expected = expected.map(|(feeds, sections)| {
                let feeds = feeds.iter().map(|id| FeedId::from(*id)).collect::<Vec<_>>();
                (feeds, sections.iter().map(|id| SectionId::from(*id)).collect::<Vec<_>>())
            });
            let found = public_search(&config, search).map(|search| (search.feeds, search.sections));
            assert_eq!(found, expected, "{feeds:?} {sections:?}");
        };
        check(&[], &[], Some((&[], &[])));
        check(&["a"], &["all"], Some((&["a"], &["all"])));
        check(&["a", "b"], &["desk", "all"], Some((&["a"], &["all"])));
        check(&["b"], &[], None);
        check(&["c"], &[], None);
        check(&["a"], &["desk"], None);
        check(&[], &["none"], None);
    }
}
