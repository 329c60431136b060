//! Parses dates as feeds write them. The parts of a date may be in any order that is unambiguous.
//!
//! The forms are those of RFC 822 (mail), RFC 850 (old HTTP), `asctime`, W3C-DTF and ISO 8601, with their usual
//! misspellings. Month names may be in many languages, and digits in any script. Korean and Japanese dates, and seconds
//! or milliseconds since 1970 are read too. A date that is out of range or ambiguous is not read, because a wrong date
//! is worse than none. A weekday in the text can resolve the ambiguity. Parsing takes linear time, and the length is
//! limited.

mod names;
#[cfg(test)]
mod tests;
mod zones;

use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Timelike, Utc, Weekday};
use chrono_tz::Tz;

use self::names::Set;
use self::zones::{Zone, zone};
use super::repairs::Repairs;
use crate::feed::RepairKind;
use crate::time::Timestamp;

/// A longer text is not a date. It may be an attack on the parser, as in the security advisory RUSTSEC-2026-0009.
const MAX_BYTES: usize = 128;

/// The first whole year of the Gregorian calendar. An earlier year is a placeholder (several languages write
/// `0001-01-01T00:00:00Z` for no date) or belongs to another calendar.
const FIRST_YEAR: i32 = 1583;

/// How many years the Thai calendar is ahead of the Gregorian one. Years before `FIRST_BUDDHIST_YEAR` count as
/// Gregorian.
const BUDDHIST_YEARS: i32 = 543;
const FIRST_BUDDHIST_YEAR: i32 = 2400;

/// Parses a date. Notes a repair if the date is unreadable or its time zone is unknown. For blank text, returns `None`
/// and notes nothing.
pub(super) fn noted(text: &str, repairs: &mut Repairs) -> Option<Timestamp> {
    let read = read(text);
    match &read {
        None if !text.trim().is_empty() => repairs.note_value(RepairKind::UnreadDates, text),
        Some(read) if read.has_unknown_zone => repairs.note_value(RepairKind::UnknownZones, text),
        _ => {}
    }
    read.map(|read| read.at)
}

/// Parses a date. A date without a zone is read as UTC, or as local time if it is Korean, Japanese or Chinese.
pub(super) fn parse(text: &str) -> Option<Timestamp> {
    read(text).map(|read| read.at)
}

/// A parsed date.
struct Read {
    at: Timestamp,
    /// Whether the zone is unknown, so that the date was read as UTC.
    has_unknown_zone: bool,
}

fn read(text: &str) -> Option<Read> {
    let text = text.trim();
    if text.is_empty() || text.len() > MAX_BYTES {
        return None;
    }
    if let Some(at) = standard(text) {
        return Some(Read { at, has_unknown_zone: false });
    }
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(Read { at: only_digits(text)?, has_unknown_zone: false });
    }
    read_parts(text)
}

/// Parses a date in the form of RFC 3339 or RFC 5322 with a year of four digits. Most dates are like that, and this is
/// much faster than parsing part by part.
fn standard(text: &str) -> Option<Timestamp> {
    const FARTHEST_SECONDS: i32 = 14 * 60 * 60;
    let date = match text.as_bytes() {
        [_, _, _, _, b'-', ..] => DateTime::parse_from_rfc3339(text).ok()?,
        [_, _, _, b',', .., b'0'..=b'9'] if text.len() == "Wed, 20 Dec 2017 07:18:00 +0100".len() => {
            DateTime::parse_from_rfc2822(text).ok()?
        }
        [_, _, _, b',', .., b'G', b'M', b'T'] => DateTime::parse_from_rfc2822(text).ok()?,
        _ => return None,
    };
    let is_usual = (1970..2100).contains(&date.year()) && date.offset().local_minus_utc().abs() <= FARTHEST_SECONDS;
    let whole_seconds = date.to_utc().with_nanosecond(0)?;
    is_usual.then(|| Timestamp::from_datetime(whole_seconds))
}

/// Parses a date part by part, in any order.
fn read_parts(text: &str) -> Option<Read> {
    let (spaced, default_zone) = spaced(text);
    let mut reading = DateReading { default_zone, ..DateReading::default() };
    for (index, part) in spaced.split_whitespace().enumerate() {
        reading.part(part, index)?;
    }
    let has_unknown_zone = reading.has_unknown_zone && reading.zone().is_none();
    Some(Read { at: reading.finish()?, has_unknown_zone })
}

