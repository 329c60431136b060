//! The binary: parses the arguments and starts logging; [`newswire::cli`] does the work.
#![forbid(unsafe_code)]

use std::process::ExitCode;

use clap::Parser;
use newswire::cli::Cli;

fn main() -> ExitCode {
    let cli = Cli::parse();
    cli.start_logging();
    cli.execute()
}
