//! Reads the wall clock. The core receives the time as an argument. The only other module that reads the clock is
//! `fetch`, for responses without a `Date` header.

use std::sync::Arc;

use crate::time::Timestamp;

/// A function that returns the current time of the wall clock. Users can set this clock, and it continues while the
/// machine is suspended.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Returns the current time.
pub fn now() -> Timestamp {
    Timestamp::from_datetime(chrono::Utc::now())
}
