//! Finds the stories that an entry belongs to, the most certain ones first.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use url::Url;

use super::known::OtherEntry;
use super::known::Shared;
use super::polled::sort_at;
use super::{Cleaned, Join, Known, Terms};
use crate::link;
use crate::number::{FeedNumber, StoryNumber};
use crate::story::{self, JoinReason};
use crate::time::Timestamp;

/// The least time between two issues of a page whose content is replaced, such as that of the weather.
const LEAST_RECURRENCE: Duration = Duration::from_secs(12 * 3600);

/// Returns the stories that an entry belongs to because of its id, a link or its text, without duplicates. Leaves out
/// stories for which `has_copy` says that they have a copy of this feed. `words_left` is the number of words that may
/// still be compared.
pub(super) fn of(
    cleaned: &Cleaned,
    guid: &str,
    known: &Known,
    terms: &Terms,
    (shared, has_copy): (&Shared, &dyn Fn(StoryNumber) -> bool),
    words_left: &mut usize,
) -> Vec<Join> {
    if !terms.by_links {
        return Vec::new();
    }
    let mut joins = by_id(cleaned, guid, known);
    joins.extend(by_guid(cleaned, guid, known));
    joins.extend(by_link(cleaned, known, terms.now, (&shared.keys, has_copy)));
    if terms.by_text && cleaned.text_keys.text.is_none_or(|text| !shared.texts.contains(&text)) {
        joins.extend(by_text(cleaned, guid, known, terms, has_copy, words_left));
    }
    let mut seen = HashSet::new();
    joins.retain(|join| !has_copy(join.story) && seen.insert(join.story));
    joins
}

/// Returns an entry of the same feed that shares a link with this entry and has almost the same title and text.
pub(super) fn same_entry<'k>(
    cleaned: &Cleaned,
    known: &'k Known,
    terms: &Terms,
    shared: &HashSet<String>,
) -> Option<&'k OtherEntry> {
    let keys = cleaned.link_keys.iter().filter(|key| terms.by_links && !shared.contains(&key.key));
    let linked = keys.filter_map(|key| known.links.get(&key.key)).flatten().map(|linked| &known.others[linked.at]);
    let mut own = linked.filter(|other| other.feed == known.feed);
    own.find(|other| cleaned.wording().is_kept_by(&other.wording))
}

/// Joins an entry to the story whose id is its guid. The titles must be the same, and the texts must not contradict
/// each other.
fn by_id(cleaned: &Cleaned, guid: &str, known: &Known) -> Vec<Join> {
    let bearers = known.published.get(guid).into_iter().flatten().map(|at| &known.others[*at]);
    let telling = bearers.filter(|other| {
        other.feed != known.feed
            && cleaned.wording().has_title_of(&other.wording)
            && !cleaned.wording().contradicts(&other.wording)
    });
    telling.map(|other| Join { story: other.story, reason: JoinReason::Id, score: None }).take(1).collect()
}

/// Joins an entry to the story of another feed's entry with the same guid, if no other entry can have the guid by
/// chance: a show and its network publish an episode under one id. A guid may still be reused, so the titles or the
/// texts must be similar, and must not contradict each other.
fn by_guid(cleaned: &Cleaned, guid: &str, known: &Known) -> Vec<Join> {
    if !story::is_unique(guid) {
        return Vec::new();
    }
    let found = [&known.alike, &known.published].into_iter().filter_map(|found| found.get(guid)).flatten();
    let others = found.map(|at| &known.others[*at]);
    let mut bearers = others.filter(|other| {
        other.feed != known.feed
            && other.entry.guid.value == guid
            && cleaned.wording().may_share_guid_with(&other.wording)
    });
    let join = bearers.next().map(|other| Join { story: other.story, reason: JoinReason::Id, score: None });
    join.into_iter().collect()
}

