//! Handles signals. SIGTERM and SIGINT stop the daemon cleanly; a second one stops it at once. SIGHUP reloads the
//! config. At a terminal, SIGHUP means that the terminal was closed, and stops the daemon too.

use std::io::{IsTerminal, stderr, stdin, stdout};

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Returns the stream of SIGHUP signals. Call this before announcing that the daemon runs: until then, SIGHUP kills the
/// process.
///
/// # Errors
///
/// If the system refuses to register the signal.
pub fn hangup() -> std::io::Result<Signal> {
    signal(SignalKind::hangup())
}

/// Whether the daemon was started at a terminal, where SIGHUP means that the terminal was closed.
pub fn is_at_terminal() -> bool {
    stdin().is_terminal() || stdout().is_terminal() || stderr().is_terminal()
}

/// The signals that stop the daemon.
pub struct StopSignals {
    terminate: Signal,
    interrupt: Signal,
}

impl StopSignals {
    /// Registers SIGTERM and SIGINT. Call this before announcing that the daemon runs: until then, they kill the
    /// process.
    ///
    /// # Errors
    ///
    /// If the system refuses to register a signal.
    pub fn register() -> std::io::Result<StopSignals> {
        Ok(StopSignals { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    async fn recv(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// Cancels `shutdown` at the first of `signals`, or at a SIGHUP from `closed`. Exits the process at the next of
/// `signals`.
pub async fn stop_on_signal(mut signals: StopSignals, shutdown: CancellationToken, mut closed: Option<Signal>) {
    tokio::select! {
        () = signals.recv() => {}
        // A shell may send a SIGHUP of its own after that of the terminal; only the first one counts.
        () = hung_up(&mut closed) => {}
    }
    tracing::info!("stopping; waiting for running polls");
    shutdown.cancel();
    signals.recv().await;
    std::process::exit(130);
}

/// Waits for a SIGHUP; waits forever if there is no stream of them.
pub(super) async fn hung_up(hangup: &mut Option<Signal>) {
    match hangup {
        Some(hangup) => drop(hangup.recv().await),
        None => std::future::pending().await,
    }
}
