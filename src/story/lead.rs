//! Which copy of a story leads: the copy whose content is shown.

use std::cmp::Reverse;
use std::time::Duration;

use url::Url;

use super::credit::{Publication, Said};
use super::episode::{self, Label};
use super::media::Media;
use super::words::Words;
use super::{link_keys, original};
use crate::entry::Entry;
use crate::link;
use crate::time::Timestamp;

/// Copies that were first seen no further apart may have been published in any order: feeds are usually polled every hour.
/// The time is short, because within it a feed could copy an entry, date it back and take the lead.
const SEEN_TOGETHER: Duration = Duration::from_secs(2 * 3600);

/// The values of a copy that decide the lead.
#[derive(Clone, Copy, Debug)]
pub struct LeadCandidate<'a> {
    /// The entry.
    pub entry: &'a Entry,
    /// The page for which the feed *speaks*, that is, at whose host its entries count as originals: the feed's own URL,
    /// or the configured `site` of a `file:` feed.
    pub speaks_for: Option<&'a Url>,
    /// The configured title of the feed.
    pub title: Option<&'a str>,
    /// The configured priority of the feed.
    pub priority: i64,
    /// Whether the story was created for this entry. An entry that joined because its text changed may have been seen
    /// earlier.
    pub is_first: bool,
    /// When the entry was first seen.
    pub first_seen: Timestamp,
}

/// The rule by which a copy leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeadRule {
    /// There is no other copy.
    Only,
    /// The copy's feed is at the original's own host.
    OriginalHost,
    /// Another copy names the publication of this copy as the source.
    Credited,
    /// The copy's feed has the higher priority.
    Priority,
    /// The copy's headline names the episode as the show's own feed does.
    OwnShow,
    /// The copy was published first.
    PublishedFirst,
    /// The copy has the full text.
    FullText,
    /// The copy was seen first.
    FirstSeen,
    /// The section keeps the content with which the story entered.
    Kept,
}

impl LeadRule {
    /// Returns the rule's code, which never changes.
    pub fn code(self) -> &'static str {
        match self {
            LeadRule::Only => "only",
            LeadRule::OriginalHost => "original_host",
            LeadRule::Credited => "credited",
            LeadRule::Priority => "priority",
            LeadRule::OwnShow => "own_show",
            LeadRule::PublishedFirst => "published_first",
            LeadRule::FullText => "full_text",
            LeadRule::FirstSeen => "first_seen",
            LeadRule::Kept => "kept",
        }
    }

    /// Returns the rule as the end of a sentence: "it leads because …".
    pub fn why(self) -> &'static str {
        match self {
            LeadRule::Only => "it is the only copy",
            LeadRule::OriginalHost => "its feed is at the original's own host",
            LeadRule::Credited => "another copy names its publication as where it comes from",
            LeadRule::Priority => "its feed has the higher priority",
            LeadRule::OwnShow => "its headline names the episode as the show's own feed does",
            LeadRule::PublishedFirst => "it was published first",
            LeadRule::FullText => "it has the full text",
            LeadRule::FirstSeen => "it was seen first",
            LeadRule::Kept => "the section keeps the text that the story had when it entered",
        }
    }
}

