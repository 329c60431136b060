//! Watches the files of the config for edits.
//!
//! Watches folders, not files: text editors replace the old file by a new one, and Kubernetes swaps a link. Reports a change
//! only if the texts differ, not whenever something was written.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread;
use std::time::Duration;

use notify::event::{AccessKind, AccessMode, EventKind};
use notify::{Event, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::mpsc;
use xxhash_rust::xxh3::Xxh3;

use super::{MAX_FILE_BYTES, included_paths, read_regular, read_source};
use crate::config::{self, SourceFile};

/// How long the files must stay unchanged before they are compared: text editors and git write in several steps.
const QUIET: Duration = Duration::from_millis(500);

/// After this many waits, the files are compared even if they are still being written to.
const MAX_QUIET_WAITS: u32 = 10;

/// How often the texts are compared without an event: network and container file systems do not report changes, and folders
/// below a wildcard are not watched.
const COMPARE_EVERY: Duration = Duration::from_secs(30);

/// A watch of a configuration's files, which ends on drop.
pub struct FileWatch {
    changes: mpsc::Receiver<()>,
}

impl FileWatch {
    /// Waits until the texts have changed since the last call, and then stayed unchanged for half a second.
    ///
    /// Cancel safe: if the future is dropped, the next call reports the change.
    pub async fn changed(&mut self) {
        if self.changes.recv().await.is_none() {
            std::future::pending::<()>().await;
        }
    }
}

/// The error that the system cannot watch files.
#[derive(Debug, thiserror::Error)]
#[error("cannot watch the config's files for edits")]
pub struct WatchError(#[from] notify::Error);

/// Starts to watch the main file and its includes. Call it before [`load`](super::load), so that no edit in between is missed.
///
/// # Errors
///
/// If the system cannot create a watcher or a thread. The caller can then only reload on a signal.
pub fn watch(main: &Path) -> Result<FileWatch, WatchError> {
    let (event_sender, events) = sync_channel(1);
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
        if event.map_or(true, |event| concerns_config(&event)) {
            // If the channel is full, an event is pending already.
            let _ = event_sender.try_send(());
        }
    })?;
    let main = main.to_owned();
    watch_folders(&mut watcher, &main);
    let fingerprint = fingerprint(&main);
    let (change_sender, changes) = mpsc::channel(1);
    thread::Builder::new()
        .name("config watch".to_owned())
        .spawn(move || observe(&main, watcher, &events, &change_sender, fingerprint))
        .map_err(notify::Error::io)?;
    Ok(FileWatch { changes })
}

/// Compares the texts after each series of edits, until the [`FileWatch`] is dropped.
fn observe(
    main: &Path,
    mut watcher: RecommendedWatcher,
    events: &Receiver<()>,
    changes: &mpsc::Sender<()>,
    mut last: u128,
) {
    while !changes.is_closed() {
        match events.recv_timeout(COMPARE_EVERY) {
            Ok(()) => wait_for_quiet(events),
            Err(RecvTimeoutError::Timeout) => {}
            // The watcher has died; go on comparing.
            Err(RecvTimeoutError::Disconnected) => thread::sleep(COMPARE_EVERY),
        }
        watch_folders(&mut watcher, main);
        let fingerprint = fingerprint(main);
        if fingerprint != last {
            last = fingerprint;
            // If the channel is full, a change is pending already.
            let _ = changes.try_send(());
        }
    }
}

fn wait_for_quiet(events: &Receiver<()>) {
    for _ in 0..MAX_QUIET_WAITS {
        if events.recv_timeout(QUIET).is_err() {
            return;
        }
    }
}

/// Watches the folders of the current includes. Also watches a folder again that was replaced.
fn watch_folders(watcher: &mut RecommendedWatcher, main: &Path) {
    for folder in folders(main) {
        if let Err(error) = watcher.watch(&folder, RecursiveMode::NonRecursive) {
            tracing::debug!(folder = %folder.display(), %error, "cannot watch the folder");
        }
    }
}

/// Whether an event may concern the config. Ignores reads (mostly newswire's own), and other files in the folders, such as the
/// store, which changes all the time. Paths without an extension may be folders; the links that Kubernetes swaps begin with
/// `..`.
fn concerns_config(event: &Event) -> bool {
    let is_read = matches!(event.kind, EventKind::Access(access) if access != AccessKind::Close(AccessMode::Write));
    let may_be_config = |path: &PathBuf| {
        let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
        path.extension().is_none_or(|extension| extension == "toml") || name.starts_with("..")
    };
    !is_read && (event.paths.is_empty() || event.paths.iter().any(may_be_config))
}

/// Returns the folders of the main file, its includes and its `include` patterns, and the folders that links among them lead
/// to.
fn folders(main: &Path) -> BTreeSet<PathBuf> {
    let main = std::path::absolute(main).unwrap_or_else(|_| main.to_owned());
    let mut folders = BTreeSet::new();
    let mut add_folder_of = |path: &Path| {
        let real = path.canonicalize().ok();
        let parents = [Some(path), real.as_deref()].into_iter().flatten().filter_map(Path::parent);
        folders.extend(parents.filter_map(nearest_folder));
    };
    add_folder_of(&main);
    if let Ok((source, _)) = read_source(&main) {
        included_paths(&source).0.iter().for_each(|path| add_folder_of(path));
        config::includes(&source).iter().for_each(|pattern| add_folder_of(&fixed_part(&source, pattern)));
    }
    folders
}

/// Returns the path of a pattern up to and including the first part with a wildcard.
fn fixed_part(main: &SourceFile, pattern: &str) -> PathBuf {
    let mut path = main.path.parent().unwrap_or(Path::new("")).to_owned();
    for part in Path::new(pattern).components() {
        path.push(part);
        if part.as_os_str().to_string_lossy().contains(['*', '?', '[']) {
            break;
        }
    }
    path
}

/// Returns the folder, or its nearest ancestor that exists.
fn nearest_folder(folder: &Path) -> Option<PathBuf> {
    folder.ancestors().find(|ancestor| ancestor.is_dir()).map(Path::to_owned)
}

/// Returns a hash of the paths and bytes of all texts. An unreadable file counts as empty.
fn fingerprint(main: &Path) -> u128 {
    let included = read_source(main).map(|(source, _)| included_paths(&source).0).unwrap_or_default();
    let mut hasher = Xxh3::new();
    for path in std::iter::once(main.to_owned()).chain(included) {
        let bytes = read_regular(&path, MAX_FILE_BYTES).unwrap_or_default();
        hasher.update(path.as_os_str().as_encoded_bytes());
        hasher.update(&bytes.len().to_le_bytes());
        hasher.update(&bytes);
    }
    hasher.digest128()
}
