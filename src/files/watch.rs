//! Watches the files of the config for edits.
//!
//! It watches folders and not files, because text editors replace the old file with a new one, and Kubernetes swaps a
//! link. It ignores the other files in these folders, such as the store, which changes all the time. It reports a
//! change only if the texts differ, and not at every write.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::sync::{Arc, PoisonError, RwLock};
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

/// After this many waits of [`QUIET`], the files are compared even if they are still being written to.
const MAX_QUIET_WAITS: u32 = 10;

/// How often the texts are compared without an event. Network and container file systems do not report changes, and
/// folders below a wildcard are not watched.
const COMPARE_EVERY: Duration = Duration::from_secs(30);

/// The longest chain of links that is followed. Linux has the same limit.
const MAX_LINKS: usize = 40;

/// A watch of a configuration's files. It ends when it is dropped.
pub struct FileWatch {
    changes: mpsc::Receiver<()>,
    reads: Arc<AtomicUsize>,
}

impl FileWatch {
    /// Waits until the texts have changed since the last call, and have then stayed unchanged for half a second.
    ///
    /// Cancel safe: if the future is dropped, the next call reports the change.
    pub async fn changed(&mut self) {
        if self.changes.recv().await.is_none() {
            std::future::pending::<()>().await;
        }
    }

    /// Returns how often the files were read to compare them.
    pub fn reads(&self) -> usize {
        self.reads.load(Ordering::Relaxed)
    }
}

/// The error if the system cannot watch files.
#[derive(Debug, thiserror::Error)]
#[error("cannot watch the config's files for edits")]
pub struct WatchError(#[from] notify::Error);

/// Starts to watch the main file and its includes. Call it before [`load`](super::load), so that no edit in between is
/// missed.
///
/// # Errors
///
/// Fails if the system cannot create a watcher or a thread. The caller can then only reload on a signal.
pub fn watch(main: &Path) -> Result<FileWatch, WatchError> {
    let (event_sender, events) = sync_channel(1);
    let main = std::path::absolute(main).unwrap_or_else(|_| main.to_owned());
    let config = Arc::new(RwLock::new(ConfigPaths::of(&main)));
    let known = config.clone();
    let watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
        let known = known.read().unwrap_or_else(PoisonError::into_inner);
        if event.map_or(true, |event| known.concerns(&event)) {
            // If the channel is full, an event is pending already.
            let _ = event_sender.try_send(());
        }
    })?;
    let (change_sender, changes) = mpsc::channel(1);
    let reads = Arc::<AtomicUsize>::default();
    let mut observer = Observer { watcher, config, fingerprint: fingerprint(&main), main, reads: reads.clone() };
    observer.watch_folders();
    thread::Builder::new()
        .name("config watch".to_owned())
        .spawn(move || observer.run(&events, &change_sender))
        .map_err(notify::Error::io)?;
    Ok(FileWatch { changes, reads })
}

/// The state of the thread that compares the texts.
struct Observer {
    main: PathBuf,
    watcher: RecommendedWatcher,
    config: Arc<RwLock<ConfigPaths>>,
    fingerprint: u128,
    reads: Arc<AtomicUsize>,
}

impl Observer {
    /// Compares the texts after each series of edits, until the [`FileWatch`] is dropped.
    fn run(mut self, events: &Receiver<()>, changes: &mpsc::Sender<()>) {
        while !changes.is_closed() {
            match events.recv_timeout(COMPARE_EVERY) {
                Ok(()) => wait_for_quiet(events),
                Err(RecvTimeoutError::Timeout) => {}
                // The watcher has died. Go on comparing the texts.
                Err(RecvTimeoutError::Disconnected) => thread::sleep(COMPARE_EVERY),
            }
            *self.config.write().unwrap_or_else(PoisonError::into_inner) = ConfigPaths::of(&self.main);
            self.watch_folders();
            self.reads.fetch_add(1, Ordering::Relaxed);
            let fingerprint = fingerprint(&self.main);
            if fingerprint != self.fingerprint {
                self.fingerprint = fingerprint;
                // If the channel is full, a change is pending already.
                let _ = changes.try_send(());
            }
        }
    }

