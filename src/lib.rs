//! newswire: polls feeds, recognises the stories in them, and republishes them by section.
//!
//! Four floors; imports go down only, and `tests/architecture.rs` holds it so. Decide in values, act at the edges.
//!
//! | floor | modules | what they may do |
//! |---|---|---|
//! | 3, the daemon | [`cli`], [`control`], [`poll`], [`publish`], [`serve`], [`status`], [`trial`] | bring the others together; the only floor with a clock |
//! | 2, the edges | [`fetch`], [`store`], [`files`] | I/O, each outside crate in one place; they do not know each other |
//! | 1, the core | [`config`], [`parse`], [`normalize`], [`text`], [`link`], [`query`], [`story`], [`newsroom`], [`rule`], [`section`], [`schedule`], [`render`] | values in, values out |
//! | 0, the words | [`entry`], [`feed`], [`time`], [`duration`], [`foreign`] | nothing: they are what the others speak of |
//!
//! The way of one entry, with no way back: [`fetch`] gets a document, [`parse`] and [`normalize`] read it on the blocking
//! pool, the [`store`]'s writer asks [`newsroom::Plan`] what is new and applies it in one transaction with the feed's
//! validators and next poll, [`publish`] renders the sections that changed, [`serve`] answers from memory.
#![forbid(unsafe_code)]

pub mod cli;
pub mod config;
pub mod control;
pub mod duration;
pub mod entry;
pub mod feed;
pub mod fetch;
pub mod files;
pub mod foreign;
pub mod link;
pub mod newsroom;
pub mod normalize;
pub mod parse;
pub mod poll;
pub mod publish;
pub mod query;
pub mod render;
pub mod rule;
pub mod schedule;
pub mod section;
pub mod serve;
pub mod status;
pub mod store;
pub mod story;
pub mod text;
pub mod time;
pub mod trial;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use config::Config;
use feed::SectionId;
use fetch::Fetcher;
use poll::Poller;
use publish::{Publisher, hub};
use serve::{Health, Listener};
use store::{Difference, Store, StoreError};

/// How often a section is rendered at most: a newcomer's first polls come in by the dozen, and readers come by the minute.
const RENDER_GAP: Duration = Duration::from_secs(1);

/// How often it is looked for stories whose standing time alone changes.
const SWEEP: Duration = Duration::from_secs(60);

/// How often words are let go that are older than `[store] keep`.
const RETENTION: Duration = Duration::from_secs(24 * 3600);

/// Everything that a running newswire is made of. The caller binds the listeners and decides when it ends.
pub struct Newswire {
    pub store: Store,
    pub poller: Poller,
    /// What the hub is told by.
    pub fetcher: Fetcher,
    pub publisher: Publisher,
    pub health: Health,
    /// The config in force; every new value is applied whole.
    pub configs: watch::Receiver<Arc<Config>>,
    pub public: Listener,
    pub admin: Listener,
    /// Where commands ask for what only the daemon may do; `None` where the system gives no such place.
    pub control: Option<Listener>,
}

/// Polls, publishes and serves until `shutdown`; returns when nothing is left to be written.
///
/// # Errors
///
/// If the store cannot be brought in line with the config at the start. Later failures are logged, and what runs goes on.
pub async fn run(newswire: Newswire, shutdown: CancellationToken) -> Result<(), StoreError> {
    let Newswire { store, poller, fetcher, publisher, health, configs, public, admin, control } = newswire;
    let health = health.watching(poller.watch());
    let config = configs.borrow().clone();
    log_difference(&store.sync(config.clone(), poll::now()).await?);
    let (tidings, told) = mpsc::unbounded_channel();
    let unfinished = publish(&publisher, &config, &all_sections(&config), &tidings).await;
    health.set_ready();

    let (reports, polled) = mpsc::unbounded_channel();
    let (swept, changes) = mpsc::unbounded_channel();
    let publishing = Publishing { store: store.clone(), publisher: publisher.clone(), health: health.clone(), tidings };
    let desk = control::Desk {
        store: store.clone(),
        poller: poller.clone(),
        publisher: publisher.clone(),
        configs: configs.clone(),
        reports: reports.clone(),
        changed: swept.clone(),
    };
    tokio::join!(
        desk.serve(control, shutdown.clone()),
        poller.run(configs.clone(), reports, shutdown.clone()),
        publishing.run(configs.clone(), unfinished, polled, changes),
        hub::run(fetcher, configs.clone(), told, shutdown.clone()),
        keep_house(store.clone(), configs.clone(), swept, shutdown.clone()),
        serve::public(public, publisher, configs, shutdown.clone()),
        serve::admin(admin, store, health, shutdown),
    );
    Ok(())
}

fn all_sections(config: &Config) -> BTreeSet<SectionId> {
    config.sections.iter().map(|section| section.id.clone()).collect()
}

/// Renders what polls, edits of the config and time changed.
struct Publishing {
    store: Store,
    publisher: Publisher,
    health: Health,
    /// The sections of which the hub has to hear.
    tidings: mpsc::UnboundedSender<SectionId>,
}

