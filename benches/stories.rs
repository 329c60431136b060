//! What it costs to recognise one entry against archives of 10,000, 100,000 and 1,000,000 entries, how many candidates are
//! compared, and what share of a cold poll it is.
//!
//! `cargo bench --bench stories` prints a table; `-- 10000` takes one size only. Archives are written by polling, spread over
//! a year; the stores lie in the system's folder for temporary files.

#[path = "../tests/support/bed.rs"]
mod bed;

use std::time::Instant;

use bed::{ALL, Bed, config, entry, start};
use newswire::entry::Entry;
use newswire::time::Timestamp;
use newswire::update::Cleaned;

const SIZES: [usize; 3] = [10_000, 100_000, 1_000_000];

/// Entries of one poll.
const LISTED: usize = 500;

/// How many entries are recognised for one figure.
const PROBES: usize = 500;

const YEAR_MILLIS: usize = 365 * 24 * 3600 * 1000;

/// Words as people use them: some everywhere, most hardly ever.
struct Words {
    state: u64,
}

impl Words {
    fn next(&mut self) -> u64 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        self.state
    }

    fn text(&mut self, words: usize) -> String {
        let word = |words: &mut Words| {
            let share = (words.next() % 10_000) as f64 / 10_000.0;
            format!("w{}", (20_000.0 * share * share * share) as u64)
        };
        (0..words).map(|_| word(self)).collect::<Vec<_>>().join(" ")
    }
}

fn post(number: usize, of: usize, words: &mut Words) -> Entry {
    let mut post = entry(&format!("https://site.example/{number}"), &words.text(8), &words.text(160));
    post.published = Some(start() + std::time::Duration::from_millis((number * (YEAR_MILLIS / of)) as u64));
    post
}

fn now() -> Timestamp {
    start() + std::time::Duration::from_millis(YEAR_MILLIS as u64)
}

async fn measure(size: usize) {
    let feeds = |dedup: &str| {
        format!(
            "[stories]\ndedup = \"{dedup}\"\n[[feed]]\nid = \"archive\"\nurl = \"https://site.example/feed\"\n\
        [[feed]]\nid = \"news\"\nurl = \"https://news.example/feed\"\n[[feed]]\nid = \"copies\"\nurl = \"https://copies.example/feed\"\n"
        )
    };
    let of = |dedup: &str| config(&format!("[site]\ntitle = \"Bench\"\n{}{ALL}", feeds(dedup)));
    let mut bed = Bed::new(of("text")).await;
    let mut words = Words { state: 0x2545_F491_4F6C_DD1D };
    let mut last = Vec::new();
    for from in (0..size).step_by(LISTED) {
        last = (from..from + LISTED).map(|number| post(number, size, &mut words)).collect::<Vec<_>>();
        bed.now = now();
        bed.poll("archive", &last).await;
    }
    let probes = |words: &mut Words, stem: &str| {
        let probe = |number| {
            let mut probe = post(size - 1 - number, size, words);
            probe.guid.value = format!("{stem}-{number}");
            probe.link = Some(format!("https://{stem}.example/{number}").parse().unwrap());
            probe.published = Some(now());
            probe
        };
        (0..PROBES).map(probe).collect::<Vec<_>>()
    };
    bed.now = now();
    let with = time(&mut bed, "news", &probes(&mut words, "news")).await;
    bed.follow(of("off")).await;
    let without = time(&mut bed, "news", &probes(&mut words, "more")).await;
    bed.follow(of("text")).await;
    let copies: Vec<_> = last
        .iter()
        .map(|post| {
            let mut copy = post.clone();
            copy.link = Some(format!("https://copies.example{}", post.link.as_ref().unwrap().path()).parse().unwrap());
            copy.guid.value = copy.link.as_ref().unwrap().to_string();
            copy
        })
        .collect();
    let begun = Instant::now();
    let joined = bed.poll("copies", &copies).await.joined;
    let copied = begun.elapsed().as_secs_f64() * 1e6 / LISTED as f64;
    let cleaning = clean(&probes(&mut words, "clean"));
    let keys = cleaning.1;
    println!(
        "{size:>10} {with:>9.1} {without:>9.1} {:>9.1} {keys:>9.1} {:>8.0} % {copied:>9.1} {joined:>7}",
        with - without,
        (with - without + keys) / (with + cleaning.0) * 100.0,
    );
}

/// Microseconds an entry of polling them as new ones, all that is done off the writer left out.
async fn time(bed: &mut Bed, feed: &str, entries: &[Entry]) -> f64 {
    let now = bed.now;
    let polled = bed::polled(feed, now, entries);
    let begun = Instant::now();
    bed.store.apply(bed.config.clone(), polled).await.unwrap();
    begun.elapsed().as_secs_f64() * 1e6 / entries.len() as f64
}

/// Microseconds an entry of all that is computed from a cleaned entry, and of what recognising by text takes of it.
fn clean(entries: &[Entry]) -> (f64, f64) {
    let begun = Instant::now();
    let cleaned: Vec<_> = entries.iter().map(|entry| Cleaned::new(entry.clone())).collect();
    let all = begun.elapsed();
    let begun = Instant::now();
    for cleaned in &cleaned {
        let wording = newswire::story::Wording::of(&cleaned.entry.title, &cleaned.text);
        std::hint::black_box(wording.keys());
    }
    let each = |time: std::time::Duration| time.as_secs_f64() * 1e6 / entries.len() as f64;
    (each(all), each(begun.elapsed()))
}

fn main() {
    let wanted: Option<usize> = std::env::args().find_map(|argument| argument.parse().ok());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    println!(
        "{:>10} {:>9} {:>9} {:>9} {:>9} {:>10} {:>9} {:>7}",
        "archive", "new µs", "off µs", "text µs", "words µs", "of a poll", "copy µs", "joined"
    );
    for size in SIZES.into_iter().filter(|size| wanted.is_none_or(|wanted| wanted == *size)) {
        runtime.block_on(measure(size));
    }
}
