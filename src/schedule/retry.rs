//! When to send a message to a hook again.
//!
//! The policy of retries is that of Standard Webhooks ("Retry schedule"): the waits grow from seconds to a day. The last
//! attempt is made before the message is too old. While a receiver fails, other messages to it wait too, so that a
//! receiver that is down gets few requests.

use std::time::Duration;

use crate::time::Timestamp;

/// The waits after the first attempt, the second, and so on. The last one repeats.
const WAITS: [Duration; 9] = [
    Duration::from_secs(5),
    Duration::from_secs(5 * 60),
    Duration::from_secs(30 * 60),
    Duration::from_secs(2 * 3600),
    Duration::from_secs(5 * 3600),
    Duration::from_secs(10 * 3600),
    Duration::from_secs(14 * 3600),
    Duration::from_secs(20 * 3600),
    Duration::from_secs(24 * 3600),
];

/// The longest wait of a receiver's other messages. When the receiver answers again, no message waits longer.
const LONGEST_PAUSE: Duration = Duration::from_secs(5 * 60);

/// The longest time that a receiver can ask to wait.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(24 * 3600);

/// The last attempt is made when this part of `max_age` is left.
const LAST_PART: u32 = 24;

/// Returns when to try again to send a message of `at`, after `failures` attempts of which the last one failed at `now`;
/// `None` if the message is given up. `retry_after` is how long the receiver asks to wait.
pub fn next_attempt(
    at: Timestamp,
    failures: u32,
    now: Timestamp,
    max_age: Duration,
    retry_after: Option<Duration>,
) -> Option<Timestamp> {
    let place = usize::try_from(failures.saturating_sub(1)).unwrap_or(usize::MAX).min(WAITS.len() - 1);
    let wait = WAITS[place].max(retry_after.unwrap_or_default().min(LONGEST_RETRY_AFTER));
    let last = at + (max_age - max_age / LAST_PART);
    Some((now + wait).min(last)).filter(|next| *next > now)
}

/// Returns how long other messages wait after `failures` attempts in a row, of any messages to the receiver, failed.
pub fn pause(failures: u32) -> Duration {
    let doubled = WAITS[0].saturating_mul(2_u32.saturating_pow(failures.saturating_sub(1).min(16)));
    if failures == 0 { Duration::ZERO } else { doubled.min(LONGEST_PAUSE) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);
    const HOUR: Duration = Duration::from_secs(3600);

    #[test]
    fn waits_grow_until_a_last_attempt_before_the_message_is_too_old() {
        let start = Timestamp::from_millis(1_514_764_800_000);
        let day = 24 * HOUR;
        let (mut now, mut waits) = (start, Vec::new());
        for failures in 1.. {
            let Some(next) = next_attempt(start, failures, now, day, None) else { break };
            waits.push(next.since(now));
            now = next;
        }
        let spent = Duration::from_secs(5) + 35 * MINUTE + 17 * HOUR;
        let expected =
            [Duration::from_secs(5), 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 23 * HOUR - spent];
        assert_eq!(waits, expected);
    }

    #[test]
    fn receiver_can_ask_for_a_longer_wait_but_not_for_more_than_a_day() {
        let now = Timestamp::from_millis(1_514_764_800_000);
        let wait = |seconds: u64| {
            let asked = Some(Duration::from_secs(seconds));
            next_attempt(now, 1, now, 240 * HOUR, asked).map(|next| next.since(now))
        };
        assert_eq!(wait(1), Some(Duration::from_secs(5)));
        assert_eq!(wait(7_200), Some(2 * HOUR));
        assert_eq!(wait(100 * 3600), Some(24 * HOUR));
    }

    #[test]
    fn other_messages_wait_at_most_five_minutes_for_a_failing_receiver() {
        let pauses: Vec<u64> = [0, 1, 2, 3, 6, 7, 1000].map(|failures| pause(failures).as_secs()).into();
        assert_eq!(pauses, [0, 5, 10, 20, 160, 300, 300]);
    }
}
