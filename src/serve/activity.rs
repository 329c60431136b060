//! Counts the requests and sent bytes of a connection, so that it is closed when it is inactive.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// How long the first request of a connection may take to arrive, including the preface and headers.
const FIRST_REQUEST: Duration = Duration::from_secs(10);

/// A connection is inactive if it neither makes a request nor takes [`LEAST_BYTES`] of an answer in this time. Either
/// it is idle, even if it answers pings, or it reads so slowly that it only occupies a slot.
const WINDOW: Duration = Duration::from_secs(30);

/// The fewest bytes that an active connection takes in a [`WINDOW`]. A reader at 1 KiB per second, slower than any
/// modem, takes seven times as many. An HTTP/2 ping has 17 bytes.
const LEAST_BYTES: u64 = 4096;

/// Counts what a connection has done since it was opened.
#[derive(Debug, Default)]
pub(super) struct Activity {
    requests: AtomicU64,
    sent_bytes: AtomicU64,
}

impl Activity {
    /// Counts a request that has arrived with all its headers.
    pub(super) fn count_request(&self) {
        self.requests.fetch_add(1, Ordering::Relaxed);
    }

    fn read(&self) -> Counts {
        Counts { requests: self.requests.load(Ordering::Relaxed), sent_bytes: self.sent_bytes.load(Ordering::Relaxed) }
    }

    /// Waits until the connection is inactive.
    pub(super) async fn until_inactive(&self) {
        tokio::time::sleep(FIRST_REQUEST).await;
        let mut before = self.read();
        if before.requests == 0 {
            return;
        }
        loop {
            tokio::time::sleep(WINDOW).await;
            let now = self.read();
            if !is_active(before, now) {
                return;
            }
            before = now;
        }
    }
}

/// The counts of a connection at one moment.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    requests: u64,
    sent_bytes: u64,
}

/// Returns whether a connection is active. `before` are its counts one [`WINDOW`] ago.
fn is_active(before: Counts, now: Counts) -> bool {
    now.requests > before.requests || now.sent_bytes - before.sent_bytes >= LEAST_BYTES
}

/// A stream that counts the sent bytes.
pub(super) struct Counted<S> {
    stream: S,
    activity: Arc<Activity>,
}

impl<S> Counted<S> {
    /// Wraps a stream.
    pub(super) fn new(stream: S, activity: Arc<Activity>) -> Counted<S> {
        Counted { stream, activity }
    }

    fn count(&self, sent: &Poll<io::Result<usize>>) {
        if let Poll::Ready(Ok(bytes)) = sent {
            self.activity.sent_bytes.fetch_add(*bytes as u64, Ordering::Relaxed);
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Counted<S> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context, buffer: &mut ReadBuf) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Counted<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let sent = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.count(&sent);
        sent
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context,
        slices: &[io::IoSlice],
    ) -> Poll<io::Result<usize>> {
        let sent = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.count(&sent);
        sent
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connection_is_active_while_it_asks_or_takes() {
        let window = WINDOW.as_secs();
        let check = |requests: u64, bytes_a_second: u64, expected: bool| {
            let now = Counts { requests: 1 + requests, sent_bytes: 9_000 + window * bytes_a_second };
            assert_eq!(is_active(Counts { requests: 1, sent_bytes: 9_000 }, now), expected);
        };
        check(0, 0, false);
        check(1, 0, true);
        // It only answers pings.
        check(0, 17, false);
        // The first reader is as slow as a telegraph, the second as a modem.
        check(0, 30, false);
        check(0, 300, true);
    }
}
