//! Measures what it costs to find out whether a new entry is a copy of another entry, in archives of 10,000, 100,000
//! and 1,000,000 entries. Also measures how many candidates are compared, and which share of a cold poll this
//! recognition takes.
//!
//! `cargo bench --bench stories` prints a table; `-- 10000` measures one size only. Archives are spread over a year;
//! the stores are in the system's folder for temporary files. Figures are microseconds of processor time per new entry,
//! so they do not depend on other work on the machine. One new entry in nine is a copy of one in the archive.
//!
//! A cold poll is a poll of feeds that newswire has never polled. They are fetched from a server on loopback, read,
//! cleaned and written, and their text is indexed; only the server's own time is excluded. Recognition is the work that
//! would not be done without it:
//!
//! - *store*: the writer's time for entries that are recognised, minus its time for entries that are not recognised and
//!   have no links. The writer finds candidates, reads and compares them, joins entries, and writes the keys by which
//!   later entries are recognised;
//! - *words*: the time to make, from the text, these keys and the words that are compared.
//!
//! Linux only.
#![allow(
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a benchmark prints its figures, and ends where something is wrong"
)]

#[path = "../../tests/it/support/bed.rs"]
mod bed;
#[path = "../wire/origin.rs"]
mod origin;
mod posts;

use std::hint::black_box;
use std::time::Duration;

use bed::{ALL, Bed, config, start};
use futures_util::future::join_all;
use newswire::commit;
use newswire::entry::Entry;
use newswire::fetch::Fetcher;
use newswire::newsroom::Applied;
use newswire::newsroom::Polled;
use newswire::poll::{Pass, Poller};
use newswire::story::{self, Wording};
use newswire::text::PlainText;
use newswire::time::Timestamp;
use newswire::{normalize, parse};
use origin::Origin;
use posts::Post;
use rustix::time::{ClockId, clock_gettime};

const SIZES: [usize; 3] = [10_000, 100_000, 1_000_000];

/// How many posts a feed of the archive lists (`ARCHIVED`), and a feed that is polled against the archive (`LISTED`).
const ARCHIVED: usize = 500;
const LISTED: usize = 25;

/// How many polls are written in one transaction.
const AT_ONCE: usize = 20;

/// How many times the writer is measured. The figures are medians.
const ROUNDS: usize = 9;

/// How many feeds of each of the kinds `news`, `apart` and `cold` are polled once the archive is stored.
const COMERS: usize = AT_ONCE * ROUNDS;

/// One new post in this many is a copy.
const COPIED: usize = 9;

const YEAR_MILLIS: usize = 365 * 24 * 3600 * 1000;

fn main() {
    let wanted: Option<usize> = std::env::args().find_map(|argument| argument.parse().ok());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    println!(
        "{:>10} {:>8} {:>9} {:>9} {:>14} {:>10} {:>9} {:>7}",
        "archive", "poll µs", "store µs", "words µs", "recognising µs", "of a poll", "compared", "joined"
    );
    for size in SIZES.into_iter().filter(|size| wanted.is_none_or(|wanted| wanted == *size)) {
        runtime.block_on(measure(size));
    }
}

async fn measure(size: usize) {
    let document = move |feed: usize, _| posts::document(feed, &news(size, COMERS + feed), true);
    let origin = Origin::start(COMERS, Box::new(document)).unwrap();
    let mut bed = Bed::new(config(&feeds(size, &origin))).await;
    bed.now = now();
    for feed in 0..size / ARCHIVED {
        let posts: Vec<_> = (feed * ARCHIVED..(feed + 1) * ARCHIVED).map(|number| archived(size, number)).collect();
        write(&bed, vec![polled(&bed, "archive", feed, &read(feed, &posts, true))]).await;
    }
    let (mut recognised, mut apart, mut words, mut applied) = (Vec::new(), Vec::new(), Vec::new(), Applied::default());
    for round in 0..ROUNDS {
        let feeds = || round * AT_ONCE..(round + 1) * AT_ONCE;
        let entries: Vec<_> = feeds().map(|feed| read(feed, &news(size, feed), true)).collect();
        words.push(make_keys(&entries));
        let polls = feeds().zip(&entries).map(|(feed, entries)| polled(&bed, "news", feed, entries)).collect();
        let (taken, found) = write(&bed, polls).await;
        recognised.push(taken);
        applied.compared += found.compared;
        applied.joined += found.joined;
        let polls = feeds().map(|feed| polled(&bed, "apart", feed, &read(feed, &news(size, feed), false))).collect();
        apart.push(write(&bed, polls).await.0);
    }
    let poll = poll_cold(&bed, &origin).await;
    let (store, words) = (median(recognised) - median(apart), median(words));
    let all = (COMERS * LISTED) as f64;
    println!(
        "{size:>10} {poll:>8.1} {store:>9.1} {words:>9.1} {:>14.1} {:>8.1} % {:>9.2} {:>5.1} %",
        store + words,
        (store + words) / poll * 100.0,
        applied.compared as f64 / all,
        applied.joined as f64 / all * 100.0,
    );
}

