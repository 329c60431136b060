//! Schedules: which texts are valid, and at which times they poll. Crontab times are compared with croner, an
//! independent implementation.

use std::str::FromStr;
use std::time::Duration;

use chrono::{DateTime, TimeZone};
use chrono_tz::Tz;
use newswire::schedule::Schedule;
use newswire::time::Timestamp;

fn time(text: &str) -> Timestamp {
    Timestamp::from_datetime(DateTime::parse_from_rfc3339(text).unwrap().to_utc())
}

fn schedule(text: &str, zone: &str) -> Schedule {
    Schedule::parse(text, zone.parse().unwrap()).unwrap()
}

/// Returns the local times at which the schedule fires after `start`.
fn local_times(text: &str, zone: &str, start: &str, count: usize) -> Vec<String> {
    let schedule = schedule(text, zone);
    let zone: Tz = zone.parse().unwrap();
    let mut now = time(start);
    let mut fire = || {
        now = schedule.next(now, 0);
        now.datetime().with_timezone(&zone).format("%m-%dT%H:%M%:z").to_string()
    };
    (0..count).map(|_| fire()).collect()
}

#[test]
fn interval_is_counted_from_the_start_of_the_last_poll() {
    fn check(text: &str, seconds: u64) {
        let after = time("2026-11-24T10:07:13Z");
        assert_eq!(schedule(text, "UTC").next(after, 4711), after + Duration::from_secs(seconds), "{text}");
    }
    check("every 1 hour", 3600);
    check("every hour", 3600);
    check("every 90 minutes", 5400);
    check("every 1 hour 30 min", 5400);
    check("every 1.5h", 5400);
    check("every 7 days", 604_800);
    check("adaptive", 3600);
}

#[test]
fn cron_times_are_spread_within_their_minute() {
    let schedule = schedule("0 * * * *", "UTC");
    let first = schedule.next(time("2026-11-24T10:30:00Z"), 77);
    assert_eq!(first, time("2026-11-24T11:00:17Z"));
    assert_eq!(schedule.next(first, 77), time("2026-11-24T12:00:17Z"));
}

#[test]
fn schedule_is_displayed_so_that_it_can_be_read_again() {
    fn check(text: &str, shown: &str) {
        let schedule = schedule(text, "UTC");
        assert_eq!(schedule.to_string(), shown);
        assert_eq!(self::schedule(shown, "UTC").to_string(), shown);
    }
    check("every 60 minutes", "every 1 hour");
    check("every 90 minutes", "every 90 minutes");
    check("*/30 8-20 * * Mon-Fri", "*/30 8-20 * * Mon-Fri");
    check("@hourly", "@hourly");
    check("adaptive", "adaptive");
}

#[test]
fn bad_schedule_says_which_field_is_wrong_and_what_is_expected() {
    fn check(text: &str, expected: &str) {
        let error = Schedule::parse(text, Tz::UTC).unwrap_err();
        assert!(error.contains(expected), "{text}: {error}");
        assert!(!error.contains('\n'));
    }
    check("", "five fields");
    check("hourly", "@hourly");
    check("1 hour", "an interval begins with \"every\": write \"every 1 hour\"");
    check("every blue moon", "expected a duration");
    check("every 0 minutes", "at least 1 second");
    check("every", "five fields");
    check("* * * *", "found 4 fields");
    check("0 0 * * * *", "found 6 fields");
    check("60 * * * *", "minute: expected a number from 0 to 59");
    check("0 24 * * *", "hour: expected a number from 0 to 23");
    check("0 0 0 * *", "day of month: expected a number from 1 to 31");
    check("0 0 * 13 *", "month: expected a number from 1 to 12 or a name such as feb");
    check("0 0 * * 8", "day of week: expected a number from 0 to 7 or a name such as mon");
    check("0 0 * * Mo", "day of week: expected a number");
    check("5/15 * * * *", "write \"5-59/15\"");
    check("*/0 * * * *", "expected a step from 1 to 59");
    check("*/ * * * *", "expected a step");
    check("1,,2 * * * *", "minute: expected a number");
    check("1- * * * *", "minute: expected a number");
    check("0 0 L * *", "day of month: expected a number");
    check("@reboot", "expected one of @yearly");
    check("0 0 31 2 *", "the schedule never polls");
    check("0 0 30,31 feb *", "the schedule never polls");
    check("0 0 31 4,6,9,11 *", "the schedule never polls");
}

#[test]
fn day_fields_combine_as_in_crontab() {
    fn check(text: &str, days: &[&str]) {
        let times = local_times(text, "UTC", "2026-11-01T00:00:00Z", days.len());
        let expected: Vec<String> = days.iter().map(|day| format!("11-{day}T00:00+00:00")).collect();
        assert_eq!(times, expected, "{text}");
    }
    // Neither day field begins with an asterisk, so one match is enough.
    check("0 0 13 * Fri", &["06", "13", "20", "27"]);
    check("0 0 10 * Fri", &["06", "10", "13", "20"]);
    // One of the day fields begins with an asterisk, so both must match.
    check("0 0 */2 * Fri", &["13", "27"]);
    check("0 0 * * Fri", &["06", "13"]);
    check("0 0 9 * *", &["09"]);
    check("0 0 * * Fri-Mon", &["02", "06", "07", "08", "09", "13"]);
    check("0 0 * * 5-7", &["06", "07", "08", "13"]);
    check("0 0 * * 0", &["08", "15"]);
    check("0 0 * * 7", &["08", "15"]);
    check("0 0 * * Sat-Sun", &["07", "08", "14"]);
    check("0 0 * * monday,WED", &["02", "04", "09"]);
    check("0 0 28-2 * *", &["02", "28", "29", "30"]);
}

