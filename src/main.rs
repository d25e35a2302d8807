//! The binary `cantoscribe`: parse, run, exit code.

use std::process::ExitCode;

use cantoscribe::cli::models::{ModelsArgs, run};
use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(version, about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// List, fetch, check and carry models
    Models(ModelsArgs),
}

fn main() -> ExitCode {
    let Command::Models(args) = Cli::parse().command;
    run(args).unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}
