//! Accepts connections, limits their number and time, and shuts down gracefully.
//!
//! `axum::serve` has neither a header timeout nor a connection limit, so a few hundred silent sockets would block the site.
//! Here a connection stays open while it is active (see `activity`), and no peer gets more than its share (see `peers`).

use std::convert::Infallible;
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Incoming};
use hyper::service::Service;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::activity::{Activity, Counted};
use super::peers::Peers;
use crate::listen::{Listener, Stream};

/// The most open connections. The readers of a small site need fewer, and the memory of its machine suffices for so
/// many.
const CONNECTIONS: u32 = 1024;

/// How long a request's headers may take to arrive; for HTTP/1, counted from the last answer.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);

/// How often a silent HTTP/2 connection gets a ping, and how long it may take to answer.
const KEEP_ALIVE: Duration = Duration::from_secs(20);
const KEEP_ALIVE_TIMEOUT: Duration = Duration::from_secs(10);

/// The largest size of all headers of a request.
const HEADER_BYTES: usize = 32 * 1024;

/// How many concurrent streams an HTTP/2 connection may have: each may need memory for its headers.
const STREAMS: u32 = 32;

/// How long running answers may take after the shutdown begins.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(5);

/// How long an inactive connection has to close gracefully.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// A service that answers requests. Every connection has a clone.
pub(super) trait Responder<B>:
    Service<Request<Incoming>, Response = Response<B>, Error = Infallible, Future: Send> + Clone + Send + 'static
{
}

impl<S, B> Responder<B> for S where
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible, Future: Send> + Clone + Send + 'static
{
}

/// Answers requests with `site` until `shutdown`, then lets running answers finish within [`SHUTDOWN_TIMEOUT`].
pub(super) async fn serve<B>(listener: Listener, site: impl Responder<B>, shutdown: CancellationToken)
where
    B: Body<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>>> + Send + 'static,
{
    let builder = Arc::new(builder());
    let slots = Arc::new(Semaphore::new(CONNECTIONS as usize));
    let peers = Peers::default();
    loop {
        // When all slots are taken, new connections wait in the system's queue.
        let accepted = tokio::select! {
            () = shutdown.cancelled() => break,
            accepted = async {
                let slot = slots.clone().acquire_owned().await.expect("the semaphore is never closed");
                listener.accept().await.map(|(stream, peer)| (stream, peer, slot))
            } => accepted,
        };
        let (stream, peer, slot) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Usually, no file descriptor is free. Wait until some are free, instead of trying again at once.
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let Some(peer_slot) = peers.slot(peer) else { continue };
        let (builder, site, shutdown) = (builder.clone(), site.clone(), shutdown.clone());
        tokio::spawn(async move {
            serve_connection(&builder, stream, site, shutdown).await;
            drop((slot, peer_slot));
        });
    }
    drop(listener);
    // All slots are free when all connections are closed.
    let _ = tokio::time::timeout(SHUTDOWN_TIMEOUT, slots.acquire_many(CONNECTIONS)).await;
}

/// Serves one connection until it closes.
async fn serve_connection<B>(
    builder: &auto::Builder<TokioExecutor>,
    stream: Stream,
    site: impl Responder<B>,
    shutdown: CancellationToken,
) where
    B: Body<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>>> + Send + 'static,
{
    let activity = Arc::new(Activity::default());
    let counted = activity.clone();
    let service = hyper::service::service_fn(move |request| {
        counted.count_request();
        site.call(request)
    });
    let connection = builder.serve_connection(TokioIo::new(Counted::new(stream, activity.clone())), service);
    tokio::pin!(connection);
    let timeout = tokio::select! {
        // It is not an error if a reader disconnects in the middle of an answer.
        _ = &mut connection => return,
        () = activity.until_inactive() => CLOSE_TIMEOUT,
        () = shutdown.cancelled() => SHUTDOWN_TIMEOUT,
    };
    connection.as_mut().graceful_shutdown();
    let _ = tokio::time::timeout(timeout, connection).await;
}

fn builder() -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEADER_TIMEOUT).max_buf_size(HEADER_BYTES);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(KEEP_ALIVE)
        .keep_alive_timeout(KEEP_ALIVE_TIMEOUT)
        .max_concurrent_streams(STREAMS)
        .max_header_list_size(HEADER_BYTES as u32);
    builder
}
