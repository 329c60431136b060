//! Thirty days of feeds that change their guids, dates or domain, are reset, or copy from each other. No old entry is
//! published as new, and each new entry is published once.

use crate::support::bed;

use std::ops::Range;

use bed::{ALL, Bed, DAY, HOUR, config, entry, own_words, start, three_feeds};
use newswire::commit;
use newswire::entry::{Entry, GuidKind};
use url::Url;

const DAYS: usize = 30;

/// The number of posts before the first day.
const BEFORE: usize = 20;

/// The number of polls a day.
const POLLS: u32 = 4;

/// Returns the post with this number. Post `n` is dated `n` days after the start.
fn post(number: usize, guid: String, link: &str) -> Entry {
    let stem = format!("topic{}{}", char::from(b'a' + (number / 10) as u8), char::from(b'a' + (number % 10) as u8));
    let mut post = entry(link, &format!("What I learned about {stem}"), &own_words(&stem));
    post.guid.value = guid;
    post.published = Some(start() + DAY * number as u32);
    post
}

/// Returns the post with the guid and the link under which it was first published.
fn plain(number: usize) -> Entry {
    post(number, format!("http://blog.example/?p={number}"), &format!("http://blog.example/posts/{number}"))
}

/// What the blog's document lists on a day: the numbers of the posts, and a function that makes each post.
type Listing = (Range<usize>, fn(usize) -> Entry);

/// Polls the blog four times a day for thirty days, with one more post each day. Asserts that only the new posts are
/// new entries.
async fn replay(name: &str, keep: &str, listing: impl Fn(usize) -> Listing) {
    let mut bed = Bed::new(three_feeds(&format!("{ALL}\nlimit = 500\n[store]\nkeep = \"{keep}\""))).await;
    let mut known = 0;
    for day in 0..DAYS {
        let (numbers, look) = listing(day);
        let mut new = 0;
        for poll in 0..POLLS {
            let now = start() + DAY * (BEFORE + day) as u32 + HOUR * (6 * poll);
            let mut entries: Vec<Entry> = numbers.clone().rev().map(look).collect();
            if name.starts_with("dates are now") {
                entries.iter_mut().for_each(|entry| (entry.published, entry.updated) = (Some(now), Some(now)));
            }
            new += bed.poll_at(now, "origin", &entries).await.new;
        }
        while commit::retain_batch(&bed.store, bed.config.clone(), bed.now).await.unwrap().0 > 0 {}
        let expected = numbers.end.saturating_sub(known);
        assert_eq!(new, if known == 0 { numbers.len() } else { expected }, "{name}: new entries on day {day}");
        known = known.max(numbers.end);
    }
    assert_eq!(known, BEFORE + DAYS, "{name}: all new posts arrived");
}

/// Returns the numbers of the newest twenty posts on a day.
fn last(day: usize) -> Range<usize> {
    day + 1..BEFORE + day + 1
}

#[tokio::test]
async fn guids_that_change_publish_no_old_entry_as_new() {
    let https: fn(usize) -> Entry =
        |n| post(n, format!("https://blog.example/?p={n}"), &format!("https://blog.example/posts/{n}"));
    let software: fn(usize) -> Entry =
        |n| post(n, format!("urn:uuid:{n}"), &format!("http://blog.example/2018/{n}-{n}.html"));
    let domain: fn(usize) -> Entry =
        |n| post(n, format!("tag:new.example,2018:{n}"), &format!("https://new.example/posts/{n}"));
    for (name, look) in [("https", https), ("new software", software), ("new domain", domain)] {
        replay(name, "365 days", |day| (last(day), if day < 10 { plain } else { look })).await;
        replay(&format!("{name} and back"), "365 days", |day| {
            (last(day), if (10..20).contains(&day) { look } else { plain })
        })
        .await;
    }
}

