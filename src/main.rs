//! The binary `cantoscribe`: parse, run, exit code.

use std::process::ExitCode;

/// The system's keeps what was freed in heaps of the threads that freed it: a room left on for eight hours grew by steps of 30 MiB.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    cantoscribe::cli::run()
}
