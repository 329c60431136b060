//! Measures how well newswire recognises stories, in labelled pairs of entries from other sources:
//! `cargo bench --bench recognition -- PAIRS`.
//!
//! PAIRS has one JSON object per line: `id`, `kind`, `language`, `same` (whether the two are one story), `original`
//! (`"a"`, `"b"` or null: which of them is at its publisher's own host), and the two entries `a` and `b`. Each entry
//! has `feed_title`, `feed_site`, `guid`, `guid_is_permalink`, `link`, `title`, `html`, `published`, `author`, `via`,
//! `enclosure` and `categories`.
//!
//! Each pair has its own store. Each entry is written as RSS, read and cleaned. Then it is polled as the only entry of
//! a feed with its own site. The title of the feed is in the config. In every other pair the later entry is polled
//! first. Prints one table by kind and one by language, and the ids of the pairs with a wrong result. A `*` marks pairs
//! that became one story as they should, but whose lead (the entry that newswire shows for the story) is not the
//! original.
#![allow(
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a benchmark prints its figures, and ends where something is wrong"
)]

#[path = "../tests/it/support/bed.rs"]
mod bed;

use std::collections::BTreeMap;

use bed::{ALL, Bed, config};
use newswire::entry::Entry;
use newswire::parse::Hints;
use newswire::{normalize, parse};
use serde::Deserialize;
use url::Url;

#[derive(Deserialize)]
struct Pair {
    id: String,
    kind: String,
    language: String,
    same: bool,
    original: Option<String>,
    a: PairEntry,
    b: PairEntry,
}

#[derive(Deserialize)]
struct PairEntry {
    feed_title: String,
    feed_site: Url,
    guid: String,
    guid_is_permalink: bool,
    link: String,
    title: String,
    html: String,
    published: String,
    author: Option<String>,
    via: Option<String>,
    enclosure: Option<PairFile>,
    #[serde(default)]
    categories: Vec<String>,
}

#[derive(Deserialize)]
struct PairFile {
    url: String,
    #[serde(rename = "type")]
    media_type: String,
    length: serde_json::Value,
}

/// The results for all pairs of one kind or language.
#[derive(Default)]
struct Judged {
    pairs: usize,
    joined: usize,
    /// How many joined pairs have an original (`with_original`), and how many of these have it as their lead (`led`).
    with_original: usize,
    led: usize,
    wrong: Vec<String>,
}

fn main() {
    let Some(path) = std::env::args().skip(1).find(|argument| !argument.starts_with('-')) else {
        println!("name a file of labelled pairs: cargo bench --bench recognition -- PAIRS");
        return;
    };
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let pairs =
        text.lines().map(|line| serde_json::from_str::<Pair>(line).unwrap_or_else(|error| panic!("{error}: {line}")));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (mut kinds, mut languages) = (BTreeMap::new(), BTreeMap::new());
    for (number, pair) in pairs.enumerate() {
        let (is_joined, leads) = runtime.block_on(judge(&pair, number % 2 == 1));
        for (table, name) in [(&mut kinds, &pair.kind), (&mut languages, &pair.language)] {
            let judged: &mut Judged = table.entry((!pair.same, name.clone())).or_default();
            judged.pairs += 1;
            judged.joined += usize::from(is_joined);
            judged.with_original += usize::from(leads.is_some());
            judged.led += usize::from(leads == Some(true));
            if is_joined != pair.same || leads == Some(false) {
                judged.wrong.push(format!("{}{}", pair.id, if leads == Some(false) { "*" } else { "" }));
            }
        }
    }
    print(&kinds);
    print(&languages);
    for ((_, kind), judged) in &kinds {
        println!("{kind}: {}", judged.wrong.join(" "));
    }
}

