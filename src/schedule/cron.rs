//! Crontab schedules: five fields as in crontab(5), computed with the `cron` crate.
//!
//! The crate has six fields, numbers weekdays differently, and cannot combine the two day fields by OR. So this module
//! parses the fields and passes them to the crate as plain lists. The crate computes with wall-clock times only, and
//! ignores clock changes. What happens in the two nights of a clock change is decided here, as in Vixie cron. A
//! schedule at fixed times fires once for each time. For a time that the clock skips, it fires at the end of the gap. A
//! schedule with `*` for minute or hour follows real time.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Duration, NaiveDateTime, Offset, TimeZone, Utc};
use chrono_tz::Tz;

use crate::time::Timestamp;

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];
const WEEKDAYS: [&str; 7] = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];

/// The shortest allowed prefix of a month's or weekday's name.
const MIN_NAME_LENGTH: usize = 3;

/// The names of whole schedules, and their fields.
const NICKNAMES: [(&str, &str); 7] = [
    ("@yearly", "0 0 1 1 *"),
    ("@annually", "0 0 1 1 *"),
    ("@monthly", "0 0 1 * *"),
    ("@weekly", "0 0 * * 0"),
    ("@daily", "0 0 * * *"),
    ("@midnight", "0 0 * * *"),
    ("@hourly", "0 * * * *"),
];

/// The most by which a zone sets its clock forward. Samoa once skipped a whole day.
const MAX_GAP: Duration = Duration::hours(25);

/// The most wall-clock times to try. When a zone sets its clock back, the clock repeats at most the minutes of one day.
const MOST_REPEATED_MINUTES: usize = 25 * 60;

/// The most clock changes that a search crosses. No zone has so many before 2100, where schedules end; Morocco has four
/// in some years.
const MOST_CHANGES: usize = 1000;

/// A crontab schedule in one time zone. Displayed as it was written.
#[derive(Clone, Debug)]
pub struct Cron {
    text: String,
    timezone: Tz,
    /// One schedule; two if a match of either the day of the month or the day of the week is enough.
    walls: Vec<cron::Schedule>,
    /// Whether minute or hour is `*` or `*/n`: the schedule then follows real time through a clock change.
    follows_real_time: bool,
}

impl Cron {
    /// Parses five fields or a name such as `@hourly`.
    ///
    /// # Errors
    ///
    /// Says which field is wrong and what is expected there; also fails if no day of any year matches.
    pub fn parse(text: &str, timezone: Tz) -> Result<Cron, String> {
        let fields = Fields::parse(expand_nickname(text)?)?;
        let walls =
            fields.expressions().iter().map(|expression| wall_schedule(expression)).collect::<Result<_, _>>()?;
        let cron = Cron { text: text.to_owned(), timezone, walls, follows_real_time: fields.follows_real_time() };
        let some_time = DateTime::UNIX_EPOCH.naive_utc();
        if cron.next_wall(some_time).is_none() {
            return Err("the schedule never polls: no year has such a day".to_owned());
        }
        Ok(cron)
    }

    /// Returns the first time after `after` at which the schedule fires; [`Timestamp::MAX`] after the year 2100.
    pub fn next(&self, after: Timestamp) -> Timestamp {
        let after = after.datetime();
        let next = if self.follows_real_time { self.next_real(after) } else { self.next_fixed(after) };
        next.map_or(Timestamp::MAX, Timestamp::from_datetime)
    }

    /// Returns the first wall-clock time after `wall` that matches the fields.
    fn next_wall(&self, wall: NaiveDateTime) -> Option<NaiveDateTime> {
        let next = |schedule: &cron::Schedule| schedule.after(&wall.and_utc()).next();
        self.walls.iter().filter_map(next).min().map(|next| next.naive_utc())
    }

    /// Returns the next poll at fixed times. Each wall-clock time stands for one moment: the earlier one if the clock
    /// shows that time twice, and the end of the gap if the clock skips it.
    fn next_fixed(&self, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let first = self.next_wall(self.wall(after));
        let walls = std::iter::successors(first, |wall| self.next_wall(*wall));
        walls.take(MOST_REPEATED_MINUTES).map(|wall| self.moment(wall)).find(|moment| *moment > after)
    }

