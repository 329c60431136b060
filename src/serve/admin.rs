//! Serves the admin address: health, readiness, status, events and metrics, for the operator only. The address is
//! read-only, and answers only requests for known host names (see `hosts`).

use std::sync::{Arc, RwLock};
use std::time::Instant;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use http::{HeaderValue, StatusCode, header};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};
use serde::Serialize;
use tokio::sync::watch;

use super::answer::{add_security_headers, plain};
use super::hosts::{KnownHosts, known_host};
use crate::clock;
use crate::config::{Config, Listen};
use crate::feed::FeedId;
use crate::foreign;
use crate::listen::Listener;
use crate::render::{self, StatusEvent};
use crate::status::{self, FeedOverview, HookCondition, HookOverview, SectionRow, StuckPoll, Watch};
use crate::store::{Event, Store, StoreError};
use crate::time::Timestamp;

/// The health of the daemon, as its parts report it. Cheap to clone.
#[derive(Clone)]
pub struct Health {
    configs: watch::Receiver<Arc<Config>>,
    state: Arc<RwLock<Condition>>,
    polls: Family<OutcomeLabel, Counter>,
    watch: Watch,
}

#[derive(Clone, Debug, Default)]
struct Condition {
    is_ready: bool,
    config: LoadState,
}

/// The result of the last attempt to load the config.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum LoadState {
    /// The config is active.
    #[default]
    Ok,
    /// The config has errors; the previous one is still active.
    Refused {
        /// When the load failed.
        since: Timestamp,
        /// The problems as plain text, as `newswire check` renders them.
        problems: String,
    },
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

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct HookLabel {
    hook: String,
}

#[derive(Serialize)]
struct Status {
    version: &'static str,
    ready: bool,
    config: LoadState,
    /// Polls that have been running for more than twice their timeout.
    stuck: Vec<StuckPoll>,
    feeds: Vec<FeedOverview>,
    sections: Vec<SectionRow>,
    hooks: Vec<HookOverview>,
    /// The last events of feeds, the newest first.
    events: Vec<ShownEvent>,
}

/// An event as the status shows it.
#[derive(Serialize)]
struct ShownEvent {
    number: u64,
    feed: FeedId,
    at: Timestamp,
    /// A code such as `died`.
    kind: String,
    /// A sentence, without the feed's name.
    text: String,
}

impl ShownEvent {
    fn of(event: Event) -> ShownEvent {
        let Event { number, feed, at, what } = event;
        // A store from an older version may contain longer texts.
        ShownEvent { number, feed, at, kind: what.code().to_owned(), text: foreign::sentence(&what.to_string()) }
    }
}

/// How many stuck polls `/healthz` names; `/status.json` names all.
const STUCK_SHOWN: usize = 20;

/// How many events the status shows.
const EVENTS: usize = 100;

impl Health {
    /// Creates the health of a daemon that is not ready yet.
    pub fn new(configs: watch::Receiver<Arc<Config>>) -> Health {
        Health { configs, state: Arc::default(), polls: Family::default(), watch: Watch::default() }
    }

    /// Makes `/healthz` fail while a poll that `watch` watches is stuck.
    pub fn watching(self, watch: Watch) -> Health {
        Health { watch, ..self }
    }

    /// Makes `/readyz` succeed. Call it when everything in the store is published.
    pub fn set_ready(&self) {
        self.write(|state| state.is_ready = true);
    }

    /// Sets the result of the last attempt to load the config.
    pub fn set_config(&self, config: LoadState) {
        self.write(|state| state.config = config);
    }

    /// Counts a poll with this outcome, such as `not modified`.
    pub fn count(&self, outcome: &str) {
        self.polls.get_or_create(&OutcomeLabel { outcome: outcome.replace(' ', "_") }).inc();
    }

    fn write(&self, change: impl FnOnce(&mut Condition)) {
        change(&mut self.state.write().expect("no code panics while it holds the lock"));
    }

    fn read(&self) -> Condition {
        self.state.read().expect("no code panics while it holds the lock").clone()
    }
}

/// Returns the routes of the admin address.
pub(super) fn router(store: Store, health: Health, listener: &Listener) -> Router {
    let hosts = KnownHosts::of(listener, health.configs.clone());
    Router::new()
        .route("/healthz", get(healthy))
        .route("/readyz", get(ready))
        .route("/status", get(status_page))
        .route("/status.json", get(status_json))
        .route("/status.atom", get(status_feed))
        .route("/style.css", get(|| async { ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], render::STYLE_CSS) }))
        .route("/favicon.svg", get(|| async { ([(header::CONTENT_TYPE, "image/svg+xml")], render::FAVICON_SVG) }))
        .route("/metrics", get(metrics))
        .fallback(|| async {
            plain(StatusCode::NOT_FOUND, "see /status, /status.json, /status.atom, /healthz, /readyz and /metrics\n")
        })
        .layer(axum::middleware::from_fn_with_state(hosts, known_host))
        .layer(axum::middleware::map_response(with_security_headers))
        .with_state((store, health))
}

