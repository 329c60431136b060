//! When to poll next: cron, intervals, hints and backoff.
//!
//! Pure: `now` is an argument. The only place that knows local time, and the only one that uses the `cron` crate.

/// A checked schedule of a feed.
#[derive(Clone, Debug)]
pub struct Schedule {}
