//! The publish loop: renders the sections that polls, config edits, editors or time changed.
//!
//! There is at most one pass per second, so that the first polls of many feeds are published together. A section that
//! cannot be rendered keeps its last good edition.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};

use super::folder::{FolderRequest, FolderWork};
use super::judging::Judging;
use super::reload;
use crate::clock;
use crate::commit::ActiveConfig;
use crate::config::Config;
use crate::feed::SectionId;
use crate::poll::PollReport;
use crate::publish::{PublishError, Publisher};
use crate::serve::Health;
use crate::store::Store;

/// The shortest time between two passes. Many first polls of a new site end within a second, and readers poll minutes
/// apart.
const RENDER_GAP: Duration = Duration::from_secs(1);

/// How often to look for sections with a selection that changes merely because time passes.
const AGING: Duration = Duration::from_secs(30);

/// The publish loop.
pub(super) struct Publishing {
    pub store: Store,
    pub active: ActiveConfig,
    pub judging: Judging,
    pub publisher: Publisher,
    pub health: Health,
    /// Wakes the task that notifies the WebSub hubs of changed sections.
    pub hubs_tx: watch::Sender<()>,
    /// Requests that folders are written.
    pub folder_work: FolderWork,
    /// Wakes the tasks that deliver messages to hooks.
    pub hooks_tx: watch::Sender<()>,
}

impl Publishing {
    /// Publishes the sections in `changed`, then every later change. When the poller has stopped, makes a last pass and
    /// returns.
    pub(super) async fn run(
        self,
        mut configs: watch::Receiver<Arc<Config>>,
        mut changed: BTreeSet<SectionId>,
        mut polled: mpsc::UnboundedReceiver<PollReport>,
        mut swept: mpsc::UnboundedReceiver<BTreeSet<SectionId>>,
        mut folders: mpsc::UnboundedReceiver<FolderRequest>,
    ) {
        let mut rendered = tokio::time::Instant::now();
        // Whether there is a new config that is not published yet.
        let mut is_reloading = false;
        let mut aging = tokio::time::interval(AGING);
        aging.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                report = polled.recv() => {
                    let Some(report) = report else { break };
                    self.health.count(report.outcome.as_str());
                    if report.applied.has_new_info {
                        self.publisher.note_new_info(report.applied.sections.keys());
                    }
                    if report.applied.has_messages {
                        self.hooks_tx.send_replace(());
                    }
                    changed.extend(report.applied.sections.into_keys());
                }
                Some(sections) = swept.recv() => changed.extend(sections),
                _ = aging.tick() => changed.extend(self.publisher.aged(clock::now())),
                Ok(()) = configs.changed() => {
                    let config = configs.borrow_and_update().clone();
                    self.follow(&config).await;
                    changed.extend(all_sections(&config));
                    is_reloading = true;
                }
                Some(request) = folders.recv() => {
                    if configs.has_changed().unwrap_or(false) {
                        is_reloading = true;
                        let config = configs.borrow_and_update().clone();
                        self.follow(&config).await;
                    }
                    let config = configs.borrow().clone();
                    match self.publish_all(&config).await {
                        Ok(()) => {
                            changed.clear();
                            self.folder_work.write(request, &config);
                        }
                        // The command may have exited.
                        Err(error) => drop(request.reply.send(Err(error))),
                    }
                    rendered = tokio::time::Instant::now();
                    log_reload(&mut is_reloading);
                }
                () = tokio::time::sleep_until(rendered + RENDER_GAP), if !changed.is_empty() || is_reloading => {
                    let config = configs.borrow().clone();
                    changed = publish(&self.publisher, &config, &changed, &self.hubs_tx).await;
                    self.folder_work.published(&config);
                    rendered = tokio::time::Instant::now();
                    log_reload(&mut is_reloading);
                }
            }
        }
        if !changed.is_empty() {
            let config = configs.borrow().clone();
            publish(&self.publisher, &config, &changed, &self.hubs_tx).await;
            self.folder_work.published(&config);
        }
    }

    async fn follow(&self, config: &Arc<Config>) {
        match self.active.follow(&self.store, config.clone(), clock::now()).await {
            Ok(difference) => reload::log_difference(&difference, config),
            Err(error) => tracing::error!(%error, "cannot apply the new config to the store"),
        }
        // The store knows new hooks only from now on.
        self.hooks_tx.send_replace(());
        self.judging.begin().await;
    }

    /// Applies changed rules to all stories, renders all sections, and requests that the configured folder is written.
    async fn publish_all(&self, config: &Arc<Config>) -> Result<(), PublishError> {
        self.judging.finish().await?;
        let mut sections = all_sections(config);
        while !sections.is_empty() {
            let published = self.publisher.publish(config, &sections, clock::now()).await?;
            wake_hubs(&published.changed, &self.hubs_tx);
            if let Some(error) = published.errors.into_iter().next() {
                return Err(error);
            }
            sections = published.unfinished;
        }
        self.folder_work.published(config);
        Ok(())
    }
}

/// Logs that a new config is active, once it is published.
fn log_reload(is_reloading: &mut bool) {
    if std::mem::take(is_reloading) {
        tracing::info!("config reloaded");
    }
}

/// Wakes the task that notifies the hubs, if sections changed.
fn wake_hubs(changed: &BTreeSet<SectionId>, hubs_tx: &watch::Sender<()>) {
    if !changed.is_empty() {
        hubs_tx.send_replace(());
    }
}

/// Renders these sections. Returns those that must be published again, because one pass archives only a limited number
/// of stories, or because changed rules are not applied to all stories yet.
pub(super) async fn publish(
    publisher: &Publisher,
    config: &Arc<Config>,
    sections: &BTreeSet<SectionId>,
    hubs_tx: &watch::Sender<()>,
) -> BTreeSet<SectionId> {
    match publisher.publish(config, sections, clock::now()).await {
        Ok(published) => {
            published.errors.iter().for_each(|error| tracing::error!(%error, "cannot publish; the last edition stays"));
            wake_hubs(&published.changed, hubs_tx);
            published.unfinished
        }
        Err(error) => {
            tracing::error!(%error, "cannot publish any section; the last editions stay");
            BTreeSet::new()
        }
    }
}

/// Returns the ids of all configured sections.
pub(super) fn all_sections(config: &Config) -> BTreeSet<SectionId> {
    config.sections.iter().map(|section| section.id.clone()).collect()
}