/// Joins an entry to stories with which it shares a link that is specific to both, the oldest story first. Does not
/// join texts that contradict each other. Some pages, such as a live blog, get new entries all the time: a link to one
/// joins only entries with a similar headline or text. Two entries for a live blog or a site's section are about two
/// events if they have the same sentences with other numbers or names. Two entries for a page such as that of the
/// weather are two issues if they have one headline, other texts, and dates that are apart; so are two fillings of one
/// form, whatever their page.
fn by_link(
    cleaned: &Cleaned,
    known: &Known,
    now: Timestamp,
    (shared, has_copy): (&HashSet<String>, &dyn Fn(StoryNumber) -> bool),
) -> Vec<Join> {
    let mut joins = Vec::new();
    for key in cleaned.link_keys.iter().filter(|key| !shared.contains(&key.key)) {
        for linked in known.links.get(&key.key).into_iter().flatten() {
            let other = &known.others[linked.at];
            if other.feed == known.feed || has_copy(other.story) {
                continue;
            }
            let is_original = key.original || linked.original;
            let is_translation = is_original && is_translation(cleaned, other);
            let is_section = !is_original && link::may_be_section(&key.key);
            let is_elsewhere = is_section
                && (cleaned.wording().has_nothing_of(&other.wording)
                    || cleaned.wording().begins_elsewhere(&other.wording));
            let is_of_many = is_section && is_part_and_page(cleaned, other)
                || !is_original && (link::is_live(&key.key) || lead_to_many(&key.key, cleaned, other));
            let is_unlike = is_of_many
                && !cleaned.wording().has_title_like(&other.wording)
                && !cleaned.wording().has_text_of(&other.wording);
            let is_other_event = (is_section || is_of_many) && cleaned.wording().has_other_facts(&other.wording);
            let is_next_issue = !is_original
                && apart(sort_at(&cleaned.entry, now), other.sort_at) >= LEAST_RECURRENCE
                && (link::may_recur(&key.key) && cleaned.wording().is_next_issue_of(&other.wording)
                    || cleaned.wording().is_filled_again_in(&other.wording));
            let is_apart = is_elsewhere
                || is_unlike
                || is_other_event
                || is_next_issue
                || cleaned.wording().contradicts(&other.wording);
            if !is_translation && !are_parts(cleaned, other) && !is_apart {
                let reason = if is_original { JoinReason::Original } else { JoinReason::Link };
                joins.push((other.number, Join { story: other.story, reason, score: None }));
            }
        }
    }
    joins.sort_by_key(|(number, join)| (join.story, *number));
    joins.into_iter().map(|(_, join)| join).collect()
}

/// Returns how far apart two times are.
fn apart(one: Timestamp, other: Timestamp) -> Duration {
    one.max(other).since(one.min(other))
}

/// Returns whether both entries link to an anchor, each to another one. For example, a change log has an anchor for
/// every release.
fn are_parts(cleaned: &Cleaned, other: &OtherEntry) -> bool {
    let own = cleaned.entry.link.as_ref().and_then(anchor);
    own.zip(other.entry.link.as_ref().and_then(anchor)).is_some_and(|(own, other)| own != other)
}

/// Returns whether one entry links to an anchor of a page and the other to the whole page. Such a page may have many
/// entries.
fn is_part_and_page(cleaned: &Cleaned, other: &OtherEntry) -> bool {
    let own = cleaned.entry.link.as_ref().and_then(anchor);
    own.is_some() != other.entry.link.as_ref().and_then(anchor).is_some()
}

/// Returns whether the key, such as that of a guid `/?p=123`, may lead to a page that gets new entries all the time. It
/// may if the key is not that of both entries' own links, and one of these leads to such a page or to an anchor.
fn lead_to_many(key: &str, cleaned: &Cleaned, other: &OtherEntry) -> bool {
    let links = [cleaned.entry.link.as_ref(), other.entry.link.as_ref()];
    let own: Vec<_> = links.iter().map(|link| link.and_then(link::key)).collect();
    let has_anchor = || links.into_iter().flatten().any(|link| anchor(link).is_some());
    own.iter().any(|own| own.as_deref() != Some(key))
        && (has_anchor() || own.iter().flatten().any(|own| link::is_live(own)))
}

/// Returns the anchor that a link leads to: its fragment. A fragment with a `=` only tracks the reader, so it is no
/// anchor.
pub(super) fn anchor(link: &Url) -> Option<&str> {
    link.fragment().filter(|anchor| !anchor.is_empty() && !anchor.contains('='))
}