/// Parses a date without separators: seconds or milliseconds since 1970, or the digits of a date.
fn only_digits(text: &str) -> Option<Timestamp> {
    let number = |range: std::ops::Range<usize>| text[range].parse::<u32>().ok();
    let midnight = |date: NaiveDate| date.and_time(NaiveTime::MIN);
    let local = match text.len() {
        9 | 10 => return Some(Timestamp::from_millis(text.parse::<i64>().ok()? * 1000)),
        12 | 13 => return Some(Timestamp::from_millis(text.parse().ok()?)),
        14 => {
            let time = NaiveTime::from_hms_opt(number(8..10)?, number(10..12)?, number(12..14)?)?;
            NaiveDate::from_ymd_opt(text[..4].parse().ok()?, number(4..6)?, number(6..8)?)?.and_time(time)
        }
        4 => midnight(NaiveDate::from_ymd_opt(text.parse().ok()?, 1, 1)?),
        5 => midnight(NaiveDate::from_yo_opt(full_year(number(0..2)?, 2), number(2..5)?)?),
        6 => midnight(NaiveDate::from_ymd_opt(full_year(number(0..2)?, 2), number(2..4)?, number(4..6)?)?),
        8 => midnight(NaiveDate::from_ymd_opt(text[..4].parse().ok()?, number(4..6)?, number(6..8)?)?),
        _ => return None,
    };
    (local.year() >= FIRST_YEAR).then(|| Timestamp::from_datetime(local.and_utc()))
}

/// Returns the text with spaces between its parts, with ASCII digits and without comments. Also returns the zone that
/// the script of the text suggests, in minutes east of Greenwich, or 0 if it suggests none.
fn spaced(text: &str) -> (String, i32) {
    let mut spaced = String::with_capacity(text.len() + 8);
    let mut default_zone = 0;
    let mut comment_depth = 0usize;
    let mut before = None;
    // Whether to drop the spaces that follow, because the last character (such as `年`) joins the parts around it.
    let mut joins = false;
    let mut characters = text.chars().map(ascii_digit).peekable();
    while let Some(character) = characters.next() {
        let after = characters.peek();
        let is_digit = |character: &char| character.is_ascii_digit();
        let between_digits = before.as_ref().is_some_and(is_digit) && after.is_some_and(is_digit);
        let begins_time = between_digits || before == Some(' ') && after.is_none_or(is_digit);
        let in_time = || spaced.rsplit(' ').next().is_some_and(|part| part.contains(':'));
        let joined = std::mem::take(&mut joins);
        match character {
            '(' => comment_depth += 1,
            ')' => comment_depth = comment_depth.saturating_sub(1),
            _ if comment_depth > 0 => {}
            'T' | 't' if begins_time => spaced.push(' '),
            // French writes `15h04`.
            'h' | 'H' if between_digits => spaced.push(':'),
            ',' if between_digits && in_time() => spaced.push('.'),
            '년' | '월' | '年' | '月' => {
                default_zone = 9 * 60;
                spaced.push('-');
                joins = true;
            }
            '시' | '분' | '時' | '分' | '时' | '点' => {
                spaced.push(':');
                joins = true;
            }
            '초' | '秒' => {}
            ',' | '，' | '、' | '،' | '일' | '日' | '[' | ']' => spaced.push(' '),
            _ if character.is_whitespace() && joined => joins = true,
            _ if character.is_whitespace() => spaced.push(' '),
            _ => spaced.push(character),
        }
        before = Some(character);
    }
    if text.is_ascii() {
        return (spaced, default_zone);
    }
    for (half, name) in HALVES_OF_DAY {
        spaced = spaced.replace(half, name);
    }
    let is_chinese = text.contains(['时', '点', '上', '下']);
    let is_hangul_or_kana = text.chars().any(|c| matches!(c, '\u{AC00}'..='\u{D7A3}' | '\u{3040}'..='\u{30FF}' | '午'));
    match (is_chinese, is_hangul_or_kana) {
        (true, _) => (spaced, 8 * 60),
        (_, true) => (spaced, 9 * 60),
        _ => (spaced, default_zone),
    }
}

