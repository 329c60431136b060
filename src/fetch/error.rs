//! Says what a failure shows about the network, and shortens the error messages of libraries and of the system.

use std::error::Error;
use std::time::Duration;

use crate::feed::{Failure, PollPhase};
use crate::foreign::Line;

/// The time limit for connecting, including the TLS handshake. If a host has IPv6 and IPv4 addresses, newswire tries
/// one kind first, and the other after 300 ms (RFC 8305).
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Returns whether this machine's own network may be the cause, because the request never reached a server.
pub fn is_unreachable(failure: &Failure) -> bool {
    match failure {
        Failure::Dns { .. } | Failure::Connect { .. } => true,
        // If the feed's `timeout` is so short, the poll may have ended before there was a connection.
        Failure::Timeout { phase, after, .. } => {
            *phase == PollPhase::Connect || (*phase == PollPhase::Answer && *after <= CONNECT_TIMEOUT)
        }
        _ => false,
    }
}

/// Returns whether a server answered, which shows that the network works.
pub fn is_answer(failure: &Failure) -> bool {
    matches!(
        failure,
        Failure::Status { .. }
            | Failure::Gone
            | Failure::Redirect { .. }
            | Failure::BotWall { .. }
            | Failure::TooLarge { .. }
    )
}

/// Returns what the system says about an error, without the error's number.
pub(super) fn reason(error: &dyn Error) -> Line {
    let text = error.to_string();
    let text = text.strip_prefix("failed to lookup address information: ").unwrap_or(&text);
    text.split(" (os error").next().unwrap_or(text).into()
}

/// Returns the innermost cause of an error. The outer causes only repeat what was tried, and contain the whole URL.
pub(super) fn root_cause(error: &reqwest::Error) -> Line {
    causes(error).last().map_or_else(|| "the request could not be made".into(), reason)
}

/// Returns the causes of an error, the outermost first.
pub(super) fn causes(error: &reqwest::Error) -> impl Iterator<Item = &(dyn Error + 'static)> {
    let mut next = error.source();
    std::iter::from_fn(move || {
        let cause = next?;
        next = cause.source();
        Some(cause)
    })
}
