//! The publish loop: renders what polls, edits of the config, editors and time changed.
//!
//! At most one pass a second, so that a crowd of first polls is published together. A section that cannot be rendered keeps
//! its last good edition.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};

use super::reload;
use crate::clock;
use crate::config::Config;
use crate::feed::SectionId;
use crate::poll::PollReport;
use crate::publish::Publisher;
use crate::serve::Health;
use crate::store::Store;

/// How often a section is rendered at most: a newcomer's first polls come in by the dozen, and readers come by the minute.
const RENDER_GAP: Duration = Duration::from_secs(1);

/// Renders what polls, edits of the config and time changed.
pub(super) struct Publishing {
    pub store: Store,
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
    ) {
        let mut rendered = tokio::time::Instant::now();
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
                }
                () = tokio::time::sleep_until(rendered + RENDER_GAP), if !changed.is_empty() => {
                    let config = configs.borrow().clone();
                    changed = publish(&self.publisher, &config, &changed, &self.hub_tx).await;
                    rendered = tokio::time::Instant::now();
                }
            }
        }
        if !changed.is_empty() {
            publish(&self.publisher, &configs.borrow().clone(), &changed, &self.hub_tx).await;
        }
    }

    async fn follow(&self, config: &Arc<Config>) {
        match self.store.sync(config.clone(), clock::now()).await {
            Ok(difference) => reload::log_difference(&difference),
            Err(error) => tracing::error!(%error, "the new config could not be brought into the store"),
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
            // The hub's task ends before this one only when everything ends.
            published.changed.into_iter().for_each(|section| drop(hub_tx.send(section)));
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

/// Returns the ids of all configured sections.
pub(super) fn all_sections(config: &Config) -> BTreeSet<SectionId> {
    config.sections.iter().map(|section| section.id.clone()).collect()
}
