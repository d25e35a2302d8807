//! `cantoscribe backup` and `cantoscribe restore`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;

use super::data::{DataArguments, MasterArguments};
use super::output::print;
use crate::store::{BackedUp, DatabaseUrl, MasterSource, Opening, Restored, Restoring, back_up, restore};

/// Arguments of `cantoscribe backup`.
#[derive(Debug, Args)]
pub struct BackupArguments {
    /// New folder for the records: rows, sound and audit log, sealed as they are kept
    #[arg(long, value_name = "DIR")]
    records: PathBuf,
    /// Folder for the keys, elsewhere: those that are there are overwritten, so that what was destroyed is in no copy
    #[arg(long, value_name = "DIR")]
    keys: PathBuf,
    #[command(flatten)]
    data: DataArguments,
}

/// Arguments of `cantoscribe restore`.
#[derive(Debug, Args)]
pub struct RestoreArguments {
    /// Folder of the records
    #[arg(long, value_name = "DIR")]
    records: PathBuf,
    /// Folder of the newest keys
    #[arg(long, value_name = "DIR")]
    keys: PathBuf,
    /// The data folder to make; it must not be there, or be empty
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Put the rows into this empty PostgreSQL, postgres://USER@HOST/NAME, instead of into the folder
    #[arg(long, value_name = "URL")]
    database: Option<DatabaseUrl>,
    /// File of the master key, which becomes the data folder's own
    #[arg(long, value_name = "FILE", conflicts_with = "master_key_command")]
    master_key: Option<PathBuf>,
    #[command(flatten)]
    master: MasterArguments,
}

/// Runs `cantoscribe backup`.
///
/// # Errors
/// What could not be read or written.
pub fn run(arguments: &BackupArguments) -> anyhow::Result<ExitCode> {
    let BackupArguments { records, keys, data } = arguments;
    let opening = data.opening()?;
    let BackedUp { recordings, files, bytes, keys: kept, entries } = run_time()?.block_on(back_up(&opening, records, keys))?;
    let (records, keys) = (records.display(), keys.display());
    print(&format!(
        "{recordings} recordings and the audit log of {entries} entries, {files} files of {bytes} bytes, are in {records}.\n\
        {kept} keys are in {keys}, in the place of those before. The master key is in neither: keep it elsewhere.\n"
    ))?;
    Ok(ExitCode::SUCCESS)
}

/// Runs `cantoscribe restore`.
///
/// # Errors
/// What is wrong with the backup or the target, and what could not be read or written.
pub fn run_restore(arguments: &RestoreArguments) -> anyhow::Result<ExitCode> {
    let RestoreArguments { records, keys, data, database, master_key, master } = arguments;
    let own = master_key.is_some();
    let master = master_key.clone().map_or_else(|| master.source(), MasterSource::File);
    let to = Opening { data: data.clone(), database: database.clone(), master, ..Opening::default() };
    let restoring = Restoring { records: records.clone(), keys: keys.clone(), to, own };
    let restored = run_time()?.block_on(restore(&restoring))?;
    print(&describe(&restored))?;
    Ok(ExitCode::SUCCESS)
}

fn describe(restored: &Restored) -> String {
    let Restored { recordings, erased_again, ended_again, entries, known, seen } = restored;
    let mut text = format!("{recordings} recordings are restored, and the audit log of {entries} entries.\n");
    if *erased_again > 0 {
        text.push_str(&format!(
            "{erased_again} recordings and patients had been erased since the backup; they were erased again.\n"
        ));
    }
    if *ended_again > 0 {
        text.push_str(&format!(
            "{ended_again} passkeys, sign-ins at issuers, devices and roles had been stopped, removed, revoked or ended since; they were again.\n"
        ));
    }
    if let Some(seen) = seen {
        let seen = seen.display();
        text.push_str(&format!(
            "The log had {known} entries when the keys were saved: {} are lost. Whoever kept a later head sees that it was rolled back; \
            `cantoscribe audit verify --seen {seen}` shows it.\n",
            known - entries
        ));
    }
    text.push_str(
        "Nobody is signed in, links are void, and all consents to share and requests for them have ended. Legal holds that were placed \
        and notes that were marked as restricted since the backup are not: place and mark them again.\n",
    );
    text
}

fn run_time() -> anyhow::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build().context("cannot start a run-time")
}
