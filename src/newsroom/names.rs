//! Checks the names of stories (ids and slugs) from version 1 of the store. That version could make a story's id or
//! slug from a private entry, so each name is checked once. The check runs at the first start after the upgrade, and
//! not in a migration: only the config says which sections are private, and a migration does not know the config.
//!
//! [`story::FormerNames`](crate::story::FormerNames) decides which names may stay. This module does no I/O.

use crate::config::{Config, Section};
use crate::reason::JoinReason;
use crate::rows::{EnteredRow, NamedCopyRow, NamesRow};
use crate::story::{FormerCopy, FormerNames};

/// The names that a story loses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NamesVerdict {
    /// Whether the story gets a new id.
    pub has_new_id: bool,
    /// Whether the story gets a new slug.
    pub has_new_slug: bool,
    /// Whether readers of public sections know the story by a name that it loses.
    pub is_renamed: bool,
}

/// Returns the public sections that show or showed a story, in the order of the config. `entered` has all sections that
/// show or showed it, including private ones.
pub fn public_places<'c, 'r>(config: &'c Config, entered: &'r [EnteredRow]) -> Vec<(&'c Section, &'r EnteredRow)> {
    let public = config.sections.iter().map(|section| &**section).filter(|section| section.is_public());
    public.filter_map(|section| Some((section, entered.iter().find(|row| row.section == section.id)?))).collect()
}

/// Decides which names of a story stay: those that may have been made from copies in public sections.
pub fn check_names(
    config: &Config,
    names: &NamesRow,
    places: &[(&Section, &EnteredRow)],
    copies: Vec<NamedCopyRow>,
) -> NamesVerdict {
    let is_private = places.is_empty();
    let copies = copies.into_iter().enumerate().map(|(at, copy)| {
        let is_known = config.feed(&copy.feed_id).is_some();
        let is_public = places
            .iter()
            .any(|(section, place)| place.lead_feed == copy.feed || is_known && section.takes(&copy.feed_id));
        // If the story was merged into another, it is unknown which of the copies was its first.
        let is_first = copy.reason == JoinReason::First && copy.is_own;
        let may_be_first = names.number != names.standing || is_first || at == 0;
        FormerCopy { is_public, may_be_first, guids: copy.guids, title: copy.title }
    });
    let former =
        FormerNames { number: names.number, id: names.id.clone(), slug: names.slug.clone(), copies: copies.collect() };
    let has_new_id = is_private || former.id_is_private();
    let has_new_slug = is_private || former.slug_is_private();
    NamesVerdict { has_new_id, has_new_slug, is_renamed: !is_private && (has_new_id || has_new_slug) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{self, SourceFile};
    use crate::number::{FeedNumber, SectionNumber, StoryNumber};
    use crate::time::Timestamp;

    /// Returns a config with a public section that has the feed `open`, and a private section that also has the feed
    /// `closed`.
    fn config() -> Config {
        let text = "[site]\ntitle = \"Test\"\n[[feed]]\nid = \"open\"\nurl = \"https://open.example/\"\n\
            [[feed]]\nid = \"closed\"\nurl = \"https://closed.example/\"\n\
            [[section]]\nid = \"all\"\nfeeds = [\"open\"]\n[[section]]\nid = \"desk\"\nfeeds = [\"*\"]\ntoken = { env = \"T\" }\n";
        let file = SourceFile { path: "/test/newswire.toml".into(), text: text.to_owned() };
        let (config, problems) = config::check(&[file], &|_| Ok("a-token-of-some-length".into()));
        config.unwrap_or_else(|| panic!("{problems:?}"))
    }

    fn entered(section: &str) -> EnteredRow {
        let (number, lead_feed) = (SectionNumber(1), FeedNumber(1));
        EnteredRow { section: section.into(), number, lead_feed, entered: Timestamp::from_millis(0) }
    }

    fn copy(feed: i64, id: &str, guid: &str, title: &str) -> NamedCopyRow {
        NamedCopyRow {
            feed: FeedNumber(feed),
            feed_id: id.into(),
            is_own: true,
            reason: JoinReason::First,
            guids: vec![guid.to_owned()],
            title: Some(title.to_owned()),
        }
    }

    #[test]
    fn names_from_public_copies_stay_and_others_are_replaced() {
        let config = config();
        let names = |id: &str, slug: &str| NamesRow {
            number: StoryNumber(7),
            id: id.to_owned(),
            slug: slug.to_owned(),
            standing: StoryNumber(7),
        };
        let check = |names: &NamesRow, sections: &[&str], copies: &[NamedCopyRow], expected: (bool, bool, bool)| {
            let entered: Vec<_> = sections.iter().map(|section| entered(section)).collect();
            let verdict = check_names(&config, names, &public_places(&config, &entered), copies.to_vec());
            assert_eq!((verdict.has_new_id, verdict.has_new_slug, verdict.is_renamed), expected, "{names:?}");
        };
        let (open, closed) = (copy(1, "open", "tag:o", "Open"), copy(2, "closed", "tag:c", "Secret"));
        check(&names("tag:o", "open-7"), &["all"], &[open.clone(), closed.clone()], (false, false, false));
        check(&names("tag:c", "secret-7"), &["all"], &[closed.clone(), open.clone()], (true, true, true));
        check(&names("tag:c", "secret-7"), &["desk"], std::slice::from_ref(&closed), (true, true, false));
        // The copy's feed leads in a public section, although the section no longer has the feed.
        check(
            &names("tag:c", "secret-7"),
            &["all"],
            &[NamedCopyRow { feed: FeedNumber(1), ..closed }],
            (false, false, false),
        );
    }
}
