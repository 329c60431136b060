//! The publish loop: renders what polls, edits of the config, editors and time changed.
//!
//! At most one pass a second, so that a crowd of first polls is published together. A section that cannot be rendered keeps
//! its last good edition.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};

use super::folder::{FolderRequest, FolderWork};
use super::reload;
use crate::clock;
use crate::commit::ActiveConfig;
use crate::config::Config;
use crate::feed::SectionId;
use crate::poll::PollReport;
use crate::publish::{PublishError, Publisher};
use crate::serve::Health;
use crate::store::Store;

/// How often a section is rendered at most: a newcomer's first polls come in by the dozen, and readers come by the minute.
const RENDER_GAP: Duration = Duration::from_secs(1);

/// Renders what polls, edits of the config and time changed.
pub(super) struct Publishing {
    pub store: Store,
    pub active: ActiveConfig,
    pub publisher: Publisher,
    pub health: Health,
    /// Takes the sections that the hub is notified of.
    pub hub_tx: mpsc::UnboundedSender<SectionId>,
    /// Takes what has to be written as files.
    pub folder_work: FolderWork,
}

impl Publishing {
    /// Publishes the sections in `changed` first. Ends when no poll can end any more, after a last pass.
    pub async fn run(
        self,
        mut configs: watch::Receiver<Arc<Config>>,
        mut changed: BTreeSet<SectionId>,
        mut polled: mpsc::UnboundedReceiver<PollReport>,
        mut swept: mpsc::UnboundedReceiver<BTreeSet<SectionId>>,
        mut folders: mpsc::UnboundedReceiver<FolderRequest>,
    ) {
        let mut rendered = tokio::time::Instant::now();
        // Whether a new config is not served yet.
        let mut is_reloading = false;
        loop {
            tokio::select! {
                report = polled.recv() => {
                    let Some(report) = report else { break };
                    self.health.count(report.outcome.as_str());
                    changed.extend(report.applied.sections.into_keys());
                }
                Some(sections) = swept.recv() => changed.extend(sections),
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
                        // The command may have gone away.
                        Err(error) => drop(request.reply.send(Err(error))),
                    }
                    rendered = tokio::time::Instant::now();
                    log_reload(&mut is_reloading);
                }
                () = tokio::time::sleep_until(rendered + RENDER_GAP), if !changed.is_empty() || is_reloading => {
                    let config = configs.borrow().clone();
                    changed = publish(&self.publisher, &config, &changed, &self.hub_tx).await;
                    self.folder_work.published(&config);
                    rendered = tokio::time::Instant::now();
                    log_reload(&mut is_reloading);
                }
            }
        }
        if !changed.is_empty() {
            let config = configs.borrow().clone();
            publish(&self.publisher, &config, &changed, &self.hub_tx).await;
            self.folder_work.published(&config);
        }
    }

    async fn follow(&self, config: &Arc<Config>) {
        match self.active.follow(&self.store, config.clone(), clock::now()).await {
            Ok(difference) => reload::log_difference(&difference, config),
            Err(error) => tracing::error!(%error, "the new config could not be brought into the store"),
        }
    }

    /// Renders all that is committed, and has it written into the folder of the config.
    async fn publish_all(&self, config: &Arc<Config>) -> Result<(), PublishError> {
        let mut sections = all_sections(config);
        while !sections.is_empty() {
            let published = self.publisher.publish(config, &sections, clock::now()).await?;
            send_changed(published.changed, &self.hub_tx);
            if let Some(error) = published.errors.into_iter().next() {
                return Err(error);
            }
            sections = published.unfinished;
        }
        self.folder_work.published(config);
        Ok(())
    }
}

/// Logs that a new config is active, now that it is served.
fn log_reload(is_reloading: &mut bool) {
    if std::mem::take(is_reloading) {
        tracing::info!("config reloaded");
    }
}

/// Sends the sections that changed to the task that notifies the hub. It ends before this one only when everything ends.
fn send_changed(changed: BTreeSet<SectionId>, hub_tx: &mpsc::UnboundedSender<SectionId>) {
    changed.into_iter().for_each(|section| drop(hub_tx.send(section)));
}

/// Renders these sections. Returns the sections to publish again: one pass archives only so many stories.
pub(super) async fn publish(
    publisher: &Publisher,
    config: &Arc<Config>,
    sections: &BTreeSet<SectionId>,
    hub_tx: &mpsc::UnboundedSender<SectionId>,
) -> BTreeSet<SectionId> {
    match publisher.publish(config, sections, clock::now()).await {
        Ok(published) => {
            published.errors.iter().for_each(|error| tracing::error!(%error, "the last good edition stays"));
            send_changed(published.changed, hub_tx);
            published.unfinished
        }
        Err(error) => {
            tracing::error!(%error, "nothing could be published; the last good editions stay");
            BTreeSet::new()
        }
    }
}

/// Returns the ids of all configured sections.
pub(super) fn all_sections(config: &Config) -> BTreeSet<SectionId> {
    config.sections.iter().map(|section| section.id.clone()).collect()
}
