//! Decides when permanent redirects make newswire poll a feed at its new address.
//!
//! The policy of moves: captive portals and broken deployments have redirected whole lists of feeds for an hour. So
//! newswire treats a feed as moved only after permanent redirects have led to the same address for at least [`POLLS`]
//! polls in a row and for at least [`TIME`]. This module does no I/O.

use std::time::Duration;

use crate::rows::MovedRow;

/// How many polls in a row must be redirected to the new address.
const POLLS: u32 = 3;

/// For how long polls must be redirected to the new address.
const TIME: Duration = Duration::from_secs(48 * 3600);

/// Returns the address at which newswire polls a feed because of permanent redirects; `None` if the feed has not moved.
pub fn moved_to(moved: Option<&MovedRow>) -> Option<&str> {
    moved.filter(|moved| has_moved(moved.polls, moved.lasted)).map(|moved| moved.to.as_str())
}

/// Returns whether a feed has moved, after `polls` polls in a row, over the time `lasted`, were redirected to the same
/// address.
pub(super) fn has_moved(polls: u32, lasted: Duration) -> bool {
    polls >= POLLS && lasted >= TIME
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn feed_has_moved_after_three_polls_and_two_days() {
        let check = |polls: u32, hours: u64, expected: bool| {
            assert_eq!(has_moved(polls, Duration::from_secs(hours * 3600)), expected, "{polls} polls, {hours} hours");
        };
        check(1, 0, false);
        check(3, 47, false);
        check(2, 72, false);
        check(3, 48, true);
    }
}
