//! Measures each stage of a poll alone, in this process, through the library. So the figures leave out the cost of
//! connecting the stages.

use std::collections::BTreeSet;
use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;

use newswire::clock;
use newswire::commit;
use newswire::config::{Config, Feed};
use newswire::entry::{Entry, OtherGuids, SharedKeys};
use newswire::feed::{PollHints, Validators};
use newswire::fetch::{Fetched, Fetcher};
use newswire::newsroom::{Cleaned, Outcome, Polled, PolledDocument, PolledEntry};
use newswire::parse::{self, Hints, ParsedFeed};
use newswire::publish::Publisher;
use newswire::render::Pages;
use newswire::schedule::next::NextPoll;
use newswire::store::{Store, StoreError};
use newswire::{files, normalize};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::origin::Origin;
use crate::program;

/// How many requests the fetching stage sends at the same time.
const IN_FLIGHT: usize = 64;

/// How many times to repeat the publishing. Publishing once takes milliseconds, which is too short to measure: the
/// system counts processor time in hundredths of a second.
const PUBLISHINGS: usize = 10;

/// The processor time of a stage, in seconds.
pub struct Stage {
    pub name: &'static str,
    pub cpu: f64,
    pub part: Part,
}

/// The work that a stage is part of.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// A poll of feeds that are not in the store yet.
    Cold,
    /// The work of the stage before, done by the underlying crate alone.
    Crate,
    /// A poll that brings only 304s.
    Known,
    /// Publishing.
    Edition,
}

/// Runs every stage once; the store is created in `folder`.
pub fn measure(origin: &Origin, config: &Path, folder: &Path) -> anyhow::Result<Vec<Stage>> {
    let config = Arc::new(files::load(config)?.config);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let mut stages = Stages { origin, done: Vec::new() };

    let fetcher = Fetcher::new(&config.poll.contact);
    let none = vec![Validators::default(); config.feeds.len()];
    let validators = stages.time("fetch", Part::Cold, || runtime.block_on(fetch(&fetcher, &config, &none)))?;
    stages.time("fetch, all 304", Part::Known, || runtime.block_on(fetch(&fetcher, &config, &validators)))?;

    let bodies = origin.bodies();
    let parsed = stages.time("parse", Part::Cold, || {
        let parsed = bodies.iter().zip(&config.feeds).map(|(body, feed)| parse(body, feed));
        Ok(parsed.collect::<Result<Vec<_>, _>>()?)
    })?;
    stages.time("feed-rs alone", Part::Crate, || {
        Ok(bodies.iter().try_for_each(|body| feed_rs::parser::parse(&body[..]).map(|feed| drop(black_box(feed))))?)
    })?;
    let entries = stages.time("normalize", Part::Cold, || {
        let clean = |feed: &ParsedFeed| feed.entries.iter().map(|entry| normalize::entry(entry, feed)).collect();
        Ok(parsed.iter().map(clean).collect::<Vec<Vec<Entry>>>())
    })?;
    stages.time("ammonia alone", Part::Crate, || {
        let contents = parsed.iter().flat_map(|feed| &feed.entries).filter_map(|entry| entry.content.as_ref());
        contents.for_each(|content| drop(black_box(ammonia::clean(&content.value))));
        Ok(())
    })?;
    let cleaned = stages.time("plain text, fingerprint, links", Part::Cold, || {
        let cleaned = entries.into_iter().map(|entries| {
            entries.into_iter().map(|entry| Cleaned::new(entry, newswire::store::encode_entry)).collect()
        });
        Ok(cleaned.collect::<Vec<Vec<Cleaned>>>())
    })?;

    let store = Store::open(&folder.join("stages.db"), "a benchmark")?;
    runtime.block_on(commit::sync(&store, config.clone(), clock::now()))?;
    let documents = parsed.into_iter().zip(cleaned).zip(&validators);
    let documents = documents.map(|((parsed, cleaned), validators)| document(parsed, cleaned, validators.clone()));
    let cold = polls(&config, documents);
    stages.time("store, one writer", Part::Cold, || Ok(runtime.block_on(apply(&store, &config, cold))?))?;
    stages.time("text index", Part::Cold, || Ok(runtime.block_on(index(&store))?))?;
    let known = polls(&config, validators.into_iter().map(|validators| Outcome::NotModified { validators }));
    stages.time("store, all 304", Part::Known, || Ok(runtime.block_on(apply(&store, &config, known))?))?;

    let first = BTreeSet::from([config.sections[0].id.clone()]);
    stages.time("publish 100 stories, 10 times", Part::Edition, || {
        for _ in 0..PUBLISHINGS {
            let publisher = Publisher::new(store.clone(), Pages::new(&[])?);
            runtime.block_on(publisher.publish(&config, &first, clock::now()))?;
        }
        Ok(())
    })?;
    Ok(stages.done)
}

