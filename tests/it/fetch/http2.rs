//! Polls over HTTP/2 (RFC 9113), with a server that implements only what these tests need.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use newswire::config::Allow;

use crate::fetch::{document, error, first_poll};
use crate::support::feeds::feed;
use crate::support::origin::{Origin, Reply};
use crate::support::tls;

const PREFACE_BYTES: usize = 24;
const HEADERS: u8 = 1;
const SETTINGS: u8 = 4;
const ACK: u8 = 1;

/// Starts a server that refuses every stream and counts them. The refusal says that the stream was not processed, so a
/// client may send the request again (RFC 9113 §8.7).
fn refusing_server() -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let streams = Arc::new(AtomicUsize::new(0));
    let counted = streams.clone();
    std::thread::spawn(move || {
        for socket in listener.incoming().map_while(Result::ok) {
            let counted = counted.clone();
            std::thread::spawn(move || {
                let connection = rustls::ServerConnection::new(tls::server(&["h2"])).unwrap();
                let _ = refuse_all(&mut rustls::StreamOwned::new(connection, socket), &counted);
            });
        }
    });
    (address, streams)
}

fn refuse_all(stream: &mut (impl Read + Write), streams: &AtomicUsize) -> std::io::Result<()> {
    stream.read_exact(&mut [0; PREFACE_BYTES])?;
    stream.write_all(&[0, 0, 0, SETTINGS, 0, 0, 0, 0, 0])?;
    loop {
        let mut head = [0; 9];
        stream.read_exact(&mut head)?;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        stream.read_exact(&mut vec![0; length as usize])?;
        match (head[3], head[4]) {
            (SETTINGS, flags) if flags & ACK == 0 => stream.write_all(&[0, 0, 0, SETTINGS, ACK, 0, 0, 0, 0])?,
            (HEADERS, _) => {
                streams.fetch_add(1, Ordering::SeqCst);
                // This frame is RST_STREAM with the error code REFUSED_STREAM.
                stream.write_all(&[0, 0, 4, 3, 0, head[5], head[6], head[7], head[8], 0, 0, 0, 7])?;
            }
            _ => {}
        }
        stream.flush()?;
    }
}

#[tokio::test]
async fn a_request_on_a_refused_stream_is_not_sent_again() {
    let (address, streams) = refusing_server();
    let mut feed = feed(&format!("https://{address}/feed").parse().unwrap(), &[Allow::Address(address)]);
    feed.ca_file = Some(tls::ca_file());
    assert_eq!(error(first_poll(&feed).await).kind().words(), "http");
    assert_eq!(streams.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn http2_of_a_feed_can_be_turned_off() {
    let origin = Origin::start_tls(tls::server(&["h2", "http/1.1"]), |_| Reply::new(200, &[], "<rss/>"));
    let mut feed = feed(&origin.url("/feed"), &[origin.allow()]);
    feed.ca_file = Some(tls::ca_file());
    // The origin agrees to HTTP/2 but does not speak it, so only a poll over HTTP/1.1 succeeds.
    assert_eq!(error(first_poll(&feed).await).kind().words(), "http");
    feed.http2 = false;
    assert_eq!(document(first_poll(&feed).await).body.as_ref(), b"<rss/>");
}
