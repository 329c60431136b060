//! Signals: SIGTERM and SIGINT stop the daemon in good order, a second one stops it at once. SIGHUP reloads, but at a terminal
//! it says that the terminal was closed, and stops the daemon too.

use std::io::{IsTerminal, stderr, stdin, stdout};

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

/// Returns whether the daemon was started at a terminal: then SIGHUP comes when that is closed, and asks for no reload.
pub fn is_at_terminal() -> bool {
    stdin().is_terminal() || stdout().is_terminal() || stderr().is_terminal()
}

/// Cancels `shutdown` at the first SIGTERM or SIGINT, or when `closed` gives a SIGHUP. Ends the process at a second SIGTERM or
/// SIGINT.
pub async fn end_on_signal(shutdown: CancellationToken, mut closed: Option<Signal>) {
    let (Ok(mut terminate), Ok(mut interrupt)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        tracing::error!("signals cannot be received; only SIGKILL will end it");
        return;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
        // A shell may send another one after the terminal's own: only the first counts.
        () = hung_up(&mut closed) => {}
    }
    tracing::info!("stopping; waiting for running polls");
    shutdown.cancel();
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    std::process::exit(130);
}

/// Waits for a SIGHUP; for ever if there is nothing that gives one.
pub(super) async fn hung_up(hangup: &mut Option<Signal>) {
    match hangup {
        Some(hangup) => drop(hangup.recv().await),
        None => std::future::pending().await,
    }
}
