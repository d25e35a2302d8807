//! `cantoscribe keys rotate`: a new master key.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, Subcommand};

use super::data::DataArguments;
use super::output::print;
use crate::store::{MasterSource, rotate_keys};

/// Arguments of `cantoscribe keys`.
#[derive(Debug, Args)]
pub struct KeysArguments {
    #[command(subcommand)]
    command: KeysCommand,
}

/// What to do with keys.
#[derive(Debug, Subcommand)]
enum KeysCommand {
    /// Wrap all keys anew with another master key; the server must not be running
    Rotate {
        /// Fetch the new master key by this command, as --master-key-command does [default: make one, and keep it in the data folder]
        #[arg(long, value_name = "COMMAND", conflicts_with = "new_master_key")]
        new_master_key_command: Option<String>,
        /// Read the new master key from this file, which is not kept: 32 bytes, or their hexadecimal digits or base64
        #[arg(long, value_name = "FILE")]
        new_master_key: Option<PathBuf>,
        #[command(flatten)]
        data: DataArguments,
    },
}

/// Runs `cantoscribe keys`.
///
/// # Errors
/// A data folder that is in use or cannot be used, and a new key that cannot be had.
pub fn run(arguments: &KeysArguments) -> anyhow::Result<ExitCode> {
    let KeysCommand::Rotate { new_master_key_command, new_master_key, data } = &arguments.command;
    let file = new_master_key.clone().map(MasterSource::File);
    let new = new_master_key_command.clone().map(MasterSource::Command).or(file).unwrap_or_default();
    let opening = data.opening()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("cannot start a run-time")?;
    let count = runtime.block_on(rotate_keys(&opening, &new))?;
    print(&format!(
        "{count} keys are wrapped with a new master key. Keep it apart from backups, make a backup now, and destroy the former one: \
        it opens copies of the key store from before.\n"
    ))?;
    Ok(ExitCode::SUCCESS)
}
