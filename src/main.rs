//! The binary: chooses the allocator, parses the arguments and starts logging; [`newswire::cli`] does the work.

use std::process::ExitCode;

use clap::Parser;
use newswire::cli::Cli;
use tikv_jemallocator::Jemalloc;

/// Serves the C code of SQLite too, except under musl. `cargo bench --bench crowd` measures what it is for.
#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

/// Gives freed memory back to the system within a second, from a thread of its own. Few arenas, because each keeps some.
#[allow(unsafe_code, reason = "jemalloc reads its settings from a symbol with this name, and nothing else defines it")]
#[cfg_attr(target_env = "musl", unsafe(export_name = "_rjem_malloc_conf"))]
#[cfg_attr(not(target_env = "musl"), unsafe(export_name = "malloc_conf"))]
pub static ALLOCATOR_SETTINGS: &[u8; 70] = b"background_thread:true,dirty_decay_ms:1000,muzzy_decay_ms:0,narenas:4\0";

fn main() -> ExitCode {
    let cli = Cli::parse();
    cli.start_logging();
    cli.execute()
}
