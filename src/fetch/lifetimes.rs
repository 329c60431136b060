//! Reads from the headers of a response when to come back: `Retry-After`, `Cache-Control`, `Age`, `Expires`.
//!
//! Values are taken as they are, from any status; `schedule::next` caps them and decides which of them counts. Dates
//! are relative to the response's own `Date`, so that a server with a wrong clock still gives a correct delay.

use std::time::{Duration, SystemTime};

use reqwest::header::{AGE, CACHE_CONTROL, DATE, EXPIRES, HeaderMap, HeaderName, RETRY_AFTER};

use crate::feed::Lifetimes;

/// Reads the lifetimes. `now` is used if `Date` is missing or unreadable.
pub(super) fn read(headers: &HeaderMap, now: SystemTime) -> Lifetimes {
    let date = text(headers, &DATE).and_then(instant).unwrap_or(now);
    let directives = directives(headers);
    let void =
        directives.iter().any(|(name, value)| matches!(name.as_str(), "no-cache" | "no-store") && value.is_none());
    let age = text(headers, &AGE).and_then(seconds).unwrap_or_default();
    let max_age = directives.iter().find(|(name, _)| name == "max-age").and_then(|(_, value)| value.as_deref());
    let max_age = max_age.and_then(seconds).map(|max_age| max_age.saturating_sub(age));
    let expires = text(headers, &EXPIRES).and_then(instant).and_then(|expires| expires.duration_since(date).ok());
    Lifetimes {
        retry_after: text(headers, &RETRY_AFTER).and_then(|value| retry_after(value, date)),
        max_age: max_age.filter(|_| !void),
        expires: expires.filter(|_| !void),
    }
}

/// Parses seconds or a date (RFC 9110 §10.2.3). Returns `None` for garbage, and for a date in the past.
fn retry_after(value: &str, date: SystemTime) -> Option<Duration> {
    seconds(value).or_else(|| instant(value)?.duration_since(date).ok())
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

fn instant(value: &str) -> Option<SystemTime> {
    httpdate::parse_http_date(value).ok()
}

/// Parses a number of seconds, which may consist only of digits. A number that is too large becomes the longest delay.
fn seconds(value: &str) -> Option<Duration> {
    let digits = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| Duration::from_secs(value.parse().unwrap_or(u32::MAX.into())))
}

/// Returns all directives of all `Cache-Control` headers. Names are in lower case, and values are without quotes.
fn directives(headers: &HeaderMap) -> Vec<(String, Option<String>)> {
    let values = headers.get_all(CACHE_CONTROL).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(directive).collect()
}

fn directive(text: &str) -> (String, Option<String>) {
    match text.split_once('=') {
        Some((name, value)) => (name.trim().to_ascii_lowercase(), Some(value.trim().trim_matches('"').to_owned())),
        None => (text.trim().to_ascii_lowercase(), None),
    }
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;

    fn check(headers: &[(&'static str, &'static str)], expected: (Option<u64>, Option<u64>, Option<u64>)) {
        let pairs =
            headers.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
        let now = instant("Sun, 06 Nov 1994 08:00:00 GMT").unwrap();
        let found = read(&pairs.collect(), now);
        let (retry_after, max_age, expires) = expected;
        let of = |seconds: Option<u64>| seconds.map(Duration::from_secs);
        let expected = Lifetimes { retry_after: of(retry_after), max_age: of(max_age), expires: of(expires) };
        assert_eq!(found, expected, "{headers:?}");
    }

    #[test]
    fn freshness_is_max_age_less_age_or_expires_less_date() {
        check(&[("cache-control", "max-age=43200")], (None, Some(43200), None));
        check(&[("cache-control", "public, Max-Age=\"600\""), ("age", "100")], (None, Some(500), None));
        check(&[("cache-control", "max-age=60"), ("age", "100")], (None, Some(0), None));
        let date = ("date", "Sun, 06 Nov 1994 06:00:00 GMT");
        check(&[date, ("expires", "Sun, 06 Nov 1994 07:00:00 GMT")], (None, None, Some(3600)));
        check(&[("expires", "Sun, 06 Nov 1994 09:00:00 GMT")], (None, None, Some(3600)));
        check(&[("expires", "0")], (None, None, None));
        check(&[("retry-after", "3600"), ("cache-control", "max-age=172800")], (Some(3600), Some(172800), None));
    }

    #[test]
    fn no_cache_and_no_store_override_other_directives() {
        check(&[("cache-control", "no-cache, max-age=315360000")], (None, None, None));
        check(&[("cache-control", "max-age=60"), ("cache-control", "no-store")], (None, None, None));
        check(&[("cache-control", "no-store"), ("expires", "Sun, 06 Nov 1994 09:00:00 GMT")], (None, None, None));
        check(&[("cache-control", "no-cache=\"set-cookie\", max-age=60")], (None, Some(60), None));
    }

    #[test]
    fn retry_after_is_seconds_or_a_date_relative_to_the_servers_own_date() {
        check(&[("retry-after", "120")], (Some(120), None, None));
        let three_hours_off = ("date", "Sun, 06 Nov 1994 11:00:00 GMT");
        check(&[three_hours_off, ("retry-after", "Sun, 06 Nov 1994 13:00:00 GMT")], (Some(7200), None, None));
        check(&[("retry-after", "Sun, 06 Nov 1994 07:00:00 GMT")], (None, None, None));
        check(&[("retry-after", "-5")], (None, None, None));
        check(&[("retry-after", "soon")], (None, None, None));
        check(&[("retry-after", "99999999999999999999999")], (Some(u32::MAX.into()), None, None));
        check(&[("retry-after", "1e9")], (None, None, None));
    }
}
