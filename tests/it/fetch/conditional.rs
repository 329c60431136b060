//! Validators (`ETag` and `Last-Modified`, RFC 9110 §8.8): they are sent back byte for byte, only to the URL that gave
//! them, and replaced after every success.

use newswire::feed::Validators;
use newswire::fetch::{Attempt, Fetched};

use crate::fetch::{document, error, fetcher, first_poll, poll};
use crate::support::feeds::feed;
use crate::support::origin::{Origin, Reply, Request};

/// Returns the validators to store after a poll; after a failure, the known ones.
fn stored(attempt: Attempt, known: Validators) -> Validators {
    match attempt.result {
        Ok(Fetched::NotModified { validators }) => validators,
        Ok(Fetched::Document(document)) => document.validators,
        Err(_) => known,
    }
}

/// Polls a feed once for each reply and once more. Returns all requests.
async fn requests(replies: Vec<Reply>) -> Vec<Request> {
    let polls = replies.len() + 1;
    let origin = Origin::replies(replies);
    let feed = feed(&origin.url("/feed"), &[origin.allow()]);
    let fetcher = fetcher();
    let mut known = Validators::default();
    for _ in 0..polls {
        known = stored(poll(&fetcher, &feed, &known).await, known);
    }
    origin.requests()
}

/// Asserts which validators a poll sends after these replies.
async fn check(replies: Vec<Reply>, etag: Option<&[u8]>, last_modified: Option<&[u8]>) {
    let request = requests(replies).await.pop().unwrap();
    assert_eq!(request.header("If-None-Match").as_deref(), etag);
    assert_eq!(request.header("If-Modified-Since").as_deref(), last_modified);
}

fn ok(headers: &[(&str, &str)]) -> Reply {
    Reply::new(200, headers, "<rss/>")
}

#[tokio::test]
async fn only_the_very_first_poll_is_unconditional() {
    let unchanged = |request: &Request| if request.is_conditional() { 304 } else { 200 };
    let origin = Origin::start(move |request| Reply::new(unchanged(request), &[("ETag", "\"1\"")], "<rss/>"));
    let feed = feed(&origin.url("/feed"), &[origin.allow()]);
    let mut known = Validators::default();
    for _restart in 0..20 {
        let fetcher = fetcher();
        for _ in 0..10 {
            known = stored(poll(&fetcher, &feed, &known).await, known);
        }
    }
    let requests = origin.requests();
    assert_eq!(requests.len(), 200);
    assert_eq!(requests.iter().filter(|request| !request.is_conditional()).count(), 1);
}

#[tokio::test]
async fn last_modified_comes_back_byte_for_byte() {
    for date in ["Fri, 9 Jan 2026 12:25:46 GMT", "Thu, 1 Jan 2020 00:00:00 GMT", "yesterday"] {
        check(vec![ok(&[("Last-Modified", date)])], None, Some(date.as_bytes())).await;
    }
}

#[tokio::test]
async fn etag_comes_back_byte_for_byte() {
    let tags: [&[u8]; 6] = [b"\"a\"", b"W/\"a\"", b"abc", b"\"a-gzip\"", b"\"\xe9\"", b"\"a\", \"b\""];
    for tag in tags {
        check(vec![Reply::with_bytes(200, &[("ETag", tag)], "<rss/>")], Some(tag), None).await;
    }
}

#[tokio::test]
async fn etags_that_no_server_would_accept_are_not_stored() {
    let overlong = format!("\"{}\"", "a".repeat(5000));
    check(vec![ok(&[("ETag", "")])], None, None).await;
    check(vec![ok(&[("ETag", &overlong), ("Last-Modified", "Mon")])], None, Some(b"Mon")).await;
}

#[tokio::test]
async fn each_200_replaces_both_validators_separately() {
    let first = || ok(&[("ETag", "\"1\""), ("Last-Modified", "Mon")]);
    let both_new = ok(&[("ETag", "\"2\""), ("Last-Modified", "Tue")]);
    check(vec![first(), both_new], Some(b"\"2\""), Some(b"Tue")).await;
    let new_tag = ok(&[("ETag", "\"2\""), ("Last-Modified", "Mon")]);
    check(vec![first(), new_tag], Some(b"\"2\""), Some(b"Mon")).await;
    let new_date = ok(&[("ETag", "\"1\""), ("Last-Modified", "Tue")]);
    check(vec![first(), new_date], Some(b"\"1\""), Some(b"Tue")).await;
}

