//! Reads `file:` feeds, that is, documents on disk. Reading happens outside the async threads.
//!
//! The modification time and size of a file serve as its ETag, so that an unchanged file is neither read nor parsed.
//! Only regular files are read. A directory, a pipe or a device could block for ever or never end.

use std::fs::{File, Metadata, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::UNIX_EPOCH;

use rustix::fs::OFlags;
use tokio::io::AsyncReadExt;

use super::body;
use super::budget::Budget;
use super::error::reason;
use super::progress::Progress;
use super::stopwatch::Stopwatch;
use super::{Fetched, FetchedDocument};
use crate::config::Feed;
use crate::feed::{Failure, FileFault, Validators};

/// Reads the document of a `file:` feed, unless the file still has the validators `known`.
///
/// # Errors
///
/// Fails if the path is missing, unreadable, too large or not a regular file, or if the file system is too slow.
pub(super) async fn read(
    feed: &Feed,
    known: &Validators,
    budget: &Budget,
    progress: &Progress,
) -> Result<Fetched, Failure> {
    let (url, limit) = (&feed.url.secret, feed.max_body_bytes);
    let mut stopwatch = Stopwatch::new(feed.timeout, progress.clone());
    let path =
        url.to_file_path().map_err(|()| Failure::File { path: url.as_str().into(), fault: FileFault::NoPath })?;
    let metadata = in_time(&mut stopwatch, &path, tokio::fs::metadata(&path)).await?;
    if !metadata.is_file() {
        return Err(failure(&path, FileFault::NotRegular));
    }
    let validators = Validators { etag: Some(tag(&metadata)), last_modified: None, url: Some(url.clone()) };
    if validators == *known {
        return Ok(Fetched::NotModified { validators });
    }
    if metadata.len() > limit {
        return Err(Failure::TooLarge { limit_bytes: limit });
    }
    let place = progress.waiting(budget.place(metadata.len(), limit)).await;
    let bytes = in_time(&mut stopwatch, &path, read_whole(&path, metadata.len(), place.buffer())).await?;
    Ok(Fetched::Document(FetchedDocument {
        body: body::hold(bytes, place),
        final_url: url.clone(),
        hops: Vec::new(),
        content_type: None,
        content_location: None,
        validators,
    }))
}

async fn in_time<T>(
    stopwatch: &mut Stopwatch,
    path: &Path,
    work: impl Future<Output = io::Result<T>>,
) -> Result<T, Failure> {
    let done = stopwatch.run(stopwatch.total(), work).await.map_err(|_| failure(path, FileFault::TooSlow))?;
    done.map_err(|error| failure(path, FileFault::Unreadable { why: reason(&error) }))
}

/// Reads at most `length` bytes of a file. If the file grows meanwhile, the next poll sees that it changed.
async fn read_whole(path: &Path, length: u64, mut buffer: Vec<u8>) -> io::Result<Vec<u8>> {
    let path = path.to_owned();
    let opened = tokio::task::spawn_blocking(move || open_regular(&path)).await.map_err(io::Error::other)?;
    tokio::fs::File::from_std(opened?).take(length).read_to_end(&mut buffer).await?;
    Ok(buffer)
}

/// Opens a regular file. Does not block if a pipe has replaced the file.
pub(super) fn open_regular(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new().read(true).custom_flags(OFlags::NONBLOCK.bits().cast_signed()).open(path)?;
    if file.metadata()?.is_file() { Ok(file) } else { Err(io::Error::other("it is not a regular file")) }
}

fn tag(metadata: &Metadata) -> Vec<u8> {
    let modified = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok()).unwrap_or_default();
    format!("{}-{}", modified.as_nanos(), metadata.len()).into_bytes()
}

fn failure(path: &Path, fault: FileFault) -> Failure {
    Failure::File { path: path.display().to_string().into(), fault }
}
