//! Dates as feeds write them, in any order of their parts that leaves no doubt.
//!
//! Read are RFC 822 and 850, `asctime`, W3C-DTF and ISO 8601 with all their misspellings, month names of a dozen languages, Korean and
//! Japanese dates, seconds since 1970. What is out of range, or could be two dates, stays unread: no date is better than a wrong one.
//! Linear in the length, which is bounded.

use chrono::{Days, NaiveDate, NaiveTime, TimeDelta};

use crate::time::Timestamp;

/// No date is longer; what is longer is an attack (RUSTSEC-2026-0009).
const MAX_BYTES: usize = 128;

/// Parses a date; without a zone it is taken for UTC.
pub(super) fn parse(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    if text.is_empty() || text.len() > MAX_BYTES {
        return None;
    }
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return only_digits(text);
    }
    let (spaced, east_asian) = spaced(text);
    let mut reading = DateReading::default();
    if east_asian {
        reading.default_zone = 9 * 60;
    }
    for (index, part) in spaced.split_whitespace().enumerate() {
        reading.part(part, index)?;
    }
    reading.finish()
}

/// A date without any separator: seconds or milliseconds since 1970, or the digits of a date.
fn only_digits(text: &str) -> Option<Timestamp> {
    let number = |range: std::ops::Range<usize>| text[range].parse::<u32>().ok();
    let date = match text.len() {
        9 | 10 => return Some(Timestamp::from_millis(text.parse::<i64>().ok()? * 1000)),
        12 | 13 => return Some(Timestamp::from_millis(text.parse().ok()?)),
        14 => {
            let time = NaiveTime::from_hms_opt(number(8..10)?, number(10..12)?, number(12..14)?)?;
            let date = NaiveDate::from_ymd_opt(text[..4].parse().ok()?, number(4..6)?, number(6..8)?)?;
            return Some(Timestamp::from_datetime(date.and_time(time).and_utc()));
        }
        4 => NaiveDate::from_ymd_opt(text.parse().ok()?, 1, 1),
        5 => NaiveDate::from_yo_opt(full_year(number(0..2)?, 2), number(2..5)?),
        6 => NaiveDate::from_ymd_opt(full_year(number(0..2)?, 2), number(2..4)?, number(4..6)?),
        8 => NaiveDate::from_ymd_opt(text[..4].parse().ok()?, number(4..6)?, number(6..8)?),
        _ => None,
    };
    Some(Timestamp::from_datetime(date?.and_time(NaiveTime::MIN).and_utc()))
}

/// The text with spaces between its parts and without comments; and whether it is Korean or Japanese.
fn spaced(text: &str) -> (String, bool) {
    let mut spaced = String::with_capacity(text.len() + 8);
    let mut east_asian = false;
    let mut comment_depth = 0usize;
    let mut before = None;
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        let after = characters.peek();
        let is_digit = |character: &char| character.is_ascii_digit();
        let between_digits = before.as_ref().is_some_and(is_digit) && after.is_some_and(is_digit);
        let begins_time = between_digits || before == Some(' ') && after.is_none_or(is_digit);
        match character {
            '(' => comment_depth += 1,
            ')' => comment_depth = comment_depth.saturating_sub(1),
            _ if comment_depth > 0 => {}
            'T' | 't' if begins_time => spaced.push(' '),
            '년' | '월' | '年' | '月' => {
                east_asian = true;
                spaced.push('-');
            }
            '시' | '분' | '時' | '分' => spaced.push(':'),
            '초' | '秒' => {}
            // No space comes after what joins.
            ',' | '일' | '日' | ' ' if !spaced.ends_with(['-', ':']) => spaced.push(' '),
            ',' | '일' | '日' | ' ' => {}
            _ => spaced.push(character),
        }
        before = Some(character);
    }
    if text.is_ascii() {
        return (spaced, false);
    }
    for (half, name) in [("오전", " am "), ("오후", " pm "), ("午前", " am "), ("午後", " pm ")] {
        spaced = spaced.replace(half, name);
    }
    let is_hangul_or_kana = text.chars().any(|c| matches!(c, '\u{AC00}'..='\u{D7A3}' | '\u{3040}'..='\u{30FF}' | '午'));
    (spaced, east_asian || is_hangul_or_kana)
}

/// What has been read of a date so far.
#[derive(Default)]
struct DateReading {
    year: Option<i32>,
    month: Option<u32>,
    /// The month was the very first word, and may be a weekday after all (Spanish `mar`).
    month_came_first: bool,
    day: Option<u32>,
    /// A date as one part, as in `2003-12-31`.
    date: Option<NaiveDate>,
    time: Option<(u32, u32, u32)>,
    afternoon: Option<bool>,
    zone_minutes: Option<i32>,
    default_zone: i32,
}

