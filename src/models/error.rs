//! What can go wrong between a model's name and a model that can be loaded.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use thiserror::Error;

use crate::speech::SpeechError;

/// Why a model could not be listed, fetched, converted, checked, carried or found.
#[derive(Debug, Error)]
pub enum ModelError {
    /// Neither the registry nor the disk has it.
    #[error("there is no model `{name}`; the registry knows {known}")]
    Unknown {
        /// What was asked for.
        name: String,
        /// The registry's names, separated by commas.
        known: String,
    },
    /// The registry has it, the disk has not.
    #[error("model `{name}` is not installed: `cantoscribe models pull {name}` fetches it")]
    NotInstalled {
        /// Name in the registry.
        name: String,
    },
    /// No installed model hears the language.
    #[error("no model that hears `{language}` is installed: `cantoscribe models pull auto` fetches the best that can be had")]
    NoneInstalled {
        /// Its code.
        language: &'static str,
    },
    /// An aligner was asked for and has no use.
    #[error("the model `{name}` takes no aligner: leave out `--aligner`")]
    TakesNoAligner {
        /// Name of the model.
        name: String,
    },
    /// An installed file is missing or is not what was installed.
    #[error("model `{name}` is damaged: {fault}; `cantoscribe models pull {name}` replaces it")]
    Damaged {
        /// Name of the model.
        name: String,
        /// Which file, and how it differs.
        fault: Fault,
    },
    /// A folder that was given as a model does not hold one that can be used.
    #[error("`{path}` is not a checkpoint that can be used: {why}")]
    NotACheckpoint {
        /// The folder.
        path: PathBuf,
        /// What is missing or not understood.
        why: String,
    },
    /// No folder for models was given, and there is no home directory to derive one from.
    #[error("there is no home directory to keep models in: give a folder with `--models`")]
    NoFolder,
    /// The registry's text is not a registry.
    #[error("the registry of models is wrong: {why}")]
    Registry {
        /// What is wrong, with its place where there is one.
        why: String,
    },
    /// A file of a CTranslate2 model cannot be converted.
    #[error("`{file}` cannot be converted: {why}")]
    Conversion {
        /// The file's name.
        file: String,
        /// What was found.
        why: String,
    },
    /// An archive is not one that `export` wrote, or not any more.
    #[error("`{path}` is not imported: {why}")]
    Archive {
        /// The archive.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// Reading or writing a file failed.
    #[error("could not {action} `{path}`: {reason}")]
    Io {
        /// A verb in its plain form.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's reason.
        reason: io::Error,
    },
    /// There is no room left.
    #[error("the disk is full: could not {action} `{path}`; nothing was installed")]
    DiskFull {
        /// A verb in its plain form.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
    },
    /// A source was not asked because of `--offline`.
    #[error("not asked, because of `--offline`")]
    Offline,
    /// A source accepted nothing or answered nothing in time.
    #[error("no answer within {} s", .within.as_secs_f32())]
    Unanswered {
        /// How long was waited.
        within: Duration,
    },
    /// A source answered, and the answer is of no use.
    #[error("{why}")]
    Refused {
        /// What it said, in one line.
        why: String,
    },
    /// A transfer ended early and could not be taken up again.
    #[error("`{file}` broke off after {got} of {size} bytes ({why}); the next try goes on from there")]
    BrokenOff {
        /// The file's name.
        file: String,
        /// Bytes that are kept.
        got: u64,
        /// Bytes that were promised.
        size: u64,
        /// The transport's reason.
        why: String,
    },
    /// What arrived is not what the registry, or the source itself, states.
    #[error("`{file}` arrived altered: sha256 {found}, expected {expected}")]
    Altered {
        /// The file's name.
        file: String,
        /// What the registry or the source states.
        expected: String,
        /// What arrived.
        found: String,
    },
    /// The registry states no hash for a file of this source.
    #[error(
        "no hash of `{file}` is on record to check it against; `--trust-first-download` takes it as it comes and records its hash"
    )]
    Unpinned {
        /// The first such file.
        file: String,
    },
    /// There is no pip to fetch wheels with.
    #[error("no pip found (tried `python3 -m pip`, `pip3`, `pip`): on Debian, `apt-get install python3-pip` installs it")]
    NoPip,
    /// An installed model cannot be loaded or packed.
    #[error(transparent)]
    Speech(#[from] SpeechError),
    /// Every source of a model failed.
    #[error("model `{name}` could not be had from any source{}", list(.failures))]
    AllFailed {
        /// The model.
        name: String,
        /// In the order tried.
        failures: Vec<Failure>,
    },
}

/// How one source failed.
#[derive(Debug)]
pub struct Failure {
    /// The source, as messages name it.
    pub source: String,
    /// What happened there.
    pub error: ModelError,
}

/// How an installed file differs from what was installed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Fault {
    /// The file is gone.
    #[error("`{file}` is missing")]
    Missing {
        /// The file's name.
        file: String,
    },
    /// The file has another length.
    #[error("`{file}` has {found} bytes instead of {expected}")]
    Size {
        /// The file's name.
        file: String,
        /// Bytes in the manifest.
        expected: u64,
        /// Bytes on disk.
        found: u64,
    },
    /// The file has other content.
    #[error("`{file}` has sha256 {found} instead of {expected}")]
    Content {
        /// The file's name.
        file: String,
        /// Hash in the manifest.
        expected: String,
        /// Hash on disk.
        found: String,
    },
    /// The manifest cannot be read, so nothing can be checked.
    #[error("`manifest.json` cannot be used ({why})")]
    Manifest {
        /// What is wrong with it.
        why: String,
    },
}

impl Fault {
    /// The file that it is about.
    #[must_use]
    pub fn file(&self) -> &str {
        match self {
            Self::Missing { file } | Self::Size { file, .. } | Self::Content { file, .. } => file,
            Self::Manifest { .. } => super::manifest::FILE_NAME,
        }
    }
}

fn list(failures: &[Failure]) -> String {
    failures.iter().map(|failure| format!("\n  {}: {}", failure.source, failure.error)).collect()
}

impl ModelError {
    /// Turns a failed file operation into an error that names it; a full disk is told apart.
    pub(crate) fn io(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |reason| match reason.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull { action, path },
            _ => Self::Io { action, path, reason },
        }
    }

    /// Whether the fault lies with this machine, so that another source would meet it as well.
    pub(crate) fn is_local(&self) -> bool {
        matches!(self, Self::Io { .. } | Self::DiskFull { .. })
    }

    pub(crate) fn archive(path: &Path, why: impl Into<String>) -> Self {
        Self::Archive { path: path.to_owned(), why: why.into() }
    }
}
