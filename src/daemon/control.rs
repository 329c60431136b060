//! The control socket: lets commands work while the daemon runs.
//!
//! Only one process can write to a store at a time. While the daemon has the store open, `poll`, `publish`, `split` and
//! `join` send their requests to the daemon, through a Unix socket next to the store. Then the daemon publishes the
//! changes, as it does after its own polls. Each connection carries one request and one answer, and each of them is a
//! line of JSON.
//!
//! The policy of this module: only the owner of the store and root can use the socket. The mode of its file ensures
//! this, and a check of the peer's user. Nothing can be changed over TCP. No connection can block the daemon: requests
//! are short, and only a few are handled at a time.

use std::collections::BTreeSet;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tokio_util::either::Either;
use tokio_util::sync::CancellationToken;

use crate::clock;
use crate::commit::ActiveConfig;
use crate::config::{Config, Listen};
use crate::feed::{FeedId, SectionId};
use crate::listen::{Listener, SocketReach};
use crate::poll::{Pass, PollReport, Poller};
use crate::publish::{PublishError, Written};
use crate::store::Store;

use super::folder::FolderRequest;

pub use super::edit::{Edit, EditOutcome, StoryEditError, Unclear, perform};
pub use crate::commit::Mode;

/// How many requests run at the same time. Further requests wait.
const MAX_CONNECTIONS: usize = 8;

/// The longest request: enough for the ids of ten thousand feeds.
const MAX_REQUEST_BYTES: u64 = 1 << 20;

/// How long a request may take to arrive.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);

/// How long to wait after a connection could not be accepted.
const ACCEPT_PAUSE: Duration = Duration::from_secs(1);

/// The log names at most this many of the requested feeds.
const FEEDS_LOGGED: usize = 5;

/// A command's request to the daemon.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Request {
    /// Polls the feeds of this pass.
    Poll(Pass),
    /// Splits or joins stories.
    Edit(Edit),
    /// Returns what this edit would do, and changes nothing.
    Rehearse(Edit),
    /// Writes the site into this folder; an absolute path.
    Publish(PathBuf),
}

/// The daemon's answer.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Answer {
    /// A report per feed.
    Polled(Vec<PollReport>),
    /// The outcome of an edit or a dry run.
    Edited(EditOutcome),
    /// How many files were written.
    Written(Written),
    /// The words in the edit do not identify exactly one story. Nothing has changed.
    Unclear(Unclear),
    /// The request failed. The text is a sentence that says why.
    Failed(String),
}

/// Binds the control socket of the store at `store`.
///
/// # Errors
///
/// If the socket cannot be created: its path is longer than 107 bytes, its folder does not support sockets, or another file
/// has its name.
pub async fn bind(store: &Path) -> io::Result<Listener> {
    let path = socket(store);
    let listener = Listener::bind(&Listen::Unix(path.clone()), SocketReach::Owner).await;
    listener.map_err(|error| {
        let why = match error.kind() {
            io::ErrorKind::AddrInUse => "another file has the name of the socket; remove it and restart newswire",
            _ => &error.to_string(),
        };
        io::Error::new(error.kind(), format!("{}: {why}", path.display()))
    })
}

/// Sends a request to the daemon that has the store open. To be called only if another program has the store open.
/// Returns `None` if no daemon listens: then that program is not the daemon.
///
/// # Errors
///
/// Fails if the daemon stops before it answers, or if it is of another version and its answer cannot be read.
pub async fn ask(store: &Path, request: &Request) -> io::Result<Option<Answer>> {
    let Ok(mut stream) = UnixStream::connect(socket(store)).await else { return Ok(None) };
    stream.write_all(&line(request)?).await?;
    let mut answer = String::new();
    BufReader::new(stream).read_line(&mut answer).await?;
    Ok(Some(serde_json::from_str(&answer)?))
}

/// Returns the path of the socket: next to the store's real file, so that every link to the store leads to the same socket.
fn socket(store: &Path) -> PathBuf {
    let store = std::fs::canonicalize(store).unwrap_or_else(|_| store.to_owned());
    let mut name = store.into_os_string();
    name.push(".sock");
    PathBuf::from(name)
}

fn line(message: &impl Serialize) -> serde_json::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(message)?;
    line.push(b'\n');
    Ok(line)
}

/// Serves the requests of commands.
pub struct ControlServer {
    /// The store that edits change.
    pub store: Store,
    /// Polls the requested feeds.
    pub poller: Poller,
    /// Sends to the publish loop the folders to write the site into.
    pub(super) folders: mpsc::UnboundedSender<FolderRequest>,
    /// The newest config. The store may still be in the state of an older one.
    pub configs: watch::Receiver<Arc<Config>>,
    /// The config that the store was last synchronised with.
    pub active: ActiveConfig,
    /// Sends the reports of polls to the publish loop.
    pub reports: mpsc::UnboundedSender<PollReport>,
    /// Sends the sections to publish to the publish loop.
    pub changed: mpsc::UnboundedSender<BTreeSet<SectionId>>,
}

