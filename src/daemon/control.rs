//! Commands beside a running daemon.
//!
//! One process writes a store at a time. While the daemon has it, `poll`, `publish`, `split` and `join` ask the daemon to do
//! their work, through a socket beside the store; the daemon publishes what changed as after any poll. One request a connection, in a
//! line of JSON; one answer, in another.
//!
//! The policy held here: the socket is for the user to whom the store belongs, by the mode of its file and by who connects;
//! over TCP nothing can be changed. No connection can hold the daemon up: requests are short, and few at a time.

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

/// How many requests are done at once; more wait.
const VISITS: usize = 8;

/// The longest request: the ids of ten thousand feeds.
const MAX_REQUEST_BYTES: u64 = 1 << 20;

/// How long a request may take to come in.
const REQUEST_PATIENCE: Duration = Duration::from_secs(5);

/// How long accepting pauses when the system refuses it.
const REFUSED: Duration = Duration::from_secs(1);

/// How many of the feeds that are to be polled are logged.
const FEEDS_LOGGED: usize = 5;

/// What a command asks of the daemon.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Request {
    Poll(Pass),
    Edit(Edit),
    /// Say what this would come to, and change nothing.
    Rehearse(Edit),
    /// Write the site into this folder, given from the root.
    Publish(PathBuf),
}

/// What the daemon says.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Answer {
    Polled(Vec<PollReport>),
    Edited(EditOutcome),
    Written(Written),
    /// The edit names no single story; nothing is changed.
    Unclear(Unclear),
    /// A sentence.
    Failed(String),
}

/// Binds the socket of the store at `store`.
///
/// # Errors
///
/// If the system does not let us: its path is longer than 107 bytes, or its folder takes no sockets.
pub async fn bind(store: &Path) -> io::Result<Listener> {
    let path = socket(store);
    let listener = Listener::bind(&Listen::Unix(path.clone()), SocketReach::Owner).await;
    listener.map_err(|error| {
        let why = match error.kind() {
            io::ErrorKind::AddrInUse => "another file is in the place of the socket; remove it and restart newswire",
            _ => &error.to_string(),
        };
        io::Error::new(error.kind(), format!("{}: {why}", path.display()))
    })
}

/// Asks the daemon that holds the store; `None` if nobody answers there, since what holds it is no daemon.
///
/// # Errors
///
/// If the daemon ends, or is of another version, before it has answered.
pub async fn ask(store: &Path, request: &Request) -> io::Result<Option<Answer>> {
    let Ok(mut stream) = UnixStream::connect(socket(store)).await else { return Ok(None) };
    stream.write_all(&line(request)?).await?;
    let mut answer = String::new();
    BufReader::new(stream).read_line(&mut answer).await?;
    Ok(Some(serde_json::from_str(&answer)?))
}

/// Beside the store's file itself, so that the daemon is found under any name of it.
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

/// What the daemon does for commands.
pub struct ControlServer {
    pub store: Store,
    pub poller: Poller,
    /// Takes the folders to write the site into.
    pub(super) folders: mpsc::UnboundedSender<FolderRequest>,
    pub configs: watch::Receiver<Arc<Config>>,
    pub active: ActiveConfig,
    /// Takes what polls came to.
    pub reports: mpsc::UnboundedSender<PollReport>,
    /// Takes the sections to publish.
    pub changed: mpsc::UnboundedSender<BTreeSet<SectionId>>,
}

impl ControlServer {
    /// Does what is asked until `shutdown`; polls that are on their way then are given up. Without a listener nothing.
    pub async fn serve(self, listener: Option<Listener>, shutdown: CancellationToken) {
        let Some(listener) = listener else { return };
        let server = Arc::new(self);
        let mut visits = JoinSet::new();
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return,
                Some(_) = visits.join_next() => {}
                accepted = listener.accept(), if visits.len() < VISITS => match accepted {
                    Ok((Either::Right(stream), _)) => drop(visits.spawn(server.clone().visit(stream))),
                    Ok((Either::Left(_), _)) => {}
                    Err(error) => {
                        tracing::warn!(%error, "commands cannot reach the daemon");
                        tokio::time::sleep(REFUSED).await;
                    }
                },
            }
        }
    }

    async fn visit(self: Arc<Self>, mut stream: UnixStream) {
        let request = tokio::time::timeout(REQUEST_PATIENCE, self.read(&mut stream)).await;
        let answer = match request.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())) {
            Ok(request) => self.answer(&request).await,
            Err(error) => Answer::Failed(format!("the daemon could not read the request: {error}")),
        };
        if let Ok(line) = line(&answer) {
            // The command may have gone away; what it asked for is done all the same.
            let _ = stream.write_all(&line).await;
        }
    }

    async fn read(&self, stream: &mut UnixStream) -> io::Result<Request> {
        let ours = |_| rustix::process::geteuid().as_raw();
        // The owner of a store that is gone is told so by what is asked for.
        let owner = std::fs::metadata(self.store.path()).map_or_else(ours, |store| store.uid());
        let peer = stream.peer_cred()?.uid();
        if peer != owner && peer != 0 {
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, "it is for the owner of the store"));
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
                let told = |report: &PollReport, _| drop(self.reports.send(report.clone()));
                let polled = self.poller.pass(&config, pass, clock::now(), told).await;
                polled.map_or_else(|error| Answer::Failed(error.to_string()), Answer::Polled)
            }
            Request::Edit(edit) => self.edit(edit, Mode::Perform).await,
            Request::Rehearse(edit) => self.edit(edit, Mode::Rehearse).await,
            Request::Publish(folder) => self.write_folder(folder).await,
        }
    }

    /// The publish loop writes the folder, so that what it holds was published together.
    async fn write_folder(&self, folder: &Path) -> Answer {
        let (reply, written) = oneshot::channel();
        // The publish loop ends before this one only when everything ends; then there is no answer either.
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
                    // The publish loop ends before this one only when everything ends.
                    let _ = self.changed.send(edited.sections.keys().cloned().collect());
                }
                Answer::Edited(edited)
            }
            Err(StoryEditError::Unclear(unclear)) => Answer::Unclear(unclear),
            Err(error) => Answer::Failed(error.to_string()),
        }
    }
}

/// Logs what a command asks, as in `poll requested feed=guardian`.
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
