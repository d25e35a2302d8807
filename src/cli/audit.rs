//! `cantoscribe audit verify`: whether an audit log is as it was signed.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Context as _;
use clap::{Args, Subcommand};

use super::output::print;
use crate::audit::{CHECKPOINT, Checkpoint, Cosigned, Cosigner, Fault, NoteVerifier, Report, RowCheck, UnixMillis, verify};
use crate::interop::fhir::Instant;
use crate::ledger::LogFolder;
use crate::store::{DatabaseUrl, EventRows};

/// No key and no checkpoint comes near this; a longer file is not read.
const MOST_BYTES: u64 = 128 << 10;
/// More faults than these are counted.
const MOST_FAULTS: usize = 100;

/// Arguments of `cantoscribe audit`.
#[derive(Debug, Args)]
pub struct AuditArguments {
    #[command(subcommand)]
    command: AuditCommand,
}

/// What to do with a log.
#[derive(Debug, Subcommand)]
enum AuditCommand {
    /// Check every entry and tile of a log against its signed checkpoint; names what was changed, dropped or moved
    Verify {
        /// Folder of the log: `checkpoint`, and `tile` below it
        #[arg(value_name = "DIR")]
        folder: PathBuf,
        /// File of the public key, NAME+HASH+BASE64
        #[arg(long, value_name = "FILE")]
        key: PathBuf,
        /// A checkpoint of this log that was kept elsewhere: the log must have grown from it
        #[arg(long, value_name = "CHECKPOINT")]
        seen: Option<PathBuf>,
        /// File of a witness's public key, NAME+HASH+BASE64: it must have cosigned a checkpoint that lies with the log, or the one of --seen, and the log must have grown from the newest; may be said more than once
        #[arg(long, value_name = "FILE")]
        witness: Vec<PathBuf>,
        /// The database that the log was made of, postgres://USER@HOST/NAME or sqlite:FILE: its rows must be what the log has
        #[arg(long, value_name = "URL")]
        database: Option<DatabaseUrl>,
        /// A server runs: rows that its log does not have yet are counted and are no fault
        #[arg(long, requires = "database")]
        running: bool,
    },
}

/// Runs `cantoscribe audit`.
///
/// # Errors
/// With the text for the user; the exit code is then 1.
pub fn run(arguments: &AuditArguments) -> anyhow::Result<ExitCode> {
    let AuditCommand::Verify { folder, key, seen, witness, database, running } = &arguments.command;
    let verifier = NoteVerifier::parse(&text_of(key)?).with_context(|| format!("cannot use `{}`", key.display()))?;
    let open =
        |path: &PathBuf| Checkpoint::open(&text_of(path)?, &verifier).with_context(|| format!("cannot use `{}`", path.display()));
    let checkpoint = seen.as_ref().map(open).transpose()?;
    anyhow::ensure!(folder.join(CHECKPOINT).is_file(), "there is no checkpoint in `{}`", folder.display());
    let witnessed = witness.iter().map(|file| witnessed(file, folder, seen.as_deref(), &verifier));
    let witnessed: Vec<(String, Cosigned)> = witnessed.collect::<Result<_, _>>()?;
    let all_seen = checkpoint.iter().chain(witnessed.iter().map(|(_, cosigned)| &cosigned.checkpoint));
    let report = verify(&LogFolder::new(folder), &verifier, all_seen);
    let mut report = report.with_context(|| format!("cannot verify `{}`", folder.display()))?;
    if let Some(url) = database {
        anyhow::ensure!(report.faults.is_empty(), "{}the database was not looked at", describe(&report, &witnessed));
        let beyond;
        (report.faults, beyond) = compare(&LogFolder::new(folder), report.checkpoint.size, url, *running)?;
        if beyond > 0 {
            print(&format!("{beyond} rows of the database are not in the log yet\n"))?;
        }
    }
    print(&describe(&report, &witnessed))?;
    Ok(if report.faults.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// A witness's name, and the newest checkpoint that it cosigned: of those in the log's folder and the one that was seen elsewhere.
fn witnessed(key: &Path, folder: &Path, seen: Option<&Path>, log: &NoteVerifier) -> anyhow::Result<(String, Cosigned)> {
    let witness = Cosigner::parse(&text_of(key)?).with_context(|| format!("cannot use `{}`", key.display()))?;
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let now = UnixMillis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX));
    let kept = Some(folder.join(witness.path())).filter(|kept| kept.exists());
    let mut newest: Option<Cosigned> = None;
    for path in [Some(folder.join(CHECKPOINT)), kept, seen.map(Path::to_owned)].into_iter().flatten() {
        let found = witness.open(&text_of(&path)?, log, now).with_context(|| format!("cannot use `{}`", path.display()))?;
        newest = newest.into_iter().chain(found).max_by_key(|cosigned| (cosigned.checkpoint.size, cosigned.at));
    }
    let newest = newest.with_context(|| {
        let (folder, kept) = (folder.display(), witness.path());
        format!(
            "{witness} has cosigned no checkpoint of this log: neither `checkpoint` nor `{kept}` in `{folder}`, nor what was seen"
        )
    })?;
    Ok((witness.name().to_owned(), newest))
}

/// What a database has otherwise than the log, and how many rows the log does not have.
fn compare(log: &LogFolder, size: u64, url: &DatabaseUrl, running: bool) -> anyhow::Result<(Vec<Fault>, u64)> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("cannot start a run-time")?;
    runtime.block_on(async {
        let mut rows = EventRows::open(url).await?;
        let mut check = RowCheck::new(log, size);
        loop {
            let batch = rows.next_batch().await?;
            if batch.is_empty() {
                let beyond = check.beyond();
                return Ok((check.finish(running), beyond));
            }
            for (number, row) in batch {
                check.take(number, &row)?;
            }
        }
    })
}

fn text_of(path: &Path) -> anyhow::Result<String> {
    let read = || -> anyhow::Result<String> {
        let bytes = std::fs::metadata(path)?.len();
        anyhow::ensure!(bytes <= MOST_BYTES, "it has {bytes} bytes, more than a key or a checkpoint has");
        Ok(std::fs::read_to_string(path)?)
    };
    read().with_context(|| format!("cannot read `{}`", path.display()))
}

fn describe(report: &Report, witnessed: &[(String, Cosigned)]) -> String {
    let Checkpoint { origin, size, root } = &report.checkpoint;
    let lines = |faults: &[Fault]| faults.iter().map(|fault| format!("{fault}\n")).collect::<String>();
    let mut text = match report.faults.split_at_checked(MOST_FAULTS) {
        None => lines(&report.faults),
        Some((first, [])) => lines(first),
        Some((first, more)) => format!("{}and {} more\n", lines(first), more.len()),
    };
    if report.beyond > 0 {
        text.push_str(&format!("{} files are of entries that no checkpoint was signed for\n", report.beyond));
    }
    for (name, cosigned) in witnessed {
        let at = Instant::from_unix_seconds(i64::try_from(cosigned.at.0 / 1000).unwrap_or(i64::MAX));
        text.push_str(&format!("{name}: cosigned {} of {size} entries, {}\n", cosigned.checkpoint.size, at.as_str()));
    }
    let found = if report.faults.is_empty() { "intact" } else { "NOT INTACT" };
    text.push_str(&format!("{origin}: {size} entries, root {root}: {found}\n"));
    text
}
