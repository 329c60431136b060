//! Measures the cost of publishing a section after one new story, with archives of 1,000, 100,000 and 1,000,000
//! stories.
//!
//! `cargo bench --bench editions` prints a table; `-- 100000` measures one size only. The whole archive is in one
//! section, which shows 100 stories; the other stories are in its archive documents. *read* is the time to read the
//! section from the store, and *render* the time to render Atom, RSS and JSON Feed. *publish* is both, plus the pages
//! and the records in the store. It does not include compression, because a document is compressed when a reader asks
//! for it. All times are medians.
#![allow(
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a benchmark prints its figures, and ends where something is wrong"
)]

#[path = "../tests/it/support/bed.rs"]
mod bed;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use bed::{Bed, config, entry, start};
use newswire::feed::SectionId;
use newswire::publish::Publisher;
use newswire::render::{self, Pages, SectionView};
use newswire::section::ShownStory;

const SIZES: [usize; 3] = [1_000, 100_000, 1_000_000];

/// The number of entries per poll.
const LISTED: usize = 1_000;

/// The number of publications that are measured; each figure is their median.
const RUNS: usize = 21;

fn post(number: usize) -> newswire::entry::Entry {
    let mut post = entry(
        &format!("https://site.example/{number}"),
        &format!("The council meets for the {number}th time"),
        &format!("Words of the {number}th meeting, as they were said. ").repeat(30),
    );
    post.published = Some(start() + Duration::from_secs(number as u64));
    post
}

async fn measure(size: usize) {
    let mut bed = Bed::new(config(
        "[site]\ntitle = \"Bench\"\nurl = \"https://news.example.org/\"\n[stories]\ndedup = \"off\"\n\
         [[feed]]\nid = \"archive\"\nurl = \"https://site.example/feed\"\n\
         [[section]]\nid = \"all\"\ntitle = \"All\"\nfeeds = [\"*\"]\nlimit = 100\n",
    ))
    .await;
    let publisher = Publisher::new(bed.store.clone(), Pages::new(&[]).expect("the built-in templates are sound"));
    let all = BTreeSet::from([SectionId::from("all")]);
    let begun = Instant::now();
    for from in (0..size).step_by(LISTED) {
        let posts: Vec<_> = (from..from + LISTED).map(post).collect();
        bed.now = start() + Duration::from_secs(size as u64);
        bed.poll("archive", &posts).await;
        publish(&publisher, &bed, &all).await;
    }
    let filled = begun.elapsed().as_secs_f64();
    let (mut reading, mut rendering, mut publishing) = (Vec::new(), Vec::new(), Vec::new());
    for run in 0..RUNS {
        bed.poll("archive", &[post(size + run)]).await;
        let begun = Instant::now();
        let stories = bed.shown("all").await;
        reading.push(begun.elapsed());
        let begun = Instant::now();
        render(&bed, &stories);
        rendering.push(begun.elapsed());
        let begun = Instant::now();
        publish(&publisher, &bed, &all).await;
        publishing.push(begun.elapsed());
    }
    let median = |mut times: Vec<Duration>| {
        times.sort();
        times[times.len() / 2].as_secs_f64() * 1e3
    };
    let [reading, rendering, publishing] = [reading, rendering, publishing].map(median);
    println!("{size:>10} {reading:>12.2} {rendering:>12.2} {publishing:>12.1} {filled:>12.0}");
}

/// Renders these stories as Atom, RSS and JSON Feed, uncompressed.
fn render(bed: &Bed, stories: &[ShownStory]) {
    let view = SectionView {
        site: &bed.config.site,
        section: &bed.config.sections[0],
        id: "https://news.example.org/all",
        hubs: &[],
        stories,
        feeds: &[],
        updated: bed.now,
        max_age: Duration::from_secs(900),
        archive: None,
        prev_archive: Some(1),
        podcast_guid: None,
    };
    let section = view.prepare();
    for write in [render::atom, render::rss, render::json] {
        std::hint::black_box(write(&section).expect("no content makes it fail"));
    }
}

async fn publish(publisher: &Publisher, bed: &Bed, sections: &BTreeSet<SectionId>) {
    let published = publisher.publish(&bed.config, sections, bed.now).await.expect("the store can be read");
    assert!(published.errors.is_empty(), "{:?}", published.errors);
}

fn main() {
    let wanted: Option<usize> = std::env::args().find_map(|argument| argument.parse().ok());
    let runtime = tokio::runtime::Runtime::new().expect("a runtime can be had");
    println!("{:>10} {:>12} {:>12} {:>12} {:>12}", "stories", "read ms", "render ms", "publish ms", "filled in s");
    for size in SIZES.into_iter().filter(|size| wanted.is_none_or(|wanted| wanted == *size)) {
        runtime.block_on(measure(size));
    }
}
