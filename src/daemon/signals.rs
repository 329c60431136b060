//! Signals: SIGTERM and SIGINT stop the daemon in good order, a second one stops it at once; SIGHUP reloads.

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Returns the stream of SIGHUPs. Call it before others can know that the daemon runs: until then SIGHUP ends it.
///
/// # Errors
///
/// If the system does not let us receive signals.
pub fn hangup() -> std::io::Result<Signal> {
    signal(SignalKind::hangup())
}

/// Cancels `shutdown` at the first SIGTERM or SIGINT, and ends the process at the second.
pub async fn end_on_signal(shutdown: CancellationToken) {
    let (Ok(mut terminate), Ok(mut interrupt)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        tracing::error!("signals cannot be received; only SIGKILL will end it");
        return;
    };
    for is_first in [true, false] {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        if is_first {
            tracing::info!("ending; polls on their way may finish for some seconds");
            shutdown.cancel();
        }
    }
    std::process::exit(130);
}