#[test]
fn clock_set_forward_runs_fixed_times_once_at_the_end_of_the_gap() {
    fn check(text: &str, expected: &[&str]) {
        let times = local_times(text, "Europe/Berlin", "2026-03-29T00:00:00Z", expected.len());
        assert_eq!(times, expected, "{text}");
    }
    check("30 2 * * *", &["03-29T03:00+02:00", "03-30T02:30+02:00"]);
    check("0,30 2 * * *", &["03-29T03:00+02:00", "03-30T02:00+02:00"]);
    check("15 3 * * *", &["03-29T03:15+02:00", "03-30T03:15+02:00"]);
    check("*/30 * * * *", &["03-29T01:30+01:00", "03-29T03:00+02:00", "03-29T03:30+02:00"]);
    check("15 */2 * * *", &["03-29T04:15+02:00", "03-29T06:15+02:00"]);
}

#[test]
fn clock_set_back_runs_fixed_times_once_and_others_in_real_time() {
    fn check(text: &str, expected: &[&str]) {
        let times = local_times(text, "Europe/Berlin", "2026-10-24T23:50:00Z", expected.len());
        assert_eq!(times, expected, "{text}");
    }
    check("30 2 * * *", &["10-25T02:30+02:00", "10-26T02:30+01:00"]);
    check("0 3 * * *", &["10-25T03:00+01:00", "10-26T03:00+01:00"]);
    let half_hours =
        ["10-25T02:00+02:00", "10-25T02:30+02:00", "10-25T02:00+01:00", "10-25T02:30+01:00", "10-25T03:00+01:00"];
    check("*/30 * * * *", &half_hours);
    check("0 * * * *", &["10-25T02:00+02:00", "10-25T02:00+01:00", "10-25T03:00+01:00"]);
}

#[test]
fn next_time_is_always_later_in_zones_with_odd_changes() {
    // Lord Howe changes by half an hour, Apia skipped a whole day, Casablanca changes for Ramadan.
    for (zone, start) in [
        ("Australia/Lord_Howe", "2026-04-04T00:00:00Z"),
        ("Australia/Lord_Howe", "2026-10-03T00:00:00Z"),
        ("Pacific/Apia", "2011-12-29T00:00:00Z"),
        ("Africa/Casablanca", "2026-02-14T00:00:00Z"),
        ("America/St_Johns", "2026-11-01T00:00:00Z"),
    ] {
        for text in ["*/7 * * * *", "30 2 * * *", "5 */3 * * *", "0 0 30 * *", "59 23 * * *"] {
            let schedule = schedule(text, zone);
            let (mut now, end) = (time(start), time(start) + Duration::from_secs(40 * 86_400));
            while now < end {
                let next = schedule.next(now, 0);
                assert!(next > now, "{text} in {zone} at {now}");
                now = next;
            }
        }
    }
}

#[test]
fn polls_of_a_day_that_a_zone_skipped_run_at_its_end() {
    let times = local_times("0 12 * * *", "Pacific/Apia", "2011-12-29T12:00:00Z", 3);
    assert_eq!(times, ["12-29T12:00-10:00", "12-31T00:00+14:00", "12-31T12:00+14:00"]);
}

/// Compares schedules for which croner and crontab agree. croner treats a schedule as one of fixed times only if it has
/// a single minute and a single hour. So schedules with lists are compared only in zones without clock changes.
#[test]
fn a_year_of_times_is_the_same_as_that_of_croner() {
    let everywhere =
        ["*/30 * * * *", "0 * * * *", "15 */2 * * *", "30 2 * * *", "0 0 1 * *", "45 23 * * Sun", "7 3 * * 1-5"];
    let without_changes =
        ["*/30 8-20 * * Mon-Fri", "0,20,40 1,13 * * *", "0 12 13 * Fri", "0 6 1-7 Jan,Jul *", "10-50/20 22-23 * * 6,7"];
    for zone in ["Europe/Berlin", "America/New_York", "Pacific/Auckland", "Australia/Lord_Howe", "America/St_Johns"] {
        everywhere.iter().for_each(|text| compare_with_croner(text, zone));
    }
    for zone in ["UTC", "Asia/Tokyo", "Asia/Kathmandu"] {
        everywhere.iter().chain(&without_changes).for_each(|text| compare_with_croner(text, zone));
    }
}

fn compare_with_croner(text: &str, zone: &str) {
    let ours = schedule(text, zone);
    let theirs = croner::Cron::from_str(text).unwrap();
    let tz: Tz = zone.parse().unwrap();
    let mut now = time("2026-01-01T00:00:00Z");
    let end = time("2027-01-01T00:00:00Z");
    while now < end {
        let expected = theirs.find_next_occurrence(&tz.from_utc_datetime(&now.datetime().naive_utc()), false).unwrap();
        let next = ours.next(now, 0);
        assert_eq!(next, Timestamp::from_datetime(expected.to_utc()), "{text} in {zone} after {now}");
        now = next;
    }
}

#[test]
fn schedule_at_the_end_of_time_does_not_fail() {
    assert_eq!(schedule("0 0 * * *", "Europe/Berlin").next(Timestamp::MAX, 3), Timestamp::MAX);
    assert_eq!(schedule("*/5 * * * *", "Europe/Berlin").next(time("2101-01-01T00:00:00Z"), 0), Timestamp::MAX);
    assert!(schedule("30 2 * * *", "Europe/Berlin").next(Timestamp::MIN, 0) > Timestamp::MIN);
    assert_eq!(schedule("every 1 hour", "UTC").next(Timestamp::MAX, 0), Timestamp::MAX);
}
