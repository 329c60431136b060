//! Merges two stories and splits a copy from a story, on the [`Board`].
//!
//! The policy of merging: the merged story leaves every section, and its id leads to the story that stays. In a section
//! that has shown only the merged story, the story that stays takes its place, under the id that readers know. So
//! nothing is published twice. Stories that an editor split are never merged again by a poll. A feed has at most one
//! copy of a story, so only an editor can merge two stories that have copies of the same feed. This module does no I/O.

use std::collections::BTreeSet;

use super::Join;
use super::board::{Board, Story};
use super::copies::{SeenStory, seen};
use super::merging::{Merge, StoryTexts, one_of};
use super::placing::{Effect, Merging, leave, merge};
use super::polled::sort_at;
use crate::number::{EntryNumber, FeedNumber, StoryNumber};
use crate::reason::{JoinReason, Why};
use crate::rows::{CopyRow, EntryWrite, Forget, Member, MergeWrite, StandingStory};
use crate::section::SeenCopy;
use crate::story::{self, Wording};
use crate::text::PlainText;

/// The entries of two stories that may be merged, and the splits by an editor that concern these stories.
#[derive(Debug)]
pub struct Pair {
    /// The entries of the first story.
    pub own: Vec<Member>,
    /// The entries of the other story.
    pub other: Vec<Member>,
    /// Whether an editor split the two stories from each other.
    pub are_split: bool,
    /// The pairs of stories that an editor split and that include one of the two stories.
    pub apart: Vec<(StoryNumber, StoryNumber)>,
}

impl Pair {
    fn shares_a_feed(&self) -> bool {
        let feeds: BTreeSet<FeedNumber> = self.own.iter().map(|member| member.feed).collect();
        self.other.iter().any(|member| feeds.contains(&member.feed))
    }
}

impl<'a> Board<'a> {
    /// Merges the story of an entry with another if they are the same story. Returns whether it merged them. Both must
    /// be on the board.
    pub fn merge_if_same(&mut self, entry: EntryNumber, own: StoryNumber, join: &Join, pair: &Pair) -> bool {
        let other = join.story;
        if own == other || pair.are_split || pair.shares_a_feed() {
            return false;
        }
        let likeness = self.setting.config.stories.likeness;
        let merge = one_of(entry, self.texts_of(own), self.texts_of(other), join, likeness);
        let Some(merge) = merge else { return false };
        self.merge(merge, join, pair);
        true
    }

    fn texts_of(&self, story: StoryNumber) -> StoryTexts {
        let copies = self.stories.get(&story).map_or(&[][..], |story| &story.copies);
        StoryTexts { story, wordings: copies.iter().map(|copy| (copy.number, wording(copy))).collect() }
    }

    /// Merges two stories because an editor joins them.
    pub fn join(&mut self, merge: Merge, pair: &Pair) {
        let (one, other) = (merge.stays.min(merge.leaves), merge.stays.max(merge.leaves));
        self.writes.joined.push((one, other));
        let join = Join { story: merge.leaves, reason: JoinReason::Editor, score: None };
        self.merge(merge, &join, pair);
    }

    /// Merges a story into another.
    fn merge(&mut self, Merge { stays, leaves }: Merge, join: &Join, pair: &Pair) {
        let (Some(mut gone), Some(mut story)) = (self.stories.remove(&leaves), self.stories.remove(&stays)) else {
            return;
        };
        self.writes.merges.push(MergeWrite { stays, leaves, reason: join.reason, score: join.score });
        let split_from = pair.apart.iter().filter_map(|(a, b)| match (*a == leaves, *b == leaves) {
            (true, false) => Some(*b),
            (false, true) => Some(*a),
            _ => None,
        });
        let split_from = split_from.filter(|other| *other != stays).map(|other| (other.min(stays), other.max(stays)));
        self.writes.apart.extend(split_from);
        self.move_placements(&mut gone, &mut story);
        for mut copy in std::mem::take(&mut gone.copies) {
            if copy.reason == JoinReason::First {
                copy.reason = join.reason;
            }
            story.put(copy, 0);
        }
        story.bytes += gone.bytes;
        story.is_whole &= gone.is_whole;
        self.stories.insert(stays, story);
        // The merged story stays on the board, so that its placements are written too.
        self.stories.insert(leaves, gone);
        self.place(stays, None);
    }

