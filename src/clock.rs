//! The wall clock: the only place that reads it. All code below floor 3 gets the time as a value.

use std::sync::Arc;

use crate::time::Timestamp;

/// A function that returns the time of day. The clock may be set, and it keeps running while the machine is suspended.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Returns the current time.
pub fn now() -> Timestamp {
    Timestamp::from_datetime(chrono::Utc::now())
}