    /// Returns the next poll in real time. Searches each period with a constant offset from UTC separately.
    fn next_real(&self, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let (mut after, mut stretch) = (after, after);
        for _ in 0..MOST_CHANGES {
            let offset = self.offset(stretch);
            let candidate = self.next_wall(after.naive_utc() + offset)?.and_utc() - offset;
            let Some(change) = self.change_between(stretch, candidate) else { return Some(candidate) };
            // The schedule may match the moment of the change itself.
            (after, stretch) = (change - Duration::seconds(1), change);
        }
        None
    }

    /// Returns the first moment after `start`, and not after `end`, at which the offset differs from that at `start`.
    fn change_between(&self, start: DateTime<Utc>, end: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let offset = self.offset(start);
        let mut before = start;
        // No zone changes twice within a day.
        for _ in 0..=(end - start).num_days().max(0) {
            let day_later = (before + Duration::days(1)).min(end);
            if self.offset(day_later) != offset {
                return Some(self.bisect(before, day_later, offset));
            }
            before = day_later;
        }
        None
    }

    /// Returns the first second after `before` that does not have `offset`. The moment `before` has this offset, and
    /// `at` does not.
    ///
    /// Zones change at whole seconds, so this is a binary search in whole seconds.
    fn bisect(&self, before: DateTime<Utc>, at: DateTime<Utc>, offset: Duration) -> DateTime<Utc> {
        let whole_second = |seconds| DateTime::from_timestamp(seconds, 0).unwrap_or(at);
        let (mut before, mut after) = (before.timestamp(), at.timestamp());
        for _ in 0..=(after - before).max(1).ilog2() {
            let middle = before + (after - before) / 2;
            if self.offset(whole_second(middle)) == offset { before = middle } else { after = middle }
        }
        whole_second(after)
    }

    fn moment(&self, wall: NaiveDateTime) -> DateTime<Utc> {
        if let Some(moment) = self.timezone.from_local_datetime(&wall).earliest() {
            return moment.to_utc();
        }
        let day_before = (wall - MAX_GAP).and_utc();
        let offset = self.offset(day_before);
        self.bisect(day_before, wall.and_utc() + MAX_GAP, offset)
    }

    fn wall(&self, moment: DateTime<Utc>) -> NaiveDateTime {
        moment.naive_utc() + self.offset(moment)
    }

    fn offset(&self, moment: DateTime<Utc>) -> Duration {
        let offset = self.timezone.offset_from_utc_datetime(&moment.naive_utc());
        Duration::seconds(offset.fix().local_minus_utc().into())
    }
}

impl fmt::Display for Cron {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The allowed content of one field of a crontab line.
struct FieldKind {
    name: &'static str,
    least: u32,
    most: u32,
    names: &'static [&'static str],
    /// The number of the first name.
    first_name: u32,
    /// The largest value of `*`. A range such as `Fri-Mon` goes up to this value, and continues at the least value.
    last: u32,
}

const MINUTE: FieldKind = FieldKind { name: "minute", least: 0, most: 59, names: &[], first_name: 0, last: 59 };
const HOUR: FieldKind = FieldKind { name: "hour", least: 0, most: 23, names: &[], first_name: 0, last: 23 };
const DAY: FieldKind = FieldKind { name: "day of month", least: 1, most: 31, names: &[], first_name: 0, last: 31 };
const MONTH: FieldKind = FieldKind { name: "month", least: 1, most: 12, names: &MONTHS, first_name: 1, last: 12 };
/// Both 0 and 7 mean Sunday.
const WEEKDAY: FieldKind =
    FieldKind { name: "day of week", least: 0, most: 7, names: &WEEKDAYS, first_name: 0, last: 6 };

/// A parsed field.
struct CronField {
    /// The values that match, sorted, without repeats.
    values: Vec<u32>,
    /// Whether the field begins with `*`, which decides how the two day fields combine and what a clock change means.
    starred: bool,
}

struct Fields {
    minute: CronField,
    hour: CronField,
    day: CronField,
    month: CronField,
    weekday: CronField,
}

