//! Writes the site into folders, in parallel with the publish loop, so that rendering and serving continue while
//! thousands of files are written.
//!
//! The policy of this module: one folder is written at a time. Changes that are published meanwhile are written in the
//! next pass, and the last pass ends before the daemon stops.

use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::{mpsc, oneshot, watch};

use crate::config::Config;
use crate::publish::{PublishError, Publisher, Written};

/// A command's request to write the site into a folder, with all committed changes.
pub(super) struct FolderRequest {
    /// An absolute path.
    pub folder: PathBuf,
    pub reply: oneshot::Sender<Result<Written, PublishError>>,
}

/// The publish loop's handle of the folder writer. Dropping it stops the writer after a last pass.
pub(super) struct FolderWork {
    /// The config of the last publication.
    published: watch::Sender<Arc<Config>>,
    requests: mpsc::UnboundedSender<(FolderRequest, Arc<Config>)>,
}

/// The folder writer; [`FolderTask::run`] does what [`FolderWork`] requests.
pub(super) struct FolderTask {
    publisher: Publisher,
    published: watch::Receiver<Arc<Config>>,
    requests: mpsc::UnboundedReceiver<(FolderRequest, Arc<Config>)>,
}

/// Creates a folder writer and its handle. The writer does not write the configured folder before the first
/// [`FolderWork::published`].
pub(super) fn folder_task(publisher: Publisher, config: Arc<Config>) -> (FolderWork, FolderTask) {
    let (published, publications) = watch::channel(config);
    let (requests, requested) = mpsc::unbounded_channel();
    (FolderWork { published, requests }, FolderTask { publisher, published: publications, requests: requested })
}

impl FolderWork {
    /// Requests that the current publication is written into the configured folder. Returns at once.
    pub(super) fn published(&self, config: &Arc<Config>) {
        self.published.send_replace(config.clone());
    }

    /// Requests that a folder is written for a command. Returns at once.
    pub(super) fn write(&self, request: FolderRequest, config: &Arc<Config>) {
        // Sending cannot fail: the writer stops only after this handle is dropped.
        let _ = self.requests.send((request, config.clone()));
    }
}

impl FolderTask {
    /// Writes folders until the handle is dropped and nothing is left to write.
    pub(super) async fn run(mut self) {
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

    /// Writes the configured folder, if there is one.
    async fn write_configured(&mut self) {
        let config = self.published.borrow_and_update().clone();
        if let Some(folder) = &config.publish.directory {
            match self.publisher.update_folder(&config, folder).await {
                Ok(written) => tracing::debug!(written.written, written.removed, "wrote the site's folder"),
                Err(error) => tracing::error!(%error, "cannot write the site's folder"),
            }
        }
    }

    async fn answer(&self, request: FolderRequest, config: &Arc<Config>) {
        let written = self.publisher.write_folder(config, &request.folder).await;
        // The command may have exited, but its request was carried out.
        let _ = request.reply.send(written);
    }
}
