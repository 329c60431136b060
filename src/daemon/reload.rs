//! Reloading: reads the TOML again when it changes or on SIGHUP, and makes every good edit the active config.
//!
//! The policy held here: an edit is taken whole or not at all. A bad one changes nothing, and is shown in the log and on the
//! status page. What a running daemon cannot change is said in the log.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::signal::unix::Signal;
use tokio::sync::watch;

use crate::clock;
use crate::config::Config;
use crate::files::{self, FileWatch, LoadError, Loaded};
use crate::publish::Publisher;
use crate::render::Pages;
use crate::serve::{Health, LoadState};
use crate::store::Difference;

/// Makes every good edit of the TOML the active config, and loads the templates again. Never returns.
pub async fn follow(
    main: PathBuf,
    mut watching: Option<FileWatch>,
    mut hangup: Signal,
    port: Option<u16>,
    publisher: Publisher,
    edits: watch::Sender<Arc<Config>>,
    health: Health,
) {
    loop {
        let changed = async {
            match &mut watching {
                Some(watching) => watching.changed().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = changed => {}
            _ = hangup.recv() => {}
        }
        let path = main.clone();
        match tokio::task::spawn_blocking(move || load(&path)).await {
            Ok(Ok((loaded, pages))) => {
                log_warnings(&loaded);
                log_unfollowed(&edits.borrow(), &loaded.config);
                health.set_config(LoadState::Ok);
                publisher.set_pages(pages);
                edits.send_replace(Arc::new(with_port(loaded.config, port)));
                tracing::info!("the config was edited; the new one is in force");
            }
            Ok(Err(error)) => {
                let problems = error.render(false);
                health.set_config(LoadState::Refused { since: clock::now(), problems: problems.clone() });
                tracing::error!(
                    "the config was edited, but has problems; the last good one stays in force\n{problems}"
                );
            }
            Err(error) => tracing::error!(%error, "reading the edited config met a fault"),
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

/// Logs what `check` would warn of.
pub fn log_warnings(loaded: &Loaded) {
    for warning in &loaded.warnings {
        tracing::warn!(file = %warning.file.display(), line = warning.line, "{}", warning.message);
    }
}

/// Logs what a config changed in the store, a line each.
pub fn log_difference(difference: &Difference) {
    for feed in &difference.feeds_added {
        tracing::info!(%feed, "feed added");
    }
    for feed in &difference.feeds_removed {
        tracing::info!(%feed, "feed removed");
    }
    for feed in &difference.feeds_moved {
        tracing::info!(%feed, "feed has another address");
    }
    if difference.renamed > 0 {
        let stories = difference.renamed;
        tracing::warn!(stories, "stories got new ids or addresses; the old ones showed what private feeds say");
    }
    for change in &difference.sections {
        let (section, moves) = (&change.section, &change.moves);
        let (entered, left) = (moves.entered, moves.left);
        tracing::info!(%section, "section {}: {entered} stories in, {left} out", change.kind.as_str());
    }
}
