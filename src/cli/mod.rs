//! The command line: the shell that opens files and models and prints results.
//!
//! The result alone goes to standard output; progress and warnings go to standard error. Exit codes: 0 done, 1 an input could not be
//! used (the other inputs are still done), 2 the command line is wrong.

mod accounts;
mod audit;
mod backup;
mod bench;
mod core_dump;
mod data;
mod eval;
mod hear;
mod keys;
mod letter;
mod listen;
mod models;
mod note;
mod note_input;
mod open_files;
mod output;
mod reword;
mod serve;
mod terminology;
mod transcribe;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// Hears a consultation in Cantonese and English and writes the structured note, on this machine alone.
#[derive(Parser)]
#[command(version, propagate_version = true)]
struct Arguments {
    /// Folder of the models [default: CANTOSCRIBE_MODELS, or cantoscribe/models in the XDG data directory]
    #[arg(long, global = true, value_name = "DIR")]
    models: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Write down what is said in recordings
    Transcribe(transcribe::TranscribeArguments),
    /// Write the structured note of a transcript, a plain text or a recording
    Note(note::NoteArguments),
    /// Try a letter on a note: a referral, a sick leave certificate or a summary for the patient, as a draft
    Letter(letter::LetterArguments),
    /// Listen to a microphone, and show the words as they come and the note at the end
    Listen(listen::ListenArguments),
    /// Serve the page where words and note appear while people talk
    Serve(serve::ServeArguments),
    /// Measure how fast, how right and how many rooms at once this machine hears
    Bench(bench::BenchArguments),
    /// Score notes against what a careful coder wrote
    Eval(eval::EvalArguments),
    /// List, fetch and check the models
    Models(models::ModelsArguments),
    /// Install a hospital's own terms and codes
    Terminology(terminology::TerminologyArguments),
    /// Help an administrator who cannot sign in any more
    Accounts(accounts::AccountsArguments),
    /// Check an audit log
    Audit(audit::AuditArguments),
    /// Copy records and keys to two folders, beside a server that may be running
    Backup(backup::BackupArguments),
    /// Put a backup into an empty folder
    Restore(backup::RestoreArguments),
    /// Change the master key
    Keys(keys::KeysArguments),
}

/// Parses the command line, runs it and says how it ended.
#[must_use]
pub fn run() -> ExitCode {
    core_dump::forbid();
    silence_panics();
    start_log();
    let arguments = Arguments::parse();
    let Some(models_folder) = arguments.models.or_else(crate::models::default_folder) else {
        eprintln!("cantoscribe: no folder for the models: set HOME, or name one with --models");
        return ExitCode::from(2);
    };
    let result = match arguments.command {
        Command::Transcribe(arguments) => transcribe::run(&arguments, &models_folder),
        Command::Note(arguments) => note::run(&arguments, &models_folder),
        Command::Letter(arguments) => letter::run(&arguments),
        Command::Listen(arguments) => listen::run(&arguments, &models_folder),
        Command::Serve(arguments) => serve::run(&arguments, &models_folder),
        Command::Bench(arguments) => bench::run(&arguments, &models_folder),
        Command::Eval(arguments) => eval::run(&arguments),
        Command::Models(arguments) => models::run(arguments, &models_folder),
        Command::Terminology(arguments) => terminology::run(&arguments),
        Command::Accounts(arguments) => accounts::run(&arguments),
        Command::Audit(arguments) => audit::run(&arguments),
        Command::Backup(arguments) => backup::run(&arguments),
        Command::Restore(arguments) => backup::run_restore(&arguments),
        Command::Keys(arguments) => keys::run(&arguments),
    };
    result.unwrap_or_else(|error| {
        eprintln!("cantoscribe: {}", output::explain(&error));
        ExitCode::FAILURE
    })
}

/// Logs to standard error, at the level that `CANTOSCRIBE_LOG` names (`warn` where it names none).
///
/// Only our own modules, whose patient text has a type that tells nothing: a decoder's log may quote a recording's tags.
fn start_log() {
    let named = std::env::var("CANTOSCRIBE_LOG").ok().and_then(|level| level.parse().ok());
    let ours = Targets::new().with_target("cantoscribe", named.unwrap_or(LevelFilter::WARN));
    tracing_subscriber::registry().with(tracing_subscriber::fmt::layer().with_writer(std::io::stderr)).with(ours).init();
}

/// A panic says where it happened and no more: its own message may quote what was said.
fn silence_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        eprintln!("cantoscribe: internal error at {place}");
    }));
}
