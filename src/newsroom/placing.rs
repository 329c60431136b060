//! Decides the placement of a story in one section: whether the story enters, stays or leaves, and what readers notice.
//!
//! This module does no I/O: it gets the current placement and the copies that the section sees, and returns the next
//! placement. The policy of placements:
//!
//! - A story gets a placement when it enters the section, or if it may enter later merely because of its age.
//! - If the shown content changes, the story counts as changed, except in its first minute in the section. The first
//!   polls bring the copies of a story within seconds of each other.
//! - With `edits = "ignore"`, the section shows the content with which the story entered, even if the feed changes it.
//!   With `"bump"`, the story moves up when its content changes.
//! - The position (`sort_at`) is that of the story when it enters. Only `"bump"` changes it later.

use std::time::Duration;

use crate::config::{Edits, Section};
use crate::entry::Entry;
use crate::number::EntryNumber;
use crate::reason::Why;
use crate::rows::PlacementRow;
use crate::section::{SeenCopy, Verdict};
use crate::time::Timestamp;

/// New content does not count as a change for this long after a story entered the section.
const SETTLING: Duration = Duration::from_secs(60);

/// The next placement, and its effect.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Placing {
    /// The placement to write; `None` if it does not change.
    pub write: Option<PlacementRow>,
    /// The content that a section with `edits = "ignore"` shows from now on. If it is `None`, the stored frozen content
    /// does not change.
    pub frozen: Option<Box<Entry>>,
    /// What readers of the section notice.
    pub effect: Effect,
}

/// What readers of a section notice when a placement is decided.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Effect {
    /// Nothing.
    #[default]
    None,
    /// The story stays, but the section shows the story or its copies differently.
    Shows,
    Enters,
    Leaves,
}

/// The time and the cause of a decision on a placement.
#[derive(Clone, Copy, Debug)]
pub(super) struct Occasion {
    /// The time of the decision.
    pub now: Timestamp,
    /// The number of the entry whose content has just changed, if any.
    pub revised: Option<EntryNumber>,
}

/// Decides the placement of a story in a section.
///
/// `visible` are the copies that the section sees, ordered by number. `verdict` is the verdict of the section on these
/// copies; `None` if there are none. `before` is the current placement.
pub(super) fn place(
    section: &Section,
    visible: &[&SeenCopy],
    sort_at: Timestamp,
    verdict: Option<&Verdict>,
    before: Option<&PlacementRow>,
    occasion: Occasion,
) -> Placing {
    match (verdict, before) {
        (Some(verdict), None) if verdict.is_in || verdict.next_change.is_some() => {
            first(section, visible[verdict.lead], sort_at, verdict, occasion.now)
        }
        (Some(verdict), Some(before)) => {
            // A section that ignores edits shows the content of the same copy as long as the section sees that copy.
            let kept = visible.iter().find(|copy| section.edits == Edits::Ignore && copy.number == before.lead);
            next(section, kept.unwrap_or(&visible[verdict.lead]), verdict, before, occasion)
        }
        (None, Some(before)) if before.is_in() => leave(before, Why::NoFeed, occasion.now),
        // If the section sees no copy of the story, the story cannot enter merely because time passes.
        (None, Some(before)) if before.next_change.is_some() => {
            Placing { write: Some(PlacementRow { next_change: None, ..before.clone() }), ..Placing::default() }
        }
        (Some(_) | None, _) => Placing::default(),
    }
}

/// Returns the [`Placing`] of a story that leaves a section for a reason other than a rule.
pub(super) fn leave(before: &PlacementRow, why: Why, now: Timestamp) -> Placing {
    let after = PlacementRow { left: Some(now), why, next_change: None, ..before.clone() };
    Placing { write: Some(after), frozen: None, effect: Effect::Leaves }
}

fn first(section: &Section, lead: &SeenCopy, sort_at: Timestamp, verdict: &Verdict, now: Timestamp) -> Placing {
    let placement = PlacementRow {
        lead: lead.number,
        sort_at,
        entered: verdict.is_in.then_some(now),
        left: (!verdict.is_in).then_some(now),
        why: verdict.why.clone(),
        next_change: verdict.next_change,
        changed: None,
        published_as: None,
    };
    Placing {
        write: Some(placement),
        frozen: (section.edits == Edits::Ignore).then(|| Box::new(lead.entry.clone().into_owned())),
        effect: if verdict.is_in { Effect::Enters } else { Effect::None },
    }
}