#[tokio::test]
async fn validators_of_a_304_replace_only_validators_of_the_same_kind() {
    let first = ok(&[("ETag", "\"1\""), ("Last-Modified", "Mon")]);
    check(vec![first, Reply::new(304, &[("ETag", "\"2\"")], "")], Some(b"\"2\""), Some(b"Mon")).await;
}

#[tokio::test]
async fn a_200_without_a_validator_removes_the_old_one() {
    let first = || ok(&[("ETag", "\"1\""), ("Last-Modified", "Mon")]);
    check(vec![first(), ok(&[("Last-Modified", "Mon")])], None, Some(b"Mon")).await;
    check(vec![first(), ok(&[])], None, None).await;
}

#[tokio::test]
async fn a_failure_does_not_change_the_validators() {
    let first = || ok(&[("ETag", "\"1\"")]);
    for status in [202, 204, 205, 206, 226, 404, 503] {
        check(vec![first(), Reply::new(status, &[("ETag", "\"err\"")], "<html/>")], Some(b"\"1\""), None).await;
    }
    let broken_off = Reply::raw("HTTP/1.1 200 OK\r\nETag: \"2\"\r\nContent-Length: 100\r\n\r\n<rss>").close();
    check(vec![first(), broken_off], Some(b"\"1\""), None).await;
}

#[tokio::test]
async fn expired_and_uncacheable_answers_are_still_requested_conditionally() {
    let uncacheable = ok(&[("ETag", "\"1\""), ("Expires", "0"), ("Cache-Control", "no-cache, must-revalidate")]);
    check(vec![uncacheable], Some(b"\"1\""), None).await;
}

#[tokio::test]
async fn validators_are_sent_to_no_other_url_than_the_one_that_gave_them() {
    let target = Origin::replies([ok(&[("ETag", "\"b\"")])]);
    let to = target.url("/feed").to_string();
    let source = Origin::start(move |request| match request.number {
        0 => ok(&[("ETag", "\"a\"")]),
        _ => Reply::redirect(302, &to),
    });
    let feed = feed(&source.url("/feed"), &[source.allow(), target.allow()]);
    let fetcher = fetcher();
    let mut known = Validators::default();
    for _ in 0..3 {
        known = stored(poll(&fetcher, &feed, &known).await, known);
    }
    let conditions =
        |origin: &Origin| origin.requests().iter().map(|request| request.header("If-None-Match")).collect::<Vec<_>>();
    assert_eq!(conditions(&source), [None, Some(b"\"a\"".to_vec()), None]);
    assert_eq!(conditions(&target), [None, Some(b"\"b\"".to_vec())]);
}

#[tokio::test]
async fn no_cookie_referer_or_fragment_is_sent() {
    let origin = Origin::start(|request| match request.target().as_str() {
        "/feed?page=1" => Reply::new(302, &[("Set-Cookie", "id=1"), ("Location", "/next#top")], ""),
        _ => Reply::new(200, &[("Set-Cookie", "id=2")], "<rss/>"),
    });
    let feed = feed(&origin.url("/feed?page=1#part"), &[origin.allow()]);
    let fetcher = fetcher();
    for _ in 0..2 {
        document(poll(&fetcher, &feed, &Validators::default()).await);
    }
    let targets = origin.requests().iter().map(Request::target).collect::<Vec<_>>();
    assert_eq!(targets, ["/feed?page=1", "/next", "/feed?page=1", "/next"]);
    for request in origin.requests() {
        for name in ["Cookie", "Referer", "Pragma", "Cache-Control", "Range", "A-IM"] {
            assert_eq!(request.header(name), None, "{name}");
        }
    }
}

#[tokio::test]
async fn a_poll_sends_one_get_whatever_the_answer() {
    let replies = [
        Reply::new(200, &[], "no feed at all"),
        Reply::new(500, &[], ""),
        Reply::raw("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n<rss").close(),
        Reply::raw("").close(),
        Reply::raw("SSH-2.0-OpenSSH\r\n\r\n").close(),
    ];
    for reply in replies {
        let origin = Origin::replies([reply]);
        let feed = feed(&origin.url("/feed"), &[origin.allow()]);
        first_poll(&feed).await;
        let lines = origin.requests().iter().map(Request::line).collect::<Vec<_>>();
        assert_eq!(lines, ["GET /feed HTTP/1.1"]);
    }
}

#[tokio::test]
async fn status_304_without_a_condition_is_a_failure() {
    let origin = Origin::replies([Reply::new(304, &[("ETag", "\"1\"")], "")]);
    let attempt = first_poll(&feed(&origin.url("/feed"), &[origin.allow()])).await;
    assert_eq!(attempt.status, Some(304));
    assert_eq!(error(attempt).to_string(), "the server reported no change to an unconditional request (304)");
}
