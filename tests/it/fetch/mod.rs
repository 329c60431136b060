//! Polls over real loopback sockets. A scripted server records the requests byte for byte.

mod answers;
mod conditional;
mod crowds;
mod files;
mod guard;
mod hosts;
mod http2;
mod identity;
mod limits;
mod month;
mod odd_responses;
mod proxies;
mod redirects;
mod secrets;

use newswire::config::Feed;
use newswire::feed::Failure;
use newswire::feed::Validators;
use newswire::fetch::{Attempt, Fetched, FetchedDocument, Fetcher};
use url::Url;

fn contact() -> Url {
    Url::parse("https://news.example.org/about").unwrap()
}

fn fetcher() -> Fetcher {
    Fetcher::new(&contact())
}

/// Polls once from the feed's own URL.
async fn poll(fetcher: &Fetcher, feed: &Feed, validators: &Validators) -> Attempt {
    let permit = fetcher.host_permit(feed, None).await;
    fetcher.get(feed, None, validators, permit, None).await
}

/// Polls a feed for the first time.
async fn first_poll(feed: &Feed) -> Attempt {
    poll(&fetcher(), feed, &Validators::default()).await
}

fn document(attempt: Attempt) -> FetchedDocument {
    match attempt.result {
        Ok(Fetched::Document(document)) => document,
        other => panic!("expected a document, got {other:?}"),
    }
}

fn error(attempt: Attempt) -> Failure {
    attempt.result.expect_err("expected a failure")
}
