//! What it costs to publish a section when one story came, from archives of 1,000, 100,000 and 1,000,000 stories.
//!
//! `cargo bench --bench editions` prints a table; `-- 100000` takes one size only. All of the archive is in one section, which
//! shows 100; what it shows no more is in its archive documents. Medians.

#[path = "../tests/support/bed.rs"]
mod bed;

use std::collections::BTreeSet;
use std::time::Instant;

use bed::{Bed, config, entry, start};
use newswire::feed::SectionId;
use newswire::publish::Publisher;
use newswire::render::Pages;

const SIZES: [usize; 3] = [1_000, 100_000, 1_000_000];

/// Entries of one poll.
const LISTED: usize = 1_000;

/// How many publications one figure is of.
const RUNS: usize = 21;

fn post(number: usize) -> newswire::entry::Entry {
    let mut post = entry(
        &format!("https://site.example/{number}"),
        &format!("The council meets for the {number}th time"),
        &format!("Words of the {number}th meeting, as they were said. ").repeat(30),
    );
    post.published = Some(start() + std::time::Duration::from_secs(number as u64));
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
        bed.now = start() + std::time::Duration::from_secs(size as u64);
        bed.poll("archive", &posts).await;
        publish(&publisher, &bed, &all).await;
    }
    let filled = begun.elapsed().as_secs_f64();
    let (mut reading, mut publishing) = (Vec::new(), Vec::new());
    for run in 0..RUNS {
        bed.poll("archive", &[post(size + run)]).await;
        let begun = Instant::now();
        bed.shown("all").await;
        reading.push(begun.elapsed());
        let begun = Instant::now();
        publish(&publisher, &bed, &all).await;
        publishing.push(begun.elapsed());
    }
    let median = |mut times: Vec<std::time::Duration>| {
        times.sort();
        times[times.len() / 2].as_secs_f64() * 1e3
    };
    println!("{size:>10} {:>12.2} {:>12.1} {filled:>12.0}", median(reading), median(publishing));
}

async fn publish(publisher: &Publisher, bed: &Bed, sections: &BTreeSet<SectionId>) {
    let published = publisher.publish(&bed.config, sections, bed.now).await.expect("the store can be read");
    assert!(published.errors.is_empty(), "{:?}", published.errors);
}

fn main() {
    let wanted: Option<usize> = std::env::args().find_map(|argument| argument.parse().ok());
    let runtime = tokio::runtime::Runtime::new().expect("a runtime can be had");
    println!("{:>10} {:>12} {:>12} {:>12}", "stories", "reading ms", "publish ms", "filled in s");
    for size in SIZES.into_iter().filter(|size| wanted.is_none_or(|wanted| wanted == *size)) {
        runtime.block_on(measure(size));
    }
}
