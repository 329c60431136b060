//! The publish loop: renders what polls, edits of the config, editors and time changed.
//!
//! At most one pass a second, so that a crowd of first polls is published together. A section that cannot be rendered keeps
//! its last good edition.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};

use super::reload;
use crate::clock;
use crate::commit::ActiveConfig;
use crate::config::Config;
use crate::feed::SectionId;
use crate::poll::PollReport;
use crate::publish::{PublishError, Publisher, Written};
use crate::serve::Health;
use crate::store::Store;

/// How often a section is rendered at most: a newcomer's first polls come in by the dozen, and readers come by the minute.
const RENDER_GAP: Duration = Duration::from_secs(1);

/// A command's wish that the site be written into a folder, with all that is committed.
pub(super) struct FolderRequest {
    /// From the root.
    pub folder: PathBuf,
    pub reply: oneshot::Sender<Result<Written, PublishError>>,
}

/// Renders what polls, edits of the config and time changed.
pub(super) struct Publishing {
    pub store: Store,
    pub active: ActiveConfig,
    pub publisher: Publisher,
    pub health: Health,
    /// Takes the sections that the hub is notified of.
    pub hub_tx: mpsc::UnboundedSender<SectionId>,
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
                Some(FolderRequest { folder, reply }) = folders.recv() => {
                    if configs.has_changed().unwrap_or(false) {
                        is_reloading = true;
                        let config = configs.borrow_and_update().clone();
                        self.follow(&config).await;
                    }
                    let config = configs.borrow().clone();
                    let written = self.write_all(&config, &folder).await;
                    if written.is_ok() {
                        changed.clear();
                    }
                    // The command may have gone away; what it asked for is done all the same.
                    let _ = reply.send(written);
                    rendered = tokio::time::Instant::now();
                    log_reload(&mut is_reloading);
                }
                () = tokio::time::sleep_until(rendered + RENDER_GAP), if !changed.is_empty() || is_reloading => {
                    let config = configs.borrow().clone();
                    changed = publish(&self.publisher, &config, &changed, &self.hub_tx).await;
                    rendered = tokio::time::Instant::now();
                    log_reload(&mut is_reloading);
                }
            }
        }
        if !changed.is_empty() {
            publish(&self.publisher, &configs.borrow().clone(), &changed, &self.hub_tx).await;
        }
    }

    async fn follow(&self, config: &Arc<Config>) {
        match self.active.follow(&self.store, config.clone(), clock::now()).await {
            Ok(difference) => reload::log_difference(&difference, config),
            Err(error) => tracing::error!(%error, "the new config could not be brought into the store"),
        }
    }

    /// Renders all that is committed, and writes it into this folder and that of the config.
    async fn write_all(&self, config: &Arc<Config>, folder: &Path) -> Result<Written, PublishError> {
        let mut sections = all_sections(config);
        loop {
            let published = self.publisher.publish(config, &sections, clock::now()).await?;
            send_changed(published.changed, &self.hub_tx);
            if let Some(error) = published.errors.into_iter().next() {
                return Err(error);
            }
            sections = published.unfinished;
            if sections.is_empty() {
                break;
            }
        }
        if config.publish.directory.as_deref() != Some(folder) {
            write_configured(&self.publisher, config).await;
        }
        self.publisher.write_folder(config, folder).await
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

/// Writes the folder that the config names, if it names one.
async fn write_configured(publisher: &Publisher, config: &Arc<Config>) {
    if let Some(folder) = &config.publish.directory {
        match publisher.write_folder(config, folder).await {
            Ok(written) => tracing::debug!(written.written, written.removed, "wrote the site's folder"),
            Err(error) => tracing::error!(%error, "the site's folder could not be written"),
        }
    }
}

/// Renders these sections and writes the folder. Returns the sections to publish again: one pass archives only so many stories.
pub(super) async fn publish(
    publisher: &Publisher,
    config: &Arc<Config>,
    sections: &BTreeSet<SectionId>,
    hub_tx: &mpsc::UnboundedSender<SectionId>,
) -> BTreeSet<SectionId> {
    let unfinished = match publisher.publish(config, sections, clock::now()).await {
        Ok(published) => {
            published.errors.iter().for_each(|error| tracing::error!(%error, "the last good edition stays"));
            send_changed(published.changed, hub_tx);
            published.unfinished
        }
        Err(error) => {
            tracing::error!(%error, "nothing could be published; the last good editions stay");
            BTreeSet::new()
        }
    };
    write_configured(publisher, config).await;
    unfinished
}

/// Returns the ids of all configured sections.
pub(super) fn all_sections(config: &Config) -> BTreeSet<SectionId> {
    config.sections.iter().map(|section| section.id.clone()).collect()
}
