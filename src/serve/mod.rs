//! Serving: editions and pages from memory with conditional answers; on a second address, for its keeper alone, how the
//! newswire is doing.
//!
//! Never renders a feed and never reads the store to answer for an edition. The policy held here: answers are a function of
//! what was published, not of `Host` or `X-Forwarded-*`; only GET and HEAD, OPTIONS for feeds, and POST for the token of a
//! private section; nobody who is slow or silent holds anything up. Parts of
//! editions are not given, neither ranges nor what is new since an edition (RFC 3229): either would make an answer depend on
//! more than its address and coding, and shared caches useless.

mod accept;
mod admin;
mod answer;
mod entry;
mod hosts;
mod peers;
mod pulse;
mod session;

use std::convert::Infallible;
use std::sync::Arc;

use axum::body::Body;
use axum::response::Response;
use http::Method;
use hyper::Request;
use hyper::body::Incoming;
use hyper_util::service::TowerToHyperService;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use crate::config::Config;
use crate::listen::Listener;
use crate::publish::Publisher;
use crate::store::Store;

pub use admin::{Health, LoadState};

/// Serves the public site until `shutdown`, then lets answers on their way finish.
pub async fn public(
    listener: Listener,
    publisher: Publisher,
    configs: watch::Receiver<Arc<Config>>,
    shutdown: CancellationToken,
) {
    let site = Arc::new(PublicSite { publisher, configs });
    let service = hyper::service::service_fn(move |request: Request<Incoming>| {
        let site = site.clone();
        async move { Ok::<_, Infallible>(site.answer(request).await) }
    });
    accept::serve(listener, service, shutdown).await;
}

/// Serves health, status and metrics until `shutdown`.
pub async fn admin(listener: Listener, store: Store, health: Health, shutdown: CancellationToken) {
    let router =
        admin::router(store, health, &listener).map_request(|request: Request<Incoming>| request.map(Body::new));
    accept::serve(listener, TowerToHyperService::new(router), shutdown).await;
}

struct PublicSite {
    publisher: Publisher,
    configs: watch::Receiver<Arc<Config>>,
}

impl PublicSite {
    async fn answer(&self, request: Request<Incoming>) -> Response {
        let config = self.configs.borrow().clone();
        let editions = self.publisher.current();
        // Whatever body came is not read, but that of the form which opens a private section.
        let (request, body) = request.into_parts();
        let asked = match answer::Asked::of(&request, &config.site.url) {
            Ok(asked) => asked,
            Err(refusal) => return refusal,
        };
        if asked.is_preflight() {
            return answer::preflight(&editions, &asked);
        }
        if request.method == Method::POST {
            return entry::enter(&editions, &asked, body).await;
        }
        if let Some(locked) = answer::locked(&editions, &asked) {
            return locked;
        }
        if let Some(edition) = editions.by_path.get(asked.path()) {
            return answer::edition(&editions, edition, &asked);
        }
        match self.publisher.make(&config, asked.path(), || asked.words()).await {
            Ok(Some(edition)) => answer::edition(&editions, &edition, &asked),
            Ok(None) => answer::elsewhere(&editions, &asked),
            Err(error) if error.is_for_now() => answer::unavailable(),
            Err(error) => {
                tracing::error!(%error, "a page could not be made");
                answer::unavailable()
            }
        }
    }
}
