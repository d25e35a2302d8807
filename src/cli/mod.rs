//! The command line: the shell that opens files and models and prints results.
//!
//! The result alone goes to standard output; progress and warnings go to standard error. Exit codes: 0 done, 1 an input could not be
//! used (the other inputs are still done), 2 the command line is wrong.

mod hear;
mod models;
mod note;
mod note_input;
mod output;
mod transcribe;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Hears a consultation in Cantonese and English and writes the structured note, on this machine alone.
#[derive(Debug, Parser)]
#[command(version, propagate_version = true)]
struct Arguments {
    /// Folder of the models [default: CANTOSCRIBE_MODELS, or cantoscribe/models in the XDG data directory]
    #[arg(long, global = true, value_name = "DIR")]
    models: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Write down what is said in recordings
    Transcribe(transcribe::TranscribeArguments),
    /// Write the structured note of a transcript, a plain text or a recording
    Note(note::NoteArguments),
    /// List, fetch and check the models
    Models(models::ModelsArguments),
}

/// Parses the command line, runs it and says how it ended.
#[must_use]
pub fn run() -> ExitCode {
    // Logs hold no patient data at any level: whatever touches it carries `PatientText`.
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::try_from_env("CANTOSCRIBE_LOG").unwrap_or_else(|_| "warn".into()))
        .with_writer(std::io::stderr)
        .init();
    let arguments = Arguments::parse();
    let Some(models_folder) = arguments.models.or_else(crate::models::default_folder) else {
        eprintln!("cantoscribe: no folder for the models: set HOME, or name one with --models");
        return ExitCode::from(2);
    };
    let result = match arguments.command {
        Command::Transcribe(arguments) => transcribe::run(&arguments, &models_folder),
        Command::Note(arguments) => note::run(&arguments, &models_folder),
        Command::Models(arguments) => models::run(arguments, &models_folder),
    };
    result.unwrap_or_else(|error| {
        eprintln!("cantoscribe: {error:#}");
        ExitCode::FAILURE
    })
}