impl Publishing {
    /// Begins with the sections that are `changed`; ends when nobody can poll any more.
    async fn run(
        self,
        mut configs: watch::Receiver<Arc<Config>>,
        mut changed: BTreeSet<SectionId>,
        mut polled: mpsc::UnboundedReceiver<poll::PollReport>,
        mut swept: mpsc::UnboundedReceiver<BTreeSet<SectionId>>,
    ) {
        let mut rendered = tokio::time::Instant::now();
        loop {
            tokio::select! {
                report = polled.recv() => {
                    let Some(report) = report else { break };
                    self.health.count(&report);
                    changed.extend(report.applied.sections.into_keys());
                }
                Some(sections) = swept.recv() => changed.extend(sections),
                Ok(()) = configs.changed() => {
                    let config = configs.borrow_and_update().clone();
                    self.follow(&config).await;
                    changed.extend(all_sections(&config));
                }
                () = tokio::time::sleep_until(rendered + RENDER_GAP), if !changed.is_empty() => {
                    let config = configs.borrow().clone();
                    changed = publish(&self.publisher, &config, &changed, &self.tidings).await;
                    rendered = tokio::time::Instant::now();
                }
            }
        }
        if !changed.is_empty() {
            publish(&self.publisher, &configs.borrow().clone(), &changed, &self.tidings).await;
        }
    }

    async fn follow(&self, config: &Arc<Config>) {
        match self.store.sync(config.clone(), poll::now()).await {
            Ok(difference) => log_difference(&difference),
            Err(error) => tracing::error!(%error, "the new config could not be brought into the store"),
        }
    }
}

/// Returns the sections that have to be published again, as they have more to archive than one time does.
async fn publish(
    publisher: &Publisher,
    config: &Arc<Config>,
    sections: &BTreeSet<SectionId>,
    tidings: &mpsc::UnboundedSender<SectionId>,
) -> BTreeSet<SectionId> {
    let unfinished = match publisher.publish(config, sections, poll::now()).await {
        Ok(published) => {
            published.errors.iter().for_each(|error| tracing::error!(%error, "the last good edition stays"));
            // Whoever tells the hub ends before this does only when all ends.
            published.changed.into_iter().for_each(|section| drop(tidings.send(section)));
            published.unfinished
        }
        Err(error) => {
            tracing::error!(%error, "nothing could be published; the last good editions stay");
            BTreeSet::new()
        }
    };
    if let Some(folder) = &config.publish.directory {
        match publisher.write_folder(config, folder).await {
            Ok(written) => tracing::debug!(written.written, written.removed, "wrote the site's folder"),
            Err(error) => tracing::error!(%error, "the site's folder could not be written"),
        }
    }
    unfinished
}

/// What time does: stories age out, words are let go, and the text index follows. All in small steps between polls.
async fn keep_house(
    store: Store,
    configs: watch::Receiver<Arc<Config>>,
    swept: mpsc::UnboundedSender<BTreeSet<SectionId>>,
    shutdown: CancellationToken,
) {
    let mut sweeps = tokio::time::interval(SWEEP);
    let mut retentions = tokio::time::interval(RETENTION);
    let mut indexing = tokio::time::interval(Duration::from_secs(2));
    for interval in [&mut sweeps, &mut retentions, &mut indexing] {
        interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    }
    // One that lasts is logged once: the index is looked after every other second.
    let mut failing = None;
    loop {
        let config = configs.borrow().clone();
        let result = tokio::select! {
            () = shutdown.cancelled() => return,
            _ = sweeps.tick() => store.sweep(config, poll::now()).await.map(|moves| moves.into_keys().collect()),
            _ = retentions.tick() => retain(&store, &config).await,
            _ = indexing.tick() => index(&store, &configs).await,
        };
        let error = result.as_ref().err().map(StoreError::to_string);
        match result {
            Ok(sections) if sections.is_empty() => {}
            // Whoever publishes ends before this does only when all ends.
            Ok(sections) => drop(swept.send(sections)),
            Err(_) if error == failing => {}
            Err(error) => tracing::error!(%error, "housekeeping failed; it will be done again"),
        }
        failing = error;
    }
}

async fn retain(store: &Store, config: &Arc<Config>) -> Result<BTreeSet<SectionId>, StoreError> {
    let mut changed = BTreeSet::new();
    loop {
        let (done, moves) = store.retain_batch(config.clone(), poll::now()).await?;
        changed.extend(moves.into_keys());
        if done == 0 {
            return Ok(changed);
        }
    }
}

async fn index(store: &Store, configs: &watch::Receiver<Arc<Config>>) -> Result<BTreeSet<SectionId>, StoreError> {
    // What readers search goes first.
    let config = || configs.borrow().clone();
    while store.index_public_batch(config()).await? > 0 {}
    while store.index_batch().await? > 0 {}
    Ok(BTreeSet::new())
}

/// One line for each thing that a config changed.
fn log_difference(difference: &Difference) {
    for feed in &difference.feeds_added {
        tracing::info!(%feed, "feed added");
    }
    for feed in &difference.feeds_removed {
        tracing::info!(%feed, "feed removed");
    }
    for feed in &difference.feeds_moved {
        tracing::info!(%feed, "feed has another address");
    }
    if difference.renamed > 0 {
        let stories = difference.renamed;
        tracing::warn!(stories, "stories got new ids or addresses; the old ones showed what private feeds say");
    }
    for change in &difference.sections {
        let (section, moves) = (&change.section, &change.moves);
        let (entered, left) = (moves.entered, moves.left);
        tracing::info!(%section, "section {}: {entered} stories in, {left} out", change.kind.as_str());
    }
}