const HALVES_OF_DAY: [(&str, &str); 6] =
    [("오전", " am "), ("오후", " pm "), ("午前", " am "), ("午後", " pm "), ("上午", " am "), ("下午", " pm ")];

/// Converts a digit of another script to the ASCII digit of the same value.
fn ascii_digit(character: char) -> char {
    // These are the zeros of Arabic, Persian, Devanagari, Bengali, Gurmukhi, Gujarati, Tamil, Telugu, Kannada,
    // Malayalam, Thai, Lao, Burmese and Khmer, and the full-width zero.
    const ZEROS: [u32; 15] =
        [0x660, 0x6F0, 0x966, 0x9E6, 0xA66, 0xAE6, 0xBE6, 0xC66, 0xCE6, 0xD66, 0xE50, 0xED0, 0x1040, 0x17E0, 0xFF10];
    if character.is_ascii() {
        return character;
    }
    let value = ZEROS.iter().find_map(|zero| u32::from(character).checked_sub(*zero).filter(|value| *value < 10));
    value.and_then(|value| char::from_digit(value, 10)).unwrap_or(character)
}

/// The parts of a date read so far.
#[derive(Default)]
struct DateReading {
    year: Option<i32>,
    /// The number that was read as a year of two digits. It may turn out to be the month or the day.
    short_year: Option<u32>,
    months: Set,
    /// Whether the month was the very first word. That word may turn out to be a weekday (Spanish `mar` is Tuesday or
    /// March).
    month_came_first: bool,
    /// Whether the next number is the month.
    month_comes_next: bool,
    is_thai: bool,
    weekdays: Set,
    day: Option<u32>,
    /// A date in one part, such as `2003-12-31`.
    joined: Option<Joined>,
    time: Option<(u32, u32, u32)>,
    afternoon: Option<bool>,
    offset: Option<i32>,
    named: Option<i32>,
    region: Option<Tz>,
    has_unknown_zone: bool,
    /// The zone to use if the date names none, in minutes east of Greenwich.
    default_zone: i32,
}

impl DateReading {
    /// Reads one part. Returns `None` if the part makes the whole date unreadable.
    fn part(&mut self, part: &str, index: usize) -> Option<()> {
        let starts_with_digit = part.starts_with(|c: char| c.is_ascii_digit());
        if !part.bytes().any(|byte| byte.is_ascii_digit()) {
            self.word(part, index);
            return Some(());
        }
        if part.bytes().all(|byte| byte.is_ascii_digit()) {
            return self.number(part);
        }
        match split_at_non_digit(part) {
            Some((digits, "st" | "nd" | "rd" | "th" | "er" | "º" | "." | ".º")) => return self.number(digits),
            Some((hour, "am" | "pm" | "AM" | "PM")) if hour.len() <= 2 => {
                return self.time(&format!("{hour}:00{}", &part[hour.len()..]));
            }
            _ => {}
        }
        if part.contains(':') && starts_with_digit {
            return self.time(part);
        }
        if self.is_complete()
            && self.time.is_none()
            && let Some(time) = dotted_time(part)
        {
            return self.time(&time);
        }
        if self.has_day() && (self.time.is_some() || !starts_with_digit) {
            return self.take_zone(zone(part)?);
        }
        if let Some(time) = self.joined.as_ref().and_then(|_| compact_time(part)) {
            return self.time(&time);
        }
        self.joined(joined_date(part)?)
    }

    fn joined(&mut self, joined: Joined) -> Option<()> {
        self.joined.replace(joined).is_none().then_some(())
    }

    /// Returns whether the day is known, even if the year is not.
    fn has_day(&self) -> bool {
        self.joined.is_some() || self.day.is_some() && self.months != 0
    }

    fn is_complete(&self) -> bool {
        self.joined.is_some() || self.has_day() && self.year.is_some()
    }

