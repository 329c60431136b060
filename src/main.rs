//! The binary: chooses the allocator, parses the arguments and starts logging; [`newswire::cli`] does the work.

use std::process::ExitCode;

use clap::Parser;
use newswire::cli::Cli;
use tikv_jemallocator::Jemalloc;

/// The allocator of the program and, except under musl, of SQLite's C code. `cargo bench --bench crowd` measures its
/// benefit.
#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

/// The allocator's settings. A background thread returns freed memory to the system within a second. There are only
/// four arenas (separate pools of memory), because each of them holds some unused memory.
#[allow(unsafe_code, reason = "jemalloc reads its settings from a symbol with this name, and nothing else defines it")]
#[cfg_attr(target_env = "musl", unsafe(export_name = "_rjem_malloc_conf"))]
#[cfg_attr(not(target_env = "musl"), unsafe(export_name = "malloc_conf"))]
pub static ALLOCATOR_SETTINGS: &[u8; 70] = b"background_thread:true,dirty_decay_ms:1000,muzzy_decay_ms:0,narenas:4\0";

fn main() -> ExitCode {
    let cli = Cli::parse();
    cli.start_logging();
    cli.execute()
}
