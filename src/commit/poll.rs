//! Writes the results of polls.

use super::active::ActiveConfig;
use super::document;
use super::hooks::Listening;
use crate::config::Config;
use crate::newsroom::{self, Applied, ListeningHooks, Outcome, Polled, PolledFeed};
use crate::store::{Store, StoreError, Turn, Urgency};

/// Decides by the active config what a poll changes, and writes it in one transaction. Returns when the data is safe on
/// disk.
///
/// # Errors
///
/// Returns the errors of the store; nothing is then written, as if the poll had not happened.
pub async fn apply(store: &Store, active: impl Into<ActiveConfig>, polled: Polled) -> Result<Applied, StoreError> {
    apply_when(store, active, polled, Urgency::Now).await
}

/// Writes a poll as [`apply`] does, with the given urgency.
///
/// # Errors
///
/// Returns the errors of [`apply`].
pub async fn apply_when(
    store: &Store,
    active: impl Into<ActiveConfig>,
    mut polled: Polled,
    urgency: Urgency,
) -> Result<Applied, StoreError> {
    let active = active.into();
    store.turn_when(urgency, move |turn| commit(turn, &active.current(), &mut polled)).await
}

fn commit(turn: &Turn, config: &Config, polled: &mut Polled) -> Result<Applied, StoreError> {
    let Some(before) = turn.feed(&polled.feed)? else { return Ok(Applied::default()) };
    let mut applied = Applied::default();
    let listening = Listening::load(turn, config)?;
    let newest_message = turn.newest_message()?;
    if let Outcome::Document(document) = &mut polled.outcome {
        // If the feed was removed from the config during the poll, discard the result.
        let Some(feed) = config.feed(&polled.feed) else { return Ok(applied) };
        let is_first = turn.note_read(before.number)?;
        let listeners = if is_first { ListeningHooks::default() } else { listening.listeners() };
        applied = document::apply(turn, config, polled.at, (feed, before.number), document, listeners)?;
    }
    let PolledFeed { row, log, events } = newsroom::after(&before, polled, &mut applied);
    turn.write_poll(row.number, &row.poll)?;
    if row.record != before.record {
        turn.write_feed_record(row.number, &row.record)?;
    }
    if let (Some(until), Some(origin)) = (polled.next.host_hold, &polled.public_origin) {
        turn.write_host_hold(origin, until)?;
    }
    log.map_or(Ok(()), |log| turn.write_log(&log))?;
    turn.write_events(&events)?;
    turn.enqueue(&newsroom::feed_messages(config, listening.listeners(), &polled.feed, &events))?;
    applied.has_messages = turn.newest_message()? != newest_message;
    Ok(applied)
}
