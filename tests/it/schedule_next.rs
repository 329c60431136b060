//! When a feed is polled next. The tests pass the current time as an argument.

use std::time::Duration;

use chrono_tz::Tz;
use newswire::feed::{FeedId, Lifetimes, PollHints};
use newswire::schedule::Schedule;
use newswire::schedule::next::{
    NextPoll, Outlook, PollOutcome, PollPlan, clock_was_ahead, next_poll, phase, replan, spread,
};
use newswire::time::Timestamp;
use proptest::prelude::*;

const HOUR: u64 = 3600;
const DAY: u64 = 24 * HOUR;

/// Returns Wednesday, 2026-01-07T10:30:00Z.
fn now() -> Timestamp {
    Timestamp::from_millis(1_767_781_800_000)
}

fn hourly() -> Schedule {
    Schedule::parse("every 1 hour", Tz::UTC).unwrap()
}

static NO_HINTS: PollHints = PollHints { ttl: None, period: None, skip_hours: Vec::new(), skip_days: Vec::new() };

/// Returns what decides about the next poll (an [`Outlook`]) after a 304 from a web feed that is polled hourly.
fn outlook<'a>(schedule: &'a Schedule, hints: &'a PollHints) -> Outlook<'a> {
    Outlook {
        now: now(),
        schedule,
        schedule_is_default: true,
        phase: 0,
        is_first_poll: false,
        outcome: PollOutcome::Unchanged,
        failures: 0,
        lifetimes: Lifetimes::default(),
        hints,
        has_validators_ever: true,
        host_is_public: true,
    }
}

fn failed(status: u16) -> PollOutcome {
    PollOutcome::Failed { status: Some(status) }
}

/// Returns the next poll with one change to the outlook.
fn next(change: impl FnOnce(&mut Outlook)) -> NextPoll {
    next_with(&NO_HINTS, change)
}

fn next_with(hints: &PollHints, change: impl FnOnce(&mut Outlook)) -> NextPoll {
    let schedule = hourly();
    let mut outlook = outlook(&schedule, hints);
    change(&mut outlook);
    next_poll(&outlook)
}

/// Returns the seconds from now until the next poll.
fn wait(change: impl FnOnce(&mut Outlook)) -> u64 {
    next(change).at.since(now()).as_secs()
}

fn seconds(seconds: u64) -> Option<Duration> {
    Some(Duration::from_secs(seconds))
}

#[test]
fn a_feed_is_polled_hourly_and_one_without_validators_daily() {
    assert_eq!(wait(|_| {}), HOUR);
    assert_eq!(wait(|outlook| outlook.has_validators_ever = false), DAY);
    let operator_wrote_it = |outlook: &mut Outlook| {
        outlook.has_validators_ever = false;
        outlook.schedule_is_default = false;
    };
    assert_eq!(wait(operator_wrote_it), HOUR);
}

#[test]
fn a_feed_without_any_document_yet_is_not_delayed_by_a_day() {
    let first_failure = |outlook: &mut Outlook| {
        outlook.has_validators_ever = false;
        outlook.outcome = PollOutcome::Failed { status: None };
        outlook.failures = 1;
    };
    assert_eq!(wait(first_failure), HOUR);
}

#[test]
fn the_next_poll_waits_for_the_latest_time_that_the_server_asks_for() {
    let check = |outcome, retry_after, max_age, expires, expected: u64, why: Option<&str>| {
        let next = next(|outlook| {
            outlook.outcome = outcome;
            outlook.failures = u32::from(matches!(outcome, PollOutcome::Failed { .. }));
            outlook.lifetimes = Lifetimes { retry_after, max_age, expires };
        });
        assert_eq!(next.at.since(now()).as_secs(), expected, "{outcome:?}");
        assert_eq!(next.hold_why.map(|why| why.words()), why, "{outcome:?}");
        assert_eq!(next.hold_until.is_some(), why.is_some());
    };
    let half_a_day = seconds(43_200);
    for outcome in [PollOutcome::Success, PollOutcome::Unchanged, failed(429), failed(503)] {
        check(outcome, None, half_a_day, None, 43_200, Some("max-age"));
        check(outcome, None, None, half_a_day, 43_200, Some("Expires"));
        check(outcome, half_a_day, seconds(60), None, 43_200, Some("Retry-After"));
    }
    check(failed(429), seconds(3600), seconds(172_800), None, 172_800, Some("max-age"));
    check(failed(404), None, half_a_day, half_a_day, HOUR, None);
    check(failed(404), half_a_day, None, None, 43_200, Some("Retry-After"));
    check(failed(200), None, half_a_day, None, HOUR, None);
    check(PollOutcome::Unchanged, None, Some(Duration::ZERO), None, HOUR, None);
}

