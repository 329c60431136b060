//! For the keeper alone, on an address of its own: health, readiness, status and metrics. Read only.

use std::sync::{Arc, RwLock};

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use http::{StatusCode, header};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use serde::Serialize;
use tokio::sync::watch;

use super::answer::plain;
use crate::config::Config;
use crate::poll::{self, PollReport};
use crate::status::{self, FeedRow, SectionRow};
use crate::store::{Store, StoreError};
use crate::time::Timestamp;

/// What the daemon's parts tell of themselves. Cheap to clone.
#[derive(Clone)]
pub struct Health {
    configs: watch::Receiver<Arc<Config>>,
    state: Arc<RwLock<Condition>>,
    polls: Family<OutcomeLabel, Counter>,
}

#[derive(Clone, Debug, Default)]
struct Condition {
    is_ready: bool,
    config: LoadState,
}

/// How the newest edit of the config was taken.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum LoadState {
    #[default]
    Ok,
    /// The last good config is still in force.
    Refused { since: Timestamp, problems: String },
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OutcomeLabel {
    outcome: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StateLabel {
    state: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct SectionLabel {
    section: String,
}

#[derive(Serialize)]
struct Status {
    version: &'static str,
    ready: bool,
    config: LoadState,
    feeds: Vec<FeedRow>,
    sections: Vec<SectionRow>,
}

impl Health {
    pub fn new(configs: watch::Receiver<Arc<Config>>) -> Health {
        Health { configs, state: Arc::default(), polls: Family::default() }
    }

    /// Everything is published that the store has: readers can be sent here.
    pub fn set_ready(&self) {
        self.write(|state| state.is_ready = true);
    }

    pub fn set_config(&self, config: LoadState) {
        self.write(|state| state.config = config);
    }

    pub fn count(&self, report: &PollReport) {
        self.polls.get_or_create(&OutcomeLabel { outcome: report.outcome.as_str().replace(' ', "_") }).inc();
    }

    fn write(&self, change: impl FnOnce(&mut Condition)) {
        change(&mut self.state.write().expect("nobody panics while holding the lock"));
    }

    fn read(&self) -> Condition {
        self.state.read().expect("nobody panics while holding the lock").clone()
    }
}

/// The routes of the admin address.
pub fn router(store: Store, health: Health) -> Router {
    Router::new()
        .route("/healthz", get(|| async { plain(StatusCode::OK, "ok\n") }))
        .route("/readyz", get(ready))
        .route("/status.json", get(status_json))
        .route("/metrics", get(metrics))
        .fallback(|| async { plain(StatusCode::NOT_FOUND, "see /status.json, /healthz, /readyz and /metrics\n") })
        .with_state((store, health))
}

async fn ready(State((_, health)): State<(Store, Health)>) -> Response {
    if health.read().is_ready {
        plain(StatusCode::OK, "ready\n")
    } else {
        plain(StatusCode::SERVICE_UNAVAILABLE, "not published yet\n")
    }
}

async fn rows(store: &Store, health: &Health) -> Result<(Vec<FeedRow>, Vec<SectionRow>), StoreError> {
    let config = health.configs.borrow().clone();
    let reading = store.read(move |reader| {
        Ok((status::feeds(&config, Some(reader), poll::now())?, status::sections(&config, Some(reader))?))
    });
    reading.await
}

async fn status_json(State((store, health)): State<(Store, Health)>) -> Response {
    match rows(&store, &health).await {
        Ok((feeds, sections)) => {
            let Condition { is_ready, config } = health.read();
            Json(Status { version: env!("CARGO_PKG_VERSION"), ready: is_ready, config, feeds, sections })
                .into_response()
        }
        Err(error) => failed(&error),
    }
}

async fn metrics(State((store, health)): State<(Store, Health)>) -> Response {
    let (feeds, sections) = match rows(&store, &health).await {
        Ok(rows) => rows,
        Err(error) => return failed(&error),
    };
    let mut registry = Registry::with_prefix("newswire");
    let by_state = Family::<StateLabel, Gauge>::default();
    for (state, count) in status::count_states(&feeds) {
        by_state
            .get_or_create(&StateLabel { state: state.as_str().to_owned() })
            .set(i64::try_from(count).unwrap_or(i64::MAX));
    }
    let stories = Family::<SectionLabel, Gauge>::default();
    for section in &sections {
        let label = SectionLabel { section: section.id.to_string() };
        stories.get_or_create(&label).set(section.stories.cast_signed());
    }
    registry.register("feeds", "Configured feeds by state", by_state);
    registry.register("stories", "Stories in a section", stories);
    registry.register("polls", "Polls since the start by outcome", health.polls.clone());
    let mut text = String::new();
    if encode(&mut text, &registry).is_err() {
        return plain(StatusCode::INTERNAL_SERVER_ERROR, "the metrics could not be written\n");
    }
    ([(header::CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], text).into_response()
}

fn failed(error: &StoreError) -> Response {
    tracing::error!(%error, "the status could not be read");
    plain(StatusCode::INTERNAL_SERVER_ERROR, "the store could not be read; the log says why\n")
}