    fn word(&mut self, word: &str, index: usize) {
        let lower = word.to_lowercase();
        let bare = lower.trim_matches(|c: char| !c.is_alphanumeric());
        match bare {
            "am" | "a.m" => return self.afternoon = Some(false),
            "pm" | "p.m" => return self.afternoon = Some(true),
            // Spanish writes `3:09 p. m.`.
            "a" if self.time.is_some() => return self.afternoon = Some(false),
            "p" if self.time.is_some() => return self.afternoon = Some(true),
            _ => {}
        }
        let weekdays = names::weekdays(bare);
        self.weekdays |= weekdays;
        let months = if bare.contains('/') { 0 } else { names::months(bare) };
        let is_month = months != 0 && (self.months == 0 || self.month_came_first);
        if is_month {
            self.month_came_first = index == 0;
            self.months = months;
            self.is_thai = names::is_thai(bare);
        }
        self.month_comes_next = names::announces_month(bare);
        let bare = word.trim_matches(|c: char| !c.is_alphanumeric());
        let is_zone = self.time.is_some() || self.is_complete() && bare.bytes().all(|byte| byte.is_ascii_uppercase());
        if is_zone
            && !is_month
            && let Some(zone) = zones::named(bare)
        {
            // A weekday in capitals, such as `MON`, is not a zone.
            if zone != Zone::Unknown || weekdays == 0 {
                self.take_zone(zone);
            }
        }
    }

    fn take_zone(&mut self, zone: Zone) -> Option<()> {
        match zone {
            Zone::Offset(minutes) => self.offset = Some(minutes),
            Zone::Named(minutes) => self.named = Some(minutes),
            Zone::Region(region) => self.region = Some(region),
            Zone::Unknown => self.has_unknown_zone = true,
        }
        Some(())
    }

    /// Returns the most reliable zone of those read: an offset, else an abbreviation, else a region.
    fn zone(&self) -> Option<Zone> {
        let region = || self.region.map(Zone::Region);
        self.offset.map(Zone::Offset).or(self.named.map(Zone::Named)).or_else(region)
    }

    fn number(&mut self, digits: &str) -> Option<()> {
        let value: u32 = digits.parse().ok()?;
        let is_joined = self.joined.is_some();
        match digits.len() {
            1 | 2 if std::mem::take(&mut self.month_comes_next) => self.months = 1u16.checked_shl(value)?,
            1 | 2 if self.day.is_none() && !is_joined => self.day = Some(value),
            2 if self.year.is_none() && !is_joined => {
                self.year = Some(full_year(value, 2));
                self.short_year = Some(value);
            }
            4 if self.year.is_none() && !is_joined => self.year = Some(full_year(value, 4)),
            // The two numbers before this one were the day and the month, in an unknown order.
            4 if self.months == 0 && !is_joined => {
                let pair = (self.day.take()?, self.short_year.take()?);
                self.year = None;
                self.joined = Some(Joined::Pair { year: full_year(value, 4), pair });
            }
            2 | 4 if self.is_complete() && self.time.is_some() => return self.take_zone(zones::without_plus(digits)?),
            4 | 6 if self.is_complete() && self.time.is_none() => return self.time(&compact_time(digits)?),
            8 if !is_joined => self.joined = Some(joined_date(digits)?),
            _ => return None,
        }
        Some(())
    }

    fn time(&mut self, part: &str) -> Option<()> {
        let end = part.find(|c: char| !(c.is_ascii_digit() || c == ':')).unwrap_or(part.len());
        let (clock, rest) = part.split_at(end);
        if !clock.contains(':') {
            return self.time(&compact_time(part)?);
        }
        let numbers: Vec<&str> = clock.trim_end_matches(':').split(':').collect();
        let number = |at: usize| numbers.get(at).map_or(Some(0), |digits| digits.parse::<u32>().ok());
        let time = (number(0)?, number(1)?, number(2)?);
        // The fourth number is a fraction of a second, written after a colon.
        let is_fraction = numbers.get(3).is_none_or(|digits| matches!(digits.len(), 2 | 3));
        if numbers.len() < 2 || numbers.len() > 4 || !is_fraction || self.time.replace(time).is_some() {
            return None;
        }
        let rest = match rest.strip_prefix('.') {
            Some(fraction) => fraction.trim_start_matches(|c: char| c.is_ascii_digit()),
            None => rest,
        };
        match rest.to_ascii_lowercase().as_str() {
            "" | "h" | "hrs" | "uhr" => {}
            "am" | "a.m." => self.afternoon = Some(false),
            "pm" | "p.m." => self.afternoon = Some(true),
            _ => self.take_zone(zone(rest)?)?,
        }
        Some(())
    }

