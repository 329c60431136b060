//! Noticing edits of the config's files.
//!
//! Watches folders, not files: editors put a new file in the place of the old one, and Kubernetes swaps a link. What counts
//! is that the texts have changed, not that something was written.

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

/// Editors and git write in several steps: the files must have been left alone for so long.
const QUIET: Duration = Duration::from_millis(500);

/// A file that is written to all the time is looked at nevertheless.
const MAX_QUIET_WAITS: u32 = 10;

/// Network and container file systems tell nothing of changes, and folders below a wildcard are not watched: the texts are
/// compared now and then without being told to.
const COMPARE_EVERY: Duration = Duration::from_secs(30);

/// The files of one configuration, watched until this is dropped.
pub struct FileWatch {
    changes: mpsc::Receiver<()>,
}

impl FileWatch {
    /// Waits until the texts have changed since the last call, and have then been left alone for half a second.
    ///
    /// Dropping the future loses nothing: the next call reports the change.
    pub async fn changed(&mut self) {
        if self.changes.recv().await.is_none() {
            std::future::pending::<()>().await;
        }
    }
}

/// The system cannot watch files.
#[derive(Debug, thiserror::Error)]
#[error("cannot watch the config's files for edits")]
pub struct WatchError(#[from] notify::Error);

/// Watches the main file and all that it includes, from now on: call it before [`load`](super::load), so that no edit
/// falls between the two.
///
/// # Errors
///
/// The system gives no watcher or no thread; edits are then noticed only when the caller is told by other means.
pub fn watch(main: &Path) -> Result<FileWatch, WatchError> {
    let (event_sender, events) = sync_channel(1);
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
        if event.map_or(true, |event| concerns_config(&event)) {
            // A full channel says already what is to be said.
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

/// Compares the texts after each quiet end of edits, until nobody listens any more.
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
            // The watcher has died: comparing goes on.
            Err(RecvTimeoutError::Disconnected) => thread::sleep(COMPARE_EVERY),
        }
        watch_folders(&mut watcher, main);
        let fingerprint = fingerprint(main);
        if fingerprint != last {
            last = fingerprint;
            // A full channel says already what is to be said.
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

/// Watches the folders of today's includes; a folder that was watched and replaced is watched anew.
fn watch_folders(watcher: &mut RecommendedWatcher, main: &Path) {
    for folder in folders(main) {
        if let Err(error) = watcher.watch(&folder, RecursiveMode::NonRecursive) {
            tracing::debug!(folder = %folder.display(), %error, "the folder is not watched");
        }
    }
}

/// Neither what is only read (by ourselves, first of all) nor what else lies in the folders, such as the store, which is
/// written to all the time. Without an extension are folders, and the links that Kubernetes swaps begin with `..`.
fn concerns_config(event: &Event) -> bool {
    let is_read = matches!(event.kind, EventKind::Access(access) if access != AccessKind::Close(AccessMode::Write));
    let is_named_so = |path: &PathBuf| {
        let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
        path.extension().is_none_or(|extension| extension == "toml") || name.starts_with("..")
    };
    !is_read && (event.paths.is_empty() || event.paths.iter().any(is_named_so))
}

/// The folders of the main file and of what it includes or may include, and those that they lead to by links.
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

/// The path of a pattern up to its first wildcard, with that part in it.
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

/// The folder itself, or the nearest above it that is there.
fn nearest_folder(folder: &Path) -> Option<PathBuf> {
    folder.ancestors().find(|ancestor| ancestor.is_dir()).map(Path::to_owned)
}

/// Of the paths and bytes of all texts; an unreadable file is like an empty one.
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
