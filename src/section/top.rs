//! Ranks the stories of a section: `top` in the config.
//!
//! The policy: a story ranks by the time by which the section sorts it, plus a bonus for the number of sites that
//! reported it. Each doubling of that number counts as much as six hours. The order depends on the stories alone and on
//! no clock, so the same stories always have the same order. This module does no I/O.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};

use url::Url;

use super::SeenCopy;
use crate::link;
use crate::number::StoryNumber;
use crate::rows::RecentRow;
use crate::story;
use crate::time::Timestamp;

/// The bonus for the number of sites, from 1 to 64, in seconds: six hours × the base-2 logarithm of the number. It is a
/// table, because the logarithm of a library may differ in its last digit from machine to machine.
const BONUS_SECONDS: [i64; 64] = [
    0, 21600, 34235, 43200, 50154, 55835, 60639, 64800, 68470, 71754, 74724, 77435, 79929, 82239, 84389, 86400, 88289,
    90070, 91755, 93354, 94874, 96324, 97709, 99035, 100_307, 101_529, 102_706, 103_839, 104_932, 105_989, 107_011,
    108_000, 108_959, 109_889, 110_793, 111_670, 112_524, 113_355, 114_165, 114_954, 115_723, 116_474, 117_207,
    117_924, 118_624, 119_309, 119_979, 120_635, 121_278, 121_907, 122_524, 123_129, 123_723, 124_306, 124_877,
    125_439, 125_990, 126_532, 127_065, 127_589, 128_104, 128_611, 129_109, 129_600,
];

/// The most stories whose sites are counted for one ranking. An honest ranking needs few more than it shows. Stories
/// with very many copies that all lead to one site could make it count many more. The rest then counts as reported by
/// one site.
const MAX_COUNTED: usize = 2000;

/// The stories of a section from the first to the last rank, found one after another. The sites of a story are counted
/// only when the story could have the next rank, because that needs its copies.
#[derive(Debug)]
pub struct Ranking {
    /// The story that may rank highest comes first.
    waiting: BinaryHeap<Ranked>,
    counted: usize,
}

/// A story with its score; stories with the same score rank by their number, the newer one first.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Ranked {
    score: i64,
    story: StoryNumber,
    /// When the section sorts the story.
    sort_at: Reverse<Timestamp>,
    /// Whether the sites are counted. Otherwise the score is the highest one that the story may have.
    is_counted: bool,
}

impl Ranking {
    /// Creates the ranking of these stories. Each may have at most as many sites as entries.
    pub fn new(stories: impl IntoIterator<Item = RecentRow>) -> Ranking {
        let ranked = |row: RecentRow| Ranked {
            score: score(row.sort_at, row.entries),
            story: row.story,
            sort_at: Reverse(row.sort_at),
            is_counted: row.entries <= 1,
        };
        Ranking { waiting: stories.into_iter().map(ranked).collect(), counted: 0 }
    }

    /// Returns the story with the next rank; `None` after the last one. `count` returns the number of sites that
    /// reported a story, as [`domains`] does.
    ///
    /// # Errors
    ///
    /// Returns the errors of `count`.
    pub fn next<E>(
        &mut self,
        mut count: impl FnMut(StoryNumber) -> Result<usize, E>,
    ) -> Result<Option<StoryNumber>, E> {
        while let Some(ranked) = self.waiting.pop() {
            if ranked.is_counted {
                return Ok(Some(ranked.story));
            }
            let sites = if self.counted < MAX_COUNTED { count(ranked.story)? } else { 1 };
            self.counted += 1;
            let score = score(ranked.sort_at.0, sites).min(ranked.score);
            self.waiting.push(Ranked { score, is_counted: true, ..ranked });
        }
        Ok(None)
    }
}

/// Returns the score of a story that so many sites reported.
fn score(sort_at: Timestamp, sites: usize) -> i64 {
    sort_at.millis() + 1000 * BONUS_SECONDS[sites.clamp(1, BONUS_SECONDS.len()) - 1]
}

/// Returns the number of sites (registrable domains of links) that reported a story. A copy that names another copy as
/// its source does not count, because it only repeats that one.
pub fn domains(copies: &[&SeenCopy]) -> usize {
    let sites: Vec<Option<String>> = copies.iter().map(|copy| domain(story::page(&copy.entry))).collect();
    let publishers: Vec<Option<String>> = copies.iter().map(|copy| domain(copy.feed.speaks_for())).collect();
    let repeats = |at: usize| {
        let sources = sources(copies[at]);
        (0..copies.len()).filter(|other| *other != at).any(|other| {
            let of_other = [&sites[other], &publishers[other]].into_iter().flatten();
            of_other.into_iter().any(|domain| sites[at].as_ref() != Some(domain) && sources.contains(domain))
        })
    };
    let own = (0..copies.len()).filter(|at| !repeats(*at)).filter_map(|at| sites[at].as_ref());
    own.collect::<BTreeSet<_>>().len()
}

/// Returns the domains of the source and of the original that a copy names.
fn sources(copy: &SeenCopy) -> BTreeSet<String> {
    let source = copy.entry.source.as_ref();
    let id = source.and_then(|source| Url::parse(source.id.as_deref()?).ok());
    let named = source.into_iter().flat_map(|source| [source.site.as_ref(), source.url.as_ref()]).flatten();
    named.chain(&id).chain(&copy.entry.original).filter_map(link::registrable_domain).collect()
}

