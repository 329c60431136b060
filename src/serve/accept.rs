//! The accept loop: connections with limits in number and time, and a quiet end.
//!
//! `axum::serve` has neither a header timeout nor a cap, so that a few hundred silent sockets would hold the site up.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

/// Connections at once: more than a small site's readers need, and few enough for its memory.
const CONNECTIONS: usize = 1024;

/// How long a request's headers may take to arrive.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a whole connection may last. Readers come again; whoever holds one open longer only holds a place.
const CONNECTION_LIFETIME: Duration = Duration::from_secs(120);

/// How often a silent HTTP/2 connection is asked whether it is still there, and how long it may take to say so.
const KEEP_ALIVE: Duration = Duration::from_secs(20);
const KEEP_ALIVE_TIMEOUT: Duration = Duration::from_secs(10);

/// Headers of a request, all together.
const HEADER_BYTES: usize = 32 * 1024;

/// How long answers on their way may take after the daemon was told to end.
const FINISHING: Duration = Duration::from_secs(5);

/// Serves `router` until `shutdown`, then lets answers on their way finish for [`FINISHING`].
pub async fn serve(listener: TcpListener, router: Router, shutdown: CancellationToken) {
    let builder = Arc::new(builder());
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let graceful = GracefulShutdown::new();
    loop {
        let accepted = tokio::select! {
            () = shutdown.cancelled() => break,
            accepted = accept(&listener, &places) => accepted,
        };
        let (stream, place) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of descriptors, mostly: wait until some are free rather than spin.
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let service = router.clone().map_request(|request: hyper::Request<Incoming>| request.map(Body::new));
        let watcher = graceful.watcher();
        let builder = builder.clone();
        tokio::spawn(async move {
            let connection = builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
            // A reader that goes away in mid-air is nothing to report.
            let _ = tokio::time::timeout(CONNECTION_LIFETIME, watcher.watch(connection.into_owned())).await;
            drop(place);
        });
    }
    drop(listener);
    let _ = tokio::time::timeout(FINISHING, graceful.shutdown()).await;
}

type Accepted = (tokio::net::TcpStream, tokio::sync::OwnedSemaphorePermit);

async fn accept(listener: &TcpListener, places: &Arc<Semaphore>) -> io::Result<Accepted> {
    let place = places.clone().acquire_owned().await.map_err(io::Error::other)?;
    let (stream, _) = listener.accept().await?;
    // Answers are written whole; waiting for more to send only delays them.
    stream.set_nodelay(true)?;
    Ok((stream, place))
}

fn builder() -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEADER_TIMEOUT).max_buf_size(HEADER_BYTES);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(KEEP_ALIVE)
        .keep_alive_timeout(KEEP_ALIVE_TIMEOUT)
        .max_header_list_size(HEADER_BYTES as u32);
    builder
}
