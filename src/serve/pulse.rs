//! Whether a connection is of use: what it did of late, counted where it happens.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// How long a connection may take until its first request is there, preface and headers included.
const FIRST_REQUEST: Duration = Duration::from_secs(10);

/// A connection that neither asks for something nor takes [`LEAST_BYTES`] of an answer in this time is of no use: it is idle
/// (whatever pings it answers), or it reads so slowly that it only holds its place.
const WINDOW: Duration = Duration::from_secs(30);

/// A reader at 1 KiB a second, slower than any modem, takes seven times as much; HTTP/2 pings are 17 bytes.
const LEAST_BYTES: u64 = 4096;

/// What a connection has done since it was opened.
#[derive(Debug, Default)]
pub struct Pulse {
    requests: AtomicU64,
    sent_bytes: AtomicU64,
}

impl Pulse {
    /// A request has arrived with all its headers.
    pub fn count_request(&self) {
        self.requests.fetch_add(1, Ordering::Relaxed);
    }

    fn read(&self) -> Deeds {
        Deeds { requests: self.requests.load(Ordering::Relaxed), sent_bytes: self.sent_bytes.load(Ordering::Relaxed) }
    }

    /// Returns when the connection has been of no use for too long.
    pub async fn until_useless(&self) {
        tokio::time::sleep(FIRST_REQUEST).await;
        let mut before = self.read();
        if before.requests == 0 {
            return;
        }
        loop {
            tokio::time::sleep(WINDOW).await;
            let now = self.read();
            if !is_of_use(before, now) {
                return;
            }
            before = now;
        }
    }
}

/// What a connection had done at one moment.
#[derive(Clone, Copy, Debug, Default)]
struct Deeds {
    requests: u64,
    sent_bytes: u64,
}

/// Whether a connection that had done so much a [`WINDOW`] ago, and so much now, is of use.
fn is_of_use(before: Deeds, now: Deeds) -> bool {
    now.requests > before.requests || now.sent_bytes - before.sent_bytes >= LEAST_BYTES
}

/// A stream that counts what is sent.
pub struct Counted<S> {
    stream: S,
    pulse: Arc<Pulse>,
}

impl<S> Counted<S> {
    pub fn new(stream: S, pulse: Arc<Pulse>) -> Counted<S> {
        Counted { stream, pulse }
    }

    fn count(&self, sent: &Poll<io::Result<usize>>) {
        if let Poll::Ready(Ok(bytes)) = sent {
            self.pulse.sent_bytes.fetch_add(*bytes as u64, Ordering::Relaxed);
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
    fn connection_is_of_use_while_it_asks_or_takes() {
        let window = WINDOW.as_secs();
        let check = |requests: u64, bytes_a_second: u64, expected: bool| {
            let now = Deeds { requests: 1 + requests, sent_bytes: 9_000 + window * bytes_a_second };
            assert_eq!(is_of_use(Deeds { requests: 1, sent_bytes: 9_000 }, now), expected);
        };
        check(0, 0, false);
        check(1, 0, true);
        // Answers to pings.
        check(0, 17, false);
        // A telegraph, and a modem.
        check(0, 30, false);
        check(0, 300, true);
    }
}
