//! Plans polls again after the clock was set back. Otherwise the next poll of a feed would be late by as much as the
//! clock was ahead when that poll was planned. The rules are those of [`next::replan`].

use std::time::Duration;

use super::Poller;
use crate::config::{Config, Feed};
use crate::rows::PlanRow;
use crate::schedule::next::{self, PollPlan};
use crate::store::{PollState, StoreError};
use crate::time::Timestamp;

impl Poller {
    /// Corrects the plans of these feeds, in `states` and in the store.
    ///
    /// # Errors
    ///
    /// Returns the errors of the store; then nothing is changed there.
    pub(super) async fn replan(
        &self,
        config: &Config,
        states: &mut [PollState],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let ahead = clock_was_ahead(config, states, now);
        let mut moves = Vec::new();
        for due in states.iter_mut() {
            let Some(feed) = enabled(config, due) else { continue };
            let planned = next::replan(&plan(due), now, ahead, &feed.schedule, next::phase(&feed.id));
            if let Some(plan) = planned {
                (due.next_poll, due.last_poll, due.hold_until) = (plan.at, plan.last_poll, plan.hold_until);
                let (next_poll, last_poll, hold_until) = (plan.at, plan.last_poll, plan.hold_until);
                moves.push(PlanRow { feed: due.feed.clone(), next_poll, last_poll, hold_until });
            }
        }
        self.store.replan(moves, now, ahead).await
    }
}

/// Returns how far the clock was ahead when these feeds were last polled; zero if it was right.
pub(super) fn clock_was_ahead(config: &Config, states: &[PollState], now: Timestamp) -> Duration {
    let plans: Vec<PollPlan> = states.iter().filter(|due| enabled(config, due).is_some()).map(plan).collect();
    next::clock_was_ahead(now, plans.iter())
}

fn enabled<'c>(config: &'c Config, due: &PollState) -> Option<&'c Feed> {
    config.feed(&due.feed).map(|feed| &**feed).filter(|feed| feed.enabled)
}

fn plan(due: &PollState) -> PollPlan {
    let PollState { next_poll, last_poll, hold_until, failures, .. } = due;
    PollPlan { at: *next_poll, last_poll: *last_poll, hold_until: *hold_until, is_failing: *failures > 0 }
}