impl DateReading {
    /// Takes in one part; `None` where it makes the whole unreadable.
    fn part(&mut self, part: &str, index: usize) -> Option<()> {
        let has_digit = part.bytes().any(|byte| byte.is_ascii_digit());
        if !has_digit {
            return self.word(part, index);
        }
        if part.bytes().all(|byte| byte.is_ascii_digit()) {
            return self.number(part);
        }
        if let Some((digits, "st" | "nd" | "rd" | "th" | ".")) = split_at_non_digit(part) {
            return self.number(digits);
        }
        if part.contains(':') && part.starts_with(|c: char| c.is_ascii_digit()) {
            return self.time(part);
        }
        if self.has_date() && (self.time.is_some() || !part.starts_with(|c: char| c.is_ascii_digit())) {
            self.zone_minutes = Some(zone(part)?);
            return Some(());
        }
        if let Some(time) = self.date.and_then(|_| compact_time(part)) {
            return self.time(&time);
        }
        let date = joined_date(part)?;
        if self.date.replace(date).is_some() {
            return None;
        }
        Some(())
    }

    fn has_date(&self) -> bool {
        self.date.is_some() || self.day.is_some() && self.month.is_some()
    }

    fn word(&mut self, word: &str, index: usize) -> Option<()> {
        let lower = word.to_lowercase();
        let bare = lower.trim_matches(|c: char| !c.is_alphanumeric());
        match bare {
            "am" | "a.m" => self.afternoon = Some(false),
            "pm" | "p.m" => self.afternoon = Some(true),
            _ if self.time.is_some() && zone_name(bare).is_some() => self.zone_minutes = zone_name(bare),
            _ => {
                if let Some(month) = month(bare)
                    && (self.month.is_none() || self.month_came_first)
                {
                    self.month_came_first = index == 0;
                    self.month = Some(month);
                }
            }
        }
        Some(())
    }

    fn number(&mut self, digits: &str) -> Option<()> {
        let value: u32 = digits.parse().ok()?;
        match digits.len() {
            1 | 2 if self.day.is_none() && self.date.is_none() => self.day = Some(value),
            2 if self.year.is_none() && self.date.is_none() => self.year = Some(full_year(value, 2)),
            4 if self.year.is_none() && self.date.is_none() => self.year = Some(full_year(value, 4)),
            4 | 6 if self.date.is_some() && self.time.is_none() => return self.time(&compact_time(digits)?),
            8 if self.date.is_none() => self.date = Some(joined_date(digits)?),
            _ => return None,
        }
        Some(())
    }

    fn time(&mut self, part: &str) -> Option<()> {
        let end = part.find(|c: char| !(c.is_ascii_digit() || c == ':')).unwrap_or(part.len());
        let (clock, rest) = part.split_at(end);
        let mut numbers = clock.trim_end_matches(':').split(':').map(|number| number.parse::<u32>());
        let (hour, minute) = (numbers.next()?.ok()?, numbers.next()?.ok()?);
        let second = numbers.next().transpose().ok()?.unwrap_or(0);
        if numbers.next().is_some() || self.time.replace((hour, minute, second)).is_some() {
            return None;
        }
        let rest = match rest.strip_prefix(['.', ',']) {
            Some(fraction) => fraction.trim_start_matches(|c: char| c.is_ascii_digit()),
            None => rest,
        };
        match rest.to_ascii_lowercase().as_str() {
            "" => {}
            "am" => self.afternoon = Some(false),
            "pm" => self.afternoon = Some(true),
            rest => self.zone_minutes = Some(zone(rest)?),
        }
        Some(())
    }

    fn finish(self) -> Option<Timestamp> {
        let date = match self.date {
            Some(date) if self.day.is_none() && self.year.is_none() => date,
            Some(_) => return None,
            None => NaiveDate::from_ymd_opt(self.year?, self.month?, self.day?)?,
        };
        let (hour, minute, second) = self.time.unwrap_or_default();
        let hour = match self.afternoon {
            Some(true) if hour < 12 => hour + 12,
            Some(false) if hour == 12 => 0,
            _ => hour,
        };
        // Midnight at the end of a day, and leap seconds.
        let (date, hour) =
            if (hour, minute, second) == (24, 0, 0) { (date.checked_add_days(Days::new(1))?, 0) } else { (date, hour) };
        let time = NaiveTime::from_hms_opt(hour, minute, if second == 60 { 59 } else { second })?;
        let zone = TimeDelta::minutes(self.zone_minutes.unwrap_or(self.default_zone).into());
        let datetime = date.and_time(time).checked_sub_signed(zone)?.and_utc();
        Some(datetime)
            .filter(|datetime| (Timestamp::MIN.datetime()..=Timestamp::MAX.datetime()).contains(datetime))
            .map(Timestamp::from_datetime)
    }
}

