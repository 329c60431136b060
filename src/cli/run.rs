//! `newswire run`: the daemon.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{Done, Failure, runtime};
use crate::Newswire;
use crate::config::{Config, Listen};
use crate::control;
use crate::fetch::Fetcher;
use crate::files::{self, LoadError, Loaded, Watch};
use crate::poll::{self, Poller};
use crate::publish::Publisher;
use crate::render::Pages;
use crate::serve::{Health, Listener, LoadState, Reach};
use crate::store::Store;

pub fn run(config: Option<&Path>) -> Done {
    let main = files::find(config)?;
    let runtime = runtime()?;
    let result = runtime.block_on(daemon(main));
    // What still waits for a slow name server or disk must not hold up the end.
    runtime.shutdown_background();
    result.map(|()| ExitCode::SUCCESS)
}

async fn daemon(main: PathBuf) -> Result<(), Failure> {
    // Watched before it is read, so that no edit falls between the two.
    let watching = files::watch(&main).inspect_err(|error| tracing::warn!(%error, "edits are noticed on SIGHUP only"));
    let (loaded, pages) = load(&main)?;
    log_warnings(&loaded);
    let store = Store::open_checked(&loaded.config.store.path, "`newswire run`")?;
    let public = bind(&loaded.config.server.listen, Reach::Everybody, "listen").await?;
    let admin = bind(&loaded.config.server.admin, Reach::Owner, "admin").await?;
    let control = control::bind(store.path())
        .await
        .inspect_err(|error| tracing::warn!(%error, "commands that write must wait until the daemon ends"))
        .ok();
    let port = public.port();
    let config = Arc::new(with_port(loaded.config, port));
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
    tokio::spawn(end_on_signal(shutdown.clone()));
    tokio::spawn(check_store(newswire.store.clone(), shutdown.clone()));
    tokio::spawn(follow_edits(main, watching.ok(), port, publisher, edits, health));
    crate::run(newswire, shutdown).await?;
    tracing::info!("ended; nothing is left to be written");
    Ok(())
}

/// Looks for damage in a large store while it is in use.
async fn check_store(store: Store, shutdown: CancellationToken) {
    tokio::select! {
        () = shutdown.cancelled() => {}
        checked = store.check() => if let Err(error) = checked {
            tracing::error!(%error, "the store is not written to any more");
        }
    }
}

async fn bind(listen: &Listen, reach: Reach, key: &str) -> Result<Listener, Failure> {
    let listener = Listener::bind(listen, reach).await;
    Ok(listener.with_context(|| format!("cannot listen on {listen}; set another address as `{key}` under [server]"))?)
}

/// Where the system chose the port (`listen = "127.0.0.1:0"`) and no public address is configured, links name that port.
fn with_port(mut config: Config, port: Option<u16>) -> Config {
    if config.site.url.port() == Some(0) {
        // It fails only on URLs that can have no port, and this one has.
        let _ = config.site.url.set_port(port);
    }
    config
}

fn log_warnings(loaded: &Loaded) {
    for warning in &loaded.warnings {
        tracing::warn!(file = %warning.file.display(), line = warning.line, "{}", warning.message);
    }
}

/// The first signal ends it in good order; a second one at once.
async fn end_on_signal(shutdown: CancellationToken) {
    let (Ok(mut terminate), Ok(mut interrupt)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        tracing::error!("signals cannot be received; only SIGKILL will end it");
        return;
    };
    for is_first in [true, false] {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        if is_first {
            tracing::info!("ending; polls on their way may finish for some seconds");
            shutdown.cancel();
        }
    }
    std::process::exit(130);
}

/// Takes every good edit of the TOML, whole, and the templates as they are then; a bad one changes nothing and is told in the
/// log.
async fn follow_edits(
    main: PathBuf,
    mut watching: Option<Watch>,
    port: Option<u16>,
    publisher: Publisher,
    edits: watch::Sender<Arc<Config>>,
    health: Health,
) {
    let Ok(mut hangup) = signal(SignalKind::hangup()) else { return };
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
                health.set_config(LoadState::Refused { since: poll::now(), problems: problems.clone() });
                tracing::error!(
                    "the config was edited, but has problems; the last good one stays in force\n{problems}"
                );
            }
            Err(error) => tracing::error!(%error, "reading the edited config met a fault"),
        }
    }
}

fn load(main: &Path) -> Result<(Loaded, Pages), LoadError> {
    let loaded = files::load(main)?;
    let pages = files::pages(&loaded.config)?;
    Ok((loaded, pages.with_search()))
}

/// What a running daemon cannot change is said, not passed over.
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
