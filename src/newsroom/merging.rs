//! Decides whether two stories are the same, and which of them stays.
//!
//! This module does no I/O. The policy of merging:
//!
//! - The older story stays, with its id and its position in sections.
//! - A single entry never moves copies of other feeds to another story. If its story has other copies, one of these
//!   must match a copy of the other story.
//! - If an entry is alone in its story and its text becomes that of another story, it joins the other story, even if
//!   its own is older. So no feed can publish a harmless entry early and later take over another feed's story under its
//!   own id and date.

use super::Join;
use crate::number::{EntryNumber, StoryNumber};
use crate::story::{JoinReason, Wording};

/// How many copies of each of two stories are compared with those of the other. The first ones represent the story.
const COMPARED: usize = 8;

/// The texts of a story's copies, each with the number of its entry, ordered by number.
pub(super) type Wordings = Vec<(EntryNumber, Wording)>;

/// A story and the texts of its copies.
#[derive(Debug)]
pub(super) struct StoryTexts {
    /// The number of the story.
    pub story: StoryNumber,
    /// The texts of the story's copies.
    pub wordings: Wordings,
}

/// The two stories of a merge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Merge {
    /// The story that stays.
    pub stays: StoryNumber,
    /// The story that is merged into the other.
    pub leaves: StoryNumber,
}

/// Decides whether `own` (the story of `entry`) and `other` are the same story. Returns the merge; `None` if they are
/// not the same story. `join` says why they may be the same. `likeness` is the share of their shingles (short sequences
/// of words) that two copies of a long text must have in common, from 0 to 1. The caller must check first that no
/// editor split the stories and that they have no copies of the same feed.
pub(super) fn one_of(
    entry: EntryNumber,
    mut own: StoryTexts,
    mut other: StoryTexts,
    join: &Join,
    likeness: f64,
) -> Option<Merge> {
    let position = own.wordings.iter().position(|(number, _)| *number == entry);
    let words = position.map(|at| own.wordings.swap_remove(at).1);
    other.wordings.retain(|(number, _)| *number != entry);
    if own.wordings.is_empty() {
        // The story has only this entry, so a match with one text of the other story suffices. A common link alone does
        // not suffice.
        let matches_other = |words: &Wording| other.wordings.iter().any(|(_, other)| is_same_story(words, other, join));
        let merge = Merge { stays: other.story, leaves: own.story };
        return words.as_ref().is_some_and(matches_other).then_some(merge);
    }
    let are_one = own.wordings.iter().take(COMPARED).any(|(_, own)| {
        other.wordings.iter().take(COMPARED).any(|(_, other)| own.same_text(other, likeness).is_some())
    });
    are_one.then(|| older(own.story, other.story))
}

/// Returns the merge in which the older of two stories stays.
pub fn older(one: StoryNumber, other: StoryNumber) -> Merge {
    Merge { stays: one.min(other), leaves: one.max(other) }
}

fn is_same_story(words: &Wording, other: &Wording, join: &Join) -> bool {
    join.reason == JoinReason::Text || words.has_title_of(other) && !words.contradicts(other)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::Entry;
    use crate::text::PlainText;

    const HARBOUR: &str = "The harbour bridge opened";
    const LIBRARY: &str = "The library keeps its branch";

    /// Returns a story with these entries. Each has a number, a title and a text of sixty words that begin with a stem.
    fn texts_of(story: i64, copies: &[(i64, &str, &str)]) -> StoryTexts {
        let wordings = copies.iter().map(|(number, title, stem)| {
            let text: String = (0..60).map(|at| format!("{stem}{at} ")).collect();
            let entry: Entry = serde_json::from_value(serde_json::json!({
                "guid": { "value": number.to_string(), "kind": "guid" }, "title": title, "content_html": format!("<p>{text}</p>")
            }))
            .unwrap();
            (EntryNumber(*number), Wording::of(title, &PlainText::of(&entry)))
        });
        StoryTexts { story: StoryNumber(story), wordings: wordings.collect() }
    }

    fn check(own: StoryTexts, other: StoryTexts, reason: JoinReason, expected: Option<(i64, i64)>) {
        let join = Join { story: other.story, reason, score: None };
        let merge = one_of(EntryNumber(9), own, other, &join, 0.8);
        assert_eq!(merge.map(|merge| (merge.stays.0, merge.leaves.0)), expected);
    }

    #[test]
    fn entry_alone_in_its_story_joins_the_other_however_old_it_is() {
        let own = || texts_of(3, &[(9, HARBOUR, "harbour")]);
        check(own(), texts_of(5, &[(1, HARBOUR, "harbour")]), JoinReason::Link, Some((5, 3)));
        check(own(), texts_of(2, &[(1, HARBOUR, "harbour")]), JoinReason::Link, Some((2, 3)));
    }

    #[test]
    fn link_alone_does_not_merge_stories() {
        check(texts_of(3, &[(9, HARBOUR, "harbour")]), texts_of(2, &[(1, LIBRARY, "library")]), JoinReason::Link, None);
    }

    #[test]
    fn stories_with_other_copies_are_merged_only_if_those_match() {
        let own = |stem| texts_of(3, &[(9, HARBOUR, "harbour"), (4, HARBOUR, stem)]);
        let other = || texts_of(2, &[(1, HARBOUR, "harbour")]);
        check(own("harbour"), other(), JoinReason::Text, Some((2, 3)));
        check(own("quay"), other(), JoinReason::Text, None);
    }

    #[test]
    fn older_story_stays() {
        let (four, seven) = (StoryNumber(4), StoryNumber(7));
        assert_eq!(older(seven, four), Merge { stays: four, leaves: seven });
    }
}
