//! Reads a response body within its limits: its size as received and after decoding, its time, its speed, and the
//! memory of all bodies together.
//!
//! `Content-Length` only serves to choose a place in memory (see `budget`). The compression ratio has no limit. Only
//! the actual sizes are limited.

use std::time::Duration;

use bytes::Bytes;
use reqwest::Response;
use tokio::time::Instant;

use super::budget::{Budget, MemoryPlace};
use super::decode::{self, Coding};
use super::error::root_cause;
use super::progress::Progress;
use super::stopwatch::Stopwatch;
use super::wire;
use crate::feed::{Failure, HttpFault, PollPhase};

/// If a body is slower than this for a whole [`PACE_WINDOW`], the poll fails. Otherwise the body would occupy the turn
/// at its host, memory and a connection for too long.
const LEAST_BYTES_PER_SECOND: u64 = 1024;
const PACE_WINDOW: Duration = Duration::from_secs(10);

/// If a body comes in more chunks, the poll fails, because each chunk costs some microseconds, however small it is. A
/// body of 10 MiB has 640 chunks of 16 KiB.
const MAX_CHUNKS: usize = 100_000;

/// A body and its place in memory. The place becomes free when the last clone of the bytes is dropped.
struct HeldBody {
    body: Vec<u8>,
    _place: MemoryPlace,
}

impl AsRef<[u8]> for HeldBody {
    fn as_ref(&self) -> &[u8] {
        &self.body
    }
}

/// Wraps a body so that it occupies `place` until its last clone is dropped.
pub(super) fn hold(body: Vec<u8>, place: MemoryPlace) -> Bytes {
    Bytes::from_owner(HeldBody { body, _place: place })
}

/// Reads and decodes a body of at most `limit` bytes.
///
/// # Errors
///
/// Fails if the body is too large, too slow, late or incomplete, or has a `Content-Encoding` that was not requested.
pub(super) async fn read(
    response: Response,
    limit: u64,
    budget: &Budget,
    stopwatch: &mut Stopwatch,
    host: &str,
) -> Result<Bytes, Failure> {
    let coding = decode::coding(response.headers())
        .map_err(|coding| unreadable(host, HttpFault::UnknownCoding { coding: coding.into() }))?;
    let claimed = response.content_length().unwrap_or_default();
    let place = stopwatch.progress().waiting(budget.place(claimed, limit)).await;
    let (body, place) = receive(response, place, stopwatch, host).await?;
    match decode::actual(coding, &body) {
        Some(coding) => decoded(coding, body.into(), place, budget, stopwatch.progress(), host).await,
        None => Ok(hold(body, place)),
    }
}

/// Receives the body, and returns it with the place that it occupies.
async fn receive(
    mut response: Response,
    mut place: MemoryPlace,
    stopwatch: &mut Stopwatch,
    host: &str,
) -> Result<(Vec<u8>, MemoryPlace), Failure> {
    let mut body = place.buffer();
    let mut pace = Pace::start();
    let mut chunks = 0;
    loop {
        let before = body.len();
        let filling = fill(&mut response, &mut body, place.room(), &mut chunks);
        let chunk = match stopwatch.run(pace.left(), filling).await {
            Ok(Ok(Filled::Full(chunk))) => chunk,
            Ok(Ok(Filled::All)) => return Ok((body, place)),
            Ok(Ok(Filled::TooManyChunks)) => {
                return Err(unreadable(host, HttpFault::TooManyChunks { most: MAX_CHUNKS }));
            }
            Ok(Err(error)) => {
                let why = root_cause(&error);
                let wire = wire::fault(why.as_str()).map(|wire| HttpFault::Wire { wire });
                return Err(unreadable(host, wire.unwrap_or(HttpFault::BrokeOff { why })));
            }
            Err(overrun) if overrun.of_total => return Err(overrun.into_failure(host, PollPhase::Body)),
            Err(_) => Bytes::new(), // The window ended without another chunk; see `keeps_up`.
        };
        let bytes = (body.len() + chunk.len()) as u64;
        if bytes > place.limit() {
            return Err(Failure::TooLarge { limit_bytes: place.limit() });
        }
        if !pace.keeps_up(body.len() - before + chunk.len()) {
            return Err(Failure::TooSlow { host: host.into(), bytes_per_second: LEAST_BYTES_PER_SECOND });
        }
        while !place.holds(bytes) {
            place = stopwatch.progress().waiting(place.climb()).await;
            body = copied(&body, place.buffer());
            pace = Pace::start();
        }
        body.extend_from_slice(&chunk);
    }
}

/// How [`fill`] ended.
enum Filled {
    /// The body is complete.
    All,
    /// There is no room for this chunk.
    Full(Bytes),
    TooManyChunks,
}

/// Appends chunks while they fit into `room`, and counts them. The caller sets one timer for all these chunks and not
/// one per chunk, because a body may come in chunks of one byte.
async fn fill(response: &mut Response, body: &mut Vec<u8>, room: u64, chunks: &mut usize) -> reqwest::Result<Filled> {
    while let Some(chunk) = response.chunk().await? {
        *chunks += 1;
        if *chunks > MAX_CHUNKS {
            return Ok(Filled::TooManyChunks);
        }
        if (body.len() + chunk.len()) as u64 > room {
            return Ok(Filled::Full(chunk));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Filled::All)
}

fn copied(body: &[u8], mut buffer: Vec<u8>) -> Vec<u8> {
    buffer.extend_from_slice(body);
    buffer
}

/// Decodes a body on a thread that may block. If the result does not fit into its place in memory, decoding starts
/// again with the next larger place.
async fn decoded(
    coding: Coding,
    body: Bytes,
    mut place: MemoryPlace,
    budget: &Budget,
    progress: &Progress,
    host: &str,
) -> Result<Bytes, Failure> {
    loop {
        let turn = progress.waiting(budget.decoder()).await;
        let (encoded, room, buffer) = (body.clone(), place.room(), place.buffer());
        let decoding = tokio::task::spawn_blocking(move || decode::decode(coding, &encoded, buffer, room));
        let result = decoding.await;
        drop(turn);
        match result {
            Ok(Ok(Some(decoded))) => return Ok(hold(decoded, place)),
            Ok(Ok(None)) if room >= place.limit() => return Err(Failure::TooLarge { limit_bytes: place.limit() }),
            Ok(Ok(None)) => place = progress.waiting(place.climb()).await,
            Ok(Err(error)) => return Err(unreadable(host, HttpFault::BrokenCoding { why: error.to_string().into() })),
            Err(_) => return Err(unreadable(host, HttpFault::DecoderPanic)),
        }
    }
}

fn unreadable(host: &str, fault: HttpFault) -> Failure {
    Failure::Http { host: host.into(), fault }
}

/// The bytes received in the current window of time.
struct Pace {
    since: Instant,
    bytes: usize,
}

impl Pace {
    fn start() -> Pace {
        Pace { since: Instant::now(), bytes: 0 }
    }

    /// Returns how much time of the window is left.
    fn left(&self) -> Duration {
        PACE_WINDOW.saturating_sub(self.since.elapsed())
    }

    /// Counts bytes. At the end of a window, returns whether enough bytes came in it, and begins the next window.
    /// Before the end of a window, returns true.
    fn keeps_up(&mut self, bytes: usize) -> bool {
        self.bytes += bytes;
        if self.since.elapsed() < PACE_WINDOW {
            return true;
        }
        let enough = self.bytes as u64 >= LEAST_BYTES_PER_SECOND * PACE_WINDOW.as_secs();
        *self = Pace::start();
        enough
    }
}
