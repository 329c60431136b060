//! Limits on answers that would fill the memory or never end.

use std::io::Write;
use std::time::{Duration, Instant};

use newswire::feed::Failure;

use crate::fetch::{document, error, first_poll};
use crate::support::feeds::feed;
use crate::support::origin::{Origin, Reply};

const MIB: usize = 1024 * 1024;

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

fn deflate(body: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

fn brotli(body: &[u8]) -> Vec<u8> {
    let mut encoder = brotli::CompressorWriter::new(Vec::new(), 4096, 1, 22);
    encoder.write_all(body).unwrap();
    encoder.into_inner()
}

fn zstd(body: &[u8]) -> Vec<u8> {
    zstd::encode_all(body, 1).unwrap()
}

pub type Coding = (&'static str, fn(&[u8]) -> Vec<u8>);

pub const CODINGS: [Coding; 4] = [("gzip", gzip), ("deflate", deflate), ("br", brotli), ("zstd", zstd)];

#[tokio::test]
async fn every_offered_coding_is_decoded() {
    let body = b"<rss>".repeat(100_000);
    for (coding, encode) in CODINGS {
        let origin = Origin::replies([Reply::new(200, &[("Content-Encoding", coding)], encode(&body))]);
        let document = document(first_poll(&feed(&origin.url("/feed"), &[origin.allow()])).await);
        assert!(document.body == body, "{coding}");
        let offered = String::from_utf8(origin.requests()[0].header("Accept-Encoding").unwrap()).unwrap();
        assert!(offered.contains(coding), "{offered}");
    }
}

#[tokio::test]
async fn a_decompression_bomb_is_abandoned_at_the_limit_of_decoded_bytes() {
    let zeros = vec![0; 64 * MIB];
    for (coding, encode) in CODINGS {
        let origin = Origin::replies([Reply::new(200, &[("Content-Encoding", coding)], encode(&zeros))]);
        let error = error(first_poll(&feed(&origin.url("/feed"), &[origin.allow()])).await);
        assert_eq!(error, Failure::TooLarge { limit_bytes: 10 * MIB as u64 }, "{coding}");
    }
}

#[tokio::test]
async fn body_in_countless_chunks_of_one_byte_is_abandoned() {
    let reply = |bytes: usize| {
        let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
        Reply::raw(format!("{head}{}0\r\n\r\n", "1\r\nx\r\n".repeat(bytes)))
    };
    let origin = Origin::replies([reply(20_000)]);
    assert_eq!(document(first_poll(&feed(&origin.url("/feed"), &[origin.allow()])).await).body.len(), 20_000);
    let origin = Origin::replies([reply(100_001)]);
    let error = error(first_poll(&feed(&origin.url("/feed"), &[origin.allow()])).await);
    assert!(error.to_string().ends_with("its document has more than 100000 chunks"), "{error}");
}

#[tokio::test]
async fn only_one_content_coding_is_decoded() {
    let twice = gzip(&gzip(&vec![0; MIB]));
    for coding in ["gzip, gzip", "br", "xz"] {
        let origin = Origin::replies([Reply::new(200, &[("Content-Encoding", coding)], &twice)]);
        let attempt = first_poll(&feed(&origin.url("/feed"), &[origin.allow()])).await;
        assert_eq!(error(attempt).kind().words(), "http", "{coding}");
    }
    for word in ["utf-8", "none", "identity"] {
        let origin = Origin::replies([Reply::new(200, &[("Content-Encoding", word)], "<rss/>")]);
        assert_eq!(document(first_poll(&feed(&origin.url("/feed"), &[origin.allow()])).await).body, "<rss/>");
    }
}

#[tokio::test]
async fn gzip_is_recognised_by_its_bytes_and_may_be_padded() {
    let (plain, coded) = (b"<rss/>".to_vec(), gzip(b"<rss/>"));
    let padded = [&coded[..], &[0; 100]].concat();
    for (headers, body) in
        [(&[("Content-Encoding", "gzip")] as &[_], &plain), (&[], &coded), (&[("Content-Encoding", "gzip")], &padded)]
    {
        let origin = Origin::replies([Reply::new(200, headers, body)]);
        assert_eq!(document(first_poll(&feed(&origin.url("/feed"), &[origin.allow()])).await).body, "<rss/>");
    }
    for cut in [1, 8, coded.len() / 2] {
        let reply = Reply::new(200, &[("Content-Encoding", "gzip")], &coded[..coded.len() - cut]);
        let origin = Origin::replies([reply]);
        assert_eq!(
            error(first_poll(&feed(&origin.url("/feed"), &[origin.allow()])).await).kind().words(),
            "http",
            "{cut}"
        );
    }
    let bomb = gzip(&vec![0; 11 * MIB]);
    let origin = Origin::replies([Reply::new(200, &[], bomb)]);
    assert_eq!(error(first_poll(&feed(&origin.url("/feed"), &[origin.allow()])).await).kind().words(), "too large");
}

#[tokio::test]
async fn a_body_of_another_length_than_declared_is_never_taken_as_complete() {
    let chunked = "HTTP/1.1 200 OK\r\nETag: \"1\"\r\nTransfer-Encoding: chunked\r\n\r\n";
    for broken in [
        format!("{chunked}6\r\n<rss/>\r\n"),
        format!("{chunked}6\r\n<rss/>\r\n5\r\n<"),
        format!("{chunked}zz\r\n<rss/>\r\n0\r\n\r\n"),
        "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n<rss/>".to_owned(),
        "HTTP/1.1 200 OK\r\nContent-Length: 6\r\nContent-Length: 7\r\n\r\n<rss/>".to_owned(),
        "HTTP/1.1 200 OK\r\nContent-Length: -6\r\n\r\n<rss/>".to_owned(),
        "<rss/>".to_owned(),
    ] {
        let origin = Origin::replies([Reply::raw(broken.clone()).close()]);
        assert_eq!(
            error(first_poll(&feed(&origin.url("/feed"), &[origin.allow()])).await).kind().words(),
            "http",
            "{broken}"
        );
    }
    let longer = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<rss/>HTTP/1.1 200 OK\r\n";
    let origin = Origin::replies([Reply::raw(longer).close()]);
    assert_eq!(document(first_poll(&feed(&origin.url("/feed"), &[origin.allow()])).await).body, "<rss/>");
}

#[tokio::test]
async fn a_body_is_limited_by_max_size_of_the_feed_whatever_its_content_length() {
    let body = vec![b' '; 2 * MIB];
    let plain = Reply::new(200, &[], &body);
    let endless = Reply::raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        .drip(format!("10000\r\n{}\r\n", " ".repeat(0x10000)), Duration::ZERO);
    let until_closed = Reply::raw("HTTP/1.1 200 OK\r\n\r\n").drip(vec![b' '; MIB], Duration::ZERO);
    for reply in [plain.clone(), endless, until_closed] {
        let origin = Origin::replies([reply]);
        let mut feed = feed(&origin.url("/feed"), &[origin.allow()]);
        feed.max_body_bytes = 2 * MIB as u64 - 1;
        assert_eq!(error(first_poll(&feed).await), Failure::TooLarge { limit_bytes: 2 * MIB as u64 - 1 });
    }
    let origin = Origin::replies([plain]);
    let mut feed = feed(&origin.url("/feed"), &[origin.allow()]);
    feed.max_body_bytes = 2 * MIB as u64;
    assert_eq!(document(first_poll(&feed).await).body.len(), 2 * MIB);
}

/// Polls with a `timeout` of one second. Asserts that the poll fails with this kind of error in less than two seconds.
async fn check_freed(reply: Reply, kind: &str) {
    let origin = Origin::replies([reply]);
    let mut feed = feed(&origin.url("/feed"), &[origin.allow()]);
    feed.timeout = Duration::from_secs(1);
    let started = Instant::now();
    let error = error(first_poll(&feed).await);
    assert_eq!(error.kind().words(), kind, "{error}");
    assert!(started.elapsed() < Duration::from_secs(2), "{error}");
}

/// The test runs on two threads, as the program does, so that a server that floods one thread does not stop the timers
/// of the other.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_endless_answer_is_abandoned() {
    let every = Duration::from_millis(100);
    check_freed(Reply::silence(), "timeout").await;
    check_freed(Reply::raw("HTTP/1.1 200 OK\r\n").drip("X-More: and more\r\n", every), "timeout").await;
    check_freed(Reply::raw("HTTP/1.1 200 OK\r\n\r\n<rss>").drip(" ", every), "timeout").await;
    check_freed(Reply::raw("HTTP/1.1 200 OK\r\n").drip("X-More: and more\r\n", Duration::ZERO), "http").await;
    check_freed(Reply::raw("HTTP/1.1 200 OK\r\nX-More: ").drip([b'a'; 4096], Duration::ZERO), "http").await;
    let hints = "HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n";
    check_freed(Reply::default().drip(hints, every), "timeout").await;
    check_freed(Reply::default().drip(hints.repeat(50), Duration::ZERO), "timeout").await;
    let blank = Reply::new(200, &[("Content-Encoding", "gzip")], gzip(b"").split_at(10).0);
    check_freed(blank.drip("", every), "http").await;
}

#[tokio::test]
async fn server_may_use_the_whole_timeout_to_answer() {
    let origin = Origin::replies([Reply::silence()]);
    let mut feed = feed(&origin.url("/feed"), &[origin.allow()]);
    feed.timeout = Duration::from_secs(1);
    let started = Instant::now();
    assert_eq!(error(first_poll(&feed).await).to_string(), "127.0.0.1 did not answer within 1 second");
    assert!(started.elapsed() >= feed.timeout, "{:?}", started.elapsed());
}

#[tokio::test]
async fn a_server_that_never_completes_the_handshake_is_abandoned() {
    let origin = Origin::replies([Reply::silence()]);
    let mut url = origin.url("/feed");
    url.set_scheme("https").unwrap();
    let mut feed = feed(&url, &[origin.allow()]);
    feed.timeout = Duration::from_secs(1);
    assert_eq!(error(first_poll(&feed).await).kind().words(), "timeout");
}

#[tokio::test]
async fn a_very_slow_body_is_abandoned_after_ten_seconds() {
    let every = Duration::from_secs(1);
    let origin = Origin::replies([Reply::raw("HTTP/1.1 200 OK\r\n\r\n<rss>").drip([b' '; 500], every)]);
    let started = Instant::now();
    let error = error(first_poll(&feed(&origin.url("/feed"), &[origin.allow()])).await);
    assert_eq!(error.to_string(), "127.0.0.1 is too slow: it sends less than 1024 bytes per second");
    assert!(started.elapsed() < Duration::from_secs(13));
}

#[tokio::test]
async fn a_slow_but_steady_body_is_read_to_its_end() {
    let mut reply = Reply::raw("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n").close();
    for _ in 0..5 {
        reply = reply.pause(Duration::from_millis(300)).then([b' '; 4000]);
    }
    let origin = Origin::replies([reply]);
    assert_eq!(document(first_poll(&feed(&origin.url("/feed"), &[origin.allow()])).await).body.len(), 20_000);
}
