//! Points in time as newswire stores them: whole milliseconds since 1970 in UTC.
//!
//! This module never reads a clock: the caller always passes `now`. Local time occurs only in `schedule` and in pages.

use std::fmt;
use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Milliseconds since 1970-01-01T00:00:00Z, which is the unit of every time in the store.
///
/// A timestamp is displayed and serialized as RFC 3339 in UTC with whole seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// 9999-12-31T23:59:59Z. This is the last second that RFC 3339 can express, and the upper bound of every timestamp.
    pub const MAX: Timestamp = Timestamp(253_402_300_799_000);
    /// 0001-01-01T00:00:00Z. This is the lower bound.
    pub const MIN: Timestamp = Timestamp(-62_135_596_800_000);

    /// Creates a timestamp from milliseconds since 1970. Times outside the years 1 to 9999 become the nearest bound.
    pub fn from_millis(millis: i64) -> Self {
        Timestamp(millis.clamp(Self::MIN.0, Self::MAX.0))
    }

    /// Returns the milliseconds since 1970.
    pub fn millis(self) -> i64 {
        self.0
    }

    /// Converts a chrono time. A time outside the bounds becomes the nearest bound.
    pub fn from_datetime(datetime: DateTime<Utc>) -> Self {
        Self::from_millis(datetime.timestamp_millis())
    }

    /// Returns the chrono time.
    pub fn datetime(self) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(self.0).expect("the bounds of Timestamp lie within those of chrono")
    }

    /// Formats the time by RFC 3339 in UTC with whole seconds, such as `2017-12-20T06:18:00Z`.
    pub fn rfc3339(self) -> String {
        self.datetime().to_rfc3339_opts(SecondsFormat::Secs, true)
    }

    /// Formats the time by RFC 822 as RSS 2.0 requires, with a four-digit year and a numeric zone: `Wed, 20 Dec 2017
    /// 06:18:00 +0000`.
    pub fn rfc822(self) -> String {
        self.datetime().format("%a, %d %b %Y %H:%M:%S +0000").to_string()
    }

    /// Returns the time cut to whole seconds, for formats with that precision.
    pub fn whole_second(self) -> Self {
        Timestamp(self.0 - self.0.rem_euclid(1000))
    }

    /// Returns the time from `earlier` to `self`. Returns zero if `earlier` is later.
    pub fn since(self, earlier: Timestamp) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0).max(0).unsigned_abs())
    }
}

impl std::ops::Add<Duration> for Timestamp {
    type Output = Timestamp;

    fn add(self, duration: Duration) -> Timestamp {
        let millis = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        Timestamp::from_millis(self.0.saturating_add(millis))
    }
}

impl std::ops::Sub<Duration> for Timestamp {
    type Output = Timestamp;

    fn sub(self, duration: Duration) -> Timestamp {
        let millis = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        Timestamp::from_millis(self.0.saturating_sub(millis))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.rfc3339())
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.rfc3339())
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let datetime = DateTime::parse_from_rfc3339(&text).map_err(serde::de::Error::custom)?;
        Ok(Self::from_datetime(datetime.to_utc()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamp_is_written_with_whole_seconds_in_utc() {
        let timestamp = Timestamp::from_millis(1_513_750_680_999);
        assert_eq!(timestamp.rfc3339(), "2017-12-20T06:18:00Z");
        assert_eq!(timestamp.rfc822(), "Wed, 20 Dec 2017 06:18:00 +0000");
        assert_eq!(timestamp.whole_second().millis(), 1_513_750_680_000);
    }

    #[test]
    fn times_outside_the_calendar_become_its_bounds() {
        assert_eq!(Timestamp::from_millis(i64::MAX).rfc3339(), "9999-12-31T23:59:59Z");
        assert_eq!(Timestamp::from_millis(i64::MIN).rfc3339(), "0001-01-01T00:00:00Z");
        assert_eq!(Timestamp::MAX + Duration::from_secs(1), Timestamp::MAX);
    }
}
