//! Reloading: reads the TOML again when it changes or on SIGHUP, and makes every good edit the active config.
//!
//! The policy held here: an edit is taken whole or not at all. A bad one changes nothing, and is shown in the log and on the
//! status page. What a running daemon cannot change is said in the log.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::signal::unix::Signal;
use tokio::sync::watch;

use crate::clock;
use crate::commit::Difference;
use crate::config::{self, Config, Level, Problem, SourceFile};
use crate::feed::SectionId;
use crate::files::{self, FileWatch, LoadError, Loaded};
use crate::publish::Publisher;
use crate::render::Pages;
use crate::serve::{Health, LoadState};

use super::signals;

/// Where the config comes from, and what tells that it changed.
pub struct Sources {
    pub main: PathBuf,
    pub watching: Option<FileWatch>,
    /// `None` at a terminal, where SIGHUP says that the terminal was closed.
    pub hangup: Option<Signal>,
    /// The port that the system chose.
    pub port: Option<u16>,
}

/// The warnings that were logged, so that a save repeats none that did not change.
#[derive(Debug, Default)]
pub struct Warnings(HashSet<(PathBuf, String, String)>);

impl Warnings {
    /// Logs what `check` would warn of and was not logged before.
    pub fn log(&mut self, warnings: &[Problem], sources: &[SourceFile]) {
        let before = std::mem::take(&mut self.0);
        for warning in warnings {
            // Where it stands is no matter: lines move when others are added.
            let marked = warning.place.as_ref().and_then(|place| sources.get(place.file)?.text.get(place.span.clone()));
            let key = (warning.file.clone(), warning.message.clone(), marked.unwrap_or_default().to_owned());
            if !before.contains(&key) {
                tracing::warn!(file = %warning.file.display(), line = warning.line, "{}", warning.message);
            }
            self.0.insert(key);
        }
    }
}

/// Makes every good edit of the TOML the active config, and loads the templates again. Never returns. The publish loop logs
/// that a config is active, once it is served.
pub async fn follow(
    sources: Sources,
    mut warnings: Warnings,
    publisher: Publisher,
    edits: watch::Sender<Arc<Config>>,
    health: Health,
) {
    let Sources { main, mut watching, mut hangup, port } = sources;
    loop {
        let changed = async {
            match &mut watching {
                Some(watching) => watching.changed().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = changed => {}
            () = signals::hung_up(&mut hangup) => {}
        }
        let path = main.clone();
        match tokio::task::spawn_blocking(move || load(&path)).await {
            Ok(Ok((loaded, pages))) => {
                warnings.log(&loaded.warnings, &loaded.sources);
                log_unfollowed(&edits.borrow(), &loaded.config);
                health.set_config(LoadState::Ok);
                publisher.set_pages(pages);
                edits.send_replace(Arc::new(with_port(loaded.config, port)));
            }
            Ok(Err(error)) => {
                let (errors, warned): (Vec<_>, Vec<_>) =
                    error.problems.into_iter().partition(|problem| problem.level == Level::Error);
                warnings.log(&warned, &error.sources);
                let problems = config::render_problems(&errors, &error.sources, false);
                let count = errors.len();
                let errors = if count == 1 { "error" } else { "errors" };
                health.set_config(LoadState::Refused { since: clock::now(), problems: problems.clone() });
                tracing::error!(
                    "config not reloaded ({count} {errors} below); still using the previous one\n{problems}"
                );
            }
            Err(error) => tracing::error!(%error, "the edited config could not be read; still using the previous one"),
        }
    }
}

/// Reads the config and its templates.
///
/// # Errors
///
/// All problems of both.
pub fn load(main: &Path) -> Result<(Loaded, Pages), LoadError> {
    let loaded = files::load(main)?;
    let pages = files::pages(&loaded.config)?;
    Ok((loaded, pages.with_search()))
}

/// Logs the changed keys that a running daemon cannot follow.
fn log_unfollowed(old: &Config, new: &Config) {
    let changes = [
        ("[server] listen", old.server.listen != new.server.listen),
        ("[server] admin", old.server.admin != new.server.admin),
        ("[store] path", old.store.path != new.store.path),
        ("[poll] concurrency", old.poll.concurrency != new.poll.concurrency),
        ("[poll] contact", old.poll.contact != new.poll.contact),
    ];
    for (key, _) in changes.into_iter().filter(|(_, has_changed)| *has_changed) {
        tracing::warn!("{key} was changed; that needs a restart");
    }
}

/// Returns the config with the port that the system chose (`listen = "127.0.0.1:0"`), if links are to name that one.
pub fn with_port(mut config: Config, port: Option<u16>) -> Config {
    if config.site.url.port() == Some(0) {
        // It fails only on URLs that can have no port, and this one has.
        let _ = config.site.url.set_port(port);
    }
    config
}

/// Logs what a config changed in the store, a line each.
pub fn log_difference(difference: &Difference, config: &Config) {
    for feed in &difference.feeds_added {
        tracing::info!(%feed, "feed added");
    }
    for feed in &difference.feeds_removed {
        tracing::info!(%feed, "feed removed");
    }
    for feed in &difference.feeds_moved {
        tracing::info!(%feed, "the address of the feed was changed");
    }
    if difference.renamed > 0 {
        let stories = difference.renamed;
        tracing::warn!(stories, "stories got new ids or addresses; the old ones showed what private feeds say");
    }
    for change in &difference.sections {
        let (section, moves) = (&change.section, &change.moves);
        if change.kind.as_str() == "removed" {
            log_removed(section, config);
            continue;
        }
        let (entered, left) = (moves.entered, moves.left);
        tracing::info!(%section, "section {}: {entered} stories in, {left} out", change.kind.as_str());
    }
}

/// Logs where the addresses of a removed section lead now.
fn log_removed(section: &SectionId, config: &Config) {
    match config.sections.iter().find(|other| other.formerly.contains(section)) {
        Some(new) => tracing::info!(%section, "section renamed to {}: its addresses lead there", new.id),
        None => tracing::warn!(
            %section,
            "section removed: its addresses now return 410; if you renamed it, add formerly = [\"{section}\"] to the new one"
        ),
    }
}
