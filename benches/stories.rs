//! What it costs to recognise one entry against archives of 10,000, 100,000 and 1,000,000 entries, how many candidates are
//! compared, and what share it is of what a cold poll takes from the document's bytes to the commit.
//!
//! `cargo bench --bench stories` prints a table; `-- 10000` takes one size only. Archives are written by polling, spread over
//! a year; the stores lie in the system's folder for temporary files. A figure is the median of some polls, of which each
//! brings new entries to a feed that is polled for the first time; it is processor time (of Linux), whatever else the machine
//! does.

#[path = "../tests/support/bed.rs"]
mod bed;

use bed::{ALL, Bed, config, entry, start};
use newswire::entry::Entry;
use newswire::store::Applied;
use newswire::story::{self, Wording};
use newswire::time::Timestamp;
use newswire::update::Cleaned;
use newswire::{normalize, parse};

const SIZES: [usize; 3] = [10_000, 100_000, 1_000_000];

/// Entries of one feed, which is polled once.
const LISTED: usize = 500;

/// How many polls a figure is the median of.
const POLLS: usize = 15;

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

/// The feeds of the archive, and those that come to it: with news, recognised by text or not at all, and with copies.
fn feeds(size: usize) -> String {
    let feed = |id: &str, dedup: &str| {
        format!("[[feed]]\nid = \"{id}\"\nurl = \"https://{id}.example/feed\"\ndedup = \"{dedup}\"\n")
    };
    let archive = (0..size / LISTED).map(|number| feed(&format!("archive-{number}"), "text"));
    let comers = [("news", "text"), ("apart", "off"), ("copies", "text")];
    let comers = comers.iter().flat_map(|(id, dedup)| (0..POLLS).map(move |poll| feed(&format!("{id}-{poll}"), dedup)));
    archive.chain(comers).collect()
}

async fn measure(size: usize) {
    let mut bed = Bed::new(config(&format!("[site]\ntitle = \"Bench\"\n{}{ALL}", feeds(size)))).await;
    bed.now = now();
    let mut words = Words { state: 0x2545_F491_4F6C_DD1D };
    let mut archive = Vec::new();
    for number in 0..size / LISTED {
        let posts: Vec<_> = (0..LISTED).map(|at| post(number * LISTED + at, size, &mut words)).collect();
        time(&bed, &format!("archive-{number}"), &posts).await;
        archive = posts;
    }
    let (mut news, mut apart, mut copied, mut applied) = (Vec::new(), Vec::new(), Vec::new(), Applied::default());
    for poll in 0..POLLS {
        let feed = format!("news-{poll}");
        let (each, found) = time(&bed, &feed, &moved(&latest(size, &mut words), &feed)).await;
        applied.compared += found.compared;
        news.push(each);
        let feed = format!("apart-{poll}");
        apart.push(time(&bed, &feed, &moved(&latest(size, &mut words), &feed)).await.0);
        let feed = format!("copies-{poll}");
        let (each, found) = time(&bed, &feed, &moved(&archive, &feed)).await;
        applied.joined += found.joined;
        copied.push(each);
    }
    let [news, apart, copied] = [news, apart, copied].map(median);
    let (reading, cleaning, keys) = read(&latest(size, &mut words));
    println!(
        "{size:>10} {news:>9.1} {apart:>9.1} {:>9.1} {:>9.1} {:>8.0} % {:>10.2} {copied:>9.1} {:>7}",
        news - apart,
        keys,
        (news - apart + keys) / (news + reading + cleaning) * 100.0,
        applied.compared as f64 / (POLLS * LISTED) as f64,
        applied.joined,
    );
}

/// Entries of the archive's last days that nobody has told.
fn latest(size: usize, words: &mut Words) -> Vec<Entry> {
    (0..LISTED).map(|number| post(size - 1 - number, size, words)).collect()
}

/// The entries as another site has them.
fn moved(entries: &[Entry], feed: &str) -> Vec<Entry> {
    let moved = entries.iter().map(|entry| {
        let page = format!("https://{feed}.example{}", entry.link.as_ref().unwrap().path());
        let mut moved = entry.clone();
        (moved.guid.value, moved.link) = (page.clone(), Some(page.parse().unwrap()));
        moved
    });
    moved.collect()
}

/// Microseconds an entry of polling them as new ones, all that is done off the writer left out.
async fn time(bed: &Bed, feed: &str, entries: &[Entry]) -> (f64, Applied) {
    let polled = bed::polled(feed, bed.now, entries);
    let begun = processor_time();
    let applied = bed.store.apply(bed.config.clone(), polled).await.unwrap();
    (micros_each(begun, entries), applied)
}

/// What this process has had of the processors, in nanoseconds.
fn processor_time() -> u64 {
    let of_thread = |thread: std::io::Result<std::fs::DirEntry>| {
        let statistics = std::fs::read_to_string(thread.unwrap().path().join("schedstat")).unwrap();
        statistics.split(' ').next().unwrap().parse::<u64>().unwrap()
    };
    std::fs::read_dir("/proc/self/task").unwrap().map(of_thread).sum()
}

fn micros_each(begun: u64, entries: &[Entry]) -> f64 {
    (processor_time() - begun) as f64 / 1e3 / entries.len() as f64
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

/// Microseconds an entry of parsing and sanitizing a document with them, of all that is computed from an entry that was read,
/// and of what recognising takes of that.
fn read(entries: &[Entry]) -> (f64, f64, f64) {
    let item = |entry: &Entry| {
        let (link, title) = (entry.link.as_ref().unwrap(), &entry.title);
        let html = html_escape::encode_text(entry.content_html.as_ref().unwrap()).into_owned();
        format!(
            "<item><guid>{link}</guid><link>{link}</link><title>{title}</title><description>{html}</description></item>"
        )
    };
    let items = entries.iter().map(item).collect::<String>();
    let document = format!("<rss version=\"2.0\"><channel><title>Bench</title>{items}</channel></rss>");
    let begun = processor_time();
    let feed = parse::parse(document.as_bytes(), &parse::Hints::default()).unwrap();
    let read: Vec<Entry> = feed.entries.iter().map(|entry| normalize::entry(entry, &feed)).collect();
    let reading = micros_each(begun, entries);
    let begun = processor_time();
    let cleaned: Vec<_> = read.into_iter().map(Cleaned::new).collect();
    let cleaning = micros_each(begun, entries);
    let begun = processor_time();
    for cleaned in &cleaned {
        std::hint::black_box(Wording::of(&cleaned.entry.title, &cleaned.text));
        std::hint::black_box(story::link_keys(&cleaned.entry));
    }
    (reading, cleaning, micros_each(begun, entries))
}

fn main() {
    let wanted: Option<usize> = std::env::args().find_map(|argument| argument.parse().ok());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    println!(
        "{:>10} {:>9} {:>9} {:>9} {:>9} {:>10} {:>10} {:>9} {:>7}",
        "archive", "new µs", "off µs", "text µs", "words µs", "of a poll", "compared", "copy µs", "joined"
    );
    for size in SIZES.into_iter().filter(|size| wanted.is_none_or(|wanted| wanted == *size)) {
        runtime.block_on(measure(size));
    }
}
