//! The binary `cantoscribe`: parse, run, exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    cantoscribe::cli::run()
}
