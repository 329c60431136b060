//! The adaptive schedule: polls a feed as often as it actually publishes.
//!
//! The rate (entries per day) is a decaying mean: the last two weeks count most. Between two entries of a feed, the
//! feed is polled twice on average, but not more often than every hour and at least once a day. So an entry waits on
//! average for a quarter of the time between two entries.

use std::time::Duration;

use crate::duration;
use crate::time::Timestamp;

/// The shortest wait between two polls, for the sake of publishers' servers.
const SHORTEST: Duration = Duration::from_secs(3600);

/// The longest wait between two polls. Even a feed that was silent for a year may publish again.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// The decay time of the mean, in days: older entries count less.
const MEMORY_DAYS: f64 = 14.0;

const SECONDS_A_DAY: f64 = 86_400.0;

/// Returns the new rate, in entries per day, after `new` entries came since the last poll, which was `elapsed` ago.
/// `before` is the previous rate.
pub fn observe(before: f64, new: usize, elapsed: Duration) -> f64 {
    let days = elapsed.as_secs_f64() / SECONDS_A_DAY;
    if days <= 0.0 {
        return before;
    }
    let kept = (-days / MEMORY_DAYS).exp();
    before * kept + (new as f64 / days) * (1.0 - kept)
}

/// Estimates the rate, in entries per day, from a first document: the number of its entries, divided by the time since
/// the oldest.
pub fn first(published: impl Iterator<Item = Timestamp>, now: Timestamp) -> f64 {
    let (mut count, mut oldest) = (0_usize, now);
    for published in published.filter(|published| *published <= now) {
        count += 1;
        oldest = oldest.min(published);
    }
    let days = now.since(oldest).as_secs_f64() / SECONDS_A_DAY;
    count as f64 / days.max(1.0)
}

/// Returns how long to wait for the next poll. `missed` means that entries appeared and vanished between two polls.
/// Then the wait was too long and is halved.
pub fn interval(per_day: f64, missed: bool) -> Duration {
    let between_entries = SECONDS_A_DAY / per_day.max(f64::MIN_POSITIVE);
    let wait = (between_entries / 2.0).clamp(SHORTEST.as_secs_f64(), LONGEST.as_secs_f64());
    let wait = Duration::from_secs_f64(wait);
    if missed { (wait / 2).max(SHORTEST) } else { wait }
}

/// Returns the reason in words, such as `polled every 4 hours, because the feed publishes 3.1 entries a day`. If the
/// last poll found that entries were missed, `missed` is the wait planned after that poll. The reason mentions this
/// wait if it is shorter than usual.
pub fn why(per_day: f64, missed: Option<Duration>) -> String {
    let usual = interval(per_day, false);
    let why = format!("polled every {}, because the feed publishes {per_day:.1} entries a day", in_words(usual));
    // Times are stored in milliseconds, so the planned wait may seem slightly shorter.
    match missed.filter(|planned| *planned + Duration::from_secs(1) < usual) {
        Some(planned) => {
            format!("{why}; the next poll comes after {} already: entries may have been missed", in_words(planned))
        }
        None => why,
    }
}

fn in_words(wait: Duration) -> String {
    let minutes = wait.as_secs() / 60;
    let rounded = if minutes >= 120 { (minutes + 30) / 60 * 60 } else { minutes };
    duration::words(Duration::from_secs(rounded * 60))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    fn check(per_day: f64, expected: &str) {
        assert_eq!(why(per_day, None), expected);
    }

    #[test]
    fn feed_is_polled_twice_between_two_entries_within_bounds() {
        check(3.1, "polled every 4 hours, because the feed publishes 3.1 entries a day");
        check(1.0, "polled every 12 hours, because the feed publishes 1.0 entries a day");
        check(0.0, "polled every 1 day, because the feed publishes 0.0 entries a day");
        check(100.0, "polled every 1 hour, because the feed publishes 100.0 entries a day");
    }

    #[test]
    fn rate_follows_the_current_behaviour_of_the_feed() {
        let mut per_day = 0.0;
        for _ in 0..60 * 24 {
            per_day = observe(per_day, 0, HOUR);
        }
        assert_eq!(per_day, 0.0);
        for day in 0..60 * 24 {
            per_day = observe(per_day, usize::from(day % 6 == 0), HOUR);
        }
        assert!((3.5..4.5).contains(&per_day), "four entries a day came for two months: {per_day}");
        assert_eq!(observe(per_day, 3, Duration::ZERO), per_day, "the rate stays if no time has passed");
    }

    #[test]
    fn first_document_gives_a_rate() {
        let now = Timestamp::from_millis(100 * 86_400_000);
        let published = (0..20).map(|n| now - HOUR * 12 * n);
        assert!((1.9..2.2).contains(&first(published, now)));
        assert_eq!(first(std::iter::empty(), now), 0.0);
    }

    #[test]
    fn missed_entries_shorten_the_wait() {
        assert_eq!(interval(1.0, true), HOUR * 6);
        assert_eq!(interval(100.0, true), HOUR);
        let check = |per_day, missed, expected: &str| {
            let answered = Duration::from_secs(3);
            assert_eq!(why(per_day, Some(interval(per_day, missed) + answered)), expected);
        };
        check(1.0, false, "polled every 12 hours, because the feed publishes 1.0 entries a day");
        check(
            1.0,
            true,
            "polled every 12 hours, because the feed publishes 1.0 entries a day; the next poll comes after 6 hours already: entries may have been missed",
        );
        check(100.0, true, "polled every 1 hour, because the feed publishes 100.0 entries a day");
        let kept = Some(interval(1.6, false) - Duration::from_micros(1));
        assert_eq!(why(1.6, kept), "polled every 8 hours, because the feed publishes 1.6 entries a day");
    }
}