    fn finish(self) -> Option<Timestamp> {
        let date = self.date()?;
        let (hour, minute, second) = self.time.unwrap_or_default();
        let hour = match self.afternoon {
            Some(true) if hour < 12 => hour + 12,
            Some(false) if hour == 12 => 0,
            _ => hour,
        };
        // 24:00:00 is midnight at the end of the day. A leap second becomes the second before it.
        let (date, hour) =
            if (hour, minute, second) == (24, 0, 0) { (date.checked_add_days(Days::new(1))?, 0) } else { (date, hour) };
        let time = NaiveTime::from_hms_opt(hour, minute, if second == 60 { 59 } else { second })?;
        let datetime = self.utc(date.and_time(time))?;
        (datetime <= Timestamp::MAX.datetime()).then(|| Timestamp::from_datetime(datetime))
    }

    fn utc(&self, local: NaiveDateTime) -> Option<DateTime<Utc>> {
        let minutes = match self.zone() {
            Some(Zone::Region(region)) => return zones::in_region(local, region),
            Some(Zone::Offset(minutes) | Zone::Named(minutes)) => minutes,
            Some(Zone::Unknown) => 0,
            None if self.has_unknown_zone => 0,
            None => self.default_zone,
        };
        Some(local.checked_sub_signed(TimeDelta::minutes(minutes.into()))?.and_utc())
    }

    /// Returns the only possible date. If several are possible, returns the one on the weekday that the text names.
    /// Returns `None` if that leaves none or several.
    fn date(&self) -> Option<NaiveDate> {
        let mut possible = self.possible_dates();
        possible.retain(|date| date.year() >= FIRST_YEAR);
        possible.dedup();
        if possible.len() > 1 {
            let is_named = |weekday: Weekday| self.weekdays & 1 << weekday.num_days_from_monday() != 0;
            possible.retain(|date| is_named(date.weekday()));
        }
        if let [only] = possible.as_slice() { Some(*only) } else { None }
    }

    fn possible_dates(&self) -> Vec<NaiveDate> {
        match self.joined {
            Some(_) if self.day.is_some() || self.year.is_some() => Vec::new(),
            Some(Joined::Date(date)) => vec![date],
            Some(Joined::Pair { year, pair: (first, second) }) => [(second, first), (first, second)]
                .into_iter()
                .filter_map(|(month, day)| NaiveDate::from_ymd_opt(year, month, day))
                .collect(),
            None => {
                // A month without a day means its first day.
                let only_month = (self.time.is_none() && self.short_year.is_none()).then_some(1);
                let (Some(year), Some(day)) = (self.year, self.day.or(only_month)) else { return Vec::new() };
                let is_buddhist = self.is_thai && year >= FIRST_BUDDHIST_YEAR;
                let year = if is_buddhist { year - BUDDHIST_YEARS } else { year };
                (1..=12)
                    .filter(|month| self.months & 1 << month != 0)
                    .filter_map(|month| NaiveDate::from_ymd_opt(year, month, day))
                    .collect()
            }
        }
    }
}

/// A date written as one part.
enum Joined {
    Date(NaiveDate),
    /// A year, a day and a month. Which of the two numbers is the day is unknown.
    Pair {
        year: i32,
        pair: (u32, u32),
    },
}