    /// Removes a merged story from the sections that have shown the story that stays. In the other sections, the story
    /// that stays takes the place of the merged story, under the id that readers of the section know.
    fn move_placements(&mut self, gone: &mut Story, story: &mut Story) {
        for (section, mut placed) in std::mem::take(&mut gone.placements) {
            let has_entered = story.placements.get(&section).is_some_and(|placed| placed.row.entered.is_some());
            let is_in = placed.row.is_in();
            let effect = match merge(&placed.row, has_entered) {
                Merging::Nothing => {
                    gone.placements.insert(section, placed);
                    Effect::None
                }
                Merging::Leave => {
                    let placing = leave(&placed.row, Why::Merged, self.setting.now);
                    if let Some(row) = placing.write {
                        placed.put(row, None);
                    }
                    gone.placements.insert(section, placed);
                    placing.effect
                }
                Merging::TakeOver => {
                    let row = placed.change();
                    row.next_change = None;
                    row.published_as.get_or_insert_with(|| gone.row.public_id.clone());
                    let former = story.placements.insert(section, placed);
                    self.writes.drops.extend(former.and_then(|former| former.under()));
                    if is_in { Effect::Shows } else { Effect::None }
                }
            };
            if let Some(id) = self.section(section) {
                self.note(id, effect);
            }
        }
    }

    /// Moves a copy from its story to a story of its own, and records that the two stories are never merged. Returns
    /// the copy's own story; `None` if the copy's feed is not configured. If the copy once had a story of its own that
    /// was merged, that story becomes active again and has its former id. `members` are the entries of the story,
    /// `absorbed` the stories that were merged into it.
    pub fn split(
        &mut self,
        number: StoryNumber,
        copy: CopyRow,
        members: &[Member],
        absorbed: Vec<StandingStory>,
    ) -> Option<StoryNumber> {
        let entry = copy.number;
        let copy = seen(self.setting.config, copy, true)?;
        let own = match self.earlier_story(&copy, absorbed) {
            Some(absorbed) => self.revive(number, absorbed),
            None => self.story_of(&copy),
        };
        self.writes.transfers.push((entry, own, JoinReason::First));
        let rest = members.iter().filter(|member| member.number != entry);
        if !rest.clone().any(|member| member.reason == JoinReason::First)
            && let Some(first) = rest.map(|member| member.number).min()
        {
            // The copy that was the first of the story has left, so another one becomes the first.
            self.writes.entries.push(EntryWrite::Reason { number: first, reason: JoinReason::First });
            let copies = self.stories.get_mut(&number).map(|story| &mut story.copies);
            for copy in copies.into_iter().flatten().filter(|copy| copy.number == first) {
                copy.reason = JoinReason::First;
            }
        }
        if let Some(story) = self.stories.get_mut(&number) {
            story.copies.retain(|copy| copy.number != entry);
        }
        if let Some(story) = self.stories.get_mut(&own) {
            story.put(SeenCopy { reason: JoinReason::First, ..copy }, 0);
        }
        self.writes.apart.push((number.min(own), number.max(own)));
        for story in [number, own] {
            self.place(story, None);
        }
        Some(own)
    }

    /// Returns the story in `absorbed` that was created for this entry and later merged; `None` if there is none.
    fn earlier_story(&self, copy: &SeenCopy, absorbed: Vec<StandingStory>) -> Option<StandingStory> {
        let (guid, feed_url) = (&copy.entry.guid, &copy.feed.url.shown);
        let minted = story::minted_id(feed_url, guid);
        let private = story::private_id(self.setting.key, feed_url, guid);
        // Compare with the guid itself. It may be the id of the story even if the current rules would not publish it as
        // an id.
        let own = &guid.value;
        let is_numbered = |id: &str, stem: &str| id.strip_prefix(stem).is_some_and(|rest| rest.starts_with('#'));
        let is_its = |id: &String| {
            id == own || *id == minted || *id == private || is_numbered(id, &minted) || is_numbered(id, &private)
        };
        let keeps = |(id, _): &(String, bool)| id == own || *id == minted;
        absorbed.into_iter().find(|story| is_its(&story.row.public_id) || story.kept.iter().any(keeps))
    }