/// Returns whether two entries, of which one names the other as its original, declare different languages and have
/// different titles.
fn is_translation(cleaned: &Cleaned, other: &OtherEntry) -> bool {
    let main = |language: &Option<String>| {
        language.as_deref().map(|language| language.split('-').next().unwrap_or_default().to_ascii_lowercase())
    };
    let (own, others) = (main(&cleaned.entry.language), main(&other.entry.language));
    own.is_some() && others.is_some() && own != others && !cleaned.wording().has_title_of(&other.wording)
}

/// Returns whether the text of an entry is boilerplate, such as an advertisement or a site's footer: other entries have
/// the text under other titles. One feed that has it under two titles suffices. Between feeds, whose headlines differ,
/// a text counts as boilerplate only if it is short and has two other titles.
fn is_boilerplate(cleaned: &Cleaned, candidates: &[&OtherEntry], feed: FeedNumber) -> bool {
    let others = candidates.iter().filter(|other| cleaned.wording().is_text_under_another_title(&other.wording));
    let titles: HashSet<_> = others.clone().map(|other| other.wording.title_key()).collect();
    let is_in_own_feed = others.clone().any(|other| other.feed == feed);
    let has_another_title_too = |other: &OtherEntry| {
        let of_feed = candidates.iter().filter(|candidate| candidate.feed == other.feed);
        of_feed.clone().any(|candidate| candidate.wording.has_title_of(cleaned.wording()))
    };
    is_in_own_feed
        || others.clone().any(|other| has_another_title_too(other))
        || titles.len() >= 2 && cleaned.wording().is_short()
}

/// Returns how similar two texts are if one entry names the publication of the other as its source, and the texts are
/// one.
fn credited_text(cleaned: &Cleaned, known: &Known, other: &OtherEntry) -> Option<f64> {
    let (own, others) = ((&cleaned.entry, &known.publication), (&other.entry, &other.publication));
    if !story::is_credited(own, others) {
        return None;
    }
    cleaned.wording().credited_text(&other.wording)
}

/// Joins an entry to stories of other feeds with the same title and text whose dates are within the window, the most
/// similar story first. Does not join it to entries of a feed that has the text in several stories.
fn by_text(
    cleaned: &Cleaned,
    guid: &str,
    known: &Known,
    terms: &Terms,
    has_copy: &dyn Fn(StoryNumber) -> bool,
    words_left: &mut usize,
) -> Vec<Join> {
    let own_time = sort_at(&cleaned.entry, terms.now);
    let candidates: Vec<_> = known.alike.get(guid).into_iter().flatten().map(|at| &known.others[*at]).collect();
    if is_boilerplate(cleaned, &candidates, known.feed) {
        return Vec::new();
    }
    let candidates = candidates
        .into_iter()
        .filter(|other| other.by_text && other.feed != known.feed && apart(own_time, other.sort_at) <= terms.window);
    let (closed, open): (Vec<_>, Vec<_>) = candidates.partition(|other| has_copy(other.story));
    let mut compare = |other: &OtherEntry| {
        *words_left = words_left.checked_sub(cleaned.wording().words() + other.wording.words())?;
        let same = cleaned.wording().same_text(&other.wording, terms.likeness);
        same.or_else(|| credited_text(cleaned, known, other))
    };
    let mut alike: Vec<(f64, &OtherEntry)> =
        open.into_iter().filter_map(|other| Some((compare(other)?, other))).collect();
    if alike.is_empty() {
        return Vec::new();
    }
    let closed: Vec<_> = closed.into_iter().filter(|other| compare(other).is_some()).collect();
    let mut stories = HashMap::<FeedNumber, HashSet<StoryNumber>>::new();
    for other in alike.iter().map(|(_, other)| *other).chain(closed) {
        stories.entry(other.feed).or_default().insert(other.story);
    }
    alike.retain(|(_, other)| stories[&other.feed].len() == 1);
    alike.sort_by(|(one, first), (other, second)| other.total_cmp(one).then(first.story.cmp(&second.story)));
    let join =
        |(score, other): (f64, &OtherEntry)| Join { story: other.story, reason: JoinReason::Text, score: Some(score) };
    alike.into_iter().map(join).collect()
}