impl ControlServer {
    /// Serves requests until `shutdown`, then drops those that still run. Returns at once if there is no listener.
    pub async fn serve(self, listener: Option<Listener>, shutdown: CancellationToken) {
        let Some(listener) = listener else { return };
        let server = Arc::new(self);
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return,
                Some(_) = connections.join_next() => {}
                accepted = listener.accept(), if connections.len() < MAX_CONNECTIONS => match accepted {
                    Ok((Either::Right(stream), _)) => drop(connections.spawn(server.clone().handle(stream))),
                    Ok((Either::Left(_), _)) => {}
                    Err(error) => {
                        tracing::warn!(%error, "cannot accept a connection on the control socket");
                        tokio::time::sleep(ACCEPT_PAUSE).await;
                    }
                },
            }
        }
    }

    async fn handle(self: Arc<Self>, mut stream: UnixStream) {
        let request = tokio::time::timeout(REQUEST_TIMEOUT, self.read(&mut stream)).await;
        let answer = match request.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())) {
            Ok(request) => self.answer(&request).await,
            Err(error) => Answer::Failed(format!("the daemon refused the request: {error}")),
        };
        if let Ok(line) = line(&answer) {
            // The command may have exited, but its request was carried out.
            let _ = stream.write_all(&line).await;
        }
    }

    async fn read(&self, stream: &mut UnixStream) -> io::Result<Request> {
        let ours = |_| rustix::process::geteuid().as_raw();
        // If the store was deleted, its owner is unknown. Then the daemon's user may send the request, and the answer
        // says what is wrong.
        let owner = std::fs::metadata(self.store.path()).map_or_else(ours, |store| store.uid());
        let peer = stream.peer_cred()?.uid();
        if peer != owner && peer != 0 {
            return Err(io::Error::new(
                io::ErrorKind::PermissionDenied,
                "only the owner of the store may send commands; run the command as that user",
            ));
        }
        let mut request = String::new();
        BufReader::new(stream.take(MAX_REQUEST_BYTES)).read_line(&mut request).await?;
        Ok(serde_json::from_str(&request)?)
    }

    async fn answer(&self, request: &Request) -> Answer {
        log(request);
        match request {
            Request::Poll(pass) => {
                let config = self.configs.borrow().clone();
                let send = |report: &PollReport, _| drop(self.reports.send(report.clone()));
                let polled = self.poller.pass(&config, pass, clock::now(), send).await;
                polled.map_or_else(|error| Answer::Failed(error.to_string()), Answer::Polled)
            }
            Request::Edit(edit) => self.edit(edit, Mode::Perform).await,
            Request::Rehearse(edit) => self.edit(edit, Mode::DryRun).await,
            Request::Publish(folder) => self.write_folder(folder).await,
        }
    }

    /// Lets the publish loop write the folder, so that all files are from the same publication.
    async fn write_folder(&self, folder: &Path) -> Answer {
        let (reply, written) = oneshot::channel();
        // Sending fails only at shutdown, if the publish loop has stopped already. Then there is no answer either.
        let _ = self.folders.send(FolderRequest { folder: folder.to_owned(), reply });
        match written.await {
            Ok(Ok(written)) => Answer::Written(written),
            Ok(Err(PublishError::Folder(error))) => Answer::Failed(format!("the daemon {error}")),
            Ok(Err(error)) => Answer::Failed(error.to_string()),
            Err(_) => Answer::Failed("the daemon is stopping; try again when it has stopped".to_owned()),
        }
    }

    async fn edit(&self, edit: &Edit, mode: Mode) -> Answer {
        match perform(&self.store, self.active.current(), edit, mode, clock::now()).await {
            Ok(edited) => {
                if mode == Mode::Perform {
                    // Sending fails only at shutdown, if the publish loop has stopped already.
                    let _ = self.changed.send(edited.sections.keys().cloned().collect());
                }
                Answer::Edited(edited)
            }
            Err(StoryEditError::Unclear(unclear)) => Answer::Unclear(unclear),
            Err(error) => Answer::Failed(error.to_string()),
        }
    }
}

/// Logs a request, such as `poll requested feed=guardian`.
fn log(request: &Request) {
    match request {
        Request::Poll(Pass::Due) => tracing::info!("poll requested"),
        Request::Poll(Pass::Named(feeds) | Pass::Force(feeds)) if !feeds.is_empty() => {
            let named = feeds.iter().take(FEEDS_LOGGED).map(FeedId::as_str).collect::<Vec<_>>().join(",");
            let more = if feeds.len() > FEEDS_LOGGED { ",…" } else { "" };
            tracing::info!("poll requested feed={named}{more}");
        }
        Request::Poll(_) => tracing::info!("poll requested for all feeds"),
        Request::Edit(Edit::Split { .. }) => tracing::info!("split requested"),
        Request::Edit(Edit::Join { .. }) => tracing::info!("join requested"),
        Request::Rehearse(_) => tracing::info!("dry run requested"),
        Request::Publish(folder) => tracing::info!(folder = %folder.display(), "publish requested"),
    }
}