fn next(section: &Section, lead: &SeenCopy, verdict: &Verdict, before: &PlacementRow, occasion: Occasion) -> Placing {
    let now = occasion.now;
    let (enters, leaves) = (verdict.is_in && !before.is_in(), !verdict.is_in && before.is_in());
    let stays = verdict.is_in && before.is_in();
    let (follows_edits, has_other_lead) = (section.edits != Edits::Ignore, before.lead != lead.number);
    let has_new_words = stays && (has_other_lead || follows_edits && occasion.revised == Some(lead.number));
    let effect = match (enters, leaves) {
        (true, _) => Effect::Enters,
        (_, true) => Effect::Leaves,
        // A change of any copy may be visible in the categories, the "via" or the list of copies.
        _ if stays && occasion.revised.is_some() => Effect::Shows,
        _ => Effect::None,
    };
    let is_same = !has_other_lead && before.why == verdict.why && before.next_change == verdict.next_change;
    if is_same && !enters && !leaves && !has_new_words {
        return Placing { effect, ..Placing::default() };
    }
    let is_settled = before.entered.is_none_or(|entered| now.since(entered) >= SETTLING);
    let after = PlacementRow {
        lead: lead.number,
        sort_at: if has_new_words && section.edits == Edits::Bump { now } else { before.sort_at },
        entered: if enters { Some(now) } else { before.entered },
        left: if enters {
            None
        } else if leaves {
            Some(now)
        } else {
            before.left
        },
        why: verdict.why.clone(),
        next_change: verdict.next_change,
        changed: if has_new_words && is_settled { Some(now) } else { before.changed },
        published_as: before.published_as.clone(),
    };
    let effect = if stays && effect == Effect::None { Effect::Shows } else { effect };
    // If the lead changed although the section ignores edits, the section no longer sees the copy whose content it
    // froze.
    let frozen = (!follows_edits && has_other_lead).then(|| Box::new(lead.entry.clone().into_owned()));
    Placing { write: Some(after), frozen, effect }
}

/// What happens in one section to the placements of two stories when one is merged into the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Merging {
    /// Both placements stay, because the merged story is not in the section.
    Nothing,
    /// The merged story leaves the section, because the story that stays is or was in it. See [`leave`] with
    /// [`Why::Merged`].
    Leave,
    /// The story that stays was never in the section, so it takes the place of the merged story, under the id that
    /// readers know.
    TakeOver,
}

