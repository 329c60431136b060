//! The binary: arguments and logging; the work is in [`newswire::cli`].
#![forbid(unsafe_code)]

use std::process::ExitCode;

use clap::Parser;
use newswire::cli::Cli;

fn main() -> ExitCode {
    let cli = Cli::parse();
    cli.start_logging();
    cli.execute()
}