/// The stages that have been measured.
struct Stages<'o> {
    origin: &'o Origin,
    done: Vec<Stage>,
}

impl Stages<'_> {
    fn time<T>(
        &mut self,
        name: &'static str,
        part: Part,
        work: impl FnOnce() -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        let begun = own_cpu(self.origin)?;
        let made = work()?;
        self.done.push(Stage { name, cpu: own_cpu(self.origin)? - begun, part });
        Ok(made)
    }
}

/// Returns the processor time of this process without that of the origin.
fn own_cpu(origin: &Origin) -> std::io::Result<f64> {
    Ok(program::cpu(Path::new("/proc/self"))? - program::cpu(&origin.thread)?)
}

/// Requests every feed. Returns the validators in the order of the feeds.
async fn fetch(fetcher: &Fetcher, config: &Config, validators: &[Validators]) -> anyhow::Result<Vec<Validators>> {
    let flights = Arc::new(Semaphore::new(IN_FLIGHT));
    let mut attempts = JoinSet::new();
    for (number, (feed, validators)) in config.feeds.iter().zip(validators).enumerate() {
        let (fetcher, feed, validators, flights) = (fetcher.clone(), feed.clone(), validators.clone(), flights.clone());
        attempts.spawn(async move {
            let _flight = flights.acquire_owned().await;
            let permit = fetcher.host_permit(&feed, None).await;
            let validators = match fetcher.get(&feed, None, &validators, permit, None).await.result? {
                Fetched::NotModified { validators } => validators,
                Fetched::Document(document) => document.validators,
            };
            anyhow::Ok((number, validators))
        });
    }
    let mut given = attempts.join_all().await.into_iter().collect::<Result<Vec<_>, _>>()?;
    given.sort_unstable_by_key(|(number, _)| *number);
    Ok(given.into_iter().map(|(_, validators)| validators).collect())
}

fn parse(body: &[u8], feed: &Feed) -> Result<ParsedFeed, parse::ParseError> {
    parse::parse(body, &Hints { content_type: Some("application/xml"), base: Some(&feed.url.secret) })
}

fn document(parsed: ParsedFeed, cleaned: Vec<Cleaned>, validators: Validators) -> Outcome {
    let entries = parsed.entries.iter().zip(cleaned).map(|(entry, cleaned)| PolledEntry {
        guid: entry.guid.value.clone(),
        other_guids: OtherGuids::default(),
        raw_hash: entry.raw_hash,
        cleaned: Some(Box::new(cleaned)),
    });
    Outcome::Document(Box::new(PolledDocument {
        validators: Some(validators),
        info: normalize::info(&parsed),
        entries: entries.collect(),
        repairs: Vec::new(),
        hints: PollHints::default(),
        fresh: 0,
        has_gap: false,
        guids_repaired: SharedKeys::default(),
    }))
}

/// Returns a poll of each feed, with the outcome from `outcomes`.
fn polls(config: &Config, outcomes: impl Iterator<Item = Outcome>) -> Vec<Polled> {
    let now = clock::now();
    let polled = |(feed, outcome): (&Arc<Feed>, Outcome)| Polled {
        feed: feed.id.clone(),
        at: now,
        duration_ms: 0,
        status: None,
        outcome,
        next: NextPoll { at: now, hold_until: None, hold_why: None, host_hold: None },
        failures: 0,
        per_day: None,
        start: None,
        permanent: None,
        public_origin: None,
    };
    config.feeds.iter().zip(outcomes).map(polled).collect()
}

async fn apply(store: &Store, config: &Arc<Config>, polled: Vec<Polled>) -> Result<(), StoreError> {
    let mut writes = JoinSet::new();
    for polled in polled {
        let (store, config) = (store.clone(), config.clone());
        writes.spawn(async move { commit::apply(&store, config, polled).await });
    }
    writes.join_all().await.into_iter().try_for_each(|applied| applied.map(drop))
}

async fn index(store: &Store) -> Result<(), StoreError> {
    while commit::index_batch(store).await? > 0 {}
    Ok(())
}