#[test]
fn a_hold_shorter_than_the_schedule_is_still_reported() {
    let next = next(|outlook| outlook.lifetimes.max_age = seconds(300));
    assert_eq!(next.at, now() + Duration::from_secs(HOUR));
    assert_eq!(next.hold_until, Some(now() + Duration::from_secs(300)));
}

#[test]
fn lifetimes_are_followed_up_to_a_week_and_retry_after_up_to_a_month() {
    let ten_years = seconds(3650 * DAY);
    assert_eq!(wait(|outlook| outlook.lifetimes.max_age = ten_years), 7 * DAY);
    assert_eq!(wait(|outlook| outlook.lifetimes.expires = ten_years), 7 * DAY);
    assert_eq!(wait(|outlook| outlook.lifetimes.retry_after = seconds(10 * DAY)), 10 * DAY);
    assert_eq!(wait(|outlook| outlook.lifetimes.retry_after = ten_years), 31 * DAY);
}

#[test]
fn status_503_with_retry_after_is_obeyed_like_429() {
    for status in [429, 503] {
        let held = |outlook: &mut Outlook| {
            (outlook.outcome, outlook.failures) = (failed(status), 1);
            outlook.lifetimes.retry_after = seconds(5 * HOUR);
        };
        assert_eq!(wait(held), 5 * HOUR, "{status}");
    }
}

#[test]
fn statuses_429_and_503_with_retry_after_apply_to_the_whole_of_a_public_host_only() {
    let check = |status, retry_after, host_is_public, expected: Option<u64>| {
        let next = next(|outlook| {
            (outlook.outcome, outlook.failures) = (failed(status), 1);
            outlook.host_is_public = host_is_public;
            outlook.lifetimes.retry_after = retry_after;
        });
        assert_eq!(next.host_hold, expected.map(|wait| now() + Duration::from_secs(wait)), "{status} {retry_after:?}");
    };
    check(429, seconds(7200), true, Some(7200));
    check(503, seconds(7200), true, Some(7200));
    check(429, None, true, Some(4 * HOUR));
    check(429, seconds(7200), false, None);
    check(503, None, true, None);
    check(500, seconds(7200), true, None);
    check(404, seconds(7200), true, None);
}

/// Returns the waits in hours after the first failure, the second, and so on, up to `failures` in a row.
fn waits(status: Option<u16>, failures: u32) -> Vec<u64> {
    let wait_after = |failures| {
        wait(|outlook| (outlook.outcome, outlook.failures) = (PollOutcome::Failed { status }, failures)) / HOUR
    };
    (1..=failures).map(wait_after).collect()
}

#[test]
fn status_429_without_retry_after_backs_off_from_four_hours_to_a_day() {
    assert_eq!(waits(Some(429), 5), [4, 8, 16, 24, 24]);
}

#[test]
fn failures_back_off_to_a_day_and_then_to_a_week_and_never_end() {
    for status in [None, Some(200), Some(403), Some(404), Some(500)] {
        let waits = waits(status, 40);
        assert_eq!(waits[..6], [1, 2, 4, 8, 16, 24]);
        assert!(waits[5..29].iter().all(|hours| *hours == 24));
        assert!(waits[29..].iter().all(|hours| *hours == 7 * 24));
    }
    assert_eq!(wait(|outlook| outlook.failures = 0), HOUR, "a success resets it");
}

#[test]
fn a_slow_schedule_is_not_made_faster_by_failures() {
    let schedule = Schedule::parse("every 3 days", Tz::UTC).unwrap();
    let mut outlook = outlook(&schedule, &NO_HINTS);
    (outlook.outcome, outlook.failures) = (failed(500), 1);
    assert_eq!(next_poll(&outlook).at.since(now()).as_secs(), 3 * DAY);
}