fn domain(url: Option<&Url>) -> Option<String> {
    url.and_then(link::registrable_domain)
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;
    use std::convert::Infallible;

    use super::super::sample;
    use super::*;
    use crate::config::Config;
    use crate::number::EntryNumber;
    use crate::reason::JoinReason;
    use crate::text::PlainText;

    const HOUR: i64 = 3600 * 1000;

    fn row(story: i64, hour: i64, entries: usize) -> RecentRow {
        RecentRow { story: StoryNumber(story), sort_at: Timestamp::from_millis(hour * HOUR), entries }
    }

    /// Returns the first `ranks` stories, each story having as many sites as entries, and how many were counted.
    fn ranked(rows: &[RecentRow], ranks: usize) -> (Vec<i64>, usize) {
        let (mut ranking, mut counted, mut order) = (Ranking::new(rows.iter().copied()), 0, Vec::new());
        let sites = |story: StoryNumber| rows.iter().find(|row| row.story == story).unwrap().entries;
        while order.len() < ranks {
            let next = ranking.next(|story| {
                counted += 1;
                Ok::<_, Infallible>(sites(story))
            });
            let Ok(Some(story)) = next else { break };
            order.push(story.0);
        }
        (order, counted)
    }

    #[test]
    fn each_doubling_of_the_sites_counts_as_much_as_six_hours() {
        assert_eq!(ranked(&[row(1, 0, 1), row(2, 5, 1)], 2).0, [2, 1], "the newer one");
        assert_eq!(ranked(&[row(1, 0, 2), row(2, 5, 1)], 2).0, [1, 2], "two sites count as six hours");
        assert_eq!(ranked(&[row(1, 0, 2), row(2, 7, 1)], 2).0, [2, 1]);
        assert_eq!(ranked(&[row(1, 0, 4), row(2, 11, 1)], 2).0, [1, 2], "four sites count as twelve hours");
        assert_eq!(ranked(&[row(1, 0, 4), row(2, 13, 1)], 2).0, [2, 1]);
        assert_eq!(ranked(&[row(1, 0, 99), row(2, 35, 1), row(3, 37, 1)], 3).0, [3, 1, 2], "64 sites count most");
        assert_eq!(ranked(&[row(1, 0, 2), row(2, 6, 1), row(3, 6, 1)], 3).0, [3, 2, 1], "equal scores: the newest");
    }

    #[test]
    fn order_of_many_stories_is_that_of_all_scores() {
        let rows: Vec<RecentRow> = (1..500).map(|n| row(n, n * 7919 % 48, (n * 31 % 9 + 1) as usize)).collect();
        let mut expected: Vec<_> = rows.iter().map(|row| (score(row.sort_at, row.entries), row.story.0)).collect();
        expected.sort_unstable();
        let expected: Vec<i64> = expected.into_iter().rev().map(|(_, story)| story).collect();
        assert_eq!(ranked(&rows, 500).0, expected);
    }

    #[test]
    fn number_of_stories_whose_copies_are_read_does_not_grow_with_the_window() {
        let counted = |stories: i64| {
            let rows: Vec<RecentRow> =
                (0..stories).map(|n| row(n + 1, 24 * n / stories, if n % 5 == 0 { 3 } else { 1 })).collect();
            ranked(&rows, 50).1
        };
        assert_eq!(counted(10_000), counted(20_000));
        assert!(counted(100_000) <= 50, "{}", counted(100_000));
    }

    #[test]
    fn copies_that_all_lead_to_one_site_cost_a_limited_number_of_reads() {
        let mut ranking = Ranking::new((0..50_000).map(|n| row(n + 1, 0, 64)));
        let mut counted = 0;
        for _ in 0..50 {
            let next = ranking.next(|_| {
                counted += 1;
                Ok::<_, Infallible>(1)
            });
            assert!(matches!(next, Ok(Some(_))));
        }
        assert_eq!(counted, MAX_COUNTED);
    }

    fn copy<'c>(config: &'c Config, feed: usize, entry: serde_json::Value) -> SeenCopy<'c> {
        let mut whole = serde_json::json!({ "guid": { "value": "1", "kind": "guid" }, "title": "Bridge opens" });
        whole.as_object_mut().unwrap().extend(entry.as_object().unwrap().clone());
        SeenCopy {
            number: EntryNumber(1),
            feed: &config.feeds[feed],
            entry: Cow::Owned(serde_json::from_value(whole).unwrap()),
            text: Cow::Owned(PlainText::default()),
            categories: Vec::new(),
            first_seen: Timestamp::from_millis(0),
            revised: None,
            reason: JoinReason::First,
        }
    }

    #[test]
    fn only_sites_with_a_report_of_their_own_count() {
        let config = sample::config("");
        let (origin, wire) = ("https://www.origin.example/bridge", "https://wire.example/news/7");
        let check = |copies: &[(usize, serde_json::Value)], expected: usize| {
            let copies: Vec<_> = copies.iter().map(|(feed, entry)| copy(&config, *feed, entry.clone())).collect();
            assert_eq!(domains(&copies.iter().collect::<Vec<_>>()), expected, "{copies:?}");
        };
        let linked = |link: &str| serde_json::json!({ "link": link });
        check(&[], 0);
        check(&[(0, linked(origin))], 1);
        check(&[(0, linked(origin)), (1, linked(wire))], 2);
        check(&[(0, linked(origin)), (1, linked("https://origin.example/bridge?x=1"))], 1);
        let site = serde_json::json!({ "link": wire, "source": { "site": "https://origin.example/" } });
        check(&[(0, linked(origin)), (1, site.clone())], 1);
        check(&[(1, site)], 1);
        let original = serde_json::json!({ "link": wire, "original": origin });
        check(&[(0, linked(origin)), (1, original)], 1);
        let other = serde_json::json!({ "link": wire, "source": { "site": "https://agency.example/" } });
        check(&[(0, linked(origin)), (1, other)], 2);
    }
}
