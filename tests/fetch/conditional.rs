//! Rows A: validators are echoed byte for byte, to the URL that gave them, and replaced by every answer.

use newswire::feed::Validators;
use newswire::fetch::{Attempt, Fetched};

use crate::support::feeds::feed;
use crate::support::origin::{Origin, Reply, Request};
use crate::{fetcher, poll};

/// What a poll leaves to be stored.
fn validators(attempt: Attempt) -> Validators {
    match attempt.result.unwrap() {
        Fetched::NotModified { validators } => validators,
        Fetched::Document(document) => document.validators,
    }
}

/// Polls once for each reply and once more; the last request is returned.
async fn last_request(replies: Vec<Reply>) -> Request {
    let polls = replies.len() + 1;
    let origin = Origin::replies(replies);
    let feed = feed(&origin.url("/feed"), &[origin.allow()]);
    let fetcher = fetcher();
    let mut known = Validators::default();
    for _ in 0..polls {
        known = validators(poll(&fetcher, &feed, &known).await);
    }
    origin.requests().pop().unwrap()
}

fn given(etag: &[u8], last_modified: &[u8]) -> Reply {
    Reply::with_bytes(200, &[("ETag", etag), ("Last-Modified", last_modified)], "<rss/>")
}

#[tokio::test]
async fn a02_a03_validators_come_back_byte_for_byte() {
    let tags: [&[u8]; 5] = [b"\"a\"", b"W/\"a\"", b"abc", b"\"a-gzip\"", b"\"\xe9\""];
    let dates: [&[u8]; 3] = [b"Fri, 9 Jan 2026 12:25:46 GMT", b"Thu, 1 Jan 2020 00:00:00 GMT", b"yesterday"];
    for tag in tags {
        for date in dates {
            let request = last_request(vec![given(tag, date)]).await;
            assert_eq!(request.header("If-None-Match").as_deref(), Some(tag));
            assert_eq!(request.header("If-Modified-Since").as_deref(), Some(date));
        }
    }
}
