//! Parses time zones as feeds write them: offsets, abbreviations, and names of the IANA database.

use chrono::{DateTime, LocalResult, NaiveDateTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;

/// A time zone that a date names.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Zone {
    /// Minutes east of Greenwich, from a number in the text.
    Offset(i32),
    /// Minutes east of Greenwich, from an abbreviation.
    Named(i32),
    /// A region such as `Europe/Berlin`. Its offset depends on the day.
    Region(Tz),
    /// A name that is not known.
    Unknown,
}

/// The length of the longest abbreviation, in letters.
const LONGEST_ABBREVIATION: usize = 5;

/// Parses a zone with digits or signs in it: `+0100`, `-08:00`, `+01`, `GMT+1`, `MST-07:00`, `-05:00Z`, `EST5EDT`.
///
/// If an offset and a name disagree, as in `+09:00GMT`, the offset counts. Returns `None` if the text is not a zone.
pub(super) fn zone(text: &str) -> Option<Zone> {
    if let Some(region) = region(text) {
        return Some(Zone::Region(region));
    }
    if text.contains('/') {
        return Some(Zone::Unknown);
    }
    let lower = text.to_ascii_lowercase();
    let Some(sign_at) = lower.find(SIGNS) else { return abbreviation(&lower).map(Zone::Named) };
    let (name, offset) = lower.split_at(sign_at);
    if name.len() > LONGEST_ABBREVIATION || !name.bytes().all(|byte| byte.is_ascii_alphabetic()) {
        return None;
    }
    let sign = if offset.starts_with('+') { 1 } else { -1 };
    let offset = offset.trim_start_matches(SIGNS);
    let (offset, suffix) = offset.split_at(offset.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(offset.len()));
    if !suffix.is_empty() && abbreviation(suffix).is_none() {
        return None;
    }
    minutes(offset).map(|minutes| Zone::Offset(sign * minutes))
}

const SIGNS: [char; 4] = ['+', '-', '−', '–'];

/// Parses the digits of an offset: `1`, `01`, `0100`, `01:00`, `01:00:00`.
fn minutes(offset: &str) -> Option<i32> {
    let (hours, minutes) = match offset.split_once(':') {
        // Some programs also write seconds. They are read only if they are 0, because only old local mean times have
        // other seconds.
        Some((hours, rest)) => (hours, rest.strip_suffix(":00").unwrap_or(rest)),
        None if offset.len() > 2 => offset.split_at_checked(offset.len() - 2)?,
        None => (offset, "0"),
    };
    let (hours, minutes): (i32, i32) = (hours.parse().ok()?, minutes.parse().ok()?);
    ((0..24).contains(&hours) && (0..60).contains(&minutes)).then(|| hours * 60 + minutes)
}

/// Parses an offset whose plus sign became a space, as happens when a URL is decoded.
pub(super) fn without_plus(digits: &str) -> Option<Zone> {
    const FARTHEST: i32 = 14 * 60;
    let minutes = minutes(digits).filter(|minutes| *minutes <= FARTHEST && minutes % 15 == 0)?;
    (matches!(digits.len(), 4) || minutes == 0).then_some(Zone::Offset(minutes))
}

/// Returns the zone that a word without digits names. Returns `None` if the word is not the name of a zone.
///
/// A word that only looks like a zone gives `Unknown`: a path as in the IANA database, or a few capitals.
pub(super) fn named(word: &str) -> Option<Zone> {
    let known = abbreviation(&word.to_ascii_lowercase()).map(Zone::Named);
    let is_capitals = (2..=LONGEST_ABBREVIATION).contains(&word.len()) && word.bytes().all(|b| b.is_ascii_uppercase());
    let is_path = word.contains('/') && word.starts_with(|c: char| c.is_ascii_alphabetic());
    known.or_else(|| region(word).map(Zone::Region)).or_else(|| (is_capitals || is_path).then_some(Zone::Unknown))
}

/// Returns the region that an IANA name names, in upper or lower case: `Europe/Berlin`, `Etc/GMT`, `Japan`.
fn region(name: &str) -> Option<Tz> {
    let starts_like_one = name.starts_with(|c: char| c.is_ascii_alphabetic());
    starts_like_one.then(|| chrono_tz::TZ_VARIANTS.iter().find(|tz| tz.name().eq_ignore_ascii_case(name)).copied())?
}

