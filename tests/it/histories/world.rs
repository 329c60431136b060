//! What happens outside the newswire: pieces of news, and feeds that publish them, each in its own way.

use std::collections::BTreeSet;
use std::time::Duration;

use newswire::entry::{Category, Entry};
use newswire::time::Timestamp;

use crate::support::bed::{HOUR, entry};

/// A random number generator (SplitMix64). A seed gives the same numbers on every machine.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Returns a number from 0 up to, but not including, `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    pub fn is_one_in(&mut self, many: u64) -> bool {
        self.below(many) == 0
    }

    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len() as u64) as usize]
    }
}

pub const FEEDS: [&str; 5] = ["origin", "wire", "other", "links", "closed"];

const SUBJECTS: [&str; 8] = ["Harbour", "Council", "Festival", "Election", "Flood", "Strike", "Library", "Railway"];

const EVENTS: [&str; 8] = [
    "opens its doors to visitors after years of work",
    "votes on the budget of the coming year",
    "draws thousands to the old town",
    "divides the two parties once more",
    "leaves the lower quarter without power",
    "ends after eleven long weeks of talks",
    "keeps its branch by the river",
    "gets a second track to the coast",
];

/// A piece of news, and how often it was edited.
#[derive(Clone)]
struct News {
    number: u64,
    published: Timestamp,
    /// The number of its edits.
    edits: u64,
}

pub struct World {
    news: Vec<News>,
    /// Whether the feed `origin` has moved to another domain and changed its guids.
    has_moved: bool,
}

impl World {
    pub fn new() -> World {
        World { news: Vec::new(), has_moved: false }
    }

    /// Adds up to three pieces of news, and may edit an existing one. May move the feed `origin`.
    pub fn go_on(&mut self, random: &mut Random, now: Timestamp) {
        for _ in 0..random.below(4) {
            let number = self.news.len() as u64;
            self.news.push(News { number, published: now - HOUR * random.below(40) as u32, edits: 0 });
        }
        if random.is_one_in(3) && !self.news.is_empty() {
            let at = random.below(self.news.len() as u64) as usize;
            self.news[at].edits += 1;
        }
        self.has_moved |= random.is_one_in(40);
    }

    /// Returns the entries of a feed's document, newest first.
    pub fn document(&self, feed: &str, random: &mut Random) -> Vec<Entry> {
        let first = self.news.len().saturating_sub(12);
        let carried = self.news[first..].iter().rev().filter(|news| carries(feed, news.number));
        let mut entries: Vec<Entry> = carried.map(|news| self.carried(feed, news, random)).collect();
        if feed == "other" && random.is_one_in(4) {
            entries.push(entry("https://other.example/about", "About this site", "We write of the town."));
        }
        entries
    }

    fn carried(&self, feed: &str, news: &News, random: &mut Random) -> Entry {
        let number = news.number;
        let original = format!("https://origin.example/news/{number}");
        let mut result = entry(&self.link(feed, number), &title(news), &text(news, feed));
        result.guid.value = match feed {
            "origin" if self.has_moved => format!("tag:new-origin.example,2018:{number}"),
            "wire" if number % 7 == 3 => original.clone(),
            _ => format!("https://{feed}.example/?p={number}"),
        };
        if feed == "wire" && number % 5 == 3 {
            result.original = original.parse().ok();
        }
        if feed == "other" && number.is_multiple_of(3) {
            result.title = format!("{} - Other", result.title);
        }
        if feed == "closed" && number.is_multiple_of(2) {
            result.title = format!("Subscribers: {}", result.title);
        }
        result.published = (number % 6 != 5 || feed == "origin").then_some(news.published);
        result.updated = (news.edits > 0).then(|| news.published + Duration::from_secs(60 * news.edits));
        result.categories = vec![category(["region:north", "region:south", "topic:town"][(number % 3) as usize])];
        if number % 4 == 1 {
            result.authors = vec![serde_json::from_value(serde_json::json!({ "name": "Jane Doe" })).unwrap()];
        }
        if number % 4 == 2 && feed != "origin" {
            result.contributors = vec![serde_json::from_value(serde_json::json!({ "name": feed })).unwrap()];
        }
        if feed == "links" || random.is_one_in(30) {
            result.summary_html =
                result.content_html.take().map(|text| text.chars().take(120).collect::<String>() + "</p>");
        }
        if number % 9 == 4 && feed == "other" {
            result.rights = Some("© Other".to_owned());
        }
        result
    }

    /// Returns the link of a feed's entry about a piece of news.
    fn link(&self, feed: &str, number: u64) -> String {
        match (feed, number % 5) {
            ("origin", _) if self.has_moved => format!("https://new-origin.example/news/{number}"),
            ("wire", 0 | 1) | ("links", _) => format!("https://origin.example/news/{number}"),
            ("wire", 2) => format!("http://www.origin.example/news/{number}?utm_source=wire"),
            _ => format!("https://{feed}.example/news/{number}"),
        }
    }

    /// Returns the addresses by which stories can be found.
    pub fn addresses(&self) -> Vec<String> {
        let of = |news: &News| {
            let number = news.number;
            let carriers = FEEDS.into_iter().filter(move |feed| carries(feed, number));
            carriers.map(move |feed| self.link(feed, number))
        };
        let addresses: BTreeSet<String> = self.news.iter().flat_map(of).collect();
        addresses.into_iter().chain(["https://other.example/about".to_owned()]).collect()
    }
}

/// Returns whether a feed publishes a piece of news. Most pieces are published by more than one feed.
fn carries(feed: &str, number: u64) -> bool {
    match feed {
        "origin" => number % 8 != 7,
        "wire" => number.is_multiple_of(2) || number % 5 == 3,
        "other" => number % 3 != 1,
        "links" => number.is_multiple_of(4),
        _ => number % 3 == 2 || number % 8 == 7,
    }
}

fn category(term: &str) -> Category {
    serde_json::from_value(serde_json::json!({ "term": term })).unwrap()
}

fn title(news: &News) -> String {
    let subject = SUBJECTS[(news.number % 8) as usize];
    let event = EVENTS[(news.number / 8 % 8) as usize];
    // Some headlines are edited together with the text.
    let mark = if news.edits >= 2 && news.number % 2 == 1 { ", say those who were there" } else { "" };
    format!("{subject} {event}{mark}")
}

/// Returns the text of a piece of news in a feed: sixty words that no other piece has, the words of its edits, and what
/// this feed leaves out or adds.
fn text(news: &News, feed: &str) -> String {
    let mut words: Vec<String> = (0..60).map(|at| format!("{}{at}", word(news.number, at))).collect();
    for edit in 0..news.edits {
        words.insert((edit * 13 % 60) as usize, format!("edited{edit}"));
    }
    match feed {
        "wire" if news.number.is_multiple_of(4) => words.truncate(48),
        "other" => words.extend(["and", "more", "of", "it", "at", "other"].map(str::to_owned)),
        "closed" if news.number % 5 == 2 => words.reverse(),
        _ => {}
    }
    words.join(" ")
}

fn word(number: u64, at: u64) -> String {
    let mut random = Random(number * 1000 + at);
    (0..6).map(|_| char::from(b'a' + random.below(26) as u8)).collect()
}
