//! Writes the site into folders, beside the publish loop: pages are served and rendered while thousands of files are written.
//!
//! The policy held here: one folder at a time. What is published while a folder is written goes into the next pass, and the
//! last one is written before the daemon ends.

use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::{mpsc, oneshot, watch};

use crate::config::Config;
use crate::publish::{PublishError, Publisher, Written};

/// A command's wish that the site be written into a folder, with all that is committed.
pub(super) struct FolderRequest {
    /// From the root.
    pub folder: PathBuf,
    pub reply: oneshot::Sender<Result<Written, PublishError>>,
}

/// Where the publish loop says what has to be written. Dropping it ends the writer, after a last pass.
pub(super) struct FolderWork {
    /// The config of what was published last.
    published: watch::Sender<Arc<Config>>,
    requests: mpsc::UnboundedSender<(FolderRequest, Arc<Config>)>,
}

/// What [`FolderWork`] asks for, to be done by [`FolderTask::run`].
pub(super) struct FolderTask {
    publisher: Publisher,
    published: watch::Receiver<Arc<Config>>,
    requests: mpsc::UnboundedReceiver<(FolderRequest, Arc<Config>)>,
}

/// Returns both ends. Nothing is written before the first [`FolderWork::published`].
pub(super) fn folder_task(publisher: Publisher, config: Arc<Config>) -> (FolderWork, FolderTask) {
    let (published, publications) = watch::channel(config);
    let (requests, asked) = mpsc::unbounded_channel();
    (FolderWork { published, requests }, FolderTask { publisher, published: publications, requests: asked })
}

impl FolderWork {
    /// Has the configured folder written, with what is published now. Never waits.
    pub fn published(&self, config: &Arc<Config>) {
        self.published.send_replace(config.clone());
    }

    /// Has a folder written for a command. Never waits.
    pub fn write(&self, request: FolderRequest, config: &Arc<Config>) {
        // The writer ends after this end is dropped.
        let _ = self.requests.send((request, config.clone()));
    }
}

impl FolderTask {
    /// Writes until the other end is dropped and nothing is left to be written.
    pub async fn run(mut self) {
        loop {
            tokio::select! {
                biased;
                Some((request, config)) = self.requests.recv() => self.answer(request, &config).await,
                changed = self.published.changed() => match changed {
                    Ok(()) => self.write_configured().await,
                    Err(_) => break,
                },
            }
        }
        while let Ok((request, config)) = self.requests.try_recv() {
            self.answer(request, &config).await;
        }
    }

    /// Writes the folder that the config names, if it names one.
    async fn write_configured(&mut self) {
        let config = self.published.borrow_and_update().clone();
        if let Some(folder) = &config.publish.directory {
            match self.publisher.write_folder(&config, folder).await {
                Ok(written) => tracing::debug!(written.written, written.removed, "wrote the site's folder"),
                Err(error) => tracing::error!(%error, "the site's folder could not be written"),
            }
        }
    }

    async fn answer(&self, request: FolderRequest, config: &Arc<Config>) {
        let written = self.publisher.write_folder(config, &request.folder).await;
        // The command may have gone away; what it asked for is done all the same.
        let _ = request.reply.send(written);
    }
}
