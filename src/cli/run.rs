//! `newswire run`: starts the daemon. Loads the config, opens the store, binds the listeners, and connects the parts.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{CommandError, Done, runtime, upgrade};
use crate::config::Listen;
use crate::daemon::reload::{self, Sources, Warnings};
use crate::daemon::{self, Newswire, control, signals};
use crate::fetch::Fetcher;
use crate::files;
use crate::listen::{Listener, SocketReach};
use crate::poll::Poller;
use crate::publish::Publisher;
use crate::serve::Health;

/// Runs `newswire run` until a signal stops the daemon.
pub(super) fn run(config: Option<&Path>) -> Done {
    let main = files::find(config)?;
    let runtime = runtime()?;
    let result = runtime.block_on(start(main));
    // Tasks that still wait for a slow name server or disk must not delay the exit.
    runtime.shutdown_background();
    result.map(|()| ExitCode::SUCCESS)
}

async fn start(main: PathBuf) -> Result<(), CommandError> {
    // Watch the files before reading them, so that no edit is missed in between.
    let watching = files::watch(&main)
        .inspect_err(|error| tracing::warn!(%error, "cannot watch the config files; send SIGHUP after an edit"));
    let hangup = signals::hangup().context("cannot receive signals")?;
    let (reloads, closes) = if signals::is_at_terminal() { (None, Some(hangup)) } else { (Some(hangup), None) };
    let (loaded, pages) = reload::load(&main)?;
    let mut warnings = Warnings::default();
    warnings.log(&loaded.warnings, &loaded.sources);
    let store = upgrade::open_logging(&loaded.config.store.path, "`newswire run`")?;
    let public = bind(&loaded.config.server.listen, SocketReach::AllUsers, "listen").await?;
    let admin = bind(&loaded.config.server.admin, SocketReach::Owner, "admin").await?;
    let control = control::bind(store.path())
        .await
        .inspect_err(|error| {
            tracing::warn!(%error, "no control socket; commands that write do not work while the daemon runs");
        })
        .ok();
    let port = public.port();
    let config = Arc::new(reload::with_port(loaded.config, port));
    let stops = signals::StopSignals::register().context("cannot receive signals")?;
    tracing::info!("serving on {}/", public.name()?);
    tracing::info!("status on {}/status", admin.name()?);

    let fetcher = Fetcher::new(&config.poll.contact);
    let (edits, configs) = watch::channel(config.clone());
    let health = Health::new(configs.clone());
    let shutdown = CancellationToken::new();
    let publisher = Publisher::new(store.clone(), pages);
    let newswire = Newswire {
        poller: Poller::new(store.clone(), fetcher.clone(), config.poll.concurrency),
        fetcher,
        publisher: publisher.clone(),
        store,
        health: health.clone(),
        configs,
        public,
        admin,
        control,
    };
    tokio::spawn(signals::stop_on_signal(stops, shutdown.clone(), closes));
    tokio::spawn(daemon::check_store(newswire.store.clone(), shutdown.clone()));
    let sources = Sources { main, watching: watching.ok(), hangup: reloads, port };
    tokio::spawn(reload::follow(sources, warnings, publisher, edits, health));
    daemon::run(newswire, shutdown).await?;
    tracing::info!("stopped");
    Ok(())
}

async fn bind(listen: &Listen, reach: SocketReach, key: &str) -> Result<Listener, CommandError> {
    let listener = Listener::bind(listen, reach).await;
    Ok(listener.with_context(|| format!("cannot listen on {listen}; set another address as `{key}` under [server]"))?)
}
