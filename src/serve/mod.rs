//! Runs the HTTP server. It serves editions and pages from memory, with conditional answers. On a second, private
//! address, it serves the status of newswire.
//!
//! To answer a request for an edition, the server never renders a feed and never reads the store. Answers depend on
//! what was published, and not on `Host` or `X-Forwarded-*`. The server allows GET and HEAD, OPTIONS for feeds, and
//! POST for the token of a private section. A slow or silent client does not block others. Ranges and differences from
//! an earlier edition (RFC 3229) are not supported. With them, an answer would depend on more than its address and
//! content coding, so that shared caches would be useless.

mod accept;
mod activity;
mod admin;
mod answer;
mod entry;
mod hosts;
mod peers;
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

/// Serves the public site until `shutdown`, then lets running answers finish.
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

/// Serves health, status and metrics on the admin address until `shutdown`.
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
        answer::reserve(&config.site, self.answer_for(&config, request).await)
    }

    async fn answer_for(&self, config: &Arc<Config>, request: Request<Incoming>) -> Response {
        let editions = self.publisher.current();
        // The body is never read, except that of the form for a private section's token.
        let (request, body) = request.into_parts();
        let site_request = match answer::SiteRequest::of(&request, &config.site.url) {
            Ok(site_request) => site_request,
            Err(refusal) => return refusal,
        };
        let site_request = match editions.setting.aliases.get(site_request.path()) {
            Some(document) => site_request.at(document),
            None => site_request,
        };
        if site_request.is_preflight() {
            return answer::preflight(&editions, &site_request);
        }
        if request.method == Method::POST {
            return entry::enter(&editions, &site_request, body).await;
        }
        let edition = editions.edition(site_request.path());
        // Most requests are for public editions, which are never locked.
        if edition.is_none_or(|edition| edition.private.is_some())
            && let Some(locked) = answer::locked(&editions, &site_request)
        {
            return locked;
        }
        if let Some(edition) = edition {
            return answer::edition(&editions, edition, &site_request).await;
        }
        match self.publisher.make(config, site_request.path(), |name| site_request.parameter(name)).await {
            Ok(Some(edition)) => answer::edition(&editions, &edition, &site_request).await,
            Ok(None) => answer::without_edition(&editions, &site_request),
            Err(error) if error.is_for_now() => answer::unavailable(),
            Err(error) => {
                tracing::error!(%error, "cannot render a page");
                answer::unavailable()
            }
        }
    }
}