proptest! {
    #[test]
    fn backoff_grows_with_the_failures_and_is_spread_by_at_most_a_tenth(phase: u64, failures in 1u32..100, limited: bool) {
        let wait = |phase, failures| wait(|outlook| {
            outlook.phase = phase;
            (outlook.outcome, outlook.failures) = (failed(if limited { 429 } else { 500 }), failures);
        });
        prop_assert!(wait(phase, failures) <= wait(phase, failures + 1));
        prop_assert!(wait(0, failures) <= wait(phase, failures));
        prop_assert!(wait(phase, failures) <= wait(0, failures) * 11 / 10);
    }

        /// Whatever is combined, the next poll is at least an hour away, as the schedule says. It is at most a month
        /// plus the skipped days away.
    #[test]
    fn no_poll_is_early_and_none_is_lost(
        phase: u64, failures in 0u32..1000, status in 100u16..600, outcome in 0usize..3,
        asked in proptest::array::uniform5(proptest::option::of(0u64..u64::MAX / 1000)),
        skip_hours in proptest::collection::vec(any::<u8>(), 0..30), skip_days in proptest::collection::vec(any::<u8>(), 0..9),
    ) {
        let [retry_after, max_age, expires, ttl, period] = asked.map(|lasts| lasts.map(Duration::from_secs));
        let hints = PollHints { ttl, period, skip_hours, skip_days };
        let next = next_with(&hints, |outlook| {
            outlook.phase = phase;
            outlook.failures = failures;
            outlook.outcome = [PollOutcome::Success, PollOutcome::Unchanged, failed(status)][outcome];
            outlook.lifetimes = Lifetimes { retry_after, max_age, expires };
        });
        let wait = next.at.since(now()).as_secs();
        prop_assert!((HOUR..=39 * DAY).contains(&wait));
    }
}

fn check_hints(hints: PollHints, expected: &str, why: &str) {
    let next = next_with(&hints, |_| {});
    assert_eq!(next.at.rfc3339(), expected, "{hints:?}");
    assert_eq!(next.hold_why.map(|why| why.words()), Some(why));
    assert_eq!(next.hold_until, Some(next.at));
}

#[test]
fn hints_of_the_document_lengthen_the_interval_and_never_shorten_it() {
    let ttl = |lasts| PollHints { ttl: seconds(lasts), ..PollHints::default() };
    check_hints(ttl(7 * DAY), "2026-01-14T10:30:00Z", "ttl");
    check_hints(ttl(3650 * DAY), "2026-01-14T10:30:00Z", "ttl");
    check_hints(PollHints { period: seconds(DAY), ..PollHints::default() }, "2026-01-08T10:30:00Z", "sy:updatePeriod");
    let half_hourly = next_with(&PollHints { period: seconds(HOUR / 2), ..PollHints::default() }, |_| {});
    assert_eq!(half_hourly.at, now() + Duration::from_secs(HOUR));
}

#[test]
fn polls_wait_for_the_end_of_skipped_hours_and_days_in_gmt() {
    let hours = |hours: &[u8]| PollHints { skip_hours: hours.to_vec(), ..PollHints::default() };
    check_hints(hours(&[11]), "2026-01-07T12:00:00Z", "skipHours");
    let all_but_the_last = (0..=22).collect::<Vec<_>>();
    check_hints(hours(&all_but_the_last), "2026-01-07T23:00:00Z", "skipHours");
    assert_eq!(next_with(&hours(&[10, 12]), |_| {}).hold_until, None);
    let wednesday = PollHints { skip_days: vec![2], ..PollHints::default() };
    check_hints(wednesday, "2026-01-08T00:00:00Z", "skipDays");
    let both = PollHints { skip_days: vec![2, 3, 4, 5, 6, 0], skip_hours: vec![0, 1], ..PollHints::default() };
    check_hints(both, "2026-01-13T02:00:00Z", "skipHours");
}

#[test]
fn hints_that_leave_no_hour_free_are_ignored() {
    let never = PollHints { skip_hours: (0..24).collect(), skip_days: (0..7).collect(), ..PollHints::default() };
    assert_eq!(next_with(&never, |_| {}).at, now() + Duration::from_secs(HOUR));
}

#[test]
fn feeds_that_skip_the_same_hours_are_not_all_polled_on_the_hour() {
    let hints = PollHints { skip_hours: vec![11], ..PollHints::default() };
    let at = |id: usize| next_with(&hints, |outlook| outlook.phase = phase(&FeedId::from(&*id.to_string()))).at;
    let on_the_hour = (0..100).filter(|id| at(*id).millis() % (3600 * 1000) < 1000).count();
    assert!(on_the_hour < 5);
}

