//! Serves the feeds on loopback: one listener, with a separate address for each feed.
//!
//! Answers come from memory, on one thread, so that the processor time of the server can be subtracted. A request that
//! names the document's ETag gets a 304.

#![allow(dead_code, reason = "every benchmark uses a part of it")]

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, RwLock, mpsc};
use std::time::Instant;

use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A feed with this text in place of a document answers 404.
pub const FAILS: &str = "fails";

/// A feed with this text in place of a document never answers.
pub const HANGS: &str = "hangs";

/// A function that returns the document of a feed. Its arguments are the feed's number, and how many entries were added
/// to the feed.
pub type Document = Box<dyn Fn(usize, usize) -> String + Send + Sync>;

/// A server that listens until the program ends.
pub struct Origin {
    port: u16,
    document: Document,
    documents: Arc<RwLock<Vec<Served>>>,
    /// When each feed was last requested, in milliseconds after `started`; 0 if never.
    asked: Arc<[AtomicU64]>,
    /// When the origin started.
    pub started: Instant,
    /// The folder in `/proc` of the thread that answers.
    pub thread: PathBuf,
}

#[derive(Clone)]
struct Served {
    body: Bytes,
    etag: String,
    /// How many entries were added.
    news: usize,
}

impl Origin {
    /// Serves `count` feeds.
    pub fn start(count: usize, document: Document) -> io::Result<Origin> {
        let served = (0..count).map(|number| Served::new(&document, number, 0)).collect();
        let documents: Arc<RwLock<Vec<_>>> = Arc::new(RwLock::new(served));
        let listener = std::net::TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0))?;
        listener.set_nonblocking(true)?;
        let port = listener.local_addr()?.port();
        let (send, thread) = mpsc::channel();
        let (shared, started) = (documents.clone(), Instant::now());
        let asked: Arc<[AtomicU64]> = (0..count).map(|_| AtomicU64::new(0)).collect();
        let requests = Requests { asked: asked.clone(), started };
        std::thread::spawn(move || {
            let _ = send.send(std::fs::read_link("/proc/thread-self").unwrap_or_default());
            let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build();
            runtime.expect("the system has room for one runtime").block_on(accept(listener, shared, requests))
        });
        let thread = PathBuf::from("/proc").join(thread.recv().map_err(io::Error::other)?);
        Ok(Origin { port, document, documents, asked, started, thread })
    }

    pub fn urls(&self) -> Vec<String> {
        (0..self.count()).map(|number| format!("http://{}/{number}.xml", self.address(number))).collect()
    }

    pub fn count(&self) -> usize {
        self.documents.read().expect("nobody panics while holding the lock").len()
    }

    /// Returns the current documents.
    pub fn bodies(&self) -> Vec<Bytes> {
        let documents = self.documents.read().expect("nobody panics while holding the lock");
        documents.iter().map(|served| served.body.clone()).collect()
    }

    /// Adds one new entry to one feed in ten.
    pub fn add_news(&self) {
        self.add_entry((0..self.count()).step_by(10));
    }

    /// Adds one new entry to these feeds.
    pub fn add_entry(&self, numbers: impl Iterator<Item = usize>) {
        let mut documents = self.documents.write().expect("nobody panics while holding the lock");
        for number in numbers {
            documents[number] = Served::new(&self.document, number, documents[number].news + 1);
        }
    }

    /// Returns when each feed was last requested, in milliseconds after [`Origin::started`]; 0 if never.
    pub fn asked(&self) -> Vec<u64> {
        self.asked.iter().map(|at| at.load(Ordering::Relaxed)).collect()
    }

    /// Returns the address of a feed. Each feed has its own host, from 127.1.0.0 up.
    fn address(&self, number: usize) -> SocketAddr {
        let first = u32::from(Ipv4Addr::new(127, 1, 0, 0));
        (Ipv4Addr::from(first + number as u32), self.port).into()
    }
}

impl Served {
    fn new(document: &Document, number: usize, news: usize) -> Served {
        Served { body: document(number, news).into(), etag: format!("\"{number}-{news}\""), news }
    }
}

/// Records when feeds are requested.
#[derive(Clone)]
struct Requests {
    asked: Arc<[AtomicU64]>,
    started: Instant,
}

impl Requests {
    fn note(&self, number: usize) {
        let after = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX).max(1);
        if let Some(asked) = self.asked.get(number) {
            asked.store(after, Ordering::Relaxed);
        }
    }
}

async fn accept(listener: std::net::TcpListener, documents: Arc<RwLock<Vec<Served>>>, requests: Requests) {
    let listener = TcpListener::from_std(listener).expect("the listener does not block");
    loop {
        if let Ok((socket, _)) = listener.accept().await {
            tokio::spawn(answer(socket, documents.clone(), requests.clone()));
        }
    }
}

/// Answers the requests of a connection until the client closes it.
async fn answer(mut socket: TcpStream, documents: Arc<RwLock<Vec<Served>>>, requests: Requests) -> io::Result<()> {
    let mut request = Vec::with_capacity(1024);
    loop {
        request.clear();
        while !request.ends_with(b"\r\n\r\n") {
            if socket.read_buf(&mut request).await? == 0 {
                return Ok(());
            }
        }
        let request = String::from_utf8_lossy(&request);
        let number = request.strip_prefix("GET /").and_then(|rest| rest.split('.').next()?.parse::<usize>().ok());
        number.into_iter().for_each(|number| requests.note(number));
        let served = {
            let documents = documents.read().expect("nobody panics while holding the lock");
            number.and_then(|number| documents.get(number).cloned())
        };
        if served.as_ref().is_some_and(|served| served.body == HANGS) {
            std::future::pending::<()>().await;
        }
        let Some(Served { body, etag, .. }) = served.filter(|served| served.body != FAILS) else {
            socket.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n").await?;
            continue;
        };
        if request.contains(&etag) {
            socket.write_all(format!("HTTP/1.1 304 Not Modified\r\nETag: {etag}\r\n\r\n").as_bytes()).await?;
            continue;
        }
        let length = body.len();
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/xml\r\nETag: {etag}\r\nContent-Length: {length}\r\n\r\n"
        );
        socket.write_all_buf(&mut bytes::Buf::chain(head.as_bytes(), body)).await?;
    }
}