/// Answers 200 if newswire works; 503 while polls are stuck, with a line for each such feed.
async fn healthy(State((_, health)): State<(Store, Health)>) -> Response {
    let stuck = health.watch.stuck(Instant::now());
    if stuck.is_empty() {
        return plain(StatusCode::OK, "ok\n");
    }
    let line = |poll: &StuckPoll| format!("the poll of {} is {poll}; restart newswire and report it\n", poll.feed);
    let mut text: String = stuck.iter().take(STUCK_SHOWN).map(line).collect();
    if let Some(more) = stuck.len().checked_sub(STUCK_SHOWN).filter(|more| *more > 0) {
        text.push_str(&format!("and {more} more\n"));
    }
    (StatusCode::SERVICE_UNAVAILABLE, [(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response()
}

async fn ready(State((_, health)): State<(Store, Health)>) -> Response {
    if health.read().is_ready {
        plain(StatusCode::OK, "ready\n")
    } else {
        plain(StatusCode::SERVICE_UNAVAILABLE, "the sections are not published yet\n")
    }
}

/// Adds the security headers of the public site, and forbids caching.
async fn with_security_headers(mut response: Response) -> Response {
    add_security_headers(response.headers_mut());
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

async fn status(store: &Store, health: &Health) -> Result<Status, StoreError> {
    let config = health.configs.borrow().clone();
    let reading = store.read(move |reader| {
        let feeds = status::feeds(&config, Some(reader), clock::now())?;
        let sections = status::sections(&config, Some(reader))?;
        Ok((feeds, sections, status::hooks(&config, reader)?, reader.events(EVENTS)?))
    });
    let (feeds, sections, hooks, events) = reading.await?;
    let events = events.into_iter().map(ShownEvent::of).collect();
    let Condition { is_ready: ready, config } = health.read();
    let stuck = health.watch.stuck(Instant::now());
    Ok(Status { version: env!("CARGO_PKG_VERSION"), ready, config, stuck, feeds, sections, hooks, events })
}

async fn status_json(State((store, health)): State<(Store, Health)>) -> Response {
    match status(&store, &health).await {
        Ok(status) => Json(status).into_response(),
        Err(error) => failed(&error),
    }
}

async fn status_page(State((store, health)): State<(Store, Health)>) -> Response {
    let status = match status(&store, &health).await {
        Ok(status) => status,
        Err(error) => return failed(&error),
    };
    match render::status_page(&health.configs.borrow().site, &status, clock::now()) {
        Ok(page) => ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], page).into_response(),
        Err(error) => failed(&error),
    }
}

async fn status_feed(State((store, health)): State<(Store, Health)>) -> Response {
    let status = match status(&store, &health).await {
        Ok(status) => status,
        Err(error) => return failed(&error),
    };
    let config = health.configs.borrow().clone();
    let self_link = match &config.server.admin {
        Listen::Address(address) => Some(format!("http://{address}/status.atom")),
        Listen::Unix(_) => None,
    };
    match render::status_feed(&config.site, self_link.as_deref(), &status_events(&status)) {
        Ok(feed) => ([(header::CONTENT_TYPE, "application/atom+xml; charset=utf-8")], feed).into_response(),
        Err(error) => failed(&error),
    }
}

/// Returns the entries of the status feed: the current config error, if any, then the hooks that fail, then the events of
/// feeds.
fn status_events(status: &Status) -> Vec<StatusEvent> {
    let refused = match &status.config {
        LoadState::Ok => None,
        LoadState::Refused { since, problems } => Some(StatusEvent {
            path: format!("status/config/{}", since.millis()),
            title: "Config not reloaded".to_owned(),
            text: problems.clone(),
            at: *since,
        }),
    };
    let of_feeds = status.events.iter().map(|event| {
        let row = status.feeds.iter().find(|row| row.id == event.feed);
        let name = row.map_or(event.feed.as_str(), |row| &row.title);
        StatusEvent {
            path: format!("status/event/{}", event.number),
            title: format!("{name} {}", event.kind),
            text: format!("{} ({name}) {}.", event.feed, event.text),
            at: event.at,
        }
    });
    let of_hooks = status.hooks.iter().filter_map(|hook| {
        let (at, text) = hook.failing_since.zip(hook.trouble())?;
        let title = format!("Hook {} {}", hook.id, if hook.state == HookCondition::Gone { "gone" } else { "failing" });
        Some(StatusEvent { path: format!("status/hook/{}/{}", hook.id, at.millis()), title, text, at })
    });
    refused.into_iter().chain(of_hooks).chain(of_feeds).collect()
}

async fn metrics(State((store, health)): State<(Store, Health)>) -> Response {
    let Status { feeds, sections, stuck, hooks, .. } = match status(&store, &health).await {
        Ok(status) => status,
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
    let (waiting, given_up) = (Family::<HookLabel, Gauge>::default(), Family::<HookLabel, Gauge>::default());
    for hook in &hooks {
        let label = HookLabel { hook: hook.id.to_string() };
        waiting.get_or_create(&label).set(hook.waiting.cast_signed());
        given_up.get_or_create(&label).set(hook.given_up.cast_signed());
    }
    registry.register("hook_messages_waiting", "Messages that wait to be sent to a hook", waiting);
    registry.register("hook_messages_given_up", "Messages that a hook never accepted", given_up);
    let lateness = Gauge::<i64>::default();
    lateness.set(i64::try_from(status::lateness(&feeds, clock::now()).as_secs()).unwrap_or(i64::MAX));
    registry.register("feeds", "Configured feeds by state", by_state);
    registry.register_with_unit("lateness", "How long the most overdue feed has been waiting", Unit::Seconds, lateness);
    registry.register("stories", "Stories in a section", stories);
    let stuck_polls = Gauge::<i64>::default();
    stuck_polls.set(i64::try_from(stuck.len()).unwrap_or(i64::MAX));
    registry.register("polls_stuck", "Polls running for more than twice their timeout", stuck_polls);
    registry.register("polls", "Polls since the start by outcome", health.polls.clone());
    let mut text = String::new();
    if encode(&mut text, &registry).is_err() {
        return plain(StatusCode::INTERNAL_SERVER_ERROR, "cannot write the metrics\n");
    }
    ([(header::CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], text).into_response()
}

fn failed(error: &dyn std::error::Error) -> Response {
    tracing::error!(%error, "cannot read the status");
    plain(StatusCode::INTERNAL_SERVER_ERROR, "cannot read the status; see the log\n")
}