#[test]
fn a_gone_feed_has_no_next_poll() {
    assert_eq!(next(|outlook| outlook.outcome = PollOutcome::Gone).at, Timestamp::MAX);
}

/// Returns the plan of a poll. The times are in hours from now.
fn planned(at: i64, last_poll: Option<i64>, hold_until: Option<i64>) -> PollPlan {
    PollPlan { at: hours(at), last_poll: last_poll.map(hours), hold_until: hold_until.map(hours), is_failing: false }
}

fn hours(from_now: i64) -> Timestamp {
    Timestamp::from_millis(now().millis() + from_now * 3_600_000)
}

fn replanned(schedule: &str, plan: PollPlan, ahead_hours: u64) -> Option<PollPlan> {
    replan(&plan, now(), Duration::from_secs(ahead_hours * HOUR), &Schedule::parse(schedule, Tz::UTC).unwrap(), 0)
}

#[test]
fn plan_of_a_correct_clock_is_kept() {
    for (schedule, at, last_poll) in [
        ("every 1 hour", 1, Some(0)),
        ("every 1 hour", -5, Some(-6)),
        ("every 1 hour", -5, Some(-3650 * 24)),
        ("every 1 hour", 1, Some(-3650 * 24)),
        ("every 1 hour", 24 * 38, Some(0)),
        ("every 1 hour", 1, None),
        ("every 90 days", 70 * 24, Some(-20 * 24)),
        ("0 0 1 1 *", 359 * 24, Some(-24)),
    ] {
        assert_eq!(replanned(schedule, planned(at, last_poll, None), 0), None, "{schedule} {at} {last_poll:?}");
    }
    assert_eq!(
        replanned("every 1 hour", PollPlan { at: Timestamp::MAX, ..planned(0, Some(480), None) }, 480),
        None,
        "gone"
    );
}

#[test]
fn poll_in_the_future_is_planned_again_after_the_same_wait() {
    let check = |schedule: &str, plan: PollPlan, expected: PollPlan| {
        let ahead = plan.last_poll.unwrap().since(now()).as_secs() / HOUR;
        assert_eq!(replanned(schedule, plan, ahead), Some(expected), "{schedule} {plan:?}");
        assert_eq!(replanned(schedule, expected, 0), None, "the new plan is not planned again: {schedule} {plan:?}");
    };
    for back in [1, 20 * 24, 400 * 24] {
        check("every 1 hour", planned(back + 1, Some(back), None), planned(1, Some(0), None));
        let backoff = PollPlan { is_failing: true, ..planned(back + 24, Some(back), None) };
        check("every 1 hour", backoff, PollPlan { at: hours(24), last_poll: Some(now()), ..backoff });
        check("every 1 hour", planned(back + 7, Some(back), Some(back + 7)), planned(7, Some(0), Some(7)));
        // This hold ended before the last poll, by the wrong clock that set it.
        check("every 1 hour", planned(back + 1, Some(back), Some(back - 1)), planned(1, Some(0), None));
    }
    // A schedule of fixed times of day keeps these times.
    let daily = replanned("0 6 * * *", planned(20 * 24 + 6, Some(20 * 24), None), 480).unwrap();
    assert_eq!(daily.at, Schedule::parse("0 6 * * *", Tz::UTC).unwrap().next(now(), 0));
}

#[test]
fn feed_delayed_by_a_wrong_clock_without_a_poll_is_planned_again() {
    let back = 20 * 24;
    let at = |plan: PollPlan, ahead: u64| replanned("every 1 hour", plan, ahead).map(|plan| plan.at);
    assert_eq!(at(planned(back, Some(-2), None), 480), Some(hours(1)));
    assert_eq!(at(planned(back + 5, Some(-2), Some(back + 5)), 480), Some(hours(5)), "the hold still applies");
    assert_eq!(at(planned(24 * 6, Some(-24), None), 480), None, "a backoff that the right clock set stays");
    assert_eq!(at(planned(back, Some(-2), None), 0), None, "the plan stays if the clock was not wrong");
    assert!(at(planned(back, None, None), 0).is_some_and(|at| at <= hours(2)), "a new feed has no reason to wait");
    assert!(at(planned(10 * 365 * 24, Some(-1), None), 0).is_some_and(|at| at <= hours(2)));
}

