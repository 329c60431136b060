//! Reloading: reads the TOML again when it changes or on SIGHUP, and makes every valid edit the active config.
//!
//! The policy of this module: an edit applies as a whole or not at all. An edit with errors changes nothing; the log
//! and the status page show the errors. The log also names changed keys that need a restart.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::signal::unix::Signal;
use tokio::sync::watch;

use crate::clock;
use crate::commit::{Difference, SectionChange, SectionChangeKind};
use crate::config::{self, Config, Level, Problem, SourceFile};
use crate::feed::SectionId;
use crate::files::{self, FileWatch, LoadError, Loaded};
use crate::publish::Publisher;
use crate::render::Pages;
use crate::serve::{Health, LoadState};

use super::signals;

/// The source of the config, and the signals that it changed.
pub struct Sources {
    /// The main file.
    pub main: PathBuf,
    /// Watches the files; `None` if the system cannot.
    pub watching: Option<FileWatch>,
    /// Receives SIGHUP; `None` at a terminal, where SIGHUP means that the terminal was closed.
    pub hangup: Option<Signal>,
    /// The port that the system chose, if the config has port 0.
    pub port: Option<u16>,
}

/// The warnings that were logged, so that a reload does not repeat them.
#[derive(Debug, Default)]
pub struct Warnings(HashSet<(PathBuf, String, String)>);

impl Warnings {
    /// Logs the warnings that were not logged before.
    pub fn log(&mut self, warnings: &[Problem], sources: &[SourceFile]) {
        let before = std::mem::take(&mut self.0);
        for warning in warnings {
            // Compare without the position, because a line moves when others are added above it.
            let marked = warning.place.as_ref().and_then(|place| sources.get(place.file)?.text.get(place.span.clone()));
            let key = (warning.file.clone(), warning.message.clone(), marked.unwrap_or_default().to_owned());
            if !before.contains(&key) {
                tracing::warn!(file = %warning.file.display(), line = warning.line, "{}", warning.message);
            }
            self.0.insert(key);
        }
    }
}

/// Makes every valid edit of the TOML the active config, and reloads the templates. Never returns. The publish loop
/// logs when a new config is active.
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
            Err(error) => tracing::error!(%error, "cannot read the edited config; still using the previous one"),
        }
    }
}

/// Loads the config and its templates.
///
/// # Errors
///
/// All problems of the config; if there are none, all problems of the templates.
pub fn load(main: &Path) -> Result<(Loaded, Pages), LoadError> {
    let loaded = files::load(main)?;
    let pages = files::pages(&loaded.config)?;
    Ok((loaded, pages.with_search()))
}

/// Logs the changed keys that need a restart.
fn log_unfollowed(old: &Config, new: &Config) {
    let changes = [
        ("[server] listen", old.server.listen != new.server.listen),
        ("[server] admin", old.server.admin != new.server.admin),
        ("[store] path", old.store.path != new.store.path),
        ("[poll] concurrency", old.poll.concurrency != new.poll.concurrency),
        ("[poll] contact", old.poll.contact != new.poll.contact),
    ];
    for (key, _) in changes.into_iter().filter(|(_, has_changed)| *has_changed) {
        tracing::warn!("{key} changed; restart newswire to apply it");
    }
}

/// Replaces port 0 in the site's address by the port that the system chose (`listen = "127.0.0.1:0"`).
pub fn with_port(mut config: Config, port: Option<u16>) -> Config {
    if config.site.url.port() == Some(0) {
        // This fails only for URLs that cannot have a port, but this one has a port.
        let _ = config.site.url.set_port(port);
    }
    config
}

/// Logs what a new config changed in the store, one line per change. [`log_judged`] logs what it changes in sections.
pub fn log_difference(difference: &Difference, config: &Config) {
    for feed in &difference.feeds_added {
        tracing::info!(%feed, "feed added");
    }
    for feed in &difference.feeds_removed {
        tracing::info!(%feed, "feed removed");
    }
    for feed in &difference.feeds_moved {
        tracing::info!(%feed, "feed address changed");
    }
    if difference.renamed > 0 {
        let stories = difference.renamed;
        tracing::warn!(stories, "stories got new ids or addresses, because the old ones revealed private feeds");
    }
    let removed = difference.sections.iter().filter(|change| change.kind == SectionChangeKind::Removed);
    removed.for_each(|change| log_removed(&change.section, config));
}

/// Logs how many stories entered and left a section when its new definition was applied to them.
pub fn log_judged(SectionChange { section, kind, moves }: &SectionChange) {
    let (entered, left) = (moves.entered, moves.left);
    tracing::info!(%section, "section {}: {entered} stories in, {left} out", kind.as_str());
}

/// Logs what the addresses of a removed section return from now on.
fn log_removed(section: &SectionId, config: &Config) {
    match config.sections.iter().find(|other| other.formerly.contains(section)) {
        Some(new) => tracing::info!(%section, "section renamed to {}: its addresses redirect there", new.id),
        None => tracing::warn!(
            %section,
            "section removed: its addresses now return 410; if you renamed it, add formerly = [\"{section}\"] to the new section"
        ),
    }
}
