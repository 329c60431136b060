//! Finds the events of a poll: what an editor should know about the feed.
//!
//! The policy of events: a few failures, new entries or new guids are normal, and more are an event. A state that
//! lasts, such as being gone, is an event only when it begins or ends. This module does no I/O.

use crate::feed::{Failure, FeedEvent};

/// How many polls in a row must fail before the feed counts as dead.
const DEATH: u32 = 3;

/// How many new entries in one poll count as a flood, if the feed was polled before.
const FLOOD: usize = 50;

/// How many known entries with new guids in one poll are an event. Fewer may be corrections by the publisher.
const REKEYED: usize = 3;

/// The health of a feed before or after a poll.
#[derive(Clone, Debug, Default)]
pub(super) struct FeedHealth {
    /// How many polls have failed since the last successful one.
    pub failures: u32,
    /// Whether the last poll got the status 410 (Gone).
    pub is_gone: bool,
    /// The new address of the feed, if permanent redirects have led to it for long enough; otherwise `None`.
    pub moved_to: Option<String>,
    /// Whether the feed was ever polled.
    pub was_polled: bool,
    /// Why the last poll failed; `None` if it did not fail.
    pub failure: Option<Failure>,
}

/// How many entries a poll brought.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct News {
    /// New entries.
    pub new: usize,
    /// Known entries that the document has under new guids.
    pub rekeyed: usize,
    /// Entries that the document has.
    pub listed: usize,
}

/// Returns the events that a poll causes, from the feed's health before and after the poll.
pub(super) fn events(before: &FeedHealth, after: &FeedHealth, news: News) -> Vec<FeedEvent> {
    let has_died = after.failures >= DEATH && before.failures < DEATH && !after.is_gone;
    let died_of = after.failure.as_ref().filter(|_| has_died);
    let was_lost = before.failures >= DEATH || before.is_gone;
    let moved_to = after.moved_to.as_ref().filter(|to| before.moved_to.as_ref() != Some(to));
    [
        (after.is_gone && !before.is_gone).then_some(FeedEvent::Gone),
        died_of.map(|failure| FeedEvent::Died { failures: after.failures, failure: failure.clone() }),
        (after.failures == 0 && was_lost).then_some(FeedEvent::Recovered { failures: before.failures }),
        moved_to.map(|to| FeedEvent::Moved { to: to.clone() }),
        (before.was_polled && news.new >= FLOOD).then_some(FeedEvent::Flooded { new: news.new }),
        (news.rekeyed >= REKEYED).then_some(FeedEvent::Rekeyed { rekeyed: news.rekeyed, listed: news.listed }),
    ]
    .into_iter()
    .flatten()
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOWN: Failure = Failure::Status { status: 503 };

    fn failing(failures: u32) -> FeedHealth {
        let failure = (failures > 0).then_some(DOWN);
        FeedHealth { failures, was_polled: true, failure, ..FeedHealth::default() }
    }

    fn gone() -> FeedHealth {
        FeedHealth { is_gone: true, ..failing(1) }
    }

    fn check(before: &FeedHealth, after: &FeedHealth, news: News, expected: &[FeedEvent]) {
        assert_eq!(events(before, after, news), expected, "{before:?} {after:?} {news:?}");
    }

    #[test]
    fn feed_dies_at_its_third_failure_and_recovers_at_its_first_success() {
        let none = News::default();
        check(&failing(1), &failing(2), none, &[]);
        check(&failing(2), &failing(3), none, &[FeedEvent::Died { failures: 3, failure: DOWN }]);
        check(&failing(3), &failing(4), none, &[]);
        check(&failing(4), &failing(0), none, &[FeedEvent::Recovered { failures: 4 }]);
        check(&failing(2), &failing(0), none, &[]);
    }

    #[test]
    fn feed_that_is_gone_does_not_also_die() {
        check(&failing(0), &gone(), News::default(), &[FeedEvent::Gone]);
        check(&gone(), &gone(), News::default(), &[]);
        check(&gone(), &failing(0), News::default(), &[FeedEvent::Recovered { failures: 1 }]);
    }

    #[test]
    fn move_is_an_event_when_it_is_first_followed() {
        let moved = |to: &str| FeedHealth { moved_to: Some(to.to_owned()), ..failing(0) };
        let event = FeedEvent::Moved { to: "https://new.example/".to_owned() };
        check(&failing(0), &moved("https://new.example/"), News::default(), &[event]);
        check(&moved("https://new.example/"), &moved("https://new.example/"), News::default(), &[]);
    }

    #[test]
    fn many_new_entries_are_a_flood_except_in_a_new_feed() {
        let flood = News { new: 50, ..News::default() };
        check(&failing(0), &failing(0), flood, &[FeedEvent::Flooded { new: 50 }]);
        check(&FeedHealth::default(), &failing(0), flood, &[]);
        check(&failing(0), &failing(0), News { new: 49, rekeyed: 2, listed: 60 }, &[]);
        check(
            &failing(0),
            &failing(0),
            News { rekeyed: 3, listed: 9, ..News::default() },
            &[FeedEvent::Rekeyed { rekeyed: 3, listed: 9 }],
        );
    }
}
