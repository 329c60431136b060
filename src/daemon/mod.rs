//! The daemon: polls on schedule, publishes and serves what changed, reloads the config, and carries out commands.
//!
//! This file connects the parts. `publishing` renders what changed, `folder` writes it as files, and `maintenance` does
//! periodic work. After an edit of the TOML, `reload` loads it again, and `judging` applies the changed rules of
//! sections to the stories. `signals` stops the daemon. `control` serves commands, and `edit` performs an editor's
//! splits and joins. The caller of [`run`] binds the listeners and decides when to stop.
//!
//! The policy of this module: the parts run side by side and send each other what changed. Each logs its own failures
//! and continues.

pub mod control;
mod edit;
mod folder;
mod judging;
mod maintenance;
mod publishing;
pub mod reload;
pub mod signals;

use std::sync::Arc;

use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use crate::clock;
use crate::commit::ActiveConfig;
use crate::config::Config;
use crate::delivery::Delivery;
use crate::fetch::Fetcher;
use crate::listen::Listener;
use crate::poll::Poller;
use crate::publish::{HubTask, Publisher};
use crate::serve::{self, Health};
use crate::store::{Store, StoreError};

use control::ControlServer;
use judging::Judging;
pub use maintenance::check_store;
use publishing::{Publishing, all_sections};

/// The parts of a running newswire.
pub struct Newswire {
    /// The open store.
    pub store: Store,
    /// Polls the feeds.
    pub poller: Poller,
    /// Notifies the WebSub hubs, and posts to hooks.
    pub fetcher: Fetcher,
    /// Renders the editions and keeps them in memory.
    pub publisher: Publisher,
    /// The state that the admin address reports.
    pub health: Health,
    /// The config; every new value is applied as a whole.
    pub configs: watch::Receiver<Arc<Config>>,
    /// The listener for readers.
    pub public: Listener,
    /// The listener for status and metrics.
    pub admin: Listener,
    /// The control socket; `None` if it could not be bound.
    pub control: Option<Listener>,
}

/// Polls, publishes and serves until `shutdown`; returns when everything is written.
///
/// # Errors
///
/// If the store cannot be updated to the config at the start. Later failures are logged, and the daemon continues.
pub async fn run(newswire: Newswire, shutdown: CancellationToken) -> Result<(), StoreError> {
    let Newswire { store, poller, fetcher, publisher, health, configs, public, admin, control } = newswire;
    let health = health.watching(poller.watch());
    let config = configs.borrow().clone();
    let active = ActiveConfig::new(config.clone());
    reload::log_difference(&active.follow(&store, config.clone(), clock::now()).await?, &config);
    let (swept, changes) = mpsc::unbounded_channel();
    let judging = Judging::new(store.clone(), active.clone(), swept.clone());
    judging.begin().await;
    let poller = poller.following(active.clone());
    let (hubs_tx, hubs_rx) = watch::channel(());
    let hubs = HubTask { store: store.clone(), fetcher: fetcher.clone(), configs: configs.clone() };
    let (hooks_tx, hooks_rx) = watch::channel(());
    let delivery = Delivery::new(store.clone(), fetcher.clone(), &config);
    let (folder_work, folder_task) = folder::folder_task(publisher.clone(), config.clone());
    let unfinished = publishing::publish(&publisher, &config, &all_sections(&config), &hubs_tx).await;
    folder_work.published(&config);
    health.set_ready();

    let (reports, polled) = mpsc::unbounded_channel();
    let (folders, folder_requests) = mpsc::unbounded_channel();
    let publishing = Publishing {
        store: store.clone(),
        active: active.clone(),
        judging: judging.clone(),
        publisher: publisher.clone(),
        health: health.clone(),
        hubs_tx,
        folder_work,
        hooks_tx,
    };
    let control_server = ControlServer {
        store: store.clone(),
        poller: poller.clone(),
        folders,
        configs: configs.clone(),
        active: active.clone(),
        reports: reports.clone(),
        changed: swept.clone(),
    };
    tokio::join!(
        control_server.serve(control, shutdown.clone()),
        poller.run(configs.clone(), reports, shutdown.clone()),
        publishing.run(configs.clone(), unfinished, polled, changes, folder_requests),
        folder_task.run(),
        judging.run(shutdown.clone()),
        hubs.run(hubs_rx, shutdown.clone()),
        delivery.run(active.clone(), configs.clone(), hooks_rx, shutdown.clone()),
        maintenance::run(store.clone(), active, swept, shutdown.clone()),
        serve::public(public, publisher, configs, shutdown.clone()),
        serve::admin(admin, store, health, shutdown),
    );
    Ok(())
}