    /// Watches the folders of the current includes. A folder that was replaced is watched again.
    fn watch_folders(&mut self) {
        let folders = self.config.read().unwrap_or_else(PoisonError::into_inner).folders();
        for folder in folders {
            if let Err(error) = self.watcher.watch(&folder, RecursiveMode::NonRecursive) {
                tracing::debug!(folder = %folder.display(), %error, "cannot watch the folder");
            }
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

/// The paths of the config.
#[derive(Debug)]
struct ConfigPaths {
    /// The main file and its includes, each with the links on the way to it and its real path. All paths are absolute.
    files: BTreeSet<PathBuf>,
    /// The patterns of `include`. All are absolute.
    patterns: Vec<PathBuf>,
    /// Each pattern up to and including its first part with a wildcard.
    fixed: Vec<PathBuf>,
}

impl ConfigPaths {
    fn of(main: &Path) -> ConfigPaths {
        let mut paths = ConfigPaths { files: BTreeSet::new(), patterns: Vec::new(), fixed: Vec::new() };
        paths.add(main);
        if let Ok((source, _)) = read_source(main) {
            included_paths(&source).0.iter().for_each(|path| paths.add(path));
            let folder = source.path.parent().unwrap_or(Path::new(""));
            for pattern in config::includes(&source) {
                paths.fixed.push(fixed_part(&source, &pattern));
                paths.patterns.push(folder.join(pattern));
            }
        }
        paths
    }

    /// Adds a file, the links that lead to it, and its real path.
    fn add(&mut self, path: &Path) {
        self.files.extend(path.canonicalize());
        let mut path = path.to_owned();
        for _ in 0..MAX_LINKS {
            let target = path.read_link().ok().zip(path.parent()).map(|(target, folder)| folder.join(target));
            self.files.insert(path);
            let Some(target) = target else { break };
            path = target;
        }
    }

    /// Returns whether an event may concern the config: its files, a folder or link on the way to them, or a file that
    /// a pattern matches. Ignores reads (mostly newswire's own). The links that Kubernetes swaps begin with `..`.
    fn concerns(&self, event: &Event) -> bool {
        let is_read = matches!(event.kind, EventKind::Access(access) if access != AccessKind::Close(AccessMode::Write));
        let is_of_config = |path: &PathBuf| {
            let is_link = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(".."));
            is_link
                || self.files.iter().any(|file| file.starts_with(path))
                || self.patterns.iter().any(|pattern| begins_with(pattern, path))
        };
        !is_read && (event.paths.is_empty() || event.paths.iter().any(is_of_config))
    }

    /// Returns the folders to watch: those of the files and of the patterns, and those to which links among them lead.
    fn folders(&self) -> BTreeSet<PathBuf> {
        let real = self.fixed.iter().filter_map(|path| path.canonicalize().ok());
        let paths = self.files.iter().chain(&self.fixed).cloned().chain(real);
        paths.filter_map(|path| nearest_folder(path.parent()?)).collect()
    }
}

/// Returns whether a pattern matches the path, or could match paths below it.
fn begins_with(pattern: &Path, path: &Path) -> bool {
    let options = glob::MatchOptions { require_literal_leading_dot: true, ..glob::MatchOptions::new() };
    let mut parts = pattern.components().map(|part| part.as_os_str().to_string_lossy());
    for name in path.components().map(|name| name.as_os_str().to_string_lossy()) {
        let Some(part) = parts.next() else { return false };
        if part == "**" {
            return true;
        }
        let matches = || glob::Pattern::new(&part).is_ok_and(|part| part.matches_with(&name, options));
        if part != name && !matches() {
            return false;
        }
    }
    true
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

/// Returns the folder if it exists, otherwise its nearest ancestor that exists.
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

#[cfg(test)]
mod tests {
    use super::*;

    fn event(kind: EventKind, path: &Path) -> Event {
        Event::new(kind).add_path(path.to_owned())
    }

    #[test]
    fn only_events_of_the_configs_files_concern_it() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().canonicalize().unwrap();
        let main = folder.join("newswire.toml");
        std::fs::write(folder.join("current.conf"), "include = [\"feeds/*.toml\", \"more/*/feeds.toml\"]\n").unwrap();
        std::os::unix::fs::symlink("current.conf", &main).unwrap();
        let paths = ConfigPaths::of(&main);
        let written = EventKind::Access(AccessKind::Close(AccessMode::Write));
        let check = |path: &str, expected: bool| {
            assert_eq!(paths.concerns(&event(written, &folder.join(path))), expected, "{path}");
        };
        for path in
            ["newswire.toml", "current.conf", "..data", "feeds", "feeds/a.toml", "more", "more/x", "more/x/feeds.toml"]
        {
            check(path, true);
        }
        for path in [
            "newswire.db",
            "newswire.db-wal",
            "store",
            "store-wal",
            "other.toml",
            "feeds/a.txt",
            "feeds/.a.toml",
            "feeds/x/a.toml",
            "more/x/other.toml",
        ] {
            check(path, false);
        }
        let read = EventKind::Access(AccessKind::Open(AccessMode::Any));
        assert!(!paths.concerns(&event(read, &main)), "newswire itself reads the file");
        assert!(paths.concerns(&Event::new(EventKind::Other)), "events may have been lost");
    }
}