/// Converts the local time of a region to UTC. If the local time occurs twice, returns the earlier one. A time that the
/// clocks skip is read as if they had not changed yet.
pub(super) fn in_region(local: NaiveDateTime, region: Tz) -> Option<DateTime<Utc>> {
    let hour = TimeDelta::hours(1);
    let utc = match region.from_local_datetime(&local) {
        LocalResult::Single(time) | LocalResult::Ambiguous(time, _) => time.to_utc(),
        LocalResult::None => {
            let before = region.from_local_datetime(&local.checked_sub_signed(hour)?).earliest()?;
            before.to_utc().checked_add_signed(hour)?
        }
    };
    Some(utc)
}

/// Returns the minutes east of Greenwich for an abbreviation in lower case.
///
/// If an abbreviation has several meanings, the one in RFC 822 counts. If RFC 822 has none, the meaning at the place
/// with the most feeds counts. Abbreviations that two places use equally (`AMT`), or whose meaning changed recently
/// (`ALMT`), are missing here. A wrong time is worse than a time that is reported as doubtful.
fn abbreviation(name: &str) -> Option<i32> {
    let (hours, minutes) = match name {
        "z" | "gmt" | "ut" | "utc" | "uct" | "zulu" | "wet" | "wez" => (0, 0),
        "bst" | "cet" | "met" | "mez" | "west" | "wat" => (1, 0),
        "cest" | "mest" | "mesz" | "eet" | "oez" | "sast" | "cat" => (2, 0),
        "eest" | "oesz" | "msk" | "eat" | "trt" | "idt" | "fet" => (3, 0),
        "irst" => (3, 30),
        "samt" | "get" | "azt" | "gst" | "msd" => (4, 0),
        "aft" => (4, 30),
        "pkt" | "uzt" | "tjt" | "tmt" | "mvt" | "yekt" => (5, 0),
        "ist" | "slst" => (5, 30),
        "npt" => (5, 45),
        "omst" | "kgt" | "btt" => (6, 0),
        "mmt" => (6, 30),
        "wib" | "ict" | "krat" | "novt" | "hovt" => (7, 0),
        "hkt" | "sgt" | "awst" | "wita" | "myt" | "pht" | "phst" | "irkt" | "ulat" | "bnt" => (8, 0),
        "jst" | "kst" | "wit" | "yakt" | "tlt" => (9, 0),
        "acst" => (9, 30),
        "aest" | "vlat" | "pgt" | "chst" => (10, 0),
        "acdt" => (10, 30),
        "aedt" | "magt" | "sakt" | "sbt" | "nct" => (11, 0),
        "nzst" | "fjt" | "pett" => (12, 0),
        "nzdt" => (13, 0),
        "cvt" => (-1, 0),
        "ndt" => (-2, -30),
        "brt" | "art" | "uyt" | "gft" | "srt" | "clst" | "adt" => (-3, 0),
        "nst" => (-3, -30),
        "ast" | "at" | "edt" | "bot" | "clt" | "vet" | "gyt" => (-4, 0),
        "est" | "et" | "cdt" | "cot" | "pet" | "ect" => (-5, 0),
        "cst" | "ct" | "mdt" | "galt" => (-6, 0),
        "mst" | "mt" | "pdt" => (-7, 0),
        "pst" | "pt" | "akdt" => (-8, 0),
        "akst" | "hdt" => (-9, 0),
        "hst" | "taht" => (-10, 0),
        "sst" => (-11, 0),
        _ => return None,
    };
    Some(hours * 60 + minutes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_are_read_with_and_without_names() {
        let check = |text: &str, minutes: Option<i32>| assert_eq!(zone(text), minutes.map(Zone::Offset), "{text}");
        check("+0100", Some(60));
        check("-08:00", Some(-480));
        check("+01", Some(60));
        check("+1", Some(60));
        check("+00:0", Some(0));
        check("−03:30", Some(-210));
        check("gmt+1", Some(60));
        check("utc+1", Some(60));
        check("MST-07:00", Some(-420));
        check("-05:00Z", Some(-300));
        check("+0900GMT", Some(540));
        check("-07:00:00", Some(-420));
        check("-07:00:30", None);
        check("+24:00", None);
        check("+zz:00", None);
        check("-06:00Textra", None);
        check("+9999999999", None);
    }
}