/// A date in one part: `2003-12-31`, `2003/1/10`, `2003-12`, `2003-335`, `03-12-31`, `31-Dec-03`, `31.12.2003`, `20031231`.
fn joined_date(part: &str) -> Option<NaiveDate> {
    let trimmed = part.trim_matches(['-', '/', '.']);
    let parts: Vec<&str> = trimmed.split(['-', '/', '.']).collect();
    let number = |text: &str| text.parse::<u32>().ok();
    match parts.as_slice() {
        [digits] if digits.len() == 8 => NaiveDate::from_ymd_opt(
            digits.get(..4)?.parse().ok()?,
            number(digits.get(4..6)?)?,
            number(digits.get(6..)?)?,
        ),
        [digits] if part.starts_with('-') && digits.len() == 4 => {
            NaiveDate::from_ymd_opt(full_year(number(digits.get(..2)?)?, 2), number(digits.get(2..)?)?, 1)
        }
        [year, ordinal] if year.len() == 4 && ordinal.len() == 3 => {
            NaiveDate::from_yo_opt(year.parse().ok()?, number(ordinal)?)
        }
        [year, month] if year.len() == 4 || part.starts_with('-') => {
            NaiveDate::from_ymd_opt(full_year(number(year)?, year.len()), number(month)?, 1)
        }
        [year, month_name, day] if year.len() == 4 => {
            let month = number(month_name).or_else(|| month(&month_name.to_lowercase()))?;
            NaiveDate::from_ymd_opt(year.parse().ok()?, month, number(day)?)
        }
        [first, second, year] => {
            let year_number = number(year)?;
            let (first_number, dotted, dashed) = (number(first)?, trimmed.contains('.'), trimmed.contains('-'));
            let year_last = full_year(year_number, year.len());
            match number(second) {
                None => NaiveDate::from_ymd_opt(year_last, month(&second.to_lowercase())?, first_number),
                Some(second) if dotted => NaiveDate::from_ymd_opt(year_last, second, first_number),
                Some(second) if dashed && year.len() == 2 => {
                    NaiveDate::from_ymd_opt(full_year(first_number, first.len()), second, year_number)
                }
                Some(second) if first_number > 12 || first_number == second => {
                    NaiveDate::from_ymd_opt(year_last, second, first_number)
                }
                Some(second) if second > 12 => NaiveDate::from_ymd_opt(year_last, first_number, second),
                // Which is the day, which the month, nobody can tell.
                Some(_) => None,
            }
        }
        _ => None,
    }
}

/// `101455`, `1014Z` or `101455+0100` with its colons.
fn compact_time(part: &str) -> Option<String> {
    let (digits, rest) = split_at_non_digit(part).unwrap_or((part, ""));
    match digits.len() {
        4 => Some(format!("{}:{}{rest}", &digits[..2], &digits[2..])),
        6 => Some(format!("{}:{}:{}{rest}", &digits[..2], &digits[2..4], &digits[4..])),
        _ => None,
    }
}

fn split_at_non_digit(part: &str) -> Option<(&str, &str)> {
    part.find(|c: char| !c.is_ascii_digit()).filter(|&at| at > 0).map(|at| part.split_at(at))
}

/// Two digits: RFC 2822 §4.3 puts 50 to 99 into the last century. More digits are as they are.
fn full_year(year: u32, digits: usize) -> i32 {
    let year = i32::try_from(year).unwrap_or(i32::MAX);
    match (digits, year) {
        (2, 0..=49) => 2000 + year,
        (2, _) => 1900 + year,
        _ => year,
    }
}

/// Minutes east of Greenwich: `Z`, `EST`, `+0100`, `-08:00`, `+01`, `GMT+1`, `Etc/GMT`.
fn zone(text: &str) -> Option<i32> {
    let lower = text.to_ascii_lowercase();
    let name = lower.strip_prefix("etc/").unwrap_or(&lower);
    let Some(sign_at) = name.find(['+', '-', '−']) else { return zone_name(name) };
    let (prefix, offset) = name.split_at(sign_at);
    if !matches!(prefix, "" | "gmt" | "utc" | "ut" | "z") {
        return None;
    }
    let sign = if offset.starts_with('+') { 1 } else { -1 };
    let offset = offset.trim_start_matches(['+', '-', '−']);
    let (hours, minutes) = match offset.split_once(':') {
        Some(parts) => parts,
        None if offset.len() > 2 => offset.split_at_checked(offset.len() - 2)?,
        None => (offset, "0"),
    };
    let (hours, minutes): (i32, i32) = (hours.parse().ok()?, minutes.parse().ok()?);
    let is_offset = (0..24).contains(&hours) && (0..60).contains(&minutes);
    is_offset.then(|| sign * (hours * 60 + minutes))
}

