//! Reads the wall clock. The core gets the time as a value. Only `fetch` reads the clock too, for answers without a
//! `Date`.

use std::sync::Arc;

use crate::time::Timestamp;

/// A function that returns the current time. Its clock may be set by hand, and runs on while the machine is suspended.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Returns the current time.
pub fn now() -> Timestamp {
    Timestamp::from_datetime(chrono::Utc::now())
}