/// Returns the index of the copy that leads, and the rule by which it leads.
///
/// The first of these rules that tells copies apart decides:
///
/// - the copy is at the original's own host; of several, it does not name the publication of another as its source;
/// - its feed has the higher priority;
/// - of copies at their own hosts that were first seen within two hours, it has the headline of the show's own feed, or
///   else was published first;
/// - the story was created for it;
/// - it was first seen, or else comes first in the given order.
///
/// A full text takes the lead from a summary if the two share a link and are equal in host and priority.
///
/// # Panics
///
/// Panics if there are no copies: a story has at least one.
pub fn lead(copies: &[LeadCandidate]) -> (usize, LeadRule) {
    assert!(!copies.is_empty(), "a story has at least one copy");
    // Most stories have no other copy.
    if copies.len() == 1 {
        return (0, LeadRule::Only);
    }
    let homes = homes(copies);
    let standing = |at: usize| (homes[at], Reverse(copies[at].priority));
    let at_home: Vec<usize> = (0..copies.len()).filter(|at| homes[*at] == HomeRank::Own).collect();
    let yields = yields(copies, &at_home);
    let rank = |at: &usize| (standing(*at), yields[*at].is_some(), !copies[*at].is_first, copies[*at].first_seen);
    let best = (0..copies.len()).min_by_key(rank).expect("there is at least one copy");
    let fuller = (0..copies.len())
        .filter(|&at| standing(at) == standing(best) && is_fuller(copies[at].entry, copies[best].entry));
    if let Some(fuller) = fuller.min_by_key(rank) {
        return (fuller, LeadRule::FullText);
    }
    let second = (0..copies.len()).filter(|&at| at != best).min_by_key(rank).expect("there is another copy");
    let why_not = yields[second].filter(|_| yields[best].is_none());
    let (first, second) = (standing(best), standing(second));
    let rule = if first.0 != second.0 {
        if second.0 == HomeRank::Credits { LeadRule::Credited } else { LeadRule::OriginalHost }
    } else if first.1 != second.1 {
        LeadRule::Priority
    } else {
        why_not.unwrap_or(LeadRule::FirstSeen)
    };
    (best, rule)
}

/// How likely a copy is the original.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum HomeRank {
    /// The copy is at the original's own host.
    Own,
    /// The copy is at the host that it names as the original's, but also names another copy, which is at its own host,
    /// as its source.
    Credits,
    Elsewhere,
}

fn homes(copies: &[LeadCandidate]) -> Vec<HomeRank> {
    let is_home: Vec<bool> = copies.iter().map(is_at_home).collect();
    let mut homes: Vec<HomeRank> =
        is_home.iter().map(|is| if *is { HomeRank::Own } else { HomeRank::Elsewhere }).collect();
    if is_home.iter().filter(|is| **is).count() < 2 {
        return homes;
    }
    let at_home = copies.iter().enumerate().filter(|(at, _)| is_home[*at]);
    let at_home: Vec<_> = at_home
        .map(|(at, copy)| (at, copy.entry, Publication::of(copy.speaks_for, copy.title), Said::by(copy.entry)))
        .collect();
    for (at, _, own, said) in &at_home {
        if at_home.iter().any(|(_, other, publication, _)| said.credits(own, (other, publication))) {
            homes[*at] = HomeRank::Credits;
        }
    }
    homes
}

/// Returns, for each copy, the rule by which another copy takes the lead from it, if both copies are at home: they have the
/// same recording, as those of a show's own feed and of the feed of its network, or one was published before the other.
///
/// The show's own feed numbers its episodes and need not name the show. A network's feed, which has many shows, names the show in
/// the headline, or has no number. Where nothing tells, the original was published first. Which copy was seen first says only which
/// feed was polled first, unless more than [`SEEN_TOGETHER`] lies between: then neither a headline nor a date gives the lead.
fn yields(copies: &[LeadCandidate], at_home: &[usize]) -> Vec<Option<LeadRule>> {
    let mut yields = vec![None; copies.len()];
    let at_home: Vec<_> = at_home.iter().map(|at| (*at, Media::of(&copies[*at].entry.enclosures))).collect();
    for (at, media) in &at_home {
        let mut others = at_home.iter().filter(|(other, _)| other != at);
        yields[*at] = others.find_map(|(other, others)| {
            let (copy, other) = (&copies[*other], &copies[*at]);
            if others.shares(media) { goes_before(copy, other) } else { was_before(copy, other) }
        });
    }
    yields
}

/// Returns the rule by which a copy of an episode precedes another.
fn goes_before(copy: &LeadCandidate, other: &LeadCandidate) -> Option<LeadRule> {
    if !may_go_before(copy, other) {
        return None;
    }
    let labels = episode::labels(&Words::of(&copy.entry.title), &Words::of(&other.entry.title))?;
    match labels {
        (Label::Number, Label::None | Label::Show) | (Label::None, Label::Show) => Some(LeadRule::OwnShow),
        (own, others) if own == others => was_before(copy, other),
        _ => None,
    }
}

/// Returns the rule by which a copy that was published first precedes another.
fn was_before(copy: &LeadCandidate, other: &LeadCandidate) -> Option<LeadRule> {
    let is_first = || copy.entry.published.zip(other.entry.published).is_some_and(|(own, others)| own < others);
    (may_go_before(copy, other) && is_first()).then_some(LeadRule::PublishedFirst)
}