    /// Makes a merged story active again. Gives it back the placements that the other story took over from it.
    fn revive(&mut self, story: StoryNumber, absorbed: StandingStory) -> StoryNumber {
        let own = absorbed.row.number;
        self.writes.revived.push(own);
        let mut revived = Story::of(absorbed, SeenStory { is_whole: true, ..SeenStory::default() });
        if let Some(story) = self.stories.get_mut(&story) {
            for (section, mut placed) in std::mem::take(&mut story.placements) {
                let came_as = placed.row.published_as.clone();
                if came_as.as_ref() == Some(&revived.row.public_id) {
                    placed.change().published_as = None;
                } else if !came_as.is_some_and(|came_as| revived.kept.iter().any(|(id, _)| *id == came_as)) {
                    story.placements.insert(section, placed);
                    continue;
                }
                revived.placements.insert(section, placed);
            }
        }
        self.stories.insert(own, revived);
        own
    }

    /// Creates a story for a copy that never had one of its own.
    fn story_of(&mut self, copy: &SeenCopy) -> StoryNumber {
        let sort_at = sort_at(&copy.entry, copy.first_seen);
        let judged = self.judge(sort_at, std::slice::from_ref(copy));
        let shown = judged.public_lead(std::slice::from_ref(copy)).map(|_| self.setting.now);
        let row = self.new_story(&copy.feed.url.shown, &copy.entry, sort_at, shown);
        let number = row.number;
        self.stories.insert(number, Story::alone(row));
        number
    }

    /// Deletes the content of an entry, and judges its story without that copy.
    pub fn forget(&mut self, forget: Forget) {
        let (story, entry) = (forget.story, forget.number);
        self.writes.entries.push(EntryWrite::Forgotten(forget));
        if let Some(story) = self.stories.get_mut(&story) {
            story.copies.retain(|copy| copy.number != entry);
        }
        self.place(story, None);
    }
}

