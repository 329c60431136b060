//! Reading a body within its limits: decoded bytes, time, pace, and the memory of all bodies together.
//!
//! `Content-Length` is not believed, and no ratio is asked for: what counts is how much comes out of the decoder.

use std::time::Duration;

use bytes::Bytes;
use reqwest::Response;
use reqwest::header::CONTENT_ENCODING;
use tokio::time::Instant;

use super::budget::Place;
use super::egress::root_cause;
use super::error::{BODY, FetchError};
use super::stopwatch::Stopwatch;

/// A body slower than this over a whole [`PACE_WINDOW`] is given up: it holds a turn, memory and a connection.
const LEAST_BYTES_PER_SECOND: u64 = 1024;
const PACE_WINDOW: Duration = Duration::from_secs(10);

/// The codings of which one layer is undone; what still names one of these is not readable.
const COMPRESSIONS: [&str; 6] = ["gzip", "br", "zstd", "deflate", "compress", "xz"];

/// A body together with its place in memory, which is free again when the last clone of the bytes is gone.
struct Held {
    body: Vec<u8>,
    _place: Place,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.body
    }
}

/// Bytes that occupy `place` until they are dropped.
pub(super) fn hold(mut body: Vec<u8>, place: Place) -> Bytes {
    body.shrink_to_fit();
    Bytes::from_owner(Held { body, _place: place })
}

/// The decoded body.
///
/// # Errors
///
/// If it is too large, too slow, late, broken off, or coded in a way that was not asked for.
pub(super) async fn read(
    mut response: Response,
    mut place: Place,
    stopwatch: &mut Stopwatch,
    host: &str,
) -> Result<Bytes, FetchError> {
    refuse_codings(&response, host)?;
    let mut body = Vec::new();
    let mut pace = Pace::start();
    loop {
        let chunk = match stopwatch.run(pace.left(), response.chunk()).await {
            Ok(Ok(Some(chunk))) => chunk,
            Ok(Ok(None)) => return Ok(hold(body, place)),
            Ok(Err(error)) => return Err(broken(host, &error)),
            Err(overrun) if overrun.of_total => return Err(overrun.into_error(host, BODY)),
            Err(_) => Bytes::new(), // The window of the pace is over with nothing more: judged below.
        };
        let bytes = (body.len() + chunk.len()) as u64;
        if bytes > place.limit() {
            return Err(FetchError::TooLarge { limit_bytes: place.limit() });
        }
        if !pace.keeps_up(chunk.len()) {
            return Err(FetchError::TooSlow { host: host.to_owned(), bytes_per_second: LEAST_BYTES_PER_SECOND });
        }
        while !place.holds(bytes) {
            place = place.climb().await;
            pace = Pace::start();
        }
        body.extend_from_slice(&chunk);
    }
}

/// # Errors
///
/// If more than one layer of compression was put on, or one that was not asked for. Words that name no compression
/// at all (servers write `utf-8` or `none` there) are passed over.
fn refuse_codings(response: &Response, host: &str) -> Result<(), FetchError> {
    let codings = response.headers().get_all(CONTENT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    let codings = codings.collect::<Vec<_>>().join(", ").to_ascii_lowercase();
    match COMPRESSIONS.iter().any(|compression| codings.contains(compression)) {
        true => Err(FetchError::Http { host: host.to_owned(), why: format!("its coding is \"{codings}\"") }),
        false => Ok(()),
    }
}

fn broken(host: &str, error: &reqwest::Error) -> FetchError {
    FetchError::Http { host: host.to_owned(), why: format!("its document broke off ({})", root_cause(error)) }
}

/// The bytes of the current window of time.
struct Pace {
    since: Instant,
    bytes: usize,
}

impl Pace {
    fn start() -> Pace {
        Pace { since: Instant::now(), bytes: 0 }
    }

    /// The rest of the window.
    fn left(&self) -> Duration {
        PACE_WINDOW.saturating_sub(self.since.elapsed())
    }

    /// Counts bytes; at the end of a window says whether they were enough, and opens the next one.
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