fn now() -> Timestamp {
    start() + Duration::from_millis(YEAR_MILLIS as u64)
}

/// Returns a post of an archive with `size` posts.
fn archived(size: usize, number: usize) -> Post {
    Post { number, published: start() + Duration::from_millis((number * (YEAR_MILLIS / size)) as u64) }
}

/// Returns the posts that a new feed lists. They have the dates of the last posts of an archive with `size` posts. Some
/// of them are copies of these posts.
fn news(size: usize, feed: usize) -> Vec<Post> {
    let post = |number: usize| {
        let latest = archived(size, size - 1 - number);
        if number.is_multiple_of(COPIED) { latest } else { Post { number: size + number, ..latest } }
    };
    (feed * LISTED..(feed + 1) * LISTED).map(post).collect()
}

/// Returns a config with four kinds of feeds. The benchmark itself stores the posts of `archive`, `news` and `apart`.
/// The posts of `apart` are not compared with other posts. The feeds of the kind `cold` are polled. Only they are
/// enabled, so a pass over all feeds polls no others.
fn feeds(size: usize, origin: &Origin) -> String {
    let kinds =
        [("archive", size / ARCHIVED, ""), ("news", COMERS, ""), ("apart", COMERS, "dedup = \"off\"\n")].into_iter();
    let written = kinds.flat_map(|(kind, count, dedup)| {
        (0..count).map(move |feed| {
            format!(
                "[[feed]]\nid = \"{kind}-{feed}\"\nurl = \"https://{kind}{feed}.example/\"\nenabled = false\n{dedup}"
            )
        })
    });
    let urls = origin.urls().into_iter().enumerate();
    let cold = urls.map(|(feed, url)| format!("[[feed]]\nid = \"cold-{feed}\"\nurl = \"{url}\"\n"));
    let feeds: String = written.chain(cold).collect();
    format!("[site]\ntitle = \"Bench\"\n[poll]\nallow = [\"127.0.0.0/8\"]\n{feeds}{ALL}")
}

/// Returns the clean entries of a document.
fn read(feed: usize, posts: &[Post], links: bool) -> Vec<Entry> {
    let document = posts::document(feed, posts, links);
    let parsed = parse::parse(document.as_bytes(), &parse::Hints::default()).unwrap();
    parsed.entries.iter().map(|entry| normalize::entry(entry, &parsed)).collect()
}

/// Makes the words and keys by which entries are recognised. Returns the time per entry.
fn make_keys(entries: &[Vec<Entry>]) -> f64 {
    let texts: Vec<_> = entries.iter().flatten().map(|entry| (entry, PlainText::of(entry))).collect();
    let begun = processor_time();
    for (entry, text) in &texts {
        black_box((Wording::of(&entry.title, text), story::link_keys(entry)));
    }
    micros_each(begun, texts.len())
}

fn polled(bed: &Bed, kind: &str, feed: usize, entries: &[Entry]) -> Polled {
    bed::polled(&format!("{kind}-{feed}"), bed.now, entries)
}

/// Writes polls. Returns the time per entry, and the sum of the results.
async fn write(bed: &Bed, polls: Vec<Polled>) -> (f64, Applied) {
    let begun = processor_time();
    let written = polls.into_iter().map(|polled| commit::apply(&bed.store, bed.config.clone(), polled));
    let applied = join_all(written).await.into_iter().map(Result::unwrap);
    let (mut all, mut entries) = (Applied::default(), 0);
    for applied in applied {
        all.compared += applied.compared;
        all.joined += applied.joined;
        entries += applied.listed;
    }
    (micros_each(begun, entries), all)
}

/// Polls all enabled feeds, and indexes their text. Returns the time per entry.
async fn poll_cold(bed: &Bed, origin: &Origin) -> f64 {
    let poller = Poller::new(bed.store.clone(), Fetcher::new(&bed.config.poll.contact), bed.config.poll.concurrency);
    while commit::index_batch(&bed.store).await.unwrap() > 0 {}
    let (begun, answering) = (processor_time(), origin_time(origin));
    let reports = poller.pass(&bed.config, &Pass::All, bed.now, |_, _| {}).await.unwrap();
    while commit::index_batch(&bed.store).await.unwrap() > 0 {}
    let answered = (origin_time(origin) - answering).as_micros() as f64;
    let new: usize = reports.iter().map(|report| report.new).sum();
    assert_eq!(new, COMERS * LISTED, "every feed is polled");
    micros_each(begun, new) - answered / new as f64
}

/// Returns the processor time of this process.
fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// Returns the processor time of the origin.
fn origin_time(origin: &Origin) -> Duration {
    let statistics = std::fs::read_to_string(origin.thread.join("schedstat")).unwrap();
    Duration::from_nanos(statistics.split(' ').next().unwrap().parse().unwrap())
}

fn micros_each(begun: Duration, entries: usize) -> f64 {
    (processor_time() - begun).as_nanos() as f64 / 1e3 / entries as f64
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}
