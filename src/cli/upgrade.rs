//! Opens the store for a command or the daemon, and shows the progress of upgrading a store from an older version.

use std::io::IsTerminal;
use std::path::Path;

use indicatif::{ProgressBar, ProgressStyle};

use crate::store::{Store, StoreError, UpgradeStep};

/// Opens the store for a command, and shows an upgrade as a progress bar on a terminal. If another process tries to
/// open the store in the meantime, its error names this process as `holder`.
///
/// # Errors
///
/// The same as [`Store::open`].
pub(super) fn open(path: &Path, holder: &str) -> Result<Store, StoreError> {
    let bar = match std::io::stderr().is_terminal() {
        true => {
            let style = ProgressStyle::with_template("{msg} {bar:30} {percent} %").expect("the template is constant");
            ProgressBar::new(0).with_style(style)
        }
        false => ProgressBar::hidden(),
    };
    Store::open_showing(path, holder, &mut |step| show(&bar, &step))
}

fn show(bar: &ProgressBar, step: &UpgradeStep) {
    match step {
        UpgradeStep::Copying { done, total } => advance(bar, "copying the store", *done, *total),
        UpgradeStep::Converting { done, total, .. } => advance(bar, "updating the store", *done, *total),
        UpgradeStep::Copied { file, .. } => {
            bar.suspend(|| anstream::eprintln!("newswire: {}", copied(file)));
        }
        UpgradeStep::Done => bar.finish_and_clear(),
    }
}

fn advance(bar: &ProgressBar, what: &'static str, done: u64, total: u64) {
    bar.set_message(what);
    bar.set_length(total);
    bar.set_position(done);
}

/// Opens the store for the daemon, and logs each tenth of an upgrade.
///
/// # Errors
///
/// The same as [`Store::open`].
pub(super) fn open_logging(path: &Path, holder: &str) -> Result<Store, StoreError> {
    let mut logged = None;
    Store::open_checked(path, holder, &mut |step| {
        let (what, done, total) = match &step {
            UpgradeStep::Copying { done, total } => ("copying the store", *done, *total),
            UpgradeStep::Converting { done, total, .. } => ("updating the store", *done, *total),
            UpgradeStep::Copied { file, .. } => return tracing::info!("{}", copied(file)),
            UpgradeStep::Done => return tracing::info!("the store is up to date"),
        };
        let tenths = done.saturating_mul(10).checked_div(total).unwrap_or(10);
        if logged.replace((what, tenths)) != Some((what, tenths)) {
            tracing::info!("{what}: {} %", tenths * 10);
        }
    })
}

fn copied(file: &Path) -> String {
    format!("updating the store; a copy of the old version is in {}", file.display())
}
