//! What failures mean for the network, and what other programs say of them.

use std::error::Error;
use std::time::Duration;

use crate::feed::{Failure, PollPhase};
use crate::foreign::Line;

/// The time limit for connecting, TLS handshake included. If a host has IPv6 and IPv4 addresses, those of the second
/// kind are tried after 300 ms (RFC 8305).
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Returns whether our own network may be what failed: the request never reached a server.
pub fn is_unreachable(failure: &Failure) -> bool {
    match failure {
        Failure::Dns { .. } | Failure::Connect { .. } => true,
        // A poll with a short `timeout` ends before the connection is given up.
        Failure::Timeout { phase, after, .. } => {
            *phase == PollPhase::Connect || (*phase == PollPhase::Answer && *after <= CONNECT_TIMEOUT)
        }
        _ => false,
    }
}

/// Returns whether a server answered, and the whole answer arrived.
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

/// Returns the innermost reason of an error. The reasons around it only repeat what was tried, and name the whole URL.
pub(super) fn root_cause(error: &reqwest::Error) -> Line {
    causes(error).last().map_or_else(|| "the request could not be made".into(), reason)
}

/// Returns what led to the error, the outermost reason first.
pub(super) fn causes(error: &reqwest::Error) -> impl Iterator<Item = &(dyn Error + 'static)> {
    let mut next = error.source();
    std::iter::from_fn(move || {
        let cause = next?;
        next = cause.source();
        Some(cause)
    })
}