impl Fields {
    fn parse(text: &str) -> Result<Fields, String> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let [minute, hour, day, month, weekday] = words.as_slice() else {
            return Err(format!(
                "expected \"every 1 hour\", \"adaptive\", \"@hourly\" or the five fields of cron: minute, hour, day of month, \
                 month, day of week; found {} field{}",
                words.len(),
                if words.len() == 1 { "" } else { "s" }
            ));
        };
        Ok(Fields {
            minute: CronField::parse(minute, &MINUTE)?,
            hour: CronField::parse(hour, &HOUR)?,
            day: CronField::parse(day, &DAY)?,
            month: CronField::parse(month, &MONTH)?,
            weekday: CronField::parse(weekday, &WEEKDAY)?.with_one_sunday(),
        })
    }

    fn follows_real_time(&self) -> bool {
        self.minute.starred || self.hour.starred
    }

    /// Returns the schedule in the syntax of the `cron` crate. As in crontab, if both day fields are restricted, a
    /// match of either is enough.
    fn expressions(&self) -> Vec<String> {
        let expression = |day: &str, weekday: &str| {
            format!("0 {} {} {day} {} {weekday}", self.minute.list(), self.hour.list(), self.month.list())
        };
        let weekdays: Vec<&str> = self.weekday.values.iter().map(|day| &WEEKDAYS[*day as usize][..3]).collect();
        let (day, weekday) = (self.day.list(), weekdays.join(","));
        if self.day.starred || self.weekday.starred {
            return vec![expression(&day, &weekday)];
        }
        vec![expression(&day, "*"), expression("*", &weekday)]
    }
}

impl CronField {
    fn parse(text: &str, kind: &FieldKind) -> Result<CronField, String> {
        let mut values = Vec::new();
        for part in text.split(',') {
            values.extend(part_values(part, kind)?);
        }
        values.sort_unstable();
        values.dedup();
        Ok(CronField { values, starred: text.starts_with('*') })
    }

    fn with_one_sunday(mut self) -> CronField {
        self.values.iter_mut().for_each(|day| *day %= 7);
        self.values.sort_unstable();
        self.values.dedup();
        self
    }

    fn list(&self) -> String {
        let numbers: Vec<String> = self.values.iter().map(u32::to_string).collect();
        numbers.join(",")
    }
}

/// Returns the values of `*`, `5`, `Mon`, `1-5` or `Fri-Mon`. `*` and ranges may have a step, as in `*/5`.
fn part_values(part: &str, kind: &FieldKind) -> Result<Vec<u32>, String> {
    let (range, step) = match part.split_once('/') {
        Some((range, step)) => (range, Some(step)),
        None => (part, None),
    };
    let values = range_values(range, kind)?;
    let Some(step) = step else { return Ok(values) };
    if range != "*" && !range.contains('-') {
        return Err(format!("{}: a step needs a range before it: write \"{range}-{}/{step}\"", kind.name, kind.most));
    }
    let step = step.parse().ok().filter(|step| (1..=kind.most as usize).contains(step));
    let step = step.ok_or_else(|| format!("{}: expected a step from 1 to {}", kind.name, kind.most))?;
    Ok(values.into_iter().step_by(step).collect())
}

fn range_values(range: &str, kind: &FieldKind) -> Result<Vec<u32>, String> {
    if range == "*" {
        return Ok((kind.least..=kind.last).collect());
    }
    let Some((from, to)) = range.split_once('-') else { return Ok(vec![value(range, kind)?]) };
    let (from, to) = (value(from, kind)?, value(to, kind)?);
    if from <= to {
        return Ok((from..=to).collect());
    }
    Ok((from..=kind.last).chain(kind.least..=to).collect())
}

fn value(text: &str, kind: &FieldKind) -> Result<u32, String> {
    let lower = text.to_lowercase();
    let named = kind.names.iter().position(|name| lower.len() >= MIN_NAME_LENGTH && name.starts_with(&lower));
    let named = named.and_then(|position| u32::try_from(position).ok()).map(|position| position + kind.first_name);
    let number = || text.parse().ok().filter(|number| (kind.least..=kind.most).contains(number));
    named.or_else(number).ok_or_else(|| {
        let names = if kind.names.is_empty() { "" } else { " or a name such as " };
        let example = kind.names.get(1).map_or("", |name| &name[..MIN_NAME_LENGTH]);
        format!("{}: expected a number from {} to {}{names}{example}", kind.name, kind.least, kind.most)
    })
}

fn expand_nickname(text: &str) -> Result<&str, String> {
    if !text.starts_with('@') {
        return Ok(text);
    }
    let nickname = NICKNAMES.iter().find(|(name, _)| text.eq_ignore_ascii_case(name));
    nickname.map(|(_, fields)| *fields).ok_or_else(|| {
        let names: Vec<&str> = NICKNAMES.iter().map(|(name, _)| *name).collect();
        format!("expected one of {}", names.join(", "))
    })
}

fn wall_schedule(expression: &str) -> Result<cron::Schedule, String> {
    cron::Schedule::from_str(expression).map_err(|error| format!("not a valid cron schedule: {error}"))
}
