//! Schedules around every clock change of every time zone from 2026 to 2036. The expected times come from a slow
//! calculation that goes from minute to minute.
//!
//! The rule is Vixie cron's, as `schedule/cron.rs` describes it. A schedule with `*` for minute or hour follows real
//! time: it fires at each minute whose local time matches, so a repeated hour counts twice and a skipped one not at
//! all. A schedule at fixed times fires once for each local time. If the local time is repeated, it fires at the first
//! of the two moments. If the local time is skipped, it fires at the end of the gap.

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike, Duration, NaiveDateTime, Offset, TimeZone, Timelike, Utc};
use chrono_tz::{TZ_VARIANTS, Tz};
use newswire::schedule::Schedule;
use newswire::time::Timestamp;

/// A schedule, whether it follows real time, and which local times match it.
type Pattern = (&'static str, bool, fn(&Local) -> bool);

/// A local time, in the numbers of crontab.
struct Local {
    minute: u32,
    hour: u32,
    day: u32,
    month: u32,
    /// 0 is Sunday.
    weekday: u32,
}

const PATTERNS: [Pattern; 30] = [
    ("@hourly", true, |t| t.minute == 0),
    ("0 * * * *", true, |t| t.minute == 0),
    ("* * * * *", true, |_| true),
    ("*/5 * * * *", true, |t| t.minute.is_multiple_of(5)),
    ("*/30 * * * *", true, |t| t.minute.is_multiple_of(30)),
    ("*/7 * * * *", true, |t| t.minute.is_multiple_of(7)),
    ("59 * * * *", true, |t| t.minute == 59),
    ("5,25,45 * * * *", true, |t| [5, 25, 45].contains(&t.minute)),
    ("15 */2 * * *", true, |t| t.minute == 15 && t.hour.is_multiple_of(2)),
    ("0 */3 * * *", true, |t| t.minute == 0 && t.hour.is_multiple_of(3)),
    ("0 */6 * * Sun", true, |t| t.minute == 0 && t.hour.is_multiple_of(6) && t.weekday == 0),
    ("*/30 8-20 * * Mon-Fri", true, |t| {
        t.minute.is_multiple_of(30) && (8..=20).contains(&t.hour) && (1..=5).contains(&t.weekday)
    }),
    ("*/10 2 * * *", true, |t| t.minute.is_multiple_of(10) && t.hour == 2),
    ("* 1-3 * * 0", true, |t| (1..=3).contains(&t.hour) && t.weekday == 0),
    ("@daily", false, |t| t.minute == 0 && t.hour == 0),
    ("@weekly", false, |t| t.minute == 0 && t.hour == 0 && t.weekday == 0),
    ("@monthly", false, |t| t.minute == 0 && t.hour == 0 && t.day == 1),
    ("0 0 * * *", false, |t| t.minute == 0 && t.hour == 0),
    ("30 1 * * *", false, |t| t.minute == 30 && t.hour == 1),
    ("0 2 * * *", false, |t| t.minute == 0 && t.hour == 2),
    ("30 2 * * *", false, |t| t.minute == 30 && t.hour == 2),
    ("0 3 * * *", false, |t| t.minute == 0 && t.hour == 3),
    ("59 23 * * *", false, |t| t.minute == 59 && t.hour == 23),
    ("0,30 0-4 * * *", false, |t| t.minute.is_multiple_of(30) && t.hour <= 4),
    ("0-59/15 1,2,3 * * *", false, |t| t.minute.is_multiple_of(15) && (1..=3).contains(&t.hour)),
    ("0 6 1-7 Mar,Apr,Oct,Nov *", false, |t| {
        t.minute == 0 && t.hour == 6 && t.day <= 7 && [3, 4, 10, 11].contains(&t.month)
    }),
    ("30 2 13 * Sun", false, |t| t.minute == 30 && t.hour == 2 && (t.day == 13 || t.weekday == 0)),
    ("0 3 29 2 *", false, |t| t.minute == 0 && t.hour == 3 && t.day == 29 && t.month == 2),
    ("0 12 * * Fri-Mon", false, |t| t.minute == 0 && t.hour == 12 && [5, 6, 0, 1].contains(&t.weekday)),
    ("45 0-23/4 * * *", false, |t| t.minute == 45 && t.hour.is_multiple_of(4)),
];

/// How long before and after a change the expected times are calculated. Further away, the clock runs regularly.
const BEFORE: Duration = Duration::hours(4);
const AFTER: Duration = Duration::hours(30);

/// A change of a clock.
struct Change {
    zone: Tz,
    /// The first moment of the new offset.
    at: DateTime<Utc>,
}

fn offset(zone: Tz, at: DateTime<Utc>) -> i32 {
    zone.offset_from_utc_datetime(&at.naive_utc()).fix().local_minus_utc()
}

/// The step of the search for changes: no zone changes its clock twice in such a short time.
const STEP_MINUTES: i64 = 360;

/// Returns the number of changes of all zones, and the distinct changes. Zones that change at one moment between the
/// same two offsets have the same clock around it, so only the first of them is returned.
fn changes() -> (usize, Vec<Change>) {
    let start: DateTime<Utc> = "2026-01-01T00:00:00Z".parse().unwrap();
    let end: DateTime<Utc> = "2037-01-01T00:00:00Z".parse().unwrap();
    let mut distinct = BTreeMap::new();
    let mut count = 0;
    for zone in TZ_VARIANTS {
        let (mut at, mut before) = (start, offset(zone, start));
        while at < end {
            at += Duration::minutes(STEP_MINUTES);
            let here = offset(zone, at);
            if here == before {
                continue;
            }
            let mut minutes = (1..=STEP_MINUTES).map(|minutes| at - Duration::minutes(STEP_MINUTES - minutes));
            let change = minutes.find(|minute| offset(zone, *minute) == here).unwrap();
            distinct.entry((change, before, here)).or_insert(Change { zone, at: change });
            count += 1;
            before = here;
        }
    }
    (count, distinct.into_values().collect())
}

/// The minutes around a change, with their local times.
struct Walk {
    minutes: Vec<(DateTime<Utc>, NaiveDateTime, Local)>,
}

impl Walk {
    fn around(change: &Change) -> Walk {
        let count = (BEFORE + AFTER).num_minutes();
        let minutes = (0..count).map(|minute| {
            let at = change.at - BEFORE + Duration::minutes(minute);
            let wall = at.naive_utc() + Duration::seconds(offset(change.zone, at).into());
            (at, wall, local(wall))
        });
        Walk { minutes: minutes.collect() }
    }

    /// Returns all moments at which a schedule should fire, in order.
    fn moments(&self, (_, by_real_time, fits): &Pattern) -> Vec<DateTime<Utc>> {
        let mut moments = Vec::new();
        let mut latest = self.minutes[0].1 - Duration::minutes(1);
        for (at, wall, local) in &self.minutes {
            let is_repeated = *wall <= latest;
            let skipped = (1..(*wall - latest).num_minutes()).map(|minute| latest + Duration::minutes(minute));
            let makes_up = || skipped.into_iter().any(|wall| fits(&self::local(wall)));
            let fires = if *by_real_time { fits(local) } else { !is_repeated && (fits(local) || makes_up()) };
            if fires {
                moments.push(*at);
            }
            latest = latest.max(*wall);
        }
        moments
    }
}

fn local(wall: NaiveDateTime) -> Local {
    Local {
        minute: wall.minute(),
        hour: wall.hour(),
        day: wall.day(),
        month: wall.month(),
        weekday: wall.weekday().num_days_from_sunday(),
    }
}

/// Returns moments around a change, from which the next time is calculated. Many of them are not at a full second.
fn starts(change: DateTime<Utc>) -> Vec<DateTime<Utc>> {
    let millis = |millis: i64| change + Duration::milliseconds(millis);
    let near = [-1000, -999, -500, -1, 0, 1, 500, 999, 1000, 1001, 59_999, 60_000].map(millis);
    let minutes = [-181, -90, -61, -60, -59, -31, -30, -15, -1, 1, 14, 29, 30, 31, 59, 60, 61, 90, 119, 120, 181];
    let parts = [0, 327];
    let far = minutes.iter().flat_map(|minute| parts.map(|part| millis(minute * 60_000 + part)));
    near.into_iter().chain(far).collect()
}

#[test]
fn time_at_the_moment_of_a_change_is_found_from_a_start_between_full_seconds() {
    let check = |text: &str, zone: Tz, start: &str, expected: &str| {
        let start = DateTime::parse_from_rfc3339(start).unwrap().to_utc();
        let next = Schedule::parse(text, zone).unwrap().next(Timestamp::from_datetime(start), 0);
        assert_eq!(next.rfc3339(), expected, "{text} in {zone} after {start}");
    };
    check("@hourly", Tz::Europe__Berlin, "2027-03-28T00:45:12.345Z", "2027-03-28T01:00:00Z");
    check("@hourly", Tz::Europe__Berlin, "2026-10-25T00:59:59.999Z", "2026-10-25T01:00:00Z");
    check("*/30 * * * *", Tz::America__New_York, "2027-03-14T06:45:00.001Z", "2027-03-14T07:00:00Z");
    check("*/15 * * * *", Tz::Australia__Lord_Howe, "2026-04-04T14:50:00.500Z", "2026-04-04T15:00:00Z");
}

#[test]
fn next_time_around_every_clock_change_equals_the_one_found_minute_by_minute() {
    let (count, changes) = changes();
    let mut tried = 0_u64;
    for change in &changes {
        let walk = Walk::around(change);
        for pattern in &PATTERNS {
            let schedule = Schedule::parse(pattern.0, change.zone).unwrap();
            let moments = walk.moments(pattern);
            for start in starts(change.at) {
                check(&schedule, change, pattern, &moments, start);
                tried += 1;
            }
        }
    }
    println!("{count} changes of {} zones, {} of them different: {tried} times", TZ_VARIANTS.len(), changes.len());
    assert!(count > 1000 && changes.len() > 200, "{count} changes, {} different", changes.len());
}

fn check(schedule: &Schedule, change: &Change, pattern: &Pattern, moments: &[DateTime<Utc>], start: DateTime<Utc>) {
    let next = schedule.next(Timestamp::from_datetime(start), 0).datetime();
    let said = || format!("{} in {} after {start} (change at {})", pattern.0, change.zone, change.at);
    assert!(next > start, "{}: {next} is not later", said());
    match moments.iter().find(|moment| **moment > start) {
        Some(expected) => assert_eq!(next, *expected, "{}", said()),
        None => {
            assert!(next >= change.at + AFTER, "{}: {next} is too early", said());
            let wall = next.with_timezone(&change.zone).naive_local();
            assert!((pattern.2)(&local(wall)), "{}: {wall} does not fit", said());
        }
    }
}
