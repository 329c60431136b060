//! Parses and formats durations as people write them.

use std::time::Duration;

const SECOND: f64 = 1.0;
const MINUTE: f64 = 60.0 * SECOND;
const HOUR: f64 = 60.0 * MINUTE;
const DAY: f64 = 24.0 * HOUR;

/// The longest duration that is accepted. It is longer than any sensible wait or age, and far from overflow.
const MAX: Duration = Duration::from_secs(100 * 365 * 86_400);

/// Parses a duration as people write it: `90 minutes`, `1 hour 30 min`, `1.5h`. A month is 30 days, a year 365.
///
/// # Errors
///
/// Fails if the text is not a duration, or if the duration is longer than a hundred years. The error says which.
pub fn parse(text: &str) -> Result<Duration, String> {
    let seconds = sum(text, unit).ok_or("expected a duration such as \"30 seconds\", \"90 minutes\" or \"7 days\"")?;
    Duration::try_from_secs_f64(seconds)
        .ok()
        .filter(|duration| *duration <= MAX)
        .ok_or_else(|| "expected a duration of at most 100 years".to_owned())
}

/// Returns a duration in words, in the largest unit that gives a whole number: `90 minutes`, `1 hour`, `7 days`.
pub fn words(duration: Duration) -> String {
    let millis = duration.as_millis();
    let units = [("day", 86_400_000), ("hour", 3_600_000), ("minute", 60_000), ("second", 1000), ("ms", 1)];
    let (unit, size) =
        units.into_iter().find(|(_, size)| millis > 0 && millis.is_multiple_of(*size)).unwrap_or(("second", 1000));
    let plural = if millis / size == 1 || unit == "ms" { "" } else { "s" };
    format!("{} {unit}{plural}", millis / size)
}

/// Returns the size of a unit in seconds; `None` if there is no such unit.
fn unit(name: &str) -> Option<f64> {
    Some(match name {
        "ms" | "millisecond" => SECOND / 1000.0,
        "s" | "sec" | "second" => SECOND,
        "m" | "min" | "minute" => MINUTE,
        "h" | "hr" | "hour" => HOUR,
        "d" | "day" => DAY,
        "w" | "week" => 7.0 * DAY,
        "month" => 30.0 * DAY,
        "y" | "year" => 365.0 * DAY,
        _ => return None,
    })
}

/// Adds up the numbers in a text, each multiplied by the size of its unit. A unit may have a plural s. Returns `None`
/// if the text has another form, or contains an unknown unit.
pub(crate) fn sum(text: &str, unit_size: impl Fn(&str) -> Option<f64>) -> Option<f64> {
    let mut rest = text.trim();
    let mut sum = 0.0;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits_end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number: f64 = rest[..digits_end].parse().ok()?;
        rest = rest[digits_end..].trim_start();
        let unit_end = rest.find(|c: char| !c.is_alphabetic()).unwrap_or(rest.len());
        let unit = &rest[..unit_end];
        sum += number * unit_size(unit).or_else(|| unit_size(unit.strip_suffix('s')?))?;
        rest = rest[unit_end..].trim_start_matches([' ', ',']);
    }
    Some(sum)
}