/// Decides what happens in a section when a story is merged into another. `leaves` is the placement of the merged story
/// in the section. `stays_entered` says whether the story that stays was ever in the section.
pub(super) fn merge(leaves: &PlacementRow, stays_entered: bool) -> Merging {
    match (stays_entered, leaves.is_in()) {
        (true, true) => Merging::Leave,
        (true, false) => Merging::Nothing,
        (false, _) => Merging::TakeOver,
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;
    use std::sync::Arc;

    use super::*;
    use crate::config::{self, Config, SourceFile};
    use crate::section;
    use crate::story::JoinReason;
    use crate::text::PlainText;

    const START: i64 = 1_514_764_800_000;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(START + seconds * 1000)
    }

    /// Returns a config with the feeds `origin` and `wire`, and a section with these keys.
    fn config(section: &str) -> Config {
        let text = format!(
            "[site]\ntitle = \"Test\"\n[[feed]]\nid = \"origin\"\nurl = \"https://origin.example/\"\n\
             [[feed]]\nid = \"wire\"\nurl = \"https://wire.example/\"\n[[section]]\nid = \"all\"\n{section}"
        );
        let file = SourceFile { path: "/test/newswire.toml".into(), text };
        let (config, problems) = config::check(&[file], &|_| Err("no secrets".to_owned()));
        config.unwrap_or_else(|| panic!("{problems:?}"))
    }

    fn copy<'a>(config: &'a Config, number: i64, feed: &str, title: &str) -> SeenCopy<'a> {
        let guid = serde_json::json!({ "value": number.to_string(), "kind": "guid" });
        let entry: Entry = serde_json::from_value(serde_json::json!({ "guid": guid, "title": title })).unwrap();
        SeenCopy {
            number: EntryNumber(number),
            feed: config.feed(&feed.into()).unwrap(),
            entry: Cow::Owned(entry),
            text: Cow::Owned(PlainText::default()),
            categories: Vec::new(),
            first_seen: at(number),
            revised: None,
            reason: if number == 1 { JoinReason::First } else { JoinReason::Text },
        }
    }

    /// Returns the placing of a story with one copy, in a section with these keys, on this occasion.
    fn placed(section: &str, before: Option<&PlacementRow>, occasion: Occasion) -> Placing {
        let config = config(section);
        let section: &Arc<Section> = &config.sections[0];
        let copies = [copy(&config, 1, "origin", "Harbour bridge opens")];
        place_copies(section, &copies, before, occasion)
    }

    fn place_copies(
        section: &Section,
        copies: &[SeenCopy],
        before: Option<&PlacementRow>,
        occasion: Occasion,
    ) -> Placing {
        let visible = section::visible(section, copies);
        let verdict = section::judge(section, &visible, at(0), occasion.now);
        place(section, &visible, at(0), verdict.as_ref(), before, occasion)
    }

    const ALL: &str = "feeds = [\"*\"]";

    fn on(seconds: i64, revised: Option<i64>) -> Occasion {
        Occasion { now: at(seconds), revised: revised.map(EntryNumber) }
    }

    /// Returns the placement of a story that entered a section with these keys ten seconds after the start.
    fn standing(section: &str) -> PlacementRow {
        placed(section, None, on(10, None)).write.unwrap()
    }

    #[test]
    fn new_story_enters_at_its_own_time() {
        let placing = placed(ALL, None, on(10, None));
        let placement = placing.write.unwrap();
        assert_eq!(placing.effect, Effect::Enters);
        assert_eq!((placement.entered, placement.sort_at, placement.left), (Some(at(10)), at(0), None));
        assert_eq!(placing.frozen, None);
    }

    #[test]
    fn story_that_no_rule_keeps_gets_no_placement() {
        assert_eq!(placed("feeds = [\"*\"]\nkeep = [ { title = \"ferry\" } ]", None, on(10, None)), Placing::default());
    }

    #[test]
    fn story_that_may_enter_by_age_is_stored_but_not_shown() {
        let keep = "feeds = [\"*\"]\nkeep = [ { age = \">1 hour\" } ]";
        let placing = placed(keep, None, on(10, None));
        let waiting = placing.write.unwrap();
        assert_eq!((placing.effect, waiting.entered, waiting.left), (Effect::None, None, Some(at(10))));
        let later = placed(keep, Some(&waiting), on(3_700, None));
        assert_eq!((later.effect, later.write.unwrap().entered), (Effect::Enters, Some(at(3_700))));
    }

    #[test]
    fn nothing_is_written_where_nothing_changes() {
        let before = standing(ALL);
        assert_eq!(placed(ALL, Some(&before), on(900, None)), Placing::default());
    }

    #[test]
    fn other_words_count_as_a_change_only_after_the_first_minute() {
        let before = standing(ALL);
        let settling = placed(ALL, Some(&before), on(69, Some(1)));
        assert_eq!((settling.effect, settling.write.unwrap().changed), (Effect::Shows, None));
        let settled = placed(ALL, Some(&before), on(70, Some(1)));
        assert_eq!((settled.effect, settled.write.unwrap().changed), (Effect::Shows, Some(at(70))));
    }

    #[test]
    fn revised_copy_that_does_not_lead_shows_but_changes_nothing_else() {
        let before = standing(ALL);
        assert_eq!(
            placed(ALL, Some(&before), on(900, Some(2))),
            Placing { effect: Effect::Shows, ..Placing::default() }
        );
    }

    #[test]
    fn bump_moves_a_story_when_its_words_change_and_apply_does_not() {
        let bump = "feeds = [\"*\"]\nedits = \"bump\"";
        for (section, sort_at) in [(ALL, at(0)), (bump, at(900))] {
            let placing = placed(section, Some(&standing(section)), on(900, Some(1)));
            assert_eq!(placing.write.unwrap().sort_at, sort_at, "{section}");
        }
    }

    #[test]
    fn section_that_ignores_edits_keeps_the_content_at_entry() {
        let ignore = "feeds = [\"*\"]\nedits = \"ignore\"";
        let placing = placed(ignore, None, on(10, None));
        assert_eq!(placing.frozen.unwrap().title, "Harbour bridge opens");
        let before = placing.write.unwrap();
        let edited = placed(ignore, Some(&before), on(900, Some(1)));
        assert_eq!(edited, Placing { effect: Effect::Shows, ..Placing::default() });
    }

    #[test]
    fn story_leaves_by_a_rule_and_by_the_loss_of_its_feeds() {
        let before = standing(ALL);
        let dropped = placed("feeds = [\"*\"]\ndrop = [ { title = \"bridge\" } ]", Some(&before), on(900, None));
        let placement = dropped.write.unwrap();
        assert_eq!(dropped.effect, Effect::Leaves);
        let rule = placement.why.rule().map(|place| place.to_string());
        assert_eq!((placement.left, rule.as_deref()), (Some(at(900)), Some("drop[0]")));
        let lost = placed("feeds = [\"wire\"]", Some(&before), on(900, None));
        let placement = lost.write.unwrap();
        assert_eq!((lost.effect, &placement.why), (Effect::Leaves, &Why::NoFeed));
        assert_eq!(placed("feeds = [\"wire\"]", Some(&placement_out(&before)), on(900, None)), Placing::default());
    }

    #[test]
    fn story_that_may_enter_by_age_waits_no_longer_once_the_section_has_lost_its_feeds() {
        let waiting = placed("feeds = [\"*\"]\nkeep = [ { age = \">1 hour\" } ]", None, on(10, None)).write.unwrap();
        let lost = placed("feeds = [\"wire\"]", Some(&waiting), on(900, None));
        let expected = PlacementRow { next_change: None, ..waiting };
        assert_eq!((lost.effect, lost.write), (Effect::None, Some(expected)));
    }

    fn placement_out(before: &PlacementRow) -> PlacementRow {
        leave(before, Why::NoFeed, at(800)).write.unwrap()
    }

    /// Removes the first of two copies of a story in a section with these keys. Returns the placement before and the
    /// placing after.
    fn first_copy_gone(section: &str) -> (PlacementRow, Placing) {
        let config = config(section);
        let section = &config.sections[0];
        let mut copies = vec![copy(&config, 1, "origin", "One"), copy(&config, 2, "wire", "Other")];
        let before = place_copies(section, &copies, None, on(10, None)).write.unwrap();
        copies.remove(0);
        let placing = place_copies(section, &copies, Some(&before), on(900, None));
        (before, placing)
    }

    #[test]
    fn new_lead_changes_the_shown_content() {
        let (before, placing) = first_copy_gone(ALL);
        let after = placing.write.unwrap();
        assert_eq!((before.lead.0, after.lead.0, after.changed), (1, 2, Some(at(900))));
        assert_eq!((placing.effect, placing.frozen), (Effect::Shows, None));
    }

    #[test]
    fn section_that_ignores_edits_keeps_content_only_of_copies_that_it_sees() {
        let (_, placing) = first_copy_gone("feeds = [\"*\"]\nedits = \"ignore\"");
        assert_eq!(placing.write.unwrap().lead.0, 2);
        assert_eq!(placing.frozen.unwrap().title, "Other");
    }

    #[test]
    fn story_takes_the_place_of_another_only_where_it_was_never_shown() {
        let shown = standing(ALL);
        let out = placement_out(&shown);
        let check = |leaves: &PlacementRow, stays_entered: bool, expected: Merging| {
            assert_eq!(merge(leaves, stays_entered), expected);
        };
        check(&shown, true, Merging::Leave);
        check(&out, true, Merging::Nothing);
        check(&shown, false, Merging::TakeOver);
        check(&out, false, Merging::TakeOver);
    }
}