/// Parses a date in one part: `2003-12-31`, `2003/1/10`, `2003-12`, `2003-335`, `2003-W52-6`, `03-12-31`, `31-Dec-03`,
/// `31.12.2003`, `20031231`.
fn joined_date(part: &str) -> Option<Joined> {
    let trimmed = part.trim_matches(['-', '/', '.']);
    let parts: Vec<&str> = trimmed.split(['-', '/', '.']).collect();
    let number = |text: &str| text.parse::<u32>().ok();
    let date = match parts.as_slice() {
        [digits] if digits.len() == 8 && digits.is_ascii() => {
            NaiveDate::from_ymd_opt(digits[..4].parse().ok()?, number(&digits[4..6])?, number(&digits[6..])?)
        }
        [digits] if part.starts_with('-') && digits.len() == 4 => {
            NaiveDate::from_ymd_opt(full_year(number(digits.get(..2)?)?, 2), number(digits.get(2..)?)?, 1)
        }
        [year, ordinal] if year.len() == 4 && ordinal.len() == 3 && number(ordinal).is_some() => {
            NaiveDate::from_yo_opt(year.parse().ok()?, number(ordinal)?)
        }
        [year, month] if year.len() == 4 || part.starts_with('-') => {
            NaiveDate::from_ymd_opt(full_year(number(year)?, year.len()), number(month)?, 1)
        }
        [year, week, day] if year.len() == 4 && week.starts_with(['W', 'w']) => {
            let weekday = Weekday::try_from(u8::try_from(number(day)?.checked_sub(1)?).ok()?).ok()?;
            NaiveDate::from_isoywd_opt(year.parse().ok()?, number(week.get(1..)?)?, weekday)
        }
        [year, month, day] if year.len() == 4 => {
            NaiveDate::from_ymd_opt(year.parse().ok()?, number(month).or_else(|| month_named(month))?, number(day)?)
        }
        [first, second, year] => return day_and_month(first, second, year, trimmed),
        _ => None,
    };
    date.map(Joined::Date)
}

/// Parses a date in one part that does not begin with a year of four digits.
fn day_and_month(first: &str, second: &str, year: &str, whole: &str) -> Option<Joined> {
    let number = |text: &str| text.parse::<u32>().ok();
    let first_number = number(first)?;
    let year_last = full_year(number(year)?, year.len());
    let date = match number(second) {
        None => NaiveDate::from_ymd_opt(year_last, month_named(second)?, first_number),
        Some(second) if whole.contains('.') => NaiveDate::from_ymd_opt(year_last, second, first_number),
        Some(second) if whole.contains('-') && year.len() == 2 => {
            NaiveDate::from_ymd_opt(full_year(first_number, first.len()), second, number(year)?)
        }
        Some(second) => return Some(Joined::Pair { year: year_last, pair: (first_number, second) }),
    };
    date.map(Joined::Date)
}

/// Returns the month that a word names, if it is unambiguous.
fn month_named(word: &str) -> Option<u32> {
    let months = names::months(&word.to_lowercase());
    (months.count_ones() == 1).then(|| months.trailing_zeros())
}

/// Inserts colons into a time such as `101455`, `1014Z` or `101455+0100`.
fn compact_time(part: &str) -> Option<String> {
    let (digits, rest) = split_at_non_digit(part).unwrap_or((part, ""));
    match digits.len() {
        4 => Some(format!("{}:{}{rest}", &digits[..2], &digits[2..])),
        6 => Some(format!("{}:{}:{}{rest}", &digits[..2], &digits[2..4], &digits[4..])),
        _ => None,
    }
}

/// Replaces the dots in `15.04` or `15.04.05`, the German and Finnish form, with colons.
fn dotted_time(part: &str) -> Option<String> {
    let end = part.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(part.len());
    let (clock, rest) = part.split_at(end);
    let numbers: Vec<&str> = clock.trim_end_matches('.').split('.').collect();
    let is_clock = matches!(numbers.len(), 2 | 3) && numbers.iter().all(|number| (1..=2).contains(&number.len()));
    is_clock.then(|| numbers.join(":") + rest)
}

fn split_at_non_digit(part: &str) -> Option<(&str, &str)> {
    part.find(|c: char| !c.is_ascii_digit()).filter(|&at| at > 0).map(|at| part.split_at(at))
}

/// Completes a year of two digits. RFC 2822 §4.3 reads 00 to 49 as 2000 to 2049, and 50 to 99 as 1950 to 1999. A year
/// with another number of digits is returned as it is.
fn full_year(year: u32, digits: usize) -> i32 {
    let year = i32::try_from(year).unwrap_or(i32::MAX);
    match (digits, year) {
        (2, 0..=49) => 2000 + year,
        (2, _) => 1900 + year,
        _ => year,
    }
}