#[tokio::test]
async fn dates_that_are_always_now_publish_nothing_twice() {
    replay("dates are now", "365 days", |day| (last(day), plain)).await;
}

#[tokio::test]
async fn feed_that_is_reset_republishes_nothing() {
    let empty = |day: usize| BEFORE + day..BEFORE + day;
    let listing = |day| match day {
        10..13 => empty(day - (day - 9)),
        13 => 1..BEFORE + day + 1,
        _ => last(day),
    };
    replay("reset", "365 days", |day| (listing(day), plain)).await;
}

#[tokio::test]
async fn old_entries_that_return_after_retention_are_not_published_again() {
    let https: fn(usize) -> Entry =
        |n| post(n, format!("https://blog.example/?p={n}"), &format!("https://blog.example/posts/{n}"));
    let few = |day: usize| BEFORE + day - 4..BEFORE + day + 1;
    let whole = |day: usize| 1..BEFORE + day + 1;
    let listing = |day| match day {
        0 | 20 | 25 => whole(day),
        _ => few(day),
    };
    replay("retention and return", "2 days", |day| (listing(day), if day < 25 { plain } else { https })).await;
}

/// Returns the entries that a newswire publishes.
async fn offered(bed: &Bed, host: &str) -> Vec<Entry> {
    let offer = |story: newswire::section::ShownStory| {
        let mut entry = story.entry;
        (entry.guid.value, entry.guid.kind) = (story.id, GuidKind::Guid);
        entry.link = entry.link.or_else(|| Url::parse(&format!("https://{host}.example/story/{}/", story.slug)).ok());
        entry.published = Some(story.published);
        entry
    };
    bed.shown("all").await.into_iter().map(offer).collect()
}

#[tokio::test]
async fn newswires_that_read_each_other_publish_everything_once() {
    // `left` and `right` read each other. Both also read `third`, which reads `left`.
    const HOSTS: [&str; 3] = ["left", "right", "third"];
    const PEERS: [(usize, usize); 5] = [(0, 1), (1, 0), (2, 0), (0, 2), (1, 2)];
    let feed = |id: &str, url: &str| format!("[[feed]]\nid = \"{id}\"\nurl = \"{url}\"\n");
    let mut beds = Vec::new();
    for host in HOSTS {
        let peers = HOSTS.map(|peer| feed(peer, &format!("https://{peer}.example/all.atom"))).concat();
        let source = feed("source", &format!("https://source-{host}.example/feed"));
        beds.push(Bed::new(config(&format!("[site]\ntitle = \"{host}\"\n{source}{peers}{ALL}\nlimit = 500"))).await);
    }
    for day in 0..DAYS {
        let now = start() + DAY * day as u32;
        for (side, bed) in beds.iter_mut().enumerate() {
            let number = day * HOSTS.len() + side;
            // Every other entry is a note of a few words without a link.
            let mut item = entry(
                &format!("https://source-{}.example/{number}", HOSTS[side]),
                &format!("Note of day {number}"),
                "Brief.",
            );
            if day % 2 == 0 {
                (item.title, item.content_html) = (
                    format!("Day {number} of the journey"),
                    Some(format!("<p>{}</p>", own_words(&format!("day{number}x")))),
                );
            } else {
                (item.guid.value, item.link) = (format!("note-{number}"), None);
            }
            item.published = Some(now);
            bed.poll_at(now + HOUR, "source", &[item]).await;
        }
        for (own, peer) in PEERS.into_iter().cycle().take(2 * PEERS.len()) {
            let entries = offered(&beds[peer], HOSTS[peer]).await;
            beds[own].poll_at(now + HOUR * 2, HOSTS[peer], &entries).await;
        }
    }
    for bed in &beds {
        let mut titles = bed.titles("all").await;
        titles.sort();
        titles.dedup();
        assert_eq!((titles.len(), bed.titles("all").await.len()), (DAYS * HOSTS.len(), DAYS * HOSTS.len()));
    }
}
