//! The wall clock: the only place that reads it. Everything below the program's floor gets the time as a value.

use std::sync::Arc;

use crate::time::Timestamp;

/// Tells the time of day. It may be set, and it goes on while the machine is suspended.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Returns the present time.
pub fn now() -> Timestamp {
    Timestamp::from_datetime(chrono::Utc::now())
}
