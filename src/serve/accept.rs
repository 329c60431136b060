//! The accept loop: connections with limits in number and time, and a quiet end.
//!
//! `axum::serve` has neither a header timeout nor a cap, so that a few hundred silent sockets would hold the site up. Here a
//! connection lasts as long as it is of use (see `pulse`), and no peer has more than its share (see `peers`).

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

use super::peers::Peers;
use super::pulse::{Counted, Pulse};
use crate::listen::{Listener, Stream};

/// Connections at once: more than a small site's readers need, and few enough for its memory.
const CONNECTIONS: u32 = 1024;

/// How long a request's headers may take to arrive; over HTTP/1 the time since the last answer counts.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);

/// How often a silent HTTP/2 connection is asked whether it is still there, and how long it may take to say so.
const KEEP_ALIVE: Duration = Duration::from_secs(20);
const KEEP_ALIVE_TIMEOUT: Duration = Duration::from_secs(10);

/// Headers of a request, all together.
const HEADER_BYTES: usize = 32 * 1024;

/// What one HTTP/2 connection may ask for at once: each stream may hold a place for its headers.
const STREAMS: u32 = 32;

/// How long answers on their way may take after the daemon was told to end.
const FINISHING: Duration = Duration::from_secs(5);

/// How long a connection that is of no use has to say farewell.
const PARTING: Duration = Duration::from_secs(1);

/// What answers requests. Every connection has a clone.
pub trait Responder<B>:
    Service<Request<Incoming>, Response = Response<B>, Error = Infallible, Future: Send> + Clone + Send + 'static
{
}

impl<S, B> Responder<B> for S where
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible, Future: Send> + Clone + Send + 'static
{
}

/// Answers by `site` until `shutdown`, then lets answers on their way finish for [`FINISHING`].
pub async fn serve<B>(listener: Listener, site: impl Responder<B>, shutdown: CancellationToken)
where
    B: Body<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>>> + Send + 'static,
{
    let builder = Arc::new(builder());
    let places = Arc::new(Semaphore::new(CONNECTIONS as usize));
    let peers = Peers::default();
    loop {
        // Whoever comes when all places are taken waits in the system's queue.
        let accepted = tokio::select! {
            () = shutdown.cancelled() => break,
            accepted = async {
                let place = places.clone().acquire_owned().await.expect("the semaphore is never closed");
                listener.accept().await.map(|(stream, peer)| (stream, peer, place))
            } => accepted,
        };
        let (stream, peer, place) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of descriptors, mostly: wait until some are free rather than spin.
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let Some(share) = peers.place(peer) else { continue };
        let (builder, site, shutdown) = (builder.clone(), site.clone(), shutdown.clone());
        tokio::spawn(async move {
            converse(&builder, stream, site, shutdown).await;
            drop((place, share));
        });
    }
    drop(listener);
    // All places are free again when all connections have ended.
    let _ = tokio::time::timeout(FINISHING, places.acquire_many(CONNECTIONS)).await;
}

/// One connection, to its end.
async fn converse<B>(
    builder: &auto::Builder<TokioExecutor>,
    stream: Stream,
    site: impl Responder<B>,
    shutdown: CancellationToken,
) where
    B: Body<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>>> + Send + 'static,
{
    let pulse = Arc::new(Pulse::default());
    let counted = pulse.clone();
    let service = hyper::service::service_fn(move |request| {
        counted.count_request();
        site.call(request)
    });
    let connection = builder.serve_connection(TokioIo::new(Counted::new(stream, pulse.clone())), service);
    tokio::pin!(connection);
    let patience = tokio::select! {
        // A reader that goes away in mid-air is nothing to report.
        _ = &mut connection => return,
        () = pulse.until_useless() => PARTING,
        () = shutdown.cancelled() => FINISHING,
    };
    connection.as_mut().graceful_shutdown();
    let _ = tokio::time::timeout(patience, connection).await;
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
