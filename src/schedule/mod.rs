//! Decides when to poll a feed next: by cron schedules, intervals, hints and backoff.
//!
//! This module is pure: `now` is an argument. This is the only module that knows local time, and the only one that uses
//! the `cron` crate.

pub mod adaptive;
mod cron;
pub mod next;
mod period;
pub mod retry;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use chrono_tz::Tz;

pub use self::cron::Cron;
pub use self::period::Period;
use crate::duration;
use crate::time::Timestamp;

/// How often to poll a feed with an adaptive schedule until its own rate is known.
pub const ADAPTIVE_START: Duration = Duration::from_secs(3600);

/// A checked schedule of a feed. Displayed as written in the TOML.
#[derive(Clone, Debug)]
pub enum Schedule {
    /// `every 1 hour`: the time from the answer of one poll to the next poll.
    Every(Duration),
    /// `*/30 8-20 * * Mon-Fri` or `@hourly`. Feeds that inherit the schedule from `[poll]` share it.
    Cron(Arc<Cron>),
    /// `adaptive`: the interval depends on how often the feed publishes.
    Adaptive,
}

impl Schedule {
    /// Parses `every …`, five cron fields, a cron name such as `@hourly`, or `adaptive`. Cron times are in `timezone`.
    ///
    /// # Errors
    ///
    /// Says what is wrong with the text; also fails if the schedule would never poll.
    pub fn parse(text: &str, timezone: Tz) -> Result<Schedule, String> {
        let text = text.trim();
        if text.eq_ignore_ascii_case("adaptive") {
            return Ok(Schedule::Adaptive);
        }
        if let Some(interval) = text.strip_prefix("every ") {
            return parse_interval(interval.trim()).map(Schedule::Every);
        }
        if duration::parse(text).is_ok() {
            return Err(format!("an interval begins with \"every\": write \"every {text}\""));
        }
        Cron::parse(text, timezone).map(|cron| Schedule::Cron(Arc::new(cron)))
    }

    /// Returns when the next poll is due if the last one was at `after`; always later than `after`.
    ///
    /// An interval is kept exactly. Cron times are shifted by `phase` seconds within their minute, so that a thousand
    /// feeds with one schedule do not start at the same moment. With phase 0 they are exact.
    ///
    /// ```
    /// use chrono::{TimeZone, Utc};
    /// use newswire::schedule::Schedule;
    /// use newswire::time::Timestamp;
    ///
    /// let schedule = Schedule::parse("0 6 * * Mon-Fri", chrono_tz::Europe::Vienna)?;
    /// let friday = Timestamp::from_datetime(Utc.with_ymd_and_hms(2026, 3, 27, 12, 0, 0).unwrap());
    /// // Monday at six; the clocks went forward on Sunday.
    /// let monday = Timestamp::from_datetime(Utc.with_ymd_and_hms(2026, 3, 30, 4, 0, 0).unwrap());
    /// assert_eq!(schedule.next(friday, 0), monday);
    /// # Ok::<(), String>(())
    /// ```
    pub fn next(&self, after: Timestamp, phase: u64) -> Timestamp {
        match self {
            Schedule::Every(interval) => after + *interval,
            Schedule::Adaptive => after + ADAPTIVE_START,
            Schedule::Cron(cron) => {
                let shift = Duration::from_secs(phase % 60);
                cron.next(after - shift) + shift
            }
        }
    }
}

/// Returns whether a feed's next poll is due. The caller skips feeds on hold and feeds that are gone.
pub fn is_due(next_poll: Timestamp, now: Timestamp) -> bool {
    next_poll <= now
}

/// Parses `15 minutes`, or a unit without a number: `hour`.
fn parse_interval(text: &str) -> Result<Duration, String> {
    let interval = duration::parse(text).or_else(|error| duration::parse(&format!("1 {text}")).map_err(|_| error))?;
    if interval < Duration::from_secs(1) {
        return Err("expected an interval of at least 1 second".to_owned());
    }
    Ok(interval)
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Schedule::Every(interval) => write!(f, "every {}", duration::words(*interval)),
            Schedule::Cron(cron) => write!(f, "{cron}"),
            Schedule::Adaptive => f.write_str("adaptive"),
        }
    }
}