fn wording(copy: &SeenCopy) -> Wording {
    let words = Wording::of(&copy.entry.title, &PlainText::of(&copy.entry));
    words.with_media(&copy.entry.enclosures)
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, HashMap};

    use super::*;
    use crate::config::{self, Config, SourceFile};
    use crate::entry::Entry;
    use crate::feed::SectionId;
    use crate::newsroom::{Decided, ListeningHooks, SeenStory, Setting, older};
    use crate::number::SectionNumber;
    use crate::rows::{NextNumbers, PlacementRow, Put, Standing, StoryRow};
    use crate::time::Timestamp;

    const ALL: SectionNumber = SectionNumber(1);
    const GONE: SectionNumber = SectionNumber(2);

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(1_514_764_800_000 + seconds * 1000)
    }

    fn config() -> Config {
        let text = "[site]\ntitle = \"Test\"\n[[feed]]\nid = \"origin\"\nurl = \"https://origin.example/\"\n\
             [[feed]]\nid = \"wire\"\nurl = \"https://wire.example/\"\n[[section]]\nid = \"all\"\nfeeds = [\"*\"]";
        let file = SourceFile { path: "/test/newswire.toml".into(), text: text.to_owned() };
        let (config, problems) = config::check(&[file], &|_| Err("no secrets".to_owned()));
        config.unwrap_or_else(|| panic!("{problems:?}"))
    }

    fn copy(number: i64, feed: &str) -> CopyRow {
        let guid = serde_json::json!({ "value": format!("https://{feed}.example/{number}"), "kind": "guid" });
        let entry: Entry =
            serde_json::from_value(serde_json::json!({ "guid": guid, "title": "Bridge opens" })).unwrap();
        CopyRow {
            number: EntryNumber(number),
            feed: feed.into(),
            first_seen: at(number),
            revised: None,
            reason: JoinReason::First,
            entry,
            bytes: 100,
        }
    }

    /// Returns a placement of a story that entered the section at `entered`, and has left it unless `is_in` is set.
    fn placed(lead: i64, entered: Option<i64>, is_in: bool) -> PlacementRow {
        PlacementRow {
            lead: EntryNumber(lead),
            sort_at: at(lead),
            entered: entered.map(at),
            left: (!is_in).then(|| at(50)),
            why: Why::TakesAll { lead: "origin".into() },
            next_change: None,
            changed: None,
            published_as: None,
        }
    }

    fn story(number: i64, placements: Vec<(SectionNumber, PlacementRow)>) -> StandingStory {
        let row = StoryRow {
            number: StoryNumber(number),
            public_id: format!("urn:story:{number}"),
            slug: format!("bridge-{number}"),
            sort_at: at(number),
            shown: Some(at(number)),
            is_unchecked: false,
        };
        StandingStory { row, kept: Vec::new(), placements }
    }

    fn pair(apart: &[(i64, i64)]) -> Pair {
        let apart = apart.iter().map(|(one, other)| (StoryNumber(*one), StoryNumber(*other))).collect();
        Pair { own: Vec::new(), other: Vec::new(), are_split: false, apart }
    }

    /// Returns what `act` decides on a board with these stories and their copies.
    fn decided(stories: Vec<(StandingStory, Vec<CopyRow>)>, act: impl FnOnce(&mut Board)) -> Decided {
        let config = config();
        let sections: HashMap<SectionId, SectionNumber> = [("all".into(), ALL), ("former".into(), GONE)].into();
        let setting = Setting {
            config: &config,
            now: at(100),
            sections: &sections,
            key: b"key",
            listeners: ListeningHooks::default(),
        };
        let (mut rows, mut seen) = (Vec::new(), BTreeMap::new());
        for (story, copies) in stories {
            seen.insert(story.row.number, SeenStory::of(&config, copies, true, false));
            rows.push(story);
        }
        let next = NextNumbers { story: StoryNumber(70), entry: EntryNumber(70) };
        let mut board = Board::new(setting, Standing { next, stories: rows, linked: HashMap::new() }, seen);
        act(&mut board);
        board.finish()
    }

    fn joined(stays: StandingStory, leaves: StandingStory, pair: &Pair) -> Decided {
        let merge = older(stays.row.number, leaves.row.number);
        decided(vec![(stays, vec![copy(1, "origin")]), (leaves, vec![copy(2, "wire")])], |board| {
            board.join(merge, pair)
        })
    }

    fn put(decided: &Decided, section: SectionNumber, story: i64) -> Option<&Put> {
        decided.writes.puts.iter().find(|put| put.key == (section, StoryNumber(story)))
    }

    #[test]
    fn section_that_showed_both_stories_keeps_the_older() {
        let both = |number| story(number, vec![(ALL, placed(number, Some(number), true))]);
        let decided = joined(both(1), both(2), &pair(&[]));
        let left = put(&decided, ALL, 2).expect("the younger one leaves");
        assert_eq!((left.row.left, &left.row.why), (Some(at(100)), &Why::Merged));
        assert!(decided.writes.moves.is_empty() && decided.writes.drops.is_empty());
        assert_eq!(decided.changed[&SectionId::from("all")].left, 1);
        let merge =
            MergeWrite { stays: StoryNumber(1), leaves: StoryNumber(2), reason: JoinReason::Editor, score: None };
        assert_eq!(decided.writes.merges, [merge]);
    }

    #[test]
    fn older_story_replaces_the_only_shown_one_under_its_id() {
        let waiting = story(1, vec![(ALL, placed(1, None, false))]);
        let decided = joined(waiting, story(2, vec![(ALL, placed(2, Some(2), true))]), &pair(&[]));
        assert_eq!(decided.writes.drops, [(ALL, StoryNumber(1))]);
        assert_eq!(decided.writes.moves, [((ALL, StoryNumber(2)), (ALL, StoryNumber(1)))]);
        let taken = put(&decided, ALL, 1).expect("its row is written");
        assert_eq!(taken.row.published_as.as_deref(), Some("urn:story:2"));
        assert!(taken.is_known && taken.row.is_in());
    }

    #[test]
    fn published_id_survives_a_chain_of_merges() {
        let came = PlacementRow { published_as: Some("urn:story:9".to_owned()), ..placed(2, Some(2), true) };
        let decided = joined(story(1, Vec::new()), story(2, vec![(ALL, came)]), &pair(&[]));
        let taken = put(&decided, ALL, 1).expect("its row is written");
        assert_eq!(taken.row.published_as.as_deref(), Some("urn:story:9"));
    }

    #[test]
    fn placements_in_removed_sections_move_too() {
        let decided = joined(story(1, Vec::new()), story(2, vec![(GONE, placed(2, Some(2), true))]), &pair(&[]));
        assert!(decided.writes.moves.contains(&((GONE, StoryNumber(2)), (GONE, StoryNumber(1)))));
        assert_eq!(put(&decided, GONE, 1).and_then(|put| put.row.published_as.as_deref()), Some("urn:story:2"));
    }

    #[test]
    fn story_that_no_section_showed_is_only_merged() {
        let decided = joined(story(1, Vec::new()), story(2, vec![(GONE, placed(2, None, false))]), &pair(&[]));
        assert!(!decided.changed.contains_key(&SectionId::from("former")));
        assert_eq!(put(&decided, GONE, 1).map(|put| put.row.entered), Some(None));
    }

    #[test]
    fn splits_of_a_merged_story_apply_to_the_one_that_stays() {
        let decided = joined(story(4, Vec::new()), story(5, Vec::new()), &pair(&[(5, 9), (2, 5), (4, 5)]));
        let pairs: Vec<_> = decided.writes.apart.iter().map(|(one, other)| (one.0, other.0)).collect();
        assert_eq!(pairs, [(4, 9), (2, 4)]);
    }

    #[test]
    fn stories_with_copies_of_one_feed_and_split_stories_are_never_merged() {
        let member =
            |number, feed| Member { number: EntryNumber(number), feed: FeedNumber(feed), reason: JoinReason::First };
        let check = |pair: &Pair, expected: bool| {
            let stories =
                vec![(story(1, Vec::new()), vec![copy(1, "origin")]), (story(2, Vec::new()), vec![copy(2, "wire")])];
            let join = Join { story: StoryNumber(1), reason: JoinReason::Text, score: Some(1.0) };
            decided(stories, |board| {
                assert_eq!(board.merge_if_same(EntryNumber(2), StoryNumber(2), &join, pair), expected)
            });
        };
        check(&Pair { own: vec![member(2, 7)], other: vec![member(1, 8)], ..pair(&[]) }, true);
        check(&Pair { own: vec![member(2, 7)], other: vec![member(1, 7)], ..pair(&[]) }, false);
        check(&Pair { are_split: true, ..pair(&[]) }, false);
    }

    #[test]
    fn copy_that_is_split_gets_the_story_back_that_it_had_with_its_places() {
        let came = PlacementRow { published_as: Some("https://wire.example/2".to_owned()), ..placed(1, Some(1), true) };
        let mut former = story(2, Vec::new());
        former.row.public_id = "https://wire.example/2".to_owned();
        let members = [1, 2].map(|number| Member {
            number: EntryNumber(number),
            feed: FeedNumber(number),
            reason: if number == 1 { JoinReason::First } else { JoinReason::Text },
        });
        let copies = vec![copy(1, "origin"), copy(2, "wire")];
        let decided = decided(vec![(story(1, vec![(ALL, came)]), copies)], |board| {
            assert_eq!(board.split(StoryNumber(1), copy(2, "wire"), &members, vec![former]), Some(StoryNumber(2)));
        });
        assert_eq!(decided.writes.revived, [StoryNumber(2)]);
        assert_eq!(decided.writes.moves, [((ALL, StoryNumber(1)), (ALL, StoryNumber(2)))]);
        assert_eq!(
            put(&decided, ALL, 2).map(|put| (put.row.published_as.clone(), put.row.lead)),
            Some((None, EntryNumber(2)))
        );
        assert!(put(&decided, ALL, 1).is_some_and(|put| !put.is_known), "the story that is left enters again");
        assert_eq!(decided.writes.apart, [(StoryNumber(1), StoryNumber(2))]);
    }

    #[test]
    fn copy_that_never_had_a_story_gets_a_new_one_whose_id_is_made_unique_by_its_number() {
        let members = [1, 2].map(|number| Member {
            number: EntryNumber(number),
            feed: FeedNumber(number),
            reason: JoinReason::First,
        });
        let copies = vec![copy(1, "origin"), copy(2, "wire")];
        let decided = decided(vec![(story(1, Vec::new()), copies)], |board| {
            assert_eq!(board.split(StoryNumber(1), copy(2, "wire"), &members, Vec::new()), Some(StoryNumber(70)));
        });
        let new = &decided.writes.stories[0];
        assert_eq!((new.row.public_id.as_str(), new.row.slug.as_str()), ("https://wire.example/2", "bridge-opens-70"));
        assert!(new.other_ids.last().is_some_and(|id| id.ends_with("#70")), "{:?}", new.other_ids);
    }

    #[test]
    fn rest_of_a_split_story_has_a_first_copy() {
        let members = [1, 2, 3].map(|number| Member {
            number: EntryNumber(number),
            feed: FeedNumber(number),
            reason: if number == 1 { JoinReason::First } else { JoinReason::Link },
        });
        let copies = vec![copy(1, "origin"), copy(2, "wire")];
        let decided = decided(vec![(story(1, Vec::new()), copies)], |board| {
            board.split(StoryNumber(1), copy(1, "origin"), &members, Vec::new());
        });
        let first = decided.writes.entries.iter().any(|write| {
            matches!(write, EntryWrite::Reason { number, reason: JoinReason::First } if *number == EntryNumber(2))
        });
        assert!(first, "{:?}", decided.writes.entries);
    }
}