fn print(table: &BTreeMap<(bool, String), Judged>) {
    println!("{:32} {:>6} {:>7} {:>8} {:>9} {:>6}", "", "pairs", "joined", "of them", "original", "leads");
    for ((is_apart, name), judged) in table {
        let name = format!("{name}{}", if *is_apart { " (apart)" } else { "" });
        let share = judged.joined as f64 / judged.pairs as f64 * 100.0;
        println!(
            "{name:32} {:>6} {:>7} {share:>6.1} % {:>9} {:>6}",
            judged.pairs, judged.joined, judged.with_original, judged.led
        );
    }
    let sum = |is_apart: bool| {
        table.iter().filter(|((apart, _), _)| *apart == is_apart).map(|(_, judged)| judged.joined).sum::<usize>() as f64
    };
    println!("precision {:.2} %\n", sum(false) / (sum(false) + sum(true)) * 100.0);
}

/// Returns whether the entries of a pair became one story, and whether the original is the lead of that story. The
/// second value is `None` if they are two stories, or if neither entry is the original.
async fn judge(pair: &Pair, later_first: bool) -> (bool, Option<bool>) {
    let feed = |id: &str, entry: &PairEntry| {
        format!(
            "[[feed]]\nid = \"{id}\"\nurl = \"{}\"\ntitle = {}\n",
            entry.feed_site.join(&format!("{id}.xml")).expect("it is a path"),
            // A JSON string is also a TOML string.
            serde_json::Value::from(entry.feed_title.as_str())
        )
    };
    let feeds = feed("a", &pair.a) + &feed("b", &pair.b);
    let mut bed = Bed::new(config(&format!("[site]\ntitle = \"Bench\"\n{feeds}{ALL}"))).await;
    let (one, other) = (read(&pair.a), read(&pair.b));
    let published = one.published.max(other.published).expect("both have a date");
    bed.now = published;
    let polls = [("a", one), ("b", other)];
    let order = if later_first == (polls[0].1.published <= polls[1].1.published) { [1, 0] } else { [0, 1] };
    for at in order {
        let (feed, entry) = &polls[at];
        bed.poll(feed, std::slice::from_ref(entry)).await;
    }
    let shown = bed.shown("all").await;
    let lead = shown[0].copies.iter().find(|copy| copy.lead).map(|copy| copy.feed.as_str().to_owned());
    let leads = pair.original.as_ref().filter(|_| shown.len() == 1).map(|original| Some(original) == lead.as_ref());
    (shown.len() == 1, leads)
}

/// Returns the entry as newswire reads it from a document of its feed.
fn read(entry: &PairEntry) -> Entry {
    let escaped = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;");
    let element = |name: &str, text: &str| format!("<{name}>{}</{name}>", escaped(text));
    let mut item =
        element("title", &entry.title) + &element("link", &entry.link) + &element("description", &entry.html);
    item += &format!("<guid isPermaLink=\"{}\">{}</guid>", entry.guid_is_permalink, escaped(&entry.guid));
    item += &element("dc:date", &entry.published);
    item += &entry.author.as_deref().map(|author| element("dc:creator", author)).unwrap_or_default();
    item += &entry
        .via
        .as_deref()
        .map(|via| format!("<atom:link rel=\"via\" href=\"{}\"/>", escaped(via)))
        .unwrap_or_default();
    item += &entry.categories.iter().map(|category| element("category", category)).collect::<String>();
    if let Some(PairFile { url, media_type, length }) = &entry.enclosure {
        let length = length.as_str().map_or_else(|| length.to_string(), str::to_owned);
        item += &format!("<enclosure url=\"{}\" type=\"{media_type}\" length=\"{length}\"/>", escaped(url));
    }
    let document = format!(
        "<rss version=\"2.0\" xmlns:dc=\"http://purl.org/dc/elements/1.1/\" xmlns:atom=\"http://www.w3.org/2005/Atom\"><channel>{}{}\
         <item>{item}</item></channel></rss>",
        element("title", &entry.feed_title),
        element("link", entry.feed_site.as_str())
    );
    let base = entry.feed_site.join("feed.xml").expect("it is a path");
    let feed = parse::parse(document.as_bytes(), &Hints { content_type: None, base: Some(&base) }).expect("it is RSS");
    normalize::entry(&feed.entries[0], &feed)
}