#[test]
fn clock_was_ahead_by_as_much_as_the_newest_poll_is_in_the_future() {
    let plans = [planned(1, Some(-3), None), planned(481, Some(480), None), planned(1, None, None)];
    assert_eq!(clock_was_ahead(now(), plans.iter()), Duration::from_secs(480 * HOUR));
    assert_eq!(clock_was_ahead(now() + Duration::from_secs(480 * HOUR - 30), plans.iter()), Duration::ZERO);
}

#[test]
fn an_outage_of_our_own_is_retried_within_minutes_after_any_number_of_failures() {
    for id in 0..100 {
        let outage = |outlook: &mut Outlook| {
            outlook.phase = phase(&FeedId::from(&*id.to_string()));
            (outlook.outcome, outlook.failures) = (PollOutcome::OwnOutage, 50);
        };
        assert!((600..=1200).contains(&wait(outage)));
    }
}

#[test]
fn five_hundred_polls_with_restarts_between_are_an_hour_apart_and_no_sooner() {
    let schedule = hourly();
    let mut outlook = outlook(&schedule, &NO_HINTS);
    let mut starts = vec![outlook.now];
    while starts.len() < 500 {
        let at = next_poll(&outlook).at;
        // Only the stored time of the next poll survives a restart. The poll starts a moment after this time.
        outlook.now = at + Duration::from_millis(starts.len() as u64 * 7 % 30_000);
        starts.push(at);
    }
    assert!(starts.windows(2).all(|pair| pair[1].since(pair[0]) >= Duration::from_secs(HOUR)));
}

#[test]
fn overdue_feeds_are_spread_evenly_over_ten_minutes_or_a_sixth_of_their_interval() {
    for (interval, window) in [("every 1 hour", 600), ("every 30 minutes", 300), ("every 2 days", 600)] {
        let schedule = Schedule::parse(interval, Tz::UTC).unwrap();
        let overdue = (0..2000).map(|number| (number, &schedule)).collect::<Vec<_>>();
        let mut buckets = vec![0; window];
        for at in spread(now(), &overdue) {
            buckets[at.since(now()).as_secs() as usize] += 1;
        }
        let mean = 2000.0 / window as f64;
        assert!(f64::from(*buckets.iter().max().unwrap()) <= 3.0 * mean, "{interval}");
    }
}

#[test]
fn a_few_overdue_feeds_are_polled_at_once_and_in_order() {
    let schedule = hourly();
    assert_eq!(spread(now(), &[(1, &schedule), (2, &schedule)]), [now(), now()]);
    let many = (0..100).map(|number| (number, &schedule)).collect::<Vec<_>>();
    assert!(spread(now(), &many).is_sorted());
}

/// The χ² test shows whether the polls are spread evenly over the 60 minutes. For 59 degrees of freedom, χ² exceeds
/// 87.2 in only one of a hundred even distributions.
#[test]
fn feeds_that_were_new_together_are_spread_over_the_hour_from_their_second_poll() {
    let ids = (0..1000).map(|number| FeedId::from(&*format!("https://site-{number}.example/feed")));
    let mut minutes = [0.0; 60];
    for id in ids {
        let first_poll = |outlook: &mut Outlook| (outlook.phase, outlook.is_first_poll) = (phase(&id), true);
        let wait = wait(first_poll);
        assert!((HOUR..2 * HOUR).contains(&wait));
        minutes[(wait / 60 % 60) as usize] += 1.0;
    }
    let mean: f64 = 1000.0 / 60.0;
    let chi_squared = minutes.iter().map(|count| (count - mean).powi(2) / mean).sum::<f64>();
    assert!(chi_squared < 87.2, "{chi_squared}");
}

#[test]
fn the_phase_of_a_feed_is_the_same_at_every_start() {
    assert_eq!(phase(&FeedId::from("anti-media")), 14_621_617_842_945_600_303);
}

#[test]
fn times_of_day_are_kept_by_new_feeds_too() {
    let schedule = Schedule::parse("15 */2 * * *", Tz::UTC).unwrap();
    let new = Outlook { is_first_poll: true, ..outlook(&schedule, &NO_HINTS) };
    assert_eq!(next_poll(&new).at.rfc3339(), "2026-01-07T12:15:00Z");
}