/// The zones that feeds name. Of names that several places use, the one that RFC 822 means, else the most usual.
fn zone_name(name: &str) -> Option<i32> {
    let half_hours = match name.strip_prefix("etc/").unwrap_or(name) {
        "z" | "gmt" | "ut" | "utc" | "wet" => 0,
        "bst" | "cet" | "met" | "mez" | "west" => 2,
        "cest" | "mest" | "mesz" | "eet" | "sast" => 4,
        "eest" | "msk" => 6,
        "ist" => 11,
        "hkt" | "sgt" | "awst" => 16,
        "jst" | "kst" => 18,
        "acst" => 19,
        "aest" => 20,
        "aedt" => 22,
        "nzst" => 24,
        "nzdt" => 26,
        "brt" | "adt" => -6,
        "ast" | "at" | "edt" => -8,
        "est" | "et" | "cdt" => -10,
        "cst" | "ct" | "mdt" => -12,
        "mst" | "mt" | "pdt" => -14,
        "pst" | "pt" | "akdt" => -16,
        "akst" => -18,
        "hst" => -20,
        _ => return None,
    };
    Some(half_hours * 30)
}

/// The month of a name in lower case, by its first letters.
fn month(name: &str) -> Option<u32> {
    const BEGINNINGS: [&[&str]; 12] = [
        &["jan", "jän", "ene", "gen", "янв", "ιαν"],
        &["feb", "fev", "fév", "фев", "φεβ"],
        &["mar", "mär", "már", "mrt", "мар", "μάρ", "μαρ", "μάώ", "μαώ"],
        &["apr", "ápr", "avr", "abr", "апр", "απρ"],
        &["may", "mai", "mag", "maj", "máj", "mei", "май", "мая", "μάι", "μαϊ", "μαι"],
        &["jun", "jún", "juin", "giu", "июн", "ιούν", "ιουν", "ιον"],
        &["jul", "júl", "juil", "lug", "июл", "ιούλ", "ιουλ", "ιολ"],
        &["aug", "aoû", "aou", "ago", "авг", "αύγ", "αυγ"],
        &["sep", "set", "szep", "сен", "σεπ"],
        &["oct", "okt", "out", "ott", "окт", "οκτ"],
        &["nov", "ноя", "νοέ", "νοε"],
        &["dec", "déc", "dez", "dic", "des", "дек", "δεκ"],
    ];
    let position =
        BEGINNINGS.iter().position(|beginnings| beginnings.iter().any(|beginning| name.starts_with(beginning)))?;
    u32::try_from(position + 1).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<&str>) {
        assert_eq!(parse(text).map(Timestamp::rfc3339).as_deref(), expected, "{text:?}");
    }

    #[test]
    fn dates_of_the_specifications_are_read() {
        check("Wed, 20 Dec 2017 07:18:00 +0100", Some("2017-12-20T06:18:00Z"));
        check("Thu, 01 Jan 04 19:48:21 GMT", Some("2004-01-01T19:48:21Z"));
        check("Thursday, 01-Jan-04 19:48:21 GMT", Some("2004-01-01T19:48:21Z"));
        check("Sun Jan  4 16:29:06 2004", Some("2004-01-04T16:29:06Z"));
        check("2003-12-31T10:14:55Z", Some("2003-12-31T10:14:55Z"));
        check("2007-04-23T23:25:47.538+10:00", Some("2007-04-23T13:25:47Z"));
        check("2003-12", Some("2003-12-01T00:00:00Z"));
        check("2003", Some("2003-01-01T00:00:00Z"));
        check("20031231T101455Z", Some("2003-12-31T10:14:55Z"));
        check("2003-335", Some("2003-12-01T00:00:00Z"));
    }

    #[test]
    fn misspelt_dates_are_read() {
        check("Mon, 13 Feb, 2012 06:28:00 UTC", Some("2012-02-13T06:28:00Z"));
        check("Thu, 01 Jan 2004 00:00 GMT", Some("2004-01-01T00:00:00Z"));
        check("Thu, 01 Jan 2004", Some("2004-01-01T00:00:00Z"));
        check("Tue 11 Jan 2011 01:30:00 GMT", Some("2011-01-11T01:30:00Z"));
        check("Thu Aug 30 2012 17:26:16 +0200", Some("2012-08-30T15:26:16Z"));
        check("Sun Jul 15 01:16:00 +0000 2012", Some("2012-07-15T01:16:00Z"));
        check("Wed, 19 Aug 2009 18:28:00 Etc/GMT", Some("2009-08-19T18:28:00Z"));
        check("Wed, 19 Feb 2012 22:40:00 GMT-01:01", Some("2012-02-19T23:41:00Z"));
        check("Mon, 26 January 2004 16:31:00 ET", Some("2004-01-26T21:31:00Z"));
        check("2006-01-17T12:35:1+01:00", Some("2006-01-17T11:35:01Z"));
        check("2006-01-11 16:42:55 -0800", Some("2006-01-12T00:42:55Z"));
        check("2004-07-08 23:56:58.0", Some("2004-07-08T23:56:58Z"));
        check("2004-07-08  T 23:56:58 Z", Some("2004-07-08T23:56:58Z"));
        check("2017-06-13T03:18:00+00:0", Some("2017-06-13T03:18:00Z"));
        check("2020/1/10 14:33:00", Some("2020-01-10T14:33:00Z"));
        check("Fri, 2006/09/15 08:19:53 EDT", Some("2006-09-15T12:19:53Z"));
        check("Friday, January 29, 2021 04:42 PM", Some("2021-01-29T16:42:00Z"));
        check("12:05am 3rd March 2021", Some("2021-03-03T00:05:00Z"));
        check("Fri, 01 Jan 2021 24:00:00 GMT", Some("2021-01-02T00:00:00Z"));
        check("Wed, 20 Dec 2017 06:18:00 +0000 (GMT (really))", Some("2017-12-20T06:18:00Z"));
        check("1513750680", Some("2017-12-20T06:18:00Z"));
        check("1513750680000", Some("2017-12-20T06:18:00Z"));
        check("01 Jan 70 01:09:00 +0100", Some("1970-01-01T00:09:00Z"));
        for short in ["031231", "03-12-31"] {
            check(short, Some("2003-12-31T00:00:00Z"));
        }
        for short in ["-0312", "-03-12", "03335"] {
            check(short, Some("2003-12-01T00:00:00Z"));
        }
    }

    #[test]
    fn dates_in_other_languages_are_read() {
        check("Κυρ, 11 Ιούλ 2004 12:00:00 EST", Some("2004-07-11T17:00:00Z"));
        check("2004-július-13T9:15-05:00", Some("2004-07-13T14:15:00Z"));
        check("2004-05-25 오후 11:23:17", Some("2004-05-25T14:23:17Z"));
        check("2004년 05월 28일  01:31:15", Some("2004-05-27T16:31:15Z"));
        check("2004年5月28日 10時31分15秒", Some("2004-05-28T01:31:15Z"));
        check("Пн, 12 декабря 2011 10:00:00 +0300", Some("2011-12-12T07:00:00Z"));
        check("mar, 05 ene 2021 10:00:00 GMT", Some("2021-01-05T10:00:00Z"));
        check("31. Dezember 2020, 18:30 CET", Some("2020-12-31T17:30:00Z"));
    }

    #[test]
    fn nonsense_stays_unread() {
        for text in [
            "200é（",
            "2017-12-20T06:18:00+9999999999",
            "Wed, 20 Dec 2017 06:18:00 +99999900",
            "",
            "null",
            "yesterday",
            "013",
            "Sun, 16 Dec 2012 1:2:3:4 GMT",
            "Sun, 16 zzz 2012 11:47:32 GMT",
            "Sun, Dec x 2012 11:47:32 GMT",
            "Sun, 16 Dec zz 11:47:32 GMT",
            "Sun, 16 Dec 2012 11:47:32 +zz:00",
            "Sun, 99 Jun 2009 12:00:00 GMT",
            "Mon, 32 Jan 2024 00:00:00 GMT",
            "9999-12-31T23:59:59-99:99",
            "2003-12-31T25:14:55Z",
            "2003-12-31T10:61:55Z",
            "2003-12-31T10:14:61Z",
            "2013-01-27-01",
            "2013-01-28T11:30:00-06:00Textra",
            "2013-xx-27",
            "2013-01-28T09:xx:00Z",
            "2013-01-28T09:00:00+00:xx",
            "03/04/2020",
        ] {
            check(text, None);
        }
        check(&"(".repeat(100_000), None);
    }
}
