//! The periods of digests: days and weeks in the site's time zone.

use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;

use crate::rows::DigestKind;
use crate::time::Timestamp;

/// A period of a digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    /// How long it is.
    pub kind: DigestKind,
    /// Its first day: of a week, the Monday.
    pub day: NaiveDate,
}

impl Period {
    /// Returns the period that contains a time.
    pub fn of(kind: DigestKind, at: Timestamp, zone: Tz) -> Period {
        let day = at.datetime().with_timezone(&zone).date_naive();
        let days_before = match kind {
            DigestKind::Daily => 0,
            DigestKind::Weekly => day.weekday().num_days_from_monday().into(),
        };
        Period { kind, day: day.checked_sub_days(Days::new(days_before)).unwrap_or(day) }
    }

    /// Returns the following period.
    #[must_use]
    pub fn next(self) -> Period {
        let days = match self.kind {
            DigestKind::Daily => 1,
            DigestKind::Weekly => 7,
        };
        Period { day: self.day.checked_add_days(Days::new(days)).unwrap_or(NaiveDate::MAX), ..self }
    }

    /// Returns when the period starts: at midnight, or when the clocks jump over midnight, at the first time of the day.
    pub fn start(self, zone: Tz) -> Timestamp {
        let midnight = self.day.and_time(NaiveTime::MIN);
        // Clocks have jumped over at most a day, and always by a multiple of a quarter of an hour since 1970.
        let quarters = (0..=4 * 25).map(|quarters| TimeDelta::minutes(15 * quarters));
        let mut times =
            quarters.filter_map(|later| zone.from_local_datetime(&midnight.checked_add_signed(later)?).earliest());
        let start: DateTime<Utc> = times.next().map_or_else(|| midnight.and_utc(), |time| time.to_utc());
        Timestamp::from_datetime(start)
    }

    /// Returns when the period ends, which is when the next one starts.
    pub fn end(self, zone: Tz) -> Timestamp {
        self.next().start(zone)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::from_datetime(text.parse().unwrap())
    }

    #[test]
    fn periods_are_days_and_weeks_of_the_sites_time_zone() {
        let check = |kind: DigestKind, zone: Tz, time: &str, day: &str, start: &str, end: &str| {
            let period = Period::of(kind, at(time), zone);
            let found = (period.day.to_string(), period.start(zone).rfc3339(), period.end(zone).rfc3339());
            assert_eq!(found, (day.to_owned(), start.to_owned(), end.to_owned()), "{time} {zone}");
        };
        let (day, week) = (DigestKind::Daily, DigestKind::Weekly);
        let (utc, berlin) = (Tz::UTC, Tz::Europe__Berlin);
        check(day, utc, "2026-11-29T13:00:00Z", "2026-11-29", "2026-11-29T00:00:00Z", "2026-11-30T00:00:00Z");
        check(day, utc, "2026-11-29T00:00:00Z", "2026-11-29", "2026-11-29T00:00:00Z", "2026-11-30T00:00:00Z");
        check(day, berlin, "2026-11-29T23:30:00Z", "2026-11-30", "2026-11-29T23:00:00Z", "2026-11-30T23:00:00Z");
        // The day on which the clocks go back has 25 hours.
        check(day, berlin, "2026-10-25T12:00:00Z", "2026-10-25", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z");
        check(week, utc, "2026-11-29T13:00:00Z", "2026-11-23", "2026-11-23T00:00:00Z", "2026-11-30T00:00:00Z");
        check(week, utc, "2026-11-30T00:00:00Z", "2026-11-30", "2026-11-30T00:00:00Z", "2026-12-07T00:00:00Z");
        // The clocks of Beirut go from midnight to one o'clock. Apia had no 30 December 2011.
        let (beirut, apia) = (Tz::Asia__Beirut, Tz::Pacific__Apia);
        check(day, beirut, "2026-03-29T12:00:00Z", "2026-03-29", "2026-03-28T22:00:00Z", "2026-03-29T21:00:00Z");
        check(day, apia, "2011-12-30T03:00:00Z", "2011-12-29", "2011-12-29T10:00:00Z", "2011-12-30T10:00:00Z");
    }
}
