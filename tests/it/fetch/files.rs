//! `file:` feeds are read when they change. Only regular files are read, because a pipe or a device could block.

use std::path::Path;
use std::time::{Duration, SystemTime};

use newswire::config::Feed;
use newswire::feed::Validators;
use newswire::fetch::Fetched;
use url::Url;

use crate::fetch::{document, error, fetcher, first_poll, poll};
use crate::support::feeds::feed;

fn url(path: &Path) -> Url {
    Url::from_file_path(path).unwrap()
}

#[tokio::test]
async fn a_file_is_read_again_only_after_a_change() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ein feed.xml");
    std::fs::write(&path, "<rss/>").unwrap();
    let feed = feed(&url(&path), &[]);
    let first = document(first_poll(&feed).await);
    assert_eq!((&first.body[..], &first.final_url), (&b"<rss/>"[..], &url(&path)));
    let again = poll(&fetcher(), &feed, &first.validators).await;
    assert_eq!((again.status, again.permanent, again.public_origin), (None, None, None));
    assert!(matches!(again.result, Ok(Fetched::NotModified { validators }) if validators == first.validators));
    let file = std::fs::File::options().append(true).open(&path).unwrap();
    file.set_modified(SystemTime::now() + Duration::from_secs(5)).unwrap();
    let touched = document(poll(&fetcher(), &feed, &first.validators).await);
    assert_ne!(touched.validators, first.validators);
}

async fn check_refused(path: &Path, message: &str) {
    let attempt = tokio::time::timeout(Duration::from_secs(5), first_poll(&feed(&url(path), &[]))).await.unwrap();
    let error = error(attempt);
    assert_eq!(error.kind().words(), "file");
    assert!(error.to_string().contains(message), "{error}");
}

#[tokio::test]
async fn missing_files_folders_pipes_and_devices_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    check_refused(&folder.path().join("missing.xml"), "missing.xml: No such file or directory").await;
    check_refused(folder.path(), "is not a regular file").await;
    check_refused(&pipe, "pipe is not a regular file").await;
    check_refused(Path::new("/dev/zero"), "/dev/zero is not a regular file").await;
}

#[tokio::test]
async fn waiting_for_memory_does_not_count_towards_the_timeout_of_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("large.xml");
    std::fs::write(&path, vec![b' '; 2_000_000]).unwrap();
    let timeout = Duration::from_secs(1);
    // One document of this feed may reserve all the memory that is set aside for large bodies.
    let feed = Feed { max_body_bytes: 64 << 20, timeout, ..feed(&url(&path), &[]) };
    let fetcher = fetcher();
    let first = document(poll(&fetcher, &feed, &Validators::default()).await);
    let second = tokio::spawn(async move { document(poll(&fetcher, &feed, &Validators::default()).await) });
    tokio::time::sleep(timeout * 2).await;
    assert!(!second.is_finished());
    drop(first);
    assert_eq!(second.await.unwrap().body.len(), 2_000_000);
}

#[tokio::test]
async fn a_file_above_the_size_limit_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("large.xml");
    std::fs::write(&path, vec![b' '; 3_000_000]).unwrap();
    let mut feed = feed(&url(&path), &[]);
    assert_eq!(document(first_poll(&feed).await).body.len(), 3_000_000);
    feed.max_body_bytes = 2_999_999;
    assert_eq!(error(first_poll(&feed).await).kind().words(), "too large");
}

#[tokio::test]
async fn validators_of_an_http_feed_do_not_apply_to_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("feed.xml");
    std::fs::write(&path, "<rss/>").unwrap();
    let known = Validators { etag: Some(b"\"1\"".to_vec()), last_modified: None, url: None };
    assert_eq!(document(poll(&fetcher(), &feed(&url(&path), &[]), &known).await).body.as_ref(), b"<rss/>");
}
