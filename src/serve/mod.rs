//! Serving: editions and pages from memory with conditional answers; on a second address, for its keeper alone, how the
//! newswire is doing.
//!
//! Never renders a feed and never reads the store to answer for an edition. The policy held here: answers are a function of
//! what was published, not of `Host` or `X-Forwarded-*`; only GET and HEAD; nobody who is slow or silent holds anything up.

mod accept;
mod admin;
mod answer;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::response::Response;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::publish::Publisher;
use crate::store::Store;

pub use admin::{Health, LoadState};

/// Serves the public site until `shutdown`, then lets answers on their way finish.
pub async fn public(
    listener: TcpListener,
    publisher: Publisher,
    configs: watch::Receiver<Arc<Config>>,
    shutdown: CancellationToken,
) {
    let site_state: Site = Arc::new((publisher, configs));
    let router = Router::new().fallback(site).with_state(site_state);
    accept::serve(listener, router, shutdown).await;
}

type Site = Arc<(Publisher, watch::Receiver<Arc<Config>>)>;

async fn site(State(state): State<Site>, request: Request) -> Response {
    let (publisher, configs) = &*state;
    let config = configs.borrow().clone();
    let editions = publisher.current();
    // Whatever body came is not read.
    let (request, _) = request.into_parts();
    let asked = answer::Asked::of(&request, config.site.url.path());
    let made = match (asked.is_read(), asked.path().strip_prefix("story/"), asked.path()) {
        (true, Some(slug), _) => publisher.story_page(&config, slug.trim_end_matches('/')).await,
        (true, None, "search") => publisher.search_page(&config, &asked.words()).await.map(|page| Some(Arc::new(page))),
        _ => Ok(None),
    };
    match made {
        Ok(page) => answer::answer(&editions, page.as_deref(), &asked),
        Err(error) => {
            tracing::error!(%error, "a page could not be made");
            answer::plain(http::StatusCode::SERVICE_UNAVAILABLE, "this page cannot be made now; try again later\n")
        }
    }
}

/// Serves health, status and metrics until `shutdown`.
pub async fn admin(listener: TcpListener, store: Store, health: Health, shutdown: CancellationToken) {
    accept::serve(listener, admin::router(store, health), shutdown).await;
}