/// Returns whether a copy may precede another though it was seen after it.
fn may_go_before(copy: &LeadCandidate, other: &LeadCandidate) -> bool {
    let (earlier, later) = (copy.first_seen.min(other.first_seen), copy.first_seen.max(other.first_seen));
    copy.priority == other.priority && later.since(earlier) <= SEEN_TOGETHER
}

/// Returns whether an entry has the full text of which another has a summary, under a link that they share.
fn is_fuller(entry: &Entry, other: &Entry) -> bool {
    let may_be = entry.content_html.is_some() && other.content_html.is_none();
    may_be && link_keys(entry).iter().any(|key| link_keys(other).iter().any(|other| other.key == key.key))
}

/// Returns whether the feed is at the host of every page that its entry names as its own or as its original: an entry
/// that links to another site's page is not at home, even if it also names a page of its own. What the document claims
/// about its feed does not count: only the feed's own address does.
fn is_at_home(copy: &LeadCandidate) -> bool {
    let feed = copy.speaks_for.and_then(link::registrable_domain);
    let pages = [original(copy.entry), copy.entry.link.clone()].into_iter().flatten();
    let hosts = pages.filter(|page| link::key(page).is_some()).map(|page| link::registrable_domain(&page));
    let mut hosts = hosts.peekable();
    hosts.peek().is_some() && hosts.all(|host| host == feed)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A copy: its link, whether it has the full text and not only a summary, the address and the priority of its feed, and
    /// when it was seen. The copy that the story was created for comes first.
    type Copy = (&'static str, bool, &'static str, i64, i64);

    fn check(copies: &[Copy], expected: (usize, LeadRule)) {
        let entries: Vec<Entry> = copies
            .iter()
            .map(|(link, full, ..)| {
                let text = if *full { "content_html" } else { "summary_html" };
                let guid = serde_json::json!({ "value": link, "kind": "guid" });
                serde_json::from_value(serde_json::json!({ "guid": guid, "link": link, "title": "", text: "text" }))
                    .unwrap()
            })
            .collect();
        let feeds: Vec<Url> = copies.iter().map(|copy| Url::parse(copy.2).unwrap()).collect();
        let candidates: Vec<_> = copies
            .iter()
            .zip(entries.iter().zip(&feeds))
            .map(|(copy, (entry, feed))| LeadCandidate {
                entry,
                speaks_for: Some(feed),
                title: None,
                priority: copy.3,
                is_first: copy.4 == 1,
                first_seen: Timestamp::from_millis(copy.4),
            })
            .collect();
        assert_eq!(lead(&candidates), expected, "{copies:?}");
    }

    #[test]
    fn lead_is_chosen_by_host_then_priority_then_time() {
        let (page, home, wire, other) =
            ("https://a.example/1", "https://feeds.a.example/", "https://w.example/", "https://o.example/");
        check(&[(page, true, wire, 9, 1)], (0, LeadRule::Only));
        check(&[(page, true, wire, 9, 1), (page, false, home, 0, 2)], (1, LeadRule::OriginalHost));
        check(&[(page, false, wire, 0, 1), (page, false, other, 1, 2)], (1, LeadRule::Priority));
        check(&[(page, false, wire, 0, 2), (page, false, other, 0, 1)], (1, LeadRule::FirstSeen));
    }

    #[test]
    fn copy_that_names_the_other_as_its_source_does_not_lead() {
        let entry = |host: &str, credit: &str| -> Entry {
            let link = format!("https://{host}.example/1");
            let guid = serde_json::json!({ "value": link, "kind": "guid" });
            let text = format!("<p>The quay opens in April.</p><p>{credit}</p>");
            serde_json::from_value(serde_json::json!({ "guid": guid, "link": link, "title": "", "content_html": text }))
                .unwrap()
        };
        let check = |credits: [&str; 2], priority: i64, expected: (usize, LeadRule)| {
            let hosts = ["citywire", "harbourpost"];
            let feeds = hosts.map(|host| Url::parse(&format!("https://{host}.example/feed")).unwrap());
            let entries = [entry(hosts[0], credits[0]), entry(hosts[1], credits[1])];
            let candidates = [0, 1].map(|at| LeadCandidate {
                entry: &entries[at],
                speaks_for: Some(&feeds[at]),
                title: None,
                priority: if at == 0 { priority } else { 0 },
                is_first: at == 0,
                first_seen: Timestamp::from_millis(at as i64),
            });
            assert_eq!(lead(&candidates), expected, "{credits:?}");
        };
        check(["", ""], 0, (0, LeadRule::FirstSeen));
        check(["First in the Harbour Post", ""], 0, (1, LeadRule::Credited));
        check(["First in the Harbour Post", ""], 9, (1, LeadRule::Credited));
        check(["", "First in the City Wire"], 0, (0, LeadRule::Credited));
        check(["First in the Harbour Post", "First in the City Wire"], 0, (0, LeadRule::FirstSeen));
        check(["First in the Other Post", ""], 0, (0, LeadRule::FirstSeen));
    }

    #[test]
    fn shows_own_feed_leads_an_episode_though_its_network_was_polled_first() {
        const HOUR: i64 = 3_600_000;
        let entry = |host: &str, title: &str, published: i64| -> Entry {
            let link = format!("https://{host}.example/1");
            let guid = serde_json::json!({ "value": link, "kind": "guid" });
            let enclosure = serde_json::json!({ "url": "https://audio.example/8.mp3", "bytes": 7000 });
            let published = Timestamp::from_millis(published).to_string();
            let entry = serde_json::json!({ "guid": guid, "link": link, "title": title, "content_html": "<p>Cats.</p>",
                "published": published, "enclosures": [enclosure] });
            serde_json::from_value(entry).unwrap()
        };
        let check = |titles: [&str; 2], published: [i64; 2], seen: i64, expected: (usize, LeadRule)| {
            let hosts = ["network", "show"];
            let feeds = hosts.map(|host| Url::parse(&format!("https://{host}.example/feed")).unwrap());
            let entries = [0, 1].map(|at| entry(hosts[at], titles[at], published[at]));
            let candidates = [0, 1].map(|at| LeadCandidate {
                entry: &entries[at],
                speaks_for: Some(&feeds[at]),
                title: None,
                priority: 0,
                is_first: at == 0,
                first_seen: Timestamp::from_millis(if at == 0 { 0 } else { seen }),
            });
            assert_eq!(lead(&candidates), expected, "{titles:?} {published:?} {seen}");
        };
        let (plain, numbered) = ("The quay at night", "Episode 8: The quay at night");
        check([plain, numbered], [0, 0], HOUR, (1, LeadRule::OwnShow));
        check([plain, numbered], [0, HOUR], HOUR, (1, LeadRule::OwnShow));
        check(["Harbour Hours 8: The quay at night", plain], [0, HOUR], HOUR, (1, LeadRule::OwnShow));
        check([plain, plain], [HOUR, 0], HOUR, (1, LeadRule::PublishedFirst));
        check([numbered, numbered], [HOUR, 0], HOUR, (1, LeadRule::PublishedFirst));
        check([plain, plain], [0, HOUR], HOUR, (0, LeadRule::PublishedFirst));
        check([plain, plain], [0, 0], HOUR, (0, LeadRule::FirstSeen));
        // A copy that is seen later does not get the lead, whatever it says.
        check([plain, numbered], [HOUR, 0], 3 * HOUR, (0, LeadRule::FirstSeen));
        check([plain, plain], [HOUR, 0], 3 * HOUR, (0, LeadRule::FirstSeen));
        check([plain, "A winter without ice"], [HOUR, 0], HOUR, (0, LeadRule::FirstSeen));
    }

    #[test]
    fn text_that_was_published_first_leads_if_both_were_seen_together() {
        const HOUR: i64 = 3_600_000;
        let entry = |host: &str, published: Option<i64>| -> Entry {
            let link = format!("https://{host}.example/1");
            let guid = serde_json::json!({ "value": link, "kind": "guid" });
            let published = published.map(|published| Timestamp::from_millis(published).to_string());
            let entry =
                serde_json::json!({ "guid": guid, "link": link, "title": "The quay opens", "published": published });
            serde_json::from_value(entry).unwrap()
        };
        let check = |published: [Option<i64>; 2], priority: i64, seen: i64, expected: (usize, LeadRule)| {
            let hosts = ["citywire", "harbourpost"];
            let feeds = hosts.map(|host| Url::parse(&format!("https://{host}.example/feed")).unwrap());
            let entries = [0, 1].map(|at| entry(hosts[at], published[at]));
            let candidates = [0, 1].map(|at| LeadCandidate {
                entry: &entries[at],
                speaks_for: Some(&feeds[at]),
                title: None,
                priority: if at == 0 { priority } else { 0 },
                is_first: at == 0,
                first_seen: Timestamp::from_millis(if at == 0 { 0 } else { seen }),
            });
            assert_eq!(lead(&candidates), expected, "{published:?} {priority} {seen}");
        };
        check([Some(HOUR), Some(0)], 0, HOUR, (1, LeadRule::PublishedFirst));
        check([Some(0), Some(HOUR)], 0, HOUR, (0, LeadRule::PublishedFirst));
        check([Some(HOUR), Some(0)], 0, 3 * HOUR, (0, LeadRule::FirstSeen));
        check([Some(HOUR), Some(0)], 9, HOUR, (0, LeadRule::Priority));
        check([Some(HOUR), None], 0, HOUR, (0, LeadRule::FirstSeen));
    }

    #[test]
    fn page_of_ones_own_beside_anothers_is_no_home() {
        let guid = serde_json::json!({ "value": "1", "kind": "guid" });
        let entry = |original: &str| -> Entry {
            let link = "https://a.example/1";
            serde_json::from_value(serde_json::json!({ "guid": guid, "link": link, "original": original, "title": "" }))
                .unwrap()
        };
        let is_home = |entry: &Entry, feed: &str| {
            let feed = Url::parse(feed).unwrap();
            let first_seen = Timestamp::from_millis(0);
            is_at_home(&LeadCandidate {
                entry,
                speaks_for: Some(&feed),
                title: None,
                priority: 0,
                is_first: true,
                first_seen,
            })
        };
        assert!(!is_home(&entry("https://hijacker.example/1"), "https://hijacker.example/feed"));
        assert!(!is_home(&entry("https://a.example/1"), "https://hijacker.example/feed"));
        assert!(is_home(&entry("https://blog.a.example/1"), "https://feeds.a.example/feed"));
    }

    #[test]
    fn copy_whose_text_leads_to_the_source_that_it_names_is_not_the_original() {
        let entry = |link: &str, source: serde_json::Value, text: &str| -> Entry {
            let guid = serde_json::json!({ "value": link, "kind": "guid" });
            let entry =
                serde_json::json!({ "guid": guid, "link": link, "title": "", "source": source, "content_html": text });
            serde_json::from_value(entry).unwrap()
        };
        let text = "<p>War. Read the <a href=\"https://origin.example/war\">original</a>.</p>";
        let relayed = entry("https://relay.example/7", serde_json::json!({ "title": "origin.example" }), text);
        let original = entry("https://origin.example/war", serde_json::Value::Null, "<p>War.</p>");
        let feeds = ["https://relay.example/feed", "https://origin.example/feed"].map(|feed| Url::parse(feed).unwrap());
        let candidate = |entry, feed, seen: i64| LeadCandidate {
            entry,
            speaks_for: Some(feed),
            title: None,
            priority: 0,
            is_first: seen == 1,
            first_seen: Timestamp::from_millis(seen),
        };
        let copies = [candidate(&relayed, &feeds[0], 1), candidate(&original, &feeds[1], 2)];
        assert_eq!(lead(&copies), (1, LeadRule::OriginalHost));
    }

    #[test]
    fn full_text_leads_a_summary_of_the_same_link_only_at_equal_priority() {
        let (page, elsewhere, wire, other) =
            ("https://a.example/1", "https://b.example/2", "https://w.example/", "https://o.example/");
        check(&[(page, false, wire, 0, 1), (page, true, other, 0, 2)], (1, LeadRule::FullText));
        check(&[(page, false, wire, 0, 1), (elsewhere, true, other, 0, 2)], (0, LeadRule::FirstSeen));
        check(&[(page, false, wire, 1, 1), (page, true, other, 0, 2)], (0, LeadRule::Priority));
    }
}
