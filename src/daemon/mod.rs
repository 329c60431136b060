//! The daemon: polls on schedule, publishes what changed, serves it, follows edits of the config and does commands' work.
//!
//! Here its parts are wired. Each has a file of its own: `publishing` renders what changed, `folder` writes it as files, `maintenance` does what time
//! demands, `reload` follows the TOML, `signals` stops it, `control` does what commands ask, and `edit` does an editor's splits
//! and joins. The caller of [`run`] binds the listeners and decides when to stop.
//!
//! The policy held here: one part never waits for another. They send each other what changed, and each goes on after a failure
//! of its own, which it logs.

pub mod control;
mod edit;
mod folder;
mod maintenance;
mod publishing;
pub mod reload;
pub mod signals;

use std::sync::Arc;

use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use crate::clock;
use crate::commit::{self, ActiveConfig};
use crate::config::Config;
use crate::fetch::Fetcher;
use crate::listen::Listener;
use crate::poll::Poller;
use crate::publish::{Publisher, hub};
use crate::serve::{self, Health};
use crate::store::{Store, StoreError};

use control::ControlServer;
pub use maintenance::check_store;
use publishing::{Publishing, all_sections};

/// Everything that a running newswire is made of. The caller binds the listeners and decides when it ends.
pub struct Newswire {
    pub store: Store,
    pub poller: Poller,
    /// Notifies the WebSub hub.
    pub fetcher: Fetcher,
    pub publisher: Publisher,
    pub health: Health,
    /// The active config; every new value is applied whole.
    pub configs: watch::Receiver<Arc<Config>>,
    pub public: Listener,
    pub admin: Listener,
    /// Where commands ask for what only the daemon may do; `None` if the socket could not be bound.
    pub control: Option<Listener>,
}

/// Polls, publishes and serves until `shutdown`; returns when everything is written.
///
/// # Errors
///
/// If the store cannot be brought in line with the config at the start. Later failures are logged, and what runs goes on.
pub async fn run(newswire: Newswire, shutdown: CancellationToken) -> Result<(), StoreError> {
    let Newswire { store, poller, fetcher, publisher, health, configs, public, admin, control } = newswire;
    let health = health.watching(poller.watch());
    let config = configs.borrow().clone();
    reload::log_difference(&commit::sync(&store, config.clone(), clock::now()).await?, &config);
    let active = ActiveConfig::new(config.clone());
    let poller = poller.following(active.clone());
    let (hub_tx, hub_rx) = mpsc::unbounded_channel();
    let (folder_work, folder_task) = folder::folder_task(publisher.clone(), config.clone());
    let unfinished = publishing::publish(&publisher, &config, &all_sections(&config), &hub_tx).await;
    folder_work.published(&config);
    health.set_ready();

    let (reports, polled) = mpsc::unbounded_channel();
    let (swept, changes) = mpsc::unbounded_channel();
    let (folders, folder_requests) = mpsc::unbounded_channel();
    let publishing = Publishing {
        store: store.clone(),
        active: active.clone(),
        publisher: publisher.clone(),
        health: health.clone(),
        hub_tx,
        folder_work,
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
        hub::run(fetcher, configs.clone(), hub_rx, shutdown.clone()),
        maintenance::run(store.clone(), active, swept, shutdown.clone()),
        serve::public(public, publisher, configs, shutdown.clone()),
        serve::admin(admin, store, health, shutdown),
    );
    Ok(())
}
