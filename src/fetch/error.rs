//! What failures mean for the network, and what other programs say of them.

use std::error::Error;
use std::time::Duration;

use crate::feed::{Failure, PollPhase};
use crate::foreign::Line;

/// For a connection with its TLS handshake; a dead address among several costs 300 ms of it (RFC 8305).
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

/// Returns whether a server answered, and the whole answer came.
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

/// What the system says, without its number.
pub(super) fn reason(error: &dyn Error) -> Line {
    let text = error.to_string();
    let text = text.strip_prefix("failed to lookup address information: ").unwrap_or(&text);
    text.split(" (os error").next().unwrap_or(text).into()
}

/// The innermost reason: those around it only repeat what was tried, and name the whole URL.
pub(super) fn root_cause(error: &reqwest::Error) -> Line {
    causes(error).last().map_or_else(|| "the request could not be made".into(), reason)
}

/// What led to the error, the outermost reason first.
pub(super) fn causes(error: &reqwest::Error) -> impl Iterator<Item = &(dyn Error + 'static)> {
    let mut next = error.source();
    std::iter::from_fn(move || {
        let cause = next?;
        next = cause.source();
        Some(cause)
    })
}
