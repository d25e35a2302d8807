//! `cantoscribe terminology`: a hospital's own tables of terms and codes.

use std::fs;
use std::io::{ErrorKind, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};

use super::output::print;
use crate::terminology::{Lexicon, OwnTable, doubtful_codes};

/// A table of terms is small; what is larger is another file.
const MAX_TABLE_BYTES: u64 = 16 << 20;

/// Arguments of `cantoscribe terminology`.
#[derive(Debug, Args)]
pub struct TerminologyArguments {
    #[command(subcommand)]
    command: TerminologyCommand,
}

/// What to do with tables.
#[derive(Debug, Subcommand)]
enum TerminologyCommand {
    /// Install tables whose words, names and codes win over the built-in ones
    ///
    /// The first line of a file names its columns, tabs between: `icd10 icpc2 flags en zh forms` for conditions, `name atc kind forms`
    /// for drugs, `icd10 icpc2 system code` for a map to another system (`icd-9-cm` or a URI), whose codes stand beside ours. Forms
    /// are parted by `|`; `-` is an empty cell. A file of the same name is replaced. Tables are kept in the folder that the variable
    /// CANTOSCRIBE_TERMINOLOGY names, or else in `terminology` of the user's folder for data.
    Import {
        /// Files of tab-separated text, in UTF-8
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// Show the installed tables
    List,
    /// Take installed tables away
    Remove {
        /// Names as `list` shows them
        #[arg(required = true, value_name = "NAME")]
        names: Vec<String>,
    },
}

/// Runs `cantoscribe terminology`.
///
/// # Errors
/// A table that does not read, with its line and column, or a folder that cannot be used. Nothing is installed then.
pub fn run(arguments: &TerminologyArguments) -> anyhow::Result<ExitCode> {
    let folder = folder()?;
    match &arguments.command {
        TerminologyCommand::Import { files } => import(&folder, files)?,
        TerminologyCommand::List => print(&installed(&folder)?.iter().map(describe).collect::<String>())?,
        TerminologyCommand::Remove { names } => remove(&folder, names)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// The built-in tables and the installed ones.
///
/// # Errors
/// An installed table that does not read: no note is written with half of what the hospital asked for.
pub fn lexicon() -> anyhow::Result<Lexicon> {
    let folder = folder()?;
    let tables = installed(&folder)?;
    Lexicon::with(&tables).with_context(|| format!("a table in {} does not read", folder.display()))
}

fn folder() -> anyhow::Result<PathBuf> {
    if let Some(folder) = std::env::var_os("CANTOSCRIBE_TERMINOLOGY").filter(|folder| !folder.is_empty()) {
        return Ok(PathBuf::from(folder));
    }
    let data = directories::ProjectDirs::from("", "", "cantoscribe").map(|dirs| dirs.data_dir().join("terminology"));
    data.context("no folder for a hospital's tables: set HOME or CANTOSCRIBE_TERMINOLOGY")
}

fn installed(folder: &Path) -> anyhow::Result<Vec<OwnTable>> {
    let cannot = || format!("cannot read {}", folder.display());
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.with_context(cannot)?,
    };
    let mut tables = Vec::new();
    for entry in entries {
        let path = entry.with_context(cannot)?.path();
        if path.extension().is_some_and(|extension| extension == "tsv") {
            tables.push(read(&path)?);
        }
    }
    tables.sort_by(|one, other| one.file.cmp(&other.file));
    Ok(tables)
}

/// A table by its file's name, with the ending that the folder knows tables by.
fn read(path: &Path) -> anyhow::Result<OwnTable> {
    let Some(name) = path.file_stem().and_then(|name| name.to_str()) else { bail!("{} has no name", path.display()) };
    let cannot = || format!("cannot read {}", path.display());
    let mut bytes = Vec::new();
    fs::File::open(path).and_then(|file| file.take(MAX_TABLE_BYTES + 1).read_to_end(&mut bytes)).with_context(cannot)?;
    if bytes.len() as u64 > MAX_TABLE_BYTES {
        bail!("{} is larger than {} MiB", path.display(), MAX_TABLE_BYTES >> 20);
    }
    let Ok(text) = String::from_utf8(bytes) else { bail!("{} is not UTF-8 text", path.display()) };
    Ok(OwnTable { file: format!("{name}.tsv"), text })
}

fn import(folder: &Path, files: &[PathBuf]) -> anyhow::Result<()> {
    let mut new: Vec<OwnTable> = Vec::new();
    for path in files {
        let table = read(path)?;
        if new.iter().any(|other| other.file == table.file) {
            bail!("two files are called {}: tables are kept by name", table.file);
        }
        new.push(table);
    }
    let kept = installed(folder)?.into_iter().filter(|old| new.iter().all(|table| table.file != old.file));
    let all: Vec<OwnTable> = new.iter().cloned().chain(kept).collect();
    // All together, because a word may stand for two things only across files.
    Lexicon::with(&all)?;
    let doubts = doubtful_codes(&new, &Lexicon::builtin()?)?;
    doubts.iter().for_each(|doubt| eprintln!("warning: {doubt}"));
    if !doubts.is_empty() {
        eprintln!(
            "{} of the codes are not known here and could not be checked: look at them, they are installed as they are",
            doubts.len()
        );
    }
    fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    for table in &new {
        let target = folder.join(&table.file);
        let cannot = || format!("cannot write {}", target.display());
        let mut file = tempfile::NamedTempFile::new_in(folder).with_context(cannot)?;
        file.write_all(table.text.as_bytes()).and_then(|()| file.as_file().sync_all()).with_context(cannot)?;
        file.persist(&target).with_context(cannot)?;
        print(&describe(table))?;
    }
    Ok(())
}

fn remove(folder: &Path, names: &[String]) -> anyhow::Result<()> {
    let tables = installed(folder)?;
    if let Some(unknown) = names.iter().find(|name| tables.iter().all(|table| table.file != **name)) {
        bail!("no table is called {unknown}: `cantoscribe terminology list` names them");
    }
    // A map may speak of conditions of a table that goes.
    let left: Vec<OwnTable> = tables.into_iter().filter(|table| !names.contains(&table.file)).collect();
    Lexicon::with(&left).context("the tables that would be left do not read without it")?;
    for name in names {
        let path = folder.join(name);
        fs::remove_file(&path).with_context(|| format!("cannot remove {}", path.display()))?;
    }
    Ok(())
}

fn describe(table: &OwnTable) -> String {
    let lines = table.text.lines().skip(1).filter(|line| !line.trim().is_empty() && !line.starts_with('#')).count();
    format!("{}: {lines} lines\n", table.file)
}
